//! Which keys a start uses: those that are there, those that a keyring of before is split into, or new ones where nothing was
//! ever stored. A used database never meets new keys.

use std::path::Path;

use anyhow::{Context, bail};
use xuezhu_service::{Keyring, key_files::KeyFiles, keyring::Service};

/// How somebody gets out of it.
const RESTORE: &str = "restore the key files from the backup that was made with the databases";

/// Keys of both services, for everything in one process; `used` is whether either database holds anything, `fits` refuses keys that
/// are not those of the databases: a keyring of before is asked before anything is made of it.
pub async fn of_both(
    files: &KeyFiles,
    before: &Path,
    used: bool,
    fits: impl AsyncFn(&(Keyring, Keyring)) -> anyhow::Result<()>,
) -> anyhow::Result<(Keyring, Keyring)> {
    if !files.finish()? {
        missing(files, before)?;
        if before.exists() {
            let pair = Keyring::split(before)?;
            fits(&pair).await?;
            files.save(&pair)?;
            tracing::info!(enrollment = %files.enrollment.display(), aid = %files.aid.display(), "the keyring of before is split into a key file for each service");
        } else if used {
            bail!("key files {} and {} are missing, and the databases are in use: {RESTORE}", files.enrollment.display(), files.aid.display());
        } else {
            files.save(&Keyring::generate())?;
        }
    }
    Ok((Keyring::load(&files.enrollment, Service::Enrollment)?, Keyring::load(&files.aid, Service::Aid)?))
}

/// One file without the other is no pair: a new one would not fit.
fn missing(files: &KeyFiles, before: &Path) -> anyhow::Result<()> {
    let (there, gone) = match (files.enrollment.exists(), files.aid.exists()) {
        (true, false) => (&files.enrollment, &files.aid),
        (false, true) => (&files.aid, &files.enrollment),
        _ => return Ok(()),
    };
    let way = if before.exists() { "move it away to split the keyring of before anew, or " } else { "" };
    bail!("key file {} is there and {} is missing: {way}{RESTORE}", there.display(), gone.display())
}

/// Keys of enrollment alone. Where nothing was ever stored, both files are made, since they are made together.
pub fn of_enrollment(files: &KeyFiles, before: &Path, used: bool) -> anyhow::Result<Keyring> {
    if !files.enrollment.exists() && !files.finish()? {
        split_first(before, "enrollment_keys_file", files)?;
        if used {
            bail!("setting enrollment_keys_file: {} is missing, and the database is in use: {RESTORE}", files.enrollment.display());
        }
        files.save(&Keyring::generate()).context("setting enrollment_keys_file: new keys can't be written; make them with `xuezhu admin keyring new`")?;
    }
    Keyring::load(&files.enrollment, Service::Enrollment).context("setting enrollment_keys_file")
}

/// Keys of aid alone.
pub fn of_aid(files: &KeyFiles, before: &Path) -> anyhow::Result<Keyring> {
    if !files.aid.exists() {
        split_first(before, "aid_keys_file", files)?;
    }
    Keyring::load(&files.aid, Service::Aid).context("setting aid_keys_file: aid's keys are made together with enrollment's, with `xuezhu admin keyring new`")
}

/// A keyring of before may lie where nothing can be written: it is split by a command of its own.
fn split_first(before: &Path, setting: &str, files: &KeyFiles) -> anyhow::Result<()> {
    if before.exists() {
        let folder = files.enrollment.parent().unwrap_or_else(|| Path::new("."));
        bail!(
            "setting {setting}: there is only the keyring of before, {}, which holds both services' keys; split it with `xuezhu admin keyring split {} --out {}` and \
             name the two files in enrollment_keys_file and aid_keys_file",
            before.display(),
            before.display(),
            folder.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_used_database_never_meets_new_keys_and_half_a_pair_is_no_pair() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = KeyFiles { enrollment: folder.path().join("e.json"), aid: folder.path().join("a.json") };
        let before = folder.path().join("keyring.json");
        assert!(of_both(&files, &before, true, async |_| Ok(())).await.is_err_and(|error| error.to_string().contains("backup")));
        assert!(of_enrollment(&files, &before, true).is_err_and(|error| error.to_string().contains("backup")));
        assert!(of_aid(&files, &before).is_err());
        assert!(!files.enrollment.exists() && !files.aid.exists(), "nothing was made");
        of_both(&files, &before, false, async |_| Ok(())).await.expect("makes new ones");
        of_both(&files, &before, true, async |_| Ok(())).await.expect("goes on with them");
        std::fs::remove_file(&files.aid).expect("is lost");
        assert!(of_both(&files, &before, true, async |_| Ok(())).await.is_err_and(|error| error.to_string().contains("a.json is missing")));
        assert!(of_both(&files, &before, false, async |_| Ok(())).await.is_err());
    }
}
