//! Files as people really make them: nothing lost, nothing doubled, nothing invented.

use serde_json::{Value, json};
use xuezhu::client::{Refused, Session};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, student, workbook},
};

const SCHOOL: &str = "3661010001";

fn case(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases").join(name)).expect("is there")
}

/// A school for which the cases were made, and its clerk.
async fn clerk(people: &schools::People) -> Session {
    let majors = json!([{ "catalogue": "2010", "code": "120100" }, { "catalogue": "2010", "code": "010200" }]);
    let body = json!({ "code": SCHOOL, "name": "西安职业学校", "region": "610113", "kind": "PUBLIC", "authority": "610100", "majors": majors });
    people.admin.post("/v1/schools", &body, "").await.expect("a school is entered");
    people.open_account("clerk61", "SCHOOL_CLERK", SCHOOL, PASSWORD).await
}

fn import(options: &str) -> String {
    format!("/v1/schools/{SCHOOL}/enrollments/import{options}")
}

async fn names(clerk: &Session) -> Vec<String> {
    let answer = clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=1000")).await.expect("a list");
    let mut names: Vec<String> = answer["enrollments"].as_array().expect("a list").iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

/// Places and codes of what a report tells.
fn told(report: &Value, of: &str) -> Vec<(String, i64, String, String)> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = report[of].as_array().expect("a list").iter();
    rows.map(|row| (text(row, "sheet"), row["row"].as_i64().unwrap_or(0), text(row, "column"), text(row, "code"))).collect()
}

fn at(sheet: &str, row: i64, column: &str, code: &str) -> (String, i64, String, String) {
    (sheet.to_owned(), row, column.to_owned(), code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_swallows_rows_is_told_by_its_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    deployment.drain().await.expect("aid knows the school");
    let made = clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let list = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
    let text = |lines: &[&str]| format!("姓名,身份证件类型,身份证件号,月份,档次,银行卡号,备注,说明\n{}\n", lines.join("\n")).into_bytes();
    let rows: Vec<String> = (1..=3).map(|serial| format!("王甲,居民身份证,{}", schools::number(serial))).collect();
    // Short rows within a quote, in a column that nobody reads; a character that no file holds.
    for (lines, why) in [
        (vec![format!("{},,,,,\"补", rows[0]), rows[1].clone(), rows[2].clone(), "完\"".to_owned()], "第2行"),
        (vec![rows[0].clone(), "\u{10FFFF}".to_owned(), rows[1].clone()], "字符"),
    ] {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let error = clerk.upload(&format!("{list}/import"), text(&lines), "").await.expect_err("is refused");
        assert!(error.to_string().contains(why), "{error}");
    }
    // Two rows that became one: what stands beyond the last header is told.
    let report = clerk.upload(&format!("{list}/import"), text(&[&format!("{},,,,,{}", rows[0], rows[1])]), "").await.expect("is read");
    assert_eq!(told(&report, "problems")[0].3, "BEYOND_HEADER", "{report}");
    for (file, path, line) in [
        ("award-unclosed-quote.csv", format!("{list}/import"), 5),
        ("award-two-quotes.csv", format!("{list}/import"), 3),
        ("enrollment-unclosed.csv", import(""), 3),
        ("quote-unclosed.csv", import(""), 3),
    ] {
        let error = clerk.upload(&path, case(file), "").await.expect_err(file);
        let refused = error.downcast_ref::<Refused>().expect("is refused");
        assert_eq!((refused.status, refused.reason.as_str()), (400, "FILE_UNREADABLE"), "{file}: {refused}");
        assert!(refused.message.contains(&format!("第{line}行")), "{file}: {refused}");
    }
    assert_eq!(names(&clerk).await, Vec::<String>::new());
    assert_eq!(clerk.get(&format!("{list}/entries")).await.expect("entries")["entries"], json!([]));
    // A quote in plain text is text: every line is accounted for.
    for file in ["quote-inner.csv", "quote-opening.csv"] {
        let report = clerk.upload(&import("?preview=true"), case(file), "").await.expect(file);
        let lines = i64::try_from(case(file).split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count()).expect("few") - 1;
        assert_eq!(report["rowsTotal"], lines, "{file}: {report}");
        assert_eq!(report["rowsNew"].as_i64().unwrap_or(0) + report["rowsFaulty"].as_i64().unwrap_or(0), lines, "{file}: {report}");
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_stays_out_and_is_told_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    deployment.drain().await.expect("aid knows the school");
    for (file, sheet, visible, hidden) in [("hidden.xlsx", "上年", 3, 3), ("veryHidden.xlsx", "上年", 3, 3), ("hidden.xls", "旧", 2, 1)] {
        let report = clerk.upload(&import("?preview=true"), case(file), "").await.expect(file);
        assert_eq!((&report["rowsNew"], &report["rowsHidden"], &report["rowsFaulty"]), (&json!(visible), &json!(hidden), &json!(0)), "{file}: {report}");
        let warnings: Vec<_> = told(&report, "warnings").into_iter().filter(|told| told.3 != "XLS_UNSEEN").collect();
        assert_eq!(warnings, [at(sheet, 0, "", "HIDDEN_SHEET")], "{file}");
        // What the reader of an old workbook can't see is said of it.
        assert_eq!(told(&report, "warnings").len() - warnings.len(), usize::from(file == "hidden.xls"), "{file}");
        let all = clerk.upload(&import("?preview=true&includeHidden=true"), case(file), "").await.expect(file);
        assert_eq!((&all["rowsTotal"], &all["rowsHidden"]), (&json!(visible + hidden), &json!(0)), "{file}: {all}");
    }
    // What was previewed with what is hidden is written with it.
    let preview = clerk.upload(&import("?preview=true&includeHidden=true"), case("filter.xlsx"), "").await.expect("is read");
    let visible = clerk.upload(&import("?preview=true"), case("filter.xlsx"), "").await.expect("is read");
    assert!(visible["rowsHidden"].as_i64().is_some_and(|hidden| hidden > 0) && told(&visible, "warnings").iter().all(|told| told.1 > 0), "{visible}");
    let commit = format!("/v1/schools/{SCHOOL}/imports/{}/commit", preview["importId"].as_str().expect("an id"));
    let written = clerk.post(&commit, &json!({}), "").await.expect("is written");
    assert_eq!(written["rowsNew"], preview["rowsNew"]);
    assert_eq!(written["rowsNew"].as_i64().unwrap_or(0), visible["rowsNew"].as_i64().unwrap_or(0) + visible["rowsHidden"].as_i64().unwrap_or(0));

    let made = clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let list = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
    let report = clerk.upload(&format!("{list}/import"), case("award-hidden.xlsx"), "").await.expect("is read");
    assert_eq!((&report["rowsNew"], &report["rowsHidden"]), (&json!(2), &json!(4)), "{report}");
    assert_eq!(told(&report, "warnings"), [at("上学期", 0, "", "HIDDEN_SHEET"), at("本学期", 3, "", "HIDDEN_ROW")]);
    let entries = clerk.get(&format!("{list}/entries")).await.expect("entries");
    let mut listed: Vec<&str> = entries["entries"].as_array().expect("a list").iter().filter_map(|entry| entry["name"].as_str()).collect();
    listed.sort_unstable();
    assert_eq!(listed, ["吴杰超", "周伟敏"]);
    deployment.stop().await;
}

/// Separators, encodings, headers, furniture and merged cells as other programs and people write them: the same rows come of all.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_however_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    let mut wrong = Vec::new();
    for (file, rows, furniture) in [
        ("semicolon.csv", 6, 0),
        ("tab.csv", 6, 0),
        ("utf16-tab.csv", 6, 0),
        ("utf16be-tab.csv", 6, 0),
        ("utf16-comma.csv", 6, 0),
        ("sepline.csv", 6, 0),
        ("fullwidth-space.xlsx", 2, 0),
        ("halfslash.xlsx", 2, 0),
        ("newline.xlsx", 2, 0),
        ("required.xlsx", 2, 0),
        ("space.xlsx", 2, 0),
        ("star.xlsx", 2, 0),
        ("trailing.xlsx", 2, 0),
        ("zwsp.xlsx", 2, 0),
        ("defaults.xlsx", 2, 38),
        ("formula.xlsx", 2, 38),
        ("serial.xlsx", 2, 38),
        ("formula-25000.xlsx", 2, 24_998),
        ("serial-25000.xlsx", 2, 24_998),
        ("class.xlsx", 4, 0),
    ] {
        let report = clerk.upload(&import("?preview=true"), case(file), "").await.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        let counts = [&report["rowsTotal"], &report["rowsNew"], &report["rowsFaulty"], &report["rowsFurniture"]];
        if counts != [&json!(rows), &json!(rows), &json!(0), &json!(furniture)] {
            wrong.push(format!("{file}: {counts:?} {} {}", report["error"], report["problems"].as_array().map_or(0, Vec::len)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A class that is merged over rows is that of each.
    clerk.upload(&import(""), case("class.xlsx"), "").await.expect("is written");
    let listed = clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?className=26%E7%BA%A72%E7%8F%AD")).await.expect("a list");
    assert_eq!(listed["enrollments"].as_array().map(Vec::len), Some(4), "{listed}");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_something_else_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    for (file, what) in [
        ("web.xls", "网页"),
        ("xml2003.xls", "XML表格（Excel 2003）"),
        ("a.ods", "OpenDocument表格（.ods）"),
        ("a.xlsb", "Excel二进制工作簿（.xlsb）"),
        ("zip.zip", "压缩包（zip）"),
    ] {
        let error = clerk.upload(&import(""), case(file), "").await.expect_err("is refused");
        let refused = error.downcast_ref::<Refused>().expect("a refusal");
        assert_eq!((refused.status, refused.reason.as_str()), (400, "FILE_UNREADABLE"), "{file}");
        assert!(refused.message.contains(what) && refused.message.contains("另存为"), "{file}: {}", refused.message);
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_that_another_program_touched_are_put_right_or_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    // What a spreadsheet rounded is told by its column: what stood there nobody knows.
    let report = clerk.upload(&import("?preview=true"), case("scientific.csv"), "").await.expect("is read");
    let columns = ["联系电话", "学号", "考生号", "成员1联系电话"];
    assert_eq!(told(&report, "problems"), (2..).zip(columns).map(|(row, column)| at("", row, column, "ROUNDED")).collect::<Vec<_>>(), "{report}");
    assert_eq!((&report["rowsNew"], &report["rowsFaulty"]), (&json!(0), &json!(4)));
    // What was put before digits to keep them, and a fraction that no number has, go.
    for (file, rows) in [("eqquote.csv", 6), ("eqquote2.csv", 6), ("leadtab.csv", 6), ("apostrophe.csv", 6), ("pandas.csv", 4)] {
        let report = clerk.upload(&import("?preview=true"), case(file), "").await.expect(file);
        assert_eq!((&report["rowsTotal"], &report["rowsFaulty"]), (&json!(rows), &json!(0)), "{file}: {report}");
    }
    clerk.upload(&import(""), case("pandas.csv"), "").await.expect("is written");
    let listed = clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=1000")).await.expect("a list");
    let numbers: Vec<&str> = listed["enrollments"].as_array().expect("a list").iter().filter_map(|row| row["schoolNumber"].as_str()).collect();
    assert!(numbers.len() == 4 && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())), "{numbers:?}");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_copy_that_is_uploaded_unchanged_tells_the_same_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    for (file, faulty) in [("rounded.xlsx", 3), ("error-value.xlsx", 2), ("hidden.xlsx", 0), ("filter.xlsx", 0)] {
        let first = clerk.upload(&import("?preview=true"), case(file), "").await.expect(file);
        assert_eq!(first["rowsFaulty"], faulty, "{file}: {first}");
        let mut before = first;
        for round in 0..2 {
            let id = before["importId"].as_str().expect("an id");
            let copy = clerk.download(&format!("/v1/schools/{SCHOOL}/imports/{id}/markedWorkbook")).await.expect("is marked");
            let again = clerk.upload(&import("?preview=true"), copy, "").await.expect(file);
            let columns = |report: &Value| told(report, "problems").into_iter().map(|(_, _, column, code)| (column, code)).collect::<Vec<_>>();
            assert_eq!(columns(&again), columns(&before), "{file} {round}");
            for count in ["rowsTotal", "rowsNew", "rowsFaulty", "rowsHidden"] {
                assert_eq!(again[count], before[count], "{file} {round}: {count}");
            }
            before = again;
        }
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_overwritten_by_another_who_has_the_same_school_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    let first = clerk.upload(&import(""), case("hidden.xlsx"), "").await.expect("is read");
    assert_eq!(first["rowsNew"], 3, "{first}");
    let before = names(&clerk).await;
    let report = clerk.upload(&import(""), case("other-person.xlsx"), "").await.expect("is read");
    assert_eq!((&report["rowsFaulty"], &report["rowsChanged"], &report["rowsNew"]), (&json!(1), &json!(0), &json!(0)), "{report}");
    assert_eq!(told(&report, "problems")[0].3, "SCHOOL_NUMBER_TAKEN");
    assert_eq!(names(&clerk).await, before);
    deployment.stop().await;
}

/// A workbook of rows without some columns.
/// Sheets of any name that another program writes: the marked copy opens, and tells the same again.
#[tokio::test(flavor = "multi_thread")]
async fn sheets_of_any_name_go_round() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    for file in ["sheet-1.xlsx", "sheet-35.xlsx", "sheet-4.xlsx", "sheet-6.xlsx", "sheet-brackets.xlsx", "sheet-case.xlsx", "sheet-lo-long.xlsx"] {
        let report = clerk.upload(&import("?preview=true"), case(file), "").await.expect(file);
        assert!(report["rowsTotal"].as_i64().is_some_and(|rows| rows > 0), "{file}: {report}");
        let marked = format!("/v1/schools/{SCHOOL}/imports/{}/markedWorkbook", report["importId"].as_str().expect("an id"));
        let copy = clerk.download(&marked).await.expect(file);
        let again = clerk.upload(&import("?preview=true"), copy, "").await.expect(file);
        for count in ["rowsTotal", "rowsNew", "rowsFaulty"] {
            assert_eq!(again[count], report[count], "{file}");
        }
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_numbers_and_names_are_put_right_or_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    // Row and code of each fault; what is not told is right as it stands, or was put right.
    let faults = |report: &Value| told(report, "problems").into_iter().map(|(_, row, column, code)| format!("{row} {column} {code}")).collect::<Vec<_>>();
    for (file, new, wrong) in [
        ("dates.xlsx", 12, &["8 出生日期 DATE", "13 出生日期 DATE", "16 出生日期 DATE", "17 出生日期 DATE"][..]),
        (
            "foreigner.xlsx",
            1,
            &["2 出生日期 BIRTH_DATE_DIFFERS", "4 身份证件号 ID_BIRTH_DATE", "5 身份证件号 ID_FORM", "6 身份证件号 ID_BIRTH_DATE", "7 身份证件号 ID_FORM"],
        ),
        ("gbk-a8bc.csv", 1, &[]),
        ("gbk-fe9f.csv", 1, &[]),
        ("gbk-aaa1.csv", 0, &["2 姓名 NAME"]),
    ] {
        let report = clerk.upload(&import("?preview=true"), case(file), "").await.expect(file);
        assert_eq!((&report["rowsNew"], faults(&report)), (&json!(new), wrong.iter().map(|told| (*told).to_owned()).collect()), "{file}");
    }
    let report = clerk.upload(&import("?preview=true"), case("names.xlsx"), "").await.expect("is read");
    let rows: Vec<i64> = told(&report, "problems").iter().filter(|told| told.3 == "NAME").map(|told| told.1).collect();
    // 自造字, a radical of no character, a comma, a ring for a zero, signs, brackets.
    assert_eq!(rows, [2, 3, 8, 17, 19, 26, 27, 28, 29, 30], "{report}");
    assert!(report["problems"][0]["reason"].as_str().is_some_and(|why| why.contains("自造字 U+E863")), "{report}");
    deployment.drain().await.expect("aid knows the school");
    let made = clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let list = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
    let report = clerk.upload(&format!("{list}/import"), case("months.xlsx"), "").await.expect("is read");
    let rows: Vec<i64> = told(&report, "problems").iter().map(|told| told.1).collect();
    assert_eq!((&report["rowsNew"], rows), (&json!(8), vec![2, 3, 4, 8, 12, 13]), "{report}");
    deployment.stop().await;
}

/// A file is one set: who exchanged their 学号, and a class that moved up by one, are no two students with one number.
#[tokio::test(flavor = "multi_thread")]
async fn school_numbers_are_exchanged_and_shifted_within_a_file() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let clerk = clerk(&people).await;
        let numbers = async || {
            let listed = clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.expect("a list");
            let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
            let mut numbers: Vec<_> =
                listed["enrollments"].as_array().expect("a list").iter().map(|row| (text(row, "name"), text(row, "schoolNumber"))).collect();
            numbers.sort();
            numbers
        };
        let as_told = |of: [(&str, &str); 3]| of.map(|(name, number)| (name.to_owned(), number.to_owned())).to_vec();
        for (file, new, changed, stand) in [
            ("swap.xlsx", 3, 0, [("张涛", "202600002"), ("李涛娟", "202600001"), ("陈超超", "202600000")]),
            ("shift.xlsx", 0, 2, [("张涛", "2026000029"), ("李涛娟", "202600001"), ("陈超超", "202600002")]),
            ("swap.xlsx", 0, 2, [("张涛", "202600002"), ("李涛娟", "202600001"), ("陈超超", "202600000")]),
        ] {
            let report = clerk.upload(&import(""), case(file), "").await.expect(file);
            let counts = (&report["rowsNew"], &report["rowsChanged"], &report["rowsFaulty"]);
            assert_eq!(counts, (&json!(new), &json!(changed), &json!(0)), "{engine:?} {file}: {report}");
            assert_eq!(numbers().await, as_told(stand), "{engine:?} {file}");
        }
        deployment.stop().await;
    }
}

fn without(rows: &[std::collections::HashMap<String, String>], absent: &[&str]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let headers = xuezhu_domain::codes::COLUMNS.iter().map(|column| column.header).filter(|header| !absent.contains(header));
    for (column, header) in (0..).zip(headers) {
        sheet.write(0, column, header).expect("writes");
        for (line, row) in (1..).zip(rows) {
            sheet.write(line, column, row.get(header).map_or("", String::as_str)).expect("writes");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_absent_and_a_cell_that_is_blank_leave_what_is_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let clerk = clerk(&people).await;
    // The case, after an upload that had all columns: the ones that are gone stay as they were.
    let upload = async |file: Vec<u8>, options: &str| clerk.upload(&import(options), file, "").await.expect("is read");
    assert_eq!(upload(case("without-optional.xlsx"), "").await["rowsNew"], 2);
    assert_eq!(upload(case("without-optional.xlsx"), "").await["rowsUnchanged"], 2);
    // What is stored beyond the columns of a file stays as it is, whether or not blank cells clear.
    let mut whole = student(7);
    whole.insert("家庭现地址".into(), "某路7号".into());
    assert_eq!(upload(workbook(&[whole.clone()]), "").await["rowsNew"], 1);
    let narrow = without(&[whole.clone()], &["家庭现地址", "考生号", "家庭邮政编码"]);
    for options in ["", "?blankClears=true"] {
        assert_eq!(upload(narrow.clone(), options).await["rowsUnchanged"], 1, "{options:?}: a column that is absent says nothing");
    }
    assert_eq!(upload(workbook(&[whole]), "").await["rowsUnchanged"], 1, "it is all there");
    let mut full = student(1);
    for (column, value) in [("专业简称", "现代农艺技术"), ("家庭现地址", "某路1号"), ("家庭邮政编码", "710000"), ("考生号", "26610113")]
    {
        full.insert(column.into(), value.into());
    }
    assert_eq!(upload(workbook(&[full.clone()]), "").await["rowsNew"], 1);
    let mut blank = full.clone();
    for column in ["家庭现地址", "考生号", "学号"] {
        blank.insert(column.into(), String::new());
    }
    assert_eq!(upload(workbook(&[blank.clone()]), "").await["rowsUnchanged"], 1, "a blank cell says nothing");
    let mut moved = blank.clone();
    moved.insert("家庭邮政编码".into(), "710001".into());
    assert_eq!(upload(workbook(&[moved.clone()]), "").await["rowsChanged"], 1);
    full.insert("家庭邮政编码".into(), "710001".into());
    assert_eq!(upload(workbook(&[full.clone()]), "").await["rowsUnchanged"], 1, "all else stayed");
    assert_eq!(upload(workbook(&[moved.clone()]), "?blankClears=true").await["rowsChanged"], 1, "the clerk says so");
    assert_eq!(upload(workbook(&[moved]), "").await["rowsUnchanged"], 1);
    assert_eq!(upload(workbook(&[full]), "").await["rowsChanged"], 1, "is entered again");

    deployment.drain().await.expect("aid knows the school");
    let made = clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let list = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
    let number = schools::number(1);
    let award = async |text: String, options: &str| clerk.upload(&format!("{list}/import{options}"), text.into_bytes(), "").await.expect("is read");
    let entry = async || clerk.get(&format!("{list}/entries")).await.expect("entries")["entries"][0].clone();
    let whole = format!("姓名,身份证件类型,身份证件号,月份,档次,银行卡号,备注\n王甲,居民身份证,{number},9-10,一档,6222600260001072444,孪生\n");
    assert_eq!(award(whole, "").await["rowsNew"], 1);
    let before = entry().await;
    assert_eq!((&before["card"], &before["remark"], &before["tier"]), (&json!("***************2444"), &json!("孪生"), &json!("一档")));
    for text in [
        format!("姓名,身份证件类型,身份证件号\n王甲,居民身份证,{number}\n"),
        format!("姓名,身份证件类型,身份证件号,月份,档次,银行卡号,备注\n王甲,居民身份证,{number},9-10,一档,,\n"),
    ] {
        assert_eq!(award(text, "").await["rowsUnchanged"], 1);
    }
    assert_eq!(entry().await, before);
    let cleared = format!("姓名,身份证件类型,身份证件号,月份,档次,银行卡号,备注\n王甲,居民身份证,{number},9-10,一档,,\n");
    assert_eq!(award(cleared, "?blankClears=true").await["rowsChanged"], 1);
    assert_eq!((&entry().await["card"], &entry().await["remark"]), (&json!(""), &json!("")));
    deployment.stop().await;
}

/// 城乡分类代码 is a column of ours: where it stands it decides who is rural, by code or by name, and evidence says so; the ministry's own
/// file, without it, says the same as before.
#[tokio::test(flavor = "multi_thread")]
async fn a_class_of_places_in_the_workbook_decides_who_is_rural_and_evidence_says_so() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-10".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        // 护理 is no agricultural major: entitled to the waiver is who is rural. By name, by a code that says otherwise than the
        // household, by a code that says more than it, by nothing.
        let row = |serial: u32, class: &str, household: &str, residence: &str| {
            let mut row = student(serial);
            let said = [("专业简称", "护理"), ("城乡分类代码", class), ("户口性质", household), ("学生居住地类型", residence)];
            row.extend(said.map(|(header, value)| (header.to_owned(), value.to_owned())));
            row
        };
        let rows = [row(1, "村庄", "非农业户口", "城市"), row(2, "111", "农业户口", "农村"), row(3, "", "农业户口", "城市"), row(4, "", "非农业户口", "县城")];
        people.import(&rows).await;
        let mut wrong = row(5, "500", "农业户口", "农村");
        let report = people.import(&[wrong.clone()]).await;
        assert_eq!((&report["rowsFaulty"], &report["problems"][0]["column"]), (&json!(1), &json!("城乡分类代码")), "{report}");
        // The ministry's file has no such column: nobody changed.
        let report =
            people.clerk.upload(&format!("/v1/schools/{}/enrollments/import", schools::SCHOOL), without(&rows, &["城乡分类代码"]), "").await.expect("is read");
        assert_eq!((&report["rowsUnchanged"], &report["rowsFaulty"]), (&json!(4), &json!(0)), "{report}");
        wrong.insert("城乡分类代码".into(), "220".into());
        people.import(&[wrong]).await;
        people.register().await;
        deployment.step_to("2026-12-20".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        let flags = people.officer.get("/v1/flags?rule=MISSING_AWARD&pageSize=100").await.expect("flags");
        let mut seen = std::collections::BTreeMap::new();
        for flag in flags["flags"].as_array().expect("a list") {
            let whole = people.officer.get(&format!("/v1/flags/{}", flag["flag"].as_str().expect("an id"))).await.expect("a flag");
            let evidence = &whole["evidence"];
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            seen.insert(text(&flag["name"]), (text(&evidence["entitledBy"]), text(&evidence["entitledOn"])));
        }
        let rural = |by: &str| Some(("RURAL".to_owned(), by.to_owned()));
        for (serial, expected) in [(1, rural("URBAN_RURAL_CODE")), (2, None), (3, rural("HOUSEHOLD")), (4, rural("RESIDENCE")), (5, rural("URBAN_RURAL_CODE"))]
        {
            assert_eq!(seen.get(&student(serial)["姓名"]).cloned(), expected, "{engine:?} {serial}");
        }
        deployment.stop().await;
    }
}
