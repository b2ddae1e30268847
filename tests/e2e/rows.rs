//! What stands of accounts, approvals, amounts and places is what the services wrote: what a hand changes, adds, takes away or puts back in the
//! database is named, and an act upon it does not wash it clean.

use std::path::Path;

use serde_json::json;
use xuezhu::{
    client::Session,
    deployment::Deployment,
    verify::{Asked, verify},
};
use xuezhu_audit::written::verify::verify_within;
use xuezhu_service::{runner::ROWS, settings::Settings};
use xuezhu_store::{run, strange};
use xuezhu_tests::{
    Engine, deployment, rows,
    schools::{self, PASSWORD, People, SCHOOL, reason, student},
};

use crate::quotas;

/// Does something to a database by hand.
macro_rules! by_hand {
    ($db:expr, $($sql:expr),+) => {{
        let mut tx = $db.begin().await.expect("begins");
        $( run!(&mut tx, $sql).expect("is done by hand"); )+
        tx.commit().await.expect("commits");
    }};
}

const KINDS: [&str; 4] = ["account", "dossier", "award entry", "quota place"];

/// Four who ask, three who are let in and approved; the fourth waits for the department.
async fn begun(engine: Engine, folder: &Path) -> (Deployment, People, String) {
    let (deployment, people) = quotas::begun(engine, folder, "rows", &quotas::quota("three", "SCHOOL", "persons = 3")).await;
    quotas::poor(&deployment, &people, &[(1, "特别困难"), (2, "困难"), (3, "困难"), (4, "一般困难")]).await;
    let list = quotas::list(&people, &[1, 2, 3, 4].map(|serial| quotas::line(serial, "一档", "", ""))).await;
    people.attested(&list).await;
    assert_eq!(people.approve(&list).await.expect("is approved")["approved"], 3, "{engine:?}");
    rows::assert_whole(&deployment, &KINDS, &format!("{engine:?}")).await;
    (deployment, people, list)
}

async fn found(deployment: &Deployment) -> Vec<String> {
    rows::named(&rows::found(deployment).await)
}

async fn entry(people: &People, list: &str, serial: u32) -> String {
    let answer = people.officer.get(&format!("{list}/entries?pageSize=100")).await.expect("entries");
    let name = &student(serial)["姓名"];
    let entry = answer["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == *name).expect("is on it").clone();
    entry["entry"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hand_changes_is_named_until_it_is_changed_back() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, ..) = begun(engine, folder.path()).await;
        let [enrollment, aid] = deployment.databases();
        for (db, done, undone, wrong) in [
            (aid, "UPDATE award_units SET fen = fen + 1", "UPDATE award_units SET fen = fen - 1", "award entry Changed"),
            (
                aid,
                "UPDATE award_units SET standing = standing + 40 WHERE standing = 11",
                "UPDATE award_units SET standing = 11 WHERE standing = 51",
                "award entry Changed",
            ),
            (aid, "UPDATE award_units SET first_month = first_month + 100", "UPDATE award_units SET first_month = first_month - 100", "award entry Changed"),
            (aid, "UPDATE award_entries SET amount_fen = amount_fen + 1", "UPDATE award_entries SET amount_fen = amount_fen - 1", "award entry Changed"),
            (
                aid,
                "UPDATE award_entries SET state = state + 1 WHERE state = 12",
                "UPDATE award_entries SET state = 12 WHERE entry NOT IN (SELECT entry FROM quota_places)",
                "award entry Changed",
            ),
            (aid, "UPDATE award_entries SET state = 1 WHERE state = 12", "UPDATE award_entries SET state = 12 WHERE state = 1", "award entry Gone"),
            (aid, "UPDATE award_entries SET gone = NOT gone", "UPDATE award_entries SET gone = NOT gone", "award entry Changed"),
            (aid, "UPDATE quota_places SET school = school || '9'", "UPDATE quota_places SET school = substr(school, 1, 10)", "quota place Changed"),
            (
                aid,
                "UPDATE dossier_acts SET account = account || 'x'",
                "UPDATE dossier_acts SET account = substr(account, 1, length(account) - 1)",
                "dossier Changed",
            ),
            (aid, "UPDATE dossier_items SET line = line || ' '", "UPDATE dossier_items SET line = substr(line, 1, length(line) - 1)", "dossier Changed"),
            (enrollment, "UPDATE dossier_steps SET duty = duty + 1", "UPDATE dossier_steps SET duty = duty - 1", "dossier Changed"),
            // What no dossier can hold hides no other.
            (enrollment, "UPDATE dossiers SET state = state + 100", "UPDATE dossiers SET state = state - 100", "dossier Changed"),
            (enrollment, "UPDATE dossiers SET signatures = signatures + 1", "UPDATE dossiers SET signatures = signatures - 1", "dossier Changed"),
            (
                enrollment,
                "UPDATE accounts SET organisation = organisation || '0'",
                "UPDATE accounts SET organisation = substr(organisation, 1, length(organisation) - 1)",
                "account Changed",
            ),
        ] {
            by_hand!(db, done);
            let named = found(&deployment).await;
            assert!(!named.is_empty() && named.iter().all(|found| found == wrong), "{engine:?} {done}: {named:?}");
            by_hand!(db, undone);
            assert_eq!(found(&deployment).await, Vec::<String>::new(), "{engine:?} {undone}");
        }
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hand_adds_or_takes_away_is_named_and_the_command_says_so() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, ..) = begun(engine, folder.path()).await;
        let [enrollment, aid] = deployment.databases();
        by_hand!(
            enrollment,
            "INSERT INTO accounts (account, display_name, role, organisation, password_hash, must_change_password, wrong_passwords, locked_until_us, created_at_us)
             SELECT 'ghost', 'ghost', 'ADMINISTRATOR', '', password_hash, false, 0, 0, 0 FROM accounts WHERE account = 'head'",
            "DELETE FROM accounts WHERE account = 'other'"
        );
        by_hand!(
            aid,
            "INSERT INTO quota_places (entry, scheme, term, school, region, grade, grounds)
             SELECT a.entry, p.scheme, p.term, p.school, p.region, p.grade, p.grounds FROM award_entries a, quota_places p WHERE a.state = 12 LIMIT 1",
            "DELETE FROM quota_places WHERE entry IN (SELECT q.entry FROM quota_places q JOIN award_entries a ON a.entry = q.entry WHERE a.state = 13 LIMIT 1)"
        );
        assert_eq!(found(&deployment).await, ["account Added", "account Gone", "quota place Added", "quota place Gone"], "{engine:?}");
        // What was written, too: a part that is taken away, and one that is written in.
        by_hand!(
            aid,
            "INSERT INTO row_writes (line, ordinal, kind, records) SELECT entry, 0, 4, content_hash FROM award_entries WHERE state = 12",
            "DELETE FROM row_writes WHERE kind = 4 AND line NOT IN (SELECT entry FROM award_entries)"
        );
        let named = found(&deployment).await;
        assert!(named.iter().filter(|found| *found == "written").count() >= 2, "{engine:?}: bytes that nobody wrote end nothing: {named:?}");
        deployment.stop().await;
        if engine == Engine::Sqlite {
            let told = verify(&Settings::default(), &Asked { data: Some(folder.path().to_owned()), ..Asked::default() }).await.expect("is walked");
            assert!(!told.is_whole, "{}", told.text);
            for what in ["account ghost was not written by the service", "account other is gone", "quota place"] {
                assert!(told.text.contains(what), "{what}: {}", told.text);
            }
            assert_eq!(told.json["services"][0]["altered"], json!(["account ghost", "account other"]), "{}", told.json);
        }
    }
}

/// Who signs for whom, whose a class is, and over which desks a list goes.
#[tokio::test(flavor = "multi_thread")]
async fn what_makes_somebody_sign_or_leaves_a_desk_out_is_what_the_services_wrote() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.open_account("deputy", "SCHOOL_CLERK", SCHOOL, PASSWORD).await;
        people.open_account("teacher", "CLASS_TEACHER", SCHOOL, PASSWORD).await;
        people.import(&[student(1)]).await;
        people.register().await;
        let (today, path) = (deployment.today().to_string(), |what: &str| format!("/v1/schools/{SCHOOL}/{what}"));
        let named = json!({ "account": "deputy", "fromDate": today, "toDate": today, "reason": "出差" });
        let named = people.head.post(&path("deputies"), &named, "").await.expect("is named");
        let classes = json!({ "className": "1班", "account": "teacher", "fromDate": today });
        people.clerk.post(&path("classTeachers"), &classes, "").await.expect("is hers");
        for service in ["enrollment", "aid"] {
            let kind = if service == "aid" { "HARDSHIP" } else { "REGISTRATION" };
            let chain = json!({ "kind": kind, "scope": "430102", "fromDate": today, "steps": "PRINCIPAL, AUTHORITY, CITY", "reason": "试点" });
            people.admin.post(&format!("/v1/{service}Chains"), &chain, "").await.expect("is set");
        }
        people.head.post(&path(&format!("deputies/{}/end", named["deputy"].as_str().expect("an id"))), &json!({}), "").await.expect("is ended");
        let classes = json!({ "className": "1班", "account": "", "fromDate": deployment.today().succ_opt().expect("a day").to_string() });
        people.clerk.post(&path("classTeachers"), &classes, "").await.expect("is nobody's");
        rows::assert_whole(&deployment, &["deputy", "class teacher", "desk chain"], &format!("{engine:?}")).await;
        let [enrollment, aid] = deployment.databases();
        by_hand!(
            enrollment,
            "UPDATE deputies SET ended_day = NULL",
            "UPDATE class_teachers SET to_day = NULL",
            "UPDATE chains SET steps = 'PRINCIPAL/10, AUTHORITY/10'"
        );
        by_hand!(aid, "DELETE FROM chains");
        let mut tx = enrollment.begin().await.expect("begins");
        let ghost = "INSERT INTO deputies (deputy, school, account, from_day, to_day, reason, named_by, named_by_name, named_at_us)
                     SELECT $1, school, account, from_day, to_day, reason, named_by, named_by_name, named_at_us FROM deputies";
        run!(&mut tx, ghost, uuid::Uuid::nil()).expect("is done by hand");
        tx.commit().await.expect("commits");
        let wrong = ["class teacher Changed", "deputy Added", "deputy Changed", "desk chain Changed", "desk chain Gone"];
        assert_eq!(found(&deployment).await, wrong, "{engine:?}");
        deployment.stop().await;
    }
}

/// What the database itself would do to what is written, and values that read the same and are found by no search.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_program_never_made_in_a_database_is_named() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, ..) = begun(engine, folder.path()).await;
        let [enrollment, aid] = deployment.databases();
        let look = async || {
            let mut all = Vec::new();
            for (db, migrations) in [(enrollment, &xuezhu_enrollment::MIGRATIONS), (aid, &xuezhu_aid::MIGRATIONS)] {
                let mut tx = db.read().await.expect("begins");
                all.extend(strange(&mut tx, migrations).await.expect("is looked at"));
                tx.rollback().await.expect("ends");
            }
            all
        };
        assert_eq!(look().await, [""; 0], "{engine:?}");
        if engine == Engine::Postgres {
            by_hand!(
                aid,
                "CREATE FUNCTION zz() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.amount_fen := NEW.amount_fen * 3; RETURN NEW; END'",
                "CREATE TRIGGER zz BEFORE UPDATE ON award_entries FOR EACH ROW EXECUTE FUNCTION zz()"
            );
            assert_eq!(look().await, ["trigger zz on award_entries: the program has none"]);
            deployment.stop().await;
            continue;
        }
        by_hand!(
            aid,
            "CREATE TRIGGER zz AFTER UPDATE OF state ON award_entries BEGIN UPDATE award_units SET fen = fen * 3 WHERE entry = new.entry; END",
            "DROP VIEW approved_units",
            "CREATE VIEW approved_units AS SELECT 1 AS entry",
            "UPDATE award_units SET subject = CAST(subject AS text)"
        );
        by_hand!(enrollment, "UPDATE dossiers SET since_day = '2026-9-01'", "UPDATE accounts SET disabled = 0.5 WHERE account = 'other'");
        let found = look().await;
        for what in [
            "trigger zz is not the program's",
            "view approved_units is not the program's",
            "award_units.subject: ",
            "dossiers.since_day: ",
            "accounts.disabled: 1 ",
        ] {
            assert!(found.iter().any(|found| found.starts_with(what)), "{what}: {found:?}");
        }
        assert_eq!(found.len(), 5, "{found:?}");
        deployment.stop().await;
        let told = verify(&Settings::default(), &Asked { data: Some(folder.path().to_owned()), ..Asked::default() }).await.expect("is walked");
        assert!(!told.is_whole && told.text.contains("trigger zz") && told.text.contains("award_units.subject"), "{}", told.text);
    }
}

/// With little memory the same is found, by reading more often.
#[tokio::test(flavor = "multi_thread")]
async fn verification_takes_no_more_memory_than_it_is_given() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, ..) = begun(engine, folder.path()).await;
        let [enrollment, aid] = deployment.databases();
        by_hand!(enrollment, "UPDATE accounts SET organisation = organisation || '0'", "DELETE FROM accounts WHERE account = 'other'");
        by_hand!(aid, "UPDATE award_units SET fen = fen + 1");
        let parts = [
            (enrollment, &deployment.enrollment_parts().keyring, &xuezhu_enrollment::BOUND[..]),
            (aid, &deployment.aid_parts().keyring, &xuezhu_aid::BOUND[..]),
        ];
        for (db, keyring, kinds) in parts {
            let mut tx = db.read().await.expect("begins");
            let mut reports = Vec::new();
            for bytes in [64, 1 << 30] {
                let mut report = verify_within(&mut tx, &keyring.chain(ROWS), kinds, bytes).await.expect("is looked at");
                report.faults.sort_by_key(|fault| format!("{fault:?}"));
                reports.push(report);
            }
            tx.rollback().await.expect("ends");
            assert!(!reports[0].faults.is_empty(), "{engine:?}");
            assert_eq!(reports[0], reports[1], "{engine:?}");
        }
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_as_it_was_is_named_and_an_act_does_not_wash_it_clean() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people, list) = begun(engine, folder.path()).await;
        let [enrollment, aid] = deployment.databases();
        // An account that was closed is put back as it was, check and all: it logs in, and is named.
        by_hand!(enrollment, "CREATE TABLE kept AS SELECT * FROM accounts WHERE account = 'other'");
        people.admin.post("/v1/accounts/other/disable", &json!({}), "").await.expect("is closed");
        by_hand!(
            enrollment,
            "UPDATE accounts SET disabled = (SELECT disabled FROM kept)  WHERE account = 'other'",
            "UPDATE accounts SET row_check = (SELECT row_check FROM kept)  WHERE account = 'other'",
            "DROP TABLE kept"
        );
        assert_eq!(found(&deployment).await, ["account Changed"], "{engine:?}");
        // Closed once more by who may: what it was in between stays on record.
        people.admin.post("/v1/accounts/other/disable", &json!({}), "").await.expect("is closed");
        assert_eq!(found(&deployment).await, ["account ChangedBetween"], "{engine:?}");
        // An entry that was voided is given its money again.
        let one = entry(&people, &list, 1).await;
        let void = json!({ "what": "VOID", "entries": [one], "reason": "放弃" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &void, "").await.expect("is voided");
        assert_eq!(found(&deployment).await, ["account ChangedBetween"], "{engine:?}");
        by_hand!(aid, "UPDATE award_units SET standing = 11 WHERE standing > 60", "UPDATE award_entries SET gone = false WHERE gone");
        assert_eq!(found(&deployment).await, ["account ChangedBetween", "award entry Changed"], "{engine:?}");
        by_hand!(aid, "UPDATE award_units SET standing = 11, fen = fen + 1000 WHERE standing = 1");
        // The last one waits with another amount than was signed, and is approved so, now that there is room.
        by_hand!(aid, "UPDATE award_entries SET amount_fen = amount_fen + 1000 WHERE state = 12");
        let named = found(&deployment).await;
        assert_eq!(named, ["account ChangedBetween", "award entry Changed", "award entry Changed"], "{engine:?}");
        people.officer.post(&format!("{list}/sendBack"), &json!({ "reason": "再核" }), "").await.expect("is sent back");
        assert_eq!(found(&deployment).await, ["account ChangedBetween", "award entry Changed", "award entry Gone"], "{engine:?}");
        assert!(reason(Session::log_in(&format!("http://{}", deployment.http), "other", PASSWORD).await.map(drop)).0 >= 400);
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_believed_once_that_is_over_whether_anybody_acted_since_or_not() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        schools::open(&deployment).await;
        let [enrollment, aid] = deployment.databases();
        by_hand!(
            enrollment,
            "INSERT INTO accounts (account, display_name, role, organisation, password_hash, must_change_password, wrong_passwords, locked_until_us, created_at_us)
             SELECT 'ghost', 'ghost', 'ADMINISTRATOR', '', password_hash, false, 0, 0, 0 FROM accounts WHERE account = 'head'",
            "UPDATE conversions SET done = false WHERE name LIKE 'rows %'"
        );
        let mut tx = aid.begin().await.expect("begins");
        let place =
            "INSERT INTO quota_places (entry, scheme, term, school, region, grade, grounds) VALUES ($1, 'GRANT', '2026-AUTUMN', $2, '430102', 1, 'HARDSHIP')";
        run!(&mut tx, place, uuid::Uuid::from_u128(7), SCHOOL).expect("is done by hand");
        run!(&mut tx, "UPDATE conversions SET done = false WHERE name LIKE 'rows %'").expect("is done by hand");
        tx.commit().await.expect("commits");
        // A start would go on where it was told to.
        deployment.enrollment_parts().runner.bind_of_before(&xuezhu_enrollment::BOUND).await.expect("is done");
        deployment.aid_parts().runner.bind_of_before(&xuezhu_aid::BOUND).await.expect("is done");
        assert_eq!(found(&deployment).await, ["account Added", "quota place Added"], "{engine:?}");
        deployment.stop().await;
    }
}
