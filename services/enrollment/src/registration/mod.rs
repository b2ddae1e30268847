//! 新生学籍电子注册: draft → submitted → attested → approved, or sent back. A submission is a dossier: what its desks do is in
//! [`xuezhu_review`], what becomes of its rows in [`kind`].

pub mod api;
pub mod kind;
pub mod rules;
mod store;

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{
    codes,
    enrollment::{Change, after},
    identity::NumberClass,
};
use xuezhu_proto::enrollment::{self as pb, submission};
use xuezhu_review::{
    Dossier, Filter, OfSchool, Proposal, Signature, inbox,
    way::{self, Seat, Stand},
};
use xuezhu_service::{
    Context, Error, Permission, Reason, Refusal,
    clock::rfc3339,
    paging::{self, Turn},
};
use xuezhu_store::Tx;

pub use self::kind::Registration;
pub use self::store::Asked as Matching;
// What other capabilities may ask.
pub(crate) use self::store::{LiveRow, all_of_school, former_keys_at, keys_elsewhere};
use crate::{
    Parts,
    directory::{self, SchoolRow},
    roll::{self, sheet},
};

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

/// What the clerk submits.
#[derive(Debug)]
pub struct Wanted {
    /// These.
    pub ids: Vec<Uuid>,
    /// And those that match.
    pub matching: Matching,
    /// How many of those were seen; 0 where nobody counted.
    pub seen: i32,
}

/// The clerk submits drafts; what can't be submitted is named.
pub async fn submit(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, wanted: &Wanted) -> Result<pb::CreateSubmissionResponse, Error> {
    let school = directory::open_for_entry(ctx, tx, school).await?;
    let ids = &wanted.ids;
    let found = store::submittable(tx, &school.code, ids, &wanted.matching).await?;
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
    Refusal::unless_seen(wanted.seen, accepted.len())?;
    if accepted.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有可以提交的草稿：请先导入学生，或修改被退回的记录").into());
    }
    let submission = ctx.new_id();
    roll::drafts::submitted(ctx, tx, submission, &accepted).await?;
    let items = sheet::lines(tx, &accepted).await?.into_iter().map(kind::item).collect();
    let proposal = Proposal { dossier: submission, subject: None, title: kind::ABOUT.name.to_owned(), reason: String::new(), items };
    let of = OfSchool { code: &school.code, authority: &school.authority };
    let dossier = xuezhu_review::submit(ctx, tx, &Registration { parts }, of, proposal).await?;
    // A chain that begins at a department: rows wait where their submission waits.
    if dossier.seat().is_some_and(|seat| seat.region().is_some()) && dossier.waiting > 0 {
        roll::drafts::attested(tx, submission).await?;
    }
    Ok(pb::CreateSubmissionResponse { submission: submission.to_string(), digest: dossier.digest, count: small(accepted.len()), refused })
}

/// The principal attests what the digest covers.
pub async fn attest(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, digest: &str) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::Attest).await?;
    sign(ctx, tx, parts, &school, submission, digest).await
}

/// The department whose turn it is approves what the digest covers. The last of them gives identity check, person, place, 学籍号; what
/// can't be approved stays.
pub async fn approve(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, digest: &str) -> Result<pb::Submission, Error> {
    let school = school_at_desk(ctx, tx, school, submission, Permission::Approve).await?;
    sign(ctx, tx, parts, &school, submission, digest).await
}

async fn sign(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &SchoolRow, submission: Uuid, digest: &str) -> Result<pb::Submission, Error> {
    of_school(tx, &school.code, submission).await?;
    let dossier = xuezhu_review::sign(ctx, tx, &Registration { parts }, submission, Some(digest)).await?;
    view(tx, parts, school, dossier).await
}

/// Principal or department send rows back; they leave the set.
pub async fn send_back(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, reason: &str, ids: &[Uuid]) -> Result<pb::Submission, Error> {
    let school = school_at_desk(ctx, tx, school, submission, Permission::SendBack).await?;
    of_school(tx, &school.code, submission).await?;
    let dossier = xuezhu_review::send_back(ctx, tx, &Registration { parts }, submission, reason, ids).await?;
    view(tx, parts, &school, dossier).await
}

/// A submission with its counts and outliers.
pub async fn one(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    let dossier = of_school(tx, &school.code, submission).await?;
    view(tx, parts, &school, dossier).await
}

/// The school, for whoever may do something there: its own people and its department, or a department above that the chain of the
/// submission names.
async fn school_at_desk(ctx: &Context, tx: &mut Tx, school: &str, submission: Uuid, permission: Permission) -> Result<SchoolRow, Error> {
    let refused = match directory::school_for(ctx, tx, school, permission).await {
        Err(Error::Refused(refused)) if ctx.decides_here() => refused,
        answer => return answer,
    };
    let desks = inbox::desks(tx, &[submission]).await?.remove(&submission).unwrap_or_default();
    let own = Seat::Department(ctx.actor.organisation.clone());
    if desks.iter().any(|desk| desk.seat == own) { directory::school(tx, school).await } else { Err(Error::Refused(refused)) }
}

async fn of_school(tx: &mut Tx, school: &str, submission: Uuid) -> Result<Dossier, Error> {
    let found = inbox::bare(tx, submission).await?;
    let found = found.filter(|dossier| dossier.kind == kind::ABOUT.code && dossier.school == school);
    found.ok_or_else(|| Refusal::not_found("该提交批次").into())
}

/// Submissions that are asked for, newest first, without counts by class.
pub async fn list(tx: &mut Tx, asked: &Asked<'_>, before: Option<Uuid>, limit: i64) -> Result<Vec<pb::Submission>, Error> {
    let (waits, seats) = match asked.state {
        submission::State::Unspecified => (None, ""),
        submission::State::Submitted => (Some(true), Seat::OF_SCHOOLS),
        submission::State::Attested => (Some(true), Seat::OF_DEPARTMENTS),
        submission::State::Done => (Some(false), ""),
    };
    let (school, authority_prefix) = (asked.school.to_owned(), asked.authority_prefix.to_owned());
    let filter = Filter { school, authority_prefix, kind: kind::ABOUT.code, waits, seats, ..Filter::default() };
    let dossiers = inbox::search(tx, &filter, &Turn { after: before, ..Turn::first(limit) }).await?;
    let schools = directory::schools(tx, dossiers.iter().map(|dossier| dossier.school.as_str())).await?;
    let ids: Vec<Uuid> = dossiers.iter().map(|dossier| dossier.dossier).collect();
    let (desks, signed) = (inbox::desks(tx, &ids).await?, inbox::signatures(tx, &ids).await?);
    let none = Vec::new();
    let view = |dossier: &Dossier| {
        let name = schools.get(&dossier.school).map_or("", |school| school.name.as_str());
        let signed: Vec<&Signature> = signed.iter().filter(|signature| signature.dossier == dossier.dossier).collect();
        summary(dossier, name, desks.get(&dossier.dossier).unwrap_or(&none), &signed)
    };
    Ok(dossiers.iter().map(view).collect())
}

/// Which submissions are asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Of this school; empty for all.
    pub school: &'a str,
    /// Of schools whose authority begins so; empty for all.
    pub authority_prefix: &'a str,
    /// In this state.
    pub state: submission::State,
}

async fn view(tx: &mut Tx, parts: &Parts, school: &SchoolRow, dossier: Dossier) -> Result<pb::Submission, Error> {
    let submission = dossier.dossier;
    let desks = inbox::desks(tx, &[submission]).await?.remove(&submission).unwrap_or_default();
    let signed = inbox::signatures(tx, &[submission]).await?;
    let set = store::set_of(tx, submission).await?;
    let mut view = summary(&dossier, &school.name, &desks, &signed.iter().collect::<Vec<_>>());
    view.digest.clone_from(&dossier.digest);
    view.approved = dossier.performed;
    view.head_counts = head_counts(&set);
    let resident = set.iter().filter(|row| row.id_class == NumberClass::Resident.code());
    let numbers = resident.filter_map(|row| parts.keyring.open_text("id", &[row.enrollment], &row.id_sealed)).collect();
    view.outliers = rules::Unusual {
        classes: set.iter().map(|row| row.class_name.as_str()).collect(),
        phones: set.iter().map(|row| row.phone_hash).collect(),
        ages: set.iter().map(|row| (row.birth_date, row.entry_month)).collect(),
        numbers,
    }
    .outliers();
    view.refused = inbox::refused(tx, submission)
        .await?
        .into_iter()
        .filter_map(|(row, refusal)| Reason::from_str_name(&refusal).map(|reason| refused_row(row, reason, xuezhu_service::refusal::chinese(reason))))
        .collect();
    match inbox::previous(tx, &dossier).await? {
        Some(before) => {
            let before = store::sizes_of(tx, before).await?;
            view.since_last = format!("上一批{}人，本批{}人", before.iter().map(|(_, _, count)| count).sum::<i64>(), set.len());
            let before = before.iter().map(|(class_name, major, count)| ((class_name.as_str(), major_name(major)), paging::told(*count)));
            let now = view.head_counts.iter().map(|count| ((count.class_name.as_str(), count.major_name.as_str()), count.count));
            view.changes = rules::changes(&rules::added_up(before), &rules::added_up(now));
        }
        None => "本校第一批".clone_into(&mut view.since_last),
    }
    Ok(view)
}

/// A submission without its digest and without counts of what is in it.
fn summary(dossier: &Dossier, school_name: &str, desks: &[Stand], signed: &[&Signature]) -> pb::Submission {
    let at = |step: i32| usize::try_from(step).ok().and_then(|step| desks.get(step));
    let by_principal = |step: i32| matches!(at(step).map(|desk| &desk.seat), Some(Seat::Principal(_)));
    let last = way::performing_step(desks).and_then(|step| i32::try_from(step).ok());
    let attested = signed.iter().rfind(|signature| by_principal(signature.step));
    let approved = signed.iter().rfind(|signature| Some(signature.step) == last && !by_principal(signature.step));
    // What was done with stays with whoever did it last; what waits, waits at a desk.
    let seat = dossier.seat().filter(|_| dossier.waiting > 0);
    let state = match &seat {
        None => submission::State::Done,
        Some(seat) if seat.region().is_some() => submission::State::Attested,
        Some(_) => submission::State::Submitted,
    };
    let since = if seat.is_some() { dossier.since_day } else { dossier.submitted_day };
    // Where nobody attests, the first desk is one after the principal's already.
    let first = i32::from(!desks.is_empty() && !by_principal(0));
    pb::Submission {
        submission: dossier.dossier.to_string(),
        school: dossier.school.clone(),
        state: state.into(),
        count: dossier.count(),
        submitted_by: dossier.submitted_by_name.clone(),
        submit_time: rfc3339(dossier.submitted_at_us),
        attested_by: attested.map(|signature| signature.name.clone()).unwrap_or_default(),
        approved_by: approved.map(|signature| signature.name.clone()).unwrap_or_default(),
        due_date: if seat.is_some() { inbox::due_day(dossier).to_string() } else { String::new() },
        school_name: school_name.to_owned(),
        authority: dossier.authority.clone(),
        waiting_since: since.to_string(),
        step: dossier.step + first,
        waits_at: seat.as_ref().map(Seat::name).unwrap_or_default(),
        waits_authority: seat.as_ref().and_then(Seat::region).unwrap_or_default().to_owned(),
        ..pb::Submission::default()
    }
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
            major_name: major_name(major).to_owned(),
            count: small(count),
            male: small(male),
        })
        .collect()
}

/// What a major is called.
fn major_name(major: &str) -> &str {
    codes::major_of_key(major).map_or(major, |major| major.name)
}

fn refused_row(id: Uuid, reason: Reason, message: &str) -> pb::RefusedRow {
    pb::RefusedRow { enrollment: id.to_string(), reason: reason.as_str_name().to_owned(), message: message.to_owned() }
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
