//! SQL of conversions.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_judge::{case::Rule, entry::State, life::Step};
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_texts, bulk_uuids, one, rows, run, sql};

use crate::register::{About, BeforeStep};

/// An entry's sealed columns, and what was written about it.
#[derive(Debug, sqlx::FromRow)]
pub struct EntryRow {
    pub entry: Uuid,
    pub id_sealed: Vec<u8>,
    pub card_sealed: Option<Vec<u8>>,
    pub remark: String,
    pub sent_back_reason: String,
}

/// What an entry covers, and when it was recorded.
#[derive(Debug, sqlx::FromRow)]
pub struct RecordedRow {
    pub entry: Uuid,
    pub recorded_at_us: i64,
    pub person_key: Uuid,
    pub scheme: String,
    pub term: String,
    pub months: String,
    pub amount_fen: i64,
    #[sqlx(try_from = "i32")]
    pub state: State,
}

/// An entry's columns, as it is stored now.
#[derive(Debug, Serialize)]
pub struct Converted {
    pub entry: Hex,
    pub id_sealed: Bytes,
    pub card_sealed: Option<Bytes>,
    pub remark: String,
    pub sent_back_reason: String,
}

pub async fn has_rows(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM award_lists UNION ALL SELECT 1 FROM mirror_schools LIMIT 1")?.is_some())
}

/// A row by which keys are proven.
pub async fn sample(tx: &mut Tx) -> Result<Option<(Uuid, Uuid, String, Vec<u8>)>, StoreError> {
    one!(tx, (Uuid, Uuid, String, Vec<u8>), "SELECT entry, person_key, id_document, id_sealed FROM award_entries WHERE length(id_sealed) > 0 LIMIT 1")
}

pub async fn entries(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<EntryRow>, StoreError> {
    rows!(
        tx,
        EntryRow,
        "SELECT entry, id_sealed, card_sealed, remark, sent_back_reason FROM award_entries WHERE entry > $1 ORDER BY entry LIMIT $2",
        after,
        limit
    )
}

pub async fn set_entries(tx: &mut Tx, converted: &[Converted]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE award_entries SET id_sealed = t.id_sealed, card_sealed = t.card_sealed, remark = t.remark, sent_back_reason = t.sent_back_reason,
             id_masked = '', card_tail = ''
             FROM " table 1 (entry uuid, id_sealed bytea, card_sealed bytea, remark text, sent_back_reason text) " WHERE award_entries.entry = t.entry"
        ),
        bulk_rows(converted)
    )?;
    Ok(())
}

pub async fn flags(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    Ok(rows!(tx, (Uuid,), "SELECT flag FROM flags WHERE flag > $1 ORDER BY flag LIMIT $2", after, limit)?.into_iter().map(|(flag,)| flag).collect())
}

pub async fn enrollments(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(tx, (Uuid,), "SELECT DISTINCT enrollment FROM mirror_periods WHERE enrollment > $1 ORDER BY enrollment LIMIT $2", after, limit)?;
    Ok(found.into_iter().map(|(enrollment,)| enrollment).collect())
}

pub async fn class_names(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, String),
        sql!("SELECT DISTINCT enrollment, class_name FROM mirror_periods WHERE enrollment" in_uuids 1),
        bulk_uuids(enrollments.iter().copied())
    )
}

pub async fn set_class_name(tx: &mut Tx, enrollment: Uuid, before: &str, class_name: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE mirror_periods SET class_name = $3 WHERE enrollment = $1 AND class_name = $2", enrollment, before, class_name)?;
    Ok(())
}

pub async fn evidence(tx: &mut Tx, flags: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(tx, (Uuid, String), sql!("SELECT flag, evidence FROM flags WHERE flag" in_uuids 1), bulk_uuids(flags.iter().copied()))
}

pub async fn set_evidence(tx: &mut Tx, flag: Uuid, evidence: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE flags SET evidence = $2 WHERE flag = $1", flag, evidence)?;
    Ok(())
}

pub async fn step_evidence(tx: &mut Tx, flags: &[Uuid]) -> Result<Vec<(Uuid, i32, String)>, StoreError> {
    rows!(tx, (Uuid, i32, String), sql!("SELECT flag, ordinal, evidence FROM flag_steps WHERE flag" in_uuids 1), bulk_uuids(flags.iter().copied()))
}

pub async fn set_step_evidence(tx: &mut Tx, flag: Uuid, ordinal: i32, evidence: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE flag_steps SET evidence = $3 WHERE flag = $1 AND ordinal = $2", flag, ordinal, evidence)?;
    Ok(())
}

pub async fn step_details(tx: &mut Tx, flags: &[Uuid]) -> Result<Vec<(Uuid, i32, String)>, StoreError> {
    rows!(tx, (Uuid, i32, String), sql!("SELECT flag, ordinal, detail FROM flag_steps WHERE flag" in_uuids 1), bulk_uuids(flags.iter().copied()))
}

pub async fn set_step_detail(tx: &mut Tx, flag: Uuid, ordinal: i32, detail: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE flag_steps SET detail = $3 WHERE flag = $1 AND ordinal = $2", flag, ordinal, detail)?;
    Ok(())
}

pub async fn imports(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), "SELECT import, report FROM imports WHERE import > $1 ORDER BY import LIMIT $2", after, limit)
}

pub async fn set_import(tx: &mut Tx, import: Uuid, report: &[u8]) -> Result<(), StoreError> {
    run!(tx, "UPDATE imports SET report = $2 WHERE import = $1", import, report)?;
    Ok(())
}

/// Entries by when they were recorded.
pub async fn recorded(tx: &mut Tx, after: (i64, Uuid), limit: i64) -> Result<Vec<RecordedRow>, StoreError> {
    rows!(
        tx,
        RecordedRow,
        "SELECT entry, recorded_at_us, person_key, scheme, term, months, amount_fen, state FROM award_entries
         WHERE (recorded_at_us, entry) > ($1, $2) ORDER BY recorded_at_us, entry LIMIT $3",
        after.0,
        after.1,
        limit
    )
}

/// A flag that somebody confirmed.
#[derive(Debug, sqlx::FromRow)]
pub struct ConfirmedRow {
    pub flag: Uuid,
    #[sqlx(try_from = "i32")]
    pub rule: Rule,
    pub entry: Option<Uuid>,
    pub list: Option<Uuid>,
    pub person: Option<Uuid>,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub name: String,
    pub months: String,
    pub amount_fen: i64,
    pub evidence: String,
}

impl From<ConfirmedRow> for About {
    fn from(row: ConfirmedRow) -> Self {
        let ConfirmedRow { flag, rule, entry, list, person, school, scheme, term, name, months, amount_fen, evidence } = row;
        Self { flag, rule, entry, list, person, school, scheme, term, name, months, amount_fen, evidence }
    }
}

/// A step in a flag's life, whole.
#[derive(Debug, sqlx::FromRow)]
pub struct LifeRow {
    pub flag: Uuid,
    pub at_us: i64,
    pub civil_day: NaiveDate,
    pub actor: String,
    pub actor_name: String,
    #[sqlx(try_from = "i32")]
    pub act: Step,
    pub detail: String,
    pub evidence: String,
}

impl From<LifeRow> for BeforeStep {
    fn from(row: LifeRow) -> Self {
        let LifeRow { flag: _, at_us, civil_day, actor, actor_name, act, detail, evidence } = row;
        let is_of_new_evidence = matches!(act, Step::Opened | Step::EvidenceChanged | Step::Reopened);
        Self { event: act.heard(), is_of_new_evidence, at_us, civil_day, actor, actor_name, detail, evidence }
    }
}

/// Flags that were confirmed and have no case.
pub async fn confirmed_flags(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<ConfirmedRow>, StoreError> {
    rows!(
        tx,
        ConfirmedRow,
        "SELECT f.flag, f.rule, f.entry, f.list, f.person, f.school, f.scheme, f.term, f.name, f.months, f.amount_fen, f.evidence FROM flags f
         WHERE f.flag > $1 AND NOT f.registered AND EXISTS (SELECT 1 FROM flag_steps p WHERE p.flag = f.flag AND p.act = $3)
         ORDER BY f.flag LIMIT $2",
        after,
        limit,
        Step::Confirmed.code()
    )
}

pub async fn lives(tx: &mut Tx, flags: &[Uuid]) -> Result<Vec<LifeRow>, StoreError> {
    rows!(
        tx,
        LifeRow,
        sql!("SELECT flag, at_us, civil_day, actor, actor_name, act, detail, evidence FROM flag_steps WHERE flag" in_uuids 1 " ORDER BY flag, ordinal"),
        bulk_uuids(flags.iter().copied())
    )
}

pub async fn note_registered(tx: &mut Tx, flags: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("UPDATE flags SET registered = $2 WHERE flag" in_uuids 1), bulk_uuids(flags.iter().copied()), true)?;
    Ok(())
}

/// A list of before, with who did what as its columns told.
#[derive(Debug, sqlx::FromRow)]
pub struct ListRow {
    pub list: Uuid,
    pub school: String,
    pub authority: String,
    pub submitted_by: String,
    pub submitted_by_name: String,
    pub submitted_day: Option<NaiveDate>,
    pub attested_by_name: String,
    pub attested_digest: String,
    pub attested_day: Option<NaiveDate>,
    pub approved_by_name: String,
    pub created_at_us: i64,
}

/// An entry that was submitted, as its line of the sheet.
#[derive(Debug, sqlx::FromRow)]
pub struct LineRow {
    pub list: Uuid,
    pub entry: Uuid,
    pub name: String,
    pub months: String,
    pub tier: String,
    pub amount_fen: i64,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub content_hash: Vec<u8>,
}

pub async fn lists(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<ListRow>, StoreError> {
    rows!(
        tx,
        ListRow,
        // Of a school that the present generation doesn't name the last one that did counts.
        "SELECT l.list, l.school,
                coalesce((SELECT s.authority FROM mirror_schools s WHERE s.school = l.school
                          ORDER BY CASE WHEN s.generation = (SELECT generation FROM mirror_state) THEN 0 ELSE 1 END, s.generation DESC LIMIT 1), '') AS authority,
                l.submitted_by, l.submitted_by_name, l.submitted_day, l.attested_by_name,
                l.attested_digest, l.attested_day, l.approved_by_name, l.created_at_us
         FROM award_lists l WHERE l.list > $1 ORDER BY l.list LIMIT $2",
        after,
        limit
    )
}

/// What was submitted of lists.
pub async fn lines(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<LineRow>, StoreError> {
    rows!(
        tx,
        LineRow,
        sql!(
            "SELECT list, entry, name, months, tier, amount_fen, state, content_hash FROM award_entries
             WHERE state > 10 AND state < 50 AND list" in_uuids 1 " ORDER BY list, name, entry"
        ),
        bulk_uuids(lists.iter().copied())
    )
}

/// Who attested lists since an instant, in order of time: list as it was asked for, account, when.
pub async fn attesters(tx: &mut Tx, lists: &[Uuid], since_us: i64) -> Result<Vec<(String, String, i64)>, StoreError> {
    let written: Vec<String> = lists.iter().map(|list| list.simple().to_string()).collect();
    rows!(
        tx,
        (String, String, i64),
        sql!(
            "SELECT resource, actor, at_us FROM audit
             WHERE at_us >= $4 AND method = $2 AND outcome = $3 AND lower(replace(resource, '-', ''))" in_texts 1 " ORDER BY at_us, id"
        ),
        bulk_texts(&written),
        "AttestAwardList",
        "DONE",
        since_us
    )
}

/// Entries wait at the principal again.
pub async fn submitted_again(tx: &mut Tx, entries: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("UPDATE award_entries SET state = $2 WHERE entry" in_uuids 1), bulk_uuids(entries.iter().copied()), State::Submitted.code())?;
    Ok(())
}

/// Entries that name a card, by their ids.
pub async fn cards(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(
        tx,
        (Uuid, Vec<u8>),
        "SELECT entry, card_sealed FROM award_entries WHERE card_sealed IS NOT NULL AND entry > $1 ORDER BY entry LIMIT $2",
        after,
        limit
    )
}

/// By what a card is found.
#[derive(Debug, Serialize)]
pub struct Card {
    pub entry: Hex,
    pub key: Hex,
    pub kind: i32,
}

pub async fn set_cards(tx: &mut Tx, cards: &[Card]) -> Result<(), StoreError> {
    if cards.is_empty() {
        return Ok(());
    }
    run!(
        tx,
        sql!(
            "UPDATE award_entries SET card_key = t.key, card_kind = t.kind
             FROM " table 1 (entry uuid, key uuid, kind integer) " WHERE award_entries.entry = t.entry"
        ),
        bulk_rows(cards)
    )?;
    Ok(())
}
