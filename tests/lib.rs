//! What the end-to-end tests share: a private PostgreSQL, deployments on either engine, the built binary.

pub mod postgres;
pub mod schools;

use std::{
    path::{Path, PathBuf},
    sync::Once,
};

use xuezhu::deployment::{Deployment, Options};
use xuezhu_service::settings::Settings;

/// The two engines that every store test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Files in the folder.
    Sqlite,
    /// Two databases of the private cluster.
    Postgres,
}

impl Engine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// Everything in one process, on an engine, in a folder.
pub async fn deployment(engine: Engine, data: &Path, registry: &str) -> Deployment {
    prepare();
    let databases = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    };
    let free = || "127.0.0.1:0".to_owned();
    let options = Options {
        data: data.to_owned(),
        http: free(),
        enrollment_grpc: free(),
        aid_grpc: free(),
        admin_password_file: None,
        databases,
        registry: registry.to_owned(),
        settings: Settings::default(),
    };
    Deployment::start(options).await.expect("a deployment starts")
}

/// Sets the process up once.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A provider that is set already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The binary. `tests/run` has built it: a build from within a test would find another environment and compile anew.
pub fn binary() -> PathBuf {
    // The test binary lies in target/PROFILE/deps.
    let test = std::env::current_exe().expect("a test has a path");
    let binary = test.parent().and_then(Path::parent).expect("two folders up").join("xuezhu");
    assert!(binary.exists(), "{} is not there: run tests/run, or cargo build --workspace first", binary.display());
    binary
}
