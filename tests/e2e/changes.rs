//! Changes of status that are recorded ahead of their day.

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, number, reason, student, workbook},
};

async fn record(clerk: &Session, path: &str, verb: &str, day: &str) -> anyhow::Result<Value> {
    clerk.post(&format!("{path}/{verb}"), &json!({ "effectiveDate": day, "reason": "测试" }), "").await
}

async fn cancel(clerk: &Session, path: &str) -> anyhow::Result<Value> {
    clerk.post(&format!("{path}/cancelChange"), &json!({ "reason": "登记有误" }), "").await
}

async fn count(people: &People, state: &str) -> usize {
    let list = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?state={state}")).await.expect("a list");
    list["enrollments"].as_array().expect("a list").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_lies_ahead_leaves_today_as_it_is_and_can_be_taken_back() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[student(1)]).await;
        people.register().await;
        people.list(&[(&student(1)["姓名"], &number(1), "")]).await;
        let path = people.path_of(1).await;
        assert_eq!(reason(cancel(&people.clerk, &path).await), (400, "WRONG_STATE".into()), "nothing lies ahead");
        let ahead = record(&people.clerk, &path, "leave", "2026-12-01").await.expect("is recorded");
        let told =
            |row: &Value| [&row["state"], &row["stateSince"], &row["plannedState"], &row["plannedSince"]].map(|value| value.as_str().unwrap_or("").to_owned());
        assert_eq!(told(&ahead), ["IN_SCHOOL", "2026-09-01", "ON_LEAVE", "2026-12-01"]);
        assert_eq!((count(&people, "IN_SCHOOL").await, count(&people, "ON_LEAVE").await), (1, 0));
        deployment.drain().await.expect("drains");
        let flags = people.clerk.get("/v1/flags?state=OPEN").await.expect("flags");
        assert_eq!((&flags["flags"][0]["rule"], &flags["flags"][0]["months"]), (&json!("NOT_VALID_IN_TERM"), &json!([202_612, 202_701])), "{flags}");

        let before = record(&people.clerk, &path, "withdraw", "2026-11-01").await.expect_err("lies before the leave").to_string();
        assert!(before.contains("2026-12-01") && before.contains("撤销"), "says what to do: {before}");
        assert_eq!(reason(cancel(&people.other, &path).await), (403, "FORBIDDEN".into()));
        let back = cancel(&people.clerk, &path).await.expect("is taken back");
        assert_eq!(told(&back), ["IN_SCHOOL", "2026-09-01", "STATE_UNSPECIFIED", ""]);
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, [], "what is not to come holds nothing");

        // Two ahead, one after the other: the last is taken back first, and a day that has come stays.
        record(&people.clerk, &path, "leave", "2026-11-01").await.expect("is recorded");
        let twice = record(&people.clerk, &path, "return", "2026-12-10").await.expect("is recorded");
        assert_eq!(told(&twice), ["IN_SCHOOL", "2026-09-01", "IN_SCHOOL", "2026-12-10"]);
        deployment.step_to("2026-11-01".parse().expect("a date")).await.expect("steps");
        let there = people.clerk.get(&path).await.expect("an enrollment");
        assert_eq!(told(&there), ["ON_LEAVE", "2026-11-01", "IN_SCHOOL", "2026-12-10"]);
        assert_eq!((count(&people, "IN_SCHOOL").await, count(&people, "ON_LEAVE").await), (0, 1));
        let left = cancel(&people.clerk, &path).await.expect("is taken back");
        assert_eq!(told(&left), ["ON_LEAVE", "2026-11-01", "STATE_UNSPECIFIED", ""]);
        assert_eq!(reason(cancel(&people.clerk, &path).await), (400, "WRONG_STATE".into()), "the leave has begun");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_will_not_come_is_enrolled_until_the_day_and_can_still_be_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-08-20".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let path = people.path_of(1).await;
    let ahead = record(&people.clerk, &path, "withdraw", "2026-09-02").await.expect("is recorded");
    assert_eq!((&ahead["state"], &ahead["plannedState"], &ahead["plannedSince"]), (&json!("IN_SCHOOL"), &json!("WITHDRAWN"), &json!("2026-09-02")), "{ahead}");
    assert_eq!((count(&people, "IN_SCHOOL").await, count(&people, "WITHDRAWN").await), (1, 0));
    assert_eq!(cancel(&people.clerk, &path).await.expect("is taken back")["plannedSince"], "");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_another_school_counted_on_stays() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let head = people.open_account("head2", "PRINCIPAL", OTHER, PASSWORD).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        let (one, two) = (people.path_of(1).await, people.path_of(2).await);
        for path in [&one, &two] {
            let ahead = record(&people.clerk, path, "withdraw", "2026-12-01").await.expect("is recorded");
            assert_eq!((&ahead["state"], &ahead["plannedState"]), (&json!("IN_SCHOOL"), &json!("WITHDRAWN")));
        }
        let mut moved = student(1);
        moved.insert("入学年月".into(), "202612".into());
        people.other.upload(&format!("/v1/schools/{OTHER}/enrollments/import"), workbook(&[moved]), "").await.expect("is taken");
        let made = people.other.post(&format!("/v1/schools/{OTHER}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let path = format!("/v1/schools/{OTHER}/submissions/{}", made["submission"].as_str().expect("an id"));
        head.post(&format!("{path}/attest"), &json!({ "digest": made["digest"] }), "").await.expect("is attested");
        let approved = people.officer.post(&format!("{path}/approve"), &json!({ "digest": made["digest"] }), "").await.expect("is approved");
        assert_eq!(approved["approved"], 1, "{approved}");
        assert_eq!(reason(cancel(&people.clerk, &one).await), (400, "PLACE_TAKEN".into()));
        // Entered anew at the same school: two rows of one student can't both live.
        let mut anew = student(2);
        anew.insert("入学年月".into(), "202612".into());
        anew.insert("学号".into(), "S7002".into());
        assert_eq!(people.import(&[anew]).await["rowsNew"], 1);
        assert_eq!(reason(cancel(&people.clerk, &two).await), (400, "DUPLICATE_ROW".into()));
        let draft = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?state=DRAFT")).await.expect("a list");
        let draft = draft["enrollments"][0]["enrollment"].as_str().expect("an id").to_owned();
        people.clerk.post(&format!("/v1/schools/{SCHOOL}/enrollments/{draft}/remove"), &json!({}), "").await.expect("is removed");
        // Whoever left the other school again has been there: the two stories must not overlap.
        let there = people.other.get(&format!("/v1/schools/{OTHER}/enrollments?state=IN_SCHOOL")).await.expect("a list");
        let there = format!("/v1/schools/{OTHER}/enrollments/{}", there["enrollments"][0]["enrollment"].as_str().expect("an id"));
        record(&people.other, &there, "withdraw", "2026-12-20").await.expect("is recorded");
        assert_eq!(reason(cancel(&people.clerk, &one).await), (400, "PLACE_TAKEN".into()));
        let stays = cancel(&people.clerk, &two).await.expect("is taken back");
        assert_eq!((&stays["state"], &stays["plannedSince"]), (&json!("IN_SCHOOL"), &json!("")));
        // The place is held again: nobody else gets it.
        people.other.upload(&format!("/v1/schools/{OTHER}/enrollments/import"), workbook(&[student(2)]), "").await.expect("is taken");
        let made = people.other.post(&format!("/v1/schools/{OTHER}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let path = format!("/v1/schools/{OTHER}/submissions/{}", made["submission"].as_str().expect("an id"));
        head.post(&format!("{path}/attest"), &json!({ "digest": made["digest"] }), "").await.expect("is attested");
        let refused = people.officer.post(&format!("{path}/approve"), &json!({ "digest": made["digest"] }), "").await.expect("is answered");
        assert_eq!(refused["refused"][0]["reason"], "PLACE_TAKEN", "{refused}");
        deployment.stop().await;
    }
}

/// The story of an enrollment: state, class, major, from, to of each period.
fn story(enrollment: &Value) -> Vec<[String; 5]> {
    let text = |period: &Value, field: &str| period[field].as_str().unwrap_or_default().to_owned();
    let periods = enrollment["periods"].as_array().expect("a list");
    periods.iter().map(|period| ["state", "className", "majorName", "from", "to"].map(|field| text(period, field))).collect()
}

fn row<const N: usize>(texts: [&str; N]) -> [String; N] {
    texts.map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_class_and_another_major_are_periods_of_their_own() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        let path = people.path_of(1).await;
        let class = async |who: &Session, class: &str, day: &str| {
            who.post(&format!("{path}/changeClass"), &json!({ "effectiveDate": day, "className": class, "reason": "分班" }), "").await
        };
        let major = async |who: &Session, major: &str, class: &str, day: &str| {
            who.post(&format!("{path}/changeMajor"), &json!({ "effectiveDate": day, "major": major, "className": class, "reason": "转专业" }), "").await
        };
        for (answer, reason_of) in [
            (class(&people.clerk, "2班", "2026-11-21").await, (400, "INVALID_ARGUMENT")),
            (class(&people.other, "2班", "2026-10-08").await, (403, "FORBIDDEN")),
            (class(&people.clerk, "1班", "2026-10-08").await, (400, "INVALID_ARGUMENT")),
            (class(&people.clerk, "", "2026-10-08").await, (400, "INVALID_ARGUMENT")),
            (class(&people.clerk, &number(9), "2026-10-08").await, (400, "INVALID_ARGUMENT")),
            (class(&people.clerk, "2班", "2026-09-01").await, (400, "INVALID_ARGUMENT")),
            (major(&people.clerk, "2010-999999", "", "2026-10-08").await, (400, "INVALID_ARGUMENT")),
            (major(&people.clerk, "2010-010200", "", "2026-10-08").await, (400, "INVALID_ARGUMENT")),
        ] {
            assert_eq!(reason(answer), (reason_of.0, reason_of.1.to_owned()), "{engine:?}");
        }
        let before = people.clerk.get(&path).await.expect("is there");
        assert_eq!(story(&before), [row(["IN_SCHOOL", "1班", "现代农艺技术", "2026-09-01", ""])]);
        let after = class(&people.clerk, "2班", "2026-10-08").await.expect("is recorded");
        assert_eq!(
            story(&after),
            [row(["IN_SCHOOL", "1班", "现代农艺技术", "2026-09-01", "2026-10-08"]), row(["IN_SCHOOL", "2班", "现代农艺技术", "2026-10-08", ""])]
        );
        assert_eq!((&after["state"], &after["stateSince"], &after["className"]), (&json!("IN_SCHOOL"), &json!("2026-09-01"), &json!("2班")));
        record(&people.clerk, &path, "leave", "2026-10-20").await.expect("is recorded");
        assert_eq!(reason(class(&people.clerk, "3班", "2026-11-01").await), (400, "WRONG_STATE".into()), "who is on leave is in no class");
        record(&people.clerk, &path, "return", "2026-11-02").await.expect("is recorded");
        // Back on a day, to another class: one period, and what it replaced is kept.
        let back = class(&people.clerk, "3班", "2026-11-02").await.expect("is recorded");
        assert_eq!(story(&back).last(), Some(&row(["IN_SCHOOL", "3班", "现代农艺技术", "2026-11-02", ""])), "{engine:?}");
        assert_eq!((&back["stateSince"], &back["periods"][3]["replaces"].as_array().map(Vec::len)), (&json!("2026-11-02"), &Some(1)), "{back}");
        assert_eq!(
            reason(record(&people.clerk, &path, "leave", "2026-11-02").await),
            (400, "INVALID_ARGUMENT".into()),
            "not on leave on the day of the return"
        );
        assert_eq!(class(&people.clerk, "2班", "2026-11-02").await.expect("is recorded")["className"], "2班");
        let moved = major(&people.clerk, "2010-100100", "护理1班", "2026-11-10").await.expect("is recorded");
        let whole = story(&moved);
        assert_eq!(
            whole.iter().map(|period| [&period[0], &period[1], &period[3]].map(String::as_str)).collect::<Vec<_>>(),
            [
                ["IN_SCHOOL", "1班", "2026-09-01"],
                ["IN_SCHOOL", "2班", "2026-10-08"],
                ["ON_LEAVE", "2班", "2026-10-20"],
                ["IN_SCHOOL", "2班", "2026-11-02"],
                ["IN_SCHOOL", "护理1班", "2026-11-10"],
            ]
        );
        assert_eq!((&moved["major"], &moved["className"], &moved["stateSince"]), (&json!("2010-100100"), &json!("护理1班"), &json!("2026-11-02")));
        // Aid hears of each month what held in it.
        deployment.drain().await.expect("drains");
        let person = moved["person"].as_str().expect("an id");
        let told = people.officer.get(&format!("/v1/students/{person}/story")).await.expect("a story");
        let classes: Vec<&str> = told["timeline"][0]["periods"].as_array().expect("a list").iter().filter_map(|period| period["className"].as_str()).collect();
        assert_eq!(classes, ["1班", "2班", "2班", "2班", "护理1班"], "{told}");
        // The workbook of the next month says the new class: nothing is to be done.
        let mut next = student(1);
        next.insert("班级名称".into(), "护理1班".into());
        next.insert("专业简称".into(), moved["majorName"].as_str().expect("a name").into());
        let report = people.import(&[next]).await;
        assert_eq!((&report["rowsUnchanged"], &report["rowsFaulty"]), (&json!(1), &json!(0)), "{report}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_came_is_voided_from_the_first_day_and_owes_no_month() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        people.list(&[(&student(1)["姓名"], &number(1), ""), (&student(2)["姓名"], &number(2), "")]).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, [], "{engine:?}");
        let (path, other) = (people.path_of(1).await, people.path_of(2).await);
        let never = async |who: &Session, path: &str| who.post(&format!("{path}/neverCame"), &json!({ "reason": "学校报告：一直未报到" }), "").await;
        assert_eq!(reason(never(&people.clerk, &path).await), (403, "FORBIDDEN".into()), "the department decides");
        record(&people.clerk, &other, "leave", "2026-10-08").await.expect("is recorded");
        record(&people.clerk, &other, "return", "2026-10-10").await.expect("is recorded");
        assert_eq!(reason(never(&people.officer, &other).await), (400, "WRONG_STATE".into()), "who took leave was there");
        let moved = json!({ "effectiveDate": "2026-10-12", "className": "2班", "reason": "分班" });
        people.clerk.post(&format!("{other}/changeClass"), &moved, "").await.expect("is recorded");
        assert_eq!(reason(never(&people.officer, &other).await), (400, "WRONG_STATE".into()), "and who went to another class");
        let voided = never(&people.officer, &path).await.expect("is recorded");
        assert_eq!(story(&voided), [row(["NEVER_CAME", "1班", "现代农艺技术", "2026-09-01", ""])]);
        assert_eq!((&voided["state"], &voided["stateSince"]), (&json!("NEVER_CAME"), &json!("2026-09-01")));
        assert_eq!((count(&people, "NEVER_CAME").await, count(&people, "IN_SCHOOL").await), (1, 1));
        assert_eq!(reason(never(&people.officer, &path).await), (400, "WRONG_STATE".into()), "once is enough");
        assert_eq!(reason(record(&people.clerk, &path, "withdraw", "2026-10-10").await), (400, "WRONG_STATE".into()));
        deployment.drain().await.expect("drains");
        let flags = people.officer.get("/v1/flags?state=OPEN").await.expect("flags");
        let flags = flags["flags"].as_array().expect("a list");
        let of_one: Vec<&Value> = flags.iter().filter(|flag| flag["name"] == student(1)["姓名"].as_str()).collect();
        assert_eq!(of_one.len(), 1, "{flags:?}");
        assert_eq!((&of_one[0]["rule"], &of_one[0]["months"]), (&json!("NOT_VALID_IN_TERM"), &json!([202_609, 202_610, 202_611, 202_612, 202_701])));
        // The place is free: another school takes the student from the same day on.
        let head = people.open_account("head2", "PRINCIPAL", OTHER, PASSWORD).await;
        people.other.upload(&format!("/v1/schools/{OTHER}/enrollments/import"), workbook(&[student(1)]), "").await.expect("is taken");
        let made = people.other.post(&format!("/v1/schools/{OTHER}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let submission = format!("/v1/schools/{OTHER}/submissions/{}", made["submission"].as_str().expect("an id"));
        head.post(&format!("{submission}/attest"), &json!({ "digest": made["digest"] }), "").await.expect("is attested");
        let approved = people.officer.post(&format!("{submission}/approve"), &json!({ "digest": made["digest"] }), "").await.expect("is approved");
        assert_eq!((&approved["approved"], &approved["refused"]), (&json!(1), &json!([])), "{approved}");
        deployment.drain().await.expect("drains");
        let rules: Vec<String> = people.open_flags().await.into_iter().filter(|(_, name)| *name == student(1)["姓名"]).map(|(rule, _)| rule).collect();
        assert!(rules.contains(&"OTHER_SCHOOL".to_owned()), "listed here, and there: {rules:?}");
        // Here, too, the student may be entered again, if they come after all.
        let again = people.import(&[student(1)]).await;
        let warned = again["warnings"].as_array().expect("a list").iter().any(|warning| warning["code"] == "NEVER_CAME");
        assert!(again["rowsNew"] == 1 && warned, "it is said that they never came: {again}");
        deployment.stop().await;
    }
}

/// Two clerks act on one student at once: whichever is second sees what the first wrote.
#[tokio::test(flavor = "multi_thread")]
async fn two_changes_at_once_leave_one_story_without_gap_or_overlap() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&(1..=24).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        for serial in 1..=24 {
            let path = people.path_of(serial).await;
            let later = json!({ "effectiveDate": "2026-11-10", "className": "2班", "reason": "分班" });
            let changed = format!("{path}/changeClass");
            let (class, gone) = tokio::join!(people.clerk.post(&changed, &later, ""), record(&people.clerk, &path, "withdraw", "2026-10-10"));
            assert!(class.is_ok() || gone.is_ok(), "{engine:?} {serial}");
            let story = story(&people.clerk.get(&path).await.expect("is there"));
            for pair in story.windows(2) {
                assert!(pair[0][4] == pair[1][3] && pair[0][3] < pair[0][4], "{engine:?} {serial}: {story:?}");
            }
            assert_eq!(story.last().expect("a period")[4], "", "{engine:?} {serial}: {story:?}");
        }
        deployment.stop().await;
    }
}
