//! From an acknowledged withdrawal to the flag that a client sees, with both services, the gateway and `PostgreSQL` as
//! processes of their own. Open loop: requests begin when they are due, whether or not earlier ones were answered.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use sqlx_postgres::PgPool;
use tokio::sync::Mutex;
use xuezhu::{
    client::Session,
    deployment::{key_files, system_clock},
};
use xuezhu_service::Keyring;
use xuezhu_store::Db;
use xuezhu_tests::{binary, free_address, postgres::Cluster, province, until};

use crate::{SERVER, log_filter, seconds};

/// Requests a second.
const RATE: u32 = 20;
/// The first ones, which warm connections and plans, don't count.
const WARM: i64 = 100;
const PASSWORD: &str = "Pass-2026x";

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn service(name: &str, settings: &[(&str, &str)]) -> Process {
    let mut command = Command::new(binary());
    command.arg(name).env("XUEZHU_LOG", log_filter()).stdout(Stdio::null());
    for (setting, value) in settings {
        command.env(format!("XUEZHU_{setting}"), value);
    }
    Process(command.spawn().expect("a service starts"))
}

/// Measures `samples` withdrawals in a province of `students`.
pub async fn measure(samples: i64, students: i64) {
    let wanted = samples + WARM;
    assert!(students >= wanted, "a student for each sample");
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(&SERVER)).await.expect("a cluster starts");
    let (enrollment_url, aid_url) = (cluster.create("enrollment").await, cluster.create("aid").await);
    let db = Db::open(&enrollment_url).await.expect("opens");
    db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
    province::enroll(&db, &system_clock(), students, "2026-09-01").await;
    let folder = tempfile::tempdir().expect("a folder");
    let (files, password) = (key_files(folder.path()), folder.path().join("password"));
    files.save(&Keyring::generate()).expect("saves");
    std::fs::write(&password, "first-Password1").expect("writes");
    let (keys, aid_keys, password) = (files.enrollment.display().to_string(), files.aid.display().to_string(), password.display().to_string());
    let (enrollment_at, aid_at, http) = (free_address(), free_address(), free_address());
    let (enrollment_to, aid_to) = (format!("http://{enrollment_at}"), format!("http://{aid_at}"));
    let _enrollment = service(
        "enrollment",
        &[
            ("ENROLLMENT_DATABASE_URL", &enrollment_url),
            ("ENROLLMENT_KEYS_FILE", &keys),
            ("ENROLLMENT_GRPC_ADDRESS", &enrollment_at),
            ("ADMIN_PASSWORD_FILE", &password),
        ],
    );
    let _aid =
        service("aid", &[("AID_DATABASE_URL", &aid_url), ("AID_KEYS_FILE", &aid_keys), ("AID_GRPC_ADDRESS", &aid_at), ("ENROLLMENT_URL", &enrollment_to)]);
    let _gateway = service("gateway", &[("HTTP_ADDRESS", &http), ("ENROLLMENT_URL", &enrollment_to), ("AID_URL", &aid_to)]);
    let base = format!("http://{http}");
    xuezhu_tests::apart::ready(&base).await;
    let first = Session::log_in(&base, "admin", "first-Password1").await.expect("logs in");
    let admin = first.change_password("first-Password1", PASSWORD).await.expect("changes");
    let aid = PgPool::connect(&aid_url).await.expect("connects");
    until("the mirror is whole", async || {
        sqlx::query_as::<_, (i64,)>("SELECT generation FROM mirror_state").fetch_one(&aid).await.is_ok_and(|(generation,)| generation > 0)
    })
    .await;
    // A fresh generation marks everybody; what is measured begins when they were all judged.
    until("nobody is marked", async || {
        sqlx::query_as::<_, (i64,)>("SELECT count(*) FROM marked_keys").fetch_one(&aid).await.is_ok_and(|(marked,)| marked == 0)
    })
    .await;
    province::list(&aid, (1, wanted), "2026-AUTUMN", &[202_609, 202_610, 202_611, 202_612, 202_701]).await;
    // A school's clerk for every school that the samples touch.
    let mut clerks = Vec::new();
    for school in 0..=wanted / province::SCHOOL_STUDENTS {
        let account = format!("clerk{school}");
        let body = json!({ "account": account, "displayName": "经办人", "role": "SCHOOL_CLERK", "organisation": (3_643_000_000 + school).to_string() });
        let made = admin.post("/v1/accounts", &body, "").await.expect("an account");
        let one_time = made["oneTimePassword"].as_str().expect("a password").to_owned();
        clerks.push(admin.with_log_in(&account, &one_time).await.expect("logs in").change_password(&one_time, PASSWORD).await.expect("changes"));
    }
    let ids: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT i::bigint, md5('e' || i)::uuid::text, md5('a' || i)::uuid::text FROM generate_series(1, $1) AS i")
            .bind(wanted)
            .fetch_all(&aid)
            .await
            .expect("ids");
    println!("{students} students in the mirror; {samples} withdrawals, {RATE} a second");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (begun, mut tasks) = (Instant::now(), Vec::new());
    for (due, (student, enrollment, entry)) in (0_u32..).zip(ids) {
        tokio::time::sleep_until((begun + Duration::from_secs(1) / RATE * due).into()).await;
        let school = student / province::SCHOOL_STUDENTS;
        let (clerk, seen) = (clerks[usize::try_from(school).expect("a few schools")].clone(), seen.clone());
        tasks.push(tokio::spawn(async move {
            let path = format!("/v1/schools/{}/enrollments/{enrollment}/withdraw", 3_643_000_000 + school);
            let asked = Instant::now();
            clerk.post(&path, &json!({ "effectiveDate": "2026-11-20", "reason": "转出" }), "").await.expect("is acknowledged");
            let acknowledged = Instant::now();
            let flags = format!("/v1/flags?entry={entry}&state=OPEN&pageSize=1");
            while clerk.get(&flags).await.expect("flags")["flags"].as_array().is_none_or(Vec::is_empty) {}
            seen.lock().await.push((student, acknowledged.elapsed(), acknowledged - asked));
        }));
    }
    for task in tasks {
        task.await.expect("a sample ends");
    }
    let seen = seen.lock().await;
    let share = |of: fn(&(i64, Duration, Duration)) -> Duration, permille: usize| {
        let mut sorted: Vec<Duration> = seen.iter().filter(|sample| sample.0 > WARM).map(of).collect();
        sorted.sort_unstable();
        seconds(sorted[(sorted.len() - 1) * permille / 1000]) * 1e3
    };
    for (what, of) in
        [("from commit to flag over REST", (|sample| sample.1) as fn(&(i64, Duration, Duration)) -> Duration), ("the request itself", |sample| sample.2)]
    {
        println!(
            "{what:<30} p50 {:>6.1} ms   p90 {:>6.1} ms   p99 {:>6.1} ms   most {:>6.1} ms",
            share(of, 500),
            share(of, 900),
            share(of, 990),
            share(of, 1000)
        );
    }
}
