//! Every record held against what was last written of it.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use uuid::Uuid;
use xuezhu_chain::{Chain, Said};
use xuezhu_store::{StoreError, Tx, run};

pub use super::trail::Wrong;
use super::{Key, Kind, before, part, store, trail::Trail};

/// Parts that are read at once.
const PARTS: i64 = 200;
/// Bytes of parts whose trails are held in memory at once: some two million marks, in as many hundred megabytes.
const BYTES_AT_ONCE: i64 = 128 << 20;

/// What is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A record.
    Record {
        /// Of what kind, as verification calls it.
        kind: &'static str,
        /// Which.
        key: Key,
        /// What is wrong with it.
        wrong: Wrong,
        /// By what that is known again: something else is, once it is changed further by hand.
        known_as: String,
    },
    /// What a line says that it wrote is not kept as it wrote it.
    Written {
        /// The line.
        line: Uuid,
        /// When it says that it happened, microseconds since 1970; 0 where there is no such line.
        at_us: i64,
        /// What it says was called; empty where there is no such line.
        method: String,
    },
    /// Records were believed as they stood, when that was over.
    Believed {
        /// The line that says so.
        line: Uuid,
        /// When, microseconds since 1970.
        at_us: i64,
    },
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Records that stand, by kind.
    pub records: Vec<(&'static str, i64)>,
    /// What is not as it was written.
    pub faults: Vec<Fault>,
}

/// Reads all that was written, and holds the records of these kinds against it. That no line was changed or taken away is another's to say.
pub async fn verify(tx: &mut Tx, rows: &Chain, kinds: &[&'static Kind]) -> Result<Report, StoreError> {
    verify_within(tx, rows, kinds, BYTES_AT_ONCE).await
}

/// The same, holding so much in memory at once: with less it reads more often.
pub async fn verify_within(tx: &mut Tx, rows: &Chain, kinds: &[&'static Kind], bytes_at_once: i64) -> Result<Report, StoreError> {
    let of = u64::try_from(store::bytes(tx).await? / bytes_at_once).unwrap_or(0) + 1;
    let mut report = Report { records: kinds.iter().map(|kind| (kind.name, 0)).collect(), faults: Vec::new() };
    for (line, at_us, method) in store::without(tx).await? {
        report.faults.push(Fault::Written { line, at_us, method });
    }
    for number in 0..of {
        verify_share(tx, rows, kinds, Share { number, of }, &mut report).await?;
    }
    Ok(report)
}

/// Part of the records, by their keys: so many as there is memory for.
#[derive(Debug, Clone, Copy)]
struct Share {
    number: u64,
    of: u64,
}

impl Share {
    fn holds(self, key: &Key) -> bool {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish() % self.of == self.number
    }
}

async fn verify_share(tx: &mut Tx, rows: &Chain, kinds: &[&'static Kind], share: Share, report: &mut Report) -> Result<(), StoreError> {
    let mut faults = Vec::new();
    let mut trails = read(tx, kinds, share, &mut faults).await?;
    // What is wrong with all that was written is told once.
    if share.number == 0 {
        report.faults.append(&mut faults);
    }
    for (kind, (_, found)) in kinds.iter().zip(&mut report.records) {
        let mut last: Option<Key> = None;
        loop {
            let mut keys = (kind.after)(tx, last.as_ref(), kind.at_once).await?;
            let Some(end) = keys.last().cloned() else { break };
            last = Some(end);
            keys.retain(|key| share.holds(key));
            let (mut said, unread) = say(tx, kind, &keys).await?;
            *found += i64::try_from(keys.len()).unwrap_or(0);
            for key in keys {
                let trail = trails.remove(&(kind.code, key.clone())).unwrap_or_default();
                let said = said.remove(&key);
                let wrong = if unread.contains(&key) { Some(Wrong::Changed) } else { trail.wrong(rows, said.as_ref()) };
                let known_as = |wrong| trail.known_as(rows, said.as_ref(), wrong);
                report.faults.extend(wrong.map(|wrong| Fault::Record { kind: kind.name, key, wrong, known_as: known_as(wrong) }));
            }
        }
    }
    // What was written of and says nothing now.
    let mut gone: Vec<Fault> = (trails.into_iter())
        .filter_map(|((code, key), trail)| {
            let kind = kinds.iter().find(|kind| kind.code == code).map_or("record", |kind| kind.name);
            trail.wrong(rows, None).map(|wrong| Fault::Record { kind, key, wrong, known_as: trail.known_as(rows, None, wrong) })
        })
        .collect();
    gone.sort_by_key(|fault| format!("{fault:?}"));
    report.faults.extend(gone);
    Ok(())
}

/// What records say; and those that hold what no record of their kind can, which a hand put there: one of them does not hide the others.
async fn say(tx: &mut Tx, kind: &'static Kind, keys: &[Key]) -> Result<(HashMap<Key, Said>, HashSet<Key>), StoreError> {
    if keys.is_empty() {
        return Ok((HashMap::new(), HashSet::new()));
    }
    if let Some(said) = say_if_read(tx, kind, keys).await? {
        return Ok((said.into_iter().collect(), HashSet::new()));
    }
    let (mut said, mut unread) = (HashMap::new(), HashSet::new());
    for key in keys {
        match say_if_read(tx, kind, std::slice::from_ref(key)).await? {
            Some(one) => said.extend(one),
            None => drop(unread.insert(key.clone())),
        }
    }
    Ok((said, unread))
}

/// The same; none where one of them can't be read, be it that the database itself says so, after which the transaction would be over.
async fn say_if_read(tx: &mut Tx, kind: &'static Kind, keys: &[Key]) -> Result<Option<Vec<(Key, Said)>>, StoreError> {
    run!(tx, "SAVEPOINT said")?;
    match (kind.say)(tx, keys).await {
        Ok(said) => {
            run!(tx, "RELEASE SAVEPOINT said")?;
            Ok(Some(said))
        }
        Err(StoreError::Corrupt(_) | StoreError::Database(_)) => {
            run!(tx, "ROLLBACK TO SAVEPOINT said")?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

type Trails = HashMap<(i32, Key), Trail>;

/// The parts of one line, as they are read.
#[derive(Default)]
struct OfLine {
    line: Uuid,
    says: Option<String>,
    method: String,
    at_us: i64,
    parts: Vec<part::Part>,
    is_unread: bool,
}

async fn read(tx: &mut Tx, kinds: &[&'static Kind], share: Share, faults: &mut Vec<Fault>) -> Result<Trails, StoreError> {
    let mut trails = Trails::new();
    // By kind: the first position from which on nothing is believed, because that was ended or an act wrote something; the last at which
    // something was.
    let mut acted: HashMap<i32, i64> = HashMap::new();
    for (name, position) in store::ended(tx).await? {
        if let (Some(kind), Some(position)) = (kinds.iter().find(|kind| kind.name == name), position) {
            let first = acted.entry(kind.code).or_insert(position);
            *first = (*first).min(position);
        }
    }
    let mut believed: HashMap<i32, (i64, Uuid, i64)> = HashMap::new();
    let mut of_line = OfLine::default();
    let mut after = (Uuid::nil(), -1);
    loop {
        let kept = store::after(tx, after, PARTS).await?;
        let Some(last) = kept.last() else { break };
        after = (last.line, last.ordinal);
        for kept in kept {
            if kept.line != of_line.line {
                of_line.end(faults);
                of_line = OfLine { line: kept.line, says: kept.written, method: kept.method, at_us: kept.at_us, ..OfLine::default() };
            }
            // What is not sealed yet comes last.
            let position = kept.position.unwrap_or(i64::MAX);
            if of_line.method == before::METHOD {
                let last = believed.entry(kept.part.kind).or_insert((position, kept.line, kept.at_us));
                *last = (*last).max((position, kept.line, kept.at_us));
            } else {
                let first = acted.entry(kept.part.kind).or_insert(position);
                *first = (*first).min(position);
            }
            // What does not read was not written by the service: that is told with its line.
            let records = kept.part.decode();
            of_line.is_unread |= records.is_err();
            for record in records.unwrap_or_default().into_iter().filter(|record| share.holds(&record.key)) {
                trails.entry((kept.part.kind, record.key.clone())).or_default().take(record);
            }
            of_line.parts.push(kept.part);
        }
    }
    of_line.end(faults);
    let mut late: Vec<(i64, Uuid, i64)> =
        believed.into_iter().filter(|(kind, (position, ..))| acted.get(kind).is_some_and(|acted| acted < position)).map(|(_, late)| late).collect();
    late.sort_unstable();
    faults.extend(late.into_iter().map(|(_, line, at_us)| Fault::Believed { line, at_us }));
    Ok(trails)
}

impl OfLine {
    fn end(&self, faults: &mut Vec<Fault>) {
        if !self.parts.is_empty() && (self.is_unread || self.says.as_deref() != Some(&part::digest(&self.parts))) {
            faults.push(Fault::Written { line: self.line, at_us: self.at_us, method: self.method.clone() });
        }
    }
}
