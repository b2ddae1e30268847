//! All connections of a listener.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Bounds,
    conduct::{Conduct, Why},
    watched::Call,
};

/// The connections of a listener.
#[derive(Debug)]
pub struct Register {
    name: &'static str,
    bounds: Bounds,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    connections: HashMap<u64, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    conduct: Shared,
    ended: CancellationToken,
}

/// The conduct of a connection, for those who see it.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Conduct>>);

impl Shared {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Conduct::new(Instant::now()))))
    }

    pub fn with<T>(&self, see: impl FnOnce(&mut Conduct) -> T) -> T {
        see(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request begins.
    pub fn begins<B>(&self, request: &http::Request<B>) -> Call {
        Call::new(self.clone(), request)
    }
}

/// A place in a register, free again when it is dropped.
#[derive(Debug)]
pub struct Connection {
    register: Arc<Register>,
    number: u64,
    entry: Entry,
}

impl Connection {
    /// Says that it is to be ended.
    pub fn ended(&self) -> CancellationToken {
        self.entry.ended.clone()
    }

    pub fn conduct(&self) -> Shared {
        self.entry.conduct.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut inside = self.register.inside();
        inside.connections.remove(&self.number);
        self.register.tell(&inside);
    }
}

impl Register {
    pub fn new(name: &'static str, bounds: Bounds) -> Self {
        Self { name, bounds, inside: Mutex::default() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    fn tell(&self, inside: &Inside) {
        metrics::gauge!("xuezhu_connections", "listener" => self.name).set(inside.connections.len() as f64);
    }

    /// A place for a new connection; none where all others are being answered.
    pub fn enter(self: &Arc<Self>) -> Option<Connection> {
        let mut inside = self.inside();
        if inside.connections.len() >= self.bounds.connections && !self.free_one(&mut inside) {
            metrics::counter!("xuezhu_connections_refused_total", "listener" => self.name).increment(1);
            return None;
        }
        let number = inside.next;
        inside.next += 1;
        let entry = Entry { conduct: Shared::new(), ended: CancellationToken::new() };
        inside.connections.insert(number, entry.clone());
        self.tell(&inside);
        drop(inside);
        Some(Connection { register: self.clone(), number, entry })
    }

    /// Ends the connection whose turn it is to go, for whoever comes.
    pub fn make_room(&self) {
        self.free_one(&mut self.inside());
    }

    fn free_one(&self, inside: &mut Inside) -> bool {
        let turn = |(number, entry): (&u64, &Entry)| Some((entry.conduct.with(|conduct| conduct.turn_to_go())?, *number));
        let Some((_, number)) = inside.connections.iter().filter_map(turn).min() else { return false };
        if let Some(entry) = inside.connections.remove(&number) {
            self.end(&entry, Why::Room);
        }
        true
    }

    fn end(&self, entry: &Entry, why: Why) {
        metrics::counter!("xuezhu_connections_ended_total", "listener" => self.name, "why" => why.as_str()).increment(1);
        entry.ended.cancel();
    }

    /// Ends every connection that has lasted too long.
    pub fn end_overdue(&self) {
        let now = Instant::now();
        let entries: Vec<Entry> = self.inside().connections.values().cloned().collect();
        for entry in entries {
            if let Some(why) = entry.conduct.with(|conduct| conduct.overdue(&self.bounds, now)) {
                self.end(&entry, why);
            }
        }
    }

    /// Ends every connection.
    pub fn end_all(&self) {
        for entry in self.inside().connections.values() {
            entry.ended.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_comes_finds_room_unless_everybody_is_being_answered() {
        let register = Arc::new(Register::new("test", Bounds { connections: 2, ..Bounds::default() }));
        let first = register.enter().expect("room");
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let second = register.enter().expect("room");
        let third = register.enter().expect("makes room");
        assert!(first.ended().is_cancelled() && !second.ended().is_cancelled() && !third.ended().is_cancelled());
        drop(first);
        let request = http::Request::new(());
        let (one, two) = (second.conduct().begins(&request), third.conduct().begins(&request));
        assert!(register.enter().is_none(), "both are being answered");
        drop(one);
        let fourth = register.enter().expect("makes room");
        assert!(second.ended().is_cancelled() && !fourth.ended().is_cancelled());
        drop((second, two));
        assert_eq!(register.inside().connections.len(), 2);
        tokio::time::advance(std::time::Duration::from_secs(80)).await;
        register.end_overdue();
        assert!(third.ended().is_cancelled() && fourth.ended().is_cancelled());
    }
}
