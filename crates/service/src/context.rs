//! Who acts, when, under which request.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, NaiveDate, Utc};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_audit::written::{self, Key, Kind, Part, Touched};
use xuezhu_chain::Chain;
use xuezhu_store::Tx;

use crate::{
    clock::Clock,
    keyring::{Service, hexadecimal},
    permission::{Permission, Place, Reach},
    refusal::{Error, Reason, Refusal},
    trace::Trace,
};

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Enters and submits for a school.
    SchoolClerk,
    /// Reviews for a school, where a chain asks for it.
    SchoolReviewer,
    /// Attests for a school.
    Principal,
    /// Reads a school's lists and money.
    SchoolFinance,
    /// Sees and confirms her classes.
    ClassTeacher,
    /// Approves for a region's department, in both services.
    DepartmentOfficer,
    /// Approves for a region's department, enrollment alone.
    EnrollmentOfficer,
    /// Approves for a region's department, aid alone.
    AidOfficer,
    /// Reads lists and money of a region's schools.
    FinanceOfficer,
    /// Heads a department: reads, counts, sees what waits, signs where a chain asks for it.
    AuthorityHead,
    /// Reads and counts in a city or a province.
    Supervisor,
    /// Keeps schools and accounts; sees no student.
    Administrator,
    /// Reads the audit, and nothing else.
    Auditor,
    /// Another system: reads and follows.
    MachineReader,
    /// One service of this deployment calling the other.
    Service,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 15] = [
        Self::SchoolClerk,
        Self::SchoolReviewer,
        Self::Principal,
        Self::SchoolFinance,
        Self::ClassTeacher,
        Self::DepartmentOfficer,
        Self::EnrollmentOfficer,
        Self::AidOfficer,
        Self::FinanceOfficer,
        Self::AuthorityHead,
        Self::Supervisor,
        Self::Administrator,
        Self::Auditor,
        Self::MachineReader,
        Self::Service,
    ];

    /// As stored and as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SchoolClerk => "SCHOOL_CLERK",
            Self::SchoolReviewer => "SCHOOL_REVIEWER",
            Self::Principal => "PRINCIPAL",
            Self::SchoolFinance => "SCHOOL_FINANCE",
            Self::ClassTeacher => "CLASS_TEACHER",
            Self::DepartmentOfficer => "DEPARTMENT_OFFICER",
            Self::EnrollmentOfficer => "ENROLLMENT_OFFICER",
            Self::AidOfficer => "AID_OFFICER",
            Self::FinanceOfficer => "FINANCE_OFFICER",
            Self::AuthorityHead => "AUTHORITY_HEAD",
            Self::Supervisor => "SUPERVISOR",
            Self::Administrator => "ADMINISTRATOR",
            Self::Auditor => "AUDITOR",
            Self::MachineReader => "MACHINE_READER",
            Self::Service => "SERVICE",
        }
    }

    /// In Chinese.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SchoolClerk => "学校经办人",
            Self::SchoolReviewer => "学校评审人",
            Self::Principal => "校长",
            Self::SchoolFinance => "学校财务",
            Self::ClassTeacher => "班主任",
            Self::DepartmentOfficer => "主管部门审核人",
            Self::EnrollmentOfficer => "学籍审核人",
            Self::AidOfficer => "资助审核人",
            Self::FinanceOfficer => "主管部门财务",
            Self::AuthorityHead => "主管部门负责人",
            Self::Supervisor => "督导",
            Self::Administrator => "系统管理员",
            Self::Auditor => "审计员",
            Self::MachineReader => "系统账号（只读）",
            Self::Service => "系统",
        }
    }

    /// Those that accounts are opened for, in the order in which they are offered.
    pub const OF_ACCOUNTS: [Self; 14] = [
        Self::SchoolClerk,
        Self::SchoolReviewer,
        Self::Principal,
        Self::SchoolFinance,
        Self::ClassTeacher,
        Self::DepartmentOfficer,
        Self::EnrollmentOfficer,
        Self::AidOfficer,
        Self::FinanceOfficer,
        Self::AuthorityHead,
        Self::Supervisor,
        Self::Administrator,
        Self::Auditor,
        Self::MachineReader,
    ];

    /// From what was stored.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether whoever has it belongs to a school, not to a region.
    pub fn is_of_school(self) -> bool {
        matches!(self, Self::SchoolClerk | Self::SchoolReviewer | Self::Principal | Self::SchoolFinance | Self::ClassTeacher)
    }

    /// Whether whoever has it signs or approves: such an account is at one place at a time.
    pub fn signs(self) -> bool {
        matches!(self, Self::SchoolReviewer | Self::Principal | Self::DepartmentOfficer | Self::EnrollmentOfficer | Self::AidOfficer | Self::AuthorityHead)
    }

    /// Whether whoever has it logs in by a second factor, where one is required: who signs, pays, keeps accounts or audits.
    pub fn needs_factor(self) -> bool {
        self.signs() || matches!(self, Self::SchoolFinance | Self::FinanceOfficer | Self::Administrator | Self::Auditor)
    }

    /// Whether two persons open an account of it, where two are required: who signs, who opens accounts, and who reads what everybody did.
    pub fn needs_two(self) -> bool {
        self.signs() || matches!(self, Self::Administrator | Self::Auditor)
    }

    /// Whether whoever has it sits at the desks of a department in a service, and decides there.
    pub fn decides_in(self, service: Option<Service>) -> bool {
        match self {
            Self::DepartmentOfficer => true,
            Self::EnrollmentOfficer => service == Some(Service::Enrollment),
            Self::AidOfficer => service == Some(Service::Aid),
            _ => false,
        }
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Account.
    pub account: String,
    /// Name of the person.
    pub display_name: String,
    /// Role.
    pub role: Role,
    /// School or region code; empty for the whole deployment.
    pub organisation: String,
    /// Whether the one-time password is still to be changed.
    pub must_change_password: bool,
    /// Whether a second factor is still to be set up.
    pub must_set_factor: bool,
    /// When the session was opened, microseconds since 1970: it may be over before its token is.
    pub session_us: i64,
    /// From when to when somebody of a school stands in for its principal.
    pub stands_in: Option<StandsIn>,
    /// Whose classes are theirs, of a class teacher, as was known when the session was opened.
    pub classes: Vec<Teaching>,
}

/// That a class is somebody's, on some civil days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teaching {
    /// Name of the class.
    pub class_name: String,
    /// First day.
    pub from: NaiveDate,
    /// First day on which it is not theirs any more; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
}

/// Civil days on which somebody stands in for the principal of their school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandsIn {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

impl Actor {
    /// What the system does by itself is done under its own name, never under that of whom it happened after.
    pub fn system() -> Self {
        Self {
            account: "system".into(),
            display_name: "系统".into(),
            role: Role::Service,
            organisation: String::new(),
            must_change_password: false,
            must_set_factor: false,
            session_us: 0,
            stands_in: None,
            classes: Vec::new(),
        }
    }
}

/// Makes ids: version 7, so that later ones sort later within a process.
#[derive(Debug, Clone)]
pub struct Ids(Arc<Mutex<StdRng>>, Arc<AtomicU64>);

impl Ids {
    /// From the system's randomness.
    pub fn random() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())), Arc::default())
    }

    /// The same ids for the same seed and clock: for tests.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))), Arc::default())
    }

    /// The next id at a system time.
    pub fn next(&self, now: DateTime<Utc>) -> Uuid {
        // 48 bits of milliseconds and 12 of a counter that never falls behind: later ids sort later.
        let ticks = u64::try_from(now.timestamp_millis()).unwrap_or(0) << 12;
        let tick = self.1.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(ticks.max(last + 1))).unwrap_or(0);
        let tick = ticks.max(tick + 1);
        let mut random = [0; 8];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut random);
        let high = (tick >> 12) << 16 | 0x7000 | (tick & 0xfff);
        let low = u64::from_be_bytes(random) >> 2 | 1 << 63;
        Uuid::from_u64_pair(high, low)
    }

    /// Randomness for passwords.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// What the audit is to say of a call beside who called what: noted on its way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    /// The school that it is about.
    pub school: String,
    /// The region of the department that it is about.
    pub region: String,
    /// Hash of the file that came with it.
    pub content: String,
    /// Lines of their own for what it also did: what was called, and to what it was done.
    pub also: Vec<(&'static str, String)>,
}

/// The first parameter of every use case.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who acts.
    pub actor: Actor,
    /// Id that the client gave the request, so that a repetition is known; empty where it gave none.
    pub request_id: String,
    /// Address that the request came from.
    pub address: String,
    /// The request that it happens in; none where the system acts by itself.
    pub trace: Option<Trace>,
    noted: Arc<Mutex<Noted>>,
    touched: Arc<Mutex<Touched>>,
    rows: Option<Chain>,
    service: Option<Service>,
    now: DateTime<Utc>,
    today: NaiveDate,
    ids: Ids,
}

impl Context {
    /// The end of a number as this actor may see it. Whoever follows the feed has birth dates of the same students, and what stands
    /// beside a number counts: such an account sees no character of it.
    pub fn shown(&self, masked: String) -> String {
        if self.actor.role == Role::MachineReader { "*".repeat(masked.chars().count()) } else { masked }
    }

    /// A context of the present moment.
    pub fn new(actor: Actor, clock: &Clock, ids: &Ids) -> Self {
        Self {
            actor,
            request_id: String::new(),
            address: String::new(),
            trace: None,
            noted: Arc::default(),
            touched: Arc::default(),
            rows: None,
            service: None,
            now: clock.now(),
            today: clock.today(),
            ids: ids.clone(),
        }
    }

    /// The same, in a service: some roles decide in one and read in the other.
    #[must_use]
    pub fn in_service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// The same, with the keys that bind rows to their checks.
    #[must_use]
    pub fn with_rows(mut self, rows: Chain) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The keys that bind rows to their checks.
    pub fn rows(&self) -> Result<&Chain, Error> {
        self.rows.as_ref().ok_or_else(|| Error::Internal("this context has no keys of rows".into()))
    }

    /// System time at which the request began.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The same in microseconds since 1970.
    pub fn now_us(&self) -> i64 {
        self.now.timestamp_micros()
    }

    /// Civil day of the request.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// A new id.
    pub fn new_id(&self) -> Uuid {
        self.ids.next(self.now)
    }

    /// Where randomness comes from.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes of which school or region whoever calls is, where nobody asks whether they may.
    pub fn note_where(&self, organisation: &str, authority: &str) {
        if authority.is_empty() {
            self.note_place(&Place::Region(organisation));
        } else {
            self.note_place(&Place::School { code: organisation, authority });
        }
    }

    /// Notes the file that came with the call, by its hash.
    pub fn note_content(&self, hash: &[u8]) {
        self.noted().content = hexadecimal(hash);
    }

    /// Notes what is done beside, each for a line of its own in the audit: for a call that acts on many.
    pub fn also(&self, method: &'static str, resources: impl IntoIterator<Item = String>) {
        self.noted().also.extend(resources.into_iter().map(|resource| (method, resource)));
    }

    /// Forgets what was done beside: a transaction begins anew.
    pub(crate) fn begin_anew(&self) {
        self.noted().also.clear();
        *self.touched() = Touched::default();
    }

    fn touched(&self) -> MutexGuard<'_, Touched> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that records are about to be changed, which are bound to what is written of them: before anything is, under the lock that whoever
    /// changes them takes. When the act is done, what they say then is written with its line of the audit.
    pub async fn touch(&self, tx: &mut Tx, kind: &'static Kind, keys: impl IntoIterator<Item = Key>) -> Result<(), Error> {
        let keys = self.touched().without(kind, keys);
        let said = written::as_they_stand(tx, self.rows()?, kind, &keys).await?;
        self.touched().note(kind, said);
        Ok(())
    }

    /// The same of records that are made now.
    pub fn make(&self, kind: &'static Kind, keys: impl IntoIterator<Item = Key>) {
        self.touched().add(kind, keys);
    }

    /// What was written of the records that were touched.
    pub(crate) async fn written(&self, tx: &mut Tx) -> Result<Vec<Part>, Error> {
        let touched = self.touched().clone();
        match &self.rows {
            Some(rows) => Ok(written::written(tx, rows, &touched).await?),
            None => Ok(Vec::new()),
        }
    }

    /// What was noted.
    pub(crate) fn told(&self) -> Noted {
        self.noted().clone()
    }

    /// Notes where the call is about: the first place that is asked for.
    fn note_place(&self, place: &Place) {
        let mut noted = self.noted();
        match place {
            Place::School { code, authority } if noted.school.is_empty() => {
                (*code).clone_into(&mut noted.school);
                (*authority).clone_into(&mut noted.region);
            }
            Place::Region(region) if noted.region.is_empty() => (*region).clone_into(&mut noted.region),
            Place::School { .. } | Place::Region(_) => {}
        }
    }

    /// Whether the actor may do this there; the audit will say where.
    pub fn may(&self, permission: Permission, place: &Place) -> Result<(), Error> {
        self.note_place(place);
        if self.actor.must_change_password {
            return Err(Refusal::new(Reason::MustChangePassword, "首次登录请先修改一次性密码").into());
        }
        if self.actor.must_set_factor {
            return Err(Refusal::new(Reason::MustSetSecondFactor, "该账号须先设置动态码，才能办理业务").into());
        }
        let refused = match permission.check(&self.actor, self.service, place) {
            Err(refused) if self.stands_in() => refused,
            answer => return answer,
        };
        // Whoever stands in for the principal may what the principal may, beside what they may themselves.
        permission.check(&Actor { role: Role::Principal, ..self.actor.clone() }, self.service, place).map_err(|_| refused)
    }

    /// How far the actor's role reaches with something here.
    pub fn reach(&self, permission: Permission) -> Reach {
        permission.reach(self.actor.role, self.service)
    }

    /// Whether the actor's role is one that decides for a department in this service.
    pub fn decides_here(&self) -> bool {
        self.actor.role.decides_in(self.service)
    }

    /// The roles that decide for a department in this service.
    pub fn deciding_roles(&self) -> impl Iterator<Item = Role> + use<> {
        let service = self.service;
        Role::ALL.into_iter().filter(move |role| role.decides_in(service))
    }

    /// Whether a class of their school is the actor's today, as far as was known when the session was opened.
    pub fn teaches(&self, class_name: &str) -> bool {
        let holds = |teaching: &&Teaching| teaching.from <= self.today && teaching.to.is_none_or(|to| self.today < to);
        self.actor.classes.iter().filter(holds).any(|teaching| teaching.class_name == class_name)
    }

    /// Whether the actor stands in for the principal of their school today.
    pub fn stands_in(&self) -> bool {
        self.actor.role == Role::SchoolClerk && self.actor.stands_in.is_some_and(|days| days.from <= self.today && self.today <= days.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stands_in_for_a_principal_may_attest_on_those_days_and_in_that_school_alone() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let clock = Clock::new(|| DateTime::from_timestamp(1_480_000_000, 0).expect("an instant"));
        let stands_in = Some(StandsIn { from: day("2016-11-10"), to: day("2016-11-20") });
        let actor = Actor { role: Role::SchoolClerk, organisation: "3643000001".into(), stands_in, ..Actor::system() };
        for (today, role, school, may) in [
            ("2016-11-09", Role::SchoolClerk, "3643000001", false),
            ("2016-11-10", Role::SchoolClerk, "3643000001", true),
            ("2016-11-20", Role::SchoolClerk, "3643000001", true),
            ("2016-11-21", Role::SchoolClerk, "3643000001", false),
            ("2016-11-15", Role::SchoolClerk, "3643000002", false),
            ("2016-11-15", Role::MachineReader, "3643000001", false),
        ] {
            clock.step_to(day(today));
            let ctx = Context::new(Actor { role, ..actor.clone() }, &clock, &Ids::seeded(1));
            let place = Place::School { code: school, authority: "430102" };
            assert_eq!(ctx.may(Permission::Attest, &place).is_ok(), may, "{today} {role:?} {school}");
            assert!(ctx.may(Permission::Approve, &place).is_err() && ctx.may(Permission::ManageDirectory, &place).is_err());
        }
    }

    #[test]
    fn later_ids_sort_later_even_within_a_millisecond() {
        let (ids, now) = (Ids::seeded(1), DateTime::from_timestamp(1_480_000_000, 0).expect("an instant"));
        let made: Vec<Uuid> = (0..10_000).map(|_| ids.next(now)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(made[0].get_version_num(), 7);
    }
}
