//! 资助政策: by which versions aid is given, what each says and what it changed; proposed here, signed as a dossier.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{DefaultBodyLimit, Path, Query},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tonic::Code;
use xuezhu_domain::{Season, Term, codes, region};
use xuezhu_judge::policy::{
    self, Rate, Scheme,
    file::{Area, Hardship, Majors, NoticeRow, SeasonRow},
};
use xuezhu_proto::aid::{
    GetPolicyRequest, GetTrialRequest, GetTrialResponse, ListPoliciesRequest, Policy, ProposePolicyRequest, StartTrialRequest, TrialStudent, TrialTally,
    get_trial_response::State as Found, policy::State, trial_student::Turn,
};

use super::{Desk, PageError, render, show};
use crate::{
    Gateway,
    parts::{
        Address, Cell, Field, Form, Note, Place, Row, Table, Tone,
        field::{blank_is_none, typed_day},
        place::Way,
    },
};

/// Policies on a page.
const ROWS: i32 = 50;
/// Bytes of a form at most: the text percent-encoded.
const FORM_BYTES: usize = 2 * 1024 * 1024;

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/policies", get(index).post(propose))
        .route("/policies/{policy}", get(one))
        .route("/policies/{policy}/trial", post(start_trial))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

fn state(policy: &Policy) -> Cell {
    let (tone, word) = match policy.state() {
        State::Proposed => (Tone::Wait, "待审核"),
        State::Signed => (Tone::Wait, "已审核，尚未生效"),
        State::Holds => (Tone::Good, "现行"),
        State::Former => (Tone::Plain, "原来的"),
        State::Dropped => (Tone::Plain, "未采用"),
        State::Unspecified => (Tone::Plain, ""),
    };
    Cell::mark(tone, word)
}

fn name(policy: &Policy) -> String {
    if policy.version == 0 { "（未编号）".to_owned() } else { format!("第{}版", policy.version) }
}

fn since(policy: &Policy) -> String {
    if policy.from_date.is_empty() { "一直适用".to_owned() } else { format!("{}起", policy.from_date) }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    #[serde(deserialize_with = "blank_is_none")]
    at: i32,
}

#[derive(Template)]
#[template(path = "policies.html")]
struct IndexPage {
    desk: Desk,
    table: Table,
    propose: Option<Form>,
}

async fn listed(desk: &Desk, rows: i32, at: i32) -> Result<(Vec<Policy>, i32), PageError> {
    let asked = ListPoliciesRequest { page_size: rows, page_token: String::new(), page_number: at.max(1) };
    let answer = desk.policies().list_policies(desk.request(asked)).await?.into_inner();
    Ok((answer.policies, answer.total_size))
}

async fn whole(desk: &Desk, policy: &str) -> Result<Policy, PageError> {
    let asked = GetPolicyRequest { policy: policy.to_owned() };
    Ok(desk.policies().get_policy(desk.request(asked)).await?.into_inner().policy.unwrap_or_default())
}

async fn index(desk: Desk, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let (policies, total) = listed(&desk, ROWS, asks.at).await?;
    let mut propose = None;
    if desk.user.decides_aid() {
        // What is proposed begins as what was signed last.
        let text = before(&desk, &Policy::default()).await?.map(|(_, newest)| newest.content).unwrap_or_default();
        propose = Some(proposing(&desk, &text));
    }
    let row = |policy: &Policy| {
        let by =
            if policy.proposed_by.is_empty() { show::day(&policy.propose_time) } else { format!("{} {}", policy.proposed_by, show::day(&policy.propose_time)) };
        let way = Cell::link(format!("/policies/{}", policy.policy), name(policy));
        Row::of([way, Cell::text(since(policy)), state(policy), Cell::from(&policy.note), Cell::text(by)])
    };
    let place = Place::of(total, "份", asks.at.max(1).into(), ROWS).by_number(&Way::Link(Address::of("/policies")));
    let table = Table::of("各版政策").columns(["政策", "适用", "状态", "事由", "拟订"]).rows(policies.iter().map(row)).place(place);
    Ok(render(&IndexPage { desk, table, propose }))
}

fn proposing(desk: &Desk, text: &str) -> Form {
    Form::of::<ProposePolicyRequest>(desk, "propose", "/policies")
        .with(Field::day("from_date").required())
        .with(Field::line("note").required().limit(500).wide().hint("依据的文件、改了什么"))
        .with(Field::text("content").required().value(text).hint("在现有一版的文字上改；每条标准都要写明依据（source）"))
        .button("提交审核")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProposeForm {
    request_id: String,
    #[serde(deserialize_with = "typed_day")]
    from_date: String,
    note: String,
    content: String,
}

async fn propose(desk: Desk, Sent(sent): Sent<ProposeForm>) -> Result<Response, PageError> {
    // Browsers send lines as RFC 2046 ends them.
    let content = sent.content.replace("\r\n", "\n");
    let asked = ProposePolicyRequest { content, from_date: sent.from_date, note: sent.note };
    let policy = desk.policies().propose_policy(desk.change(&sent.request_id, asked)).await?.into_inner().policy.unwrap_or_default();
    Ok(desk.done("政策已提交，由本部门另一人审核。".to_owned(), format!("/policies/{}", policy.policy)))
}

#[derive(Template)]
#[template(path = "policy.html")]
struct OnePage {
    desk: Desk,
    policy: Policy,
    name: String,
    since: String,
    state: Cell,
    note: Option<Note>,
    /// What is other than in the version before; none where there is no such.
    changes: Option<Table>,
    /// Schemes by name, each with its rates.
    schemes: Vec<(String, Table)>,
    /// Lists of regions, where there are any.
    areas: Option<Table>,
    /// Lists of majors, where there are any.
    majors: Option<Table>,
    /// How many may be given schemes, where that is limited.
    quotas: Option<Table>,
    /// By whom costs are borne, where the policy says it.
    sharings: Option<Table>,
    /// Which private schools may be given aid, where the policy says it.
    private: Option<Table>,
    /// For how long lists are shown publicly, where they are.
    notices: Option<Table>,
    /// Levels of hardship, joined; empty where it is not determined.
    levels: String,
    seasons: Table,
    /// Rules by which it does not judge, by name.
    switched_off: Vec<&'static str>,
    trial: Option<Trial>,
}

/// What a policy would change, to whoever may sign it.
struct Trial {
    /// Whether it is being found out.
    runs: bool,
    /// What it says of itself.
    note: Note,
    /// By scheme, by school, and, of the school that is asked for, by name.
    tables: Vec<(String, Table)>,
    start: Option<Form>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OneAsks {
    /// Whose students are shown.
    school: String,
}

async fn trial(desk: &Desk, policy: &Policy, asks: &OneAsks) -> Result<Option<Trial>, PageError> {
    // Of the first version there is nothing to compare; others than those who may sign are refused.
    if !desk.user.decides_aid() || policy.version == 1 {
        return Ok(None);
    }
    let asked = GetTrialRequest { policy: policy.policy.clone(), school: asks.school.clone() };
    let found = match desk.policies().get_trial(desk.request(asked)).await {
        Ok(found) => found.into_inner(),
        Err(refused) if refused.code() == Code::PermissionDenied => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let path = format!("/policies/{}", policy.policy);
    let term = found.terms.iter().map(|term| show::term(term)).collect::<Vec<_>>().join("、");
    let beside = format!("第{}版", found.compared_version);
    let runs = found.state() == Found::Running;
    let note = match found.state() {
        Found::Running => Note::of(Tone::Wait, format!("正在试算，已看 {} 所学校。可以先做别的，回来再看。", found.looked_at)),
        Found::Failed => Note::of(Tone::Bad, "上一次试算中断了，请重新试算。"),
        Found::Unspecified => Note::of(
            Tone::Plain,
            format!(
                "试算：{term}的名单，按{beside}和这一版各判断一遍，列出结果不同的学生。不改动任何数据；这一学期已经建立的名单仍按原来的一版办理，也算在内。"
            ),
        ),
        Found::Done => Note::of(
            Tone::Plain,
            format!(
                "{term}的名单，{}按当时的学籍与{beside}比较，共看 {} 所学校。名额、公示和要交的材料不在试算之内：有变化的，见“与…不同的”。",
                show::time(&found.end_time),
                found.looked_at
            ),
        ),
    };
    let tables = if found.state() == Found::Done { tables(&found, &path, asks) } else { Vec::new() };
    let word = if found.state() == Found::Unspecified { "试算影响" } else { "重新试算" };
    let start = (!runs).then(|| Form::of::<StartTrialRequest>(desk, "trial", format!("{path}/trial")).row().button(word));
    Ok(Some(Trial { runs, note, tables, start }))
}

fn tables(found: &GetTrialResponse, path: &str, asks: &OneAsks) -> Vec<(String, Table)> {
    const HEADS: [&str; 7] = ["新增（人）", "取消（人）", "增加（人）", "减少（人）", "月份不同（人）", "原来（元）", "以后（元）"];
    let numbers = |tally: &TrialTally| {
        let counts = [tally.gains, tally.loses, tally.more, tally.less, tally.otherwise].map(Cell::number);
        let [gains, loses, more, less, otherwise] = counts;
        [
            Cell::text(show::term(&tally.term)),
            Cell::from(&tally.scheme_name),
            gains,
            loses,
            more,
            less,
            otherwise,
            Cell::yuan(tally.before_fen),
            Cell::yuan(tally.after_fen),
        ]
    };
    let all = Table::of("各项目")
        .columns(["学期", "项目"])
        .numbers(HEADS)
        .rows(found.totals.iter().map(|tally| Row::of(numbers(tally))))
        .empty("没有一名学生的条件、月份和金额不同（名额不在试算之内）。");
    let row = |tally: &TrialTally| {
        let way = Cell::link(Address::of(path.to_owned()).with("school", tally.school.as_str()), &tally.school_name);
        let [term, scheme, gains, loses, more, less, otherwise, before, after] = numbers(tally);
        Row::of([way, term, scheme, gains, loses, more, less, otherwise, before, after])
    };
    let mut tables = vec![("影响".to_owned(), all)];
    if !found.by_school.is_empty() {
        let schools = Table::of("各学校").columns(["学校", "学期", "项目"]).numbers(HEADS).rows(found.by_school.iter().map(row));
        tables.push(("各学校".to_owned(), schools));
    }
    if !asks.school.is_empty() {
        let of = found.by_school.iter().find(|tally| tally.school == asks.school).map_or("该校", |tally| &tally.school_name);
        let columns = Table::of("学生").columns(["姓名", "班级", "学期", "项目", "结果"]).numbers(["原来（元）", "以后（元）"]).columns(["原来", "以后"]);
        let rows = columns.rows(found.students.iter().map(student)).empty("按现在的学籍，没有结果不同的学生。");
        tables.push((format!("{of}的学生（按现在的学籍，{} 条）", found.students.len()), rows));
    }
    tables
}

fn student(one: &TrialStudent) -> Row {
    let (tone, word) = match one.turn() {
        Turn::Gains => (Tone::Good, "新增"),
        Turn::Loses => (Tone::Bad, "取消"),
        Turn::More => (Tone::Good, "增加"),
        Turn::Less => (Tone::Wait, "减少"),
        Turn::Otherwise | Turn::Unspecified => (Tone::Plain, "月份不同"),
    };
    Row::of([
        Cell::link(format!("/students/{}", one.person), &one.name),
        Cell::from(&one.class_name),
        Cell::text(show::term(&one.term)),
        Cell::from(&one.scheme_name),
        Cell::mark(tone, word),
        Cell::yuan(one.before_fen),
        Cell::yuan(one.after_fen),
        Cell::from(&one.before_message),
        Cell::from(&one.after_message),
    ])
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TrialForm {
    request_id: String,
}

async fn start_trial(desk: Desk, Path(policy): Path<String>, Sent(sent): Sent<TrialForm>) -> Result<Response, PageError> {
    let asked = StartTrialRequest { policy: policy.clone() };
    desk.policies().start_trial(desk.change(&sent.request_id, asked)).await?;
    Ok(desk.done("已开始试算。".to_owned(), format!("/policies/{policy}")))
}

async fn one(desk: Desk, Path(id): Path<String>, Query(asks): Query<OneAsks>) -> Result<Response, PageError> {
    let policy = whole(&desk, &id).await?;
    let said = policy::Policy::kept(&policy.content).map_err(|error| {
        tracing::error!(%error, "a policy that is kept can't be read");
        PageError::Refused(tonic::Status::internal("这份政策的文字读不出来"))
    })?;
    let before = before(&desk, &policy).await?;
    let changes = before.as_ref().and_then(|(name, before)| Some((name, policy::Policy::kept(&before.content).ok()?)));
    let changes = changes.map(|(name, before)| changes_of(name, &before, &said));
    let note = (!policy.dossier.is_empty()).then(|| {
        let text = if policy.state() == State::Proposed { "待本部门另一人审核。" } else { "审核的经过记在业务单上。" };
        Note::of(Tone::Plain, text).way(format!("/dossiers/aid/{}", policy.dossier), "打开业务单")
    });
    let schemes = said.schemes().iter().map(rates).collect();
    let area = |area: &Area| {
        let codes: Vec<String> = area.codes.iter().map(|code| format!("{code} {}", place(code))).collect();
        Row::of([Cell::from(&area.name), Cell::text(codes.join("、")), Cell::from(&area.source)])
    };
    let areas = (!said.areas().is_empty()).then(|| Table::of("地区名单").columns(["名称", "行政区划", "依据"]).rows(said.areas().iter().map(area)));
    let majors = (!said.majors().is_empty()).then(|| Table::of("专业名单").columns(["名称", "专业", "依据"]).rows(said.majors().iter().map(majors_said)));
    let seasons = Table::of("日程").columns(["学期", "地区", "发放月份", "核定日", "名单期限", "锁定", "停发", "依据"]).rows(said.seasons().iter().map(season));
    let columns = ["项目", "学期", "地区", "范围", "占名额的", "名额", "依据"];
    let quotas = (!said.quotas().is_empty()).then(|| Table::of("名额").columns(columns).rows(said.quotas().iter().map(|row| quota(&said, row))));
    let switched_off = said.switched_off().iter().map(|rule| show::rule(rule.as_str())).collect();
    let (name, since, state) = (name(&policy), since(&policy), state(&policy));
    let trial = trial(&desk, &policy, &asks).await?;
    let columns = ["项目", "学期", "地区", "各级负担", "依据"];
    let sharings = (!said.sharings().is_empty()).then(|| Table::of("经费分担").columns(columns).rows(said.sharings().iter().map(|row| sharing(&said, row))));
    let columns = ["项目", "学期", "地区", "可享受的民办学校", "依据"];
    let private = (!said.private_schools().is_empty())
        .then(|| Table::of("民办学校名单").columns(columns).rows(said.private_schools().iter().map(|row| private(&said, row))));
    let notices =
        (!said.notices().is_empty()).then(|| Table::of("公示").columns(["学期", "地区", "次序", "工作日", "依据"]).rows(said.notices().iter().map(notice)));
    let levels = said.hardship().map(levels_said).unwrap_or_default();
    Ok(render(&OnePage {
        desk,
        policy,
        name,
        since,
        state,
        note,
        changes,
        schemes,
        areas,
        majors,
        quotas,
        sharings,
        private,
        notices,
        levels,
        seasons,
        switched_off,
        trial,
    }))
}

/// The version before, or for what has no number the newest one.
async fn before(desk: &Desk, policy: &Policy) -> Result<Option<(String, Policy)>, PageError> {
    let wanted = |other: &&Policy| other.version > 0 && (policy.version == 0 || other.version < policy.version);
    let mut at = 1;
    loop {
        let (policies, total) = listed(desk, 1_000, at).await?;
        if let Some(found) = policies.iter().filter(wanted).max_by_key(|other| other.version) {
            return Ok(Some((name(found), whole(desk, &found.policy).await?)));
        }
        if at * 1_000 >= total {
            return Ok(None);
        }
        at += 1;
    }
}

fn place(digits: &str) -> String {
    if digits.is_empty() {
        return "全部".to_owned();
    }
    let code = format!("{digits:0<6}");
    region::spans(&code).last().map_or_else(|| digits.to_owned(), |span| span.name.to_owned())
}

/// A list of majors, each with its name.
fn majors_said(list: &Majors) -> Row {
    let named = |code: &String| codes::major_of_key(code).map_or_else(|| code.clone(), |major| format!("{code} {}", major.name));
    Row::of([Cell::from(&list.name), Cell::text(list.codes.iter().map(named).collect::<Vec<_>>().join("、")), Cell::from(&list.source)])
}

/// A rate as an officer reads it, cell by cell, without its source.
fn said(rate: &Rate) -> [String; 6] {
    let term = |term: Term| term.name();
    let span = match rate.to {
        Some(to) if to == rate.from => term(rate.from),
        Some(to) => format!("{}至{}", term(rate.from), term(to)),
        None => format!("{}起", term(rate.from)),
    };
    let tier = |tier: &policy::Tier| {
        let whom: Vec<&str> = tier.levels.iter().map(String::as_str).chain(tier.grounds.iter().map(|ground| ground.name())).collect();
        let only = if whom.is_empty() { String::new() } else { format!("（限{}）", whom.join("、")) };
        format!("{} {}元{only}", tier.name, tier.yuan)
    };
    let tiers: Vec<String> = rate.tiers.iter().map(tier).collect();
    let lists: Vec<&str> = rate.areas.iter().chain(&rate.majors).map(String::as_str).collect();
    let lists = if lists.is_empty() { String::new() } else { format!("（{}）", lists.join("、")) };
    let grounds: Vec<&str> = rate.entitles.iter().map(|ground| ground.name()).collect();
    let excludes: Vec<&str> = rate.excludes.iter().map(|exclusion| exclusion.name()).collect();
    let study = if rate.full_time { "全日制" } else { "不限" };
    let only = if rate.only_entitled { "；只限符合条件的" } else { "" };
    [
        span,
        place(&rate.region),
        format!("{}（每年，分{}个月）", tiers.join("，"), rate.months_a_year),
        format!("{}至{}年级，{study}", rate.grades[0], rate.grades[1]),
        format!("{}{lists}{only}", grounds.join("、")),
        excludes.join("、"),
    ]
}

/// What must lie with whoever is on its lists.
fn asked(scheme: &Scheme) -> Option<String> {
    (!scheme.asks.is_empty()).then(|| scheme.asks.iter().map(|paper| paper.name()).collect::<Vec<_>>().join("、"))
}

fn rates(scheme: &Scheme) -> (String, Table) {
    let paid = if scheme.paid == policy::Paid::Month { "按月" } else { "按学期" };
    let right = if scheme.by_right { "，应享受而未列入的作为疑点" } else { "" };
    let row = |rate: &Rate| {
        let [span, region, tiers, who, grounds, excludes] = said(rate).map(Cell::text);
        Row::of([span, region, tiers, who, grounds, excludes, Cell::from(&rate.source)])
    };
    let payee = scheme.payee.map(|payee| format!("，发给{}", payee.name())).unwrap_or_default();
    let asks = asked(scheme).map(|asks| format!("，要求{asks}")).unwrap_or_default();
    let name = format!("{}（{paid}{right}{payee}{asks}）", scheme.name);
    let table =
        Table::of(name.as_str()).columns(["学期", "地区", "档次", "年级", "按学籍数据符合条件的", "不享受的", "依据"]).rows(scheme.rate.iter().map(row));
    (name, table)
}

/// A limit as an officer reads it, cell by cell, without its source.
fn quota_said(said: &policy::Policy, quota: &policy::Quota) -> [String; 6] {
    let names = |grounds: &[policy::Ground]| grounds.iter().map(|ground| ground.name()).collect::<Vec<_>>().join("、");
    let [scheme, span, regions] = of_what(said, std::slice::from_ref(&quota.scheme), (quota.from, quota.to), &quota.regions);
    let without = if quota.base_without.is_empty() { String::new() } else { format!("（不计入{}）", names(&quota.base_without)) };
    let most = match (quota.persons, quota.percent) {
        (Some(persons), _) => format!("{persons}人"),
        (None, percent) => format!("在校生{without}的{}%", percent.unwrap_or(0)),
    };
    let by_grade = if quota.by_grade { "，各年级分别计算" } else { "" };
    [scheme, span, regions, format!("{}{by_grade}", quota.each.name()), names(&quota.limits), most]
}

/// Of what a row is: schemes, terms and regions by their names.
fn of_what(said: &policy::Policy, schemes: &[String], (from, to): (Term, Option<Term>), regions: &[String]) -> [String; 3] {
    let scheme = |code: &String| said.schemes().iter().find(|scheme| scheme.code.as_str() == code).map_or_else(|| code.clone(), |scheme| scheme.name.clone());
    let regions = if regions.is_empty() { place("") } else { regions.iter().map(|code| place(code)).collect::<Vec<_>>().join("、") };
    let span = to.map_or_else(|| format!("{}起", from.name()), |to| format!("{}至{}", from.name(), to.name()));
    [schemes.iter().map(scheme).collect::<Vec<_>>().join("、"), span, regions]
}

/// Names of levels, and of how many papers are asked for.
fn levels_said(hardship: &Hardship) -> String {
    let papers = if hardship.papers_percent == 0 { String::new() } else { format!("（抽查{}%附证明材料）", hardship.papers_percent) };
    format!("{}{papers}", hardship.levels.join("、"))
}

/// For how long lists of some terms are shown publicly, and when.
fn notice_said(row: &NoticeRow) -> [String; 4] {
    let span = row.to.map_or_else(|| format!("{}起", row.from.name()), |to| format!("{}至{}", row.from.name(), to.name()));
    [span, place(&row.region), row.order.name().to_owned(), format!("{}个工作日", row.working_days)]
}

/// A row of it.
fn notice(row: &NoticeRow) -> Row {
    let [span, region, order, days] = notice_said(row).map(Cell::text);
    Row::of([span, region, order, days, Cell::from(&row.source)])
}

/// What a list of private schools says: schemes, terms, regions, schools.
fn private_said(said: &policy::Policy, row: &policy::PrivateSchools) -> [String; 4] {
    let [schemes, span, regions] = of_what(said, &row.schemes, (row.from, row.to), &row.regions);
    let schools = if row.schools.is_empty() { "没有".to_owned() } else { format!("{}所：{}", row.schools.len(), row.schools.join("、")) };
    [schemes, span, regions, schools]
}

/// A row of a list of private schools.
fn private(said: &policy::Policy, row: &policy::PrivateSchools) -> Row {
    let [schemes, span, regions, schools] = private_said(said, row).map(Cell::text);
    Row::of([schemes, span, regions, schools, Cell::from(&row.source)])
}

/// What a sharing of costs says: schemes, terms, regions, shares.
fn sharing_said(said: &policy::Policy, row: &policy::Sharing) -> [String; 4] {
    let [schemes, span, regions] = of_what(said, &row.schemes, (row.from, row.to), &row.regions);
    let shares = row.shares.iter().map(|share| format!("{}{}%", share.level, share.percent)).collect::<Vec<_>>().join("，");
    [schemes, span, regions, shares]
}

/// A row of a sharing of costs.
fn sharing(said: &policy::Policy, row: &policy::Sharing) -> Row {
    let [schemes, span, regions, shares] = sharing_said(said, row).map(Cell::text);
    Row::of([schemes, span, regions, shares, Cell::from(&row.source)])
}

/// A limit as an officer reads it.
fn quota(said: &policy::Policy, quota: &policy::Quota) -> Row {
    let [scheme, span, regions, each, limits, most] = quota_said(said, quota).map(Cell::text);
    Row::of([scheme, span, regions, each, limits, most, Cell::from(&quota.source)])
}

fn days(row: &SeasonRow) -> [String; 5] {
    let months: Vec<String> = row.payment_months.iter().map(|month| format!("{month}月")).collect();
    [months.join("、"), row.count_day.clone(), row.due.clone(), row.lock.clone().unwrap_or_default(), row.stop.name().to_owned()]
}

fn season_name(row: &SeasonRow) -> &'static str {
    if row.season == Season::Autumn { "秋季" } else { "春季" }
}

fn season(row: &SeasonRow) -> Row {
    let [months, count_day, due, lock, stop] = days(row).map(Cell::text);
    Row::of([Cell::text(season_name(row)), Cell::text(place(&row.region)), months, count_day, due, lock, stop, Cell::from(&row.source)])
}

/// What a policy says, line by line, each under what it is of: everything but its sources and remarks.
fn lines(policy: &policy::Policy) -> Vec<(String, String)> {
    let of = |region: &str| if region.is_empty() { String::new() } else { format!("（{region} {}）", place(region)) };
    let mut lines = Vec::new();
    for scheme in policy.schemes() {
        let paid = if scheme.paid == policy::Paid::Month { "按月" } else { "按学期" };
        let right = if scheme.by_right { "应享受而未列入的作为疑点" } else { "未列入的不作为疑点" };
        let payee = scheme.payee.map_or_else(|| "收款账户不核对".to_owned(), |payee| format!("发给{}", payee.name()));
        let asks = asked(scheme).map_or_else(|| "不要求材料".to_owned(), |asks| format!("要求{asks}"));
        lines.push((format!("项目 {}", scheme.code.as_str()), format!("{}；{paid}；{right}；{payee}；{asks}", scheme.name)));
        for rate in &scheme.rate {
            let said = said(rate).into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("；");
            lines.push((format!("{}：{}", scheme.name, rate.id), format!("{said}{}", of(&rate.region))));
        }
    }
    for row in policy.seasons() {
        let [months, count_day, due, lock, stop] = days(row);
        let lock = if lock.is_empty() { "不锁定".to_owned() } else { format!("锁定{lock}") };
        lines.push((format!("{}日程{}", season_name(row), of(&row.region)), format!("{months}；核定日{count_day}；名单期限{due}；{lock}；{stop}")));
    }
    for row in policy.notices() {
        let [span, _, order, days] = notice_said(row);
        lines.push((format!("公示{}：{span}", of(&row.region)), format!("{order}，{days}")));
    }
    if let Some(hardship) = policy.hardship() {
        lines.push(("困难等级".to_owned(), levels_said(hardship)));
    }
    for row in policy.sharings() {
        let [schemes, span, regions, shares] = sharing_said(policy, row);
        lines.push((format!("分担：{schemes}，{regions}，{span}"), shares));
    }
    for row in policy.private_schools() {
        let [schemes, span, regions, _] = private_said(policy, row);
        let of = format!("民办学校名单（{schemes}，{regions}，{span}）");
        lines.push((of.clone(), format!("{}所", row.schools.len())));
        // School by school: one that comes or goes is seen among thousands.
        lines.extend(row.schools.iter().map(|code| (format!("{of}：{code}"), "可享受".to_owned())));
    }
    for row in policy.quotas() {
        lines.push((format!("名额：{}", row.id), quota_said(policy, row).join("；")));
    }
    for area in policy.areas() {
        lines.push((format!("地区名单：{}", area.name), area.codes.join("、")));
    }
    for list in policy.majors() {
        lines.push((format!("专业名单：{}", list.name), list.codes.join("、")));
    }
    lines.push(("批准较晚的宽限".to_owned(), format!("{}个工作日", policy.grace_working_days())));
    for rule in policy.switched_off() {
        lines.push((format!("规则：{}", show::rule(rule.as_str())), "停用".to_owned()));
    }
    lines
}

fn changes_of(name: &str, before: &policy::Policy, now: &policy::Policy) -> Table {
    let (before, now) = (lines(before), lines(now));
    let found = |lines: &[(String, String)], what: &str| lines.iter().find(|(of, _)| of == what).map(|(_, said)| said.clone());
    let mut rows = Vec::new();
    for (what, said) in &now {
        match found(&before, what) {
            None => rows.push(Row::of([Cell::from(what), Cell::text("（没有）"), Cell::from(said)])),
            Some(was) if was != *said => rows.push(Row::of([Cell::from(what), Cell::text(was), Cell::from(said)])),
            Some(_) => {}
        }
    }
    for (what, was) in before.iter().filter(|(what, _)| found(&now, what).is_none()) {
        rows.push(Row::of([Cell::from(what), Cell::from(was), Cell::text("（取消）")]));
    }
    Table::of(format!("与{name}不同的")).columns(["条目", name, "本版"]).rows(rows).empty("标准和日程都相同，只有文字说明或依据不同。")
}
