//! Who is slow, silent or many at the door shuts nobody else out.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};
use tokio_util::bytes::Bytes;
use xuezhu_store::{one, run};
use xuezhu_tests::{
    Engine, deployment, prepare,
    schools::{self, PASSWORD, SCHOOL},
    until,
};

use crate::{
    evidence::{corrected, scan},
    processes::Up,
};

/// Connections that are opened: more than fit.
const MANY: usize = 200;

/// Sends some bytes to a server, and nothing more.
async fn begun(base: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).await.expect("connects");
    // One that is let go at once may be closed already.
    let _ = stream.write_all(bytes).await;
    stream
}

/// A client that opens a connection for each request.
fn stranger() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_ask_nothing_shut_nobody_out_and_are_let_go() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let up = Up::start(folder.path(), &["prlimit", "--nofile=400:400"]);
    let admin = up.first_log_in(folder.path()).await;
    let stranger = stranger();
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("half a head", b"GET /login HTTP/1.1\r\nHost: a"),
        ("a byte", b"P"),
        ("a preface of many calls", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("half a body", b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"),
        (
            "half a form",
            b"POST /login HTTP/1.1\r\nHost: a\r\nCookie: session=x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 90\r\n\r\na",
        ),
    ] {
        let mut held = Vec::new();
        for _ in 0..MANY {
            held.push(begun(&up.base, bytes).await);
        }
        for _ in 0..20 {
            let answer = stranger.get(format!("{}/login", up.base)).send().await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(answer.status(), 200, "{what}");
        }
        assert!(admin.get("/v1/schools").await.is_ok(), "{what}: who is logged in is answered");
        drop(held);
    }
    // Who sends the rest in time is answered; who does not is let go without being asked.
    let mut slow = begun(&up.base, b"GET /login HT").await;
    let mut rest = begun(&up.base, b"GET /login HTTP/1.1\r\nHost: a\r\n").await;
    rest.write_all(b"Connection: close\r\n\r\n").await.expect("writes");
    let mut answer = String::new();
    rest.read_to_string(&mut answer).await.expect("is answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut byte = [0];
    assert_eq!(slow.read(&mut byte).await.unwrap_or_default(), 0, "half a head is not answered for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_long_are_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let base = format!("http://{}", deployment.http);
    let long = "x".repeat(80 * 1024);
    let many = "x-many: y\r\n".repeat(300);
    for head in [format!("GET /login HTTP/1.1\r\nHost: a\r\nx-long: {long}\r\n\r\n"), format!("GET /login HTTP/1.1\r\nHost: a\r\n{many}\r\n")] {
        let mut stream = begun(&base, head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    }
    deployment.stop().await;
}

/// Sweeps and evidence of one account are bounded: somebody else's go on.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_account_begins_and_adds_is_bounded() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, dossier) = corrected(&deployment).await;
        let [_, aid] = deployment.databases();
        let by_hand = async |sql: &'static str| {
            let mut tx = aid.begin().await.expect("begins");
            run!(&mut tx, sql).expect("is done");
            tx.commit().await.expect("commits");
        };
        // As many as may be are under way.
        for _ in 0..2 {
            people.admin.post("/v1/reconciliations", &json!({}), "").await.expect("begins");
        }
        until("both are done", async || {
            let mut tx = aid.read().await.expect("begins");
            let running = one!(&mut tx, (i64,), "SELECT count(*) FROM runs WHERE state = 1").expect("reads").expect("a count").0;
            tx.rollback().await.expect("ends");
            running == 0
        })
        .await;
        by_hand("UPDATE runs SET state = 1, beats = beats + 1").await;
        assert_eq!(schools::reason(people.admin.post("/v1/reconciliations", &json!({}), "").await), (429, "TOO_MANY_REQUESTS".into()), "{engine:?}");
        people.officer.post("/v1/reconciliations", &json!({}), "").await.expect("another's begins");
        by_hand("UPDATE runs SET state = 51 WHERE actor = 'admin'").await;
        people.admin.post("/v1/reconciliations", &json!({}), "").await.expect("begins again");
        // Evidence: what was added within a day counts, by its bytes.
        let add = async |says: &str| people.clerk.upload(&format!("{dossier}/evidence?name=a.pdf"), scan(says), "").await;
        add("a").await.expect("is added");
        by_hand("UPDATE evidence SET bytes = 536870912").await;
        assert_eq!(schools::reason(add("b").await), (429, "TOO_MANY_REQUESTS".into()), "{engine:?}");
        by_hand("UPDATE evidence SET added_at_us = 0").await;
        add("b").await.expect("is added");
        deployment.stop().await;
    }
}

/// Files that are sent slowly, and answers that are not taken, hold up nobody else: they have connections of their own, also between the services.
#[tokio::test(flavor = "multi_thread")]
async fn slow_uploads_of_one_clerk_hold_up_nobody_else() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let (release, mut uploads) = (Arc::new(Notify::new()), tokio::task::JoinSet::new());
        let token = people.clerk.token().to_owned();
        for _ in 0..16 {
            let (release, url) = (release.clone(), format!("{base}/v1/schools/{SCHOOL}/enrollments/import?preview=true"));
            let token = token.clone();
            let pieces = futures_util::stream::unfold(0, move |piece: usize| {
                let release = release.clone();
                async move {
                    if piece == 32 {
                        release.notified().await;
                    }
                    (piece <= 32).then(|| (Ok::<_, std::io::Error>(Bytes::from(vec![b','; 64 * 1024])), piece + 1))
                }
            });
            uploads.spawn(async move {
                stranger().post(url).bearer_auth(token).body(reqwest::Body::wrap_stream(pieces)).send().await.map(|answer| answer.status())
            });
        }
        until("uploads are under way", async || {
            let told = xuezhu_service::telemetry::render();
            told.lines().any(|line| line.starts_with("xuezhu_connections{listener=\"grpc\"}") && line.rsplit(' ').next().is_some_and(|count| count != "0"))
        })
        .await;
        for _ in 0..5 {
            let answer =
                stranger().post(format!("{base}/v1/sessions")).json(&json!({ "account": "lili", "password": PASSWORD })).send().await.expect("is answered");
            assert_ne!(answer.status(), 504, "{engine:?}");
            assert!(people.officer.get("/v1/flags").await.is_ok(), "{engine:?}");
            assert!(people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.is_ok(), "{engine:?}");
        }
        assert!(uploads.try_join_next().is_none(), "{engine:?}: all that while the uploads are under way");
        uploads.abort_all();
        deployment.stop().await;
    }
}

/// A client at an address of this machine.
fn at(address: [u8; 4]) -> reqwest::Client {
    reqwest::Client::builder().local_address(std::net::IpAddr::from(address)).build().expect("a client")
}

/// Tries to log in; the status and the reason, where it is refused, and after how many seconds to come again.
async fn tries(client: &reqwest::Client, base: &str, account: &str, password: &str) -> (u16, String, Option<u64>) {
    let answer = client.post(format!("{base}/v1/sessions")).json(&json!({ "account": account, "password": password })).send().await.expect("is answered");
    let again = answer.headers().get("retry-after").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let status = answer.status().as_u16();
    let told: Value = answer.json().await.unwrap_or_default();
    let reason = told["details"].as_array().into_iter().flatten().find_map(|detail| detail["reason"].as_str()).unwrap_or_default();
    (status, reason.to_owned(), again)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_locks_nobody_out_and_learns_nothing() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let _people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let stranger = at([127, 0, 1, 1]);
        let mut told = Vec::new();
        for account in ["admin", "nobody.here"] {
            let mut of_account = Vec::new();
            for _ in 0..7 {
                let (status, reason, again) = tries(&stranger, &base, account, "Wrong-guess-1").await;
                of_account.push((status, reason, again.is_some()));
            }
            told.push(of_account);
        }
        assert_eq!(told[0], told[1], "{engine:?}: one that is there and one that is not");
        let wrong = (401, "WRONG_PASSWORD".to_owned(), false);
        assert_eq!(told[0][..4], vec![wrong; 4], "{engine:?}");
        assert_eq!(told[0][4..], vec![(403, "ACCOUNT_LOCKED".to_owned(), true); 3], "{engine:?}");
        assert_eq!(tries(&stranger, &base, "admin", PASSWORD).await.1, "ACCOUNT_LOCKED", "{engine:?}: also for the right one");
        for address in [[127, 0, 0, 1], [127, 0, 1, 2]] {
            assert_eq!(tries(&at(address), &base, "admin", PASSWORD).await.0, 200, "{engine:?} {address:?}: locked is the stranger's address alone");
        }
        // Of an account nothing but its own address is asked.
        assert_eq!(tries(&stranger, &base, "officer", PASSWORD).await.0, 200, "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_log_in_is_answered_beside_a_flood_of_wrong_ones() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let refused: Arc<AtomicUsize> = Arc::default();
        let mut flood = tokio::task::JoinSet::new();
        for number in 0..100_u8 {
            let (base, refused, client) = (base.clone(), refused.clone(), at([127, 0, 2, number + 1]));
            flood.spawn(async move {
                for guess in 0_usize.. {
                    let account = ["admin", "officer", "lili", "nobody"][guess % 4];
                    let (status, reason, again) = tries(&client, &base, account, &format!("Guess-{guess}-x")).await;
                    assert!(matches!(status, 401 | 403 | 429 | 503), "{status} {reason}");
                    assert!(again.is_some() || !matches!(status, 429 | 503), "{status} {reason}");
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        until("the flood is there", async || refused.load(Ordering::Relaxed) > 150).await;
        for _ in 0..5 {
            for account in ["admin", "officer"] {
                let (status, reason, _) = tries(&at([127, 0, 0, 1]), &base, account, PASSWORD).await;
                assert_eq!(status, 200, "{engine:?} {account} {reason}: from where it has logged in");
            }
            assert!(people.officer.get("/v1/flags").await.is_ok(), "{engine:?}");
            assert!(people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.is_ok(), "{engine:?}");
        }
        assert!(flood.try_join_next().is_none(), "{engine:?}: all that in the midst of it");
        flood.abort_all();
        deployment.stop().await;
    }
}

/// A page's cookie says nothing by itself, and one account has one form under way: whoever sends slowly takes no turn of others.
#[tokio::test(flavor = "multi_thread")]
async fn slow_forms_of_strangers_and_of_one_account_hold_up_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let begins = |cookie: &str, length: usize| {
        format!(
            "POST /import HTTP/1.1\r\nHost: {}\r\nCookie: xuezhu_session={cookie}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; \
             boundary=x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n",
            deployment.http
        )
    };
    let (token, forged) = (people.clerk.token(), people.clerk.token().rsplit_once('.').map(|(claims, _)| format!("{claims}.AAAA")).expect("a token"));
    // The page was just looked at by somebody.
    let page = reqwest::Client::new().get(format!("{base}/import")).header("cookie", format!("xuezhu_session={token}"));
    assert_eq!(page.send().await.expect("is answered").status(), 200);
    let mut waiting = Vec::new();
    for cookie in [&forged, &forged, &forged, &forged, &token.to_owned(), &token.to_owned(), &token.to_owned(), &token.to_owned()] {
        waiting.push(begun(&base, begins(cookie, 40_000_000).as_bytes()).await);
    }
    let mut answer = String::new();
    waiting[0].read_to_string(&mut answer).await.expect("is answered");
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("/login"), "{answer}");
    let body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n姓名\r\n--x--\r\n";
    let other = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let sent =
        other.post(format!("{base}/import")).header("cookie", format!("xuezhu_session={}", people.other.token())).header("sec-fetch-site", "same-origin");
    let sent = sent.header("content-type", "multipart/form-data; boundary=x").body(body).send().await.expect("is answered");
    assert!(sent.status().is_success() || sent.status().is_redirection(), "{}", sent.status());
    deployment.stop().await;
}

/// A school begins its day: all log in at once, from one address, some of them several times. Nobody is told after seconds that it is taking long.
#[tokio::test(flavor = "multi_thread")]
async fn log_ins_that_come_all_at_once_are_answered_or_told_when_to_come_again() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let _people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let mut all = tokio::task::JoinSet::new();
        for number in 0..300 {
            let (base, client) = (base.clone(), at([127, 0, 0, 1]));
            let account = ["admin", "officer", "clerk", "head", "other"][number % 5];
            all.spawn(async move { tries(&client, &base, account, PASSWORD).await });
        }
        let mut welcome = 0;
        while let Some(answer) = all.join_next().await {
            let (status, reason, again) = answer.expect("is answered");
            assert!(status == 200 || (matches!(status, 429 | 503) && again.is_some()), "{engine:?}: {status} {reason}");
            welcome += usize::from(status == 200);
        }
        assert!(welcome > 10, "{engine:?}: {welcome}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_says_where_a_request_came_from_only_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let named = xuezhu_service::settings::Settings { trusted_proxies: "127.0.3.1".into(), ..xuezhu_service::settings::Settings::default() };
    let deployment = xuezhu_tests::deployment_on(None, folder.path(), "none", named).await;
    let base = format!("http://{}", deployment.http);
    for (peer, told) in [([127, 0, 3, 1], "203.0.113.7"), ([127, 0, 3, 2], "203.0.113.8")] {
        let sent =
            at(peer).post(format!("{base}/v1/sessions")).header("x-forwarded-for", told).json(&json!({ "account": "admin", "password": "Wrong-guess-1" }));
        assert_eq!(sent.send().await.expect("is answered").status(), 401);
    }
    deployment.stop().await;
    let db = xuezhu_store::Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let seen = xuezhu_store::rows!(&mut tx, (String,), "SELECT address FROM audit WHERE method = 'CreateSession' ORDER BY id").expect("rows");
    assert_eq!(seen, [("203.0.113.7".to_owned(),), ("127.0.3.2".to_owned(),)]);
}

/// What one account sends is kept within bounds: of previews the last, and of a day so much.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_account_are_kept_within_bounds() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let import = format!("/v1/schools/{SCHOOL}/enrollments/import");
        let mut previews = Vec::new();
        for serial in 1..=22 {
            let report = people.clerk.upload(&format!("{import}?preview=true"), schools::workbook(&[schools::student(serial)]), "").await.expect("is read");
            previews.push(report["importId"].as_str().expect("an id").to_owned());
        }
        let written = async |preview: &str| people.clerk.post(&format!("/v1/schools/{SCHOOL}/imports/{preview}/commit"), &json!({}), "").await;
        assert_eq!(schools::reason(written(&previews[1]).await), (404, "NOT_FOUND".into()), "{engine:?}: is to be sent anew");
        assert!(written(&previews[2]).await.is_ok() && written(&previews[21]).await.is_ok(), "{engine:?}");
        if engine == Engine::Sqlite {
            let db = xuezhu_store::Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
            let mut tx = db.begin().await.expect("begins");
            let most = xuezhu_intake::bounds::BYTES_A_DAY - 1_000;
            xuezhu_store::run!(&mut tx, "UPDATE import_files SET file_sealed = zeroblob($1) WHERE import = (SELECT max(import) FROM import_files)", most)
                .expect("is full");
            tx.commit().await.expect("commits");
            let sent = people.clerk.upload(&import, schools::workbook(&[schools::student(30)]), "").await;
            assert_eq!(schools::reason(sent), (429, "TOO_MANY_REQUESTS".into()), "{engine:?}");
            let other = format!("/v1/schools/{}/enrollments/import", schools::OTHER);
            assert!(people.other.upload(&other, schools::workbook(&[schools::student(31)]), "").await.is_ok(), "{engine:?}: nobody else is concerned");
        }
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_alone_the_cookie_is_one_that_browsers_guard_and_metrics_are_for_nobody_behind_a_proxy() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = xuezhu_service::settings::Settings { secure_cookies: true, ..xuezhu_service::settings::Settings::default() };
    let deployment = xuezhu_tests::deployment_on(None, folder.path(), "none", settings).await;
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let form = [("account", "officer"), ("password", PASSWORD)].map(|(name, value)| format!("{name}={value}")).join("&");
    let sent =
        http.post(format!("{base}/login")).header("content-type", "application/x-www-form-urlencoded").header("sec-fetch-site", "same-origin").body(form);
    let answer = sent.send().await.expect("is answered");
    let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).expect("a cookie").to_owned();
    assert!(cookie.starts_with("__Host-xuezhu_session=") && cookie.contains("; Secure") && cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
    assert!(answer.headers().contains_key("strict-transport-security"));
    let page = async |cookie: String| http.get(format!("{base}/")).header("cookie", cookie).send().await.expect("is answered").status();
    let token = people.officer.token();
    assert_eq!(page(format!("__Host-xuezhu_session={token}")).await, 200);
    assert_eq!(page(format!("xuezhu_session={token}")).await, 303, "set by whoever: to the log-in");
    let metrics = async |name: &str, says: &str| http.get(format!("{base}/metrics")).header(name, says).send().await.expect("is answered").status();
    for (name, says, status) in [
        ("accept", "*/*", 200),
        ("host", "localhost:8080", 200),
        ("host", "[::1]", 200),
        ("x-forwarded-for", "203.0.113.7", 404),
        ("via", "203.0.113.7", 404),
        ("forwarded", "203.0.113.7", 404),
        // A proxy that says nothing of itself passes the host on.
        ("host", "school.example", 404),
    ] {
        assert_eq!(metrics(name, says).await, status, "{name}: {says}");
    }
    deployment.stop().await;
}
