//! What an outsider has: the documents and the protos. What `docs/api.md` shows is run as it stands, and the `OpenAPI`
//! document is held against the server.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::json;
use xuezhu::deployment::Deployment;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, number, student},
};

const DOCUMENT: &str = include_str!("../../docs/api.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The code of a language that the document shows.
fn shown(language: &str) -> &'static str {
    xuezhu_tests::shown(DOCUMENT, language)
}

fn python() -> PathBuf {
    let python = root().join("target/python/bin/python");
    assert!(python.exists(), "{} is not there: run tests/run", python.display());
    python
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().expect("it runs")).await.expect("it ends")
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn on_a_day(folder: &Path, day: &str) -> Deployment {
    let deployment = deployment(Engine::Sqlite, folder, "none").await;
    deployment.step_to(day.parse().expect("a date")).await.expect("steps");
    deployment
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_shows_works_with_curl_and_from_python() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = on_a_day(folder.path(), "2026-10-25").await;
    let mut curl = Command::new("bash");
    curl.args(["-c", shown("sh")])
        .current_dir(folder.path())
        .env("XUEZHU", format!("http://{}", deployment.http))
        .env("ADMIN_PASSWORD", deployment.admin_password().expect("a first administrator"))
        .env("EXAMPLES", root().join("docs/examples"));
    let output = run(curl).await;
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    for line in [
        "陈丽 **************4623 IN_SCHOOL",
        "WITHDRAWN",
        "赵小敏",
        "IDENTITY_MISMATCH",
        "NO_ENROLLMENT",
        "CLEARED",
        "\"state\": \"DONE\"",
        "MACHINE_ENTRY_FORBIDDEN",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }

    let mut script = Command::new(python());
    script
        .args(["-c", shown("python")])
        .current_dir(folder.path())
        .env("ENROLLMENT", deployment.enrollment_grpc.to_string())
        .env("AID", deployment.aid_grpc.to_string())
        .env("PASSWORD", "Curl-2026x")
        .env("EXAMPLES", root().join("docs/examples"))
        .env("PROTO", root().join("proto"));
    let output = run(script).await;
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    // Who withdrew and who had another name is told as such; nobody is new.
    for line in ["rows 4 new 0", "王伟", "WITHDRAWN", "held 0", "APPROVED", "DONE", "PERMISSION_DENIED"] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    deployment.stop().await;
}

/// Answers that the document does not know, server errors, and calls that the document forbids but the server takes.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,\
                      negative_data_rejection,ignored_auth,missing_required_header";

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_tells_the_truth() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = on_a_day(folder.path(), "2026-10-25").await;
    let people = schools::open(&deployment).await;
    people.import(&(0..6).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    let name = student(0)["姓名"].clone();
    let path = people.list(&[(&name, &number(0), ""), ("李鬼", &number(500), "")]).await;
    people.clerk.post(&format!("{path}/submit"), &json!({}), "").await.expect("is submitted");
    for account in ["admin", "clerk", "officer"] {
        let session = people.admin.with_log_in(account, PASSWORD).await.expect("logs in");
        let mut tool = Command::new(python());
        tool.args(["-m", "schemathesis.cli", "run", &format!("http://{}/openapi.json", deployment.http), "--no-color", "--seed", "1"])
            .args(["--header", &format!("Authorization: Bearer {}", session.token()), "--checks", CHECKS])
            // A reset password or a closed account would end the session that asks.
            .args(["--exclude-path-regex", "resetPassword|disable"])
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "4", "--generation-database", "none"])
            .current_dir(folder.path());
        let output = run(tool).await;
        assert!(output.status.success(), "as {account}: {}", told(&output));
    }
    deployment.stop().await;
}
