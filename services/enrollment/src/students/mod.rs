//! What is shown of the roll: a school's students and one student, as they stand, or as it was known at a time what held on a day.

pub mod api;
mod store;

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_bridge::known::{self, Known, When};
use xuezhu_domain::{RegistryAnswer, codes, enrollment::State};
use xuezhu_proto::enrollment::{self as pb, enrollment, list_enrollments_request};
use xuezhu_service::{Context, Error, Permission, Reach, Refusal, clock::rfc3339};
use xuezhu_store::Tx;

use self::store::EnrollmentRow;
pub use self::store::{After, Filter, Member, Within};
use crate::{
    Parts,
    directory::{self, SchoolRow, teachers},
    roll::{
        self,
        classes::ClassRow,
        story::{self, Part, Story},
    },
};

/// What held on a day, as it was known at a time; neither: what stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// The day; today where it is not said.
    pub day: Option<NaiveDate>,
    /// When it was known; now where it is not said.
    pub known: Option<When>,
}

/// The same, resolved: of what is known now, only the day is said.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Seen {
    day: NaiveDate,
    known: Option<Known>,
}

/// In which order a list goes, by a code that its statement knows: less than 0 the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order(i32);

impl Order {
    /// By class and name.
    const CLASS: i32 = 1;

    /// What a client asks for.
    pub fn of(by: list_enrollments_request::Order, descending: bool) -> Self {
        use list_enrollments_request::Order as By;
        let code = match by {
            By::Unspecified | By::Class => Self::CLASS,
            By::Name => 2,
            By::SchoolNumber => 3,
            By::Entry => 4,
            By::State => 5,
        };
        Self(if descending { -code } else { code })
    }

    /// Whether it is the one that tokens go by.
    pub fn is_by_class(self) -> bool {
        self.0 == Self::CLASS
    }
}

/// Which page of a list.
#[derive(Debug)]
pub enum At {
    /// The first, or where the one before ended.
    Token(Option<Place>),
    /// By its number, from 1 on, in this order.
    Number(i64, Order),
}

/// Where a page goes on: behind whom, how many there are on all pages, and what is seen on them. It was counted and resolved for the first.
pub type Place = (After, i64, Option<Seen>);

impl AsOf {
    async fn resolve(self, ctx: &Context, tx: &mut Tx) -> Result<Option<Seen>, Error> {
        if self == Self::default() {
            return Ok(None);
        }
        let known = match self.known {
            None => None,
            Some(when) => Some(known::resolve(tx, when).await?.map_err(|unknown| Refusal::field("known_at", unknown.to_string()))?),
        };
        Ok(Some(Seen { day: self.day.unwrap_or_else(|| ctx.today()), known }))
    }
}

/// A page of a school's students.
pub struct Page {
    /// The students.
    pub enrollments: Vec<pb::Enrollment>,
    /// Where the next page goes on, if there is one.
    pub next: Option<Place>,
    /// Of all pages.
    pub total: i64,
    /// When it was known, where that was asked.
    pub known: Option<Known>,
}

/// A page of a school's students.
pub async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, mut filter: Filter, as_of: AsOf, at: At, limit: i64) -> Result<Page, Error> {
    let seen = match &at {
        At::Token(Some((.., seen))) => *seen,
        At::Token(None) | At::Number(..) => as_of.resolve(ctx, tx).await?,
    };
    if let Some(seen) = seen {
        (filter.day, filter.known) = (seen.day, Some(seen.known.map_or(i64::MAX, |known| known.position)));
    }
    let total = match &at {
        At::Token(Some((_, total, _))) => *total,
        At::Token(None) | At::Number(..) => store::count(tx, &filter).await?,
    };
    let goes_on = matches!(at, At::Token(_));
    let page = match at {
        At::Token(from) => store::page(tx, &filter, &from.map(|(after, ..)| after).unwrap_or_default(), limit).await?,
        At::Number(number, Order(order)) => store::numbered(tx, &filter, order, (number - 1) * limit, limit).await?,
    };
    let ids: Vec<Uuid> = page.iter().map(|(id, _)| *id).collect();
    let mut rows: HashMap<Uuid, EnrollmentRow> = store::enrollments(tx, &ids, ctx.today()).await?.into_iter().map(|row| (row.enrollment, row)).collect();
    let stories = match seen {
        Some(seen) => story::stories(tx, &ids, seen.known.map(|known| known.position)).await?,
        None => HashMap::new(),
    };
    let last = page.last().and_then(|(id, class)| rows.get(id).map(|row| (class.clone(), row.name.clone(), *id)));
    let view = |id: Uuid, row: EnrollmentRow| match seen {
        None => to_proto(ctx, parts, row),
        Some(seen) => as_seen(to_proto(ctx, parts, row), seen, stories.get(&id)),
    };
    let enrollments = ids.iter().filter_map(|id| rows.remove(id).map(|row| view(*id, row))).collect();
    let next = last.filter(|_| goes_on && i64::try_from(page.len()).unwrap_or(0) == limit).map(|last| (last, total, seen));
    Ok(Page { enrollments, next, total, known: seen.and_then(|seen| seen.known) })
}

impl Within {
    /// One class.
    pub fn class(school: &str, class_name: &str, day: NaiveDate) -> Self {
        Self { school: school.to_owned(), classes: vec![class_name.to_owned()], day, ..Self::default() }
    }
}

/// Who is in these classes of a school on a day, in school or on leave.
pub async fn members(tx: &mut Tx, school: &str, classes: &[String], day: NaiveDate) -> Result<Vec<Member>, Error> {
    if classes.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store::members(tx, &Within { school: school.to_owned(), classes: classes.to_vec(), day, ..Within::default() }).await?)
}

/// A page of who is in classes on a day: each is told under the class of that day.
pub async fn of_classes(ctx: &Context, tx: &mut Tx, parts: &Parts, within: Within, from: Option<Place>, limit: i64) -> Result<Page, Error> {
    let (after, total) = match from {
        Some((after, total, _)) => (after, total),
        None => (After::default(), store::count_members(tx, &within).await?),
    };
    let page = store::page_of_members(tx, &within, &after, limit).await?;
    let ids: Vec<Uuid> = page.iter().map(|member| member.enrollment).collect();
    let mut rows: HashMap<Uuid, EnrollmentRow> = store::enrollments(tx, &ids, ctx.today()).await?.into_iter().map(|row| (row.enrollment, row)).collect();
    let last = page.last().and_then(|last| rows.get(&last.enrollment).map(|row| (last.class_name.clone(), row.name.clone(), last.enrollment)));
    let view = |member: &Member, row| pb::Enrollment { class_name: member.class_name.clone(), ..to_proto(ctx, parts, row) };
    let enrollments = page.iter().filter_map(|member| rows.remove(&member.enrollment).map(|row| view(member, row))).collect();
    let next = last.filter(|_| i64::try_from(page.len()).unwrap_or(0) == limit).map(|last| (last, total, None));
    Ok(Page { enrollments, next, total, known: None })
}

/// The school of a student with whom whoever calls may do something: who has the right in classes of her own, with those who are in them
/// today.
pub async fn student_for(ctx: &Context, tx: &mut Tx, school: &str, enrollment: Uuid, permission: Permission) -> Result<SchoolRow, Error> {
    let school = directory::school_for(ctx, tx, school, permission).await?;
    if ctx.reach(permission) == Reach::OwnClasses {
        let classes = teachers::own(ctx, tx, &school.code).await?;
        let members = members(tx, &school.code, &classes, ctx.today()).await?;
        if !members.iter().any(|member| member.enrollment == enrollment) {
            return Err(Refusal::not_found("该学籍").into());
        }
    }
    Ok(school)
}

/// One student, with the story.
pub async fn one(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, enrollment: Uuid, as_of: AsOf) -> Result<pb::Enrollment, Error> {
    let seen = as_of.resolve(ctx, tx).await?;
    let row = store::enrollments(tx, &[enrollment], ctx.today()).await?.pop().filter(|row| row.school == school);
    let row = row.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let story = story::stories(tx, &[enrollment], seen.and_then(|seen| seen.known).map(|known| known.position)).await?.remove(&enrollment);
    let view = to_proto(ctx, parts, row);
    let mut view = match seen {
        None => view,
        Some(seen) => as_seen(view, seen, story.as_ref()),
    };
    view.periods = story.iter().flat_map(Story::parts).map(period).collect();
    Ok(view)
}

/// How many students of a school are with its clerk, by the code of their state.
pub async fn count_with_clerk(tx: &mut Tx, school: &str) -> Result<Vec<(i32, i64)>, Error> {
    Ok(store::count_with_clerk(tx, school).await?)
}

/// The classes of a school: those that are open, or all that ever were.
pub async fn classes(ctx: &Context, tx: &mut Tx, school: &str, ended: bool) -> Result<Vec<pb::Class>, Error> {
    let class = |row: ClassRow| pb::Class {
        class: row.class.to_string(),
        name: row.name,
        entry_year: row.entry_year,
        major_name: codes::major_of_key(&row.major).map_or("", |major| major.name).to_owned(),
        major: row.major,
        from: row.from_date.to_string(),
        to: row.to_date.map(|day| day.to_string()).unwrap_or_default(),
        students: i32::try_from(row.students).unwrap_or(i32::MAX),
    };
    Ok(roll::classes::of_school(tx, school, ended, ctx.today()).await?.into_iter().map(class).collect())
}

/// What a list of a school's students can be narrowed to: majors by their names, years of entry, classes.
pub async fn occurring(tx: &mut Tx, school: &str) -> Result<(Vec<pb::ListedMajor>, Vec<i32>, Vec<String>), Error> {
    let (mut classes, mut majors, mut years) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (class_name, major, year) in store::occurring(tx, school).await? {
        classes.insert(class_name);
        majors.insert((codes::major_of_key(&major).map_or("", |major| major.name), major));
        years.insert(year);
    }
    let majors = majors.into_iter().map(|(name, major)| pb::ListedMajor { major, name: name.to_owned() }).collect();
    Ok((majors, years.into_iter().rev().collect(), classes.into_iter().filter(|name| !name.is_empty()).collect()))
}

/// The whole numbers of a student, for who may see them there.
pub async fn reveal(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, enrollment: Uuid) -> Result<pb::RevealNumberResponse, Error> {
    directory::school_for(ctx, tx, school, Permission::RevealNumber).await?;
    let row = store::numbers(tx, school, enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let opened = |purpose: &str, row: Uuid, sealed: &[u8]| {
        parts.keyring.open_text(purpose, &[row], sealed).ok_or_else(|| Error::Internal("a sealed number does not open".into()))
    };
    let student_number = match (row.person, &row.student_number_sealed) {
        (Some(person), Some(sealed)) => opened("student_number", person, sealed)?,
        _ => String::new(),
    };
    Ok(pb::RevealNumberResponse { id_number: opened("id", enrollment, &row.id_sealed)?, student_number })
}

fn period(part: &Part) -> pb::Period {
    let row = &part.period;
    pb::Period {
        from: row.from_date.to_string(),
        to: row.to_date.map(|day| day.to_string()).unwrap_or_default(),
        state: State::from_code(row.state).map_or("", State::as_str).to_owned(),
        reason: row.reason.clone(),
        recorded_date: row.recorded_day.to_string(),
        class_name: row.class_name.clone(),
        major_name: codes::major_of_key(&row.major).map_or("", |major| major.name).to_owned(),
        major: row.major.clone(),
        period: row.period,
        recorded_time: rfc3339(row.recorded_at_us),
        replaces: part.replaces.clone(),
    }
}

/// A student as it was known what held on a day: what is dated is of then, who the student is and how the claim stands is of now.
fn as_seen(mut view: pb::Enrollment, seen: Seen, story: Option<&Story>) -> pb::Enrollment {
    view.as_of = seen.day.to_string();
    view.known_at = seen.known.map(|known| known.to_string()).unwrap_or_default();
    view.planned_state = enrollment::State::Unspecified.into();
    view.planned_since = String::new();
    let part = story.and_then(|story| story.on(seen.day).map(|part| (story, part)));
    let Some((story, part)) = part else {
        (view.state, view.state_since) = (enrollment::State::Unspecified.into(), String::new());
        (view.class_name, view.major, view.major_name, view.study_form) = Default::default();
        return view;
    };
    let row = &part.period;
    view.state = told(row.state).into();
    view.state_since = story.since(part).to_string();
    view.class_name.clone_from(&row.class_name);
    codes::major_of_key(&row.major).map_or("", |major| major.name).clone_into(&mut view.major_name);
    view.major.clone_from(&row.major);
    view.study_form.clone_from(&row.study_form);
    view
}

/// A state as clients see it.
fn told(code: i32) -> enrollment::State {
    State::from_code(code).and_then(|state| enrollment::State::from_str_name(state.as_str())).unwrap_or_default()
}

fn to_proto(ctx: &Context, parts: &Parts, row: EnrollmentRow) -> pb::Enrollment {
    let planned = row.last_since.filter(|last| row.state_since.is_some_and(|since| since < *last));
    let student_number = match (row.person, &row.student_number_sealed) {
        (Some(person), Some(sealed)) => ctx.shown(parts.keyring.masked("student_number", &[person], sealed)),
        _ => String::new(),
    };
    pb::Enrollment {
        enrollment: row.enrollment.to_string(),
        school: row.school,
        person: row.person.map(|person| person.to_string()).unwrap_or_default(),
        state: told(row.state).into(),
        state_since: row.state_since.map(|day| day.to_string()).unwrap_or_default(),
        name: row.name,
        id_number: ctx.shown(parts.keyring.masked("id", &[row.enrollment], &row.id_sealed)),
        student_number,
        school_number: row.school_number,
        sex: xuezhu_domain::Sex::from_code(row.sex).map_or("", xuezhu_domain::Sex::name).to_owned(),
        class_name: row.class_name,
        major_name: codes::major_of_key(&row.major).map_or("", |major| major.name).to_owned(),
        major: row.major,
        entry_month: row.entry_month,
        study_form: row.study_form,
        sent_back_reason: row.sent_back_reason,
        registry: row.registry.and_then(RegistryAnswer::from_code).map_or("", RegistryAnswer::as_str).to_owned(),
        periods: Vec::new(),
        refusal: row.refusal,
        etag: row.etag.to_string(),
        approved_date: row.approved_day.map(|day| day.to_string()).unwrap_or_default(),
        planned_state: planned.map(|_| told(row.last_state)).unwrap_or_default().into(),
        planned_since: planned.map(|day| day.to_string()).unwrap_or_default(),
        as_of: String::new(),
        known_at: String::new(),
    }
}
