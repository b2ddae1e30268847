//! What held on a day, as it was known at a position: two clocks, read. A period was known from the position at which the version that
//! began it was told, until that of the version that replaced it.

mod store;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::Error;
use xuezhu_store::Tx;

pub use self::store::PeriodRow;

/// A part of a story, with the ids of what it replaced.
#[derive(Debug, Clone)]
pub struct Part {
    /// It.
    pub period: PeriodRow,
    /// Ids of the periods that it stands for since it is known.
    pub replaces: Vec<i32>,
}

impl Part {
    /// Whether a day lies in it.
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.period.from_date <= day && self.period.to_date.is_none_or(|to| day < to)
    }
}

/// The story of one enrollment, oldest part first.
#[derive(Debug, Clone, Default)]
pub struct Story(Vec<Part>);

impl Story {
    /// Its parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The part in which a day lies.
    pub fn on(&self, day: NaiveDate) -> Option<&Part> {
        self.0.iter().find(|part| part.contains(day))
    }

    /// The first day of the state in which it is in a part: a part before it may differ in class or major only.
    pub fn since(&self, part: &Part) -> NaiveDate {
        let before = self.0.iter().rev().skip_while(|other| other.period.from_date > part.period.from_date);
        before.take_while(|other| other.period.state == part.period.state).last().unwrap_or(part).period.from_date
    }
}

/// The stories of enrollments as they stand, or as they were known at a position.
pub async fn stories(tx: &mut Tx, enrollments: &[Uuid], known: Option<i64>) -> Result<HashMap<Uuid, Story>, Error> {
    let after: HashSet<(Uuid, i64)> = match known {
        Some(position) => store::told_after(tx, enrollments, position).await?.into_iter().collect(),
        None => HashSet::new(),
    };
    let rows = store::all(tx, enrollments).await?;
    let replaced = |part: &PeriodRow| -> Vec<i32> {
        let by = |row: &&PeriodRow| row.enrollment == part.enrollment && row.until_version == Some(part.version) && row.period < part.period;
        rows.iter().filter(by).map(|row| row.period).collect()
    };
    let is_known = |row: &PeriodRow| {
        let stands = row.until_version.is_none_or(|until| after.contains(&(row.enrollment, until)));
        stands && !after.contains(&(row.enrollment, row.version))
    };
    let mut stories: HashMap<Uuid, Story> = HashMap::new();
    for row in rows.iter().filter(|row| is_known(row)) {
        stories.entry(row.enrollment).or_default().0.push(Part { period: row.clone(), replaces: replaced(row) });
    }
    Ok(stories)
}
