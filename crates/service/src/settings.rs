//! One table of settings, from a TOML file and the environment (`XUEZHU_…`), the environment last.
//! An unknown or wrong setting is an error that names it. `docs/operating.md` shows the table.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use xuezhu_domain::calendar;

use crate::{
    audits::ACCESS_DAYS_LEAST,
    callers::{self, NEAR, Networks},
    context::Role,
    tables,
};

/// Every setting. A process reads those of its service and ignores the others, so that one file serves all three.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Enrollment's database: `sqlite:PATH` or `postgres://…`.
    pub enrollment_database_url: String,
    /// A file that holds that URL, for secrets.
    pub enrollment_database_url_file: Option<PathBuf>,
    /// Aid's database.
    pub aid_database_url: String,
    /// A file that holds that URL.
    pub aid_database_url_file: Option<PathBuf>,
    /// Enrollment's database by the role that owns its schema, for `xuezhu admin migrate` alone.
    pub enrollment_owner_database_url: String,
    /// A file that holds that URL.
    pub enrollment_owner_database_url_file: Option<PathBuf>,
    /// Aid's database by the role that owns its schema.
    pub aid_owner_database_url: String,
    /// A file that holds that URL.
    pub aid_owner_database_url_file: Option<PathBuf>,
    /// Where enrollment listens for gRPC.
    pub enrollment_grpc_address: String,
    /// Where aid listens for gRPC.
    pub aid_grpc_address: String,
    /// Where the gateway listens for HTTP.
    pub http_address: String,
    /// Where a process apart serves `/metrics` and `/healthz`; empty for nowhere.
    pub metrics_address: String,
    /// Proxies before the gateway that are believed where a request came from: addresses and networks, parted by commas.
    pub trusted_proxies: String,
    /// Whom the gateway shows its metrics: addresses and networks.
    pub metrics_from: String,
    /// Gateways that the services believe the same of.
    pub gateways: String,
    /// Days that the audit keeps who came in and what was refused; at least 183. All else it keeps as long as what it is about.
    pub access_log_days: u32,
    /// Seconds after which a person's session ends that nobody uses; 0 for never.
    pub idle_seconds: u32,
    /// Sessions that an account of a person has at most; a new one ends the oldest.
    pub sessions: u32,
    /// The same of accounts that sign or approve.
    pub signer_sessions: u32,
    /// Whether who signs, pays, keeps accounts or audits logs in by a second factor.
    pub second_factor: bool,
    /// Whether two persons open an account that signs, or that opens accounts.
    pub two_persons: bool,
    /// How aid and gateway reach enrollment.
    pub enrollment_url: String,
    /// How the gateway reaches aid.
    pub aid_url: String,
    /// Keys of the enrollment service.
    pub enrollment_keys_file: PathBuf,
    /// Keys of the aid service.
    pub aid_keys_file: PathBuf,
    /// The one keyring of before, which is split into these two.
    pub keyring_file: PathBuf,
    /// Population registry: a CSV file `number,name`, or `none`.
    pub registry: String,
    /// First digits of the region whose records aid follows; empty for all.
    pub scope: String,
    /// Name under which aid follows.
    pub follower: String,
    /// On PostgreSQL, a batch of the feed is applied by two transactions at once where each gets so many records.
    pub lane_records: usize,
    /// How old, in seconds, aid's mirror of enrollment may be for awards to be approved on it.
    pub mirror_max_age_seconds: u64,
    /// A TOML file of aid policies; the built-in ones where empty.
    pub policy_file: Option<PathBuf>,
    /// A folder of tables beside those that come with the program: regions, majors, working days; none where empty.
    pub tables_dir: Option<PathBuf>,
    /// A CSV of working days and days off beside those that come with the program; none where empty.
    pub working_days_file: Option<PathBuf>,
    /// Where enrollment keeps files that prove something: a folder, or `s3://BUCKET/PREFIX`; `evidence/enrollment` beside its keys where empty.
    pub enrollment_evidence: String,
    /// Where aid keeps them; `evidence/aid` beside its keys where empty.
    pub aid_evidence: String,
    /// Where a bucket is, `https://HOST`; that of AWS where empty.
    pub evidence_s3_endpoint: String,
    /// In which region a bucket is.
    pub evidence_s3_region: String,
    /// A file with two lines, the id of an access key and its secret: for a bucket.
    pub evidence_s3_credentials_file: Option<PathBuf>,
    /// A file with the first administrator's one-time password.
    pub admin_password_file: Option<PathBuf>,
    /// The same of the second one, where two persons open accounts.
    pub second_admin_password_file: Option<PathBuf>,
    /// What is logged, as `tracing` filters say it.
    pub log: String,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// Where spans are sent by OTLP over gRPC, `http://HOST:PORT`; empty for nowhere.
    pub otlp: String,
    /// Whether cookies are sent over HTTPS only.
    pub secure_cookies: bool,
    /// The certificate of the gateway for browsers, PEM, with those that lead up to its authority; plain HTTP where empty.
    pub http_certificate_file: Option<PathBuf>,
    /// Its key, PEM.
    pub http_key_file: Option<PathBuf>,
    /// The certificate of this process for the other services, PEM; plain gRPC where empty.
    pub grpc_certificate_file: Option<PathBuf>,
    /// Its key, PEM.
    pub grpc_key_file: Option<PathBuf>,
    /// Who signs the certificates of services, gateways and followers, PEM.
    pub grpc_authority_file: Option<PathBuf>,
    /// What may leave this machine in plain text, by name: `http`, `grpc`, `database`, `metrics`, `otlp`, `evidence`, parted by commas.
    pub plain: String,
}

/// How far ahead a year without a calendar is told, in working days.
const CALENDAR_AHEAD_WORKING_DAYS: u32 = 20;

/// `XUEZHU_GATEWAY` is where the command line asks, and `XUEZHU_GATEWAY_AUTHORITY` whom it trusts there; no service's settings.
const OF_COMMANDS: [&str; 2] = ["gateway", "gateway_authority"];

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enrollment_database_url: "sqlite:data/enrollment.db".into(),
            enrollment_database_url_file: None,
            aid_database_url: "sqlite:data/aid.db".into(),
            aid_database_url_file: None,
            enrollment_owner_database_url: String::new(),
            enrollment_owner_database_url_file: None,
            aid_owner_database_url: String::new(),
            aid_owner_database_url_file: None,
            enrollment_grpc_address: "127.0.0.1:8091".into(),
            aid_grpc_address: "127.0.0.1:8092".into(),
            http_address: "127.0.0.1:8080".into(),
            metrics_address: String::new(),
            trusted_proxies: String::new(),
            metrics_from: NEAR.into(),
            gateways: NEAR.into(),
            access_log_days: 365,
            idle_seconds: 1_800,
            sessions: 3,
            signer_sessions: 1,
            second_factor: false,
            two_persons: false,
            enrollment_url: "http://127.0.0.1:8091".into(),
            aid_url: "http://127.0.0.1:8092".into(),
            enrollment_keys_file: "data/enrollment-keys.json".into(),
            aid_keys_file: "data/aid-keys.json".into(),
            keyring_file: "data/keyring.json".into(),
            registry: "none".into(),
            scope: String::new(),
            follower: "aid".into(),
            lane_records: 250,
            mirror_max_age_seconds: 600,
            policy_file: None,
            tables_dir: None,
            working_days_file: None,
            enrollment_evidence: String::new(),
            aid_evidence: String::new(),
            evidence_s3_endpoint: String::new(),
            evidence_s3_region: "us-east-1".into(),
            evidence_s3_credentials_file: None,
            admin_password_file: None,
            second_admin_password_file: None,
            log: "info".into(),
            log_format: LogFormat::Text,
            otlp: String::new(),
            secure_cookies: false,
            http_certificate_file: None,
            http_key_file: None,
            grpc_certificate_file: None,
            grpc_key_file: None,
            grpc_authority_file: None,
            plain: String::new(),
        }
    }
}

/// Files of TLS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Who signs the certificates of the other ends; none where these need none.
    pub authority: Option<PathBuf>,
}

/// What may be plain.
const PLAIN: [&str; 6] = ["http", "grpc", "database", "metrics", "otlp", "evidence"];

/// Settings that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there.
    #[error("settings file {0} does not exist")]
    Missing(String),
    /// A setting is unknown or wrong.
    #[error("setting: {0}")]
    Wrong(String),
    /// A value that can't be used.
    #[error("setting {setting}: {why}")]
    Value {
        /// Which setting.
        setting: &'static str,
        /// Why.
        why: String,
    },
    /// A file that a setting names can't be read.
    #[error("setting {setting}: file {path}: {source}")]
    File {
        /// Which setting.
        setting: &'static str,
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What a service is told of who may come in, and how long that is kept.
#[derive(Debug, Clone, Copy)]
pub struct Safeguards {
    /// Days that the audit keeps who came in and what was refused.
    pub access_log_days: u32,
    /// After how long a person's session ends that nobody uses.
    pub idle: Option<Duration>,
    /// Sessions that an account of a person has at most.
    pub sessions: u32,
    /// The same of accounts that sign or approve.
    pub signer_sessions: u32,
    /// Whether who signs, pays, keeps accounts or audits logs in by a second factor.
    pub second_factor: bool,
    /// Whether two persons open an account that signs, or that opens accounts.
    pub two_persons: bool,
}

impl Safeguards {
    /// Sessions that an account has at most; none where they are not counted: those of other systems.
    pub fn sessions_of(&self, role: Role) -> Option<u32> {
        match role {
            Role::Service | Role::MachineReader => None,
            role if role.signs() => Some(self.signer_sessions),
            _ => Some(self.sessions),
        }
    }
}

impl Default for Safeguards {
    fn default() -> Self {
        Settings::default().safeguards()
    }
}

impl Settings {
    /// Reads them.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.exists() {
                return Err(SettingsError::Missing(file.display().to_string()));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let mut settings: Self =
            figment.merge(Env::prefixed("XUEZHU_").ignore(&OF_COMMANDS)).extract().map_err(|error| SettingsError::Wrong(error.to_string()))?;
        read_into(&mut settings.enrollment_database_url, settings.enrollment_database_url_file.as_deref(), "enrollment_database_url_file")?;
        read_into(&mut settings.aid_database_url, settings.aid_database_url_file.as_deref(), "aid_database_url_file")?;
        let owner = settings.enrollment_owner_database_url_file.clone();
        read_into(&mut settings.enrollment_owner_database_url, owner.as_deref(), "enrollment_owner_database_url_file")?;
        let owner = settings.aid_owner_database_url_file.clone();
        read_into(&mut settings.aid_owner_database_url, owner.as_deref(), "aid_owner_database_url_file")?;
        settings.check()?;
        Ok(settings)
    }

    /// Adds the operator's tables to those that come with the program, and tells of a year that soon counts and has no calendar.
    pub fn load_tables(&self, today: chrono::NaiveDate) -> Result<(), SettingsError> {
        const SETTING: &str = "working_days_file";
        if let Some(folder) = &self.tables_dir {
            let loaded = tables::load(folder).map_err(|error| SettingsError::Value { setting: "tables_dir", why: error.to_string() })?;
            tracing::info!(folder = %folder.display(), tables = loaded.join(", "), "tables of the operator are read");
        }
        if let Some(path) = &self.working_days_file {
            let text = std::fs::read_to_string(path).map_err(|source| SettingsError::File { setting: SETTING, path: path.display().to_string(), source })?;
            calendar::load(&text).map_err(|error| SettingsError::Value { setting: SETTING, why: error.to_string() })?;
        }
        if let Some(year) = calendar::unknown_year(today, calendar::add_working_days(today, CALENDAR_AHEAD_WORKING_DAYS)) {
            tracing::warn!(year, "the calendar of this year is not known: working days go by weekends alone; see the setting working_days_file");
        }
        Ok(())
    }

    /// Whom the gateway believes.
    pub fn trusted_proxies(&self) -> Networks {
        self.trusted_proxies.parse().unwrap_or_default()
    }

    /// Whom the gateway shows its metrics.
    pub fn metrics_from(&self) -> Networks {
        self.metrics_from.parse().unwrap_or_default()
    }

    /// What a service is told of who may come in, and how long that is kept.
    pub fn safeguards(&self) -> Safeguards {
        Safeguards {
            access_log_days: self.access_log_days,
            idle: (self.idle_seconds > 0).then(|| Duration::from_secs(self.idle_seconds.into())),
            sessions: self.sessions,
            signer_sessions: self.signer_sessions,
            second_factor: self.second_factor,
            two_persons: self.two_persons,
        }
    }

    /// Files of TLS for browsers; none where it is plain.
    pub fn http_tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.http_certificate_file.clone().zip(self.http_key_file.clone())?;
        Some(TlsFiles { certificate, key, authority: None })
    }

    /// Files of TLS between services; none where it is plain.
    pub fn grpc_tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.grpc_certificate_file.clone().zip(self.grpc_key_file.clone())?;
        Some(TlsFiles { certificate, key, authority: self.grpc_authority_file.clone() })
    }

    /// Has the services of this process believe the gateways.
    pub fn believe_gateways(&self) {
        callers::believe(self.gateways.parse().unwrap_or_default());
    }

    /// What a type can't say of a setting.
    fn check(&self) -> Result<(), SettingsError> {
        let wrong = |setting, why: String| Err(SettingsError::Value { setting, why });
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log) {
            return wrong("log", error.to_string());
        }
        if !matches!(self.scope.len(), 0 | 2 | 4 | 6) || !self.scope.bytes().all(|b| b.is_ascii_digit()) {
            return wrong("scope", "must be empty, or the first 2, 4 or 6 digits of a region code".into());
        }
        for (setting, address) in [
            ("enrollment_grpc_address", &self.enrollment_grpc_address),
            ("aid_grpc_address", &self.aid_grpc_address),
            ("http_address", &self.http_address),
            ("metrics_address", &self.metrics_address),
        ] {
            if !(address.is_empty() && setting == "metrics_address") && address.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
                return wrong(setting, format!("{address} is no HOST:PORT"));
            }
        }
        for (setting, networks) in [("trusted_proxies", &self.trusted_proxies), ("metrics_from", &self.metrics_from), ("gateways", &self.gateways)] {
            if let Err(why) = networks.parse::<Networks>() {
                return wrong(setting, why);
            }
        }
        if let Some(unknown) = self.plain.split(',').map(str::trim).find(|name| !name.is_empty() && !PLAIN.contains(name)) {
            return wrong("plain", format!("{unknown} is none of {}", PLAIN.join(", ")));
        }
        if self.http_certificate_file.is_some() != self.http_key_file.is_some() {
            return wrong("http_key_file", "a certificate and its key go together: http_certificate_file, http_key_file".into());
        }
        let grpc = [&self.grpc_certificate_file, &self.grpc_key_file, &self.grpc_authority_file].map(Option::is_some);
        if grpc != [grpc[0]; 3] {
            return wrong("grpc_authority_file", "both ends show certificates: grpc_certificate_file, grpc_key_file, grpc_authority_file go together".into());
        }
        if self.access_log_days < ACCESS_DAYS_LEAST {
            return wrong("access_log_days", format!("{} is less than six months: at least {ACCESS_DAYS_LEAST}", self.access_log_days));
        }
        for (setting, sessions) in [("sessions", self.sessions), ("signer_sessions", self.signer_sessions)] {
            if sessions == 0 {
                return wrong(setting, "nobody could log in: at least 1".into());
            }
        }
        for (setting, url) in [("enrollment_url", &self.enrollment_url), ("aid_url", &self.aid_url)] {
            if !(url.starts_with("http://") || url.starts_with("https://")) {
                return wrong(setting, format!("{url} is no http:// or https:// address"));
            }
        }
        if !(self.evidence_s3_endpoint.is_empty() || self.evidence_s3_endpoint.starts_with("http://") || self.evidence_s3_endpoint.starts_with("https://")) {
            return wrong("evidence_s3_endpoint", format!("{} is no http:// or https:// address", self.evidence_s3_endpoint));
        }
        // Whom nobody near can hear: a collector beside the service speaks TLS to those who are far.
        if !(self.otlp.is_empty() || self.otlp.strip_prefix("http://").is_some_and(|host| !host.is_empty())) {
            return wrong("otlp", format!("{} is no http:// address", self.otlp));
        }
        Ok(())
    }
}

fn read_into(value: &mut String, file: Option<&Path>, setting: &'static str) -> Result<(), SettingsError> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::File { setting, path: path.display().to_string(), source })?;
        text.trim().clone_into(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Settings, String> {
        Figment::from(Serialized::defaults(Settings::default())).merge(Toml::string(text)).extract::<Settings>().map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_of_no_use_is_named() {
        let check = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().map_err(|error| error.to_string())
        };
        assert!(check(|_| {}).is_ok());
        for (change, named) in [
            ((|settings| settings.log = "info,=".into()) as fn(&mut Settings), "log"),
            (|settings| settings.scope = "4x".into(), "scope"),
            (|settings| settings.http_address = "nowhere".into(), "http_address"),
            (|settings| settings.aid_url = "aid:8092".into(), "aid_url"),
            (|settings| settings.trusted_proxies = "proxy".into(), "trusted_proxies"),
            (|settings| settings.gateways = "10.0.0.0/40".into(), "gateways"),
            (|settings| settings.access_log_days = 182, "access_log_days"),
            (|settings| settings.signer_sessions = 0, "signer_sessions"),
            (|settings| settings.evidence_s3_endpoint = "minio:9000".into(), "evidence_s3_endpoint"),
            (|settings| settings.otlp = "collector:4317".into(), "otlp"),
            (|settings| settings.otlp = "http://".into(), "otlp"),
        ] {
            assert!(check(change).is_err_and(|error| error.contains(named)), "{named}");
        }
    }

    #[test]
    fn an_unknown_or_wrong_setting_is_named() {
        assert!(load("http_adress = 'x'").is_err_and(|error| error.contains("http_adress")));
        assert!(load("secure_cookies = 'maybe'").is_err_and(|error| error.contains("secure_cookies")));
        assert!(load("log_format = 'xml'").is_err_and(|error| error.contains("log_format")));
        assert_eq!(load("http_address = '127.0.0.1:1'").expect("is good").http_address, "127.0.0.1:1");
    }
}
