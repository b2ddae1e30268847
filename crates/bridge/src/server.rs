//! `Snapshot` and `Watch`.

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
    snapshot_response::{End, Page, Part as SnapshotPart},
    watch_response::{Batch, Bookmark, Part as WatchPart},
};
use xuezhu_service::{Actor, Clock, Context, Error, Keyring, Permission, Place, Reason, Refusal, serve::Gate};
use xuezhu_store::Db;

use crate::{cursor::Cursor, scope, sequencer::Head, store};

/// Records a snapshot page or a batch holds at most.
pub const BATCH_RECORDS: i64 = 2_000;
/// Bytes a batch holds, until the record that passes it.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// Batches that wait for a slow follower; then the source stops reading.
const QUEUED_BATCHES: usize = 4;
/// How often a silent feed says that it is complete.
pub const BOOKMARK: Duration = Duration::from_secs(2);

/// The source's end of the feed.
#[derive(Debug, Clone)]
pub struct FeedServer {
    db: Db,
    clock: Clock,
    gate: Gate,
    hash_key_id: String,
    hash_key_check: [u8; 16],
    head: watch::Receiver<Head>,
    stop: CancellationToken,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl FeedServer {
    /// Serves what `db` logged, as far as `head` says that it has positions.
    pub fn new(db: Db, clock: Clock, gate: Gate, keyring: &Keyring, head: watch::Receiver<Head>, stop: CancellationToken) -> Self {
        Self { db, clock, gate, hash_key_id: keyring.hash_key_id().to_owned(), hash_key_check: keyring.hash_key_check(), head, stop }
    }

    /// Who follows what: checks permission and hash key.
    fn admit(&self, ctx: &Context, handshake: Option<&pb::Handshake>) -> Result<String, Error> {
        let handshake = handshake.ok_or_else(|| Refusal::field("handshake", "缺少握手信息"))?;
        let scope = handshake.scope.clone();
        if !matches!(scope.len(), 0 | 2 | 4 | 6) || !scope.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal::field("handshake.scope", "应为空，或行政区划码的前2、4、6位").into());
        }
        let region = if scope.is_empty() { String::new() } else { format!("{scope:0<6}") };
        ctx.may(Permission::Follow, &Place::Region(&region))?;
        if handshake.hash_key_id != self.hash_key_id || handshake.hash_key_check != self.hash_key_check {
            return Err(Refusal::new(
                Reason::HashKeyMismatch,
                "订阅方与本服务使用的散列密钥不同：请让两个服务使用同一份密钥环文件，否则每一条资助记录都会被误判为无学籍",
            )
            .into());
        }
        Ok(scope)
    }

    async fn head_cursor(&self, scope: &str) -> Result<Cursor, Error> {
        let mut tx = self.db.read().await?;
        let row = store::sequencer(&mut tx).await?.ok_or_else(|| Error::Internal("no history was begun".into()))?;
        let position = row.next_position - 1;
        let change = store::change_at(&mut tx, position).await?.unwrap_or_default();
        tx.rollback().await?;
        Ok(Cursor { history: row.history, scope: scope.to_owned(), position, change })
    }

    /// Refuses a cursor of another history, ahead of the head, with another change, or past the horizon.
    async fn check(&self, cursor: &Cursor, scope: &str) -> Result<(), Error> {
        let head = self.head_cursor(scope).await?;
        let unknown = |why: &str| Error::from(Refusal::new(Reason::CursorUnknown, format!("订阅位置无效（{why}），请重新取快照")));
        if cursor.history != head.history {
            return Err(unknown("属于另一段历史"));
        }
        if cursor.scope != scope {
            return Err(unknown("订阅范围不同"));
        }
        if cursor.position > head.position || cursor.position < 0 {
            return Err(unknown("超出已有位置"));
        }
        if cursor.position == 0 {
            let mut tx = self.db.read().await?;
            let oldest = store::oldest_position(&mut tx).await?;
            tx.rollback().await?;
            return if oldest.is_none_or(|oldest| oldest == 1) { Ok(()) } else { Err(too_old()) };
        }
        let mut tx = self.db.read().await?;
        let change = store::change_at(&mut tx, cursor.position).await?;
        tx.rollback().await?;
        match change {
            Some(change) if change == cursor.change => Ok(()),
            Some(_) => Err(unknown("该位置是另一条变更")),
            None => Err(too_old()),
        }
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

    /// Tells an actor every record, as long as their session lasts.
    async fn send_snapshot(
        &self,
        actor: &Actor,
        cursor: Cursor,
        after: (i32, Uuid),
        out: &mpsc::Sender<Result<pb::SnapshotResponse, Status>>,
    ) -> Result<(), Error> {
        let scope = &cursor.scope;
        let mut sent = 0;
        let part = |part| Ok(pb::SnapshotResponse { part: Some(part) });
        if out.send(part(SnapshotPart::Cursor(cursor.to_proto()))).await.is_err() {
            return Ok(());
        }
        let mut after = after;
        loop {
            self.gate.lets_stay(actor)?;
            let mut tx = self.db.read().await?;
            let rows = store::latest_after(&mut tx, after.0, after.1, scope, BATCH_RECORDS).await?;
            tx.rollback().await?;
            let Some(last) = rows.last() else { break };
            after = (last.kind, last.record);
            sent += i64::try_from(rows.len()).unwrap_or(0);
            let records = rows.into_iter().map(|row| record(&row.body, row.record, row.version, row.at_us)).collect::<Result<Vec<_>, _>>()?;
            if out.send(part(SnapshotPart::Page(Page { records }))).await.is_err() {
                return Ok(());
            }
        }
        // Whoever hangs up early has no use for the end.
        let _ = out.send(part(SnapshotPart::End(End { records: sent }))).await;
        Ok(())
    }

    /// Tells an actor what changes, as long as their session lasts.
    async fn send_changes(&self, actor: &Actor, mut cursor: Cursor, out: &mpsc::Sender<Result<pb::WatchResponse, Status>>) -> Result<(), Error> {
        let mut head = self.head.clone();
        loop {
            self.gate.lets_stay(actor)?;
            let sent_at_us = self.clock.now_us();
            let newest = *head.borrow_and_update();
            let part =
                if newest.position > cursor.position { self.next_part(&mut cursor, newest, sent_at_us).await? } else { bookmark(&cursor, newest, sent_at_us) };
            if out.send(Ok(pb::WatchResponse { part: Some(part) })).await.is_err() {
                return Ok(());
            }
            if cursor.position < newest.position {
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

    /// The next changes of the scope, or a bookmark where none of those read are of it.
    async fn next_part(&self, cursor: &mut Cursor, head: Head, sent_at_us: i64) -> Result<WatchPart, Error> {
        let mut tx = self.db.read().await?;
        let logged = store::changes_after(&mut tx, cursor.position, BATCH_RECORDS).await?;
        tx.rollback().await?;
        let (mut records, mut bytes) = (Vec::new(), 0);
        for row in logged {
            if row.position != cursor.position + 1 {
                return Err(too_old());
            }
            cursor.position = row.position;
            cursor.change = row.change;
            let (was, is) = (row.version > 1 && scope::holds(&row.scope_before, &cursor.scope), scope::holds(&row.scope, &cursor.scope));
            if was || is {
                bytes += row.body.len();
                let told = record(&row.body, row.record, row.version, row.at_us)?;
                records.push(if is { told } else { scope::last_word(told) });
            }
            if bytes > BATCH_BYTES {
                break;
            }
        }
        Ok(if records.is_empty() {
            bookmark(cursor, head, sent_at_us)
        } else {
            WatchPart::Batch(Batch { records, cursor: Some(cursor.to_proto()), head: head.position, sent_at_us, settled_at_us: head.settled_at_us })
        })
    }
}

fn bookmark(cursor: &Cursor, head: Head, sent_at_us: i64) -> WatchPart {
    WatchPart::Bookmark(Bookmark { cursor: Some(cursor.to_proto()), sent_at_us, head: head.position, settled_at_us: head.settled_at_us })
}

fn too_old() -> Error {
    Refusal::new(Reason::CursorTooOld, "订阅位置早于日志保留期，请重新取快照").into()
}

fn record(body: &[u8], id: Uuid, version: i64, at_us: i64) -> Result<pb::Record, Error> {
    let stored = pb::Record::decode(body).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(pb::Record { version, id: id.as_bytes().to_vec(), left_scope: false, recorded_at_us: at_us, body: stored.body })
}

#[tonic::async_trait]
impl EnrollmentFeedService for FeedServer {
    type SnapshotStream = Answers<pb::SnapshotResponse>;
    type WatchStream = Answers<pb::WatchResponse>;

    async fn snapshot(&self, request: Request<pb::SnapshotRequest>) -> Result<Response<Self::SnapshotStream>, Status> {
        let (ctx, request) = self.gate.enter(request, "Snapshot").await?;
        let scope = self.admit(&ctx, request.handshake.as_ref())?;
        let cursor = self.begin_snapshot(&scope, &request).await?;
        let after = (request.after_kind, Uuid::from_slice(&request.after_id).unwrap_or_default());
        let (out, answers) = mpsc::channel(QUEUED_BATCHES);
        let server = self.clone();
        tokio::spawn(async move {
            if let Err(error) = server.send_snapshot(&ctx.actor, cursor, after, &out).await {
                let _ = out.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (ctx, request) = self.gate.enter(request, "Watch").await?;
        let scope = self.admit(&ctx, request.handshake.as_ref())?;
        let cursor = request.cursor.as_ref().and_then(Cursor::from_proto).ok_or_else(|| Error::from(Refusal::field("cursor", "缺少订阅位置，请先取快照")))?;
        self.check(&cursor, &scope).await?;
        let (out, answers) = mpsc::channel(QUEUED_BATCHES);
        let server = self.clone();
        tokio::spawn(async move {
            if let Err(error) = server.send_changes(&ctx.actor, cursor, &out).await {
                let _ = out.send(Err(error.into())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}
