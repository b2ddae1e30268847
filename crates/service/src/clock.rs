//! The two clocks: the *civil* day goes by law (deadlines, `as_of`), the *system* time by physics (tokens, leases, lag).

use std::sync::{Arc, Mutex};

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

/// Offset of the zone of the law, Asia/Shanghai, which keeps no summer time.
const SHANGHAI_SECONDS_EAST: i32 = 8 * 3600;

/// Both clocks. Only the civil one can be stepped, and only in process.
#[derive(Clone)]
pub struct Clock {
    system: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    civil: Arc<Mutex<Option<NaiveDate>>>,
}

impl Clock {
    /// Clocks that read the system's time from `system`.
    pub fn new(system: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { system: Arc::new(system), civil: Arc::default() }
    }

    /// System time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.system)()
    }

    /// System time in microseconds since 1970.
    pub fn now_us(&self) -> i64 {
        self.now().timestamp_micros()
    }

    /// The civil day: the one that was stepped to, else today in Shanghai.
    pub fn today(&self) -> NaiveDate {
        self.stepped().unwrap_or_else(|| civil_day(self.now()))
    }

    /// The day that the civil clock was stepped to, if it was.
    pub fn stepped(&self) -> Option<NaiveDate> {
        *self.civil.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Steps the civil clock. It stands still there until it is stepped again.
    pub fn step_to(&self, day: NaiveDate) {
        *self.civil.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(day);
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock").field("civil", &self.today()).finish_non_exhaustive()
    }
}

/// The day in Shanghai at an instant.
pub fn civil_day(at: DateTime<Utc>) -> NaiveDate {
    FixedOffset::east_opt(SHANGHAI_SECONDS_EAST).map_or_else(|| at.date_naive(), |zone| at.with_timezone(&zone).date_naive())
}

/// An instant as RFC 3339, from microseconds.
pub fn rfc3339(at_us: i64) -> String {
    DateTime::from_timestamp_micros(at_us).unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_civil_day_is_shanghais_until_it_is_stepped() {
        let late = DateTime::from_timestamp(1_472_661_000, 0).expect("2016-08-31T16:30Z");
        let clock = Clock::new(move || late);
        assert_eq!(clock.today().to_string(), "2016-09-01");
        let day = NaiveDate::from_ymd_opt(2016, 11, 18).expect("a date");
        clock.step_to(day);
        assert_eq!((clock.today(), clock.now()), (day, late));
    }
}
