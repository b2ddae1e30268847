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
        if hiding.contains(&part) {
            let rows = rows_of(&mut archive, &part)?;
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
    let (mut hidden, mut number) = (HashSet::new(), 0_u32);
    elements(archive, part, |element| {
        if element.local_name().as_ref() != "row" {
            return;
        }
        number = attribute(element, "r").and_then(|number| number.parse().ok()).unwrap_or(number.saturating_add(1));
        let is_set = |name: &str| attribute(element, name).is_some_and(|value| value == "1" || value == "true");
        let is_flat = attribute(element, "ht").is_some_and(|height| height.parse::<f64>().is_ok_and(|height| height == 0.0));
        if number <= ROWS && (is_set("hidden") || is_flat) {
            hidden.insert(number);
        }
    })?;
    Ok(hidden)
}
