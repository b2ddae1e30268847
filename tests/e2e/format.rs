//! The feed's record format grows: what nobody knows yet stops nothing and entitles to nothing; what a source learns to say it says again.

use prost::Message;
use serde_json::json;
use uuid::Uuid;
use xuezhu::deployment::Deployment;
use xuezhu_proto::bridge::{Record, record::Body};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, one, rows, run};
use xuezhu_tests::{
    Engine,
    invented::say_what_nobody_knows,
    options, postgres,
    schools::{self, number, student},
    start, until,
};

async fn databases(engine: Engine) -> Option<(String, String)> {
    match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    }
}

async fn open(databases: Option<&(String, String)>, folder: &std::path::Path) -> (Db, Db) {
    let file = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let (enrollment, aid) = databases.cloned().unwrap_or_else(|| (file("enrollment.db"), file("aid.db")));
    (Db::open(&enrollment).await.expect("opens"), Db::open(&aid).await.expect("opens"))
}

async fn state_of(aid: &Db, name: &str) -> Option<i32> {
    let mut tx = aid.read().await.expect("reads");
    let found = one!(
        &mut tx,
        (i32,),
        "SELECT p.state FROM mirror_periods p JOIN mirror_enrollments e ON e.enrollment = p.enrollment AND e.generation = p.generation
         WHERE e.claim_name = $1 AND e.generation = (SELECT generation FROM mirror_state) ORDER BY p.ordinal DESC",
        name
    )
    .expect("reads");
    tx.rollback().await.expect("ends");
    found.map(|(state,)| state)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_and_a_state_that_nobody_knows_stop_nothing_and_entitle_to_nothing() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = databases(engine).await;
        let on = || options(databases.clone(), folder.path(), "none", Settings::default());
        let deployment = start(on()).await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        let (one, two) = (student(1)["姓名"].clone(), student(2)["姓名"].clone());
        let list = people.list(&[(&one, &number(1), ""), (&two, &number(2), "")]).await;
        people.attested(&list).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, []);
        let (enrollment, aid) = open(databases.as_ref(), folder.path()).await;
        let before = state_of(&aid, &one).await;
        say_what_nobody_knows(&enrollment, &one).await;
        until("the mirror hears of it", async || state_of(&aid, &one).await != before).await;
        let flagged = vec![("NOT_VALID_IN_TERM".to_owned(), one.clone())];
        until("the student is held", async || people.open_flags().await == flagged).await;
        // What comes after it is heard, and a fresh generation says the same.
        people.import(&[student(3)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        assert!(state_of(&aid, &student(3)["姓名"]).await.is_some());
        deployment.stop().await;
        let mut tx = aid.begin().await.expect("begins");
        run!(&mut tx, "UPDATE mirror_state SET change = $1", Uuid::from_u128(9)).expect("is another's cursor");
        tx.commit().await.expect("commits");
        let deployment = start(on()).await;
        let people = schools::People::at(&format!("http://{}", deployment.http)).await;
        until("a fresh generation is loaded", async || state_of(&aid, &student(3)["姓名"]).await.is_some() && generation(&aid).await > 1).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flagged);
        let approved = people.approve(&list).await.expect("is approved");
        assert_eq!((&approved["approved"], &approved["heldAttested"]), (&json!(1), &json!(1)), "{approved}");
        deployment.stop().await;
    }
}

async fn generation(aid: &Db) -> i64 {
    let mut tx = aid.read().await.expect("reads");
    let (generation,) = one!(&mut tx, (i64,), "SELECT generation FROM mirror_state").expect("reads").expect("a row");
    tx.rollback().await.expect("ends");
    generation
}

/// Names of schools as the mirror holds them.
async fn schools_mirrored(aid: &Db) -> Vec<String> {
    let mut tx = aid.read().await.expect("reads");
    let names =
        rows!(&mut tx, (String,), "SELECT name FROM mirror_schools WHERE generation = (SELECT generation FROM mirror_state) ORDER BY name").expect("reads");
    tx.rollback().await.expect("ends");
    names.into_iter().map(|(name,)| name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_says_more_than_before_says_every_changed_record_again_once() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = databases(engine).await;
        let on = || options(databases.clone(), folder.path(), "none", Settings::default());
        let deployment: Deployment = start(on()).await;
        let people = schools::open(&deployment).await;
        people.import(&(1..=3).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        deployment.stop().await;
        let (enrollment, aid) = open(databases.as_ref(), folder.path()).await;
        let whole = schools_mirrored(&aid).await;
        // As a version before left it: of a lower format, one record said otherwise than it would be now.
        let mut tx = enrollment.begin().await.expect("begins");
        let (record, body) =
            one!(&mut tx, (Uuid, Vec<u8>), "SELECT record, body FROM shared_records WHERE kind = 10 ORDER BY record").expect("reads").expect("a row");
        let mut told = Record::decode(&body[..]).expect("decodes");
        let Some(Body::School(school)) = &mut told.body else { panic!("a school") };
        school.name = "旧说法".into();
        run!(&mut tx, "UPDATE shared_records SET body = $2 WHERE kind = 10 AND record = $1", record, told.encode_to_vec()).expect("is as before");
        run!(&mut tx, "UPDATE feed_sequencer SET format = 1").expect("is as before");
        let logged = one!(&mut tx, (i64,), "SELECT count(*) FROM change_log").expect("reads").expect("a row").0;
        tx.commit().await.expect("commits");
        let logged_now = async || {
            let mut tx = enrollment.read().await.expect("reads");
            let (count, format) =
                one!(&mut tx, (i64, i32), "SELECT (SELECT count(*) FROM change_log), format FROM feed_sequencer").expect("reads").expect("a row");
            tx.rollback().await.expect("ends");
            (count, format)
        };
        for _ in 0..2 {
            let deployment = start(on()).await;
            until("it is said again", async || logged_now().await == (logged + 1, xuezhu_bridge::format::FORMAT)).await;
            deployment.drain().await.expect("drains");
            deployment.stop().await;
            assert_eq!(schools_mirrored(&aid).await, whole);
            assert_eq!(logged_now().await.0, logged + 1, "the others were said so already");
        }
    }
}
