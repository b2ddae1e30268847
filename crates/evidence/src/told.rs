//! Evidence as clients are told of it: the same in every service.

use xuezhu_proto::common::{self as pb, evidence};
use xuezhu_service::{Keyring, clock::rfc3339};

use crate::{kind::Kind, rules::State, shown, store::Row};

/// For what names are sealed.
pub(crate) const NAME: &str = "evidence name";

/// What lies with something, and what whoever calls may do.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The files, in the order in which they were added.
    pub evidence: Vec<pb::Evidence>,
    /// Whether whoever calls may add to them.
    pub may_add: bool,
    /// Whether they may open them.
    pub may_open: bool,
}

/// A line; whether whoever calls may take it out is said with it.
pub(crate) fn evidence(keyring: &Keyring, row: &Row, removable: bool) -> pb::Evidence {
    let name = row.name_sealed.as_ref().and_then(|sealed| keyring.open_text(NAME, &[row.evidence], sealed));
    pb::Evidence {
        evidence: row.evidence.to_string(),
        kind: kind(row.kind).into(),
        name: name.unwrap_or_default(),
        bytes: row.bytes,
        state: state(row.state).into(),
        digest: shown(&row.content_hash),
        added_by: row.added_by_name.clone(),
        added_role: row.added_role.clone(),
        add_date: row.added_day.to_string(),
        add_time: rfc3339(row.added_at_us),
        removable,
        removed_by: row.left_by_name.clone(),
        remove_date: row.left_day.map(|day| day.to_string()).unwrap_or_default(),
        remove_reason: row.left_reason.clone(),
    }
}

fn kind(kind: Kind) -> evidence::Kind {
    match kind {
        Kind::Jpeg => evidence::Kind::Jpeg,
        Kind::Png => evidence::Kind::Png,
        Kind::Pdf => evidence::Kind::Pdf,
        Kind::Tiff => evidence::Kind::Tiff,
    }
}

fn state(state: State) -> evidence::State {
    match state {
        State::Kept => evidence::State::Kept,
        State::Removed => evidence::State::Removed,
        State::Lapsed => evidence::State::Lapsed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_clients_read_are_those_of_the_rules() {
        assert!(Kind::ALL.into_iter().all(|known| kind(known).as_str_name() == known.as_str()));
        assert!(State::ALL.into_iter().all(|known| state(known).as_str_name() == known.as_str()));
    }
}
