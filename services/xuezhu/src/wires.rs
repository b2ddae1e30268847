//! What a process speaks with whom: TLS by files where settings name them, and plain text off this machine only where a setting says so by name.

use std::net::IpAddr;

use anyhow::{Context, bail};
use reqwest::Url;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xuezhu_listen::Door;
use xuezhu_service::settings::{Settings, TlsFiles};
use xuezhu_tls::{Files, Tls, peer::Peer};

use crate::deployment::patient;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Pages and REST.
    Http,
    /// Between services, gateways and followers.
    Grpc,
}

impl Wire {
    /// As the setting `plain` names it.
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// What connects a process.
#[derive(Debug, Clone)]
pub struct Wires {
    http: Option<Tls>,
    grpc: Option<Tls>,
    plain: Vec<String>,
}

impl Wires {
    /// As the settings say; certificates are looked at until told to stop.
    pub fn of(settings: &Settings, tasks: &TaskTracker, stop: &CancellationToken) -> anyhow::Result<Self> {
        let load = |name: &'static str, files: Option<TlsFiles>| -> anyhow::Result<Option<Tls>> {
            let Some(TlsFiles { certificate, key, authority }) = files else { return Ok(None) };
            let tls = Tls::load(name, Files { certificate, key, authority }).with_context(|| format!("setting {name}_certificate_file"))?;
            tasks.spawn(tls.clone().keep(stop.clone()));
            Ok(Some(tls))
        };
        let wires = Self { http: load("http", settings.http_tls())?, grpc: load("grpc", settings.grpc_tls())?, ..Self::to_databases(settings) };
        for (name, setting, url) in [("otlp", "otlp", &settings.otlp), ("evidence", "evidence_s3_endpoint", &settings.evidence_s3_endpoint)] {
            wires.check_url(name, setting, url)?;
        }
        Ok(wires)
    }

    /// The same of a process that speaks with databases alone.
    pub fn to_databases(settings: &Settings) -> Self {
        Self { http: None, grpc: None, plain: settings.plain.split(',').map(|name| name.trim().to_owned()).collect() }
    }

    fn tls(&self, wire: Wire) -> Option<&Tls> {
        match wire {
            Wire::Http => self.http.as_ref(),
            Wire::Grpc => self.grpc.as_ref(),
        }
    }

    fn may_be_plain(&self, name: &str) -> bool {
        self.plain.iter().any(|known| known == name)
    }

    /// Refuses to speak in plain text with somebody elsewhere, where no setting says so.
    fn check_url(&self, name: &str, setting: &str, url: &str) -> anyhow::Result<()> {
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        if url.starts_with("http://") && !is_near(&host) && !self.may_be_plain(name) {
            bail!("setting {setting}: what goes to {url} would go over the network in plain text: where that is one of its own, say plain = \"{name}\"");
        }
        Ok(())
    }

    /// Listens at an address for whoever reads metrics.
    pub async fn metrics_door(&self, setting: &str, address: &str) -> anyhow::Result<Door> {
        if !is_near(address.rsplit_once(':').map_or(address, |(host, _)| host)) && !self.may_be_plain("metrics") {
            bail!("setting {setting}: on {address} metrics go over the network in plain text: where that is one of its own, say plain = \"metrics\"");
        }
        Ok(Door::new(bind(address).await?, None))
    }

    /// Listens at an address.
    pub async fn door(&self, wire: Wire, setting: &str, address: &str) -> anyhow::Result<Door> {
        let tls = self.tls(wire).cloned();
        let name = wire.name();
        if tls.is_none() && !is_near(address.rsplit_once(':').map_or(address, |(host, _)| host)) && !self.may_be_plain(name) {
            bail!(
                "setting {setting}: on {address} others could listen to what goes over the network in plain text: set {name}_certificate_file and {name}_key_file, or, \
                 where something before it speaks TLS or the network is one of its own, plain = \"{name}\""
            );
        }
        Ok(Door::new(bind(address).await?, tls))
    }

    /// The way to a service.
    pub fn peer(&self, setting: &str, url: &str) -> anyhow::Result<Peer> {
        let is_plain = url.starts_with("http://");
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        if is_plain && !is_near(&host) && !self.may_be_plain(Wire::Grpc.name()) {
            bail!(
                "setting {setting}: to {url} tokens and names would go over the network in plain text: reach it by https:// with grpc_certificate_file, grpc_key_file and \
                 grpc_authority_file, or, where the network is one of its own, say plain = \"grpc\""
            );
        }
        Ok(Peer::to(url, self.tls(Wire::Grpc)).with_context(|| format!("setting {setting}"))?.with(patient))
    }

    /// The way to a service of this very process.
    pub fn own(&self, door: &Door) -> anyhow::Result<Peer> {
        let address = door.local_addr()?;
        let url = if self.grpc.is_some() { format!("https://localhost:{}", address.port()) } else { format!("http://{address}") };
        Ok(Peer::to(&url, self.grpc.as_ref())?.with(patient))
    }

    /// Refuses a database elsewhere that nobody asks for TLS.
    pub fn check_database(&self, setting: &str, url: &str) -> anyhow::Result<()> {
        const SPOKEN: [&str; 3] = ["require", "verify-ca", "verify-full"];
        if !url.starts_with("postgres") || self.may_be_plain("database") {
            return Ok(());
        }
        let Ok(parsed) = Url::parse(url) else { return Ok(()) };
        let asked = |name: &str| parsed.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        let host = asked("host").or_else(|| parsed.host_str().map(str::to_owned)).unwrap_or_default();
        // A path is a socket of this machine.
        let is_here = host.is_empty() || host.starts_with('/') || host.starts_with("%2F") || is_near(&host);
        let is_spoken = asked("sslmode").or_else(|| asked("ssl-mode")).is_some_and(|mode| SPOKEN.contains(&mode.as_str()));
        if !is_here && !is_spoken {
            bail!(
                "setting {setting}: the database at {host} would be spoken with in plain text: say sslmode=verify-full and sslrootcert=FILE in its URL, or, where the network \
                 is one of its own, plain = \"database\""
            );
        }
        Ok(())
    }
}

async fn bind(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}: is it taken by another program?"))
}

/// Whether a host is this machine.
fn is_near(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wires(plain: &str) -> Wires {
        let settings = Settings { plain: plain.to_owned(), ..Settings::default() };
        Wires::of(&settings, &TaskTracker::new(), &CancellationToken::new()).expect("no files are named")
    }

    #[tokio::test]
    async fn plain_text_leaves_the_machine_only_where_a_setting_says_so_by_name() {
        for (address, plain, opens) in [
            ("127.0.0.1:0", "", true),
            ("[::1]:0", "", true),
            ("localhost:0", "", true),
            ("0.0.0.0:0", "", false),
            ("0.0.0.0:0", "grpc, database", false),
            ("0.0.0.0:0", "grpc, http", true),
            ("[::]:0", "", false),
        ] {
            let door = wires(plain).door(Wire::Http, "http_address", address).await;
            assert_eq!(door.is_ok(), opens, "{address} {plain} {:?}", door.err().map(|error| error.to_string()));
        }
        for (url, plain, is_taken) in [
            ("http://127.0.0.1:8091", "", true),
            ("http://enrollment:8091", "", false),
            ("http://enrollment:8091", "grpc", true),
            ("http://10.0.0.7:8091", "http", false),
            ("https://enrollment:8091", "grpc", false),
        ] {
            assert_eq!(wires(plain).peer("enrollment_url", url).is_ok(), is_taken, "{url} {plain}");
        }
        for (address, plain, opens) in [("127.0.0.1:0", "", true), ("0.0.0.0:0", "", false), ("0.0.0.0:0", "http, metrics", true)] {
            assert_eq!(wires(plain).metrics_door("metrics_address", address).await.is_ok(), opens, "{address} {plain}");
        }
        for (url, plain, is_taken) in [
            ("", "", true),
            ("http://127.0.0.1:4317", "", true),
            ("http://collector:4317", "", false),
            ("http://collector:4317", "grpc, evidence", false),
            ("http://collector:4317", "otlp", true),
            ("https://collector:4317", "", true),
        ] {
            assert_eq!(wires(plain).check_url("otlp", "otlp", url).is_ok(), is_taken, "{url} {plain}");
        }
        for (url, plain, is_taken) in [
            ("sqlite:data/enrollment.db", "", true),
            ("postgres://x:y@localhost/enrollment", "", true),
            ("postgres:///enrollment?host=/run/postgresql", "", true),
            ("postgres://x:y@db/enrollment", "", false),
            ("postgres://x:y@db/enrollment?sslmode=prefer", "", false),
            ("postgres://x:y@db/enrollment?sslmode=verify-full&sslrootcert=ca.pem", "", true),
            ("postgres://x:y@db/enrollment", "database", true),
        ] {
            assert_eq!(wires(plain).check_database("enrollment_database_url", url).is_ok(), is_taken, "{url} {plain}");
        }
    }
}
