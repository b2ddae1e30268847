//! What was done, told once on the page that follows: no address says it, as it may name somebody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it waits for the page that tells it.
const WAITS: Duration = Duration::from_secs(60);
/// Sessions for which something waits.
const SESSIONS: usize = 5000;

/// What waits to be told, by token: who only says who they are is told nothing of it.
#[derive(Debug, Clone, Default)]
pub struct ToTell(Arc<Mutex<HashMap<String, (Instant, String)>>>);

impl ToTell {
    /// Keeps it for the next page of a session.
    pub fn keep(&self, token: &str, text: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SESSIONS {
            all.retain(|_, (at, _)| at.elapsed() < WAITS);
        }
        if all.len() < SESSIONS {
            all.insert(token.to_owned(), (Instant::now(), text));
        }
    }

    /// What is to be told now; it is told once.
    pub fn take(&self, token: &str) -> Option<String> {
        let (at, text) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token)?;
        (at.elapsed() < WAITS).then_some(text)
    }
}
