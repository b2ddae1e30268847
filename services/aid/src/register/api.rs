//! gRPC in: the register of what was confirmed.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_domain::{Month, Term, text::comparable_name};
use xuezhu_judge::{
    case::Rule,
    policy::Policies,
    register::{Outcome, State},
    rules::law,
};
use xuezhu_proto::aid::{self as pb, case, register_service_server::RegisterService};
use xuezhu_service::{
    Context, Error, FieldErrors, Permission, Place,
    clock::rfc3339,
    paging::{self, Turn},
    refusal,
    runner::Call,
};
use xuezhu_store::Tx;

use super::{
    etag,
    store::{self, CaseRow, Filter, Recorded},
};
use crate::{Parts, forgotten, mirror, policy::scheme_told, reconciliation::parse_months, story::shown};

/// Longest text about an outcome, in characters.
const TEXT_CHARACTERS: usize = 2_000;
/// Longest name of who answers for something, in characters.
const NAME_CHARACTERS: usize = 60;

/// The service of the register.
#[derive(Clone)]
pub struct RegisterApi(pub Arc<Parts>);

#[tonic::async_trait]
impl RegisterService for RegisterApi {
    async fn list_cases(&self, request: Request<pb::ListCasesRequest>) -> Result<Response<pb::ListCasesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListCases").await?;
        self.0.runner.read(&ctx, "ListCases", &(self.0.clone(), request), |ctx, tx, (parts, request)| Box::pin(list(ctx, tx, parts, request))).await
    }

    async fn get_case(&self, request: Request<pb::GetCaseRequest>) -> Result<Response<pb::GetCaseResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetCase").await?;
        let id = refusal::id("case", &request.case)?;
        self.0
            .runner
            .read(&ctx, "GetCase", &(self.0.clone(), id), |ctx, tx, (parts, id)| {
                Box::pin(async move {
                    let row = super::visible(ctx, tx, *id).await?;
                    Ok(pb::GetCaseResponse { case: Some(whole(ctx, tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn record_outcome(&self, request: Request<pb::RecordOutcomeRequest>) -> Result<Response<pb::RecordOutcomeResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RecordOutcome").await?;
        let call = Call::new("RecordOutcome", request.case.clone(), &request);
        let mut errors = FieldErrors::default();
        let id = errors.id("case", &request.case);
        let outcome = Outcome::parse(case::Outcome::try_from(request.outcome).unwrap_or_default().as_str_name());
        if outcome.is_none() {
            errors.add("outcome", "请选择处理结果");
        }
        let mut optional = |field: &str, text: &str, most: usize| if text.trim().is_empty() { Some(String::new()) } else { errors.text(field, text, most) };
        let (text, responsible) = (optional("text", &request.text, TEXT_CHARACTERS), optional("responsible", &request.responsible, NAME_CHARACTERS));
        errors.check()?;
        let (Some(id), Some(outcome), Some(text), Some(responsible)) = (id, outcome, text, responsible) else { return Err(Status::internal("unreachable")) };
        let with = (self.0.clone(), id, Recorded { outcome, amount_fen: request.amount_fen, text, responsible }, request.etag);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, id, recorded, seen)| {
                Box::pin(async move {
                    let row = super::record_outcome(ctx, tx, *id, recorded, seen).await?;
                    Ok(pb::RecordOutcomeResponse { case: Some(whole(ctx, tx, parts, row).await?) })
                })
            })
            .await
    }
}

async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListCasesRequest) -> Result<pb::ListCasesResponse, Error> {
    let filter = filter(ctx, tx, request).await?;
    let query = paging::Query::of("ListCases", &pb::ListCasesRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let turn = Turn::<Uuid>::of(query, &request.page_token, request.page_number, request.page_size)?;
    let rows = store::page(tx, &filter, &turn).await?;
    let sums = store::sums(tx, &filter).await?;
    let next_page_token = turn.next(query, &rows, |last| last.flag);
    let number = paging::told;
    Ok(pb::ListCasesResponse {
        cases: rows.into_iter().map(|row| to_proto(&parts.policies.now(), row)).collect(),
        next_page_token,
        total_size: number(sums.cases),
        counted: number(sums.counted),
        amount_fen: sums.amount_fen,
        amount_unknown: number(sums.unknown),
        to_recover_fen: sums.to_recover_fen,
        recovered_fen: sums.recovered_fen,
    })
}

async fn filter(ctx: &Context, tx: &mut Tx, request: &pb::ListCasesRequest) -> Result<Filter, Error> {
    let mut errors = FieldErrors::default();
    let rule = Rule::parse(&request.rule);
    if !request.rule.is_empty() && rule.is_none() {
        errors.add("rule", "没有这条规则");
    }
    if !request.term.is_empty() {
        errors.parse::<Term>("term", &request.term);
    }
    if request.name.chars().count() > NAME_CHARACTERS {
        errors.add("name", format!("不能超过{NAME_CHARACTERS}个字符"));
    }
    errors.check()?;
    let (own, authority_prefix) = forgotten::seen(ctx);
    let school = if request.school.is_empty() { own } else { request.school.clone() };
    if school.is_empty() {
        ctx.may(Permission::ReadSchool, &Place::Region(&ctx.actor.organisation))?;
    } else {
        mirror::school_for(ctx, tx, &school, Permission::ReadSchool).await?;
    }
    Ok(Filter {
        case: None,
        school,
        authority_prefix,
        state: State::parse(refusal::known::<case::State>("state", request.state)?.as_str_name()),
        rule,
        term: request.term.clone(),
        name: comparable_name(&request.name),
        outcome: Outcome::parse(refusal::known::<case::Outcome>("outcome", request.outcome)?.as_str_name()),
        without_outcome: request.without_outcome,
    })
}

/// A case with both sides and its history.
async fn whole(ctx: &Context, tx: &mut Tx, parts: &Parts, row: CaseRow) -> Result<pb::Case, Error> {
    let (evidence, person) = shown::shown_to(ctx, tx, &row.evidence, row.person).await?;
    let steps = store::steps(tx, row.flag).await?;
    let steps = steps.into_iter().map(|step| pb::CaseStep {
        time: rfc3339(step.at_us),
        date: step.civil_day.to_string(),
        actor: step.actor_name,
        act: step.act.as_str().to_owned(),
        text: step.detail,
        months: numbers(&step.months),
        amount_fen: step.amount_fen.unwrap_or_default(),
    });
    Ok(pb::Case { evidence: Some(evidence), person, steps: steps.collect(), ..to_proto(&parts.policies.now(), row) })
}

fn numbers(months: &str) -> Vec<i32> {
    parse_months(months).into_iter().map(Month::number).collect()
}

fn to_proto(policies: &Policies, row: CaseRow) -> pb::Case {
    let (etag, scheme) = (etag(&row), scheme_told(policies, &row.scheme));
    pb::Case {
        case: row.flag.to_string(),
        rule: row.rule.as_str().to_owned(),
        rule_name: law(row.rule).name.to_owned(),
        state: case::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
        school: row.school,
        school_name: row.school_name,
        authority: row.authority,
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        term: row.term,
        name: row.name,
        person: String::new(),
        entry: row.entry.map(|entry| entry.to_string()).unwrap_or_default(),
        list: row.list.map(|list| list.to_string()).unwrap_or_default(),
        months: numbers(&row.months),
        amount_fen: row.amount_fen.unwrap_or_default(),
        amount_unknown: row.amount_fen.is_none(),
        evidence: None,
        confirmed_by: row.confirmed_by_name,
        confirm_date: row.confirmed_day.to_string(),
        confirm_time: rfc3339(row.confirmed_at_us),
        reason: row.reason,
        outcome: Outcome::from_code(row.outcome).and_then(|outcome| case::Outcome::from_str_name(outcome.as_str())).unwrap_or_default().into(),
        outcome_fen: row.outcome_fen,
        outcome_text: row.outcome_text,
        responsible: row.responsible,
        outcome_date: row.outcome_day.map(|day| day.to_string()).unwrap_or_default(),
        outcome_by: row.outcome_by_name,
        steps: Vec::new(),
        etag,
    }
}
