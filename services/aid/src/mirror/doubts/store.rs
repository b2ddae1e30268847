//! SQL of what two generations say otherwise.

use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, rows};

/// A record of one generation that another does not hold as it is. Both are compared in the fields of the formats in which both were
/// told, here as at a switch: what only one was told says nothing about the other.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct DoubtRow {
    pub record: Uuid,
    pub change: Option<Uuid>,
    pub recorded_at_us: i64,
    pub version: i64,
    pub version_now: Option<i64>,
    /// Whether the other generation says the same, under whatever id and version.
    pub said: bool,
}

/// Persons of one generation whom the other does not hold as they are.
pub(super) async fn persons_in_doubt(tx: &mut Tx, old: i64, new: i64) -> Result<Vec<DoubtRow>, StoreError> {
    rows!(
        tx,
        DoubtRow,
        "SELECT p.person AS record, p.change, p.recorded_at_us, p.version, n.version AS version_now,
                (coalesce(n.digest = p.digest AND substr(n.later, 1, length(p.later)) = substr(p.later, 1, length(n.later)), false) OR EXISTS (
                    SELECT 1 FROM mirror_person_keys k JOIN mirror_person_keys o ON o.person_key = k.person_key AND o.generation = $2
                    JOIN mirror_persons s ON s.person = o.person AND s.generation = $2
                    WHERE k.person = p.person AND k.generation = $1 AND s.digest = p.digest
                      AND substr(s.later, 1, length(p.later)) = substr(p.later, 1, length(s.later)))) AS said
         FROM mirror_persons p LEFT JOIN mirror_persons n ON n.person = p.person AND n.generation = $2
         WHERE p.generation = $1 AND (n.person IS NULL OR n.change IS NULL OR p.change IS NULL OR n.change <> p.change)",
        old,
        new
    )
}

/// Enrollments of one generation that the other does not hold as they are.
pub(super) async fn enrollments_in_doubt(tx: &mut Tx, old: i64, new: i64) -> Result<Vec<DoubtRow>, StoreError> {
    rows!(
        tx,
        DoubtRow,
        "SELECT e.enrollment AS record, e.change, e.recorded_at_us, e.version, n.version AS version_now,
                (coalesce(n.digest = e.digest AND substr(n.later, 1, length(e.later)) = substr(e.later, 1, length(n.later)), false) OR EXISTS (
                    SELECT 1 FROM mirror_enrollments s WHERE s.claim_key = e.claim_key AND s.generation = $2 AND s.story = e.story
                      AND substr(s.later, 1, length(e.later)) = substr(e.later, 1, length(s.later)))) AS said
         FROM mirror_enrollments e LEFT JOIN mirror_enrollments n ON n.enrollment = e.enrollment AND n.generation = $2
         WHERE e.generation = $1 AND (n.enrollment IS NULL OR n.change IS NULL OR e.change IS NULL OR n.change <> e.change)",
        old,
        new
    )
}

/// Schools of one generation that the other does not hold as they are: code beside what a doubt says.
pub(super) async fn schools_in_doubt(tx: &mut Tx, old: i64, new: i64) -> Result<Vec<(String, Option<Uuid>, i64, i64, Option<i64>, bool)>, StoreError> {
    rows!(
        tx,
        (String, Option<Uuid>, i64, i64, Option<i64>, bool),
        "SELECT s.school, s.change, s.recorded_at_us, s.version, n.version,
                coalesce(n.name = s.name AND n.kind = s.kind AND n.authority = s.authority AND n.region = s.region AND n.state = s.state, false)
         FROM mirror_schools s LEFT JOIN mirror_schools n ON n.school = s.school AND n.generation = $2
         WHERE s.generation = $1 AND (n.school IS NULL OR n.change IS NULL OR s.change IS NULL OR n.change <> s.change)",
        old,
        new
    )
}
