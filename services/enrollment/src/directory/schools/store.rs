//! SQL of schools, their majors and their authorities.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;
use xuezhu_domain::majors::Major;
use xuezhu_service::Place;
use xuezhu_store::{StoreError, Tx, bulk_rows, bulk_texts, one, rows, run, sql};

use super::{NewSchool, rules::State};

/// A school.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SchoolRow {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub region: String,
    /// `PUBLIC` or `PRIVATE`.
    pub kind: String,
    /// Region code of its department.
    pub authority: String,
    /// Word of a [`State`].
    pub state: String,
    /// Since when, where it ever changed.
    pub state_day: Option<NaiveDate>,
    /// Whom to call.
    pub telephone: String,
}

impl SchoolRow {
    /// Where permissions are asked.
    pub fn place(&self) -> Place<'_> {
        Place::School { code: &self.code, authority: &self.authority }
    }
}

/// A major of a school.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MajorRow {
    /// School.
    pub school: String,
    /// Year of the catalogue.
    pub catalogue: String,
    /// Code as it is stored.
    pub code: String,
    /// From when on nobody new is taken into it.
    pub ended_day: Option<NaiveDate>,
}

/// A change of the department that approves for a school.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuthorityRow {
    /// First day.
    pub from_day: NaiveDate,
    /// Region code of the department from then on.
    pub authority: String,
    /// That of the one before.
    pub authority_before: String,
    /// Why.
    pub reason: String,
    /// Whether it holds already.
    pub turned: bool,
    /// Who recorded it.
    pub recorded_by_name: String,
    /// When, microseconds since 1970.
    pub recorded_at_us: i64,
}

/// Whose schools are asked for.
#[derive(Debug, Clone)]
pub struct Filter {
    /// First digits of the department's region.
    pub authority_prefix: String,
    /// First digits of where they stand.
    pub region_prefix: String,
    /// One school alone; empty for all.
    pub school: String,
    /// Part of name or code, as a LIKE pattern; empty for all.
    pub pattern: String,
}

#[derive(Serialize)]
struct NewMajor<'n> {
    school: &'n str,
    catalogue: &'static str,
    code: &'static str,
}

#[derive(Serialize)]
struct NewRow<'n> {
    code: &'n str,
    name: &'n str,
    region: &'n str,
    kind: &'static str,
    authority: &'n str,
    telephone: &'n str,
}

/// What of a school is said anew.
#[derive(Debug, Serialize)]
pub struct Said<'s> {
    /// Which.
    pub code: &'s str,
    /// Name.
    pub name: &'s str,
    /// Telephone.
    pub telephone: &'s str,
}

pub async fn school(tx: &mut Tx, code: &str) -> Result<Option<SchoolRow>, StoreError> {
    one!(tx, SchoolRow, "SELECT code, name, region, kind, authority, state, state_day, telephone FROM schools WHERE code = $1", code)
}

/// Locks a school: what is changed of it is changed one after the other.
pub async fn lock(tx: &mut Tx, code: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE schools SET name = name WHERE code = $1", code)?;
    Ok(())
}

/// Schools by their codes.
pub async fn schools(tx: &mut Tx, codes: &[String]) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(tx, SchoolRow, sql!("SELECT code, name, region, kind, authority, state, state_day, telephone FROM schools WHERE code" in_texts 1), bulk_texts(codes))
}

pub async fn insert(tx: &mut Tx, new: &NewSchool) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO schools (code, name, region, kind, authority, state, telephone) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.code.as_str(),
        &new.name,
        new.region.as_str(),
        new.kind,
        new.authority.as_str(),
        State::Active.as_str(),
        &new.telephone
    )?;
    Ok(())
}

/// Sets name, owner and telephone.
pub async fn update(tx: &mut Tx, row: &SchoolRow) -> Result<(), StoreError> {
    run!(tx, "UPDATE schools SET name = $2, kind = $3, telephone = $4 WHERE code = $1", &row.code, &row.name, &row.kind, &row.telephone)?;
    Ok(())
}

pub async fn set_state(tx: &mut Tx, code: &str, state: State, day: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE schools SET state = $2, state_day = $3 WHERE code = $1", code, state.as_str(), day)?;
    Ok(())
}

/// Adds majors; those that had ended begin again.
pub async fn add_majors(tx: &mut Tx, school: &str, majors: &[&'static Major]) -> Result<(), StoreError> {
    add_majors_of(tx, &[(school, majors)]).await
}

/// The same of several schools.
pub async fn add_majors_of(tx: &mut Tx, schools: &[(&str, &[&'static Major])]) -> Result<(), StoreError> {
    // One that is said twice is added once: a statement may not touch a row twice.
    let each = schools.iter().flat_map(|(school, majors)| majors.iter().map(move |major| (*school, major.catalogue, major.stored)));
    let majors: Vec<NewMajor> = each.collect::<BTreeSet<_>>().into_iter().map(|(school, catalogue, code)| NewMajor { school, catalogue, code }).collect();
    run!(
        tx,
        sql!("INSERT INTO school_majors (school, catalogue, code) SELECT t.school, t.catalogue, t.code FROM "
             table 1 (school text, catalogue text, code text)
             " WHERE true ON CONFLICT (school, catalogue, code) DO UPDATE SET ended_day = NULL"),
        bulk_rows(&majors)
    )?;
    Ok(())
}

/// Enters schools.
pub async fn insert_many(tx: &mut Tx, new: &[&NewSchool]) -> Result<(), StoreError> {
    let rows: Vec<NewRow> = (new.iter())
        .map(|new| NewRow {
            code: new.code.as_str(),
            name: &new.name,
            region: new.region.as_str(),
            kind: new.kind,
            authority: new.authority.as_str(),
            telephone: &new.telephone,
        })
        .collect();
    run!(
        tx,
        sql!("INSERT INTO schools (code, name, region, kind, authority, state, telephone)
              SELECT t.code, t.name, t.region, t.kind, t.authority, $2, t.telephone FROM "
             table 1 (code text, name text, region text, kind text, authority text, telephone text)),
        bulk_rows(&rows),
        State::Active.as_str()
    )?;
    Ok(())
}

/// Sets names and telephones.
pub async fn rename_many(tx: &mut Tx, said: &[Said<'_>]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE schools SET name = t.name, telephone = t.telephone FROM " table 1 (code text, name text, telephone text) " WHERE schools.code = t.code"),
        bulk_rows(said)
    )?;
    Ok(())
}

/// The majors of schools.
pub async fn majors(tx: &mut Tx, schools: &[String]) -> Result<Vec<MajorRow>, StoreError> {
    rows!(
        tx,
        MajorRow,
        sql!("SELECT school, catalogue, code, ended_day FROM school_majors WHERE school" in_texts 1 " ORDER BY school, catalogue, code"),
        bulk_texts(schools)
    )
}

/// Whether a student of a school is, or ever was, entered in a major.
pub async fn is_used(tx: &mut Tx, school: &str, key: &str) -> Result<bool, StoreError> {
    let found = one!(
        tx,
        (i32,),
        "SELECT 1 FROM enrollments e WHERE e.school = $1
           AND (e.major = $2 OR EXISTS (SELECT 1 FROM periods p WHERE p.enrollment = e.enrollment AND p.major = $2)) LIMIT 1",
        school,
        key
    )?;
    Ok(found.is_some())
}

pub async fn end_major(tx: &mut Tx, school: &str, catalogue: &str, code: &str, day: NaiveDate) -> Result<(), StoreError> {
    run!(tx, "UPDATE school_majors SET ended_day = $4 WHERE school = $1 AND catalogue = $2 AND code = $3", school, catalogue, code, day)?;
    Ok(())
}

pub async fn delete_major(tx: &mut Tx, school: &str, catalogue: &str, code: &str) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM school_majors WHERE school = $1 AND catalogue = $2 AND code = $3", school, catalogue, code)?;
    Ok(())
}

/// A page of schools, by code.
pub async fn after(tx: &mut Tx, filter: &Filter, after: &str, limit: i64) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(
        tx,
        SchoolRow,
        "SELECT code, name, region, kind, authority, state, state_day, telephone FROM schools
         WHERE substr(authority, 1, length($1)) = $1 AND substr(region, 1, length($2)) = $2 AND ($3 = '' OR code = $3)
           AND ($4 = '' OR lower(name) LIKE $4 ESCAPE '!' OR code LIKE $4 ESCAPE '!') AND code > $5 ORDER BY code LIMIT $6",
        &filter.authority_prefix,
        &filter.region_prefix,
        &filter.school,
        &filter.pattern,
        after,
        limit
    )
}

/// Codes of the schools before one, the nearest first.
pub async fn before(tx: &mut Tx, filter: &Filter, before: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    let found = rows!(
        tx,
        (String,),
        "SELECT code FROM schools
         WHERE substr(authority, 1, length($1)) = $1 AND substr(region, 1, length($2)) = $2 AND ($3 = '' OR code = $3)
           AND ($4 = '' OR lower(name) LIKE $4 ESCAPE '!' OR code LIKE $4 ESCAPE '!') AND code < $5 ORDER BY code DESC LIMIT $6",
        &filter.authority_prefix,
        &filter.region_prefix,
        &filter.school,
        &filter.pattern,
        before,
        limit
    )?;
    Ok(found.into_iter().map(|(code,)| code).collect())
}

/// How many schools there are of a filter.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let found = one!(
        tx,
        (i64,),
        "SELECT count(*) FROM schools
         WHERE substr(authority, 1, length($1)) = $1 AND substr(region, 1, length($2)) = $2 AND ($3 = '' OR code = $3)
           AND ($4 = '' OR lower(name) LIKE $4 ESCAPE '!' OR code LIKE $4 ESCAPE '!')",
        &filter.authority_prefix,
        &filter.region_prefix,
        &filter.school,
        &filter.pattern
    )?;
    Ok(found.map_or(0, |(count,)| count))
}

/// Records from when on another department approves for a school; of one day, the last that was said.
pub async fn record_authority(tx: &mut Tx, school: &str, row: &AuthorityRow, recorded_by: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO school_authorities (school, from_day, authority, authority_before, reason, turned, recorded_by, recorded_by_name, recorded_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (school, from_day) DO UPDATE SET authority = excluded.authority, authority_before = excluded.authority_before, reason = excluded.reason, turned = excluded.turned,
             recorded_by = excluded.recorded_by, recorded_by_name = excluded.recorded_by_name, recorded_at_us = excluded.recorded_at_us",
        school,
        row.from_day,
        &row.authority,
        &row.authority_before,
        &row.reason,
        row.turned,
        recorded_by,
        &row.recorded_by_name,
        row.recorded_at_us
    )?;
    Ok(())
}

/// The changes of a school's authority, the last first.
pub async fn authorities(tx: &mut Tx, school: &str) -> Result<Vec<AuthorityRow>, StoreError> {
    rows!(
        tx,
        AuthorityRow,
        "SELECT from_day, authority, authority_before, reason, turned, recorded_by_name, recorded_at_us FROM school_authorities WHERE school = $1 ORDER BY from_day DESC",
        school
    )
}

/// Takes the changes whose day has come; whoever takes them turns them.
pub async fn take_due(tx: &mut Tx, today: NaiveDate) -> Result<Vec<(String, NaiveDate, String)>, StoreError> {
    rows!(
        tx,
        (String, NaiveDate, String),
        "UPDATE school_authorities SET turned = true WHERE NOT turned AND from_day <= $1 RETURNING school, from_day, authority",
        today
    )
}

#[derive(Serialize)]
pub struct Turned {
    pub school: String,
    pub authority: String,
}

/// Puts schools under their departments.
pub async fn set_authorities(tx: &mut Tx, turned: &[Turned]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE schools SET authority = t.authority FROM " table 1 (school text, authority text) " WHERE schools.code = t.school"),
        bulk_rows(turned)
    )?;
    Ok(())
}
