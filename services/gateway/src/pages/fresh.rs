//! How fresh the enrollment data are, as every page says: asked once a second, whoever looks at how many pages.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use tonic::Code;
use xuezhu_proto::{aid::GetMirrorRequest, aid::GetMirrorResponse, enrollment::GetRegistryRequest};

use super::{Desk, PageError};

/// How long an answer serves every page.
const FRESH: Duration = Duration::from_secs(1);
/// How long a service may take to say: a page is not held up by what stands above it.
const ANSWER: Duration = Duration::from_secs(3);
/// How long it serves those who look while somebody asks anew.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every page says about the data that it shows.
#[derive(Debug, Clone, Default)]
pub struct Freshness {
    /// How the mirror stands; none where aid does not answer.
    pub mirror: Option<GetMirrorResponse>,
    /// The population registry: `none` or `file`; empty where enrollment does not answer.
    pub registry: String,
}

#[derive(Debug)]
struct Known {
    at: Instant,
    /// The civil day on which it was told: a stepped day is another.
    day: NaiveDate,
    told: Freshness,
}

/// What was told last. Whoever asks while another is asking already gets what was known before.
#[derive(Debug, Clone, Default)]
pub struct LastTold {
    known: Arc<Mutex<Option<Known>>>,
    /// How old the data were, in seconds, when aid last said so, and when that was: it stays while aid is away.
    age: Arc<Mutex<Option<(f64, Instant)>>>,
    asking: Arc<tokio::sync::Mutex<()>>,
}

impl LastTold {
    fn known(&self, day: NaiveDate, oldest: Duration) -> Option<Freshness> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| known.day == day && known.at.elapsed() < oldest)?;
        let mut told = known.told.clone();
        // It grows older by itself; wall clocks step.
        if let Some(mirror) = told.mirror.as_mut().filter(|mirror| mirror.lag_seconds >= 0.0) {
            mirror.lag_seconds += known.at.elapsed().as_secs_f64();
        }
        Some(told)
    }

    /// What every page says, for whoever looks.
    pub async fn get(&self, desk: &Desk, day: NaiveDate) -> Result<Freshness, PageError> {
        if let Some(told) = self.known(day, FRESH) {
            return Ok(told);
        }
        let _asking = if let Ok(asking) = self.asking.try_lock() {
            asking
        } else if let Some(told) = self.known(day, PATIENCE) {
            return Ok(told);
        } else {
            self.asking.lock().await
        };
        if let Some(told) = self.known(day, FRESH) {
            return Ok(told);
        }
        let (mut reconciliation, mut directory) = (desk.reconciliation(), desk.directory());
        let mirror = tokio::time::timeout(ANSWER, reconciliation.get_mirror(desk.request(GetMirrorRequest {})));
        let registry = tokio::time::timeout(ANSWER, directory.get_registry(desk.request(GetRegistryRequest {})));
        let (mirror, registry) = tokio::join!(mirror, registry);
        let mirror = match mirror {
            Ok(Ok(answer)) => Some(answer.into_inner()),
            Ok(Err(status)) if status.code() == Code::Unauthenticated => return Err(PageError::LogIn),
            Ok(Err(_)) | Err(_) => None,
        };
        // Whoever has to change their password first is told no registry: what was known stays.
        let before = || self.known(day, Duration::MAX).map(|told| told.registry);
        let registry = registry.ok().and_then(Result::ok).map(|answer| answer.into_inner().registry).or_else(before).unwrap_or_default();
        Ok(self.heard(mirror, registry, day))
    }

    /// Keeps what somebody was told by the way, where nobody has to ask for it.
    pub fn heard(&self, mirror: Option<GetMirrorResponse>, registry: String, day: NaiveDate) -> Freshness {
        if let Some(lag) = mirror.as_ref().map(|mirror| mirror.lag_seconds).filter(|lag| *lag >= 0.0) {
            *self.age.lock().unwrap_or_else(PoisonError::into_inner) = Some((lag, Instant::now()));
        }
        // How much was forgotten depends on who asks: that is for the pages of whoever may see it.
        let told = Freshness { mirror: mirror.map(|mirror| GetMirrorResponse { forgotten: 0, ..mirror }), registry };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Known { at: Instant::now(), day, told: told.clone() });
        told
    }

    /// How old the data are, in seconds, where nobody is known who could ask; none before anybody did.
    pub fn age(&self) -> Option<f64> {
        let (age, at) = (*self.age.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(age + at.elapsed().as_secs_f64())
    }
}
