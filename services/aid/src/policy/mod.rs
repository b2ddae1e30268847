//! By which policies a deployment goes: versions, each proposed by one person of the department that all schools lie under and signed by
//! another. What a policy says, and how it is checked, is [`xuezhu_judge::policy`].
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | with which policy a folder begins, what is gone by now, proposing |
//! | `kind` | a policy as a kind of dossier: the last signature makes it a version |
//! | `api` | gRPC in |
//!
//! A version holds from a later day than that of its signature, so that nobody's work changes under their hands: each process knows it by
//! then.

pub mod api;
pub mod kind;
mod store;

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{Days, NaiveDate};
use uuid::Uuid;
use xuezhu_domain::{Term, region};
use xuezhu_judge::policy::{FIRST_VERSION, Paid, Policies, Policy, PolicyError, Scheme, SchemeCode, Version};
use xuezhu_proto::aid as pb;
use xuezhu_review::{Filter, OfSchool, Proposal, inbox};
use xuezhu_service::{
    Context, Error, FieldErrors, Permission, Place, Reason, Refusal,
    clock::rfc3339,
    paging::{self, Turn},
};
use xuezhu_store::{Db, StoreError, Tx};

use self::store::{PolicyRow, State};
use crate::{Parts, mirror};

/// From which day the first version holds, as it is stored: it always did.
const ALWAYS: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day");
/// Longest reason for a policy, in characters.
const NOTE: usize = 500;
/// How far ahead the day may lie from which a policy holds.
const DAYS_AHEAD: u64 = 1_000;

/// Policies that a deployment can't begin with.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("policy file: {path}: {error}")]
    Unread {
        /// Where it should be.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
    /// What it says is no sound policy.
    #[error("policy file: {path}: {error}")]
    Unsound {
        /// Where it is.
        path: String,
        /// Every fault.
        error: PolicyError,
    },
}

/// What a file says.
fn load(path: &Path) -> Result<Policy, LoadError> {
    let shown = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::Unread { path: shown(), error })?;
    Policy::parse(&text).map_err(|error| LoadError::Unsound { path: shown(), error })
}

/// The versions that this process goes by.
#[derive(Debug, Clone)]
pub struct Kept(Arc<RwLock<Arc<Policies>>>);

impl Kept {
    /// All of them, as they were read last.
    pub fn now(&self) -> Arc<Policies> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All of them, read again where there are others by now.
    pub async fn fresh(&self, tx: &mut Tx) -> Result<Arc<Policies>, Error> {
        let known = self.now();
        if store::newest(tx).await? == known.newest().number {
            return Ok(known);
        }
        let read = Arc::new(read(tx).await?);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever looked at rows of before knows less than somebody else by now.
        if read.newest().number > kept.newest().number {
            *kept = read.clone();
        }
        Ok(read)
    }
}

/// Every version.
async fn read(tx: &mut Tx) -> Result<Policies, Error> {
    let rows = store::versions(tx).await?;
    let version = |row: store::VersionRow| {
        let policy = Policy::kept(&row.content).map_err(|error| {
            tracing::error!(version = row.version, %error, "a version of the policy can't be read");
            StoreError::Corrupt("a version of the policy")
        })?;
        Ok(Version { number: row.version, from: row.from_day, policy: Arc::new(policy) })
    };
    let versions = rows.into_iter().map(version).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Policies::of(versions).ok_or(StoreError::Corrupt("versions of the policy"))?)
}

/// The versions of a folder. One that has none gets its first: that of the setting, or what comes with the program; a folder that was lived
/// in before there were versions goes on by what it went by.
///
/// # Errors
/// Where a new folder is to begin with a file that can't be used. A folder that has versions does not read the file.
pub async fn begin(db: &Db, file: Option<&Path>, policy: Uuid, now_us: i64) -> Result<Kept, Error> {
    let with = (file.map(Path::to_owned), policy, now_us);
    let policies = db.write(&with, |tx, (file, policy, now_us)| Box::pin(first_or_known(tx, file.as_deref(), *policy, *now_us))).await?;
    Ok(Kept(Arc::new(RwLock::new(Arc::new(policies)))))
}

async fn first_or_known(tx: &mut Tx, file: Option<&Path>, policy: Uuid, now_us: i64) -> Result<Policies, Error> {
    if store::newest(tx).await? > 0 {
        if file.is_some() {
            tracing::info!("the setting policy_file is for a new folder alone: this one goes by the versions that it has");
        }
        return read(tx).await;
    }
    let first = match file {
        Some(path) => load(path).map_err(|error| Error::Internal(error.to_string()))?,
        None if store::lived(tx).await? => Policy::of_before(),
        None => Policy::built_in(),
    };
    let row = PolicyRow {
        policy,
        version: Some(FIRST_VERSION),
        state: State::Signed,
        from_day: ALWAYS,
        content: first.text().to_owned(),
        note: if file.is_some() { "部署时指定的政策文件" } else { "系统自带的政策" }.to_owned(),
        proposed_by: String::new(),
        proposed_by_name: String::new(),
        proposed_at_us: now_us,
        authority: String::new(),
    };
    store::insert(tx, &row).await?;
    read(tx).await
}

/// What is proposed.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// The text.
    pub content: String,
    /// From which day it is to hold, as it was written.
    pub from_date: String,
    /// Why.
    pub note: String,
}

/// A policy that was read, with the day from which it is to hold.
struct Sound {
    policy: Policy,
    from: NaiveDate,
    note: String,
}

/// Faults of what is proposed, each by its field and place.
fn sound(ctx: &Context, policies: &Policies, proposed: &Proposed) -> Result<Sound, Error> {
    let mut errors = FieldErrors::default();
    let from = errors.date("from_date", &proposed.from_date);
    if let Some(why) = from.and_then(|from| too_early(ctx.today(), policies, from)) {
        errors.add("from_date", why);
    }
    let note = errors.text("note", &proposed.note, NOTE);
    let policy = match Policy::parse(&proposed.content) {
        Ok(policy) => {
            if let Some(why) = policies.refuses(&policy) {
                errors.add("content", why);
            }
            Some(policy)
        }
        Err(PolicyError(faults)) => {
            for fault in faults {
                errors.add("content", fault.to_string());
            }
            None
        }
    };
    errors.check()?;
    match (policy, from, note) {
        (Some(policy), Some(from), Some(note)) => Ok(Sound { policy, from, note }),
        _ => Err(Error::Internal("a field is missing and not told".into())),
    }
}

/// Why a policy can't hold from a day: it holds from a later day than today's, and from no earlier one than the version before.
fn too_early(today: NaiveDate, policies: &Policies, from: NaiveDate) -> Option<String> {
    let newest = policies.newest();
    if from <= today {
        Some("生效日期应在今天以后".to_owned())
    } else if from > today + Days::new(DAYS_AHEAD) {
        Some("生效日期过远，请核对年份".to_owned())
    } else {
        (from < newest.from).then(|| format!("生效日期不能早于第{}版的生效日期{}", newest.number, newest.from))
    }
}

/// Proposes a policy: its dossier lies with the department's desk, where a second person signs it. It speaks for all schools, so it is the
/// business of a department under which all of them lie.
pub async fn propose(ctx: &Context, tx: &mut Tx, parts: &Parts, proposed: &Proposed) -> Result<pb::Policy, Error> {
    let authority = ctx.actor.organisation.clone();
    ctx.may(Permission::Approve, &Place::School { code: "", authority: &authority })?;
    speaks_for_all(tx, &authority).await?;
    let policies = parts.policies.fresh(tx).await?;
    let sound = sound(ctx, &policies, proposed)?;
    yields_to_none_above(tx, &authority).await?;
    for (other, of) in store::proposed(tx).await? {
        if !is_above(&authority, &of) {
            return Err(Refusal::wrong_state("另有一份政策待审核：请先审核或撤回，再拟订新的").into());
        }
        // What a department below proposed gives way.
        xuezhu_review::overtake(ctx, tx, &kind::PolicyChange { parts }, "", &[other], "上级主管部门另行拟订").await?;
    }
    let row = PolicyRow {
        policy: ctx.new_id(),
        version: None,
        state: State::Proposed,
        from_day: sound.from,
        content: sound.policy.text().to_owned(),
        note: sound.note.clone(),
        proposed_by: ctx.actor.account.clone(),
        proposed_by_name: ctx.actor.display_name.clone(),
        proposed_at_us: ctx.now_us(),
        authority: authority.clone(),
    };
    store::insert(tx, &row).await?;
    let proposal = Proposal {
        dossier: ctx.new_id(),
        subject: Some(row.policy),
        title: format!("资助政策（自{}起）", row.from_day),
        reason: sound.note,
        items: vec![kind::item(&row)],
    };
    let at = OfSchool { code: "", authority: &authority };
    let dossier = xuezhu_review::submit(ctx, tx, &kind::PolicyChange { parts }, at, proposal).await?;
    Ok(pb::Policy { dossier: dossier.dossier.to_string(), ..told(ctx, &row, &policies) })
}

/// Whether a department stands above another.
fn is_above(authority: &str, other: &str) -> bool {
    authority != other && other.starts_with(region::prefix_or_all(authority))
}

/// Refuses a department below the one that took the newest version: what a province decided no city changes.
async fn yields_to_none_above(tx: &mut Tx, authority: &str) -> Result<(), Error> {
    let newest = store::newest_authority(tx).await?;
    if newest.is_empty() || !is_above(&newest, authority) {
        return Ok(());
    }
    let name = region::spans(&newest).last().map_or_else(|| newest.clone(), |span| span.name.to_owned());
    Err(Refusal::new(Reason::Forbidden, format!("现行的政策由上级主管部门（{name}）拟订：只能由该部门或其上级拟订新的")).into())
}

/// Refuses a department under which not all schools lie: a policy speaks for all of them.
async fn speaks_for_all(tx: &mut Tx, authority: &str) -> Result<(), Error> {
    if mirror::covers_all(tx, authority).await? {
        return Ok(());
    }
    Err(Refusal::field("authority", "资助政策适用于全部学校，只能由管辖全部学校的主管部门拟订；还没有学校时，请先登记学校").into())
}

/// One policy, whole: whoever is logged in may read by what is decided.
pub async fn one(ctx: &Context, tx: &mut Tx, parts: &Parts, policy: Uuid) -> Result<pb::Policy, Error> {
    let row = store::policy(tx, policy).await?.ok_or_else(|| Refusal::not_found("该政策"))?;
    let of_policy = Filter { kind: kind::ABOUT.code, subject: Some(policy), ..Filter::default() };
    let dossier = inbox::search(tx, &of_policy, &Turn::first(1)).await?.pop();
    Ok(pb::Policy { dossier: dossier.map(|known| known.dossier.to_string()).unwrap_or_default(), ..told(ctx, &row, &*parts.policies.fresh(tx).await?) })
}

/// Policies, what was proposed last first, with how many there are in all.
pub async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, turn: &Turn<Uuid>) -> Result<(Vec<pb::Policy>, i32), Error> {
    let policies = parts.policies.fresh(tx).await?;
    let rows = store::policies(tx, turn).await?;
    let total = if turn.is_numbered { store::count(tx).await? } else { 0 };
    Ok((rows.iter().map(|row| told(ctx, row, &policies)).collect(), paging::told(total)))
}

/// A scheme as clients are told of it.
#[derive(Debug, Clone)]
pub(crate) struct SchemeTold {
    /// Of the state's schemes which.
    pub scheme: i32,
    /// Which.
    pub scheme_code: String,
    /// Its name.
    pub scheme_name: String,
}

/// A scheme as somebody asks for it, told where it is none.
pub(crate) fn scheme_asked(policies: &Policies, scheme: &str, errors: &mut FieldErrors) -> Option<SchemeCode> {
    let code = policies.scheme_called(scheme);
    if code.is_none() {
        errors.add("scheme", "政策中没有这个项目：应为GRANT、TUITION_WAIVER或地方项目的代码");
    }
    code
}

/// A scheme and a term as somebody asks for them, each told where it is none.
pub(crate) fn asked(policies: &Policies, scheme: &str, term: &str, errors: &mut FieldErrors) -> Option<(SchemeCode, Term)> {
    scheme_asked(policies, scheme, errors).zip(errors.parse::<Term>("term", term))
}

/// A scheme that was stored, as clients are told of it.
pub(crate) fn scheme_told(policies: &Policies, scheme: &str) -> SchemeTold {
    let code = SchemeCode::parse(scheme);
    let of_state = pb::scheme::Code::from_str_name(scheme).unwrap_or(pb::scheme::Code::Other);
    SchemeTold {
        scheme: of_state.into(),
        scheme_code: scheme.to_owned(),
        scheme_name: code.map(|code| policies.scheme_name(code).to_owned()).unwrap_or_default(),
    }
}

/// The schemes of the policy that holds today.
pub(crate) fn schemes(ctx: &Context, parts: &Parts) -> Vec<pb::PolicyScheme> {
    parts.policies.now().on(ctx.today()).policy.schemes().iter().map(scheme_of).collect()
}

/// A scheme as a policy has it.
pub(crate) fn scheme_of(scheme: &Scheme) -> pb::PolicyScheme {
    pb::PolicyScheme {
        scheme_code: scheme.code.as_str().to_owned(),
        scheme_name: scheme.name.clone(),
        by_month: scheme.paid == Paid::Month,
        by_right: scheme.by_right,
    }
}

/// What is kept of a policy that others try.
pub(crate) struct KeptRow {
    /// Its number, once it was signed.
    pub version: Option<i32>,
    /// From which day it holds.
    pub from_day: NaiveDate,
    /// Whose desk decides.
    pub authority: String,
}

/// A policy that was proposed, and what it says.
pub(crate) async fn kept(tx: &mut Tx, policy: Uuid) -> Result<(KeptRow, Policy), Error> {
    let row = store::policy(tx, policy).await?.ok_or_else(|| Refusal::not_found("该政策"))?;
    let said = Policy::kept(&row.content).map_err(|_| StoreError::Corrupt("a policy that was sound"))?;
    Ok((KeptRow { version: row.version, from_day: row.from_day, authority: row.authority }, said))
}

fn told(ctx: &Context, row: &PolicyRow, policies: &Policies) -> pb::Policy {
    let state = match row.state {
        State::Proposed => pb::policy::State::Proposed,
        State::Signed if row.version == Some(policies.on(ctx.today()).number) => pb::policy::State::Holds,
        State::Signed if row.from_day > ctx.today() => pb::policy::State::Signed,
        State::Signed => pb::policy::State::Former,
        State::Dropped => pb::policy::State::Dropped,
    };
    pb::Policy {
        policy: row.policy.to_string(),
        version: row.version.unwrap_or_default(),
        state: state.into(),
        from_date: if row.from_day == ALWAYS { String::new() } else { row.from_day.to_string() },
        content: row.content.clone(),
        note: row.note.clone(),
        proposed_by: row.proposed_by_name.clone(),
        propose_time: rfc3339(row.proposed_at_us),
        dossier: String::new(),
    }
}
