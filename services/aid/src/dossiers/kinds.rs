//! The kinds of dossiers that this service has. To add one: its `About` here, and its `Kind` beside it.

use xuezhu_review::{About, Dossier, Kind};
use xuezhu_service::Error;
use xuezhu_store::{StoreError, Tx};

use crate::{
    Parts,
    award::{
        self,
        corrections::kind::{self as corrections, AwardCorrection},
        kind::{self as rounds, AwardRound},
    },
    hardship::kind::{self as hardship, HardshipRound},
    omissions::kind::{self as omissions, Omissions},
    policy::kind::{self as policies, PolicyChange},
    summaries::kind::{self as summaries, Summary},
};

/// Every kind.
pub static ALL: [&About; 6] = [&rounds::ABOUT, &corrections::ABOUT, &policies::ABOUT, &hardship::ABOUT, &omissions::ABOUT, &summaries::ABOUT];

/// A kind at work.
pub fn kind<'p>(parts: &'p Parts, about: &About) -> Result<Box<dyn Kind + Send + 'p>, Error> {
    if about.code == rounds::ABOUT.code {
        Ok(Box::new(AwardRound { parts }))
    } else if about.code == corrections::ABOUT.code {
        Ok(Box::new(AwardCorrection { parts }))
    } else if about.code == policies::ABOUT.code {
        Ok(Box::new(PolicyChange { parts }))
    } else if about.code == hardship::ABOUT.code {
        Ok(Box::new(HardshipRound { parts }))
    } else if about.code == omissions::ABOUT.code {
        Ok(Box::new(Omissions { parts }))
    } else if about.code == summaries::ABOUT.code {
        Ok(Box::new(Summary { parts }))
    } else {
        Err(StoreError::Corrupt("kind of a dossier").into())
    }
}

/// Locks what a dossier is about, before the dossier: who acts on a list locks it first too.
pub async fn enter(tx: &mut Tx, dossier: &Dossier) -> Result<(), Error> {
    match dossier.subject {
        Some(list) if dossier.kind == rounds::ABOUT.code => award::rounds::lock(tx, &dossier.school, list).await,
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use xuezhu_review::{door::by_word, way::Chain};

    use super::*;

    #[test]
    fn kinds_differ_and_their_chains_can_be_read() {
        for (at, kind) in ALL.into_iter().enumerate() {
            assert!(ALL[..at].iter().all(|before| before.code != kind.code && before.word != kind.word), "{}", kind.word);
            assert!(kind.chain.parse::<Chain>().is_ok() && kind.code > 0);
            assert_eq!(by_word(&ALL, kind.word).map(|found| found.code), Some(kind.code));
        }
    }
}
