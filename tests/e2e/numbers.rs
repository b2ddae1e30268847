//! No number can be put together from what is shown or stored; showing one whole is an act that is kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use crate::takeouts;
use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;
use xuezhu::{
    client::Session,
    deployment::{Deployment, channel, key_files},
};
use xuezhu_proto::bridge::{
    Handshake, Record, SnapshotRequest, enrollment_feed_service_client::EnrollmentFeedServiceClient, record::Body, snapshot_response::Part as SnapshotPart,
};
use xuezhu_service::{Keyring, keyring::Service};
use xuezhu_store::{Db, rows};
use xuezhu_tests::{
    AT_ONCE, Engine,
    apart::{Apart, Process},
    binary, deployment, free_address, policy_file,
    postgres::{self, Cluster},
    prepare,
    schools::{self, PASSWORD, People, SCHOOL, number, reason, student},
    until,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_number_is_shown_to_who_may_see_it_for_a_purpose_that_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let enrollment = people.enrollment(&number(1)).await;
    let path = format!("{enrollment}/revealNumber");
    for purpose in ["", "  ", &"字".repeat(201)] {
        assert_eq!(reason(people.clerk.post(&path, &json!({ "purpose": purpose }), "").await), (400, "INVALID_ARGUMENT".into()), "{purpose:?}");
    }
    for who in [&people.other, &people.machine, &people.admin] {
        assert_eq!(reason(who.post(&path, &json!({ "purpose": "看看" }), "").await), (403, "FORBIDDEN".into()));
    }
    for who in [&people.clerk, &people.head, &people.officer] {
        let revealed = who.post(&path, &json!({ "purpose": "核对户口簿，电话13912345678" }), "").await.expect("is shown");
        assert_eq!(revealed["idNumber"], number(1));
        assert!(revealed["studentNumber"].as_str().is_some_and(|number| number.len() == 19 && !number.contains('*')), "{revealed}");
    }
    // A marked workbook shows whole numbers too: to whom that is allowed, and on record.
    let report = people.import(&[student(2)]).await;
    let marked = format!("/v1/schools/{SCHOOL}/imports/{}/markedWorkbook", report["importId"].as_str().expect("an id"));
    for who in [&people.other, &people.machine, &people.admin] {
        assert!(who.download(&marked).await.is_err());
    }
    people.clerk.download(&marked).await.expect("is handed out");
    let shown = people.clerk.get(&enrollment).await.expect("is there");
    assert_eq!(shown["idNumber"], format!("**************{}", &number(1)[14..]));
    deployment.stop().await;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let kept = rows!(&mut tx, (String, String, String), "SELECT actor, outcome, reason FROM audit WHERE method = 'RevealNumber' ORDER BY id").expect("rows");
    let of = |actor: &str, outcome: &str, reason: &str| (actor.to_owned(), outcome.to_owned(), reason.to_owned());
    let purpose = "核对户口簿，电话*******5678";
    for line in [of("other", "REFUSED", "FORBIDDEN"), of("machine", "REFUSED", "FORBIDDEN"), of("clerk", "READ", purpose), of("officer", "READ", purpose)] {
        assert!(kept.contains(&line), "{line:?} is not in {kept:?}");
    }
    let kept = rows!(&mut tx, (String, String, String), "SELECT actor, outcome, reason FROM audit WHERE method = 'DownloadMarkedWorkbook'").expect("rows");
    for line in [of("machine", "REFUSED", "MACHINE_ENTRY_FORBIDDEN"), of("clerk", "READ", "核对导入的问题")] {
        assert!(kept.contains(&line), "{line:?} is not in {kept:?}");
    }
}

/// Whoever is told whether a whole number is right can try numbers until one is.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_number_is_looked_up_by_who_may_see_it_alone_and_is_no_class_and_no_school_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let mut rows: Vec<_> = (1..=5).map(student).collect();
    for (row, (column, value)) in
        rows.iter_mut().zip([("学号", number(1)), ("学号", format!("G{}", number(2))), ("班级名称", number(7)), ("班级名称", "430102·20100908·2030".into())])
    {
        row.insert(column.into(), value);
    }
    let report = people.import(&rows).await;
    assert_eq!((&report["rowsFaulty"], &report["rowsNew"]), (&json!(4), &json!(1)), "{report}");
    assert!(report["problems"].as_array().expect("a list").iter().all(|problem| problem["code"] == "HOLDS_NUMBER"), "{report}");
    people.register().await;
    let path = format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(5));
    for who in [&people.clerk, &people.head, &people.officer] {
        assert_eq!(who.get(&path).await.expect("is found")["totalSize"], 1);
    }
    for who in [&people.machine, &people.admin] {
        assert_eq!(reason(who.get(&path).await), (403, "FORBIDDEN".into()));
    }
    let by_school_number = format!("/v1/schools/{SCHOOL}/enrollments?query=S0005");
    assert_eq!(people.machine.get(&by_school_number).await.expect("by 学号")["totalSize"], 1);
    assert_eq!(reason(people.admin.get(&by_school_number).await), (403, "FORBIDDEN".into()), "an administrator sees no student");
    let looked_up = async || {
        let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
        let mut tx = db.read().await.expect("reads");
        let lines = rows!(&mut tx, (String,), "SELECT actor FROM audit WHERE method = 'ListEnrollments' AND outcome = 'READ' ORDER BY actor").expect("rows");
        tx.rollback().await.expect("ends");
        lines.into_iter().map(|(actor,)| actor).collect::<Vec<_>>()
    };
    assert_eq!(looked_up().await, ["clerk", "head", "officer"], "each such search is on record");
    // Nor is a number a name to log in with, nor told in an error.
    let made = json!({ "account": number(8).to_lowercase(), "displayName": "甲", "role": "PRINCIPAL", "organisation": SCHOOL });
    assert_eq!(reason(people.admin.post("/v1/accounts", &made, "").await).0, 400);
    let error = people.officer.get(&format!("/v1/schools/{SCHOOL}/enrollments?state={}", number(8))).await.expect_err("is no state");
    assert!(!error.to_string().contains(&number(8)), "{error}");
    deployment.stop().await;
}

/// All that a follower is told.
async fn records(deployment: &Deployment, folder: &std::path::Path, follower: &Session, scope: &str) -> Vec<Record> {
    let keyring = Keyring::load(&key_files(folder).enrollment, Service::Enrollment).expect("keys");
    let handshake = Handshake {
        follower: "outside".into(),
        scope: scope.into(),
        hash_key_id: keyring.hash_key_id().to_owned(),
        hash_key_check: keyring.hash_key_check().to_vec(),
        ..Handshake::default()
    };
    let mut client = EnrollmentFeedServiceClient::new(channel(&format!("http://{}", deployment.enrollment_grpc)).expect("a channel"));
    let mut request = tonic::Request::new(SnapshotRequest { handshake: Some(handshake), ..SnapshotRequest::default() });
    request.metadata_mut().insert("authorization", format!("Bearer {}", follower.token()).parse().expect("ASCII"));
    let mut parts = client.snapshot(request).await.expect("a snapshot").into_inner();
    let mut records = Vec::new();
    while let Some(part) = parts.message().await.expect("a part") {
        let Some(SnapshotPart::Page(page)) = part.part else { continue };
        records.extend(page.records);
    }
    records
}

/// Keys of persons and of claims, by name, as a follower is told them.
async fn told(deployment: &Deployment, folder: &std::path::Path, follower: &Session, scope: &str) -> BTreeMap<String, BTreeSet<Vec<u8>>> {
    let mut keys: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for record in records(deployment, folder, follower, scope).await {
        match record.body {
            Some(Body::Person(person)) => keys.entry(person.names[0].name.clone()).or_default().extend(person.keys.into_iter().map(|bond| bond.key)),
            Some(Body::Enrollment(enrollment)) => drop(keys.entry(enrollment.claim_name).or_default().insert(enrollment.claim_key)),
            _ => {}
        }
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn two_followers_from_outside_can_not_join_what_they_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    let second = people.open_account("second", "MACHINE_READER", "430000", PASSWORD).await;
    let (one, again, two) = (
        told(&deployment, folder.path(), &people.machine, "43").await,
        told(&deployment, folder.path(), &people.machine, "4301").await,
        told(&deployment, folder.path(), &second, "43").await,
    );
    assert_eq!(one.len(), 2);
    assert_eq!(one, again, "one follower knows a person again");
    assert!(one.values().all(|keys| keys.len() == 1), "what a school claims and who the person is meet");
    let flat = |keys: &BTreeMap<String, BTreeSet<Vec<u8>>>| keys.values().flatten().cloned().collect::<BTreeSet<_>>();
    assert!(flat(&one).is_disjoint(&flat(&two)));
    deployment.stop().await;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let own: BTreeSet<Vec<u8>> =
        rows!(&mut tx, (uuid::Uuid,), "SELECT person_key FROM person_keys").expect("keys").into_iter().map(|(key,)| key.as_bytes().to_vec()).collect();
    assert!(own.is_disjoint(&flat(&one)) && own.is_disjoint(&flat(&two)));
}

/// What is known of the digits of a number from all that one actor was told of it.
fn candidates(last_four: Option<&str>, birth: &BTreeSet<String>) -> u64 {
    /// Regions that a number may begin with.
    const REGIONS: u64 = 6_000;
    let days = match birth.iter().map(String::len).max() {
        None => 365 * 60,
        Some(4) => 365,
        Some(_) => 1,
    };
    // Of the last four, three are the serial; the check character follows from the rest and cuts what is left to a tenth.
    if last_four.is_some() { REGIONS * days / 10 } else { REGIONS * days * 1_000 }
}

/// Birth dates told anywhere in an answer.
fn days(answer: &Value, births: &mut BTreeSet<String>) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| days(item, births)),
        Value::Object(fields) => {
            births.extend(fields.get("birthDate").and_then(Value::as_str).filter(|day| !day.is_empty()).map(str::to_owned));
            fields.values().for_each(|field| days(field, births));
        }
        _ => {}
    }
}

/// Everything that stands beside an id, in all answers.
fn facts(answer: &Value, by_id: &mut BTreeMap<String, (Option<String>, BTreeSet<String>)>) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| facts(item, by_id)),
        Value::Object(fields) => {
            let ids = ["entry", "enrollment", "person", "item"].into_iter().filter_map(|id| fields.get(id)?.as_str()).filter(|id| !id.is_empty());
            let number = fields.get("idNumber").or_else(|| fields.get("evidence")?.get("claim")?.get("idNumber")).and_then(Value::as_str);
            let number = number.filter(|number| number.contains(|c: char| c.is_ascii_digit())).map(str::to_owned);
            let mut births = BTreeSet::new();
            // Wherever it stands in what is told beside the id: in the evidence of a flag, the places of a story.
            days(answer, &mut births);
            births.extend(fields.get("birthYear").and_then(Value::as_i64).filter(|year| *year > 0).map(|year| year.to_string()));
            for id in ids {
                let known = by_id.entry(id.to_owned()).or_default();
                known.0 = known.0.take().or_else(|| number.clone());
                known.1.extend(births.clone());
            }
            fields.values().for_each(|field| facts(field, by_id));
        }
        _ => {}
    }
}

/// The end of a number, and the birth dates beside it.
type Shown = (Option<String>, BTreeSet<String>);

/// Everything that whoever takes tables out gets, by name: the ends of numbers and the birth dates beside them.
async fn all_workbooks(who: &Session, list: &str) -> (BTreeMap<String, Shown>, String) {
    let school = format!("/v1/schools/{SCHOOL}");
    let (mut by_name, mut said): (BTreeMap<String, Shown>, _) = (BTreeMap::new(), String::new());
    for (path, name) in [
        (format!("{school}/enrollments"), "姓名"),
        (format!("{school}/flags"), "学生"),
        (list.to_owned(), "姓名"),
        (format!("{school}/enrollmentDossiers"), "业务单"),
        (format!("{school}/aidDossiers"), "业务单"),
    ] {
        let (bytes, _) = who.take_out(&format!("{path}/takeOut"), &json!({ "purpose": "核对" }), "").await.expect(&path);
        said.push_str(&takeouts::everything(&bytes));
        let table = takeouts::Taken::of(bytes, &[name]);
        for row in &table.rows {
            let cell = |header: &str| table.headers.iter().position(|known| known == header).map(|at| row[at].clone()).filter(|text| !text.is_empty());
            let known = by_name.entry(cell(name).unwrap_or_default()).or_default();
            let end = cell("身份证件号").or_else(|| cell("证件号末位")).filter(|end| end.contains(|c: char| c.is_ascii_digit()));
            known.0 = known.0.take().or(end);
            known.1.extend(table.headers.iter().filter(|header| header.contains("出生")).filter_map(|header| cell(header)));
        }
    }
    (by_name, said)
}

/// Everything that an actor can ask for.
async fn all_answers(who: &Session, list: &str) -> Vec<Value> {
    let school = format!("/v1/schools/{SCHOOL}");
    let mut paths: Vec<String> = ["/enrollments", "/submissions", "/awardLists"].map(|path| format!("{school}{path}?pageSize=1000")).into();
    paths.extend(["/v1/flags?pageSize=1000", "/v1/causes", "/v1/schools", "/v1/forgottenRecords", "/v1/doubleUnits"].map(str::to_owned));
    paths.push(format!("{list}/entries?pageSize=1000"));
    let mut answers = Vec::new();
    for path in paths {
        answers.push(who.get(&path).await.expect(&path));
    }
    let ids = |answer: &Value, of: &str, id: &str| -> Vec<String> {
        answer[of].as_array().into_iter().flatten().filter_map(|row| row[id].as_str().map(str::to_owned)).collect()
    };
    for enrollment in ids(&answers[0], "enrollments", "enrollment") {
        answers.push(who.get(&format!("{school}/enrollments/{enrollment}")).await.expect("is there"));
        answers.push(who.get(&format!("{school}/enrollments/{enrollment}/record")).await.expect("is there"));
    }
    // The sheets of dossiers stay for ever, and many may read them.
    let dossiers = who.get("/v1/enrollmentDossiers?pageSize=1000").await.expect("dossiers");
    for dossier in ids(&dossiers, "dossiers", "dossier") {
        answers.push(who.get(&format!("/v1/enrollmentDossiers/{dossier}/items?pageSize=1000")).await.expect("a sheet"));
    }
    for flag in ids(&answers[3], "flags", "flag") {
        answers.push(who.get(&format!("/v1/flags/{flag}")).await.expect("is there"));
    }
    for person in ids(&answers[0], "enrollments", "person") {
        if let Ok(story) = who.get(&format!("/v1/students/{person}/story")).await {
            answers.push(story);
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn from_all_that_anybody_is_told_of_a_student_many_numbers_remain_possible() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&(1..4).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    let name = |serial: u32| student(serial)["姓名"].clone();
    // One on the list as enrolled, one under another name, one whom nobody knows.
    let list = people.list(&[(&name(1), &number(1), ""), ("赵错名", &number(2), ""), ("李无籍", &number(9), "")]).await;
    people.attested(&list).await;
    deployment.drain().await.expect("drains");
    assert!(!people.open_flags().await.is_empty());
    let supervisor = people.open_account("supervisor", "SUPERVISOR", "430000", PASSWORD).await;
    for (who, session) in [("clerk", &people.clerk), ("officer", &people.officer), ("machine", &people.machine), ("supervisor", &supervisor)] {
        let answers = all_answers(session, &list).await;
        let mut by_id = BTreeMap::new();
        for answer in &answers {
            facts(answer, &mut by_id);
        }
        if who == "machine" {
            // It may follow the feed, which tells the same students' birth dates under the same ids.
            assert!(by_id.values().all(|(number, _)| number.is_none()), "no character of a number is shown beside them: {by_id:?}");
            let told: Vec<String> = records(&deployment, folder.path(), session, "43")
                .await
                .iter()
                .map(|record| Uuid::from_slice(&record.id).expect("an id").to_string())
                .collect();
            assert!(told.iter().any(|id| by_id.contains_key(id)), "they are the same");
        } else {
            assert!(by_id.values().any(|(number, _)| number.is_some()), "ends are shown");
        }
        for (id, (number, birth)) in by_id {
            let tail = number.as_deref();
            assert!(tail.is_none_or(|tail| tail.trim_start_matches('*').len() <= 4), "{who} {id}: {tail:?}");
            let left = candidates(tail, &birth);
            assert!(left >= 100_000, "{who} {id}: {left} candidates from {tail:?} and {birth:?}");
        }
        let mut said = answers.iter().map(Value::to_string).collect::<String>();
        if who == "clerk" {
            let (by_name, workbooks) = all_workbooks(session, &list).await;
            said.push_str(&workbooks);
            assert!(by_name.values().any(|(number, birth)| number.is_some() && !birth.is_empty()), "ends and years are shown");
            for (name, (number, birth)) in by_name {
                let tail = number.as_deref();
                assert!(tail.is_none_or(|tail| tail.trim_start_matches('*').len() <= 4), "{name}: {tail:?}");
                let left = candidates(tail, &birth);
                assert!(left >= 100_000, "{name}: {left} candidates from {tail:?} and {birth:?}");
            }
        }
        for serial in [1, 2, 3, 9] {
            let number = number(serial);
            assert!(!said.contains(&number[6..14]), "{who}");
            assert!(!said.contains(&format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14])), "{who}");
        }
    }
    deployment.stop().await;
}

/// Whose files these are: everything in a folder is its owner's alone.
fn assert_private(folder: &std::path::Path) {
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    let kept =
        ["enrollment.db", "enrollment.db-wal", "enrollment.db-shm", "aid.db", "aid.db-wal", "enrollment-keys.json", "aid-keys.json", "admin-password.txt"];
    for name in kept {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
}

/// Everything in one process, with all that it says.
async fn walk(folder: &std::path::Path) -> (Vec<String>, Vec<String>) {
    let (http, log) = (free_address(), folder.join("log"));
    let mut up = Command::new(binary());
    up.args(["up", "--http", &http, "--data"]).arg(folder).env("XUEZHU_POLICY_FILE", policy_file("at-once", &AT_ONCE));
    let mut process = Process::tracing(&mut up, &log);
    let base = format!("http://{http}");
    until("it answers", async || Client::new().get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success())).await;
    let one_time = std::fs::read_to_string(folder.join("admin-password.txt")).expect("is there").trim().to_owned();
    let used = acts(&base, &one_time).await;
    assert_private(folder);
    process.signal("-TERM");
    used
}

/// What people do with numbers; returns the numbers and the names that they used.
async fn acts(base: &str, one_time: &str) -> (Vec<String>, Vec<String>) {
    let people: People = schools::open_at(base, one_time).await;
    let mut faulty = student(5);
    faulty.insert("专业简称".into(), number(6));
    faulty.insert("联系电话".into(), "1380013800".into());
    people.import(&[student(1), student(2), student(3), faulty]).await;
    people.register().await;
    let name = student(1)["姓名"].clone();
    let list = people.list(&[(&name, &number(1), ""), ("李无籍", &number(9), "")]).await;
    let text = format!("姓名,身份证件类型,身份证件号,月份,档次,银行卡号,备注\n{name},居民身份证,{},,,6222600260001072444,电话13912340000\n", number(1));
    let report = people.clerk.upload(&format!("{list}/import"), text.into_bytes(), "").await.expect("is answered");
    assert_eq!(report["problems"][0]["code"], "HOLDS_NUMBER", "{report}");
    people.attested(&list).await;
    let enrollment = people.enrollment(&number(2)).await;
    people.clerk.post(&format!("{enrollment}/revealNumber"), &json!({ "purpose": "核对" }), "").await.expect("is shown");
    let leave = json!({ "effectiveDate": "2026-10-01", "reason": format!("因病，联系13712340000，身份证{}", number(2)) });
    people.clerk.post(&format!("{enrollment}/leave"), &leave, "").await.expect("is recorded");
    // By REST, by a page's search, and as a wrong request.
    drop(people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(3))).await.expect("is found"));
    let page = Client::new()
        .post(format!("{base}/students"))
        .header("cookie", format!("xuezhu_session={}", people.clerk.token()))
        .header("sec-fetch-site", "same-origin");
    let found = page
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("q={}", number(3)))
        .send()
        .await
        .expect("answers")
        .text()
        .await
        .expect("a page");
    assert!(found.contains(&student(3)["姓名"]), "{found}");
    assert!(people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments/{}", number(3))).await.is_err());
    assert!(Session::log_in(base, &number(3), "wrong").await.is_err());
    until("aid has judged", async || people.open_flags().await.iter().any(|(rule, _)| rule == "NO_ENROLLMENT")).await;
    let mut numbers: Vec<String> = (1..=3).chain([5, 6, 9]).map(number).collect();
    numbers.extend((1..=3).map(|serial| format!("139{serial:08}")));
    numbers.extend(["13912340000", "13712340000", "6222600260001072444", "13900000000"].map(str::to_owned));
    let mut names: Vec<String> = (1..=3).map(|serial| student(serial)["姓名"].clone()).collect();
    names.extend(["李无籍", "王家长"].map(str::to_owned));
    (numbers, names)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_is_readable_where_it_is_kept_and_no_log_tells_a_number_or_a_name() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let (numbers, names) = walk(folder.path()).await;
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap_or_default();
    let log = read("log");
    assert!(log.len() > 100_000, "everything is told at this level");
    for number in &numbers {
        for place in ["enrollment.db", "enrollment.db-wal", "aid.db", "aid.db-wal", "log"] {
            assert!(memchr::memmem::find(&read(place), number.as_bytes()).is_none(), "{number} is in {place}");
        }
    }
    for name in &names {
        // As it is, as addresses escape it, and as programs print bytes.
        let escaped: String = name.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        let printed = name.as_bytes().escape_ascii().to_string();
        for form in [name.clone(), escaped, printed] {
            assert!(memchr::memmem::find(&log, form.as_bytes()).is_none(), "{form} is in the log");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_is_readable_in_the_files_of_a_server_nor_in_what_it_wrote_ahead() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(&["fsync=off"])).await.expect("starts");
    let databases = (cluster.create("enrollment").await, cluster.create("aid").await);
    let apart = Apart::start(folder.path(), &databases.0, &databases.1);
    let base = apart.base();
    xuezhu_tests::apart::ready(&base).await;
    let (numbers, _) = acts(&base, "first-Password1").await;
    let mut places = postgres::files(&databases.0).await;
    places.extend(postgres::files(&databases.1).await);
    places.extend(postgres::written_ahead(&databases.0).await);
    assert!(places.iter().any(|(place, bytes)| place.to_string_lossy().contains("pg_wal") && bytes.len() > 1_000_000));
    for number in &numbers {
        let searched = memchr::memmem::Finder::new(number.as_bytes());
        for (place, bytes) in &places {
            assert!(searched.find(bytes).is_none(), "{number} is in {}", place.display());
        }
    }
}
