//! The change feed, both ends.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`log`] | each use case that changes a shared record appends its full new state, in its own transaction |
//! | [`sequencer`] | gives positions after commit, one leader at a time, without gaps |
//! | [`server`] | `Snapshot`, `Watch` and `Recall` |
//! | [`format`] | formats of records, and how a record is told to whom reads an older one |
//! | [`renewal`] | publishing again what a higher format changes |
//! | [`follower`] | keeps a mirror: exactly-once effect, restart from the stored cursor, fresh generations |
//! | [`keeping`] | where a follower stands, by generation; what becomes of records is the consumer's |
//! | [`cursor`] | a place in one history |
//! | [`known`] | what was known when |
//! | [`scope`] | what a follower of a part is told |
//!
//! The tables (`shared_records`, `change_log`, `feed_sequencer`) come with the migrations of the service that shares.
//! To share another kind of record: a body in `bridge.proto`, a [`log::Kind`], and what the mirror does with it.

pub mod before;
pub mod cursor;
pub mod follower;
pub mod format;
pub mod keeping;
pub mod known;
pub mod log;
pub mod renewal;
pub mod scope;
pub mod sequencer;
pub mod server;
mod store;
pub mod trim;

pub use cursor::Cursor;
pub use log::{Kind, Shared, publish};

use chrono::NaiveDate;

/// Days since 1970-01-01, as the feed writes a civil day.
pub fn epoch_day(day: NaiveDate) -> i32 {
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).unwrap_or(0)
}

/// A civil day from what [`epoch_day`] wrote.
pub fn civil_day(days: i32) -> NaiveDate {
    NaiveDate::default() + chrono::TimeDelta::days(i64::from(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_come_back() {
        let day = NaiveDate::from_ymd_opt(2016, 9, 1).expect("a date");
        assert_eq!(civil_day(epoch_day(day)), day);
        assert_eq!(epoch_day(NaiveDate::from_ymd_opt(1970, 1, 2).expect("a date")), 1);
    }
}
