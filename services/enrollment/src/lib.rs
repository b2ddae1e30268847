//! The enrollment service (学籍): the only truth about who studies where.
//!
//! | capability | what |
//! | --- | --- |
//! | `audit` | the audit: read, and witnessed with the aid service |
//! | [`before`] | what a database of before holds, and how it becomes what is stored now |
//! | [`directory`] | schools and their codes, accounts, sessions |
//! | [`import`] | the workbook |
//! | [`registration`] | draft → submitted → attested → approved, or sent back |
//! | [`identity_check`] | the registry and the 学籍号 |
//! | [`status_change`] | leave, return, withdrawal, correction of identity |
//! | [`dossiers`] | the door to dossiers of every kind: desks, inbox, chains |
//! | [`evidence`] | files that prove something, with dossiers |
//! | `class_lists` | whose class a class is, who is in it, what its teacher confirmed |
//! | `head_counts` | how many students a school has, counted for those who follow |
//! | [`record`] | one student whole: entered and edited by hand, kept, and what was done |
//! | [`students`] | what is shown of the roll: lists, one student, what held when |
//! | `takeouts` | the door to what is taken out as a workbook |
//! | [`today`] | what the first page needs, of all of them |
//! | [`sharing`] | what the bridge hands out |
//!
//! A request walks one way: `proto → api.rs → mod.rs → rules.rs → store.rs`. To add a capability: a folder with these
//! files, its tables in a new migration, its service in [`Enrollment::routes`].

mod audit;
pub mod before;
mod class_lists;
pub mod directory;
mod door;
pub mod dossiers;
pub mod evidence;
mod head_counts;
pub mod identity_check;
pub mod import;
pub mod record;
pub mod registration;
mod roll;
pub mod sharing;
pub mod status_change;
pub mod students;
mod takeouts;
pub mod today;

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::service::Routes;
use xuezhu_audit::written::Kind;
use xuezhu_bridge::{sequencer::Sequencer, server::FeedServer};
use xuezhu_evidence::{Vault, upkeep};
use xuezhu_intake::Intake;
use xuezhu_proto::{
    bridge::enrollment_feed_service_server::EnrollmentFeedServiceServer,
    enrollment::{
        class_service_server::ClassServiceServer, deputy_service_server::DeputyServiceServer, directory_file_service_server::DirectoryFileServiceServer,
        directory_service_server::DirectoryServiceServer, enrollment_audit_service_server::EnrollmentAuditServiceServer,
        enrollment_dossier_service_server::EnrollmentDossierServiceServer, enrollment_evidence_service_server::EnrollmentEvidenceServiceServer,
        enrollment_service_server::EnrollmentServiceServer, enrollment_take_out_service_server::EnrollmentTakeOutServiceServer,
        enrollment_today_service_server::EnrollmentTodayServiceServer, head_count_service_server::HeadCountServiceServer,
        session_service_server::SessionServiceServer, submission_service_server::SubmissionServiceServer,
    },
};
use xuezhu_service::{
    Clock, Error, Forgetting, Ids, Keyring, Runner,
    audits::Audits,
    faults::Faults,
    health::{Checks, Readiness},
    proof,
    runner::Call,
    serve,
    serve::Gate,
    settings::Safeguards,
};
use xuezhu_store::{Db, sqlx::migrate::Migrator};
use xuezhu_takeout::Takeouts;

use directory::LogIns;
use identity_check::registry::Registry;

/// Records that are bound to what acts write of them.
pub static BOUND: [&Kind; 5] =
    [&directory::ACCOUNT, &directory::deputies::DEPUTY, &directory::teachers::TEACHING, &xuezhu_review::bound::DOSSIER, &xuezhu_review::bound::CHAIN];

/// The schema, for both engines.
pub static MIGRATIONS: Migrator = xuezhu_store::sqlx::migrate!("./migrations");

/// How often old answers, files and changes are forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);
/// How often bad tokens may be recorded anew.
const MINUTE: Duration = Duration::from_secs(60);

/// What the use cases need beside a transaction.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Runs mutations.
    pub runner: Runner,
    /// Knows who calls.
    pub gate: Gate,
    /// The deployment's keys.
    pub keyring: Keyring,
    /// Where files lie that prove something.
    pub vault: Vault,
    /// The population registry.
    pub registry: Registry,
    /// Takes files in.
    pub intake: Intake,
    /// Gives tables out.
    pub takeouts: Takeouts,
    /// The audit.
    pub audits: Audits,
    /// Who may come in, and how long that is kept.
    pub safeguards: Safeguards,
    /// Who tries to log in.
    pub log_ins: LogIns,
}

/// A running enrollment service.
#[derive(Debug, Clone)]
pub struct Enrollment {
    parts: Arc<Parts>,
    feed: FeedServer,
    readiness: Readiness,
    stop: CancellationToken,
}

impl Enrollment {
    /// Migrates the database, begins the history, and starts the sequencer and the housekeeping on `tasks`.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the process that owns the service, handed over once")]
    pub async fn start(
        db: Db,
        clock: Clock,
        ids: Ids,
        keyring: Keyring,
        vault: Vault,
        registry: Registry,
        safeguards: Safeguards,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        before::prove(&db, &keyring).await?;
        db.migrate(&MIGRATIONS).await?;
        proof::keep(&db, &keyring).await?;
        before::convert(&db, &keyring).await?;
        let runner = Runner::new(db.clone(), clock.clone(), ids.clone(), keyring.clone());
        runner.bind_of_before(&BOUND).await?;
        let gate = Gate::new(&keyring, runner.clone());
        let sequencer = Sequencer::new(db.clone(), clock.clone(), &ids, runner.committed(), stop.clone()).await?;
        let head = sequencer.head();
        let checks = Checks::default().and_database(&db, &clock, &keyring, &MIGRATIONS).and("feed", move || {
            let led = head.borrow().is_led();
            Box::pin(async move { if led { Ok(()) } else { Err("nobody gives positions to committed changes".to_owned()) } })
        });
        let readiness = checks.watch("enrollment", stop.clone());
        let feed = FeedServer::new(db, clock, gate.clone(), &keyring, sequencer.head(), stop.clone());
        tasks.spawn(sequencer.run());
        let intake = Intake::start(runner.clone(), gate.clone(), keyring.clone(), tasks.clone()).await?;
        let takeouts = Takeouts::new(runner.clone(), gate.clone());
        let audits = Audits::new(runner.clone(), keyring.clone());
        tasks.spawn(audits.clone().keep_sealed(stop.clone()));
        let parts = Arc::new(Parts { runner, gate, keyring, vault, registry, intake, takeouts, audits, safeguards, log_ins: LogIns::default() });
        directory::sessions::refresh(&parts).await?;
        tasks.spawn(directory::sessions::keep(parts.clone(), stop.clone()));
        tasks.spawn(directory::idle::keep(parts.clone(), stop.clone()));
        tasks.spawn(directory::schools::keep(parts.clone(), stop.clone()));
        tasks.spawn(keep_house(parts.clone(), stop.clone()));
        tasks.spawn(serve::stop_when_replaced(parts.runner.db().clone(), stop.clone()));
        tasks.spawn(share_anew(parts.clone(), stop.clone()));
        tasks.spawn(head_counts::keep(parts.clone(), stop.clone()));
        Ok(Self { parts, feed, readiness, stop: stop.clone() })
    }

    /// Names of the gRPC services.
    pub const NAMES: &'static [&'static str] = &[
        "xuezhu.enrollment.v1.SessionService",
        "xuezhu.enrollment.v1.DirectoryService",
        "xuezhu.enrollment.v1.DirectoryFileService",
        "xuezhu.enrollment.v1.DeputyService",
        "xuezhu.enrollment.v1.ClassService",
        "xuezhu.enrollment.v1.HeadCountService",
        "xuezhu.enrollment.v1.EnrollmentService",
        "xuezhu.enrollment.v1.SubmissionService",
        "xuezhu.enrollment.v1.EnrollmentDossierService",
        "xuezhu.enrollment.v1.EnrollmentTodayService",
        "xuezhu.enrollment.v1.EnrollmentEvidenceService",
        "xuezhu.enrollment.v1.EnrollmentTakeOutService",
        "xuezhu.enrollment.v1.EnrollmentAuditService",
        "xuezhu.bridge.v1.EnrollmentFeedService",
    ];

    /// Whether it can do its work.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// The gRPC services.
    pub fn routes(&self) -> Routes {
        let directory = directory::api::DirectoryApi { parts: self.parts.clone(), stop: self.stop.clone() };
        Routes::new(SessionServiceServer::new(directory.clone()))
            .add_service(DirectoryServiceServer::new(directory))
            .add_service(DirectoryFileServiceServer::new(directory::files::api::DirectoryFileApi(self.parts.clone())))
            .add_service(DeputyServiceServer::new(directory::deputies::api::DeputyApi(self.parts.clone())))
            .add_service(ClassServiceServer::new(class_lists::api::ClassApi(self.parts.clone())))
            .add_service(HeadCountServiceServer::new(head_counts::api::HeadCountApi(self.parts.clone())))
            .add_service(EnrollmentServiceServer::new(door::EnrollmentApi(self.parts.clone())))
            .add_service(SubmissionServiceServer::new(registration::api::SubmissionApi(self.parts.clone())))
            .add_service(EnrollmentDossierServiceServer::new(dossiers::api::DossierApi(self.parts.clone())))
            .add_service(EnrollmentTodayServiceServer::new(today::api::TodayApi(self.parts.clone())))
            .add_service(EnrollmentEvidenceServiceServer::new(evidence::api::EvidenceApi(self.parts.clone())))
            .add_service(EnrollmentTakeOutServiceServer::new(takeouts::TakeOutApi(self.parts.clone())))
            .add_service(EnrollmentAuditServiceServer::new(audit::api::AuditApi(self.parts.clone())))
            .add_service(EnrollmentFeedServiceServer::new(self.feed.clone()))
    }

    /// Opens the accounts of the first administrators with one-time passwords, as many as there are of these, where there is no account at all.
    pub async fn ensure_first_administrators(&self, passwords: &[String]) -> Result<bool, Error> {
        let hashes = passwords.iter().map(|password| directory::hash_password(password)).collect::<Result<Vec<String>, Error>>()?;
        let ctx = self.parts.runner.system_context();
        let names = directory::FIRST_ADMINISTRATORS.map(str::to_owned)[..hashes.len().min(2)].join(" ");
        let what = ("OpenFirstAdministrators", names.as_str());
        self.parts.runner.act(&ctx, what, &hashes, |ctx, tx, hashes| Box::pin(directory::ensure_first_administrators(ctx, tx, hashes))).await
    }

    /// What the use cases need: for the process that embeds the service.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }
}

/// Gives an administrator of the whole deployment a one-time password, for who stands at the database with its keys: on record.
pub async fn recover(db: Db, clock: Clock, ids: Ids, keyring: &Keyring, account: &str, password: &str) -> Result<(), Error> {
    before::prove(&db, keyring).await?;
    db.migrate(&MIGRATIONS).await?;
    proof::keep(&db, keyring).await?;
    before::convert(&db, keyring).await?;
    let runner = Runner::new(db, clock, ids, keyring.clone());
    runner.bind_of_before(&BOUND).await?;
    let ctx = runner.system_context();
    let asked = (account.to_owned(), directory::hash_password(password)?);
    let call = Call::of_bytes("RecoverAdministrator", account, &[]).secret();
    let recovered = runner.mutate(&ctx, call, &asked, |ctx, tx, (account, hash)| Box::pin(directory::recover(ctx, tx, account, hash))).await;
    recovered.map(drop).map_err(|status| Error::Internal(status.message().to_owned()))
}

/// Publishes again what a higher format of the feed changes, until that is done.
async fn share_anew(parts: Arc<Parts>, stop: CancellationToken) {
    let mut faults = Faults::new("records in the present format", MINUTE / 60, MINUTE);
    loop {
        let ctx = parts.runner.system_context();
        let renewed = xuezhu_bridge::renewal::renew(parts.runner.db(), &ctx, |_, tx, kind, ids| Box::pin(sharing::renewed(tx, kind, ids)));
        let wait = tokio::select! {
            () = stop.cancelled() => return,
            renewed = renewed => match renewed {
                Ok(published) => {
                    if published > 0 {
                        parts.runner.committed().notify_waiters();
                    }
                    return faults.over();
                }
                Err(error) => faults.note(&error),
            },
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn keep_house(parts: Arc<Parts>, stop: CancellationToken) {
    let (mut hours, mut minutes) = (tokio::time::interval(HOUSEKEEPING), tokio::time::interval(MINUTE));
    let mut forgetting = Forgetting::new(parts.runner.db().clone(), parts.runner.clock().clone());
    let mut house = Faults::new("forgetting what is old", HOUSEKEEPING, HOUSEKEEPING);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = minutes.tick() => parts.gate.new_minute(),
            _ = hours.tick() => {
                match forget(&parts, &mut forgetting).await {
                    Ok(()) => house.over(),
                    Err(error) => drop(house.note(&error)),
                }
            }
        }
    }
}

async fn forget(parts: &Parts, forgetting: &mut Forgetting) -> Result<(), Error> {
    let now_us = forgetting.now_us().await?;
    parts.runner.forget_old_requests(now_us).await?;
    parts.audits.forget_access(parts.safeguards.access_log_days, now_us).await?;
    parts.runner.db().write(&now_us, |tx, now_us| Box::pin(xuezhu_intake::archive::forget_old(tx, *now_us))).await?;
    parts.runner.db().write(&now_us, |tx, now_us| Box::pin(directory::forget_ended_sessions(tx, *now_us))).await?;
    let trimmed = xuezhu_bridge::trim::trim(parts.runner.db(), now_us).await?;
    let kept = upkeep::keep(&parts.runner, &parts.vault, evidence::Holding, now_us).await?;
    tracing::debug!(trimmed, ?kept, "old changes forgotten, evidence that lapsed, and files that nobody asks for");
    Ok(())
}
