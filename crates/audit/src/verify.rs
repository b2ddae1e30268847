//! The chain walked from its beginning.

use std::str::FromStr;

use uuid::Uuid;
use xuezhu_chain::{Broken, Chain, Walk};
use xuezhu_store::{StoreError, Tx};

use crate::{
    forget,
    store::{self, Kept},
    witness::{self, SignedHead},
};

/// Lines that are read at once.
const PAGE: i64 = 5_000;

/// What is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A line was changed, or was not written by the service.
    Line {
        /// Its id.
        id: Uuid,
        /// Its position; none where it was not sealed.
        position: Option<i64>,
        /// When it says that it happened, microseconds since 1970.
        at_us: i64,
        /// What it says was called.
        method: String,
    },
    /// Lines are missing, or stand where others stood.
    Chain(Broken),
    /// A line is told to have been forgotten, and was not by the service.
    Forgotten {
        /// Where it stood.
        position: i64,
    },
    /// The last link that is noted is not that of the last line.
    Head {
        /// Position that is noted.
        noted: i64,
        /// Position of the last line.
        found: i64,
    },
    /// The other service was told of lines that are not here any more, or are others now.
    Cut {
        /// How far they agree; none where they nowhere do.
        agreed: Option<i64>,
        /// The first head that does not fit.
        first: i64,
        /// The last.
        last: i64,
        /// When the first of them was signed, microseconds since 1970.
        at_us: i64,
        /// When the one was that was signed last: one that is signed later is of another cut.
        until_us: i64,
    },
}

/// A cut that is known: of a database that was put back from a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCut {
    /// The first head that did not fit.
    pub first: i64,
    /// When the last of them was signed, microseconds since 1970.
    pub until_us: i64,
}

impl FromStr for KnownCut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('@').and_then(|(first, until)| Some(Self { first: first.parse().ok()?, until_us: until.parse().ok()? }));
        parsed.ok_or_else(|| format!("{text} is no cut as it is told: POSITION@TIME"))
    }
}

impl KnownCut {
    fn covers(self, head: &SignedHead) -> bool {
        head.position >= self.first && head.at_us <= self.until_us
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Sealed lines that were looked at.
    pub lines: i64,
    /// Lines whose time was over.
    pub forgotten: i64,
    /// Lines that wait to be sealed.
    pub waiting: i64,
    /// Position of the last line.
    pub head: i64,
    /// Heads that the other service keeps of this chain, and that fit.
    pub witnessed: usize,
    /// Heads that don't fit, of cuts that are known.
    pub known: usize,
    /// What is not as it was written.
    pub faults: Vec<Fault>,
}

/// Walks a chain in one state of the database, and compares it with what the other service was told of it.
pub async fn verify(tx: &mut Tx, chain: &Chain, told: &[SignedHead], known: &[KnownCut]) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut walk = Walk::new(chain);
    loop {
        let after = walk.position();
        let lines = store::sealed_after(tx, after, PAGE).await?;
        let full = i64::try_from(lines.len()).is_ok_and(|lines| lines == PAGE);
        let up_to = lines.last().and_then(|line| line.position).filter(|_| full).unwrap_or(i64::MAX);
        let forgotten = store::forgotten_between(tx, after, up_to).await?;
        let mut forgotten = forgotten.into_iter().peekable();
        let mut steps = Vec::new();
        for line in lines {
            let position = line.position.unwrap_or_default();
            while let Some(gone) = forgotten.next_if(|gone| gone.position < position) {
                steps.push(Step::Gone(gone));
            }
            steps.push(Step::Line(Box::new(line)));
        }
        steps.extend(forgotten.map(Step::Gone));
        if steps.is_empty() {
            break;
        }
        for step in steps {
            report.take(chain, &mut walk, step);
        }
        if !full {
            break;
        }
    }
    report.head = walk.position();
    let (noted, link) = store::head(tx).await?;
    if noted != report.head || (noted > 0 && link != walk.link()) {
        report.faults.push(Fault::Head { noted, found: report.head });
    }
    for line in store::unsealed_lines(tx).await? {
        report.waiting += i64::from(line.position.is_none());
        report.look(chain, &line);
    }
    report.compare(tx, told, known).await?;
    Ok(report)
}

enum Step {
    Line(Box<Kept>),
    Gone(store::Forgotten),
}

impl Report {
    fn take(&mut self, chain: &Chain, walk: &mut Walk, step: Step) {
        let broken = match step {
            Step::Line(line) => {
                self.lines += 1;
                self.look(chain, &line);
                walk.step(line.position.unwrap_or_default(), line.line_check.as_deref().unwrap_or_default(), line.link.as_deref().unwrap_or_default())
            }
            Step::Gone(gone) => {
                self.forgotten += 1;
                if !chain.is_check(&forget::said(gone.position, &gone.line_check.0, &gone.link.0), &gone.mark.0) {
                    self.faults.push(Fault::Forgotten { position: gone.position });
                }
                walk.step(gone.position, &gone.line_check.0, &gone.link.0)
            }
        };
        self.faults.extend(broken.map(Fault::Chain));
    }

    fn look(&mut self, chain: &Chain, line: &Kept) {
        let is_written = line.line_check.as_ref().is_some_and(|check| chain.is_check(&line.line.said(), check));
        // The chain begins at one.
        if !is_written || line.position.is_some_and(|position| position < 1) {
            let (id, at_us, method) = (line.line.id, line.line.at_us, line.line.method.clone());
            self.faults.push(Fault::Line { id, position: line.position, at_us, method });
        }
    }

    async fn compare(&mut self, tx: &mut Tx, told: &[SignedHead], known: &[KnownCut]) -> Result<(), StoreError> {
        let mut differ: Vec<&SignedHead> = Vec::new();
        let mut agreed = None;
        for head in told {
            if witness::still_has(tx, head.position, &head.link).await? {
                self.witnessed += 1;
                agreed = agreed.max(Some(head.position).filter(|_| differ.is_empty()));
            } else if known.iter().any(|cut| cut.covers(head)) {
                self.known += 1;
            } else {
                differ.push(head);
            }
        }
        if let (Some(first), Some(last)) = (differ.first(), differ.last()) {
            let until_us = differ.iter().map(|head| head.at_us).max().unwrap_or_default();
            self.faults.push(Fault::Cut { agreed, first: first.position, last: last.position, at_us: first.at_us, until_us });
        }
        Ok(())
    }
}
