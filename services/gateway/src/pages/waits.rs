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

use super::{Desk, today};

/// How long a count serves every page.
const FRESH: Duration = Duration::from_secs(30);
/// How long a service may take to count: a page is not held up by what stands above it.
const ANSWER: Duration = Duration::from_secs(2);
/// Sessions whose counts are kept.
const SESSIONS: usize = 2000;

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

/// What was counted last, by token: who only says who they are is told nothing of it.
#[derive(Debug, Clone, Default)]
pub struct LastCounted(Arc<Mutex<HashMap<String, (Instant, Waits)>>>);

impl LastCounted {
    /// How much waits for whoever looks; what can't be counted now is not shown.
    pub async fn get(&self, desk: &Desk) -> Waits {
        if desk.user.must_first() {
            return Waits::default();
        }
        if let Some(known) = self.known(&desk.token) {
            return known;
        }
        // Nothing waits for who sees classes, or money, or accounts alone.
        let counted = if desk.user.reads_school() { count(desk).await } else { school_of(desk).await.map(|school| Waits { school, ..Waits::default() }) };
        // What no service counted is nobody's count: whoever comes next asks again.
        if let Some(counted) = &counted {
            self.heard(&desk.token, counted.clone());
        }
        counted.unwrap_or_default()
    }

    /// Keeps what the page of today counted by the way.
    pub fn counted(&self, desk: &Desk, tasks: usize, flags: i32, school: String) -> Waits {
        let waits = Waits { tasks: i32::try_from(tasks).unwrap_or(i32::MAX), flags, school };
        self.heard(&desk.token, waits.clone());
        waits
    }

    fn known(&self, token: &str) -> Option<Waits> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(token).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, waits)| waits.clone())
    }

    /// Keeps what was counted.
    fn heard(&self, token: &str, waits: Waits) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SESSIONS {
            all.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if all.len() < SESSIONS {
            all.insert(token.to_owned(), (Instant::now(), waits));
        }
    }

    /// What they change may change what waits.
    pub fn forget(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

/// Name of the school of whoever looks; none where nobody says.
async fn school_of(desk: &Desk) -> Option<String> {
    if !desk.user.is_school() {
        return Some(String::new());
    }
    let asked = GetSchoolRequest { school: desk.user.org.clone() };
    Some(desk.directory().get_school(desk.request(asked)).await.ok()?.into_inner().school?.name)
}

async fn count(desk: &Desk) -> Option<Waits> {
    let (mut of_enrollment, mut of_aid) = (desk.enrollment_today(), desk.aid_today());
    let counted = tokio::time::timeout(ANSWER, async {
        tokio::join!(
            of_enrollment.get_enrollment_today(desk.request(GetEnrollmentTodayRequest { page_size: 1 })),
            of_aid.get_aid_today(desk.request(GetAidTodayRequest {}))
        )
    });
    let (enrollment, aid) = counted.await.ok()?;
    let (enrollment, aid) = (enrollment.ok()?.into_inner(), aid.ok()?.into_inner());
    let flags = aid.cause_count;
    let tasks = today::count_of_mine(desk, enrollment.inbox.unwrap_or_default(), aid.inbox.unwrap_or_default(), &aid.waiting_lists);
    Some(Waits { tasks: i32::try_from(tasks).unwrap_or(i32::MAX), flags, school: enrollment.school_name })
}
