//! The deployment's keys: one file for both services, made once and kept beside the data.

use std::{fs, io::Write, path::Path};

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::SigningKey;
use rand::{RngCore, TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_domain::{IdNumber, PersonKey};

/// What both ends of the feed hash, to see that they hash alike.
const CHECK_TEXT: &[u8] = b"xuezhu hash key check";
const NONCE_BYTES: usize = 12;

/// A keyring that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Can't be read or written.
    #[error("keyring file {path}: {source}")]
    Io {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a keyring.
    #[error("keyring file {path} is not a keyring: {why}")]
    Form {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    hash_key_id: String,
    hash_key: String,
    seal_key_id: u8,
    seal_key: String,
    signing_key: String,
}

/// The keys. Nothing of them is ever printed.
#[derive(Clone)]
pub struct Keyring {
    hash_key_id: String,
    hash_key: [u8; 32],
    seal_key_id: u8,
    seal_key: [u8; 32],
    signing_key: [u8; 32],
}

impl Keyring {
    /// New keys from the system's randomness.
    pub fn generate() -> Self {
        let mut random = OsRng.unwrap_err();
        let mut key = || {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let (hash_key, seal_key, signing_key) = (key(), key(), key());
        let hash_key_id = Uuid::from_slice(&blake3::hash(&hash_key).as_bytes()[..16]).unwrap_or_default().simple().to_string();
        Self { hash_key_id, hash_key, seal_key_id: 1, seal_key, signing_key }
    }

    /// Reads a keyring.
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|source| KeyringError::Io { path: shown.clone(), source })?;
        let form = |why: String| KeyringError::Form { path: shown.clone(), why };
        let file: File = serde_json::from_str(&text).map_err(|error| form(error.to_string()))?;
        let key = |text: &str| -> Result<[u8; 32], KeyringError> {
            let bytes = BASE64.decode(text).map_err(|error| form(error.to_string()))?;
            bytes.try_into().map_err(|_| form("a key is not 32 bytes".into()))
        };
        Ok(Self {
            hash_key: key(&file.hash_key)?,
            seal_key: key(&file.seal_key)?,
            signing_key: key(&file.signing_key)?,
            hash_key_id: file.hash_key_id,
            seal_key_id: file.seal_key_id,
        })
    }

    /// Writes it where only the owner can read it; fails if the file is there.
    pub fn save(&self, path: &Path) -> Result<(), KeyringError> {
        let file = File {
            hash_key_id: self.hash_key_id.clone(),
            hash_key: BASE64.encode(self.hash_key),
            seal_key_id: self.seal_key_id,
            seal_key: BASE64.encode(self.seal_key),
            signing_key: BASE64.encode(self.signing_key),
        };
        let text = serde_json::to_string_pretty(&file).expect("five strings");
        write_private(path, text.as_bytes()).map_err(|source| KeyringError::Io { path: path.display().to_string(), source })
    }

    /// Reads the keyring, or makes it where there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyringError> {
        if path.exists() {
            return Self::load(path);
        }
        let keyring = Self::generate();
        keyring.save(path)?;
        Ok(keyring)
    }

    /// The key that joins records of one number.
    pub fn person_key(&self, number: &IdNumber) -> PersonKey {
        PersonKey::of(number, &self.hash_key)
    }

    /// A keyed hash of any text, for looking it up without keeping it.
    pub fn lookup_hash(&self, kind: &str, text: &str) -> Uuid {
        PersonKey::of_text(&format!("{kind}:{text}"), &self.hash_key).0
    }

    /// A keyed hash of content, by which a change is seen.
    pub fn content_hash(&self, content: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.hash_key, content).as_bytes()
    }

    /// Id of the hash key.
    pub fn hash_key_id(&self) -> &str {
        &self.hash_key_id
    }

    /// Equal at both ends of the feed only under the same hash key.
    pub fn hash_key_check(&self) -> [u8; 16] {
        let mut check = [0; 16];
        check.copy_from_slice(&blake3::keyed_hash(&self.hash_key, CHECK_TEXT).as_bytes()[..16]);
        check
    }

    /// Seals bytes for one purpose: key id, nonce, then AES-256-GCM-SIV ciphertext.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let cipher = Aes256GcmSiv::new(&self.seal_key.into());
        let sealed = cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: purpose.as_bytes() })
            .expect("the plain text is far below the cipher's limit of 64 GiB");
        let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        bytes.push(self.seal_key_id);
        bytes.extend_from_slice(&nonce);
        bytes.extend(sealed);
        bytes
    }

    /// Opens what [`Self::seal`] sealed; `None` where it was made under another key, for another purpose, or altered.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() < 1 + NONCE_BYTES || sealed[0] != self.seal_key_id {
            return None;
        }
        let nonce: [u8; NONCE_BYTES] = sealed[1..=NONCE_BYTES].try_into().ok()?;
        let cipher = Aes256GcmSiv::new(&self.seal_key.into());
        cipher.decrypt(&Nonce::from(nonce), Payload { msg: &sealed[1 + NONCE_BYTES..], aad: purpose.as_bytes() }).ok()
    }

    /// Opens sealed text.
    pub fn open_text(&self, purpose: &str, sealed: &[u8]) -> Option<String> {
        String::from_utf8(self.open(purpose, sealed)?).ok()
    }

    /// The private signing key as PKCS 8 (RFC 8410).
    pub(crate) fn signing_pkcs8(&self) -> Vec<u8> {
        let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        der.extend_from_slice(&self.signing_key);
        der
    }

    /// The public key that tokens are verified by.
    pub(crate) fn verifying_key(&self) -> [u8; 32] {
        SigningKey::from_bytes(&self.signing_key).verifying_key().to_bytes()
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("hash_key_id", &self.hash_key_id).finish_non_exhaustive()
    }
}

/// Writes a new file that only its owner can read.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_for_its_purpose_and_unaltered() {
        let keyring = Keyring::generate();
        let mut sealed = keyring.seal("id", b"11010519491231002X");
        assert_eq!(keyring.open_text("id", &sealed).as_deref(), Some("11010519491231002X"));
        assert!(keyring.open("card", &sealed).is_none());
        assert!(Keyring::generate().open("id", &sealed).is_none());
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert!(keyring.open("id", &sealed).is_none());
    }
}
