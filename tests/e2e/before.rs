//! Data of before opens with nothing lost, is converted once, and never meets the wrong keys.

use std::{fs, path::Path};

use serde_json::{Value, json};
use xuezhu::{
    client::Session,
    deployment::{Deployment, key_files},
};
use xuezhu_service::{Keyring, keyring::Service};
use xuezhu_tests::{
    Engine,
    before::{Before, assert_says},
    postgres, prepare, start, until,
};

/// Every page of a list.
async fn pages(session: &Session, path: &str, of: &str) -> Value {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let page = session.get(&format!("{path}{sign}pageSize=100&pageToken={token}")).await.expect(path);
        all.extend(page[of].as_array().expect("a list").clone());
        page["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut token);
        if token.is_empty() {
            return Value::Array(all);
        }
    }
}

/// Compares what REST answers with what it answered then; returns all that was answered.
async fn assert_all_is_there(admin: &Session, rest: &Value) -> Vec<Value> {
    let mut answers = Vec::new();
    let mut says = |answer: Value, before: &Value, at: &str| {
        assert_says(&answer, before, at);
        answers.push(answer);
    };
    says(pages(admin, "/v1/schools", "schools").await, &rest["schools"], "schools");
    says(pages(admin, "/v1/accounts", "accounts").await, &rest["accounts"], "accounts");
    says(pages(admin, "/v1/flags", "flags").await, &rest["flags"], "flags");
    for (flag, before) in rest["flagDetails"].as_object().into_iter().flatten() {
        says(admin.get(&format!("/v1/flags/{flag}")).await.expect("is there"), before, flag);
    }
    for (school, before) in rest["bySchool"].as_object().into_iter().flatten() {
        let path = format!("/v1/schools/{school}");
        says(pages(admin, &format!("{path}/enrollments"), "enrollments").await, &before["enrollments"], school);
        for (enrollment, before) in before["enrollmentDetails"].as_object().into_iter().flatten() {
            says(admin.get(&format!("{path}/enrollments/{enrollment}")).await.expect("is there"), before, enrollment);
        }
        says(pages(admin, &format!("{path}/submissions"), "submissions").await, &before["submissions"], school);
        for (submission, before) in before["submissionDetails"].as_object().into_iter().flatten() {
            says(admin.get(&format!("{path}/submissions/{submission}")).await.expect("is there"), before, submission);
        }
        says(pages(admin, &format!("{path}/awardLists"), "lists").await, &before["awardLists"], school);
        for (list, before) in before["entries"].as_object().into_iter().flatten() {
            says(pages(admin, &format!("{path}/awardLists/{list}/entries"), "entries").await, before, list);
        }
        for (import, before) in before["imports"].as_object().into_iter().flatten() {
            says(admin.get(&format!("{path}/imports/{import}")).await.expect("is there"), before, import);
        }
    }
    for (person, before) in rest["stories"].as_object().into_iter().flatten() {
        if let Ok(story) = admin.get(&format!("/v1/students/{person}/story")).await {
            says(in_order(story), &in_order(before.clone()), person);
        }
    }
    answers
}

/// What is of one day had no order then.
fn in_order(mut story: Value) -> Value {
    story["timeline"].as_array_mut().expect("a list").sort_by_key(|place| place["enrollment"].to_string());
    story["awards"].as_array_mut().expect("a list").sort_by_key(|award| award["entry"].to_string());
    story
}

async fn sweep(session: &Session, deployment: &Deployment) {
    let run = session.post("/v1/reconciliations", &json!({}), "").await.expect("a sweep");
    let path = format!("/v1/reconciliations/{}", run["run"].as_str().expect("an id"));
    until("the sweep ends", async || session.get(&path).await.is_ok_and(|run| run["state"] == "DONE")).await;
    deployment.drain().await.expect("drains");
}

/// The files of a deployment's databases.
async fn stored(before: &Before) -> Vec<(String, Vec<u8>)> {
    let named = |(path, bytes): (std::path::PathBuf, Vec<u8>)| (path.display().to_string(), bytes);
    match &before.options.databases {
        Some((enrollment, aid)) => [postgres::files(enrollment).await, postgres::files(aid).await].concat().into_iter().map(named).collect(),
        None => ["enrollment.db", "enrollment.db-wal", "aid.db", "aid.db-wal"]
            .map(|name| before.options.data.join(name))
            .map(|path| named((path.clone(), fs::read(path).unwrap_or_default())))
            .into(),
    }
}

/// Fails where a text stands in what is stored or said.
fn assert_nowhere(texts: &[String], places: &[(String, Vec<u8>)]) {
    assert!(!texts.is_empty() && places.iter().any(|(_, bytes)| !bytes.is_empty()));
    for text in texts {
        let searched = memchr::memmem::Finder::new(text.as_bytes());
        for (place, bytes) in places {
            assert!(searched.find(bytes).is_none(), "{text} is in {place}");
        }
    }
}

/// Numbers that somebody could be known by, wherever they were typed.
const NUMBERS: &[&str] =
    &["idNumbers", "idNumbersInTexts", "idNumbersSpacedInTexts", "guardianIdNumbers", "phones", "phonesInTexts", "cards", "cardsInTexts", "otherPapers"];

#[tokio::test(flavor = "multi_thread")]
async fn a_province_of_before_opens_with_nothing_lost_and_no_number_left_readable() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let held = stored(&before).await;
        assert!(before.plain(&["idNumbersInTexts"]).iter().any(|text| held.iter().any(|(_, bytes)| memchr::memmem::find(bytes, text.as_bytes()).is_some())));
        let rest = before.manifest["rest"].clone();
        let deployment = start(before.options.clone()).await;
        let admin = Session::log_in(&format!("http://{}", deployment.http), "admin", before.password("admin")).await.expect("logs in");
        deployment.drain().await.expect("drains");
        let mut answers = assert_all_is_there(&admin, &rest).await;
        sweep(&admin, &deployment).await;
        answers.extend(assert_all_is_there(&admin, &rest).await);
        let said: Vec<(String, Vec<u8>)> = answers.iter().map(|answer| ("an answer".to_owned(), answer.to_string().into_bytes())).collect();
        assert_nowhere(&before.plain(NUMBERS), &said);
        assert_nowhere(&birth_dates(&before), &said);
        deployment.stop().await;
        assert_nowhere(&before.plain(NUMBERS), &stored(&before).await);
        // Once more: what was converted is not converted again, and opens under the keys that the keyring was split into.
        assert!(key_files(&before.options.data).aid.exists());
        fs::remove_file(before.options.data.join("keyring.json")).expect("is not needed any more");
        let deployment = start(before.options.clone()).await;
        let admin = Session::log_in(&format!("http://{}", deployment.http), "admin", before.password("admin")).await.expect("logs in");
        assert_all_is_there(&admin, &rest).await;
        deployment.stop().await;
    }
}

/// Birth dates of everybody who was entered, as pages write days, and as a number holds them.
fn birth_dates(before: &Before) -> Vec<String> {
    let numbers = before.plain(&["idNumbers"]);
    numbers.iter().flat_map(|number| [format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]), number[6..14].to_owned()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_before_open_though_nothing_is_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = Before::accounts_only(folder.path());
    let deployment = start(before.options.clone()).await;
    let admin = Session::log_in(&format!("http://{}", deployment.http), "admin", before.password("admin")).await.expect("logs in");
    assert_says(&pages(&admin, "/v1/accounts", "accounts").await, &before.manifest["rest"]["accounts"], "accounts");
    deployment.stop().await;
}

/// A start that is refused, with why; nothing in the folder but the lock is touched.
async fn refused(before: &Before) -> String {
    let (held, files) = (content(before), names(&before.options.data));
    let why = format!("{:#}", Deployment::start(before.options.clone()).await.err().expect("is refused"));
    assert!(held == content(before), "the databases are as they were: {why}");
    assert_eq!(names(&before.options.data), files, "{why}");
    why
}

fn content(before: &Before) -> [Vec<u8>; 2] {
    let dump = |database: &str| postgres::dump(database).into_bytes();
    match &before.options.databases {
        Some((enrollment, aid)) => [dump(enrollment), dump(aid)],
        None => ["enrollment.db", "aid.db"].map(|name| fs::read(before.options.data.join(name)).expect("is there")),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|file| file.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name != "lock" && !name.ends_with("-shm") && !name.ends_with("-wal")).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_never_meets_the_wrong_keys() {
    prepare();
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let data = before.options.data.clone();
        let (keyring, kept) = (data.join("keyring.json"), folder.path().join("kept.json"));
        // The keyring of before is lost.
        fs::rename(&keyring, &kept).expect("is lost");
        assert!(refused(&before).await.contains("backup"));
        // Another province's keyring; one whose sealing key alone is another; one whose hash key alone is another.
        let own: Value = serde_json::from_slice(&fs::read(&kept).expect("is kept")).expect("is JSON");
        for keys in [&["hash_key", "seal_key"][..], &["seal_key"], &["hash_key"]] {
            let mut other = own.clone();
            for key in keys {
                other[*key] = json!("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
            }
            xuezhu_service::private::write_private(&keyring, other.to_string().as_bytes()).expect("writes");
            assert!(refused(&before).await.contains("密钥"), "{keys:?}");
            fs::remove_file(&keyring).expect("is ours");
        }
        fs::rename(&kept, &keyring).expect("is found");
        start(before.options.clone()).await.stop().await;
        // Since then the databases know their keys.
        let files = key_files(&data);
        fs::remove_file(&keyring).expect("is not needed any more");
        for (lost, contains) in [(&files.enrollment, "enrollment-keys.json is missing"), (&files.aid, "aid-keys.json is missing")] {
            fs::rename(lost, &kept).expect("is lost");
            assert!(refused(&before).await.contains(contains));
            fs::rename(&kept, lost).expect("is found");
        }
        let (mine, new) = ((fs::read(&files.enrollment).expect("is there"), fs::read(&files.aid).expect("is there")), Keyring::generate());
        fs::remove_file(&files.enrollment).expect("is ours");
        fs::remove_file(&files.aid).expect("is ours");
        assert!(refused(&before).await.contains("backup"));
        files.save(&new).expect("saves");
        assert!(refused(&before).await.contains("密钥"));
        fs::remove_file(&files.enrollment).expect("is ours");
        xuezhu_service::private::write_private(&files.enrollment, &mine.0).expect("writes");
        assert!(refused(&before).await.contains("密钥"), "aid's are another's");
        fs::remove_file(&files.aid).expect("is ours");
        xuezhu_service::private::write_private(&files.aid, &mine.1).expect("writes");
        start(before.options.clone()).await.stop().await;
        assert!(Keyring::load(&files.aid, Service::Aid).is_ok());
    }
}
