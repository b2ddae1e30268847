//! Which role may do what, where. One table; nothing else decides.

use xuezhu_domain::region;

use crate::{
    context::{Actor, Role},
    refusal::{Error, Reason, Refusal},
};

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See a school's records, masked.
    ReadSchool,
    /// Enter enrollments and awards, submit them, record status changes, explain flags.
    EnterForSchool,
    /// See the whole numbers of one student, for a purpose that is kept.
    RevealNumber,
    /// Take out tables of a school as workbooks, with names.
    TakeOut,
    /// Take out counts of a school's tables.
    TakeOutCounts,
    /// Attest for the school.
    Attest,
    /// Approve, send back, correct identities, decide flags.
    Approve,
    /// Send back: principal before attesting, department after.
    SendBack,
    /// Explain a flag.
    Explain,
    /// Keep schools and accounts.
    ManageDirectory,
    /// Start a full sweep.
    Reconcile,
    /// Follow the feed.
    Follow,
    /// Be told which sessions are over.
    FollowSessions,
}

/// Where something is done: a school under its authority, or a region.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// A school.
    School {
        /// Its code.
        code: &'a str,
        /// Region code of its department.
        authority: &'a str,
    },
    /// A region with all below it; empty for the whole deployment.
    Region(&'a str),
}

impl Permission {
    /// Whether an actor may do this there.
    pub fn check(self, actor: &Actor, place: &Place) -> Result<(), Error> {
        if actor.role == Role::MachineReader && matches!(self, Self::EnterForSchool | Self::Attest | Self::Approve) {
            // 教职成厅函〔2016〕14号: direct upload by the school; bulk import from other systems is forbidden.
            return Err(Refusal::new(
                Reason::MachineEntryForbidden,
                "系统账号只能读取和订阅，不能录入或审核；名单须由学校本人登录直接上传（教职成厅函〔2016〕14号）",
            )
            .into());
        }
        if self.allowed(actor, place) {
            Ok(())
        } else {
            Err(Refusal::new(Reason::Forbidden, "当前账号的角色或所属单位无权进行此操作").into())
        }
    }

    fn allowed(self, actor: &Actor, place: &Place) -> bool {
        use Role::{Administrator, DepartmentOfficer, MachineReader, Principal, SchoolClerk, Service};
        let organisation = actor.organisation.as_str();
        let own_school = matches!(place, Place::School { code, .. } if *code == organisation);
        let own_authority = matches!(place, Place::School { authority, .. } if *authority == organisation);
        let above = match place {
            Place::School { authority, .. } => covers(organisation, authority),
            Place::Region(region) => covers(organisation, region),
        };
        match (self, actor.role) {
            (Self::ReadSchool | Self::Explain, SchoolClerk | Principal) | (Self::EnterForSchool, SchoolClerk) | (Self::Attest | Self::SendBack, Principal) => {
                own_school
            }
            (Self::RevealNumber | Self::TakeOut, SchoolClerk | Principal) => own_school,
            (Self::Approve | Self::SendBack | Self::RevealNumber, DepartmentOfficer) => own_authority,
            (Self::ReadSchool, DepartmentOfficer | MachineReader | Administrator)
            | (Self::TakeOutCounts, DepartmentOfficer)
            | (Self::Reconcile, DepartmentOfficer | Administrator)
            | (Self::Follow, MachineReader)
            | (Self::ManageDirectory, Administrator) => above,
            (Self::Follow | Self::ReadSchool | Self::FollowSessions, Service) => true,
            _ => false,
        }
    }
}

/// Whether an organisation's region contains another; the whole deployment contains all.
pub fn covers(organisation: &str, region: &str) -> bool {
    organisation.is_empty() || (region.len() == 6 && organisation.len() == 6 && region.starts_with(region::prefix(organisation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role, organisation: &str) -> Actor {
        Actor {
            account: "a".into(),
            display_name: "甲".into(),
            role,
            organisation: organisation.into(),
            must_change_password: false,
            session_us: 0,
            stands_in: None,
        }
    }

    #[test]
    fn roles_do_what_the_table_says() {
        let here = Place::School { code: "3643000001", authority: "430102" };
        use {Permission as P, Role as R};
        for (role, organisation, allowed) in [
            (R::SchoolClerk, "3643000001", vec![P::ReadSchool, P::EnterForSchool, P::Explain, P::RevealNumber, P::TakeOut]),
            (R::SchoolClerk, "3643000002", vec![]),
            (R::Principal, "3643000001", vec![P::ReadSchool, P::Attest, P::SendBack, P::Explain, P::RevealNumber, P::TakeOut]),
            (R::DepartmentOfficer, "430102", vec![P::ReadSchool, P::Approve, P::SendBack, P::Reconcile, P::RevealNumber, P::TakeOutCounts]),
            (R::DepartmentOfficer, "430000", vec![P::ReadSchool, P::Reconcile, P::TakeOutCounts]),
            (R::DepartmentOfficer, "440000", vec![]),
            (R::Administrator, "", vec![P::ReadSchool, P::ManageDirectory, P::Reconcile]),
            (R::Administrator, "430000", vec![P::ReadSchool, P::ManageDirectory, P::Reconcile]),
            (R::Administrator, "440000", vec![]),
            (R::MachineReader, "430000", vec![P::ReadSchool, P::Follow]),
        ] {
            for permission in [
                P::ReadSchool,
                P::EnterForSchool,
                P::RevealNumber,
                P::TakeOut,
                P::TakeOutCounts,
                P::Attest,
                P::Approve,
                P::SendBack,
                P::Explain,
                P::ManageDirectory,
                P::Reconcile,
                P::Follow,
                P::FollowSessions,
            ] {
                let verdict = permission.check(&actor(role, organisation), &here).is_ok();
                assert_eq!(verdict, allowed.contains(&permission), "{role:?} {organisation} {permission:?}");
            }
        }
    }

    #[test]
    fn a_machine_that_enters_is_told_why_not() {
        let here = Place::School { code: "3643000001", authority: "430102" };
        let Err(Error::Refused(refusal)) = Permission::EnterForSchool.check(&actor(Role::MachineReader, "430000"), &here) else { panic!("must be refused") };
        assert_eq!(refusal.reason, Reason::MachineEntryForbidden);
    }
}
