//! 班级资助: who of a class is on which lists, for the class's teacher to tell them. Neither amounts nor months, neither tiers nor levels, neither reasons nor
//! majors: what a family's circumstances are is nobody's business there, nor what tells them.

pub mod api;

use std::collections::{HashMap, HashSet};

use chrono::Days;
use uuid::Uuid;
use xuezhu_domain::{Term, enrollment::PeriodState};
use xuezhu_judge::{
    case::{Claim, Person, PersonCase, StatementKind},
    entry::State,
    policy::{Policies, SchemeCode},
    rules::{holder, said},
};
use xuezhu_proto::aid::{self as pb, award_entry, statement};
use xuezhu_service::{Context, Error, Permission, Reach, Reason, Refusal};
use xuezhu_store::Tx;

use crate::{
    Parts, award, mirror,
    policy::scheme_of,
    reconciliation::{self, Attending},
};

/// The lists of a term on which students of a class are.
pub async fn of_class(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, class_name: &str, term: Term) -> Result<pb::ListClassAwardsResponse, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadClass).await?;
    if ctx.reach(Permission::ReadClass) == Reach::OwnClasses && !ctx.teaches(class_name) {
        let why = "您登录时不是该班的班主任：刚指定的，请退出后重新登录；任班主任的班级很多的，这里只看得到一部分，请问学校经办人";
        return Err(Refusal::new(Reason::Forbidden, why).into());
    }
    let generation = mirror::state(tx).await?.generation;
    let attending = Attending { generation, school: &school.school, within: [ctx.today(), ctx.today() + Days::new(1)] };
    let keys = reconciliation::keys_of_class(tx, attending, class_name).await?;
    let cases = reconciliation::cases(tx, generation, &keys).await?;
    let term_text = term.to_string();
    let rows = award::awards_of_keys(tx, &keys).await?.into_iter().filter(|row| row.school == school.school && row.term == term_text);
    let states: HashMap<Uuid, State> = rows.map(|row| (row.entry, row.state)).collect();
    let held = reconciliation::flagged_entries(tx, &states.keys().copied().collect::<Vec<_>>()).await?.into_iter().collect();
    let policies = parts.policies.now();
    let schemes = policies.of_term(term, ctx.today()).policy.schemes();
    let class = Class { school: &school.school, name: class_name, term, states, held, policies: &policies };
    let mut students = Vec::new();
    for case in &cases {
        for person in case.persons.iter().filter(|person| class.has(ctx, case, person)) {
            let awards = schemes.iter().map(|scheme| class.award(case, person, scheme.code)).collect();
            students.push(pb::ClassStudent { name: person.name().to_owned(), awards });
        }
    }
    students.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pb::ListClassAwardsResponse { term: term_text, schemes: schemes.iter().map(scheme_of).collect(), students })
}

/// A class, and what stands on lists with its students.
struct Class<'c> {
    school: &'c str,
    name: &'c str,
    term: Term,
    states: HashMap<Uuid, State>,
    held: HashSet<Uuid>,
    policies: &'c Policies,
}

impl Class<'_> {
    /// Whether somebody is in the class today, in school or on leave. Of whom there are several places at the school, any will do: who came back has another.
    fn has(&self, ctx: &Context, case: &PersonCase, person: &Person) -> bool {
        let here = case.enrollments.iter().filter(|enrollment| enrollment.school == self.school && enrollment.person == Some(person.person));
        here.flat_map(|enrollment| &enrollment.timeline).any(|span| {
            let attends = matches!(span.state.state, PeriodState::InSchool | PeriodState::OnLeave);
            attends && span.contains(ctx.today()) && span.state.class_name == self.name
        })
    }

    /// Where somebody stands with a scheme.
    fn award(&self, case: &PersonCase, person: &Person, scheme: SchemeCode) -> pb::ClassAward {
        let theirs = |claim: &&Claim| {
            let of_term = claim.school == self.school && claim.scheme == scheme && claim.term == self.term && !claim.months.is_empty();
            of_term && holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day).is_some_and(|known| known.person == person.person)
        };
        let entries: Vec<Uuid> = case.claims.iter().filter(theirs).map(|claim| claim.entry).collect();
        let mut states: Vec<State> = entries.iter().filter_map(|entry| self.states.get(entry)).copied().collect();
        states.sort_by_key(|state| std::cmp::Reverse(state.code()));
        states.dedup();
        pb::ClassAward {
            scheme_code: scheme.as_str().to_owned(),
            states: states.into_iter().map(|state| award_entry::State::from_str_name(state.as_str()).unwrap_or_default().into()).collect(),
            held: entries.iter().any(|entry| self.held.contains(entry)),
            signed: match said(case, self.policies, person, self.school, (scheme, self.term)) {
                Some(StatementKind::Application) => statement::Kind::Application,
                Some(StatementKind::Waiver) => statement::Kind::Waiver,
                None => statement::Kind::Unspecified,
            }
            .into(),
        }
    }
}
