//! Summaries as a kind of dossier: of a department and of no school, signed as a whole by its head.

use uuid::Uuid;
use xuezhu_domain::Fen;
use xuezhu_review::{About, Dossier, Item, Kind, Moved, Present, Refused, Work, way::Seat};
use xuezhu_service::{Context, Error, Permission, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::{
    rules::{Said, content, digest},
    said_now,
    store::{self, LineRow, SummaryRow},
};
use crate::{Parts, policy::scheme_told};

/// What it is.
pub static ABOUT: About = About {
    code: 16,
    word: "TERM_SUMMARY",
    name: "学期汇总表",
    columns: &["项目", "人数", "月或学期数", "金额（元）"],
    chain: "HEAD",
    floor: "HEAD",
    items: "lines",
    unit: "行",
    whole: true,
    of_school: false,
    reads: Permission::ReadMoney,
};

/// A summary.
#[derive(Debug)]
pub struct Summary<'p> {
    /// What words need.
    pub parts: &'p Parts,
}

fn said(row: &LineRow) -> Said {
    Said { entries: row.entries, units: row.units, fen: row.fen }
}

/// A line as it stands on the sheet.
pub(super) fn item(parts: &Parts, row: &LineRow) -> Item {
    let scheme = scheme_told(&parts.policies.now(), &row.scheme).scheme_name;
    Item {
        id: row.line,
        content_hash: content(&(row.school.clone(), row.scheme.clone()), said(row)),
        name: row.school_name.clone(),
        line: vec![scheme, row.entries.to_string(), row.units.to_string(), Fen(row.fen).yuan()],
        class_name: String::new(),
    }
}

async fn of(tx: &mut Tx, dossier: &Dossier) -> Result<SummaryRow, Error> {
    let summary = dossier.subject.ok_or(StoreError::Corrupt("subject of a dossier"))?;
    Ok(store::summary(tx, summary).await?.ok_or(StoreError::Corrupt("summary of a dossier"))?)
}

/// Nobody signs what is so no more. Where it is the head's desk that signs, the summary says who and when; other desks of a chain are told by the dossier.
async fn signed(ctx: &Context, tx: &mut Tx, dossier: &Dossier) -> Result<SummaryRow, Error> {
    let row = of(tx, dossier).await?;
    if digest(&said_now(tx, &row, ctx.today()).await?) != row.digest {
        return Err(Refusal::wrong_state("提交以后审核结果有变化，汇总表已不是现在的数：请退回，由经办人重新汇总").into());
    }
    if matches!(dossier.seat(), Some(Seat::Head(_))) {
        store::note_signature(ctx, tx, row.summary).await?;
    }
    Ok(row)
}

impl Kind for Summary<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// What was submitted stands as it was; whether it is still so is asked where somebody signs, who is told what to do then.
    fn present<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier, _: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move {
            let row = of(tx, dossier).await?;
            let lines = store::lines(tx, row.summary).await?;
            Ok(lines.iter().map(|line| Present { item: line.line, content_hash: item(self.parts, line).content_hash }).collect())
        })
    }

    fn moved<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, _: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async move {
            let reason = match moved {
                Moved::Signed { .. } => return signed(ctx, tx, dossier).await.map(drop),
                Moved::SentBack { reason } | Moved::Refused { reason } => reason,
                Moved::Recalled => "",
            };
            let row = of(tx, dossier).await?;
            store::drop_it(ctx, tx, row.summary, reason).await
        })
    }

    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, _: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let row = signed(ctx, tx, dossier).await?;
            store::sign(ctx, tx, row.summary).await?;
            Ok(Vec::new())
        })
    }
}
