//! CSV: UTF-8 with or without BOM, else GB 18030.

use std::borrow::Cow;

use crate::{
    ReadError,
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
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let sheet = Sheet { name: String::new() };
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                let cells = record.iter().map(Cell::text).collect();
                take(&sheet, u32::try_from(line).unwrap_or(u32::MAX), cells)?;
            }
            Err(error) => return Err(ReadError::Unreadable(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_read() {
        for bytes in [&b"\xef\xbb\xbf\xe5\xa7\x93"[..], &b"\xe5\xa7\x93"[..], &b"\xd0\xd5"[..]] {
            assert_eq!(decode(bytes).expect("is text"), "姓");
        }
        assert!(decode(b"\xff\xff\xff").is_err());
    }
}
