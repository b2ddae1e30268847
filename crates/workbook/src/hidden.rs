//! Rows that a sheet hides: by hand, by a filter, or by giving them no height. Its reader does not tell them.

use std::{
    collections::{HashMap, HashSet},
    io::{BufReader, Cursor, Read},
};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use crate::ReadError;

/// Rows that a sheet can have.
const ROWS: u32 = 1_048_576;

/// Hidden rows by the name of their sheet, as the spreadsheet numbers them; only `hiding` parts are looked at.
pub fn rows(bytes: &[u8], hiding: &[String]) -> Result<HashMap<String, HashSet<u32>>, ReadError> {
    let mut hidden = HashMap::new();
    if hiding.is_empty() {
        return Ok(hidden);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    for (name, part) in sheets(&mut archive)? {
        // As readers do, whatever the case of a part's name.
        if let Some(part) = hiding.iter().find(|hiding| hiding.eq_ignore_ascii_case(&part)) {
            let rows = rows_of(&mut archive, part)?;
            if !rows.is_empty() {
                hidden.insert(name, rows);
            }
        }
    }
    Ok(hidden)
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

fn rows_of(archive: &mut ZipArchive<Cursor<&[u8]>>, part: &str) -> Result<HashSet<u32>, ReadError> {
    let (mut hidden, mut number, mut all, mut pending) = (HashSet::new(), 0_u32, false, None);
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
            }
            _ => {}
        }
    })?;
    Ok(hidden)
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
                let hidden = rows(&bytes, &guard::check_archive(&bytes).expect("an archive")).expect("is read");
                assert_eq!(hidden.get("甲&乙"), Some(&HashSet::from([3])), "{row} {target}");
            }
        }
        // With a gap, a row without a number has that of its cells.
        let gap = r#"<row hidden="1"><c r="A7"/></row><row><c r="A8"/></row>"#;
        let bytes = book(&sheet("", gap), "worksheets/sheet1.xml");
        let hidden = rows(&bytes, &guard::check_archive(&bytes).expect("an archive")).expect("is read");
        assert_eq!(hidden["甲&乙"], HashSet::from([7]));
        let flat = sheet(r#"<sheetFormatPr zeroHeight="1"/>"#, r#"<row r="3"/><row r="4" hidden="0"/><row r="5" ht="14"/>"#);
        let bytes = book(&flat, "worksheets/sheet1.xml");
        let hidden = rows(&bytes, &guard::check_archive(&bytes).expect("an archive")).expect("is read");
        assert_eq!(hidden["甲&乙"], HashSet::from([2, 3]));
    }

    #[test]
    fn what_hides_nothing_is_not_looked_at_twice() {
        let bytes = book(r#"<worksheet><sheetData><row r="1" ht="15"><c r="A1"/></row></sheetData></worksheet>"#, "worksheets/sheet1.xml");
        assert_eq!(guard::check_archive(&bytes).expect("an archive"), Vec::<String>::new());
    }
}
