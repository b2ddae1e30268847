//! SQL of flags and their life. Flags whose states are up to 10 hold, those from 50 on are closed
//! ([`State`]).

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_judge::{
    case::Rule,
    digest,
    life::{State, Step},
};
use xuezhu_service::paging::Turn;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

/// A flag, as much as a judgement compares.
#[derive(Debug, sqlx::FromRow)]
pub struct KnownFlag {
    pub flag: Uuid,
    #[sqlx(try_from = "i32")]
    pub rule: Rule,
    pub subject: Uuid,
    pub person_subject: Uuid,
    pub entry: Option<Uuid>,
    pub person: Option<Uuid>,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub evidence_digest: Vec<u8>,
    pub evidence_version: i32,
    pub evidence: String,
    pub months: String,
    pub amount_fen: i64,
    pub steps: i32,
    /// Digest of the evidence for which no fault was found last, and how it was made.
    pub cleared_digest: Option<Vec<u8>>,
    pub cleared_version: i32,
    /// Whether it has a case in the register of what was confirmed.
    pub registered: bool,
    /// Whether what it is held against is a person's of the generation, and not a number's alone.
    pub of_person: bool,
}

/// A flag, whole.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "one for each thing that is told of it")]
pub struct FlagRow {
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
    pub months: String,
    pub amount_fen: i64,
    pub evidence: String,
    pub cause: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub holds: bool,
    pub judged_position: i64,
    pub judged_at_us: i64,
    pub opened_at_us: i64,
    pub steps: i32,
    pub id_sealed: Option<Vec<u8>>,
    pub entry_state: Option<i32>,
    pub school_name: String,
    pub authority: String,
    pub registered: bool,
    /// Whether the school added to it since the department confirmed it.
    pub added: bool,
    /// Whether it was found on other evidence since.
    pub changed: bool,
}

#[derive(Debug, sqlx::FromRow)]
pub struct StepRow {
    pub at_us: i64,
    pub civil_day: NaiveDate,
    pub actor_name: String,
    #[sqlx(try_from = "i32")]
    pub act: Step,
    pub detail: String,
}

/// A new flag.
#[derive(Debug, Serialize)]
pub struct NewFlag {
    pub flag: Hex,
    pub rule: i32,
    pub subject: Hex,
    pub person_subject: Hex,
    pub entry: Option<Hex>,
    pub list: Option<Hex>,
    pub person: Option<Hex>,
    pub school: String,
    pub scheme: &'static str,
    pub term: String,
    pub name: String,
    pub months: String,
    pub amount_fen: i64,
    pub evidence: String,
    pub evidence_digest: Bytes,
    pub cause: Hex,
    pub cause_text: String,
    pub holds: bool,
}

/// A flag that a judgement changed.
#[derive(Debug, Serialize)]
pub struct JudgedFlag {
    pub flag: Hex,
    pub person: Option<Hex>,
    /// As claimed now: an entry that comes again may name somebody else.
    pub name: Option<String>,
    pub months: Option<String>,
    pub amount_fen: Option<i64>,
    pub evidence: Option<String>,
    pub evidence_digest: Option<Bytes>,
    /// That of the evidence for which no fault was found, where it is made anew with the flag's own.
    pub cleared_digest: Option<Bytes>,
    pub cause: Option<Hex>,
    pub cause_text: Option<String>,
    pub state: i32,
    pub holds: bool,
    pub steps: i32,
}

/// A step in a flag's life.
#[derive(Debug, Serialize)]
pub struct NewStep {
    pub flag: Hex,
    pub ordinal: i32,
    pub act: i32,
    pub detail: String,
    pub evidence: String,
}

/// Flags of these subjects; locked, for whoever acts on one locks nothing else of a case.
pub async fn known_flags(tx: &mut Tx, generation: i64, subjects: &[Uuid]) -> Result<Vec<KnownFlag>, StoreError> {
    rows!(
        tx,
        KnownFlag,
        sql!(
            "SELECT f.flag, f.rule, f.subject, f.person_subject, f.entry, f.person, f.state, f.evidence_digest, f.evidence_version, f.evidence, f.months,
                    f.amount_fen, f.steps, f.cleared_digest, f.cleared_version, f.registered,
                    EXISTS (SELECT 1 FROM person_subjects s JOIN mirror_persons p ON p.person = s.person AND p.generation = $2
                        WHERE s.subject = f.person_subject) AS of_person
             FROM flags f WHERE f.person_subject" in_uuids 1 " ORDER BY f.flag" only(sqlite "", postgres " FOR UPDATE")
        ),
        bulk_uuids(subjects.iter().copied()),
        generation
    )
}

pub async fn insert_flags(tx: &mut Tx, flags: &[NewFlag], position: i64, at_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO flags (flag, rule, subject, person_subject, entry, list, person, school, scheme, term, name, months, amount_fen, evidence, evidence_digest,
             evidence_version, cause, cause_text, state, holds, judged_position, judged_at_us, opened_at_us, steps)
             SELECT t.flag, t.rule, t.subject, t.person_subject, t.entry, t.list, t.person, t.school, t.scheme, t.term, t.name, t.months, t.amount_fen, t.evidence,
             t.evidence_digest, $4, t.cause, t.cause_text, $5, t.holds, $2, $3, $3, 1
             FROM " table 1 (flag uuid, rule integer, subject uuid, person_subject uuid, entry uuid, list uuid, person uuid, school text, scheme text, term text, name text,
                months text, amount_fen bigint, evidence text, evidence_digest bytea, cause uuid, cause_text text, holds boolean)
        ),
        bulk_rows(flags),
        position,
        at_us,
        digest::VERSION,
        State::Open.code()
    )?;
    Ok(())
}

pub async fn update_flags(tx: &mut Tx, flags: &[JudgedFlag], position: i64, at_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE flags SET person = CASE WHEN t.evidence IS NULL THEN flags.person ELSE t.person END, name = coalesce(t.name, flags.name),
             months = coalesce(t.months, flags.months), amount_fen = coalesce(t.amount_fen, flags.amount_fen),
             evidence = coalesce(t.evidence, flags.evidence), evidence_digest = coalesce(t.evidence_digest, flags.evidence_digest),
             evidence_version = CASE WHEN t.evidence_digest IS NULL THEN flags.evidence_version ELSE $4 END,
             cleared_digest = coalesce(t.cleared_digest, flags.cleared_digest),
             cleared_version = CASE WHEN t.cleared_digest IS NULL THEN flags.cleared_version ELSE $4 END,
             cause = coalesce(t.cause, flags.cause), cause_text = coalesce(t.cause_text, flags.cause_text),
             state = t.state, holds = t.holds, steps = t.steps, judged_position = $2, judged_at_us = $3
             FROM " table 1 (flag uuid, person uuid, name text, months text, amount_fen bigint, evidence text, evidence_digest bytea, cleared_digest bytea, cause uuid, cause_text text, state integer,
                holds boolean, steps integer)
            " WHERE flags.flag = t.flag"
        ),
        bulk_rows(flags),
        position,
        at_us,
        digest::VERSION
    )?;
    Ok(())
}

pub async fn insert_steps(tx: &mut Tx, steps: &[NewStep], at_us: i64, today: NaiveDate, actor: &str, actor_name: &str) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO flag_steps (flag, ordinal, at_us, civil_day, actor, actor_name, act, detail, evidence)
             SELECT t.flag, t.ordinal, $2, $3, $4, $5, t.act, t.detail, t.evidence FROM " table 1 (flag uuid, ordinal integer, act integer, detail text, evidence text)
        ),
        bulk_rows(steps),
        at_us,
        today,
        actor,
        actor_name
    )?;
    Ok(())
}

/// How many flags of a rule there are.
#[derive(Debug, sqlx::FromRow)]
pub struct RuleCount {
    #[sqlx(try_from = "i32")]
    pub rule: Rule,
    /// Those that are not closed.
    pub flags: i64,
    /// Those of them that wait for somebody or stand confirmed: not those that were cleared.
    pub waiting: i64,
}

/// Flags that are not closed, by rule.
pub async fn counts_by_rule(tx: &mut Tx, term: &str, authority_prefix: &str, region_prefix: &str) -> Result<Vec<RuleCount>, StoreError> {
    rows!(
        tx,
        RuleCount,
        "SELECT f.rule, count(*) AS flags, sum(CASE WHEN f.state <= 10 THEN 1 ELSE 0 END) AS waiting FROM flags f
         LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
         WHERE f.state < 50 AND ($1 = '' OR f.term = $1) AND ($2 = '' OR substr(s.authority, 1, length($2)) = $2)
           AND ($3 = '' OR substr(s.region, 1, length($3)) = $3)
         GROUP BY f.rule",
        term,
        authority_prefix,
        region_prefix
    )
}

/// What a list of flags asks for.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    pub rule: Option<Rule>,
    pub school: String,
    pub authority_prefix: String,
    pub region_prefix: String,
    pub state: Option<State>,
    pub unclosed: bool,
    /// Only those to which the school added since they were confirmed.
    pub added: bool,
    pub term: String,
    pub cause: Option<Uuid>,
    pub entry: Option<Uuid>,
    pub flag: Option<Uuid>,
    pub subject: Option<Uuid>,
    pub oldest_first: bool,
}

/// Whether the school added to a confirmed flag after the department's last word about it.
macro_rules! added {
    () => {
        "f.state = $11 AND EXISTS (SELECT 1 FROM flag_steps p WHERE p.flag = f.flag AND p.act = $12
           AND p.ordinal > (SELECT max(q.ordinal) FROM flag_steps q WHERE q.flag = f.flag AND q.act = $13))"
    };
}

/// What is asked for of flags, led by what an index finds: a planner that must plan for any filter uses none.
macro_rules! flags_asked {
    ($lead:literal) => {
        concat!(
            $lead,
            " AND ($2 = 0 OR f.rule = $2) AND ($3 = '' OR f.school = $3) AND ($4 = '' OR substr(s.authority, 1, length($4)) = $4)
               AND ($5 = '' OR substr(s.region, 1, length($5)) = $5) AND ($6 = 0 OR f.state = $6) AND ($7 = 0 OR f.state < 50) AND ($8 = '' OR f.term = $8)
               AND ($9 IS NULL OR f.cause = $9) AND ($10 IS NULL OR f.entry = $10) AND ($14 = 0 OR (",
            added!(),
            "))"
        )
    };
}

/// The list of flags.
macro_rules! flags_listed {
    ($lead:literal, $order:literal) => {
        concat!(
            "SELECT f.flag, f.rule, f.entry, f.list, f.person, f.school, f.scheme, f.term, f.name, f.months, f.amount_fen, f.evidence, f.cause, f.state, f.holds,
                    f.judged_position, f.judged_at_us, f.opened_at_us, f.steps, a.id_sealed, a.state AS entry_state, coalesce(s.name, '') AS school_name,
                    coalesce(s.authority, '') AS authority, f.registered, (",
            added!(),
            ") AS added, EXISTS (SELECT 1 FROM flag_steps p WHERE f.state = $11 AND p.flag = f.flag AND p.act = $15
                  AND p.ordinal > (SELECT max(q.ordinal) FROM flag_steps q WHERE q.flag = f.flag AND q.act = $13)) AS changed
             FROM flags f
             LEFT JOIN award_entries a ON a.entry = f.entry
             LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
             WHERE ",
            flags_asked!($lead),
            " AND ($16 IS NULL OR f.flag < $16) ORDER BY f.flag ",
            $order,
            " LIMIT $17 OFFSET $18"
        )
    };
}

/// How many flags are asked for.
macro_rules! flags_counted {
    ($lead:literal, $order:literal) => {
        concat!(
            "SELECT count(*) FROM flags f
             LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
             WHERE ",
            flags_asked!($lead)
        )
    };
}

/// The text that is led by what a filter says most of all, and what it says of that.
macro_rules! led {
    ($text:ident, $order:literal, $filter:ident) => {
        match ($filter.flag, $filter.entry, $filter.subject, $filter.cause) {
            (Some(flag), ..) => ($text!("f.flag = $1", $order), flag),
            (None, Some(entry), ..) => ($text!("f.entry = $1", $order), entry),
            (None, None, Some(subject), _) => ($text!("f.person_subject = $1", $order), subject),
            (None, None, None, Some(cause)) => ($text!("f.cause = $1", $order), cause),
            (None, None, None, None) if !$filter.school.is_empty() => ($text!("$1 = $1 AND f.school = $3", $order), Uuid::nil()),
            (None, None, None, None) => ($text!("$1 = $1", $order), Uuid::nil()),
        }
    };
}

/// Runs a text about the flags that a filter asks for.
macro_rules! of_flags {
    ($run:ident!($tx:ident, $row:ty), $text:expr, $id:expr, $filter:ident $(, $more:expr)*) => {
        $run!(
            $tx,
            $row,
            $text,
            $id,
            $filter.rule.map_or(0, Rule::code),
            &$filter.school,
            &$filter.authority_prefix,
            &$filter.region_prefix,
            $filter.state.map_or(0, State::code),
            i32::from($filter.unclosed),
            &$filter.term,
            $filter.cause,
            $filter.entry,
            State::Confirmed.code(),
            Step::Explained.code(),
            Step::Confirmed.code(),
            i32::from($filter.added)
            $(, $more)*
        )
    };
}

/// Flags, newest first, or, of a numbered page, oldest first.
pub async fn flags(tx: &mut Tx, filter: &Filter, turn: &Turn<Uuid>) -> Result<Vec<FlagRow>, StoreError> {
    let (text, id) = if filter.oldest_first { led!(flags_listed, "ASC", filter) } else { led!(flags_listed, "DESC", filter) };
    of_flags!(rows!(tx, FlagRow), text, id, filter, Step::EvidenceChanged.code(), turn.after, turn.rows, turn.skip)
}

/// How many flags are asked for.
pub async fn count_flags(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let (text, id) = led!(flags_counted, "", filter);
    let count = of_flags!(one!(tx, (i64,)), text, id, filter)?;
    Ok(count.map(|(count,)| count).unwrap_or_default())
}

/// These flags, as they are.
pub async fn these_flags(tx: &mut Tx, flags: &[Uuid]) -> Result<Vec<FlagRow>, StoreError> {
    rows!(
        tx,
        FlagRow,
        sql!(
            "SELECT f.flag, f.rule, f.entry, f.list, f.person, f.school, f.scheme, f.term, f.name, f.months, f.amount_fen, f.evidence, f.cause, f.state, f.holds,
                    f.judged_position, f.judged_at_us, f.opened_at_us, f.steps, a.id_sealed, a.state AS entry_state, coalesce(s.name, '') AS school_name,
                    coalesce(s.authority, '') AS authority, f.registered, false AS added,
                    EXISTS (SELECT 1 FROM flag_steps p WHERE f.state = $2 AND p.flag = f.flag AND p.act = $3
                        AND p.ordinal > (SELECT max(q.ordinal) FROM flag_steps q WHERE q.flag = f.flag AND q.act = $4)) AS changed
             FROM flags f
             LEFT JOIN award_entries a ON a.entry = f.entry
             LEFT JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state)
             WHERE f.flag" in_uuids 1 " ORDER BY f.flag"
        ),
        bulk_uuids(flags.iter().copied()),
        State::Confirmed.code(),
        Step::EvidenceChanged.code(),
        Step::Confirmed.code()
    )
}

pub async fn steps(tx: &mut Tx, flag: Uuid) -> Result<Vec<StepRow>, StoreError> {
    rows!(tx, StepRow, "SELECT at_us, civil_day, actor_name, act, detail FROM flag_steps WHERE flag = $1 ORDER BY ordinal", flag)
}

/// Locks flags against the judge and against others who act on them, in sorted order; returns which there are.
pub async fn lock_flags(tx: &mut Tx, flags: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let locked = rows!(
        tx,
        (Uuid,),
        sql!("SELECT flag FROM flags WHERE flag" in_uuids 1 " ORDER BY flag" only(sqlite "", postgres " FOR UPDATE")),
        bulk_uuids(flags.iter().copied())
    )?;
    Ok(locked.into_iter().map(|(flag,)| flag).collect())
}

/// Locks the flags of a cause in the same way.
pub async fn lock_cause(tx: &mut Tx, cause: Uuid) -> Result<(), StoreError> {
    rows!(tx, (Uuid,), sql!("SELECT flag FROM flags WHERE cause = $1 ORDER BY flag" only(sqlite "", postgres " FOR UPDATE")), cause)?;
    Ok(())
}

/// What an act makes of a flag.
#[derive(Debug, Serialize)]
pub struct ActedFlag {
    pub flag: Hex,
    pub state: i32,
    pub holds: bool,
    pub steps: i32,
}

pub async fn set_states(tx: &mut Tx, flags: &[ActedFlag]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE flags SET state = t.state, holds = t.holds, steps = t.steps
             FROM " table 1 (flag uuid, state integer, holds boolean, steps integer) " WHERE flags.flag = t.flag"
        ),
        bulk_rows(flags)
    )?;
    Ok(())
}

/// Remembers for what evidence no fault was found.
pub async fn remember(tx: &mut Tx, flags: &[Uuid]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE flags SET cleared_digest = evidence_digest, cleared_version = evidence_version WHERE flag" in_uuids 1),
        bulk_uuids(flags.iter().copied())
    )?;
    Ok(())
}

/// Forgets for what evidence no fault was found: a fault was, since, and has a case in the register.
pub async fn forget(tx: &mut Tx, flags: &[Uuid]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE flags SET cleared_digest = NULL, cleared_version = 0, registered = $2 WHERE flag" in_uuids 1),
        bulk_uuids(flags.iter().copied()),
        true
    )?;
    Ok(())
}

/// Flags of one cause at one school that nobody decided, counted.
#[derive(Debug, sqlx::FromRow)]
pub struct CauseRow {
    pub cause: Uuid,
    pub school: String,
    pub open: i64,
    pub explained: i64,
    pub amount_fen: i64,
    pub opened_at_us: i64,
    pub flags: i64,
}

/// What they are about.
#[derive(Debug, sqlx::FromRow)]
pub struct ToldRow {
    pub cause: Uuid,
    pub school: String,
    #[sqlx(try_from = "i32")]
    pub rule: Rule,
    pub cause_text: String,
    pub name: String,
    pub open_date: NaiveDate,
}

/// Causes of a school, of schools under an authority, or of all, those with most flags first.
pub async fn causes(tx: &mut Tx, school: &str, authority_prefix: &str, term: &str) -> Result<Vec<CauseRow>, StoreError> {
    /// By what they are found: a school's or a department's by their schools, all as they lie.
    macro_rules! found {
        ($leads:literal) => {
            rows!(
                tx,
                CauseRow,
                concat!(
                    "SELECT f.cause, f.school, sum(CASE WHEN f.state = $4 THEN 1 ELSE 0 END) AS open,
                            sum(CASE WHEN f.state = $5 THEN 1 ELSE 0 END) AS explained, CAST(sum(f.amount_fen) AS bigint) AS amount_fen,
                            min(f.opened_at_us) AS opened_at_us, count(*) AS flags
                     FROM flags f WHERE f.state <= 10 AND ",
                    $leads,
                    " AND ($3 = '' OR f.term = $3) GROUP BY f.cause, f.school ORDER BY count(*) DESC, f.cause LIMIT 500"
                ),
                school,
                authority_prefix,
                term,
                State::Open.code(),
                State::Explained.code()
            )
        };
    }
    if !school.is_empty() {
        found!("f.school = $1 AND $2 = $2")
    } else if !authority_prefix.is_empty() {
        found!(
            "$1 = '' AND f.school IN (SELECT s.school FROM mirror_schools s
                                      WHERE s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($2)) = $2)"
        )
    } else {
        found!("$1 = $2")
    }
}

/// What flags of causes are about that nobody decided, and since when, by cause and school.
pub async fn causes_told(tx: &mut Tx, causes: &[Uuid], term: &str) -> Result<Vec<ToldRow>, StoreError> {
    rows!(
        tx,
        ToldRow,
        sql!(
            "SELECT f.cause, f.school, min(f.rule) AS rule, min(f.cause_text) AS cause_text, min(f.name) AS name, min(p.civil_day) AS open_date
             FROM flags f JOIN flag_steps p ON p.flag = f.flag AND p.ordinal = 0
             WHERE f.state <= 10 AND ($2 = '' OR f.term = $2) AND f.cause" in_uuids 1 " GROUP BY f.cause, f.school"
        ),
        bulk_uuids(causes.iter().copied()),
        term
    )
}

/// A flag that nobody decided.
#[derive(Debug, sqlx::FromRow)]
pub struct UndecidedRow {
    pub cause: Uuid,
    pub flag: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub steps: i32,
}

/// Flags of these causes that nobody decided.
pub async fn undecided(tx: &mut Tx, causes: &[Uuid], term: &str) -> Result<Vec<UndecidedRow>, StoreError> {
    rows!(
        tx,
        UndecidedRow,
        sql!("SELECT cause, flag, state, steps FROM flags WHERE state IN ($2, $3) AND ($4 = '' OR term = $4) AND cause" in_uuids 1),
        bulk_uuids(causes.iter().copied()),
        State::Open.code(),
        State::Explained.code(),
        term
    )
}

/// Entries of these that a flag holds, or whose person is marked and not judged yet.
pub async fn held_entries(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let held = rows!(
        tx,
        (Uuid,),
        sql!(
            "SELECT a.entry FROM award_claims a
             WHERE (EXISTS (SELECT 1 FROM flags f WHERE f.entry = a.entry AND f.holds) OR EXISTS (SELECT 1 FROM marked_keys m WHERE m.person_key = a.person_key))
               AND a.list" in_uuids 1
        ),
        bulk_uuids(lists.iter().copied())
    )?;
    Ok(held.into_iter().map(|(entry,)| entry).collect())
}

/// Entries of these that a flag holds.
pub async fn flagged_entries(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let held = rows!(tx, (Uuid,), sql!("SELECT DISTINCT f.entry FROM flags f WHERE f.holds AND f.entry" in_uuids 1), bulk_uuids(entries.iter().copied()))?;
    Ok(held.into_iter().map(|(entry,)| entry).collect())
}

/// A flag of an entry, in brief.
#[derive(Debug, sqlx::FromRow)]
pub struct EntryFlag {
    pub entry: Uuid,
    pub flag: Uuid,
    #[sqlx(try_from = "i32")]
    pub rule: Rule,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub holds: bool,
}

/// Flags of a list's entries that are not closed.
pub async fn flags_of_list(tx: &mut Tx, list: Uuid) -> Result<Vec<EntryFlag>, StoreError> {
    rows!(tx, EntryFlag, "SELECT entry, flag, rule, state, holds FROM flags WHERE list = $1 AND entry IS NOT NULL AND state < 50", list)
}
