//! Files that prove something ([`xuezhu_evidence`]): what is this service's own of it. Its dossiers take them, of whatever kind (lists,
//! corrections), and so do confirmed cases.

pub mod api;

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_evidence::{Door, Holder, Over, Subject, Work, rules::Proves};
use xuezhu_review::enclosing;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx};

use crate::{Parts, dossiers::kinds, register::papers};

/// What lies with a dossier.
pub const DOSSIER: i32 = 1;
/// What lies with a confirmed case.
pub const CASE: i32 = 2;

/// Who may, here.
#[derive(Debug, Clone, Copy)]
pub struct Holding;

/// The door to evidence.
pub fn door(parts: &Parts) -> Door<'_, Holding> {
    Door { runner: &parts.runner, keyring: &parts.keyring, vault: &parts.vault, holder: Holding }
}

/// A line that says that it lies with something of which there is no kind.
const UNKNOWN: StoreError = StoreError::Corrupt("what evidence lies with");

impl Holder for Holding {
    fn readable<'t>(self, ctx: &'t Context, tx: &'t mut Tx, Subject { about, id }: Subject) -> Work<'t, ()> {
        Box::pin(async move {
            match about {
                DOSSIER => enclosing::readable(ctx, tx, &kinds::ALL, id).await.map(drop),
                CASE => papers::readable(ctx, tx, id).await,
                _ => Err(UNKNOWN.into()),
            }
        })
    }

    fn may_open<'t>(self, ctx: &'t Context, tx: &'t mut Tx, Subject { about, id }: Subject) -> Work<'t, ()> {
        Box::pin(async move {
            match about {
                DOSSIER => enclosing::may_open(ctx, tx, id).await,
                CASE => papers::may_open(ctx, tx, id).await,
                _ => Err(UNKNOWN.into()),
            }
        })
    }

    fn may_add<'t>(self, ctx: &'t Context, tx: &'t mut Tx, Subject { about, id }: Subject) -> Work<'t, i32> {
        Box::pin(async move {
            match about {
                DOSSIER => Ok(enclosing::mark(&enclosing::may_add(ctx, tx, id).await?)),
                CASE => papers::may_add(ctx, tx, id).await,
                _ => Err(UNKNOWN.into()),
            }
        })
    }

    fn enter<'t>(self, ctx: &'t Context, tx: &'t mut Tx, Subject { about, id }: Subject) -> Work<'t, i32> {
        Box::pin(async move {
            match about {
                DOSSIER => Ok(enclosing::mark(&enclosing::enter(ctx, tx, id).await?)),
                CASE => papers::enter(ctx, tx, id).await,
                _ => Err(UNKNOWN.into()),
            }
        })
    }

    fn enclose<'t>(self, tx: &'t mut Tx, Subject { about, id }: Subject, digest: &'t str) -> Work<'t, ()> {
        // Nobody signs a case: its steps say when it was decided, and the lines when they were added.
        Box::pin(async move { if about == DOSSIER { enclosing::enclose(tx, id, digest).await } else { Ok(()) } })
    }

    fn over<'t>(self, tx: &'t mut Tx, about: i32, subjects: &'t [Uuid]) -> Work<'t, HashMap<Uuid, Over>> {
        Box::pin(async move {
            let finished = match about {
                DOSSIER => enclosing::finished(tx, subjects).await?,
                CASE => papers::finished(tx, subjects).await?,
                _ => return Err(UNKNOWN.into()),
            };
            let over = |(day, stands)| Over { day, proves: if stands { Proves::Money } else { Proves::Nothing } };
            Ok(finished.into_iter().map(|(subject, fate)| (subject, over(fate))).collect())
        })
    }
}
