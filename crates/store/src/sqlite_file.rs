//! The file of an SQLite database: only its owner may read it, and it must stay the one that was opened. Who puts another
//! file in its place under a living process would have acknowledged work written into a file that nobody sees any more.

use std::{
    fs,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// Only the owner reads and writes.
const PRIVATE: u32 = 0o600;
/// What stands beside the file while it is in use.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A file, and what it was when it was opened.
#[derive(Debug)]
pub struct SqliteFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// Whether it was seen that something else wrote over it.
    overwritten: AtomicBool,
}

impl SqliteFile {
    /// Makes the file if it is missing, and takes from all others the right to read it and what stands beside it.
    pub fn prepare(path: &Path) -> std::io::Result<Self> {
        fs::OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(path)?;
        make_private(path)?;
        for suffix in BESIDE {
            let mut beside = path.as_os_str().to_owned();
            beside.push(suffix);
            let beside = PathBuf::from(beside);
            if beside.exists() {
                make_private(&beside)?;
            }
        }
        let found = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino(), overwritten: AtomicBool::new(false) })
    }

    /// Notes that something else wrote over it.
    pub fn note_overwritten(&self) {
        self.overwritten.store(true, Ordering::Relaxed);
    }

    /// Whether another file, or none, is where this one was, or it was seen to be written over.
    pub fn is_replaced(&self) -> bool {
        self.overwritten.load(Ordering::Relaxed) || fs::metadata(&self.path).map_or(true, |found| (found.dev(), found.ino()) != (self.device, self.inode))
    }
}

/// Takes from all others the right to read, where the file is ours and they have it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let found = fs::metadata(path)?;
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_another_in_its_place_is_noticed() {
        let folder = std::env::temp_dir().join(format!("xuezhu-store-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("a.db");
        fs::write(&path, "").expect("writes");
        fs::write(folder.join("a.db-wal"), "").expect("writes");
        for name in ["a.db", "a.db-wal"] {
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o644)).expect("sets");
        }
        let file = SqliteFile::prepare(&path).expect("is prepared");
        for name in ["a.db", "a.db-wal"] {
            assert_eq!(fs::metadata(folder.join(name)).expect("is there").permissions().mode() & 0o777, PRIVATE, "{name}");
        }
        assert!(!file.is_replaced());
        fs::write(folder.join("b.db"), "").expect("writes");
        fs::rename(folder.join("b.db"), &path).expect("replaces");
        assert!(file.is_replaced());
        fs::remove_file(&path).expect("removes");
        assert!(file.is_replaced());
        fs::remove_dir_all(&folder).expect("is gone");
    }
}
