//! Lists in brief: what waits in each and for whom, counted for many lists at once.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_judge::entry::State;
use xuezhu_proto::aid::{self as pb};
use xuezhu_service::{Error, paging::Turn};
use xuezhu_store::Tx;

use super::{
    rounds::{Way, ways},
    store::{self, Filter, ListRow},
};
use crate::{Parts, policy::scheme_told};

/// Lists of a school, or of schools under an authority, newest first: those in which something waits, and those in which everything was
/// decided. Whoever calls has authorised it.
pub async fn lists(
    tx: &mut Tx,
    parts: &Parts,
    school: &str,
    authority_prefix: &str,
    (waiting, decided): (i64, i64),
) -> Result<(Vec<pb::AwardListInBrief>, Vec<pb::AwardListInBrief>), Error> {
    let filter = Filter { school: school.to_owned(), authority_prefix: authority_prefix.to_owned(), ..Filter::default() };
    let rows = store::lists(tx, &Filter { waits: true, ..filter.clone() }, &Turn::first(waiting)).await?;
    let done = store::lists(tx, &Filter { state: Some(State::Approved), ..filter }, &Turn::first(decided)).await?;
    let ids: Vec<Uuid> = rows.iter().chain(&done).map(|row| row.list).collect();
    let mut counts: HashMap<(Uuid, State), (i64, i64)> = HashMap::new();
    if !ids.is_empty() {
        counts.extend(store::counts(tx, &ids).await?.into_iter().map(|row| ((row.list, row.state), (row.entries, row.amount_fen))));
    }
    let ways = ways(tx, &ids).await?;
    let attested: Vec<Uuid> = ids.iter().copied().filter(|list| counts.contains_key(&(*list, State::Attested))).collect();
    let held = if attested.is_empty() { Vec::new() } else { store::held(tx, &attested).await? };
    let held: HashMap<Uuid, i64> = held.into_iter().filter(|row| row.state == State::Attested).map(|row| (row.list, row.entries)).collect();
    let told = |rows: Vec<ListRow>| rows.into_iter().map(|row| told(parts, row, &counts, &held, &ways)).collect();
    Ok((told(rows), told(done)))
}

fn told(
    parts: &Parts,
    row: ListRow,
    counts: &HashMap<(Uuid, State), (i64, i64)>,
    held: &HashMap<Uuid, i64>,
    ways: &HashMap<Uuid, Way>,
) -> pb::AwardListInBrief {
    let scheme = scheme_told(&parts.policies.now(), &row.scheme);
    let way = ways.get(&row.list).cloned().unwrap_or_default();
    let of = |state: State| counts.get(&(row.list, state)).copied().unwrap_or_default();
    let count = |state: State| small(of(state).0);
    pb::AwardListInBrief {
        list: row.list.to_string(),
        due_date: super::due(parts, &row).map(|due| due.to_string()).unwrap_or_default(),
        scheme: scheme.scheme,
        scheme_code: scheme.scheme_code,
        scheme_name: scheme.scheme_name,
        supplement: row.supplement,
        drafts: count(State::Draft),
        submitted: count(State::Submitted),
        attested: count(State::Attested),
        approved: count(State::Approved),
        sent_back: count(State::SentBack),
        held_attested: small(held.get(&row.list).copied().unwrap_or_default()),
        submitted_date: way.submitted_day.map(|day| day.to_string()).unwrap_or_default(),
        attested_date: way.attested_day.map(|day| day.to_string()).unwrap_or_default(),
        approved_fen: of(State::Approved).1,
        school: row.school,
        school_name: row.school_name,
        authority: row.authority,
        term: row.term,
    }
}

fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
