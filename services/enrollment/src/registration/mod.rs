//! 新生学籍电子注册: draft → submitted → attested → approved, or sent back.

pub mod api;
pub mod rules;
mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{
    calendar::add_working_days,
    codes,
    enrollment::{Change, State, after},
};
use xuezhu_proto::enrollment::{self as pb, submission};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal, Role, clock::rfc3339};
use xuezhu_store::{Hex, Tx};

// What other capabilities may ask.
pub(crate) use self::store::{LiveRow, all_of_school, former_keys_at, keys_elsewhere};
use self::{
    rules::{Decision, Holder, Stage},
    store::SubmissionRow,
};
use crate::{
    Parts, directory,
    identity_check::registry::Asked,
    roll::{
        self, Claim,
        drafts::Refused,
        persons::{self, Entrant},
        places::{self, Placing, Who},
    },
};

/// Working days that each step may take (教职成〔2014〕12号, Art. 16).
pub const STEP_WORKING_DAYS: u32 = 10;
/// Rows that one call may name.
pub const ROWS_NAMED: usize = 20_000;

/// The clerk takes back a row that no department approved: a draft, or one that was sent back.
pub async fn remove(ctx: &Context, tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    if roll::drafts::remove(tx, &school.code, enrollment).await? {
        Ok(())
    } else {
        Err(Refusal::wrong_state("只有草稿和被退回的记录可以删除；已提交的请先由审核方退回，已批准的请办理异动").into())
    }
}

/// The clerk submits drafts; what can't be submitted is named.
pub async fn submit(ctx: &Context, tx: &mut Tx, school: &str, ids: &[Uuid], all: bool) -> Result<pb::CreateSubmissionResponse, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let found = store::submittable(tx, &school.code, ids, all).await?;
    let there: HashSet<Uuid> = found.iter().map(|(id, _)| *id).collect();
    let mut refused: Vec<pb::RefusedRow> =
        ids.iter().filter(|id| !there.contains(id)).map(|id| refused_row(*id, Reason::NotFound, "本校没有这条记录")).collect();
    let mut accepted = Vec::new();
    for (id, state) in &found {
        let state = roll::state_of(*state)?;
        if after(state, Change::Submit).is_some() {
            accepted.push(*id);
        } else {
            refused.push(refused_row(*id, Reason::WrongState, &format!("当前为“{}”，不能提交", state.name())));
        }
    }
    if accepted.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有可以提交的草稿：请先导入学生，或修改被退回的记录").into());
    }
    let submission = ctx.new_id();
    roll::drafts::submitted(ctx, tx, submission, &accepted).await?;
    let set = store::set_of(tx, submission).await?;
    let digest = rules::digest(set.iter().map(|row| (row.enrollment, &row.content_hash[..])));
    store::insert_submission(ctx, tx, submission, &school.code, &digest).await?;
    Ok(pb::CreateSubmissionResponse { submission: submission.to_string(), digest, count: small(accepted.len()), refused })
}

/// The principal attests what the digest covers.
pub async fn attest(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, digest: &str) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::Attest).await?;
    let row = locked(tx, &school.code, submission).await?;
    not_own(ctx, &row)?;
    if row.stage != Stage::Submitted {
        return Err(Refusal::wrong_state("该批次不在待签核状态").into());
    }
    same_digest(tx, submission, digest).await?;
    store::attest(tx, submission, digest, &ctx.actor.account, &ctx.actor.display_name, ctx.now_us(), ctx.today()).await?;
    roll::drafts::attested(tx, submission).await?;
    view(tx, parts, &school.code, submission).await
}

/// Principal or department send rows back; they leave the set.
pub async fn send_back(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, reason: &str, ids: &[Uuid]) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::SendBack).await?;
    let row = locked(tx, &school.code, submission).await?;
    let (waits, waits_for) = match ctx.actor.role {
        Role::Principal => (Stage::Submitted, State::Submitted),
        _ => (Stage::Attested, State::Attested),
    };
    if row.stage != waits {
        return Err(Refusal::wrong_state("该批次不在本级待办中，不能退回").into());
    }
    let set = store::set_of(tx, submission).await?;
    let waiting: HashSet<Uuid> = set.iter().filter(|row| row.state == waits_for.code()).map(|row| row.enrollment).collect();
    let back: Vec<Uuid> = if ids.is_empty() { waiting.iter().copied().collect() } else { ids.to_vec() };
    if let Some(stranger) = back.iter().find(|id| !waiting.contains(id)) {
        return Err(Refusal::field("enrollments", format!("{stranger}不在本批次的待办中")).into());
    }
    if back.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有可以退回的记录").into());
    }
    roll::drafts::sent_back(ctx, tx, &back, reason).await?;
    store::close_submission(tx, submission).await?;
    view(tx, parts, &school.code, submission).await
}

/// The department approves what the digest covers: identity check, person, place, 学籍号. What can't be approved stays.
pub async fn approve(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, digest: &str) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::Approve).await?;
    let row = locked(tx, &school.code, submission).await?;
    not_own(ctx, &row)?;
    match row.stage {
        Stage::Attested => {}
        Stage::Submitted => return Err(Refusal::wrong_state("校长尚未签核，不能审核").into()),
        Stage::Done => return Err(Refusal::wrong_state("该批次已经办结").into()),
    }
    same_digest(tx, submission, digest).await?;
    let attested = store::attested(tx, submission).await?;
    let outcome = Approval::decide(tx, parts, &school.code, &attested).await?;
    outcome.write(ctx, tx, parts, &school.region).await?;
    store::approved_by(tx, submission, &ctx.actor.display_name).await?;
    store::close_submission(tx, submission).await?;
    view(tx, parts, &school.code, submission).await
}

/// What an approval does, row by row.
struct Approval<'c> {
    placings: Vec<Placing<'c>>,
    refused: Vec<Refused>,
}

impl<'c> Approval<'c> {
    async fn decide(tx: &mut Tx, parts: &Parts, school: &str, attested: &'c [Claim]) -> Result<Self, Error> {
        // Decided is on what is read once whoever holds these keys can't be corrected beside this.
        let found = persons::holders(tx, attested.iter().map(|row| row.key)).await?;
        persons::lock_all(tx, found.iter().map(|row| row.person)).await?;
        let holders = persons::holders(tx, attested.iter().map(|row| row.key)).await?;
        let held: HashMap<Uuid, Holder> = holders
            .iter()
            .map(|row| (row.person_key, Holder { person: row.person, name: row.name.clone(), placed: row.placed, last_end: row.last_end }))
            .collect();
        let present: HashMap<Uuid, Uuid> = holders.iter().map(|row| (row.person, row.present_key)).collect();
        let live: HashSet<Uuid> = persons::live_keys(tx, school, present.values().copied()).await?.into_iter().collect();
        let mut approval = Self { placings: Vec::new(), refused: Vec::new() };
        let mut entering = HashSet::new();
        for claim in attested {
            let refusal = |reason: Reason| Refused { enrollment: Hex(claim.enrollment), refusal: reason.as_str_name() };
            match rules::decide(&claim.name, claim.entry_date, held.get(&claim.key)) {
                // Two rows of one person: that under the present number counts, of several under former ones the first.
                Decision::Again { person, .. }
                    if present.get(&person).is_some_and(|key| *key != claim.key && live.contains(key)) || !entering.insert(person) =>
                {
                    approval.refused.push(refusal(Reason::DuplicateRow));
                }
                Decision::NewPerson => {
                    let asked = Asked { number: claim.number(parts)?, name: claim.name_comparable.clone() };
                    let who = Who::New(Entrant { registry: parts.registry.ask(&asked) });
                    approval.placings.push(Placing { claim, who, entry: claim.entry_date });
                }
                Decision::Again { person, entry } => approval.placings.push(Placing { claim, who: Who::Known(person), entry }),
                Decision::Refused(reason) => approval.refused.push(refusal(reason)),
            }
        }
        Ok(approval)
    }

    async fn write(self, ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str) -> Result<(), Error> {
        places::place(ctx, tx, parts, region, self.placings).await?;
        if !self.refused.is_empty() {
            roll::drafts::note_refused(tx, &self.refused).await?;
        }
        Ok(())
    }
}

async fn locked(tx: &mut Tx, school: &str, submission: Uuid) -> Result<SubmissionRow, Error> {
    store::lock_submission(tx, school, submission).await?;
    store::submission(tx, school, submission).await?.ok_or_else(|| Refusal::not_found("该提交批次").into())
}

/// Nobody attests or approves what they submitted.
fn not_own(ctx: &Context, row: &SubmissionRow) -> Result<(), Error> {
    if row.submitted_by == ctx.actor.account { Err(Refusal::new(Reason::OwnSubmission, "不能签核或审核本人提交的内容").into()) } else { Ok(()) }
}

async fn same_digest(tx: &mut Tx, submission: Uuid, digest: &str) -> Result<(), Error> {
    let set = store::set_of(tx, submission).await?;
    let present = rules::digest(set.iter().map(|row| (row.enrollment, &row.content_hash[..])));
    if present == digest {
        Ok(())
    } else {
        Err(Refusal::new(Reason::DigestMismatch, "摘要与当前内容不符：内容在您查看之后有变化，请重新核对后再操作").into())
    }
}

/// A submission with its counts and outliers.
pub async fn view(tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid) -> Result<pb::Submission, Error> {
    let row = store::submission(tx, school, submission).await?.ok_or_else(|| Refusal::not_found("该提交批次"))?;
    let set = store::set_of(tx, submission).await?;
    let mut view = summary(&row);
    view.digest = rules::digest(set.iter().map(|row| (row.enrollment, &row.content_hash[..])));
    view.count = small(set.len());
    view.approved = small(set.iter().filter(|row| State::from_code(row.state).is_some_and(State::is_approved)).count());
    view.head_counts = head_counts(&set);
    let numbers =
        store::sealed_numbers(tx, submission).await?.iter().filter_map(|(enrollment, sealed)| parts.keyring.open_text("id", &[*enrollment], sealed)).collect();
    view.outliers = rules::Unusual {
        classes: set.iter().map(|row| row.class_name.as_str()).collect(),
        phones: set.iter().map(|row| row.phone_hash).collect(),
        ages: set.iter().map(|row| (row.birth_date, row.entry_month)).collect(),
        numbers,
    }
    .outliers();
    view.refused = set
        .iter()
        .filter(|row| row.state == State::Attested.code() && !row.refusal.is_empty())
        .filter_map(|row| Reason::from_str_name(&row.refusal).map(|reason| refused_row(row.enrollment, reason, xuezhu_service::refusal::chinese(reason))))
        .collect();
    match store::submission_before(tx, school, submission).await? {
        Some(before) => {
            let before = head_counts(&store::set_of(tx, before).await?);
            let total = before.iter().map(|count| count.count).sum::<i32>();
            view.since_last = format!("上一批{total}人，本批{}人", set.len());
            view.changes = rules::changes(&counts_of(&before), &counts_of(&view.head_counts));
        }
        None => "本校第一批".clone_into(&mut view.since_last),
    }
    Ok(view)
}

/// A submission without counts.
pub fn summary(row: &SubmissionRow) -> pb::Submission {
    let since = if row.stage == Stage::Attested { row.attested_day.unwrap_or(row.submitted_day) } else { row.submitted_day };
    let due = if row.stage == Stage::Done { String::new() } else { add_working_days(since, STEP_WORKING_DAYS).to_string() };
    pb::Submission {
        submission: row.submission.to_string(),
        school: row.school.clone(),
        state: submission::State::from_str_name(row.stage.as_str()).unwrap_or_default().into(),
        submitted_by: row.submitted_by_name.clone(),
        submit_time: rfc3339(row.submitted_at_us),
        attested_by: row.attested_by_name.clone(),
        approved_by: row.approved_by_name.clone(),
        due_date: due,
        school_name: row.school_name.clone(),
        authority: row.authority.clone(),
        waiting_since: since.to_string(),
        ..pb::Submission::default()
    }
}

fn counts_of(counts: &[pb::HeadCount]) -> BTreeMap<(&str, &str), i32> {
    counts.iter().map(|count| ((count.class_name.as_str(), count.major_name.as_str()), count.count)).collect()
}

fn head_counts(set: &[store::SetRow]) -> Vec<pb::HeadCount> {
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for row in set {
        let count = counts.entry((row.class_name.as_str(), row.major.as_str())).or_default();
        count.0 += 1;
        count.1 += usize::from(row.sex == 1);
    }
    counts
        .into_iter()
        .map(|((class_name, major), (count, male))| pb::HeadCount {
            class_name: class_name.to_owned(),
            major_name: codes::major_of_key(major).map_or(major, |major| major.name).to_owned(),
            count: small(count),
            male: small(male),
        })
        .collect()
}

fn refused_row(id: Uuid, reason: Reason, message: &str) -> pb::RefusedRow {
    pb::RefusedRow { enrollment: id.to_string(), reason: reason.as_str_name().to_owned(), message: message.to_owned() }
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
