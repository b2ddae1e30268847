//! Keyed checks bound to records, and a chain of them.
//!
//! Whoever can write to a database and has not its keys can make no check: a record that was changed or added shows by itself. That one was
//! taken away, or that several stand in another order, shows by the chain: each record has a position, and a link made of the link before
//! it, its position and its check. That the end was cut off shows to whoever was told how far the chain went.
//!
//! ```text
//! check(n) = keyed(record n)          link(n) = keyed(link(n - 1), n, check(n))          link(0) = zeros
//! ```
//!
//! It knows no kind of record and does no input or output. There may be several keys: the first makes, the others still verify.

/// Bytes of a check and of a link.
pub const DIGEST_BYTES: usize = 32;

/// A check or a link.
pub type Digest = [u8; DIGEST_BYTES];

/// The link before the first record.
pub const BEGINNING: Digest = [0; DIGEST_BYTES];

/// What a record says, in the one form that its check is made of: a kind, then each field with its length before it, so that no two records
/// say the same in other words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(Vec<u8>);

impl Said {
    /// The form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A record of a kind, as yet without fields.
    pub fn of(kind: &str) -> Self {
        Self(Vec::with_capacity(256)).text(kind)
    }

    /// And a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// And a number.
    #[must_use]
    pub fn number(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// And bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// And bytes that may not be there: not there is another thing than empty.
    #[must_use]
    pub fn optional(self, bytes: Option<&[u8]>) -> Self {
        match bytes {
            None => self.number(0),
            Some(bytes) => self.number(1).bytes(bytes),
        }
    }
}

/// What stands for a record where whoever reads it has no key: in hexadecimal digits.
pub fn hash(said: &Said) -> String {
    blake3::hash(&said.0).to_hex().to_string()
}

/// The keys of a chain. Nothing of them is ever printed.
#[derive(Clone)]
pub struct Chain(Vec<[u8; 32]>);

impl Chain {
    /// A chain under keys: the first makes checks and links, each verifies them.
    ///
    /// # Panics
    /// Where there is no key.
    pub fn under(keys: Vec<[u8; 32]>) -> Self {
        assert!(!keys.is_empty(), "a chain has a key");
        Self(keys)
    }

    /// The check of a record.
    pub fn check(&self, said: &Said) -> Digest {
        *keyed(&self.0[0], b"check", &said.0).as_bytes()
    }

    /// The checks of a record, under each key.
    pub fn checks<'c>(&'c self, said: &'c Said) -> impl Iterator<Item = Digest> + 'c {
        self.0.iter().map(|key| *keyed(key, b"check", &said.0).as_bytes())
    }

    /// Whether this is the check of a record.
    pub fn is_check(&self, said: &Said, check: &[u8]) -> bool {
        self.0.iter().any(|key| is(&keyed(key, b"check", &said.0), check))
    }

    /// The link of the record at a position, after a link.
    pub fn link(&self, before: &[u8], position: i64, check: &[u8]) -> Digest {
        *keyed(&self.0[0], b"link", &linked(before, position, check)).as_bytes()
    }

    /// Whether this is the link of the record at a position, after a link.
    pub fn is_link(&self, before: &[u8], position: i64, check: &[u8], link: &[u8]) -> bool {
        let linked = linked(before, position, check);
        self.0.iter().any(|key| is(&keyed(key, b"link", &linked), link))
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chain")
    }
}

fn linked(before: &[u8], position: i64, check: &[u8]) -> Vec<u8> {
    Said(Vec::with_capacity(2 * DIGEST_BYTES + 32)).bytes(before).number(position).bytes(check).0
}

fn keyed(key: &[u8; 32], what: &[u8], bytes: &[u8]) -> blake3::Hash {
    blake3::Hasher::new_keyed(key).update(what).update(&[0]).update(bytes).finalize()
}

/// Compared in a time that tells nothing of the bytes.
fn is(made: &blake3::Hash, found: &[u8]) -> bool {
    <Digest>::try_from(found).is_ok_and(|found| *made == found)
}

/// Where a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Nothing stands at these positions.
    Missing {
        /// The first.
        first: i64,
        /// The last.
        last: i64,
    },
    /// What stands there is not what was linked there.
    Relinked {
        /// Where.
        position: i64,
    },
}

/// Goes along a chain from its beginning.
#[derive(Debug)]
pub struct Walk<'c> {
    chain: &'c Chain,
    position: i64,
    link: Vec<u8>,
}

impl<'c> Walk<'c> {
    /// From the beginning.
    pub fn new(chain: &'c Chain) -> Self {
        Self { chain, position: 0, link: BEGINNING.to_vec() }
    }

    /// Takes the next record, by position, and tells where the chain is broken before or at it. It goes on from what it found, so that one
    /// fault is told once.
    pub fn step(&mut self, position: i64, check: &[u8], link: &[u8]) -> Option<Broken> {
        let expected = self.position + 1;
        let broken = if position > expected {
            Some(Broken::Missing { first: expected, last: position - 1 })
        } else if position < expected || !self.chain.is_link(&self.link, position, check, link) {
            Some(Broken::Relinked { position })
        } else {
            None
        };
        self.position = self.position.max(position);
        self.link = link.to_vec();
        broken
    }

    /// How far it came.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The link there.
    pub fn link(&self) -> &[u8] {
        &self.link
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (i64, Said, Vec<u8>, Vec<u8>);

    fn chain(records: &[String]) -> (Chain, Vec<Row>) {
        let chain = Chain::under(vec![[7; 32]]);
        let mut link = BEGINNING.to_vec();
        let mut rows = Vec::new();
        for (position, record) in (1..).zip(records) {
            let said = Said::of("test").text(record);
            let check = chain.check(&said).to_vec();
            link = chain.link(&link, position, &check).to_vec();
            rows.push((position, said, check, link.clone()));
        }
        (chain, rows)
    }

    /// Whether everything fits, as whoever was told how far the chain went sees it.
    fn is_whole(chain: &Chain, rows: &[Row], told: (i64, &[u8])) -> bool {
        let mut walk = Walk::new(chain);
        let each = rows.iter().all(|(position, said, check, link)| chain.is_check(said, check) && walk.step(*position, check, link).is_none());
        each && (walk.position(), walk.link()) == told
    }

    proptest! {
        #[test]
        fn whatever_is_done_to_it_without_the_key_shows(records in proptest::collection::vec("[a-z]{0,4}", 2..12), at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), what in 0..6) {
            let (chain, rows) = chain(&records);
            let end = rows.last().map(|(position, _, _, link)| (*position, link.clone())).expect("there are some");
            let whole = |rows: &[Row]| is_whole(&chain, rows, (end.0, &end.1));
            prop_assert!(whole(&rows));
            let (at, to) = (at.index(rows.len()), to.index(rows.len()));
            let mut changed = rows.clone();
            match what {
                // Changed; taken away; the end cut off; put in another's place; two exchanged with their positions; made by whoever has another key.
                0 => changed[at].1 = Said::of("test").text("another"),
                1 => drop(changed.remove(at)),
                2 => changed.truncate(at),
                3 => { let other = changed[to].clone(); changed[at] = (changed[at].0, other.1, other.2, other.3); }
                4 => { let (one, other) = (changed[at].0, changed[to].0); changed.swap(at, to); changed[at].0 = one; changed[to].0 = other; }
                _ => {
                    let other = Chain::under(vec![[8; 32]]);
                    let said = Said::of("test").text("another");
                    changed[at].2 = other.check(&said).to_vec();
                    changed[at].1 = said;
                }
            }
            prop_assert_eq!(whole(&changed), changed == rows);
        }
    }

    #[test]
    fn each_fault_is_told_once_and_where_it_is() {
        let (chain, mut rows) = chain(&["a", "b", "c", "d", "e", "f"].map(str::to_owned));
        rows.remove(3);
        rows.remove(1);
        rows[1].2 = chain.check(&Said::of("test").text("x")).to_vec();
        let mut walk = Walk::new(&chain);
        let told: Vec<Broken> = rows.iter().filter_map(|(position, _, check, link)| walk.step(*position, check, link)).collect();
        assert_eq!(told, [Broken::Missing { first: 2, last: 2 }, Broken::Missing { first: 4, last: 4 }]);
        assert!(rows.iter().any(|(_, said, check, _)| !chain.is_check(said, check)), "the changed one shows by its own check");
    }

    #[test]
    fn fields_do_not_run_into_each_other_and_a_former_key_still_verifies() {
        let said = |one: &str, other: &str| Said::of("test").text(one).text(other);
        assert_ne!(said("ab", "c"), said("a", "bc"));
        assert_ne!(Said::of("test").optional(None), Said::of("test").optional(Some(b"")));
        let (old, new) = (Chain::under(vec![[1; 32]]), Chain::under(vec![[2; 32], [1; 32]]));
        let check = old.check(&said("a", "b"));
        let link = old.link(&BEGINNING, 1, &check);
        assert!(new.is_check(&said("a", "b"), &check) && new.is_link(&BEGINNING, 1, &check, &link));
        assert!(!old.is_check(&said("a", "b"), &new.check(&said("a", "b"))));
        assert!(!old.is_check(&said("a", "b"), &check[..16]));
    }
}
