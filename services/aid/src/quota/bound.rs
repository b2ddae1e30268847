//! Places keep their truth: who was let in where only so many may be is bound to what acts write of it.

use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::Said;
use xuezhu_store::{StoreError, Tx};

use super::store::{self, BoundPlace};

/// Places, as they are bound: each by the entry that has it.
pub static PLACE: Kind = Kind {
    code: 4,
    name: "quota place",
    at_once: 2_000,
    say: |tx, keys| Box::pin(say(tx, keys)),
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            Ok(store::bound_after(tx, after, limit).await?.into_iter().map(Key::Id).collect())
        })
    },
};

async fn say(tx: &mut Tx, keys: &[Key]) -> Result<Vec<(Key, Said)>, StoreError> {
    let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
    Ok(store::bound(tx, &ids).await?.iter().map(|place| (Key::Id(place.entry), of_place(place))).collect())
}

fn of_place(place: &BoundPlace) -> Said {
    let BoundPlace { entry, scheme, term, school, region, grade, grounds } = place;
    Said::of("quota place").bytes(entry.as_bytes()).text(scheme).text(term).text(school).text(region).number((*grade).into()).text(grounds)
}
