//! How much one account may add in a day: whoever has one could else fill the disk.

use xuezhu_service::{Context, Error, Reason, Refusal};
use xuezhu_store::Tx;

use crate::store;

/// A day, in microseconds.
const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// Bytes that an account may add within a day.
pub const BYTES_A_DAY: i64 = 512 * 1024 * 1024;
/// Files that it may.
const FILES_A_DAY: i64 = 1_000;
/// After how many seconds some of it is a day old, told to whoever added too much: some hours.
const AGAIN_SECONDS: u64 = 3 * 3600;

/// Refuses a file where what the account added within a day, also what was taken out since, is as much as may be.
pub(crate) async fn may_add(ctx: &Context, tx: &mut Tx) -> Result<(), Error> {
    let (files, bytes) = store::added_since(tx, &ctx.actor.account, ctx.now_us() - DAY_US).await?;
    if files < FILES_A_DAY && bytes < BYTES_A_DAY {
        return Ok(());
    }
    let why = format!("本账号一天内添加的佐证文件已达{FILES_A_DAY}个（或{}MB），请明天再添加；确需加急的，请由本单位其他账号办理", BYTES_A_DAY / 1024 / 1024);
    Err(Refusal::new(Reason::TooManyRequests, why).again_after(AGAIN_SECONDS).into())
}
