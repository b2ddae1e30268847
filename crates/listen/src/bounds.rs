//! How many connections there may be, and how long each may do nothing.

use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that a process opens beside its connections: databases, logs, the other services.
const OTHER_FILES: u64 = 256;
/// Connections of a listener at most, however many files there may be: each takes memory.
const MOST: usize = 4_096;
/// Connections of a listener at least.
const LEAST: usize = 32;

/// Which part of a process's files a listener may use for connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The only listener of its process.
    Whole,
    /// One of several.
    Half,
    /// One of more.
    Quarter,
}

/// How many connections, and how long each may do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once.
    pub connections: usize,
    /// How long the head of a request may take, from its first byte or, on a new connection, from the beginning.
    pub head: Duration,
    /// How long a connection may be kept between requests.
    pub idle: Duration,
    /// How long the other end may take nothing of an answer.
    pub stall: Duration,
}

impl Bounds {
    /// By how many files this process may have open.
    pub fn of(share: Share) -> Self {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let parts = match share {
            Share::Whole => 1,
            Share::Half => 2,
            Share::Quarter => 4,
        };
        let room = usize::try_from(files.saturating_sub(OTHER_FILES) / parts).unwrap_or(usize::MAX);
        Self { connections: room.clamp(LEAST, MOST), ..Self::default() }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: MOST, head: Duration::from_secs(10), idle: Duration::from_secs(75), stall: Duration::from_secs(30) }
    }
}

/// Lets this process open as many files as the system grants it: what a shell grants first is often a thousand.
pub fn raise_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_leaves_files_for_the_rest() {
        let [whole, half, quarter] = [Share::Whole, Share::Half, Share::Quarter].map(|share| Bounds::of(share).connections);
        assert!(quarter <= half && half <= whole && whole <= MOST && quarter >= LEAST);
    }
}
