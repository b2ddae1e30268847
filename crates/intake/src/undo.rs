//! An import is taken back by its receipt: what it entered goes, what it changed is again as it was. What something hangs on stays, and is
//! named row by row.

use std::collections::HashMap;

use prost::Message;
use tonic::{Response, Status};
use uuid::Uuid;
use xuezhu_proto::common::ImportReport;
use xuezhu_service::{Context, Error, Keyring, Refusal, runner::Call};
use xuezhu_store::Tx;

use crate::{
    Intake,
    archive::{self, REPORT},
    faults::Fault,
    findings::small,
    kind::{Act, Effect, GONE, Kind},
    store::{self, EffectRow, State},
    write::{BEFORE, take_turn},
};

impl Intake {
    /// Takes an import back, as far as that goes.
    pub async fn take_back<K: Kind, R: Message + Default>(
        &self,
        ctx: &Context,
        call: Call,
        kind: &K,
        import: Uuid,
        answer: fn(ImportReport) -> R,
    ) -> Result<Response<R>, Status> {
        let asked = (kind.clone(), self.keyring.clone(), import, answer);
        self.runner
            .mutate(ctx, call, &asked, |ctx, tx, (kind, keyring, import, answer)| {
                Box::pin(async move { Ok(answer(take_back(ctx, tx, kind, keyring, *import).await?)) })
            })
            .await
    }
}

async fn take_back<K: Kind>(ctx: &Context, tx: &mut Tx, kind: &K, keyring: &Keyring, import: Uuid) -> Result<ImportReport, Error> {
    kind.may(ctx, tx, Act::Enter).await?;
    take_turn(tx, kind).await?;
    let receipt = archive::receipt(tx, kind, import).await?;
    if receipt.preview {
        return Err(Refusal::wrong_state("这只是一次预览，没有写入任何内容，不用撤回").into());
    }
    match receipt.state {
        State::Done => {}
        State::TakenBack => return Err(Refusal::wrong_state("这次导入已经撤回").into()),
        State::Running => return Err(Refusal::wrong_state("这次导入还在进行，请等它完成").into()),
        State::Refused | State::Lost => return Err(Refusal::wrong_state("这次导入没有写入任何内容，不用撤回").into()),
    }
    let rows = store::effects(tx, import).await?;
    if rows.is_empty() {
        return Err(Refusal::wrong_state("这次导入没有可以撤回的内容：没有写入新内容，或者已超过30天").into());
    }
    let effects = rows.iter().map(|row| effect(keyring, import, row)).collect::<Result<Vec<_>, _>>()?;
    let kept: HashMap<Uuid, Fault> = kind.take_back(ctx, tx, &effects).await?.into_iter().collect();
    let returned = rows.iter().filter(|row| !kept.contains_key(&row.item)).count();
    // Of what is gone already nothing can ever be taken back.
    let over: Vec<Uuid> = rows.iter().map(|row| row.item).filter(|item| kept.get(item).is_none_or(|fault| fault.code == GONE)).collect();
    store::forget_effects(tx, import, &over).await?;
    let left = rows.len() - over.len();
    let state = if left == 0 { State::TakenBack } else { State::Done };
    let mut report = archive::kept_report(tx, keyring, &receipt).await?;
    report.rows_returned += small(returned);
    let sheet = |row: &EffectRow| usize::try_from(row.table_number).ok().and_then(|table| report.sheets.get(table).cloned()).unwrap_or_default();
    report.kept = rows.iter().filter_map(|row| Some(kept.get(&row.item)?.at(&sheet(row), u32::try_from(row.row_number).unwrap_or(0)))).collect();
    store::returned(tx, import, state, &keyring.seal(REPORT, &[import], &report.encode_to_vec())).await?;
    report.rows_returnable = small(left);
    archive::envelope(&store::Receipt { state, ..receipt }, &mut report);
    Ok(report)
}

fn effect(keyring: &Keyring, import: Uuid, row: &EffectRow) -> Result<Effect, Error> {
    let opened = |sealed: &Vec<u8>| keyring.open(BEFORE, &[import, row.item], sealed).ok_or_else(|| Error::Internal("what stood before does not open".into()));
    Ok(Effect { item: row.item, content: row.content_hash.clone(), before: row.before_sealed.as_ref().map(opened).transpose()? })
}
