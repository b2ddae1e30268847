//! SQL of the register of what was confirmed. What counts has a state below 50 ([`State::FIRST_WITHDRAWN`]).

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_judge::{
    case::Rule,
    register::{Outcome, State, Step},
};
use xuezhu_service::{Context, paging::Turn};
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

/// A new case.
#[derive(Debug, Serialize)]
pub struct NewCase {
    pub flag: Hex,
    pub rule: i32,
    pub entry: Option<Hex>,
    pub list: Option<Hex>,
    pub person: Option<Hex>,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub name: String,
    pub name_comparable: String,
    pub state: i32,
    pub steps: i32,
    pub months: String,
    pub amount_fen: Option<i64>,
    pub evidence: String,
    pub confirmed_at_us: i64,
    pub confirmed_day: NaiveDate,
    pub confirmed_by: String,
    pub confirmed_by_name: String,
    pub reason: String,
}

/// A step of a case.
#[derive(Debug, Serialize)]
pub struct NewStep {
    pub flag: Hex,
    pub ordinal: i32,
    pub at_us: i64,
    pub civil_day: NaiveDate,
    pub actor: String,
    pub actor_name: String,
    pub act: i32,
    pub detail: String,
    pub months: String,
    pub amount_fen: Option<i64>,
    pub evidence: String,
}

/// A case that heard of something.
#[derive(Debug, Serialize)]
pub struct MovedCase {
    pub flag: Hex,
    pub state: i32,
    pub steps: i32,
}

/// A case that was confirmed anew.
#[derive(Debug, Serialize)]
pub struct ConfirmedCase {
    pub flag: Hex,
    pub person: Option<Hex>,
    pub name: String,
    pub name_comparable: String,
    pub months: String,
    pub amount_fen: i64,
    pub evidence: String,
    pub reason: String,
}

/// Where a case stands.
#[derive(Debug, sqlx::FromRow)]
pub struct Stand {
    pub flag: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub steps: i32,
}

/// A case, whole.
#[derive(Debug, sqlx::FromRow)]
pub struct CaseRow {
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
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub steps: i32,
    pub months: String,
    pub amount_fen: Option<i64>,
    pub evidence: String,
    pub confirmed_at_us: i64,
    pub confirmed_day: NaiveDate,
    pub confirmed_by_name: String,
    pub reason: String,
    pub outcome: i32,
    pub outcome_fen: i64,
    pub outcome_text: String,
    pub responsible: String,
    pub outcome_day: Option<NaiveDate>,
    pub outcome_by_name: String,
    pub school_name: String,
    pub authority: String,
}

#[derive(Debug, sqlx::FromRow)]
pub struct StepRow {
    pub at_us: i64,
    pub civil_day: NaiveDate,
    pub actor_name: String,
    #[sqlx(try_from = "i32")]
    pub act: Step,
    pub detail: String,
    pub months: String,
    pub amount_fen: Option<i64>,
}

/// Where these cases stand; locked in sorted order.
pub async fn lock(tx: &mut Tx, cases: &[Uuid]) -> Result<Vec<Stand>, StoreError> {
    rows!(
        tx,
        Stand,
        sql!("SELECT flag, state, steps FROM cases WHERE flag" in_uuids 1 " ORDER BY flag" only(sqlite "", postgres " FOR UPDATE")),
        bulk_uuids(cases.iter().copied())
    )
}

/// What became of a case, as far as it tells when it was over.
#[derive(Debug, sqlx::FromRow)]
pub struct Fate {
    pub flag: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub outcome: i32,
    pub outcome_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
}

pub async fn fates(tx: &mut Tx, cases: &[Uuid]) -> Result<Vec<Fate>, StoreError> {
    rows!(
        tx,
        Fate,
        sql!(
            "SELECT c.flag, c.state, c.outcome, c.outcome_day, (SELECT max(s.civil_day) FROM case_steps s WHERE s.flag = c.flag) AS last_day
             FROM cases c WHERE c.flag" in_uuids 1
        ),
        bulk_uuids(cases.iter().copied())
    )
}

/// Enters cases.
pub async fn insert(tx: &mut Tx, cases: &[NewCase]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO cases (flag, rule, entry, list, person, school, scheme, term, name, name_comparable, state, steps, months, amount_fen, evidence,
             confirmed_at_us, confirmed_day, confirmed_by, confirmed_by_name, reason, outcome, outcome_fen, outcome_text, responsible, outcome_by_name)
             SELECT t.flag, t.rule, t.entry, t.list, t.person, t.school, t.scheme, t.term, t.name, t.name_comparable, t.state, t.steps, t.months, t.amount_fen,
             t.evidence, t.confirmed_at_us, t.confirmed_day, t.confirmed_by, t.confirmed_by_name, t.reason, 0, 0, '', '', ''
             FROM " table 1 (flag uuid, rule integer, entry uuid, list uuid, person uuid, school text, scheme text, term text, name text, name_comparable text,
                state integer, steps integer, months text, amount_fen bigint, evidence text, confirmed_at_us bigint, confirmed_day date, confirmed_by text,
                confirmed_by_name text, reason text)
        ),
        bulk_rows(cases)
    )?;
    Ok(())
}

pub async fn insert_steps(tx: &mut Tx, steps: &[NewStep]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO case_steps (flag, ordinal, at_us, civil_day, actor, actor_name, act, detail, months, amount_fen, evidence)
             SELECT t.flag, t.ordinal, t.at_us, t.civil_day, t.actor, t.actor_name, t.act, t.detail, t.months, t.amount_fen, t.evidence
             FROM " table 1 (flag uuid, ordinal integer, at_us bigint, civil_day date, actor text, actor_name text, act integer, detail text, months text,
                amount_fen bigint, evidence text)
        ),
        bulk_rows(steps)
    )?;
    Ok(())
}

pub async fn set_stands(tx: &mut Tx, cases: &[MovedCase]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE cases SET state = t.state, steps = t.steps FROM " table 1 (flag uuid, state integer, steps integer) " WHERE cases.flag = t.flag"),
        bulk_rows(cases)
    )?;
    Ok(())
}

/// What is confirmed anew is asked about anew: what became of the money that was confirmed before stays in the steps.
pub async fn set_confirmed(ctx: &Context, tx: &mut Tx, cases: &[ConfirmedCase]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE cases SET person = t.person, name = t.name, name_comparable = t.name_comparable, months = t.months, amount_fen = t.amount_fen, evidence = t.evidence, reason = t.reason, confirmed_at_us = $2, confirmed_day = $3,
             confirmed_by = $4, confirmed_by_name = $5, outcome = 0, outcome_fen = 0, outcome_text = '', responsible = '', outcome_day = NULL,
             outcome_by_name = ''
             FROM " table 1 (flag uuid, person uuid, name text, name_comparable text, months text, amount_fen bigint, evidence text, reason text) " WHERE cases.flag = t.flag"
        ),
        bulk_rows(cases),
        ctx.now_us(),
        ctx.today(),
        &ctx.actor.account,
        &ctx.actor.display_name
    )?;
    Ok(())
}

/// What became of the money of a case.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub outcome: Outcome,
    pub amount_fen: i64,
    pub text: String,
    pub responsible: String,
}

pub async fn set_outcome(ctx: &Context, tx: &mut Tx, case: Uuid, recorded: &Recorded) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE cases SET outcome = $2, outcome_fen = $3, outcome_text = $4, responsible = $5, outcome_day = $6, outcome_by_name = $7 WHERE flag = $1",
        case,
        recorded.outcome.code(),
        recorded.amount_fen,
        &recorded.text,
        &recorded.responsible,
        ctx.today(),
        &ctx.actor.display_name
    )?;
    Ok(())
}

/// What a list of cases asks for.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    pub case: Option<Uuid>,
    pub school: String,
    pub authority_prefix: String,
    pub state: Option<State>,
    pub rule: Option<Rule>,
    pub term: String,
    /// Beginning of a comparable name.
    pub name: String,
    pub outcome: Option<Outcome>,
    /// Only those of which nobody recorded what became of the money.
    pub without_outcome: bool,
}

/// What a filter leaves.
macro_rules! left {
    () => {
        " FROM cases c LEFT JOIN mirror_schools s ON s.school = c.school AND s.generation = (SELECT generation FROM mirror_state)
          WHERE ($1 IS NULL OR c.flag = $1) AND ($2 = '' OR c.school = $2) AND ($3 = '' OR substr(s.authority, 1, length($3)) = $3)
            AND ($4 = 0 OR c.state = $4) AND ($5 = 0 OR c.rule = $5) AND ($6 = '' OR c.term = $6)
            AND ($7 = '' OR substr(c.name_comparable, 1, length($7)) = $7) AND ($8 = 0 OR c.outcome = $8) AND ($9 = 0 OR (c.outcome = 0 AND c.state < 50))"
    };
}

pub async fn page(tx: &mut Tx, filter: &Filter, turn: &Turn<Uuid>) -> Result<Vec<CaseRow>, StoreError> {
    rows!(
        tx,
        CaseRow,
        concat!(
            "SELECT c.flag, c.rule, c.entry, c.list, c.person, c.school, c.scheme, c.term, c.name, c.state, c.steps, c.months, c.amount_fen, c.evidence,
                    c.confirmed_at_us, c.confirmed_day, c.confirmed_by_name, c.reason, c.outcome, c.outcome_fen, c.outcome_text, c.responsible, c.outcome_day,
                    c.outcome_by_name, coalesce(s.name, '') AS school_name, coalesce(s.authority, '') AS authority",
            left!(),
            " AND ($10 IS NULL OR c.flag < $10) ORDER BY c.flag DESC LIMIT $11 OFFSET $12"
        ),
        filter.case,
        &filter.school,
        &filter.authority_prefix,
        filter.state.map_or(0, State::code),
        filter.rule.map_or(0, Rule::code),
        &filter.term,
        &filter.name,
        filter.outcome.map_or(0, Outcome::code),
        i32::from(filter.without_outcome),
        turn.after,
        turn.rows,
        turn.skip
    )
}

/// Sums over all that a filter leaves. Those of money leave out what was withdrawn.
#[derive(Debug, Default, sqlx::FromRow)]
pub struct Sums {
    pub cases: i64,
    pub counted: i64,
    pub amount_fen: i64,
    pub unknown: i64,
    pub to_recover_fen: i64,
    pub recovered_fen: i64,
}

pub async fn sums(tx: &mut Tx, filter: &Filter) -> Result<Sums, StoreError> {
    let sums = one!(
        tx,
        Sums,
        concat!(
            "SELECT count(*) AS cases, CAST(coalesce(sum(CASE WHEN c.state < 50 THEN 1 ELSE 0 END), 0) AS bigint) AS counted,
                    CAST(coalesce(sum(CASE WHEN c.state < 50 THEN c.amount_fen END), 0) AS bigint) AS amount_fen,
                    CAST(coalesce(sum(CASE WHEN c.state < 50 AND c.amount_fen IS NULL THEN 1 ELSE 0 END), 0) AS bigint) AS unknown,
                    CAST(coalesce(sum(CASE WHEN c.state < 50 AND c.outcome = $10 THEN c.outcome_fen END), 0) AS bigint) AS to_recover_fen,
                    CAST(coalesce(sum(CASE WHEN c.state < 50 AND c.outcome = $11 THEN c.outcome_fen END), 0) AS bigint) AS recovered_fen",
            left!()
        ),
        filter.case,
        &filter.school,
        &filter.authority_prefix,
        filter.state.map_or(0, State::code),
        filter.rule.map_or(0, Rule::code),
        &filter.term,
        &filter.name,
        filter.outcome.map_or(0, Outcome::code),
        i32::from(filter.without_outcome),
        Outcome::ToRecover.code(),
        Outcome::Recovered.code()
    )?;
    Ok(sums.unwrap_or_default())
}

pub async fn steps(tx: &mut Tx, case: Uuid) -> Result<Vec<StepRow>, StoreError> {
    rows!(tx, StepRow, "SELECT at_us, civil_day, actor_name, act, detail, months, amount_fen FROM case_steps WHERE flag = $1 ORDER BY ordinal", case)
}
