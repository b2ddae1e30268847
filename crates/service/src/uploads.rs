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
const TURN: Duration = Duration::from_secs(60);
/// How long the next piece may take.
const PIECE: Duration = Duration::from_secs(30);
/// How long a whole file may take.
const WHOLE: Duration = Duration::from_secs(900);

/// Gives turns.
#[derive(Debug, Clone)]
pub struct Uploads {
    slots: Arc<Semaphore>,
    of_accounts: Arc<Mutex<HashMap<String, usize>>>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), of_accounts: Arc::default() }
    }
}

/// A turn; it ends with this.
#[derive(Debug)]
pub struct Turn {
    account: String,
    of_accounts: Arc<Mutex<HashMap<String, usize>>>,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut of_accounts = self.of_accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_accounts.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                of_accounts.remove(&self.account);
            }
        }
    }
}

impl Uploads {
    /// Waits for a turn; refuses an account that has as many as one may have, and whoever waited too long.
    pub async fn turn(&self, account: &str) -> Result<Turn, Error> {
        let busy = || Error::from(Refusal::new(Reason::Unavailable, "正在处理的上传较多，请稍后重试"));
        let slot = time::timeout(TURN, self.slots.clone().acquire_owned()).await.map_err(|_| busy())?.map_err(|_| busy())?;
        let mut of_accounts = self.of_accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_accounts.entry(account.to_owned()).or_default();
        if *count >= OF_ACCOUNT {
            return Err(Refusal::new(Reason::Unavailable, format!("该账号已有{OF_ACCOUNT}个文件正在上传，请等其完成后再传")).into());
        }
        *count += 1;
        drop(of_accounts);
        Ok(Turn { account: account.to_owned(), of_accounts: self.of_accounts.clone(), _slot: slot })
    }
}

/// Collects the pieces of a file, of so many bytes at most.
pub async fn collect<M>(pieces: &mut Streaming<M>, piece: impl Fn(M) -> Option<Vec<u8>>, most: usize) -> Result<Vec<u8>, Error> {
    let still = || Error::from(Refusal::new(Reason::FileUnreadable, "上传中断：没有按时收到文件的其余部分，请检查网络后重新上传"));
    let until = Instant::now() + WHOLE;
    let mut bytes = Vec::new();
    loop {
        let next = time::timeout_at(until.min(Instant::now() + PIECE), pieces.message()).await.map_err(|_| still())?;
        let Some(message) = next.map_err(|_| still())? else { return Ok(bytes) };
        bytes.extend_from_slice(&piece(message).unwrap_or_default());
        if bytes.len() > most {
            return Err(Refusal::new(Reason::FileTooLarge, format!("文件超过{}MB，请分批上传", most / 1024 / 1024)).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_account_has_few_turns_and_all_together_some_more() {
        let uploads = Uploads::default();
        let mut turns = Vec::new();
        for _ in 0..OF_ACCOUNT {
            turns.push(uploads.turn("li").await.expect("a turn"));
        }
        assert_eq!(uploads.turn("li").await.expect_err("has enough").reason(), Reason::Unavailable);
        for other in 0..AT_ONCE - OF_ACCOUNT {
            turns.push(uploads.turn(&format!("other{other}")).await.expect("a turn"));
        }
        assert_eq!(uploads.turn("wang").await.expect_err("waits in vain").reason(), Reason::Unavailable);
        turns.clear();
        uploads.turn("li").await.expect("turns that ended are free");
        assert!(uploads.of_accounts.lock().expect("a lock").is_empty(), "nobody is kept who has none");
    }
}
