//! SQL of sessions.

use serde::Serialize;
use xuezhu_store::{StoreError, Tx, json_rows, rows, run, sql};

#[derive(Serialize)]
struct Row<'r> {
    account: &'r str,
    from_us: i64,
}

pub async fn all(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    rows!(tx, (String, i64), "SELECT account, from_us FROM sessions")
}

pub async fn keep(tx: &mut Tx, sessions: &[(String, i64)]) -> Result<(), StoreError> {
    let sessions: Vec<Row> = sessions.iter().map(|(account, from_us)| Row { account, from_us: *from_us }).collect();
    run!(
        tx,
        sql!("INSERT INTO sessions (account, from_us) SELECT t.account, t.from_us FROM " table 1 (account text, from_us bigint) " WHERE true
              ON CONFLICT (account) DO UPDATE SET from_us = excluded.from_us WHERE excluded.from_us > sessions.from_us"),
        json_rows(&sessions)
    )?;
    Ok(())
}
