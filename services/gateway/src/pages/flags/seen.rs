//! What is seen of a flag: month by month, what the list says beside what enrollment says, and what comes next, for whoever it is shown to.
//! A department may see what the school is shown, beside its own.

use askama::{Template, filters::HtmlSafe};
use xuezhu_domain::{Month, enrollment::PeriodState, text::comparable_name};
use xuezhu_judge::case::Stage;
use xuezhu_proto::aid::{Claim, Evidence, Flag, FoundEnrollment};

use super::advice;
use crate::{
    pages::{head_count, show},
    parts::{Address, Cell, Note, Pairs, Strip, Table, Tone, strip},
};

/// An enrollment with its periods.
#[derive(Debug)]
struct Place {
    title: Cell,
    /// Each with what is said beside it.
    periods: Vec<(String, String)>,
}

/// What is seen of a flag.
#[derive(Debug, Template)]
#[template(path = "flags/seen.html")]
pub struct Seen {
    /// For whom it is, where that is not who looks.
    title: String,
    strip: Strip,
    /// Two counts of a school, where it is about one as a whole.
    heads: Option<Table>,
    /// What the list says; none where it says nothing.
    claim: Option<Pairs>,
    list: Option<Address>,
    /// Why somebody should stand on a list who stands on none.
    entitled: String,
    registered: Option<Pairs>,
    notes: Vec<Note>,
    places: Vec<Place>,
    /// Whether nothing was found.
    nothing: bool,
    person: Option<Address>,
    rivals: Vec<String>,
    /// What whoever it is shown to is told to do next.
    next_act: String,
}

impl HtmlSafe for Seen {}

impl Seen {
    /// As it is told to somebody.
    pub fn of(flag: &Flag, next_act: String) -> Self {
        let evidence = flag.evidence.clone().unwrap_or_default();
        let claimed = evidence.claim.as_ref().map(|claim| claim.name.as_str()).unwrap_or_default();
        let registered = evidence.registered_name.as_str();
        let differs = !registered.is_empty() && !claimed.is_empty() && comparable_name(claimed) != comparable_name(registered);
        let name = |own: &str, other: &str| if differs { Cell::differing(own, other) } else { Cell::strong(own) };
        let found_none = evidence.enrollments.is_empty() && evidence.elsewhere_months.is_empty() && flag.rule == "NO_ENROLLMENT";
        Self {
            title: String::new(),
            strip: strip(flag, &evidence),
            heads: (advice::Stands::of(flag) == advice::Stands::School).then(|| head_count::table(&evidence.heads)),
            claim: evidence.claim.as_ref().map(|claim| pairs(flag, claim, name(claimed, registered))),
            list: (!flag.list.is_empty()).then(|| Address::of(format!("/schools/{}/lists/{}", flag.school, flag.list))),
            entitled: if evidence.claim.is_none() { entitled(&evidence) } else { String::new() },
            registered: (!registered.is_empty()).then(|| Pairs::default().with("登记姓名", name(registered, claimed))),
            notes: notes(&evidence),
            places: evidence.enrollments.iter().map(place).collect(),
            nothing: found_none,
            person: (!flag.person.is_empty()).then(|| Address::of(format!("/students/{}", flag.person))),
            rivals: evidence
                .rivals
                .iter()
                .map(|rival| {
                    let school = if rival.school.is_empty() { "另一所学校".to_owned() } else { format!("学校 {}", rival.school) };
                    format!("{school}：{}", show::months(&rival.months))
                })
                .collect(),
            next_act,
        }
    }

    /// For somebody else than who looks.
    #[must_use]
    pub fn titled(self, title: &str) -> Self {
        Self { title: title.to_owned(), ..self }
    }
}

fn pairs(flag: &Flag, claim: &Claim, name: Cell) -> Pairs {
    let school = if flag.school_name.is_empty() { &flag.school } else { &flag.school_name };
    Pairs::default()
        .with("姓名", name)
        .some("证件号", &claim.id_number)
        .with("月份", show::months(&claim.months))
        .with("录入日期", &claim.recorded_date)
        .with("学校", school)
}

/// By what somebody is entitled, and from when on nothing said of it is an omission.
fn entitled(evidence: &Evidence) -> String {
    let by = match (evidence.entitled_by.as_str(), evidence.entitled_on.as_str()) {
        ("RURAL", "URBAN_RURAL_CODE") => "农村（含县镇）学生（按户口所在地城乡分类代码）",
        ("RURAL", "HOUSEHOLD") => "农村（含县镇）学生（按户口性质）",
        ("RURAL", "RESIDENCE") => "农村（含县镇）学生（按居住地类型）",
        ("RURAL", _) => "农村（含县镇）学生",
        ("SPECIAL_AREA", _) => "特殊困难地区农村（不含县城）学生",
        ("LISTED_MAJOR", _) => "政策所列专业",
        ("EVERYBODY", _) => "全体学生",
        _ => "涉农专业",
    };
    format!("依据：{by}；自 {} 之后算作漏报。", evidence.due_date)
}

fn notes(evidence: &Evidence) -> Vec<Note> {
    let elsewhere =
        (!evidence.elsewhere_months.is_empty()).then(|| format!("所列月份中，{}该生在另一所学校有效就读。", show::months(&evidence.elsewhere_months)));
    let registry = (!evidence.registry.is_empty()).then(|| show::registry(&evidence.registry).to_owned());
    let excluded = evidence.excluded.iter().map(|excluded| {
        let grade = if excluded.reason == "GRADE_NOT_ELIGIBLE" { format!("（本学期为{}年级）", excluded.grade) } else { String::new() };
        format!("{}：{}{grade}。", show::months(&excluded.months), excluded.message)
    });
    let over = evidence.over.iter().map(|over| {
        let (most, claimed) = (show::yuan(&over.month_fen), show::yuan(&over.claimed_fen));
        format!("{}：按政策最高为{}（每月{most}元），名单列了每月{claimed}元。", show::months(&over.months), over.tier)
    });
    let limit = evidence.over_limit.as_ref().map(|limit| {
        let grade = if limit.grade > 0 { format!("{}年级", limit.grade) } else { String::new() };
        let base = if limit.base > 0 { format!("（基数{}人）", limit.base) } else { String::new() };
        format!("{}{grade}的名额为{}人{base}，该生排在名额以外。", limit.place_name, limit.limit)
    });
    let lacks = evidence.lacks_records.then(|| "资助系统收到的学籍记录比学籍系统发出的少，或者旧。".to_owned());
    let papers = evidence.lacks.iter().map(|lack| {
        if lack == "WAIVED" { "该生已书面自愿放弃该项目。".to_owned() } else { "没有登记该生的书面申请（承诺）。".to_owned() }
    });
    let payee = evidence.payee.iter().map(|fault| format!("{}。", fault.message));
    let found = elsewhere.into_iter().chain(registry).chain(excluded).chain(over).chain(limit).chain(payee).chain(lacks).chain(papers);
    found.map(|text| Note::of(Tone::Bad, text)).collect()
}

fn place(place: &FoundEnrollment) -> Place {
    let stage = match Stage::parse(&place.stage) {
        Some(Stage::Submitted) => Some(Cell::mark(Tone::Wait, "已提交，待审")),
        Some(Stage::SentBack) => Some(Cell::mark(Tone::Plain, "已退回")),
        _ => None,
    };
    let period = |period: &xuezhu_proto::aid::StoryPeriod| {
        let to = if period.to.is_empty() { String::new() } else { format!(" 至 {} 前", period.to) };
        (format!("{} {}{to}", show::state(&period.state), period.from), format!("{} {}", period.class_name, period.major_name))
    };
    let title = Cell::strong(&*place.school_name).and(Cell::from(&place.name)).maybe(stage);
    Place { title, periods: place.periods.iter().map(period).collect() }
}

/// The months of the claim: what the list says over what the enrollment says.
fn strip(flag: &Flag, evidence: &Evidence) -> Strip {
    let mut months: Vec<i32> = evidence.claim.as_ref().map(|claim| claim.months.clone()).unwrap_or_default();
    months.extend(&flag.months);
    months.sort_unstable();
    months.dedup();
    let month = |month: i32| {
        let flagged = flag.months.contains(&month);
        let claimed = evidence.claim.as_ref().is_some_and(|claim| claim.months.contains(&month));
        let (place, class) = place_in(evidence, month);
        let claim = match (claimed, flagged) {
            (true, true) => ("bad", "列入·疑点"),
            (true, false) => ("good", "列入"),
            (false, true) => ("bad", "未列入"),
            (false, false) => ("", ""),
        };
        strip::Month { month, lanes: vec![vec![(claim.0, claim.1.to_owned())], vec![(class, place.to_owned())]] }
    };
    Strip { lanes: vec!["名单", "学籍"], months: months.into_iter().map(month).collect() }
}

fn place_in(evidence: &Evidence, month: i32) -> (&'static str, &'static str) {
    if evidence.elsewhere_months.contains(&month) {
        return ("他校在读", "bad");
    }
    let Ok(month) = Month::try_from(month) else { return ("", "") };
    let (begin, end) = (month.first_day().to_string(), month.end().to_string());
    let periods = || evidence.enrollments.iter().flat_map(|enrollment| &enrollment.periods);
    let period = periods()
        .find(|period| period.from <= begin && (period.to.is_empty() || period.to > begin))
        .or_else(|| periods().find(|period| period.from > begin && period.from < end));
    match period.map(|period| PeriodState::parse(&period.state)) {
        Some(PeriodState::InSchool) => ("在读", "good"),
        Some(PeriodState::OnLeave) => ("休学", "wait"),
        Some(PeriodState::Withdrawn | PeriodState::NeverCame | PeriodState::Unknown) => ("已离校", "gone"),
        None if evidence.enrollments.iter().any(|place| Stage::parse(&place.stage) == Some(Stage::Submitted)) => ("待审", "wait"),
        None => ("无", "gone"),
    }
}

/// What a school is told to do next about a flag, whoever asks.
pub fn next_of_school(flag: &Flag) -> String {
    advice::next(flag.state(), advice::about(flag), advice::Stands::of(flag), advice::Looks::Clerk)
}
