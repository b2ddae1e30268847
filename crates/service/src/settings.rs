//! One table of settings, from a TOML file and the environment (`XUEZHU_…`), the environment last.
//! An unknown or wrong setting is an error that names it. `docs/operating.md` shows the table.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

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
    /// Where enrollment listens for gRPC.
    pub enrollment_grpc_address: String,
    /// Where aid listens for gRPC.
    pub aid_grpc_address: String,
    /// Where the gateway listens for HTTP.
    pub http_address: String,
    /// Where a process apart serves `/metrics` and `/healthz`; empty for nowhere.
    pub metrics_address: String,
    /// How aid and gateway reach enrollment.
    pub enrollment_url: String,
    /// How the gateway reaches aid.
    pub aid_url: String,
    /// The deployment's keyring.
    pub keyring_file: PathBuf,
    /// Population registry: a CSV file `number,name`, or `none`.
    pub registry: String,
    /// First digits of the region whose records aid follows; empty for all.
    pub scope: String,
    /// Name under which aid follows.
    pub follower: String,
    /// A TOML file of aid policies; the built-in ones where empty.
    pub policy_file: Option<PathBuf>,
    /// A file with the first administrator's one-time password.
    pub admin_password_file: Option<PathBuf>,
    /// What is logged, as `tracing` filters say it.
    pub log: String,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// Whether cookies are sent over HTTPS only.
    pub secure_cookies: bool,
}

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
            enrollment_grpc_address: "127.0.0.1:8091".into(),
            aid_grpc_address: "127.0.0.1:8092".into(),
            http_address: "127.0.0.1:8080".into(),
            metrics_address: String::new(),
            enrollment_url: "http://127.0.0.1:8091".into(),
            aid_url: "http://127.0.0.1:8092".into(),
            keyring_file: "data/keyring.json".into(),
            registry: "none".into(),
            scope: String::new(),
            follower: "aid".into(),
            policy_file: None,
            admin_password_file: None,
            log: "info".into(),
            log_format: LogFormat::Text,
            secure_cookies: false,
        }
    }
}

/// Settings that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there.
    #[error("settings file {0} does not exist")]
    Missing(String),
    /// A setting is unknown or wrong.
    #[error("setting: {0}")]
    Wrong(#[from] Box<figment::Error>),
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
        let mut settings: Self = figment.merge(Env::prefixed("XUEZHU_")).extract().map_err(Box::new)?;
        read_into(&mut settings.enrollment_database_url, settings.enrollment_database_url_file.as_deref(), "enrollment_database_url_file")?;
        read_into(&mut settings.aid_database_url, settings.aid_database_url_file.as_deref(), "aid_database_url_file")?;
        Ok(settings)
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
    fn an_unknown_or_wrong_setting_is_named() {
        assert!(load("http_adress = 'x'").is_err_and(|error| error.contains("http_adress")));
        assert!(load("secure_cookies = 'maybe'").is_err_and(|error| error.contains("secure_cookies")));
        assert!(load("log_format = 'xml'").is_err_and(|error| error.contains("log_format")));
        assert_eq!(load("http_address = '127.0.0.1:1'").expect("is good").http_address, "127.0.0.1:1");
    }
}
