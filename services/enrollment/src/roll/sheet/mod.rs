//! What a dossier says of enrollments: their content, and the line that stands on its sheet for ever. No digit of a number.

mod store;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{Sex, codes};
use xuezhu_review::{Item, Present, way};
use xuezhu_service::Error;
use xuezhu_store::Tx;

pub use self::store::Line;

impl Line {
    /// Sex, in Chinese.
    pub fn sex(&self) -> String {
        Sex::from_code(self.sex).map(Sex::name).unwrap_or_default().to_owned()
    }

    /// Name of the major.
    pub fn major(&self) -> String {
        codes::major_of_key(&self.major).map_or(self.major.as_str(), |major| major.name).to_owned()
    }

    /// The item of a dossier, with these cells.
    pub fn item(self, cells: Vec<String>) -> Item {
        Item { id: self.enrollment, content_hash: self.content_hash, name: self.name, line: cells, class_name: self.class_name }
    }
}

/// Contents of enrollments as they are now.
pub async fn present(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Present>, Error> {
    Ok(store::present(tx, enrollments).await?)
}

/// Of enrollments that somebody is in school and since when: what else is said of the student may be put right meanwhile.
pub async fn entered(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Present>, Error> {
    let found = store::entered(tx, enrollments).await?;
    let content = |(item, school, entry): (Uuid, String, NaiveDate)| {
        let content_hash = way::digest(std::iter::once((item, format!("{school} {entry}").as_bytes()))).into_bytes();
        Present { item, content_hash }
    };
    Ok(found.into_iter().map(content).collect())
}

/// Lines of enrollments, class by class.
pub async fn lines(tx: &mut Tx, enrollments: &[Uuid]) -> Result<Vec<Line>, Error> {
    Ok(store::lines(tx, enrollments).await?)
}
