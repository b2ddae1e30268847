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

/// The open classes that stories of these enrollments name, locked: whoever opens one now is seen by what is decided after this.
pub async fn lock_named(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let named = rows!(
        tx,
        (Uuid,),
        sql!(
            "SELECT c.class FROM classes c WHERE c.to_date IS NULL AND c.class IN (
                SELECT n.class FROM enrollments e JOIN periods p ON p.enrollment = e.enrollment
                JOIN classes n ON n.school = e.school AND n.name = p.class_name AND n.entry_year = e.entry_month / 100 AND n.major = p.major
                WHERE e.enrollment" in_uuids 1 ") ORDER BY c.class" only(sqlite "", postgres " FOR UPDATE")
        ),
        bulk_uuids(enrollments.iter().copied())
    )?;
    Ok(named.into_iter().map(|(class,)| class).collect())
}

/// Closes those of these classes in which nobody stays, from the day on which the last leaves.
pub async fn close(tx: &mut Tx, classes: &[Uuid]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE classes SET to_date = coalesce((SELECT max(q.to_date) FROM enrollments m JOIN periods q ON q.enrollment = m.enrollment AND q.until_version IS NULL
                WHERE m.school = classes.school AND m.entry_month / 100 = classes.entry_year AND q.class_name = classes.name AND q.major = classes.major),
                classes.from_date)
             WHERE class" in_uuids 1
            " AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.school = classes.school AND e.class_name = classes.name AND e.state > $2 AND e.state < $3
                AND e.entry_month / 100 = classes.entry_year AND e.major = classes.major)"
        ),
        bulk_uuids(classes.iter().copied()),
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

/// Classes of a school, with how many are in each on a day: those that are open then, or all that ever were.
pub async fn of_school(tx: &mut Tx, school: &str, ended: bool, today: NaiveDate) -> Result<Vec<ClassRow>, StoreError> {
    rows!(
        tx,
        ClassRow,
        "SELECT c.class, c.name, c.entry_year, c.major, c.from_date, c.to_date, coalesce(held.students, 0) AS students
         FROM classes c LEFT JOIN (
             SELECT p.class_name, e.entry_month / 100 AS entry_year, p.major, count(*) AS students
             FROM enrollments e JOIN periods p ON p.enrollment = e.enrollment AND p.until_version IS NULL AND p.from_date <= $3
                AND (p.to_date IS NULL OR p.to_date > $3) AND p.state < $4
             WHERE e.school = $1 GROUP BY p.class_name, e.entry_month / 100, p.major
         ) AS held ON held.class_name = c.name AND held.entry_year = c.entry_year AND held.major = c.major
         WHERE c.school = $1 AND ($2 OR c.to_date IS NULL OR c.to_date > $3) ORDER BY c.entry_year DESC, c.name, c.major",
        school,
        ended,
        today,
        State::FIRST_FINAL
    )
}
