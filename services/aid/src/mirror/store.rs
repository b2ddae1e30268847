//! SQL of schools.

use xuezhu_store::{StoreError, Tx, bulk_texts, one, rows, sql};

/// A school.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SchoolRow {
    /// Code.
    pub school: String,
    /// Name.
    pub name: String,
    /// Region code of its department.
    pub authority: String,
}

/// A school of the present generation.
pub async fn school(tx: &mut Tx, code: &str) -> Result<Option<SchoolRow>, StoreError> {
    one!(
        tx,
        SchoolRow,
        "SELECT s.school, s.name, s.authority FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation WHERE s.school = $1",
        code
    )
}

/// Schools of the present generation.
pub async fn schools(tx: &mut Tx, codes: &[String]) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(
        tx,
        SchoolRow,
        sql!("SELECT s.school, s.name, s.authority FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation WHERE s.school" in_texts 1),
        bulk_texts(codes)
    )
}

/// Names of schools of the present generation.
pub async fn school_names(tx: &mut Tx, codes: &[String]) -> Result<Vec<(String, String)>, StoreError> {
    rows!(
        tx,
        (String, String),
        sql!("SELECT s.school, s.name FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation WHERE s.school" in_texts 1),
        bulk_texts(codes)
    )
}
