//! The aid service (资助): the only truth about who is paid what. It pays only whom the enrollment service vouches for.
//!
//! Capabilities stand on floors; each names only what lies below it, and is the one writer of its tables. A test reads both off the tree.
//!
//! | floor | capability | what | its tables |
//! | --- | --- | --- | --- |
//! | 7 | doors: `api.rs` of each, `takeouts.rs` for what is taken out of several | gRPC in | |
//! | 6 | [`today`] | what the first page needs, of all below | |
//! | 6 | [`overview`] | how a region stands, counted from all below | |
//! | 5 | [`dossiers`] | the door to dossiers of every kind: desks, inbox, chains | |
//! | 5 | [`evidence`] | files that prove something, with dossiers and cases | |
//! | 5 | [`trial`] | what a policy that is proposed would change | |
//! | 5 | [`story`] | what is shown of flags, and of a student across all below | |
//! | 4 | [`following`] | what is made of each batch: rows, what was forgotten, who is judged | |
//! | 4 | `head_counts` | what enrollment counted of a school, compared | `head_counts` |
//! | 5 | [`class_awards`] | who of a class is on which lists | |
//! | 5 | [`audit`] | the audit: read, and witnessed with the enrollment service | |
//! | 5 | [`groups`] | whom other departments know to be of a special group | `special_groups` |
//! | 4 | [`hardship`] | 困难等级 that schools determine, and what they rest on | `hardship_levels` |
//! | 4 | [`omissions`] | who should be listed and is not, as the principal signs it | `omission_lists`, `omission_items` |
//! | 4 | [`statements`] | what students signed of a scheme and term | `student_statements` |
//! | 4 | [`summaries`] | what a department's schools were approved in a term, as its head signs it | `term_summaries`, `term_summary_lines` |
//! | 4 | [`award`] | lists of a school, scheme and term | `award_lists`, `award_entries`, `award_units`, `award_corrections`, `imports` |
//! | 3 | [`reconciliation`] | two drivers of the judge ([`xuezhu_judge`]), flags and their life | `flags`, `flag_steps`, `person_locks`, `person_subjects`, `marked_keys`, `rejudge`, `woken`, `runs` |
//! | 3 | [`quota`] | how many may be given a scheme, and who is | `quota_gates`, `quota_bases`, `quota_places`, `quota_excess` |
//! | 3 | [`notice`] | what of lists is shown publicly, and what is said against it | `notices`, `notice_entries`, `objections` |
//! | 2 | [`register`] | what the department confirmed, and what became of the money | `cases`, `case_steps` |
//! | 2 | [`forgotten`] | what enrollment said and does not know any more | `forgotten`, `forgotten_keys` |
//! | 2 | [`policy`] | by which policies a deployment goes, from which day | `policies` |
//! | 1 | [`mirror`] | what enrollment says, by generation | `mirror_schools`, `mirror_persons` and theirs, `mirror_enrollments`, `mirror_periods`, `mirror_head_counts`, `vouches` |
//! | 0 | `cells` | a row of a file while it is read | |
//! | 0 | `asked` | what many requests ask for alike | |
//! | 0 | [`sessions`] | whose log-in is over, as enrollment says | `sessions`, `ended_sessions` |
//! | | [`before`] | what a database of before holds, and how it becomes what is stored now: writes anybody's, once | |
//!
//! Files that prove something (`evidence`, `evidence_leaving`) are kept by [`xuezhu_evidence`], dossiers by [`xuezhu_review`].
//! Where the mirror stands (`mirror_state`, `mirror_loading`, `mirror_lanes`) is kept by [`xuezhu_bridge::keeping`]. What may be joined with
//! by others: the mirror's rows of the present generation, and the views `award_claims`, `approved_units`, `determined_levels`, `levels_under_way`,
//! `standing_statements` and `reopened_terms`.
//!
//! A change walks one way: feed → following → mirror → judge → flags. To add a capability: a folder with `api.rs`, `mod.rs`,
//! `rules.rs` and `store.rs`, its tables in a new migration, its service in [`Aid::routes`].

mod asked;
pub mod audit;
pub mod award;
pub mod before;
mod cells;
pub mod class_awards;
pub mod dossiers;
pub mod evidence;
pub mod following;
pub mod forgotten;
pub mod groups;
pub mod hardship;
mod head_counts;
pub mod mirror;
pub mod notice;
pub mod omissions;
pub mod overview;
pub mod policy;
pub mod quota;
pub mod reconciliation;
pub mod register;
pub mod sessions;
pub mod statements;
pub mod story;
pub mod summaries;
mod takeouts;
pub mod today;
pub mod trial;

use std::{path::Path, sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{service::Routes, transport::Channel};
use xuezhu_audit::written::Kind;
use xuezhu_bridge::follower::{Follower, Standing};
use xuezhu_evidence::{Vault, upkeep};
use xuezhu_intake::Intake;
use xuezhu_proto::aid::{
    aid_audit_service_server::AidAuditServiceServer, aid_dossier_service_server::AidDossierServiceServer,
    aid_evidence_service_server::AidEvidenceServiceServer, aid_take_out_service_server::AidTakeOutServiceServer,
    aid_today_service_server::AidTodayServiceServer, award_service_server::AwardServiceServer, class_award_service_server::ClassAwardServiceServer,
    forgotten_service_server::ForgottenServiceServer, group_service_server::GroupServiceServer, hardship_service_server::HardshipServiceServer,
    head_count_service_server::HeadCountServiceServer, notice_service_server::NoticeServiceServer, omission_service_server::OmissionServiceServer,
    overview_service_server::OverviewServiceServer, policy_service_server::PolicyServiceServer, quota_service_server::QuotaServiceServer,
    reconciliation_service_server::ReconciliationServiceServer, register_service_server::RegisterServiceServer,
    statement_service_server::StatementServiceServer, summary_service_server::SummaryServiceServer,
};
use xuezhu_service::{
    Clock, Error, Forgetting, Ids, Keyring, Runner,
    audits::Audits,
    faults::Faults,
    health::{Checks, Readiness},
    proof, serve,
    serve::Gate,
    settings::Safeguards,
};
use xuezhu_store::{Db, sqlx::migrate::Migrator};
use xuezhu_takeout::Takeouts;

use xuezhu_judge::case::Rule;

/// Records that are bound to what acts write of them.
pub static BOUND: [&Kind; 7] = [
    &xuezhu_review::bound::DOSSIER,
    &xuezhu_review::bound::CHAIN,
    &award::bound::ENTRY,
    &award::bound::REOPENING,
    &quota::bound::PLACE,
    &notice::bound::OBJECTION,
    &summaries::bound::SUMMARY,
];

/// The schema, for both engines.
pub static MIGRATIONS: Migrator = xuezhu_store::sqlx::migrate!("./migrations");

/// How often old answers are forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);
/// How often bad tokens may be recorded anew.
const MINUTE: Duration = Duration::from_secs(60);
/// How often lag and open flags are measured.
const MEASURE: Duration = Duration::from_secs(5);

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
    /// The versions of the policy.
    pub policies: policy::Kept,
    /// Where long work runs.
    pub tasks: TaskTracker,
    /// How the mirror stands with its source.
    pub standing: watch::Receiver<Standing>,
    /// How old the mirror may be for awards to be approved on it.
    pub mirror_age: Duration,
    /// Takes files in.
    pub intake: Intake,
    /// Gives tables out.
    pub takeouts: Takeouts,
    /// The audit.
    pub audits: Audits,
    /// Who may come in, and how long that is kept.
    pub safeguards: Safeguards,
}

impl Parts {
    /// Whether the mirror is too old to approve on, or its age is not known.
    pub fn is_stale(&self) -> bool {
        self.standing.borrow().age().is_none_or(|age| age > self.mirror_age)
    }
}

/// Whom aid follows, and how.
#[derive(Debug, Clone)]
pub struct Following {
    /// The enrollment service.
    pub source: Channel,
    /// Name of this follower.
    pub name: String,
    /// First digits of the region that is followed; empty for all.
    pub scope: String,
    /// A batch is applied in one transaction unless each of two would get so many records.
    pub lane_records: usize,
    /// How old the mirror may be for awards to be approved on it.
    pub mirror_age: Duration,
}

/// A running aid service.
#[derive(Debug, Clone)]
pub struct Aid {
    parts: Arc<Parts>,
    readiness: Readiness,
}

impl Aid {
    /// Names of the gRPC services.
    pub const NAMES: &'static [&'static str] = &[
        "xuezhu.aid.v1.AwardService",
        "xuezhu.aid.v1.AidDossierService",
        "xuezhu.aid.v1.ReconciliationService",
        "xuezhu.aid.v1.ForgottenService",
        "xuezhu.aid.v1.RegisterService",
        "xuezhu.aid.v1.AidTodayService",
        "xuezhu.aid.v1.OverviewService",
        "xuezhu.aid.v1.PolicyService",
        "xuezhu.aid.v1.HardshipService",
        "xuezhu.aid.v1.NoticeService",
        "xuezhu.aid.v1.QuotaService",
        "xuezhu.aid.v1.HeadCountService",
        "xuezhu.aid.v1.StatementService",
        "xuezhu.aid.v1.OmissionService",
        "xuezhu.aid.v1.SummaryService",
        "xuezhu.aid.v1.GroupService",
        "xuezhu.aid.v1.ClassAwardService",
        "xuezhu.aid.v1.AidEvidenceService",
        "xuezhu.aid.v1.AidTakeOutService",
        "xuezhu.aid.v1.AidAuditService",
    ];

    /// Migrates the database and starts the follower, the wake and the housekeeping on `tasks`. A new folder's policy is that of `policy_file`, where one is named.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the process that owns the service, handed over once")]
    pub async fn start(
        db: Db,
        clock: Clock,
        ids: Ids,
        keyring: Keyring,
        vault: Vault,
        policy_file: Option<&Path>,
        following: Following,
        safeguards: Safeguards,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        before::prove(&db, &keyring).await?;
        db.migrate(&MIGRATIONS).await?;
        proof::keep(&db, &keyring).await?;
        before::convert(&db, &keyring).await?;
        let policies = policy::begin(&db, policy_file, ids.next(clock.now()), clock.now_us()).await?;
        let readiness = Checks::default().and_database(&db, &clock, &keyring, &MIGRATIONS).watch("aid", stop.clone());
        let runner = Runner::new(db, clock.clone(), ids, keyring.clone());
        runner.bind_of_before(&BOUND).await?;
        let gate = Gate::new(&keyring, runner.clone());
        let intake = Intake::start(runner.clone(), gate.clone(), keyring.clone(), tasks.clone()).await?;
        let takeouts = Takeouts::new(runner.clone(), gate.clone());
        let audits = Audits::new(runner.clone(), keyring.clone());
        tasks.spawn(audits.clone().keep_sealed(stop.clone()));
        let standing = watch::Sender::new(Standing::default());
        let parts = Arc::new(Parts {
            runner,
            gate,
            keyring: keyring.clone(),
            vault,
            policies,
            tasks: tasks.clone(),
            standing: standing.subscribe(),
            mirror_age: following.mirror_age,
            intake,
            takeouts,
            audits,
            safeguards,
        });
        sessions::recall(&parts).await?;
        tasks.spawn(sessions::listen(parts.clone(), following.source.clone(), following.name.clone(), stop.clone()));
        tasks.spawn(sessions::report(parts.clone(), following.source.clone(), following.name.clone(), stop.clone()));
        tasks.spawn(audit::witness(parts.clone(), following.source.clone(), following.name.clone(), stop.clone()));
        let mirror = following::keeper(parts.clone(), following.lane_records);
        let follower = Follower::new(Arc::new(mirror), following.source, &keyring, parts.gate.tokens().clone(), &following.name, &following.scope, standing);
        tasks.spawn(follower.run(stop.clone()));
        tasks.spawn(serve::stop_when_replaced(parts.runner.db().clone(), stop.clone()));
        tasks.spawn(reconciliation::sweep::keep_awake(parts.clone(), stop.clone()));
        tasks.spawn(reconciliation::sweep::fail_broken_runs(parts.clone(), stop.clone()));
        tasks.spawn(head_counts::keep(parts.clone(), stop.clone()));
        tasks.spawn(keep_house(parts.clone(), stop.clone()));
        Ok(Self { parts, readiness })
    }

    /// The gRPC services.
    pub fn routes(&self) -> Routes {
        Routes::new(AwardServiceServer::new(award::api::AwardApi(self.parts.clone())))
            .add_service(ReconciliationServiceServer::new(reconciliation::api::ReconciliationApi { parts: self.parts.clone() }))
            .add_service(AidDossierServiceServer::new(dossiers::api::DossierApi(self.parts.clone())))
            .add_service(ForgottenServiceServer::new(forgotten::api::ForgottenApi(self.parts.clone())))
            .add_service(RegisterServiceServer::new(register::api::RegisterApi(self.parts.clone())))
            .add_service(AidTodayServiceServer::new(today::api::TodayApi(self.parts.clone())))
            .add_service(OverviewServiceServer::new(overview::api::OverviewApi(self.parts.clone())))
            .add_service(PolicyServiceServer::new(policy::api::PolicyApi(self.parts.clone())))
            .add_service(HardshipServiceServer::new(hardship::api::HardshipApi(self.parts.clone())))
            .add_service(NoticeServiceServer::new(notice::api::NoticeApi(self.parts.clone())))
            .add_service(QuotaServiceServer::new(quota::api::QuotaApi(self.parts.clone())))
            .add_service(OmissionServiceServer::new(omissions::api::OmissionApi(self.parts.clone())))
            .add_service(SummaryServiceServer::new(summaries::api::SummaryApi(self.parts.clone())))
            .add_service(ClassAwardServiceServer::new(class_awards::api::ClassAwardApi(self.parts.clone())))
            .add_service(GroupServiceServer::new(groups::api::GroupApi(self.parts.clone())))
            .add_service(StatementServiceServer::new(statements::api::StatementApi(self.parts.clone())))
            .add_service(HeadCountServiceServer::new(head_counts::api::HeadCountApi(self.parts.clone())))
            .add_service(AidEvidenceServiceServer::new(evidence::api::EvidenceApi(self.parts.clone())))
            .add_service(AidAuditServiceServer::new(audit::api::AuditApi(self.parts.clone())))
            .add_service(AidTakeOutServiceServer::new(takeouts::TakeOutApi(self.parts.clone())))
    }

    /// What the use cases need: for the process that embeds the service.
    pub fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    /// Whether it can do its work.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// How the follower stands.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.parts.standing.clone()
    }
}

async fn keep_house(parts: Arc<Parts>, stop: CancellationToken) {
    let (mut hours, mut minutes, mut measures) = (tokio::time::interval(HOUSEKEEPING), tokio::time::interval(MINUTE), tokio::time::interval(MEASURE));
    let mut forgetting = Forgetting::new(parts.runner.db().clone(), parts.runner.clock().clone());
    let mut faults = Faults::new("measures", MEASURE, MEASURE);
    let mut house = Faults::new("forgetting what is old", HOUSEKEEPING, HOUSEKEEPING);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hours.tick() => {
                match forget(&parts, &mut forgetting).await {
                    Ok(()) => house.over(),
                    Err(error) => drop(house.note(&error)),
                }
            }
            _ = minutes.tick() => parts.gate.new_minute(),
            _ = measures.tick() => match tokio::time::timeout(MEASURE, measure(&parts)).await {
                Ok(Ok(())) => faults.over(),
                Ok(Err(error)) => say_nothing_known(&mut faults, &error),
                Err(_) => say_nothing_known(&mut faults, &"no answer in time"),
            }
        }
    }
}

async fn forget(parts: &Parts, forgetting: &mut Forgetting) -> Result<(), Error> {
    let now_us = forgetting.now_us().await?;
    parts.runner.forget_old_requests(now_us).await?;
    parts.audits.forget_access(parts.safeguards.access_log_days, now_us).await?;
    parts.runner.db().write(&now_us, |tx, now_us| Box::pin(xuezhu_intake::archive::forget_old(tx, *now_us))).await?;
    let kept = upkeep::keep(&parts.runner, &parts.vault, evidence::Holding, now_us).await?;
    groups::forget(parts).await?;
    tracing::debug!(?kept, "evidence that lapsed, and files that nobody asks for");
    Ok(())
}

/// A count that can't be made is told as none, not as it was.
fn say_nothing_known(faults: &mut Faults, error: &dyn std::fmt::Display) {
    faults.note(error);
    metrics::gauge!("xuezhu_forgotten_records").set(f64::NAN);
    for rule in Rule::ALL {
        metrics::gauge!("xuezhu_open_flags", "rule" => rule.as_str()).set(f64::NAN);
        metrics::gauge!("xuezhu_waiting_flags", "rule" => rule.as_str()).set(f64::NAN);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
async fn measure(parts: &Parts) -> Result<(), Error> {
    let standing = *parts.standing.borrow();
    // A mirror that never heard from its source is as old as can be, not fresh.
    metrics::gauge!("xuezhu_mirror_age_seconds").set(standing.age().map_or(f64::INFINITY, |age| age.as_secs_f64()));
    metrics::gauge!("xuezhu_mirror_stale").set(f64::from(u8::from(parts.is_stale())));
    metrics::gauge!("xuezhu_feed_lag_positions").set(standing.lag().map_or(f64::NAN, |lag| lag as f64));
    let mut tx = parts.runner.db().read().await?;
    // Also where the wake is busy: a version is known long before its day.
    let policies = parts.policies.fresh(&mut tx).await;
    let counts = reconciliation::counts_by_rule(&mut tx, "", "", "").await;
    let forgotten = forgotten::count(&mut tx, "", "").await;
    let heads = head_counts::outcomes(&mut tx).await;
    tx.rollback().await?;
    let (_, counts, forgotten, heads) = (policies?, counts?, forgotten?, heads?);
    for (outcome, schools) in heads {
        metrics::gauge!("xuezhu_head_counts", "outcome" => outcome.as_str()).set(schools as f64);
    }
    metrics::gauge!("xuezhu_forgotten_records").set(forgotten as f64);
    for rule in Rule::ALL {
        let (flags, waiting) = counts.iter().find(|count| count.rule == rule).map_or((0, 0), |count| (count.flags, count.waiting));
        metrics::gauge!("xuezhu_open_flags", "rule" => rule.as_str()).set(flags as f64);
        metrics::gauge!("xuezhu_waiting_flags", "rule" => rule.as_str()).set(waiting as f64);
    }
    Ok(())
}
