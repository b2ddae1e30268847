//! Two services count a school: both the same, as long as nothing was lost between them; what was lost is a flag that holds nobody's money.

use serde_json::{Value, json};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, run};
use xuezhu_tests::{
    Engine, deployment_on, postgres,
    schools::{self, PASSWORD, People, SCHOOL, number, nurse, reason, student},
    until,
};

use crate::{browser::Browser, console::usable};

const COUNTS: (&str, &str) = ("headCounts", "headCount");

fn count_path() -> String {
    format!("/v1/schools/{SCHOOL}/{}", COUNTS.0)
}

fn compared_path() -> String {
    format!("/v1/schools/{SCHOOL}/{}", COUNTS.1)
}

/// How aid compares, and the groups: year, major, as enrollment counts and as aid does.
fn told(count: &Value) -> (String, Vec<(i64, String, [i64; 4])>) {
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let groups = count["groups"].as_array().cloned().unwrap_or_default();
    let group = |group: &Value| {
        let heads = [&group["inSchool"], &group["onLeave"], &group["aidInSchool"], &group["aidOnLeave"]].map(number);
        (number(&group["entryYear"]), group["majorName"].as_str().unwrap_or_default().to_owned(), heads)
    };
    (count["outcome"].as_str().unwrap_or_default().to_owned(), groups.iter().map(group).collect())
}

/// The flags of the rule, with their states.
async fn flags(people: &People) -> anyhow::Result<Vec<(String, String, bool)>> {
    let mut found = Vec::new();
    for state in ["OPEN", "EXPLAINED", "CONFIRMED", "CLEARED", "CLOSED"] {
        let answer = people.officer.get(&format!("/v1/flags?rule=HEADCOUNT_DIFFERS&state={state}")).await?;
        for flag in answer["flags"].as_array().into_iter().flatten() {
            found.push((flag["name"].as_str().unwrap_or_default().to_owned(), state.to_owned(), flag["holds"] == true));
        }
    }
    Ok(found)
}

/// Whether the one flag that there is stands so: while it moves on, it may be seen in neither state.
fn first_in(flags: &[(String, String, bool)], state: &str) -> bool {
    flags.first().is_some_and(|flag| flag.1 == state)
}

/// Runs a statement on what aid holds, behind its back.
async fn behind_its_back(aid: &str, statement: &str) {
    let db = Db::open(aid).await.expect("opens");
    let statement: &'static str = statement.to_owned().leak();
    db.write(&statement, |tx, statement| Box::pin(async move { run!(tx, *statement).map(drop).map_err(xuezhu_service::Error::from) }))
        .await
        .expect("is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_count_the_same_and_what_was_lost_is_found() -> anyhow::Result<()> {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let aid = databases.as_ref().map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid.clone());
        let deployment = deployment_on(databases, folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        deployment.drain().await?;
        let none = people.officer.get(&compared_path()).await?;
        assert_eq!(told(&none), ("OUTCOME_UNSPECIFIED".to_owned(), vec![]), "{engine:?} {none}");
        let older = |serial: u32| student(serial).into_iter().chain([("入学年月".to_owned(), "202509".to_owned())]).collect();
        people.import(&[student(1), student(2), nurse(3), older(4), older(5)]).await;
        people.register().await;
        deployment.drain().await?;

        // What is counted is what aid holds.
        let counted = people.clerk.post(&count_path(), &json!({}), "").await?;
        assert_eq!((&counted["inSchool"], &counted["groups"].as_array().map(Vec::len)), (&json!(5), &Some(3)), "{engine:?} {counted}");
        deployment.drain().await?;
        let same = people.officer.get(&compared_path()).await?;
        let (outcome, groups) = told(&same);
        assert_eq!(outcome, "AGREES", "{engine:?} {same}");
        assert_eq!(
            groups.iter().map(|(year, _, heads)| (*year, *heads)).collect::<Vec<_>>(),
            [(2025, [2, 0, 2, 0]), (2026, [2, 0, 2, 0]), (2026, [1, 0, 1, 0])]
        );
        assert!(groups.iter().all(|(_, major, _)| !major.is_empty()), "{engine:?} {groups:?}");

        // A claim that was sent back and deleted is nobody's place, and hides nothing.
        people.import(&[student(6)]).await;
        let submissions = format!("/v1/schools/{SCHOOL}/submissions");
        let made = people.clerk.post(&submissions, &json!({ "allDrafts": true }), "").await?;
        let of = format!("{submissions}/{}", made["submission"].as_str().unwrap_or_default());
        people.head.post(&format!("{of}/sendBack"), &json!({ "reason": "请核对" }), "").await?;
        people.clerk.post(&format!("{}/remove", people.enrollment(&number(6)).await), &json!({}), "").await?;
        people.clerk.post(&count_path(), &json!({}), "").await?;
        deployment.drain().await?;
        assert_eq!(told(&people.officer.get(&compared_path()).await?).0, "AGREES", "{engine:?}: what was deleted is counted by nobody");

        // Changes after a count are no difference: they wait for the next one.
        let leave = json!({ "effectiveDate": deployment.today().to_string(), "reason": "病假" });
        people.clerk.post(&format!("{}/leave", people.path_of(5).await), &leave, "").await?;
        deployment.drain().await?;
        let since = people.clerk.get(&compared_path()).await?;
        assert_eq!(told(&since).0, "CHANGED_SINCE", "{engine:?} {since}");
        people.clerk.post(&count_path(), &json!({}), "").await?;
        deployment.drain().await?;
        let (outcome, groups) = told(&people.clerk.get(&compared_path()).await?);
        assert_eq!((outcome.as_str(), groups[0].2), ("AGREES", [1, 1, 1, 1]), "{engine:?}");
        until("the last count was compared", async || flags(&people).await.is_ok_and(|flags| flags.is_empty())).await;

        // Somebody counts as gone in aid alone: found by the next count, of the school as a whole, and it holds nothing.
        let lists = lists(&people).await?;
        let gone = "UPDATE mirror_periods SET state = 3 WHERE enrollment IN (SELECT enrollment FROM mirror_enrollments WHERE claim_name = '{}')";
        behind_its_back(&aid, &gone.replace("{}", &student(1)["姓名"])).await;
        people.clerk.post(&count_path(), &json!({}), "").await?;
        until("what was lost is found", async || flags(&people).await.is_ok_and(|flags| flags.len() == 1)).await;
        assert_eq!(flags(&people).await?, [("全校".to_owned(), "OPEN".to_owned(), false)], "{engine:?}");
        let flag = people.clerk.get("/v1/flags?rule=HEADCOUNT_DIFFERS").await?["flags"][0].clone();
        let heads = &flag["evidence"]["heads"];
        assert_eq!((heads.as_array().map(Vec::len), &heads[0]["inSchool"], &heads[0]["aidInSchool"]), (Some(1), &json!(2), &json!(1)), "{engine:?} {flag}");
        assert_eq!((&flag["evidence"]["lacksRecords"], &flag["term"]), (&json!(false), &json!("2026-AUTUMN")), "{engine:?}");
        people.approve(&lists).await?;
        assert_eq!(people.officer.get(&lists).await?["state"], "APPROVED", "{engine:?}: nobody's money waits for it");
        if engine == Engine::Sqlite {
            in_a_browser(&format!("http://{}", deployment.http), flag["flag"].as_str().unwrap_or_default()).await?;
        }
        // The school explains, the department decides; the same again the next night opens nothing.
        let path = format!("/v1/flags/{}", flag["flag"].as_str().unwrap_or_default());
        people.clerk.post(&format!("{path}/explain"), &json!({ "text": "已告知系统运行人员", "etag": flag["etag"] }), "").await?;
        let explained = people.officer.get(&path).await?;
        people.officer.post(&format!("{path}/clear"), &json!({ "reason": "正在恢复", "etag": explained["etag"] }), "").await?;
        let before = people.officer.get(&compared_path()).await?["position"].clone();
        let day = deployment.today() + chrono::Days::new(1);
        deployment.step_to(day).await?;
        until("the night's count is told", async || people.officer.get(&compared_path()).await.is_ok_and(|count| count["position"] != before)).await;
        let night = people.officer.get(&compared_path()).await?;
        assert_eq!((told(&night).0.as_str(), &night["date"]), ("DIFFERS", &json!(day.to_string())), "{engine:?} {night}");
        assert_eq!(flags(&people).await?, [("全校".to_owned(), "CLEARED".to_owned(), false)], "{engine:?}");

        // A record that is missing altogether, of one whom nobody counts: there are fewer than were told.
        behind_its_back(&aid, &gone.replace("= 3", "= 1").replace("{}", &student(1)["姓名"])).await;
        people.clerk.post(&count_path(), &json!({}), "").await?;
        until("what was put back is found", async || flags(&people).await.is_ok_and(|flags| first_in(&flags, "CLOSED"))).await;
        people.withdraw(&number(4), &day.to_string()).await;
        deployment.drain().await?;
        behind_its_back(&aid, &format!("DELETE FROM mirror_enrollments WHERE claim_name = '{}'", student(4)["姓名"])).await;
        people.clerk.post(&count_path(), &json!({}), "").await?;
        until("what is missing is found", async || flags(&people).await.is_ok_and(|flags| first_in(&flags, "OPEN"))).await;
        let missing = people.officer.get(&compared_path()).await?;
        assert_eq!((told(&missing).0.as_str(), &missing["lacksRecords"]), ("DIFFERS", &json!(true)), "{engine:?} {missing}");
        // What was counted in another history of the source is compared with nothing.
        let other = match engine {
            Engine::Sqlite => "UPDATE mirror_head_counts SET history = randomblob(16)",
            Engine::Postgres => "UPDATE mirror_head_counts SET history = gen_random_uuid()",
        };
        behind_its_back(&aid, other).await;
        assert_eq!(told(&people.officer.get(&compared_path()).await?).0, "BEHIND", "{engine:?}");
        may(&people, engine).await?;
        deployment.stop().await;
    }
    Ok(())
}

/// A list that was attested, of two.
async fn lists(people: &People) -> anyhow::Result<String> {
    let name = |serial: u32| student(serial)["姓名"].clone();
    let lines: Vec<(String, String)> = [2, 4].map(|serial| (name(serial), number(serial))).to_vec();
    let lines: Vec<(&str, &str, &str)> = lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect();
    let list = people.list(&lines).await;
    people.attested(&list).await;
    Ok(list)
}

/// Who may count, and who may look.
async fn may(people: &People, engine: Engine) -> anyhow::Result<()> {
    let counts = [(&people.clerk, true), (&people.officer, true), (&people.head, false), (&people.other, false), (&people.admin, false)];
    for (who, may) in counts {
        let answer = who.post(&count_path(), &json!({}), "").await;
        assert_eq!(answer.is_ok(), may, "{engine:?} {answer:?}");
        assert!(may || reason(answer) == (403, "FORBIDDEN".into()), "{engine:?}");
    }
    let finance = people.open_account("finance", "SCHOOL_FINANCE", SCHOOL, PASSWORD).await;
    for (who, may) in [(&people.clerk, true), (&people.head, true), (&people.officer, true), (&people.other, false), (&finance, false)] {
        assert_eq!(who.get(&compared_path()).await.is_ok(), may, "{engine:?}");
    }
    let unknown = people.officer.post("/v1/schools/3643009999/headCounts", &json!({}), "").await;
    assert_eq!(reason(unknown).1, "FORBIDDEN", "{engine:?}: nobody learns which schools there are elsewhere");
    Ok(())
}

/// An officer opens the flag, sees both counts, and counts again.
async fn in_a_browser(base: &str, flag: &str) -> anyhow::Result<()> {
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "officer").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/flags/{flag}")).await?;
    browser.sees("两边的人数").await?;
    browser.picture("head-count-flag").await?;
    usable(&browser).await?;
    browser.click(&format!("main a[href='/schools/{SCHOOL}/headCount']")).await?;
    browser.sees("不一致").await?;
    browser.picture("head-count").await?;
    usable(&browser).await?;
    browser.click("main form button").await?;
    browser.sees("学籍系统已清点").await?;
    browser.phone().await?;
    browser.fits().await
}
