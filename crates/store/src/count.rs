//! How many statements work takes, by what it is done for. A statement is what costs: on SQLite each wakes another thread, on PostgreSQL
//! each is a round trip.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

tokio::task_local! {
    static WORK: &'static str;
}

/// What statements count as that nothing was said of.
const OTHER: &str = "other";

/// Counts the statements of a future as those of some work.
pub async fn counted<F: Future>(work: &'static str, future: F) -> F::Output {
    WORK.scope(work, future).await
}

/// Statements of a database since it was opened, by work.
#[derive(Debug, Clone, Default)]
pub struct Statements(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Statements {
    /// How many some work has taken so far, beginnings and ends of transactions among them.
    pub fn of(&self, work: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(work).copied().unwrap_or(0)
    }

    /// How many each work has taken so far.
    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A count for one transaction.
    pub(crate) fn begin(&self) -> Count {
        Count { statements: 1, work: WORK.try_with(|work| *work).unwrap_or(OTHER), totals: self.clone() }
    }
}

/// Statements of one transaction; it is added up when that ends, however it does.
#[derive(Debug)]
pub struct Count {
    statements: u64,
    work: &'static str,
    totals: Statements,
}

impl Count {
    /// One more.
    pub fn note(&mut self) {
        self.statements += 1;
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        metrics::counter!("xuezhu_store_statements_total", "work" => self.work).increment(self.statements);
        *self.totals.0.lock().unwrap_or_else(PoisonError::into_inner).entry(self.work).or_default() += self.statements;
    }
}
