//! SQL of accounts.

use serde::Serialize;
use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::{Chain, Said};
use xuezhu_domain::region;
use xuezhu_service::{Actor, Context, Error, Reason, Refusal, Role, sessions::Used};
use xuezhu_store::{Bytes, StoreError, Tx, bulk_rows, bulk_texts, one, rows, run, sql};

use super::{NewAccount, rules::PasswordUse};

/// An account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AccountRow {
    /// Name to log in with.
    pub account: String,
    /// Name of the person.
    pub display_name: String,
    /// Role.
    pub role: String,
    /// School or region code.
    pub organisation: String,
    /// Argon2id hash.
    pub password_hash: String,
    /// Whether the password is a one-time one.
    pub must_change_password: bool,
    /// From when on its sessions are good, microseconds since 1970.
    pub sessions_from_us: i64,
    /// When its newest session was opened, microseconds since 1970.
    pub last_opened_us: i64,
    /// Request id of the last own change of password; empty after a reset.
    pub password_request: String,
    /// Whether it is closed.
    pub disabled: bool,
    /// Code of what its password is good for.
    pub password_use: i32,
    /// Until when a one-time password lets in, microseconds since 1970; 0 for as long as it is there.
    pub password_until_us: i64,
    /// Its second factor, sealed; none where it has none.
    pub factor: Option<Vec<u8>>,
    /// Who opened it, or gave it a password, while nobody else confirmed that.
    pub unconfirmed_of: String,
    /// Check of what it may, under the service's key.
    pub row_check: Option<Vec<u8>>,
    /// Region code of the department that its school is under; empty where it is of none.
    pub authority: String,
    /// Name of its school; empty where it is of none.
    pub school_name: String,
}

impl AccountRow {
    /// Whether what it may is as the service wrote it.
    pub fn is_as_written(&self, rows: &Chain) -> bool {
        let bound = Bound {
            account: &self.account,
            role: &self.role,
            organisation: &self.organisation,
            password_hash: &self.password_hash,
            disabled: self.disabled,
            factor: self.factor.as_deref(),
            unconfirmed_of: &self.unconfirmed_of,
        };
        self.row_check.as_ref().is_some_and(|check| rows.is_check(&bound.said(), check))
    }

    /// Who it stands for, in a session opened at a time.
    pub fn actor(&self, opened_us: i64) -> Result<Actor, Error> {
        Ok(Actor {
            account: self.account.clone(),
            display_name: self.display_name.clone(),
            role: Role::parse(&self.role).ok_or(StoreError::Corrupt("role"))?,
            organisation: self.organisation.clone(),
            must_change_password: self.must_change_password,
            must_set_factor: false,
            session_us: opened_us,
            stands_in: None,
            classes: Vec::new(),
        })
    }

    /// When a session is opened, and from when on sessions are good that are opened after others were ended: later than all
    /// before. A request begins before it has its turn, and clocks of processes differ: now may lie before both.
    pub fn next_us(&self, now_us: i64) -> i64 {
        now_us.max(self.sessions_from_us + 1).max(self.last_opened_us + 1)
    }
}

#[derive(Serialize)]
struct NewRow<'n> {
    account: &'n str,
    display_name: &'n str,
    role: &'static str,
    organisation: &'n str,
    hash: &'n str,
    unconfirmed_of: &'n str,
}

/// A password for one log-in.
#[derive(Debug, Serialize)]
pub struct NewPassword {
    /// Whose.
    pub account: String,
    /// Its hash.
    pub hash: String,
    /// The hash that stood there.
    pub seen: String,
}

/// Locks accounts, in order: who changes several and who changes one take turns.
async fn lock_accounts(tx: &mut Tx, accounts: impl Iterator<Item = &str>) -> Result<(), StoreError> {
    let locked = rows!(
        tx,
        (String,),
        sql!("SELECT account FROM accounts WHERE account" in_texts 1 " ORDER BY account" only(sqlite "", postgres " FOR UPDATE")),
        bulk_texts(accounts)
    );
    locked.map(drop)
}

/// Locks an account: changes are made one after the other.
pub async fn lock_account(tx: &mut Tx, account: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE accounts SET wrong_passwords = wrong_passwords WHERE account = $1", account)?;
    Ok(())
}

pub async fn account(tx: &mut Tx, account: &str) -> Result<Option<AccountRow>, StoreError> {
    one!(
        tx,
        AccountRow,
        "SELECT account, display_name, role, organisation, password_hash, must_change_password, sessions_from_us, last_opened_us,
                password_request, disabled, password_use, password_until_us, factor, unconfirmed_of, row_check,
                coalesce((SELECT authority FROM schools WHERE schools.code = accounts.organisation), '') AS authority,
                coalesce((SELECT name FROM schools WHERE schools.code = accounts.organisation), '') AS school_name
         FROM accounts WHERE account = $1",
        account
    )
}

/// Display names of accounts.
pub async fn display_names(tx: &mut Tx, accounts: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    rows!(tx, (String, String), sql!("SELECT account, display_name FROM accounts WHERE account" in_texts 1), bulk_texts(accounts))
}

/// Whose accounts are asked for.
#[derive(Debug, Clone)]
pub struct Filter {
    /// First digits of the region of the department that the organisation is under.
    pub authority_prefix: String,
    /// One organisation alone; empty for all.
    pub organisation: String,
    /// Part of account or name, as a LIKE pattern; empty for all.
    pub pattern: String,
}

/// A page of accounts, by name.
pub async fn accounts_after(tx: &mut Tx, filter: &Filter, after: &str, limit: i64) -> Result<Vec<AccountRow>, StoreError> {
    rows!(
        tx,
        AccountRow,
        "SELECT account, display_name, role, organisation, password_hash, must_change_password, sessions_from_us, last_opened_us,
                password_request, disabled, password_use, password_until_us, factor, unconfirmed_of, row_check,
                coalesce((SELECT s.authority FROM schools s WHERE s.code = a.organisation), '') AS authority,
                coalesce((SELECT s.name FROM schools s WHERE s.code = a.organisation), '') AS school_name
         FROM accounts a WHERE ($1 = '' OR organisation = $1)
           AND ($2 = '' OR substr(coalesce((SELECT s.authority FROM schools s WHERE s.code = a.organisation), a.organisation), 1, length($2)) = $2)
           AND ($3 = '' OR account LIKE $3 ESCAPE '!' OR lower(display_name) LIKE $3 ESCAPE '!') AND account > $4
         ORDER BY account LIMIT $5",
        &filter.organisation,
        &filter.authority_prefix,
        &filter.pattern,
        after,
        limit
    )
}

/// Accounts before one, the nearest first.
pub async fn accounts_before(tx: &mut Tx, filter: &Filter, before: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    let found = rows!(
        tx,
        (String,),
        "SELECT account FROM accounts a WHERE ($1 = '' OR organisation = $1)
           AND ($2 = '' OR substr(coalesce((SELECT s.authority FROM schools s WHERE s.code = a.organisation), a.organisation), 1, length($2)) = $2)
           AND ($3 = '' OR account LIKE $3 ESCAPE '!' OR lower(display_name) LIKE $3 ESCAPE '!') AND account < $4
         ORDER BY account DESC LIMIT $5",
        &filter.organisation,
        &filter.authority_prefix,
        &filter.pattern,
        before,
        limit
    )?;
    Ok(found.into_iter().map(|(account,)| account).collect())
}

/// How many accounts there are of a filter.
pub async fn count_accounts(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let found = one!(
        tx,
        (i64,),
        "SELECT count(*) FROM accounts a WHERE ($1 = '' OR organisation = $1)
           AND ($2 = '' OR substr(coalesce((SELECT s.authority FROM schools s WHERE s.code = a.organisation), a.organisation), 1, length($2)) = $2)
           AND ($3 = '' OR account LIKE $3 ESCAPE '!' OR lower(display_name) LIKE $3 ESCAPE '!')",
        &filter.organisation,
        &filter.authority_prefix,
        &filter.pattern
    )?;
    Ok(found.map_or(0, |(count,)| count))
}

/// Administrators of the whole deployment who can log in, held against each other's acts until the transaction ends. Who never
/// did may not know the one-time password any more.
pub async fn administrators(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let held = rows!(
        tx,
        (String, bool, i64),
        sql!(
            "SELECT account, disabled, last_opened_us FROM accounts WHERE role = 'ADMINISTRATOR' AND organisation = '' ORDER BY account"
            only(sqlite "", postgres " FOR UPDATE")
        )
    )?;
    Ok(held.into_iter().filter(|(_, disabled, opened_us)| !disabled && *opened_us > 0).map(|(account, ..)| account).collect())
}

pub async fn has_accounts(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM accounts LIMIT 1")?.is_some())
}

/// What of an account its check is made of: who it lets in, by what, and what they may.
struct Bound<'b> {
    account: &'b str,
    role: &'b str,
    organisation: &'b str,
    password_hash: &'b str,
    disabled: bool,
    factor: Option<&'b [u8]>,
    unconfirmed_of: &'b str,
}

impl Bound<'_> {
    /// What came later is said only where it is there: what was bound before still holds.
    fn said(&self) -> Said {
        let said = Said::of("account").text(self.account).text(self.role).text(self.organisation).text(self.password_hash).number(self.disabled.into());
        let said = match self.factor {
            Some(factor) => said.text("factor").bytes(factor),
            None => said,
        };
        if self.unconfirmed_of.is_empty() { said } else { said.text("unconfirmed").text(self.unconfirmed_of) }
    }
}

/// An account as it is bound.
#[derive(sqlx::FromRow)]
struct BoundRow {
    account: String,
    role: String,
    organisation: String,
    password_hash: String,
    disabled: bool,
    factor: Option<Vec<u8>>,
    unconfirmed_of: String,
}

impl BoundRow {
    fn said(&self) -> Said {
        let Self { account, role, organisation, password_hash, disabled, factor, unconfirmed_of } = self;
        Bound { account, role, organisation, password_hash, disabled: *disabled, factor: factor.as_deref(), unconfirmed_of }.said()
    }
}

/// Binds what accounts may to their checks, as the rows stand: after whatever changes that, in the same transaction.
pub(super) async fn bind(tx: &mut Tx, rows: &Chain, accounts: &[&str]) -> Result<(), StoreError> {
    let found = rows!(
        tx,
        BoundRow,
        sql!("SELECT account, role, organisation, password_hash, disabled, factor, unconfirmed_of FROM accounts WHERE account" in_texts 1),
        bulk_texts(accounts)
    )?;
    let checks: Vec<Check> = (found.into_iter())
        .map(|row| {
            let check = rows.check(&row.said());
            Check { account: row.account, row_check: Bytes(check.to_vec()) }
        })
        .collect();
    set_checks(tx, &checks).await
}

/// Believes an account as it stands, which verification goes on naming where a hand had changed it: for who stands at the database with its keys.
pub async fn believe(ctx: &Context, tx: &mut Tx, account: &str) -> Result<(), Error> {
    ctx.touch(tx, &ACCOUNT, [named(account)]).await?;
    Ok(bind(tx, ctx.rows()?, &[account]).await?)
}

async fn set_checks(tx: &mut Tx, checks: &[Check]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!("UPDATE accounts SET row_check = t.row_check FROM " table 1 (account text, row_check bytea) " WHERE accounts.account = t.account"),
        bulk_rows(checks)
    )?;
    Ok(())
}

#[derive(Serialize)]
struct Check {
    account: String,
    row_check: Bytes,
}

/// Binds accounts after one that have no check as yet: of before; returns the last that it looked at.
pub async fn bind_of_before(tx: &mut Tx, rows: &Chain, after: &str, limit: i64) -> Result<Option<String>, StoreError> {
    let found = rows!(tx, (String, bool), "SELECT account, row_check IS NULL FROM accounts WHERE account > $1 ORDER BY account LIMIT $2", after, limit)?;
    let unbound: Vec<&str> = found.iter().filter(|(_, unbound)| *unbound).map(|(account, _)| account.as_str()).collect();
    bind(tx, rows, &unbound).await?;
    Ok(found.last().map(|(account, _)| account.clone()))
}

/// What accounts say, of who may log in by what, and what they may: bound by a check that is looked at when somebody logs in, and to what acts
/// write of them.
pub static ACCOUNT: Kind = Kind {
    code: 1,
    name: "account",
    at_once: 2_000,
    say: |tx, keys| {
        Box::pin(async move {
            let names = keys.iter().map(Key::name).collect::<Result<Vec<_>, _>>()?;
            let found = rows!(
                tx,
                BoundRow,
                sql!("SELECT account, role, organisation, password_hash, disabled, factor, unconfirmed_of FROM accounts WHERE account" in_texts 1),
                bulk_texts(names)
            )?;
            Ok(found.iter().map(|row| (named(&row.account), row.said())).collect())
        })
    },
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::name).transpose()?;
            // Whoever adds one by hand may give it no name at all.
            let found = rows!(
                tx,
                (String,),
                "SELECT account FROM accounts WHERE account >= $1 AND ($2 IS NULL OR account <> $2) ORDER BY account LIMIT $3",
                after.unwrap_or_default(),
                after,
                limit
            )?;
            Ok(found.into_iter().map(|(account,)| Key::Name(account)).collect())
        })
    },
};

/// Says that accounts are about to be changed, which whoever calls has locked. One that is not as the service wrote it is changed by nobody: the
/// act would bind what a hand made of it.
pub(super) async fn touch(ctx: &Context, tx: &mut Tx, accounts: &[&str]) -> Result<(), Error> {
    let rows = ctx.rows()?;
    let found = rows!(
        tx,
        CheckedRow,
        sql!(
            "SELECT account, role, organisation, password_hash, disabled, factor, unconfirmed_of, row_check FROM accounts WHERE account" in_texts 1
            " ORDER BY account"
        ),
        bulk_texts(accounts)
    )?;
    if let Some(row) = found.iter().find(|row| row.is_altered(rows)) {
        return Err(altered_row(&row.bound.account).into());
    }
    ctx.touch(tx, &ACCOUNT, accounts.iter().copied().map(named)).await
}

/// Said of an account that is not as the service wrote it.
pub(super) fn altered_row(account: &str) -> Refusal {
    tracing::error!(account, "what the account may is not as the service wrote it: it lets nobody in, and nobody changes it; run `xuezhu admin verify`");
    let why = format!("账号{account}的登记内容与系统写入的不一致，可能被人在数据库中改动，不能登录，也不能办理；请联系系统运维人员核查");
    Refusal::new(Reason::RowAltered, why)
}

fn named(account: &str) -> Key {
    Key::Name(account.to_owned())
}

/// Accounts whose check does not fit them: they can't log in.
pub async fn altered(tx: &mut Tx, rows: &Chain) -> Result<Vec<String>, StoreError> {
    let found =
        rows!(tx, CheckedRow, "SELECT account, role, organisation, password_hash, disabled, factor, unconfirmed_of, row_check FROM accounts ORDER BY account")?;
    Ok(found.into_iter().filter(|row| row.is_altered(rows)).map(|row| row.bound.account).collect())
}

#[derive(sqlx::FromRow)]
struct CheckedRow {
    #[sqlx(flatten)]
    bound: BoundRow,
    row_check: Option<Vec<u8>>,
}

impl CheckedRow {
    fn is_altered(&self, rows: &Chain) -> bool {
        !self.row_check.as_ref().is_some_and(|check| rows.is_check(&self.bound.said(), check))
    }
}

pub async fn insert_account(ctx: &Context, tx: &mut Tx, new: &NewAccount, now_us: i64, until_us: i64) -> Result<(), Error> {
    ctx.touch(tx, &ACCOUNT, [named(&new.account)]).await?;
    run!(
        tx,
        "INSERT INTO accounts (account, display_name, role, organisation, password_hash, must_change_password, wrong_passwords, locked_until_us, created_at_us,
                               password_use, password_until_us, unconfirmed_of)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $8, $9, $10)",
        &new.account,
        &new.display_name,
        new.role.as_str(),
        &new.organisation,
        &new.password_hash,
        true,
        now_us,
        PasswordUse::Once.code(),
        until_us,
        &new.unconfirmed_of
    )?;
    Ok(bind(tx, ctx.rows()?, &[&new.account]).await?)
}

/// Who opened accounts, or gave them passwords, that another one has to confirm; empty: nobody has to any more.
pub async fn set_unconfirmed(ctx: &Context, tx: &mut Tx, accounts: &[&str], unconfirmed_of: &str) -> Result<(), Error> {
    lock_accounts(tx, accounts.iter().copied()).await?;
    touch(ctx, tx, accounts).await?;
    run!(tx, sql!("UPDATE accounts SET unconfirmed_of = $2 WHERE account" in_texts 1), bulk_texts(accounts), unconfirmed_of)?;
    Ok(bind(tx, ctx.rows()?, accounts).await?)
}

/// Accounts that another one has to confirm, after one by name: of a region with all below it, or of the schools of one department.
pub async fn unconfirmed_after(tx: &mut Tx, organisation: &str, is_department: bool, after: &str, limit: i64) -> Result<Vec<AccountRow>, StoreError> {
    let prefix = region::prefix_or_all(organisation);
    rows!(
        tx,
        AccountRow,
        "SELECT account, display_name, role, organisation, password_hash, must_change_password, sessions_from_us, last_opened_us,
                password_request, disabled, password_use, password_until_us, factor, unconfirmed_of, row_check,
                coalesce((SELECT s.authority FROM schools s WHERE s.code = a.organisation), '') AS authority,
                coalesce((SELECT s.name FROM schools s WHERE s.code = a.organisation), '') AS school_name
         FROM accounts a WHERE unconfirmed_of <> '' AND account > $1
           AND ($2 = '' OR substr(coalesce((SELECT s.authority FROM schools s WHERE s.code = a.organisation), a.organisation), 1, length($2)) = $2)
           AND ($3 = '' OR (SELECT s.authority FROM schools s WHERE s.code = a.organisation) = $3)
         ORDER BY account LIMIT $4",
        after,
        prefix,
        if is_department { organisation } else { "" },
        limit
    )
}

/// Opens accounts, which have no password yet where their hash is empty.
pub async fn insert_accounts(ctx: &Context, tx: &mut Tx, new: &[&NewAccount], now_us: i64) -> Result<(), Error> {
    ctx.touch(tx, &ACCOUNT, new.iter().map(|new| named(&new.account))).await?;
    let written: Vec<NewRow> = (new.iter())
        .map(|new| NewRow {
            account: &new.account,
            display_name: &new.display_name,
            role: new.role.as_str(),
            organisation: &new.organisation,
            hash: &new.password_hash,
            unconfirmed_of: &new.unconfirmed_of,
        })
        .collect();
    run!(
        tx,
        sql!("INSERT INTO accounts (account, display_name, role, organisation, password_hash, must_change_password, wrong_passwords, locked_until_us, created_at_us,
                                    unconfirmed_of)
              SELECT t.account, t.display_name, t.role, t.organisation, t.hash, true, 0, 0, $2, t.unconfirmed_of FROM "
             table 1 (account text, display_name text, role text, organisation text, hash text, unconfirmed_of text)),
        bulk_rows(&written),
        now_us
    )?;
    Ok(bind(tx, ctx.rows()?, &new.iter().map(|new| new.account.as_str()).collect::<Vec<_>>()).await?)
}

/// Accounts by their names.
pub async fn accounts(tx: &mut Tx, names: &[String]) -> Result<Vec<AccountRow>, StoreError> {
    rows!(
        tx,
        AccountRow,
        sql!("SELECT account, display_name, role, organisation, password_hash, must_change_password, sessions_from_us,
                     last_opened_us, password_request, disabled, password_use, password_until_us, factor,
                     unconfirmed_of, row_check, coalesce((SELECT s.authority FROM schools s WHERE s.code = accounts.organisation), '') AS authority,
                coalesce((SELECT s.name FROM schools s WHERE s.code = accounts.organisation), '') AS school_name
              FROM accounts WHERE account" in_texts 1 " ORDER BY account"),
        bulk_texts(names)
    )
}

/// Gives accounts passwords for one log-in, where nobody logged in and the password is still the one that was seen; returns those that have
/// them now.
pub async fn set_passwords_once(ctx: &Context, tx: &mut Tx, new: &[NewPassword], until_us: i64) -> Result<Vec<String>, Error> {
    let accounts: Vec<&str> = new.iter().map(|new| new.account.as_str()).collect();
    lock_accounts(tx, accounts.iter().copied()).await?;
    touch(ctx, tx, &accounts).await?;
    let set = rows!(
        tx,
        (String,),
        sql!("UPDATE accounts SET password_hash = t.hash, must_change_password = true, password_request = '', password_use = $2, password_until_us = $3
              FROM " table 1 (account text, hash text, seen text)
             " WHERE accounts.account = t.account AND accounts.last_opened_us = 0 AND accounts.password_hash = t.seen RETURNING accounts.account"),
        bulk_rows(new),
        PasswordUse::Once.code(),
        until_us
    )?;
    let set: Vec<String> = set.into_iter().map(|(account,)| account).collect();
    bind(tx, ctx.rows()?, &set.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    Ok(set)
}

/// Deletes accounts with which nobody ever logged in; returns which.
pub async fn delete_unused(ctx: &Context, tx: &mut Tx, names: &[String]) -> Result<Vec<String>, Error> {
    lock_accounts(tx, names.iter().map(String::as_str)).await?;
    ctx.touch(tx, &ACCOUNT, names.iter().map(|name| named(name))).await?;
    let gone = rows!(tx, (String,), sql!("DELETE FROM accounts WHERE account" in_texts 1 " AND last_opened_us = 0 RETURNING account"), bulk_texts(names))?;
    Ok(gone.into_iter().map(|(account,)| account).collect())
}

/// What the password of an account is good for from now on.
pub async fn set_password_use(tx: &mut Tx, account: &str, left: PasswordUse) -> Result<(), StoreError> {
    run!(tx, "UPDATE accounts SET password_use = $2 WHERE account = $1", account, left.code())?;
    Ok(())
}

/// Sets the password that its owner chose, which ends the account's sessions.
pub async fn set_password(ctx: &Context, tx: &mut Tx, account: &str, hash: &str, request_id: &str, from_us: i64) -> Result<(), Error> {
    touch(ctx, tx, &[account]).await?;
    run!(
        tx,
        "UPDATE accounts SET password_hash = $2, must_change_password = $3, password_request = $4, sessions_from_us = $5, last_opened_us = $5, password_use = $6,
                password_until_us = 0
         WHERE account = $1",
        account,
        hash,
        false,
        request_id,
        from_us,
        PasswordUse::Always.code()
    )?;
    end_all(tx, account).await?;
    Ok(bind(tx, ctx.rows()?, &[account]).await?)
}

/// Gives an account a password for one log-in until a time, which ends its sessions.
pub async fn set_one_time(ctx: &Context, tx: &mut Tx, account: &str, hash: &str, from_us: i64, until_us: i64) -> Result<(), Error> {
    touch(ctx, tx, &[account]).await?;
    run!(
        tx,
        "UPDATE accounts SET password_hash = $2, must_change_password = $3, password_request = '', sessions_from_us = $4, last_opened_us = $4, password_use = $5,
                password_until_us = $6
         WHERE account = $1",
        account,
        hash,
        true,
        from_us,
        PasswordUse::Once.code(),
        until_us
    )?;
    end_all(tx, account).await?;
    Ok(bind(tx, ctx.rows()?, &[account]).await?)
}

/// Keeps the hash of a password that is given up at a time, and so many of those before.
pub async fn keep_former(tx: &mut Tx, account: &str, hash: &str, until_us: i64, before: i64) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO former_passwords (account, until_us, password_hash) VALUES ($1, $2, $3)", account, until_us, hash)?;
    run!(
        tx,
        "DELETE FROM former_passwords WHERE account = $1
           AND until_us NOT IN (SELECT until_us FROM former_passwords WHERE account = $1 ORDER BY until_us DESC LIMIT $2)",
        account,
        before
    )?;
    Ok(())
}

/// Hashes of the passwords that an account had last.
pub async fn former(tx: &mut Tx, account: &str) -> Result<Vec<String>, StoreError> {
    let found = rows!(tx, (String,), "SELECT password_hash FROM former_passwords WHERE account = $1", account)?;
    Ok(found.into_iter().map(|(hash,)| hash).collect())
}

/// Whether an account has logged in from an address.
pub async fn is_known_from(tx: &mut Tx, account: &str, address: &str) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM account_addresses WHERE account = $1 AND address = $2", account, address)?.is_some())
}

/// An account logged in from an address; so many of the last ones are remembered.
pub async fn came_from(tx: &mut Tx, account: &str, address: &str, now_us: i64, most: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO account_addresses (account, address, last_us) VALUES ($1, $2, $3) ON CONFLICT (account, address) DO UPDATE SET last_us = excluded.last_us",
        account,
        address,
        now_us
    )?;
    run!(
        tx,
        "DELETE FROM account_addresses WHERE account = $1
           AND address NOT IN (SELECT address FROM account_addresses WHERE account = $1 ORDER BY last_us DESC, address LIMIT $2)",
        account,
        most
    )?;
    Ok(())
}

/// Closes an account, which ends its sessions, or opens it.
pub async fn set_disabled(ctx: &Context, tx: &mut Tx, account: &str, disabled: bool, from_us: i64) -> Result<(), Error> {
    touch(ctx, tx, &[account]).await?;
    run!(tx, "UPDATE accounts SET disabled = $2, sessions_from_us = $3, last_opened_us = $3 WHERE account = $1", account, disabled, from_us)?;
    end_all(tx, account).await?;
    Ok(bind(tx, ctx.rows()?, &[account]).await?)
}

/// Ends every session of an account.
pub async fn end_sessions(tx: &mut Tx, account: &str, from_us: i64) -> Result<(), StoreError> {
    run!(tx, "UPDATE accounts SET sessions_from_us = $2, last_opened_us = $2 WHERE account = $1", account, from_us)?;
    end_all(tx, account).await
}

/// Accounts whose sessions ended at or after a time, and when.
pub async fn sessions_since(tx: &mut Tx, at_us: i64) -> Result<Vec<(String, i64)>, StoreError> {
    rows!(tx, (String, i64), "SELECT account, sessions_from_us FROM accounts WHERE sessions_from_us >= $1", at_us)
}

/// Notes that a session was opened.
pub async fn open_session(tx: &mut Tx, account: &str, opened_us: i64) -> Result<(), StoreError> {
    run!(tx, "UPDATE accounts SET last_opened_us = $2 WHERE account = $1", account, opened_us)?;
    Ok(())
}

/// Counts a session among those that are open.
pub async fn count_session(tx: &mut Tx, account: &str, opened_us: i64) -> Result<(), StoreError> {
    run!(tx, "INSERT INTO open_sessions (account, opened_us, uses) VALUES ($1, $2, 0)", account, opened_us)?;
    Ok(())
}

/// Sessions of an account that are open beyond its newest ones, oldest first.
pub async fn sessions_beyond(tx: &mut Tx, account: &str, newest: i64) -> Result<Vec<i64>, StoreError> {
    let all = rows!(tx, (i64,), "SELECT opened_us FROM open_sessions WHERE account = $1 ORDER BY opened_us", account)?;
    let beyond = all.len().saturating_sub(usize::try_from(newest).unwrap_or(usize::MAX));
    Ok(all.into_iter().take(beyond).map(|(opened_us,)| opened_us).collect())
}

/// Every session that is open, with how often it was told to be used.
pub async fn open_sessions(tx: &mut Tx) -> Result<Vec<(String, i64, i64)>, StoreError> {
    rows!(tx, (String, i64, i64), "SELECT account, opened_us, uses FROM open_sessions")
}

/// Notes once more that sessions are used.
pub async fn use_sessions(tx: &mut Tx, used: &[Used]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Row<'r> {
        account: &'r str,
        opened_us: i64,
    }
    let rows: Vec<Row> = used.iter().map(|used| Row { account: &used.account, opened_us: used.opened_us }).collect();
    run!(
        tx,
        sql!("UPDATE open_sessions SET uses = uses + 1 FROM " table 1 (account text, opened_us bigint)
             " WHERE open_sessions.account = t.account AND open_sessions.opened_us = t.opened_us"),
        bulk_rows(&rows)
    )?;
    Ok(())
}

/// Ends one session; returns whether it was among those that are open.
pub async fn end_session(tx: &mut Tx, account: &str, opened_us: i64) -> Result<bool, StoreError> {
    let gone = run!(tx, "DELETE FROM open_sessions WHERE account = $1 AND opened_us = $2", account, opened_us)?;
    run!(tx, "INSERT INTO ended_sessions (account, opened_us) VALUES ($1, $2) ON CONFLICT DO NOTHING", account, opened_us)?;
    Ok(gone > 0)
}

/// Forgets which sessions of an account are open: all of them are over.
async fn end_all(tx: &mut Tx, account: &str) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM open_sessions WHERE account = $1", account)?;
    Ok(())
}

pub async fn is_ended(tx: &mut Tx, account: &str, opened_us: i64) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM ended_sessions WHERE account = $1 AND opened_us = $2", account, opened_us)?.is_some())
}

/// Sessions that were ended one by one, opened at or after a time.
pub async fn ended_since(tx: &mut Tx, at_us: i64) -> Result<Vec<(String, i64)>, StoreError> {
    rows!(tx, (String, i64), "SELECT account, opened_us FROM ended_sessions WHERE opened_us >= $1", at_us)
}

pub async fn forget_ended(tx: &mut Tx, before_us: i64) -> Result<(), StoreError> {
    run!(tx, "DELETE FROM ended_sessions WHERE opened_us < $1", before_us)?;
    run!(tx, "DELETE FROM open_sessions WHERE opened_us < $1", before_us)?;
    Ok(())
}
