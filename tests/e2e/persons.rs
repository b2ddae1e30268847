//! Persons, their numbers and names, over the years: what was a typing error, what changed by law, and who is meant.

use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use xuezhu::deployment::{Options, key_files};
use xuezhu_judge::policy::Policy;
use xuezhu_service::{Keyring, keyring::Service, settings::Settings};
use xuezhu_store::{Db, run};
use xuezhu_tests::{
    Engine, deployment, deployment_on, options, postgres,
    rebuilt::rebuild,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, number, student, workbook},
    start,
};

async fn enrollment_of(people: &People, serial: u32) -> Value {
    let found = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(serial))).await.expect("is found");
    found["enrollments"][0].clone()
}

async fn correct(people: &People, enrollment: &Value, body: Value) -> Value {
    let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/correctIdentity", enrollment["enrollment"].as_str().expect("an id"));
    people.officer.post(&path, &body, "").await.expect("is corrected")
}

/// A clerk typed a classmate's number for another student; once that is corrected, the classmate can be entered.
#[tokio::test(flavor = "multi_thread")]
async fn the_holder_of_a_number_that_was_mistyped_for_another_can_be_registered() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let mut wrong = student(1);
        wrong.insert("姓名".into(), "赵钱".into());
        wrong.insert("学号".into(), "S9001".into());
        people.import(&[wrong]).await;
        people.register().await;
        let body = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "idNumber": number(301), "reason": "录入错误" });
        let corrected = correct(&people, &enrollment_of(&people, 1).await, body).await;
        assert_eq!(corrected["name"], "赵钱");
        let report = people.import(&[student(1)]).await;
        assert_eq!(report["rowsNew"], 1, "the number is its holder's: {report}");
        let approved = people.register().await;
        assert_eq!((&approved["approved"], &approved["refused"]), (&json!(1), &json!([])), "{approved}");
        // The corrected workbook says what is there; so does the classmate's.
        let mut right = student(1);
        let corrected = student(301);
        for (column, value) in
            [("姓名", "赵钱"), ("学号", "S9001"), ("身份证件号", &corrected["身份证件号"]), ("性别", &corrected["性别"]), ("出生日期", &corrected["出生日期"])]
        {
            right.insert(column.into(), value.to_owned());
        }
        let again = people.import(&[student(1), right]).await;
        assert_eq!(again["rowsUnchanged"], 2, "{again}");
        deployment.stop().await;
    }
}

/// The spelling of a name is corrected where it is written, though nobody is called otherwise by it.
/// Who a student is in law is the department's to say, and of its own schools alone.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_schools_department_corrects_an_identity() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let stranger = people.open_account("elsewhere", "DEPARTMENT_OFFICER", "430200", PASSWORD).await;
    let row = enrollment_of(&people, 1).await;
    let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/correctIdentity", row["enrollment"].as_str().expect("an id"));
    let body = json!({ "kind": "MISTYPED", "effectiveDate": "2026-10-01", "name": "王正", "reason": "核对户口簿" });
    for who in [&people.clerk, &people.head, &people.admin, &people.other, &people.machine, &stranger] {
        let (status, told) = schools::reason(who.post(&path, &body, "").await);
        assert!(status == 403 && matches!(told.as_str(), "FORBIDDEN" | "MACHINE_ENTRY_FORBIDDEN"), "{status} {told}");
    }
    assert_eq!(enrollment_of(&people, 1).await["name"], row["name"]);
    assert_eq!(people.officer.post(&path, &body, "").await.expect("is corrected")["name"], "王正");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_can_be_spelt_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let mut row = student(1);
    row.insert("姓名".into(), "买买提.艾力".into());
    people.import(&[row.clone()]).await;
    people.register().await;
    let body = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "name": "买买提·艾力", "reason": "间隔号" });
    assert_eq!(correct(&people, &enrollment_of(&people, 1).await, body).await["name"], "买买提·艾力");
    row.insert("姓名".into(), "买买提·艾力".into());
    assert_eq!(people.import(&[row]).await["rowsUnchanged"], 1, "the rightly spelt workbook says what is there");
    deployment.stop().await;
}

/// A list made while the number was still mistyped holds it for another: proposing tells so, and proposes all others.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_kept_off_a_list_by_a_mistyped_entry_is_told_and_the_others_are_proposed() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let mut wrong = student(1);
        wrong.insert("姓名".into(), "赵钱".into());
        wrong.insert("学号".into(), "S9001".into());
        people.import(&[wrong]).await;
        people.register().await;
        let path = people.list(&[("赵钱", &number(1), "")]).await;
        let body = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "idNumber": number(301), "reason": "录入错误" });
        correct(&people, &enrollment_of(&people, 1).await, body).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let proposed = people.clerk.post(&format!("{path}/propose"), &json!({}), "").await.expect("is proposed");
        assert_eq!((&proposed["added"], &proposed["present"]), (&json!(1), &json!(1)), "{proposed}");
        let candidates = proposed["candidates"].as_array().expect("candidates");
        let holder = candidates.iter().find(|candidate| candidate["name"] == student(1)["姓名"].as_str()).expect("the number's holder");
        assert_eq!((&holder["proposed"], &holder["reason"]), (&json!(false), &json!("NUMBER_ON_LIST")), "{holder}");
        deployment.stop().await;
    }
}

/// Who comes back under a number that was changed since is asked about under the present one.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_under_a_former_number_keeps_the_present_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = folder.path().join("registry.csv");
    let name = student(1)["姓名"].clone();
    std::fs::write(&registry, format!("number,name\n{},{name}\n", number(301))).expect("writes");
    let deployment = deployment_on(None, folder.path(), &registry.display().to_string(), Settings::default()).await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let body = json!({ "kind": "LAWFUL_CHANGE", "effectiveDate": "2026-09-01", "idNumber": number(301), "reason": "户口簿变更" });
    let corrected = correct(&people, &enrollment_of(&people, 1).await, body).await;
    assert_eq!(corrected["registry"], "CONFIRMED");
    let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/withdraw", corrected["enrollment"].as_str().expect("an id"));
    people.clerk.post(&path, &json!({ "effectiveDate": "2026-10-10", "reason": "转出" }), "").await.expect("is recorded");
    let mut back = student(1);
    back.insert("入学年月".into(), "202611".into());
    people.import(&[back]).await;
    let approved = people.register().await;
    assert_eq!((&approved["approved"], &approved["refused"]), (&json!(1), &json!([])), "{approved}");
    let here = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?state=IN_SCHOOL")).await.expect("enrollments");
    let row = &here["enrollments"][0];
    assert_eq!((&row["registry"], &row["person"]), (&json!("CONFIRMED"), &corrected["person"]), "{row}");
    assert_eq!(row["idNumber"], corrected["idNumber"], "the present number is claimed");
    assert_eq!(row["sex"], corrected["sex"]);
    // The workbook that says who the student is now says what is there.
    let mut right = student(301);
    right.insert("姓名".into(), name);
    right.insert("学号".into(), "S0001".into());
    right.insert("联系电话".into(), student(1)["联系电话"].clone());
    right.insert("入学年月".into(), "202611".into());
    let again = people.import(&[right]).await;
    assert_eq!(again["rowsUnchanged"], 1, "{again}");
    deployment.stop().await;
}

/// Who left comes back under the number of before, and is still waiting when that is corrected; the school lists the present one.
/// What a judge of a version before found is found anew when the service starts.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_under_a_number_of_before_is_known_under_the_present_one() {
    for (engine, kind, later) in [
        (Engine::Sqlite, "LAWFUL_CHANGE", "NOT_YET_REGISTERED"),
        (Engine::Postgres, "LAWFUL_CHANGE", "NOT_YET_REGISTERED"),
        // It was only found to be mistyped when it had been submitted.
        (Engine::Sqlite, "MISTYPED", "NOT_YET_REGISTERED"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let asked = || options(databases.clone(), folder.path(), "none", Settings::default());
        let deployment = start(asked()).await;
        deployment.step_to("2026-11-02".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[student(1)]).await;
        people.register().await;
        let left = enrollment_of(&people, 1).await;
        people.withdraw(&number(1), "2026-10-10").await;
        let mut back = student(1);
        back.insert("入学年月".into(), "202611".into());
        people.import(&[back]).await;
        let submitted = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let name = student(1)["姓名"].clone();
        let flagged = |rule: &str| vec![(rule.to_owned(), name.clone())];
        // Nobody has the number that is listed until the department enters it.
        let list = people.list(&[(&name, &number(301), "12")]).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flagged("NO_ENROLLMENT"), "{kind}");
        correct(&people, &left, json!({ "kind": kind, "effectiveDate": "2026-09-01", "idNumber": number(301), "reason": "核对户口簿" })).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flagged("NOT_YET_REGISTERED"), "{kind}: up to the day on which it was corrected nobody could know better");
        // Listed again the day after.
        let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
        let entry = entries["entries"][0]["entry"].as_str().expect("an id");
        people.clerk.post(&format!("{list}/entries/{entry}/remove"), &json!({}), "").await.expect("is removed");
        deployment.step_to("2026-11-03".parse().expect("a date")).await.expect("steps");
        people.clerk.upload(&format!("{list}/import"), schools::awards(&[(&name, &number(301), "12")]), "").await.expect("is answered");
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flagged(later), "{kind}");
        let flag = people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"][0]["flag"].as_str().expect("an id").to_owned();
        let flag = people.officer.get(&format!("/v1/flags/{flag}")).await.expect("a flag");
        let shown: Vec<&str> = flag["evidence"]["enrollments"].as_array().expect("places").iter().filter_map(|place| place["stage"].as_str()).collect();
        assert_eq!(shown, if later == "NOT_YET_REGISTERED" { vec!["APPROVED", "SUBMITTED"] } else { vec!["APPROVED"] }, "{flag}");
        deployment.stop().await;
        // As a judge of a version before left it: what it decided by were the policies alone, and it found nothing.
        let url = databases.as_ref().map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid.clone());
        let aid = Db::open(&url).await.expect("opens");
        let mut tx = aid.begin().await.expect("begins");
        run!(&mut tx, "DELETE FROM flag_steps").expect("empties");
        run!(&mut tx, "DELETE FROM flags").expect("empties");
        run!(&mut tx, "UPDATE woken SET policy = $1", Policy::built_in().fingerprint()).expect("is as before");
        tx.commit().await.expect("commits");
        let deployment = start(asked()).await;
        let people = schools::People::at(&format!("http://{}", deployment.http)).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flagged(later), "{kind}");
        // What becomes of the submission is heard of under the number that is listed.
        let path = format!("/v1/schools/{SCHOOL}/submissions/{}", submitted["submission"].as_str().expect("an id"));
        people.head.post(&format!("{path}/sendBack"), &json!({ "reason": "请核对" }), "").await.expect("is sent back");
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flagged("NOT_VALID_IN_TERM"), "{kind}");
        deployment.stop().await;
    }
}

/// One student in two rows of a set, under a former number and the present one: the others of the set are approved.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_row_of_who_comes_back_is_refused_and_holds_up_nobody() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1)]).await;
        people.register().await;
        let body = json!({ "kind": "LAWFUL_CHANGE", "effectiveDate": "2026-09-01", "idNumber": number(301), "reason": "户口簿变更" });
        let corrected = correct(&people, &enrollment_of(&people, 1).await, body).await;
        let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/withdraw", corrected["enrollment"].as_str().expect("an id"));
        people.clerk.post(&path, &json!({ "effectiveDate": "2026-10-10", "reason": "转出" }), "").await.expect("is recorded");
        let (mut former, mut present) = (student(1), student(301));
        for (row, school_number) in [(&mut former, "S8001"), (&mut present, "S8002")] {
            row.insert("姓名".into(), student(1)["姓名"].clone());
            row.insert("学号".into(), school_number.into());
            row.insert("入学年月".into(), "202611".into());
        }
        let report = people.import(&[former, present, student(2)]).await;
        assert_eq!(report["rowsNew"], 3, "{report}");
        let approved = people.register().await;
        assert_eq!((&approved["approved"], &approved["refused"][0]["reason"]), (&json!(2), &json!("DUPLICATE_ROW")), "{approved}");
        let here = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?state=IN_SCHOOL&query=S8002")).await.expect("enrollments");
        assert_eq!(here["enrollments"][0]["person"], corrected["person"], "the row under the present number counts: {here}");
        deployment.stop().await;
    }
}

/// A workbook goes on naming those who left; only a new 学号 or month of entry says that somebody came back.
#[tokio::test(flavor = "multi_thread")]
async fn who_left_is_no_new_entry_and_can_come_back_in_the_same_month() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let row = enrollment_of(&people, 1).await;
    let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/withdraw", row["enrollment"].as_str().expect("an id"));
    people.clerk.post(&path, &json!({ "effectiveDate": "2026-09-10", "reason": "外出" }), "").await.expect("is recorded");
    let same = people.import(&[student(1)]).await;
    assert_eq!((&same["rowsUnchanged"], &same["warnings"][0]["code"]), (&json!(1), &json!("LEFT_SCHOOL")), "{same}");
    let mut other = student(1);
    other.insert("联系电话".into(), "13911112222".into());
    let changed = people.import(&[other.clone()]).await;
    assert_eq!((&changed["rowsFaulty"], &changed["problems"][0]["code"]), (&json!(1), &json!("LEFT_SCHOOL")), "{changed}");
    other.insert("学号".into(), "S7001".into());
    let back = people.import(&[other]).await;
    assert_eq!(back["rowsNew"], 1, "{back}");
    let approved = people.register().await;
    assert_eq!((&approved["approved"], &approved["refused"]), (&json!(1), &json!([])), "{approved}");
    let here = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query=S7001")).await.expect("enrollments");
    assert_eq!((&here["enrollments"][0]["state"], &here["enrollments"][0]["person"]), (&json!("IN_SCHOOL"), &row["person"]), "{here}");
    deployment.stop().await;
}

/// A person is told to every region that ever had them: a follower of one region who begins anew still knows whose months
/// it paid.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_one_region_knows_who_has_moved_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = || Settings { scope: "43".into(), ..Settings::default() };
    let deployment = deployment_on(None, folder.path(), "none", settings()).await;
    let people = schools::open(&deployment).await;
    const AWAY: &str = "3644000001";
    let majors = json!([{ "catalogue": "2010", "code": "010200" }]);
    let body = json!({ "code": AWAY, "name": "广州职业学校", "region": "440103", "kind": "PUBLIC", "authority": "440100", "majors": majors });
    people.admin.post("/v1/schools", &body, "").await.expect("a school");
    let clerk = people.open_account("away", "SCHOOL_CLERK", AWAY, PASSWORD).await;
    let head = people.open_account("head3", "PRINCIPAL", AWAY, PASSWORD).await;
    let officer = people.open_account("officer44", "DEPARTMENT_OFFICER", "440100", PASSWORD).await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    let (one, two) = (student(1)["姓名"].clone(), student(2)["姓名"].clone());
    people.list(&[(&one, &number(1), "9-10"), (&two, &number(2), "")]).await;
    let enrollment = enrollment_of(&people, 1).await;
    let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/withdraw", enrollment["enrollment"].as_str().expect("an id"));
    people.clerk.post(&path, &json!({ "effectiveDate": "2026-11-02", "reason": "转往外省" }), "").await.expect("is recorded");
    let mut moved = student(1);
    moved.insert("入学年月".into(), "202611".into());
    clerk.upload(&format!("/v1/schools/{AWAY}/enrollments/import"), workbook(&[moved]), "").await.expect("is taken");
    let made = clerk.post(&format!("/v1/schools/{AWAY}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    let path = format!("/v1/schools/{AWAY}/submissions/{}", made["submission"].as_str().expect("an id"));
    head.post(&format!("{path}/attest"), &json!({ "digest": made["digest"] }), "").await.expect("is attested");
    let approved = officer.post(&format!("{path}/approve"), &json!({ "digest": made["digest"] }), "").await.expect("is approved");
    assert_eq!(approved["approved"], 1, "{approved}");
    deployment.drain().await.expect("drains");
    assert_eq!(people.open_flags().await, [], "the months before the move were lawful");
    assert!(people.admin.get(&format!("/v1/schools/{AWAY}/awardLists")).await.is_err(), "aid knows no school of another region");
    // A mirror that is made anew must say the same: the lists stay, what was mirrored goes.
    deployment.stop().await;
    let aid = xuezhu_store::Db::open(&format!("sqlite:{}", folder.path().join("aid.db").display())).await.expect("opens");
    let mut tx = aid.begin().await.expect("begins");
    xuezhu_store::run!(&mut tx, "UPDATE mirror_state SET history = NULL, position = 0, change = NULL").expect("forgets");
    tx.commit().await.expect("commits");
    aid.close().await;
    let deployment = deployment_on(None, folder.path(), "none", settings()).await;
    let base = format!("http://{}", deployment.http);
    let officer = xuezhu::client::Session::log_in(&base, "officer", PASSWORD).await.expect("logs in");
    deployment.drain().await.expect("drains");
    let run = officer.post("/v1/reconciliations", &json!({ "region": "430102" }), "").await.expect("starts")["run"].as_str().expect("an id").to_owned();
    xuezhu_tests::until("the sweep ends", async || officer.get(&format!("/v1/reconciliations/{run}")).await.is_ok_and(|state| state["state"] == "DONE")).await;
    let flags = officer.get("/v1/flags?state=OPEN").await.expect("flags");
    assert_eq!(flags["flags"], json!([]), "{flags}");
    deployment.stop().await;
}

/// Two schools under one department, in two counties: lists of flags go by where the school stands.
#[tokio::test(flavor = "multi_thread")]
async fn flags_are_listed_by_the_region_of_the_school_and_acts_name_the_version_that_was_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let list = people.list(&[("李鬼", &number(500), "9-10"), ("李鬼", &number(501), "")]).await;
    deployment.drain().await.expect("drains");
    let there = people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
    people.head.post(&format!("{list}/attest"), &json!({ "digest": there["digest"] }), "").await.expect("is attested");
    let held = people.officer.post(&format!("{list}/approve"), &json!({ "digest": there["digest"] }), "").await.expect("is answered");
    assert_eq!((&held["state"], &held["approvedBy"]), (&json!("ATTESTED"), &json!("")), "nobody approved anything: {held}");
    for (region, count) in [("430102", 2), ("430100", 2), ("430103", 0)] {
        let flags = people.officer.get(&format!("/v1/flags?region={region}")).await.expect("flags");
        assert_eq!(flags["flags"].as_array().map(Vec::len), Some(count), "{region}");
    }
    let flags = people.officer.get("/v1/flags?state=OPEN").await.expect("flags");
    let flag = flags["flags"][0].clone();
    let path = format!("/v1/flags/{}", flag["flag"].as_str().expect("an id"));
    people.clerk.post(&format!("{path}/explain"), &json!({ "text": "正在核对", "etag": flag["etag"] }), "").await.expect("is explained");
    let late = people.officer.post(&format!("{path}/clear"), &json!({ "reason": "已核对", "etag": flag["etag"] }), "").await;
    let error = late.expect_err("somebody was first");
    let refused = error.downcast_ref::<xuezhu::client::Refused>().expect("is refused");
    assert_eq!((refused.status, refused.reason.as_str()), (409, "CONFLICT"));
    let seen = people.officer.get(&path).await.expect("a flag");
    people.officer.post(&format!("{path}/clear"), &json!({ "reason": "已核对", "etag": seen["etag"] }), "").await.expect("is cleared");
    let causes = people.clerk.get("/v1/causes").await.expect("causes");
    let cause = &causes["causes"][0];
    let path = format!("/v1/causes/{}/explain", cause["cause"].as_str().expect("an id"));
    assert!(people.clerk.post(&path, &json!({ "text": "x", "etag": "9-9" }), "").await.is_err(), "other flags than those were seen");
    assert_eq!(schools::reason(people.other.post(&path, &json!({ "text": "x" }), "").await), (404, "NOT_FOUND".into()), "another school's are not told");
    // What was looked at by term is explained by term: flags of another term were not seen.
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-SPRING" }), "").await.expect("a list");
    let list = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
    people.clerk.upload(&format!("{list}/import"), schools::awards(&[("李鬼", &number(502), "")]), "").await.expect("is taken");
    let term = "2026-AUTUMN";
    let causes = people.clerk.get(&format!("/v1/causes?term={term}")).await.expect("causes");
    assert_eq!((&causes["causes"][0]["cause"], &causes["causes"][0]["open"]), (&cause["cause"], &json!(1)), "{causes}");
    let body = json!({ "text": "正在核对", "etag": causes["causes"][0]["etag"], "term": term });
    let explained = people.clerk.post(&path, &body, "").await.expect("is explained");
    assert_eq!(explained["explained"], 1);
    assert_eq!(people.open_flags().await.len(), 1, "the other term's waits");
    assert!(people.other.get(&format!("/v1/schools/{OTHER}/enrollments")).await.is_ok());
    deployment.stop().await;
}

/// A school that lists a number learns nothing about it: not even whether the deployment knows it.
#[tokio::test(flavor = "multi_thread")]
async fn a_school_learns_nothing_about_a_stranger_by_listing_the_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let name = student(1)["姓名"].clone();
    let made = people.other.post(&format!("/v1/schools/{OTHER}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let path = format!("/v1/schools/{OTHER}/awardLists/{}", made["list"].as_str().expect("an id"));
    let file = schools::awards(&[("李鬼", &number(1), "")]);
    people.other.upload(&format!("{path}/import"), file, "").await.expect("is taken");
    deployment.drain().await.expect("drains");
    let entries = people.other.get(&format!("{path}/entries")).await.expect("entries");
    assert_eq!(entries["entries"][0]["person"], "", "{entries}");
    let flags = people.other.get("/v1/flags").await.expect("flags");
    assert!(!flags.to_string().contains(&name) && !flags.to_string().contains(SCHOOL), "neither name nor school is told: {flags}");
    let seen = people.officer.get(&format!("{path}/entries")).await.expect("entries");
    assert_ne!(seen["entries"][0]["person"], "", "the department sees both sides");
    // Asked for as the school sees it, the department is told what the school is told, and no more.
    let flag = format!("/v1/flags/{}", flags["flags"][0]["flag"].as_str().expect("an id"));
    let (theirs, whole) = (people.other.get(&flag).await.expect("a flag"), people.officer.get(&flag).await.expect("a flag"));
    assert_eq!(people.officer.get(&format!("{flag}?asSchool=true")).await.expect("a flag"), theirs);
    assert!(whole != theirs && whole.to_string().contains(SCHOOL), "{whole}");
    assert_eq!(people.other.get(&format!("{flag}?asSchool=true")).await.expect("a flag"), theirs);
    deployment.stop().await;
}

/// More suspects than are judged in one transaction: chunks beside each other must not wait for one another for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_of_more_suspects_than_a_transaction_takes_ends() {
    const GHOSTS: u32 = 1_100;
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let numbers: Vec<String> = (1..=GHOSTS).map(number).collect();
        let lines: Vec<(&str, &str, &str)> = numbers.iter().map(|number| ("李鬼", number.as_str(), "9-10")).collect();
        people.list(&lines).await;
        let run = people.admin.post("/v1/reconciliations", &json!({}), "").await.expect("starts")["run"].as_str().expect("an id").to_owned();
        let path = format!("/v1/reconciliations/{run}");
        xuezhu_tests::until("the sweep ends", async || people.admin.get(&path).await.is_ok_and(|state| state["state"] != "RUNNING")).await;
        let state = people.admin.get(&path).await.expect("a run");
        assert_eq!((&state["state"], &state["judged"]), (&json!("DONE"), &json!(GHOSTS)), "{state}");
        assert_eq!(state["counts"], json!([{ "rule": "NO_ENROLLMENT", "flags": GHOSTS, "waiting": GHOSTS }]), "{state}");
        deployment.stop().await;
    }
}

/// What people said about a flag outlives the ids of the source; the links lead to what is there now.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_was_rebuilt_opens_no_flag_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = || options(None, folder.path(), "none", Settings::default());
    let deployment = start(asked()).await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    people.list(&[("王错", &number(1), ""), ("李鬼", &number(2), "")]).await;
    deployment.drain().await.expect("drains");
    let flags = people.officer.get("/v1/flags?rule=IDENTITY_MISMATCH").await.expect("flags");
    let paths: Vec<String> =
        flags["flags"].as_array().expect("a list").iter().map(|flag| format!("/v1/flags/{}", flag["flag"].as_str().expect("an id"))).collect();
    people.clerk.post(&format!("{}/explain", paths[0]), &json!({ "text": "录入时写错" }), "").await.expect("is explained");
    people.officer.post(&format!("{}/clear", paths[1]), &json!({ "reason": "已核对" }), "").await.expect("is cleared");
    let mut before = Vec::new();
    for path in &paths {
        before.push(people.officer.get(path).await.expect("a flag"));
    }
    let http = deployment.http.to_string();
    deployment.stop().await;
    let source = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let keyring = Keyring::load(&key_files(folder.path()).enrollment, Service::Enrollment).expect("a keyring");
    rebuild(&source, &keyring, &mut StdRng::seed_from_u64(1), false).await;
    source.close().await;
    let deployment = start(Options { http, ..asked() }).await;
    deployment.drain().await.expect("drains");
    for (path, before) in paths.iter().zip(&before) {
        let after = people.officer.get(path).await.expect("a flag");
        assert_eq!((&after["state"], &after["steps"]), (&before["state"], &before["steps"]), "{after}");
        assert_ne!(after["person"], before["person"]);
        people.officer.get(&format!("/v1/students/{}/story", after["person"].as_str().expect("an id"))).await.expect("the link leads somewhere");
        let (now, then) = (&after["evidence"]["enrollments"][0]["enrollment"], &before["evidence"]["enrollments"][0]["enrollment"]);
        assert_ne!(now, then);
        people.officer.get(&format!("/v1/schools/{SCHOOL}/enrollments/{}", now.as_str().expect("an id"))).await.expect("this one too");
    }
    deployment.stop().await;
}
