//! What was known when. Who asks names a time, and is answered by a position: commits arrive out of order and clocks step, positions
//! do neither. A position carries its history and the change there: a database that was put back to an older copy has forgotten what came
//! after, and hands its positions out again.

mod store;

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx};

pub(crate) use self::store::note_settled;

/// Microseconds of a minute: the grain in which times are kept.
pub const MINUTE_US: i64 = 60 * 1_000_000;

/// Everything up to a position of a history was known. The change there belongs to it: a database that was restored from a backup hands
/// positions out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Id of the history.
    pub history: Uuid,
    /// The position.
    pub position: i64,
    /// Id of the change there; nil where nothing had been told.
    pub change: Uuid,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.history, self.position, self.change)
    }
}

/// Not a history, a position and a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("应为“历史编号:位置:变更编号”")]
pub struct NotKnown;

impl FromStr for Known {
    type Err = NotKnown;

    fn from_str(text: &str) -> Result<Self, NotKnown> {
        let parts: Vec<&str> = text.split(':').collect();
        let [history, position, change] = parts[..] else { return Err(NotKnown) };
        let position = position.parse().ok().filter(|position| *position >= 0).ok_or(NotKnown)?;
        Ok(Self { history: history.parse().map_err(|_| NotKnown)?, position, change: change.parse().map_err(|_| NotKnown)? })
    }
}

/// When something was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At a position.
    Position(Known),
    /// At the end of a civil day.
    Day(NaiveDate),
    /// At the end of the last whole minute before an instant, in microseconds since 1970.
    Time(i64),
}

/// Why it can't be told what was known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Nobody kept it.
    #[error("早于本系统开始留存“当时所知”的时间，无从得知")]
    Before,
    /// The database was put back to an older copy since.
    #[error("这一位置在数据库恢复备份时已被遗忘，或不属于本系统")]
    Forgotten,
    /// It has not come yet.
    #[error("尚未到达这一位置")]
    Ahead,
}

/// The position at which everything was known that was known then.
pub async fn resolve(tx: &mut Tx, when: When) -> Result<Result<Known, Unknown>, StoreError> {
    let (history, head, known_since) = store::head(tx).await?.ok_or(StoreError::Corrupt("feed_sequencer"))?;
    let position = match when {
        When::Position(asked) if asked.history == history && asked.position > head => return Ok(Err(Unknown::Ahead)),
        When::Position(asked) => asked.position,
        When::Day(day) => store::settled_by_day(tx, day).await?.unwrap_or(0),
        When::Time(at_us) => store::settled_by_minute(tx, at_us.div_euclid(MINUTE_US) - 1).await?.unwrap_or(0),
    };
    if position < known_since {
        return Ok(Err(Unknown::Before));
    }
    // Between two histories lie positions that nobody ever was at.
    let (position, change) = store::told_up_to(tx, position.min(head)).await?.unwrap_or((0, Uuid::nil()));
    match when {
        When::Position(asked) if (asked.position, asked.change) == (position, change) => Ok(Ok(asked)),
        When::Position(_) => Ok(Err(Unknown::Forgotten)),
        When::Day(_) | When::Time(_) => Ok(Ok(Known { history, position, change })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_with_its_history() {
        let known = Known { history: Uuid::from_u128(7), position: 42, change: Uuid::from_u128(8) };
        assert_eq!(known.to_string().parse(), Ok(known));
        for wrong in ["", "42", "2016-11-18", "2016-11-18T10:00:00Z", "00000000-0000-0000-0000-000000000007:42", "::"] {
            assert_eq!(wrong.parse::<Known>(), Err(NotKnown), "{wrong}");
        }
    }
}
