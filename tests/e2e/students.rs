//! Lists of students over REST: both ways, sorted, narrowed; and what is submitted by the same words.

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, reason, student},
};

const NURSING: &str = "2010-100100";
const FARMING: &str = "2010-010200";

/// Names and size of a page.
async fn page(who: &Session, query: &str) -> (Vec<String>, i64) {
    let page = who.get(&format!("/v1/schools/{SCHOOL}/enrollments?{query}")).await.unwrap_or_else(|error| panic!("{query}: {error:#}"));
    let named = |row: &Value| format!("{} {}", row["schoolNumber"].as_str().expect("a number"), row["className"].as_str().expect("a class"));
    (page["enrollments"].as_array().expect("a list").iter().map(named).collect(), page["totalSize"].as_i64().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn students_are_paged_both_ways_sorted_and_narrowed() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let mut rows: Vec<_> = (1..=9).map(student).collect();
        for (at, row) in rows.iter_mut().enumerate() {
            row.insert("班级名称".into(), if at < 4 { "2班" } else { "1班" }.into());
            if at % 3 == 0 {
                row.insert("专业简称".into(), "护理".into());
            }
            if at >= 7 {
                row.insert("入学年月".into(), "202509".into());
            }
        }
        let report = people.import(&rows).await;
        assert_eq!(report["rowsNew"], 9, "{report}");
        people.register().await;
        // Some are with the clerk still; one takes leave from a day that lies ahead.
        people.import(&[student(21), student(22)]).await;
        let leave = json!({ "effectiveDate": "2026-12-01", "reason": "测试" });
        people.clerk.post(&format!("{}/leave", people.path_of(1).await), &leave, "").await.expect("is recorded");

        let by_class =
            ["S0005 1班", "S0006 1班", "S0007 1班", "S0008 1班", "S0009 1班", "S0021 1班", "S0022 1班", "S0001 2班", "S0002 2班", "S0003 2班", "S0004 2班"];
        let backwards: Vec<&str> = by_class.into_iter().rev().collect();
        let mut by_number = by_class;
        by_number.sort_unstable();
        for who in [&people.clerk, &people.officer] {
            let (whole, size) = page(who, "").await;
            assert_eq!((whole.iter().map(String::as_str).collect::<Vec<_>>(), size), (by_class.to_vec(), 11), "{engine:?}");
        }
        // Each page by its number, as often as it is asked for, from either end; all of them say how many there are.
        for number in [3, 1, 4, 2, 1, 9] {
            let (rows, size) = page(&people.clerk, &format!("pageNumber={number}&pageSize=3")).await;
            let wanted: Vec<&str> = by_class.into_iter().skip((number - 1) * 3).take(3).collect();
            assert_eq!((rows.iter().map(String::as_str).collect::<Vec<_>>(), size), (wanted, 11), "{engine:?} {number}");
        }
        for (order, wanted) in [
            ("orderBy=CLASS", by_class.to_vec()),
            ("orderBy=SCHOOL_NUMBER", by_number.to_vec()),
            ("orderBy=SCHOOL_NUMBER&descending=true", by_number.into_iter().rev().collect()),
            ("orderBy=NAME", by_number.to_vec()),
            ("orderBy=NAME&descending=true", by_number.into_iter().rev().collect()),
        ] {
            let (rows, size) = page(&people.clerk, &format!("pageNumber=1&{order}")).await;
            assert_eq!((rows.iter().map(String::as_str).collect::<Vec<_>>(), size), (wanted, 11), "{engine:?} {order}");
        }
        let (rows, _) = page(&people.clerk, "pageNumber=1&descending=true").await;
        let classes: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').next_back()).collect();
        assert_eq!(classes, backwards.iter().filter_map(|row| row.split(' ').next_back()).collect::<Vec<_>>(), "{engine:?}");
        let (rows, _) = page(&people.clerk, "pageNumber=1&pageSize=2&orderBy=ENTRY").await;
        assert_eq!(rows, ["S0008 1班", "S0009 1班"], "{engine:?}: who entered first");
        let (rows, _) = page(&people.clerk, "pageNumber=1&pageSize=2&orderBy=STATE").await;
        assert_eq!(rows, ["S0021 1班", "S0022 1班"], "{engine:?}: drafts");
        let (rows, _) = page(&people.clerk, "pageNumber=6&pageSize=2&orderBy=STATE").await;
        assert_eq!(rows, ["S0004 2班"], "{engine:?}: a leave that lies ahead holds not yet");
        // As it stood on a day, by number and by token alike.
        for (query, size) in [("asOf=2026-12-05&state=ON_LEAVE", 1), ("asOf=2026-11-20&state=ON_LEAVE", 0), ("asOf=2025-10-01", 2)] {
            for order in ["", "&pageNumber=1", "&pageNumber=1&orderBy=STATE&descending=true"] {
                let (rows, told) = page(&people.clerk, &format!("{query}{order}")).await;
                assert_eq!((rows.len(), told), (usize::try_from(size).unwrap_or_default(), size), "{engine:?} {query}{order}");
            }
        }
        for (query, size) in [
            (format!("major={NURSING}"), 3),
            (format!("major={FARMING}&className=1班"), 6),
            ("entryYear=2025".to_owned(), 2),
            (format!("entryYear=2026&major={NURSING}&pageNumber=1&orderBy=NAME"), 3),
            ("entryYear=2025&state=DRAFT&pageNumber=1".to_owned(), 0),
            (format!("major={NURSING}&asOf=2026-11-20"), 3),
            (format!("major={FARMING}&entryYear=2025&asOf=2026-11-20&pageNumber=1"), 2),
        ] {
            assert_eq!(page(&people.clerk, &query).await.1, size, "{engine:?} {query}");
        }
        for (query, field) in [
            ("pageNumber=-1", "page_number"),
            ("orderBy=NAME", "page_number"),
            ("descending=true", "page_number"),
            ("major=9999-000000", "major"),
            ("entryYear=26", "entry_year"),
            ("orderBy=HEIGHT", "orderBy"),
        ] {
            let answer = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?{query}")).await;
            let said = format!("{:#}", answer.as_ref().expect_err("is refused"));
            assert_eq!(reason(answer), (400, "INVALID_ARGUMENT".into()), "{engine:?} {query}: {said}");
            println!("{field}: {said}");
        }
        let first = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=2")).await.expect("a page");
        let both = format!("/v1/schools/{SCHOOL}/enrollments?pageSize=2&pageNumber=2&pageToken={}", first["nextPageToken"].as_str().expect("a token"));
        assert_eq!(reason(people.clerk.get(&both).await), (400, "INVALID_ARGUMENT".into()));
        assert_eq!(reason(people.other.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageNumber=1")).await), (403, "FORBIDDEN".into()));

        let told = people.officer.get(&format!("/v1/schools/{SCHOOL}/classes")).await.expect("is told");
        assert_eq!(told["majors"], json!([{ "major": NURSING, "name": "护理" }, { "major": FARMING, "name": "现代农艺技术" }]), "{engine:?}");
        assert_eq!((&told["entryYears"], &told["classNames"]), (&json!([2026, 2025]), &json!(["1班", "2班"])), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_submitted_by_what_they_are() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let mut rows: Vec<_> = (1..=6).map(student).collect();
        for row in &mut rows[3..] {
            row.insert("班级名称".into(), "2班".into());
        }
        rows[5].insert("专业简称".into(), "护理".into());
        people.import(&rows).await;
        let path = format!("/v1/schools/{SCHOOL}/submissions");
        let matching = |matching: Value| json!({ "matching": matching });
        for (who, body, refused) in [
            (&people.clerk, json!({ "matching": {}, "allDrafts": true }), (400, "INVALID_ARGUMENT")),
            (&people.clerk, matching(json!({ "state": "IN_SCHOOL" })), (400, "INVALID_ARGUMENT")),
            (&people.clerk, matching(json!({ "className": "2班", "count": 2 })), (409, "CONFLICT")),
            (&people.clerk, matching(json!({ "major": "护理" })), (400, "INVALID_ARGUMENT")),
            (&people.clerk, matching(json!({ "entryYear": 26 })), (400, "INVALID_ARGUMENT")),
            (&people.clerk, matching(json!({ "className": "3班" })), (400, "NOTHING_TO_DO")),
            (&people.clerk, matching(json!({ "state": "SENT_BACK" })), (400, "NOTHING_TO_DO")),
            (&people.head, matching(json!({})), (403, "FORBIDDEN")),
            (&people.other, matching(json!({})), (403, "FORBIDDEN")),
        ] {
            let (status, why) = reason(who.post(&path, &body, "").await);
            assert_eq!((status, why.as_str()), refused, "{engine:?} {body}");
        }
        let body = matching(json!({ "className": "2班", "major": FARMING, "entryYear": 2026 }));
        let made = people.clerk.post(&path, &body, "once").await.expect("is submitted");
        assert_eq!((&made["count"], made["refused"].as_array().map(Vec::len)), (&json!(2), Some(0)), "{engine:?} {made}");
        assert_eq!(people.clerk.post(&path, &body, "once").await.expect("is answered again"), made, "{engine:?}");
        // What was sent back goes with drafts where neither is said.
        let back = format!("{path}/{}/sendBack", made["submission"].as_str().expect("an id"));
        people.head.post(&back, &json!({ "reason": "再核" }), "").await.expect("is sent back");
        let made = people.clerk.post(&path, &matching(json!({ "state": "SENT_BACK" })), "").await.expect("is submitted");
        assert_eq!(made["count"], 2, "{engine:?}");
        let made = people.clerk.post(&path, &matching(json!({})), "").await.expect("is submitted");
        assert_eq!(made["count"], 4, "{engine:?}: all that is left");
        deployment.stop().await;
    }
}
