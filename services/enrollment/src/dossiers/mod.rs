//! The door to dossiers of every kind ([`xuezhu_review::door`]): what is this service's own of it.

pub mod api;
mod kinds;

use std::collections::HashMap;

use xuezhu_review::{
    About, Dossier, Kind, Work,
    door::{Keeper, School},
};
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::Tx;

use crate::{Parts, directory};

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

    /// What its dossiers are about is locked by what they do.
    fn enter<'t>(&'t self, _: &'t mut Tx, _: &'t Dossier) -> Work<'t, ()> {
        Box::pin(async { Ok(()) })
    }

    fn schools<'t>(&'t self, tx: &'t mut Tx, codes: Vec<&'t str>) -> Work<'t, HashMap<String, School>> {
        Box::pin(async move {
            let found = directory::schools(tx, codes.into_iter()).await?;
            Ok(found.into_iter().map(|(code, row)| (code, School { name: row.name, authority: row.authority })).collect())
        })
    }

    fn authority_kept<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, school: &'t str) -> Work<'t, String> {
        Box::pin(async move { Ok(directory::school_for(ctx, tx, school, Permission::ManageDirectory).await?.authority) })
    }

    fn colleague<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, account: &'t str) -> Work<'t, String> {
        Box::pin(directory::colleague(ctx, tx, account))
    }
}
