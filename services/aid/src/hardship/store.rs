//! SQL of hardship levels.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::paging::Turn;
use xuezhu_store::{StoreError, Tx, bulk_uuids, one, rows, run, sql};

use super::rules::State;

/// A level.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LevelRow {
    pub determination: Uuid,
    pub dossier: Option<Uuid>,
    pub school: String,
    pub school_year: i32,
    pub person_key: Uuid,
    pub name: String,
    pub name_comparable: String,
    pub class_name: String,
    pub level: String,
    pub from_day: NaiveDate,
    pub to_day: NaiveDate,
    pub circumstances_sealed: Vec<u8>,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub reason: String,
    pub recorded_day: NaiveDate,
    pub recorded_at_us: i64,
    /// From which day on what was determined later holds instead.
    pub cut_day: Option<NaiveDate>,
}

/// What a list of levels is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    pub school: String,
    pub school_year: i32,
    /// A code; 0 for all that were not dropped.
    pub state: i32,
    pub class_name: String,
    pub name: String,
}

/// What a page of levels goes on behind: class, name, id.
pub type After = (String, String, Uuid);

pub async fn insert(tx: &mut Tx, row: &LevelRow) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO hardship_levels (determination, dossier, school, school_year, person_key, name, name_comparable, class_name, level, from_day, to_day,
                                      circumstances_sealed, state, reason, recorded_day, recorded_at_us, determined_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0)",
        row.determination,
        row.dossier,
        &row.school,
        row.school_year,
        row.person_key,
        &row.name,
        &row.name_comparable,
        &row.class_name,
        &row.level,
        row.from_day,
        row.to_day,
        row.circumstances_sealed.as_slice(),
        row.state.code(),
        &row.reason,
        row.recorded_day,
        row.recorded_at_us
    )?;
    Ok(())
}

/// What is under way at a school for whom a key stands, of a school year.
pub async fn under_way(tx: &mut Tx, school: &str, key: Uuid, school_year: i32) -> Result<Option<LevelRow>, StoreError> {
    one!(
        tx,
        LevelRow,
        "SELECT determination, dossier, school, school_year, person_key, name, name_comparable, class_name, level, from_day, to_day, circumstances_sealed, state, reason,
                recorded_day, recorded_at_us, CAST(NULL AS date) AS cut_day
         FROM hardship_levels WHERE school = $2 AND person_key = $1 AND school_year = $3 AND state <= 10",
        key,
        school,
        school_year
    )
}

/// What is under way at a school for whom these keys stand, of a school year.
pub async fn all_under_way(tx: &mut Tx, school: &str, keys: &[Uuid], school_year: i32) -> Result<Vec<LevelRow>, StoreError> {
    rows!(
        tx,
        LevelRow,
        sql!(
            "SELECT determination, dossier, school, school_year, person_key, name, name_comparable, class_name, level, from_day, to_day, circumstances_sealed, state, reason,
                    recorded_day, recorded_at_us, CAST(NULL AS date) AS cut_day
             FROM hardship_levels WHERE school = $2 AND school_year = $3 AND state <= 10 AND person_key" in_uuids 1
        ),
        bulk_uuids(keys.iter().copied()),
        school,
        school_year
    )
}

/// Those of these keys for whom a level was determined that may hold on a day or after it, and nothing ended it.
pub async fn holding(tx: &mut Tx, keys: &[Uuid], day: NaiveDate) -> Result<Vec<(Uuid,)>, StoreError> {
    rows!(
        tx,
        (Uuid,),
        sql!(
            "SELECT DISTINCT l.person_key FROM hardship_levels l WHERE l.state = $2 AND l.level <> '' AND l.to_day > $3
               AND NOT EXISTS (SELECT 1 FROM hardship_levels n WHERE n.person_key = l.person_key AND n.state = $2 AND n.level = ''
                               AND (n.determined_at_us, n.determination) > (l.determined_at_us, l.determination))
               AND l.person_key" in_uuids 1
        ),
        bulk_uuids(keys.iter().copied()),
        State::Determined.code(),
        day
    )
}

/// For whom levels of a school stand.
pub async fn keys_of(tx: &mut Tx, school: &str, determinations: &[Uuid]) -> Result<Vec<(Uuid,)>, StoreError> {
    rows!(
        tx,
        (Uuid,),
        sql!("SELECT DISTINCT person_key FROM hardship_levels WHERE school = $2 AND determination" in_uuids 1 " ORDER BY person_key"),
        bulk_uuids(determinations.iter().copied()),
        school
    )
}

/// Enters what is with the clerk anew; how many were there.
pub async fn enter_again(tx: &mut Tx, row: &LevelRow) -> Result<u64, StoreError> {
    run!(
        tx,
        "UPDATE hardship_levels SET name = $3, name_comparable = $4, class_name = $5, level = $6, from_day = $7, to_day = $8, circumstances_sealed = $9,
                reason = $10, recorded_day = $11, recorded_at_us = $12, person_key = $13
         WHERE determination = $1 AND state = $2",
        row.determination,
        State::Draft.code(),
        &row.name,
        &row.name_comparable,
        &row.class_name,
        &row.level,
        row.from_day,
        row.to_day,
        row.circumstances_sealed.as_slice(),
        &row.reason,
        row.recorded_day,
        row.recorded_at_us,
        row.person_key
    )
}

pub async fn level(tx: &mut Tx, school: &str, determination: Uuid) -> Result<Option<LevelRow>, StoreError> {
    one!(
        tx,
        LevelRow,
        "SELECT determination, dossier, school, school_year, person_key, name, name_comparable, class_name, level, from_day, to_day, circumstances_sealed, state, reason,
                recorded_day, recorded_at_us, CAST(NULL AS date) AS cut_day
         FROM hardship_levels WHERE school = $1 AND determination = $2",
        school,
        determination
    )
}

/// What is with the clerk of a school year, by class and name.
pub async fn drafts(tx: &mut Tx, school: &str, school_year: i32) -> Result<Vec<LevelRow>, StoreError> {
    rows!(
        tx,
        LevelRow,
        "SELECT determination, dossier, school, school_year, person_key, name, name_comparable, class_name, level, from_day, to_day, circumstances_sealed, state, reason,
                recorded_day, recorded_at_us, CAST(NULL AS date) AS cut_day
         FROM hardship_levels WHERE school = $1 AND school_year = $2 AND state = $3 ORDER BY class_name, name, determination",
        school,
        school_year,
        State::Draft.code()
    )
}

/// Those of these that are on their way over desks.
pub async fn submitted(tx: &mut Tx, determinations: &[Uuid]) -> Result<Vec<LevelRow>, StoreError> {
    rows!(
        tx,
        LevelRow,
        sql!(
            "SELECT determination, dossier, school, school_year, person_key, name, name_comparable, class_name, level, from_day, to_day, circumstances_sealed, state, reason,
                    recorded_day, recorded_at_us, CAST(NULL AS date) AS cut_day
             FROM hardship_levels WHERE state = $2 AND determination" in_uuids 1
        ),
        bulk_uuids(determinations.iter().copied()),
        State::Submitted.code()
    )
}

/// Moves levels that stand somewhere, with why, and when they were determined. Returns how many stood there.
pub async fn set(tx: &mut Tx, determinations: &[Uuid], from: State, to: State, reason: &str, determined_at_us: i64) -> Result<u64, StoreError> {
    run!(
        tx,
        sql!("UPDATE hardship_levels SET state = $2, reason = $3, determined_at_us = $4 WHERE state = $5 AND determination" in_uuids 1),
        bulk_uuids(determinations.iter().copied()),
        to.code(),
        reason,
        determined_at_us,
        from.code()
    )
}

/// Drops what is with the clerk, with all that it says of a family. Whether it was there.
pub async fn forget(tx: &mut Tx, determination: Uuid) -> Result<bool, StoreError> {
    let forgotten = run!(
        tx,
        "UPDATE hardship_levels SET state = $2, circumstances_sealed = $4 WHERE determination = $1 AND state = $3",
        determination,
        State::Dropped.code(),
        State::Draft.code(),
        &[0_u8; 0][..]
    )?;
    Ok(forgotten == 1)
}

/// Whether a level was determined for whom a key stands that may hold on a day or after it, and nothing ended it.
pub async fn holds(tx: &mut Tx, key: Uuid, day: NaiveDate) -> Result<bool, StoreError> {
    let found = one!(
        tx,
        (i32,),
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM hardship_levels l WHERE l.person_key = $1 AND l.state = $2 AND l.level <> '' AND l.to_day > $3
                                  AND NOT EXISTS (SELECT 1 FROM hardship_levels n WHERE n.person_key = l.person_key AND n.state = $2 AND n.level = ''
                                                  AND (n.determined_at_us, n.determination) > (l.determined_at_us, l.determination)))",
        key,
        State::Determined.code(),
        day
    )?;
    Ok(found.is_some())
}

/// Takes what is with the clerk into a dossier. Returns how many of these were with the clerk.
pub async fn submit(tx: &mut Tx, determinations: &[Uuid], dossier: Uuid) -> Result<u64, StoreError> {
    run!(
        tx,
        sql!("UPDATE hardship_levels SET state = $2, reason = '', dossier = $3 WHERE state = $4 AND determination" in_uuids 1),
        bulk_uuids(determinations.iter().copied()),
        State::Submitted.code(),
        dossier,
        State::Draft.code()
    )
}

/// Levels by class and name; nothing of families.
pub async fn levels(tx: &mut Tx, narrowed: &Narrowed, turn: &Turn<After>) -> Result<Vec<LevelRow>, StoreError> {
    let after = turn.after.as_ref();
    rows!(
        tx,
        LevelRow,
        "SELECT determination, dossier, school, school_year, person_key, name, name_comparable, class_name, level, from_day, to_day,
                substr(circumstances_sealed, 1, 0) AS circumstances_sealed, state, reason, recorded_day, recorded_at_us,
                (SELECT min(n.from_day) FROM hardship_levels n WHERE n.person_key = l.person_key AND n.state = $11 AND l.state = $11
                   AND (n.determined_at_us, n.determination) > (l.determined_at_us, l.determination)) AS cut_day
         FROM hardship_levels l
         WHERE school = $1 AND school_year = $2 AND (CASE WHEN $3 = 0 THEN state < 50 ELSE state = $3 END) AND ($4 = '' OR class_name = $4)
           AND ($5 = '' OR replace(name, $5, '') <> name) AND ($8 IS NULL OR (class_name, name, determination) > ($6, $7, $8))
         ORDER BY class_name, name, determination LIMIT $9 OFFSET $10",
        &narrowed.school,
        narrowed.school_year,
        narrowed.state,
        &narrowed.class_name,
        &narrowed.name,
        after.map_or("", |after| after.0.as_str()),
        after.map_or("", |after| after.1.as_str()),
        after.map(|after| after.2),
        turn.rows,
        turn.skip,
        State::Determined.code()
    )
}

/// How many there are of those.
pub async fn count(tx: &mut Tx, narrowed: &Narrowed) -> Result<i64, StoreError> {
    let count = one!(
        tx,
        (i64,),
        "SELECT count(*) FROM hardship_levels
         WHERE school = $1 AND school_year = $2 AND (CASE WHEN $3 = 0 THEN state < 50 ELSE state = $3 END) AND ($4 = '' OR class_name = $4)
           AND ($5 = '' OR replace(name, $5, '') <> name)",
        &narrowed.school,
        narrowed.school_year,
        narrowed.state,
        &narrowed.class_name,
        &narrowed.name
    )?;
    Ok(count.map(|(count,)| count).unwrap_or_default())
}

/// How many levels of a school year are with the clerk, and how many students hold one on a day.
pub async fn standing(tx: &mut Tx, school: &str, school_year: i32, day: NaiveDate) -> Result<(i64, i64), StoreError> {
    let counts = one!(
        tx,
        (i64, i64),
        "SELECT count(CASE WHEN l.state = $3 THEN 1 END),
                count(DISTINCT CASE WHEN l.state = $4 AND l.level <> '' AND l.from_day <= $5 AND l.to_day > $5 AND NOT EXISTS (
                    SELECT 1 FROM hardship_levels n WHERE n.person_key = l.person_key AND n.state = $4 AND n.from_day <= $5 AND n.to_day > $5
                      AND n.level = '' AND (n.determined_at_us, n.determination) > (l.determined_at_us, l.determination)) THEN l.person_key END)
         FROM hardship_levels l WHERE l.school = $1 AND l.school_year = $2",
        school,
        school_year,
        State::Draft.code(),
        State::Determined.code(),
        day
    )?;
    Ok(counts.unwrap_or_default())
}
