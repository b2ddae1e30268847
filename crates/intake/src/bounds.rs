//! How much one account may send in a day, and how many previews are kept of it: files are kept for a month, and anybody with an account could
//! else fill the disk.

use xuezhu_service::{Context, Error, Reason, Refusal, was_answered};
use xuezhu_store::Tx;

use crate::store;

/// A day, in microseconds.
const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// Bytes that an account may have kept of what it sent within a day.
pub const BYTES_A_DAY: i64 = 256 * 1024 * 1024;
/// Files that it may have kept of a day.
const FILES_A_DAY: i64 = 2_000;
/// Previews of an account whose files are kept: what was looked at before must be sent anew.
pub const PREVIEWS: i64 = 20;
/// After how many seconds some of it is a day old, told to whoever sent too much: some hours.
const AGAIN_SECONDS: u64 = 3 * 3600;

/// Refuses a file that is one too many for a day; of previews all but the last are forgotten.
pub async fn may_send(ctx: &Context, tx: &mut Tx, bytes: i64) -> Result<(), Error> {
    // A repetition is answered by what was done.
    if was_answered(ctx, tx).await? {
        return Ok(());
    }
    let account = &ctx.actor.account;
    let (files, kept) = store::kept_since(tx, account, ctx.now_us() - DAY_US).await?;
    if kept + bytes > BYTES_A_DAY || files >= FILES_A_DAY {
        let megabytes = BYTES_A_DAY / 1024 / 1024;
        let why = format!("本账号一天内上传的文件已达{megabytes}MB（或{FILES_A_DAY}个），请明天再传；确需加急的，请由本单位其他账号办理");
        return Err(Refusal::new(Reason::TooManyRequests, why).again_after(AGAIN_SECONDS).into());
    }
    Ok(store::forget_previews(tx, account, PREVIEWS - 1).await?)
}
