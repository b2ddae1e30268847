//! What findings have in common: a late withdrawal raises several, and a clerk explains it once. Flags of one cause at one school are shown
//! together.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::Term;

use crate::{case::Rule, policy::SchemeCode};

/// Why something does not agree, as far as others share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A list names numbers that nobody is enrolled under.
    Unknown {
        /// Term of the list.
        term: Term,
        /// List.
        list: Uuid,
    },
    /// A list ran ahead of the registrations.
    Ahead {
        /// Term of the list.
        term: Term,
        /// List.
        list: Uuid,
    },
    /// The student was not in school in the months named.
    Absent {
        /// What aid holds things against.
        subject: Uuid,
        /// First day of the last state that ended or interrupted the place; none where the months lie before the place.
        since: Option<NaiveDate>,
    },
    /// The student is at another school.
    Elsewhere {
        /// What aid holds things against.
        subject: Uuid,
    },
    /// What a list says of a number never was the person's.
    Identity {
        /// What aid holds things against.
        subject: Uuid,
    },
    /// The population registry did not confirm the person.
    Registry {
        /// What aid holds things against.
        subject: Uuid,
    },
    /// The student is listed twice.
    Duplicate {
        /// What aid holds things against.
        subject: Uuid,
        /// Term.
        term: Term,
    },
    /// The policy of a scheme excludes whom a list names.
    Excluded {
        /// Scheme.
        scheme: SchemeCode,
        /// Term.
        term: Term,
        /// List.
        list: Uuid,
    },
    /// A list gives more than the policy of its scheme.
    TooMuch {
        /// Scheme.
        scheme: SchemeCode,
        /// Term.
        term: Term,
        /// List.
        list: Uuid,
    },
    /// A list names more than the policy of its scheme lets in.
    TooMany {
        /// Scheme.
        scheme: SchemeCode,
        /// Term.
        term: Term,
        /// List.
        list: Uuid,
    },
    /// A list names an account that is not the student's own.
    Payee {
        /// What aid holds things against.
        subject: Uuid,
    },
    /// A list names students who signed nothing.
    Papers {
        /// Scheme.
        scheme: SchemeCode,
        /// Term.
        term: Term,
        /// List.
        list: Uuid,
    },
    /// Two services count a school otherwise.
    Heads {
        /// Term.
        term: Term,
    },
    /// Students are on no list of a scheme and term.
    Missing {
        /// Scheme.
        scheme: SchemeCode,
        /// Term.
        term: Term,
    },
}

impl Cause {
    /// Its stable text: it is stored with flags, and the id of a cause is made of it.
    pub fn text(self) -> String {
        match self {
            Self::Unknown { term, list } => format!("{} {term} {list}", Rule::NoEnrollment.as_str()),
            Self::Ahead { term, list } => format!("{} {term} {list}", Rule::NotYetRegistered.as_str()),
            // Where no day is known, the blank before it stays: texts of before have it.
            Self::Absent { subject, since } => format!("state {subject} {}", since.map(|day| day.to_string()).unwrap_or_default()),
            Self::Elsewhere { subject } => format!("elsewhere {subject}"),
            Self::Identity { subject } => format!("identity {subject}"),
            Self::Registry { subject } => format!("registry {subject}"),
            Self::Duplicate { subject, term } => format!("duplicate {subject} {term}"),
            Self::Missing { scheme, term } => format!("missing {} {term}", scheme.as_str()),
            Self::Excluded { scheme, term, list } => format!("excluded {} {term} {list}", scheme.as_str()),
            Self::TooMuch { scheme, term, list } => format!("rate {} {term} {list}", scheme.as_str()),
            Self::TooMany { scheme, term, list } => format!("quota {} {term} {list}", scheme.as_str()),
            Self::Payee { subject } => format!("payee {subject}"),
            Self::Heads { term } => format!("heads {term}"),
            Self::Papers { scheme, term, list } => format!("papers {} {term} {list}", scheme.as_str()),
        }
    }

    /// From what was stored; `None` where it is no text of a cause.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (kind, first, second, third) = (parts.next()?, parts.next()?, parts.next(), parts.next());
        let id = |text: &str| text.parse::<Uuid>().ok();
        let term = |text: Option<&str>| text?.parse::<Term>().ok();
        let list = |found: fn(Term, Uuid) -> Self| Some(found(first.parse().ok()?, id(second?)?));
        let cause = match kind {
            "state" => Self::Absent { subject: id(first)?, since: second.filter(|day| !day.is_empty()).map(str::parse).transpose().ok()? },
            "elsewhere" => Self::Elsewhere { subject: id(first)? },
            "identity" => Self::Identity { subject: id(first)? },
            "registry" => Self::Registry { subject: id(first)? },
            "duplicate" => Self::Duplicate { subject: id(first)?, term: term(second)? },
            "missing" => Self::Missing { scheme: SchemeCode::parse(first)?, term: term(second)? },
            "excluded" => Self::Excluded { scheme: SchemeCode::parse(first)?, term: term(second)?, list: id(third?)? },
            "rate" => Self::TooMuch { scheme: SchemeCode::parse(first)?, term: term(second)?, list: id(third?)? },
            "quota" => Self::TooMany { scheme: SchemeCode::parse(first)?, term: term(second)?, list: id(third?)? },
            "payee" => Self::Payee { subject: id(first)? },
            "papers" => Self::Papers { scheme: SchemeCode::parse(first)?, term: term(second)?, list: id(third?)? },
            "heads" => Self::Heads { term: first.parse().ok()? },
            _ => match Rule::parse(kind)? {
                Rule::NoEnrollment => list(|term, list| Self::Unknown { term, list })?,
                Rule::NotYetRegistered => list(|term, list| Self::Ahead { term, list })?,
                _ => return None,
            },
        };
        (cause.text() == text).then_some(cause)
    }

    /// Its id at a school.
    pub fn id(self, school: &str) -> Uuid {
        hashed(&format!("cause {school} {}", self.text()))
    }

    /// What people read.
    pub fn chinese(self) -> String {
        match self {
            Self::Unknown { .. } => "名单上的证件号在本校和他校都没有学籍".to_owned(),
            Self::Ahead { .. } => "学籍已提交，主管部门尚未批准".to_owned(),
            Self::Absent { since: Some(day), .. } => format!("自{day}起不在读（休学或退学），名单未作相应调整"),
            Self::Absent { since: None, .. } => "所列月份不在读".to_owned(),
            Self::Elsewhere { .. } => "学生在他校有效就读".to_owned(),
            Self::Identity { .. } => "名单上的姓名与该证件号的登记不一致".to_owned(),
            Self::Registry { .. } => "人口库未核实该生身份".to_owned(),
            Self::Duplicate { .. } => "同一学生同月重复列入".to_owned(),
            Self::Missing { term, .. } => format!("{}应列入名单而未列入", term.name()),
            Self::Excluded { term, .. } => format!("{}名单上的学生不符合该项目的政策条件", term.name()),
            Self::TooMuch { term, .. } => format!("{}名单上的档次或金额超过标准", term.name()),
            Self::TooMany { term, .. } => format!("{}名单上的人数超过名额", term.name()),
            Self::Payee { .. } => "名单上的收款账户不是该生本人的".to_owned(),
            Self::Papers { term, .. } => format!("{}名单上的学生没有书面申请，或者已书面放弃", term.name()),
            Self::Heads { term } => format!("{}学籍系统清点的人数与资助系统的不一致", term.name()),
        }
    }
}

/// An id that is made of a text.
pub(crate) fn hashed(text: &str) -> Uuid {
    Uuid::from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts as they were stored before causes had a type, with their ids at a school and their words.
    const STORED: [(&str, &str, &str); 15] = [
        ("NO_ENROLLMENT 2026-AUTUMN 00000000-0000-0000-0000-000000000007", "9910df1f572ebee819737f02572dbe31", "名单上的证件号在本校和他校都没有学籍"),
        ("NOT_YET_REGISTERED 2026-SPRING 00000000-0000-0000-0000-000000000007", "006a783c60ebb0c16d5d4f129331c4fb", "学籍已提交，主管部门尚未批准"),
        ("state 00000000-0000-0000-0000-000000000003 2026-10-08", "cee157a8fc17293792438b0afade7764", "自2026-10-08起不在读（休学或退学），名单未作相应调整"),
        ("state 00000000-0000-0000-0000-000000000003 ", "861b7486eb727f1eae113b9d650750e8", "所列月份不在读"),
        ("elsewhere 00000000-0000-0000-0000-000000000003", "a2bce76c9fdabfbf26fbe4ea23cebe8a", "学生在他校有效就读"),
        ("identity 00000000-0000-0000-0000-000000000003", "341ddfce637869e9b4ecb071feb5f6d2", "名单上的姓名与该证件号的登记不一致"),
        ("registry 00000000-0000-0000-0000-000000000003", "86f80a75178c419e20a098c801ea05ca", "人口库未核实该生身份"),
        ("duplicate 00000000-0000-0000-0000-000000000003 2026-AUTUMN", "c54b9db31207e015087be8d2c225e3b6", "同一学生同月重复列入"),
        ("missing GRANT 2026-AUTUMN", "c0d77a9c9e454db46633dee099ec64dc", "2026年秋季学期应列入名单而未列入"),
        (
            "excluded GRANT 2026-AUTUMN 00000000-0000-0000-0000-000000000007",
            "04ad221b6dbdbaec684cf1dda98014b6",
            "2026年秋季学期名单上的学生不符合该项目的政策条件",
        ),
        ("rate GRANT 2026-AUTUMN 00000000-0000-0000-0000-000000000007", "9d3328844fbc878b27b39798587b7a1a", "2026年秋季学期名单上的档次或金额超过标准"),
        ("quota GRANT 2026-AUTUMN 00000000-0000-0000-0000-000000000007", "522ec250a9728a38362af1ffceed9767", "2026年秋季学期名单上的人数超过名额"),
        ("payee 00000000-0000-0000-0000-000000000003", "7118a5c23ee26479058e234c3c22794d", "名单上的收款账户不是该生本人的"),
        ("heads 2026-AUTUMN", "d1c57be74d4736abf3e4e6e33a82fd5f", "2026年秋季学期学籍系统清点的人数与资助系统的不一致"),
        (
            "papers GRANT 2026-AUTUMN 00000000-0000-0000-0000-000000000007",
            "8dd44e0fbdf52d7898ef671dcd44bc48",
            "2026年秋季学期名单上的学生没有书面申请，或者已书面放弃",
        ),
    ];

    fn causes() -> [Cause; 15] {
        let (subject, list) = (Uuid::from_u128(3), Uuid::from_u128(7));
        let term = "2026-AUTUMN".parse().expect("a term");
        [
            Cause::Unknown { term, list },
            Cause::Ahead { term: "2026-SPRING".parse().expect("a term"), list },
            Cause::Absent { subject, since: NaiveDate::from_ymd_opt(2026, 10, 8) },
            Cause::Absent { subject, since: None },
            Cause::Elsewhere { subject },
            Cause::Identity { subject },
            Cause::Registry { subject },
            Cause::Duplicate { subject, term },
            Cause::Missing { scheme: SchemeCode::GRANT, term },
            Cause::Excluded { scheme: SchemeCode::GRANT, term, list },
            Cause::TooMuch { scheme: SchemeCode::GRANT, term, list },
            Cause::TooMany { scheme: SchemeCode::GRANT, term, list },
            Cause::Payee { subject },
            Cause::Heads { term },
            Cause::Papers { scheme: SchemeCode::GRANT, term, list },
        ]
    }

    #[test]
    fn what_was_stored_keeps_its_cause() {
        for (cause, (text, id, words)) in causes().into_iter().zip(STORED) {
            assert_eq!(cause.text(), text);
            assert_eq!(Cause::parse(text), Some(cause), "{text}");
            assert_eq!(cause.id("3643000001").simple().to_string(), id, "{text}");
            assert_eq!(cause.chinese(), words, "{text}");
        }
    }

    #[test]
    fn what_is_no_text_of_a_cause_is_none() {
        for text in [
            "",
            "state",
            "state 00000000-0000-0000-0000-000000000003",
            "state 00000000-0000-0000-0000-000000000003 yesterday",
            "elsewhere 3",
            "elsewhere 00000000-0000-0000-0000-000000000003 more",
            "missing GRANT",
            "excluded GRANT 2026-AUTUMN",
            "rate GRANT 2026-AUTUMN",
            "quota",
            "payee GRANT",
            "OTHER_SCHOOL 2026-AUTUMN 00000000-0000-0000-0000-000000000007",
        ] {
            assert_eq!(Cause::parse(text), None, "{text}");
        }
    }
}
