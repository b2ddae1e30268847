//! SQL of sessions.

use serde::Serialize;
use xuezhu_store::{StoreError, Tx, json_rows, rows, run, sql};

#[derive(Serialize)]
struct Row<'r> {
    account: &'r str,
    session: i64,
}

pub async fn all(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    rows!(tx, (String, i64), "SELECT account, session FROM sessions")
}

pub async fn keep(tx: &mut Tx, sessions: &[(String, i64)]) -> Result<(), StoreError> {
    let sessions: Vec<Row> = sessions.iter().map(|(account, session)| Row { account, session: *session }).collect();
    run!(
        tx,
        sql!("INSERT INTO sessions (account, session) SELECT t.account, t.session FROM " table 1 (account text, session bigint) " WHERE true
              ON CONFLICT (account) DO UPDATE SET session = excluded.session WHERE excluded.session > sessions.session"),
        json_rows(&sessions)
    )?;
    Ok(())
}
