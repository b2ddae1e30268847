//! One flag: what both sides say, what comes next, what happened.

use askama::Template;
use axum::{Form as Sent, extract::Path, response::Response};
use serde::Deserialize;
use xuezhu_domain::{Month, enrollment::PeriodState, text::comparable_name};
use xuezhu_judge::case::Stage;
use xuezhu_proto::aid::{
    self, ClearFlagRequest, ConfirmFlagRequest, CreateAwardListRequest, ExplainFlagRequest, Flag, GetFlagRequest, RemoveEntryRequest, SendBackAwardListRequest,
    flag, scheme,
};

use super::{
    advice::{self, Looks, Stands},
    mark,
};
use crate::{
    pages::{Desk, PageError, render, show, unknown_act},
    parts::{Address, Cell, Field, Figure, Figures, Form, Steps, Strip, Tone, steps::Step, strip},
};

#[derive(Template)]
#[template(path = "flags/one.html")]
struct OnePage {
    desk: Desk,
    flag: Flag,
    state: Cell,
    figures: Figures,
    strip: Strip,
    claimed_name: Vec<(char, bool)>,
    registered_name: Vec<(char, bool)>,
    finding: &'static str,
    next_act: String,
    links: Vec<(Address, &'static str)>,
    ways: Vec<Form>,
    forms: Vec<Form>,
    steps: Steps,
}

/// One flag.
pub async fn page(desk: Desk, Path(flag): Path<String>) -> Result<Response, PageError> {
    let flag = desk.reconciliation().get_flag(desk.request(GetFlagRequest { flag })).await?.into_inner().flag.unwrap_or_default();
    let evidence = flag.evidence.clone().unwrap_or_default();
    let claimed = evidence.claim.as_ref().map(|claim| claim.name.clone()).unwrap_or_default();
    let differs = !evidence.registered_name.is_empty() && !claimed.is_empty() && comparable_name(&claimed) != comparable_name(&evidence.registered_name);
    let name = |text: &str, other: &str| if differs { show::differing(text, other) } else { text.chars().map(|c| (c, false)).collect() };
    let (stands, looks) = (Stands::of(flag.entry_state()), looks(&desk, &flag));
    let (mut links, mut ways) = (Vec::new(), Vec::new());
    for way in advice::ways(flag.state(), &flag.rule, stands, looks) {
        match button(&desk, &flag, way) {
            Some(Button::Opens(address, word)) => links.push((address, word)),
            Some(Button::Does(form)) => ways.push(*form),
            None => {}
        }
    }
    let page = OnePage {
        state: mark(&flag),
        figures: figures(&flag),
        strip: strip(&flag),
        claimed_name: name(&claimed, &evidence.registered_name),
        registered_name: name(&evidence.registered_name, &claimed),
        finding: advice::finding(&flag.rule),
        next_act: advice::next(flag.state(), &flag.rule, stands, looks),
        forms: forms(&desk, &flag),
        steps: steps(&flag),
        links,
        ways,
        flag,
        desk,
    };
    Ok(render(&page))
}

fn figures(flag: &Flag) -> Figures {
    let fate = match (flag.holds, flag.state()) {
        (false, _) => "",
        (true, flag::State::Confirmed) => "，不予发放",
        (true, _) => "，暂缓发放",
    };
    Figures(vec![
        Figure::yuan(flag.amount_fen, format!("涉及金额（元）{fate}")).tone(Tone::Bad),
        Figure::said(show::months(&flag.months), format!("{} {}", show::term(&flag.term), show::scheme(&flag.scheme))),
    ])
}

fn steps(flag: &Flag) -> Steps {
    let step = |step: &aid::Step| Step {
        what: show::act(&step.act).to_owned(),
        when: step.date.clone(),
        who: step.actor.clone(),
        beside: String::new(),
        text: step.text.clone(),
    };
    Steps(flag.steps.iter().map(step).collect())
}

/// What whoever looks may say of it. The service decides.
fn forms(desk: &Desk, flag: &Flag) -> Vec<Form> {
    use flag::State as S;
    let (state, path) = (flag.state(), format!("/flags/{}", flag.flag));
    let officer = desk.user.decides_aid_for(&flag.authority);
    let mut forms = Vec::new();
    if desk.user.is_school() && matches!(state, S::Open | S::Explained | S::Confirmed) {
        let label = if state == S::Confirmed { "补充说明" } else { "学校说明" };
        let form = Form::of::<ExplainFlagRequest>(desk, "explain", path.as_str()).hidden("etag", &flag.etag);
        forms.push(form.with(Field::lines("text").called(label).required()).act("提交说明", "explain"));
    }
    let can_confirm = officer && (matches!(state, S::Open | S::Explained | S::Cleared) || (state == S::Confirmed && flag.changed));
    let can_clear = officer && matches!(state, S::Open | S::Explained | S::Confirmed);
    if can_confirm || can_clear {
        let form = Form::of::<ConfirmFlagRequest>(desk, "decide", path).hidden("etag", &flag.etag);
        let form = form.with(Field::lines("text").called("核定理由").known_as("reason").required());
        let form = if can_confirm { form.danger(if flag.changed { "按现在的依据重新认定" } else { "认定为问题" }, "confirm") } else { form };
        forms.push(if can_clear { form.act("排除（按此依据）", "clear") } else { form });
    }
    forms
}

/// Who looks at a flag.
fn looks(desk: &Desk, flag: &Flag) -> Looks {
    if desk.user.is_clerk() {
        Looks::Clerk
    } else if desk.user.is_principal() {
        Looks::Principal
    } else if desk.user.decides_aid_for(&flag.authority) {
        Looks::Officer
    } else {
        Looks::Other
    }
}

/// A lawful act that mends a flag.
enum Button {
    /// Where it is done.
    Opens(Address, &'static str),
    /// What does it.
    Does(Box<Form>),
}

/// The button of a way; none where what it leads to is not there.
fn button(desk: &Desk, flag: &Flag, way: advice::Way) -> Option<Button> {
    use advice::Way as W;
    let list = format!("/schools/{}/lists/{}", flag.school, flag.list);
    let open = |label, address: String| Some(Button::Opens(address.into(), label));
    let does = |form: Form| Some(Button::Does(Box::new(form)));
    match way {
        W::Remove => does(Form::of::<RemoveEntryRequest>(desk, "remove", list).inline().hidden("entry", &flag.entry).danger("移出名单", "remove")),
        W::Upload => open("改正后重新上传名单", list),
        W::Register => open("为该生办理学籍注册", "/import".to_owned()),
        W::Supplement => {
            let scheme = scheme::Code::try_from(flag.scheme).unwrap_or_default().as_str_name();
            let form = Form::of::<CreateAwardListRequest>(desk, "supplement", "/lists").inline().hidden("scheme", scheme).hidden("term", &flag.term);
            does(form.button("打开（补充）名单补报"))
        }
        W::SendBack => {
            let form = Form::of::<SendBackAwardListRequest>(desk, "sendBack", list).inline().hidden("entry", &flag.entry);
            does(form.hidden("reason", format!("有疑点：{}", flag.rule_name)).danger("退回这一条", "sendBack"))
        }
        W::OpenList => open("打开名单", list),
        // The enrollment's own page holds the acts on it: return from leave for the school, correction for the department.
        W::ChangeStatus => open("补办复学等异动", enrollment(flag)?),
        W::CorrectIdentity if !desk.user.decides_enrollment() => None,
        W::CorrectIdentity => open("办理信息变更", enrollment(flag)?),
    }
}

/// The page of the approved enrollment at the list's school.
fn enrollment(flag: &Flag) -> Option<String> {
    let places = &flag.evidence.as_ref()?.enrollments;
    let place = places.iter().find(|place| Stage::parse(&place.stage) == Some(Stage::Approved) && place.school == flag.school)?;
    Some(format!("/schools/{}/enrollments/{}", place.school, place.enrollment))
}

/// The months of the claim: what the list says over what the enrollment says.
fn strip(flag: &Flag) -> Strip {
    let evidence = flag.evidence.clone().unwrap_or_default();
    let mut months: Vec<i32> = evidence.claim.as_ref().map(|claim| claim.months.clone()).unwrap_or_default();
    months.extend(&flag.months);
    months.sort_unstable();
    months.dedup();
    let month = |month: i32| {
        let flagged = flag.months.contains(&month);
        let claimed = evidence.claim.as_ref().is_some_and(|claim| claim.months.contains(&month));
        let (place, class) = place_in(&evidence, month);
        let claim = match (claimed, flagged) {
            (true, true) => ("bad", "列入·疑点"),
            (true, false) => ("good", "列入"),
            (false, true) => ("bad", "未列入"),
            (false, false) => ("", ""),
        };
        strip::Month { month, lanes: vec![vec![(claim.0, claim.1.to_owned())], vec![(class, place.to_owned())]] }
    };
    Strip { lanes: vec!["名单", "学籍"], months: months.into_iter().map(month).collect() }
}

fn place_in(evidence: &xuezhu_proto::aid::Evidence, month: i32) -> (&'static str, &'static str) {
    if evidence.elsewhere_months.contains(&month) {
        return ("他校在读", "bad");
    }
    let Ok(month) = Month::try_from(month) else { return ("", "") };
    let (begin, end) = (month.first_day().to_string(), month.end().to_string());
    let periods = || evidence.enrollments.iter().flat_map(|enrollment| &enrollment.periods);
    let period = periods()
        .find(|period| period.from <= begin && (period.to.is_empty() || period.to > begin))
        .or_else(|| periods().find(|period| period.from > begin && period.from < end));
    match period.map(|period| PeriodState::parse(&period.state)) {
        Some(PeriodState::InSchool) => ("在读", "good"),
        Some(PeriodState::OnLeave) => ("休学", "wait"),
        Some(PeriodState::Withdrawn | PeriodState::NeverCame | PeriodState::Unknown) => ("已离校", "gone"),
        None if evidence.enrollments.iter().any(|place| Stage::parse(&place.stage) == Some(Stage::Submitted)) => ("待审", "wait"),
        None => ("无", "gone"),
    }
}

/// What is said of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActForm {
    request_id: String,
    etag: String,
    act: String,
    text: String,
}

/// What is done.
pub async fn act(desk: Desk, Path(flag): Path<String>, Sent(sent): Sent<ActForm>) -> Result<Response, PageError> {
    let back = format!("/flags/{flag}");
    let ActForm { request_id, etag, act, text } = sent;
    let mut client = desk.reconciliation();
    let done = match act.as_str() {
        "explain" => {
            client.explain_flag(desk.change(&request_id, ExplainFlagRequest { flag, text, etag })).await?;
            "说明已提交，等主管部门核定。"
        }
        "confirm" => {
            client.confirm_flag(desk.change(&request_id, ConfirmFlagRequest { flag, reason: text, etag })).await?;
            "已认定为问题，列入问题台账。"
        }
        "clear" => {
            client.clear_flag(desk.change(&request_id, ClearFlagRequest { flag, reason: text, etag })).await?;
            "已排除。"
        }
        unknown => return Err(unknown_act(unknown)),
    };
    Ok(desk.done(done, back))
}
