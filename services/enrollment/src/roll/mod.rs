//! The roll: who studies where, in two clocks. The only writer of persons, their keys and names, places, enrollments, periods and classes;
//! what decides (registration, status change, correction) asks it to write, and each act shares what it wrote by itself.
//!
//! | act | what it writes |
//! | --- | --- |
//! | [`drafts::enter`] | rows that no department approved, and their way to it |
//! | [`places::place`] | persons, their places, the first period |
//! | [`places::change`] | a period from a day on: state, class, major; whoever leaves gives up the place |
//! | [`places::take_back`] | a change that lies ahead |
//! | [`places::void`] | an approved place from its first day |
//! | [`kept::change`] | columns that the school keeps itself, or that carry money, with what stood before |
//! | [`persons::correct`] | keys and names, and what enrollments claim by them |
//!
//! [`sheet`] reads what dossiers say of enrollments; [`story`] what held on a day, as it was known at a time; [`classes`] follow from who is in them.
//!
//! **Whatever is dated lies in a period**: state, class, major, study form, 户口性质, 居住地类型, 户口所在地, 城乡分类代码, special groups. What the table of enrollments has of
//! these is the last of them, for lists. **Two clocks**: a period holds from a civil day, and was known from a version of the shared
//! record on. What a late record or a change taken back replaces is closed, not deleted.

pub mod classes;
pub mod drafts;
pub mod kept;
pub mod persons;
pub mod places;
pub mod sheet;
pub mod story;
pub mod timeline;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{IdNumber, enrollment::State, identity::NumberClass};
use xuezhu_service::Error;
use xuezhu_store::StoreError;

use crate::Parts;

/// What an enrollment claims, for whoever decides about it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Claim {
    pub enrollment: Uuid,
    pub key: Uuid,
    pub id_class: i32,
    pub id_sealed: Vec<u8>,
    pub name: String,
    pub name_comparable: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub entry_date: NaiveDate,
}

impl Claim {
    /// The number that it claims.
    pub fn number(&self, parts: &Parts) -> Result<IdNumber, Error> {
        opened(parts, &[self.enrollment], self.id_class, &self.id_sealed)
    }
}

/// A sealed number, in the clear.
fn opened(parts: &Parts, row: &[Uuid], class: i32, sealed: &[u8]) -> Result<IdNumber, Error> {
    let number = parts.keyring.open_text("id", row, sealed).ok_or_else(|| Error::Internal("a sealed number does not open".into()))?;
    Ok(IdNumber::stored(NumberClass::from_code(class).ok_or(StoreError::Corrupt("class of number"))?, number))
}

/// A state from what was stored.
pub fn state_of(code: i32) -> Result<State, Error> {
    State::from_code(code).ok_or_else(|| StoreError::Corrupt("state").into())
}
