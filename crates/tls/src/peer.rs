//! The way to a service: plain, or by TLS where its address says so.

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

use crate::{Tls, TlsError};

/// A service, and how to connect to it.
#[derive(Debug, Clone)]
pub struct Peer {
    endpoint: Endpoint,
    tls: Option<Tls>,
}

impl Peer {
    /// The service at `http://HOST:PORT`, or `https://HOST:PORT`: then its certificate must be for the host, signed by whom `tls` knows.
    pub fn to(url: &str, tls: Option<&Tls>) -> Result<Self, TlsError> {
        let unknown = || TlsError::Address(url.to_owned());
        let Some(rest) = url.strip_prefix("https://") else {
            return Ok(Self { endpoint: Endpoint::from_shared(url.to_owned()).map_err(|_| unknown())?, tls: None });
        };
        let tls = tls.filter(|tls| tls.connector().is_some()).ok_or_else(|| TlsError::NoAuthority(url.to_owned()))?.clone();
        let origin: Uri = url.parse().map_err(|_| unknown())?;
        // TLS is spoken below: what is above knows of a connection alone.
        let endpoint = Endpoint::from_shared(format!("http://{rest}")).map_err(|_| unknown())?.origin(origin);
        Ok(Self { endpoint, tls: Some(tls) })
    }

    /// The same with other settings of its connections.
    #[must_use]
    pub fn with(self, set: impl FnOnce(Endpoint) -> Endpoint) -> Self {
        Self { endpoint: set(self.endpoint), ..self }
    }

    /// A channel; it connects when it is first used, and again whenever that is needed.
    pub fn connect_lazy(&self) -> Channel {
        match &self.tls {
            None => self.endpoint.connect_lazy(),
            Some(tls) => {
                let tls = tls.clone();
                self.endpoint.connect_with_connector_lazy(tower::service_fn(move |to: Uri| connect(tls.clone(), to)))
            }
        }
    }
}

/// Connects by what the files say now.
async fn connect(tls: Tls, to: Uri) -> std::io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let host = to.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone()).map_err(std::io::Error::other)?;
    let connector = tls.connector().ok_or_else(|| std::io::Error::other("nobody signs the other end"))?;
    let stream = TcpStream::connect((host.as_str(), to.port_u16().unwrap_or(443))).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(connector.connect(name, stream).await?))
}
