//! Who is slow, silent or many at the door shuts nobody else out.

use std::sync::Arc;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};
use tokio_util::bytes::Bytes;
use xuezhu_tests::{
    Engine, deployment, prepare,
    schools::{self, PASSWORD, SCHOOL},
    until,
};

use crate::processes::Up;

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
