//! CSV: UTF-8 with or without BOM, UTF-16 with one, else GB 18030; commas, tabs or semicolons between the cells.

use std::borrow::Cow;

use xuezhu_domain::text::holds_long_number;

use crate::{
    COLUMNS, HEADER_SEARCH_ROWS, LINE_BYTES, ReadError,
    cell::{Cell, Flaw},
    headers::Headers,
    read::Take,
    table::Sheet,
};

/// The text of a CSV file in either encoding.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (mark, encoding) in [(b"\xff\xfe", encoding_rs::UTF_16LE), (b"\xfe\xff", encoding_rs::UTF_16BE)] {
        if let Some(bytes) = bytes.strip_prefix(mark) {
            let (text, broken) = encoding.decode_without_bom_handling(bytes);
            return if broken { Err(ReadError::Unreadable("文件的UTF-16编码不完整".into())) } else { Ok(text) };
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let (text, _, broken) = encoding_rs::GB18030.decode(bytes);
    if broken { Err(ReadError::Unreadable("CSV文件的编码既不是UTF-8也不是GB 18030".into())) } else { Ok(text) }
}

/// Reads a CSV file as one sheet without a name.
pub fn read(bytes: &[u8], columns: &Headers<'_>, take: &mut Take) -> Result<(), ReadError> {
    let text = decode(bytes)?;
    if text.contains('\0') {
        return Err(ReadError::Unreadable("不是文本文件".into()));
    }
    // One kind of line end, so that rows are counted as a spreadsheet shows them.
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if let Some(line) = text.split('\n').position(|line| line.len() > LINE_BYTES) {
        return Err(ReadError::TooLarge(format!("第{}行过长，不像是表格中的一行", line + 1)));
    }
    if text.contains(END) {
        return Err(ReadError::Unreadable("含有不是文字的字符，不像是表格".into()));
    }
    let (begin, separator) = separated(&text, columns);
    text.drain(..begin);
    // Behind the last line: where it is no record of its own, a quote was never closed and holds it.
    text.push('\n');
    text.push_str(END);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let sheet = Sheet { name: String::new(), hidden: false };
    let (mut record, mut columns) = (csv::StringRecord::new(), 0);
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) if record.len() == 1 && &record[0] == END => return Ok(()),
            Ok(true) => {
                let line = record.position().map_or(0, |at| at.line() + blank_lines_after(&text, at.byte()));
                columns = columns.max(record.len());
                if record.iter().any(|field| field.contains(END) || holds_rows(field, columns, separator.into())) {
                    return Err(ReadError::OpenQuote(line));
                }
                let cells = record.iter().take(COLUMNS as usize).map(cell).collect();
                take(&sheet, u32::try_from(line).unwrap_or(u32::MAX), cells)?;
            }
            Err(error) => return Err(ReadError::Unreadable(error.to_string())),
        }
    }
}

/// What stands between cells, the likeliest first.
const SEPARATORS: [u8; 3] = [b',', b'\t', b';'];

/// Where the cells of a text begin and what stands between them: as its first line says (`sep=;`, which spreadsheets write for each other and don't
/// show), else by what a header row is found, else what the fullest of its first lines has most of.
fn separated(text: &str, columns: &Headers<'_>) -> (usize, u8) {
    let first = text.split('\n').next().unwrap_or_default();
    if let Some(said) = first.trim_matches('"').strip_prefix("sep=")
        && let [separator] = *said.trim_end().as_bytes()
    {
        return (text.len().min(first.len() + 1), separator);
    }
    // A tab is no text: `sep=` and one is trimmed above.
    if first.trim_matches('"') == "sep=\t" {
        return (text.len().min(first.len() + 1), b'\t');
    }
    let head: String = text.split_inclusive('\n').take(HEADER_SEARCH_ROWS as usize).collect();
    let finds = |separator: &u8| {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(*separator).from_reader(head.as_bytes());
        reader.records().flatten().any(|record| columns.are_in(&columns.row(record.iter().take(COLUMNS as usize))))
    };
    if let Some(found) = SEPARATORS.into_iter().find(finds) {
        return (0, found);
    }
    let most = |separator: u8| text.split('\n').take(HEADER_SEARCH_ROWS as usize).map(|line| line.bytes().filter(|byte| *byte == separator).count()).max();
    // Of equals the last counts: the likeliest.
    let found = SEPARATORS.into_iter().rev().max_by_key(|separator| most(*separator).unwrap_or(0)).unwrap_or(b',');
    (0, found)
}

/// A cell as it is read. A number that a program took for one with a fraction lost its last digits where it has more than a fraction keeps.
fn cell(field: &str) -> Cell {
    let whole = field.trim().strip_suffix(".0").filter(|whole| whole.len() > EXACT_DIGITS && whole.bytes().all(|byte| byte.is_ascii_digit()));
    match whole {
        Some(_) => Cell { flaw: Some(Flaw::Rounded), ..Cell::text(field) },
        None => Cell::text(&bare(field)),
    }
}

/// Digits that a number with a fraction keeps.
const EXACT_DIGITS: usize = 15;

/// A cell without what other programs put before digits so that they stay as they are: an apostrophe, `="…"`. Of a number that a program
/// took for one with a fraction the fraction goes.
fn bare(field: &str) -> std::borrow::Cow<'_, str> {
    let text = field.trim_start_matches('\t');
    let text = text.strip_prefix("=\"").and_then(|inner| inner.strip_suffix('"')).unwrap_or(text);
    let text = match text.strip_prefix('\'').or_else(|| text.strip_prefix('‘')) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => text,
    };
    match text.strip_suffix(".0") {
        Some(whole) if (5..=EXACT_DIGITS).contains(&whole.len()) && whole.bytes().all(|byte| byte.is_ascii_digit()) => Cow::Owned(whole.to_owned()),
        _ => Cow::Borrowed(text),
    }
}

/// What no file holds: a noncharacter of Unicode.
const END: &str = "\u{10FFFF}";
/// Separators by which a line within a cell looks like a row, in a table of that many columns or more.
const SEPARATORS_OF_A_ROW: usize = 3;

/// Whether a cell runs over lines of which one looks like a row: then a quote that somebody typed swallowed it.
fn holds_rows(field: &str, columns: usize, separator: char) -> bool {
    let few = SEPARATORS_OF_A_ROW.min(columns.saturating_sub(1)).max(1);
    field.split('\n').skip(1).any(|line| line.matches(separator).count() >= few || holds_long_number(line))
}

/// Blank lines before the record that a reader says begins at this byte.
fn blank_lines_after(text: &str, byte: u64) -> u64 {
    let from = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    text.as_bytes()[from..].iter().take_while(|&&b| b == b'\n').map(|_| 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Columns;

    const COLUMNS_OF_A_LIST: Columns = Columns { known: &["姓名", "月份"], marks: &["姓名"], required: &[], taken_out: false };

    fn headers() -> Headers<'static> {
        Headers::new(COLUMNS_OF_A_LIST)
    }

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
            read(text.as_bytes(), &headers(), &mut |_: &Sheet, row, cells: Vec<Cell>| {
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
            read(text.as_bytes(), &headers(), &mut take).map(|()| seen)
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
    fn cells_are_parted_by_what_the_file_says_or_shows() {
        for (text, rest, separator) in [
            ("a,b\n1,2", "a,b\n1,2", b','),
            ("a\tb\tc\n1\t2,3\t4", "a\tb\tc\n1\t2,3\t4", b'\t'),
            ("a;b;c\n1;2;3", "a;b;c\n1;2;3", b';'),
            ("标题\n\na;b;c\n", "标题\n\na;b;c\n", b';'),
            ("sep=;\na,b;c\n", "a,b;c\n", b';'),
            ("\"sep=,\"\na,b;c\n", "a,b;c\n", b','),
            ("sep=\t\na\tb,c,d\n", "a\tb,c,d\n", b'\t'),
            ("a", "a", b','),
            ("", "", b','),
            ("a,b;c", "a,b;c", b','),
            // Lists of months have more commas than the table has tabs.
            ("姓名\t月份\n王\t9,10,11,12\n", "姓名\t月份\n王\t9,10,11,12\n", b'\t'),
            ("名单;;\n姓名;月份\n王;\"9,10\"\n", "名单;;\n姓名;月份\n王;\"9,10\"\n", b';'),
        ] {
            let (begin, found) = separated(text, &headers());
            assert_eq!((&text[begin..], found), (rest, separator), "{text:?}");
        }
        for (field, cell) in [
            ("=\"00012\"", "00012"),
            ("\t00012", "00012"),
            ("'00012", "00012"),
            ("'张三", "'张三"),
            ("13800000000.0", "13800000000"),
            ("2026.0", "2026.0"),
            ("6222600260001072640.0", "6222600260001072640.0"),
            ("3.5", "3.5"),
            ("=A1", "=A1"),
        ] {
            assert_eq!(bare(field), cell);
        }
        assert_eq!(super::cell("6222600260001072640.0").flaw, Some(Flaw::Rounded));
        assert_eq!(super::cell("13800000000.0"), Cell::text("13800000000"));
    }

    #[test]
    fn both_encodings_are_read() {
        for bytes in [&b"\xef\xbb\xbf\xe5\xa7\x93"[..], &b"\xe5\xa7\x93"[..], &b"\xd0\xd5"[..]] {
            assert_eq!(decode(bytes).expect("is text"), "姓");
        }
        for bytes in [&b"\xff\xfe\xd3\x59"[..], &b"\xfe\xff\x59\xd3"[..]] {
            assert_eq!(decode(bytes).expect("is text"), "姓");
        }
        assert!(decode(b"\xff\xff\xff").is_err());
    }
}
