//! Flags by cause and school, and one by one.

use askama::Template;
use axum::{
    Form as Sent,
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::aid::{
    Cause, DecideCauseRequest, DecideFlagsRequest, ExplainCauseRequest, Flag, ListCausesRequest, ListFlagsRequest, TakeOutFlagsRequest, flag,
};

use super::{RULES, many, mark};
use crate::{
    pages::{
        Desk, PageError,
        printed::{self, Every, ROWS_AT_ONCE},
        render, show,
        takeouts::{Offer, give},
    },
    parts::{
        Address, Cell, Field, Form, Place, Row, Table,
        field::Choice,
        place::Way,
        table::{Order, Tick},
    },
    takeouts::Asked,
};

/// Causes that are shown before somebody asks for all.
const CAUSES: usize = 20;
/// Flags on a page.
const ROWS: i32 = 50;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing that is asked for")]
pub struct Asks {
    rule: String,
    state: String,
    term: String,
    cause: String,
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    at: i32,
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    all: bool,
    /// Found last first; else what has waited longest.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    newest: bool,
    /// Only confirmed ones to which the school added something.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    added: bool,
    /// What a workbook of them is for.
    purpose: String,
    /// Whether all of them are printed.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    print: bool,
}

impl Asks {
    /// What an address of the list asks for; none where it is another's, or says what cannot be read.
    pub fn of(address: &str) -> Option<Self> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        (path == "/flags").then(|| serde_urlencoded::from_str(query).ok()).flatten()
    }

    fn state(&self) -> flag::State {
        flag::State::from_str_name(&self.state).unwrap_or_default()
    }

    /// The flags that are asked for, on a page of so many.
    fn asked(&self, rows: i32, at: i32) -> ListFlagsRequest {
        ListFlagsRequest {
            rule: self.rule.clone(),
            state: self.state().into(),
            term: self.term.clone(),
            cause: self.cause.clone(),
            page_size: rows,
            page_number: at.max(1),
            unclosed: true,
            added: self.added,
            oldest_first: !self.newest,
            ..ListFlagsRequest::default()
        }
    }

    /// All of them that whoever looks decides, whatever page they are on: so many at most.
    pub async fn whole(&self, desk: &Desk, most: usize) -> Result<Vec<Flag>, PageError> {
        let mut every = Every::new();
        while let Some(at) = every.next() {
            let page = desk.reconciliation().list_flags(desk.request(self.asked(ROWS_AT_ONCE, at))).await?.into_inner();
            every.take(page.flags, page.total_size)?;
        }
        let mut flags = every.rows();
        flags.retain(|flag| desk.user.decides_aid_for(&flag.authority));
        if flags.len() > most {
            let why = format!("符合条件、归本级核定的有 {} 条，一次至多办理 {most} 条：请按原因一起办理，或再筛选", flags.len());
            return Err(Status::invalid_argument(why).into());
        }
        Ok(flags)
    }

    /// Where they are.
    pub fn address(&self) -> Address {
        let said = |is: bool| if is { "true" } else { "" };
        let (added, newest) = (said(self.added), said(self.newest));
        let asked = [("rule", self.rule.as_str()), ("state", &self.state), ("term", &self.term), ("cause", &self.cause), ("added", added), ("newest", newest)];
        asked.into_iter().fold(Address::of("/flags"), |address, (name, value)| address.with(name, value))
    }

    /// Whether a filter of single flags leaves a cause.
    fn leaves(&self, cause: &Cause) -> bool {
        let in_state = match self.state.as_str() {
            "OPEN" => cause.open > 0,
            "EXPLAINED" => cause.explained > 0,
            "CONFIRMED" => cause.flags > cause.open + cause.explained,
            "" => true,
            _ => false,
        };
        in_state && (self.rule.is_empty() || self.rule == cause.rule)
    }
}

#[derive(Template)]
#[template(path = "flags/list.html")]
struct ListPage {
    desk: Desk,
    narrow: Form,
    /// The cause that is shown, with what may be done about all of it.
    cause: Option<Shown>,
    causes: Option<Table>,
    /// The way to the causes that are not shown, and how many these are.
    hidden: Option<(Address, usize)>,
    flags: Table,
    decide: Option<Form>,
    takeout: Option<Offer>,
}

/// A cause.
struct Shown {
    title: String,
    says: String,
    forms: Vec<Form>,
}

/// Flags, narrowed by their address.
pub async fn page(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    if asks.print {
        printed::may_print_people(&desk)?;
        return print(desk, &asks).await;
    }
    let asked = ListCausesRequest { school: String::new(), term: asks.term.clone() };
    let causes = desk.reconciliation().list_causes(desk.request(asked)).await?.into_inner().causes;
    let answer = desk.reconciliation().list_flags(desk.request(asks.asked(ROWS, asks.at))).await?.into_inner();
    let decides = answer.flags.iter().any(|flag| desk.user.decides_aid_for(&flag.authority));
    let cause = causes.iter().find(|row| !asks.cause.is_empty() && row.cause == asks.cause).map(|row| shown(&desk, &asks, row, decides));
    let mut left: Vec<&Cause> = causes.iter().filter(|cause| asks.leaves(cause)).collect();
    let hidden = if asks.all { 0 } else { left.len().saturating_sub(CAUSES) };
    left.truncate(left.len() - hidden);
    let ticks = answer.flags.iter().any(|flag| is_tickable(&desk, flag));
    // A department's list is of many schools, a workbook of one.
    let school = if desk.user.is_school() { desk.user.org.clone() } else { String::new() };
    let narrowed = vec![("rule", asks.rule.clone()), ("state", asks.state.clone()), ("term", asks.term.clone())];
    // A workbook is narrowed by neither: it would tell more than is shown.
    let whole = asks.cause.is_empty() && !asks.added;
    let takeout = Offer::of(&desk, desk.user.decides_aid(), &school, "/flags/takeOut", narrowed).filter(|_| whole);
    let place =
        Place::of(answer.total_size, "条", asks.at.into(), ROWS).by_number(&Way::Link(asks.address())).printed(printed::of_people(&desk, &asks.address()));
    let decide = ticks.then(|| deciding(&desk, &asks, &answer.flags, answer.total_size));
    let on = decide.as_ref().and_then(|form| form.back_of("flag")).unwrap_or_default();
    let page = ListPage {
        narrow: narrowing(&desk, &asks),
        cause,
        causes: asks.cause.is_empty().then(|| causes_of(&desk, &asks, &left)),
        hidden: (hidden > 0).then(|| (asks.address().with("all", "true"), hidden)),
        flags: flags(&desk, &asks, &answer.flags, ticks, &on).place(place),
        decide,
        takeout,
        desk,
    };
    Ok(render(&page))
}

/// All of them, to be printed.
async fn print(desk: Desk, asks: &Asks) -> Result<Response, PageError> {
    let mut every = Every::new();
    while let Some(at) = every.next() {
        let page = desk.reconciliation().list_flags(desk.request(asks.asked(ROWS_AT_ONCE, at))).await?.into_inner();
        every.take(page.flags, page.total_size)?;
    }
    let rule = if asks.rule.is_empty() { String::new() } else { show::rule(&asks.rule).to_owned() };
    let narrowed = [rule, show::state(&asks.state).to_owned(), show::term(&asks.term)];
    let table = flags(&desk, asks, &every.rows(), false, &[]);
    Ok(printed::page(desk, "疑点", &narrowed, asks.address(), table))
}

fn narrowing(desk: &Desk, asks: &Asks) -> Form {
    let states = show::flag_states().into_iter().map(|(code, name)| Choice::of(code, name));
    let states = std::iter::once(Choice::of("", "未关闭")).chain(states);
    let kept = |name: &'static str, value: &str| (!value.is_empty()).then(|| Field::kept(name, value));
    Form::narrow(desk, "narrow", "/flags")
        .maybe(kept("term", &asks.term))
        .maybe(kept("cause", &asks.cause))
        .with(Field::narrows("rule", RULES.map(|rule| Choice::of(rule, show::rule(rule)))).value(&asks.rule))
        .with(Field::choice("state", states).value(&asks.state))
        .with(Field::tick("added", "只看已认定、学校有补充说明的").value(if asks.added { "true" } else { "" }))
        .plain("筛选", "")
}

/// A cause with what may be done about all of it.
fn shown(desk: &Desk, asks: &Asks, row: &Cause, decides: bool) -> Shown {
    let whom = show::whom(&row.name, row.flags);
    let says = format!(
        "{} · {whom} · 最早发现 {} · 涉及 {} 元 · 待说明 {}，待核定 {}",
        row.school_name,
        row.open_date,
        show::yuan(&row.amount_fen),
        row.open,
        row.explained
    );
    let mut forms = Vec::new();
    if desk.user.is_school() && row.open > 0 {
        let form = Form::of::<ExplainCauseRequest>(desk, "explain", format!("/causes/{}/explain", row.cause));
        let form = form.hidden("etag", &row.etag).hidden("term", &asks.term);
        let field = Field::lines("text").called("一起说明").required().hint("说明原因和处理办法");
        forms.push(form.with(field).button(format!("说明 {} 条", row.open)));
    }
    let undecided = row.open + row.explained;
    if decides && undecided > 0 {
        let form = Form::of::<DecideCauseRequest>(desk, "decide-cause", format!("/causes/{}/decide", row.cause));
        let form = form.hidden("etag", &row.decide_etag).hidden("term", &asks.term).with(Field::lines("reason").called("一起核定的理由").required());
        let form = form.danger(format!("认定 {undecided} 条为问题"), "confirm").asks(format!("认定 {undecided} 条疑点为问题，不予发放，列入问题台账。"));
        forms.push(form.act(format!("排除 {undecided} 条（按此依据）"), "clear").asks(format!("排除 {undecided} 条疑点，所列月份可以审核发放。")));
    }
    Shown { title: format!("{}：{}", show::rule(&row.rule), row.summary), says, forms }
}

fn causes_of(desk: &Desk, asks: &Asks, causes: &[&Cause]) -> Table {
    let wide = !desk.user.is_school();
    let row = |row: &&Cause| {
        let to = Address::of("/flags").with("cause", row.cause.as_str()).with("term", asks.term.as_str());
        let title = Cell::link(to, show::rule(&row.rule)).beside(row.summary.as_str());
        let start = Row::of([title, Cell::text(show::whom(&row.name, row.flags))]).and_if(wide, || Cell::from(&row.school_name));
        [Cell::unbroken(&row.open_date), Cell::number(row.open), Cell::number(row.explained), Cell::yuan(row.amount_fen)]
            .into_iter()
            .fold(start, |row, cell| row.and_if(true, || cell))
    };
    let table = Table::of("按原因和学校").columns(["原因", "学生"]).column_if(wide, "学校").column("最早发现");
    table.numbers(["待说明", "待核定", "涉及金额（元）"]).rows(causes.iter().map(row)).empty("没有符合条件、待处理的疑点。")
}

/// Whether who looks may do something about a flag beside reading it.
fn is_tickable(desk: &Desk, flag: &Flag) -> bool {
    desk.user.decides_aid_for(&flag.authority) && many::Act::ALL.into_iter().any(|act| many::Ticked::of(flag).fits(act))
}

fn flags(desk: &Desk, asks: &Asks, flags: &[Flag], ticks: bool, on: &[String]) -> Table {
    let wide = !desk.user.is_school();
    let row = |flag: &Flag| {
        let value = many::Ticked::of(flag).to_string();
        let is_on = on.contains(&value);
        let tick = is_tickable(desk, flag).then(|| Tick { form: "decide", name: "flag", value, label: flag.name.clone(), is_on });
        let start = Row::of([Cell::link(format!("/flags/{}", flag.flag), flag.name.as_str())]).and_if(wide, || Cell::from(&flag.school_name));
        [
            Cell::from(&flag.rule_name),
            Cell::text(format!("{} {}", show::term(&flag.term), &flag.scheme_name)),
            Cell::text(show::months(&flag.months)),
            Cell::yuan(flag.amount_fen),
            Cell::unbroken(show::day(&flag.open_time)),
            mark(flag),
        ]
        .into_iter()
        .fold(start, |row, cell| row.and_if(true, || cell))
        .ticked(tick)
    };
    let table = Table::of("逐条").column("学生").column_if(wide, "学校").columns(["规则", "学期和项目", "月份"]).number("金额（元）").column("发现");
    let turned = asks.address().with("newest", if asks.newest { "" } else { "true" });
    let table = table.ordered(turned, Some(if asks.newest { Order::Down } else { Order::Up })).column("状态");
    table.ticks(ticks).rows(flags.iter().map(row)).empty("没有符合条件的疑点。")
}

/// The form of whoever decides, for the flags that are ticked.
fn deciding(desk: &Desk, asks: &Asks, flags: &[Flag], total: i32) -> Form {
    let shown = flags.iter().filter(|flag| is_tickable(desk, flag));
    let form = Form::of::<DecideFlagsRequest>(desk, "decide", "/flags/decide").hidden("of", asks.address().to_string());
    let more = usize::try_from(total).is_ok_and(|total| total > flags.len());
    shown
        .fold(form, |form, flag| form.hidden("shown", many::Ticked::of(flag).to_string()))
        .with(Field::tick("all", "选中本页全部符合条件的"))
        .maybe(more.then(|| Field::tick("whole", format!("选中筛选出的全部 {total} 条中归本级核定的，也包括其他页上的"))))
        .with(Field::lines("reason").called("理由（勾选的共用，下一步核对条数）").required())
        .danger("认定为问题", "confirm")
        .act("排除（按此依据）", "clear")
        .danger("退回学校", "sendBack")
}

/// A school's flags that are shown, as a workbook.
pub async fn take_out(desk: Desk, Sent(asks): Sent<Asks>) -> Result<Response, PageError> {
    let state = asks.state().into();
    let asked = TakeOutFlagsRequest { school: desk.user.org.clone(), purpose: asks.purpose, rule: asks.rule, state, term: asks.term };
    give(&desk, Asked::Flags(asked)).await
}

#[derive(Deserialize)]
pub struct CauseForm {
    request_id: String,
    etag: String,
    #[serde(default)]
    term: String,
    text: String,
}

/// Explains all flags of a cause.
pub async fn explain_cause(desk: Desk, Path(cause): Path<String>, Sent(sent): Sent<CauseForm>) -> Result<Response, PageError> {
    let asked = ExplainCauseRequest { cause, text: sent.text, etag: sent.etag, term: sent.term };
    desk.reconciliation().explain_cause(desk.change(&sent.request_id, asked)).await?;
    Ok(desk.done("说明已提交，等主管部门核定。", "/flags"))
}
