//! A small disk of its own, to be filled.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A disk of some megabytes, mounted as long as this lives. Only root may mount.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one.
    pub fn new(megabytes: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "none"]).arg(&folder).status();
        assert!(mounted.is_ok_and(|status| status.success()), "a disk of our own can't be mounted: these tests need root");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("the folder is ours");
        Self { folder }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Leaves no room on it.
    pub fn fill(&self) {
        let mut filler = fs::File::create(self.filler()).expect("makes a file");
        for piece in [1 << 20, 1 << 12, 1] {
            while filler.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("removes the file");
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It may be busy still: then it goes when nobody uses it any more.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        let _ = fs::remove_dir(&self.folder);
    }
}
