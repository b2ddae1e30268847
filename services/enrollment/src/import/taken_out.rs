//! Students as they are taken out, and what a row means that comes back: the one record of the school that its name, 学号 and the end of its
//! number fit. What it says otherwise than the record changes a draft; all else stays as it is.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{codes, text};
use xuezhu_intake::{At, Fault, Findings, Options, Placed, Read, Spot, What};
use xuezhu_service::{Context, Error};
use xuezhu_store::Tx;
use xuezhu_workbook::{BEYOND_HEADER, Cell, Row};

use super::{Keyed, Parsed, Rules, SchoolRules, Student, Students, place as placing, rules};
use crate::{
    registration,
    roll::{self, drafts::Standing},
};

/// What leaves, in the order of the workbook: what a school sorts and counts its students by. Whom a telephone, an address, a family, a day of
/// birth or another number would lead to stays, and so does what is nobody's business outside (health, faith, party, poverty).
pub const COLUMNS: [&str; 17] = [
    "姓名",
    "性别",
    "身份证件类型",
    "身份证件号",
    "班级名称",
    "学号",
    "学生类别",
    "学习形式",
    "入学方式",
    "就读方式",
    "户口性质",
    "学生居住地类型",
    "入学年月",
    "专业简称",
    "学制",
    "学生来源",
    "招生对象",
];

/// A row of a table that was taken out.
#[derive(Debug, Clone)]
pub struct Taken {
    /// What the table's columns say, as they stand in the file.
    cells: HashMap<&'static str, Cell>,
}

impl Taken {
    /// Reads a row. What it may say is looked at once it is known whose it is.
    pub fn read(layout: &rules::Layout, row: &Row) -> Read<Student> {
        let taken = Self { cells: layout.cells(row).map(|(header, cell)| (header, cell.clone())).collect() };
        let (code, why) = BEYOND_HEADER;
        let faults = if row.beyond { vec![Fault::new("", "", code, why)] } else { Vec::new() };
        Read { row: faults.is_empty().then_some(Student::Taken(taken)), faults, doubts: Vec::new() }
    }

    /// Hash of what it says.
    pub fn content(&self) -> [u8; 32] {
        let mut said: Vec<(&str, &str)> = self.cells.iter().map(|(header, cell)| (*header, cell.text.as_str())).collect();
        said.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        for (header, value) in said {
            hasher.update(header.as_bytes()).update(b"=").update(value.as_bytes()).update(b"\n");
        }
        *hasher.finalize().as_bytes()
    }

    /// What a column says, as it is kept.
    fn value(&self, header: &str) -> String {
        self.cells.get(header).map(|cell| rules::normalise(header, &cell.text)).unwrap_or_default()
    }

    /// Whom it may mean: by name and 学号.
    fn whom(&self) -> (String, String) {
        (text::comparable_name(&self.value("姓名")), self.value("学号"))
    }

    /// The cells of the record that it would make of what is stored; none where it says nothing else.
    fn onto(&self, stored: &Columns, major: &str, options: Options) -> Option<Vec<Cell>> {
        let mut differs = false;
        let mut cell = |header: &'static str| {
            let kept = stored.get(header).map(String::as_str).unwrap_or_default();
            let Some(cell) = self.cells.get(header) else { return Cell::text(kept) };
            let said = rules::normalise(header, &cell.text);
            let same = match header {
                "身份证件号" => true,
                "专业简称" => said == kept || said == major,
                _ => said == kept,
            };
            if cell.flaw.is_none() && (same || (said.is_empty() && !options.blank_clears)) {
                return Cell::text(kept);
            }
            differs = true;
            cell.clone()
        };
        let cells = codes::COLUMNS.iter().map(|column| cell(column.header)).collect();
        differs.then_some(cells)
    }
}

/// Says of each row what it does: rows with whole numbers as [`placing`] says, rows that were taken out by the record that they fit.
pub async fn place(
    of: &Students,
    ctx: &Context,
    tx: &mut Tx,
    rules: &Rules,
    rows: &[&At<Student>],
    options: Options,
    found: &mut Findings,
) -> Result<Vec<Placed<Student>>, Error> {
    let Merged { same, made } = merged(of, tx, rules, rows, options, found).await?;
    let mut origins = Vec::with_capacity(rows.len());
    let mut whole: Vec<At<&Keyed>> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let keyed = match &row.row {
            Student::Whole(keyed) => Some(keyed),
            Student::Taken(_) => made.get(&at),
        };
        if let Some(keyed) = keyed {
            origins.push(at);
            whole.push(At { spot: row.spot, row: keyed });
        }
    }
    let mut placed: Vec<Placed<Student>> = same.into_iter().map(|at| Placed { at, what: What::Unchanged }).collect();
    for Placed { at: of_whole, what } in placing::place(of, ctx, tx, &whole, options, found).await? {
        let (at, row) = (origins[of_whole], &whole[of_whole]);
        let taken = matches!(rows[at].row, Student::Taken(_));
        match what {
            // Whoever is in no list of the school any more is no new student for that.
            What::New { .. } if taken => {
                let why = "该生已不在校，导出的表不会重新录入；如确需录入，请用导入模板";
                found.fault(row.spot, &Fault::new("", "", "TAKEN_OUT_GONE", why));
            }
            What::New { item } => placed.push(Placed { at, what: What::New { item } }),
            What::Changed { item, base, before, row: kept } => {
                let kept = kept.or_else(|| taken.then(|| row.row.clone())).map(Student::Whole);
                placed.push(Placed { at, what: What::Changed { item, base, before, row: kept } });
            }
            What::Unchanged => placed.push(Placed { at, what: What::Unchanged }),
        }
    }
    placed.sort_by_key(|placed| placed.at);
    Ok(placed)
}

/// What rows that were taken out make of their records.
#[derive(Default)]
struct Merged {
    /// Rows that say nothing else.
    same: Vec<usize>,
    /// Rows with the record as they would have it.
    made: HashMap<usize, Keyed>,
}

async fn merged(of: &Students, tx: &mut Tx, rules: &Rules, rows: &[&At<Student>], options: Options, found: &mut Findings) -> Result<Merged, Error> {
    let taken: Vec<(usize, Spot, &Taken)> =
        rows.iter().enumerate().filter_map(|(at, row)| if let Student::Taken(taken) = &row.row { Some((at, row.spot, taken)) } else { None }).collect();
    let mut merged = Merged::default();
    if taken.is_empty() {
        return Ok(merged);
    }
    let mut known: HashMap<(String, String), Vec<Uuid>> = HashMap::new();
    for row in registration::all_of_school(tx, &of.school).await? {
        known.entry((row.name_comparable, row.school_number)).or_default().push(row.enrollment);
    }
    let candidates = |taken: &Taken| known.get(&taken.whom()).map_or(&[][..], Vec::as_slice);
    let standing = roll::drafts::standing(tx, taken.iter().flat_map(|(.., taken)| candidates(taken).iter().copied())).await?;
    let stored = standing.iter().map(|(id, standing)| Ok((*id, Stored::of(of, standing)?))).collect::<Result<HashMap<Uuid, Stored>, Error>>()?;
    let (mut met, school) = (HashSet::new(), SchoolRules { school: &of.school, majors: &rules.majors, today: rules.today });
    for (at, spot, row) in taken {
        let end = row.value("身份证件号");
        let fits = |id: &Uuid| stored.get(id).filter(|stored| stored.ends_with(&end)).map(|stored| (*id, stored));
        let mut fitting: Vec<(Uuid, &Stored)> = candidates(row).iter().filter_map(fits).collect();
        if fitting.len() > 1 {
            // Somebody who came again has two records: of two months.
            let month = row.value("入学年月");
            fitting.retain(|(_, stored)| stored.column("入学年月") == month);
        }
        let [(id, record)] = fitting[..] else {
            let why =
                "这一行来自导出的表，证件号已遮盖；按姓名、学号和证件号末位对不上本校唯一的一名学生，没有导入。需要新增或更正的，请用导入模板填写完整的证件号";
            found.fault(spot, &Fault::new("身份证件号", &text::mask(&end), "TAKEN_OUT_UNKNOWN", why));
            continue;
        };
        if !met.insert(id) {
            found.fault(spot, &Fault::new("", "", "DUPLICATE_IN_FILE", "与文件中另一行是同一名学生，请只保留一行"));
            continue;
        }
        let major = codes::major_of_key(&record.major).map_or("", |major| major.name);
        let Some(cells) = row.onto(&record.columns, major, options) else {
            merged.same.push(at);
            continue;
        };
        let (parsed, faults, doubts) = rules::parse(&rules::Layout::whole(), &Row { number: spot.row, cells, hidden: false, beyond: false }, &school);
        for fault in &faults {
            found.fault(spot, fault);
        }
        for doubt in &doubts {
            found.doubt(spot, doubt);
        }
        merged.made.extend(parsed.map(|parsed: Parsed| (at, Keyed::new(&of.parts, parsed))));
    }
    Ok(merged)
}

/// What a record holds, by column.
type Columns = HashMap<&'static str, String>;

/// A record that a row may mean.
struct Stored {
    major: String,
    columns: Columns,
}

impl Stored {
    fn of(of: &Students, standing: &Standing) -> Result<Self, Error> {
        Ok(Self { major: standing.row.major().to_owned(), columns: super::row::columns_of(&standing.row.details(&of.parts)?) })
    }

    fn column(&self, header: &str) -> &str {
        self.columns.get(header).map(String::as_str).unwrap_or_default()
    }

    /// Whether a masked number is the end of the record's.
    fn ends_with(&self, end: &str) -> bool {
        !end.is_empty() && text::mask(self.column("身份证件号")).eq_ignore_ascii_case(end)
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_row_says_what_differs_from_the_record_and_leaves_the_rest() {
        let stored: Columns =
            HashMap::from([("姓名", "王伟"), ("身份证件号", "11010519491231002X"), ("班级名称", "1班"), ("专业简称", "010200"), ("联系电话", "13800000000")])
                .into_iter()
                .map(|(header, value)| (header, value.to_owned()))
                .collect();
        let said = |cells: &[(&'static str, &str)], blank_clears: bool| {
            let taken = Taken { cells: cells.iter().map(|(header, text)| (*header, Cell::text(text))).collect() };
            let options = Options { include_hidden: false, blank_clears };
            let cells = taken.onto(&stored, "现代农艺技术", options)?;
            Some(
                codes::COLUMNS
                    .iter()
                    .zip(cells)
                    .filter(|(_, cell)| !cell.text.is_empty())
                    .map(|(column, cell)| (column.header, cell.text))
                    .collect::<HashMap<_, _>>(),
            )
        };
        let same = [("姓名", " 王伟"), ("身份证件号", "**************002X"), ("班级名称", "1班"), ("专业简称", "现代农艺技术")];
        assert_eq!(said(&same, false), None);
        assert_eq!(said(&[("班级名称", "")], false), None, "blank isn't gone");
        let changed = said(&[("班级名称", "2班"), ("身份证件号", "**************002X")], false).expect("differs");
        let told = |header: &str| changed.get(header).map(String::as_str);
        assert_eq!((told("班级名称"), told("身份证件号"), told("联系电话")), (Some("2班"), Some("11010519491231002X"), Some("13800000000")));
        assert_eq!(said(&[("班级名称", "")], true).and_then(|cells| cells.get("班级名称").cloned()), None, "unless the clerk says so");
        assert!(said(&[("班级名称", "")], true).is_some());
    }

    #[test]
    fn columns_that_leave_are_some_that_go_in_and_lead_to_nobody() {
        let known: Vec<&str> = codes::COLUMNS.iter().map(|column| column.header).collect();
        let mut places = COLUMNS.iter().map(|column| known.iter().position(|known| known == column).expect("goes in"));
        assert!(places.clone().is_sorted() && places.next() == Some(0), "in the order of the workbook");
        for word in ["电话", "地址", "成员", "家庭", "邮", "信箱", "派出所", "区划", "日期", "考", "区间", "拼音", "英文", "健康", "政治", "民族", "贫困"]
        {
            assert!(COLUMNS.iter().all(|column| !column.contains(word)), "{word}");
        }
    }
}
