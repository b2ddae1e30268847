//! What was said against a notice, and how it was decided, is bound to what acts write of it: what is open holds the round.

use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::Said;
use xuezhu_store::{StoreError, Tx};

use super::store::{self, BoundObjection};

/// Objections, as they are bound.
pub static OBJECTION: Kind = Kind {
    code: 9,
    name: "objection",
    at_once: 1_000,
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
    Ok(store::bound(tx, &ids).await?.iter().map(|objection| (Key::Id(objection.objection), of_objection(objection))).collect())
}

/// The notice that it is said against may become another one of the list.
fn of_objection(row: &BoundObjection) -> Said {
    let BoundObjection {
        objection,
        school,
        authority,
        entry,
        student,
        by_form,
        state,
        text_sealed,
        answer_sealed,
        answered_by_name,
        decision,
        decided_by_name,
    } = row;
    let said = Said::of("objection").bytes(objection.as_bytes()).text(school).text(authority).optional(entry.as_ref().map(|entry| &entry.as_bytes()[..]));
    let said = said.text(student).number((*by_form).into()).number((*state).into()).bytes(text_sealed).optional(answer_sealed.as_deref());
    said.text(answered_by_name).text(decision).text(decided_by_name)
}
