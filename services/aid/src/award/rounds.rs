//! What is done with the rounds of a list: submitted by the clerk, signed desk by desk, sent back entry by entry. Which act is allowed where
//! is the review's ([`xuezhu_review`]); the list has one digest over all that was submitted, whatever the round.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::{Term, codes};
use xuezhu_judge::{
    entry::{Meaning, State},
    policy::file::{NoticeOrder, NoticeRow},
};
use xuezhu_review::{
    Dossier, Item, OfSchool, Proposal, inbox,
    way::{self, Act, Seat, State as Stands},
};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::{
    kind::{ABOUT, AwardRound, fresh, item, title},
    limits, locked, locks, one,
    rules::{Change, after},
    settle,
    store::{self, EntryRow, ListRow, StandingRow},
    told,
};
use crate::{
    Parts, forgotten, mirror, notice,
    reconciliation::{judge_keys, lock_keys},
};

/// The class of a notice in which those are shown who are in none.
const UNCLASSED: &str = "未分班";

/// The clerk submits the list's drafts, as many as were seen where somebody counted: a round begins.
pub async fn submit(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, seen: i32) -> Result<ListRow, Error> {
    let list = locked(ctx, tx, school, list, Permission::EnterForSchool).await?;
    locks::unlocked(ctx, tx, parts, locks::Of::list(&list)).await?;
    let rows = store::entries(tx, list.list).await?;
    let mut drafts: Vec<&EntryRow> = rows.iter().filter(|row| after(row.state, Change::Submit).is_some()).collect();
    Refusal::unless_seen(seen, drafts.len())?;
    if drafts.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "名单中没有草稿可以提交").into());
    }
    let entries: Vec<Uuid> = drafts.iter().map(|row| row.entry).collect();
    store::set_states(ctx, tx, &entries, State::Submitted, "").await?;
    store::note_submitted(tx, list.list).await?;
    drafts.sort_by(|a, b| (&a.name, a.entry).cmp(&(&b.name, b.entry)));
    let places = told::places(tx, &drafts, school).await?;
    let class = |row: &EntryRow| places.get(&row.entry).map(|meant| meant.class_name.clone()).unwrap_or_default();
    let proposal = Proposal {
        dossier: ctx.new_id(),
        subject: Some(list.list),
        title: title(parts, &list)?,
        reason: String::new(),
        items: drafts
            .iter()
            .map(|row| Item { class_name: class(row), ..item(row.entry, &row.name, &row.months, &row.tier, row.amount_fen, &row.content_hash) })
            .collect(),
    };
    let of = OfSchool { code: &list.school, authority: &list.authority };
    let round = xuezhu_review::submit(ctx, tx, &AwardRound { parts }, of, proposal).await?;
    // Where the school reviews first, it is shown what was reviewed.
    if matches!(round.seat(), Some(Seat::Principal(_))) {
        shown_before_signature(ctx, tx, parts, (&list, &round), &drafts).await?;
    }
    // A chain that begins at a department leaves nothing to the principal.
    if round.state == Stands::UnderWay && round.seat().is_some_and(|seat| seat.region().is_some()) && round.waiting > 0 {
        store::set_states(ctx, tx, &entries, State::Attested, "").await?;
    }
    settle(tx, list.list).await?;
    judge_keys(ctx, tx, parts, &drafts.iter().map(|row| row.person_key).collect::<Vec<_>>(), "list").await?;
    limits::weigh(ctx, tx, parts, &list).await?;
    one(tx, list.list).await
}

/// The notice that a list needs by its policy.
pub(super) fn notice_of(parts: &Parts, list: &ListRow) -> Option<NoticeRow> {
    let term: Term = list.term.parse().ok()?;
    parts.policies.now().version(list.policy).notice(term, &list.region).cloned()
}

/// Shows entries of a round publicly before the principal signs it, where its policy asks for that.
pub(super) async fn shown_before_signature(ctx: &Context, tx: &mut Tx, parts: &Parts, of: (&ListRow, &Dossier), rows: &[&EntryRow]) -> Result<(), Error> {
    let Some(asked) = notice_of(parts, of.0).filter(|asked| asked.order == NoticeOrder::BeforeSignature) else { return Ok(()) };
    let places = told::places(tx, rows, &of.0.school).await?;
    announce(ctx, tx, of, &asked, rows, &places).await
}

/// Shows entries of a round publicly, as its policy asks.
pub(super) async fn announce(
    ctx: &Context,
    tx: &mut Tx,
    (list, round): (&ListRow, &Dossier),
    asked: &NoticeRow,
    rows: &[&EntryRow],
    places: &HashMap<Uuid, told::Meant>,
) -> Result<(), Error> {
    let term: Term = list.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    let line = |row: &&EntryRow| {
        let meant = places.get(&row.entry).cloned().unwrap_or_default();
        let grade = meant.entry.map_or(0, |entry| term.grade_of_entry(Term::of(entry)).max(0));
        // Shown class by class: who is in none is shown too.
        let class_name = if meant.class_name.is_empty() { UNCLASSED } else { &meant.class_name };
        notice::line(row.entry, &row.name, class_name, grade, codes::major_of_key(&meant.major).map_or("", |major| major.name))
    };
    let lines: Vec<notice::NewLine> = rows.iter().map(line).collect();
    let opening = notice::Opening {
        list: list.list,
        dossier: round.dossier,
        school: &list.school,
        authority: &list.authority,
        title: &round.title,
        digest: &round.digest,
        asked,
    };
    notice::open(ctx, tx, &opening, &lines).await
}

/// The digest of what was submitted, of all that stands on a list.
pub fn digest(standing: &[StandingRow]) -> String {
    let submitted = standing.iter().filter(|row| row.state.meaning() == Meaning::Submitted);
    way::digest(submitted.map(|row| (row.entry, &row.content_hash[..])))
}

async fn same_digest(tx: &mut Tx, list: Uuid, said: &str) -> Result<(), Error> {
    if digest(&store::standing(tx, &[list]).await?) == said {
        Ok(())
    } else {
        Err(Refusal::new(Reason::DigestMismatch, "摘要与当前名单不符：名单在您查看之后有变化，请重新核对后再操作").into())
    }
}

/// Locks the list of a round, as whoever acts on lists does before anything else.
pub(crate) async fn lock(tx: &mut Tx, school: &str, list: Uuid) -> Result<(), Error> {
    store::lock_list(tx, school, list).await?;
    Ok(())
}

/// Locks everybody whose entries wait on a list, in order: round by round, two who act on two lists could wait for each other.
async fn lock_all(tx: &mut Tx, list: Uuid) -> Result<(), Error> {
    let waiting = store::entries(tx, list).await?.into_iter().filter(|row| matches!(row.state, State::Submitted | State::Attested));
    let mut keys: Vec<Uuid> = waiting.map(|row| row.person_key).collect();
    keys.sort_unstable();
    keys.dedup();
    lock_keys(tx, &keys).await?;
    Ok(())
}

/// Rounds of a list that wait, oldest first.
async fn open(tx: &mut Tx, list: Uuid) -> Result<Vec<Dossier>, Error> {
    inbox::open_about(tx, ABOUT.code, &[list]).await
}

fn not_own(ctx: &Context, rounds: &[&Dossier]) -> Result<(), Error> {
    if rounds.iter().any(|round| round.submitted_by == ctx.actor.account) {
        return Err(Refusal::new(Reason::OwnSubmission, "不能签核或审核本人提交的名单").into());
    }
    Ok(())
}

/// The principal attests what the digest covers: every round that waits there.
pub async fn attest(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, said: &str) -> Result<ListRow, Error> {
    let list = locked(ctx, tx, school, list, Permission::Attest).await?;
    locks::unlocked(ctx, tx, parts, locks::Of::list(&list)).await?;
    let rounds = open(tx, list.list).await?;
    let waiting: Vec<&Dossier> = rounds.iter().filter(|round| matches!(round.seat(), Some(Seat::Principal(_)))).collect();
    not_own(ctx, &waiting)?;
    if waiting.is_empty() {
        let elsewhere = rounds.iter().filter_map(Dossier::seat).find(|seat| matches!(seat, Seat::Review(_)));
        let why = elsewhere.map(|seat| format!("名单现由{}办理，评审后才能签核", seat.name()));
        return Err(Refusal::wrong_state(why.unwrap_or_else(|| "名单中没有待签核的学生".to_owned())).into());
    }
    same_digest(tx, list.list, said).await?;
    // What is still shown publicly, or objected to, waits; the other rounds don't wait for it.
    let ids: Vec<Uuid> = waiting.iter().map(|round| round.dossier).collect();
    let mut in_the_way = notice::standing(ctx, tx, &ids).await?;
    if in_the_way.len() == waiting.len()
        && let Some(refusal) = waiting.iter().find_map(|round| in_the_way.remove(&round.dossier))
    {
        return Err(refusal.into());
    }
    for round in waiting.into_iter().filter(|round| !in_the_way.contains_key(&round.dossier)) {
        xuezhu_review::sign(ctx, tx, &AwardRound { parts }, round.dossier, None).await?;
    }
    one(tx, list.list).await
}

/// The department whose turn it is signs every round that waits there; the last one's signature approves every entry that nothing holds.
/// The held are left behind; the same digest serves again once they are mended.
pub async fn approve(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, said: &str) -> Result<ListRow, Error> {
    let (list, rounds) = at_desk(ctx, tx, school, list, Permission::Approve).await?;
    fresh(parts)?;
    locks::unlocked(ctx, tx, parts, locks::Of::list(&list)).await?;
    let own = Seat::Department(ctx.actor.organisation.clone()).to_string();
    let waiting: Vec<&Dossier> = rounds.iter().filter(|round| round.waits_at == own).collect();
    not_own(ctx, &waiting)?;
    if waiting.is_empty() {
        let elsewhere = rounds.iter().filter_map(Dossier::seat).find(|seat| seat.region().is_some());
        let why = elsewhere.map(|seat| format!("名单现由{}办理，不在您的待办中", seat.name()));
        return Err(Refusal::wrong_state(why.unwrap_or_else(|| "名单中没有待审核的学生（须先由校长签核）".to_owned())).into());
    }
    same_digest(tx, list.list, said).await?;
    lock_all(tx, list.list).await?;
    let mut signed = Vec::with_capacity(waiting.len());
    for round in waiting {
        signed.push((round.performed, xuezhu_review::sign(ctx, tx, &AwardRound { parts }, round.dossier, None).await?));
    }
    not_all_left(tx, &list, &signed).await?;
    one(tx, list.list).await
}

/// Where nothing could be approved, of everybody because of objections, or of somebody only because enrollment forgot what it said, that is told as such.
async fn not_all_left(tx: &mut Tx, list: &ListRow, signed: &[(i32, Dossier)]) -> Result<(), Error> {
    let mut left: HashMap<Uuid, String> = HashMap::new();
    for (before, round) in signed {
        if round.performed != *before || round.waits_at.is_empty() {
            return Ok(());
        }
        left.extend(inbox::refused(tx, round.dossier).await?);
    }
    if !left.is_empty() && left.values().all(|reason| reason == Reason::ObjectionOpen.as_str_name()) {
        let why = "待审核的学生都有未办结的公示异议：先核定异议，成立的退回";
        return Err(Refusal::new(Reason::ObjectionOpen, why).into());
    }
    if left.is_empty() || left.values().any(|reason| reason == Reason::MonthTaken.as_str_name()) {
        return Ok(());
    }
    if forgotten::concerned(tx, &[list.list]).await?.iter().any(|entry| left.contains_key(entry)) {
        let why = "学籍系统恢复到了较早的备份，遗忘了待审学生的记录：请学校重新登记，或在“遗忘的记录”中核定后再审核";
        return Err(Refusal::new(Reason::SourceForgot, why).into());
    }
    Ok(())
}

/// The desk whose turn it is sends entries back, all that wait there where none is named.
pub async fn send_back(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, reason: &str, ids: &[Uuid]) -> Result<ListRow, Error> {
    let (list, rounds) = at_desk(ctx, tx, school, list, Permission::SendBack).await?;
    let own: HashSet<String> = inbox::seats_of(ctx).iter().map(ToString::to_string).collect();
    let waiting: Vec<Uuid> = rounds.iter().filter(|round| own.contains(&round.waits_at)).map(|round| round.dossier).collect();
    let mut back: Vec<(Uuid, Vec<Uuid>)> = waiting.iter().map(|round| (*round, Vec::new())).collect();
    if !ids.is_empty() {
        let within: HashMap<Uuid, Uuid> = inbox::under_way(tx, ABOUT.code, ids).await?.into_iter().filter(|(_, round)| waiting.contains(round)).collect();
        if let Some(stranger) = ids.iter().find(|id| !within.contains_key(id)) {
            return Err(Refusal::field("entries", format!("{stranger}不在本级待办中，不能退回")).into());
        }
        for (round, entries) in &mut back {
            entries.extend(within.iter().filter(|(_, of)| *of == round).map(|(entry, _)| *entry));
        }
        back.retain(|(_, entries)| !entries.is_empty());
    }
    if back.is_empty() {
        return Err(Refusal::wrong_state("名单中没有本级待办的学生").into());
    }
    lock_all(tx, list.list).await?;
    for (round, entries) in back {
        xuezhu_review::send_back(ctx, tx, &AwardRound { parts }, round, reason, &entries).await?;
    }
    one(tx, list.list).await
}

/// A list, locked, with its rounds that wait: for whoever may do something there, its own people and its department, or a department above
/// that the chain of a round names.
async fn at_desk(ctx: &Context, tx: &mut Tx, school: &str, list: Uuid, permission: Permission) -> Result<(ListRow, Vec<Dossier>), Error> {
    let refused = match mirror::school_for(ctx, tx, school, permission).await {
        Ok(_) => None,
        Err(Error::Refused(refused)) if ctx.decides_here() => Some(refused),
        Err(error) => return Err(error),
    };
    let there = store::lock_list(tx, school, list).await?;
    let rounds = if there { open(tx, list).await? } else { Vec::new() };
    if let Some(refused) = refused {
        let own = Seat::Department(ctx.actor.organisation.clone());
        let ids: Vec<Uuid> = rounds.iter().map(|round| round.dossier).collect();
        if !inbox::desks(tx, &ids).await?.values().flatten().any(|desk| desk.seat == own) {
            return Err(Error::Refused(refused));
        }
    }
    if !there {
        return Err(Refusal::not_found("该名单").into());
    }
    Ok((one(tx, list).await?, rounds))
}

/// Who submitted a list last, who attested it and who approved, and where its rounds wait.
#[derive(Debug, Default, Clone)]
pub struct Way {
    /// Who submitted last, by name.
    pub submitted_by: String,
    /// Civil day of that.
    pub submitted_day: Option<NaiveDate>,
    /// Who attested last, by name.
    pub attested_by: String,
    /// Civil day of that.
    pub attested_day: Option<NaiveDate>,
    /// Who approved something last, by name.
    pub approved_by: String,
    /// Rounds that wait, the one that stands first first.
    pub open: Vec<Dossier>,
}

/// The ways of lists, as their rounds tell them.
pub(super) async fn ways(tx: &mut Tx, lists: &[Uuid]) -> Result<HashMap<Uuid, Way>, Error> {
    let mut ways: HashMap<Uuid, Way> = HashMap::new();
    for act in inbox::acts_about(tx, ABOUT.code, lists).await? {
        let way = ways.entry(act.subject).or_default();
        let seat: Seat = act.seat.parse().map_err(|_| StoreError::Corrupt("seat"))?;
        match (act.act, seat) {
            (Act::Submit, _) => (way.submitted_by, way.submitted_day) = (act.name, act.day),
            (_, Seat::Principal(_)) => (way.attested_by, way.attested_day) = (act.name, act.day),
            (_, seat) if seat.region().is_some() && act.performed > 0 => way.approved_by = act.name,
            _ => {}
        }
    }
    for round in inbox::open_about(tx, ABOUT.code, lists).await? {
        if let Some(list) = round.subject {
            ways.entry(list).or_default().open.push(round);
        }
    }
    for way in ways.values_mut() {
        way.open.sort_by_key(|round| (round.step, round.dossier));
    }
    Ok(ways)
}
