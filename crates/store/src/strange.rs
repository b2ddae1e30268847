//! What in a database none of the program's migrations, and none of its statements, put there: whoever may write to it can have the database itself
//! change what is written, or keep a value in another shape, which reads the same and is found by no search.

use sqlx::{AssertSqlSafe, Connection, migrate::Migrator};
use sqlx_sqlite::SqliteConnection;

use crate::{StoreError, Tx};

/// What is strange, in words: triggers, rules and views that are not the program's, and on SQLite, whose columns take anything, values that are not
/// of the type of their column.
pub async fn strange(tx: &mut Tx, migrator: &Migrator) -> Result<Vec<String>, StoreError> {
    match tx {
        Tx::Sqlite(tx) => {
            let mut strange = made_by_others(tx, migrator).await?;
            strange.extend(of_other_types(tx).await?);
            Ok(strange)
        }
        Tx::Postgres(tx) => {
            let triggers: Vec<(String,)> = sqlx::query_as(
                "SELECT 'trigger ' || t.tgname || ' on ' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                 WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
                 UNION ALL SELECT 'rule ' || r.rulename || ' on ' || c.relname FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
                 WHERE r.rulename <> '_RETURN' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1",
            )
            .fetch_all(&mut **tx)
            .await?;
            Ok(triggers.into_iter().map(|(what,)| format!("{what}: the program has none")).collect())
        }
    }
}

/// Views and triggers, as they were made.
async fn made(connection: &mut SqliteConnection) -> Result<Vec<(String, String, String)>, StoreError> {
    let statement = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY type, name";
    Ok(sqlx::query_as(statement).fetch_all(connection).await?)
}

/// Views and triggers that are not as the migrations make them, or are missing.
async fn made_by_others(connection: &mut SqliteConnection, migrator: &Migrator) -> Result<Vec<String>, StoreError> {
    let mut own = SqliteConnection::connect("sqlite::memory:").await?;
    migrator.run(&mut own).await?;
    let (known, found) = (made(&mut own).await?, made(connection).await?);
    own.close().await?;
    let others = found.iter().filter(|made| !known.contains(made)).map(|(what, name, _)| format!("{what} {name} is not the program's"));
    let missing = known.iter().filter(|(_, name, _)| !found.iter().any(|(_, found, _)| found == name));
    Ok(others.chain(missing.map(|(what, name, _)| format!("{what} {name} is gone"))).collect())
}

/// What a value of a column's type is on SQLite; nothing where any will do.
fn is_of(kind: &str, column: &str) -> Option<String> {
    Some(match kind {
        "uuid" => format!("typeof({column}) = 'blob' AND length({column}) = 16"),
        "bytea" => format!("typeof({column}) = 'blob'"),
        "text" => format!("typeof({column}) = 'text'"),
        "date" => format!("typeof({column}) = 'text' AND {column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'"),
        "integer" | "bigint" => format!("typeof({column}) = 'integer'"),
        "boolean" => format!("typeof({column}) = 'integer' AND {column} IN (0, 1)"),
        _ => return None,
    })
}

/// Values of other types than their columns, counted: a table is read once.
async fn of_other_types(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut strange = Vec::new();
    for (table,) in tables {
        let columns: Vec<(String, String)> =
            sqlx::query_as("SELECT name, lower(type) FROM pragma_table_info($1)").bind(&table).fetch_all(&mut *connection).await?;
        let looked: Vec<(&String, String)> = columns.iter().filter_map(|(name, kind)| Some((name, is_of(kind, &quoted(name))?))).collect();
        if looked.is_empty() {
            continue;
        }
        let counts: Vec<String> =
            looked.iter().map(|(name, is)| format!("coalesce(sum(CASE WHEN {} IS NULL OR ({is}) THEN 0 ELSE 1 END), 0)", quoted(name))).collect();
        let statement = format!("SELECT CAST({} AS text) FROM {}", counts.join(" || ',' || "), quoted(&table));
        let counted: String = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut *connection).await?;
        let counted = counted.split(',').zip(&looked).filter(|(count, _)| *count != "0");
        strange.extend(counted.map(|(count, (column, _))| format!("{table}.{column}: {count} values are not of the column's type, which the service writes")));
    }
    Ok(strange)
}
