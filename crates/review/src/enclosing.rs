//! What is enclosed with a dossier: papers that prove what it asks for. What they are, this does not know: it says who may add and open them,
//! and has the dossier's digest cover them, so that whoever signs has them among what is signed. A desk that read the dossier before
//! something was added reads it again.

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::{Context, Error, Permission, Place, Reason, Refusal};
use xuezhu_store::Tx;

use crate::{
    About, Dossier, Open, bound, door, store,
    way::{State, digest_with},
};

/// A dossier of which whoever calls may be told what is enclosed.
pub async fn readable(ctx: &Context, tx: &mut Tx, kinds: &'static [&'static About], dossier: Uuid) -> Result<Dossier, Error> {
    door::told_whole(ctx, tx, kinds, dossier).await
}

/// Refuses who may not see what is in the papers: they show whole numbers, so it takes the right to those, or a desk that the dossier comes to.
pub async fn may_open(ctx: &Context, tx: &mut Tx, dossier: Uuid) -> Result<(), Error> {
    let dossier = door::readable(ctx, tx, dossier).await?;
    let place = Place::School { code: &dossier.school, authority: &dossier.authority };
    match ctx.may(Permission::RevealNumber, &place) {
        Ok(()) => Ok(()),
        Err(refused) => {
            let stands = store::stands(tx, dossier.dossier).await?;
            Open { dossier, stands }.sits_somewhere(ctx).map_err(|_| refused)
        }
    }
}

/// How far a dossier has come: it grows with each signature, each item that is sent back or refused, each note that is taken.
pub fn mark(dossier: &Dossier) -> i32 {
    dossier.signatures + dossier.left_count + dossier.step
}

/// Refuses who may not add to a dossier: the school's people and those at its desks may, until it is finished.
pub async fn may_add(ctx: &Context, tx: &mut Tx, dossier: Uuid) -> Result<Dossier, Error> {
    let dossier = door::readable(ctx, tx, dossier).await?;
    let stands = store::stands(tx, dossier.dossier).await?;
    let open = Open { dossier, stands };
    open.may_enclose(ctx)?;
    Ok(open.dossier)
}

/// The same, and locks it: who signs and who adds take turns.
pub async fn enter(ctx: &Context, tx: &mut Tx, dossier: Uuid) -> Result<Dossier, Error> {
    door::readable(ctx, tx, dossier).await?;
    let open = Open::locked(tx, dossier).await?;
    open.may_enclose(ctx)?;
    bound::touch(ctx, tx, dossier).await?;
    Ok(open.dossier)
}

/// From now on this is enclosed with a dossier that was entered.
pub async fn enclose(tx: &mut Tx, dossier: Uuid, enclosed: &str) -> Result<(), Error> {
    let there = store::items_there(tx, dossier).await?;
    let digest = digest_with(there.iter().map(|(item, content, _)| (*item, &content[..])), enclosed);
    Ok(store::set_enclosed(tx, dossier, enclosed, &digest).await?)
}

/// Those of these dossiers that are finished: since which day, and whether anything of them was performed.
pub async fn finished(tx: &mut Tx, dossiers: &[Uuid]) -> Result<HashMap<Uuid, (NaiveDate, bool)>, Error> {
    Ok(store::ended(tx, dossiers).await?.into_iter().map(|(dossier, day, performed)| (dossier, (day, performed > 0))).collect())
}

impl Open {
    fn may_enclose(&self, ctx: &Context) -> Result<(), Error> {
        let place = Place::School { code: &self.dossier.school, authority: &self.dossier.authority };
        if let Err(refused) = ctx.may(Permission::EnterForSchool, &place) {
            // Machines are told that they enter nothing, whoever sits at the desks.
            if refused.reason() == Reason::MachineEntryForbidden || self.sits_somewhere(ctx).is_err() {
                return Err(refused);
            }
        }
        if self.dossier.state == State::UnderWay {
            Ok(())
        } else {
            Err(Refusal::wrong_state(format!("该业务单{}，不能再增减材料", self.dossier.state.name())).into())
        }
    }
}
