//! One student, typed on a page: the checks and the matching of a file, on one row.

use std::sync::Arc;

use uuid::Uuid;
use xuezhu_domain::codes;
use xuezhu_intake::{At, Fault, Findings, Kind, Options, Spot, What};
use xuezhu_proto::common::Problem;
use xuezhu_service::{Context, Error, FieldErrors, Reason, Refusal};
use xuezhu_store::Tx;
use xuezhu_workbook::{Cell, Row};

use super::{
    Keyed, Rules, SchoolRules, Students, place,
    row::{Columns, columns_of},
    rules,
};
use crate::{Parts, directory, roll};

/// Where the one row stands.
const SPOT: Spot = Spot { table: 0, row: 0 };

/// What columns say, as it was typed.
pub type Said = [(&'static str, String)];

/// What was found of a row.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong.
    pub faults: Vec<Problem>,
    /// What is worth a second look.
    pub doubts: Vec<Problem>,
}

impl Checked {
    fn of(faults: &[Fault], doubts: &[Fault]) -> Self {
        let told = |of: &[Fault]| of.iter().map(|fault| fault.at("", 0)).collect();
        Self { faults: told(faults), doubts: told(doubts) }
    }

    fn and(&mut self, found: Findings) {
        let report = found.report(0, 0, 0);
        self.faults.extend(report.problems);
        self.doubts.extend(report.warnings);
    }

    /// What is doubtful, where nothing is wrong; else refused, each column at fault a field.
    pub fn passed(self) -> Result<Vec<Problem>, Error> {
        let mut errors = FieldErrors::default();
        for fault in &self.faults {
            let reason = if fault.proposed.is_empty() { fault.reason.clone() } else { format!("{}；是否为“{}”？", fault.reason, fault.proposed) };
            errors.add(if fault.column.is_empty() { "columns" } else { &fault.column }, reason);
        }
        errors.check()?;
        Ok(self.doubts)
    }
}

/// A row that can be written.
#[derive(Debug)]
pub struct Ready {
    enrollment: Uuid,
    row: Keyed,
    does: Does,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Enter,
    Change,
    Nothing,
}

/// Looks at a new student.
pub async fn look_at_new(ctx: &Context, tx: &mut Tx, of: &Students, said: &Said) -> Result<(Option<Ready>, Checked), Error> {
    let rules = of.rules(ctx, tx).await?;
    let (row, mut checked) = read(of, &rules, |header| value_of(said, header).unwrap_or_default());
    let Some(row) = row else { return Ok((None, checked)) };
    let mut found = Findings::default();
    let placed = place::place(of, ctx, tx, &[At { spot: SPOT, row: &row }], Options::default(), &mut found).await?;
    let enrollment = match placed.first().map(|placed| &placed.what) {
        Some(What::New { item }) => Some(*item),
        Some(What::Changed { .. } | What::Unchanged) => {
            let why = "本校已有该生的记录（证件号或学号相同），没有另录一条；请在学生列表中找到该生，在其页面修改";
            found.fault(SPOT, &Fault::new("身份证件号", &row.row.id.masked(), "ALREADY_THERE", why));
            None
        }
        None => None,
    };
    checked.and(found);
    Ok((enrollment.map(|enrollment| Ready { enrollment, row, does: Does::Enter }), checked))
}

/// Looks at what a draft is to say: columns that are not typed stay as they are.
pub async fn look_at_own(ctx: &Context, tx: &mut Tx, of: &Students, own: Uuid, said: &Said) -> Result<(Option<Ready>, Checked), Error> {
    let rules = of.rules(ctx, tx).await?;
    if !roll::drafts::is_of(tx, &of.school, own).await? {
        return Err(Refusal::not_found("该学籍").into());
    }
    let standing = roll::drafts::standing(tx, std::iter::once(own)).await?.remove(&own).ok_or_else(|| Refusal::not_found("该学籍"))?;
    if !standing.state.is_editable() {
        let why = format!("当前为“{}”，不能修改；已提交的请先由审核方退回，已批准的请按信息变更或异动办理", standing.state.name());
        return Err(Refusal::wrong_state(why).into());
    }
    let stored = columns_of(&standing.row.details(&of.parts)?);
    // A name may be several majors': said as it is shown, it stays the one that it is.
    let listed = codes::major_of_key(standing.row.major()).map_or("", |major| major.name);
    let is_other = |header: &str, typed: &&str| header != "专业简称" || typed.trim() != listed;
    let typed = |header: &str| value_of(said, header).filter(|typed| is_other(header, typed));
    let value = |header: &'static str| typed(header).or_else(|| stored.get(header).map(String::as_str)).unwrap_or_default();
    let (row, mut checked) = read(of, &rules, value);
    let Some(row) = row else { return Ok((None, checked)) };
    let mut found = Findings::default();
    place::place_own(of, tx, own, &At { spot: SPOT, row: &row }, standing.row.major(), &mut found).await?;
    checked.and(found);
    let does = if standing.row.content_hash() == &row.content[..] { Does::Nothing } else { Does::Change };
    Ok((checked.faults.is_empty().then_some(Ready { enrollment: own, row, does }), checked))
}

/// Writes it; returns which record it is.
pub async fn write(ctx: &Context, tx: &mut Tx, of: &Students, ready: &Ready) -> Result<Uuid, Error> {
    let draft = [(ready.enrollment, ready.row.draft())];
    match ready.does {
        Does::Enter => roll::drafts::enter(ctx, tx, &of.parts, &of.school, &draft, &[]).await?,
        Does::Change => roll::drafts::enter(ctx, tx, &of.parts, &of.school, &[], &draft).await?,
        Does::Nothing => return Err(Refusal::new(Reason::NothingToDo, "内容与现有的相同，没有改动").into()),
    }
    Ok(ready.enrollment)
}

/// Looks at some columns of a record that is no draft, among all the others: what is wrong with those alone, and what each is kept as.
pub async fn look_at_columns(
    ctx: &Context,
    tx: &mut Tx,
    of: &Students,
    stored: &Columns,
    said: &Said,
) -> Result<(Vec<(&'static str, String)>, Checked), Error> {
    let rules = Rules { majors: directory::majors(tx, &of.school).await?, today: ctx.today() };
    let value = |header: &'static str| value_of(said, header).or_else(|| stored.get(header).map(String::as_str)).unwrap_or_default();
    let (_, mut checked) = read(of, &rules, value);
    let is_said = |problem: &Problem| value_of(said, &problem.column).is_some();
    checked.faults.retain(is_said);
    checked.doubts.retain(is_said);
    let kept = said.iter().map(|(header, typed)| (*header, rules::normalise(header, typed))).collect();
    Ok((kept, checked))
}

fn value_of<'s>(said: &'s Said, header: &str) -> Option<&'s str> {
    said.iter().find(|(known, _)| *known == header).map(|(_, value)| value.as_str())
}

/// Reads a row as a file's is read.
fn read<'v>(of: &Students, rules: &Rules, value: impl Fn(&'static str) -> &'v str) -> (Option<Keyed>, Checked) {
    let typed = |column: &codes::Column| Cell { text: value(column.header).to_owned(), flaw: None };
    let row = Row { number: SPOT.row, cells: codes::COLUMNS.iter().map(typed).collect(), hidden: false, beyond: false };
    let school = SchoolRules { school: &of.school, majors: &rules.majors, today: rules.today };
    let (parsed, faults, doubts) = rules::parse(&rules::Layout::whole(), &row, &school);
    (parsed.map(|parsed| Keyed::new(&of.parts, parsed)), Checked::of(&faults, &doubts))
}

/// A school's students.
pub fn students(parts: &Arc<Parts>, school: &str) -> Students {
    Students { parts: parts.clone(), school: school.to_owned() }
}
