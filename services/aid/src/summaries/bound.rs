//! What a department signs for a term keeps its truth: a summary with its lines is bound to what acts write of it.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::Said;
use xuezhu_store::{StoreError, Tx};

use super::store::{self, BoundLine, SummaryRow};

/// Summaries, as they are bound.
pub static SUMMARY: Kind = Kind {
    code: 8,
    name: "term summary",
    at_once: 100,
    say: |tx, keys| Box::pin(say(tx, keys)),
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            Ok(store::bound_after(tx, after, limit).await?.into_iter().map(Key::Id).collect())
        })
    },
};

async fn say(tx: &mut Tx, keys: &[Key]) -> Result<Vec<(Key, Said)>, StoreError> {
    let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
    let mut said: HashMap<Uuid, Said> = store::bound(tx, &ids).await?.iter().map(|row| (row.summary, of_summary(row))).collect();
    for line in store::bound_lines(tx, &ids).await? {
        if let Some(of) = said.remove(&line.summary) {
            said.insert(line.summary, of_line(of, &line));
        }
    }
    Ok(said.into_iter().map(|(summary, said)| (Key::Id(summary), said)).collect())
}

fn of_summary(row: &SummaryRow) -> Said {
    let SummaryRow { summary, authority, term, number, state, dossier, reason, digest, submitted_by, submitted_day, signed_by, signed_day } = row;
    let said = Said::of("term summary").bytes(summary.as_bytes()).text(authority).text(term).number((*number).into()).number(state.code().into());
    let said = said.bytes(dossier.as_bytes()).text(reason).text(digest).text(submitted_by).text(signed_by);
    let day = |day: Option<NaiveDate>| day.map_or(0, |day| day.num_days_from_ce().into());
    said.number(day(Some(*submitted_day))).number(day(*signed_day))
}

fn of_line(said: Said, line: &BoundLine) -> Said {
    let BoundLine { line, summary: _, school, school_name, scheme, entries, units, fen } = line;
    said.text("line").bytes(line.as_bytes()).text(school).text(school_name).text(scheme).number(*entries).number(*units).number(*fen)
}
