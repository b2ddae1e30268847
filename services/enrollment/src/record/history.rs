//! What was done with a student's record, a line each, the latest first.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_domain::{BondKind, codes, enrollment::State};
use xuezhu_proto::enrollment::{HistoryLine, history_line::Kind};
use xuezhu_service::{Error, clock::rfc3339};
use xuezhu_store::Tx;

use super::shown::shown;
use crate::{
    Parts, directory,
    import::row::columns_of,
    roll::{
        kept, persons,
        story::{self, Part},
    },
};

/// A line before it is told, with what it is ordered by and the account that recorded it.
struct Line {
    at_us: i64,
    account: String,
    told: HistoryLine,
}

/// The lines of a record, for somebody who sees what leads to a student, or doesn't.
pub async fn lines(tx: &mut Tx, parts: &Parts, enrollment: Uuid, person: Option<Uuid>, all: bool) -> Result<Vec<HistoryLine>, Error> {
    let story = story::stories(tx, &[enrollment], None).await?.remove(&enrollment).unwrap_or_default();
    let mut lines = of_periods(story.parts());
    if let Some(person) = person {
        let former = persons::former_names(tx, person).await?;
        lines.extend(persons::corrections(tx, person).await?.iter().map(|row| of_correction(row, &former, row.enrollment == enrollment)));
    }
    lines.extend(kept::changes(tx, parts, enrollment).await?.iter().map(|change| of_change(change, all)));
    let mut accounts: Vec<&str> = lines.iter().map(|line| line.account.as_str()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let names: HashMap<String, String> = directory::display_names(tx, &accounts).await?;
    // Of what was recorded at once, the first stays first.
    lines.sort_by_key(|line| std::cmp::Reverse(line.at_us));
    let told = |Line { at_us, account, told }: Line| HistoryLine {
        recorded_time: rfc3339(at_us),
        // Whose account is gone is named by it.
        actor: names.get(&account).cloned().unwrap_or(account),
        ..told
    };
    Ok(lines.into_iter().map(told).collect())
}

/// Each part of the story, by what is other than in the one before.
fn of_periods(parts: &[Part]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let (row, before) = (&part.period, at.checked_sub(1).map(|at| &parts[at].period));
        let mut add = |kind: Kind, act: &str, what: String| {
            let text = [what, row.reason.clone()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("；");
            let line = HistoryLine { kind: kind.into(), date: row.from_date.to_string(), act: act.to_owned(), text, ..HistoryLine::default() };
            lines.push(Line { at_us: row.recorded_at_us, account: row.recorded_by.clone(), told: line });
        };
        let Some(before) = before else {
            let act = if row.state == State::NeverCame.code() { State::NeverCame.name() } else { "入学" };
            add(Kind::Status, act, format!("{}，{}", major(&row.major), row.class_name));
            continue;
        };
        if before.state != row.state {
            let act = match State::from_code(row.state) {
                // Who is in school again was on leave.
                Some(State::InSchool) => "复学",
                Some(state) => state.name(),
                None => "状态变更",
            };
            add(Kind::Status, act, String::new());
        }
        if before.class_name != row.class_name {
            add(Kind::Class, "调班", format!("{} → {}", before.class_name, row.class_name));
        }
        if before.major != row.major {
            add(Kind::Major, "转专业", format!("{} → {}", major(&before.major), major(&row.major)));
        }
    }
    lines
}

fn major(key: &str) -> &str {
    codes::major_of_key(key).map_or(key, |major| major.name)
}

fn of_correction(row: &persons::CorrectionRow, former: &[(String, chrono::NaiveDate)], is_own: bool) -> Line {
    let act = if BondKind::from_code(row.kind) == Some(BondKind::Mistyped) { "身份信息更正（录入错误）" } else { "身份信息变更" };
    let names: Vec<&str> = former.iter().filter(|(_, day)| *day == row.recorded_day).map(|(name, _)| name.as_str()).collect();
    let mut what: Vec<String> = if names.is_empty() { Vec::new() } else { vec![format!("原姓名：{}", names.join("、"))] };
    if row.numbers > 0 {
        what.push("证件号已更改".to_owned());
    }
    // What another school and its department said of it is theirs.
    if is_own {
        what.push(row.reason.clone());
    }
    let line =
        HistoryLine { kind: Kind::Identity.into(), date: row.effective.to_string(), act: act.to_owned(), text: what.join("；"), ..HistoryLine::default() };
    Line { at_us: row.recorded_at_us, account: if is_own { row.recorded_by.clone() } else { String::new() }, told: line }
}

fn of_change(change: &kept::Changed, all: bool) -> Line {
    let (kind, act) = match change.kind {
        kept::Kind::Contacts => (Kind::Contacts, "修改联系信息"),
        kept::Kind::AidFacts => (Kind::AidFacts, "涉助信息变更"),
    };
    let (before, after) = (columns_of(&change.before), columns_of(&change.after));
    let value = |of: &HashMap<&'static str, String>, header: &str| {
        let (shown, _) = shown(header, of.get(header).map_or("", String::as_str), all);
        if shown.is_empty() { "（空）".to_owned() } else { shown }
    };
    let columns = codes::COLUMNS.iter().map(|column| column.header).filter(|header| after.contains_key(header));
    let mut what: Vec<String> = columns.map(|header| format!("{header}：{} → {}", value(&before, header), value(&after, header))).collect();
    what.extend((!change.reason.is_empty()).then(|| change.reason.clone()));
    let line = HistoryLine { kind: kind.into(), date: change.from.to_string(), act: act.to_owned(), text: what.join("；"), ..HistoryLine::default() };
    Line { at_us: change.recorded_at_us, account: change.recorded_by.clone(), told: line }
}
