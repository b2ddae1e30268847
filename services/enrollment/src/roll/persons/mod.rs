//! Persons, their keys and names, and what enrollments claim by them.

mod store;

use std::collections::HashSet;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{BondKind, IdNumber, RegistryAnswer, Sex, identity::NumberClass, text};
use xuezhu_service::{Context, Error};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

use super::{Claim, drafts, opened};
use crate::{
    Parts,
    identity_check::{self, registry::Asked},
    sharing,
};

// What other capabilities may ask.
pub(crate) use self::store::{CorrectionRow, corrections, former_names, holders, is_claimed_beside, live_keys, lock_all};

/// Draws before it is said that the 10,000 temporary numbers of a region and birth date are used up.
const DRAWS: usize = 200;

/// Somebody who is approved for the first time.
#[derive(Debug)]
pub struct Entrant {
    /// What the registry said.
    pub registry: RegistryAnswer,
}

/// Who a person is now.
#[derive(Debug)]
pub struct Identity {
    /// Present key.
    pub key: Uuid,
    /// Present number.
    pub number: IdNumber,
    /// Present name.
    pub name: String,
    formal: bool,
}

/// What is corrected of a person.
#[derive(Debug)]
pub struct Correction<'c> {
    /// What the old key or name was.
    pub old: BondKind,
    /// The right number; none where it stays.
    pub number: Option<&'c IdNumber>,
    /// The right name; none where it stays.
    pub name: Option<&'c str>,
    /// Sex and day of birth, as number and claim say.
    pub sex: i32,
    /// Day of birth.
    pub birth_date: NaiveDate,
    /// Enrollment at which it was corrected.
    pub enrollment: Uuid,
    /// First day on which the new one holds.
    pub effective: NaiveDate,
    /// Why.
    pub reason: &'c str,
}

/// Enters persons, each with key, name and 学籍号.
pub(super) async fn enter(ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str, new: Vec<(Uuid, &Claim, Entrant)>) -> Result<(), Error> {
    let mut persons = Vec::with_capacity(new.len());
    for (person, claim, entrant) in new {
        let number = claim.number(parts)?;
        let student_number = identity_check::student_number(ctx, entrant.registry, &number, region, claim.birth_date);
        persons.push(store::NewPerson {
            person: Hex(person),
            sex: claim.sex,
            birth_date: claim.birth_date,
            registry: entrant.registry.code(),
            student_number_formal: student_number.starts_with('G'),
            student_number_hash: Hex(parts.keyring.lookup_hash("student_number", &student_number)),
            student_number_sealed: Bytes(parts.keyring.seal("student_number", &[person], student_number.as_bytes())),
            person_key: Hex(claim.key),
            id_class: claim.id_class,
            id_sealed: Bytes(parts.keyring.seal("id", &[person, claim.key], number.reveal().as_bytes())),
            name: claim.name.clone(),
        });
    }
    draw_free_numbers(ctx, tx, parts, region, &mut persons).await?;
    if !persons.is_empty() {
        store::insert(tx, &persons).await?;
    }
    Ok(())
}

/// Temporary numbers have four random digits: those that are taken, here or in the same set, are drawn again. A formal
/// number that is taken (a person keeps it when the identity number changes) gives way to a temporary one.
async fn draw_free_numbers(ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str, persons: &mut [store::NewPerson]) -> Result<(), Error> {
    for _ in 0..DRAWS {
        let taken: HashSet<Uuid> = store::taken_student_numbers(tx, persons.iter().map(|person| person.student_number_hash.0)).await?.into_iter().collect();
        let mut seen = HashSet::new();
        let mut drawn = false;
        for person in persons.iter_mut() {
            if taken.contains(&person.student_number_hash.0) || !seen.insert(person.student_number_hash.0) {
                let number = identity_check::temporary_number(ctx, region, person.birth_date);
                person.student_number_formal = false;
                person.student_number_hash = Hex(parts.keyring.lookup_hash("student_number", &number));
                person.student_number_sealed = Bytes(parts.keyring.seal("student_number", &[person.person.0], number.as_bytes()));
                drawn = true;
            }
        }
        if !drawn {
            return Ok(());
        }
    }
    Err(Error::Internal("the temporary numbers of a region and birth date are used up".into()))
}

/// Who a person is now.
pub async fn identity(tx: &mut Tx, parts: &Parts, person: Uuid) -> Result<Identity, Error> {
    let row = store::identity(tx, person).await?.ok_or(StoreError::Corrupt("person"))?;
    let number = opened(parts, &[person, row.person_key], row.id_class, &row.id_sealed)?;
    Ok(Identity { key: row.person_key, number, name: row.name, formal: row.formal })
}

/// Corrects key or name. The old ones stay with the person, with their kind and the day on which this was recorded; every enrollment
/// claims the new ones, and the registry is asked anew.
pub async fn correct(ctx: &Context, tx: &mut Tx, parts: &Parts, person: Uuid, correction: &Correction<'_>) -> Result<(), Error> {
    let present = identity(tx, parts, person).await?;
    if let Some(number) = correction.number {
        let key = parts.keyring.person_key(number).0;
        if key != present.key {
            store::retire_key(tx, person, correction.old.code(), ctx.today()).await?;
            let sealed = parts.keyring.seal("id", &[person, key], number.reveal().as_bytes());
            store::add_key(tx, person, key, number.class().code(), &sealed).await?;
        }
    }
    match correction.name {
        Some(name) if text::comparable_name(name) == text::comparable_name(&present.name) => store::respell_name(tx, person, name).await?,
        Some(name) => {
            store::retire_name(tx, person, correction.old.code(), ctx.today()).await?;
            store::add_name(tx, person, name).await?;
        }
        None => {}
    }
    store::set(tx, person, correction.sex, correction.birth_date).await?;
    let enrollments = store::enrollments_of(tx, person).await?;
    claim_present(ctx, tx, parts, person, &enrollments).await?;
    store::note_correction(ctx, tx, correction, person).await?;
    sharing::share_persons(ctx, tx, &[person]).await?;
    sharing::share_enrollments(ctx, tx, &enrollments).await
}

/// Lets enrollments claim who the person is now, in the kept columns too: else the right workbook would differ from what
/// is there, and the wrong one would not. The registry is asked about that.
pub(super) async fn claim_present(ctx: &Context, tx: &mut Tx, parts: &Parts, person: Uuid, enrollments: &[Uuid]) -> Result<(), Error> {
    let identity = identity(tx, parts, person).await?;
    let (sex, birth_date) = store::born(tx, person).await?.ok_or(StoreError::Corrupt("person"))?;
    let claim = store::Claimed {
        key: identity.key,
        class: identity.number.class().code(),
        comparable: text::comparable_name(&identity.name),
        name: identity.name,
        sex,
        birth_date,
    };
    store::set_claims(ctx, tx, enrollments, &claim).await?;
    let sealed: Vec<store::SealedId> = enrollments
        .iter()
        .map(|enrollment| store::SealedId {
            enrollment: Hex(*enrollment),
            id_sealed: Bytes(parts.keyring.seal("id", &[*enrollment], identity.number.reveal().as_bytes())),
        })
        .collect();
    store::set_sealed(tx, &sealed).await?;
    let (sex, birth) = (Sex::from_code(claim.sex).map(Sex::name), claim.birth_date.format("%Y%m%d").to_string());
    let said: Vec<(&str, &str)> = [("姓名", claim.name.as_str()), ("身份证件号", identity.number.reveal()), ("出生日期", &birth)]
        .into_iter()
        .chain(sex.map(|sex| ("性别", sex)))
        .collect();
    let details = drafts::details_of(tx, parts, enrollments.iter().copied()).await?;
    let said = details.into_iter().map(|(enrollment, details)| (enrollment, drafts::with_columns(&details, &said)));
    drafts::keep_details(tx, parts, said).await?;
    let answer = parts.registry.ask(&Asked { number: identity.number.clone(), name: claim.comparable });
    answered(tx, parts, person, answer, identity.formal, &identity.number).await
}

/// Notes what the registry said about a known person. A 学籍号 changes once, from L to G, when it confirms.
async fn answered(tx: &mut Tx, parts: &Parts, person: Uuid, registry: RegistryAnswer, formal: bool, number: &IdNumber) -> Result<(), Error> {
    store::set_registry(tx, person, registry.code()).await?;
    if registry == RegistryAnswer::Confirmed && !formal && number.class() == NumberClass::Resident {
        let student_number = identity_check::formal_number(number);
        let hash = parts.keyring.lookup_hash("student_number", &student_number);
        // Somebody whose identity number was this one once may have kept the 学籍号: then the temporary one stays.
        if store::is_student_number_taken(tx, person, hash).await? {
            return Ok(());
        }
        store::set_student_number(tx, person, &parts.keyring.seal("student_number", &[person], student_number.as_bytes()), hash).await?;
    }
    Ok(())
}
