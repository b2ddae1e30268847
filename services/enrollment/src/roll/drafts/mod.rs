//! Rows that no department approved: entered by the clerk, handed on, sent back, removed.

mod store;

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::{IdNumber, Month, Sex, enrollment::State, text};
use xuezhu_service::{Context, Error, Reason, Refusal};
use xuezhu_store::{Bytes, Hex, Tx};

use self::store::Entered;
use crate::{Parts, sharing};

// What other capabilities may ask.
pub use self::store::Refused;
pub(crate) use self::store::note_refused;

/// A row of the workbook, to be entered.
#[derive(Debug)]
pub struct Draft<'r> {
    /// Key of the number.
    pub key: Uuid,
    /// Hash of the content.
    pub content_hash: &'r [u8; 32],
    /// Every column, a line each.
    pub content: String,
    /// The paper.
    pub document: &'r str,
    /// The number.
    pub id: &'r IdNumber,
    /// Name.
    pub name: &'r str,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth_date: NaiveDate,
    /// 学号.
    pub school_number: &'r str,
    /// Class.
    pub class_name: &'r str,
    /// Key of the major: catalogue and code.
    pub major: String,
    /// Month of entry.
    pub entry_month: Month,
    /// 学习形式.
    pub study_form: &'r str,
    /// 学生类别.
    pub student_category: &'r str,
    /// 户口性质.
    pub household: &'r str,
    /// 居住地类型.
    pub residence: &'r str,
    /// 户口所在地行政区划码.
    pub registered_region: &'r str,
    /// 城乡分类代码 of the registered address, where the school knows it.
    pub urban_rural: &'r str,
    /// Groups that aid knows, joined by blanks.
    pub special_groups: &'r str,
    /// Telephone.
    pub phone: &'r str,
}

/// Writes drafts: new ones, and ones that an upload changed.
pub async fn enter(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, new: &[(Uuid, Draft<'_>)], changed: &[(Uuid, Draft<'_>)]) -> Result<(), Error> {
    let rows = |rows: &[(Uuid, Draft)]| rows.iter().map(|(id, row)| entered(parts, *id, row)).collect::<Vec<_>>();
    if !new.is_empty() {
        store::insert(tx, school, &rows(new), ctx.now_us()).await?;
    }
    if !changed.is_empty() {
        let updated = store::update(tx, &rows(changed), ctx.now_us()).await?;
        all_of(updated, changed.len(), "他人刚刚提交或修改了部分学生，请重新预览后再导入")?;
    }
    Ok(())
}

fn entered(parts: &Parts, enrollment: Uuid, row: &Draft<'_>) -> Entered {
    Entered {
        enrollment: Hex(enrollment),
        claim_key: Hex(row.key),
        id_document: row.document.to_owned(),
        id_class: row.id.class().code(),
        id_sealed: Bytes(parts.keyring.seal("id", &[enrollment], row.id.reveal().as_bytes())),
        name: row.name.to_owned(),
        name_comparable: text::comparable_name(row.name),
        sex: row.sex.code(),
        birth_date: row.birth_date,
        school_number: row.school_number.to_owned(),
        class_name: row.class_name.to_owned(),
        major: row.major.clone(),
        entry_month: row.entry_month.number(),
        entry_date: row.entry_month.first_day(),
        study_form: row.study_form.to_owned(),
        student_category: row.student_category.to_owned(),
        household: row.household.to_owned(),
        residence: row.residence.to_owned(),
        registered_region: row.registered_region.to_owned(),
        urban_rural: row.urban_rural.to_owned(),
        special_groups: row.special_groups.to_owned(),
        phone_hash: Hex(parts.keyring.lookup_hash("phone", row.phone)),
        details_sealed: Bytes(parts.keyring.seal("details", &[enrollment], row.content.as_bytes())),
        content_hash: Bytes(row.content_hash.to_vec()),
    }
}

/// Takes a row that no department approved off the books; returns whether it was there.
pub async fn remove(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<bool, Error> {
    Ok(store::remove(tx, school, enrollment).await?)
}

/// Rows go to the principal, within a submission.
pub async fn submitted(ctx: &Context, tx: &mut Tx, submission: Uuid, rows: &[Uuid]) -> Result<(), Error> {
    store::submitted(tx, submission, rows, ctx.now_us(), ctx.today()).await?;
    sharing::share_enrollments(ctx, tx, rows).await
}

/// The principal has attested a submission. What is shared says no more of it than that it was submitted.
pub async fn attested(tx: &mut Tx, submission: Uuid) -> Result<(), Error> {
    Ok(store::attested(tx, submission).await?)
}

/// Rows go back to the clerk.
pub async fn sent_back(ctx: &Context, tx: &mut Tx, rows: &[Uuid], reason: &str) -> Result<(), Error> {
    store::sent_back(tx, rows, reason, ctx.now_us()).await?;
    sharing::share_enrollments(ctx, tx, rows).await
}

/// Their submission was recalled: rows are the clerk's drafts again. Whoever was told of the claim is told that it was taken back.
pub async fn recalled(ctx: &Context, tx: &mut Tx, rows: &[Uuid]) -> Result<(), Error> {
    store::recalled(tx, rows, ctx.now_us()).await?;
    sharing::share_enrollments(ctx, tx, rows).await
}

/// How a record stands that an import changes, or changed.
#[derive(Debug, Clone)]
pub struct Standing {
    /// State.
    pub state: State,
    /// Why it was sent back, where it is.
    pub sent_back: Option<String>,
    /// The record, whole.
    pub row: Whole,
}

/// A record, whole: to be kept, and written again as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Whole(Entered);

impl Whole {
    /// Name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Hash of the content.
    pub fn content_hash(&self) -> &[u8] {
        &self.0.content_hash.0
    }

    /// Key of the major.
    pub fn major(&self) -> &str {
        &self.0.major
    }

    /// Key of the number.
    pub fn key(&self) -> Uuid {
        self.0.claim_key.0
    }

    /// 学号.
    pub fn school_number(&self) -> &str {
        &self.0.school_number
    }

    /// Every column, a line each.
    pub fn details(&self, parts: &Parts) -> Result<String, Error> {
        let text = parts.keyring.open_text("details", &[self.0.enrollment.0], &self.0.details_sealed.0);
        text.ok_or_else(|| Error::Internal("sealed details do not open".into()))
    }
}

/// How records stand; of those that are not there nothing.
pub async fn standing(tx: &mut Tx, enrollments: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, Standing>, Error> {
    let mut standing = HashMap::new();
    for store::StandingRow { row, state, sent_back_reason } in store::standing(tx, enrollments).await? {
        let state = super::state_of(state)?;
        let sent_back = (state == State::SentBack).then_some(sent_back_reason);
        standing.insert(row.enrollment.0, Standing { state, sent_back, row: Whole(row) });
    }
    Ok(standing)
}

/// Whether an enrollment is of a school.
pub async fn is_of(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<bool, Error> {
    Ok(store::is_of(tx, school, enrollment).await?)
}

/// Writes records again as they were; they are drafts.
pub async fn enter_again(ctx: &Context, tx: &mut Tx, rows: Vec<Whole>) -> Result<(), Error> {
    let rows: Vec<Entered> = rows.into_iter().map(|Whole(row)| row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    all_of(store::update(tx, &rows, ctx.now_us()).await?, rows.len(), "他人刚刚提交或修改了部分学生，请重试")
}

fn all_of(written: u64, wanted: usize, why: &str) -> Result<(), Error> {
    if usize::try_from(written) == Ok(wanted) { Ok(()) } else { Err(Refusal::new(Reason::Conflict, why).into()) }
}

/// Takes rows off the books that an import entered and nobody touched since.
pub async fn remove_all(tx: &mut Tx, school: &str, enrollments: &[Uuid]) -> Result<(), Error> {
    if enrollments.is_empty() {
        return Ok(());
    }
    all_of(store::remove_all(tx, school, enrollments).await?, enrollments.len(), "他人刚刚提交或修改了部分学生，请重试")
}

/// The kept columns of enrollments, as one text each.
pub async fn details_of(tx: &mut Tx, parts: &Parts, enrollments: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, String>, Error> {
    let mut details = HashMap::new();
    for (enrollment, sealed) in store::details(tx, enrollments).await? {
        let text = parts.keyring.open_text("details", &[enrollment], &sealed).ok_or_else(|| Error::Internal("sealed details do not open".into()))?;
        details.insert(enrollment, text);
    }
    Ok(details)
}

/// Keeps the columns of enrollments otherwise: else the right workbook would differ from what is there, and the wrong one would not.
pub(super) async fn keep_details(tx: &mut Tx, parts: &Parts, changed: impl Iterator<Item = (Uuid, String)>) -> Result<(), Error> {
    let kept: Vec<store::Kept> = changed
        .map(|(enrollment, text)| store::Kept {
            enrollment: Hex(enrollment),
            details_sealed: Bytes(parts.keyring.seal("details", &[enrollment], text.as_bytes())),
            content_hash: Bytes(parts.keyring.content_hash(text.as_bytes()).to_vec()),
        })
        .collect();
    if !kept.is_empty() {
        store::keep(tx, &kept).await?;
    }
    Ok(())
}

/// The columns of a row, with some of them said otherwise.
pub(super) fn with_columns(details: &str, changed: &[(&str, &str)]) -> String {
    let said = |line: &str| {
        let (header, _) = line.split_once('=').unwrap_or((line, ""));
        changed.iter().find(|(column, _)| *column == header).map_or_else(|| format!("{line}\n"), |(_, value)| format!("{header}={value}\n"))
    };
    details.lines().map(said).collect()
}

/// States of rows that may still be edited.
pub(super) const EDITABLE: [i32; 2] = [State::Draft.code(), State::SentBack.code()];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_columns_that_changed_are_said_otherwise() {
        let details = "姓名=王甲\n班级名称=1班\n专业简称=护理\n";
        assert_eq!(with_columns(details, &[("班级名称", "2班")]), "姓名=王甲\n班级名称=2班\n专业简称=护理\n");
        assert_eq!(with_columns(details, &[]), details);
    }

    #[test]
    fn what_may_be_edited_is_what_the_states_say() {
        for state in State::ALL {
            assert_eq!(state.is_editable(), EDITABLE.contains(&state.code()), "{state:?}");
        }
    }
}
