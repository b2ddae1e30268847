//! Lines as an auditor asks for them.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx};

use crate::{line::Line, store};

/// What is asked for; what is empty narrows nothing.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Digits that a region begins with: only what is about it, or was done by who is of it.
    pub region_prefix: String,
    /// From this civil day.
    pub from: NaiveDate,
    /// To this civil day.
    pub to: NaiveDate,
    /// Of this account.
    pub actor: String,
    /// About this school, or by somebody of it.
    pub school: String,
    /// Of this call.
    pub method: String,
    /// That ended so.
    pub outcome: String,
    /// For this reason.
    pub reason: String,
}

impl Asked {
    /// What is asked for, as the audit keeps that it was.
    pub fn told(&self) -> String {
        let narrowed = [&self.region_prefix, &self.actor, &self.school, &self.method, &self.outcome, &self.reason];
        let narrowed = narrowed.into_iter().filter(|text| !text.is_empty()).fold(String::new(), |told, text| told + " " + text);
        format!("{}..{}{narrowed}", self.from, self.to)
    }
}

/// A line, and where it stands in the chain.
#[derive(Debug, Clone)]
pub struct Found {
    /// The line.
    pub line: Line,
    /// Its position; none where it waits to be sealed.
    pub position: Option<i64>,
}

/// Lines, newest first, before one. Ids rise with time.
pub async fn lines(tx: &mut Tx, asked: &Asked, before: Option<Uuid>, limit: i64) -> Result<Vec<Found>, StoreError> {
    let kept = store::asked(tx, asked, before, limit).await?;
    Ok(kept.into_iter().map(|kept| Found { line: kept.line, position: kept.position }).collect())
}
