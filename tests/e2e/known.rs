//! Two clocks: what held on a day, as it was known at a time; and the classes that follow from it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xuezhu::client::Session;
use xuezhu_bridge::{
    Shared,
    known::{Known, Unknown, When, resolve},
    publish,
    sequencer::Sequencer,
};
use xuezhu_proto::bridge::{Person, record::Body};
use xuezhu_service::{Actor, Clock, Context, Ids};
use xuezhu_store::{Db, run};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, reason, student},
};

async fn act(who: &Session, path: &str, verb: &str, mut body: Value) {
    body["reason"] = json!("测试");
    who.post(&format!("{path}/{verb}"), &body, "").await.expect("is recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_late_or_taken_back_is_told_as_it_was_known() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let step = async |day: &str| deployment.step_to(day.parse().expect("a date")).await.expect("steps");
        step("2026-10-15").await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        let path = people.path_of(1).await;
        let seen = async |query: &str| people.officer.get(&format!("{path}?{query}")).await.expect("is told");
        let state = async |query: &str| seen(query).await["state"].as_str().expect("a state").to_owned();
        deployment.drain().await.expect("drains");
        step("2026-11-20").await;
        act(&people.clerk, &path, "leave", json!({ "effectiveDate": "2026-10-20" })).await;
        act(&people.clerk, &path, "withdraw", json!({ "effectiveDate": "2026-12-01" })).await;
        deployment.drain().await.expect("drains");
        let ahead = seen("knownAt=2026-11-20").await["knownAt"].as_str().expect("a token").to_owned();
        act(&people.clerk, &path, "cancelChange", json!({})).await;
        deployment.drain().await.expect("drains");
        for (query, expected) in [
            ("asOf=2026-10-25".to_owned(), "ON_LEAVE"),
            ("asOf=2026-10-25&knownAt=2026-10-15".to_owned(), "IN_SCHOOL"),
            ("asOf=2026-10-25&knownAt=2026-11-19".to_owned(), "IN_SCHOOL"),
            ("asOf=2026-10-25&knownAt=2026-11-20".to_owned(), "ON_LEAVE"),
            ("asOf=2026-12-05".to_owned(), "ON_LEAVE"),
            (format!("asOf=2026-12-05&knownAt={ahead}"), "WITHDRAWN"),
            (format!("asOf=2026-10-19&knownAt={ahead}"), "IN_SCHOOL"),
            ("asOf=2026-08-31".to_owned(), "STATE_UNSPECIFIED"),
            ("asOf=2026-10-25&knownAt=2026-10-14".to_owned(), "STATE_UNSPECIFIED"),
            ("asOf=2026-10-25&knownAt=2001-01-01T00:00:00Z".to_owned(), "STATE_UNSPECIFIED"),
        ] {
            assert_eq!(state(&query).await, expected, "{engine:?} {query}");
        }
        for wrong in [
            "knownAt=2026-11-21".to_owned(),
            "knownAt=gestern".to_owned(),
            "knownAt=2999-01-01T00:00:00Z".to_owned(),
            format!("knownAt={}:1:{}", Uuid::from_u128(7), Uuid::from_u128(8)),
            ahead_of(&ahead),
            "asOf=2026-13-01".to_owned(),
        ] {
            let refused = reason(people.officer.get(&format!("{path}?{wrong}")).await);
            assert_eq!(refused, (400, "INVALID_ARGUMENT".into()), "{engine:?} {wrong}");
        }
        // A period says what it replaced, and when it was recorded.
        let then = seen(&format!("knownAt={ahead}")).await;
        let periods: Vec<[Value; 4]> =
            then["periods"].as_array().expect("a list").iter().map(|period| ["from", "to", "state", "replaces"].map(|field| period[field].clone())).collect();
        assert_eq!(
            periods,
            [
                [json!("2026-09-01"), json!("2026-10-20"), json!("IN_SCHOOL"), json!([1])],
                [json!("2026-10-20"), json!("2026-12-01"), json!("ON_LEAVE"), json!([3])],
                [json!("2026-12-01"), json!(""), json!("WITHDRAWN"), json!([3])],
            ],
            "{then}"
        );
        assert!(people.other.get(&format!("{path}?asOf=2026-10-25")).await.is_err(), "another school is told nothing of any time");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schools_roll_is_told_of_any_day_and_its_classes_follow() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&(1..=5).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        let classes = async |query: &str| {
            let told = people.officer.get(&format!("/v1/schools/{SCHOOL}/classes{query}")).await.expect("are told");
            let row = |row: &Value| ["name", "from", "to", "students"].map(|field| row[field].clone());
            told["classes"].as_array().expect("a list").iter().map(row).collect::<Vec<_>>()
        };
        let class = |name: &str, from: &str, to: &str, students: i32| [json!(name), json!(from), json!(to), json!(students)];
        assert_eq!(classes("").await, [class("1班", "2026-09-01", "", 5)], "{engine:?}");
        for serial in 1..=2 {
            act(&people.clerk, &people.path_of(serial).await, "changeClass", json!({ "effectiveDate": "2026-10-08", "className": "2班" })).await;
        }
        assert_eq!(classes("").await, [class("1班", "2026-09-01", "", 3), class("2班", "2026-10-08", "", 2)], "{engine:?}");
        act(&people.clerk, &people.path_of(1).await, "withdraw", json!({ "effectiveDate": "2026-11-02" })).await;
        act(&people.clerk, &people.path_of(2).await, "changeClass", json!({ "effectiveDate": "2026-10-20", "className": "1班" })).await;
        assert_eq!(classes("").await, [class("1班", "2026-09-01", "", 4)], "{engine:?}");
        assert_eq!(classes("?ended=true").await, [class("1班", "2026-09-01", "", 4), class("2班", "2026-10-08", "2026-11-02", 0)], "{engine:?}");
        let ids = people.officer.get(&format!("/v1/schools/{SCHOOL}/classes?ended=true")).await.expect("are told");
        act(&people.clerk, &people.path_of(3).await, "changeClass", json!({ "effectiveDate": "2026-11-10", "className": "2班" })).await;
        let again = people.officer.get(&format!("/v1/schools/{SCHOOL}/classes")).await.expect("are told");
        assert_eq!((&again["classes"][1]["class"], &again["classes"][1]["to"]), (&ids["classes"][1]["class"], &json!("")), "it is the same class, open again");
        let roll = async |query: &str| {
            let told = people.officer.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=2&{query}")).await.expect("is told");
            let mut names: Vec<String> =
                told["enrollments"].as_array().expect("a list").iter().map(|row| format!("{} {}", row["className"], row["state"])).collect();
            let total = told["totalSize"].as_i64().expect("a number");
            let mut token = told["nextPageToken"].as_str().expect("a text").to_owned();
            while !token.is_empty() {
                let next = people.officer.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=2&{query}&pageToken={token}")).await.expect("is told");
                names.extend(next["enrollments"].as_array().expect("a list").iter().map(|row| format!("{} {}", row["className"], row["state"])));
                assert_eq!(next["totalSize"].as_i64(), Some(total));
                next["nextPageToken"].as_str().expect("a text").clone_into(&mut token);
            }
            assert_eq!(names.len(), usize::try_from(total).expect("few"), "{query}");
            names
        };
        for (query, count) in [
            ("asOf=2026-08-31", 0),
            ("asOf=2026-09-01", 5),
            ("asOf=2026-10-10", 5),
            ("asOf=2026-10-10&className=2班", 2),
            ("asOf=2026-10-25&className=2班", 1),
            ("className=2班", 2),
            ("className=2班&state=IN_SCHOOL", 1),
            ("asOf=2026-11-02&state=WITHDRAWN", 1),
            ("asOf=2026-11-01&state=WITHDRAWN", 0),
            ("state=IN_SCHOOL", 4),
        ] {
            assert_eq!(roll(query).await.len(), count, "{engine:?} {query}");
        }
        deployment.stop().await;
    }
}

/// A position of the same history that nobody has reached.
fn ahead_of(token: &str) -> String {
    let parts: Vec<&str> = token.split(':').collect();
    format!("knownAt={}:{}00:{}", parts[0], parts[1], parts[2])
}

#[tokio::test]
async fn what_a_restored_database_forgot_is_not_known() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&engine.database(folder.path()).await).await.expect("opens");
        db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
        // A history that was put back to 7 and went on to 9 from there, and another that goes on above all that was ever seen: 20. Up
        // to 5 the log is forgotten.
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let change = |position: i64| Uuid::from_u128(1_000 + u128::try_from(position).expect("positive"));
        let mut tx = db.begin().await.expect("begins");
        run!(
            &mut tx,
            "INSERT INTO feed_sequencer (only_row, history, epoch, holder, lease_until_us, next_position, base_position, known_since, told_minute, told_day)
             VALUES (1, $1, 1, $2, 0, 31, 20, 4, 40, '2026-09-04')",
            second,
            Uuid::nil()
        )
        .expect("is written");
        for position in (3..=9).chain(21..=30) {
            let (record, body) = (Uuid::from_u128(5), Vec::<u8>::new());
            if position <= 5 {
                let kept = "INSERT INTO known_versions (kind, record, version, position, change) VALUES (12, $1, $2, $2, $3)";
                run!(&mut tx, kept, record, position, change(position)).expect("is written");
            } else {
                let logged = "INSERT INTO change_log (change, position, kind, record, version, scope_before, scope, body, at_us) VALUES ($1, $2, 12, $3, $2, '', '', $4, 0)";
                run!(&mut tx, logged, change(position), position, record, body).expect("is written");
            }
        }
        for (position, minute, day) in [(3_i64, 10_i64, "2026-09-01"), (5, 20, "2026-09-01"), (20, 25, "2026-09-02"), (28, 30, "2026-09-03")] {
            let day: chrono::NaiveDate = day.parse().expect("a date");
            run!(&mut tx, "INSERT INTO feed_settled (minute, day, position) VALUES ($1, $2, $3)", minute, day, position).expect("is written");
        }
        let at = |history, position| When::Position(Known { history, position, change: change(position) });
        let day = |text: &str| When::Day(text.parse().expect("a date"));
        let minute = |minute: i64| When::Time(minute * 60_000_000 + 59_999_999);
        for (when, expected) in [
            (at(second, 30), Ok(30)),
            (at(second, 31), Err(Unknown::Ahead)),
            (at(second, 21), Ok(21)),
            (at(first, 9), Ok(9)),
            (at(first, 5), Ok(5)),
            (at(first, 10), Err(Unknown::Forgotten)),
            // What was there before the database was put back, and what is there now, are not the same.
            (When::Position(Known { history: first, position: 8, change: Uuid::from_u128(77) }), Err(Unknown::Forgotten)),
            (at(first, 3), Err(Unknown::Before)),
            (at(Uuid::from_u128(9), 31), Err(Unknown::Forgotten)),
            (day("2026-08-31"), Err(Unknown::Before)),
            (day("2026-09-01"), Ok(5)),
            (day("2026-09-02"), Ok(9)),
            (day("2026-09-03"), Ok(28)),
            (day("2026-09-04"), Ok(30)),
            (minute(20), Err(Unknown::Before)),
            (minute(21), Ok(5)),
            (minute(26), Ok(9)),
            (minute(31), Ok(28)),
            (minute(40), Ok(28)),
            (minute(41), Ok(30)),
        ] {
            assert_eq!(resolve(&mut tx, when).await.expect("reads").map(|known| known.position), expected, "{engine:?} {when:?}");
        }
        tx.rollback().await.expect("ends");
    }
}

/// Clocks that go back or ahead leave the times of what was told before as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_steps_leaves_what_was_known_at_other_times_alone() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&engine.database(folder.path()).await).await.expect("opens");
        db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
        let now = Arc::new(AtomicI64::new(1_790_000_000));
        let read = now.clone();
        let clock = Clock::new(move || chrono::DateTime::from_timestamp(read.load(Ordering::Relaxed), 0).expect("a time"));
        let sequencer = Sequencer::new(db.clone(), clock.clone(), &Ids::random(), Arc::default(), CancellationToken::new()).await.expect("begins");
        let ctx = || Context::new(Actor::system(), &clock, &Ids::random());
        let mut lead = None;
        sequencer.step(&mut lead).await.expect("leads");
        let mut heads = Vec::new();
        // Minutes of the wall clock at which something is told: on, a year back, on, a year ahead, on.
        for minute in [0_i64, 1, -525_600, 2, 525_600, 3, 4] {
            now.store(1_790_000_000 + minute * 60, Ordering::Relaxed);
            let shared = Shared { id: ctx().new_id(), scope: "43".into(), body: Body::Person(Person::default()) };
            db.write(&(ctx(), shared), |tx, (ctx, shared)| Box::pin(publish(ctx, tx, std::slice::from_ref(shared)))).await.expect("is published");
            assert_eq!(sequencer.step(&mut lead).await.expect("works"), 1);
            heads.push(sequencer.head().borrow().position);
        }
        let mut tx = db.read().await.expect("reads");
        // By the end of the minute before the first nothing was known, whatever the clock said later; by now everything is.
        let mut at =
            async |minute: i64| resolve(&mut tx, When::Time((1_790_000_000 + minute * 60) * 1_000_000)).await.expect("reads").expect("is known").position;
        assert_eq!(at(0).await, 0, "{engine:?}: a clock that went back forges nothing");
        assert_eq!(at(60).await, heads[6], "{engine:?}: a clock that went ahead does not hide what came after");
        tx.rollback().await.expect("ends");
    }
}
