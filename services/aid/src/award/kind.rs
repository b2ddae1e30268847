//! An award list as a kind of dossier: each time that drafts are submitted is a *round*, with the entries that were submitted then.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{Fen, Term};
use xuezhu_judge::{
    entry::State,
    life,
    policy::{SchemeCode, file::NoticeOrder},
    rules::law,
};
use xuezhu_review::{About, Compared, Dossier, Item, Kind, Mark, Moved, Present, Refused, Work, inbox, way::Seat};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::{
    limits, locks, one,
    rounds::{announce, notice_of, shown_before_signature},
    rules,
    store::{self, EntryRow, ListRow},
    told,
};
use crate::{
    Parts, forgotten, mirror, notice, quota,
    reconciliation::{self, judge_keys, parse_months},
};

/// What it is.
pub static ABOUT: About = About {
    code: 11,
    word: "AWARD_LIST",
    name: "资助名单",
    columns: &["月份", "档次", "金额（元）"],
    chain: "PRINCIPAL, AUTHORITY",
    floor: "PRINCIPAL, AUTHORITY",
    items: "entries",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// A round of a list.
#[derive(Debug)]
pub struct AwardRound<'p> {
    /// What judging needs.
    pub parts: &'p Parts,
}

/// The list that a round is of.
fn list_of(dossier: &Dossier) -> Result<Uuid, Error> {
    Ok(dossier.subject.ok_or(StoreError::Corrupt("subject of a dossier"))?)
}

/// An entry as it stands on the sheet; of which class its student is, whoever submits it says.
pub(crate) fn item(entry: Uuid, name: &str, months: &str, tier: &str, amount_fen: i64, content_hash: &[u8]) -> Item {
    let line = vec![rules::months_name(&parse_months(months)), tier.to_owned(), Fen(amount_fen).yuan()];
    Item { id: entry, content_hash: content_hash.to_vec(), name: name.to_owned(), line, class_name: String::new() }
}

/// What a round is, in Chinese.
pub(super) fn title(parts: &Parts, list: &ListRow) -> Result<String, Error> {
    let term: Term = list.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    let which = if list.supplement == 0 { String::new() } else { format!("（补充{}）", list.supplement) };
    Ok(format!("{}{}名单{which}", term.name(), super::scheme_name(parts, &list.scheme)?))
}

/// Whether the policy of a list asks for papers of whoever is on it.
fn asks_for_papers(parts: &Parts, list: &ListRow) -> bool {
    let policies = parts.policies.now();
    let scheme = SchemeCode::parse(&list.scheme).and_then(|scheme| policies.version(list.policy).scheme(scheme));
    scheme.is_some_and(|scheme| !scheme.asks.is_empty())
}

/// What was reviewed before the principal's signature is shown publicly once it was, where the policy wants it shown before that signature.
async fn shown_to_the_principal(ctx: &Context, tx: &mut Tx, parts: &Parts, dossier: &Dossier, items: &[Uuid]) -> Result<(), Error> {
    let desks = inbox::desks(tx, &[dossier.dossier]).await?.remove(&dossier.dossier).unwrap_or_default();
    let next = usize::try_from(dossier.step).ok().and_then(|step| desks.get(step + 1));
    if !next.is_some_and(|desk| matches!(desk.seat, Seat::Principal(_))) {
        return Ok(());
    }
    let list = one(tx, list_of(dossier)?).await?;
    let rows = store::entries_of(tx, items).await?;
    shown_before_signature(ctx, tx, parts, (&list, dossier), &rows.iter().collect::<Vec<_>>()).await
}

/// Nothing is approved on a mirror that is too old.
pub(super) fn fresh(parts: &Parts) -> Result<(), Error> {
    if !parts.is_stale() {
        return Ok(());
    }
    let minutes = parts.mirror_age.as_secs().div_ceil(60);
    let why = format!("资助系统已超过{minutes}分钟（或从未）收到学籍数据，可能有退学、休学等异动尚未得知，暂不能审核；请待学籍服务恢复后重试");
    Err(Refusal::new(Reason::MirrorStale, why).into())
}

impl Kind for AwardRound<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move { Ok(store::present(tx, items).await?) })
    }

    fn moved<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async move {
            let list = list_of(dossier)?;
            let by_principal = matches!(dossier.seat(), Some(Seat::Principal(_)));
            if matches!(moved, Moved::Signed { .. }) {
                let list = one(tx, list).await?;
                locks::unlocked(ctx, tx, self.parts, locks::Of::list(&list)).await?;
            }
            match moved {
                Moved::Signed { .. } if by_principal => notice::may_sign(ctx, tx, dossier.dossier).await?,
                Moved::Signed { .. } => {}
                Moved::SentBack { .. } | Moved::Refused { .. } | Moved::Recalled => notice::leave(tx, items).await?,
            }
            let (state, reason) = match moved {
                // What other desks sign changes nothing for an entry: it waits for the one that decides last.
                Moved::Signed { .. } if !by_principal => return shown_to_the_principal(ctx, tx, self.parts, dossier, items).await,
                Moved::Signed { .. } => (State::Attested, ""),
                Moved::SentBack { reason } | Moved::Refused { reason } => (State::SentBack, reason),
                Moved::Recalled => (State::Draft, ""),
            };
            store::set_states(ctx, tx, items, state, reason).await?;
            super::settle(tx, list).await?;
            let keys = store::keys_of(tx, items).await?;
            if matches!(moved, Moved::Signed { .. }) {
                // From here on what the policy asks for must lie with each.
                if asks_for_papers(self.parts, &one(tx, list).await?) {
                    judge_keys(ctx, tx, self.parts, &keys, "list").await?;
                }
                return Ok(());
            }
            quota::forget(tx, items).await?;
            let keys = super::with_their_cards(tx, items, keys).await?;
            judge_keys(ctx, tx, self.parts, &keys, "list").await?;
            Ok(())
        })
    }

    /// Approves what nothing holds: the held are left behind, and those of whom enrollment forgot what it said, those who have a month
    /// already, and who is one too many, whatever was said about flags.
    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            fresh(self.parts)?;
            let list = one(tx, list_of(dossier)?).await?;
            locks::unlocked(ctx, tx, self.parts, locks::Of::list(&list)).await?;
            let rows = store::entries_of(tx, items).await?;
            // Whoever judges one of these persons now waits until this is decided, or was first and is seen here.
            let keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
            let generation = mirror::state(tx).await?.generation;
            let keys = reconciliation::lock_beside(tx, generation, &keys).await?;
            let held = limits::held_otherwise(tx, list.list).await?;
            let concerned = forgotten::concerned(tx, &[list.list]).await?;
            let asked = notice_of(self.parts, &list);
            let objected = if asked.is_some() { notice::objected(tx, dossier.dossier, items).await? } else { HashSet::new() };
            let waits = |entry: &Uuid| held.contains(entry) || concerned.contains(entry) || objected.contains(entry);
            let free: Vec<&EntryRow> = rows.iter().filter(|row| !waits(&row.entry)).collect();
            let (approved, excess) = limits::approve(ctx, tx, self.parts, &list, &free, (generation, &keys)).await?;
            if !approved.is_empty() {
                store::set_states(ctx, tx, &approved, State::Approved, "").await?;
                super::settle(tx, list.list).await?;
                if let Some(asked) = asked.filter(|asked| asked.order == NoticeOrder::AfterAudit) {
                    let shown: Vec<&EntryRow> = free.iter().copied().filter(|row| approved.contains(&row.entry)).collect();
                    let places = told::places(tx, &shown, &list.school).await?;
                    announce(ctx, tx, (&list, dossier), &asked, &shown, &places).await?;
                }
            }
            let approved: HashSet<Uuid> = approved.into_iter().collect();
            let reason = |entry: &Uuid| match entry {
                entry if held.contains(entry) => Reason::FlagHolds,
                entry if objected.contains(entry) => Reason::ObjectionOpen,
                entry if concerned.contains(entry) => Reason::SourceForgot,
                entry if excess.contains(entry) => Reason::QuotaFull,
                _ => Reason::MonthTaken,
            };
            let left = items.iter().filter(|item| !approved.contains(item));
            Ok(left.map(|item| Refused { item: *item, reason: reason(item).as_str_name() }).collect())
        })
    }

    /// What was approved of the same scheme a term before.
    fn compared<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier) -> Work<'t, Option<Compared>> {
        Box::pin(async move {
            let list = one(tx, list_of(dossier)?).await?;
            let before = list.term.parse::<Term>().map_err(|_| StoreError::Corrupt("term"))?.before();
            let lists = store::lists_of(tx, &list.school, &list.scheme, &before.to_string()).await?;
            let mut counts = inbox::performed_by_class(tx, ABOUT.code, &lists).await?;
            // Of lists that were signed before classes were kept with them.
            let unknown = counts.remove("").unwrap_or_default();
            let with =
                if unknown > 0 { format!("上学期审核通过（另有{unknown}人没有记录班级）") } else { "上学期审核通过".to_owned() };
            Ok(Some(Compared { with, counts }))
        })
    }

    /// Flags that nobody closed or cleared.
    fn marks<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, HashMap<Uuid, Vec<Mark>>> {
        Box::pin(async move {
            let asked: HashSet<Uuid> = items.iter().copied().collect();
            let mut marks: HashMap<Uuid, Vec<Mark>> = HashMap::new();
            for row in reconciliation::flags_of_list(tx, list_of(dossier)?)
                .await?
                .into_iter()
                .filter(|row| asked.contains(&row.entry) && row.state != life::State::Cleared)
            {
                let mark = Mark { text: law(row.rule).name.to_owned(), flag: Some(row.flag), holds: row.holds };
                marks.entry(row.entry).or_default().push(mark);
            }
            for of_entry in marks.values_mut() {
                of_entry.sort_by(|a, b| a.text.cmp(&b.text));
            }
            Ok(marks)
        })
    }
}
