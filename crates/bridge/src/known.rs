//! What was known when. Who asks names a time, and is answered by a position: commits arrive out of order and clocks step, positions
//! do neither. A position carries its history: a database that was put back to an older copy has forgotten what came after.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_store::{StoreError, Tx};

use crate::store;

/// Microseconds of a minute: the grain in which times are kept.
pub const MINUTE_US: i64 = 60 * 1_000_000;

/// Everything up to a position of a history was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Id of the history.
    pub history: Uuid,
    /// The position.
    pub position: i64,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.history, self.position)
    }
}

/// Not a history and a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("应为“历史编号:位置”")]
pub struct NotKnown;

impl FromStr for Known {
    type Err = NotKnown;

    fn from_str(text: &str) -> Result<Self, NotKnown> {
        let (history, position) = text.split_once(':').ok_or(NotKnown)?;
        let position = position.parse().ok().filter(|position| *position >= 0).ok_or(NotKnown)?;
        Ok(Self { history: history.parse().map_err(|_| NotKnown)?, position })
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
    let (present, known_since) = store::known(tx).await?.ok_or(StoreError::Corrupt("feed_sequencer"))?;
    let head = present.position;
    let known = match when {
        When::Position(asked) => {
            if let Err(unknown) = is_held(tx, present, asked).await? {
                return Ok(Err(unknown));
            }
            asked
        }
        When::Day(day) => Known { position: store::settled_by_day(tx, day).await?.unwrap_or(0).min(head), ..present },
        When::Time(at_us) => Known { position: store::settled_by_minute(tx, at_us.div_euclid(MINUTE_US) - 1).await?.unwrap_or(0).min(head), ..present },
    };
    Ok(if known.position < known_since { Err(Unknown::Before) } else { Ok(known) })
}

/// Whether what was told up to a position still stands.
async fn is_held(tx: &mut Tx, present: Known, asked: Known) -> Result<Result<(), Unknown>, StoreError> {
    if asked.history == present.history {
        return Ok(if asked.position <= present.position { Ok(()) } else { Err(Unknown::Ahead) });
    }
    let held = store::held_of(tx, asked.history).await?;
    Ok(if held.is_some_and(|held| asked.position <= held) { Ok(()) } else { Err(Unknown::Forgotten) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_with_its_history() {
        let known = Known { history: Uuid::from_u128(7), position: 42 };
        assert_eq!(known.to_string().parse(), Ok(known));
        for wrong in ["", "42", "2016-11-18", "2016-11-18T10:00:00Z", "00000000-0000-0000-0000-000000000007:-1", ":1"] {
            assert_eq!(wrong.parse::<Known>(), Err(NotKnown), "{wrong}");
        }
    }
}
