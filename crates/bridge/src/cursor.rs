//! A place in one history of a source.

use uuid::Uuid;
use xuezhu_proto::bridge as pb;

/// History, scope, position, and the id of the change there: more than a number, because a database that was restored
/// from a backup hands positions out twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Id of the history.
    pub history: Uuid,
    /// First digits of the region that is followed; empty for all.
    pub scope: String,
    /// Everything up to here was told.
    pub position: i64,
    /// Id of the change at the position; nil at 0.
    pub change: Uuid,
}

impl Cursor {
    /// As the feed writes it.
    pub fn to_proto(&self) -> pb::Cursor {
        let change = if self.change.is_nil() { Vec::new() } else { self.change.as_bytes().to_vec() };
        pb::Cursor { history: self.history.as_bytes().to_vec(), scope: self.scope.clone(), position: self.position, change }
    }

    /// From what the feed wrote.
    pub fn from_proto(cursor: &pb::Cursor) -> Option<Self> {
        let change = if cursor.change.is_empty() { Uuid::nil() } else { Uuid::from_slice(&cursor.change).ok()? };
        Some(Self { history: Uuid::from_slice(&cursor.history).ok()?, scope: cursor.scope.clone(), position: cursor.position, change })
    }
}
