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

/// Unpacks every part into nothing and counts: what the archive declares is not believed.
pub fn check_archive(bytes: &[u8]) -> Result<(), ReadError> {
    let unreadable = |error: &dyn std::fmt::Display| ReadError::Unreadable(format!("压缩包损坏：{error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    if archive.len() > PARTS {
        return Err(ReadError::TooLarge(format!("文件内含{}个部件，超过{PARTS}个，不像是工作簿", archive.len())));
    }
    let mut total = 0;
    let mut buffer = vec![0; BUFFER_BYTES];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| unreadable(&error))?;
        let limit = if part.name().is_ok_and(|name| name.ends_with("sharedStrings.xml")) { SHARED_TEXT_BYTES } else { UNPACKED_BYTES };
        let mut unpacked = 0;
        loop {
            let read = part.read(&mut buffer).map_err(|error| unreadable(&error))? as u64;
            if read == 0 {
                break;
            }
            unpacked += read;
            total += read;
            if unpacked > limit || total > UNPACKED_BYTES {
                return Err(ReadError::TooLarge(format!("文件解压后超过{}MB，请删除多余的工作表或分批上传", limit.min(UNPACKED_BYTES) / 1024 / 1024)));
            }
        }
    }
    Ok(())
}
