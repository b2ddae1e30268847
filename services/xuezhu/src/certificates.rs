//! Certificates of one's own: an authority, and what it signs for services, the gateway and followers. Made again in the same folder, the authority stays,
//! so that whoever knows it goes on.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use chrono::{Datelike, Days, NaiveDate};
use xuezhu_service::private::{private_folder, write_private};
use xuezhu_tls::private::{Made, authority, signed};

/// How long an authority holds, in days: ten years.
const AUTHORITY_DAYS: u64 = 3653;
/// This machine.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What is made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Folder for the files.
    pub out: PathBuf,
    /// Names under which the gateway is reached, beside this machine's.
    pub hosts: Vec<String>,
    /// Who else shows a certificate.
    pub followers: Vec<String>,
    /// Days that certificates hold.
    pub days: u16,
}

fn days(from: NaiveDate, days: u64) -> anyhow::Result<[(i32, u8, u8); 2]> {
    let part = |day: NaiveDate| Ok::<_, anyhow::Error>((day.year(), u8::try_from(day.month())?, u8::try_from(day.day())?));
    // A day before: clocks differ.
    let from = from.pred_opt().context("a day")?;
    Ok([part(from)?, part(from.checked_add_days(Days::new(days + 1)).context("a day")?)?])
}

/// Makes them; returns the files of certificates, that of the authority first.
pub fn make(wanted: &Wanted, today: NaiveDate) -> anyhow::Result<Vec<PathBuf>> {
    private_folder(&wanted.out).with_context(|| format!("folder {}", wanted.out.display()))?;
    ensure!(wanted.days > 0, "certificates hold a day at least");
    let (certificate, key) = files(&wanted.out, "authority");
    let by = if certificate.exists() {
        Made { certificate: std::fs::read_to_string(&certificate)?, key: std::fs::read_to_string(&key).with_context(|| format!("file {}", key.display()))? }
    } else {
        let made = authority(days(today, AUTHORITY_DAYS)?)?;
        write(&wanted.out, "authority", &made)?;
        made
    };
    let mut written = vec![certificate];
    let services = ["enrollment", "aid", "gateway"].map(|name| (name.to_owned(), vec![name.to_owned()]));
    let http = ("http".to_owned(), wanted.hosts.clone());
    let followers = wanted.followers.iter().map(|name| (name.clone(), vec![name.clone()]));
    for (name, names) in services.into_iter().chain([http]).chain(followers) {
        ensure!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) && !name.starts_with('.'), "{name} can't be a file's name");
        let names: Vec<String> = HERE.iter().map(|name| (*name).to_owned()).chain(names).collect();
        write(&wanted.out, &name, &signed(&by, &name, &names, days(today, wanted.days.into())?)?)?;
        written.push(files(&wanted.out, &name).0);
    }
    Ok(written)
}

fn files(out: &Path, name: &str) -> (PathBuf, PathBuf) {
    (out.join(format!("{name}.pem")), out.join(format!("{name}.key")))
}

/// Writes a certificate with its key, each at once: whoever reads them meanwhile finds the old or the new ones.
fn write(out: &Path, name: &str, made: &Made) -> anyhow::Result<()> {
    let (certificate, key) = files(out, name);
    for (path, text) in [(key, &made.key), (certificate, &made.certificate)] {
        let new = path.with_extension("new");
        if new.exists() {
            std::fs::remove_file(&new)?;
        }
        write_private(&new, text.as_bytes())?;
        std::fs::rename(&new, &path)?;
    }
    Ok(())
}
