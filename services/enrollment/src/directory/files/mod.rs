//! Schools and accounts as files: what a file of each is ([`Schools`], [`Accounts`]), and the one-time passwords of accounts that came so.
//! How a file is taken in, told, previewed, written, marked and taken back is [`xuezhu_intake`].
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`rules`] | columns, and how one row is read as what a single call asks |
//! | [`schools`], [`accounts`] | the kinds |
//! | [`passwords`] | one-time passwords, told once |
//!
//! An import belongs to the region of who sent it: administrators of another region see none of it.

mod accounts;
pub mod api;
pub mod passwords;
mod rules;
mod schools;
mod store;

use uuid::Uuid;
use xuezhu_service::{Context, Error, Permission, Place};

pub use self::{accounts::Accounts, schools::Schools};

/// The id of a school or an account as a record of imports: the same whenever it is imported.
fn item_of(kind: &str, name: &str) -> Uuid {
    let mut id = [0; 16];
    blake3::Hasher::new().update(kind.as_bytes()).update(&[0]).update(name.as_bytes()).finalize_xof().fill(&mut id);
    Uuid::from_bytes(id)
}

/// Whether the actor keeps schools and accounts of a region.
fn may_in(ctx: &Context, region: &str) -> Result<(), Error> {
    ctx.may(Permission::ManageDirectory, &Place::Region(region))
}

/// Why the actor may not; nothing where they may, an error where nothing of a row can be said.
fn refusal(asked: Result<(), Error>) -> Result<Option<String>, Error> {
    match asked {
        Ok(()) => Ok(None),
        Err(Error::Refused(refusal)) => Ok(Some(refusal.message)),
        Err(error) => Err(error),
    }
}
