//! Award lists as files ([`Awards`]): whom rows mean, and what becomes of their entries. A list is merged by number: a person's months are
//! replaced, whom it does not mention stays. How a file is taken in, told, previewed, written, marked and taken back is [`xuezhu_intake`].

pub mod api;
pub mod rules;
pub mod undo;

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;
use xuezhu_domain::{Fen, text};
use xuezhu_intake::{About, Act, At, Effect, Fault, Findings, Kind, Of, Options, Placed, Read, Sheet, Spot, What, Work};
use xuezhu_judge::{amount, entry::State};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::{Bytes, Hex, Tx};
use xuezhu_workbook::{Row, Table};

use self::rules::{Kept, Layout, ListRules, Parsed};
use super::{
    rules::{Change, after, card_kind},
    store::{self, Entered, EntryRow, ListRow},
    units,
};
use crate::{
    Parts, cells, mirror,
    reconciliation::{judge_keys, months_text, parse_months},
};

/// An award list, as a file.
#[derive(Debug, Clone)]
pub struct Awards {
    /// What the use cases need.
    pub parts: Arc<Parts>,
    /// The school.
    pub school: String,
    /// The list.
    pub list: Uuid,
}

/// A row with what it is found by.
#[derive(Debug, Clone)]
pub struct Keyed {
    key: Uuid,
    content: [u8; 32],
    row: Parsed,
    /// What stays of an entry that is there.
    kept: Kept,
}

impl Kind for Awards {
    const ABOUT: About = About {
        code: 2,
        import: "ImportAwards",
        commit: "CommitAwardImport",
        report: "GetAwardImport",
        list: "ListAwardImports",
        marked: "DownloadMarkedAwards",
        take_back: "TakeBackAwardImport",
    };
    type Rules = ListRules;
    type Layout = Layout;
    type Row = Keyed;

    fn sheet() -> Sheet {
        let notes = vec!["一人一行，从“资助名单”表第4行起填写。".to_owned(), "同一人再次上传时，以后一次的月份为准；文件中没有提到的人保持不变。".to_owned()];
        Sheet { title: rules::TITLE, notes, columns: rules::COLUMNS.to_vec(), marks: cells::MARKS, taken_out: false }
    }

    fn of(&self) -> Of {
        Of { school: self.school.clone(), subject: Some(self.list) }
    }

    fn may<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, act: Act) -> Work<'t, ()> {
        let permission = match act {
            Act::Enter => Permission::EnterForSchool,
            Act::Read => Permission::ReadSchool,
        };
        Box::pin(async move { mirror::school_for(ctx, tx, &self.school, permission).await.map(drop) })
    }

    fn rules<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx) -> Work<'t, ListRules> {
        Box::pin(async move {
            let list = super::one(tx, self.list).await?;
            if list.school != self.school {
                return Err(Refusal::not_found("该名单").into());
            }
            super::locks::unlocked(ctx, tx, &self.parts, super::locks::Of::list(&list)).await?;
            let terms = super::terms(&self.parts, &list)?;
            Ok(ListRules { paid: terms.paid, rate: terms.rate, days: terms.days, today: ctx.today() })
        })
    }

    fn layout(&self, table: &Table, options: Options) -> Layout {
        Layout::new(table, options.blank_clears)
    }

    fn read(&self, rules: &ListRules, layout: &Layout, row: &Row) -> Read<Keyed> {
        let (parsed, faults) = rules::parse(layout, row, rules);
        let doubts = parsed.as_ref().and_then(rules::doubt).into_iter().collect();
        let keyed = |row: Parsed| Keyed { key: self.parts.keyring.person_key(&row.id).0, content: self.content_of(&row), row, kept: layout.kept };
        Read { row: parsed.map(keyed), faults, doubts }
    }

    fn content(row: &Keyed) -> [u8; 32] {
        row.content
    }

    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        _: &'t ListRules,
        rows: &'t [&'t At<Keyed>],
        _: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Keyed>>> {
        Box::pin(async move {
            let list = super::locked(ctx, tx, &self.school, self.list, Permission::EnterForSchool).await?;
            let mut known: HashMap<Uuid, EntryRow> = store::entries(tx, self.list).await?.into_iter().map(|row| (row.person_key, row)).collect();
            let (mut seen, mut placed): (HashMap<Uuid, u32>, Vec<Placed<Keyed>>) = (HashMap::new(), Vec::new());
            for (at, At { spot, row }) in rows.iter().enumerate() {
                match self.what(ctx, &list, &mut known, &mut seen, *spot, row) {
                    Ok(what) => placed.push(Placed { at, what }),
                    Err(fault) => found.fault(*spot, &fault),
                }
            }
            found.absent = known.len();
            undo::note_before(tx, &mut placed).await?;
            Ok(placed)
        })
    }

    fn write<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        rules: &'t ListRules,
        new: &'t [(Uuid, &'t Keyed)],
        changed: &'t [(Uuid, &'t Keyed)],
    ) -> Work<'t, ()> {
        Box::pin(async move {
            let list = super::one(tx, self.list).await?;
            let entered = |rows: &[(Uuid, &Keyed)]| rows.iter().map(|(entry, row)| self.entered(*entry, row)).collect::<Result<Vec<_>, _>>();
            let (new, changed) = (entered(new)?, entered(changed)?);
            if !new.is_empty() {
                store::insert_entries(ctx, tx, &list, &new).await?;
                units::enter(ctx, tx, &list, rules.paid, &new).await?;
            }
            let of_changed: Vec<Uuid> = changed.iter().map(|row| row.entry.0).collect();
            let with_cards: Vec<Uuid> = new.iter().chain(&changed).filter(|row| row.card_key.is_some()).map(|row| row.entry.0).collect();
            store::lock_cards(tx, &new.iter().chain(&changed).filter_map(|row| row.card_key.as_ref().map(|card| card.0)).collect::<Vec<_>>()).await?;
            // Those too who named the cards of before.
            let mut touched = super::with_their_cards(tx, &of_changed, Vec::new()).await?;
            if !changed.is_empty() {
                store::update_entries(ctx, tx, &changed).await?;
                units::enter_again(ctx, tx, &list, rules.paid, &changed).await?;
            }
            super::settle(tx, list.list).await?;
            touched.extend(new.iter().chain(&changed).map(|row| row.person_key.0));
            let touched = super::with_their_cards(tx, &with_cards, touched).await?;
            judge_keys(ctx, tx, &self.parts, &touched, "list").await?;
            Ok(())
        })
    }

    fn take_back<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>> {
        Box::pin(undo::take_back(self, ctx, tx, effects))
    }
}

impl Awards {
    fn content_of(&self, row: &Parsed) -> [u8; 32] {
        self.parts.keyring.content_hash(row.content().as_bytes())
    }

    /// What a row does to the list.
    fn what(
        &self,
        ctx: &Context,
        list: &ListRow,
        known: &mut HashMap<Uuid, EntryRow>,
        seen: &mut HashMap<Uuid, u32>,
        spot: Spot,
        keyed: &Keyed,
    ) -> Result<What<Keyed>, Fault> {
        if let Some(first) = seen.insert(keyed.key, spot.row) {
            let why = format!("与第{first}行的证件号相同，请合并月份后只留一行");
            return Err(Fault::new("身份证件号", &keyed.row.id.masked(), "DUPLICATE_IN_FILE", why));
        }
        let whole = |code, why: String| Err(Fault::new("", "", code, why));
        let Some(row) = known.remove(&keyed.key) else {
            if list.submitted {
                return whole("LIST_SUBMITTED", "名单已提交，不能再加新学生；请新建补充名单".into());
            }
            return Ok(What::New { item: ctx.new_id() });
        };
        let mut kept = keyed.clone();
        self.keep(&row, &mut kept);
        kept.content = self.content_of(&kept.row);
        // What was sent back and is uploaded again as it was goes back to the clerk's drafts: there was nothing to mend.
        if row.content_hash == kept.content && row.state != State::SentBack {
            return Ok(What::Unchanged);
        }
        if after(row.state, Change::Edit).is_none() {
            return whole("ALREADY_SUBMITTED", format!("该生在本名单中为“{}”，不能修改；需更正的请由审核方退回", row.state.name()));
        }
        Ok(What::Changed { item: row.entry, base: row.content_hash, before: Vec::new(), row: Some(kept) })
    }

    /// Absent isn't blank, nor is blank gone: what is stored stays, unless the clerk says otherwise. A blank month or tier in a column
    /// that is there says something of its own: the whole term, the middle tier.
    fn keep(&self, row: &EntryRow, keyed: &mut Keyed) {
        let (parsed, kept) = (&mut keyed.row, keyed.kept);
        let stored = row.card_sealed.as_deref().and_then(|sealed| self.parts.keyring.open_text("card", &[row.entry], sealed)).unwrap_or_default();
        if kept.card && parsed.card.is_empty() {
            parsed.card.clone_from(&stored);
        }
        // Whose another card is was not said.
        if kept.holder && parsed.holder.is_empty() && parsed.card == stored {
            row.card_holder.clone_into(&mut parsed.holder);
        }
        if kept.remark && parsed.remark.is_empty() {
            row.remark.clone_into(&mut parsed.remark);
        }
        if kept.months {
            parsed.months = parse_months(&row.months);
        }
        if kept.tier && parsed.tier != row.tier && !parsed.months.is_empty() {
            row.tier.clone_into(&mut parsed.tier);
            parsed.month_fen = amount::a_month(Fen(row.amount_fen), &parse_months(&row.months));
        }
    }

    /// By what the card of an entry is found, of one that was written before that was kept.
    fn find_by_card(&self, row: &mut Entered) {
        let Some(sealed) = row.card_sealed.as_ref().filter(|_| row.card_key.is_none()) else { return };
        if let Some(card) = self.parts.keyring.open_text("card", &[row.entry.0], &sealed.0) {
            (row.card_key, row.card_kind) = (Some(Hex(self.parts.keyring.lookup_hash("card", &card))), card_kind(&card));
        }
    }

    fn entered(&self, entry: Uuid, keyed: &Keyed) -> Result<Entered, Error> {
        let (parsed, keyring) = (&keyed.row, &self.parts.keyring);
        let (first, last) = super::ends(&parsed.months)?;
        Ok(Entered {
            entry: Hex(entry),
            person_key: Hex(keyed.key),
            id_document: parsed.document.to_owned(),
            id_sealed: Bytes(keyring.seal("id", &[entry], parsed.id.reveal().as_bytes())),
            name_comparable: text::comparable_name(&parsed.name),
            sex: parsed.id.sex().map(xuezhu_domain::Sex::code),
            birth_date: parsed.id.birth_date(),
            months: months_text(&parsed.months),
            first_day: first.first_day(),
            last_day: last.first_day(),
            amount_fen: parsed.amount().0,
            month_fen: parsed.month_fen.0,
            tier: parsed.tier.clone(),
            card_sealed: (!parsed.card.is_empty()).then(|| Bytes(keyring.seal("card", &[entry], parsed.card.as_bytes()))),
            card_key: (!parsed.card.is_empty()).then(|| Hex(keyring.lookup_hash("card", &parsed.card))),
            card_kind: card_kind(&parsed.card),
            card_holder: parsed.holder.clone(),
            remark: parsed.remark.clone(),
            content_hash: Bytes(keyed.content.to_vec()),
            name: parsed.name.clone(),
        })
    }
}
