//! SQL of summaries.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_audit::written::Key;
use xuezhu_judge::entry;
use xuezhu_service::{Context, Error};
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_texts, bulk_uuids, one, rows, run, sql};

use super::{bound::SUMMARY, rules::State};

/// A summary.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SummaryRow {
    pub summary: Uuid,
    pub authority: String,
    pub term: String,
    pub number: i32,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub dossier: Uuid,
    pub reason: String,
    pub digest: String,
    pub submitted_by: String,
    pub submitted_day: NaiveDate,
    pub signed_by: String,
    pub signed_day: Option<NaiveDate>,
}

/// A line of a summary.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LineRow {
    pub line: Uuid,
    pub school: String,
    pub school_name: String,
    pub scheme: String,
    pub entries: i64,
    pub units: i64,
    pub fen: i64,
}

/// A school and a scheme as they are now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct NowRow {
    pub school: String,
    pub name: String,
    pub scheme: String,
    /// Whether it may be paid.
    pub payable: bool,
    pub entries: i64,
    pub units: i64,
    pub fen: i64,
}

/// What schools under a department were approved in a term and stands, by school, scheme and whether it may be paid. May not: what a school asked to stop,
/// what an open flag holds, of whom enrollment forgot what it said, what a notice after the audit still shows, and what somebody objects to.
pub async fn now(tx: &mut Tx, authority: &str, term: &str, today: NaiveDate, after_audit: i32) -> Result<Vec<NowRow>, StoreError> {
    rows!(
        tx,
        NowRow,
        "WITH approved AS (
             SELECT u.entry, u.school, s.name, u.scheme, u.fen,
                    u.paid
                    AND NOT EXISTS (SELECT 1 FROM flags f WHERE f.entry = u.entry AND f.holds AND f.state < 50
                                      AND (NOT u.by_month OR ',' || f.months || ',' LIKE '%,' || CAST(u.first_month AS text) || ',%'))
                    AND NOT EXISTS (SELECT 1 FROM forgotten_keys k JOIN forgotten g ON g.forgotten = k.forgotten
                                    WHERE k.person_key = u.person_key AND g.ended_day IS NULL)
                    AND NOT EXISTS (SELECT 1 FROM notice_entries e JOIN notices n ON n.notice = e.notice AND n.stage = $4
                                    WHERE e.entry = u.entry AND NOT e.gone
                                      AND (n.last_day >= $3 OR EXISTS (SELECT 1 FROM objections o WHERE o.notice = n.notice AND o.state < 50
                                                                       AND (o.entry IS NULL OR o.entry = e.entry)))) AS payable
             FROM approved_units u JOIN mirror_schools s ON s.school = u.school AND s.generation = (SELECT generation FROM mirror_state) AND s.authority = $1
             WHERE u.term = $2)
         SELECT school, name, scheme, payable, count(DISTINCT entry) AS entries, count(*) AS units, CAST(sum(fen) AS bigint) AS fen
         FROM approved GROUP BY school, name, scheme, payable",
        authority,
        term,
        today,
        after_audit
    )
}

/// Students on lists of a term that were submitted and are not decided, by school and scheme.
pub async fn undecided(tx: &mut Tx, authority: &str, term: &str) -> Result<Vec<(String, String, String, i64)>, StoreError> {
    rows!(
        tx,
        (String, String, String, i64),
        "SELECT c.school, s.name, c.scheme, count(*)
         FROM award_claims c JOIN mirror_schools s ON s.school = c.school AND s.generation = (SELECT generation FROM mirror_state) AND s.authority = $1
         WHERE c.term = $2 AND (c.state = $3 OR c.state = $4) GROUP BY c.school, s.name, c.scheme",
        authority,
        term,
        entry::State::Submitted.code(),
        entry::State::Attested.code()
    )
}

/// One summary.
pub async fn summary(tx: &mut Tx, summary: Uuid) -> Result<Option<SummaryRow>, StoreError> {
    one!(tx, SummaryRow, "SELECT * FROM term_summaries WHERE summary = $1", summary)
}

/// Summaries of a department and term, the newest first.
pub async fn of_term(tx: &mut Tx, authority: &str, term: &str) -> Result<Vec<SummaryRow>, StoreError> {
    rows!(tx, SummaryRow, "SELECT * FROM term_summaries WHERE authority = $1 AND term = $2 ORDER BY number DESC", authority, term)
}

/// A summary with what it comes to.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SummedRow {
    #[sqlx(flatten)]
    pub row: SummaryRow,
    pub entries: i64,
    pub fen: i64,
}

/// Summaries of the departments whose regions begin with these digits, by department, the newest first.
pub async fn of_region(tx: &mut Tx, prefix: &str, term: &str) -> Result<Vec<SummedRow>, StoreError> {
    rows!(
        tx,
        SummedRow,
        "SELECT t.*, coalesce(l.entries, 0) AS entries, coalesce(l.fen, 0) AS fen FROM term_summaries t
         LEFT JOIN (SELECT summary, CAST(sum(entries) AS bigint) AS entries, CAST(sum(fen) AS bigint) AS fen FROM term_summary_lines
                    WHERE summary IN (SELECT o.summary FROM term_summaries o WHERE o.term = $2) GROUP BY summary) AS l ON l.summary = t.summary
         WHERE substr(t.authority, 1, length($1)) = $1 AND t.term = $2 ORDER BY t.authority, t.number DESC",
        prefix,
        term
    )
}

/// Departments of schools that have lists of a term with something approved, and no summary that was signed.
pub async fn without(tx: &mut Tx, prefix: &str, term: &str) -> Result<Vec<(String,)>, StoreError> {
    rows!(
        tx,
        (String,),
        "SELECT DISTINCT s.authority FROM mirror_schools s
         WHERE s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($1)) = $1
           AND EXISTS (SELECT 1 FROM award_claims c WHERE c.school = s.school AND c.term = $2 AND c.state = $3)
           AND NOT EXISTS (SELECT 1 FROM term_summaries t WHERE t.authority = s.authority AND t.term = $2 AND t.state = $4)
         ORDER BY s.authority",
        prefix,
        term,
        entry::State::Approved.code(),
        State::Signed.code()
    )
}

/// Lines of a summary, by school and scheme.
pub async fn lines(tx: &mut Tx, summary: Uuid) -> Result<Vec<LineRow>, StoreError> {
    rows!(
        tx,
        LineRow,
        "SELECT line, school, school_name, scheme, entries, units, fen FROM term_summary_lines WHERE summary = $1 ORDER BY school, scheme",
        summary
    )
}

pub async fn insert(ctx: &Context, tx: &mut Tx, row: &SummaryRow) -> Result<(), StoreError> {
    ctx.make(&SUMMARY, [Key::Id(row.summary)]);
    run!(
        tx,
        "INSERT INTO term_summaries (summary, authority, term, number, state, dossier, digest, submitted_by, submitted_day)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        row.summary,
        &row.authority,
        &row.term,
        row.number,
        row.state.code(),
        row.dossier,
        &row.digest,
        &row.submitted_by,
        row.submitted_day
    )?;
    Ok(())
}

/// A line that is written.
#[derive(Debug, Serialize)]
pub struct NewLine {
    pub line: Hex,
    pub school: String,
    pub school_name: String,
    pub scheme: String,
    pub entries: i64,
    pub units: i64,
    pub fen: i64,
}

pub async fn insert_lines(tx: &mut Tx, summary: Uuid, lines: &[NewLine]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO term_summary_lines (line, summary, school, school_name, scheme, entries, units, fen)
             SELECT t.line, $2, t.school, t.school_name, t.scheme, t.entries, t.units, t.fen
             FROM " table 1 (line uuid, school text, school_name text, scheme text, entries bigint, units bigint, fen bigint)
        ),
        bulk_rows(lines),
        summary
    )?;
    Ok(())
}

/// A line, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub struct BoundLine {
    pub line: Uuid,
    pub summary: Uuid,
    pub school: String,
    pub school_name: String,
    pub scheme: String,
    pub entries: i64,
    pub units: i64,
    pub fen: i64,
}

/// Ids of summaries after one.
pub async fn bound_after(tx: &mut Tx, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(
        tx,
        (Uuid,),
        "SELECT summary FROM term_summaries WHERE summary >= $1 AND ($2 IS NULL OR summary <> $2) ORDER BY summary LIMIT $3",
        after.unwrap_or_default(),
        after,
        limit
    )?;
    Ok(found.into_iter().map(|(summary,)| summary).collect())
}

pub async fn bound(tx: &mut Tx, summaries: &[Uuid]) -> Result<Vec<SummaryRow>, StoreError> {
    rows!(tx, SummaryRow, sql!("SELECT * FROM term_summaries WHERE summary" in_uuids 1), bulk_uuids(summaries.iter().copied()))
}

/// Their lines, in an order of their own.
pub async fn bound_lines(tx: &mut Tx, summaries: &[Uuid]) -> Result<Vec<BoundLine>, StoreError> {
    rows!(
        tx,
        BoundLine,
        sql!("SELECT line, summary, school, school_name, scheme, entries, units, fen FROM term_summary_lines WHERE summary" in_uuids 1 " ORDER BY line"),
        bulk_uuids(summaries.iter().copied())
    )
}

/// The head of the department signed: by name, on a day.
pub async fn note_signature(ctx: &Context, tx: &mut Tx, summary: Uuid) -> Result<(), Error> {
    ctx.touch(tx, &SUMMARY, [Key::Id(summary)]).await?;
    let (by, day) = (&ctx.actor.display_name, ctx.today());
    run!(tx, "UPDATE term_summaries SET signed_by = $2, signed_day = $3 WHERE summary = $1", summary, by, day)?;
    Ok(())
}

/// A summary holds.
pub async fn sign(ctx: &Context, tx: &mut Tx, summary: Uuid) -> Result<(), Error> {
    ctx.touch(tx, &SUMMARY, [Key::Id(summary)]).await?;
    run!(tx, "UPDATE term_summaries SET state = $2 WHERE summary = $1", summary, State::Signed.code())?;
    Ok(())
}

/// Of schools, which other departments signed a summary of a term on which they are paid something.
pub async fn elsewhere(tx: &mut Tx, authority: &str, term: &str, schools: &[String]) -> Result<Vec<(String, String)>, StoreError> {
    rows!(
        tx,
        (String, String),
        sql!(
            "SELECT DISTINCT l.school, t.authority FROM term_summary_lines l JOIN term_summaries t ON t.summary = l.summary
             WHERE t.term = $2 AND t.state = $3 AND t.authority <> $4 AND l.fen > 0 AND l.school" in_texts 1 " ORDER BY l.school, t.authority"
        ),
        bulk_texts(schools),
        term,
        State::Signed.code(),
        authority
    )
}

/// A summary comes to nothing.
pub async fn drop_it(ctx: &Context, tx: &mut Tx, summary: Uuid, reason: &str) -> Result<(), Error> {
    ctx.touch(tx, &SUMMARY, [Key::Id(summary)]).await?;
    run!(tx, "UPDATE term_summaries SET state = $2, reason = $3 WHERE summary = $1", summary, State::Dropped.code(), reason)?;
    Ok(())
}
