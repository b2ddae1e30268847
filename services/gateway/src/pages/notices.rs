//! 公示: a notice for the school's people and the department, on paper and to be published; for whoever has the link, without a log-in; and what is
//! said against it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{Path, Query, State as Held},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tonic::{Code, Request, Status};
use xuezhu_proto::{
    aid::{
        AnswerObjectionRequest, DecideObjectionRequest, FileObjectionRequest, GetNoticeRequest, GetPublicNoticeRequest, GetPublicNoticeResponse,
        ListNoticesRequest, ListObjectionsRequest, Notice, NoticeClass, NoticeLine, Objection, PublishNoticeRequest, RecordObjectionRequest, notice,
        notice_service_client::NoticeServiceClient, objection::State,
    },
    common::Dossier,
};

use super::{Desk, PageError, dossiers::Keeper, in_chinese, render};
use crate::{
    Gateway,
    parts::{Act, Address, Cell, Field, Form, Note, Pairs, Place, Row, Table, Tone, field::Choice, place::Way},
};

/// Objections on a page, and notices of a list that are told.
const ROWS: i32 = 100;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/objections", get(objections))
        .route("/objections/{objection}/answer", post(answer))
        .route("/objections/{objection}/decide", post(decide))
        .route("/schools/{school}/notices/{notice}", get(one))
        .route("/schools/{school}/notices/{notice}/print", get(print))
        .route("/schools/{school}/notices/{notice}/publish", post(publish))
        .route("/schools/{school}/notices/{notice}/objections", post(record))
        .route("/notices/{notice}", get(public).post(file))
}

fn path(notice: &Notice) -> String {
    format!("/schools/{}/notices/{}", notice.school, notice.notice)
}

/// How a notice stands.
pub fn mark(notice: &Notice) -> Cell {
    match (notice.running, notice.objections) {
        (true, 0) => Cell::mark(Tone::Wait, "公示中"),
        (_, 1..) => Cell::mark(Tone::Bad, format!("{}条异议未办结", notice.objections)),
        (false, _) if notice.count == 0 => Cell::mark(Tone::Plain, "学生都已退回"),
        (false, _) => Cell::mark(Tone::Good, "已期满"),
        (true, _) => Cell::mark(Tone::Plain, ""),
    }
}

/// The notices of a list, for its page; none where it has none.
pub async fn of_list(desk: &Desk, school: &str, list: &str) -> Result<Option<Table>, PageError> {
    let asked = ListNoticesRequest { school: school.to_owned(), list: list.to_owned(), page_size: ROWS, ..Default::default() };
    let notices = desk.notices().list_notices(desk.request(asked)).await?.into_inner().notices;
    if notices.is_empty() {
        return Ok(None);
    }
    let row = |notice: &Notice| {
        Row::of([
            Cell::link(path(notice), format!("{} 至 {}", notice.open_date, notice.last_date)),
            Cell::text(stage(notice)),
            Cell::number(notice.count),
            mark(notice),
            Cell::text(if notice.published && notice.running { "纸质和网上" } else { "纸质" }),
        ])
    };
    Ok(Some(Table::of("公示").columns(["公示日期", "环节"]).number("人数").columns(["状态", "方式"]).rows(notices.iter().map(row))))
}

/// What of its notices stands in the way of a round's signature.
pub async fn in_the_way(desk: &Desk, round: &Dossier) -> Result<Vec<Note>, PageError> {
    let asked = ListNoticesRequest { school: round.school.clone(), list: round.subject.clone(), page_size: ROWS, ..Default::default() };
    let notices = desk.notices().list_notices(desk.request(asked)).await?.into_inner().notices;
    let of_round = notices.iter().filter(|notice| notice.dossier == round.dossier && notice.stage() == notice::Stage::BeforeSignature);
    let note = |notice: &Notice| {
        let text = match (notice.running, notice.objections) {
            (true, _) => format!("正在公示，至{}期满，次日起才能签核。", notice.last_date),
            (false, 1..) => format!("公示有{}条异议未办结：核定以前不能签核，或先将涉及的学生退回。", notice.objections),
            (false, _) => return None,
        };
        Some(Note::of(Tone::Wait, text).way(path(notice), "打开公示"))
    };
    Ok(of_round.filter_map(note).collect())
}

fn stage(notice: &Notice) -> &'static str {
    match notice.stage() {
        notice::Stage::BeforeSignature => "校长签核以前：期满才能签核",
        notice::Stage::AfterAudit => "主管部门审核以后：期满才能发放",
        notice::Stage::Unspecified => "",
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    class: String,
}

/// Who is shown of a class: the fields that the rules let a notice have.
fn lines_of(rows: &[NoticeLine], class_name: &str, classes: usize) -> Table {
    let row = |line: &NoticeLine| {
        let grade = if line.grade > 0 { format!("{}年级", line.grade) } else { String::new() };
        Row::of([Cell::text(line.name.as_str()), Cell::text(grade), Cell::from(&line.major_name), Cell::from(&line.class_name)])
    };
    let empty = if class_name.is_empty() && classes > 1 { "请选择班级：每次只显示一个班。" } else { "没有公示的学生。" };
    Table::of("公示名单").columns(["姓名", "年级", "专业", "班级"]).rows(rows.iter().map(row)).empty(empty)
}

/// Ways to the classes of a notice.
struct Class {
    address: Address,
    name: String,
    count: i32,
    is_here: bool,
}

fn classes_of(at: &str, classes: &[NoticeClass], here: &str) -> Vec<Class> {
    let way = |class: &NoticeClass| Class {
        address: Address::of(at).with("class", class.class_name.as_str()),
        name: class.class_name.clone(),
        count: class.count,
        is_here: class.class_name == here,
    };
    classes.iter().map(way).collect()
}

#[derive(Template)]
#[template(path = "notices/one.html")]
struct OnePage {
    desk: Desk,
    notice: Notice,
    state: Cell,
    known: Pairs,
    classes: Vec<Class>,
    class_name: String,
    lines: Table,
    print: Address,
    publish: Option<Act>,
    record: Option<Act>,
}

async fn whole(desk: &Desk, id: &str, class_name: &str) -> Result<(Notice, Vec<NoticeLine>, String), PageError> {
    let asked = GetNoticeRequest { notice: id.to_owned(), class_name: class_name.to_owned() };
    let answer = desk.notices().get_notice(desk.request(asked)).await?.into_inner();
    Ok((answer.notice.unwrap_or_default(), answer.lines, answer.class_name))
}

async fn one(desk: Desk, Path((_, id)): Path<(String, String)>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let (notice, lines, class_name) = whole(&desk, &id, &asks.class).await?;
    let at = path(&notice);
    let known = Pairs::default()
        .with("公示日期", format!("{} 至 {}", notice.open_date, notice.last_date))
        .with("环节", stage(&notice))
        .with("名单", Cell::link(format!("/schools/{}/lists/{}", notice.school, notice.list), notice.title.as_str()))
        .with("业务单", Cell::link(Keeper::Aid.link(&notice.dossier), "打开业务单"))
        .with("内容摘要", notice.digest.as_str());
    let known = if notice.published && notice.running {
        known.with("网上公示", Cell::link(format!("/notices/{}", notice.notice), "打开网上公示页"))
    } else {
        known
    };
    let publish = (desk.user.is_clerk() && notice.running).then(|| publishing(&desk, &notice));
    let record = (desk.user.decides_aid()).then(|| recording(&desk, &notice, &class_name));
    let page = OnePage {
        state: mark(&notice),
        known,
        classes: classes_of(&at, &notice.classes, &class_name),
        lines: lines_of(&lines, &class_name, notice.classes.len()),
        print: Address::of(format!("{at}/print")).with("class", class_name.as_str()),
        class_name,
        publish,
        record,
        notice,
        desk,
    };
    Ok(render(&page))
}

fn publishing(desk: &Desk, notice: &Notice) -> Act {
    let (word, value) = if notice.published { ("停止网上公示", "") } else { ("同时在网上公示", "on") };
    let form = Form::of::<PublishNoticeRequest>(desk, "publish", format!("{}/publish", path(notice))).hidden("published", value).plain(word, "");
    let says = "以张贴打印的公示表为准。网上公示的，知道链接的人不用登录就能看到，每次只显示一个班；不会被搜索引擎收录，期满自动关闭，并可在页面上提出异议。";
    Act::of("网上公示", form).says(says)
}

fn recording(desk: &Desk, notice: &Notice, class_name: &str) -> Act {
    let classes = notice.classes.iter().map(|class| Choice::of(&class.class_name, &class.class_name));
    let form = Form::of::<RecordObjectionRequest>(desk, "record", format!("{}/objections", path(notice)))
        .with(Field::choice("class_name", classes).value(class_name))
        .with(Field::line("student").limit(60).hint("针对整份公示的不填"))
        .with(Field::line("text").required().limit(500).wide())
        .with(Field::line("objector").limit(40).hint("只有主管部门能看到"))
        .with(Field::line("telephone").limit(40))
        .button("登记异议");
    Act::of("登记异议", form).says("来电、来访、来信提出的异议在这里登记；异议人不会告诉学校。")
}

#[derive(Template)]
#[template(path = "notices/print.html")]
struct PrintPage {
    desk: Desk,
    notice: Notice,
    class_name: String,
    lines: Vec<NoticeLine>,
}

async fn print(desk: Desk, Path((_, id)): Path<(String, String)>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let (notice, lines, class_name) = whole(&desk, &id, &asks.class).await?;
    Ok(render(&PrintPage { desk, notice, class_name, lines }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PublishForm {
    request_id: String,
    published: String,
}

async fn publish(desk: Desk, Path((school, id)): Path<(String, String)>, Sent(sent): Sent<PublishForm>) -> Result<Response, PageError> {
    let published = sent.published == "on";
    desk.notices().publish_notice(desk.change(&sent.request_id, PublishNoticeRequest { notice: id.clone(), published: Some(published) })).await?;
    let word = if published { "已在网上公示：链接在本页，可以转发。" } else { "已停止网上公示。" };
    Ok(desk.done(word.to_owned(), format!("/schools/{school}/notices/{id}")))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ObjectionForm {
    request_id: String,
    class_name: String,
    student: String,
    text: String,
    objector: String,
    telephone: String,
}

async fn record(desk: Desk, Path((school, id)): Path<(String, String)>, Sent(sent): Sent<ObjectionForm>) -> Result<Response, PageError> {
    let asked = RecordObjectionRequest {
        notice: id.clone(),
        class_name: sent.class_name,
        student: sent.student,
        text: sent.text,
        objector: sent.objector,
        telephone: sent.telephone,
    };
    desk.notices().record_objection(desk.change(&sent.request_id, asked)).await?;
    Ok(desk.done("异议已登记，请学校答复后核定。".to_owned(), Address::of("/objections").with("school", school)))
}

#[derive(Template)]
#[template(path = "notices/objections.html")]
struct ObjectionsPage {
    desk: Desk,
    narrow: Form,
    objections: Vec<Shown>,
    place: Place,
}

/// An objection with what may be done about it.
struct Shown {
    title: String,
    state: Cell,
    known: Pairs,
    acts: Vec<Act>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ObjectionsAsk {
    school: String,
    state: String,
    page: String,
    at: i64,
}

async fn objections(desk: Desk, Query(asks): Query<ObjectionsAsk>) -> Result<Response, PageError> {
    let state = State::from_str_name(&asks.state).unwrap_or_default();
    let asked = ListObjectionsRequest { school: asks.school.clone(), state: state.into(), page_size: ROWS, page_token: asks.page };
    let answer = desk.notices().list_objections(desk.request(asked)).await?.into_inner();
    let states = [State::Open, State::Answered, State::Upheld, State::Dismissed];
    let choices = states.map(|state| Choice::of(state.as_str_name(), word(state).1));
    let here = if state == State::Unspecified { "" } else { state.as_str_name() };
    let narrow = Form::narrow(&desk, "narrow", "/objections")
        .with(Field::kept("school", asks.school.as_str()))
        .with(Field::narrows("state", choices).called("状态").value(here))
        .button("查看");
    let way = Way::Link(Address::of("/objections").with("school", asks.school).with("state", here));
    let place = Place::uncounted(answer.objections.len(), "条", asks.at).way_on(&way, &answer.next_page_token);
    let objections = answer.objections.iter().map(|row| shown(&desk, row)).collect();
    Ok(render(&ObjectionsPage { desk, narrow, objections, place }))
}

fn word(state: State) -> (Tone, &'static str) {
    match state {
        State::Open => (Tone::Wait, "待学校答复"),
        State::Answered => (Tone::Wait, "待主管部门核定"),
        State::Upheld => (Tone::Bad, "成立"),
        State::Dismissed => (Tone::Plain, "不成立"),
        State::Unspecified => (Tone::Plain, ""),
    }
}

fn shown(desk: &Desk, row: &Objection) -> Shown {
    let (tone, word) = word(row.state());
    let known = Pairs::default()
        .with("公示", Cell::link(format!("/schools/{}/notices/{}", row.school, row.notice), row.title.as_str()))
        .with("学校", row.school.as_str())
        .with("提出", format!("{}（{}）", row.file_date, if row.by_form { "网上" } else { "主管部门登记" }))
        .some("异议人", &row.objector)
        .with("内容", row.text.as_str())
        .some("学校答复", &if row.answer.is_empty() { String::new() } else { format!("{}（{}）", row.answer, row.answered_by) })
        .some("核定", &if row.decision.is_empty() { String::new() } else { format!("{}（{}）", row.decision, row.decided_by) });
    let open = matches!(row.state(), State::Open | State::Answered);
    let mut acts = Vec::new();
    if open && desk.user.is_school() && desk.user.reads_school() {
        let form = Form::of::<AnswerObjectionRequest>(desk, format!("answer-{}", row.objection), format!("/objections/{}/answer", row.objection))
            .with(Field::line("text").required().limit(500).wide().value(&row.answer))
            .button("答复");
        acts.push(Act::of("学校答复", form));
    }
    if open && desk.user.decides_aid() {
        let upheld = if row.student.is_empty() {
            "成立：整单退回，改好以后重新公示"
        } else {
            "成立：由校长退回该生，已签核的由本部门退回"
        };
        let choices = [Choice::of("true", upheld), Choice::of("false", "不成立：照常办理")];
        let form = Form::of::<DecideObjectionRequest>(desk, format!("decide-{}", row.objection), format!("/objections/{}/decide", row.objection))
            .with(Field::radios("upheld", choices).required())
            .with(Field::line("reason").required().limit(500).wide())
            .button("核定");
        acts.push(Act::of("主管部门核定", form));
    }
    let title = if row.student.is_empty() { "针对整份公示".to_owned() } else { row.student.clone() };
    Shown { title, state: Cell::mark(tone, word), known, acts }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AnswerForm {
    request_id: String,
    text: String,
}

async fn answer(desk: Desk, Path(objection): Path<String>, Sent(sent): Sent<AnswerForm>) -> Result<Response, PageError> {
    desk.notices().answer_objection(desk.change(&sent.request_id, AnswerObjectionRequest { objection, text: sent.text })).await?;
    Ok(desk.done("已答复，等主管部门核定。".to_owned(), "/objections"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DecideForm {
    request_id: String,
    upheld: String,
    reason: String,
}

async fn decide(desk: Desk, Path(objection): Path<String>, Sent(sent): Sent<DecideForm>) -> Result<Response, PageError> {
    let upheld = match sent.upheld.as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(Status::invalid_argument("是否成立：请选择").into()),
    };
    desk.notices().decide_objection(desk.change(&sent.request_id, DecideObjectionRequest { objection, upheld: Some(upheld), reason: sent.reason })).await?;
    let word = if upheld { "已核定成立：请将该生退回，其余的照常办理。" } else { "已核定不成立，照常办理。" };
    Ok(desk.done(word.to_owned(), "/objections"))
}

/// What whoever has the link sees; nobody is known there.
#[derive(Template)]
#[template(path = "notices/public.html")]
struct PublicPage {
    notice: GetPublicNoticeResponse,
    classes: Vec<Class>,
    lines: Table,
    at: String,
    request_id: String,
    said: ObjectionForm,
    done: String,
    wrong: String,
}

/// A call by nobody, from where the browser calls.
fn unknown<T>(headers: &HeaderMap, id: &str, message: T) -> Request<T> {
    let mut request = super::from_where(headers, message);
    if let Ok(id) = id.parse() {
        request.metadata_mut().insert("idempotency-key", id);
    }
    request
}

async fn asked(gateway: &Gateway, headers: &HeaderMap, id: &str, class_name: &str) -> Result<GetPublicNoticeResponse, Status> {
    let asked = GetPublicNoticeRequest { notice: id.to_owned(), class_name: class_name.to_owned() };
    let mut client = NoticeServiceClient::new(gateway.upstreams.aid.clone());
    Ok(client.get_public_notice(unknown(headers, "", asked)).await?.into_inner())
}

fn public_page(gateway: &Gateway, id: &str, notice: GetPublicNoticeResponse, said: ObjectionForm, done: String, wrong: String) -> Response {
    let at = format!("/notices/{id}");
    let page = PublicPage {
        classes: classes_of(&at, &notice.classes, &notice.class_name),
        lines: lines_of(&notice.lines, &notice.class_name, notice.classes.len()),
        request_id: if said.request_id.is_empty() { gateway.ids.next(gateway.clock.now()).to_string() } else { said.request_id.clone() },
        at,
        notice,
        said,
        done,
        wrong,
    };
    let mut response = render(&page);
    // Nothing of it is kept or found elsewhere once it is over.
    response.headers_mut().insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow, noarchive"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn public(Held(gateway): Held<Arc<Gateway>>, headers: HeaderMap, Path(id): Path<String>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let notice = asked(&gateway, &headers, &id, &asks.class).await?;
    Ok(public_page(&gateway, &id, notice, ObjectionForm::default(), String::new(), String::new()))
}

async fn file(Held(gateway): Held<Arc<Gateway>>, headers: HeaderMap, Path(id): Path<String>, Sent(sent): Sent<ObjectionForm>) -> Result<Response, PageError> {
    let ask = FileObjectionRequest {
        notice: id.clone(),
        class_name: sent.class_name.clone(),
        student: sent.student.clone(),
        text: sent.text.clone(),
        objector: sent.objector.clone(),
        telephone: sent.telephone.clone(),
    };
    let mut client = NoticeServiceClient::new(gateway.upstreams.aid.clone());
    let answer = client.file_objection(unknown(&headers, &sent.request_id, ask)).await;
    let notice = asked(&gateway, &headers, &id, &sent.class_name).await?;
    match answer {
        Ok(_) => Ok(public_page(
            &gateway,
            &id,
            notice,
            ObjectionForm::default(),
            "异议已收到，由学校答复、主管部门核定；您的姓名和电话只有主管部门能看到。".to_owned(),
            String::new(),
        )),
        // Sent once already from this page, as something else: the page is new, what was written stays.
        Err(status) if status.code() == Code::AlreadyExists => {
            let wrong = in_chinese(status.message());
            Ok(public_page(&gateway, &id, notice, ObjectionForm { request_id: String::new(), ..sent }, String::new(), wrong))
        }
        Err(status) if matches!(status.code(), Code::InvalidArgument | Code::ResourceExhausted) => {
            let wrong = in_chinese(status.message());
            Ok(public_page(&gateway, &id, notice, sent, String::new(), wrong))
        }
        Err(status) => Err(status.into()),
    }
}
