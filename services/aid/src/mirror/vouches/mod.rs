//! What a school vouches for: a key and a name, from one day to another. Sweeps compare entries with vouches alone.

mod store;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_service::Error;
use xuezhu_store::{Hex, StoreError, Tx, bulk_uuids};

use self::store::{Ground, GroundRow};

/// Makes the vouches of these persons anew: what they are made of is read by index and joined here. Whatever statistics a planner has,
/// as while a generation is loaded, the work stays that of these persons.
pub async fn renew(tx: &mut Tx, generation: i64, persons: &[Uuid]) -> Result<(), Error> {
    let ids = bulk_uuids(persons.iter().copied());
    let mut grounds: HashMap<i32, Vec<GroundRow>> = HashMap::new();
    for row in store::grounds(tx, generation, &ids).await? {
        grounds.entry(row.what).or_default().push(row);
    }
    let mut of = |ground: Ground| grounds.remove(&(ground as i32)).unwrap_or_default().into_iter();
    let undoubted: HashSet<Uuid> = of(Ground::Undoubted).map(|row| row.of).collect();
    let keys: HashMap<Uuid, Uuid> = of(Ground::Key).filter_map(|row| row.id.map(|key| (row.of, key))).collect();
    let names: HashMap<Uuid, String> = of(Ground::Name).filter_map(|row| row.text.map(|name| (row.of, name))).collect();
    let place = |row: GroundRow| Some((row.of, (row.id.filter(|person| undoubted.contains(person))?, row.text?, row.from_date?)));
    let places: HashMap<Uuid, (Uuid, String, chrono::NaiveDate)> = of(Ground::Place).filter_map(place).collect();
    let vouch = |row: GroundRow| {
        let (person, school, approved_day) = places.get(&row.of)?;
        Some(store::VouchRow {
            person_key: Hex(*keys.get(person)?),
            enrollment: Hex(row.of),
            ordinal: row.ordinal?,
            person: Hex(*person),
            school: school.clone(),
            name_comparable: names.get(person)?.clone(),
            from_date: row.from_date?,
            // An open period ends beyond all calendars.
            to_date: row.to_date.or_else(|| chrono::NaiveDate::from_ymd_opt(9999, 12, 31)).unwrap_or_default(),
            approved_day: *approved_day,
        })
    };
    let vouches: Vec<store::VouchRow> = of(Ground::Period).filter_map(vouch).collect();
    store::replace_vouches(tx, generation, &ids, &vouches).await?;
    Ok(())
}

/// Drops those of the source's other generations.
pub async fn drop_others(tx: &mut Tx, generation: i64) -> Result<(), StoreError> {
    store::drop_others(tx, generation).await
}
