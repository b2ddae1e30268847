//! What is done with a list and its entries.

use axum::{Form as Sent, extract::Path, response::Response};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::{
    aid::{
        ApproveAwardListRequest, AttestAwardListRequest, AwardEntry, AwardList, RedraftEntriesRequest, RemoveAwardListRequest, RemoveEntryRequest,
        ReopenTermRequest, SeenEntry, SendBackAwardListRequest, SubmitAwardListRequest,
    },
    common::dossier_step::Whose,
};

use super::{decides, path};
use crate::{
    pages::{Desk, PageError, reasons, unknown_act},
    parts::{
        Act, Field, Form, Note, Tone,
        whole::{COUNT, Whole},
    },
};

/// How many wait for the department and nothing else.
fn approvable(list: &AwardList) -> i32 {
    (list.attested - list.held_attested - list.forgotten_attested - list.taken_attested).max(0)
}

/// Whether a list may be removed: a supplementary one on which nobody is.
fn is_removable(list: &AwardList) -> bool {
    let on_it = list.drafts + list.submitted + list.attested + list.approved + list.sent_back;
    list.supplement > 0 && !list.closed_to_new && on_it == 0
}

/// What may be done with a list: what the page offers. The service decides.
pub fn of(desk: &Desk, list: &AwardList) -> Vec<Act> {
    let mut acts = Vec::new();
    if list.locked {
        return acts;
    }
    if desk.user.is_clerk() && list.drafts > 0 {
        let form = Form::of::<SubmitAwardListRequest>(desk, "submit", path(list)).hidden(COUNT, list.drafts.to_string());
        let form = form.act(format!("提交 {} 人给校长签核", list.drafts), "submit");
        acts.push(Act::of("提交", form.asks(format!("提交 {} 人，提交后新增的学生要列入补充名单。", list.drafts))));
    }
    if desk.user.is_principal() && list.submitted > 0 && list.waits_whose() != Whose::Review {
        let text = "本人是学校数据第一责任人，确认名单上的学生均在校就读、符合条件。";
        let held = if list.held > 0 { format!("，名单上有 {} 人有疑点", list.held) } else { String::new() };
        let form = Form::of::<AttestAwardListRequest>(desk, "attest", path(list)).note(Note::of(Tone::Plain, text)).hidden("digest", &list.digest);
        acts.push(Act::of("签核", form.act(format!("签核 {} 人", list.submitted), "attest").asks(format!("签核 {} 人{held}。", list.submitted))));
    }
    let approvable = approvable(list);
    if decides(&desk.user, list) && approvable > 0 {
        let form = Form::of::<ApproveAwardListRequest>(desk, "approve", path(list)).hidden("digest", &list.digest);
        let form = form.act(format!("审核通过没有疑点的 {approvable} 人"), "approve").asks(format!("审核通过 {approvable} 人。"));
        let says = if list.held_attested > 0 { format!("另有 {} 人有疑点，核定后再审。", list.held_attested) } else { String::new() };
        acts.push(Act::of("审核", form).says(says));
    }
    if desk.user.is_clerk() && is_removable(list) {
        let form = Form::of::<RemoveAwardListRequest>(desk, "removeList", path(list)).plain("删除这份空的补充名单", "removeList");
        acts.push(Act::of("删除名单", form));
    }
    acts
}

/// To open a locked list again: the province's.
pub fn reopening(desk: &Desk, list: &AwardList) -> Option<Form> {
    let opens = list.locked && desk.user.decides_aid() && desk.user.is_of_province();
    opens.then(|| {
        Form::of::<ReopenTermRequest>(desk, "reopen", format!("{}/reopen", path(list)))
            .row()
            .hidden("scheme", &list.scheme_code)
            .hidden("term", &list.term)
            .with(Field::day("until_date").required())
            .with(Field::line("reason").required().limit(500).wide())
            .button("重新开放")
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReopenForm {
    request_id: String,
    scheme: String,
    term: String,
    until_date: String,
    reason: String,
}

/// Opens it.
pub async fn reopen(desk: Desk, Path((school, list)): Path<(String, String)>, Sent(sent): Sent<ReopenForm>) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/lists/{list}");
    let ReopenForm { request_id, scheme, term, until_date, reason } = sent;
    let asked = ReopenTermRequest { school, scheme, term, until_date, reason };
    let opened = desk.awards().reopen_term(desk.change(&request_id, asked)).await?.into_inner().reopening.unwrap_or_default();
    Ok(desk.done(format!("已重新开放至{}。", opened.until_date), back))
}

/// The form under the entries, for whom somebody ticked.
pub fn returning(desk: &Desk, list: &AwardList) -> Form {
    // What waits at the own desk.
    let waiting = if desk.user.is_principal() { list.submitted } else { list.attested };
    Form::of::<SendBackAwardListRequest>(desk, "back", path(list))
        .row()
        .with(Field::picked("reason", reasons::OF_LISTS.map(str::to_owned)).called("退回原因").required().limit(500).wide())
        .danger("退回勾选的", "sendBack")
        .danger("在办的全部退回", "sendBackAll")
        .asks(format!("退回等您办理的 {waiting} 人。"))
}

/// The form under the entries that were sent back: for whom nothing is to be mended.
pub fn redrafting(desk: &Desk, list: &AwardList) -> Form {
    Form::of::<RedraftEntriesRequest>(desk, "redraft", path(list))
        .row()
        .says("内容无误、不用改的，可以原样转为草稿，再提交。")
        .plain("勾选的转为草稿", "redraft")
        .whole(list.sent_back, "redraftAll", "被退回的全部转为草稿")
}

/// What takes an entry off the list.
pub fn removing(desk: &Desk, list: &AwardList, entry: &str) -> Form {
    Form::of::<RemoveEntryRequest>(desk, format!("remove-{entry}"), path(list)).inline().hidden("entry", entry).danger("移出", "remove")
}

#[derive(Debug, Default)]
struct ActForm {
    request_id: String,
    act: String,
    digest: String,
    reason: String,
    entries: Vec<String>,
    whole: Whole,
}

impl ActForm {
    /// A form whose check boxes bear one name.
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "act" => form.act = value,
                "digest" => form.digest = value,
                "reason" => form.reason = value,
                "entry" => form.entries.push(value),
                other => form.whole.take(other, &value),
            }
        }
        form
    }
}

/// What has just been done, in Chinese.
fn done(act: &str) -> &'static str {
    match act {
        "remove" => "已移出名单。",
        "submit" => "已提交，等校长签核。",
        "redraft" | "redraftAll" => "已转为草稿，可以再提交。",
        "attest" => "已签核，等主管部门审核。",
        "approve" => "没有疑点的学生已审核通过。",
        "sendBack" | "sendBackAll" => "已退回学校。",
        _ => "",
    }
}

/// What a tick of what was sent back says: which entry, as it was seen.
pub fn tick(entry: &AwardEntry) -> String {
    format!("{}:{}", entry.entry, entry.etag)
}

fn seen(ticked: &str) -> SeenEntry {
    let (entry, etag) = ticked.split_once(':').unwrap_or((ticked, ""));
    SeenEntry { entry: entry.to_owned(), etag: etag.to_owned() }
}

/// What is done.
pub async fn act(desk: Desk, Path((school, list)): Path<(String, String)>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/lists/{list}");
    let ActForm { request_id, act, digest, reason, entries, whole } = ActForm::of(pairs);
    let mut client = desk.awards();
    match act.as_str() {
        "remove" => {
            let entry = entries.into_iter().next().unwrap_or_default();
            drop(client.remove_entry(desk.change(&request_id, RemoveEntryRequest { school, list, entry })).await?);
        }
        "redraft" => {
            let entries = entries.iter().map(|ticked| seen(ticked)).collect();
            let asked = RedraftEntriesRequest { school, list, entries, ..Default::default() };
            drop(client.redraft_entries(desk.change(&request_id, asked)).await?);
        }
        "redraftAll" => {
            let asked = RedraftEntriesRequest { school, list, all: true, count: whole.count()?, ..Default::default() };
            drop(client.redraft_entries(desk.change(&request_id, asked)).await?);
        }
        "submit" => drop(client.submit_award_list(desk.change(&request_id, SubmitAwardListRequest { school, list, count: whole.count()? })).await?),
        "attest" => drop(client.attest_award_list(desk.change(&request_id, AttestAwardListRequest { school, list, digest })).await?),
        "approve" => drop(client.approve_award_list(desk.change(&request_id, ApproveAwardListRequest { school, list, digest })).await?),
        // Nobody ticked: that must not send everybody back.
        "sendBack" if entries.is_empty() => return Err(Status::invalid_argument("请先勾选要退回的学生").into()),
        "sendBack" | "sendBackAll" => {
            let entries = if act == "sendBackAll" { Vec::new() } else { entries };
            drop(client.send_back_award_list(desk.change(&request_id, SendBackAwardListRequest { school, list, reason, entries })).await?);
        }
        "removeList" => {
            client.remove_award_list(desk.change(&request_id, RemoveAwardListRequest { school, list })).await?;
            return Ok(desk.done("空的补充名单已删除。", "/lists"));
        }
        unknown => return Err(unknown_act(unknown)),
    }
    Ok(desk.done(done(&act), back))
}
