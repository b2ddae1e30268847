//! The door to dossiers of every kind ([`xuezhu_review::door`]): what is this service's own of it.

pub mod api;
pub(crate) mod kinds;

use std::collections::HashMap;

use xuezhu_review::{
    About, Dossier, Kind, Work,
    door::{Keeper, School},
    way::Seat,
};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::Tx;

use crate::{Parts, mirror};

/// What this service tells the door.
#[derive(Debug)]
pub struct Dossiers<'p>(pub &'p Parts);

impl Keeper for Dossiers<'_> {
    fn kinds(&self) -> &'static [&'static About] {
        &kinds::ALL
    }

    fn kind<'k>(&'k self, about: &About) -> Result<Box<dyn Kind + Send + 'k>, Error> {
        kinds::kind(self.0, about)
    }

    fn enter<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier) -> Work<'t, ()> {
        Box::pin(kinds::enter(tx, dossier))
    }

    fn schools<'t>(&'t self, tx: &'t mut Tx, codes: Vec<&'t str>) -> Work<'t, HashMap<String, School>> {
        Box::pin(async move {
            let found = mirror::schools(tx, codes.into_iter()).await?;
            Ok(found.into_iter().map(|(code, row)| (code, School { name: row.name, authority: row.authority })).collect())
        })
    }

    fn authority_kept<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, school: &'t str) -> Work<'t, String> {
        Box::pin(async move { Ok(mirror::school_for(ctx, tx, school, Permission::ManageDirectory).await?.authority) })
    }

    /// This service keeps no accounts: whom somebody else names it can't know, and the history is kept for ever. So one takes over.
    fn colleague<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx, _: &'t Seat, account: &'t str) -> Work<'t, String> {
        let own = account == ctx.actor.account;
        let why = "资助业务只能由本人接手：请填写本人的账号，由接手的人自己办理";
        Box::pin(async move { if own { Ok(ctx.actor.display_name.clone()) } else { Err(Refusal::field("account", why).into()) } })
    }
}
