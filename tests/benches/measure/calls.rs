//! What calls cost at a school of 5,000 students, over REST, with everything and the load on one machine: requests a second, times,
//! refusals, and the statements that each took.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use xuezhu::deployment::Deployment;
use xuezhu_audit::written::as_they_stand;
use xuezhu_service::runner::ROWS;
use xuezhu_tests::{
    Engine, deployment, rows,
    schools::{self, People, SCHOOL, awards, number, student, workbook},
};

use crate::{rate, seconds};

const STUDENTS: u32 = 5_000;
const CLASS_STUDENTS: u32 = 50;
/// Work whose statements are told.
const WORK: [&str; 7] = ["ListEnrollments", "TakeLeave", "positions", "feed", "bookmark", "mirror", "other"];

/// Measures a list that is generated, lists, searches and leaves on both engines; `calls` of each.
pub async fn measure(calls: i64) {
    for engine in Engine::ALL {
        println!("== {engine:?}, a school of {STUDENTS} students");
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        enroll(&people).await;
        deployment.drain().await.expect("drains");
        for db in deployment.databases() {
            db.analyze().await.expect("is analysed");
        }
        generate(&deployment, &people).await;
        let path = format!("/v1/schools/{SCHOOL}/enrollments?pageSize=50");
        let name = student(7)["姓名"].chars().next().map(String::from).unwrap_or_default();
        let lists = [
            ("list", path.clone()),
            ("by class and state", format!("{path}&className=7班&state=IN_SCHOOL")),
            ("by state and name", format!("{path}&state=IN_SCHOOL&query={name}")),
            ("by a whole number", format!("{path}&query={}", number(7))),
        ];
        for (what, path) in &lists {
            for clients in [1, 8, 128] {
                let session = people.clerk.clone();
                load(&deployment, &format!("{what}, {clients} clients"), clients, calls, async |_| session.get(path).await.map(drop)).await;
            }
        }
        let mut students = Vec::new();
        let mut page = String::new();
        loop {
            let answer = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=1000&pageToken={page}")).await.expect("a page");
            students.extend(answer["enrollments"].as_array().into_iter().flatten().filter_map(|row| row["enrollment"].as_str().map(str::to_owned)));
            answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
            if page.is_empty() {
                break;
            }
        }
        let mut begin = 0;
        for clients in [1, 8] {
            let many = calls.min(2_000);
            let (session, of) = (people.clerk.clone(), &students[begin..]);
            let leave = async |nth: usize| {
                let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/leave", of[nth]);
                session.post(&path, &json!({ "effectiveDate": "2026-11-02", "reason": "测试" }), "").await.map(drop)
            };
            load(&deployment, &format!("leave, {clients} clients"), clients, many, leave).await;
            begin += usize::try_from(many).unwrap_or(0);
        }
        deployment.stop().await;
    }
}

async fn enroll(people: &People) {
    let rows: Vec<_> = (0..STUDENTS)
        .map(|serial| {
            let mut row = student(serial);
            row.insert("班级名称".into(), format!("{}班", serial / CLASS_STUDENTS));
            row
        })
        .collect();
    people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), workbook(&rows), "").await.expect("are imported");
    people.register().await;
}

/// A list of everybody, generated from the roll, beside the same as a file that a clerk would send.
async fn generate(deployment: &Deployment, people: &People) {
    let opened = async |scheme: &str| {
        let asked = json!({ "scheme": scheme, "term": "2026-AUTUMN" });
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &asked, "").await.expect("a list");
        format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"))
    };
    let (list, other) = (opened("GRANT").await, opened("TUITION_WAIVER").await);
    let begun = Instant::now();
    let told = people.clerk.post(&format!("{list}/propose"), &json!({ "preview": true }), "").await.expect("is told");
    let looked = begun.elapsed();
    let begun = Instant::now();
    let made = people.clerk.post(&format!("{list}/propose"), &json!({}), "").await.expect("is generated");
    let generated = begun.elapsed();
    let rows: Vec<(String, String)> = (0..STUDENTS).map(|serial| (student(serial)["姓名"].clone(), number(serial))).collect();
    let file = awards(&rows.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect::<Vec<_>>());
    let begun = Instant::now();
    let report = people.clerk.upload(&format!("{other}/import"), file, "").await.expect("is read");
    let sent = begun.elapsed();
    println!(
        "a list of {} generated {:.2} s (aim 1 s), {} looked at first {:.2} s; a file of {} rows sent {:.2} s: {:.2} times",
        made["added"],
        seconds(generated),
        told["candidates"].as_array().map_or(0, Vec::len),
        seconds(looked),
        report["rowsNew"],
        seconds(sent),
        seconds(generated) / seconds(sent)
    );
    deployment.drain().await.expect("drains");
    sign(deployment, people, &list).await;
}

/// The list through all hands, beside one look at what its entries say, of which each act takes two: before it, and of what it made.
async fn sign(deployment: &Deployment, people: &People, list: &str) {
    let begun = Instant::now();
    let submitted = people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
    let (submitted_in, begun) = (begun.elapsed(), Instant::now());
    people.head.post(&format!("{list}/attest"), &json!({ "digest": submitted["digest"] }), "").await.expect("is attested");
    let (attested_in, begun) = (begun.elapsed(), Instant::now());
    let approved = people.approve(list).await.expect("is approved");
    let approved_in = begun.elapsed();
    let aid = deployment.aid_parts();
    let kind = xuezhu_aid::BOUND.iter().find(|kind| kind.name == "award entry").expect("entries are bound");
    let mut tx = aid.runner.db().read().await.expect("begins");
    let keys = (kind.after)(&mut tx, None, STUDENTS.into()).await.expect("entries");
    let begun = Instant::now();
    let said = as_they_stand(&mut tx, &aid.keyring.chain(ROWS), kind, &keys).await.expect("say something");
    let looked = begun.elapsed();
    tx.rollback().await.expect("ends");
    println!(
        "the list submitted {:.2} s, attested {:.2} s, {} approved {:.2} s; one look at what {} entries say {:.3} s: two are {:.0} % of the approval",
        seconds(submitted_in),
        seconds(attested_in),
        approved["approved"],
        seconds(approved_in),
        said.len(),
        seconds(looked),
        200.0 * seconds(looked) / seconds(approved_in)
    );
    let begun = Instant::now();
    let found = rows::found(deployment).await;
    let verified = begun.elapsed();
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    println!("all records held against what was written {:.2} s: {:?}", seconds(verified), found.records);
    deployment.drain().await.expect("drains");
}

/// Makes `calls` calls from so many clients at once, and waits until all that they led to is done.
async fn load(deployment: &Deployment, what: &str, clients: usize, calls: i64, call: impl AsyncFn(usize) -> anyhow::Result<()>) {
    let taken = || WORK.map(|work| deployment.databases().map(|db| db.statements().of(work)).iter().sum::<u64>());
    let (before, cpu) = (taken(), processor());
    let (next, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let total = usize::try_from(calls).unwrap_or(0);
    let begun = Instant::now();
    let client = async || {
        let mut times = Vec::new();
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            if nth >= total {
                return times;
            }
            let asked = Instant::now();
            if call(nth).await.is_err() {
                refused.fetch_add(1, Ordering::Relaxed);
            }
            times.push(asked.elapsed());
        }
    };
    let mut times: Vec<Duration> = futures_util::future::join_all((0..clients).map(|_| client())).await.into_iter().flatten().collect();
    let answered = begun.elapsed();
    deployment.drain().await.expect("drains");
    let (all, cpu) = (begun.elapsed(), processor().saturating_sub(cpu));
    times.sort_unstable();
    let share = |permille: usize| seconds(times[(times.len() - 1) * permille / 1000]) * 1e3;
    let statements: Vec<String> = WORK
        .iter()
        .zip(taken().iter().zip(before))
        .filter(|(_, (now, before))| *now > before)
        .map(|(work, (now, before))| format!("{work} {:.1}", per_call(now - before, calls)))
        .collect();
    println!(
        "{what:<32} {:>6.0}/s ({:>5.0}/s with all that follows)   p50 {:>6.1} ms   p99 {:>6.1} ms   refused {:>3}   processor {:>5.2} ms   statements {}",
        rate(calls, answered),
        rate(calls, all),
        share(500),
        share(990),
        refused.load(Ordering::Relaxed),
        seconds(cpu) * 1e3 * per_call(1, calls),
        statements.join(", ")
    );
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn per_call(statements: u64, calls: i64) -> f64 {
    statements as f64 / calls as f64
}

/// What this process and its threads have used of the processor: services, gateway and load together; a server of its own is not in it.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<u64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    // Ticks of a hundredth of a second, on every Linux that there is.
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}
