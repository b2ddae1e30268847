//! Many flags at once: ticked, looked at once more with their number, then decided in one call, or sent back list by list.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use askama::Template;
use axum::{Form as Sent, extract::Path, response::Response};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::aid::{DecideCauseRequest, DecideFlagsRequest, Flag, GetAwardListRequest, SeenFlag, SendBackAwardListRequest, award_entry, decision, flag};

use super::list::Asks;
use crate::{
    pages::{Desk, PageError, in_chinese, lists, render, show, unknown_act},
    parts::{Address, Cell, Field, Form, Note, Row, Table, Tone},
};

/// Flags that are looked at once more together: more make a page that nobody reads.
const MOST_AT_ONCE: usize = 300;

/// Lists of which entries are sent back at once: each is an act of its own.
const LISTS_AT_ONCE: usize = 20;

/// What is done to the flags that were ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The department confirms the fault.
    Confirm,
    /// The department finds no fault.
    Clear,
    /// The department sends the entries back.
    SendBack,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 3] = [Self::Confirm, Self::Clear, Self::SendBack];

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Clear => "clear",
            Self::SendBack => "sendBack",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Confirm => "认定为问题",
            Self::Clear => "排除（按此依据）",
            Self::SendBack => "退回学校",
        }
    }

    /// Whether a flag in this state, of an entry in that, may be acted on so; `changed`: found on other evidence since it was confirmed.
    fn fits(self, state: flag::State, changed: bool, entry: award_entry::State) -> bool {
        use flag::State as S;
        match self {
            Self::Confirm => matches!(state, S::Open | S::Explained | S::Cleared) || (state == S::Confirmed && changed),
            Self::Clear => matches!(state, S::Open | S::Explained | S::Confirmed),
            Self::SendBack => entry == award_entry::State::Attested && matches!(state, S::Open | S::Explained | S::Confirmed),
        }
    }
}

/// A flag as it was ticked: what is needed to act on it, and to say on whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticked {
    flag: String,
    etag: String,
    state: flag::State,
    changed: bool,
    entry_state: award_entry::State,
    school: String,
    list: String,
    entry: String,
    rule: String,
    name: String,
}

impl Ticked {
    /// As the page showed it.
    pub fn of(flag: &Flag) -> Self {
        Self {
            flag: flag.flag.clone(),
            etag: flag.etag.clone(),
            state: flag.state(),
            changed: flag.changed,
            entry_state: flag.entry_state(),
            school: flag.school.clone(),
            list: flag.list.clone(),
            entry: flag.entry.clone(),
            rule: flag.rule_name.clone(),
            name: flag.name.clone(),
        }
    }

    /// Whether it may be acted on so.
    pub fn fits(&self, act: Act) -> bool {
        act.fits(self.state, self.changed, self.entry_state)
    }

    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(10, '|').collect();
        let [flag, etag, state, changed, entry_state, school, list, entry, rule, name] = parts[..] else { return None };
        Some(Self {
            flag: flag.to_owned(),
            etag: etag.to_owned(),
            state: flag::State::from_str_name(state)?,
            changed: changed.parse().ok()?,
            entry_state: award_entry::State::from_str_name(entry_state)?,
            school: school.to_owned(),
            list: list.to_owned(),
            entry: entry.to_owned(),
            rule: rule.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Ticked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flag, etag, state, changed, entry_state, school, list, entry, rule, name } = self;
        write!(f, "{flag}|{etag}|{}|{changed}|{}|{school}|{list}|{entry}|{rule}|{name}", state.as_str_name(), entry_state.as_str_name())
    }
}

/// What was ticked, and what is to be done.
#[derive(Debug, Default)]
struct ActForm {
    request_id: String,
    act: String,
    reason: String,
    /// All of the page, ticked or not.
    all: bool,
    /// All that match, whatever page they are on, and what they match.
    whole: bool,
    of: Option<Asks>,
    /// It was looked at once more.
    sure: bool,
    ticked: Vec<Ticked>,
    shown: Vec<Ticked>,
}

impl ActForm {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "act" => form.act = value,
                "reason" => form.reason = value,
                "all" => form.all = true,
                "whole" => form.whole = true,
                "of" => form.of = Asks::of(&value),
                "sure" => form.sure = true,
                "flag" => form.ticked.extend(Ticked::parse(&value)),
                "shown" => form.shown.extend(Ticked::parse(&value)),
                _ => {}
            }
        }
        form
    }
}

/// What came of sending back the entries of one list.
struct Returned {
    link: String,
    names: String,
    fault: String,
}

#[derive(Template)]
#[template(path = "flags/many.html")]
struct ManyPage {
    desk: Desk,
    label: &'static str,
    says: String,
    note: Option<Note>,
    /// What does it; none where it is done.
    decide: Option<Form>,
    table: Table,
}

/// Shows what would be done, or does it.
pub async fn act(desk: Desk, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let form = ActForm::of(pairs);
    let Some(act) = Act::of(&form.act) else { return Err(unknown_act(&form.act)) };
    // Looked at once more, what was looked at counts, and not what matches by now.
    let whole = form.whole && !form.sure;
    let of = match form.of {
        Some(of) => of,
        None if whole => return Err(Status::invalid_argument("看不出筛选的条件，什么也没有办理；请回到疑点列表重新筛选").into()),
        None => Asks::default(),
    };
    let desk = if whole { desk.at(of.address()) } else { desk };
    let ticked = match (whole, form.all) {
        (true, _) => of.whole(&desk, MOST_AT_ONCE).await?.iter().map(Ticked::of).collect(),
        (false, true) => form.shown,
        (false, false) => form.ticked,
    };
    let all = ticked.len();
    let mut rows: Vec<Ticked> = ticked.into_iter().filter(|row| row.fits(act)).collect();
    if act == Act::SendBack && !form.sure {
        rows = at_own_desk(&desk, rows).await?;
    }
    if rows.is_empty() {
        return Err(Status::invalid_argument(format!("请先勾选可以“{}”的疑点", act.label())).into());
    }
    if !form.sure {
        return Ok(asked_once(desk, &of.address(), act, &form.reason, &rows, all - rows.len()));
    }
    let decision = match act {
        Act::Confirm => decision::Act::Confirm,
        Act::Clear => decision::Act::Clear,
        Act::SendBack => {
            let returned = send_back(&desk, &rows, &form.reason, &form.request_id).await?;
            return Ok(told(desk, act, &form.reason, &returned));
        }
    };
    let flags = rows.into_iter().map(|row| SeenFlag { flag: row.flag, etag: row.etag }).collect();
    let asked = DecideFlagsRequest { flags, act: decision.into(), reason: form.reason };
    let decided = desk.reconciliation().decide_flags(desk.change(&form.request_id, asked)).await?.into_inner().decided;
    Ok(desk.done(format!("已核定 {decided} 条。"), "/flags"))
}

/// What would be done, to be looked at once more.
fn asked_once(desk: Desk, back: &Address, act: Act, reason: &str, rows: &[Ticked], unfit: usize) -> Response {
    // Refused, it comes back to the list as it was narrowed, with its ticks.
    let desk = desk.at(back.clone());
    let form = Form::of::<DecideFlagsRequest>(&desk, "decide", "/flags/decide").hidden("sure", "true");
    let form = rows.iter().fold(form, |form, row| form.hidden("flag", row.to_string()));
    let field = Field::lines("reason").called(format!("理由（{} 条共用）", rows.len())).value(reason).required();
    let decide = form.with(field).act(format!("确认：{} {} 条", act.label(), rows.len()), act.name());
    let row = |row: &Ticked| {
        Row::of([Cell::link(format!("/flags/{}", row.flag), row.name.as_str()), Cell::from(&row.rule), Cell::text(show::state(row.state.as_str_name()))])
    };
    let left = (unfit > 0).then(|| Note::of(Tone::Wait, format!("另有勾选的 {unfit} 条当前不能“{}”，不在其列。", act.label())));
    render(&ManyPage {
        label: act.label(),
        says: format!("请再核对一次：将对下列 {} 条疑点“{}”。", rows.len(), act.label()),
        note: left,
        decide: Some(decide),
        table: Table::of("疑点").columns(["学生", "规则", "状态"]).rows(rows.iter().map(row)),
        desk,
    })
}

/// What came of it, list by list.
fn told(desk: Desk, act: Act, reason: &str, returned: &[Returned]) -> Response {
    let row = |row: &Returned| {
        let result = if row.fault.is_empty() { Cell::mark(Tone::Good, "已退回") } else { Cell::mark(Tone::Bad, "未退回").beside(row.fault.as_str()) };
        Row::of([Cell::link(row.link.as_str(), "打开名单"), Cell::from(&row.names), result])
    };
    render(&ManyPage {
        label: act.label(),
        says: format!("按名单分别办理，结果如下。理由：{reason}"),
        note: None,
        decide: None,
        table: Table::of("结果").columns(["名单", "学生", "结果"]).rows(returned.iter().map(row)),
        desk,
    })
}

/// Those whose list waits at the desk of who looks: what waits at another one of its chain is not theirs to send back.
async fn at_own_desk(desk: &Desk, mut rows: Vec<Ticked>) -> Result<Vec<Ticked>, PageError> {
    let lists: BTreeSet<(String, String)> = rows.iter().map(|row| (row.school.clone(), row.list.clone())).collect();
    if lists.len() > LISTS_AT_ONCE {
        let why = format!("勾选的涉及 {} 份名单，一次至多退回 {LISTS_AT_ONCE} 份：请分几次办理", lists.len());
        return Err(Status::invalid_argument(why).into());
    }
    let mut elsewhere = BTreeSet::new();
    for (school, list) in lists {
        let asked = GetAwardListRequest { school, list: list.clone() };
        let row = desk.awards().get_award_list(desk.request(asked)).await?.into_inner().list.unwrap_or_default();
        if !lists::decides(&desk.user, &row) {
            elsewhere.insert(list);
        }
    }
    rows.retain(|row| !elsewhere.contains(&row.list));
    Ok(rows)
}

/// Sends entries back, list by list: each is a call of its own, and says what came of it.
async fn send_back(desk: &Desk, rows: &[Ticked], reason: &str, request_id: &str) -> Result<Vec<Returned>, PageError> {
    let mut lists: BTreeMap<(&str, &str), BTreeMap<&str, &str>> = BTreeMap::new();
    for row in rows {
        // Several flags of one entry send it back once.
        lists.entry((&row.school, &row.list)).or_default().insert(&row.entry, &row.name);
    }
    let mut returned = Vec::with_capacity(lists.len());
    for ((school, list), entries) in lists {
        let names = entries.values().copied().collect::<Vec<_>>().join("、");
        let asked = SendBackAwardListRequest {
            school: school.to_owned(),
            list: list.to_owned(),
            reason: reason.to_owned(),
            entries: entries.keys().map(|entry| (*entry).to_owned()).collect(),
        };
        let fault = match desk.awards().send_back_award_list(desk.change(&format!("{request_id}-{list}"), asked)).await {
            Ok(_) => String::new(),
            Err(status) if status.code() == tonic::Code::Unauthenticated => return Err(PageError::LogIn),
            Err(status) => in_chinese(status.message()),
        };
        returned.push(Returned { link: format!("/schools/{school}/lists/{list}"), names, fault });
    }
    Ok(returned)
}

/// How the department decides a cause.
#[derive(Deserialize)]
pub struct CauseForm {
    request_id: String,
    etag: String,
    #[serde(default)]
    term: String,
    reason: String,
    act: String,
}

/// Decides all flags of a cause that nobody decided.
pub async fn decide_cause(desk: Desk, Path(cause): Path<String>, Sent(sent): Sent<CauseForm>) -> Result<Response, PageError> {
    let act = match Act::of(&sent.act) {
        Some(Act::Confirm) => decision::Act::Confirm,
        Some(Act::Clear) => decision::Act::Clear,
        Some(Act::SendBack) | None => return Err(unknown_act(&sent.act)),
    };
    let asked = DecideCauseRequest { cause, act: act.into(), reason: sent.reason, etag: sent.etag, term: sent.term };
    let decided = desk.reconciliation().decide_cause(desk.change(&sent.request_id, asked)).await?.into_inner().decided;
    Ok(desk.done(format!("已核定 {decided} 条。"), "/flags"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ticked_is_read_as_it_was_shown() {
        let flag = Flag {
            flag: "1".into(),
            etag: "2".into(),
            state: flag::State::Explained.into(),
            entry_state: award_entry::State::Attested.into(),
            school: "3643000001".into(),
            list: "l".into(),
            entry: "e".into(),
            rule_name: "无学籍".into(),
            name: "王|伟".into(),
            ..Flag::default()
        };
        let ticked = Ticked::of(&flag);
        assert_eq!(Ticked::parse(&ticked.to_string()), Some(ticked));
        assert!(Ticked::parse("1|2").is_none());
    }

    #[test]
    fn an_act_fits_what_the_service_would_take() {
        use flag::State as S;
        for (state, fitting) in [
            ((S::Open, false), vec![Act::Confirm, Act::Clear, Act::SendBack]),
            ((S::Explained, false), vec![Act::Confirm, Act::Clear, Act::SendBack]),
            ((S::Confirmed, false), vec![Act::Clear, Act::SendBack]),
            ((S::Confirmed, true), vec![Act::Confirm, Act::Clear, Act::SendBack]),
            ((S::Cleared, false), vec![Act::Confirm]),
            ((S::Closed, false), vec![]),
        ] {
            let fits: Vec<Act> = Act::ALL.into_iter().filter(|act| act.fits(state.0, state.1, award_entry::State::Attested)).collect();
            assert_eq!(fits, fitting, "{state:?}");
            assert!(!Act::SendBack.fits(state.0, state.1, award_entry::State::Approved));
        }
    }
}
