//! Arguments on their way to an engine. The first fault is told when all were given.

use serde::Serialize;
use sqlx::{Arguments as _, Encode, Type, error::BoxDynError};
use sqlx_postgres::{PgArguments, Postgres};
use sqlx_sqlite::{Sqlite, SqliteArguments};

use crate::{
    Rows, StoreError,
    columns::{self, Values},
    statement::Each,
};

/// For SQLite: each is one parameter.
#[derive(Debug, Default)]
pub struct ForSqlite {
    arguments: SqliteArguments,
    fault: Option<BoxDynError>,
}

impl ForSqlite {
    /// And the next.
    #[must_use]
    pub fn with<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(mut self, argument: T) -> Self {
        let added = self.arguments.add(argument);
        self.fault = self.fault.or(added.err());
        self
    }

    /// All of them.
    pub fn finish(self) -> Result<SqliteArguments, StoreError> {
        self.fault.map_or(Ok(self.arguments), |fault| Err(encoding(fault)))
    }
}

/// For PostgreSQL: each is one parameter, but bulk rows are one a column.
#[derive(Debug)]
pub struct ForPostgres {
    statement: Each,
    arguments: PgArguments,
    /// Columns of bulk rows beyond the first, with their numbers.
    beyond: Vec<(usize, Values)>,
    fault: Option<BoxDynError>,
}

impl ForPostgres {
    /// None yet.
    pub fn new(statement: Each) -> Self {
        Self { statement, arguments: PgArguments::default(), beyond: Vec::new(), fault: None }
    }

    /// And the next.
    #[must_use]
    pub fn with(mut self, argument: impl Argument) -> Self {
        let added = argument.add_to(&mut self);
        self.fault = self.fault.or(added.err());
        self
    }

    fn add_rows<T: Serialize>(&mut self, rows: &[T]) -> Result<(), BoxDynError> {
        let (columns, second) = self.statement.table(self.arguments.len() + 1).ok_or("no table stands for rows that were given")?;
        let mut values = columns::take(rows, columns)?.into_iter();
        if let Some(first) = values.next() {
            first.bind(&mut self.arguments)?;
        }
        self.beyond.extend((second..).zip(values));
        Ok(())
    }

    /// All of them.
    pub fn finish(mut self) -> Result<PgArguments, StoreError> {
        if let Some(fault) = self.fault {
            return Err(encoding(fault));
        }
        if self.statement.has_tables() && self.statement.parameters() != self.arguments.len() {
            return Err(encoding("a statement with rows names other parameters than were given".into()));
        }
        self.beyond.sort_unstable_by_key(|(number, _)| *number);
        for (_, values) in self.beyond {
            values.bind(&mut self.arguments).map_err(encoding)?;
        }
        Ok(self.arguments)
    }
}

/// What can be given to a statement on PostgreSQL.
pub trait Argument {
    /// Adds it.
    fn add_to(self, to: &mut ForPostgres) -> Result<(), BoxDynError>;
}

impl<'q, T: Encode<'q, Postgres> + Type<Postgres>> Argument for T {
    fn add_to(self, to: &mut ForPostgres) -> Result<(), BoxDynError> {
        to.arguments.add(self)
    }
}

impl<T: Serialize> Argument for Rows<'_, T> {
    fn add_to(self, to: &mut ForPostgres) -> Result<(), BoxDynError> {
        to.add_rows(self.rows)
    }
}

impl<T: Serialize> Argument for &Rows<'_, T> {
    fn add_to(self, to: &mut ForPostgres) -> Result<(), BoxDynError> {
        to.add_rows(self.rows)
    }
}

fn encoding(fault: BoxDynError) -> StoreError {
    sqlx::Error::Encode(fault).into()
}
