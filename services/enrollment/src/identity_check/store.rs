//! SQL of what the registry said.

use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, one, run};

pub async fn set_registry(tx: &mut Tx, person: Uuid, registry: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE persons SET registry = $2, etag = etag + 1 WHERE person = $1", person, registry)?;
    Ok(())
}

/// Whether another person has a 学籍号.
pub async fn is_student_number_taken(tx: &mut Tx, person: Uuid, hash: Uuid) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM persons WHERE student_number_hash = $1 AND person <> $2", hash, person)?.is_some())
}

pub async fn set_student_number(tx: &mut Tx, person: Uuid, sealed: &[u8], hash: Uuid) -> Result<(), StoreError> {
    run!(
        tx,
        "UPDATE persons SET student_number_sealed = $2, student_number_hash = $3, student_number_formal = $4, etag = etag + 1 WHERE person = $1",
        person,
        sealed,
        hash,
        true
    )?;
    Ok(())
}
