//! SQL of lists of omissions.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::{
    case::{Rule, StatementKind},
    entry,
};
use xuezhu_service::Context;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use super::rules::{Cause, State};

/// A list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ListRow {
    pub list: Uuid,
    pub school: String,
    pub term: String,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub dossier: Option<Uuid>,
    pub reason: String,
    pub signed_day: Option<NaiveDate>,
}

/// Somebody on a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ItemRow {
    pub item: Uuid,
    pub scheme: String,
    pub person_key: Uuid,
    pub flag: Option<Uuid>,
    pub statement: Option<Uuid>,
    pub name: String,
    pub class_name: String,
    #[sqlx(try_from = "i32")]
    pub cause: Cause,
    pub note: String,
}

/// Somebody who should be listed and is not.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MissingRow {
    pub scheme: String,
    pub person_key: Uuid,
    /// What tells so: a flag, or what they signed.
    pub flag: Option<Uuid>,
    pub statement: Option<Uuid>,
    pub name: String,
    pub class_name: Option<String>,
}

/// Whom a flag tells to be missing at a school in a term, but for those of whom the department said that it is none.
pub async fn missing(tx: &mut Tx, generation: i64, school: &str, term: &str) -> Result<Vec<MissingRow>, StoreError> {
    rows!(
        tx,
        MissingRow,
        "SELECT f.scheme, coalesce((SELECT k.person_key FROM mirror_person_keys k WHERE k.generation = $1 AND k.person = f.person AND k.end_recorded IS NULL
                                    ORDER BY k.person_key LIMIT 1), f.person_subject) AS person_key, f.flag, CAST(NULL AS uuid) AS statement, f.name,
                (SELECT p.class_name FROM mirror_enrollments e JOIN mirror_periods p ON p.generation = e.generation AND p.enrollment = e.enrollment
                 WHERE e.generation = $1 AND e.person = f.person AND e.school || '' = f.school AND (p.state = $5 OR p.state = $6)
                 ORDER BY p.from_date DESC, e.enrollment LIMIT 1) AS class_name
         FROM flags f WHERE f.school = $2 AND f.term = $3 AND f.rule = $4 AND f.state <= 10 ORDER BY f.name, f.flag",
        generation,
        school,
        term,
        Rule::MissingAward.code(),
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code()
    )
}

/// Who signed not to want a scheme of a term, and stands on no submitted list of it.
pub async fn waived(tx: &mut Tx, generation: i64, school: &str, term: &str) -> Result<Vec<MissingRow>, StoreError> {
    rows!(
        tx,
        MissingRow,
        "SELECT s.scheme, s.person_key, CAST(NULL AS uuid) AS flag, s.statement,
                coalesce((SELECT n.name FROM mirror_person_names n WHERE n.generation = $1 AND n.person = k.person AND n.end_recorded IS NULL
                          ORDER BY n.ordinal LIMIT 1), s.name_comparable) AS name,
                (SELECT p.class_name FROM mirror_enrollments e JOIN mirror_periods p ON p.generation = e.generation AND p.enrollment = e.enrollment
                 WHERE e.generation = $1 AND e.person = k.person AND e.school || '' = s.school AND (p.state = $5 OR p.state = $6)
                 ORDER BY p.from_date DESC, e.enrollment LIMIT 1) AS class_name
         FROM standing_statements s
         JOIN mirror_person_keys k ON k.generation = $1 AND k.person_key = s.person_key AND (k.end_recorded IS NULL OR k.end_recorded >= s.recorded_day)
         WHERE s.school = $2 AND s.term = $3 AND s.kind = $4
           AND EXISTS (SELECT 1 FROM mirror_person_names o WHERE o.generation = $1 AND o.person = k.person AND o.name_comparable = s.name_comparable)
           AND NOT EXISTS (SELECT 1 FROM award_claims a JOIN mirror_person_keys o ON o.generation = $1 AND o.person_key = a.person_key AND o.person = k.person
                           WHERE a.school = s.school AND a.scheme = s.scheme AND a.term = s.term AND (a.state = $7 OR a.state = $8 OR a.state = $9))
         ORDER BY name, s.statement",
        generation,
        school,
        term,
        StatementKind::Waiver.code(),
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code(),
        entry::State::Submitted.code(),
        entry::State::Attested.code(),
        entry::State::Approved.code()
    )
}

/// The last list of a school and term.
pub async fn last(tx: &mut Tx, school: &str, term: &str) -> Result<Option<ListRow>, StoreError> {
    one!(
        tx,
        ListRow,
        "SELECT list, school, term, state, dossier, reason, signed_day FROM omission_lists WHERE school = $1 AND term = $2 ORDER BY created_at_us DESC, list DESC LIMIT 1",
        school,
        term
    )
}

/// A list of a school, locked until the transaction ends.
pub async fn locked(tx: &mut Tx, school: &str, list: Uuid) -> Result<Option<ListRow>, StoreError> {
    one!(
        tx,
        ListRow,
        sql!(
            "SELECT list, school, term, state, dossier, reason, signed_day FROM omission_lists WHERE school = $1 AND list = $2"
            only(sqlite "", postgres " FOR UPDATE")
        ),
        school,
        list
    )
}

pub async fn insert(ctx: &Context, tx: &mut Tx, list: Uuid, school: &str, term: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO omission_lists (list, school, term, state, created_day, created_at_us) VALUES ($1, $2, $3, $4, $5, $6)",
        list,
        school,
        term,
        State::Draft.code(),
        ctx.today(),
        ctx.now_us()
    )?;
    Ok(())
}

/// Who is on a list, by class and name.
pub async fn items(tx: &mut Tx, list: Uuid) -> Result<Vec<ItemRow>, StoreError> {
    rows!(
        tx,
        ItemRow,
        "SELECT item, scheme, person_key, flag, statement, name, class_name, cause, note FROM omission_items WHERE list = $1 ORDER BY class_name, name, scheme, item",
        list
    )
}

/// Somebody who comes onto a list.
#[derive(Debug, Serialize)]
pub struct NewItem {
    pub item: Hex,
    pub scheme: String,
    pub person_key: Hex,
    pub flag: Option<Hex>,
    pub statement: Option<Hex>,
    pub name: String,
    pub class_name: String,
    pub cause: i32,
    pub note: String,
}

/// Puts others on a list than were there.
pub async fn replace(tx: &mut Tx, list: Uuid, items: &[NewItem]) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM omission_items WHERE list = $1", list)?;
    run!(
        tx,
        sql!(
            "INSERT INTO omission_items (item, list, scheme, person_key, flag, statement, name, class_name, cause, note)
             SELECT t.item, $2, t.scheme, t.person_key, t.flag, t.statement, t.name, t.class_name, t.cause, t.note
             FROM " table 1 (item uuid, scheme text, person_key uuid, flag uuid, statement uuid, name text, class_name text, cause integer, note text)
        ),
        bulk_rows(items),
        list
    )?;
    Ok(())
}

/// Says why some of a list are not listed; returns how many of them are on it.
pub async fn set_cause(tx: &mut Tx, list: Uuid, items: &[Uuid], cause: Cause, note: &str) -> Result<u64, StoreError> {
    run!(
        tx,
        sql!("UPDATE omission_items SET cause = $3, note = $4 WHERE list = $2 AND cause <> $5 AND item" in_uuids 1),
        bulk_uuids(items.iter().copied()),
        list,
        cause.code(),
        note,
        Cause::Waived.code()
    )
}

/// Moves a list.
pub async fn set_state(tx: &mut Tx, list: Uuid, state: State, dossier: Option<Uuid>, reason: &str, signed: Option<NaiveDate>) -> Result<(), StoreError> {
    run!(tx, "UPDATE omission_lists SET state = $2, dossier = $3, reason = $4, signed_day = $5 WHERE list = $1", list, state.code(), dossier, reason, signed)?;
    Ok(())
}

/// The schools under departments of a region that are open, with where their last list of a term stands that was signed, else the last, who is on it, who of those signed not to
/// want it, and who is missing now.
#[derive(Debug, sqlx::FromRow)]
pub struct SchoolRow {
    pub school: String,
    pub name: String,
    pub state: Option<i32>,
    pub signed_day: Option<NaiveDate>,
    pub listed: i64,
    pub waived: i64,
    pub missing: i64,
}

pub async fn schools(tx: &mut Tx, prefix: &str, term: &str, open: &str) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(
        tx,
        SchoolRow,
        "SELECT m.school, m.name, l.state, l.signed_day, coalesce(i.listed, 0) AS listed, coalesce(i.waived, 0) AS waived, coalesce(f.missing, 0) AS missing
         FROM mirror_schools m
         LEFT JOIN omission_lists l ON l.list = (SELECT o.list FROM omission_lists o WHERE o.term = $2 AND o.school = m.school
                                                 ORDER BY CASE WHEN o.signed_day IS NULL THEN 1 ELSE 0 END, o.created_at_us DESC, o.list DESC LIMIT 1)
         LEFT JOIN (SELECT list, count(*) AS listed, sum(CASE WHEN cause = $3 THEN 1 ELSE 0 END) AS waived FROM omission_items
                    WHERE list IN (SELECT o.list FROM omission_lists o WHERE o.term = $2) GROUP BY list) AS i ON i.list = l.list
         LEFT JOIN (SELECT school, count(*) AS missing FROM flags WHERE term = $2 AND rule = $4 AND state <= 10 GROUP BY school) AS f
              ON f.school = m.school
         WHERE m.generation = (SELECT generation FROM mirror_state) AND substr(m.authority, 1, length($1)) = $1 AND m.state = $5 ORDER BY m.school",
        prefix,
        term,
        Cause::Waived.code(),
        Rule::MissingAward.code(),
        open
    )
}

/// Whether the province opened a school's lists of a term again, of whatever scheme.
pub async fn reopened(tx: &mut Tx, school: &str, term: &str, today: NaiveDate) -> Result<bool, StoreError> {
    let open = "SELECT 1 FROM reopened_terms WHERE school = $1 AND term = $2 AND until_day >= $3 LIMIT 1";
    Ok(one!(tx, (i32,), open, school, term, today)?.is_some())
}
