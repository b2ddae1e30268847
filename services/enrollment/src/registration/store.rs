//! SQL of enrollments, persons, places and submissions.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{Bytes, Hex, StoreError, Tx, json_rows, json_uuids, one, rows, run, sql};

/// What an import matches rows with.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LiveRow {
    pub enrollment: Uuid,
    pub state: String,
    pub claim_key: Uuid,
    pub school_number: String,
    pub entry_month: i32,
    pub name_comparable: String,
    pub content_hash: Vec<u8>,
}

/// An enrollment as lists show it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EnrollmentRow {
    pub enrollment: Uuid,
    pub school: String,
    pub state: String,
    pub person: Option<Uuid>,
    pub id_sealed: Vec<u8>,
    pub name: String,
    pub sex: i32,
    pub school_number: String,
    pub class_name: String,
    pub major: String,
    pub entry_month: i32,
    pub study_form: String,
    pub sent_back_reason: String,
    pub refusal: String,
    pub state_since: Option<NaiveDate>,
    pub last_state: String,
    pub last_since: Option<NaiveDate>,
    pub approved_day: Option<NaiveDate>,
    pub registry: Option<i32>,
    pub student_number_sealed: Option<Vec<u8>>,
    pub etag: i64,
}

/// An enrollment as it is written by an import.
#[derive(Debug, Serialize)]
pub struct Entered {
    pub enrollment: Hex,
    pub claim_key: Hex,
    pub id_document: String,
    pub id_class: String,
    pub id_sealed: Bytes,
    pub name: String,
    pub name_comparable: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub school_number: String,
    pub class_name: String,
    pub major: String,
    pub entry_month: i32,
    pub entry_date: NaiveDate,
    pub study_form: String,
    pub student_category: String,
    pub household: String,
    pub residence: String,
    pub phone_hash: Hex,
    pub details_sealed: Bytes,
    pub content_hash: Bytes,
}

/// What a submission's digest and counts are made from.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SetRow {
    pub enrollment: Uuid,
    pub state: String,
    pub content_hash: Vec<u8>,
    pub class_name: String,
    pub major: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub entry_month: i32,
    pub phone_hash: Uuid,
    pub refusal: String,
}

/// An attested row, with what approval decides on.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AttestedRow {
    pub enrollment: Uuid,
    pub claim_key: Uuid,
    pub id_class: String,
    pub id_sealed: Vec<u8>,
    pub name: String,
    pub name_comparable: String,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub entry_date: NaiveDate,
}

/// Who holds a key now, and where.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HolderRow {
    pub person_key: Uuid,
    pub person: Uuid,
    pub present_key: Uuid,
    pub name: String,
    pub placed: bool,
    pub last_end: Option<NaiveDate>,
}

/// A submission.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SubmissionRow {
    pub submission: Uuid,
    pub school: String,
    pub state: String,
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

/// A person who is approved for the first time.
#[derive(Debug, Serialize)]
pub struct NewPerson {
    pub person: Hex,
    pub sex: i32,
    pub birth_date: NaiveDate,
    pub registry: i32,
    pub student_number_sealed: Bytes,
    pub student_number_hash: Hex,
    pub student_number_formal: bool,
    pub person_key: Hex,
    pub id_class: String,
    pub id_sealed: Bytes,
    pub name: String,
}

/// An enrollment that gets its person and its place.
#[derive(Debug, Serialize)]
pub struct Placed {
    pub enrollment: Hex,
    pub person: Hex,
    pub entry_date: NaiveDate,
}

/// A row that an act left alone, with the reason.
#[derive(Debug, Serialize)]
pub struct RefusedEnrollment {
    pub enrollment: Hex,
    pub refusal: &'static str,
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
         WHERE e.school = $1 AND e.state <> 'WITHDRAWN'",
        school
    )
}

/// Which of these keys another school claims or holds.
pub async fn keys_elsewhere(tx: &mut Tx, school: &str, keys: impl Iterator<Item = Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(
        tx,
        (Uuid,),
        sql!("SELECT DISTINCT claim_key FROM enrollments WHERE claim_key" in_uuids 1 " AND school <> $2 AND state <> 'WITHDRAWN'"),
        json_uuids(keys),
        school
    )?;
    Ok(found.into_iter().map(|(key,)| key).collect())
}

pub async fn insert_drafts(tx: &mut Tx, school: &str, entered: &[Entered], now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO enrollments (enrollment, school, state, claim_key, id_document, id_class, id_sealed, id_masked, name, name_comparable, sex, birth_date,
             school_number, class_name, major, entry_month, entry_date, study_form, student_category, household, residence, phone_hash, details_sealed, content_hash,
             sent_back_reason, refusal, updated_at_us, etag)
             SELECT t.enrollment, $2, 'DRAFT', t.claim_key, t.id_document, t.id_class, t.id_sealed, '', t.name, t.name_comparable, t.sex, t.birth_date,
             t.school_number, t.class_name, t.major, t.entry_month, t.entry_date, t.study_form, t.student_category, t.household, t.residence, t.phone_hash,
             t.details_sealed, t.content_hash, '', '', $3, 1
             FROM " table 1 (enrollment uuid, claim_key uuid, id_document text, id_class text, id_sealed bytea, name text, name_comparable text,
                sex integer, birth_date date, school_number text, class_name text, major text, entry_month integer, entry_date date, study_form text,
                student_category text, household text, residence text, phone_hash uuid, details_sealed bytea, content_hash bytea)
        ),
        json_rows(entered),
        school,
        now_us
    )?;
    Ok(())
}

/// Overwrites drafts and rows that were sent back; the rows become drafts again and leave their submission.
pub async fn update_drafts(tx: &mut Tx, entered: &[Entered], now_us: i64) -> Result<u64, StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET state = 'DRAFT', submission = NULL, claim_key = t.claim_key, id_document = t.id_document, id_class = t.id_class,
             id_sealed = t.id_sealed, id_masked = '', name = t.name, name_comparable = t.name_comparable, sex = t.sex, birth_date = t.birth_date,
             school_number = t.school_number, class_name = t.class_name, major = t.major, entry_month = t.entry_month, entry_date = t.entry_date,
             study_form = t.study_form, student_category = t.student_category, household = t.household, residence = t.residence, phone_hash = t.phone_hash,
             details_sealed = t.details_sealed, content_hash = t.content_hash, sent_back_reason = '', refusal = '', updated_at_us = $2, etag = etag + 1
             FROM " table 1 (enrollment uuid, claim_key uuid, id_document text, id_class text, id_sealed bytea, name text, name_comparable text,
                sex integer, birth_date date, school_number text, class_name text, major text, entry_month integer, entry_date date, study_form text,
                student_category text, household text, residence text, phone_hash uuid, details_sealed bytea, content_hash bytea)
            " WHERE enrollments.enrollment = t.enrollment AND enrollments.state IN ('DRAFT', 'SENT_BACK')"
        ),
        json_rows(entered),
        now_us
    )
}

/// What a list asks for.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    pub school: String,
    pub state: String,
    /// Part of a comparable name, as a LIKE pattern; empty for all.
    pub name_pattern: String,
    /// Of a whole number: the keys that it may stand for, by the paper it was read from.
    pub keys: Option<Vec<Uuid>>,
    /// Hash of a whole 学籍号.
    pub student_number: Option<Uuid>,
    pub school_number: String,
    pub enrollment: Option<Uuid>,
    pub submission: Option<Uuid>,
    /// Day on which the state is meant: a change may be recorded ahead.
    pub today: NaiveDate,
}

/// What a list asks for, of the state that holds on day `$9`, led by what an index finds: a planner that must plan for any
/// filter would look at the whole school. (Nor may it lead with the school where a number is given: `e.school || ''`.)
macro_rules! asked_for {
    ($columns:literal, $($lead:literal $(in_uuids $keys:literal)?),+; $tail:literal) => {
        sql!(
            $columns
            " FROM enrollments e LEFT JOIN persons p ON p.person = e.person
              LEFT JOIN enrollment_periods now ON now.enrollment = e.enrollment AND e.state_since > $9 AND (now.from_date <= $9 OR now.ordinal = 0) AND now.to_date > $9
              WHERE "
            $($lead $(in_uuids $keys)?)+
            " AND ($2 = '' OR $2 = CASE now.state WHEN 1 THEN 'IN_SCHOOL' WHEN 2 THEN 'ON_LEAVE' WHEN 3 THEN 'WITHDRAWN' ELSE e.state END)
              AND ($8 IS NULL OR e.submission = $8)"
            $tail
        )
    };
}

/// The same for a filter: one enrollment, a number, or part of a name.
macro_rules! asked_by {
    ($filter:ident, $columns:literal, $tail:literal) => {
        if $filter.enrollment.is_some() {
            asked_for!($columns, "e.enrollment = $7 AND e.school = $1"; $tail)
        } else if $filter.keys.is_some() {
            asked_for!(
                $columns,
                "e.enrollment IN (SELECT x.enrollment FROM enrollments x WHERE x.claim_key" in_uuids 4,
                " UNION ALL SELECT x.enrollment FROM enrollments x JOIN person_keys k ON k.person = x.person WHERE k.person_key" in_uuids 4,
                " UNION ALL SELECT x.enrollment FROM enrollments x JOIN persons q ON q.person = x.person WHERE q.student_number_hash = $5
                  UNION ALL SELECT x.enrollment FROM enrollments x WHERE x.school = $1 AND x.school_number = $6)
                  AND e.school || '' = $1";
                $tail
            )
        } else {
            asked_for!($columns, "e.school = $1 AND ($3 = '' OR e.name_comparable LIKE $3 ESCAPE '!' OR e.school_number = $6)"; $tail)
        }
    };
}

/// How many there are that a list asks for.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let counted = one!(
        tx,
        (i64,),
        asked_by!(filter, "SELECT count(*)", ""),
        &filter.school,
        &filter.state,
        &filter.name_pattern,
        json_uuids(filter.keys.iter().flatten().copied()),
        filter.student_number,
        &filter.school_number,
        filter.enrollment,
        filter.submission,
        filter.today
    )?;
    Ok(counted.map_or(0, |(count,)| count))
}

pub async fn list(tx: &mut Tx, filter: &Filter, after: &(String, String, Uuid), limit: i64) -> Result<Vec<EnrollmentRow>, StoreError> {
    rows!(
        tx,
        EnrollmentRow,
        asked_by!(
            filter,
            "SELECT e.enrollment, e.school, CASE now.state WHEN 1 THEN 'IN_SCHOOL' WHEN 2 THEN 'ON_LEAVE' WHEN 3 THEN 'WITHDRAWN' ELSE e.state END AS state,
                    coalesce(now.from_date, e.state_since) AS state_since, e.state AS last_state, e.state_since AS last_since, e.person, e.id_sealed, e.name, e.sex,
                    e.school_number, e.class_name, e.major, e.entry_month, e.study_form, e.sent_back_reason, e.refusal, e.approved_day, p.registry,
                    p.student_number_sealed, e.etag",
            " AND (e.class_name, e.name, e.enrollment) > ($10, $11, $12) ORDER BY e.class_name, e.name, e.enrollment LIMIT $13"
        ),
        &filter.school,
        &filter.state,
        &filter.name_pattern,
        json_uuids(filter.keys.iter().flatten().copied()),
        filter.student_number,
        &filter.school_number,
        filter.enrollment,
        filter.submission,
        filter.today,
        &after.0,
        &after.1,
        after.2,
        limit
    )
}

/// The sealed numbers of an enrollment.
#[derive(Debug, sqlx::FromRow)]
pub struct NumbersRow {
    pub id_sealed: Vec<u8>,
    pub person: Option<Uuid>,
    pub student_number_sealed: Option<Vec<u8>>,
}

pub async fn numbers(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<Option<NumbersRow>, StoreError> {
    one!(
        tx,
        NumbersRow,
        "SELECT e.id_sealed, e.person, p.student_number_sealed FROM enrollments e LEFT JOIN persons p ON p.person = e.person
         WHERE e.school = $1 AND e.enrollment = $2",
        school,
        enrollment
    )
}

/// The sealed columns of enrollments.
pub async fn details(tx: &mut Tx, enrollments: impl Iterator<Item = Uuid>) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), sql!("SELECT enrollment, details_sealed FROM enrollments WHERE enrollment" in_uuids 1), json_uuids(enrollments))
}

/// Drafts of a school that were asked for, or all of them.
pub async fn submittable(tx: &mut Tx, school: &str, ids: &[Uuid], all: bool) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, String),
        sql!(
            "SELECT enrollment, state FROM enrollments WHERE school = $1 AND (($3 AND state = 'DRAFT') OR enrollment" in_uuids 2 ")"
            only(sqlite "", postgres " FOR UPDATE")
        ),
        school,
        json_uuids(ids.iter().copied()),
        all
    )
}

pub async fn put_into_submission(tx: &mut Tx, submission: Uuid, ids: &[Uuid], now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET state = 'SUBMITTED', submission = $2, sent_back_reason = '', refusal = '', updated_at_us = $3, etag = etag + 1 WHERE enrollment" in_uuids 1),
        json_uuids(ids.iter().copied()),
        submission,
        now_us
    )?;
    Ok(())
}

pub async fn insert_submission(ctx: &Context, tx: &mut Tx, submission: Uuid, school: &str, digest: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO submissions (submission, school, state, digest, submitted_by, submitted_by_name, submitted_at_us, submitted_day,
         attested_by, attested_by_name, attested_digest, attested_at_us, approved_by_name) VALUES ($1, $2, 'SUBMITTED', $3, $4, $5, $6, $7, '', '', '', 0, '')",
        submission,
        school,
        digest,
        &ctx.actor.account,
        &ctx.actor.display_name,
        ctx.now_us(),
        ctx.today()
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
    state: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<SubmissionRow>, StoreError> {
    rows!(
        tx,
        SubmissionRow,
        "SELECT b.submission, b.school, b.state, b.submitted_by, b.submitted_by_name, b.submitted_at_us, b.submitted_day, b.attested_by_name, b.attested_digest,
                b.attested_day, b.approved_by_name, s.name AS school_name, s.authority
         FROM submissions b JOIN schools s ON s.code = b.school
         WHERE ($1 = '' OR b.school = $1) AND substr(s.authority, 1, length($2)) = $2 AND ($3 = '' OR b.state = $3) AND ($4 IS NULL OR b.submission < $4)
         ORDER BY b.submission DESC LIMIT $5",
        school,
        authority_prefix,
        state,
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
        "UPDATE submissions SET state = 'ATTESTED', attested_digest = $2, attested_by = $3, attested_by_name = $4, attested_at_us = $5, attested_day = $6 WHERE submission = $1",
        submission,
        digest,
        account,
        name,
        now_us,
        today
    )?;
    run!(tx, "UPDATE enrollments SET state = 'ATTESTED', etag = etag + 1 WHERE submission = $1 AND state = 'SUBMITTED'", submission)?;
    Ok(())
}

pub async fn send_back(tx: &mut Tx, ids: &[Uuid], reason: &str, now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET state = 'SENT_BACK', submission = NULL, sent_back_reason = $2, refusal = '', updated_at_us = $3, etag = etag + 1 WHERE enrollment" in_uuids 1),
        json_uuids(ids.iter().copied()),
        reason,
        now_us
    )?;
    Ok(())
}

pub async fn close_submission(tx: &mut Tx, submission: Uuid) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE submissions SET state = 'DONE' WHERE submission = $1
         AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.submission = $1 AND e.state IN ('SUBMITTED', 'ATTESTED'))",
        submission
    )?;
    Ok(())
}

pub async fn approved_by(tx: &mut Tx, submission: Uuid, name: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE submissions SET approved_by_name = $2 WHERE submission = $1", submission, name)?;
    Ok(())
}

pub async fn attested(tx: &mut Tx, submission: Uuid) -> Result<Vec<AttestedRow>, StoreError> {
    rows!(
        tx,
        AttestedRow,
        sql!(
            "SELECT enrollment, claim_key, id_class, id_sealed, name, name_comparable, sex, birth_date, entry_date
             FROM enrollments WHERE submission = $1 AND state = 'ATTESTED' ORDER BY enrollment" only(sqlite "", postgres " FOR UPDATE")
        ),
        submission
    )
}

/// Who holds these keys now, whether they have a place, and when their last place ended.
pub async fn holders(tx: &mut Tx, keys: impl Iterator<Item = Uuid>) -> Result<Vec<HolderRow>, StoreError> {
    rows!(
        tx,
        HolderRow,
        sql!(
            "SELECT k.person_key, k.person, present.person_key AS present_key, n.name,
                    EXISTS (SELECT 1 FROM places pl WHERE pl.person = k.person) AS placed,
                    (SELECT max(pe.from_date) FROM enrollment_periods pe JOIN enrollments e ON e.enrollment = pe.enrollment
                     WHERE e.person = k.person AND pe.state = 3) AS last_end
             FROM person_keys k JOIN person_keys present ON present.person = k.person AND present.kind = 1
             JOIN person_names n ON n.person = k.person AND n.kind = 1
             WHERE k.kind IN (1, 2) AND k.person_key" in_uuids 1 " ORDER BY k.kind DESC"
        ),
        json_uuids(keys)
    )
}

/// Which of these keys a live row of the school claims.
pub async fn live_keys(tx: &mut Tx, school: &str, keys: impl Iterator<Item = Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let claimed = rows!(
        tx,
        (Uuid,),
        sql!("SELECT claim_key FROM enrollments WHERE school = $2 AND state <> 'WITHDRAWN' AND claim_key" in_uuids 1),
        json_uuids(keys),
        school
    )?;
    Ok(claimed.into_iter().map(|(key,)| key).collect())
}

/// Locks persons in the order of their ids: who corrects one of them now waits, or was first and is seen by what is read
/// after this.
pub async fn lock_persons(tx: &mut Tx, persons: impl Iterator<Item = Uuid>) -> Result<(), StoreError> {
    rows!(
        tx,
        (Uuid,),
        sql!("SELECT person FROM persons WHERE person" in_uuids 1 " ORDER BY person" only(sqlite "", postgres " FOR UPDATE")),
        json_uuids(persons)
    )?;
    Ok(())
}

pub async fn insert_persons(tx: &mut Tx, persons: &[NewPerson]) -> Result<(), StoreError> {
    let json = json_rows(persons);
    run!(
        tx,
        sql!(
            "INSERT INTO persons (person, sex, birth_date, registry, student_number_sealed, student_number_hash, student_number_formal, etag)
             SELECT t.person, t.sex, t.birth_date, t.registry, t.student_number_sealed, t.student_number_hash, t.student_number_formal, 1
             FROM " table 1 (person uuid, sex integer, birth_date date, registry integer, student_number_sealed bytea, student_number_hash uuid, student_number_formal boolean)
        ),
        &json
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO person_keys (person, person_key, kind, id_class, id_sealed) SELECT t.person, t.person_key, 1, t.id_class, t.id_sealed
             FROM " table 1 (person uuid, person_key uuid, id_class text, id_sealed bytea)
        ),
        &json
    )?;
    run!(tx, sql!("INSERT INTO person_names (person, ordinal, name, kind) SELECT t.person, 0, t.name, 1 FROM " table 1 (person uuid, name text)), &json)?;
    Ok(())
}

/// Which of these hashes of 学籍号 are taken.
pub async fn taken_student_numbers(tx: &mut Tx, hashes: impl Iterator<Item = Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let taken = rows!(tx, (Uuid,), sql!("SELECT student_number_hash FROM persons WHERE student_number_hash" in_uuids 1), json_uuids(hashes))?;
    Ok(taken.into_iter().map(|(hash,)| hash).collect())
}

/// Gives persons their places; fails with a unique violation where somebody was first.
pub async fn take_places(tx: &mut Tx, placed: &[Placed], now_us: i64, today: NaiveDate, account: &str) -> Result<(), StoreError> {
    let json = json_rows(placed);
    run!(tx, sql!("INSERT INTO places (person, enrollment) SELECT t.person, t.enrollment FROM " table 1 (person uuid, enrollment uuid)), &json)?;
    run!(
        tx,
        sql!(
            "UPDATE enrollments SET state = 'IN_SCHOOL', person = t.person, entry_date = t.entry_date, state_since = t.entry_date, approved_day = $3, refusal = '',
             updated_at_us = $2, etag = etag + 1 FROM " table 1 (enrollment uuid, person uuid, entry_date date) " WHERE enrollments.enrollment = t.enrollment"
        ),
        &json,
        now_us,
        today
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO enrollment_periods (enrollment, ordinal, from_date, state, reason, recorded_day, recorded_by, recorded_at_us)
             SELECT t.enrollment, 0, t.entry_date, 1, '入学', $3, $4, $2 FROM " table 1 (enrollment uuid, entry_date date)
        ),
        &json,
        now_us,
        today,
        account
    )?;
    Ok(())
}

/// Takes a row that no department approved off the books; returns whether it was there.
pub async fn remove_draft(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<bool, StoreError> {
    Ok(run!(tx, "DELETE FROM enrollments WHERE school = $1 AND enrollment = $2 AND state IN ('DRAFT', 'SENT_BACK')", school, enrollment)? == 1)
}

pub async fn note_refused(tx: &mut Tx, refused: &[RefusedEnrollment]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE enrollments SET refusal = t.refusal FROM " table 1 (enrollment uuid, refusal text) " WHERE enrollments.enrollment = t.enrollment"),
        json_rows(refused)
    )?;
    Ok(())
}

/// Sealed numbers of a set, for looking at runs of neighbours.
pub async fn sealed_numbers(tx: &mut Tx, submission: Uuid) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    rows!(tx, (Uuid, Vec<u8>), "SELECT enrollment, id_sealed FROM enrollments WHERE submission = $1 AND id_class = 'Resident'", submission)
}
