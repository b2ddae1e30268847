//! SQL of corrections.

use serde::Serialize;
use uuid::Uuid;
use xuezhu_judge::entry::State;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, rows, run, sql};

use super::rules::What;

/// What a dossier asks of an entry.
#[derive(Debug, Clone, Serialize)]
pub struct NewCorrection {
    pub entry: Hex,
    pub what: i32,
    pub months: String,
    pub fen: i64,
}

/// The same, with the entry.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CorrectionRow {
    pub dossier: Uuid,
    pub entry: Uuid,
    #[sqlx(try_from = "i32")]
    pub what: What,
    pub months: String,
    pub fen: i64,
    pub list: Uuid,
    pub person_key: Uuid,
    pub name: String,
    pub scheme: String,
    pub term: String,
    pub content_hash: Vec<u8>,
}

/// An entry that may be corrected.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ApprovedEntry {
    pub entry: Uuid,
    pub person_key: Uuid,
    pub name: String,
    pub scheme: String,
    pub term: String,
    pub content_hash: Vec<u8>,
}

pub async fn insert(tx: &mut Tx, dossier: Uuid, corrections: &[NewCorrection]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO award_corrections (dossier, entry, what, months, fen)
             SELECT $2, t.entry, t.what, t.months, t.fen FROM " table 1 (entry uuid, what integer, months text, fen bigint)
        ),
        bulk_rows(corrections),
        dossier
    )?;
    Ok(())
}

/// Entries of a school that are approved.
pub async fn approved(tx: &mut Tx, school: &str, entries: &[Uuid]) -> Result<Vec<ApprovedEntry>, StoreError> {
    rows!(
        tx,
        ApprovedEntry,
        sql!(
            "SELECT entry, person_key, name, scheme, term, content_hash FROM award_entries
             WHERE school = $2 AND state = $3 AND entry" in_uuids 1 " ORDER BY name, entry"
        ),
        bulk_uuids(entries.iter().copied()),
        school,
        State::Approved.code()
    )
}

/// What dossiers ask of which entries.
pub async fn of_dossiers(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<CorrectionRow>, StoreError> {
    rows!(
        tx,
        CorrectionRow,
        sql!(
            "SELECT c.dossier, c.entry, c.what, c.months, c.fen, a.list, a.person_key, a.name, a.scheme, a.term, a.content_hash
             FROM award_corrections c JOIN award_entries a ON a.entry = c.entry WHERE c.dossier" in_uuids 1 " ORDER BY c.dossier, a.name, c.entry"
        ),
        bulk_uuids(dossiers.iter().copied())
    )
}

/// What was ever asked of entries, in order of time.
pub async fn of_entries(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<CorrectionRow>, StoreError> {
    rows!(
        tx,
        CorrectionRow,
        sql!(
            "SELECT c.dossier, c.entry, c.what, c.months, c.fen, a.list, a.person_key, a.name, a.scheme, a.term, a.content_hash
             FROM award_corrections c JOIN award_entries a ON a.entry = c.entry WHERE c.entry" in_uuids 1 " ORDER BY c.entry, c.dossier"
        ),
        bulk_uuids(entries.iter().copied())
    )
}

/// Notes of entries whether corrections left anything of them.
pub async fn note_gone(tx: &mut Tx, entries: &[Uuid]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE award_entries SET gone = NOT EXISTS (SELECT 1 FROM award_units u WHERE u.entry = award_entries.entry AND u.standing < 60) WHERE entry" in_uuids 1),
        bulk_uuids(entries.iter().copied())
    )?;
    Ok(())
}

/// Those of these entries of which corrections left nothing.
pub async fn gone(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let gone = rows!(tx, (Uuid,), sql!("SELECT entry FROM award_entries WHERE gone AND entry" in_uuids 1), bulk_uuids(entries.iter().copied()))?;
    Ok(gone.into_iter().map(|(entry,)| entry).collect())
}
