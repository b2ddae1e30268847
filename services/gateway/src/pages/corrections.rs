//! 资助更正: what was approved is put right, for the students who are ticked on their list. The school asks, the department orders.

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Path},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use tonic::Status;
use xuezhu_proto::{
    aid::{AskCorrectionRequest, AwardEntry, OrderCorrectionRequest, award_entry, correction::What},
    common::Dossier,
};

use super::{Desk, PageError, dossiers::Keeper, lists};
use crate::Gateway;

/// Bytes of a form in which every student of a page may be ticked.
const FORM_BYTES: usize = 1024 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools/{school}/lists/{list}/correction", post(correct)).layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// What the page of a list offers whoever may put right what was approved of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Whether it is ordered, and not asked for.
    pub orders: bool,
    /// Months that stand, of whoever is shown.
    pub months: Vec<i32>,
}

impl Offer {
    /// None where whoever looks may neither ask nor order, or nothing stands.
    pub fn of(desk: &Desk, authority: &str, entries: &[AwardEntry]) -> Option<Self> {
        let orders = desk.user.decides_for(authority);
        let mut months: Vec<i32> = entries.iter().filter(|entry| stands(entry)).flat_map(|entry| &entry.standing_months).copied().collect();
        months.sort_unstable();
        months.dedup();
        ((orders || desk.user.is_clerk()) && !months.is_empty()).then_some(Self { orders, months })
    }
}

/// Whether anything of an entry was approved and stands.
pub fn stands(entry: &AwardEntry) -> bool {
    entry.state() == award_entry::State::Approved && !entry.standing_months.is_empty()
}

#[derive(Debug, Default)]
struct Filled {
    request_id: String,
    what: String,
    first_month: String,
    months: Vec<String>,
    reason: String,
    entries: Vec<String>,
}

impl Filled {
    /// A form whose check boxes bear one name.
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "what" => form.what = value,
                "first_month" => form.first_month = value,
                "month" => form.months.push(value),
                "reason" => form.reason = value,
                "entry" => form.entries.push(value),
                _ => {}
            }
        }
        form
    }

    /// What is to be done, and with which months: only what it needs counts, whatever else stands in the form.
    fn asked(&self) -> Result<(What, i32, Vec<i32>), Status> {
        let month = |text: &String| text.parse().map_err(|_| Status::invalid_argument("月份：请从列出的月份中选择"));
        if self.entries.is_empty() {
            return Err(Status::invalid_argument("请先勾选要更正的学生"));
        }
        match What::from_str_name(&self.what) {
            Some(What::Stop) => Ok((What::Stop, month(&self.first_month)?, Vec::new())),
            Some(What::Cut) if self.months.is_empty() => Err(Status::invalid_argument("请勾选要核减的月份")),
            Some(What::Cut) => Ok((What::Cut, 0, self.months.iter().map(month).collect::<Result<_, _>>()?)),
            Some(What::Void) => Ok((What::Void, 0, Vec::new())),
            Some(What::Unspecified) | None => Err(Status::invalid_argument("请选择停发、核减或撤销")),
        }
    }
}

async fn send(desk: &Desk, school: String, filled: &Filled) -> Result<Dossier, Status> {
    let (what, first_month, months) = filled.asked()?;
    let (what, entries, reason, id) = (what.into(), filled.entries.clone(), filled.reason.clone(), filled.request_id.as_str());
    let mut client = desk.awards();
    let dossier = if desk.user.is_clerk() {
        let asked = AskCorrectionRequest { school, entries, what, first_month, months, reason };
        client.ask_correction(desk.change(id, asked)).await?.into_inner().dossier
    } else {
        let ordered = OrderCorrectionRequest { school, entries, what, first_month, months, reason };
        client.order_correction(desk.change(id, ordered)).await?.into_inner().dossier
    };
    Ok(dossier.unwrap_or_default())
}

async fn correct(desk: Desk, Path((school, list)): Path<(String, String)>, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, PageError> {
    match send(&desk, school.clone(), &Filled::of(pairs)).await {
        Ok(dossier) => Ok(Redirect::to(&Keeper::Aid.link(&dossier.dossier)).into_response()),
        Err(status) if status.code() == tonic::Code::InvalidArgument => lists::with_error(desk, school, list, &status).await,
        Err(status) => Err(status.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_act_needs_counts() {
        let filled = |what: &str, first_month: &str, months: &[&str]| {
            let mut pairs =
                vec![("what".to_owned(), what.to_owned()), ("first_month".to_owned(), first_month.to_owned()), ("entry".to_owned(), "e".to_owned())];
            pairs.extend(months.iter().map(|month| ("month".to_owned(), (*month).to_owned())));
            Filled::of(pairs).asked().map_err(|status| status.message().to_owned())
        };
        for (what, first_month, months, asked) in [
            ("STOP", "201610", &["201611"][..], Ok((What::Stop, 201_610, vec![]))),
            ("CUT", "201610", &["201611", "201612"], Ok((What::Cut, 0, vec![201_611, 201_612]))),
            ("VOID", "201610", &["201611"], Ok((What::Void, 0, vec![]))),
            ("CUT", "201610", &[], Err("请勾选要核减的月份".to_owned())),
            ("STOP", "", &[], Err("月份：请从列出的月份中选择".to_owned())),
            ("", "201610", &["201611"], Err("请选择停发、核减或撤销".to_owned())),
        ] {
            assert_eq!(filled(what, first_month, months), asked, "{what} {first_month} {months:?}");
        }
        assert_eq!(Filled::of(vec![("what".into(), "VOID".into())]).asked().map_err(|status| status.message().to_owned()), Err("请先勾选要更正的学生".into()));
    }
}
