//! Pools, transactions and their retry.

use std::{
    collections::HashMap,
    ops::{Deref, DerefMut},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::Rng;
use sqlx::{
    Transaction,
    migrate::{Migration, Migrator},
    pool::PoolConnection,
};
use sqlx_postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, Postgres};
use sqlx_sqlite::{Sqlite, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::{
    Retryable, StoreError, TxFuture,
    count::{Count, Statements},
    sqlite_file::SqliteFile,
};

/// Connections to PostgreSQL a process.
const POSTGRES_CONNECTIONS: u32 = 12;
/// Readers of an SQLite file; writers take turns on one connection.
const SQLITE_READERS: u32 = 4;
/// Rows that wait between a connection's thread and whoever reads them.
const SQLITE_ROWS: usize = 1_000;
/// How often a table is written anew, and the wait in between, while somebody else's snapshot keeps dead rows.
const COMPACTIONS: u32 = 60;
const COMPACTION_WAIT: Duration = Duration::from_millis(500);
/// How often a transaction is run before its failure is told.
const ATTEMPTS: u32 = 8;

/// A database: SQLite for one machine, PostgreSQL for production.
#[derive(Debug, Clone)]
pub enum Db {
    /// One file, one writer at a time.
    Sqlite {
        /// Readers.
        read: SqlitePool,
        /// The writer.
        write: SqlitePool,
        /// The file; none in memory.
        file: Option<Arc<SqliteFile>>,
        /// What is counted.
        statements: Statements,
        /// When a write last found no room.
        full: Arc<Mutex<Option<Instant>>>,
    },
    /// A server.
    Postgres {
        /// Connections.
        pool: PgPool,
        /// What is counted.
        statements: Statements,
        /// When a write last found no room.
        full: Arc<Mutex<Option<Instant>>>,
    },
}

/// A transaction on either.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(SqliteTx),
    /// On PostgreSQL.
    Postgres(PostgresTx),
}

/// A transaction on PostgreSQL.
#[derive(Debug)]
pub struct PostgresTx {
    transaction: Transaction<'static, Postgres>,
    count: Count,
}

impl PostgresTx {
    /// Counts a statement.
    pub fn note(&mut self) {
        self.count.note();
    }
}

impl Deref for PostgresTx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for PostgresTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// A transaction on SQLite, and the connection that it is on. A connection whose transaction did not end as it should, be it
/// that the disk was full or that nobody waited for the end, goes back to no pool: what state it is in is anybody's guess.
#[derive(Debug)]
pub struct SqliteTx {
    connection: PoolConnection<Sqlite>,
    ended: bool,
    count: Count,
}

impl SqliteTx {
    async fn begin(pool: &SqlitePool, how: &'static str, statements: &Statements) -> Result<Self, StoreError> {
        let mut tx = Self { connection: pool.acquire().await?, ended: false, count: statements.begin() };
        sqlx::query(how).execute(&mut *tx.connection).await?;
        Ok(tx)
    }

    async fn end(mut self, how: &'static str) -> Result<(), StoreError> {
        self.count.note();
        sqlx::query(how).execute(&mut *self.connection).await?;
        self.ended = true;
        Ok(())
    }

    /// Counts a statement.
    pub fn note(&mut self) {
        self.count.note();
    }
}

impl Deref for SqliteTx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for SqliteTx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}

impl Db {
    /// Opens `sqlite:PATH` (made if missing) or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
            let in_memory = url.contains(":memory:") || url.contains("mode=memory");
            let file = if in_memory { None } else { Some(Arc::new(SqliteFile::prepare(options.get_filename()).map_err(sqlx::Error::Io)?)) };
            let options = options
                .journal_mode(SqliteJournalMode::Wal)
                // What was acknowledged survives the power going off, not only the process.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(20))
                // Rows come from the thread of their connection: a few at once would wake it, and us, again and again.
                .row_buffer_size(SQLITE_ROWS)
                .pragma("cache_size", "-4000")
                .pragma("temp_store", "memory");
            let write = SqlitePoolOptions::new()
                .max_connections(1)
                .min_connections(1)
                .acquire_timeout(Duration::from_secs(120))
                .connect_with(options.clone().pragma("cache_size", "-32000"))
                .await?;
            let read = SqlitePoolOptions::new().max_connections(SQLITE_READERS).acquire_timeout(Duration::from_secs(60)).connect_with(options).await?;
            Ok(Self::Sqlite { read, write, file, statements: Statements::default(), full: Arc::default() })
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)?;
            let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(Duration::from_secs(60)).connect_with(options).await?;
            Ok(Self::Postgres { pool, statements: Statements::default(), full: Arc::default() })
        } else {
            Err(StoreError::Url(url.split(':').next().unwrap_or_default().to_owned()))
        }
    }

    /// Brings the schema up to date. Where another role owns it, it must be.
    pub async fn migrate(&self, migrator: &Migrator) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, .. } => migrator.run(write).await?,
            Self::Postgres { .. } if !self.owns_schema().await? => {
                return match self.is_migrated(migrator).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(StoreError::Schema),
                    // Nothing was migrated yet, or this role was not let in: there is no such table for it.
                    Err(StoreError::Database(error)) if error.as_database_error().is_some() => Err(StoreError::Schema),
                    Err(error) => Err(error),
                };
            }
            Self::Postgres { pool, .. } => migrator.run(pool).await?,
        }
        Ok(())
    }

    /// Whether who is connected may change the schema.
    pub async fn owns_schema(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite { .. } => Ok(true),
            Self::Postgres { pool, .. } =>
            // Who was never let in has no schema at all.
            {
                Ok(sqlx::query_scalar("SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)").fetch_one(pool).await?)
            }
        }
    }

    /// Lets another role read and write what is in the schema, which this one owns, and change nothing of the schema itself; to tables that are only
    /// ever added to it only adds. The role is made where there is none, and has this password from now on. Nobody else is let in.
    pub async fn let_in(&self, role: &str, password: &str, only_added_to: &[&str]) -> Result<(), StoreError> {
        let Self::Postgres { pool, .. } = self else { return Ok(()) };
        let mut tx = pool.begin().await?;
        let may_more: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = $1 AND (r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR pg_has_role(r.oid, current_user, 'MEMBER')
                 OR r.oid IN (SELECT datdba FROM pg_database WHERE datname = current_database())
                 OR r.oid IN (SELECT nspowner FROM pg_namespace WHERE nspname = current_schema())
                 OR r.oid IN (SELECT relowner FROM pg_class WHERE relnamespace = current_schema()::regnamespace)))",
        )
        .bind(role)
        .fetch_one(&mut *tx)
        .await?;
        if may_more {
            return Err(StoreError::RoleMayMore(role.to_owned()));
        }
        // What is made of these the server quotes: `$1` is the role, `$2` the password, `$3` tables.
        let mut statements = vec![
            "format(CASE WHEN EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1) THEN 'ALTER ROLE %I' ELSE 'CREATE ROLE %I' END || ' LOGIN PASSWORD %L', $1, $2)",
            "format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', current_database(), $1)",
            "format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), $1)",
            "format('REVOKE ALL ON SCHEMA %I FROM PUBLIC, %I', current_schema(), $1)",
            "format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), $1)",
            "format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', current_schema(), $1)",
            "format('REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations FROM %I', $1)",
            "'CREATE OR REPLACE FUNCTION xuezhu_analyze() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $f$BEGIN ANALYZE; END$f$'",
            "'REVOKE ALL ON FUNCTION xuezhu_analyze() FROM PUBLIC'",
            "format('GRANT EXECUTE ON FUNCTION xuezhu_analyze() TO %I', $1)",
        ];
        if !only_added_to.is_empty() {
            statements.push("format('REVOKE UPDATE, DELETE ON %s FROM %I', (SELECT string_agg(quote_ident(name), ', ') FROM unnest($3) AS name), $1)");
        }
        for statement in statements {
            // Each has all three, whether it needs them or not.
            let text = format!("SELECT {statement} WHERE $2::text IS NOT NULL AND $3::text[] IS NOT NULL");
            let made: String = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).bind(role).bind(password).bind(only_added_to).fetch_one(&mut *tx).await?;
            sqlx::query(sqlx::AssertSqlSafe(made)).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether the schema is up to date.
    pub async fn is_migrated(&self, migrator: &Migrator) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let done = crate::rows!(&mut tx, (i64, Vec<u8>), "SELECT version, checksum FROM _sqlx_migrations WHERE success");
        tx.rollback().await?;
        let done: HashMap<i64, Vec<u8>> = done?.into_iter().collect();
        // Neither older nor newer than the program, nor another's of the same number.
        let is_done = |migration: &Migration| done.get(&migration.version).is_some_and(|checksum| checksum[..] == migration.checksum[..]);
        Ok(migrator.iter().all(is_done) && done.keys().all(|version| migrator.version_exists(*version)))
    }

    /// A transaction for reading: one state of the database throughout.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { read, statements, .. } => Tx::Sqlite(SqliteTx::begin(read, "BEGIN", statements).await?),
            Self::Postgres { pool, statements, .. } => {
                let transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                Tx::Postgres(PostgresTx { transaction, count: statements.begin() })
            }
        })
    }

    /// A transaction for writing, to be committed by the caller; prefer [`Db::write`].
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        if self.is_replaced() {
            return Err(StoreError::Replaced);
        }
        Ok(match self {
            Self::Sqlite { write, statements, .. } => Tx::Sqlite(SqliteTx::begin(write, "BEGIN IMMEDIATE", statements).await?),
            Self::Postgres { pool, statements, .. } => Tx::Postgres(PostgresTx { transaction: pool.begin().await?, count: statements.begin() }),
        })
    }

    /// Runs `work` in a transaction and commits it; runs it again where it certainly was rolled back and may succeed.
    ///
    /// A commit whose outcome is unknown (the connection broke) is told as it is: only the caller can tell, by its
    /// request id, whether it happened.
    ///
    /// What `work` needs comes as `with`: a closure that borrowed it could not outlive every transaction.
    pub async fn write<A, T, E>(&self, with: &A, work: impl for<'t> Fn(&'t mut Tx, &'t A) -> TxFuture<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        A: Sync,
        T: Send,
        E: From<StoreError> + Retryable + Send,
    {
        let mut attempt = 1;
        loop {
            let mut tx = self.begin().await?;
            let error = match work(&mut tx, with).await {
                Ok(value) => match tx.commit().await {
                    Ok(()) => return Ok(value),
                    Err(error) => E::from(error),
                },
                Err(error) => {
                    // Why it failed says more than why its end did; a connection whose end fails is thrown away.
                    if let Err(end) = tx.rollback().await {
                        tracing::debug!(%end, "a transaction that failed could not be undone: its connection is closed");
                    }
                    error
                }
            };
            if error.is_full() {
                *self.full().lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
            if attempt == ATTEMPTS || !error.is_retryable() {
                return Err(error);
            }
            tracing::debug!(attempt, "transaction runs again");
            let jitter = rand::rng().random_range(1..=5 * u64::from(attempt));
            tokio::time::sleep(Duration::from_millis(jitter)).await;
            attempt += 1;
        }
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        crate::one!(&mut tx, (i32,), "SELECT 1")?;
        Ok(())
    }

    /// Whether another file is where an SQLite database was opened: what is written now, nobody would ever read.
    pub fn is_replaced(&self) -> bool {
        matches!(self, Self::Sqlite { file: Some(file), .. } if file.is_replaced())
    }

    /// Notes that something else wrote over the file of an SQLite database: from now on it counts as replaced.
    pub fn note_overwritten(&self) {
        if let Self::Sqlite { file: Some(file), .. } = self {
            file.note_overwritten();
        }
    }

    /// Closes all connections, after what is under way.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }

    fn full(&self) -> &Mutex<Option<Instant>> {
        match self {
            Self::Sqlite { full, .. } | Self::Postgres { full, .. } => full,
        }
    }

    /// Whether a write has found no room within this time: a smaller one may well find some.
    pub fn was_full_within(&self, time: Duration) -> bool {
        self.full().lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < time)
    }

    /// Statements since it was opened.
    pub fn statements(&self) -> &Statements {
        match self {
            Self::Sqlite { statements, .. } | Self::Postgres { statements, .. } => statements,
        }
    }

    /// Whether this is SQLite, whose writers take turns anyway.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Writes tables anew, so that nothing stays where rows were changed or deleted; `tables` are ours, not what somebody typed. On
    /// PostgreSQL a table that was just written anew is known by no map of what all see, and an index alone answers nothing: so each
    /// is gone through once more. What the planner keeps of it holds
    /// values of rows: that is made and written anew as well.
    pub async fn compact(&self, tables: &[&'static str]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, .. } => {
                // What a planner keeps of indexes holds values of rows.
                for statement in ["ANALYZE", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
                    sqlx::query(statement).execute(write).await?;
                }
            }
            Self::Postgres { pool, .. } => {
                for table in tables {
                    write_anew(pool, table).await?;
                }
                write_anew(pool, "pg_statistic").await?;
            }
        }
        Ok(())
    }

    /// Tells the planner what the tables hold; after bulk work.
    pub async fn analyze(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { write, .. } => sqlx::query("ANALYZE").execute(write).await.map(drop)?,
            Self::Postgres { pool, .. } if self.owns_schema().await? => sqlx::query("ANALYZE").execute(pool).await.map(drop)?,
            // By the function that the owner left for it; without one the server does it by itself within minutes.
            Self::Postgres { pool, .. } => {
                if let Err(error) = sqlx::query("SELECT xuezhu_analyze()").execute(pool).await {
                    tracing::debug!(%error, "the planner is not told at once what the tables hold");
                }
            }
        }
        Ok(())
    }
}

impl Tx {
    /// Whether this is on SQLite, whose writers take turns anyway.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Makes it last.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.end("COMMIT").await?,
            Self::Postgres(mut tx) => {
                tx.note();
                tx.transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// Undoes it.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.end("ROLLBACK").await?,
            Self::Postgres(mut tx) => {
                tx.note();
                tx.transaction.rollback().await?;
            }
        }
        Ok(())
    }
}

/// Writes a table of PostgreSQL anew, once no dead row is left in it: while anybody else's snapshot is older, be it that of an analysis
/// in the background, dead rows are kept. Those that were kept while it was written, and removed later, would leave their bytes.
async fn write_anew(pool: &PgPool, table: &str) -> Result<(), StoreError> {
    let run = async |statement: String| sqlx::query(sqlx::AssertSqlSafe(statement)).execute(pool).await.map(drop);
    for attempt in 1..=COMPACTIONS {
        run(format!("VACUUM {table}")).await?;
        let dead = "SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = to_regclass($1)";
        let dead: Option<(i64,)> = sqlx::query_as(dead).bind(table).fetch_optional(pool).await?;
        run(format!("VACUUM FULL {table}")).await?;
        run(format!("VACUUM ANALYZE {table}")).await?;
        if dead.is_none_or(|(dead,)| dead == 0) {
            return Ok(());
        }
        tracing::debug!(table, attempt, "somebody still reads of before: it is written anew again");
        tokio::time::sleep(COMPACTION_WAIT).await;
    }
    tracing::warn!(table, "rows of before could not be removed, because somebody reads of before; run VACUUM FULL on it when nobody does");
    Ok(())
}
