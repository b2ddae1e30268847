//! One list: how it stands, what is done with it, its entries.

use askama::Template;
use axum::{
    Form as Sent,
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use xuezhu_proto::aid::{AwardEntry, AwardList, GetAwardListRequest, ListEntriesRequest, TakeOutEntriesRequest, award_entry::State};

use super::{acts, corrections, decides, mark, mark_of, path};
use crate::{
    pages::{
        Desk, PageError, render, show,
        takeouts::{self, give},
    },
    parts::{Act, Address, Cell, Figure, Figures, Note, Place, Row, Table, Tone, place::Way, table::Tick},
    takeouts::Asked,
};

/// Entries on a page.
const ROWS: i32 = 100;

/// Which entries are asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    /// Where the page begins.
    pub page: String,
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    at: i64,
    /// Only who is held.
    pub held: bool,
    /// Only in this state.
    pub state: String,
}

impl Asks {
    fn state(&self) -> State {
        State::from_str_name(&self.state).unwrap_or_default()
    }

    /// The entries that are asked for.
    pub async fn entries(&self, desk: &Desk, school: &str, list: &str) -> Result<(Vec<AwardEntry>, String), PageError> {
        let asked = ListEntriesRequest {
            school: school.to_owned(),
            list: list.to_owned(),
            page_size: ROWS,
            page_token: self.page.clone(),
            held_only: self.held,
            state: self.state().into(),
        };
        let answer = desk.awards().list_entries(desk.request(asked)).await?.into_inner();
        Ok((answer.entries, answer.next_page_token))
    }
}

#[derive(Template)]
#[template(path = "lists/one.html")]
struct OnePage {
    desk: Desk,
    list: AwardList,
    state: Cell,
    figures: Figures,
    notes: Vec<Note>,
    acts: Vec<Act>,
    only: Option<Note>,
    table: Table,
    back: Option<crate::parts::Form>,
    correction: Option<Act>,
    takeout: Option<takeouts::Offer>,
}

impl OnePage {
    fn path(&self) -> String {
        path(&self.list)
    }

    /// Whether a file could change anything: what was submitted it can't.
    fn takes_files(&self) -> bool {
        self.desk.user.is_clerk() && (!self.list.closed_to_new || self.list.drafts + self.list.sent_back > 0)
    }

    /// Whether anything of it is under way or done.
    fn was_submitted(&self) -> bool {
        self.list.submitted + self.list.attested + self.list.approved > 0
    }
}

/// The page of a list.
pub async fn page(desk: Desk, Path((school, list)): Path<(String, String)>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    view(desk, school, list, asks, None).await
}

/// The page of a list, with why a file was refused.
pub async fn refused(desk: Desk, school: String, list: String, error: String) -> Result<Response, PageError> {
    view(desk, school, list, Asks::default(), Note::wrong(&crate::parts::words::in_chinese(&error))).await
}

async fn view(desk: Desk, school: String, list: String, asks: Asks, wrong: Option<Note>) -> Result<Response, PageError> {
    let asked = GetAwardListRequest { school: school.clone(), list: list.clone() };
    let list = desk.awards().get_award_list(desk.request(asked)).await?.into_inner().list.unwrap_or_default();
    let (entries, next) = asks.entries(&desk, &school, &list.list).await?;
    let correction = corrections::Offer::of(&desk.user, &list, &entries);
    let correcting = correction.as_ref().map(|offer| offer.act(&desk, &list, &asks));
    let returning = acts::returning(&desk, &list);
    let ticked = correcting.as_ref().and_then(|act| act.back_of("entry")).or_else(|| returning.back_of("entry")).unwrap_or_default();
    let who = Who { desk: &desk, list: &list, correction: correction.as_ref(), ticked: &ticked };
    let back = entries.iter().any(|entry| who.may_return(entry)).then_some(returning);
    let here = Address::of(path(&list)).with("state", asks.state.as_str()).with("held", if asks.held { "true" } else { "" });
    let all = list.drafts + list.submitted + list.attested + list.approved + list.sent_back;
    let place = if asks.held || !asks.state.is_empty() { Place::numbered(asks.at) } else { Place::of(all, "人", asks.at, ROWS) };
    let table = who.table(&entries).place(place.ways(&Way::Link(here), (asks.at > 1).then_some(""), &next));
    let only = match (asks.held, asks.state.as_str()) {
        (true, _) => Some("只看有疑点的。".to_owned()),
        (false, "") => None,
        (false, state) => Some(format!("只看{}的。", show::state(state))),
    };
    let narrowed = vec![("state", asks.state.clone()), ("held", asks.held.to_string())];
    let page = OnePage {
        state: mark(&list),
        figures: figures(&list),
        notes: wrong.into_iter().chain(notes(&desk, &list)).collect(),
        acts: acts::of(&desk, &list),
        only: only.map(|text| Note::of(Tone::Plain, text).way(path(&list), "看全部")),
        table,
        back,
        correction: correcting,
        takeout: takeouts::Offer::of(&desk, desk.user.decides_aid(), &list.school, format!("{}/takeOut", path(&list)), narrowed),
        list,
        desk,
    };
    Ok(render(&page))
}

fn figures(list: &AwardList) -> Figures {
    let only = |state: State| Address::of(path(list)).with("state", state.as_str_name());
    let held = Address::of(path(list)).with("held", "true");
    let mut figures = vec![
        Figure::count(list.drafts, "草稿").to(only(State::Draft)),
        Figure::count(list.submitted + list.attested, "在办").tone_if(list.submitted + list.attested > 0, Tone::Wait),
        Figure::count(list.approved, "已审核").tone_if(list.approved > 0, Tone::Good).to(only(State::Approved)),
        Figure::count(list.sent_back, "已退回").tone_if(list.sent_back > 0, Tone::Bad).to(only(State::SentBack)),
        Figure::count(list.held, "有疑点，暂缓").tone_if(list.held > 0, Tone::Bad).to(held),
        Figure::yuan(list.amount_fen, "金额（元）"),
    ];
    if list.standing_fen != list.amount_fen {
        let corrected = Address::of("/dossiers").with("keeper", "aid").with("kind", "AWARD_CORRECTION").with("school", list.school.as_str());
        figures.push(Figure::yuan(list.standing_fen, "现行金额（元）").formula("更正和重复月份之后").tone(Tone::Wait).to(corrected));
    }
    Figures(figures)
}

fn notes(desk: &Desk, list: &AwardList) -> Vec<Note> {
    let held = Address::of(path(list)).with("held", "true");
    let mut notes = Vec::new();
    if desk.user.is_clerk() && list.closed_to_new {
        notes.push(Note::of(Tone::Plain, "名单已经提交过：新增的学生请列入补充名单。").way("/lists", "新建补充名单"));
    }
    if desk.user.is_clerk() && list.sent_back > 0 {
        let text = format!("有 {} 人被退回，原因见表。改好后重新上传这些学生（内容无误的，原样再传一次），再提交；不该列入的，移出。", list.sent_back);
        notes.push(Note::of(Tone::Wait, text).way(Address::of(path(list)).with("state", State::SentBack.as_str_name()), "只看这些"));
    }
    if list.forgotten_attested > 0 {
        let text = format!("待审的学生中有 {} 人：学籍系统恢复到较早的备份后，遗忘了他们的记录。重新登记或核定之前不能审核。", list.forgotten_attested);
        notes.push(Note::of(Tone::Bad, text).way("/forgotten", "核定"));
    }
    if list.taken_attested > 0 {
        let text = format!("待审的学生中有 {} 人：同一项目的同一月（或学期）已在另一名单中审核通过，不能重复审核。原因见表，核实后退回。", list.taken_attested);
        notes.push(Note::of(Tone::Bad, text));
    }
    if desk.user.decides_aid_for(&list.authority) && list.held_attested > 0 {
        let text = format!("待审的学生中有 {} 人有疑点：等学校说明，由您逐条核定；排除的随后可以审核，有误的可以退回。", list.held_attested);
        notes.push(Note::of(Tone::Wait, text).way(held, "看是谁"));
    }
    notes
}

/// Who looks at the entries of a list.
struct Who<'a> {
    desk: &'a Desk,
    list: &'a AwardList,
    correction: Option<&'a corrections::Offer>,
    /// Who was ticked for a correction that was refused.
    ticked: &'a [String],
}

impl Who<'_> {
    /// Whether an entry waits for who looks, who may send it back.
    fn may_return(&self, entry: &AwardEntry) -> bool {
        match entry.state() {
            State::Submitted => self.desk.user.is_principal(),
            State::Attested => decides(&self.desk.user, self.list),
            State::Draft | State::Approved | State::SentBack | State::Unspecified => false,
        }
    }

    /// How an entry is ticked: for the form that may act on it.
    fn tick(&self, entry: &AwardEntry) -> Option<Tick> {
        let form = match (self.may_return(entry), self.correction.is_some_and(|offer| offer.fits(entry))) {
            (true, _) => "back",
            (false, true) => "correction",
            (false, false) => return None,
        };
        Some(Tick { form, name: "entry", value: entry.entry.clone(), label: entry.name.clone(), is_on: self.ticked.contains(&entry.entry) })
    }

    fn table(&self, entries: &[AwardEntry]) -> Table {
        let ticks = entries.iter().any(|entry| self.tick(entry).is_some());
        let removes = self.desk.user.is_clerk() && entries.iter().any(|entry| matches!(entry.state(), State::Draft | State::SentBack));
        let table = Table::of("名单").columns(["姓名", "证件号", "月份", "档次"]).number("金额（元）").columns(["状态", "疑点"]);
        let table = if removes { table.acts() } else { table };
        table.ticks(ticks).rows(entries.iter().map(|entry| self.row(entry, removes))).empty("名单上还没有学生。")
    }

    fn row(&self, entry: &AwardEntry, removes: bool) -> Row {
        let name = if entry.person.is_empty() { Cell::from(&entry.name) } else { Cell::link(format!("/students/{}", entry.person), entry.name.as_str()) };
        // Taken from the roll, which tells no number: the year tells who is meant.
        let of_roll = !entry.id_number.contains(|c: char| c.is_ascii_digit());
        let born = if entry.birth_year != 0 && of_roll { format!("{}年生", entry.birth_year) } else { String::new() };
        let differs = entry.standing_fen != entry.amount_fen;
        let standing = match (differs, entry.standing_months.is_empty()) {
            (false, _) => String::new(),
            (true, true) => "现行 无".to_owned(),
            (true, false) => format!("现行 {}", show::months(&entry.standing_months)),
        };
        let stopping =
            if entry.stopping_months.is_empty() { String::new() } else { format!("停发待定，暂不发放 {}", show::months(&entry.stopping_months)) };
        let standing_fen = if differs { format!("现行 {}", show::yuan(&entry.standing_fen)) } else { String::new() };
        let forgotten = entry.source_forgot.then(|| Cell::default().marked(Tone::Bad, "学籍记录被遗忘", "/forgotten"));
        let flags = entry.flags.iter().fold(Cell::default(), |cell, flag| cell.marked(Tone::Bad, show::rule(&flag.rule), format!("/flags/{}", flag.flag)));
        let is_removable = matches!(entry.state(), State::Draft | State::SentBack);
        Row::of([
            name,
            Cell::unbroken(&entry.id_number).beside(born),
            Cell::text(show::months(&entry.months)).beside(standing).beside(stopping),
            Cell::from(&entry.tier),
            Cell::yuan(entry.amount_fen).beside(standing_fen),
            mark_of(entry.state()).beside(entry.sent_back_reason.as_str()).beside(entry.refusal_message.as_str()),
            flags.maybe(forgotten),
        ])
        .and_if(removes, || if is_removable { Cell::act(acts::removing(self.desk, self.list, &entry.entry)) } else { Cell::default() })
        .ticked(self.tick(entry))
    }
}

/// Which entries are taken out, and what for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TakeOutForm {
    state: String,
    held: bool,
    purpose: String,
}

/// The entries that are shown, as a workbook.
pub async fn take_out(desk: Desk, Path((school, list)): Path<(String, String)>, Sent(sent): Sent<TakeOutForm>) -> Result<Response, PageError> {
    let TakeOutForm { state, held, purpose } = sent;
    let state = State::from_str_name(&state).unwrap_or_default().into();
    give(&desk, Asked::Entries(TakeOutEntriesRequest { school, list, purpose, state, held_only: held })).await
}
