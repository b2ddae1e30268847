//! 资助更正: what was approved is put right, for the students who are ticked on their list. The school asks, the department orders.

use axum::{Form as Sent, extract::Path, response::Response};
use tonic::{Code, Status};
use xuezhu_proto::{
    aid::{
        AskCorrectionRequest, AwardEntry, AwardList, OrderCorrectionRequest, award_entry,
        correction::{self, What},
    },
    common::Dossier,
};

use super::{one::Asks, path};
use crate::{
    pages::{Desk, PageError, dossiers::Keeper, in_chinese, session::User, show},
    parts::{Act, Field, Form, field::Choice},
};

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
        let orders = user.decides_aid_for(&list.authority);
        let by_month = list.by_month;
        let mut offer = Self { orders, by_month, months: Vec::new() };
        offer.months = entries.iter().filter(|entry| offer.fits(entry)).flat_map(|entry| &entry.standing_months).copied().collect();
        offer.months.sort_unstable();
        offer.months.dedup();
        ((orders || user.is_clerk()) && !offer.months.is_empty()).then_some(offer)
    }

    /// The form.
    pub fn act(&self, desk: &Desk, list: &AwardList, asks: &Asks) -> Act {
        let month = |month: &i32| Choice::of(month.to_string(), show::months(&[*month]));
        let what = [Choice::of("STOP", "停发：从某月起不再发放"), Choice::of("CUT", "核减：去掉某几个月"), Choice::of("VOID", "撤销：全部不再发放")];
        let what: Vec<Choice> = if self.by_month { what.to_vec() } else { what[2..].to_vec() };
        let form = asks
            .kept(Form::of::<AskCorrectionRequest>(desk, "correction", format!("{}/correction", path(list))))
            .with(Field::radios("what", what).value(if self.by_month { "" } else { "VOID" }).required());
        let form = if self.by_month {
            form.with(Field::choice("first_month", self.months.iter().map(month)).called("停发的起始月份").hint("停发时选"))
                .with(Field::ticks("month", self.months.iter().map(month)).known_as("months").called("核减的月份").hint("核减时选"))
        } else {
            form
        };
        let word = if self.orders { "责令更正勾选的" } else { "申请更正勾选的" };
        let form = form.with(Field::line("reason").called("更正原因").limit(500).required().wide()).danger(word, "");
        let (title, says) = if self.orders {
            ("责令更正已审核的内容", "先在表中勾选学生。责令的更正即时生效，告知学校；设有上级审核环节的，须由学校申请。签过的内容不变，现行月份和金额另列。")
        } else {
            (
                "申请更正已审核的内容",
                "先在表中勾选学生。由校长签核、主管部门审核后生效；申请停发的月份自申请之日起暂不发放。签过的内容不变，现行月份和金额另列。",
            )
        };
        Act::of(title, form).says(says)
    }

    /// Whether an entry can be put right now: something of it was approved and stands. What the school asked already is decided first; an
    /// order decides it.
    pub fn fits(&self, entry: &AwardEntry) -> bool {
        let asked = entry.corrections.iter().any(|correction| correction.state() == correction::State::UnderWay);
        entry.state() == award_entry::State::Approved && !entry.standing_months.is_empty() && (self.orders || !asked)
    }
}

/// A form as it was filled in.
#[derive(Debug, Default)]
struct Filled {
    request_id: String,
    what: String,
    first_month: String,
    months: Vec<String>,
    reason: String,
    entries: Vec<String>,
    /// The page that it stood on.
    at: Asks,
}

impl Filled {
    /// A refusal with students by their names, where they are on the page, and not by their places among those that are ticked.
    fn named(&self, message: &str, entries: &[AwardEntry]) -> String {
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
                other => form.at.take(other, &value),
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

/// Asks for a correction, or orders it.
pub async fn correct(desk: Desk, Path((school, list)): Path<(String, String)>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let filled = Filled::of(pairs);
    match send(&desk, school.clone(), &filled).await {
        Ok(dossier) => {
            let done = if desk.user.is_clerk() { "已申请更正，等校长签核。" } else { "更正已责令，即时生效。" };
            Ok(desk.done(done, Keeper::Aid.link(&dossier.dossier)))
        }
        Err(status) if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) && status.message().contains("entries[") => {
            let (entries, _) = filled.at.entries(&desk, &school, &list).await?;
            Err(Status::new(status.code(), filled.named(status.message(), &entries)).into())
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
