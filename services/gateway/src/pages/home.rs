//! Logging in and out, the password, and today: what waits for whom since when, by deadline.

use std::{collections::HashSet, sync::Arc};

use askama::Template;
use axum::{
    Form, Router,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Code;
use xuezhu_proto::{
    aid::{AwardListInBrief, Cause, GetAidTodayRequest, GetAidTodayResponse},
    common::{Dossier, Inbox},
    enrollment::{ChangePasswordRequest, CreateSessionRequest, EndSessionRequest, GetEnrollmentTodayRequest, session_service_client::SessionServiceClient},
};

use super::{
    Arriving, Desk, PageError,
    dossiers::Keeper,
    render,
    session::{self, User},
    show,
};
use crate::{Gateway, parts::Address};

/// Dossiers in each part that the page of today shows.
const ROWS: i32 = 200;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/", get(today))
        .route("/login", get(log_in_page).post(log_in))
        .route("/logout", post(log_out))
        .route("/password", get(password_page).post(change_password))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LogInPage {
    error: String,
    account: String,
    freshness: String,
    /// Whether this browser would keep no cookie of ours: they are for HTTPS only, and it came by plain HTTP.
    no_cookie: bool,
    /// Where to, once logged in.
    next: String,
    /// A form that was filled in before, sealed.
    carried: String,
}

impl LogInPage {
    fn of(gateway: &Gateway, headers: &HeaderMap, going: Going) -> Self {
        Self {
            error: String::new(),
            account: going.account,
            freshness: gateway.freshness(),
            no_cookie: keeps_no_cookie(gateway, headers),
            // Nowhere but here.
            next: Address::own(&going.next).map(|next| next.to_string()).unwrap_or_default(),
            carried: going.carried,
        }
    }
}

/// Who logs in, and what for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Going {
    account: String,
    password: String,
    next: String,
    carried: String,
}

/// The log-in page that leads on to another.
pub fn log_in_for(next: &Address) -> Address {
    Address::of("/login").with("next", next.to_string())
}

/// The log-in page, for a form that was filled in while the session ended.
pub fn log_in_again(gateway: &Gateway, headers: &HeaderMap, next: &Address, carried: String) -> Response {
    render(&LogInPage::of(gateway, headers, Going { next: next.to_string(), carried, ..Going::default() }))
}

async fn log_in_page(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Query(going): Query<Going>) -> Response {
    render(&LogInPage::of(&gateway, &headers, Going { next: going.next, ..Going::default() }))
}

/// Whether a browser that sent these headers throws our cookies away: it would come back to the log-in page again and again.
fn keeps_no_cookie(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A proxy in front that speaks HTTPS says so; a browser says of itself whether it trusts where it is.
    let secure = text("x-forwarded-proto").eq_ignore_ascii_case("https") || text("origin").starts_with("https://") || !text("sec-fetch-site").is_empty();
    gateway.secure_cookies && !secure
}

async fn log_in(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Form(going): Form<Going>) -> Response {
    let request = super::from_where(&headers, CreateSessionRequest { account: going.account.trim().to_owned(), password: going.password.clone() });
    match SessionServiceClient::new(gateway.upstreams.enrollment.clone()).create_session(request).await {
        Ok(answer) => {
            let session = answer.into_inner();
            let to = if session.must_change_password { Address::of("/password") } else { Address::own(&going.next).unwrap_or(Address::of("/")) };
            (AppendHeaders([(header::SET_COOKIE, session::cookie(&session.access_token, gateway.secure_cookies))]), Redirect::to(&to.to_string()))
                .into_response()
        }
        Err(status) => render(&LogInPage { error: status.message().to_owned(), ..LogInPage::of(&gateway, &headers, going) }),
    }
}

async fn log_out(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let asked = session::token(&headers).and_then(|token| Some((format!("Bearer {token}").parse().ok()?, EndSessionRequest {})));
    if let Some((token, asked)) = asked {
        let mut request = super::from_where(&headers, asked);
        request.metadata_mut().insert("authorization", token);
        // Whose session is over already, or can't be ended now, is logged out of this browser all the same.
        if let Err(status) = SessionServiceClient::new(gateway.upstreams.enrollment.clone()).end_session(request).await {
            tracing::warn!(code = ?status.code(), "a session could not be ended");
        }
    }
    (AppendHeaders([(header::SET_COOKIE, session::cookie("", gateway.secure_cookies))]), Redirect::to("/login")).into_response()
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    desk: Desk,
    error: String,
}

#[derive(Deserialize)]
struct PasswordForm {
    old_password: String,
    new_password: String,
    repeated: String,
}

async fn password_page(desk: Desk) -> Response {
    render(&PasswordPage { desk, error: String::new() })
}

async fn change_password(State(gateway): State<Arc<Gateway>>, desk: Desk, Form(form): Form<PasswordForm>) -> Response {
    if form.new_password != form.repeated {
        return render(&PasswordPage { desk, error: "两次输入的新密码不一致".into() });
    }
    let asked = desk.request(ChangePasswordRequest { old_password: form.old_password, new_password: form.new_password });
    match desk.sessions().change_password(asked).await {
        Ok(answer) => {
            let token = answer.into_inner().access_token;
            (AppendHeaders([(header::SET_COOKIE, session::cookie(&token, gateway.secure_cookies))]), Redirect::to("/")).into_response()
        }
        Err(status) => render(&PasswordPage { desk, error: status.message().to_owned() }),
    }
}

/// Something that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Task {
    what: String,
    school: String,
    count: i32,
    /// Whose turn it is, in Chinese.
    waits: String,
    since: String,
    due: String,
    overdue: bool,
    /// Year whose working days nobody loaded; 0 where the days are known.
    uncounted_year: i32,
    /// Who has it.
    holder: String,
    /// Day on which the school asked last to hurry.
    nudged: String,
    nudges: i32,
    link: String,
}

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    desk: Desk,
    /// What waits for whoever looks.
    mine: Vec<Task>,
    /// How many there are of these, on all pages.
    mine_count: usize,
    /// What has waited too long one level below.
    below: Vec<Task>,
    below_count: usize,
    /// What waits for others.
    others: Vec<Task>,
    causes: Vec<Cause>,
    cause_count: i32,
    drafts: i32,
    sent_back: i32,
    done: Vec<AwardListInBrief>,
    /// Records that enrollment forgot, of schools that one may see.
    forgotten: i32,
    /// Whether aid did not answer.
    no_aid: bool,
}

impl TodayPage {
    fn more_causes(&self) -> bool {
        usize::try_from(self.cause_count).is_ok_and(|all| all > self.causes.len())
    }
}

/// What is asked of both services at once, freshness among it: nothing is asked of either before.
async fn today(State(gateway): State<Arc<Gateway>>, Arriving(mut desk): Arriving) -> Result<Response, PageError> {
    if desk.user.is_admin() {
        return Ok(Redirect::to("/accounts").into_response());
    }
    // Nothing waits for who sees classes, or money, alone.
    if !desk.user.reads_school() {
        return Ok(Redirect::to(if desk.user.is_teacher() { "/students" } else { "/lists" }).into_response());
    }
    let (mut of_enrollment, mut of_aid) = (desk.enrollment_today(), desk.aid_today());
    let (enrollment, aid) = tokio::join!(
        of_enrollment.get_enrollment_today(desk.request(GetEnrollmentTodayRequest { page_size: ROWS })),
        of_aid.get_aid_today(desk.request(GetAidTodayRequest {})),
    );
    let enrollment = enrollment?.into_inner();
    // Without aid the page still shows what it can.
    let (aid, no_aid) = match aid {
        Ok(answer) => (answer.into_inner(), false),
        Err(status) if status.code() == Code::Unauthenticated => return Err(PageError::LogIn),
        Err(_) => (GetAidTodayResponse::default(), true),
    };
    let forgotten = aid.mirror.as_ref().map_or(0, |mirror| mirror.forgotten);
    let day = gateway.clock.today();
    let told = gateway.last_told.heard(aid.mirror, enrollment.registry, day);
    (desk.mirror, desk.registry) = (told.mirror, told.registry);
    let inboxes = [(Keeper::Enrollment, enrollment.inbox.unwrap_or_default()), (Keeper::Aid, aid.inbox.unwrap_or_default())];
    let Waiting { mine, below, others, mine_count, below_count } = waiting(&desk.user, &inboxes, &aid.waiting_lists, &day.to_string());
    Ok(render(&TodayPage {
        desk,
        mine,
        mine_count,
        below,
        below_count,
        others,
        causes: aid.causes,
        cause_count: aid.cause_count,
        drafts: enrollment.drafts,
        sent_back: enrollment.sent_back,
        done: aid.approved_lists,
        forgotten,
        no_aid,
    }))
}

/// How much of what waits is for whoever looks.
pub fn count_of_mine(desk: &Desk, of_enrollment: Inbox, of_aid: Inbox, lists: &[AwardListInBrief]) -> usize {
    waiting(&desk.user, &[(Keeper::Enrollment, of_enrollment), (Keeper::Aid, of_aid)], lists, &desk.today()).mine_count
}

/// What waits, parted by whom it waits for.
#[derive(Debug, Default)]
struct Waiting {
    mine: Vec<Task>,
    below: Vec<Task>,
    others: Vec<Task>,
    mine_count: usize,
    below_count: usize,
}

/// Parts what waits in inboxes and lists. What was submitted of a list is in dossiers, which tell it; the list tells what waits beside them.
fn waiting(user: &User, inboxes: &[(Keeper, Inbox)], lists: &[AwardListInBrief], today: &str) -> Waiting {
    let mut parted = Waiting::default();
    for (keeper, inbox) in inboxes {
        let number = |count: i32| usize::try_from(count).unwrap_or(0);
        let task = |dossier: &Dossier| of_dossier(*keeper, dossier);
        parted.mine.extend(inbox.waiting.iter().map(task));
        parted.below.extend(inbox.below.iter().map(task));
        parted.mine_count += number(inbox.waiting_count);
        parted.below_count += number(inbox.below_count);
        // What waits at one's own desk is not told twice.
        let own: HashSet<&str> = inbox.waiting.iter().map(|dossier| dossier.dossier.as_str()).collect();
        parted.others.extend(inbox.asked.iter().filter(|dossier| !own.contains(dossier.dossier.as_str())).map(task));
    }
    for list in lists {
        for (mine, task) in of_list(user, list, today) {
            if mine {
                parted.mine.push(task);
                parted.mine_count += 1;
            } else {
                parted.others.push(task);
            }
        }
    }
    for tasks in [&mut parted.mine, &mut parted.below, &mut parted.others] {
        tasks.sort_by(|a, b| a.due.cmp(&b.due));
    }
    parted
}

fn of_dossier(keeper: Keeper, dossier: &Dossier) -> Task {
    Task {
        what: dossier.title.clone(),
        school: dossier.school_name.clone(),
        count: if dossier.waiting > 0 { dossier.waiting } else { dossier.performed },
        waits: show::waits(dossier),
        since: dossier.since_date.clone(),
        due: dossier.due_date.clone(),
        overdue: dossier.overdue,
        uncounted_year: dossier.uncounted_year,
        holder: dossier.holder_name.clone(),
        nudged: dossier.nudged_date.clone(),
        nudges: dossier.nudges,
        link: keeper.link(&dossier.dossier),
    }
}

/// What a list waits for, each with whether it waits for whoever looks: its entries may wait for several at once.
fn of_list(user: &User, list: &AwardListInBrief, today: &str) -> Vec<(bool, Task)> {
    let waits = [
        ("学校提交", user.is_clerk(), list.drafts, ""),
        ("学校改正后重新提交", user.is_clerk(), list.sent_back, ""),
        // Whoever is held waits for the flag, not for the list.
        ("疑点说明和核定", false, list.held_attested, list.attested_date.as_str()),
    ];
    let supplement = if list.supplement > 0 { format!("补充名单{}", list.supplement) } else { "名单".to_owned() };
    let task = |(who, mine, count, since): (&str, bool, i32, &str)| {
        let task = Task {
            what: format!("{}{}{supplement}", show::term(&list.term), show::scheme(&list.scheme)),
            school: list.school_name.clone(),
            count,
            waits: format!("待{who}"),
            since: since.to_owned(),
            overdue: list.due_date.as_str() < today,
            due: list.due_date.clone(),
            link: format!("/schools/{}/lists/{}", list.school, list.list),
            ..Task::default()
        };
        (mine, task)
    };
    waits.into_iter().filter(|(_, _, count, _)| *count > 0).map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: &str, org: &str) -> User {
        User { role: role.into(), org: org.into(), ..User::default() }
    }

    fn dossier(id: &str, subject: &str) -> Dossier {
        Dossier { dossier: id.into(), subject: subject.into(), title: "注册".into(), waiting: 3, due_date: "2026-11-20".into(), ..Dossier::default() }
    }

    fn list() -> AwardListInBrief {
        AwardListInBrief {
            list: "l".into(),
            authority: "430100".into(),
            due_date: "2026-10-31".into(),
            submitted: 2,
            attested: 5,
            held_attested: 1,
            drafts: 4,
            ..AwardListInBrief::default()
        }
    }

    fn told(tasks: &[Task]) -> Vec<(&str, i32)> {
        tasks.iter().map(|task| (task.waits.as_str(), task.count)).collect()
    }

    #[test]
    fn what_waits_at_ones_own_desk_is_told_once_and_first() {
        let inbox = Inbox { waiting: vec![dossier("a", "")], asked: vec![dossier("b", ""), dossier("a", "")], waiting_count: 7, ..Inbox::default() };
        let parted = waiting(&user("PRINCIPAL", "1"), &[(Keeper::Enrollment, inbox)], &[], "2026-11-01");
        let links = |tasks: &[Task]| tasks.iter().map(|task| task.link.clone()).collect::<Vec<_>>();
        assert_eq!((links(&parted.mine), links(&parted.others)), (vec!["/dossiers/enrollment/a".to_owned()], vec!["/dossiers/enrollment/b".to_owned()]));
        assert_eq!(parted.mine_count, 7, "on all pages");
    }

    #[test]
    fn a_list_tells_what_waits_beside_its_dossiers() {
        for (who, mine) in
            [(user("SCHOOL_CLERK", "1"), vec![("待学校提交", 4)]), (user("PRINCIPAL", "1"), vec![]), (user("DEPARTMENT_OFFICER", "430100"), vec![])]
        {
            let parted = waiting(&who, &[], &[list()], "2026-11-01");
            assert_eq!(told(&parted.mine), mine, "{who:?}");
            assert_eq!((parted.mine_count, parted.mine.len() + parted.others.len()), (mine.len(), 2));
            assert!(parted.others.iter().chain(&parted.mine).all(|task| task.overdue));
        }
        let inbox = Inbox { waiting: vec![dossier("a", "l")], waiting_count: 1, ..Inbox::default() };
        let parted = waiting(&user("PRINCIPAL", "1"), &[(Keeper::Enrollment, inbox)], &[list()], "2026-10-01");
        assert_eq!(parted.mine.len(), 1, "the dossier alone");
        assert_eq!(told(&parted.others), [("待学校提交", 4), ("待疑点说明和核定", 1)]);
    }
}
