//! Writes blank workbooks and marked ones, in the layout that is uploaded: notes on the first sheet, the table on the
//! second with its header in row 3.

use std::collections::{HashMap, HashSet};

use rust_xlsxwriter::{Color, DataValidation, Format, FormatBorder, Formula, Note, Workbook, Worksheet, XlsxError};

use crate::{
    cell::{Cell, Flaw},
    table::Table,
    taken::STAMP,
};

/// What a workbook is about.
#[derive(Debug, Clone, Copy)]
pub struct Template<'t> {
    /// Title, and name of the data sheet.
    pub title: &'t str,
    /// How to fill it in, a line each.
    pub notes: &'t [String],
    /// Its columns.
    pub columns: &'t [Column<'t>],
}

/// A column of a workbook.
#[derive(Debug, Clone, Copy)]
pub struct Column<'t> {
    /// Header.
    pub header: &'t str,
    /// Whether it must be filled.
    pub required: bool,
    /// What it may hold, in words.
    pub format: &'t str,
    /// The values that it allows; empty where it is free.
    pub values: &'t [&'t str],
}

impl Column<'_> {
    fn said(&self) -> String {
        let values = if self.values.is_empty() { String::new() } else { format!("可填：{}", self.values.join("、")) };
        [self.format, &values].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("；")
    }
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Sheet of the uploaded file.
    pub sheet: String,
    /// Row of the uploaded file.
    pub row: u32,
    /// Header; empty for the whole row.
    pub column: String,
    /// Why, and what to do.
    pub reason: String,
    /// What was probably meant; empty where nothing is near.
    pub proposed: String,
}

impl Mark {
    /// What is said beside the cell.
    fn said(&self) -> String {
        if self.proposed.is_empty() { self.reason.clone() } else { format!("{}；建议改为：{}", self.reason, self.proposed) }
    }
}

/// Header of the column that a marked workbook adds; ignored when it is uploaded again.
pub const REASON_HEADER: &str = "问题说明";
/// Where it stands.
const REASON_COLUMN: u16 = 0;
/// Name of the sheet with the notes.
const NOTES_SHEET: &str = "填写说明";
pub(crate) const HEADER_ROW: u32 = 2;
/// Length of a list of values that a spreadsheet offers in a cell, in UTF-16 units.
const LIST_UNITS: usize = 255;
/// Rows that offer lists.
const LISTED_ROWS: u32 = 5_000;
pub(crate) const COLUMN_WIDTH: f64 = 16.0;
const REASON_WIDTH: f64 = 60.0;

/// A blank workbook.
pub fn blank(template: Template) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    write_notes(book.add_worksheet(), template)?;
    let headers: Vec<&str> = template.columns.iter().map(|column| column.header).collect();
    write_head(book.add_worksheet(), template, &headers)?;
    book.save_to_buffer()
}

/// An uploaded file again, with what is wrong coloured and said; `faulty_only` leaves the good rows out.
pub fn marked(template: Template, tables: &[Table], marks: &[Mark], faulty_only: bool) -> Result<Vec<u8>, XlsxError> {
    let mut by_row: HashMap<(&str, u32), Vec<&Mark>> = HashMap::new();
    for mark in marks {
        by_row.entry((mark.sheet.as_str(), mark.row)).or_default().push(mark);
    }
    let (text, fault) = (text_format(), text_format().set_background_color(Color::RGB(0x00FF_C7CE)).set_font_color(Color::RGB(0x009C_0006)));
    let mut book = Workbook::new();
    write_notes(book.add_worksheet(), template)?;
    let mut names = Names::default();
    for table in tables {
        let kept: Vec<usize> = (0..table.headers.len()).filter(|index| !table.headers[*index].is_empty() && table.headers[*index] != REASON_HEADER).collect();
        // What is wrong is seen first.
        let headers: Vec<&str> = std::iter::once(REASON_HEADER).chain(kept.iter().map(|index| table.headers[*index].as_str())).collect();
        let sheet = book.add_worksheet();
        sheet.set_name(names.name(&table.sheet))?;
        // What was hidden stays so: made visible, it would be data.
        if table.hidden {
            sheet.set_hidden(true);
        }
        write_head(sheet, Template { title: "", ..template }, &headers)?;
        sheet.set_column_width(REASON_COLUMN, REASON_WIDTH)?;
        if table.taken_out {
            // Its numbers are masked still: it is known by that when it comes back.
            sheet.write_string(0, 0, format!("{STAMP}：带问题说明的副本"))?;
        }
        let mut line = HEADER_ROW;
        for row in &table.rows {
            let faults = by_row.get(&(table.sheet.as_str(), row.number));
            if faulty_only && faults.is_none() {
                continue;
            }
            line += 1;
            if row.hidden {
                sheet.set_row_hidden(line)?;
            }
            for (column, index) in kept.iter().enumerate() {
                let column = u16::try_from(column + 1).unwrap_or(u16::MAX);
                let header = &table.headers[*index];
                let at_fault = faults.and_then(|faults| faults.iter().find(|mark| mark.column == *header));
                write_cell(sheet, (line, column), &row.cells[*index], if at_fault.is_some() { &fault } else { &text })?;
                if let Some(mark) = at_fault {
                    sheet.insert_note(line, column, &Note::new(mark.said()).add_author_prefix(false))?;
                }
            }
            if let Some(faults) = faults {
                let reasons: Vec<String> =
                    faults.iter().map(|mark| if mark.column.is_empty() { mark.said() } else { format!("【{}】{}", mark.column, mark.said()) }).collect();
                sheet.write_string_with_format(line, REASON_COLUMN, reasons.join("；"), &fault)?;
            }
        }
        sheet.autofilter(HEADER_ROW, REASON_COLUMN, line, u16::try_from(kept.len()).unwrap_or(u16::MAX))?;
    }
    book.save_to_buffer()
}

/// Names of sheets that a spreadsheet takes: others' programs allow what it doesn't.
pub(crate) struct Names(HashSet<String>);

impl Default for Names {
    fn default() -> Self {
        // Spreadsheets keep the second for themselves.
        Self(HashSet::from([NOTES_SHEET.to_owned(), "history".to_owned()]))
    }
}

impl Names {
    /// Characters of a name at most, in UTF-16 units.
    const UNITS: usize = 31;

    /// The name for a sheet.
    pub(crate) fn name(&mut self, wanted: &str) -> String {
        let plain: String = wanted.chars().map(|c| if "[]:*?/\\".contains(c) || c.is_control() { '_' } else { c }).collect();
        let plain = plain.trim_matches(|c: char| c == '\'' || c.is_whitespace());
        let plain = if plain.is_empty() || plain == NOTES_SHEET { "Sheet" } else { plain };
        // Of those that differ by case only, or after they were cut, each has a number.
        let mut numbered = (1..=self.0.len() + 1).map(|nth| if nth == 1 { cut(plain, "") } else { cut(plain, &format!("({nth})")) });
        numbered.find(|name| self.0.insert(name.to_lowercase())).unwrap_or_default()
    }
}

/// A name with an ending, as long as it may be.
fn cut(name: &str, ending: &str) -> String {
    let mut left = Names::UNITS - ending.encode_utf16().count();
    let fits = |c: &char| {
        let units = c.len_utf16();
        let fits = units <= left;
        left = left.saturating_sub(units);
        fits
    };
    let kept: String = name.chars().take_while(fits).collect();
    format!("{}{ending}", kept.trim_end_matches('\''))
}

/// A cell as it was: uploaded again, it has the same flaw. Rounded numbers and errors are known by their texts.
fn write_cell(sheet: &mut Worksheet, (line, column): (u32, u16), cell: &Cell, format: &Format) -> Result<(), XlsxError> {
    /// Characters of a text within a formula.
    const TEXT_IN_FORMULA: usize = 255;
    if cell.flaw == Some(Flaw::Formula) {
        let text: String = cell.text.chars().take(TEXT_IN_FORMULA / 2).collect();
        let formula = Formula::new(format!("=\"{}\"", text.replace('"', "\"\""))).set_result(text);
        sheet.write_formula_with_format(line, column, formula, format)?;
    } else {
        sheet.write_string_with_format(line, column, &cell.text, format)?;
    }
    Ok(())
}

pub(crate) fn text_format() -> Format {
    Format::new().set_num_format("@")
}

pub(crate) fn head_format() -> Format {
    Format::new().set_bold().set_border(FormatBorder::Thin).set_background_color(Color::RGB(0x00DD_EBF7))
}

fn write_notes(sheet: &mut Worksheet, template: Template) -> Result<(), XlsxError> {
    let (bold, wrap) = (Format::new().set_bold().set_font_size(14), Format::new().set_text_wrap());
    sheet.set_name(NOTES_SHEET)?;
    sheet.set_column_width(0, 24)?;
    sheet.set_column_width(1, 10)?;
    sheet.set_column_width(2, 80)?;
    sheet.write_with_format(0, 0, template.title, &bold)?;
    let mut line = 1;
    for note in template.notes {
        sheet.write(line, 0, note)?;
        line += 1;
    }
    line += 1;
    for column in template.columns {
        sheet.write(line, 0, column.header)?;
        sheet.write(line, 1, if column.required { "必填" } else { "选填" })?;
        sheet.write_with_format(line, 2, column.said(), &wrap)?;
        line += 1;
    }
    Ok(())
}

fn write_head(sheet: &mut Worksheet, template: Template, headers: &[&str]) -> Result<(), XlsxError> {
    let known = |header: &str| template.columns.iter().find(|column| column.header == header);
    let head = head_format();
    let must = head.clone().set_font_color(Color::RGB(0x00C0_0000));
    if !template.title.is_empty() {
        sheet.set_name(template.title)?;
    }
    sheet.write_with_format(0, 0, template.title, &Format::new().set_bold().set_font_size(14))?;
    sheet.write(1, 0, "红色表头为必填项；所有单元格请用文本格式，从第4行开始填写。")?;
    for (column, header) in headers.iter().enumerate() {
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        sheet.set_column_format(column, &text_format())?;
        sheet.set_column_width(column, COLUMN_WIDTH)?;
        let known = known(header);
        sheet.write_with_format(HEADER_ROW, column, *header, if known.is_some_and(|known| known.required) { &must } else { &head })?;
        let values = known.map_or(&[][..], |known| known.values);
        // A longer list than a spreadsheet takes stands in the notes alone.
        if !values.is_empty() && values.join(",").encode_utf16().count() <= LIST_UNITS {
            let list = DataValidation::new().allow_list_strings(values)?.set_error_title("取值不在范围内")?.set_error_message("请从下拉列表中选择")?;
            sheet.add_data_validation(HEADER_ROW + 1, column, HEADER_ROW + LISTED_ROWS, column, &list)?;
        }
    }
    sheet.set_freeze_panes(HEADER_ROW + 1, 1)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Columns, read};

    const COLUMNS: Columns = Columns { known: &["姓名", "身份证件号"], marks: &["姓名", "身份证件号"], required: &[], taken_out: false };

    #[test]
    fn any_name_of_a_sheet_becomes_one_that_is_taken() {
        let mut names = Names::default();
        let long = "2026级会计电算化专业与现代农艺技术专业三年制普通中专新生信息采集表";
        let mut book = Workbook::new();
        for (wanted, name) in [
            ("A", "A"),
            ("a", "a(2)"),
            ("2026级[会计]*1班", "2026级_会计__1班"),
            ("'学生'", "学生"),
            ("  学生  ", "学生(2)"),
            ("' 'B", "B"),
            ("History", "History(2)"),
            (long, "2026级会计电算化专业与现代农艺技术专业三年制普通中专新生信"),
            (long, "2026级会计电算化专业与现代农艺技术专业三年制普通中专(2)"),
            ("填写说明", "Sheet"),
            ("Sheet", "Sheet(2)"),
            ("", "Sheet(3)"),
        ] {
            let found = names.name(wanted);
            assert_eq!(found, name, "{wanted}");
            book.add_worksheet().set_name(found).expect("is taken");
        }
        book.save_to_buffer().expect("is written");
    }

    #[test]
    fn a_marked_workbook_reads_back_with_its_rows() {
        let column = |header, format| Column { header, required: true, format, values: &[] };
        let columns = [column("姓名", "2至36字"), column("身份证件号", "18位")];
        let template = Template { title: "学生信息", notes: &[], columns: &columns };
        let tables = read("姓名,身份证件号\n王伟,1\n李娜,2\n".as_bytes(), COLUMNS).unwrap();
        let marks =
            [Mark { sheet: String::new(), row: 3, column: "身份证件号".into(), reason: "居民身份证号应为18位".into(), proposed: String::new() }];
        let all = read(&marked(template, &tables, &marks, false).unwrap(), COLUMNS).unwrap();
        assert_eq!(all[0].rows.len(), 2);
        assert_eq!(all[0].rows[1].cells[0].text, "【身份证件号】居民身份证号应为18位");
        let faulty = read(&marked(template, &tables, &marks, true).unwrap(), COLUMNS).unwrap();
        assert_eq!(faulty[0].rows.iter().map(|row| row.cells[1].text.as_str()).collect::<Vec<_>>(), ["李娜"]);
        assert_eq!(faulty[0].rows[0].number, 4, "data begins in row 4");
    }
}
