//! The judge. Pure: claims, timelines, keys, names and policies in; findings out.

mod eligibility;
mod papers;
mod payee;
mod rate;

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use uuid::Uuid;
use xuezhu_domain::{
    Month, Term,
    calendar::{self, add_working_days},
    enrollment::PeriodState,
    majors,
    text::comparable_name,
};

pub use self::{
    eligibility::{Asked, Given, months_at},
    papers::said,
    rate::{Standing, standing_in},
};
use crate::case::{
    Claim, ClaimSide, ClaimStage, Enrollment, EnrollmentSide, Evidence, Finding, Judgement, PeriodSide, Person, PersonCase, Rival, Rule, Stage, StatementKind,
    Subject,
};
use crate::{
    amount,
    cause::Cause,
    policy::{
        Paid, Policies, Policy, Scheme, SchemeCode, Stop, TermDays,
        rules::{Facts, grounds, plain_data},
    },
};

/// How the judge decides now. It rises with every change by which it finds otherwise: a service of a new version then judges
/// anew whatever may be found otherwise.
const VERSION: u8 = 8;

/// By what is judged on a day: changes with any word of the policies that hold by then, with the calendar of working days, with the catalogues of majors, with how
/// the judge decides, and with the format that the mirror was told in, for what came with a format may decide otherwise.
pub fn standard(policies: &Policies, today: NaiveDate, format: i32) -> Uuid {
    let hash = blake3::Hasher::new()
        .update(&policies.fingerprint(today))
        .update(&calendar::fingerprint())
        .update(&majors::fingerprint())
        .update(&[VERSION])
        .update(&format.to_be_bytes())
        .finalize();
    Uuid::from_slice(&hash.as_bytes()[..16]).unwrap_or_default()
}

/// How bad it is where a rule finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Time mends it, or whoever runs the systems.
    Notice,
    /// The right student, and something to be put right.
    Fault,
    /// Money would go where it must not.
    Serious,
}

impl Severity {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Fault, Self::Serious];

    /// As clients are told; stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "NOTICE",
            Self::Fault => "FAULT",
            Self::Serious => "SERIOUS",
        }
    }
}

/// A rule in words, and the law it rests on.
pub struct Law {
    /// Which.
    pub rule: Rule,
    /// How bad what it finds is.
    pub severity: Severity,
    /// Name in Chinese.
    pub name: &'static str,
    /// Name in English.
    pub english: &'static str,
    /// What it means and what to do, in Chinese.
    pub meaning: &'static str,
    /// What it finds, in English.
    pub finds: &'static str,
    /// Where it comes from.
    pub basis: &'static str,
}

/// Every rule with its law.
pub const LAW: [Law; 14] = [
    Law {
        rule: Rule::NoEnrollment,
        severity: Severity::Serious,
        name: "无学籍",
        english: "Not enrolled",
        meaning: "本校没有该证件号的学籍（含已提交待审的），其他学校也没有有效学籍。请核对证件号；确系本校学生的，先办理学籍注册。",
        finds: "The number on the list is enrolled nowhere: not here, not elsewhere, and nothing of it was submitted here.",
        basis: "教职成厅函〔2016〕14号：两系统准确关联；严禁虚报",
    },
    Law {
        rule: Rule::NotYetRegistered,
        severity: Severity::Notice,
        name: "学籍待审",
        english: "Registration pending",
        meaning: "本校已提交学籍，主管部门尚未批准。批准后本疑点自动关闭，无需处理。",
        finds: "The school has submitted the enrollment; the department has not approved it yet. The flag closes by itself.",
        basis: "教职成〔2014〕12号：经主管部门审核后取得学籍",
    },
    Law {
        rule: Rule::NotValidInTerm,
        severity: Severity::Serious,
        name: "当月不在读",
        english: "Not in school in these months",
        meaning: "在本校有学籍，但所列月份处于休学、退学等不享受资助的状态。请修改月份，或补办复学等异动。",
        finds: "Enrolled here, but on leave or gone in the months named.",
        basis: "财科教〔2016〕35号：资助对象为在籍在校学生；休学期间不享受",
    },
    Law {
        rule: Rule::OtherSchool,
        severity: Severity::Serious,
        name: "在他校就读",
        english: "At another school",
        meaning: "所列月份该生在另一所学校有效就读。请核实学生是否已转走，并修改月份或移出名单。",
        finds: "Validly enrolled at another school, and only there, in the months named.",
        basis: "教职成厅函〔2016〕14号：杜绝双重学籍、重复资助",
    },
    Law {
        rule: Rule::IdentityMismatch,
        severity: Severity::Fault,
        name: "身份信息不符",
        english: "Identity differs",
        meaning: "证件号相同，但姓名、性别或出生日期从来不是该生的。请对照证件更正名单，或由主管部门办理信息变更。",
        finds: "The same number, but name, sex or birth date never were this person's.",
        basis: "教职成厅函〔2016〕14号：围绕学生身份的审核",
    },
    Law {
        rule: Rule::IdentityUnverified,
        severity: Severity::Fault,
        name: "人口库未核实",
        english: "Identity not confirmed",
        meaning: "人口库查无此号，或姓名与人口库不一致。请核对户口簿，由主管部门更正后重新核验。",
        finds: "The population registry does not know the number, or has another name for it.",
        basis: "教职成厅函〔2016〕14号：及时处理人口库比对问题",
    },
    Law {
        rule: Rule::DuplicateAward,
        severity: Severity::Serious,
        name: "重复资助",
        english: "Listed twice",
        meaning: "同一学生同一项目同一月份列了不止一次。请移除重复的月份。",
        finds: "The same student, scheme and month stand on more than one entry.",
        basis: "财科教〔2016〕35号：同一项目不得重复享受",
    },
    Law {
        rule: Rule::MissingAward,
        severity: Severity::Fault,
        name: "应助未助",
        english: "Entitled and not listed",
        meaning: "按现有信息应当享受，名单上报期限已过，却不在本校任何已提交的名单上。请补报名单或说明原因。",
        finds: "Entitled by right, and on no submitted list although lists are due.",
        basis: "教职成厅函〔2016〕14号：不漏报、不误报",
    },
    Law {
        rule: Rule::NotEligible,
        severity: Severity::Serious,
        name: "不符合政策条件",
        english: "Not eligible",
        meaning: "在本校在读，但按名单所依政策，所列月份不享受该项目：年级、学习形式、专业、户口所在地不在范围内，没有认定家庭经济困难，或者本校是民办学校而不在省级公布的名单上。请核对学籍信息，补办困难认定，或移除不享受的月份。",
        finds: "In school here, but the policy of the list gives the scheme to none such in these months.",
        basis: "财教〔2013〕110号、财教〔2024〕181号：资助范围；教财〔2018〕16号：先认定、后资助",
    },
    Law {
        rule: Rule::OverRate,
        severity: Severity::Fault,
        name: "超过标准",
        english: "Above the rate",
        meaning: "所列档次高于该生按困难等级和类别可以享受的最高档次，或者金额高于名单所依政策的标准。请改为该生的档次，或核对困难认定。",
        finds: "A higher tier or a larger amount than the policy gives to whoever is such.",
        basis: "财教〔2024〕181号：平均资助标准，具体档次由地方规定；教财〔2018〕16号：按困难等级确定档次",
    },
    Law {
        rule: Rule::OverQuota,
        severity: Severity::Fault,
        name: "超过名额",
        english: "Above the quota",
        meaning: "本校或本地区按家庭经济困难享受的人数已达到政策规定的名额，该生排在名额以外（先按困难等级从重到轻，再按名单上显示的次序）。有名额空出后重新审核即可；名额不足的，由主管部门调整。",
        finds: "As many as the policy lets in stand before this student.",
        basis: "财教〔2013〕110号：非涉农专业家庭经济困难学生按在校生的一定比例确定",
    },
    Law {
        rule: Rule::PayeeMismatch,
        severity: Severity::Serious,
        name: "收款账户不符",
        english: "Payee differs",
        meaning: "资助卡不是该生本人的，或者同一张卡列给了几名学生，或者填的不是银行卡号。请核对后改为该生本人的卡。",
        finds: "The account is not the student's own, serves several students, or is no card.",
        basis: "银发〔2010〕273号：一人一卡、本人实名、不得代领",
    },
    Law {
        rule: Rule::HeadcountDiffers,
        severity: Severity::Notice,
        name: "人数不一致",
        english: "Head counts differ",
        meaning: "学籍系统每晚清点本校各年级、各专业的人数，资助系统按同一时点的数据清点，两个数不一致：有记录没有传到或者被改动。不影响发放，由系统运行人员查明。",
        finds: "Enrollment counted other students of the school than aid holds at the same position of the feed.",
        basis: "教职成厅函〔2016〕14号：两系统准确关联、数据一致",
    },
    Law {
        rule: Rule::FileIncomplete,
        severity: Severity::Fault,
        name: "材料不齐",
        english: "File incomplete",
        meaning: "名单已签核，但没有该生的书面申请（或承诺），或者该生已书面放弃。请补录申请，或把该生移出名单。",
        finds: "The list was signed, and the student signed no application, or signed to want none.",
        basis: "财教〔2013〕110号、教财〔2018〕16号：本人申请、书面承诺",
    },
];

/// The law of a rule.
pub fn law(rule: Rule) -> &'static Law {
    LAW.iter().find(|law| law.rule == rule).expect("the table has every rule; a test counts them")
}

/// Judges a case on a civil day.
pub fn judge(case: &PersonCase, policies: &Policies, as_of: NaiveDate) -> Judgement {
    let judge = Judge { case, policies, as_of };
    let mut judgement = Judgement::default();
    // What was sent back is no claim any more: it is judged again when it is entered again.
    for claim in case.claims.iter().filter(|claim| claim.stage != ClaimStage::SentBack) {
        judge.of_claim(claim, &mut judgement.findings);
    }
    judge.of_duplicates(&mut judgement.findings);
    for person in &case.persons {
        judge.of_omissions(person, &mut judgement);
    }
    judgement.findings.retain(|finding| policies.judges_by(finding.rule, as_of));
    judgement.findings.sort_by(|a, b| (&a.subject, a.rule).cmp(&(&b.subject, b.rule)));
    judgement
}

/// Who a key stands for in a claim recorded on a day: a former or mistyped key stays good up to the day on which its end
/// was recorded; of several holders the one whose names match is meant, else the present one.
pub fn holder<'c>(persons: &'c [Person], key: Uuid, name_comparable: &str, recorded: NaiveDate) -> Option<&'c Person> {
    let bond = |person: &Person| person.keys.iter().find(|bond| bond.value == key && bond.good_for(recorded)).map(|bond| bond.end_recorded.is_none());
    let holders: Vec<(&Person, bool)> = persons.iter().filter_map(|person| bond(person).map(|current| (person, current))).collect();
    match holders[..] {
        [] => None,
        [(one, _)] => Some(one),
        // First whose names match, and of those the present holder; else the present holder.
        _ => holders.iter().max_by_key(|(person, current)| (person.answers_to(name_comparable, recorded), *current)).map(|(person, _)| *person),
    }
}

struct Judge<'c> {
    case: &'c PersonCase,
    policies: &'c Policies,
    as_of: NaiveDate,
}

/// What is found about one month of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MonthVerdict {
    Good,
    OtherSchool,
    NotYetRegistered,
    NotValidInTerm,
    NoEnrollment,
}

impl<'c> Judge<'c> {
    fn person_of(&self, claim: &Claim) -> Option<&'c Person> {
        holder(&self.case.persons, claim.key, &claim.name_comparable, claim.recorded_day)
    }

    fn places_of(&self, person: &Person) -> impl Iterator<Item = &'c Enrollment> {
        let id = person.person;
        self.case.enrollments.iter().filter(move |enrollment| enrollment.stage == Stage::Approved && enrollment.person == Some(id))
    }

    /// The day by which a month goes: its first, and in the first month of a term the first of it on which the student is in school anywhere. None where
    /// aid stops with the month in which somebody leaves, and the student is in school nowhere when it ends.
    fn day_of_month(&self, person: &Person, days: &TermDays, month: Month) -> Option<NaiveDate> {
        let first = month.first_day();
        if days.stop == Stop::SameMonth && self.in_school_on(person, month.end() - Days::new(1)).is_empty() {
            return None;
        }
        if days.months.first() == Some(&month) { self.first_in_school(person, first, month.end()) } else { Some(first) }
    }

    fn in_school_on(&self, person: &Person, day: NaiveDate) -> Vec<&'c Enrollment> {
        self.places_of(person).filter(|enrollment| enrollment.in_school_on(day).is_some()).collect()
    }

    fn first_in_school(&self, person: &Person, from: NaiveDate, end: NaiveDate) -> Option<NaiveDate> {
        self.places_of(person)
            .flat_map(|enrollment| &enrollment.timeline)
            .filter(|span| span.state.state == PeriodState::InSchool)
            .map(|span| span.from.max(from))
            .filter(|day| *day < end)
            .filter(|day| !self.in_school_on(person, *day).is_empty())
            .min()
    }

    /// The days of a claim's term, by the policy that its list goes by.
    fn days_of(&self, claim: &Claim) -> Option<TermDays> {
        self.policies.version(claim.policy).days(claim.term, self.case.region(&claim.school))
    }

    /// By what a scheme goes; by month where no policy has it any more.
    fn paid(&self, scheme: SchemeCode) -> Paid {
        self.policies.paid(scheme).unwrap_or(Paid::Month)
    }

    /// The day by which a month of a scheme goes: its own, or the term's count day.
    fn day_of(&self, person: &Person, paid: Paid, days: &TermDays, month: Month) -> Option<NaiveDate> {
        match paid {
            Paid::Month => self.day_of_month(person, days, month),
            Paid::Term => Some(days.count_day),
        }
    }

    /// The enrollments that a month of a scheme belongs to: where the student is in school on its day. Several only where sources disagree.
    fn owners(&self, person: &Person, paid: Paid, days: &TermDays, month: Month) -> Vec<&'c Enrollment> {
        self.day_of(person, paid, days, month).map(|day| self.in_school_on(person, day)).unwrap_or_default()
    }

    fn verdict(&self, claim: &Claim, person: Option<&Person>, month: Month, days: &TermDays) -> MonthVerdict {
        if let Some(person) = person {
            let owners = self.owners(person, self.paid(claim.scheme), days, month);
            if owners.iter().any(|enrollment| enrollment.school == claim.school) {
                return MonthVerdict::Good;
            }
            if !owners.is_empty() {
                return MonthVerdict::OtherSchool;
            }
        }
        let approved_here = person.is_some_and(|person| self.places_of(person).any(|enrollment| enrollment.school == claim.school));
        let waits_here = self.case.enrollments.iter().any(|enrollment| waits_here(enrollment, claim, person));
        match (waits_here, approved_here) {
            (true, _) => MonthVerdict::NotYetRegistered,
            (false, true) => MonthVerdict::NotValidInTerm,
            (false, false) => MonthVerdict::NoEnrollment,
        }
    }

    fn of_claim(&self, claim: &Claim, findings: &mut Vec<Finding>) {
        let Some(days) = self.days_of(claim) else { return };
        let person = self.person_of(claim);
        let verdicts: Vec<(Month, MonthVerdict)> = claim.months.iter().map(|month| (*month, self.verdict(claim, person, *month, &days))).collect();
        let elsewhere: Vec<Month> = verdicts.iter().filter(|(_, verdict)| *verdict == MonthVerdict::OtherSchool).map(|(month, _)| *month).collect();
        for (verdict, rule) in [
            (MonthVerdict::NoEnrollment, Rule::NoEnrollment),
            (MonthVerdict::NotYetRegistered, Rule::NotYetRegistered),
            (MonthVerdict::NotValidInTerm, Rule::NotValidInTerm),
            (MonthVerdict::OtherSchool, Rule::OtherSchool),
        ] {
            let months: Vec<Month> = verdicts.iter().filter(|(_, found)| *found == verdict).map(|(month, _)| *month).collect();
            if !months.is_empty() {
                let mut evidence = self.evidence(claim, person);
                evidence.elsewhere_months.clone_from(&elsewhere);
                let cause = self.cause_of_place(rule, claim, person, until(&days, months[0]));
                findings.push(self.finding(rule, claim, months, evidence, cause));
            }
        }
        self.of_rate(claim, person, &days, findings);
        self.of_excess(claim, person, findings);
        self.of_payee(claim, person, findings);
        let Some(person) = person else { return };
        self.of_eligibility(claim, person, &days, findings);
        let own: Vec<Month> = verdicts.iter().filter(|(_, verdict)| *verdict == MonthVerdict::Good).map(|(month, _)| *month).collect();
        self.of_papers(claim, person, own, findings);
        let differs = !person.answers_to(&claim.name_comparable, claim.recorded_day)
            || claim.sex.is_some_and(|sex| person.sex.is_some_and(|registered| registered != sex) && is_current_key(person, claim.key))
            || claim.birth_date.is_some_and(|birth| birth != person.birth_date && is_current_key(person, claim.key));
        if differs {
            let mut evidence = self.evidence(claim, Some(person));
            person.name().clone_into(&mut evidence.registered_name);
            findings.push(self.finding(Rule::IdentityMismatch, claim, claim.months.clone(), evidence, Cause::Identity { subject: person.subject }));
        }
        if person.registry.is_finding() {
            let mut evidence = self.evidence(claim, Some(person));
            evidence.registry = Some(person.registry);
            findings.push(self.finding(Rule::IdentityUnverified, claim, claim.months.clone(), evidence, Cause::Registry { subject: person.subject }));
        }
    }

    fn of_duplicates(&self, findings: &mut Vec<Finding>) {
        let rivals: Vec<(&Claim, Option<&Person>)> =
            self.case.claims.iter().filter(|claim| claim.stage != ClaimStage::SentBack).map(|claim| (claim, self.person_of(claim))).collect();
        let same = |a: &(&Claim, Option<&Person>), b: &(&Claim, Option<&Person>)| {
            a.0.scheme == b.0.scheme
                && match (a.1, b.1) {
                    (Some(a), Some(b)) => a.person == b.person,
                    (None, None) => a.0.key == b.0.key,
                    _ => false,
                }
        };
        for this in &rivals {
            let (claim, person) = this;
            let others: Vec<&(&Claim, Option<&Person>)> = rivals.iter().filter(|other| other.0.entry != claim.entry && same(this, other)).collect();
            if others.is_empty() {
                continue;
            }
            let months: Vec<Month> = claim.months.iter().copied().filter(|month| self.loses(claim, *person, &others, *month)).collect();
            if months.is_empty() {
                continue;
            }
            let mut evidence = self.evidence(claim, *person);
            evidence.rivals = others
                .iter()
                .map(|(other, _)| Rival {
                    entry: other.entry,
                    school: other.school.clone(),
                    months: other.months.iter().copied().filter(|month| claim.months.contains(month)).collect(),
                })
                .filter(|rival| !rival.months.is_empty())
                .collect();
            evidence.rivals.sort_by_key(|rival| rival.entry);
            let subject = person.map_or(claim.subject, |person| person.subject);
            findings.push(self.finding(Rule::DuplicateAward, claim, months, evidence, Cause::Duplicate { subject, term: claim.term }));
        }
    }

    /// Whether a claim is one too many in a month: flagged is every entry but the one that the timeline supports; if it
    /// supports several, but the earliest recorded of those; if none, but the earliest recorded of all.
    fn loses(&self, claim: &Claim, person: Option<&Person>, others: &[&(&Claim, Option<&Person>)], month: Month) -> bool {
        let mut competing: Vec<&Claim> = others.iter().map(|(other, _)| *other).filter(|other| other.months.contains(&month)).collect();
        if competing.is_empty() {
            return false;
        }
        competing.push(claim);
        // One ruling for all of them, whichever policy or region each list goes by: that of the earliest.
        let ruling = earliest(competing.iter().copied()).and_then(|first| competing.iter().find(|rival| rival.entry == first)).copied().unwrap_or(claim);
        let owners = match (person, self.days_of(ruling)) {
            (Some(person), Some(days)) => self.owners(person, self.paid(claim.scheme), &days, month),
            _ => Vec::new(),
        };
        let supported = competing.iter().copied().filter(|rival| owners.iter().any(|owner| owner.school == rival.school));
        let winner = earliest(supported).or_else(|| earliest(competing.iter().copied()));
        winner != Some(claim.entry)
    }

    /// Students entitled by right who are on no submitted list, once the list is due, with some grace after a late approval.
    fn of_omissions(&self, person: &Person, judgement: &mut Judgement) {
        if person.registry.is_finding() {
            return;
        }
        for enrollment in self.places_of(person) {
            let Some(approved) = enrollment.approved_day else { continue };
            // A term that was over when the place was approved is locked: nothing can be entered into it any more.
            let mut term = Term::of(enrollment.entry_date.max(approved)).max(crate::policy::first_term());
            while term.first_day() <= self.as_of {
                let policy = &*self.policies.of_term(term, self.as_of).policy;
                for scheme in policy.schemes().iter().filter(|scheme| scheme.by_right) {
                    self.of_omission(person, enrollment, (policy, scheme), term, approved, judgement);
                }
                term = term.next();
            }
        }
    }

    fn of_omission(
        &self,
        person: &Person,
        enrollment: &Enrollment,
        (policy, scheme): (&Policy, &Scheme),
        term: Term,
        approved: NaiveDate,
        judgement: &mut Judgement,
    ) {
        let region = self.case.region(&enrollment.school);
        let (Some(days), Some(rate)) = (policy.days(term, region), scheme.rate_in(term, region)) else { return };
        if !policy.admits(scheme.code, term, self.case.school(&enrollment.school)) {
            return;
        }
        let Some(place) = enrollment.in_school_on(days.count_day) else { return };
        // A level is limited by shares and asked for: it makes nobody missing.
        // Whom aid stops with the month of leaving may have no month of a term at whose count day they were there.
        let has_month = |month: &Month| self.owners(person, scheme.paid, &days, *month).iter().any(|owner| owner.school == enrollment.school);
        if days.stop == Stop::SameMonth && !days.months.iter().any(has_month) {
            return;
        }
        let facts = Facts::of(enrollment, place, person.registry, "");
        let why = plain_data(Some(rate), term, facts);
        if !why.entitles() || self.is_listed(person, enrollment, scheme, term) {
            return;
        }
        // Who signed not to want it is missing nowhere.
        if self.said(person, &enrollment.school, scheme.code, term).is_some_and(|said| said.kind == StatementKind::Waiver) {
            return;
        }
        let due = days.due.max(add_working_days(approved, policy.grace_working_days()));
        if self.as_of <= due {
            // The due days of a policy wake everybody; grace is a person's own, and so is what happens on the due day.
            if due > days.due || self.as_of == due {
                let wake = due + Days::new(1);
                judgement.rejudge_at = Some(judgement.rejudge_at.map_or(wake, |earlier| earlier.min(wake)));
            }
            return;
        }
        let Some(tier) = rate.proposed(&grounds(rate, facts), "") else { return };
        let amount = amount::of_months(rate.month_fen(tier), &days.months);
        let evidence = Evidence {
            enrollments: vec![side(enrollment)],
            policy: rate.id.clone(),
            policy_source: rate.source.clone(),
            due: Some(due),
            entitled_by: why.code().to_owned(),
            entitled_on: why.seen_by().to_owned(),
            registered_name: person.name().to_owned(),
            ..Evidence::default()
        };
        judgement.findings.push(Finding {
            rule: Rule::MissingAward,
            subject: Subject::Omission { subject: person.subject, school: enrollment.school.clone(), scheme: scheme.code, term },
            months: days.months,
            amount,
            evidence,
            cause: Cause::Missing { scheme: scheme.code, term },
        });
    }

    fn is_listed(&self, person: &Person, enrollment: &Enrollment, scheme: &Scheme, term: Term) -> bool {
        self.case.claims.iter().any(|claim| {
            claim.stage == ClaimStage::Submitted
                && claim.school == enrollment.school
                && claim.scheme == scheme.code
                && claim.term == term
                && self.person_of(claim).is_some_and(|known| known.person == person.person)
        })
    }

    fn evidence(&self, claim: &Claim, person: Option<&Person>) -> Evidence {
        let scheme = self.policies.version(claim.policy).scheme(claim.scheme);
        let rate = scheme.and_then(|scheme| scheme.rate_in(claim.term, self.case.region(&claim.school)));
        let mut enrollments: Vec<&Enrollment> = self
            .case
            .enrollments
            .iter()
            .filter(|enrollment| match enrollment.person {
                Some(id) => person.is_some_and(|person| person.person == id),
                None => enrollment.claim_key == claim.key || waits_here(enrollment, claim, person),
            })
            .collect();
        enrollments.sort_by_key(|enrollment| (enrollment.entry_date, enrollment.enrollment));
        Evidence {
            claim: Some(ClaimSide { name: claim.name.clone(), months: claim.months.clone(), recorded_day: claim.recorded_day }),
            enrollments: enrollments
                .into_iter()
                .map(|enrollment| EnrollmentSide { other_number: is_other_number(enrollment, claim), ..side(enrollment) })
                .collect(),
            policy: rate.map(|rate| rate.id.clone()).unwrap_or_default(),
            policy_source: rate.map(|rate| rate.source.clone()).unwrap_or_default(),
            ..Evidence::default()
        }
    }

    /// What a place's finding has in common with others: the change that ended the place, the move, the list that ran ahead.
    fn cause_of_place(&self, rule: Rule, claim: &Claim, person: Option<&Person>, until: NaiveDate) -> Cause {
        let subject = person.map_or(claim.subject, |person| person.subject);
        match rule {
            Rule::NotValidInTerm => {
                let change = person
                    .into_iter()
                    .flat_map(|person| self.places_of(person))
                    .filter(|enrollment| enrollment.school == claim.school)
                    .flat_map(|enrollment| &enrollment.timeline)
                    .filter(|span| span.state.state != PeriodState::InSchool && span.from <= until)
                    .map(|span| span.from)
                    .max();
                Cause::Absent { subject, since: change }
            }
            Rule::OtherSchool => Cause::Elsewhere { subject },
            Rule::NotYetRegistered => Cause::Ahead { term: claim.term, list: claim.list },
            _ => Cause::Unknown { term: claim.term, list: claim.list },
        }
    }

    fn finding(&self, rule: Rule, claim: &Claim, months: Vec<Month>, evidence: Evidence, cause: Cause) -> Finding {
        let months: Vec<Month> = months.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let amount = amount::at_stake(self.paid(claim.scheme), claim.month_fen, claim.amount, &months);
        Finding { rule, subject: Subject::Entry(claim.entry), months, amount, evidence, cause }
    }
}

/// The last day on which an absence begins that takes a month from somebody.
fn until(days: &TermDays, month: Month) -> NaiveDate {
    match days.stop {
        Stop::NextMonth => month.first_day(),
        Stop::SameMonth => month.end() - Days::new(1),
    }
}

/// The earliest recorded of some claims; those of one moment go by their ids.
fn earliest<'c>(claims: impl Iterator<Item = &'c Claim>) -> Option<Uuid> {
    claims.min_by_key(|claim| (claim.recorded_at_us, claim.entry)).map(|claim| claim.entry)
}

/// Whether an enrollment waits at the claim's school for who is meant by the claim.
fn waits_here(enrollment: &Enrollment, claim: &Claim, person: Option<&Person>) -> bool {
    enrollment.stage == Stage::Submitted
        && enrollment.school == claim.school
        && match person {
            // Of a number that passed from one to another, only what this person may be called means this person.
            Some(person) => {
                person.may_wait_under(enrollment.claim_key, enrollment.claimed_day.unwrap_or(claim.recorded_day))
                    && person.names.iter().any(|bond| bond.value.1 == comparable_name(&enrollment.claim_name))
            }
            None => enrollment.claim_key == claim.key,
        }
}

/// An approved enrollment is the person's under whatever number.
fn is_other_number(enrollment: &Enrollment, claim: &Claim) -> bool {
    enrollment.person.is_none() && enrollment.claim_key != claim.key
}

/// A number that was corrected since says other things about sex and birth; that is no fault of the claim.
fn is_current_key(person: &Person, key: Uuid) -> bool {
    person.keys.iter().any(|bond| bond.value == key && bond.end_recorded.is_none())
}

/// An enrollment as evidence.
pub fn side(enrollment: &Enrollment) -> EnrollmentSide {
    EnrollmentSide {
        enrollment: enrollment.enrollment,
        school: enrollment.school.clone(),
        stage: enrollment.stage,
        name: enrollment.claim_name.clone(),
        periods: enrollment
            .timeline
            .iter()
            .map(|span| PeriodSide {
                from: span.from,
                to: span.to,
                state: span.state.state,
                class_name: span.state.class_name.clone(),
                major: span.state.major.clone(),
            })
            .collect(),
        approved_day: enrollment.approved_day,
        other_number: false,
    }
}

#[cfg(test)]
mod tests;
