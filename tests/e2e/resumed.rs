//! What is long goes on where it broke off, and what another process works on is left alone.

use serde_json::json;
use uuid::Uuid;
use xuezhu_aid::reconciliation::sweep::runs::RunState;
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, one, run};
use xuezhu_tests::{
    Engine, options, postgres,
    schools::{self, number, student},
    start, until,
};

async fn on(engine: Engine) -> Option<(String, String)> {
    match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_broke_off_goes_on_with_the_generation_that_it_had() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = on(engine).await;
        let options = || options(databases.clone(), folder.path(), "none", Settings::default());
        let deployment = start(options()).await;
        let people = schools::open(&deployment).await;
        people.import(&(1..=5).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        people.list(&[(&student(1)["姓名"], &number(1), ""), ("李无籍", &number(9), "")]).await;
        deployment.drain().await.expect("drains");
        let flags = people.open_flags().await;
        deployment.stop().await;
        let aid = databases.as_ref().map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid.clone());
        let aid = Db::open(&aid).await.expect("opens");
        // As a kill left it in the midst of a snapshot: schools and persons of the next generation are there, marked by their time; the
        // cursor that the mirror stood on is no good any more.
        let mut tx = aid.begin().await.expect("begins");
        for table in ["mirror_schools", "mirror_persons", "mirror_person_keys", "mirror_person_names"] {
            for statement in [
                format!("CREATE TABLE half AS SELECT * FROM {table} WHERE generation = (SELECT generation FROM mirror_state)"),
                "UPDATE half SET generation = generation + 1".to_owned(),
                format!("INSERT INTO {table} SELECT * FROM half"),
                "DROP TABLE half".to_owned(),
            ] {
                let statement: &'static str = statement.leak();
                run!(&mut tx, statement).expect("is as a kill left it");
            }
        }
        run!(&mut tx, "UPDATE mirror_persons SET recorded_at_us = 42 WHERE generation > (SELECT generation FROM mirror_state)").expect("are marked");
        run!(
            &mut tx,
            "INSERT INTO mirror_loading (only_row, generation, history, scope, position, change, format, after_kind, after_record)
             SELECT 1, generation + 1, history, scope, position, change, format, 11, $1 FROM mirror_state",
            Uuid::max()
        )
        .expect("is noted");
        run!(&mut tx, "UPDATE mirror_state SET last_generation = generation + 1, change = $1", Uuid::from_u128(9)).expect("is another's cursor");
        let (generation,) = one!(&mut tx, (i64,), "SELECT generation FROM mirror_state").expect("reads").expect("a row");
        tx.commit().await.expect("commits");
        let deployment = start(options()).await;
        let people = schools::People::at(&format!("http://{}", deployment.http)).await;
        let count = "SELECT generation, (SELECT count(*) FROM mirror_persons p WHERE p.generation = s.generation AND recorded_at_us = 42),
                     (SELECT count(*) FROM mirror_enrollments e WHERE e.generation = s.generation), (SELECT count(*) FROM mirror_loading) FROM mirror_state s";
        let counted = async || {
            let mut tx = aid.read().await.expect("reads");
            let counted = one!(&mut tx, (i64, i64, i64, i64), count).expect("reads").expect("a row");
            tx.rollback().await.expect("ends");
            counted
        };
        until("the generation that was half there is whole", async || counted().await == (generation + 1, 5, 5, 0)).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flags);
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_another_process_works_on_is_left_alone_and_one_that_nobody_works_on_is_over() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = on(engine).await;
        let deployment = start(options(databases.clone(), folder.path(), "none", Settings::default())).await;
        let people = schools::open(&deployment).await;
        let aid = databases.as_ref().map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid.clone());
        let aid = Db::open(&aid).await.expect("opens");
        let (works, broken) = (Uuid::from_u128(1), Uuid::from_u128(2));
        const { assert!(RunState::Running.code() == 1) };
        let insert = "INSERT INTO runs (run, state, term, region, judged, suspects, started_at_us, ended_at_us, position, actor) VALUES ($1, 1, '', '', 0, 0, 0, 0, 0, 'admin')";
        let write = async |statement: &'static str, run: Uuid| {
            let mut tx = aid.begin().await.expect("begins");
            run!(&mut tx, statement, run).expect("is written");
            tx.commit().await.expect("commits");
        };
        write(insert, works).await;
        write(insert, broken).await;
        let state = async |run: Uuid| people.admin.get(&format!("/v1/reconciliations/{run}")).await.expect("is there")["state"].clone();
        until("the one that stands still is over", async || {
            write("UPDATE runs SET beats = beats + 1 WHERE run = $1", works).await;
            state(broken).await == json!("FAILED")
        })
        .await;
        assert_eq!(state(works).await, json!("RUNNING"));
        deployment.stop().await;
    }
}
