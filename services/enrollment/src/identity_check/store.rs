//! SQL of what the registry said.

use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, run};

pub async fn set_registry(tx: &mut Tx, person: Uuid, registry: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE persons SET registry = $2, etag = etag + 1 WHERE person = $1", person, registry)?;
    Ok(())
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
