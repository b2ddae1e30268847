//! One list: how it stands, what is done with it, its entries.

use askama::Template;
use axum::{
    Form as Sent,
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use xuezhu_proto::aid::{AwardEntry, AwardList, GetAwardListRequest, ListEntriesRequest, TakeOutEntriesRequest, award_entry::State};

use super::{acts, corrections, decides, mark, mark_of, path, title};
use crate::{
    pages::{
        Desk, PageError, notices,
        printed::{self, Every, ROWS_AT_ONCE},
        quotas, render, show,
        takeouts::{self, give},
    },
    parts::{Act, Address, Cell, Field, Figure, Figures, Form, Note, Place, Row, Table, Tone, place::Way, table::Tick},
    takeouts::Asked,
};

/// Entries on a page.
const ROWS: i32 = 100;

/// Which entries are asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    /// Which page.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    pub at: i32,
    /// Only who is held.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    pub held: bool,
    /// Only in this state.
    pub state: String,
    /// Whether all of them are printed.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    print: bool,
}

impl Asks {
    fn state(&self) -> State {
        State::from_str_name(&self.state).unwrap_or_default()
    }

    /// What narrows them, in words; empty where nothing does.
    fn narrowed(&self) -> String {
        if self.held { "有疑点".to_owned() } else { show::state(&self.state).to_owned() }
    }

    fn asked(&self, school: &str, list: &str) -> ListEntriesRequest {
        ListEntriesRequest {
            school: school.to_owned(),
            list: list.to_owned(),
            held_only: self.held,
            state: self.state().into(),
            ..ListEntriesRequest::default()
        }
    }

    /// The entries of a page of so many, and how many there are on all.
    async fn numbered(&self, desk: &Desk, (school, list): (&str, &str), rows: i32, at: i32) -> Result<(Vec<AwardEntry>, i32), PageError> {
        let asked = ListEntriesRequest { page_size: rows, page_number: at.max(1), ..self.asked(school, list) };
        let answer = desk.awards().list_entries(desk.request(asked)).await?.into_inner();
        Ok((answer.entries, answer.total_size))
    }

    /// The entries of the page that is asked for, and how many there are on all.
    pub async fn entries(&self, desk: &Desk, school: &str, list: &str) -> Result<(Vec<AwardEntry>, i32), PageError> {
        self.numbered(desk, (school, list), ROWS, self.at).await
    }

    /// The entries of every page.
    pub async fn all(&self, desk: &Desk, school: &str, list: &str) -> Result<Vec<AwardEntry>, PageError> {
        let mut every = Every::new();
        while let Some(at) = every.next() {
            let (entries, total) = self.numbered(desk, (school, list), ROWS_AT_ONCE, at).await?;
            every.take(entries, total)?;
        }
        Ok(every.rows())
    }

    /// What goes along with a form of the page, so that it knows which entries are meant.
    pub fn kept(&self, form: Form) -> Form {
        form.with(Field::kept("at", self.at.to_string())).with(Field::kept("state", &self.state)).with(Field::kept("held", if self.held { "true" } else { "" }))
    }

    /// Takes a field of such a form, if it is of this.
    pub fn take(&mut self, name: &str, value: &str) {
        match name {
            "at" => self.at = value.parse().unwrap_or_default(),
            "state" => value.clone_into(&mut self.state),
            "held" => self.held = value == "true",
            _ => {}
        }
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
    /// To open it again.
    reopen: Option<Form>,
    only: Option<Note>,
    table: Table,
    back: Option<Form>,
    redraft: Option<Form>,
    correction: Option<Act>,
    takeout: Option<takeouts::Offer>,
    /// When it is or was shown publicly.
    notices: Option<Table>,
    /// How many may be let in, where only so many may.
    quotas: Option<quotas::OfList>,
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
    if asks.print {
        printed::may_print_people(&desk)?;
        return print(desk, &list, &asks).await;
    }
    let (entries, total) = asks.entries(&desk, &school, &list.list).await?;
    let notices = if list.announces && list.closed_to_new { notices::of_list(&desk, &list.school, &list.list).await? } else { None };
    let quotas = if list.limited { quotas::of_list(&desk, &list).await? } else { None };
    let correction = corrections::Offer::of(&desk.user, &list, &entries);
    let correcting = correction.as_ref().map(|offer| offer.act(&desk, &list, &asks));
    let returning = acts::returning(&desk, &list);
    let redrafting = acts::redrafting(&desk, &list);
    let back = |form: &Form| form.back_of("entry");
    let ticked = correcting.as_ref().and_then(|act| act.back_of("entry")).or_else(|| back(&returning)).or_else(|| back(&redrafting)).unwrap_or_default();
    let who = Who { desk: &desk, list: &list, correction: correction.as_ref(), ticked: &ticked };
    let back = entries.iter().any(|entry| who.may_return(entry)).then_some(returning);
    let redraft = entries.iter().any(|entry| who.may_redraft(entry)).then_some(redrafting);
    let here = Address::of(path(&list)).with("state", asks.state.as_str()).with("held", if asks.held { "true" } else { "" });
    let table =
        who.table(&entries).place(Place::of(total, "人", asks.at.into(), ROWS).by_number(&Way::Link(here.clone())).printed(printed::of_people(&desk, &here)));
    let only = Some(asks.narrowed()).filter(|narrowed| !narrowed.is_empty()).map(|narrowed| format!("只看{narrowed}的。"));
    let narrowed = vec![("state", asks.state.clone()), ("held", asks.held.to_string())];
    let page = OnePage {
        state: mark(&list),
        figures: figures(&list),
        notes: wrong.into_iter().chain(notes(&desk, &list)).collect(),
        acts: acts::of(&desk, &list),
        reopen: acts::reopening(&desk, &list),
        only: only.map(|text| Note::of(Tone::Plain, text).way(path(&list), "看全部")),
        table,
        back,
        redraft,
        correction: correcting,
        notices,
        quotas,
        takeout: takeouts::Offer::of(&desk, desk.user.decides_aid(), &list.school, format!("{}/takeOut", path(&list)), narrowed),
        list,
        desk,
    };
    Ok(render(&page))
}

/// All of its entries that are asked for, to be printed.
async fn print(desk: Desk, list: &AwardList, asks: &Asks) -> Result<Response, PageError> {
    let entries = asks.all(&desk, &list.school, &list.list).await?;
    let table = Who { desk: &desk, list, correction: None, ticked: &[] }.table(&entries);
    let back = Address::of(path(list)).with("state", asks.state.as_str()).with("held", if asks.held { "true" } else { "" });
    let digest = if list.digest.is_empty() { String::new() } else { format!("名单摘要 {}", list.digest) };
    let school = if desk.user.is_school() { String::new() } else { list.school_name.clone() };
    let narrowed = [school, asks.narrowed(), digest];
    Ok(printed::page(desk, &title(list), &narrowed, back, table))
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
    if list.locked {
        let text = format!("名单已于{}锁定：不能再录入、签核和审核，已审核的只能申请更正；确需补办的，由省级主管部门重新开放。", list.lock_date);
        notes.push(Note::of(Tone::Wait, text));
    } else if !list.reopened_date.is_empty() {
        notes.push(Note::of(Tone::Wait, format!("名单已经锁定，现重新开放至{}。", list.reopened_date)));
    } else if !list.lock_date.is_empty() && list.drafts + list.submitted + list.attested > 0 {
        notes.push(Note::of(Tone::Plain, format!("本名单于{}以后锁定：在此以前要签核、审核完毕。", list.lock_date)));
    }
    if desk.user.is_clerk() && list.closed_to_new {
        notes.push(Note::of(Tone::Plain, "名单已经提交过：新增的学生请列入补充名单。").way("/lists", "新建补充名单"));
    }
    if desk.user.is_clerk() && list.sent_back > 0 {
        let text = format!("有 {} 人被退回，原因见表。点“修改”改好，或勾选后原样转为草稿，再提交；不该列入的，移出。", list.sent_back);
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

    /// Whether an entry was sent back to who looks.
    fn may_redraft(&self, entry: &AwardEntry) -> bool {
        self.desk.user.is_clerk() && entry.state() == State::SentBack
    }

    /// How an entry is ticked: for the form that may act on it.
    fn tick(&self, entry: &AwardEntry) -> Option<Tick> {
        let form = if self.may_return(entry) {
            "back"
        } else if self.may_redraft(entry) {
            "redraft"
        } else if self.correction.is_some_and(|offer| offer.fits(entry)) {
            "correction"
        } else {
            return None;
        };
        let value = if form == "redraft" { acts::tick(entry) } else { entry.entry.clone() };
        Some(Tick { form, name: "entry", is_on: self.ticked.contains(&value), value, label: entry.name.clone() })
    }

    fn table(&self, entries: &[AwardEntry]) -> Table {
        let ticks = entries.iter().any(|entry| self.tick(entry).is_some());
        let removes = self.desk.user.is_clerk() && entries.iter().any(|entry| matches!(entry.state(), State::Draft | State::SentBack));
        let table = Table::of("名单").columns(["姓名", "班级", "证件号", "月份", "档次"]).number("金额（元）").columns(["状态", "疑点"]);
        let table = if removes { table.acts() } else { table };
        table.ticks(ticks).rows(entries.iter().map(|entry| self.row(entry, removes))).empty("名单上还没有学生。")
    }

    fn row(&self, entry: &AwardEntry, removes: bool) -> Row {
        let name = if entry.person.is_empty() { Cell::from(&entry.name) } else { Cell::link(format!("/students/{}", entry.person), entry.name.as_str()) };
        // Taken from the roll, which tells no number: the year tells who is meant.
        let born = if entry.birth_year != 0 && entry.from_roll { format!("{}年生", entry.birth_year) } else { String::new() };
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
            Cell::from(&entry.class_name),
            Cell::unbroken(&entry.id_number).beside(born),
            Cell::text(show::months(&entry.months)).beside(standing).beside(stopping),
            Cell::from(&entry.tier),
            Cell::yuan(entry.amount_fen).beside(standing_fen),
            mark_of(entry.state()).beside(entry.sent_back_reason.as_str()).beside(entry.refusal_message.as_str()),
            flags.maybe(forgotten),
        ])
        .and_if(removes, || {
            let edit = || Cell::link(format!("{}/entries/{}", path(self.list), entry.entry), "修改");
            if is_removable { edit().and(Cell::act(acts::removing(self.desk, self.list, &entry.entry))) } else { Cell::default() }
        })
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
