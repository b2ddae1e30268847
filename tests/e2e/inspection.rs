//! The sheet with which somebody inspects a school: its numbers are what a recount of the roll and the lists gives.

use serde_json::{Value, json};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, People, SCHOOL, number, reason, student},
};

use crate::{browser::Browser, console::usable};

fn path() -> String {
    format!("/v1/schools/{SCHOOL}/inspectionSheet")
}

/// A row: year, in school, on leave, of the grant who is listed, approved and held.
fn rows(sheet: &Value) -> Vec<[i64; 6]> {
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let rows = sheet["rows"].as_array().cloned().unwrap_or_default();
    let row = |row: &Value| {
        let grant = &row["lists"][0];
        [&row["entryYear"], &row["students"], &row["onLeave"], &grant["listed"], &grant["approved"], &grant["held"]].map(number)
    };
    rows.iter().map(row).collect()
}

/// Five students, one of them on leave; three are listed, with a ghost; two are approved.
async fn inspected(people: &People) {
    let older = |serial: u32| student(serial).into_iter().chain([("入学年月".to_owned(), "202509".to_owned())]).collect();
    people.import(&[student(1), student(2), student(3), older(4), older(5)]).await;
    people.register().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_tells_the_roll_and_the_lists_by_grade() -> anyhow::Result<()> {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        deployment.drain().await?;
        let empty = people.officer.get(&path()).await?;
        assert_eq!((rows(&empty), &empty["schemeNames"][0]), (vec![], &json!("国家助学金")), "{engine:?} {empty}");
        inspected(&people).await;
        deployment.drain().await?;
        let name = |serial: u32| student(serial)["姓名"].clone();
        let lines: Vec<(String, String)> = [1, 2, 4, 40].map(|serial| (name(serial), number(serial))).to_vec();
        let lines: Vec<(&str, &str, &str)> = lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect();
        let list = people.list(&lines).await;
        assert_eq!(rows(&people.officer.get(&path()).await?), [[2026, 3, 0, 0, 0, 0], [2025, 2, 0, 0, 0, 0]], "{engine:?}: drafts are no list yet");
        people.attested(&list).await;
        let leave = json!({ "effectiveDate": deployment.today().to_string(), "reason": "病假" });
        people.clerk.post(&format!("{}/leave", people.path_of(5).await), &leave, "").await?;
        deployment.drain().await?;
        people.approve(&list).await?;
        let sheet = people.officer.get(&path()).await?;
        assert_eq!(rows(&sheet), [[2026, 3, 0, 2, 2, 0], [2025, 1, 1, 1, 1, 0], [0, 0, 0, 1, 0, 1]], "{engine:?} {sheet}");
        // The school sees its own, another sees nothing, whoever pays sees no roll.
        assert_eq!(rows(&people.clerk.get(&path()).await?), rows(&sheet), "{engine:?}");
        assert_eq!(reason(people.other.get(&path()).await), (403, "FORBIDDEN".into()), "{engine:?}");
        let finance = people.open_account("finance", "SCHOOL_FINANCE", SCHOOL, PASSWORD).await;
        assert_eq!(reason(finance.get(&path()).await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(reason(people.officer.get(&format!("{}?term=now", path())).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        assert!(rows(&people.officer.get(&format!("{}?term=2025-SPRING", path())).await?).iter().all(|row| row[3..] == [0, 0, 0]), "{engine:?}");
        if engine == Engine::Sqlite {
            in_a_browser(&format!("http://{}", deployment.http)).await?;
        }
        deployment.stop().await;
    }
    Ok(())
}

/// A supervisor opens it from the region's numbers.
async fn in_a_browser(base: &str) -> anyhow::Result<()> {
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "officer").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/overview")).await?;
    browser.click(&format!("main a[href^='/schools/{SCHOOL}/inspection']")).await?;
    browser.sees("本校学籍中没有").await?;
    browser.sees("现场清点").await?;
    browser.sees("合计").await?;
    browser.picture("inspection").await?;
    usable(&browser).await?;
    browser.phone().await?;
    browser.fits().await
}
