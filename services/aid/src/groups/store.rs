//! SQL of special groups.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::{enrollment::PeriodState, person::BondKind};
use xuezhu_judge::case::StatementKind;
use xuezhu_service::Context;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, rows, run, sql};

/// Days within which a level that lapsed is thought of.
const YEAR: u64 = 366;

/// Somebody who is of a group, as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    pub member: Hex,
    pub group_word: String,
    pub person_key: Hex,
    pub name_comparable: String,
    pub until_day: NaiveDate,
    pub content_hash: Bytes,
}

/// The same, as it is read.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MemberRow {
    pub member: Uuid,
    pub group_word: String,
    pub person_key: Uuid,
    pub name_comparable: String,
    pub until_day: NaiveDate,
    pub content_hash: Vec<u8>,
}

impl From<MemberRow> for Listed {
    fn from(row: MemberRow) -> Self {
        Self {
            member: Hex(row.member),
            group_word: row.group_word,
            person_key: Hex(row.person_key),
            name_comparable: row.name_comparable,
            until_day: row.until_day,
            content_hash: Bytes(row.content_hash),
        }
    }
}

/// Those whom a department has of these keys.
pub async fn of_keys(tx: &mut Tx, authority: &str, keys: &[Uuid]) -> Result<Vec<MemberRow>, StoreError> {
    rows!(
        tx,
        MemberRow,
        sql!(
            "SELECT member, group_word, person_key, name_comparable, until_day, content_hash FROM special_groups
             WHERE authority = $2 AND person_key" in_uuids 1
        ),
        bulk_uuids(keys.iter().copied()),
        authority
    )
}

/// Those of a department by their ids.
pub async fn members(tx: &mut Tx, authority: &str, members: &[Uuid]) -> Result<Vec<MemberRow>, StoreError> {
    rows!(
        tx,
        MemberRow,
        sql!(
            "SELECT member, group_word, person_key, name_comparable, until_day, content_hash FROM special_groups
             WHERE authority = $2 AND member" in_uuids 1
        ),
        bulk_uuids(members.iter().copied()),
        authority
    )
}

/// Writes members, new ones and those who are there.
pub async fn write(ctx: &Context, tx: &mut Tx, authority: &str, members: &[Listed]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO special_groups (member, authority, group_word, person_key, name_comparable, until_day, content_hash, recorded_day, recorded_by)
             SELECT t.member, $2, t.group_word, t.person_key, t.name_comparable, t.until_day, t.content_hash, $3, $4
             FROM " table 1 (member uuid, group_word text, person_key uuid, name_comparable text, until_day date, content_hash bytea)
            " WHERE true ON CONFLICT (member) DO UPDATE SET name_comparable = excluded.name_comparable, until_day = excluded.until_day,
                content_hash = excluded.content_hash, recorded_day = excluded.recorded_day, recorded_by = excluded.recorded_by"
        ),
        bulk_rows(members),
        authority,
        ctx.today(),
        &ctx.actor.account
    )?;
    Ok(())
}

/// Takes members off.
pub async fn remove(tx: &mut Tx, authority: &str, members: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM special_groups WHERE authority = $2 AND member" in_uuids 1), bulk_uuids(members.iter().copied()), authority)?;
    Ok(())
}

/// A student who is of a group.
#[derive(Debug, sqlx::FromRow)]
pub struct StudentRow {
    pub person: Uuid,
    pub name: String,
    pub class_name: String,
    /// Empty of whom only had a level.
    pub group_word: String,
    /// The level that they had.
    pub last_level: String,
    pub until_day: NaiveDate,
    /// Whether a level holds today.
    pub has_level: bool,
    /// Whether one is under way.
    pub under_way: bool,
    /// Whether a waiver of the term stands.
    pub waived: bool,
}

/// At which school students are looked for, when, in which term.
pub struct Sought<'a> {
    pub school: &'a str,
    pub today: NaiveDate,
    pub term: &'a str,
}

/// What is known of a student's level and of what they signed, whichever of their numbers it is under.
macro_rules! students {
    ($select:literal, $from:literal, $where:literal) => {
        concat!(
            "SELECT e.person, p.class_name, ",
            $select,
            ", coalesce((SELECT n.name FROM mirror_person_names n WHERE n.generation = k.generation AND n.person = k.person AND n.end_recorded IS NULL
                         ORDER BY n.ordinal LIMIT 1), '') AS name,
               coalesce((SELECT d.level FROM determined_levels d JOIN mirror_person_keys o ON o.person_key = d.person_key AND o.generation = k.generation
                         WHERE o.person = k.person AND d.from_day <= $2 AND d.to_day > $2
                         ORDER BY d.determined_at_us DESC, d.determination DESC LIMIT 1), '') <> '' AS has_level,
               EXISTS (SELECT 1 FROM levels_under_way l JOIN mirror_person_keys o ON o.person_key = l.person_key AND o.generation = k.generation
                       WHERE o.person = k.person) AS under_way,
               EXISTS (SELECT 1 FROM standing_statements w JOIN mirror_person_keys o ON o.person_key = w.person_key AND o.generation = k.generation
                       WHERE o.person = k.person AND w.school || '' = s.school AND w.term = $3 AND w.kind = $6) AS waived
             FROM ",
            $from,
            " JOIN mirror_person_keys k ON k.person_key = g.person_key AND k.generation = (SELECT generation FROM mirror_state)
                   AND (k.end_recorded IS NULL OR k.kind = $7)
              JOIN mirror_enrollments e ON e.person = k.person AND e.generation = k.generation
              JOIN mirror_schools s ON s.school = e.school AND s.generation = e.generation
              JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation AND p.from_date <= $2
                   AND (p.to_date IS NULL OR p.to_date > $2) AND (p.state = $4 OR p.state = $5)
              WHERE ",
            $where,
            " AND EXISTS (SELECT 1 FROM mirror_person_names o WHERE o.generation = k.generation AND o.person = k.person
                          AND o.name_comparable = g.name_comparable) AND e.school = $1"
        )
    };
}

/// Students of a school, in school or on leave, whose level lapsed within a year, and was not ended.
pub async fn lapsed(tx: &mut Tx, sought: &Sought<'_>) -> Result<Vec<StudentRow>, StoreError> {
    rows!(
        tx,
        StudentRow,
        students!(
            "'' AS group_word, g.level AS last_level, g.to_day AS until_day",
            "determined_levels g",
            "g.level <> '' AND g.to_day <= $2 AND g.to_day > $8
             AND NOT EXISTS (SELECT 1 FROM determined_levels n JOIN mirror_person_keys o ON o.person_key = n.person_key AND o.generation = k.generation
                             WHERE o.person = k.person AND (n.determined_at_us, n.determination) > (g.determined_at_us, g.determination))"
        ),
        sought.school,
        sought.today,
        sought.term,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code(),
        StatementKind::Waiver.code(),
        BondKind::Former.code(),
        sought.today - Days::new(YEAR)
    )
}

/// Students of a school today, in school or on leave, who are of a group by a list that holds, whichever department was sent it: by number and name together.
pub async fn students(tx: &mut Tx, sought: &Sought<'_>) -> Result<Vec<StudentRow>, StoreError> {
    rows!(
        tx,
        StudentRow,
        students!("g.group_word, '' AS last_level, g.until_day", "special_groups g", "g.until_day >= $2"),
        sought.school,
        sought.today,
        sought.term,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code(),
        StatementKind::Waiver.code(),
        BondKind::Former.code()
    )
}

/// Students of a region's schools today who are of a group by a list that holds.
macro_rules! found {
    ($select:literal, $also:literal, $group:literal) => {
        concat!(
            "WITH found AS (
                 SELECT DISTINCT e.person, s.school, s.name AS school_name, g.group_word,
                        CASE WHEN coalesce((SELECT d.level FROM determined_levels d JOIN mirror_person_keys o ON o.person_key = d.person_key AND o.generation = k.generation
                                            WHERE o.person = k.person AND d.from_day <= $2 AND d.to_day > $2
                                            ORDER BY d.determined_at_us DESC, d.determination DESC LIMIT 1), '') <> '' THEN e.person END AS with_level
                 FROM special_groups g
                 JOIN mirror_person_keys k ON k.person_key = g.person_key AND k.generation = (SELECT generation FROM mirror_state)
                   AND (k.end_recorded IS NULL OR k.kind = $5)
                 JOIN mirror_enrollments e ON e.person = k.person AND e.generation = k.generation
                 JOIN mirror_schools s ON s.school = e.school AND s.generation = e.generation AND substr(s.authority, 1, length($1)) = $1
                 JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation AND p.from_date <= $2
                      AND (p.to_date IS NULL OR p.to_date > $2) AND (p.state = $3 OR p.state = $4)
                 WHERE g.until_day >= $2 ",
            $also,
            " AND EXISTS (SELECT 1 FROM mirror_person_names o WHERE o.generation = k.generation AND o.person = k.person
                          AND o.name_comparable = g.name_comparable))
             SELECT ",
            $select,
            ", count(DISTINCT person), count(DISTINCT with_level) FROM found GROUP BY ",
            $group
        )
    };
}

/// Of those on lists of departments of a region who is at a school of it today, by group: how many, and how many of them have a level.
pub async fn found(tx: &mut Tx, prefix: &str, today: NaiveDate) -> Result<Vec<(String, i64, i64)>, StoreError> {
    rows!(
        tx,
        (String, i64, i64),
        found!("group_word", " AND substr(g.authority, 1, length($1)) = $1", "group_word"),
        prefix,
        today,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code(),
        BondKind::Former.code()
    )
}

/// Schools of a region with students who are on a list, of whichever department: how many, and how many of them have a level.
pub async fn by_school(tx: &mut Tx, prefix: &str, today: NaiveDate) -> Result<Vec<(String, String, i64, i64)>, StoreError> {
    rows!(
        tx,
        (String, String, i64, i64),
        found!("school, school_name", "", "school, school_name ORDER BY school"),
        prefix,
        today,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code(),
        BondKind::Former.code()
    )
}

/// Rows whose day passed long ago are kept no longer.
pub async fn forget(tx: &mut Tx, before: NaiveDate) -> Result<u64, StoreError> {
    run!(tx, "DELETE FROM special_groups WHERE until_day < $1", before)
}

/// How many are on lists of departments of a region, by group: on those that hold on a day, and on those that lapsed.
pub async fn counts(tx: &mut Tx, prefix: &str, today: NaiveDate) -> Result<Vec<(String, i64, i64)>, StoreError> {
    rows!(
        tx,
        (String, i64, i64),
        "SELECT group_word, count(DISTINCT CASE WHEN until_day >= $2 THEN person_key END), count(CASE WHEN until_day < $2 THEN 1 END)
         FROM special_groups WHERE substr(authority, 1, length($1)) = $1 GROUP BY group_word",
        prefix,
        today
    )
}
