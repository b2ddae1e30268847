//! What a row of a list of a special group may hold. Pure.

use chrono::{Days, NaiveDate};
use xuezhu_domain::{
    IdNumber,
    calendar::school_year_end,
    codes::FAMILY_GROUPS,
    text::{clean, clean_date, nearest},
};
use xuezhu_intake::Fault;
use xuezhu_workbook::{Column, Row};

use crate::cells::{Cells, NAMED, Places};

/// Title of the blank workbook.
pub const TITLE: &str = "特殊群体名单";
/// Its columns.
pub const COLUMNS: [Column<'static>; 5] = [
    NAMED[0],
    NAMED[1],
    NAMED[2],
    Column { header: "类别", required: true, format: "一行一类，如 低保", values: &FAMILY_GROUPS },
    Column {
        header: "有效期至", required: false, format: "如 2027-07-31；不填为本学年末（7月31日）；列错或不再有效的填“停止”", values: &[]
    },
];
/// What a cell says where somebody is of the group no more.
const ENDS: &str = "停止";
/// How far ahead a day may lie.
const DAYS_AHEAD: u64 = 5 * 366;

/// A row that can be stored.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Name.
    pub name: String,
    /// Number.
    pub id: IdNumber,
    /// Group.
    pub group: &'static str,
    /// Last day.
    pub until: NaiveDate,
}

/// Reads a row: what it says, if it can be stored, and everything that is wrong.
pub fn parse(places: &Places, row: &Row, today: NaiveDate) -> (Option<Parsed>, Vec<Fault>) {
    let mut cells = Cells::of(places, row);
    let name = cells.name();
    let identity = cells.identity(today);
    let typed = clean(&cells.take("类别"));
    let group = FAMILY_GROUPS.into_iter().find(|group| *group == typed);
    if typed.is_empty() {
        cells.fault("类别", "", "REQUIRED", "必填项为空");
    } else if group.is_none() {
        let why = format!("不在可选值中，应为：{}", FAMILY_GROUPS.join("、"));
        cells.faults.push(Fault::new("类别", &typed, "NOT_IN_LIST", why).proposing(nearest(&typed, FAMILY_GROUPS.iter().copied())));
    }
    let typed = clean_date(&cells.take("有效期至"));
    let until = match typed.as_str() {
        "" => Ok(school_year_end(today)),
        ENDS => Ok(today - Days::new(1)),
        typed => until(typed, today),
    };
    if let Err(why) = &until {
        cells.fault("有效期至", &typed, "DATE", why.clone());
    }
    let parsed = match (identity, group, until, cells.faults.is_empty()) {
        (Some((id, _)), Some(group), Ok(until), true) => Some(Parsed { name, id, group, until }),
        _ => None,
    };
    (parsed, cells.faults)
}

fn until(typed: &str, today: NaiveDate) -> Result<NaiveDate, String> {
    let day = NaiveDate::parse_from_str(typed, "%Y%m%d").map_err(|_| "不是日期，应写作 2027-07-31".to_owned())?;
    if day < today {
        Err("日期已过：不再有效的填“停止”".to_owned())
    } else if day > today + Days::new(DAYS_AHEAD) {
        Err("日期过远，请核对年份".to_owned())
    } else {
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use xuezhu_workbook::{Cell, Table};

    use super::*;
    use crate::cells;

    #[test]
    fn rows_are_read_or_every_fault_is_told() {
        let headers: Vec<String> = COLUMNS.iter().map(|column| column.header.to_owned()).collect();
        let table = Table { sheet: String::new(), headers, rows: Vec::new(), hidden: false, furniture: Vec::new(), taken_out: false, blind: false };
        let places = cells::places(&table, &COLUMNS);
        let today = NaiveDate::from_ymd_opt(2026, 10, 1).expect("a date");
        let read = |cells: [&str; 5]| {
            parse(&places, &Row { number: 4, hidden: false, beyond: false, cells: cells.iter().map(|cell| Cell::text(cell)).collect() }, today)
        };
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (typed, until) in
            [("", "2027-07-31"), ("2027-1-31", "2027-01-31"), ("20261001", "2026-10-01"), ("2027年3月1日", "2027-03-01"), ("停止", "2026-09-30")]
        {
            let (row, faults) = read(["王伟", "居民身份证", "11010519491231002X", "低保", typed]);
            assert_eq!((row.map(|row| (row.group, row.until)), faults), (Some(("低保", day(until))), Vec::new()), "{typed}");
        }
        for (cells, codes) in [
            (["王伟", "居民身份证", "11010519491231002X", "低宝", ""], vec!["NOT_IN_LIST"]),
            (["王伟", "居民身份证", "11010519491231002X", "低保", "2026-09-30"], vec!["DATE"]),
            (["王伟", "居民身份证", "11010519491231002X", "低保", "2126-09-30"], vec!["DATE"]),
            (["王伟", "居民身份证", "11010519491231002X", "低保", "明年"], vec!["DATE"]),
            (["", "身份证明", "1", "", ""], vec!["REQUIRED", "NOT_IN_LIST", "REQUIRED"]),
        ] {
            let (row, faults) = read(cells);
            assert!(row.is_none(), "{cells:?}");
            assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), codes, "{cells:?}");
        }
    }
}
