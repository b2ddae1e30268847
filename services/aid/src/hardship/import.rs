//! Levels of hardship as a file: a student a row, with what is known of the family, entered as one by one. What is with the clerk already is entered anew.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::{
    Fen, IdNumber,
    codes::FAMILY_GROUPS,
    text::{clean, clean_date, comparable_name},
};
use xuezhu_intake::{About, Act, At, Effect, Fault, Findings, GONE, KEPT, Kind, Of, Options, Placed, Read, Sheet, What, Work};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Reason, Refusal};
use xuezhu_store::{Bytes, StoreError, Tx};
use xuezhu_workbook::{Column, Row, Table};

use super::{
    Student,
    rules::{Family, State, school_year_of, span},
    store::{self, LevelRow},
    students_of_keys,
};
use crate::{
    Parts,
    cells::{self, Cells, NAMED, Places},
    mirror, reconciliation,
};

/// What a cell says where a level ends.
const ENDS: &str = "不再困难";
/// Columns of the file.
const COLUMNS: [Column<'static>; 13] = [
    NAMED[0],
    NAMED[1],
    NAMED[2],
    Column {
        header: "困难等级", required: true, format: "现行政策规定的等级；不再困难的填“不再困难”，后面各列不填", values: &[]
    },
    Column { header: "自何日起", required: false, format: "如 2026-10-08；不填为本学期第一天", values: &[] },
    Column { header: "特殊群体", required: false, format: "几类用顿号隔开，如 低保、残疾", values: &[] },
    Column { header: "家庭人口", required: false, format: "含学生本人", values: &[] },
    Column { header: "赡养人口", required: false, format: "人数", values: &[] },
    Column { header: "劳动力人口", required: false, format: "人数", values: &[] },
    Column { header: "人均月收入（元）", required: false, format: "如 450；没有收入的填0", values: &[] },
    Column { header: "主要收入来源", required: false, format: "如 务农", values: &[] },
    Column { header: "困难原因", required: false, format: "选了特殊群体的可以不填", values: &[] },
    Column { header: "已签承诺书", required: false, format: "是 或 否", values: &["是", "否"] },
];

/// The column of a field that is told to be wrong.
fn column_of(field: &str) -> &'static str {
    match field {
        "from_date" | "school_year" => "自何日起",
        "groups" => "特殊群体",
        "members" => "家庭人口",
        "dependants" => "赡养人口",
        "earners" => "劳动力人口",
        "income_fen" => "人均月收入（元）",
        "income_source" => "主要收入来源",
        "cause" => "困难原因",
        "pledged" => "已签承诺书",
        _ => "困难等级",
    }
}

/// What rows are checked against.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    levels: Vec<String>,
    today: NaiveDate,
}

/// What a row says.
#[derive(Debug, Clone)]
struct Parsed {
    name: String,
    id: IdNumber,
    /// Empty where the level ends.
    level: String,
    from: NaiveDate,
    to: NaiveDate,
    family: Family,
}

/// A row that can be stored, with what it is found by.
#[derive(Debug, Clone)]
pub struct Keyed {
    key: Uuid,
    content: [u8; 32],
    row: Parsed,
}

/// What stood with the clerk before a file was written.
#[derive(Debug, Serialize, Deserialize)]
struct Stood {
    level: String,
    from: NaiveDate,
    to: NaiveDate,
    circumstances: Bytes,
    reason: String,
}

fn parse(places: &Places, row: &Row, rules: &Rules) -> (Option<Parsed>, Vec<Fault>) {
    let mut cells = Cells::of(places, row);
    let name = cells.name();
    let identity = cells.identity(rules.today);
    let level = clean(&cells.take("困难等级"));
    let ends = level == ENDS;
    if level.is_empty() {
        cells.fault("困难等级", "", "REQUIRED", "必填项为空");
    } else if !ends && !rules.levels.contains(&level) {
        let why = format!("没有这个等级，应为：{}、{ENDS}", rules.levels.join("、"));
        let near = xuezhu_domain::text::nearest(&level, rules.levels.iter().map(String::as_str));
        cells.faults.push(Fault::new("困难等级", &level, "NOT_IN_LIST", why).proposing(near));
    }
    let typed = clean_date(&cells.take("自何日起"));
    let from = match NaiveDate::parse_from_str(&typed, "%Y%m%d") {
        Ok(day) => Some(day),
        Err(_) if typed.is_empty() => None,
        Err(_) => {
            cells.fault("自何日起", &typed, "DATE", "不是日期，应写作 2026-10-08");
            None
        }
    };
    let mut errors = FieldErrors::default();
    let held = span(school_year_of(rules.today), from, ends, rules.today).map_err(|(field, why)| errors.add(field, why)).ok();
    let family = family(&mut cells);
    match (ends, family == Family::default()) {
        (true, false) => errors.add("members", "不再困难的，不填家庭经济信息"),
        (true, true) => {}
        (false, _) => family.check(&mut errors),
    }
    if let Err(Error::Refused(refusal)) = errors.check() {
        for (field, why) in refusal.fields {
            let column = column_of(&field);
            if cells.faults.iter().all(|fault| fault.column() != column) {
                cells.fault(column, "", "INVALID", why);
            }
        }
    }
    let parsed = match (identity, held, cells.faults.is_empty()) {
        (Some((id, _)), Some((from, to)), true) => Some(Parsed { name, id, level: if ends { String::new() } else { level }, from, to, family }),
        _ => None,
    };
    (parsed, cells.faults)
}

fn family(cells: &mut Cells<'_>) -> Family {
    let groups = clean(&cells.take("特殊群体"));
    let groups = groups.split(['、', '，', ',', ';', '；', ' ']).filter(|group| !group.is_empty()).map(str::to_owned).collect();
    let mut number = |header: &'static str| {
        let typed = clean(&cells.take(header));
        match typed.parse::<i32>() {
            Ok(count) => count,
            Err(_) if typed.is_empty() => 0,
            Err(_) => {
                cells.fault(header, &typed, "NUMBER", "应为整数");
                0
            }
        }
    };
    let (members, dependants, earners) = (number("家庭人口"), number("赡养人口"), number("劳动力人口"));
    let typed = clean(&cells.take("人均月收入（元）"));
    let income_fen = if typed.is_empty() {
        None
    } else {
        let read = Fen::from_yuan(&typed).map(|fen| fen.0);
        if read.is_none() {
            cells.fault("人均月收入（元）", &typed, "NUMBER", "应为元数，如 450 或 450.50");
        }
        read
    };
    let pledged = match clean(&cells.take("已签承诺书")).as_str() {
        "是" => true,
        "" | "否" => false,
        other => {
            cells.fault("已签承诺书", other, "NOT_IN_LIST", "应为：是、否");
            false
        }
    };
    let (income_source, cause) = (cells.take("主要收入来源"), cells.take("困难原因"));
    Family { groups, members, dependants, earners, income_fen, income_source, cause, pledged }.tidy()
}

/// Levels of a school, as a file.
#[derive(Debug, Clone)]
pub struct Levels {
    /// What the use cases need.
    pub parts: Arc<Parts>,
    /// The school.
    pub school: String,
}

impl Levels {
    /// Whom it is said of is no part of it: a student may go by several numbers.
    fn content_of(&self, (level, from, to): (&str, NaiveDate, NaiveDate), family: &Family) -> [u8; 32] {
        let family = serde_json::to_string(family).unwrap_or_default();
        self.parts.keyring.content_hash(format!("{level}\n{from}\n{to}\n{family}").as_bytes())
    }

    /// What stands with the clerk, as a file would say it.
    fn content_now(&self, row: &LevelRow) -> [u8; 32] {
        let plain = self.parts.keyring.open("family", &[row.determination], &row.circumstances_sealed);
        let family = plain.and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default();
        self.content_of((&row.level, row.from_day, row.to_day), &family)
    }

    fn entered(&self, ctx: &Context, determination: Uuid, row: &Parsed, student: &Student) -> Result<LevelRow, Error> {
        let plain = serde_json::to_vec(&row.family).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(LevelRow {
            determination,
            dossier: None,
            school: self.school.clone(),
            school_year: school_year_of(ctx.today()),
            person_key: student.key,
            name_comparable: comparable_name(&student.name),
            name: student.name.clone(),
            class_name: student.class_name.clone(),
            level: row.level.clone(),
            from_day: row.from,
            to_day: row.to,
            circumstances_sealed: self.parts.keyring.seal("family", &[determination], &plain),
            state: State::Draft,
            reason: String::new(),
            recorded_day: ctx.today(),
            recorded_at_us: ctx.now_us(),
            cut_day: None,
        })
    }
}

impl Kind for Levels {
    const ABOUT: About = About {
        code: 6,
        import: "ImportHardship",
        commit: "CommitHardshipImport",
        report: "GetHardshipImport",
        list: "ListHardshipImports",
        marked: "DownloadMarkedHardship",
        take_back: "TakeBackHardshipImport",
    };
    type Rules = Rules;
    type Layout = Places;
    type Row = Keyed;

    fn sheet() -> Sheet {
        let notes = vec![
            "一人一行，从第4行起填写；列的顺序可以调整，表头文字不能改动。认定本学年的等级。".to_owned(),
            format!("特殊群体可填：{}。", FAMILY_GROUPS.join("、")),
            "学生或监护人签了承诺书才能认定，承诺书由学校留存。写入后在“困难认定”页一起提交校长签核。".to_owned(),
        ];
        Sheet { title: "困难认定", notes, columns: COLUMNS.to_vec(), marks: cells::MARKS, taken_out: false }
    }

    fn of(&self) -> Of {
        Of::all(&self.school, "hardship levels")
    }

    fn may<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, act: Act) -> Work<'t, ()> {
        let permission = match act {
            Act::Enter => Permission::EnterForSchool,
            Act::Read => Permission::ReadFamily,
        };
        Box::pin(async move { mirror::school_for(ctx, tx, &self.school, permission).await.map(drop) })
    }

    fn rules<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx) -> Work<'t, Rules> {
        Box::pin(async move { Ok(Rules { levels: super::levels(ctx, &self.parts)?, today: ctx.today() }) })
    }

    fn layout(&self, table: &Table, _: Options) -> Places {
        cells::places(table, &COLUMNS)
    }

    fn read(&self, rules: &Rules, layout: &Places, row: &Row) -> Read<Keyed> {
        let (parsed, faults) = parse(layout, row, rules);
        let doubts = parsed.as_ref().and_then(|row| cells::doubt(&row.id)).into_iter().collect();
        let keyed = |row: Parsed| {
            let key = self.parts.keyring.person_key(&row.id).0;
            let content = self.content_of((&row.level, row.from, row.to), &row.family);
            Keyed { key, content, row }
        };
        Read { row: parsed.map(keyed), faults, doubts }
    }

    fn content(row: &Keyed) -> [u8; 32] {
        row.content
    }

    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        _: &'t Rules,
        rows: &'t [&'t At<Keyed>],
        _: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Keyed>>> {
        Box::pin(async move {
            let keys: Vec<Uuid> = rows.iter().map(|at| at.row.key).collect();
            let students = students_of_keys(ctx, tx, &self.school, &keys).await?;
            let own: Vec<Uuid> = students.values().map(|student| student.key).collect();
            // Two who enter for one student at once take turns.
            reconciliation::lock_keys(tx, &own).await?;
            let under_way: HashMap<Uuid, LevelRow> =
                store::all_under_way(tx, &self.school, &own, school_year_of(ctx.today())).await?.into_iter().map(|row| (row.person_key, row)).collect();
            let held: HashSet<Uuid> = store::holding(tx, &own, ctx.today()).await?.into_iter().map(|(key,)| key).collect();
            let mut seen: HashMap<Uuid, u32> = HashMap::new();
            let mut placed = Vec::new();
            for (at, At { spot, row }) in rows.iter().enumerate() {
                match self.what(ctx, row, (&students, &under_way, &held), (&mut seen, spot.row))? {
                    Ok(what) => placed.push(Placed { at, what }),
                    Err(fault) => found.fault(*spot, &fault),
                }
            }
            Ok(placed)
        })
    }

    fn write<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: &'t Rules, new: &'t [(Uuid, &'t Keyed)], changed: &'t [(Uuid, &'t Keyed)]) -> Work<'t, ()> {
        Box::pin(async move {
            // Rows come as they were read: whom they mean is looked up once more, in this transaction.
            let keys: Vec<Uuid> = new.iter().chain(changed).map(|(_, row)| row.key).collect();
            let students = students_of_keys(ctx, tx, &self.school, &keys).await?;
            let entered = |rows: &[(Uuid, &Keyed)]| {
                let of =
                    |(id, keyed): &(Uuid, &Keyed)| self.entered(ctx, *id, &keyed.row, students.get(&keyed.key).ok_or(StoreError::Corrupt("whom a row means"))?);
                rows.iter().map(of).collect::<Result<Vec<_>, Error>>()
            };
            let (new, changed) = (entered(new)?, entered(changed)?);
            for row in &new {
                store::insert(tx, row).await?;
            }
            for row in &changed {
                if store::enter_again(tx, row).await? == 0 {
                    return Err(Refusal::new(Reason::Conflict, format!("“{}”的认定刚刚有变化，请刷新后重试", row.name)).into());
                }
            }
            Ok(())
        })
    }

    fn take_back<'t>(&'t self, _: &'t Context, tx: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>> {
        Box::pin(async move {
            let ids: Vec<Uuid> = effects.iter().map(|effect| effect.item).collect();
            // Whoever submits these now takes turns with this.
            let keys: Vec<Uuid> = store::keys_of(tx, &self.school, &ids).await?.into_iter().map(|(key,)| key).collect();
            reconciliation::lock_keys(tx, &keys).await?;
            let mut kept = Vec::new();
            for effect in effects {
                let now = store::level(tx, &self.school, effect.item).await?.filter(|row| row.state != State::Dropped);
                let Some(now) = now else {
                    kept.push((effect.item, Fault::new("", "", GONE, "该认定已移除，没有可撤回的内容")));
                    continue;
                };
                if now.state != State::Draft {
                    kept.push((effect.item, Fault::new("", "", KEPT, format!("“{}”的认定已提交，不能撤回", now.name))));
                } else if self.content_now(&now) != effect.content[..] {
                    kept.push((effect.item, Fault::new("", "", KEPT, format!("“{}”的认定在这次导入之后又改过，不能撤回", now.name))));
                } else if let Some(before) = &effect.before {
                    let stood: Stood = serde_json::from_slice(before).map_err(|_| StoreError::Corrupt("what stood before an import"))?;
                    let Stood { level, from, to, circumstances, reason } = stood;
                    store::enter_again(tx, &LevelRow { level, from_day: from, to_day: to, circumstances_sealed: circumstances.0, reason, ..now }).await?;
                } else {
                    store::forget(tx, effect.item).await?;
                }
            }
            Ok(kept)
        })
    }
}

/// Who is meant by which number, what is under way for whom, and who has a level.
type Known<'k> = (&'k HashMap<Uuid, Student>, &'k HashMap<Uuid, LevelRow>, &'k HashSet<Uuid>);

impl Levels {
    /// What a row does.
    fn what(
        &self,
        ctx: &Context,
        keyed: &Keyed,
        (students, under_way, held): Known<'_>,
        (seen, row): (&mut HashMap<Uuid, u32>, u32),
    ) -> Result<Result<What<Keyed>, Fault>, Error> {
        let number = keyed.row.id.masked();
        let Some(student) = students.get(&keyed.key) else {
            let why = "该生今天不在本校的学籍中（或学籍尚未批准、尚未同步到资助系统）";
            return Ok(Err(Fault::new("身份证件号", &number, "NOT_AT_SCHOOL", why)));
        };
        // By the old number and by the new one it is the same student.
        if let Some(first) = seen.insert(student.key, row) {
            return Ok(Err(Fault::new("身份证件号", &number, "DUPLICATE_IN_FILE", format!("与第{first}行是同一名学生，请只留一行"))));
        }
        if comparable_name(&student.name) != comparable_name(&keyed.row.name) {
            return Ok(Err(Fault::new("姓名", &keyed.row.name, "NAME_DIFFERS", "与该证件号在学籍中的姓名不一致，请核对")));
        }
        if keyed.row.level.is_empty() && !held.contains(&student.key) {
            return Ok(Err(Fault::new("困难等级", ENDS, "INVALID", "该生没有可以终止的困难等级")));
        }
        let Some(there) = under_way.get(&student.key) else { return Ok(Ok(What::New { item: ctx.new_id() })) };
        if there.state != State::Draft {
            return Ok(Err(Fault::new("", "", "ALREADY_SUBMITTED", "该生本学年已有困难认定在办，请待其办结，或先撤回")));
        }
        let now = self.content_now(there);
        let circumstances = Bytes(there.circumstances_sealed.clone());
        let stood = Stood { level: there.level.clone(), from: there.from_day, to: there.to_day, circumstances, reason: there.reason.clone() };
        let before = serde_json::to_vec(&stood).map_err(|error| Error::Internal(error.to_string()))?;
        if keyed.content == now && there.reason.is_empty() {
            return Ok(Ok(What::Unchanged));
        }
        Ok(Ok(What::Changed { item: there.determination, base: now.to_vec(), before, row: None }))
    }
}

#[cfg(test)]
mod tests {
    use xuezhu_workbook::Cell;

    use super::*;

    #[test]
    fn rows_are_read_or_every_fault_is_told() {
        let headers: Vec<String> = COLUMNS.iter().map(|column| column.header.to_owned()).collect();
        let table = Table { sheet: String::new(), headers, rows: Vec::new(), hidden: false, furniture: Vec::new(), taken_out: false, blind: false };
        let places = cells::places(&table, &COLUMNS);
        let rules = Rules { levels: ["特别困难", "困难"].map(str::to_owned).to_vec(), today: NaiveDate::from_ymd_opt(2026, 10, 8).expect("a date") };
        let read = |cells: [&str; 10]| {
            let named = ["王伟", "居民身份证", "11010519491231002X"];
            let cells = named.iter().chain(cells.iter()).map(|cell| Cell::text(cell)).collect();
            parse(&places, &Row { number: 4, hidden: false, beyond: false, cells }, &rules)
        };
        let (row, faults) = read(["困难", "2026-10-01", "低保、残疾", "4", "1", "1", "450.5", "务农", "父亲患病", "是"]);
        assert_eq!(faults, []);
        let row = row.expect("is right");
        assert_eq!((row.level.as_str(), row.from.to_string(), row.to.to_string()), ("困难", "2026-10-01".into(), "2027-08-01".into()));
        assert_eq!((row.family.groups.len(), row.family.members, row.family.income_fen, row.family.pledged), (2, 4, Some(45_050), true));
        let (row, faults) = read(["不再困难", "", "", "", "", "", "", "", "", ""]);
        assert_eq!((row.map(|row| (row.level, row.from.to_string())), faults), (Some((String::new(), "2026-10-08".to_owned())), Vec::new()));
        for (cells, columns) in [
            (["贫困", "", "低保", "3", "1", "1", "0", "", "", "是"], vec!["困难等级"]),
            (["困难", "2025-10-01", "低保", "3", "1", "1", "0", "", "", "是"], vec!["自何日起"]),
            (["困难", "十月", "低保", "3", "1", "1", "0", "", "", "是"], vec!["自何日起"]),
            (["困难", "", "低宝", "三", "1", "1", "0", "", "", "是"], vec!["家庭人口", "特殊群体", "赡养人口", "劳动力人口"]),
            (["困难", "", "低保", "3", "1", "1", "一千", "", "", "签了"], vec!["人均月收入（元）", "已签承诺书"]),
            (["困难", "", "", "3", "1", "1", "", "", "", "否"], vec!["人均月收入（元）", "困难原因", "已签承诺书"]),
            (["不再困难", "", "低保", "3", "", "", "", "", "", ""], vec!["家庭人口"]),
            (["", "", "低保", "3", "1", "1", "0", "", "", "是"], vec!["困难等级"]),
        ] {
            let (row, faults) = read(cells);
            assert!(row.is_none(), "{cells:?}");
            assert_eq!(faults.iter().map(Fault::column).collect::<Vec<_>>(), columns, "{cells:?}");
        }
    }
}
