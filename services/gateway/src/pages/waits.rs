//! How much waits for whoever looks, as the frame of every page counts it: asked anew after a while, and after whatever they changed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use xuezhu_proto::{
    aid::GetAidTodayRequest,
    enrollment::{GetEnrollmentTodayRequest, GetSchoolRequest},
};

use super::{Desk, home};

/// How long a count serves every page.
const FRESH: Duration = Duration::from_secs(30);
/// How long a service may take to count: a page is not held up by what stands above it.
const ANSWER: Duration = Duration::from_secs(2);
/// Accounts whose counts are kept.
const ACCOUNTS: usize = 2000;

/// How much waits, and at which school.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waits {
    /// What waits for whoever looks.
    pub tasks: i32,
    /// Causes of flags that nobody closed.
    pub flags: i32,
    /// Name of their school; empty where they are of none.
    pub school: String,
}

/// What was counted last, by account.
#[derive(Debug, Clone, Default)]
pub struct LastCounted(Arc<Mutex<HashMap<String, (Instant, Waits)>>>);

impl LastCounted {
    /// How much waits for whoever looks; what can't be counted now is not shown.
    pub async fn get(&self, desk: &Desk) -> Waits {
        if desk.user.must_change_password {
            return Waits::default();
        }
        if let Some(known) = self.known(&desk.user.sub) {
            return known;
        }
        // Nothing waits for who sees classes, or money, or accounts alone.
        let counted = if desk.user.reads_school() { count(desk).await } else { Waits { school: school_of(desk).await, ..Waits::default() } };
        self.heard(&desk.user.sub, counted.clone());
        counted
    }

    /// Keeps what the page of today counted by the way; the school's name is what it was.
    pub async fn counted(&self, desk: &Desk, tasks: usize, flags: i32) -> Waits {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&desk.user.sub).map(|(_, waits)| waits.school.clone());
        let school = match known {
            Some(school) if !school.is_empty() => school,
            _ => school_of(desk).await,
        };
        let waits = Waits { tasks: i32::try_from(tasks).unwrap_or(i32::MAX), flags, school };
        self.heard(&desk.user.sub, waits.clone());
        waits
    }

    fn known(&self, account: &str) -> Option<Waits> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(account).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, waits)| waits.clone())
    }

    /// Keeps what was counted.
    fn heard(&self, account: &str, waits: Waits) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ACCOUNTS {
            all.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if all.len() < ACCOUNTS {
            all.insert(account.to_owned(), (Instant::now(), waits));
        }
    }

    /// What they change may change what waits.
    pub fn forget(&self, account: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

/// Name of the school of whoever looks.
async fn school_of(desk: &Desk) -> String {
    if !desk.user.is_school() {
        return String::new();
    }
    let asked = GetSchoolRequest { school: desk.user.org.clone() };
    let school = desk.directory().get_school(desk.request(asked)).await.ok().and_then(|answer| answer.into_inner().school);
    school.map(|school| school.name).unwrap_or_default()
}

async fn count(desk: &Desk) -> Waits {
    let (mut of_enrollment, mut of_aid) = (desk.enrollment_today(), desk.aid_today());
    let counted = tokio::time::timeout(ANSWER, async {
        tokio::join!(
            of_enrollment.get_enrollment_today(desk.request(GetEnrollmentTodayRequest { page_size: 1 })),
            of_aid.get_aid_today(desk.request(GetAidTodayRequest {})),
            school_of(desk)
        )
    });
    let Ok((enrollment, aid, school)) = counted.await else { return Waits::default() };
    let enrollment = enrollment.map(tonic::Response::into_inner).unwrap_or_default();
    let aid = aid.map(tonic::Response::into_inner).unwrap_or_default();
    let flags = aid.cause_count;
    let tasks = home::count_of_mine(desk, enrollment.inbox.unwrap_or_default(), aid.inbox.unwrap_or_default(), &aid.waiting_lists);
    Waits { tasks: i32::try_from(tasks).unwrap_or(i32::MAX), flags, school }
}
