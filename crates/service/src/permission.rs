//! Which role may do what, where. One table; nothing else decides.

use xuezhu_domain::region;

use crate::{
    context::{Actor, Role},
    keyring::Service,
    refusal::{Error, Reason, Refusal},
};

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See schools, their majors and who stands in for a principal.
    ReadDirectory,
    /// See a school's records, masked: students, dossiers, flags with what was said of them.
    ReadSchool,
    /// See who is in a class today, masked.
    ReadClass,
    /// See which level a family's hardship has, and what is known of the family.
    ReadFamily,
    /// See award lists, their entries and what money came of them, masked.
    ReadMoney,
    /// Enter enrollments and awards, submit them, record status changes, say whose class a class is.
    EnterForSchool,
    /// Confirm who is in a class, or say who is wrong there.
    ConfirmClass,
    /// Correct by what a student is reached.
    CorrectContacts,
    /// See the whole numbers of one student, for a purpose that is kept.
    RevealNumber,
    /// Take out tables of a school as workbooks, with names.
    TakeOut,
    /// Take out counts of a school's tables.
    TakeOutCounts,
    /// Review for the school, where a chain has a desk for that.
    ReviewForSchool,
    /// Attest for the school.
    Attest,
    /// Approve, send back, correct identities, decide flags.
    Approve,
    /// Sign as the head of a department, where a chain has a desk for that.
    SignForDepartment,
    /// Send back: principal before attesting, department after.
    SendBack,
    /// Explain a flag.
    Explain,
    /// Keep schools and accounts.
    ManageDirectory,
    /// Confirm an account that somebody else opened.
    ConfirmAccounts,
    /// Start a full sweep.
    Reconcile,
    /// Follow the feed.
    Follow,
    /// Read the audit.
    ReadAudit,
    /// Be told which sessions are over, and how far the other service's audit went.
    FollowSessions,
}

/// Where a role may do something: a cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Not at all.
    Nowhere,
    /// In a school, with the classes that are theirs: which ones, the service that keeps them says.
    OwnClasses,
    /// In their school.
    OwnSchool,
    /// In schools whose department is theirs.
    OwnDepartment,
    /// In their region with all below it.
    Below,
    /// Everywhere.
    Everywhere,
}

impl Reach {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Nowhere, Self::OwnClasses, Self::OwnSchool, Self::OwnDepartment, Self::Below, Self::Everywhere];

    /// In a table's cell.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nowhere => "—",
            Self::OwnClasses => "本班",
            Self::OwnSchool => "本校",
            Self::OwnDepartment => "直管",
            Self::Below => "辖区",
            Self::Everywhere => "全部",
        }
    }

    /// What that means, a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Nowhere => "不可以。",
            Self::OwnClasses => "可以，限本校中由本人任班主任的班级，只见当天在班（在籍、休学）的学生。",
            Self::OwnSchool => "可以，限本校。",
            Self::OwnDepartment => "可以，限由本级直接主管的学校，以及办理环节到本级的业务单。",
            Self::Below => "可以，限本级行政区划及其以下的全部学校。",
            Self::Everywhere => "可以，不限范围（只用于服务之间）。",
        }
    }

    fn contains(self, actor: &Actor, place: &Place) -> bool {
        let organisation = actor.organisation.as_str();
        match (self, place) {
            (Self::Everywhere, _) => true,
            (Self::OwnClasses | Self::OwnSchool, Place::School { code, .. }) => *code == organisation,
            (Self::OwnDepartment, Place::School { authority, .. }) => *authority == organisation,
            (Self::Below, Place::School { authority, .. }) => covers(organisation, authority),
            (Self::Below, Place::Region(region)) => covers(organisation, region),
            (Self::Nowhere, _) | (Self::OwnClasses | Self::OwnSchool | Self::OwnDepartment, Place::Region(_)) => false,
        }
    }
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
    /// Every one, as the table has them.
    pub const ALL: [Self; 23] = [
        Self::ReadDirectory,
        Self::ReadSchool,
        Self::ReadClass,
        Self::ReadFamily,
        Self::ReadMoney,
        Self::EnterForSchool,
        Self::ConfirmClass,
        Self::CorrectContacts,
        Self::RevealNumber,
        Self::TakeOut,
        Self::TakeOutCounts,
        Self::ReviewForSchool,
        Self::Attest,
        Self::Approve,
        Self::SignForDepartment,
        Self::SendBack,
        Self::Explain,
        Self::ManageDirectory,
        Self::ConfirmAccounts,
        Self::Reconcile,
        Self::Follow,
        Self::ReadAudit,
        Self::FollowSessions,
    ];

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadDirectory => "查看学校和专业",
            Self::ReadSchool => "查看学生、业务单、疑点（脱敏）",
            Self::ReadClass => "查看在班学生（脱敏）",
            Self::ReadFamily => "查看困难等级和家庭经济信息",
            Self::ReadMoney => "查看资助名单和金额（脱敏）",
            Self::EnterForSchool => "录入、提交、登记变动、指定班主任",
            Self::ConfirmClass => "核对班级名单",
            Self::CorrectContacts => "更正联系方式",
            Self::RevealNumber => "查看完整号码（填写用途）",
            Self::TakeOut => "导出本校表格（含姓名）",
            Self::TakeOutCounts => "导出人数统计",
            Self::ReviewForSchool => "学校评审",
            Self::Attest => "校长审签",
            Self::Approve => "审核、核定、更正身份",
            Self::SignForDepartment => "主管部门负责人审签",
            Self::SendBack => "退回",
            Self::Explain => "说明疑点",
            Self::ManageDirectory => "管理学校、账号、办理环节",
            Self::ConfirmAccounts => "确认他人开设的账号",
            Self::Reconcile => "发起全面比对",
            Self::Follow => "订阅变更",
            Self::ReadAudit => "查看审计记录",
            Self::FollowSessions => "订阅登录失效、互证审计",
        }
    }

    /// Whether an actor may do this there, in a service.
    pub fn check(self, actor: &Actor, at: Option<Service>, place: &Place) -> Result<(), Error> {
        if actor.role == Role::MachineReader
            && matches!(
                self,
                Self::EnterForSchool
                    | Self::ReviewForSchool
                    | Self::Attest
                    | Self::Approve
                    | Self::SignForDepartment
                    | Self::ConfirmClass
                    | Self::CorrectContacts
            )
        {
            // 教职成厅函〔2016〕14号: direct upload by the school; bulk import from other systems is forbidden.
            return Err(Refusal::new(
                Reason::MachineEntryForbidden,
                "系统账号只能读取和订阅，不能录入或审核；名单须由学校本人登录直接上传（教职成厅函〔2016〕14号）",
            )
            .into());
        }
        if self.reach(actor.role, at).contains(actor, place) {
            Ok(())
        } else {
            Err(Refusal::new(Reason::Forbidden, "当前账号的角色或所属单位无权进行此操作").into())
        }
    }

    /// The table. Of two services an officer may decide in one and read in both; where it is not said in which service something
    /// happens, such an officer decides nothing.
    pub fn reach(self, role: Role, at: Option<Service>) -> Reach {
        use {Permission as P, Reach as To, Role as R};
        match (role, self) {
            (
                R::SchoolClerk | R::Principal,
                P::ReadDirectory | P::ReadSchool | P::ReadClass | P::ReadFamily | P::ReadMoney | P::Explain | P::RevealNumber | P::TakeOut,
            )
            | (R::SchoolClerk, P::EnterForSchool | P::CorrectContacts)
            | (R::SchoolReviewer, P::ReadDirectory | P::ReadSchool | P::ReadClass | P::ReadFamily | P::ReadMoney | P::ReviewForSchool)
            | (R::Principal, P::Attest | P::SendBack)
            | (R::SchoolFinance, P::ReadDirectory | P::ReadMoney)
            | (R::ClassTeacher, P::ReadDirectory) => To::OwnSchool,
            (R::ClassTeacher, P::ReadClass | P::ConfirmClass | P::CorrectContacts) => To::OwnClasses,
            (R::DepartmentOfficer | R::EnrollmentOfficer | R::AidOfficer, P::Approve | P::SendBack | P::RevealNumber) if role.decides_in(at) => {
                To::OwnDepartment
            }
            (R::AuthorityHead, P::SignForDepartment) | (R::DepartmentOfficer | R::EnrollmentOfficer | R::AidOfficer | R::AuthorityHead, P::ConfirmAccounts) => {
                To::OwnDepartment
            }
            (R::DepartmentOfficer | R::EnrollmentOfficer | R::AidOfficer, P::ReadFamily | P::TakeOutCounts | P::Reconcile) if role.decides_in(at) => To::Below,
            (
                R::DepartmentOfficer | R::EnrollmentOfficer | R::AidOfficer | R::AuthorityHead | R::Supervisor | R::MachineReader,
                P::ReadDirectory | P::ReadSchool | P::ReadClass | P::ReadMoney,
            )
            | (R::AuthorityHead | R::Supervisor, P::TakeOutCounts)
            | (R::FinanceOfficer, P::ReadDirectory | P::ReadMoney)
            | (R::Administrator, P::ReadDirectory | P::ManageDirectory | P::ConfirmAccounts | P::Reconcile)
            | (R::Auditor, P::ReadDirectory | P::ReadAudit)
            | (R::MachineReader, P::Follow) => To::Below,
            (R::Service, P::ReadDirectory | P::ReadSchool | P::ReadClass | P::ReadMoney | P::Follow | P::FollowSessions) => To::Everywhere,
            _ => To::Nowhere,
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
        Actor { account: "a".into(), display_name: "甲".into(), role, organisation: organisation.into(), ..Actor::system() }
    }

    /// What each role may, in a school that is theirs, or whose department is theirs; in both services, where none is named.
    #[rustfmt::skip]
    const TABLE: [(Role, &str, Option<Service>, &[Permission]); 36] = {
        use {Permission as P, Role as R, Service::{Aid, Enrollment}};
        const ELSEWHERE: [P; 5] = [P::ConfirmAccounts, P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney];
        const CLERK: [P; 10] = [P::ReadFamily, P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::EnterForSchool, P::CorrectContacts, P::Explain, P::RevealNumber, P::TakeOut];
        const PRINCIPAL: [P; 10] = [P::ReadFamily, P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::Attest, P::SendBack, P::Explain, P::RevealNumber, P::TakeOut];
        const REVIEWER: [P; 6] = [P::ReadFamily, P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::ReviewForSchool];
        const HEAD: [P; 7] = [P::ConfirmAccounts, P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::TakeOutCounts, P::SignForDepartment];
        const OFFICER: [P; 11] = [P::ConfirmAccounts, P::ReadFamily, P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::Approve, P::SendBack, P::Reconcile, P::RevealNumber, P::TakeOutCounts];
        const ABOVE: [P; 7] = [P::ReadFamily, P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::Reconcile, P::TakeOutCounts];
        const COUNTS: [P; 5] = [P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::TakeOutCounts];
        const MONEY: [P; 2] = [P::ReadDirectory, P::ReadMoney];
        const KEEPER: [P; 4] = [P::ReadDirectory, P::ManageDirectory, P::ConfirmAccounts, P::Reconcile];
        const AUDITOR: [P; 2] = [P::ReadDirectory, P::ReadAudit];
        const TEACHER: [P; 4] = [P::ReadDirectory, P::ReadClass, P::ConfirmClass, P::CorrectContacts];
        const FOLLOWER: [P; 5] = [P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::Follow];
        const PEER: [P; 6] = [P::ReadDirectory, P::ReadSchool, P::ReadClass, P::ReadMoney, P::Follow, P::FollowSessions];
        [
            (R::SchoolClerk, "3643000001", None, &CLERK),
            (R::SchoolClerk, "3643000002", None, &[]),
            (R::Principal, "3643000001", None, &PRINCIPAL),
            (R::Principal, "3643000002", None, &[]),
            (R::SchoolReviewer, "3643000001", None, &REVIEWER),
            (R::SchoolReviewer, "3643000002", None, &[]),
            (R::SchoolFinance, "3643000001", None, &MONEY),
            (R::SchoolFinance, "3643000002", None, &[]),
            (R::ClassTeacher, "3643000001", None, &TEACHER),
            (R::ClassTeacher, "3643000002", None, &[]),
            (R::DepartmentOfficer, "430102", None, &OFFICER),
            (R::DepartmentOfficer, "430000", None, &ABOVE),
            (R::DepartmentOfficer, "440000", None, &[]),
            (R::EnrollmentOfficer, "430102", Some(Enrollment), &OFFICER),
            (R::EnrollmentOfficer, "430102", Some(Aid), &ELSEWHERE),
            (R::EnrollmentOfficer, "430000", Some(Enrollment), &ABOVE),
            (R::EnrollmentOfficer, "440000", Some(Enrollment), &[]),
            (R::AidOfficer, "430102", Some(Aid), &OFFICER),
            (R::AidOfficer, "430102", Some(Enrollment), &ELSEWHERE),
            (R::AidOfficer, "430000", Some(Aid), &ABOVE),
            (R::AidOfficer, "440000", Some(Aid), &[]),
            (R::FinanceOfficer, "430102", None, &MONEY),
            (R::FinanceOfficer, "440000", None, &[]),
            (R::AuthorityHead, "430102", None, &HEAD),
            (R::AuthorityHead, "430000", None, &COUNTS),
            (R::AuthorityHead, "440000", None, &[]),
            (R::Supervisor, "430000", None, &COUNTS),
            (R::Supervisor, "440000", None, &[]),
            (R::Administrator, "", None, &KEEPER),
            (R::Administrator, "430000", None, &KEEPER),
            (R::Administrator, "440000", None, &[]),
            (R::Auditor, "", None, &AUDITOR),
            (R::Auditor, "430000", None, &AUDITOR),
            (R::Auditor, "440000", None, &[]),
            (R::MachineReader, "430000", None, &FOLLOWER),
            (R::Service, "", None, &PEER),
        ]
    };

    #[test]
    fn roles_do_what_the_table_says() {
        let here = Place::School { code: "3643000001", authority: "430102" };
        for (role, organisation, at, allowed) in TABLE {
            let services = if at.is_some() { vec![at] } else { vec![Some(Service::Enrollment), Some(Service::Aid), None] };
            for at in services {
                for permission in Permission::ALL {
                    let verdict = permission.check(&actor(role, organisation), at, &here).is_ok();
                    assert_eq!(verdict, allowed.contains(&permission), "{role:?} {organisation} {at:?} {permission:?}");
                }
            }
        }
        assert!(Role::ALL.into_iter().all(|role| TABLE.iter().any(|(of, ..)| *of == role)), "every role has its lines");
    }

    #[test]
    fn an_officer_of_one_service_decides_nothing_where_it_is_not_said_which_one_it_is() {
        let here = Place::School { code: "3643000001", authority: "430102" };
        for role in [Role::EnrollmentOfficer, Role::AidOfficer] {
            assert!(Permission::Approve.check(&actor(role, "430102"), None, &here).is_err());
            assert!(Permission::ReadSchool.check(&actor(role, "430102"), None, &here).is_ok());
        }
    }

    #[test]
    fn a_department_officer_holds_what_the_officers_of_both_services_hold() {
        for (role, at) in [(Role::EnrollmentOfficer, Service::Enrollment), (Role::AidOfficer, Service::Aid)] {
            for permission in Permission::ALL {
                assert_eq!(permission.reach(role, Some(at)), permission.reach(Role::DepartmentOfficer, Some(at)), "{role:?} {permission:?}");
            }
        }
    }

    #[test]
    fn whose_region_is_none_sees_no_region_and_whose_school_is_one_sees_no_other() {
        for role in [Role::SchoolClerk, Role::SchoolReviewer, Role::Principal, Role::SchoolFinance, Role::ClassTeacher] {
            for permission in Permission::ALL {
                assert!(permission.check(&actor(role, "3643000001"), Some(Service::Enrollment), &Place::Region("430102")).is_err(), "{role:?} {permission:?}");
                assert!(permission.check(&actor(role, "3643000001"), Some(Service::Enrollment), &Place::Region("")).is_err(), "{role:?} {permission:?}");
            }
        }
    }

    #[test]
    fn a_machine_that_enters_is_told_why_not() {
        let here = Place::School { code: "3643000001", authority: "430102" };
        let Err(Error::Refused(refusal)) = Permission::EnterForSchool.check(&actor(Role::MachineReader, "430000"), None, &here) else {
            panic!("must be refused")
        };
        assert_eq!(refusal.reason, Reason::MachineEntryForbidden);
    }
}
