//! Databases that go back in time: restored under a living process, a failover to a lagging replica, restored while the
//! follower is cut off, both restored to different days. What the source forgot frees no money.

use std::sync::Arc;

use serde_json::json;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xuezhu::deployment::{key_files, system_clock};
use xuezhu_bridge::sequencer::Sequencer;
use xuezhu_enrollment::{Enrollment, identity_check::registry::Registry};
use xuezhu_proto::bridge::{School, record::Body};
use xuezhu_service::{
    Ids, Keyring,
    keyring::Service,
    settings::{Safeguards, Settings},
};
use xuezhu_store::{Db, one, run};
use xuezhu_tests::{
    apart::{Apart, Process, answered},
    binary, deployment_on, free_address, postgres, prepare,
    same::differences,
    schools::{self, People, SCHOOL, number, reason, student},
    until,
};

const LEFT: &str = "2026-10-08";

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

/// A list of these students, attested.
async fn listed(people: &People, serials: std::ops::RangeInclusive<u32>) -> String {
    let (names, numbers): (Vec<String>, Vec<String>) = serials.map(|serial| (name(serial), number(serial))).unzip();
    let lines: Vec<(&str, &str, &str)> = names.iter().zip(&numbers).map(|(name, number)| (name.as_str(), number.as_str(), "")).collect();
    let list = people.list(&lines).await;
    people.attested(&list).await;
    list
}

/// The names of students, in order.
fn names(serials: impl IntoIterator<Item = u32>) -> Vec<String> {
    let mut names: Vec<String> = serials.into_iter().map(name).collect();
    names.sort();
    names
}

async fn history(enrollment: &str) -> (uuid::Uuid, i64, i64) {
    let db = Db::open(enrollment).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let row = one!(&mut tx, (uuid::Uuid, i64, i64), "SELECT history, base_position, next_position FROM feed_sequencer").expect("reads").expect("a row");
    tx.rollback().await.expect("ends");
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_a_restore_under_a_live_stream_lost_frees_no_money() {
    let folder = tempfile::tempdir().expect("a folder");
    let databases = (postgres::database().await, postgres::database().await);
    let running = deployment_on(Some(databases.clone()), folder.path(), "none", Settings::default()).await;
    running.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&running).await;
    people.import(&(1..=6).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    let list = listed(&people, 1..=6).await;
    let backup = postgres::database().await;
    postgres::copy(&databases.0, &backup).await;
    for serial in 1..=3 {
        people.withdraw(&number(serial), LEFT).await;
    }
    running.drain().await.expect("drains");
    let flags: Vec<_> = names(1..=3).into_iter().map(|name| ("NOT_VALID_IN_TERM".to_owned(), name)).collect();
    assert_eq!(people.open_flags().await, flags, "flagged before");
    let before = history(&databases.0).await;

    postgres::put_in_place(&databases.0, &backup).await;
    until("what was forgotten is noticed", async || people.forgotten().await.len() == 3).await;
    until("whoever differs is judged", async || people.open_flags().await.is_empty()).await;
    let after = history(&databases.0).await;
    assert!(after.0 != before.0 && after.1 >= before.2 - 1, "another history, above all positions ever given: {before:?} {after:?}");
    assert_eq!(people.forgotten().await, names(1..=3));
    assert_eq!(differences(&databases.0, &databases.1).await, Vec::<String>::new());
    let mirror = people.officer.get("/v1/mirror").await.expect("is told");
    assert_eq!((&mirror["forgotten"], &mirror["stale"]), (&json!(3), &json!(false)), "{mirror}");
    until("it is heard again, to the last position", async || people.officer.get("/v1/mirror").await.is_ok_and(|mirror| mirror["lagPositions"] == "0")).await;

    let approved = people.approve(&list).await.expect("whoever is not concerned is approved");
    assert_eq!((&approved["approved"], &approved["attested"], &approved["forgottenAttested"]), (&json!(3), &json!(3), &json!(3)), "{approved}");
    assert_eq!(reason(people.approve(&list).await), (400, "SOURCE_FORGOT".to_owned()));

    // The school records one again as it was; the department lets the present record of another hold.
    people.withdraw(&number(1), LEFT).await;
    running.drain().await.expect("drains");
    assert_eq!(people.forgotten().await, names(2..=3), "said again");
    assert_eq!(people.open_flags().await, [("NOT_VALID_IN_TERM".to_owned(), name(1))]);
    let open = people.officer.get("/v1/forgottenRecords").await.expect("records");
    let of = |serial: u32| open["records"].as_array().expect("a list").iter().find(|row| row["name"] == name(serial)).expect("is open").clone();
    let story = of(2)["facts"].as_array().expect("facts").iter().find(|fact| fact["what"] == "学籍经过").expect("the story").clone();
    assert_eq!((&story["before"], &story["now"]), (&json!("2026-09-01起在读；2026-10-08起退学"), &json!("2026-09-01起在读")));
    let page = async |session: &xuezhu::client::Session| {
        let asked = reqwest::Client::new().get(format!("http://{}/forgotten", running.http)).header("cookie", format!("xuezhu_session={}", session.token()));
        asked.send().await.expect("answers").text().await.expect("a page")
    };
    let (officers, clerks) = (page(&people.officer).await, page(&people.clerk).await);
    for says in [name(2), "2026-09-01起在读；2026-10-08起退学".to_owned(), "共 2 条".to_owned()] {
        assert!(officers.contains(&says) && clerks.contains(&says), "{says}: {officers}");
    }
    assert!(officers.contains("name=\"reason\"") && !clerks.contains("name=\"reason\""), "the department alone is asked for a reason");
    let path = format!("/v1/forgottenRecords/{}/decide", of(2)["forgotten"].as_str().expect("an id"));
    assert_eq!(reason(people.clerk.post(&path, &json!({ "reason": "在校" }), "").await).1, "FORBIDDEN", "the department decides");
    assert_eq!(reason(people.officer.post(&path, &json!({ "reason": "" }), "").await).1, "INVALID_ARGUMENT", "with a reason");
    let decided = people.officer.post(&path, &json!({ "reason": "该生实际在校，退学系误办" }), "").await.expect("is decided");
    assert_eq!(decided["state"], "DECIDED");
    assert_eq!(reason(people.officer.post(&path, &json!({ "reason": "再次" }), "").await).1, "WRONG_STATE");
    let approved = people.approve(&list).await.expect("is approved");
    assert_eq!((&approved["approved"], &approved["held"], &approved["forgottenAttested"]), (&json!(4), &json!(1), &json!(1)), "{approved}");

    // Work goes on in the new history.
    people.import(&(7..=8).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    running.drain().await.expect("drains");
    assert_eq!(differences(&databases.0, &databases.1).await, Vec::<String>::new());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_to_a_lagging_replica_hands_no_position_out_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let databases = (postgres::database().await, postgres::database().await);
    let running = deployment_on(Some(databases.clone()), folder.path(), "none", Settings::default()).await;
    running.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&running).await;
    people.import(&(1..=4).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    let list = listed(&people, 1..=4).await;
    let replica = postgres::database().await;
    postgres::copy(&databases.0, &replica).await;
    people.withdraw(&number(1), LEFT).await;
    running.drain().await.expect("drains");
    postgres::put_in_place(&databases.0, &replica).await;
    // Others go on at once, before anybody has noticed: more changes than were lost.
    answered(async || {
        let path = people.enrollment(&number(2)).await;
        people.clerk.post(&format!("{path}/leave"), &json!({ "effectiveDate": "2026-10-09", "reason": "病休" }), "leave-2").await
    })
    .await;
    people.import(&(11..=16).map(student).collect::<Vec<_>>()).await;
    until("what was forgotten is noticed", async || people.forgotten().await == names([1])).await;
    until("the mirror holds what the source says", async || differences(&databases.0, &databases.1).await.is_empty()).await;
    running.drain().await.expect("drains");
    assert_eq!(people.open_flags().await, [("NOT_VALID_IN_TERM".to_owned(), name(2))], "what was said after it is judged");
    let approved = people.approve(&list).await.expect("is answered");
    assert_eq!((&approved["approved"], &approved["held"], &approved["forgottenAttested"]), (&json!(2), &json!(1), &json!(1)), "{approved}");
    running.stop().await;
}

/// Two enrollment processes on one database that is put back: one new history, above all that either gave.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_a_database_that_was_put_back_begin_one_new_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let databases = (postgres::database().await, postgres::database().await);
    let running = deployment_on(Some(databases.clone()), folder.path(), "none", Settings::default()).await;
    let keyring = Keyring::load(&key_files(folder.path()).enrollment, Service::Enrollment).expect("keys");
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let db = Db::open(&databases.0).await.expect("opens");
    let second = Enrollment::start(
        db.clone(),
        system_clock(),
        Ids::random(),
        keyring,
        xuezhu_evidence::Vault::memory(),
        Registry::None,
        Safeguards::default(),
        &tasks,
        &stop,
    )
    .await
    .expect("starts");
    let people = schools::open(&running).await;
    people.import(&(1..=4).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    running.drain().await.expect("drains");
    let backup = postgres::database().await;
    postgres::copy(&databases.0, &backup).await;
    people.withdraw(&number(1), LEFT).await;
    running.drain().await.expect("drains");
    let (before, histories) = (history(&databases.0).await, histories(&databases.0).await);
    postgres::put_in_place(&databases.0, &backup).await;
    until("what was forgotten is noticed", async || people.forgotten().await == names([1])).await;
    let after = history(&databases.0).await;
    assert!(after.0 != before.0 && after.1 >= before.2 - 1, "above all that was ever given: {before:?} {after:?}");
    people.import(&(5..=8).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    running.drain().await.expect("drains");
    assert_eq!(history(&databases.0).await.0, after.0, "the other adopted it");
    assert_eq!(self::histories(&databases.0).await, histories + 1, "one new history");
    assert_eq!(differences(&databases.0, &databases.1).await, Vec::<String>::new());
    until("the second serves too", async || second.readiness().faults().is_empty()).await;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    db.close().await;
    running.stop().await;
}

/// Histories that a source knows of itself, the present one too.
async fn histories(enrollment: &str) -> i64 {
    let db = Db::open(enrollment).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let (count,) = one!(&mut tx, (i64,), "SELECT count(*) FROM feed_histories").expect("reads").expect("a row");
    tx.rollback().await.expect("ends");
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_was_restored_while_its_follower_was_cut_off_is_asked_what_it_forgot() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let databases = (postgres::database().await, postgres::database().await);
    let mut apart = Apart::start(folder.path(), &databases.0, &databases.1);
    let base = apart.base();
    xuezhu_tests::apart::ready(&base).await;
    let people = schools::open_at(&base, "first-Password1").await;
    people.import(&(1..=4).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    until("aid knows them", async || people.officer.get("/v1/mirror").await.is_ok() && differences(&databases.0, &databases.1).await.is_empty()).await;
    let list = listed(&people, 1..=4).await;
    let backup = postgres::database().await;
    postgres::copy(&databases.0, &backup).await;
    people.withdraw(&number(1), LEFT).await;
    until("aid has heard", async || !people.open_flags().await.is_empty()).await;

    // Aid is gone, enrollment is restored with its process killed, and works on: its positions pass those of before, under the
    // same history, and the very student changes as often as was lost, and more.
    apart.end(1);
    apart.end(0);
    postgres::put_in_place(&databases.0, &backup).await;
    apart.begin(0);
    let act = async |act: &str, body: serde_json::Value| {
        let path = answered(async || people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(1))).await).await;
        let path = format!("/v1/schools/{SCHOOL}/enrollments/{}", path["enrollments"][0]["enrollment"].as_str().expect("an id"));
        answered(async || people.clerk.post(&format!("{path}/{act}"), &body, act).await).await;
    };
    act("leave", json!({ "effectiveDate": "2026-10-12", "reason": "病休" })).await;
    act("return", json!({ "effectiveDate": "2026-10-20", "reason": "康复" })).await;
    people.import(&(21..=30).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    apart.begin(1);
    until("what was forgotten is noticed", async || {
        people.officer.get("/v1/forgottenRecords").await.is_ok_and(|answer| answer["records"][0]["name"] == name(1))
    })
    .await;
    assert_eq!(people.forgotten().await, names([1]), "whoever only changed since is not among them");
    until("the mirror holds what the source says", async || differences(&databases.0, &databases.1).await.is_empty()).await;
    until("whoever differs is judged", async || people.open_flags().await.is_empty()).await;
    let approved = people.approve(&list).await.expect("is answered");
    assert_eq!((&approved["approved"], &approved["forgottenAttested"]), (&json!(3), &json!(1)), "{approved}");
    assert_eq!(reason(people.approve(&list).await), (400, "SOURCE_FORGOT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_were_restored_to_different_days_agree_again() {
    for aid_is_older in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = (postgres::database().await, postgres::database().await);
        let running = deployment_on(Some(databases.clone()), folder.path(), "none", Settings::default()).await;
        running.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&running).await;
        people.import(&(1..=3).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        let list = listed(&people, 1..=3).await;
        running.drain().await.expect("drains");
        let (monday, tuesday) = (postgres::database().await, postgres::database().await);
        let (early, late) = if aid_is_older { (&databases.1, &databases.0) } else { (&databases.0, &databases.1) };
        postgres::copy(early, &monday).await;
        people.withdraw(&number(1), LEFT).await;
        running.drain().await.expect("drains");
        postgres::copy(late, &tuesday).await;
        people.withdraw(&number(2), LEFT).await;
        running.drain().await.expect("drains");
        running.stop().await;
        postgres::put_in_place(early, &monday).await;
        postgres::put_in_place(late, &tuesday).await;

        let running = deployment_on(Some(databases.clone()), folder.path(), "none", Settings::default()).await;
        let base = format!("http://{}", running.http);
        let people = People::at(&base).await;
        running.drain().await.expect("drains");
        until("the mirror holds what the source says", async || differences(&databases.0, &databases.1).await.is_empty()).await;
        running.drain().await.expect("drains");
        // An older aid only catches up; an older enrollment has forgotten what aid was told on Tuesday.
        let forgotten = if aid_is_older { Vec::new() } else { names([1]) };
        assert_eq!(people.forgotten().await, forgotten, "aid is older: {aid_is_older}");
        let flags = if aid_is_older { vec![("NOT_VALID_IN_TERM".to_owned(), name(1))] } else { Vec::new() };
        assert_eq!(people.open_flags().await, flags, "aid is older: {aid_is_older}");
        let approved = people.approve(&list).await.expect("is answered");
        assert_eq!(approved["approved"], 2, "aid is older: {aid_is_older}: {approved}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_sqlite_file_ends_the_process() {
    prepare();
    for file in ["enrollment.db", "aid.db"] {
        let folder = tempfile::tempdir().expect("a folder");
        let http = free_address();
        let mut command = std::process::Command::new(binary());
        command.args(["up", "--http", &http, "--data"]).arg(folder.path()).stdout(std::process::Stdio::null());
        let mut process = Process::start(&mut command);
        until("it answers", async || reqwest::get(format!("http://{http}/healthz")).await.is_ok()).await;
        std::fs::copy(folder.path().join(file), folder.path().join("older.db")).expect("copies");
        std::fs::rename(folder.path().join("older.db"), folder.path().join(file)).expect("replaces");
        let ended = tokio::task::spawn_blocking(move || process.child.wait().expect("ends")).await.expect("ends");
        assert_eq!(ended.code(), Some(1), "{file}: it says so by its exit code");
    }
}

/// Two sequencers on one database that is put back: the one that notices first had not seen the positions that were given last. What
/// it begins would lie below them; the other goes on from above.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_was_begun_below_what_another_saw_is_gone_on_from_above() {
    let url = postgres::database().await;
    let db = Db::open(&url).await.expect("opens");
    db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
    let (ids, stop) = (Ids::random(), CancellationToken::new());
    let sequencer = async || Sequencer::new(db.clone(), system_clock(), &ids, Arc::default(), stop.clone()).await.expect("is made");
    let (first, second) = (sequencer().await, sequencer().await);
    let runner = xuezhu_service::Runner::new(db.clone(), system_clock(), ids.clone(), Keyring::generate().0);
    let share = async |code: &str| {
        let body = Body::School(School { code: code.into(), ..School::default() });
        let shared = xuezhu_bridge::Shared { id: xuezhu_bridge::log::school_id(code), scope: "430102".into(), body };
        let with = (runner.system_context(), shared);
        let logged = db.write(&with, |tx, (ctx, shared)| Box::pin(xuezhu_bridge::publish(ctx, tx, std::slice::from_ref(shared))));
        logged.await.expect("is logged");
    };
    let (mut lead, mut none) = (None, None);
    share("3643000001").await;
    assert_eq!(first.step(&mut lead).await.expect("works"), 1);
    // The second looks on, and sees the first position; the first goes on to the third.
    assert_eq!(second.step(&mut none).await.expect("works"), 0);
    for code in ["3643000002", "3643000003"] {
        share(code).await;
        assert_eq!(first.step(&mut lead).await.expect("works"), 1);
    }
    let before = history(&url).await;
    assert_eq!(before.2, 4);
    let mut tx = db.begin().await.expect("begins");
    run!(&mut tx, "UPDATE feed_sequencer SET next_position = 1").expect("is put back");
    run!(&mut tx, "DELETE FROM change_log").expect("is put back");
    tx.commit().await.expect("commits");
    second.step(&mut none).await.expect("works");
    let low = history(&url).await;
    assert!(low.0 != before.0 && low.1 == 1, "the second begins above what it saw: {low:?}");
    first.step(&mut lead).await.expect("works");
    let high = history(&url).await;
    assert!(high.0 != low.0 && high.1 == 3, "the first saw more: {high:?}");
    second.step(&mut none).await.expect("works");
    assert_eq!(history(&url).await, high, "and the second adopts that");
}
