//! What calls cost: statements on both engines, counted by the services themselves. A statement wakes a thread on SQLite and goes over the
//! wire on PostgreSQL; whoever needs more must say so here.

use serde_json::json;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, number, student},
};

/// Work, and the statements that one unit of it may take on SQLite and on PostgreSQL, beginning and end of transactions among them.
const BUDGET: [(&str, u64, u64); 12] = [
    // A leave: the call itself, its position, the feed that tells it, the mirror that judges it.
    ("TakeLeave", 14, 15),
    ("positions", 5, 5),
    ("feed", 6, 6),
    ("mirror", 24, 24),
    // However many are approved, and whoever is left behind because another list has a month of theirs.
    ("ApproveAwardList", 48, 48),
    // Reading.
    ("GetEnrollment", 6, 6),
    ("ListEnrollments", 6, 6),
    // Beside the classes what a list can be narrowed to.
    ("ListClasses", 5, 5),
    // One student whole, with what was done; and by hand, whatever the school has.
    ("GetStudent", 12, 12),
    ("EditDraft", 20, 20),
    // The first page: however many dossiers and lists wait.
    ("GetEnrollmentToday", 9, 9),
    ("GetAidToday", 18, 18),
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
