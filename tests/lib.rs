//! What the end-to-end tests share: a private PostgreSQL, deployments on either engine, the built binary.

pub mod apart;
pub mod before;
pub mod bucket;
pub mod disk;
pub mod invented;
pub mod postgres;
pub mod province;
pub mod rebuilt;
pub mod rows;
pub mod same;
pub mod schools;
pub mod wire;

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Once},
};

use xuezhu::deployment::{Deployment, Options};
use xuezhu_judge::policy::file::BUILT_IN;
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

    /// An empty database of the engine: a file in the folder, or one of the private cluster.
    pub async fn database(self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}", folder.join("of-its-own.db").display()),
            Self::Postgres => postgres::database().await,
        }
    }
}

/// Everything in one process, on an engine, in a folder.
pub async fn deployment(engine: Engine, data: &Path, registry: &str) -> Deployment {
    let databases = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    };
    deployment_on(databases, data, registry, Settings::default()).await
}

/// Sessions that accounts may have in most tests.
pub const MANY_SESSIONS: u32 = 20;

/// Everything in one process, on two databases (else on files in the folder), under settings.
pub async fn deployment_on(databases: Option<(String, String)>, data: &Path, registry: &str, settings: Settings) -> Deployment {
    start(options(databases, data, registry, settings)).await
}

/// The policy that comes with the program, without its public notice, its locks, its quotas and what it asks students to sign: most tests go from a list to its
/// approval in a moment, with as few students as show what they are about.
pub static AT_ONCE: LazyLock<String> = LazyLock::new(|| {
    let unlocked: Vec<&str> = BUILT_IN.lines().filter(|line| !line.starts_with("lock = ") && !line.starts_with("asks = ")).collect();
    without(&without(&(unlocked.join("\n") + "\n"), "[[notice]]"), "[[quota]]")
});

/// A policy without any of some tables.
pub fn without(policy: &str, table: &str) -> String {
    let mut left = policy.to_owned();
    while let Some((before, rest)) = left.split_once(&format!("\n{table}\n")) {
        let after = rest.split_once("\n\n").expect("other tables follow").1;
        left = format!("{before}\n{after}");
    }
    assert_ne!(left, policy, "it has such tables");
    left
}

/// A policy as a file, for as long as the tests run.
pub fn policy_file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("xuezhu-{}-{name}.toml", std::process::id()));
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
        std::fs::write(&path, text).expect("writes");
    }
    path
}

/// What a deployment is started with: on free addresses, by a policy without a notice and quotas unless the settings name one.
pub fn options(databases: Option<(String, String)>, data: &Path, registry: &str, settings: Settings) -> Options {
    let settings = Settings {
        policy_file: settings.policy_file.or_else(|| Some(policy_file("at-once", &AT_ONCE))),
        // Pages are looked at beside the calls of the same account.
        signer_sessions: settings.signer_sessions.max(MANY_SESSIONS),
        sessions: settings.sessions.max(MANY_SESSIONS),
        ..settings
    };
    let free = || "127.0.0.1:0".to_owned();
    Options {
        data: data.to_owned(),
        http: free(),
        enrollment_grpc: free(),
        aid_grpc: free(),
        admin_password_file: None,
        databases,
        registry: registry.to_owned(),
        settings,
    }
}

/// The same by no policy file: a new folder begins with what comes with the program, one that lived before goes on by what it went by.
pub fn by_itself(options: Options) -> Options {
    Options { settings: Settings { policy_file: None, ..options.settings }, ..options }
}

/// Starts a deployment.
pub async fn start(options: Options) -> Deployment {
    prepare();
    Deployment::start(options).await.expect("a deployment starts")
}

/// How long a test waits for something that must happen.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// Asks until it is so; fails when it takes too long. `what` completes "it did not happen that".
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "it did not happen that {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// A block of a document, by what stands behind its opening fence.
pub fn shown<'d>(document: &'d str, block: &str) -> &'d str {
    let begin = document.find(&format!("```{block}\n")).expect("the document shows it") + block.len() + 4;
    let end = begin + document[begin..].find("\n```").expect("it ends");
    &document[begin..end]
}

/// Sets the process up once.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A provider that is set already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// An address on which nobody listens.
pub fn free_address() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    format!("127.0.0.1:{port}")
}

/// The binary. `tests/run` has built it: a build from within a test would find another environment and compile anew.
pub fn binary() -> PathBuf {
    // The test binary lies in target/PROFILE/deps.
    let test = std::env::current_exe().expect("a test has a path");
    let binary = test.parent().and_then(Path::parent).expect("two folders up").join("xuezhu");
    assert!(binary.exists(), "{} is not there: run tests/run, or cargo build --workspace first", binary.display());
    binary
}
