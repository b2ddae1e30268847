//! The key files of both services: made together, so that a kill leaves both or none, and never written over.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    keyring::{Keyring, KeyringError, Service},
    private::sync_folder,
};

/// Where the keys of both services are.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    /// Enrollment's.
    pub enrollment: PathBuf,
    /// Aid's.
    pub aid: PathBuf,
}

impl KeyFiles {
    /// Writes both, so that a kill between any two steps leaves both or none: each is whole before either has its name, and
    /// [`Self::finish`] goes on where it broke off.
    pub fn save(&self, pair: &(Keyring, Keyring)) -> Result<(), KeyringError> {
        // First what lies there of another pair: half of each would be none.
        self.throw_away()?;
        pair.1.save(&unnamed(&self.aid))?;
        pair.0.save(&unnamed(&self.enrollment))?;
        self.finish().map(drop)
    }

    /// Finishes what broke off, and returns whether both are there now. Enrollment's new file is made last: where it is whole, so is
    /// aid's. A file that has its name is never written over: what lies beside it is of nobody. What is not whole was never used.
    pub fn finish(&self) -> Result<bool, KeyringError> {
        let new_enrollment = unnamed(&self.enrollment);
        if new_enrollment.exists() && !self.enrollment.exists() {
            let loads = |path: &Path, service| Keyring::load(path, service).is_ok();
            if loads(&new_enrollment, Service::Enrollment) && (self.aid.exists() || loads(&unnamed(&self.aid), Service::Aid)) {
                for path in [&self.aid, &self.enrollment].into_iter().filter(|path| !path.exists()) {
                    fs::rename(unnamed(path), path).and_then(|()| sync_folder(path)).map_err(|source| io(path, source))?;
                }
            } else if !self.aid.exists() {
                self.throw_away()?;
            }
        }
        Ok(self.enrollment.exists() && self.aid.exists())
    }

    /// Removes files that have not got their names, enrollment's first: with it, both would be taken for whole.
    fn throw_away(&self) -> Result<(), KeyringError> {
        for new in [&self.enrollment, &self.aid].map(|path| unnamed(path)).into_iter().filter(|new| new.exists()) {
            fs::remove_file(&new).map_err(|source| io(&new, source))?;
        }
        Ok(())
    }
}

fn io(path: &Path, source: std::io::Error) -> KeyringError {
    KeyringError::Io { path: path.display().to_string(), source }
}

/// A file that has not got its name yet.
fn unnamed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::private::write_private;

    fn files() -> (tempfile::TempDir, KeyFiles) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = KeyFiles { enrollment: folder.path().join("enrollment-keys.json"), aid: folder.path().join("aid-keys.json") };
        (folder, files)
    }

    #[test]
    fn keys_come_back_from_their_file_which_is_its_owners_alone() {
        let (_folder, files) = files();
        let pair = Keyring::generate();
        files.save(&pair).expect("saves");
        let enrollment = Keyring::load(&files.enrollment, Service::Enrollment).expect("loads");
        assert_eq!(enrollment.checks(), pair.0.checks());
        assert_eq!(enrollment.hash_key_check(), Keyring::load(&files.aid, Service::Aid).expect("loads").hash_key_check(), "one hash key");
        assert!(Keyring::load(&files.enrollment, Service::Aid).is_err(), "of the other service");
        fs::set_permissions(&files.enrollment, fs::Permissions::from_mode(0o640)).expect("sets");
        assert!(Keyring::load(&files.enrollment, Service::Enrollment).is_err_and(|error| error.to_string().contains("chmod 600")));
    }

    #[test]
    fn a_kill_between_any_two_steps_leaves_both_key_files_or_none() {
        let pair = Keyring::generate();
        // What a kill leaves after each step: aid's whole, both whole, aid's named, both named.
        let steps: [&dyn Fn(&KeyFiles); 4] = [
            &|files| pair.1.save(&unnamed(&files.aid)).expect("saves"),
            &|files| pair.0.save(&unnamed(&files.enrollment)).expect("saves"),
            &|files| fs::rename(unnamed(&files.aid), &files.aid).expect("renames"),
            &|files| fs::rename(unnamed(&files.enrollment), &files.enrollment).expect("renames"),
        ];
        for killed_after in 0..=steps.len() {
            let (_folder, files) = files();
            steps[..killed_after].iter().for_each(|step| step(&files));
            let both = files.finish().expect("goes on");
            assert_eq!(both, killed_after >= 2, "{killed_after}");
            if !both {
                files.save(&pair).expect("begins anew");
            }
            for (path, service) in [(&files.enrollment, Service::Enrollment), (&files.aid, Service::Aid)] {
                Keyring::load(path, service).expect("loads");
            }
        }
    }

    #[test]
    fn what_is_not_whole_is_thrown_away_and_nothing_that_has_its_name_is_written_over() {
        let (_folder, files) = files();
        // A kill in the midst of the second write, and a full disk: nothing was used yet.
        let pair = Keyring::generate();
        pair.1.save(&unnamed(&files.aid)).expect("saves");
        write_private(&unnamed(&files.enrollment), b"{ \"service\":").expect("breaks off");
        assert!(!files.finish().expect("is thrown away"));
        files.save(&pair).expect("begins anew");
        let kept = (fs::read(&files.enrollment).expect("is there"), fs::read(&files.aid).expect("is there"));
        // What lies beside good files is of nobody.
        let other = Keyring::generate();
        other.0.save(&unnamed(&files.enrollment)).expect("saves");
        other.1.save(&unnamed(&files.aid)).expect("saves");
        assert!(files.finish().expect("are there"));
        assert_eq!((fs::read(&files.enrollment).expect("is there"), fs::read(&files.aid).expect("is there")), kept);
    }

    #[test]
    fn half_of_one_pair_and_half_of_another_are_never_finished_as_one() {
        let (_folder, files) = files();
        Keyring::generate().0.save(&unnamed(&files.enrollment)).expect("saves");
        Keyring::generate().1.save(&unnamed(&files.aid)).expect("saves");
        let pair = Keyring::generate();
        files.save(&pair).expect("saves");
        assert_eq!(Keyring::load(&files.enrollment, Service::Enrollment).expect("loads").checks(), pair.0.checks());
        assert_eq!(Keyring::load(&files.aid, Service::Aid).expect("loads").checks(), pair.1.checks());
    }
}
