//! What a file is, whatever its name says.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// What a file is that no table can be read from, in Chinese; none where it may be a workbook or a text.
pub fn other(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return of_archive(bytes);
    }
    for (magic, what) in MAGIC {
        if bytes.starts_with(magic) {
            return Some(what);
        }
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let names = |name: &str| {
            let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            memchr::memmem::find(bytes, &name).is_some()
        };
        let other = names("WordDocument") || names("PowerPoint Document");
        return (other && !names("Workbook")).then_some("Word或PowerPoint文档");
    }
    of_text(bytes)
}

/// How files begin.
const MAGIC: [(&[u8], &str); 9] = [
    (b"%PDF", "PDF文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"BM6", "图片"),
    (b"Rar!", "压缩包（RAR）"),
    (b"7z\xbc\xaf\x27\x1c", "压缩包（7z）"),
    (b"\x1f\x8b", "压缩包（gzip）"),
    (b"{\\rtf", "RTF文档"),
];

/// What an archive holds that is no workbook of Office.
fn of_archive(bytes: &[u8]) -> Option<&'static str> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let has = |archive: &ZipArchive<Cursor<&[u8]>>, part: &str| archive.file_names().flatten().any(|name| name.eq_ignore_ascii_case(part));
    if has(&archive, "xl/workbook.xml") {
        return None;
    }
    for (part, what) in [("xl/workbook.bin", "Excel二进制工作簿（.xlsb）"), ("word/document.xml", "Word文档"), ("ppt/presentation.xml", "PowerPoint文档")]
    {
        if has(&archive, part) {
            return Some(what);
        }
    }
    let mut sort = String::new();
    if let Ok(part) = archive.by_name("mimetype") {
        // What can't be read says nothing.
        let _ = part.take(100).read_to_string(&mut sort);
    }
    if sort.contains("opendocument.spreadsheet") {
        return Some("OpenDocument表格（.ods）");
    }
    // A workbook whose parts lie elsewhere says so in its list of contents.
    if has(&archive, "[Content_Types].xml") { None } else { Some("压缩包（zip）") }
}

/// What a text is that is no CSV.
fn of_text(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(4096)];
    let text: String = match encoding_rs::Encoding::for_bom(head) {
        Some((encoding, _)) => encoding.decode(head).0.into_owned(),
        None => String::from_utf8_lossy(head).into_owned(),
    };
    let text = text.trim_start().to_lowercase();
    if text.starts_with("<?xml") && (text.contains("urn:schemas-microsoft-com:office:spreadsheet") || text.contains("excel.sheet")) {
        return Some("XML表格（Excel 2003）");
    }
    if ["<!doctype html", "<html", "<table", "<meta", "<head", "<body", "<style", "<div"].iter().any(|begin| text.starts_with(begin))
        || text.starts_with("<?xml") && text.contains("<html")
    {
        return Some("网页");
    }
    if text.starts_with("mime-version:") {
        return Some("网页（.mht）");
    }
    if text.starts_with("<?xml") { Some("XML文件") } else { None }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a part");
            archive.write_all(text.as_bytes()).expect("writes");
        }
        archive.finish().expect("ends").into_inner()
    }

    #[test]
    fn a_file_is_told_as_what_it_is() {
        for (bytes, what) in [
            (archive(&[("xl/workbook.xml", "")]), None),
            (archive(&[("[Content_Types].xml", ""), ("other/book.xml", "")]), None),
            (archive(&[("xl/workbook.bin", "")]), Some("Excel二进制工作簿（.xlsb）")),
            (archive(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", "")]), Some("OpenDocument表格（.ods）")),
            (archive(&[("word/document.xml", "")]), Some("Word文档")),
            (archive(&[("学生.xlsx", "")]), Some("压缩包（zip）")),
            (b"<html><table>".to_vec(), Some("网页")),
            (b"\xef\xbb\xbf \r\n<TABLE border=1>".to_vec(), Some("网页")),
            (b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">".to_vec(), Some("XML表格（Excel 2003）")),
            (b"<?xml version=\"1.0\"?><a/>".to_vec(), Some("XML文件")),
            (b"%PDF-1.7".to_vec(), Some("PDF文件")),
            (b"\x89PNG\r\n".to_vec(), Some("图片")),
            ("姓名,身份证件号\n".as_bytes().to_vec(), None),
            (b"PK".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(other(&bytes), what, "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(60)]));
        }
    }
}
