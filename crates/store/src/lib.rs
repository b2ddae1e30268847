//! The database seam: one [`Db`] over SQLite and PostgreSQL.
//!
//! Everything runs on a [`Tx`], with one `$1` SQL text for both engines ([`rows!`], [`one!`], [`run!`]); where they
//! must differ, [`sql!`] writes both texts from one. Lists and bulk rows travel as one JSON parameter: a statement a
//! thousand rows, never a loop of single inserts.
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

mod db;
mod error;
mod json;
mod macros;
mod sqlite_file;

pub use db::{Db, SqliteTx, Tx};
pub use error::{Retryable, StoreError};
pub use json::{Bytes, Hex, json_rows, json_texts, json_uuids};
#[doc(hidden)]
pub use macros::{AsSql, Each};
pub use sqlx;

/// A future that borrows a transaction.
pub type TxFuture<'t, T, E> = futures_util::future::BoxFuture<'t, Result<T, E>>;
