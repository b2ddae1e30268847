//! SQL that counts the roll.

use chrono::NaiveDate;
use serde::Serialize;
use xuezhu_bridge::Kind;
use xuezhu_domain::enrollment::State;
use xuezhu_store::{StoreError, Tx, bulk_rows, bulk_texts, one, rows, run, sql};

/// Students of a school who entered on a day, by major and state.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct CountedRow {
    pub school: String,
    pub entry_date: NaiveDate,
    pub major: String,
    pub state: i32,
    pub students: i64,
}

/// Who has a place at these schools on a day.
pub(super) async fn counted(tx: &mut Tx, schools: &[&str], day: NaiveDate) -> Result<Vec<CountedRow>, StoreError> {
    rows!(
        tx,
        CountedRow,
        sql!(
            "SELECT e.school, e.entry_date, coalesce(p.major, '') AS major, p.state, count(*) AS students FROM enrollments e
             JOIN periods p ON p.enrollment = e.enrollment AND p.until_version IS NULL AND p.from_date <= $2 AND (p.to_date IS NULL OR p.to_date > $2)
             WHERE e.school" in_texts 1 " AND e.person IS NOT NULL AND (p.state = $3 OR p.state = $4)
             GROUP BY e.school, e.entry_date, coalesce(p.major, ''), p.state"
        ),
        bulk_texts(schools),
        day,
        State::InSchool.code(),
        State::OnLeave.code()
    )
}

/// What was shared of these schools' approved enrollments, which nobody deletes: how many records, and their versions added up.
pub(super) async fn shared(tx: &mut Tx, schools: &[&str]) -> Result<Vec<(String, i64, i64)>, StoreError> {
    rows!(
        tx,
        (String, i64, i64),
        sql!(
            "SELECT e.school, count(*), CAST(sum(s.version) AS bigint) FROM enrollments e JOIN shared_records s ON s.kind = $2 AND s.record = e.enrollment
             WHERE e.person IS NOT NULL AND e.school" in_texts 1 " GROUP BY e.school"
        ),
        bulk_texts(schools),
        Kind::Enrollment as i32
    )
}

/// Those of these schools of which a change waits for its position.
pub(super) async fn waiting(tx: &mut Tx, schools: &[&str]) -> Result<Vec<String>, StoreError> {
    let waiting = rows!(
        tx,
        (String,),
        sql!(
            "SELECT DISTINCT e.school FROM change_log c JOIN enrollments e ON e.enrollment = c.record WHERE c.position IS NULL AND c.kind = $2 AND e.school"
            in_texts 1
        ),
        bulk_texts(schools),
        Kind::Enrollment as i32
    )?;
    Ok(waiting.into_iter().map(|(school,)| school).collect())
}

/// Regions of these schools.
pub(super) async fn regions(tx: &mut Tx, schools: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    rows!(tx, (String, String), sql!("SELECT code, region FROM schools WHERE code" in_texts 1), bulk_texts(schools))
}

/// Schools that were not counted for a day yet, by code.
pub(super) async fn uncounted(tx: &mut Tx, day: NaiveDate, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    let codes = rows!(
        tx,
        (String,),
        "SELECT s.code FROM schools s WHERE s.code > $2 AND NOT EXISTS (SELECT 1 FROM head_counts c WHERE c.school = s.code AND c.day >= $1)
         ORDER BY s.code LIMIT $3",
        day,
        after,
        limit
    )?;
    Ok(codes.into_iter().map(|(code,)| code).collect())
}

/// That a school was counted.
#[derive(Debug, Serialize)]
pub(super) struct NewCount {
    pub school: String,
    pub position: i64,
}

/// Notes counts, and locks the schools' rows until the transaction ends; returns the schools of which no later count is noted already.
pub(super) async fn note(tx: &mut Tx, counts: &[NewCount], day: NaiveDate) -> Result<Vec<String>, StoreError> {
    let noted = rows!(
        tx,
        (String,),
        sql!(
            "INSERT INTO head_counts (school, day, position)
             SELECT t.school, $2, t.position FROM " table 1 (school text, position bigint) " WHERE true
             ON CONFLICT (school) DO UPDATE SET day = excluded.day, position = excluded.position WHERE excluded.position >= head_counts.position
             RETURNING school"
        ),
        bulk_rows(counts),
        day
    )?;
    Ok(noted.into_iter().map(|(school,)| school).collect())
}

/// Through which day all were counted.
pub(super) async fn counted_through(tx: &mut Tx) -> Result<Option<NaiveDate>, StoreError> {
    Ok(one!(tx, (NaiveDate,), "SELECT day FROM head_count_rounds")?.map(|(day,)| day))
}

pub(super) async fn note_round(tx: &mut Tx, day: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO head_count_rounds (only_row, day) VALUES (1, $1) ON CONFLICT (only_row) DO UPDATE SET day = excluded.day", day)?;
    Ok(())
}
