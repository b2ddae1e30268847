//! What the first page after the log-in needs of this service, composed of what the rooms below tell.

pub mod api;

use xuezhu_domain::enrollment::State;
use xuezhu_proto::enrollment as pb;
use xuezhu_review::door;
use xuezhu_service::{Context, Error, Permission, Place};
use xuezhu_store::Tx;

use crate::{Parts, directory, dossiers::Dossiers, students};

/// What the day begins with for whoever calls, with so many in each part of the inbox at most.
pub async fn of(ctx: &Context, tx: &mut Tx, parts: &Parts, limit: i64) -> Result<pb::GetEnrollmentTodayResponse, Error> {
    let own = ctx.actor.organisation.as_str();
    let is_school = ctx.actor.role.is_of_school();
    // Nobody's own school lies under an authority: what counts is the code.
    let place = if is_school { Place::School { code: own, authority: "" } } else { Place::Region(own) };
    ctx.may(Permission::ReadSchool, &place)?;
    let (inbox, _) = door::waiting(ctx, tx, &Dossiers(parts), None, limit).await?;
    let (drafts, sent_back) = if is_school {
        let counts = students::count_with_clerk(tx, own).await?;
        let of = |state: State| counts.iter().find(|(code, _)| *code == state.code()).map_or(0, |(_, count)| i32::try_from(*count).unwrap_or(i32::MAX));
        (of(State::Draft), of(State::SentBack))
    } else {
        (0, 0)
    };
    let school_name = if is_school { directory::school(tx, own).await?.name } else { String::new() };
    let unconfirmed_accounts = directory::confirmation::wait_for(ctx, tx).await?;
    let registry = parts.registry.name().to_owned();
    Ok(pb::GetEnrollmentTodayResponse { inbox: Some(inbox), drafts, sent_back, registry, school_name, unconfirmed_accounts })
}
