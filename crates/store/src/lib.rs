//! The database seam: one Db over SQLite and PostgreSQL.
