//! Writes tables that are taken out: in the layout that is uploaded, stamped on every sheet with who took them, when and what for.

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{Color, DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::write::{COLUMN_WIDTH, HEADER_ROW, Names, head_format, text_format};

/// How the first row of a sheet begins that was taken out: by it a file is known that comes back.
pub const STAMP: &str = "学助导出文件";
/// Characters of a header or footer of a printed page that a spreadsheet takes.
const PRINTED: usize = 255;

/// A table that is taken out.
#[derive(Debug, Clone, Copy)]
pub struct TakenSheet<'t> {
    /// Its name.
    pub name: &'t str,
    /// Its headers.
    pub columns: &'t [&'t str],
    /// Its rows, a text for each header.
    pub rows: &'t [Vec<String>],
}

/// Whose copy it is.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'s> {
    /// Whose data these are.
    pub school: &'s str,
    /// Who took them.
    pub who: &'s str,
    /// When, as people read it.
    pub when: &'s str,
    /// When.
    pub at: DateTime<Utc>,
    /// What for.
    pub purpose: &'s str,
    /// Its receipt.
    pub receipt: &'s str,
    /// What else whoever opens it should know.
    pub note: &'s str,
}

/// A workbook of these tables. The same tables under the same stamp are the same bytes.
pub fn taken(sheets: &[TakenSheet], stamp: &Stamp) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_timestamp(stamp.at.timestamp())?));
    let mut names = Names::default();
    for table in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(names.name(table.name))?;
        write_stamp(sheet, stamp)?;
        write_rows(sheet, table)?;
    }
    book.save_to_buffer()
}

fn write_stamp(sheet: &mut Worksheet, stamp: &Stamp) -> Result<(), XlsxError> {
    let Stamp { school, who, when, purpose, receipt, note, .. } = stamp;
    let line = format!("{STAMP}：{school}；导出人 {who}；{when}；用途 {purpose}；编号 {receipt}");
    sheet.write_string_with_format(0, 0, line, &Format::new().set_bold().set_font_color(Color::RGB(0x009C_0006)))?;
    sheet.write_string(1, 0, *note)?;
    sheet.set_header(printed(&[('L', school), ('R', &format!("{who} {when}"))]));
    sheet.set_footer(printed(&[('L', &format!("编号 {receipt}")), ('R', &format!("用途 {purpose}"))]));
    sheet.set_landscape();
    sheet.set_repeat_rows(0, HEADER_ROW)?;
    Ok(())
}

/// A header or footer of printed pages: by place and text. An ampersand would be taken for an instruction.
fn printed(parts: &[(char, &str)]) -> String {
    let whole: Vec<String> = parts.iter().map(|(place, text)| format!("&{place}{}", text.replace('&', "＆"))).collect();
    whole.concat().chars().take(PRINTED).collect()
}

fn write_rows(sheet: &mut Worksheet, table: &TakenSheet) -> Result<(), XlsxError> {
    let (head, text) = (head_format(), text_format());
    for (column, header) in (0..).zip(table.columns) {
        sheet.set_column_format(column, &text)?;
        sheet.set_column_width(column, COLUMN_WIDTH)?;
        sheet.write_string_with_format(HEADER_ROW, column, *header, &head)?;
    }
    for (line, row) in (HEADER_ROW + 1..).zip(table.rows) {
        for (column, value) in (0..).zip(row).filter(|(_, value)| !value.is_empty()) {
            // As a text: what begins like a formula is none.
            sheet.write_string_with_format(line, column, value, &text)?;
        }
    }
    sheet.set_freeze_panes(HEADER_ROW + 1, 1)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Columns, ReadError, read};

    const MARKS: &[&str] = &["姓名", "身份证件号"];

    fn columns(taken_out: bool) -> Columns<'static> {
        Columns { known: &["姓名", "身份证件号", "班级名称"], marks: MARKS, required: &["姓名", "身份证件号", "班级名称"], taken_out }
    }

    fn book(headers: &[&str]) -> Vec<u8> {
        let at = DateTime::from_timestamp(1_480_000_000, 0).unwrap();
        let (school, purpose) = ("某某&学校", "核对".repeat(100));
        let stamp = Stamp { school, who: "李老师（li）", when: "2016-11-24 23:06", at, purpose: &purpose, receipt: "0190-id", note: "请勿外传" };
        let rows = [vec!["王伟".to_owned(), "**************002X".to_owned()], vec!["=1+1".to_owned(), String::new()]];
        taken(&[TakenSheet { name: "学生", columns: headers, rows: &rows }], &stamp).unwrap()
    }

    #[test]
    fn what_was_taken_out_is_known_when_it_comes_back() {
        let bytes = book(MARKS);
        assert_eq!(bytes, book(MARKS), "the same tables under the same stamp are the same bytes");
        assert_eq!(read(&bytes, columns(false)), Err(ReadError::TakenOut));
        assert_eq!(read(&book(&["姓名", "班级"]), columns(true)), Err(ReadError::TakenOut), "whatever it holds");
        let tables = read(&bytes, columns(true)).unwrap();
        assert!(tables[0].taken_out && tables[0].headers == MARKS, "what it lacks is absent");
        let texts: Vec<&str> = tables[0].rows.iter().map(|row| row.cells[0].text.as_str()).collect();
        assert_eq!(texts, ["王伟", "=1+1"]);
        assert!(tables[0].rows.iter().all(|row| row.cells[0].flaw.is_none()), "nothing is a formula");
        let template = crate::Template { title: "学生", notes: &[], columns: &[] };
        let marked = crate::marked(template, &tables, &[], false).unwrap();
        assert_eq!(read(&marked, columns(false)), Err(ReadError::TakenOut), "nor is a marked copy of it");
        let plain = "姓名,身份证件号,班级名称\n王伟,1,1班\n";
        assert!(!read(plain.as_bytes(), columns(true)).unwrap()[0].taken_out);
        let saved_as_text = format!("{STAMP}：某校,,\n,,\n{plain}");
        assert_eq!(read(saved_as_text.as_bytes(), columns(false)), Err(ReadError::TakenOut));
    }

    #[test]
    fn a_printed_page_says_whose_copy_it_is_within_what_a_spreadsheet_takes() {
        let long = printed(&[('L', "编号 01900000-0000-7000-8000-000000000000"), ('R', &format!("用途 {}", "字".repeat(200)))]);
        assert!(long.chars().count() <= PRINTED && long.ends_with('字') && long.chars().filter(|c| *c == '字').count() == 200);
        assert_eq!(printed(&[('L', "甲&乙")]), "&L甲＆乙");
    }
}
