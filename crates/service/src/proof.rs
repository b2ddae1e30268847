//! That a database and the keys it is opened with belong together. With another hash key every number is another person's, with
//! another sealing key nothing opens: such a start must end before it does anything.

use xuezhu_store::{Db, StoreError, Tx, TxFuture, one, rows, run, sql};

use crate::{
    keyring::{KeyCheck, Keyring},
    refusal::Error,
};

/// What a sealed row of a database says of the keys: whether it opens and its number has the key that stands beside it; `None`
/// where no row is sealed.
pub type Sample = for<'t> fn(&'t Keyring, &'t mut Tx) -> TxFuture<'t, Option<bool>, Error>;

/// Compares the keys with what the database knows of them; writes nothing. A database that knows none yet, from before, is asked by
/// a sealed row of `table`; a new one takes any.
pub async fn prove(db: &Db, keyring: &Keyring, table: &str, sample: Sample) -> Result<(), Error> {
    let mut tx = db.read().await?;
    let proved = compare(&mut tx, keyring, table, sample).await;
    tx.rollback().await?;
    proved
}

async fn compare(tx: &mut Tx, keyring: &Keyring, table: &str, sample: Sample) -> Result<(), Error> {
    let known =
        if has_table(tx, "key_checks").await? { rows!(tx, (String, String, Vec<u8>), "SELECT kind, key_id, key_check FROM key_checks")? } else { Vec::new() };
    if known.is_empty() {
        if has_table(tx, table).await? && sample(keyring, tx).await? == Some(false) {
            return Err(Error::Keys("这个数据库不是用这份密钥封存的：封存的内容打不开，或证件号的散列不符；请使用与该数据库一同备份的密钥文件".into()));
        }
        return Ok(());
    }
    let checks = keyring.checks();
    for (kind, what) in [("hash", "散列"), ("seal", "封存")] {
        // Rows may be sealed under any of them.
        let is_here = |id: &str, value: &[u8]| checks.iter().any(|check| check.kind == kind && check.key_id == id && check.check == value);
        let missing: Vec<&str> = known.iter().filter(|(of, id, value)| of == kind && !is_here(id, value)).map(|(_, id, _)| id.as_str()).collect();
        if !missing.is_empty() {
            let ids = missing.join("、");
            let why = format!("密钥文件与数据库不符：数据库用的是{what}密钥 {ids}，文件中没有它；请使用与该数据库一同备份的密钥文件，不要新建");
            return Err(Error::Keys(why));
        }
    }
    Ok(())
}

/// Compares the keys with what the database under a living process knows of them: it may have been put back to another one's.
pub(crate) async fn still(db: &Db, keyring: &Keyring) -> Result<(), Error> {
    let mut tx = db.read().await?;
    let known = rows!(&mut tx, (i32,), "SELECT 1 FROM key_checks LIMIT 1");
    let compared = compare(&mut tx, keyring, "key_checks", |_, _| Box::pin(async { Ok(None) })).await;
    tx.rollback().await?;
    if known?.is_empty() {
        return Err(Error::Keys("数据库中没有密钥的校验值：它不是本服务启动时的数据库".into()));
    }
    compared
}

/// Keeps by what the keys are known again.
pub async fn keep(db: &Db, keyring: &Keyring) -> Result<(), Error> {
    db.write(&keyring.checks(), |tx, checks| {
        Box::pin(async move {
            for KeyCheck { kind, key_id, check } in checks {
                let insert = "INSERT INTO key_checks (kind, key_id, key_check) VALUES ($1, $2, $3) ON CONFLICT (kind, key_id) DO NOTHING";
                run!(tx, insert, *kind, key_id, &check[..])?;
            }
            Ok(())
        })
    })
    .await
}

/// Whether a database has a table: one that was never opened has none.
pub async fn has_table(tx: &mut Tx, table: &str) -> Result<bool, StoreError> {
    let found = one!(
        tx,
        (i32,),
        sql!(
            "SELECT 1 FROM "
            only(
                sqlite "sqlite_master WHERE type = 'table' AND name = $1",
                postgres "information_schema.tables WHERE table_schema = current_schema() AND table_name = $1"
            )
        ),
        table
    )?;
    Ok(found.is_some())
}
