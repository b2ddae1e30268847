//! How a region stands: every number is what a recount of the rows says, at a city, at its province, for another term.

use serde_json::{Value, json};
use xuezhu_store::{Db, one};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, SCHOOL, number, reason, student},
};

async fn counted(db: &Db, sql: &'static str) -> i64 {
    let mut tx = db.read().await.expect("reads");
    let counted = match sql {
        "held" => one!(
            &mut tx,
            (i64,),
            "SELECT CAST(coalesce(sum(u.fen), 0) AS bigint) FROM award_units u WHERE u.standing < 50 AND u.entry IN (SELECT f.entry FROM flags f WHERE f.holds)"
        ),
        "flags" => one!(&mut tx, (i64,), "SELECT count(*) FROM flags WHERE state <= 10"),
        _ => one!(&mut tx, (i64,), "SELECT CAST(coalesce(sum(u.fen), 0) AS bigint) FROM award_units u WHERE u.standing BETWEEN 11 AND 19"),
    };
    tx.rollback().await.expect("ends");
    counted.expect("counts").map_or(0, |(count,)| count)
}

fn place<'v>(told: &'v Value, code: &str) -> &'v Value {
    told["places"].as_array().expect("places").iter().find(|place| place["code"] == code).unwrap_or_else(|| panic!("no {code}: {told}"))
}

fn step(place: &Value, step: &str) -> (i64, i64) {
    let of = |field: &str| place[step][field].as_i64().unwrap_or(0);
    (of("waiting"), of("daysOverdue"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_is_counted_whole_and_nobody_else_may_ask() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let empty = people.officer.get("/v1/aidOverview").await.expect("is told");
        assert_eq!((place(&empty, SCHOOL)["students"].as_i64(), place(&empty, SCHOOL)["withoutList"].as_i64()), (Some(0), Some(1)), "{empty}");
        assert!(empty["flags"].as_array().is_none_or(Vec::is_empty) && empty["grades"].as_array().is_none_or(Vec::is_empty), "{empty}");

        people.import(&(0..9).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        let gone = people.path_of(8).await;
        people.clerk.post(&format!("{gone}/withdraw"), &json!({ "effectiveDate": "2026-10-20", "reason": "转出" }), "").await.expect("is recorded");
        deployment.drain().await.expect("drains");
        let line = |serial: u32| (student(serial)["姓名"].clone(), number(serial));
        let lines: Vec<(String, String)> = (0..4).map(line).chain([("李鬼".into(), number(500))]).collect();
        let list = people.list(&lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "9-12")).collect::<Vec<_>>()).await;
        people.attested(&list).await;
        people.approve(&list).await.expect("is approved");
        deployment.drain().await.expect("drains");
        // It has waited since then: for the department, and longer than it may.
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let told = people.officer.get("/v1/aidOverview").await.expect("is told");
        let school = place(&told, SCHOOL);
        assert_eq!((told["region"].as_str(), told["regionName"].as_str(), told["term"].as_str()), (Some("430100"), Some("湖南省长沙市"), Some("2026-AUTUMN")));
        assert_eq!(
            (school["isSchool"].as_bool(), school["students"].as_i64(), school["approved"].as_i64()),
            (Some(true), Some(8), Some(4)),
            "{engine:?}: {told}"
        );
        let (waiting, late) = step(school, "department");
        assert_eq!(waiting, 1, "{engine:?}: {school}");
        assert!(late > 0, "{engine:?}: {school}");
        assert_eq!((step(school, "principal").0, step(school, "clerk").0, step(school, "above").0), (0, 0, 0), "{school}");
        let aid = deployment.databases()[1];
        assert_eq!(school["approvedFen"].as_str(), Some(counted(aid, "approved").await.to_string().as_str()), "{engine:?}");
        assert_eq!(school["heldFen"].as_str(), Some(counted(aid, "held").await.to_string().as_str()), "{engine:?}");
        assert_eq!(school["flags"].as_i64(), Some(counted(aid, "flags").await), "{engine:?}");
        let flags: i64 = told["flags"]
            .as_array()
            .expect("flags")
            .iter()
            .flat_map(|ages| ["within10", "within30", "within90", "older"].map(|age| ages[age].as_i64().unwrap_or(0)))
            .sum();
        assert_eq!(Some(flags), school["flags"].as_i64(), "{engine:?}: {told}");
        let months: Vec<i64> = told["held"].as_array().expect("months").iter().filter_map(|held| held["month"].as_i64()).collect();
        assert_eq!(months, [202_609, 202_610, 202_611, 202_612], "{engine:?}: {told}");
        assert_eq!(told["grades"], json!([{ "entryYear": 2026, "students": 8, "grant": 4, "waiver": 0 }]), "{engine:?}: {told}");

        // Who left after the approval, and a month that was cut, are counted no more; what was approved is.
        let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
        let entry = entries["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == student(1)["姓名"]).expect("is on it")["entry"].clone();
        let body = json!({ "entries": [entry], "what": "CUT", "months": [202_612], "reason": "离校" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &body, "").await.expect("is ordered");
        let gone = people.path_of(1).await;
        people.clerk.post(&format!("{gone}/withdraw"), &json!({ "effectiveDate": "2026-11-19", "reason": "退学" }), "").await.expect("is recorded");
        deployment.drain().await.expect("drains");
        let told = people.officer.get("/v1/aidOverview").await.expect("is told");
        let school = place(&told, SCHOOL);
        assert_eq!((school["approved"].as_i64(), school["students"].as_i64()), (Some(4), Some(7)), "{engine:?}: {school}");
        assert_eq!(school["approvedFen"].as_str(), Some(counted(aid, "approved").await.to_string().as_str()), "{engine:?}");
        assert_eq!(told["grades"], json!([{ "entryYear": 2026, "students": 7, "grant": 3, "waiver": 0 }]), "{engine:?}: {told}");
        // Of another term nothing was approved; who is there is there.
        let before = people.officer.get("/v1/aidOverview?term=2026-SPRING").await.expect("is told");
        assert_eq!((place(&before, SCHOOL)["approved"].as_i64(), place(&before, SCHOOL)["students"].as_i64()), (Some(0), Some(7)), "{engine:?}");
        // At the province, the city is one of its regions.
        let province = people.open_account("province", "DEPARTMENT_OFFICER", "430000", PASSWORD).await;
        let above = province.get("/v1/aidOverview").await.expect("is told");
        let city = place(&above, "430100");
        assert_eq!((city["isSchool"].as_bool(), city["schools"].as_i64(), city["students"].as_i64()), (Some(false), Some(2), Some(7)), "{engine:?}: {above}");
        assert_eq!(province.get("/v1/aidOverview?region=430100").await.expect("is told")["places"], told["places"], "{engine:?}");
        assert_eq!(reason(people.officer.get("/v1/aidOverview?region=430000").await).1, "FORBIDDEN");
        assert_eq!(reason(people.officer.get("/v1/aidOverview?region=999999").await), (400, "INVALID_ARGUMENT".into()));
        assert_eq!(reason(people.officer.get("/v1/aidOverview?term=2026").await), (400, "INVALID_ARGUMENT".into()));
        for who in [&people.clerk, &people.head, &people.machine] {
            assert_eq!(reason(who.get("/v1/aidOverview").await).1, "FORBIDDEN", "{engine:?}");
        }
        deployment.stop().await;
    }
}
