//! 资助更正: what was approved is put right, for the students who are ticked on their list. The school asks, the department orders.

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Path},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use tonic::{Code, Status};
use xuezhu_proto::{
    aid::{
        AskCorrectionRequest, AwardEntry, AwardList, OrderCorrectionRequest, award_entry,
        correction::{self, What},
        scheme,
    },
    common::Dossier,
};

use super::{
    Desk, PageError,
    dossiers::Keeper,
    in_chinese,
    lists::{self, PageQuery, Told},
    session::User,
};
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
    /// Whether single months can be taken: what goes by the term is voided or not.
    pub by_month: bool,
    /// Months that stand, of whoever is shown.
    pub months: Vec<i32>,
}

impl Offer {
    /// None where whoever looks may neither ask nor order, or nothing stands.
    pub fn of(user: &User, list: &AwardList, entries: &[AwardEntry]) -> Option<Self> {
        let orders = user.decides_for(&list.authority);
        let by_month = list.scheme() == scheme::Code::Grant;
        let mut offer = Self { orders, by_month, months: Vec::new() };
        offer.months = entries.iter().filter(|entry| offer.fits(entry)).flat_map(|entry| &entry.standing_months).copied().collect();
        offer.months.sort_unstable();
        offer.months.dedup();
        ((orders || user.is_clerk()) && !offer.months.is_empty()).then_some(offer)
    }

    /// Whether an entry can be put right now: something of it was approved and stands. What the school asked already is decided first; an
    /// order decides it.
    pub fn fits(&self, entry: &AwardEntry) -> bool {
        let asked = entry.corrections.iter().any(|correction| correction.state() == correction::State::UnderWay);
        entry.state() == award_entry::State::Approved && !entry.standing_months.is_empty() && (self.orders || !asked)
    }
}

/// A form as it was filled in, to be shown again where it was refused.
#[derive(Debug, Default)]
pub struct Filled {
    request_id: String,
    what: String,
    first_month: String,
    months: Vec<String>,
    /// Why.
    pub reason: String,
    entries: Vec<String>,
    /// The page that it stood on.
    at: PageQuery,
}

impl Filled {
    /// Whether an entry is ticked.
    pub fn ticks(&self, entry: &AwardEntry) -> bool {
        self.entries.contains(&entry.entry)
    }

    /// Whether this is what shall be done.
    pub fn is(&self, what: &str) -> bool {
        self.what == what
    }

    /// Whether it shall be stopped from a month on.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
    pub fn stops_from(&self, month: &i32) -> bool {
        self.first_month == month.to_string()
    }

    /// Whether a month shall be cut.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
    pub fn cuts(&self, month: &i32) -> bool {
        self.months.contains(&month.to_string())
    }

    /// A refusal with students by their names, where they are on the page, and not by their places among those that are ticked.
    pub fn named(&self, message: &str, entries: &[AwardEntry]) -> String {
        let part = |part: &str| {
            let (field, why) = part.split_once('：')?;
            let place: usize = field.strip_prefix("entries[")?.strip_suffix(']')?.parse().ok()?;
            let entry = entries.iter().find(|entry| self.entries.get(place) == Some(&entry.entry))?;
            Some(format!("{}：{why}", entry.name))
        };
        message.split('；').map(|told| part(told).unwrap_or_else(|| in_chinese(told))).collect::<Vec<_>>().join("；")
    }

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
                "page" => form.at.page = value,
                "state" => form.at.state = value,
                "held" => form.at.held = value == "true",
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
    let mut filled = Filled::of(pairs);
    match send(&desk, school.clone(), &filled).await {
        Ok(dossier) => Ok(Redirect::to(&Keeper::Aid.link(&dossier.dossier)).into_response()),
        Err(status) if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) => {
            let query = std::mem::take(&mut filled.at);
            lists::view(desk, school, list, query, Told { error: status.message().to_owned(), filled, ..Told::default() }).await
        }
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
        let entry = |id: &str, name: &str| AwardEntry { entry: id.into(), name: name.into(), ..AwardEntry::default() };
        let two = Filled { entries: vec!["a".into(), "b".into()], ..Filled::default() };
        let told = "entries[1]：该条已有更正在办；entries[0]：没有；reason：不能为空";
        assert_eq!(two.named(told, &[entry("b", "王企")]), "王企：该条已有更正在办；勾选的学生第1个：没有；原因：不能为空");
        assert_eq!(Filled::of(vec![("what".into(), "VOID".into())]).asked().map_err(|status| status.message().to_owned()), Err("请先勾选要更正的学生".into()));
    }
}
