//! SQL of the audit.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_chain::{BEGINNING, Chain};
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_texts, one, rows, run, sql};

use crate::{line::Line, read::Asked, witness::SignedHead};

/// A line as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub struct Kept {
    #[sqlx(flatten)]
    pub line: Line,
    pub line_check: Option<Vec<u8>>,
    pub position: Option<i64>,
    pub link: Option<Vec<u8>>,
}

/// A line with its check, for a bulk statement.
#[derive(Serialize)]
pub struct Checked<'l> {
    id: Hex,
    at_us: i64,
    civil_day: NaiveDate,
    actor: &'l str,
    role: &'l str,
    organisation: &'l str,
    method: &'l str,
    resource: &'l str,
    outcome: &'l str,
    reason: &'l str,
    request_id: &'l str,
    address: &'l str,
    trace: &'l str,
    school: &'l str,
    region: &'l str,
    content: &'l str,
    written: &'l str,
    line_check: Bytes,
}

impl<'l> Checked<'l> {
    pub fn of(line: &'l Line, chain: &Chain) -> Self {
        Self {
            id: Hex(line.id),
            at_us: line.at_us,
            civil_day: line.civil_day,
            actor: &line.actor,
            role: &line.role,
            organisation: &line.organisation,
            method: &line.method,
            resource: &line.resource,
            outcome: &line.outcome,
            reason: &line.reason,
            request_id: &line.request_id,
            address: &line.address,
            trace: &line.trace,
            school: &line.school,
            region: &line.region,
            content: &line.content,
            written: &line.written,
            line_check: Bytes(chain.check(&line.said()).to_vec()),
        }
    }
}

/// A line that got its place.
#[derive(Serialize)]
pub struct Sealed {
    pub id: Hex,
    pub position: i64,
    pub link: Bytes,
}

/// The place of a line whose time is over.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct Forgotten {
    pub position: i64,
    pub line_check: Bytes,
    pub link: Bytes,
    pub mark: Bytes,
}

/// A line from before there were checks.
#[derive(Serialize)]
pub struct OfBefore {
    pub id: Hex,
    pub line_check: Bytes,
}

pub async fn insert(tx: &mut Tx, line: &Line, check: &[u8]) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO audit (id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address, trace,
             school, region, content, written, line_check)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        line.id,
        line.at_us,
        line.civil_day,
        &line.actor,
        &line.role,
        &line.organisation,
        &line.method,
        &line.resource,
        &line.outcome,
        &line.reason,
        &line.request_id,
        &line.address,
        &line.trace,
        &line.school,
        &line.region,
        &line.content,
        &line.written,
        check
    )?;
    Ok(())
}

pub async fn insert_all(tx: &mut Tx, lines: &[Checked<'_>]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO audit (id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address, trace,
                 school, region, content, written, line_check)
             SELECT t.id, t.at_us, t.civil_day, t.actor, t.role, t.organisation, t.method, t.resource, t.outcome, t.reason, t.request_id, t.address,
                 t.trace, t.school, t.region, t.content, t.written, t.line_check
             FROM " table 1 (id uuid, at_us bigint, civil_day date, actor text, role text, organisation text, method text, resource text, outcome text,
                 reason text, request_id text, address text, trace text, school text, region text, content text, written text, line_check bytea)
        ),
        bulk_rows(lines)
    )?;
    Ok(())
}

/// Position and link of the last sealed line; none as yet is position 0.
pub async fn head(tx: &mut Tx) -> Result<(i64, Vec<u8>), StoreError> {
    Ok(one!(tx, (i64, Vec<u8>), "SELECT position, link FROM audit_head")?.unwrap_or((0, BEGINNING.to_vec())))
}

/// The same, until the end of the transaction nobody else's.
pub async fn lock_head(tx: &mut Tx, now_us: i64) -> Result<(i64, Vec<u8>), StoreError> {
    let locked = one!(
        tx,
        (i64, Vec<u8>),
        "INSERT INTO audit_head (only_row, position, link, at_us) VALUES (1, 0, $1, $2)
         ON CONFLICT (only_row) DO UPDATE SET at_us = excluded.at_us RETURNING position, link",
        &BEGINNING[..],
        now_us
    )?;
    locked.ok_or(StoreError::Corrupt("head of the audit"))
}

pub async fn set_head(tx: &mut Tx, position: i64, link: &[u8]) -> Result<(), StoreError> {
    run!(tx, "UPDATE audit_head SET position = $1, link = $2", position, link)?;
    Ok(())
}

pub async fn is_anything_unsealed(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM audit WHERE position IS NULL LIMIT 1")?.is_some())
}

pub async fn count_unsealed(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(one!(tx, (i64,), "SELECT count(*) FROM audit WHERE position IS NULL")?.map_or(0, |(count,)| count))
}

/// Lines that wait for their place, oldest first.
pub async fn unsealed(tx: &mut Tx, limit: i64) -> Result<Vec<(Uuid, Option<Vec<u8>>)>, StoreError> {
    rows!(tx, (Uuid, Option<Vec<u8>>), "SELECT id, line_check FROM audit WHERE position IS NULL ORDER BY id LIMIT $1", limit)
}

pub async fn set_links(tx: &mut Tx, sealed: &[Sealed]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE audit SET position = t.position, link = t.link FROM " table 1 (id uuid, position bigint, link bytea) " WHERE audit.id = t.id"),
        bulk_rows(sealed)
    )?;
    Ok(())
}

pub async fn link_at(tx: &mut Tx, position: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let link =
        one!(tx, (Option<Vec<u8>>,), "SELECT link FROM audit WHERE position = $1 UNION ALL SELECT link FROM audit_forgotten WHERE position = $1", position)?;
    Ok(link.and_then(|(link,)| link))
}

pub async fn sealed_after(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Kept>, StoreError> {
    rows!(
        tx,
        Kept,
        "SELECT id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address, trace, school, region, content,
             written, line_check, position, link
         FROM audit WHERE position > $1 ORDER BY position LIMIT $2",
        after,
        limit
    )
}

/// Lines without a place in the chain: those that wait for theirs, and those at a place where none can be, which a hand put there.
pub async fn unsealed_lines(tx: &mut Tx) -> Result<Vec<Kept>, StoreError> {
    rows!(
        tx,
        Kept,
        "SELECT id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address, trace, school, region, content,
             written, line_check, position, link
         FROM audit WHERE position IS NULL OR position <= 0 ORDER BY id"
    )
}

pub async fn forgotten_between(tx: &mut Tx, after: i64, up_to: i64) -> Result<Vec<Forgotten>, StoreError> {
    rows!(tx, Forgotten, "SELECT position, line_check, link, mark FROM audit_forgotten WHERE position > $1 AND position <= $2 ORDER BY position", after, up_to)
}

/// Sealed lines older than a time that ended in one of these ways, after one by time and position.
pub async fn sealed_before(
    tx: &mut Tx,
    outcomes: impl IntoIterator<Item = &'static str>,
    before_us: i64,
    after: (i64, i64),
    limit: i64,
) -> Result<Vec<Kept>, StoreError> {
    rows!(
        tx,
        Kept,
        sql!(
            "SELECT id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address, trace, school, region, content,
                 written, line_check, position, link
             FROM audit WHERE at_us < $2 AND position IS NOT NULL AND (at_us, position) > ($3, $4) AND outcome" in_texts 1 " ORDER BY at_us, position LIMIT $5"
        ),
        bulk_texts(outcomes),
        before_us,
        after.0,
        after.1,
        limit
    )
}

pub async fn insert_forgotten(tx: &mut Tx, gone: &[Forgotten]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("INSERT INTO audit_forgotten (position, line_check, link, mark) SELECT t.position, t.line_check, t.link, t.mark FROM "
             table 1 (position bigint, line_check bytea, link bytea, mark bytea)),
        bulk_rows(gone)
    )?;
    Ok(())
}

pub async fn remove(tx: &mut Tx, gone: &[Forgotten]) -> Result<(), StoreError> {
    run!(tx, sql!("DELETE FROM audit WHERE position IN (SELECT t.position FROM " table 1 (position bigint) ")"), bulk_rows(gone))?;
    Ok(())
}

/// When something was done, and what it was done to.
pub async fn of_method(tx: &mut Tx, method: &str) -> Result<Vec<(i64, String)>, StoreError> {
    rows!(tx, (i64, String), "SELECT at_us, resource FROM audit WHERE method = $1 AND outcome = 'DONE'", method)
}

pub async fn farthest_witness(tx: &mut Tx) -> Result<Option<SignedHead>, StoreError> {
    one!(tx, SignedHead, "SELECT position, link, at_us, key_id, signature FROM audit_witnesses ORDER BY position DESC, at_us DESC LIMIT 1")
}

pub async fn witnesses(tx: &mut Tx) -> Result<Vec<SignedHead>, StoreError> {
    rows!(tx, SignedHead, "SELECT position, link, at_us, key_id, signature FROM audit_witnesses ORDER BY position, at_us")
}

pub async fn insert_witness(tx: &mut Tx, head: &SignedHead) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO audit_witnesses (position, link, at_us, key_id, signature) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (position, link) DO NOTHING",
        head.position,
        &head.link,
        head.at_us,
        &head.key_id,
        &head.signature
    )?;
    Ok(())
}

pub async fn asked(tx: &mut Tx, asked: &Asked, before: Option<Uuid>, limit: i64) -> Result<Vec<Kept>, StoreError> {
    rows!(
        tx,
        Kept,
        "SELECT id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address, trace, school, region, content,
             written, line_check, position, link
         FROM audit
         WHERE civil_day >= $1 AND civil_day <= $2 AND ($3 = '' OR region LIKE $3 || '%' OR (region = '' AND length(organisation) = 6 AND organisation LIKE $3 || '%'))
             AND ($4 = '' OR actor = $4) AND ($5 = '' OR school = $5 OR organisation = $5) AND ($6 = '' OR method = $6)
             AND ($7 = '' OR outcome = $7) AND ($8 = '' OR reason = $8) AND ($9 IS NULL OR id < $9)
         ORDER BY id DESC LIMIT $10",
        asked.from,
        asked.to,
        &asked.region_prefix,
        &asked.actor,
        &asked.school,
        &asked.method,
        &asked.outcome,
        &asked.reason,
        before,
        limit
    )
}

pub async fn resources_after(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<(Uuid, String)>, StoreError> {
    rows!(tx, (Uuid, String), "SELECT id, resource FROM audit WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
}

pub async fn set_resource(tx: &mut Tx, id: Uuid, resource: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE audit SET resource = $2 WHERE id = $1", id, resource)?;
    Ok(())
}

pub async fn all_after(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<Kept>, StoreError> {
    rows!(
        tx,
        Kept,
        "SELECT id, at_us, civil_day, actor, role, organisation, method, resource, outcome, reason, request_id, address, trace, school, region, content,
             written, line_check, position, link
         FROM audit WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    )
}

pub async fn set_checks(tx: &mut Tx, checks: &[OfBefore]) -> Result<(), StoreError> {
    run!(tx, sql!("UPDATE audit SET line_check = t.line_check FROM " table 1 (id uuid, line_check bytea) " WHERE audit.id = t.id"), bulk_rows(checks))?;
    Ok(())
}
