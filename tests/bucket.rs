//! A bucket that speaks S3: `moto` from the Python index, as a process of its own on loopback.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use xuezhu_service::settings::Settings;

use crate::{free_address, prepare, until};

/// A server with one bucket; it ends when dropped.
pub struct Bucket {
    server: Child,
    address: String,
    credentials: PathBuf,
}

/// The name of the bucket.
const NAME: &str = "xuezhu";

impl Bucket {
    /// Starts one; credentials go into a file of the folder.
    pub async fn start(folder: &Path) -> Self {
        prepare();
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
        assert!(python.exists(), "{} is not there: run tests/run", python.display());
        let address = free_address();
        let (host, port) = address.split_once(':').expect("an address");
        let server = Command::new(python).args(["-m", "moto.server", "-H", host, "-p", port]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let credentials = folder.join("bucket-credentials");
        std::fs::write(&credentials, "AKIATEST\nsecret-of-the-test\n").expect("writes");
        let bucket = Self { server: server.expect("moto starts"), address, credentials };
        let http = reqwest::Client::new();
        until("the bucket is made", async || http.put(bucket.url()).send().await.is_ok_and(|answer| answer.status().is_success())).await;
        bucket
    }

    fn url(&self) -> String {
        format!("http://{}/{NAME}", self.address)
    }

    /// Settings by which a vault finds it.
    pub fn settings(&self) -> Settings {
        let credentials = Some(self.credentials.clone());
        Settings { evidence_s3_endpoint: format!("http://{}", self.address), evidence_s3_credentials_file: credentials, ..Settings::default() }
    }

    /// The place that a setting names, below a prefix.
    pub fn place(&self, prefix: &str) -> String {
        format!("s3://{NAME}/{prefix}")
    }

    /// The keys of what lies in it, as S3 lists them.
    pub async fn keys(&self) -> Vec<String> {
        let listed = reqwest::get(format!("{}?list-type=2", self.url())).await.expect("answers").text().await.expect("a list");
        listed.split("<Key>").skip(1).filter_map(|part| part.split("</Key>").next()).map(str::to_owned).collect()
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
