//! The services as processes of their own: the real binary on two databases.

use std::{
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use xuezhu::client::Refused;
use xuezhu_service::Keyring;

use crate::{binary, free_address, until};

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

/// The three services as processes of their own on two databases.
pub struct Apart {
    services: [(&'static str, Process); 3],
    settings: Vec<(&'static str, String)>,
}

impl Apart {
    /// Starts all three.
    pub fn start(folder: &Path, enrollment_url: &str, aid_url: &str) -> Self {
        let (keyring, password) = (folder.join("keyring.json"), folder.join("password"));
        Keyring::generate().save(&keyring).expect("saves");
        std::fs::write(&password, "first-Password1").expect("writes");
        let (enrollment, aid, http) = (free_address(), free_address(), free_address());
        let settings = vec![
            ("ENROLLMENT_DATABASE_URL", enrollment_url.to_owned()),
            ("AID_DATABASE_URL", aid_url.to_owned()),
            ("KEYRING_FILE", keyring.display().to_string()),
            ("ADMIN_PASSWORD_FILE", password.display().to_string()),
            ("ENROLLMENT_URL", format!("http://{enrollment}")),
            ("AID_URL", format!("http://{aid}")),
            ("ENROLLMENT_GRPC_ADDRESS", enrollment),
            ("AID_GRPC_ADDRESS", aid),
            ("HTTP_ADDRESS", http),
        ];
        let services = ["enrollment", "aid", "gateway"].map(|name| (name, Self::service(name, &settings)));
        Self { services, settings }
    }

    fn service(name: &str, settings: &[(&str, String)]) -> Process {
        let mut command = Command::new(binary());
        command.arg(name).stdout(Stdio::null());
        for (setting, value) in settings {
            command.env(format!("XUEZHU_{setting}"), value);
        }
        Process::start(&mut command)
    }

    /// Where the gateway answers.
    pub fn base(&self) -> String {
        let http = self.settings.iter().find(|(setting, _)| *setting == "HTTP_ADDRESS").expect("it is set");
        format!("http://{}", http.1)
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
        let (name, process) = &mut self.services[place];
        *process = Self::service(name, &self.settings);
    }
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

