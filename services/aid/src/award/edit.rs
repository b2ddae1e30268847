//! Entries that are the clerk's, edited where they stand: months, tier, bank card and remark, by the checks of a file; and what was sent back,
//! taken into the drafts again as it is.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{IdNumber, Month, codes, text};
use xuezhu_judge::{
    amount,
    entry::State,
    policy::{Paid, Rate, TermDays, Tier},
    rules::holder,
};
use xuezhu_proto::aid as pb;
use xuezhu_review::way;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Reason, Refusal};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

use super::{
    Terms,
    candidates::roll_content,
    ends,
    import::rules::{Parsed, with_holder},
    locked, locks,
    rules::{Change, after, card_fault, card_kind, holder_fault, months_of_term, remark_fault},
    settle,
    store::{self, Before, Entered, EntryRow, ListRow},
    terms, told, units, with_their_cards,
};
use crate::{
    Parts, mirror,
    reconciliation::{self, judge_keys, months_text, parse_months},
};

/// What an entry is edited to.
#[derive(Debug, Clone)]
pub struct Edit {
    /// What was seen.
    pub etag: String,
    /// Months; none to keep what is stored.
    pub months: Vec<Month>,
    /// Tier; empty to keep what is stored.
    pub tier: String,
    /// Bank card; none to keep what is stored, empty to clear it.
    pub card: Option<String>,
    /// Whose it is, likewise; of another card it is what is said, or not known.
    pub card_holder: Option<String>,
    /// Remark, likewise.
    pub remark: Option<String>,
}

/// The version of an entry: stands for what it holds, where it is, and why it came back.
pub fn etag(row: &EntryRow) -> String {
    let seen = [&row.content_hash[..], &row.state.code().to_be_bytes(), row.sent_back_reason.as_bytes()].concat();
    way::digest(std::iter::once((row.entry, &seen[..])))
}

/// One entry of a list that may be read, and what it may be edited to.
pub async fn get(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, entry: Uuid) -> Result<pb::GetEntryResponse, Error> {
    let list = super::readable(ctx, tx, school, list).await?;
    let row = on_list(tx, &list, entry).await?;
    let terms = terms(parts, &list)?;
    let tier = |tier: &Tier| pb::AwardTier { name: tier.name.clone(), month_fen: terms.rate.month_fen(tier).0 };
    Ok(pb::GetEntryResponse {
        entry: told::entries(ctx, tx, parts, &list, vec![row]).await?.pop(),
        term_months: terms.days.months.iter().map(|month| month.number()).collect(),
        tiers: terms.rate.tiers.iter().map(tier).collect(),
        by_month: terms.paid == Paid::Month,
    })
}

async fn on_list(tx: &mut Tx, list: &ListRow, entry: Uuid) -> Result<EntryRow, Error> {
    let there = store::stands_on(tx, list.list, entry).await?;
    let row = if there { store::entries_of(tx, &[entry]).await?.pop() } else { None };
    Ok(row.ok_or_else(|| Refusal::not_found("名单中的该生"))?)
}

/// Edits an entry.
pub async fn edit(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, entry: Uuid, edit: &Edit) -> Result<EntryRow, Error> {
    let list = locked(ctx, tx, school, list, Permission::EnterForSchool).await?;
    let row = on_list(tx, &list, entry).await?;
    after(row.state, Change::Edit).ok_or_else(|| Refusal::wrong_state(format!("该生在名单中为“{}”，只有草稿和被退回的可以修改", row.state.name())))?;
    if etag(&row) != edit.etag {
        return Err(Refusal::new(Reason::Conflict, "该生的内容刚刚被他人修改，请刷新后重试").into());
    }
    locks::unlocked(ctx, tx, parts, locks::Of::list(&list)).await?;
    let terms = terms(parts, &list)?;
    let stands = store::before(tx, &[entry]).await?.pop().ok_or(StoreError::Corrupt("an entry that is there"))?;
    let entered = edited(tx, parts, &terms, stands, edit).await?;
    let mut touched = if row.card_sealed.is_some() { store::keys_of_their_cards(tx, &[entry]).await? } else { Vec::new() };
    let names_card = entered.card_key.is_some();
    store::lock_cards(tx, &entered.card_key.iter().map(|card| card.0).collect::<Vec<_>>()).await?;
    store::update_entries(ctx, tx, std::slice::from_ref(&entered)).await?;
    touched.push(row.person_key);
    let touched = if names_card { with_their_cards(tx, &[entry], touched).await? } else { touched };
    units::enter_again(ctx, tx, &list, terms.paid, std::slice::from_ref(&entered)).await?;
    settle(tx, list.list).await?;
    judge_keys(ctx, tx, parts, &touched, "list").await?;
    on_list(tx, &list, entry).await
}

/// What is said, as far as it can stand; every field at fault is told.
struct Said<'t> {
    months: Vec<Month>,
    tier: &'t Tier,
}

fn said<'t>(rate: &'t Rate, days: &TermDays, paid: Paid, stands: &Entered, edit: &Edit) -> Result<Said<'t>, Error> {
    let mut errors = FieldErrors::default();
    let stored = parse_months(&stands.months);
    let wanted = if edit.months.is_empty() { &stored } else { &edit.months };
    let months = months_of_term(wanted, &days.months, paid).map_err(|why| errors.add("months", why)).ok();
    let typed = text::clean(&edit.tier);
    let tier = rate.tier(if typed.is_empty() { &stands.tier } else { &typed });
    if tier.is_none() {
        let names: Vec<&str> = rate.tiers.iter().map(|tier| tier.name.as_str()).collect();
        errors.add("tier", format!("没有这个档次，应为：{}", names.join("、")));
    }
    for (field, fault) in [
        ("card", edit.card.as_deref().and_then(card_fault)),
        ("card_holder", edit.card_holder.as_deref().and_then(holder_fault)),
        ("remark", edit.remark.as_deref().and_then(remark_fault)),
    ] {
        if let Some((_, why)) = fault {
            errors.add(field, why);
        }
    }
    errors.check()?;
    let (months, tier) = months.zip(tier).ok_or_else(|| Error::Internal("a field is missing and not told".into()))?;
    Ok(Said { months, tier })
}

async fn edited(tx: &mut Tx, parts: &Parts, terms: &Terms, stands: Before, edit: &Edit) -> Result<Entered, Error> {
    let keyring = &parts.keyring;
    let row = stands.row;
    let Said { months, tier } = said(&terms.rate, &terms.days, terms.paid, &row, edit)?;
    let (entry, month_fen) = (row.entry.0, terms.rate.month_fen(tier));
    let stored = row.card_sealed.as_ref().and_then(|sealed| keyring.open_text("card", &[entry], &sealed.0)).unwrap_or_default();
    let card = edit.card.as_deref().map_or_else(|| stored.clone(), text::clean_number);
    let is_same = card == stored;
    let holder = edit.card_holder.as_deref().map(text::tidy_name).or_else(|| is_same.then(|| row.card_holder.clone())).unwrap_or_default();
    let holder = if card.is_empty() { String::new() } else { holder };
    let remark = edit.remark.as_deref().map_or_else(|| row.remark.clone(), text::clean);
    let from_roll = row.id_sealed.0.is_empty();
    let name = if from_roll { name_of_roll(tx, &row, stands.recorded_day).await?.unwrap_or_else(|| row.name.clone()) } else { row.name.clone() };
    let content = if from_roll {
        with_holder(roll_content(&name, row.person_key.0, &months, &tier.name, &card, &remark), &holder)
    } else {
        let number = keyring.open_text("id", &[entry], &row.id_sealed.0).ok_or(StoreError::Corrupt("number of an entry"))?;
        let document = codes::document(&row.id_document).ok_or(StoreError::Corrupt("document of an entry"))?;
        // As it was read when it was entered: whatever is thought of such numbers today.
        let id = IdNumber::parse(document, &number, chrono::NaiveDate::MAX).map_err(|_| StoreError::Corrupt("number of an entry"))?;
        let (name, months, tier) = (name.clone(), months.clone(), tier.name.clone());
        Parsed { name, document, id, months, tier, month_fen, card: card.clone(), holder: holder.clone(), remark: remark.clone() }.content()
    };
    let (first, last) = ends(&months)?;
    Ok(Entered {
        name_comparable: text::comparable_name(&name),
        name,
        first_day: first.first_day(),
        last_day: last.first_day(),
        amount_fen: amount::of_months(month_fen, &months).0,
        month_fen: month_fen.0,
        months: months_text(&months),
        tier: tier.name.clone(),
        card_sealed: (!card.is_empty()).then(|| Bytes(keyring.seal("card", &[entry], card.as_bytes()))),
        card_key: (!card.is_empty()).then(|| Hex(keyring.lookup_hash("card", &card))),
        card_kind: card_kind(&card),
        card_holder: holder,
        remark,
        content_hash: Bytes(keyring.content_hash(content.as_bytes()).to_vec()),
        ..row
    })
}

/// What the roll calls the student of an entry that was proposed from it; none where it knows nobody by the number any more.
async fn name_of_roll(tx: &mut Tx, row: &Entered, recorded: chrono::NaiveDate) -> Result<Option<String>, Error> {
    let generation = mirror::state(tx).await?.generation;
    for case in reconciliation::cases(tx, generation, &[row.person_key.0]).await? {
        if let Some(person) = holder(&case.persons, row.person_key.0, &row.name_comparable, recorded) {
            return Ok(Some(person.name().to_owned()));
        }
    }
    Ok(None)
}

/// Which entries are taken into the drafts again.
#[derive(Debug, Clone)]
pub enum Redrafted {
    /// These, each as it was seen; an empty etag is not compared.
    These(Vec<(Uuid, String)>),
    /// All that were sent back, as many as were seen.
    All(i32),
}

/// Takes entries that were sent back into the drafts again, as they are.
pub async fn redraft(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, list: Uuid, wanted: &Redrafted) -> Result<ListRow, Error> {
    let list = locked(ctx, tx, school, list, Permission::EnterForSchool).await?;
    let rows = store::entries(tx, list.list).await?;
    let taken: Vec<&EntryRow> = match wanted {
        Redrafted::All(seen) => {
            let back: Vec<&EntryRow> = rows.iter().filter(|row| row.state == State::SentBack).collect();
            Refusal::unless_seen(*seen, back.len())?;
            back
        }
        Redrafted::These(entries) => these(&rows, entries)?,
    };
    if taken.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有被退回的学生").into());
    }
    let entries: Vec<Uuid> = taken.iter().map(|row| row.entry).collect();
    store::set_states(ctx, tx, &entries, State::Draft, "").await?;
    settle(tx, list.list).await?;
    let with_cards: Vec<Uuid> = taken.iter().filter(|row| row.card_sealed.is_some()).map(|row| row.entry).collect();
    let touched = with_their_cards(tx, &with_cards, taken.iter().map(|row| row.person_key).collect()).await?;
    judge_keys(ctx, tx, parts, &touched, "list").await?;
    super::one(tx, list.list).await
}

/// The entries that are named, if each can be taken; every one at fault is named.
fn these<'r>(rows: &'r [EntryRow], entries: &[(Uuid, String)]) -> Result<Vec<&'r EntryRow>, Error> {
    let known: HashMap<Uuid, &EntryRow> = rows.iter().map(|row| (row.entry, row)).collect();
    let (mut errors, mut taken, mut named) = (FieldErrors::default(), Vec::with_capacity(entries.len()), HashSet::new());
    for (index, (entry, seen)) in entries.iter().enumerate() {
        let why = match known.get(entry) {
            None => "名单中没有该生".to_owned(),
            Some(row) if after(row.state, Change::Redraft).is_none() => format!("该生在名单中为“{}”，不是被退回的", row.state.name()),
            Some(row) if !seen.is_empty() && etag(row) != *seen => "该生在您查看之后又有变化，请刷新后看过再办理".to_owned(),
            Some(_) if !named.insert(*entry) => "该生重复".to_owned(),
            Some(row) => {
                taken.push(*row);
                continue;
            }
        };
        errors.add(&format!("entries[{index}]"), why);
    }
    if entries.is_empty() {
        errors.add("entries", "请先勾选被退回的学生");
    }
    errors.check()?;
    Ok(taken)
}
