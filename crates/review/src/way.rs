//! The way of a dossier: chains and their desks, where items stand, which act is allowed where, and what a digest covers. Pure.

use std::{fmt, str::FromStr};

use uuid::Uuid;
use xuezhu_domain::{RegionCode, UnknownCode, region};

/// Working days that a step may take unless its chain says otherwise (教职成〔2014〕12号, Art. 16).
pub const STEP_WORKING_DAYS: u32 = 10;
/// Working days after which a dossier that waits is shown at the level above too. It grants nothing and cancels nothing.
pub const ESCALATION_WORKING_DAYS: u32 = 10;
/// Steps of a chain, at most.
pub const CHAIN_STEPS: usize = 6;
/// Working days of a step, at most.
pub const STEP_WORKING_DAYS_MOST: u32 = 60;

/// A desk as a chain names it: whose it is follows from the school.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Desk {
    /// The school's own reviewers (学校评审).
    Review,
    /// The school's principal.
    Principal,
    /// The school's department: its authority.
    Authority,
    /// The department of the city above the authority.
    City,
    /// The department of the province.
    Province,
    /// A department by its region.
    Region(RegionCode),
    /// Who heads the school's department (主管部门负责人).
    Head,
}

impl Desk {
    /// In Chinese.
    pub fn name(&self) -> String {
        match self {
            Self::Review => "学校评审".to_owned(),
            Self::Principal => "校长".to_owned(),
            Self::Authority => "学校主管部门".to_owned(),
            Self::City => "市级主管部门".to_owned(),
            Self::Province => "省级主管部门".to_owned(),
            Self::Region(region) => format!("{}主管部门", region.name()),
            Self::Head => "学校主管部门负责人".to_owned(),
        }
    }
}

impl fmt::Display for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Review => f.write_str("REVIEW"),
            Self::Principal => f.write_str("PRINCIPAL"),
            Self::Authority => f.write_str("AUTHORITY"),
            Self::City => f.write_str("CITY"),
            Self::Province => f.write_str("PROVINCE"),
            Self::Region(region) => f.write_str(region.as_str()),
            Self::Head => f.write_str("HEAD"),
        }
    }
}

/// What a desk does with a dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Duty {
    /// 审核: its signature is needed before the kind performs.
    Decides,
    /// 备案: the kind has performed; the desk takes note.
    Notes,
}

impl Duty {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Decides, Self::Notes];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Decides => 1,
            Self::Notes => 2,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decides => "DECIDES",
            Self::Notes => "NOTES",
        }
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decides => "审核",
            Self::Notes => "备案",
        }
    }
}

impl TryFrom<i32> for Duty {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "duty of a desk", code })
    }
}

/// A step of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whose turn it is.
    pub desk: Desk,
    /// What it does.
    pub duty: Duty,
    /// Working days that it may take.
    pub working_days: u32,
}

/// The desks over which a kind's dossiers go. Written `PRINCIPAL, AUTHORITY/5, CITY NOTES`: desks in their order, each with the
/// working days that it may take, and `NOTES` where it takes note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(Vec<Step>);

/// Why a chain was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A desk that there is none of.
    #[error(
        "“{0}”不是审核环节：应为REVIEW（学校评审）、PRINCIPAL（校长）、AUTHORITY（学校主管部门）、CITY（市级）、PROVINCE（省级）、HEAD（学校主管部门负责人）或6位行政区划码"
    )]
    Desk(String),
    /// The days of a step.
    #[error("每一环节的办理期限应为1至{STEP_WORKING_DAYS_MOST}个工作日")]
    Days,
    /// Too few or too many.
    #[error("审核环节应为1至{CHAIN_STEPS}个")]
    Length,
    /// A desk stands twice.
    #[error("环节“{0}”出现了两次")]
    Twice(String),
    /// A desk decides after what it decides on was performed.
    #[error("备案环节应在审核环节之后")]
    NotesFirst,
}

impl Chain {
    /// A chain of these steps.
    pub fn new(steps: Vec<Step>) -> Result<Self, ChainError> {
        if steps.is_empty() || steps.len() > CHAIN_STEPS {
            return Err(ChainError::Length);
        }
        for (at, step) in steps.iter().enumerate() {
            if step.working_days == 0 || step.working_days > STEP_WORKING_DAYS_MOST {
                return Err(ChainError::Days);
            }
            if steps[..at].iter().any(|before| before.desk == step.desk) {
                return Err(ChainError::Twice(step.desk.name()));
            }
            if step.duty == Duty::Decides && steps[..at].iter().any(|before| before.duty == Duty::Notes) {
                return Err(ChainError::NotesFirst);
            }
        }
        Ok(Self(steps))
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The desks of a school, in order. Where two are the same department, it acts once, and decides if either does.
    pub fn resolved(&self, school: &str, authority: &str) -> Vec<Stand> {
        let mut stands: Vec<Stand> = Vec::new();
        // What is a department's own business knows no desk of a school.
        for step in self.0.iter().filter(|step| !(school.is_empty() && matches!(step.desk, Desk::Review | Desk::Principal))) {
            let seat = Seat::of(&step.desk, school, authority);
            match stands.iter().find(|stand| stand.seat == seat) {
                // Noting comes after deciding: whoever decided has taken note.
                Some(_) => {}
                None => stands.push(Stand { seat, duty: step.duty, working_days: step.working_days }),
            }
        }
        stands
    }

    /// In Chinese: 校长 → 学校主管部门 → 市级主管部门（备案）.
    pub fn name(&self) -> String {
        let step = |step: &Step| format!("{}{}", step.desk.name(), if step.duty == Duty::Notes { "（备案）" } else { "" });
        self.0.iter().map(step).collect::<Vec<_>>().join(" → ")
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let notes = if step.duty == Duty::Notes { " NOTES" } else { "" };
            write!(f, "{comma}{}/{}{notes}", step.desk, step.working_days)?;
        }
        Ok(())
    }
}

impl FromStr for Chain {
    type Err = ChainError;

    fn from_str(text: &str) -> Result<Self, ChainError> {
        let step = |text: &str| {
            let wrong = || ChainError::Desk(text.trim().to_owned());
            let mut words = text.split_whitespace();
            let (desk, notes) = (words.next().ok_or_else(wrong)?, words.next());
            let duty = match notes {
                None => Duty::Decides,
                Some("NOTES") => Duty::Notes,
                Some(_) => return Err(wrong()),
            };
            if words.next().is_some() {
                return Err(wrong());
            }
            let (desk, days) = desk.split_once('/').map_or((desk, None), |(desk, days)| (desk, Some(days)));
            let working_days = days.map_or(Ok(STEP_WORKING_DAYS), |days| days.parse().map_err(|_| ChainError::Days))?;
            let desk = match desk {
                "REVIEW" => Desk::Review,
                "PRINCIPAL" => Desk::Principal,
                "AUTHORITY" => Desk::Authority,
                "CITY" => Desk::City,
                "PROVINCE" => Desk::Province,
                "HEAD" => Desk::Head,
                region => Desk::Region(region.parse().map_err(|_| wrong())?),
            };
            Ok(Step { desk, duty, working_days })
        };
        Self::new(text.split([',', '，', '\n']).filter(|text| !text.trim().is_empty()).map(step).collect::<Result<_, _>>()?)
    }
}

/// Whose desk it is, once the school is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Seat {
    /// The clerks of a school.
    Clerk(String),
    /// Who reviews for a school.
    Review(String),
    /// The principal of a school.
    Principal(String),
    /// The officers of a region's department.
    Department(String),
    /// Who heads a region's department.
    Head(String),
}

impl Seat {
    /// How seats of schools begin, as they are stored.
    pub const OF_SCHOOLS: &str = "CRP";
    /// How seats of departments begin, as they are stored.
    pub const OF_DEPARTMENTS: &str = "DH";

    /// The seat of a chain's desk for a school under an authority. A municipality has no city between its counties and itself, a
    /// county that a province keeps itself none either: then the department above is the province's.
    fn of(desk: &Desk, school: &str, authority: &str) -> Self {
        let kept = |digits: usize| format!("{:0<6}", authority.get(..digits).unwrap_or(authority));
        match desk {
            Desk::Review => Self::Review(school.to_owned()),
            Desk::Principal => Self::Principal(school.to_owned()),
            Desk::Authority => Self::Department(authority.to_owned()),
            Desk::City => Self::Department(city_above(authority).unwrap_or_else(|| kept(2))),
            Desk::Province => Self::Department(kept(2)),
            Desk::Region(region) => Self::Department(region.as_str().to_owned()),
            Desk::Head => Self::Head(authority.to_owned()),
        }
    }

    /// Region code of the department whose it is; none of a desk of a school.
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Department(region) | Self::Head(region) => Some(region),
            Self::Clerk(_) | Self::Review(_) | Self::Principal(_) => None,
        }
    }

    /// The seat above, to which what waits too long is shown; none above a province.
    #[must_use]
    pub fn above(&self, authority: &str) -> Option<Self> {
        match self {
            Self::Clerk(_) | Self::Review(_) | Self::Principal(_) => Some(Self::Department(authority.to_owned())),
            Self::Department(region) | Self::Head(region) if region.ends_with("0000") => None,
            Self::Department(region) | Self::Head(region) => Some(Self::of(&if region.ends_with("00") { Desk::Province } else { Desk::City }, "", region)),
        }
    }

    /// In Chinese, where the school is known.
    pub fn name(&self) -> String {
        match self {
            Self::Clerk(_) => "学校经办人".to_owned(),
            Self::Review(_) => "学校评审".to_owned(),
            Self::Principal(_) => "校长".to_owned(),
            Self::Department(region) => department(region),
            Self::Head(region) => format!("{}负责人", department(region)),
        }
    }
}

fn department(region: &str) -> String {
    match region::spans(region).last() {
        Some(span) => format!("{}主管部门", span.name),
        None => format!("主管部门（{region}）"),
    }
}

/// The city above a county, where there is one: the code exists, and is no 市辖区 of a municipality nor 省直辖县级行政区划 of a province.
fn city_above(authority: &str) -> Option<String> {
    const MUNICIPALITIES: [&str; 4] = ["11", "12", "31", "50"];
    let city = format!("{}00", authority.get(..4)?);
    let named = region::spans(&city).last().is_some_and(|span| !span.name.contains("直辖"));
    (named && !MUNICIPALITIES.contains(&authority.get(..2)?)).then_some(city)
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clerk(school) => write!(f, "C{school}"),
            Self::Review(school) => write!(f, "R{school}"),
            Self::Principal(school) => write!(f, "P{school}"),
            Self::Department(region) => write!(f, "D{region}"),
            Self::Head(region) => write!(f, "H{region}"),
        }
    }
}

/// A stored seat that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no seat")]
pub struct NoSeat;

impl FromStr for Seat {
    type Err = NoSeat;

    fn from_str(text: &str) -> Result<Self, NoSeat> {
        let (kind, whose) = text.split_at_checked(1).ok_or(NoSeat)?;
        match kind {
            "C" => Ok(Self::Clerk(whose.to_owned())),
            "R" => Ok(Self::Review(whose.to_owned())),
            "P" => Ok(Self::Principal(whose.to_owned())),
            "D" => Ok(Self::Department(whose.to_owned())),
            "H" => Ok(Self::Head(whose.to_owned())),
            _ => Err(NoSeat),
        }
    }
}

/// A step of a dossier: a chain's, once the school is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Whose turn it is.
    pub seat: Seat,
    /// What it does.
    pub duty: Duty,
    /// Working days that it may take.
    pub working_days: u32,
}

/// Where a dossier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It waits at a desk.
    UnderWay,
    /// Nothing in it waits, and something was performed.
    Done,
    /// Everything in it was sent back or refused.
    Returned,
    /// The submitter took it back.
    Recalled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::UnderWay, Self::Done, Self::Returned, Self::Recalled];

    /// The first code of the states in which nothing waits: queries and indexes tell them by it.
    pub const FIRST_CLOSED: i32 = 50;

    /// As stored: those in which nothing waits from [`State::FIRST_CLOSED`] on.
    pub const fn code(self) -> i32 {
        match self {
            Self::UnderWay => 1,
            Self::Done => 51,
            Self::Returned => 52,
            Self::Recalled => 53,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnderWay => "UNDER_WAY",
            Self::Done => "DONE",
            Self::Returned => "RETURNED",
            Self::Recalled => "RECALLED",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnderWay => "在办",
            Self::Done => "已办结",
            Self::Returned => "已退回",
            Self::Recalled => "已撤回",
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "state of a dossier", code })
    }
}

/// Where an item of a dossier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemState {
    /// It waits where its dossier waits.
    Waiting,
    /// Its kind performed it.
    Performed,
    /// A desk sent it back: it may come again in a later dossier.
    SentBack,
    /// A desk refused it.
    Refused,
    /// It left with its dossier, which was recalled.
    Recalled,
}

impl ItemState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Performed, Self::SentBack, Self::Refused, Self::Recalled];

    /// The first code of the states of items that left: the digest doesn't cover them.
    pub const FIRST_LEFT: i32 = 50;

    /// As stored: those that left from [`ItemState::FIRST_LEFT`] on.
    pub const fn code(self) -> i32 {
        match self {
            Self::Waiting => 1,
            Self::Performed => 2,
            Self::SentBack => 51,
            Self::Refused => 52,
            Self::Recalled => 53,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Performed => "PERFORMED",
            Self::SentBack => "SENT_BACK",
            Self::Refused => "REFUSED",
            Self::Recalled => "RECALLED",
        }
    }

    /// From what a client said.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "待办",
            Self::Performed => "已通过",
            Self::SentBack => "已退回",
            Self::Refused => "不予通过",
            Self::Recalled => "已撤回",
        }
    }

    /// Whether it is in its dossier still.
    pub fn is_there(self) -> bool {
        match self {
            Self::Waiting | Self::Performed => true,
            Self::SentBack | Self::Refused | Self::Recalled => false,
        }
    }
}

impl TryFrom<i32> for ItemState {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "state of an item", code })
    }
}

/// What somebody does with a dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// The school submits it.
    Submit,
    /// A department orders what it decides itself; it is performed at once.
    Order,
    /// A desk that decides signs.
    Sign,
    /// A desk sends items back.
    SendBack,
    /// A desk refuses items.
    Refuse,
    /// The school takes it back before anybody signed.
    Recall,
    /// A desk takes note.
    Note,
    /// Somebody of the desk has it from now on.
    HandOver,
    /// The school asks to hurry.
    Nudge,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 9] = [Self::Submit, Self::Order, Self::Sign, Self::SendBack, Self::Refuse, Self::Recall, Self::Note, Self::HandOver, Self::Nudge];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Submit => 1,
            Self::Order => 2,
            Self::Sign => 3,
            Self::SendBack => 4,
            Self::Refuse => 5,
            Self::Recall => 6,
            Self::Note => 7,
            Self::HandOver => 8,
            Self::Nudge => 9,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.code() == code)
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "SUBMIT",
            Self::Order => "ORDER",
            Self::Sign => "SIGN",
            Self::SendBack => "SEND_BACK",
            Self::Refuse => "REFUSE",
            Self::Recall => "RECALL",
            Self::Note => "NOTE",
            Self::HandOver => "HAND_OVER",
            Self::Nudge => "NUDGE",
        }
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "提交",
            Self::Order => "责令办理",
            Self::Sign => "审签",
            Self::SendBack => "退回",
            Self::Refuse => "不予通过",
            Self::Recall => "撤回",
            Self::Note => "备案",
            Self::HandOver => "移交经办",
            Self::Nudge => "催办",
        }
    }
}

impl TryFrom<i32> for Act {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode { of: "act on a dossier", code })
    }
}

/// Where a dossier waits, as far as acts depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waits {
    /// At a desk that decides, and nobody has signed.
    Unsigned,
    /// At a desk that decides, and somebody has signed.
    Signed,
    /// At a desk that takes note.
    Performed,
    /// Nowhere.
    Closed,
}

impl Waits {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Unsigned, Self::Signed, Self::Performed, Self::Closed];

    /// Whether an act is allowed. 审核 goes with signing, sending back and refusing; 备案 with taking note; what has been signed by one
    /// desk is not the submitter's to take back.
    pub fn allows(self, act: Act) -> bool {
        use {Act as A, Waits as W};
        match (self, act) {
            (W::Unsigned | W::Signed, A::Sign | A::SendBack | A::Refuse)
            | (W::Unsigned, A::Recall)
            | (W::Performed, A::Note)
            | (W::Unsigned | W::Signed | W::Performed, A::HandOver | A::Nudge) => true,
            (_, A::Submit | A::Order)
            | (W::Closed, _)
            | (W::Signed | W::Performed, A::Recall)
            | (W::Unsigned | W::Signed, A::Note)
            | (W::Performed, A::Sign | A::SendBack | A::Refuse) => false,
        }
    }
}

/// The step at which the kind performs: the last that decides. `None`: at once.
pub fn performing_step(stands: &[Stand]) -> Option<usize> {
    stands.iter().rposition(|stand| stand.duty == Duty::Decides)
}

/// Where a dossier goes when nothing waits at a step any more: to the next one, or nowhere.
pub fn after(stands: &[Stand], step: usize, performed: bool) -> Option<usize> {
    let next = step + 1;
    let goes_on = match stands.get(next).map(|stand| stand.duty) {
        Some(Duty::Decides) => true,
        // Of what was not performed there is nothing to take note of.
        Some(Duty::Notes) => performed,
        None => false,
    };
    goes_on.then_some(next)
}

/// Covers ids and contents of a dossier's items; 16 hexadecimal digits. The order of items is no part of it.
pub fn digest<'r>(items: impl Iterator<Item = (Uuid, &'r [u8])>) -> String {
    let mut items: Vec<_> = items.collect();
    items.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (id, content) in items {
        hasher.update(id.as_bytes()).update(content);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// The same where papers are enclosed, which are told by a digest of their own: where there are none, it is the digest of the items.
pub fn digest_with<'r>(items: impl Iterator<Item = (Uuid, &'r [u8])>, enclosed: &str) -> String {
    let items = digest(items);
    if enclosed.is_empty() {
        return items;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"xuezhu dossier with what is enclosed").update(items.as_bytes()).update(&[0]).update(enclosed.as_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(text: &str) -> Result<Chain, ChainError> {
        text.parse()
    }

    #[test]
    fn chains_are_read_as_they_are_written() {
        for (text, written) in [
            ("PRINCIPAL, AUTHORITY", "PRINCIPAL/10, AUTHORITY/10"),
            ("PRINCIPAL/3，AUTHORITY/5\nCITY NOTES", "PRINCIPAL/3, AUTHORITY/5, CITY/10 NOTES"),
            (" AUTHORITY , 430100 NOTES,", "AUTHORITY/10, 430100/10 NOTES"),
            ("REVIEW/3,PRINCIPAL,AUTHORITY,HEAD", "REVIEW/3, PRINCIPAL/10, AUTHORITY/10, HEAD/10"),
        ] {
            let read = chain(text).expect(text);
            assert_eq!(read.to_string(), written);
            assert_eq!(chain(written), Ok(read));
        }
        for (text, why) in [
            ("", ChainError::Length),
            ("PRINCIPAL, PRINCIPAL", ChainError::Twice("校长".into())),
            ("PRINCIPAL/0", ChainError::Days),
            ("PRINCIPAL/61", ChainError::Days),
            ("PRINCIPAL/x", ChainError::Days),
            ("CLERK", ChainError::Desk("CLERK".into())),
            ("999999", ChainError::Desk("999999".into())),
            ("PRINCIPAL SIGNS", ChainError::Desk("PRINCIPAL SIGNS".into())),
            ("PRINCIPAL NOTES NOTES", ChainError::Desk("PRINCIPAL NOTES NOTES".into())),
            ("PRINCIPAL NOTES, AUTHORITY", ChainError::NotesFirst),
            ("PRINCIPAL,AUTHORITY,CITY,PROVINCE,430102,430103,430104", ChainError::Length),
        ] {
            assert_eq!(chain(text), Err(why), "{text}");
        }
    }

    #[test]
    fn desks_are_those_of_the_school() {
        let seats = |text: &str, authority: &str| -> Vec<String> {
            chain(text).expect(text).resolved("3643000001", authority).iter().map(|stand| stand.seat.to_string()).collect()
        };
        let three = "PRINCIPAL, AUTHORITY, CITY, PROVINCE NOTES";
        assert_eq!(seats(three, "430102"), ["P3643000001", "D430102", "D430100", "D430000"]);
        assert_eq!(seats(three, "430100"), ["P3643000001", "D430100", "D430000"], "a city's own school waits there once");
        assert_eq!(seats(three, "430000"), ["P3643000001", "D430000"]);
        assert_eq!(seats(three, "110101"), ["P3643000001", "D110101", "D110000"], "a municipality has no cities");
        assert_eq!(seats(three, "429004"), ["P3643000001", "D429004", "D420000"], "a county that the province keeps itself");
        let both = "REVIEW, PRINCIPAL, AUTHORITY, HEAD";
        assert_eq!(seats(both, "430102"), ["R3643000001", "P3643000001", "D430102", "H430102"]);
        let own: Vec<Seat> = chain(both).expect(both).resolved("", "430102").into_iter().map(|stand| stand.seat).collect();
        assert_eq!(own, [Seat::Department("430102".into()), Seat::Head("430102".into())], "a department's own business");
        for seat in ["P3643000001", "C3643000001", "R3643000001", "D430102", "H430102"] {
            let read = seat.parse::<Seat>().expect(seat);
            assert_eq!(read.to_string(), seat);
            let of = if read.region().is_some() { Seat::OF_DEPARTMENTS } else { Seat::OF_SCHOOLS };
            assert!(of.contains(&seat[..1]), "{seat}");
        }
        assert!("X1".parse::<Seat>().is_err() && "".parse::<Seat>().is_err());
    }

    #[test]
    fn above_a_desk_is_the_next_level() {
        let above = |seat: &str, authority: &str| seat.parse::<Seat>().expect("a seat").above(authority).map(|seat| seat.to_string());
        assert_eq!(above("P3643000001", "430102").as_deref(), Some("D430102"));
        assert_eq!(above("R3643000001", "430102").as_deref(), Some("D430102"));
        assert_eq!(above("D430102", "430102").as_deref(), Some("D430100"));
        assert_eq!(above("H430102", "430102").as_deref(), Some("D430100"));
        assert_eq!(above("H430000", "430000"), None);
        assert_eq!(above("D430100", "430102").as_deref(), Some("D430000"));
        assert_eq!(above("D110101", "110101").as_deref(), Some("D110000"));
        assert_eq!(above("D430000", "430102"), None);
    }

    #[test]
    fn every_pair_of_place_and_act_is_decided() {
        let allowed: Vec<(Waits, Act)> =
            Waits::ALL.into_iter().flat_map(|waits| Act::ALL.into_iter().filter(move |act| waits.allows(*act)).map(move |act| (waits, act))).collect();
        use {Act::*, Waits as W};
        assert_eq!(
            allowed,
            [
                (W::Unsigned, Sign),
                (W::Unsigned, SendBack),
                (W::Unsigned, Refuse),
                (W::Unsigned, Recall),
                (W::Unsigned, HandOver),
                (W::Unsigned, Nudge),
                (W::Signed, Sign),
                (W::Signed, SendBack),
                (W::Signed, Refuse),
                (W::Signed, HandOver),
                (W::Signed, Nudge),
                (W::Performed, Note),
                (W::Performed, HandOver),
                (W::Performed, Nudge),
            ]
        );
    }

    #[test]
    fn codes_come_back_and_their_ranges_say_what_they_mean() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
            assert_eq!(State::parse(state.as_str()), Some(state));
            assert_eq!(state == State::UnderWay, state.code() < State::FIRST_CLOSED, "{state:?}");
        }
        for state in ItemState::ALL {
            assert_eq!(ItemState::from_code(state.code()), Some(state));
            assert_eq!(ItemState::parse(state.as_str()), Some(state));
            assert_eq!(state.is_there(), state.code() < ItemState::FIRST_LEFT, "{state:?}");
        }
        assert!(Act::ALL.into_iter().all(|act| Act::from_code(act.code()) == Some(act)));
        assert!(Duty::ALL.into_iter().all(|duty| Duty::from_code(duty.code()) == Some(duty)));
        assert_eq!(State::from_code(0), None, "none is asked for by 0");
    }

    #[test]
    fn a_chain_performs_at_its_last_deciding_desk_and_goes_on_to_those_that_note() {
        let stands = |text: &str| chain(text).expect(text).resolved("3643000001", "430102");
        let three = stands("PRINCIPAL, AUTHORITY, CITY NOTES");
        assert_eq!(performing_step(&three), Some(1));
        assert_eq!((after(&three, 0, false), after(&three, 1, true), after(&three, 1, false), after(&three, 2, true)), (Some(1), Some(2), None, None));
        assert_eq!(performing_step(&stands("AUTHORITY NOTES")), None);
    }

    #[test]
    fn a_digest_is_of_a_set() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let of = |items: &[(Uuid, &[u8])]| digest(items.iter().copied());
        assert_eq!(of(&[(one, b"a"), (two, b"b")]), of(&[(two, b"b"), (one, b"a")]));
        assert_ne!(of(&[(one, b"a"), (two, b"b")]), of(&[(one, b"b"), (two, b"a")]));
        assert_eq!(of(&[]).len(), 16);
    }
}
