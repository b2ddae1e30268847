//! 学期汇总表: what the schools under a department were approved in a term, as its head signs it and finance pays by it.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | what one says now, submitting, reading |
//! | `rules` | where one stands, what its digest covers |
//! | `kind` | summaries as a kind of dossier |
//! | `api` | gRPC in |

pub mod api;
pub mod bound;
pub mod kind;
pub mod rules;
mod store;

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{Fen, Term, region};
use xuezhu_judge::{case::SchoolSide, policy::SchemeCode};
use xuezhu_proto::aid::{self as pb, term_summary};
use xuezhu_review::{OfSchool, Proposal};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal};
use xuezhu_store::{Hex, Tx};

use self::{
    rules::{Key, Lines, Said, State},
    store::{LineRow, NewLine, SummaryRow},
};
use crate::{Parts, asked, mirror, notice::rules::Stage, policy::scheme_told};

/// What schools under a department were approved.
#[derive(Debug, Default)]
struct Figures {
    /// What may be paid: what a summary says.
    lines: Lines,
    names: HashMap<String, String>,
    /// Students who were approved and may not be paid yet.
    not_payable: BTreeMap<Key, i64>,
    /// Students who are not decided.
    undecided: BTreeMap<Key, i64>,
}

async fn figures(tx: &mut Tx, authority: &str, term: &str, today: NaiveDate) -> Result<Figures, Error> {
    let mut figures = Figures::default();
    for row in store::now(tx, authority, term, today, Stage::AfterAudit.code()).await? {
        let key = (row.school.clone(), row.scheme);
        figures.names.insert(row.school, row.name);
        if row.payable {
            figures.lines.insert(key, Said { entries: row.entries, units: row.units, fen: row.fen });
        } else {
            figures.not_payable.insert(key, row.entries);
        }
    }
    for (school, name, scheme, count) in store::undecided(tx, authority, term).await? {
        figures.names.insert(school.clone(), name);
        figures.undecided.insert((school, scheme), count);
    }
    Ok(figures)
}

/// What a summary says now: what may be paid, and of whom the one that was signed before said more that nothing is left.
fn said(now: &Lines, before: &Lines) -> Lines {
    let gone = before.iter().filter(|(key, said)| said.fen != 0 && !now.contains_key(*key)).map(|(key, _)| (key.clone(), Said::default()));
    now.iter().map(|(key, said)| (key.clone(), *said)).chain(gone).collect()
}

/// What a summary that was submitted would say today.
async fn said_now(tx: &mut Tx, row: &SummaryRow, today: NaiveDate) -> Result<Lines, Error> {
    let before = last_signed(tx, &row.authority, &row.term, Some(row.number)).await?;
    Ok(said(&figures(tx, &row.authority, &row.term, today).await?.lines, &before.lines))
}

/// The term and the department that are asked for, by whoever sees money there.
fn readable(ctx: &Context, region: &str, term: &str) -> Result<(Term, String), Error> {
    let mut errors = FieldErrors::default();
    let (term, region) = (asked::term(ctx, term, &mut errors), asked::region(ctx, region, &mut errors));
    errors.check()?;
    let (Some(term), Some(region)) = (term, region) else { return Err(Error::Internal("a field is missing and not told".into())) };
    ctx.may(Permission::ReadMoney, &Place::Region(&region))?;
    Ok((term, region))
}

/// What a summary would say now, beside what was signed last.
pub async fn preview(ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str, term: &str) -> Result<pb::TermSummary, Error> {
    let (term, authority) = readable(ctx, region, term)?;
    let term = term.to_string();
    let now = figures(tx, &authority, &term, ctx.today()).await?;
    let before = last_signed(tx, &authority, &term, None).await?;
    let keys = now.lines.keys().chain(now.not_payable.keys()).chain(now.undecided.keys()).chain(before.lines.keys()).cloned();
    let mut keys: Vec<Key> = keys.collect();
    keys.sort();
    keys.dedup();
    let borne = Borne::of(tx, parts, (&authority, ctx.today()), &term, keys.iter().map(|key| &key.0)).await?;
    let line = |key: &Key| {
        let count = |of: &BTreeMap<Key, i64>| small(of.get(key).copied().unwrap_or_default());
        let name = now.names.get(&key.0).or_else(|| before.names.get(&key.0)).cloned().unwrap_or_default();
        let said = now.lines.get(key).copied().unwrap_or_default();
        let told = line(&borne, key, name, said, before.lines.get(key).copied());
        pb::SummaryLine { not_payable: count(&now.not_payable), undecided: count(&now.undecided), ..told }
    };
    let digest = rules::digest(&said(&now.lines, &before.lines));
    let lines = keys.iter().map(line).collect();
    let whole = pb::TermSummary { submit_date: ctx.today().to_string(), digest, ..of_department(&authority, term.clone()) };
    Ok(summed(whole, lines, &before))
}

/// What was signed last.
#[derive(Debug, Default)]
struct Before {
    summary: Option<Uuid>,
    lines: Lines,
    names: HashMap<String, String>,
}

impl Before {
    /// What it said is paid.
    fn lines_paid(&self) -> Lines {
        self.lines.iter().filter(|(_, said)| said.fen != 0).map(|(key, said)| (key.clone(), *said)).collect()
    }
}

/// The last of a department and term that was signed, before one where it is named.
async fn last_signed(tx: &mut Tx, authority: &str, term: &str, before: Option<i32>) -> Result<Before, Error> {
    let rows = store::of_term(tx, authority, term).await?;
    let Some(last) = rows.iter().find(|row| row.state == State::Signed && before.is_none_or(|number| row.number < number)) else {
        return Ok(Before::default());
    };
    let lines = store::lines(tx, last.summary).await?;
    let said = |row: &LineRow| ((row.school.clone(), row.scheme.clone()), Said { entries: row.entries, units: row.units, fen: row.fen });
    Ok(Before {
        summary: Some(last.summary),
        lines: lines.iter().map(said).collect(),
        names: lines.into_iter().map(|row| (row.school, row.school_name)).collect(),
    })
}

/// Submits what it says now to the head of the department.
pub async fn submit(ctx: &Context, tx: &mut Tx, parts: &Parts, term: &str, digest: &str) -> Result<pb::TermSummary, Error> {
    let authority = ctx.actor.organisation.clone();
    ctx.may(Permission::Approve, &Place::School { code: "", authority: &authority })?;
    let (term, _) = readable(ctx, &authority, term)?;
    let name = term.name();
    let term = term.to_string();
    let known = store::of_term(tx, &authority, &term).await?;
    if known.iter().any(|row| row.state == State::Submitted) {
        return Err(Refusal::wrong_state(format!("{name}已有一份汇总表待负责人签字：请先撤回，或请负责人退回")).into());
    }
    let now = figures(tx, &authority, &term, ctx.today()).await?;
    let before = last_signed(tx, &authority, &term, None).await?;
    let lines = said(&now.lines, &before.lines);
    if lines.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, format!("{name}还没有审核通过且可以发放的，不用汇总")).into());
    }
    if before.summary.is_some() && now.lines == before.lines_paid() {
        return Err(Refusal::new(Reason::NothingToDo, "与已签字的汇总表一致，不用重新汇总").into());
    }
    if rules::digest(&lines) != digest {
        return Err(Refusal::new(Reason::DigestMismatch, "在您查看之后审核结果有变化，请重新查看再提交").into());
    }
    let row = SummaryRow {
        summary: ctx.new_id(),
        authority: authority.clone(),
        number: known.first().map_or(1, |row| row.number + 1),
        state: State::Submitted,
        dossier: ctx.new_id(),
        reason: String::new(),
        digest: rules::digest(&lines),
        submitted_by: ctx.actor.display_name.clone(),
        submitted_day: ctx.today(),
        signed_by: String::new(),
        signed_day: None,
        term,
    };
    store::insert(ctx, tx, &row).await?;
    let new = |((school, scheme), said): (&Key, &Said)| NewLine {
        line: Hex(ctx.new_id()),
        school: school.clone(),
        school_name: now.names.get(school).or_else(|| before.names.get(school)).cloned().unwrap_or_default(),
        scheme: scheme.clone(),
        entries: said.entries,
        units: said.units,
        fen: said.fen,
    };
    store::insert_lines(tx, row.summary, &lines.iter().map(new).collect::<Vec<_>>()).await?;
    let lines = store::lines(tx, row.summary).await?;
    let total = lines.iter().map(|line| line.fen).sum();
    let proposal = Proposal {
        dossier: row.dossier,
        subject: Some(row.summary),
        title: format!("{name}汇总表（第{}份）：{}人次，{}元", row.number, lines.iter().map(|line| line.entries).sum::<i64>(), Fen(total).yuan()),
        reason: String::new(),
        items: lines.iter().map(|line| kind::item(parts, line)).collect(),
    };
    let at = OfSchool { code: "", authority: &authority };
    xuezhu_review::submit(ctx, tx, &kind::Summary { parts }, at, proposal).await?;
    whole(tx, parts, &row).await
}

/// A summary as it was submitted.
pub async fn one(ctx: &Context, tx: &mut Tx, parts: &Parts, summary: Uuid) -> Result<pb::TermSummary, Error> {
    let found = store::summary(tx, summary).await?;
    let seen = found.filter(|row| ctx.may(Permission::ReadMoney, &Place::Region(&row.authority)).is_ok());
    whole(tx, parts, &seen.ok_or_else(|| Refusal::not_found("该汇总表"))?).await
}

async fn whole(tx: &mut Tx, parts: &Parts, row: &SummaryRow) -> Result<pb::TermSummary, Error> {
    let before = last_signed(tx, &row.authority, &row.term, Some(row.number)).await?;
    let lines = store::lines(tx, row.summary).await?;
    let mut said: Lines = before.lines.keys().map(|key| (key.clone(), Said::default())).collect();
    let mut names = before.names.clone();
    for line in lines {
        names.insert(line.school.clone(), line.school_name);
        said.insert((line.school, line.scheme), Said { entries: line.entries, units: line.units, fen: line.fen });
    }
    let borne = Borne::of(tx, parts, (&row.authority, row.submitted_day), &row.term, said.keys().map(|key| &key.0)).await?;
    let told = said.iter().map(|(key, said)| line(&borne, key, names.get(&key.0).cloned().unwrap_or_default(), *said, before.lines.get(key).copied()));
    Ok(summed(bare(row), told.collect(), &before))
}

/// Summaries of the departments of a region.
pub async fn of_region(ctx: &Context, tx: &mut Tx, region: &str, term: &str) -> Result<pb::ListSummariesResponse, Error> {
    let (term, region) = readable(ctx, region, term)?;
    let (term, prefix) = (term.to_string(), region::prefix_or_all(&region));
    let rows = store::of_region(tx, prefix, &term).await?;
    let summaries = rows.iter().map(|found| pb::TermSummary { entries: small(found.entries), fen: found.fen, ..bare(&found.row) }).collect();
    let without = store::without(tx, prefix, &term).await?.into_iter().map(|(authority,)| region::full_name(&authority)).collect();
    Ok(pb::ListSummariesResponse { term, summaries, without })
}

fn of_department(authority: &str, term: String) -> pb::TermSummary {
    pb::TermSummary { authority: authority.to_owned(), authority_name: region::full_name(authority), term, ..pb::TermSummary::default() }
}

fn bare(row: &SummaryRow) -> pb::TermSummary {
    let state = match row.state {
        State::Submitted => term_summary::State::Submitted,
        State::Signed => term_summary::State::Signed,
        State::Dropped => term_summary::State::Dropped,
    };
    pb::TermSummary {
        summary: row.summary.to_string(),
        number: row.number,
        state: state.into(),
        dossier: row.dossier.to_string(),
        reason: row.reason.clone(),
        submitted_by: row.submitted_by.clone(),
        submit_date: row.submitted_day.to_string(),
        signed_by: row.signed_by.clone(),
        sign_date: row.signed_day.map(|day| day.to_string()).unwrap_or_default(),
        digest: row.digest.clone(),
        ..of_department(&row.authority, row.term.clone())
    }
}

/// Where schools are, and in which term: by that a cost is shared.
struct Borne<'b> {
    parts: &'b Parts,
    day: NaiveDate,
    term: &'b str,
    schools: HashMap<String, SchoolSide>,
    /// Other departments that signed for a school.
    elsewhere: HashMap<String, Vec<String>>,
}

impl<'b> Borne<'b> {
    async fn of(
        tx: &mut Tx,
        parts: &'b Parts,
        (authority, day): (&str, NaiveDate),
        term: &'b str,
        schools: impl Iterator<Item = &String>,
    ) -> Result<Self, Error> {
        let mut codes: Vec<String> = schools.cloned().collect();
        codes.dedup();
        let generation = mirror::state(tx).await?.generation;
        let mut elsewhere: HashMap<String, Vec<String>> = HashMap::new();
        for (school, other) in store::elsewhere(tx, authority, term, &codes).await? {
            elsewhere.entry(school).or_default().push(region::full_name(&other));
        }
        Ok(Self { parts, day, term, schools: mirror::sides(tx, generation, &codes).await?, elsewhere })
    }

    /// By whom an amount is borne, as the policy of the term said it on the day.
    fn parts(&self, school: &str, scheme: &str, fen: i64) -> Vec<pb::CostShare> {
        let policies = self.parts.policies.now();
        let (Ok(term), Some(code)) = (self.term.parse::<Term>(), SchemeCode::parse(scheme)) else { return Vec::new() };
        let region = self.schools.get(school).map_or("", |side| side.region.as_str());
        let Some(sharing) = policies.of_term(term, self.day).policy.sharing(code, term, region) else { return Vec::new() };
        sharing.parts(fen).into_iter().map(|(level, fen)| pb::CostShare { level: level.to_owned(), fen }).collect()
    }
}

fn line(borne: &Borne<'_>, (school, scheme): &Key, school_name: String, said: Said, before: Option<Said>) -> pb::SummaryLine {
    let shares = borne.parts(school, scheme, said.fen);
    let scheme = scheme_told(&borne.parts.policies.now(), scheme);
    pb::SummaryLine {
        school: school.clone(),
        school_name,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        entries: small(said.entries),
        units: small(said.units),
        fen: said.fen,
        before_fen: before.map_or(0, |before| before.fen),
        shares,
        signed_elsewhere: borne.elsewhere.get(school).map(|names| names.join("、")).unwrap_or_default(),
        ..pb::SummaryLine::default()
    }
}

fn summed(whole: pb::TermSummary, lines: Vec<pb::SummaryLine>, before: &Before) -> pb::TermSummary {
    let fen = lines.iter().map(|line| line.fen).sum::<i64>();
    let mut shares: Vec<pb::CostShare> = Vec::new();
    for share in lines.iter().flat_map(|line| &line.shares) {
        match shares.iter_mut().find(|known| known.level == share.level) {
            Some(known) => known.fen += share.fen,
            None => shares.push(share.clone()),
        }
    }
    pb::TermSummary {
        shares,
        entries: lines.iter().map(|line| line.entries).sum(),
        fen,
        difference_fen: fen - before.lines.values().map(|said| said.fen).sum::<i64>(),
        before: before.summary.map(|summary| summary.to_string()).unwrap_or_default(),
        lines,
        ..whole
    }
}

fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
