//! Today: what waits for whom since when, by deadline, and whom to call about it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use tonic::Code;
use xuezhu_proto::{
    aid::{AwardListInBrief, Cause, GetAidTodayRequest, GetAidTodayResponse},
    common::{Dossier, Inbox, dossier_step::Whose},
    enrollment::{GetEnrollmentTodayRequest, ListContactsRequest},
};

use super::{Arriving, Desk, PageError, dossiers::Keeper, render, session::User, show};
use crate::{
    Gateway,
    parts::{Address, Cell, Figure, Figures, Note, Row, Table, Tone},
};

/// Dossiers in each part that are asked for.
const ROWS: i32 = 200;
/// Rows of each part that are shown, those that are due first: the page is opened many times a day.
const SHOWN: usize = 40;
/// Organisations that are looked up to be called: what waits at more than that is read by nobody.
const CONTACTS: usize = 200;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/", get(today))
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
    /// Code of the school or region at which it waits; empty where that is not known.
    at: String,
    /// Whom to call there.
    telephone: String,
}

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    desk: Desk,
    figures: Figures,
    notes: Vec<Note>,
    /// What waits for whoever looks, and how many more there are than are shown.
    mine: Table,
    mine_more: usize,
    /// What has waited too long one level below.
    below: Option<Table>,
    below_more: usize,
    /// What waits for others, and how many more there are than are shown.
    others: Table,
    others_more: usize,
    causes: Table,
    done: Option<Table>,
}

/// What is asked of both services at once, freshness among it: nothing is asked of either before.
async fn today(State(gateway): State<Arc<Gateway>>, Arriving(mut desk): Arriving) -> Result<Response, PageError> {
    if desk.user.is_admin() {
        return Ok(Redirect::to("/accounts").into_response());
    }
    if desk.user.is_auditor() {
        return Ok(Redirect::to("/audit").into_response());
    }
    // Nothing waits for who sees classes, or money, alone.
    if !desk.user.reads_school() {
        return Ok(Redirect::to(if desk.user.is_teacher() { "/classes" } else { "/lists" }).into_response());
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
    let Waiting { mut mine, mut below, mut others, mine_count, below_count } = waiting(&desk.user, &inboxes, &aid.waiting_lists, &day.to_string());
    let others_count = others.len();
    for tasks in [&mut mine, &mut below, &mut others] {
        tasks.truncate(SHOWN);
    }
    with_telephones(&desk, &mut below, &mut others).await;
    if !no_aid {
        desk.waits = gateway.waits.counted(&desk, mine_count, aid.cause_count, enrollment.school_name);
    }
    let mut notes = Vec::new();
    if no_aid {
        notes.push(Note::of(Tone::Wait, "资助服务暂时没有应答，名单和疑点未列出，请稍后刷新。学籍业务可以照常办理。"));
    }
    if forgotten > 0 {
        notes.push(Note::of(Tone::Bad, format!("学籍系统遗忘了 {forgotten} 条记录，待处理。")).way("/forgotten", "核定"));
    }
    let nothing = tasks(&desk, "待办", &mine, true).empty("没有等您办理的事项。");
    let nothing = if desk.user.is_clerk() { nothing.empty_way("/import", "导入学生").empty_way("/lists", "建立资助名单") } else { nothing };
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let mut figures = vec![Figure::count(count(mine_count), "等我办理").tone_if(mine_count > 0, Tone::Wait).to("#mine")];
    if below_count > 0 {
        figures.push(Figure::count(count(below_count), "下级超期").tone(Tone::Bad).to("#below"));
    }
    if desk.user.is_school() {
        let students = |state: &str| Address::of("/students").with("state", state);
        figures.push(Figure::count(enrollment.drafts, "待提交的学生草稿").to(students("DRAFT")));
        let back = Figure::count(enrollment.sent_back, "被退回的学生").tone_if(enrollment.sent_back > 0, Tone::Bad);
        figures.push(back.to(students("SENT_BACK")));
        if aid.to_speak_to > 0 {
            figures.push(Figure::count(aid.to_speak_to, "可能困难、待谈话的学生").tone(Tone::Wait).to("/hardship"));
        }
    }
    if enrollment.unconfirmed_accounts > 0 {
        figures.push(Figure::count(enrollment.unconfirmed_accounts, "待确认的账号").tone(Tone::Wait).to("/accounts/unconfirmed"));
    }
    figures.push(Figure::count(aid.cause_count, "待处理的疑点原因").tone_if(aid.cause_count > 0, Tone::Bad).to("/flags"));
    let page = TodayPage {
        figures: Figures(figures),
        notes,
        mine_more: mine_count.saturating_sub(mine.len()),
        below_more: below_count.saturating_sub(below.len()),
        below: (!below.is_empty()).then(|| tasks(&desk, "下级超期", &below, false)),
        others_more: others_count.saturating_sub(others.len()),
        others: tasks(&desk, "在办业务", &others, false).empty("没有等其他人办理的事项。").empty_way("/dossiers", "查找业务单"),
        causes: causes(&desk, &aid.causes),
        done: (!aid.approved_lists.is_empty()).then(|| approved(&desk, &aid.approved_lists)),
        mine: nothing,
        desk,
    };
    Ok(render(&page))
}

/// Whom to call about what others are to do. The page is there without that, too.
async fn with_telephones(desk: &Desk, below: &mut [Task], others: &mut [Task]) {
    let elsewhere = |task: &&Task| !task.at.is_empty() && task.at != desk.user.org;
    let mut organisations: Vec<String> = below.iter().chain(others.iter()).filter(elsewhere).map(|task| task.at.clone()).collect();
    organisations.sort_unstable();
    organisations.dedup();
    organisations.truncate(CONTACTS);
    if organisations.is_empty() {
        return;
    }
    let asked = desk.request(ListContactsRequest { organisations });
    let Ok(answer) = desk.directory().list_contacts(asked).await else { return };
    let known: HashMap<String, String> = answer.into_inner().contacts.into_iter().map(|contact| (contact.organisation, contact.telephone)).collect();
    for task in below.iter_mut().chain(others) {
        task.telephone = known.get(&task.at).cloned().unwrap_or_default();
    }
}

/// What waits, each with whom it waits for, since when, until when.
fn tasks(desk: &Desk, caption: &str, rows: &[Task], is_mine: bool) -> Table {
    let wide = !desk.user.is_school();
    let row = |task: &Task| {
        let holder = if task.holder.is_empty() { String::new() } else { format!("经办：{}", task.holder) };
        let telephone = if task.telephone.is_empty() { String::new() } else { format!("电话：{}", task.telephone) };
        let nudged = (task.nudges > 0).then(|| Cell::mark(Tone::Bad, format!("{} 催办（共 {} 次）", task.nudged, task.nudges)));
        let year = if task.uncounted_year > 0 { format!("{}年日历未载入，只按周末推算", task.uncounted_year) } else { String::new() };
        let start = Row::of([Cell::link(task.link.as_str(), task.what.as_str())]).and_if(wide, || Cell::from(&task.school));
        [
            Cell::number(task.count),
            Cell::mark(if is_mine { Tone::Wait } else { Tone::Plain }, task.waits.as_str()).beside(holder).beside(telephone).maybe(nudged),
            Cell::unbroken(&task.since),
            Cell::unbroken(&task.due).maybe(task.overdue.then(|| Cell::mark(Tone::Bad, "已逾期"))).beside(year),
            Cell::link(task.link.as_str(), if is_mine { "办理" } else { "查看" }),
        ]
        .into_iter()
        .fold(start, |row, cell| row.and_if(true, || cell))
    };
    Table::of(caption).column("事项").column_if(wide, "学校").number("人数").columns(["等待", "自", "期限"]).acts().rows(rows.iter().map(row))
}

fn causes(desk: &Desk, rows: &[Cause]) -> Table {
    let wide = !desk.user.is_school();
    let row = |cause: &Cause| {
        let title = Cell::link(Address::of("/flags").with("cause", cause.cause.as_str()), show::rule(&cause.rule)).beside(cause.summary.as_str());
        let start = Row::of([title, Cell::text(show::whom(&cause.name, cause.flags))]).and_if(wide, || Cell::from(&cause.school_name));
        [Cell::unbroken(&cause.open_date), Cell::number(cause.open), Cell::number(cause.explained), Cell::yuan(cause.amount_fen)]
            .into_iter()
            .fold(start, |row, cell| row.and_if(true, || cell))
    };
    let table = Table::of("疑点").columns(["原因", "学生"]).column_if(wide, "学校").column("最早发现").numbers(["待说明", "待核定", "涉及金额（元）"]);
    table.rows(rows.iter().map(row)).empty("没有待处理的疑点。")
}

fn approved(desk: &Desk, rows: &[AwardListInBrief]) -> Table {
    let wide = !desk.user.is_school();
    let row = |list: &AwardListInBrief| {
        let link = Cell::link(format!("/schools/{}/lists/{}", list.school, list.list), format!("{} {}", show::term(&list.term), &list.scheme_name));
        let row = Row::of([link]).and_if(wide, || Cell::from(&list.school_name));
        row.and_if(true, || Cell::number(list.approved)).and_if(true, || Cell::yuan(list.approved_fen))
    };
    Table::of("最近办结的名单").column("名单").column_if(wide, "学校").numbers(["人数", "金额（元）"]).rows(rows.iter().map(row))
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
        // Who heads a department sees what waits for its officers too: that waits for others.
        if user.only_reads() {
            let (mine, others): (Vec<&Dossier>, Vec<&Dossier>) = inbox.waiting.iter().partition(|dossier| dossier.waits_whose() == Whose::Head);
            parted.mine_count += mine.len();
            parted.mine.extend(mine.into_iter().map(task));
            parted.others.extend(others.into_iter().map(task));
        } else {
            parted.mine.extend(inbox.waiting.iter().map(task));
            parted.mine_count += number(inbox.waiting_count);
        }
        parted.below.extend(inbox.below.iter().map(task));
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
        // What waits at no department waits at the school.
        at: if dossier.waits_authority.is_empty() { dossier.school.clone() } else { dossier.waits_authority.clone() },
        telephone: String::new(),
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
            what: format!("{}{}{supplement}", show::term(&list.term), &list.scheme_name),
            school: list.school_name.clone(),
            count,
            waits: format!("待{who}"),
            since: since.to_owned(),
            overdue: list.due_date.as_str() < today,
            due: list.due_date.clone(),
            link: format!("/schools/{}/lists/{}", list.school, list.list),
            at: list.school.clone(),
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
