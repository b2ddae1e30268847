//! Files that prove something: added, listed, opened for a purpose, taken out, kept by rule; in a folder and in a bucket, on both engines.

use std::path::Path;

use reqwest::{Client, header};
use serde_json::{Value, json};
use uuid::Uuid;
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_evidence::{
    Vault,
    kind::FILE_BYTES,
    rules::{FILES, UNCLAIMED_US},
    upkeep::{self, Done},
    vault::{Address, VaultError},
};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, rows, run};
use xuezhu_tests::{
    Engine,
    apart::Apart,
    bucket::Bucket,
    deployment, options, postgres,
    schools::{self, People, SCHOOL, number, reason, student},
    start,
};

/// A page that says something, as a scan would.
pub(crate) fn scan(says: &str) -> Vec<u8> {
    format!("%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\n% {says}\ntrailer << /Root 1 0 R >>\n%%EOF\n").into_bytes()
}

fn photo(says: &str) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xda, 0, 2][..], says.as_bytes(), &[0xff, 0xd9]].concat()
}

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

/// A school with a student on a list that is approved, and a correction of it that the clerk asked for; returns the dossier's path.
pub(crate) async fn corrected(deployment: &Deployment) -> (People, String) {
    let people = schools::open(deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let list = people.list(&[(&name(1), &number(1), "9-12")]).await;
    people.attested(&list).await;
    people.approve(&list).await.expect("is approved");
    let entry = people.clerk.get(&format!("{list}/entries")).await.expect("entries")["entries"][0]["entry"].clone();
    let body = json!({ "entries": [entry], "what": "STOP", "firstMonth": 202_611, "reason": "转出" });
    let asked = people.clerk.post(&format!("/v1/schools/{SCHOOL}/corrections"), &body, "").await.expect("is asked");
    (people, format!("/v1/aidDossiers/{}", id(&asked, "dossier")))
}

fn id(value: &Value, field: &str) -> String {
    value[field].as_str().expect("an id").to_owned()
}

async fn listed(who: &Session, path: &str) -> Value {
    who.get(&format!("{path}/evidence")).await.expect("a list")
}

fn open_path(path: &str, added: &Value) -> String {
    let service = if path.starts_with("/v1/enrollment") { "enrollment" } else { "aid" };
    format!("/v1/{service}Evidence/{}", id(added, "evidence"))
}

/// A file as it is handed out: its head, by lower-case names, and its bytes.
async fn opened(base: &str, who: &Session, path: &str, purpose: &str) -> (u16, header::HeaderMap, Vec<u8>) {
    let asked = Client::new().post(format!("{base}{path}/open")).bearer_auth(who.token()).json(&json!({ "purpose": purpose }));
    let answer = asked.send().await.expect("answers");
    (answer.status().as_u16(), answer.headers().clone(), answer.bytes().await.expect("a body").to_vec())
}

/// Lines of the audit about evidence: who did what, how it ended, what for.
async fn audited(db: &Db) -> Vec<(String, String, String, String)> {
    let mut tx = db.read().await.expect("reads");
    let found = rows!(&mut tx, (String, String, String, String), "SELECT actor, method, outcome, reason FROM audit WHERE method LIKE '%Evidence' ORDER BY id");
    tx.rollback().await.expect("ends");
    found.expect("lines")
}

/// Files in a folder, at any depth.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Upkeep of the aid service, at a time.
async fn kept(deployment: &Deployment, folder: &Path, at_us: i64) -> Done {
    let parts = deployment.aid_parts();
    let vault = Vault::folder(&folder.join("evidence/aid")).expect("a vault");
    upkeep::keep(&parts.runner, &vault, xuezhu_aid::evidence::Holding, at_us).await.expect("is kept")
}

const DAYS_US: i64 = 24 * 3600 * 1_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_added_to_a_correction_signed_with_it_and_opened_for_a_purpose() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, dossier) = corrected(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let before = people.head.get(&dossier).await.expect("a dossier")["digest"].clone();
        assert_eq!(listed(&people.clerk, &dossier).await, json!({ "evidence": [], "mayAdd": true, "mayOpen": true }));

        let add = format!("{dossier}/evidence?name=%E9%80%80%E6%AC%BE%E5%9B%9E%E5%8D%95.pdf");
        let added = people.clerk.upload(&add, scan("200元"), "once").await.expect("is added");
        assert_eq!((&added["kind"], &added["name"], &added["state"]), (&json!("PDF"), &json!("退款回单.pdf"), &json!("KEPT")), "{added}");
        assert_eq!(
            (&added["addedBy"], &added["removable"], added["bytes"].as_str()),
            (&json!("clerk"), &json!(true), Some(scan("200元").len().to_string().as_str()))
        );
        let again = people.clerk.upload(&add, scan("200元"), "once").await.expect("is answered again");
        assert_eq!(again["evidence"], added["evidence"], "{engine:?}: once");
        assert_eq!(reason(people.clerk.upload(&add, scan("别的"), "once").await), (409, "REQUEST_ID_REUSED".into()));
        assert_eq!(reason(people.clerk.upload(&add, scan("200元"), "").await), (409, "ALREADY_EXISTS".into()), "{engine:?}: it is there");
        let all = listed(&people.head, &dossier).await;
        assert_eq!(all["evidence"].as_array().map(Vec::len), Some(1), "{engine:?}");
        assert_eq!(all["evidence"][0]["removable"], false, "the principal did not add it");

        // A signature covers it: who read the dossier before it was added reads it again.
        let sign = async |digest: &Value| people.head.post(&format!("{dossier}/sign"), &json!({ "digest": digest }), "").await;
        assert_eq!(reason(sign(&before).await), (400, "DIGEST_MISMATCH".into()), "{engine:?}");
        let now = people.head.get(&dossier).await.expect("a dossier")["digest"].clone();
        assert_ne!(now, before);
        let signed = sign(&now).await.expect("is signed");
        assert_eq!(signed["history"][1]["digest"], now, "{engine:?}: {signed}");
        let remove = open_path(&dossier, &added);
        let removed = people.clerk.post(&format!("{remove}/remove"), &json!({ "reason": "传错" }), "").await;
        assert_eq!(reason(removed), (400, "WRONG_STATE".into()), "{engine:?}: the principal signed it");

        let (status, head, bytes) = opened(&base, &people.officer, &open_path(&dossier, &added), "核对退款").await;
        assert_eq!((status, bytes), (200, scan("200元")), "{engine:?}");
        let head = |name: &str| head[name].to_str().expect("plain").to_owned();
        assert_eq!(head("content-type"), "application/pdf");
        assert_eq!(head("x-content-type-options"), "nosniff");
        assert_eq!(head("content-security-policy"), "sandbox; default-src 'none'");
        assert_eq!(head("cache-control"), "no-store");
        assert!(
            head("content-disposition").starts_with("attachment; filename=\"evidence.pdf\"; filename*=UTF-8''%E9%80%80"),
            "{}",
            head("content-disposition")
        );
        assert_eq!(opened(&base, &people.officer, &open_path(&dossier, &added), " ").await.0, 400, "{engine:?}: for nothing");
        let lines = audited(deployment.databases()[1]).await;
        assert!(lines.contains(&("officer".into(), "OpenEvidence".into(), "READ".into(), "核对退款".into())), "{lines:?}");
        assert_eq!(lines.iter().filter(|(_, method, outcome, _)| method == "AddEvidence" && outcome == "DONE").count(), 1, "{lines:?}");

        // At rest is nothing readable, neither in the vault nor in the database, and no address that follows from the content alone.
        let lie = files(&folder.path().join("evidence/aid"));
        let hash = blake3::hash(&scan("200元")).to_hex().to_string();
        for file in &lie {
            let bytes = std::fs::read(file).expect("reads");
            assert!(!bytes.windows(4).any(|part| part == b"%PDF"), "{}", file.display());
            assert!(!file.display().to_string().contains(&hash[..16]));
        }
        let mut tx = deployment.databases()[1].read().await.expect("reads");
        let names = rows!(&mut tx, (Option<Vec<u8>>,), "SELECT name_sealed FROM evidence").expect("rows");
        tx.rollback().await.expect("ends");
        assert!(names.iter().all(|(name,)| name.as_ref().is_some_and(|name| !String::from_utf8_lossy(name).contains("退款"))));
        // What was put for the repetitions and not asked for is taken away, the file that is asked for is not.
        assert_eq!(kept(&deployment, folder.path(), 0).await.lapsed, 0);
        let lie = files(&folder.path().join("evidence/aid"));
        assert_eq!(lie.len(), 1, "{engine:?}: {lie:?}");
        assert_eq!(opened(&base, &people.officer, &open_path(&dossier, &added), "核对退款").await.0, 200);
        // Decided, nothing is added any more.
        let digest = people.officer.get(&dossier).await.expect("a dossier")["digest"].clone();
        people.officer.post(&format!("{dossier}/sign"), &json!({ "digest": digest }), "").await.expect("is performed");
        assert_eq!(reason(people.clerk.upload(&add, scan("迟到"), "").await), (400, "WRONG_STATE".into()));
        let again = people.clerk.upload(&add, scan("200元"), "once").await.expect("is answered again");
        assert_eq!(again["evidence"], added["evidence"], "{engine:?}: whatever became of the dossier since");
        assert_eq!(listed(&people.clerk, &dossier).await["mayAdd"], false);
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_and_what_is_no_photograph_or_scan_is_refused_and_leaves_nothing() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, dossier) = corrected(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let add = format!("{dossier}/evidence?name=a.pdf");
        for (who, refused) in [(&people.other, (404, "NOT_FOUND")), (&people.machine, (403, "MACHINE_ENTRY_FORBIDDEN")), (&people.admin, (404, "NOT_FOUND"))] {
            assert_eq!(reason(who.upload(&add, scan("x"), "").await), (refused.0, refused.1.into()), "{engine:?}");
        }
        let large = |bytes: usize| [&b"%PDF-1.4"[..], &vec![b' '; bytes - 14], b"%%EOF\n"].concat();
        for (bytes, refused) in [
            (b"<html><script>alert(1)</script>".to_vec(), "FILE_UNREADABLE"),
            (b"PK\x03\x04 a document".to_vec(), "FILE_UNREADABLE"),
            (Vec::new(), "FILE_UNREADABLE"),
            (scan("<< /S /JavaScript >>"), "FILE_UNREADABLE"),
            (scan("<< /Encrypt 1 0 R >>"), "FILE_ENCRYPTED"),
            (scan("x")[..30].to_vec(), "FILE_UNREADABLE"),
            (large(FILE_BYTES + 1), "FILE_TOO_LARGE"),
        ] {
            assert_eq!(reason(people.clerk.upload(&add, bytes, "").await), (400, refused.into()), "{engine:?}");
        }
        for query in ["", "?name=", "?nam=a.pdf", "?name=a%00b", &format!("?name={}", "很".repeat(121))] {
            assert_eq!(reason(people.clerk.upload(&format!("{dossier}/evidence{query}"), scan("x"), "").await).0, 400, "{query}");
        }
        let nobody = format!("/v1/aidDossiers/{}/evidence?name=a.pdf", Uuid::nil());
        assert_eq!(reason(people.clerk.upload(&nobody, scan("x"), "").await), (404, "NOT_FOUND".into()));
        assert!(files(&folder.path().join("evidence")).is_empty(), "{engine:?}: nothing was kept");
        let mut tx = deployment.databases()[1].read().await.expect("reads");
        let announced = rows!(&mut tx, (i64,), "SELECT due_us FROM evidence_leaving").expect("rows");
        tx.rollback().await.expect("ends");
        assert!(announced.is_empty(), "{engine:?}: {announced:?}");

        // The largest is taken; whole numbers in a name are not told.
        let named = format!("{dossier}/evidence?name=C%3A%5Cscans%5C{}.pdf", number(1));
        let added = people.clerk.upload(&named, large(FILE_BYTES), "").await.expect("is added");
        assert!(!added["name"].as_str().expect("a name").contains(&number(1)) && !added["name"].as_str().expect("a name").contains("scans"), "{added}");
        let path = open_path(&dossier, &added);
        for (who, status) in [(&people.other, 404), (&people.machine, 403), (&people.admin, 404), (&people.head, 200)] {
            assert_eq!(opened(&base, who, &path, "核对").await.0, status, "{engine:?}");
        }
        assert_eq!(reason(people.other.get(&format!("{dossier}/evidence")).await), (404, "NOT_FOUND".into()));
        let machine = listed(&people.machine, &dossier).await;
        assert_eq!((&machine["mayAdd"], &machine["mayOpen"]), (&json!(false), &json!(false)));
        assert_eq!(reason(people.head.post(&format!("{path}/remove"), &json!({ "reason": "x" }), "").await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.other.post(&format!("{path}/remove"), &json!({ "reason": "x" }), "").await), (404, "NOT_FOUND".into()));
        let lines = audited(deployment.databases()[1]).await;
        for line in [("other", "AddEvidence", "NOT_FOUND"), ("machine", "AddEvidence", "MACHINE_ENTRY_FORBIDDEN"), ("clerk", "AddEvidence", "FILE_TOO_LARGE")] {
            let there = lines.iter().any(|(actor, method, outcome, reason)| (actor.as_str(), method.as_str(), reason.as_str()) == line && outcome == "REFUSED");
            assert!(there || line.2 == "NOT_FOUND", "{line:?} in {lines:?}");
        }
        // As many as may lie there, and one more.
        for serial in 1..FILES {
            people.clerk.upload(&add, photo(&serial.to_string()), "").await.expect("is added");
        }
        assert_eq!(reason(people.clerk.upload(&add, photo("one more"), "").await), (400, "WRONG_STATE".into()), "{engine:?}");

        // Taken out before anybody decided: it can't be opened, that it was there is told, and the digest is as it was.
        let before = people.head.get(&dossier).await.expect("a dossier")["digest"].clone();
        let removed = people.clerk.post(&format!("{path}/remove"), &json!({ "reason": "传错" }), "").await.expect("is taken out");
        assert_eq!((&removed["state"], &removed["name"], &removed["removedBy"]), (&json!("REMOVED"), &json!(""), &json!("clerk")), "{removed}");
        assert_ne!(people.head.get(&dossier).await.expect("a dossier")["digest"], before);
        assert_eq!(opened(&base, &people.clerk, &path, "核对").await.0, 400);
        let again = people.clerk.upload(&add, large(FILE_BYTES), "").await.expect("it may come again");
        people.clerk.post(&format!("{}/remove", open_path(&dossier, &again)), &json!({ "reason": "传错" }), "").await.expect("is taken out");
        assert_eq!(kept(&deployment, folder.path(), 0).await.swept, 3, "{engine:?}: two taken out, and one that was too many");
        assert_eq!(files(&folder.path().join("evidence/aid")).len(), FILES - 1, "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_case_takes_evidence_from_both_sides_and_a_registration_too() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let base = format!("http://{}", deployment.http);
        people.list(&[("李鬼", &number(500), "")]).await;
        let flag = id(&people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"][0], "flag");
        let case = format!("/v1/cases/{flag}");
        assert_eq!(reason(people.officer.upload(&format!("{case}/evidence?name=a.jpg"), photo("x"), "").await), (404, "NOT_FOUND".into()), "no case yet");
        people.officer.post(&format!("/v1/flags/{flag}/confirm"), &json!({ "reason": "查无此人" }), "").await.expect("is confirmed");
        let ours = people.officer.upload(&format!("{case}/evidence?name=%E7%AC%94%E5%BD%95"), photo("笔录"), "").await.expect("is added");
        assert_eq!((&ours["kind"], &ours["name"]), (&json!("JPEG"), &json!("笔录.jpg")), "{ours}");
        let theirs = people.clerk.upload(&format!("{case}/evidence?name=b.jpg"), photo("说明"), "").await.expect("is added");
        assert_eq!(reason(people.other.upload(&format!("{case}/evidence?name=c.jpg"), photo("x"), "").await), (404, "NOT_FOUND".into()));
        assert_eq!(opened(&base, &people.clerk, &open_path(&case, &ours), "查看").await.2, photo("笔录"), "{engine:?}");
        // After the next step nothing is taken out.
        let outcome = json!({ "outcome": "TO_RECOVER", "amountFen": "100", "text": "" });
        people.officer.post(&format!("{case}/outcome"), &outcome, "").await.expect("is recorded");
        let late = people.clerk.post(&format!("{}/remove", open_path(&case, &theirs)), &json!({ "reason": "x" }), "").await;
        assert_eq!(reason(late), (400, "WRONG_STATE".into()), "{engine:?}");
        let slip = people.clerk.upload(&format!("{case}/evidence?name=slip.pdf"), scan("已退"), "").await.expect("is added");
        people.clerk.post(&format!("{}/remove", open_path(&case, &slip)), &json!({ "reason": "传错" }), "").await.expect("nobody decided since");
        people.officer.post(&format!("/v1/flags/{flag}/clear"), &json!({ "reason": "改判" }), "").await.expect("is withdrawn");
        assert_eq!(reason(people.clerk.upload(&format!("{case}/evidence?name=d.jpg"), photo("y"), "").await), (400, "WRONG_STATE".into()));

        people.import(&[student(1), student(2)]).await;
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let dossier = format!("/v1/enrollmentDossiers/{}", id(&made, "submission"));
        let added = people.clerk.upload(&format!("{dossier}/evidence?name=hukou.png"), photo("户口簿"), "").await.expect("is added");
        assert_eq!(added["name"], "hukou.png.jpg", "it is what its content says");
        assert_eq!(opened(&base, &people.officer, &open_path(&dossier, &added), "核对户口").await.2, photo("户口簿"));
        assert!(audited(deployment.databases()[0]).await.iter().any(|(_, method, _, purpose)| method == "OpenEvidence" && purpose == "核对户口"));
        assert_eq!(opened(&base, &people.officer, &open_path(&case, &added), "核对户口").await.0, 404, "{engine:?}: the other service knows nothing of it");
        // Who was sent back was decided on: what lay there then is taken out no more.
        let items = people.head.get(&format!("{dossier}/items")).await.expect("a sheet");
        let one = json!({ "reason": "与户口簿不符", "items": [items["items"][0]["item"]] });
        people.head.post(&format!("{dossier}/sendBack"), &one, "").await.expect("is sent back");
        let late = people.clerk.post(&format!("{}/remove", open_path(&dossier, &added)), &json!({ "reason": "x" }), "").await;
        assert_eq!(reason(late), (400, "WRONG_STATE".into()), "{engine:?}");
        // Each service has keys and a place of its own.
        assert_eq!(files(&folder.path().join("evidence/enrollment")).len(), 1, "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_that_stays_keeps_no_other() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let parts = deployment.aid_parts();
        let vault = Vault::folder(&folder.path().join("evidence/aid")).expect("a vault");
        // Due when the service's own housekeeping, which runs meanwhile, is not there yet.
        let due_us = parts.runner.clock().now_us() + DAYS_US;
        vault.put(Address([7; 32]), vec![1]).await.expect("is put");
        // The first can never be taken away: that is no address.
        for (id, address) in [(1, vec![1, 2, 3]), (2, vec![7; 32])] {
            let leaving = (Uuid::from_u128(id), address, due_us);
            deployment.databases()[1]
                .write(&leaving, |tx, (evidence, address, due_us)| {
                    Box::pin(async move {
                        let text = "INSERT INTO evidence_leaving (evidence, address, due_us, claimed) VALUES ($1, $2, $3, false)";
                        run!(tx, text, *evidence, &address[..], *due_us).map(drop).map_err(xuezhu_service::Error::from)
                    })
                })
                .await
                .expect("is written");
        }
        let keep = async |at_us: i64| upkeep::keep(&parts.runner, &vault, xuezhu_aid::evidence::Holding, at_us).await;
        assert!(keep(due_us).await.is_err(), "{engine:?}: it is told");
        assert!(matches!(vault.get(Address([7; 32])).await, Err(VaultError::Missing)), "{engine:?}: the other is gone");
        assert_eq!(keep(due_us + 1).await.expect("is put off"), Done { lapsed: 0, swept: 0 }, "{engine:?}");
        assert!(keep(due_us + DAYS_US).await.is_err(), "{engine:?}: it is tried again, and told again");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_file_and_line_leaves_nothing_half_and_what_lapses_goes_by_rule() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, dossier) = corrected(&deployment).await;
        let base = format!("http://{}", deployment.http);
        let added = people.clerk.upload(&format!("{dossier}/evidence?name=a.pdf"), scan("a"), "").await.expect("is added");
        let path = open_path(&dossier, &added);
        // What a kill leaves: a file that is written down and lies there, and no line.
        let db = deployment.databases()[1];
        let now_us = deployment.aid_parts().runner.clock().now_us();
        let orphan = (Uuid::from_u128(9), [7_u8; 32], now_us + UNCLAIMED_US);
        db.write(&orphan, |tx, (evidence, address, due_us)| {
            Box::pin(async move {
                run!(tx, "INSERT INTO evidence_leaving (evidence, address, due_us, claimed) VALUES ($1, $2, $3, false)", *evidence, &address[..], *due_us)
                    .map(drop)
                    .map_err(xuezhu_service::Error::from)
            })
        })
        .await
        .expect("is written");
        let vault = Vault::folder(&folder.path().join("evidence/aid")).expect("a vault");
        vault.put(Address(orphan.1), vec![1]).await.expect("is put");
        assert_eq!(kept(&deployment, folder.path(), now_us).await, Done { lapsed: 0, swept: 0 }, "{engine:?}: not before its day is over");
        assert!(vault.get(Address(orphan.1)).await.is_ok());
        assert_eq!(kept(&deployment, folder.path(), now_us + UNCLAIMED_US).await, Done { lapsed: 0, swept: 1 }, "{engine:?}");
        assert!(matches!(vault.get(Address(orphan.1)).await, Err(VaultError::Missing)));
        assert_eq!(opened(&base, &people.head, &path, "核对").await.0, 200, "{engine:?}: what a line asks for stays");

        // A file that nobody wrote down, as under a database that was put back, is nobody's to take away.
        vault.put(Address([8; 32]), vec![1]).await.expect("is put");
        kept(&deployment, folder.path(), now_us + 400 * DAYS_US).await;
        assert!(vault.get(Address([8; 32])).await.is_ok(), "{engine:?}");

        // Recalled, it proves nothing: it is kept for three years after that year, and not a day less, by both clocks.
        people.clerk.post(&format!("{dossier}/recall"), &json!({ "reason": "不需要了" }), "").await.expect("is recalled");
        let day_us = |text: &str| text.parse::<chrono::NaiveDate>().expect("a date").and_hms_opt(12, 0, 0).expect("noon").and_utc().timestamp_micros();
        let year = deployment.today().format("%Y").to_string().parse::<i32>().expect("a year");
        let (last, first) = (format!("{}-12-31", year + 3), format!("{}-01-01", year + 4));
        assert_eq!(kept(&deployment, folder.path(), day_us(&first)).await.lapsed, 0, "{engine:?}: that day has not come");
        deployment.step_to(first.parse().expect("a date")).await.expect("steps");
        assert_eq!(kept(&deployment, folder.path(), now_us).await.lapsed, 0, "{engine:?}: a stepped day alone ends nothing");
        assert_eq!(kept(&deployment, folder.path(), day_us(&last)).await.lapsed, 0, "{engine:?}: the last day");
        let done = kept(&deployment, folder.path(), day_us(&first)).await;
        assert_eq!(done, Done { lapsed: 1, swept: 1 }, "{engine:?}");
        let row = listed(&people.clerk, &dossier).await["evidence"][0].clone();
        assert_eq!((&row["state"], &row["name"], &row["digest"]), (&json!("LAPSED"), &json!(""), &added["digest"]), "{row}");
        assert_eq!(opened(&base, &people.clerk, &path, "核对").await.0, 400);
        assert_eq!(files(&folder.path().join("evidence/aid")).len(), 1, "{engine:?}: the one that nobody wrote down");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_altered_or_another_lines_does_not_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let (people, dossier) = corrected(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let mut paths = Vec::new();
    for says in ["a", "b"] {
        let added = people.clerk.upload(&format!("{dossier}/evidence?name={says}.pdf"), scan(says), "").await.expect("is added");
        paths.push(open_path(&dossier, &added));
    }
    let lie = files(&folder.path().join("evidence/aid"));
    let [one, two] = &lie[..] else { panic!("{lie:?}") };
    let (whole, other) = (std::fs::read(one).expect("reads"), std::fs::read(two).expect("reads"));
    let statuses = async || {
        let mut found = Vec::new();
        for path in &paths {
            found.push(opened(&base, &people.clerk, path, "核对").await.0);
        }
        found.sort_unstable();
        found
    };
    assert_eq!(statuses().await, [200, 200]);
    let mut altered = whole.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    for (bytes, why) in [
        (Some(altered), "altered"),
        (Some(other), "another's"),
        (Some(Vec::new()), "empty"),
        (Some(vec![0; FILE_BYTES + 4096]), "too large"),
        (None, "missing"),
    ] {
        match bytes {
            Some(bytes) => std::fs::write(one, bytes).expect("writes"),
            None => std::fs::remove_file(one).expect("removes"),
        }
        assert_eq!(statuses().await, [200, 503], "{why}");
    }
    std::fs::write(one, whole).expect("writes");
    assert_eq!(statuses().await, [200, 200], "put back, it opens");
    let reads = audited(deployment.databases()[1]).await.into_iter().filter(|(_, method, outcome, _)| method == "OpenEvidence" && outcome == "READ").count();
    assert_eq!(reads, 9, "what did not open was not read");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_files_as_a_folder_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let bucket = Bucket::start(folder.path()).await;
    let vaults = [
        Vault::folder(&folder.path().join("vault")).expect("a folder"),
        Vault::open(&bucket.place("one/two"), &bucket.settings()).expect("a bucket"),
        Vault::open(&bucket.place(""), &bucket.settings()).expect("a bucket without a prefix"),
        Vault::memory(),
    ];
    for vault in &vaults {
        let (here, nowhere) = (Address([0xab; 32]), Address([0xcd; 32]));
        assert!(matches!(vault.get(here).await, Err(VaultError::Missing)), "{vault:?}");
        for bytes in [vec![1; FILE_BYTES + 100], vec![2]] {
            vault.put(here, bytes.clone()).await.expect("is put");
            assert!(vault.get(here).await.expect("is there") == bytes, "{vault:?}");
        }
        vault.remove(nowhere).await.expect("what is not there is as good");
        vault.remove(here).await.expect("is removed");
        vault.remove(here).await.expect("is removed already");
        assert!(matches!(vault.get(here).await, Err(VaultError::Missing)), "{vault:?}");
    }
    for wrong in [Settings::default(), Settings { evidence_s3_credentials_file: Some(folder.path().join("none")), ..Settings::default() }] {
        assert!(Vault::open(&bucket.place(""), &wrong).is_err_and(|error| error.to_string().contains("evidence_s3_credentials_file")));
    }

    // A deployment whose aid service has the bucket.
    let settings = Settings { aid_evidence: bucket.place("aid"), ..bucket.settings() };
    let deployment = start(options(None, &folder.path().join("data"), "none", settings)).await;
    let (people, dossier) = corrected(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let added = people.clerk.upload(&format!("{dossier}/evidence?name=a.pdf"), scan("a"), "").await.expect("is added");
    let keys = bucket.keys().await;
    assert!(keys.len() == 1 && keys[0].starts_with("aid/") && keys[0].ends_with(".sealed"), "{keys:?}");
    let path = open_path(&dossier, &added);
    assert_eq!(opened(&base, &people.head, &path, "核对").await.2, scan("a"));
    people.clerk.post(&format!("{path}/remove"), &json!({ "reason": "传错" }), "").await.expect("is taken out");
    let parts = deployment.aid_parts();
    let done = upkeep::keep(&parts.runner, &parts.vault, xuezhu_aid::evidence::Holding, 0).await.expect("is kept");
    assert_eq!((done.swept, bucket.keys().await.len()), (1, 0));
    // A bucket that is away is said to be, and nothing is half there.
    drop(bucket);
    assert_eq!(reason(people.clerk.upload(&format!("{dossier}/evidence?name=b.pdf"), scan("b"), "").await), (503, "UNAVAILABLE".into()));
    assert_eq!(listed(&people.clerk, &dossier).await["evidence"].as_array().map(Vec::len), Some(1));
    deployment.stop().await;
}

/// The real processes, killed while files are added again and again under their keys: what was acknowledged opens, and opens to what was sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_of_the_real_process() {
    const FILES_SENT: usize = 6;
    let folder = tempfile::tempdir().expect("a folder");
    let (enrollment_url, aid_url) = (postgres::database().await, postgres::database().await);
    let mut apart = Apart::start(folder.path(), &enrollment_url, &aid_url);
    let base = apart.base();
    xuezhu_tests::apart::ready(&base).await;
    let people = schools::open_at(&base, "first-Password1").await;
    people.import(&[student(1)]).await;
    let submitted = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    let dossier = format!("/v1/enrollmentDossiers/{}", id(&submitted, "submission"));
    let (mut added, vault) = (Vec::new(), folder.path().join("evidence/enrollment"));
    for serial in 0..FILES_SENT {
        let bytes = photo(&"x".repeat(1_000_000 + serial));
        let path = format!("{dossier}/evidence?name={serial}.jpg");
        let key = format!("k{serial}");
        let upload = xuezhu_tests::apart::answered(async || people.clerk.upload(&path, bytes.clone(), &key).await);
        // At once, or as soon as a file lies in the vault that no line may have asked for yet.
        let lie = files(&vault).len();
        let kill = async {
            if serial % 2 == 1 {
                xuezhu_tests::until("a file lies there", async || files(&vault).len() > lie).await;
            }
            apart.kill(0);
        };
        let (answer, ()) = tokio::join!(upload, kill);
        added.push((answer, bytes));
    }
    // The last kill may come after the last answer.
    let all = xuezhu_tests::apart::answered(async || people.clerk.get(&format!("{dossier}/evidence")).await).await;
    assert_eq!(all["evidence"].as_array().map(Vec::len), Some(FILES_SENT), "{all}");
    for (line, bytes) in &added {
        let (status, _, opened) = opened(&base, &people.clerk, &open_path(&dossier, line), "核对").await;
        assert!(status == 200 && &opened == bytes, "{status}");
    }
}
