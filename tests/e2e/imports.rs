//! What becomes of a file: it is previewed and written as it was previewed, runs by itself and says how far it is, is found again, given back
//! marked, and taken back.

use std::collections::HashMap;

use serde_json::{Value, json};
use xuezhu::{
    client::Session,
    deployment::{Deployment, system_clock},
};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, one, rows, run};
use xuezhu_tests::{
    Engine, deployment, deployment_on, postgres,
    schools::{self, OTHER, People, SCHOOL, awards, number, reason, student, workbook},
    until,
};

const IMPORT: &str = "/v1/schools/3643000001/enrollments/import";

/// Where an import of students is.
fn at(report: &Value) -> String {
    format!("/v1/schools/{SCHOOL}/imports/{}", report["importId"].as_str().expect("an id"))
}

/// Counts of a report.
fn counts(report: &Value) -> Vec<i64> {
    ["rowsTotal", "rowsNew", "rowsChanged", "rowsUnchanged", "rowsFaulty"].iter().map(|count| report[count].as_i64().unwrap_or(-1)).collect()
}

fn codes(report: &Value, of: &str) -> Vec<String> {
    report[of].as_array().into_iter().flatten().map(|problem| problem["code"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The end of an import that runs by itself.
async fn ended(session: &Session, path: &str) -> Value {
    until("the import ends", async || session.get(path).await.is_ok_and(|report| report["state"] != "RUNNING")).await;
    session.get(path).await.expect("is there")
}

/// Every student of the school: number of the school, name, class, state, in order.
async fn students(session: &Session) -> Vec<(String, String, String, String)> {
    let answer = session.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=1000")).await.expect("a list");
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = answer["enrollments"].as_array().expect("a list").iter();
    let mut rows: Vec<_> = rows.map(|row| (text(row, "schoolNumber"), text(row, "name"), text(row, "className"), text(row, "state"))).collect();
    rows.sort();
    rows
}

fn in_class(serials: std::ops::Range<u32>, class: &str) -> Vec<HashMap<String, String>> {
    let mut rows: Vec<_> = serials.map(student).collect();
    for row in &mut rows {
        row.insert("班级名称".into(), class.into());
    }
    rows
}

async fn on_both(test: impl AsyncFn(&Deployment, &People)) {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        test(&deployment, &people).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_by_itself_answers_at_once_and_ends_as_if_it_had_been_waited_for() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        let mut rows: Vec<_> = (0..40).map(student).collect();
        rows[3].insert("民族".into(), "汉".into());
        let file = workbook(&rows);
        let waited = clerk.upload(&format!("{IMPORT}?preview=true&fileName=%E6%96%B0%E7%94%9F.xlsx"), file.clone(), "").await.expect("is read");
        assert_eq!((&waited["state"], &waited["fileName"], &waited["accountName"]), (&json!("DONE"), &json!("新生.xlsx"), &json!("clerk")), "{waited}");
        // A near miss has its proposal.
        assert_eq!(waited["problems"][0]["proposed"], "汉族", "{waited}");
        let begun = clerk.upload(&format!("{IMPORT}?wait=false"), file.clone(), "once").await.expect("begins");
        assert_eq!(begun["state"], "RUNNING", "{begun}");
        let again = clerk.upload(&format!("{IMPORT}?wait=false"), file.clone(), "once").await.expect("is the same");
        assert_eq!(again["importId"], begun["importId"]);
        let done = ended(clerk, &at(&begun)).await;
        assert_eq!(done["state"], "DONE", "{done}");
        assert_eq!(counts(&done), [40, 39, 0, 0, 1]);
        assert_eq!((counts(&done), codes(&done, "problems")), (counts(&waited), codes(&waited, "problems")));
        assert_eq!(students(clerk).await.len(), 39);
        // The preview is written from the page in the same way; all of it is there by now.
        let written = clerk.post(&format!("{}/commit", at(&waited)), &json!({ "wait": false }), "").await.expect("begins");
        let written = ended(clerk, &at(&written)).await;
        assert_eq!((counts(&written), &written["ofPreview"]), (vec![40, 0, 0, 39, 1], &waited["importId"]));
        // What is refused as a whole is refused there, with its reason.
        let begun = clerk.upload(&format!("{IMPORT}?wait=false&fileName=a.xlsx"), b"no workbook".to_vec(), "").await.expect("begins");
        let refused = ended(clerk, &at(&begun)).await;
        assert_eq!((&refused["state"], &refused["refusalReason"]), (&json!("REFUSED"), &json!("HEADER_MISSING")), "{refused}");
        assert!(refused["refusal"].as_str().is_some_and(|why| why.contains("表头")), "{refused}");
        assert_eq!(reason(clerk.post(&format!("{}/commit", at(&begun)), &json!({}), "").await), (400, "WRONG_STATE".into()));
        // Whoever may not enter may not begin; whoever may not read is not told.
        assert_eq!(reason(people.head.upload(&format!("{IMPORT}?wait=false"), file.clone(), "").await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.other.get(&at(&done)).await), (403, "FORBIDDEN".into()));
        assert_eq!(people.officer.get(&at(&done)).await.expect("their department may read")["rowsNew"], 39);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_from_a_preview_is_what_it_said_or_is_told() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        people.import(&in_class(0..4, "1班")).await;
        // Students 0 to 3 to another class, 4 new.
        let preview = clerk.upload(&format!("{IMPORT}?preview=true"), workbook(&in_class(0..5, "2班")), "").await.expect("is read");
        assert_eq!(counts(&preview), [5, 1, 4, 0, 0]);
        // Meanwhile 0 is changed, 1 is what the preview would make of them, and 4 is entered by somebody else.
        people.import(&in_class(0..1, "3班")).await;
        people.import(&in_class(1..2, "2班")).await;
        people.import(&in_class(4..5, "4班")).await;
        let written = clerk.post(&format!("{}/commit", at(&preview)), &json!({}), "").await.expect("is written");
        assert_eq!(counts(&written), [5, 0, 2, 1, 2], "{written}");
        assert_eq!(codes(&written, "problems"), ["CHANGED_SINCE_PREVIEW", "CHANGED_SINCE_PREVIEW"]);
        let classes: Vec<String> = students(clerk).await.into_iter().map(|row| row.2).collect();
        assert_eq!(classes, ["3班", "2班", "2班", "2班", "4班"]);
        // All or nothing: a row that can't be written so any more is one too many.
        let preview = clerk.upload(&format!("{IMPORT}?preview=true"), workbook(&in_class(2..4, "5班")), "").await.expect("is read");
        people.import(&in_class(3..4, "6班")).await;
        let nothing = clerk.post(&format!("{}/commit", at(&preview)), &json!({ "allOrNothing": true }), "").await.expect("is answered");
        assert_eq!(counts(&nothing), [2, 0, 0, 0, 1], "{nothing}");
        assert_eq!(students(clerk).await[2].2, "2班");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_of_a_school_at_once_double_nobody_and_lose_nobody() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        for round in 0..3_u32 {
            let (one, two) = (workbook(&in_class(round * 60..round * 60 + 40, "1班")), workbook(&in_class(round * 60 + 20..round * 60 + 60, "2班")));
            let (one, two) = tokio::join!(clerk.upload(IMPORT, one, ""), clerk.upload(IMPORT, two, ""));
            let (one, two) = (one.expect("is written"), two.expect("is written"));
            let new = |report: &Value| report["rowsNew"].as_i64().unwrap_or(0);
            assert_eq!(new(&one) + new(&two), 60, "the twenty in both are entered by one of them: {one} {two}");
            let there = students(clerk).await;
            assert_eq!(there.len(), (round as usize + 1) * 60);
            // Who is in both is as the later one says, all twenty.
            let shared: Vec<_> = there.iter().skip(round as usize * 60 + 20).take(20).map(|row| row.2.as_str()).collect();
            assert!(shared.windows(2).all(|pair| pair[0] == pair[1]), "{shared:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_students_is_taken_back_by_its_receipt() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        let first = in_class(0..6, "1班");
        people.import(&first).await;
        // 5 was sent back once: that too is again as it was.
        let made =
            clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "enrollments": [id_of(clerk, 5).await] }), "").await.expect("is submitted");
        let back = json!({ "reason": "照片不清", "enrollments": [id_of(clerk, 5).await] });
        people
            .head
            .post(&format!("/v1/schools/{SCHOOL}/submissions/{}/sendBack", made["submission"].as_str().expect("an id")), &back, "")
            .await
            .expect("is sent back");
        let before = students(clerk).await;
        let mut second = in_class(0..9, "9班");
        second[1].insert("姓名".into(), "王改".into());
        let import = people.import(&second).await;
        assert_eq!((counts(&import), &import["rowsReturnable"]), (vec![9, 3, 6, 0, 0], &json!(9)), "{import}");
        let wrong = format!("{}/takeBack", at(&import));
        for session in [&people.head, &people.officer, &people.other, &people.admin] {
            assert_eq!(reason(session.post(&wrong, &json!({}), "").await), (403, "FORBIDDEN".into()));
        }
        let taken = clerk.post(&wrong, &json!({}), "back").await.expect("is taken back");
        assert_eq!((&taken["state"], &taken["rowsReturned"], &taken["rowsReturnable"]), (&json!("TAKEN_BACK"), &json!(9), &json!(0)), "{taken}");
        assert_eq!(students(clerk).await, before);
        let sent_back = clerk.get(&people.path_of(5).await).await.expect("is there");
        assert_eq!((&sent_back["state"], &sent_back["sentBackReason"]), (&json!("SENT_BACK"), &json!("照片不清")), "{sent_back}");
        assert_eq!(clerk.post(&wrong, &json!({}), "back").await.expect("the same answer"), taken);
        assert_eq!(reason(clerk.post(&wrong, &json!({}), "").await), (400, "WRONG_STATE".into()));
        // Byte for byte: the first file says nothing new of any of them.
        let again = clerk.upload(&format!("{IMPORT}?preview=true"), workbook(&first), "").await.expect("is read");
        assert_eq!(counts(&again), [6, 0, 0, 6, 0], "{again}");
        assert_eq!(reason(clerk.post(&format!("{}/takeBack", at(&again)), &json!({}), "").await), (400, "WRONG_STATE".into()), "a preview wrote nothing");
    })
    .await;
}

async fn id_of(clerk: &Session, serial: u32) -> String {
    let found = clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(serial))).await.expect("is found");
    found["enrollments"][0]["enrollment"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_something_hangs_on_is_not_taken_back_and_is_named() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        people.import(&in_class(0..2, "1班")).await;
        let import = people.import(&in_class(0..6, "2班")).await;
        assert_eq!(counts(&import), [6, 4, 2, 0, 0]);
        // 1 and 2 are changed by a later file, 3 is submitted, 4 is deleted.
        people.import(&in_class(1..3, "3班")).await;
        clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "enrollments": [id_of(clerk, 3).await] }), "").await.expect("is submitted");
        clerk.post(&format!("{}/remove", people.path_of(4).await), &json!({}), "").await.expect("is removed");
        let path = format!("{}/takeBack", at(&import));
        let taken = clerk.post(&path, &json!({}), "").await.expect("is taken back, as far as that goes");
        // Of whom is gone already nothing is left to be taken back.
        assert_eq!((&taken["state"], &taken["rowsReturned"], &taken["rowsReturnable"]), (&json!("DONE"), &json!(2), &json!(3)), "{taken}");
        let kept: Vec<_> =
            taken["kept"].as_array().expect("a list").iter().map(|row| (row["row"].as_i64(), row["reason"].as_str().unwrap_or_default().to_owned())).collect();
        assert_eq!(kept.iter().map(|(row, _)| row.unwrap_or(0)).collect::<Vec<_>>(), [5, 6, 7, 8], "{kept:?}");
        assert!(kept[0].1.contains("又改过") && kept[2].1.contains("待校长签核") | kept[2].1.contains("已提交") && kept[3].1.contains("已被删除"), "{kept:?}");
        let there = students(clerk).await;
        assert_eq!(
            there.iter().map(|row| (row.0.as_str(), row.2.as_str())).collect::<Vec<_>>(),
            [("S0000", "1班"), ("S0001", "3班"), ("S0002", "3班"), ("S0003", "2班")]
        );
        // What hung on it is gone: the rest goes too.
        let made = clerk.get(&format!("/v1/schools/{SCHOOL}/submissions")).await.expect("submissions");
        let dossier = made["submissions"][0]["submission"].as_str().expect("an id");
        people.head.post(&format!("/v1/schools/{SCHOOL}/submissions/{dossier}/sendBack"), &json!({ "reason": "重传" }), "").await.expect("is sent back");
        let taken = clerk.post(&path, &json!({}), "").await.expect("goes on");
        assert_eq!((&taken["rowsReturned"], &taken["rowsReturnable"]), (&json!(3), &json!(2)), "{taken}");
        assert_eq!(students(clerk).await.len(), 3);
    })
    .await;
}

/// A student of whom another 学号 is said.
fn numbered(serial: u32, school_number: &str) -> HashMap<String, String> {
    let mut row = student(serial);
    row.insert("学号".into(), school_number.into());
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_a_set_and_what_is_left_of_it_doubles_no_school_number() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        people.import(&[student(0), student(1)]).await;
        // The two exchange their numbers; then one of them is changed, and that row can't be written as it was previewed.
        let preview = clerk.upload(&format!("{IMPORT}?preview=true"), workbook(&[numbered(0, "S0001"), numbered(1, "S0000")]), "").await.expect("is read");
        assert_eq!(counts(&preview), [2, 0, 2, 0, 0]);
        people.import(&in_class(0..1, "8班")).await;
        let written = clerk.post(&format!("{}/commit", at(&preview)), &json!({}), "").await.expect("is answered");
        assert_eq!(counts(&written), [2, 0, 0, 0, 2], "{written}");
        let mut codes = codes(&written, "problems");
        codes.sort();
        assert_eq!(codes, ["CHANGED_SINCE_PREVIEW", "SCHOOL_NUMBER_TAKEN"]);
        assert_eq!(students(clerk).await.into_iter().map(|row| row.0).collect::<Vec<_>>(), ["S0000", "S0001"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_to_another_since_is_not_taken_back_from_them() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        people.import(&[student(0), student(1)]).await;
        // 0 gets another 学号, 1 another class; then a new student gets the one that 0 had.
        let mut other = student(1);
        other.insert("班级名称".into(), "9班".into());
        let import = people.import(&[numbered(0, "S0009"), other]).await;
        people.import(&[numbered(2, "S0000")]).await;
        let taken = clerk.post(&format!("{}/takeBack", at(&import)), &json!({}), "").await.expect("is answered");
        assert_eq!((&taken["rowsReturned"], &taken["rowsReturnable"], &taken["kept"][0]["column"]), (&json!(1), &json!(1), &json!("学号")), "{taken}");
        let there: Vec<_> = students(clerk).await.into_iter().map(|row| (row.0, row.2)).collect();
        let say = |number: &str, class: &str| (number.to_owned(), class.to_owned());
        assert_eq!(there, [say("S0000", "1班"), say("S0001", "1班"), say("S0009", "1班")]);
        // A number that was another's for a while: the record that had it gets it back only while nobody else has it.
        let mut wrong = student(0);
        for (column, value) in
            [("学号", "S0009".to_owned()), ("身份证件号", number(50)), ("出生日期", number(50)[6..14].to_owned()), ("性别", student(50)["性别"].clone())]
        {
            wrong.insert(column.into(), value);
        }
        let import = people.import(&[wrong]).await;
        assert_eq!(counts(&import), [1, 0, 1, 0, 0], "by its 学号 and name the row means student 0: {import}");
        people.import(&[numbered(0, "S0077")]).await;
        let kept = clerk.post(&format!("{}/takeBack", at(&import)), &json!({}), "").await.expect("is answered");
        assert_eq!((&kept["rowsReturned"], codes(&kept, "kept")), (&json!(0), vec!["NOT_TAKEN_BACK".to_owned()]), "{kept}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_of_several_lines_comes_back_whole_and_a_desk_that_sent_back_since_is_heard() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        let mut rows = in_class(0..2, "1班");
        rows[0].insert("户口所在地区县以下详细地址".into(), "某街道1号\n2室\n学号=9".into());
        people.import(&rows).await;
        let import = people.import(&in_class(0..2, "2班")).await;
        // 1 is submitted and sent back after the import: that stays said.
        let made =
            clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "enrollments": [id_of(clerk, 1).await] }), "").await.expect("is submitted");
        let back = format!("/v1/schools/{SCHOOL}/submissions/{}/sendBack", made["submission"].as_str().expect("an id"));
        people.head.post(&back, &json!({ "reason": "班级不对" }), "").await.expect("is sent back");
        let taken = clerk.post(&format!("{}/takeBack", at(&import)), &json!({}), "").await.expect("is taken back");
        assert_eq!(taken["state"], "TAKEN_BACK", "{taken}");
        let again = clerk.upload(&format!("{IMPORT}?preview=true"), workbook(&rows), "").await.expect("is read");
        assert_eq!(counts(&again), [2, 0, 0, 2, 0], "{again}");
        let sent_back = clerk.get(&people.path_of(1).await).await.expect("is there");
        assert_eq!((&sent_back["state"], &sent_back["sentBackReason"], &sent_back["className"]), (&json!("SENT_BACK"), &json!("班级不对"), &json!("1班")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_tells_what_began_from_what_was_done_and_a_page_says_what_was_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = &people.clerk;
    let mut rows: Vec<_> = (0..2).map(student).collect();
    rows[1].insert("民族".into(), "汉".into());
    let begun = clerk.upload(&format!("{IMPORT}?wait=false&allOrNothing=true"), workbook(&rows), "").await.expect("begins");
    let ended = ended(clerk, &at(&begun)).await;
    assert_eq!((counts(&ended), students(clerk).await.len()), (vec![2, 0, 0, 0, 1], 0), "{ended}");
    let page = reqwest::Client::new().get(format!("http://{}/imports/{}", deployment.http, begun["importId"].as_str().expect("an id")));
    let page = page.header("cookie", format!("xuezhu_session={}", clerk.token())).send().await.expect("answers").text().await.expect("a page");
    assert!(page.contains("什么也没有写入") && !page.contains("已写入"), "{page}");
    let refused = clerk.upload(&format!("{IMPORT}?wait=false"), b"x".to_vec(), "").await.expect("begins");
    until("it ends", async || clerk.get(&at(&refused)).await.is_ok_and(|report| report["state"] == "REFUSED")).await;
    assert_eq!(reason(clerk.download(&format!("{}/markedWorkbook", at(&refused))).await), (404, "NOT_FOUND".into()), "the file was thrown away");
    let db = Db::open(&format!("sqlite:{}", folder.path().join("enrollment.db").display())).await.expect("opens");
    let mut tx = db.read().await.expect("a transaction");
    let lines =
        rows!(&mut tx, (String, String), "SELECT method, outcome FROM audit WHERE method LIKE '%Import%' AND outcome <> 'READ' ORDER BY id").expect("is asked");
    tx.rollback().await.expect("ends");
    let say = |method: &str, outcome: &str| (method.to_owned(), outcome.to_owned());
    assert_eq!(lines, [say("BeginImport", "DONE"), say("ImportEnrollments", "DONE"), say("BeginImport", "DONE"), say("ImportEnrollments", "REFUSED")]);
    db.close().await;
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_list_goes_the_same_way_and_back() {
    on_both(async |deployment, people| {
        let clerk = &people.clerk;
        let students: Vec<_> = (0..6).map(student).collect();
        people.import(&students).await;
        people.register().await;
        deployment.drain().await.expect("aid knows them");
        let name = |serial: usize| students[serial]["姓名"].as_str();
        let list = people.list(&[(name(0), &number(0), "9-10"), (name(1), &number(1), "")]).await;
        let entries = async || clerk.get(&format!("{list}/entries?pageSize=1000")).await.expect("entries")["entries"].clone();
        let flags = async || people.open_flags().await;
        let (before, flagged) = (entries().await, flags().await);
        let file = awards(&[(name(0), &number(0), "9-12"), (name(2), &number(2), ""), ("王错", &number(3), ""), (name(4), &number(4), "九")]);
        let preview = clerk.upload(&format!("{list}/import?preview=true&fileName=a.csv"), file.clone(), "").await.expect("is read");
        assert_eq!((counts(&preview), &preview["rowsAbsent"]), (vec![4, 2, 1, 0, 1], &json!(1)), "{preview}");
        let at = |report: &Value| format!("{list}/imports/{}", report["importId"].as_str().expect("an id"));
        // The marked copy holds the one at fault, beside its row, and reads back as it was.
        let marked = clerk.download(&format!("{}/markedWorkbook?faultyOnly=true", at(&preview))).await.expect("is marked");
        let again = clerk.upload(&format!("{list}/import?preview=true"), marked, "").await.expect("is read");
        assert_eq!((counts(&again), codes(&again, "problems")), (vec![1, 0, 0, 0, 1], codes(&preview, "problems")), "{again}");
        assert_eq!(reason(people.head.download(&format!("{}/markedWorkbook", at(&preview))).await), (403, "FORBIDDEN".into()));
        let begun = clerk.post(&format!("{}/commit", at(&preview)), &json!({ "wait": false }), "").await.expect("begins");
        let written = ended(clerk, &at(&begun)).await;
        assert_eq!((counts(&written), &written["fileName"]), (vec![4, 2, 1, 0, 1], &json!("a.csv")), "{written}");
        assert_ne!(flags().await, flagged, "王错 is flagged");
        let taken = clerk.post(&format!("{}/takeBack", at(&written)), &json!({}), "").await.expect("is taken back");
        assert_eq!((&taken["state"], &taken["rowsReturned"]), (&json!("TAKEN_BACK"), &json!(3)), "{taken}");
        assert_eq!(entries().await, before);
        assert_eq!(flags().await, flagged, "and its flag is closed");
        // Who was submitted stays.
        let written = clerk.upload(&format!("{list}/import"), file, "").await.expect("is written");
        people.attested(&list).await;
        let kept = clerk.post(&format!("{}/takeBack", at(&written)), &json!({}), "").await.expect("is answered");
        assert_eq!((&kept["rowsReturned"], codes(&kept, "kept").len()), (&json!(0), 3), "{kept}");
        let imports = clerk.get(&format!("{list}/imports?preview=false")).await.expect("imports");
        assert_eq!(imports["imports"].as_array().map(Vec::len), Some(3), "the first, the one taken back, and the last: {imports}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_supplementary_list_is_removed_and_the_next_is_it_again() {
    on_both(async |deployment, people| {
        let clerk = &people.clerk;
        let students: Vec<_> = (0..3).map(student).collect();
        people.import(&students).await;
        people.register().await;
        deployment.drain().await.expect("aid knows them");
        let list = people.list(&[(&students[0]["姓名"], &number(0), "")]).await;
        assert_eq!(reason(clerk.post(&format!("{list}/remove"), &json!({}), "").await), (400, "WRONG_STATE".into()), "the main list stays");
        people.attested(&list).await;
        let more = people.list(&[(&students[1]["姓名"], &number(1), "")]).await;
        assert_ne!(more, list);
        assert_eq!(reason(clerk.post(&format!("{more}/remove"), &json!({}), "").await), (400, "WRONG_STATE".into()), "somebody is on it");
        let entries = clerk.get(&format!("{more}/entries")).await.expect("entries");
        clerk.post(&format!("{more}/entries/{}/remove", entries["entries"][0]["entry"].as_str().expect("an id")), &json!({}), "").await.expect("is removed");
        for session in [&people.head, &people.officer, &people.other] {
            assert_eq!(reason(session.post(&format!("{more}/remove"), &json!({}), "").await), (403, "FORBIDDEN".into()));
        }
        clerk.post(&format!("{more}/remove"), &json!({}), "").await.expect("is removed");
        assert_eq!(reason(clerk.get(&more).await), (404, "NOT_FOUND".into()));
        let lists = clerk.get(&format!("/v1/schools/{SCHOOL}/awardLists")).await.expect("lists");
        assert_eq!(lists["lists"].as_array().map(Vec::len), Some(1), "{lists}");
        let again = people.list(&[(&students[2]["姓名"], &number(2), "")]).await;
        assert_eq!(again, more, "numbered as it was, with nobody of before on it");
        assert_eq!(clerk.get(&format!("{again}/entries")).await.expect("entries")["entries"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_are_found_again() {
    on_both(async |_, people| {
        let clerk = &people.clerk;
        let list = format!("/v1/schools/{SCHOOL}/imports");
        assert_eq!(clerk.get(&list).await.expect("none yet")["imports"], json!([]));
        for (serial, name, preview) in [(0, "1%E7%8F%AD.xlsx", false), (1, "2%E7%8F%AD_100%25.csv", true), (2, "notes.xlsx", true)] {
            let path = format!("{IMPORT}?preview={preview}&fileName={name}");
            clerk.upload(&path, workbook(&[student(serial)]), "").await.expect("is read");
        }
        let found = async |query: &str| {
            let answer = clerk.get(&format!("{list}{query}")).await.expect("imports");
            let names = answer["imports"].as_array().expect("a list").iter().map(|row| row["fileName"].as_str().unwrap_or_default().to_owned());
            (names.collect::<Vec<_>>(), answer["nextPageToken"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(found("").await.0, ["notes.xlsx", "2班_100%.csv", "1班.xlsx"]);
        assert_eq!(found("?preview=false").await.0, ["1班.xlsx"]);
        assert_eq!(found("?preview=true").await.0, ["notes.xlsx", "2班_100%.csv"]);
        assert_eq!(found("?query=%E7%8F%AD").await.0, ["2班_100%.csv", "1班.xlsx"]);
        assert_eq!(found("?query=NOTES").await.0, ["notes.xlsx"]);
        assert_eq!(found("?query=_").await.0, ["2班_100%.csv"], "no sign stands for any");
        assert_eq!(found("?query=%25").await.0, ["2班_100%.csv"]);
        assert_eq!(found("?state=LOST").await.0, Vec::<String>::new());
        let (first, token) = found("?pageSize=2").await;
        assert_eq!((first.len(), found(&format!("?pageSize=2&pageToken={token}")).await), (2, (vec!["1班.xlsx".to_owned()], String::new())));
        assert_eq!(reason(people.other.get(&list).await), (403, "FORBIDDEN".into()));
        assert_eq!(people.other.get(&list.replace(SCHOOL, OTHER)).await.expect("their own")["imports"], json!([]));
    })
    .await;
}

/// A number of the report's page, by the words below it.
fn on_page(page: &str, words: &str) -> i64 {
    let before = page.split(words).next().filter(|before| before.len() < page.len()).unwrap_or_else(|| panic!("the page says {words}"));
    let (_, number) = before.rsplit_once("<b>").expect("a number stands above");
    number.split('<').next().and_then(|number| number.replace(',', "").parse().ok()).expect("it is one")
}

#[tokio::test(flavor = "multi_thread")]
async fn page_workbook_interface_and_tables_say_one_figure() {
    const FILES: [&str; 12] = [
        "hidden.xlsx",
        "filter.xlsx",
        "serial-25000.xlsx",
        "defaults.xlsx",
        "rounded.xlsx",
        "error-value.xlsx",
        "numbers.xlsx",
        "names.xlsx",
        "quote-inner.csv",
        "gbk-aaa1.csv",
        "class.xlsx",
        "sheet-case.xlsx",
    ];
    const SCHOOL: &str = "3661010001";
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases");
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let url = databases.as_ref().map_or_else(|| format!("sqlite:{}", folder.path().join("enrollment.db").display()), |(enrollment, _)| enrollment.clone());
        let deployment = deployment_on(databases, folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        let majors = json!([{ "catalogue": "2010", "code": "120100" }, { "catalogue": "2010", "code": "010200" }]);
        let body = json!({ "code": SCHOOL, "name": "西安职业学校", "region": "610113", "kind": "PUBLIC", "authority": "610100", "majors": majors });
        people.admin.post("/v1/schools", &body, "").await.expect("a school is entered");
        let clerk = people.open_account("clerk61", "SCHOOL_CLERK", SCHOOL, schools::PASSWORD).await;
        let db = Db::open(&url).await.expect("opens");
        let (mut entered, mut faulty) = (0, 0);
        for file in FILES {
            let bytes = std::fs::read(cases.join(file)).expect("is there");
            let report = clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import?fileName={file}"), bytes, "").await.expect(file);
            let id = report["importId"].as_str().expect("an id");
            let [total, new, changed, unchanged, wrong] = counts(&report)[..] else { panic!("{report}") };
            assert_eq!(total, new + changed + unchanged + wrong, "{file}: each row is in one count: {report}");
            let page =
                reqwest::Client::new().get(format!("http://{}/imports/{id}", deployment.http)).header("cookie", format!("xuezhu_session={}", clerk.token()));
            let page = page.send().await.expect("answers").text().await.expect("a page");
            let shown = ["<span>总行数", "<span>新增", "<span>更新", "<span>没有变化", "<span>有问题"].map(|words| on_page(&page, words));
            assert_eq!(shown.to_vec(), counts(&report), "{file}");
            assert!(page.contains(file), "{file}: the file is named");
            let copy = clerk.download(&format!("/v1/schools/{SCHOOL}/imports/{id}/markedWorkbook?faultyOnly=true")).await.expect(file);
            let again = clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import?preview=true&includeHidden=true"), copy, "").await.expect(file);
            assert_eq!(again["rowsTotal"], wrong, "{file}: the marked copy holds the faulty rows: {again}");
            let mut tx = db.read().await.expect("a transaction");
            let there = one!(&mut tx, (i64,), "SELECT count(*) FROM enrollments WHERE school = $1", SCHOOL).expect("is asked").map_or(0, |(count,)| count);
            let written = one!(&mut tx, (i64,), "SELECT count(*) FROM import_effects WHERE import = $1", id.parse::<uuid::Uuid>().expect("an id"));
            tx.rollback().await.expect("ends");
            entered += new;
            faulty += wrong;
            assert_eq!((there, written.expect("is asked").map_or(0, |(count,)| count)), (entered, new + changed), "{file} on {engine:?}");
        }
        assert!(entered > 20 && faulty > 5, "{entered} {faulty}");
        db.close().await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_another_process_runs_is_left_alone_until_nobody_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let databases = (postgres::database().await, postgres::database().await);
    let deployment = deployment_on(Some(databases.clone()), folder.path(), "none", Settings::default()).await;
    let people = schools::open(&deployment).await;
    let done = people.import(&[student(0)]).await;
    let id: uuid::Uuid = done["importId"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let db = Db::open(&databases.0).await.expect("opens");
    let now_us = system_clock().now_us();
    // As if another process had begun it, and says that it runs: for a minute, then for a minute that is over.
    for (alive_until_us, state) in [(now_us + 60_000_000, "RUNNING"), (now_us - 1, "LOST")] {
        db.write(&(id, alive_until_us), |tx, (id, until)| {
            Box::pin(async move {
                run!(tx, "UPDATE imports SET state = 10, alive_until_us = $2 WHERE import = $1", *id, *until)?;
                Ok::<_, xuezhu_store::StoreError>(())
            })
        })
        .await
        .expect("is written");
        assert_eq!(people.clerk.get(&at(&done)).await.expect("is there")["state"], state);
    }
    db.close().await;
    deployment.stop().await;
}
