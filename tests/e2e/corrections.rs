//! What was approved is put right: stopped, cut, voided; asked for by the school or ordered by the department. What was signed stays.

use serde_json::{Value, json};
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, People, SCHOOL, awards, number, reason, student},
};

use crate::rounds::assert_counts;

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

async fn entry(session: &Session, list: &str, serial: u32) -> Value {
    let answer = session.get(&format!("{list}/entries")).await.expect("entries");
    answer["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == name(serial)).cloned().expect("is on it")
}

/// A school with so many registered and approved on a list, from September to December.
async fn approved(deployment: &Deployment, students: u32) -> (People, String) {
    let people = schools::open(deployment).await;
    people.import(&(1..=students).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let lines: Vec<(String, String)> = (1..=students).map(|serial| (name(serial), number(serial))).collect();
    let list = people.list(&lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "9-12")).collect::<Vec<_>>()).await;
    people.attested(&list).await;
    assert_eq!(people.approve(&list).await.expect("is approved")["approved"], students);
    (people, list)
}

fn stop(entries: &[&Value], first_month: i32) -> Value {
    json!({ "entries": entries.iter().map(|entry| entry["entry"].clone()).collect::<Vec<_>>(), "what": "STOP", "firstMonth": first_month, "reason": "转出" })
}

async fn ask(people: &People, body: &Value) -> anyhow::Result<Value> {
    people.clerk.post(&format!("/v1/schools/{SCHOOL}/corrections"), body, "").await
}

async fn order(people: &People, body: &Value) -> anyhow::Result<Value> {
    people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), body, "").await
}

async fn act(session: &Session, dossier: &Value, verb: &str, body: Value) -> anyhow::Result<Value> {
    session.post(&format!("/v1/aidDossiers/{}/{verb}", dossier["dossier"].as_str().expect("an id")), &body, "").await
}

type Holds = (Vec<i64>, Vec<i64>, String, Vec<(String, String)>);

/// Months that stand, months that are to be stopped, what holds in fen, and where each of its corrections stands.
fn holds(entry: &Value) -> Holds {
    let months = |field: &str| entry[field].as_array().expect("a list").iter().map(|month| month.as_i64().expect("a month")).collect();
    let text = |value: &Value| value.as_str().expect("a word").to_owned();
    let corrections = entry["corrections"].as_array().expect("a list").iter().map(|one| (text(&one["what"]), text(&one["state"]))).collect();
    (months("standingMonths"), months("stoppingMonths"), text(&entry["standingFen"]), corrections)
}

fn words(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(what, state)| ((*what).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_holds_from_when_it_is_asked_for_and_is_given_back_where_it_is_not_granted() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, list) = approved(&deployment, 2).await;
        people.withdraw(&number(1), "2026-10-20").await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, [("NOT_VALID_IN_TERM".to_owned(), name(1))], "{engine:?}");
        let signed = people.officer.get(&list).await.expect("a list");
        let row = entry(&people.clerk, &list, 1).await;
        let all = vec![202_609, 202_610, 202_611, 202_612];

        let body = stop(&[&row], 202_611);
        assert_eq!(reason(people.head.post(&format!("/v1/schools/{SCHOOL}/corrections"), &body, "").await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.other.post(&format!("/v1/schools/{SCHOOL}/corrections"), &body, "").await), (403, "FORBIDDEN".into()));
        // Recalled, refused, sent back: each time it is given again.
        for (verb, who, words_of) in [("recall", &people.clerk, "RECALLED"), ("refuse", &people.head, "REFUSED"), ("sendBack", &people.head, "SENT_BACK")] {
            let asked = ask(&people, &body).await.expect("is asked");
            assert_eq!((&asked["kind"], &asked["waitsAt"], &asked["waiting"]), (&json!("AWARD_CORRECTION"), &json!("校长"), &json!(1)), "{asked}");
            let held = holds(&entry(&people.officer, &list, 1).await);
            assert_eq!((&held.0, &held.1), (&all, &vec![202_611, 202_612]), "{engine:?}: held, and whose it was");
            assert_eq!(held.3.last(), words(&[("STOP", "UNDER_WAY")]).last());
            assert_eq!(reason(ask(&people, &body).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: it is under way");
            assert_counts(deployment.databases()[1]).await;
            act(who, &asked, verb, json!({ "reason": "再核" })).await.expect("is done");
            let given = holds(&entry(&people.officer, &list, 1).await);
            assert_eq!(
                (given.0, given.1, given.3.last().cloned()),
                (all.clone(), Vec::new(), Some(("STOP".to_owned(), words_of.to_owned()))),
                "{engine:?} {verb}"
            );
            assert_counts(deployment.databases()[1]).await;
        }
        assert_eq!(people.open_flags().await.len(), 1, "{engine:?}: nothing was put right");

        // Asked once more and signed by both desks, it is stopped, and nothing is left to say about it.
        let asked = ask(&people, &body).await.expect("is asked");
        let digest = json!({ "digest": asked["digest"] });
        act(&people.head, &asked, "sign", digest.clone()).await.expect("is signed");
        assert_eq!(
            reason(act(&people.clerk, &asked, "recall", json!({ "reason": "再核" })).await),
            (400, "WRONG_STATE".into()),
            "{engine:?}: the principal signed"
        );
        let done = act(&people.officer, &asked, "sign", digest).await.expect("is performed");
        assert_eq!((&done["state"], &done["performed"]), (&json!("DONE"), &json!(1)), "{done}");
        let row = entry(&people.officer, &list, 1).await;
        let (months, stopping, fen, corrections) = holds(&row);
        assert_eq!((months, stopping, fen.as_str()), (vec![202_609, 202_610], vec![], "46000"), "{engine:?}");
        assert_eq!(corrections, words(&[("STOP", "RECALLED"), ("STOP", "REFUSED"), ("STOP", "SENT_BACK"), ("STOP", "PERFORMED")]));
        assert_eq!((&row["amountFen"], &row["months"], &row["state"]), (&json!("92000"), &json!(all), &json!("APPROVED")), "as it was signed: {row}");
        let after = people.officer.get(&list).await.expect("a list");
        assert_eq!((&after["digest"], &after["amountFen"], &after["state"]), (&signed["digest"], &signed["amountFen"], &json!("APPROVED")), "{engine:?}");
        assert_eq!(after["standingFen"], "138000", "{after}");
        assert_eq!(people.open_flags().await, [], "{engine:?}");
        let gone = ask(&people, &stop(&[&row], 202_611)).await;
        assert_eq!(reason(gone), (400, "INVALID_ARGUMENT".into()), "{engine:?}: nothing stands from that month");
        let listed = people.officer.get(&format!("/v1/schools/{SCHOOL}/corrections")).await.expect("corrections");
        assert_eq!((listed["corrections"].as_array().map(Vec::len), &listed["corrections"][0]["fen"]), (Some(4), &json!("46000")), "{listed}");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_free_for_others_once_it_was_cut_and_not_before() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let (people, main) = approved(&deployment, 2).await;
        let (one, two) = (entry(&people.clerk, &main, 1).await, entry(&people.clerk, &main, 2).await);
        // A supplementary list with a month of the first.
        let more = people.list(&[(&name(1), &number(1), "12")]).await;
        people.attested(&more).await;
        deployment.drain().await.expect("drains");
        for flag in people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"].as_array().expect("a list") {
            let path = format!("/v1/flags/{}/clear", flag["flag"].as_str().expect("an id"));
            people.officer.post(&path, &json!({ "reason": "已核对" }), "").await.expect("is cleared");
        }
        let taken = async || {
            let list = people.approve(&more).await.expect("is answered");
            (list["approved"].as_i64(), list["takenAttested"].as_i64())
        };
        assert_eq!(taken().await, (Some(0), Some(1)), "{engine:?}");
        let asked = ask(&people, &stop(&[&one, &two], 202_612)).await.expect("is asked of both");
        assert_eq!(asked["waiting"], 2);
        assert_eq!(taken().await, (Some(0), Some(1)), "{engine:?}: to be stopped is not stopped");
        let cut = |months: &[i32]| json!({ "entries": [one["entry"], two["entry"]], "what": "CUT", "months": months, "reason": "重复" });
        assert_eq!(reason(order(&people, &cut(&[202_612, 202_701])).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: that month is on no list");
        assert_eq!(reason(people.clerk.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &cut(&[202_612]), "").await), (403, "FORBIDDEN".into()));
        // What the school asks for is decided by what the department does itself.
        let done = order(&people, &cut(&[202_612])).await.expect("is done at once");
        let overtaken = people.clerk.get(&format!("/v1/aidDossiers/{}", asked["dossier"].as_str().expect("an id"))).await.expect("a dossier");
        assert_eq!((&overtaken["state"], &overtaken["left"]), (&json!("RETURNED"), &json!(2)), "{overtaken}");
        let last = &overtaken["history"][1];
        assert_eq!((&last["act"], &last["name"], &last["reason"]), (&json!("REFUSE"), &json!("officer"), &json!("已由主管部门直接办理")), "{overtaken}");
        assert_eq!((&done["performed"], &done["waitsAt"], &done["state"]), (&json!(2), &json!("校长"), &json!("UNDER_WAY")), "{done}");
        let row = people.officer.get(&more).await.expect("a list");
        assert_eq!((&row["takenAttested"], entry(&people.clerk, &more, 1).await["refusal"].as_str()), (&json!(0), Some("")), "{engine:?}: nothing keeps it");
        assert_eq!(taken().await, (Some(1), Some(0)), "{engine:?}");
        let (months, _, fen, corrections) = holds(&entry(&people.officer, &main, 1).await);
        assert_eq!((months, fen.as_str(), corrections.last()), (vec![202_609, 202_610, 202_611], "69000", words(&[("CUT", "PERFORMED")]).last()));
        // The principal takes note of what was ordered.
        let inbox = people.head.get("/v1/aidInbox").await.expect("an inbox");
        assert_eq!(inbox["inbox"]["waiting"][0]["dossier"], done["dossier"], "{inbox}");
        let noted = act(&people.head, &done, "note", json!({ "remark": "已阅" })).await.expect("is noted");
        assert_eq!(noted["state"], "DONE");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_voided_may_be_missing_again_and_is_still_told_of() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-09-05".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[schools::nurse(1), schools::nurse(2)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let body = json!({ "scheme": "TUITION_WAIVER", "term": "2026-AUTUMN" });
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &body, "").await.expect("a list");
        let list = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
        let lines = awards(&[(&name(1), &number(1), ""), (&name(2), &number(2), "")]);
        people.clerk.upload(&format!("{list}/import"), lines, "").await.expect("is taken");
        let drafts = entry(&people.clerk, &list, 1).await;
        let void = |entry: &Value| json!({ "entries": [entry["entry"]], "what": "VOID", "reason": "不符合条件" });
        assert_eq!(reason(order(&people, &void(&drafts)).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: it isn't approved");
        people.attested(&list).await;
        people.approve(&list).await.expect("is approved");
        deployment.step_to("2026-12-20".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, [], "{engine:?}");
        let row = entry(&people.clerk, &list, 1).await;
        assert_eq!(reason(order(&people, &stop(&[&row], 202_611)).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: a term is taken whole");
        order(&people, &void(&row)).await.expect("is voided");
        assert_eq!(people.open_flags().await, [("MISSING_AWARD".to_owned(), name(1))], "{engine:?}");
        let row = entry(&people.officer, &list, 1).await;
        let (months, _, fen, corrections) = holds(&row);
        assert_eq!((months, fen.as_str(), corrections), (vec![], "0", words(&[("VOID", "PERFORMED")])), "{engine:?}");
        let person = row["person"].as_str().expect("an id");
        assert!(!person.is_empty(), "{engine:?}: whose it was is known still");
        let story = people.officer.get(&format!("/v1/students/{person}/story")).await.expect("a story");
        let award = &story["awards"][0];
        assert_eq!((&award["standingFen"], &award["standingMonths"], award["amountFen"] == "0"), (&json!("0"), &json!([]), false), "{story}");
        // A sweep says the same.
        let run = people.admin.post("/v1/reconciliations", &json!({}), "").await.expect("a sweep");
        let path = format!("/v1/reconciliations/{}", run["run"].as_str().expect("an id"));
        xuezhu_tests::until("the sweep ends", async || people.admin.get(&path).await.is_ok_and(|run| run["state"] == "DONE")).await;
        assert_eq!(people.open_flags().await, [("MISSING_AWARD".to_owned(), name(1))], "{engine:?}");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}
