//! The door to dossiers of every kind ([`xuezhu_review::door`]): what is this service's own of it.

pub mod api;
pub(crate) mod kinds;

use std::collections::HashMap;

use xuezhu_review::{
    About, Dossier, Kind, Work,
    door::{Keeper, School},
    way::Seat,
};
use xuezhu_service::{Context, Error, Permission, Refusal, Role};
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

    /// Whoever takes something over sits there, or could not have come so far.
    fn colleague<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, seat: &'t Seat, account: &'t str) -> Work<'t, String> {
        let (roles, organisation) = match seat {
            Seat::Clerk(school) => (vec![Role::SchoolClerk], school),
            Seat::Review(school) => (vec![Role::SchoolReviewer], school),
            Seat::Principal(school) => (vec![Role::Principal], school),
            Seat::Department(region) => (ctx.deciding_roles().collect(), region),
            Seat::Head(region) => (vec![Role::AuthorityHead], region),
        };
        Box::pin(async move {
            if account == ctx.actor.account {
                return Ok(ctx.actor.display_name.clone());
            }
            let found = directory::seated(ctx, tx, account, (&roles, organisation)).await?;
            let why = format!("应为能办理“{}”环节的在用账号", seat.name());
            found.ok_or_else(|| Refusal::field("account", why).into())
        })
    }
}
