//! The audit is whole: who came in and what was refused stands there, auditors alone read it, and what is done to it by hand shows.

use std::path::Path;

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use xuezhu::{
    client::Session,
    deployment::{Deployment, channel, key_files},
    verify::{Asked, verify},
};
use xuezhu_audit::{
    forget, seal,
    verify::{Fault, KnownCut, Report},
    witness,
};
use xuezhu_proto::bridge::{Handshake, SnapshotRequest, WatchRequest, enrollment_feed_service_client::EnrollmentFeedServiceClient, snapshot_response};
use xuezhu_service::{
    Keyring,
    keyring::Service,
    runner::{AUDIT, ROWS},
    settings::Settings,
};
use xuezhu_store::{Db, run};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, People, SCHOOL, reason, student, workbook},
    until,
};

/// Lines of a service, as an auditor reads them.
async fn lines(auditor: &Session, service: &str, filter: &str) -> Vec<Value> {
    let answer = auditor.get(&format!("/v1/{service}Audit?{filter}")).await.expect("is read");
    answer["lines"].as_array().cloned().unwrap_or_default()
}

fn keys(folder: &Path) -> [Keyring; 2] {
    let files = key_files(folder);
    [Keyring::load(&files.enrollment, Service::Enrollment).expect("loads"), Keyring::load(&files.aid, Service::Aid).expect("loads")]
}

/// Waits until all that was done is sealed, and has the two services tell each other how far they came.
async fn witnessed(deployment: &Deployment) {
    for db in deployment.databases() {
        until("everything is sealed", async || seal::standing(db).await.expect("is told").waiting == 0).await;
    }
    let source = channel(&format!("http://{}", deployment.enrollment_grpc)).expect("a channel");
    // What is told at one exchange is handed back at the next.
    for _ in 0..2 {
        xuezhu_aid::audit::exchange(deployment.aid_parts(), &source, "aid").await.expect("is exchanged");
    }
}

/// What is found in the audit of one service, by its keys and what the other's database keeps.
async fn found(folder: &Path, here: &Db, other: &Db, service: Service) -> Report {
    let keyring = keys(folder).into_iter().find(|keyring| keyring.service() == service).expect("keys");
    let mut tx = other.read().await.expect("begins");
    let told = witness::all(&mut tx).await.expect("reads");
    tx.rollback().await.expect("ends");
    let mut tx = here.read().await.expect("begins");
    let report = xuezhu_audit::verify::verify(&mut tx, &keyring.chain(AUDIT), &told, &[]).await.expect("is walked");
    tx.rollback().await.expect("ends");
    report
}

async fn altered(folder: &Path, db: &Db) -> Vec<String> {
    let mut tx = db.read().await.expect("begins");
    let altered = xuezhu_enrollment::directory::altered(&mut tx, &keys(folder)[0].chain(ROWS)).await.expect("reads");
    tx.rollback().await.expect("ends");
    altered
}

/// Does something to a database by hand.
macro_rules! by_hand {
    ($db:expr, $($sql:expr),+) => {{
        let mut tx = $db.begin().await.expect("begins");
        $( run!(&mut tx, $sql).expect("is done by hand"); )+
        tx.commit().await.expect("commits");
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_in_and_what_was_refused_is_read_by_auditors_alone() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let auditor = people.open_account("auditor", "AUDITOR", "", PASSWORD).await;
        let of_region = people.open_account("auditor-43", "AUDITOR", "430000", PASSWORD).await;
        let elsewhere = people.open_account("auditor-11", "AUDITOR", "110000", PASSWORD).await;
        // A system that sends a file for a school; a clerk of another school who does.
        let file = workbook(&[student(1)]);
        let hash = blake3::hash(&file).to_hex().to_string();
        for (who, account, why) in [(&people.machine, "machine", "MACHINE_ENTRY_FORBIDDEN"), (&people.other, "other", "FORBIDDEN")] {
            let refused = who.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), file.clone(), "").await;
            assert_eq!(reason(refused), (403, why.into()));
            let tried = lines(&auditor, "enrollment", &format!("account={account}&outcome=REFUSED")).await;
            let tried = tried.iter().find(|line| line["reason"] == why).unwrap_or_else(|| panic!("{engine:?} {tried:?}"));
            assert_eq!((&tried["school"], &tried["region"], &tried["contentHash"]), (&json!(SCHOOL), &json!("430100"), &json!(hash)), "{engine:?} {tried}");
            assert!(tried["address"].as_str().is_some_and(|address| address.starts_with("127.")), "{tried}");
        }
        // The one who may: the file is on record too.
        people.import(&[student(1)]).await;
        let done = lines(&auditor, "enrollment", "method=ImportEnrollments&outcome=DONE").await;
        assert!(done.len() == 1 && done[0]["school"] == SCHOOL && done[0]["contentHash"].as_str().is_some_and(|hash| hash.len() == 64), "{done:?}");
        // Log-ins, done and failed, with the school and the region of whom they concern.
        assert_eq!(reason(Session::log_in(&base, "clerk", "wrong").await.map(drop)), (401, "WRONG_PASSWORD".into()));
        assert_eq!(reason(Session::log_in(&base, "nobody-is-this", "wrong").await.map(drop)), (401, "WRONG_PASSWORD".into()));
        let failed = lines(&auditor, "enrollment", "method=CreateSession&outcome=REFUSED").await;
        let of_clerk = failed.iter().find(|line| line["account"] == "clerk").expect("a line");
        assert_eq!((&of_clerk["role"], &of_clerk["school"], &of_clerk["region"]), (&json!("SCHOOL_CLERK"), &json!(SCHOOL), &json!("430100")));
        assert!(failed.iter().any(|line| line["account"] == "-"), "an account that is not there is not named: it may be a number");
        let entered = lines(&auditor, "enrollment", "method=CreateSession&outcome=ENTERED&account=clerk").await;
        assert!(entered.iter().all(|line| line["methodName"] == "登录") && !entered.is_empty(), "{entered:?}");
        // A feed that is followed, and one that is refused.
        let feed = channel(&format!("http://{}", deployment.enrollment_grpc)).expect("a channel");
        let [keyring, _] = keys(folder.path());
        let handshake = Handshake {
            scope: "43".into(),
            hash_key_id: keyring.hash_key_id().to_owned(),
            hash_key_check: keyring.hash_key_check().to_vec(),
            ..Handshake::default()
        };
        let mut cursor = None;
        for (session, outcome) in [(&people.machine, "ENTERED"), (&people.clerk, "REFUSED")] {
            fn with<T>(session: &Session, message: T) -> tonic::Request<T> {
                let mut request = tonic::Request::new(message);
                request.metadata_mut().insert("authorization", format!("Bearer {}", session.token()).parse().expect("a token"));
                request
            }
            let mut feed = EnrollmentFeedServiceClient::new(feed.clone());
            let begun = feed.snapshot(with(session, SnapshotRequest { handshake: Some(handshake.clone()), ..SnapshotRequest::default() })).await;
            assert_eq!(begun.is_ok(), outcome == "ENTERED", "{begun:?}");
            if let Ok(answer) = begun {
                let mut pieces = answer.into_inner();
                while let Some(piece) = pieces.message().await.expect("comes") {
                    cursor = if let Some(snapshot_response::Part::Cursor(from)) = piece.part { Some(from) } else { cursor };
                }
            }
            let watched = feed.watch(with(session, WatchRequest { handshake: Some(handshake.clone()), cursor: cursor.clone() })).await;
            assert_eq!(watched.is_ok(), outcome == "ENTERED", "{watched:?}");
            for method in ["Snapshot", "Watch"] {
                let told = lines(&auditor, "enrollment", &format!("method={method}&outcome={outcome}")).await;
                assert!(told.iter().any(|line| line["resource"] == "43"), "{engine:?} {method} {told:?}");
            }
        }
        // Whoever goes away before the file is whole stays on record, too; and so does whose list a file was for.
        let import = format!("/v1/schools/{SCHOOL}/enrollments/import");
        let head = format!(
            "POST {import} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            people.machine.token(),
            file.len() + 1
        );
        until("it is on record", async || {
            let mut stream = TcpStream::connect(deployment.http).await.expect("connects");
            stream.write_all(&[head.as_bytes(), &file].concat()).await.expect("writes");
            drop(stream);
            lines(&auditor, "enrollment", "method=ImportEnrollments&account=machine&outcome=REFUSED").await.len() > 1
        })
        .await;
        let list = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await;
        let list = list.expect("a list")["list"].as_str().expect("an id").to_owned();
        let refused = people.machine.upload(&format!("/v1/schools/{SCHOOL}/awardLists/{list}/import"), file.clone(), "").await;
        assert_eq!(reason(refused).0, 403, "{engine:?}");
        let told = lines(&auditor, "aid", "account=machine&outcome=REFUSED").await;
        let told = told.iter().find(|line| line["contentHash"] == json!(hash)).unwrap_or_else(|| panic!("{engine:?} {told:?}"));
        assert!(told["resource"].as_str().is_some_and(|resource| resource.contains(&list)) && told["school"] == json!(SCHOOL), "{engine:?} {told}");
        who_reads(&people, &auditor, &of_region, &elsewhere).await;
        // An auditor reads the audit, and does nothing.
        for path in [format!("/v1/schools/{SCHOOL}/enrollments"), "/v1/accounts".into(), "/v1/flags".into(), format!("/v1/schools/{SCHOOL}/awardLists")] {
            assert_eq!(reason(auditor.get(&path).await), (403, "FORBIDDEN".into()), "{path}");
        }
        let opened = auditor.post("/v1/accounts", &json!({ "account": "more", "displayName": "more", "role": "AUDITOR", "organisation": "" }), "").await;
        assert_eq!(reason(opened), (403, "FORBIDDEN".into()));
        deployment.stop().await;
    }
}

/// Who reads what of the audit; reading it is in it.
async fn who_reads(people: &People, auditor: &Session, of_region: &Session, elsewhere: &Session) {
    for service in ["enrollment", "aid"] {
        for who in [&people.admin, &people.clerk, &people.head, &people.officer, &people.machine] {
            assert_eq!(reason(who.get(&format!("/v1/{service}Audit")).await), (403, "FORBIDDEN".into()), "{service}");
            assert_eq!(reason(who.get(&format!("/v1/{service}Audit/standing")).await), (403, "FORBIDDEN".into()), "{service}");
        }
        assert!(!lines(auditor, service, "").await.is_empty(), "{service}");
        assert_eq!(reason(of_region.get(&format!("/v1/{service}Audit?region=440000")).await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(auditor.get(&format!("/v1/{service}Audit?fromDay=2026-13-01")).await), (400, "INVALID_ARGUMENT".into()));
        assert_eq!(reason(auditor.get(&format!("/v1/{service}Audit?fromDay=2026-02-01&toDay=2026-01-01")).await), (400, "INVALID_ARGUMENT".into()));
    }
    assert!(lines(of_region, "enrollment", "").await.iter().any(|line| line["account"] == "clerk"));
    let elsewhere = lines(elsewhere, "enrollment", "").await;
    assert!(
        elsewhere.iter().all(|line| line["account"] == "auditor-11" || line["region"].as_str().is_some_and(|region| region.starts_with("11"))),
        "{elsewhere:?}"
    );
    let read = lines(auditor, "enrollment", "method=ListAuditLines&outcome=READ").await;
    assert!(read.iter().any(|line| line["account"] == "auditor-43"), "{read:?}");
    // Page by page they are the same.
    let (mut token, mut paged) = (String::new(), Vec::new());
    loop {
        let page = auditor.get(&format!("/v1/enrollmentAudit?account=clerk&pageSize=3&pageToken={token}")).await.expect("a page");
        paged.extend(page["lines"].as_array().cloned().unwrap_or_default());
        page["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    let ids = |lines: &[Value]| lines.iter().map(|line| line["line"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&paged), ids(&lines(auditor, "enrollment", "account=clerk").await));
    assert!(paged.len() > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_the_audit_by_hand_is_named() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let list = people.list(&[(&student(1)["姓名"], &schools::number(1), "")]).await;
        people.attested(&list).await;
        witnessed(&deployment).await;
        let [enrollment, aid] = deployment.databases();
        let look = async || (found(folder.path(), enrollment, aid, Service::Enrollment).await, found(folder.path(), aid, enrollment, Service::Aid).await);
        let (whole, of_aid) = look().await;
        assert!(whole.faults.is_empty() && of_aid.faults.is_empty(), "{engine:?} {:?} {:?}", whole.faults, of_aid.faults);
        assert!(whole.lines > 10 && of_aid.lines >= 3 && whole.witnessed > 0 && of_aid.witnessed > 0, "{engine:?} {whole:?} {of_aid:?}");
        // A word changed; a line taken from the midst; one written in, with a position or without; one told to be forgotten.
        by_hand!(enrollment, "UPDATE audit SET actor = 'somebody' WHERE position = 3");
        by_hand!(enrollment, "DELETE FROM audit WHERE position = 5");
        by_hand!(
            enrollment,
            "INSERT INTO audit (id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address)
             SELECT person, 1, birth_date, 'ghost', '', '', 'GhostCall', '', 'DONE', '', '', '' FROM persons LIMIT 1"
        );
        // At a place where none can be, as written as it may be.
        by_hand!(enrollment, "UPDATE audit SET position = -9 WHERE position = 9");
        by_hand!(
            enrollment,
            "INSERT INTO audit_forgotten (position, line_check, link, mark) SELECT position, line_check, link, link FROM audit WHERE position = 7"
        );
        by_hand!(enrollment, "DELETE FROM audit WHERE position = 7");
        let (broken, _) = look().await;
        let told = |wanted: &dyn Fn(&Fault) -> bool| broken.faults.iter().any(wanted);
        assert!(told(&|fault| matches!(fault, Fault::Line { position: Some(3), .. })), "{engine:?} {:?}", broken.faults);
        assert!(told(&|fault| matches!(fault, Fault::Chain(xuezhu_chain::Broken::Missing { first: 5, last: 5 }))), "{engine:?} {:?}", broken.faults);
        assert!(told(&|fault| matches!(fault, Fault::Line { method, .. } if method == "GhostCall")), "{engine:?} {:?}", broken.faults);
        assert!(told(&|fault| matches!(fault, Fault::Forgotten { position: 7 })), "{engine:?} {:?}", broken.faults);
        assert!(told(&|fault| matches!(fault, Fault::Line { position: Some(-9), .. })), "{engine:?} {:?}", broken.faults);
        // The end cut off, and the head put back to where it was then: the other service was told of more.
        by_hand!(
            aid,
            "DELETE FROM audit WHERE position > 1",
            "UPDATE audit_head SET position = 1",
            "UPDATE audit_head SET link = (SELECT link FROM audit WHERE position = 1)"
        );
        let (_, cut) = look().await;
        assert!(matches!(cut.faults[..], [Fault::Cut { .. }]), "{engine:?} {:?}", cut.faults);
        // The running service says so too, at its next exchange, and goes on.
        witnessed(&deployment).await;
        let auditor = people.open_account("auditor", "AUDITOR", "", PASSWORD).await;
        assert_eq!(auditor.get("/v1/aidAudit/standing").await.expect("stands")["standing"]["cut"], true, "{engine:?}");
        // It is no line of who came in: it stays.
        assert_eq!(lines(&auditor, "aid", "method=AuditCut&outcome=DONE").await.len(), 1, "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_may_is_what_the_service_wrote() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let [enrollment, _] = deployment.databases();
        assert!(altered(folder.path(), enrollment).await.is_empty(), "{engine:?}");
        // A role, a school, a password, a closed account that is opened, an account that nobody opened.
        people.admin.post("/v1/accounts/other/disable", &json!({}), "").await.expect("is closed");
        by_hand!(enrollment, "UPDATE accounts SET role = 'DEPARTMENT_OFFICER', organisation = '430100' WHERE account = 'clerk'");
        by_hand!(enrollment, "UPDATE accounts SET password_hash = (SELECT password_hash FROM accounts WHERE account = 'head') WHERE account = 'officer'");
        by_hand!(enrollment, "UPDATE accounts SET disabled = false WHERE account = 'other'");
        by_hand!(
            enrollment,
            "INSERT INTO accounts (account, display_name, role, organisation, password_hash, must_change_password, wrong_passwords, locked_until_us, created_at_us, row_check)
             SELECT 'ghost', 'ghost', 'ADMINISTRATOR', '', password_hash, false, 0, 0, 0, row_check FROM accounts WHERE account = 'head'"
        );
        assert_eq!(altered(folder.path(), enrollment).await, ["clerk", "ghost", "officer", "other"], "{engine:?}");
        for account in ["clerk", "ghost", "officer", "other"] {
            let (status, why) = reason(Session::log_in(&base, account, PASSWORD).await.map(drop));
            assert_eq!(why, "ROW_ALTERED", "{engine:?} {account} {status}");
        }
        assert!(Session::log_in(&base, "head", PASSWORD).await.is_ok(), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_who_came_in_are_forgotten_after_their_time_and_the_chain_stays_whole() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1)]).await;
        let _ = people.other.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await;
        let auditor = people.open_account("auditor", "AUDITOR", "", PASSWORD).await;
        witnessed(&deployment).await;
        let [enrollment, aid] = deployment.databases();
        let chain = keys(folder.path())[0].chain(AUDIT);
        let gone = forget::forget(enrollment, &chain, i64::MAX).await.expect("is forgotten");
        assert!(gone > 3, "{engine:?} {gone}");
        let report = found(folder.path(), enrollment, aid, Service::Enrollment).await;
        assert!(report.faults.is_empty(), "{engine:?} {:?}", report.faults);
        assert_eq!(report.forgotten, i64::try_from(gone).expect("a count"), "{engine:?}");
        assert!(report.witnessed > 0, "{engine:?}");
        let left = lines(&auditor, "enrollment", "pageSize=1000").await;
        assert!(left.iter().filter(|line| line["position"] != "0").all(|line| line["outcome"] == "DONE" || line["outcome"] == "READ"), "{engine:?}");
        assert!(left.iter().any(|line| line["method"] == "ImportEnrollments"), "{engine:?}: what was done stays");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_walks_both_and_says_what_it_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let backup = folder.path().join("backup.db");
    let Db::Sqlite { read, .. } = deployment.databases()[0] else { panic!("is on SQLite") };
    sqlx::query("VACUUM INTO $1").bind(backup.display().to_string()).execute(read).await.expect("is backed up");
    people.import(&[student(1)]).await;
    people.register().await;
    witnessed(&deployment).await;
    let (settings, data) = (Settings::default(), Some(folder.path().to_owned()));
    let look = async |asked: Asked| verify(&settings, &Asked { data: data.clone(), ..asked }).await.expect("is walked");
    // Beside the running services.
    let whole = look(Asked::default()).await;
    assert!(whole.is_whole && whole.text.contains(" 1 dossiers, "), "{}", whole.text);
    let heads = folder.path().join("heads.json");
    assert!(look(Asked { heads_out: Some(heads.clone()), ..Asked::default() }).await.is_whole);
    deployment.stop().await;
    // Where the other service's database is not at hand, a file of what it keeps will do.
    let alone = Settings {
        enrollment_database_url: format!("sqlite:{}", folder.path().join("enrollment.db").display()),
        enrollment_keys_file: key_files(folder.path()).enrollment,
        aid_database_url: "sqlite:/nowhere/aid.db".into(),
        aid_keys_file: "/nowhere/aid-keys.json".into(),
        ..Settings::default()
    };
    let without = verify(&alone, &Asked::default()).await.expect("is walked");
    assert!(without.is_whole && without.text.contains("not compared"), "{}", without.text);
    let with = verify(&alone, &Asked { heads: vec![heads.clone()], ..Asked::default() }).await.expect("is walked");
    assert!(with.is_whole && !with.text.contains("not compared"), "{}", with.text);
    // Put back from a backup: the other service was told of more.
    for file in ["enrollment.db-wal", "enrollment.db-shm"] {
        drop(std::fs::remove_file(folder.path().join(file)));
    }
    std::fs::copy(&backup, folder.path().join("enrollment.db")).expect("is put back");
    assert!(verify(&alone, &Asked::default()).await.expect("is walked").is_whole, "by itself it can't know");
    let cut = verify(&alone, &Asked { heads: vec![heads.clone()], ..Asked::default() }).await.expect("is walked");
    assert!(!cut.is_whole, "{}", cut.text);
    let at = cut.json["services"][0]["faults"][0]["knownAs"].as_str().expect("where").parse::<KnownCut>().expect("a cut");
    // Heads that were signed later are of another cut.
    let earlier = KnownCut { until_us: at.until_us - 1, ..at };
    let told = verify(&alone, &Asked { heads: vec![heads.clone()], known_cuts: vec![earlier], ..Asked::default() }).await.expect("is walked");
    assert!(!told.is_whole && told.text.contains("cut at"), "{}", told.text);
    let known = Asked { heads: vec![heads], known_cuts: vec![at], ..Asked::default() };
    let told = verify(&alone, &known).await.expect("is walked");
    assert!(told.is_whole && told.text.contains("(known)"), "{}", told.text);
    let db = Db::open(&alone.enrollment_database_url).await.expect("opens");
    by_hand!(db, "DELETE FROM accounts WHERE account = 'other'");
    let told = verify(&alone, &known).await.expect("is walked");
    assert!(!told.is_whole && told.text.contains("account other is gone"), "{}", told.text);
    let gone = told.json["services"][0]["rows"]["faults"][0]["knownAs"].as_str().expect("as what").to_owned();
    let known = Asked { known_records: vec![gone], ..known };
    let told = verify(&alone, &known).await.expect("is walked");
    assert!(told.is_whole && told.text.contains("account other is gone"), "{}", told.text);
    // Whoever does more to it is not hidden by that.
    by_hand!(
        db,
        "INSERT INTO accounts (account, display_name, role, organisation, password_hash, must_change_password, wrong_passwords, locked_until_us, created_at_us)
         SELECT 'other', 'other', role, organisation, password_hash, false, 0, 0, 0 FROM accounts WHERE account = 'head'"
    );
    assert!(!verify(&alone, &known).await.expect("is walked").is_whole);
    by_hand!(db, "DELETE FROM accounts WHERE account = 'other'");
    assert!(verify(&alone, &known).await.expect("is walked").is_whole);
    // By a shell: the exit code says it.
    by_hand!(db, "UPDATE accounts SET role = 'ADMINISTRATOR', organisation = '' WHERE account = 'clerk'");
    db.close().await;
    let ended = std::process::Command::new(xuezhu_tests::binary()).args(["admin", "verify", "--data"]).arg(folder.path()).output().expect("runs");
    let text = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(5), "{text}");
    assert!(text.contains("account clerk is not as the service wrote it last") && text.contains("cut at"), "{text}");
}
