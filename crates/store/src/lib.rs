//! The database seam: one [`Db`] over SQLite and PostgreSQL.
//!
//! Everything runs on a [`Tx`], with one `$1` SQL text for both engines ([`rows!`], [`one!`], [`run!`]); where they
//! must differ, [`sql!`] writes both texts from one. Lists and bulk rows travel at once, on SQLite as one JSON text and on PostgreSQL
//! as typed arrays: a statement a thousand rows, never a loop of single inserts.
//!
//! | what | how it is stored on both |
//! | --- | --- |
//! | ids, person keys | `uuid`: 16 bytes |
//! | instants | `bigint`: microseconds since 1970, UTC |
//! | civil days | `date`: on SQLite as `YYYY-MM-DD`, which sorts |
//! | months | `integer`: YYYYMM |
//! | money | `bigint`: fen |
//!
//! To add a statement: a function in the capability's `store.rs`, named after what it answers.

mod arguments;
mod bulk;
mod columns;
mod count;
mod db;
mod error;
#[doc(hidden)]
pub mod fetch;
mod macros;
mod sqlite_file;
#[doc(hidden)]
pub mod statement;
mod strange;

#[doc(hidden)]
pub use arguments::{Argument, ForPostgres, ForSqlite};
pub use bulk::{Bytes, Hex, Rows, Texts, Uuids, bulk_rows, bulk_texts, bulk_uuids};
pub use count::{Statements, counted};
pub use db::{Db, PostgresTx, SqliteTx, Tx};
pub use error::{Retryable, StoreError};
pub use sqlx;
#[doc(hidden)]
pub use statement::{Column, Each, Kind, Part, Table};
pub use strange::strange;

/// A future that borrows a transaction.
pub type TxFuture<'t, T, E> = futures_util::future::BoxFuture<'t, Result<T, E>>;
