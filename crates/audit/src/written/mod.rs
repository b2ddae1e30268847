//! Rows that keep their truth: what a record said before an act and what it said after it, under the service's key, with the audit's line of
//! that act.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | kinds of records, what is noted of them in a transaction |
//! | [`part`] | what one transaction wrote, as it is stored |
//! | [`trail`] | pure: from all that was written of a record to what it must say now |
//! | [`before`] | records from before this was kept: believed once, as they stand |
//! | [`verify`] | every record held against what was last written of it |
//!
//! ```text
//! mark(record) = the first bytes of its check              a record that is not there, or not bound as yet, has none
//! an act writes, of each record that it changed:           mark before, mark after
//! the audit's line of the act carries the hash of that:    it has its place in the chain, and the other service knows how far that went
//! ```
//!
//! All marks after, without all marks before, leave one: what the record must say now. A record that was changed, added, taken away or put back
//! by hand says something else. An act upon such a record does not wash it clean: it writes a mark before that no act wrote.

pub mod before;
mod part;
mod store;
mod trail;
pub mod verify;

use std::{collections::BTreeMap, fmt};

use uuid::Uuid;
use xuezhu_chain::{Chain, Said};
use xuezhu_store::{StoreError, Tx, TxFuture};

pub use self::part::Part;
use self::part::{Mark, Record, mark, marks};
pub(crate) use self::{part::digest, store::insert};

/// By what a record is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// By its id.
    Id(Uuid),
    /// By its name.
    Name(String),
}

impl Key {
    /// As it is stored where a conversion came to it.
    pub fn stored(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Name(name) => format!("={name}"),
        }
    }

    /// From that; nothing is none.
    pub fn parse(stored: &str) -> Result<Option<Self>, StoreError> {
        match stored.strip_prefix('=') {
            Some(name) => Ok(Some(Self::Name(name.to_owned()))),
            None if stored.is_empty() => Ok(None),
            None => Ok(Some(Self::Id(stored.parse().map_err(|_| StoreError::Corrupt("key of a record"))?))),
        }
    }

    /// The id, of what is found by one.
    pub fn id(&self) -> Result<Uuid, StoreError> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::Name(_) => Err(StoreError::Corrupt("id of a record")),
        }
    }

    /// The name, of what is found by one.
    pub fn name(&self) -> Result<&str, StoreError> {
        match self {
            Self::Name(name) => Ok(name),
            Self::Id(_) => Err(StoreError::Corrupt("name of a record")),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// What records of a kind say, of those that are there and bound.
pub type Say = for<'t> fn(&'t mut Tx, &'t [Key]) -> TxFuture<'t, Vec<(Key, Said)>, StoreError>;
/// The keys of a kind's records that are there and bound, after one, in order.
pub type After = for<'t> fn(&'t mut Tx, Option<&'t Key>, i64) -> TxFuture<'t, Vec<Key>, StoreError>;

/// A kind of record that is bound.
#[derive(Debug)]
pub struct Kind {
    /// As stored; unique among those of a service.
    pub code: i32,
    /// As it is called where something is wrong with one.
    pub name: &'static str,
    /// How many are read at once: so many as fit into memory whatever they hold.
    pub at_once: i64,
    /// What they say.
    pub say: Say,
    /// Which there are.
    pub after: After,
}

type OfKind = (&'static Kind, BTreeMap<Key, Option<Vec<Mark>>>);

/// Records that a transaction touches, with what they said before: noted once, whatever it does to them.
#[derive(Debug, Clone, Default)]
pub struct Touched(BTreeMap<i32, OfKind>);

impl Touched {
    /// Those of these of which nothing is noted.
    pub fn without(&self, kind: &'static Kind, keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
        let known = self.0.get(&kind.code);
        keys.into_iter().filter(|key| known.is_none_or(|(_, known)| !known.contains_key(key))).collect()
    }

    /// Notes what records said before.
    pub fn note(&mut self, kind: &'static Kind, said: Vec<Before>) {
        let of_kind = &mut self.0.entry(kind.code).or_insert_with(|| (kind, BTreeMap::new())).1;
        for Before(key, marks) in said {
            of_kind.entry(key).or_insert(marks);
        }
    }

    /// Notes records that the transaction makes: they said nothing.
    pub fn add(&mut self, kind: &'static Kind, keys: impl IntoIterator<Item = Key>) {
        self.note(kind, keys.into_iter().map(|key| Before(key, None)).collect());
    }
}

/// What a record said before, under each key that the service has.
#[derive(Debug)]
pub struct Before(Key, Option<Vec<Mark>>);

/// What records say as they stand.
pub async fn as_they_stand(tx: &mut Tx, rows: &Chain, kind: &'static Kind, keys: &[Key]) -> Result<Vec<Before>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut said: BTreeMap<Key, Said> = (kind.say)(tx, keys).await?.into_iter().collect();
    Ok(keys.iter().map(|key| Before(key.clone(), said.remove(key).map(|said| marks(rows, &said)))).collect())
}

/// What a transaction wrote, once it wrote all: of each record that says something else than before.
pub async fn written(tx: &mut Tx, rows: &Chain, touched: &Touched) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::new();
    for (kind, before) in touched.0.values() {
        let keys: Vec<Key> = before.keys().cloned().collect();
        let mut said: BTreeMap<Key, Said> = (kind.say)(tx, &keys).await?.into_iter().collect();
        let changed = before.iter().filter_map(|(key, before)| {
            let after = said.remove(key).map(|said| mark(rows, &said));
            let is_same = match (before, &after) {
                (None, None) => true,
                (Some(before), Some(after)) => before.first() == Some(after),
                _ => false,
            };
            (!is_same).then(|| Record { key: key.clone(), before: before.clone(), after })
        });
        parts.extend(Part::of(kind.code, &changed.collect::<Vec<_>>()));
    }
    Ok(parts)
}
