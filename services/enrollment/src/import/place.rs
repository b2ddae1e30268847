//! Whom a row means, and what it does to what is there: by number, else by the school's own 学号.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use xuezhu_domain::{enrollment::State, text::comparable_name};
use xuezhu_intake::{At, Fault, Findings, Options, Placed, What};
use xuezhu_service::{Context, Error};
use xuezhu_store::Tx;

use super::{Keyed, Students, undo};
use crate::{
    registration::{self, LiveRow},
    roll::{self, drafts::Standing},
};

/// Rows that say whom they are about by whole numbers.
pub type Rows<'r> = &'r [At<&'r Keyed>];

/// Says of each row what it does.
pub async fn place(of: &Students, ctx: &Context, tx: &mut Tx, rows: Rows<'_>, options: Options, found: &mut Findings) -> Result<Vec<Placed<Keyed>>, Error> {
    let single = without_duplicates(rows, found);
    warn_of_others(of, tx, rows, &single, found).await?;
    doubt_majors(rows, found);
    let known = Known::load(of, tx).await?;
    let changed = single.iter().filter_map(|at| known.met(rows[*at].row).filter(|known| known.content_hash != rows[*at].row.content));
    let stored = roll::drafts::standing(tx, changed.map(|known| known.enrollment)).await?;
    match_rows(of, ctx, rows, &single, (&known, &stored), options, found)
}

/// Says what a row does that is known to mean one record: whether that may hold what it says, and how it stands; none where it is not there.
pub async fn place_own(of: &Students, tx: &mut Tx, own: Uuid, row: &At<&Keyed>, major: &str, found: &mut Findings) -> Result<(), Error> {
    let At { spot, row: keyed } = row;
    warn_of_others(of, tx, std::slice::from_ref(row), &[0], found).await?;
    doubt_majors(std::slice::from_ref(row), found);
    let known = Known::load(of, tx).await?;
    if known.under_own(keyed).is_some_and(|other| other.enrollment != own) {
        let why = "该证件号属于本校另一名学生，请核对";
        found.fault(*spot, &Fault::new("身份证件号", &keyed.row.id.masked(), "ALREADY_THERE", why));
    }
    if known.under_number(keyed).is_some_and(|other| other.enrollment != own) {
        found.fault(*spot, &Fault::new("学号", &keyed.row.school_number, "SCHOOL_NUMBER_TAKEN", "该学号属于本校另一名学生，请核对"));
    }
    if known.gone(keyed).is_some() {
        found.fault(*spot, &has_left(keyed));
    }
    if keyed.row.major_ended.is_some() && keyed.row.major.key() != major {
        found.fault(*spot, &major_ended(keyed));
    }
    Ok(())
}

/// Rule ID-6: the same number, or the same 学号, twice in one file is a fault of each row after the first.
fn without_duplicates(rows: Rows<'_>, found: &mut Findings) -> Vec<usize> {
    let mut keys: HashMap<Uuid, u32> = HashMap::with_capacity(rows.len());
    let mut numbers: HashMap<&str, u32> = HashMap::with_capacity(rows.len());
    let mut single = Vec::with_capacity(rows.len());
    for (at, At { spot, row }) in rows.iter().enumerate() {
        let by_key = keys.get(&row.key);
        let by_number = numbers.get(row.row.school_number.as_str());
        if let Some(first) = by_key {
            let why = format!("与第{first}行的身份证件号相同，请删除重复的行");
            found.fault(*spot, &Fault::new("身份证件号", &row.row.id.masked(), "DUPLICATE_IN_FILE", why));
        }
        if let Some(first) = by_number {
            found.fault(*spot, &Fault::new("学号", &row.row.school_number, "DUPLICATE_IN_FILE", format!("与第{first}行的学号相同")));
        }
        if by_key.is_none() && by_number.is_none() {
            keys.insert(row.key, spot.row);
            if !row.row.school_number.is_empty() {
                numbers.insert(&row.row.school_number, spot.row);
            }
            single.push(at);
        }
    }
    single
}

/// Rule ID-6 across schools: a warning, decided at approval; the other school is never named.
async fn warn_of_others(of: &Students, tx: &mut Tx, rows: Rows<'_>, single: &[usize], found: &mut Findings) -> Result<(), Error> {
    let keys = single.iter().map(|at| rows[*at].row.key);
    let elsewhere: HashSet<Uuid> = registration::keys_elsewhere(tx, &of.school, keys).await?.into_iter().collect();
    for At { spot, row } in single.iter().map(|at| &rows[*at]).filter(|at| elsewhere.contains(&at.row.key)) {
        let why = "该证件号在另一所学校已有学籍或正在申报；可以先录入，审核时以先获批准者为准";
        found.doubt(*spot, &Fault::new("身份证件号", &row.row.id.masked(), "ELSEWHERE", why));
    }
    Ok(())
}

/// Tells once, at its first row, what is doubtful about a major.
fn doubt_majors(rows: Rows<'_>, found: &mut Findings) {
    let mut told = HashSet::new();
    for At { spot, row } in rows {
        if let Some(doubt) = row.row.major.doubt().filter(|_| told.insert(row.row.major.stored)) {
            found.doubt(*spot, &Fault::new("专业简称", row.row.major.name, "MAJOR_CODE", doubt));
        }
    }
}

/// What a school has, by what rows are met by.
struct Known {
    rows: Vec<LiveRow>,
    by_key: HashMap<Uuid, usize>,
    by_id: HashMap<Uuid, usize>,
    by_number: HashMap<String, usize>,
    /// Whoever left stands in next month's workbook too: the same month of entry and 学号 are the one who left, not a new entry. Who
    /// never came is in none, and in one again only who comes after all.
    left: HashMap<(Uuid, i32, String), usize>,
    never_came: HashSet<(Uuid, i32)>,
    former: HashMap<(Uuid, String), Uuid>,
}

impl Known {
    async fn load(of: &Students, tx: &mut Tx) -> Result<Self, Error> {
        let rows = registration::all_of_school(tx, &of.school).await?;
        let former = registration::former_keys_at(tx, &of.school).await?;
        let mut known = Self {
            by_key: HashMap::with_capacity(rows.len()),
            by_id: HashMap::with_capacity(rows.len()),
            by_number: HashMap::with_capacity(rows.len()),
            left: HashMap::new(),
            never_came: HashSet::new(),
            former: former.into_iter().map(|(key, name, enrollment)| ((key, comparable_name(&name)), enrollment)).collect(),
            rows: Vec::new(),
        };
        for (at, row) in rows.iter().enumerate() {
            if row.state < State::FIRST_FINAL {
                known.by_key.insert(row.claim_key, at);
                known.by_id.insert(row.enrollment, at);
                if !row.school_number.is_empty() {
                    known.by_number.insert(row.school_number.clone(), at);
                }
            } else if row.state == State::Withdrawn.code() {
                known.left.insert((row.claim_key, row.entry_month, row.school_number.clone()), at);
            } else if row.state == State::NeverCame.code() {
                known.never_came.insert((row.claim_key, row.entry_month));
            }
        }
        known.rows = rows;
        Ok(known)
    }

    fn at(&self, at: Option<&usize>) -> Option<&LiveRow> {
        at.and_then(|at| self.rows.get(*at))
    }

    /// Under its number, present or former.
    fn under_own(&self, row: &Keyed) -> Option<&LiveRow> {
        let by_former = || self.at(self.by_id.get(self.former.get(&(row.key, comparable_name(&row.row.name)))?));
        self.at(self.by_key.get(&row.key)).or_else(by_former)
    }

    /// Under its 学号.
    fn under_number(&self, row: &Keyed) -> Option<&LiveRow> {
        self.at(self.by_number.get(row.row.school_number.as_str()))
    }

    /// The one who left.
    fn gone(&self, row: &Keyed) -> Option<&LiveRow> {
        if self.left.is_empty() {
            return None;
        }
        self.at(self.left.get(&(row.key, row.row.entry_month.number(), row.row.school_number.clone())))
    }

    /// Whomever a row may mean.
    fn met(&self, row: &Keyed) -> Option<&LiveRow> {
        self.under_own(row).or_else(|| self.under_number(row)).or_else(|| self.gone(row))
    }

    /// Who gets another 学号 by these rows.
    fn moving<'r>(&self, rows: impl Iterator<Item = &'r Keyed>) -> Result<HashSet<Uuid>, Error> {
        let mut moves = Vec::new();
        for row in rows.filter(|row| !row.row.school_number.is_empty()) {
            if let Some(known) = self.under_own(row).filter(|known| known.school_number != row.row.school_number)
                && roll::state_of(known.state)?.is_editable()
            {
                moves.push(Move { of: known.enrollment, from: self.under_number(row).map(|owner| owner.enrollment) });
            }
        }
        Ok(moving(&moves))
    }
}

/// Matches rows with what the school has.
fn match_rows(
    of: &Students,
    ctx: &Context,
    rows: Rows<'_>,
    single: &[usize],
    (known, stored): (&Known, &HashMap<Uuid, Standing>),
    options: Options,
    found: &mut Findings,
) -> Result<Vec<Placed<Keyed>>, Error> {
    let moving = known.moving(single.iter().map(|at| rows[*at].row))?;
    let mut placed = Vec::with_capacity(single.len());
    let mut claimed: HashSet<Uuid> = HashSet::new();
    for at in single.iter().copied() {
        let At { spot, row } = &rows[at];
        let met = known.met(row);
        let kept = met.and_then(|known| stored.get(&known.enrollment)).map(|standing| {
            // Absent isn't blank, nor is blank gone: what is stored stays, unless the clerk says otherwise.
            let mut kept = (*row).clone();
            let details = standing.row.details(&of.parts)?;
            kept.row.keep(&details, options.blank_clears);
            let content = kept.row.content();
            // An earlier version kept a code as it was typed: the same in other words is no change.
            let same = met.filter(|_| super::row::respelled(&details) == content).and_then(|known| known.content_hash[..].try_into().ok());
            kept.content = same.unwrap_or_else(|| of.parts.keyring.content_hash(content.as_bytes()));
            Ok::<_, Error>(kept)
        });
        let kept = kept.transpose()?;
        let row = kept.as_ref().unwrap_or(row);
        let same_key = known.under_own(row);
        // Whose number it was has another in this file.
        let same_number = known.under_number(row).filter(|owner| !moving.contains(&owner.enrollment));
        if let Some(why) = taken(row, same_key, same_number) {
            found.fault(*spot, &Fault::new("学号", &row.row.school_number, "SCHOOL_NUMBER_TAKEN", why));
            continue;
        }
        let Some(live) = same_key.or(same_number) else {
            match known.gone(row) {
                None if row.row.major_ended.is_some() => found.fault(*spot, &major_ended(row)),
                None => {
                    if known.never_came.contains(&(row.key, row.row.entry_month.number())) {
                        let why = "该生已按新生未报到注销；如确已到校，可以重新录入并申报，否则请从表中删去";
                        found.doubt(*spot, &Fault::new("身份证件号", &row.row.id.masked(), "NEVER_CAME", why));
                    }
                    placed.push(Placed { at, what: What::New { item: ctx.new_id() } });
                }
                Some(left) if left.content_hash == row.content => {
                    found.doubt(*spot, &has_left(row));
                    placed.push(Placed { at, what: What::Unchanged });
                }
                Some(_) => found.fault(*spot, &has_left(row)),
            }
            continue;
        };
        let state = roll::state_of(live.state)?;
        if live.content_hash == row.content {
            placed.push(Placed { at, what: What::Unchanged });
        } else if !claimed.insert(live.enrollment) {
            found.fault(*spot, &Fault::new("", "", "DUPLICATE_IN_FILE", "与文件中另一行是同一名学生，请只保留一行"));
        } else if state.is_editable() {
            let before = stored.get(&live.enrollment).map(undo::before).transpose()?.unwrap_or_default();
            placed.push(Placed { at, what: What::Changed { item: live.enrollment, base: live.content_hash.clone(), before, row: kept } });
        } else {
            let why = format!("该生当前为“{}”，与表中内容不同；导入不会修改已提交或已批准的学籍，请通过退回、异动或信息变更办理", state.name());
            found.fault(*spot, &Fault::new("", "", "ALREADY_SUBMITTED", why));
        }
    }
    Ok(placed)
}

/// Why a row's 学号 is another's.
fn taken(row: &Keyed, same_key: Option<&LiveRow>, same_number: Option<&LiveRow>) -> Option<&'static str> {
    match (same_key, same_number) {
        (Some(key), Some(number)) if key.enrollment != number.enrollment => Some("该学号属于本校另一名学生，请核对"),
        (None, Some(number)) if number.name_comparable != comparable_name(&row.row.name) => {
            Some("该学号属于本校另一名学生（姓名和证件号都不同），不会覆盖其记录，请核对学号")
        }
        _ => None,
    }
}

/// Said of a new row of a major that takes nobody new.
fn major_ended(row: &Keyed) -> Fault {
    Fault::new("专业简称", row.row.major.name, "MAJOR_ENDED", row.row.major_ended.clone().unwrap_or_default())
}

/// Said of a row of somebody who left the school.
fn has_left(row: &Keyed) -> Fault {
    let why = "该生已办理离校，本行不会录入；如确为重新入学，请填写重新入学的年月，同月重新入学的请编新的学号";
    Fault::new("学号", &row.row.school_number, "LEFT_SCHOOL", why)
}

/// A student whose 学号 a file changes.
struct Move {
    of: Uuid,
    /// Who has that number now.
    from: Option<Uuid>,
}

/// Who gets another 学号: a file is one set, in which numbers may be exchanged or shifted. Whose new number stays somebody else's keeps
/// the old one, and so does whoever waits for that.
fn moving(moves: &[Move]) -> HashSet<Uuid> {
    let mut moving: HashSet<Uuid> = moves.iter().map(|change| change.of).collect();
    let mut waiting: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for change in moves {
        if let Some(from) = change.from {
            waiting.entry(from).or_default().push(change.of);
        }
    }
    let mut staying: Vec<Uuid> = waiting.keys().copied().filter(|owner| !moving.contains(owner)).collect();
    while let Some(owner) = staying.pop() {
        for of in waiting.remove(&owner).unwrap_or_default() {
            if moving.remove(&of) {
                staying.push(of);
            }
        }
    }
    moving
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exchanged_and_shifted_as_a_set_or_stay() {
        let id = |number: u128| Uuid::from_u128(number);
        let moved = |moves: &[(u128, Option<u128>)]| {
            let moves: Vec<Move> = moves.iter().map(|(of, from)| Move { of: id(*of), from: from.map(id) }).collect();
            let mut moving: Vec<u128> = moving(&moves).into_iter().map(|id| id.as_u128()).collect();
            moving.sort_unstable();
            moving
        };
        // To a number that nobody has; exchanged; in a ring; shifted by one, the last to a free one.
        assert_eq!(moved(&[(1, None)]), [1]);
        assert_eq!(moved(&[(1, Some(2)), (2, Some(1))]), [1, 2]);
        assert_eq!(moved(&[(1, Some(2)), (2, Some(3)), (3, Some(1))]), [1, 2, 3]);
        assert_eq!(moved(&[(1, Some(2)), (2, Some(3)), (3, None)]), [1, 2, 3]);
        // The last one's number stays somebody's who is not in the file, or may not be changed: so do all before.
        assert_eq!(moved(&[(1, Some(2)), (2, Some(3)), (3, Some(9))]), [0_u128; 0]);
        assert_eq!(moved(&[(1, Some(2)), (4, Some(5)), (5, None)]), [4, 5]);
    }
}
