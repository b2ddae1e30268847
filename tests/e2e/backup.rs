//! Backup and restore as docs/operating.md shows them.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    Engine, options, postgres,
    schools::{self, PASSWORD, People, SCHOOL, number, student},
    shown, start, until,
};

const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operating.md"));

/// Runs a block of the document.
fn run(block: &str, variables: &[(&str, String)]) {
    let path = format!("{}:{}", postgres::programs().display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.args(["-euc", shown(DOCUMENT, block)]).env("PATH", path).envs(variables.iter().map(|(name, value)| (*name, value)));
    let output = bash.output().expect("bash runs");
    assert!(output.status.success(), "{block}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What a school sees, without what a moment changes.
async fn seen(people: &People, list: &str) -> Value {
    let get = async |path: &str| people.officer.get(path).await.expect("answers");
    json!([
        get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=100")).await["enrollments"],
        get(&format!("{list}/entries?pageSize=100")).await["entries"],
        people.open_flags().await,
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_backed_up_is_restored_as_the_document_says() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let data = folder.path().join("data");
        let on = |databases: &Option<(String, String)>, data: &Path| options(databases.clone(), data, "none", Settings::default());
        let deployment = start(on(&databases, &data)).await;
        let people = schools::open(&deployment).await;
        people.import(&(1..=4).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        let list = people.list(&[(&student(1)["姓名"], &number(1), ""), (&student(2)["姓名"], &number(2), ""), ("李无籍", &number(9), "")]).await;
        people.attested(&list).await;
        deployment.drain().await.expect("drains");
        // A scan that lies with a registration under way.
        people.import(&[student(5)]).await;
        let submitted = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let dossier = format!("/v1/enrollmentDossiers/{}/evidence", submitted["submission"].as_str().expect("an id"));
        let scan = b"%PDF-1.4\n%%EOF\n".to_vec();
        people.clerk.upload(&format!("{dossier}?name=a.pdf"), scan.clone(), "").await.expect("is added");
        let before = seen(&people, &list).await;
        let evidence = data.join("evidence").display().to_string();
        let mut variables = vec![("EVIDENCE", evidence), ("BACKUP", path("backup")), ("KEYS", path("keys")), ("DATA", data.display().to_string())];
        let restored = match &databases {
            None => {
                deployment.stop().await;
                run("sh backup-folder", &variables);
                start(on(&None, &data)).await
            }
            // The services go on working.
            Some((enrollment, aid)) => {
                variables.extend([("ENROLLMENT_URL", enrollment.clone()), ("AID_URL", aid.clone())]);
                run("sh backup-postgres", &variables);
                deployment
            }
        };
        // Something is done after it, which the backup does not hold.
        let people = People::at(&format!("http://{}", restored.http)).await;
        people.withdraw(&number(1), "2026-10-01").await;
        restored.drain().await.expect("drains");
        assert_ne!(seen(&people, &list).await, before);
        restored.stop().await;
        std::fs::remove_dir_all(data.join("evidence")).expect("the vaults are lost");
        let databases = if databases.is_some() {
            let new = (postgres::database().await, postgres::database().await);
            variables.retain(|(name, _)| !name.ends_with("_URL"));
            variables.extend([("ENROLLMENT_URL", new.0.clone()), ("AID_URL", new.1.clone())]);
            run("sh restore-postgres", &variables);
            Some(new)
        } else {
            run("sh restore-folder", &variables);
            None
        };
        let restored = start(on(&databases, &data)).await;
        let base = format!("http://{}", restored.http);
        assert!(Session::log_in(&base, "clerk", PASSWORD).await.is_ok());
        let people = People::at(&base).await;
        restored.drain().await.expect("drains");
        assert_eq!(seen(&people, &list).await, before);
        let lies = people.clerk.get(&dossier).await.expect("a list");
        let path = format!("{base}/v1/enrollmentEvidence/{}/open", lies["evidence"][0]["evidence"].as_str().expect("an id"));
        let opened = reqwest::Client::new().post(path).bearer_auth(people.clerk.token()).json(&json!({ "purpose": "核对" })).send().await;
        assert_eq!(opened.expect("answers").bytes().await.expect("a body"), scan, "{engine:?}: what lay there opens");
        let run = people.admin.post("/v1/reconciliations", &json!({}), "").await.expect("a sweep");
        let path = format!("/v1/reconciliations/{}", run["run"].as_str().expect("an id"));
        until("the sweep ends", async || people.admin.get(&path).await.is_ok_and(|run| run["state"] == "DONE")).await;
        restored.drain().await.expect("drains");
        assert_eq!(seen(&people, &list).await, before, "a fresh sweep finds the same");
        assert_eq!(people.forgotten().await, Vec::<String>::new(), "both are of one day");
        restored.stop().await;
    }
}
