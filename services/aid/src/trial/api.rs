//! gRPC in: trials of policies, for the service of policies.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tracing::{Instrument, field::Empty};
use xuezhu_judge::policy::SchemeCode;
use xuezhu_proto::aid::{self as pb, get_trial_response, trial_student};
use xuezhu_service::{Context, Error, Permission, Refusal, clock::rfc3339, refusal, runner::Call, trace};
use xuezhu_store::{StoreError, Tx};

use super::{
    Changed, Tried,
    rules::{Effect, Row, Turn},
};
use crate::{
    Parts, mirror,
    reconciliation::sweep::{self, runs::RunState},
};

/// Begins a trial: recorded, then on its own.
pub async fn start(parts: &Arc<Parts>, request: Request<pb::StartTrialRequest>) -> Result<Response<pb::StartTrialResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "StartTrial").await?;
    let policy = refusal::id("policy", &request.policy)?;
    let call = Call::new("StartTrial", request.policy.clone(), &request);
    let run = ctx.new_id();
    let begun = Arc::new(std::sync::Mutex::new(None));
    let with = (parts.clone(), policy, run, begun.clone());
    let answer = parts
        .runner
        .mutate(&ctx, call, &with, |ctx, tx, (parts, policy, run, begun)| {
            Box::pin(async move {
                let tried = super::tried(ctx, tx, parts, *policy).await?;
                if sweep::last_of_policy(tx, *policy).await?.is_some_and(|last| last.state == RunState::Running) {
                    return Err(Refusal::wrong_state("正在试算，请稍后查看结果").into());
                }
                let term = tried.each()[0].term.to_string();
                sweep::begin(ctx, tx, *run, (&term, ""), Some(*policy)).await?;
                *begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(tried);
                Ok(pb::StartTrialResponse { run: run.to_string() })
            })
        })
        .await?;
    // An answer that was kept of a call of before begins nothing.
    let tried = begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take().filter(|_| answer.get_ref().run == run.to_string());
    if let Some(tried) = tried {
        let span = tracing::error_span!(parent: None, "trial", trace = Empty, %run);
        trace::open_for(&span, ctx.trace.as_slice());
        let parts_of_run = parts.clone();
        let found = async move {
            if let Err(error) = super::run(&parts_of_run, run, &tried).await {
                tracing::error!(%error, %run, "a trial of a policy failed");
            }
        };
        parts.tasks.spawn(found.instrument(span));
    }
    Ok(answer)
}

/// What the last trial found.
pub async fn get(parts: &Arc<Parts>, request: Request<pb::GetTrialRequest>) -> Result<Response<pb::GetTrialResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "GetTrial").await?;
    let policy = refusal::id("policy", &request.policy)?;
    let with = (parts.clone(), policy, request.school);
    parts
        .runner
        .read(&ctx, "GetTrial", &with, |ctx, tx, (parts, policy, school)| {
            Box::pin(async move {
                let tried = super::tried(ctx, tx, parts, *policy).await?;
                told(ctx, tx, parts, &tried, school).await
            })
        })
        .await
}

async fn told(ctx: &Context, tx: &mut Tx, parts: &Parts, tried: &Tried, school: &str) -> Result<pb::GetTrialResponse, Error> {
    let terms = tried.each();
    let two = terms[0];
    let name = |code: &str| -> String {
        let Some(known) = SchemeCode::parse(code) else { return String::new() };
        match two.after.scheme(known).or_else(|| two.before.scheme(known)) {
            Some(scheme) => scheme.name.clone(),
            None => parts.policies.now().scheme_name(known).to_owned(),
        }
    };
    let mut answer = pb::GetTrialResponse {
        terms: terms.iter().map(|two| two.term.to_string()).collect(),
        compared_version: tried.beside(),
        ..pb::GetTrialResponse::default()
    };
    if let Some(row) = sweep::last_of_policy(tx, tried.policy).await? {
        let state = match row.state {
            RunState::Running => get_trial_response::State::Running,
            RunState::Done => get_trial_response::State::Done,
            RunState::Failed => get_trial_response::State::Failed,
        };
        answer = pb::GetTrialResponse {
            run: row.run.to_string(),
            state: state.into(),
            looked_at: row.judged,
            schools: row.suspects,
            start_time: rfc3339(row.started_at_us),
            end_time: if row.ended_at_us == 0 { String::new() } else { rfc3339(row.ended_at_us) },
            position: row.position,
            ..answer
        };
        if row.state == RunState::Done {
            let effect: Effect = serde_json::from_str(&row.effect).map_err(|_| StoreError::Corrupt("what a trial found"))?;
            let schools = mirror::schools(tx, effect.by_school.iter().map(|(school, _)| school.as_str())).await?;
            let tally = |school: &str, Row { term, scheme, tally }: &Row| pb::TrialTally {
                term: term.clone(),
                school: school.to_owned(),
                school_name: schools.get(school).map(|known| known.name.clone()).unwrap_or_default(),
                scheme_code: scheme.clone(),
                scheme_name: name(scheme),
                gains: tally.gains,
                loses: tally.loses,
                more: tally.more,
                less: tally.less,
                otherwise: tally.otherwise,
                before_fen: tally.before_fen,
                after_fen: tally.after_fen,
            };
            answer.totals = effect.totals.iter().map(|of| tally("", of)).collect();
            answer.by_school = effect.by_school.iter().flat_map(|(school, of)| of.iter().map(|of| tally(school, of)).collect::<Vec<_>>()).collect();
        }
    }
    if !school.is_empty() {
        // By name only of schools whose students are the caller's to see.
        let school = mirror::school_for(ctx, tx, school, Permission::ReadSchool).await?;
        let generation = mirror::state(tx).await?.generation;
        let changed = super::at_school(tx, tried, generation, school.told_apart()).await?;
        answer.students = changed.into_iter().map(|one| student(one, &name)).collect();
    }
    Ok(answer)
}

fn student(one: Changed, name: &impl Fn(&str) -> String) -> pb::TrialStudent {
    let turn = match one.turn {
        Turn::Gains => trial_student::Turn::Gains,
        Turn::Loses => trial_student::Turn::Loses,
        Turn::More => trial_student::Turn::More,
        Turn::Less => trial_student::Turn::Less,
        Turn::Otherwise => trial_student::Turn::Otherwise,
    };
    pb::TrialStudent {
        person: one.person.to_string(),
        name: one.name,
        class_name: one.class_name,
        term: one.term.to_string(),
        scheme_code: one.scheme.as_str().to_owned(),
        scheme_name: name(one.scheme.as_str()),
        turn: turn.into(),
        before_fen: one.before.1.fen.0,
        after_fen: one.after.1.fen.0,
        before_reason: one.before.0.code().to_owned(),
        after_reason: one.after.0.code().to_owned(),
        before_message: one.before.0.chinese().to_owned(),
        after_message: one.after.0.chinese().to_owned(),
    }
}
