//! What one transaction wrote of records, as it is stored.
//!
//! ```text
//! part   = how many keys the service had (1), records
//! record = key: 0 (2) and an id (16), or a length (2) and a name
//!          what follows (1): 1 marks before, 2 a mark after
//!          marks before, one under each key (16 each); the mark after, under the first (16)
//! ```

use uuid::Uuid;
use xuezhu_chain::{Chain, Said};
use xuezhu_store::StoreError;

use super::Key;

/// Bytes of a check that are kept of it: nobody finds another record with the same without the key.
const MARK_BYTES: usize = 16;
/// Records of a part, at most.
const RECORDS: usize = 4_000;
const HAS_BEFORE: u8 = 1;
const HAS_AFTER: u8 = 2;

/// What a record says, under a key.
pub(super) type Mark = [u8; MARK_BYTES];

fn shortened(digest: &[u8]) -> Mark {
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(&digest[..MARK_BYTES]);
    mark
}

/// What a record says, under the key that makes.
pub(super) fn mark(rows: &Chain, said: &Said) -> Mark {
    shortened(&rows.check(said))
}

/// What a record says, under each key.
pub(super) fn marks(rows: &Chain, said: &Said) -> Vec<Mark> {
    rows.checks(said).map(|digest| shortened(&digest)).collect()
}

/// What was written of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub key: Key,
    /// What it said, under each key; none where it said nothing.
    pub before: Option<Vec<Mark>>,
    /// What it says; none where it says nothing any more.
    pub after: Option<Mark>,
}

/// Records of one kind, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Part {
    pub(super) kind: i32,
    pub(super) records: Vec<u8>,
}

impl Part {
    pub(super) fn of(kind: i32, records: &[Record]) -> impl Iterator<Item = Self> {
        records.chunks(RECORDS).map(move |records| Self { kind, records: encode(records) })
    }

    pub(super) fn decode(&self) -> Result<Vec<Record>, StoreError> {
        decode(&self.records).ok_or(StoreError::Corrupt("what was written of records"))
    }
}

/// What the audit's line carries of what was written: empty where nothing was.
pub(crate) fn digest<'p>(parts: impl IntoIterator<Item = &'p Part>) -> String {
    let said = parts.into_iter().fold(None, |said: Option<Said>, part| {
        let said = said.unwrap_or_else(|| Said::of("written of records"));
        Some(said.number(part.kind.into()).bytes(&part.records))
    });
    said.map_or_else(String::new, |said| xuezhu_chain::hash(&said))
}

fn encode(records: &[Record]) -> Vec<u8> {
    let keys = records.iter().filter_map(|record| record.before.as_ref()).map(Vec::len).max().unwrap_or(1);
    let mut bytes = Vec::with_capacity(records.len() * 50 + 1);
    bytes.push(u8::try_from(keys).unwrap_or(u8::MAX));
    for Record { key, before, after } in records {
        match key {
            Key::Id(id) => {
                bytes.extend_from_slice(&[0, 0]);
                bytes.extend_from_slice(id.as_bytes());
            }
            Key::Name(name) => {
                bytes.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
                bytes.extend_from_slice(name.as_bytes());
            }
        }
        bytes.push(u8::from(before.is_some()) * HAS_BEFORE + u8::from(after.is_some()) * HAS_AFTER);
        for mark in before.iter().flatten().chain(after) {
            bytes.extend_from_slice(mark);
        }
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<Record>> {
    let (&keys, mut rest) = bytes.split_first()?;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = take(&mut rest, 2)?;
        let length = u16::from_be_bytes([length[0], length[1]]);
        let key = match length {
            0 => Key::Id(Uuid::from_slice(take(&mut rest, 16)?).ok()?),
            length => Key::Name(String::from_utf8(take(&mut rest, length.into())?.to_vec()).ok()?),
        };
        let follows = take(&mut rest, 1)?[0];
        let mut marks = |many: u8| (0..many).map(|_| take(&mut rest, MARK_BYTES).map(shortened)).collect::<Option<Vec<_>>>();
        let before = if follows & HAS_BEFORE > 0 { Some(marks(keys)?) } else { None };
        let after = if follows & HAS_AFTER > 0 { marks(1)?.pop() } else { None };
        records.push(Record { key, before, after });
    }
    Some(records)
}

fn take<'b>(rest: &mut &'b [u8], many: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(many)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let key = prop_oneof![any::<u128>().prop_map(|id| Key::Id(Uuid::from_u128(id))), "[a-z0-9]{1,40}".prop_map(Key::Name)];
        (1_usize..4).prop_flat_map(move |keys| {
            let before = proptest::option::of(proptest::collection::vec(any::<Mark>(), keys));
            let record = (key.clone(), before, proptest::option::of(any::<Mark>())).prop_map(|(key, before, after)| Record { key, before, after });
            proptest::collection::vec(record, 1..20)
        })
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_again_and_bytes_that_were_never_stored_end_nothing(records in records(), any in proptest::collection::vec(any::<u8>(), 0..80)) {
            let parts: Vec<Part> = Part::of(1, &records).collect();
            prop_assert_eq!(parts[0].decode().expect("reads"), records);
            let _ = decode(&any);
        }
    }

    #[test]
    fn a_digest_covers_every_part_in_order_and_nothing_has_none() {
        let part = |kind, records: &[u8]| Part { kind, records: records.to_vec() };
        let (one, other) = (part(1, b"a"), part(2, b"a"));
        assert_eq!(digest([]), "");
        assert_ne!(digest([&one]), digest([&other]));
        assert_ne!(digest([&one, &other]), digest([&other, &one]));
    }
}
