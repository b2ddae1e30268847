//! gRPC in: runs, flags, causes, stories, the mirror's freshness.

use std::{collections::BTreeSet, sync::Arc};

use tonic::{Request, Response, Status};
use tracing::{Instrument, field::Empty};
use uuid::Uuid;
use xuezhu_domain::{Term, region};
use xuezhu_judge::{
    case::Rule,
    life,
    rules::{LAW, Law},
};
use xuezhu_proto::aid::{self as pb, decision, flag, reconciliation, reconciliation_service_server::ReconciliationService};
use xuezhu_service::{
    Context, Error, FieldErrors, Permission, Place, Refusal,
    clock::rfc3339,
    paging::{self, Turn},
    refusal,
    runner::Call,
    trace,
};
use xuezhu_store::Tx;

use super::{
    desk,
    store::{self, Filter, FlagRow},
    sweep::{self, runs::RunState},
};
use crate::{
    Parts, forgotten, mirror,
    story::{
        self,
        shown::{self, Viewer},
    },
};

/// Longest explanation or reason, in characters.
const TEXT_CHARACTERS: usize = 2_000;

/// The reconciliation service.
#[derive(Clone)]
pub struct ReconciliationApi {
    /// What use cases need.
    pub parts: Arc<Parts>,
}

impl ReconciliationApi {
    /// The answer keeps its headers: a repetition says that it is one.
    async fn act(&self, ctx: &Context, call: Call, flag: &str, etag: String, act: (life::Act, &str, &str)) -> Result<Response<pb::Flag>, Status> {
        let (act, field, text) = act;
        let mut errors = FieldErrors::default();
        let (flag, text) = (errors.id("flag", flag), errors.text(field, text, TEXT_CHARACTERS));
        errors.check()?;
        let with = (self.parts.clone(), flag.unwrap_or_default(), act, text.unwrap_or_default(), etag);
        self.parts
            .runner
            .mutate(ctx, call, &with, |ctx, tx, (parts, flag, act, text, etag)| {
                Box::pin(async move {
                    let row = desk::act(ctx, tx, *flag, *act, text, etag).await?;
                    whole(ctx, tx, parts, row).await
                })
            })
            .await
    }
}

#[tonic::async_trait]
impl ReconciliationService for ReconciliationApi {
    async fn create_reconciliation(&self, request: Request<pb::CreateReconciliationRequest>) -> Result<Response<pb::CreateReconciliationResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "CreateReconciliation").await?;
        let mut errors = FieldErrors::default();
        if !request.term.is_empty() {
            errors.parse::<Term>("term", &request.term);
        }
        if !request.region.is_empty() {
            errors.parse::<xuezhu_domain::RegionCode>("region", &request.region);
        }
        errors.check()?;
        let call = Call::new("CreateReconciliation", request.term.clone(), &request);
        let run = ctx.new_id();
        let with = (run, request.clone());
        let answer = self
            .parts
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (run, request)| {
                Box::pin(async move {
                    let region = if request.region.is_empty() { ctx.actor.organisation.as_str() } else { request.region.as_str() };
                    ctx.may(Permission::Reconcile, &Place::Region(region))?;
                    sweep::begin(ctx, tx, *run, (&request.term, region), None).await?;
                    Ok(pb::CreateReconciliationResponse { run: run.to_string() })
                })
            })
            .await?;
        if answer.get_ref().run == run.to_string() {
            let (parts, term) = (self.parts.clone(), request.term);
            let region = if request.region.is_empty() { ctx.actor.organisation.clone() } else { request.region };
            let span = tracing::error_span!(parent: None, "sweep", trace = Empty, %run);
            trace::open_for(&span, ctx.trace.as_slice());
            let swept = async move {
                let scope = sweep::Scope { term: &term, region_prefix: region::prefix_or_all(&region) };
                if let Err(error) = sweep::run(&parts, run, &scope).await {
                    tracing::error!(%error, %run, "full sweep failed");
                }
            };
            self.parts.tasks.spawn(swept.instrument(span));
        }
        Ok(answer)
    }

    async fn get_reconciliation(&self, request: Request<pb::GetReconciliationRequest>) -> Result<Response<pb::GetReconciliationResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "GetReconciliation").await?;
        let run = refusal::id("run", &request.run)?;
        self.parts.runner.read(&ctx, "GetReconciliation", &run, |ctx, tx, run| Box::pin(get_run(ctx, tx, *run))).await
    }

    async fn list_flags(&self, request: Request<pb::ListFlagsRequest>) -> Result<Response<pb::ListFlagsResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ListFlags").await?;
        self.parts
            .runner
            .read(&ctx, "ListFlags", &(self.parts.clone(), request), |ctx, tx, (parts, request)| Box::pin(list_flags(ctx, tx, parts, request)))
            .await
    }

    async fn get_flag(&self, request: Request<pb::GetFlagRequest>) -> Result<Response<pb::GetFlagResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "GetFlag").await?;
        let flag = refusal::id("flag", &request.flag)?;
        self.parts
            .runner
            .read(&ctx, "GetFlag", &(self.parts.clone(), flag, request.as_school), |ctx, tx, (parts, flag, as_school)| {
                Box::pin(async move {
                    let row = desk::visible(ctx, tx, *flag).await?;
                    let school = row.school.clone();
                    let viewer = if *as_school { Viewer { school: Some(&school) } } else { Viewer::of(ctx) };
                    Ok(pb::GetFlagResponse { flag: Some(seen(ctx, tx, parts, &viewer, row).await?) })
                })
            })
            .await
    }

    async fn explain_flag(&self, request: Request<pb::ExplainFlagRequest>) -> Result<Response<pb::ExplainFlagResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ExplainFlag").await?;
        let call = Call::new("ExplainFlag", request.flag.clone(), &request);
        let acted = self.act(&ctx, call, &request.flag, request.etag, (life::Act::Explain, "text", &request.text)).await?;
        Ok(acted.map(|flag| pb::ExplainFlagResponse { flag: Some(flag) }))
    }

    async fn confirm_flag(&self, request: Request<pb::ConfirmFlagRequest>) -> Result<Response<pb::ConfirmFlagResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ConfirmFlag").await?;
        let call = Call::new("ConfirmFlag", request.flag.clone(), &request);
        let acted = self.act(&ctx, call, &request.flag, request.etag, (life::Act::Confirm, "reason", &request.reason)).await?;
        Ok(acted.map(|flag| pb::ConfirmFlagResponse { flag: Some(flag) }))
    }

    async fn clear_flag(&self, request: Request<pb::ClearFlagRequest>) -> Result<Response<pb::ClearFlagResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ClearFlag").await?;
        let call = Call::new("ClearFlag", request.flag.clone(), &request);
        let acted = self.act(&ctx, call, &request.flag, request.etag, (life::Act::Clear, "reason", &request.reason)).await?;
        Ok(acted.map(|flag| pb::ClearFlagResponse { flag: Some(flag) }))
    }

    async fn list_causes(&self, request: Request<pb::ListCausesRequest>) -> Result<Response<pb::ListCausesResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ListCauses").await?;
        self.parts.runner.read(&ctx, "ListCauses", &request, |ctx, tx, request| Box::pin(list_causes(ctx, tx, request))).await
    }

    async fn explain_cause(&self, request: Request<pb::ExplainCauseRequest>) -> Result<Response<pb::ExplainCauseResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "ExplainCause").await?;
        let call = Call::new("ExplainCause", request.cause.clone(), &request);
        let mut errors = FieldErrors::default();
        let (cause, text) = (errors.id("cause", &request.cause), errors.text("text", &request.text, TEXT_CHARACTERS));
        let term = if request.term.is_empty() { None } else { errors.parse::<Term>("term", &request.term) };
        errors.check()?;
        let term = term.map(|term| term.to_string()).unwrap_or_default();
        let with = (cause.unwrap_or_default(), term, text.unwrap_or_default(), request.etag);
        self.parts
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (cause, term, text, etag)| {
                Box::pin(async move { Ok(pb::ExplainCauseResponse { explained: desk::explain_cause(ctx, tx, *cause, term, text, etag).await? }) })
            })
            .await
    }

    async fn decide_flags(&self, request: Request<pb::DecideFlagsRequest>) -> Result<Response<pb::DecideFlagsResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "DecideFlags").await?;
        let call = Call::new("DecideFlags", format!("{} flags", request.flags.len()), &request);
        let mut errors = FieldErrors::default();
        let act = decision(&mut errors, request.act);
        let reason = errors.text("reason", &request.reason, TEXT_CHARACTERS);
        if request.flags.is_empty() || request.flags.len() > desk::FLAGS_DECIDED {
            errors.add("flags", format!("一次应核定1至{}条", desk::FLAGS_DECIDED));
        }
        let (mut seen, mut ids) = (Vec::new(), BTreeSet::new());
        for (at, flag) in request.flags.into_iter().enumerate().take(desk::FLAGS_DECIDED) {
            let field = format!("flags[{at}]");
            let Some(id) = errors.id(&field, &flag.flag) else { continue };
            if !ids.insert(id) {
                errors.add(&field, "同一疑点列了两次");
            }
            seen.push(desk::Seen { flag: id, etag: flag.etag });
        }
        errors.check()?;
        let (Some(act), Some(reason)) = (act, reason) else { return Err(Status::internal("unreachable")) };
        self.parts
            .runner
            .mutate(&ctx, call, &(seen, act, reason), |ctx, tx, (seen, act, reason)| {
                Box::pin(async move { Ok(pb::DecideFlagsResponse { decided: desk::decide_flags(ctx, tx, seen, *act, reason).await? }) })
            })
            .await
    }

    async fn decide_cause(&self, request: Request<pb::DecideCauseRequest>) -> Result<Response<pb::DecideCauseResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "DecideCause").await?;
        let call = Call::new("DecideCause", request.cause.clone(), &request);
        let mut errors = FieldErrors::default();
        let act = decision(&mut errors, request.act);
        let (cause, reason) = (errors.id("cause", &request.cause), errors.text("reason", &request.reason, TEXT_CHARACTERS));
        let term = if request.term.is_empty() { None } else { errors.parse::<Term>("term", &request.term) };
        errors.check()?;
        let (Some(act), Some(cause), Some(reason)) = (act, cause, reason) else { return Err(Status::internal("unreachable")) };
        let term = term.map(|term| term.to_string()).unwrap_or_default();
        self.parts
            .runner
            .mutate(&ctx, call, &(cause, term, (act, reason), request.etag), |ctx, tx, (cause, term, (act, reason), etag)| {
                Box::pin(async move { Ok(pb::DecideCauseResponse { decided: desk::decide_cause(ctx, tx, *cause, term, (*act, reason), etag).await? }) })
            })
            .await
    }

    async fn list_rules(&self, request: Request<pb::ListRulesRequest>) -> Result<Response<pb::ListRulesResponse>, Status> {
        let (ctx, _) = self.parts.gate.enter(request, "ListRules").await?;
        let policies = self.parts.policies.now();
        let rule = |law: &Law| pb::Rule {
            rule: law.rule.as_str().to_owned(),
            name: law.name.to_owned(),
            english_name: law.english.to_owned(),
            severity: law.severity.as_str().to_owned(),
            holds: law.rule.holds(),
            meaning: law.meaning.to_owned(),
            finds: law.finds.to_owned(),
            legal_basis: law.basis.to_owned(),
            judges: policies.judges_by(law.rule, ctx.today()),
        };
        Ok(Response::new(pb::ListRulesResponse { rules: LAW.iter().map(rule).collect() }))
    }

    async fn get_story(&self, request: Request<pb::GetStoryRequest>) -> Result<Response<pb::GetStoryResponse>, Status> {
        let (ctx, request) = self.parts.gate.enter(request, "GetStory").await?;
        let person = refusal::id("person", &request.person)?;
        self.parts.runner.read(&ctx, "GetStory", &(self.parts.clone(), person), |ctx, tx, (parts, person)| Box::pin(story::of(ctx, tx, parts, *person))).await
    }

    async fn get_mirror(&self, request: Request<pb::GetMirrorRequest>) -> Result<Response<pb::GetMirrorResponse>, Status> {
        let (ctx, _) = self.parts.gate.enter(request, "GetMirror").await?;
        let (school, authority_prefix) = forgotten::seen(&ctx);
        let mut tx = self.parts.runner.db().read().await.map_err(Error::from)?;
        let forgotten = forgotten::count(&mut tx, &authority_prefix, &school).await;
        tx.rollback().await.map_err(Error::from)?;
        Ok(Response::new(mirror(&self.parts, forgotten?)))
    }
}

/// How the mirror stands, and how much of it enrollment forgot.
pub fn mirror(parts: &Parts, forgotten: i64) -> pb::GetMirrorResponse {
    let standing = *parts.standing.borrow();
    let clock = parts.runner.clock();
    let age = standing.age();
    let as_of = |age: std::time::Duration| rfc3339(clock.now_us() - i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
    pb::GetMirrorResponse {
        as_of_time: age.map(as_of).unwrap_or_default(),
        lag_seconds: age.map_or(-1.0, |age| age.as_secs_f64()),
        limit_seconds: parts.mirror_age.as_secs_f64(),
        stale: parts.is_stale(),
        forgotten: i32::try_from(forgotten).unwrap_or(i32::MAX),
        lag_positions: standing.lag().unwrap_or(-1),
        position: standing.position,
        connected: standing.connected,
        civil_date: clock.today().to_string(),
        stepped: clock.stepped().is_some(),
    }
}

/// How the department decides.
fn decision(errors: &mut FieldErrors, act: i32) -> Option<life::Act> {
    match decision::Act::try_from(act) {
        Ok(decision::Act::Confirm) => Some(life::Act::Confirm),
        Ok(decision::Act::Clear) => Some(life::Act::Clear),
        Ok(decision::Act::Unspecified) | Err(_) => {
            errors.add("act", "应为CONFIRM或CLEAR");
            None
        }
    }
}

async fn get_run(ctx: &Context, tx: &mut Tx, run: Uuid) -> Result<pb::GetReconciliationResponse, Error> {
    let row = sweep::run_row(tx, run).await?.ok_or_else(|| Refusal::not_found("该次比对"))?;
    ctx.may(Permission::Reconcile, &Place::Region(&row.region))?;
    let seen = region::prefix_or_all(&ctx.actor.organisation);
    let counts = match row.state {
        RunState::Running => Vec::new(),
        RunState::Done | RunState::Failed => counts(store::counts_by_rule(tx, &row.term, seen, region::prefix_or_all(&row.region)).await?),
    };
    let progress_percent = match (row.state, row.suspects) {
        (RunState::Done, _) => 100,
        (_, 0) => 0,
        (_, suspects) => row.judged * 100 / suspects,
    };
    Ok(pb::GetReconciliationResponse {
        reconciliation: Some(pb::Reconciliation {
            run: row.run.to_string(),
            state: reconciliation::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
            term: row.term,
            region: row.region,
            judged: row.judged,
            suspects: row.suspects,
            counts,
            start_time: rfc3339(row.started_at_us),
            end_time: if row.ended_at_us == 0 { String::new() } else { rfc3339(row.ended_at_us) },
            judged_at: Some(pb::Judged { position: row.position, time: rfc3339(row.started_at_us) }),
            progress_percent,
        }),
    })
}

/// Counts as clients see them, in the order of the rules' words.
fn counts(mut by_rule: Vec<store::RuleCount>) -> Vec<pb::RuleCount> {
    let number = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    by_rule.sort_by_key(|count| count.rule.as_str());
    by_rule
        .into_iter()
        .map(|count| pb::RuleCount { rule: count.rule.as_str().to_owned(), flags: number(count.flags), waiting: number(count.waiting) })
        .collect()
}

/// What a list is narrowed to, by what was asked and what may be seen.
struct Narrowed {
    school: String,
    /// Departments whose schools may be seen.
    authority_prefix: String,
    /// Where the schools stand that were asked for.
    region_prefix: String,
}

async fn narrowed(ctx: &Context, tx: &mut Tx, school: &str, region: &str) -> Result<Narrowed, Error> {
    if let Some(own) = Viewer::of(ctx).school {
        let asked = if school.is_empty() { own } else { school };
        mirror::school_for(ctx, tx, asked, Permission::ReadSchool).await?;
        return Ok(Narrowed { school: asked.to_owned(), authority_prefix: String::new(), region_prefix: String::new() });
    }
    if !school.is_empty() {
        mirror::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    }
    let mut errors = FieldErrors::default();
    if !region.is_empty() {
        errors.parse::<xuezhu_domain::RegionCode>("region", region);
    }
    errors.check()?;
    let own = ctx.actor.organisation.as_str();
    ctx.may(Permission::ReadSchool, &Place::Region(if region.is_empty() { own } else { region }))?;
    Ok(Narrowed { school: school.to_owned(), authority_prefix: region::prefix_or_all(own).to_owned(), region_prefix: region::prefix_or_all(region).to_owned() })
}

/// A page of flags, in a transaction.
pub(crate) async fn list_flags(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListFlagsRequest) -> Result<pb::ListFlagsResponse, Error> {
    let mut errors = FieldErrors::default();
    let rule = Rule::parse(&request.rule);
    if !request.rule.is_empty() && rule.is_none() {
        errors.add("rule", "没有这条规则");
    }
    if !request.term.is_empty() {
        errors.parse::<Term>("term", &request.term);
    }
    let mut optional = |field: &str, text: &str| if text.is_empty() { None } else { errors.id(field, text) };
    let (cause, entry) = (optional("cause", &request.cause), optional("entry", &request.entry));
    errors.check()?;
    let Narrowed { school, authority_prefix, region_prefix } = narrowed(ctx, tx, &request.school, &request.region).await?;
    let state = life::State::parse(refusal::known::<flag::State>("state", request.state)?.as_str_name());
    let filter = Filter {
        rule,
        school,
        authority_prefix,
        region_prefix,
        state,
        unclosed: request.unclosed && state.is_none(),
        added: request.added,
        term: request.term.clone(),
        cause,
        entry,
        oldest_first: request.oldest_first,
        ..Filter::default()
    };
    let query = paging::Query::of("ListFlags", &pb::ListFlagsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let turn = Turn::<Uuid>::of(query, &request.page_token, request.page_number, request.page_size)?;
    if request.oldest_first && !turn.is_numbered {
        return Err(Refusal::field("page_number", "最早发现的在前时，请用页码翻页（第一页为1）").into());
    }
    let rows = store::flags(tx, &filter, &turn).await?;
    let total_size = if turn.is_numbered { paging::told(store::count_flags(tx, &filter).await?) } else { 0 };
    let next_page_token = turn.next(query, &rows, |last| last.flag);
    let viewer = Viewer::of(ctx);
    let names = shown::school_names(tx, &rows).await?;
    let flags = rows.into_iter().map(|row| shown::flag(ctx, parts, &viewer, &names, row)).collect::<Result<_, Error>>()?;
    Ok(pb::ListFlagsResponse { flags, next_page_token, total_size })
}

async fn list_causes(ctx: &Context, tx: &mut Tx, request: &pb::ListCausesRequest) -> Result<pb::ListCausesResponse, Error> {
    let Narrowed { school, authority_prefix, .. } = narrowed(ctx, tx, &request.school, "").await?;
    let (causes, _) = super::causes(tx, &school, &authority_prefix, &request.term, usize::MAX).await?;
    Ok(pb::ListCausesResponse { causes })
}

/// A flag with its life.
async fn whole(ctx: &Context, tx: &mut Tx, parts: &Parts, row: FlagRow) -> Result<pb::Flag, Error> {
    seen(ctx, tx, parts, &Viewer::of(ctx), row).await
}

/// A flag with its life, as a viewer is told of it.
async fn seen(ctx: &Context, tx: &mut Tx, parts: &Parts, viewer: &Viewer<'_>, row: FlagRow) -> Result<pb::Flag, Error> {
    let steps = store::steps(tx, row.flag).await?;
    let names = shown::school_names(tx, std::slice::from_ref(&row)).await?;
    let mut flag = shown::flag(ctx, parts, viewer, &names, row)?;
    flag.steps = steps
        .into_iter()
        .map(|step| pb::Step {
            time: rfc3339(step.at_us),
            date: step.civil_day.to_string(),
            actor: step.actor_name,
            act: step.act.as_str().to_owned(),
            text: step.detail,
        })
        .collect();
    Ok(flag)
}
