//! SQL of the rows of submissions. The submissions themselves are dossiers.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_store::{StoreError, Tx, bulk_uuids, rows, sql};

use crate::roll::Claim;

/// What an import matches rows with.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LiveRow {
    pub enrollment: Uuid,
    pub state: i32,
    pub claim_key: Uuid,
    pub school_number: String,
    pub entry_month: i32,
    pub name_comparable: String,
    pub content_hash: Vec<u8>,
}

/// What a submission's counts are made from.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SetRow {
    pub enrollment: Uuid,
    pub id_class: i32,
    pub id_sealed: Vec<u8>,
    pub class_name: String,
    pub major: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub entry_month: i32,
    pub phone_hash: Uuid,
}

/// Every enrollment of a school, those of students who left too.
pub async fn all_of_school(tx: &mut Tx, school: &str) -> Result<Vec<LiveRow>, StoreError> {
    rows!(
        tx,
        LiveRow,
        "SELECT enrollment, state, claim_key, school_number, entry_month, name_comparable, content_hash FROM enrollments WHERE school = $1",
        school
    )
}

/// Keys that persons enrolled at the school held before, each with every name of theirs: a row under one of them and
/// under such a name means the person who is there; under another name, somebody whose number was mistyped for theirs.
pub async fn former_keys_at(tx: &mut Tx, school: &str) -> Result<Vec<(Uuid, String, Uuid)>, StoreError> {
    rows!(
        tx,
        (Uuid, String, Uuid),
        "SELECT k.person_key, n.name, e.enrollment
         FROM enrollments e JOIN person_keys k ON k.person = e.person AND k.kind <> 1 JOIN person_names n ON n.person = e.person
         WHERE e.school = $1 AND e.state < $2",
        school,
        State::FIRST_FINAL
    )
}

/// Which of these keys another school claims or holds.
pub async fn keys_elsewhere(tx: &mut Tx, school: &str, keys: impl Iterator<Item = Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(
        tx,
        (Uuid,),
        sql!("SELECT DISTINCT claim_key FROM enrollments WHERE claim_key" in_uuids 1 " AND school <> $2 AND state < $3"),
        bulk_uuids(keys),
        school,
        State::FIRST_FINAL
    )?;
    Ok(found.into_iter().map(|(key,)| key).collect())
}

/// What is submitted of what a school has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Those whose state is one of these codes, narrowed; none where only ids count.
    pub states: Option<[i32; 2]>,
    /// Of this class; empty for all.
    pub class_name: String,
    /// Of the major of this key; empty for all.
    pub major: String,
    /// Of this year of entry; 0 for all.
    pub entry_year: i32,
}

/// Rows of a school that were asked for, by their ids or by what they are.
pub async fn submittable(tx: &mut Tx, school: &str, ids: &[Uuid], asked: &Asked) -> Result<Vec<(Uuid, i32)>, StoreError> {
    let [one, other] = asked.states.unwrap_or_default();
    rows!(
        tx,
        (Uuid, i32),
        sql!(
            "SELECT enrollment, state FROM enrollments WHERE school = $1 AND (($3 AND (state = $4 OR state = $5) AND ($6 = '' OR class_name = $6)
                AND ($7 = '' OR major = $7) AND ($8 = 0 OR entry_month / 100 = $8)) OR enrollment" in_uuids 2 ")"
            only(sqlite "", postgres " FOR UPDATE")
        ),
        school,
        bulk_uuids(ids.iter().copied()),
        asked.states.is_some(),
        one,
        other,
        &asked.class_name,
        &asked.major,
        asked.entry_year
    )
}

pub async fn set_of(tx: &mut Tx, submission: Uuid) -> Result<Vec<SetRow>, StoreError> {
    rows!(
        tx,
        SetRow,
        "SELECT enrollment, id_class, id_sealed, class_name, major, sex, birth_date, entry_month, phone_hash FROM enrollments WHERE submission = $1",
        submission
    )
}

/// How many of a set are in which class and major.
pub async fn sizes_of(tx: &mut Tx, submission: Uuid) -> Result<Vec<(String, String, i64)>, StoreError> {
    rows!(tx, (String, String, i64), "SELECT class_name, major, count(*) FROM enrollments WHERE submission = $1 GROUP BY class_name, major", submission)
}

/// Who was in which class of a school on a day, in school or on leave, counted, without those of a submission: they are what is compared.
pub async fn on_roll_by_class(tx: &mut Tx, school: &str, day: NaiveDate, without: Uuid) -> Result<Vec<(String, i64)>, StoreError> {
    rows!(
        tx,
        (String, i64),
        "SELECT p.class_name, count(*) FROM enrollments e JOIN periods p ON p.enrollment = e.enrollment AND p.until_version IS NULL
             AND p.from_date <= $2 AND (p.to_date IS NULL OR p.to_date > $2)
         WHERE e.school = $1 AND (p.state = $3 OR p.state = $4) AND (e.submission IS NULL OR e.submission <> $5) GROUP BY p.class_name",
        school,
        day,
        State::InSchool.code(),
        State::OnLeave.code(),
        without
    )
}

/// Rows with what approval decides on.
pub async fn claims(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Claim>, StoreError> {
    rows!(
        tx,
        Claim,
        sql!(
            "SELECT enrollment, claim_key AS key, id_class, id_sealed, name, name_comparable, sex, birth_date, entry_date
             FROM enrollments WHERE enrollment" in_uuids 1 " ORDER BY enrollment" only(sqlite "", postgres " FOR UPDATE")
        ),
        bulk_uuids(enrollments.iter().copied())
    )
}
