//! Policies in versions: proposed by one person, signed by another, held from a day; what was decided under an old one stays.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_judge::policy::{Policy, file::BEFORE};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, run};
use xuezhu_tests::{
    AT_ONCE, Engine, by_itself, deployment, deployment_on, options, policy_file, postgres,
    schools::{self, People, SCHOOL, number, reason, student},
    start,
};

use crate::{browser::Browser, entries::enrolled};

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
    format!("{}{local}", AT_ONCE.replace("{ name = \"二档\", yuan = 2300 }", "{ name = \"二档\", yuan = 2500 }"))
}

/// Proposes a policy that is to hold from a day.
pub async fn propose(who: &Session, content: &str, from: &str) -> anyhow::Result<Value> {
    who.post("/v1/policies", &json!({ "content": content, "fromDate": from, "note": "省文件" }), "").await
}

/// Signs one that was proposed.
pub async fn sign(who: &Session, policy: &Value) -> anyhow::Result<Value> {
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
        assert_eq!(first["content"], AT_ONCE.as_str(), "{engine:?}");
        let today = deployment.today();
        let (tomorrow, later) = (today.succ_opt().expect("a day").to_string(), (today + chrono::Days::new(20)).to_string());
        // Who may not: a school, a department under which not all schools lie, the head, who signs nothing, a machine.
        for (who, refused) in [(&people.clerk, 403), (&people.head, 403), (&county, 400), (&head, 403), (&people.machine, 403), (&people.admin, 403)] {
            assert_eq!(reason(propose(who, &next_policy(), &tomorrow).await).0, refused, "{engine:?}");
        }
        // Faults are told by field and line, and nothing is kept.
        let wrong = AT_ONCE.replace("grades = [1, 3]", "grades = [3, 1]");
        let refused = propose(&people.officer, &wrong, &today.to_string()).await.expect_err("is refused").to_string();
        for told in ["第", "grades", "生效日期应在今天以后"] {
            assert!(refused.contains(told), "{engine:?} {told}: {refused}");
        }
        for from in ["2026", "2999-01-01", ""] {
            assert_eq!(reason(propose(&people.officer, &AT_ONCE, from).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {from}");
        }
        assert_eq!(versions(&people.officer).await.len(), 1, "{engine:?}");
        // Of two who propose at once, one is told of the other.
        let (text, day) = (next_policy(), later.clone());
        let (one, other) = tokio::join!(propose(&people.officer, &text, &day), propose(&second, &text, &day));
        assert_eq!([&one, &other].into_iter().filter(|proposed| proposed.is_ok()).count(), 1, "{engine:?} {one:?} {other:?}");
        let (whose, proposed) = if let Ok(one) = one { (&people.officer, one) } else { (&second, other.expect("one of them")) };
        let dossier = format!("/v1/aidDossiers/{}", proposed["dossier"].as_str().expect("a dossier"));
        whose.post(&format!("{dossier}/recall"), &json!({ "reason": "同时拟订" }), "").await.expect("is recalled");
        let proposed = propose(&people.officer, &next_policy(), &later).await.expect("is proposed");
        assert_eq!((&proposed["state"], &proposed["version"]), (&json!("PROPOSED"), &json!(0)), "{engine:?}");
        assert_eq!(reason(propose(&second, &AT_ONCE, &later).await), (400, "WRONG_STATE".into()), "{engine:?}: one at a time");
        assert_eq!(second.get("/v1/aidInbox").await.expect("an inbox")["inbox"]["waitingCount"], 1, "{engine:?}");
        // Nobody signs what they proposed; who sits elsewhere signs nothing.
        assert_eq!(reason(sign(&people.officer, &proposed).await), (403, "OWN_SUBMISSION".into()), "{engine:?}");
        let path = format!("/v1/aidDossiers/{}", proposed["dossier"].as_str().expect("a dossier"));
        let digest = people.officer.get(&path).await.expect("a dossier")["digest"].clone();
        for who in [&county, &head, &people.clerk, &people.machine] {
            let refused = reason(who.post(&format!("{path}/sign"), &json!({ "digest": digest }), "").await).0;
            assert!([403, 404].contains(&refused), "{engine:?} {refused}");
        }
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
            [(json!(2), json!("SIGNED")), dropped.clone(), dropped.clone(), dropped, (json!(1), json!("HOLDS"))],
            "{engine:?}: it holds from its day"
        );
        // The next one holds from no earlier day.
        assert_eq!(reason(propose(&people.officer, &AT_ONCE, &tomorrow).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
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
        let waiver = json!({ "scheme": "TUITION_WAIVER", "term": "2026-AUTUMN" });
        assert_eq!(people.clerk.post(&lists, &waiver, "").await.expect("a list")["policyVersion"], 1, "{engine:?}");
        let from = deployment.today() + chrono::Days::new(5);
        let proposed = propose(&people.officer, &next_policy(), &from.to_string()).await.expect("is proposed");
        sign(&second, &proposed).await.expect("is signed");
        let before = people.clerk.post(&lists, &local, "").await;
        assert_eq!(reason(before), (400, "INVALID_ARGUMENT".into()), "{engine:?}: it does not hold yet");
        deployment.step_to(from).await.expect("the day comes");
        assert_eq!(versions(&people.clerk).await, [(json!(2), json!("HOLDS")), (json!(1), json!("FORMER"))], "{engine:?}");
        // The list of before, on which somebody is, goes on as it was opened; one on which nobody is goes by what holds when it is opened again.
        people.clerk.post(&format!("{old}/propose"), &json!({}), "").await.expect("is proposed");
        assert_eq!(grant(&people, "2026-AUTUMN").await.1["policyVersion"], 1, "{engine:?}");
        assert_eq!(people.clerk.post(&lists, &waiver, "").await.expect("a list")["policyVersion"], 2, "{engine:?}");
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
    std::fs::write(&file, AT_ONCE.replace("yuan = 2300", "yuan = 2400")).expect("writes");
    let data = folder.path().join("data");
    let settings = Settings { policy_file: Some(file.clone()), ..Settings::default() };
    let deployment = start(options(None, &data, "none", settings.clone())).await;
    let people = schools::open(&deployment).await;
    let second = people.open_account("second", "AID_OFFICER", "430100", PASSWORD).await;
    let from = deployment.today() + chrono::Days::new(3);
    let proposed = propose(&people.officer, &next_policy(), &from.to_string()).await.expect("is proposed");
    sign(&second, &proposed).await.expect("is signed");
    deployment.stop().await;
    std::fs::write(&file, AT_ONCE.replace("yuan = 2300", "yuan = 2350")).expect("writes");
    let deployment = start(options(None, &data, "none", settings)).await;
    let people = People::at(&format!("http://{}", deployment.http)).await;
    assert_eq!(versions(&people.officer).await, [(json!(2), json!("SIGNED")), (json!(1), json!("HOLDS"))]);
    let policies = people.officer.get("/v1/policies").await.expect("policies");
    let first = people.officer.get(&format!("/v1/policies/{}", policies["policies"][1]["policy"].as_str().expect("an id"))).await.expect("a policy");
    assert!(first["content"].as_str().expect("a text").contains("yuan = 2400"), "as the folder began");
    deployment.stop().await;
}

/// A folder that lived before policies had versions goes on by what it went by.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_before_keeps_its_rules_as_version_one() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        // No file is named: the folder itself says by what it lived.
        let asked = || by_itself(options(databases.clone(), folder.path(), "none", Settings::default()));
        let deployment = start(asked()).await;
        let people = enrolled(&deployment, 1..=1).await;
        grant(&people, "2026-AUTUMN").await;
        deployment.stop().await;
        let url = databases.as_ref().map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid.clone());
        let aid = Db::open(&url).await.expect("opens");
        let mut tx = aid.begin().await.expect("begins");
        run!(&mut tx, "DELETE FROM policies").expect("empties");
        tx.commit().await.expect("commits");
        aid.close().await;
        let deployment = start(asked()).await;
        let people = People::at(&format!("http://{}", deployment.http)).await;
        let first = people.clerk.get("/v1/policies").await.expect("policies")["policies"][0].clone();
        let first = people.clerk.get(&format!("/v1/policies/{}", first["policy"].as_str().expect("an id"))).await.expect("a policy");
        assert_eq!((&first["content"], &first["version"]), (&json!(BEFORE), &json!(1)), "{engine:?}");
        deployment.stop().await;
    }
}

/// What a deployment without notice, quota and lock begins with is what folders of before went by.
#[test]
fn the_example_of_a_plain_policy_says_what_folders_of_before_went_by() {
    let example = Policy::parse(include_str!("../../docs/examples/policy-contract.toml")).expect("is sound");
    let before = Policy::parse(BEFORE).expect("is sound");
    assert_eq!((example.schemes(), example.seasons(), example.areas()), (before.schemes(), before.seasons(), before.areas()));
    assert_eq!((example.grace_working_days(), example.switched_off()), (before.grace_working_days(), before.switched_off()));
}

/// A policy by which Changsha gives other amounts, to rural students too, and no longer to grade 3.
fn of_changsha() -> String {
    let rate = "
  [[scheme.rate]]
  id = \"grant-changsha\"
  region = \"4301\"
  from = \"2026-AUTUMN\"
  months_a_year = 10
  tiers = [{ name = \"一档\", yuan = 1500 }, { name = \"二档\", yuan = 2500 }, { name = \"三档\", yuan = 3500 }]
  grades = [1, 2]
  full_time = true
  entitles = [\"AGRICULTURAL_MAJOR\", \"RURAL\"]
  source = \"市文件\"

[[scheme]]
code = \"TUITION_WAIVER\"";
    AT_ONCE.replacen("\n[[scheme]]\ncode = \"TUITION_WAIVER\"", rate, 1)
}

/// Who is proposed for what, by name.
async fn proposals(people: &People, list: &str) -> BTreeMap<String, i64> {
    let seen = people.clerk.post(&format!("{list}/propose"), &json!({ "preview": true }), "").await.expect("candidates");
    let one = |candidate: &Value| {
        let fen = candidate["amountFen"].as_str().and_then(|fen| fen.parse().ok()).unwrap_or_default();
        (candidate["name"].as_str().unwrap_or_default().to_owned(), if candidate["proposed"] == true { fen } else { 0 })
    };
    seen["candidates"].as_array().expect("a list").iter().map(one).collect()
}

fn fen(value: &Value) -> i64 {
    value.as_str().and_then(|fen| fen.parse().ok()).unwrap_or_default()
}

/// A policy that is proposed to hold from a day, and was tried.
pub async fn tried(people: &People, from: &str) -> Value {
    let proposed = propose(&people.officer, &of_changsha(), from).await.expect("is proposed");
    let trial = format!("/v1/policies/{}/trial", proposed["policy"].as_str().expect("an id"));
    people.officer.post(&trial, &json!({}), "").await.expect("begins");
    xuezhu_tests::until("the trial is done", async || people.officer.get(&trial).await.expect("is told")["state"] == "DONE").await;
    proposed
}

/// What a trial tells is what lists then say.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_who_is_proposed_otherwise_once_the_policy_holds() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let second = people.open_account("second", "AID_OFFICER", "430100", PASSWORD).await;
        let other = |serial: u32, fields: &[(&str, &str)]| {
            let mut row = student(serial);
            row.extend(fields.iter().map(|(header, value)| ((*header).to_owned(), (*value).to_owned())));
            row
        };
        let rows = [
            student(1),
            student(2),
            other(3, &[("专业简称", "护理")]),
            other(4, &[("专业简称", "护理"), ("户口性质", "非农业户口"), ("学生居住地类型", "城市")]),
            other(5, &[("入学年月", "202409")]),
            student(6),
        ];
        assert_eq!(people.import(&rows).await["rowsFaulty"], 0, "{engine:?}");
        people.register().await;
        people.withdraw(&number(6), "2026-11-10").await;
        deployment.drain().await.expect("drains");
        let (main, _) = grant(&people, "2026-AUTUMN").await;
        let before = proposals(&people, &main).await;
        let from = deployment.today() + chrono::Days::new(4);
        let proposed = propose(&people.officer, &of_changsha(), &from.to_string()).await.expect("is proposed");
        let trial = format!("/v1/policies/{}/trial", proposed["policy"].as_str().expect("an id"));
        for who in [&people.clerk, &people.head, &people.machine, &people.admin] {
            assert_eq!(reason(who.get(&trial).await).0, 403, "{engine:?}");
            assert_eq!(reason(who.post(&trial, &json!({}), "").await).0, 403, "{engine:?}");
        }
        assert_eq!(second.get(&trial).await.expect("is told")["state"], "STATE_UNSPECIFIED", "{engine:?}");
        second.post(&trial, &json!({}), "").await.expect("begins");
        xuezhu_tests::until("the trial is done", async || second.get(&trial).await.expect("is told")["state"] == "DONE").await;
        let told = second.get(&format!("{trial}?school={SCHOOL}")).await.expect("is told");
        assert_eq!((&told["terms"], &told["lookedAt"]), (&json!(["2026-AUTUMN", "2027-SPRING"]), &json!(2)), "{engine:?} {told}");
        assert_eq!(told["comparedVersion"], 1, "{engine:?}");
        let total = &told["totals"][0];
        let counted = ["gains", "loses", "more", "less", "otherwise"].map(|field| fen(&total[field]));
        assert_eq!((counted, &total["term"], told["totals"].as_array().map(Vec::len)), ([1, 1, 3, 0, 0], &json!("2026-AUTUMN"), Some(2)), "{engine:?} {told}");
        assert_eq!(told["bySchool"].as_array().map(Vec::len), Some(2), "{engine:?}: only where somebody turns out otherwise");
        assert_eq!((&told["bySchool"][0]["schoolName"], &told["bySchool"][0]["gains"]), (&json!(format!("学校{SCHOOL}")), &json!("1")), "{engine:?}");
        let students: Vec<&Value> = told["students"].as_array().expect("a list").iter().filter(|one| one["term"] == "2026-AUTUMN").collect();
        let said: BTreeMap<String, (i64, i64)> =
            students.iter().map(|one| (one["name"].as_str().unwrap_or_default().to_owned(), (fen(&one["beforeFen"]), fen(&one["afterFen"])))).collect();
        assert_eq!(
            said.values().map(|(before, after)| [*before, *after]).fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]),
            [fen(&total["beforeFen"]), fen(&total["afterFen"])]
        );
        let gained = students.iter().find(|one| one["turn"] == "GAINS").expect("somebody gains");
        assert_eq!((&gained["beforeReason"], &gained["afterReason"]), (&json!("NEEDS_HARDSHIP"), &json!("RURAL")), "{engine:?}");
        // Nothing was changed by it; then the day comes.
        assert_eq!(proposals(&people, &main).await, before, "{engine:?}");
        sign(&second, &proposed).await.expect("is signed");
        people
            .clerk
            .post(&format!("{main}/propose"), &json!({ "persons": [person_called(&people, &main, &student(1)["姓名"]).await] }), "")
            .await
            .expect("one is put on");
        people.clerk.post(&format!("{main}/submit"), &json!({}), "").await.expect("is submitted");
        deployment.step_to(from).await.expect("the day comes");
        let (supplement, made) = grant(&people, "2026-AUTUMN").await;
        assert_eq!(made["policyVersion"], 2, "{engine:?}");
        let after = proposals(&people, &supplement).await;
        let differ: BTreeMap<String, (i64, i64)> =
            before.iter().filter(|(name, fen)| after[*name] != **fen).map(|(name, fen)| (name.clone(), (*fen, after[name]))).collect();
        assert_eq!(said, differ, "{engine:?}");
        // What was signed is still compared with what it followed.
        let again = second.get(&format!("{trial}?school={SCHOOL}")).await.expect("is told");
        assert_eq!(again["students"], told["students"], "{engine:?}");
        deployment.stop().await;
    }
}

/// The same of what a policy says of private schools, and of the month in which somebody leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_of_schools_that_are_let_in_and_of_the_month_of_leaving_says_what_lists_say() {
    let private = "[[private]]\nschemes = [\"GRANT\"]\nfrom = \"2020-AUTUMN\"\nschools = [\"3643000002\"]\nsource = \"省名单\"\n\n";
    let private = AT_ONCE.replacen("[[scheme]]", &format!("{private}[[scheme]]"), 1);
    let stop = AT_ONCE.replacen("count_day = \"09-30\"", "count_day = \"09-30\"\nstop = \"SAME_MONTH\"", 1);
    for engine in Engine::ALL {
        for (text, who_owns, turns) in [(&private, "PRIVATE", [0, 3, 0]), (&private, "PUBLIC", [0, 0, 0]), (&stop, "PRIVATE", [0, 0, 1])] {
            let folder = tempfile::tempdir().expect("a folder");
            let deployment = deployment(engine, folder.path(), "none").await;
            let people = schools::open(&deployment).await;
            let second = people.open_account("second", "AID_OFFICER", "430100", PASSWORD).await;
            people.admin.post(&format!("/v1/schools/{SCHOOL}/update"), &json!({ "kind": who_owns }), "").await.expect("is updated");
            people.import(&[student(1), student(2), student(6)]).await;
            people.register().await;
            people.withdraw(&number(6), "2026-11-10").await;
            deployment.drain().await.expect("drains");
            let before = proposals(&people, &grant(&people, "2026-AUTUMN").await.0).await;
            let from = deployment.today() + chrono::Days::new(4);
            let proposed = propose(&people.officer, text, &from.to_string()).await.expect("is proposed");
            let trial = format!("/v1/policies/{}/trial", proposed["policy"].as_str().expect("an id"));
            second.post(&trial, &json!({}), "").await.expect("begins");
            xuezhu_tests::until("the trial is done", async || second.get(&trial).await.expect("is told")["state"] == "DONE").await;
            let told = second.get(&format!("{trial}?school={SCHOOL}")).await.expect("is told");
            let of_term = |rows: &Value| rows.as_array().into_iter().flatten().filter(|row| row["term"] == "2026-AUTUMN").cloned().collect::<Vec<Value>>();
            let total = of_term(&told["totals"]).pop().unwrap_or_default();
            assert_eq!(["gains", "loses", "less"].map(|field| fen(&total[field])), turns, "{engine:?} {who_owns} {told}");
            let said: BTreeMap<String, (i64, i64)> = of_term(&told["students"])
                .iter()
                .map(|one| (one["name"].as_str().unwrap_or_default().to_owned(), (fen(&one["beforeFen"]), fen(&one["afterFen"]))))
                .collect();
            sign(&second, &proposed).await.expect("is signed");
            deployment.step_to(from).await.expect("the day comes");
            // Nobody is on the list: it goes by the policy of the day.
            let (list, made) = grant(&people, "2026-AUTUMN").await;
            assert_eq!(made["policyVersion"], 2, "{engine:?}");
            let after = proposals(&people, &list).await;
            let differ: BTreeMap<String, (i64, i64)> =
                before.iter().filter(|(name, fen)| after[*name] != **fen).map(|(name, fen)| (name.clone(), (*fen, after[name]))).collect();
            assert_eq!(said, differ, "{engine:?} {who_owns}");
            deployment.stop().await;
        }
    }
}

async fn person_called(people: &People, list: &str, name: &str) -> Value {
    let seen = people.clerk.post(&format!("{list}/propose"), &json!({ "preview": true }), "").await.expect("candidates");
    seen["candidates"].as_array().expect("a list").iter().find(|one| one["name"] == name).expect("is there")["person"].clone()
}

/// One officer writes what is wrong, is told where, and proposes; the other tries it, reads what it changes, and signs.
async fn walk_policy(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.log_in(base, "officer").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}/policies")).await?;
    page.sees("一直适用").await?;
    for (field, text) in [("from_date", "2026.11.20"), ("note", "市文件"), ("content", &AT_ONCE.replace("grades = [1, 3]", "grades = [3, 1]"))] {
        page.set(&format!("#propose-{field}"), text).await?;
    }
    page.click("#propose button").await?;
    page.sees("grades（年级）应为从小到大的两个数").await?;
    page.find("#propose .wrong #propose-content").await?;
    page.picture("policy-fault").await?;
    page.set("#propose-content", &of_changsha()).await?;
    page.click("#propose button").await?;
    page.sees("由本部门另一人审核").await?;
    page.sees("grant-changsha").await?;
    page.click("#trial button").await?;
    page.sees("共看 2 所学校").await?;
    page.click("a[href*='school=']").await?;
    page.sees("农村（含县镇）学生，符合条件").await?;
    page.picture("policy-tried").await?;
    page.log_in(base, "second").await?;
    page.find("header .who").await?;
    page.click("#mine td.act a").await?;
    page.click("a[href^='/policies/']").await?;
    page.sees("与第1版不同的").await?;
    page.click("a[href^='/dossiers/aid/']").await?;
    page.sure("sign").await?;
    page.sees("已审签。").await?;
    page.picture("policy-signed").await?;
    page.go(&format!("{base}/policies")).await?;
    page.sees("已审核，尚未生效").await?;
    page.picture("policies").await?;
    page.fits().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_written_tried_and_signed_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    people.open_account("second", "AID_OFFICER", "430100", xuezhu_tests::schools::PASSWORD).await;
    let mut nurse = student(2);
    nurse.insert("专业简称".into(), "护理".into());
    people.import(&[student(1), nurse]).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<()> = async {
        let page = Browser::open(1280, 900).await?;
        page.go(&format!("{base}/login")).await?;
        walk_policy(&page, &base).await?;
        page.close().await
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// A school that becomes private, and is on no list, has everybody whom it lists held, and let in again when it is the state's; nobody is approved by what it
/// was before.
#[tokio::test(flavor = "multi_thread")]
async fn a_school_that_becomes_somebody_elses_is_judged_anew_at_once() {
    let private = "[[private]]\nschemes = [\"GRANT\"]\nfrom = \"2020-AUTUMN\"\nschools = []\nsource = \"省名单\"\n\n";
    let text = AT_ONCE.replacen("[[scheme]]", &format!("{private}[[scheme]]"), 1);
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let settings = Settings { policy_file: Some(policy_file("owners", &text)), ..Settings::default() };
        let deployment = deployment_on(databases, folder.path(), "none", settings).await;
        let people = schools::open(&deployment).await;
        let serials = [1, 2, 3];
        people.import(&serials.map(student)).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let rows = serials.map(|serial| (student(serial)["姓名"].clone(), number(serial)));
        let list = people.list(&rows.each_ref().map(|(name, number)| (name.as_str(), number.as_str(), ""))).await;
        people.attested(&list).await;
        let owned = async |kind: &str| {
            people.admin.post(&format!("/v1/schools/{SCHOOL}/update"), &json!({ "kind": kind }), "").await.expect("is updated");
            deployment.drain().await.expect("drains");
        };
        owned("PRIVATE").await;
        // Marked or judged by now: neither is approved.
        let approved = people.approve(&list).await.expect("is answered");
        assert_eq!((&approved["approved"], &approved["attested"]), (&json!(0), &json!(3)), "{engine:?}: {approved}");
        let barred: Vec<_> = rows.iter().map(|(name, _)| ("NOT_ELIGIBLE".to_owned(), name.clone())).collect();
        let sorted = |mut flags: Vec<(String, String)>| {
            flags.sort();
            flags
        };
        xuezhu_tests::until("they are judged", async || sorted(people.open_flags().await) == sorted(barred.clone())).await;
        crate::hardship::sweep(&people).await;
        assert_eq!(sorted(people.open_flags().await), sorted(barred), "{engine:?}: the sweep says the same");
        owned("PUBLIC").await;
        xuezhu_tests::until("they are judged again", async || people.open_flags().await.is_empty()).await;
        assert_eq!(people.approve(&list).await.expect("is approved")["approved"], 3, "{engine:?}");
        // What was approved is held again by what the school is.
        owned("PRIVATE").await;
        xuezhu_tests::until("they are judged once more", async || people.open_flags().await.len() == 3).await;
        crate::hardship::sweep(&people).await;
        assert_eq!(people.open_flags().await.len(), 3, "{engine:?}");
        deployment.stop().await;
    }
}

/// What a province decided no city changes; what a city proposed gives way to what the province does.
#[tokio::test(flavor = "multi_thread")]
async fn a_department_below_changes_nothing_that_one_above_decided() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let province = people.open_account("province", "AID_OFFICER", "430000", PASSWORD).await;
        let second = people.open_account("province2", "AID_OFFICER", "430000", PASSWORD).await;
        let later = (deployment.today() + chrono::Days::new(20)).to_string();
        let of_city = propose(&people.officer, &next_policy(), &later).await.expect("nobody above has said anything");
        let of_province = propose(&province, &AT_ONCE, &later).await.expect("the city's gives way");
        let states = versions(&province).await;
        assert_eq!(states, [(json!(0), json!("PROPOSED")), (json!(0), json!("DROPPED")), (json!(1), json!("HOLDS"))], "{engine:?}");
        let dossier = people.officer.get(&format!("/v1/aidDossiers/{}", of_city["dossier"].as_str().expect("a dossier"))).await.expect("a dossier");
        assert_eq!(dossier["state"], "RETURNED", "{engine:?} {dossier}");
        assert_eq!(reason(propose(&people.officer, &next_policy(), &later).await), (400, "WRONG_STATE".into()), "{engine:?}: one at a time");
        sign(&second, &of_province).await.expect("is signed");
        assert_eq!(reason(propose(&people.officer, &next_policy(), &later).await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert!(propose(&second, &next_policy(), &later).await.is_ok(), "{engine:?}");
        deployment.stop().await;
    }
}
