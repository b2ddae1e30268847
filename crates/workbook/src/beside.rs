//! What a workbook says of its sheets beside their cells, and its reader does not tell: rows that it hides, by hand, by a filter, or by giving
//! them no height; cells that are merged; numbers that are seen with zeros before them.

use std::{
    collections::{HashMap, HashSet},
    io::{BufReader, Cursor, Read},
};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use crate::{COLUMNS, ReadError};

/// Rows that a sheet can have.
const ROWS: u32 = 1_048_576;

/// Sheets of a workbook at most.
const SHEETS: usize = 500;
/// Numbers of a sheet that are seen with zeros before them, at most.
const PADDED: usize = 1_000_000;
/// Merged cells of a sheet at most.
const MERGED: usize = 100_000;

/// What is said of a sheet; rows as the spreadsheet numbers them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Rows that it hides.
    pub hidden: HashSet<u32>,
    /// Cells that reach over rows, by their first one.
    pub merged: Vec<Merged>,
    /// Numbers that are seen with zeros before them: row, column, and how many digits are seen.
    pub padded: HashMap<(u32, u32), u8>,
}

/// A cell that reaches over rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merged {
    /// First row.
    pub first: u32,
    /// Last row.
    pub last: u32,
    /// Column, from 0: where it reaches over several, the first, in which it is seen.
    pub column: u32,
}

impl Merged {
    /// From how it is written: `G2:G5`. None of what lies in one row, or beyond what is looked at.
    fn parse(text: &str) -> Option<Self> {
        let (begin, end) = text.split_once(':')?;
        let ((column, first), (_, last)) = (place(begin)?, place(end)?);
        (first < last && last <= ROWS && column < COLUMNS).then_some(Self { first, last, column })
    }
}

/// Column, from 0, and row of a place such as `$G$2`.
fn place(text: &str) -> Option<(u32, u32)> {
    let text = text.replace('$', "");
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let column = text.bytes().take(letters.min(4)).fold(0_u32, |column, letter| column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1);
    Some((column.checked_sub(1)?, text[letters..].parse().ok()?))
}

/// What is said, by the name of the sheet; only `parts` are looked at.
pub fn sheets_of(bytes: &[u8], parts: &[String]) -> Result<HashMap<String, Beside>, ReadError> {
    let mut found = HashMap::new();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let padding = padding_styles(&mut archive)?;
    if parts.is_empty() && padding.is_empty() {
        return Ok(found);
    }
    let sheets = sheets(&mut archive)?;
    let mut seen = HashSet::new();
    // Each is read once: a small file may name one part many times.
    if sheets.len() > SHEETS || sheets.iter().any(|(_, part)| !seen.insert(part.to_ascii_lowercase())) {
        return Err(ReadError::Unreadable("工作表过多，或有两个工作表指向同一部件".into()));
    }
    for (name, part) in sheets {
        // As readers do, whatever the case of a part's name.
        let known = archive
            .file_names()
            .find(|known| known.as_ref().is_ok_and(|known| known.eq_ignore_ascii_case(&part)))
            .and_then(Result::ok)
            .map(std::borrow::Cow::into_owned);
        let hides = parts.iter().any(|known| known.eq_ignore_ascii_case(&part));
        if let Some(part) = known.filter(|_| hides || !padding.is_empty()) {
            let beside = beside(&mut archive, &part, &padding)?;
            if beside != Beside::default() {
                found.insert(name, beside);
            }
        }
    }
    Ok(found)
}

fn broken(error: impl std::fmt::Display) -> ReadError {
    ReadError::Unreadable(error.to_string())
}

/// Calls a function with each element that a part begins.
fn elements(archive: &mut ZipArchive<Cursor<&[u8]>>, part: &str, mut see: impl FnMut(&BytesStart)) -> Result<(), ReadError> {
    let Ok(part) = archive.by_name(part) else { return Ok(()) };
    // Counted already: it unpacks to no more than a file may.
    let mut reader = Reader::from_reader(BufReader::new(part.take(crate::UNPACKED_BYTES)));
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).map_err(broken)? {
            Event::Start(element) | Event::Empty(element) => see(&element),
            Event::Eof => return Ok(()),
            _ => {}
        }
        buffer.clear();
    }
}

fn attribute(element: &BytesStart, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    quick_xml::escape::unescape(&found.value).ok().map(std::borrow::Cow::into_owned)
}

/// Name and part of each sheet.
fn sheets(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Vec<(String, String)>, ReadError> {
    let mut parts: HashMap<String, String> = HashMap::new();
    elements(archive, "xl/_rels/workbook.xml.rels", |element| {
        if let (Some(id), Some(target)) = (attribute(element, "Id"), attribute(element, "Target")) {
            let part = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
            parts.insert(id, part);
        }
    })?;
    let mut sheets = Vec::new();
    elements(archive, "xl/workbook.xml", |element| {
        if element.local_name().as_ref() == "sheet"
            && let (Some(name), Some(part)) = (attribute(element, "name"), attribute(element, "id").and_then(|id| parts.get(&id)))
        {
            sheets.push((name, part.clone()));
        }
    })?;
    Ok(sheets)
}

/// How many digits a format of nothing but zeros shows, such as `000000`.
fn digits_of(format: &str) -> Option<u8> {
    let shown = format.split(';').next().unwrap_or_default().trim();
    let is_zeros = shown.len() > 1 && shown.bytes().all(|byte| byte == b'0');
    if is_zeros { u8::try_from(shown.len()).ok() } else { None }
}

/// Styles of cells that show zeros before a number, by their places: how many digits are seen.
fn padding_styles(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<HashMap<u32, u8>, ReadError> {
    let (mut formats, mut styles, mut at, mut of_cells): (HashMap<String, u8>, _, _, _) = (HashMap::new(), HashMap::new(), 0, false);
    elements(archive, "xl/styles.xml", |element| match element.local_name().as_ref() {
        "numFmt" => {
            if let (Some(id), Some(digits)) = (attribute(element, "numFmtId"), attribute(element, "formatCode").as_deref().and_then(digits_of)) {
                formats.insert(id, digits);
            }
        }
        "cellXfs" => of_cells = true,
        "cellStyleXfs" | "cellStyles" | "dxfs" => of_cells = false,
        "xf" if of_cells => {
            if let Some(digits) = attribute(element, "numFmtId").and_then(|id| formats.get(&id)) {
                styles.insert(at, *digits);
            }
            at += 1;
        }
        _ => {}
    })?;
    Ok(styles)
}

fn beside(archive: &mut ZipArchive<Cursor<&[u8]>>, part: &str, padding: &HashMap<u32, u8>) -> Result<Beside, ReadError> {
    let (mut padded, mut too_many) = (HashMap::new(), false);
    let (mut hidden, mut merged, mut number, mut all, mut pending) = (HashSet::new(), Vec::new(), 0_u32, false, None);
    elements(archive, part, |element| {
        let is_set = |name: &str| attribute(element, name).map(|value| value == "1" || value.eq_ignore_ascii_case("true"));
        match element.local_name().as_ref() {
            // Every row is hidden that does not say otherwise.
            "sheetFormatPr" => all = is_set("zeroHeight").unwrap_or(false),
            "row" => {
                let height = attribute(element, "ht").and_then(|height| height.trim().parse::<f64>().ok());
                let is_hidden = is_set("hidden").unwrap_or(all && height.is_none()) || height == Some(0.0);
                let said = attribute(element, "r").and_then(|number| number.trim().parse().ok());
                number = said.unwrap_or(number.saturating_add(1));
                pending = None;
                if is_hidden {
                    if number <= ROWS {
                        hidden.insert(number);
                    }
                    pending = said.is_none().then_some(number);
                }
            }
            // A row without a number has that of its cells.
            "c" => {
                let at = attribute(element, "r").and_then(|at| at.trim_start_matches(|c: char| c.is_ascii_alphabetic()).parse::<u32>().ok());
                if let Some(at) = at.filter(|at| *at <= ROWS) {
                    if let Some(counted) = pending.take().filter(|counted| *counted != at) {
                        hidden.remove(&counted);
                        hidden.insert(at);
                    }
                    number = at;
                }
                // A text is seen as it is.
                let digits = attribute(element, "s").and_then(|style| padding.get(&style.parse().ok()?)).filter(|_| !padding.is_empty());
                if let Some(digits) = digits.filter(|_| attribute(element, "t").is_none_or(|kind| kind == "n"))
                    && let Some((column, row)) = attribute(element, "r").as_deref().and_then(place).filter(|(column, _)| *column < COLUMNS)
                {
                    too_many |= padded.len() >= PADDED;
                    if !too_many {
                        padded.insert((row, column), *digits);
                    }
                }
            }
            "mergeCell" => merged.extend(attribute(element, "ref").filter(|_| merged.len() < MERGED).and_then(|text| Merged::parse(&text))),
            _ => {}
        }
    })?;
    merged.sort_unstable_by_key(|merged: &Merged| (merged.column, merged.first));
    // No spreadsheet writes cells that reach over each other.
    if merged.windows(2).any(|pair| pair[0].column == pair[1].column && pair[1].first <= pair[0].last) {
        return Err(ReadError::Unreadable("合并的单元格相互重叠".into()));
    }
    merged.sort_unstable();
    if too_many {
        return Err(ReadError::TooLarge(format!("设了数字格式的单元格超过{PADDED}个，请删除多余的行和列后上传")));
    }
    Ok(Beside { hidden, merged, padded })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::guard;

    fn book(sheet: &str, target: &str) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let workbook = r#"<workbook xmlns:r="r"><sheets><sheet name="甲&amp;乙" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
        let rels = format!(r#"<Relationships><Relationship Id="rId1" Target="{target}"/></Relationships>"#);
        for (name, text) in [("xl/workbook.xml", workbook), ("xl/_rels/workbook.xml.rels", &rels), ("xl/worksheets/sheet1.xml", sheet)] {
            archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part");
            archive.write_all(text.as_bytes()).expect("writes");
        }
        archive.finish().expect("ends").into_inner()
    }

    #[test]
    fn a_row_is_hidden_however_that_is_written() {
        let sheet = |format: &str, row: &str| format!(r#"<worksheet>{format}<sheetData><row r="2"><c r="A2"/></row>{row}</sheetData></worksheet>"#);
        for row in [
            r#"<row r="3" hidden="1"><c r="A3"/></row>"#,
            "<row r='3' hidden='true'/>",
            "<row r=\"3\"\nhidden=\"1\"/>",
            "<row r=\"3\"\thidden = \"1\"/>",
            r#"<row r="3" ht="0"/>"#,
            "<row r='3' ht='0.00'/>",
            "<row r=\"3\"\nht=\"0.0\"/>",
            r#"<row hidden="1"><c r="A3"/></row>"#,
            r#"<row hidden="1"/>"#,
        ] {
            for target in ["worksheets/sheet1.xml", "/xl/worksheets/sheet1.xml", "Worksheets/Sheet1.xml"] {
                let bytes = book(&sheet("", row), target);
                let said = sheets_of(&bytes, &guard::check_archive(&bytes).expect("an archive")).expect("is read");
                assert_eq!(said.get("甲&乙").map(|said| &said.hidden), Some(&HashSet::from([3])), "{row} {target}");
            }
        }
        // With a gap, a row without a number has that of its cells.
        let gap = r#"<row hidden="1"><c r="A7"/></row><row><c r="A8"/></row>"#;
        let bytes = book(&sheet("", gap), "worksheets/sheet1.xml");
        let said = sheets_of(&bytes, &guard::check_archive(&bytes).expect("an archive")).expect("is read");
        assert_eq!(said["甲&乙"].hidden, HashSet::from([7]));
        let flat = sheet(r#"<sheetFormatPr zeroHeight="1"/>"#, r#"<row r="3"/><row r="4" hidden="0"/><row r="5" ht="14"/>"#);
        let bytes = book(&flat, "worksheets/sheet1.xml");
        let said = sheets_of(&bytes, &guard::check_archive(&bytes).expect("an archive")).expect("is read");
        assert_eq!(said["甲&乙"].hidden, HashSet::from([2, 3]));
    }

    #[test]
    fn cells_that_reach_over_rows_are_told_in_order() {
        let sheet = r#"<worksheet><sheetData/><mergeCells><mergeCell ref="G6:H9"/><mergeCell ref="$A$2:$A$3"/><mergeCell ref="A1:F1"/><mergeCell ref="AAA2:AAA9"/><mergeCell ref="x"/></mergeCells></worksheet>"#;
        let bytes = book(sheet, "worksheets/sheet1.xml");
        let said = sheets_of(&bytes, &guard::check_archive(&bytes).expect("an archive")).expect("is read");
        assert_eq!(said["甲&乙"].merged, [Merged { first: 2, last: 3, column: 0 }, Merged { first: 6, last: 9, column: 6 }]);
    }

    #[test]
    fn what_hides_nothing_is_not_looked_at_twice() {
        let bytes = book(r#"<worksheet><sheetData><row r="1" ht="15"><c r="A1"/></row></sheetData></worksheet>"#, "worksheets/sheet1.xml");
        assert_eq!(guard::check_archive(&bytes).expect("an archive"), Vec::<String>::new());
    }
}
