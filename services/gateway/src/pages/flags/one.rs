//! One flag: what both sides say, what comes next, what happened.

use askama::Template;
use axum::{
    Form as Sent,
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use xuezhu_judge::case::Stage;
use xuezhu_proto::aid::{
    self, ClearFlagRequest, ConfirmFlagRequest, CreateAwardListRequest, ExplainFlagRequest, Flag, GetFlagRequest, RemoveEntryRequest, SendBackAwardListRequest,
    flag,
};

use super::{
    advice::{self, Looks, Stands},
    mark,
    seen::{self, Seen},
};
use crate::{
    pages::{Desk, PageError, render, show, unknown_act},
    parts::{Address, Cell, Field, Figure, Figures, Form, Note, Pairs, Steps, Tone, steps::Step},
};

#[derive(Template)]
#[template(path = "flags/one.html")]
struct OnePage {
    desk: Desk,
    flag: Flag,
    state: Cell,
    figures: Figures,
    seen: Seen,
    /// What the school sees, where a department asked for it.
    of_school: Option<Seen>,
    /// The way to see both, or one's own alone; none for a school.
    both: Option<(Address, &'static str)>,
    notes: Vec<Note>,
    basis: Pairs,
    finding: &'static str,
    next_act: String,
    links: Vec<(Address, &'static str)>,
    ways: Vec<Form>,
    forms: Vec<Form>,
    steps: Steps,
}

/// What is asked for beside a flag.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    /// Whether what the school sees is shown beside.
    #[serde(deserialize_with = "crate::parts::field::blank_is_none")]
    beside: bool,
}

/// One flag.
pub async fn page(desk: Desk, Path(flag): Path<String>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    let asked = GetFlagRequest { flag: flag.clone(), as_school: false };
    let flag = desk.reconciliation().get_flag(desk.request(asked)).await?.into_inner().flag.unwrap_or_default();
    let mut of_school = None;
    if asks.beside && !desk.user.is_school() {
        let asked = GetFlagRequest { flag: flag.flag.clone(), as_school: true };
        let theirs = desk.reconciliation().get_flag(desk.request(asked)).await?.into_inner().flag.unwrap_or_default();
        of_school = Some(Seen::of(&theirs, seen::next_of_school(&theirs)).titled("学校看到的"));
    }
    let (stands, looks) = (Stands::of(&flag), looks(&desk, &flag));
    let (mut links, mut ways) = (Vec::new(), Vec::new());
    for way in advice::ways(flag.state(), advice::about(&flag), stands, looks) {
        match button(&desk, &flag, way) {
            Some(Button::Opens(address, word)) => links.push((address, word)),
            Some(Button::Does(form)) => ways.push(*form),
            None => {}
        }
    }
    let next_act = advice::next(flag.state(), advice::about(&flag), stands, looks);
    let seen = Seen::of(&flag, next_act.clone());
    let own = Address::of(format!("/flags/{}", flag.flag));
    let page = OnePage {
        state: mark(&flag),
        figures: figures(&flag),
        seen: if of_school.is_some() { seen.titled("主管部门看到的") } else { seen },
        both: (!desk.user.is_school())
            .then(|| if of_school.is_some() { (own, "只看本级的") } else { (own.with("beside", "true"), "与学校看到的并排") }),
        of_school,
        notes: notes(&flag),
        basis: basis(&flag),
        finding: advice::finding(advice::about(&flag)),
        next_act,
        forms: forms(&desk, &flag),
        steps: steps(&flag),
        links,
        ways,
        flag,
        desk,
    };
    Ok(render(&page))
}

fn notes(flag: &Flag) -> Vec<Note> {
    let added = flag.added.then(|| Note::of(Tone::Wait, "学校有补充说明，见“经过”。"));
    let case = (!flag.case.is_empty()).then(|| Note::of(Tone::Plain, "已列入问题台账。").way(format!("/cases/{}", flag.case), "打开"));
    added.into_iter().chain(case).collect()
}

/// On what it rests, and since when.
fn basis(flag: &Flag) -> Pairs {
    let evidence = flag.evidence.clone().unwrap_or_default();
    let policy = if evidence.policy.is_empty() { evidence.policy_source } else { format!("{}：{}", evidence.policy, evidence.policy_source) };
    let judged = flag.judged_at.as_ref().map(|judged| show::time(&judged.time)).unwrap_or_default();
    let first = flag.steps.first().map(|step| step.date.clone()).unwrap_or_default();
    let rule = Cell::link(format!("/rules/{}", flag.rule), flag.rule_name.as_str());
    Pairs::default().with("规则", rule).with("依据", &flag.legal_basis).some("政策", &policy).some("判定", &judged).some("首次发现", &first)
}

fn figures(flag: &Flag) -> Figures {
    if Stands::of(flag) == Stands::School {
        return Figures(vec![Figure::said(flag.school_name.clone(), show::term(&flag.term))]);
    }
    let fate = match (flag.holds, flag.state()) {
        (false, _) => "",
        (true, flag::State::Confirmed) => "，不予发放",
        (true, _) => "，暂缓发放",
    };
    Figures(vec![
        Figure::yuan(flag.amount_fen, format!("涉及金额（元）{fate}")).tone(Tone::Bad),
        Figure::said(show::months(&flag.months), format!("{} {}", show::term(&flag.term), &flag.scheme_name)),
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
            let form =
                Form::of::<CreateAwardListRequest>(desk, "supplement", "/lists").inline().hidden("scheme_code", &flag.scheme_code).hidden("term", &flag.term);
            does(form.button("打开（补充）名单补报"))
        }
        W::SendBack => {
            let form = Form::of::<SendBackAwardListRequest>(desk, "sendBack", list).inline().hidden("entry", &flag.entry);
            does(form.hidden("reason", format!("有疑点：{}", flag.rule_name)).danger("退回这一条", "sendBack"))
        }
        W::OpenList => open("打开名单", list),
        W::Statement => {
            let at = Address::of(format!("/schools/{}/statements", flag.school)).with("term", flag.term.as_str()).with("scheme", flag.scheme_code.as_str());
            open("登记学生申请或放弃", at.to_string())
        }
        W::Count => open("人数核对", format!("/schools/{}/headCount", flag.school)),
        // The enrollment's own page holds the acts on it: return from leave for the school, correction for the department.
        W::ChangeStatus => open("补办复学等异动", enrollment(flag)?),
        W::Hardship => open("办理困难认定", format!("/schools/{}/hardship", flag.school)),
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
