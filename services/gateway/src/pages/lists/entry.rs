//! One entry of a list that is the clerk's: its months, tier, bank card and remark, edited where it stands.

use askama::Template;
use axum::{Form as Sent, extract::Path, response::Response};
use tonic::Status;
use xuezhu_proto::aid::{AwardEntry, AwardList, AwardTier, EditEntryRequest, GetAwardListRequest, GetEntryRequest, GetEntryResponse, award_entry::State};

use super::{mark_of, path};
use crate::{
    pages::{Desk, PageError, render, show},
    parts::{Cell, Field, Form, Note, Pairs, Tone, field::Choice},
};

#[derive(Template)]
#[template(path = "lists/entry.html")]
struct EntryPage {
    desk: Desk,
    list: AwardList,
    entry: AwardEntry,
    state: Cell,
    notes: Vec<Note>,
    known: Pairs,
    edit: Option<Form>,
}

/// The page of an entry.
pub async fn page(desk: Desk, Path((school, list, entry)): Path<(String, String, String)>) -> Result<Response, PageError> {
    let asked = GetEntryRequest { school: school.clone(), list: list.clone(), entry };
    let found = desk.awards().get_entry(desk.request(asked)).await?.into_inner();
    let list = desk.awards().get_award_list(desk.request(GetAwardListRequest { school, list })).await?.into_inner().list.unwrap_or_default();
    let entry = found.entry.clone().unwrap_or_default();
    let is_clerks = matches!(entry.state(), State::Draft | State::SentBack);
    let edit = (desk.user.is_clerk() && is_clerks).then(|| editing(&desk, &list, &entry, &found));
    let page = EntryPage { state: mark_of(entry.state()), notes: notes(&entry, edit.is_some()), known: known(&entry), edit, entry, list, desk };
    Ok(render(&page))
}

fn notes(entry: &AwardEntry, edits: bool) -> Vec<Note> {
    let mut notes = Vec::new();
    if !entry.sent_back_reason.is_empty() {
        notes.push(Note::of(Tone::Bad, format!("被退回：{}", entry.sent_back_reason)));
    }
    if edits && entry.state() == State::SentBack {
        notes.push(Note::of(Tone::Wait, "改好保存后回到草稿，再在名单上提交；内容无误的，不用改，直接保存即可。"));
    }
    if !edits {
        notes.push(Note::of(Tone::Plain, "只有草稿和被退回的可以修改；已审核的请在名单上申请更正。"));
    }
    notes
}

fn known(entry: &AwardEntry) -> Pairs {
    let number = if entry.from_roll { "（学籍库）" } else { entry.id_number.as_str() };
    Pairs::default()
        .with("证件号", Cell::unbroken(number))
        .with("月份", show::months(&entry.months))
        .with("档次", &entry.tier)
        .with("金额（元）", Cell::yuan(entry.amount_fen))
        .with("银行卡号", Cell::unbroken(if entry.card.is_empty() { "未填" } else { &entry.card }))
        .some("开户名", &entry.card_holder)
        .some("备注", &entry.remark)
}

fn editing(desk: &Desk, list: &AwardList, entry: &AwardEntry, found: &GetEntryResponse) -> Form {
    let month = |month: &i32| Choice::of(month.to_string(), show::months(&[*month]));
    let tier = |tier: &AwardTier| Choice::of(&tier.name, format!("{}（每月 {} 元）", tier.name, show::yuan(&tier.month_fen)));
    let form = Form::of::<EditEntryRequest>(desk, "edit", format!("{}/entries/{}", path(list), entry.entry)).hidden("etag", &entry.etag);
    let form = if found.by_month {
        let months = entry.months.iter().map(ToString::to_string);
        form.hidden("by_month", "true").with(Field::ticks("months", found.term_months.iter().map(month)).values(months).hint("至少选一个月"))
    } else {
        form.says("这个项目按学期享受，不分月份。")
    };
    let card = if entry.card.is_empty() { "还没有填。学生本人的资助卡".to_owned() } else { format!("现在是 {}；留空就不改", entry.card) };
    form.with(Field::choice("tier", found.tiers.iter().map(tier)).value(&entry.tier))
        .with(Field::number("card").hint(card).limit(40))
        .maybe((!entry.card.is_empty()).then(|| Field::tick("clear_card", "清除已存的银行卡号")))
        .with(Field::line("card_holder").value(&entry.card_holder).hint("银行卡的户名，与姓名一致；可以留空").limit(40))
        .with(Field::line("remark").value(&entry.remark).limit(100).wide())
        .button("保存")
}

/// The entry as it was filled in.
fn filled(school: String, list: String, entry: String, pairs: Vec<(String, String)>) -> Result<(String, EditEntryRequest), Status> {
    let mut asked = EditEntryRequest { school, list, entry, ..EditEntryRequest::default() };
    let (mut request_id, mut card, mut clears, mut by_month) = (String::new(), String::new(), false, false);
    for (name, value) in pairs {
        match name.as_str() {
            "request_id" => request_id = value,
            "etag" => asked.etag = value,
            "months" => asked.months.push(value.parse().map_err(|_| Status::invalid_argument("月份：请从列出的月份中选择"))?),
            "tier" => asked.tier = value,
            "card" => value.trim().clone_into(&mut card),
            "clear_card" => clears = true,
            "by_month" => by_month = true,
            "card_holder" => asked.card_holder = Some(value),
            "remark" => asked.remark = Some(value),
            _ => {}
        }
    }
    if by_month && asked.months.is_empty() {
        return Err(Status::invalid_argument("月份：请至少选一个月；不该列入的，在名单上移出"));
    }
    asked.card = match (card.is_empty(), clears) {
        (false, true) => return Err(Status::invalid_argument("银行卡号：填了新的卡号，又勾选了清除，请只选一样")),
        (false, false) => Some(card),
        (true, true) => Some(String::new()),
        (true, false) => None,
    };
    Ok((request_id, asked))
}

/// Saves it.
pub async fn save(
    desk: Desk,
    Path((school, list, entry)): Path<(String, String, String)>,
    Sent(pairs): Sent<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/lists/{list}");
    let (request_id, asked) = filled(school, list, entry, pairs)?;
    let saved = desk.awards().edit_entry(desk.change(&request_id, asked)).await?.into_inner().entry.unwrap_or_default();
    Ok(desk.done(format!("{}：已保存，在名单中为草稿。", saved.name), back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_card_stays_and_is_cleared_only_where_that_is_said() {
        let card = |typed: &str, clears: bool| {
            let mut pairs = vec![("card".to_owned(), typed.to_owned())];
            pairs.extend(clears.then(|| ("clear_card".to_owned(), "true".to_owned())));
            filled("1".into(), "2".into(), "3".into(), pairs).map(|(_, asked)| asked.card).map_err(|status| status.message().to_owned())
        };
        assert_eq!((card(" ", false), card("", true), card(" 62 ", false)), (Ok(None), Ok(Some(String::new())), Ok(Some("62".to_owned()))));
        assert!(card("62", true).is_err());
    }
}
