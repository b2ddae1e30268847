//! Reads a file of any kind: its sheets and their rows as the spreadsheet numbers them.

use std::collections::HashSet;

use calamine::{Data, DataRef, DataType, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use xuezhu_domain::text;

use crate::{
    COLUMNS, ReadError, UPLOAD_BYTES, XLS_BYTES, beside,
    cell::{Cell, Flaw},
    csv_file,
    guard::{self, OnceOver},
    headers::{Columns, Headers},
    sort,
    table::{Sheet, Table, Tables},
    xls,
};

/// Reads a file. A sheet counts where one of its first rows holds every header that no title has.
pub fn read(bytes: &[u8], columns: Columns<'_>) -> Result<Vec<Table>, ReadError> {
    if bytes.len() > UPLOAD_BYTES {
        return Err(ReadError::TooLarge(format!("文件超过{}MB，请分批上传", UPLOAD_BYTES / 1024 / 1024)));
    }
    if bytes.is_empty() {
        return Err(ReadError::Unreadable("文件为空".into()));
    }
    if let Some(what) = sort::other(bytes) {
        return Err(ReadError::Other(what));
    }
    let headers = Headers::new(columns);
    let mut tables = Tables::new(&headers);
    if bytes.starts_with(b"PK") {
        let parts = guard::check_archive(bytes)?;
        tables.beside = beside::sheets_of(bytes, &parts)?;
    }
    let mut take = |sheet: &Sheet, number: u32, cells: Vec<Cell>| tables.take(sheet, number, cells);
    if bytes.starts_with(b"PK") {
        read_xlsx(bytes, &mut take)?;
    } else if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        // Whatever its size, a protected .xlsx lies in such a container too.
        if holds_encrypted_package(bytes) {
            return Err(ReadError::Encrypted);
        }
        if bytes.len() > XLS_BYTES {
            return Err(ReadError::TooLarge(format!(".xls文件超过{}MB，请另存为.xlsx后上传", XLS_BYTES / 1024 / 1024)));
        }
        xls::read(bytes, &mut take)?;
        tables.blind();
    } else {
        csv_file::read(bytes, &headers, &mut take)?;
    }
    tables.finish()
}

/// Whether a container names the stream in which a protected workbook lies (MS-OFFCRYPTO 2.3.4.4).
fn holds_encrypted_package(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(name.len()).any(|window| window == name)
}

/// Takes a row of a sheet.
pub type Take<'t> = dyn FnMut(&Sheet, u32, Vec<Cell>) -> Result<(), ReadError> + 't;

fn read_xlsx(bytes: &[u8], take: &mut Take) -> Result<(), ReadError> {
    let mut book: Xlsx<_> = Xlsx::new(OnceOver::new(bytes)).map_err(xlsx_error)?;
    let of_rows = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let sheets: Vec<Sheet> = of_rows.map(|sheet| Sheet { name: sheet.name.clone(), hidden: sheet.visible != SheetVisible::Visible }).collect();
    // Of two with one name only the first could be read; those that differ by case are two.
    let mut names = HashSet::new();
    if let Some(twice) = sheets.iter().find(|sheet| !names.insert(sheet.name.clone())) {
        return Err(ReadError::Unreadable(format!("有两个工作表都叫“{}”", text::mask_long_numbers(&twice.name))));
    }
    for sheet in sheets {
        let mut cells = book.worksheet_cells_reader(&sheet.name).map_err(xlsx_error)?;
        let (mut number, mut row): (u32, Vec<Cell>) = (0, Vec::new());
        while let Some(cell) = cells.next_cell_with_formula().map_err(xlsx_error)? {
            let (at, column) = cell.pos;
            if at + 1 != number && !row.is_empty() {
                take(&sheet, number, std::mem::take(&mut row))?;
            }
            // Two rows of one number, or one before another, are of no spreadsheet: each program would read another table.
            if at + 1 < number {
                return Err(ReadError::Unreadable(format!("第{}行的次序错乱，请用Excel或WPS另存后重新上传", at + 1)));
            }
            if at + 1 == number && row.get(column as usize).is_some_and(|known| !known.is_blank()) {
                return Err(ReadError::Unreadable(format!("第{}行出现了两次，请用Excel或WPS另存后重新上传", at + 1)));
            }
            number = at + 1;
            let value = owned(&cell.value, cell.formula.is_some());
            put(&mut row, column, value);
        }
        if !row.is_empty() {
            take(&sheet, number, row)?;
        }
    }
    Ok(())
}

/// Puts a cell where it stands, if that is looked at.
pub(crate) fn put(row: &mut Vec<Cell>, column: u32, cell: Cell) {
    if column >= COLUMNS {
        return;
    }
    let column = column as usize;
    if row.len() <= column {
        row.resize(column + 1, Cell::default());
    }
    row[column] = cell;
}

fn owned(value: &DataRef, formula: bool) -> Cell {
    let mut cell = match value {
        DataRef::String(text) => Cell::text(text),
        DataRef::SharedString(text) => Cell::text(text),
        DataRef::DateTimeIso(text) => Cell::text(&text.chars().filter(char::is_ascii_digit).take(8).collect::<String>()),
        DataRef::Error(error) => Cell { text: error.to_string(), flaw: Some(Flaw::ErrorValue) },
        DataRef::Bool(truth) => Cell::text(if *truth { "是" } else { "否" }),
        DataRef::Int(number) => Cell::text(&number.to_string()),
        DataRef::Float(number) => Cell::number(*number),
        DataRef::DateTime(_) => date(value.as_date(), value.as_f64()),
        DataRef::DurationIso(_) | DataRef::Empty => Cell::default(),
    };
    if formula {
        cell.flaw = Some(Flaw::Formula);
    }
    cell
}

/// The cell of a value that a reader owns.
pub(crate) fn of_data(value: &Data, formula: bool) -> Cell {
    let mut cell = match value {
        Data::String(text) => Cell::text(text),
        Data::DateTimeIso(text) => Cell::text(&text.chars().filter(char::is_ascii_digit).take(8).collect::<String>()),
        Data::Error(error) => Cell { text: error.to_string(), flaw: Some(Flaw::ErrorValue) },
        Data::Bool(truth) => Cell::text(if *truth { "是" } else { "否" }),
        Data::Int(number) => Cell::text(&number.to_string()),
        Data::Float(number) => Cell::number(*number),
        Data::DateTime(_) => date(value.as_date(), value.as_f64()),
        Data::DurationIso(_) | Data::Empty => Cell::default(),
    };
    if formula {
        cell.flaw = Some(Flaw::Formula);
    }
    cell
}

fn date(date: Option<chrono::NaiveDate>, number: Option<f64>) -> Cell {
    match date {
        Some(date) => Cell::text(&date.format("%Y%m%d").to_string()),
        None => Cell::number(number.unwrap_or_default()),
    }
}

fn xlsx_error(error: XlsxError) -> ReadError {
    match error {
        XlsxError::Password => ReadError::Encrypted,
        other => ReadError::Unreadable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{DATA_ROWS, PHYSICAL_ROWS};
    use rust_xlsxwriter::{Formula, Workbook};

    const MARKS: &[&str] = &["姓名", "身份证件号"];

    fn columns<'c>(required: &'c [&'c str]) -> Columns<'c> {
        Columns { known: MARKS, marks: MARKS, required, taken_out: false }
    }

    fn book(fill: impl Fn(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
        let mut book = Workbook::new();
        fill(book.add_worksheet());
        book.save_to_buffer().unwrap()
    }

    fn header(sheet: &mut rust_xlsxwriter::Worksheet, row: u32) {
        sheet.write(row, 0, "姓名").unwrap();
        sheet.write(row, 1, "身份证件号").unwrap();
    }

    #[test]
    fn rows_keep_the_numbers_that_people_see() {
        let bytes = book(|sheet| {
            sheet.write(0, 0, "学生信息导入模板").unwrap();
            header(sheet, 2);
            sheet.write(3, 0, "王伟").unwrap();
            sheet.write(6, 0, "李娜").unwrap();
            sheet.write(6, 1, 1.234).unwrap();
        });
        let tables = read(&bytes, columns(&["姓名"])).unwrap();
        let rows: Vec<_> = tables[0].rows.iter().map(|row| (row.number, row.cells[0].text.as_str(), row.cells[1].text.as_str())).collect();
        assert_eq!(rows, [(4, "王伟", ""), (7, "李娜", "1.234")]);
    }

    #[test]
    fn zeros_that_a_format_shows_are_seen() {
        let bytes = book(|sheet| {
            let (padded, plain) = (rust_xlsxwriter::Format::new().set_num_format("000000"), rust_xlsxwriter::Format::new().set_num_format("0.00"));
            header(sheet, 0);
            for (row, (number, format)) in
                [(10_200.0, &padded), (1_234_567.0, &padded), (10_200.0, &plain), (0.0, &padded), (-5.0, &padded)].into_iter().enumerate()
            {
                let row = u32::try_from(row + 1).unwrap();
                sheet.write(row, 0, "王伟").unwrap();
                sheet.write_with_format(row, 1, number, format).unwrap();
            }
            sheet.write(6, 0, "王伟").unwrap();
            sheet.write_with_format(6, 1, "77", &padded).unwrap();
            sheet.merge_range(7, 1, 8, 1, "", &padded).unwrap();
            sheet.write_with_format(7, 1, 42, &padded).unwrap();
            sheet.write(7, 0, "李娜").unwrap();
            sheet.write(8, 0, "李强").unwrap();
        });
        let rows = &read(&bytes, columns(&[])).unwrap()[0].rows;
        let seen: Vec<&str> = rows.iter().map(|row| row.cells[1].text.as_str()).collect();
        assert_eq!(seen, ["010200", "1234567", "10200", "000000", "-5", "77", "000042", "000042"]);
    }

    #[test]
    fn numbers_that_a_spreadsheet_rounded_are_seen() {
        let bytes = book(|sheet| {
            header(sheet, 0);
            sheet.write(1, 0, "王伟").unwrap();
            sheet.write(1, 1, 110_105_194_912_310_020.0).unwrap();
            sheet.write(2, 0, 20_160_901).unwrap();
            sheet.write_formula(2, 1, Formula::new("=1+1")).unwrap();
        });
        let rows = &read(&bytes, columns(&[])).unwrap()[0].rows;
        assert!(rows[0].cells[1].text.contains("E+17"), "{}", rows[0].cells[1].text);
        assert_eq!(rows[0].cells[1].flaw, Some(Flaw::Rounded));
        assert_eq!(rows[1].cells[0].text, "20160901");
        assert_eq!(rows[1].cells[1].flaw, Some(Flaw::Formula));
    }

    #[test]
    fn bad_files_say_what_they_are() {
        assert!(matches!(read(b"", columns(&[])), Err(ReadError::Unreadable(_))));
        assert!(matches!(read(b"PK\x03\x04 no archive", columns(&[])), Err(ReadError::Unreadable(_))));
        assert!(matches!(read("a,b\n1,2\n".as_bytes(), columns(&[])), Err(ReadError::NoHeader(_))));
        assert!(matches!(read("姓名,身份证件号,姓名\n".as_bytes(), columns(&[])), Err(ReadError::DuplicateHeader(_))));
        assert!(matches!(read("姓名,身份证件号\n".as_bytes(), columns(&["班级名称"])), Err(ReadError::MissingColumns(_))));
        assert!(matches!(read(&vec![b'a'; UPLOAD_BYTES + 1], columns(&[])), Err(ReadError::TooLarge(_))));
        let mut rows = String::from("姓名,身份证件号\n");
        rows.push_str(&"王伟,1\n".repeat(DATA_ROWS));
        assert_eq!(read(rows.as_bytes(), columns(&[])).unwrap()[0].rows.len(), DATA_ROWS);
        // What was dragged down is none of them, but there is an end to that too.
        let dragged = |count: usize| format!("序号,姓名,身份证件号\n1,王伟,1\n{}", "2,,\n".repeat(count));
        let table = &read(dragged(25_000).as_bytes(), columns(&[])).unwrap()[0];
        assert_eq!((table.rows.len(), table.furniture.len()), (1, 25_000));
        assert!(matches!(read(dragged(PHYSICAL_ROWS).as_bytes(), columns(&[])), Err(ReadError::TooLarge(_))));
        rows.push_str("王伟,1\n");
        assert!(matches!(read(rows.as_bytes(), columns(&[])), Err(ReadError::TooLarge(_))));
    }

    #[test]
    fn a_bomb_is_refused_and_not_unpacked() {
        use std::io::Write;
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
        archive.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
        let zeros = vec![0; 1024 * 1024];
        for _ in 0..=(crate::UNPACKED_BYTES / 1024 / 1024) {
            archive.write_all(&zeros).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        assert!(bytes.len() < 1024 * 1024);
        assert!(matches!(read(&bytes, columns(&[])), Err(ReadError::TooLarge(_))));
    }
}
