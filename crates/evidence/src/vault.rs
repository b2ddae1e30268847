//! Where sealed files lie: a folder, or a bucket that speaks S3. It knows addresses and bytes, nothing of what they are.

use std::{path::Path as Folder, sync::Arc, time::Duration};

use object_store::{ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem, memory::InMemory, path::Path};
use xuezhu_service::{keyring::hexadecimal, private::private_folder, settings::Settings};

use crate::kind::FILE_BYTES;

/// Bytes of an address.
pub const ADDRESS_BYTES: usize = 32;
/// Bytes of a sealed file, at most: the file, and what sealing adds.
const SEALED_BYTES: u64 = FILE_BYTES as u64 + 1024;
/// How often a bucket that does not answer is asked again, and for how long in all.
const RETRIES: usize = 3;
const RETRYING: Duration = Duration::from_secs(30);
/// What says that a place is a bucket: `s3://BUCKET/PREFIX`.
const BUCKET: &str = "s3://";

/// A place that can't be used, or does not do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The place as it was set.
    #[error("the place for evidence {place}: {why}")]
    Place {
        /// Where.
        place: String,
        /// Why.
        why: String,
    },
    /// It has no such file.
    #[error("the vault has no such file")]
    Missing,
    /// What lies there is larger than any file that was put there.
    #[error("the vault has something larger than any file")]
    TooLarge,
    /// It does not answer, or has no room.
    #[error("the vault: {0}")]
    Away(#[source] object_store::Error),
}

impl VaultError {
    /// Whether it has no room.
    pub fn is_full(&self) -> bool {
        let Self::Away(error) = self else { return false };
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = source {
            if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull) {
                return true;
            }
            source = error.source();
        }
        false
    }
}

impl From<object_store::Error> for VaultError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::Away(other),
        }
    }
}

/// Under what a sealed file lies: a keyed hash of its content and of the row that it belongs to. It tells nobody what is in it, nor whether
/// two are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub [u8; ADDRESS_BYTES]);

/// A place for sealed files.
#[derive(Debug, Clone)]
pub struct Vault {
    store: Arc<dyn ObjectStore>,
    prefix: String,
}

impl Vault {
    /// The place that a setting names: `s3://BUCKET/PREFIX`, else a folder, which is made.
    pub fn open(place: &str, settings: &Settings) -> Result<Self, VaultError> {
        match place.strip_prefix(BUCKET) {
            Some(bucket) => Self::bucket(place, bucket, settings),
            None => Self::folder(Folder::new(place)),
        }
    }

    /// Whether a setting names a bucket.
    pub fn is_bucket(place: &str) -> bool {
        place.starts_with(BUCKET)
    }

    /// A folder that only its owner may enter. What is written is on the disk before it is said to be.
    pub fn folder(folder: &Folder) -> Result<Self, VaultError> {
        let place = |why: String| VaultError::Place { place: folder.display().to_string(), why };
        private_folder(folder).map_err(|error| place(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| place(error.to_string()))?;
        Ok(Self { store: Arc::new(store.with_fsync(true)), prefix: String::new() })
    }

    fn bucket(place: &str, bucket: &str, settings: &Settings) -> Result<Self, VaultError> {
        let wrong = |why: String| VaultError::Place { place: place.to_owned(), why };
        let (bucket, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
        let file = settings.evidence_s3_credentials_file.as_ref();
        let file = file.ok_or_else(|| wrong("a bucket needs the setting evidence_s3_credentials_file".into()))?;
        let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("evidence_s3_credentials_file: {error}")))?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (Some(id), Some(secret), None) = (lines.next(), lines.next(), lines.next()) else {
            return Err(wrong("evidence_s3_credentials_file must hold two lines: the id of the access key and its secret".into()));
        };
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRYING, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&settings.evidence_s3_region)
            .with_access_key_id(id)
            .with_secret_access_key(secret)
            .with_retry(retry);
        if !settings.evidence_s3_endpoint.is_empty() {
            builder = builder.with_endpoint(&settings.evidence_s3_endpoint).with_allow_http(settings.evidence_s3_endpoint.starts_with("http://"));
        }
        let store = builder.build().map_err(|error| wrong(error.to_string()))?;
        Ok(Self { store: Arc::new(store), prefix: prefix.trim_matches('/').to_owned() })
    }

    /// A place that ends with the process: for tests of what is beside it.
    pub fn memory() -> Self {
        Self { store: Arc::new(InMemory::new()), prefix: String::new() }
    }

    /// In which of 256 folders it lies, and as what.
    fn path(&self, address: Address) -> Path {
        let name = hexadecimal(&address.0);
        self.prefix.split('/').filter(|part| !part.is_empty()).chain([&name[..2], &format!("{name}.sealed")]).collect()
    }

    /// Puts a sealed file there; it is there when this returns.
    pub async fn put(&self, address: Address, sealed: Vec<u8>) -> Result<(), VaultError> {
        self.store.put(&self.path(address), sealed.into()).await?;
        Ok(())
    }

    /// A sealed file.
    pub async fn get(&self, address: Address) -> Result<Vec<u8>, VaultError> {
        let found = self.store.get(&self.path(address)).await?;
        // Whoever may write there could fill our memory.
        if found.meta.size > SEALED_BYTES {
            return Err(VaultError::TooLarge);
        }
        Ok(found.bytes().await?.into())
    }

    /// Takes a sealed file away; one that is not there is as good.
    pub async fn remove(&self, address: Address) -> Result<(), VaultError> {
        match self.store.delete(&self.path(address)).await.map_err(VaultError::from) {
            Err(VaultError::Missing) => Ok(()),
            answer => answer,
        }
    }
}
