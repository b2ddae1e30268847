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
    /// Region code of where it is.
    pub region: String,
    /// Who owns it: `PUBLIC` or `PRIVATE`.
    pub kind: String,
}

/// A school of the present generation.
pub async fn school(tx: &mut Tx, code: &str) -> Result<Option<SchoolRow>, StoreError> {
    one!(
        tx,
        SchoolRow,
        "SELECT s.school, s.name, s.authority, s.region, s.kind FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation WHERE s.school = $1",
        code
    )
}

/// Schools of the present generation.
pub async fn schools(tx: &mut Tx, codes: &[String]) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(
        tx,
        SchoolRow,
        sql!("SELECT s.school, s.name, s.authority, s.region, s.kind FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation WHERE s.school" in_texts 1),
        bulk_texts(codes)
    )
}

/// Regions of schools of a generation, and who owns them.
pub async fn sides(tx: &mut Tx, generation: i64, codes: &[String]) -> Result<Vec<(String, String, String)>, StoreError> {
    rows!(
        tx,
        (String, String, String),
        sql!("SELECT school, region, kind FROM mirror_schools WHERE generation = $2 AND school" in_texts 1),
        bulk_texts(codes),
        generation
    )
}

/// Schools that lie elsewhere in one generation than in another, or are somebody else's.
pub async fn moved(tx: &mut Tx, old: i64, new: i64) -> Result<Vec<String>, StoreError> {
    let codes = rows!(
        tx,
        (String,),
        "SELECT o.school FROM mirror_schools o JOIN mirror_schools n ON n.generation = $2 AND n.school = o.school
         WHERE o.generation = $1 AND (o.kind <> n.kind OR o.region <> n.region)",
        old,
        new
    )?;
    Ok(codes.into_iter().map(|(code,)| code).collect())
}

/// Whether there are schools of the present generation, all of departments whose regions begin with these digits.
pub async fn covers_all(tx: &mut Tx, prefix: &str) -> Result<bool, StoreError> {
    let found = one!(
        tx,
        (i64, Option<i64>),
        "SELECT count(*), sum(CASE WHEN substr(s.authority, 1, length($1)) = $1 THEN 1 ELSE 0 END)
         FROM mirror_schools s JOIN mirror_state m ON m.generation = s.generation",
        prefix
    )?;
    Ok(found.is_some_and(|(all, own)| all > 0 && own == Some(all)))
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
