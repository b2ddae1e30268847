//! What stands of accounts, approvals, amounts and places is what the services wrote: what a hand changes, adds, takes away or puts back in the
//! database is named, and an act upon it does not wash it clean.

use std::path::Path;

use serde_json::json;
use xuezhu::{
    client::Session,
    deployment::Deployment,
    verify::{Asked, verify},
};
use xuezhu_service::settings::Settings;
use xuezhu_store::run;
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
