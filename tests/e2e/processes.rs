//! The real binary: starts, stops, is killed, and starts again.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::json;
use xuezhu::client::Session;
use xuezhu_tests::{binary, prepare, schools::PASSWORD};

struct Up {
    child: Child,
    base: String,
}

impl Up {
    /// Starts the binary and waits until it says that it is ready.
    fn start(data: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let mut child = Command::new(binary())
            .args(["up", "--http", &format!("127.0.0.1:{port}"), "--data"])
            .arg(data)
            .env("XUEZHU_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let lines: Vec<String> = out.lines().map_while(Result::ok).take_while(|line| line != "ready").collect();
        assert!(lines.iter().all(|line| !line.contains("one-time password ") || line.contains("password in ")), "no password where nobody reads it: {lines:?}");
        Self { child, base: format!("http://127.0.0.1:{port}") }
    }

    fn signal(&mut self, name: &str) -> std::process::ExitStatus {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("ends")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_kills_under_load() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let mut up = Up::start(folder.path());
    let one_time = std::fs::read_to_string(folder.path().join("admin-password.txt")).expect("the file is there").trim().to_owned();
    let mut admin = Session::log_in(&up.base, "admin", &one_time).await.expect("logs in").change_password(&one_time, PASSWORD).await.expect("changes");
    let mut acknowledged = Vec::new();
    for round in 0..4_u32 {
        let (session, begin) = (admin.clone(), round * 1000);
        let writer = tokio::spawn(async move {
            let mut done = Vec::new();
            for serial in begin.. {
                let code = format!("3643{serial:06}");
                let body = json!({ "code": code, "name": "学校", "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": [] });
                if session.post("/v1/schools", &body, &code).await.is_err() {
                    return done;
                }
                done.push(code);
            }
            done
        });
        // Killed in the middle of the load, at another moment each round.
        tokio::time::sleep(Duration::from_millis(60 + 70 * u64::from(round))).await;
        up.signal("-KILL");
        acknowledged.extend(writer.await.expect("the writer ends"));
        up = Up::start(folder.path());
        admin = Session::log_in(&up.base, "admin", PASSWORD).await.expect("starting again is enough");
    }
    let (mut there, mut page) = (Vec::new(), String::new());
    loop {
        let answer = admin.get(&format!("/v1/schools?pageSize=1000&pageToken={page}")).await.expect("schools");
        there.extend(answer["schools"].as_array().expect("a list").iter().filter_map(|school| school["code"].as_str().map(str::to_owned)));
        answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
        if page.is_empty() {
            break;
        }
    }
    assert!(acknowledged.len() > 4, "there was load: {}", acknowledged.len());
    assert!(acknowledged.iter().all(|code| there.contains(code)), "nothing acknowledged is lost");
    let mirror = admin.get("/v1/mirror").await.expect("the mirror");
    assert!(mirror["connected"].is_boolean());
    assert!(up.signal("-TERM").success(), "a stop is clean");
}

#[test]
fn an_unknown_setting_is_an_error_that_names_it() {
    let told = Command::new(binary()).arg("gateway").env("XUEZHU_HTTP_ADRESS", "x").output().expect("runs");
    assert!(!told.status.success());
    assert!(String::from_utf8_lossy(&told.stderr).contains("http_adress"), "{told:?}");
}
