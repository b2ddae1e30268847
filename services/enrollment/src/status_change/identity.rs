//! Corrections of who a student is, by the department.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{BondKind, IdNumber};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::Tx;

use crate::{
    Parts, directory,
    roll::{persons, places},
};

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

/// Corrects name or number. A change of identity never changes status, school, major or class.
pub async fn correct_identity(ctx: &Context, tx: &mut Tx, parts: &Parts, correction: &Correction) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, &correction.school, Permission::Approve).await?;
    let row = places::lock(tx, &school.code, correction.enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let person = row.person.ok_or_else(|| Refusal::wrong_state("学籍尚未批准：请退回学校修改后重新提交"))?;
    persons::lock_all(tx, std::iter::once(person)).await?;
    if places::of_person(tx, person).await?.is_some_and(|place| place != correction.enrollment) {
        return Err(Refusal::wrong_state("该生已在另一所学校就读，应由现就读学校的主管部门办理").into());
    }
    let horizon = xuezhu_domain::calendar::school_year_end(ctx.today());
    if correction.effective > horizon {
        return Err(Refusal::field("effective_date", format!("生效日期不能晚于本学年末 {horizon}")).into());
    }
    let present = persons::identity(tx, parts, person).await?;
    let given = correction.id_number.trim();
    let number = if given.is_empty() {
        None
    } else {
        Some(IdNumber::parse(&row.id_document, given, ctx.today()).map_err(|error| Refusal::field("id_number", error.to_string()))?)
    };
    if let Some(number) = &number {
        may_hold(tx, parts, person, &present, number).await?;
    }
    let held = number.as_ref().unwrap_or(&present.number);
    let corrected = persons::Correction {
        old: correction.old,
        number: number.as_ref(),
        name: Some(correction.name.as_str()).filter(|name| !name.is_empty()),
        sex: held.sex().map_or(row.sex, xuezhu_domain::Sex::code),
        birth_date: held.birth_date().unwrap_or(row.birth_date),
        enrollment: correction.enrollment,
        effective: correction.effective,
        reason: &correction.reason,
    };
    persons::correct(ctx, tx, parts, person, &corrected).await
}

/// A number is one person's at a time, and nobody else's draft may stand on it.
async fn may_hold(tx: &mut Tx, parts: &Parts, person: Uuid, present: &persons::Identity, number: &IdNumber) -> Result<(), Error> {
    let key = parts.keyring.person_key(number).0;
    if key == present.key {
        return Ok(());
    }
    if persons::holders(tx, std::iter::once(key)).await?.iter().any(|holder| holder.person != person) {
        return Err(Refusal::new(Reason::IdentityConflict, "该证件号已登记在另一名学生名下，请先核正对方的信息").into());
    }
    if persons::is_claimed_beside(tx, person, key).await? {
        return Err(Refusal::new(Reason::IdentityConflict, "本校另有一条用该证件号录入的记录，请先退回并改正那一条").into());
    }
    Ok(())
}
