//! Entries of a list in the clerk's hands, over REST: proposed by tick, edited where they stand, taken into the drafts again; and lists, entries,
//! flags and dossiers page by page, by number.

use serde_json::{Value, json};
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, People, SCHOOL, number, reason, student},
};

use crate::rounds::assert_counts;

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

async fn entries(who: &Session, list: &str) -> Vec<Value> {
    who.get(&format!("{list}/entries")).await.expect("entries")["entries"].as_array().expect("a list").clone()
}

async fn entry_of(who: &Session, list: &str, serial: u32) -> Value {
    entries(who, list).await.into_iter().find(|entry| entry["name"] == name(serial)).expect("is on it")
}

fn at(list: &str, entry: &Value) -> String {
    format!("{list}/entries/{}", entry["entry"].as_str().expect("an id"))
}

async fn empty_list(people: &People, scheme: &str) -> String {
    let path = format!("/v1/schools/{SCHOOL}/awardLists");
    let made = people.clerk.post(&path, &json!({ "scheme": scheme, "term": "2026-AUTUMN" }), "").await.expect("a list");
    format!("{path}/{}", made["list"].as_str().expect("an id"))
}

/// A list on which all are who are proposed.
async fn proposed(people: &People, scheme: &str) -> String {
    let list = empty_list(people, scheme).await;
    people.clerk.post(&format!("{list}/propose"), &json!({}), "").await.expect("is proposed");
    list
}

/// The same, submitted and sent back.
async fn sent_back(people: &People, serials: &[u32]) -> String {
    let list = proposed(people, "GRANT").await;
    people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
    send_back(people, &list, serials).await;
    list
}

/// A school with so many students on its roll.
pub async fn enrolled(deployment: &Deployment, serials: std::ops::RangeInclusive<u32>) -> People {
    let people = schools::open(deployment).await;
    people.import(&serials.map(student).collect::<Vec<_>>()).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    people
}

async fn send_back(people: &People, list: &str, serials: &[u32]) {
    let mut ids = Vec::new();
    for serial in serials {
        ids.push(entry_of(&people.head, list, *serial).await["entry"].clone());
    }
    people.head.post(&format!("{list}/sendBack"), &json!({ "reason": "月份有误", "entries": ids }), "").await.expect("is sent back");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_proposed_is_taken_by_tick() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = enrolled(&deployment, 1..=4).await;
        let list = empty_list(&people, "GRANT").await;
        let propose = async |body: Value| people.clerk.post(&format!("{list}/propose"), &body, "").await;
        let seen = propose(json!({ "preview": true })).await.expect("candidates");
        let person = |serial: u32| {
            let found = seen["candidates"].as_array().expect("a list").iter().find(|candidate| candidate["name"] == name(serial));
            found.expect("is one")["person"].clone()
        };
        assert_eq!((&seen["added"], entries(&people.clerk, &list).await.len()), (&json!(4), 0), "{engine:?}: a preview writes nothing");
        let of_class = propose(json!({ "preview": true, "className": "1班" })).await.expect("candidates");
        assert_eq!(of_class, seen, "{engine:?}: all are in one class");
        let one = propose(json!({ "preview": true, "persons": [person(2)] })).await.expect("a candidate");
        assert_eq!((&one["added"], &one["candidates"][0]["name"]), (&json!(1), &json!(name(2))), "{engine:?}");
        let some = propose(json!({ "persons": [person(1), person(3)] })).await.expect("are proposed");
        assert_eq!(some["added"], 2, "{engine:?} {some}");
        let mut on_it: Vec<Value> = entries(&people.clerk, &list).await.into_iter().map(|entry| entry["name"].clone()).collect();
        on_it.sort_by_key(ToString::to_string);
        assert_eq!(on_it, [json!(name(1)), json!(name(3))], "{engine:?}");
        // Of a school that is too large to be looked at as one, its classes are told, and how far they are.
        let classes = propose(json!({ "preview": true, "most": 3 })).await.expect("classes");
        assert_eq!(classes["classes"], json!([{ "className": "1班", "students": 4, "listed": 2 }]), "{engine:?}");
        assert_eq!((&classes["candidates"], &classes["added"]), (&json!([]), &json!(0)), "{engine:?}");
        assert_eq!(propose(json!({ "preview": true, "most": 4 })).await.expect("candidates")["candidates"].as_array().map(Vec::len), Some(4), "{engine:?}");
        assert_eq!(reason(propose(json!({ "preview": true, "most": -1 })).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        // Who is on it by now, or nobody knows, is not passed over in silence.
        for persons in [json!([person(1), person(2)]), json!([uuid::Uuid::nil()]), json!(["x"])] {
            assert_eq!(reason(propose(json!({ "persons": persons })).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {persons}");
        }
        let both = json!({ "persons": [person(2)], "className": "1班" });
        assert_eq!(reason(propose(both).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        assert_eq!(entries(&people.clerk, &list).await.len(), 2, "{engine:?}: a refused call adds nobody");
        assert_eq!(reason(propose(json!({ "count": 3 })).await), (409, "CONFLICT".into()), "{engine:?}: two are left");
        assert_eq!(reason(propose(json!({ "className": "9班" })).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: no such class");
        assert_eq!(propose(json!({ "className": "1班", "count": 2 })).await.expect("all the others")["added"], 2, "{engine:?}");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_edited_where_it_stands_by_the_checks_of_a_file() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = enrolled(&deployment, 1..=2).await;
        // One by a file, with its number; one from the roll.
        let list = people.list(&[(&name(1), &number(1), "")]).await;
        people.clerk.post(&format!("{list}/propose"), &json!({}), "").await.expect("is proposed");
        for (serial, from_roll) in [(1, false), (2, true)] {
            let entry = entry_of(&people.clerk, &list, serial).await;
            let path = at(&list, &entry);
            let shown = people.clerk.get(&path).await.expect("is shown");
            assert_eq!(shown["entry"], entry, "{engine:?}");
            assert_eq!(shown["entry"]["fromRoll"].as_bool().unwrap_or_default(), from_roll, "{engine:?}");
            assert_eq!(shown["termMonths"], json!([202_609, 202_610, 202_611, 202_612, 202_701]), "{engine:?}");
            let tiers: Vec<&str> = shown["tiers"].as_array().expect("tiers").iter().map(|tier| tier["name"].as_str().expect("a name")).collect();
            assert_eq!((tiers.as_slice(), &shown["byMonth"]), (&["一档", "二档", "三档"][..], &json!(true)), "{engine:?}");
            let edit = async |body: Value| people.clerk.post(&format!("{path}/edit"), &body, "").await;
            let body = json!({ "etag": entry["etag"], "months": [202_610, 202_609], "tier": "一档", "card": "6222 6002 6000 1072 444", "remark": "转账" });
            let edited = edit(body.clone()).await.expect("is edited");
            assert_eq!((&edited["months"], &edited["tier"], &edited["remark"]), (&json!([202_609, 202_610]), &json!("一档"), &json!("转账")), "{edited}");
            assert_eq!(edited["card"].as_str().map(|card| card.ends_with("2444")), Some(true), "{edited}");
            let month = shown["tiers"][0]["monthFen"].as_str().and_then(|fen| fen.parse::<i64>().ok()).expect("fen");
            assert_eq!(edited["amountFen"], json!((2 * month).to_string()), "{engine:?} {edited}");
            assert_ne!(edited["etag"], entry["etag"], "{engine:?}");
            // What was seen before is not what is there.
            assert_eq!(reason(edit(body).await).1, "CONFLICT", "{engine:?}");
            // Absent stays, empty clears.
            let kept = edit(json!({ "etag": edited["etag"] })).await.expect("is edited");
            assert_eq!(kept, edited, "{engine:?}: nothing was said");
            let body = json!({ "etag": kept["etag"], "card": "", "remark": "", "months": entry["months"], "tier": entry["tier"] });
            let cleared = edit(body).await.expect("is edited");
            assert_eq!((cleared["card"].as_str().unwrap_or_default(), cleared["remark"].as_str().unwrap_or_default()), ("", ""), "{engine:?} {cleared}");
            assert_eq!(cleared["etag"], entry["etag"], "{engine:?}: the same content is the same version");
            // All that is wrong, at once.
            let wrong = json!({ "etag": entry["etag"], "months": [202_603], "tier": "特等", "card": "62", "remark": "13812345678" });
            let error = edit(wrong).await.expect_err("is refused");
            let told = format!("{error:#}");
            for field in ["months", "tier", "card", "remark"] {
                assert!(told.contains(field), "{engine:?} {field}: {told}");
            }
        }
        // A file says the same as the edit: nothing to write.
        let same = people.clerk.upload(&format!("{list}/import"), schools::awards(&[(&name(1), &number(1), "")]), "").await.expect("is answered");
        assert_eq!(same["rowsUnchanged"], 1, "{engine:?} {same}");
        // What was submitted is nobody's to edit; who may not enter may not edit.
        let entry = entry_of(&people.clerk, &list, 1).await;
        for who in [&people.head, &people.officer, &people.other] {
            assert_eq!(reason(who.post(&format!("{}/edit", at(&list, &entry)), &json!({ "etag": entry["etag"] }), "").await).0, 403, "{engine:?}");
        }
        people.attested(&list).await;
        let late = people.clerk.post(&format!("{}/edit", at(&list, &entry)), &json!({ "etag": entry["etag"] }), "").await;
        assert_eq!(reason(late), (400, "WRONG_STATE".into()), "{engine:?}");
        let elsewhere = format!("{list}/entries/{}", uuid::Uuid::nil());
        assert_eq!(reason(people.clerk.get(&elsewhere).await), (404, "NOT_FOUND".into()), "{engine:?}");
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_is_edited_but_not_by_the_month() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = enrolled(&deployment, 1..=1).await;
    let list = proposed(&people, "TUITION_WAIVER").await;
    let entry = entry_of(&people.clerk, &list, 1).await;
    let path = at(&list, &entry);
    assert_ne!(people.clerk.get(&path).await.expect("is shown")["byMonth"], true);
    let edit = async |body: Value| people.clerk.post(&format!("{path}/edit"), &body, "").await;
    assert_eq!(reason(edit(json!({ "etag": entry["etag"], "months": [202_609] })).await), (400, "INVALID_ARGUMENT".into()));
    assert_eq!(edit(json!({ "etag": entry["etag"], "months": entry["months"], "remark": "核对" })).await.expect("is edited")["remark"], "核对");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_back_is_mended_or_taken_as_it_is_and_submitted_again() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = enrolled(&deployment, 1..=3).await;
        let list = sent_back(&people, &[1, 2, 3]).await;
        let [first, second, third] =
            [entry_of(&people.clerk, &list, 1).await, entry_of(&people.clerk, &list, 2).await, entry_of(&people.clerk, &list, 3).await];
        assert_eq!(first["sentBackReason"], "月份有误");
        let edited = people.clerk.post(&format!("{}/edit", at(&list, &first)), &json!({ "etag": first["etag"], "months": [202_609] }), "").await;
        let edited = edited.expect("is edited");
        assert_eq!((&edited["state"], edited["sentBackReason"].as_str().unwrap_or_default()), (&json!("DRAFT"), ""), "{engine:?}");
        let redraft = async |who: &Session, body: Value| who.post(&format!("{list}/redraft"), &body, "").await;
        let of = |entries: Value| json!({ "entries": entries });
        let as_seen = json!({ "entry": second["entry"], "etag": second["etag"] });
        assert_eq!(reason(redraft(&people.head, of(json!([as_seen]))).await).0, 403, "{engine:?}");
        let (gone, stale) = (json!({ "entry": uuid::Uuid::nil() }), json!({ "entry": second["entry"], "etag": "0000000000000000" }));
        for wrong in [
            of(json!([])),
            of(json!([{ "entry": first["entry"] }])),
            of(json!([as_seen, gone])),
            of(json!([stale])),
            of(json!([as_seen, as_seen])),
            json!({ "all": true, "entries": [as_seen] }),
        ] {
            assert_eq!(reason(redraft(&people.clerk, wrong.clone()).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {wrong}");
        }
        assert_eq!(reason(redraft(&people.clerk, json!({ "all": true, "count": 3 })).await), (409, "CONFLICT".into()), "{engine:?}: two are left");
        let row = redraft(&people.clerk, of(json!([as_seen]))).await.expect("is a draft");
        assert_eq!((&row["drafts"], &row["sentBack"]), (&json!(2), &json!(1)), "{engine:?} {row}");
        // As many as were seen, or nobody.
        let submit = async |count: i32| people.clerk.post(&format!("{list}/submit"), &json!({ "count": count }), "").await;
        assert_eq!(reason(submit(3).await).1, "CONFLICT", "{engine:?}: two are drafts");
        // Saved as it is, it is a draft as well.
        people
            .clerk
            .post(&format!("{}/edit", at(&list, &third)), &json!({ "etag": third["etag"], "months": third["months"], "tier": third["tier"] }), "")
            .await
            .expect("is edited");
        assert_ne!(entry_of(&people.clerk, &list, 3).await["etag"], third["etag"], "{engine:?}: the same content, which is not sent back any more");
        let again = people.clerk.post(&format!("{list}/submit"), &json!({ "count": 3 }), "").await.expect("is submitted");
        assert_eq!((&again["submitted"], again["sentBack"].as_i64().unwrap_or_default()), (&json!(3), 0), "{engine:?} {again}");
        // All at once, as many as were seen, once under one key; and an older view of what came back again is none of what is there now.
        let drafted = entry_of(&people.clerk, &list, 1).await;
        send_back(&people, &list, &[1, 2]).await;
        let late = people.clerk.post(&format!("{}/edit", at(&list, &drafted)), &json!({ "etag": drafted["etag"] }), "").await;
        assert_eq!(reason(late).1, "CONFLICT", "{engine:?}: why it came back was not seen");
        let all = json!({ "all": true, "count": 2 });
        for _ in 0..2 {
            let row = people.clerk.post(&format!("{list}/redraft"), &all, "all of them").await.expect("is done once");
            assert_eq!(row["drafts"], 2, "{engine:?} {row}");
        }
        assert_counts(deployment.databases()[1]).await;
        deployment.stop().await;
    }
}

/// The name that the roll corrected since is the name that is edited and submitted again.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_from_the_roll_follows_a_name_that_the_roll_corrected() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = enrolled(&deployment, 1..=1).await;
    let list = sent_back(&people, &[1]).await;
    let body = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "name": "王正", "reason": "核对户口簿" });
    people.officer.post(&format!("{}/correctIdentity", people.path_of(1).await), &body, "").await.expect("is corrected");
    deployment.drain().await.expect("drains");
    let entry = entries(&people.clerk, &list).await.remove(0);
    let edited = people.clerk.post(&format!("{}/edit", at(&list, &entry)), &json!({ "etag": entry["etag"] }), "").await.expect("is edited");
    assert_eq!((&edited["name"], &edited["state"]), (&json!("王正"), &json!("DRAFT")));
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_entries_flags_and_dossiers_are_paged_by_number() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = enrolled(&deployment, 1..=3).await;
        // Seven whom nobody knows: a flag each. A waiver list beside, and two rounds.
        let strangers: Vec<(String, String)> = (301..=307).map(|serial| (name(serial), number(serial))).collect();
        let lines: Vec<(&str, &str, &str)> = strangers.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect();
        let list = people.list(&lines).await;
        people.attested(&list).await;
        let waiver = proposed(&people, "TUITION_WAIVER").await;
        people.attested(&waiver).await;
        let dossier = people.officer.get(&list).await.expect("a list")["dossiers"][0].as_str().expect("a round").to_owned();
        let round = format!("/v1/aidDossiers/{dossier}/items");
        for (path, field, id, size) in [
            (format!("/v1/schools/{SCHOOL}/awardLists"), "lists", "list", 2),
            (format!("{list}/entries"), "entries", "entry", 7),
            (format!("{list}/entries?heldOnly=true&state=ATTESTED"), "entries", "entry", 7),
            (format!("{list}/entries?state=DRAFT"), "entries", "entry", 0),
            ("/v1/flags?rule=NO_ENROLLMENT".to_owned(), "flags", "flag", 7),
            ("/v1/flags?unclosed=true".to_owned(), "flags", "flag", 7),
            (format!("/v1/flags?school={SCHOOL}&state=CLOSED"), "flags", "flag", 0),
            ("/v1/aidDossiers?kind=AWARD_LIST".to_owned(), "dossiers", "dossier", 2),
            ("/v1/enrollmentDossiers".to_owned(), "dossiers", "dossier", 1),
            (round.clone(), "items", "item", 7),
            (format!("{round}?state=WAITING"), "items", "item", 7),
        ] {
            let joint = if path.contains('?') { '&' } else { '?' };
            let ids = |page: &Value| page[field].as_array().cloned().unwrap_or_default().iter().map(|row| row[id].clone()).collect::<Vec<_>>();
            let whole = ids(&people.officer.get(&path).await.expect("all"));
            assert_eq!(whole.len(), size, "{engine:?} {path}");
            for number in [2, 1, 3, 9] {
                let page = people.officer.get(&format!("{path}{joint}pageSize=3&pageNumber={number}")).await.expect("a page");
                let wanted: Vec<Value> = whole.iter().skip((number - 1) * 3).take(3).cloned().collect();
                let told = (ids(&page), page["totalSize"].as_u64().unwrap_or_default(), page["nextPageToken"].as_str().unwrap_or_default());
                assert_eq!(told, (wanted, u64::try_from(size).expect("fits"), ""), "{engine:?} {path} {number}");
            }
            let negative = people.officer.get(&format!("{path}{joint}pageNumber=-1")).await;
            assert_eq!(reason(negative), (400, "INVALID_ARGUMENT".into()), "{engine:?} {path}");
        }
        // What has waited longest first, where pages are numbered.
        let newest: Vec<Value> = people.officer.get("/v1/flags").await.expect("flags")["flags"].as_array().expect("a list").clone();
        let oldest = people.officer.get("/v1/flags?oldestFirst=true&pageNumber=1").await.expect("flags")["flags"].as_array().expect("a list").clone();
        assert!(oldest.iter().rev().map(|flag| &flag["flag"]).eq(newest.iter().map(|flag| &flag["flag"])), "{engine:?}");
        assert_eq!(reason(people.officer.get("/v1/flags?oldestFirst=true").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        deployment.stop().await;
    }
}
