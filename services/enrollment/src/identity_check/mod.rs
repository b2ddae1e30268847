//! Who a student is: the registry's answer and the 学籍号 that follows from it.

pub mod registry;

use chrono::NaiveDate;
use xuezhu_domain::{IdNumber, RegistryAnswer, identity::NumberClass};
use xuezhu_service::Context;

/// A 学籍号: G and the number once the registry confirmed it, else L, the school's region, the birth date and four
/// random digits. Length 19.
pub fn student_number(ctx: &Context, registry: RegistryAnswer, number: &IdNumber, region: &str, birth: NaiveDate) -> String {
    if registry == RegistryAnswer::Confirmed && number.class() == NumberClass::Resident {
        return formal_number(number);
    }
    temporary_number(ctx, region, birth)
}

/// A temporary 学籍号.
pub fn temporary_number(ctx: &Context, region: &str, birth: NaiveDate) -> String {
    let mut random = [0; 4];
    ctx.ids().fill(&mut random);
    format!("L{region}{}{:04}", birth.format("%Y%m%d"), u32::from_be_bytes(random) % 10_000)
}

/// The 学籍号 of somebody whom the registry confirmed.
pub fn formal_number(number: &IdNumber) -> String {
    format!("G{}", number.reveal())
}
