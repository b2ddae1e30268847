//! One import in one transaction: rows are compared with what is there, those that can be are written, a receipt is kept.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use prost::Message;
use uuid::Uuid;
use xuezhu_proto::common::{ImportReport, import_report::Stage};
use xuezhu_service::{Context, Error, Keyring, Reason, Refusal};
use xuezhu_store::{Bytes, Hex, Tx};
use xuezhu_workbook::Table;

use crate::{
    ROWS_WRITTEN,
    archive::{self, REPORT},
    check::{Checked, check},
    faults::{Fault, Spot},
    findings::{Findings, small},
    kind::{Act, At, Kind, Options, Placed, What},
    progress::Progress,
    store::{self, NewEffect, NewReceipt, State},
};

/// For what a preview's plan, and what stood before an import, are sealed.
pub(crate) const PLAN: &str = "plan";
pub(crate) const BEFORE: &str = "before";

/// What a preview said that each row would do, by where it stands: a hash of the act, of what is there and of what would be.
pub(crate) type Plan = HashMap<Spot, u64>;

/// A file, read and checked.
pub struct Prepared<K: Kind> {
    pub(crate) tables: Arc<Vec<Table>>,
    pub(crate) rules: K::Rules,
    pub(crate) checked: Checked<K::Row>,
}

/// A file that was sent, and how it is to be taken.
#[derive(Debug)]
pub struct Sent<K> {
    pub(crate) kind: K,
    pub(crate) keyring: Keyring,
    pub(crate) import: Uuid,
    pub(crate) preview: bool,
    pub(crate) all_or_nothing: bool,
    pub(crate) options: Options,
    pub(crate) file_name: String,
    pub(crate) content_hash: [u8; 32],
    pub(crate) file_sealed: Vec<u8>,
    /// The preview that is written, and what it said; one of before said nothing.
    pub(crate) previewed: Option<(Uuid, Option<Plan>)>,
    /// Whether its receipt stands already: it runs by itself.
    pub(crate) begun: bool,
    pub(crate) progress: Arc<Progress>,
}

impl<K: Kind> Sent<K> {
    /// Its receipt, while it runs.
    pub(crate) async fn begin(&self, ctx: &Context, tx: &mut Tx) -> Result<(), Error> {
        let of = self.kind.of();
        let new = NewReceipt {
            import: self.import,
            kind: K::ABOUT.code,
            school: &of.school,
            subject: of.subject,
            state: State::Running,
            content_hash: &self.content_hash,
            preview: self.preview,
            of_preview: self.previewed.as_ref().map(|(preview, _)| *preview),
            file_name: &self.file_name,
        };
        store::insert(ctx, tx, &new).await?;
        Ok(store::insert_file(ctx, tx, self.import, &self.file_sealed).await?)
    }

    /// What its report says whatever became of it.
    pub(crate) fn report(&self) -> ImportReport {
        let Options { include_hidden, blank_clears } = self.options;
        ImportReport { import_id: self.import.to_string(), preview: self.preview, include_hidden, blank_clears, ..ImportReport::default() }
    }
}

/// Waits for whoever writes what may be met here, and goes before whoever comes later: files, and what is written by hand beside them.
pub async fn take_turn<K: Kind>(tx: &mut Tx, kind: &K) -> Result<(), Error> {
    Ok(store::take_turn(tx, K::ABOUT.code, &kind.turn()).await?)
}

/// An import, ready for its transaction.
pub struct Job<K: Kind> {
    pub(crate) sent: Sent<K>,
    /// What was refused before the transaction is refused within it: a repetition of what was done hears what was done.
    pub(crate) prepared: Result<Prepared<K>, Refusal>,
}

/// Imports a file, or tells what that would do.
pub async fn run<K: Kind>(ctx: &Context, tx: &mut Tx, job: &Job<K>) -> Result<ImportReport, Error> {
    let (sent, kind) = (&job.sent, &job.sent.kind);
    kind.may(ctx, tx, Act::Enter).await?;
    let prepared = job.prepared.as_ref().map_err(Clone::clone)?;
    if !sent.preview {
        take_turn(tx, kind).await?;
    }
    if !sent.begun {
        sent.begin(ctx, tx).await?;
    }
    let rules = kind.rules(ctx, tx).await?;
    let again;
    // What rows are checked against may have changed since.
    let checked = if rules == prepared.rules {
        &prepared.checked
    } else {
        again = tokio::task::block_in_place(|| check(kind, &rules, &prepared.tables, sent.options, &sent.progress))?;
        &again
    };
    let (rows, placed, found) = place_foreseen(ctx, tx, sent, &rules, checked).await?;
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    let mut unchanged = 0;
    for Placed { at, what } in &placed {
        let At { spot, row } = rows[*at];
        match what {
            What::New { item } => new.push(Writing { item: *item, spot: *spot, row, before: None }),
            What::Changed { item, before, row: kept, .. } => {
                changed.push(Writing { item: *item, spot: *spot, row: kept.as_ref().unwrap_or(row), before: Some(before) });
            }
            What::Unchanged => unchanged += 1,
        }
    }
    let nothing = sent.preview || (sent.all_or_nothing && found.faulty() > 0);
    let told = new.len() + changed.len() + unchanged + found.faulty();
    if told != found.data() {
        return Err(Error::Internal(format!("{told} rows are told of {}", found.data())));
    }
    let mut report = found.report(new.len(), changed.len(), unchanged);
    if nothing {
        if !sent.preview {
            (report.rows_new, report.rows_changed) = (0, 0);
        }
    } else {
        write(ctx, tx, sent, &rules, &new, &changed).await?;
        report.rows_returnable = small(new.len() + changed.len());
    }
    report.sheets = prepared.tables.iter().map(|table| table.sheet.clone()).collect();
    let plan = sent.preview.then(|| plan_of::<K>(&placed, &rows));
    receipt(tx, sent, report, plan).await
}

/// A row that is written.
struct Writing<'w, R> {
    item: Uuid,
    spot: Spot,
    row: &'w R,
    before: Option<&'w Vec<u8>>,
}

async fn write<K: Kind>(
    ctx: &Context,
    tx: &mut Tx,
    sent: &Sent<K>,
    rules: &K::Rules,
    new: &[Writing<'_, K::Row>],
    changed: &[Writing<'_, K::Row>],
) -> Result<(), Error> {
    sent.progress.begin(Stage::Writing, new.len() + changed.len());
    for some in new.chunks(ROWS_WRITTEN) {
        let rows: Vec<(Uuid, &K::Row)> = some.iter().map(|writing| (writing.item, writing.row)).collect();
        sent.kind.write(ctx, tx, rules, &rows, &[]).await?;
        keep_effects(ctx, tx, sent, some).await?;
        sent.progress.add(some.len());
    }
    for some in changed.chunks(ROWS_WRITTEN) {
        let rows: Vec<(Uuid, &K::Row)> = some.iter().map(|writing| (writing.item, writing.row)).collect();
        sent.kind.write(ctx, tx, rules, &[], &rows).await?;
        keep_effects(ctx, tx, sent, some).await?;
        sent.progress.add(some.len());
    }
    Ok(())
}

/// Keeps what the import did, so that it can be taken back.
async fn keep_effects<K: Kind>(ctx: &Context, tx: &mut Tx, sent: &Sent<K>, written: &[Writing<'_, K::Row>]) -> Result<(), Error> {
    let effects: Vec<NewEffect> = (written.iter())
        .map(|writing| NewEffect {
            item: Hex(writing.item),
            table_number: small(writing.spot.table),
            row_number: i32::try_from(writing.spot.row).unwrap_or(i32::MAX),
            content_hash: Bytes(K::content(writing.row).to_vec()),
            before_sealed: writing.before.map(|before| Bytes(sent.keyring.seal(BEFORE, &[sent.import, writing.item], before))),
        })
        .collect();
    Ok(store::insert_effects(ctx, tx, sent.import, &effects).await?)
}

/// Rows, what each does, and what was found.
type Foreseen<'r, R> = (Vec<&'r At<R>>, Vec<Placed<R>>, Findings);

/// Says what each row does. Where a preview is written, what would be done and was not previewed so stays out: only what somebody looked at
/// is written. A file is one set: without some of its rows the others may do something else, which was not previewed either.
async fn place_foreseen<'r, K: Kind>(
    ctx: &Context,
    tx: &mut Tx,
    sent: &Sent<K>,
    rules: &K::Rules,
    checked: &'r Checked<K::Row>,
) -> Result<Foreseen<'r, K::Row>, Error> {
    let (mut rows, mut left_out): (Vec<&At<K::Row>>, HashSet<Spot>) = (checked.rows.iter().collect(), HashSet::new());
    loop {
        sent.progress.begin(Stage::Comparing, rows.len());
        let mut found = checked.found.clone();
        for spot in &left_out {
            let why = "预览之后该生的记录或本校的设置有变化，本行没有写入；请重新上传并预览";
            found.fault(*spot, &Fault::new("", "", "CHANGED_SINCE_PREVIEW", why));
        }
        let placed = sent.kind.place(ctx, tx, rules, &rows, sent.options, &mut found).await?;
        let Some((_, Some(plan))) = &sent.previewed else { return Ok((rows, placed, found)) };
        let is_foreseen =
            |placed: &&Placed<K::Row>| matches!(placed.what, What::Unchanged) || plan.get(&rows[placed.at].spot) == Some(&mark::<K>(placed, &rows));
        let more: HashSet<Spot> = placed.iter().filter(|placed| !is_foreseen(placed)).map(|placed| rows[placed.at].spot).collect();
        if more.is_empty() {
            return Ok((rows, placed, found));
        }
        rows.retain(|row| !more.contains(&row.spot));
        left_out.extend(more);
    }
}

fn plan_of<K: Kind>(placed: &[Placed<K::Row>], rows: &[&At<K::Row>]) -> Plan {
    (placed.iter()).filter(|placed| !matches!(placed.what, What::Unchanged)).map(|placed| (rows[placed.at].spot, mark::<K>(placed, rows))).collect()
}

/// A hash of what a row does.
fn mark<K: Kind>(placed: &Placed<K::Row>, rows: &[&At<K::Row>]) -> u64 {
    let row = &rows[placed.at].row;
    let mut hasher = blake3::Hasher::new();
    match &placed.what {
        What::New { .. } => hasher.update(b"new").update(&K::content(row)),
        What::Changed { item, base, row: kept, .. } => {
            hasher.update(b"changed").update(item.as_bytes()).update(base).update(&K::content(kept.as_ref().unwrap_or(row)))
        }
        What::Unchanged => hasher.update(b"unchanged"),
    };
    let mut mark = [0; 8];
    hasher.finalize_xof().fill(&mut mark);
    u64::from_le_bytes(mark)
}

async fn receipt<K: Kind>(tx: &mut Tx, sent: &Sent<K>, counted: ImportReport, plan: Option<Plan>) -> Result<ImportReport, Error> {
    let ImportReport { import_id, preview, include_hidden, blank_clears, .. } = sent.report();
    let mut report = ImportReport { import_id, preview, include_hidden, blank_clears, ..counted };
    let sealed = sent.keyring.seal(REPORT, &[sent.import], &report.encode_to_vec());
    if let Some(plan) = plan {
        store::keep_plan(tx, sent.import, &sent.keyring.seal(PLAN, &[sent.import], &plan_bytes(&plan))).await?;
    }
    if !store::end(tx, sent.import, State::Done, &sealed).await? {
        return Err(Refusal::new(Reason::Conflict, "这次导入已被中止，什么也没有写入；请重新上传").into());
    }
    let receipt = archive::receipt(tx, &sent.kind, sent.import).await?;
    archive::envelope(&receipt, &mut report);
    Ok(report)
}

/// Bytes of a plan: table, row and mark of each row.
fn plan_bytes(plan: &Plan) -> Vec<u8> {
    let mut rows: Vec<(&Spot, &u64)> = plan.iter().collect();
    rows.sort_unstable();
    let bytes = |(spot, mark): (&Spot, &u64)| {
        let table = u32::try_from(spot.table).unwrap_or(u32::MAX).to_le_bytes();
        [&table[..], &spot.row.to_le_bytes()[..], &mark.to_le_bytes()[..]].concat()
    };
    rows.into_iter().flat_map(bytes).collect()
}

/// The plan of these bytes.
pub(crate) fn plan_from(bytes: &[u8]) -> Option<Plan> {
    let number = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.try_into().ok()?));
    let row = |bytes: &[u8]| {
        let spot = Spot { table: usize::try_from(number(&bytes[..4])?).ok()?, row: number(&bytes[4..8])? };
        Some((spot, u64::from_le_bytes(bytes[8..].try_into().ok()?)))
    };
    if bytes.len().is_multiple_of(16) { bytes.chunks_exact(16).map(row).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let plan: Plan = [((0, 4), 7), ((1, 20_003), u64::MAX)].into_iter().map(|((table, row), mark)| (Spot { table, row }, mark)).collect();
        assert_eq!(plan_from(&plan_bytes(&plan)), Some(plan));
        assert_eq!(plan_from(&[]), Some(Plan::new()));
        assert_eq!(plan_from(&[0; 15]), None);
    }
}
