//! What is shared, and the log of its changes.

use prost::Message;
use uuid::Uuid;
use xuezhu_proto::bridge::{self as pb, record::Body};
use xuezhu_service::{Context, Error};
use xuezhu_store::Tx;

use crate::store;

/// What a record is; the number is the field of its body in `bridge.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A school.
    School = 10,
    /// A person.
    Person = 11,
    /// An enrollment.
    Enrollment = 12,
    /// How many students a school has.
    HeadCount = 13,
}

/// One record in its full new state.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// Its id.
    pub id: Uuid,
    /// Region codes by which it is in scope or not, joined by blanks.
    pub scope: String,
    /// Its state.
    pub body: Body,
}

impl Shared {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self.body {
            Body::School(_) => Kind::School,
            Body::Person(_) => Kind::Person,
            Body::Enrollment(_) => Kind::Enrollment,
            Body::HeadCount(_) => Kind::HeadCount,
        }
    }
}

/// The id under which a school's record goes, and its head count: its code in ASCII, padded with zero bytes.
pub fn school_id(code: &str) -> Uuid {
    let mut bytes = [0; 16];
    let length = code.len().min(16);
    bytes[..length].copy_from_slice(&code.as_bytes()[..length]);
    Uuid::from_bytes(bytes)
}

/// Logs the full new state of records, in the transaction that changed them. Each record at most once a call; the
/// caller holds the lock of what it changed, so that versions rise by one.
pub async fn publish(ctx: &Context, tx: &mut Tx, records: &[Shared]) -> Result<(), Error> {
    if records.is_empty() {
        return Ok(());
    }
    let changes: Vec<store::Change> =
        records.iter().map(|record| store::Change::new(ctx.new_id(), record.kind(), record.id, &record.scope, &encode(&record.body))).collect();
    store::append_changes(tx, &changes, ctx.now_us(), ctx.trace).await?;
    store::keep_latest(tx, &changes, ctx.now_us()).await?;
    Ok(())
}

pub(crate) fn encode(body: &Body) -> Vec<u8> {
    pb::Record { body: Some(body.clone()), ..pb::Record::default() }.encode_to_vec()
}
