//! A row of the workbook that can be stored, and its content as it is kept: a line a column.

use std::{collections::HashMap, fmt::Write, sync::Arc};

use chrono::NaiveDate;
use xuezhu_domain::{
    IdNumber, Month, Sex,
    codes::{self, COLUMNS, Column, Major},
};

/// A row that can be stored.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Name.
    pub name: String,
    /// Number.
    pub id: IdNumber,
    /// Document type.
    pub document: &'static str,
    /// Sex.
    pub sex: Sex,
    /// Birth date.
    pub birth_date: NaiveDate,
    /// The school's own number.
    pub school_number: String,
    /// Class.
    pub class_name: String,
    /// Major.
    pub major: &'static Major,
    /// Why nobody new is taken into the major from the month of entry on; none where somebody is.
    pub major_ended: Option<String>,
    /// Month of entry.
    pub entry_month: Month,
    /// 全日制 or 非全日制.
    pub study_form: String,
    /// 学生类别.
    pub student_category: String,
    /// 户口性质.
    pub household: String,
    /// 学生居住地类型.
    pub residence: String,
    /// 户口所在地行政区划码.
    pub registered_region: String,
    /// 城乡分类代码 of the registered address; empty where the school does not know it.
    pub urban_rural: String,
    /// Groups that aid knows, of [`codes::SPECIAL_GROUPS`], joined by blanks.
    pub special_groups: String,
    /// Telephone.
    pub phone: String,
    /// Every column as it is kept.
    pub details: Vec<(&'static str, String)>,
    /// Columns that the file does not have.
    pub absent: Arc<[&'static str]>,
}

impl Parsed {
    /// Keeps what is stored where the file has no column, and, unless blank cells clear, where the cell is blank.
    pub fn keep(&mut self, stored: &str, blank_clears: bool) {
        let stored = columns_of(stored);
        for (header, value) in self.details.iter_mut().filter(|(_, value)| value.is_empty()) {
            if blank_clears && !self.absent.contains(header) {
                continue;
            }
            if let Some(kept) = stored.get(header) {
                kept.clone_into(value);
            }
        }
        let text = |header: &str| self.details.iter().find(|(known, _)| *known == header).map(|(_, value)| value.clone()).unwrap_or_default();
        self.school_number = text("学号");
        self.class_name = text("班级名称");
        self.study_form = text("学习形式");
        self.student_category = text("学生类别");
        self.household = text("户口性质");
        self.residence = text("学生居住地类型");
        self.registered_region = text("户口所在地行政区划码");
        self.urban_rural = text("城乡分类代码");
        self.special_groups = special_groups(text);
        self.phone = text("联系电话");
    }

    /// The content as one text: equal for equal rows, whatever the order of columns.
    pub fn content(&self) -> String {
        lines(COLUMNS.iter().zip(&self.details).map(|(column, (_, value))| (column, value.as_str())))
    }
}

/// Kept content with some of its columns said otherwise: what a file that says just that would make of it.
pub fn content_with(stored: &str, said: &[(&'static str, String)]) -> String {
    let stored = columns_of(stored);
    let value =
        |header: &str| said.iter().find(|(known, _)| *known == header).map(|(_, value)| value).or_else(|| stored.get(header)).map_or("", String::as_str);
    lines(COLUMNS.iter().map(|column| (column, value(column.header))))
}

/// Columns as they are kept, a line each.
fn lines<'c>(columns: impl Iterator<Item = (&'c Column, &'c str)>) -> String {
    let mut content = String::with_capacity(1024);
    for (column, value) in columns {
        if column.official || !value.is_empty() {
            let _ = writeln!(content, "{}={value}", column.header);
        }
    }
    content
}

/// What columns say, by their headers.
pub type Columns = HashMap<&'static str, String>;

/// The columns of a content, as [`Parsed::content`] writes them: in their order, a line each. A line that begins no later column goes on with
/// the value before it, in which somebody broke a line.
pub fn columns_of(content: &str) -> Columns {
    let (mut columns, mut last): (Columns, Option<usize>) = (HashMap::new(), None);
    for line in content.lines() {
        let begins = line.split_once('=').and_then(|(header, value)| Some((COLUMNS.iter().position(|column| column.header == header)?, value)));
        match begins.filter(|(at, _)| last.is_none_or(|last| *at > last)) {
            Some((at, value)) => {
                columns.insert(COLUMNS[at].header, value.to_owned());
                last = Some(at);
            }
            None => {
                if let Some(value) = last.and_then(|last| columns.get_mut(COLUMNS[last].header)) {
                    value.push('\n');
                    value.push_str(line);
                }
            }
        }
    }
    columns
}

/// The groups that a row's columns name.
pub fn special_groups(value: impl Fn(&str) -> String) -> String {
    let named: Vec<&str> = codes::SPECIAL_GROUPS.iter().filter(|(column, _)| value(column) == "是").map(|(_, group)| *group).collect();
    named.join(" ")
}

/// Kept content as it would be kept today: what an earlier version took as a code is a name now.
pub fn respelled(content: &str) -> String {
    let today = |line: &str| match line.split_once('=') {
        Some((header, value)) => format!("{header}={}\n", codes::spelled(header, value.to_owned())),
        None => format!("{line}\n"),
    };
    content.lines().map(today).collect()
}
