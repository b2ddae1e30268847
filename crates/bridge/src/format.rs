//! Formats of records, and how a record is told to whom reads only an older one.
//!
//! | format | what came with it |
//! | --- | --- |
//! | 1 | schools, persons, enrollments; periods in school, on leave, withdrawn |
//! | 2 | the id of the change in each record, by which a source is asked later what it forgot |
//! | 3 | periods of somebody who never came |
//! | 4 | registered region, 城乡分类代码 and special groups of a period |
//!
//! To add a field to a record: raise [`FORMAT`], say here what came with it, and in [`told`] how it is told to whom reads
//! only a lower one. A source that starts with a higher format than before publishes again every record whose body changes; a
//! follower whose source answers in a higher one loads a fresh generation.

use xuezhu_proto::bridge::{self as pb, enrollment::Stage, period::State, record::Body};

/// The format that this source writes and this follower reads.
pub const FORMAT: i32 = 4;
/// What whoever names no format reads.
pub const FIRST: i32 = 1;
/// The kinds that whoever names none reads.
pub const FIRST_KINDS: [i32; 3] = [10, 11, 12];
/// The format from which records carry the id of their change.
const CHANGE_IDS: i32 = 2;
/// The format from which periods tell that somebody never came.
const NEVER_CAME: i32 = 3;
/// The format from which periods carry what a family's circumstances are judged by.
const CIRCUMSTANCES: i32 = 4;

/// What a follower reads: as its handshake says, and no more than the source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Format that it is answered in.
    pub format: i32,
    /// Kinds that it reads.
    kinds: Vec<i32>,
    /// Whether it said so, and so is told what it is answered in.
    pub names_format: bool,
}

impl Reader {
    /// As a handshake says.
    pub fn of(handshake: &pb::Handshake) -> Self {
        let named = handshake.format > 0;
        Self {
            format: if named { handshake.format.min(FORMAT) } else { FIRST },
            kinds: if handshake.kinds.is_empty() { FIRST_KINDS.to_vec() } else { handshake.kinds.clone() },
            names_format: named,
        }
    }

    /// Whether it reads records of a kind.
    pub fn reads(&self, kind: i32) -> bool {
        self.kinds.contains(&kind)
    }

    /// What is said first on each stream.
    pub fn answering(&self, kinds_here: &[i32]) -> pb::Answering {
        pb::Answering { format: self.format, withheld: kinds_here.iter().copied().filter(|kind| !self.reads(*kind)).collect() }
    }

    /// A record in words that this reader knows. What a format does not know ends: a state that it can't read is told as
    /// ended, a stage as no claim, an answer of the registry as not found. Nobody is paid for what nobody understood.
    pub fn told(&self, mut record: pb::Record) -> pb::Record {
        if self.format < CHANGE_IDS {
            record.change = Vec::new();
        }
        match &mut record.body {
            Some(Body::Enrollment(enrollment)) => {
                if !knows_stage(self.format, enrollment.stage) {
                    enrollment.stage = Stage::SentBack.into();
                }
                for period in enrollment.periods.iter_mut().filter(|period| !knows_state(self.format, period.state)) {
                    period.state = State::Withdrawn.into();
                }
                if self.format < CIRCUMSTANCES {
                    for period in &mut enrollment.periods {
                        (period.registered_region, period.urban_rural, period.special_groups) = Default::default();
                    }
                }
            }
            Some(Body::Person(person)) if !knows_answer(self.format, person.registry) => person.registry = pb::RegistryAnswer::NotFound.into(),
            _ => {}
        }
        record
    }
}

/// States of a period by the format that they came with.
fn knows_state(format: i32, state: i32) -> bool {
    match State::try_from(state) {
        Ok(State::InSchool | State::OnLeave | State::Withdrawn) => format >= FIRST,
        Ok(State::NeverCame) => format >= NEVER_CAME,
        Ok(State::Unspecified) | Err(_) => false,
    }
}

fn knows_stage(format: i32, stage: i32) -> bool {
    match Stage::try_from(stage) {
        Ok(Stage::Submitted | Stage::SentBack | Stage::Approved) => format >= FIRST,
        Ok(Stage::Unspecified) | Err(_) => false,
    }
}

fn knows_answer(format: i32, answer: i32) -> bool {
    match pb::RegistryAnswer::try_from(answer) {
        Ok(pb::RegistryAnswer::NotAsked | pb::RegistryAnswer::Confirmed | pb::RegistryAnswer::NotFound | pb::RegistryAnswer::Differs) => format >= FIRST,
        Ok(pb::RegistryAnswer::Unspecified) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(format: i32, kinds: &[i32]) -> Reader {
        Reader::of(&pb::Handshake { format, kinds: kinds.to_vec(), ..pb::Handshake::default() })
    }

    #[test]
    fn who_names_nothing_reads_the_first_format_and_nobody_more_than_there_is() {
        for (format, answered) in [(0, FIRST), (1, 1), (FORMAT, FORMAT), (FORMAT + 7, FORMAT)] {
            assert_eq!(reader(format, &[]).format, answered, "{format}");
        }
        let old = reader(0, &[]);
        assert!(old.reads(12) && !old.reads(13) && !old.names_format);
        assert_eq!(reader(1, &[10, 12]).answering(&[10, 11, 12, 13]).withheld, [11, 13]);
    }

    #[test]
    fn a_state_that_a_reader_does_not_know_is_told_as_ended() {
        let invented = 99;
        let period = |state: i32| pb::Period { from_day: 17_000, state, ..pb::Period::default() };
        let body = pb::Enrollment { stage: invented, periods: vec![period(1), period(invented)], ..pb::Enrollment::default() };
        let told = reader(1, &[]).told(pb::Record { change: vec![1; 16], body: Some(Body::Enrollment(body)), ..pb::Record::default() });
        assert!(told.change.is_empty(), "the first format has no such field");
        let Some(Body::Enrollment(told)) = told.body else { panic!("an enrollment") };
        assert_eq!((told.stage(), told.periods[0].state(), told.periods[1].state()), (Stage::SentBack, State::InSchool, State::Withdrawn));
        let person = Body::Person(pb::Person { registry: invented, ..pb::Person::default() });
        let Some(Body::Person(person)) = reader(1, &[]).told(pb::Record { body: Some(person), ..pb::Record::default() }).body else { panic!("a person") };
        assert_eq!(person.registry(), pb::RegistryAnswer::NotFound);
    }
}
