//! A batch that is applied in lanes, and breaks off in their midst.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xuezhu::deployment::{Deployment, system_clock};
use xuezhu_bridge::sequencer::Sequencer;
use xuezhu_service::{Ids, settings::Settings};
use xuezhu_store::{Db, one, rows, run};
use xuezhu_tests::{
    Engine, deployment_on, postgres,
    schools::{self, SCHOOL, number, student},
    until,
};

/// Where the mirror stands: generation, position, change.
type Stand = (i64, i64, Option<Uuid>);

async fn stand(aid: &Db) -> Stand {
    let mut tx = aid.read().await.expect("reads");
    let stand = one!(&mut tx, Stand, "SELECT generation, position, change FROM mirror_state").expect("reads").expect("a row");
    tx.rollback().await.expect("ends");
    stand
}

/// What the mirror holds, and the life of its flags.
async fn held(aid: &Db) -> Vec<(String, i64)> {
    let mut tx = aid.read().await.expect("reads");
    let held = rows!(
        &mut tx,
        (String, i64),
        "SELECT 'person ' || person, version FROM mirror_persons UNION ALL SELECT 'enrollment ' || enrollment, version FROM mirror_enrollments
         UNION ALL SELECT 'period ' || enrollment || ' ' || from_date, ordinal FROM mirror_periods UNION ALL SELECT 'vouch ' || person_key, ordinal FROM vouches
         UNION ALL SELECT 'flag ' || flag || ' ' || state, steps FROM flags ORDER BY 1, 2"
    )
    .expect("reads");
    tx.rollback().await.expect("ends");
    held
}

async fn started(databases: &(String, String), folder: &std::path::Path) -> Deployment {
    let settings = Settings { lane_records: 1, ..Settings::default() };
    deployment_on(Some(databases.clone()), folder, "none", settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_that_went_ahead_of_the_cursor_change_nothing_twice_and_must_be_known_to_the_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let databases = (postgres::database().await, postgres::database().await);
    let running = started(&databases, folder.path()).await;
    running.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&running).await;
    people.import(&(1..=12).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    running.drain().await.expect("drains");
    let aid = Db::open(&databases.1).await.expect("opens");
    let before = stand(&aid).await;
    // Two students are listed, one of them leaves; a third is listed and was never here.
    people.list(&[(&student(1)["姓名"], &number(1), ""), (&student(2)["姓名"], &number(2), ""), ("王丁", &number(77), "")]).await;
    let found = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(1))).await.expect("is found");
    let path = format!("/v1/schools/{SCHOOL}/enrollments/{}", found["enrollments"][0]["enrollment"].as_str().expect("an id"));
    people.clerk.post(&format!("{path}/withdraw"), &serde_json::json!({ "effectiveDate": "2026-10-10", "reason": "转出" }), "").await.expect("is recorded");
    people.import(&(13..=20).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    running.drain().await.expect("drains");
    running.stop().await;
    let (after, whole) = (stand(&aid).await, held(&aid).await);
    assert!(after.1 > before.1 + 8 && whole.iter().filter(|(what, _)| what.starts_with("flag ")).count() == 2, "{after:?} {whole:?}");

    // As after a kill between the last lane and the cursor: the lanes stand where the batch ended, the cursor where it began.
    let mut tx = aid.begin().await.expect("begins");
    run!(&mut tx, "UPDATE mirror_state SET position = $1, change = $2", before.1, before.2).expect("is set back");
    run!(&mut tx, "DELETE FROM mirror_lanes").expect("empties");
    run!(&mut tx, "INSERT INTO mirror_lanes (lane, position, change) VALUES (0, $1, $2)", after.1, after.2).expect("is ahead");
    tx.commit().await.expect("commits");
    let running = started(&databases, folder.path()).await;
    running.drain().await.expect("drains");
    running.stop().await;
    assert_eq!((stand(&aid).await, held(&aid).await), (after, whole.clone()), "what comes again changes nothing");

    // As if the source had lost what a lane holds: the stored cursor is known, and yet nothing of the mirror can be trusted.
    let mut tx = aid.begin().await.expect("begins");
    run!(&mut tx, "UPDATE mirror_state SET position = $1, change = $2", before.1, before.2).expect("is set back");
    run!(&mut tx, "DELETE FROM mirror_lanes").expect("empties");
    run!(&mut tx, "INSERT INTO mirror_lanes (lane, position, change) VALUES (1, $1, $2)", after.1, Uuid::max()).expect("is ahead");
    tx.commit().await.expect("commits");
    let running = started(&databases, folder.path()).await;
    until("a fresh generation is loaded", async || stand(&aid).await.0 > after.0).await;
    running.drain().await.expect("drains");
    running.stop().await;
    assert_eq!(held(&aid).await, whole, "the fresh generation holds what the source says");
    let mut tx = aid.read().await.expect("reads");
    assert!(rows!(&mut tx, (i32,), "SELECT lane FROM mirror_lanes").expect("reads").is_empty(), "lanes of the old generation are forgotten");
}

/// Statistics that were taken while every change waited for its position would lead a planner through the whole log, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn whether_changes_wait_is_read_from_their_index_whatever_the_planner_believes() {
    let url = postgres::database().await;
    let db = Db::open(&url).await.expect("opens");
    db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
    let mut tx = db.begin().await.expect("begins");
    let fill = "INSERT INTO change_log (change, kind, record, version, scope_before, scope, body, at_us)
                SELECT md5('c' || i)::uuid, 10, md5('r' || i)::uuid, 1, '', '', '', 0 FROM generate_series(1, 30000) AS i";
    run!(&mut tx, fill).expect("is logged");
    let begun = "INSERT INTO feed_sequencer (only_row, history, epoch, holder, lease_until_us, next_position) VALUES (1, $1, 0, $1, 0, 1)";
    run!(&mut tx, begun, uuid::Uuid::nil()).expect("a history is begun");
    tx.commit().await.expect("commits");
    db.analyze().await.expect("is measured");
    let mut tx = db.begin().await.expect("begins");
    run!(&mut tx, "UPDATE change_log SET position = ('x' || substr(md5(change::text), 1, 15))::bit(60)::bigint").expect("has positions");
    tx.commit().await.expect("commits");
    let scans = async || {
        let mut tx = db.read().await.expect("reads");
        let scans = one!(&mut tx, (i64,), "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'change_log_unsequenced'").expect("reads");
        tx.rollback().await.expect("ends");
        scans.expect("a row").0
    };
    let before = scans().await;
    // How often it was asked, and by the index of those that wait.
    let mut asked = 0;
    until("they are looked for by their index", async || {
        xuezhu_bridge::sequencer::settled_head(&db).await.expect("is told");
        asked += 1;
        asked > 50 && scans().await - before > 25
    })
    .await;
}

/// Two processes whose clocks differ commit changes of one record: their ids are in another order than its versions.
#[tokio::test(flavor = "multi_thread")]
async fn positions_of_a_record_rise_with_its_versions_whatever_their_ids() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let url = engine.database(folder.path()).await;
        let db = Db::open(&url).await.expect("opens");
        db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
        let mut tx = db.begin().await.expect("begins");
        // Record 7 in three versions, the last with the lowest id; record 8 in between.
        for (change, record, version) in [(10, 7, 3), (15, 8, 1), (20, 7, 1), (30, 7, 2)] {
            let log = "INSERT INTO change_log (change, kind, record, version, scope_before, scope, body, at_us) VALUES ($1, 10, $2, $3, '', '', $4, 0)";
            run!(&mut tx, log, Uuid::from_u128(change), Uuid::from_u128(record), version, &b""[..]).expect("is logged");
        }
        tx.commit().await.expect("commits");
        let sequencer = Sequencer::new(db.clone(), system_clock(), &Ids::random(), Arc::default(), CancellationToken::new()).await.expect("is made");
        assert_eq!(sequencer.step(&mut None).await.expect("works"), 4, "{engine:?}");
        let mut tx = db.read().await.expect("reads");
        let given = rows!(&mut tx, (i64, Uuid, i64), "SELECT position, record, version FROM change_log ORDER BY position").expect("reads");
        tx.rollback().await.expect("ends");
        let given: Vec<_> = given.into_iter().map(|(position, record, version)| (position, record.as_u128(), version)).collect();
        assert_eq!(given, [(1, 7, 1), (2, 8, 1), (3, 7, 2), (4, 7, 3)], "{engine:?}");
        assert_eq!(sequencer.step(&mut None).await.expect("works"), 0, "{engine:?}");
    }
}
