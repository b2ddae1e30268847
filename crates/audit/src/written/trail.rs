//! From all that was written of a record to what it must say now, in whatever order it is read.
//!
//! Marks after, without the marks before that they became, leave the last. Where something else was done to the record in between, a mark before
//! is left over that no act wrote.

use xuezhu_chain::{Chain, Said};

use super::part::{Mark, Record, marks};

/// All that was written of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trail {
    /// Marks after that became nothing else.
    standing: Vec<Mark>,
    /// Marks before that no act wrote, as far as is read: each under every key.
    owed: Vec<Vec<Mark>>,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The service wrote no such record.
    Added,
    /// The service wrote one, and it is not there, or is not under way any more.
    Gone,
    /// It says something else than was written last.
    Changed,
    /// It says what was written last, and said something else when somebody acted upon it.
    ChangedBetween,
}

impl Trail {
    pub fn take(&mut self, record: Record) {
        if let Some(before) = record.before {
            // Which mark of several keys it was is known when all is read.
            let at = if before.len() == 1 { self.standing.iter().position(|mark| before.contains(mark)) } else { None };
            match at {
                Some(at) => drop(self.standing.swap_remove(at)),
                None => self.owed.push(before),
            }
        }
        if let Some(after) = record.after {
            match self.owed.iter().position(|before| before[..] == [after]) {
                Some(at) => drop(self.owed.swap_remove(at)),
                None => self.standing.push(after),
            }
        }
    }

    /// The same, once all is read: each mark before takes one that it may have been, those first that may have been fewest.
    fn settled(&self) -> Self {
        let (mut standing, mut owed, mut left) = (self.standing.clone(), self.owed.clone(), Vec::new());
        owed.sort_by_key(Vec::len);
        for before in owed {
            match standing.iter().position(|mark| before.contains(mark)) {
                Some(at) => drop(standing.swap_remove(at)),
                None => left.push(before),
            }
        }
        Self { standing, owed: left }
    }

    /// What is wrong with a record that says this now; nothing said is none.
    pub fn wrong(&self, rows: &Chain, said: Option<&Said>) -> Option<Wrong> {
        self.settled().is_wrong(rows, said)
    }

    /// By what it is known again what is wrong with a record, under the service's key: another hand makes another one of it, and no act does.
    pub fn known_as(&self, rows: &Chain, said: Option<&Said>, wrong: Wrong) -> String {
        let settled = self.settled();
        let now = said.map(|said| marks(rows, said)).unwrap_or_default();
        let mut marked: Vec<Vec<u8>> = settled.owed.iter().map(|before| before.concat()).collect();
        marked.extend(settled.standing.iter().filter(|mark| !now.contains(mark)).map(|mark| mark.to_vec()));
        marked.sort_unstable();
        let known = marked.iter().fold(Said::of("known to be wrong"), |said, marks| said.bytes(marks));
        let known = if wrong == Wrong::ChangedBetween { known } else { now.iter().fold(known.text("says"), |said, mark| said.bytes(mark)) };
        let [a, b, c, d, ..] = rows.check(&known);
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    fn is_wrong(&self, rows: &Chain, said: Option<&Said>) -> Option<Wrong> {
        let fits = match (said, &self.standing[..]) {
            (Some(said), [mark]) => marks(rows, said).contains(mark),
            (None, []) => true,
            _ => false,
        };
        match (said, fits, self.owed.is_empty()) {
            (_, true, true) => None,
            (_, true, false) => Some(Wrong::ChangedBetween),
            (None, false, _) => Some(Wrong::Gone),
            (Some(_), false, true) if self.standing.is_empty() => Some(Wrong::Added),
            (Some(said), false, false) if self.standing.iter().any(|mark| marks(rows, said).contains(mark)) => Some(Wrong::ChangedBetween),
            (Some(_), false, _) => Some(Wrong::Changed),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::written::{Key, part::mark};

    fn said(what: Option<u8>) -> Option<Said> {
        what.map(|what| Said::of("test").number(what.into()))
    }

    /// Acts, under the keys of their time: what the record said when each began, and what it made of it.
    fn trail(acts: &[(Option<u8>, Option<u8>)], keys: &[Vec<[u8; 32]>]) -> Vec<Record> {
        let chains: Vec<Chain> = keys.iter().map(|keys| Chain::under(keys.clone())).collect();
        (acts.iter().enumerate())
            .map(|(at, (before, after))| {
                let rows = &chains[at * chains.len() / acts.len()];
                let before = said(*before).map(|said| marks(rows, &said));
                Record { key: Key::Name("a".into()), before, after: said(*after).map(|said| mark(rows, &said)) }
            })
            .collect()
    }

    proptest! {
        #[test]
        fn acts_alone_leave_nothing_wrong_in_whatever_order_they_are_read_and_a_hand_shows(
            says in proptest::collection::vec(proptest::option::of(0_u8..3), 1..8),
            order in any::<prop::sample::Index>(),
            is_rotated in any::<bool>(),
            hand in proptest::option::of((any::<prop::sample::Index>(), proptest::option::of(0_u8..4))),
        ) {
            // What the record says after each act; by whose hand it said something else in between, at most once.
            let mut acts = Vec::new();
            let mut now = None;
            let mut is_touched = false;
            for (at, after) in says.iter().enumerate() {
                if let Some((when, by_hand)) = &hand && when.index(says.len() + 1) == at && *by_hand != now {
                    (now, is_touched) = (*by_hand, true);
                }
                if now != *after {
                    acts.push((now, *after));
                }
                now = *after;
            }
            if let Some((when, by_hand)) = &hand && when.index(says.len() + 1) == says.len() && *by_hand != now {
                (now, is_touched) = (*by_hand, true);
            }
            // An act that made of it what it was before the hand leaves what was written last; one that changed nothing wrote nothing.
            let keys = if is_rotated { vec![vec![[1; 32]], vec![[2; 32], [1; 32]]] } else { vec![vec![[1; 32]]] };
            let mut records = trail(&acts, &keys);
            if !records.is_empty() {
                let turn = order.index(records.len());
                records.rotate_left(turn);
            }
            let mut all = Trail::default();
            for record in records {
                all.take(record);
            }
            let rows = Chain::under(keys.last().expect("keys").clone());
            let wrong = all.wrong(&rows, said(now).as_ref());
            // By counting: what was written, without what was found, is what there is.
            let written = |of: u8| acts.iter().filter(|act| act.1 == Some(of)).count();
            let found = |of: u8| acts.iter().filter(|act| act.0 == Some(of)).count() + usize::from(now == Some(of));
            let is_whole = (0..4).all(|of| written(of) == found(of));
            prop_assert_eq!(wrong.is_none(), is_whole);
            prop_assert!(is_touched || is_whole);
        }
    }

    #[test]
    fn what_is_known_to_be_wrong_is_known_through_acts_and_not_once_a_hand_did_more() {
        let rows = Chain::under(vec![[1; 32]]);
        let known = |acts: &[(Option<u8>, Option<u8>)], now: Option<u8>| {
            let mut all = Trail::default();
            for record in trail(acts, &[vec![[1; 32]]]) {
                all.take(record);
            }
            let wrong = all.wrong(&rows, said(now).as_ref()).expect("is wrong");
            (wrong, all.known_as(&rows, said(now).as_ref(), wrong))
        };
        let between = known(&[(None, Some(1)), (Some(3), Some(2))], Some(2));
        assert_eq!(known(&[(None, Some(1)), (Some(3), Some(2)), (Some(2), Some(4))], Some(4)), between);
        let changed = known(&[(None, Some(1))], Some(2));
        for (acts, now) in [
            (&[(None, Some(1)), (Some(3), Some(2)), (Some(5), Some(4))][..], Some(4)),
            (&[(None, Some(1)), (Some(3), Some(2))], Some(1)),
            (&[(None, Some(1)), (Some(3), Some(2))], None),
            (&[(None, Some(1))], Some(3)),
            (&[(None, Some(1))], None),
        ] {
            assert!(known(acts, now) != between && known(acts, now) != changed, "{acts:?} {now:?}");
        }
    }

    #[test]
    fn each_wrong_is_told_by_its_name() {
        let rows = Chain::under(vec![[1; 32]]);
        let keys = [vec![[1; 32]]];
        for (acts, now, wrong) in [
            (&[(None, Some(1))][..], Some(1), None),
            (&[(None, Some(1)), (Some(1), Some(2)), (Some(2), None)], None, None),
            (&[], Some(1), Some(Wrong::Added)),
            (&[(None, Some(1))], None, Some(Wrong::Gone)),
            (&[(None, Some(1))], Some(2), Some(Wrong::Changed)),
            // put back
            (&[(None, Some(1)), (Some(1), Some(2))], Some(1), Some(Wrong::Changed)),
            // changed, or put back, and acted upon
            (&[(None, Some(1)), (Some(3), Some(2))], Some(2), Some(Wrong::ChangedBetween)),
            (&[(None, Some(1)), (Some(1), Some(2)), (Some(1), Some(3))], Some(3), Some(Wrong::ChangedBetween)),
            // taken away again after it ended
            (&[(None, Some(1)), (Some(1), None)], Some(1), Some(Wrong::Added)),
        ] {
            let mut all = Trail::default();
            for record in trail(acts, &keys) {
                all.take(record);
            }
            assert_eq!(all.wrong(&rows, said(now).as_ref()), wrong, "{acts:?} {now:?}");
        }
    }
}
