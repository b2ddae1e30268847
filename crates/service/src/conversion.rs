//! Conversions that SQL can't do: what stands in a database of before, made into what stands there now, at the first start. Each goes
//! chunk by chunk in the order of a key, each chunk in one transaction with how far it came: a stop goes on where it was.

use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value};
use uuid::Uuid;
use xuezhu_domain::text::{mask, mask_long_numbers, told_cell};
use xuezhu_store::{Db, StoreError, Tx, TxFuture, one, rows, run};

use crate::{
    keyring::Keyring,
    refusal::Error,
    runner::{ANSWER, AUDIT, masked_resource, place_of_answer},
};

/// Converts what comes after a key; returns the last key that it looked at, none at the end.
pub type Chunk = for<'t> fn(&'t Keyring, &'t mut Tx, &'t str) -> TxFuture<'t, Option<String>, Error>;

/// Does a conversion, unless it is done.
async fn convert(db: &Db, keyring: &Keyring, name: &'static str, chunk: Chunk) -> Result<(), Error> {
    let mut told = false;
    loop {
        let with = (keyring.clone(), name, chunk);
        let step = db.write(&with, |tx, (keyring, name, chunk)| Box::pin(step(tx, keyring, name, *chunk))).await?;
        match step {
            Step::Done => return Ok(()),
            Step::More => {
                if !told {
                    tracing::info!(name, "what stands in the database is converted; this is done once");
                }
                told = true;
            }
        }
    }
}

/// Does conversions in their order.
pub async fn convert_all(db: &Db, keyring: &Keyring, conversions: &[(&'static str, Chunk)]) -> Result<(), Error> {
    for (name, chunk) in conversions {
        convert(db, keyring, name, *chunk).await?;
    }
    Ok(())
}

/// How far a conversion came: none where it is done. Until the end of the transaction nobody else goes on with it.
pub(crate) async fn come_to(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    let known = one!(
        tx,
        (String, bool),
        "INSERT INTO conversions (name, after_key, done) VALUES ($1, '', false)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING after_key, done",
        name
    )?;
    Ok(known.filter(|(_, done)| !done).map(|(after, _)| after))
}

enum Step {
    Done,
    More,
}

async fn step(tx: &mut Tx, keyring: &Keyring, name: &'static str, chunk: Chunk) -> Result<Step, Error> {
    let known = one!(tx, (String, bool), "SELECT after_key, done FROM conversions WHERE name = $1", name)?;
    let after = match known {
        Some((_, true)) => return Ok(Step::Done),
        Some((after, false)) => after,
        None => String::new(),
    };
    let last = chunk(keyring, tx, &after).await?;
    note(tx, name, last.as_deref()).await?;
    Ok(if last.is_some() { Step::More } else { Step::Done })
}

/// Notes how far a conversion came; that it is done where there is no more. Where it ended stays noted: where it looked at nothing,
/// nowhere.
pub(crate) async fn note(tx: &mut Tx, name: &str, last: Option<&str>) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO conversions (name, after_key, done) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET after_key = CASE WHEN excluded.done THEN conversions.after_key ELSE excluded.after_key END, done = excluded.done",
        name,
        last.unwrap_or_default(),
        last.is_none()
    )?;
    Ok(())
}

/// Whether conversions looked at anything, and may have left what they wrote over readable.
pub async fn has_left_rows(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM conversions WHERE after_key <> '' LIMIT 1")?.is_some())
}

/// Does once, after conversions that looked at anything, what empties the space that they left: what was written over must not stay
/// readable. A new database is left alone: a planner that was told that its tables are empty would plan so when they are full.
pub async fn compact(db: &Db, tables: &'static [&'static str]) -> Result<(), Error> {
    const NAME: &str = "compact 2";
    let mut tx = db.read().await?;
    let done = one!(&mut tx, (bool,), "SELECT done FROM conversions WHERE name = $1", NAME)?.is_some();
    let looked = has_left_rows(&mut tx).await?;
    tx.rollback().await?;
    if !done {
        if looked && !db.owns_schema().await? {
            tracing::warn!(
                "what was converted left readable rows behind, which only the owner of the schema can take away: run `xuezhu admin migrate` once more"
            );
            return Ok(());
        }
        if looked {
            db.compact(tables).await?;
        }
        db.write(&(), |tx, ()| Box::pin(async move { note(tx, NAME, None).await.map_err(Error::from) })).await?;
    }
    Ok(())
}

/// The id that a conversion by id came to; the nil id at its beginning.
pub fn after_id(after: &str) -> Result<Uuid, Error> {
    if after.is_empty() { Ok(Uuid::nil()) } else { after.parse().map_err(|_| StoreError::Corrupt("key of a conversion").into()) }
}

/// Seals anew, for its row, what was sealed before keys were split.
pub fn sealed_anew(keyring: &Keyring, purpose: &str, row: &[Uuid], sealed: Vec<u8>) -> Result<Vec<u8>, Error> {
    if !Keyring::is_of_before(&sealed) {
        return Ok(sealed);
    }
    let plain = keyring.open(purpose, row, &sealed);
    let plain = plain.ok_or_else(|| Error::Internal(format!("what was sealed as {purpose} before keys were split does not open")))?;
    Ok(keyring.seal(purpose, row, &plain))
}

/// The stored report of an import, cleaned and sealed.
pub fn sealed_report(keyring: &Keyring, import: Uuid, report: Vec<u8>) -> Result<Vec<u8>, Error> {
    if !Keyring::is_of_before(&report) {
        return Ok(report);
    }
    let cleaned = cleaned_report(&report).ok_or(StoreError::Corrupt("import report"))?;
    Ok(keyring.seal("report", &[import], &cleaned))
}

/// Answers that are kept for repetitions: a conversion that both services need.
pub fn answers<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    /// Answers that one transaction converts.
    const ROWS: i64 = 500;
    Box::pin(async move {
        let (actor, request): (String, String) =
            if after.is_empty() { Default::default() } else { serde_json::from_str(after).map_err(|_| StoreError::Corrupt("key of a conversion"))? };
        let kept = rows!(
            tx,
            (String, String, String, Option<Vec<u8>>),
            "SELECT actor, request_id, method, response FROM requests WHERE (actor, request_id) > ($1, $2) ORDER BY actor, request_id LIMIT $3",
            actor,
            request,
            ROWS
        )?;
        for (actor, request, method, response) in &kept {
            let Some(response) = response.as_deref().filter(|response| Keyring::is_of_before(response)) else { continue };
            let cleaned = cleaned_answer(method, response).unwrap_or_else(|| response.to_vec());
            let sealed = keyring.seal(ANSWER, &place_of_answer(actor, request), &cleaned);
            run!(tx, "UPDATE requests SET response = $3 WHERE actor = $1 AND request_id = $2", actor, request, sealed)?;
        }
        Ok(kept.last().map(|(actor, request, ..)| serde_json::json!([actor, request]).to_string()))
    })
}

/// Audit lines, whose resource was kept as it was typed: a conversion that both services need.
pub fn audit<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move { Ok(xuezhu_audit::before::masked(tx, after_id(after)?, masked_resource).await?.map(|last| last.to_string())) })
}

/// Audit lines from before each had its check: a conversion that both services need, after the last that changes a line.
pub fn audit_checks<'t>(keyring: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move { Ok(xuezhu_audit::before::checked(tx, &keyring.chain(AUDIT), after_id(after)?).await?.map(|last| last.to_string())) })
}

/// Fields that hold what people wrote.
const WRITTEN: [&str; 8] = ["remark", "reason", "sent_back_reason", "text", "detail", "value", "message", "display_name"];
/// Fields that hold masked numbers.
const MASKED: [&str; 3] = ["id_number", "student_number", "card"];

/// The stored report of an import without what must not be kept: masks that show more than the end, numbers in what people wrote, birth dates beside
/// the end of a number. None where it is not of the type.
fn cleaned_report(bytes: &[u8]) -> Option<Vec<u8>> {
    cleaned(&xuezhu_proto::POOL.get_message_by_name("xuezhu.common.v1.ImportReport")?, bytes)
}

fn cleaned(message: &MessageDescriptor, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut message = DynamicMessage::decode(message.clone(), bytes).ok()?;
    clean(&mut message);
    Some(prost::Message::encode_to_vec(&message))
}

/// Calls of which not the response is stored but the one message in it.
const STORED_WITHIN: [&str; 6] = ["TakeLeave", "ReturnFromLeave", "Withdraw", "ExplainFlag", "ConfirmFlag", "ClearFlag"];

/// A stored answer to a call without what must not be kept.
fn cleaned_answer(method: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let methods = xuezhu_proto::POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let response = methods.into_iter().find(|known| known.name() == method)?.output();
    if !STORED_WITHIN.contains(&method) {
        return cleaned(&response, bytes);
    }
    let field = response.fields().next()?;
    match field.kind() {
        Kind::Message(held) => cleaned(&held, bytes),
        _ => None,
    }
}

fn clean(message: &mut DynamicMessage) {
    let fields: Vec<_> = message.descriptor().fields().collect();
    for field in fields {
        match field.kind() {
            Kind::String if !field.is_list() => {
                let Some(text) = message.get_field(&field).as_str().map(str::to_owned) else { continue };
                let name = field.name();
                let kept = if MASKED.contains(&name) {
                    if text.contains(|c: char| c.is_ascii_digit()) { mask(&text) } else { text.clone() }
                } else if WRITTEN.contains(&name) {
                    written(message, name, &text)
                } else if name == "birth_date" {
                    if let (Some(year), Some(field)) = (text.get(..4).and_then(|year| year.parse().ok()), message.descriptor().get_field_by_name("birth_year"))
                    {
                        message.set_field(&field, Value::I32(year));
                    }
                    String::new()
                } else {
                    continue;
                };
                if kept != text {
                    message.set_field(&field, Value::String(kept));
                }
            }
            Kind::Message(_) => match message.get_field_mut(&field) {
                Value::Message(inner) => clean(inner),
                Value::List(inner) => inner.iter_mut().filter_map(Value::as_message_mut).for_each(clean),
                _ => {}
            },
            _ => {}
        }
    }
}

/// What people wrote, without numbers. The problem of a row also tells a cell: of a birth date the year is enough, of a number its end.
fn written(message: &DynamicMessage, name: &str, text: &str) -> String {
    let column = message.get_field_by_name("column");
    match column.as_ref().and_then(|column| column.as_str()) {
        Some(_) if name == "value" && text.contains('*') => mask(text),
        Some(column) if name == "value" => told_cell(column, text),
        _ => mask_long_numbers(text),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use xuezhu_proto::aid::{AwardEntry, RemoveEntryResponse};

    use super::*;

    #[test]
    fn an_answer_of_before_keeps_no_number() {
        let entry = AwardEntry {
            id_number: "430102********4623".into(),
            birth_date: "2010-03-12".into(),
            remark: "电话13912345678".into(),
            name: "陈丽".into(),
            entry: "01234567-0123-7123-8123-012345678901".into(),
            ..AwardEntry::default()
        };
        let kept = cleaned_answer("RemoveEntry", &RemoveEntryResponse { entry: Some(entry.clone()) }.encode_to_vec()).expect("is known");
        let kept = RemoveEntryResponse::decode(&kept[..]).expect("decodes").entry.expect("an entry");
        let wanted =
            AwardEntry { id_number: "**************4623".into(), birth_date: String::new(), birth_year: 2010, remark: "电话*******5678".into(), ..entry };
        assert_eq!(kept, wanted);
        assert!(cleaned_answer("NoSuchCall", &[]).is_none());
    }
}
