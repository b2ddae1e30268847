//! Short signed tokens (JWT, Ed25519): enrollment signs those of people, each service its own; everybody verifies them offline. Which
//! key signed is said in the head; what it may say follows from whose it is: aid is believed only that it is a service.
//!
//! Tokens end by the clock of whoever issues those of people. A service whose own wall clock may stand a day off goes by what it
//! heard from there last, and by its own monotonic time since: else a step of one machine's clock would end everybody's sessions, or
//! shut the services off from each other.

use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tonic::{Request, Status};

use crate::{
    clock::Clock,
    context::{Actor, Role, StandsIn, Teaching},
    keyring::{Keyring, Service},
    refusal::{Error, Reason, Refusal, fact_of},
};

/// How long a person's session lasts, in seconds.
pub const SESSION_SECONDS: i64 = 8 * 3600;
/// How long a service's token lasts, in seconds.
pub const SERVICE_SECONDS: i64 = 600;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    name: String,
    role: Role,
    org: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    must_change_password: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    must_set_factor: bool,
    #[serde(default)]
    session_us: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stands_in: Option<StandsIn>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    classes: Vec<Teaching>,
    exp: i64,
}

/// Signs and verifies.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    key_id: String,
    verifying: Vec<Verifying>,
    clock: Clock,
    /// The clock of whoever issues tokens, microseconds since 1970, and when it was heard.
    heard: Arc<Mutex<Option<(i64, Instant)>>>,
}

/// The fact of a refusal that tells the clock of who refused, microseconds since 1970.
const CLOCK: &str = "clock_us";

/// A key whose signatures are taken.
#[derive(Clone)]
struct Verifying {
    service: Service,
    id: String,
    key: DecodingKey,
}

impl Tokens {
    /// With the keys of a keyring.
    pub fn new(keyring: &Keyring, clock: Clock) -> Self {
        let (key_id, der) = keyring.signing();
        let verifying = keyring.trusted().into_iter().map(|trusted| Verifying {
            service: trusted.service,
            id: trusted.id,
            key: DecodingKey::from_ed_der(&trusted.public_key),
        });
        Self { signing: EncodingKey::from_ed_der(&der), key_id, verifying: verifying.collect(), clock, heard: Arc::default() }
    }

    /// Goes by another service's clock from now on, microseconds since 1970.
    pub fn hear(&self, now_us: i64) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some((now_us, Instant::now()));
    }

    /// The same, where another service refused a token because it ended by that one's clock.
    pub fn hear_refusal(&self, status: &Status) {
        if let Some(now_us) = fact_of(status, CLOCK).and_then(|clock| clock.parse().ok()) {
            self.hear(now_us);
        }
    }

    fn now_us(&self) -> i64 {
        match *self.heard.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((heard_us, at)) => heard_us.saturating_add(i64::try_from(at.elapsed().as_micros()).unwrap_or(i64::MAX)),
            None => self.clock.now_us(),
        }
    }

    /// A token for an actor, and when it ends (seconds since 1970).
    pub fn issue(&self, actor: &Actor, seconds: i64) -> Result<(String, i64), Error> {
        let exp = self.now_us() / 1_000_000 + seconds;
        let claims = Claims {
            sub: actor.account.clone(),
            name: actor.display_name.clone(),
            role: actor.role,
            org: actor.organisation.clone(),
            must_change_password: actor.must_change_password,
            must_set_factor: actor.must_set_factor,
            session_us: actor.session_us,
            stands_in: actor.stands_in,
            classes: actor.classes.clone(),
            exp,
        };
        let token = jsonwebtoken::encode(&Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::EdDSA) }, &claims, &self.signing)
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok((token, exp))
    }

    /// Who a token stands for.
    pub fn verify(&self, token: &str) -> Result<Actor, Error> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Our own clock judges the expiry, so that a test can let it pass.
        validation.validate_exp = false;
        let refused = |message: &str| Error::from(Refusal::new(Reason::Unauthenticated, message));
        // A peer from before keys had ids names none.
        let named = jsonwebtoken::decode_header(token).map_err(|_| refused("登录凭证无效，请重新登录"))?.kid;
        let keys = self.verifying.iter().filter(|verifying| named.as_ref().is_none_or(|named| *named == verifying.id));
        let claims = keys
            .filter_map(|verifying| Some((verifying.service, jsonwebtoken::decode::<Claims>(token, &verifying.key, &validation).ok()?.claims)))
            .find(|(service, claims)| *service == Service::Enrollment || claims.role == Role::Service)
            .map(|(_, claims)| claims)
            .ok_or_else(|| refused("登录凭证无效，请重新登录"))?;
        let now_us = self.now_us();
        if claims.exp <= now_us / 1_000_000 {
            let over = Refusal { facts: vec![(CLOCK, now_us.to_string())], ..Refusal::new(Reason::Unauthenticated, "登录已过期，请重新登录") };
            return Err(over.into());
        }
        Ok(Actor {
            account: claims.sub,
            display_name: claims.name,
            role: claims.role,
            organisation: claims.org,
            must_change_password: claims.must_change_password,
            must_set_factor: claims.must_set_factor,
            session_us: claims.session_us,
            stands_in: claims.stands_in,
            classes: claims.classes,
        })
    }

    /// A message of one service of this deployment to another, under a token of its own.
    pub fn signed<T>(&self, service: &str, message: T) -> Result<Request<T>, Error> {
        let mut actor = Actor::system();
        service.clone_into(&mut actor.account);
        let (token, _) = self.issue(&actor, SERVICE_SECONDS)?;
        let mut request = Request::new(message);
        let value = format!("Bearer {token}").parse().map_err(|_| Error::Internal("a token is not ASCII".into()))?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    #[test]
    fn a_token_ends_and_another_key_does_not_open_it() {
        let seconds = Arc::new(AtomicI64::new(1_480_000_000));
        let clock = Clock::new({
            let seconds = seconds.clone();
            move || DateTime::from_timestamp(seconds.load(Ordering::Relaxed), 0).unwrap_or_default()
        });
        let (enrollment, aid) = Keyring::generate();
        let tokens = Tokens::new(&enrollment, clock.clone());
        let actor = Actor {
            account: "zhang".into(),
            display_name: "张老师".into(),
            role: Role::SchoolClerk,
            organisation: "3643000001".into(),
            must_change_password: true,
            must_set_factor: true,
            session_us: 3,
            stands_in: Some(StandsIn { from: chrono::NaiveDate::default(), to: chrono::NaiveDate::default() }),
            classes: vec![Teaching { class_name: "1班".into(), from: chrono::NaiveDate::default(), to: None }],
        };
        let (token, _) = tokens.issue(&actor, 60).expect("signs");
        assert_eq!(tokens.verify(&token).expect("is good"), actor);
        let of_aid = Tokens::new(&aid, clock.clone());
        assert_eq!(of_aid.verify(&token).expect("aid takes enrollment's word"), actor);
        assert!(Tokens::new(&Keyring::generate().0, clock).verify(&token).is_err());
        let (forged, _) = of_aid.issue(&actor, 60).expect("signs");
        assert!(tokens.verify(&forged).is_err() && of_aid.verify(&forged).is_err(), "aid speaks for nobody");
        let (own, _) = of_aid.issue(&Actor::system(), 60).expect("signs");
        assert_eq!(tokens.verify(&own).expect("but for itself").role, Role::Service);
        assert!(tokens.verify(&token[..token.len() - 2]).is_err());
        seconds.fetch_add(60, Ordering::Relaxed);
        assert!(tokens.verify(&token).is_err());
    }
}
