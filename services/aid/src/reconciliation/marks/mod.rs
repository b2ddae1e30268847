//! Who is to be judged again, and when: persons in whom a fresh generation differs, those of schools of which policies say other things from now on, and
//! those for whom a day changes something.

mod store;

// What the judge's drivers and a switch of generations ask.
pub use self::store::{RejudgeRow, mark_differences, mark_schools, marked, marked_entries, settle_keys, to_rejudge};
