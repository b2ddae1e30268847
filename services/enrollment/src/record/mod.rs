//! One student's record (一生一档): typed on a page by the checks of a file, kept up by the school, shown whole with what was done.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | columns as somebody typed them |
//! | [`drafts`] | a draft, entered and edited by hand |
//! | [`contacts`] | what a school keeps itself of an approved student |
//! | [`facts`] | what carries money: changed over the desks |
//! | [`shown`] | how a column is shown, and what comes back as it was shown |
//! | [`whole`] | the record as it is read |
//! | [`history`] | what was done, a line each |

pub mod api;
pub mod contacts;
pub mod drafts;
pub mod facts;
mod history;
mod shown;
mod store;
pub mod whole;

use xuezhu_domain::codes::COLUMNS;
use xuezhu_proto::enrollment as pb;
use xuezhu_service::{Context, Error, FieldErrors, Reason, Refusal};
use xuezhu_store::Tx;

use crate::{
    directory::SchoolRow,
    roll::places::{self, LockedRow},
};

/// Columns that were typed.
type Said = Vec<(&'static str, String)>;

/// Reads what was typed: columns of the workbook, each at most once.
fn said(columns: &[pb::ColumnValue]) -> Result<Said, Error> {
    let (mut said, mut errors): (Said, _) = (Vec::with_capacity(columns.len().min(COLUMNS.len())), FieldErrors::default());
    for column in columns {
        match COLUMNS.iter().find(|known| known.header == column.header.trim()) {
            None => errors.add(&column.header, "没有这一列，列名应与导入模板的表头相同"),
            Some(known) if said.iter().any(|(header, _)| *header == known.header) => errors.add(known.header, "同一列只能填写一次"),
            // A content is kept a line a column: what begins another line would be another column's.
            Some(known) if column.value.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) => {
                errors.add(known.header, "不能换行，也不能含有控制字符");
            }
            Some(known) => said.push((known.header, column.value.clone())),
        }
    }
    if columns.is_empty() {
        errors.add("columns", "没有填写任何一列");
    }
    errors.check()?;
    Ok(said)
}

/// The enrollment, locked, as it was read.
async fn locked(tx: &mut Tx, school: &SchoolRow, enrollment: uuid::Uuid, etag: &str) -> Result<LockedRow, Error> {
    let row = places::lock(tx, &school.code, enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    if !etag.is_empty() && etag != row.etag.to_string() {
        return Err(Refusal::new(Reason::Conflict, "该生的信息刚刚被他人修改，请刷新后重试").into());
    }
    Ok(row)
}

/// Whether the actor sees at a school what leads to a student: who may see whole numbers there.
fn sees_all(ctx: &Context, school: &SchoolRow) -> bool {
    ctx.may(xuezhu_service::Permission::RevealNumber, &school.place()).is_ok()
}
