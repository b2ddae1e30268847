//! SQL that counts the mirror, and what was compared.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::heads::Outcome;
use xuezhu_store::{StoreError, Tx, one, rows, run};

/// What enrollment counted at a school.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct CountRow {
    pub school: String,
    pub version: i64,
    pub recorded_at_us: i64,
    pub day: NaiveDate,
    pub history: Uuid,
    pub position: i64,
    pub records: i64,
    pub versions: i64,
    pub groups: String,
}

/// The last count of a school.
pub(super) async fn count(tx: &mut Tx, generation: i64, school: &str) -> Result<Option<CountRow>, StoreError> {
    one!(
        tx,
        CountRow,
        "SELECT school, version, recorded_at_us, day, history, position, records, versions, groups FROM mirror_head_counts WHERE generation = $1 AND school = $2",
        generation,
        school
    )
}

/// Schools of which there is a count of this history that was not compared yet and can be, by code.
pub(super) async fn uncompared(tx: &mut Tx, generation: i64, history: Option<Uuid>, heard_to: i64, limit: i64) -> Result<Vec<String>, StoreError> {
    let codes = rows!(
        tx,
        (String,),
        "SELECT m.school FROM mirror_head_counts m LEFT JOIN head_counts c ON c.school = m.school AND c.generation = m.generation AND c.version = m.version
         WHERE m.generation = $1 AND m.history = $4 AND m.position <= $2 AND c.school IS NULL ORDER BY m.school LIMIT $3",
        generation,
        heard_to,
        limit,
        history
    )?;
    Ok(codes.into_iter().map(|(code,)| code).collect())
}

/// Records of approved enrollments of a school that a generation holds, and their versions added up.
pub(super) async fn held(tx: &mut Tx, generation: i64, school: &str) -> Result<(i64, i64), StoreError> {
    let held = one!(
        tx,
        (i64, i64),
        "SELECT count(*), CAST(coalesce(sum(version), 0) AS bigint) FROM mirror_enrollments
         WHERE school = $1 AND generation = $2 AND person IS NOT NULL",
        school,
        generation
    )?;
    Ok(held.unwrap_or_default())
}

/// Who has a place at a school on a day, by day of entry, major and state.
pub(super) async fn counted(tx: &mut Tx, generation: i64, school: &str, day: NaiveDate) -> Result<Vec<(NaiveDate, String, i32, i64)>, StoreError> {
    rows!(
        tx,
        (NaiveDate, String, i32, i64),
        "SELECT e.entry_date, p.major, p.state, count(*) FROM mirror_enrollments e
         JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation AND p.from_date <= $3 AND (p.to_date IS NULL OR p.to_date > $3)
         WHERE e.school = $1 AND e.generation = $2 AND e.person IS NOT NULL AND (p.state = $4 OR p.state = $5)
         GROUP BY e.entry_date, p.major, p.state",
        school,
        generation,
        day,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code()
    )
}

/// How a count compared.
pub(super) async fn note(tx: &mut Tx, school: &str, generation: i64, version: i64, outcome: Outcome, at_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO head_counts (school, generation, version, outcome, compared_at_us) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (school) DO UPDATE SET generation = excluded.generation, version = excluded.version, outcome = excluded.outcome,
         compared_at_us = excluded.compared_at_us",
        school,
        generation,
        version,
        outcome.code(),
        at_us
    )?;
    Ok(())
}

/// How many schools compared how, last.
pub(super) async fn outcomes(tx: &mut Tx) -> Result<Vec<(i32, i64)>, StoreError> {
    rows!(tx, (i32, i64), "SELECT outcome, count(*) FROM head_counts GROUP BY outcome")
}
