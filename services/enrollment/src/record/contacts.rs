//! What a school keeps itself of an approved student: what carries no money and is nobody's identity. What stood before is kept.

use uuid::Uuid;
use xuezhu_domain::{
    codes::COLUMNS,
    record::{self, Way},
};
use xuezhu_proto::common::Problem;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Reason, Refusal};
use xuezhu_store::Tx;

use super::{Said, locked, sees_all, shown};
use crate::{
    import::{
        Students, by_hand,
        row::{columns_of, content_with},
    },
    roll::{self, kept},
    students,
};

/// Says such columns otherwise; returns what is doubtful about them.
pub async fn change(ctx: &Context, tx: &mut Tx, of: &Students, enrollment: Uuid, etag: &str, said: &Said) -> Result<Vec<Problem>, Error> {
    // A class teacher keeps up those of her classes.
    let school = students::student_for(ctx, tx, &of.school, enrollment, Permission::CorrectContacts).await?;
    let row = locked(tx, &school, enrollment, etag).await?;
    let state = roll::state_of(row.state)?;
    if !state.meaning().counts {
        let why = if state.is_editable() { "；草稿请直接修改" } else { "" };
        return Err(Refusal::wrong_state(format!("当前为“{}”，只有在读或休学的学生可以修改联系信息{why}", state.name())).into());
    }
    of_way(Way::Contact, said)?;
    let details = roll::drafts::details_of(tx, &of.parts, std::iter::once(enrollment)).await?.remove(&enrollment).unwrap_or_default();
    let stored = columns_of(&details);
    let was = |header: &str| stored.get(header).map_or("", String::as_str);
    let said = shown::unmasked(said.clone(), was, sees_all(ctx, &school))?;
    let (kept, checked) = by_hand::look_at_columns(ctx, tx, of, &stored, &said).await?;
    let doubts = checked.passed()?;
    let changed: Said = kept.into_iter().filter(|(header, value)| was(header) != value).collect();
    if changed.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "内容与现有的相同，没有改动").into());
    }
    let before: Said = changed.iter().map(|(header, _)| (*header, was(header).to_owned())).collect();
    let after = content_with(&details, &changed);
    let columns = columns_of(&after);
    let change = kept::Change {
        enrollment,
        kind: kept::Kind::Contacts,
        from: ctx.today(),
        before: &lines(&before),
        after: &lines(&changed),
        details: &after,
        phone: columns.get("联系电话").map_or("", String::as_str),
        reason: "",
    };
    kept::change(ctx, tx, &of.parts, &change).await?;
    Ok(doubts)
}

/// Refuses columns that another way changes, and says which.
pub(super) fn of_way(way: Way, said: &Said) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    for (header, _) in said {
        match record::of(header).map(|kept| kept.way) {
            Some(known) if known == way => {}
            other => errors.add(header, other.map_or("不能修改", Way::advice)),
        }
    }
    errors.check()
}

/// Columns as they are kept, a line each, in the order of the workbook.
pub(super) fn lines(columns: &Said) -> String {
    let value = |header: &str| columns.iter().find(|(known, _)| *known == header).map(|(_, value)| value);
    COLUMNS.iter().filter_map(|column| Some(format!("{}={}\n", column.header, value(column.header)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_they_were_written_in_whatever_order_they_were_typed() {
        let said = vec![("成员1联系电话", "138".to_owned()), ("家庭现地址", "某街\n3号".to_owned()), ("联系电话", String::new())];
        let read = columns_of(&lines(&said));
        assert_eq!((read.len(), said.iter().all(|(header, value)| read.get(header) == Some(value))), (3, true), "{read:?}");
    }
}
