//! Submissions of before become dossiers with the same ids: with what their columns tell, and no more. Rows that were sent back have left
//! them, and nobody kept from which; of an approval only the name was kept.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_review::{
    ActRow, OfSchool,
    former::{self, Former, FormerItem},
    way::{Act, Chain},
};
use xuezhu_service::{Error, Keyring, conversion};
use xuezhu_store::{StoreError, Tx, TxFuture};

use super::store::{self, SubmissionRow};
use crate::{
    registration::kind,
    roll::{self, sheet},
};

/// Submissions that one transaction takes over: each may have many rows.
const SUBMISSIONS: i64 = 20;
/// Where a submission of before stood: word and code.
pub const STAGES: [(&str, i32); 3] = [("SUBMITTED", 1), ("ATTESTED", ATTESTED), ("DONE", DONE)];
const ATTESTED: i32 = 2;
const DONE: i32 = 51;
/// The step of the principal, and that of the department.
const PRINCIPAL: usize = 0;
const DEPARTMENT: usize = 1;

/// Takes submissions over, in the order of their ids.
pub(super) fn convert<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::submissions(tx, conversion::after_id(after)?, SUBMISSIONS).await?;
        let last = rows.last().map(|row| row.submission.to_string());
        for row in rows {
            take_over(tx, &row).await?;
        }
        Ok(last)
    })
}

async fn take_over(tx: &mut Tx, row: &SubmissionRow) -> Result<(), Error> {
    let set: HashMap<Uuid, (State, String)> = (store::rows_of(tx, row.submission).await?.into_iter())
        .map(|(enrollment, state, refusal)| Ok((enrollment, (roll::state_of(state)?, refusal))))
        .collect::<Result<_, Error>>()?;
    let ids: Vec<Uuid> = set.keys().copied().collect();
    let items: Vec<FormerItem> = (sheet::lines(tx, &ids).await?.into_iter())
        .filter_map(|line| set.get(&line.enrollment).map(|(state, refusal)| (line, *state, refusal.clone())))
        .map(|(line, state, refusal)| FormerItem { item: kind::item(line), performed: state.is_approved(), refusal })
        .collect();
    // Who attested may not approve: where it isn't known who did, somebody attests again.
    let again = row.state == ATTESTED && row.attested_by.is_empty();
    if again {
        store::submitted_again(tx, row.submission).await?;
    }
    let attested = row.state == ATTESTED || (row.state == DONE && was_attested(row));
    let step = if attested && !again { DEPARTMENT } else { PRINCIPAL };
    let chain: Chain = kind::ABOUT.chain.parse().map_err(|_| StoreError::Corrupt("chain"))?;
    let former = Former {
        dossier: row.submission,
        kind: &kind::ABOUT,
        school: OfSchool { code: &row.school, authority: &row.authority },
        subject: None,
        stands: chain.resolved(&row.school, &row.authority),
        step,
        since_day: if step == DEPARTMENT { row.attested_day.unwrap_or(row.submitted_day) } else { row.submitted_day },
        submitted_day: row.submitted_day,
        acts: acts(row, items.iter().filter(|item| item.performed).count()),
        items,
    };
    former::take_over(tx, former).await
}

fn was_attested(row: &SubmissionRow) -> bool {
    !row.attested_by.is_empty() || !row.attested_by_name.is_empty()
}

/// What the columns tell of who did what. How many items an act covered was not kept.
fn acts(row: &SubmissionRow, performed: usize) -> Vec<ActRow> {
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
    let mut acts = vec![ActRow {
        account: row.submitted_by.clone(),
        name: row.submitted_by_name.clone(),
        day: Some(row.submitted_day),
        at_us: row.submitted_at_us,
        digest: row.digest.clone(),
        ..unknown.clone()
    }];
    if was_attested(row) {
        acts.push(ActRow {
            ordinal: 1,
            act: Act::Sign,
            account: row.attested_by.clone(),
            name: row.attested_by_name.clone(),
            day: row.attested_day,
            at_us: row.attested_at_us,
            digest: row.attested_digest.clone(),
            ..unknown.clone()
        });
    }
    if !row.approved_by_name.is_empty() {
        acts.push(ActRow {
            ordinal: i32::try_from(acts.len()).unwrap_or(i32::MAX),
            step: 1,
            act: Act::Sign,
            name: row.approved_by_name.clone(),
            performed: i32::try_from(performed).unwrap_or(i32::MAX),
            ..unknown
        });
    }
    acts
}
