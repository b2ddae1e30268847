//! CSV: UTF-8 with or without BOM, else GB 18030.

use std::borrow::Cow;

use crate::{
    COLUMNS, LINE_BYTES, ReadError,
    read::{Cell, Sheet, Take},
};

/// The text of a CSV file in either encoding.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let (text, _, broken) = encoding_rs::GB18030.decode(bytes);
    if broken { Err(ReadError::Unreadable("CSV文件的编码既不是UTF-8也不是GB 18030".into())) } else { Ok(text) }
}

/// Reads a CSV file as one sheet without a name.
pub fn read(bytes: &[u8], take: &mut Take) -> Result<(), ReadError> {
    let text = decode(bytes)?;
    if text.contains('\0') {
        return Err(ReadError::Unreadable("不是文本文件".into()));
    }
    // One kind of line end, so that rows are counted as a spreadsheet shows them.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if let Some(line) = text.split('\n').position(|line| line.len() > LINE_BYTES) {
        return Err(ReadError::TooLarge(format!("第{}行过长，不像是表格中的一行", line + 1)));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let sheet = Sheet { name: String::new() };
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let line = record.position().map_or(0, |at| at.line() + blank_lines_after(&text, at.byte()));
                let cells = record.iter().take(COLUMNS as usize).map(Cell::text).collect();
                take(&sheet, u32::try_from(line).unwrap_or(u32::MAX), cells)?;
            }
            Err(error) => return Err(ReadError::Unreadable(error.to_string())),
        }
    }
}

/// Blank lines before the record that a reader says begins at this byte.
fn blank_lines_after(text: &str, byte: u64) -> u64 {
    let from = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    text.as_bytes()[from..].iter().take_while(|&&b| b == b'\n').map(|_| 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_a_spreadsheet_shows_them() {
        for (text, rows) in [
            ("a\nb\nc", vec![(1, "a"), (2, "b"), (3, "c")]),
            ("a\r\nb\r\nc\r\n", vec![(1, "a"), (2, "b"), (3, "c")]),
            ("a\rb\rc\r", vec![(1, "a"), (2, "b"), (3, "c")]),
            ("a\r\n\r\n\r\nd\r\n", vec![(1, "a"), (4, "d")]),
            ("\n\nc\n", vec![(3, "c")]),
        ] {
            let mut seen = Vec::new();
            read(text.as_bytes(), &mut |_: &Sheet, row, cells: Vec<Cell>| {
                seen.push((row, cells[0].text.clone()));
                Ok(())
            })
            .expect("is read");
            assert_eq!(seen, rows.into_iter().map(|(row, cell)| (row, cell.to_owned())).collect::<Vec<_>>(), "{text:?}");
        }
    }

    #[test]
    fn both_encodings_are_read() {
        for bytes in [&b"\xef\xbb\xbf\xe5\xa7\x93"[..], &b"\xe5\xa7\x93"[..], &b"\xd0\xd5"[..]] {
            assert_eq!(decode(bytes).expect("is text"), "姓");
        }
        assert!(decode(b"\xff\xff\xff").is_err());
    }
}
