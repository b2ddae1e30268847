//! Files that prove something ([`xuezhu_evidence`]): what is this service's own of it. Its dossiers take them, of whatever kind.

pub mod api;

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_evidence::{Door, Holder, Over, Subject, Work, rules::Proves};
use xuezhu_review::enclosing;
use xuezhu_service::Context;
use xuezhu_store::Tx;

use crate::{Parts, dossiers::kinds};

/// What lies with a dossier.
pub const DOSSIER: i32 = 1;

/// Who may, here.
#[derive(Debug, Clone, Copy)]
pub struct Holding;

/// The door to evidence.
pub fn door(parts: &Parts) -> Door<'_, Holding> {
    Door { runner: &parts.runner, keyring: &parts.keyring, vault: &parts.vault, holder: Holding }
}

impl Holder for Holding {
    fn readable<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, ()> {
        Box::pin(async move { enclosing::readable(ctx, tx, &kinds::ALL, subject.id).await.map(drop) })
    }

    fn may_open<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, ()> {
        Box::pin(async move { enclosing::may_open(ctx, tx, subject.id).await })
    }

    fn may_add<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, i32> {
        Box::pin(async move { Ok(enclosing::mark(&enclosing::may_add(ctx, tx, subject.id).await?)) })
    }

    fn enter<'t>(self, ctx: &'t Context, tx: &'t mut Tx, subject: Subject) -> Work<'t, i32> {
        Box::pin(async move { Ok(enclosing::mark(&enclosing::enter(ctx, tx, subject.id).await?)) })
    }

    fn enclose<'t>(self, tx: &'t mut Tx, subject: Subject, digest: &'t str) -> Work<'t, ()> {
        Box::pin(async move { enclosing::enclose(tx, subject.id, digest).await })
    }

    fn over<'t>(self, tx: &'t mut Tx, _: i32, subjects: &'t [Uuid]) -> Work<'t, HashMap<Uuid, Over>> {
        Box::pin(async move {
            let finished = enclosing::finished(tx, subjects).await?;
            let over = |(day, performed)| Over { day, proves: if performed { Proves::Roll } else { Proves::Nothing } };
            Ok(finished.into_iter().map(|(dossier, fate)| (dossier, over(fate))).collect())
        })
    }
}
