//! SQL of submissions, and of lists of enrollments.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{enrollment::State, identity::NumberClass};
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, bulk_uuids, one, rows, run, sql};

use super::rules::Stage;
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

/// What a submission's digest and counts are made from.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SetRow {
    pub enrollment: Uuid,
    pub state: i32,
    pub content_hash: Vec<u8>,
    pub class_name: String,
    pub major: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub entry_month: i32,
    pub phone_hash: Uuid,
    pub refusal: String,
}

/// A submission.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SubmissionRow {
    pub submission: Uuid,
    pub school: String,
    #[sqlx(try_from = "i32", rename = "state")]
    pub stage: Stage,
    pub submitted_by: String,
    pub submitted_by_name: String,
    pub submitted_at_us: i64,
    pub submitted_day: NaiveDate,
    pub attested_by_name: String,
    pub attested_digest: String,
    pub attested_day: Option<NaiveDate>,
    pub approved_by_name: String,
    pub school_name: String,
    pub authority: String,
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

/// Drafts of a school that were asked for, or all of them.
pub async fn submittable(tx: &mut Tx, school: &str, ids: &[Uuid], all: bool) -> Result<Vec<(Uuid, i32)>, StoreError> {
    rows!(
        tx,
        (Uuid, i32),
        sql!(
            "SELECT enrollment, state FROM enrollments WHERE school = $1 AND (($3 AND state = $4) OR enrollment" in_uuids 2 ")"
            only(sqlite "", postgres " FOR UPDATE")
        ),
        school,
        bulk_uuids(ids.iter().copied()),
        all,
        State::Draft.code()
    )
}

pub async fn insert_submission(ctx: &Context, tx: &mut Tx, submission: Uuid, school: &str, digest: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO submissions (submission, school, state, digest, submitted_by, submitted_by_name, submitted_at_us, submitted_day,
         attested_by, attested_by_name, attested_digest, attested_at_us, approved_by_name) VALUES ($1, $2, $8, $3, $4, $5, $6, $7, '', '', '', 0, '')",
        submission,
        school,
        digest,
        &ctx.actor.account,
        &ctx.actor.display_name,
        ctx.now_us(),
        ctx.today(),
        Stage::Submitted.code()
    )?;
    Ok(())
}

/// Locks a submission: two who act on it at once take turns.
pub async fn lock_submission(tx: &mut Tx, school: &str, submission: Uuid) -> Result<bool, StoreError> {
    Ok(run!(tx, "UPDATE submissions SET state = state WHERE school = $1 AND submission = $2", school, submission)? == 1)
}

pub async fn submission(tx: &mut Tx, school: &str, submission: Uuid) -> Result<Option<SubmissionRow>, StoreError> {
    one!(
        tx,
        SubmissionRow,
        "SELECT b.submission, b.school, b.state, b.submitted_by, b.submitted_by_name, b.submitted_at_us, b.submitted_day, b.attested_by_name, b.attested_digest,
                b.attested_day, b.approved_by_name, s.name AS school_name, s.authority
         FROM submissions b JOIN schools s ON s.code = b.school WHERE b.school = $1 AND b.submission = $2",
        school,
        submission
    )
}

/// The submission of the school before this one.
pub async fn submission_before(tx: &mut Tx, school: &str, submission: Uuid) -> Result<Option<Uuid>, StoreError> {
    let before =
        one!(tx, (Uuid,), "SELECT submission FROM submissions WHERE school = $1 AND submission < $2 ORDER BY submission DESC LIMIT 1", school, submission)?;
    Ok(before.map(|(submission,)| submission))
}

/// Submissions of a school, or of schools under an authority, newest first.
pub async fn submissions(
    tx: &mut Tx,
    school: &str,
    authority_prefix: &str,
    stage: Option<Stage>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<SubmissionRow>, StoreError> {
    rows!(
        tx,
        SubmissionRow,
        "SELECT b.submission, b.school, b.state, b.submitted_by, b.submitted_by_name, b.submitted_at_us, b.submitted_day, b.attested_by_name, b.attested_digest,
                b.attested_day, b.approved_by_name, s.name AS school_name, s.authority
         FROM submissions b JOIN schools s ON s.code = b.school
         WHERE ($1 = '' OR b.school = $1) AND substr(s.authority, 1, length($2)) = $2 AND ($3 = 0 OR b.state = $3) AND ($4 IS NULL OR b.submission < $4)
         ORDER BY b.submission DESC LIMIT $5",
        school,
        authority_prefix,
        stage.map_or(0, Stage::code),
        before,
        limit
    )
}

pub async fn set_of(tx: &mut Tx, submission: Uuid) -> Result<Vec<SetRow>, StoreError> {
    rows!(
        tx,
        SetRow,
        "SELECT enrollment, state, content_hash, class_name, major, sex, birth_date, entry_month, phone_hash, refusal FROM enrollments WHERE submission = $1 ORDER BY enrollment",
        submission
    )
}

pub async fn attest(tx: &mut Tx, submission: Uuid, digest: &str, account: &str, name: &str, now_us: i64, today: NaiveDate) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE submissions SET state = $7, attested_digest = $2, attested_by = $3, attested_by_name = $4, attested_at_us = $5, attested_day = $6 WHERE submission = $1",
        submission,
        digest,
        account,
        name,
        now_us,
        today,
        Stage::Attested.code()
    )?;
    Ok(())
}

pub async fn close_submission(tx: &mut Tx, submission: Uuid) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE submissions SET state = $4 WHERE submission = $1
         AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.submission = $1 AND e.state IN ($2, $3))",
        submission,
        State::Submitted.code(),
        State::Attested.code(),
        Stage::Done.code()
    )?;
    Ok(())
}

pub async fn approved_by(tx: &mut Tx, submission: Uuid, name: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE submissions SET approved_by_name = $2 WHERE submission = $1", submission, name)?;
    Ok(())
}

/// Attested rows, with what approval decides on.
pub async fn attested(tx: &mut Tx, submission: Uuid) -> Result<Vec<Claim>, StoreError> {
    rows!(
        tx,
        Claim,
        sql!(
            "SELECT enrollment, claim_key AS key, id_class, id_sealed, name, name_comparable, sex, birth_date, entry_date
             FROM enrollments WHERE submission = $1 AND state = $2 ORDER BY enrollment" only(sqlite "", postgres " FOR UPDATE")
        ),
        submission,
        State::Attested.code()
    )
}

/// Sealed numbers of a set, for looking at runs of neighbours.
pub async fn sealed_numbers(tx: &mut Tx, submission: Uuid) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(
        tx,
        (Uuid, Vec<u8>),
        "SELECT enrollment, id_sealed FROM enrollments WHERE submission = $1 AND id_class = $2",
        submission,
        NumberClass::Resident.code()
    )
}
