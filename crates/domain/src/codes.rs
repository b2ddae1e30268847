//! Value lists of the workbook, and code tables by name.
//!
//! Sources: `data/codes/*.csv` (JY/T 1001, GB/T). Where the workbook's list and a code table disagree, the
//! workbook goes by its list.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

pub use crate::majors::{Major, major, major_of_key, majors};
use crate::{
    tables::{self, keep},
    text,
};

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
    VALUES.get(shared(column)).map(Vec::as_slice)
}

/// The list of a column: those about a student and about a member of the family are of one kind.
fn shared(column: &str) -> &str {
    let shared = column.trim_start_matches("成员1").trim_start_matches("成员2");
    match (column == shared, shared) {
        (false, "关系") => "成员关系",
        (false, "身份证件类型" | "民族" | "政治面貌" | "健康状况") => shared,
        _ => column,
    }
}

/// Values in use that the workbook's list has not: they are kept, and told as a doubt.
const UNLISTED: [(&str, &str); 1] = [("民族", "穿青人族")];

/// Whether a value is in use though the workbook's list has it not.
pub fn is_unlisted(column: &str, value: &str) -> bool {
    UNLISTED.contains(&(shared(column), value))
}

/// Codes and other names of what lists hold, by column (`data/codes/spellings.csv`: GB/T 2261.3, 3304, 4761, 4762, JY/T 1001).
static SPELLINGS: LazyLock<HashMap<&'static str, HashMap<&'static str, &'static str>>> = LazyLock::new(|| {
    let mut spellings: HashMap<_, HashMap<_, _>> = HashMap::new();
    for line in tables::read(include_str!("../data/codes/spellings.csv"), &["column", "typed", "value"]).expect("a test reads the spellings") {
        spellings.entry(keep(line.get("column"))).or_default().insert(keep(line.get("typed")), keep(line.get("value")));
    }
    spellings
});

/// Countries and regions (`data/codes/country.csv`, GB/T 2659 and ISO 3166-1): code or letters, and the name; every name in use.
static COUNTRIES: LazyLock<(HashMap<String, String>, HashSet<String>)> = LazyLock::new(|| {
    let (mut codes, mut names) = (HashMap::new(), HashSet::new());
    for line in tables::read(include_str!("../data/codes/country.csv"), &["numeric", "alpha2", "alpha3", "name", "also"]).expect("a test reads the countries") {
        let name = text::clean(line.get("name"));
        let numeric = line.get("numeric");
        let codes_of = [numeric, numeric.trim_start_matches('0'), line.get("alpha2"), line.get("alpha3")];
        codes.extend(codes_of.into_iter().filter(|code| !code.is_empty()).map(|code| (code.to_owned(), name.clone())));
        names.extend(line.get("also").split(';').filter(|also| !also.is_empty()).map(text::clean));
        names.insert(name);
    }
    (codes, names)
});

/// Column of the country.
pub const COUNTRY: &str = "国籍/地区";

/// A value as the workbook's list spells it: from a code, or from another name. What no table knows stays as it is.
pub fn spelled(column: &str, typed: String) -> String {
    if column == COUNTRY {
        return COUNTRIES.0.get(&typed.to_uppercase()).cloned().unwrap_or(typed);
    }
    match SPELLINGS.get(shared(column)).and_then(|of| of.get(typed.as_str())) {
        Some(value) => (*value).to_owned(),
        None => typed,
    }
}

/// Whether a table knows a country of this name.
pub fn is_country(name: &str) -> bool {
    COUNTRIES.1.contains(name)
}

/// Every document type of the table.
pub fn documents() -> impl Iterator<Item = &'static str> {
    values("身份证件类型").unwrap_or(&[]).iter().copied()
}

/// The table's spelling of a document type, by name or code; 户口簿 is taken for the table's 户口薄.
pub fn document(name: &str) -> Option<&'static str> {
    let spelled = SPELLINGS.get("身份证件类型").and_then(|of| of.get(name)).copied();
    let name = if name == "户口簿" { "户口薄" } else { spelled.unwrap_or(name) };
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

/// Codes of the classes that come to one of these.
pub fn urban_rural_codes(settlements: &[Settlement]) -> Vec<&'static str> {
    URBAN_RURAL.iter().filter(|class| settlements.contains(&class.settlement)).map(|class| class.code).collect()
}

/// A class of places by its code or its name.
pub fn urban_rural(text: &str) -> Option<&'static UrbanRural> {
    URBAN_RURAL.iter().find(|class| class.code == text || class.name == text)
}

/// Groups that aid knows, by the column of the workbook that says 是. One student may be of several.
pub const SPECIAL_GROUPS: [(&str, &str); 1] = [("是否建档立卡贫困户", "建档立卡贫困户")];

/// Special groups by which a family's hardship is seen, by their words: 教财〔2018〕16号, with 脱贫 and 监测 of 2021.
pub const FAMILY_GROUPS: [&str; 10] = ["脱贫家庭", "监测对象", "低保", "低保边缘", "特困供养", "孤儿", "事实无人抚养", "残疾", "残疾人子女", "烈士子女"];

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
    fn codes_and_other_names_are_taken_for_the_lists_own() {
        for (column, of) in SPELLINGS.iter() {
            let allowed = values(column).expect("has a list");
            for (typed, value) in of {
                assert!(allowed.contains(value) || is_unlisted(column, value), "{column} {value}");
                assert!(!allowed.contains(typed), "{column}: {typed} says something else already");
            }
        }
        for (column, typed, value) in [
            ("民族", "1", "汉族"),
            ("民族", "毛难族", "毛南族"),
            ("成员2民族", "05", "维吾尔族"),
            ("政治面貌", "中国共产主义青年团团员", "共青团员"),
            ("成员1健康状况", "62", "残疾"),
            ("成员1关系", "51", "父亲"),
            ("成员2关系", "舅父", "其他亲属"),
            ("成员1关系", "父母", "父母"),
            ("身份证件类型", "1", "居民身份证"),
            ("国籍/地区", "156", "中国"),
            ("国籍/地区", "4", "阿富汗"),
            ("国籍/地区", "usa", "美国"),
            ("国籍/地区", "俄罗斯联邦", "俄罗斯联邦"),
            ("姓名", "1", "1"),
        ] {
            assert_eq!(spelled(column, typed.to_owned()), value, "{column} {typed}");
        }
        assert!(is_country("俄罗斯联邦") && is_country("刚果(布)") && !is_country("华夏"));
        assert_eq!((document("1"), document("b"), document("户口簿"), document("学生证")), (Some("居民身份证"), Some("户口薄"), Some("户口薄"), None));
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
