//! TLS: who this process is, and who is at the other end, by files that are read anew when they change. Knows no call.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | what stands in the files, and what follows from them for either end |
//! | [`peer`] | the way to a service, with or without TLS |
//! | [`private`] | a certificate authority of one's own, and what it signs |
//!
//! New connections go by what the files say now; those that are open go on. Files that can't be used change nothing: what was read last goes
//! on, and the log and a metric say so.

pub mod peer;
pub mod private;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::sync::CancellationToken;
use x509_cert::der::Decode;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// What is spoken within, to whoever asks: calls of HTTP/2 before HTTP/1.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate of this process, with those that lead up to its authority: PEM.
    pub certificate: PathBuf,
    /// Its key: PEM.
    pub key: PathBuf,
    /// Who signs the certificates of the other ends: PEM. None where whoever comes needs none.
    pub authority: Option<PathBuf>,
}

/// Files that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One can't be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// One does not hold what it must.
    #[error("{path} holds no {what}")]
    Holds {
        /// Which.
        path: String,
        /// What is missing.
        what: &'static str,
    },
    /// They do not fit each other.
    #[error("{path}: {source}")]
    Unfit {
        /// The certificate.
        path: String,
        /// Why.
        source: rustls::Error,
    },
    /// Nobody signs the other ends.
    #[error("the authority {0} signs nobody: it holds no certificate that can")]
    Authority(String),
    /// The way to a service asks for what no file says.
    #[error("{0} asks for TLS, and nobody said who signs its certificate")]
    NoAuthority(String),
    /// An address that is none.
    #[error("{0} is no address of a service")]
    Address(String),
    /// A certificate could not be made.
    #[error("a certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// What stood in the files when they were read last.
struct Loaded {
    server: Arc<ServerConfig>,
    client: Option<Arc<ClientConfig>>,
    read: [u8; 32],
    ends: u64,
}

/// TLS of one kind of connections of this process.
#[derive(Clone)]
pub struct Tls {
    name: &'static str,
    files: Files,
    loaded: Arc<RwLock<Loaded>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// By files; `name` is what metrics call it.
    pub fn load(name: &'static str, files: Files) -> Result<Self, TlsError> {
        let loaded = load(&files)?;
        let tls = Self { name, files, loaded: Arc::new(RwLock::new(loaded)) };
        tls.tell();
        Ok(tls)
    }

    /// Takes connections, by what was read last.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.loaded.read().unwrap_or_else(PoisonError::into_inner).server.clone())
    }

    /// Opens connections, by what was read last; none where nobody signs the other ends.
    pub fn connector(&self) -> Option<TlsConnector> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).client.clone().map(TlsConnector::from)
    }

    /// Reads the files anew where they changed; returns whether they did.
    pub fn renew(&self) -> Result<bool, TlsError> {
        let known = self.loaded.read().unwrap_or_else(PoisonError::into_inner).read;
        if hash(&self.files)? == known {
            return Ok(false);
        }
        let loaded = load(&self.files)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// Looks at the files until told to stop.
    pub async fn keep(self, stop: CancellationToken) {
        let mut is_unfit = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            match self.renew() {
                Ok(changed) => {
                    is_unfit = false;
                    if changed {
                        tracing::info!(name = self.name, certificate = %self.files.certificate.display(), "certificates are read anew");
                    }
                }
                Err(error) => {
                    if !is_unfit {
                        tracing::error!(%error, name = self.name, "certificates can't be read anew: what was read last goes on");
                    }
                    is_unfit = true;
                }
            }
            metrics::gauge!("xuezhu_certificate_unfit", "name" => self.name).set(if is_unfit { 1.0 } else { 0.0 });
            self.tell();
        }
    }

    /// When the first of its certificates ends, seconds since 1970.
    pub fn ends(&self) -> u64 {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).ends
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
    fn tell(&self) {
        metrics::gauge!("xuezhu_certificate_ends_timestamp_seconds", "name" => self.name).set(self.ends() as f64);
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File { path: path.display().to_string(), source })
}

/// What tells whether the files changed.
fn hash(files: &Files) -> Result<[u8; 32], TlsError> {
    let mut hasher = blake3::Hasher::new();
    for path in [Some(&files.certificate), Some(&files.key), files.authority.as_ref()].into_iter().flatten() {
        let read = bytes(path)?;
        hasher.update(&(read.len() as u64).to_le_bytes()).update(&read);
    }
    Ok(*hasher.finalize().as_bytes())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = bytes(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&read).filter_map(Result::ok).collect();
    if found.is_empty() { Err(TlsError::Holds { path: path.display().to_string(), what: "certificate" }) } else { Ok(found) }
}

/// When a certificate ends, seconds since 1970.
fn ends(certificate: &CertificateDer<'_>) -> Option<u64> {
    let read = x509_cert::Certificate::from_der(certificate).ok()?;
    Some(read.tbs_certificate.validity.not_after.to_unix_duration().as_secs())
}

fn load(files: &Files) -> Result<Loaded, TlsError> {
    let read = hash(files)?;
    let chain = certificates(&files.certificate)?;
    let key = || -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&bytes(&files.key)?).map_err(|_| TlsError::Holds { path: files.key.display().to_string(), what: "key" })
    };
    let unfit = |source| TlsError::Unfit { path: files.certificate.display().to_string(), source };
    let mut all = chain.clone();
    let authority = match &files.authority {
        None => None,
        Some(path) => {
            let signers = certificates(path)?;
            let mut roots = RootCertStore::empty();
            if roots.add_parsable_certificates(signers.iter().cloned()).0 == 0 {
                return Err(TlsError::Authority(path.display().to_string()));
            }
            all.extend(signers);
            Some((Arc::new(roots), path))
        }
    };
    let server = ServerConfig::builder();
    let server = match &authority {
        None => server.with_no_client_auth(),
        Some((roots, path)) => {
            let verifier = WebPkiClientVerifier::builder(roots.clone()).build().map_err(|_| TlsError::Authority(path.display().to_string()))?;
            server.with_client_cert_verifier(verifier)
        }
    };
    let mut server = server.with_single_cert(chain.clone(), key()?).map_err(unfit)?;
    server.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    let client = match authority {
        None => None,
        Some((roots, _)) => {
            let mut client = ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(chain, key()?).map_err(unfit)?;
            client.alpn_protocols = vec![PROTOCOLS[0].to_vec()];
            Some(Arc::new(client))
        }
    };
    let ends = all.iter().filter_map(ends).min().unwrap_or(0);
    Ok(Loaded { server: Arc::new(server), client, read, ends })
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::{
        private::{Made, authority, signed},
        *,
    };

    const DAYS: private::Days = [(2020, 1, 1), (2090, 1, 1)];

    fn files(folder: &Path, by: &Made, made: &Made) -> Files {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("writes");
            path
        };
        Files { certificate: write("own.pem", &made.certificate), key: write("own.key", &made.key), authority: Some(write("authority.pem", &by.certificate)) }
    }

    /// Whether a byte gets from one end to the other and back.
    async fn speaks(from: &Tls, to: &Tls, name: &str) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("an address");
        let acceptor = to.acceptor();
        let answers = tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            let mut stream = acceptor.accept(stream).await?;
            let byte = stream.read_u8().await?;
            stream.write_u8(byte).await?;
            stream.flush().await
        });
        let asked = async {
            let name = rustls::pki_types::ServerName::try_from(name.to_owned()).expect("a name");
            let mut stream = from.connector().expect("knows an authority").connect(name, TcpStream::connect(address).await?).await?;
            stream.write_u8(7).await?;
            stream.flush().await?;
            stream.read_u8().await
        };
        let said = asked.await;
        answers.await.expect("a task").is_ok() && said.is_ok_and(|byte| byte == 7)
    }

    #[tokio::test]
    async fn both_ends_show_certificates_of_the_same_authority_under_their_names_and_new_ones_without_a_restart() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (ours, theirs) = (authority(DAYS).expect("is made"), authority(DAYS).expect("is made"));
        let make = |by: &Made, name: &str, days| signed(by, name, &[name.to_owned(), "localhost".to_owned()], days).expect("is signed");
        let [a, b, c] = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
        let enrollment = Tls::load("a", files(a.path(), &ours, &make(&ours, "enrollment", DAYS))).expect("loads");
        let aid = Tls::load("b", files(b.path(), &ours, &make(&ours, "aid", DAYS))).expect("loads");
        // Whoever knows our authority and shows a certificate of another one.
        let stranger = Tls::load("c", files(c.path(), &ours, &make(&theirs, "aid", DAYS))).expect("loads");
        assert!(speaks(&aid, &enrollment, "enrollment").await && speaks(&aid, &enrollment, "localhost").await);
        assert!(!speaks(&aid, &enrollment, "aid").await, "under another name");
        assert!(!speaks(&stranger, &enrollment, "enrollment").await, "signed by somebody else");
        assert!(!speaks(&aid, &stranger, "aid").await, "the other way, too");

        assert!(!enrollment.renew().expect("is read"), "nothing changed");
        let until = enrollment.ends();
        files(a.path(), &ours, &make(&ours, "enrollment", [(2020, 1, 1), (2021, 1, 1)]));
        assert!(enrollment.renew().expect("is read") && enrollment.ends() < until);
        assert!(!speaks(&aid, &enrollment, "enrollment").await, "it has ended");
        // What can't be used changes nothing.
        files(a.path(), &ours, &make(&ours, "enrollment", DAYS));
        assert!(enrollment.renew().expect("is read"));
        std::fs::write(a.path().join("own.pem"), "none").expect("writes");
        assert!(enrollment.renew().is_err() && speaks(&aid, &enrollment, "enrollment").await);
        files(a.path(), &theirs, &make(&theirs, "enrollment", DAYS));
        assert!(enrollment.renew().expect("is read") && !speaks(&aid, &enrollment, "enrollment").await, "of another authority now");
    }
}
