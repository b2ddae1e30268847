//! Keys and what is held against them: a row for each key that was ever seen, which whoever judges locks, and a subject that outlives the
//! source's ids.

mod store;

// What the judge's drivers ask, and those who lock keys or carry subjects over a switch.
pub use self::store::{LockedKey, carry_subjects, keep_person_subjects, know_keys, lock_keys, person_subjects, subjects, used_subjects};
