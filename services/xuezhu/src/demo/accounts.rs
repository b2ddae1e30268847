//! Passwords of the demo's accounts: each has its own, which is told when the play is over and stands in a file that only the owner reads.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, bail};
use xuezhu_enrollment::directory::one_time_password;
use xuezhu_service::{Ids, private::write_private};

/// Those who are told of first: one of each kind.
const FIRST: [&str; 8] = ["admin", "clerk1", "head1", "teacher1", "officer430181", "officer430100", "chief430181", "overseer430000"];

/// Accounts with their passwords.
#[derive(Debug)]
pub struct Accounts {
    ids: Ids,
    passwords: Mutex<BTreeMap<String, String>>,
}

impl Default for Accounts {
    /// None as yet.
    fn default() -> Self {
        Self { ids: Ids::random(), passwords: Mutex::default() }
    }
}

impl Accounts {
    /// A password for an account: letters of both cases, a sign, a digit.
    pub fn password(&self, account: &str) -> String {
        let mut random = [0; 12];
        self.ids.fill(&mut random);
        let password = format!("Xz-{}-{}", one_time_password(&random), random[0] % 10);
        self.passwords.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), password.clone());
        password
    }

    /// Where they stand beside the data.
    pub fn file(data: &Path) -> PathBuf {
        data.join("demo/accounts.txt")
    }

    /// Writes them down for whoever owns the folder: an account and its password a line.
    pub fn keep(&self, data: &Path) -> std::io::Result<()> {
        let lines: Vec<String> =
            self.passwords.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(account, password)| format!("{account}\t{password}\n")).collect();
        write_private(&Self::file(data), lines.concat().as_bytes())
    }

    /// What was written down beside the data.
    pub fn read(data: &Path) -> anyhow::Result<BTreeMap<String, String>> {
        let file = Self::file(data);
        let text = std::fs::read_to_string(&file).with_context(|| format!("file {}", file.display()))?;
        let found: BTreeMap<String, String> =
            text.lines().filter_map(|line| line.split_once('\t')).map(|(account, password)| (account.to_owned(), password.to_owned())).collect();
        if found.is_empty() {
            bail!("{} holds no account", file.display());
        }
        Ok(found)
    }
}

/// What is told of them: one of each kind, and where the others stand.
pub fn table(data: &Path, found: &BTreeMap<String, String>) -> String {
    let mut text = String::from("account           password\n");
    for account in FIRST.into_iter().filter(|account| found.contains_key(*account)) {
        text.push_str(&format!("{account:<17} {}\n", found[account]));
    }
    text.push_str(&format!("{} accounts in all, with their passwords, in {}", found.len(), Accounts::file(data).display()));
    text
}
