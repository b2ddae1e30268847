//! 校长委托: who stands in for the principal of one's school, and when.

use std::sync::Arc;

use askama::Template;
use axum::{Form as Sent, Router, extract::Path, response::Response, routing::get, routing::post};
use serde::Deserialize;
use tonic::Status;
use xuezhu_proto::enrollment::{Deputy, EndDeputyRequest, ListDeputiesRequest, NameDeputyRequest};

use super::{Desk, PageError, render};
use crate::{
    Gateway,
    parts::{Cell, Field, Form, Row, Table, Tone, field::typed_day},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/deputies", get(page).post(name)).route("/deputies/{deputy}/end", post(end))
}

#[derive(Template)]
#[template(path = "deputies.html")]
struct DeputiesPage {
    desk: Desk,
    name: Option<Form>,
    deputies: Table,
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    if !desk.user.is_school() {
        return Err(PageError::Refused(Status::permission_denied("只有学校的账号可以查看本校的委托")));
    }
    let asked = ListDeputiesRequest { school: desk.user.org.clone() };
    let rows = desk.deputies().list_deputies(desk.request(asked)).await?.into_inner().deputies;
    let names = desk.user.is_head();
    let deputies = Table::of("历次委托").columns(["受委托人", "日期", "原因", "委托人", "状态"]);
    let deputies = if names { deputies.acts() } else { deputies };
    let row = |row: &Deputy| {
        let cells = [
            Cell::text(format!("{}（{}）", row.display_name, row.account)),
            Cell::unbroken(format!("{} 至 {}", row.from_date, row.to_date)),
            Cell::from(&row.reason),
            Cell::from(&row.named_by),
            state(&desk, row),
        ];
        Row::of(cells).and_if(names, || ending(&desk, row))
    };
    let deputies = deputies.rows(rows.iter().map(row)).empty("没有委托过。");
    let name = names.then(|| naming(&desk));
    Ok(render(&DeputiesPage { desk, name, deputies }))
}

fn naming(desk: &Desk) -> Form {
    Form::of::<NameDeputyRequest>(desk, "name", "/deputies")
        .with(Field::line("account").called("经办人账号").required().limit(60))
        .with(Field::day("from_date").required().value(desk.today()))
        .with(Field::day("to_date").called("截止日期（含）").required())
        .with(Field::line("reason").required().limit(500).hint("如：外出学习"))
        .button("委托")
}

fn state(desk: &Desk, row: &Deputy) -> Cell {
    if !row.ended_date.is_empty() {
        Cell::mark(Tone::Plain, format!("{} 提前结束", row.ended_date))
    } else if row.holds {
        Cell::mark(Tone::Good, "委托中")
    } else if row.to_date < desk.today() {
        Cell::mark(Tone::Plain, "已到期")
    } else {
        Cell::mark(Tone::Wait, "未开始")
    }
}

/// What ends a deputy before the day; nothing where it is over.
fn ending(desk: &Desk, row: &Deputy) -> Cell {
    if !row.ended_date.is_empty() || row.to_date < desk.today() {
        return Cell::default();
    }
    let end = Form::of::<EndDeputyRequest>(desk, format!("end-{}", row.deputy), format!("/deputies/{}/end", row.deputy));
    Cell::act(end.inline().danger("结束委托", ""))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NameForm {
    request_id: String,
    account: String,
    #[serde(deserialize_with = "typed_day")]
    from_date: String,
    #[serde(deserialize_with = "typed_day")]
    to_date: String,
    reason: String,
}

async fn name(desk: Desk, Sent(sent): Sent<NameForm>) -> Result<Response, PageError> {
    let NameForm { request_id, account, from_date, to_date, reason } = sent;
    let asked = NameDeputyRequest { school: desk.user.org.clone(), account: account.trim().to_owned(), from_date, to_date, reason };
    let named = desk.deputies().name_deputy(desk.change(&request_id, asked)).await?.into_inner().deputy.unwrap_or_default();
    let done = format!("已委托{}，{}至{}。请对方重新登录后办理。", named.display_name, named.from_date, named.to_date);
    Ok(desk.done(done, "/deputies"))
}

#[derive(Debug, Deserialize)]
struct EndForm {
    request_id: String,
}

async fn end(desk: Desk, Path(deputy): Path<String>, Sent(sent): Sent<EndForm>) -> Result<Response, PageError> {
    let asked = EndDeputyRequest { school: desk.user.org.clone(), deputy };
    desk.deputies().end_deputy(desk.change(&sent.request_id, asked)).await?;
    Ok(desk.done("委托已结束。", "/deputies"))
}
