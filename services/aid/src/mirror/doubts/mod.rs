//! What one generation was told and another was not: the source is asked whether it forgot it.

mod store;

use uuid::Uuid;
use xuezhu_bridge::follower::Forgot;
use xuezhu_service::Error;
use xuezhu_store::Tx;

use self::store::DoubtRow;

/// What one generation was told and another was not, as it was.
pub struct Doubts {
    persons: Vec<DoubtRow>,
    enrollments: Vec<DoubtRow>,
    schools: Vec<(String, DoubtRow)>,
}

/// Records that a source forgot.
#[derive(Default)]
pub struct Lost {
    /// Persons.
    pub persons: Vec<Uuid>,
    /// Enrollments.
    pub enrollments: Vec<Uuid>,
    /// Codes of schools.
    pub schools: Vec<String>,
}

impl Doubts {
    /// Compares two generations.
    pub async fn between(tx: &mut Tx, old: i64, new: i64) -> Result<Self, Error> {
        let schools = store::schools_in_doubt(tx, old, new).await?.into_iter().map(|(school, change, recorded_at_us, version, version_now, said)| {
            (school, DoubtRow { record: Uuid::nil(), change, recorded_at_us, version, version_now, said })
        });
        let schools = schools.collect();
        Ok(Self { persons: store::persons_in_doubt(tx, old, new).await?, enrollments: store::enrollments_in_doubt(tx, old, new).await?, schools })
    }

    /// The changes that the source is asked for.
    pub fn changes(&self) -> Vec<(Uuid, i64)> {
        let rows = self.persons.iter().chain(&self.enrollments).chain(self.schools.iter().map(|(_, row)| row));
        rows.filter(|row| !row.said).filter_map(|row| row.change.map(|change| (change, row.recorded_at_us))).collect()
    }

    /// What the source forgot.
    pub fn lost(self, forgot: &Forgot, same_scope: bool) -> Lost {
        let is_lost = |row: &DoubtRow| is_lost(row, forgot, same_scope);
        Lost {
            persons: self.persons.iter().filter(|row| is_lost(row)).map(|row| row.record).collect(),
            enrollments: self.enrollments.iter().filter(|row| is_lost(row)).map(|row| row.record).collect(),
            schools: self.schools.into_iter().filter(|(_, row)| is_lost(row)).map(|(school, _)| school).collect(),
        }
    }
}

/// Whether the source forgot what was told here. It says so itself where it can be asked; else what is absent or has gone back
/// is forgotten, unless it may only have left what is followed.
fn is_lost(row: &DoubtRow, forgot: &Forgot, same_scope: bool) -> bool {
    if row.said {
        return false;
    }
    match (row.change, forgot) {
        (Some(change), Forgot::Changes(forgot)) => forgot.contains(&change),
        (Some(_), Forgot::CantSay) | (None, _) => match row.version_now {
            Some(now) => now <= row.version,
            None => same_scope,
        },
    }
}
