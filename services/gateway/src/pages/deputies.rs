//! 校长委托: who stands in for the principal of one's school, and when.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::{Code, Status};
use xuezhu_proto::enrollment::{Deputy, EndDeputyRequest, ListDeputiesRequest, NameDeputyRequest};

use super::{Desk, PageError, in_chinese, render};
use crate::Gateway;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/deputies", get(page).post(name)).route("/deputies/{deputy}/end", post(end))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NameForm {
    request_id: String,
    account: String,
    from_date: String,
    to_date: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "deputies.html")]
struct DeputiesPage {
    desk: Desk,
    rows: Vec<Deputy>,
    filled: NameForm,
    done: String,
    error: String,
    request_id: String,
}

impl DeputiesPage {
    fn state(&self, row: &Deputy) -> String {
        if !row.ended_date.is_empty() {
            format!("{} 提前结束", row.ended_date)
        } else if row.holds {
            "委托中".to_owned()
        } else if row.to_date < self.desk.today() {
            "已到期".to_owned()
        } else {
            "未开始".to_owned()
        }
    }

    fn can_end(&self, row: &Deputy) -> bool {
        row.ended_date.is_empty() && row.to_date >= self.desk.today()
    }
}

async fn view(desk: Desk, filled: NameForm, told: Result<String, Status>) -> Result<Response, PageError> {
    if !desk.user.is_school() {
        return Err(PageError::Refused(Status::permission_denied("只有学校的账号可以查看本校的委托")));
    }
    let asked = ListDeputiesRequest { school: desk.user.org.clone() };
    let rows = desk.deputies().list_deputies(desk.request(asked)).await?.into_inner().deputies;
    let (done, error) = match told {
        Ok(done) => (done, String::new()),
        Err(status) => (String::new(), in_chinese(status.message())),
    };
    let request_id = desk.new_request_id();
    Ok(render(&DeputiesPage { desk, rows, filled, done, error, request_id }))
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    let filled = NameForm { from_date: desk.today(), ..NameForm::default() };
    view(desk, filled, Ok(String::new())).await
}

async fn name(desk: Desk, Form(form): Form<NameForm>) -> Result<Response, PageError> {
    let asked = NameDeputyRequest {
        school: desk.user.org.clone(),
        account: form.account.trim().to_owned(),
        from_date: form.from_date.clone(),
        to_date: form.to_date.clone(),
        reason: form.reason.clone(),
    };
    match desk.deputies().name_deputy(desk.change(&form.request_id, asked)).await {
        Ok(answer) => {
            let named = answer.into_inner().deputy.unwrap_or_default();
            let done = format!("已委托{}，{}至{}。请对方重新登录后办理。", named.display_name, named.from_date, named.to_date);
            view(desk, NameForm::default(), Ok(done)).await
        }
        Err(status) if status.code() == Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => view(desk, form, Err(status)).await,
    }
}

#[derive(Debug, Deserialize)]
struct EndForm {
    request_id: String,
}

async fn end(desk: Desk, Path(deputy): Path<String>, Form(form): Form<EndForm>) -> Result<Response, PageError> {
    let asked = EndDeputyRequest { school: desk.user.org.clone(), deputy };
    desk.deputies().end_deputy(desk.change(&form.request_id, asked)).await?;
    Ok(Redirect::to("/deputies").into_response())
}
