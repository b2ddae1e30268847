//! SQL of marks.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_texts, bulk_uuids, rows, run, sql};

#[derive(Debug, Serialize)]
pub struct RejudgeRow {
    pub person_key: Hex,
    pub at_day: NaiveDate,
}

/// Notes when keys must be judged again by time alone; forgets what was noted before, and their marks. What is noted once too often is
/// judged once more, and then forgotten.
pub async fn settle_keys(tx: &mut Tx, keys: &[Uuid], noted: bool, rejudge: &[RejudgeRow]) -> Result<(), StoreError> {
    if noted || !rejudge.is_empty() {
        let keys = bulk_uuids(keys.iter().copied());
        run!(tx, sql!("DELETE FROM rejudge WHERE person_key" in_uuids 1), &keys)?;
        run!(tx, sql!("DELETE FROM marked_keys WHERE person_key" in_uuids 1), &keys)?;
    }
    if !rejudge.is_empty() {
        run!(
            tx,
            sql!("INSERT INTO rejudge (person_key, at_day) SELECT t.person_key, t.at_day FROM " table 1 (person_key uuid, at_day date) " WHERE true ON CONFLICT DO NOTHING"),
            bulk_rows(rejudge)
        )?;
    }
    Ok(())
}

/// Marks the keys of every person and enrollment that is in one generation and not, or otherwise, in the other, as far as both were told.
pub async fn mark_differences(tx: &mut Tx, old: i64, new: i64) -> Result<u64, StoreError> {
    let persons = run!(
        tx,
        "INSERT INTO marked_keys (person_key)
         SELECT DISTINCT k.person_key FROM mirror_person_keys k JOIN mirror_persons p ON p.generation = k.generation AND p.person = k.person
         WHERE k.generation IN ($1, $2) AND NOT EXISTS (
             SELECT 1 FROM mirror_person_keys ok JOIN mirror_persons op ON op.generation = ok.generation AND op.person = ok.person
             WHERE ok.generation = CASE WHEN k.generation = $1 THEN $2 ELSE $1 END AND ok.person_key = k.person_key AND op.digest = p.digest
               AND substr(op.later, 1, length(p.later)) = substr(p.later, 1, length(op.later)))
         ON CONFLICT DO NOTHING",
        old,
        new
    )?;
    let enrollments = run!(
        tx,
        "INSERT INTO marked_keys (person_key)
         SELECT DISTINCT coalesce(k.person_key, e.claim_key) FROM mirror_enrollments e
         LEFT JOIN mirror_person_keys k ON k.generation = e.generation AND k.person = e.person
         WHERE e.generation IN ($1, $2) AND NOT EXISTS (
             SELECT 1 FROM mirror_enrollments oe
             WHERE oe.generation = CASE WHEN e.generation = $1 THEN $2 ELSE $1 END AND oe.claim_key = e.claim_key AND oe.digest = e.digest
               AND substr(oe.later, 1, length(e.later)) = substr(e.later, 1, length(oe.later)))
         ON CONFLICT DO NOTHING",
        old,
        new
    )?;
    Ok(persons + enrollments)
}

/// Marks everybody whom these schools list, or have or had on their roll: by index, however many others there are.
pub async fn mark_schools(tx: &mut Tx, generation: i64, schools: &[String]) -> Result<u64, StoreError> {
    if schools.is_empty() {
        return Ok(0);
    }
    run!(
        tx,
        sql!(
            "INSERT INTO marked_keys (person_key)
             SELECT a.person_key FROM award_lists l JOIN award_entries a ON a.list = l.list WHERE a.state < 50 AND l.school" in_texts 1
            " UNION SELECT k.person_key FROM mirror_enrollments e JOIN mirror_person_keys k ON k.generation = e.generation AND k.person = e.person
             WHERE e.generation = $2 AND e.school" in_texts 1 " ON CONFLICT DO NOTHING"
        ),
        bulk_texts(schools),
        generation
    )
}

/// Entries of a list whose person is marked and not judged yet.
pub async fn marked_entries(tx: &mut Tx, list: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let marked = rows!(tx, (Uuid,), "SELECT a.entry FROM award_claims a JOIN marked_keys m ON m.person_key = a.person_key WHERE a.list = $1", list)?;
    Ok(marked.into_iter().map(|(entry,)| entry).collect())
}

/// Keys that are marked, at most so many.
pub async fn marked(tx: &mut Tx, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    Ok(rows!(tx, (Uuid,), "SELECT person_key FROM marked_keys LIMIT $1", limit)?.into_iter().map(|(key,)| key).collect())
}

/// Keys whose day has come.
pub async fn to_rejudge(tx: &mut Tx, today: NaiveDate) -> Result<Vec<Uuid>, StoreError> {
    Ok(rows!(tx, (Uuid,), "SELECT person_key FROM rejudge WHERE at_day <= $1", today)?.into_iter().map(|(key,)| key).collect())
}
