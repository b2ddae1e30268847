//! A row of a file while it is read: cells by their headers, what is wrong with them, and whom the row names. Of every kind of file here.

use std::collections::HashMap;

use chrono::NaiveDate;
use xuezhu_domain::{IdNumber, codes, region::REGION_UNKNOWN, text};
use xuezhu_intake::Fault;
use xuezhu_workbook::{BEYOND_HEADER, Column, Flaw, Row, Table};

/// Headers by which a header row is known.
pub const MARKS: &[&str] = &["姓名", "身份证件号"];
/// Columns that name somebody.
pub const NAMED: [Column<'static>; 3] = [
    Column { header: "姓名", required: true, format: "与身份证件一致，2至36字", values: &[] },
    Column { header: "身份证件类型", required: true, format: "居民身份证、户口薄、护照、境外永久居住证、其他等", values: &[] },
    Column { header: "身份证件号", required: true, format: "请用文本格式", values: &[] },
];

/// Where a table's columns are, by their headers.
pub type Places = HashMap<&'static str, usize>;

/// Finds columns by their headers.
pub fn places(table: &Table, columns: &[Column<'static>]) -> Places {
    columns.iter().filter_map(|column| table.column(column.header).map(|place| (column.header, place))).collect()
}

/// A row while it is read.
pub struct Cells<'r> {
    places: &'r Places,
    row: &'r Row,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl<'r> Cells<'r> {
    /// Begins to read a row; cells beyond the header are told.
    pub fn of(places: &'r Places, row: &'r Row) -> Self {
        let mut cells = Self { places, row, faults: Vec::new() };
        if row.beyond {
            let (code, why) = BEYOND_HEADER;
            cells.fault("", "", code, why);
        }
        cells
    }

    /// Tells what is wrong with a cell.
    pub fn fault(&mut self, column: &str, value: &str, code: &'static str, reason: impl Into<String>) {
        self.faults.push(Fault::new(column, value, code, reason));
    }

    /// What a cell holds; what is wrong with it whatever it holds is told.
    pub fn take(&mut self, header: &'static str) -> String {
        let Some(cell) = self.places.get(header).and_then(|place| self.row.cells.get(*place)) else { return String::new() };
        match cell.flaw {
            Some(Flaw::Formula) => self.fault(header, "", "FORMULA", "单元格是公式，请复制后“选择性粘贴为数值”再上传"),
            Some(Flaw::ErrorValue) => self.fault(header, &cell.text, "ERROR_VALUE", "单元格是错误值，请重新填写"),
            // The identity number itself says so in its own words.
            Some(Flaw::Rounded) if header == "身份证件号" => {}
            Some(Flaw::Rounded) => self.fault(header, &cell.text, "ROUNDED", "单元格是数值格式，末几位已丢失；请将该列设为文本格式后重新录入"),
            None => {}
        }
        cell.text.clone()
    }

    /// Somebody's name.
    pub fn name(&mut self) -> String {
        let name = text::tidy_name(self.take("姓名").trim_start_matches('\''));
        if name.is_empty() {
            self.fault("姓名", "", "REQUIRED", "必填项为空");
        } else if let Some(fault) = text::name_fault(&name) {
            self.fault("姓名", &name, "NAME", fault);
        }
        name
    }

    /// Somebody's number, with the kind of document that it is of.
    pub fn identity(&mut self, today: NaiveDate) -> Option<(IdNumber, &'static str)> {
        let typed = text::clean(&self.take("身份证件类型"));
        let number = self.take("身份证件号");
        let Some(document) = codes::document(&typed) else {
            let why = "不在可选值中，应为：居民身份证、户口薄、护照、境外永久居住证、其他等";
            let near = text::nearest(&typed, codes::documents());
            self.faults.push(Fault::new("身份证件类型", &typed, "NOT_IN_LIST", why).proposing(near));
            return None;
        };
        match IdNumber::parse(document, &number, today) {
            Ok(id) => Some((id, document)),
            Err(error) => {
                self.fault("身份证件号", &text::mask(&text::clean_number(&number)), error.code(), error.to_string());
                None
            }
        }
    }
}

/// What is worth a second look in a number.
pub fn doubt(id: &IdNumber) -> Option<Fault> {
    let why = "号码前6位不在历年行政区划（GB/T 2260）中，请对照证件核对；确属新设的区划可以保留";
    id.region_is_unknown().then(|| Fault::new("身份证件号", &id.masked(), REGION_UNKNOWN, why))
}
