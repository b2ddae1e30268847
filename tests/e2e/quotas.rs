//! 名额, tiers and accounts: how many are let in, how much each may draw, and to whose card. What exceeds is held, and approval never lets in more, however
//! many approve at once.

use std::collections::HashMap;

use serde_json::{Value, json};
use xuezhu::deployment::Deployment;
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    AT_ONCE, Engine, deployment_on, policy_file, postgres,
    schools::{self, OTHER, People, SCHOOL, number, reason, student},
};

use crate::{
    browser::Browser,
    console::usable,
    hardship::{determine, enter, sweep, urban},
};

const TIERS: [(&str, &str); 2] = [
    ("yuan = 2300 }", "yuan = 2300, levels = [\"特别困难\", \"困难\"], grounds = [\"AGRICULTURAL_MAJOR\"] }"),
    ("yuan = 3300 }", "yuan = 3300, levels = [\"特别困难\"] }"),
];

pub(crate) fn quota(id: &str, each: &str, how_many: &str) -> String {
    format!(
        "[[quota]]\nid = \"{id}\"\nscheme = \"GRANT\"\nfrom = \"2020-AUTUMN\"\neach = \"{each}\"\n{how_many}\nlimits = [\"HARDSHIP\"]\n\
         base_without = [\"AGRICULTURAL_MAJOR\", \"SPECIAL_AREA\"]\nsource = \"省文件\"\n\n"
    )
}

/// Begins by the policy of most tests, with these quotas, and with tiers for some alone.
pub(crate) async fn begun(engine: Engine, folder: &std::path::Path, name: &str, quotas: &str) -> (Deployment, People) {
    let text = TIERS.iter().fold(AT_ONCE.clone(), |text, (from, to)| text.replace(from, to));
    let text = text.replacen("[[scheme]]", &format!("{quotas}[[scheme]]"), 1);
    let settings = Settings { policy_file: Some(policy_file(name, &text)), ..Settings::default() };
    let databases = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    };
    let deployment = deployment_on(databases, folder, "none", settings).await;
    let people = schools::open(&deployment).await;
    (deployment, people)
}

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

/// Students who are not of agriculture, and how poor each is; those without a level have none.
pub(crate) async fn poor(deployment: &Deployment, people: &People, levels: &[(u32, &str)]) {
    let mut rows: Vec<HashMap<String, String>> = levels.iter().map(|(serial, _)| urban(*serial)).collect();
    rows.push(student(50));
    let report = people.import(&rows).await;
    assert_eq!(report["rowsFaulty"], 0, "{report}");
    people.register().await;
    deployment.drain().await.expect("drains");
    for (serial, level) in levels.iter().filter(|(_, level)| !level.is_empty()) {
        enter(people, *serial, json!({ "level": level })).await.expect("is entered");
    }
    if levels.iter().any(|(_, level)| !level.is_empty()) {
        determine(people).await;
    }
}

/// A line of a list: name, number, tier, card, whose card.
pub(crate) fn line(serial: u32, tier: &str, card: &str, holder: &str) -> String {
    format!("{},居民身份证,{},{tier},{card},{holder}\n", name(serial), number(serial))
}

/// Opens the grant list that is open, or a supplementary one, with these lines; returns its path.
pub(crate) async fn list(people: &People, lines: &[String]) -> String {
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let path = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
    upload(people, &path, lines).await;
    path
}

async fn upload(people: &People, path: &str, lines: &[String]) {
    let text = format!("姓名,身份证件类型,身份证件号,档次,银行卡号,开户名\n{}", lines.concat());
    let report = people.clerk.upload(&format!("{path}/import"), text.into_bytes(), "").await.expect("is answered");
    assert_eq!(report["rowsFaulty"], 0, "{report}");
}

/// Who has open flags of a rule, in order.
async fn flagged(people: &People, rule: &str) -> Vec<String> {
    people.open_flags().await.into_iter().filter(|(of, _)| of == rule).map(|(_, name)| name).collect()
}

/// Why entries of a list were not approved, of those of whom that is said.
async fn refusals(people: &People, list: &str) -> Vec<String> {
    let entries = people.officer.get(&format!("{list}/entries?pageSize=100")).await.expect("entries");
    let told = entries["entries"].as_array().cloned().unwrap_or_default();
    told.iter().filter_map(|entry| entry["refusal"].as_str()).filter(|refusal| !refusal.is_empty()).map(str::to_owned).collect()
}

/// A gauge: base, limit, taken, left.
async fn gauges(people: &People) -> Vec<[i64; 4]> {
    let told = people.officer.get(&format!("/v1/quotas?school={SCHOOL}&term=2026-AUTUMN&scheme=GRANT")).await.expect("quotas");
    let number = |quota: &Value, field: &str| quota[field].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    let quotas = told["quotas"].as_array().cloned().unwrap_or_default();
    quotas.iter().map(|quota| ["base", "limit", "taken", "left"].map(|field| number(quota, field))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hardest_levels_are_let_in_first_and_only_the_excess_is_held() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = begun(engine, folder.path(), "quota-two", &quota("two", "SCHOOL", "persons = 2")).await;
        poor(&deployment, &people, &[(1, "一般困难"), (2, "特别困难"), (3, "困难"), (4, "困难"), (5, "")]).await;
        let list = list(&people, &[1, 2, 3, 4, 5, 50].map(|serial| line(serial, "一档", "", ""))).await;
        assert_eq!(flagged(&people, "OVER_QUOTA").await, Vec::<String>::new(), "{engine:?}: drafts are weighed when they are submitted");
        people.attested(&list).await;
        let mut beyond = vec![name(1), name(4)];
        beyond.sort();
        assert_eq!(flagged(&people, "OVER_QUOTA").await, beyond, "{engine:?}: the principal and the department see it before they sign");
        assert_eq!(gauges(&people).await, [[5, 2, 0, 2]], "{engine:?}");
        let approved = people.approve(&list).await.expect("is approved");
        // Who is of agriculture takes no place, who has no level is held for that and takes none.
        assert_eq!((&approved["approved"], &approved["held"]), (&json!(3), &json!(3)), "{engine:?} {approved}");
        assert_eq!(gauges(&people).await, [[5, 2, 2, 0]], "{engine:?}");
        sweep(&people).await;
        assert_eq!(flagged(&people, "OVER_QUOTA").await, beyond, "{engine:?}: the sweep says the same");
        // Whatever is said of the flag, there is no room.
        let flag = people.officer.get("/v1/flags?rule=OVER_QUOTA&state=OPEN").await.expect("flags")["flags"][0].clone();
        let flag = format!("/v1/flags/{}", flag["flag"].as_str().expect("an id"));
        let told = people.officer.get(&flag).await.expect("a flag");
        assert_eq!((&told["evidence"]["overLimit"]["limit"], &told["evidence"]["policy"]), (&json!("2"), &json!("two")), "{engine:?} {told}");
        people.officer.post(&format!("{flag}/clear"), &json!({ "reason": "特批" }), "").await.expect("is cleared");
        assert_eq!(people.approve(&list).await.expect("is tried")["approved"], 3, "{engine:?}");
        assert_eq!(refusals(&people, &list).await, ["QUOTA_FULL", "QUOTA_FULL"], "{engine:?}");
        assert_eq!(gauges(&people).await, [[5, 2, 2, 0]], "{engine:?}");
        // One place becomes free: the next is let in, and the other stays.
        let entries = people.officer.get(&format!("{list}/entries?pageSize=100")).await.expect("entries");
        let taken = entries["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == name(3)).expect("is on it").clone();
        assert_eq!(taken["state"], "APPROVED", "{engine:?}");
        let void = json!({ "what": "VOID", "entries": [taken["entry"]], "reason": "放弃" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &void, "").await.expect("is voided");
        assert_eq!(gauges(&people).await, [[5, 2, 1, 1]], "{engine:?}");
        let approved = people.approve(&list).await.expect("is approved");
        assert_eq!(approved["approved"], 4, "{engine:?} {approved}");
        let states = people.officer.get(&format!("{list}/entries?pageSize=100")).await.expect("entries");
        let state =
            |serial: u32| states["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == name(serial)).expect("is there")["state"].clone();
        assert_eq!([state(4), state(1)], [json!("APPROVED"), json!("ATTESTED")], "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_approvals_at_once_let_in_no_more_than_there_is_room_for() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let quotas = quota("three", "COUNTY", "persons = 3");
        let (deployment, people) = begun(engine, folder.path(), "quota-three", &quotas).await;
        let levels: Vec<(u32, &str)> = (1..=8).map(|serial| (serial, "困难")).collect();
        poor(&deployment, &people, &levels).await;
        let mut lists = Vec::new();
        for half in [[1, 2, 3, 4], [5, 6, 7, 8]] {
            let list = list(&people, &half.map(|serial| line(serial, "二档", "", ""))).await;
            people.attested(&list).await;
            lists.push(list);
        }
        let (one, other) = tokio::join!(people.approve(&lists[0]), people.approve(&lists[1]));
        let count = |answer: anyhow::Result<Value>| answer.map_or(0, |list| list["approved"].as_i64().unwrap_or_default());
        let approved = (count(one), count(other));
        assert_eq!(approved.0 + approved.1, 3, "{engine:?} {approved:?}");
        assert_eq!(gauges(&people).await, [[8, 3, 3, 0]], "{engine:?}");
        // Each of them again finds no room.
        for list in &lists {
            let before = people.officer.get(list).await.expect("a list");
            assert_eq!(people.approve(list).await.expect("is tried")["approved"], before["approved"], "{engine:?}");
        }
        let open = flagged(&people, "OVER_QUOTA").await.len();
        assert_eq!(open, 5, "{engine:?}: all that are left say why");
        deployment.stop().await;
    }
}

/// Somebody harder hit who was sent back and comes again in a later round is let in before who was there first.
#[tokio::test(flavor = "multi_thread")]
async fn the_order_is_that_of_the_list_and_not_of_its_rounds() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = begun(engine, folder.path(), "quota-two", &quota("two", "SCHOOL", "persons = 2")).await;
        poor(&deployment, &people, &[(1, "一般困难"), (2, "一般困难"), (3, "特别困难")]).await;
        let list = list(&people, &[1, 2, 3].map(|serial| line(serial, "一档", "", ""))).await;
        let submitted = people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
        let entries = people.clerk.get(&format!("{list}/entries?pageSize=100")).await.expect("entries");
        let hard = entries["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == name(3)).expect("is on it")["entry"].clone();
        people.head.post(&format!("{list}/sendBack"), &json!({ "reason": "请核对", "entries": [hard] }), "").await.expect("is sent back");
        let again = people.head.get(&list).await.expect("a list");
        assert_ne!(again["digest"], submitted["digest"], "{engine:?}");
        people.head.post(&format!("{list}/attest"), &json!({ "digest": again["digest"] }), "").await.expect("is attested");
        people.clerk.post(&format!("{list}/redraft"), &json!({ "all": true }), "").await.expect("is a draft again");
        people.attested(&list).await;
        assert_eq!(people.approve(&list).await.expect("is approved")["approved"], 2, "{engine:?}");
        let told = people.officer.get(&format!("{list}/entries?pageSize=100")).await.expect("entries");
        let approved: Vec<&Value> =
            told["entries"].as_array().expect("a list").iter().filter(|entry| entry["state"] == "APPROVED").map(|entry| &entry["name"]).collect();
        assert!(approved.contains(&&json!(name(3))) && approved.contains(&&json!(name(1))), "{engine:?} {approved:?}");
        assert_eq!(flagged(&people, "OVER_QUOTA").await, [name(2)], "{engine:?}");
        deployment.stop().await;
    }
}

/// Two schools name one card at once: whoever comes second sees the first, and both are told.
#[tokio::test(flavor = "multi_thread")]
async fn one_card_written_twice_at_once_is_seen() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = begun(engine, folder.path(), "tiers", "").await;
        people.import(&(1..=6).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let cards = ["6222600260001072444", "4000056655665556", "5105105105105100"];
        for (nth, card) in (1_u32..).zip(cards) {
            let of = |session: &xuezhu::client::Session, school: &'static str, serial: u32| {
                let (session, lists) = (session.clone(), format!("/v1/schools/{school}/awardLists"));
                let text = format!("姓名,身份证件类型,身份证件号,银行卡号\n{},居民身份证,{},{card}\n", name(serial), number(serial));
                async move {
                    let made = session.post(&lists, &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
                    let list = made["list"].as_str().expect("an id").to_owned();
                    session.upload(&format!("{lists}/{list}/import"), text.into_bytes(), "").await.expect("is answered")
                }
            };
            tokio::join!(of(&people.clerk, SCHOOL, nth), of(&people.other, OTHER, nth + 3));
        }
        assert_eq!(flagged(&people, "PAYEE_MISMATCH").await.len(), 6, "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_of_those_on_the_roll_and_counted_anew_on_demand() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let quotas = quota("share", "SCHOOL", "percent = 30") + &quota("all", "CITY", "percent = 90");
        let (deployment, people) = begun(engine, folder.path(), "quota-share", &quotas).await;
        poor(&deployment, &people, &[(1, "困难"), (2, "困难"), (3, ""), (4, "")]).await;
        let list = list(&people, &[1, 2].map(|serial| line(serial, "二档", "", ""))).await;
        people.attested(&list).await;
        // The widest first; who studies agriculture is not in the base; what is left of one is none.
        assert_eq!(gauges(&people).await, [[4, 3, 0, 3], [4, 1, 0, 1]], "{engine:?}");
        assert_eq!(people.approve(&list).await.expect("is approved")["approved"], 1, "{engine:?}");
        let rows: Vec<HashMap<String, String>> = (10..=13).map(urban).collect();
        people.import(&rows).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.approve(&list).await.expect("is tried")["approved"], 1, "{engine:?}: they are counted once a day");
        let body = json!({ "school": SCHOOL, "term": "2026-AUTUMN", "scheme": "GRANT" });
        assert_eq!(reason(people.clerk.post("/v1/quotas/recount", &body, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        people.officer.post("/v1/quotas/recount", &body, "").await.expect("is counted");
        assert_eq!(gauges(&people).await, [[8, 7, 1, 6], [8, 2, 1, 1]], "{engine:?}");
        assert_eq!(people.approve(&list).await.expect("is approved")["approved"], 2, "{engine:?}");
        // The department sees what was counted, school by school; another school sees nothing of this one.
        let seen = people.officer.get("/v1/quotas?term=2026-AUTUMN&scheme=GRANT").await.expect("quotas");
        assert_eq!(seen["quotas"].as_array().map(Vec::len), Some(2), "{engine:?}: the school and the city: {seen}");
        assert_eq!(reason(people.other.get(&format!("/v1/quotas?school={SCHOOL}&term=2026-AUTUMN&scheme=GRANT")).await).0, 403, "{engine:?}");
        assert_eq!(reason(people.other.get("/v1/quotas?term=2026-AUTUMN&scheme=GRANT").await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(reason(people.officer.get(&format!("/v1/quotas?school={SCHOOL}&term=2026&scheme=NONE")).await), (400, "INVALID_ARGUMENT".into()));
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_for_some_is_held_for_others_until_it_is_mended() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = begun(engine, folder.path(), "tiers", "").await;
        poor(&deployment, &people, &[(1, "一般困难"), (2, "特别困难"), (3, "困难")]).await;
        let lines = [line(1, "二档", "", ""), line(2, "三档", "", ""), line(3, "二档", "", ""), line(50, "三档", "", "")];
        let list = list(&people, &lines).await;
        let mut over = vec![name(1), name(50)];
        over.sort();
        assert_eq!(flagged(&people, "OVER_RATE").await, over, "{engine:?}");
        sweep(&people).await;
        assert_eq!(flagged(&people, "OVER_RATE").await, over, "{engine:?}: the sweep says the same");
        upload(&people, &list, &[line(1, "一档", "", ""), line(50, "二档", "", "")]).await;
        assert_eq!(people.open_flags().await, [], "{engine:?}");
        // A level that is determined anew judges what was right.
        enter(&people, 2, json!({ "level": "困难", "fromDate": "2026-11-01" })).await.expect("is entered");
        determine(&people).await;
        assert_eq!(flagged(&people, "OVER_RATE").await, [name(2)], "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_the_students_own_and_no_other_students() {
    const CARD: &str = "6222600260001072444";
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = begun(engine, folder.path(), "tiers", "").await;
        people.import(&(1..=5).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let lines =
            [line(1, "", CARD, ""), line(2, "", CARD, ""), line(3, "", "4000056655665556", "王家长"), line(4, "", "12345678901", ""), line(5, "", "", "")];
        let path = list(&people, &lines).await;
        let mut faulty: Vec<String> = (1..=4).map(name).collect();
        faulty.sort();
        assert_eq!(flagged(&people, "PAYEE_MISMATCH").await, faulty, "{engine:?}");
        sweep(&people).await;
        assert_eq!(flagged(&people, "PAYEE_MISMATCH").await, faulty, "{engine:?}: the sweep says the same");
        let flags = people.officer.get("/v1/flags?rule=PAYEE_MISMATCH&state=OPEN&pageSize=100").await.expect("flags");
        let mut reasons = Vec::new();
        for flag in flags["flags"].as_array().expect("a list") {
            let told = people.officer.get(&format!("/v1/flags/{}", flag["flag"].as_str().expect("an id"))).await.expect("a flag");
            assert!(!told.to_string().contains(CARD), "{engine:?}: no number of a card");
            let payee = told["evidence"]["payee"].as_array().expect("why");
            reasons.push((told["name"].as_str().unwrap_or_default().to_owned(), payee[0]["reason"].as_str().unwrap_or_default().to_owned()));
        }
        reasons.sort();
        let mut expected = vec![(name(1), "SHARED"), (name(2), "SHARED"), (name(3), "HOLDER_DIFFERS"), (name(4), "NOT_A_CARD")]
            .into_iter()
            .map(|(name, why)| (name, why.to_owned()))
            .collect::<Vec<_>>();
        expected.sort();
        assert_eq!(reasons, expected, "{engine:?}");
        // One of two who share a card names another: the other is right too, unasked.
        let entries = people.clerk.get(&format!("{path}/entries?pageSize=100")).await.expect("entries");
        let entry = |serial: u32| entries["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == name(serial)).expect("is on it").clone();
        let act = |entry: &Value, verb: &str| format!("{path}/entries/{}/{verb}", entry["entry"].as_str().expect("an id"));
        let one = entry(2);
        let changed = json!({ "etag": one["etag"], "card": "5105105105105100", "cardHolder": name(2) });
        people.clerk.post(&act(&one, "edit"), &changed, "").await.expect("is edited");
        let three = entry(3);
        let changed = people.clerk.post(&act(&three, "edit"), &json!({ "etag": three["etag"], "cardHolder": name(3) }), "").await.expect("is edited");
        assert_eq!((&changed["cardHolder"], &changed["card"]), (&json!(name(3)), &json!("************5556")), "{engine:?} {changed}");
        assert_eq!(flagged(&people, "PAYEE_MISMATCH").await, [name(4)], "{engine:?}");
        // Whose another card is was not said.
        let three = json!({ "etag": changed["etag"], "card": CARD });
        let changed = people.clerk.post(&act(&changed, "edit"), &three, "").await.expect("is edited");
        assert_eq!(changed["cardHolder"], "", "{engine:?}");
        let mut faulty: Vec<String> = [1, 3, 4].map(name).to_vec();
        faulty.sort();
        assert_eq!(flagged(&people, "PAYEE_MISMATCH").await, faulty, "{engine:?}");
        // Taken off the list, nobody's card is named any more.
        people.clerk.post(&act(&changed, "remove"), &json!({}), "").await.expect("is taken off");
        assert_eq!(flagged(&people, "PAYEE_MISMATCH").await, [name(4)], "{engine:?}");
        deployment.stop().await;
    }
}

/// An officer sees how many are left, and why the others wait.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sees_what_is_left_in_a_browser() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (deployment, people) = begun(Engine::Sqlite, folder.path(), "quota-one", &quota("每校名额", "SCHOOL", "persons = 1")).await;
    poor(&deployment, &people, &[(1, "困难"), (2, "特别困难"), (3, "一般困难")]).await;
    let list = list(&people, &[line(1, "三档", "6222600260001072444", "王家长"), line(2, "二档", "", ""), line(3, "一档", "", "")]).await;
    people.attested(&list).await;
    let base = format!("http://{}", deployment.http);
    let browser = Browser::open(1280, 1100).await?;
    browser.log_in(&base, "officer").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}{}", list.trim_start_matches("/v1").replace("awardLists", "lists"))).await?;
    browser.sees("审核时先按困难等级从重到轻").await?;
    browser.sees("重新核算基数").await?;
    browser.picture("quota-list").await?;
    usable(&browser).await?;
    browser.click("form#recount button").await?;
    browser.sees("已重新核算").await?;
    for (rule, says) in [("OVER_QUOTA", "排在名额以外"), ("OVER_RATE", "按政策最高为二档"), ("PAYEE_MISMATCH", "不是该生的姓名")] {
        let flag = people.officer.get(&format!("/v1/flags?rule={rule}")).await?["flags"][0]["flag"].as_str().expect("an id").to_owned();
        browser.go(&format!("{base}/flags/{flag}")).await?;
        browser.sees(says).await?;
        browser.picture(&format!("quota-{rule}")).await?;
        usable(&browser).await?;
    }
    people.approve(&list).await?;
    browser.go(&format!("{base}/quotas")).await?;
    browser.sees("每校名额").await?;
    browser.sees("核定人数").await?;
    browser.picture("quotas").await?;
    usable(&browser).await?;
    browser.phone().await?;
    browser.fits().await?;
    browser.picture("quotas-phone").await?;
    let policies = people.officer.get("/v1/policies").await?;
    let policy = policies["policies"][0]["policy"].as_str().expect("an id").to_owned();
    browser.go(&format!("{base}/policies/{policy}")).await?;
    browser.sees("每所学校").await?;
    browser.picture("quota-policy").await?;
    deployment.stop().await;
    Ok(())
}

/// Of those who are as poor, those go first whom the list shows first, however they came onto it.
#[tokio::test(flavor = "multi_thread")]
async fn places_go_in_the_order_that_the_list_shows() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = begun(engine, folder.path(), "quota-order", &quota("school", "SCHOOL", "persons = 2")).await;
        poor(&deployment, &people, &[1, 2, 3, 4].map(|serial| (serial, "困难"))).await;
        let path = list(&people, &[3, 1, 4, 2].map(|serial| line(serial, "二档", "", ""))).await;
        people.attested(&path).await;
        people.approve(&path).await.expect("is approved");
        let entries = people.clerk.get(&format!("{path}/entries")).await.expect("entries")["entries"].clone();
        let shown: Vec<bool> = entries.as_array().expect("a list").iter().map(|entry| entry["state"] == "APPROVED").collect();
        assert_eq!(shown, [true, true, false, false], "{engine:?} {entries}");
        deployment.stop().await;
    }
}
