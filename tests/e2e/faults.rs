//! Faults under load, round after round: services and databases are killed, the wire between services is cut. After each round what
//! clients were told is compared with both databases, the mirror with its source field by field, the flags with a fresh sweep.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use xuezhu::client::Session;
use xuezhu_judge::case::Rule;
use xuezhu_judge::life::State;
use xuezhu_store::{Db, rows};
use xuezhu_tests::{
    Engine,
    apart::{Apart, answered},
    free_address,
    postgres::Cluster,
    prepare, same,
    schools::{self, People, SCHOOL, awards, number, student, workbook},
    until,
    wire::Wire,
};

/// How many faults: `KILLS` for the long form.
fn faults() -> usize {
    std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// Three services, their databases, and the wire to enrollment.
struct Site {
    apart: Apart,
    wire: Wire,
    clusters: Vec<Arc<Cluster>>,
    databases: (String, String),
}

impl Site {
    async fn open(engine: Engine, folder: &Path) -> Self {
        let (clusters, databases) = match engine {
            Engine::Sqlite => {
                let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
                (Vec::new(), (url("enrollment.db"), url("aid.db")))
            }
            Engine::Postgres => {
                let start = || Arc::new(Cluster::start(&[]));
                let clusters = tokio::task::spawn_blocking(move || vec![start(), start()]).await.expect("they start");
                let databases = (clusters[0].create("enrollment").await, clusters[1].create("aid").await);
                (clusters, databases)
            }
        };
        let enrollment = free_address();
        let wire = Wire::to(&enrollment).await;
        let through = format!("http://{}", wire.address);
        let more = [("ENROLLMENT_GRPC_ADDRESS", enrollment.as_str()), ("ENROLLMENT_URL", through.as_str())];
        let apart = Apart::start_with(folder, &databases.0, &databases.1, &more);
        Self { apart, wire, clusters, databases }
    }

    /// One fault, drawn; returns what it was.
    async fn fault(&mut self, random: &mut StdRng) -> String {
        let kinds = 4 + self.clusters.len();
        match random.random_range(0..kinds) {
            3 => {
                self.wire.cut();
                "the wire is cut".into()
            }
            kind if kind > 3 => {
                let cluster = self.clusters[kind - 4].clone();
                tokio::task::spawn_blocking(move || cluster.crash()).await.expect("the server is back");
                format!("database {} is killed", kind - 4)
            }
            service => {
                self.apart.kill(service);
                format!("service {service} is killed")
            }
        }
    }
}

/// What clients were told.
#[derive(Debug, Default)]
struct Told {
    /// Name and state of each student.
    students: BTreeSet<(String, String)>,
    /// Name of each line of the list.
    lines: BTreeSet<String>,
}

/// Registers one student after another, of whom some leave, until told to stop; each act under a key of its own.
async fn registering(people: &People, next: &AtomicU32, count: &AtomicU32, stop: &CancellationToken) -> BTreeSet<(String, String)> {
    let mut told = BTreeSet::new();
    let school = format!("/v1/schools/{SCHOOL}");
    while !stop.is_cancelled() {
        let serial = next.fetch_add(1, Ordering::Relaxed);
        let file = workbook(&[student(serial)]);
        let import = format!("{school}/enrollments/import");
        let report = answered(async || people.clerk.upload(&import, file.clone(), &format!("import {serial}")).await).await;
        assert_eq!(report["rowsNew"], 1, "{report}");
        let post = async |who: &Session, path: &str, body: Value, what: &str| {
            count.fetch_add(1, Ordering::Relaxed);
            answered(async || who.post(path, &body, &format!("{what} {serial}")).await).await
        };
        let made = post(&people.clerk, &format!("{school}/submissions"), json!({ "allDrafts": true }), "submit").await;
        let path = format!("{school}/submissions/{}", made["submission"].as_str().expect("an id"));
        post(&people.head, &format!("{path}/attest"), json!({ "digest": made["digest"] }), "attest").await;
        post(&people.officer, &format!("{path}/approve"), json!({ "digest": made["digest"] }), "approve").await;
        let (act, state) = [("", "IN_SCHOOL"), ("leave", "ON_LEAVE"), ("withdraw", "WITHDRAWN"), ("", "IN_SCHOOL")][serial as usize % 4];
        if !act.is_empty() {
            let found = answered(async || people.clerk.get(&format!("{school}/enrollments?query={}", number(serial))).await).await;
            let path = format!("{school}/enrollments/{}/{act}", found["enrollments"][0]["enrollment"].as_str().expect("an id"));
            post(&people.clerk, &path, json!({ "effectiveDate": "2026-10-01", "reason": "因故" }), act).await;
        }
        told.insert((student(serial)["姓名"].clone(), state.to_owned()));
    }
    told
}

/// Puts lines on a list, every second of a student who is registered beside it, until told to stop.
async fn listing(people: &People, list: &str, next: &AtomicU32, count: &AtomicU32, stop: &CancellationToken) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let import = format!("{list}/import");
    while !stop.is_cancelled() {
        let serial = next.fetch_add(1, Ordering::Relaxed);
        let serial = if serial.is_multiple_of(2) { serial / 2 } else { 1_000 + serial };
        let (name, number) = (student(serial)["姓名"].clone(), number(serial));
        let file = awards(&[(&name, &number, "")]);
        let report = answered(async || people.clerk.upload(&import, file.clone(), &format!("line {serial}")).await).await;
        assert_eq!(report["rowsNew"], 1, "{report}");
        count.fetch_add(1, Ordering::Relaxed);
        told.insert(name);
    }
    told
}

/// Every flag: rule, name, state, months, evidence.
async fn flags(database: &str) -> Vec<(i32, String, i32, String, String)> {
    let db = Db::open(database).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let flags = rows!(&mut tx, (i32, String, i32, String, String), "SELECT rule, name, state, months, evidence FROM flags ORDER BY 1, 2, 3, 4, 5");
    tx.rollback().await.expect("ends");
    db.close().await;
    flags.expect("flags")
}

async fn sweep(session: &Session) {
    let run = answered(async || session.post("/v1/reconciliations", &json!({}), "").await).await;
    let path = format!("/v1/reconciliations/{}", run["run"].as_str().expect("an id"));
    until("the sweep ends", async || session.get(&path).await.is_ok_and(|run| run["state"] == "DONE")).await;
}

/// Compares what clients were told with both databases, the mirror with its source, the flags with a fresh sweep.
async fn compare(site: &Site, people: &People, told: &Told, after: &str) {
    let school = format!("/v1/schools/{SCHOOL}");
    let mut listed = BTreeSet::new();
    let mut token = String::new();
    loop {
        let page = answered(async || people.clerk.get(&format!("{school}/enrollments?pageSize=500&pageToken={token}")).await).await;
        let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let rows = page["enrollments"].as_array().expect("a list");
        for row in rows {
            assert!(listed.insert((text(row, "name"), text(row, "state"))), "nobody is there twice, after {after}: {row}");
        }
        token = text(&page, "nextPageToken");
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, told.students, "after {after}");
    let mut differ = Vec::new();
    until(&format!("the mirror says what its source says, after {after}"), async || {
        differ = same::differences(&site.databases.0, &site.databases.1).await;
        differ.is_empty()
    })
    .await;
    let aid = Db::open(&site.databases.1).await.expect("opens");
    let mut tx = aid.read().await.expect("reads");
    let entries = rows!(&mut tx, (String,), "SELECT name FROM award_entries").expect("entries");
    tx.rollback().await.expect("ends");
    aid.close().await;
    assert_eq!(entries.len(), told.lines.len(), "every line is there once, after {after}");
    assert!(entries.iter().all(|(name,)| told.lines.contains(name)), "after {after}");
    let before = flags(&site.databases.1).await;
    sweep(&people.officer).await;
    assert_eq!(before, flags(&site.databases.1).await, "a fresh sweep finds what is flagged, after {after}");
    let stays: BTreeSet<&String> = told.students.iter().map(|(name, _)| name).collect();
    let ghosts: BTreeSet<&String> = told.lines.iter().filter(|name| !stays.contains(name)).collect();
    let flagged: BTreeSet<&String> =
        before.iter().filter(|flag| flag.0 == Rule::NoEnrollment.code() && flag.2 == State::Open.code()).map(|flag| &flag.1).collect();
    assert_eq!(flagged, ghosts, "after {after}");
}

async fn rounds(engine: Engine, seed: u64) {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let mut site = Site::open(engine, folder.path()).await;
    let base = site.apart.base();
    xuezhu_tests::apart::ready(&base).await;
    let people = schools::open_at(&base, "first-Password1").await;
    let lists = format!("/v1/schools/{SCHOOL}/awardLists");
    let mut list = String::new();
    until("aid knows the school", async || match people.clerk.post(&lists, &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "list").await {
        Ok(made) => {
            list = format!("{lists}/{}", made["list"].as_str().expect("an id"));
            true
        }
        Err(_) => false,
    })
    .await;
    let mut random = StdRng::seed_from_u64(seed);
    let (students, lines, count) = (AtomicU32::new(1), AtomicU32::new(2), AtomicU32::new(0));
    let mut told = Told::default();
    for round in 0..faults() {
        let stop = CancellationToken::new();
        let answers = count.load(Ordering::Relaxed) + random.random_range(4..24);
        let faulty = async {
            until("requests are answered", async || count.load(Ordering::Relaxed) >= answers).await;
            let what = site.fault(&mut random).await;
            let more = count.load(Ordering::Relaxed) + 6;
            until("requests are answered again", async || count.load(Ordering::Relaxed) >= more).await;
            stop.cancel();
            what
        };
        let load = (registering(&people, &students, &count, &stop), listing(&people, &list, &lines, &count, &stop));
        let (registered, listed, what) = tokio::join!(load.0, load.1, faulty);
        told.students.extend(registered);
        told.lines.extend(listed);
        compare(&site, &people, &told, &format!("round {round} on {engine:?}: {what}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_left_unflagged_by_kills_and_cuts_on_postgresql() {
    rounds(Engine::Postgres, 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_left_unflagged_by_kills_and_cuts_on_sqlite() {
    rounds(Engine::Sqlite, 8).await;
}
