//! 家庭经济困难学生认定: what a school knows of a family, and the level that is determined for a school year. Whoever judges reads what was
//! determined through the view `determined_levels`.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | entering, taking off, submitting, reading |
//! | `rules` | what can be said of a family, from when until when a level holds |
//! | `kind` | levels as a kind of dossier: the last signature determines them |
//! | `import` | levels as a file |
//! | `api` | gRPC in |

pub mod api;
mod import;
pub mod kind;
pub mod rules;
mod store;

use std::collections::{HashMap, HashSet};

use chrono::Days;
use uuid::Uuid;
use xuezhu_domain::{enrollment::PeriodState, text::comparable_name};
use xuezhu_judge::case::{Person, PersonCase, Place};
use xuezhu_proto::{
    aid::{self as pb, hardship_level},
    common as told,
};
use xuezhu_review::{OfSchool, Proposal, told as tell};
use xuezhu_service::{
    Context, Error, FieldErrors, Permission, Reason, Refusal,
    paging::{self, Turn},
};
use xuezhu_store::{StoreError, Tx};

use self::{
    rules::{Family, State, is_drawn, reaches_back, school_year_of, span},
    store::{After, LevelRow, Narrowed},
};
use crate::{
    Parts, mirror,
    reconciliation::{self, Attending},
};

/// Longest word about how levels were determined, in characters.
const NOTE: usize = 500;

/// What is entered for a student.
#[derive(Debug, Clone)]
pub struct Entered {
    school: String,
    person: Uuid,
    school_year: i32,
    level: String,
    from_date: String,
    family: Option<Family>,
}

/// Enters a level for a student, or that there is none any more.
pub async fn enter(ctx: &Context, tx: &mut Tx, parts: &Parts, entered: &Entered) -> Result<pb::HardshipLevel, Error> {
    let school = mirror::school_for(ctx, tx, &entered.school, Permission::EnterForSchool).await?;
    let (from_day, to_day) = sound(ctx, parts, entered)?;
    let student = student(ctx, tx, &school.school, entered).await?;
    // Two who enter for one student at once take turns.
    reconciliation::lock_keys(tx, &[student.key]).await?;
    if let Some(known) = store::under_way(tx, &school.school, student.key, entered.school_year).await?
        && !store::forget(tx, known.determination).await?
    {
        return Err(Refusal::wrong_state("该生本学年已有困难认定在办，请待其办结，或先撤回").into());
    }
    if entered.level.is_empty() && !store::holds(tx, student.key, from_day).await? {
        return Err(Refusal::field("level", "该生没有可以终止的困难等级").into());
    }
    let determination = ctx.new_id();
    let family = entered.family.clone().unwrap_or_default();
    let plain = serde_json::to_vec(&family).map_err(|error| Error::Internal(error.to_string()))?;
    let row = LevelRow {
        determination,
        dossier: None,
        school: school.school,
        school_year: entered.school_year,
        person_key: student.key,
        name_comparable: comparable_name(&student.name),
        name: student.name,
        class_name: student.class_name,
        level: entered.level.clone(),
        from_day,
        to_day,
        circumstances_sealed: parts.keyring.seal("family", &[determination], &plain),
        state: State::Draft,
        reason: String::new(),
        recorded_day: ctx.today(),
        recorded_at_us: ctx.now_us(),
        cut_day: None,
    };
    store::insert(tx, &row).await?;
    Ok(pb::HardshipLevel { family: Some(family_told(family)), ..to_proto(parts, &row) })
}

/// Names of the levels by the policy of today; refuses where there are none.
fn levels(ctx: &Context, parts: &Parts) -> Result<Vec<String>, Error> {
    let policies = parts.policies.now();
    let levels = policies.on(ctx.today()).policy.hardship().map(|hardship| hardship.levels.clone()).unwrap_or_default();
    if levels.is_empty() {
        return Err(Refusal::wrong_state("现行资助政策没有规定困难等级，不办理困难认定").into());
    }
    Ok(levels)
}

/// From when until when it holds, if what is entered can be; every fault is told by its field.
fn sound(ctx: &Context, parts: &Parts, entered: &Entered) -> Result<(chrono::NaiveDate, chrono::NaiveDate), Error> {
    let mut errors = FieldErrors::default();
    let levels = levels(ctx, parts)?;
    if !entered.level.is_empty() && !levels.contains(&entered.level) {
        errors.add("level", format!("没有这个等级，应为：{}；不再困难的留空", levels.join("、")));
    }
    let from = if entered.from_date.is_empty() { None } else { errors.date("from_date", &entered.from_date) };
    let span = span(entered.school_year, from, entered.level.is_empty(), ctx.today()).map_err(|(field, why)| errors.add(field, why)).ok();
    match (&entered.family, entered.level.is_empty()) {
        (Some(family), false) => family.check(&mut errors),
        (None, false) => errors.add("family", "认定困难等级须填写家庭经济信息"),
        (Some(_), true) => errors.add("family", "不再困难的，不填家庭经济信息"),
        (None, true) => {}
    }
    errors.check()?;
    span.ok_or_else(|| Error::Internal("a field is missing and not told".into()))
}

/// Who is meant.
#[derive(Debug, Clone)]
struct Student {
    key: Uuid,
    name: String,
    class_name: String,
}

/// A student who is at a school today, in school or on leave: only there a level is determined, and ended.
async fn student(ctx: &Context, tx: &mut Tx, school: &str, entered: &Entered) -> Result<Student, Error> {
    let generation = mirror::state(tx).await?.generation;
    let within = [ctx.today(), ctx.today() + Days::new(1)];
    let keys = reconciliation::keys_of_persons(tx, Attending { generation, school, within }, [entered.person]).await?;
    for case in reconciliation::places(tx, generation, &keys).await? {
        let Some(person) = case.persons.iter().find(|person| person.person == entered.person) else { continue };
        let Some(place) = place_today(ctx, &case, person, school) else { continue };
        return Student::of(person, place);
    }
    Err(Refusal::field("person", "该生今天不在本校的学籍中（或学籍尚未批准、尚未同步到资助系统）；在他校的由他校认定").into())
}

impl Student {
    /// Under the number that they go by now.
    fn of(person: &Person, place: &Place) -> Result<Self, Error> {
        let key = person.keys.iter().find(|bond| bond.end_recorded.is_none()).ok_or(StoreError::Corrupt("key of a person"))?.value;
        Ok(Self { key, name: person.name().to_owned(), class_name: place.class_name.clone() })
    }
}

/// Students who are at a school today, by those of these keys that stand for them today.
async fn students_of_keys(ctx: &Context, tx: &mut Tx, school: &str, keys: &[Uuid]) -> Result<HashMap<Uuid, Student>, Error> {
    let generation = mirror::state(tx).await?.generation;
    let beside = reconciliation::keys_beside(tx, generation, keys).await?;
    let mut students = HashMap::new();
    for case in reconciliation::places(tx, generation, &beside).await? {
        for person in &case.persons {
            let Some(place) = place_today(ctx, &case, person, school) else { continue };
            let student = Student::of(person, place)?;
            let own = keys.iter().filter(|key| person.may_wait_under(**key, ctx.today()));
            students.extend(own.map(|key| (*key, student.clone())));
        }
    }
    Ok(students)
}

/// Where somebody is at a school today, in school or on leave.
fn place_today<'c>(ctx: &Context, case: &'c PersonCase, person: &Person, school: &str) -> Option<&'c Place> {
    let here = case.enrollments.iter().filter(|enrollment| enrollment.school == school && enrollment.person == Some(person.person));
    let today = here.flat_map(|enrollment| &enrollment.timeline).find(|span| span.contains(ctx.today()))?;
    matches!(today.state.state, PeriodState::InSchool | PeriodState::OnLeave).then_some(&today.state)
}

/// Those of these keys whose persons are at a school today.
async fn attending(ctx: &Context, tx: &mut Tx, school: &str, keys: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    let generation = mirror::held_state(tx).await?.generation;
    let keys = reconciliation::keys_beside(tx, generation, keys).await?;
    let cases = reconciliation::places(tx, generation, &keys).await?;
    let here = cases.iter().flat_map(|case| case.persons.iter().filter(|person| place_today(ctx, case, person, school).is_some()));
    Ok(here.flat_map(|person| person.keys.iter().map(|bond| bond.value)).collect())
}

/// Takes off what is with the clerk.
pub async fn remove(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, determination: Uuid) -> Result<pb::HardshipLevel, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let row = one(tx, &school.school, determination).await?;
    if !store::forget(tx, determination).await? {
        return Err(Refusal::wrong_state("只能移除尚未提交的认定").into());
    }
    Ok(to_proto(parts, &LevelRow { state: State::Dropped, ..row }))
}

async fn one(tx: &mut Tx, school: &str, determination: Uuid) -> Result<LevelRow, Error> {
    store::level(tx, school, determination).await?.ok_or_else(|| Refusal::not_found("该认定").into())
}

/// Submits all that is with the clerk of a school year.
pub async fn submit(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, school_year: i32, seen: i32, reason: &str) -> Result<told::Dossier, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let mut errors = FieldErrors::default();
    let reason = errors.text("reason", reason, NOTE);
    errors.check()?;
    let keys: Vec<Uuid> = store::drafts(tx, &school.school, school_year).await?.iter().map(|row| row.person_key).collect();
    reconciliation::lock_keys(tx, &keys).await?;
    // Whoever was entered or taken off meanwhile is not what was locked: their turn comes with the next submission.
    let rows: Vec<LevelRow> = store::drafts(tx, &school.school, school_year).await?.into_iter().filter(|row| keys.contains(&row.person_key)).collect();
    Refusal::unless_seen(seen, rows.len())?;
    if rows.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有待提交的困难认定").into());
    }
    if let Some(row) = rows.iter().find(|row| reaches_back(row.from_day, ctx.today())) {
        let why = format!("{}的认定自{}起，已是上个学期：请重新录入后再提交", row.name, row.from_day);
        return Err(Refusal::wrong_state(why).into());
    }
    let dossier = ctx.new_id();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.determination).collect();
    if usize::try_from(store::submit(tx, &ids, dossier).await?).ok() != Some(ids.len()) {
        return Err(Refusal::new(Reason::Conflict, "待提交的认定刚刚有变化，请刷新后重试").into());
    }
    let title = format!("{}（{school_year}—{}学年，{}人）", kind::ABOUT.name, school_year + 1, rows.len());
    let items = rows.iter().map(kind::item).collect();
    let proposal = Proposal { dossier, subject: None, title, reason: reason.unwrap_or_default(), items };
    let of = OfSchool { code: &school.school, authority: &school.authority };
    let dossier = xuezhu_review::submit(ctx, tx, &kind::HardshipRound { parts }, of, proposal).await?;
    Ok(tell::dossier(&kind::ABOUT, &dossier, &school.name, ctx.today()))
}

/// What is asked of a list of levels.
#[derive(Debug, Clone)]
pub struct Asked {
    narrowed: Narrowed,
    turn: Turn<After>,
}

/// Levels of a school in a school year.
pub async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked) -> Result<(pb::ListHardshipResponse, Option<After>), Error> {
    let school = mirror::school_for(ctx, tx, &asked.narrowed.school, Permission::ReadFamily).await?;
    let school_year = if asked.narrowed.school_year == 0 { school_year_of(ctx.today()) } else { asked.narrowed.school_year };
    let narrowed = Narrowed { school: school.school, school_year, ..asked.narrowed.clone() };
    let rows = store::levels(tx, &narrowed, &asked.turn).await?;
    let total = if asked.turn.is_numbered { store::count(tx, &narrowed).await? } else { 0 };
    let (drafts, holding) = store::standing(tx, &narrowed.school, school_year, ctx.today()).await?;
    let policies = parts.policies.now();
    let answer = pb::ListHardshipResponse {
        levels: rows.iter().map(|row| to_proto(parts, row)).collect(),
        total_size: paging::told(total),
        drafts: paging::told(drafts),
        holding: paging::told(holding),
        level_names: policies.on(ctx.today()).policy.hardship().map(|hardship| hardship.levels.clone()).unwrap_or_default(),
        school_year,
        ..pb::ListHardshipResponse::default()
    };
    Ok((answer, rows.last().map(|row| (row.class_name.clone(), row.name.clone(), row.determination))))
}

/// One level, with what is known of the family.
pub async fn whole(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, determination: Uuid) -> Result<pb::HardshipLevel, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadFamily).await?;
    let row = one(tx, &school.school, determination).await?;
    const CORRUPT: StoreError = StoreError::Corrupt("what is known of a family");
    let family = if row.level.is_empty() || row.circumstances_sealed.is_empty() {
        None
    } else {
        let plain = parts.keyring.open("family", &[determination], &row.circumstances_sealed).ok_or(CORRUPT)?;
        Some(family_told(serde_json::from_slice(&plain).map_err(|_| CORRUPT)?))
    };
    Ok(pb::HardshipLevel { family, ..to_proto(parts, &row) })
}

fn family_of(told: pb::FamilyFacts) -> Family {
    let family = Family {
        groups: told.groups,
        members: told.members,
        dependants: told.dependants,
        earners: told.earners,
        income_fen: told.income_fen,
        income_source: told.income_source,
        cause: told.cause,
        pledged: told.pledged,
    };
    family.tidy()
}

fn family_told(family: Family) -> pb::FamilyFacts {
    pb::FamilyFacts {
        groups: family.groups,
        members: family.members,
        dependants: family.dependants,
        earners: family.earners,
        income_fen: family.income_fen,
        income_source: family.income_source,
        cause: family.cause,
        pledged: family.pledged,
    }
}

/// Whether papers are asked for of a level, by the policy of the day on which it was entered: of one that ends nothing is.
fn asks_papers(parts: &Parts, row: &LevelRow) -> bool {
    let policies = parts.policies.now();
    let percent = policies.on(row.recorded_day).policy.hardship().map_or(0, |hardship| hardship.papers_percent);
    !row.level.is_empty() && is_drawn(row.person_key, row.school_year, percent)
}

fn to_proto(parts: &Parts, row: &LevelRow) -> pb::HardshipLevel {
    let state = match row.state {
        State::Draft => hardship_level::State::Draft,
        State::Submitted => hardship_level::State::Submitted,
        State::Determined if row.cut_day.is_some_and(|cut| cut <= row.from_day) => hardship_level::State::Replaced,
        State::Determined => hardship_level::State::Determined,
        State::Dropped => hardship_level::State::Dropped,
    };
    // What was determined later holds from its day on.
    let end = row.cut_day.filter(|cut| row.from_day < *cut && *cut < row.to_day).unwrap_or(row.to_day);
    pb::HardshipLevel {
        determination: row.determination.to_string(),
        school: row.school.clone(),
        school_year: row.school_year,
        name: row.name.clone(),
        class_name: row.class_name.clone(),
        level: row.level.clone(),
        from_date: row.from_day.to_string(),
        last_date: end.pred_opt().unwrap_or(end).to_string(),
        state: state.into(),
        reason: row.reason.clone(),
        dossier: row.dossier.map(|dossier| dossier.to_string()).unwrap_or_default(),
        family: None,
        papers_asked: asks_papers(parts, row),
    }
}
