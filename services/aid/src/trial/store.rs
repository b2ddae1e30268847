//! SQL of who may be concerned by another policy.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::case::Stage;
use xuezhu_store::{StoreError, Tx, rows};

/// Somebody's place at a school, as much as a policy decides by.
#[derive(Debug, sqlx::FromRow)]
pub struct PlaceRow {
    pub person: Uuid,
    pub entry_date: NaiveDate,
    pub major: String,
    pub study_form: String,
    pub household: String,
    pub residence: String,
    pub urban_rural: String,
    pub registered_region: String,
    pub registry: i32,
}

/// Codes of the schools of a generation.
pub async fn schools(tx: &mut Tx, generation: i64) -> Result<Vec<String>, StoreError> {
    let codes = rows!(tx, (String,), "SELECT school FROM mirror_schools WHERE generation = $1 ORDER BY school", generation)?;
    Ok(codes.into_iter().map(|(code,)| code).collect())
}

/// Places in which students are in school at a school between two days.
pub async fn places(tx: &mut Tx, generation: i64, school: &str, [from, before]: [NaiveDate; 2]) -> Result<Vec<PlaceRow>, StoreError> {
    rows!(
        tx,
        PlaceRow,
        "SELECT e.person, e.entry_date, p.major, p.study_form, p.household, p.residence, p.urban_rural, p.registered_region, m.registry
         FROM mirror_enrollments e JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation
         JOIN mirror_persons m ON m.person = e.person AND m.generation = e.generation
         WHERE e.generation = $1 AND e.school = $2 AND e.stage = $3 AND p.state = $4 AND p.from_date < $6 AND (p.to_date IS NULL OR p.to_date > $5)",
        generation,
        school,
        Stage::Approved.code(),
        PeriodState::InSchool.code(),
        from,
        before
    )
}
