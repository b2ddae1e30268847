//! What a row of an uploaded list may hold. Pure.

use chrono::NaiveDate;
use xuezhu_domain::{Fen, IdNumber, Month, text};
use xuezhu_intake::Fault;
use xuezhu_judge::{
    amount,
    policy::{Paid, Rate, TermDays, Tier},
};
use xuezhu_workbook::{Column, Row, Table};

use crate::{
    award::rules::{card_fault, holder_fault, remark_fault},
    cells::{self, Cells, NAMED, Places},
};

/// Title of the blank workbook.
pub const TITLE: &str = "资助名单";
/// Its columns.
pub const COLUMNS: [Column; 8] = [
    NAMED[0],
    NAMED[1],
    NAMED[2],
    Column { header: "月份", required: false, format: "如 9-12 或 9,10,1；留空表示整个学期。免学费按学期，请留空", values: &[] },
    Column { header: "档次", required: false, format: "留空为中间档", values: &[] },
    Column { header: "银行卡号", required: false, format: "学生本人的资助卡，请用文本格式", values: &[] },
    Column { header: "开户名", required: false, format: "银行卡的户名，与姓名一致；可以留空", values: &[] },
    Column { header: "备注", required: false, format: "不超过100字", values: &[] },
];

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
    /// Whose it is; empty where that is not said.
    pub holder: String,
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
        let content =
            format!("{}\n{}\n{}\n{months}\n{}\n{}\n{}", text::tidy_name(&self.name), self.document, self.id.key_text(), self.tier, self.card, self.remark);
        with_holder(content, &self.holder)
    }
}

/// The content of an entry with whose its card is, where that is said.
pub fn with_holder(content: String, holder: &str) -> String {
    if holder.is_empty() { content } else { format!("{content}\nholder {holder}") }
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
    /// Whose it is, where it is blank.
    pub holder: bool,
    /// The remark, where it is blank.
    pub remark: bool,
}

impl Kept {
    /// By the columns of a table; a column that it does not have clears nothing.
    pub fn of(table: &Table, blank_clears: bool) -> Self {
        let absent = |header: &str| table.column(header).is_none();
        let stays = |header: &str| !blank_clears || absent(header);
        Self { months: absent("月份"), tier: absent("档次"), card: stays("银行卡号"), holder: stays("开户名"), remark: stays("备注") }
    }
}

/// What rows are checked against.
#[derive(Debug, Clone, PartialEq)]
pub struct ListRules {
    /// By what the scheme goes.
    pub paid: Paid,
    /// Rate in the term.
    pub rate: Rate,
    /// Days of the term.
    pub days: TermDays,
    /// Civil day.
    pub today: NaiveDate,
}

/// Where a table's columns are, and what stays where it has none.
#[derive(Debug)]
pub struct Layout {
    places: Places,
    /// What stays.
    pub kept: Kept,
}

impl Layout {
    /// Finds the columns by their headers.
    pub fn new(table: &Table, blank_clears: bool) -> Self {
        Self { places: cells::places(table, &COLUMNS), kept: Kept::of(table, blank_clears) }
    }
}

/// A row while it is read.
struct Reader<'r> {
    cells: Cells<'r>,
}

impl Reader<'_> {
    fn tier<'l>(&mut self, rules: &'l ListRules) -> Option<&'l Tier> {
        let typed = text::clean(&self.cells.take("档次"));
        let found = rules.rate.tier(&typed);
        if found.is_none() {
            let names: Vec<&str> = rules.rate.tiers.iter().map(|tier| tier.name.as_str()).collect();
            let why = format!("没有这个档次，应为：{}，留空为中间档", names.join("、"));
            self.cells.faults.push(Fault::new("档次", &typed, "TIER", why).proposing(text::nearest(&typed, names.iter().copied())));
        }
        found
    }

    fn card(&mut self) -> String {
        let card = text::clean_number(&self.cells.take("银行卡号"));
        if let Some((code, why)) = card_fault(&card) {
            self.cells.fault("银行卡号", &text::mask(&card), code, why);
        }
        card
    }

    fn holder(&mut self) -> String {
        let holder = text::tidy_name(&self.cells.take("开户名"));
        if let Some((code, why)) = holder_fault(&holder) {
            self.cells.fault("开户名", &text::mask_long_numbers(&holder), code, why);
        }
        holder
    }

    fn remark(&mut self) -> String {
        let remark = text::clean(&self.cells.take("备注"));
        if let Some((code, why)) = remark_fault(&remark) {
            let shown = if code == "HOLDS_NUMBER" { remark.as_str() } else { "" };
            self.cells.fault("备注", shown, code, why);
        }
        remark
    }
}

/// Reads a row: what it says, if it can be stored, and everything that is wrong.
pub fn parse(layout: &Layout, row: &Row, rules: &ListRules) -> (Option<Parsed>, Vec<Fault>) {
    let mut reader = Reader { cells: Cells::of(&layout.places, row) };
    let name = reader.cells.name();
    let identity = reader.cells.identity(rules.today);
    let typed = text::clean(&reader.cells.take("月份"));
    let months = parse_months(&typed, rules).map_err(|why| reader.cells.fault("月份", &typed, "MONTHS", why)).ok();
    let tier = reader.tier(rules);
    let (card, holder, remark) = (reader.card(), reader.holder(), reader.remark());
    let parsed = match (identity, months, tier, reader.cells.faults.is_empty()) {
        (Some((id, document)), Some(months), Some(tier), true) => {
            Some(Parsed { name, document, id, months, tier: tier.name.clone(), month_fen: rules.rate.month_fen(tier), card, holder, remark })
        }
        _ => None,
    };
    (parsed, reader.cells.faults)
}

/// What is worth a second look in a row that can be stored.
pub fn doubt(parsed: &Parsed) -> Option<Fault> {
    cells::doubt(&parsed.id)
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
    if rules.paid == Paid::Term && months.len() != all.len() {
        return Err("该项目按学期享受，月份请留空".into());
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
    use xuezhu_judge::policy::{Policy, SchemeCode};
    use xuezhu_workbook::Cell;

    fn with_rules<T>(code: SchemeCode, check: impl Fn(&ListRules) -> T) -> T {
        let policy = Policy::built_in();
        let term: Term = "2016-AUTUMN".parse().expect("a term");
        let scheme = policy.scheme(code).expect("is there");
        let rules = ListRules {
            paid: scheme.paid,
            rate: scheme.rate_in(term, "").expect("covered").clone(),
            days: policy.days(term, "").expect("a season"),
            today: NaiveDate::from_ymd_opt(2016, 9, 20).expect("a date"),
        };
        check(&rules)
    }

    #[test]
    fn months_are_read_as_people_write_them() {
        with_rules(SchemeCode::GRANT, |rules| {
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
        with_rules(SchemeCode::TUITION_WAIVER, |rules| {
            assert!(parse_months("9-10", rules).is_err() && parse_months("9-1", rules).is_ok());
        });
    }

    #[test]
    fn rows_are_read_or_every_fault_is_told() {
        with_rules(SchemeCode::GRANT, |rules| {
            let headers: Vec<String> = COLUMNS.iter().map(|column| column.header.to_owned()).collect();
            let table = Table { sheet: String::new(), headers, rows: Vec::new(), hidden: false, furniture: Vec::new(), taken_out: false, blind: false };
            let layout = Layout::new(&table, false);
            let row = |cells: [&str; 7]| Row { number: 4, hidden: false, beyond: false, cells: cells.iter().map(|cell| Cell::text(cell)).collect() };
            let (parsed, problems) = parse(&layout, &row(["王　伟", "居民身份证", "11010519491231002x", "9-10", "", "6222600260001072444", ""]), rules);
            assert_eq!(problems, []);
            let parsed = parsed.expect("is right");
            assert_eq!((parsed.amount(), parsed.tier.as_str()), (Fen(40_000), "二档"));
            let (parsed, problems) = parse(&layout, &row(["王", "学生证", "1", "3", "特等", "62", ""]), rules);
            assert!(parsed.is_none());
            assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["NAME", "NOT_IN_LIST", "MONTHS", "TIER", "CARD"]);
        });
    }
}
