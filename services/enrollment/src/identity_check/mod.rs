//! Who a student is: the registry's answer and the 学籍号 that follows from it.

pub mod registry;
mod store;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{IdNumber, RegistryAnswer, identity::NumberClass};
use xuezhu_service::{Context, Error};
use xuezhu_store::Tx;

use crate::Parts;

/// A 学籍号: G and the number once the registry confirmed it, else L, the school's region, the birth date and four
/// random digits. Length 19.
pub fn student_number(ctx: &Context, registry: RegistryAnswer, number: &IdNumber, region: &str, birth: NaiveDate) -> String {
    if registry == RegistryAnswer::Confirmed && number.class() == NumberClass::Resident {
        return format!("G{}", number.reveal());
    }
    temporary_number(ctx, region, birth)
}

/// A temporary 学籍号.
pub fn temporary_number(ctx: &Context, region: &str, birth: NaiveDate) -> String {
    let mut random = [0; 4];
    ctx.ids().fill(&mut random);
    format!("L{region}{}{:04}", birth.format("%Y%m%d"), u32::from_be_bytes(random) % 10_000)
}

/// Notes what the registry said about a known person. A 学籍号 changes once, from L to G, when it confirms.
pub async fn answered(tx: &mut Tx, parts: &Parts, person: Uuid, registry: RegistryAnswer, formal: bool, number: &IdNumber) -> Result<(), Error> {
    store::set_registry(tx, person, registry.code()).await?;
    if registry == RegistryAnswer::Confirmed && !formal && number.class() == NumberClass::Resident {
        let student_number = format!("G{}", number.reveal());
        let hash = parts.keyring.lookup_hash("student_number", &student_number);
        // Somebody whose identity number was this one once may have kept the 学籍号: then the temporary one stays.
        if store::is_student_number_taken(tx, person, hash).await? {
            return Ok(());
        }
        store::set_student_number(tx, person, &parts.keyring.seal("student_number", &[person], student_number.as_bytes()), hash).await?;
    }
    Ok(())
}
