//! Students: the list with its search, one enrollment with its lawful acts, one student's story on two lanes.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Code;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_proto::{
    aid::{FoundEnrollment, GetStoryRequest, GetStoryResponse},
    enrollment::{
        CancelChangeRequest, ChangeClassRequest, ChangeMajorRequest, CorrectIdentityRequest, CreateSubmissionRequest, Enrollment, GetEnrollmentRequest,
        GetSchoolRequest, ListClassesRequest, ListEnrollmentsRequest, Major, NeverCameRequest, RemoveEnrollmentRequest, ReturnFromLeaveRequest,
        RevealNumberRequest, RevealNumberResponse, School, TakeLeaveRequest, TakeOutEnrollmentsRequest, WithdrawRequest, correct_identity_request, enrollment,
    },
};

use super::{
    Desk, PageError, in_chinese,
    pickers::{self, Choice},
    render, show,
    takeouts::{Offer, Told, give},
    unknown_act,
};
use crate::{Gateway, takeouts::Asked};

/// Schools that are offered.
const SCHOOLS: usize = 200;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/students", get(list).post(search))
        .route("/students/submit", post(submit))
        .route("/students/takeOut", post(take_out))
        .route("/students/{person}", get(story))
        .route("/schools/{school}/enrollments/{enrollment}", get(one).post(act))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    school: String,
    q: String,
    state: String,
    class: String,
    page: String,
    /// What a workbook of them is for.
    purpose: String,
}

#[derive(Template)]
#[template(path = "students.html")]
struct StudentsPage {
    desk: Desk,
    schools: Vec<Choice>,
    /// The school as it is filled in.
    named: String,
    error: String,
    school: String,
    query: String,
    state: String,
    class: String,
    /// Names of the classes that are open, each once.
    classes: Vec<String>,
    rows: Vec<Enrollment>,
    next: String,
    request_id: String,
    has_drafts: bool,
    takeout: Option<Offer>,
}

impl StudentsPage {
    fn state_of(row: &Enrollment) -> &'static str {
        row.state().as_str_name()
    }
}

async fn list(desk: Desk, Query(query): Query<ListQuery>) -> Result<Response, PageError> {
    // A link may be kept, handed on and logged: what is searched for does not belong there.
    view(desk, ListQuery { q: String::new(), ..query }, Told::default()).await
}

/// A search: a name or a whole number, which stands in no address.
async fn search(desk: Desk, Form(query): Form<ListQuery>) -> Result<Response, PageError> {
    view(desk, query, Told::default()).await
}

/// The students that are shown, as a workbook.
async fn take_out(desk: Desk, Form(query): Form<ListQuery>) -> Result<Response, PageError> {
    let asked = TakeOutEnrollmentsRequest {
        school: if desk.user.is_school() { desk.user.org.clone() } else { query.school.clone() },
        purpose: query.purpose.clone(),
        class_name: query.class.clone(),
        state: enrollment::State::from_str_name(&query.state).unwrap_or_default().into(),
        name: query.q.clone(),
    };
    match give(desk, Asked::Enrollments(asked), query.purpose.clone()).await? {
        Ok(workbook) => Ok(workbook),
        Err((desk, told)) => view(desk, ListQuery { page: String::new(), ..query }, told).await,
    }
}

async fn view(desk: Desk, query: ListQuery, told: Told) -> Result<Response, PageError> {
    let schools = if desk.user.is_school() { Vec::new() } else { pickers::schools(&desk, "", SCHOOLS).await? };
    let mut error = String::new();
    let school = match (desk.user.is_school(), query.school.trim().is_empty()) {
        (true, _) => desk.user.org.clone(),
        (false, false) => pickers::school(&desk, &query.school).await?.unwrap_or_else(|why| {
            error = why;
            String::new()
        }),
        (false, true) => schools.first().map(|school| school.code.clone()).unwrap_or_default(),
    };
    let named = schools.iter().find(|known| known.code == school).map_or_else(|| query.school.clone(), Choice::filled);
    let (mut rows, mut next, mut classes) = (Vec::new(), String::new(), Vec::new());
    if !school.is_empty() {
        let asked = ListClassesRequest { school: school.clone(), ended: false };
        let open = desk.enrollments().list_classes(desk.request(asked)).await?.into_inner().classes;
        classes = open.into_iter().map(|class| class.name).collect::<BTreeSet<String>>().into_iter().collect();
        let asked = ListEnrollmentsRequest {
            school: school.clone(),
            state: enrollment::State::from_str_name(&query.state).unwrap_or_default().into(),
            query: query.q.clone(),
            page_size: 50,
            page_token: query.page.clone(),
            class_name: query.class.clone(),
            ..Default::default()
        };
        let answer = desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner();
        (rows, next) = (answer.enrollments, answer.next_page_token);
    }
    let has_drafts = desk.user.is_clerk() && {
        let asked = ListEnrollmentsRequest { school: school.clone(), state: enrollment::State::Draft.into(), page_size: 1, ..Default::default() };
        !desk.enrollments().list_enrollments(desk.request(asked)).await?.into_inner().enrollments.is_empty()
    };
    let request_id = desk.new_request_id();
    let fields = vec![("school", school.clone()), ("q", query.q.clone()), ("state", query.state.clone()), ("class", query.class.clone())];
    let takeout = Offer::of(&desk.user, &school, "/students/takeOut", fields, told);
    Ok(render(&StudentsPage {
        takeout,
        desk,
        schools,
        school,
        named,
        error,
        query: query.q,
        state: query.state,
        class: query.class,
        classes,
        rows,
        next,
        request_id,
        has_drafts,
    }))
}

#[derive(Deserialize)]
struct SubmitForm {
    request_id: String,
}

async fn submit(desk: Desk, Form(form): Form<SubmitForm>) -> Result<Response, PageError> {
    let school = desk.user.org.clone();
    let asked = CreateSubmissionRequest { school: school.clone(), enrollments: Vec::new(), all_drafts: true, matching: None };
    let made = desk.submissions().create_submission(desk.change(&form.request_id, asked)).await?.into_inner();
    Ok(Redirect::to(&format!("/schools/{school}/submissions/{}", made.submission)).into_response())
}

#[derive(Template)]
#[template(path = "enrollment.html")]
struct EnrollmentPage {
    desk: Desk,
    row: Enrollment,
    request_id: String,
    today: String,
    can_correct: bool,
    can_reveal: bool,
    /// Majors of the school other than the student's, where the page offers to change it.
    majors: Vec<Major>,
    /// Whole numbers, where this page was asked for them.
    revealed: Option<RevealNumberResponse>,
    /// What held on another day, where that was asked.
    seen: Option<Seen>,
}

/// What is asked: what held on a day, as it was known at the end of another.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SeenQuery {
    on: String,
    known: String,
}

/// The answer, or why there is none.
struct Seen {
    asked: SeenQuery,
    answer: Result<Enrollment, String>,
}

impl Seen {
    async fn ask(desk: &Desk, school: &str, enrollment: &str, asked: SeenQuery) -> Result<Option<Self>, PageError> {
        if asked.on.is_empty() && asked.known.is_empty() {
            return Ok(None);
        }
        let request =
            GetEnrollmentRequest { school: school.to_owned(), enrollment: enrollment.to_owned(), as_of: asked.on.clone(), known_at: asked.known.clone() };
        let answer = match desk.enrollments().get_enrollment(desk.request(request)).await {
            Ok(answer) => Ok(answer.into_inner().enrollment.unwrap_or_default()),
            Err(status) if status.code() == Code::InvalidArgument => Err(in_chinese(status.message())),
            Err(status) => return Err(status.into()),
        };
        Ok(Some(Self { asked, answer }))
    }

    fn state(row: &Enrollment) -> &'static str {
        match row.state() {
            enrollment::State::Unspecified => "",
            state => state.as_str_name(),
        }
    }
}

impl EnrollmentPage {
    fn state(&self) -> &'static str {
        self.row.state().as_str_name()
    }

    /// Why it was not approved, in words; empty where nothing stands in the way.
    fn refusal(&self) -> &'static str {
        match self.row.refusal.as_str() {
            "" => "",
            "PLACE_TAKEN" => "该生在另一所学校有有效学籍。",
            "IDENTITY_CONFLICT" => "该证件号已登记在另一姓名之下，请主管部门核正。",
            "DUPLICATE_ROW" => "本校另有该生的一条记录（现用证件号或先录入的一条），请退回并删除多余的一条。",
            _ => "与原学籍时间重叠。",
        }
    }

    /// The state that a further change comes after.
    fn last_state(&self) -> &'static str {
        if self.row.planned_since.is_empty() { self.state() } else { self.row.planned_state().as_str_name() }
    }
}

async fn one(desk: Desk, Path((school, enrollment)): Path<(String, String)>, Query(asked): Query<SeenQuery>) -> Result<Response, PageError> {
    let seen = Seen::ask(&desk, &school, &enrollment, asked).await?;
    page(desk, school, enrollment, None, seen).await
}

async fn page(desk: Desk, school: String, enrollment: String, revealed: Option<RevealNumberResponse>, seen: Option<Seen>) -> Result<Response, PageError> {
    let asked = GetEnrollmentRequest { school, enrollment, ..Default::default() };
    let row = desk.enrollments().get_enrollment(desk.request(asked)).await?.into_inner().enrollment.unwrap_or_default();
    let request_id = desk.new_request_id();
    let today = desk.mirror.as_ref().map(|mirror| mirror.civil_date.clone()).unwrap_or_default();
    let school = if desk.user.is_officer() || desk.user.is_clerk() {
        desk.directory().get_school(desk.request(GetSchoolRequest { school: row.school.clone() })).await?.into_inner().school.unwrap_or_default()
    } else {
        School::default()
    };
    let decides = desk.user.is_officer() && desk.user.decides_for(&school.authority);
    let majors = school.majors.into_iter().filter(|major| major.key != row.major && major.ended_date.is_empty()).collect();
    let (can_correct, can_reveal) = (decides && !row.person.is_empty(), decides || desk.user.is_school());
    Ok(render(&EnrollmentPage { desk, row, request_id, today, can_correct, can_reveal, majors, revealed, seen }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    request_id: String,
    act: String,
    effective_date: String,
    reason: String,
    kind: String,
    name: String,
    id_number: String,
    purpose: String,
    class_name: String,
    major: String,
}

async fn act(desk: Desk, Path((school, enrollment)): Path<(String, String)>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/enrollments/{enrollment}");
    let ActForm { request_id, act, effective_date, reason, kind, name, id_number, purpose, class_name, major } = form;
    let mut client = desk.enrollments();
    match act.as_str() {
        "remove" => {
            client.remove_enrollment(desk.change(&request_id, RemoveEnrollmentRequest { school, enrollment })).await?;
            return Ok(Redirect::to("/students").into_response());
        }
        "submit" => {
            let asked = CreateSubmissionRequest { school: school.clone(), enrollments: vec![enrollment], all_drafts: false, matching: None };
            let made = desk.submissions().create_submission(desk.change(&request_id, asked)).await?.into_inner();
            return Ok(Redirect::to(&format!("/schools/{school}/submissions/{}", made.submission)).into_response());
        }
        "leave" => drop(client.take_leave(desk.change(&request_id, TakeLeaveRequest { school, enrollment, effective_date, reason })).await?),
        "return" => drop(client.return_from_leave(desk.change(&request_id, ReturnFromLeaveRequest { school, enrollment, effective_date, reason })).await?),
        "cancel" => drop(client.cancel_change(desk.change(&request_id, CancelChangeRequest { school, enrollment, reason })).await?),
        "withdraw" => drop(client.withdraw(desk.change(&request_id, WithdrawRequest { school, enrollment, effective_date, reason })).await?),
        "change_class" => {
            let asked = ChangeClassRequest { school, enrollment, effective_date, class_name, reason };
            drop(client.change_class(desk.change(&request_id, asked)).await?);
        }
        "change_major" => {
            let asked = ChangeMajorRequest { school, enrollment, effective_date, major, class_name, reason };
            drop(client.change_major(desk.change(&request_id, asked)).await?);
        }
        "never_came" => drop(client.never_came(desk.change(&request_id, NeverCameRequest { school, enrollment, reason })).await?),
        "correct" => {
            let kind = correct_identity_request::Kind::from_str_name(&kind).unwrap_or_default().into();
            let asked = CorrectIdentityRequest { school, enrollment, kind, effective_date, name, id_number, reason };
            drop(client.correct_identity(desk.change(&request_id, asked)).await?);
        }
        "reveal" => {
            let asked = RevealNumberRequest { school: school.clone(), enrollment: enrollment.clone(), purpose };
            let revealed = client.reveal_number(desk.request(asked)).await?.into_inner();
            return page(desk, school, enrollment, Some(revealed), None).await;
        }
        unknown => return Err(unknown_act(unknown)),
    }
    Ok(Redirect::to(&back).into_response())
}

/// A month on the axis of a story.
struct AxisMonth {
    month: i32,
    year: Option<i32>,
    places: Vec<(&'static str, String)>,
    awards: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "story.html")]
struct StoryPage {
    desk: Desk,
    story: GetStoryResponse,
    axis: Vec<AxisMonth>,
}

async fn story(desk: Desk, Path(person): Path<String>) -> Result<Response, PageError> {
    let story = desk.reconciliation().get_story(desk.request(GetStoryRequest { person })).await?.into_inner();
    let axis = axis(&story, desk.mirror.as_ref().map_or("", |mirror| mirror.civil_date.as_str()));
    Ok(render(&StoryPage { desk, story, axis }))
}

fn month_of(day: &str) -> Option<i32> {
    Some(day.get(..4)?.parse::<i32>().ok()? * 100 + day.get(5..7)?.parse::<i32>().ok()?)
}

fn next_month(month: i32) -> i32 {
    if month % 100 == 12 { month + 89 } else { month + 1 }
}

/// Both lanes on one axis: from the first period or award to today or the last award.
fn axis(story: &GetStoryResponse, today: &str) -> Vec<AxisMonth> {
    let starts = story.timeline.iter().flat_map(|place| &place.periods).filter_map(|period| month_of(&period.from));
    let awarded = story.awards.iter().flat_map(|award| award.months.iter().copied());
    let Some(first) = starts.chain(awarded.clone()).min() else { return Vec::new() };
    let last = awarded.chain(month_of(today)).max().unwrap_or(first);
    let (mut axis, mut month, mut year) = (Vec::new(), first, 0);
    while month <= last && axis.len() < 96 {
        let places = story.timeline.iter().filter_map(|place| place_in(place, month)).collect();
        let awards = story
            .awards
            .iter()
            // What was taken by a correction is drawn no more.
            .filter(|award| award.standing_months.contains(&month))
            .map(|award| {
                let class = if award.held_months.contains(&month) { "held" } else { "good" };
                (class, show::scheme(&award.scheme).to_owned())
            })
            .collect();
        axis.push(AxisMonth { month, year: (month / 100 != year).then_some(month / 100), places, awards });
        year = month / 100;
        month = next_month(month);
    }
    axis
}

/// What a place is in a month: on its first day, or, where it begins in the month, then.
fn place_in(place: &FoundEnrollment, month: i32) -> Option<(&'static str, String)> {
    let (begin, end) = (format!("{:04}-{:02}-01", month / 100, month % 100), format!("{:04}-{:02}-01", next_month(month) / 100, next_month(month) % 100));
    let period = place
        .periods
        .iter()
        .find(|period| period.from <= begin && (period.to.is_empty() || period.to > begin))
        .or_else(|| place.periods.iter().find(|period| period.from >= begin && period.from < end))?;
    let class = match PeriodState::parse(&period.state) {
        PeriodState::InSchool => "good",
        PeriodState::OnLeave => "wait",
        PeriodState::Withdrawn | PeriodState::NeverCame | PeriodState::Unknown => "gone",
    };
    Some((class, format!("{}·{}", place.school_name, show::state(&period.state))))
}
