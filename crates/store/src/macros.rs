//! One SQL text on two engines.

/// Two texts that answer the same.
#[derive(Debug, Clone, Copy)]
pub struct Each {
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

/// A text for both engines, or one for each.
pub trait AsSql: Copy {
    /// For SQLite.
    fn sqlite(self) -> &'static str;
    /// For PostgreSQL.
    fn postgres(self) -> &'static str;
}

impl AsSql for &'static str {
    fn sqlite(self) -> &'static str {
        self
    }
    fn postgres(self) -> &'static str {
        self
    }
}

impl AsSql for Each {
    fn sqlite(self) -> &'static str {
        self.sqlite
    }
    fn postgres(self) -> &'static str {
        self.postgres
    }
}

/// Writes a text for each engine from one.
///
/// Between literals stand: `in_uuids 1`, whether what stands before is one of the ids that parameter 1 lists
/// ([`json_uuids`](crate::json_uuids)); `in_texts 1`, one of its texts; `table 1 (id uuid, name text, body bytea)`, its rows ([`json_rows`](crate::json_rows));
/// `only(sqlite "…", postgres "…")`, what differs.
#[macro_export]
macro_rules! sql {
    ($($part:tt)*) => {
        $crate::Each {
            sqlite: $crate::sql_text!(sqlite [] $($part)*),
            postgres: $crate::sql_text!(postgres [] $($part)*),
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! sql_text {
    ($engine:ident [$($done:tt)*]) => { concat!($($done)*) };
    (sqlite [$($done:tt)*] in_uuids $n:literal $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* " IN (SELECT unhex(value) FROM json_each($", $n, "))",] $($rest)*)
    };
    // An array, not a join: a planner without statistics finds the rows by index all the same.
    (postgres [$($done:tt)*] in_uuids $n:literal $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* " = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($", $n, "::json)))",] $($rest)*)
    };
    (sqlite [$($done:tt)*] in_texts $n:literal $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* " IN (SELECT value FROM json_each($", $n, "))",] $($rest)*)
    };
    (postgres [$($done:tt)*] in_texts $n:literal $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* " = ANY(ARRAY(SELECT value FROM json_array_elements_text($", $n, "::json)))",] $($rest)*)
    };
    (sqlite [$($done:tt)*] table $n:literal ($($column:ident $kind:ident),* $(,)?) $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* "(SELECT 0 AS no_column", $($crate::sql_column!($column $kind),)* " FROM json_each($", $n, ")) AS t",] $($rest)*)
    };
    (postgres [$($done:tt)*] table $n:literal ($first:ident $first_kind:ident $(, $column:ident $kind:ident)* $(,)?) $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* "json_to_recordset($", $n, "::json) AS t(", stringify!($first), " ", stringify!($first_kind), $(", ", stringify!($column), " ", stringify!($kind),)* ")",] $($rest)*)
    };
    (sqlite [$($done:tt)*] only(sqlite $sqlite:literal, postgres $postgres:literal) $($rest:tt)*) => {
        $crate::sql_text!(sqlite [$($done)* $sqlite,] $($rest)*)
    };
    (postgres [$($done:tt)*] only(sqlite $sqlite:literal, postgres $postgres:literal) $($rest:tt)*) => {
        $crate::sql_text!(postgres [$($done)* $postgres,] $($rest)*)
    };
    ($engine:ident [$($done:tt)*] $text:literal $($rest:tt)*) => {
        $crate::sql_text!($engine [$($done)* $text,] $($rest)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! sql_column {
    ($column:ident uuid) => {
        concat!(", unhex(value->>'", stringify!($column), "') AS ", stringify!($column))
    };
    ($column:ident bytea) => {
        concat!(", unhex(substr(value->>'", stringify!($column), "', 3)) AS ", stringify!($column))
    };
    ($column:ident $kind:ident) => {
        concat!(", value->>'", stringify!($column), "' AS ", stringify!($column))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! on_engine {
    ($tx:expr, $sql:expr, |$text:ident, $connection:ident| $call:expr) => {
        match &mut *$tx {
            $crate::Tx::Sqlite(transaction) => {
                let $text = $crate::AsSql::sqlite($sql);
                let $connection = &mut **transaction;
                $call.map_err($crate::StoreError::from)
            }
            $crate::Tx::Postgres(transaction) => {
                let $text = $crate::AsSql::postgres($sql);
                let $connection = &mut **transaction;
                $call.map_err($crate::StoreError::from)
            }
        }
    };
}

/// All rows of a query: `rows!(tx, Row, "SELECT …", arg, …)` is a `Result<Vec<Row>, StoreError>`.
#[macro_export]
macro_rules! rows {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        $crate::on_engine!($tx, $sql, |text, connection| $crate::sqlx::query_as::<_, $row>(text)$(.bind($arg))*.fetch_all(connection).await)
    };
}

/// The first row of a query, if there is one: a `Result<Option<Row>, StoreError>`.
#[macro_export]
macro_rules! one {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        $crate::on_engine!($tx, $sql, |text, connection| $crate::sqlx::query_as::<_, $row>(text)$(.bind($arg))*.fetch_optional(connection).await)
    };
}

/// Runs a statement: a `Result<u64, StoreError>`, the number of rows it touched.
#[macro_export]
macro_rules! run {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        $crate::on_engine!($tx, $sql, |text, connection| $crate::sqlx::query(text)$(.bind($arg))*.execute(connection).await.map(|done| done.rows_affected()))
    };
}
