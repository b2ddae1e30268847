//! Sessions that end before their tokens do, and passwords that can't be kept.

use std::path::Path;

use chrono::DateTime;
use reqwest::{Client, header};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xuezhu::{
    client::Session,
    deployment::{Deployment, channel, key_files, system_clock},
};
use xuezhu_aid::{Aid, Following};
use xuezhu_enrollment::directory::{
    self,
    log_in::{self, Given, LogIn},
};
use xuezhu_proto::bridge::{
    Handshake, SnapshotRequest, WatchRequest, WatchResponse, enrollment_feed_service_client::EnrollmentFeedServiceClient,
    snapshot_response::Part as SnapshotPart,
};
use xuezhu_service::{
    Actor, Clock, Ids, Keyring, Role, Runner,
    keyring::Service,
    settings::{Safeguards, Settings},
};
use xuezhu_store::{Db, one};
use xuezhu_tests::{
    Engine, deployment, free_address,
    schools::{self, PASSWORD, SCHOOL, reason, student},
    until,
};

use crate::browser::Browser;

const OPEN_FLAGS: &str = "/v1/flags?state=OPEN";

fn passwords(old: &str, new: &str) -> Value {
    json!({ "oldPassword": old, "newPassword": new })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_password_is_never_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let one_time = deployment.admin_password().map(str::to_owned).expect("a first administrator");
    let first = Session::log_in(&format!("http://{}", deployment.http), "admin", &one_time).await.expect("logs in");
    for key in ["", "again"] {
        // A random password may be too weak for a new one, which would be told first.
        let wrong = first.post("/v1/sessions/password", &passwords("wrong", PASSWORD), key).await;
        assert_eq!(reason(wrong), (401, "WRONG_PASSWORD".into()), "under the key {key:?}");
        let same = first.post("/v1/sessions/password", &passwords(&one_time, &one_time), key).await;
        assert_eq!(reason(same), (400, "PASSWORD_WEAK".into()));
    }
    // It opened one session, and opens no other; in that one it can be changed, and nothing else be done.
    assert_eq!(reason(first.with_log_in("admin", &one_time).await.map(drop)), (401, "WRONG_PASSWORD".into()));
    assert_eq!(reason(first.get("/v1/accounts").await), (403, "MUST_CHANGE_PASSWORD".into()));
    assert!(first.change_password(&one_time, PASSWORD).await.is_ok());
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_password_ends_and_chosen_ones_are_neither_common_nor_those_of_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let reset = async || {
        let made = people.admin.post("/v1/accounts/clerk/resetPassword", &json!({}), "").await.expect("is reset");
        made["oneTimePassword"].as_str().expect("a password").to_owned()
    };
    let one_time = reset().await;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let mut tx = db.begin().await.expect("begins");
    let (until_us,) = one!(&mut tx, (i64,), "SELECT password_until_us FROM accounts WHERE account = 'clerk'").expect("reads").expect("an account");
    assert!((until_us - system_clock().now_us() - directory::ONE_TIME_US).abs() < 60_000_000);
    xuezhu_store::run!(&mut tx, "UPDATE accounts SET password_until_us = $1 WHERE account = 'clerk'", system_clock().now_us()).expect("is over");
    tx.commit().await.expect("commits");
    let late = people.admin.with_log_in("clerk", &one_time).await.map(drop);
    assert!(late.as_ref().is_err_and(|error| error.to_string().contains("已过期")), "{late:?}");
    // Five of before are remembered, and common ones refused.
    let one_time = reset().await;
    let mut session = people.admin.with_log_in("clerk", &one_time).await.expect("logs in");
    let mut old = one_time;
    for new in ["Kranich-01-x", "Kranich-02-x", "Kranich-03-x", "Kranich-04-x", "Kranich-05-x"] {
        session = session.change_password(&old, new).await.expect("is changed");
        new.clone_into(&mut old);
    }
    for weak in ["Kranich-02-x", "Kranich-04-x", "Kranich-05-x", "Passw0rd!", "Clerk-2026!", "1qaz@WSX"] {
        assert_eq!(reason(session.change_password(&old, weak).await.map(drop)), (400, "PASSWORD_WEAK".into()), "{weak}");
    }
    assert!(session.change_password(&old, "Kranich-06-x").await.is_ok());
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_heard_no_answer_to_a_change_of_password_asks_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let path = "/v1/sessions/password";
    people.clerk.post(path, &passwords(PASSWORD, "Other-2026x"), "change").await.expect("is changed");
    assert_eq!(reason(people.clerk.get(&format!("/v1/schools/{SCHOOL}")).await), (401, "UNAUTHENTICATED".into()), "the session of the old password is over");
    let again = people.clerk.post(path, &passwords(PASSWORD, "Other-2026x"), "change").await.expect("is answered again");
    let session = people.clerk.with_token(again["accessToken"].as_str().expect("a token"));
    session.get(&format!("/v1/schools/{SCHOOL}")).await.expect("the new session works");
    for (asked, key) in [("Other-2026x", "another"), ("Third-2026x", "change"), ("Other-2026x", "")] {
        assert_eq!(reason(people.clerk.post(path, &passwords(PASSWORD, asked), key).await), (401, "UNAUTHENTICATED".into()), "{asked} under {key:?}");
    }
    // A password that was reset is nobody's answer any more.
    people.admin.post("/v1/accounts/clerk/resetPassword", &json!({}), "").await.expect("is reset");
    assert_eq!(reason(people.clerk.post(path, &passwords(PASSWORD, "Other-2026x"), "change").await), (401, "UNAUTHENTICATED".into()));
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_and_a_closed_account_end_sessions_in_both_services() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let upload = async |session: &Session| session.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), schools::workbook(&[student(1)]), "").await;
        people.clerk.get(OPEN_FLAGS).await.expect("reads at aid");
        let reset = people.admin.post("/v1/accounts/clerk/resetPassword", &json!({}), "").await.expect("is reset");
        assert_eq!(reason(upload(&people.clerk).await), (401, "UNAUTHENTICATED".into()));
        until("aid refuses the session", async || people.clerk.get(OPEN_FLAGS).await.is_err()).await;
        assert_eq!(reason(people.clerk.get(OPEN_FLAGS).await), (401, "UNAUTHENTICATED".into()));

        let one_time = reset["oneTimePassword"].as_str().expect("a password");
        let clerk = people.clerk.with_log_in("clerk", one_time).await.expect("logs in").change_password(one_time, PASSWORD).await.expect("changes");
        upload(&clerk).await.expect("the new session works");
        clerk.get(OPEN_FLAGS).await.expect("at aid too");

        assert_eq!(reason(people.clerk.post("/v1/accounts/clerk/disable", &json!({}), "").await), (401, "UNAUTHENTICATED".into()));
        assert_eq!(reason(clerk.post("/v1/accounts/clerk/disable", &json!({}), "").await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.admin.post("/v1/accounts/admin/disable", &json!({}), "").await), (400, "WRONG_STATE".into()), "nobody shuts themselves out");
        let closed = people.admin.post("/v1/accounts/clerk/disable", &json!({}), "").await.expect("is disabled");
        assert_eq!((&closed["account"], &closed["disabled"]), (&json!("clerk"), &json!(true)), "{closed}");
        assert_eq!(reason(upload(&clerk).await), (401, "UNAUTHENTICATED".into()));
        until("aid refuses the session", async || clerk.get(OPEN_FLAGS).await.is_err()).await;
        assert_eq!(reason(clerk.with_log_in("clerk", PASSWORD).await.map(drop)), (403, "ACCOUNT_DISABLED".into()));
        assert_eq!(reason(clerk.with_log_in("clerk", "wrong").await.map(drop)), (401, "WRONG_PASSWORD".into()), "only who knows the password is told");
        people.admin.post("/v1/accounts/clerk/enable", &json!({}), "").await.expect("is enabled");
        assert_eq!(reason(upload(&clerk).await), (401, "UNAUTHENTICATED".into()), "the session stays over");
        clerk.with_log_in("clerk", PASSWORD).await.expect("logs in").get(OPEN_FLAGS).await.expect("the new one works");

        // A feed that an account follows ends with the account's sessions.
        let mut feed = follow(&deployment, folder.path(), people.machine.token()).await;
        feed.message().await.expect("a bookmark");
        people.admin.post("/v1/accounts/machine/disable", &json!({}), "").await.expect("is disabled");
        let ended = loop {
            match feed.message().await {
                Ok(part) => assert!(part.is_some(), "the end is told"),
                Err(status) => break status,
            }
        };
        assert_eq!(ended.code(), tonic::Code::Unauthenticated);
        deployment.stop().await;
    }
}

async fn follow(deployment: &Deployment, folder: &Path, token: &str) -> tonic::Streaming<WatchResponse> {
    let keyring = Keyring::load(&key_files(folder).enrollment, Service::Enrollment).expect("a keyring");
    let channel = channel(&format!("http://{}", deployment.enrollment_grpc)).expect("a channel");
    let handshake = Handshake {
        follower: "outside".into(),
        scope: "43".into(),
        hash_key_id: keyring.hash_key_id().to_owned(),
        hash_key_check: keyring.hash_key_check().to_vec(),
        ..Handshake::default()
    };
    let mut client = EnrollmentFeedServiceClient::new(channel);
    let asked = SnapshotRequest { handshake: Some(handshake.clone()), ..SnapshotRequest::default() };
    let mut parts = client.snapshot(signed(token, asked)).await.expect("a snapshot").into_inner();
    let first = parts.message().await.expect("a part").expect("not the end");
    let Some(SnapshotPart::Cursor(cursor)) = first.part else { panic!("the cursor comes first") };
    client.watch(signed(token, WatchRequest { handshake: Some(handshake), cursor: Some(cursor) })).await.expect("a feed").into_inner()
}

fn signed<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    request
}

/// Aid alone, without enrollment in reach, goes by what it heard last.
#[tokio::test(flavor = "multi_thread")]
async fn aid_alone_knows_which_sessions_were_over_when_it_last_listened() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.admin.post("/v1/accounts/other/disable", &json!({}), "").await.expect("is disabled");
    until("aid refuses the session", async || people.other.get(OPEN_FLAGS).await.is_err()).await;
    let (over, good) = (people.other.token().to_owned(), people.clerk.token().to_owned());
    deployment.stop().await;
    for (database, told) in [("aid.db", [tonic::Code::Unauthenticated, tonic::Code::Ok]), ("new.db", [tonic::Code::Unavailable, tonic::Code::Unavailable])] {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let keyring = Keyring::load(&key_files(folder.path()).aid, Service::Aid).expect("a keyring");
        let db = Db::open(&format!("sqlite:{}", folder.path().join(database).display())).await.expect("opens");
        let nowhere = channel(&format!("http://{}", free_address())).expect("a channel");
        let following =
            Following { source: nowhere, name: "aid".into(), scope: String::new(), lane_records: usize::MAX, mirror_age: std::time::Duration::from_secs(600) };
        let aid =
            Aid::start(db, system_clock(), Ids::random(), keyring, xuezhu_evidence::Vault::memory(), None, following, Safeguards::default(), &tasks, &stop)
                .await
                .expect("starts");
        let gate = &aid.parts().gate;
        for (token, code) in [&over, &good].into_iter().zip(told) {
            let entered = gate.context(&signed(token, ()), "Test").await.map_or_else(|status| status.code(), |_| tonic::Code::Ok);
            assert_eq!(entered, code, "{database}");
        }
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }
}

/// Keys of the enrollment service in a folder.
fn keys(folder: &std::path::Path) -> Keyring {
    Keyring::load(&key_files(folder).enrollment, Service::Enrollment).expect("loads")
}

/// A runner on the enrollment service's database in a folder.
fn runner(db: &Db, clock: Clock, folder: &std::path::Path) -> Runner {
    Runner::new(db.clone(), clock, Ids::random(), keys(folder))
}

/// Comparing a password takes a while; whoever changes it meanwhile must have shut the old one out.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_changed_while_it_is_compared_opens_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    schools::open(&deployment).await;
    deployment.stop().await;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let runner = runner(&db, system_clock(), folder.path());
    let ctx = runner.system_context();
    let mut tx = db.begin().await.expect("begins");
    let (hash,) = xuezhu_store::one!(&mut tx, (String,), "SELECT password_hash FROM accounts WHERE account = 'clerk'").expect("reads").expect("an account");
    let fitted =
        log_in::settle((&runner, &keys(folder.path()), &Safeguards::default()), &ctx, &mut tx, ("clerk", &hash, ""), Given::ToLogIn).await.expect("is settled");
    assert!(matches!(fitted, LogIn::Done(..)));
    let other = directory::hash_password("Other-2026x").expect("hashes");
    xuezhu_store::run!(&mut tx, "UPDATE accounts SET password_hash = $1 WHERE account = 'clerk'", other).expect("is changed");
    let late =
        log_in::settle((&runner, &keys(folder.path()), &Safeguards::default()), &ctx, &mut tx, ("clerk", &hash, ""), Given::ToLogIn).await.expect("is settled");
    assert!(matches!(late, LogIn::Wrong), "the hash that fitted is not there any more");
}

/// A request begins before it has its turn, and clocks differ: what ends sessions may be stamped before one that is open.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_stamped_later_than_what_ends_it_is_over_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    schools::open(&deployment).await;
    deployment.stop().await;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    // A password changed, an account closed: each by a request that began before the log-in did.
    for act in ["change", "disable"] {
        let ahead = Clock::new(|| DateTime::from_timestamp_micros(system_clock().now_us() + 300_000_000).expect("a time"));
        let runner = runner(&db, system_clock(), folder.path());
        let mut early = runner.system_context();
        let late = self::runner(&db, ahead, folder.path()).system_context();
        let mut tx = db.begin().await.expect("begins");
        let (hash,) = one!(&mut tx, (String,), "SELECT password_hash FROM accounts WHERE account = 'clerk'").expect("reads").expect("an account");
        let LogIn::Done(owner, _) =
            log_in::settle((&runner, &keys(folder.path()), &Safeguards::default()), &early, &mut tx, ("clerk", &hash, ""), Given::ToLogIn)
                .await
                .expect("is settled")
        else {
            panic!("fits")
        };
        let LogIn::Done(thief, _) =
            log_in::settle((&runner, &keys(folder.path()), &Safeguards::default()), &late, &mut tx, ("clerk", &hash, ""), Given::ToLogIn)
                .await
                .expect("is settled")
        else {
            panic!("fits")
        };
        assert!(thief.session_us > owner.session_us, "no two sessions of an account are at one time");
        let goes_on = if act == "change" {
            early.actor = owner;
            directory::change_password(&early, &mut tx, &Safeguards::default(), &hash, "").await.expect("is changed").session_us
        } else {
            early.actor = Actor { account: "admin".into(), role: Role::Administrator, session_us: i64::MAX, organisation: String::new(), ..owner };
            directory::set_disabled(&early, &mut tx, "clerk", true).await.expect("is closed");
            i64::MAX
        };
        let (from_us,) = one!(&mut tx, (i64,), "SELECT sessions_from_us FROM accounts WHERE account = 'clerk'").expect("reads").expect("an account");
        assert!(thief.session_us < from_us && from_us <= goes_on, "{act}: the other session is over, the present one goes on");
        tx.commit().await.expect("commits");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_logs_out_ends_that_session_in_both_services_and_no_other() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let other = people.clerk.with_log_in("clerk", PASSWORD).await.expect("logs in elsewhere");
        people.clerk.get(OPEN_FLAGS).await.expect("reads at aid");
        // As a browser does it.
        let cookie = format!("xuezhu_session={}", people.clerk.token());
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let page = client.get(format!("{base}/")).header(header::COOKIE, &cookie).send().await.expect("answers");
        assert_eq!((page.status().as_u16(), page.headers()[header::CACHE_CONTROL].to_str().expect("text")), (200, "no-store"), "a page is kept by nobody");
        let left = client.post(format!("{base}/logout")).header(header::COOKIE, &cookie).header("sec-fetch-site", "same-origin").send().await.expect("answers");
        assert_eq!(left.headers()[header::LOCATION], "/login");
        assert_eq!(reason(people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await), (401, "UNAUTHENTICATED".into()));
        until("aid refuses the session", async || people.clerk.get(OPEN_FLAGS).await.is_err()).await;
        other.get(OPEN_FLAGS).await.expect("the other goes on");
        other.post("/v1/sessions/end", &json!({}), "").await.expect("ends by itself");
        assert_eq!(reason(other.post("/v1/sessions/end", &json!({}), "").await), (401, "UNAUTHENTICATED".into()));
        assert_eq!(reason(people.admin.post("/v1/accounts/a%00/disable", &json!({}), "").await), (400, "INVALID_ARGUMENT".into()));
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_can_use_a_cookie_for_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let client = Client::new();
    let upload = async |from: &[(&'static str, &str)]| {
        let url = format!("{base}/v1/schools/{SCHOOL}/enrollments/import");
        let mut request = client.post(url).header(header::COOKIE, format!("xuezhu_session={}", people.clerk.token())).body(schools::workbook(&[student(1)]));
        for (name, value) in from {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("answers");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON")["details"][0]["reason"].as_str().unwrap_or_default().to_owned())
    };
    for from in [
        [("sec-fetch-site", "cross-site")].as_slice(),
        &[("sec-fetch-site", "same-site"), ("origin", "http://other.example")],
        // Browsers that don't say how far the page is still say whose it is.
        &[("origin", "http://other.example")],
        &[("origin", "null")],
    ] {
        assert_eq!(upload(from).await, (403, "FORBIDDEN".into()), "{from:?}");
    }
    let nothing = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.expect("a list");
    assert_eq!(nothing["enrollments"], json!([]));
    for from in [[("sec-fetch-site", "same-origin")].as_slice(), &[("origin", base.as_str())]] {
        assert_eq!(upload(from).await.0, 200, "{from:?}");
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_of_a_log_in_keeps_only_names_that_are_accounts() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let base = format!("http://{}", deployment.http);
    let typed = "430102201001011234";
    for account in [typed, "admin"] {
        assert_eq!(reason(Session::log_in(&base, account, "wrong").await.map(drop)), (401, "WRONG_PASSWORD".into()));
    }
    deployment.stop().await;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let tried = xuezhu_store::rows!(&mut tx, (String,), "SELECT actor FROM audit WHERE method = 'CreateSession' ORDER BY id").expect("rows");
    assert_eq!(tried, [("-".to_owned(),), ("admin".to_owned(),)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_password_opens_no_desk() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    let dossier = made["submission"].as_str().expect("an id");
    let opened = json!({ "account": "newhead", "displayName": "新校长", "role": "PRINCIPAL", "organisation": SCHOOL });
    let account = people.admin.post("/v1/accounts", &opened, "").await.expect("is opened");
    let session = people.admin.with_log_in("newhead", account["oneTimePassword"].as_str().expect("a password")).await.expect("logs in");
    let paths = ["enrollmentInbox", "aidInbox", "enrollmentToday", "aidToday"].map(|path| format!("/v1/{path}"));
    let one = ["", "/items"].map(|rest| format!("/v1/enrollmentDossiers/{dossier}{rest}"));
    for path in paths.iter().chain(&one) {
        assert_eq!(reason(session.get(path).await), (403, "MUST_CHANGE_PASSWORD".into()), "{path}");
        assert!(people.head.get(path).await.is_ok(), "{path}");
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_ends_the_oldest_beyond_what_the_account_may_have() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((engine.database(folder.path()).await, engine.database(folder.path()).await)),
        };
        let mut options = xuezhu_tests::options(databases, folder.path(), "none", Settings::default());
        (options.settings.sessions, options.settings.signer_sessions) = (Settings::default().sessions, Settings::default().signer_sessions);
        let deployment = xuezhu_tests::start(options).await;
        let people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        // Whoever signs is at one place at a time, others at three; another system wherever it likes.
        for (first, account, most) in [(&people.head, "head", 1), (&people.officer, "officer", 1), (&people.clerk, "clerk", 3), (&people.machine, "machine", 6)]
        {
            let mut open = vec![first.clone()];
            for _ in 0..5 {
                open.push(Session::log_in(&base, account, PASSWORD).await.expect("logs in"));
            }
            let over = open.len() - most;
            for (at, session) in open.iter().enumerate() {
                // Of both services: aid hears of it a moment later.
                for path in [format!("/v1/schools/{SCHOOL}"), "/v1/schemes".to_owned()] {
                    let is_over = async || session.get(&path).await.is_err();
                    if at < over {
                        until("the session is over", is_over).await;
                        assert_eq!(reason(session.get(&path).await), (401, "UNAUTHENTICATED".into()), "{engine:?} {account} {at} {path}");
                    } else {
                        assert!(!is_over().await, "{engine:?} {account} {at} {path}");
                    }
                }
            }
        }
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_uses_ends_and_one_that_is_used_in_either_service_goes_on() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((engine.database(folder.path()).await, engine.database(folder.path()).await)),
        };
        let settings = Settings { idle_seconds: 6, ..Settings::default() };
        let deployment = xuezhu_tests::deployment_on(databases, folder.path(), "none", settings).await;
        let one_time = deployment.admin_password().map(str::to_owned).expect("a first administrator");
        let base = format!("http://{}", deployment.http);
        let admin = Session::log_in(&base, "admin", &one_time).await.expect("logs in").change_password(&one_time, PASSWORD).await.expect("changes it");
        let open = async |account: &str, role: &str| {
            let body = json!({ "account": account, "displayName": account, "role": role, "organisation": "430000" });
            let made = admin.post("/v1/accounts", &body, "").await.expect("is opened");
            let one_time = made["oneTimePassword"].as_str().expect("a password").to_owned();
            admin.with_log_in(account, &one_time).await.expect("logs in").change_password(&one_time, PASSWORD).await.expect("changes it")
        };
        let (idle, machine) = (open("idle", "SUPERVISOR").await, open("machine", "MACHINE_READER").await);
        let [enrollment, _] = deployment.databases();
        let is_open = async || {
            let mut tx = enrollment.read().await.expect("begins");
            let open = one!(&mut tx, (i64,), "SELECT count(*) FROM open_sessions WHERE account = 'idle'").expect("reads").expect("a count").0;
            tx.rollback().await.expect("ends");
            open > 0
        };
        assert!(is_open().await, "{engine:?}");
        // The administrator asks aid alone meanwhile.
        until("it stood idle for too long", async || {
            admin.get("/v1/schemes").await.expect("a session that is used goes on");
            !is_open().await
        })
        .await;
        // Both services know it a moment after it is written.
        for path in ["/v1/schools", "/v1/schemes"] {
            until("the session is over", async || idle.get(path).await.is_err()).await;
            assert_eq!(reason(idle.get(path).await), (401, "UNAUTHENTICATED".into()), "{engine:?} {path}");
        }
        assert!(admin.get("/v1/schools").await.is_ok() && machine.get("/v1/schools").await.is_ok(), "{engine:?}: another system follows for hours");
        let (ended,) = {
            let mut tx = enrollment.read().await.expect("begins");
            let ended = one!(&mut tx, (i64,), "SELECT count(*) FROM audit WHERE method = 'EndIdleSession' AND resource = 'idle'").expect("reads");
            tx.rollback().await.expect("ends");
            ended.expect("a count")
        };
        assert_eq!(ended, 1, "{engine:?}");
        deployment.stop().await;
    }
}

/// Before a session ends that nobody uses, the page says so by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_warns_before_a_session_ends_that_nobody_uses() -> anyhow::Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings { idle_seconds: 12, ..Settings::default() };
    let deployment = xuezhu_tests::deployment_on(None, folder.path(), "none", settings).await;
    let _people = schools::open(&deployment).await;
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(&format!("http://{}", deployment.http), "clerk").await?;
    browser.sees("待办").await?;
    let shown = browser.call("execute/sync", json!({ "script": "return document.body.innerText", "args": [] })).await?;
    assert!(!shown.to_string().contains("很久没有操作"), "{shown}");
    browser.sees("本页已经很久没有操作").await?;
    browser.close().await?;
    deployment.stop().await;
    Ok(())
}
