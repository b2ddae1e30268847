//! Data of before opens with nothing lost, is converted once, and never meets the wrong keys.

use std::{fs, path::Path, process::Command};

use prost::Message;
use serde_json::{Value, json};
use uuid::Uuid;
use xuezhu::{
    client::Session,
    deployment::{Deployment, key_files},
};
use xuezhu_proto::bridge::record::Body;
use xuezhu_service::{Keyring, keyring::Service};
use xuezhu_store::{Db, one, rows, run, sqlx::migrate::Migrator, strange};
use xuezhu_tests::{
    Engine,
    apart::{Apart, Process, answered},
    before::{Before, assert_says},
    binary, free_address, postgres, prepare, rows as rows_of, schools, start, until,
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

/// Who sees every student of the small province.
const PROVINCE: &str = "officer43";

/// Compares what REST answers with what it answered then; returns all that was answered.
async fn assert_all_is_there(admin: &Session, before: &Before) -> Vec<Value> {
    let (rest, mut answers) = (&before.manifest["rest"], Vec::new());
    // Administrators see no student.
    let province = admin.with_log_in(PROVINCE, before.password(PROVINCE)).await.expect("logs in");
    let mut says = |answer: Value, before: &Value, at: &str| {
        assert_says(&answer, before, at);
        answers.push(answer);
    };
    says(pages(admin, "/v1/schools", "schools").await, &rest["schools"], "schools");
    says(pages(admin, "/v1/accounts", "accounts").await, &rest["accounts"], "accounts");
    says(pages(&province, "/v1/flags", "flags").await, &rest["flags"], "flags");
    for (flag, before) in rest["flagDetails"].as_object().into_iter().flatten() {
        says(province.get(&format!("/v1/flags/{flag}")).await.expect("is there"), before, flag);
    }
    for (school, before) in rest["bySchool"].as_object().into_iter().flatten() {
        let path = format!("/v1/schools/{school}");
        says(pages(&province, &format!("{path}/enrollments"), "enrollments").await, &before["enrollments"], school);
        for (enrollment, before) in before["enrollmentDetails"].as_object().into_iter().flatten() {
            says(province.get(&format!("{path}/enrollments/{enrollment}")).await.expect("is there"), before, enrollment);
        }
        says(pages(&province, &format!("{path}/submissions"), "submissions").await, &before["submissions"], school);
        for (submission, before) in before["submissionDetails"].as_object().into_iter().flatten() {
            says(province.get(&format!("{path}/submissions/{submission}")).await.expect("is there"), before, submission);
        }
        says(pages(&province, &format!("{path}/awardLists"), "lists").await, &before["awardLists"], school);
        for (list, before) in before["entries"].as_object().into_iter().flatten() {
            says(pages(&province, &format!("{path}/awardLists/{list}/entries"), "entries").await, before, list);
        }
        for (import, before) in before["imports"].as_object().into_iter().flatten() {
            says(province.get(&format!("{path}/imports/{import}")).await.expect("is there"), before, import);
        }
    }
    for (person, before) in rest["stories"].as_object().into_iter().flatten() {
        if let Ok(story) = province.get(&format!("/v1/students/{person}/story")).await {
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

/// Every record is bound, and nothing stands in the databases that the program would not put there.
async fn assert_bound(deployment: &Deployment) {
    rows_of::assert_whole(deployment, &["account", "dossier", "award entry"], "of before").await;
    for (db, migrations) in deployment.databases().into_iter().zip([&xuezhu_enrollment::MIGRATIONS, &xuezhu_aid::MIGRATIONS]) {
        let mut tx = db.read().await.expect("begins");
        assert_eq!(strange(&mut tx, migrations).await.expect("is looked at"), [""; 0]);
        tx.rollback().await.expect("ends");
    }
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
        let mut answers = assert_all_is_there(&admin, &before).await;
        let province = admin.with_log_in(PROVINCE, before.password(PROVINCE)).await.expect("logs in");
        assert_submissions_are_dossiers(&province, &rest).await;
        // What was submitted of lists stands in rounds, everything once.
        crate::rounds::assert_counts(deployment.databases()[1]).await;
        // What stood there was believed, once, and is bound since.
        assert_bound(&deployment).await;
        sweep(&admin, &deployment).await;
        answers.extend(assert_all_is_there(&admin, &before).await);
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
        assert_all_is_there(&admin, &before).await;
        deployment.stop().await;
    }
}

/// What was known before the upgrade, nobody kept; from then on it is known. What only the sealed columns told of a period stands in it,
/// and classes are rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_before_knows_from_its_upgrade_on() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let deployment = start(before.options.clone()).await;
        let province = Session::log_in(&format!("http://{}", deployment.http), PROVINCE, before.password(PROVINCE)).await.expect("logs in");
        deployment.drain().await.expect("drains");
        let (enrollment, aid) = databases(&before).await;
        let mut tx = enrollment.read().await.expect("reads");
        let placed = "SELECT e.school, e.enrollment FROM enrollments e JOIN places p ON p.enrollment = e.enrollment ORDER BY e.enrollment LIMIT 1";
        let (school, id) = one!(&mut tx, (String, Uuid), placed).expect("reads").expect("somebody is placed");
        let unfilled = one!(&mut tx, (i64,), "SELECT count(*) FROM periods WHERE registered_region = ''").expect("reads").expect("a count").0;
        let classes = "SELECT count(*) FROM enrollments e JOIN places p ON p.enrollment = e.enrollment
                       WHERE NOT EXISTS (SELECT 1 FROM classes c WHERE c.school = e.school AND c.name = e.class_name AND c.major = e.major AND c.to_date IS NULL)";
        let classless = one!(&mut tx, (i64,), classes).expect("reads").expect("a count").0;
        tx.rollback().await.expect("ends");
        assert_eq!((unfilled, classless), (0, 0), "{engine:?}");
        let mut tx = aid.read().await.expect("reads");
        let untold = "SELECT count(*) FROM mirror_periods WHERE registered_region = '' AND generation = (SELECT generation FROM mirror_state)";
        assert_eq!(one!(&mut tx, (i64,), untold).expect("reads").expect("a count").0, 0, "{engine:?}: the feed said it again");
        tx.rollback().await.expect("ends");
        let path = format!("/v1/schools/{school}/enrollments/{id}");
        for long_ago in ["2016-09-30", "2020-01-01T00:00:00Z"] {
            let refused = province.get(&format!("{path}?asOf=2016-10-10&knownAt={long_ago}")).await;
            assert_eq!(schools::reason(refused), (400, "INVALID_ARGUMENT".into()), "{engine:?} {long_ago}");
        }
        deployment.stop().await;
    }
}

/// What was submitted before is a dossier with the same id: with what was kept of it, and no more.
async fn assert_submissions_are_dossiers(province: &Session, rest: &Value) {
    let mut seen = 0;
    for (school, held) in rest["bySchool"].as_object().into_iter().flatten() {
        for (submission, before) in held["submissionDetails"].as_object().into_iter().flatten() {
            let dossier = province.get(&format!("/v1/enrollmentDossiers/{submission}")).await.expect("is there");
            let (state, open) = (before["state"].as_str().expect("a state"), dossier["state"] == "UNDER_WAY");
            assert_eq!((&dossier["school"], &dossier["digest"], &dossier["performed"]), (&json!(school), &before["digest"], &before["approved"]), "{dossier}");
            assert_eq!((open, open && dossier["step"] == 1), (state != "DONE", state == "ATTESTED"), "{dossier}");
            let history = dossier["history"].as_array().expect("a list");
            let named = [("SUBMIT", "submittedBy"), ("SIGN", "attestedBy"), ("SIGN", "approvedBy")];
            let known: Vec<(&str, &str)> =
                named.into_iter().map(|(act, who)| (act, before[who].as_str().expect("a name"))).filter(|(_, who)| !who.is_empty()).collect();
            let told: Vec<(&str, &str)> = history.iter().map(|act| (act["act"].as_str().expect("an act"), act["name"].as_str().expect("a name"))).collect();
            assert_eq!(told, known, "{dossier}");
            assert!(history.iter().all(|act| act["ofBefore"] == true && act["role"] == ""), "{dossier}");
            // Of who approved, the name alone was kept.
            assert!(history.iter().skip(2).all(|act| act["date"] == "" && act["time"] == "" && act["digest"] == ""), "{dossier}");
            let sheet = pages(province, &format!("/v1/enrollmentDossiers/{submission}/items"), "items").await;
            let items = sheet.as_array().expect("a list");
            assert_eq!(items.len(), usize::try_from(before["count"].as_u64().expect("a count")).expect("is small"), "{dossier}");
            let refused: Vec<&Value> = items.iter().filter(|item| item["refusal"] != "").map(|item| &item["item"]).collect();
            assert_eq!(refused.len(), before["refused"].as_array().expect("a list").len(), "{sheet}");
            assert!(items.iter().all(|item| item["cells"].as_array().is_some_and(|cells| cells.len() == 5)), "{sheet}");
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

/// Opens the databases of a folder of before, as they are: enrollment's and aid's.
async fn databases(before: &Before) -> (Db, Db) {
    let urls = before.options.databases.clone().unwrap_or_else(|| {
        let url = |name: &str| format!("sqlite:{}", before.options.data.join(name).display());
        (url("enrollment.db"), url("aid.db"))
    });
    (Db::open(&urls.0).await.expect("opens"), Db::open(&urls.1).await.expect("opens"))
}

/// Somebody's number was once taken as a 学号, in the name of a class, in the place of an id: it went into the feed, the mirror, the
/// evidence, the audit.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_before_in_a_class_a_school_number_or_an_audit_line_is_readable_no_more() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let number = before.plain(&["idNumbers"])[0].clone();
        let class = format!("1班{number}");
        let (enrollment, aid) = databases(&before).await;
        let mut tx = enrollment.begin().await.expect("begins");
        run!(&mut tx, "UPDATE enrollments SET class_name = $1, school_number = $2", &class, &number).expect("is written");
        run!(&mut tx, "UPDATE audit SET resource = $1", &number).expect("is written");
        for (table, id) in [("shared_records", "record"), ("change_log", "change")] {
            let (select, update) = if table == "shared_records" {
                ("SELECT record, body FROM shared_records WHERE kind = 12", "UPDATE shared_records SET body = $2 WHERE record = $1 AND kind = 12")
            } else {
                ("SELECT change, body FROM change_log WHERE kind = 12", "UPDATE change_log SET body = $2 WHERE change = $1")
            };
            let rows = rows!(&mut tx, (Uuid, Vec<u8>), select).expect(id);
            assert!(!rows.is_empty(), "{table}");
            for (id, body) in rows {
                let mut record = xuezhu_proto::bridge::Record::decode(&body[..]).expect("a record");
                let Some(Body::Enrollment(shared)) = &mut record.body else { panic!("an enrollment") };
                shared.periods.iter_mut().for_each(|period| period.class_name.clone_from(&class));
                run!(&mut tx, update, id, record.encode_to_vec()).expect("is written");
            }
        }
        tx.commit().await.expect("commits");
        let mut tx = aid.begin().await.expect("begins");
        run!(&mut tx, "UPDATE mirror_periods SET class_name = $1", &class).expect("is written");
        run!(&mut tx, "UPDATE audit SET resource = $1", &number).expect("is written");
        for (flag, evidence) in rows!(&mut tx, (Uuid, String), "SELECT flag, evidence FROM flags").expect("flags") {
            let mut evidence: Value = serde_json::from_str(&evidence).expect("is JSON");
            for period in evidence["enrollments"].as_array_mut().into_iter().flatten().filter_map(|side| side["periods"].as_array_mut()).flatten() {
                period["class_name"] = json!(class);
            }
            run!(&mut tx, "UPDATE flags SET evidence = $2 WHERE flag = $1", flag, evidence.to_string()).expect("is written");
            run!(&mut tx, "UPDATE flag_steps SET evidence = $2 WHERE flag = $1", flag, evidence.to_string()).expect("is written");
        }
        tx.commit().await.expect("commits");
        tokio::join!(enrollment.close(), aid.close());
        let held = stored(&before).await;
        assert!(held.iter().any(|(_, bytes)| memchr::memmem::find(bytes, number.as_bytes()).is_some()), "{engine:?}: it is there before");
        // What a planner keeps of the columns holds values of rows.
        let (enrollment, aid) = databases(&before).await;
        tokio::try_join!(enrollment.analyze(), aid.analyze()).expect("are measured");
        tokio::join!(enrollment.close(), aid.close());
        let flags = before.manifest["rest"]["flags"].as_array().expect("a list").len();
        let deployment = start(before.options.clone()).await;
        let province = Session::log_in(&format!("http://{}", deployment.http), PROVINCE, before.password(PROVINCE)).await.expect("logs in");
        sweep(&province, &deployment).await;
        assert_eq!(pages(&province, "/v1/flags", "flags").await.as_array().expect("a list").len(), flags, "{engine:?}");
        deployment.stop().await;
        assert_nowhere(&[number], &stored(&before).await);
    }
}

/// A row as it stood before its conversion.
#[derive(sqlx::FromRow)]
struct Old {
    id: Uuid,
    sealed: Vec<u8>,
    details: Option<Vec<u8>>,
    reason: String,
}

/// The first start breaks off in the midst of a conversion: half is sealed anew, half is as it was. The next goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_broke_off_goes_on_where_it_was() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let (enrollment, aid) = databases(&before).await;
        let enrollments = "SELECT enrollment AS id, id_sealed AS sealed, details_sealed AS details, sent_back_reason AS reason FROM enrollments ORDER BY 1";
        let entries = "SELECT entry AS id, id_sealed AS sealed, card_sealed AS details, remark AS reason FROM award_entries ORDER BY 1";
        let mut old = Vec::new();
        for (db, select) in [(&enrollment, enrollments), (&aid, entries)] {
            let mut tx = db.read().await.expect("reads");
            old.push(rows!(&mut tx, Old, select).expect("rows"));
            tx.rollback().await.expect("ends");
        }
        tokio::join!(enrollment.close(), aid.close());
        start(before.options.clone()).await.stop().await;
        let (enrollment, aid) = databases(&before).await;
        let sealed_before = [
            (&enrollment, "enrollments", "UPDATE enrollments SET id_sealed = $2, details_sealed = $3, sent_back_reason = $4 WHERE enrollment = $1"),
            (&aid, "entries", "UPDATE award_entries SET id_sealed = $2, card_sealed = $3, remark = $4 WHERE entry = $1"),
        ];
        for ((db, name, update), old) in sealed_before.into_iter().zip(&old) {
            let (done, waiting) = old.split_at(old.len() / 2);
            let mut tx = db.begin().await.expect("begins");
            for row in waiting {
                run!(&mut tx, update, row.id, &row.sealed, &row.details, &row.reason).expect("is written");
            }
            let last = done.last().expect("some are done").id.to_string();
            run!(&mut tx, "UPDATE conversions SET done = $1, after_key = $2 WHERE name = $3", false, last, name).expect("is written");
            run!(&mut tx, "DELETE FROM conversions WHERE name LIKE 'compact%'").expect("is written");
            tx.commit().await.expect("commits");
        }
        tokio::join!(enrollment.close(), aid.close());
        let deployment = start(before.options.clone()).await;
        let admin = Session::log_in(&format!("http://{}", deployment.http), "admin", before.password("admin")).await.expect("logs in");
        deployment.drain().await.expect("drains");
        assert_all_is_there(&admin, &before).await;
        deployment.stop().await;
        assert_nowhere(&before.plain(NUMBERS), &stored(&before).await);
        let (enrollment, aid) = databases(&before).await;
        let of_before = [
            (&enrollment, "SELECT id_sealed FROM enrollments UNION ALL SELECT details_sealed FROM enrollments"),
            (&aid, "SELECT id_sealed FROM award_entries UNION ALL SELECT card_sealed FROM award_entries WHERE card_sealed IS NOT NULL"),
        ];
        for (db, select) in of_before {
            let mut tx = db.read().await.expect("reads");
            let left = rows!(&mut tx, (Vec<u8>,), select).expect("rows").iter().filter(|(sealed,)| Keyring::is_of_before(sealed)).count();
            tx.rollback().await.expect("ends");
            assert_eq!(left, 0, "{engine:?}: all is sealed anew");
        }
        if let Engine::Postgres = engine {
            let mut tx = aid.read().await.expect("reads");
            let seen = one!(&mut tx, (i32, i32), "SELECT relpages, relallvisible FROM pg_class WHERE oid = 'award_entries'::regclass").expect("reads");
            tx.rollback().await.expect("ends");
            assert!(seen.is_some_and(|(pages, visible)| pages > 0 && visible == pages), "an index alone can answer: {seen:?}");
        }
        // What an end of a number was kept in is empty.
        let mut tx = aid.read().await.expect("reads");
        assert!(one!(&mut tx, (i32,), "SELECT 1 FROM award_entries WHERE id_masked <> '' OR card_tail <> ''").expect("reads").is_none());
        tx.rollback().await.expect("ends");
        let mut tx = enrollment.read().await.expect("reads");
        assert!(one!(&mut tx, (i32,), "SELECT 1 FROM enrollments WHERE id_masked <> ''").expect("reads").is_none());
        tx.rollback().await.expect("ends");
    }
}

/// Submissions were half taken over when the first start was killed: the next goes on. Where it isn't known who attested, somebody attests
/// again: else whoever did could approve.
#[tokio::test(flavor = "multi_thread")]
async fn submissions_of_before_are_taken_over_once_and_attested_again_where_nobody_is_known() {
    const TABLES: [(&str, &str); 4] = [
        ("DELETE FROM dossier_acts WHERE dossier > $1", "SELECT count(*) FROM dossier_acts"),
        ("DELETE FROM dossier_items WHERE dossier > $1", "SELECT count(*) FROM dossier_items"),
        ("DELETE FROM dossier_steps WHERE dossier > $1", "SELECT count(*) FROM dossier_steps"),
        ("DELETE FROM dossiers WHERE dossier > $1", "SELECT count(*) FROM dossiers"),
    ];
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let rest = before.manifest["rest"].clone();
        start(before.options.clone()).await.stop().await;
        let (enrollment, aid) = databases(&before).await;
        let mut tx = enrollment.begin().await.expect("begins");
        let dossiers = rows!(&mut tx, (Uuid,), "SELECT dossier FROM dossiers ORDER BY dossier").expect("reads");
        let half = dossiers[dossiers.len() / 2].0;
        let mut counts = Vec::new();
        for (delete, count) in TABLES {
            counts.push(one!(&mut tx, (i64,), count).expect("reads").expect("a count").0);
            run!(&mut tx, delete, half).expect("is undone");
        }
        let after = "UPDATE conversions SET done = $1, after_key = $2 WHERE name = 'submissions'";
        run!(&mut tx, after, false, half.to_string()).expect("is as it was");
        tx.commit().await.expect("commits");
        tokio::join!(enrollment.close(), aid.close());
        let deployment = start(before.options.clone()).await;
        let province = Session::log_in(&format!("http://{}", deployment.http), PROVINCE, before.password(PROVINCE)).await.expect("logs in");
        assert_submissions_are_dossiers(&province, &rest).await;
        deployment.stop().await;
        // Once more, and nobody knows who attested.
        let (enrollment, aid) = databases(&before).await;
        let mut tx = enrollment.begin().await.expect("begins");
        for ((delete, count), counted) in TABLES.into_iter().zip(counts) {
            assert_eq!(one!(&mut tx, (i64,), count).expect("reads").expect("a count").0, counted, "{engine:?}: {count}");
            run!(&mut tx, delete, Uuid::nil()).expect("is undone");
        }
        run!(&mut tx, after, false, "").expect("is as it was");
        run!(&mut tx, "UPDATE submissions SET attested_by = ''").expect("is unknown");
        tx.commit().await.expect("commits");
        tokio::join!(enrollment.close(), aid.close());
        let deployment = start(before.options.clone()).await;
        let province = Session::log_in(&format!("http://{}", deployment.http), PROVINCE, before.password(PROVINCE)).await.expect("logs in");
        let mut again = 0;
        for (school, held) in rest["bySchool"].as_object().into_iter().flatten() {
            for (submission, before) in held["submissionDetails"].as_object().into_iter().flatten().filter(|(_, row)| row["state"] == "ATTESTED") {
                let path = format!("/v1/schools/{school}/submissions/{submission}");
                let row = province.get(&path).await.expect("is there");
                assert_eq!((&row["state"], &row["step"], &row["digest"]), (&json!("SUBMITTED"), &json!(0), &before["digest"]), "{engine:?} {row}");
                assert_eq!(row["waitsAt"], "校长");
                let waiting = province.get(&format!("/v1/schools/{school}/enrollments?submission={submission}&state=SUBMITTED")).await.expect("rows");
                let left = before["count"].as_u64().expect("a count") - before["approved"].as_u64().expect("a count");
                assert_eq!(waiting["enrollments"].as_array().map(|rows| rows.len() as u64), Some(left), "{engine:?} {waiting}");
                again += 1;
            }
        }
        assert!(again > 1, "{again}");
        deployment.stop().await;
    }
}

/// The generations of the mirror that named a school were cleared away before its lists were taken over: its province decides.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_a_school_that_no_mirror_names_any_more_wait_for_its_province() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        start(before.options.clone()).await.stop().await;
        let (enrollment, aid) = databases(&before).await;
        let mut tx = aid.begin().await.expect("begins");
        let waiting = "SELECT dossier, school, authority, waits_at FROM dossiers WHERE state < 50 AND waits_at LIKE 'D%' ORDER BY dossier";
        let known = rows!(&mut tx, (Uuid, String, String, String), waiting).expect("reads");
        assert!(!known.is_empty() && known.iter().all(|(_, _, authority, waits_at)| *waits_at == format!("D{authority}")), "{engine:?} {known:?}");
        for delete in
            ["DELETE FROM mirror_schools", "DELETE FROM dossier_acts", "DELETE FROM dossier_items", "DELETE FROM dossier_steps", "DELETE FROM dossiers"]
        {
            run!(&mut tx, delete).expect("is undone");
        }
        run!(&mut tx, "UPDATE conversions SET done = $1, after_key = $2 WHERE name = 'lists'", false, "").expect("is as it was");
        tx.commit().await.expect("commits");
        tokio::join!(enrollment.close(), aid.close());
        start(before.options.clone()).await.stop().await;
        let (enrollment, aid) = databases(&before).await;
        let mut tx = aid.read().await.expect("reads");
        let again = rows!(&mut tx, (Uuid, String, String, String), waiting).expect("reads");
        tx.rollback().await.expect("ends");
        let expected: Vec<_> = known
            .iter()
            .map(|(dossier, school, ..)| {
                let province = format!("{}0000", &school[2..4]);
                (*dossier, school.clone(), province.clone(), format!("D{province}"))
            })
            .collect();
        assert_eq!(again, expected, "{engine:?}");
        tokio::join!(enrollment.close(), aid.close());
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
        // Rows were sealed under a second key as well, which the file does not hold.
        let (enrollment, aid) = databases(&before).await;
        let mut tx = aid.begin().await.expect("begins");
        run!(&mut tx, "INSERT INTO key_checks (kind, key_id, key_check) VALUES ('seal', 'second', $1)", &[7_u8; 16][..]).expect("is known");
        tx.commit().await.expect("commits");
        tokio::join!(enrollment.close(), aid.close());
        assert!(refused(&before).await.contains("second"), "it is named");
    }
}

/// The first start on a folder of before, telling all that it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_logs_no_number_and_no_name() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let before = Before::province(Engine::Sqlite, folder.path()).await;
    let (http, log) = (free_address(), folder.path().join("log"));
    let mut up = Command::new(binary());
    up.args(["up", "--http", &http, "--data"]).arg(&before.options.data);
    let mut process = Process::tracing(&mut up, &log);
    let base = format!("http://{http}");
    let province = answered(async || Session::log_in(&base, PROVINCE, before.password(PROVINCE)).await).await;
    let run = province.post("/v1/reconciliations", &json!({}), "").await.expect("a sweep");
    let path = format!("/v1/reconciliations/{}", run["run"].as_str().expect("an id"));
    until("the sweep ends", async || province.get(&path).await.is_ok_and(|run| run["state"] == "DONE")).await;
    let rows = pages(&province, "/v1/flags", "flags").await;
    let names: Vec<String> = rows.as_array().expect("a list").iter().filter_map(|flag| flag["name"].as_str().map(str::to_owned)).collect();
    process.signal("-TERM");
    let log = fs::read(&log).expect("is there");
    assert!(log.len() > 100_000 && !names.is_empty(), "everything is told at this level");
    let printed: Vec<String> = names.iter().map(|name| name.as_bytes().escape_ascii().to_string()).collect();
    assert_nowhere(&[before.plain(NUMBERS), names, printed].concat(), &[("the log".to_owned(), log)]);
}

/// The keyring of before lies where nothing can be written: a start names the command that splits it, which makes the new files.
#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_of_before_is_split_by_a_command_that_a_start_names() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let before = Before::province(Engine::Postgres, folder.path()).await;
    let databases = before.options.databases.clone().expect("on PostgreSQL");
    let (keyring, out) = (before.options.data.join("keyring.json"), folder.path().join("keys"));
    let files = key_files(&out);
    for (service, url) in [("enrollment", ("ENROLLMENT_DATABASE_URL", &databases.0)), ("aid", ("AID_DATABASE_URL", &databases.1))] {
        let told = Command::new(binary())
            .arg(service)
            .env(format!("XUEZHU_{}", url.0), url.1)
            .env("XUEZHU_KEYRING_FILE", &keyring)
            .env("XUEZHU_ENROLLMENT_KEYS_FILE", &files.enrollment)
            .env("XUEZHU_AID_KEYS_FILE", &files.aid)
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&told.stderr).into_owned();
        let named = format!("xuezhu admin keyring split {} --out {}", keyring.display(), out.display());
        assert!(!told.status.success() && text.contains(&named), "{service}: {text}");
        assert!(!out.exists(), "nothing was made");
    }
    let split = Command::new(binary()).args(["admin", "keyring", "split"]).arg(&keyring).arg("--out").arg(&out).output().expect("runs");
    assert!(split.status.success(), "{split:?}");
    let apart = Apart::start(&out, &databases.0, &databases.1);
    let base = apart.base();
    let province = answered(async || Session::log_in(&base, PROVINCE, before.password(PROVINCE)).await).await;
    until("both are ready", async || reqwest::get(format!("{base}/readyz")).await.is_ok_and(|answer| answer.status().is_success())).await;
    // Apart the services live today, not on the day of the folder: so it is looked at who is there, not in what state.
    let rest = &before.manifest["rest"];
    assert_eq!(pages(&province, "/v1/schools", "schools").await.as_array().map(Vec::len), rest["schools"].as_array().map(Vec::len));
    for (school, held) in rest["bySchool"].as_object().into_iter().flatten() {
        let shown = |rows: &Value| {
            let row = |row: &Value| (row["enrollment"].to_string(), row["name"].to_string(), row["approvedDate"].to_string());
            rows.as_array().expect("a list").iter().map(row).collect::<std::collections::BTreeSet<_>>()
        };
        let there = pages(&province, &format!("/v1/schools/{school}/enrollments"), "enrollments").await;
        assert_eq!(shown(&there), shown(&held["enrollments"]), "{school}");
    }
    drop(apart);
    assert_nowhere(&before.plain(NUMBERS), &stored(&before).await);

    // What an outside follower's handshake needs.
    let told = Command::new(binary()).args(["admin", "follower-key", "--json"]).arg(&files.enrollment).output().expect("runs");
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let keys = Keyring::load(&files.enrollment, Service::Enrollment).expect("keys");
    let check = format!("{:032x}", u128::from_be_bytes(keys.hash_key_check()));
    assert_eq!((&told["hashKeyId"], &told["hashKeyCheck"]), (&json!(keys.hash_key_id()), &json!(check)));
}

/// The first start was killed after its migrations, before it had noted by what the keys are known again.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_was_killed_after_its_migrations_goes_on() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let (enrollment, aid) = databases(&before).await;
        enrollment.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
        aid.migrate(&xuezhu_aid::MIGRATIONS).await.expect("migrates");
        tokio::join!(enrollment.close(), aid.close());
        let deployment = start(before.options.clone()).await;
        let admin = Session::log_in(&format!("http://{}", deployment.http), "admin", before.password("admin")).await.expect("logs in");
        deployment.drain().await.expect("drains");
        assert_all_is_there(&admin, &before).await;
        deployment.stop().await;
    }
}

/// The first start was killed between two of its migrations, whichever: the next proves its keys on what it finds, and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_was_killed_between_any_two_migrations_goes_on() {
    prepare();
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let out = folder.path().join("keys");
        let split = Command::new(binary()).args(["admin", "keyring", "split"]).arg(before.options.data.join("keyring.json")).arg("--out").arg(&out).output();
        assert!(split.expect("runs").status.success());
        let files = key_files(&out);
        let keys = |path: &Path, service| Keyring::load(path, service).expect("keys");
        let (ours, theirs) = (keys(&files.enrollment, Service::Enrollment), keys(&files.aid, Service::Aid));
        let (enrollment, aid) = databases(&before).await;
        for (db, migrations) in [(&enrollment, &xuezhu_enrollment::MIGRATIONS), (&aid, &xuezhu_aid::MIGRATIONS)] {
            for count in 1..=migrations.iter().count() {
                let mut some = Migrator::with_migrations(migrations.iter().take(count).cloned().collect());
                // Those of before are done already.
                db.migrate(some.set_ignore_missing(true)).await.expect("migrates");
                assert!(xuezhu_enrollment::before::is_used(&enrollment).await.expect("reads") && xuezhu_aid::before::is_used(&aid).await.expect("reads"));
                xuezhu_enrollment::before::prove(&enrollment, &ours).await.unwrap_or_else(|error| panic!("after {count}: {error}"));
                xuezhu_aid::before::prove(&aid, &theirs).await.unwrap_or_else(|error| panic!("after {count}: {error}"));
            }
        }
        tokio::join!(enrollment.close(), aid.close());
        let deployment = start(before.options.clone()).await;
        let admin = Session::log_in(&format!("http://{}", deployment.http), "admin", before.password("admin")).await.expect("logs in");
        deployment.drain().await.expect("drains");
        assert_all_is_there(&admin, &before).await;
        deployment.stop().await;
    }
}
