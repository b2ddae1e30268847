//! One enrollment: what is known of it, what held on another day, and what may be done with it.

use askama::Template;
use axum::{
    Form as Sent,
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use tonic::Code;
use xuezhu_proto::enrollment::{
    CancelChangeRequest, ChangeClassRequest, ChangeMajorRequest, CorrectIdentityRequest, CreateSubmissionRequest, Enrollment, GetEnrollmentRequest,
    GetSchoolRequest, Major, NeverCameRequest, Period, RemoveEnrollmentRequest, ReturnFromLeaveRequest, RevealNumberRequest, RevealNumberResponse, School,
    TakeLeaveRequest, WithdrawRequest, correct_identity_request, enrollment,
};

use super::{mark, path};
use crate::{
    pages::{Desk, PageError, dossiers::Keeper, in_chinese, render, show, unknown_act},
    parts::{
        Act, Address, Cell, Field, Form, Note, Pairs, Steps, Tone,
        field::{Choice, typed_day},
        steps::Step,
    },
};

#[derive(Template)]
#[template(path = "students/one.html")]
struct OnePage {
    desk: Desk,
    row: Enrollment,
    state: Cell,
    notes: Vec<Note>,
    known: Pairs,
    reveal: Option<Form>,
    periods: Steps,
    ask: Form,
    seen: Option<Seen>,
    acts: Vec<Act>,
}

/// What is asked: what held on a day, as it was known at the end of another.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    #[serde(deserialize_with = "typed_day")]
    on: String,
    #[serde(deserialize_with = "typed_day")]
    known: String,
}

/// The answer, or why there is none.
struct Seen {
    note: Note,
    periods: Option<Steps>,
}

async fn seen(desk: &Desk, school: &str, enrollment: &str, asks: &Asks) -> Result<Option<Seen>, PageError> {
    if asks.on.is_empty() && asks.known.is_empty() {
        return Ok(None);
    }
    let request = GetEnrollmentRequest { school: school.to_owned(), enrollment: enrollment.to_owned(), as_of: asks.on.clone(), known_at: asks.known.clone() };
    let then = match desk.enrollments().get_enrollment(desk.request(request)).await {
        Ok(answer) => answer.into_inner().enrollment.unwrap_or_default(),
        Err(status) if status.code() == Code::InvalidArgument => {
            return Ok(Some(Seen { note: Note::of(Tone::Bad, in_chinese(status.message())), periods: None }));
        }
        Err(status) => return Err(status.into()),
    };
    let known = if asks.known.is_empty() { String::new() } else { format!("（按 {} 以前的登记）", asks.known) };
    let says = if then.state() == enrollment::State::Unspecified {
        format!("{} 没有学籍{known}。", then.as_of)
    } else {
        let state = show::state(then.state().as_str_name());
        format!("{}：{state}（{} 起），{} · {}{known}", then.as_of, then.state_since, then.class_name, then.major_name)
    };
    let periods = (!then.periods.is_empty() && !asks.known.is_empty()).then(|| story(&then.periods));
    Ok(Some(Seen { note: Note::of(Tone::Plain, says), periods }))
}

/// Periods, as what happened.
fn story(periods: &[Period]) -> Steps {
    let step = |period: &Period| Step {
        what: show::state(&period.state).to_owned(),
        when: if period.to.is_empty() { format!("{} 起", period.from) } else { format!("{} 起，至 {} 前", period.from, period.to) },
        who: String::new(),
        beside: format!("{}（{} 登记）", period.reason, period.recorded_date),
        text: format!("{} · {}", period.class_name, period.major_name),
    };
    Steps(periods.iter().map(step).collect())
}

/// One enrollment.
pub async fn page(desk: Desk, Path((school, enrollment)): Path<(String, String)>, Query(asks): Query<Asks>) -> Result<Response, PageError> {
    view(desk, school, enrollment, None, asks).await
}

async fn view(desk: Desk, school: String, enrollment: String, revealed: Option<RevealNumberResponse>, asks: Asks) -> Result<Response, PageError> {
    let seen = seen(&desk, &school, &enrollment, &asks).await?;
    let asked = GetEnrollmentRequest { school, enrollment, ..Default::default() };
    let row = desk.enrollments().get_enrollment(desk.request(asked)).await?.into_inner().enrollment.unwrap_or_default();
    let school = if desk.user.decides_enrollment() || desk.user.is_clerk() {
        desk.directory().get_school(desk.request(GetSchoolRequest { school: row.school.clone() })).await?.into_inner().school.unwrap_or_default()
    } else {
        School::default()
    };
    let decides = desk.user.decides_enrollment_for(&school.authority);
    let majors: Vec<Major> = school.majors.into_iter().filter(|major| major.key != row.major && major.ended_date.is_empty()).collect();
    let reveal = (revealed.is_none() && (decides || desk.user.is_school())).then(|| revealing(&desk, &row));
    let ask = Form::narrow(&desk, "seen", "#seen")
        .with(Field::day("on").called("哪一天的学籍").value(&asks.on))
        .with(Field::day("known").called("按哪一天（含）以前的登记").value(&asks.known))
        .plain("查看", "");
    let page = OnePage {
        state: mark(&row),
        notes: notes(&row, revealed.is_some()),
        known: known(&row, revealed.as_ref()),
        periods: story(&row.periods),
        acts: Acts { desk: &desk, row: &row, majors: &majors }.all(decides && !row.person.is_empty()),
        reveal,
        ask,
        seen,
        desk,
        row,
    };
    Ok(render(&page))
}

fn notes(row: &Enrollment, revealed: bool) -> Vec<Note> {
    let back = Note::wrong(&if row.sent_back_reason.is_empty() { String::new() } else { format!("被退回：{}", row.sent_back_reason) });
    let refused = Note::wrong(match row.refusal.as_str() {
        "" => "",
        "PLACE_TAKEN" => "未能批准：该生在另一所学校有有效学籍。",
        "IDENTITY_CONFLICT" => "未能批准：该证件号已登记在另一姓名之下，请主管部门核正。",
        "DUPLICATE_ROW" => "未能批准：本校另有该生的一条记录（现用证件号或先录入的一条），请退回并删除多余的一条。",
        _ => "未能批准：与原学籍时间重叠。",
    });
    let whole = revealed.then(|| Note::of(Tone::Wait, "以下为完整号码，本次查看已记入审计；请勿外传。"));
    [back, refused, whole].into_iter().flatten().collect()
}

fn known(row: &Enrollment, revealed: Option<&RevealNumberResponse>) -> Pairs {
    let number = |masked: &String, whole: Option<&String>| whole.map_or_else(|| Cell::unbroken(masked), |whole| Cell::strong(whole.as_str()));
    Pairs::default()
        .with("证件号", number(&row.id_number, revealed.map(|whole| &whole.id_number)))
        .with("学籍号", number(&row.student_number, revealed.map(|whole| &whole.student_number)))
        .with("学号", row.school_number.as_str())
        .with("性别", row.sex.as_str())
        .with("入学年月", show::whole_month(row.entry_month))
        .with("学习形式", row.study_form.as_str())
        .with("身份核验", show::registry(row.registry.as_str()))
        .with("批准日期", row.approved_date.as_str())
}

fn revealing(desk: &Desk, row: &Enrollment) -> Form {
    Form::of::<RevealNumberRequest>(desk, "reveal", path(row))
        .row()
        .with(Field::line("purpose").called("查看完整号码的用途（记入审计）").required().limit(200).hint("如：核对户口簿"))
        .plain("显示完整号码", "reveal")
}

/// What may be done: what the page offers. The service decides.
struct Acts<'a> {
    desk: &'a Desk,
    row: &'a Enrollment,
    majors: &'a [Major],
}

impl Acts<'_> {
    /// The state that a further change comes after.
    fn last_state(&self) -> enrollment::State {
        if self.row.planned_since.is_empty() { self.row.state() } else { self.row.planned_state() }
    }

    fn all(&self, decides: bool) -> Vec<Act> {
        use enrollment::State as S;
        let (state, last, clerk) = (self.row.state(), self.last_state(), self.desk.user.is_clerk());
        let mut acts = Vec::new();
        if clerk && matches!(state, S::Draft | S::SentBack) {
            acts.push(self.next_step());
        }
        if !self.row.planned_since.is_empty() {
            acts.extend(self.planned());
        }
        if clerk && matches!(last, S::InSchool | S::OnLeave) {
            acts.push(self.change(last));
        }
        if clerk && last == S::InSchool {
            acts.push(self.class_or_major());
        }
        if decides && last == S::InSchool {
            acts.push(self.never_came());
        }
        if decides {
            acts.push(self.correct());
        }
        acts
    }

    fn next_step(&self) -> Act {
        let submit = Form::of::<CreateSubmissionRequest>(self.desk, "submit", path(self.row)).inline().act("提交给校长签核", "submit");
        let remove = Form::of::<RemoveEnrollmentRequest>(self.desk, "remove", path(self.row));
        let remove = remove.inline().danger("删除这条记录", "remove").asks(format!("删除{}的这条记录，不能恢复。", self.row.name));
        let says = match self.row.state() {
            enrollment::State::SentBack => "内容有误的，到“全部信息”里改好再提交；无误的，可以直接再次提交。",
            _ => "草稿尚未提交；可以到“全部信息”里修改。",
        };
        Act::of("下一步", submit).says(says).or(remove)
    }

    fn planned(&self) -> Option<Act> {
        let form = Form::of::<CancelChangeRequest>(self.desk, "cancel", path(self.row))
            .row()
            .with(Field::line("reason").called("撤销原因").required())
            .danger("撤销这项异动", "cancel");
        let (planned, now) = (show::state(self.row.planned_state().as_str_name()), show::state(self.row.state().as_str_name()));
        let says = format!("已登记自 {} 起{planned}；今日仍为{now}。", self.row.planned_since);
        self.desk.user.is_clerk().then(|| Act::of("尚未生效的异动", form).says(says))
    }

    fn change(&self, last: enrollment::State) -> Act {
        let first = if last == enrollment::State::InSchool { Choice::of("leave", "休学") } else { Choice::of("return", "复学") };
        let form = Form::of::<TakeLeaveRequest>(self.desk, "change", path(self.row))
            .with(Field::choice("act", [first, Choice::of("withdraw", "退学")]).called("类别"))
            .with(Field::day("effective_date").called("生效日期（新状态的第一天）").required().value(self.desk.today()))
            .with(Field::line("reason").required())
            .button("登记");
        Act::of("办理异动", form)
    }

    fn class_or_major(&self) -> Act {
        let to_class = Form::of::<ChangeClassRequest>(self.desk, "change_class", path(self.row))
            .with(Field::line("class_name").required().limit(60))
            .with(Field::day("effective_date").called("生效日期（在新班级的第一天）").required().value(self.desk.today()))
            .with(Field::line("reason").required())
            .act("登记调班", "change_class");
        let majors = self.majors.iter().map(|major| Choice::of(&major.key, format!("{}（{}-{}）", major.name, major.catalogue, major.code)));
        let to_major = Form::of::<ChangeMajorRequest>(self.desk, "change_major", path(self.row))
            .with(Field::choice("major", majors).required())
            .with(Field::line("class_name").called("转入班级（不变则空）").limit(60))
            .with(Field::day("effective_date").called("生效日期（在新专业的第一天）").required().value(self.desk.today()))
            .with(Field::line("reason").required())
            .act("登记转专业", "change_major");
        let act = Act::of("调班、转专业", to_class);
        if self.majors.is_empty() { act } else { act.or(to_major) }
    }

    fn never_came(&self) -> Act {
        let form =
            Form::of::<NeverCameRequest>(self.desk, "never_came", path(self.row)).row().with(Field::line("reason").required()).danger("注销", "never_came");
        let form = form.asks(format!("注销{}的学籍：自第一天起不算，名额空出。", self.row.name));
        let says = "学校书面说明该生获批后从未到校的，由主管部门在此注销：学籍自第一天起不算，名额空出，已列入资助名单的将被标记。";
        Act::of("新生未报到注销", form).says(says)
    }

    fn correct(&self) -> Act {
        let kinds = [Choice::of("LAWFUL_CHANGE", "依法变更"), Choice::of("MISTYPED", "录入错误")];
        let form = Form::of::<CorrectIdentityRequest>(self.desk, "correct", path(self.row))
            .with(Field::choice("kind", kinds))
            .with(Field::day("effective_date").required().value(self.desk.today()))
            .with(Field::line("name"))
            .with(Field::line("id_number"))
            .with(Field::line("reason").required())
            .act("更正", "correct");
        Act::of("更正姓名或证件号", form)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActForm {
    request_id: String,
    act: String,
    #[serde(deserialize_with = "typed_day")]
    effective_date: String,
    reason: String,
    kind: String,
    name: String,
    id_number: String,
    purpose: String,
    class_name: String,
    major: String,
}

/// What is done.
pub async fn act(desk: Desk, Path((school, enrollment)): Path<(String, String)>, Sent(sent): Sent<ActForm>) -> Result<Response, PageError> {
    let back = Address::of(format!("/schools/{school}/enrollments/{enrollment}"));
    let ActForm { request_id, act, effective_date, reason, kind, name, id_number, purpose, class_name, major } = sent;
    let mut client = desk.enrollments();
    let done = match act.as_str() {
        "remove" => {
            client.remove_enrollment(desk.change(&request_id, RemoveEnrollmentRequest { school, enrollment })).await?;
            return Ok(desk.done("已删除。", "/students"));
        }
        "submit" => {
            let asked = CreateSubmissionRequest { school, enrollments: vec![enrollment], all_drafts: false, matching: None };
            let made = desk.submissions().create_submission(desk.change(&request_id, asked)).await?.into_inner();
            return Ok(desk.done("已提交，等校长签核。", Keeper::Enrollment.link(&made.submission)));
        }
        "leave" => {
            client.take_leave(desk.change(&request_id, TakeLeaveRequest { school, enrollment, effective_date, reason })).await?;
            "休学已登记。"
        }
        "return" => {
            client.return_from_leave(desk.change(&request_id, ReturnFromLeaveRequest { school, enrollment, effective_date, reason })).await?;
            "复学已登记。"
        }
        "cancel" => {
            client.cancel_change(desk.change(&request_id, CancelChangeRequest { school, enrollment, reason })).await?;
            "已撤销尚未生效的异动。"
        }
        "withdraw" => {
            client.withdraw(desk.change(&request_id, WithdrawRequest { school, enrollment, effective_date, reason })).await?;
            "退学已登记。"
        }
        "change_class" => {
            let asked = ChangeClassRequest { school, enrollment, effective_date, class_name, reason };
            client.change_class(desk.change(&request_id, asked)).await?;
            "调班已登记。"
        }
        "change_major" => {
            let asked = ChangeMajorRequest { school, enrollment, effective_date, major, class_name, reason };
            client.change_major(desk.change(&request_id, asked)).await?;
            "转专业已登记。"
        }
        "never_came" => {
            client.never_came(desk.change(&request_id, NeverCameRequest { school, enrollment, reason })).await?;
            "已办理新生未报到注销。"
        }
        "correct" => {
            let kind = correct_identity_request::Kind::from_str_name(&kind).unwrap_or_default().into();
            let asked = CorrectIdentityRequest { school, enrollment, kind, effective_date, name, id_number, reason };
            client.correct_identity(desk.change(&request_id, asked)).await?;
            "已更正。"
        }
        "reveal" => {
            let asked = RevealNumberRequest { school: school.clone(), enrollment: enrollment.clone(), purpose };
            let revealed = client.reveal_number(desk.request(asked)).await?.into_inner();
            return view(desk, school, enrollment, Some(revealed), Asks::default()).await;
        }
        unknown => return Err(unknown_act(unknown)),
    };
    Ok(desk.done(done, back))
}
