//! Formats of records, and how a record is told to whom reads only an older one.
//!
//! | format | what came with it |
//! | --- | --- |
//! | 1 | schools, persons, enrollments; periods in school, on leave, withdrawn |
//! | 2 | the id of the change in each record, by which a source is asked later what it forgot |
//! | 3 | periods of somebody who never came |
//! | 4 | registered region, 城乡分类代码 and special groups of a period; the day on which a claim was submitted |
//!
//! To add a field to a record: raise [`FORMAT`], say here what came with it, in [`told`] how it is told to whom reads
//! only a lower one, and in [`Said`] with which format it came. A source that starts with a higher format than before publishes again every record whose body changes; a
//! follower whose source answers in a higher one loads a fresh generation.

use prost::Message;
use xuezhu_proto::bridge::{self as pb, enrollment::Stage, period::State, record::Body};

/// The format that this source writes and this follower reads.
pub const FORMAT: i32 = 4;
/// What whoever names no format reads.
pub const FIRST: i32 = 1;
/// The kinds that whoever names none reads.
pub const FIRST_KINDS: [i32; 3] = [10, 11, 12];
/// The kinds that this follower reads: head counts came later, as a whole kind.
pub const KINDS: [i32; 4] = [10, 11, 12, 13];
/// The format from which records carry the id of their change.
const CHANGE_IDS: i32 = 2;
/// The format from which periods tell that somebody never came.
const NEVER_CAME: i32 = 3;
/// The format from which periods carry what a family's circumstances are judged by, and claims their day.
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
                    enrollment.claimed_day = 0;
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

/// Formats with which fields came to persons and enrollments, in order. What a record says in them is
/// compared apart, so that a follower who hears of a field for the first time takes nobody for changed by that alone.
pub const WITH_FIELDS: [i32; 1] = [CIRCUMSTANCES];

/// A body, parted by the formats with which its fields came.
#[derive(Debug, Clone, PartialEq)]
pub struct Said<B> {
    /// As the first format has it.
    pub first: B,
    /// What it says in the fields that came with each of [`WITH_FIELDS`], in their order.
    pub later: [Vec<u8>; WITH_FIELDS.len()],
}

impl Said<pb::Person> {
    /// Parts a person. Every field is named here, so that none comes without its format.
    pub fn of_person(person: &pb::Person) -> Self {
        let pb::Person { keys, names, sex: _, birth_day: _, registry: _ } = person;
        for pb::PersonKey { key: _, kind: _, end_recorded_day: _ } in keys {}
        for pb::PersonName { name: _, kind: _, end_recorded_day: _ } in names {}
        Self { first: person.clone(), later: [Vec::new()] }
    }
}

impl Said<pb::Enrollment> {
    /// Parts an enrollment. Every field is named here, so that none comes without its format: one that came later is taken out
    /// of `first` into a message of its own, which is written to its place in `later`, that of each period behind the one before.
    pub fn of_enrollment(enrollment: &pb::Enrollment) -> Self {
        let pb::Enrollment {
            school: _,
            stage: _,
            claim_key: _,
            claim_name: _,
            sex: _,
            birth_day: _,
            person: _,
            entry_day: _,
            approved_day: _,
            periods,
            claimed_day,
        } = enrollment;
        let mut circumstances = pb::Enrollment { claimed_day: *claimed_day, ..pb::Enrollment::default() }.encode_length_delimited_to_vec();
        let mut first = pb::Enrollment { claimed_day: 0, ..enrollment.clone() };
        for (period, first) in periods.iter().zip(&mut first.periods) {
            let pb::Period { from_day, to_day, state, class_name, major, study_form, household, residence, registered_region, urban_rural, special_groups } =
                period.clone();
            let later = pb::Period { registered_region, urban_rural, special_groups, ..pb::Period::default() };
            circumstances.extend(later.encode_length_delimited_to_vec());
            *first = pb::Period { from_day, to_day, state, class_name, major, study_form, household, residence, ..pb::Period::default() };
        }
        Self { first, later: [circumstances] }
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
    fn formats_with_fields_stand_in_order_and_are_known() {
        assert!(WITH_FIELDS.windows(2).all(|pair| pair[0] < pair[1]) && WITH_FIELDS.iter().all(|format| (FIRST + 1..=FORMAT).contains(format)));
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
