//! Schools: found, and entered.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::Query,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::enrollment::{Contact, CreateSchoolRequest, ImportSchoolsRequest, ListContactsRequest, ListSchoolsRequest, School, SetOfficeRequest, school};
use xuezhu_service::refusal::FieldErrors;

use super::{Desk, PageError, imports, pickers, render};
use crate::{
    Gateway,
    parts::{Address, Cell, Field, Form, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Schools a page.
const ROWS: i32 = 50;
/// Years of the lists of majors, the first unless another is chosen.
const CATALOGUES: [&str; 2] = ["2010", "2021"];
/// How majors are typed.
pub(super) const MAJORS_HINT: &str = "名称或6位代码，用逗号、空格或换行隔开，如 护理、010200";

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools", get(page).post(create)).route("/schools/office", post(set_office))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    page: String,
    at: i64,
}

#[derive(Template)]
#[template(path = "schools.html")]
struct SchoolsPage {
    desk: Desk,
    find: Form,
    schools: Table,
    /// For who keeps schools.
    create: Option<Form>,
    send: Option<Form>,
    /// Whom to call at departments, and what says so.
    offices: Option<(Table, Form)>,
}

async fn page(desk: Desk, Query(query): Query<ListQuery>) -> Result<Response, PageError> {
    let asked = ListSchoolsRequest { query: query.q.clone(), page_size: ROWS, page_token: query.page, ..Default::default() };
    let answer = desk.directory().list_schools(desk.request(asked)).await?.into_inner();
    let way = Way::Link(Address::of("/schools").with("q", &query.q));
    let (previous, next) = (&answer.previous_page_token, &answer.next_page_token);
    let place = Place::of(answer.total_size, "所", query.at, ROWS).ways(&way, (!previous.is_empty()).then_some(previous), next);
    let schools =
        Table::of("学校").columns(["代码", "名称", "所在地", "主管部门"]).number("专业").column("状态").rows(answer.schools.iter().map(row)).place(place);
    let schools = match query.q.as_str() {
        "" => schools.empty("还没有学校。"),
        typed => schools.empty(format!("没有名称或代码含“{typed}”的学校。")).empty_way("/schools", "全部学校"),
    };
    let find = Form::narrow(&desk, "find", "/schools").with(Field::line("q").called("名称或代码（写一部分即可）").limit(60).value(query.q)).button("查找");
    let (create, send) = if desk.user.is_admin() { (Some(creating(&desk)), Some(sending(&desk))) } else { (None, None) };
    let offices = if desk.user.is_admin() { Some(offices(&desk).await?) } else { None };
    Ok(render(&SchoolsPage { desk, find, schools, create, send, offices }))
}

/// Whom to call at departments, and what says so.
async fn offices(desk: &Desk) -> Result<(Table, Form), PageError> {
    let contacts = desk.directory().list_contacts(desk.request(ListContactsRequest::default())).await?.into_inner().contacts;
    let row = |contact: &Contact| Row::of([Cell::from(&contact.name), Cell::unbroken(&contact.telephone), Cell::from(&contact.set_by)]);
    let table = Table::of("主管部门的电话").columns(["主管部门", "电话", "登记人"]).rows(contacts.iter().map(row)).empty("还没有登记过电话。");
    let form = Form::of::<SetOfficeRequest>(desk, "office", "/schools/office")
        .row()
        .with(Field::picked("region", regions(desk)).required().hint("名称或6位行政区划码"))
        .with(Field::line("telephone").limit(30).hint("办公电话；留空就不再显示"))
        .button("保存");
    Ok((table, form))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfficeForm {
    request_id: String,
    region: String,
    telephone: String,
}

async fn set_office(desk: Desk, Sent(sent): Sent<OfficeForm>) -> Result<Response, PageError> {
    let mut faults = FieldErrors::default();
    let region = pickers::region(&sent.region, desk.civil_day()).map_err(|why| faults.add("region", why)).unwrap_or_default();
    faults.check().map_err(Status::from)?;
    let asked = SetOfficeRequest { region, telephone: sent.telephone };
    let contact = desk.directory().set_office(desk.change(&sent.request_id, asked)).await?.into_inner().contact.unwrap_or_default();
    let done = if contact.telephone.is_empty() { "不再显示电话" } else { "电话已登记" };
    Ok(desk.done(format!("{}：{done}。", contact.name), "/schools"))
}

fn row(school: &School) -> Row {
    let page = format!("/schools/{}", school.code);
    Row::of([
        Cell::link(page.clone(), &school.code),
        Cell::link(page, &school.name),
        Cell::from(pickers::region_name(&school.region)),
        Cell::from(pickers::region_name(&school.authority)),
        Cell::number(i64::try_from(school.majors.len()).unwrap_or(i64::MAX)),
        state(school).maybe((!school.doubts.is_empty()).then(|| Cell::mark(Tone::Wait, "待核对"))),
    ])
}

/// Whether it takes students.
pub(super) fn state(school: &School) -> Cell {
    if school.state() == school::State::Closed { Cell::mark(Tone::Plain, "已停办") } else { Cell::mark(Tone::Good, "在办") }
}

/// Who owns schools.
pub(super) fn kinds() -> [Choice; 2] {
    [Choice::of("PUBLIC", "公办"), Choice::of("PRIVATE", "民办")]
}

/// In which list majors are looked up.
pub(super) fn catalogue() -> Field {
    Field::choice("catalogue", CATALOGUES.map(|year| Choice::of(year, format!("{year}年")))).called("专业目录")
}

/// Regions that are proposed where one is to be named.
pub(super) fn regions(desk: &Desk) -> impl Iterator<Item = String> {
    pickers::regions(&desk.user.org, desk.civil_day()).into_iter().map(|region| region.filled())
}

fn creating(desk: &Desk) -> Form {
    let authority = Field::picked("authority", regions(desk)).required().hint("主管部门所在的行政区划，写名称或代码");
    Form::of::<CreateSchoolRequest>(desk, "create", "/schools")
        .with(Field::line("code").required().hint("批准代码，10位，36开头"))
        .with(Field::line("name").required().limit(60))
        .with(Field::picked("region", regions(desk)).required().hint("名称或6位行政区划码，如 长沙市芙蓉区"))
        .with(authority)
        .with(Field::choice("kind", kinds()))
        .with(Field::line("telephone").limit(30).hint("可不填"))
        .with(catalogue())
        .with(Field::lines("majors").hint(MAJORS_HINT))
        .button("登记")
}

fn sending(desk: &Desk) -> Form {
    Form::of::<ImportSchoolsRequest>(desk, "send", "/schoolImports").with(imports::workbook()).button("上传并预览")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CreateForm {
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

impl CreateForm {
    /// What it says, or every field that is wrong.
    fn asked(self, today: chrono::NaiveDate) -> Result<CreateSchoolRequest, Status> {
        let mut faults = FieldErrors::default();
        let mut named = |field: &str, typed: &str| pickers::region(typed, today).map_err(|why| faults.add(field, why)).unwrap_or_default();
        let (region, authority) = (named("region", &self.region), named("authority", &self.authority));
        let majors = pickers::majors(&self.majors, &self.catalogue).map_err(|why| faults.add("majors", why)).unwrap_or_default();
        faults.check()?;
        let kind = school::Kind::from_str_name(&self.kind).unwrap_or_default().into();
        Ok(CreateSchoolRequest { code: self.code.trim().to_owned(), name: self.name, region, kind, authority, majors, telephone: self.telephone })
    }
}

async fn create(desk: Desk, Sent(sent): Sent<CreateForm>) -> Result<Response, PageError> {
    let request_id = sent.request_id.clone();
    let asked = sent.asked(desk.civil_day())?;
    let made = desk.directory().create_school(desk.change(&request_id, asked)).await?.into_inner().school.unwrap_or_default();
    let doubts = if made.doubts.is_empty() { String::new() } else { format!("请核对：{}。", made.doubts.join("；")) };
    let done = format!("学校{}（{}）已登记。{doubts}", made.name, made.code);
    Ok(desk.done(done, Address::of("/schools").with("q", made.code)))
}
