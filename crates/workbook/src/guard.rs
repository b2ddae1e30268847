//! Looks at an archive before it is read: a bomb is refused, not unpacked.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::{ReadError, SHARED_TEXT_BYTES, UNPACKED_BYTES};

const BUFFER_BYTES: usize = 64 * 1024;
/// Files in the archive at most.
const PARTS: usize = 2_000;

/// Bytes beside those of the file that reading it may take: its directory is read more than once.
const READ_AGAIN_BYTES: u64 = 16 * 1024;

/// A file that is read once over, or a little more. An archive may name one part many times: read as often, a small file would
/// take hours.
pub struct OnceOver<'b> {
    bytes: Cursor<&'b [u8]>,
    left: u64,
}

impl<'b> OnceOver<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes: Cursor::new(bytes), left: 2 * bytes.len() as u64 + READ_AGAIN_BYTES }
    }
}

impl Read for OnceOver<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other("文件中同一部件被反复引用"))?;
        Ok(read)
    }
}

impl Seek for OnceOver<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// By what a part hides a row, or merges cells.
const HIDES: [&[u8]; 7] = [b"hidden", b"zeroHeight", b"ht=\"0", b"ht='0", b"ht =", b"ht\n", b"mergeCell"];

/// Unpacks every part into nothing and counts: what the archive declares is not believed. Returns the parts that hide rows or merge cells.
pub fn check_archive(bytes: &[u8]) -> Result<Vec<String>, ReadError> {
    let unreadable = |error: &dyn std::fmt::Display| ReadError::Unreadable(format!("压缩包损坏：{error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    if archive.len() > PARTS {
        return Err(ReadError::TooLarge(format!("文件内含{}个部件，超过{PARTS}个，不像是工作簿", archive.len())));
    }
    let (mut total, mut hiding) = (0, Vec::new());
    let longest = HIDES.iter().map(|text| text.len()).max().unwrap_or(0);
    let mut buffer = vec![0; longest + BUFFER_BYTES];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| unreadable(&error))?;
        let limit = if part.name().is_ok_and(|name| name.ends_with("sharedStrings.xml")) { SHARED_TEXT_BYTES } else { UNPACKED_BYTES };
        let (mut unpacked, mut kept, mut hides) = (0, 0, false);
        loop {
            // Behind the end of what was read before: a word may stand across.
            let end = kept + part.read(&mut buffer[kept..]).map_err(|error| unreadable(&error))?;
            let read = (end - kept) as u64;
            if read == 0 {
                break;
            }
            hides = hides || HIDES.iter().any(|text| memchr::memmem::find(&buffer[..end], text).is_some());
            let tail = end.saturating_sub(longest);
            buffer.copy_within(tail..end, 0);
            kept = end - tail;
            unpacked += read;
            total += read;
            if unpacked > limit || total > UNPACKED_BYTES {
                return Err(ReadError::TooLarge(format!("文件解压后超过{}MB，请删除多余的工作表或分批上传", limit.min(UNPACKED_BYTES) / 1024 / 1024)));
            }
        }
        if let (true, Ok(name)) = (hides, part.name()) {
            hiding.push(name.into_owned());
        }
    }
    Ok(hiding)
}
