//! Wrong passwords, counted. Pure: time is given.
//!
//! They are counted by account *and* address: five wrong ones lock that pair for a quarter of an hour, be the account there or not, so that
//! nobody locks somebody else out, and nobody learns which accounts there are. Counted by account alone and by address alone, they slow down
//! whoever tries an account from where it never logged in, and never somebody at a place from where the account did.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

/// Wrong passwords in a row that lock an account at an address.
pub const WRONG_PASSWORDS: u32 = 5;
/// How long it stays locked there, in microseconds.
pub const LOCKED_US: i64 = 15 * 60 * 1_000_000;
/// The same in seconds.
pub const LOCKED_SECONDS: u64 = 15 * 60;
/// How long wrong passwords are remembered, in microseconds.
const REMEMBERED_US: i64 = LOCKED_US;
/// Wrong passwords for an account, from wherever, before strangers' attempts at it are slowed down.
const OF_ACCOUNT: u32 = 10;
/// Wrong passwords from an address, for whatever accounts, before its attempts are slowed down: a school's people may share one.
const OF_ADDRESS: u32 = 20;
/// Wrong passwords from an address after which it waits behind those that sent none.
const SUSPECT: u32 = 3;
/// How long an attempt that is slowed down is apart from the one before, in microseconds: at first, and at most.
const APART_US: i64 = 1_000_000;
const APART_MOST_US: i64 = 30_000_000;
/// Accounts, addresses and pairs that are remembered at most, of each: strangers could else fill the memory.
const REMEMBERED: usize = 50_000;

/// What stands for a name or an address: long ones take no more room.
type Key = [u8; 16];

/// Where an address is: one of IPv6 is of a network whose addresses are all of whoever has it.
fn place_of(address: &str) -> String {
    const NETWORK: u128 = !0 << 64;
    match address.parse() {
        Ok(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).to_string(),
        _ => address.to_owned(),
    }
}

fn key(parts: &[&str]) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    let mut key = Key::default();
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

/// What is remembered of a pair, an account or an address.
#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    /// Wrong passwords since it was forgotten last.
    wrong: u32,
    /// When the last one came.
    last_us: i64,
    /// Attempts whose password is being compared.
    under_way: u32,
    /// When the last attempt was let through that was slowed down.
    let_us: i64,
}

impl Tries {
    /// The same at a time: what is long ago is forgotten.
    fn at(self, now_us: i64) -> Self {
        if self.last_us + REMEMBERED_US <= now_us { Self { wrong: 0, ..self } } else { self }
    }

    /// From when on an attempt may be made that is slowed down beyond so many wrong ones.
    fn next_us(&self, most: u32) -> i64 {
        match self.wrong.checked_sub(most) {
            None => 0,
            Some(beyond) => self.let_us.max(self.last_us) + APART_US.saturating_mul(1 << (beyond / 5).min(8)).min(APART_MOST_US),
        }
    }
}

/// Which attempts are compared first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// From an address from which the account has logged in.
    Known,
    /// From an address that sent hardly any wrong password lately.
    Clean,
    /// The rest.
    Suspect,
}

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its password is compared, in its lane; how it ended must be told.
    Compare(Lane),
    /// Too many wrong ones of this account from this address: so many seconds more.
    Locked(u64),
    /// As many as may be wrong are being compared: their end is waited for.
    Wait,
    /// Not yet: so many seconds more.
    Later(u64),
}

/// An attempt to log in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// As it was typed.
    pub account: &'a str,
    /// Where it came from.
    pub address: &'a str,
    /// Whether the account has logged in from there before.
    pub is_known: bool,
}

/// What is remembered of attempts. A process remembers its own, until it ends.
#[derive(Debug, Default)]
pub struct Attempts {
    pairs: HashMap<Key, Tries>,
    accounts: HashMap<Key, Tries>,
    addresses: HashMap<Key, Tries>,
    /// How often what was tried for an account was forgiven.
    forgiven: HashMap<Key, u64>,
}

impl Attempts {
    /// What stands for the pair, the account and the address of an attempt.
    fn keys(&self, attempt: Attempt<'_>) -> [Key; 3] {
        let account = key(&[attempt.account]);
        let forgiven = self.forgiven.get(&account).map(u64::to_string).unwrap_or_default();
        let place = place_of(attempt.address);
        [key(&[attempt.account, &place, &forgiven]), account, key(&[&place])]
    }

    /// What becomes of an attempt that is made now.
    pub fn ask(&mut self, attempt: Attempt<'_>, now_us: i64) -> Verdict {
        let [pair, account, address] = self.keys(attempt);
        let tries = |map: &HashMap<Key, Tries>, key: &Key| map.get(key).copied().unwrap_or_default().at(now_us);
        let (of_pair, of_account, of_address) = (tries(&self.pairs, &pair), tries(&self.accounts, &account), tries(&self.addresses, &address));
        if of_pair.wrong >= WRONG_PASSWORDS {
            return Verdict::Locked(seconds(of_pair.last_us + LOCKED_US - now_us));
        }
        if of_pair.wrong + of_pair.under_way >= WRONG_PASSWORDS {
            return Verdict::Wait;
        }
        let from_us = of_account.next_us(OF_ACCOUNT).max(of_address.next_us(OF_ADDRESS));
        if !attempt.is_known && from_us > now_us {
            return Verdict::Later(seconds(from_us - now_us));
        }
        if !attempt.is_known && from_us > 0 {
            for (map, key) in [(&mut self.accounts, account), (&mut self.addresses, address)] {
                if let Some(tries) = map.get_mut(&key) {
                    tries.let_us = now_us;
                }
            }
        }
        room(&mut self.pairs, now_us).entry(pair).or_default().under_way += 1;
        Verdict::Compare(match () {
            () if attempt.is_known => Lane::Known,
            () if of_address.wrong < SUSPECT && of_account.wrong < OF_ACCOUNT => Lane::Clean,
            () => Lane::Suspect,
        })
    }

    /// How an attempt that was compared ended: with a wrong password, or not. Returns whether it locked the account there.
    pub fn ended(&mut self, attempt: Attempt<'_>, wrong: bool, now_us: i64) -> bool {
        let [pair, account, address] = self.keys(attempt);
        if !wrong {
            if let Some(tries) = self.pairs.get_mut(&pair) {
                *tries = Tries { under_way: tries.under_way.saturating_sub(1), ..Tries::default() };
            }
            return false;
        }
        for (map, key) in [(&mut self.accounts, account), (&mut self.addresses, address)] {
            let tries = room(map, now_us).entry(key).or_default();
            *tries = Tries { wrong: tries.at(now_us).wrong + 1, last_us: now_us, ..*tries };
        }
        let tries = self.pairs.entry(pair).or_default();
        *tries = Tries { wrong: tries.at(now_us).wrong + 1, last_us: now_us, under_way: tries.under_way.saturating_sub(1), ..*tries };
        tries.wrong >= WRONG_PASSWORDS
    }

    /// An attempt was given up before its password was compared.
    pub fn given_up(&mut self, attempt: Attempt<'_>) {
        let [pair, ..] = self.keys(attempt);
        if let Some(tries) = self.pairs.get_mut(&pair) {
            tries.under_way = tries.under_way.saturating_sub(1);
        }
    }

    /// What was tried for an account is forgotten: somebody gave it another password.
    pub fn forgive(&mut self, account: &str) {
        let account = key(&[account]);
        self.accounts.remove(&account);
        *self.forgiven.entry(account).or_default() += 1;
    }
}

/// Room for one more: what is long ago is forgotten, and where that is not enough, what is longest ago.
fn room(map: &mut HashMap<Key, Tries>, now_us: i64) -> &mut HashMap<Key, Tries> {
    if map.len() >= REMEMBERED {
        map.retain(|_, tries| tries.under_way > 0 || tries.last_us + REMEMBERED_US > now_us);
    }
    if map.len() >= REMEMBERED {
        let mut times: Vec<i64> = map.values().map(|tries| tries.last_us).collect();
        let (_, middle, _) = times.select_nth_unstable(REMEMBERED / 2);
        let middle = *middle;
        map.retain(|_, tries| tries.under_way > 0 || tries.last_us > middle);
    }
    map
}

fn seconds(us: i64) -> u64 {
    u64::try_from(us.max(1)).unwrap_or(1).div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn of<'a>(account: &'a str, address: &'a str) -> Attempt<'a> {
        Attempt { account, address, is_known: false }
    }

    /// Asks, and has it end as it does.
    fn tried(attempts: &mut Attempts, attempt: Attempt<'_>, wrong: bool, now_us: i64) -> Verdict {
        let verdict = attempts.ask(attempt, now_us);
        if let Verdict::Compare(_) = verdict {
            attempts.ended(attempt, wrong, now_us);
        }
        verdict
    }

    #[test]
    fn five_wrong_ones_lock_an_account_where_they_came_from_and_nowhere_else() {
        let mut attempts = Attempts::default();
        for second in 0..5 {
            assert!(matches!(tried(&mut attempts, of("admin", "1"), true, second * SECOND), Verdict::Compare(_)));
        }
        assert_eq!(attempts.ask(of("admin", "1"), 5 * SECOND), Verdict::Locked(899));
        assert!(matches!(tried(&mut attempts, of("admin", "2"), false, 5 * SECOND), Verdict::Compare(_)), "nobody else is locked out");
        assert!(matches!(tried(&mut attempts, of("clerk", "1"), false, 5 * SECOND), Verdict::Compare(_)), "nor from another account");
        assert!(matches!(attempts.ask(of("admin", "1"), (4 + 900) * SECOND), Verdict::Compare(_)), "it ends");
        attempts.forgive("admin");
        assert!(matches!(attempts.ask(of("admin", "1"), 5 * SECOND), Verdict::Compare(_)), "or is forgiven");
        // A right one in between begins the count anew.
        for second in 0..12 {
            let verdict = tried(&mut attempts, of("clerk", "3"), second % 4 != 3, second * SECOND);
            assert!(matches!(verdict, Verdict::Compare(_)), "{second}");
        }
    }

    #[test]
    fn addresses_of_one_network_of_ipv6_are_one_place() {
        let mut attempts = Attempts::default();
        for guess in 0..5 {
            assert!(matches!(tried(&mut attempts, of("admin", &format!("2001:db8::{guess}")), true, 0), Verdict::Compare(_)));
        }
        assert!(matches!(attempts.ask(of("admin", "2001:db8::99"), 0), Verdict::Locked(_)));
        assert!(matches!(attempts.ask(of("admin", "2001:db8:0:1::99"), 0), Verdict::Compare(_)));
    }

    #[test]
    fn guesses_that_come_at_once_are_no_more() {
        let mut attempts = Attempts::default();
        let guess = of("admin", "1");
        let verdicts: Vec<Verdict> = (0..7).map(|_| attempts.ask(guess, 0)).collect();
        assert_eq!(verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Compare(_))).count(), 5);
        assert_eq!(verdicts[5..], [Verdict::Wait, Verdict::Wait]);
        attempts.given_up(guess);
        assert!(matches!(attempts.ask(guess, 0), Verdict::Compare(_)));
        for _ in 0..4 {
            assert!(!attempts.ended(guess, true, 0));
        }
        assert!(attempts.ended(guess, true, 0), "the fifth locks");
        assert!(matches!(attempts.ask(guess, 0), Verdict::Locked(900)));
    }

    #[test]
    fn many_addresses_are_slow_and_who_was_there_before_is_not() {
        let mut attempts = Attempts::default();
        let mut compared = 0;
        for address in 0..1_000 {
            let address = address.to_string();
            compared += usize::from(matches!(
                tried(&mut attempts, of("admin", &address), true, i64::from(address.parse::<i32>().expect("a number")) * SECOND / 100),
                Verdict::Compare(_)
            ));
        }
        assert!((10..25).contains(&compared), "of a thousand in ten seconds: {compared}");
        let home = Attempt { is_known: true, ..of("admin", "home") };
        assert_eq!(attempts.ask(home, 10 * SECOND), Verdict::Compare(Lane::Known));
        assert!(matches!(attempts.ask(of("admin", "new"), 10 * SECOND), Verdict::Later(1..=30)));
        assert!(matches!(attempts.ask(of("admin", "new"), 60 * SECOND), Verdict::Compare(Lane::Suspect)));
    }

    #[test]
    fn many_accounts_from_one_address_are_slow_and_wait_behind_others() {
        let mut attempts = Attempts::default();
        let mut lanes = Vec::new();
        for account in 0..40 {
            lanes.push(tried(&mut attempts, of(&account.to_string(), "1"), true, 0));
        }
        assert_eq!(lanes[..3], [Verdict::Compare(Lane::Clean); 3]);
        assert_eq!(lanes[3..20], [Verdict::Compare(Lane::Suspect); 17]);
        assert_eq!(lanes[20..], [Verdict::Later(1); 20]);
        assert_eq!(attempts.ask(of("clerk", "2"), 0), Verdict::Compare(Lane::Clean));
        assert_eq!(attempts.ask(Attempt { is_known: true, ..of("clerk", "1") }, 0), Verdict::Compare(Lane::Known));
    }

    #[test]
    fn what_is_remembered_stays_bounded() {
        let mut attempts = Attempts::default();
        for number in 0..120_000_i64 {
            tried(&mut attempts, of(&number.to_string(), &(number * 7).to_string()), true, number);
        }
        assert!([&attempts.pairs, &attempts.accounts, &attempts.addresses].iter().all(|map| map.len() <= REMEMBERED));
    }
}
