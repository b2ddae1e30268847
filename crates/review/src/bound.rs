//! Approvals keep their truth: what a dossier says, with its desks, its sheet and its history, is bound to what acts write of it; and so is over
//! which desks dossiers go.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::Said;
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx};

use crate::{
    Dossier,
    store::{self, ActOf, ChainRow, ItemOf, StepOf},
};

/// Dossiers, as they are bound.
pub static DOSSIER: Kind = Kind {
    code: 2,
    name: "dossier",
    at_once: 20,
    say: |tx, keys| Box::pin(say(tx, keys)),
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            Ok(store::ids_after(tx, after, limit).await?.into_iter().map(Key::Id).collect())
        })
    },
};

/// Over which desks dossiers go, as it was set, and as it is bound: with fewer desks fewer people look.
pub static CHAIN: Kind = Kind {
    code: 7,
    name: "desk chain",
    at_once: 2_000,
    say: |tx, keys| {
        Box::pin(async move {
            let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
            Ok(store::chains_of(tx, &ids).await?.iter().map(|chain| (Key::Id(chain.chain), of_chain(chain))).collect())
        })
    },
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            Ok(store::chain_ids_after(tx, after, limit).await?.into_iter().map(Key::Id).collect())
        })
    },
};

fn of_chain(row: &ChainRow) -> Said {
    let ChainRow { chain, kind, scope, from_day, steps, reason, recorded_by, recorded_by_name, recorded_for, recorded_at_us } = row;
    let said = Said::of("chain of desks").bytes(chain.as_bytes()).number((*kind).into()).text(scope).text(steps).text(reason);
    let said = said.text(recorded_by).text(recorded_by_name).optional(recorded_for.as_deref().map(str::as_bytes)).number(*recorded_at_us);
    day(said, Some(*from_day))
}

/// Says that a dossier is about to be changed: whoever calls has locked it.
pub(crate) async fn touch(ctx: &Context, tx: &mut Tx, dossier: Uuid) -> Result<(), Error> {
    ctx.touch(tx, &DOSSIER, [Key::Id(dossier)]).await
}

async fn say(tx: &mut Tx, keys: &[Key]) -> Result<Vec<(Key, Said)>, StoreError> {
    let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
    let dossiers = store::dossiers_of(tx, &ids).await?;
    let mut said: HashMap<Uuid, Said> = dossiers.iter().map(|dossier| (dossier.dossier, of_dossier(dossier))).collect();
    let mut add = |dossier: Uuid, more: &dyn Fn(Said) -> Said| {
        if let Some(of) = said.remove(&dossier) {
            said.insert(dossier, more(of));
        }
    };
    for step in store::steps_of(tx, &ids).await? {
        add(step.dossier, &|said| of_step(said, &step));
    }
    for item in store::items_of(tx, &ids).await? {
        add(item.dossier, &|said| of_item(said, &item));
    }
    for act in store::acts_of(tx, &ids).await? {
        add(act.dossier, &|said| of_act(said, &act));
    }
    Ok(said.into_iter().map(|(dossier, said)| (Key::Id(dossier), said)).collect())
}

fn day(said: Said, day: Option<NaiveDate>) -> Said {
    said.number(day.map_or(0, |day| day.num_days_from_ce().into()))
}

fn of_dossier(dossier: &Dossier) -> Said {
    let Dossier {
        dossier: id,
        kind,
        school,
        authority,
        subject,
        title,
        state,
        step,
        waits_at,
        above,
        since_day,
        working_days,
        signatures,
        holder,
        holder_name,
        nudged_day,
        nudges,
        digest,
        enclosed,
        waiting,
        performed,
        left_count,
        submitted_by,
        submitted_by_name,
        submitted_day,
        submitted_at_us,
        ended_day,
        acts,
    } = dossier;
    let said = Said::of("dossier").bytes(id.as_bytes()).number((*kind).into()).text(school).text(authority);
    let said = said.optional(subject.as_ref().map(|subject| &subject.as_bytes()[..])).text(title).number(state.code().into());
    let said = said.number((*step).into()).text(waits_at).text(above).number((*working_days).into()).number((*signatures).into());
    let said = said.text(holder).text(holder_name).number((*nudges).into()).text(digest).text(enclosed);
    let said = said.number((*waiting).into()).number((*performed).into()).number((*left_count).into());
    let said = said.text(submitted_by).text(submitted_by_name).number(*submitted_at_us).number((*acts).into());
    [Some(*since_day), *nudged_day, Some(*submitted_day), *ended_day].into_iter().fold(said, day)
}

fn of_step(said: Said, step: &StepOf) -> Said {
    let StepOf { dossier: _, step, seat, duty, working_days } = step;
    said.text("step").number((*step).into()).text(seat).number((*duty).into()).number((*working_days).into())
}

fn of_item(said: Said, item: &ItemOf) -> Said {
    let ItemOf { dossier: _, item, ordinal, content_hash, name, line, state, refusal, reason, act, class_name } = item;
    let said = said.text("item").number((*ordinal).into()).bytes(item.as_bytes()).bytes(content_hash).text(name).text(line);
    said.number((*state).into()).text(refusal).text(reason).number((*act).into()).text(class_name)
}

fn of_act(said: Said, act: &ActOf) -> Said {
    let ActOf { dossier: _, ordinal, step, act, account, name, role, day: on, at_us, reason, digest, items, performed } = act;
    let said = said.text("act").number((*ordinal).into()).number((*step).into()).number((*act).into()).text(account).text(name).text(role);
    day(said, *on).number(*at_us).text(reason).text(digest).number((*items).into()).number((*performed).into())
}
