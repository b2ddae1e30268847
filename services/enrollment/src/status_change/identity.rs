//! Who a student is: corrections by the department, and what enrollments claim after them.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{BondKind, IdNumber, text};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::store;
use crate::{
    Parts, directory,
    identity_check::{self, registry::Asked},
    registration, sharing,
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
    let mut number = number_of(parts, person, &identity)?;
    if !correction.id_number.trim().is_empty() {
        number = IdNumber::parse(&row.id_document, &correction.id_number, ctx.today()).map_err(|error| Refusal::field("id_number", error.to_string()))?;
        replace_key(ctx, tx, parts, person, &identity, &number, correction.old).await?;
    }
    if text::comparable_name(&correction.name) == text::comparable_name(&identity.name) {
        store::respell_name(tx, person, &correction.name).await?;
    } else if !correction.name.is_empty() {
        store::retire_name(tx, person, correction.old.code(), ctx.today()).await?;
        store::add_name(tx, person, &correction.name).await?;
    }
    let (sex, birth_date) = (number.sex().map_or(row.sex, xuezhu_domain::Sex::code), number.birth_date().unwrap_or(row.birth_date));
    store::set_person(tx, person, sex, birth_date).await?;
    let enrollments = store::enrollments_of(tx, person).await?;
    claim_identity(ctx, tx, parts, person, &enrollments).await?;
    store::note_correction(ctx, tx, correction, person).await?;
    sharing::share_persons(ctx, tx, &[person]).await?;
    sharing::share_enrollments(ctx, tx, &enrollments).await
}

/// Lets an enrollment of somebody who comes back claim the person's present number and name, whatever it was entered
/// under.
pub(crate) async fn claim_present_identity(ctx: &Context, tx: &mut Tx, parts: &Parts, person: Uuid, enrollment: Uuid) -> Result<(), Error> {
    claim_identity(ctx, tx, parts, person, &[enrollment]).await
}

/// Lets enrollments claim who the person is now, in the kept columns too: else the right workbook would differ from what
/// is there, and the wrong one would not. The registry is asked about that.
async fn claim_identity(ctx: &Context, tx: &mut Tx, parts: &Parts, person: Uuid, enrollments: &[Uuid]) -> Result<(), Error> {
    let identity = store::identity(tx, person).await?.ok_or(StoreError::Corrupt("person"))?;
    let number = number_of(parts, person, &identity)?;
    let claim = store::Claim {
        key: identity.person_key,
        class: identity.id_class,
        comparable: text::comparable_name(&identity.name),
        name: identity.name,
        sex: identity.sex,
        birth_date: identity.birth_date,
    };
    store::set_claims(ctx, tx, enrollments, &claim).await?;
    for (enrollment, details) in registration::details_of(tx, parts, enrollments.iter().copied()).await? {
        let corrected = with_identity(&details, &claim, &number);
        let hash = parts.keyring.content_hash(corrected.as_bytes());
        let sealed = store::Sealed {
            id: parts.keyring.seal("id", &[enrollment], number.reveal().as_bytes()),
            details: parts.keyring.seal("details", &[enrollment], corrected.as_bytes()),
        };
        store::set_sealed(tx, enrollment, &sealed, &hash).await?;
    }
    let answer = parts.registry.ask(&Asked { number: number.clone(), name: claim.comparable });
    identity_check::answered(tx, parts, person, answer, identity.formal, &number).await
}

fn number_of(parts: &Parts, person: Uuid, identity: &store::IdentityRow) -> Result<IdNumber, Error> {
    let number = parts
        .keyring
        .open_text("id", &[person, identity.person_key], &identity.id_sealed)
        .ok_or_else(|| Error::Internal("a sealed number does not open".into()))?;
    Ok(IdNumber::stored(registration::parse_class(&identity.id_class)?, number))
}

/// The kept columns of a workbook's row, with the identity as it is now.
fn with_identity(details: &str, claim: &store::Claim, number: &IdNumber) -> String {
    details
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
        .collect()
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
    store::add_key(tx, person, key, &registration::class_text(number.class()), &parts.keyring.seal("id", &[person, key], number.reveal().as_bytes())).await?;
    Ok(())
}
