//! Amounts keep their truth: what an entry says that was submitted, and its units, is bound to what acts write of it. A draft is the clerk's, and
//! not bound.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::Said;
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx};

use super::{
    store::{self, BoundRow, ReopeningRow},
    units::{self, BoundUnit},
};

/// Entries of lists, as they are bound.
pub static ENTRY: Kind = Kind {
    code: 3,
    name: "award entry",
    at_once: 2_000,
    say: |tx, keys| Box::pin(say(tx, keys)),
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            Ok(store::bound_after(tx, after, limit).await?.into_iter().map(Key::Id).collect())
        })
    },
};

/// Terms that were opened again for a school after their lock, as they are bound: what is open is approved.
pub static REOPENING: Kind = Kind {
    code: 10,
    name: "reopening",
    at_once: 2_000,
    say: |tx, keys| {
        Box::pin(async move {
            let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
            Ok(store::reopenings_of(tx, &ids).await?.iter().map(|row| (Key::Id(row.reopening), of_reopening(row))).collect())
        })
    },
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            Ok(store::reopenings_after(tx, after, limit).await?.into_iter().map(Key::Id).collect())
        })
    },
};

fn of_reopening(row: &ReopeningRow) -> Said {
    let ReopeningRow { reopening, school, scheme, term, until_day, reason, opened_by, opened_by_name, opened_at_us } = row;
    let said = Said::of("reopening").bytes(reopening.as_bytes()).text(school).text(scheme).text(term).number(day(*until_day));
    said.text(reason).text(opened_by).text(opened_by_name).number(*opened_at_us)
}

/// Says that entries are about to be changed, or their units: whoever calls has locked them.
pub(super) async fn touch(ctx: &Context, tx: &mut Tx, entries: &[Uuid]) -> Result<(), Error> {
    ctx.touch(tx, &ENTRY, entries.iter().copied().map(Key::Id)).await
}

async fn say(tx: &mut Tx, keys: &[Key]) -> Result<Vec<(Key, Said)>, StoreError> {
    let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
    let rows = store::bound(tx, &ids).await?;
    let mut said: HashMap<Uuid, Said> = rows.iter().map(|row| (row.entry, of_entry(row))).collect();
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let bound: Vec<Uuid> = said.keys().copied().collect();
    for unit in units::bound(tx, &bound).await? {
        if let Some(of) = said.remove(&unit.entry) {
            said.insert(unit.entry, of_unit(of, &unit));
        }
    }
    Ok(said.into_iter().map(|(entry, said)| (Key::Id(entry), said)).collect())
}

fn day(day: NaiveDate) -> i64 {
    day.num_days_from_ce().into()
}

fn of_entry(row: &BoundRow) -> Said {
    let BoundRow {
        entry,
        list,
        school,
        scheme,
        term,
        policy,
        person_key,
        name,
        months,
        first_day,
        last_day,
        amount_fen,
        month_fen,
        tier,
        state,
        gone,
        card_key,
        card_kind,
        card_holder,
        card_sealed,
        id_sealed,
        content_hash,
    } = row;
    let said = Said::of("award entry").bytes(entry.as_bytes()).bytes(list.as_bytes()).text(school).text(scheme).text(term).number((*policy).into());
    let said = said.bytes(person_key.as_bytes()).text(name).text(months).number(day(*first_day)).number(day(*last_day));
    let said = said.number(*amount_fen).number(*month_fen).text(tier).number((*state).into()).number((*gone).into());
    said.optional(card_key.as_ref().map(|key| &key.as_bytes()[..]))
        .number((*card_kind).into())
        .text(card_holder)
        .optional(card_sealed.as_deref())
        .bytes(id_sealed)
        .bytes(content_hash)
}

fn of_unit(said: Said, unit: &BoundUnit) -> Said {
    let BoundUnit { entry: _, first_month, unit, scheme, subject, fen, standing, standing_since } = unit;
    let said = said.text("unit").number((*first_month).into()).number((*unit).into()).text(scheme);
    let said = said.optional(subject.as_ref().map(|subject| &subject.as_bytes()[..])).number(*fen).number((*standing).into());
    said.number(standing_since.map_or(0, day))
}
