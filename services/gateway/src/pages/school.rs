//! A school: what is known of it, its majors, its department; changed, closed, opened again by who keeps schools.

use std::sync::Arc;

use askama::Template;
use axum::{Form as Sent, Router, extract::Path, response::Response, routing::get};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::enrollment::{
    AddMajorsRequest, AuthorityChange, CloseSchoolRequest, EndMajorRequest, GetSchoolRequest, Major, OpenSchoolRequest, School, SetAuthorityRequest,
    UpdateSchoolRequest, school,
};
use xuezhu_service::refusal::{Error, Refusal};

use super::{
    Desk, PageError, pickers, render,
    schools::{MAJORS_HINT, catalogue, kinds, regions, state},
    show, unknown_act,
};
use crate::{
    Gateway,
    parts::{
        Cell, Field, Form, Note, Pairs, Row, Table, Tone,
        field::{Choice, typed_day},
    },
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/schools/{school}", get(page).post(act))
}

#[derive(Template)]
#[template(path = "school.html")]
struct SchoolPage {
    desk: Desk,
    school: School,
    known: Pairs,
    doubts: Vec<Note>,
    majors: Table,
    authorities: Option<Table>,
    /// For who keeps schools.
    acts: Option<Acts>,
}

/// What can be changed about it.
struct Acts {
    add_majors: Form,
    /// None where no major takes students.
    end_major: Option<Form>,
    update: Form,
    set_authority: Form,
    close: Form,
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

async fn page(desk: Desk, Path(code): Path<String>) -> Result<Response, PageError> {
    let school = desk.directory().get_school(desk.request(GetSchoolRequest { school: code })).await?.into_inner().school.unwrap_or_default();
    let acts = desk.user.is_admin().then(|| Acts {
        add_majors: adding(&desk, &school),
        end_major: ending(&desk, &school),
        update: updating(&desk, &school),
        set_authority: setting(&desk, &school),
        close: closing(&desk, &school),
    });
    let page = SchoolPage {
        known: known(&school),
        doubts: school.doubts.iter().map(|doubt| Note::of(Tone::Wait, format!("请核对：{doubt}"))).collect(),
        majors: majors(&school),
        authorities: (!school.authority_changes.is_empty()).then(|| authorities(&school.authority_changes)),
        acts,
        school,
        desk,
    };
    Ok(render(&page))
}

fn known(school: &School) -> Pairs {
    let since = if school.state_since.is_empty() { String::new() } else { format!("自 {} 起", school.state_since) };
    let telephone = if school.telephone.is_empty() { "没有填写" } else { &school.telephone };
    Pairs::default()
        .with("状态", state(school).and(Cell::text(since)))
        .with("所在地", pickers::region_name(&school.region))
        .with("主管部门", pickers::region_name(&school.authority))
        .with("联系电话", telephone)
}

fn majors(school: &School) -> Table {
    let row = |major: &Major| {
        let taken =
            if major.ended_date.is_empty() { Cell::mark(Tone::Good, "招生") } else { Cell::mark(Tone::Plain, format!("{} 起停招", major.ended_date)) };
        let doubt = (!major.doubt.is_empty()).then(|| Cell::mark(Tone::Wait, "待核对").beside(&major.doubt));
        Row::of([Cell::from(&major.catalogue), Cell::unbroken(&major.code), Cell::from(&major.name).maybe(doubt), taken])
    };
    Table::of("备案专业").columns(["目录", "代码", "名称", "招生"]).rows(school.majors.iter().map(row)).empty("还没有备案专业，不能录入学生。")
}

fn authorities(changes: &[AuthorityChange]) -> Table {
    let row = |change: &AuthorityChange| {
        Row::of([
            Cell::unbroken(&change.from_date),
            Cell::from(pickers::region_name(&change.authority_before)),
            Cell::from(pickers::region_name(&change.authority)),
            Cell::from(&change.reason),
            Cell::from(format!("{} {}", change.recorded_by, show::day(&change.recorded_time))),
            if change.holds { Cell::mark(Tone::Good, "已生效") } else { Cell::mark(Tone::Wait, "未到日期") },
        ])
    };
    Table::of("主管部门的变更").columns(["起始日期", "由", "改为", "理由", "登记", "状态"]).rows(changes.iter().map(row))
}

fn at(school: &School) -> String {
    format!("/schools/{}", school.code)
}

fn adding(desk: &Desk, school: &School) -> Form {
    Form::of::<AddMajorsRequest>(desk, "add", at(school))
        .with(catalogue())
        .with(Field::lines("majors").called("增加的专业").required().hint(format!("{MAJORS_HINT}；停招的再写一次即恢复招生")))
        .act("增加", "add_majors")
}

fn ending(desk: &Desk, school: &School) -> Option<Form> {
    let open = school.majors.iter().filter(|major| major.ended_date.is_empty());
    let choices: Vec<Choice> = open.map(|major| Choice::of(&major.key, format!("{}（{}-{}）", major.name, major.catalogue, major.code))).collect();
    (!choices.is_empty()).then(|| {
        Form::of::<EndMajorRequest>(desk, "end", at(school))
            .with(Field::choice("key", choices))
            .with(Field::day("end_date").called("从哪一天起停招").required().value(desk.today()))
            .danger("停招", "end_major")
    })
}

fn updating(desk: &Desk, school: &School) -> Form {
    Form::of::<UpdateSchoolRequest>(desk, "update", at(school))
        .with(Field::line("name").required().limit(60).value(&school.name))
        .with(Field::choice("kind", kinds()).value(school.kind().as_str_name()))
        .with(Field::line("telephone").limit(30).value(&school.telephone))
        .act("更改", "update")
}

fn setting(desk: &Desk, school: &School) -> Form {
    Form::of::<SetAuthorityRequest>(desk, "authority", at(school))
        .with(Field::picked("authority", regions(desk)).required().hint("主管部门所在的行政区划，写名称或代码"))
        .with(Field::day("from_date").required().value(desk.today()))
        .with(Field::line("reason").called("理由（文件依据）").required().limit(500))
        .act("登记变更", "set_authority")
}

fn closing(desk: &Desk, school: &School) -> Form {
    if school.state() == school::State::Closed {
        return Form::of::<OpenSchoolRequest>(desk, "open", at(school)).act("恢复办学", "open");
    }
    let asks = format!("停办{}：从今天起不再录入和提交新生。", school.name);
    Form::of::<CloseSchoolRequest>(desk, "close", at(school)).danger("停办", "close").asks(asks)
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
    #[serde(deserialize_with = "typed_day")]
    end_date: String,
    authority: String,
    #[serde(deserialize_with = "typed_day")]
    from_date: String,
    reason: String,
}

/// What is wrong with a field, as a service would say it.
fn at_fault(field: &'static str) -> impl Fn(String) -> Status {
    move |why| Error::from(Refusal::field(field, why)).into()
}

async fn act(desk: Desk, Path(school): Path<String>, Sent(sent): Sent<ActForm>) -> Result<Response, PageError> {
    let (page, mut client) = (format!("/schools/{school}"), desk.directory());
    let ActForm { request_id, act, name, kind, telephone, catalogue, majors, key, end_date, authority, from_date, reason } = sent;
    let done = match act.as_str() {
        "update" => {
            let kind = school::Kind::from_str_name(&kind).unwrap_or_default().into();
            let asked = UpdateSchoolRequest { school, name: Some(name), kind, telephone: Some(telephone) };
            client.update_school(desk.change(&request_id, asked)).await?;
            "学校信息已更改。".to_owned()
        }
        "add_majors" => {
            let majors = pickers::majors(&majors, &catalogue).map_err(at_fault("majors"))?;
            let count = majors.len();
            client.add_majors(desk.change(&request_id, AddMajorsRequest { school, majors })).await?;
            format!("已备案 {count} 个专业。")
        }
        "end_major" => {
            client.end_major(desk.change(&request_id, EndMajorRequest { school, key: key.clone(), end_date })).await?;
            format!("专业{key}已停止招生；从没有学生的，已从备案中删去。")
        }
        "set_authority" => {
            let authority = pickers::region(&authority, desk.civil_day()).map_err(at_fault("authority"))?;
            let done = format!("自{from_date}起由{}主管部门审核。已在办的业务单仍由原部门办完。", pickers::region_name(&authority));
            client.set_authority(desk.change(&request_id, SetAuthorityRequest { school, authority, from_date, reason })).await?;
            done
        }
        "close" => {
            client.close_school(desk.change(&request_id, CloseSchoolRequest { school })).await?;
            "学校已停办，不再录入和提交新生。".to_owned()
        }
        "open" => {
            client.open_school(desk.change(&request_id, OpenSchoolRequest { school })).await?;
            "学校已恢复办学。".to_owned()
        }
        other => return Err(unknown_act(other)),
    };
    Ok(desk.done(done, page))
}
