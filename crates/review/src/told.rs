//! Dossiers as clients are told of them, and who may read them: the same in every service.

use chrono::NaiveDate;
use xuezhu_domain::region;
use xuezhu_proto::common::{self as pb, dossier, dossier_act, dossier_item, dossier_step};
use xuezhu_service::{Context, Error, Permission, Place, Reason, Refusal, clock::rfc3339, refusal};
use xuezhu_store::StoreError;

use crate::{
    ActRow, ChainRow, Dossier, Filter, ItemRow, inbox,
    kind::{About, Mark},
    way::{Act, Chain, Duty, ItemState, Seat, Stand, State},
};

/// Whether whoever calls may read a dossier: it is of their own school, of a school below their region, or it comes to their desk. One
/// that is not theirs to see is refused like one that isn't there.
pub fn may_read(ctx: &Context, dossier: &Dossier, stands: &[Stand]) -> Result<(), Error> {
    match may_by(ctx, Permission::ReadSchool, dossier, stands) {
        // A seat opens nothing before the one-time password is changed.
        Err(refused) if refused.reason() != Reason::MustChangePassword => Err(Refusal::not_found("该业务单").into()),
        read => read,
    }
}

/// Whether whoever may read a dossier of a kind may read its sheet.
pub fn may_read_sheet(ctx: &Context, about: &About, dossier: &Dossier, stands: &[Stand]) -> Result<(), Error> {
    may_by(ctx, about.reads, dossier, stands)
}

/// By a right at its school, or by a seat at one of its desks.
fn may_by(ctx: &Context, permission: Permission, dossier: &Dossier, stands: &[Stand]) -> Result<(), Error> {
    let place = Place::School { code: &dossier.school, authority: &dossier.authority };
    match ctx.may(permission, &place) {
        Err(refused)
            if refused.reason() != Reason::MustChangePassword && inbox::seats_of(ctx).iter().any(|seat| stands.iter().any(|stand| stand.seat == *seat)) =>
        {
            Ok(())
        }
        answer => answer,
    }
}

/// What whoever calls may list: of their own school, or of those below their region. Whether they may read at all is asked.
pub fn readable(ctx: &Context, school: &str) -> Result<Filter, Error> {
    if ctx.actor.role.is_of_school() {
        let own = ctx.actor.organisation.as_str();
        // An authority is none that anybody's own school lies under: what counts is the code.
        ctx.may(Permission::ReadSchool, &Place::School { code: if school.is_empty() { own } else { school }, authority: "" })?;
        return Ok(Filter { school: own.to_owned(), ..Filter::default() });
    }
    ctx.may(Permission::ReadSchool, &Place::Region(&ctx.actor.organisation))?;
    let authority_prefix = region::prefix_or_all(&ctx.actor.organisation).to_owned();
    Ok(Filter { school: school.to_owned(), authority_prefix, ..Filter::default() })
}

/// A dossier, without its desks and its history.
pub fn dossier(about: &About, dossier: &Dossier, school_name: &str, today: NaiveDate) -> pb::Dossier {
    let seat = dossier.seat();
    let due = inbox::due_day(dossier);
    let open = dossier.state == State::UnderWay;
    pb::Dossier {
        dossier: dossier.dossier.to_string(),
        kind: about.word.to_owned(),
        kind_name: about.name.to_owned(),
        unit: about.unit.to_owned(),
        whole: about.whole,
        school: dossier.school.clone(),
        school_name: school_name.to_owned(),
        authority: dossier.authority.clone(),
        subject: dossier.subject.map(|subject| subject.to_string()).unwrap_or_default(),
        title: dossier.title.clone(),
        state: state(dossier.state).into(),
        step: dossier.step,
        waits_at: seat.as_ref().map(Seat::name).unwrap_or_default(),
        waits_authority: seat.as_ref().map(region_of).unwrap_or_default(),
        waits_whose: seat.as_ref().map_or(dossier_step::Whose::Unspecified, whose).into(),
        since_date: dossier.since_day.to_string(),
        due_date: if open { due.to_string() } else { String::new() },
        overdue: open && due < today,
        holder: dossier.holder.clone(),
        holder_name: dossier.holder_name.clone(),
        nudged_date: dossier.nudged_day.map(|day| day.to_string()).unwrap_or_default(),
        nudges: dossier.nudges,
        digest: dossier.digest.clone(),
        waiting: dossier.waiting,
        performed: dossier.performed,
        left: dossier.left_count,
        submitted_by: dossier.submitted_by_name.clone(),
        submit_date: dossier.submitted_day.to_string(),
        submit_time: time(dossier.submitted_at_us),
        end_date: dossier.ended_day.map(|day| day.to_string()).unwrap_or_default(),
        etag: dossier.etag(),
        uncounted_year: if open { inbox::uncounted_year(dossier).unwrap_or_default() } else { 0 },
        ..pb::Dossier::default()
    }
}

/// The same with its desks and its history.
pub fn whole(about: &About, row: &Dossier, stands: &[Stand], acts: &[ActRow], school_name: &str, today: NaiveDate) -> pb::Dossier {
    let open = row.state == State::UnderWay;
    let step = |(step, stand): (i32, &Stand)| pb::DossierStep {
        step,
        desk: stand.seat.name(),
        authority: region_of(&stand.seat),
        duty: match stand.duty {
            Duty::Decides => dossier_step::Duty::Decides,
            Duty::Notes => dossier_step::Duty::Notes,
        }
        .into(),
        working_days: i32::try_from(stand.working_days).unwrap_or(i32::MAX),
        present: open && step == row.step,
        whose: whose(&stand.seat).into(),
    };
    pb::Dossier {
        columns: about.columns.iter().map(|column| (*column).to_owned()).collect(),
        steps: (0..).zip(stands).map(step).collect(),
        history: acts.iter().map(line).collect(),
        ..dossier(about, row, school_name, today)
    }
}

fn line(row: &ActRow) -> pb::DossierAct {
    pb::DossierAct {
        ordinal: row.ordinal,
        step: row.step,
        act: act(row.act).into(),
        name: row.name.clone(),
        role: row.role.clone(),
        date: row.day.map(|day| day.to_string()).unwrap_or_default(),
        time: time(row.at_us),
        reason: row.reason.clone(),
        digest: row.digest.clone(),
        items: row.items,
        performed: row.performed,
        // Every act since says in which role it was done.
        of_before: row.role.is_empty(),
    }
}

/// A line of a sheet.
pub fn item(row: &ItemRow) -> Result<pb::DossierItem, Error> {
    Ok(pb::DossierItem {
        item: row.item.to_string(),
        ordinal: row.ordinal,
        name: row.name.clone(),
        cells: serde_json::from_str(&row.line).map_err(|_| StoreError::Corrupt("line of a sheet"))?,
        state: match row.state {
            ItemState::Waiting => dossier_item::State::Waiting,
            ItemState::Performed => dossier_item::State::Performed,
            ItemState::SentBack => dossier_item::State::SentBack,
            ItemState::Refused => dossier_item::State::Refused,
            ItemState::Recalled => dossier_item::State::Recalled,
        }
        .into(),
        refusal: row.refusal.clone(),
        refusal_message: Reason::from_str_name(&row.refusal).map(refusal::chinese).unwrap_or_default().to_owned(),
        reason: row.reason.clone(),
        act: row.act,
        class_name: row.class_name.clone(),
        marks: Vec::new(),
    })
}

/// What is to be seen of a line.
pub fn mark(mark: Mark) -> pb::DossierMark {
    pb::DossierMark { text: mark.text, flag: mark.flag.map(|flag| flag.to_string()).unwrap_or_default(), holds: mark.holds }
}

/// A kind, with what holds where nothing was set.
pub fn kind(about: &About) -> pb::DossierKind {
    let chain = about.chain.parse::<Chain>();
    pb::DossierKind {
        kind: about.word.to_owned(),
        name: about.name.to_owned(),
        chain: chain.as_ref().map(ToString::to_string).unwrap_or_default(),
        chain_name: chain.as_ref().map(Chain::name).unwrap_or_default(),
    }
}

/// A chain as it was set.
pub fn chain(about: &About, row: &ChainRow) -> pb::DossierChain {
    pb::DossierChain {
        chain: row.chain.to_string(),
        kind: about.word.to_owned(),
        scope: row.scope.clone(),
        from_date: row.from_day.to_string(),
        steps: row.steps.clone(),
        name: row.steps.parse::<Chain>().map(|chain| chain.name()).unwrap_or_default(),
        reason: row.reason.clone(),
        recorded_by: row.recorded_by_name.clone(),
        record_time: time(row.recorded_at_us),
    }
}

/// The code of a state that is asked for; 0 for all.
pub fn asked_state(asked: dossier::State) -> i32 {
    State::ALL.into_iter().find(|known| state(*known) == asked).map_or(0, State::code)
}

/// The state of items that are asked for; none for all.
pub fn asked_item_state(asked: dossier_item::State) -> Option<ItemState> {
    match asked {
        dossier_item::State::Unspecified => None,
        dossier_item::State::Waiting => Some(ItemState::Waiting),
        dossier_item::State::Performed => Some(ItemState::Performed),
        dossier_item::State::SentBack => Some(ItemState::SentBack),
        dossier_item::State::Refused => Some(ItemState::Refused),
        dossier_item::State::Recalled => Some(ItemState::Recalled),
    }
}

fn state(state: State) -> dossier::State {
    match state {
        State::UnderWay => dossier::State::UnderWay,
        State::Done => dossier::State::Done,
        State::Returned => dossier::State::Returned,
        State::Recalled => dossier::State::Recalled,
    }
}

fn act(act: Act) -> dossier_act::Act {
    match act {
        Act::Submit => dossier_act::Act::Submit,
        Act::Order => dossier_act::Act::Order,
        Act::Sign => dossier_act::Act::Sign,
        Act::SendBack => dossier_act::Act::SendBack,
        Act::Refuse => dossier_act::Act::Refuse,
        Act::Recall => dossier_act::Act::Recall,
        Act::Note => dossier_act::Act::Note,
        Act::HandOver => dossier_act::Act::HandOver,
        Act::Nudge => dossier_act::Act::Nudge,
    }
}

fn region_of(seat: &Seat) -> String {
    seat.region().unwrap_or_default().to_owned()
}

/// Whose a desk is.
pub fn whose(seat: &Seat) -> dossier_step::Whose {
    match seat {
        Seat::Clerk(_) => dossier_step::Whose::Clerk,
        Seat::Review(_) => dossier_step::Whose::Review,
        Seat::Principal(_) => dossier_step::Whose::Principal,
        Seat::Department(_) => dossier_step::Whose::Department,
        Seat::Head(_) => dossier_step::Whose::Head,
    }
}

fn time(at_us: i64) -> String {
    if at_us == 0 { String::new() } else { rfc3339(at_us) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_clients_read_are_those_of_the_way() {
        for known in State::ALL {
            assert_eq!(state(known).as_str_name(), known.as_str());
            assert_eq!(asked_state(state(known)), known.code());
        }
        assert_eq!(asked_state(dossier::State::Unspecified), 0);
        assert!(Act::ALL.into_iter().all(|known| act(known).as_str_name() == known.as_str()));
        for known in ItemState::ALL {
            let asked = dossier_item::State::from_str_name(known.as_str()).expect("is told");
            assert_eq!(asked_item_state(asked), Some(known));
        }
    }
}
