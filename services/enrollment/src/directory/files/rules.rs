//! How a row of schools or of accounts is read: cells as what a single call asks, so that the same checks hold for both. Pure.

use std::collections::{BTreeSet, HashMap};

use xuezhu_domain::{majors, region, text};
use xuezhu_intake::Fault;
use xuezhu_proto::enrollment::{self as pb, account, school};
use xuezhu_service::{Error, Role};
use xuezhu_workbook::{BEYOND_HEADER, Column, Flaw, Row, Table};

/// Choices that are told where a name is several'.
const TOLD: usize = 8;

/// Title of the blank workbook of schools.
pub const SCHOOLS: &str = "学校";
/// Its columns.
pub const SCHOOL_COLUMNS: [Column; 7] = [
    Column { header: "学校代码", required: true, format: "10位数字，36开头，请用文本格式", values: &[] },
    Column { header: "学校名称", required: true, format: "批准的全称，不超过60字", values: &[] },
    Column { header: "行政区划码", required: true, format: "学校所在地，6位代码或全称，如430102、长沙市芙蓉区", values: &[] },
    Column { header: "办学性质", required: true, format: "公办或民办", values: &["公办", "民办"] },
    Column { header: "主管部门行政区划码", required: true, format: "审核本校的主管部门，6位代码或全称", values: &[] },
    Column { header: "电话", required: false, format: "不超过30位", values: &[] },
    Column {
        header: "专业", required: false, format: "名称或6位代码，用顿号或换行隔开；两个目录都有的写明年份，如2021-护理", values: &[]
    },
];
/// Headers by which a row of headers of schools is known.
pub const SCHOOL_MARKS: &[&str] = &["学校代码", "学校名称"];

/// Title of the blank workbook of accounts.
pub const ACCOUNTS: &str = "账号";
/// Its columns.
pub const ACCOUNT_COLUMNS: [Column; 4] = [
    Column { header: "账号", required: true, format: "3至32位小写字母、数字、点或短横线，不能是证件号或电话", values: &[] },
    Column { header: "姓名", required: true, format: "使用人的真实姓名", values: &[] },
    Column { header: "角色", required: true, format: "从下拉列表选择", values: &ROLE_NAMES },
    Column {
        header: "所属", required: false, format: "学校人员填10位学校代码，主管部门、督导填6位行政区划码或全称；管全部范围的不填", values: &[]
    },
];
/// Headers by which a row of headers of accounts is known.
pub const ACCOUNT_MARKS: &[&str] = &["账号", "角色"];

/// Roles as pages show them.
const ROLE_NAMES: [&str; Role::OF_ACCOUNTS.len()] = {
    let (mut names, mut at) = ([""; Role::OF_ACCOUNTS.len()], 0);
    while at < names.len() {
        names[at] = Role::OF_ACCOUNTS[at].name();
        at += 1;
    }
    names
};

/// Where a table's columns are.
#[derive(Debug)]
pub struct Layout {
    places: HashMap<&'static str, usize>,
    /// Whether a blank cell clears what is stored.
    pub blank_clears: bool,
}

impl Layout {
    /// Finds the columns by their headers.
    pub fn new(table: &Table, columns: &[Column<'static>], blank_clears: bool) -> Self {
        let places = columns.iter().filter_map(|column| table.column(column.header).map(|place| (column.header, place))).collect();
        Self { places, blank_clears }
    }

    /// Whether a blank cell of a column says that nothing is to be there.
    pub fn clears(&self, header: &str) -> bool {
        self.blank_clears && self.places.contains_key(header)
    }
}

/// A row while it is read.
#[derive(Debug)]
pub struct Reader<'r> {
    layout: &'r Layout,
    row: &'r Row,
    said: HashMap<&'static str, String>,
    /// What is wrong, with the columns that were told.
    pub faults: Vec<Fault>,
    told: BTreeSet<&'static str>,
}

impl<'r> Reader<'r> {
    /// Takes the cells of a row; what is wrong with one whatever it holds is told.
    pub fn new(layout: &'r Layout, row: &'r Row, columns: &[Column<'static>]) -> Self {
        let mut reader = Self { layout, row, said: HashMap::new(), faults: Vec::new(), told: BTreeSet::new() };
        if row.beyond {
            let (code, why) = BEYOND_HEADER;
            reader.faults.push(Fault::new("", "", code, why));
        }
        for column in columns {
            reader.take(column);
        }
        reader
    }

    fn take(&mut self, column: &Column<'static>) {
        let header = column.header;
        let (typed, flaw) = match self.layout.places.get(header).and_then(|place| self.row.cells.get(*place)) {
            Some(cell) => (cell.text.as_str(), cell.flaw),
            None => ("", None),
        };
        match flaw {
            Some(Flaw::Formula) => self.fault(header, "", "FORMULA", "单元格是公式，请复制后“选择性粘贴为数值”再上传"),
            Some(Flaw::ErrorValue) => self.fault(header, typed, "ERROR_VALUE", "单元格是错误值，请重新填写"),
            Some(Flaw::Rounded) => self.fault(header, typed, "ROUNDED", "单元格是数值格式，末几位已丢失；请将该列设为文本格式后重新录入"),
            None if column.required && text::clean(typed).is_empty() => self.fault(header, "", "REQUIRED", "必填项为空"),
            None => {}
        }
        // Lines part majors: they are cleaned one by one.
        let said = typed.lines().map(text::clean).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        if !column.values.is_empty() && !said.is_empty() && !column.values.contains(&said.as_str()) {
            let near = text::nearest(&said, column.values.iter().copied());
            let why = format!("不在可选值中，应为：{}", column.values.join("、"));
            self.told.insert(header);
            self.faults.push(Fault::new(header, &said, "NOT_IN_LIST", why).proposing(near));
        }
        self.said.insert(header, said);
    }

    fn said(&self, header: &str) -> String {
        self.said.get(header).cloned().unwrap_or_default()
    }

    fn fault(&mut self, header: &'static str, value: &str, code: &'static str, why: impl Into<String>) {
        self.told.insert(header);
        self.faults.push(Fault::new(header, value, code, why));
    }

    /// The region that a cell means, as its code.
    fn region(&mut self, header: &'static str, year: i32) -> String {
        let said = self.said(header);
        if said.is_empty() || said.starts_with(|c: char| c.is_ascii_digit()) {
            return said;
        }
        match &region::named(&said, year)[..] {
            [code] => (*code).to_owned(),
            [] => {
                self.fault(header, &said, "REGION", format!("没有叫“{said}”的行政区划：请写全称，或6位行政区划码"));
                String::new()
            }
            several => {
                let found: Vec<String> = several.iter().take(TOLD).map(|code| format!("{}（{code}）", region::full_name(code))).collect();
                self.fault(header, &said, "REGION", format!("叫“{said}”的行政区划有{}个，请写全或写代码：{}", several.len(), found.join("、")));
                String::new()
            }
        }
    }

    /// What a call refused of what the row asks, each at its column.
    pub fn refused(&mut self, error: Error, column: fn(&str) -> &'static str) {
        let Error::Refused(refusal) = error else {
            self.faults.push(Fault::new("", "", "INVALID", "本行无法读取，请核对"));
            return;
        };
        for (field, why) in &refusal.fields {
            let header = column(field);
            if !self.told.contains(header) {
                let value = self.said(header);
                self.faults.push(Fault::new(header, &value, "INVALID", why.clone()));
            }
        }
        if refusal.fields.is_empty() {
            self.faults.push(Fault::new("", "", "INVALID", refusal.message));
        }
    }

    /// The school that a row asks for.
    pub fn school(&mut self, year: i32) -> pb::CreateSchoolRequest {
        let (region, authority) = (self.region("行政区划码", year), self.region("主管部门行政区划码", year));
        let kind = match self.said("办学性质").as_str() {
            "公办" => school::Kind::Public,
            "民办" => school::Kind::Private,
            _ => school::Kind::Unspecified,
        };
        let mut majors = Vec::new();
        let said = self.said("专业");
        for part in said.split(|c: char| c.is_whitespace() || "，、,;；".contains(c)).filter(|part| !part.is_empty()) {
            match major_meant(part) {
                Ok(found) => majors.push(pb::Major { catalogue: found.catalogue.into(), code: found.code.into(), ..pb::Major::default() }),
                Err(why) => self.fault("专业", part, "MAJOR", why),
            }
        }
        pb::CreateSchoolRequest {
            code: self.said("学校代码"),
            name: self.said("学校名称"),
            region,
            kind: kind.into(),
            authority,
            majors,
            telephone: self.said("电话"),
        }
    }

    /// The account that a row asks for.
    pub fn account(&mut self, year: i32) -> pb::CreateAccountRequest {
        let role = Role::OF_ACCOUNTS.into_iter().find(|role| role.name() == self.said("角色"));
        let organisation = match role {
            // Of whom nobody knows who they are, nobody knows where.
            None => {
                self.told.insert("所属");
                self.said("所属")
            }
            Some(role) if role.is_of_school() => self.said("所属"),
            Some(_) => self.region("所属", year),
        };
        let needs_none = role.is_none_or(|role| matches!(role, Role::Administrator | Role::MachineReader));
        if organisation.is_empty() && !needs_none && !self.told.contains("所属") {
            self.fault("所属", "", "REQUIRED", "必填项为空：学校人员填10位学校代码，主管部门、督导填6位行政区划码或全称");
        }
        let role = role.and_then(|role| account::Role::from_str_name(role.as_str())).unwrap_or_default();
        pb::CreateAccountRequest { account: self.said("账号"), display_name: self.said("姓名"), role: role.into(), organisation }
    }
}

/// The column that holds a field of a school.
pub fn school_column(field: &str) -> &'static str {
    match field {
        "code" => "学校代码",
        "name" => "学校名称",
        "region" => "行政区划码",
        "kind" => "办学性质",
        "authority" => "主管部门行政区划码",
        "telephone" => "电话",
        _ if field.starts_with("majors") => "专业",
        _ => "",
    }
}

/// The column that holds a field of an account.
pub fn account_column(field: &str) -> &'static str {
    match field {
        "account" => "账号",
        "display_name" => "姓名",
        "role" => "角色",
        "organisation" => "所属",
        _ => "",
    }
}

/// The major that a text means: `护理`, `100100`, `2021-护理`, `2021-720201`. One that is in several catalogues needs its year.
fn major_meant(part: &str) -> Result<&'static majors::Major, String> {
    let is_year = |year: &str| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let (year, said) = part.split_once('-').filter(|(year, _)| is_year(year)).unwrap_or(("", part));
    let is_code = said.starts_with(|c: char| c.is_ascii_digit());
    if is_code && (said.len() != 6 || !said.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("专业代码应为6位数字，填的是“{part}”"));
    }
    let found: Vec<&majors::Major> = if is_code {
        let years: BTreeSet<&str> = majors::majors().iter().map(|major| major.catalogue).filter(|known| year.is_empty() || *known == year).collect();
        years.into_iter().filter_map(|year| majors::major(year, said)).collect()
    } else {
        majors::named(year, said)
    };
    match &found[..] {
        [one] => Ok(one),
        [] if year.is_empty() => Err(format!("专业目录中没有“{said}”")),
        [] => Err(format!("{year}年专业目录中没有“{said}”")),
        several => {
            let told: Vec<String> = several.iter().take(TOLD).map(|major| format!("{}-{}（{}）", major.catalogue, major.code, major.name)).collect();
            Err(format!("“{said}”不止一个，请写明目录年份和代码：{}", told.join("、")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_major_is_meant_by_name_or_code_and_by_its_year_where_two_catalogues_have_it() {
        for (said, meant) in [("130100", "2010-130100"), ("酒店服务与管理", "2010-130100"), ("2010-护理", "2010-100100"), ("2021-护理", "2021-720201")]
        {
            assert_eq!(major_meant(said).map(|major| format!("{}-{}", major.catalogue, major.code)), Ok(meant.to_owned()), "{said}");
        }
        for (said, told) in [("护理", "2021-720201"), ("13010", "“13010”"), ("2021-考古专业", "2021年"), ("考古专业", "考古专业"), ("999999", "999999")]
        {
            assert!(major_meant(said).is_err_and(|why| why.contains(told)), "{said}: {:?}", major_meant(said));
        }
    }

    #[test]
    fn every_role_of_an_account_has_a_name_in_the_workbook() {
        for role in Role::OF_ACCOUNTS {
            let known = account::Role::from_str_name(role.as_str()).expect("clients know it");
            assert_eq!(Role::parse(known.as_str_name()), Some(role));
            assert_eq!(ROLE_NAMES.iter().filter(|name| **name == role.name()).count(), 1, "{role:?}");
        }
        // What an inline list of a workbook holds at most.
        assert!(ROLE_NAMES.join(",").chars().count() <= 255);
    }

    #[test]
    fn every_field_of_the_single_calls_has_its_column() {
        let headers = |columns: &[Column<'static>]| columns.iter().map(|column| column.header).collect::<Vec<_>>();
        let fields = ["code", "name", "region", "kind", "authority", "telephone", "majors[3]"];
        assert_eq!(fields.map(school_column).to_vec(), headers(&SCHOOL_COLUMNS));
        assert_eq!(["account", "display_name", "role", "organisation"].map(account_column).to_vec(), headers(&ACCOUNT_COLUMNS));
        assert_eq!((school_column("x"), account_column("x")), ("", ""));
    }
}
