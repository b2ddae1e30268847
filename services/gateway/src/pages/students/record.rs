//! 一生一档: one student whole. A draft is typed and changed here by the checks of a file; of who is approved, the school keeps up what is its
//! own, and asks for what carries money.

use askama::Template;
use axum::{Form as Sent, extract::Path, response::Response};
use tonic::Status;
use xuezhu_domain::{
    codes::{self, COLUMNS, Need},
    record,
};
use xuezhu_proto::{
    common::Problem,
    enrollment::{
        AskAidFactsChangeRequest, ChangeContactsRequest, ColumnValue, EditDraftRequest, Enrollment, EnterDraftRequest, GetStudentRequest, HistoryLine,
        RecordColumn, StudentRecord, enrollment, record_column::ChangedBy,
    },
};

use super::{mark, path};
use crate::{
    pages::{Desk, PageError, dossiers::Keeper, render, show, unknown_act},
    parts::{
        Act, Cell, Field, Form, Pairs, Steps,
        field::{Choice, typed},
        steps::Step,
    },
};

/// Values of a column that are offered as a list; of more one is typed, with proposals.
const LISTED: usize = 30;

#[derive(Template)]
#[template(path = "students/record.html")]
struct RecordPage {
    desk: Desk,
    row: Enrollment,
    state: Cell,
    groups: Vec<(String, Pairs)>,
    acts: Vec<Act>,
    history: Steps,
}

/// Everything that is known of a student.
pub async fn page(desk: Desk, Path((school, enrollment)): Path<(String, String)>) -> Result<Response, PageError> {
    let asked = GetStudentRequest { school, enrollment };
    let record = desk.enrollments().get_student(desk.request(asked)).await?.into_inner().record.unwrap_or_default();
    let acts = acts(&desk, &record);
    let pairs = |columns: &[RecordColumn]| {
        let shown = columns.iter().filter(|column| !column.value.is_empty());
        shown.fold(Pairs::default(), |pairs, column| pairs.with(column.header.as_str(), column.value.as_str()))
    };
    let groups = record.groups.iter().map(|group| (group.name.clone(), pairs(&group.columns))).collect();
    let history = history(&record.history);
    let row = record.enrollment.unwrap_or_default();
    Ok(render(&RecordPage { state: mark(&row), groups, acts, history, row, desk }))
}

fn history(lines: &[HistoryLine]) -> Steps {
    let step = |line: &HistoryLine| Step {
        what: line.act.clone(),
        when: format!("{} 起", line.date),
        who: line.actor.clone(),
        beside: if line.recorded_time.is_empty() { String::new() } else { format!("{} 登记", show::time(&line.recorded_time)) },
        text: line.text.clone(),
    };
    Steps(lines.iter().map(step).collect())
}

/// A field for a column.
fn field(header: &str, value: &str, required: bool) -> Field {
    let values = codes::values(header).unwrap_or_default();
    let field = if (1..=LISTED).contains(&values.len()) && (value.is_empty() || values.contains(&value)) {
        Field::choice(header.to_owned(), std::iter::once(Choice::of("", "")).chain(values.iter().map(|value| Choice::of(*value, *value))))
    } else if values.is_empty() {
        Field::line(header.to_owned())
    } else {
        Field::picked(header.to_owned(), values.iter().map(|value| (*value).to_owned()))
    };
    let field = field.called(header).value(value);
    if required { field.required() } else { field }
}

/// A form with the columns of a record that are changed so, group by group.
fn with_columns(form: Form, record: &StudentRecord, by: ChangedBy) -> Form {
    record.groups.iter().fold(form, |form, group| {
        let mut columns = group.columns.iter().filter(|column| column.changed_by() == by).peekable();
        if columns.peek().is_none() {
            return form;
        }
        // What must be filled is refused by the service, at its field: a browser would ask for what a blank may say.
        columns.fold(form.group(group.name.as_str()), |form, column| form.with(field(&column.header, &column.value, false)))
    })
}

/// What may be done with a record: what the page offers. The service decides.
fn acts(desk: &Desk, record: &StudentRecord) -> Vec<Act> {
    let row = record.enrollment.clone().unwrap_or_default();
    if !desk.user.is_clerk() {
        return Vec::new();
    }
    let at = format!("{}/record", path(&row));
    match row.state() {
        enrollment::State::Draft | enrollment::State::SentBack => {
            let form = Form::of::<EditDraftRequest>(desk, "edit", at).hidden("etag", &row.etag);
            let form = with_columns(form, record, ChangedBy::Draft).act("保存", "edit");
            vec![Act::of("修改草稿", form).says("与导入文件用同样的校验；错在哪一栏，就写在哪一栏下面。遮盖的号码不改，就是原来的号码。")]
        }
        enrollment::State::InSchool | enrollment::State::OnLeave => {
            let contacts = Form::of::<ChangeContactsRequest>(desk, "contacts", at.as_str()).hidden("etag", &row.etag);
            let contacts = with_columns(contacts, record, ChangedBy::Contact).act("保存", "contacts");
            let facts = Form::of::<AskAidFactsChangeRequest>(desk, "facts", at).hidden("etag", &row.etag);
            let facts = with_columns(facts, record, ChangedBy::Dossier)
                .group("变更")
                .with(Field::day("effective_date").required().value(desk.today()))
                .with(Field::line("reason").required().limit(500).hint("如：户口簿2026年10月换发，户别由农业改为非农业"))
                .act("申请变更", "facts");
            let says = "这些信息决定资助：由校长签核、主管部门同意后，自起始日期起生效。申请后可在业务单上添加证明材料。";
            vec![Act::of("修改联系信息", contacts).says("由学校自行维护，立即生效；改以前的内容留在经过里。"), Act::of("涉助信息变更", facts).says(says)]
        }
        _ => Vec::new(),
    }
}

#[derive(Template)]
#[template(path = "students/new.html")]
struct NewPage {
    desk: Desk,
    form: Form,
}

/// An empty record, to be typed.
pub async fn new(desk: Desk) -> Result<Response, PageError> {
    if !desk.user.is_clerk() {
        return Err(Status::permission_denied("学生由学校经办人录入").into());
    }
    let form = Form::of::<EnterDraftRequest>(&desk, "enter", "/students/new");
    let form = record::groups().into_iter().fold(form, |form, group| {
        let columns = record::KEPT.iter().filter(|kept| kept.group == group);
        columns.fold(form.group(group), |form, kept| {
            let required = COLUMNS.iter().any(|column| column.header == kept.header && column.need == Need::Required);
            form.with(field(kept.header, "", required))
        })
    });
    Ok(render(&NewPage { form: form.button("保存为草稿"), desk }))
}

/// What a form says of columns.
fn columns(pairs: &[(String, String)]) -> Vec<ColumnValue> {
    let said = pairs.iter().filter(|(name, _)| COLUMNS.iter().any(|column| column.header == name));
    said.map(|(header, value)| ColumnValue { header: header.clone(), value: value.clone() }).collect()
}

fn said<'p>(pairs: &'p [(String, String)], name: &str) -> &'p str {
    pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// What is doubtful, told with what was done.
fn with_doubts(done: &str, doubts: &[Problem]) -> String {
    let told: Vec<String> = doubts.iter().map(|doubt| format!("{}：{}", doubt.column, doubt.reason)).collect();
    if told.is_empty() { done.to_owned() } else { format!("{done}请留意：{}", told.join("；")) }
}

/// A student is entered.
pub async fn enter(desk: Desk, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let asked = EnterDraftRequest { school: desk.user.org.clone(), columns: columns(&pairs), validate_only: false };
    let entered = desk.enrollments().enter_draft(desk.change(said(&pairs, "request_id"), asked)).await?.into_inner();
    let row = entered.enrollment.unwrap_or_default();
    Ok(desk.done(with_doubts("已保存为草稿。", &entered.doubts), path(&row)))
}

/// A record is changed.
pub async fn act(desk: Desk, Path((school, enrollment)): Path<(String, String)>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let back = format!("/schools/{school}/enrollments/{enrollment}/record");
    let (request_id, etag, columns) = (said(&pairs, "request_id"), said(&pairs, "etag").to_owned(), columns(&pairs));
    let mut client = desk.enrollments();
    match said(&pairs, "act") {
        "edit" => {
            let asked = EditDraftRequest { school, enrollment, columns, etag, validate_only: false };
            let edited = client.edit_draft(desk.change(request_id, asked)).await?.into_inner();
            Ok(desk.done(with_doubts("已保存。", &edited.doubts), back))
        }
        "contacts" => {
            let changed = client.change_contacts(desk.change(request_id, ChangeContactsRequest { school, enrollment, columns, etag })).await?.into_inner();
            Ok(desk.done(with_doubts("联系信息已保存。", &changed.doubts), back))
        }
        "facts" => {
            let (effective_date, reason) = (typed(said(&pairs, "effective_date")), said(&pairs, "reason").to_owned());
            let asked = AskAidFactsChangeRequest { school, enrollment, columns, effective_date, reason, etag };
            let dossier = client.ask_aid_facts_change(desk.change(request_id, asked)).await?.into_inner().dossier.unwrap_or_default();
            Ok(desk.done("已申请变更，等校长签核；请在下面添加证明材料。", Keeper::Enrollment.link(&dossier.dossier)))
        }
        unknown => Err(unknown_act(unknown)),
    }
}
