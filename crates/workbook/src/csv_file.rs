//! CSV: UTF-8 with or without BOM, else GB 18030.

use std::borrow::Cow;

use xuezhu_domain::text::holds_long_number;

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
    if text.contains(END) {
        return Err(ReadError::Unreadable("含有不是文字的字符，不像是表格".into()));
    }
    // Behind the last line: where it is no record of its own, a quote was never closed and holds it.
    let text = text + "\n" + END;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let sheet = Sheet { name: String::new(), hidden: false };
    let (mut record, mut columns) = (csv::StringRecord::new(), 0);
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) if record.len() == 1 && &record[0] == END => return Ok(()),
            Ok(true) => {
                let line = record.position().map_or(0, |at| at.line() + blank_lines_after(&text, at.byte()));
                columns = columns.max(record.len());
                if record.iter().any(|field| field.contains(END) || holds_rows(field, columns)) {
                    return Err(ReadError::OpenQuote(line));
                }
                let cells = record.iter().take(COLUMNS as usize).map(Cell::text).collect();
                take(&sheet, u32::try_from(line).unwrap_or(u32::MAX), cells)?;
            }
            Err(error) => return Err(ReadError::Unreadable(error.to_string())),
        }
    }
}

/// What no file holds: a noncharacter of Unicode.
const END: &str = "\u{10FFFF}";
/// Separators by which a line within a cell looks like a row, in a table of that many columns or more.
const SEPARATORS_OF_A_ROW: usize = 3;

/// Whether a cell runs over lines of which one looks like a row: then a quote that somebody typed swallowed it.
fn holds_rows(field: &str, columns: usize) -> bool {
    let few = SEPARATORS_OF_A_ROW.min(columns.saturating_sub(1)).max(1);
    field.split('\n').skip(1).any(|line| line.matches(',').count() >= few || holds_long_number(line))
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
    fn a_quote_that_swallows_rows_is_told_by_its_line_and_a_cell_of_two_lines_is_a_cell() {
        let read = |text: &str| {
            let mut seen = Vec::new();
            let mut take = |_: &Sheet, row, cells: Vec<Cell>| {
                seen.push((row, cells.last().map(|cell| cell.text.clone()).unwrap_or_default()));
                Ok(())
            };
            read(text.as_bytes(), &mut take).map(|()| seen)
        };
        for (text, line) in [
            ("a,b,c,d\n1,2,3,\"x\n5,6,7,8\n", 2),
            ("a,b,c,d\n1,2,3,4\n5,6,7,\"x\n1,2,3,4\n5,6,7,y\"\n1,2,3,4\n", 3),
            ("a,b,c,d\n1,2,3,\"x", 2),
            ("a,b,c,d\n1,2,3,\"x\n", 2),
            ("a,b,c,d\n1,\"x\n5,6,7,8\n1,y\",3,4\n", 2),
        ] {
            assert_eq!(read(text), Err(ReadError::OpenQuote(line)), "{text:?}");
        }
        for (text, last) in [
            ("a,b,c,d\n1,2,3,\"two\nlines, one comma\"\n", (2, "two\nlines, one comma")),
            ("a,b,c,d\n1,2,3,5\" pipe\n", (2, "5\" pipe")),
            ("a,b,c,d\n1,2,3,\"he said \"\"yes\"\"\"\n", (2, "he said \"yes\"")),
            ("a,b,c,d\n1,2,3,\"no, no, no, no\"", (2, "no, no, no, no")),
        ] {
            assert_eq!(read(text).expect("is read").last().map(|(row, cell)| (*row, cell.as_str())), Some(last), "{text:?}");
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
