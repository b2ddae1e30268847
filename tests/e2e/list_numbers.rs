//! Numbers of lists: whatever they are counted by, they are what a recount of the entries gives.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, SCHOOL, number, nurse, reason, student},
};

use crate::{browser::Browser, console::usable};

/// Numbers by a key: listed, approved, held, units, fen.
fn numbers(told: &Value) -> BTreeMap<String, [i64; 5]> {
    let whole = |value: &Value| value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap_or_default();
    let rows = told["numbers"].as_array().into_iter().flatten();
    rows.map(|row| (row["key"].as_str().unwrap_or_default().to_owned(), ["listed", "approved", "held", "units", "fen"].map(|field| whole(&row[field]))))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_counted_by_one_thing_at_a_time_and_come_to_one_sum() -> anyhow::Result<()> {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let older = |serial: u32| student(serial).into_iter().chain([("入学年月".to_owned(), "202509".to_owned())]).collect();
        people.import(&[student(1), student(2), nurse(3), older(4)]).await;
        people.register().await;
        deployment.drain().await?;
        let path = |by: &str| format!("/v1/listNumbers?by={by}&school={SCHOOL}");
        assert_eq!(numbers(&people.clerk.get(&path("GRADE")).await?), BTreeMap::new(), "{engine:?}");
        let name = |serial: u32| student(serial)["姓名"].clone();
        let lines: Vec<(String, String, &str)> =
            [(1, ""), (2, "9-11"), (4, ""), (40, "")].map(|(serial, months)| (name(serial), number(serial), months)).to_vec();
        let lines: Vec<(&str, &str, &str)> = lines.iter().map(|(name, number, months)| (name.as_str(), number.as_str(), *months)).collect();
        let list = people.list(&lines).await;
        assert_eq!(numbers(&people.clerk.get(&path("GRADE")).await?), BTreeMap::new(), "{engine:?}: drafts are no list yet");
        people.attested(&list).await;
        people.approve(&list).await?;

        // A recount of the entries, as anybody may read them.
        let entries = people.officer.get(&format!("{list}/entries?pageSize=100")).await?["entries"].as_array().cloned().unwrap_or_default();
        let decided = entries.iter().filter(|entry| entry["state"] == "APPROVED");
        let fen: i64 = decided.filter_map(|entry| entry["standingFen"].as_str().and_then(|fen| fen.parse::<i64>().ok())).sum();
        let approved = entries.iter().filter(|entry| entry["state"] == "APPROVED").count();
        let units: usize =
            entries.iter().filter(|entry| entry["state"] == "APPROVED").map(|entry| entry["standingMonths"].as_array().map_or(0, Vec::len)).sum();
        assert_eq!((entries.len(), approved, units), (4, 3, 13), "{engine:?}");
        let all = [4, 3, 1, 13, fen];
        for by in ["SCHOOL", "REGION", "SCHEME", "GRADE", "SEX", "MAJOR", "ADDRESS", "LEVEL", "TERM"] {
            let told = people.officer.get(&format!("/v1/listNumbers?by={by}")).await?;
            let sum = numbers(&told).into_values().fold([0; 5], |sum, row| std::array::from_fn(|at| sum[at] + row[at]));
            assert_eq!(sum, all, "{engine:?} {by}: {told}");
            assert_eq!(numbers(&json!({ "numbers": [told["sum"]] })).into_values().collect::<Vec<_>>(), [all], "{engine:?} {by}: {told}");
            let of_school = people.clerk.get(&path(by)).await?;
            assert_eq!(numbers(&of_school), numbers(&told), "{engine:?} {by}: there is one school with lists");
            assert!(told["numbers"].as_array().into_iter().flatten().all(|row| row["name"] != ""), "{engine:?} {told}");
        }
        let grades = numbers(&people.clerk.get(&path("GRADE")).await?);
        assert_eq!(
            grades.iter().map(|(key, row)| (key.as_str(), row[0], row[3])).collect::<Vec<_>>(),
            [("", 1, 0), ("2025", 1, 5), ("2026", 2, 8)],
            "{engine:?}"
        );
        // Terms stand side by side, the one that is asked for last.
        let of_terms = people.officer.get("/v1/listNumbers?by=TERM&term=2027-SPRING").await?;
        assert_eq!(of_terms["numbers"].as_array().into_iter().flatten().map(|row| row["key"].clone()).collect::<Vec<_>>(), ["2026-AUTUMN"], "{engine:?}");
        assert_eq!(numbers(&people.officer.get("/v1/listNumbers?by=TERM&term=2025-AUTUMN").await?), BTreeMap::new(), "{engine:?}");
        let majors = numbers(&people.clerk.get(&path("MAJOR")).await?);
        assert_eq!(majors.iter().map(|(key, row)| (key.as_str(), row[0])).collect::<Vec<_>>(), [("", 1), ("AGRICULTURAL", 3)], "{engine:?}");
        let none = people.clerk.get(&format!("{}&scheme=TUITION_WAIVER", path("GRADE"))).await?;
        assert_eq!(numbers(&none), BTreeMap::new(), "{engine:?}: of another scheme there are none");

        // Who may, and what can't be asked.
        let finance = people.open_account("finance", "SCHOOL_FINANCE", SCHOOL, PASSWORD).await;
        assert_eq!(numbers(&finance.get(&path("GRADE")).await?), grades, "{engine:?}: whoever pays sees what is paid");
        for (who, path) in [(&people.other, path("GRADE")), (&people.clerk, "/v1/listNumbers?by=GRADE".to_owned())] {
            assert_eq!(reason(who.get(&path).await), (403, "FORBIDDEN".into()), "{engine:?} {path}");
        }
        for wrong in ["by=GRADE&term=now", "by=GRADE&scheme=PRIZE", "by=GRADE&region=x", "term=2026-AUTUMN"] {
            assert_eq!(reason(people.officer.get(&format!("/v1/listNumbers?{wrong}")).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {wrong}");
        }
        // What was put right is counted no more.
        let entry = entries.iter().find(|entry| entry["name"] == name(1)).map(|entry| entry["entry"].clone());
        let cut = json!({ "entries": [entry], "what": "CUT", "months": [202_612], "reason": "核实" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &cut, "").await?;
        assert_eq!(numbers(&people.clerk.get(&path("GRADE")).await?)["2026"][3], 7, "{engine:?}");
        if engine == Engine::Sqlite {
            in_a_browser(&format!("http://{}", deployment.http)).await?;
        }
        deployment.stop().await;
    }
    Ok(())
}

async fn in_a_browser(base: &str) -> anyhow::Result<()> {
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "officer").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/numbers")).await?;
    browser.sees("2026级").await?;
    browser.sees("合计").await?;
    browser.picture("list-numbers").await?;
    usable(&browser).await?;
    browser.go(&format!("{base}/numbers?by=ADDRESS")).await?;
    browser.sees("没有城乡分类代码").await?;
    browser.phone().await?;
    browser.fits().await
}
