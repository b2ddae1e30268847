//! Whether what the policy asks for lies with an entry: what the student signed, to be given aid, or to be given none.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{Month, Term};

use super::{Judge, holder};
use crate::{
    case::{Claim, Finding, Lack, Person, PersonCase, Rule, Statement, StatementKind},
    cause::Cause,
    policy::{Policies, SchemeCode, scheme::Paper},
};

/// What a student last signed at a school of a scheme in a term, and did not take back.
pub fn said(case: &PersonCase, policies: &Policies, person: &Person, school: &str, (scheme, term): (SchemeCode, Term)) -> Option<StatementKind> {
    let judge = Judge { case, policies, as_of: term.first_day() };
    judge.said(person, school, scheme, term).map(|said| said.kind)
}

impl<'c> Judge<'c> {
    /// What a student last said at a school of a scheme in a term, and did not take back.
    pub(super) fn said(&self, person: &Person, school: &str, scheme: SchemeCode, term: Term) -> Option<&'c Statement> {
        let theirs = |said: &&Statement| {
            let about = said.school == school && said.scheme == scheme && said.term == term;
            about && self.stands_for(said.key, &said.name_comparable, said.recorded_day, person)
        };
        self.case.statements.iter().rev().find(theirs)
    }

    fn stands_for(&self, key: Uuid, name: &str, recorded: NaiveDate, person: &Person) -> bool {
        holder(&self.case.persons, key, name, recorded).is_some_and(|known| known.person == person.person)
    }

    /// What is missing of an entry that the principal signed, where the policy of its list asks for it: of months that are the school's.
    pub(super) fn of_papers(&self, claim: &Claim, person: &Person, own: Vec<Month>, findings: &mut Vec<Finding>) {
        let asks = self.policies.version(claim.policy).scheme(claim.scheme).map_or(&[][..], |scheme| &scheme.asks);
        if !claim.attested || own.is_empty() || !asks.contains(&Paper::Application) {
            return;
        }
        let lack = match self.said(person, &claim.school, claim.scheme, claim.term).map(|said| said.kind) {
            Some(StatementKind::Application) => return,
            Some(StatementKind::Waiver) => Lack::Waived,
            None => Lack::Application,
        };
        let mut evidence = self.evidence(claim, Some(person));
        evidence.lacks = vec![lack];
        let cause = Cause::Papers { scheme: claim.scheme, term: claim.term, list: claim.list };
        findings.push(self.finding(Rule::FileIncomplete, claim, own, evidence, cause));
    }
}
