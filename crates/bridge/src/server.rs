//! `Snapshot`, `Watch` and `Recall`.
//!
//! Everything that a stream says is read in one transaction with the history and the change before it: what a stream
//! remembers would always match. Where they differ the stream ends, and the follower asks anew.

use std::{pin::Pin, time::Duration};

use futures_util::Stream;
use prost::Message;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_proto::bridge::{
    self as pb,
    enrollment_feed_service_server::EnrollmentFeedService,
    record::Body,
    snapshot_response::{End, Page, Part as SnapshotPart},
    watch_response::{Batch, Bookmark, Part as WatchPart},
};
use xuezhu_service::{Actor, Clock, Context, Error, Keyring, Permission, Place, Reason, Refusal, Role, serve::Gate, trace::NAMED};
use xuezhu_store::{Db, Tx, counted};

use crate::{
    cursor::Cursor,
    format::Reader,
    scope,
    sequencer::Head,
    store::{self, Look, SequencerRow},
};

/// Records a snapshot page or a batch holds at most.
pub const BATCH_RECORDS: i64 = 2_000;
/// Bytes a batch holds, until the record that passes it.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// Batches that wait for a slow follower; then the source stops reading.
const QUEUED_BATCHES: usize = 4;
/// How often a silent feed says that it is complete.
pub const BOOKMARK: Duration = Duration::from_secs(2);
/// Changes that one question may name.
pub const RECALLED: usize = 10_000;

/// The source's end of the feed.
#[derive(Debug, Clone)]
pub struct FeedServer {
    db: Db,
    clock: Clock,
    gate: Gate,
    keyring: Keyring,
    head: watch::Receiver<Head>,
    stop: CancellationToken,
}

/// Who follows: what they see and what they read.
#[derive(Debug, Clone)]
struct Admitted {
    scope: String,
    reader: Reader,
    /// Of a follower from outside: the account under whose own keys persons are told.
    outside: Option<String>,
}

/// A place as the source holds it: the present history, its row, and the change there.
struct Here {
    row: SequencerRow,
    cursor: Cursor,
    /// When the oldest change was committed that waits for its position.
    waiting_us: Option<i64>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl FeedServer {
    /// Serves what `db` logged; `head` wakes it when there is more.
    pub fn new(db: Db, clock: Clock, gate: Gate, keyring: &Keyring, head: watch::Receiver<Head>, stop: CancellationToken) -> Self {
        Self { db, clock, gate, keyring: keyring.clone(), head, stop }
    }

    /// Who follows what: checks permission and hash key.
    fn admit(&self, ctx: &Context, handshake: Option<&pb::Handshake>) -> Result<Admitted, Error> {
        let handshake = handshake.ok_or_else(|| Refusal::field("handshake", "缺少握手信息"))?;
        let scope = handshake.scope.clone();
        if !matches!(scope.len(), 0 | 2 | 4 | 6) || !scope.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal::field("handshake.scope", "应为空，或行政区划码的前2、4、6位").into());
        }
        let region = if scope.is_empty() { String::new() } else { format!("{scope:0<6}") };
        ctx.may(Permission::Follow, &Place::Region(&region))?;
        if handshake.hash_key_id != self.keyring.hash_key_id() || handshake.hash_key_check != self.keyring.hash_key_check() {
            return Err(Refusal::new(
                Reason::HashKeyMismatch,
                "订阅方与本服务使用的散列密钥不同：请让两个服务使用同一份散列密钥，否则每一条资助记录都会被误判为无学籍",
            )
            .into());
        }
        if handshake.format < 0 {
            return Err(Refusal::field("handshake.format", "不能为负数").into());
        }
        let outside = (ctx.actor.role != Role::Service).then(|| ctx.actor.account.clone());
        Ok(Admitted { scope, reader: Reader::of(handshake), outside })
    }

    /// A record as a follower is told it: in the words of its format, and from outside under keys of its own, so that what two of
    /// them have can't be joined, and what is stolen from one opens nothing.
    fn told(&self, admitted: &Admitted, record: pb::Record) -> pb::Record {
        let mut told = admitted.reader.told(record);
        let Some(follower) = &admitted.outside else { return told };
        match &mut told.body {
            Some(Body::Person(person)) => person.keys.iter_mut().for_each(|bond| bond.key = self.keyring.key_for_follower(follower, &bond.key)),
            Some(Body::Enrollment(enrollment)) => enrollment.claim_key = self.keyring.key_for_follower(follower, &enrollment.claim_key),
            _ => {}
        }
        told
    }

    async fn head_cursor(&self, scope: &str) -> Result<Cursor, Error> {
        let mut tx = self.db.read().await?;
        let row = present(&mut tx).await?;
        let change = store::change_at(&mut tx, row.head()).await?;
        let change = change_there(&mut tx, &row, row.head(), change).await?.unwrap_or_default();
        tx.rollback().await?;
        Ok(Cursor { history: row.history, scope: scope.to_owned(), position: row.head(), change })
    }

    /// Refuses a cursor of another history, ahead of the head, with another change, or past the horizon.
    async fn check(&self, cursor: &Cursor, scope: &str) -> Result<(), Error> {
        if cursor.scope != scope {
            return Err(unknown("订阅范围不同"));
        }
        let mut tx = self.db.read().await?;
        let here = held(&mut tx, cursor).await;
        tx.rollback().await?;
        here.map(drop)
    }

    /// Where a snapshot begins: at the head; one that is resumed, where it began.
    async fn begin_snapshot(&self, scope: &str, request: &pb::SnapshotRequest) -> Result<Cursor, Error> {
        if request.after_kind == 0 {
            return self.head_cursor(scope).await;
        }
        let begun = request.cursor.as_ref().and_then(Cursor::from_proto);
        let begun = begun.ok_or_else(|| Refusal::field("cursor", "续传快照须带上快照开始时收到的订阅位置"))?;
        self.check(&begun, scope).await?;
        Ok(begun)
    }

    /// Tells an actor every record, as long as their session and the history last.
    async fn send_snapshot(
        &self,
        actor: &Actor,
        admitted: &Admitted,
        cursor: Cursor,
        after: (i32, Uuid),
        out: &mpsc::Sender<Result<pb::SnapshotResponse, Status>>,
    ) -> Result<(), Error> {
        let mut sent = 0;
        let part = |part| Ok(pb::SnapshotResponse { part: Some(part) });
        if admitted.reader.names_format {
            let answering = self.answering(&admitted.reader).await?;
            if out.send(part(SnapshotPart::Answering(answering))).await.is_err() {
                return Ok(());
            }
        }
        if out.send(part(SnapshotPart::Cursor(cursor.to_proto()))).await.is_err() {
            return Ok(());
        }
        let mut after = after;
        loop {
            self.gate.lets_stay(actor)?;
            let mut tx = self.db.read().await?;
            let row = present(&mut tx).await?;
            let rows = store::latest_after(&mut tx, after.0, after.1, &cursor.scope, BATCH_RECORDS).await?;
            tx.rollback().await?;
            if row.history != cursor.history {
                return Err(unknown("属于另一段历史"));
            }
            let Some(last) = rows.last() else { break };
            after = (last.kind, last.record);
            let mut records = Vec::with_capacity(rows.len());
            for row in rows.into_iter().filter(|row| admitted.reader.reads(row.kind)) {
                let told = record(&row.body, row.record, row.version, row.at_us, row.change)?;
                records.push(self.told(admitted, told));
            }
            sent += i64::try_from(records.len()).unwrap_or(0);
            if out.send(part(SnapshotPart::Page(Page { records }))).await.is_err() {
                return Ok(());
            }
        }
        // Whoever hangs up early has no use for the end.
        let _ = out.send(part(SnapshotPart::End(End { records: sent }))).await;
        Ok(())
    }

    async fn answering(&self, reader: &Reader) -> Result<pb::Answering, Error> {
        let mut tx = self.db.read().await?;
        let kinds = store::kinds(&mut tx).await?;
        tx.rollback().await?;
        Ok(reader.answering(&kinds))
    }

    /// Tells an actor what changes, as long as their session lasts.
    async fn send_changes(
        &self,
        actor: &Actor,
        admitted: &Admitted,
        mut cursor: Cursor,
        out: &mpsc::Sender<Result<pb::WatchResponse, Status>>,
    ) -> Result<(), Error> {
        let mut head = self.head.clone();
        let part = |part| Ok(pb::WatchResponse { part: Some(part) });
        if admitted.reader.names_format {
            let answering = self.answering(&admitted.reader).await?;
            if out.send(part(WatchPart::Answering(answering))).await.is_err() {
                return Ok(());
            }
        }
        loop {
            self.gate.lets_stay(actor)?;
            head.borrow_and_update();
            let (next, more) = self.next_part(admitted, &mut cursor).await?;
            if out.send(part(next)).await.is_err() {
                return Ok(());
            }
            if more {
                continue;
            }
            tokio::select! {
                () = self.stop.cancelled() => return Err(Refusal::new(Reason::Unavailable, "服务正在停止").into()),
                () = out.closed() => return Ok(()),
                changed = head.changed() => if changed.is_err() { return Ok(()) },
                () = tokio::time::sleep(BOOKMARK) => {}
            }
        }
    }

    /// The next changes of the scope, or a bookmark where none of those read are of it; and whether there is more to tell.
    async fn next_part(&self, admitted: &Admitted, cursor: &mut Cursor) -> Result<(WatchPart, bool), Error> {
        let work = if self.head.borrow().position > cursor.position { "feed" } else { "bookmark" };
        counted(work, async {
            let mut tx = self.db.read().await?;
            let read = self.read_part(&mut tx, admitted, cursor).await;
            tx.rollback().await?;
            read
        })
        .await
    }

    async fn read_part(&self, tx: &mut Tx, admitted: &Admitted, cursor: &mut Cursor) -> Result<(WatchPart, bool), Error> {
        let Here { row: present, cursor: previous, waiting_us } = held(tx, cursor).await?;
        let head = present.head();
        let logged = if head > cursor.position { store::changes_after(tx, cursor.position, BATCH_RECORDS).await? } else { Vec::new() };
        let (mut records, mut traces, mut bytes) = (Vec::new(), Vec::new(), 0);
        for row in logged {
            if row.position != cursor.position + 1 {
                return Err(too_old());
            }
            cursor.position = row.position;
            cursor.change = row.change;
            let (was, is) = (row.version > 1 && scope::holds(&row.scope_before, &cursor.scope), scope::holds(&row.scope, &cursor.scope));
            if (was || is) && admitted.reader.reads(row.kind) {
                bytes += row.body.len();
                name(&mut traces, row.trace);
                let told = record(&row.body, row.record, row.version, row.at_us, Some(row.change))?;
                records.push(self.told(admitted, if is { told } else { scope::last_word(told) }));
            }
            if bytes > BATCH_BYTES {
                break;
            }
        }
        let more = cursor.position < head;
        let oldest_us = if more { store::committed_at(tx, cursor.position + 1).await? } else { waiting_us };
        let sent_at_us = self.clock.now_us();
        let behind_us = oldest_us.map_or(0, |oldest| (sent_at_us - oldest).max(0));
        let settled_at_us = if oldest_us.is_some() { 0 } else { sent_at_us };
        let (to, previous) = (Some(cursor.to_proto()), Some(previous.to_proto()));
        let part = if records.is_empty() {
            WatchPart::Bookmark(Bookmark { cursor: to, sent_at_us, head, settled_at_us, previous, behind_us })
        } else {
            WatchPart::Batch(Batch { records, cursor: to, head, sent_at_us, settled_at_us, previous, behind_us, traces })
        };
        Ok((part, more))
    }

    /// Which of these changes are in none of this database's histories. What was committed before all that the log still
    /// holds was there when the log was trimmed, if it was told in one of them.
    async fn recall(&self, request: &pb::RecallRequest) -> Result<Vec<Vec<u8>>, Error> {
        let history = Uuid::from_slice(&request.history).map_err(|_| Refusal::field("history", "应为16字节"))?;
        let mut asked = Vec::with_capacity(request.changes.len());
        for (index, told) in request.changes.iter().enumerate() {
            let change = Uuid::from_slice(&told.change).map_err(|_| Refusal::field(&format!("changes[{index}].change"), "应为16字节"))?;
            asked.push((change, told.recorded_at_us));
        }
        let mut tx = self.db.read().await?;
        let own = store::knows_history(&mut tx, history).await?;
        let horizon_us = if own { store::horizon_us(&mut tx).await?.unwrap_or(i64::MIN) } else { i64::MIN };
        let known = store::known_changes(&mut tx, &asked.iter().map(|(change, _)| *change).collect::<Vec<_>>()).await?;
        tx.rollback().await?;
        let known: std::collections::HashSet<Uuid> = known.into_iter().collect();
        let forgot = asked.into_iter().filter(|(change, recorded_at_us)| *recorded_at_us >= horizon_us && !known.contains(change));
        Ok(forgot.map(|(change, _)| change.as_bytes().to_vec()).collect())
    }
}

/// The row of the present history.
async fn present(tx: &mut Tx) -> Result<SequencerRow, Error> {
    store::sequencer(tx).await?.ok_or_else(|| Error::Internal("no history was begun".into()))
}

/// The change at a position, as the log has it; nil where the history begins, `None` where the log holds it no more.
async fn change_there(tx: &mut Tx, row: &SequencerRow, position: i64, logged: Option<Uuid>) -> Result<Option<Uuid>, Error> {
    if position == row.base_position {
        let oldest = store::oldest_position_above(tx, row.base_position).await?;
        return Ok(oldest.is_none_or(|oldest| oldest == position + 1).then(Uuid::nil));
    }
    Ok(logged)
}

/// The place of a cursor as the source holds it now; refuses one that the source does not hold.
async fn held(tx: &mut Tx, cursor: &Cursor) -> Result<Here, Error> {
    let Look { row, change_there: logged, waiting_us, .. } =
        store::look(tx, cursor.position).await?.ok_or_else(|| Error::Internal("no history was begun".into()))?;
    if cursor.history != row.history {
        return Err(unknown("属于另一段历史"));
    }
    if cursor.position > row.head() || cursor.position < row.base_position {
        return Err(unknown("超出已有位置"));
    }
    match change_there(tx, &row, cursor.position, logged).await? {
        Some(change) if change == cursor.change => Ok(Here { row, cursor: cursor.clone(), waiting_us }),
        Some(_) => Err(unknown("该位置是另一条变更")),
        None => Err(too_old()),
    }
}

/// The scope that is asked for, as the audit names it.
fn scope_of(handshake: Option<&pb::Handshake>) -> &str {
    handshake.map_or("", |handshake| &handshake.scope)
}

/// Names the request that made a change beside those of a batch: each once, and some at most.
fn name(traces: &mut Vec<String>, trace: String) {
    if traces.len() < NAMED && !trace.is_empty() && !traces.contains(&trace) {
        traces.push(trace);
    }
}

fn unknown(why: &str) -> Error {
    Refusal::new(Reason::CursorUnknown, format!("订阅位置无效（{why}），请重新取快照")).into()
}

fn too_old() -> Error {
    Refusal::new(Reason::CursorTooOld, "订阅位置早于日志保留期，请重新取快照").into()
}

fn record(body: &[u8], id: Uuid, version: i64, at_us: i64, change: Option<Uuid>) -> Result<pb::Record, Error> {
    let stored = pb::Record::decode(body).map_err(|error| Error::Internal(error.to_string()))?;
    let change = change.map(|change| change.as_bytes().to_vec()).unwrap_or_default();
    Ok(pb::Record { version, id: id.as_bytes().to_vec(), left_scope: false, recorded_at_us: at_us, change, body: stored.body })
}

#[tonic::async_trait]
impl EnrollmentFeedService for FeedServer {
    type SnapshotStream = Answers<pb::SnapshotResponse>;
    type WatchStream = Answers<pb::WatchResponse>;

    async fn snapshot(&self, request: Request<pb::SnapshotRequest>) -> Result<Response<Self::SnapshotStream>, Status> {
        let (ctx, request) = self.gate.enter(request, "Snapshot").await?;
        let begun = async {
            let admitted = self.admit(&ctx, request.handshake.as_ref())?;
            let cursor = self.begin_snapshot(&admitted.scope, &request).await?;
            Ok((admitted, cursor))
        };
        let (admitted, cursor) = self.gate.record_entry(&ctx, "Snapshot", scope_of(request.handshake.as_ref()), begun.await).await?;
        let after = (request.after_kind, Uuid::from_slice(&request.after_id).unwrap_or_default());
        let (out, answers) = mpsc::channel(QUEUED_BATCHES);
        let server = self.clone();
        tokio::spawn(async move {
            if let Err(error) = server.send_snapshot(&ctx.actor, &admitted, cursor, after, &out).await {
                let _ = out.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (ctx, request) = self.gate.enter(request, "Watch").await?;
        let begun = async {
            let admitted = self.admit(&ctx, request.handshake.as_ref())?;
            let cursor = request.cursor.as_ref().and_then(Cursor::from_proto).ok_or_else(|| Refusal::field("cursor", "缺少订阅位置，请先取快照"))?;
            self.check(&cursor, &admitted.scope).await?;
            Ok((admitted, cursor))
        };
        let (admitted, cursor) = self.gate.record_entry(&ctx, "Watch", scope_of(request.handshake.as_ref()), begun.await).await?;
        let (out, answers) = mpsc::channel(QUEUED_BATCHES);
        let server = self.clone();
        tokio::spawn(async move {
            if let Err(error) = server.send_changes(&ctx.actor, &admitted, cursor, &out).await {
                let _ = out.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn recall(&self, request: Request<pb::RecallRequest>) -> Result<Response<pb::RecallResponse>, Status> {
        let (ctx, request) = self.gate.enter(request, "Recall").await?;
        self.admit(&ctx, request.handshake.as_ref())?;
        if request.changes.len() > RECALLED {
            return Err(Error::from(Refusal::field("changes", format!("一次不能超过{RECALLED}条"))).into());
        }
        Ok(Response::new(pb::RecallResponse { unknown: FeedServer::recall(self, &request).await? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_names_some_requests_at_most_and_each_once() {
        let mut traces = Vec::new();
        for number in [0, 0, 1, 0, 1] {
            name(&mut traces, format!("request {number}"));
        }
        name(&mut traces, String::new());
        assert_eq!(traces, ["request 0", "request 1"]);
        for number in 0..=NAMED {
            name(&mut traces, format!("request {number}"));
        }
        assert_eq!(traces.len(), NAMED);
        assert_eq!(traces.last().map(String::as_str), Some("request 7"));
    }
}
