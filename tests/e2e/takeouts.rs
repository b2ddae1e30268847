//! What is taken out as a workbook: what the list says and nothing else, for a purpose, on record; brought back, it changes nothing.

use std::io::{Cursor, Read};

use serde_json::{Value, json};
use xuezhu::client::{Refused, Session};
use xuezhu_store::rows;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, OTHER, People, SCHOOL, number, reason, student},
};
use xuezhu_workbook::{Columns, read};

/// A table that was taken out, as it is read.
pub struct Taken {
    bytes: Vec<u8>,
    /// Its headers.
    pub headers: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl Taken {
    /// Reads a workbook whose header row has these.
    pub fn of(bytes: Vec<u8>, marks: &[&str]) -> Self {
        let table = read(&bytes, Columns { known: marks, marks, required: &[], taken_out: true }).expect("is read").remove(0);
        let rows = table.rows.into_iter().map(|row| row.cells.into_iter().map(|cell| cell.text).collect()).collect();
        Self { bytes, headers: table.headers, rows }
    }

    /// A column, in the order of the rows.
    fn column(&self, header: &str) -> Vec<&str> {
        let at = self.headers.iter().position(|known| known == header).unwrap_or_else(|| panic!("{header} in {:?}", self.headers));
        self.rows.iter().map(|row| row[at].as_str()).collect()
    }

    /// All that the file says anywhere, hidden or not.
    fn everything(&self) -> String {
        everything(&self.bytes)
    }
}

/// All that a workbook says anywhere, hidden or not.
pub fn everything(workbook: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).expect("an archive");
    let mut all = String::new();
    for at in 0..archive.len() {
        let mut part = String::new();
        archive.by_index(at).expect("a part").read_to_string(&mut part).expect("text");
        all.push_str(&part);
    }
    all
}

const STUDENTS: [&str; 2] = ["姓名", "身份证件号"];
const PURPOSE: &str = "开学统计，给教务处核对";

fn path(rest: &str) -> String {
    format!("/v1/schools/{SCHOOL}/{rest}")
}

async fn take(who: &Session, rest: &str, mut body: Value) -> anyhow::Result<Vec<u8>> {
    body["purpose"] = json!(PURPOSE);
    Ok(who.take_out(&path(rest), &body, "").await?.0)
}

/// What must be in no file that is taken out: numbers, telephones, addresses, families, cards, birth dates.
fn assert_nothing_of(everything: &str, serials: &[u32]) {
    for serial in serials {
        let (number, row) = (number(*serial), student(*serial));
        let day = format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]);
        for secret in [&number, &number[6..14], &day, &row["联系电话"], &row["成员1姓名"], &row["成员1联系电话"], &row["户口所在地区县以下详细地址"], CARD]
        {
            assert!(!everything.contains(secret), "{secret}");
        }
    }
}

/// A card, valid by its check digit.
const CARD: &str = "6222021234567890128";

/// Three students in two classes and a draft in a third; a list with one whom nobody knows.
async fn fixture(people: &People, drain: impl AsyncFn()) -> String {
    let mut rows: Vec<_> = (1..=3).map(student).collect();
    rows[2].insert("班级名称".into(), "2班".into());
    people.import(&rows).await;
    people.register().await;
    let mut draft = student(4);
    draft.insert("班级名称".into(), "3班".into());
    people.import(&[draft]).await;
    drain().await;
    people.list(&[(&student(1)["姓名"], &number(1), "9-10"), ("李无籍", &number(9), "")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_takes_out_its_students_as_its_list_says_them_and_nothing_else() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        fixture(&people, async || deployment.drain().await.expect("drains")).await;
        for (who, name) in [(&people.clerk, "clerk（clerk）"), (&people.head, "head（head）")] {
            let taken = Taken::of(take(who, "enrollments/takeOut", json!({})).await.expect("a workbook"), &STUDENTS);
            let list = people.clerk.get(&path("enrollments?pageSize=1000")).await.expect("a list");
            let list = list["enrollments"].as_array().expect("rows");
            for (header, field) in
                [("姓名", "name"), ("身份证件号", "idNumber"), ("学号", "schoolNumber"), ("班级名称", "className"), ("专业简称", "majorName"), ("性别", "sex")]
            {
                let told: Vec<&str> = list.iter().map(|row| row[field].as_str().expect("a text")).collect();
                assert_eq!(taken.column(header), told, "{engine:?} {header}");
            }
            assert_eq!(taken.column("学籍状态"), ["在读", "在读", "在读", "草稿"], "{engine:?}");
            assert_eq!((taken.column("学生类别")[0], taken.column("入学年月")[0]), ("普通中专学生", "202609"), "{engine:?}");
            let all = taken.everything();
            assert_nothing_of(&all, &[1, 2, 3, 4]);
            assert!(taken.column("身份证件号").iter().all(|shown| shown.starts_with("**************") && shown.len() == 18), "{engine:?}");
            // On the sheet, in what is printed above and below it: whose copy it is.
            for said in [PURPOSE, name, &format!("学校{SCHOOL}（{SCHOOL}）"), "&amp;L", "<oddHeader>", "<oddFooter>"] {
                assert!(all.contains(said), "{engine:?} {said}");
            }
        }
        for (narrowed, names) in [
            (json!({ "className": "2班" }), vec![student(3)["姓名"].clone()]),
            (json!({ "state": "DRAFT" }), vec![student(4)["姓名"].clone()]),
            (json!({ "name": student(2)["姓名"][3..] }), vec![student(2)["姓名"].clone()]),
            (json!({ "className": "9班" }), vec![]),
        ] {
            let taken = Taken::of(take(&people.clerk, "enrollments/takeOut", narrowed.clone()).await.expect("a workbook"), &STUDENTS);
            assert_eq!(taken.column("姓名"), names, "{engine:?} {narrowed}");
        }
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_flags_and_dossiers_are_taken_out_as_they_are_told() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let list = fixture(&people, async || deployment.drain().await.expect("drains")).await;
        let with_card = format!("姓名,身份证件类型,身份证件号,月份,银行卡号\n{},居民身份证,{},9,{CARD}\n", student(2)["姓名"], number(2));
        let report = people.clerk.upload(&format!("{list}/import"), with_card.into_bytes(), "").await.expect("is answered");
        assert_eq!(report["rowsNew"], 1, "{report}");

        let of_list = list.trim_start_matches(&path("")).to_owned();
        let taken = Taken::of(take(&people.clerk, &format!("{of_list}/takeOut"), json!({})).await.expect("a workbook"), &STUDENTS);
        let told = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
        let told = told["entries"].as_array().expect("rows");
        assert_eq!(told.len(), 3);
        let text = |field: &str| told.iter().map(|row| row[field].as_str().expect("a text").to_owned()).collect::<Vec<_>>();
        assert_eq!(
            (taken.column("姓名"), taken.column("身份证件号")),
            (text("name").iter().map(String::as_str).collect(), text("idNumber").iter().map(String::as_str).collect())
        );
        let years: Vec<String> = told.iter().map(|row| row["birthYear"].to_string()).collect();
        assert_eq!(taken.column("出生年份"), years, "{engine:?}");
        assert!(taken.column("月份").contains(&"9,10") && taken.column("项目")[0] == "国家助学金" && taken.column("学期")[0] == "2026年秋季学期", "{engine:?}");
        assert_nothing_of(&taken.everything(), &[1, 2, 9]);
        assert!(!taken.everything().contains(&CARD[15..]), "{engine:?}: not the end of a card either");
        let held = Taken::of(take(&people.clerk, &format!("{of_list}/takeOut"), json!({ "heldOnly": true })).await.expect("a workbook"), &STUDENTS);
        assert_eq!(held.column("姓名"), ["李无籍"], "{engine:?}");
        assert_eq!(held.column("疑点"), ["无学籍"], "{engine:?}");

        let taken = Taken::of(take(&people.head, "flags/takeOut", json!({})).await.expect("a workbook"), &["学生", "疑点"]);
        assert_eq!(taken.column("学生"), ["李无籍"], "{engine:?}");
        assert_nothing_of(&taken.everything(), &[1, 2, 9]);
        let none = Taken::of(take(&people.head, "flags/takeOut", json!({ "state": "CLEARED" })).await.expect("a workbook"), &["学生", "疑点"]);
        assert!(none.rows.is_empty(), "{engine:?}");

        let dossiers = ["业务单", "类别"];
        let taken = Taken::of(take(&people.clerk, "enrollmentDossiers/takeOut", json!({})).await.expect("a workbook"), &dossiers);
        assert_eq!((taken.column("状态"), taken.column("通过")), (vec!["已办结"], vec!["3"]), "{engine:?}");
        people.attested(&list).await;
        let taken = Taken::of(take(&people.clerk, "aidDossiers/takeOut", json!({ "state": "UNDER_WAY" })).await.expect("a workbook"), &dossiers);
        assert_eq!((taken.column("类别"), taken.column("待办")), (vec!["资助名单"], vec!["3"]), "{engine:?}");
        let none =
            Taken::of(take(&people.clerk, "aidDossiers/takeOut", json!({ "kind": "AWARD_LIST", "name": "没有此人" })).await.expect("a workbook"), &dossiers);
        assert!(none.rows.is_empty(), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_leave_with_their_own_school_alone_and_a_department_gets_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let list = fixture(&people, async || deployment.drain().await.expect("drains")).await;
    let of_list = format!("{}/takeOut", list.trim_start_matches(&path("")));
    let all = ["enrollments/takeOut", "enrollmentDossiers/takeOut", &of_list, "flags/takeOut", "aidDossiers/takeOut"];
    for rest in all {
        for stranger in [&people.other, &people.machine, &people.admin] {
            assert_eq!(reason(take(stranger, rest, json!({})).await), (403, "FORBIDDEN".into()), "{rest}");
        }
        let counts = take(&people.officer, rest, json!({})).await.expect("counts");
        let said = everything(&counts);
        for serial in [1, 2, 3, 4] {
            assert!(!said.contains(&student(serial)["姓名"]) && !said.contains(&number(serial)[14..]), "{rest}");
        }
        assert!(!said.contains("李无籍") && !said.contains("****"), "{rest}");
    }
    let counts = Taken::of(take(&people.officer, "enrollments/takeOut", json!({})).await.expect("counts"), &["班级名称", "人数"]);
    let rows: Vec<[&str; 3]> = counts.rows.iter().map(|row| [row[0].as_str(), row[2].as_str(), row[3].as_str()]).collect();
    assert_eq!(rows, [["1班", "在读", "2"], ["2班", "在读", "1"], ["3班", "草稿", "1"]]);
    // A department of another region, a school that is none.
    let stranger = people.open_account("stranger", "DEPARTMENT_OFFICER", "440100", schools::PASSWORD).await;
    assert_eq!(reason(take(&stranger, "enrollments/takeOut", json!({})).await), (403, "FORBIDDEN".into()));
    let nowhere = people.clerk.take_out("/v1/schools/3643009999/enrollments/takeOut", &json!({ "purpose": PURPOSE }), "").await;
    assert_eq!(reason(nowhere), (403, "FORBIDDEN".into()));
    let of_other = format!("/v1/schools/{OTHER}/awardLists/{}", of_list.trim_start_matches("awardLists/"));
    assert_eq!(reason(people.other.take_out(&of_other, &json!({ "purpose": PURPOSE }), "").await), (404, "NOT_FOUND".into()), "another school's list");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_is_for_is_said_in_words_and_every_copy_is_on_record() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let list = fixture(&people, async || deployment.drain().await.expect("drains")).await;
        let takes = path("enrollments/takeOut");
        for (purpose, why) in [("", "none"), ("核", "too short"), (&"核".repeat(201), "too long"), ("给13912345678", "a number"), (&number(1), "a number")] {
            let refused = people.clerk.take_out(&takes, &json!({ "purpose": purpose }), "").await.expect_err(why);
            let refused = refused.downcast_ref::<Refused>().expect("is refused");
            assert_eq!((refused.status, refused.reason.as_str()), (400, "INVALID_ARGUMENT"), "{engine:?} {why}");
            assert!(refused.message.starts_with("purpose") && !refused.message.contains(&number(1)), "{engine:?} {why}: {}", refused.message);
        }
        for bad in
            [json!({ "purpose": PURPOSE, "state": "SLEEPING" }), json!({ "purpose": PURPOSE, "surprise": 1 }), json!({ "purpose": PURPOSE, "name": number(1) })]
        {
            assert_eq!(reason(people.clerk.take_out(&takes, &bad, "").await).0, 400, "{engine:?} {bad}");
        }
        assert_eq!(reason(people.clerk.get(&path("takeOuts?surprise=1")).await).0, 400);
        let none = people.clerk.get(&path("takeOuts")).await.expect("receipts");
        assert_eq!(none["takeOuts"], json!([]), "{engine:?}: what was refused leaves no receipt");

        let asked = json!({ "purpose": PURPOSE, "className": "1班" });
        let (first, replayed) = people.clerk.take_out(&takes, &asked, "key-1").await.expect("a workbook");
        assert!(!replayed);
        let (again, replayed) = people.clerk.take_out(&takes, &asked, "key-1").await.expect("the same again");
        assert!(replayed && again == first, "{engine:?}");
        let other = json!({ "purpose": PURPOSE, "className": "2班" });
        assert_eq!(reason(people.clerk.take_out(&takes, &other, "key-1").await), (409, "REQUEST_ID_REUSED".into()), "{engine:?}");
        people.officer.take_out(&takes, &json!({ "purpose": "人数" }), "").await.expect("counts");
        people.head.take_out(&format!("{list}/takeOut"), &json!({ "purpose": "公示" }), "").await.expect("a workbook");

        let receipts = people.head.get(&path("takeOuts")).await.expect("receipts");
        let lines: Vec<Value> = receipts["takeOuts"].as_array().expect("a list").clone();
        let of = |row: &Value| ["account", "purpose", "narrowed", "kind"].map(|field| row[field].as_str().expect("a text").to_owned());
        assert_eq!(of(&lines[0]), ["officer", "人数", "", "STUDENTS"], "{engine:?}: newest first");
        assert_eq!(of(&lines[1]), ["clerk", PURPOSE, "班级 1班", "STUDENTS"], "{engine:?}");
        assert_eq!((lines.len(), &lines[0]["counts"], &lines[1]["counts"], &lines[1]["rows"]), (2, &json!(true), &json!(false), &json!(2)), "{engine:?}");
        assert_eq!(lines[1]["contentHash"], blake3::hash(&first).to_hex().as_str(), "{engine:?}: which file it was can be told");
        let id = lines[1]["takeOut"].as_str().expect("an id").to_owned();
        assert!(everything(&first).contains(&id), "{engine:?}");
        let page = people.clerk.get(&path("takeOuts?pageSize=1")).await.expect("a page");
        let next = page["nextPageToken"].as_str().expect("a token");
        let second = people.clerk.get(&path(&format!("takeOuts?pageSize=1&pageToken={next}"))).await.expect("a page");
        assert_eq!((&second["takeOuts"][0]["takeOut"], &second["nextPageToken"]), (&json!(id), &json!("")), "{engine:?}");
        let of_aid = people.officer.get(&path("aidTakeOuts")).await.expect("receipts");
        assert_eq!(of(&of_aid["takeOuts"][0]), ["head", "公示", "", "AWARD_LIST"], "{engine:?}");
        assert!(list.ends_with(of_aid["takeOuts"][0]["subject"].as_str().expect("an id")), "{engine:?}");
        for receipts in ["takeOuts", "aidTakeOuts"] {
            for stranger in [&people.other, &people.machine, &people.admin] {
                assert_eq!(reason(stranger.get(&path(receipts)).await), (403, "FORBIDDEN".into()), "{engine:?}");
            }
        }
        // Its rows are others by now: what was given can't be given again.
        people.withdraw(&number(1), "2026-10-20").await;
        assert_eq!(reason(people.clerk.take_out(&takes, &asked, "key-1").await), (400, "WRONG_STATE".into()), "{engine:?}");
        let [enrollment, _] = deployment.databases();
        let mut tx = enrollment.read().await.expect("reads");
        let audit =
            rows!(&mut tx, (String, String), "SELECT actor, outcome FROM audit WHERE method = 'TakeOutEnrollments' AND resource = $1", &id).expect("rows");
        tx.rollback().await.expect("ends");
        assert_eq!(audit, [("clerk".to_owned(), "DONE".to_owned())], "{engine:?}: the line names the receipt");
        deployment.stop().await;
    }
}

impl Taken {
    /// The file as somebody saves it who wrote into it: by the rows' names, these columns.
    fn edited(&self, edits: &[(&str, &str, &str)], left_out: &[&str]) -> Vec<u8> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write(0, 0, format!("{}：某校", xuezhu_workbook::STAMP)).expect("writes");
        for (column, header) in (0..).zip(self.headers.iter().filter(|header| !left_out.contains(&header.as_str()))) {
            sheet.write(2, column, header).expect("writes");
            for (line, (name, cell)) in (3..).zip(self.column("姓名").into_iter().zip(self.column(header))) {
                let edit = edits.iter().find(|(of, to, _)| *of == name && to == header).map_or(cell, |(.., edit)| edit);
                sheet.write(line, column, edit).expect("writes");
            }
        }
        book.save_to_buffer().expect("a workbook")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_out_changes_nothing_when_it_comes_back() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let list = fixture(&people, async || deployment.drain().await.expect("drains")).await;
        // One has left, one left and came again.
        people.withdraw(&number(1), "2026-10-20").await;
        people.withdraw(&number(2), "2026-10-20").await;
        let mut again = student(2);
        again.insert("入学年月".into(), "202611".into());
        assert_eq!(people.import(&[again]).await["rowsNew"], 1, "{engine:?}");
        let all = async || {
            let students = people.clerk.get(&path("enrollments?pageSize=1000")).await.expect("students");
            (students, people.clerk.get(&format!("{list}/entries")).await.expect("entries"))
        };
        let before = all().await;
        let students = take(&people.clerk, "enrollments/takeOut", json!({})).await.expect("a workbook");
        let awards = take(&people.clerk, &format!("{}/takeOut", list.trim_start_matches(&path(""))), json!({})).await.expect("a workbook");
        let flags = take(&people.clerk, "flags/takeOut", json!({})).await.expect("a workbook");
        for (to, file) in [(path("enrollments/import"), &flags), (format!("{list}/import"), &awards), (format!("{list}/import"), &students)] {
            let sent = people.clerk.upload(&to, file.clone(), "").await;
            assert_eq!(reason(sent), (400, "TAKEN_OUT".into()), "{engine:?} {to}");
        }
        // A list says nobody's 学号: its rows fit no student.
        let report = people.clerk.upload(&path("enrollments/import"), awards, "").await.expect("is answered");
        assert_eq!((&report["rowsFaulty"], &report["rowsNew"], &report["rowsChanged"]), (&json!(2), &json!(0), &json!(0)), "{engine:?} {report}");
        assert_eq!(report["problems"][0]["code"], "TAKEN_OUT_UNKNOWN", "{engine:?}");
        for query in ["", "?preview=true", "?blankClears=true"] {
            let report = people.clerk.upload(&path(&format!("enrollments/import{query}")), students.clone(), "").await.expect("is answered");
            let counts = ["rowsUnchanged", "rowsFaulty", "rowsNew", "rowsChanged"].map(|count| report[count].as_i64().expect("a count"));
            assert_eq!(counts, [5, 0, 0, 0], "{engine:?} {query} {report}");
        }
        assert_eq!(all().await, before, "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_that_was_written_into_what_was_taken_out_changes_a_draft_and_nothing_else() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        fixture(&people, async || deployment.drain().await.expect("drains")).await;
        let imports = path("enrollments/import");
        let taken = Taken::of(take(&people.clerk, "enrollments/takeOut", json!({})).await.expect("a workbook"), &STUDENTS);
        let names: Vec<String> = (0..=4).map(|serial| student(serial)["姓名"].clone()).collect();
        let send = async |edits: &[(&str, &str, &str)], left_out: &[&str]| {
            let report = people.clerk.upload(&imports, taken.edited(edits, left_out), "").await.expect("is answered");
            let counts = ["rowsUnchanged", "rowsChanged", "rowsNew"].map(|count| report[count].as_i64().expect("a count"));
            let codes =
                report["problems"].as_array().expect("a list").iter().map(|problem| problem["code"].as_str().expect("a code").to_owned()).collect::<Vec<_>>();
            (counts, codes)
        };
        let none: Vec<String> = Vec::new();
        // Columns that somebody deleted are absent.
        assert_eq!(send(&[], &["班级名称", "学制", "学籍状态"]).await, ([4, 0, 0], none.clone()), "{engine:?}");
        for (edit, code) in [
            ((names[1].as_str(), "班级名称", "9班"), "ALREADY_SUBMITTED"),
            ((&names[4], "身份证件号", "**************0000"), "TAKEN_OUT_UNKNOWN"),
            ((&names[4], "姓名", "王改名"), "TAKEN_OUT_UNKNOWN"),
            ((&names[4], "学号", "S0001"), "TAKEN_OUT_UNKNOWN"),
            ((&names[4], "学生类别", "没有的类别"), "NOT_IN_LIST"),
            ((&names[4], "班级名称", "13912345678班"), "HOLDS_NUMBER"),
        ] {
            assert_eq!(send(&[edit], &[]).await, ([3, 0, 0], vec![code.to_owned()]), "{engine:?} {edit:?}");
        }
        let before = people.clerk.get(&path("enrollments")).await.expect("students");
        assert_eq!(send(&[(&names[4], "班级名称", "4班"), (&names[4], "就读方式", "走读")], &[]).await, ([3, 1, 0], none.clone()), "{engine:?}");
        let after = people.clerk.get(&path("enrollments")).await.expect("students");
        assert_eq!(after["enrollments"].as_array().map(|rows| &rows[..3]), before["enrollments"].as_array().map(|rows| &rows[..3]), "{engine:?}");
        assert_eq!(after["enrollments"][3]["className"], "4班", "{engine:?}");
        // Nothing that the file does not hold was lost: the whole workbook with that class says nothing new.
        let mut whole = student(4);
        whole.insert("班级名称".into(), "4班".into());
        whole.insert("就读方式".into(), "走读".into());
        assert_eq!(people.import(&[whole]).await["rowsUnchanged"], 1, "{engine:?}");
        // What was taken out before the change says the old class: as the clerk sends it, so it is.
        assert_eq!(send(&[], &[]).await, ([3, 1, 0], none.clone()), "{engine:?}");
        deployment.stop().await;
    }
}
