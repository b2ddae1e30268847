//! A term's lists lock: after their day nothing is entered, signed or approved, corrections are made all the same, and the province opens them again.

use serde_json::{Value, json};
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    AT_ONCE, Engine, deployment_on, policy_file, postgres, rows,
    schools::{self, PASSWORD, People, SCHOOL, awards, number, reason, student},
};

use crate::{browser::Browser, console::usable};

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

async fn line(people: &People, list: &str, serial: u32) -> anyhow::Result<Value> {
    let (name, number) = (name(serial), number(serial));
    people.clerk.upload(&format!("{list}/import"), awards(&[(&name, &number, "")]), "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_lock_only_corrections_are_made_until_the_province_opens_again() -> anyhow::Result<()> {
    let locks = AT_ONCE.replacen("due = \"11-30\"\n", "due = \"11-30\"\nlock = \"12-10\"\n", 1);
    assert_ne!(locks, *AT_ONCE);
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let settings = Settings { policy_file: Some(policy_file("locks", &locks)), ..Settings::default() };
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let deployment = deployment_on(databases, folder.path(), "none", settings).await;
        deployment.step_to("2026-11-27".parse()?).await?;
        let people = schools::open(&deployment).await;
        people.import(&(1..=5).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await?;
        let (one, two) = ((name(1), number(1)), (name(2), number(2)));
        let first = people.list(&[(&one.0, &one.1, ""), (&two.0, &two.1, "")]).await;
        people.attested(&first).await;
        people.approve(&first).await?;
        let three = (name(3), number(3));
        let second = people.list(&[(&three.0, &three.1, "")]).await;
        let shown = people.attested(&second).await;
        assert_eq!((&shown["lockDate"], &shown["locked"]), (&json!("2026-12-10"), &json!(false)), "{engine:?}");
        let four = (name(4), number(4));
        let third = people.list(&[(&four.0, &four.1, "")]).await;
        // The day itself is open.
        deployment.step_to("2026-12-10".parse()?).await?;
        assert_eq!(people.officer.get(&second).await?["locked"], false, "{engine:?}");
        deployment.step_to("2026-12-11".parse()?).await?;
        deployment.drain().await?;
        let before = people.officer.get(&second).await?;
        assert_eq!(before["locked"], true, "{engine:?}");
        let locked = (400, "TERM_LOCKED".to_owned());
        let digest = json!({ "digest": before["digest"] });
        assert_eq!(reason(people.approve(&second).await), locked, "{engine:?}");
        let dossier = before["dossiers"][0].as_str().expect("a dossier").to_owned();
        let sheet = people.officer.get(&format!("/v1/aidDossiers/{dossier}")).await?;
        let sign = json!({ "digest": sheet["digest"] });
        assert_eq!(reason(people.officer.post(&format!("/v1/aidDossiers/{dossier}/sign"), &sign, "").await), locked, "{engine:?}: by whatever way");
        assert_eq!(reason(people.clerk.post(&format!("{third}/submit"), &json!({}), "").await), locked, "{engine:?}");
        assert_eq!(reason(people.clerk.post(&format!("{third}/propose"), &json!({}), "").await), locked, "{engine:?}");
        assert_eq!(reason(line(&people, &third, 5).await), locked, "{engine:?}");
        let entry = people.clerk.get(&format!("{third}/entries")).await?["entries"][0].clone();
        let edit = format!("{third}/entries/{}/edit", entry["entry"].as_str().expect("an id"));
        assert_eq!(reason(people.clerk.post(&edit, &json!({ "etag": entry["etag"], "tier": "一档" }), "").await), locked, "{engine:?}");
        let lists = format!("/v1/schools/{SCHOOL}/awardLists");
        let waiver = json!({ "scheme": "TUITION_WAIVER", "term": "2026-AUTUMN" });
        assert_eq!(reason(people.clerk.post(&lists, &waiver, "").await), locked, "{engine:?}: no list is opened any more");
        assert_eq!(people.officer.get(&second).await?, before, "{engine:?}: what was refused left everything as it was");
        // The coming term is another.
        people.clerk.post(&lists, &json!({ "scheme": "GRANT", "term": "2027-SPRING" }), "").await?;
        // Corrections are made all the same.
        let approved = people.officer.get(&format!("{first}/entries")).await?["entries"][0]["entry"].clone();
        let cut = json!({ "what": "VOID", "entries": [approved], "reason": "放弃" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &cut, "").await?;
        // Only the province opens again, for a reason and some days.
        let reopenings = format!("/v1/schools/{SCHOOL}/reopenings");
        let body = json!({ "scheme": "GRANT", "term": "2026-AUTUMN", "untilDate": "2026-12-20", "reason": "学籍批准较晚，补办一名" });
        assert_eq!(reason(people.officer.post(&reopenings, &body, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(reason(people.clerk.post(&reopenings, &body, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        let province = people.open_account("province", "AID_OFFICER", "430000", PASSWORD).await;
        let other_province = people.open_account("elsewhere", "AID_OFFICER", "440000", PASSWORD).await;
        assert_eq!(reason(other_province.post(&reopenings, &body, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        for (field, value) in
            [("untilDate", "2026-12-10"), ("untilDate", "2027-06-01"), ("untilDate", "soon"), ("reason", " "), ("term", "2026"), ("scheme", "NONE")]
        {
            let mut wrong = body.clone();
            wrong[field] = json!(value);
            assert_eq!(reason(province.post(&reopenings, &wrong, "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {field} {value}");
        }
        let open = json!({ "scheme": "GRANT", "term": "2027-SPRING", "untilDate": "2026-12-20", "reason": "早" });
        assert_eq!(reason(province.post(&reopenings, &open, "").await), (400, "WRONG_STATE".into()), "{engine:?}: it is not locked");
        if engine == Engine::Sqlite {
            in_a_browser(&format!("http://{}", deployment.http), &second).await?;
        } else {
            province.post(&reopenings, &body, "").await?;
        }
        let told = people.clerk.get(&reopenings).await?;
        assert_eq!((&told["reopenings"][0]["untilDate"], &told["reopenings"][0]["openedBy"]), (&json!("2026-12-20"), &json!("province")), "{engine:?} {told}");
        let shown = people.officer.get(&second).await?;
        assert_eq!((&shown["locked"], &shown["reopenedDate"]), (&json!(false), &json!("2026-12-20")), "{engine:?}");
        // Another scheme stays locked.
        assert_eq!(reason(people.clerk.post(&lists, &waiver, "").await), locked, "{engine:?}");
        assert_eq!(people.approve(&second).await?["approved"], 1, "{engine:?}");
        deployment.step_to("2026-12-21".parse()?).await?;
        deployment.drain().await?;
        assert_eq!(reason(people.clerk.post(&format!("{third}/submit"), &json!({}), "").await), locked, "{engine:?}: it locked again");
        assert_eq!(reason(people.officer.post(&format!("{second}/approve"), &digest, "").await).0, 400, "{engine:?}");
        rows::assert_bound(&deployment, "reopening", (1, "UPDATE award_reopenings SET until_day = '2027-12-20'")).await;
        deployment.stop().await;
    }
    Ok(())
}

/// The clerk is told, and the province opens the list again.
async fn in_a_browser(base: &str, list: &str) -> anyhow::Result<()> {
    let page = format!("{base}{}", list.trim_start_matches("/v1").replace("awardLists", "lists"));
    let browser = Browser::open(1280, 1000).await?;
    browser.log_in(base, "clerk").await?;
    browser.sees("待办").await?;
    browser.go(&page).await?;
    browser.sees("名单已于2026-12-10锁定").await?;
    browser.lacks("form#send").await?;
    browser.lacks("form#reopen").await?;
    browser.log_in(base, "province").await?;
    browser.sees("待办").await?;
    browser.go(&page).await?;
    browser.set("form#reopen [name=until_date]", "2026-12-20").await?;
    browser.type_in("form#reopen [name=reason]", "学籍批准较晚，补办一名").await?;
    browser.picture("lock-reopen").await?;
    usable(&browser).await?;
    browser.click("form#reopen button").await?;
    browser.sees("已重新开放至2026-12-20").await?;
    browser.sees("现重新开放至2026-12-20").await?;
    browser.picture("lock-reopened").await?;
    usable(&browser).await
}
