//! Publishing again what a higher format changes: a source that knows more than before says it of every record.

use uuid::Uuid;
use xuezhu_service::{Context, Error};
use xuezhu_store::{Db, Tx, TxFuture};

use crate::{
    Shared,
    format::FORMAT,
    log::{encode, publish},
    store,
};

/// Records that are looked at in one transaction.
const CHUNK: i64 = 500;

/// Makes the bodies of records anew, as they are to be shared now; the service that owns them knows how. Records that are
/// shared no more are left out.
pub type Renew = for<'t> fn(&'t Context, &'t mut Tx, i32, Vec<Uuid>) -> TxFuture<'t, Vec<Shared>, Error>;

/// Goes through all that was shared in a lower format and publishes what differs now; returns how many. Each chunk is one
/// transaction; what a stop cut short is done again, and finds nothing to publish where it was done.
pub async fn renew(db: &Db, ctx: &Context, renew: Renew) -> Result<u64, Error> {
    let mut tx = db.read().await?;
    let format = store::shared_format(&mut tx).await?;
    tx.rollback().await?;
    if format >= FORMAT {
        return Ok(0);
    }
    let (mut after, mut published) = ((0, Uuid::nil()), 0);
    loop {
        let with = (ctx.clone(), after, renew);
        let (seen, changed) = db.write(&with, |tx, (ctx, after, renew)| Box::pin(chunk(ctx, tx, *after, *renew))).await?;
        published += changed;
        match seen {
            Some(last) => after = last,
            None => break,
        }
    }
    db.write(&(), |tx, ()| Box::pin(async move { store::note_shared_format(tx, FORMAT).await.map_err(Error::from) })).await?;
    tracing::info!(from = format, to = FORMAT, published, "all records are shared in the present format");
    Ok(published)
}

/// One chunk after a record: the last that was looked at, none at the end, and how many were published.
async fn chunk(ctx: &Context, tx: &mut Tx, after: (i32, Uuid), renew: Renew) -> Result<(Option<(i32, Uuid)>, u64), Error> {
    let rows = store::shared_after(tx, after.0, after.1, CHUNK).await?;
    let Some((kind, ..)) = rows.first() else { return Ok((None, 0)) };
    // One kind at a time: the next chunk begins with the next one.
    let rows: Vec<&(i32, Uuid, Vec<u8>)> = rows.iter().take_while(|row| row.0 == *kind).collect();
    let shared = renew(ctx, tx, *kind, rows.iter().map(|row| row.1).collect()).await?;
    let differs = |shared: &Shared| rows.iter().any(|row| row.1 == shared.id && row.2 != encode(&shared.body));
    let changed: Vec<Shared> = shared.into_iter().filter(differs).collect();
    publish(ctx, tx, &changed).await?;
    Ok((rows.last().map(|row| (row.0, row.1)), changed.len() as u64))
}
