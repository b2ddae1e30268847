//! 班级资助: who of a class is on which lists, for the class's teacher to tell them. Neither amounts nor tiers, neither levels nor reasons: what a family's
//! circumstances are is nobody's business there.

pub mod api;

use std::collections::{HashMap, HashSet};

use chrono::Days;
use uuid::Uuid;
use xuezhu_domain::{Month, Term, codes, enrollment::PeriodState};
use xuezhu_judge::{
    case::{Claim, Person, PersonCase, Place, StatementKind},
    policy::{Policies, SchemeCode},
    rules::{holder, said},
};
use xuezhu_proto::aid::{self as pb, award_entry, statement};
use xuezhu_service::{Context, Error, Permission, Reach, Reason, Refusal};
use xuezhu_store::Tx;

use crate::{
    Parts,
    award::{self, AwardRow},
    mirror,
    policy::scheme_of,
    reconciliation::{self, Attending},
};

/// The lists of a term on which students of a class are.
pub async fn of_class(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, class_name: &str, term: Term) -> Result<pb::ListClassAwardsResponse, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadClass).await?;
    if ctx.reach(Permission::ReadClass) == Reach::OwnClasses && !ctx.teaches(class_name) {
        return Err(Refusal::new(Reason::Forbidden, "您登录时不是该班的班主任；刚指定的，请退出后重新登录").into());
    }
    let generation = mirror::state(tx).await?.generation;
    let attending = Attending { generation, school: &school.school, within: [ctx.today(), ctx.today() + Days::new(1)] };
    let keys = reconciliation::keys_of_class(tx, attending, class_name).await?;
    let cases = reconciliation::cases(tx, generation, &keys).await?;
    let entries: HashMap<Uuid, AwardRow> = award::awards_of_keys(tx, &keys).await?.into_iter().map(|row| (row.entry, row)).collect();
    let lists: HashSet<Uuid> = entries.values().map(|row| row.list).collect();
    let held: HashSet<Uuid> = reconciliation::held_entries(tx, &lists.into_iter().collect::<Vec<_>>()).await?.into_iter().collect();
    let policies = parts.policies.now();
    let schemes = policies.of_term(term, ctx.today()).policy.schemes();
    let class = Class { school: &school.school, name: class_name, term, entries, held, policies: &policies };
    let mut students = Vec::new();
    for case in &cases {
        for person in &case.persons {
            let Some(place) = class.place_today(ctx, case, person) else { continue };
            students.push(pb::ClassStudent {
                person: person.person.to_string(),
                name: person.name().to_owned(),
                major_name: codes::major_of_key(&place.major).map_or("", |major| major.name).to_owned(),
                awards: schemes.iter().map(|scheme| class.award(case, person, scheme.code)).collect(),
            });
        }
    }
    students.sort_by(|a, b| (&a.name, &a.person).cmp(&(&b.name, &b.person)));
    Ok(pb::ListClassAwardsResponse { term: term.to_string(), schemes: schemes.iter().map(scheme_of).collect(), students })
}

/// A class, and what stands on lists with its students.
struct Class<'c> {
    school: &'c str,
    name: &'c str,
    term: Term,
    entries: HashMap<Uuid, AwardRow>,
    held: HashSet<Uuid>,
    policies: &'c Policies,
}

impl Class<'_> {
    /// Where somebody is in the class today, in school or on leave.
    fn place_today<'p>(&self, ctx: &Context, case: &'p PersonCase, person: &Person) -> Option<&'p Place> {
        let here = case.enrollments.iter().filter(|enrollment| enrollment.school == self.school && enrollment.person == Some(person.person));
        let today = here.flat_map(|enrollment| &enrollment.timeline).find(|span| span.contains(ctx.today()))?;
        let attends = matches!(today.state.state, PeriodState::InSchool | PeriodState::OnLeave);
        (attends && today.state.class_name == self.name).then_some(&today.state)
    }

    /// Where somebody stands with a scheme. Of several entries the one that came furthest is told, with the months of all of them.
    fn award(&self, case: &PersonCase, person: &Person, scheme: SchemeCode) -> pb::ClassAward {
        let theirs = |claim: &&Claim| {
            let of_term = claim.school == self.school && claim.scheme == scheme && claim.term == self.term && !claim.months.is_empty();
            of_term && holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day).is_some_and(|known| known.person == person.person)
        };
        let rows: Vec<&AwardRow> = case.claims.iter().filter(theirs).filter_map(|claim| self.entries.get(&claim.entry)).collect();
        let furthest = rows.iter().map(|row| row.state).max_by_key(|state| state.code());
        let mut months: Vec<i32> = case.claims.iter().filter(theirs).flat_map(|claim| claim.months.iter().copied().map(Month::number)).collect();
        months.sort_unstable();
        months.dedup();
        let signed = said(case, self.policies, person, self.school, (scheme, self.term));
        pb::ClassAward {
            scheme_code: scheme.as_str().to_owned(),
            state: furthest.and_then(|state| award_entry::State::from_str_name(state.as_str())).unwrap_or_default().into(),
            months,
            held: rows.iter().any(|row| self.held.contains(&row.entry)),
            signed: match signed {
                Some(StatementKind::Application) => statement::Kind::Application,
                Some(StatementKind::Waiver) => statement::Kind::Waiver,
                None => statement::Kind::Unspecified,
            }
            .into(),
        }
    }
}
