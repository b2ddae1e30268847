//! What a service says of itself when its disk is full, its database hangs, its feed stands still.

use std::sync::Arc;

use serde_json::json;
use sqlx::Connection;
use sqlx_postgres::PgConnection;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use xuezhu::client::Session;
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    apart::{Apart, answered},
    deployment_on,
    disk::Disk,
    postgres::{self, Cluster},
    prepare,
    schools::{self, SCHOOL, reason},
    until,
};

async fn get(address: &str) -> (u16, String) {
    match reqwest::get(format!("http://{address}")).await {
        Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
        Err(_) => (0, String::new()),
    }
}

fn school(serial: u32) -> serde_json::Value {
    json!({ "code": format!("3643{serial:06}"), "name": "学校", "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": [] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_as_such_and_work_goes_on_when_there_is_room_again() {
    prepare();
    for on_postgres in [false, true] {
        let (disk, folder) = (Disk::new(48), tempfile::tempdir().expect("a folder"));
        let cluster = Cluster::start(&["fsync=off"]);
        let (databases, data) = if on_postgres {
            (Some((cluster.create_on("enrollment", disk.path()).await, cluster.create("aid").await)), folder.path())
        } else {
            (None, disk.path())
        };
        let running = deployment_on(databases, data, "none", Settings::default()).await;
        let http = running.http.to_string();
        let people = schools::open(&running).await;
        disk.fill();
        // Some writes may still fit in pages that are there.
        let mut told = None;
        let mut serial = 100;
        until("a write finds no room", async || {
            serial += 1;
            told = people.admin.post("/v1/schools", &school(serial), "").await.err();
            told.is_some()
        })
        .await;
        assert_eq!(reason::<()>(Err(told.expect("is refused"))), (503, "STORAGE_FULL".to_owned()), "on PostgreSQL: {on_postgres}");
        assert!(people.admin.get("/v1/schools").await.is_ok(), "what is there is shown");
        until("it says that it is not ready", async || get(&format!("{http}/readyz")).await.0 == 503).await;
        assert_eq!(get(&format!("{http}/healthz")).await.0, 200, "it is alive");
        disk.free();
        until("work goes on", async || people.admin.post("/v1/schools", &school(serial), "after").await.is_ok()).await;
        until("it says that it is ready", async || get(&format!("{http}/readyz")).await.0 == 200).await;
        running.drain().await.expect("the feed goes on too");
        running.stop().await;
    }
}

/// What a service's health says of a name.
async fn serving(address: &str, name: &str) -> Option<bool> {
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}")).ok()?.connect().await.ok()?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service: name.to_owned() }).await.ok()?;
    Some(answer.into_inner().status() == ServingStatus::Serving)
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_true_when_a_database_hangs_a_feed_stands_still_or_a_service_is_gone() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let clusters = tokio::task::spawn_blocking(|| [Cluster::start(&["fsync=off"]), Cluster::start(&["fsync=off"])]).await.expect("they start");
    let clusters = Arc::new(clusters);
    let databases = (clusters[0].create("enrollment").await, clusters[1].create("aid").await);
    let mut apart = Apart::start(folder.path(), &databases.0, &databases.1);
    let base = apart.base();
    let [enrollment, aid, gateway] = apart.metrics.clone();
    let is = async |address: &str, code: u16, says: &str| {
        until(&format!("{address} says {code} {says}"), async || {
            let (got, text) = get(&format!("{address}/readyz")).await;
            got == code && text.contains(says)
        })
        .await;
    };
    for address in [&enrollment, &aid, &gateway] {
        is(address, 200, "ready").await;
    }
    let names = ["", "xuezhu.aid.v1.AwardService", "xuezhu.aid.v1.ReconciliationService"];
    let aid_grpc = apart.setting("AID_GRPC_ADDRESS").to_owned();
    for name in names {
        assert_eq!(serving(&aid_grpc, name).await, Some(true), "{name}");
    }

    // Aid's database hangs: nothing is green, and what was counted is no count any more.
    clusters[1].hang(true);
    is(&aid, 503, "database").await;
    is(&gateway, 503, "aid").await;
    for name in names {
        until("each service says so", async || serving(&aid_grpc, name).await == Some(false)).await;
    }
    until("gauges don't stand as they were", async || get(&format!("{aid}/metrics")).await.1.contains("xuezhu_open_flags{rule=\"NO_ENROLLMENT\"} NaN")).await;
    assert_eq!(get(&format!("{aid}/healthz")).await.0, 200, "it is alive all the same");
    assert_eq!(get(&format!("{enrollment}/readyz")).await.0, 200, "enrollment has nothing to do with it");
    clusters[1].hang(false);
    is(&aid, 200, "ready").await;
    is(&gateway, 200, "ready").await;

    // Nobody gives positions: whoever could can't write the row.
    let mut held = PgConnection::connect(&databases.0).await.expect("connects");
    sqlx::query("BEGIN").execute(&mut held).await.expect("begins");
    sqlx::query("SELECT 1 FROM feed_sequencer FOR UPDATE").execute(&mut held).await.expect("is held");
    is(&enrollment, 503, "feed").await;
    sqlx::query("ROLLBACK").execute(&mut held).await.expect("ends");
    is(&enrollment, 200, "ready").await;

    // The database under a living process is put back to one of another deployment, or of an earlier version; or it is read alone, as
    // one that follows another is.
    let names = ["", "xuezhu.enrollment.v1.EnrollmentService", "xuezhu.enrollment.v1.SubmissionService", "xuezhu.bridge.v1.EnrollmentFeedService"];
    let enrollment_grpc = apart.setting("ENROLLMENT_GRPC_ADDRESS").to_owned();
    for (url, address) in [(&databases.0, &enrollment), (&databases.1, &aid)] {
        let mut other = PgConnection::connect(url).await.expect("connects");
        let name = url.rsplit('/').next().expect("a name");
        for (fault, [harm, mend]) in [
            ("keys", ["UPDATE key_checks SET key_id = 'x' || key_id", "UPDATE key_checks SET key_id = substr(key_id, 2)"]),
            ("migrations", ["UPDATE _sqlx_migrations SET success = false WHERE version = 2", "UPDATE _sqlx_migrations SET success = true"]),
        ] {
            sqlx::query(harm).execute(&mut other).await.expect("is put back");
            is(address, 503, fault).await;
            sqlx::query(mend).execute(&mut other).await.expect("is as it was");
            is(address, 200, "ready").await;
        }
        for (only, code, says) in [("on", 503, "database"), ("off", 200, "ready")] {
            let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {only}");
            let part = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()");
            // Who read alone may still set this: it is no part of what the database holds.
            for statement in ["SET default_transaction_read_only = off".to_owned(), set, part] {
                sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut other).await.expect("is set");
            }
            is(address, code, says).await;
            if address == &enrollment {
                for name in names {
                    until("each service says so", async || serving(&enrollment_grpc, name).await == Some(code == 200)).await;
                }
            }
        }
    }
    is(&gateway, 200, "ready").await;

    // Enrollment is gone: the gateway says whom it misses, and the mirror ages.
    apart.end(0);
    is(&gateway, 503, "enrollment").await;
    let age = async || {
        let metrics = get(&format!("{aid}/metrics")).await.1;
        let line = metrics.lines().find(|line| line.starts_with("xuezhu_mirror_age_seconds")).map(str::to_owned).unwrap_or_default();
        line.rsplit(' ').next().and_then(|age| age.parse::<f64>().ok()).unwrap_or(0.0)
    };
    let before = age().await;
    until("the mirror ages", async || age().await > before + 3.0).await;
    until("nobody knows how far behind it is", async || get(&format!("{aid}/metrics")).await.1.contains("xuezhu_feed_lag_positions NaN")).await;
    apart.begin(0);
    is(&gateway, 200, "ready").await;
    assert!(answered(async || Session::log_in(&base, "admin", "first-Password1").await).await.token().len() > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_approved_on_a_mirror_that_has_not_heard_for_too_long() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let databases = (postgres::database().await, postgres::database().await);
    let mut apart = Apart::start_with(folder.path(), &databases.0, &databases.1, &[("MIRROR_MAX_AGE_SECONDS", "5")]);
    let base = apart.base();
    xuezhu_tests::apart::ready(&base).await;
    let people = schools::open_at(&base, "first-Password1").await;
    people.import(&[schools::student(1)]).await;
    people.register().await;
    let body = json!({ "scheme": "GRANT", "term": "2026-AUTUMN" });
    until("aid knows the school", async || people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &body, "list").await.is_ok()).await;
    let list = people.list(&[(&schools::student(1)["姓名"], &schools::number(1), "")]).await;
    people.attested(&list).await;
    until("aid knows the student", async || people.officer.get(&list).await.is_ok_and(|list| list["held"] == 0)).await;
    apart.end(0);
    until("the mirror is too old", async || people.officer.get("/v1/mirror").await.is_ok_and(|mirror| mirror["stale"] == true)).await;
    assert_eq!(reason(people.approve(&list).await), (400, "MIRROR_STALE".to_owned()));
    let mirror = people.officer.get("/v1/mirror").await.expect("is told");
    assert!(mirror["stale"] == true && mirror["lagSeconds"].as_f64().is_some_and(|lag| lag > 5.0), "{mirror}");
    assert_eq!(people.officer.get(&list).await.expect("everything is shown")["attested"], 1);
    // Nor on one that has not heard since aid started: how old it is, nobody knows.
    apart.kill(1);
    let mut unknown = None;
    until("aid is back", async || {
        unknown = people.officer.get("/v1/mirror").await.ok();
        unknown.is_some()
    })
    .await;
    let unknown = unknown.expect("is told");
    assert_eq!((&unknown["stale"], &unknown["lagSeconds"], &unknown["lagPositions"]), (&json!(true), &json!(-1.0), &json!("-1")), "{unknown}");
    assert_eq!(reason(people.approve(&list).await), (400, "MIRROR_STALE".to_owned()));
    apart.begin(0);
    // An answer may be lost on a busy machine: what counts is what stands.
    until("approval goes on", async || {
        let _ = people.approve(&list).await;
        people.officer.get(&list).await.is_ok_and(|list| list["approved"] == 1)
    })
    .await;
}
