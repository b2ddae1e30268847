//! Keeps a mirror of a source: takes a snapshot where it has no good cursor, then watches. At-least-once delivery,
//! exactly-once effect: the mirror applies a record only if its version is higher than the one it holds, and moves its cursor
//! with the last of a batch.

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status, Streaming, transport::Channel};
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;
use xuezhu_proto::bridge::{
    self as pb, enrollment_feed_service_client::EnrollmentFeedServiceClient, recall_request::Remembered, snapshot_response::Part as SnapshotPart,
    watch_response::Part as WatchPart,
};
use xuezhu_service::{
    Error, Keyring, Reason,
    faults::{Faults, jittered},
    refusal::reason_of,
    serve::MESSAGE_BYTES,
    token::Tokens,
    trace::{self, NAMED, Trace},
};

use crate::{
    cursor::Cursor,
    format::{FIRST, FORMAT, KINDS},
    server::RECALLED,
};

/// First wait after a fault; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Last wait after faults.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// A source that says nothing for so long is asked anew.
const SILENCE: Duration = Duration::from_secs(15);

/// Where a mirror stands: its cursor, and the format that the source answered in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Its cursor.
    pub cursor: Cursor,
    /// The format of its records.
    pub format: i32,
}

/// A generation that is being loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loading {
    /// Its number.
    pub generation: i64,
    /// Where its snapshot began, and the format that the source answered in.
    pub stand: Stand,
    /// Kind and id of the last record that it holds.
    pub after: (i32, Uuid),
}

/// What a source does not know any more of what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgot {
    /// These changes.
    Changes(HashSet<Uuid>),
    /// The source can't be asked: versions alone tell.
    CantSay,
}

/// What a follower keeps. The mirror decides in which tables.
pub trait Mirror: Send + Sync + 'static {
    /// Where the present generation stands.
    fn stand(&self) -> impl Future<Output = Result<Option<Stand>, Error>> + Send;
    /// Notes that the source answers in a lower format than before: when it grows again, a fresh generation is loaded.
    fn note_format(&self, format: i32) -> impl Future<Output = Result<(), Error>> + Send;
    /// A cursor up to which some records were applied beyond the one that it stands at, where a batch broke off in its midst.
    fn ahead(&self) -> impl Future<Output = Result<Option<Cursor>, Error>> + Send;
    /// A fresh generation whose loading broke off.
    fn loading(&self) -> impl Future<Output = Result<Option<Loading>, Error>> + Send;
    /// Begins a fresh generation beside the present one, and forgets any other; returns its number.
    fn begin_generation(&self, at: &Stand) -> impl Future<Output = Result<i64, Error>> + Send;
    /// Gives up what was loaded beside the present generation.
    fn give_up_loading(&self) -> impl Future<Output = Result<(), Error>> + Send;
    /// Adds a page of a snapshot to a generation, and notes how far it came.
    fn load(&self, generation: i64, records: &[pb::Record]) -> impl Future<Output = Result<(), Error>> + Send;
    /// What the present generation was told and the fresh one was not: change, and when it was committed.
    fn in_doubt(&self, generation: i64) -> impl Future<Output = Result<Vec<(Uuid, i64)>, Error>> + Send;
    /// Makes a generation the present one; keeps old beside new what the source forgot.
    fn switch(&self, generation: i64, at: &Stand, forgot: &Forgot) -> impl Future<Output = Result<(), Error>> + Send;
    /// Applies a batch and moves the cursor from where it stands, in one transaction or with the last of several. Returns
    /// `false` where the cursor has moved on meanwhile.
    fn apply(&self, from: &Cursor, to: &Cursor, records: &[pb::Record]) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// How a follower stands with its source.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// Whether the source answers.
    pub connected: bool,
    /// When the source's last word was applied; none before the first.
    pub heard: Option<Instant>,
    /// For how long, as the source said with it, something had been waiting there to be told.
    pub behind: Duration,
    /// Position of the mirror's cursor.
    pub position: i64,
    /// The source's head, as last heard.
    pub head: i64,
}

impl Standing {
    /// How old the mirror may be: the time since the source's last word, by our own monotonic clock, and what the source said
    /// it lagged, by its own. Never a difference between the clocks of two machines. None before the first word.
    pub fn age(&self) -> Option<Duration> {
        self.heard.map(|heard| heard.elapsed() + self.behind)
    }

    /// Positions that the source is ahead; none while it is not heard.
    pub fn lag(&self) -> Option<i64> {
        let hears = self.connected && self.heard.is_some_and(|heard| heard.elapsed() < SILENCE);
        hears.then(|| (self.head - self.position).max(0))
    }
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
    NeedsSnapshot(&'static str),
    Fault(Error),
}

/// What the source said: changes, or that there were none.
struct Word {
    to: Option<pb::Cursor>,
    /// The place that it follows, as the source holds it; absent from older sources.
    previous: Option<pb::Cursor>,
    records: Vec<pb::Record>,
    /// The requests that made the changes, as far as the source names them.
    traces: Vec<Trace>,
    head: i64,
    behind: Duration,
}

impl Word {
    fn of_batch(batch: pb::watch_response::Batch) -> Self {
        let behind = behind(batch.previous.is_some(), batch.behind_us, batch.sent_at_us, batch.settled_at_us);
        let traces = batch.traces.iter().take(NAMED).filter_map(|trace| Trace::parse(trace)).collect();
        Self { to: batch.cursor, previous: batch.previous, records: batch.records, traces, head: batch.head, behind }
    }

    fn of_bookmark(bookmark: pb::watch_response::Bookmark) -> Self {
        let behind = behind(bookmark.previous.is_some(), bookmark.behind_us, bookmark.sent_at_us, bookmark.settled_at_us);
        Self { to: bookmark.cursor, previous: bookmark.previous, records: Vec::new(), traces: Vec::new(), head: bookmark.head, behind }
    }

    /// The span of its application: a step of the requests that made the changes; none where nobody's did.
    fn span(&self, to: &Cursor) -> Span {
        if self.traces.is_empty() {
            return Span::none();
        }
        let span = tracing::error_span!(parent: None, "apply", trace = Empty, records = self.records.len(), position = to.position);
        trace::open_for(&span, &self.traces);
        span
    }

    /// The place after it, where it follows the one that the mirror stands at.
    fn checked(&self, at: &Cursor) -> Result<Cursor, Failure> {
        let to = self.to.as_ref().and_then(Cursor::from_proto).ok_or_else(|| Error::Internal("a batch came without its cursor".into()))?;
        if let Some(previous) = &self.previous
            && Cursor::from_proto(previous).as_ref() != Some(at)
        {
            return Err(Failure::NeedsSnapshot("the source holds another change at the mirror's position"));
        }
        if to.history != at.history || to.position < at.position {
            return Err(Failure::NeedsSnapshot("the source speaks of another history"));
        }
        if self.head < to.position {
            // An older source says no more than that: asked anew, it compares.
            return Err(Failure::Other(Error::Internal("the source's head has fallen below the mirror's cursor".into())));
        }
        Ok(to)
    }
}

/// For how long something had been waiting at the source; as near as one that does not say it lets know.
fn behind(says: bool, behind_us: i64, sent_at_us: i64, settled_at_us: i64) -> Duration {
    let us = if says { behind_us } else { sent_at_us - settled_at_us };
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

impl<M: Mirror> Follower<M> {
    /// A follower by name, within a scope, under `tokens`; it says in `standing` how it stands.
    pub fn new(mirror: Arc<M>, channel: Channel, keyring: &Keyring, tokens: Tokens, name: &str, scope: &str, standing: watch::Sender<Standing>) -> Self {
        Self {
            mirror,
            channel,
            tokens,
            name: name.to_owned(),
            scope: scope.to_owned(),
            hash_key_id: keyring.hash_key_id().to_owned(),
            hash_key_check: keyring.hash_key_check(),
            standing,
        }
    }

    /// Follows until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut faults = Faults::new("feed", FIRST_WAIT, LAST_WAIT);
        let mut fresh = false;
        while !stop.is_cancelled() {
            let ended = self.follow(&mut fresh, &mut faults, &stop).await;
            self.standing.send_modify(|standing| standing.connected = false);
            let wait = match ended {
                Ended::Stopped => return,
                Ended::NeedsSnapshot(why) => {
                    tracing::warn!(why, "the source does not hold the mirror's cursor: a fresh generation is loaded");
                    fresh = true;
                    jittered(FIRST_WAIT)
                }
                Ended::Fault(error) => faults.note(&error),
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn follow(&self, fresh: &mut bool, faults: &mut Faults, stop: &CancellationToken) -> Ended {
        let followed = async {
            let mut stand = self.mirror.stand().await?;
            if *fresh || stand.as_ref().is_none_or(|stand| stand.cursor.scope != self.scope) {
                stand = Some(self.take_snapshot().await?);
                *fresh = false;
            }
            if let Some(ahead) = self.mirror.ahead().await? {
                self.ask_for(&ahead).await?;
            }
            let stand = stand.ok_or_else(|| Failure::Other(Error::Internal("a snapshot gave no cursor".into())))?;
            self.watch(stand, faults).await
        };
        tokio::select! {
            () = stop.cancelled() => Ended::Stopped,
            followed = followed => match followed {
                Ok(()) => Ended::Fault(Error::Internal("the source ended the stream".into())),
                Err(Failure::NeedsSnapshot(why)) => Ended::NeedsSnapshot(why),
                Err(Failure::Other(error)) => Ended::Fault(error),
            },
        }
    }

    /// Loads a fresh generation, from where one broke off if the source still knows that, and makes it the present one.
    async fn take_snapshot(&self) -> Result<Stand, Failure> {
        let begun = self.mirror.loading().await?.filter(|loading| loading.stand.cursor.scope == self.scope);
        let mut request = pb::SnapshotRequest { handshake: Some(self.handshake()), ..pb::SnapshotRequest::default() };
        if let Some(begun) = &begun {
            request.cursor = Some(begun.stand.cursor.to_proto());
            (request.after_kind, request.after_id) = (begun.after.0, begun.after.1.as_bytes().to_vec());
        }
        let (generation, stand) = match self.load(request, begun).await {
            Err(Failure::NeedsSnapshot(why)) => {
                // What was loaded is of a past that the source does not hold.
                self.mirror.give_up_loading().await?;
                return Err(Failure::NeedsSnapshot(why));
            }
            loaded => loaded?,
        };
        let forgot = self.recall(generation).await?;
        self.mirror.switch(generation, &stand, &forgot).await?;
        Ok(stand)
    }

    /// Loads pages until the end; returns the generation, and where to watch from.
    async fn load(&self, request: pb::SnapshotRequest, begun: Option<Loading>) -> Result<(i64, Stand), Failure> {
        let mut parts: Streaming<pb::SnapshotResponse> = in_time(self.heard(self.client().snapshot(self.signed(request)?))).await?.into_inner();
        let (mut format, mut loading) = (FIRST, None);
        while let Some(part) = in_time(parts.message()).await? {
            match part.part {
                Some(SnapshotPart::Answering(answering)) => format = answering.format,
                Some(SnapshotPart::Cursor(at)) => {
                    let cursor = Cursor::from_proto(&at).ok_or_else(|| Error::Internal("a snapshot's cursor can't be read".into()))?;
                    let stand = Stand { cursor, format };
                    let generation = match &begun {
                        Some(begun) if begun.stand == stand => begun.generation,
                        Some(_) => return Err(Failure::NeedsSnapshot("the snapshot that broke off was told otherwise")),
                        None => self.mirror.begin_generation(&stand).await?,
                    };
                    loading = Some((generation, stand));
                }
                Some(SnapshotPart::Page(page)) => {
                    let (generation, _) = loading.as_ref().ok_or_else(|| Error::Internal("a snapshot came without its cursor".into()))?;
                    self.mirror.load(*generation, &page.records).await?;
                }
                Some(SnapshotPart::End(_)) => {
                    return loading.ok_or_else(|| Failure::Other(Error::Internal("a snapshot came without its cursor".into())));
                }
                None => {}
            }
        }
        Err(Failure::Other(Error::Internal("a snapshot broke off before its end".into())))
    }

    /// Asks the source what it does not know any more of what the present generation was told and the fresh one was not.
    async fn recall(&self, generation: i64) -> Result<Forgot, Failure> {
        let mut forgot = HashSet::new();
        let Some(stand) = self.mirror.stand().await? else { return Ok(Forgot::Changes(forgot)) };
        for part in self.mirror.in_doubt(generation).await?.chunks(RECALLED) {
            let changes = part.iter().map(|(change, recorded_at_us)| Remembered { change: change.as_bytes().to_vec(), recorded_at_us: *recorded_at_us });
            let asked = pb::RecallRequest { handshake: Some(self.handshake()), history: stand.cursor.history.as_bytes().to_vec(), changes: changes.collect() };
            match tokio::time::timeout(SILENCE, self.heard(self.client().recall(self.signed(asked)?))).await {
                Ok(Ok(answer)) => forgot.extend(answer.into_inner().unknown.iter().filter_map(|change| Uuid::from_slice(change).ok())),
                Ok(Err(status)) if status.code() == Code::Unimplemented => return Ok(Forgot::CantSay),
                Ok(Err(status)) => return Err(status.into()),
                Err(_) => return Err(silent()),
            }
        }
        Ok(Forgot::Changes(forgot))
    }

    /// Opens the stream at a cursor; fails where the source does not know it.
    async fn ask_for(&self, cursor: &Cursor) -> Result<Streaming<pb::WatchResponse>, Failure> {
        let request = pb::WatchRequest { handshake: Some(self.handshake()), cursor: Some(cursor.to_proto()) };
        Ok(in_time(self.heard(self.client().watch(self.signed(request)?))).await?.into_inner())
    }

    async fn watch(&self, stand: Stand, faults: &mut Faults) -> Result<(), Failure> {
        let Stand { mut cursor, format } = stand;
        let mut parts = self.ask_for(&cursor).await?;
        self.standing.send_modify(|standing| {
            standing.connected = true;
            standing.position = cursor.position;
        });
        let mut answered = None;
        loop {
            let Some(answer) = in_time(parts.message()).await? else { return Ok(()) };
            let word = match answer.part {
                Some(WatchPart::Answering(answering)) => {
                    self.take_format(format, answering.format).await?;
                    answered = Some(answering.format);
                    continue;
                }
                Some(WatchPart::Batch(batch)) => Word::of_batch(batch),
                Some(WatchPart::Bookmark(bookmark)) => Word::of_bookmark(bookmark),
                None => continue,
            };
            if answered.is_none() {
                // A source from before formats had names.
                self.take_format(format, FIRST).await?;
                answered = Some(FIRST);
            }
            let to = word.checked(&cursor)?;
            if to != cursor && !self.mirror.apply(&cursor, &to, &word.records).instrument(word.span(&to)).await? {
                return Err(Failure::Other(Error::Internal("another follower has moved the mirror's cursor".into())));
            }
            cursor = to;
            faults.over();
            self.standing.send_modify(|standing| {
                standing.position = cursor.position;
                standing.head = word.head;
                standing.heard = Some(Instant::now());
                standing.behind = word.behind;
            });
        }
    }

    /// Compares the format that the source answers in with that of the mirror.
    async fn take_format(&self, mirrored: i32, answered: i32) -> Result<(), Failure> {
        if answered > mirrored {
            return Err(Failure::NeedsSnapshot("the source answers in a higher format"));
        }
        if answered < mirrored {
            self.mirror.note_format(answered).await?;
        }
        Ok(())
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
            format: FORMAT,
            kinds: KINDS.to_vec(),
        }
    }

    fn signed<T>(&self, message: T) -> Result<Request<T>, Error> {
        self.tokens.signed(&self.name, message)
    }

    /// What the source answers; where it refuses the token by its own clock, the next one goes by that.
    async fn heard<T>(&self, asked: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        asked.await.inspect_err(|status| self.tokens.hear_refusal(status))
    }
}

/// A half-open connection says nothing for ever: after a while it is given up.
async fn in_time<T>(asked: impl Future<Output = Result<T, Status>>) -> Result<T, Failure> {
    match tokio::time::timeout(SILENCE, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(silent()),
    }
}

fn silent() -> Failure {
    Failure::Other(Error::Internal("the source has fallen silent".into()))
}

enum Failure {
    NeedsSnapshot(&'static str),
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
            Some(Reason::CursorUnknown) => Self::NeedsSnapshot("the source refused it: another history, or another change there"),
            Some(Reason::CursorTooOld) => Self::NeedsSnapshot("the source's log begins after it"),
            _ => Self::Other(Error::Internal(format!("source answered {:?}: {}", status.code(), status.message()))),
        }
    }
}

/// The id of a record as the feed wrote it.
pub fn record_id(record: &pb::Record) -> Result<Uuid, Error> {
    Uuid::from_slice(&record.id).map_err(|_| Error::Internal("a record's id is not 16 bytes".into()))
}
