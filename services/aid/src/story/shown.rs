//! What is shown of a flag, and to whom: a school sees its own side.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_domain::{RegistryAnswer, codes};
use xuezhu_judge::{
    case::{EnrollmentSide, Evidence, Excess, Excluded, Over, Payee, Stage},
    entry::State as EntryState,
    policy::rules::Why,
    rules,
};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, clock::rfc3339};
use xuezhu_store::{StoreError, Tx};

use crate::{
    Parts, award,
    head_counts::heads,
    mirror,
    policy::scheme_told,
    quota,
    reconciliation::{FlagRow, desk, parse_months},
};

/// Who looks: a school sees its own part only.
pub struct Viewer<'v> {
    /// The school, where one looks.
    pub school: Option<&'v str>,
}

impl<'v> Viewer<'v> {
    /// Whoever calls.
    pub fn of(ctx: &'v Context) -> Self {
        let school = ctx.actor.role.is_of_school().then_some(ctx.actor.organisation.as_str());
        Self { school }
    }

    /// Whether the person of this evidence is, or was, the viewer's own student: else a school could learn the name behind
    /// any number by listing it.
    pub fn knows(&self, evidence: &Evidence) -> bool {
        self.school.is_none_or(|own| evidence.enrollments.iter().any(|side| side.school == own && side.stage == Stage::Approved))
    }

    /// Whether what concerns a school is shown.
    pub fn sees(&self, school: &str) -> bool {
        self.school.is_none_or(|own| own == school)
    }
}

/// Names of the schools that flags and their evidence name.
pub async fn school_names(tx: &mut Tx, rows: &[FlagRow]) -> Result<HashMap<String, String>, Error> {
    let mut codes: Vec<String> = rows.iter().map(|row| row.school.clone()).collect();
    for row in rows {
        codes.extend(evidence(row)?.enrollments.into_iter().map(|side| side.school));
    }
    codes.sort_unstable();
    codes.dedup();
    Ok(mirror::school_names(tx, &codes).await?.into_iter().collect())
}

fn evidence(row: &FlagRow) -> Result<Evidence, Error> {
    serde_json::from_str(&row.evidence).map_err(|_| StoreError::Corrupt("evidence").into())
}

/// A flag, without its life.
pub fn flag(ctx: &Context, parts: &Parts, viewer: &Viewer, names: &HashMap<String, String>, row: FlagRow) -> Result<pb::Flag, Error> {
    let law = rules::law(row.rule);
    let evidence = evidence(&row)?;
    let months: Vec<i32> = parse_months(&row.months).into_iter().map(xuezhu_domain::Month::number).collect();
    let etag = desk::etag(&row);
    let number = match (row.entry, &row.id_sealed) {
        (Some(entry), Some(sealed)) => award::shown_number(ctx, parts, entry, sealed),
        _ => String::new(),
    };
    let scheme = scheme_told(&parts.policies.now(), &row.scheme);
    Ok(pb::Flag {
        etag,
        added: row.added,
        changed: row.changed,
        case: if row.registered { row.flag.to_string() } else { String::new() },
        school_name: row.school_name,
        authority: row.authority,
        entry_state: row
            .entry_state
            .and_then(EntryState::from_code)
            .and_then(|state| pb::award_entry::State::from_str_name(state.as_str()))
            .unwrap_or_default()
            .into(),
        flag: row.flag.to_string(),
        entry: row.entry.map(|entry| entry.to_string()).unwrap_or_default(),
        person: row.person.filter(|_| viewer.knows(&evidence)).map(|person| person.to_string()).unwrap_or_default(),
        months,
        amount_fen: row.amount_fen,
        evidence: Some(shown(viewer, names, &evidence, number)),
        cause: row.cause.to_string(),
        state: pb::flag::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
        judged_at: Some(pb::Judged { position: row.judged_position, time: rfc3339(row.judged_at_us) }),
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        term: row.term,
        name: row.name,
        holds: row.holds,
        steps: Vec::new(),
        rule_name: law.name.to_owned(),
        summary: law.meaning.to_owned(),
        legal_basis: law.basis.to_owned(),
        list: row.list.map(|list| list.to_string()).unwrap_or_default(),
        open_time: rfc3339(row.opened_at_us),
        rule: row.rule.as_str().to_owned(),
        school: row.school,
    })
}

/// Stored evidence, as far as somebody may see it, without a number; and the person it is about, where they may know.
pub async fn shown_to(ctx: &Context, tx: &mut Tx, evidence: &str, person: Option<Uuid>) -> Result<(pb::Evidence, String), Error> {
    let evidence: Evidence = serde_json::from_str(evidence).map_err(|_| StoreError::Corrupt("evidence"))?;
    let codes: Vec<String> = evidence.enrollments.iter().map(|side| side.school.clone()).collect();
    let names = mirror::school_names(tx, &codes).await?.into_iter().collect();
    let viewer = Viewer::of(ctx);
    let person = person.filter(|_| viewer.knows(&evidence)).map(|person| person.to_string()).unwrap_or_default();
    Ok((shown(&viewer, &names, &evidence, String::new()), person))
}

/// Evidence as far as the viewer may see it: a school is told "elsewhere in these months", never where.
fn shown(viewer: &Viewer, names: &HashMap<String, String>, evidence: &Evidence, id_number: String) -> pb::Evidence {
    let numbers = |months: &[xuezhu_domain::Month]| months.iter().map(|month| month.number()).collect::<Vec<_>>();
    pb::Evidence {
        claim: evidence.claim.as_ref().map(|claim| pb::Claim {
            name: claim.name.clone(),
            id_number,
            months: numbers(&claim.months),
            recorded_date: claim.recorded_day.to_string(),
        }),
        enrollments: evidence.enrollments.iter().filter(|side| viewer.sees(&side.school)).map(|side| found(names, side)).collect(),
        registered_name: if viewer.knows(evidence) { evidence.registered_name.clone() } else { String::new() },
        elsewhere_months: numbers(&evidence.elsewhere_months),
        rivals: evidence
            .rivals
            .iter()
            .map(|rival| {
                let sees = viewer.sees(&rival.school);
                pb::RivalEntry {
                    entry: if sees { rival.entry.to_string() } else { String::new() },
                    school: if sees { rival.school.clone() } else { String::new() },
                    months: numbers(&rival.months),
                }
            })
            .collect(),
        policy: evidence.policy.clone(),
        policy_source: evidence.policy_source.clone(),
        registry: if viewer.knows(evidence) { evidence.registry.map_or("", RegistryAnswer::as_str).to_owned() } else { String::new() },
        due_date: evidence.due.map(|day| day.to_string()).unwrap_or_default(),
        entitled_by: evidence.entitled_by.clone(),
        entitled_on: evidence.entitled_on.clone(),
        excluded: evidence.excluded.iter().map(excluded).collect(),
        over: evidence.over.iter().map(over).collect(),
        over_limit: evidence.excess.as_ref().map(|excess| over_limit(names, excess)),
        payee: evidence.payee.iter().map(payee).collect(),
        heads: evidence.heads.iter().map(heads).collect(),
        lacks_records: evidence.lacks_records,
        lacks: evidence.lacks.iter().map(|lack| lack.as_str().to_owned()).collect(),
    }
}

fn excluded(excluded: &Excluded) -> pb::ExcludedMonths {
    pb::ExcludedMonths {
        reason: excluded.why.clone(),
        message: Why::of_code(&excluded.why).map_or("", Why::chinese).to_owned(),
        grade: excluded.grade,
        months: excluded.months.iter().map(|month| month.number()).collect(),
    }
}

fn over(over: &Over) -> pb::OverMonths {
    pb::OverMonths {
        tier: over.tier.clone(),
        month_fen: over.month.0,
        claimed_fen: over.claimed.0,
        months: over.months.iter().map(|month| month.number()).collect(),
    }
}

fn over_limit(names: &HashMap<String, String>, excess: &Excess) -> pb::OverLimit {
    pb::OverLimit {
        quota: excess.quota.clone(),
        place: excess.of.clone(),
        place_name: quota::place_name(&excess.of, names),
        grade: excess.grade,
        base: excess.base.unwrap_or(0),
        limit: excess.limit,
    }
}

fn payee(payee: &Payee) -> pb::PayeeFault {
    let (reason, message) = match payee {
        Payee::HolderDiffers { holder } => ("HOLDER_DIFFERS", format!("户名“{holder}”不是该生的姓名")),
        Payee::Shared { others } => ("SHARED", format!("同一卡号还列给了另外{others}名学生")),
        Payee::NotACard => ("NOT_A_CARD", "卡号不是银行卡的号码（可能是存折或账号）".to_owned()),
    };
    pb::PayeeFault { reason: reason.to_owned(), message }
}

/// An enrollment that was found.
pub fn found(names: &HashMap<String, String>, side: &EnrollmentSide) -> pb::FoundEnrollment {
    pb::FoundEnrollment {
        enrollment: side.enrollment.to_string(),
        school: side.school.clone(),
        school_name: names.get(&side.school).cloned().unwrap_or_default(),
        stage: side.stage.as_str().to_owned(),
        name: side.name.clone(),
        periods: side
            .periods
            .iter()
            .map(|period| pb::StoryPeriod {
                from: period.from.to_string(),
                to: period.to.map(|day| day.to_string()).unwrap_or_default(),
                state: period.state.as_str().to_owned(),
                class_name: period.class_name.clone(),
                major_name: codes::major_of_key(&period.major).map_or("", |major| major.name).to_owned(),
            })
            .collect(),
        approved_date: side.approved_day.map(|day| day.to_string()).unwrap_or_default(),
    }
}
