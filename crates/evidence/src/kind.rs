//! What a file is, by its content: never by its name, nor by what whoever sends it says. Pure.
//!
//! What is looked for is what a later reader of the file meets: that it is what its first bytes say, that it is whole, that it needs no
//! password, and that it starts nothing by itself. It is no proof of harmlessness (objects of a PDF may be compressed): that is why a file is
//! handed out to be saved, and never shown by us.

/// Bytes of a file, at most: it is sealed as one piece, and held as a whole while that is done.
pub const FILE_BYTES: usize = 10 * 1024 * 1024;
/// Bytes from the end of a PDF within which its end must be said (ISO 32000-1, annex H).
const END_WITHIN: usize = 1024;

/// A kind of file that proves something: a photograph or a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A photograph.
    Jpeg,
    /// A picture of a screen.
    Png,
    /// A scan, or what was printed into one.
    Pdf,
    /// A scan of several pages, as older scanners make them.
    Tiff,
}

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing in it.
    #[error("文件是空的，请重新选择")]
    Empty,
    /// More than [`FILE_BYTES`].
    #[error("文件超过{}MB，请压缩或分成几份上传", FILE_BYTES / 1024 / 1024)]
    TooLarge,
    /// A photograph as some phones keep it.
    #[error("这是HEIC格式的照片，多数电脑打不开：请在手机上改存为JPEG，或用扫描件PDF")]
    Heic,
    /// A document or an archive.
    #[error("这是文档或压缩包：请导出或扫描为PDF后上传")]
    Document,
    /// None of the kinds.
    #[error("只收JPEG、PNG、TIFF图片和PDF扫描件，按文件内容判断，与文件名无关")]
    Unknown,
    /// It breaks off.
    #[error("文件不完整，可能没有传完或已损坏：请打开核对后重新上传")]
    Broken,
    /// It opens with a password alone.
    #[error("PDF已加密：请取消密码保护后上传，以后查阅的人没有密码")]
    Encrypted,
    /// It starts something.
    #[error("PDF中有脚本或会启动程序的内容：请打印为新的PDF，或扫描纸质件后上传")]
    Active,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Pdf, Self::Tiff];

    /// As stored.
    pub fn code(self) -> i32 {
        match self {
            Self::Jpeg => 1,
            Self::Png => 2,
            Self::Pdf => 3,
            Self::Tiff => 4,
        }
    }

    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Pdf => "PDF",
            Self::Tiff => "TIFF",
        }
    }

    /// The ending that a name of such a file has, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Pdf => "pdf",
            Self::Tiff => "tif",
        }
    }

    /// Endings that say the same.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Pdf => &["pdf"],
            Self::Tiff => &["tif", "tiff"],
        }
    }

    /// What a whole file is.
    pub fn of(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.is_empty() {
            return Err(Fault::Empty);
        }
        if bytes.len() > FILE_BYTES {
            return Err(Fault::TooLarge);
        }
        let kind = Self::begun(bytes)?;
        let is_whole = match kind {
            Self::Jpeg => ends_as_jpeg(bytes),
            Self::Png => ends_as_png(bytes),
            Self::Pdf => bytes[bytes.len().saturating_sub(END_WITHIN)..].windows(5).any(|end| end == b"%%EOF"),
            Self::Tiff => begins_as_tiff(bytes),
        };
        if !is_whole {
            return Err(Fault::Broken);
        }
        if kind == Self::Pdf {
            check_names(bytes)?;
        }
        Ok(kind)
    }

    /// What the first bytes say.
    fn begun(bytes: &[u8]) -> Result<Self, Fault> {
        const PNG: &[u8] = &[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
        const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Ok(Self::Jpeg)
        } else if bytes.starts_with(PNG) {
            Ok(Self::Png)
        } else if bytes.starts_with(b"%PDF-") {
            Ok(Self::Pdf)
        } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
            Ok(Self::Tiff)
        } else if bytes.get(4..8) == Some(b"ftyp") {
            Err(Fault::Heic)
        } else if bytes.starts_with(b"PK") || bytes.starts_with(OLE) || bytes.starts_with(b"Rar!") || bytes.starts_with(b"7z") {
            Err(Fault::Document)
        } else {
            Err(Fault::Unknown)
        }
    }

    /// A file's name as it is handed out: one that ends as no such file does gets the ending of what it is.
    pub fn named(self, name: &str) -> String {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        if self.endings().contains(&ending.as_str()) { name.to_owned() } else { format!("{name}.{}", self.ending()) }
    }
}

impl TryFrom<i32> for Kind {
    type Error = UnknownKind;

    fn try_from(code: i32) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(UnknownKind(code))
    }
}

/// A code that is no kind's.
#[derive(Debug, thiserror::Error)]
#[error("no kind of file has the code {0}")]
pub struct UnknownKind(i32);

/// Whether the segments of a JPEG go on to the end of its picture (ITU-T T.81, annex B). A picture within a segment, as cameras keep a small
/// one, is passed over with it; what stands after the end is let be.
fn ends_as_jpeg(bytes: &[u8]) -> bool {
    const SCAN: u8 = 0xda;
    const END: u8 = 0xd9;
    let (mut at, mut is_begun) = (2, false);
    loop {
        // Between segments any number of filling bytes may stand.
        let Some(filled) = bytes.get(at..).filter(|rest| rest.starts_with(&[0xff])) else { return false };
        let Some(marker) = filled.iter().position(|byte| *byte != 0xff) else { return false };
        at += marker + 1;
        let code = filled[marker];
        if code == END {
            return is_begun;
        }
        let Some(length) = bytes.get(at..at + 2).map(|length| usize::from(length[0]) << 8 | usize::from(length[1])) else { return false };
        if length < 2 {
            return false;
        }
        at += length;
        if code == SCAN {
            is_begun = true;
            // What is scanned goes on to a marker that is none of its own: a byte that is told apart (00), or one to begin again from.
            let is_next = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff);
            let Some(next) = bytes.get(at..).and_then(|rest| rest.windows(2).position(is_next)) else { return false };
            at += next;
        }
    }
}

/// Whether the chunks of a PNG go on to its last one.
fn ends_as_png(bytes: &[u8]) -> bool {
    /// Length, name and check of a chunk.
    const AROUND: usize = 12;
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let (length, name) = head.split_at(4);
        let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        if (name == b"IHDR") != (at == 8) {
            return false;
        }
        at += length + AROUND;
        if name == b"IEND" {
            return at <= bytes.len();
        }
    }
    false
}

/// Whether the first directory of a TIFF lies in it.
fn begins_as_tiff(bytes: &[u8]) -> bool {
    let Some(offset) = bytes.get(4..8).and_then(|offset| <[u8; 4]>::try_from(offset).ok()) else { return false };
    let offset = if bytes[0] == b'I' { u32::from_le_bytes(offset) } else { u32::from_be_bytes(offset) };
    usize::try_from(offset).is_ok_and(|offset| offset >= 8 && offset + 2 <= bytes.len())
}

/// Names that a PDF which only shows pages has not. What is attached to one (vouchers of banks and of the tax office carry their data so)
/// starts nothing, and is left in.
const ACTIVE: [&[u8]; 3] = [b"JavaScript", b"Launch", b"RichMedia"];

/// Refuses a PDF that needs a password, or says that it starts something.
fn check_names(bytes: &[u8]) -> Result<(), Fault> {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'/') {
        rest = &rest[at + 1..];
        let name = name(rest);
        if name == b"Encrypt" {
            return Err(Fault::Encrypted);
        }
        if ACTIVE.contains(&&name[..]) {
            return Err(Fault::Active);
        }
    }
    Ok(())
}

/// The name that begins here, as far as it matters, with what is written as `#4a` read.
fn name(bytes: &[u8]) -> Vec<u8> {
    const LONGEST: usize = 12;
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let (mut name, mut at) = (Vec::with_capacity(LONGEST), 0);
    while let Some(byte) = bytes.get(at).filter(|byte| !byte.is_ascii_whitespace() && **byte != 0 && !b"()<>[]{}/%".contains(byte)) {
        if name.len() == LONGEST {
            break;
        }
        let (read, taken) = match (byte, digit(at + 1), digit(at + 2)) {
            (b'#', Some(high), Some(low)) => (high << 4 | low, 3),
            _ => (*byte, 1),
        };
        name.push(read);
        at += taken;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png() -> Vec<u8> {
        let chunk = |name: &[u8; 4], data: &[u8]| [&u32::try_from(data.len()).expect("is small").to_be_bytes()[..], name, data, &[0; 4]].concat();
        [&[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'][..], &chunk(b"IHDR", &[0; 13]), &chunk(b"IDAT", &[1; 40]), &chunk(b"IEND", &[])].concat()
    }

    fn pdf(inside: &str) -> Vec<u8> {
        format!("%PDF-1.7\n1 0 obj\n{inside}\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n").into_bytes()
    }

    fn segment(code: u8, data: &[u8]) -> Vec<u8> {
        [&[0xff, code][..], &u16::try_from(data.len() + 2).expect("is small").to_be_bytes(), data].concat()
    }

    fn jpeg(before: &[Vec<u8>]) -> Vec<u8> {
        let scan = [&segment(0xda, &[1; 4])[..], &[7, 0xff, 0, 8, 0xff, 0xd0, 9]].concat();
        [&[0xff, 0xd8][..], &before.concat(), &scan, &[0xff], &segment(0xc4, &[3; 8]), &scan, &[0xff, 0xd9]].concat()
    }

    #[test]
    fn a_photograph_is_whole_where_its_own_picture_ends() {
        let small = [&[0xff, 0xd8][..], &segment(0xda, &[0; 4]), &[5, 5, 0xff, 0xd9]].concat();
        let whole = jpeg(&[segment(0xe1, &small), segment(0xfe, b"note")]);
        assert_eq!(Kind::of(&whole), Ok(Kind::Jpeg));
        assert_eq!(Kind::of(&[&whole[..], b"what a phone puts after it"].concat()), Ok(Kind::Jpeg));
        for cut in 3..whole.len() {
            assert_eq!(Kind::of(&whole[..cut]), Err(Fault::Broken), "{cut} of {}", whole.len());
        }
        for (bytes, why) in [
            (&[0xff, 0xd8, 0xff, 0xd9][..], "no picture"),
            (&[0xff, 0xd8, 0xff, 0xe0, 0, 1, 0xff, 0xd9], "a length that goes nowhere"),
            (&[0xff, 0xd8, 0xff, 0xe0, 0, 2, 9, 0xff, 0xd9], "something between segments"),
        ] {
            assert_eq!(Kind::of(bytes), Err(Fault::Broken), "{why}");
        }
    }

    #[test]
    fn a_file_is_what_its_content_says_and_whole() {
        let jpeg = jpeg(&[segment(0xe0, &[7; 14])]);
        let tiff = [&b"II*\0"[..], &8_u32.to_le_bytes(), &[0, 0]].concat();
        let png = png();
        for (bytes, is) in [
            (&jpeg[..], Ok(Kind::Jpeg)),
            (&jpeg[..20], Err(Fault::Broken)),
            (&png, Ok(Kind::Png)),
            (&png[..png.len() - 1], Err(Fault::Broken)),
            (&png[..30], Err(Fault::Broken)),
            (&tiff, Ok(Kind::Tiff)),
            (&tiff[..9], Err(Fault::Broken)),
            (b"MM\0*\0\0\0\x08\0\0", Ok(Kind::Tiff)),
            (&pdf("<< /Type /Catalog >>"), Ok(Kind::Pdf)),
            (b"%PDF-1.7\n1 0 obj", Err(Fault::Broken)),
            (b"", Err(Fault::Empty)),
            (b"\0\0\0\x18ftypheic\0\0", Err(Fault::Heic)),
            (b"PK\x03\x04....", Err(Fault::Document)),
            (b"<html><script>", Err(Fault::Unknown)),
            (b" %PDF-1.7 %%EOF", Err(Fault::Unknown)),
            (b"MZ\x90\0", Err(Fault::Unknown)),
        ] {
            assert_eq!(Kind::of(bytes), is, "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(12)]));
        }
    }

    #[test]
    fn a_pdf_that_starts_something_or_wants_a_password_is_not_taken() {
        for (inside, is) in [
            ("<< /S /JavaScript /JS (app.alert(1)) >>", Err(Fault::Active)),
            ("<< /S/JavaScript/JS(x)>>", Err(Fault::Active)),
            ("<< /S /J#61vaScript >>", Err(Fault::Active)),
            ("<< /S /Launch /F (cmd.exe) >>", Err(Fault::Active)),
            ("<< /Subtype /RichMedia >>", Err(Fault::Active)),
            ("<< /Encrypt 5 0 R >>", Err(Fault::Encrypted)),
            // A name that only begins so, a text that says so, what is attached.
            ("<< /EncryptMetadata false /LaunchX 1 /JavaScripts 2 >>", Ok(Kind::Pdf)),
            ("(JavaScript Launch)", Ok(Kind::Pdf)),
            ("<< /Type /EmbeddedFile >>", Ok(Kind::Pdf)),
            ("/", Ok(Kind::Pdf)),
        ] {
            assert_eq!(Kind::of(&pdf(inside)), is, "{inside}");
        }
    }

    #[test]
    fn a_file_may_be_as_large_as_the_limit_and_no_byte_larger() {
        let mut bytes = pdf("");
        let end = bytes.split_off(bytes.len() - 6);
        for (size, is) in [(FILE_BYTES, Ok(Kind::Pdf)), (FILE_BYTES + 1, Err(Fault::TooLarge))] {
            let mut bytes = bytes.clone();
            bytes.resize(size - end.len(), b' ');
            bytes.extend_from_slice(&end);
            assert_eq!(Kind::of(&bytes), is);
        }
    }

    #[test]
    fn a_name_ends_as_what_the_file_is() {
        for (kind, name, named) in [
            (Kind::Jpeg, "回单.JPEG", "回单.JPEG"),
            (Kind::Jpeg, "回单.html", "回单.html.jpg"),
            (Kind::Pdf, "回单", "回单.pdf"),
            (Kind::Tiff, ".tiff", ".tiff"),
        ] {
            assert_eq!(kind.named(name), named);
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::try_from(kind.code()).ok(), Some(kind));
        }
        assert!(Kind::try_from(0).is_err());
    }
}
