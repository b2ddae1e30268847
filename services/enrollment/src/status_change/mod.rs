//! 学籍异动: leave, return, withdrawal; and correction of identity by the department.

mod store;

// What other capabilities may ask.
pub(crate) use self::store::periods;
use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{
    BondKind, IdNumber,
    enrollment::{Change, PeriodState, State, after, check_effective},
    text,
};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

use crate::{
    Parts, directory,
    identity_check::{self, registry::Asked},
    registration, sharing,
};

/// A change of status to be recorded.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happens.
    pub change: Change,
    /// School.
    pub school: String,
    /// Enrollment.
    pub enrollment: Uuid,
    /// First day in the new state.
    pub effective: NaiveDate,
    /// Why.
    pub reason: String,
}

/// A correction of name or number.
#[derive(Debug, Clone)]
pub struct Correction {
    /// School.
    pub school: String,
    /// Enrollment.
    pub enrollment: Uuid,
    /// What the old name or number was: lawfully the person's, or a typing error.
    pub old: BondKind,
    /// First day on which the new one holds.
    pub effective: NaiveDate,
    /// The right name; empty where it stays.
    pub name: String,
    /// The right number; empty where it stays.
    pub id_number: String,
    /// Why.
    pub reason: String,
}

/// Records that a student takes leave, returns or withdraws. It may be recorded late: that changes the past, and is shared as such.
pub async fn record(ctx: &Context, tx: &mut Tx, event: &Event) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, &event.school, Permission::EnterForSchool).await?;
    let row = store::lock(tx, &school.code, event.enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let state = State::parse(&row.state).ok_or(StoreError::Corrupt("state"))?;
    let next = after(state, event.change).ok_or_else(|| Refusal::wrong_state(format!("当前为“{}”，不能办理{}", state.name(), event.change.name())))?;
    let last = row.state_since.ok_or(StoreError::Corrupt("first day of a state"))?;
    check_effective(last, event.effective, ctx.today()).map_err(|error| Refusal::field("effective_date", error.to_string()))?;
    store::end_period(tx, event.enrollment, event.effective).await?;
    store::add_period(ctx, tx, event, period_state(next)).await?;
    store::set_state(ctx, tx, event.enrollment, next.as_str(), event.effective).await?;
    if next == State::Withdrawn {
        store::leave_place(tx, event.enrollment).await?;
    }
    sharing::share_enrollments(ctx, tx, &[event.enrollment]).await
}

fn period_state(state: State) -> PeriodState {
    match state {
        State::OnLeave => PeriodState::OnLeave,
        State::Withdrawn => PeriodState::Withdrawn,
        _ => PeriodState::InSchool,
    }
}

/// Corrects name or number. The old key and name stay with the person, with their kind and the day on which this was
/// recorded; the registry is asked anew. A change of identity never changes status, school, major or class.
pub async fn correct_identity(ctx: &Context, tx: &mut Tx, parts: &Parts, correction: &Correction) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, &correction.school, Permission::Approve).await?;
    let row = store::lock(tx, &school.code, correction.enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let person = row.person.ok_or_else(|| Refusal::wrong_state("学籍尚未批准：请退回学校修改后重新提交"))?;
    store::lock_person(tx, person).await?;
    if store::place_of(tx, person).await?.is_some_and(|place| place != correction.enrollment) {
        return Err(Refusal::wrong_state("该生已在另一所学校就读，应由现就读学校的主管部门办理").into());
    }
    let horizon = xuezhu_domain::calendar::school_year_end(ctx.today());
    if correction.effective > horizon {
        return Err(Refusal::field("effective_date", format!("生效日期不能晚于本学年末 {horizon}")).into());
    }
    let identity = store::identity(tx, person).await?.ok_or(StoreError::Corrupt("person"))?;
    let old_number = parts.keyring.open_text("id", &identity.id_sealed).ok_or_else(|| Error::Internal("a sealed number does not open".into()))?;
    let mut number = IdNumber::stored(registration::parse_class(&identity.id_class)?, old_number);
    if !correction.id_number.trim().is_empty() {
        number = IdNumber::parse(&row.id_document, &correction.id_number, ctx.today()).map_err(|error| Refusal::field("id_number", error.to_string()))?;
        replace_key(ctx, tx, parts, person, &identity, &number, correction.old).await?;
    }
    let name = if correction.name.is_empty() { identity.name.clone() } else { correction.name.clone() };
    if text::comparable_name(&name) != text::comparable_name(&identity.name) {
        store::retire_name(tx, person, correction.old.code(), ctx.today()).await?;
        store::add_name(tx, person, &name).await?;
    }
    let sealed = parts.keyring.seal("id", number.reveal().as_bytes());
    let claim = store::Claim {
        key: parts.keyring.person_key(&number).0,
        class: registration::class_text(number.class()),
        sealed,
        masked: number.masked(),
        comparable: text::comparable_name(&name),
        name,
        sex: number.sex().map_or(row.sex, xuezhu_domain::Sex::code),
        birth_date: number.birth_date().unwrap_or(row.birth_date),
    };
    let answer = parts.registry.ask(&Asked { number: number.clone(), name: claim.comparable.clone() });
    identity_check::answered(tx, parts, person, answer, identity.formal, &number).await?;
    let enrollments = store::set_claims(ctx, tx, person, &claim).await?;
    rewrite_details(tx, parts, person, &claim, &number).await?;
    store::note_correction(ctx, tx, correction, person).await?;
    sharing::share_persons(ctx, tx, &[person]).await?;
    sharing::share_enrollments(ctx, tx, &enrollments).await
}

/// Lets an enrollment of somebody who comes back claim the person's present number and name, whatever it was entered
/// under, and asks the registry about those.
pub(crate) async fn claim_present_identity(ctx: &Context, tx: &mut Tx, parts: &Parts, person: Uuid, enrollment: Uuid) -> Result<(), Error> {
    let identity = store::identity(tx, person).await?.ok_or(StoreError::Corrupt("person"))?;
    let number = parts.keyring.open_text("id", &identity.id_sealed).ok_or_else(|| Error::Internal("a sealed number does not open".into()))?;
    let number = IdNumber::stored(registration::parse_class(&identity.id_class)?, number);
    let claim = store::PresentClaim {
        key: identity.person_key,
        class: identity.id_class,
        sealed: identity.id_sealed,
        masked: number.masked(),
        comparable: text::comparable_name(&identity.name),
        name: identity.name,
    };
    store::set_claim(ctx, tx, enrollment, &claim).await?;
    let answer = parts.registry.ask(&Asked { number: number.clone(), name: claim.comparable });
    identity_check::answered(tx, parts, person, answer, identity.formal, &number).await
}

/// Puts what was corrected into the kept columns too: else the corrected workbook would differ from what is there, and
/// the wrong one would not.
async fn rewrite_details(tx: &mut Tx, parts: &Parts, person: Uuid, claim: &store::Claim, number: &IdNumber) -> Result<(), Error> {
    for (enrollment, sealed) in store::details(tx, person).await? {
        let details = parts.keyring.open_text("details", &sealed).ok_or_else(|| Error::Internal("sealed details do not open".into()))?;
        let corrected: String = details
            .lines()
            .map(|line| {
                let (header, value) = line.split_once('=').unwrap_or((line, ""));
                let sex = xuezhu_domain::Sex::from_code(claim.sex).map_or_else(|| value.to_owned(), |sex| sex.name().to_owned());
                match header {
                    "姓名" => format!("{header}={}\n", claim.name),
                    "身份证件号" => format!("{header}={}\n", number.reveal()),
                    "性别" => format!("{header}={sex}\n"),
                    "出生日期" => format!("{header}={}\n", claim.birth_date.format("%Y%m%d")),
                    _ => format!("{line}\n"),
                }
            })
            .collect();
        let hash = parts.keyring.content_hash(corrected.as_bytes());
        store::set_details(tx, enrollment, &parts.keyring.seal("details", corrected.as_bytes()), &hash).await?;
    }
    Ok(())
}

async fn replace_key(
    ctx: &Context,
    tx: &mut Tx,
    parts: &Parts,
    person: Uuid,
    identity: &store::IdentityRow,
    number: &IdNumber,
    old: BondKind,
) -> Result<(), Error> {
    let key = parts.keyring.person_key(number).0;
    if key == identity.person_key {
        return Ok(());
    }
    if registration::holders(tx, std::iter::once(key)).await?.iter().any(|holder| holder.person != person) {
        return Err(Refusal::new(Reason::IdentityConflict, "该证件号已登记在另一名学生名下，请先核正对方的信息").into());
    }
    if store::is_claimed_beside(tx, person, key).await? {
        return Err(Refusal::new(Reason::IdentityConflict, "本校另有一条用该证件号录入的记录，请先退回并改正那一条").into());
    }
    store::retire_key(tx, person, old.code(), ctx.today()).await?;
    store::add_key(tx, person, key, &registration::class_text(number.class()), &parts.keyring.seal("id", number.reveal().as_bytes())).await?;
    Ok(())
}
