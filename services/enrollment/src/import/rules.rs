//! What each column of the workbook may hold, and what a row must be. Rules ID-1 to ID-7, RG-2, RG-8, RG-9, RG-12.

use std::{collections::HashMap, fmt::Write, sync::Arc};

use chrono::{Datelike, NaiveDate};
use xuezhu_domain::{
    IdNumber, Month, Sex,
    codes::{self, COLUMNS, Need},
    region::{self, REGION_UNKNOWN},
    text,
};
use xuezhu_intake::Fault;
use xuezhu_workbook::{BEYOND_HEADER, Cell, Flaw, Row, Table};

use super::row::{Parsed, special_groups};
use crate::directory::schools::Offered;

/// Headers by which a header row is known.
pub const MARKS: &[&str] = &["姓名", "身份证件号"];
/// Title of the blank workbook.
pub const TITLE: &str = "学生信息";
/// Longest text of a cell, in characters (JY/T: 住址 ≤ 180).
const TEXT_CHARACTERS: usize = 200;
/// Ages at entry that are not unusual (rule RG-8: 大龄 campaign of 2016).
const USUAL_AGES: std::ops::RangeInclusive<i32> = 14..=22;
/// Age from which one may be a party member (GB/T 4762 traps).
const PARTY_AGE: i32 = 18;

/// What a school's rows are checked against.
pub struct SchoolRules<'s> {
    /// Its code.
    pub school: &'s str,
    /// Majors that it may teach, those that ended among them.
    pub majors: &'s [Offered],
    /// Civil day.
    pub today: NaiveDate,
}

/// Where the workbook's columns stand in a table.
pub struct Layout {
    places: HashMap<&'static str, usize>,
    /// Columns that the file does not have.
    absent: Arc<[&'static str]>,
    /// Whether the table was taken out of here: what it lacks is absent, and its numbers are masked.
    pub taken_out: bool,
}

impl Layout {
    /// Finds the columns by their headers.
    pub fn new(table: &Table) -> Self {
        let places: HashMap<&'static str, usize> =
            COLUMNS.iter().filter_map(|column| table.column(column.header).map(|place| (column.header, place))).collect();
        let absent = COLUMNS.iter().map(|column| column.header).filter(|header| !places.contains_key(header)).collect();
        Self { places, absent, taken_out: table.taken_out }
    }

    /// Every column, in the order of the workbook.
    pub fn whole() -> Self {
        let places = COLUMNS.iter().enumerate().map(|(place, column)| (column.header, place)).collect();
        Self { places, absent: Arc::from([]), taken_out: false }
    }

    /// The cells of a row, by the columns that the table has.
    pub fn cells<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = (&'static str, &'r Cell)> {
        self.places.iter().filter_map(|(header, place)| row.cells.get(*place).map(|cell| (*header, cell)))
    }
}

/// Notes and columns of the blank workbook.
pub fn template() -> (Vec<String>, Vec<xuezhu_workbook::Column<'static>>) {
    let notes = vec![
        "一人一行，从“学生信息”表第4行起填写；列的顺序可以调整，表头文字不能改动。".to_owned(),
        "证件号、日期、代码请用文本格式；日期写作8位数字，如20000102；入学年月写作6位数字，如201609。".to_owned(),
        "有问题的行不会写入，其他行照常写入；可下载标注了问题的工作簿，改好后再次上传。".to_owned(),
    ];
    let columns = COLUMNS.iter().map(|column| xuezhu_workbook::Column {
        header: column.header,
        required: column.need == Need::Required,
        format: column.format,
        values: codes::values(column.header).unwrap_or(&[]),
    });
    (notes, columns.collect())
}

struct Reader<'r> {
    layout: &'r Layout,
    row: &'r Row,
    problems: Vec<Fault>,
    warnings: Vec<Fault>,
    details: Vec<(&'static str, String)>,
}

/// Reads a row: what it says, if it can be stored; everything that is wrong; everything worth a second look.
pub fn parse(layout: &Layout, row: &Row, rules: &SchoolRules) -> (Option<Parsed>, Vec<Fault>, Vec<Fault>) {
    let mut reader = Reader { layout, row, problems: Vec::new(), warnings: Vec::new(), details: Vec::with_capacity(COLUMNS.len()) };
    if row.beyond {
        let (code, why) = BEYOND_HEADER;
        reader.problem("", "", code, why);
    }
    reader.read_columns();
    let parsed = reader.assemble(rules);
    let parsed = if reader.problems.is_empty() { parsed } else { None };
    (parsed, reader.problems, reader.warnings)
}

impl Reader<'_> {
    fn cell(&self, header: &str) -> Option<&Cell> {
        self.row.cells.get(*self.layout.places.get(header)?)
    }

    fn value(&self, header: &str) -> &str {
        self.details.iter().find(|(known, _)| *known == header).map_or("", |(_, value)| value)
    }

    fn problem(&mut self, column: &str, value: &str, code: &'static str, reason: impl Into<String>) {
        self.problems.push(Fault::new(column, value, code, reason));
    }

    fn warn(&mut self, column: &str, value: &str, code: &'static str, reason: impl Into<String>) {
        self.warnings.push(Fault::new(column, value, code, reason));
    }

    /// What every column is checked for: formula, length, presence, value list. Normalises what is safe.
    fn read_columns(&mut self) {
        for column in COLUMNS.iter() {
            let header = column.header;
            let (typed, flaw) = self.cell(header).map_or((String::new(), None), |cell| (cell.text.clone(), cell.flaw));
            match flaw {
                Some(Flaw::Formula) => self.problem(header, "", "FORMULA", "单元格是公式，请复制后“选择性粘贴为数值”再上传"),
                Some(Flaw::ErrorValue) => self.problem(header, &typed, "ERROR_VALUE", "单元格是错误值，请重新填写"),
                // The number itself says so in its own words.
                Some(Flaw::Rounded) if header == "身份证件号" => {}
                Some(Flaw::Rounded) => self.problem(header, &typed, "ROUNDED", "单元格是数值格式，末几位已丢失；请将该列设为文本格式后重新录入"),
                None => {}
            }
            let value = normalise(header, &typed);
            if value.chars().count() > TEXT_CHARACTERS {
                self.problem(header, &format!("{}…", value.chars().take(20).collect::<String>()), "TOO_LONG", format!("不能超过{TEXT_CHARACTERS}个字符"));
            } else if value.is_empty() {
                if column.need == Need::Required && flaw.is_none() {
                    self.problem(header, "", "REQUIRED", "必填项为空");
                }
            } else if let Some(allowed) = codes::values(header)
                && header != "身份证件类型"
                && !allowed.contains(&value.as_str())
            {
                if codes::is_unlisted(header, &value) {
                    self.warn(header, &value, "VALUE_UNLISTED", "不在工作簿的可选值中，按原样保留，请核对");
                } else {
                    let near = text::nearest(&value, allowed.iter().copied());
                    let why = format!("不在可选值中，应为：{}", list(allowed));
                    self.problems.push(Fault::new(header, &shown(header, &value), "NOT_IN_LIST", why).proposing(near));
                }
            } else if header == codes::COUNTRY && !codes::is_country(&value) {
                self.warn(header, &value, "COUNTRY_UNKNOWN", "国家和地区代码表（GB/T 2659）中没有，按原样保留，请核对");
            }
            self.details.push((header, value));
        }
    }

    fn assemble(&mut self, rules: &SchoolRules) -> Option<Parsed> {
        let name = self.name();
        let identity = self.identity(rules.today);
        let sex_and_birth = self.sex_and_birth(identity.as_ref().map(|(id, _)| id), rules.today);
        self.check_regions();
        self.check_joint_schooling(rules.school);
        self.check_numbers(rules.today);
        let major = self.major(rules);
        let entry_month = self.entry_month(rules.today);
        // Everything was looked at; what is missing has been told.
        let ((id, document), (sex, birth_date), major, entry_month) = (identity?, sex_and_birth?, major?, entry_month?);
        self.look_twice(&id, birth_date, entry_month);
        let text = |header: &str| self.value(header).to_owned();
        Some(Parsed {
            name: name?,
            id,
            document,
            sex,
            birth_date,
            school_number: text("学号"),
            class_name: text("班级名称"),
            major: major.major,
            major_ended: major.refusal(entry_month.first_day()),
            entry_month,
            study_form: text("学习形式"),
            student_category: text("学生类别"),
            household: text("户口性质"),
            residence: text("学生居住地类型"),
            registered_region: text("户口所在地行政区划码"),
            urban_rural: text("城乡分类代码"),
            special_groups: special_groups(text),
            phone: text("联系电话"),
            details: std::mem::take(&mut self.details),
            absent: self.layout.absent.clone(),
        })
    }

    fn name(&mut self) -> Option<String> {
        let name = self.value("姓名").to_owned();
        if name.is_empty() {
            return None;
        }
        match text::name_fault(&name) {
            None => Some(name),
            Some(fault) => {
                self.problem("姓名", &name, "NAME", fault);
                None
            }
        }
    }

    fn identity(&mut self, today: NaiveDate) -> Option<(IdNumber, &'static str)> {
        let (document, number) = (self.value("身份证件类型").to_owned(), self.value("身份证件号").to_owned());
        if document.is_empty() || number.is_empty() {
            return None;
        }
        let Some(document) = codes::document(&document) else {
            let why = format!("不在可选值中，应为：{}", list(codes::values("身份证件类型").unwrap_or(&[])));
            let near = text::nearest(&document, codes::documents());
            self.problems.push(Fault::new("身份证件类型", &document, "NOT_IN_LIST", why).proposing(near));
            return None;
        };
        match IdNumber::parse(document, &number, today) {
            Ok(id) => Some((id, document)),
            Err(error) => {
                self.problem("身份证件号", &text::mask(&number), error.code(), error.to_string());
                None
            }
        }
    }

    fn sex_and_birth(&mut self, id: Option<&IdNumber>, today: NaiveDate) -> Option<(Sex, NaiveDate)> {
        let sex = match self.value("性别") {
            "男" => Some(Sex::Male),
            "女" => Some(Sex::Female),
            _ => None,
        };
        if let (Some(typed), Some(said)) = (sex, id.and_then(IdNumber::sex))
            && typed != said
        {
            self.problem("性别", typed.name(), "SEX_DIFFERS", format!("与身份证号第17位不一致（号码表示为{}）", said.name()));
        }
        let typed = self.value("出生日期").to_owned();
        let birth = date(&typed);
        if birth.is_none() && !typed.is_empty() {
            self.problem("出生日期", &typed, "DATE", "不是有效日期，应写作YYYYMMDD");
        }
        if birth.is_some_and(|birth| birth > today) {
            self.problem("出生日期", &typed, "DATE_FUTURE", "出生日期晚于今天");
        }
        if let (Some(birth), Some(said)) = (birth, id.and_then(IdNumber::birth_date))
            && birth != said
        {
            self.problem("出生日期", &typed, "BIRTH_DATE_DIFFERS", "与身份证号第7至14位不一致，请核对");
        }
        Some((sex?, birth?))
    }

    fn check_regions(&mut self) {
        for header in ["生源地行政区划码", "出生地行政区划码", "籍贯地行政区划码", "户口所在地行政区划码"] {
            let code = self.value(header).to_owned();
            if code.is_empty() {
                continue;
            }
            if let Err(error) = code.parse::<xuezhu_domain::RegionCode>() {
                self.problem(header, &code, "REGION", error.to_string());
            } else if let Some(doubt) = region::doubt(&code) {
                self.warn(header, &code, REGION_UNKNOWN, doubt);
            }
        }
    }

    /// Rule RG-9.
    fn check_joint_schooling(&mut self, school: &str) {
        let kind = self.value("联招合作类型").to_owned();
        if kind.is_empty() || kind == "非联合办学" {
            return;
        }
        if self.value("联招合作办学形式").is_empty() {
            self.problem("联招合作办学形式", "", "REQUIRED", "联合办学的学生必须填写办学形式");
        }
        let partner = self.value("联招合作学校代码").to_owned();
        if partner == school {
            self.problem("联招合作学校代码", &partner, "PARTNER_IS_SELF", "合作学校不能是本校");
        } else if let Err(error) = partner.parse::<xuezhu_domain::SchoolCode>() {
            self.problem("联招合作学校代码", &partner, "SCHOOL_CODE", format!("联合办学的学生必须填写合作学校代码：{error}"));
        }
    }

    fn check_numbers(&mut self, today: NaiveDate) {
        let score = self.value("考试总分").to_owned();
        if !score.is_empty() && score.parse::<f64>().is_ok_and(|score| score >= 0.0) == score.is_empty() {
            self.problem("考试总分", &score, "NUMBER", "应为不小于0的数字");
        }
        let post_code = self.value("家庭邮政编码").to_owned();
        if !post_code.is_empty() && (post_code.len() != 6 || !post_code.bytes().all(|b| b.is_ascii_digit())) {
            self.problem("家庭邮政编码", &post_code, "POST_CODE", "应为6位数字");
        }
        for header in ["联系电话", "家庭电话", "成员1联系电话", "成员2联系电话"] {
            let typed = self.value(header).to_owned();
            let flawed = self.cell(header).is_some_and(|cell| cell.flaw.is_some());
            if !typed.is_empty() && !flawed && !text::is_telephone(&typed) {
                self.problem(header, &typed, "TELEPHONE", "不是电话号码：应为7至15位数字，几个号码之间用顿号分开");
            }
        }
        let school_number = self.value("学号").to_owned();
        let bare = school_number.trim_start_matches(['G', 'g']);
        let is_somebodys = !bare.is_empty()
            && (IdNumber::parse("居民身份证", bare, today).is_ok() || bare == self.value("身份证件号") || bare == text::clean_number(self.value("联系电话")));
        if is_somebodys {
            self.problem("学号", &text::mask(&school_number), "HOLDS_NUMBER", "学号不能用证件号、学籍号或电话号码，请填写学校自编的学号");
        }
        let class_name = self.value("班级名称").to_owned();
        if text::holds_long_number(&class_name) {
            self.problem("班级名称", &class_name, "HOLDS_NUMBER", "班级名称中不要填写证件号或电话号码");
        }
        if school_number.chars().count() > 30 {
            self.problem("学号", &school_number, "TOO_LONG", "不能超过30个字符");
        }
    }

    /// Rule RG-2: a major that the school may teach, by name or by code.
    fn major(&mut self, rules: &SchoolRules) -> Option<Offered> {
        let typed = self.value("专业简称").to_owned();
        if typed.is_empty() {
            return None;
        }
        // A code that a spreadsheet took for a number has lost its leading zero.
        let code = if typed.bytes().all(|b| b.is_ascii_digit()) { format!("{typed:0>6}") } else { String::new() };
        let entry = self.value("入学年月").parse::<Month>().map_or(rules.today, Month::first_day);
        let meant = rules.majors.iter().copied().filter(|offered| offered.major.is_named(&typed) || offered.major.code == code);
        let known = meant.min_by_key(|offered| preference(offered, entry));
        if known.is_none() {
            let offered: Vec<&str> = rules.majors.iter().filter(|offered| offered.ended.is_none()).map(|offered| offered.major.name).collect();
            let why = format!("本校没有备案该专业，已备案：{}", list(&offered));
            let near = text::nearest(&typed, offered.iter().copied());
            self.problems.push(Fault::new("专业简称", &typed, "MAJOR_NOT_OFFERED", why).proposing(near));
        }
        known
    }

    fn entry_month(&mut self, today: NaiveDate) -> Option<Month> {
        let typed = self.value("入学年月").to_owned();
        if typed.is_empty() {
            return None;
        }
        let Ok(month) = typed.parse::<Month>() else {
            self.problem("入学年月", &typed, "MONTH", "应写作YYYYMM（4位年、2位月），如201609");
            return None;
        };
        if month.first_day() > today + chrono::Months::new(2) {
            self.problem("入学年月", &typed, "MONTH_FUTURE", "入学年月晚于今天两个月以上，请核对");
            return None;
        }
        Some(month)
    }

    /// Rules ID-2, RG-8 and the party's age: lawful, but worth a second look.
    fn look_twice(&mut self, id: &IdNumber, birth: NaiveDate, entry: Month) {
        let age = entry.year() - birth.year() - i32::from(entry.month() < birth.month());
        if !USUAL_AGES.contains(&age) {
            self.warn("出生日期", "", "AGE_UNUSUAL", format!("入学时{age}岁，请核实是否本人实际就读"));
        }
        if id.region_ended_before_birth() {
            self.warn("身份证件号", &id.masked(), "REGION_OLD", "号码中的行政区划在出生前已撤销，请核对证件");
        }
        if id.region_is_unknown() {
            self.warn("身份证件号", &id.masked(), REGION_UNKNOWN, "号码前6位不在历年行政区划（GB/T 2260）中，请对照证件核对；确属新设的区划可以保留");
        }
        if self.value("政治面貌").contains("中共") && age < PARTY_AGE {
            self.warn("政治面貌", "", "PARTY_AGE", "未满18周岁，请核对政治面貌");
        }
        for (header, document) in [("成员1身份证件号", "成员1身份证件类型"), ("成员2身份证件号", "成员2身份证件类型")] {
            let number = self.value(header).to_owned();
            if !number.is_empty()
                && let Err(error) = IdNumber::parse(self.value(document), &number, entry.first_day())
            {
                self.warn(header, &text::mask(&number), error.code(), error.to_string());
            }
        }
    }
}

/// Which of several majors that a cell may mean goes first: one that took students when they came, one under its own code before one under another's,
/// and of two catalogues the newest that there was in the year of entry.
fn preference(offered: &Offered, entry: NaiveDate) -> (bool, bool, bool, i32) {
    let (catalogue, year): (i32, _) = (offered.major.catalogue.parse().unwrap_or_default(), entry.year());
    (offered.refusal(entry).is_some(), offered.major.right.is_some(), catalogue > year, (year - catalogue).abs())
}

/// A cell as it is kept: number-like columns without blanks, dates as digits, lost leading zeros put back where the
/// width is fixed.
pub(crate) fn normalise(header: &str, typed: &str) -> String {
    match header {
        "姓名" => text::tidy_name(&text_of_name(typed)),
        "身份证件号" | "成员1身份证件号" | "成员2身份证件号" | "联招合作学校代码" | "学号" => text::clean_number(typed),
        "出生日期" => text::clean_date(typed),
        "入学年月" => text::clean_month(typed),
        "城乡分类代码" => {
            let typed = text::clean_number(typed);
            codes::urban_rural(&typed).map_or(typed, |class| class.code.to_owned())
        }
        "家庭邮政编码" => {
            let digits = text::clean_number(typed);
            if digits.len() == 5 { format!("0{digits}") } else { digits }
        }
        _ => codes::spelled(header, text::clean(typed)),
    }
}

fn text_of_name(typed: &str) -> String {
    typed.trim().trim_start_matches('\'').to_owned()
}

fn date(typed: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(typed, "%Y%m%d").ok().filter(|_| typed.len() == 8)
}

fn shown(header: &str, value: &str) -> String {
    if header.contains("证件号") { text::mask(value) } else { value.to_owned() }
}

/// Values of a list; of a long one the first.
fn list(values: &[&str]) -> String {
    const SHOWN: usize = 16;
    let mut text = values.iter().take(SHOWN).copied().collect::<Vec<_>>().join("、");
    if values.len() > SHOWN {
        let _ = write!(text, "等{}项", values.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::row::{columns_of, respelled};

    /// A row that is right, as a school would type it.
    pub fn good() -> HashMap<&'static str, String> {
        [
            ("姓名", "王伟"),
            ("性别", "女"),
            ("出生日期", "19491231"),
            ("身份证件类型", "居民身份证"),
            ("身份证件号", "11010519491231002X"),
            ("班级名称", "16级1班"),
            ("学号", "2016001"),
            ("学生类别", "普通中专学生"),
            ("学习形式", "全日制"),
            ("入学方式", "统一招生考试/普通入学"),
            ("就读方式", "住校"),
            ("国籍/地区", "中国"),
            ("港澳台侨外", "非港澳台侨"),
            ("是否随迁子女", "否"),
            ("生源地行政区划码", "430102"),
            ("户口所在地区县以下详细地址", "某街道1号"),
            ("户口所在地行政区划码", "430102"),
            ("户口性质", "农业户口"),
            ("学生居住地类型", "农村"),
            ("入学年月", "201609"),
            ("专业简称", "护理"),
            ("学制", "三年制"),
            ("民族", "汉族"),
            ("政治面貌", "群众"),
            ("健康状况", "健康或良好"),
            ("学生来源", "应届"),
            ("招生对象", "应届初中毕业生"),
            ("联系电话", "13800000000"),
            ("是否建档立卡贫困户", "否"),
            ("招生方式", "统一招生"),
            ("联招合作类型", "非联合办学"),
            ("成员1姓名", "王父"),
            ("成员1关系", "父亲"),
            ("成员1是否监护人", "是"),
            ("成员1联系电话", "13800000001"),
        ]
        .into_iter()
        .map(|(header, value)| (header, value.to_owned()))
        .collect()
    }

    fn problems(change: &[(&'static str, &str)]) -> (Option<Parsed>, Vec<&'static str>) {
        let mut row = good();
        for (header, value) in change {
            row.insert(header, (*value).to_owned());
        }
        let headers: Vec<String> = COLUMNS.iter().map(|column| column.header.to_owned()).collect();
        let cells = headers.iter().map(|header| Cell::text(row.get(header.as_str()).map_or("", String::as_str))).collect();
        let table = Table { sheet: String::new(), headers, rows: Vec::new(), hidden: false, furniture: Vec::new(), taken_out: false, blind: false };
        let majors = ["100100", "010200"].map(|code| Offered { major: codes::major("2010", code).expect("is known"), ended: None });
        let rules = SchoolRules { school: "3643000001", majors: &majors, today: NaiveDate::from_ymd_opt(2016, 9, 10).expect("a date") };
        let (parsed, problems, _) = parse(&Layout::new(&table), &Row { number: 4, cells, hidden: false, beyond: false }, &rules);
        (parsed, problems.into_iter().map(|problem| problem.code).collect())
    }

    #[test]
    fn a_right_row_is_read_and_every_wrong_cell_is_told() {
        let (parsed, found) = problems(&[]);
        assert_eq!(found, Vec::<&str>::new());
        let parsed = parsed.expect("is right");
        assert_eq!(parsed.details.len(), COLUMNS.len());
        assert_eq!((&*parsed.registered_region, &*parsed.urban_rural, &*parsed.special_groups), ("430102", "", ""));
        assert!(!parsed.content().contains("城乡分类代码"), "what the ministry's file says is the same with the column and without");
        for (change, code) in [
            (("姓名", "王"), "NAME"),
            (("姓名", ""), "REQUIRED"),
            (("性别", "男"), "SEX_DIFFERS"),
            (("性别", "未知"), "NOT_IN_LIST"),
            (("出生日期", "19491230"), "BIRTH_DATE_DIFFERS"),
            (("出生日期", "2016-02-30"), "DATE"),
            (("身份证件号", "110105194912310021"), "ID_CHECK_CHARACTER"),
            (("身份证件号", "11010519491231OO2X"), "ID_LETTER_O"),
            (("身份证件类型", "学生证"), "NOT_IN_LIST"),
            (("户口所在地行政区划码", "999999"), "REGION"),
            (("专业简称", "考古"), "MAJOR_NOT_OFFERED"),
            (("出生日期", "-19491231"), "DATE"),
            (("出生日期", "19-49-12-31"), "DATE"),
            (("入学年月", "2016"), "MONTH"),
            (("入学年月", "201609.5"), "MONTH"),
            (("入学年月", "201712"), "MONTH_FUTURE"),
            (("联招合作类型", "跨省联合办学"), "REQUIRED"),
            (("考试总分", "-1"), "NUMBER"),
            (("家庭邮政编码", "1234"), "POST_CODE"),
            (("民族", "汉"), "NOT_IN_LIST"),
            (("联系电话", "见备注"), "TELEPHONE"),
            (("成员1联系电话", "同上"), "TELEPHONE"),
        ] {
            let (parsed, found) = problems(&[change]);
            assert!(found.contains(&code), "{change:?} gave {found:?}");
            assert!(parsed.is_none());
        }
    }

    #[test]
    fn a_value_of_several_lines_is_kept_whole() {
        let address = "某街道1号\n2室\n学号=9";
        let (parsed, found) = problems(&[("户口所在地区县以下详细地址", address)]);
        assert_eq!(found, Vec::<&str>::new());
        let content = parsed.expect("is right").content();
        let columns = columns_of(&content);
        assert_eq!((columns["户口所在地区县以下详细地址"].as_str(), columns["学号"].as_str(), columns["姓名"].as_str()), (address, "2016001", "王伟"));
    }

    #[test]
    fn several_faults_of_a_row_are_told_together() {
        let (_, found) = problems(&[("姓名", "王"), ("民族", "汉"), ("专业简称", "考古"), ("身份证件号", "1")]);
        assert!(["NAME", "NOT_IN_LIST", "ID_LENGTH"].iter().all(|code| found.contains(code)), "{found:?}");
    }

    #[test]
    fn codes_are_taken_for_the_names_that_are_kept() {
        let typed = [("民族", "01"), ("国籍/地区", "CHN"), ("政治面貌", "13"), ("健康状况", "10"), ("成员1关系", "51"), ("身份证件类型", "1")];
        let (by_code, found) = problems(&typed);
        assert_eq!(found, Vec::<&str>::new());
        let by_name = problems(&[]).0.expect("is right");
        assert_eq!(by_code.expect("is right").content(), by_name.content());
        assert_eq!(respelled(&by_name.content().replace("国籍/地区=中国", "国籍/地区=156")), by_name.content());
        assert_eq!(respelled(&by_name.content()), by_name.content());
    }

    #[test]
    fn cells_as_people_type_them_are_put_right() {
        let (parsed, found) = problems(&[
            ("身份证件号", "'１１０１０５ 19491231 002x"),
            ("出生日期", "1949-12-31"),
            ("入学年月", "2016年09月"),
            ("专业简称", "10200"),
            ("家庭邮政编码", "10020"),
            ("姓名", "　王　伟 "),
        ]);
        assert_eq!(found, Vec::<&str>::new());
        let parsed = parsed.expect("is right");
        assert_eq!((parsed.major.code, parsed.name.as_str(), parsed.entry_month.number()), ("010200", "王 伟", 201_609));
    }
}
