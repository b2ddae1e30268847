//! What the judge is given and what it says: values only.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::{
    Bond, BondKind, Fen, Month, RegistryAnswer, Sex, Term, UnknownCode,
    enrollment::{PeriodState, Span},
};

use crate::{
    cause::{Cause, hashed},
    heads::Compared,
    policy::{SchemeCode, School},
};

/// A finding's rule. Codes and words are stable; the law beside each is in [`crate::rules::LAW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rule {
    /// No enrollment of this identity here, no valid one elsewhere, none submitted here.
    NoEnrollment,
    /// Submitted here, not approved yet, and no valid one elsewhere.
    NotYetRegistered,
    /// Approved here, but not in a state that entitles in these months.
    NotValidInTerm,
    /// Validly enrolled in these months at another school only.
    OtherSchool,
    /// Same number; name, sex or birth date never were the person's.
    IdentityMismatch,
    /// The population registry did not confirm the person.
    IdentityUnverified,
    /// Same person, scheme and month twice.
    DuplicateAward,
    /// Entitled by right and on no submitted list.
    MissingAward,
    /// Validly enrolled here, but the policy gives this scheme to none such in these months.
    NotEligible,
    /// More than the policy gives to whoever is such in these months.
    OverRate,
    /// One too many of whom the policy limits the number.
    OverQuota,
    /// The account is not the student's own, or serves several students.
    PayeeMismatch,
    /// Enrollment counts other students of a school than aid holds.
    HeadcountDiffers,
    /// What the policy asks for does not lie with an entry that was signed.
    FileIncomplete,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 14] = [
        Self::NoEnrollment,
        Self::NotYetRegistered,
        Self::NotValidInTerm,
        Self::OtherSchool,
        Self::IdentityMismatch,
        Self::IdentityUnverified,
        Self::DuplicateAward,
        Self::MissingAward,
        Self::NotEligible,
        Self::OverRate,
        Self::OverQuota,
        Self::PayeeMismatch,
        Self::HeadcountDiffers,
        Self::FileIncomplete,
    ];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::NoEnrollment => 1,
            Self::NotYetRegistered => 2,
            Self::NotValidInTerm => 3,
            Self::OtherSchool => 4,
            Self::IdentityMismatch => 5,
            Self::IdentityUnverified => 6,
            Self::DuplicateAward => 7,
            Self::MissingAward => 8,
            Self::NotEligible => 9,
            Self::OverRate => 10,
            Self::OverQuota => 11,
            Self::PayeeMismatch => 12,
            Self::HeadcountDiffers => 13,
            Self::FileIncomplete => 14,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }

    /// As clients and evidence name it; stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoEnrollment => "NO_ENROLLMENT",
            Self::NotYetRegistered => "NOT_YET_REGISTERED",
            Self::NotValidInTerm => "NOT_VALID_IN_TERM",
            Self::OtherSchool => "OTHER_SCHOOL",
            Self::IdentityMismatch => "IDENTITY_MISMATCH",
            Self::IdentityUnverified => "IDENTITY_UNVERIFIED",
            Self::DuplicateAward => "DUPLICATE_AWARD",
            Self::MissingAward => "MISSING_AWARD",
            Self::NotEligible => "NOT_ELIGIBLE",
            Self::OverRate => "OVER_RATE",
            Self::OverQuota => "OVER_QUOTA",
            Self::PayeeMismatch => "PAYEE_MISMATCH",
            Self::HeadcountDiffers => "HEADCOUNT_DIFFERS",
            Self::FileIncomplete => "FILE_INCOMPLETE",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }

    /// Those about what people enter. No act of theirs makes two services count otherwise: only what is lost between them does.
    pub fn of_people() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|rule| *rule != Self::HeadcountDiffers)
    }

    /// Whether an open flag of it holds payment.
    pub fn holds(self) -> bool {
        !matches!(self, Self::MissingAward | Self::HeadcountDiffers)
    }
}

impl TryFrom<i32> for Rule {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "rule", code })
    }
}

/// A person as the mirror knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Id.
    pub person: Uuid,
    /// Keys.
    pub keys: Vec<Bond<Uuid>>,
    /// Names: as written and comparable.
    pub names: Vec<Bond<(String, String)>>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Birth date.
    pub birth_date: NaiveDate,
    /// What the registry said.
    pub registry: RegistryAnswer,
    /// What aid holds things against: one for good, whichever keys come and go.
    pub subject: Uuid,
}

impl Person {
    /// The name now.
    pub fn name(&self) -> &str {
        self.names.iter().find(|bond| bond.end_recorded.is_none()).map_or("", |bond| bond.value.0.as_str())
    }

    /// Whether a claim recorded on `day` may use this name.
    pub fn answers_to(&self, comparable: &str, day: NaiveDate) -> bool {
        self.names.iter().any(|bond| bond.value.1 == comparable && bond.good_for(day))
    }

    /// Whether an enrollment that waits under a number may be this person's, for a claim recorded on `day`.
    ///
    /// A number that was changed by law stays the person's: whoever is approved under it takes the place as that person, whenever it
    /// was submitted. A mistyped one never was theirs and may become another's: it is good for what was submitted up to the day on
    /// which that was found.
    pub fn may_wait_under(&self, key: Uuid, day: NaiveDate) -> bool {
        self.keys.iter().any(|bond| bond.value == key && (bond.kind == BondKind::Former || bond.good_for(day)))
    }
}

/// How far an enrollment came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    /// Submitted or attested.
    Submitted,
    /// Sent back: no claim any more.
    SentBack,
    /// Approved.
    Approved,
}

impl Stage {
    /// As the feed tells it and the mirror stores it.
    pub const fn code(self) -> i32 {
        match self {
            Self::Submitted => 1,
            Self::SentBack => 2,
            Self::Approved => 3,
        }
    }

    /// As clients are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::SentBack => "SENT_BACK",
            Self::Approved => "APPROVED",
        }
    }

    /// From how clients are told.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Submitted, Self::SentBack, Self::Approved].into_iter().find(|stage| stage.as_str() == text)
    }

    /// From what was stored, or told by a source that may know more: then it is no claim.
    pub fn from_code(code: i32) -> Self {
        [Self::Submitted, Self::Approved].into_iter().find(|stage| stage.code() == code).unwrap_or(Self::SentBack)
    }
}

/// What holds in a part of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In school, on leave or gone.
    pub state: PeriodState,
    /// Class.
    pub class_name: String,
    /// Catalogue and code of the major.
    pub major: String,
    /// 全日制 or 非全日制.
    pub study_form: String,
    /// 户口性质.
    pub household: String,
    /// 学生居住地类型.
    pub residence: String,
    /// 户口所在地行政区划码.
    pub registered_region: String,
    /// 城乡分类代码 of the registered address; empty where it is not known.
    pub urban_rural: String,
    /// Groups that aid knows, joined by blanks.
    pub special_groups: String,
}

/// An enrollment as the mirror knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrollment {
    /// Id.
    pub enrollment: Uuid,
    /// School.
    pub school: String,
    /// How far it came.
    pub stage: Stage,
    /// Key that the school claims.
    pub claim_key: Uuid,
    /// Name that the school claims.
    pub claim_name: String,
    /// Person, once approved.
    pub person: Option<Uuid>,
    /// First day.
    pub entry_date: NaiveDate,
    /// Civil day of approval.
    pub approved_day: Option<NaiveDate>,
    /// Civil day on which the claim was submitted, where the source told it.
    pub claimed_day: Option<NaiveDate>,
    /// The dated story.
    pub timeline: Vec<Span<Place>>,
}

impl Enrollment {
    /// What holds on a day, if the student was in school then.
    pub fn in_school_on(&self, day: NaiveDate) -> Option<&Place> {
        let span = self.timeline.iter().find(|span| span.contains(day))?;
        (span.state.state == PeriodState::InSchool).then_some(&span.state)
    }
}

/// Where an entry stands, as far as the judge cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimStage {
    /// With the clerk.
    Draft,
    /// Submitted, attested or approved: on a submitted list.
    Submitted,
    /// Sent back: neither competes nor counts.
    SentBack,
}

/// What a list claims: one student's aid of one scheme in one term.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Entry.
    pub entry: Uuid,
    /// List.
    pub list: Uuid,
    /// School of the list.
    pub school: String,
    /// Scheme.
    pub scheme: SchemeCode,
    /// Term.
    pub term: Term,
    /// Version of the policy under which its list was opened.
    pub policy: i32,
    /// Key of the claimed number.
    pub key: Uuid,
    /// Name as claimed.
    pub name: String,
    /// Comparable name.
    pub name_comparable: String,
    /// Sex that the number says.
    pub sex: Option<Sex>,
    /// Birth date that the number says.
    pub birth_date: Option<NaiveDate>,
    /// Months claimed, in order.
    pub months: Vec<Month>,
    /// What a month comes to.
    pub month_fen: Fen,
    /// What all of it comes to.
    pub amount: Fen,
    /// Where it stands.
    pub stage: ClaimStage,
    /// Whether the principal signed it.
    pub attested: bool,
    /// Civil day on which it was recorded.
    pub recorded_day: NaiveDate,
    /// System time at which it was recorded: decides ties.
    pub recorded_at_us: i64,
    /// What aid holds things against: of its key.
    pub subject: Uuid,
    /// That it is one too many, as was found when it was last weighed.
    pub excess: Option<Excess>,
    /// The account that it is to be paid to; none where it names none.
    pub account: Option<Account>,
}

/// An account as a claim names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// How many other students' claims name the same one.
    pub others: i64,
    /// Whose it is, as the list says; empty where it does not.
    pub holder: String,
    /// Whether its number is that of a card.
    pub is_card: bool,
}

/// That somebody is one too many of whom a policy limits the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    /// The limit's name.
    pub quota: String,
    /// Where that comes from.
    pub source: String,
    /// The school's code, or the first digits of the region, together in which is counted.
    pub of: String,
    /// The grade that is counted by itself; 0 for all together.
    pub grade: i32,
    /// Students that a share is of; none where a number was allotted.
    pub base: Option<i64>,
    /// How many may be given it.
    pub limit: i64,
}

/// The claims, persons and enrollments that hang together by their keys: mostly one person's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PersonCase {
    /// Persons.
    pub persons: Vec<Person>,
    /// Enrollments.
    pub enrollments: Vec<Enrollment>,
    /// Claims, without those that were removed.
    pub claims: Vec<Claim>,
    /// What tells schools apart, by their codes, where the policies say other things of some.
    pub schools: HashMap<String, SchoolSide>,
    /// 困难等级 that were determined, in the order in which they were.
    pub levels: Vec<Level>,
    /// What students said and did not take back, in the order in which they did.
    pub statements: Vec<Statement>,
}

/// What tells a school from others, as far as policies do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolSide {
    /// Region in which it stands.
    pub region: String,
    /// Whether it is private.
    pub is_private: bool,
}

impl SchoolSide {
    /// The school of a code, as policies tell schools apart.
    pub fn at<'s>(&'s self, code: &'s str) -> School<'s> {
        School { code, region: &self.region, is_private: self.is_private }
    }
}

/// A 困难等级 that was determined of whom a number and a name stand for, or that there is none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Key of the number.
    pub key: Uuid,
    /// Comparable name.
    pub name_comparable: String,
    /// Civil day on which it was recorded.
    pub recorded_day: NaiveDate,
    /// Its name; empty where a level ends.
    pub level: String,
    /// From which day.
    pub from: NaiveDate,
    /// To which day, which is no more of it.
    pub to: NaiveDate,
}

/// What a student, or whoever stands for them, signed of a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatementKind {
    /// 申请: it is asked for.
    Application,
    /// 自愿放弃: it is not wanted, though the student would be entitled.
    Waiver,
}

impl StatementKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Application, Self::Waiver];

    /// As stored, and as clients are told.
    pub const fn code(self) -> i32 {
        match self {
            Self::Application => 1,
            Self::Waiver => 2,
        }
    }
}

impl TryFrom<i32> for StatementKind {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(UnknownCode { of: "statement", code })
    }
}

/// A statement that stands, of whom a number and a name stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Key of the number.
    pub key: Uuid,
    /// Comparable name.
    pub name_comparable: String,
    /// Civil day on which it was recorded.
    pub recorded_day: NaiveDate,
    /// School that keeps it.
    pub school: String,
    /// Scheme.
    pub scheme: SchemeCode,
    /// Term.
    pub term: Term,
    /// What was said.
    pub kind: StatementKind,
}

impl PersonCase {
    /// A school, as policies tell schools apart: without what is not known of it, or makes no difference.
    pub fn school<'s>(&'s self, code: &'s str) -> School<'s> {
        match self.schools.get(code) {
            Some(side) => side.at(code),
            None => School { code, ..School::default() },
        }
    }

    /// The region of a school; empty where it is not known, or makes no difference.
    pub fn region(&self, school: &str) -> &str {
        self.schools.get(school).map_or("", |side| side.region.as_str())
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// An entry.
    Entry(Uuid),
    /// A student who is on no list.
    Omission {
        /// What aid holds things against.
        subject: Uuid,
        /// School.
        school: String,
        /// Scheme.
        scheme: SchemeCode,
        /// Term.
        term: Term,
    },
    /// A school as a whole, in a term.
    School {
        /// School.
        school: String,
        /// Term.
        term: Term,
    },
}

impl Subject {
    /// One id for it.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Entry(entry) => *entry,
            Self::Omission { subject, school, scheme, term } => hashed(&format!("omission {subject} {school} {} {term}", scheme.as_str())),
            Self::School { school, term } => hashed(&format!("school {school} {term}")),
        }
    }

    /// What everything is held against that is said of a school as a whole, whichever the term.
    pub fn of_school(school: &str) -> Uuid {
        hashed(&format!("school {school}"))
    }
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Rule.
    pub rule: Rule,
    /// About what.
    pub subject: Subject,
    /// Months, in order.
    pub months: Vec<Month>,
    /// At stake in these months.
    pub amount: Fen,
    /// Both sides.
    pub evidence: Evidence,
    /// What it has in common with others at its school.
    pub cause: Cause,
}

/// What the judge says of a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Findings, in order of subject and rule.
    pub findings: Vec<Finding>,
    /// The first day on which time alone may change this.
    pub rejudge_at: Option<NaiveDate>,
}

/// Both sides of a finding, as they are stored. What is stored may be older than a field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// What was claimed; none for an omission.
    pub claim: Option<ClaimSide>,
    /// Enrollments found.
    pub enrollments: Vec<EnrollmentSide>,
    /// Name of the person of this number, where names differ.
    pub registered_name: String,
    /// Months in which the person is validly enrolled elsewhere.
    pub elsewhere_months: Vec<Month>,
    /// Other entries of the same person, scheme and month.
    pub rivals: Vec<Rival>,
    /// Policy row that was used.
    pub policy: String,
    /// Where that comes from.
    pub policy_source: String,
    /// What the registry said.
    pub registry: Option<RegistryAnswer>,
    /// Day from which an omission counts.
    pub due: Option<NaiveDate>,
    /// Why a missing student is entitled.
    pub entitled_by: String,
    /// What that was seen by, where there are several ways: `URBAN_RURAL_CODE`, `HOUSEHOLD` or `RESIDENCE`.
    pub entitled_on: String,
    /// Why the policy does not give it, month by month.
    pub excluded: Vec<Excluded>,
    /// How much of it the policy gives, where it is less.
    pub over: Vec<Over>,
    /// Of how many it is one too many.
    pub excess: Option<Excess>,
    /// What is wrong with the account.
    pub payee: Vec<Payee>,
    /// What does not lie with the entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Lack>,
    /// Where two counts of a school differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<Compared>,
    /// Whether fewer records are held of a school than were told, or older ones.
    #[serde(skip_serializing_if = "is_false")]
    pub lacks_records: bool,
}

/// How much the policy gives at most in some months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// The tier.
    pub tier: String,
    /// What a month of it comes to.
    pub month: Fen,
    /// What a month was claimed to come to.
    pub claimed: Fen,
    /// 困难等级 that was determined; empty where there is none.
    pub level: String,
    /// In which months.
    pub months: Vec<Month>,
}

/// What is wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Payee {
    /// Its holder is not called as the student is or was.
    HolderDiffers {
        /// What the holder is called.
        holder: String,
    },
    /// It serves so many other students too.
    Shared {
        /// How many.
        others: i64,
    },
    /// It is no card: an older account or a passbook.
    NotACard,
}

/// What does not lie with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Lack {
    /// The student did not ask for it.
    Application,
    /// The student signed not to want it.
    Waived,
}

impl Lack {
    /// As clients are told; stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "APPLICATION",
            Self::Waived => "WAIVED",
        }
    }
}

/// Why somebody is not entitled in some months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Why, such as `NEEDS_HARDSHIP` ([`crate::policy::rules::Why::code`]).
    pub why: String,
    /// Grade in the term.
    pub grade: i32,
    /// In which months.
    pub months: Vec<Month>,
}

/// What was claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimSide {
    /// Name.
    pub name: String,
    /// Months.
    pub months: Vec<Month>,
    /// Civil day on which it was recorded.
    pub recorded_day: NaiveDate,
}

/// An enrollment that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrollmentSide {
    /// Id that it has at the source now: for finding it there, no part of what is judged.
    #[serde(default)]
    pub enrollment: Uuid,
    /// School.
    pub school: String,
    /// How far it came.
    pub stage: Stage,
    /// Name.
    pub name: String,
    /// Periods.
    pub periods: Vec<PeriodSide>,
    /// Day of approval.
    pub approved_day: Option<NaiveDate>,
    /// Whether it waits under another number of the person than the entry's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub other_number: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A part of its story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeriodSide {
    /// First day.
    pub from: NaiveDate,
    /// First day after it.
    pub to: Option<NaiveDate>,
    /// In school, on leave or gone.
    pub state: PeriodState,
    /// Class.
    pub class_name: String,
    /// Major.
    pub major: String,
}

/// Another entry of the same person, scheme and month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// Entry.
    pub entry: Uuid,
    /// School.
    pub school: String,
    /// Months in common.
    pub months: Vec<Month>,
}
