//! SQL of limits: students that shares are of, and who was let in.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::case::Stage;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_texts, bulk_uuids, rows, run, sql};

use crate::mirror;

/// A limit of a version of the policy, at a place.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub policy: i32,
    pub quota: &'a str,
    pub scheme: &'a str,
    pub term: &'a str,
    pub place: &'a str,
}

/// Locks the gates of places: whoever approves under the limits of one waits until another has.
pub async fn lock(tx: &mut Tx, scheme: &str, term: &str, place: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO quota_gates (scheme, term, place) VALUES ($1, $2, $3) ON CONFLICT (scheme, term, place) DO UPDATE SET place = excluded.place",
        scheme,
        term,
        place
    )?;
    Ok(())
}

/// Students of a grade that a share is of.
#[derive(Debug, sqlx::FromRow)]
pub struct BaseRow {
    pub grade: i32,
    pub students: i64,
    pub of_day: NaiveDate,
    pub counted_day: NaiveDate,
}

pub async fn bases(tx: &mut Tx, at: At<'_>) -> Result<Vec<BaseRow>, StoreError> {
    rows!(
        tx,
        BaseRow,
        "SELECT grade, students, of_day, counted_day FROM quota_bases WHERE policy = $1 AND quota = $2 AND scheme = $3 AND term = $4 AND place = $5
         ORDER BY grade",
        at.policy,
        at.quota,
        at.scheme,
        at.term,
        at.place
    )
}

/// The same of any limit at any place.
#[derive(Debug, sqlx::FromRow)]
pub struct BaseOf {
    pub policy: i32,
    pub quota: String,
    pub place: String,
    #[sqlx(flatten)]
    pub base: BaseRow,
}

/// Students that shares are of at some places.
pub async fn bases_of(tx: &mut Tx, scheme: &str, term: &str, places: &[String]) -> Result<Vec<BaseOf>, StoreError> {
    rows!(
        tx,
        BaseOf,
        sql!(
            "SELECT policy, quota, place, grade, students, of_day, counted_day FROM quota_bases
             WHERE scheme = $2 AND term = $3 AND place" in_texts 1 " ORDER BY policy, quota, place, grade"
        ),
        bulk_texts(places.iter().map(String::as_str)),
        scheme,
        term
    )
}

/// Keeps what was counted, instead of what was before.
pub async fn keep_bases(tx: &mut Tx, at: At<'_>, bases: &[(i32, i64)], (of_day, counted_day): (NaiveDate, NaiveDate)) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE quota_bases SET students = 0 WHERE policy = $1 AND quota = $2 AND scheme = $3 AND term = $4 AND place = $5",
        at.policy,
        at.quota,
        at.scheme,
        at.term,
        at.place
    )?;
    for (grade, students) in bases {
        run!(
            tx,
            "INSERT INTO quota_bases (policy, quota, scheme, term, place, grade, students, of_day, counted_day) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (policy, quota, scheme, term, place, grade)
             DO UPDATE SET students = excluded.students, of_day = excluded.of_day, counted_day = excluded.counted_day",
            at.policy,
            at.quota,
            at.scheme,
            at.term,
            at.place,
            *grade,
            *students,
            of_day,
            counted_day
        )?;
    }
    Ok(())
}

/// Students of whom the same is known, counted.
#[derive(Debug, sqlx::FromRow)]
pub struct AlikeRow {
    /// Region of the school.
    pub region: String,
    /// Code of a private school; empty for all others.
    pub private_school: String,
    pub entry_date: NaiveDate,
    pub major: String,
    pub study_form: String,
    pub household: String,
    pub residence: String,
    pub urban_rural: String,
    pub registered_region: String,
    pub students: i64,
}

/// Who is in school on a day at a school or in a region, by what decides of them.
pub async fn alike(tx: &mut Tx, generation: i64, place: &str, day: NaiveDate) -> Result<Vec<AlikeRow>, StoreError> {
    rows!(
        tx,
        AlikeRow,
        "SELECT s.region, CASE WHEN s.kind = $6 THEN s.school ELSE '' END AS private_school, e.entry_date, p.major, p.study_form, p.household, p.residence, p.urban_rural, p.registered_region, count(DISTINCT e.person) AS students
         FROM mirror_schools s JOIN mirror_enrollments e ON e.generation = s.generation AND e.school = s.school
         JOIN mirror_periods p ON p.generation = e.generation AND p.enrollment = e.enrollment
         WHERE s.generation = $1 AND (s.school = $2 OR substr(s.region, 1, length($2)) = $2)
           AND e.stage = $3 AND p.state = $4 AND p.from_date <= $5 AND (p.to_date IS NULL OR p.to_date > $5)
         GROUP BY s.region, CASE WHEN s.kind = $6 THEN s.school ELSE '' END, e.entry_date, p.major, p.study_form, p.household, p.residence, p.urban_rural,
                  p.registered_region",
        generation,
        place,
        Stage::Approved.code(),
        PeriodState::InSchool.code(),
        day,
        mirror::PRIVATE
    )
}

/// Who was let in at a place, counted by grade and grounds: those of whom something is left.
pub async fn taken(tx: &mut Tx, scheme: &str, term: &str, place: &str) -> Result<Vec<(i32, String, i64)>, StoreError> {
    rows!(
        tx,
        (i32, String, i64),
        "SELECT q.grade, q.grounds, count(*) FROM quota_places q
         WHERE q.scheme = $1 AND q.term = $2 AND (q.school = $3 OR substr(q.region, 1, length($3)) = $3)
           AND EXISTS (SELECT 1 FROM award_claims c WHERE c.entry = q.entry)
         GROUP BY q.grade, q.grounds",
        scheme,
        term,
        place
    )
}

/// Who was let in in a region or at some schools, counted by school, its region, grade and grounds.
pub async fn taken_under(
    tx: &mut Tx,
    scheme: &str,
    term: &str,
    prefix: &str,
    schools: &[String],
) -> Result<Vec<(String, String, i32, String, i64)>, StoreError> {
    rows!(
        tx,
        (String, String, i32, String, i64),
        sql!(
            "SELECT q.school, q.region, q.grade, q.grounds, count(*) FROM quota_places q
             WHERE q.scheme = $2 AND q.term = $3 AND (substr(q.region, 1, length($4)) = $4 OR q.school" in_texts 1 ")
               AND EXISTS (SELECT 1 FROM award_claims c WHERE c.entry = q.entry)
             GROUP BY q.school, q.region, q.grade, q.grounds"
        ),
        bulk_texts(schools.iter().map(String::as_str)),
        scheme,
        term,
        prefix
    )
}

/// Somebody who is let in.
#[derive(Debug, Serialize)]
pub struct PlaceRow<'p> {
    pub entry: Hex,
    pub scheme: &'p str,
    pub term: &'p str,
    pub school: &'p str,
    pub region: &'p str,
    pub grade: i32,
    pub grounds: String,
}

pub async fn take(tx: &mut Tx, places: &[PlaceRow<'_>]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO quota_places (entry, scheme, term, school, region, grade, grounds)
             SELECT t.entry, t.scheme, t.term, t.school, t.region, t.grade, t.grounds
             FROM " table 1 (entry uuid, scheme text, term text, school text, region text, grade integer, grounds text)
        ),
        bulk_rows(places)
    )?;
    Ok(())
}

/// A place, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub struct BoundPlace {
    pub entry: Uuid,
    pub scheme: String,
    pub term: String,
    pub school: String,
    pub region: String,
    pub grade: i32,
    pub grounds: String,
}

pub async fn bound(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<BoundPlace>, StoreError> {
    rows!(
        tx,
        BoundPlace,
        sql!("SELECT entry, scheme, term, school, region, grade, grounds FROM quota_places WHERE entry" in_uuids 1),
        bulk_uuids(entries.iter().copied())
    )
}

/// Entries with a place after one, in order.
pub async fn bound_after(tx: &mut Tx, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    // Whoever adds one by hand may give it the first of all ids.
    let found = rows!(
        tx,
        (Uuid,),
        "SELECT entry FROM quota_places WHERE entry >= $1 AND ($2 IS NULL OR entry <> $2) ORDER BY entry LIMIT $3",
        after.unwrap_or_default(),
        after,
        limit
    )?;
    Ok(found.into_iter().map(|(entry,)| entry).collect())
}

/// Who of these was one too many when they were weighed last, and of what.
pub async fn excess(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(tx, (Uuid, String), sql!("SELECT entry, excess FROM quota_excess WHERE entry" in_uuids 1), bulk_uuids(entries.iter().copied()))
}

pub async fn forget_excess(tx: &mut Tx, entries: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM quota_excess WHERE entry" in_uuids 1), bulk_uuids(entries.iter().copied()))?;
    Ok(())
}

/// Somebody who is one too many.
#[derive(Debug, Serialize)]
pub struct ExcessRow {
    pub entry: Hex,
    pub excess: String,
}

pub async fn note_excess(tx: &mut Tx, rows: &[ExcessRow]) -> Result<(), StoreError> {
    run!(tx, sql!("INSERT INTO quota_excess (entry, excess) SELECT t.entry, t.excess FROM " table 1 (entry uuid, excess text)), bulk_rows(rows))?;
    Ok(())
}

/// A limit that was counted somewhere.
#[derive(Debug, sqlx::FromRow)]
pub struct CountedRow {
    pub policy: i32,
    pub quota: String,
    pub place: String,
    /// Region of the school where it is one; else the place.
    pub region: String,
}

/// Limits of a scheme and term that were counted at places under an authority, by place.
pub async fn counted(
    tx: &mut Tx,
    generation: i64,
    (scheme, term, prefix): (&str, &str, &str),
    after: &(String, i32, String),
    (limit, skip): (i64, i64),
) -> Result<Vec<CountedRow>, StoreError> {
    rows!(
        tx,
        CountedRow,
        "SELECT b.policy, b.quota, b.place, coalesce(s.region, b.place) AS region FROM quota_bases b
         LEFT JOIN mirror_schools s ON s.generation = $1 AND s.school = b.place
         WHERE b.scheme = $2 AND b.term = $3 AND b.grade = 0 AND substr(coalesce(s.authority, b.place), 1, length($4)) = $4
           AND (b.place, b.policy, b.quota) > ($5, $6, $7)
         ORDER BY b.place, b.policy, b.quota LIMIT $8 OFFSET $9",
        generation,
        scheme,
        term,
        prefix,
        &after.0,
        after.1,
        &after.2,
        limit,
        skip
    )
}
