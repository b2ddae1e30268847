//! Files that are none: a clear error, and nothing written.

use std::{collections::BTreeMap, io::Write};

use serde_json::json;
use sqlx::AssertSqlSafe;
use xuezhu::client::Refused;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, number, student, workbook},
};

/// A digest of each table of a database: what is in it, whatever the order.
async fn digests(url: &str) -> BTreeMap<String, [u8; 32]> {
    let pool = sqlx_sqlite::SqlitePool::connect(url).await.expect("opens");
    let tables: Vec<(String,)> = sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&pool).await.expect("tables");
    let mut digests = BTreeMap::new();
    for (table,) in tables {
        let columns: Vec<(String,)> = sqlx::query_as("SELECT name FROM pragma_table_info($1)").bind(&table).fetch_all(&pool).await.expect("columns");
        let shown = columns.iter().map(|(name,)| format!("coalesce(quote({name}), '')")).collect::<Vec<_>>().join(" || ',' || ");
        // The names are the schema's own.
        let mut rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(format!("SELECT {shown} FROM {table}"))).fetch_all(&pool).await.expect("rows");
        rows.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        for (row,) in rows {
            hasher.update(row.as_bytes()).update(b"\n");
        }
        digests.insert(table, *hasher.finalize().as_bytes());
    }
    pool.close().await;
    digests
}

/// Both databases, without what a refusal may write: the audit, and that the session is used. The sequencer's lease goes on by itself.
async fn everything(folder: &std::path::Path) -> BTreeMap<String, [u8; 32]> {
    let mut all = BTreeMap::new();
    for name in ["enrollment", "aid"] {
        let digests = digests(&format!("sqlite:{}", folder.join(format!("{name}.db")).display())).await;
        all.extend(
            digests
                .into_iter()
                .filter(|(table, _)| !(table.starts_with("audit") || matches!(table.as_str(), "feed_sequencer" | "open_sessions")))
                .map(|(table, digest)| (format!("{name}.{table}"), digest)),
        );
    }
    all
}

fn zip_bomb() -> Vec<u8> {
    zipped(&[("xl/workbook.xml".into(), Vec::new()), ("xl/worksheets/sheet1.xml".into(), vec![b' '; 400 * 1024 * 1024])])
}

/// As many rows as are taken, every column filled.
fn full_workbook() -> Vec<u8> {
    let rows: Vec<_> = (0..u32::try_from(xuezhu_workbook::DATA_ROWS).expect("a number of rows")).map(student).collect();
    workbook(&rows)
}

/// Files that ask for the most, each with the reason for which it is refused; none for one that is taken.
pub fn worst_files() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    vec![
        ("a zip bomb", zip_bomb(), Some("FILE_TOO_LARGE")),
        ("200 MB", vec![b'a'; 200 * 1024 * 1024], Some("FILE_TOO_LARGE")),
        ("a million empty rows", sheet_of_million_empty_rows(), None),
        ("a full workbook", full_workbook(), None),
        ("20,000 empty columns", csv_of_empty_columns(), None),
        ("a line of 46 MB", "a,".repeat(23 * 1024 * 1024).into_bytes(), Some("FILE_TOO_LARGE")),
        ("one long text in every cell", sheet_of_one_long_text(), Some("FILE_TOO_LARGE")),
        ("one sheet named 200 times", book_of_one_sheet(), Some("FILE_UNREADABLE")),
        ("a sheet that is not there", book_without_a_sheet(), Some("FILE_UNREADABLE")),
        ("an .xls", include_bytes!("../fixtures/students.xls").to_vec(), None),
        ("an .xls with a cell at the end of the world", xls_with_a_far_cell(), Some("FILE_TOO_LARGE")),
    ]
}

fn csv_of_empty_columns() -> Vec<u8> {
    let students = include_str!("../../docs/examples/students.csv");
    let header = students.lines().next().expect("a header");
    format!("{header}{}\n{}", ",".repeat(20_000), "王伟,1\n".repeat(15_000)).into_bytes()
}

/// A workbook of one student, with one of its parts made otherwise.
fn changed(part: &str, change: impl Fn(String) -> String) -> Vec<(String, Vec<u8>)> {
    let mut book = zip_of(&mut std::io::Cursor::new(workbook(&[student(1)])));
    let at = book.iter().position(|(name, _)| name.ends_with(part)).expect("a part");
    book[at].1 = change(String::from_utf8(book[at].1.clone()).expect("text")).into_bytes();
    book
}

fn sheet_of_one_long_text() -> Vec<u8> {
    let mut texts = 0;
    let mut book = changed("sharedStrings.xml", |strings| strings.replace("</sst>", &format!("<si><t>{}</t></si></sst>", "长".repeat(1_000))));
    let row = |number: usize, text: usize| format!("<row r=\"{number}\">{}</row>", format!("<c t=\"s\"><v>{text}</v></c>").repeat(70));
    for (name, bytes) in &mut book {
        if name.ends_with("sharedStrings.xml") {
            texts = String::from_utf8_lossy(bytes).matches("<si>").count();
        }
    }
    let sheet = book.iter_mut().find(|(name, _)| name.ends_with("sheet2.xml")).expect("a second sheet");
    let rows: String = (5..19_000).map(|number| row(number, texts - 1)).collect();
    sheet.1 = String::from_utf8_lossy(&sheet.1).replace("</sheetData>", &format!("{rows}</sheetData>")).into_bytes();
    zipped(&book)
}

fn book_of_one_sheet() -> Vec<u8> {
    let mut book = changed("xl/workbook.xml", |text| {
        let again: Vec<String> = (10..210).map(|sheet| format!("<sheet name=\"又{sheet}\" sheetId=\"{sheet}\" r:id=\"rId2\"/>")).collect();
        text.replace("</sheets>", &format!("{}</sheets>", again.concat()))
    });
    let sheet = book.iter_mut().find(|(name, _)| name.ends_with("sheet2.xml")).expect("a second sheet");
    sheet.1 = String::from_utf8_lossy(&sheet.1).replace("</sheetData>", &format!("{}</sheetData>", "<row/>".repeat(1_000_000))).into_bytes();
    zipped(&book)
}

fn book_without_a_sheet() -> Vec<u8> {
    zipped(&changed("_rels/workbook.xml.rels", |text| text.replace("worksheets/sheet1.xml", "worksheets/sheet9.xml")))
}

/// The first number of the fixture is put into the last column of the last row: a table of 17 thousand million cells.
fn xls_with_a_far_cell() -> Vec<u8> {
    let mut bytes = include_bytes!("../fixtures/students.xls").to_vec();
    // RK, 10 bytes: row, column, …
    let at = bytes.windows(4).position(|window| window == [0x7e, 0x02, 0x0a, 0x00]).expect("a number");
    bytes[at + 4..at + 8].fill(0xff);
    bytes
}

fn sheet_of_million_empty_rows() -> Vec<u8> {
    let mut archive = std::io::Cursor::new(workbook(&[student(1)]));
    let mut book = zip_of(&mut archive);
    let sheet = book.iter().position(|(name, _)| name.ends_with("sheet2.xml")).expect("a second sheet");
    let text = String::from_utf8(book[sheet].1.clone()).expect("text");
    let mut empty = String::new();
    for row in 5..1_000_000 {
        std::fmt::Write::write_fmt(&mut empty, format_args!("<row r=\"{row}\"/>")).expect("a string takes all");
    }
    book[sheet].1 = text.replace("</sheetData>", &format!("{empty}</sheetData>")).into_bytes();
    zipped(&book)
}

fn zip_of(archive: &mut std::io::Cursor<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    use std::io::Read;
    let mut zip = zip::ZipArchive::new(archive).expect("an archive");
    (0..zip.len())
        .map(|index| {
            let mut part = zip.by_index(index).expect("a part");
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).expect("reads");
            (part.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

fn zipped(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).expect("a part");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("an archive").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_workbook_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let before = everything(folder.path()).await;
    let mut broken_xls = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    broken_xls.resize(4096, 0);
    for (what, file, reason) in [
        ("no workbook", b"%PDF-1.7 not a workbook".to_vec(), "FILE_UNREADABLE"),
        ("empty", Vec::new(), "FILE_UNREADABLE"),
        ("broken archive", b"PK\x03\x04broken".to_vec(), "FILE_UNREADABLE"),
        ("broken xls", broken_xls, "FILE_UNREADABLE"),
        ("encrypted", include_bytes!("../fixtures/encrypted.xlsx").to_vec(), "FILE_ENCRYPTED"),
        ("no header row", "甲,乙\n1,2\n".as_bytes().to_vec(), "HEADER_MISSING"),
        ("a header twice", "姓名,身份证件号,姓名\n".as_bytes().to_vec(), "HEADER_DUPLICATED"),
        ("columns missing", "姓名,身份证件号\n王伟,1\n".as_bytes().to_vec(), "HEADER_MISSING"),
        ("a zip bomb", zip_bomb(), "FILE_TOO_LARGE"),
        ("200 MB", vec![b'a'; 200 * 1024 * 1024], "FILE_TOO_LARGE"),
    ] {
        let answer = people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), file, "").await;
        let error = answer.expect_err(what);
        let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{what}: {error:?}"));
        assert_eq!((refused.status, refused.reason.as_str()), (400, reason), "{what}: {}", refused.message);
        assert!(refused.message.chars().any(|c| c > '\u{4e00}'), "{what} is told in Chinese");
    }
    assert_eq!(everything(folder.path()).await, before, "nothing was written but the audit");
    deployment.stop().await;
}

/// What has come of a file that breaks off may look like a whole one.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_writes_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let row = student(1);
    let line = |cell: fn(&str, &std::collections::HashMap<String, String>) -> String| {
        xuezhu_domain::codes::COLUMNS.iter().map(|column| cell(column.header, &row)).collect::<Vec<_>>().join(",")
    };
    let file = format!("{}\n{}\n", line(|header, _| header.to_owned()), line(|header, row| row.get(header).cloned().unwrap_or_default()));
    let mut connection = tokio::net::TcpStream::connect(deployment.http).await.expect("connects");
    let head = format!(
        "POST /v1/schools/{SCHOOL}/enrollments/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        people.clerk.token()
    );
    // One whole piece, then what is no piece.
    connection.write_all(format!("{head}{:x}\r\n{file}\r\nno piece\r\n", file.len()).as_bytes()).await.expect("sends");
    let mut answer = String::new();
    // The connection ends with the answer, or without one.
    let _ = connection.read_to_string(&mut answer).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    let there = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.expect("a list");
    assert_eq!(there["enrollments"], json!([]), "{answer}");
    let whole = people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), file.into_bytes(), "").await.expect("is taken");
    assert_eq!(whole["rowsNew"], 1, "the same file, whole, is a good one: {whole}");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_row_is_told_and_the_others_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let mut students: Vec<_> = (20..26).map(student).collect();
    students[1].insert("身份证件号".into(), "1.10105E+17".into());
    students[2].insert("民族".into(), "汉".into());
    let typed = format!("'{}", students[3]["身份证件号"].to_lowercase());
    students[3].insert("身份证件号".into(), typed);
    students[4] = students[3].clone();
    let report = people.import(&students).await;
    assert_eq!((&report["rowsTotal"], &report["rowsNew"], &report["rowsFaulty"]), (&json!(6), &json!(3), &json!(3)), "{report}");
    let codes: Vec<&str> = report["problems"].as_array().expect("problems").iter().filter_map(|problem| problem["code"].as_str()).collect();
    for code in ["ID_ROUNDED", "NOT_IN_LIST", "DUPLICATE_IN_FILE"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let id = report["importId"].as_str().expect("an id");
    let marked = people.clerk.download(&format!("/v1/schools/{SCHOOL}/imports/{id}/markedWorkbook?faultyOnly=true")).await.expect("a marked workbook");
    let again = people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import?preview=true"), marked, "").await.expect("reads back");
    assert_eq!(again["rowsTotal"], 3, "{again}");
    let large = sheet_of_million_empty_rows();
    let report = people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import?preview=true"), large, "").await.expect("a million empty rows are none");
    assert_eq!(report["rowsTotal"], 1);
    let report =
        people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import?allOrNothing=true"), workbook(&students), "").await.expect("is answered");
    assert_eq!((&report["rowsNew"], &report["rowsFaulty"]), (&json!(0), &json!(3)));
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_xls_workbook_is_read_like_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let path = format!("/v1/schools/{SCHOOL}/enrollments/import");
    let report = people.clerk.upload(&path, include_bytes!("../fixtures/students.xls").to_vec(), "").await.expect("is taken");
    assert_eq!((&report["rowsNew"], &report["problems"]), (&json!(4), &json!([])), "{report}");
    let again = people.clerk.upload(&path, include_bytes!("../../docs/examples/students.csv").to_vec(), "").await.expect("is taken");
    assert_eq!(again["rowsUnchanged"], 4, "the same students from CSV: {again}");
    deployment.stop().await;
}

/// Cells as people type them: put right where that is safe, told where it is not.
#[tokio::test(flavor = "multi_thread")]
async fn cells_as_people_type_them_are_put_right_or_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let with = |serial: u32, column: &str, typed: &str| {
        let mut row = student(serial);
        let typed = typed.replace("{}", row.get(column).map_or("", String::as_str));
        row.insert(column.to_owned(), typed);
        row
    };
    let wide = |text: &str| text.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).expect("a wide form")).collect::<String>();
    let put_right = vec![
        with(40, "身份证件号", "'{}"),
        with(41, "身份证件号", &wide(&number(41))),
        with(42, "身份证件号", &format!("{} {}", &number(42)[..6], number(42)[6..].to_lowercase())),
        with(43, "家庭邮政编码", "10001"),
        with(44, "姓名", "　{} "),
        with(45, "出生日期", &format!("{}-{}-{}", &number(45)[6..10], &number(45)[10..12], &number(45)[12..14])),
    ];
    let count = put_right.len();
    let report = people.import(&put_right).await;
    assert_eq!((&report["rowsNew"], &report["problems"]), (&json!(count), &json!([])), "{report}");
    let listed = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(41))).await.expect("is found by its number");
    assert_eq!(listed["enrollments"].as_array().map(Vec::len), Some(1));
    let told = vec![
        (with(50, "身份证件号", &number(50).replacen('0', "O", 1)), "ID_LETTER_O"),
        (with(51, "身份证件号", "4.30102E+17"), "ID_ROUNDED"),
        (with(52, "身份证件号", &format!("{}{}", &number(52)[..17], if number(52).ends_with('1') { "2" } else { "1" })), "ID_CHECK_CHARACTER"),
        (with(53, "出生日期", &number(54)), "DATE"),
        (with(55, "专业简称", "屠龙术"), "MAJOR_NOT_OFFERED"),
    ];
    let rows: Vec<_> = told.iter().map(|(row, _)| row.clone()).collect();
    let report = people.import(&rows).await;
    let codes: Vec<&str> = report["problems"].as_array().expect("problems").iter().filter_map(|problem| problem["code"].as_str()).collect();
    for (_, code) in &told {
        assert!(codes.contains(code), "{code} is not told: {codes:?}");
    }
    assert_eq!(report["rowsFaulty"], told.len(), "{report}");
    assert!(!report.to_string().contains(&number(54)), "whatever column it stands in, a number is masked");
    deployment.stop().await;
}

/// A student who left and is uploaded again with the old workbook is no new student.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_workbook_again_does_not_bring_back_who_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    let found = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(1))).await.expect("is found");
    let enrollment = format!("/v1/schools/{SCHOOL}/enrollments/{}", found["enrollments"][0]["enrollment"].as_str().expect("an id"));
    people.clerk.post(&format!("{enrollment}/withdraw"), &json!({ "effectiveDate": "2026-10-20", "reason": "转出" }), "").await.expect("is recorded");
    let again = people.import(&[student(1), student(2)]).await;
    assert_eq!((&again["rowsNew"], &again["rowsUnchanged"]), (&json!(0), &json!(2)), "{again}");
    let mut back = student(1);
    back.insert("入学年月".into(), "202611".into());
    let again = people.import(&[back]).await;
    assert_eq!(again["rowsNew"], 1, "a new entry is one: {again}");
    deployment.stop().await;
}
