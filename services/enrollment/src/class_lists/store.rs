//! SQL of what class teachers confirmed.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::Context;
use xuezhu_store::{StoreError, Tx, bulk_texts, one, rows, run, sql};

use super::Said;

/// What a class teacher said of a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ConfirmationRow {
    pub confirmation: Uuid,
    pub school: String,
    pub class_name: String,
    pub account: String,
    pub display_name: String,
    pub day: NaiveDate,
    pub at_us: i64,
    pub digest: String,
    pub students: i32,
    pub wrong: String,
}

pub async fn insert(ctx: &Context, tx: &mut Tx, confirmation: Uuid, said: &Said) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO class_confirmations (confirmation, school, class_name, account, display_name, day, at_us, digest, students, wrong)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        confirmation,
        &said.school,
        &said.class_name,
        &ctx.actor.account,
        &ctx.actor.display_name,
        ctx.today(),
        ctx.now_us(),
        &said.digest,
        said.count,
        &said.wrong
    )?;
    Ok(())
}

pub async fn one(tx: &mut Tx, confirmation: Uuid) -> Result<Option<ConfirmationRow>, StoreError> {
    one!(
        tx,
        ConfirmationRow,
        "SELECT confirmation, school, class_name, account, display_name, day, at_us, digest, students, wrong FROM class_confirmations
         WHERE confirmation = $1",
        confirmation
    )
}

/// A page, the latest first: of one class, or of all, or of those that are named.
pub async fn page(
    tx: &mut Tx,
    school: &str,
    class_name: &str,
    within: Option<&[String]>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ConfirmationRow>, StoreError> {
    rows!(
        tx,
        ConfirmationRow,
        sql!(
            "SELECT confirmation, school, class_name, account, display_name, day, at_us, digest, students, wrong FROM class_confirmations
             WHERE school = $1 AND ($2 = '' OR class_name = $2) AND ($3 IS NULL OR confirmation < $3) AND ($4 OR class_name" in_texts 5 ")
             ORDER BY confirmation DESC LIMIT $6"
        ),
        school,
        class_name,
        before,
        within.is_none(),
        bulk_texts(within.unwrap_or_default()),
        limit
    )
}
