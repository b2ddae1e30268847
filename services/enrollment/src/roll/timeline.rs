//! Days of a place. No I/O.

use chrono::NaiveDate;

/// The day on which a place begins that is entered by month: its first day, or the day on which an earlier place ended,
/// if that was in that month.
pub fn entry_date(month_first: NaiveDate, earlier_end: Option<NaiveDate>) -> NaiveDate {
    match earlier_end {
        Some(end) if end > month_first && xuezhu_domain::Month::of(end) == xuezhu_domain::Month::of(month_first) => end,
        _ => month_first,
    }
}
