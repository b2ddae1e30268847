//! What a row of an uploaded list may hold, what may happen to an entry, and what a list's digest covers. Pure.

use chrono::NaiveDate;
use xuezhu_domain::{Fen, IdNumber, Month, codes, money::check_card, region::REGION_UNKNOWN, text};
use xuezhu_workbook::{BEYOND_HEADER, Cell, Column, Flaw, Row, Table};

use xuezhu_judge::{
    amount,
    entry::State,
    policy::{Paid, Rate, Scheme, TermDays},
};

/// Headers by which a header row is known.
pub const MARKS: &[&str] = &["姓名", "身份证件号"];
/// Title of the blank workbook.
pub const TITLE: &str = "资助名单";
/// Its columns.
pub const COLUMNS: [Column; 7] = [
    Column { header: "姓名", required: true, format: "与身份证件一致，2至36字", values: &[] },
    Column { header: "身份证件类型", required: true, format: "居民身份证、户口薄、护照、境外永久居住证、其他等", values: &[] },
    Column { header: "身份证件号", required: true, format: "请用文本格式", values: &[] },
    Column { header: "月份", required: false, format: "如 9-12 或 9,10,1；留空表示整个学期。免学费按学期，请留空", values: &[] },
    Column { header: "档次", required: false, format: "留空为中间档", values: &[] },
    Column { header: "银行卡号", required: false, format: "学生本人的资助卡，请用文本格式", values: &[] },
    Column { header: "备注", required: false, format: "不超过100字", values: &[] },
];
/// Longest remark, in characters.
const REMARK_CHARACTERS: usize = 100;

/// What the clerk can do with an entry. What desks do with what was submitted is the way of a dossier ([`xuezhu_review::way`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The clerk edits.
    Edit,
    /// The clerk takes it off.
    Remove,
    /// The clerk submits.
    Submit,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 3] = [Self::Edit, Self::Remove, Self::Submit];
}

/// What a change makes of a state; `None` where it is not allowed.
pub fn after(state: State, change: Change) -> Option<State> {
    match (state, change) {
        (State::Draft | State::SentBack, Change::Edit) => Some(State::Draft),
        (State::Draft | State::SentBack, Change::Remove) => Some(State::Removed),
        (State::Draft, Change::Submit) => Some(State::Submitted),
        (State::SentBack, Change::Submit) | (State::Submitted | State::Attested | State::Approved | State::Removed, _) => None,
    }
}

/// Where a list stands, by how many of its entries stand where: where the first of those that wait stands. Where none waits, what was
/// decided counts: one that was sent back makes no draft of all that was approved.
pub fn list_state(counts: &[(State, i64)]) -> State {
    let any = |state: State| counts.iter().any(|(of, count)| *of == state && *count > 0);
    let waiting = [State::Submitted, State::Attested, State::Draft].into_iter().find(|state| any(*state));
    waiting.unwrap_or(if any(State::Approved) { State::Approved } else { State::Draft })
}

/// Months as they stand on a sheet: 2026年9月至2027年1月; one by one where some between are missing.
pub fn months_name(months: &[Month]) -> String {
    let name = |month: &Month| format!("{}年{}月", month.year(), month.month());
    match months {
        [first, .., last] if months.windows(2).all(|pair| pair[0].end() == pair[1].first_day()) => format!("{}至{}", name(first), name(last)),
        _ => months.iter().map(name).collect::<Vec<_>>().join("、"),
    }
}

/// A row that can be stored.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Name.
    pub name: String,
    /// Document type.
    pub document: &'static str,
    /// Number.
    pub id: IdNumber,
    /// Months, in order.
    pub months: Vec<Month>,
    /// Tier.
    pub tier: String,
    /// What a month comes to.
    pub month_fen: Fen,
    /// Bank card; empty where none is given.
    pub card: String,
    /// Remark.
    pub remark: String,
}

impl Parsed {
    /// What it comes to.
    pub fn amount(&self) -> Fen {
        amount::of_months(self.month_fen, &self.months)
    }

    /// The content as one text: equal for equal rows.
    pub fn content(&self) -> String {
        let months = self.months.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        format!("{}\n{}\n{}\n{months}\n{}\n{}\n{}", text::tidy_name(&self.name), self.document, self.id.key_text(), self.tier, self.card, self.remark)
    }
}

/// What of an entry that is there stays, where the file says nothing about it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one for each column that may be left out")]
pub struct Kept {
    /// The months: the file has no such column.
    pub months: bool,
    /// The tier: likewise.
    pub tier: bool,
    /// The bank card, where it is blank.
    pub card: bool,
    /// The remark, where it is blank.
    pub remark: bool,
}

impl Kept {
    /// By the columns of a table; a column that it does not have clears nothing.
    pub fn of(table: &Table, blank_clears: bool) -> Self {
        let absent = |header: &str| table.column(header).is_none();
        Self { months: absent("月份"), tier: absent("档次"), card: !blank_clears || absent("银行卡号"), remark: !blank_clears || absent("备注") }
    }
}

/// A problem of a row: column, masked value, stable code, reason.
pub type Problem = (&'static str, String, &'static str, String);

/// What rows are checked against.
pub struct ListRules<'l> {
    /// Scheme.
    pub scheme: &'l Scheme,
    /// Rate in the term.
    pub rate: &'l Rate,
    /// Days of the term.
    pub days: &'l TermDays,
    /// Civil day.
    pub today: NaiveDate,
}

/// Reads a row: what it says, if it can be stored, and everything that is wrong.
pub fn parse(table: &Table, row: &Row, rules: &ListRules) -> (Option<Parsed>, Vec<Problem>) {
    let mut problems: Vec<Problem> = Vec::new();
    if row.beyond {
        let (code, why) = BEYOND_HEADER;
        problems.push(("", String::new(), code, why.into()));
    }
    let cell = |header: &str| table.column(header).and_then(|column| row.cells.get(column)).cloned().unwrap_or_default();
    let mut take = |header: &'static str| -> String {
        let Cell { text, flaw } = cell(header);
        match flaw {
            Some(Flaw::Formula) => problems.push((header, String::new(), "FORMULA", "单元格是公式，请复制后“选择性粘贴为数值”再上传".into())),
            Some(Flaw::ErrorValue) => problems.push((header, text.clone(), "ERROR_VALUE", "单元格是错误值，请重新填写".into())),
            // The identity number itself says so in its own words.
            Some(Flaw::Rounded) if header == "身份证件号" => {}
            Some(Flaw::Rounded) => problems.push((header, text.clone(), "ROUNDED", "单元格是数值格式，末几位已丢失；请将该列设为文本格式后重新录入".into())),
            None => {}
        }
        text
    };
    let name = text::tidy_name(take("姓名").trim_start_matches('\''));
    let document = text::clean(&take("身份证件类型"));
    let number = take("身份证件号");
    let months = text::clean(&take("月份"));
    let tier = text::clean(&take("档次"));
    let card = text::clean_number(&take("银行卡号"));
    let remark = text::clean(&take("备注"));
    if name.is_empty() {
        problems.push(("姓名", String::new(), "REQUIRED", "必填项为空".into()));
    } else if let Some(fault) = text::name_fault(&name) {
        problems.push(("姓名", name.clone(), "NAME", fault));
    }
    let document = codes::document(&document);
    if document.is_none() {
        problems.push(("身份证件类型", String::new(), "NOT_IN_LIST", "不在可选值中，应为：居民身份证、户口薄、护照、境外永久居住证、其他等".into()));
    }
    let id = document.and_then(|document| {
        IdNumber::parse(document, &number, rules.today)
            .map_err(|error| problems.push(("身份证件号", text::mask(&text::clean_number(&number)), error.code(), error.to_string())))
            .ok()
    });
    let months = parse_months(&months, rules).map_err(|why| problems.push(("月份", months.clone(), "MONTHS", why))).ok();
    let found = rules.rate.tier(&tier);
    if found.is_none() {
        let names: Vec<&str> = rules.rate.tiers.iter().map(|tier| tier.name.as_str()).collect();
        problems.push(("档次", tier.clone(), "TIER", format!("没有这个档次，应为：{}，留空为中间档", names.join("、"))));
    }
    if !card.is_empty()
        && let Err(error) = check_card(&card)
    {
        problems.push(("银行卡号", text::mask(&card), "CARD", error.to_string()));
    }
    if remark.chars().count() > REMARK_CHARACTERS {
        problems.push(("备注", String::new(), "TOO_LONG", format!("不能超过{REMARK_CHARACTERS}字")));
    }
    if text::holds_long_number(&remark) {
        problems.push(("备注", text::mask_long_numbers(&remark), "HOLDS_NUMBER", "备注中不要填写证件号、银行卡号或电话号码".into()));
    }
    let parsed = match (id, months, found, document, problems.is_empty()) {
        (Some(id), Some(months), Some(tier), Some(document), true) => {
            Some(Parsed { name, document, id, months, tier: tier.name.clone(), month_fen: rules.rate.month_fen(tier), card, remark })
        }
        _ => None,
    };
    (parsed, problems)
}

/// What is worth a second look in a row that can be stored.
pub fn doubt(parsed: &Parsed) -> Option<Problem> {
    let why = "号码前6位不在历年行政区划（GB/T 2260）中，请对照证件核对；确属新设的区划可以保留";
    parsed.id.region_is_unknown().then(|| ("身份证件号", parsed.id.masked(), REGION_UNKNOWN, why.to_owned()))
}

/// Months of the term: `9-12`, `9,10,1`, `11-1`, `202609`; blank for all.
fn parse_months(typed: &str, rules: &ListRules) -> Result<Vec<Month>, String> {
    let all = &rules.days.months;
    if typed.is_empty() {
        return Ok(all.clone());
    }
    let shown: Vec<String> = all.iter().map(|month| month.month().to_string()).collect();
    if is_date(typed) {
        return Err(format!("“{typed}”是一个日期：表格软件把月份改成了日期，请把该列设为文本格式后重填，写作 9-12 或 9,10"));
    }
    let written = plain_months(typed);
    let place = |text: &str| -> Result<usize, String> {
        let text = text.trim_end_matches('月');
        // With its year: 2026年9, 2026.9.
        let number: Option<i32> = match text.split_once(['年', '.']) {
            Some((year, month)) if year.len() == 4 => year.parse::<i32>().ok().zip(month.parse::<i32>().ok()).map(|(year, month)| year * 100 + month),
            _ => text.parse().ok(),
        };
        let number = number.ok_or_else(|| format!("看不懂“{typed}”，应写作 9-12 或 9,10"))?;
        all.iter()
            .position(|month| month.number() == number || i32::try_from(month.month()) == Ok(number))
            .ok_or_else(|| format!("{text}月不在本学期的发放月份（{}）中", shown.join("、")))
    };
    let mut wanted = vec![false; all.len()];
    for part in written.split(',').filter(|part| !part.is_empty()) {
        let (from, to) = match part.split_once('-') {
            Some((from, to)) => (place(from)?, place(to)?),
            None => (place(part)?, place(part)?),
        };
        if from > to {
            return Err(format!("“{part}”的起止月份颠倒"));
        }
        wanted[from..=to].fill(true);
    }
    let months: Vec<Month> = all.iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(month, _)| *month).collect();
    if rules.scheme.paid == Paid::Term && months.len() != all.len() {
        return Err("免学费按学期享受，月份请留空".into());
    }
    if months.is_empty() { Err(format!("看不懂“{typed}”，应写作 9-12 或 9,10")) } else { Ok(months) }
}

/// A day, as cells of dates are read: `20260912`.
fn is_date(typed: &str) -> bool {
    typed.len() == 8 && NaiveDate::parse_from_str(typed, "%Y%m%d").is_ok()
}

/// Months with one kind of dash, comma and digit, however they were typed.
fn plain_months(typed: &str) -> String {
    let one = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        '－' | '–' | '—' | '―' | '‐' | '‑' | '−' | '~' | '～' | '〜' | '到' | '至' => '-',
        '，' | '、' | '；' | ';' | '和' | '及' | '与' | '\n' => ',',
        '．' => '.',
        other => other,
    };
    let mut written = typed.replace("月份", "月").chars().map(one).filter(|c| !c.is_whitespace()).collect::<String>();
    while written.contains("--") {
        written = written.replace("--", "-");
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use xuezhu_domain::Term;
    use xuezhu_judge::{
        entry::Meaning,
        policy::{Policies, SchemeCode},
    };

    #[test]
    fn a_state_is_its_code_and_its_meaning_a_range_of_codes() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
            assert_eq!(State::parse(state.as_str()), Some(state));
            let by_code = match state.code() {
                ..=State::LAST_CLERKS => Meaning::Clerks,
                State::FIRST_REMOVED.. => Meaning::Removed,
                _ => Meaning::Submitted,
            };
            assert_eq!(state.meaning(), by_code, "{state:?}");
            assert_eq!(by_code == Meaning::Clerks, after(state, Change::Edit).is_some(), "{state:?}");
            assert!(by_code != Meaning::Removed || Change::ALL.into_iter().all(|change| after(state, change).is_none()), "{state:?}");
        }
        assert!(State::from_code(0).is_none() && State::LAST_CLERKS < State::FIRST_REMOVED, "none is asked for by 0");
    }

    #[test]
    fn every_pair_of_state_and_change_is_decided() {
        use {Change::*, State::*};
        let allowed: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|state| Change::ALL.into_iter().filter_map(move |change| after(state, change).map(|next| (state, change, next))))
            .collect();
        assert_eq!(
            allowed,
            [(Draft, Edit, Draft), (Draft, Remove, Removed), (Draft, Submit, Submitted), (SentBack, Edit, Draft), (SentBack, Remove, Removed),]
        );
    }

    #[test]
    fn a_list_stands_where_the_first_of_what_waits_does() {
        use State::{Approved, Attested, Draft, Removed, SentBack, Submitted};
        for (counts, stands) in [
            (&[][..], Draft),
            (&[(Draft, 1)], Draft),
            (&[(SentBack, 3)], Draft),
            (&[(Removed, 3)], Draft),
            (&[(Approved, 5_977), (SentBack, 1)], Approved),
            (&[(Approved, 1), (SentBack, 0), (Draft, 0)], Approved),
            (&[(Approved, 5_977), (Draft, 1)], Draft),
            (&[(Approved, 1), (Attested, 1), (SentBack, 1)], Attested),
            (&[(Draft, 1), (Attested, 1), (Approved, 1)], Attested),
            (&[(Attested, 1), (Submitted, 1), (Draft, 1)], Submitted),
            (&[(Submitted, 1), (SentBack, 1)], Submitted),
        ] {
            assert_eq!(list_state(counts), stands, "{counts:?}");
        }
    }

    #[test]
    fn months_are_written_as_they_are_read() {
        let months = |numbers: &[i32]| months_name(&numbers.iter().filter_map(|number| Month::try_from(*number).ok()).collect::<Vec<_>>());
        assert_eq!(months(&[202_609, 202_610, 202_611, 202_612, 202_701]), "2026年9月至2027年1月");
        assert_eq!(months(&[202_609, 202_611]), "2026年9月、2026年11月");
        assert_eq!((months(&[202_609]), months(&[])), ("2026年9月".to_owned(), String::new()));
    }

    fn with_rules<T>(code: SchemeCode, check: impl Fn(&ListRules) -> T) -> T {
        let policies = Policies::built_in();
        let term: Term = "2016-AUTUMN".parse().expect("a term");
        let scheme = policies.scheme(code);
        let rules = ListRules {
            scheme,
            rate: scheme.rate_in(term).expect("covered"),
            days: &policies.days(term).expect("a season"),
            today: NaiveDate::from_ymd_opt(2016, 9, 20).expect("a date"),
        };
        check(&rules)
    }

    #[test]
    fn months_are_read_as_people_write_them() {
        with_rules(SchemeCode::Grant, |rules| {
            for (typed, read) in [
                ("", Some(vec![201_609, 201_610, 201_611, 201_612, 201_701])),
                ("9-12", Some(vec![201_609, 201_610, 201_611, 201_612])),
                ("11-1", Some(vec![201_611, 201_612, 201_701])),
                ("9,10月、1", Some(vec![201_609, 201_610, 201_701])),
                ("201612", Some(vec![201_612])),
                ("9–12", Some(vec![201_609, 201_610, 201_611, 201_612])),
                ("9——12月", Some(vec![201_609, 201_610, 201_611, 201_612])),
                ("9月份至12月份", Some(vec![201_609, 201_610, 201_611, 201_612])),
                ("9到12", Some(vec![201_609, 201_610, 201_611, 201_612])),
                ("９－１２", Some(vec![201_609, 201_610, 201_611, 201_612])),
                ("2016.9-2017.1", Some(vec![201_609, 201_610, 201_611, 201_612, 201_701])),
                ("2016年9月 — 2017年1月", Some(vec![201_609, 201_610, 201_611, 201_612, 201_701])),
                ("201609-201612", Some(vec![201_609, 201_610, 201_611, 201_612])),
                ("9月，10月和11月", Some(vec![201_609, 201_610, 201_611])),
                ("2015年9月", None),
                ("20161209", None),
                ("9.1", None),
                ("910", None),
                ("3", None),
                ("12-9", None),
                ("九月", None),
                (",", None),
            ] {
                let months = parse_months(typed, rules).ok().map(|months| months.iter().map(|month| month.number()).collect::<Vec<_>>());
                assert_eq!(months, read, "{typed}");
            }
        });
        with_rules(SchemeCode::TuitionWaiver, |rules| {
            assert!(parse_months("9-10", rules).is_err() && parse_months("9-1", rules).is_ok());
        });
    }

    #[test]
    fn rows_are_read_or_every_fault_is_told() {
        with_rules(SchemeCode::Grant, |rules| {
            let headers: Vec<String> = COLUMNS.iter().map(|column| column.header.to_owned()).collect();
            let table = Table { sheet: String::new(), headers, rows: Vec::new(), hidden: false, furniture: Vec::new(), blind: false };
            let row = |cells: [&str; 7]| Row { number: 4, hidden: false, beyond: false, cells: cells.iter().map(|cell| Cell::text(cell)).collect() };
            let (parsed, problems) = parse(&table, &row(["王　伟", "居民身份证", "11010519491231002x", "9-10", "", "6222600260001072444", ""]), rules);
            assert_eq!(problems, []);
            let parsed = parsed.expect("is right");
            assert_eq!((parsed.amount(), parsed.tier.as_str()), (Fen(40_000), "二档"));
            let (parsed, problems) = parse(&table, &row(["王", "学生证", "1", "3", "特等", "62", ""]), rules);
            assert!(parsed.is_none());
            assert_eq!(problems.iter().map(|problem| problem.2).collect::<Vec<_>>(), ["NAME", "NOT_IN_LIST", "MONTHS", "TIER", "CARD"]);
        });
    }
}
