//! Keeps a mirror of a source: takes a snapshot where it has no good cursor, then watches. At-least-once delivery,
//! exactly-once effect: the mirror applies a record only if its version is higher than the one it holds, and moves its cursor
//! with the last of a batch.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, Streaming, transport::Channel};
use uuid::Uuid;
use xuezhu_proto::bridge::{
    self as pb, enrollment_feed_service_client::EnrollmentFeedServiceClient, snapshot_response::Part as SnapshotPart, watch_response::Part as WatchPart,
};
use xuezhu_service::{Clock, Error, Keyring, Reason, refusal::reason_of, serve::MESSAGE_BYTES, token::Tokens};

use crate::cursor::Cursor;

/// First wait after a fault; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Last wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// A source that says nothing for so long is asked anew.
const SILENCE: Duration = Duration::from_secs(15);

/// What a follower keeps. The mirror decides in which tables.
pub trait Mirror: Send + Sync + 'static {
    /// The cursor that the present generation stands at.
    fn cursor(&self) -> impl Future<Output = Result<Option<Cursor>, Error>> + Send;
    /// A cursor up to which some records were applied beyond the one that it stands at, where a batch broke off in its midst.
    fn ahead(&self) -> impl Future<Output = Result<Option<Cursor>, Error>> + Send;
    /// Begins a fresh generation beside the present one; returns its number.
    fn begin_generation(&self) -> impl Future<Output = Result<i64, Error>> + Send;
    /// Adds a page of a snapshot to a generation.
    fn load(&self, generation: i64, records: &[pb::Record]) -> impl Future<Output = Result<(), Error>> + Send;
    /// Makes a generation the present one, at a cursor.
    fn switch(&self, generation: i64, cursor: &Cursor) -> impl Future<Output = Result<(), Error>> + Send;
    /// Applies a batch and moves the cursor from where it stands, in one transaction or with the last of several. Returns
    /// `false` where the cursor has moved on meanwhile.
    fn apply(&self, from: &Cursor, to: &Cursor, records: &[pb::Record]) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// How a follower stands with its source.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// Whether the source answers.
    pub connected: bool,
    /// The source's clock when the mirror was last known to be complete, microseconds since 1970; 0 before.
    pub complete_at_us: i64,
    /// The source's clock at its last word, microseconds since 1970; 0 before.
    pub heard_at_us: i64,
    /// Position of the mirror's cursor.
    pub position: i64,
    /// The source's head, as last heard.
    pub head: i64,
}

/// Follows one source into one mirror.
pub struct Follower<M> {
    mirror: Arc<M>,
    channel: Channel,
    tokens: Tokens,
    name: String,
    scope: String,
    hash_key_id: String,
    hash_key_check: [u8; 16],
    standing: watch::Sender<Standing>,
}

enum Ended {
    Stopped,
    NeedsSnapshot,
    Fault(Error),
}

impl<M: Mirror> Follower<M> {
    /// A follower by name, within a scope.
    pub fn new(mirror: Arc<M>, channel: Channel, keyring: &Keyring, clock: Clock, name: &str, scope: &str) -> Self {
        Self {
            mirror,
            channel,
            tokens: Tokens::new(keyring, clock),
            name: name.to_owned(),
            scope: scope.to_owned(),
            hash_key_id: keyring.hash_key_id().to_owned(),
            hash_key_check: keyring.hash_key_check(),
            standing: watch::Sender::new(Standing::default()),
        }
    }

    /// How it stands, as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Follows until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut wait = FIRST_WAIT;
        let mut fresh = false;
        while !stop.is_cancelled() {
            let before = self.standing.borrow().heard_at_us;
            let ended = self.follow(&mut fresh, &stop).await;
            self.standing.send_modify(|standing| standing.connected = false);
            if self.standing.borrow().heard_at_us > before {
                wait = FIRST_WAIT;
            }
            match ended {
                Ended::Stopped => return,
                Ended::NeedsSnapshot => {
                    tracing::warn!("the source does not know the mirror's cursor any more: a fresh generation is loaded");
                    fresh = true;
                }
                Ended::Fault(error) => {
                    tracing::warn!(%error, wait_ms = u64::try_from(wait.as_millis()).unwrap_or(0), "feed broke off; trying again");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    async fn follow(&self, fresh: &mut bool, stop: &CancellationToken) -> Ended {
        let followed = async {
            let mut stored = self.mirror.cursor().await?;
            if *fresh || stored.as_ref().is_none_or(|cursor| cursor.scope != self.scope) {
                stored = Some(self.take_snapshot().await?);
                *fresh = false;
            }
            if let Some(ahead) = self.mirror.ahead().await? {
                self.ask_for(&ahead).await?;
            }
            let cursor = stored.ok_or_else(|| Failure::Other(Error::Internal("a snapshot gave no cursor".into())))?;
            self.watch(cursor).await
        };
        tokio::select! {
            () = stop.cancelled() => Ended::Stopped,
            followed = followed => match followed {
                Ok(()) => Ended::Fault(Error::Internal("the source ended the stream".into())),
                Err(Failure::NeedsSnapshot) => Ended::NeedsSnapshot,
                Err(Failure::Other(error)) => Ended::Fault(error),
            },
        }
    }

    /// Loads a fresh generation and makes it the present one.
    async fn take_snapshot(&self) -> Result<Cursor, Failure> {
        let generation = self.mirror.begin_generation().await?;
        let request = pb::SnapshotRequest { handshake: Some(self.handshake()), ..pb::SnapshotRequest::default() };
        let mut parts: Streaming<pb::SnapshotResponse> = in_time(self.client().snapshot(self.signed(request)?)).await?.into_inner();
        let mut cursor = None;
        while let Some(part) = in_time(parts.message()).await? {
            match part.part {
                Some(SnapshotPart::Cursor(at)) => cursor = Cursor::from_proto(&at),
                Some(SnapshotPart::Page(page)) => self.mirror.load(generation, &page.records).await?,
                Some(SnapshotPart::End(_)) => {
                    let cursor = cursor.ok_or_else(|| Error::Internal("a snapshot came without its cursor".into()))?;
                    self.mirror.switch(generation, &cursor).await?;
                    return Ok(cursor);
                }
                None => {}
            }
        }
        Err(Failure::Other(Error::Internal("a snapshot broke off before its end".into())))
    }

    /// Opens the stream at a cursor; fails where the source does not know it.
    async fn ask_for(&self, cursor: &Cursor) -> Result<Streaming<pb::WatchResponse>, Failure> {
        let request = pb::WatchRequest { handshake: Some(self.handshake()), cursor: Some(cursor.to_proto()) };
        Ok(in_time(self.client().watch(self.signed(request)?)).await?.into_inner())
    }

    async fn watch(&self, mut cursor: Cursor) -> Result<(), Failure> {
        let mut parts = self.ask_for(&cursor).await?;
        self.standing.send_modify(|standing| {
            standing.connected = true;
            standing.position = cursor.position;
        });
        loop {
            let Some(answer) = in_time(parts.message()).await? else { return Ok(()) };
            let Some(part) = answer.part else { continue };
            let (to, records, head, sent_at_us, settled_at_us) = match part {
                WatchPart::Batch(batch) => (batch.cursor, batch.records, batch.head, batch.sent_at_us, batch.settled_at_us),
                WatchPart::Bookmark(bookmark) => (bookmark.cursor, Vec::new(), bookmark.head, bookmark.sent_at_us, bookmark.settled_at_us),
            };
            let to = to.as_ref().and_then(Cursor::from_proto).ok_or_else(|| Error::Internal("a batch came without its cursor".into()))?;
            if to != cursor && !self.mirror.apply(&cursor, &to, &records).await? {
                return Err(Failure::Other(Error::Internal("another follower has moved the mirror's cursor".into())));
            }
            cursor = to;
            self.standing.send_modify(|standing| {
                standing.position = cursor.position;
                standing.head = head.max(cursor.position);
                standing.heard_at_us = sent_at_us;
                // A head that stands still while changes wait for positions is no proof that nothing is missing.
                if standing.head == cursor.position {
                    standing.complete_at_us = standing.complete_at_us.max(settled_at_us);
                }
            });
        }
    }

    fn client(&self) -> EnrollmentFeedServiceClient<Channel> {
        EnrollmentFeedServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES)
    }

    fn handshake(&self) -> pb::Handshake {
        pb::Handshake {
            follower: self.name.clone(),
            scope: self.scope.clone(),
            hash_key_id: self.hash_key_id.clone(),
            hash_key_check: self.hash_key_check.to_vec(),
        }
    }

    fn signed<T>(&self, message: T) -> Result<Request<T>, Error> {
        self.tokens.signed(&self.name, message)
    }
}

/// A half-open connection says nothing for ever: after a while it is given up.
async fn in_time<T>(asked: impl Future<Output = Result<T, Status>>) -> Result<T, Failure> {
    match tokio::time::timeout(SILENCE, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Other(Error::Internal("the source has fallen silent".into()))),
    }
}

enum Failure {
    NeedsSnapshot,
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        match reason_of(&status) {
            Some(Reason::CursorUnknown | Reason::CursorTooOld) => Self::NeedsSnapshot,
            _ => Self::Other(Error::Internal(format!("source answered {:?}: {}", status.code(), status.message()))),
        }
    }
}

/// The id of a record as the feed wrote it.
pub fn record_id(record: &pb::Record) -> Result<Uuid, Error> {
    Uuid::from_slice(&record.id).map_err(|_| Error::Internal("a record's id is not 16 bytes".into()))
}
