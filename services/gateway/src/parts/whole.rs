//! All that match, also those on other pages: a button that says how many these are. The service holds whoever presses it to that number.

use serde::Deserialize;
use tonic::Status;

use super::Form;

/// Name of what goes along: how many there were.
pub const COUNT: &str = "whole_count";

impl Form {
    /// With a button for all of them: told how many, asked once.
    #[must_use]
    pub fn whole(self, count: impl Into<i64>, act: &'static str, word: &str) -> Self {
        let count = count.into();
        self.hidden(COUNT, count.to_string()).plain(format!("{word}（{count} 人）"), act).asks(format!("{word}，一共 {count} 人，也包括其他页上的。"))
    }
}

/// How many a form told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Whole {
    count: i32,
}

impl From<String> for Whole {
    fn from(told: String) -> Self {
        Self { count: told.parse().unwrap_or_default() }
    }
}

impl Whole {
    /// Takes a field of the form, if it is of this.
    pub fn take(&mut self, name: &str, value: &str) {
        if name == COUNT {
            *self = Self::from(value.to_owned());
        }
    }

    /// How many were told: nothing is done to whom nobody saw counted.
    pub fn count(self) -> Result<i32, Status> {
        if self.count > 0 { Ok(self.count) } else { Err(Status::invalid_argument("请回到页面，看过人数再办理")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_as_many_as_were_told_or_nobody() {
        let mut whole = Whole::default();
        whole.take("entry", "1");
        assert!(whole.count().is_err(), "nobody was told");
        whole.take(COUNT, "2");
        assert_eq!(whole.count().ok(), Some(2));
    }
}
