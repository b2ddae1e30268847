//! The services as processes of their own: the real binary on two databases.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use xuezhu::{client::Refused, deployment::key_files};
use xuezhu_service::Keyring;

use crate::{AT_ONCE, MANY_SESSIONS, binary, free_address, policy_file, until};

/// A process of the binary; killed when dropped.
pub struct Process {
    /// It.
    pub child: Child,
}

impl Process {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self { child: command.env("XUEZHU_LOG", "error").stderr(Stdio::null()).spawn().expect("the binary starts") }
    }

    /// Starts it, telling all that it can into a file.
    pub fn tracing(command: &mut Command, log: &Path) -> Self {
        let file = std::fs::File::create(log).expect("a file");
        let command = command.env("XUEZHU_LOG", "trace").stdout(file.try_clone().expect("a file")).stderr(file);
        Self { child: command.spawn().expect("the binary starts") }
    }

    /// Starts it, with what it logs under a filter going into a file.
    fn telling(command: &mut Command, filter: &str, log: &Path) -> Self {
        let file = std::fs::File::options().create(true).append(true).open(log).expect("a file");
        Self { child: command.env("XUEZHU_LOG", filter).stderr(file).spawn().expect("the binary starts") }
    }

    /// Sends a signal, and waits for the end.
    pub fn signal(&mut self, name: &str) -> ExitStatus {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("ends")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The three, as they are numbered here.
const NAMES: [&str; 3] = ["enrollment", "aid", "gateway"];

/// The three services as processes of their own on two databases.
pub struct Apart {
    services: [(&'static str, Process); 3],
    /// Where each serves its metrics.
    pub metrics: [String; 3],
    settings: Vec<(&'static str, String)>,
    logs: PathBuf,
}

/// What the processes apart log, where a setting does not say otherwise.
const LOG: &str = "error";

impl Apart {
    /// Starts all three.
    pub fn start(folder: &Path, enrollment_url: &str, aid_url: &str) -> Self {
        Self::start_with(folder, enrollment_url, aid_url, &[])
    }

    /// The same under more settings; by a policy without a notice unless they name one.
    pub fn start_with(folder: &Path, enrollment_url: &str, aid_url: &str, more: &[(&'static str, &str)]) -> Self {
        let (files, password) = (key_files(folder), folder.join("password"));
        if !files.enrollment.exists() {
            files.save(&Keyring::generate()).expect("saves");
        }
        std::fs::write(&password, "first-Password1").expect("writes");
        let (enrollment, aid, http) = (free_address(), free_address(), free_address());
        let mut settings = vec![
            ("ENROLLMENT_DATABASE_URL", enrollment_url.to_owned()),
            ("AID_DATABASE_URL", aid_url.to_owned()),
            ("ENROLLMENT_KEYS_FILE", files.enrollment.display().to_string()),
            ("AID_KEYS_FILE", files.aid.display().to_string()),
            ("ADMIN_PASSWORD_FILE", password.display().to_string()),
            ("ENROLLMENT_URL", format!("http://{enrollment}")),
            ("AID_URL", format!("http://{aid}")),
            ("ENROLLMENT_GRPC_ADDRESS", enrollment),
            ("AID_GRPC_ADDRESS", aid),
            ("HTTP_ADDRESS", http),
            ("POLICY_FILE", policy_file("at-once", &AT_ONCE).display().to_string()),
            ("SIGNER_SESSIONS", MANY_SESSIONS.to_string()),
            ("SESSIONS", MANY_SESSIONS.to_string()),
        ];
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let metrics = [free_address(), free_address(), free_address()];
        let services = [0, 1, 2].map(|place: usize| (NAMES[place], Self::service(NAMES[place], &settings, &metrics[place], folder)));
        Self { services, metrics, settings, logs: folder.to_owned() }
    }

    fn service(name: &str, settings: &[(&str, String)], metrics: &str, logs: &Path) -> Process {
        let mut command = Command::new(binary());
        command.arg(name).stdout(Stdio::null()).env("XUEZHU_METRICS_ADDRESS", metrics);
        for (setting, value) in settings {
            command.env(format!("XUEZHU_{setting}"), value);
        }
        let filter = settings.iter().find(|(setting, _)| *setting == "LOG").map_or(LOG, |(_, filter)| filter.as_str());
        Process::telling(&mut command, filter, &logs.join(format!("{name}.log")))
    }

    /// What one has logged.
    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.logs.join(format!("{name}.log"))).expect("it logs")
    }

    /// Stops one, which may end what it has begun.
    pub fn stop(&mut self, place: usize) -> ExitStatus {
        self.services[place].1.signal("-TERM")
    }

    /// The value of a setting.
    pub fn setting(&self, name: &str) -> &str {
        &self.settings.iter().find(|(setting, _)| *setting == name).expect("it is set").1
    }

    /// Where the gateway answers.
    pub fn base(&self) -> String {
        format!("http://{}", self.setting("HTTP_ADDRESS"))
    }

    /// Kills one, and starts it again.
    pub fn kill(&mut self, place: usize) {
        self.end(place);
        self.begin(place);
    }

    /// Kills one.
    pub fn end(&mut self, place: usize) {
        self.services[place].1.signal("-KILL");
    }

    /// Starts one again.
    pub fn begin(&mut self, place: usize) {
        self.services[place].1 = Self::service(NAMES[place], &self.settings, &self.metrics[place], &self.logs);
    }
}

/// Waits until a gateway says that it and both services are ready.
pub async fn ready(base: &str) {
    until("it is ready", async || reqwest::get(format!("{base}/readyz")).await.is_ok_and(|answer| answer.status().is_success())).await;
}

/// Repeats a request under its key until it is answered; what is refused for good fails the test.
pub async fn answered<T>(mut ask: impl AsyncFnMut() -> anyhow::Result<T>) -> T {
    let mut answer = None;
    until("a request is answered", async || match ask().await {
        Ok(value) => {
            answer = Some(value);
            true
        }
        Err(error) => {
            let refused = error.downcast_ref::<Refused>();
            assert!(refused.is_none_or(|refused| refused.status >= 500 || refused.status == 409), "{error:?}");
            false
        }
    })
    .await;
    answer.expect("it was answered")
}
