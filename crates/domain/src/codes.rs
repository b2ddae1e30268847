//! Value lists of the workbook, and code tables by name.
//!
//! Sources: `data/codes/*.csv` (JY/T 1001, GB/T). Where the workbook's list and a code table disagree, the
//! workbook goes by its list.

use std::{collections::HashMap, sync::LazyLock};

pub use crate::majors::{Major, major, major_of_key, majors};
use crate::tables::keep;

/// A column of the workbook that schools upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Header, by which it is found.
    pub header: &'static str,
    /// Whether it must be filled.
    pub need: Need,
    /// What it may hold beside the values of its table, in Chinese.
    pub format: &'static str,
    /// Whether it is one of the ministry's workbook. One of ours stands in a row's content only where it is filled: a file that has no
    /// such column says the same as before there was one.
    pub official: bool,
}

/// Whether a cell must be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Always.
    Required,
    /// Under a condition that its rule names.
    Conditional,
    /// Never.
    Optional,
}

/// The workbook's columns in order: the 73 of the ministry's (`data/student_template.csv`), then ours (`data/own_columns.csv`).
pub static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let official = columns(include_str!("../data/student_template.csv"), true);
    official.into_iter().chain(columns(include_str!("../data/own_columns.csv"), false)).collect()
});

fn columns(table: &'static str, official: bool) -> Vec<Column> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let column = |record: csv::StringRecord| Column {
        header: keep(&record[1]),
        need: match &record[2] {
            "required" => Need::Required,
            "conditional" => Need::Conditional,
            _ => Need::Optional,
        },
        format: keep(&record[3]),
        official,
    };
    reader.records().filter_map(Result::ok).map(column).collect()
}

static VALUES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut values: HashMap<&'static str, Vec<&'static str>> = HashMap::new();
    for line in include_str!("../data/codes/template_values.csv").lines().skip(1) {
        if let Some((column, value)) = line.split_once(',') {
            values.entry(column).or_default().push(value.trim());
        }
    }
    let tables = [
        ("民族", include_str!("../data/codes/ethnicity.csv")),
        ("政治面貌", include_str!("../data/codes/political_status.csv")),
        ("健康状况", include_str!("../data/codes/health.csv")),
        ("身份证件类型", include_str!("../data/codes/identity_document.csv")),
    ];
    for (column, table) in tables {
        values.insert(column, table.lines().skip(1).filter_map(|line| line.split_once(',').map(|(_, name)| name.trim())).collect());
    }
    for column in ["是否随迁子女", "是否建档立卡贫困户", "成员1是否监护人", "成员2是否监护人"] {
        values.insert(column, vec!["是", "否"]);
    }
    values.insert("性别", vec!["男", "女"]);
    values.insert("城乡分类代码", URBAN_RURAL.iter().map(|class| class.code).collect());
    values
});

/// Values that a column of the workbook allows; `None` for a free column.
pub fn values(column: &str) -> Option<&'static [&'static str]> {
    let shared = column.trim_start_matches("成员1").trim_start_matches("成员2");
    let list = match (column == shared, shared) {
        (false, "关系") => "成员关系",
        (false, "身份证件类型" | "民族" | "政治面貌" | "健康状况") => shared,
        _ => column,
    };
    VALUES.get(list).map(Vec::as_slice)
}

/// Every document type of the table.
pub fn documents() -> impl Iterator<Item = &'static str> {
    values("身份证件类型").unwrap_or(&[]).iter().copied()
}

/// The table's spelling of a document type; 户口簿 is taken for the table's 户口薄.
pub fn document(name: &str) -> Option<&'static str> {
    let name = if name == "户口簿" { "户口薄" } else { name };
    values("身份证件类型")?.iter().find(|value| **value == name).copied()
}

/// Where a registered address lies, by 城乡分类代码 (统计用区划代码, `data/codes/urban_rural.csv`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// 城区.
    City,
    /// 镇区, county towns among them.
    Town,
    /// 乡村.
    Village,
}

/// A class of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrbanRural {
    /// 3-digit code.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// What it comes to.
    pub settlement: Settlement,
}

static URBAN_RURAL: LazyLock<Vec<UrbanRural>> = LazyLock::new(|| {
    let class = |line: &'static str| {
        let fields: Vec<&'static str> = line.split(',').collect();
        let [code, name, group, _] = fields[..] else { return None };
        let settlement = match group {
            "城镇/城区" => Settlement::City,
            "城镇/镇区" => Settlement::Town,
            "乡村" => Settlement::Village,
            _ => return None,
        };
        Some(UrbanRural { code, name, settlement })
    };
    include_str!("../data/codes/urban_rural.csv").lines().skip(1).filter_map(class).collect()
});

/// A class of places by its code or its name.
pub fn urban_rural(text: &str) -> Option<&'static UrbanRural> {
    URBAN_RURAL.iter().find(|class| class.code == text || class.name == text)
}

/// Groups that aid knows, by the column of the workbook that says 是. One student may be of several.
pub const SPECIAL_GROUPS: [(&str, &str); 1] = [("是否建档立卡贫困户", "建档立卡贫困户")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workbook_has_73_columns_whose_lists_are_known() {
        assert_eq!(COLUMNS.iter().filter(|column| column.official).count(), 73);
        assert!(COLUMNS.iter().filter(|column| !column.official).all(|column| column.need == Need::Optional), "the ministry's own file must do");
        for (column, _) in SPECIAL_GROUPS {
            assert!(values(column).is_some_and(|list| list.contains(&"是")), "{column}");
        }
        for column in COLUMNS.iter().filter(|column| column.format.contains("template_values") || column.format.contains("codes/")) {
            assert!(values(column.header).is_some_and(|list| list.len() > 1), "{}", column.header);
        }
        assert_eq!(values("成员2关系").map(<[_]>::len), Some(12));
        assert!(values("姓名").is_none());
    }

    #[test]
    fn a_class_of_places_has_a_code_and_a_name() {
        assert_eq!(URBAN_RURAL.len(), 7);
        for (text, settlement) in [
            ("111", Settlement::City),
            ("城乡结合区", Settlement::City),
            ("121", Settlement::Town),
            ("210", Settlement::Village),
            ("村庄", Settlement::Village),
        ] {
            assert_eq!(urban_rural(text).map(|class| class.settlement), Some(settlement), "{text}");
        }
        assert_eq!(urban_rural("200"), None, "a total is no class");
    }
}
