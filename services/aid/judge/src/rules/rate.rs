//! How much of what a list gives the policy gives, and whether somebody is one too many.

use xuezhu_domain::RegistryAnswer;

use super::{Given, Judge};
use crate::{
    case::{Claim, ClaimStage, Finding, Over, Person, PersonCase, Rule},
    cause::Cause,
    policy::{Ground, Policies, Rate, TermDays, Tier},
};

/// What counts of somebody where only so many may be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Grade in the term.
    pub grade: i32,
    /// Grounds that hold, of each month that is let in: sets that are alike once.
    pub grounds: Vec<Vec<Ground>>,
    /// 困难等级 that was determined; empty where there is none.
    pub level: String,
}

/// What counts of whom a claim means, in those of its months that are the school's, whether the school is let in or not: whoever is let in all the same
/// takes a place. Nothing where nobody is known, or none of them is.
pub fn standing_in(case: &PersonCase, policies: &Policies, claim: &Claim) -> Option<Standing> {
    let days = policies.version(claim.policy).days(claim.term, case.region(&claim.school))?;
    let judge = Judge { case, policies, as_of: days.count_day };
    let (asked, person) = (judge.asked_of(claim, &days)?, judge.person_of(claim)?);
    let given: Vec<Given> = claim.months.iter().filter_map(|month| judge.given_in(person, &claim.school, asked, *month, RegistryAnswer::Confirmed)).collect();
    let mut grounds: Vec<Vec<Ground>> = given.iter().filter(|given| given.elsewhere.entitles()).map(|given| given.grounds.clone()).collect();
    grounds.dedup();
    let level = given.iter().map(|given| &given.level).find(|level| !level.is_empty()).cloned().unwrap_or_default();
    Some(Standing { grade: given.first()?.grade, grounds, level })
}

impl<'c> Judge<'c> {
    /// What the policy of a claim's list says of its scheme.
    pub(super) fn rate_of(&self, claim: &Claim) -> Option<&'c Rate> {
        let scheme = self.policies.version(claim.policy).scheme(claim.scheme)?;
        scheme.rate_in(claim.term, self.case.region(&claim.school))
    }

    /// Months for which more is claimed than the policy of the list gives. Of whom it is not known what they are given, the highest tier counts: they
    /// are held for what they are.
    pub(super) fn of_rate(&self, claim: &Claim, person: Option<&Person>, days: &TermDays, findings: &mut Vec<Finding>) {
        let Some(asked) = self.asked_of(claim, days).filter(|asked| claim.month_fen > asked.rate.sure_fen()) else { return };
        let rate = asked.rate;
        let mut over: Vec<Over> = Vec::new();
        for month in &claim.months {
            let given = person.and_then(|person| self.given_in(person, &claim.school, asked, *month, RegistryAnswer::Confirmed));
            let given = given.filter(|given| given.why.entitles() || !rate.only_entitled);
            let level = given.as_ref().map(|given| given.level.clone()).unwrap_or_default();
            let most: Option<&Tier> = given.map_or(rate.tiers.last(), |given| rate.most(&given.grounds, &given.level));
            let Some(tier) = most.filter(|tier| rate.month_fen(tier) < claim.month_fen) else { continue };
            if let Some(known) = over.iter_mut().find(|known| known.tier == tier.name && known.level == level) {
                known.months.push(*month);
            } else {
                over.push(Over { tier: tier.name.clone(), month: rate.month_fen(tier), claimed: claim.month_fen, level, months: vec![*month] });
            }
        }
        if over.is_empty() {
            return;
        }
        let months = over.iter().flat_map(|over| over.months.iter().copied()).collect();
        let mut evidence = self.evidence(claim, person);
        evidence.over = over;
        let cause = Cause::TooMuch { scheme: claim.scheme, term: claim.term, list: claim.list };
        findings.push(self.finding(Rule::OverRate, claim, months, evidence, cause));
    }

    /// Who was found to be one too many when their list was last weighed.
    pub(super) fn of_excess(&self, claim: &Claim, person: Option<&Person>, findings: &mut Vec<Finding>) {
        let Some(excess) = claim.excess.as_ref().filter(|_| claim.stage == ClaimStage::Submitted) else { return };
        let mut evidence = self.evidence(claim, person);
        evidence.policy.clone_from(&excess.quota);
        evidence.policy_source.clone_from(&excess.source);
        evidence.excess = Some(excess.clone());
        let cause = Cause::TooMany { scheme: claim.scheme, term: claim.term, list: claim.list };
        findings.push(self.finding(Rule::OverQuota, claim, claim.months.clone(), evidence, cause));
    }
}
