//! The record as it is read: every column by group, and what was done.

use uuid::Uuid;
use xuezhu_domain::{
    codes::{COLUMNS, Need},
    enrollment::State,
    record::{self, KEPT, Kept, Way},
};
use xuezhu_proto::enrollment::{self as pb, record_column::ChangedBy};
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::Tx;

use super::{history, sees_all, shown::shown};
use crate::{
    Parts, directory,
    import::row::columns_of,
    roll,
    students::{self, AsOf},
};

/// One student whole.
pub async fn read(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, enrollment: Uuid) -> Result<pb::StudentRecord, Error> {
    let school = directory::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    let view = students::one(ctx, tx, parts, &school.code, enrollment, AsOf::default()).await?;
    let details = roll::drafts::details_of(tx, parts, std::iter::once(enrollment)).await?.remove(&enrollment).unwrap_or_default();
    let (stored, all) = (columns_of(&details), sees_all(ctx, &school));
    let state = State::parse(view.state().as_str_name());
    let column = |kept: &Kept| {
        let (value, masked) = match as_listed(&view, kept.header) {
            Some(value) => (value.to_owned(), kept.header == NUMBER),
            None => shown(kept.header, stored.get(kept.header).map_or("", String::as_str), all),
        };
        pb::RecordColumn { header: kept.header.to_owned(), value, masked, changed_by: changed_by(kept.way, state).into(), required: is_required(kept.header) }
    };
    let group = |name: &'static str| pb::ColumnGroup { name: name.to_owned(), columns: KEPT.iter().filter(|kept| kept.group == name).map(column).collect() };
    let groups = record::groups().into_iter().map(group).collect();
    let history = history::lines(tx, parts, enrollment, view.person.parse().ok(), all).await?;
    Ok(pb::StudentRecord { enrollment: Some(view), groups, history })
}

/// The column of the number, which lists mask for whom they are for.
const NUMBER: &str = "身份证件号";

/// What lists say of a column, they say here too.
fn as_listed<'v>(view: &'v pb::Enrollment, header: &str) -> Option<&'v str> {
    match header {
        "姓名" => Some(&view.name),
        "性别" => Some(&view.sex),
        NUMBER => Some(&view.id_number),
        "班级名称" => Some(&view.class_name),
        "学号" => Some(&view.school_number),
        "学习形式" => Some(&view.study_form),
        "专业简称" => Some(&view.major_name),
        _ => None,
    }
}

fn is_required(header: &str) -> bool {
    COLUMNS.iter().any(|column| column.header == header && column.need == Need::Required)
}

/// What may change a column of somebody who stands so: a draft its clerk, what lies at a desk nobody.
fn changed_by(way: Way, state: Option<State>) -> ChangedBy {
    match state {
        Some(state) if state.is_editable() => ChangedBy::Draft,
        Some(state) if state.meaning().counts => match way {
            Way::Contact => ChangedBy::Contact,
            Way::Correction => ChangedBy::Correction,
            Way::Dossier => ChangedBy::Dossier,
            // Who is on leave goes to no other class.
            Way::StatusChange if state == State::InSchool => ChangedBy::StatusChange,
            Way::StatusChange | Way::Fixed => ChangedBy::Fixed,
        },
        // Whoever left keeps the name that they have, which may be put right.
        Some(state) if state.is_approved() && way == Way::Correction => ChangedBy::Correction,
        _ => ChangedBy::Fixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_says_of_every_column_one_way() {
        for state in State::ALL {
            for way in Way::ALL {
                let by = changed_by(way, Some(state));
                assert_eq!(by == ChangedBy::Draft, state.is_editable(), "{state:?} {way:?}");
                assert!(by == ChangedBy::Draft || way != Way::Fixed || by == ChangedBy::Fixed, "{state:?} {way:?}");
                assert!(!matches!(by, ChangedBy::Contact | ChangedBy::Dossier) || state.meaning().counts, "{state:?} {way:?}");
                assert_ne!(by, ChangedBy::Unspecified);
            }
        }
        assert_eq!(changed_by(Way::StatusChange, Some(State::OnLeave)), ChangedBy::Fixed);
        assert_eq!(changed_by(Way::Correction, Some(State::Withdrawn)), ChangedBy::Correction);
    }
}
