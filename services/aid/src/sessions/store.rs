//! SQL of sessions.

use serde::Serialize;
use xuezhu_service::sessions::{KEPT_US, Over};
use xuezhu_store::{StoreError, Tx, bulk_rows, rows, run, sql};

#[derive(Serialize)]
struct Row<'r> {
    account: &'r str,
    at_us: i64,
}

pub async fn all(tx: &mut Tx) -> Result<Vec<Over>, StoreError> {
    let before = rows!(tx, (String, i64), "SELECT account, from_us FROM sessions")?;
    let one = rows!(tx, (String, i64), "SELECT account, opened_us FROM ended_sessions")?;
    let before = before.into_iter().map(|(account, from_us)| Over::Before { account, from_us });
    Ok(before.chain(one.into_iter().map(|(account, opened_us)| Over::One { account, opened_us })).collect())
}

/// Keeps what is over; forgets single sessions whose tokens have expired.
pub async fn keep(tx: &mut Tx, over: &[Over]) -> Result<(), StoreError> {
    let (mut before, mut one) = (Vec::new(), Vec::new());
    for over in over {
        match over {
            Over::Before { account, from_us } => before.push(Row { account, at_us: *from_us }),
            Over::One { account, opened_us } => one.push(Row { account, at_us: *opened_us }),
        }
    }
    run!(
        tx,
        sql!("INSERT INTO sessions (account, from_us) SELECT t.account, t.at_us FROM " table 1 (account text, at_us bigint) " WHERE true
              ON CONFLICT (account) DO UPDATE SET from_us = excluded.from_us WHERE excluded.from_us > sessions.from_us"),
        bulk_rows(&before)
    )?;
    let Some(newest_us) = one.iter().map(|row| row.at_us).max() else { return Ok(()) };
    run!(
        tx,
        sql!("INSERT INTO ended_sessions (account, opened_us) SELECT t.account, t.at_us FROM " table 1 (account text, at_us bigint) " WHERE true
              ON CONFLICT DO NOTHING"),
        bulk_rows(&one)
    )?;
    run!(tx, "DELETE FROM ended_sessions WHERE opened_us < $1", newest_us - KEPT_US)?;
    Ok(())
}
