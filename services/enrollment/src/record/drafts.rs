//! A draft, entered and edited by hand.

use uuid::Uuid;
use xuezhu_intake::{Act, Kind, take_turn};
use xuezhu_proto::common::Problem;
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::Tx;

use super::{Said, locked, sees_all, shown};
use crate::{
    directory,
    import::{
        Students,
        by_hand::{self, Checked, Ready},
        row::columns_of,
    },
    roll,
};

/// A draft that was written, and what is doubtful about it.
pub type Written = (Uuid, Vec<Problem>);

/// Enters a student.
pub async fn enter(ctx: &Context, tx: &mut Tx, of: &Students, said: &Said) -> Result<Written, Error> {
    in_turn(ctx, tx, of).await?;
    let (ready, checked) = by_hand::look_at_new(ctx, tx, of, said).await?;
    written(ctx, tx, of, ready, checked).await
}

/// Takes turns with whoever enters students of the school, by hand or by a file: nobody is looked for beside a row that is being written.
async fn in_turn(ctx: &Context, tx: &mut Tx, of: &Students) -> Result<(), Error> {
    of.may(ctx, tx, Act::Enter).await?;
    take_turn(tx, of).await
}

/// What entering a student would find.
pub async fn check_new(ctx: &Context, tx: &mut Tx, of: &Students, said: &Said) -> Result<Checked, Error> {
    Ok(by_hand::look_at_new(ctx, tx, of, said).await?.1)
}

/// Changes a draft, or a row that was sent back.
pub async fn edit(ctx: &Context, tx: &mut Tx, of: &Students, enrollment: Uuid, etag: &str, said: &Said) -> Result<Written, Error> {
    in_turn(ctx, tx, of).await?;
    let school = directory::open_for_entry(ctx, tx, &of.school).await?;
    locked(tx, &school, enrollment, etag).await?;
    let (ready, checked) = look(ctx, tx, of, enrollment, said).await?;
    written(ctx, tx, of, ready, checked).await
}

/// What changing a draft would find.
pub async fn check_own(ctx: &Context, tx: &mut Tx, of: &Students, enrollment: Uuid, said: &Said) -> Result<Checked, Error> {
    Ok(look(ctx, tx, of, enrollment, said).await?.1)
}

async fn look(ctx: &Context, tx: &mut Tx, of: &Students, enrollment: Uuid, said: &Said) -> Result<(Option<Ready>, Checked), Error> {
    let school = directory::school_for(ctx, tx, &of.school, Permission::EnterForSchool).await?;
    let details = roll::drafts::details_of(tx, &of.parts, std::iter::once(enrollment)).await?.remove(&enrollment).unwrap_or_default();
    let stored = columns_of(&details);
    let said = shown::unmasked(said.clone(), |header| stored.get(header).map_or("", String::as_str), sees_all(ctx, &school))?;
    by_hand::look_at_own(ctx, tx, of, enrollment, &said).await
}

async fn written(ctx: &Context, tx: &mut Tx, of: &Students, ready: Option<Ready>, checked: Checked) -> Result<Written, Error> {
    let doubts = checked.passed()?;
    let ready = ready.ok_or_else(|| Error::Internal("nothing is wrong with a row that can't be written".into()))?;
    Ok((by_hand::write(ctx, tx, of, &ready).await?, doubts))
}
