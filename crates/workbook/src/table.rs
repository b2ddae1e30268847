//! Tables: what of the rows of a sheet is a header, data, or neither, as they come.

use std::collections::{HashMap, HashSet};

use xuezhu_domain::text;

use crate::{
    DATA_ROWS, HEADER_SEARCH_ROWS, KEPT_BYTES, PHYSICAL_ROWS, ReadError,
    beside::Beside,
    cell::Cell,
    furniture::{Furniture, Sort},
    headers::Headers,
    taken::STAMP,
};

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

/// Tables while they are read.
pub struct Tables<'c> {
    known: &'c Headers<'c>,
    found: Vec<Table>,
    current: Option<String>,
    rows: usize,
    physical: usize,
    kept: usize,
    /// What is said of sheets beside their cells.
    pub beside: HashMap<String, Beside>,
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

/// What is seen is what a cell says: a number with zeros before it.
fn pad(beside: &Beside, number: u32, cells: &mut [Cell]) {
    if beside.padded.is_empty() {
        return;
    }
    for (column, cell) in (0..).zip(cells) {
        if let Some(digits) = beside.padded.get(&(number, column))
            && !cell.text.is_empty()
            && cell.text.bytes().all(|byte| byte.is_ascii_digit())
        {
            cell.text = format!("{:0>width$}", cell.text, width = usize::from(*digits));
        }
    }
}

impl<'c> Tables<'c> {
    /// Nothing yet.
    pub fn new(known: &'c Headers<'c>) -> Self {
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

    /// Takes a row of a sheet.
    pub fn take(&mut self, sheet: &Sheet, number: u32, cells: Vec<Cell>) -> Result<(), ReadError> {
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
            pad(beside, number, &mut cells);
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

    /// Notes that the reader of the file can't see what is hidden.
    pub fn blind(&mut self) {
        self.found.iter_mut().take(1).for_each(|table| table.blind = true);
    }

    /// What was found; a file without a header row is refused.
    pub fn finish(self) -> Result<Vec<Table>, ReadError> {
        match (self.found.is_empty(), self.stamped) {
            (false, _) => Ok(self.found),
            (true, Some(_)) => Err(ReadError::TakenOut),
            (true, None) => Err(ReadError::NoHeader(self.known.columns.marks.join("、"))),
        }
    }
}
