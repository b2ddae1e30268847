//! A statement on its way to an engine, and rows on their way back. Nothing here is written anew for each statement: that would be most of
//! what a service compiles to.

use futures_util::{TryStreamExt, future::BoxFuture};
use sqlx::FromRow;
use sqlx_postgres::{PgArguments, PgRow};
use sqlx_sqlite::{SqliteArguments, SqliteRow};

use crate::{StoreError, Tx};

/// A statement with its arguments, as its engine takes it.
#[derive(Debug)]
pub enum Bound {
    /// For SQLite.
    Sqlite(&'static str, SqliteArguments),
    /// For PostgreSQL.
    Postgres(&'static str, PgArguments),
}

/// A type that a row of either engine is read into.
pub trait OfRow: Send + Unpin + Sized + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}

impl<T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>> OfRow for T {}

/// A row of either engine.
#[derive(Debug, Clone, Copy)]
enum Row<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl Row<'_> {
    fn read<R: OfRow>(self) -> Result<R, sqlx::Error> {
        match self {
            Self::Sqlite(row) => R::from_row(row),
            Self::Postgres(row) => R::from_row(row),
        }
    }
}

/// Does something with each row.
type Take<'t> = dyn FnMut(Row<'_>) -> Result<(), sqlx::Error> + Send + 't;

/// All rows of a query.
pub async fn all<R: OfRow>(tx: &mut Tx, bound: Result<Bound, StoreError>) -> Result<Vec<R>, StoreError> {
    let mut found = Vec::new();
    each(tx, bound?, &mut |row| {
        found.push(row.read()?);
        Ok(())
    })
    .await?;
    Ok(found)
}

/// The first row of a query.
pub async fn first<R: OfRow>(tx: &mut Tx, bound: Result<Bound, StoreError>) -> Result<Option<R>, StoreError> {
    let mut found = None;
    one(tx, bound?, &mut |row| {
        found = Some(row.read()?);
        Ok(())
    })
    .await?;
    Ok(found)
}

fn each<'t>(tx: &'t mut Tx, bound: Bound, take: &'t mut Take<'_>) -> BoxFuture<'t, Result<(), StoreError>> {
    Box::pin(async move {
        match (tx, bound) {
            (Tx::Sqlite(tx), Bound::Sqlite(text, arguments)) => {
                tx.note();
                let mut rows = sqlx::query_with(text, arguments).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    take(Row::Sqlite(&row))?;
                }
            }
            (Tx::Postgres(tx), Bound::Postgres(text, arguments)) => {
                tx.note();
                let mut rows = sqlx::query_with(text, arguments).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    take(Row::Postgres(&row))?;
                }
            }
            _ => return Err(other_engine()),
        }
        Ok(())
    })
}

fn one<'t>(tx: &'t mut Tx, bound: Bound, take: &'t mut Take<'_>) -> BoxFuture<'t, Result<(), StoreError>> {
    Box::pin(async move {
        match (tx, bound) {
            (Tx::Sqlite(tx), Bound::Sqlite(text, arguments)) => {
                tx.note();
                if let Some(row) = sqlx::query_with(text, arguments).fetch_optional(&mut **tx).await? {
                    take(Row::Sqlite(&row))?;
                }
            }
            (Tx::Postgres(tx), Bound::Postgres(text, arguments)) => {
                tx.note();
                if let Some(row) = sqlx::query_with(text, arguments).fetch_optional(&mut **tx).await? {
                    take(Row::Postgres(&row))?;
                }
            }
            _ => return Err(other_engine()),
        }
        Ok(())
    })
}

/// Runs a statement; how many rows it touched.
pub fn execute(tx: &mut Tx, bound: Result<Bound, StoreError>) -> BoxFuture<'_, Result<u64, StoreError>> {
    Box::pin(async move {
        match (tx, bound?) {
            (Tx::Sqlite(tx), Bound::Sqlite(text, arguments)) => {
                tx.note();
                Ok(sqlx::query_with(text, arguments).execute(&mut **tx).await?.rows_affected())
            }
            (Tx::Postgres(tx), Bound::Postgres(text, arguments)) => {
                tx.note();
                Ok(sqlx::query_with(text, arguments).execute(&mut **tx).await?.rows_affected())
            }
            _ => Err(other_engine()),
        }
    })
}

/// The macros bind for the engine of the transaction that they are given.
fn other_engine() -> StoreError {
    StoreError::Corrupt("a statement bound for the other engine")
}
