//! A file of accounts: new ones are opened without a password. One that is there is left as it is; what differs is told.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_domain::region;
use xuezhu_intake::{About, Act, At, Effect, Fault, Findings, KEPT, Kind, Of, Options, Placed, Read, Sheet, What, Work};
use xuezhu_service::{Context, Error};
use xuezhu_store::Tx;
use xuezhu_workbook::{Row, Table};

use super::{
    item_of, may_in, refusal,
    rules::{self, Layout, Reader},
    store,
};
use crate::{
    Parts,
    directory::{
        self, AccountRow, NewAccount,
        api::new_account,
        confirmation, deputies, may_keep,
        store::{self as kept},
        teachers,
    },
};

/// Accounts as a file.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// What the use cases need.
    pub parts: Arc<Parts>,
    /// Region of who sends it; empty for all.
    pub region: String,
}

/// A row with the hash of what it says.
#[derive(Debug, Clone)]
pub struct Said {
    content: [u8; 32],
    account: NewAccount,
}

/// Hash of what is said of an account.
fn content_of(parts: &Parts, [account, name, role, organisation]: [&str; 4]) -> [u8; 32] {
    parts.keyring.content_hash([account, name, role, organisation].join("\n").as_bytes())
}

impl Kind for Accounts {
    const ABOUT: About = About {
        code: 4,
        import: "ImportAccounts",
        commit: "CommitAccountImport",
        report: "GetAccountImport",
        list: "ListAccountImports",
        marked: "DownloadMarkedAccounts",
        take_back: "TakeBackAccountImport",
    };
    /// The civil day: names of regions are those of its year.
    type Rules = NaiveDate;
    type Layout = Layout;
    type Row = Said;

    fn sheet() -> Sheet {
        let notes = vec![
            "一人一行，从第4行起填写；一个账号只给一个人用。".to_owned(),
            "写入后还没有密码：请在导入结果页生成一次性密码，一人一页打印后当面交给本人。".to_owned(),
        ];
        Sheet { title: rules::ACCOUNTS, notes, columns: rules::ACCOUNT_COLUMNS.to_vec(), marks: rules::ACCOUNT_MARKS, taken_out: false }
    }

    fn of(&self) -> Of {
        Of { school: self.region.clone(), subject: None }
    }

    /// A code is one for all regions, and regions lie within one another.
    fn turn(&self) -> String {
        String::new()
    }

    fn may<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx, _: Act) -> Work<'t, ()> {
        Box::pin(async move { may_in(ctx, &self.region) })
    }

    fn rules<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx) -> Work<'t, NaiveDate> {
        Box::pin(async move { Ok(ctx.today()) })
    }

    fn layout(&self, table: &Table, options: Options) -> Layout {
        Layout::new(table, &rules::ACCOUNT_COLUMNS, options.blank_clears)
    }

    fn read(&self, today: &NaiveDate, layout: &Layout, row: &Row) -> Read<Said> {
        let mut reader = Reader::new(layout, row, &rules::ACCOUNT_COLUMNS);
        let asked = reader.account(today.year());
        let account = new_account(&asked).map_err(|error| reader.refused(error, rules::account_column)).ok().filter(|_| reader.faults.is_empty());
        let doubted = account.iter().filter(|account| account.organisation.len() == 6);
        let doubts =
            doubted.filter_map(|account| Some(Fault::new("所属", &account.organisation, region::REGION_UNKNOWN, region::doubt(&account.organisation)?)));
        let doubts = doubts.collect();
        let said = |account: NewAccount| {
            let content = content_of(&self.parts, [&account.account, &account.display_name, account.role.as_str(), &account.organisation]);
            Said { content, account }
        };
        Read { row: account.map(said), faults: reader.faults, doubts }
    }

    fn content(row: &Said) -> [u8; 32] {
        row.content
    }

    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        _: &'t NaiveDate,
        rows: &'t [&'t At<Said>],
        _: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Said>>> {
        Box::pin(async move {
            let names: Vec<String> = rows.iter().map(|at| at.row.account.account.clone()).collect();
            let known: HashMap<String, AccountRow> = kept::accounts(tx, &names).await?.into_iter().map(|row| (row.account.clone(), row)).collect();
            let of_schools = rows.iter().filter(|at| at.row.account.role.is_of_school()).map(|at| at.row.account.organisation.as_str());
            let schools = directory::schools(tx, of_schools).await?;
            let (mut seen, mut placed): (HashMap<&str, u32>, Vec<Placed<Said>>) = (HashMap::new(), Vec::new());
            for (at, At { spot, row }) in rows.iter().enumerate() {
                let new = &row.account;
                if let Some(first) = seen.insert(&new.account, spot.row) {
                    let why = format!("与第{first}行的账号相同：一人一个账号，请改用别的名称");
                    found.fault(*spot, &Fault::new("账号", &new.account, "DUPLICATE_IN_FILE", why));
                    continue;
                }
                let school = schools.get(&new.organisation).filter(|_| new.role.is_of_school());
                if new.role.is_of_school() && school.is_none() {
                    found.fault(*spot, &Fault::new("所属", &new.organisation, "NO_SUCH_SCHOOL", "没有这所学校，请先登记学校"));
                } else if refusal(may_keep(ctx, new.role, &new.organisation, school))?.is_some() {
                    found.fault(*spot, &Fault::new("所属", &new.organisation, "FORBIDDEN", "不在您管理的区划内，不能开账号"));
                } else if let Some(known) = known.get(&new.account) {
                    if is_same(known, new) {
                        placed.push(Placed { at, what: What::Unchanged });
                    } else {
                        let why = "该账号已存在，姓名、角色或所属与本行不同：不是同一人的请另取账号；是同一人的请在账号页面停用后另开";
                        found.fault(*spot, &Fault::new("账号", &new.account, "ALREADY_THERE", why));
                    }
                } else {
                    placed.push(Placed { at, what: What::New { item: item_of("account", &new.account) } });
                }
            }
            Ok(placed)
        })
    }

    fn write<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: &'t NaiveDate, new: &'t [(Uuid, &'t Said)], _: &'t [(Uuid, &'t Said)]) -> Work<'t, ()> {
        Box::pin(async move {
            if new.is_empty() {
                return Ok(());
            }
            let items: Vec<(Uuid, &str)> = new.iter().map(|(item, row)| (*item, row.account.account.as_str())).collect();
            store::note(tx, &items).await?;
            let accounts: Vec<NewAccount> = (new.iter())
                .map(|(_, row)| NewAccount { unconfirmed_of: confirmation::by(ctx, &self.parts.safeguards, row.account.role, false), ..row.account.clone() })
                .collect();
            let accounts: Vec<&NewAccount> = accounts.iter().collect();
            kept::insert_accounts(ctx, tx, &accounts, ctx.now_us()).await
        })
    }

    fn take_back<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>> {
        Box::pin(take_back(self, ctx, tx, effects))
    }
}

/// Whether an account is what a row says.
fn is_same(known: &AccountRow, new: &NewAccount) -> bool {
    (known.display_name.as_str(), known.role.as_str(), &known.organisation) == (&new.display_name, new.role.as_str(), &new.organisation)
}

/// Takes back accounts with which nobody ever logged in.
async fn take_back(of: &Accounts, ctx: &Context, tx: &mut Tx, effects: &[Effect]) -> Result<Vec<(Uuid, Fault)>, Error> {
    let items: Vec<Uuid> = effects.iter().map(|effect| effect.item).collect();
    let names: HashMap<Uuid, String> = store::names(tx, &items).await?.into_iter().collect();
    let all: Vec<String> = names.values().cloned().collect();
    let rows: HashMap<String, AccountRow> = kept::accounts(tx, &all).await?.into_iter().map(|row| (row.account.clone(), row)).collect();
    let deputies: HashSet<String> = deputies::named(tx, &all).await?.into_iter().collect();
    let teaching: HashSet<String> = teachers::named(tx, &all).await?.into_iter().collect();
    let as_written =
        |effect: &Effect, row: &AccountRow| content_of(&of.parts, [&row.account, &row.display_name, &row.role, &row.organisation])[..] == effect.content[..];
    let goes = |effect: &&Effect| {
        let row = names.get(&effect.item).and_then(|name| rows.get(name));
        row.is_some_and(|row| as_written(effect, row) && !deputies.contains(&row.account) && !teaching.contains(&row.account))
    };
    let going: Vec<String> = effects.iter().filter(goes).filter_map(|effect| names.get(&effect.item).cloned()).collect();
    let gone: HashSet<String> = kept::delete_unused(ctx, tx, &going).await?.into_iter().collect();
    let stays = |effect: &Effect| {
        let name = names.get(&effect.item).map_or("", String::as_str);
        if gone.contains(name) {
            return None;
        }
        let why = if !rows.contains_key(name) {
            "该账号已经没有了".to_owned()
        } else if deputies.contains(name) {
            format!("账号{name}已受校长委托，不能撤回；不再使用的请停用")
        } else if teaching.contains(name) {
            format!("账号{name}已被指定为班主任，不能撤回；不再使用的请停用")
        } else {
            format!("账号{name}已登录过或重置过密码，不能撤回；不再使用的请停用")
        };
        Some((effect.item, Fault::new("账号", name, KEPT, why)))
    };
    Ok(effects.iter().filter_map(stays).collect())
}
