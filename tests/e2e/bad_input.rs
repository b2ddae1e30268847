//! Files that are none: a clear error, and nothing written.

use std::io::Write;

use serde_json::json;
use xuezhu::client::Refused;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, student, workbook},
};

/// What the school's tables hold.
async fn rows(folder: &std::path::Path) -> Vec<i64> {
    let db = xuezhu_store::Db::open(&format!("sqlite:{}", folder.join("enrollment.db").display())).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let mut counts = Vec::new();
    for table in [
        "SELECT count(*) FROM enrollments",
        "SELECT count(*) FROM imports",
        "SELECT count(*) FROM change_log",
        "SELECT count(*) FROM persons",
        "SELECT count(*) FROM requests",
    ] {
        counts.push(xuezhu_store::one!(&mut tx, (i64,), table).expect("counts").expect("a row").0);
    }
    counts
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
    let before = rows(folder.path()).await;
    let bomb = zipped(&[("xl/workbook.xml".into(), Vec::new()), ("xl/worksheets/sheet1.xml".into(), vec![b' '; 400 * 1024 * 1024])]);
    let mut encrypted = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    encrypted.resize(4096, 0);
    for (what, file, reason) in [
        ("no workbook", b"%PDF-1.7 not a workbook".to_vec(), "HEADER_MISSING"),
        ("empty", Vec::new(), "FILE_UNREADABLE"),
        ("broken archive", b"PK\x03\x04broken".to_vec(), "FILE_UNREADABLE"),
        ("broken xls", encrypted, "FILE_UNREADABLE"),
        ("no header row", "甲,乙\n1,2\n".as_bytes().to_vec(), "HEADER_MISSING"),
        ("a header twice", "姓名,身份证件号,姓名\n".as_bytes().to_vec(), "HEADER_DUPLICATED"),
        ("columns missing", "姓名,身份证件号\n王伟,1\n".as_bytes().to_vec(), "HEADER_MISSING"),
        ("a zip bomb", bomb, "FILE_TOO_LARGE"),
        ("200 MB", vec![b'a'; 200 * 1024 * 1024], "FILE_TOO_LARGE"),
    ] {
        let answer = people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), file, "").await;
        let error = answer.expect_err(what);
        let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{what}: {error:?}"));
        assert_eq!((refused.status, refused.reason.as_str()), (400, reason), "{what}: {}", refused.message);
        assert!(refused.message.chars().any(|c| c > '\u{4e00}'), "{what} is told in Chinese");
    }
    assert_eq!(rows(folder.path()).await, before, "nothing was written");
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
