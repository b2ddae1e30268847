//! A wall clock that steps, a day forward and back: it stops nothing, hides nothing, and nothing is forgotten by it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use xuezhu::deployment::{channel, system_clock};
use xuezhu_aid::{Aid, Following};
use xuezhu_enrollment::{Enrollment, identity_check::registry::Registry};
use xuezhu_proto::bridge::{School, record::Body};
use xuezhu_service::{Actor, Clock, Context, Forgetting, Ids, Keyring, serve, settings::Safeguards};
use xuezhu_store::{Db, one, run};
use xuezhu_tests::{Engine, postgres, prepare, until};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// The system's clock, moved by so many microseconds.
fn moved_by(offset_us: &Arc<AtomicI64>) -> Clock {
    let (system, offset_us) = (system_clock(), offset_us.clone());
    Clock::new(move || system.now() + chrono::TimeDelta::microseconds(offset_us.load(Ordering::Relaxed)))
}

async fn database(engine: Engine, folder: &std::path::Path, name: &str) -> String {
    match engine {
        Engine::Sqlite => format!("sqlite:{}", folder.join(name).display()),
        Engine::Postgres => postgres::database().await,
    }
}

/// Both services in this process, each with a clock of its own.
struct Both {
    enrollment: Enrollment,
    aid: Aid,
    dbs: (Db, Db),
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Both {
    async fn start(urls: &(String, String), clocks: (&Clock, &Clock), keys: &(Keyring, Keyring)) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let dbs = (Db::open(&urls.0).await.expect("opens"), Db::open(&urls.1).await.expect("opens"));
        let enrollment = Enrollment::start(
            dbs.0.clone(),
            clocks.0.clone(),
            Ids::random(),
            keys.0.clone(),
            xuezhu_evidence::Vault::memory(),
            Registry::None,
            Safeguards::default(),
            &tasks,
            &stop,
        )
        .await
        .expect("starts");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let source = channel(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a channel");
        let (routes, ready, ended) = (enrollment.routes(), enrollment.readiness(), stop.clone());
        tasks.spawn(
            async move { drop(serve::serve(listener.into(), routes, Enrollment::NAMES, ready, Ids::random(), xuezhu_listen::Share::Quarter, ended).await) },
        );
        let mirror_age = std::time::Duration::from_secs(600);
        let following = Following { source, name: "aid".into(), scope: String::new(), lane_records: 250, mirror_age };
        let aid = Aid::start(
            dbs.1.clone(),
            clocks.1.clone(),
            Ids::random(),
            keys.1.clone(),
            xuezhu_evidence::Vault::memory(),
            None,
            following,
            Safeguards::default(),
            &tasks,
            &stop,
        )
        .await
        .expect("starts");
        Self { enrollment, aid, dbs, tasks, stop }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        tokio::join!(self.dbs.0.close(), self.dbs.1.close());
    }
}

/// Logs a school, as a use case would.
async fn share(enrollment: &Enrollment, clock: &Clock, code: &str) {
    let runner = &enrollment.parts().runner;
    let with = (Context::new(Actor::system(), clock, runner.ids()), code.to_owned());
    runner
        .db()
        .write(&with, |tx, (ctx, code)| {
            Box::pin(async move {
                let body = Body::School(School { code: code.clone(), name: code.clone(), ..School::default() });
                xuezhu_bridge::publish(ctx, tx, &[xuezhu_bridge::Shared { id: xuezhu_bridge::log::school_id(code), scope: "430102".into(), body }]).await
            })
        })
        .await
        .expect("is logged");
    runner.committed().notify_waiters();
}

async fn has(aid: &Aid, code: &str) -> bool {
    let mut tx = aid.parts().runner.db().read().await.expect("reads");
    let found = one!(&mut tx, (i32,), "SELECT 1 FROM mirror_schools WHERE school = $1", code).expect("reads");
    tx.rollback().await.expect("ends");
    found.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_forward_and_back_stops_no_feed_through_restarts_and_hides_no_age() {
    prepare();
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let urls = (database(engine, folder.path(), "e.db").await, database(engine, folder.path(), "a.db").await);
        let (offset_us, keys) = (Arc::new(AtomicI64::new(0)), Keyring::generate());
        for (round, step) in [DAY_US, -DAY_US, 0].into_iter().enumerate() {
            // Each round a restart, while the clock stands as the round before left it.
            let clock = moved_by(&offset_us);
            let both = Both::start(&urls, (&clock, &clock), &keys).await;
            let (enrollment, aid) = (&both.enrollment, &both.aid);
            let before = format!("36{round}0000001");
            share(enrollment, &clock, &before).await;
            until("the feed works", async || has(aid, &before).await).await;
            offset_us.fetch_add(step, Ordering::Relaxed);
            let after = format!("36{round}0000002");
            share(enrollment, &clock, &after).await;
            until("the feed works after the step", async || has(aid, &after).await).await;
            until("the mirror's age is what it is", async || aid.standing().borrow().age().is_some_and(|age| age.as_secs() < 30)).await;
            assert!(!aid.parts().is_stale(), "{engine:?} {round}");
            both.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_a_time_is_not_forgotten_by_a_step() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&database(engine, folder.path(), "e.db").await).await.expect("opens");
        db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
        let offset_us = Arc::new(AtomicI64::new(0));
        let clock = moved_by(&offset_us);
        let mut tx = db.begin().await.expect("begins");
        let statement = "INSERT INTO requests (actor, request_id, method, fingerprint, at_us) VALUES ('a', 'b', 'c', $1, $2)";
        run!(&mut tx, statement, &Uuid::nil().as_bytes()[..], clock.now_us()).expect("is kept");
        tx.commit().await.expect("commits");
        let runner = xuezhu_service::Runner::new(db.clone(), clock.clone(), Ids::random(), Keyring::generate().0);
        let mut forgetting = Forgetting::new(db.clone(), clock.clone());
        let begun = forgetting.now_us().await.expect("is told");
        offset_us.store(400 * DAY_US, Ordering::Relaxed);
        let stepped = forgetting.now_us().await.expect("is told");
        assert!(stepped - begun < 600 * 1_000_000, "{engine:?}: a step of 400 days moves it no further than time that passed");
        runner.forget_old_requests(stepped).await.expect("works");
        // Another process begins after the step, and sees the clock go back below where it was.
        let mut another = Forgetting::new(db.clone(), clock);
        assert!(another.now_us().await.expect("is told") - begun < 600 * 1_000_000, "{engine:?}");
        offset_us.store(-DAY_US, Ordering::Relaxed);
        assert!(another.now_us().await.expect("is told") < begun, "{engine:?}: never ahead of the wall clock");
        let mut tx = db.read().await.expect("reads");
        assert!(one!(&mut tx, (i32,), "SELECT 1 FROM requests").expect("reads").is_some(), "{engine:?}: the answer is still known");
        tx.rollback().await.expect("ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_while_a_clock_stands_behind_is_kept_as_long() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&database(engine, folder.path(), "e.db").await).await.expect("opens");
        db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
        let offset_us = Arc::new(AtomicI64::new(0));
        let clock = moved_by(&offset_us);
        let runner = xuezhu_service::Runner::new(db.clone(), clock.clone(), Ids::random(), Keyring::generate().0);
        let mut forgetting = Forgetting::new(db.clone(), clock.clone());
        forgetting.now_us().await.expect("is told");
        // While nobody keeps house.
        offset_us.store(-100 * DAY_US, Ordering::Relaxed);
        let mut ctx = runner.system_context();
        ctx.request_id = "once".into();
        let call = xuezhu_service::runner::Call::of_bytes("Test", "", &[]);
        let done = runner.mutate(&ctx, call, &(), |ctx, tx, ()| {
            Box::pin(async move {
                let body = Body::School(School { code: "3643000001".into(), ..School::default() });
                let shared = xuezhu_bridge::Shared { id: xuezhu_bridge::log::school_id("3643000001"), scope: "430102".into(), body };
                xuezhu_bridge::publish(ctx, tx, &[shared]).await.map(|()| School::default())
            })
        });
        done.await.expect("is done");
        offset_us.store(0, Ordering::Relaxed);
        let now_us = Forgetting::new(db.clone(), clock).now_us().await.expect("is told");
        runner.forget_old_requests(now_us).await.expect("works");
        xuezhu_bridge::trim::trim(&db, now_us).await.expect("works");
        let mut tx = db.read().await.expect("reads");
        assert!(one!(&mut tx, (i32,), "SELECT 1 FROM requests").expect("reads").is_some(), "{engine:?}: the answer is still known");
        assert!(one!(&mut tx, (i32,), "SELECT 1 FROM change_log").expect("reads").is_some(), "{engine:?}: the change is still logged");
        tx.rollback().await.expect("ends");
    }
}

/// The wall clocks of the two machines stand a day apart, in either direction, from the start and through a step under open streams:
/// the services go on speaking with each other, and people's sessions are good in both.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_one_machines_clock_shuts_no_service_off_and_ends_no_session() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let urls = (database(Engine::Sqlite, folder.path(), "e.db").await, database(Engine::Sqlite, folder.path(), "a.db").await);
    let keys = Keyring::generate();
    for (round, (enrollments, aids)) in [(0, 0), (DAY_US, 0), (0, DAY_US), (-DAY_US, 0), (0, -DAY_US)].into_iter().enumerate() {
        let clocks = (moved_by(&ours), moved_by(&theirs));
        let both = Both::start(&urls, (&clocks.0, &clocks.1), &keys).await;
        let (enrollment, aid) = (&both.enrollment, &both.aid);
        let holds = async |what: &str, serial: u32| {
            let code = format!("36{round}000000{serial}");
            share(enrollment, &clocks.0, &code).await;
            until(&format!("the feed works {what}"), async || has(aid, &code).await).await;
            let actor = Actor { account: "clerk".into(), role: xuezhu_service::Role::SchoolClerk, ..Actor::system() };
            let (token, _) = enrollment.parts().gate.tokens().issue(&actor, 3600).expect("signs");
            until(&format!("a session is good in both {what}"), async || {
                enrollment.parts().gate.tokens().verify(&token).is_ok() && aid.parts().gate.tokens().verify(&token).is_ok()
            })
            .await;
        };
        holds("as it stands", 1).await;
        ours.store(enrollments, Ordering::Relaxed);
        theirs.store(aids, Ordering::Relaxed);
        holds("after the step", 2).await;
        both.stop().await;
    }
}
