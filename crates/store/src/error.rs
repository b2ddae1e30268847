//! What can go wrong with a database, by what a caller can do about it.

/// A fault of the database. Its text may hold SQL: it goes to the log, never to a caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The transaction was certainly rolled back and may be run again.
    #[error("transaction must be retried: {0}")]
    Retry(String),
    /// A unique constraint was violated: somebody else was first.
    #[error("unique constraint violated: {0}")]
    Unique(String),
    /// A text that the engine can't hold, such as one with a NUL.
    #[error("text can't be held")]
    Text,
    /// There is no room on the disk.
    #[error("no room on the disk: {0}")]
    Full(String),
    /// The database can't be reached, or takes no work now: it stops, starts, only reads, or its disk fails.
    #[error("database is not available: {0}")]
    Unavailable(String),
    /// Another file is where the database was.
    #[error("the database file was replaced under the running process")]
    Replaced,
    /// Anything else.
    #[error(transparent)]
    Database(sqlx::Error),
    /// A stored value that its type refuses.
    #[error("stored value is not a {0}")]
    Corrupt(&'static str),
    /// The migrations don't fit the database.
    #[error(transparent)]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The schema is not this program's, and the role that connects may not change it.
    #[error("the schema is another version's than this program's, and this role may not change it: run `xuezhu admin migrate` by the role that owns it")]
    Schema,
    /// A role that is to run owns something, or may what only an owner may.
    #[error("role {0} owns the database or something in it, or may make roles or databases: let the service run as another")]
    RoleMayMore(String),
    /// The URL names no engine that is known here.
    #[error("database URL must begin with sqlite: or postgres:, got {0}")]
    Url(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match &error {
                sqlx::Error::Io(why) if why.kind() == std::io::ErrorKind::StorageFull => Self::Full(why.to_string()),
                sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Tls(_) => {
                    Self::Unavailable(error.to_string())
                }
                _ => Self::Database(error),
            };
        };
        if database.is_unique_violation() {
            return Self::Unique(database.constraint().unwrap_or_default().to_owned());
        }
        // PostgreSQL: serialization failure, deadlock. SQLite: BUSY and its extended codes.
        match database.code().as_deref() {
            Some(code @ ("40001" | "40P01" | "5" | "261" | "517")) => Self::Retry(code.to_owned()),
            // PostgreSQL: character_not_in_repertoire.
            Some("22021") => Self::Text,
            // PostgreSQL: disk_full. SQLite: FULL.
            Some("53100" | "13") => Self::Full(error.to_string()),
            Some(code) if is_out_of_reach(code) => Self::Unavailable(error.to_string()),
            _ => Self::Database(error),
        }
    }
}

/// PostgreSQL: connection exceptions, no resources, read only (a standby), shut down or starting. SQLite: IOERR with its
/// extended codes, CANTOPEN, READONLY.
fn is_out_of_reach(code: &str) -> bool {
    let postgres = code.len() == 5 && (["08", "53"].iter().any(|class| code.starts_with(class)) || matches!(code, "25006" | "57P01" | "57P02" | "57P03"));
    let sqlite = code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 8 | 10 | 14));
    postgres || sqlite
}

/// Whether the transaction that failed was certainly rolled back and may succeed when run again.
pub trait Retryable {
    /// Whether to run it again.
    fn is_retryable(&self) -> bool;

    /// Whether there was no room on the disk.
    fn is_full(&self) -> bool;
}

impl Retryable for StoreError {
    fn is_retryable(&self) -> bool {
        // A unique violation means that somebody committed first: the second run will see what.
        matches!(self, Self::Retry(_) | Self::Unique(_))
    }

    fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }
}
