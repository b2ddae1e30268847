//! Policies in versions: proposed by one person, signed by another, held from a day; what was decided under an old one stays.

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_judge::policy::file::BUILT_IN;
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    Engine, deployment, options,
    schools::{self, People, SCHOOL, number, reason, student},
    start,
};

use crate::entries::enrolled;

const PASSWORD: &str = "Anderer-Weg-1";

/// The built-in policy with other amounts of the grant, and a scheme of a city's own.
fn next_policy() -> String {
    let local = "
[[scheme]]
code = \"CITY_GRANT\"
name = \"市级助学金\"
paid = \"MONTH\"
by_right = false

  [[scheme.rate]]
  id = \"city-2026\"
  region = \"4301\"
  from = \"2026-AUTUMN\"
  months_a_year = 10
  tiers = [{ name = \"标准\", yuan = 500 }]
  grades = [1, 3]
  full_time = true
  entitles = [\"EVERYBODY\"]
  source = \"市政府办公会议纪要\"
";
    format!("{}{local}", BUILT_IN.replace("{ name = \"二档\", yuan = 2300 }", "{ name = \"二档\", yuan = 2500 }"))
}

async fn propose(who: &Session, content: &str, from: &str) -> anyhow::Result<Value> {
    who.post("/v1/policies", &json!({ "content": content, "fromDate": from, "note": "省文件" }), "").await
}

async fn sign(who: &Session, policy: &Value) -> anyhow::Result<Value> {
    let path = format!("/v1/aidDossiers/{}", policy["dossier"].as_str().expect("a dossier"));
    let dossier = who.get(&path).await?;
    who.post(&format!("{path}/sign"), &json!({ "digest": dossier["digest"] }), "").await
}

/// Numbers and states of the versions, newest first.
async fn versions(who: &Session) -> Vec<(Value, Value)> {
    let answer = who.get("/v1/policies?pageNumber=1").await.expect("policies");
    let policies = answer["policies"].as_array().expect("a list");
    assert_eq!(answer["totalSize"], policies.len());
    policies.iter().map(|policy| (policy["version"].clone(), policy["state"].clone())).collect()
}

async fn grant(people: &People, term: &str) -> (String, Value) {
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": term }), "").await.expect("a list");
    (format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id")), made)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_proposed_by_one_and_signed_by_another() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let second = people.open_account("second", "AID_OFFICER", "430100", PASSWORD).await;
        let county = people.open_account("county", "DEPARTMENT_OFFICER", "430102", PASSWORD).await;
        let head = people.open_account("bureau", "AUTHORITY_HEAD", "430100", PASSWORD).await;
        assert_eq!(versions(&people.clerk).await, [(json!(1), json!("HOLDS"))], "{engine:?}");
        let first = people.clerk.get("/v1/policies").await.expect("policies")["policies"][0].clone();
        assert_eq!((&first["fromDate"], &first["content"]), (&json!(""), &json!("")), "{engine:?}: a list is without texts");
        let first = people.machine.get(&format!("/v1/policies/{}", first["policy"].as_str().expect("an id"))).await.expect("a policy");
        assert_eq!(first["content"], BUILT_IN, "{engine:?}");
        let today = deployment.today();
        let (tomorrow, later) = (today.succ_opt().expect("a day").to_string(), (today + chrono::Days::new(20)).to_string());
        // Who may not: a school, a department under which not all schools lie, the head, who signs nothing, a machine.
        for (who, refused) in [(&people.clerk, 403), (&people.head, 403), (&county, 400), (&head, 403), (&people.machine, 403), (&people.admin, 403)] {
            assert_eq!(reason(propose(who, &next_policy(), &tomorrow).await).0, refused, "{engine:?}");
        }
        // Faults are told by field and line, and nothing is kept.
        let wrong = BUILT_IN.replace("grades = [1, 3]", "grades = [3, 1]");
        let refused = propose(&people.officer, &wrong, &today.to_string()).await.expect_err("is refused").to_string();
        for told in ["第", "grades", "生效日期应在今天以后"] {
            assert!(refused.contains(told), "{engine:?} {told}: {refused}");
        }
        for from in ["2026", "2999-01-01", ""] {
            assert_eq!(reason(propose(&people.officer, BUILT_IN, from).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {from}");
        }
        assert_eq!(versions(&people.officer).await.len(), 1, "{engine:?}");
        let proposed = propose(&people.officer, &next_policy(), &later).await.expect("is proposed");
        assert_eq!((&proposed["state"], &proposed["version"]), (&json!("PROPOSED"), &json!(0)), "{engine:?}");
        assert_eq!(reason(propose(&second, BUILT_IN, &later).await), (400, "WRONG_STATE".into()), "{engine:?}: one at a time");
        assert_eq!(second.get("/v1/aidInbox").await.expect("an inbox")["inbox"]["waitingCount"], 1, "{engine:?}");
        // Nobody signs what they proposed; who sits elsewhere signs nothing.
        assert_eq!(reason(sign(&people.officer, &proposed).await), (403, "OWN_SUBMISSION".into()), "{engine:?}");
        assert_eq!(reason(sign(&county, &proposed).await).0, 404, "{engine:?}");
        // It can be taken back, or sent back; then another is proposed.
        let dossier = format!("/v1/aidDossiers/{}", proposed["dossier"].as_str().expect("a dossier"));
        people.officer.post(&format!("{dossier}/recall"), &json!({ "reason": "有误" }), "").await.expect("is recalled");
        let again = propose(&people.officer, &next_policy(), &later).await.expect("is proposed");
        let dossier = format!("/v1/aidDossiers/{}", again["dossier"].as_str().expect("a dossier"));
        second.post(&format!("{dossier}/sendBack"), &json!({ "reason": "日期不对" }), "").await.expect("is sent back");
        let third = propose(&people.officer, &next_policy(), &later).await.expect("is proposed");
        sign(&second, &third).await.expect("is signed");
        let dropped = (json!(0), json!("DROPPED"));
        assert_eq!(
            versions(&people.officer).await,
            [(json!(2), json!("SIGNED")), dropped.clone(), dropped, (json!(1), json!("HOLDS"))],
            "{engine:?}: it holds from its day"
        );
        // The next one holds from no earlier day.
        assert_eq!(reason(propose(&people.officer, BUILT_IN, &tomorrow).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        // What a scheme goes by is its own for good.
        let other = next_policy().replace("name = \"市级助学金\"\npaid = \"MONTH\"", "name = \"市级助学金\"\npaid = \"TERM\"");
        assert_eq!(reason(propose(&people.officer, &other, &later).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_for_good_by_the_policy_under_which_it_was_opened() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = enrolled(&deployment, 1..=3).await;
        let second = people.open_account("second", "AID_OFFICER", "430100", PASSWORD).await;
        let (old, told) = grant(&people, "2026-AUTUMN").await;
        assert_eq!((&told["policyVersion"], &told["schemeName"], &told["byMonth"]), (&json!(1), &json!("国家助学金"), &json!(true)), "{engine:?}");
        let local = json!({ "schemeCode": "CITY_GRANT", "term": "2026-AUTUMN" });
        let lists = format!("/v1/schools/{SCHOOL}/awardLists");
        assert_eq!(reason(people.clerk.post(&lists, &local, "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: no policy has it yet");
        let from = deployment.today() + chrono::Days::new(5);
        let proposed = propose(&people.officer, &next_policy(), &from.to_string()).await.expect("is proposed");
        sign(&second, &proposed).await.expect("is signed");
        let before = people.clerk.post(&lists, &local, "").await;
        assert_eq!(reason(before), (400, "INVALID_ARGUMENT".into()), "{engine:?}: it does not hold yet");
        deployment.step_to(from).await.expect("the day comes");
        assert_eq!(versions(&people.clerk).await, [(json!(2), json!("HOLDS")), (json!(1), json!("FORMER"))], "{engine:?}");
        // The list of before goes on as it was opened.
        people.clerk.post(&format!("{old}/propose"), &json!({}), "").await.expect("is proposed");
        let amounts = async |list: &str| -> Vec<i64> {
            let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
            entries["entries"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|entry| entry["amountFen"].as_str().and_then(|fen| fen.parse().ok()).unwrap_or_default())
                .collect()
        };
        assert_eq!(amounts(&old).await, vec![5 * 23_000; 3], "{engine:?}");
        let submitted = people.attested(&old).await;
        assert_eq!(submitted["policyVersion"], 1, "{engine:?}");
        people.approve(&old).await.expect("is approved");
        // One that is opened now goes by the new one.
        let (supplement, told) = grant(&people, "2026-AUTUMN").await;
        assert_ne!(supplement, old, "{engine:?}");
        assert_eq!(told["policyVersion"], 2, "{engine:?}");
        people.import(&[student(4)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        people.clerk.post(&format!("{supplement}/propose"), &json!({}), "").await.expect("is proposed");
        assert_eq!(amounts(&supplement).await, [5 * 25_000], "{engine:?}");
        // A scheme of the city's own, by data alone: proposed, signed, approved, told by its name.
        let schemes = people.clerk.get("/v1/schemes").await.expect("schemes");
        assert_eq!(schemes["schemes"][2]["schemeCode"], "CITY_GRANT", "{engine:?} {schemes}");
        let made = people.clerk.post(&lists, &local, "").await.expect("a list");
        assert_eq!((&made["scheme"], &made["schemeCode"], &made["schemeName"]), (&json!("OTHER"), &json!("CITY_GRANT"), &json!("市级助学金")), "{engine:?}");
        let list = format!("{lists}/{}", made["list"].as_str().expect("an id"));
        let seen = people.clerk.post(&format!("{list}/propose"), &json!({ "preview": true }), "").await.expect("candidates");
        assert_eq!((&seen["added"], &seen["candidates"][0]["reason"]), (&json!(4), &json!("EVERYBODY")), "{engine:?}");
        people.clerk.post(&format!("{list}/propose"), &json!({}), "").await.expect("is proposed");
        assert_eq!(amounts(&list).await, vec![5 * 5_000; 4], "{engine:?}");
        people.attested(&list).await;
        assert_eq!(people.approve(&list).await.expect("is approved")["approved"], 4, "{engine:?}");
        assert_eq!(people.open_flags().await, [], "{engine:?}: the same months of another scheme are no double");
        // Twice the same is one, of a local scheme too.
        let again = people.clerk.post(&lists, &local, "").await.expect("a supplementary list");
        let again = format!("{lists}/{}", again["list"].as_str().expect("an id"));
        let file = schools::awards(&[(&student(1)["姓名"], &number(1), "")]);
        people.clerk.upload(&format!("{again}/import"), file, "").await.expect("is answered");
        let rules: Vec<String> = people.open_flags().await.into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, ["DUPLICATE_AWARD"], "{engine:?}");
        deployment.stop().await;
    }
}

/// The file of the setting is a new folder's first version; later it changes nothing, and what was signed is there after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_its_versions_whatever_the_setting_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, BUILT_IN.replace("yuan = 2300", "yuan = 2400")).expect("writes");
    let data = folder.path().join("data");
    let settings = Settings { policy_file: Some(file.clone()), ..Settings::default() };
    let deployment = start(options(None, &data, "none", settings.clone())).await;
    let people = schools::open(&deployment).await;
    let second = people.open_account("second", "AID_OFFICER", "430100", PASSWORD).await;
    let from = deployment.today() + chrono::Days::new(3);
    let proposed = propose(&people.officer, &next_policy(), &from.to_string()).await.expect("is proposed");
    sign(&second, &proposed).await.expect("is signed");
    deployment.stop().await;
    std::fs::write(&file, BUILT_IN.replace("yuan = 2300", "yuan = 2350")).expect("writes");
    let deployment = start(options(None, &data, "none", settings)).await;
    let people = People::at(&format!("http://{}", deployment.http)).await;
    assert_eq!(versions(&people.officer).await, [(json!(2), json!("SIGNED")), (json!(1), json!("HOLDS"))]);
    let policies = people.officer.get("/v1/policies").await.expect("policies");
    let first = people.officer.get(&format!("/v1/policies/{}", policies["policies"][1]["policy"].as_str().expect("an id"))).await.expect("a policy");
    assert!(first["content"].as_str().expect("a text").contains("yuan = 2400"), "as the folder began");
    deployment.stop().await;
}
