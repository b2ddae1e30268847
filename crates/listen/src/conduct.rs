//! What a connection did so far, and what follows: pure, by times that are given.

use std::time::Duration;

use tokio::time::Instant;

use crate::Bounds;

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Between requests, or before the first.
    Waiting,
    /// Something of a request's head came.
    Head,
    /// So many requests are under way.
    Busy(u32),
}

/// What is known of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conduct {
    /// What it is at.
    pub phase: Phase,
    /// Since when.
    pub since: Instant,
    /// Whether it asked for anything yet.
    pub asked: bool,
    /// Whether somebody who is logged in was answered on it.
    pub known: bool,
    /// Whether it carries many calls at once (HTTP/2): what comes between calls is no head.
    pub many: bool,
    /// So many of the requests under way have not come whole as yet.
    pub coming: u32,
    /// Since when the other end takes nothing of what is said.
    pub stalled: Option<Instant>,
}

/// Why a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The head of a request took too long, or none came.
    Head,
    /// Nothing was asked for long.
    Idle,
    /// The answer was not taken.
    Stall,
    /// Others came, and there was no more room.
    Room,
}

impl Why {
    /// As metrics call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Stall => "stall",
            Self::Room => "room",
        }
    }
}

impl Conduct {
    /// Of a connection that was just accepted.
    pub fn new(now: Instant) -> Self {
        Self { phase: Phase::Waiting, since: now, asked: false, known: false, many: false, coming: 0, stalled: None }
    }

    /// Bytes came. Those of HTTP/2 begin as no request of HTTP/1 does.
    pub fn came(&mut self, bytes: &[u8], now: Instant) {
        if !self.asked && self.phase == Phase::Waiting && bytes.starts_with(b"PRI") {
            self.many = true;
        }
        if self.phase == Phase::Waiting && !self.many {
            (self.phase, self.since) = (Phase::Head, now);
        }
    }

    /// A request begins.
    pub fn begins(&mut self) {
        self.asked = true;
        self.phase = match self.phase {
            Phase::Busy(calls) => Phase::Busy(calls + 1),
            Phase::Waiting | Phase::Head => Phase::Busy(1),
        };
    }

    /// A request's answer is out, or nobody wants it any more.
    pub fn ends(&mut self, now: Instant) {
        (self.phase, self.since) = match self.phase {
            Phase::Busy(calls) if calls > 1 => (Phase::Busy(calls - 1), self.since),
            _ => (Phase::Waiting, now),
        };
    }

    /// Why it has lasted too long, if it has.
    pub fn overdue(&self, bounds: &Bounds, now: Instant) -> Option<Why> {
        let for_long = |since: Instant, most: Duration| now.duration_since(since) >= most;
        if self.stalled.is_some_and(|since| for_long(since, bounds.stall)) {
            return Some(Why::Stall);
        }
        match self.phase {
            Phase::Head => for_long(self.since, bounds.head).then_some(Why::Head),
            // Who only connects may do so a little ahead; who keeps many calls together, ahead of the first.
            Phase::Waiting if !self.asked && !self.many => for_long(self.since, bounds.head).then_some(Why::Head),
            Phase::Waiting if !self.asked => for_long(self.since, bounds.idle).then_some(Why::Idle),
            // Who was answered on a connection of many calls keeps it: it stands for a whole system.
            Phase::Waiting if self.many => None,
            Phase::Waiting => for_long(self.since, bounds.idle).then_some(Why::Idle),
            Phase::Busy(_) => None,
        }
    }

    /// In which order connections make room for others, the first that goes the least; none for who must not. Whoever is not known and has not sent
    /// what they ask is as one who asked nothing: a body takes as long as its sender likes.
    pub fn turn_to_go(&self) -> Option<(bool, bool, Instant)> {
        match self.phase {
            Phase::Busy(calls) if self.known || self.coming < calls => None,
            Phase::Busy(_) => Some((false, false, self.since)),
            Phase::Waiting | Phase::Head => Some((self.known, self.asked, self.since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *FIRST.get_or_init(Instant::now) + Duration::from_secs(seconds)
    }

    #[test]
    fn who_is_slow_or_idle_is_let_go() {
        let bounds = Bounds::default();
        let new = Conduct::new(at(0));
        let mut half = new;
        half.came(b"GET / HT", at(2));
        half.came(b"TP/1.1\r\n", at(9));
        let mut busy = half;
        busy.begins();
        let mut answered = busy;
        answered.ends(at(20));
        let mut again = answered;
        again.came(b"G", at(50));
        let mut many = new;
        many.came(b"PRI * HTTP/2.0", at(1));
        let mut asked = many;
        asked.begins();
        asked.begins();
        asked.ends(at(3));
        let two = asked;
        asked.ends(at(4));
        let stalled = Conduct { stalled: Some(at(10)), ..busy };
        for (conduct, second, why) in [
            (new, 9, None),
            (new, 10, Some(Why::Head)),
            // A byte now and then is no more time.
            (half, 11, None),
            (half, 12, Some(Why::Head)),
            (busy, 10_000, None),
            (answered, 94, None),
            (answered, 95, Some(Why::Idle)),
            (again, 59, None),
            (again, 60, Some(Why::Head)),
            (many, 74, None),
            (many, 75, Some(Why::Idle)),
            (two, 10_000, None),
            (asked, 10_000, None),
            (stalled, 39, None),
            (stalled, 40, Some(Why::Stall)),
        ] {
            assert_eq!(conduct.overdue(&bounds, at(second)), why, "{conduct:?} at {second}");
        }
    }

    #[test]
    fn who_is_logged_in_goes_last_and_nobody_who_is_being_answered() {
        let silent = Conduct::new(at(5));
        let half = Conduct { phase: Phase::Head, ..Conduct::new(at(3)) };
        let idle = Conduct { asked: true, ..Conduct::new(at(1)) };
        let known = Conduct { known: true, ..idle };
        let busy = Conduct { phase: Phase::Busy(1), ..idle };
        let sending = Conduct { coming: 1, since: at(4), ..busy };
        let mut order = vec![known, busy, idle, silent, sending, half];
        order.sort_by_key(|conduct| (conduct.turn_to_go().is_none(), conduct.turn_to_go()));
        assert_eq!(order, [half, sending, silent, idle, known, busy]);
        for stays in [busy, Conduct { known: true, ..sending }, Conduct { phase: Phase::Busy(2), ..sending }] {
            assert_eq!(stays.turn_to_go(), None, "{stays:?}");
        }
    }
}
