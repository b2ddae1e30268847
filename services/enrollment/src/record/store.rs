//! SQL of what dossiers propose to change of a record.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx, one, run};

pub async fn propose(tx: &mut Tx, dossier: Uuid, enrollment: Uuid, from: NaiveDate, columns_sealed: &[u8]) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO aid_fact_proposals (dossier, enrollment, from_date, columns_sealed) VALUES ($1, $2, $3, $4)",
        dossier,
        enrollment,
        from,
        columns_sealed
    )?;
    Ok(())
}

/// From which day on, and what columns are to say.
pub async fn proposed(tx: &mut Tx, dossier: Uuid) -> Result<Option<(NaiveDate, Vec<u8>)>, StoreError> {
    one!(tx, (NaiveDate, Vec<u8>), "SELECT from_date, columns_sealed FROM aid_fact_proposals WHERE dossier = $1", dossier)
}
