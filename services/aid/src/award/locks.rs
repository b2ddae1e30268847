//! A term's lists lock on a day that their policy names: after it nothing more is entered, signed or approved, and only corrections are made. The
//! province's officer opens a school's term again, for some days and a reason.

use chrono::NaiveDate;
use xuezhu_domain::Term;
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Reason, Refusal, clock::rfc3339};
use xuezhu_store::{StoreError, Tx};

use super::store::{self, ListRow, ReopeningRow};
use crate::{
    Parts, mirror,
    policy::{self, scheme_told},
};

/// Longest reason, in characters.
const REASON: usize = 500;
/// For how many days a term is open again, at most.
const DAYS_OPEN: i64 = 60;

/// Of which lists: those of a school, a scheme and a term, as they go by a version of the policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'l> {
    pub school: &'l str,
    pub region: &'l str,
    pub scheme: &'l str,
    pub term: &'l str,
    pub policy: i32,
}

impl<'l> Of<'l> {
    pub fn list(list: &'l ListRow) -> Self {
        Self { school: &list.school, region: &list.region, scheme: &list.scheme, term: &list.term, policy: list.policy }
    }
}

/// The last day on which lists can be worked on; none where their policy knows no lock.
pub(super) fn last_day(parts: &Parts, of: Of<'_>) -> Option<NaiveDate> {
    let term: Term = of.term.parse().ok()?;
    parts.policies.now().version(of.policy).days(term, of.region)?.lock
}

/// How lists stand with their lock on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// They can be worked on.
    Open,
    /// Since after this day they can't.
    Locked(NaiveDate),
    /// They were locked, and can be worked on until this day.
    Reopened(NaiveDate),
}

/// How lists stand; only of those over their day something is looked up.
pub(super) async fn stands(tx: &mut Tx, parts: &Parts, of: Of<'_>, today: NaiveDate) -> Result<Stands, Error> {
    let Some(last) = last_day(parts, of).filter(|last| today > *last) else { return Ok(Stands::Open) };
    let until = store::reopened_until(tx, of.school, of.scheme, of.term, today).await?;
    Ok(until.map_or(Stands::Locked(last), Stands::Reopened))
}

/// Refuses where lists are locked and nobody opened them again.
pub(super) async fn unlocked(ctx: &Context, tx: &mut Tx, parts: &Parts, of: Of<'_>) -> Result<(), Error> {
    let Stands::Locked(last) = stands(tx, parts, of, ctx.today()).await? else { return Ok(()) };
    let term: Term = of.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    let why = format!("{}的名单已于{last}锁定，不能再录入、签核和审核，已审核的只能申请更正；确需补办的，请省级主管部门重新开放", term.name());
    Err(Refusal::new(Reason::TermLocked, why).into())
}

/// What is asked to be opened again.
#[derive(Debug, Clone)]
pub(super) struct Reopened {
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub until: String,
    pub reason: String,
}

/// Opens a school's lists of a scheme and term again.
pub(super) async fn reopen(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Reopened) -> Result<pb::Reopening, Error> {
    let school = mirror::school_for(ctx, tx, &asked.school, Permission::Reconcile).await?;
    if !ctx.decides_here() || !ctx.actor.organisation.ends_with("0000") {
        return Err(Refusal::new(Reason::Forbidden, "只有省级主管部门可以重新开放已锁定的学期").into());
    }
    let mut errors = FieldErrors::default();
    let policies = parts.policies.now();
    let named = policy::asked(&policies, &asked.scheme, &asked.term, &mut errors);
    let reason = errors.text("reason", &asked.reason, REASON);
    if asked.reason.trim().is_empty() {
        errors.add("reason", "请写明重新开放的原因");
    }
    let until = errors.date("until_date", &asked.until);
    if until.is_some_and(|until| until < ctx.today() || until - ctx.today() > chrono::Duration::days(DAYS_OPEN)) {
        errors.add("until_date", format!("应在今天以后、{DAYS_OPEN}天以内"));
    }
    errors.check()?;
    let missing = || Error::Internal("a field is missing and not told".into());
    let (scheme, term) = named.ok_or_else(missing)?;
    let (until, reason) = until.zip(reason).ok_or_else(missing)?;
    // A list locks by its own version; one that is to be opened by that of now.
    let mut versions = store::versions_of(tx, &school.school, scheme.as_str(), &term.to_string()).await?;
    versions.push(policies.of_term(term, ctx.today()).number);
    let term_text = term.to_string();
    let of = |policy: i32| Of { school: &school.school, region: &school.region, scheme: scheme.as_str(), term: &term_text, policy };
    if !versions.into_iter().any(|version| last_day(parts, of(version)).is_some_and(|last| ctx.today() > last)) {
        return Err(Refusal::wrong_state("该学期的名单没有锁定，不用重新开放").into());
    }
    let row = ReopeningRow {
        reopening: ctx.new_id(),
        school: school.school,
        scheme: scheme.as_str().to_owned(),
        term: term.to_string(),
        until_day: until,
        reason,
        opened_by: ctx.actor.account.clone(),
        opened_by_name: ctx.actor.display_name.clone(),
        opened_at_us: ctx.now_us(),
    };
    store::reopen(ctx, tx, &row).await?;
    Ok(told(parts, row))
}

/// What was opened again of a school, the last first.
pub(super) async fn reopenings(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str) -> Result<Vec<pb::Reopening>, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadMoney).await?;
    Ok(store::reopenings(tx, &school.school).await?.into_iter().map(|row| told(parts, row)).collect())
}

fn told(parts: &Parts, row: ReopeningRow) -> pb::Reopening {
    let scheme = scheme_told(&parts.policies.now(), &row.scheme);
    pb::Reopening {
        reopening: row.reopening.to_string(),
        school: row.school,
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        term: row.term,
        until_date: row.until_day.to_string(),
        reason: row.reason,
        opened_by: row.opened_by_name,
        open_time: rfc3339(row.opened_at_us),
    }
}
