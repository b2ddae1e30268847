//! SQL of policies and their versions.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::UnknownCode;
use xuezhu_service::paging::Turn;
use xuezhu_store::{StoreError, Tx, bulk_uuids, one, rows, run, sql};

/// Where a policy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody proposed it; a second person is to sign it.
    Proposed,
    /// It was signed: it is a version.
    Signed,
    /// It was sent back, refused or recalled.
    Dropped,
}

impl State {
    const ALL: [Self; 3] = [Self::Proposed, Self::Signed, Self::Dropped];

    /// As stored.
    pub fn code(self) -> i32 {
        match self {
            Self::Proposed => 1,
            Self::Signed => 2,
            Self::Dropped => 3,
        }
    }
}

impl TryFrom<i32> for State {
    type Error = UnknownCode;

    fn try_from(code: i32) -> Result<Self, UnknownCode> {
        Self::ALL.into_iter().find(|state| state.code() == code).ok_or(UnknownCode { of: "state of a policy", code })
    }
}

/// A policy.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PolicyRow {
    pub policy: Uuid,
    pub version: Option<i32>,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub from_day: NaiveDate,
    pub content: String,
    pub note: String,
    pub proposed_by: String,
    pub proposed_by_name: String,
    pub proposed_at_us: i64,
    pub authority: String,
}

/// A version, as it is judged by.
#[derive(Debug, sqlx::FromRow)]
pub struct VersionRow {
    pub version: i32,
    pub from_day: NaiveDate,
    pub content: String,
}

/// The highest number of a version; 0 where there is none.
pub async fn newest(tx: &mut Tx) -> Result<i32, StoreError> {
    let newest = one!(tx, (Option<i32>,), "SELECT max(version) FROM policies")?;
    Ok(newest.and_then(|(version,)| version).unwrap_or(0))
}

/// Every version, by number.
pub async fn versions(tx: &mut Tx) -> Result<Vec<VersionRow>, StoreError> {
    rows!(tx, VersionRow, "SELECT version, from_day, content FROM policies WHERE version IS NOT NULL ORDER BY version")
}

/// Whether the folder was lived in before policies had versions.
pub async fn lived(tx: &mut Tx) -> Result<bool, StoreError> {
    let found = one!(tx, (i32,), "SELECT 1 WHERE EXISTS (SELECT 1 FROM woken) OR EXISTS (SELECT 1 FROM award_lists)")?;
    Ok(found.is_some())
}

pub async fn insert(tx: &mut Tx, row: &PolicyRow) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO policies (policy, version, state, from_day, content, note, proposed_by, proposed_by_name, proposed_at_us, authority)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        row.policy,
        row.version,
        row.state.code(),
        row.from_day,
        &row.content,
        &row.note,
        &row.proposed_by,
        &row.proposed_by_name,
        row.proposed_at_us,
        &row.authority
    )?;
    Ok(())
}

pub async fn policy(tx: &mut Tx, policy: Uuid) -> Result<Option<PolicyRow>, StoreError> {
    one!(
        tx,
        PolicyRow,
        "SELECT policy, version, state, from_day, content, note, proposed_by, proposed_by_name, proposed_at_us, authority FROM policies WHERE policy = $1",
        policy
    )
}

/// Policies, what was proposed last first.
pub async fn policies(tx: &mut Tx, turn: &Turn<Uuid>) -> Result<Vec<PolicyRow>, StoreError> {
    rows!(
        tx,
        PolicyRow,
        "SELECT policy, version, state, from_day, '' AS content, note, proposed_by, proposed_by_name, proposed_at_us, authority FROM policies
         WHERE ($1 IS NULL OR policy < $1) ORDER BY policy DESC LIMIT $2 OFFSET $3",
        turn.after,
        turn.rows,
        turn.skip
    )
}

/// How many policies there are.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(one!(tx, (i64,), "SELECT count(*) FROM policies")?.map(|(count,)| count).unwrap_or_default())
}

/// What is proposed already, with the department that did.
pub async fn proposed(tx: &mut Tx) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(tx, (Uuid, String), "SELECT policy, authority FROM policies WHERE state = $1", State::Proposed.code())
}

/// The department that took the newest version; empty of one that nobody signed.
pub async fn newest_authority(tx: &mut Tx) -> Result<String, StoreError> {
    let newest = one!(tx, (String,), "SELECT authority FROM policies WHERE version IS NOT NULL ORDER BY version DESC LIMIT 1")?;
    Ok(newest.map(|(authority,)| authority).unwrap_or_default())
}

/// Signed, with its number.
pub async fn sign(tx: &mut Tx, policy: Uuid, version: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE policies SET state = $2, version = $3 WHERE policy = $1", policy, State::Signed.code(), version)?;
    Ok(())
}

pub async fn drop_all(tx: &mut Tx, policies: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("UPDATE policies SET state = $2 WHERE policy" in_uuids 1), bulk_uuids(policies.iter().copied()), State::Dropped.code())?;
    Ok(())
}

/// Those of these that are proposed; what each says never changes.
pub async fn present(tx: &mut Tx, policies: &[Uuid]) -> Result<Vec<(Uuid, NaiveDate, String)>, StoreError> {
    rows!(
        tx,
        (Uuid, NaiveDate, String),
        sql!("SELECT policy, from_day, content FROM policies WHERE state = $2 AND policy" in_uuids 1),
        bulk_uuids(policies.iter().copied()),
        State::Proposed.code()
    )
}
