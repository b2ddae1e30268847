//! One-time passwords of accounts that came by file: a page a person, shown once, to be printed.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::Path,
    http::{HeaderMap, header},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use xuezhu_proto::enrollment::{GetAccountImportRequest, MakePasswordsRequest, make_passwords_response::Password};

use super::{Desk, PageError, pickers, render, session};
use crate::{
    Gateway,
    parts::{Form, Note, Tone},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/accountImports/{import}/passwords", get(page).post(make))
}

#[derive(Template)]
#[template(path = "passwords.html")]
struct PasswordsPage {
    desk: Desk,
    import: String,
    /// What was made, or why nothing was; none before it was asked.
    told: Option<Note>,
    people: Vec<Password>,
    /// What can be made now.
    make: Option<Form>,
    /// Where one logs in, as who asks for the pages does.
    address: String,
}

impl PasswordsPage {
    fn role(person: &Password) -> &'static str {
        session::role_name(person.role().as_str_name())
    }

    fn organisation(person: &Password) -> String {
        match person.organisation.len() {
            0 => "全部范围".to_owned(),
            6 => pickers::region_name(&person.organisation),
            _ => format!("{}（{}）", person.organisation_name, person.organisation),
        }
    }
}

fn making(desk: &Desk, import: &str) -> Form {
    Form::of::<MakePasswordsRequest>(desk, "make", format!("/accountImports/{import}/passwords"))
}

async fn page(desk: Desk, Path(import): Path<String>) -> Result<Response, PageError> {
    // Shown to whom the service shows the import.
    desk.directory_files().get_account_import(desk.request(GetAccountImportRequest { import_id: import.clone() })).await?;
    let make = Some(making(&desk, &import).button("为还没有密码的人生成"));
    Ok(render(&PasswordsPage { desk, import, told: None, people: Vec::new(), make, address: String::new() }))
}

#[derive(Deserialize)]
struct MakeForm {
    request_id: String,
    #[serde(default)]
    again: bool,
    #[serde(default)]
    page: String,
}

async fn make(desk: Desk, Path(import): Path<String>, headers: HeaderMap, Sent(sent): Sent<MakeForm>) -> Result<Response, PageError> {
    let MakeForm { request_id, again, page } = sent;
    let asked = MakePasswordsRequest { import_id: import.clone(), again, page_token: page };
    let made = desk.directory_files().make_passwords(desk.change(&request_id, asked)).await?.into_inner();
    let (told, further) = match (made.passwords.len(), made.accounts_left, made.accounts_told) {
        (0, _, 0) => {
            let text = "这次导入的账号都已登录过或已停用，不需要一次性密码。遗失密码的，请点“重置密码”。";
            (Note::of(Tone::Plain, text).way("/accounts", "账号"), None)
        }
        (0, _, told) => {
            let text = format!("密码页已经显示过，不能再看：系统不保存密码。有 {told} 人还没有登录过，可以为他们重新生成；只有个别人遗失的，请点“重置密码”。");
            let anew = making(&desk, &import).hidden("again", "true").danger(format!("重新生成 {told} 人的密码"), "");
            let anew = anew.asks(format!("为没有登录过的 {told} 人重新生成：以前为他们打印的密码随即作废。"));
            (Note::of(Tone::Wait, text).way("/accounts", "账号"), Some(anew))
        }
        (count, left, _) => {
            let text = format!(
                "为 {count} 人生成了一次性密码，只显示这一次，系统不保存。请现在打印（浏览器菜单“打印”，一人一页），当面交给本人，不要存档、拍照或转发。"
            );
            let next = making(&desk, &import).says(format!("打印好这些以后，还有 {left} 人。"));
            let next = if again { next.hidden("again", "true").hidden("page", made.next_page_token) } else { next };
            (Note::of(Tone::Good, text), (left > 0).then(|| next.button("生成下一批")))
        }
    };
    let address = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    Ok(render(&PasswordsPage { desk, import, told: Some(told), people: made.passwords, make: further, address }))
}
