//! Schools: found, entered, changed, closed; their majors and their department.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use tonic::{Code, Status};
use xuezhu_proto::enrollment::{
    AddMajorsRequest, CloseSchoolRequest, CreateSchoolRequest, EndMajorRequest, GetSchoolRequest, ListSchoolsRequest, OpenSchoolRequest, School,
    SetAuthorityRequest, UpdateSchoolRequest, school,
};

use super::{
    Desk, PageError, in_chinese,
    pickers::{self, Choice},
    render, show, unknown_act,
};
use crate::Gateway;

/// Schools a page.
const ROWS: i32 = 50;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools", get(list).post(create)).route("/schools/{school}", get(one).post(act))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    page: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SchoolForm {
    request_id: String,
    code: String,
    name: String,
    region: String,
    kind: String,
    authority: String,
    telephone: String,
    catalogue: String,
    majors: String,
}

#[derive(Template)]
#[template(path = "schools.html")]
struct SchoolsPage {
    desk: Desk,
    schools: Vec<School>,
    query: String,
    total: i32,
    previous: String,
    next: String,
    regions: Vec<Choice>,
    request_id: String,
    done: String,
    error: String,
    /// What was filled in and not taken.
    filled: SchoolForm,
}

async fn view(desk: Desk, query: ListQuery, filled: SchoolForm, told: Result<String, String>) -> Result<Response, PageError> {
    let asked = ListSchoolsRequest { query: query.q.clone(), page_size: ROWS, page_token: query.page, ..Default::default() };
    let answer = desk.directory().list_schools(desk.request(asked)).await?.into_inner();
    let (done, error) = match told {
        Ok(done) => (done, String::new()),
        Err(error) => (String::new(), error),
    };
    let regions = if desk.user.is_admin() { pickers::regions(&desk.user.org, desk.civil_day()) } else { Vec::new() };
    let request_id = desk.new_request_id();
    Ok(render(&SchoolsPage {
        desk,
        schools: answer.schools,
        query: query.q,
        total: answer.total_size,
        previous: answer.previous_page_token,
        next: answer.next_page_token,
        regions,
        request_id,
        done,
        error,
        filled,
    }))
}

async fn list(desk: Desk, Query(query): Query<ListQuery>) -> Result<Response, PageError> {
    view(desk, query, SchoolForm::default(), Ok(String::new())).await
}

/// What a school's form says, or every field that is wrong.
fn asked(form: &SchoolForm, today: chrono::NaiveDate) -> Result<CreateSchoolRequest, String> {
    let mut faults = Vec::new();
    let mut take = |label: &str, typed: &str| pickers::region(typed, today).map_err(|why| faults.push(format!("{label}：{why}"))).unwrap_or_default();
    let (region, authority) = (take("所在地", &form.region), take("主管部门", &form.authority));
    let majors = pickers::majors(&form.majors, &form.catalogue).map_err(|why| faults.push(format!("备案专业：{why}"))).unwrap_or_default();
    if !faults.is_empty() {
        return Err(faults.join("；"));
    }
    Ok(CreateSchoolRequest {
        code: form.code.trim().to_owned(),
        name: form.name.clone(),
        region,
        kind: school::Kind::from_str_name(&form.kind).unwrap_or_default().into(),
        authority,
        majors,
        telephone: form.telephone.clone(),
    })
}

async fn create(desk: Desk, Form(form): Form<SchoolForm>) -> Result<Response, PageError> {
    let request = match asked(&form, desk.civil_day()) {
        Ok(request) => request,
        Err(why) => return view(desk, ListQuery::default(), form, Err(why)).await,
    };
    match desk.directory().create_school(desk.change(&form.request_id, request)).await {
        Ok(answer) => {
            let made = answer.into_inner().school.unwrap_or_default();
            let mut done = format!("学校{}（{}）已登记。", made.name, made.code);
            for doubt in &made.doubts {
                done = format!("{done}请核对：{doubt}。");
            }
            view(desk, ListQuery { q: made.code, page: String::new() }, SchoolForm::default(), Ok(done)).await
        }
        Err(status) if status.code() == Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => view(desk, ListQuery::default(), form, Err(in_chinese(status.message()))).await,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    request_id: String,
    act: String,
    name: String,
    kind: String,
    telephone: String,
    catalogue: String,
    majors: String,
    key: String,
    end_date: String,
    authority: String,
    from_date: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "school.html")]
struct SchoolPage {
    desk: Desk,
    school: School,
    regions: Vec<Choice>,
    request_id: String,
    today: String,
    done: String,
    error: String,
    /// What was filled in and not taken.
    filled: ActForm,
}

impl SchoolPage {
    fn is_closed(&self) -> bool {
        self.school.state() == school::State::Closed
    }

    fn owner(&self) -> &'static str {
        match self.school.kind() {
            school::Kind::Public => "公办",
            school::Kind::Private => "民办",
            school::Kind::Unspecified => "",
        }
    }
}

async fn view_one(desk: Desk, code: &str, filled: ActForm, told: Result<String, String>) -> Result<Response, PageError> {
    let school = desk.directory().get_school(desk.request(GetSchoolRequest { school: code.to_owned() })).await?.into_inner().school.unwrap_or_default();
    let (done, error) = match told {
        Ok(done) => (done, String::new()),
        Err(error) => (String::new(), error),
    };
    let regions = if desk.user.is_admin() { pickers::regions(&desk.user.org, desk.civil_day()) } else { Vec::new() };
    let (request_id, today) = (desk.new_request_id(), desk.today());
    Ok(render(&SchoolPage { desk, school, regions, request_id, today, done, error, filled }))
}

async fn one(desk: Desk, Path(code): Path<String>) -> Result<Response, PageError> {
    view_one(desk, &code, ActForm::default(), Ok(String::new())).await
}

/// Does what a form asks; what came of it, in words. The inner error is for who filled the form in.
async fn done(desk: &Desk, school: &str, form: &ActForm) -> Result<Result<String, String>, PageError> {
    let (school, mut client) = (school.to_owned(), desk.directory());
    let told = |done: Result<(), Status>, words: String| match done {
        Ok(()) => Ok(Ok(words)),
        Err(status) if status.code() == Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => Ok(Err(in_chinese(status.message()))),
    };
    match form.act.as_str() {
        "update" => {
            let kind = school::Kind::from_str_name(&form.kind).unwrap_or_default().into();
            let asked = UpdateSchoolRequest { school, name: Some(form.name.clone()), kind, telephone: Some(form.telephone.clone()) };
            told(client.update_school(desk.change(&form.request_id, asked)).await.map(drop), "学校信息已更改。".into())
        }
        "add_majors" => {
            let majors = match pickers::majors(&form.majors, &form.catalogue) {
                Ok(majors) => majors,
                Err(why) => return Ok(Err(format!("增加的专业：{why}"))),
            };
            let count = majors.len();
            told(client.add_majors(desk.change(&form.request_id, AddMajorsRequest { school, majors })).await.map(drop), format!("已备案 {count} 个专业。"))
        }
        "end_major" => {
            let asked = EndMajorRequest { school, key: form.key.clone(), end_date: form.end_date.clone() };
            let request_id = format!("{}-{}", form.request_id, form.key);
            told(client.end_major(desk.change(&request_id, asked)).await.map(drop), format!("专业{}已停止招生；从没有学生的，已从备案中删去。", form.key))
        }
        "set_authority" => {
            let authority = match pickers::region(&form.authority, desk.civil_day()) {
                Ok(authority) => authority,
                Err(why) => return Ok(Err(format!("主管部门：{why}"))),
            };
            let words = format!("自{}起由{}主管部门审核。已在办的业务单仍由原部门办完。", form.from_date, pickers::region_name(&authority));
            let asked = SetAuthorityRequest { school, authority, from_date: form.from_date.clone(), reason: form.reason.clone() };
            told(client.set_authority(desk.change(&form.request_id, asked)).await.map(drop), words)
        }
        "close" => {
            told(client.close_school(desk.change(&form.request_id, CloseSchoolRequest { school })).await.map(drop), "学校已停办，不再录入和提交新生。".into())
        }
        "open" => told(client.open_school(desk.change(&form.request_id, OpenSchoolRequest { school })).await.map(drop), "学校已恢复办学。".into()),
        other => Err(unknown_act(other)),
    }
}

async fn act(desk: Desk, Path(code): Path<String>, Form(form): Form<ActForm>) -> Result<Response, PageError> {
    match done(&desk, &code, &form).await? {
        Ok(words) => view_one(desk, &code, ActForm::default(), Ok(words)).await,
        Err(why) => view_one(desk, &code, form, Err(why)).await,
    }
}
