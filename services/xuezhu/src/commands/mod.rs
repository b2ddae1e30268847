//! One file a command: its arguments, and what it does. Each returns an exit code that scripts can use.

mod admin;
mod demo;
mod flags;
mod import;
mod reconcile;
mod up;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use xuezhu::client::Session;
use xuezhu_service::Ids;

pub use self::{admin::Admin, demo::Demo, flags::Flags, import::Import, reconcile::Reconcile, up::Up};

/// Everything went as asked.
pub const OK: u8 = 0;
/// Something failed.
pub const FAILED: u8 = 1;
/// Wrong usage, as clap has it too, or wrong settings.
pub const WRONG: u8 = 2;
/// Rows were faulty, or flags were found: worth a look, nothing broken.
pub const FOUND: u8 = 3;
/// The service refused: role, state, digest.
pub const REFUSED: u8 = 4;

/// What stands in a database is not what the services wrote.
pub const ALTERED: u8 = 5;

/// Something is missing that a command can't do without.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(&'static str);

/// Who asks, and where.
#[derive(Args, Clone)]
pub struct Login {
    /// Address of the gateway
    #[arg(long, default_value = "http://127.0.0.1:8080", env = "XUEZHU_GATEWAY", global = true)]
    gateway: String,
    /// Certificate of an authority of one's own, where the gateway speaks HTTPS by it
    #[arg(long, env = "XUEZHU_GATEWAY_AUTHORITY", global = true)]
    gateway_authority: Option<PathBuf>,
    /// Account
    #[arg(long, default_value = "admin", global = true)]
    account: String,
    /// File with its password
    #[arg(long, global = true)]
    pub password_file: Option<PathBuf>,
    /// What its authenticator shows, or a recovery code: where it logs in by a second factor
    #[arg(long, default_value = "", hide_default_value = true, global = true)]
    code: String,
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    pub json: bool,
}

impl Login {
    /// Logs in.
    pub async fn open(&self) -> anyhow::Result<Session> {
        let file = self.password_file.as_ref().ok_or(WrongUsage("--password-file is needed: a password on the command line would be seen by others"))?;
        let password = std::fs::read_to_string(file).with_context(|| format!("password file {}", file.display()))?;
        let session = match &self.gateway_authority {
            Some(authority) => Session::trusting(&self.gateway, authority)?,
            None => Session::anonymous(&self.gateway)?,
        };
        session.with_factors(&self.account, password.trim(), &self.code).await
    }
}

/// An id for one request: should its answer be lost, the service knows a repetition.
pub fn request_id() -> String {
    let mut bytes = [0; 16];
    Ids::random().fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
