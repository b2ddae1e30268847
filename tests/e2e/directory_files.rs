//! Schools and accounts as files: checked as single calls check them, seen by the administrators of their region alone, and passwords that are
//! told once and let in once.

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, one};
use xuezhu_tests::{
    Engine, deployment, deployment_on, postgres,
    same::differences,
    schools::{self, PASSWORD, reason},
};

const SCHOOLS: &str = "/v1/schools/import";
const ACCOUNTS: &str = "/v1/accounts/import";

fn csv(header: &str, rows: &[String]) -> Vec<u8> {
    format!("{header}\n{}\n", rows.join("\n")).into_bytes()
}

fn schools_file(rows: &[String]) -> Vec<u8> {
    csv("学校代码,学校名称,行政区划码,办学性质,主管部门行政区划码,电话,专业", rows)
}

fn accounts_file(rows: &[String]) -> Vec<u8> {
    csv("账号,姓名,角色,所属", rows)
}

/// A code of a school of these tests.
fn code(serial: u32) -> String {
    format!("36430{serial:05}")
}

fn school(serial: u32) -> String {
    format!(
        "{},湘江第{serial}职业学校,芙蓉区,{},长沙市,0731-8888{serial:04},2010-护理、010200",
        code(serial),
        if serial.is_multiple_of(2) { "公办" } else { "民办" }
    )
}

fn counts(report: &Value) -> Vec<i64> {
    ["rowsTotal", "rowsNew", "rowsChanged", "rowsUnchanged", "rowsFaulty"].iter().map(|count| report[count].as_i64().unwrap_or(-1)).collect()
}

/// Row, column and code of each problem.
fn told(report: &Value, of: &str) -> Vec<(i64, String, String)> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    report[of].as_array().into_iter().flatten().map(|row| (row["row"].as_i64().unwrap_or(0), text(row, "column"), text(row, "code"))).collect()
}

fn at(row: i64, column: &str, code: &str) -> (i64, String, String) {
    (row, column.to_owned(), code.to_owned())
}

fn id(report: &Value) -> &str {
    report["importId"].as_str().expect("an id")
}

async fn total(session: &Session, path: &str) -> i64 {
    session.get(path).await.expect("a list")["totalSize"].as_i64().expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn schools_come_by_file_as_previewed_and_what_is_wrong_is_told_where_it_stands() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let deployment = deployment_on(databases.clone(), folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        let hunan = people.open_account("hunan", "ADMINISTRATOR", "430000", PASSWORD).await;
        let beijing = people.open_account("beijing", "ADMINISTRATOR", "110000", PASSWORD).await;
        let mut rows: Vec<String> = (101..=120).map(school).collect();
        rows.extend([
            format!("364300013,九位学校,430102,公办,430100,,护理,{}", ""),
            format!("{},重名区学校,鼓楼区,公办,430100,,", code(121)),
            format!("{},两目录学校,430102,公办,430100,,护理", code(122)),
            format!("{},外省学校,110101,公办,110100,,", code(123)),
            format!("{},湘江第101职业学校,430102,民办,430100,,", code(101)),
            format!("{},性质学校,430102,公立,430100,不是电话,", code(124)),
        ]);
        let file = schools_file(&rows);
        let preview = hunan.upload(&format!("{SCHOOLS}?preview=true&fileName=a.csv"), file.clone(), "").await.expect("is read");
        assert_eq!(counts(&preview), [26, 20, 0, 0, 6], "{preview}");
        let wanted = [
            at(22, "学校代码", "INVALID"),
            at(22, "专业", "MAJOR"),
            at(23, "行政区划码", "REGION"),
            at(24, "专业", "MAJOR"),
            at(25, "主管部门行政区划码", "FORBIDDEN"),
            at(26, "学校代码", "DUPLICATE_IN_FILE"),
            at(27, "办学性质", "NOT_IN_LIST"),
            at(27, "电话", "INVALID"),
        ];
        let mut problems = told(&preview, "problems");
        problems.sort();
        let mut sorted = wanted.to_vec();
        sorted.sort();
        assert_eq!(problems, sorted, "{preview}");
        assert_eq!(total(&people.admin, "/v1/schools?pageSize=1").await, 2, "a preview writes nothing");
        let at_import = format!("/v1/schoolImports/{}", id(&preview));
        let written = hunan.post(&format!("{at_import}/commit"), &json!({}), "").await.expect("is written");
        assert_eq!(counts(&written), [26, 20, 0, 0, 6], "{written}");
        assert_eq!(total(&people.admin, "/v1/schools?pageSize=1").await, 22);
        let one = people.admin.get(&format!("/v1/schools/{}", code(102))).await.expect("is there");
        assert_eq!(
            (&one["name"], &one["region"], &one["kind"], &one["telephone"]),
            (&json!("湘江第102职业学校"), &json!("430102"), &json!("PUBLIC"), &json!("0731-88880102"))
        );
        assert_eq!(one["majors"].as_array().map(Vec::len), Some(2), "{one}");
        // Sent again it says nothing new; a new name, a blank telephone and one more major change a school, what else differs is told.
        let again = hunan.upload(&format!("{SCHOOLS}?preview=true"), schools_file(&rows[..20]), "").await.expect("is read");
        assert_eq!(counts(&again), [20, 0, 0, 20, 0], "{again}");
        let changes = [
            format!("{},湘江农业学校,430102,公办,430100,,护理专业不存在", code(102)),
            format!("{},湘江商业学校,430102,民办,430100,,2010-护理、会计", code(103)),
            format!("{},湘江第104职业学校,430103,公办,430100,,", code(104)),
            format!("{},湘江第105职业学校,430102,民办,430000,,", code(105)),
        ];
        let report = hunan.upload(SCHOOLS, schools_file(&changes), "").await.expect("is read");
        assert_eq!(counts(&report), [4, 0, 1, 0, 3], "{report}");
        assert_eq!(told(&report, "problems"), [at(2, "专业", "MAJOR"), at(4, "行政区划码", "ALREADY_THERE"), at(5, "主管部门行政区划码", "ALREADY_THERE")]);
        let one = people.admin.get(&format!("/v1/schools/{}", code(103))).await.expect("is there");
        assert_eq!(
            (&one["name"], &one["telephone"], one["majors"].as_array().map(Vec::len)),
            (&json!("湘江商业学校"), &json!("0731-88880103"), Some(3)),
            "{one}"
        );
        // Schools stay, and it is said what to do instead.
        let kept = hunan.post(&format!("/v1/schoolImports/{}/takeBack", id(&written)), &json!({}), "").await.expect("is told");
        assert_eq!((kept["kept"].as_array().map(Vec::len), &kept["rowsReturned"]), (Some(20), &json!(0)), "{kept}");
        // It is seen in its region, by administrators.
        assert_eq!(hunan.get("/v1/schoolImports").await.expect("a list")["imports"].as_array().map(Vec::len), Some(4));
        assert_eq!(reason(beijing.get(&at_import).await), (404, "NOT_FOUND".into()));
        assert_eq!(beijing.get("/v1/schoolImports").await.expect("a list")["imports"].as_array().map(Vec::len), Some(0));
        assert_eq!(reason(beijing.download(&format!("{at_import}/markedWorkbook")).await), (404, "NOT_FOUND".into()));
        assert!(hunan.download(&format!("{at_import}/markedWorkbook?faultyOnly=true")).await.is_ok_and(|file| file.len() > 1000));
        for other in [&people.clerk, &people.head, &people.officer, &people.machine] {
            assert_eq!(reason(other.upload(SCHOOLS, file.clone(), "").await).0, 403);
            assert_eq!(reason(other.upload(ACCOUNTS, file.clone(), "").await).0, 403);
            assert_eq!(reason(other.get(&at_import).await).0, 403);
            assert_eq!(reason(other.get("/v1/schoolImports").await).0, 403);
            assert_eq!(reason(other.post("/v1/accountPasswords", &json!({ "importId": id(&written) }), "").await).0, 403);
        }
        assert_eq!(total(&beijing, "/v1/schools?pageSize=1").await, 0);
        deployment.drain().await.expect("drains");
        let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        let (enrollment, aid) = databases.unwrap_or_else(|| (file("enrollment.db"), file("aid.db")));
        assert_eq!(differences(&enrollment, &aid).await, Vec::<String>::new(), "aid knows the schools");
        deployment.stop().await;
    }
}

/// Passwords of an answer, by account.
fn passwords(answer: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    answer["passwords"].as_array().into_iter().flatten().map(|row| (text(row, "account"), text(row, "oneTimePassword"))).collect()
}

/// Every password that is made for an import, however many calls that takes.
async fn made(session: &Session, mut asked: Value) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let answer = session.post("/v1/accountPasswords", &asked, "").await.expect("are made");
        all.extend(answer["passwords"].as_array().expect("a list").clone());
        if answer["accountsLeft"] == 0 {
            return all;
        }
        asked["pageToken"] = answer["nextPageToken"].clone();
    }
}

/// Whether a text stands anywhere in the enrollment database in clear.
async fn is_in_clear(database: &str, folder: &std::path::Path, text: &str) -> bool {
    if database.starts_with("sqlite:") {
        let held = |name: &str| std::fs::read(folder.join(name)).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()));
        return ["enrollment.db", "enrollment.db-wal"].into_iter().any(held);
    }
    let db = Db::open(database).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let found = one!(&mut tx, (i32,), "SELECT position($1 in database_to_xml(true, false, '')::text)", text).expect("is searched");
    found.is_some_and(|(at,)| at > 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_by_file_and_a_password_from_the_page_lets_in_once() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let deployment = deployment_on(databases.clone(), folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        let hunan = people.open_account("hunan", "ADMINISTRATOR", "430000", PASSWORD).await;
        let beijing = people.open_account("beijing", "ADMINISTRATOR", "110000", PASSWORD).await;
        let roles = [("学校经办人", "3643000001"), ("校长", "3643000002"), ("主管部门审核人", "长沙市")];
        let mut rows: Vec<String> = (0..30).map(|serial| format!("p{serial:02},王同志,{},{}", roles[serial % 3].0, roles[serial % 3].1)).collect();
        rows.extend([
            "Wang,王甲,学校经办人,3643000001".to_owned(),
            "wang,王甲,经办,3643000001".to_owned(),
            "wang1,王甲,学校经办人,3643999999".to_owned(),
            "wang2,王甲,系统管理员,".to_owned(),
            "wang3,王甲,主管部门审核人,110000".to_owned(),
            "wang4,王甲,校长,".to_owned(),
            "p00,王甲,校长,3643000001".to_owned(),
            "clerk,别人,学校经办人,3643000001".to_owned(),
            "head,head,校长,3643000001".to_owned(),
            "wang5,,校长,3643000001".to_owned(),
        ]);
        let report = hunan.upload(ACCOUNTS, accounts_file(&rows), "").await.expect("is written");
        assert_eq!(counts(&report), [40, 30, 0, 1, 9], "{report}");
        let wanted = [
            at(32, "账号", "INVALID"),
            at(33, "角色", "NOT_IN_LIST"),
            at(34, "所属", "NO_SUCH_SCHOOL"),
            at(35, "所属", "FORBIDDEN"),
            at(36, "所属", "FORBIDDEN"),
            at(37, "所属", "REQUIRED"),
            at(38, "账号", "DUPLICATE_IN_FILE"),
            at(39, "账号", "ALREADY_THERE"),
            at(41, "姓名", "REQUIRED"),
        ];
        assert_eq!(told(&report, "problems"), wanted, "{report}");
        // Nobody gets in before there is a password, whatever they try.
        for tried in ["", "p00", PASSWORD] {
            assert_eq!(reason(hunan.with_log_in("p00", tried).await).1, "WRONG_PASSWORD");
        }
        let asked = json!({ "importId": id(&report) });
        assert_eq!(reason(beijing.post("/v1/accountPasswords", &asked, "").await), (404, "NOT_FOUND".into()));
        let begun = hunan.post("/v1/accountPasswords", &asked, "pages").await.expect("are made");
        let told_first = begun["passwords"].as_array().expect("a list").clone();
        // Told once: neither under the same key nor under another.
        assert!(hunan.post("/v1/accountPasswords", &asked, "pages").await.is_err());
        let all = [told_first, made(&hunan, asked.clone()).await].concat();
        let pages = json!({ "passwords": all });
        let first = passwords(&pages);
        assert_eq!(first.len(), 30, "{pages}");
        assert_eq!((&pages["passwords"][2]["organisationName"], &pages["passwords"][2]["role"]), (&json!("湖南省长沙市"), &json!("DEPARTMENT_OFFICER")));
        let again = hunan.post("/v1/accountPasswords", &asked, "").await.expect("is told");
        assert_eq!((passwords(&again).len(), &again["accountsTold"]), (0, &json!(30)), "{again}");
        // One lets in once, and the session that it opened changes it.
        let (account, password) = &first[0];
        let session = hunan.with_log_in(account, password).await.expect("logs in");
        assert_eq!(reason(session.get("/v1/schools").await).1, "MUST_CHANGE_PASSWORD");
        assert_eq!(reason(hunan.with_log_in(account, password).await).1, "WRONG_PASSWORD");
        let session = session.change_password(password, "Other-2026x").await.expect("is changed");
        assert!(session.get("/v1/schools").await.is_ok() && hunan.with_log_in(account, "Other-2026x").await.is_ok());
        assert!(hunan.with_log_in(account, "Other-2026x").await.is_ok(), "an own password is good as often as it is given");
        // Who logged in and changed nothing is let in by an administrator alone.
        let (lost, password) = &first[1];
        hunan.with_log_in(lost, password).await.expect("logs in");
        assert_eq!(reason(hunan.with_log_in(lost, password).await).1, "WRONG_PASSWORD");
        let reset = hunan.post(&format!("/v1/accounts/{lost}/resetPassword"), &json!({}), "").await.expect("is reset");
        assert!(hunan.with_log_in(lost, reset["oneTimePassword"].as_str().expect("a password")).await.is_ok());
        // New pages make those of before void; who logged in is left alone.
        let renewed = made(&hunan, json!({ "importId": id(&report), "again": true })).await;
        let second = passwords(&json!({ "passwords": renewed }));
        assert_eq!(second.iter().map(|(account, _)| account).collect::<Vec<_>>(), first[2..].iter().map(|(account, _)| account).collect::<Vec<_>>());
        assert_eq!(reason(hunan.with_log_in(&first[2].0, &first[2].1).await).1, "WRONG_PASSWORD");
        hunan.with_log_in(&second[0].0, &second[0].1).await.expect("logs in");
        // In clear they are nowhere.
        let database = databases.clone().map_or_else(|| format!("sqlite:{}", folder.path().join("enrollment.db").display()), |(enrollment, _)| enrollment);
        assert!(is_in_clear(&database, folder.path(), &first[3].0).await, "what is there is found");
        for (_, password) in [&first[0], &first[3], &second[4]] {
            assert!(!is_in_clear(&database, folder.path(), password).await);
        }
        // Who never logged in goes, the others stay and are named.
        let back = hunan.post(&format!("/v1/accountImports/{}/takeBack", id(&report)), &json!({}), "").await.expect("is taken back");
        assert_eq!((&back["rowsReturned"], told(&back, "kept").len()), (&json!(27), 3), "{back}");
        assert_eq!(reason(hunan.with_log_in(&second[4].0, &second[4].1).await).1, "WRONG_PASSWORD");
        assert_eq!(total(&people.admin, "/v1/accounts?pageSize=1&query=p").await, 3);
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_schools_and_five_thousand_accounts_go_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let rows: Vec<String> = (1000..2000).map(school).collect();
    let report = people.admin.upload(SCHOOLS, schools_file(&rows), "").await.expect("is written");
    assert_eq!(counts(&report), [1000, 1000, 0, 0, 0]);
    let rows: Vec<String> = (0..5000).map(|serial| format!("n{serial:04},王同志,学校经办人,{}", code(1000 + serial / 5))).collect();
    let report = people.admin.upload(ACCOUNTS, accounts_file(&rows), "").await.expect("is written");
    assert_eq!(counts(&report), [5000, 5000, 0, 0, 0]);
    let made = people.admin.post("/v1/accountPasswords", &json!({ "importId": id(&report) }), "").await.expect("are made");
    let first = passwords(&made).len();
    assert!((1..=100).contains(&first) && made["accountsLeft"] == json!(5000 - first), "{first}");
    let next = people.admin.post("/v1/accountPasswords", &json!({ "importId": id(&report) }), "").await.expect("are made");
    assert_eq!((passwords(&next)[0].0.clone(), &next["accountsTold"]), (format!("n{first:04}"), &json!(first)));
    deployment.stop().await;
}
