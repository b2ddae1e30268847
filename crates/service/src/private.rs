//! Files and folders that only their owner may read.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Sees to it that a file's name is on the disk.
pub fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// Makes a folder that only its owner may enter, and the folders above it; one that is there is made so. A folder that is for all to
/// write into, as `/tmp` is, is nobody's to close.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    /// In such a folder everybody may make files, and remove their own.
    const STICKY: u32 = 0o1000;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & STICKY != 0 {
        return Err(std::io::Error::other("it is a folder for everybody: choose one below it"));
    }
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Writes a new file that only its owner can read, and sees to it that it is on the disk.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_closed_to_others_unless_it_is_everybodys() {
        let folder = tempfile::tempdir().expect("a folder");
        for (mode, closed) in [(0o755, true), (0o700, true), (0o1777, false)] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).expect("sets");
            assert_eq!(private_folder(folder.path()).is_ok(), closed, "{mode:o}");
            let now = fs::metadata(folder.path()).expect("is there").permissions().mode() & 0o7777;
            assert_eq!(now, if closed { 0o700 } else { mode });
        }
        let below = folder.path().join("a/b");
        private_folder(&below).expect("is made");
        assert_eq!(fs::metadata(below).expect("is there").permissions().mode() & 0o777, 0o700);
    }
}
