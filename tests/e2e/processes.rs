//! The real binary: starts, stops, is killed, and starts again; within a bound of memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use xuezhu::client::{Refused, Session};
use xuezhu_tests::{
    apart::Process,
    binary, free_address, prepare,
    schools::{self, PASSWORD, SCHOOL},
    until,
};

/// Everything in one process.
pub struct Up {
    pub process: Process,
    pub base: String,
}

impl Up {
    /// Starts it and waits until it says that it is ready; `under` are words before the command, such as a limit.
    pub fn start(data: &Path, under: &[&str]) -> Self {
        let http = free_address();
        let words: Vec<&std::ffi::OsStr> = under.iter().map(std::ffi::OsStr::new).collect();
        let binary = binary();
        let (program, rest) = words.split_first().map_or((binary.as_os_str(), Vec::new()), |(first, rest)| (*first, [rest, &[binary.as_os_str()]].concat()));
        let mut process = Process::start(Command::new(program).args(rest).args(["up", "--http", &http, "--data"]).arg(data).stdout(Stdio::piped()));
        let out = BufReader::new(process.child.stdout.take().expect("piped"));
        let lines: Vec<String> = out.lines().map_while(Result::ok).take_while(|line| line != "ready").collect();
        assert!(lines.iter().all(|line| !line.contains("one-time password ") || line.contains("password in ")), "no password where nobody reads it: {lines:?}");
        Self { process, base: format!("http://{http}") }
    }

    pub async fn first_log_in(&self, data: &Path) -> Session {
        let one_time = std::fs::read_to_string(data.join("admin-password.txt")).expect("the file is there").trim().to_owned();
        Session::log_in(&self.base, "admin", &one_time).await.expect("logs in").change_password(&one_time, PASSWORD).await.expect("changes")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_kill_and_a_stop_is_clean() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let mut up = Up::start(folder.path(), &[]);
    let mut admin = up.first_log_in(folder.path()).await;
    let mut random = StdRng::seed_from_u64(1);
    let mut acknowledged = Vec::new();
    for round in 0..4_u32 {
        let (session, done) = (admin.clone(), Arc::new(Mutex::new(Vec::new())));
        let log = done.clone();
        let writer = tokio::spawn(async move {
            for serial in round * 1000.. {
                let code = format!("3643{serial:06}");
                if session.post("/v1/schools", &school(&code), &code).await.is_err() {
                    return;
                }
                log.lock().expect("one writer").push(code);
            }
        });
        // Killed in the middle of the load, after another number of answers each round.
        let answers = random.random_range(3..40);
        until("schools are entered", async || done.lock().expect("one writer").len() >= answers).await;
        up.process.signal("-KILL");
        writer.await.expect("the writer ends");
        acknowledged.extend(done.lock().expect("one writer").drain(..));
        up = Up::start(folder.path(), &[]);
        admin = Session::log_in(&up.base, "admin", PASSWORD).await.expect("starting again is enough");
    }
    let there = schools(&admin).await;
    assert!(acknowledged.iter().all(|code| there.contains(code)), "nothing acknowledged is lost");
    assert!(up.process.signal("-TERM").success(), "a stop is clean");
}

fn school(code: &str) -> serde_json::Value {
    json!({ "code": code, "name": "学校", "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": [] })
}

async fn schools(admin: &Session) -> BTreeSet<String> {
    let (mut there, mut page) = (BTreeSet::new(), String::new());
    loop {
        let answer = admin.get(&format!("/v1/schools?pageSize=1000&pageToken={page}")).await.expect("schools");
        there.extend(answer["schools"].as_array().expect("a list").iter().filter_map(|school| school["code"].as_str().map(str::to_owned)));
        answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
        if page.is_empty() {
            return there;
        }
    }
}

/// Bytes of data that the process under the cap may hold: `RLIMIT_DATA` counts what it may write to, stacks included.
const CAP_BYTES: u64 = 1024 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_files_are_taken_or_refused_within_a_bound_of_memory() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let limit = format!("--data={CAP_BYTES}");
    let mut up = Up::start(folder.path(), &["prlimit", &limit]);
    let admin = up.first_log_in(folder.path()).await;
    let mut body = school(SCHOOL);
    body["majors"] = json!([{ "catalogue": "2010", "code": "010200" }]);
    admin.post("/v1/schools", &body, "").await.expect("a school");
    let body = json!({ "account": "clerk", "displayName": "经办人", "role": "SCHOOL_CLERK", "organisation": SCHOOL });
    let made = admin.post("/v1/accounts", &body, "").await.expect("an account");
    let one_time = made["oneTimePassword"].as_str().expect("a password").to_owned();
    let clerk = admin.with_log_in("clerk", &one_time).await.expect("logs in").change_password(&one_time, PASSWORD).await.expect("changes");
    let path = format!("/v1/schools/{SCHOOL}/enrollments/import?preview=true");
    for (what, file, answer) in crate::bad_input::worst_files() {
        let told = clerk.upload(&path, file, "").await;
        match (told, answer) {
            (Ok(report), None) => assert!(report["rowsTotal"].as_i64().is_some_and(|rows| rows > 0), "{what}: {report}"),
            (Err(error), Some(reason)) => {
                let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{what}: {error:?}"));
                assert_eq!(refused.reason, reason, "{what}: {}", refused.message);
            }
            (told, _) => panic!("{what}: {told:?}"),
        }
        admin.get("/v1/mirror").await.unwrap_or_else(|error| panic!("after {what} it still answers: {error:?}"));
    }
    assert!(up.process.signal("-TERM").success(), "a stop is clean");
}

#[test]
fn an_unknown_setting_is_an_error_that_names_it() {
    let told = Command::new(binary()).arg("gateway").env("XUEZHU_HTTP_ADRESS", "x").output().expect("runs");
    assert_eq!(told.status.code(), Some(2));
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(text.matches("http_adress").count(), 1, "it is named, once: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_what_scripts_need() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::start(folder.path(), &[]);
    up.first_log_in(folder.path()).await;
    let password = folder.path().join("password.txt");
    std::fs::write(&password, PASSWORD).expect("writes");
    let run = |words: &[&str]| {
        let told = Command::new(binary()).args(words).arg("--password-file").arg(&password).env("XUEZHU_GATEWAY", &up.base).output().expect("runs");
        let value: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
        (told.status.code(), value, String::from_utf8_lossy(&told.stderr).into_owned())
    };
    let (code, value, told) =
        run(&["admin", "school", SCHOOL, "长沙职业学校", "--region", "430102", "--authority", "430100", "--major", "2010-010200", "--json"]);
    assert_eq!((code, value["code"].as_str()), (Some(0), Some(SCHOOL)), "{told}");
    let (code, value, told) = run(&["admin", "account", "lili", "李老师", "--role", "SCHOOL_CLERK", "--organisation", SCHOOL, "--json"]);
    assert_eq!(code, Some(0), "{told}");
    let one_time = value["oneTimePassword"].as_str().expect("a password").to_owned();
    let (old, new) = (folder.path().join("old.txt"), folder.path().join("new.txt"));
    std::fs::write(&old, &one_time).expect("writes");
    std::fs::write(&new, PASSWORD).expect("writes");
    let changed = Command::new(binary())
        .args(["admin", "password", "--account", "lili", "--gateway", &up.base, "--password-file"])
        .arg(&old)
        .arg("--new-password-file")
        .arg(&new)
        .output()
        .expect("runs");
    assert!(changed.status.success(), "{changed:?}");
    let book = folder.path().join("students.xlsx");
    let mut students = [xuezhu_tests::schools::student(1), xuezhu_tests::schools::student(2)];
    students[1].insert("民族".into(), "汉".into());
    std::fs::write(&book, xuezhu_tests::schools::workbook(&students)).expect("writes");
    let (book, marked) = (book.display().to_string(), folder.path().join("marked.xlsx"));
    let (code, value, told) = run(&["import", &book, "--school", SCHOOL, "--account", "lili", "--marked", &marked.display().to_string(), "--json"]);
    assert_eq!((code, &value["rowsNew"], &value["rowsFaulty"]), (Some(3), &json!(1), &json!(1)), "{told}");
    assert!(marked.exists(), "the marked workbook was written");
    let (code, value, told) = run(&["reconcile", "--term", "2026-AUTUMN", "--json"]);
    assert_eq!((code, value["state"].as_str()), (Some(0), Some("DONE")), "{told}");
    until("aid knows the school", async || run(&["flags", "--account", "lili", "--json"]).0 == Some(0)).await;
    let (code, value, told) = run(&["flags", "--account", "lili", "--json"]);
    assert_eq!((code, &value["flags"]), (Some(0), &json!([])), "{told}");
    let (code, _, told) = run(&["flags", "--account", "admin", "--json"]);
    assert_eq!(code, Some(4), "an administrator sees no student: {told}");
    let (code, _, told) = run(&["import", &book, "--school", SCHOOL, "--account", "admin", "--json"]);
    assert_eq!(code, Some(4), "an administrator enters no students: {told}");
    let (code, _, told) = run(&["flags", "--account", "nobody"]);
    assert_eq!(code, Some(4), "{told}");
    assert_eq!(Command::new(binary()).arg("nonsense").output().expect("runs").status.code(), Some(2));
    assert_eq!(Command::new(binary()).arg("flags").output().expect("runs").status.code(), Some(2), "the password file is missing");
    // A reader that has read enough is no fault.
    let help = "\"$0\" flags --json --account lili --password-file \"$1\" --gateway \"$2\" | true; echo ${PIPESTATUS[0]}";
    let piped = Command::new("bash").args(["-c", help]).arg(binary()).arg(&password).arg(&up.base).output().expect("runs");
    assert_eq!((String::from_utf8_lossy(&piped.stdout).trim(), piped.stderr.is_empty()), ("0", true), "{piped:?}");
    let second = Command::new(binary()).args(["up", "--http", "127.0.0.1:0", "--data"]).arg(folder.path()).output().expect("runs");
    assert!(!second.status.success() && String::from_utf8_lossy(&second.stderr).contains("in use by another process"), "{second:?}");
}

/// Calls that the services answered, by method, as the process counts them itself; what its parts ask of each other by themselves is not
/// among them.
async fn calls(http: &reqwest::Client, base: &str) -> BTreeMap<String, u64> {
    let told = http.get(format!("{base}/metrics")).send().await.expect("answers").text().await.expect("a text");
    let mut calls = BTreeMap::new();
    for line in told.lines().filter(|line| line.starts_with("xuezhu_requests_total{")) {
        let method = line.split("method=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a method");
        if method.starts_with("xuezhu.") && !method.starts_with("xuezhu.bridge.") {
            *calls.entry(method.to_owned()).or_default() += line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).expect("a count");
        }
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_asks_each_service_once() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::start(folder.path(), &[]);
    let one_time = std::fs::read_to_string(folder.path().join("admin-password.txt")).expect("the file is there").trim().to_owned();
    drop(schools::open_at(&up.base, &one_time).await);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    // Nobody looked at a page of this process before the first of them: nothing is known that was asked for another.
    for account in ["clerk", "head", "officer"] {
        let asked = http.post(format!("{}/login", up.base)).header("content-type", "application/x-www-form-urlencoded");
        let answer = asked.body(format!("account={account}&password={PASSWORD}")).send().await.expect("answers");
        let cookie = answer.headers()["set-cookie"].to_str().expect("a cookie").split(';').next().expect("a value").to_owned();
        assert_eq!(answer.headers()["location"], "/", "{account}");
        let before = calls(&http, &up.base).await;
        let page = http.get(&up.base).header("cookie", cookie).send().await.expect("answers").text().await.expect("a page");
        assert!(page.contains("等我办理") && page.contains("学籍数据截至") && !page.contains("暂时没有应答"), "{account}: {page}");
        let mut asked = calls(&http, &up.base).await;
        for (method, count) in before {
            *asked.get_mut(&method).expect("is counted still") -= count;
        }
        asked.retain(|_, count| *count > 0);
        let once =
            [("xuezhu.aid.v1.AidTodayService/GetAidToday".to_owned(), 1), ("xuezhu.enrollment.v1.EnrollmentTodayService/GetEnrollmentToday".to_owned(), 1)];
        assert_eq!(asked, once.into(), "{account}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_a_kill_meets_is_whole_or_lost_and_says_which() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let mut up = Up::start(folder.path(), &[]);
    let admin = up.first_log_in(folder.path()).await;
    let mut body = school(SCHOOL);
    body["majors"] = json!([{ "catalogue": "2010", "code": "010200" }]);
    admin.post("/v1/schools", &body, "").await.expect("a school");
    let body = json!({ "account": "clerk", "displayName": "经办人", "role": "SCHOOL_CLERK", "organisation": SCHOOL });
    let made = admin.post("/v1/accounts", &body, "").await.expect("an account");
    let one_time = made["oneTimePassword"].as_str().expect("a password");
    let mut clerk = admin.with_log_in("clerk", one_time).await.expect("logs in").change_password(one_time, PASSWORD).await.expect("changes");
    let rows: Vec<_> = (0..3_000).map(schools::student).collect();
    let file = schools::workbook(&rows);
    let mut ends = BTreeMap::<String, u32>::new();
    // Killed in every stage, at the first word of it.
    for stage in ["READING", "CHECKING", "COMPARING", "WRITING", ""] {
        let before = count(&clerk).await;
        let path = format!("/v1/schools/{SCHOOL}/enrollments/import?wait=false");
        let begun = clerk.upload(&path, file.clone(), "").await.expect("begins");
        let import = format!("/v1/schools/{SCHOOL}/imports/{}", begun["importId"].as_str().expect("an id"));
        until("the stage comes, or is over", async || {
            let report = clerk.get(&import).await.expect("is there");
            report["state"] != "RUNNING" || report["stage"] == stage
        })
        .await;
        up.process.signal("-KILL");
        up = Up::start(folder.path(), &[]);
        clerk = Session::log_in(&up.base, "clerk", PASSWORD).await.expect("logs in");
        let report = clerk.get(&import).await.expect("is there");
        let state = report["state"].as_str().unwrap_or_default().to_owned();
        let there = count(&clerk).await;
        match state.as_str() {
            "DONE" => assert_eq!(there, 3_000, "all of it"),
            "LOST" => assert_eq!(there, before, "nothing of it"),
            other => panic!("{other}: {report}"),
        }
        *ends.entry(state).or_default() += 1;
    }
    assert!(ends.get("LOST").is_some_and(|lost| *lost > 0) && ends.contains_key("DONE"), "{ends:?}");
    assert!(up.process.signal("-TERM").success(), "a stop is clean");
}

/// Students of the school.
async fn count(clerk: &Session) -> usize {
    let (mut count, mut page) = (0, String::new());
    loop {
        let answer = clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=1000&pageToken={page}")).await.expect("students");
        count += answer["enrollments"].as_array().map_or(0, Vec::len);
        answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
        if page.is_empty() {
            return count;
        }
    }
}
