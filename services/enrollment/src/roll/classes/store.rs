//! SQL of classes.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, rows, run, sql};

/// Somebody who is in a class, with the id that it gets where it is new.
#[derive(Debug, Serialize)]
pub struct Within {
    pub enrollment: Hex,
    pub class: Hex,
}

/// A class that stories name, with the id that it gets.
#[derive(Debug, Serialize)]
pub struct Named {
    pub class: Hex,
    pub name: String,
    pub entry_year: i32,
    pub major: String,
}

/// A class.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ClassRow {
    /// Id.
    pub class: Uuid,
    /// Name.
    pub name: String,
    /// Year of entry.
    pub entry_year: i32,
    /// Catalogue and code of the major.
    pub major: String,
    /// First day.
    pub from_date: NaiveDate,
    /// First day after it.
    pub to_date: Option<NaiveDate>,
    /// Who is in it now.
    pub students: i64,
}

pub async fn open(tx: &mut Tx, within: &[Within]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO classes (class, school, name, entry_year, major, from_date)
             SELECT f.class, f.school, f.name, f.entry_year, f.major, f.from_date FROM (
                SELECT t.class, e.school, p.class_name AS name, e.entry_month / 100 AS entry_year, p.major, p.from_date,
                       row_number() OVER (PARTITION BY e.school, p.class_name, e.entry_month / 100, p.major ORDER BY p.from_date, e.enrollment) AS nth
                FROM " table 1 (enrollment uuid, class uuid) " JOIN enrollments e ON e.enrollment = t.enrollment
                JOIN periods p ON p.enrollment = t.enrollment AND p.until_version IS NULL AND p.to_date IS NULL WHERE p.state < $2
             ) AS f WHERE f.nth = 1
             ON CONFLICT (school, name, entry_year, major) DO UPDATE
             SET to_date = NULL, from_date = CASE WHEN excluded.from_date < classes.from_date THEN excluded.from_date ELSE classes.from_date END"
        ),
        bulk_rows(within),
        State::FIRST_FINAL
    )?;
    Ok(())
}

pub async fn close(tx: &mut Tx, enrollments: &[Uuid]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE classes SET to_date = coalesce((SELECT max(q.to_date) FROM enrollments m JOIN periods q ON q.enrollment = m.enrollment AND q.until_version IS NULL
                WHERE m.school = classes.school AND m.entry_month / 100 = classes.entry_year AND q.class_name = classes.name AND q.major = classes.major),
                classes.from_date)
             WHERE to_date IS NULL
               AND EXISTS (SELECT 1 FROM enrollments e JOIN periods p ON p.enrollment = e.enrollment WHERE e.enrollment" in_uuids 1
               " AND e.school = classes.school AND e.entry_month / 100 = classes.entry_year AND p.class_name = classes.name AND p.major = classes.major)
               AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.school = classes.school AND e.class_name = classes.name AND e.state > $2 AND e.state < $3
                AND e.entry_month / 100 = classes.entry_year AND e.major = classes.major)"
        ),
        bulk_uuids(enrollments.iter().copied()),
        State::LAST_CLAIMED,
        State::FIRST_FINAL
    )?;
    Ok(())
}

/// Classes that stand in the stories of a school.
pub async fn named_in(tx: &mut Tx, school: &str) -> Result<Vec<(String, i32, String)>, StoreError> {
    rows!(
        tx,
        (String, i32, String),
        "SELECT DISTINCT p.class_name, e.entry_month / 100, p.major FROM enrollments e JOIN periods p ON p.enrollment = e.enrollment AND p.until_version IS NULL
         WHERE e.school = $1 AND p.state < $2",
        school,
        State::FIRST_FINAL
    )
}

pub async fn open_named(tx: &mut Tx, school: &str, named: &[Named]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO classes (class, school, name, entry_year, major, from_date, to_date)
             SELECT t.class, $2, t.name, t.entry_year, t.major, min(p.from_date), CASE WHEN count(p.to_date) = count(*) THEN max(p.to_date) END
             FROM " table 1 (class uuid, name text, entry_year integer, major text)
            " JOIN enrollments e ON e.school = $2 AND e.entry_month / 100 = t.entry_year
             JOIN periods p ON p.enrollment = e.enrollment AND p.until_version IS NULL AND p.state < $3 AND p.class_name = t.name AND p.major = t.major
             GROUP BY t.class, t.name, t.entry_year, t.major
             ON CONFLICT (school, name, entry_year, major) DO NOTHING"
        ),
        bulk_rows(named),
        school,
        State::FIRST_FINAL
    )?;
    Ok(())
}

/// Classes of a school, with how many are in each: those that are open, or all that ever were.
pub async fn of_school(tx: &mut Tx, school: &str, ended: bool) -> Result<Vec<ClassRow>, StoreError> {
    rows!(
        tx,
        ClassRow,
        "SELECT c.class, c.name, c.entry_year, c.major, c.from_date, c.to_date,
                (SELECT count(*) FROM enrollments e WHERE e.school = c.school AND e.class_name = c.name AND e.state > $3 AND e.state < $4
                    AND e.entry_month / 100 = c.entry_year AND e.major = c.major) AS students
         FROM classes c WHERE c.school = $1 AND ($2 OR c.to_date IS NULL) ORDER BY c.entry_year DESC, c.name, c.major",
        school,
        ended,
        State::LAST_CLAIMED,
        State::FIRST_FINAL
    )
}
