//! The feed beside `PostgreSQL`'s logical replication of the same rows between the same two servers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use sqlx::AssertSqlSafe;
use sqlx_postgres::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use xuezhu::deployment::{channel, system_clock};
use xuezhu_aid::{Aid, Following};
use xuezhu_domain::enrollment::Change;
use xuezhu_enrollment::{
    Enrollment, Parts,
    identity_check::registry::Registry,
    status_change::{self, Event, What},
};
use xuezhu_intake::Intake;
use xuezhu_judge::{case::Rule, life::State};
use xuezhu_service::{
    Actor, Context, Ids, Keyring, Role, Runner,
    audits::Audits,
    serve::{self, Gate},
    settings::{Safeguards, Settings},
};
use xuezhu_store::Db;
use xuezhu_takeout::Takeouts;
use xuezhu_tests::{
    postgres::Cluster,
    province::{self, SCHOOL},
    until,
};

use crate::{SERVER, rate, seconds};

/// Changes that are under way at once while they are committed one by one.
const AT_ONCE: usize = 8;

/// Both services, running in this process.
struct Running {
    tasks: TaskTracker,
    stop: CancellationToken,
    dbs: (Db, Db),
}

async fn start(urls: (&str, &str), keys: &(Keyring, Keyring)) -> Running {
    let (tasks, stop, ids) = (TaskTracker::new(), CancellationToken::new(), Ids::random());
    let dbs = (Db::open(urls.0).await.expect("opens"), Db::open(urls.1).await.expect("opens"));
    let clock = system_clock();
    let enrollment = Enrollment::start(
        dbs.0.clone(),
        clock.clone(),
        ids.clone(),
        keys.0.clone(),
        xuezhu_evidence::Vault::memory(),
        Registry::None,
        Safeguards::default(),
        &tasks,
        &stop,
    )
    .await
    .expect("enrollment starts");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let source = channel(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a channel");
    let (routes, ready, made, ended) = (enrollment.routes(), enrollment.readiness(), ids.clone(), stop.clone());
    tasks.spawn(async move { drop(serve::serve(listener.into(), routes, Enrollment::NAMES, ready, made, xuezhu_listen::Share::Quarter, ended).await) });
    let settings = Settings::default();
    let mirror_age = std::time::Duration::from_secs(settings.mirror_max_age_seconds);
    let following = Following { source, name: "aid".into(), scope: String::new(), lane_records: settings.lane_records, mirror_age };
    Aid::start(dbs.1.clone(), clock, ids, keys.1.clone(), xuezhu_evidence::Vault::memory(), None, following, Safeguards::default(), &tasks, &stop)
        .await
        .expect("aid starts");
    Running { tasks, stop, dbs }
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.dbs.0.close().await;
        self.dbs.1.close().await;
    }
}

async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_as::<_, (i64,)>(sql).fetch_one(pool).await.map_or(-1, |(count,)| count)
}

/// Measures how fast `changes` withdrawals become flags, half of the students being on a list.
pub async fn measure(changes: i64) {
    let (source, target) = tokio::task::spawn_blocking(|| (Cluster::start(&SERVER), Cluster::start(&SERVER))).await.expect("clusters start");
    let (enrollment_url, aid_url, replica_url) = (source.create("enrollment").await, target.create("aid").await, target.create("replica").await);
    let (enrollment, aid, replica) = (
        PgPool::connect(&enrollment_url).await.expect("connects"),
        PgPool::connect(&aid_url).await.expect("connects"),
        PgPool::connect(&replica_url).await.expect("connects"),
    );
    let keys = Keyring::generate();
    let db = Db::open(&enrollment_url).await.expect("opens");
    db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
    province::enroll(&db, &system_clock(), changes, "2026-09-01").await;
    println!("{changes} students enrolled; the mirror is loaded …");
    let running = start((&enrollment_url, &aid_url), &keys).await;
    until("the mirror holds every student", async || number(&aid, "SELECT count(*) FROM mirror_enrollments").await == changes).await;
    until("the mirror is switched to", async || number(&aid, "SELECT generation FROM mirror_state").await > 0).await;
    // A fresh generation marks everybody; what is measured begins when they were all judged.
    until("nobody is marked", async || number(&aid, "SELECT count(*) FROM marked_keys").await == 0).await;
    running.stop().await;
    province::list(&aid, (1, changes / 2), "2026-AUTUMN", &[202_609, 202_610, 202_611, 202_612, 202_701]).await;

    // The same rows, by logical replication, into a table with the same indexes.
    province::run(&enrollment, &["CREATE PUBLICATION rows FOR TABLE change_log WITH (publish = 'insert')".into()]).await;
    province::run(
        &replica,
        &[
            "CREATE TABLE change_log (change uuid PRIMARY KEY, position bigint UNIQUE, kind integer NOT NULL, record uuid NOT NULL, version bigint NOT NULL,
             scope_before text NOT NULL, scope text NOT NULL, body bytea NOT NULL, at_us bigint NOT NULL, trace text NOT NULL, UNIQUE (kind, record, version))"
                .into(),
            "CREATE INDEX change_log_unsequenced ON change_log (change) WHERE position IS NULL".into(),
            format!(
                "CREATE SUBSCRIPTION rows CONNECTION '{}' PUBLICATION rows WITH (copy_data = false, enabled = false, synchronous_commit = 'on')",
                source.connection("enrollment")
            ),
        ],
    )
    .await;
    let runner = Runner::new(db.clone(), system_clock(), Ids::random(), keys.0.clone());
    let gate = Gate::new(&keys.0, runner.clone());
    let intake = Intake::start(runner.clone(), gate.clone(), keys.0.clone(), TaskTracker::new()).await.expect("an intake");
    let (vault, takeouts) = (xuezhu_evidence::Vault::memory(), Takeouts::new(runner.clone(), gate.clone()));
    let audits = Audits::new(runner.clone(), keys.0.clone());
    let parts = Arc::new(Parts {
        runner,
        gate,
        keyring: keys.0.clone(),
        vault,
        registry: Registry::None,
        intake,
        takeouts,
        audits,
        safeguards: Safeguards::default(),
        log_ins: xuezhu_enrollment::directory::LogIns::default(),
    });
    commit_one_by_one(&parts, &enrollment, changes).await;
    let begun = Instant::now();
    province::run(&replica, &["ALTER SUBSCRIPTION rows ENABLE".into()]).await;
    while number(&replica, "SELECT count(*) FROM change_log").await < changes {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let replicated = begun.elapsed();
    province::run(&replica, &["ALTER SUBSCRIPTION rows DISABLE".into(), "ALTER SUBSCRIPTION rows SET (slot_name = NONE)".into()]).await;

    let head = number(&enrollment, "SELECT next_position - 1 FROM feed_sequencer").await + changes;
    let begun = Instant::now();
    let running = start((&enrollment_url, &aid_url), &keys).await;
    while number(&aid, "SELECT position FROM mirror_state").await < head {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let followed = begun.elapsed();
    running.stop().await;
    const { assert!(State::Open.code() == 1 && Rule::NotValidInTerm.code() == 3) };
    let flags = number(&aid, "SELECT count(*) FROM flags WHERE state = 1 AND rule = 3").await;
    assert_eq!(flags, changes / 2, "every student on a list is flagged");
    println!("logical replication, rows only        {:>8.2} s  {:>9.0} rows/s", seconds(replicated), rate(changes, replicated));
    println!("feed, mirror, judged, {flags:>7} flags   {:>8.2} s  {:>9.0} rows/s", seconds(followed), rate(changes, followed));
    println!("feed : logical replication = {:.2}", seconds(replicated) / seconds(followed));
}

/// Withdraws every student, each in a transaction of its own, as the service does it, while no sequencer runs.
async fn commit_one_by_one(parts: &Arc<Parts>, pool: &PgPool, changes: i64) {
    let begun = Instant::now();
    let next = Arc::new(AtomicI64::new(1));
    let mut workers = Vec::new();
    for _ in 0..AT_ONCE {
        let (parts, pool, next) = (parts.clone(), pool.clone(), next.clone());
        workers.push(tokio::spawn(async move {
            loop {
                let student = next.fetch_add(1, Ordering::Relaxed);
                if student > changes {
                    return;
                }
                withdraw(&parts, &pool, student).await;
            }
        }));
    }
    for worker in workers {
        worker.await.expect("a worker ends");
    }
    println!("{changes} withdrawals committed one by one in {:.1} s", seconds(begun.elapsed()));
}

async fn withdraw(parts: &Arc<Parts>, pool: &PgPool, student: i64) {
    let (school, enrollment): (String, Uuid) =
        sqlx::query_as(AssertSqlSafe(format!("SELECT {SCHOOL}, md5('e' || i)::uuid FROM (SELECT {student}::bigint AS i) AS one")))
            .fetch_one(pool)
            .await
            .expect("ids");
    let clerk = Actor {
        account: "clerk".into(),
        display_name: "经办人".into(),
        role: Role::SchoolClerk,
        organisation: school.clone(),
        must_change_password: false,
        must_set_factor: false,
        session_us: 0,
        stands_in: None,
        classes: Vec::new(),
    };
    let ctx = Context::new(clerk, &system_clock(), &Ids::random());
    let effective = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date");
    let event = Event { what: What::Status(Change::Withdraw), school, enrollment, effective, reason: "转出".into() };
    let with = (ctx, parts.clone(), event);
    let recorded = parts.runner.db().write(&with, |tx, (ctx, parts, event)| Box::pin(status_change::record(ctx, tx, parts, event)));
    recorded.await.expect("is recorded");
}
