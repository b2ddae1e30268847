//! What was done, told once on the page that follows: no address says it, as it may name somebody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it waits for the page that tells it.
const WAITS: Duration = Duration::from_secs(60);
/// Accounts for which something waits.
const ACCOUNTS: usize = 5000;

/// What waits to be told, by account.
#[derive(Debug, Clone, Default)]
pub struct ToTell(Arc<Mutex<HashMap<String, (Instant, String)>>>);

impl ToTell {
    /// Keeps it for the next page of an account.
    pub fn keep(&self, account: &str, text: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ACCOUNTS {
            all.retain(|_, (at, _)| at.elapsed() < WAITS);
        }
        if all.len() < ACCOUNTS {
            all.insert(account.to_owned(), (Instant::now(), text));
        }
    }

    /// What is to be told now; it is told once.
    pub fn take(&self, account: &str) -> Option<String> {
        let (at, text) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account)?;
        (at.elapsed() < WAITS).then_some(text)
    }
}
