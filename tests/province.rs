//! A province in bulk, made by PostgreSQL itself: for benchmarks, which need many records and not many requests.
//!
//! Student `i` of `1..=count` has the key `md5('k' || i)`, the name `学生` and letters, and a place at school
//! `3643000000 + i / 2000`; ids follow from `i` alike, so that both services' databases can be filled apart.

use std::sync::Arc;

use sqlx::AssertSqlSafe;
use sqlx_postgres::PgPool;
use uuid::Uuid;
use xuezhu_enrollment::sharing;
use xuezhu_service::{Actor, Clock, Context, Error, Ids};
use xuezhu_store::Db;

/// Students a school.
pub const SCHOOL_STUDENTS: i64 = 2_000;
/// Records that are shared in one transaction.
const SHARED_AT_ONCE: usize = 1_000;

/// SQL of a student's name: letters only, as names are.
pub const NAME: &str = "'学生' || translate(i::text, '0123456789', '甲乙丙丁戊己庚辛壬癸')";
/// SQL of a student's school.
pub const SCHOOL: &str = "(3643000000 + i / 2000)::text";

/// Runs statements one after the other, each with the number of students as `$1` where it names it.
pub async fn run(pool: &PgPool, statements: &[String]) {
    for statement in statements {
        // The texts are this file's own.
        sqlx::query(AssertSqlSafe(statement.clone())).execute(pool).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
}

/// Drops the indexes that no constraint needs; returns the statements that make them again. Filling comes first: a row put in
/// under random keys costs more in its indexes than in its table.
pub async fn drop_indexes(pool: &PgPool) -> Vec<String> {
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY indexname",
    )
    .fetch_all(pool)
    .await
    .expect("indexes");
    let dropped: Vec<String> = indexes.iter().map(|(name, _)| format!("DROP INDEX {name}")).collect();
    run(pool, &dropped).await;
    indexes.into_iter().map(|(_, made)| made).collect()
}

/// Fills enrollment's tables with approved students, entered on `entry`, and logs them for the feed.
pub async fn enroll(db: &Db, clock: &Clock, count: i64, entry: &str) {
    let Db::Postgres { pool, .. } = db else { panic!("a province in bulk is made on PostgreSQL") };
    let each = format!("FROM generate_series(1, {count}) AS i");
    run(
        pool,
        &[
            format!(
                "INSERT INTO schools (code, name, region, kind, authority, state)
                 SELECT (3643000000 + i)::text, '第' || i || '职业学校', '430102', 'PUBLIC', '430100', 'ACTIVE' FROM generate_series(0, {count} / 2000) AS i"
            ),
            format!(
                "INSERT INTO persons (person, sex, birth_date, registry, student_number_sealed, student_number_hash, student_number_formal, etag)
                 SELECT md5('p' || i)::uuid, 1, '2010-01-01', 2, '', md5('g' || i)::uuid, true, 1 {each}"
            ),
            format!(
                "INSERT INTO person_keys (person, person_key, kind, id_class, id_sealed) SELECT md5('p' || i)::uuid, md5('k' || i)::uuid, 1, 1, '' {each}"
            ),
            format!("INSERT INTO person_names (person, ordinal, name, kind) SELECT md5('p' || i)::uuid, 0, {NAME}, 1 {each}"),
            format!(
                "INSERT INTO enrollments (enrollment, school, state, person, claim_key, id_document, id_class, id_sealed, id_masked, name, name_comparable, sex, birth_date,
                 school_number, class_name, major, entry_month, entry_date, study_form, student_category, household, residence, phone_hash, details_sealed, content_hash,
                 sent_back_reason, refusal, state_since, approved_day, updated_at_us, etag)
                 SELECT md5('e' || i)::uuid, {SCHOOL}, 11, md5('p' || i)::uuid, md5('k' || i)::uuid, '居民身份证', 1, '', '430102********0000', {NAME}, {NAME},
                 1, '2010-01-01', 'S' || i, '1班', '2010-010200', 202609, '{entry}', '全日制', '普通中专学生', '农业户口', '农村', md5('t' || i)::uuid, '', '', '', '',
                 '{entry}', '{entry}', 0, 1 {each}"
            ),
            format!("INSERT INTO places (person, enrollment) SELECT md5('p' || i)::uuid, md5('e' || i)::uuid {each}"),
            format!(
                "INSERT INTO periods (enrollment, period, from_date, state, class_name, major, study_form, household, residence, reason, recorded_day, recorded_by,
                                      recorded_at_us, version)
                 SELECT md5('e' || i)::uuid, 1, '{entry}', 11, '1班', '2010-010200', '全日制', '农业户口', '农村', '入学', '{entry}', 'system', 0, 1 {each}"
            ),
            // Nobody here has columns that a conversion could read.
            "INSERT INTO conversions (name, after_key, done) VALUES ('circumstances', '', true)".to_owned(),
            "ANALYZE".to_owned(),
        ],
    )
    .await;
    let ctx = Context::new(Actor::system(), clock, &Ids::random());
    let schools: Vec<(String,)> = sqlx::query_as("SELECT code FROM schools").fetch_all(pool).await.expect("schools");
    let schools: Arc<Vec<String>> = Arc::new(schools.into_iter().map(|(code,)| code).collect());
    db.write(&(ctx.clone(), schools), |tx, (ctx, schools)| {
        Box::pin(async move {
            for code in schools.iter() {
                sharing::share_school(ctx, tx, code).await?;
            }
            Ok::<_, Error>(())
        })
    })
    .await
    .expect("schools are shared");
    let ids: Vec<(Uuid, Uuid)> = sqlx::query_as("SELECT person, enrollment FROM places").fetch_all(pool).await.expect("places");
    for chunk in ids.chunks(SHARED_AT_ONCE) {
        let (persons, enrollments): (Vec<Uuid>, Vec<Uuid>) = chunk.iter().copied().unzip();
        db.write(&(ctx.clone(), persons, enrollments), |tx, (ctx, persons, enrollments)| {
            Box::pin(async move {
                sharing::share_persons(ctx, tx, persons).await?;
                sharing::share_enrollments(ctx, tx, enrollments).await
            })
        })
        .await
        .expect("records are shared");
    }
}

/// The state of lists and entries that a department approved.
pub const APPROVED: i32 = xuezhu_judge::entry::State::Approved.code();

/// Lists students `from..=to` for a grant in a term, approved, at their schools.
pub async fn list(pool: &PgPool, (from, to): (i64, i64), term: &str, months: &[i32]) {
    let text = months.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let day = |month: i32| format!("{}-{:02}-01", month / 100, month % 100);
    let (first, last) = (day(months[0]), day(months[months.len() - 1]));
    run(
        pool,
        &[
            format!(
                "INSERT INTO award_lists (list, school, scheme, term, supplement, state, submitted, submitted_by, submitted_by_name, attested_by_name, attested_digest,
                 approved_by_name, created_at_us)
                 SELECT md5('l' || school)::uuid, school, 'GRANT', '{term}', 0, {APPROVED}, true, 'clerk', '', '', '', '', 0
                 FROM (SELECT DISTINCT {SCHOOL} AS school FROM generate_series({from}, {to}) AS i) AS schools"
            ),
            format!(
                "INSERT INTO award_entries (entry, list, school, scheme, term, person_key, id_document, id_sealed, id_masked, name, name_comparable, sex, birth_date, months,
                 first_day, last_day, amount_fen, month_fen, tier, card_tail, remark, state, sent_back_reason, content_hash, recorded_day, recorded_at_us, recorded_by)
                 SELECT md5('a' || i)::uuid, md5('l' || {SCHOOL})::uuid, {SCHOOL}, 'GRANT', '{term}', md5('k' || i)::uuid, '居民身份证', '', '430102********0000', {NAME},
                 {NAME}, NULL, NULL, '{text}', '{first}', '{last}', {}, 23000, '二档', '', '', {APPROVED}, '', '', '{first}', i, 'clerk'
                 FROM generate_series({from}, {to}) AS i",
                23_000 * months.len()
            ),
            // Nobody here has columns that a conversion could read.
            "INSERT INTO conversions (name, after_key, done) VALUES ('circumstances', '', true)".to_owned(),
            "ANALYZE".to_owned(),
        ],
    )
    .await;
}
