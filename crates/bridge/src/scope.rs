//! What a follower of a part is told. A record's scope is the regions that it concerns, joined by blanks: a person belongs
//! to the region of every school that ever had them, so that a correction reaches whoever paid them.

use xuezhu_proto::bridge::{self as pb, record::Body};

use crate::epoch_day;

/// Whether any region of a record's scope begins with these digits; the empty prefix is everywhere.
pub fn holds(scope: &str, prefix: &str) -> bool {
    prefix.is_empty() || scope.split(' ').any(|region| region.starts_with(prefix))
}

/// A record that has left the scope, as its followers hear of it last: an open period ends on the day of leaving, what
/// goes on elsewhere is not told.
pub fn last_word(mut record: pb::Record) -> pb::Record {
    record.left_scope = true;
    if let Some(Body::HeadCount(count)) = &mut record.body {
        // How many there are elsewhere is not told.
        (count.records, count.versions) = (0, 0);
        count.groups.clear();
    }
    if let Some(Body::Enrollment(enrollment)) = &mut record.body {
        let left = chrono::DateTime::from_timestamp_micros(record.recorded_at_us).map_or(0, |at| epoch_day(xuezhu_service::clock::civil_day(at)));
        for period in enrollment.periods.iter_mut().filter(|period| period.to_day == 0) {
            period.to_day = left.max(period.from_day + 1);
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_every_region_that_a_record_concerns() {
        for (scope, prefix, held) in [
            ("430102 440103", "43", true),
            ("430102 440103", "4401", true),
            ("430102", "440103", false),
            ("430102", "", true),
            ("", "43", false),
            ("", "", true),
        ] {
            assert_eq!(holds(scope, prefix), held, "{scope} {prefix}");
        }
    }

    #[test]
    fn what_leaves_is_told_with_its_story_closed() {
        let open = pb::Period { from_day: 17_000, to_day: 0, ..pb::Period::default() };
        let body = Body::Enrollment(pb::Enrollment { periods: vec![open], ..pb::Enrollment::default() });
        let told = last_word(pb::Record { recorded_at_us: 17_100 * 86_400_000_000, body: Some(body), ..pb::Record::default() });
        let Some(Body::Enrollment(told_body)) = told.body else { panic!("an enrollment") };
        assert!(told.left_scope);
        assert_eq!(told_body.periods[0].to_day, 17_100);
    }
}
