//! Columns of approved students that are said otherwise: what stood before is kept, with who changed it and when. Nothing of them is shared but
//! what lies in a period ([`super::places`]).

mod store;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx};

use crate::Parts;

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the school keeps itself.
    Contacts,
    /// What carries money.
    AidFacts,
}

impl Kind {
    /// Every kind.
    const ALL: [Self; 2] = [Self::Contacts, Self::AidFacts];

    /// As stored.
    fn code(self) -> i32 {
        match self {
            Self::Contacts => 1,
            Self::AidFacts => 2,
        }
    }
}

/// Columns that say something else.
#[derive(Debug)]
pub struct Change<'c> {
    /// Of which enrollment.
    pub enrollment: Uuid,
    /// What they are.
    pub kind: Kind,
    /// First day on which it holds.
    pub from: NaiveDate,
    /// What they said: lines as [`crate::import::row`] keeps them.
    pub before: &'c str,
    /// What they say.
    pub after: &'c str,
    /// Every column, as it is kept from now on.
    pub details: &'c str,
    /// The student's telephone.
    pub phone: &'c str,
    /// Why, where that was said.
    pub reason: &'c str,
}

/// A change as it is kept.
#[derive(Debug)]
pub struct Changed {
    /// What.
    pub kind: Kind,
    /// First day on which it holds.
    pub from: NaiveDate,
    /// What columns said.
    pub before: String,
    /// What they say.
    pub after: String,
    /// Why.
    pub reason: String,
    /// The account that recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at_us: i64,
}

/// Says columns otherwise. The version of the enrollment grows.
pub async fn change(ctx: &Context, tx: &mut Tx, parts: &Parts, change: &Change<'_>) -> Result<(), Error> {
    let (id, enrollment, keyring) = (ctx.new_id(), change.enrollment, &parts.keyring);
    let sealed = |text: &str| keyring.seal("column_change", &[enrollment, id], text.as_bytes());
    let kept = store::Kept {
        enrollment,
        details_sealed: keyring.seal("details", &[enrollment], change.details.as_bytes()),
        content_hash: keyring.content_hash(change.details.as_bytes()).to_vec(),
        phone_hash: keyring.lookup_hash("phone", change.phone),
    };
    store::keep(ctx, tx, &kept).await?;
    let noted = store::Noted { change: id, kind: change.kind.code(), before_sealed: sealed(change.before), after_sealed: sealed(change.after) };
    Ok(store::note(ctx, tx, change, &noted).await?)
}

/// What was changed of an enrollment, the latest first.
pub async fn changes(tx: &mut Tx, parts: &Parts, enrollment: Uuid) -> Result<Vec<Changed>, Error> {
    let open = |change: Uuid, sealed: &[u8]| {
        let text = parts.keyring.open_text("column_change", &[enrollment, change], sealed);
        text.ok_or_else(|| Error::Internal("a sealed change does not open".into()))
    };
    let changed = |row: store::ChangeRow| {
        Ok(Changed {
            kind: Kind::ALL.into_iter().find(|kind| kind.code() == row.kind).ok_or(StoreError::Corrupt("kind of a change"))?,
            from: row.from_date,
            before: open(row.change, &row.before_sealed)?,
            after: open(row.change, &row.after_sealed)?,
            reason: row.reason,
            recorded_by: row.recorded_by,
            recorded_at_us: row.recorded_at_us,
        })
    };
    store::changes(tx, enrollment).await?.into_iter().map(changed).collect()
}
