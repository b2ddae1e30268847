//! SQL of suspects, of the day through which time has woken, and of runs.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::money::AccountKind;
use xuezhu_judge::{case::StatementKind, entry::State as EntryState};
use xuezhu_store::{StoreError, Tx, bulk_rows, one, rows, run, sql};

use super::{
    eligible::{Asking, Asks, Listed, Stops, Sure, Words},
    runs::RunState,
};
use crate::mirror;

/// The day through which time has woken, and by what was judged then.
pub async fn woken_through(tx: &mut Tx) -> Result<Option<(NaiveDate, Uuid)>, StoreError> {
    one!(tx, (NaiveDate, Uuid), "SELECT through_day, policy FROM woken")
}

pub async fn wake_through(tx: &mut Tx, day: NaiveDate, standard: Uuid) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO woken (only_row, through_day, policy) VALUES (1, $1, $2) ON CONFLICT (only_row) DO UPDATE SET through_day = excluded.through_day, policy = excluded.policy",
        day,
        standard
    )?;
    Ok(())
}

/// What a sweep covers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'s> {
    /// Term; empty for all.
    pub term: &'s str,
    /// First digits of the region of the schools; empty for all.
    pub region_prefix: &'s str,
}

/// Keys of entries whose school does not simply vouch for them over all their months: the anti-join of the sweep.
/// Entries that are vouched for are judged only where another pass finds them.
pub async fn unvouched(tx: &mut Tx, generation: i64, scope: &Scope<'_>) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        "SELECT a.person_key FROM award_claims a
         WHERE ($2 = '' OR a.term = $2) AND ($3 = '' OR a.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $1 AND substr(s.region, 1, length($3)) = $3))
           AND NOT EXISTS (
             SELECT 1 FROM vouches v
             WHERE v.generation = $1 AND v.person_key = a.person_key AND v.school = a.school AND v.name_comparable = a.name_comparable
               AND v.from_date <= a.first_day AND v.to_date > a.last_day)",
        generation,
        scope.term,
        scope.region_prefix
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Under which versions of the policy there are lists, of which schemes and terms.
pub async fn kinds_of_lists(tx: &mut Tx, term: &str) -> Result<Vec<(i32, String, String)>, StoreError> {
    rows!(tx, (i32, String, String), "SELECT DISTINCT policy, scheme, term FROM award_lists WHERE $1 = '' OR term = $1", term)
}

/// Keys of entries that their school vouches for, and that what the policy asks does not surely let in.
pub(super) async fn not_surely_entitled(tx: &mut Tx, generation: i64, scope: &Scope<'_>, asked: &[Asks], words: &Words) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        sql!(
            "WITH asked AS MATERIALIZED (
                 SELECT t.policy, t.scheme, t.term, t.region, t.study_form, t.entered_from, t.entered_before, t.excludes, t.agricultural, t.rural, t.areas, t.majors, t.hardship, t.everybody
                 FROM " table 1 (policy integer, scheme text, term text, region text, study_form text, entered_from date, entered_before date,
                                 excludes boolean, agricultural boolean, rural boolean, areas text, majors text, hardship boolean, everybody boolean) ")
             SELECT a.person_key FROM award_claims a CROSS JOIN asked q
             JOIN vouches v ON v.generation = $2 AND v.person_key = a.person_key AND v.school = a.school AND v.name_comparable = a.name_comparable
                  AND v.from_date <= a.first_day AND v.to_date > a.last_day
             JOIN mirror_periods p ON p.generation = $2 AND p.enrollment = v.enrollment AND p.ordinal = v.ordinal
             JOIN mirror_enrollments e ON e.generation = $2 AND e.enrollment = v.enrollment
             WHERE q.policy = a.policy AND q.scheme = a.scheme AND q.term = a.term
               AND ($3 = '' OR a.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $2 AND substr(s.region, 1, length($3)) = $3))
               AND (q.region = '' OR EXISTS (
                 SELECT 1 FROM mirror_schools s WHERE s.generation = $2 AND s.school = a.school AND substr(s.region, 1, length(q.region)) = q.region))
               AND NOT (
                 (q.study_form = '' OR p.study_form = q.study_form) AND e.entry_date >= q.entered_from AND e.entry_date < q.entered_before
                 AND (NOT q.excludes OR p.major" in_texts 5 ")
                 AND (q.everybody
                   OR (q.agricultural AND p.major" in_texts 4 ")
                   OR (q.rural AND (p.urban_rural" in_texts 6 " OR (p.urban_rural = '' AND (p.household = $10 OR p.residence" in_texts 8 "))))
                   OR (q.areas <> '' AND p.registered_region <> ''
                     AND (p.urban_rural" in_texts 7 " OR (p.urban_rural = '' AND (p.household = $10 OR p.residence" in_texts 9 ")))
                     AND (q.areas LIKE '%,' || substr(p.registered_region, 1, 2) || ',%' OR q.areas LIKE '%,' || substr(p.registered_region, 1, 4) || ',%'
                       OR q.areas LIKE '%,' || p.registered_region || ',%'))
                   OR (q.majors <> '' AND q.majors LIKE '%,' || p.major || ',%')
                   OR (q.hardship
                     AND EXISTS (SELECT 1 FROM determined_levels l WHERE l.person_key = a.person_key AND l.name_comparable = a.name_comparable
                                 AND l.level <> '' AND l.from_day <= a.first_day AND l.to_day > a.last_day)
                     AND NOT EXISTS (SELECT 1 FROM determined_levels l WHERE l.person_key = a.person_key AND l.level = ''))))"
        ),
        bulk_rows(asked),
        generation,
        scope.region_prefix,
        &words.agricultural,
        &words.not_performing,
        &words.towns,
        &words.villages,
        &words.town_residences,
        &words.village_residences,
        words.household
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys of entries of private schools that are not on a list of those that may be given the scheme.
pub(super) async fn barred(tx: &mut Tx, generation: i64, scope: &Scope<'_>, listed: &[Listed]) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        sql!(
            "WITH listed AS (SELECT t.policy, t.scheme, t.term, t.region, t.schools FROM " table 1 (policy integer, scheme text, term text, region text, schools text) "),
             barred AS MATERIALIZED (
                 SELECT DISTINCT s.school, q.policy, q.scheme, q.term FROM mirror_schools s JOIN listed q ON substr(s.region, 1, length(q.region)) = q.region
                 WHERE s.generation = $2 AND s.kind = $4 AND substr(s.region, 1, length($3)) = $3 AND q.schools NOT LIKE '%,' || s.school || ',%')
             SELECT DISTINCT a.person_key FROM barred b JOIN award_claims a ON a.school = b.school AND a.policy = b.policy AND a.scheme = b.scheme AND a.term = b.term"
        ),
        bulk_rows(listed),
        generation,
        scope.region_prefix,
        mirror::PRIVATE
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys of entries whose school does not vouch for them until the end of their last month, where aid stops with the month in which somebody leaves.
/// Whom it does not vouch for until the beginning of that month is found without this.
pub(super) async fn leaving(tx: &mut Tx, generation: i64, scope: &Scope<'_>, stops: &[Stops]) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        sql!(
            "WITH stops AS MATERIALIZED (SELECT t.policy, t.term, t.region, t.first, t.before FROM " table 1 (policy integer, term text, region text, first date, before date) ")
             SELECT DISTINCT a.person_key FROM award_claims a JOIN stops q ON q.policy = a.policy AND q.term = a.term AND q.first = a.last_day
             WHERE ($3 = '' OR a.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $2 AND substr(s.region, 1, length($3)) = $3))
               AND (q.region = '' OR EXISTS (
                 SELECT 1 FROM mirror_schools s WHERE s.generation = $2 AND s.school = a.school AND substr(s.region, 1, length(q.region)) = q.region))
               AND NOT EXISTS (
                 SELECT 1 FROM vouches v
                 WHERE v.generation = $2 AND v.person_key = a.person_key AND v.school = a.school AND v.name_comparable = a.name_comparable
                   AND v.from_date <= a.first_day AND v.to_date >= q.before)"
        ),
        bulk_rows(stops),
        generation,
        scope.region_prefix
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys of entries with more a month than anybody may draw.
pub(super) async fn above(tx: &mut Tx, generation: i64, scope: &Scope<'_>, sure: &[Sure]) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        sql!(
            "WITH sure AS MATERIALIZED (SELECT t.policy, t.scheme, t.term, t.fen FROM " table 1 (policy integer, scheme text, term text, fen bigint) ")
             SELECT DISTINCT a.person_key FROM award_claims a JOIN sure q ON q.policy = a.policy AND q.scheme = a.scheme AND q.term = a.term
             WHERE a.month_fen > q.fen
               AND ($3 = '' OR a.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $2 AND substr(s.region, 1, length($3)) = $3))"
        ),
        bulk_rows(sure),
        generation,
        scope.region_prefix
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys of entries whose account is looked at: several students name it, or it is no card, or somebody is said to hold it.
pub async fn of_accounts(tx: &mut Tx, generation: i64, scope: &Scope<'_>) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        "SELECT DISTINCT a.person_key FROM award_entries a
         WHERE a.card_key IS NOT NULL AND a.state < 50 AND ($2 = '' OR a.term = $2)
           AND ($3 = '' OR a.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $1 AND substr(s.region, 1, length($3)) = $3))
           AND (a.card_kind = $4 OR (a.card_holder <> '' AND a.card_holder <> a.name) OR EXISTS (
             SELECT 1 FROM award_entries o WHERE o.card_key = a.card_key AND o.card_key IS NOT NULL AND o.state < 50 AND o.person_key <> a.person_key))",
        generation,
        scope.term,
        scope.region_prefix,
        AccountKind::Other.code()
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys of entries that the principal signed, and of which nobody recorded an application, where their lists ask for one.
pub(super) async fn without_application(tx: &mut Tx, generation: i64, scope: &Scope<'_>, asking: &[Asking]) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        sql!(
            "WITH asking AS MATERIALIZED (SELECT t.policy, t.scheme, t.term FROM " table 1 (policy integer, scheme text, term text) ")
             SELECT DISTINCT a.person_key FROM award_claims a JOIN asking q ON q.policy = a.policy AND q.scheme = a.scheme AND q.term = a.term
             WHERE (a.state = $4 OR a.state = $5)
               AND ($3 = '' OR a.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $2 AND substr(s.region, 1, length($3)) = $3))
               AND NOT EXISTS (SELECT 1 FROM standing_statements s WHERE s.person_key = a.person_key AND s.school = a.school AND s.scheme = a.scheme
                                 AND s.term = a.term AND s.name_comparable = a.name_comparable AND s.kind = $6)"
        ),
        bulk_rows(asking),
        generation,
        scope.region_prefix,
        EntryState::Attested.code(),
        EntryState::Approved.code(),
        StatementKind::Application.code()
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys of entries that were one too many when their list was weighed last.
pub async fn exceeding(tx: &mut Tx, generation: i64, scope: &Scope<'_>) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        "SELECT DISTINCT a.person_key FROM quota_excess x JOIN award_claims a ON a.entry = x.entry
         WHERE ($2 = '' OR a.term = $2)
           AND ($3 = '' OR a.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $1 AND substr(s.region, 1, length($3)) = $3))",
        generation,
        scope.term,
        scope.region_prefix
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys with more than one entry of a scheme and term.
pub async fn claimed_twice(tx: &mut Tx, generation: i64, scope: &Scope<'_>) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        // The index alone answers who is listed twice; schools are looked up only of those.
        "SELECT a.person_key FROM award_claims a WHERE ($1 = '' OR a.term = $1) GROUP BY a.person_key, a.scheme, a.term
         HAVING count(*) > 1 AND ($3 = '' OR EXISTS (
             SELECT 1 FROM award_claims b JOIN mirror_schools s ON s.school = b.school AND s.generation = $2
             WHERE b.person_key = a.person_key AND b.scheme = a.scheme AND b.term = a.term AND substr(s.region, 1, length($3)) = $3))",
        scope.term,
        generation,
        scope.region_prefix
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// The first day from which anybody is vouched for, and the first day that a place was approved on.
pub async fn first_vouched(tx: &mut Tx, generation: i64) -> Result<Option<(NaiveDate, NaiveDate)>, StoreError> {
    let first = one!(tx, (Option<NaiveDate>, Option<NaiveDate>), "SELECT min(from_date), min(approved_day) FROM vouches WHERE generation = $1", generation)?;
    Ok(first.and_then(|(from, approved)| from.zip(approved)))
}

/// Keys vouched for on a term's count day at a school on whose submitted lists of a scheme they don't stand.
pub async fn unlisted(
    tx: &mut Tx,
    generation: i64,
    scheme: &str,
    scope: &Scope<'_>,
    count_day: NaiveDate,
    approved_before: NaiveDate,
) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        "SELECT v.person_key FROM vouches v
         WHERE v.generation = $1 AND v.from_date <= $4 AND v.to_date > $4 AND v.approved_day < $5
           AND ($6 = '' OR v.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $1 AND substr(s.region, 1, length($6)) = $6))
           AND NOT EXISTS (
             SELECT 1 FROM award_claims a
             WHERE a.person_key = v.person_key AND a.scheme = $2 AND a.term = $3 AND a.school = v.school AND a.state > 10)",
        generation,
        scheme,
        scope.term,
        count_day,
        approved_before,
        scope.region_prefix
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys that some person held and holds no more: who is meant by them is the judge's to say.
pub async fn former_keys(tx: &mut Tx, generation: i64) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(tx, (Uuid,), "SELECT DISTINCT person_key FROM mirror_person_keys WHERE generation = $1 AND kind <> 1", generation)?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Keys of each subject that has a flag which is not closed.
pub async fn flagged_keys(tx: &mut Tx, generation: i64, scope: &Scope<'_>) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        "WITH flagged AS (
             SELECT DISTINCT f.person_subject AS subject FROM flags f
             WHERE f.state < 50 AND ($3 = '' OR f.term = $3)
               AND ($2 = '' OR f.school IN (SELECT s.school FROM mirror_schools s WHERE s.generation = $1 AND substr(s.region, 1, length($2)) = $2)))
         SELECT l.person_key FROM person_locks l JOIN flagged ON flagged.subject = l.subject
         UNION SELECT k.person_key FROM person_subjects p JOIN flagged ON flagged.subject = p.subject
               JOIN mirror_person_keys k ON k.person = p.person AND k.generation = $1 AND k.kind = 1",
        generation,
        scope.region_prefix,
        scope.term
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

#[derive(Debug, sqlx::FromRow)]
pub struct RunRow {
    pub run: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: RunState,
    pub term: String,
    pub region: String,
    pub judged: i32,
    pub suspects: i32,
    pub started_at_us: i64,
    pub ended_at_us: i64,
    pub position: i64,
    /// What a run found that only finds out.
    pub effect: String,
}

/// `policy` is that whose effect it finds out, where it does not judge.
pub async fn insert_run(tx: &mut Tx, run: Uuid, (term, region): (&str, &str), policy: Option<Uuid>, now_us: i64, actor: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO runs (run, state, term, region, judged, suspects, started_at_us, ended_at_us, position, actor, policy)
         VALUES ($1, $6, $2, $3, 0, 0, $4, 0, 0, $5, $7)",
        run,
        term,
        region,
        now_us,
        actor,
        RunState::Running.code(),
        policy
    )?;
    Ok(())
}

/// How many runs of an account are under way, and how many it began since a time.
pub async fn runs_of(tx: &mut Tx, actor: &str, since_us: i64) -> Result<(i64, i64), StoreError> {
    let counts = one!(
        tx,
        (i64, i64),
        "SELECT count(CASE WHEN state = $3 THEN 1 END), count(CASE WHEN started_at_us >= $2 THEN 1 END) FROM runs WHERE actor = $1",
        actor,
        since_us,
        RunState::Running.code()
    )?;
    Ok(counts.unwrap_or_default())
}

/// Notes what a run found.
pub async fn note_effect(tx: &mut Tx, run: Uuid, effect: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE runs SET effect = $2 WHERE run = $1", run, effect)?;
    Ok(())
}

pub async fn note_run(tx: &mut Tx, run: Uuid, state: RunState, judged: i32, suspects: i32, ended_at_us: i64, position: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE runs SET state = $2, judged = $3, suspects = $4, ended_at_us = $5, position = $6 WHERE run = $1",
        run,
        state.code(),
        judged,
        suspects,
        ended_at_us,
        position
    )?;
    Ok(())
}

/// Says that somebody works on a run.
pub async fn beat(tx: &mut Tx, run: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE runs SET beats = beats + 1 WHERE run = $1", run)?;
    Ok(())
}

/// Runs that are under way, with their beats.
pub async fn running(tx: &mut Tx) -> Result<Vec<(Uuid, i64)>, StoreError> {
    rows!(tx, (Uuid, i64), "SELECT run, beats FROM runs WHERE state = $1", RunState::Running.code())
}

/// Tells a run as failed, if its beat still stands as it was seen.
pub async fn fail_run(tx: &mut Tx, run: Uuid, beats: i64, now_us: i64) -> Result<bool, StoreError> {
    let (failed, running) = (RunState::Failed.code(), RunState::Running.code());
    Ok(run!(tx, "UPDATE runs SET state = $4, ended_at_us = $3 WHERE run = $1 AND beats = $2 AND state = $5", run, beats, now_us, failed, running)? == 1)
}

pub async fn run_row(tx: &mut Tx, run: Uuid) -> Result<Option<RunRow>, StoreError> {
    one!(
        tx,
        RunRow,
        "SELECT run, state, term, region, judged, suspects, started_at_us, ended_at_us, position, effect FROM runs WHERE run = $1 AND policy IS NULL",
        run
    )
}

/// The last run that found out, or does, what a policy changes.
pub async fn last_of_policy(tx: &mut Tx, policy: Uuid) -> Result<Option<RunRow>, StoreError> {
    one!(
        tx,
        RunRow,
        "SELECT run, state, term, region, judged, suspects, started_at_us, ended_at_us, position, effect FROM runs WHERE policy = $1 ORDER BY run DESC LIMIT 1",
        policy
    )
}
