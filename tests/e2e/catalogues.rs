//! Tables of facts: whole, sure where they are sure, and telling where they are not.

use std::collections::HashMap;

use serde_json::{Value, json};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, run};
use xuezhu_tests::{
    Engine,
    apart::{Apart, answered},
    binary, deployment, deployment_on, postgres, prepare,
    schools::{self, SCHOOL, reason, student, workbook},
    until,
};

/// Columns and codes of what a report tells.
fn told(report: &Value, of: &str) -> Vec<(String, String)> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    report[of].as_array().expect("a list").iter().map(|row| (text(row, "column"), text(row, "code"))).collect()
}

fn with(serial: u32, cells: &[(&str, &str)]) -> HashMap<String, String> {
    let mut row = student(serial);
    for (header, value) in cells {
        row.insert((*header).to_owned(), (*value).to_owned());
    }
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_names_its_majors_by_code_or_by_any_of_their_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let school =
        |code: &str, majors: Value| json!({ "code": code, "name": "学校", "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": majors });
    let majors = json!([{ "catalogue": "2010", "name": "中餐烹饪" }, { "name": "作物生产技术" }, { "catalogue": "2010", "code": "011800" }]);
    let made = people.admin.post("/v1/schools", &school("3643000011", majors), "").await.expect("is entered");
    let told: Vec<(&str, &str, &str)> = made["majors"]
        .as_array()
        .expect("majors")
        .iter()
        .map(|major| (major["key"].as_str().unwrap_or_default(), major["code"].as_str().unwrap_or_default(), major["name"].as_str().unwrap_or_default()))
        .collect();
    let wanted = [("2010-011800b", "011800", "畜禽生产与疾病防治"), ("2010-130700", "130700", "中餐烹饪与营养膳食"), ("2021-610102", "610102", "作物生产技术")];
    assert_eq!(told, wanted);
    assert!(made["majors"].as_array().expect("majors").iter().all(|major| major["doubt"] == ""), "{made}");
    // A name of two catalogues is not guessed, a name of none is told.
    for (majors, why) in [(json!([{ "name": "护理" }]), "2021年目录的720201"), (json!([{ "catalogue": "2010", "name": "考古" }]), "考古")] {
        let error = people.admin.post("/v1/schools", &school("3643000012", majors), "").await.expect_err("is refused").to_string();
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(reason(people.admin.get("/v1/schools/3643000012").await).0, 404);
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_in_a_workbook_say_what_names_say_and_what_no_table_knows_is_a_doubt() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let report = people.import(&[student(1), with(2, &[("国籍/地区", "华夏")]), with(3, &[("民族", "81")]), with(4, &[("民族", "01族")])]).await;
    assert_eq!((&report["rowsNew"], told(&report, "problems")), (&json!(3), vec![("民族".to_owned(), "NOT_IN_LIST".to_owned())]), "{report}");
    let doubts = [("国籍/地区", "COUNTRY_UNKNOWN"), ("民族", "VALUE_UNLISTED")].map(|(column, code)| (column.to_owned(), code.to_owned()));
    assert_eq!(told(&report, "warnings"), doubts, "{report}");
    // Who was entered by names is the same by codes.
    let codes = [("国籍/地区", "156"), ("民族", "01"), ("政治面貌", "13"), ("健康状况", "1"), ("成员1关系", "51"), ("身份证件类型", "1"), ("招生对象", "111")];
    let report = people.import(&[with(1, &codes)]).await;
    assert_eq!((&report["rowsUnchanged"], &report["problems"]), (&json!(1), &json!([])), "{report}");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_no_table_knows_is_a_doubt_where_its_province_exists() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let school = |region: &str, authority: &str| json!({ "code": "3643000011", "name": "新区学校", "region": region, "kind": "PUBLIC", "authority": authority, "majors": [] });
    for (region, authority) in [("999999", "430100"), ("430199", "169900"), ("43019", "430100"), ("4301999", "430100")] {
        assert_eq!(reason(people.admin.post("/v1/schools", &school(region, authority), "").await), (400, "INVALID_ARGUMENT".to_owned()));
    }
    let made = people.admin.post("/v1/schools", &school("430199", "430100"), "").await.expect("is entered");
    assert!(made["doubts"].as_array().is_some_and(|doubts| doubts.len() == 1 && doubts[0].as_str().is_some_and(|doubt| doubt.contains("430199"))), "{made}");
    let known = people.admin.get(&format!("/v1/schools/{SCHOOL}")).await.expect("a school");
    assert_eq!(known["doubts"], json!([]));
    let account = json!({ "account": "newcounty", "displayName": "新区", "role": "DEPARTMENT_OFFICER", "organisation": "430199" });
    people.admin.post("/v1/accounts", &account, "").await.expect("is opened");
    let accounts = people.admin.get("/v1/accounts?organisation=430199").await.expect("accounts");
    assert!(accounts["accounts"][0]["doubt"].as_str().is_some_and(|doubt| doubt.contains("430199")), "{accounts}");
    // In a workbook: of where somebody is registered, and of the number.
    let known = schools::number(2);
    let body = format!("430199{}", &known[6..17]);
    let number = format!("{body}{}", xuezhu_domain::identity::check_character(&body).expect("digits"));
    let report =
        people.import(&[with(1, &[("户口所在地行政区划码", "430199")]), with(2, &[("身份证件号", &number)]), with(3, &[("生源地行政区划码", "990101")])]).await;
    let doubts = ["户口所在地行政区划码", "身份证件号"].map(|column| (column.to_owned(), "REGION_UNKNOWN".to_owned()));
    assert_eq!((&report["rowsNew"], told(&report, "warnings")), (&json!(2), doubts.to_vec()), "{report}");
    assert_eq!(told(&report, "problems"), [("生源地行政区划码".to_owned(), "REGION".to_owned())]);
    assert!(!report["warnings"].to_string().contains(&number[6..14]), "no part of a number beside the birth date");
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let list = format!("/v1/schools/{SCHOOL}/awardLists/{}/import", made["list"].as_str().expect("an id"));
    let report = people.clerk.upload(&list, schools::awards(&[("王甲", &number, "9-12")]), "").await.expect("is read");
    assert_eq!((&report["rowsNew"], told(&report, "warnings")), (&json!(1), doubts[1..].to_vec()), "{report}");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_adds_to_tables_holds_in_every_service_and_a_wrong_line_stops_the_start() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let tables = folder.path().join("tables");
    std::fs::create_dir(&tables).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(tables.join(name), text).expect("writes");
    write("regions.csv", "code,name,from_year,to_year\n430199,新设区,2026,\n");
    write("majors.csv", "catalogue,code,name,also,agricultural,performing_arts\n2010,990001,茶文化,茶艺与茶文化,y,n\n");
    write("working_days.csv", "date,kind\n2027-01-01,off\n");
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let apart = Apart::start_with(folder.path(), &file("enrollment.db"), &file("aid.db"), &[("TABLES_DIR", &tables.display().to_string())]);
    xuezhu_tests::apart::ready(&apart.base()).await;
    let people = schools::open_at(&apart.base(), "first-Password1").await;
    let majors = json!([{ "name": "茶艺与茶文化" }, { "catalogue": "2010", "code": "100100" }]);
    let body = json!({ "code": "3643000011", "name": "茶学校", "region": "430199", "kind": "PUBLIC", "authority": "430100", "majors": majors });
    let school = people.admin.post("/v1/schools", &body, "").await.expect("is entered");
    assert_eq!((&school["doubts"], &school["majors"][1]["name"]), (&json!([]), &json!("茶文化")), "{school}");
    // Aid knows the major too: who studies it is proposed for it.
    let clerk = people.open_account("teaclerk", "SCHOOL_CLERK", "3643000011", schools::PASSWORD).await;
    let head = people.open_account("teahead", "PRINCIPAL", "3643000011", schools::PASSWORD).await;
    let at = "/v1/schools/3643000011";
    let rows = [with(1, &[("专业简称", "茶文化"), ("户口性质", "非农业户口"), ("学生居住地类型", "城市")])];
    let report = clerk.upload(&format!("{at}/enrollments/import"), workbook(&rows), "").await.expect("is read");
    assert_eq!(report["rowsNew"], 1, "{report}");
    let made = clerk.post(&format!("{at}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    let submission = format!("{at}/submissions/{}", made["submission"].as_str().expect("an id"));
    head.post(&format!("{submission}/attest"), &json!({ "digest": made["digest"] }), "").await.expect("is attested");
    people.officer.post(&format!("{submission}/approve"), &json!({ "digest": made["digest"] }), "").await.expect("is approved");
    let list = answered(async || clerk.post(&format!("{at}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await).await;
    let propose = format!("{at}/awardLists/{}/propose", list["list"].as_str().expect("an id"));
    until("aid proposes who studies the added major", async || {
        let answer = clerk.post(&propose, &json!({ "preview": true }), "").await.expect("candidates");
        answer["candidates"].as_array().is_some_and(|found| found.iter().any(|one| one["reason"] == "AGRICULTURAL_MAJOR"))
    })
    .await;
    drop(apart);
    // What can't be taken is named by file, line and column, and nothing starts.
    let refused = |wanted: &[&str]| {
        let run = std::process::Command::new(binary()).arg("aid").env("XUEZHU_TABLES_DIR", &tables).output().expect("runs");
        let told = String::from_utf8_lossy(&run.stderr).into_owned() + &String::from_utf8_lossy(&run.stdout);
        assert!(!run.status.success() && wanted.iter().all(|word| told.contains(word)), "{told}");
    };
    write("regions.csv", "code,name,from_year,to_year\n430199,新设区,2026,\n43019,又一区,2026,\n");
    refused(&["tables_dir", "regions.csv", "line 3", "column code"]);
    write("regions.csv", "code,name,from_year,to_year\n");
    write("working_days.csv", "date,kind\n2027-01-01,free\n");
    refused(&["working_days.csv", "line 2"]);
    write("working_days.csv", "date,kind\n");
    write("Regions.csv", "code,name,from_year,to_year\n");
    refused(&["Regions.csv", "is none of"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_major_that_was_stored_under_a_wrong_code_keeps_its_name_and_is_told_as_a_doubt() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let url = databases.clone().map_or_else(|| format!("sqlite:{}", folder.path().join("enrollment.db").display()), |(enrollment, _)| enrollment);
        let deployment = deployment_on(databases, folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        let db = Db::open(&url).await.expect("opens");
        let of_before = "INSERT INTO school_majors (school, catalogue, code) VALUES ($1, '2010', '140600')";
        db.write(&of_before, |tx, of_before| Box::pin(async move { run!(tx, *of_before, SCHOOL).map(drop) })).await.expect("as an earlier version stored it");
        db.close().await;
        let school = people.admin.get(&format!("/v1/schools/{SCHOOL}")).await.expect("a school");
        let major = school["majors"].as_array().expect("majors").iter().find(|major| major["key"] == "2010-140600").expect("is shown").clone();
        assert_eq!(major["name"], "舞蹈表演");
        assert!(major["doubt"].as_str().is_some_and(|doubt| doubt.contains("出版与发行") && doubt.contains("140900")), "{major}");
        // Rows of it are taken, and the doubt is told once.
        let report = people.import(&[with(1, &[("专业简称", "舞蹈表演")]), with(2, &[("专业简称", "140600")]), student(3)]).await;
        assert_eq!((&report["rowsNew"], told(&report, "warnings")), (&json!(3), vec![("专业简称".to_owned(), "MAJOR_CODE".to_owned())]), "{report}");
        let one = people.clerk.get(&people.path_of(1).await).await.expect("a student");
        assert_eq!((&one["major"], &one["majorName"]), (&json!("2010-140600"), &json!("舞蹈表演")), "{one}");
        deployment.stop().await;
    }
}
