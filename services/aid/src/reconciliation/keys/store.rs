//! SQL of keys, their locks, and what things are held against.

use serde::Serialize;
use uuid::Uuid;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, rows, run, sql};

#[derive(Debug, Serialize)]
struct SubjectRow {
    person: Hex,
    subject: Hex,
}

#[derive(Debug, Serialize)]
struct LockRow {
    person_key: Hex,
    subject: Hex,
}

/// Makes lock rows for keys that have none.
pub async fn know_keys(tx: &mut Tx, keys: &[(Uuid, Uuid)]) -> Result<(), StoreError> {
    let keys: Vec<LockRow> = keys.iter().map(|(key, subject)| LockRow { person_key: Hex(*key), subject: Hex(*subject) }).collect();
    run!(
        tx,
        sql!("INSERT INTO person_locks (person_key, subject) SELECT t.person_key, t.subject FROM " table 1 (person_key uuid, subject uuid) " WHERE true ORDER BY t.person_key ON CONFLICT DO NOTHING"),
        bulk_rows(&keys)
    )?;
    Ok(())
}

/// A key that is locked.
#[derive(Debug, sqlx::FromRow)]
pub struct LockedKey {
    pub person_key: Uuid,
    /// What is held against it.
    pub subject: Uuid,
    /// Whether it was noted that it is to be judged again.
    pub noted: bool,
}

/// Locks keys in sorted order; returns their subjects.
pub async fn lock_keys(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<LockedKey>, StoreError> {
    rows!(
        tx,
        LockedKey,
        sql!(
            "SELECT l.person_key, l.subject, EXISTS (SELECT 1 FROM rejudge r WHERE r.person_key = l.person_key)
                    OR EXISTS (SELECT 1 FROM marked_keys m WHERE m.person_key = l.person_key) AS noted
             FROM person_locks l WHERE l.person_key" in_uuids 1 " ORDER BY l.person_key" only(sqlite "", postgres " FOR UPDATE")
        ),
        bulk_uuids(keys.iter().copied())
    )
}

/// Subjects of persons who have one of their own.
pub async fn person_subjects(tx: &mut Tx, persons: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    rows!(tx, (Uuid, Uuid), sql!("SELECT person, subject FROM person_subjects WHERE person" in_uuids 1), bulk_uuids(persons.iter().copied()))
}

/// Which of these subjects some person has.
pub async fn used_subjects(tx: &mut Tx, subjects: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let used = rows!(tx, (Uuid,), sql!("SELECT subject FROM person_subjects WHERE subject" in_uuids 1), bulk_uuids(subjects.iter().copied()))?;
    Ok(used.into_iter().map(|(subject,)| subject).collect())
}

pub async fn keep_person_subjects(tx: &mut Tx, new: &[(Uuid, Uuid)]) -> Result<(), StoreError> {
    let new: Vec<SubjectRow> = new.iter().map(|(person, subject)| SubjectRow { person: Hex(*person), subject: Hex(*subject) }).collect();
    run!(tx, sql!("INSERT INTO person_subjects (person, subject) SELECT t.person, t.subject FROM " table 1 (person uuid, subject uuid)), bulk_rows(&new))?;
    Ok(())
}

/// Gives the persons of a fresh generation the subjects that the old one's persons of the same present keys have: a source
/// that was rebuilt has other ids, and what is held against a person must outlive them.
pub async fn carry_subjects(tx: &mut Tx, source: i16, old: i64, new: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE person_subjects SET person = moved.now FROM (
             SELECT b.person AS before, n.person AS now FROM mirror_person_keys b
             JOIN mirror_person_keys n ON n.person_key = b.person_key AND n.generation = $2 AND n.kind = 1
             WHERE b.generation = $1 AND b.kind = 1 AND n.person <> b.person
               AND NOT EXISTS (SELECT 1 FROM mirror_persons p WHERE p.person = b.person AND p.generation = $2)
               AND NOT EXISTS (SELECT 1 FROM person_subjects s WHERE s.person = n.person)) AS moved
         WHERE person_subjects.person = moved.before",
        old,
        new
    )?;
    // Whoever is gone has no subject any more. One that was a number's stays the number's, or is the next holder's; what was
    // held under one of their own goes to their number. Whose case then has it is judged, which closes it or goes on with it.
    run!(
        tx,
        "UPDATE flags SET person_subject = gone.number FROM (
             SELECT s.subject, l.subject AS number FROM person_subjects s
             JOIN mirror_person_keys k ON k.person = s.person AND k.generation = $1 AND k.kind = 1
             JOIN person_locks l ON l.person_key = k.person_key
             WHERE NOT EXISTS (SELECT 1 FROM mirror_persons p WHERE p.person = s.person AND p.generation = $2)
               AND NOT EXISTS (SELECT 1 FROM person_locks own WHERE own.subject = s.subject)) AS gone
         WHERE flags.person_subject = gone.subject AND flags.entry IS NULL",
        old,
        new
    )?;
    run!(
        tx,
        "DELETE FROM person_subjects
         WHERE NOT EXISTS (SELECT 1 FROM mirror_persons p WHERE p.person = person_subjects.person AND (p.generation = $1 OR p.source <> $2))",
        new,
        source
    )?;
    run!(
        tx,
        "INSERT INTO marked_keys (person_key)
         SELECT l.person_key FROM flags f JOIN person_locks l ON l.subject = f.person_subject
         WHERE f.entry IS NULL AND f.state < 50 AND NOT EXISTS (SELECT 1 FROM mirror_persons p WHERE p.person = f.person AND (p.generation = $1 OR p.source <> $2))
         UNION SELECT k.person_key FROM flags f JOIN person_subjects s ON s.subject = f.person_subject
         JOIN mirror_person_keys k ON k.person = s.person AND k.generation = $1 AND k.kind = 1
         WHERE f.entry IS NULL AND f.state < 50 AND NOT EXISTS (SELECT 1 FROM mirror_persons p WHERE p.person = f.person AND (p.generation = $1 OR p.source <> $2))
         ON CONFLICT DO NOTHING",
        new,
        source
    )?;
    Ok(())
}

/// Subjects of keys.
pub async fn subjects(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    rows!(tx, (Uuid, Uuid), sql!("SELECT person_key, subject FROM person_locks WHERE person_key" in_uuids 1), bulk_uuids(keys.iter().copied()))
}
