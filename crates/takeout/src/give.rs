//! A table is taken out: who may, what for, its rows, the workbook, the receipt.

use chrono::{DateTime, FixedOffset, Utc};
use prost::Message;
use tonic::{Response, Status};
use xuezhu_domain::text;
use xuezhu_proto::common::TakeOut;
use xuezhu_service::{
    Context, Error, FieldErrors, Reason, Refusal,
    clock::rfc3339,
    downloads::{self, Pieces},
    runner::{Call, REPLAYED},
};
use xuezhu_store::Tx;
use xuezhu_workbook::{Stamp, TakenSheet};

use crate::{
    PURPOSE_CHARACTERS, ROWS, Takeouts,
    counts::counted,
    kind::{About, Kind, Table},
    store,
};

/// Hours by which the country's time is ahead.
const ZONE_HOURS: i32 = 8;
/// Said on every sheet of numbers alone.
const OF_NUMBERS: &str = "本文件只含统计数，不含个人信息。";
/// Said on every sheet that is of people.
const NOTE: &str = "证件号只留末位，没有导出的列不在表中；本文件含个人信息，请按用途使用、妥善保管，用后删除。";

impl Takeouts {
    /// Takes a table out: its receipt first, then the workbook in pieces. The receipt stands before a byte leaves.
    pub async fn give<K: Kind, T: Send + 'static>(
        &self,
        ctx: &Context,
        kind: &K,
        (purpose, request): (&str, &impl Message),
        first: fn(TakeOut) -> T,
        piece: fn(Vec<u8>) -> T,
    ) -> Result<Response<Pieces<T>>, Status> {
        let about = kind.about();
        let given = self.given(ctx, kind, purpose, request).await;
        let outcome = if given.is_ok() { "done" } else { "refused" };
        metrics::counter!("xuezhu_takeouts_total", "call" => about.call, "outcome" => outcome).increment(1);
        let (told, bytes, replayed) = given?;
        let mut answer = downloads::pieces(Some(first(told)), &bytes, piece);
        if let Some(replayed) = replayed {
            answer.metadata_mut().insert(REPLAYED, replayed);
        }
        Ok(answer)
    }

    async fn given<K: Kind>(&self, ctx: &Context, kind: &K, purpose: &str, request: &impl Message) -> Result<Given, Status> {
        let (about, purpose) = (kind.about(), purpose_of(purpose)?);
        // A table may be long: a few at once, fewer of one account.
        let _turn = self.gate.uploads().turn(&ctx.actor.account).await?;
        let read = self.runner.read(ctx, about.call, kind, |ctx, tx, kind| Box::pin(read(ctx, tx, kind)));
        let (school_name, counts, table) = read.await?.into_inner();
        let of = kind.of();
        let told = TakeOut {
            take_out: ctx.new_id().to_string(),
            kind: about.word.to_owned(),
            kind_name: about.name.to_owned(),
            school: of.school,
            school_name,
            subject: of.subject.map(|subject| subject.to_string()).unwrap_or_default(),
            narrowed: of.narrowed,
            counts,
            account: ctx.actor.account.clone(),
            account_name: ctx.actor.display_name.clone(),
            purpose,
            rows: i32::try_from(table.rows.len()).unwrap_or(i32::MAX),
            content_hash: String::new(),
            time: rfc3339(ctx.now_us()),
        };
        let (told, bytes, table) = written(about, told, table).await?;
        let call = Call::new(about.call, told.take_out.clone(), request);
        let receipt = (kind, told);
        let answer = self.runner.mutate(ctx, call, &receipt, |ctx, tx, (kind, told)| Box::pin(receipted(ctx, tx, *kind, told))).await?;
        let replayed = answer.metadata().get(REPLAYED).cloned();
        let told = answer.into_inner();
        if replayed.is_none() {
            return Ok((told, bytes, None));
        }
        // The workbook of then was not kept: it is made anew, or, where the table is another by now, not at all.
        let hash = told.content_hash.clone();
        let (again, bytes, _) = written(about, told, table).await?;
        if again.content_hash != hash {
            let why = format!("这次导出已经完成（编号{}），之后数据有了变化，不能再给出同一份文件；请重新导出", again.take_out);
            return Err(Error::from(Refusal::wrong_state(why)).into());
        }
        Ok((again, bytes, replayed))
    }
}

/// A receipt, its workbook, and whether it was given before.
type Given = (TakeOut, Vec<u8>, Option<tonic::metadata::AsciiMetadataValue>);

/// What for: it stands on every sheet and in the receipt.
fn purpose_of(purpose: &str) -> Result<String, Error> {
    let mut errors = FieldErrors::default();
    let told = errors.text("purpose", purpose, *PURPOSE_CHARACTERS.end());
    if let Some(told) = &told {
        if told.chars().count() < *PURPOSE_CHARACTERS.start() {
            errors.add("purpose", format!("至少{}个字", PURPOSE_CHARACTERS.start()));
        }
        if text::holds_long_number(purpose) {
            errors.add("purpose", "不要填写证件号、银行卡号或电话号码");
        }
    }
    errors.check()?;
    Ok(told.unwrap_or_default())
}

/// The school's name, whether counts only may leave, and what may.
async fn read<K: Kind>(ctx: &Context, tx: &mut Tx, kind: &K) -> Result<(String, bool, Table), Error> {
    let permission = kind.permission(ctx);
    let counts = permission == xuezhu_service::Permission::TakeOutCounts;
    let school = kind.school(ctx, tx, permission).await?;
    if counts && kind.of().by_name {
        return Err(Refusal::field("name", "主管部门导出的是统计，不能按姓名筛选").into());
    }
    let table = kind.table(ctx, tx, ROWS).await?;
    if table.rows.len() > ROWS {
        return Err(Refusal::new(Reason::FileTooLarge, format!("超过{ROWS}行，一次导不出来；请按班级、状态等条件分次导出")).into());
    }
    Ok((school, counts, if counts { counted(kind.about(), &table) } else { table }))
}

/// Writes the receipt, if whoever calls still may.
async fn receipted<K: Kind>(ctx: &Context, tx: &mut Tx, kind: &K, told: &TakeOut) -> Result<TakeOut, Error> {
    kind.school(ctx, tx, kind.permission(ctx)).await?;
    store::insert(ctx, tx, kind.about().code, kind.of().subject, told).await?;
    Ok(told.clone())
}

/// The workbook that a receipt is of, and the receipt with its hash; the table comes back.
async fn written(about: &'static About, told: TakeOut, table: Table) -> Result<(TakeOut, Vec<u8>, Table), Error> {
    let write = move || {
        let bytes = workbook(about, &told, &table)?;
        let content_hash = blake3::hash(&bytes).to_hex().to_string();
        Ok((TakeOut { content_hash, ..told }, bytes, table))
    };
    tokio::task::spawn_blocking(write).await.map_err(|error| Error::Internal(error.to_string()))?
}

fn workbook(about: &About, told: &TakeOut, table: &Table) -> Result<Vec<u8>, Error> {
    let at = DateTime::parse_from_rfc3339(&told.time).map_err(|error| Error::Internal(error.to_string()))?;
    let local = FixedOffset::east_opt(ZONE_HOURS * 3600).map(|zone| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string());
    let note = if about.of_people { NOTE } else { OF_NUMBERS };
    let stamp = Stamp {
        school: &format!("{}（{}）", told.school_name, told.school),
        who: &format!("{}（{}）", told.account_name, told.account),
        when: &local.unwrap_or_default(),
        at: at.with_timezone(&Utc),
        purpose: &told.purpose,
        receipt: &told.take_out,
        note: &if told.narrowed.is_empty() { note.to_owned() } else { format!("范围：{}。{note}", told.narrowed) },
    };
    let name = if told.counts { format!("{}统计", about.name) } else { about.name.to_owned() };
    let sheet = TakenSheet { name: &name, columns: &table.columns, rows: &table.rows };
    xuezhu_workbook::taken(&[sheet], &stamp).map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_said_in_words_and_names_nobody_by_number() {
        let longest = "核".repeat(200);
        for (said, good) in [
            ("上报", true),
            ("  开学统计  ", true),
            (longest.as_str(), true),
            (&format!("{longest}核"), false),
            ("核", false),
            ("", false),
            ("  ", false),
            ("给13912345678的家长", false),
            ("查110105 19491231 002X", false),
            ("2026-11-26统计", true),
            ("核\u{202e}对", false),
        ] {
            assert_eq!(purpose_of(said).is_ok(), good, "{said}");
        }
        assert_eq!(purpose_of("  开学统计  ").ok().as_deref(), Some("开学统计"));
    }
}
