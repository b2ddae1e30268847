//! What calls cost: statements on both engines, counted by the services themselves. A statement wakes a thread on SQLite and goes over the
//! wire on PostgreSQL; whoever needs more must say so here.

use serde_json::json;
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, number, student},
};

/// Work, and the statements that one unit of it may take on SQLite and on PostgreSQL, beginning and end of transactions among them.
const BUDGET: [(&str, u64, u64); 17] = [
    // Whoever is judged is judged with the hardship levels that were determined: one statement of each case's.
    // A leave: the call itself, its position, the feed that tells it, the mirror that judges it.
    ("TakeLeave", 14, 15),
    ("positions", 5, 5),
    ("feed", 6, 6),
    ("mirror", 25, 25),
    // However many are approved, and whoever is left behind because another list has a month of theirs.
    ("ApproveAwardList", 64, 64),
    // The clerk's own of a list: proposed, looked at, edited, taken up again.
    ("ProposeAwards", 14, 14),
    ("GetEntry", 18, 18),
    // Who else names its card, before it was edited or after.
    ("EditEntry", 40, 40),
    ("RedraftEntries", 29, 29),
    ("ListContacts", 5, 5),
    // Reading.
    ("GetEnrollment", 6, 6),
    ("ListEnrollments", 6, 6),
    // Beside the classes what a list can be narrowed to.
    ("ListClasses", 5, 5),
    // One student whole, with what was done; and by hand, whatever the school has.
    ("GetStudent", 12, 12),
    ("EditDraft", 20, 20),
    // The first page: however many dossiers and lists wait.
    ("GetEnrollmentToday", 10, 10),
    // For a school also to whom it should speak: who is on a list of a special group, and whose level lapsed.
    ("GetAidToday", 20, 20),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_main_calls_keep_their_budget_of_statements() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&(1..=3).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        let lines = [1, 2, 3].map(|serial| (student(serial)["姓名"].clone(), number(serial)));
        let list = people.list(&lines.each_ref().map(|(name, number)| (name.as_str(), number.as_str(), ""))).await;
        people.attested(&list).await;
        deployment.drain().await.expect("drains");
        let taken = |work: &str| deployment.databases().map(|db| db.statements().of(work)).iter().sum::<u64>();
        let path = people.path_of(1).await;
        people.import(&[student(7)]).await;
        let draft = people.path_of(7).await;
        let before = BUDGET.map(|(work, ..)| taken(work));
        let leave = json!({ "effectiveDate": "2026-11-02", "reason": "测试" });
        people.clerk.post(&format!("{path}/leave"), &leave, "").await.expect("is recorded");
        deployment.drain().await.expect("drains");
        people.approve(&list).await.expect("is approved");
        people.officer.get(&path).await.expect("is told");
        people.officer.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.expect("is told");
        people.officer.get(&format!("/v1/schools/{SCHOOL}/classes")).await.expect("is told");
        people.clerk.get(&format!("{path}/record")).await.expect("is told");
        let edit = json!({ "columns": [{ "header": "班级名称", "value": "7班" }] });
        people.clerk.post(&format!("{draft}/edit"), &edit, "").await.expect("is changed");
        people.clerk.post(&format!("{list}/propose"), &json!({ "preview": true }), "").await.expect("is told");
        let waiver = json!({ "scheme": "TUITION_WAIVER", "term": "2026-AUTUMN" });
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &waiver, "").await.expect("a list");
        let own = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
        let file = schools::awards(&[("李鬼", &number(301), "")]);
        people.clerk.upload(&format!("{own}/import"), file, "").await.expect("is answered");
        people.clerk.post(&format!("{own}/submit"), &json!({}), "").await.expect("is submitted");
        people.head.post(&format!("{own}/sendBack"), &json!({ "reason": "核对" }), "").await.expect("is sent back");
        people.clerk.post(&format!("{own}/redraft"), &json!({ "all": true }), "").await.expect("is a draft");
        let entry = people.clerk.get(&format!("{own}/entries")).await.expect("entries")["entries"][0].clone();
        let entry_path = format!("{own}/entries/{}", entry["entry"].as_str().expect("an id"));
        people.clerk.get(&entry_path).await.expect("is told");
        people.clerk.post(&format!("{entry_path}/edit"), &json!({ "etag": entry["etag"] }), "").await.expect("is edited");
        people.clerk.get("/v1/contacts?organisations=430100").await.expect("is told");
        people.clerk.get("/v1/enrollmentToday").await.expect("is told");
        people.clerk.get("/v1/aidToday").await.expect("is told");
        let mut over = Vec::new();
        for ((work, sqlite, postgres), before) in BUDGET.into_iter().zip(before) {
            let (taken, budget) = (taken(work) - before, if matches!(engine, Engine::Sqlite) { sqlite } else { postgres });
            println!("{engine:?} {work}: {taken} statements of {budget}");
            if taken == 0 || taken > budget {
                over.push(format!("{work}: {taken} of {budget}"));
            }
        }
        assert!(over.is_empty(), "{engine:?}: {over:?}");
        deployment.stop().await;
    }
}

/// Pages, who looks at them, and the statements that one may take, of both services together, what its head asks among them.
fn pages(list: &str, dossiers: [&str; 2], flag: &str) -> Vec<(&'static str, String, u64)> {
    let list = list.replace("/v1", "").replace("awardLists", "lists");
    let [registration, round] = dossiers;
    vec![
        ("clerk", "/".into(), 34),
        ("officer", "/".into(), 28),
        ("clerk", "/students".into(), 17),
        ("clerk", "/students?class=1%E7%8F%AD&order=NAME&down=true&at=2".into(), 17),
        ("officer", format!("/students?school={SCHOOL}"), 17),
        ("clerk", "/lists".into(), 12),
        ("officer", "/lists".into(), 17),
        ("clerk", list.clone(), 29),
        ("officer", format!("{list}?held=true"), 29),
        ("clerk", format!("{list}/candidates"), 14),
        ("head", format!("/dossiers/enrollment/{registration}"), 36),
        ("head", format!("/dossiers/enrollment/{registration}?class=1%E7%8F%AD"), 36),
        ("officer", format!("/dossiers/aid/{round}"), 39),
        ("officer", "/dossiers?keeper=aid".into(), 5),
        ("officer", "/flags".into(), 11),
        ("officer", format!("/flags/{flag}"), 6),
        ("officer", "/cases".into(), 4),
        ("officer", "/overview".into(), 10),
        ("clerk", "/classes".into(), 13),
        ("clerk", "/classes/one?class=1%E7%8F%AD".into(), 23),
    ]
}

/// What a page takes at the databases: the least of some times, for what is asked now and then, such as how fresh the data are, is not the page's.
async fn taken_by(deployment: &Deployment, session: &Session, path: &str) -> u64 {
    let base = format!("http://{}", deployment.http);
    let of_calls = || {
        let all = deployment.databases().map(|db| db.statements().all());
        // Calls are named in capitals; what works by itself is not.
        all.iter().flatten().filter(|(work, _)| work.starts_with(|c: char| c.is_ascii_uppercase())).map(|(_, statements)| statements).sum::<u64>()
    };
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = of_calls();
        let answer = http.get(format!("{base}{path}")).header("cookie", format!("xuezhu_session={}", session.token())).send().await.expect("answers");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.bytes().await.expect("a page");
        least = least.min(of_calls() - before);
    }
    least
}

/// A page takes the statements that it takes, whether a school has some students or many: nothing is asked row by row.
#[tokio::test(flavor = "multi_thread")]
async fn pages_keep_their_budget_of_statements_however_much_there_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let in_class = |serial: u32| {
        let mut row = student(serial);
        row.insert("班级名称".into(), format!("{}班", serial % 4));
        row
    };
    let submit = async |from: u32, to: u32| {
        people.import(&(from..to).map(in_class).collect::<Vec<_>>()).await;
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        made["submission"].as_str().expect("an id").to_owned()
    };
    // So many are registered, listed, held by flags; so many wait to be registered.
    let grow = async |from: u32, listed: u32, held: u32, waiting: u32| {
        people.import(&(from..from + listed).map(in_class).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let known = (from..from + listed).map(|serial| (student(serial)["姓名"].clone(), number(serial)));
        let strangers = (from + 400..from + 400 + held).map(|serial| ("李鬼".to_owned(), number(serial)));
        let lines: Vec<(String, String)> = known.chain(strangers).collect();
        let list = people.list(&lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect::<Vec<_>>()).await;
        let round = people.attested(&list).await["dossiers"].as_array().and_then(|all| all.last()?.as_str().map(str::to_owned)).expect("a round");
        deployment.drain().await.expect("drains");
        let registration = submit(from + 200, from + 200 + waiting).await;
        let flag = people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"][0]["flag"].as_str().expect("a flag").to_owned();
        (list, registration, round, flag)
    };
    let measure = async |(list, registration, round, flag): &(String, String, String, String)| {
        let mut taken = Vec::new();
        for (account, path, budget) in pages(list, [registration, round], flag) {
            let session = people.admin.with_log_in(account, schools::PASSWORD).await.expect("logs in");
            taken.push((format!("{account} {}", path.split('?').next().unwrap_or_default()), taken_by(&deployment, &session, &path).await, budget));
        }
        taken
    };
    let few = measure(&grow(0, 3, 1, 2).await).await;
    let many = measure(&grow(10, 60, 30, 40).await).await;
    let mut over = Vec::new();
    for ((page, few, budget), (_, many, _)) in few.into_iter().zip(many) {
        println!("{page}: {few} statements, {many} with much, of {budget}");
        if many > few || many > budget || few == 0 {
            over.push(format!("{page}: {few} with little, {many} with much, of {budget}"));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
    deployment.stop().await;
}
