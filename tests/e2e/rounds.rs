//! Award lists as dossiers: each time that drafts are submitted is a round, over any chain of desks; what is counted anew is what is kept.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_aid::award::{corrections::rules::What, kind::ABOUT, units::rules::Standing};
use xuezhu_judge::entry::State;
use xuezhu_review::way::{ItemState, State as Stands};
use xuezhu_store::{Db, Tx, one, rows};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, People, SCHOOL, awards, number, reason, student},
};

/// Counts everything that the aid service keeps of lists anew: what waits, waits in one round; what was approved, was performed once and has
/// its units; what rounds count, their sheets hold.
pub async fn assert_counts(aid: &Db) {
    let mut tx = aid.read().await.expect("reads");
    let entries = rows!(
        &mut tx,
        (Uuid, Uuid, i32, i64, i64, i64, i64),
        "SELECT a.entry, a.list, a.state, a.amount_fen, (SELECT CAST(coalesce(sum(u.fen), 0) AS bigint) FROM award_units u WHERE u.entry = a.entry),
             (SELECT count(*) FROM dossier_items i JOIN dossiers d ON d.dossier = i.dossier
              WHERE i.item = a.entry AND d.subject = a.list AND d.kind = $1 AND d.state = $2 AND i.state = $3),
             (SELECT count(*) FROM dossier_items i JOIN dossiers d ON d.dossier = i.dossier
              WHERE i.item = a.entry AND d.subject = a.list AND d.kind = $1 AND i.state = $4)
         FROM award_entries a",
        ABOUT.code,
        Stands::UnderWay.code(),
        ItemState::Waiting.code(),
        ItemState::Performed.code()
    )
    .expect("entries");
    for (entry, _, state, amount, units, waiting, performed) in entries {
        let state = State::try_from(state).expect("a state");
        let expected = match state {
            State::Draft | State::SentBack | State::Removed => (0, 0),
            State::Submitted | State::Attested => (1, 0),
            State::Approved => (0, 1),
        };
        assert_eq!((waiting, performed), expected, "{entry} {state:?}");
        assert_eq!(units, if state == State::Removed { 0 } else { amount }, "{entry} {state:?}");
    }
    let dossiers =
        "SELECT count(*) FROM dossiers d WHERE (d.waiting, d.performed, d.left_count) <> (SELECT coalesce(sum(CASE WHEN i.state = $1 THEN 1 ELSE 0 END), 0),
                        coalesce(sum(CASE WHEN i.state = $2 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN i.state > $2 THEN 1 ELSE 0 END), 0)
                    FROM dossier_items i WHERE i.dossier = d.dossier)
                        OR (d.state = $3) <> (d.waits_at <> '') OR (d.waiting > 0 AND d.state <> $3)
                        OR d.acts <> (SELECT count(*) FROM dossier_acts a WHERE a.dossier = d.dossier)";
    let wrong = one!(&mut tx, (i64,), dossiers, ItemState::Waiting.code(), ItemState::Performed.code(), Stands::UnderWay.code()).expect("dossiers");
    assert_eq!(wrong, Some((0,)));
    let units = "SELECT count(*) FROM award_units u JOIN award_entries a ON a.entry = u.entry WHERE (a.state = $1) = (u.standing = $2)";
    assert_eq!(one!(&mut tx, (i64,), units, State::Approved.code(), Standing::Claimed.code()).expect("units"), Some((0,)));
    assert_corrections(&mut tx).await;
    tx.rollback().await.expect("ends");
}

/// What corrections ask, hold and took, unit by unit.
async fn assert_corrections(tx: &mut Tx) {
    type Asked = (Uuid, i32, String, i64, i32);
    let asked = "SELECT c.entry, c.what, c.months, c.fen, i.state FROM award_corrections c JOIN dossier_items i ON i.dossier = c.dossier AND i.item = c.entry";
    let mut expected: BTreeMap<(Uuid, i32), i32> = BTreeMap::new();
    let mut fens: Vec<(Vec<(Uuid, i32)>, i64)> = Vec::new();
    for (entry, what, months, fen, state) in rows!(tx, Asked, asked).expect("corrections") {
        let what = What::try_from(what).expect("a correction");
        let months: Vec<(Uuid, i32)> = months.split(',').map(|month| (entry, month.parse().expect("a month"))).collect();
        let standing = match state {
            state if state == ItemState::Performed.code() => Some(what.leaves()),
            state if state == ItemState::Waiting.code() && what == What::Stop => Some(Standing::Stopping),
            _ => None,
        };
        for unit in standing.iter().flat_map(|_| &months) {
            assert!(expected.insert(*unit, standing.expect("is so").code()).is_none(), "{unit:?} is taken twice");
        }
        fens.push((months, fen));
    }
    type Row = (Uuid, i32, i32, i64, i32, bool);
    let stored = "SELECT u.entry, u.first_month, u.standing, u.fen, a.state, a.gone FROM award_units u JOIN award_entries a ON a.entry = u.entry";
    let (mut units, mut left) = (BTreeMap::new(), BTreeMap::<Uuid, (bool, bool)>::new());
    for (entry, first, standing, fen, state, gone) in rows!(tx, Row, stored).expect("units") {
        units.insert((entry, first), fen);
        let corrected = standing >= Standing::FIRST_CORRECTED;
        let (any, _) = left.entry(entry).or_insert((false, gone));
        *any |= !corrected;
        match expected.get(&(entry, first)) {
            Some(expected) => assert_eq!((*expected, state), (standing, State::Approved.code()), "{entry} {first}"),
            None => assert!(!corrected && standing != Standing::Stopping.code(), "{entry} {first} {standing}"),
        }
    }
    assert!(left.iter().all(|(_, (any, gone))| any != gone), "{left:?}");
    for (months, fen) in fens {
        assert_eq!(months.iter().map(|unit| units[unit]).sum::<i64>(), fen, "{months:?}");
    }
}

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

fn count(list: &Value, field: &str) -> i64 {
    list[field].as_i64().unwrap_or_else(|| panic!("{field} of {list}"))
}

/// Where the list stands: state, submitted, attested, approved, sent back.
fn stands(list: &Value) -> (&str, [i64; 4]) {
    (list["state"].as_str().expect("a state"), ["submitted", "attested", "approved", "sentBack"].map(|field| count(list, field)))
}

async fn entry(session: &Session, list: &str, serial: u32) -> Value {
    let answer = session.get(&format!("{list}/entries")).await.expect("entries");
    answer["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == name(serial)).cloned().expect("is on it")
}

/// Sends one entry back.
async fn send_back(session: &Session, list: &str, serial: u32) -> anyhow::Result<Value> {
    let id = entry(session, list, serial).await["entry"].clone();
    session.post(&format!("{list}/sendBack"), &json!({ "reason": "请核对", "entries": [id] }), "").await
}

async fn submit(people: &People, list: &str) -> Value {
    people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted")
}

async fn sign(session: &Session, list: &str, act: &str) -> anyhow::Result<Value> {
    let digest = session.get(list).await?["digest"].clone();
    session.post(&format!("{list}/{act}"), &json!({ "digest": digest }), "").await
}

/// A school with these registered, and a list of them.
async fn opened(deployment: &Deployment, students: u32) -> (People, String) {
    let people = schools::open(deployment).await;
    people.import(&(1..=students).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let lines: Vec<(String, String)> = (1..=students).map(|serial| (name(serial), number(serial))).collect();
    let list = people.list(&lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "9-10")).collect::<Vec<_>>()).await;
    (people, list)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_with_one_sent_back_the_list_is_approved_and_no_draft() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, list) = opened(&deployment, 5).await;
        let attested = people.attested(&list).await;
        assert_eq!((&attested["submittedBy"], &attested["attestedBy"], &attested["approvedBy"]), (&json!("clerk"), &json!("head"), &json!("")));
        assert!(!attested["submittedDate"].as_str().expect("a day").is_empty() && attested["attestedDate"] == attested["submittedDate"], "{attested}");
        let before = attested["digest"].clone();
        let back = send_back(&people.officer, &list, 3).await.expect("is sent back");
        assert_eq!(stands(&back), ("ATTESTED", [0, 4, 0, 1]), "{engine:?}");
        assert_ne!(back["digest"], before);
        let stale = people.officer.post(&format!("{list}/approve"), &json!({ "digest": before }), "").await;
        assert_eq!(reason(stale), (400, "DIGEST_MISMATCH".into()), "{engine:?}");
        let approved = people.approve(&list).await.expect("is approved");
        assert_eq!(stands(&approved), ("APPROVED", [0, 0, 4, 1]), "{engine:?}");
        assert_eq!((&approved["waitsAt"], &approved["dossiers"], &approved["approvedBy"]), (&json!(""), &json!([]), &json!("officer")), "{approved}");
        let found = people.officer.get("/v1/awardLists?state=APPROVED").await.expect("lists");
        assert_eq!(found["lists"][0]["list"], approved["list"], "{engine:?}: and is found as that");
        assert_eq!(reason(people.approve(&list).await), (400, "WRONG_STATE".into()));
        // Mended, it comes again in a round of its own.
        people.clerk.upload(&format!("{list}/import"), awards(&[(&name(3), &number(3), "9")]), "").await.expect("is answered");
        assert_eq!(stands(&people.clerk.get(&list).await.expect("a list")), ("DRAFT", [0, 0, 4, 0]), "{engine:?}");
        people.attested(&list).await;
        assert_eq!(stands(&people.approve(&list).await.expect("is approved")), ("APPROVED", [0, 0, 5, 0]), "{engine:?}");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rounds_of_a_list_go_each_their_own_way() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, list) = opened(&deployment, 4).await;
        submit(&people, &list).await;
        assert_eq!(reason(people.approve(&list).await), (400, "WRONG_STATE".into()), "{engine:?}: the principal has not signed");
        assert_eq!(reason(sign(&people.clerk, &list, "attest").await).1, "FORBIDDEN");
        send_back(&people.head, &list, 1).await.expect("is sent back");
        people.clerk.upload(&format!("{list}/import"), awards(&[(&name(1), &number(1), "9")]), "").await.expect("is answered");
        let two = submit(&people, &list).await;
        assert_eq!((stands(&two), two["dossiers"].as_array().map(Vec::len)), (("SUBMITTED", [4, 0, 0, 0]), Some(2)), "{engine:?}");
        assert_eq!(stands(&sign(&people.head, &list, "attest").await.expect("both are attested")), ("ATTESTED", [0, 4, 0, 0]), "{engine:?}");
        // One of each comes back, and comes again while the others wait at the department.
        for serial in [1, 2] {
            send_back(&people.officer, &list, serial).await.expect("is sent back");
            people.clerk.upload(&format!("{list}/import"), awards(&[(&name(serial), &number(serial), "10")]), "").await.expect("is answered");
        }
        let third = submit(&people, &list).await;
        assert_eq!((stands(&third), &third["waitsAt"], &third["step"]), (("SUBMITTED", [2, 2, 0, 0]), &json!("校长"), &json!(0)), "{engine:?}");
        let stranger = send_back(&people.head, &list, 3).await;
        assert_eq!(reason(stranger), (400, "INVALID_ARGUMENT".into()), "{engine:?}: that one waits at the department");
        let approved = people.approve(&list).await.expect("what waits there is approved");
        assert_eq!(stands(&approved), ("SUBMITTED", [2, 0, 2, 0]), "{engine:?}");
        let all = people.head.post(&format!("{list}/sendBack"), &json!({ "reason": "请核对" }), "").await.expect("all that wait are sent back");
        assert_eq!(stands(&all), ("APPROVED", [0, 0, 2, 2]), "{engine:?}");
        assert_eq!(reason(sign(&people.head, &list, "attest").await), (400, "WRONG_STATE".into()));
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_over_three_desks_and_is_approved_by_the_last() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, list) = opened(&deployment, 3).await;
        let province = people.open_account("province", "DEPARTMENT_OFFICER", "430000", PASSWORD).await;
        let elsewhere = people.open_account("elsewhere", "DEPARTMENT_OFFICER", "440000", PASSWORD).await;
        let chain = |scope: &str, steps: &str| json!({ "kind": "AWARD_LIST", "scope": scope, "fromDate": deployment.today().to_string(), "steps": steps, "reason": "省级复核" });
        assert_eq!(reason(people.officer.post("/v1/aidChains", &chain(SCHOOL, "PRINCIPAL"), "").await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.admin.post("/v1/aidChains", &chain(SCHOOL, "NOBODY"), "").await), (400, "INVALID_ARGUMENT".into()));
        // Several at once, all or none.
        let several = |steps: [&str; 2]| json!({ "chains": steps.map(|steps| chain(schools::OTHER, steps)) });
        let refused = people.admin.post("/v1/aidChains/setAll", &several(["PRINCIPAL, AUTHORITY", "PRINCIPAL"]), "").await;
        assert_eq!(reason(refused), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        let set = async || people.admin.get("/v1/aidChains").await.expect("chains")["chains"].as_array().map_or(0, Vec::len);
        assert_eq!(set().await, 0, "{engine:?}: none of them");
        people.admin.post("/v1/aidChains/setAll", &several(["PRINCIPAL/3, AUTHORITY", "PRINCIPAL, AUTHORITY"]), "").await.expect("are set");
        assert_eq!(set().await, 2, "{engine:?}");
        for steps in ["PRINCIPAL", "AUTHORITY", "AUTHORITY NOTES", "PRINCIPAL, AUTHORITY, 440000"] {
            assert_eq!(reason(people.admin.post("/v1/aidChains", &chain(SCHOOL, steps), "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {steps}");
        }
        people.admin.post("/v1/aidChains", &chain("430000", "PRINCIPAL, AUTHORITY, PROVINCE"), "").await.expect("is set");
        let regional = people.open_account("regional", "ADMINISTRATOR", "430100", PASSWORD).await;
        assert_eq!(reason(regional.post("/v1/aidChains", &chain(SCHOOL, "PRINCIPAL, AUTHORITY"), "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        regional.post("/v1/aidChains", &chain(SCHOOL, "PRINCIPAL, AUTHORITY, PROVINCE"), "").await.expect("is set");
        let first = people.attested(&list).await;
        assert_eq!((&first["step"], stands(&first).0), (&json!(1), "ATTESTED"), "{first}");
        assert_eq!(reason(sign(&province, &list, "approve").await), (400, "WRONG_STATE".into()), "{engine:?}: not yet");
        assert_eq!(reason(sign(&elsewhere, &list, "approve").await).0, 403, "{engine:?}");
        let county = people.approve(&list).await.expect("is signed");
        assert_eq!((stands(&county), &county["step"], &county["digest"]), (("ATTESTED", [0, 3, 0, 0]), &json!(2), &first["digest"]), "{engine:?}");
        assert!(county["waitsAt"].as_str().expect("a desk").contains("湖南"), "{county}");
        assert_eq!((&first["waitingAuthorities"], &county["waitingAuthorities"]), (&json!(["430100"]), &json!(["430000"])), "{engine:?}");
        assert_eq!((&county["approvedBy"], reason(people.approve(&list).await)), (&json!(""), (400, "WRONG_STATE".into())), "{engine:?}: its turn is over");
        send_back(&province, &list, 2).await.expect("the province sends back too");
        let approved = sign(&province, &list, "approve").await.expect("is approved");
        assert_eq!((stands(&approved), &approved["approvedBy"]), (("APPROVED", [0, 0, 2, 1]), &json!("province")), "{engine:?}");
        // The same tells itself as a dossier, with what each desk did.
        let found = people.clerk.get("/v1/aidDossiers?kind=AWARD_LIST").await.expect("dossiers");
        let round = found["dossiers"][0]["dossier"].as_str().expect("an id");
        let whole = province.get(&format!("/v1/aidDossiers/{round}")).await.expect("a dossier");
        let acts: Vec<_> = whole["history"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|act| (act["act"].as_str().expect("a word"), act["name"].as_str().expect("a name")))
            .collect();
        assert_eq!(acts, [("SUBMIT", "clerk"), ("SIGN", "head"), ("SIGN", "officer"), ("SEND_BACK", "province"), ("SIGN", "province")], "{engine:?}");
        assert_eq!(
            (&whole["state"], &whole["performed"], &whole["left"], &whole["subject"]),
            (&json!("DONE"), &json!(2), &json!(1), &approved["list"]),
            "{whole}"
        );
        let sheet = province.get(&format!("/v1/aidDossiers/{round}/items?state=PERFORMED")).await.expect("a sheet");
        assert_eq!(sheet["items"][0]["cells"], json!(["2026年9月至2026年10月", "二档", "460.00"]), "{sheet}");
        assert_eq!(reason(elsewhere.get(&format!("/v1/aidDossiers/{round}")).await), (404, "NOT_FOUND".into()), "{engine:?}");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_recalled_and_signed_through_the_door_of_dossiers_too() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, list) = opened(&deployment, 2).await;
        let round = async |session: &Session| session.get("/v1/aidInbox").await.expect("an inbox")["inbox"].clone();
        submit(&people, &list).await;
        let inbox = round(&people.head).await;
        assert_eq!((&inbox["waitingCount"], &inbox["itemCount"]), (&json!(1), &json!(2)), "{inbox}");
        let id = inbox["waiting"][0]["dossier"].as_str().expect("an id").to_owned();
        let recalled = people.clerk.post(&format!("/v1/aidDossiers/{id}/recall"), &json!({ "reason": "漏人" }), "").await.expect("is recalled");
        assert_eq!((&recalled["state"], stands(&people.clerk.get(&list).await.expect("a list"))), (&json!("RECALLED"), ("DRAFT", [0, 0, 0, 0])), "{engine:?}");
        submit(&people, &list).await;
        let waiting = round(&people.head).await["waiting"][0].clone();
        let id = waiting["dossier"].as_str().expect("an id").to_owned();
        let sign = json!({ "digest": waiting["digest"] });
        assert_eq!(reason(people.clerk.post(&format!("/v1/aidDossiers/{id}/sign"), &sign, "").await), (403, "FORBIDDEN".into()));
        people.head.post(&format!("/v1/aidDossiers/{id}/sign"), &sign, "").await.expect("is signed");
        let one = entry(&people.officer, &list, 1).await["entry"].clone();
        let refuse = json!({ "reason": "不符合条件", "items": [one] });
        people.officer.post(&format!("/v1/aidDossiers/{id}/refuse"), &refuse, "").await.expect("is refused");
        let digest = people.officer.get(&format!("/v1/aidDossiers/{id}")).await.expect("a dossier")["digest"].clone();
        let done = people.officer.post(&format!("/v1/aidDossiers/{id}/sign"), &json!({ "digest": digest }), "").await.expect("is signed");
        assert_eq!((&done["state"], stands(&people.clerk.get(&list).await.expect("a list"))), (&json!("DONE"), ("APPROVED", [0, 0, 1, 1])), "{engine:?}");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}
