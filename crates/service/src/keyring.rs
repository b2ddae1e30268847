//! The keys of a service: what it hashes numbers with, what it seals with, what it signs with, and whose signatures it takes.
//!
//! | key | who has it | what for |
//! | --- | --- | --- |
//! | hash | both services | joins records of one number, without the number |
//! | seal | each service its own | numbers, cards and files at rest |
//! | sign | each service its own | enrollment signs people's tokens, aid its calls to enrollment |
//! | trust | the other's public half | what the other may say: aid only that it is a service |
//!
//! Both files are made together, since each holds the other's public half. Of each kind there may be several: the first is used,
//! the others still open or verify. A keyring of before, one file for both, is split by [`Keyring::split`].

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand::{RngCore, TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_chain::Chain;
use xuezhu_domain::{IdNumber, PersonKey, text::mask};

use crate::private::write_private;

/// What both ends of the feed hash, to see that they hash alike.
const CHECK_TEXT: &[u8] = b"xuezhu hash key check";
const NONCE_BYTES: usize = 12;
/// Bytes of the id of a sealing key, in front of what it sealed.
const SEAL_ID_BYTES: usize = 4;
/// First byte of a sealed value: no id of a sealing key of before.
const SEALED: u8 = 0xe2;

/// A keyring that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Can't be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a keyring.
    #[error("key file {path} can't be used: {why}")]
    Form {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
}

/// Whose keys they are, or whose signature it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// 学籍.
    Enrollment,
    /// 资助.
    Aid,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: String,
    key: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustText {
    service: Service,
    id: String,
    public_key: String,
}

/// The file of a service.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: Service,
    hash: Vec<KeyText>,
    seal: Vec<KeyText>,
    sign: Vec<KeyText>,
    trust: Vec<TrustText>,
    /// Opens what was sealed before keys were split, until all is sealed anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal_of_before: Option<KeyText>,
}

/// The one file of before.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldFile {
    hash_key_id: String,
    hash_key: String,
    seal_key_id: u8,
    seal_key: String,
    signing_key: String,
}

/// A key with its id.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    id: String,
    key: [u8; 32],
}

impl Key {
    /// A new one from the system's randomness.
    fn generate() -> Self {
        let mut key = [0; 32];
        OsRng.unwrap_err().fill_bytes(&mut key);
        Self::of(key)
    }

    /// Its id follows from it, and tells nothing of it.
    fn of(key: [u8; 32]) -> Self {
        Self { id: hexadecimal(&blake3::derive_key("xuezhu id of a key", &key)[..8]), key }
    }

    fn text(&self) -> KeyText {
        KeyText { id: self.id.clone(), key: BASE64.encode(self.key) }
    }
}

/// Whose signatures are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Whose.
    pub service: Service,
    /// Id of the key.
    pub id: String,
    /// Its public half.
    pub public_key: [u8; 32],
}

/// The keys of a service. Nothing of them is ever printed.
#[derive(Clone)]
pub struct Keyring {
    service: Service,
    hash: Vec<Key>,
    seal: Vec<Key>,
    sign: Vec<Key>,
    trust: Vec<Trusted>,
    seal_of_before: Option<(u8, [u8; 32])>,
}

/// A value that knows its kind of key, its id, and by what it is known again: kept in the database that the key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCheck {
    /// `hash`, `seal` or `sign`.
    pub kind: &'static str,
    /// Id of the key.
    pub key_id: String,
    /// A keyed hash of a fixed text.
    pub check: [u8; 16],
}

impl Keyring {
    /// New keys for both services, enrollment's first.
    pub fn generate() -> (Self, Self) {
        Self::pair(&Key::generate(), Key::generate(), None)
    }

    /// Both, on one hash key. Aid signs its calls with `aid_sign`.
    fn pair(hash: &Key, aid_sign: Key, seal_of_before: Option<(u8, [u8; 32])>) -> (Self, Self) {
        let enrollment_sign = Key::generate();
        let trusted = |service, key: &Key| Trusted { service, id: key.id.clone(), public_key: public_half(&key.key) };
        let of_aid = trusted(Service::Aid, &aid_sign);
        let mut of_enrollment = vec![trusted(Service::Enrollment, &enrollment_sign)];
        if seal_of_before.is_some() {
            // Aid is upgraded first: until enrollment is, people's tokens bear the signature of before.
            of_enrollment.push(trusted(Service::Enrollment, &aid_sign));
        }
        let ring = |service, sign, trust| Self { service, hash: vec![hash.clone()], seal: vec![Key::generate()], sign: vec![sign], trust, seal_of_before };
        (ring(Service::Enrollment, enrollment_sign, vec![of_aid]), ring(Service::Aid, aid_sign, of_enrollment))
    }

    /// The keys of both services from the one file of before: the hash key stays, aid goes on signing its calls with the key that
    /// enrollment knows, all else is new, and what was sealed still opens.
    pub fn split(path: &Path) -> Result<(Self, Self), KeyringError> {
        let (text, form) = read(path)?;
        let old: OldFile = serde_json::from_str(&text).map_err(|error| form(&error.to_string()))?;
        if old.seal_key_id == SEALED {
            return Err(form("its sealing key has the one id that can't be told from a new one"));
        }
        let hash = Key { id: old.hash_key_id, key: bytes(&old.hash_key).ok_or_else(|| form("hash_key is not 32 bytes"))? };
        let seal = bytes(&old.seal_key).ok_or_else(|| form("seal_key is not 32 bytes"))?;
        let sign = bytes(&old.signing_key).ok_or_else(|| form("signing_key is not 32 bytes"))?;
        Ok(Self::pair(&hash, Key::of(sign), Some((old.seal_key_id, seal))))
    }

    /// Reads the keys of a service.
    pub fn load(path: &Path, service: Service) -> Result<Self, KeyringError> {
        let (text, form) = read(path)?;
        if serde_json::from_str::<OldFile>(&text).is_ok() {
            return Err(form("it is a keyring of before, one file for both services: split it with `xuezhu admin keyring split`"));
        }
        let file: File = serde_json::from_str(&text).map_err(|error| form(&error.to_string()))?;
        if file.service != service {
            return Err(form(&format!("it holds the keys of {:?}, and those of {service:?} are asked for", file.service)));
        }
        let keys = |keys: &[KeyText], kind: &str| -> Result<Vec<Key>, KeyringError> {
            let read = keys.iter().map(|text| bytes(&text.key).map(|key| Key { id: text.id.clone(), key })).collect::<Option<Vec<_>>>();
            match read {
                Some(keys) if !keys.is_empty() => Ok(keys),
                Some(_) => Err(form(&format!("it has no {kind} key"))),
                None => Err(form(&format!("a {kind} key is not 32 bytes"))),
            }
        };
        let (hash, seal, sign) = (keys(&file.hash, "hash")?, keys(&file.seal, "seal")?, keys(&file.sign, "sign")?);
        if seal.iter().any(|key| seal_id(&key.id).is_none()) {
            return Err(form("the id of a sealing key is not 16 hexadecimal digits"));
        }
        let trust = file.trust.iter().map(|text| bytes(&text.public_key).map(|public_key| Trusted { service: text.service, id: text.id.clone(), public_key }));
        let trust = trust.collect::<Option<Vec<_>>>().ok_or_else(|| form("a public key is not 32 bytes"))?;
        let seal_of_before = match &file.seal_of_before {
            None => None,
            Some(text) => {
                let id = text.id.parse().map_err(|_| form("the id of the sealing key of before is no byte"))?;
                Some((id, bytes(&text.key).ok_or_else(|| form("the sealing key of before is not 32 bytes"))?))
            }
        };
        Ok(Self { service, hash, seal, sign, trust, seal_of_before })
    }

    /// Writes them where only the owner can read them; fails if the file is there.
    pub fn save(&self, path: &Path) -> Result<(), KeyringError> {
        let texts = |keys: &[Key]| keys.iter().map(Key::text).collect();
        let file = File {
            service: self.service,
            hash: texts(&self.hash),
            seal: texts(&self.seal),
            sign: texts(&self.sign),
            trust: self
                .trust
                .iter()
                .map(|trusted| TrustText { service: trusted.service, id: trusted.id.clone(), public_key: BASE64.encode(trusted.public_key) })
                .collect(),
            seal_of_before: self.seal_of_before.map(|(id, key)| KeyText { id: id.to_string(), key: BASE64.encode(key) }),
        };
        let text = serde_json::to_string_pretty(&file).expect("plain structs with string keys");
        write_private(path, text.as_bytes()).map_err(|source| KeyringError::Io { path: path.display().to_string(), source })
    }

    /// Whose keys they are.
    pub fn service(&self) -> Service {
        self.service
    }

    /// By what the keys are known again.
    pub fn checks(&self) -> Vec<KeyCheck> {
        let of = |kind: &'static str, keys: &[Key]| {
            let check = move |key: &Key| {
                let mut check = [0; 16];
                check.copy_from_slice(&blake3::keyed_hash(&key.key, format!("xuezhu {kind} key check").as_bytes()).as_bytes()[..16]);
                KeyCheck { kind, key_id: key.id.clone(), check }
            };
            keys.iter().map(check).collect::<Vec<_>>()
        };
        [of("hash", &self.hash), of("seal", &self.seal), of("sign", &self.sign)].concat()
    }

    /// The key that joins records of one number.
    pub fn person_key(&self, number: &IdNumber) -> PersonKey {
        PersonKey::of(number, &self.hash[0].key)
    }

    /// A keyed hash of any text, for looking it up without keeping it.
    pub fn lookup_hash(&self, kind: &str, text: &str) -> Uuid {
        PersonKey::of_text(&format!("{kind}:{text}"), &self.hash[0].key).0
    }

    /// A keyed hash of content, by which a change is seen.
    pub fn content_hash(&self, content: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.hash[0].key, content).as_bytes()
    }

    /// A keyed hash of parts for one purpose of this service: under another service's keys, or for another purpose, it is another.
    pub fn hash_for(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.hash[0].key);
        let service = match self.service {
            Service::Enrollment => b"enrollment\0",
            Service::Aid => &b"aid\0"[..],
        };
        hasher.update(b"xuezhu hash for\0").update(service).update(purpose.as_bytes()).update(&[0]);
        for part in parts {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()).update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// A person's key as one follower from outside knows it: another follower's is another, and so two can't join what they have.
    pub fn key_for_follower(&self, follower: &str, key: &[u8]) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new_keyed(&self.hash[0].key);
        hasher.update(b"xuezhu key for a follower").update(&[0]).update(follower.as_bytes()).update(&[0]).update(key);
        hasher.finalize().as_bytes()[..16].to_vec()
    }

    /// Id of the hash key.
    pub fn hash_key_id(&self) -> &str {
        &self.hash[0].id
    }

    /// Equal at both ends of the feed only under the same hash key.
    pub fn hash_key_check(&self) -> [u8; 16] {
        let mut check = [0; 16];
        check.copy_from_slice(&blake3::keyed_hash(&self.hash[0].key, CHECK_TEXT).as_bytes()[..16]);
        check
    }

    /// Seals bytes for one purpose in one row: a mark, the key's id, a nonce, then AES-256-GCM-SIV ciphertext. Moved to another row
    /// they don't open.
    pub fn seal(&self, purpose: &str, row: &[Uuid], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let key = &self.seal[0];
        let sealed = Aes256GcmSiv::new(&key.key.into())
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &place(purpose, row) })
            .expect("the plain text is far below the cipher's limit of 64 GiB");
        let id = seal_id(&key.id).expect("was looked at when the key was read or made");
        [&[SEALED][..], &id, &nonce, &sealed].concat()
    }

    /// Opens what [`Self::seal`] sealed; `None` where it was made under another key, for another purpose or row, or altered. What was
    /// sealed before keys were split was bound to no row.
    pub fn open(&self, purpose: &str, row: &[Uuid], sealed: &[u8]) -> Option<Vec<u8>> {
        let (mark, rest) = sealed.split_first()?;
        if *mark == SEALED {
            let (id, rest) = rest.split_at_checked(SEAL_ID_BYTES)?;
            let key = self.seal.iter().find(|key| seal_id(&key.id).is_some_and(|known| known == id))?;
            return decrypt(&key.key, &place(purpose, row), rest);
        }
        let (id, key) = self.seal_of_before?;
        if *mark == id { decrypt(&key, purpose.as_bytes(), rest) } else { None }
    }

    /// Opens sealed text.
    pub fn open_text(&self, purpose: &str, row: &[Uuid], sealed: &[u8]) -> Option<String> {
        String::from_utf8(self.open(purpose, row, sealed)?).ok()
    }

    /// The end of a sealed number, as it is shown; empty where it does not open.
    pub fn masked(&self, purpose: &str, row: &[Uuid], sealed: &[u8]) -> String {
        self.open_text(purpose, row, sealed).as_deref().map(mask).unwrap_or_default()
    }

    /// Whether a value was sealed before keys were split.
    pub fn is_of_before(sealed: &[u8]) -> bool {
        sealed.first().is_some_and(|mark| *mark != SEALED)
    }

    /// The keys of a chain of this service, for one purpose: whoever has the other service's keys can make none of its checks.
    pub fn chain(&self, purpose: &str) -> Chain {
        Chain::under(self.seal.iter().map(|key| blake3::derive_key(&format!("xuezhu chain {purpose}"), &key.key)).collect())
    }

    /// Signs bytes for one purpose: id of the key, and the signature.
    pub fn sign(&self, purpose: &str, bytes: &[u8]) -> (String, [u8; 64]) {
        let key = &self.sign[0];
        (key.id.clone(), SigningKey::from_bytes(&key.key).sign(&signed(purpose, bytes)).to_bytes())
    }

    /// Whether a service signed bytes for one purpose.
    pub fn is_signed(&self, by: Service, key_id: &str, purpose: &str, bytes: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        let of = |trusted: &Trusted| trusted.service == by && trusted.id == key_id;
        let keys = self.trusted().into_iter().filter(of).filter_map(|trusted| VerifyingKey::from_bytes(&trusted.public_key).ok());
        keys.into_iter().any(|key| key.verify_strict(&signed(purpose, bytes), &signature).is_ok())
    }

    /// Id and private half of the key that this service signs with, as PKCS 8 (RFC 8410).
    pub(crate) fn signing(&self) -> (String, Vec<u8>) {
        let key = &self.sign[0];
        let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        der.extend_from_slice(&key.key);
        (key.id.clone(), der)
    }

    /// Whose signatures this service takes: its own, and those it trusts.
    pub(crate) fn trusted(&self) -> Vec<Trusted> {
        let own = self.sign.iter().map(|key| Trusted { service: self.service, id: key.id.clone(), public_key: public_half(&key.key) });
        own.chain(self.trust.iter().cloned()).collect()
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("service", &self.service).field("hash_key_id", &self.hash_key_id()).finish_non_exhaustive()
    }
}

/// Bytes as two digits each.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Bytes from two digits each.
pub fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.is_ascii() && text.len().is_multiple_of(2);
    digits.then(|| (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()).flatten()
}

fn public_half(key: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(key).verifying_key().to_bytes()
}

/// What is signed for a purpose: never a token, which begins with the text of its head.
fn signed(purpose: &str, bytes: &[u8]) -> Vec<u8> {
    [b"xuezhu signed\0", purpose.as_bytes(), &[0], bytes].concat()
}

/// What a sealed value is bound to.
fn place(purpose: &str, row: &[Uuid]) -> Vec<u8> {
    let mut place = [purpose.as_bytes(), &[0]].concat();
    for id in row {
        place.extend_from_slice(id.as_bytes());
    }
    place
}

fn decrypt(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    Aes256GcmSiv::new(&(*key).into()).decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad }).ok()
}

/// The id of a sealing key as it stands in front of what it sealed.
fn seal_id(id: &str) -> Option<[u8; SEAL_ID_BYTES]> {
    let mut bytes = [0; SEAL_ID_BYTES];
    for (byte, digits) in bytes.iter_mut().zip(id.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (id.len() == 16).then_some(bytes)
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

/// The text of a key file that only its owner may read, and how a fault of it is told.
fn read(path: &Path) -> Result<(String, impl Fn(&str) -> KeyringError), KeyringError> {
    let shown = path.display().to_string();
    let io = |source| KeyringError::Io { path: path.display().to_string(), source };
    let form = move |why: &str| KeyringError::Form { path: shown.clone(), why: why.to_owned() };
    let found = fs::metadata(path).map_err(io)?;
    if found.permissions().mode() & 0o077 != 0 {
        return Err(form(&format!("others than its owner may read or write it (mode {:o}): chmod 600", found.permissions().mode() & 0o777)));
    }
    Ok((fs::read_to_string(path).map_err(io)?, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_row_for_its_purpose_by_its_service_and_unaltered() {
        let (enrollment, aid) = Keyring::generate();
        let (row, other) = ([Uuid::from_u128(1)], [Uuid::from_u128(2)]);
        let mut sealed = enrollment.seal("id", &row, b"11010519491231002X");
        assert_eq!(enrollment.open_text("id", &row, &sealed).as_deref(), Some("11010519491231002X"));
        assert!(enrollment.open("card", &row, &sealed).is_none());
        assert!(enrollment.open("id", &other, &sealed).is_none());
        assert!(enrollment.open("id", &[row[0], other[0]], &sealed).is_none());
        assert!(aid.open("id", &row, &sealed).is_none());
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert!(enrollment.open("id", &row, &sealed).is_none());
        for length in 0..sealed.len() {
            assert!(enrollment.open("id", &row, &sealed[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn a_keyring_of_before_is_split_and_still_opens_what_it_sealed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keyring.json");
        let (hash, seal, sign) = ([1; 32], [2; 32], [3; 32]);
        let old = OldFile {
            hash_key_id: "before".into(),
            hash_key: BASE64.encode(hash),
            seal_key_id: 1,
            seal_key: BASE64.encode(seal),
            signing_key: BASE64.encode(sign),
        };
        write_private(&path, serde_json::to_string(&old).expect("text").as_bytes()).expect("writes");
        let (enrollment, aid) = Keyring::split(&path).expect("splits");
        assert_eq!((enrollment.hash_key_id(), aid.hash_key_id()), ("before", "before"));
        let nonce = [7; NONCE_BYTES];
        let sealed = Aes256GcmSiv::new(&seal.into()).encrypt(&Nonce::from(nonce), Payload { msg: b"x", aad: b"id" }).expect("seals");
        let sealed = [&[1][..], &nonce, &sealed].concat();
        assert!(Keyring::is_of_before(&sealed));
        for keyring in [&enrollment, &aid] {
            assert_eq!(keyring.open("id", &[Uuid::nil()], &sealed).as_deref(), Some(&b"x"[..]));
            assert!(!Keyring::is_of_before(&keyring.seal("id", &[Uuid::nil()], b"x")));
        }
        assert!(Keyring::load(&path, Service::Enrollment).is_err_and(|error| error.to_string().contains("split")));
    }

    #[test]
    fn what_a_service_signs_is_known_by_both_and_made_by_neither_of_the_others() {
        let (enrollment, aid) = Keyring::generate();
        let (id, signature) = aid.sign("head", b"1");
        for ring in [&enrollment, &aid] {
            assert!(ring.is_signed(Service::Aid, &id, "head", b"1", &signature));
            assert!(!ring.is_signed(Service::Enrollment, &id, "head", b"1", &signature));
            assert!(!ring.is_signed(Service::Aid, &id, "head", b"2", &signature));
            assert!(!ring.is_signed(Service::Aid, &id, "tail", b"1", &signature));
            assert!(!ring.is_signed(Service::Aid, &id, "head", b"1", &signature[..63]));
        }
        assert!(!Keyring::generate().0.is_signed(Service::Aid, &id, "head", b"1", &signature));
        let said = xuezhu_chain::Said::of("test");
        assert!(!aid.chain("audit").is_check(&said, &enrollment.chain("audit").check(&said)), "each has its own");
        assert!(!aid.chain("audit").is_check(&said, &aid.chain("rows").check(&said)), "for one purpose");
    }

    #[test]
    fn what_is_hashed_for_one_purpose_of_one_service_is_nothing_to_another() {
        let (enrollment, aid) = Keyring::generate();
        let one = enrollment.hash_for("file", &[b"a", b"b"]);
        assert_eq!(one, enrollment.hash_for("file", &[b"a", b"b"]));
        for other in [aid.hash_for("file", &[b"a", b"b"]), enrollment.hash_for("fil", &[b"ea", b"b"]), enrollment.hash_for("file", &[b"ab", b""])] {
            assert_ne!(one, other);
        }
        assert_ne!(one, Keyring::generate().0.hash_for("file", &[b"a", b"b"]));
    }

    #[test]
    fn two_followers_know_a_person_under_different_keys() {
        let (keyring, _) = Keyring::generate();
        let (one, two) = (keyring.key_for_follower("one", b"key"), keyring.key_for_follower("two", b"key"));
        assert!(one != two && one.len() == 16 && one == keyring.key_for_follower("one", b"key"));
    }
}
