//! Who is eligible, and why: each student judged by the roll and the policy that holds. Those who are proposed are ticked, some or all. A large
//! school is looked at class by class, or as a whole if somebody asks for it.

use askama::Template;
use axum::{
    Form as Sent,
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::aid::{AwardList, Candidate, CandidateClass, ProposeAwardsRequest, ProposeAwardsResponse};

use super::{path, title};
use crate::{
    pages::{Desk, PageError, printed, render, show, unknown_act},
    parts::{
        Address, Cell, Field, Form, Note, Place, Row, Table, Tone, Whole,
        field::{Choice, blank_is_none},
        place::Way,
        table::Tick,
    },
};

/// Students on a page.
const ROWS: usize = 100;
/// Students of a school who are looked at together without being asked for.
const MOST: i32 = 600;

/// Which of the students.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Proposed, and on no list.
    Proposed,
    /// Not proposed.
    Others,
    /// On a list already.
    Listed,
}

impl Part {
    const ALL: [Self; 3] = [Self::Proposed, Self::Others, Self::Listed];

    fn word(self) -> &'static str {
        match self {
            Self::Proposed => "",
            Self::Others => "others",
            Self::Listed => "listed",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Proposed => "建议列入",
            Self::Others => "不建议列入",
            Self::Listed => "已在名单上",
        }
    }

    fn empty(self) -> &'static str {
        match self {
            Self::Proposed => "按现有数据没有可以再列入的学生。",
            Self::Others | Self::Listed => "没有这样的学生。",
        }
    }

    fn of(candidate: &Candidate) -> Self {
        match (candidate.listed, candidate.proposed) {
            (true, _) => Self::Listed,
            (false, true) => Self::Proposed,
            (false, false) => Self::Others,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    part: String,
    class: String,
    /// Whether the whole school is meant, however large.
    #[serde(deserialize_with = "blank_is_none")]
    whole: bool,
    #[serde(deserialize_with = "blank_is_none")]
    at: i64,
    /// Whether all of them are printed.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    print: bool,
}

impl Asks {
    fn part(&self) -> Part {
        Part::ALL.into_iter().find(|part| part.word() == self.part).unwrap_or(Part::Proposed)
    }

    fn finds(&self, candidate: &Candidate) -> bool {
        Part::of(candidate) == self.part()
    }

    /// Where these are, in a part of them.
    fn way(&self, own: &Address, part: Part) -> Address {
        let own = own.clone().with("part", part.word()).with("class", self.class.as_str());
        if self.whole { own.with("whole", "true") } else { own }
    }
}

#[derive(Template)]
#[template(path = "lists/candidates.html")]
struct CandidatesPage {
    desk: Desk,
    list: AwardList,
    note: Option<Note>,
    /// Ways to the parts, with how many are in each, and whether it is shown; none where classes are shown.
    parts: Vec<(Address, String, bool)>,
    narrow: Form,
    table: Table,
    propose: Option<Form>,
}

async fn judged(desk: &Desk, school: &str, list: &str, asks: &Asks) -> Result<ProposeAwardsResponse, PageError> {
    let asked = ProposeAwardsRequest {
        school: school.to_owned(),
        list: list.to_owned(),
        preview: true,
        class_name: asks.class.clone(),
        most: if asks.whole { 0 } else { MOST },
        ..Default::default()
    };
    Ok(desk.awards().propose_awards(desk.request(asked)).await?.into_inner())
}

/// Who is proposed, who is not, who is on the list.
pub async fn page(desk: Desk, Path((school, list)): Path<(String, String)>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let ProposeAwardsResponse { candidates, classes, term, scheme_name, supplement, closed_to_new, .. } = judged(&desk, &school, &list, &asks).await?;
    // As much of the list as its title says: all of it would be read entry by entry.
    let list = AwardList { school, list, term, scheme_name, supplement, closed_to_new, ..AwardList::default() };
    let own = Address::of(format!("{}/candidates", path(&list)));
    let narrow = narrowing(&desk, &asks, own.path(), &classes);
    if candidates.is_empty() && !classes.is_empty() {
        let note = Note::of(Tone::Plain, "本校学生较多，请按班查看、按班列入。").way(own.clone().with("whole", "true"), "全校一起看（较慢）");
        let table = of_classes(&own, &classes);
        return Ok(render(&CandidatesPage { desk, list, note: Some(note), parts: Vec::new(), narrow, table, propose: None }));
    }
    let way = |part: Part| {
        let count = candidates.iter().filter(|candidate| Part::of(candidate) == part).count();
        (asks.way(&own, part), format!("{}（{count}）", part.name()), part == asks.part())
    };
    let found: Vec<&Candidate> = candidates.iter().filter(|candidate| asks.finds(candidate)).collect();
    if asks.print {
        printed::may_print_people(&desk)?;
        let table = table(&asks, &found, false, &[]);
        let back = asks.way(&own, asks.part());
        return Ok(printed::page(desk, &title(&list), &[asks.part().name().to_owned(), asks.class.clone()], back, table));
    }
    let some = candidates.iter().any(|candidate| Part::of(candidate) == Part::Proposed);
    let note = (some && list.closed_to_new).then(|| Note::of(Tone::Plain, "名单已经提交过：这些学生请列入补充名单。").way("/lists", "新建补充名单"));
    let pages = found.len().div_ceil(ROWS).max(1);
    let at = usize::try_from(asks.at).unwrap_or(1).clamp(1, pages);
    let shown: Vec<&Candidate> = found.iter().skip((at - 1) * ROWS).take(ROWS).copied().collect();
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let may = desk.user.is_clerk() && !list.closed_to_new && asks.part() == Part::Proposed && !shown.is_empty();
    let propose = may.then(|| proposing(&desk, &list, &asks, total));
    let on = propose.as_ref().and_then(|form| form.back_of("person")).unwrap_or_default();
    let here = asks.way(&own, asks.part());
    let whole = printed::of_people(&desk, &here);
    let place = Place::of(total, "人", i64::try_from(at).unwrap_or(1), i64::try_from(ROWS).unwrap_or(1)).by_number(&Way::Link(here)).printed(whole);
    let table = table(&asks, &shown, propose.is_some(), &on).place(place);
    let parts = Part::ALL.map(way).to_vec();
    Ok(render(&CandidatesPage { desk, list, note, parts, narrow, table, propose }))
}

fn narrowing(desk: &Desk, asks: &Asks, path: &str, classes: &[CandidateClass]) -> Form {
    let classes = classes.iter().map(|class| Choice::of(&class.class_name, &class.class_name));
    Form::narrow(desk, "narrow", path)
        .with(Field::kept("part", asks.part().word()))
        .with(Field::narrows("class", classes).called("班级").value(&asks.class))
        .plain("筛选", "")
}

/// The classes of a large school, with how far each is on lists.
fn of_classes(own: &Address, classes: &[CandidateClass]) -> Table {
    let row = |class: &CandidateClass| {
        let way = Cell::link(own.clone().with("class", class.class_name.as_str()), class.class_name.as_str());
        Row::of([way, Cell::number(class.students), Cell::number(class.listed)])
    };
    Table::of("各班").columns(["班级"]).numbers(["在读（人）", "其中已在本学期名单上（人）"]).rows(classes.iter().map(row))
}

/// The form under those who are proposed, for whom somebody ticked.
fn proposing(desk: &Desk, list: &AwardList, asks: &Asks, total: i64) -> Form {
    let of = if asks.class.is_empty() { "建议列入的" } else { "本班建议列入的" };
    Form::of::<ProposeAwardsRequest>(desk, "propose", format!("{}/candidates", path(list)))
        .row()
        .with(Field::kept("class", &asks.class))
        .act("列入勾选的", "ticked")
        .whole(total, "all", &format!("{of}全部列入"))
}

fn table(asks: &Asks, rows: &[&Candidate], ticks: bool, on: &[String]) -> Table {
    let proposed = asks.part() == Part::Proposed;
    let row = |row: &&Candidate| {
        let tone = if row.proposed { Tone::Good } else { Tone::Plain };
        let name = Cell::link(format!("/students/{}", row.person), row.name.as_str());
        let tick = Tick { form: "propose", name: "person", value: row.person.clone(), label: row.name.clone(), is_on: on.contains(&row.person) };
        Row::of([name, Cell::from(&row.class_name), Cell::from(&row.major_name), Cell::mark(tone, row.message.as_str())])
            .and_if(proposed, || Cell::text(show::months(&row.months)))
            .and_if(proposed, || Cell::yuan(row.amount_fen))
            .ticked(ticks.then_some(tick))
    };
    let table = Table::of(asks.part().name()).columns(["姓名", "班级", "专业", "原因"]).column_if(proposed, "月份");
    let table = if proposed { table.number("金额（元）") } else { table };
    table.ticks(ticks).rows(rows.iter().map(row)).empty(asks.part().empty())
}

/// Who is to be put on the list.
#[derive(Debug, Default)]
struct ProposeForm {
    request_id: String,
    act: String,
    persons: Vec<String>,
    asks: Asks,
    whole: Whole,
}

impl ProposeForm {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "act" => form.act = value,
                "class" => form.asks.class = value,
                "person" => form.persons.push(value),
                other => form.whole.take(other, &value),
            }
        }
        form
    }
}

/// Puts whoever is ticked, or all who match, on the list.
pub async fn propose(desk: Desk, Path((school, list)): Path<(String, String)>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let ProposeForm { request_id, act, persons, asks, whole } = ProposeForm::of(pairs);
    let list_page = format!("/schools/{school}/lists/{list}");
    // Whoever goes class by class goes on with the next one.
    let back = if asks.class.is_empty() { list_page } else { format!("{list_page}/candidates") };
    let asked = match act.as_str() {
        "ticked" if persons.is_empty() => return Err(Status::invalid_argument("请先勾选要列入的学生").into()),
        "ticked" => ProposeAwardsRequest { school, list, persons, ..Default::default() },
        "all" => ProposeAwardsRequest { school, list, class_name: asks.class, count: whole.count()?, ..Default::default() },
        unknown => return Err(unknown_act(unknown)),
    };
    let added = desk.awards().propose_awards(desk.change(&request_id, asked)).await?.into_inner().added;
    Ok(desk.done(format!("{added} 名学生已列入名单。"), back))
}
