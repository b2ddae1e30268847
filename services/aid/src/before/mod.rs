//! What a database of before holds: whose keys it was sealed with, and how it becomes what is stored now. Done once, at the first
//! start; what is stored later is stored right.

mod lists;
mod store;

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{
    IdNumber,
    money::AccountKind,
    text::{holds_long_number, mask_long_numbers},
};
use xuezhu_judge::entry::State;
use xuezhu_service::{
    Error, Keyring,
    conversion::{self, Chunk, sealed_anew, sealed_report},
    proof,
};
use xuezhu_store::{Bytes, Db, Hex, StoreError, Tx, TxFuture};

use crate::{
    award::units::{self, OfBefore},
    reconciliation,
    register::{self, Before, BeforeStep},
};

/// Rows that one transaction converts.
const ROWS: i64 = 500;
/// Entries whose units one transaction makes rows of: they go by when they were recorded, for which there is no index.
const ENTRIES: i64 = 5_000;
/// Tables in which changed rows left what they held before.
const COMPACT: &[&str] = &["award_entries", "flags", "flag_steps", "imports", "requests", "mirror_periods", "audit"];

/// Whether anything was ever entered or heard: then new keys would fit nothing.
pub async fn is_used(db: &Db) -> Result<bool, Error> {
    let mut tx = db.read().await?;
    let used = if proof::has_table(&mut tx, "award_lists").await? { store::has_rows(&mut tx).await? } else { false };
    tx.rollback().await?;
    Ok(used)
}

/// Refuses keys that are not the database's; writes nothing.
pub async fn prove(db: &Db, keyring: &Keyring) -> Result<(), Error> {
    proof::prove(db, keyring, "award_entries", sample).await
}

fn sample<'t>(keyring: &'t Keyring, tx: &'t mut Tx) -> TxFuture<'t, Option<bool>, Error> {
    Box::pin(async move {
        let Some((entry, key, document, sealed)) = store::sample(tx).await? else { return Ok(None) };
        let Some(number) = keyring.open_text("id", &[entry], &sealed) else { return Ok(Some(false)) };
        // Which kind of number it is follows from the paper; the day only keeps future birth dates out.
        Ok(Some(IdNumber::parse(&document, &number, NaiveDate::MAX).is_ok_and(|number| keyring.person_key(&number).0 == key)))
    })
}

/// Converts what a database of before holds.
pub(crate) async fn convert(db: &Db, keyring: &Keyring) -> Result<(), Error> {
    let conversions: [(&str, Chunk); 12] = [
        ("entries", entries),
        ("steps", steps),
        ("imports", imports),
        ("requests", conversion::answers),
        ("classes", classes),
        ("evidence", evidence),
        // After what cleans texts and evidence: both are taken as they are then.
        ("cases", cases),
        ("audit", conversion::audit),
        ("audit checks", conversion::audit_checks),
        ("units", award_units),
        ("lists", lists::convert),
        ("cards", cards),
    ];
    conversion::convert_all(db, keyring, &conversions).await?;
    compact(db).await
}

/// Takes away, once, what conversions left readable: for who owns the schema.
pub async fn compact(db: &Db) -> Result<(), Error> {
    conversion::compact(db, COMPACT).await
}

fn entries<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::entries(tx, conversion::after_id(after)?, ROWS).await?;
        let last = rows.last().map(|row| row.entry.to_string());
        let mut converted = Vec::with_capacity(rows.len());
        for row in rows {
            converted.push(store::Converted {
                entry: Hex(row.entry),
                id_sealed: Bytes(sealed_anew(keyring, "id", &[row.entry], row.id_sealed)?),
                card_sealed: row.card_sealed.map(|sealed| sealed_anew(keyring, "card", &[row.entry], sealed)).transpose()?.map(Bytes),
                remark: mask_long_numbers(&row.remark),
                sent_back_reason: mask_long_numbers(&row.sent_back_reason),
            });
        }
        store::set_entries(tx, &converted).await?;
        Ok(last)
    })
}

/// By what cards are found, of entries that were entered when nobody looked for that.
fn cards<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::cards(tx, conversion::after_id(after)?, ROWS).await?;
        let last = rows.last().map(|(entry, _)| entry.to_string());
        let found = |(entry, sealed): (Uuid, Vec<u8>)| {
            let card = keyring.open_text("card", &[entry], &sealed)?;
            let kind = AccountKind::of(&card)?.code();
            Some(store::Card { entry: Hex(entry), key: Hex(keyring.lookup_hash("card", &card)), kind })
        };
        store::set_cards(tx, &rows.into_iter().filter_map(found).collect::<Vec<_>>()).await?;
        Ok(last)
    })
}

fn steps<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let flags = store::flags(tx, conversion::after_id(after)?, ROWS).await?;
        for (flag, ordinal, detail) in store::step_details(tx, &flags).await? {
            if mask_long_numbers(&detail) != detail {
                store::set_step_detail(tx, flag, ordinal, &mask_long_numbers(&detail)).await?;
            }
        }
        Ok(flags.last().map(Uuid::to_string))
    })
}

/// Names of classes into which somebody's number was typed, when that was taken: as the mirror holds them.
fn classes<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let enrollments = store::enrollments(tx, conversion::after_id(after)?, ROWS).await?;
        for (enrollment, class_name) in store::class_names(tx, &enrollments).await? {
            if holds_long_number(&class_name) {
                store::set_class_name(tx, enrollment, &class_name, &mask_long_numbers(&class_name)).await?;
            }
        }
        Ok(enrollments.last().map(Uuid::to_string))
    })
}

/// The same in evidence. What the rules decided on, and with it the digest, holds no class.
fn evidence<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let flags = store::flags(tx, conversion::after_id(after)?, ROWS).await?;
        for (flag, text) in store::evidence(tx, &flags).await? {
            if let Some(text) = reconciliation::without_numbers(&text) {
                store::set_evidence(tx, flag, &text).await?;
            }
        }
        for (flag, ordinal, text) in store::step_evidence(tx, &flags).await? {
            if let Some(text) = reconciliation::without_numbers(&text) {
                store::set_step_evidence(tx, flag, ordinal, &text).await?;
            }
        }
        Ok(flags.last().map(Uuid::to_string))
    })
}

/// What was confirmed before there was a register, as far as it was kept.
fn cases<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let flags = store::confirmed_flags(tx, conversion::after_id(after)?, ROWS).await?;
        let last = flags.last().map(|flag| flag.flag.to_string());
        let ids: Vec<Uuid> = flags.iter().map(|flag| flag.flag).collect();
        let mut lives: HashMap<Uuid, Vec<BeforeStep>> = HashMap::new();
        for step in store::lives(tx, &ids).await? {
            lives.entry(step.flag).or_default().push(step.into());
        }
        let before = flags.into_iter().map(|flag| {
            let steps = lives.remove(&flag.flag).unwrap_or_default();
            Before { about: flag.into(), steps }
        });
        register::enter_of_before(tx, before.collect()).await?;
        store::note_registered(tx, &ids).await?;
        Ok(last)
    })
}

fn imports<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::imports(tx, conversion::after_id(after)?, ROWS).await?;
        let last = rows.last().map(|(import, _)| import.to_string());
        for (import, report) in rows {
            store::set_import(tx, import, &sealed_report(keyring, import, report)?).await?;
        }
        Ok(last)
    })
}

/// Units of entries, in the order in which these were recorded.
fn award_units<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let after: (i64, Uuid) =
            if after.is_empty() { (i64::MIN, Uuid::nil()) } else { serde_json::from_str(after).map_err(|_| StoreError::Corrupt("key of a conversion"))? };
        let rows = store::recorded(tx, after, ENTRIES).await?;
        let last = rows.last().map(|row| serde_json::json!([row.recorded_at_us, row.entry]).to_string());
        let standing = rows.into_iter().filter(|row| row.state != State::Removed).map(|row| OfBefore {
            entry: row.entry,
            person_key: row.person_key,
            scheme: row.scheme,
            term: row.term,
            months: row.months,
            amount_fen: row.amount_fen,
            state: row.state,
        });
        units::move_over(tx, &standing.collect::<Vec<_>>()).await?;
        Ok(last)
    })
}
