//! One SQL text on two engines.

/// Writes a text for each engine from one.
///
/// Between literals stand: `in_uuids 1`, whether what stands before is one of the ids that parameter 1 lists
/// ([`bulk_uuids`](crate::bulk_uuids)); `in_texts 1`, one of its texts; `table 1 (id uuid, name text, body bytea)`, its rows ([`bulk_rows`](crate::bulk_rows));
/// `only(sqlite "…", postgres "…")`, what differs.
#[macro_export]
macro_rules! sql {
    ($($part:tt)*) => {{
        const PARTS: &[$crate::Part] = $crate::sql_text!(postgres [] $($part)*);
        const WRITTEN: [u8; $crate::statement::length(PARTS)] = $crate::statement::write(PARTS);
        const EACH: $crate::Each = $crate::Each::new($crate::sql_text!(sqlite [] $($part)*), $crate::statement::text(&WRITTEN), PARTS);
        EACH
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! sql_text {
    (sqlite [$($done:tt)*]) => { concat!($($done)*) };
    (postgres [$($done:tt)*]) => { &[$($done)*] };
    (sqlite [$($done:tt)*] in_uuids $n:literal $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* " IN (SELECT unhex(value) FROM json_each($", $n, "))",] $($rest)*)
    };
    // An array, not a join: a planner without statistics finds the rows by index all the same. From a subquery: one that
    // saw how many there are would, without statistics, take them for most of the table and read all of it.
    (postgres [$($done:tt)*] in_uuids $n:literal $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* $crate::Part::Text(concat!(" = ANY(ARRAY(SELECT value FROM unnest($", $n, "::uuid[]) AS value))")),] $($rest)*)
    };
    (sqlite [$($done:tt)*] in_texts $n:literal $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* " IN (SELECT value FROM json_each($", $n, "))",] $($rest)*)
    };
    (postgres [$($done:tt)*] in_texts $n:literal $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* $crate::Part::Text(concat!(" = ANY(ARRAY(SELECT value FROM unnest($", $n, "::text[]) AS value))")),] $($rest)*)
    };
    (sqlite [$($done:tt)*] table $n:literal ($($column:ident $kind:ident),* $(,)?) $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* "(SELECT 0 AS no_column", $($crate::sql_column!($column $kind),)* " FROM json_each($", $n, ")) AS t",] $($rest)*)
    };
    (postgres [$($done:tt)*] table $n:literal ($($column:ident $kind:ident),+ $(,)?) $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* $crate::Part::Table($crate::Table {
            parameter: $n,
            columns: &[$($crate::Column { name: stringify!($column), kind: $crate::sql_kind!($kind) }),+],
        }),] $($rest)*)
    };
    (sqlite [$($done:tt)*] only(sqlite $sqlite:literal, postgres $postgres:literal) $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* $sqlite,] $($rest)*)
    };
    (postgres [$($done:tt)*] only(sqlite $sqlite:literal, postgres $postgres:literal) $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* $crate::Part::Text($postgres),] $($rest)*)
    };
    (sqlite [$($done:tt)*] $text:literal $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* $text,] $($rest)*)
    };
    (postgres [$($done:tt)*] $text:literal $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* $crate::Part::Text($text),] $($rest)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! sql_column {
    ($column:ident uuid) => {
        concat!(", unhex(value->>'", stringify!($column), "') AS ", stringify!($column))
    };
    ($column:ident bytea) => {
        concat!(", unhex(value->>'", stringify!($column), "') AS ", stringify!($column))
    };
    ($column:ident $kind:ident) => {
        concat!(", value->>'", stringify!($column), "' AS ", stringify!($column))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! sql_kind {
    (uuid) => {
        $crate::Kind::Uuid
    };
    (text) => {
        $crate::Kind::Text
    };
    (integer) => {
        $crate::Kind::Integer
    };
    (bigint) => {
        $crate::Kind::Bigint
    };
    (boolean) => {
        $crate::Kind::Boolean
    };
    (date) => {
        $crate::Kind::Date
    };
    (bytea) => {
        $crate::Kind::Bytea
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! bound {
    ($tx:expr, $sql:expr, [$($arg:expr),*]) => {{
        let statement = $crate::Each::from($sql);
        match $tx {
            $crate::Tx::Sqlite(_) => $crate::ForSqlite::default()$(.with($arg))*.finish().map(|arguments| $crate::fetch::Bound::Sqlite(statement.sqlite, arguments)),
            $crate::Tx::Postgres(_) => {
                $crate::ForPostgres::new(statement)$(.with($arg))*.finish().map(|arguments| $crate::fetch::Bound::Postgres(statement.postgres, arguments))
            }
        }
    }};
}

/// All rows of a query: `rows!(tx, Row, "SELECT …", arg, …)` is a `Result<Vec<Row>, StoreError>`.
#[macro_export]
macro_rules! rows {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let tx: &mut $crate::Tx = &mut *$tx;
        let bound = $crate::bound!(tx, $sql, [$($arg),*]);
        $crate::fetch::all::<$row>(tx, bound).await
    }};
}

/// The first row of a query, if there is one: a `Result<Option<Row>, StoreError>`.
#[macro_export]
macro_rules! one {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let tx: &mut $crate::Tx = &mut *$tx;
        let bound = $crate::bound!(tx, $sql, [$($arg),*]);
        $crate::fetch::first::<$row>(tx, bound).await
    }};
}

/// Runs a statement: a `Result<u64, StoreError>`, the number of rows it touched.
#[macro_export]
macro_rules! run {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let tx: &mut $crate::Tx = &mut *$tx;
        let bound = $crate::bound!(tx, $sql, [$($arg),*]);
        $crate::fetch::execute(tx, bound).await
    }};
}
