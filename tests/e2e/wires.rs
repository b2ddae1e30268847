//! TLS between real processes, by certificates of an authority of one's own.

use std::path::Path;

use reqwest::{Certificate, Client};
use serde_json::json;
use sqlx::Connection;
use sqlx_postgres::PgConnection;
use xuezhu::{
    certificates::{Wanted, make},
    client::{Refused, Session},
    deployment::system_clock,
};
use xuezhu_proto::enrollment::{CreateSessionRequest, session_service_client::SessionServiceClient};
use xuezhu_service::settings::Settings;
use xuezhu_store::Db;
use xuezhu_tests::{Engine, apart::Apart, deployment_on, free_address, postgres::Cluster, prepare, schools::reason, until};
use xuezhu_tls::{Files, Tls, peer::Peer};

fn files(folder: &Path, name: &str) -> Files {
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    Files { certificate: file("pem"), key: file("key"), authority: Some(folder.join("authority.pem")) }
}

/// Whether the service answers at all: it refuses who does not exist.
async fn is_answered(peer: &Peer) -> bool {
    let asked = CreateSessionRequest { account: "nobody".into(), password: "Wrong-2026x".into(), ..CreateSessionRequest::default() };
    let answer = SessionServiceClient::new(peer.connect_lazy()).create_session(asked).await;
    answer.is_err_and(|status| status.code() == tonic::Code::Unauthenticated)
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_are_spoken_with_by_tls_and_one_that_shows_another_certificate_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    for out in [&ours, &theirs] {
        let wanted = Wanted { out: out.clone(), hosts: vec![], followers: vec!["database".into()], days: 30 };
        make(&wanted, system_clock().today()).expect("are made");
    }
    let shown = files(&ours, "database");
    let cluster = tokio::task::spawn_blocking(move || Cluster::start_tls(&shown.certificate, &shown.key)).await.expect("the cluster starts");
    let trusting = |url: &str, folder: &Path| {
        let url = url.replace("127.0.0.1", "localhost");
        format!("{url}?sslmode=verify-full&sslrootcert={}", folder.join("authority.pem").display())
    };
    let (enrollment, aid) = (cluster.create("enrollment").await, cluster.create("aid").await);
    let deployment = deployment_on(Some((trusting(&enrollment, &ours), trusting(&aid, &ours))), folder.path(), "", Settings::default()).await;
    let password = deployment.admin_password().expect("is new");
    Session::log_in(&format!("http://{}", deployment.http), "admin", password).await.expect("is let in");

    let mut looking = PgConnection::connect(&trusting(&enrollment, &ours)).await.expect("connects");
    let spoken = "SELECT s.ssl, count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s ON s.pid = a.pid
                  WHERE a.datname IN ('enrollment', 'aid') AND a.pid <> pg_backend_pid() GROUP BY s.ssl";
    let spoken: Vec<(bool, i64)> = sqlx::query_as(spoken).fetch_all(&mut looking).await.expect("is told");
    assert!(matches!(spoken[..], [(true, 2..)]), "{spoken:?}");
    deployment.stop().await;

    assert!(Db::open(&trusting(&enrollment, &theirs)).await.is_err(), "whoever trusts somebody else");
    assert!(Db::open(&format!("{enrollment}?sslmode=disable")).await.is_err(), "in plain text");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_a_gateway_and_a_follower_speak_tls_and_nobody_else_is_heard() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    for out in [&ours, &theirs] {
        let wanted = Wanted { out: out.clone(), hosts: vec!["school.example".into()], followers: vec!["province".into()], days: 30 };
        make(&wanted, system_clock().today()).expect("are made");
    }
    let file = |name: &str| ours.join(name).display().to_string();
    let (enrollment, aid, http) = (free_address(), free_address(), free_address());
    let port = |address: &str| address.rsplit_once(':').expect("a port").1.to_owned();
    let url = |address: &str| format!("https://localhost:{}", port(address));
    let (enrollment_url, aid_url) = (url(&enrollment), url(&aid));
    let mut apart = Apart::start_with(
        folder.path(),
        &Engine::Sqlite.database(&folder.path().join("enrollment")).await,
        &Engine::Sqlite.database(&folder.path().join("aid")).await,
        &[
            ("ENROLLMENT_GRPC_ADDRESS", &enrollment),
            ("AID_GRPC_ADDRESS", &aid),
            ("HTTP_ADDRESS", &http),
            ("ENROLLMENT_URL", &enrollment_url),
            ("AID_URL", &aid_url),
            ("GRPC_CERTIFICATE_FILE", &file("gateway.pem")),
            ("GRPC_KEY_FILE", &file("gateway.key")),
            ("GRPC_AUTHORITY_FILE", &file("authority.pem")),
            ("HTTP_CERTIFICATE_FILE", &file("http.pem")),
            ("HTTP_KEY_FILE", &file("http.key")),
            ("SECURE_COOKIES", "true"),
        ],
    );
    let trusting = |folder: &Path| {
        let authority = Certificate::from_pem(&std::fs::read(folder.join("authority.pem")).expect("is there")).expect("a certificate");
        Client::builder().tls_certs_only([authority]).build().expect("a client")
    };
    let base = format!("https://localhost:{}", port(&http));
    let browser = trusting(&ours);
    // Through the gateway to both services: aid answers with how fresh its mirror of enrollment is.
    let ready = format!("{base}/readyz");
    until("the gateway is ready over HTTPS", async || browser.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success())).await;
    let log_in = json!({ "account": "admin", "password": "first-Password1" });
    let session = browser.post(format!("{base}/v1/sessions")).json(&log_in).send().await.expect("answers");
    assert!(session.status().is_success());
    assert!(session.headers().contains_key("strict-transport-security"));
    assert!(trusting(&theirs).get(&ready).send().await.is_err(), "whoever trusts somebody else");
    assert!(Client::new().get(format!("http://{http}/readyz")).send().await.is_err(), "in plain text nothing is answered");

    // Commands are told whom to trust.
    let command = async |folder: &Path| Session::trusting(&base, &folder.join("authority.pem"))?.with_log_in("admin", "wrong").await.map(drop);
    assert_eq!(reason(command(&ours).await), (401, "WRONG_PASSWORD".into()));
    let why = command(&theirs).await.expect_err("is not trusted");
    assert!(why.downcast_ref::<Refused>().is_none(), "{why:#}");

    // A follower with a certificate is heard; one of another authority, and one in plain text, is not.
    let follower = Tls::load("grpc", files(&ours, "province")).expect("loads");
    assert!(is_answered(&Peer::to(&enrollment_url, Some(&follower)).expect("an address")).await);
    let mut stranger = files(&theirs, "province");
    stranger.authority = Some(ours.join("authority.pem"));
    let stranger = Tls::load("grpc", stranger).expect("loads");
    assert!(!is_answered(&Peer::to(&enrollment_url, Some(&stranger)).expect("an address")).await);
    assert!(!is_answered(&Peer::to(&format!("http://{enrollment}"), None).expect("an address")).await);

    // Until when certificates hold is told.
    let told = reqwest::get(format!("http://{}/metrics", apart.metrics[0])).await.expect("answers").text().await.expect("a text");
    let ends = told.lines().find(|line| line.starts_with("xuezhu_certificate_ends_timestamp_seconds{name=\"grpc\"}")).expect("is told");
    let ends: f64 = ends.rsplit_once(' ').expect("a value").1.parse().expect("a number");
    let days = (ends - f64::from(u32::try_from(system_clock().now_us() / 1_000_000).expect("fits"))) / 86_400.0;
    assert!((29.0..=32.0).contains(&days), "{days}");
    for place in 0..3 {
        apart.stop(place);
    }
}
