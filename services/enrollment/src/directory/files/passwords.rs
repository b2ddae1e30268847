//! One-time passwords of accounts that came by file: made a hundred at a time, outside any transaction, told once and kept nowhere in clear.
//! Each is good for one log-in, and for the change of password in it.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::region;
use xuezhu_intake::{Act, Kind, archive};
use xuezhu_service::{Context, Error};
use xuezhu_store::Tx;

use super::{Accounts, refusal, store};
use crate::directory::{
    self, AccountRow, ONE_TIME_US, SchoolRow, confirmation, may_keep,
    store::{self as kept, NewPassword},
};

/// Passwords that are made at once: to hash them takes seconds.
pub const AT_ONCE: usize = 100;

/// Whose passwords are asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The import that opened the accounts.
    pub import: Uuid,
    /// Only those after this account who have one already; none for those who have none yet.
    pub again_after: Option<String>,
}

/// Somebody who is to have a password.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub row: AccountRow,
    /// Name of the school or region.
    pub organisation_name: String,
}

/// Who is to have one, and how many more there are.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// By account, [`AT_ONCE`] at most.
    pub people: Vec<Person>,
    /// Those who are left after them.
    pub left: usize,
    /// Those who have one of before, and never logged in.
    pub told: usize,
}

/// Who of an import waits for a password: nobody logged in, the account is open, and the actor keeps it.
pub async fn waiting(ctx: &Context, tx: &mut Tx, kind: &Accounts, wanted: &Wanted) -> Result<Waiting, Error> {
    kind.may(ctx, tx, Act::Enter).await?;
    let items = archive::items(tx, kind, wanted.import).await?;
    let names: Vec<String> = store::names(tx, &items).await?.into_iter().map(|(_, name)| name).collect();
    let rows = kept::accounts(tx, &names).await?;
    let schools = directory::schools(tx, rows.iter().map(|row| row.organisation.as_str())).await?;
    let mut waiting = Vec::new();
    for row in rows.into_iter().filter(|row| row.last_opened_us == 0 && !row.disabled) {
        let role = row.actor(0)?.role;
        let school = schools.get(&row.organisation).filter(|_| role.is_of_school());
        if refusal(may_keep(ctx, role, &row.organisation, school))?.is_none() {
            waiting.push(row);
        }
    }
    let (fresh, told): (Vec<AccountRow>, Vec<AccountRow>) = waiting.into_iter().partition(|row| row.password_hash.is_empty());
    let count = told.len();
    let mut chosen = match &wanted.again_after {
        None => fresh,
        Some(after) => told.into_iter().filter(|row| row.account > *after).collect(),
    };
    let left = chosen.len().saturating_sub(AT_ONCE);
    chosen.truncate(AT_ONCE);
    let people = chosen.into_iter().map(|row| Person { organisation_name: named(&row, &schools), row }).collect();
    Ok(Waiting { people, left, told: count })
}

/// Name of an organisation.
fn named(row: &AccountRow, schools: &HashMap<String, SchoolRow>) -> String {
    schools.get(&row.organisation).map_or_else(|| region::full_name(&row.organisation), |school| school.name.clone())
}

/// Sets passwords where nobody logged in meanwhile, and nobody else made one; returns whose are set.
pub async fn set(ctx: &Context, tx: &mut Tx, kind: &Accounts, new: &[NewPassword]) -> Result<HashSet<String>, Error> {
    kind.may(ctx, tx, Act::Enter).await?;
    let set: HashSet<String> = kept::set_passwords_once(ctx, tx, new, ctx.now_us() + ONE_TIME_US).await?.into_iter().collect();
    // Whoever holds the paper could log in: another one confirms whose it is.
    let names: Vec<String> = set.iter().cloned().collect();
    for row in kept::accounts(tx, &names).await? {
        let unconfirmed_of = confirmation::by_of(ctx, tx, &kind.parts.safeguards, &row).await?;
        confirmation::leave_to_others(ctx, tx, row, unconfirmed_of).await?;
    }
    Ok(set)
}
