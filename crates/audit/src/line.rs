//! One line of the audit.

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_chain::{Chain, Said};
use xuezhu_store::{StoreError, Tx};

use crate::{
    store,
    written::{self, Part},
};

/// What became of what somebody wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// Something was handed out that not everybody may see; the reason is what for.
    Read,
    /// It was refused; the reason is why.
    Refused,
    /// Somebody came in, or went: a log-in, a feed that is followed.
    Entered,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Done, Self::Read, Self::Refused, Self::Entered];

    /// As stored and as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Read => "READ",
            Self::Refused => "REFUSED",
            Self::Entered => "ENTERED",
        }
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "已办理",
            Self::Read => "已查看",
            Self::Refused => "未准许",
            Self::Entered => "已进入",
        }
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// Whether it tells who came in, and is kept as long as a setting says; all else is kept as long as what it is about.
    pub fn is_access(self) -> bool {
        matches!(self, Self::Refused | Self::Entered)
    }
}

/// What was done, read or refused: by whom, when, from where, where.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Line {
    /// Its id.
    pub id: Uuid,
    /// System time, microseconds since 1970.
    pub at_us: i64,
    /// Civil day.
    pub civil_day: NaiveDate,
    /// Account.
    pub actor: String,
    /// Role that it had.
    pub role: String,
    /// School or region that it was of.
    pub organisation: String,
    /// What was called.
    pub method: String,
    /// What it was done to: ids and codes.
    pub resource: String,
    /// What became of it.
    pub outcome: String,
    /// Why it was refused, or what for it was read.
    pub reason: String,
    /// Id that the client gave the request.
    pub request_id: String,
    /// Address that it came from.
    pub address: String,
    /// Trace of the request.
    pub trace: String,
    /// School that it was about; empty where it was about none.
    pub school: String,
    /// Region of the department that it was about; empty where that is not known.
    pub region: String,
    /// Hash of the file that came with it, in hexadecimal digits; empty where none came.
    pub content: String,
    /// Hash of what was written of records under it; empty where nothing was.
    pub written: String,
}

impl Line {
    /// What its check is made of.
    pub(crate) fn said(&self) -> Said {
        let said = Said::of("audit line")
            .bytes(self.id.as_bytes())
            .number(self.at_us)
            .number(self.civil_day.num_days_from_ce().into())
            .text(&self.actor)
            .text(&self.role)
            .text(&self.organisation)
            .text(&self.method)
            .text(&self.resource)
            .text(&self.outcome)
            .text(&self.reason)
            .text(&self.request_id)
            .text(&self.address)
            .text(&self.trace)
            .text(&self.school)
            .text(&self.region)
            .text(&self.content);
        // What came later is said only where it is there: lines of before keep their check.
        if self.written.is_empty() { said } else { said.text(&self.written) }
    }
}

/// Writes the line of an act with what the act wrote of records, and lines for what it also did; all in the transaction of what they tell.
pub async fn write_act(tx: &mut Tx, chain: &Chain, mut own: Line, parts: &[Part], mut also: Vec<Line>) -> Result<(), StoreError> {
    own.written = written::digest(parts);
    written::insert(tx, own.id, parts).await?;
    also.insert(0, own);
    write(tx, chain, &also).await
}

/// Writes lines, in the transaction of what they tell.
pub async fn write(tx: &mut Tx, chain: &Chain, lines: &[Line]) -> Result<(), StoreError> {
    match lines {
        [] => Ok(()),
        [line] => store::insert(tx, line, &chain.check(&line.said())).await,
        lines => {
            let checked = lines.iter().map(|line| store::Checked::of(line, chain)).collect::<Vec<_>>();
            store::insert_all(tx, &checked).await
        }
    }
}
