//! What students sign of a scheme: an application lies with whoever is on a list that was signed, a waiver answers an omission.

use serde_json::{Value, json};
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    AT_ONCE, Engine, deployment_on, policy_file, postgres,
    schools::{self, PASSWORD, People, SCHOOL, number, reason, student},
};

use crate::{browser::Browser, console::usable};

const TERM: &str = "2026-AUTUMN";

fn path() -> String {
    format!("/v1/schools/{SCHOOL}/statements")
}

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

fn statement(kind: &str, persons: &[&str], class: &str) -> Value {
    json!({ "scheme": "GRANT", "term": TERM, "kind": kind, "signer": "BOTH", "signedDate": "2026-11-02", "persons": persons, "className": class })
}

/// Who of a class said what, by name.
async fn said(people: &People, class: &str) -> anyhow::Result<Vec<(String, String, String, String)>> {
    let told = people.clerk.get(&format!("{}?scheme=GRANT&term={TERM}&className={class}", path())).await?;
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = told["statements"].as_array().into_iter().flatten();
    let mut said: Vec<_> = rows.map(|row| (text(row, "name"), text(row, "kind"), text(row, "person"), text(row, "statement"))).collect();
    said.sort_by_key(|(name, ..)| (1..=9).find(|serial| self::name(*serial) == *name));
    Ok(said)
}

/// Codes of what is found of a name, in order.
async fn found(people: &People, name: &str) -> Vec<String> {
    people.open_flags().await.into_iter().filter(|(_, of)| of == name).map(|(rule, _)| rule).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_is_paid_and_who_does_not_want_it_is_missing_nowhere() -> anyhow::Result<()> {
    let asks = AT_ONCE.replacen("payee = \"STUDENT\"\n", "payee = \"STUDENT\"\nasks = [\"APPLICATION\"]\n", 1);
    assert_ne!(asks, *AT_ONCE);
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let settings = Settings { policy_file: Some(policy_file("asks", &asks)), ..Settings::default() };
        let deployment = deployment_on(databases, folder.path(), "none", settings).await;
        deployment.step_to("2026-11-02".parse()?).await?;
        let people = schools::open(&deployment).await;
        let of_class = |serial: u32, class: &str| student(serial).into_iter().chain([("班级名称".to_owned(), class.to_owned())]).collect();
        people.import(&[of_class(1, "1班"), of_class(2, "1班"), of_class(3, "1班"), of_class(4, "2班"), of_class(5, "2班")]).await;
        people.register().await;
        deployment.drain().await?;

        // Who is on the roll, class by class; nobody signed anything.
        let roll = people.clerk.get(&format!("{}?scheme=GRANT", path())).await?;
        let counts = |roll: &Value| -> Vec<Value> {
            roll["classes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|class| json!([class["className"], class["students"], class["applications"], class["waivers"]]))
                .collect()
        };
        assert_eq!(counts(&roll), [json!(["1班", 3, 0, 0]), json!(["2班", 2, 0, 0])], "{engine:?} {roll}");
        assert_eq!((&roll["asked"], &roll["term"]), (&json!(true), &json!(TERM)), "{engine:?}");
        let class = said(&people, "1班").await?;
        let person = |serial: usize| class[serial - 1].2.as_str();

        // One does not want it, the others of the class ask for it; of the one nothing is overwritten.
        let waived = people.clerk.post(&path(), &statement("WAIVER", &[person(3)], ""), "").await?;
        assert_eq!((&waived["recorded"], &waived["replaced"]), (&json!(1), &json!(0)), "{engine:?} {waived}");
        let mut all = statement("APPLICATION", &[], "1班");
        all["count"] = json!(3);
        assert_eq!(reason(people.clerk.post(&path(), &all, "").await), (409, "CONFLICT".into()), "{engine:?}: others than were seen");
        all["count"] = json!(2);
        let asked = people.clerk.post(&path(), &all, "").await?;
        assert_eq!((&asked["recorded"], &asked["unchanged"]), (&json!(2), &json!(1)), "{engine:?} {asked}");
        let kinds: Vec<String> = said(&people, "1班").await?.into_iter().map(|(_, kind, ..)| kind).collect();
        assert_eq!(kinds, ["APPLICATION", "APPLICATION", "WAIVER"], "{engine:?}");
        let again = people.clerk.post(&path(), &statement("APPLICATION", &[], "1班"), "").await?;
        assert_eq!((&again["recorded"], &again["unchanged"]), (&json!(0), &json!(3)), "{engine:?}: said already");

        // Proposed is who is entitled and did not give it up.
        let lines: Vec<(String, String)> = [1, 2, 4].map(|serial| (name(serial), number(serial))).to_vec();
        let lines: Vec<(&str, &str, &str)> = lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect();
        let list = people.list(&lines).await;
        let candidates = people.clerk.post(&format!("{list}/propose"), &json!({ "preview": true }), "").await?;
        let why = |serial: u32| {
            let rows = candidates["candidates"].as_array().into_iter().flatten();
            rows.filter(|row| row["name"] == name(serial)).map(|row| (row["proposed"].clone(), row["reason"].clone())).next()
        };
        assert_eq!((why(3), why(5)), (Some((json!(false), json!("WAIVED"))), Some((json!(true), json!("AGRICULTURAL_MAJOR")))), "{engine:?}");

        // Nothing is missing before the principal signs; then whoever asked for nothing is held.
        assert_eq!(found(&people, &name(4)).await, Vec::<String>::new(), "{engine:?}");
        people.attested(&list).await;
        assert_eq!(found(&people, &name(4)).await, ["FILE_INCOMPLETE"], "{engine:?}");
        assert_eq!(found(&people, &name(1)).await, Vec::<String>::new(), "{engine:?}");
        let approved = people.approve(&list).await?;
        assert_eq!((&approved["approved"], &approved["held"]), (&json!(2), &json!(1)), "{engine:?} {approved}");
        let flag = people.clerk.get("/v1/flags?rule=FILE_INCOMPLETE").await?["flags"][0].clone();
        assert_eq!((&flag["evidence"]["lacks"], &flag["holds"]), (&json!(["APPLICATION"]), &json!(true)), "{engine:?} {flag}");
        if engine == Engine::Sqlite {
            in_a_browser(&format!("http://{}", deployment.http), flag["flag"].as_str().unwrap_or_default()).await?;
        } else {
            people.clerk.post(&path(), &statement("APPLICATION", &[], "2班"), "").await?;
        }
        assert_eq!(found(&people, &name(4)).await, Vec::<String>::new(), "{engine:?}: what was recorded closes it");
        people.approve(&list).await?;

        // After the due day: who is on no list is missing, but for who does not want it; taken back, they are missing too.
        deployment.step_to("2026-12-15".parse()?).await?;
        deployment.drain().await?;
        assert_eq!(found(&people, &name(5)).await, ["MISSING_AWARD", "MISSING_AWARD"], "{engine:?}: grant and waiver of tuition");
        assert_eq!(found(&people, &name(3)).await, ["MISSING_AWARD"], "{engine:?}: tuition alone");
        let id = said(&people, "1班").await?[2].3.clone();
        let gone = people.clerk.post(&format!("{}/{id}/withdraw", path()), &json!({ "reason": "学生反悔" }), "").await?;
        assert_eq!((&gone["name"], &gone["kind"]), (&json!(name(3)), &json!("WAIVER")), "{engine:?}");
        assert_eq!(found(&people, &name(3)).await, ["MISSING_AWARD", "MISSING_AWARD"], "{engine:?}");
        let twice = people.clerk.post(&format!("{}/{id}/withdraw", path()), &json!({ "reason": "学生反悔" }), "").await;
        assert_eq!(reason(twice), (404, "NOT_FOUND".into()), "{engine:?}");
        let told = people.clerk.get(&format!("{}?scheme=GRANT&term={TERM}&className=1班", path())).await?;
        let former = &told["former"];
        assert_eq!(former.as_array().map(Vec::len), Some(1), "{engine:?} {former}");
        assert_eq!(
            (&former[0]["kind"], &former[0]["endReason"], &former[0]["endedBy"], &former[0]["endDate"]),
            (&json!("WAIVER"), &json!("学生反悔"), &json!("clerk"), &json!("2026-12-15")),
            "{engine:?}"
        );
        let mut alone = statement("WAIVER", &[person(2)], "");
        alone["signer"] = json!("STUDENT");
        assert_eq!(reason(people.clerk.post(&path(), &alone, "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: under age");
        // Somebody who asked and says the other now.
        let replaced = people.clerk.post(&path(), &statement("WAIVER", &[person(1)], ""), "").await?;
        assert_eq!(replaced["replaced"], 1, "{engine:?} {replaced}");
        assert_eq!(found(&people, &name(1)).await, ["FILE_INCOMPLETE", "MISSING_AWARD"], "{engine:?}: what was approved shows it; tuition is missing");
        refused(&people, person(1), engine).await?;
        deployment.stop().await;
    }
    Ok(())
}

/// What can't be recorded, and by whom.
async fn refused(people: &People, person: &str, engine: Engine) -> anyhow::Result<()> {
    let with = |field: &str, value: Value| {
        let mut body = statement("APPLICATION", &[person], "");
        body[field] = value;
        body
    };
    for (what, body) in [
        ("no kind", with("kind", json!("KIND_UNSPECIFIED"))),
        ("no signer", with("signer", json!("SIGNER_UNSPECIFIED"))),
        ("a scheme that is none", with("scheme", json!("PRIZE"))),
        ("a term that is none", with("term", json!("2026"))),
        ("a day that is none", with("signedDate", json!("2026-02-30"))),
        ("a day to come", with("signedDate", json!("2026-12-16"))),
        ("a day of years ago", with("signedDate", json!("2024-09-01"))),
        ("an id that is none", with("persons", json!(["x"]))),
        ("somebody who is not here", with("persons", json!(["00000000-0000-0000-0000-000000000001"]))),
        ("a class that gives something up", statement("WAIVER", &[], "1班")),
        ("a class that is none", statement("APPLICATION", &[], "九班")),
        ("a class that is blank", statement("APPLICATION", &[], "　")),
        ("a class of what nobody sees", statement("APPLICATION", &[], "\u{200b}")),
    ] {
        assert_eq!(reason(people.clerk.post(&path(), &body, "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: {what}");
    }
    for who in [&people.head, &people.officer, &people.other, &people.admin] {
        assert_eq!(reason(who.post(&path(), &statement("APPLICATION", &[person], ""), "").await), (403, "FORBIDDEN".into()), "{engine:?}");
    }
    let finance = people.open_account("finance", "SCHOOL_FINANCE", SCHOOL, PASSWORD).await;
    for (who, may) in [(&people.head, true), (&people.officer, true), (&people.other, false), (&finance, false)] {
        assert_eq!(who.get(&format!("{}?scheme=GRANT", path())).await.is_ok(), may, "{engine:?}");
    }
    Ok(())
}

/// The clerk goes from the flag to the class, prints the form, and records it.
async fn in_a_browser(base: &str, flag: &str) -> anyhow::Result<()> {
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "clerk").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/flags/{flag}")).await?;
    browser.sees("没有登记该生的书面申请").await?;
    browser.click(&format!("main a[href^='/schools/{SCHOOL}/statements']")).await?;
    browser.sees("未登记").await?;
    browser.picture("statements-classes").await?;
    usable(&browser).await?;
    browser.go(&format!("{base}/schools/{SCHOOL}/statements?scheme=GRANT&term={TERM}&class=2%E7%8F%AD")).await?;
    browser.sees("本班未登记的都已申请（2 人）").await?;
    browser.picture("statements-class").await?;
    usable(&browser).await?;
    browser.click("main a[href*='/statements/print']").await?;
    // With what the school said of the student already.
    for known in ["本人承诺", "王家长 父亲", "女"] {
        browser.sees(known).await?;
    }
    browser.picture("statements-print").await?;
    usable(&browser).await?;
    browser.go(&format!("{base}/schools/{SCHOOL}/statements?scheme=GRANT&term={TERM}&class=2%E7%8F%AD")).await?;
    browser.sure("all").await?;
    browser.sees("已登记 2 名学生已申请").await?;
    browser.phone().await?;
    browser.fits().await
}
