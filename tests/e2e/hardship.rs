//! 困难认定: a level is entered, submitted, determined; lists are judged anew by it, and when it ends. What the policy does not give is held.

use std::collections::HashMap;

use serde_json::{Value, json};
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    AT_ONCE, Engine, deployment, deployment_on, policy_file,
    schools::{self, OTHER, People, SCHOOL, number, reason, student},
};

use crate::{browser::Browser, console::usable};

/// A student of a major that is not agricultural, who lives in a city.
pub fn urban(serial: u32) -> HashMap<String, String> {
    let mut row = student(serial);
    for (header, value) in [("专业简称", "护理"), ("户口性质", "非农业户口"), ("学生居住地类型", "城市")] {
        row.insert(header.to_owned(), value.to_owned());
    }
    row
}

async fn person(people: &People, serial: u32) -> String {
    let path = people.path_of(serial).await;
    people.clerk.get(&path).await.expect("a student")["person"].as_str().expect("a person").to_owned()
}

fn family() -> Value {
    json!({ "groups": ["低保"], "members": 4, "earners": 1, "incomeFen": "45000", "incomeSource": "务农", "cause": "父亲患病", "pledged": true })
}

fn path() -> String {
    format!("/v1/schools/{SCHOOL}/hardship")
}

pub async fn enter(people: &People, serial: u32, change: Value) -> anyhow::Result<Value> {
    let mut asked = json!({ "person": person(people, serial).await, "schoolYear": 2026, "level": "困难", "family": family() });
    for (field, value) in change.as_object().expect("fields") {
        asked[field] = value.clone();
    }
    people.clerk.post(&path(), &asked, "").await
}

/// Submits what is with the clerk; the principal signs.
pub async fn determine(people: &People) -> Value {
    let dossier =
        people.clerk.post(&format!("{}/submit", path()), &json!({ "schoolYear": 2026, "reason": "学校认定工作组审定" }), "").await.expect("is submitted");
    let of = format!("/v1/aidDossiers/{}", dossier["dossier"].as_str().expect("an id"));
    people.head.post(&format!("{of}/sign"), &json!({ "digest": dossier["digest"] }), "").await.expect("is signed")
}

/// Months of the open flag of a student by which the policy excludes them, with why.
async fn excluded(people: &People, name: &str) -> Vec<(String, Vec<i64>)> {
    let flags = people.officer.get("/v1/flags?rule=NOT_ELIGIBLE&state=OPEN&pageSize=100").await.expect("flags");
    let Some(flag) = flags["flags"].as_array().expect("a list").iter().find(|flag| flag["name"] == name).cloned() else { return Vec::new() };
    let flag = people.officer.get(&format!("/v1/flags/{}", flag["flag"].as_str().expect("an id"))).await.expect("a flag");
    assert_eq!(flag["holds"], true);
    let months = |months: &Value| months.as_array().map(|months| months.iter().filter_map(Value::as_i64).collect()).unwrap_or_default();
    let told = flag["evidence"]["excluded"].as_array().expect("why");
    told.iter().map(|excluded| (excluded["reason"].as_str().unwrap_or_default().to_owned(), months(&excluded["months"]))).collect()
}

pub async fn sweep(people: &People) {
    let run = people.officer.post("/v1/reconciliations", &json!({}), "").await.expect("begins");
    let run = format!("/v1/reconciliations/{}", run["run"].as_str().expect("an id"));
    xuezhu_tests::until("the sweep is done", async || people.officer.get(&run).await.expect("a run")["state"] == "DONE").await;
}

const AUTUMN: [i64; 5] = [202_609, 202_610, 202_611, 202_612, 202_701];

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_policy_does_not_let_in_is_held_until_a_hardship_is_determined_and_after_it_ends() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let part_time = student(3).into_iter().chain([("学习形式".to_owned(), "非全日制".to_owned())]).collect();
        let report = people.import(&[student(1), urban(2), part_time, urban(4)]).await;
        assert_eq!(report["rowsFaulty"], 0, "{engine:?} {report}");
        people.register().await;
        deployment.drain().await.expect("drains");
        let name = |serial: u32| student(serial)["姓名"].clone();
        let rows: Vec<(String, String)> = (1..=3).map(|serial| (name(serial), number(serial))).collect();
        let lines: Vec<(&str, &str, &str)> = rows.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect();
        let list = people.list(&lines).await;
        // An upload refuses nobody for it: what the policy excludes is flagged, with why, and held.
        let needs = vec![("NEEDS_HARDSHIP".to_owned(), AUTUMN.to_vec())];
        assert_eq!(excluded(&people, &name(1)).await, [], "{engine:?}");
        assert_eq!(excluded(&people, &name(2)).await, needs, "{engine:?}");
        assert_eq!(excluded(&people, &name(3)).await, [("NOT_FULL_TIME".to_owned(), AUTUMN.to_vec())], "{engine:?}");
        people.attested(&list).await;
        let approved = people.approve(&list).await.expect("is approved");
        assert_eq!((&approved["approved"], &approved["held"]), (&json!(1), &json!(2)), "{engine:?}");
        // A level that was determined lets in; before the signature it does nothing.
        enter(&people, 2, json!({})).await.expect("is entered");
        assert_eq!(excluded(&people, &name(2)).await, needs, "{engine:?}");
        assert_eq!(determine(&people).await["state"], "DONE", "{engine:?}");
        assert_eq!(excluded(&people, &name(2)).await, [], "{engine:?}");
        sweep(&people).await;
        assert_eq!(people.open_flags().await, [("NOT_ELIGIBLE".to_owned(), name(3))], "{engine:?}: the sweep says the same");
        let approved = people.approve(&list).await.expect("is approved");
        assert_eq!(approved["approved"], 2, "{engine:?}");
        // Who has a level is proposed; who has none is told why not.
        enter(&people, 4, json!({ "level": "特别困难" })).await.expect("is entered");
        determine(&people).await;
        let made =
            people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
        let next = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
        let seen = people.clerk.post(&format!("{next}/propose"), &json!({ "preview": true }), "").await.expect("candidates");
        let why = |name: &str| {
            let candidates = seen["candidates"].as_array().expect("a list");
            candidates.iter().find(|one| one["name"] == name).map(|one| (one["reason"].clone(), one["proposed"].clone())).expect("is looked at")
        };
        assert_eq!(why(&name(4)), (json!("HARDSHIP"), json!(true)), "{engine:?}");
        assert_eq!(why(&name(3)), (json!("NOT_FULL_TIME"), json!(false)), "{engine:?}");
        // It ends: months from then on are given no more, and what was approved is flagged anew.
        let ends = json!({ "level": "", "family": null, "fromDate": "2026-12-01" });
        enter(&people, 2, ends).await.expect("is entered");
        determine(&people).await;
        assert_eq!(excluded(&people, &name(2)).await, [("NEEDS_HARDSHIP".to_owned(), AUTUMN[3..].to_vec())], "{engine:?}");
        sweep(&people).await;
        assert_eq!(excluded(&people, &name(2)).await, [("NEEDS_HARDSHIP".to_owned(), AUTUMN[3..].to_vec())], "{engine:?}");
        let listed = people.clerk.get(&format!("{}?pageNumber=1", path())).await.expect("levels");
        assert_eq!((&listed["holding"], &listed["totalSize"], &listed["levelNames"][0]), (&json!(2), &json!(3), &json!("特别困难")), "{engine:?} {listed}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_is_entered_by_the_school_signed_by_its_principal_and_seen_by_few() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let head_of_other = people.open_account("other_head", "PRINCIPAL", OTHER, "Anderer-Weg-1").await;
        let finance = people.open_account("money", "FINANCE_OFFICER", "430100", "Anderer-Weg-1").await;
        let overseer = people.open_account("overseer", "SUPERVISOR", "430000", "Anderer-Weg-1").await;
        people.import(&[urban(1), urban(2)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        // What can't be said is told by its field, all at once.
        let wrong = json!({ "level": "赤贫", "schoolYear": 2020, "family": { "members": 0, "earners": 9, "groups": ["贫困"], "pledged": false } });
        let refused = enter(&people, 1, wrong).await.expect_err("is refused").to_string();
        for told in ["没有这个等级", "只能认定本学年", "不能多于家庭人口", "1至50人", "“贫困”", "承诺书"] {
            assert!(refused.contains(told), "{engine:?} {told}: {refused}");
        }
        for change in [
            json!({ "fromDate": "2026-02-01" }),
            json!({ "family": null }),
            json!({ "level": "" }),
            json!({ "person": uuid::Uuid::nil() }),
            json!({ "person": "x" }),
        ] {
            assert_eq!(reason(enter(&people, 1, change.clone()).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {change}");
        }
        // Nobody else enters; the principal reads.
        let asked = json!({ "person": person(&people, 1).await, "schoolYear": 2026, "level": "困难", "family": family() });
        for who in [&people.head, &people.officer, &people.other, &head_of_other, &people.machine, &people.admin, &finance] {
            assert_eq!(reason(who.post(&path(), &asked, "").await).0, 403, "{engine:?}");
        }
        let first = enter(&people, 1, json!({})).await.expect("is entered");
        assert_eq!(
            (&first["state"], &first["fromDate"], &first["lastDate"]),
            (&json!("DRAFT"), &json!("2026-08-01"), &json!("2027-07-31")),
            "{engine:?} {first}"
        );
        assert_eq!(
            reason(people.clerk.post(&format!("{}/submit", path()), &json!({ "schoolYear": 2026, "count": 2, "reason": "审定" }), "").await).0,
            409,
            "{engine:?}"
        );
        assert_eq!(
            reason(people.clerk.post(&format!("{}/submit", path()), &json!({ "schoolYear": 2026 }), "").await).0,
            400,
            "{engine:?}: how it was determined"
        );
        // Entered anew, it replaces what is with the clerk.
        let again = enter(&people, 1, json!({ "level": "一般困难" })).await.expect("is entered again");
        let drafts = people.clerk.get(&format!("{}?state=DRAFT&pageNumber=1", path())).await.expect("levels");
        assert_eq!((&drafts["totalSize"], &drafts["levels"][0]["level"], &drafts["drafts"]), (&json!(1), &json!("一般困难"), &json!(1)), "{engine:?} {drafts}");
        assert!(drafts["levels"][0].get("family").is_none_or(Value::is_null), "{engine:?}: nothing of a family in lists");
        let one = format!("{}/{}", path(), again["determination"].as_str().expect("an id"));
        for who in [&people.clerk, &people.head, &people.officer] {
            assert_eq!(who.get(&one).await.expect("is told")["family"]["cause"], "父亲患病", "{engine:?}");
        }
        for who in [&people.other, &head_of_other, &people.machine, &people.admin, &finance] {
            assert!([403, 404].contains(&reason(who.get(&one).await).0), "{engine:?}");
            assert!([403, 404].contains(&reason(who.get(&path()).await).0), "{engine:?}");
        }
        // Submitted: it can't be entered again nor taken off; sent back it lies with the clerk, with why.
        let dossier =
            people.clerk.post(&format!("{}/submit", path()), &json!({ "schoolYear": 2026, "count": 1, "reason": "审定" }), "").await.expect("is submitted");
        let of = format!("/v1/aidDossiers/{}", dossier["dossier"].as_str().expect("an id"));
        assert_eq!(reason(enter(&people, 1, json!({})).await), (400, "WRONG_STATE".into()), "{engine:?}");
        assert_eq!(reason(people.clerk.post(&format!("{one}/remove"), &json!({}), "").await), (400, "WRONG_STATE".into()), "{engine:?}");
        assert_eq!(reason(people.clerk.post(&format!("{of}/sign"), &json!({ "digest": dossier["digest"] }), "").await).0, 403, "{engine:?}");
        let sheet = people.head.get(&format!("{of}/items")).await.expect("a sheet");
        assert!(sheet["items"][0]["cells"].to_string().contains("一般困难") || sheet.to_string().contains("一般困难"), "{engine:?} {sheet}");
        assert!(!sheet.to_string().contains("父亲患病"), "{engine:?}: the sheet is kept for ever");
        // Whoever oversees sees that there is a dossier, and neither whose it is nor what lies with it.
        for who in [&overseer, &people.machine] {
            assert!(who.get(&of).await.is_ok(), "{engine:?}");
            for hidden in [format!("{of}/items"), format!("{of}/evidence"), path(), one.clone()] {
                assert_eq!(reason(who.get(&hidden).await).0, 403, "{engine:?} {hidden}");
            }
            let named = who.get(&format!("/v1/aidDossiers?name={}", student(1)["姓名"])).await.expect("dossiers");
            assert_eq!(named["dossiers"].as_array().map_or(0, Vec::len), 0, "{engine:?}: no looking up by name");
        }
        people.head.post(&format!("{of}/sendBack"), &json!({ "reason": "收入未核实" }), "").await.expect("is sent back");
        let back = people.clerk.get(&one).await.expect("is told");
        assert_eq!((&back["state"], &back["reason"]), (&json!("DRAFT"), &json!("收入未核实")), "{engine:?}");
        people.clerk.post(&format!("{one}/remove"), &json!({}), "").await.expect("is taken off");
        assert_eq!(people.clerk.get(&path()).await.expect("levels")["levels"].as_array().map(Vec::len).unwrap_or_default(), 0, "{engine:?}");
        // Of two who enter at once one is there.
        let (a, b) = tokio::join!(enter(&people, 2, json!({})), enter(&people, 2, json!({ "level": "特别困难" })));
        assert!(a.is_ok() && b.is_ok(), "{engine:?} {a:?} {b:?}");
        assert_eq!(people.clerk.get(&path()).await.expect("levels")["drafts"], 1, "{engine:?}");
        deployment.stop().await;
    }
}

/// A level neither reaches back into a term that ended while it waited, nor is it determined of who went away meanwhile; the present school decides.
#[tokio::test(flavor = "multi_thread")]
async fn a_level_is_determined_where_the_student_is_and_from_the_running_term_on() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2027-01-10".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[urban(1), urban(2), urban(3), urban(4)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        for serial in 1..=2 {
            enter(&people, serial, json!({})).await.expect("is entered");
        }
        enter(&people, 3, json!({ "schoolYear": 2027 })).await.expect("of the next year too");
        enter(&people, 3, json!({ "fromDate": "2027-01-08" })).await.expect("beside it");
        let standing = async |year: i32| people.clerk.get(&format!("{}?schoolYear={year}&pageNumber=1", path())).await.expect("levels");
        assert_eq!((&standing(2026).await["drafts"], &standing(2027).await["drafts"]), (&json!(3), &json!(1)), "{engine:?}");
        let none = json!({ "level": "", "family": null });
        assert_eq!(reason(enter(&people, 4, none.clone()).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: nothing to end");
        let submit = json!({ "schoolYear": 2026, "reason": "审定" });
        let dossier = people.clerk.post(&format!("{}/submit", path()), &submit, "").await.expect("is submitted");
        people.withdraw(&number(2), "2027-01-11").await;
        deployment.step_to("2027-02-10".parse().expect("a date")).await.expect("the term ends");
        deployment.drain().await.expect("drains");
        assert_eq!(reason(enter(&people, 2, json!({})).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: who left");
        let of = format!("/v1/aidDossiers/{}", dossier["dossier"].as_str().expect("an id"));
        let signed = people.head.post(&format!("{of}/sign"), &json!({ "digest": dossier["digest"] }), "").await.expect("is signed");
        assert_eq!((&signed["performed"], &signed["waiting"]), (&json!(0), &json!(3)), "{engine:?} {signed}");
        people.head.post(&format!("{of}/sendBack"), &json!({ "reason": "已过学期" }), "").await.expect("is sent back");
        assert_eq!(reason(people.clerk.post(&format!("{}/submit", path()), &submit, "").await), (400, "WRONG_STATE".into()), "{engine:?}: entered anew first");
        // Entered anew it holds from this term on; what ends, ends today.
        let levels = standing(2026).await;
        for level in levels["levels"].as_array().expect("levels") {
            people.clerk.post(&format!("{}/{}/remove", path(), level["determination"].as_str().expect("an id")), &json!({}), "").await.expect("is taken off");
        }
        let again = enter(&people, 1, json!({})).await.expect("is entered");
        assert_eq!(again["fromDate"], "2027-02-01", "{engine:?}");
        determine(&people).await;
        let ends = enter(&people, 1, none).await.expect("is entered");
        assert_eq!(ends["fromDate"], "2027-02-10", "{engine:?}");
        determine(&people).await;
        let told: Vec<(Value, Value)> =
            standing(2026).await["levels"].as_array().expect("levels").iter().map(|row| (row["state"].clone(), row["lastDate"].clone())).collect();
        assert!(told.contains(&(json!("DETERMINED"), json!("2027-02-09"))), "{engine:?} {told:?}: it was cut");
        // What was taken off says nothing of a family any more.
        let dropped =
            people.clerk.get(&format!("{}?state=DROPPED", path())).await.expect("levels")["levels"][0]["determination"].as_str().expect("an id").to_owned();
        let whole = people.clerk.get(&format!("{}/{dropped}", path())).await.expect("a level");
        assert!(whole.get("family").is_none_or(Value::is_null), "{engine:?} {whole}");
        deployment.stop().await;
    }
}

/// A clerk walks from a flag to the level that lifts it, in a browser.
#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_enters_a_level_in_a_browser() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[urban(1), urban(2)]).await;
    people.register().await;
    deployment.drain().await?;
    let (name, number) = (student(1)["姓名"].clone(), number(1));
    people.list(&[(&name, &number, "")]).await;
    let base = format!("http://{}", deployment.http);
    let browser = Browser::open(1280, 1100).await?;
    browser.log_in(&base, "clerk").await?;
    browser.sees("待办").await?;
    let flag = people.clerk.get("/v1/flags?rule=NOT_ELIGIBLE").await?["flags"][0]["flag"].as_str().expect("an id").to_owned();
    browser.go(&format!("{base}/flags/{flag}")).await?;
    browser.sees("须先认定家庭经济困难").await?;
    browser.picture("hardship-flag").await?;
    browser.click(&format!("main a[href='/schools/{SCHOOL}/hardship']")).await?;
    browser.sees("本学年还没有困难认定").await?;
    browser.set("#pick [name=into]", "1班").await?;
    browser.click("#pick button").await?;
    browser.sees("家庭经济信息（不再困难的不填）").await?;
    browser.picture("hardship-enter").await?;
    usable(&browser).await?;
    // What is wrong comes back with the form, each by its field.
    browser.set("form#enter [name=person]", &person(&people, 1).await).await?;
    browser.set("form#enter [name=level]", "困难").await?;
    browser.type_in("form#enter [name=members]", "4").await?;
    browser.type_in("form#enter [name=income]", "四百").await?;
    browser.type_in("form#enter [name=cause]", "父亲患病").await?;
    browser.click("form#enter button.btn").await?;
    browser.sees("应为0至100000元").await?;
    browser.sees("签署承诺书后才能认定").await?;
    browser.picture("hardship-wrong").await?;
    usable(&browser).await?;
    browser.set("form#enter [name=income]", "450").await?;
    browser.click("form#enter [name=pledged]").await?;
    browser.click("form#enter button.btn").await?;
    browser.sees(&format!("已录入{name}：困难，待提交。")).await?;
    browser.type_in("form#submit [name=reason]", "工作组9月25日审定").await?;
    browser.picture("hardship-draft").await?;
    usable(&browser).await?;
    browser.click("form#submit button.btn").await?;
    browser.sees("已提交，等校长签核").await?;
    browser.picture("hardship-dossier").await?;
    browser.log_in(&base, "head").await?;
    browser.sees("困难认定").await?;
    let waiting = people.head.get("/v1/aidInbox").await?;
    assert_eq!(waiting["inbox"]["waitingCount"], 1, "{waiting}");
    browser.go(&format!("{base}/schools/{SCHOOL}/hardship")).await?;
    browser.sees("待审签").await?;
    browser.lacks("form#enter").await?;
    browser.phone().await?;
    browser.fits().await?;
    browser.close().await?;
    deployment.stop().await;
    Ok(())
}

/// Of a share of levels papers are asked for: of the same students whoever enters them however often, of none where the policy says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn papers_are_asked_for_of_a_share_and_always_of_the_same() {
    for (percent, all) in [(0, Some(false)), (50, None), (100, Some(true))] {
        let folder = tempfile::tempdir().expect("a folder");
        let text = AT_ONCE.replacen("[hardship]\n", &format!("[hardship]\npapers_percent = {percent}\n"), 1);
        let settings = Settings { policy_file: Some(policy_file(&format!("papers-{percent}"), &text)), ..Settings::default() };
        let deployment = deployment_on(None, folder.path(), "none", settings).await;
        let people = schools::open(&deployment).await;
        let serials: Vec<u32> = (1..=12).collect();
        people.import(&serials.iter().map(|serial| urban(*serial)).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let mut drawn = Vec::new();
        for serial in &serials {
            let entered = enter(&people, *serial, json!({})).await.expect("is entered");
            drawn.push(entered["papersAsked"].clone());
        }
        if let Some(all) = all {
            assert!(drawn.iter().all(|asked| *asked == all), "{percent}: {drawn:?}");
        } else {
            assert!(drawn.contains(&json!(true)) && drawn.contains(&json!(false)), "{percent}: {drawn:?}");
        }
        // Entered anew, and once determined, it is the same; what ends one asks for nothing.
        assert_eq!(enter(&people, 1, json!({ "level": "特别困难" })).await.expect("is entered")["papersAsked"], drawn[0], "{percent}");
        determine(&people).await;
        let listed = people.head.get(&format!("{}?schoolYear=2026&pageSize=100", path())).await.expect("levels");
        let told = |serial: u32| {
            let levels = listed["levels"].as_array().expect("a list");
            levels.iter().find(|level| level["name"] == student(serial)["姓名"]).expect("is there")["papersAsked"].clone()
        };
        assert_eq!(serials.iter().map(|serial| told(*serial)).collect::<Vec<_>>(), drawn, "{percent}");
        let ends = enter(&people, 2, json!({ "level": "", "family": null })).await.expect("is entered");
        assert_eq!(ends["papersAsked"], false, "{percent}");
        deployment.stop().await;
    }
}
