//! What the first page after the log-in needs of this service, composed of what the rooms below tell.

pub mod api;

use xuezhu_proto::aid as pb;
use xuezhu_review::door;
use xuezhu_service::{Context, Error, Permission, Place};
use xuezhu_store::Tx;

use crate::{Parts, award, dossiers::Dossiers, forgotten, groups, reconciliation};

/// Dossiers that are told in each part of the inbox.
const DOSSIERS: i64 = 200;
/// Lists that are told in which something waits.
const WAITING: i64 = 200;
/// Lists that are told in which everything was decided.
const DECIDED: i64 = 5;
/// Causes that are told.
const CAUSES: usize = 10;

/// What the day begins with for whoever calls, without how the mirror stands; and how much of it enrollment forgot.
pub async fn of(ctx: &Context, tx: &mut Tx, parts: &Parts) -> Result<(pb::GetAidTodayResponse, i64), Error> {
    let (school, authority_prefix) = forgotten::seen(ctx);
    // Nobody's own school lies under an authority: what counts is the code.
    let place = if school.is_empty() { Place::Region(&ctx.actor.organisation) } else { Place::School { code: &school, authority: "" } };
    ctx.may(Permission::ReadSchool, &place)?;
    let (inbox, _) = door::waiting(ctx, tx, &Dossiers(parts), None, DOSSIERS).await?;
    let (waiting_lists, approved_lists) = award::brief::lists(tx, parts, &school, &authority_prefix, (WAITING, DECIDED)).await?;
    let (causes, all) = reconciliation::causes(tx, &school, &authority_prefix, "", CAUSES).await?;
    let today = pb::GetAidTodayResponse {
        inbox: Some(inbox),
        waiting_lists,
        approved_lists,
        causes,
        cause_count: i32::try_from(all).unwrap_or(i32::MAX),
        mirror: None,
        to_speak_to: i32::try_from(groups::count_to_speak_to(ctx, tx, &school).await?).unwrap_or(i32::MAX),
    };
    Ok((today, forgotten::count(tx, &authority_prefix, &school).await?))
}
