//! SQL of vouches.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_store::{Hex, StoreError, Tx, Uuids, bulk_rows, rows, run, sql};

use crate::mirror::SOURCE;

/// What a school vouches for: a key and a name, from one day to another.
#[derive(Debug, Serialize)]
pub(super) struct VouchRow {
    pub person_key: Hex,
    pub enrollment: Hex,
    pub ordinal: i32,
    pub person: Hex,
    pub school: String,
    pub name_comparable: String,
    pub from_date: NaiveDate,
    pub to_date: NaiveDate,
    pub approved_day: NaiveDate,
}

/// What vouches are made of.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct GroundRow {
    /// One of [`Ground`].
    pub what: i32,
    /// The person, or the enrollment of a place or a period.
    pub of: Uuid,
    /// Of a place the person, of a key itself.
    pub id: Option<Uuid>,
    /// Of a place the school, of a name itself, comparable.
    pub text: Option<String>,
    pub ordinal: Option<i32>,
    /// Of a place the day of approval.
    pub from_date: Option<NaiveDate>,
    pub to_date: Option<NaiveDate>,
}

/// A person whom no registry doubts, their present key, their present name, a place that was approved, a part of it in school.
pub(super) enum Ground {
    Undoubted = 1,
    Key = 2,
    Name = 3,
    Place = 4,
    Period = 5,
}

/// What the vouches of these persons are made of. Each table is read by its own index, whatever a planner believes of the others.
pub(super) async fn grounds(tx: &mut Tx, generation: i64, persons: &Uuids) -> Result<Vec<GroundRow>, StoreError> {
    rows!(
        tx,
        GroundRow,
        sql!(
            "SELECT 1 AS what, person AS of, CAST(NULL AS uuid) AS id, CAST(NULL AS text) AS text, CAST(NULL AS integer) AS ordinal,
                    CAST(NULL AS date) AS from_date, CAST(NULL AS date) AS to_date
             FROM mirror_persons WHERE generation = $2 AND registry IN (1, 2) AND person" in_uuids 1
            " UNION ALL SELECT 2, person, person_key, NULL, NULL, NULL, NULL FROM mirror_person_keys WHERE generation = $2 AND kind = 1 AND person" in_uuids 1
            " UNION ALL SELECT 3, person, NULL, name_comparable, NULL, NULL, NULL FROM mirror_person_names WHERE generation = $2 AND kind = 1 AND person" in_uuids 1
            " UNION ALL SELECT 4, enrollment, person, school, NULL, approved_day, NULL FROM mirror_enrollments WHERE generation = $2 AND stage = 3 AND person" in_uuids 1
            " UNION ALL SELECT 5, enrollment, NULL, NULL, ordinal, from_date, to_date FROM mirror_periods WHERE generation = $2 AND state = 1 AND enrollment "
            only(sqlite "IN (SELECT enrollment FROM mirror_enrollments WHERE generation = $2 AND stage = 3 AND person",
                 postgres "= ANY(ARRAY(SELECT enrollment FROM mirror_enrollments WHERE generation = $2 AND stage = 3 AND person")
            in_uuids 1 only(sqlite ")", postgres "))")
        ),
        persons,
        generation
    )
}

/// Replaces the vouches of these persons.
pub(super) async fn replace_vouches(tx: &mut Tx, generation: i64, persons: &Uuids, vouches: &[VouchRow]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM vouches WHERE generation = $2 AND person" in_uuids 1), persons, generation)?;
    run!(
        tx,
        sql!(
            "INSERT INTO vouches (source, generation, person_key, enrollment, ordinal, person, school, name_comparable, from_date, to_date, approved_day)
             SELECT $3, $2, t.person_key, t.enrollment, t.ordinal, t.person, t.school, t.name_comparable, t.from_date, t.to_date, t.approved_day
             FROM " table 1 (person_key uuid, enrollment uuid, ordinal integer, person uuid, school text, name_comparable text, from_date date, to_date date, approved_day date)
        ),
        bulk_rows(vouches),
        generation,
        SOURCE
    )?;
    Ok(())
}

/// Drops those of the source's other generations.
pub(super) async fn drop_others(tx: &mut Tx, generation: i64) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM vouches WHERE generation <> $1 AND source = $2", generation, SOURCE)?;
    Ok(())
}
