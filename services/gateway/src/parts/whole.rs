//! All that match, also those on other pages: a button that says how many these are, and holds whoever presses it to that number.

use tonic::Status;

use super::Form;

/// Name of what goes along: how many there were.
const COUNT: &str = "whole_count";

impl Form {
    /// With a button for all of them: told how many, asked once.
    #[must_use]
    pub fn whole(self, count: impl Into<i64>, act: &'static str, word: &str) -> Self {
        let count = count.into();
        self.hidden(COUNT, count.to_string()).plain(format!("{word}（{count} 人）"), act).asks(format!("{word}，一共 {count} 人，也包括其他页上的。"))
    }
}

/// How many a form told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    count: usize,
}

impl Whole {
    /// Takes a field of the form, if it is of this.
    pub fn take(&mut self, name: &str, value: &str) {
        if name == COUNT {
            self.count = value.parse().unwrap_or_default();
        }
    }

    /// All of them, if they are as many as were told: nothing is done to whom nobody saw counted.
    pub fn all(self, found: Vec<String>) -> Result<Vec<String>, Status> {
        if found.len() == self.count {
            return Ok(found);
        }
        Err(Status::failed_precondition(format!("打开页面以后，符合条件的由 {} 人变为 {} 人：请看过现在的内容再办理", self.count, found.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_as_many_as_were_told_or_nobody() {
        let mut whole = Whole::default();
        whole.take("entry", "1");
        whole.take(COUNT, "2");
        assert_eq!(whole.all(vec!["a".into(), "b".into()]).ok(), Some(vec!["a".to_owned(), "b".to_owned()]));
        let fault = whole.all(vec!["a".into()]).expect_err("one went");
        assert!(fault.message().contains("2 人变为 1 人"), "{fault}");
        assert!(Whole::default().all(vec!["a".into()]).is_err(), "nobody was told");
    }
}
