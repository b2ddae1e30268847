//! SQL of whom to call at departments.

use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, bulk_texts, rows, run, sql};

/// A department's telephone.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OfficeRow {
    /// Region code of the department.
    pub region: String,
    /// Telephone.
    pub telephone: String,
    /// Who said so.
    pub set_by_name: String,
}

pub async fn set(ctx: &Context, tx: &mut Tx, region: &str, telephone: &str) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO offices (region, telephone, set_by, set_by_name, set_day) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (region) DO UPDATE SET telephone = excluded.telephone, set_by = excluded.set_by, set_by_name = excluded.set_by_name,
             set_day = excluded.set_day",
        region,
        telephone,
        &ctx.actor.account,
        &ctx.actor.display_name,
        ctx.today()
    )?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, region: &str) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM offices WHERE region = $1", region)?;
    Ok(())
}

/// Of these regions.
pub async fn of(tx: &mut Tx, regions: &[String]) -> Result<Vec<OfficeRow>, StoreError> {
    rows!(tx, OfficeRow, sql!("SELECT region, telephone, set_by_name FROM offices WHERE region" in_texts 1), bulk_texts(regions))
}

/// Of every region whose code begins so, by code.
pub async fn below(tx: &mut Tx, prefix: &str) -> Result<Vec<OfficeRow>, StoreError> {
    rows!(tx, OfficeRow, "SELECT region, telephone, set_by_name FROM offices WHERE $1 = '' OR substr(region, 1, length($1)) = $1 ORDER BY region", prefix)
}
