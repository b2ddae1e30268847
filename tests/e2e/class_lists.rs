//! Whose class a class is, what she sees of it, and that she confirms who is there.

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_store::rows;
use xuezhu_tests::{
    Engine,
    apart::Apart,
    deployment,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, number, reason, student},
};

fn path(rest: &str) -> String {
    format!("/v1/schools/{SCHOOL}/{rest}")
}

/// The path of the list of a class, whose name is `N班`.
fn class_list(class: u32) -> String {
    path(&format!("classList?className={class}%E7%8F%AD"))
}

async fn set(people: &People, class: &str, account: &str, from: &str) -> anyhow::Result<Value> {
    people.clerk.post(&path("classTeachers"), &json!({ "className": class, "account": account, "fromDate": from }), "").await
}

/// Names of the students that somebody is shown, in order.
async fn seen(who: &Session, path: &str) -> Vec<String> {
    let mut names: Vec<String> = who.get(path).await.expect("students")["enrollments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["name"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

fn names(serials: &[u32]) -> Vec<String> {
    let mut names: Vec<String> = serials.iter().map(|serial| name(*serial)).collect();
    names.sort();
    names
}

fn in_class(serial: u32, class: &str) -> std::collections::HashMap<String, String> {
    let mut row = student(serial);
    row.insert("班级名称".into(), class.into());
    row
}

/// Six students in two classes, and a teacher of each.
async fn two_classes(people: &People) -> (Session, Session) {
    let rows: Vec<_> = [(1, "1班"), (2, "1班"), (3, "1班"), (4, "2班"), (5, "2班"), (6, "2班")].map(|(serial, class)| in_class(serial, class)).into();
    people.import(&rows).await;
    people.register().await;
    let first = people.open_account("teacher", "CLASS_TEACHER", SCHOOL, PASSWORD).await;
    let second = people.open_account("teacher2", "CLASS_TEACHER", SCHOOL, PASSWORD).await;
    (first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_teacher_sees_who_is_in_her_classes_today_and_nobody_else() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let (teacher, _) = two_classes(&people).await;
        let (list, classes) = (path("enrollments"), path("classes"));
        let none: [String; 0] = [];
        assert_eq!(seen(&teacher, &list).await, none, "{engine:?}: no class is hers yet");
        assert_eq!(teacher.get(&classes).await.expect("classes")["classes"], json!([]), "{engine:?}");
        set(&people, "1班", "teacher", "2026-10-15").await.expect("is set");
        let page = teacher.get(&list).await.expect("students");
        assert_eq!((seen(&teacher, &list).await, &page["totalSize"]), (names(&[1, 2, 3]), &json!(3)), "{engine:?}");
        assert_eq!(teacher.get(&classes).await.expect("classes")["classes"][0]["name"], "1班", "{engine:?}");
        assert!(page["enrollments"][0]["idNumber"].as_str().is_some_and(|number| number.starts_with("**************")), "{engine:?}: masked");
        // Filters stay within; pages go on.
        assert_eq!(seen(&teacher, &path("enrollments?className=2%E7%8F%AD")).await, none, "{engine:?}");
        assert_eq!(seen(&teacher, &path("enrollments?query=S0002")).await, names(&[2]), "{engine:?}");
        assert_eq!(seen(&teacher, &path("enrollments?query=S0005")).await, none, "{engine:?}");
        let mut paged = Vec::new();
        let mut token = String::new();
        loop {
            let page = teacher.get(&path(&format!("enrollments?pageSize=2&pageToken={token}"))).await.expect("a page");
            paged.extend(page["enrollments"].as_array().expect("a list").iter().map(|row| row["name"].as_str().expect("a name").to_owned()));
            page["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                break;
            }
        }
        paged.sort();
        assert_eq!(paged, names(&[1, 2, 3]), "{engine:?}");
        // What is of another day, of a submission, or found by a whole number, is not hers.
        let somewhere = uuid::Uuid::nil();
        for asked in [format!("enrollments?query={}", number(1)), "enrollments?asOf=2026-10-01".into(), format!("enrollments?submission={somewhere}")] {
            assert_eq!(reason(teacher.get(&path(&asked)).await), (403, "FORBIDDEN".into()), "{engine:?} {asked}");
        }
        let (hers, not_hers) = (people.path_of(1).await, people.path_of(4).await);
        assert_eq!(teacher.get(&hers).await.expect("is hers")["name"], json!(name(1)), "{engine:?}");
        assert_eq!(reason(teacher.get(&not_hers).await), (404, "NOT_FOUND".into()), "{engine:?}");
        assert_eq!(reason(teacher.get(&format!("{hers}?asOf=2026-10-01")).await), (403, "FORBIDDEN".into()), "{engine:?}");
        // On leave is in the class; who came from another class is; who left is not, who leaves later still is.
        people.clerk.post(&format!("{hers}/leave"), &json!({ "effectiveDate": "2026-10-15", "reason": "因病" }), "").await.expect("is recorded");
        people.withdraw(&number(2), "2026-10-15").await;
        people.withdraw(&number(3), "2026-10-20").await;
        let change = json!({ "className": "1班", "effectiveDate": "2026-10-15", "reason": "调班" });
        people.clerk.post(&format!("{not_hers}/changeClass"), &change, "").await.expect("is recorded");
        assert_eq!(seen(&teacher, &list).await, names(&[1, 3, 4]), "{engine:?}");
        assert_eq!(seen(&teacher, &path("enrollments?state=ON_LEAVE")).await, names(&[1]), "{engine:?}");
        deployment.step_to("2026-10-20".parse().expect("a date")).await.expect("steps");
        assert_eq!(seen(&teacher, &list).await, names(&[1, 4]), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_has_one_teacher_on_a_day_and_what_ended_is_kept() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let (first, second) = two_classes(&people).await;
        people.open_account("elsewhere", "CLASS_TEACHER", OTHER, PASSWORD).await;
        for (class, account, from) in [
            ("1班", "nobody", "2026-10-15"),
            ("1班", "head", "2026-10-15"),
            ("1班", "elsewhere", "2026-10-15"),
            ("1班", "teacher", "2027-12-01"),
            ("1班", "teacher", "soon"),
            ("9班", "teacher", "2026-10-15"),
            ("", "teacher", "2026-10-15"),
        ] {
            assert_eq!(reason(set(&people, class, account, from).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {class} {account} {from}");
        }
        assert_eq!(reason(set(&people, "1班", "", "2026-10-15").await), (400, "WRONG_STATE".into()), "{engine:?}: there is none to end");
        set(&people, "1班", "teacher", "2026-09-01").await.expect("is set");
        assert_eq!(reason(set(&people, "1班", "teacher", "2026-10-20").await), (400, "WRONG_STATE".into()), "{engine:?}: she has it");
        // Another from a later day on: until then it is the first's.
        let told = set(&people, "1班", "teacher2", "2026-10-20").await.expect("is set");
        let brief = |row: &Value| ["account", "fromDate", "endDate"].map(|field| row[field].as_str().unwrap_or_default().to_owned());
        let rows: Vec<_> = told["teachers"].as_array().expect("a list").iter().map(brief).collect();
        assert_eq!(rows, [["teacher2", "2026-10-20", ""], ["teacher", "2026-09-01", "2026-10-20"]], "{engine:?}");
        assert_eq!((&told["teachers"][0]["holds"], &told["teachers"][1]["holds"]), (&json!(false), &json!(true)), "{engine:?}");
        assert_eq!(reason(set(&people, "1班", "teacher", "2026-10-18").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: before what is planned");
        assert_eq!((seen(&first, &path("enrollments")).await.len(), seen(&second, &path("enrollments")).await.len()), (3, 0), "{engine:?}");
        deployment.step_to("2026-10-20".parse().expect("a date")).await.expect("steps");
        assert_eq!((seen(&first, &path("enrollments")).await.len(), seen(&second, &path("enrollments")).await.len()), (0, 3), "{engine:?}");
        // Said wrong, and said anew on the same day: that never held, and is kept.
        set(&people, "1班", "teacher", "2026-10-20").await.expect("is set");
        assert_eq!((seen(&first, &path("enrollments")).await.len(), seen(&second, &path("enrollments")).await.len()), (3, 0), "{engine:?}");
        // One teacher may have several classes; nobody is a teacher too.
        set(&people, "2班", "teacher", "2026-10-20").await.expect("is set");
        assert_eq!(seen(&first, &path("enrollments")).await.len(), 6, "{engine:?}");
        set(&people, "1班", "", "2026-10-20").await.expect("is ended");
        assert_eq!(seen(&first, &path("enrollments")).await, names(&[4, 5, 6]), "{engine:?}");
        // The clerk sees all that ever was, page by page; a teacher her own.
        let all = people.clerk.get(&path("classTeachers")).await.expect("teachers");
        assert_eq!(all["teachers"].as_array().map(Vec::len), Some(4), "{engine:?}: {all}");
        let page = people.clerk.get(&path("classTeachers?pageSize=3")).await.expect("a page");
        let next = people.clerk.get(&path(&format!("classTeachers?pageSize=3&pageToken={}", page["nextPageToken"].as_str().expect("a token")))).await;
        assert_eq!((page["teachers"].as_array().map(Vec::len), next.expect("a page")["teachers"].as_array().map(Vec::len)), (Some(3), Some(1)), "{engine:?}");
        let hers = second.get(&path("classTeachers")).await.expect("hers");
        assert!(hers["teachers"].as_array().is_some_and(|rows| rows.len() == 1 && rows[0]["account"] == "teacher2"), "{engine:?}: {hers}");
        // Each is on record.
        let mut tx = deployment.databases()[0].read().await.expect("reads");
        let lines = rows!(&mut tx, (String, String), "SELECT actor, outcome FROM audit WHERE method = 'SetClassTeacher' AND outcome = 'DONE'").expect("rows");
        tx.rollback().await.expect("ends");
        assert_eq!(lines.len(), 5, "{engine:?}: {lines:?}");
        // Nobody but the clerk says so.
        for who in [&people.head, &first, &people.officer, &people.admin] {
            let body = json!({ "className": "1班", "account": "teacher2", "fromDate": "2026-10-20" });
            assert_eq!(reason(who.post(&path("classTeachers"), &body, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        }
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_teacher_confirmed_is_of_the_list_as_it_was_and_stale_when_it_changes() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let (teacher, other) = two_classes(&people).await;
        set(&people, "1班", "teacher", "2026-10-15").await.expect("is set");
        set(&people, "2班", "teacher2", "2026-10-15").await.expect("is set");
        let confirm = async |who: &Session, list: &Value, wrong: &str| {
            let body = json!({ "className": list["className"], "digest": list["digest"], "count": list["count"], "wrong": wrong });
            who.post(&path("classConfirmations"), &body, "").await
        };
        let list = teacher.get(&class_list(1)).await.expect("her list");
        assert_eq!((&list["count"], &list["date"], &list["teacher"]["account"]), (&json!(3), &json!("2026-10-15"), &json!("teacher")), "{engine:?}");
        assert_eq!((list["students"].as_array().map(Vec::len), &list["confirmation"]), (Some(3), &Value::Null), "{engine:?}");
        assert_eq!(reason(teacher.get(&class_list(2)).await), (403, "FORBIDDEN".into()), "{engine:?}");
        // Only of the list as it is, only in her class, and by her.
        for (field, value) in [("digest", json!("0000000000000000")), ("count", json!(4))] {
            let mut other_than_shown = list.clone();
            other_than_shown[field] = value;
            assert_eq!(reason(confirm(&teacher, &other_than_shown, "").await).1, "DIGEST_MISMATCH", "{engine:?} {field}");
        }
        assert_eq!(reason(confirm(&other, &list, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(reason(confirm(&people.clerk, &list, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        let done = confirm(&teacher, &list, "").await.expect("is confirmed");
        let of = |row: &Value| (row["stale"].clone(), row["count"].clone(), row["wrong"].clone(), row["displayName"].clone(), row["date"].clone());
        assert_eq!(of(&done), (json!(false), json!(3), json!(""), json!("teacher"), json!("2026-10-15")), "{engine:?}");
        let theirs = other.get(&class_list(2)).await.expect("her list");
        confirm(&other, &theirs, "王同学已不在本班，电话13912345678").await.expect("is told");
        // The clerk sees both, each teacher hers; a telephone number is masked.
        let all = people.clerk.get(&path("classConfirmations")).await.expect("confirmations");
        let told: Vec<_> = all["confirmations"].as_array().expect("a list").iter().map(|row| (row["className"].clone(), row["stale"].clone())).collect();
        assert_eq!(told, [(json!("2班"), json!(false)), (json!("1班"), json!(false))], "{engine:?}");
        assert!(!all.to_string().contains("13912345678") && all.to_string().contains("已不在本班"), "{engine:?}: {all}");
        let hers = teacher.get(&path("classConfirmations")).await.expect("hers");
        assert!(hers["confirmations"].as_array().is_some_and(|rows| rows.len() == 1 && rows[0]["className"] == "1班"), "{engine:?}: {hers}");
        // Somebody goes on leave in the first class: what was confirmed there is of another list, in the second it stands.
        let leave = json!({ "effectiveDate": "2026-10-15", "reason": "因病" });
        people.clerk.post(&format!("{}/leave", people.path_of(1).await), &leave, "").await.expect("is recorded");
        let all = people.clerk.get(&path("classConfirmations")).await.expect("confirmations");
        assert_eq!((&all["confirmations"][0]["stale"], &all["confirmations"][1]["stale"]), (&json!(false), &json!(true)), "{engine:?}");
        let changed = teacher.get(&class_list(1)).await.expect("her list");
        assert_eq!((&changed["count"], &changed["confirmation"]["stale"]), (&json!(3), &json!(true)), "{engine:?}");
        assert_eq!(reason(confirm(&teacher, &list, "").await).1, "DIGEST_MISMATCH", "{engine:?}: she read another list");
        confirm(&teacher, &changed, "").await.expect("is confirmed");
        let of_class = people.clerk.get(&path("classConfirmations?className=1%E7%8F%AD")).await.expect("confirmations");
        let stale: Vec<_> = of_class["confirmations"].as_array().expect("a list").iter().map(|row| row["stale"].clone()).collect();
        assert_eq!(stale, [json!(false), json!(true)], "{engine:?}: what was said before is kept");
        // No class is confirmed in which nobody is; no teacher confirms what is not hers any more.
        set(&people, "1班", "", "2026-10-15").await.expect("is ended");
        assert_eq!(reason(confirm(&teacher, &changed, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        deployment.stop().await;
    }
}

/// Which list somebody sees a class on: name, state, what was signed, for one scheme.
async fn on_lists(who: &Session, class: u32, scheme: &str) -> Vec<(String, String, String)> {
    let told = who.get(&path(&format!("classAwards?className={class}%E7%8F%AD&term=2026-AUTUMN"))).await.expect("students");
    let words = told.to_string();
    for kept in ["Fen", "tier", "level", "reason", "HARDSHIP", "month", "major", "person"] {
        assert!(!words.contains(kept), "{kept}: {words}");
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<(String, String, String)> = told["students"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            let award = row["awards"].as_array().and_then(|awards| awards.iter().find(|award| award["schemeCode"] == scheme)).expect("each scheme");
            let states: Vec<String> = award["states"].as_array().into_iter().flatten().map(text).collect();
            let held = if award["held"] == true { " held" } else { "" };
            (text(&row["name"]), format!("{}{held}", states.join(" ")), text(&award["signed"]))
        })
        .collect();
    rows.sort();
    rows
}

fn told(serials: &[(u32, &str, &str)]) -> Vec<(String, String, String)> {
    let mut rows: Vec<_> = serials.iter().map(|(serial, state, signed)| (name(*serial), (*state).to_owned(), (*signed).to_owned())).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_teacher_sees_on_which_lists_her_students_are_and_neither_money_nor_levels() {
    let (none, unsigned) = ("", "KIND_UNSPECIFIED");
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let (teacher, second) = two_classes(&people).await;
        set(&people, "1班", "teacher", "2026-10-15").await.expect("is set");
        set(&people, "2班", "teacher2", "2026-10-17").await.expect("is set");
        deployment.drain().await.expect("drains");
        let of = |class: u32| path(&format!("classAwards?className={class}%E7%8F%AD"));
        assert_eq!(reason(teacher.get(&of(1)).await), (403, "FORBIDDEN".into()), "{engine:?}: her log-in does not say it yet");
        let again = async |account: &str| people.admin.with_log_in(account, PASSWORD).await.expect("logs in");
        let (teacher, second) = (again("teacher").await, {
            drop(second);
            again("teacher2").await
        });
        assert_eq!(on_lists(&teacher, 1, "GRANT").await, told(&[1, 2, 3].map(|serial| (serial, none, unsigned))), "{engine:?}");
        assert_eq!(reason(teacher.get(&of(2)).await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(reason(teacher.get(&of(1).replace(SCHOOL, OTHER)).await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(reason(teacher.get(&path("classAwards")).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        assert_eq!(reason(teacher.get(&format!("{}&term=soon", of(1))).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        assert_eq!(on_lists(&people.clerk, 9, "GRANT").await, [], "{engine:?}: no such class");
        // Who is on a list, how far it came, and what was signed.
        let made = people.clerk.post(&path("awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
        let list = path(&format!("awardLists/{}", made["list"].as_str().expect("an id")));
        let seen = people.clerk.post(&format!("{list}/propose"), &json!({ "preview": true }), "").await.expect("candidates");
        let person = |serial: u32| {
            let candidates = seen["candidates"].as_array().expect("a list");
            candidates.iter().find(|one| one["name"] == name(serial)).expect("is there")["person"].clone()
        };
        people.clerk.post(&format!("{list}/propose"), &json!({ "persons": [person(1), person(2), person(4)] }), "").await.expect("are put on");
        let signs = json!({ "scheme": "GRANT", "term": "2026-AUTUMN", "kind": "WAIVER", "signer": "BOTH", "signedDate": "2026-10-15", "persons": [person(3)] });
        people.clerk.post(&path("statements"), &signs, "").await.expect("is recorded");
        let standing = |state: &'static str| told(&[(1, state, unsigned), (2, state, unsigned), (3, none, "WAIVER")]);
        assert_eq!(on_lists(&teacher, 1, "GRANT").await, standing("DRAFT"), "{engine:?}");
        assert_eq!(on_lists(&teacher, 1, "TUITION_WAIVER").await, told(&[1, 2, 3].map(|serial| (serial, none, unsigned))), "{engine:?}");
        people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
        assert_eq!(on_lists(&teacher, 1, "GRANT").await, standing("SUBMITTED"), "{engine:?}");
        for (who, act, state) in [(&people.head, "attest", "ATTESTED"), (&people.officer, "approve", "APPROVED")] {
            let digest = people.officer.get(&list).await.expect("a list")["digest"].clone();
            who.post(&format!("{list}/{act}"), &json!({ "digest": digest }), "").await.expect("is signed");
            assert_eq!(on_lists(&teacher, 1, "GRANT").await, standing(state), "{engine:?}");
        }
        assert_eq!(on_lists(&people.clerk, 2, "GRANT").await, told(&[(4, "APPROVED", unsigned), (5, none, unsigned), (6, none, unsigned)]), "{engine:?}");
        // A doubt is told without what it is: of somebody twice on lists; what is a draft beside what was approved is told as that.
        let made = people.clerk.post(&path("awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
        let more = path(&format!("awardLists/{}/import", made["list"].as_str().expect("an id")));
        people.clerk.upload(&more, schools::awards(&[(&name(1), &number(1), "11")]), "").await.expect("is uploaded");
        let doubled = told(&[(1, "APPROVED DRAFT held", unsigned), (2, "APPROVED", unsigned), (3, none, "WAIVER")]);
        assert_eq!(on_lists(&teacher, 1, "GRANT").await, doubled, "{engine:?}");
        // Who is not in the class today is nobody's there; who left and came back is.
        people.withdraw(&number(2), "2026-10-16").await;
        people.withdraw(&number(3), "2026-10-15").await;
        let mut back = in_class(3, "1班");
        back.insert("入学年月".into(), "202610".into());
        people.import(&[back]).await;
        people.register().await;
        deployment.step_to("2026-10-16".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        let here = told(&[(1, "APPROVED DRAFT held", unsigned), (3, none, "WAIVER")]);
        assert_eq!(on_lists(&teacher, 1, "GRANT").await, here, "{engine:?}");
        // From its day a class is hers by the log-in of before; what ended is hers no more once she logs in again.
        assert_eq!(reason(second.get(&of(2)).await), (403, "FORBIDDEN".into()), "{engine:?}");
        deployment.step_to("2026-10-17".parse().expect("a date")).await.expect("steps");
        assert_eq!(on_lists(&second, 2, "GRANT").await.len(), 3, "{engine:?}");
        set(&people, "2班", "", "2026-10-17").await.expect("is ended");
        assert_eq!(reason(again("teacher2").await.get(&of(2)).await), (403, "FORBIDDEN".into()), "{engine:?}");
        deployment.stop().await;
    }
}

/// While aid is away a class is shown and confirmed all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_class_is_looked_at_and_confirmed_while_aid_is_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let mut services = Apart::start(folder.path(), &url("enrollment.db"), &url("aid.db"));
    let base = services.base();
    xuezhu_tests::apart::ready(&base).await;
    let people = schools::open_at(&base, "first-Password1").await;
    let (teacher, _) = two_classes(&people).await;
    let today = people.clerk.get(&class_list(1)).await.expect("a class")["date"].as_str().expect("a day").to_owned();
    set(&people, "1班", "teacher", &today).await.expect("is set");
    services.end(1);
    let http = reqwest::Client::new();
    let page = async || {
        let asked = http.get(format!("{base}/classes/one?class=1%E7%8F%AD&term=soon")).header("cookie", format!("xuezhu_session={}", teacher.token()));
        let answer = asked.send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("a page"))
    };
    let (status, shown) = page().await;
    assert_eq!(status, 200, "{shown}");
    assert!(shown.contains(&name(1)) && shown.contains("现在查不到资助名单") && shown.contains("确认这 3 人都在班里"), "{shown}");
    let list = teacher.get(&class_list(1)).await.expect("her list");
    let says = json!({ "className": "1班", "digest": list["digest"], "count": list["count"] });
    teacher.post(&path("classConfirmations"), &says, "").await.expect("is confirmed");
    // Back again, it says that her log-in does not tell the class yet.
    services.begin(1);
    xuezhu_tests::until("aid says why", async || page().await.1.contains("退出后重新登录")).await;
}
