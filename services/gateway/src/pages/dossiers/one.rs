//! One dossier: its desks, what whoever looks may do, what it holds before they do it, its sheet as it was submitted, its history.

use askama::Template;
use axum::{
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use tonic::Code;
use xuezhu_proto::common::{Dossier, DossierAct, DossierClass, DossierItem, DossierStep, dossier, dossier_act, dossier_item, dossier_step};

use super::{
    Keeper,
    acts::{self, May},
    kept_by, mark,
    summary::{self, Summary},
};
use crate::{
    pages::{
        Desk, PageError,
        evidence::{At, Block},
        printed::{Every, ROWS_AT_ONCE},
        render, session, show,
    },
    parts::{
        Act, Address, Cell, Desks, Field, Figure, Figures, Form, Place, Row, Steps, Table, Tone,
        desks::{Stage, Stop},
        field::Choice,
        place::Way,
        steps::Step,
        table::Tick,
    },
};

/// Lines of a sheet on a page.
const LINES: i32 = 100;
/// States of lines that are looked for.
const STATES: [dossier_item::State; 5] =
    [dossier_item::State::Waiting, dossier_item::State::Performed, dossier_item::State::SentBack, dossier_item::State::Refused, dossier_item::State::Recalled];

/// Which lines are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    state: String,
    class: String,
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    at: i32,
}

impl Asks {
    fn state(&self) -> dossier_item::State {
        dossier_item::State::from_str_name(&self.state).unwrap_or_default()
    }

    /// Which lines are asked for.
    fn of(&self) -> (dossier_item::State, &str) {
        (self.state(), &self.class)
    }
}

#[derive(Template)]
#[template(path = "dossiers/one.html")]
struct OnePage {
    desk: Desk,
    keeper: Keeper,
    dossier: Dossier,
    state: Cell,
    figures: Figures,
    desks: Desks,
    summary: Summary,
    acts: Vec<Act>,
    evidence: Block,
    /// Ways to the lines of each state, and whether these are shown.
    states: Vec<(Address, &'static str, bool)>,
    /// What narrows it to a class, where it is of more than one.
    classes: Option<Form>,
    sheet: Table,
    back: Option<Form>,
    history: Steps,
}

/// Every line, to be printed: with its head, its digest on each page, and where to sign.
#[derive(Template)]
#[template(path = "dossiers/print.html")]
struct PrintPage {
    desk: Desk,
    keeper: Keeper,
    dossier: Dossier,
    summary: Summary,
    items: Vec<DossierItem>,
    /// What part of it this is, in words; empty where it is all of it, which alone is signed.
    narrowed: String,
    evidence: Block,
    history: Steps,
}

impl PrintPage {
    fn line_state(item: &DossierItem) -> &'static str {
        show::dossier_item_state(item.state().as_str_name())
    }

    fn shows_class(&self) -> bool {
        shows_class(&self.dossier)
    }

    fn marks(item: &DossierItem) -> String {
        item.marks.iter().map(|mark| mark.text.as_str()).collect::<Vec<_>>().join("、")
    }

    /// Columns of the sheet.
    fn width(&self) -> usize {
        self.dossier.columns.len() + 3 + usize::from(self.shows_class())
    }
}

/// One dossier.
pub async fn page(desk: Desk, Path((keeper, id)): Path<(String, String)>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    shown(desk, kept_by(&keeper)?, id, asks, String::new()).await
}

/// The page again, with why something about its evidence was refused.
pub async fn with_fault(desk: Desk, keeper: Keeper, id: String, fault: String) -> Result<Response, PageError> {
    shown(desk, keeper, id, Asks::default(), fault).await
}

async fn shown(desk: Desk, keeper: Keeper, id: String, asks: Asks, fault: String) -> Result<Response, PageError> {
    let evidence = Block::of(&desk, At::Dossier(keeper, id.clone()), fault);
    let (dossier, sheet, evidence) = tokio::join!(keeper.one(&desk, &id), keeper.sheet(&desk, &id, asks.of(), LINES, asks.at), evidence);
    let (dossier, evidence) = (dossier?, evidence?);
    // Of some kinds the sheet is for fewer eyes than the dossier.
    let (items, total, hidden) = match sheet {
        Err(status) if status.code() == Code::PermissionDenied => (Vec::new(), 0, true),
        sheet => sheet.map(|(items, total)| (items, total, false))?,
    };
    let summary = summary::of(&desk, keeper, &dossier).await?;
    let may = May::of(&desk.user, keeper, &dossier, &desk.today());
    let path = Address::of(keeper.link(&dossier.dossier));
    let way = Way::Link(path.clone().with("state", asks.state.as_str()).with("class", asks.class.as_str()));
    let whole = Address::of(format!("{}/print", path.path())).with("state", asks.state.as_str()).with("class", asks.class.as_str());
    let place = Place::of(total, if dossier.unit == "人" { "人" } else { "条" }, asks.at.into(), LINES).by_number(&way).printed(Some(whole));
    let back = (may.decide && !items.is_empty()).then(|| acts::returning(&desk, keeper, &dossier));

    let on = back.as_ref().and_then(|form| form.back_of("item")).unwrap_or_default();
    let sheet = sheet_of(keeper, &dossier, &items, may.decide && !dossier.whole, &on);
    let sheet = if hidden { sheet.empty("这类业务单的名单只由学校和资助主管部门的办理人员查看。") } else { sheet.place(place) };
    let state = |state: dossier_item::State| {
        let word = state.as_str_name();
        (path.clone().with("state", word).with("class", asks.class.as_str()), show::dossier_item_state(word), asks.state == word)
    };
    let all = (path.clone().with("class", asks.class.as_str()), "全部", asks.state.is_empty());
    let states = std::iter::once(all).chain(STATES.map(state)).collect();
    let classes = (dossier.classes.len() > 1).then(|| of_classes(&desk, &asks, &path, &dossier.classes));
    let page = OnePage {
        state: mark(&dossier),
        figures: figures(&dossier),
        desks: desks(&dossier),
        acts: may.acts(&desk, keeper, &dossier),
        back,
        history: history(&dossier),
        summary,
        evidence,
        states,
        classes,
        sheet,
        keeper,
        desk,
        dossier,
    };
    Ok(render(&page))
}

/// Every line of it, to be printed.
pub async fn print(desk: Desk, Path((keeper, id)): Path<(String, String)>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let keeper = kept_by(&keeper)?;
    let dossier = keeper.one(&desk, &id).await?;
    let mut every = Every::new();
    while let Some(at) = every.next() {
        let (lines, total) = keeper.sheet(&desk, &id, asks.of(), ROWS_AT_ONCE, at).await?;
        every.take(lines, total)?;
    }
    let items = every.rows();
    let summary = summary::of(&desk, keeper, &dossier).await?;
    let evidence = Block::of(&desk, At::Dossier(keeper, id), String::new()).await?.printed();
    let history = history(&dossier);
    let narrowed = narrowed(&asks, items.len(), &dossier);
    Ok(render(&PrintPage { desk, keeper, dossier, summary, items, narrowed, evidence, history }))
}

/// What part of a sheet is asked for.
fn narrowed(asks: &Asks, lines: usize, dossier: &Dossier) -> String {
    let state = asks.state();
    let state = if state == dossier_item::State::Unspecified { "" } else { show::dossier_item_state(state.as_str_name()) };
    let parts: Vec<&str> = [asks.class.as_str(), state].into_iter().filter(|part| !part.is_empty()).collect();
    let all = dossier.waiting + dossier.performed + dossier.left;
    if parts.is_empty() { String::new() } else { format!("仅{}，{lines} {unit}（全单 {all} {unit}）", parts.join("、"), unit = dossier.unit) }
}

fn of_classes(desk: &Desk, asks: &Asks, path: &Address, classes: &[DossierClass]) -> Form {
    let class = |class: &DossierClass| Choice::of(&class.class_name, format!("{}（{} 人）", class.class_name, class.count));
    let named = classes.iter().filter(|class| !class.class_name.is_empty());
    Form::narrow(desk, "class", format!("{}#sheet", path.path()))
        .maybe((!asks.state.is_empty()).then(|| Field::kept("state", &asks.state)))
        .with(Field::narrows("class", named.map(class)).called("班级").value(&asks.class))
        .plain("只看这个班", "")
}

fn figures(dossier: &Dossier) -> Figures {
    let again = if dossier.refused > 0 { format!("待办（其中 {} {}上次未能通过）", dossier.refused, dossier.unit) } else { "待办".to_owned() };
    let waiting = (dossier.waiting > 0).then(|| Figure::count(dossier.waiting, again).tone(Tone::Wait));
    let done = [Figure::count(dossier.performed, "已通过").tone_if(dossier.performed > 0, Tone::Good), Figure::count(dossier.left, "退回、未通过或撤回")];
    let waits = (!dossier.waits_at.is_empty()).then(|| {
        let late = if dossier.overdue { "本环节期限，已逾期" } else { "本环节期限" };
        [Figure::said(&dossier.since_date, format!("起等{}", dossier.waits_at)), Figure::said(&dossier.due_date, late).tone_if(dossier.overdue, Tone::Bad)]
    });
    Figures(waiting.into_iter().chain(done).chain(waits.into_iter().flatten()).collect())
}

/// A desk, with what it did last.
struct Stand {
    step: DossierStep,
    /// Who signed, when, and what they read; none where it did not.
    signed: Option<DossierAct>,
    /// It must have signed, and nobody kept who did.
    unknown: bool,
}

fn stands(dossier: &Dossier) -> Vec<Stand> {
    let finished = dossier.state() == dossier::State::Done;
    let stand = |step: &DossierStep| {
        let did = |act: &&DossierAct| act.step == step.step && matches!(act.act(), dossier_act::Act::Sign | dossier_act::Act::Note | dossier_act::Act::Order);
        let signed = dossier.history.iter().rev().find(did).filter(|act| !act.name.is_empty()).cloned();
        let passed = finished || step.step < dossier.step;
        let unknown = signed.is_none() && passed && step.duty() == dossier_step::Duty::Decides && dossier.performed > 0;
        Stand { step: step.clone(), signed, unknown }
    };
    dossier.steps.iter().map(stand).collect()
}

fn desks(dossier: &Dossier) -> Desks {
    let stop = |stand: Stand| {
        let notes = stand.step.duty() == dossier_step::Duty::Notes;
        let mut beside = Vec::new();
        if let Some(act) = stand.signed.as_ref().filter(|act| !act.digest.is_empty()) {
            beside.push(format!("摘要 {}", act.digest));
        }
        if stand.unknown {
            beside.push("旧系统移入，签核人未记录".to_owned());
        }
        let mut marks = Vec::new();
        if stand.step.present {
            marks.push(Cell::mark(if dossier.overdue { Tone::Bad } else { Tone::Wait }, "在此等待"));
            if !dossier.holder_name.is_empty() {
                beside.push(format!("经办：{}", dossier.holder_name));
            }
            if dossier.nudges > 0 {
                marks.push(Cell::mark(Tone::Bad, format!("学校 {} 催办（共 {} 次）", dossier.nudged_date, dossier.nudges)));
            }
        }
        Stop {
            name: stand.step.desk.clone(),
            does: format!("{} · {}个工作日", if notes { "备案" } else { "审签" }, stand.step.working_days),
            stage: match (stand.step.present, stand.signed.is_some() || stand.unknown) {
                (true, _) => Stage::Here,
                (false, true) => Stage::Passed,
                (false, false) => Stage::Ahead,
            },
            did: stand.signed.as_ref().map(|act| format!("{} {} {}", act.name, act.date, act_of(act))).unwrap_or_default(),
            beside,
            marks,
        }
    };
    Desks(stands(dossier).into_iter().map(stop).collect())
}

fn sheet_of(keeper: Keeper, dossier: &Dossier, items: &[DossierItem], ticks: bool, on: &[String]) -> Table {
    let (by_class, marked) = (shows_class(dossier), items.iter().any(|item| !item.marks.is_empty()));
    let table = Table::of("提交时的名单").number("序号").column(if dossier.unit == "人" { "姓名" } else { "内容" }).column_if(by_class, "班级");
    let table = dossier.columns.iter().fold(table, |table, column| table.column(column)).column_if(marked, "疑点").column("结果");
    let row = |item: &DossierItem| {
        let name = match keeper {
            Keeper::Enrollment => Cell::link(format!("/schools/{}/enrollments/{}", dossier.school, item.item), item.name.as_str()),
            Keeper::Aid if dossier.kind == "HARDSHIP" => Cell::link(format!("/schools/{}/hardship/{}", dossier.school, item.item), item.name.as_str()),
            Keeper::Aid => Cell::from(&item.name),
        };
        let refused = if item.refusal_message.is_empty() { String::new() } else { format!("未能通过：{}", item.refusal_message) };
        let result = Cell::mark(line_tone(item), show::dossier_item_state(item.state().as_str_name())).beside(refused).beside(item.reason.as_str());
        let row = Row::of([Cell::number(item.ordinal + 1), name]).and_if(by_class, || Cell::from(&item.class_name));
        let row = item.cells.iter().fold(row, |row, cell| row.and_if(true, || Cell::from(cell))).and_if(marked, || marks(item));
        let waits = item.state() == dossier_item::State::Waiting;
        let tick =
            (ticks && waits).then(|| Tick { form: "back", name: "item", value: item.item.clone(), label: item.name.clone(), is_on: on.contains(&item.item) });
        row.and_if(true, || result).ticked(tick)
    };
    table.rows(items.iter().map(row)).empty("没有这样的行。").ticks(ticks)
}

/// Whether a sheet's class stands in none of its columns.
fn shows_class(dossier: &Dossier) -> bool {
    !dossier.classes.is_empty() && !dossier.columns.iter().any(|column| column == "班级")
}

/// What is to be seen of a line, each leading to what it is.
fn marks(item: &DossierItem) -> Cell {
    item.marks.iter().fold(Cell::default(), |cell, mark| {
        let tone = if mark.holds { Tone::Bad } else { Tone::Wait };
        if mark.flag.is_empty() {
            cell.and(Cell::mark(tone, mark.text.as_str()))
        } else {
            cell.marked(tone, mark.text.as_str(), format!("/flags/{}", mark.flag))
        }
    })
}

fn line_tone(item: &DossierItem) -> Tone {
    match item.state() {
        dossier_item::State::Performed => Tone::Good,
        dossier_item::State::SentBack | dossier_item::State::Refused => Tone::Bad,
        dossier_item::State::Waiting if !item.refusal.is_empty() => Tone::Bad,
        dossier_item::State::Waiting => Tone::Wait,
        dossier_item::State::Recalled | dossier_item::State::Unspecified => Tone::Plain,
    }
}

fn act_of(act: &DossierAct) -> &'static str {
    show::dossier_act(act.act().as_str_name())
}

fn desk_of(dossier: &Dossier, act: &DossierAct) -> String {
    match act.act() {
        dossier_act::Act::Submit | dossier_act::Act::Recall | dossier_act::Act::Nudge => session::role_name(&act.role).to_owned(),
        _ if act.role == "PRINCIPAL_DEPUTY" => session::role_name(&act.role).to_owned(),
        _ => dossier.steps.iter().find(|step| step.step == act.step).map(|step| step.desk.clone()).unwrap_or_default(),
    }
}

fn history(dossier: &Dossier) -> Steps {
    let step = |act: &DossierAct| {
        let who = match (act.of_before && act.name.is_empty(), desk_of(dossier, act)) {
            (true, _) => "旧系统移入，签核人未记录".to_owned(),
            (false, desk) if desk.is_empty() => act.name.clone(),
            (false, desk) => format!("{}（{desk}）", act.name),
        };
        let count = match (act.items, act.performed) {
            (0, _) => String::new(),
            (items, 0) => format!("{items} {}", dossier.unit),
            (items, performed) => format!("{items} {}，通过 {performed}", dossier.unit),
        };
        let digest = if act.digest.is_empty() { String::new() } else { format!("摘要 {}", act.digest) };
        Step {
            what: act_of(act).to_owned(),
            when: if act.time.is_empty() { act.date.clone() } else { show::time(&act.time) },
            who,
            beside: [count, digest].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · "),
            text: act.reason.clone(),
        }
    };
    Steps(dossier.history.iter().map(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dossier(step: i32, duty: dossier_step::Duty, authority: &str, signed: bool) -> Dossier {
        let step = DossierStep { step, duty: duty.into(), authority: authority.into(), present: true, ..DossierStep::default() };
        let sign = DossierAct { act: dossier_act::Act::Sign.into(), name: "校长".into(), ..DossierAct::default() };
        Dossier {
            school: "1".into(),
            step: step.step,
            steps: vec![step],
            history: signed.then_some(sign).into_iter().collect(),
            performed: 1,
            ..Dossier::default()
        }
    }

    #[test]
    fn who_signed_before_is_said_or_said_to_be_unknown() {
        let mut known = dossier(0, dossier_step::Duty::Decides, "", true);
        known.state = dossier::State::Done.into();
        assert!(stands(&known).iter().all(|stand| stand.signed.is_some() && !stand.unknown));
        known.history[0].name = String::new();
        assert!(stands(&known).iter().all(|stand| stand.signed.is_none() && stand.unknown));
        known.state = dossier::State::UnderWay.into();
        assert!(stands(&known).iter().all(|stand| !stand.unknown), "it waits there");
    }

    #[test]
    fn every_word_is_shown() {
        assert!((1..=5).filter_map(|code| dossier_item::State::try_from(code).ok()).eq(STATES));
        assert!(STATES.iter().all(|state| !show::dossier_item_state(state.as_str_name()).is_empty()));
        assert!((1..=4).filter_map(|code| dossier::State::try_from(code).ok()).all(|state| !show::dossier_state(state.as_str_name()).is_empty()));
        let acts: Vec<dossier_act::Act> = (1..=20).filter_map(|code| dossier_act::Act::try_from(code).ok()).collect();
        assert!(acts.len() == 9 && acts.iter().all(|act| !show::dossier_act(act.as_str_name()).is_empty()));
    }
}
