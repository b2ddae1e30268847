//! SQL of statements.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::case::StatementKind;
use xuezhu_service::Context;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use super::rules::{Signer, State};

/// A student on the roll of a school.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StudentRow {
    pub person: Uuid,
    pub class_name: String,
    pub major: String,
    pub name: String,
    pub name_comparable: String,
    pub person_key: Uuid,
    pub birth_date: NaiveDate,
}

/// Who is or was on the roll of a school from one day until before another: each as last, first those who were there last.
pub async fn roll(tx: &mut Tx, generation: i64, school: &str, [from, until]: [NaiveDate; 2]) -> Result<Vec<StudentRow>, StoreError> {
    rows!(
        tx,
        StudentRow,
        "SELECT e.person, p.class_name, p.major, n.name, n.name_comparable, k.person_key, b.birth_date FROM mirror_enrollments e
         JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation AND p.from_date < $4 AND (p.to_date IS NULL OR p.to_date > $3)
              AND (p.state = $5 OR p.state = $6)
         JOIN mirror_persons b ON b.person = e.person AND b.generation = e.generation
         JOIN mirror_person_keys k ON k.person = e.person AND k.generation = e.generation AND k.end_recorded IS NULL
         JOIN mirror_person_names n ON n.person = e.person AND n.generation = e.generation AND n.end_recorded IS NULL
         WHERE e.school = $2 AND e.generation = $1 AND e.person IS NOT NULL
         ORDER BY p.from_date DESC, e.entry_date DESC, e.enrollment, k.person_key",
        generation,
        school,
        from,
        until,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code()
    )
}

/// What was said, and of which person of the generation.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SaidRow {
    pub statement: Uuid,
    pub person: Option<Uuid>,
    pub scheme: String,
    pub term: String,
    pub person_key: Uuid,
    pub name: String,
    #[sqlx(try_from = "i32")]
    pub kind: StatementKind,
    #[sqlx(try_from = "i32")]
    pub signer: Signer,
    pub signed_day: NaiveDate,
    pub recorded_day: NaiveDate,
    pub recorded_by_name: String,
    /// When it held no more, who said so, and why.
    pub ended_day: Option<NaiveDate>,
    pub ended_by_name: String,
    pub reason: String,
}

/// What was said at a school of a scheme and term, what stands or what holds no more: whose it is goes by who had number and name when it was recorded,
/// as for the judge.
pub async fn said(tx: &mut Tx, generation: i64, school: &str, (scheme, term): (&str, &str), stands: bool) -> Result<Vec<SaidRow>, StoreError> {
    rows!(
        tx,
        SaidRow,
        "SELECT s.statement, k.person, s.scheme, s.term, s.person_key, s.name, s.kind, s.signer, s.signed_day, s.recorded_day, s.recorded_by_name,
                s.ended_day, s.ended_by_name, s.reason
         FROM student_statements s JOIN mirror_person_keys k ON k.person_key = s.person_key AND k.generation = $1
              AND (k.end_recorded IS NULL OR k.end_recorded >= s.recorded_day)
         WHERE s.school = $2 AND s.scheme = $3 AND s.term = $4 AND (s.state < 50) = $5
           AND EXISTS (SELECT 1 FROM mirror_person_names n WHERE n.generation = $1 AND n.person = k.person AND n.name_comparable = s.name_comparable)
         ORDER BY s.recorded_at_us, s.statement",
        generation,
        school,
        scheme,
        term,
        stands
    )
}

/// A statement of a school that stands.
pub async fn standing(tx: &mut Tx, school: &str, statement: Uuid) -> Result<Option<SaidRow>, StoreError> {
    one!(
        tx,
        SaidRow,
        "SELECT statement, CAST(NULL AS uuid) AS person, scheme, term, person_key, name, kind, signer, signed_day, recorded_day, recorded_by_name,
                ended_day, ended_by_name, reason
         FROM student_statements WHERE school = $1 AND statement = $2 AND state < 50",
        school,
        statement
    )
}

/// A statement to be recorded.
#[derive(Debug, Serialize)]
pub struct NewStatement {
    pub statement: Hex,
    pub person_key: Hex,
    pub name: String,
    pub name_comparable: String,
}

/// What is the same of all that are recorded at once.
#[derive(Debug, Clone)]
pub struct About<'a> {
    pub school: &'a str,
    pub scheme: &'a str,
    pub term: &'a str,
    pub kind: StatementKind,
    pub signer: Signer,
    pub signed_day: NaiveDate,
}

pub async fn insert(ctx: &Context, tx: &mut Tx, about: &About<'_>, new: &[NewStatement]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO student_statements (statement, school, scheme, term, person_key, name, name_comparable, kind, signer, signed_day, state, recorded_day,
                                             recorded_at_us, recorded_by, recorded_by_name)
             SELECT t.statement, $2, $3, $4, t.person_key, t.name, t.name_comparable, $5, $6, $7, $8, $9, $10, $11, $12
             FROM " table 1 (statement uuid, person_key uuid, name text, name_comparable text)
        ),
        bulk_rows(new),
        about.school,
        about.scheme,
        about.term,
        about.kind.code(),
        about.signer.code(),
        about.signed_day,
        State::Stands.code(),
        ctx.today(),
        ctx.now_us(),
        &ctx.actor.account,
        &ctx.actor.display_name
    )?;
    Ok(())
}

/// Ends statements that stand; returns how many.
pub async fn end(ctx: &Context, tx: &mut Tx, statements: &[Uuid], state: State, reason: &str) -> Result<u64, StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE student_statements SET state = $2, reason = $3, ended_day = $4, ended_by = $5, ended_by_name = $6 WHERE state < 50 AND statement" in_uuids 1
        ),
        bulk_uuids(statements.iter().copied()),
        state.code(),
        reason,
        ctx.today(),
        &ctx.actor.account,
        &ctx.actor.display_name
    )
}
