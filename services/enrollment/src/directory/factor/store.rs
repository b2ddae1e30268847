//! SQL of second factors.

use serde::Serialize;
use xuezhu_service::{Context, Error};
use xuezhu_store::{Bytes, StoreError, Tx, bulk_rows, one, run, sql};

use crate::directory::store::{bind, touch};

/// Proposes a factor; it holds once it is confirmed.
pub async fn propose(tx: &mut Tx, account: &str, sealed: &[u8]) -> Result<(), StoreError> {
    run!(tx, "UPDATE accounts SET factor_proposed = $2 WHERE account = $1", account, sealed)?;
    Ok(())
}

/// The factor that is proposed for an account.
pub async fn proposed(tx: &mut Tx, account: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(one!(tx, (Option<Vec<u8>>,), "SELECT factor_proposed FROM accounts WHERE account = $1", account)?.and_then(|(sealed,)| sealed))
}

/// The last step of time whose code was used.
pub async fn step(tx: &mut Tx, account: &str) -> Result<i64, StoreError> {
    Ok(one!(tx, (i64,), "SELECT factor_step FROM accounts WHERE account = $1", account)?.map_or(0, |(step,)| step))
}

/// A code of a step was used: none of it or of one before is good again.
pub async fn use_step(tx: &mut Tx, account: &str, step: i64) -> Result<(), StoreError> {
    run!(tx, "UPDATE accounts SET factor_step = $2 WHERE account = $1", account, step)?;
    Ok(())
}

/// Sets the factor of an account, whose code of a step was used to confirm it; or takes it away.
pub async fn set(ctx: &Context, tx: &mut Tx, account: &str, sealed: Option<&[u8]>, step: i64) -> Result<(), Error> {
    touch(ctx, tx, &[account]).await?;
    run!(tx, "UPDATE accounts SET factor = $2, factor_proposed = NULL, factor_step = $3 WHERE account = $1", account, sealed, step)?;
    Ok(bind(tx, ctx.rows()?, &[account]).await?)
}

/// Gives an account these recovery codes instead of those of before.
pub async fn set_recovery_codes(tx: &mut Tx, account: &str, hashes: &[[u8; 32]]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row {
        code_hash: Bytes,
    }
    run!(tx, "DELETE FROM recovery_codes WHERE account = $1", account)?;
    let rows: Vec<Row> = hashes.iter().map(|hash| Row { code_hash: Bytes(hash.to_vec()) }).collect();
    run!(tx, sql!("INSERT INTO recovery_codes (account, code_hash) SELECT $2, t.code_hash FROM " table 1 (code_hash bytea)), bulk_rows(&rows), account)?;
    Ok(())
}

/// Uses up a recovery code; returns whether it was one.
pub async fn use_recovery_code(tx: &mut Tx, account: &str, hash: &[u8]) -> Result<bool, StoreError> {
    Ok(run!(tx, "DELETE FROM recovery_codes WHERE account = $1 AND code_hash = $2", account, hash)? > 0)
}

/// How many recovery codes are left.
pub async fn recovery_codes_left(tx: &mut Tx, account: &str) -> Result<i64, StoreError> {
    Ok(one!(tx, (i64,), "SELECT count(*) FROM recovery_codes WHERE account = $1", account)?.map_or(0, |(left,)| left))
}
