//! Whether the account that a list names is the student's own.

use xuezhu_domain::text::comparable_name;

use super::Judge;
use crate::{
    case::{Claim, Finding, Payee, Person, Rule},
    cause::Cause,
    policy::scheme,
};

impl Judge<'_> {
    /// What is wrong with an account, where the policy of the list pays to students.
    pub(super) fn of_payee(&self, claim: &Claim, person: Option<&Person>, findings: &mut Vec<Finding>) {
        let scheme = self.policies.version(claim.policy).scheme(claim.scheme);
        if scheme.and_then(|scheme| scheme.payee) != Some(scheme::Payee::Student) {
            return;
        }
        let Some(account) = &claim.account else { return };
        let holder = comparable_name(&account.holder);
        let is_own = match person {
            _ if holder.is_empty() => true,
            Some(person) => person.answers_to(&holder, claim.recorded_day),
            None => holder == claim.name_comparable,
        };
        let mut payee = Vec::new();
        if !is_own {
            payee.push(Payee::HolderDiffers { holder: account.holder.clone() });
        }
        if account.others > 0 {
            payee.push(Payee::Shared { others: account.others });
        }
        if !account.is_card {
            payee.push(Payee::NotACard);
        }
        if payee.is_empty() {
            return;
        }
        let mut evidence = self.evidence(claim, person);
        evidence.payee = payee;
        let cause = Cause::Payee { subject: person.map_or(claim.subject, |person| person.subject) };
        findings.push(self.finding(Rule::PayeeMismatch, claim, claim.months.clone(), evidence, cause));
    }
}
