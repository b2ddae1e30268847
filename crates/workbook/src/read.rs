//! Reads the tables of a file: every sheet that has a header row, with its rows as the spreadsheet numbers them.

use std::collections::{HashMap, HashSet};

use calamine::{Data, DataRef, DataType, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use xuezhu_domain::text;

use serde::{Deserialize, Serialize};

use crate::{
    CELL_CHARACTERS, COLUMNS, DATA_ROWS, HEADER_SEARCH_ROWS, KEPT_BYTES, PHYSICAL_ROWS, ReadError, UPLOAD_BYTES, XLS_BYTES,
    beside::{self, Beside},
    csv_file,
    furniture::{Furniture, Sort},
    guard::{self, OnceOver},
    headers::{Columns, Headers},
    sort,
    taken::STAMP,
    xls,
};

/// Something about a cell that its text does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flaw {
    /// A formula: what it shows is not what somebody entered.
    Formula,
    /// An error value such as `#REF!`.
    ErrorValue,
    /// A number with more digits than a spreadsheet keeps: the last ones are lost.
    Rounded,
}

/// A cell, as text: numbers without a decimal point they don't need, dates as `YYYYMMDD`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What it holds.
    pub text: String,
    /// What is wrong with it, if anything.
    pub flaw: Option<Flaw>,
}

impl Cell {
    /// A cell that holds a text.
    pub fn text(text: &str) -> Self {
        Self { text: text.chars().take(CELL_CHARACTERS).collect(), flaw: flaw_of(text) }
    }

    fn number(number: f64) -> Self {
        /// Above this, a spreadsheet has rounded: 15 digits are exact.
        const EXACT: f64 = 1e15;
        let text = if number.fract() == 0.0 && number.abs() < EXACT {
            format!("{number:.0}")
        } else if number.abs() >= EXACT {
            // As the spreadsheet shows it, so that it is seen to be rounded.
            format!("{number:.5E}").replace('E', "E+")
        } else {
            number.to_string()
        };
        Self { text, flaw: (number.abs() >= EXACT).then_some(Flaw::Rounded) }
    }

    fn is_blank(&self) -> bool {
        self.flaw.is_none() && text::clean(&self.text).is_empty()
    }
}

/// What a text says that was another kind of cell once: saved as text, an error stays one, and a rounded number stays rounded.
fn flaw_of(text: &str) -> Option<Flaw> {
    /// As spreadsheets show them.
    const ERRORS: [&str; 9] = ["#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"];
    let text = text.trim();
    if !text.starts_with(|c: char| c == '#' || c.is_ascii_digit()) {
        return None;
    }
    if ERRORS.contains(&text) || (text.len() > 2 && text.bytes().all(|byte| byte == b'#')) {
        return Some(Flaw::ErrorValue);
    }
    // 4.30103E+17
    let (mantissa, exponent) = text.split_once(['E', 'e'])?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_rounded = whole.len() == 1 && digits(whole) && digits(part) && exponent.strip_prefix('+').is_some_and(digits);
    is_rounded.then_some(Flaw::Rounded)
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Number as the spreadsheet shows it.
    pub number: u32,
    /// Cells in the order of the table's headers.
    pub cells: Vec<Cell>,
    /// Whether the spreadsheet hides it, by hand or by a filter.
    pub hidden: bool,
    /// Whether something stands to the right of the last header.
    pub beyond: bool,
}

/// A sheet with a header row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name of the sheet; empty for CSV.
    pub sheet: String,
    /// Headers in the order of the file.
    pub headers: Vec<String>,
    /// Rows with anything in them.
    pub rows: Vec<Row>,
    /// Whether the spreadsheet hides the sheet.
    pub hidden: bool,
    /// Rows below the header that are no data: dragged down, sums, headers again.
    pub furniture: Vec<u32>,
    /// Whether it was taken out of here, as its first row says: numbers are masked, and what it lacks is absent.
    pub taken_out: bool,
    /// Whether the file is of a kind whose reader can't see hidden rows, merged cells and formats: said of its first sheet.
    pub blind: bool,
}

impl Table {
    /// Where a header stands.
    pub fn column(&self, header: &str) -> Option<usize> {
        self.headers.iter().position(|known| known == header)
    }
}

/// What stands beyond a row's last header, as the problem of that row.
pub const BEYOND_HEADER: (&str, &str) = ("BEYOND_HEADER", "本行在最后一个表头之外还有内容，可能是两行连在了一起，请核对");

/// Something that stays out because nobody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The row; 0 for a whole sheet.
    pub row: u32,
    /// Rows that it stands for.
    pub rows: usize,
    /// Stable code.
    pub code: &'static str,
    /// Why, and what to do.
    pub reason: String,
}

impl Table {
    /// Whether a row is data: what isn't seen is none, unless it was asked for.
    pub fn counts(&self, row: &Row, include_hidden: bool) -> bool {
        include_hidden || !(self.hidden || row.hidden)
    }

    /// What is no data: of a hidden sheet the sheet, else each hidden row.
    pub fn left_out(&self, include_hidden: bool) -> Vec<LeftOut> {
        let out: Vec<u32> = self.rows.iter().filter(|row| !self.counts(row, include_hidden)).map(|row| row.number).collect();
        let tick = "勾选“包含隐藏的工作表和行”后重新上传";
        let mut told = Vec::new();
        if self.blind {
            let reason = "本文件是.xls：隐藏或筛选掉的行、合并的单元格和数字的显示格式读不出来，隐藏的行也会导入；有这些情况的请另存为.xlsx后上传".to_owned();
            told.push(LeftOut { row: 0, rows: 0, code: "XLS_UNSEEN", reason });
        }
        if let Some(first) = self.furniture.first() {
            let reason = format!("第{}行只有序号、公式、合计、表头等，不算数据，没有导入；其中如有学生，请补全姓名和证件号", spans(&self.furniture));
            told.push(LeftOut { row: *first, rows: 0, code: "FURNITURE", reason });
        }
        if self.hidden && !out.is_empty() {
            let reason = format!("工作表“{}”是隐藏的，其中{}行没有导入；确需导入的，请{tick}", self.sheet, out.len());
            told.push(LeftOut { row: 0, rows: out.len(), code: "HIDDEN_SHEET", reason });
            return told;
        }
        let reason = format!("本行被隐藏或筛选掉，没有导入；确需导入的，请取消隐藏，或{tick}");
        told.extend(out.into_iter().map(|row| LeftOut { row, rows: 1, code: "HIDDEN_ROW", reason: reason.clone() }));
        told
    }
}

/// Rows in short: `4–40、58`; of many stretches the first ones.
fn spans(rows: &[u32]) -> String {
    const SHOWN: usize = 20;
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for row in rows {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *row => *last = *row,
            _ => spans.push((*row, *row)),
        }
    }
    let shown = spans.iter().take(SHOWN).map(|(first, last)| if first == last { first.to_string() } else { format!("{first}–{last}") });
    let more = if spans.len() > SHOWN { "等" } else { "" };
    format!("{}{more}", shown.collect::<Vec<_>>().join("、"))
}

/// A sheet while it is read.
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Whether it is hidden.
    pub hidden: bool,
}

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
        tables.found.iter_mut().take(1).for_each(|table| table.blind = true);
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

struct Tables<'c> {
    known: &'c Headers<'c>,
    found: Vec<Table>,
    current: Option<String>,
    rows: usize,
    physical: usize,
    kept: usize,
    /// What is said of sheets beside their cells.
    beside: HashMap<String, Beside>,
    furniture: Furniture,
    merged: Reaching,
    /// The sheet whose first row says that it was taken out of here.
    stamped: Option<String>,
    /// The last row, where it is data that says nobody's name and number.
    nobody: Option<u32>,
}

/// Cells that reach over the row that is read, and those still to come.
#[derive(Default)]
struct Reaching {
    next: usize,
    /// Last row, column, what the cell holds.
    now: Vec<(u32, usize, Cell)>,
}

impl Reaching {
    /// What is seen on a row is on it: each cell that reaches down to it.
    fn fill(&mut self, beside: &Beside, number: u32, cells: &mut [Cell]) {
        self.now.retain(|(last, ..)| *last >= number);
        for (_, column, cell) in &self.now {
            // What lies beneath is seen by nobody.
            if let Some(here) = cells.get_mut(*column) {
                cell.clone_into(here);
            }
        }
        while let Some(merged) = beside.merged.get(self.next).filter(|merged| merged.first <= number) {
            let column = merged.column as usize;
            // Where the first row was passed over there is nothing to be seen.
            if merged.first == number
                && let Some(cell) = cells.get(column)
            {
                self.now.push((merged.last, column, cell.clone()));
            }
            self.next += 1;
        }
    }
}

impl<'c> Tables<'c> {
    fn new(known: &'c Headers<'c>) -> Self {
        Self {
            known,
            found: Vec::new(),
            current: None,
            rows: 0,
            physical: 0,
            kept: 0,
            beside: HashMap::new(),
            furniture: Furniture::default(),
            merged: Reaching::default(),
            stamped: None,
            nobody: None,
        }
    }

    fn take(&mut self, sheet: &Sheet, number: u32, cells: Vec<Cell>) -> Result<(), ReadError> {
        if self.current.as_ref() != Some(&sheet.name) {
            return self.begin(sheet, number, &cells);
        }
        let Some(table) = self.found.last_mut() else { return Ok(()) };
        self.physical += 1;
        if self.physical > PHYSICAL_ROWS {
            return Err(ReadError::TooLarge(format!("表格超过{PHYSICAL_ROWS}行（含只有序号或公式的行），请删除多余的行后上传")));
        }
        let mut cells = cells;
        let beyond = cells.iter().skip(table.headers.len()).any(|cell| !cell.is_blank());
        cells.resize(table.headers.len(), Cell::default());
        if !beyond && cells.iter().all(Cell::is_blank) {
            return Ok(());
        }
        let beside = self.beside.get(&table.sheet);
        if let Some(beside) = beside {
            self.merged.fill(beside, number, &mut cells);
        }
        let sort = if beyond { Sort::Data } else { self.furniture.sort(self.known, &table.headers, &cells) };
        if matches!(sort, Sort::Dragged { .. } | Sort::Line) {
            // The row above began what was dragged down: it is none either.
            if sort == (Sort::Dragged { again: true }) && self.nobody == Some(number - 1) && table.rows.pop().is_some() {
                self.rows -= 1;
                table.furniture.push(number - 1);
            }
            self.nobody = None;
            table.furniture.push(number);
            return Ok(());
        }
        self.nobody = (sort == Sort::Nobody).then_some(number);
        self.rows += 1;
        if self.rows > DATA_ROWS {
            return Err(ReadError::TooLarge(format!("超过{DATA_ROWS}行，请分批上传")));
        }
        // One long text may stand in many cells of a small file.
        self.kept += cells.iter().map(|cell| size_of::<Cell>() + cell.text.len()).sum::<usize>();
        if self.kept > KEPT_BYTES {
            return Err(ReadError::TooLarge("各单元格的文字总量过大，请删除多余的列或分批上传".into()));
        }
        let hidden = beside.is_some_and(|beside| beside.hidden.contains(&number));
        table.rows.push(Row { number, cells, hidden, beyond });
        Ok(())
    }

    /// Takes a row of a sheet whose header was not found yet.
    fn begin(&mut self, sheet: &Sheet, number: u32, cells: &[Cell]) -> Result<(), ReadError> {
        if number > HEADER_SEARCH_ROWS {
            return Ok(());
        }
        if cells.iter().any(|cell| text::clean(&cell.text).starts_with(STAMP)) {
            self.stamped = Some(sheet.name.clone());
            return Ok(());
        }
        let headers = self.known.row(cells.iter().map(|cell| cell.text.as_str()));
        if !self.known.are_in(&headers) {
            return Ok(());
        }
        let taken_out = self.stamped.as_ref() == Some(&sheet.name);
        let headers = match self.checked(headers, taken_out) {
            Ok(headers) => headers,
            // What nobody sees is no reason to refuse what they see.
            Err(_) if sheet.hidden => return Ok(()),
            Err(error) => return Err(error),
        };
        self.found.push(Table { sheet: sheet.name.clone(), headers, rows: Vec::new(), hidden: sheet.hidden, furniture: Vec::new(), taken_out, blind: false });
        self.current = Some(sheet.name.clone());
        (self.furniture, self.merged, self.nobody) = (Furniture::default(), Reaching::default(), None);
        Ok(())
    }

    fn checked(&self, mut headers: Vec<String>, taken_out: bool) -> Result<Vec<String>, ReadError> {
        if taken_out && !self.known.columns.taken_out {
            return Err(ReadError::TakenOut);
        }
        headers.truncate(headers.iter().rposition(|header| !header.is_empty()).map_or(0, |last| last + 1));
        let mut seen = HashSet::new();
        if let Some(twice) = headers.iter().find(|header| !header.is_empty() && !seen.insert(header.as_str())) {
            return Err(ReadError::DuplicateHeader(text::mask_long_numbers(twice)));
        }
        if taken_out {
            return Ok(headers);
        }
        let missing: Vec<&str> = self.known.columns.required.iter().copied().filter(|column| !seen.contains(column)).collect();
        if missing.is_empty() { Ok(headers) } else { Err(ReadError::MissingColumns(missing.join("、"))) }
    }

    fn finish(self) -> Result<Vec<Table>, ReadError> {
        match (self.found.is_empty(), self.stamped) {
            (false, _) => Ok(self.found),
            (true, Some(_)) => Err(ReadError::TakenOut),
            (true, None) => Err(ReadError::NoHeader(self.known.columns.marks.join("、"))),
        }
    }
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
