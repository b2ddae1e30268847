//! Files on their way in: a few at once, fewer of one account, and none that stands still. Each may take hundreds of
//! megabytes until it is stored.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{self, Instant},
};
use tonic::Streaming;

use crate::refusal::{Error, Reason, Refusal};

/// Uploads that a service works on at once.
const AT_ONCE: usize = 8;
/// Those of one account.
const OF_ACCOUNT: usize = 3;
/// How long an upload waits for its turn.
const TURN: Duration = Duration::from_secs(20);
/// After how many seconds whoever waited in vain should come again.
const AGAIN_SECONDS: u64 = 10;
/// How long the next piece may take.
const PIECE: Duration = Duration::from_secs(30);
/// How long a whole file may take.
const WHOLE: Duration = Duration::from_secs(900);

/// Gives turns.
#[derive(Debug, Clone)]
pub struct Uploads {
    slots: Arc<Semaphore>,
    of_account: usize,
    patience: Duration,
    of_accounts: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self::of(AT_ONCE, OF_ACCOUNT, TURN)
    }
}

/// A turn; it ends with this.
#[derive(Debug)]
pub struct Turn {
    _of_account: OwnedSemaphorePermit,
    _slot: OwnedSemaphorePermit,
}

impl Uploads {
    /// So many at once, of one account so many; whoever finds no turn for so long is refused.
    pub fn of(at_once: usize, of_account: usize, patience: Duration) -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once)), of_account, patience, of_accounts: Arc::default() }
    }

    /// Waits for a turn, first among the account's own, then among all; refuses whoever waited too long. Nothing is read of a
    /// file that waits.
    pub async fn turn(&self, account: &str) -> Result<Turn, Error> {
        let turn = async {
            let of_account = self.of_account(account).acquire_owned().await.ok()?;
            Some(Turn { _of_account: of_account, _slot: self.slots.clone().acquire_owned().await.ok()? })
        };
        let busy = || Refusal::new(Reason::Unavailable, "正在处理的上传较多，请稍后重试").again_after(AGAIN_SECONDS).into();
        time::timeout(self.patience, turn).await.ok().flatten().ok_or_else(busy)
    }

    /// Turns of one account. Those of accounts that have and want none are forgotten.
    fn of_account(&self, account: &str) -> Arc<Semaphore> {
        let mut of_accounts = self.of_accounts.lock().unwrap_or_else(PoisonError::into_inner);
        of_accounts.retain(|_, turns| Arc::strong_count(turns) > 1);
        of_accounts.entry(account.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.of_account))).clone()
    }
}

/// Collects the pieces of a file, of so many bytes at most.
pub async fn collect<M>(pieces: &mut Streaming<M>, piece: impl Fn(M) -> Option<Vec<u8>>, most: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    read(pieces, piece, most, |piece| bytes.extend_from_slice(piece)).await?;
    Ok(bytes)
}

/// The hash of a file of which nothing is kept.
pub async fn hash<M>(pieces: &mut Streaming<M>, piece: impl Fn(M) -> Option<Vec<u8>>, most: usize) -> Result<blake3::Hash, Error> {
    let mut hasher = blake3::Hasher::new();
    read(pieces, piece, most, |piece| {
        hasher.update(piece);
    })
    .await?;
    Ok(hasher.finalize())
}

async fn read<M>(pieces: &mut Streaming<M>, piece: impl Fn(M) -> Option<Vec<u8>>, most: usize, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
    let still = || Error::from(Refusal::new(Reason::FileUnreadable, "上传中断：没有按时收到文件的其余部分，请检查网络后重新上传"));
    let until = Instant::now() + WHOLE;
    let mut read = 0;
    loop {
        let next = time::timeout_at(until.min(Instant::now() + PIECE), pieces.message()).await.map_err(|_| still())?;
        let Some(message) = next.map_err(|_| still())? else { return Ok(()) };
        let piece = piece(message).unwrap_or_default();
        read += piece.len();
        if read > most {
            return Err(Refusal::new(Reason::FileTooLarge, format!("文件超过{}MB，请分批上传", most / 1024 / 1024)).into());
        }
        take(&piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_account_has_few_turns_at_once_and_all_together_some_more() {
        let uploads = Uploads::default();
        let mut turns = Vec::new();
        for _ in 0..OF_ACCOUNT {
            turns.push(uploads.turn("li").await.expect("a turn"));
        }
        assert_eq!(uploads.turn("li").await.expect_err("waits in vain").reason(), Reason::Unavailable);
        for other in 0..AT_ONCE - OF_ACCOUNT {
            turns.push(uploads.turn(&format!("other{other}")).await.expect("a turn"));
        }
        assert_eq!(uploads.turn("wang").await.expect_err("waits in vain").reason(), Reason::Unavailable);
        let waits = tokio::spawn({
            let uploads = uploads.clone();
            async move { uploads.turn("li").await }
        });
        tokio::task::yield_now().await;
        turns.remove(0);
        waits.await.expect("a task").expect("has its turn when one ends");
        turns.clear();
        drop(uploads.turn("li").await.expect("turns that ended are free"));
        drop(uploads.turn("zhao").await);
        assert_eq!(uploads.of_accounts.lock().expect("a lock").len(), 1, "who has none and wants none is forgotten");
    }
}
