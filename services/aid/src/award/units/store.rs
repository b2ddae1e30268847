//! SQL of units. Those below 50 stand, from 11 to 19 they are somebody's, 51 is double ([`Standing`](super::rules::Standing)).

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_judge::entry::State;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, rows, run, sql};

use super::rules::Standing;

/// A unit as it is written.
#[derive(Debug, Serialize)]
pub struct NewUnit {
    pub entry: Hex,
    pub first_month: i32,
    pub unit: i32,
    pub scheme: &'static str,
    pub subject: Option<Hex>,
    pub fen: i64,
    pub standing: i32,
    pub taken_by: Option<Hex>,
}

/// An entry that is approved, and whose it is.
#[derive(Debug, Serialize)]
pub struct ApprovedRow {
    pub entry: Hex,
    pub subject: Hex,
}

/// By whose a unit is taken, if it is.
#[derive(Debug, Serialize)]
pub struct TakenRow {
    pub entry: Hex,
    pub first_month: i32,
    pub taken_by: Option<Hex>,
}

/// A unit of an entry, with the entry that has it already.
#[derive(Debug, sqlx::FromRow)]
pub struct UnitRow {
    pub entry: Uuid,
    pub unit: i32,
    pub first_month: i32,
    pub fen: i64,
    #[sqlx(try_from = "i32")]
    pub standing: Standing,
    pub taken_by: Option<Uuid>,
    pub by_school: String,
    pub by_scheme: String,
    pub by_term: String,
    pub by_supplement: i32,
}

/// A unit that was approved twice before units were rows, with both entries.
#[derive(Debug, sqlx::FromRow)]
pub struct DoubleRow {
    pub entry: Uuid,
    pub first_month: i32,
    pub unit: i32,
    pub fen: i64,
    pub list: Uuid,
    pub school: String,
    pub school_name: String,
    pub scheme: String,
    pub term: String,
    pub name: String,
    pub by_entry: Option<Uuid>,
    pub by_list: Option<Uuid>,
    pub by_school: String,
    pub by_school_name: String,
    pub by_authority: String,
}

pub async fn insert(tx: &mut Tx, units: &[NewUnit], since: Option<NaiveDate>) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO award_units (entry, first_month, unit, scheme, subject, fen, standing, standing_since, taken_by)
             SELECT t.entry, t.first_month, t.unit, t.scheme, t.subject, t.fen, t.standing, $2, t.taken_by
             FROM " table 1 (entry uuid, first_month integer, unit integer, scheme text, subject uuid, fen bigint, standing integer, taken_by uuid)
        ),
        bulk_rows(units),
        since
    )?;
    Ok(())
}

/// Takes away the units of entries that are written anew, or that are no more.
pub async fn delete(tx: &mut Tx, entries: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM award_units WHERE entry" in_uuids 1), bulk_uuids(entries.iter().copied()))?;
    Ok(())
}

/// What some have approved of a scheme: whose, unit, first month, entry.
pub async fn approved(tx: &mut Tx, scheme: &str, subjects: &[Uuid]) -> Result<Vec<(Uuid, i32, i32, Uuid)>, StoreError> {
    rows!(
        tx,
        (Uuid, i32, i32, Uuid),
        sql!("SELECT subject, unit, first_month, entry FROM award_units WHERE standing >= 11 AND standing < 20 AND scheme = $2 AND subject" in_uuids 1),
        bulk_uuids(subjects.iter().copied()),
        scheme
    )
}

/// What these entries have of a scheme, that nobody else of the same student's may have approved: entry, unit, first month.
pub async fn taken_of(tx: &mut Tx, scheme: &str, entries: &[Uuid]) -> Result<Vec<(Uuid, i32, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, i32, i32),
        sql!("SELECT entry, unit, first_month FROM award_units WHERE standing >= 11 AND standing < 20 AND scheme = $2 AND entry" in_uuids 1 " ORDER BY entry, first_month"),
        bulk_uuids(entries.iter().copied()),
        scheme
    )
}

/// What entries cover: entry, unit, first month.
pub async fn covered(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<(Uuid, i32, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, i32, i32),
        sql!("SELECT entry, unit, first_month FROM award_units WHERE entry" in_uuids 1 " ORDER BY entry, first_month"),
        bulk_uuids(entries.iter().copied())
    )
}

pub async fn approve(tx: &mut Tx, approved: &[ApprovedRow], since: NaiveDate) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE award_units SET standing = $2, subject = t.subject, standing_since = $3, taken_by = NULL
             FROM " table 1 (entry uuid, subject uuid) " WHERE award_units.entry = t.entry"
        ),
        bulk_rows(approved),
        Standing::Approved.code(),
        since
    )?;
    Ok(())
}

/// A unit of an entry.
#[derive(Debug, Serialize)]
pub struct OneUnit {
    pub entry: Hex,
    pub first_month: i32,
}

/// Units stand otherwise from a day on, those of them that stood so.
pub async fn set(tx: &mut Tx, units: &[OneUnit], from: Standing, to: Standing, since: NaiveDate) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE award_units SET standing = $3, standing_since = $4
             FROM " table 1 (entry uuid, first_month integer)
            " WHERE award_units.entry = t.entry AND award_units.first_month = t.first_month AND award_units.standing = $2"
        ),
        bulk_rows(units),
        from.code(),
        to.code(),
        since
    )?;
    Ok(())
}

/// What some entries kept others from having: nothing does any more.
pub async fn free(tx: &mut Tx, units: &[OneUnit]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE award_units SET taken_by = NULL
             FROM " table 1 (entry uuid, first_month integer)
            " WHERE award_units.taken_by = t.entry AND award_units.first_month = t.first_month AND award_units.standing = $2"
        ),
        bulk_rows(units),
        Standing::Claimed.code()
    )?;
    Ok(())
}

/// A unit, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub struct BoundUnit {
    pub entry: Uuid,
    pub first_month: i32,
    pub unit: i32,
    pub scheme: String,
    pub subject: Option<Uuid>,
    pub fen: i64,
    pub standing: i32,
    pub standing_since: Option<NaiveDate>,
}

/// Units of entries as they are bound.
pub async fn bound(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<BoundUnit>, StoreError> {
    rows!(
        tx,
        BoundUnit,
        sql!("SELECT entry, first_month, unit, scheme, subject, fen, standing, standing_since FROM award_units WHERE entry" in_uuids 1 " ORDER BY entry, first_month"),
        bulk_uuids(entries.iter().copied())
    )
}

/// Units of entries as they stand: entry, unit, first month, fen, standing.
pub async fn as_they_stand(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<(Uuid, i32, i32, i64, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, i32, i32, i64, i32),
        sql!("SELECT entry, unit, first_month, fen, standing FROM award_units WHERE entry" in_uuids 1 " ORDER BY entry, first_month"),
        bulk_uuids(entries.iter().copied())
    )
}

pub async fn note_taken(tx: &mut Tx, taken: &[TakenRow]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE award_units SET taken_by = t.taken_by
             FROM " table 1 (entry uuid, first_month integer, taken_by uuid) " WHERE award_units.entry = t.entry AND award_units.first_month = t.first_month"
        ),
        bulk_rows(taken)
    )?;
    Ok(())
}

/// Units of entries, in order.
pub async fn of_entries(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<UnitRow>, StoreError> {
    rows!(
        tx,
        UnitRow,
        sql!(
            "SELECT u.entry, u.unit, u.first_month, u.fen, u.standing, u.taken_by, coalesce(l.school, '') AS by_school, coalesce(l.scheme, '') AS by_scheme,
                    coalesce(l.term, '') AS by_term, coalesce(l.supplement, 0) AS by_supplement
             FROM award_units u LEFT JOIN award_entries b ON b.entry = u.taken_by LEFT JOIN award_lists l ON l.list = b.list
             WHERE u.entry" in_uuids 1 " ORDER BY u.entry, u.first_month"
        ),
        bulk_uuids(entries.iter().copied())
    )
}

/// What stands of a list, without what was sent back, in fen.
pub async fn standing_fen(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
    rows!(
        tx,
        (Uuid, i64),
        sql!(
            "SELECT a.list, CAST(sum(u.fen) AS bigint) FROM award_entries a JOIN award_units u ON u.entry = a.entry
             WHERE a.state < 50 AND a.state <> $2 AND u.standing < 50 AND a.list" in_uuids 1 " GROUP BY a.list"
        ),
        bulk_uuids(lists.iter().copied()),
        State::SentBack.code()
    )
}

/// Attested entries of lists that were not approved because somebody has a unit of theirs, and that no flag holds; each with its key and scheme.
pub async fn taken_attested(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<(Uuid, Uuid, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, Uuid, String),
        sql!(
            "SELECT DISTINCT a.entry, a.person_key, a.scheme FROM award_entries a JOIN award_units u ON u.entry = a.entry
             WHERE a.state = $2 AND u.taken_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM flags f WHERE f.entry = a.entry AND f.holds)
               AND a.list" in_uuids 1
        ),
        bulk_uuids(lists.iter().copied()),
        State::Attested.code()
    )
}

/// A page of what was approved twice, of a school, or of schools under an authority.
pub async fn doubles(tx: &mut Tx, school: &str, authority_prefix: &str, after: (Uuid, i32), limit: i64) -> Result<Vec<DoubleRow>, StoreError> {
    rows!(
        tx,
        DoubleRow,
        "SELECT u.entry, u.first_month, u.unit, u.fen, a.list, a.school, coalesce(s.name, '') AS school_name, a.scheme, a.term, a.name,
                b.entry AS by_entry, b.list AS by_list, coalesce(b.school, '') AS by_school, coalesce(o.name, '') AS by_school_name,
                coalesce(o.authority, '') AS by_authority
         FROM award_units u JOIN award_entries a ON a.entry = u.entry LEFT JOIN award_entries b ON b.entry = u.taken_by
         LEFT JOIN mirror_schools s ON s.school = a.school AND s.generation = (SELECT generation FROM mirror_state)
         LEFT JOIN mirror_schools o ON o.school = b.school AND o.generation = (SELECT generation FROM mirror_state)
         WHERE u.standing = 51 AND ($1 = '' OR a.school = $1) AND ($2 = '' OR substr(s.authority, 1, length($2)) = $2) AND (u.entry, u.first_month) > ($3, $4)
         ORDER BY u.entry, u.first_month LIMIT $5",
        school,
        authority_prefix,
        after.0,
        after.1,
        limit
    )
}
