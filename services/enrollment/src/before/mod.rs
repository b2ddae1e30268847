//! What a database of before holds: whose keys it was sealed with, and how it becomes what is stored now. Done once, at the first
//! start; what is stored later is stored right.

mod store;
mod submissions;

use uuid::Uuid;
use xuezhu_domain::{
    IdNumber,
    identity::NumberClass,
    text::{holds_long_number, mask_long_numbers},
};
use xuezhu_service::{
    Error, Keyring,
    conversion::{self, Chunk, sealed_anew, sealed_report},
    proof,
    runner::ROWS,
};
use xuezhu_store::{Bytes, Db, Hex, StoreError, Tx, TxFuture};

// What submissions of before are told by.
pub use self::submissions::STAGES;
use crate::{directory, import, roll};

/// Rows that one transaction converts.
const ROWS_LOOKED_AT: i64 = 500;
/// Uploads that one transaction converts: a file may be large.
const FILES: i64 = 4;
/// Tables in which changed rows left what they held before.
const COMPACT: &[&str] = &[
    "enrollments",
    "periods",
    "identity_corrections",
    "persons",
    "person_keys",
    "imports",
    "import_files",
    "requests",
    "shared_records",
    "change_log",
    "audit",
];

/// Whether anything was ever entered: then new keys would fit nothing.
pub async fn is_used(db: &Db) -> Result<bool, Error> {
    let mut tx = db.read().await?;
    let used = if proof::has_table(&mut tx, "accounts").await? { store::has_account(&mut tx).await? } else { false };
    tx.rollback().await?;
    Ok(used)
}

/// Refuses keys that are not the database's; writes nothing.
pub async fn prove(db: &Db, keyring: &Keyring) -> Result<(), Error> {
    proof::prove(db, keyring, "enrollments", sample).await
}

fn sample<'t>(keyring: &'t Keyring, tx: &'t mut Tx) -> TxFuture<'t, Option<bool>, Error> {
    Box::pin(async move {
        let Some((enrollment, key, class, sealed)) = store::sample(tx).await? else { return Ok(None) };
        let Some(number) = keyring.open_text("id", &[enrollment], &sealed) else { return Ok(Some(false)) };
        Ok(Some(keyring.person_key(&IdNumber::stored(class_of(&class).ok_or(StoreError::Corrupt("class of number"))?, number)).0 == key))
    })
}

/// The class of a number, as text of before or as a code.
fn class_of(text: &str) -> Option<NumberClass> {
    text.parse().map_or_else(|_| NumberClass::of_before(text), NumberClass::from_code)
}

/// Converts what a database of before holds.
pub(crate) async fn convert(db: &Db, keyring: &Keyring) -> Result<(), Error> {
    let conversions: [(&str, Chunk); 13] = [
        ("enrollments", enrollments),
        ("persons", persons),
        ("imports", imports),
        ("requests", conversion::answers),
        ("places", places),
        ("circumstances", circumstances),
        ("classes", classes),
        ("submissions", submissions::convert),
        ("shared", xuezhu_bridge::before::shared),
        ("log", xuezhu_bridge::before::logged),
        ("audit", conversion::audit),
        // Both before anything is sealed: where a chain was begun, nothing of before is believed any more.
        ("audit checks", conversion::audit_checks),
        ("account checks", accounts),
    ];
    conversion::convert_all(db, keyring, &conversions).await?;
    compact(db).await
}

/// Takes away, once, what conversions left readable: for who owns the schema.
pub async fn compact(db: &Db) -> Result<(), Error> {
    conversion::compact(db, COMPACT).await
}

/// Enrollments, with what people wrote about them.
fn enrollments<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::enrollments(tx, conversion::after_id(after)?, ROWS_LOOKED_AT).await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.enrollment).collect();
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows {
            changed.push(store::Converted {
                enrollment: Hex(row.enrollment),
                id_sealed: Bytes(sealed_anew(keyring, "id", &[row.enrollment], row.id_sealed)?),
                details_sealed: Bytes(sealed_anew(keyring, "details", &[row.enrollment], row.details_sealed)?),
                sent_back_reason: mask_long_numbers(&row.sent_back_reason),
            });
        }
        store::set_enrollments(tx, &changed).await?;
        for (enrollment, period, reason) in store::period_reasons(tx, &ids).await? {
            if mask_long_numbers(&reason) != reason {
                store::set_period_reason(tx, enrollment, period, &mask_long_numbers(&reason)).await?;
            }
        }
        for (id, reason) in store::correction_reasons(tx, &ids).await? {
            if mask_long_numbers(&reason) != reason {
                store::set_correction_reason(tx, id, &mask_long_numbers(&reason)).await?;
            }
        }
        for (enrollment, period, reason) in store::cancelled_reasons(tx, &ids).await? {
            if mask_long_numbers(&reason) != reason {
                store::set_cancelled_reason(tx, enrollment, period, &mask_long_numbers(&reason)).await?;
            }
        }
        Ok(ids.last().map(Uuid::to_string))
    })
}

/// Accounts from before what they may was bound to a check.
fn accounts<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        if xuezhu_audit::before::is_begun(tx).await? {
            return Ok(None);
        }
        directory::bind_of_before(tx, &keyring.chain(ROWS), after, ROWS_LOOKED_AT).await
    })
}

/// 学号 and classes into which somebody's number was typed, when that was taken.
fn places<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::places(tx, conversion::after_id(after)?, ROWS_LOOKED_AT).await?;
        let last = rows.last().map(|(enrollment, ..)| enrollment.to_string());
        for (enrollment, school_number, class_name) in rows {
            if holds_long_number(&school_number) || holds_long_number(&class_name) {
                store::set_place(tx, enrollment, &mask_long_numbers(&school_number), &mask_long_numbers(&class_name)).await?;
            }
        }
        Ok(last)
    })
}

/// What money depends on and only the kept columns told: where somebody is registered, and which groups they are of. Every period gets what
/// the columns say now: what held before, nobody kept.
fn circumstances<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::details(tx, conversion::after_id(after)?, ROWS_LOOKED_AT).await?;
        let last = rows.last().map(|(enrollment, _)| enrollment.to_string());
        let mut told = Vec::with_capacity(rows.len());
        // Who was entered without a workbook has no columns.
        for (enrollment, sealed) in rows.into_iter().filter(|(_, sealed)| !sealed.is_empty()) {
            let details = keyring.open_text("details", &[enrollment], &sealed).ok_or_else(|| Error::Internal("sealed details do not open".into()))?;
            let value = |header: &str| {
                let known = details.lines().filter_map(|line| line.split_once('=')).find(|(known, _)| *known == header);
                known.map(|(_, value)| value.to_owned()).unwrap_or_default()
            };
            told.push(store::Circumstances {
                enrollment: Hex(enrollment),
                registered_region: value("户口所在地行政区划码"),
                urban_rural: value("城乡分类代码"),
                special_groups: import::row::special_groups(value),
            });
        }
        store::set_circumstances(tx, &told).await?;
        Ok(last)
    })
}

/// Classes, a school at a time, from the stories that stand.
fn classes<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let Some(school) = store::school_after(tx, after).await? else { return Ok(None) };
        // The same wherever the conversion is done again.
        let id = |class: &str| keyring.lookup_hash("class of before", &format!("{school} {class}"));
        roll::classes::of_before(tx, &school, id).await?;
        Ok(Some(school))
    })
}

fn persons<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::persons(tx, conversion::after_id(after)?, ROWS_LOOKED_AT).await?;
        let ids: Vec<Uuid> = rows.iter().map(|(person, _)| *person).collect();
        let mut numbers = Vec::with_capacity(rows.len());
        for (person, sealed) in rows {
            numbers.push(store::ConvertedPerson { person: Hex(person), sealed: Bytes(sealed_anew(keyring, "student_number", &[person], sealed)?) });
        }
        store::set_persons(tx, &numbers).await?;
        let mut keys = Vec::new();
        for (person, key, sealed) in store::keys(tx, &ids).await? {
            keys.push(store::ConvertedKey { person: Hex(person), key: Hex(key), sealed: Bytes(sealed_anew(keyring, "id", &[person, key], sealed)?) });
        }
        store::set_keys(tx, &keys).await?;
        Ok(ids.last().map(Uuid::to_string))
    })
}

fn imports<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::imports(tx, conversion::after_id(after)?, FILES).await?;
        let last = rows.last().map(|(import, ..)| import.to_string());
        for (import, report, file) in rows {
            let report = sealed_report(keyring, import, report)?;
            let file = file.map(|file| sealed_anew(keyring, "upload", &[import], file)).transpose()?;
            store::set_import(tx, import, &report, file.as_deref()).await?;
        }
        Ok(last)
    })
}
