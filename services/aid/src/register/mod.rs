//! 查实台账: the register of what the department confirmed. A flag closes when the data are mended; that somebody confirmed a fault, what became
//! of the money and who answers for it stays here. Nothing is ever taken out: a decision that was changed is told as withdrawn, by whom and why.

pub mod api;
pub mod papers;
mod store;

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::text::comparable_name;
use xuezhu_judge::{
    case::Rule,
    register::{Event, State, Step, after},
};
use xuezhu_service::{Actor, Context, Error, FieldErrors, Permission, Reason, Refusal, paging::Turn};
use xuezhu_store::{Hex, Tx};

use self::store::{CaseRow, ConfirmedCase, Filter, MovedCase, NewCase, NewStep, Recorded};
use crate::mirror;

/// What a case is about, as its flag tells it.
#[derive(Debug, Clone)]
pub struct About {
    /// The flag; the case's id too.
    pub flag: Uuid,
    /// Rule.
    pub rule: Rule,
    /// Entry; none of an omission.
    pub entry: Option<Uuid>,
    /// List; none of an omission.
    pub list: Option<Uuid>,
    /// Person, where the source knows one.
    pub person: Option<Uuid>,
    /// School of the list.
    pub school: String,
    /// Scheme.
    pub scheme: String,
    /// Term.
    pub term: String,
    /// Name as claimed.
    pub name: String,
    /// Months that were found, as they are stored.
    pub months: String,
    /// Fen at stake in them.
    pub amount_fen: i64,
    /// Both sides, as they are stored.
    pub evidence: String,
}

/// What happened to a flag that has a case.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The case.
    pub case: Uuid,
    /// What.
    pub event: Event,
    /// What was said.
    pub text: String,
    /// Months that were found, as they are stored.
    pub months: String,
    /// Fen at stake in them.
    pub amount_fen: i64,
    /// Both sides, as they are stored.
    pub evidence: String,
}

/// Enters what the department confirmed, or notes that it was confirmed anew.
pub async fn confirm(ctx: &Context, tx: &mut Tx, confirmed: &[About], reason: &str) -> Result<(), Error> {
    let ids: Vec<Uuid> = confirmed.iter().map(|about| about.flag).collect();
    let known: Vec<Uuid> = store::lock(tx, &ids).await?.into_iter().map(|stand| stand.flag).collect();
    let (again, new): (Vec<&About>, Vec<&About>) = confirmed.iter().partition(|about| known.contains(&about.flag));
    if !new.is_empty() {
        let cases: Vec<NewCase> = new.iter().map(|about| entered(ctx, about, reason)).collect();
        store::insert(tx, &cases).await?;
        let steps: Vec<NewStep> = new.iter().map(|about| step(ctx, &ctx.actor, about.flag, (0, Step::Entered), &said(about, reason))).collect();
        store::insert_steps(tx, &steps).await?;
    }
    if !again.is_empty() {
        let heard: Vec<Heard> = again.iter().map(|about| said(about, reason)).collect();
        hear(ctx, tx, &ctx.actor, &heard).await?;
        let cases = again.iter().map(|about| ConfirmedCase {
            flag: Hex(about.flag),
            person: about.person.map(Hex),
            name: about.name.clone(),
            name_comparable: comparable_name(&about.name),
            months: about.months.clone(),
            amount_fen: about.amount_fen,
            evidence: about.evidence.clone(),
            reason: reason.to_owned(),
        });
        store::set_confirmed(ctx, tx, &cases.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

fn said(about: &About, reason: &str) -> Heard {
    Heard {
        case: about.flag,
        event: Event::Confirmed,
        text: reason.to_owned(),
        months: about.months.clone(),
        amount_fen: about.amount_fen,
        evidence: about.evidence.clone(),
    }
}

fn entered(ctx: &Context, about: &About, reason: &str) -> NewCase {
    NewCase {
        flag: Hex(about.flag),
        rule: about.rule.code(),
        entry: about.entry.map(Hex),
        list: about.list.map(Hex),
        person: about.person.map(Hex),
        school: about.school.clone(),
        scheme: about.scheme.clone(),
        term: about.term.clone(),
        name: about.name.clone(),
        name_comparable: comparable_name(&about.name),
        state: State::Standing.code(),
        steps: 1,
        months: about.months.clone(),
        amount_fen: Some(about.amount_fen),
        evidence: about.evidence.clone(),
        confirmed_at_us: ctx.now_us(),
        confirmed_day: ctx.today(),
        confirmed_by: ctx.actor.account.clone(),
        confirmed_by_name: ctx.actor.display_name.clone(),
        reason: reason.to_owned(),
    }
}

fn step(ctx: &Context, actor: &Actor, case: Uuid, (ordinal, act): (i32, Step), heard: &Heard) -> NewStep {
    NewStep {
        flag: Hex(case),
        ordinal,
        at_us: ctx.now_us(),
        civil_day: ctx.today(),
        actor: actor.account.clone(),
        actor_name: actor.display_name.clone(),
        act: act.code(),
        detail: heard.text.clone(),
        months: heard.months.clone(),
        amount_fen: Some(heard.amount_fen),
        evidence: heard.evidence.clone(),
    }
}

/// Notes in cases what happened to their flags; of flags that have none nothing is noted.
pub async fn hear(ctx: &Context, tx: &mut Tx, actor: &Actor, heard: &[Heard]) -> Result<(), Error> {
    if heard.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = heard.iter().map(|heard| heard.case).collect();
    let stands: HashMap<Uuid, (State, i32)> = store::lock(tx, &ids).await?.into_iter().map(|stand| (stand.flag, (stand.state, stand.steps))).collect();
    let (mut moved, mut steps) = (Vec::new(), Vec::new());
    for heard in heard {
        let Some((state, ordinal)) = stands.get(&heard.case) else { continue };
        let Some((next, act)) = after(*state, heard.event) else { continue };
        moved.push(MovedCase { flag: Hex(heard.case), state: next.code(), steps: ordinal + 1 });
        steps.push(step(ctx, actor, heard.case, (*ordinal, act), heard));
    }
    if !moved.is_empty() {
        store::set_stands(tx, &moved).await?;
        store::insert_steps(tx, &steps).await?;
    }
    Ok(())
}

/// A case's version: it rises with each step.
pub fn etag(row: &CaseRow) -> String {
    row.steps.to_string()
}

/// A case that is there.
async fn one(tx: &mut Tx, case: Uuid) -> Result<CaseRow, Error> {
    let filter = Filter { case: Some(case), ..Filter::default() };
    store::page(tx, &filter, &Turn::first(1)).await?.pop().ok_or_else(|| Refusal::not_found("该台账记录").into())
}

/// A case that the actor may see.
async fn visible(ctx: &Context, tx: &mut Tx, case: Uuid) -> Result<CaseRow, Error> {
    let row = one(tx, case).await?;
    // Who may not read it learns not that it is there.
    mirror::school_for(ctx, tx, &row.school, Permission::ReadSchool).await.map_err(|_| Refusal::not_found("该台账记录"))?;
    Ok(row)
}

/// The department records what became of the money, and who answers for it.
async fn record_outcome(ctx: &Context, tx: &mut Tx, case: Uuid, recorded: &Recorded, seen: &str) -> Result<CaseRow, Error> {
    store::lock(tx, &[case]).await?;
    let row = visible(ctx, tx, case).await?;
    mirror::school_for(ctx, tx, &row.school, Permission::Approve).await?;
    if !seen.is_empty() && seen != etag(&row) {
        return Err(Refusal::new(Reason::Conflict, "该台账记录在您查看之后有变化，请重新查看后再登记").into());
    }
    if after(row.state, Event::Outcome).is_none() {
        return Err(Refusal::wrong_state("该认定已撤销，不再登记处理结果").into());
    }
    let mut errors = FieldErrors::default();
    if let Some((field, why)) = recorded.outcome.fault(recorded.amount_fen, row.amount_fen, &recorded.text) {
        errors.add(field, why);
    }
    errors.check()?;
    let heard = Heard { case, event: Event::Outcome, text: told(recorded), months: String::new(), amount_fen: recorded.amount_fen, evidence: String::new() };
    hear(ctx, tx, &ctx.actor, &[heard]).await?;
    store::set_outcome(ctx, tx, case, recorded).await?;
    one(tx, case).await
}

/// An outcome in words, as the case's history keeps it.
fn told(recorded: &Recorded) -> String {
    let mut parts = vec![recorded.outcome.name().to_owned()];
    if recorded.amount_fen > 0 {
        parts.push(format!("{}元", xuezhu_domain::Fen(recorded.amount_fen).yuan()));
    }
    if !recorded.text.is_empty() {
        parts.push(recorded.text.clone());
    }
    if !recorded.responsible.is_empty() {
        parts.push(format!("责任人：{}", recorded.responsible));
    }
    parts.join("；")
}

/// A flag of before that somebody confirmed, with its life.
pub struct Before {
    /// The flag as it is now.
    pub about: About,
    /// Its steps, oldest first.
    pub steps: Vec<BeforeStep>,
}

/// A step in the life of a flag of before.
pub struct BeforeStep {
    /// What a case hears of it.
    pub event: Option<Event>,
    /// Whether months and money are those from here on.
    pub is_of_new_evidence: bool,
    /// When, by the system's time.
    pub at_us: i64,
    /// On which civil day.
    pub civil_day: NaiveDate,
    /// Who.
    pub actor: String,
    /// Their name.
    pub actor_name: String,
    /// What was said.
    pub detail: String,
    /// Both sides, as they were.
    pub evidence: String,
}

/// Enters cases of flags of before, from what was kept of their lives. Months and money were kept of the last evidence alone: where other
/// evidence followed, those of before are not known.
pub(crate) async fn enter_of_before(tx: &mut Tx, flags: Vec<Before>) -> Result<(), Error> {
    let (mut cases, mut steps) = (Vec::new(), Vec::new());
    for before in flags {
        if let Some((case, of_case)) = of_before(before) {
            cases.push(case);
            steps.extend(of_case);
        }
    }
    if !cases.is_empty() {
        store::insert(tx, &cases).await?;
        store::insert_steps(tx, &steps).await?;
    }
    Ok(())
}

fn of_before(before: Before) -> Option<(NewCase, Vec<NewStep>)> {
    let Before { about, steps } = before;
    let last_change = steps.iter().rposition(|step| step.is_of_new_evidence).unwrap_or(0);
    let mut case: Option<(NewCase, State)> = None;
    let mut noted = Vec::new();
    for (at, of_flag) in steps.into_iter().enumerate() {
        let Some(event) = of_flag.event else { continue };
        let (months, amount_fen) = if at >= last_change { (about.months.clone(), Some(about.amount_fen)) } else { (String::new(), None) };
        let (next, act) = match &case {
            None if event == Event::Confirmed => (State::Standing, Step::Entered),
            None => continue,
            Some((_, state)) => match after(*state, event) {
                Some(moved) => moved,
                None => continue,
            },
        };
        if event == Event::Confirmed {
            let confirmed = NewCase {
                flag: Hex(about.flag),
                rule: about.rule.code(),
                entry: about.entry.map(Hex),
                list: about.list.map(Hex),
                person: about.person.map(Hex),
                school: about.school.clone(),
                scheme: about.scheme.clone(),
                term: about.term.clone(),
                name: about.name.clone(),
                name_comparable: comparable_name(&about.name),
                state: next.code(),
                steps: 0,
                months: months.clone(),
                amount_fen,
                evidence: of_flag.evidence.clone(),
                confirmed_at_us: of_flag.at_us,
                confirmed_day: of_flag.civil_day,
                confirmed_by: of_flag.actor.clone(),
                confirmed_by_name: of_flag.actor_name.clone(),
                reason: of_flag.detail.clone(),
            };
            case = Some((confirmed, next));
        } else if let Some((_, state)) = &mut case {
            *state = next;
        }
        noted.push(NewStep {
            flag: Hex(about.flag),
            ordinal: i32::try_from(noted.len()).unwrap_or(i32::MAX),
            at_us: of_flag.at_us,
            civil_day: of_flag.civil_day,
            actor: of_flag.actor,
            actor_name: of_flag.actor_name,
            act: act.code(),
            detail: of_flag.detail,
            months,
            amount_fen,
            evidence: of_flag.evidence,
        });
    }
    let (case, state) = case?;
    let steps = i32::try_from(noted.len()).unwrap_or(i32::MAX);
    Some((NewCase { state: state.code(), steps, ..case }, noted))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The life of a flag that was opened, and then heard of these.
    fn before(events: &[Event]) -> Before {
        let about = About {
            flag: Uuid::from_u128(1),
            rule: Rule::NoEnrollment,
            entry: None,
            list: None,
            person: None,
            school: "3643000001".into(),
            scheme: "GRANT".into(),
            term: "2026-AUTUMN".into(),
            name: "王伟".into(),
            months: "202609".into(),
            amount_fen: 20_000,
            evidence: "{}".into(),
        };
        let step = |(at, event): (i64, Option<Event>)| BeforeStep {
            event,
            is_of_new_evidence: matches!(event, None | Some(Event::Changed | Event::Again)),
            at_us: at,
            civil_day: NaiveDate::default(),
            actor: "officer".into(),
            actor_name: "审核人".into(),
            detail: format!("第{at}步"),
            evidence: "{}".into(),
        };
        Before { about, steps: (0..).zip([None].into_iter().chain(events.iter().copied().map(Some))).map(step).collect() }
    }

    #[test]
    fn a_case_of_before_is_made_of_what_was_kept_and_nothing_else() {
        use Event as E;
        assert!(of_before(before(&[E::Added, E::Cleared])).is_none(), "nobody confirmed it");
        for (acts, state, amount, confirmed) in [
            (vec![E::Confirmed], State::Standing, Some(20_000), 1),
            (vec![E::Confirmed, E::Gone], State::Mended, Some(20_000), 1),
            (vec![E::Confirmed, E::Added, E::Cleared], State::Withdrawn, Some(20_000), 1),
            (vec![E::Confirmed, E::Changed], State::Standing, None, 1),
            (vec![E::Confirmed, E::Gone, E::Again, E::Cleared], State::Mended, None, 1),
            (vec![E::Confirmed, E::Gone, E::Again, E::Confirmed], State::Standing, Some(20_000), 4),
        ] {
            let (case, steps) = of_before(before(&acts)).expect("a case");
            assert_eq!((case.state, case.amount_fen, case.confirmed_at_us), (state.code(), amount, confirmed), "{acts:?}");
            assert_eq!(case.months.is_empty(), amount.is_none(), "{acts:?}");
            assert_eq!(usize::try_from(case.steps), Ok(steps.len()), "{acts:?}");
            assert!(steps.iter().enumerate().all(|(at, step)| usize::try_from(step.ordinal) == Ok(at)), "{acts:?}");
        }
    }
}
