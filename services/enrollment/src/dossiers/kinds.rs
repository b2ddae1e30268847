//! The kinds of dossiers that this service has. To add one: its `About` here, and its `Kind` beside it.

use xuezhu_review::{About, Kind};
use xuezhu_service::Error;
use xuezhu_store::StoreError;

use crate::{
    Parts,
    record::facts::{self, AidFacts},
    registration::{self, Registration},
    status_change::never_came::{self, NeverCame},
};

/// Every kind.
pub static ALL: [&About; 3] = [&registration::kind::ABOUT, &never_came::ABOUT, &facts::ABOUT];

/// A kind at work.
pub fn kind<'p>(parts: &'p Parts, about: &About) -> Result<Box<dyn Kind + Send + 'p>, Error> {
    if about.code == registration::kind::ABOUT.code {
        Ok(Box::new(Registration { parts }))
    } else if about.code == never_came::ABOUT.code {
        Ok(Box::new(NeverCame))
    } else if about.code == facts::ABOUT.code {
        Ok(Box::new(AidFacts { parts }))
    } else {
        Err(StoreError::Corrupt("kind of a dossier").into())
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
