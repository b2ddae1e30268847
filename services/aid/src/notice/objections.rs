//! Objections to what a notice shows: by the form, or by hand at the department; the school answers, the department decides.

use uuid::Uuid;
use xuezhu_domain::{
    region,
    text::{comparable_name, holds_long_number},
};
use xuezhu_proto::aid::{self as pb, objection};
use xuezhu_review::{inbox, way};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal, paging::Turn};
use xuezhu_store::{StoreError, Tx};

use super::{
    public, readable,
    rules::{self, Objector, State, TEXT},
    store::{self, NoticeRow, ObjectionRow},
};
use crate::Parts;

/// Objections that come by the form to one notice on a day, and of those from one address, at most: a school's people may share one. Who has more to
/// say goes to the department.
const OF_NOTICE: i64 = 100;
const FROM_PLACE: i64 = 20;

/// What somebody says.
#[derive(Debug, Clone)]
pub struct Said {
    pub notice: Uuid,
    pub class_name: String,
    pub student: String,
    pub text: String,
    pub objector: String,
    pub telephone: String,
}

/// Somebody objects by the form.
pub async fn file(ctx: &Context, tx: &mut Tx, parts: &Parts, said: &Said, from: Uuid) -> Result<Uuid, Error> {
    public(ctx, tx, said.notice).await?;
    store::lock(tx, &[said.notice]).await?;
    let (of_notice, from_place) = store::came(tx, said.notice, ctx.today(), from).await?;
    if of_notice >= OF_NOTICE || from_place >= FROM_PLACE {
        return Err(Refusal::new(Reason::TooManyRequests, "今天提交的异议过多，请明天再提，或直接向主管部门反映").into());
    }
    let notice = public(ctx, tx, said.notice).await?;
    Ok(keep(ctx, tx, parts, &notice, said, Some(from)).await?.objection)
}

/// The department records one that came by hand.
pub async fn record(ctx: &Context, tx: &mut Tx, parts: &Parts, said: &Said) -> Result<pb::Objection, Error> {
    let (notice, _) = readable(ctx, tx, said.notice, Permission::Approve).await?;
    store::lock(tx, &[said.notice]).await?;
    let decided = inbox::bare(tx, notice.dossier).await?.is_none_or(|round| round.state != way::State::UnderWay);
    if notice.last_day < ctx.today() && decided {
        return Err(Refusal::wrong_state("公示已期满，名单已经办结：确有问题的，请按疑点核定或资助更正办理").into());
    }
    let row = keep(ctx, tx, parts, &notice, said, None).await?;
    told(ctx, parts, &row)
}

async fn keep(ctx: &Context, tx: &mut Tx, parts: &Parts, notice: &NoticeRow, said: &Said, came_from: Option<Uuid>) -> Result<ObjectionRow, Error> {
    let mut errors = FieldErrors::default();
    let text = errors.text("text", &said.text, TEXT);
    if text.as_deref().is_some_and(holds_long_number) {
        errors.add("text", "请不要填写证件号、卡号；电话填在“联系电话”");
    }
    let objector = Objector::of(&mut errors, &said.objector, &said.telephone);
    let concerned = if said.student.trim().is_empty() {
        vec![None]
    } else {
        let name = comparable_name(said.student.trim());
        let lines = store::lines(tx, notice.notice, &said.class_name).await?;
        lines.into_iter().filter(|line| comparable_name(&line.name) == name).map(Some).collect()
    };
    if concerned.is_empty() {
        errors.add("student", "公示的这个班里没有这名学生，请核对姓名和班级");
    }
    errors.check()?;
    let who = serde_json::to_vec(&objector).map_err(|error| Error::Internal(error.to_string()))?;
    let text = text.unwrap_or_default();
    let mut kept = Vec::with_capacity(concerned.len());
    // Two of one name in a class: against each of them, until the department says which is meant.
    for line in concerned {
        let objection = ctx.new_id();
        let row = ObjectionRow {
            objection,
            notice: notice.notice,
            school: notice.school.clone(),
            authority: notice.authority.clone(),
            entry: line.as_ref().map(|line| line.entry),
            student: line.map(|line| format!("{}（{}）", line.name, line.class_name)).unwrap_or_default(),
            by_form: came_from.is_some(),
            state: State::Open,
            text_sealed: parts.keyring.seal("objection", &[objection], text.as_bytes()),
            objector_sealed: parts.keyring.seal("objector", &[objection], &who),
            filed_day: ctx.today(),
            answer_sealed: None,
            answered_by_name: String::new(),
            decision: String::new(),
            decided_by_name: String::new(),
            title: notice.title.clone(),
            list: notice.list,
        };
        store::object(ctx, tx, &row, came_from).await?;
        kept.push(row);
    }
    kept.into_iter().next().ok_or_else(|| Error::Internal("an objection concerns nobody".to_owned()))
}

/// What is asked of a list of objections.
#[derive(Debug, Clone)]
pub struct Asked {
    pub school: String,
    /// A code; 0 for any.
    pub state: i32,
    pub turn: Turn<Uuid>,
}

/// Objections of the caller's school, or of the schools below their region: they speak of families, so that few read them.
pub async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, asked: &Asked) -> Result<Vec<pb::Objection>, Error> {
    let own = ctx.actor.organisation.as_str();
    let (school, prefix) = if ctx.actor.role.is_of_school() {
        ctx.may(Permission::ReadFamily, &Place::School { code: if asked.school.is_empty() { own } else { &asked.school }, authority: "" })?;
        (own, "")
    } else {
        ctx.may(Permission::ReadFamily, &Place::Region(own))?;
        (asked.school.as_str(), region::prefix_or_all(own))
    };
    let rows = store::objections(tx, school, prefix, asked.state, &asked.turn).await?;
    rows.iter().map(|row| told(ctx, parts, row)).collect()
}

/// An objection, if whoever calls may do something with it; one that is not theirs to see is refused like one that isn't there.
async fn one(ctx: &Context, tx: &mut Tx, id: Uuid, permission: Permission) -> Result<ObjectionRow, Error> {
    let row = store::objection(tx, id).await?.ok_or_else(|| Refusal::not_found("该异议"))?;
    let place = Place::School { code: &row.school, authority: &row.authority };
    if ctx.may(Permission::ReadFamily, &place).is_err() {
        return Err(Refusal::not_found("该异议").into());
    }
    ctx.may(permission, &place)?;
    store::lock(tx, &[row.notice]).await?;
    store::objection(tx, id).await?.ok_or_else(|| Refusal::not_found("该异议").into())
}

/// The school answers.
pub async fn answer(ctx: &Context, tx: &mut Tx, parts: &Parts, id: Uuid, text: &str) -> Result<pb::Objection, Error> {
    let row = one(ctx, tx, id, Permission::Explain).await?;
    let mut errors = FieldErrors::default();
    let text = errors.text("text", text, TEXT);
    errors.check()?;
    if row.state.is_decided() {
        return Err(Refusal::wrong_state("主管部门已经核定，不再答复").into());
    }
    let sealed = parts.keyring.seal("answer", &[id], text.unwrap_or_default().as_bytes());
    store::answer(ctx, tx, id, &sealed).await?;
    let row = ObjectionRow { state: State::Answered, answer_sealed: Some(sealed), answered_by_name: ctx.actor.display_name.clone(), ..row };
    told(ctx, parts, &row)
}

/// The department decides.
pub async fn decide(ctx: &Context, tx: &mut Tx, parts: &Parts, id: Uuid, upheld: bool, reason: &str) -> Result<pb::Objection, Error> {
    let row = one(ctx, tx, id, Permission::Approve).await?;
    let mut errors = FieldErrors::default();
    let decision = errors.text("reason", reason, TEXT).unwrap_or_default();
    errors.check()?;
    if row.state.is_decided() {
        return Err(Refusal::wrong_state("该异议已经核定").into());
    }
    // The school is heard before it is found to be wrong.
    let heard_from = rules::heard_until(row.filed_day);
    if upheld && row.state == State::Open && ctx.today() < heard_from {
        return Err(Refusal::wrong_state(format!("学校还没有答复：学校答复以后，或{heard_from}起，才能认定异议成立")).into());
    }
    let state = if upheld { State::Upheld } else { State::Dismissed };
    store::decide(ctx, tx, id, state, &decision).await?;
    told(ctx, parts, &ObjectionRow { state, decision, decided_by_name: ctx.actor.display_name.clone(), ..row })
}

/// An objection as whoever calls is told of it: who objected, the department alone.
fn told(ctx: &Context, parts: &Parts, row: &ObjectionRow) -> Result<pb::Objection, Error> {
    const CORRUPT: StoreError = StoreError::Corrupt("an objection");
    let open = |purpose: &str, sealed: &[u8]| parts.keyring.open_text(purpose, &[row.objection], sealed).ok_or(CORRUPT);
    let place = Place::School { code: &row.school, authority: &row.authority };
    let objector = if ctx.may(Permission::Approve, &place).is_ok() {
        let who: Objector = serde_json::from_str(&open("objector", &row.objector_sealed)?).map_err(|_| CORRUPT)?;
        [who.name, who.telephone].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    } else {
        String::new()
    };
    let state = match row.state {
        State::Open => objection::State::Open,
        State::Answered => objection::State::Answered,
        State::Upheld => objection::State::Upheld,
        State::Dismissed => objection::State::Dismissed,
    };
    Ok(pb::Objection {
        objection: row.objection.to_string(),
        notice: row.notice.to_string(),
        school: row.school.clone(),
        title: row.title.clone(),
        student: row.student.clone(),
        state: state.into(),
        by_form: row.by_form,
        text: open("objection", &row.text_sealed)?,
        file_date: row.filed_day.to_string(),
        answer: row.answer_sealed.as_deref().map(|sealed| open("answer", sealed)).transpose()?.unwrap_or_default(),
        answered_by: row.answered_by_name.clone(),
        decision: row.decision.clone(),
        decided_by: row.decided_by_name.clone(),
        objector,
        list: row.list.to_string(),
    })
}
