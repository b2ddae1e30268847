//! A correction as a kind of dossier: entries of one school of which the same is asked.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{Fen, Term};
use xuezhu_judge::policy::{Paid, SchemeCode};
use xuezhu_review::{About, Dossier, Item, Kind, Moved, Present, Refused, Work};
use xuezhu_service::{Context, Error, Permission, Reason};
use xuezhu_store::{StoreError, Tx};

use super::{
    super::{
        bound,
        rules::months_name,
        units::{self, rules::Standing},
    },
    rules::{What, content},
    store::{self, ApprovedEntry, CorrectionRow},
};
use crate::{
    Parts, award, notice,
    reconciliation::{self, judge_keys, parse_months},
};

/// What it is.
pub static ABOUT: About = About {
    code: 12,
    word: "AWARD_CORRECTION",
    name: "资助更正",
    columns: &["更正", "项目", "月份", "核减金额（元）"],
    chain: "PRINCIPAL, AUTHORITY",
    floor: "PRINCIPAL, AUTHORITY",
    items: "entries",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// A correction of what was approved.
#[derive(Debug)]
pub struct AwardCorrection<'p> {
    /// What judging needs.
    pub parts: &'p Parts,
}

/// An entry as it stands on the sheet.
pub(super) fn item(parts: &Parts, row: &ApprovedEntry, what: What, months: &str, fen: i64) -> Result<Item, Error> {
    let scheme = SchemeCode::parse(&row.scheme).ok_or(StoreError::Corrupt("scheme"))?;
    let by_month = parts.policies.now().paid(scheme) == Some(Paid::Month);
    let term: Term = row.term.parse().map_err(|_| StoreError::Corrupt("term"))?;
    let of = format!("{}{}", term.name(), award::scheme_name(parts, &row.scheme)?);
    // Of a term its first calendar month stands for all of it.
    let months_taken = if by_month { months_name(&parse_months(months)) } else { "整学期".to_owned() };
    let line = vec![what.name().to_owned(), of, months_taken, Fen(fen).yuan()];
    Ok(Item { id: row.entry, content_hash: content(what, months, fen, &row.content_hash), name: row.name.clone(), line, class_name: String::new() })
}

impl AwardCorrection<'_> {
    async fn rows(tx: &mut Tx, dossier: &Dossier, items: &[Uuid]) -> Result<Vec<CorrectionRow>, Error> {
        let wanted: HashSet<Uuid> = items.iter().copied().collect();
        Ok(store::of_dossiers(tx, &[dossier.dossier]).await?.into_iter().filter(|row| wanted.contains(&row.entry)).collect())
    }

    fn taken(rows: &[CorrectionRow]) -> Vec<(Uuid, i32)> {
        rows.iter().flat_map(|row| parse_months(&row.months).into_iter().map(|month| (row.entry, month.number()))).collect()
    }
}

impl Kind for AwardCorrection<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move {
            let rows = Self::rows(tx, dossier, items).await?;
            Ok(rows.iter().map(|row| Present { item: row.entry, content_hash: content(row.what, &row.months, row.fen, &row.content_hash) }).collect())
        })
    }

    fn moved<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async move {
            if matches!(moved, Moved::Signed { .. }) {
                return Ok(());
            }
            // What was held while it was asked for is given again.
            let stops: Vec<CorrectionRow> = Self::rows(tx, dossier, items).await?.into_iter().filter(|row| row.what == What::Stop).collect();
            units::set(ctx, tx, &Self::taken(&stops), Standing::Stopping, Standing::Approved).await?;
            Ok(())
        })
    }

    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let rows = Self::rows(tx, dossier, items).await?;
            let mut keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
            keys.sort_unstable();
            keys.dedup();
            reconciliation::lock_keys(tx, &keys).await?;
            // What it takes must stand as it did when it was asked for.
            let mut standing: HashMap<(Uuid, i32), Standing> = HashMap::new();
            for (entry, unit) in units::corrigible(tx, &rows.iter().map(|row| row.entry).collect::<Vec<_>>()).await? {
                standing.insert((entry, unit.first.number()), unit.standing);
            }
            let (can, cannot): (Vec<CorrectionRow>, Vec<CorrectionRow>) = rows.into_iter().partition(|row| {
                let stands = |unit| standing.get(&unit).is_some_and(|standing| matches!(standing, Standing::Approved | Standing::Stopping));
                Self::taken(std::slice::from_ref(row)).into_iter().all(stands)
            });
            let corrected: Vec<Uuid> = can.iter().map(|row| row.entry).collect();
            bound::touch(ctx, tx, &corrected).await?;
            for what in What::ALL {
                let of: Vec<CorrectionRow> = can.iter().filter(|row| row.what == what).cloned().collect();
                let from = if what == What::Stop { Standing::Stopping } else { Standing::Approved };
                units::set(ctx, tx, &Self::taken(&of), from, what.leaves()).await?;
            }
            store::note_gone(tx, &corrected).await?;
            let gone = store::gone(tx, &corrected).await?;
            notice::leave(tx, &gone).await?;
            units::free(tx, &Self::taken(&can)).await?;
            let keys = crate::award::with_their_cards(tx, &gone, keys).await?;
            judge_keys(ctx, tx, self.parts, &keys, "correction").await?;
            Ok(cannot.into_iter().map(|row| Refused { item: row.entry, reason: Reason::WrongState.as_str_name() }).collect())
        })
    }
}
