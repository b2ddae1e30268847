//! 新生学籍电子注册: draft → submitted → attested → approved, or sent back.

pub mod api;
pub mod rules;
mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{
    IdNumber, RegistryAnswer,
    calendar::add_working_days,
    codes,
    enrollment::{Change, State, after},
    identity::NumberClass,
    text,
};
use xuezhu_proto::enrollment::{self as pb, submission};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal, clock::rfc3339};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

// What other capabilities may ask.
pub(crate) use self::store::{LiveRow, all_of_school, former_keys_at, holders, keys_elsewhere, live_keys};
use self::{
    rules::{Decision, Holder},
    store::{AttestedRow, Entered, NewPerson, Placed, RefusedEnrollment, SubmissionRow},
};
use crate::{Parts, directory, identity_check::registry::Asked, import::Keyed, sharing, status_change};

/// Working days that each step may take (教职成〔2014〕12号, Art. 16).
pub const STEP_WORKING_DAYS: u32 = 10;
/// Rows that one call may name.
pub const ROWS_NAMED: usize = 20_000;

/// Writes drafts: new ones, and ones that an upload changed.
pub async fn enter(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, new: &[(Uuid, Keyed)], changed: &[(Uuid, Keyed)]) -> Result<(), Error> {
    let entered = |rows: &[(Uuid, Keyed)]| rows.iter().map(|(id, row)| entered(parts, *id, row)).collect::<Vec<_>>();
    if !new.is_empty() {
        store::insert_drafts(tx, school, &entered(new), ctx.now_us()).await?;
    }
    if !changed.is_empty() {
        let updated = store::update_drafts(tx, &entered(changed), ctx.now_us()).await?;
        if usize::try_from(updated).ok() != Some(changed.len()) {
            return Err(Refusal::new(Reason::Conflict, "他人刚刚提交或修改了部分学生，请重新预览后再导入").into());
        }
    }
    Ok(())
}

fn entered(parts: &Parts, enrollment: Uuid, keyed: &Keyed) -> Entered {
    let row = &keyed.row;
    Entered {
        enrollment: Hex(enrollment),
        claim_key: Hex(keyed.key),
        id_document: row.document.to_owned(),
        id_class: class_text(row.id.class()),
        id_sealed: Bytes(parts.keyring.seal("id", &[enrollment], row.id.reveal().as_bytes())),
        name: row.name.clone(),
        name_comparable: text::comparable_name(&row.name),
        sex: row.sex.code(),
        birth_date: row.birth_date,
        school_number: row.school_number.clone(),
        class_name: row.class_name.clone(),
        major: format!("{}-{}", row.major.catalogue, row.major.code),
        entry_month: row.entry_month.number(),
        entry_date: row.entry_month.first_day(),
        study_form: row.study_form.clone(),
        student_category: row.student_category.clone(),
        household: row.household.clone(),
        residence: row.residence.clone(),
        phone_hash: Hex(parts.keyring.lookup_hash("phone", &row.phone)),
        details_sealed: Bytes(parts.keyring.seal("details", &[enrollment], row.content().as_bytes())),
        content_hash: Bytes(keyed.content.to_vec()),
    }
}

/// The kept columns of enrollments, as one text each.
pub async fn details_of(tx: &mut Tx, parts: &Parts, enrollments: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, String>, Error> {
    let mut details = HashMap::new();
    for (enrollment, sealed) in store::details(tx, enrollments).await? {
        let text = parts.keyring.open_text("details", &[enrollment], &sealed).ok_or_else(|| Error::Internal("sealed details do not open".into()))?;
        details.insert(enrollment, text);
    }
    Ok(details)
}

/// The clerk takes back a row that no department approved: a draft, or one that was sent back.
pub async fn remove(ctx: &Context, tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    if store::remove_draft(tx, &school.code, enrollment).await? {
        Ok(())
    } else {
        Err(Refusal::wrong_state("只有草稿和被退回的记录可以删除；已提交的请先由审核方退回，已批准的请办理异动").into())
    }
}

/// The whole numbers of a student, for who may see them there.
pub async fn reveal(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, enrollment: Uuid) -> Result<pb::RevealNumberResponse, Error> {
    directory::school_for(ctx, tx, school, Permission::RevealNumber).await?;
    let row = store::numbers(tx, school, enrollment).await?.ok_or_else(|| Refusal::not_found("该学籍"))?;
    let opened = |purpose: &str, row: Uuid, sealed: &[u8]| {
        parts.keyring.open_text(purpose, &[row], sealed).ok_or_else(|| Error::Internal("a sealed number does not open".into()))
    };
    let student_number = match (row.person, &row.student_number_sealed) {
        (Some(person), Some(sealed)) => opened("student_number", person, sealed)?,
        _ => String::new(),
    };
    Ok(pb::RevealNumberResponse { id_number: opened("id", enrollment, &row.id_sealed)?, student_number })
}

/// The clerk submits drafts; what can't be submitted is named.
pub async fn submit(ctx: &Context, tx: &mut Tx, school: &str, ids: &[Uuid], all: bool) -> Result<pb::CreateSubmissionResponse, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let found = store::submittable(tx, &school.code, ids, all).await?;
    let states: HashMap<Uuid, &str> = found.iter().map(|(id, state)| (*id, state.as_str())).collect();
    let mut refused: Vec<pb::RefusedRow> =
        ids.iter().filter(|id| !states.contains_key(id)).map(|id| refused_row(*id, Reason::NotFound, "本校没有这条记录")).collect();
    let mut accepted = Vec::new();
    for (id, state) in &found {
        let state = State::parse(state).ok_or(StoreError::Corrupt("state"))?;
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
    store::put_into_submission(tx, submission, &accepted, ctx.now_us()).await?;
    let set = store::set_of(tx, submission).await?;
    let digest = rules::digest(set.iter().map(|row| (row.enrollment, &row.content_hash[..])));
    store::insert_submission(ctx, tx, submission, &school.code, &digest).await?;
    sharing::share_enrollments(ctx, tx, &accepted).await?;
    Ok(pb::CreateSubmissionResponse { submission: submission.to_string(), digest, count: small(accepted.len()), refused })
}

/// The principal attests what the digest covers.
pub async fn attest(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, digest: &str) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::Attest).await?;
    let row = locked(tx, &school.code, submission).await?;
    not_own(ctx, &row)?;
    if row.state != "SUBMITTED" {
        return Err(Refusal::wrong_state("该批次不在待签核状态").into());
    }
    same_digest(tx, submission, digest).await?;
    store::attest(tx, submission, digest, &ctx.actor.account, &ctx.actor.display_name, ctx.now_us(), ctx.today()).await?;
    view(tx, parts, &school.code, submission).await
}

/// Principal or department send rows back; they leave the set.
pub async fn send_back(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, reason: &str, ids: &[Uuid]) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::SendBack).await?;
    let row = locked(tx, &school.code, submission).await?;
    let waits_for = if ctx.actor.role == xuezhu_service::Role::Principal { "SUBMITTED" } else { "ATTESTED" };
    if row.state != waits_for {
        return Err(Refusal::wrong_state("该批次不在本级待办中，不能退回").into());
    }
    let set = store::set_of(tx, submission).await?;
    let waiting: HashSet<Uuid> = set.iter().filter(|row| row.state == waits_for).map(|row| row.enrollment).collect();
    let back: Vec<Uuid> = if ids.is_empty() { waiting.iter().copied().collect() } else { ids.to_vec() };
    if let Some(stranger) = back.iter().find(|id| !waiting.contains(id)) {
        return Err(Refusal::field("enrollments", format!("{stranger}不在本批次的待办中")).into());
    }
    if back.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有可以退回的记录").into());
    }
    store::send_back(tx, &back, reason, ctx.now_us()).await?;
    store::close_submission(tx, submission).await?;
    sharing::share_enrollments(ctx, tx, &back).await?;
    view(tx, parts, &school.code, submission).await
}

/// The department approves what the digest covers: identity check, person, place, 学籍号. What can't be approved stays.
pub async fn approve(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, submission: Uuid, digest: &str) -> Result<pb::Submission, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::Approve).await?;
    let row = locked(tx, &school.code, submission).await?;
    not_own(ctx, &row)?;
    if row.state != "ATTESTED" {
        return Err(Refusal::wrong_state(if row.state == "SUBMITTED" { "校长尚未签核，不能审核" } else { "该批次已经办结" }).into());
    }
    same_digest(tx, submission, digest).await?;
    let attested = store::attested(tx, submission).await?;
    let outcome = Approval::decide(tx, parts, &school.code, &attested).await?;
    outcome.write(ctx, tx, parts, &school.region, &attested).await?;
    store::approved_by(tx, submission, &ctx.actor.display_name).await?;
    store::close_submission(tx, submission).await?;
    view(tx, parts, &school.code, submission).await
}

/// What an approval does, row by row.
struct Approval {
    new: Vec<usize>,
    again: Vec<(usize, Uuid, chrono::NaiveDate)>,
    refused: Vec<RefusedEnrollment>,
    registry: HashMap<Uuid, RegistryAnswer>,
}

impl Approval {
    async fn decide(tx: &mut Tx, parts: &Parts, school: &str, attested: &[AttestedRow]) -> Result<Self, Error> {
        // Decided is on what is read once whoever holds these keys can't be corrected beside this.
        let found = store::holders(tx, attested.iter().map(|row| row.claim_key)).await?;
        store::lock_persons(tx, found.iter().map(|row| row.person)).await?;
        let holders = store::holders(tx, attested.iter().map(|row| row.claim_key)).await?;
        let held: HashMap<Uuid, Holder> = holders
            .iter()
            .map(|row| (row.person_key, Holder { person: row.person, name: row.name.clone(), placed: row.placed, last_end: row.last_end }))
            .collect();
        let present: HashMap<Uuid, Uuid> = holders.iter().map(|row| (row.person, row.present_key)).collect();
        let live: HashSet<Uuid> = store::live_keys(tx, school, present.values().copied()).await?.into_iter().collect();
        let mut approval = Self { new: Vec::new(), again: Vec::new(), refused: Vec::new(), registry: HashMap::new() };
        let mut entering = HashSet::new();
        for (index, row) in attested.iter().enumerate() {
            match rules::decide(&row.name, row.entry_date, held.get(&row.claim_key)) {
                // Two rows of one person: that under the present number counts, of several under former ones the first.
                Decision::Again { person, .. }
                    if present.get(&person).is_some_and(|key| *key != row.claim_key && live.contains(key)) || !entering.insert(person) =>
                {
                    approval.refused.push(RefusedEnrollment { enrollment: Hex(row.enrollment), refusal: Reason::DuplicateRow.as_str_name() });
                }
                Decision::NewPerson => approval.new.push(index),
                Decision::Again { person, entry } => approval.again.push((index, person, entry)),
                Decision::Refused(reason) => approval.refused.push(RefusedEnrollment { enrollment: Hex(row.enrollment), refusal: reason.as_str_name() }),
            }
        }
        for index in &approval.new {
            let row = &attested[*index];
            let asked = Asked { number: number_of(parts, row)?, name: row.name_comparable.clone() };
            approval.registry.insert(row.enrollment, parts.registry.ask(&asked));
        }
        Ok(approval)
    }

    async fn write(self, ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str, attested: &[AttestedRow]) -> Result<(), Error> {
        let (mut persons, mut placed, mut touched) = (Vec::new(), Vec::new(), Vec::new());
        for index in &self.new {
            let row = &attested[*index];
            let person = ctx.new_id();
            let registry = self.registry[&row.enrollment];
            persons.push(new_person(ctx, parts, region, person, row, registry)?);
            placed.push(Placed { enrollment: Hex(row.enrollment), person: Hex(person), entry_date: row.entry_date });
            touched.push(person);
        }
        for (index, person, entry) in &self.again {
            let row = &attested[*index];
            placed.push(Placed { enrollment: Hex(row.enrollment), person: Hex(*person), entry_date: *entry });
            touched.push(*person);
            // Who comes back may be entered under a number that was changed since: what counts is the present one.
            status_change::claim_present_identity(ctx, tx, parts, *person, row.enrollment).await?;
        }
        draw_free_numbers(ctx, tx, parts, region, &mut persons).await?;
        if !persons.is_empty() {
            store::insert_persons(tx, &persons).await?;
        }
        if !placed.is_empty() {
            store::take_places(tx, &placed, ctx.now_us(), ctx.today(), &ctx.actor.account).await?;
            sharing::share_persons(ctx, tx, &touched).await?;
            sharing::share_enrollments(ctx, tx, &placed.iter().map(|row| row.enrollment.0).collect::<Vec<_>>()).await?;
        }
        if !self.refused.is_empty() {
            store::note_refused(tx, &self.refused).await?;
        }
        Ok(())
    }
}

/// Temporary numbers have four random digits: those that are taken, here or in the same set, are drawn again. A formal
/// number that is taken (a person keeps it when the identity number changes) gives way to a temporary one.
async fn draw_free_numbers(ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str, persons: &mut [NewPerson]) -> Result<(), Error> {
    /// Draws before it is said that the 10,000 numbers of a region and birth date are used up.
    const DRAWS: usize = 200;
    for _ in 0..DRAWS {
        let taken: HashSet<Uuid> = store::taken_student_numbers(tx, persons.iter().map(|person| person.student_number_hash.0)).await?.into_iter().collect();
        let mut seen = HashSet::new();
        let mut drawn = false;
        for person in persons.iter_mut() {
            if taken.contains(&person.student_number_hash.0) || !seen.insert(person.student_number_hash.0) {
                let number = crate::identity_check::temporary_number(ctx, region, person.birth_date);
                person.student_number_formal = false;
                person.student_number_hash = Hex(parts.keyring.lookup_hash("student_number", &number));
                person.student_number_sealed = Bytes(parts.keyring.seal("student_number", &[person.person.0], number.as_bytes()));
                drawn = true;
            }
        }
        if !drawn {
            return Ok(());
        }
    }
    Err(Error::Internal("the temporary numbers of a region and birth date are used up".into()))
}

fn new_person(ctx: &Context, parts: &Parts, region: &str, person: Uuid, row: &AttestedRow, registry: RegistryAnswer) -> Result<NewPerson, Error> {
    let number = number_of(parts, row)?;
    let student_number = crate::identity_check::student_number(ctx, registry, &number, region, row.birth_date);
    Ok(NewPerson {
        person: Hex(person),
        sex: row.sex,
        birth_date: row.birth_date,
        registry: registry.code(),
        student_number_formal: student_number.starts_with('G'),
        student_number_hash: Hex(parts.keyring.lookup_hash("student_number", &student_number)),
        student_number_sealed: Bytes(parts.keyring.seal("student_number", &[person], student_number.as_bytes())),
        person_key: Hex(row.claim_key),
        id_class: row.id_class.clone(),
        id_sealed: Bytes(parts.keyring.seal("id", &[person, row.claim_key], number.reveal().as_bytes())),
        name: row.name.clone(),
    })
}

fn number_of(parts: &Parts, row: &AttestedRow) -> Result<IdNumber, Error> {
    let number = parts.keyring.open_text("id", &[row.enrollment], &row.id_sealed).ok_or_else(|| Error::Internal("a sealed number does not open".into()))?;
    Ok(IdNumber::stored(parse_class(&row.id_class)?, number))
}

/// A number's class as it is stored.
pub fn class_text(class: NumberClass) -> String {
    format!("{class:?}")
}

/// A number's class from what was stored.
pub fn parse_class(text: &str) -> Result<NumberClass, Error> {
    use NumberClass as C;
    [C::Resident, C::ResidencePermit, C::ForeignPermanent, C::HongKongMacau, C::Taiwan, C::Passport, C::Other]
        .into_iter()
        .find(|class| class_text(*class) == text)
        .ok_or_else(|| StoreError::Corrupt("class of number").into())
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
    view.approved = small(set.iter().filter(|row| State::parse(&row.state).is_some_and(State::is_approved)).count());
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
        .filter(|row| row.state == "ATTESTED" && !row.refusal.is_empty())
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
    let since = if row.state == "ATTESTED" { row.attested_day.unwrap_or(row.submitted_day) } else { row.submitted_day };
    let due = if row.state == "DONE" { String::new() } else { add_working_days(since, STEP_WORKING_DAYS).to_string() };
    pb::Submission {
        submission: row.submission.to_string(),
        school: row.school.clone(),
        state: submission::State::from_str_name(&row.state).unwrap_or_default().into(),
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
