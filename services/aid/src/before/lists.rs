//! Lists of before: what was submitted becomes rounds, with what columns tell and no more. Of one list what was approved is one round, what
//! waits at the department another, what waits at the principal a third: nobody kept what was submitted together. What was sent back left,
//! and nobody kept from which.

use std::collections::HashMap;

use chrono::DateTime;
use uuid::Uuid;
use xuezhu_domain::SchoolCode;
use xuezhu_judge::entry::State;
use xuezhu_review::{
    ActRow, OfSchool,
    former::{self, Former, FormerItem},
    way::{Act, Chain},
};
use xuezhu_service::{Error, Keyring, clock::civil_day, conversion};
use xuezhu_store::{StoreError, Tx, TxFuture};

use super::store::{self, LineRow, ListRow};
use crate::award::{self, kind};

/// Lists that one transaction takes over: each may have thousands of entries.
const LISTS: i64 = 100;
/// The step of the principal, and that of the department.
const PRINCIPAL: usize = 0;
const DEPARTMENT: usize = 1;

/// Takes lists over, in the order of their ids.
pub(super) fn convert<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let lists = store::lists(tx, conversion::after_id(after)?, LISTS).await?;
        let last = lists.last().map(|row| row.list.to_string());
        let ids: Vec<Uuid> = lists.iter().map(|row| row.list).collect();
        let mut lines: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
        for line in store::lines(tx, &ids).await? {
            lines.entry(line.list).or_default().push(line);
        }
        let attested: Vec<Uuid> = lines.iter().filter(|(_, lines)| lines.iter().any(|line| line.state == State::Attested)).map(|(list, _)| *list).collect();
        let mut attesters: HashMap<Uuid, (String, i64)> = HashMap::new();
        if let Some(since_us) = lists.iter().filter(|list| attested.contains(&list.list)).map(|list| list.created_at_us).min() {
            // The last one counts. The audit holds ids as they were asked for.
            for (list, account, at_us) in store::attesters(tx, &attested, since_us).await? {
                if let Ok(list) = list.parse() {
                    attesters.insert(list, (account, at_us));
                }
            }
        }
        for list in &lists {
            let lines = lines.remove(&list.list).unwrap_or_default();
            take_over(tx, list, lines, attesters.get(&list.list)).await?;
            award::settle(tx, list.list).await?;
        }
        let again = attested.iter().filter(|list| !attesters.contains_key(list)).count();
        if again > 0 {
            tracing::warn!(lists = again, "nobody knows who attested: these lists wait at their principals again");
        }
        Ok(last)
    })
}

/// Whose the school is; its province's where no generation of the mirror that is left names it: somebody must be able to decide.
fn authority(list: &ListRow) -> Result<String, Error> {
    if !list.authority.is_empty() {
        return Ok(list.authority.clone());
    }
    Ok(list.school.parse::<SchoolCode>().map_err(|_| StoreError::Corrupt("school of a list"))?.province())
}

async fn take_over(tx: &mut Tx, list: &ListRow, lines: Vec<LineRow>, attester: Option<&(String, i64)>) -> Result<(), Error> {
    let chain: Chain = kind::ABOUT.chain.parse().map_err(|_| StoreError::Corrupt("chain"))?;
    let authority = authority(list)?;
    let stands = chain.resolved(&list.school, &authority);
    // The ids of a list's rounds are its own but for the last digit: later ones sort behind.
    for (state, place) in [(State::Approved, 0), (State::Attested, 1), (State::Submitted, 2)] {
        let of_state: Vec<&LineRow> = lines.iter().filter(|line| line.state == state).collect();
        if of_state.is_empty() {
            continue;
        }
        // Who attested may not approve: where it isn't known who did, somebody attests again.
        let again = state == State::Attested && attester.is_none();
        if again {
            store::submitted_again(tx, &of_state.iter().map(|line| line.entry).collect::<Vec<_>>()).await?;
        }
        let step = if state == State::Submitted || again { PRINCIPAL } else { DEPARTMENT };
        let submitted_day =
            list.submitted_day.or(list.attested_day).unwrap_or_else(|| civil_day(DateTime::from_timestamp_micros(list.created_at_us).unwrap_or_default()));
        let items: Vec<FormerItem> = of_state
            .iter()
            .map(|line| FormerItem {
                item: kind::item(line.entry, &line.name, &line.months, &line.tier, line.amount_fen, &line.content_hash),
                performed: state == State::Approved,
                refusal: String::new(),
            })
            .collect();
        let former = Former {
            dossier: Uuid::from_u128(list.list.as_u128() ^ place),
            kind: &kind::ABOUT,
            school: OfSchool { code: &list.school, authority: &authority },
            subject: Some(list.list),
            stands: stands.clone(),
            step,
            since_day: if step == DEPARTMENT { list.attested_day.unwrap_or(submitted_day) } else { submitted_day },
            submitted_day,
            acts: acts(list, state, items.len(), attester),
            items,
        };
        former::take_over(tx, former).await?;
    }
    Ok(())
}

/// What columns, and of what waits the audit, tell of who did what.
fn acts(list: &ListRow, state: State, items: usize, attester: Option<&(String, i64)>) -> Vec<ActRow> {
    let items = i32::try_from(items).unwrap_or(i32::MAX);
    let unknown = ActRow {
        ordinal: 0,
        step: 0,
        act: Act::Submit,
        account: String::new(),
        name: String::new(),
        role: String::new(),
        day: None,
        at_us: 0,
        reason: String::new(),
        digest: String::new(),
        items: 0,
        performed: 0,
    };
    let mut acts = vec![ActRow { account: list.submitted_by.clone(), name: list.submitted_by_name.clone(), day: list.submitted_day, ..unknown.clone() }];
    if state != State::Submitted {
        let (account, at_us) = attester.filter(|_| state == State::Attested).cloned().unwrap_or_default();
        acts.push(ActRow {
            ordinal: 1,
            act: Act::Sign,
            account,
            at_us,
            name: list.attested_by_name.clone(),
            day: list.attested_day,
            digest: list.attested_digest.clone(),
            ..unknown.clone()
        });
    }
    if state == State::Approved {
        acts.push(ActRow { ordinal: 2, step: 1, act: Act::Sign, name: list.approved_by_name.clone(), performed: items, ..unknown });
    }
    acts
}
