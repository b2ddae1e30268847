//! A client of the gateway's REST interface, as the command line and the demo use it.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use reqwest::{Certificate, Client, ClientBuilder, Method, RequestBuilder};
use serde_json::Value;

/// A session with a gateway.
#[derive(Debug, Clone)]
pub struct Session {
    http: Client,
    base: String,
    token: String,
}

/// An answer that is not what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{status} {reason}: {message}")]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// Stable reason.
    pub reason: String,
    /// In Chinese.
    pub message: String,
}

fn builder() -> ClientBuilder {
    Client::builder().timeout(Duration::from_secs(300))
}

impl Session {
    /// A client without a token.
    pub fn anonymous(base: &str) -> anyhow::Result<Self> {
        let http = builder().build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: String::new() })
    }

    /// The same, of a gateway whose certificate is by an authority of one's own beside those that everybody knows.
    pub fn trusting(base: &str, authority: &Path) -> anyhow::Result<Self> {
        let file = || format!("authority {}", authority.display());
        let certificates = Certificate::from_pem_bundle(&std::fs::read(authority).with_context(file)?).with_context(file)?;
        ensure!(!certificates.is_empty(), "authority {}: it holds no certificate", authority.display());
        let http = builder().tls_certs_merge(certificates).build()?;
        Ok(Self { http, ..Self::anonymous(base)? })
    }

    /// Logs in.
    pub async fn log_in(base: &str, account: &str, password: &str) -> anyhow::Result<Self> {
        Self::anonymous(base)?.with_log_in(account, password).await
    }

    /// Logs in over the same connections.
    pub async fn with_log_in(&self, account: &str, password: &str) -> anyhow::Result<Self> {
        self.with_factors(account, password, "").await
    }

    /// The same with the code of a second factor.
    pub async fn with_factors(&self, account: &str, password: &str, code: &str) -> anyhow::Result<Self> {
        let answer = self.post("/v1/sessions", &serde_json::json!({ "account": account, "password": password, "code": code }), "").await?;
        Ok(self.with_token(answer["accessToken"].as_str().context("the answer holds no token")?))
    }

    /// Changes the password; the session goes on under the new one.
    pub async fn change_password(&self, old: &str, new: &str) -> anyhow::Result<Self> {
        let answer = self.post("/v1/sessions/password", &serde_json::json!({ "oldPassword": old, "newPassword": new }), "").await?;
        Ok(self.with_token(answer["accessToken"].as_str().context("the answer holds no token")?))
    }

    /// A session under another token, over the same connections.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The token of the session: for another client that asks in its name.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Asks.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Changes something under a request id (none where that is empty).
    pub async fn post(&self, path: &str, body: &Value, request_id: &str) -> anyhow::Result<Value> {
        let mut request = self.request(Method::POST, path).json(body);
        if !request_id.is_empty() {
            request = request.header("Idempotency-Key", request_id);
        }
        self.send(request).await
    }

    /// Uploads a file under a request id.
    pub async fn upload(&self, path: &str, file: Vec<u8>, request_id: &str) -> anyhow::Result<Value> {
        let mut request = self.request(Method::POST, path).header("Content-Type", "application/octet-stream").body(file);
        if !request_id.is_empty() {
            request = request.header("Idempotency-Key", request_id);
        }
        self.send(request).await
    }

    /// Takes a table out as a workbook, under a request id; says whether it was given before.
    pub async fn take_out(&self, path: &str, body: &Value, request_id: &str) -> anyhow::Result<(Vec<u8>, bool)> {
        let mut request = self.request(Method::POST, path).json(body);
        if !request_id.is_empty() {
            request = request.header("Idempotency-Key", request_id);
        }
        let answer = request.send().await?;
        let (status, replayed) = (answer.status(), answer.headers().contains_key("idempotency-replayed"));
        let bytes = answer.bytes().await?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), &serde_json::from_slice(&bytes).unwrap_or_default()).into());
        }
        Ok((bytes.to_vec(), replayed))
    }

    /// Downloads a file.
    pub async fn download(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.request(Method::GET, path).send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), &serde_json::from_slice(&bytes).unwrap_or_default()).into());
        }
        Ok(bytes.to_vec())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.context("the gateway does not answer")?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        if body.is_null() {
            bail!("the gateway answered {status}");
        }
        Err(refused(status.as_u16(), &body).into())
    }
}

fn refused(status: u16, body: &Value) -> Refused {
    let reason = body["details"].as_array().into_iter().flatten().find_map(|detail| detail["reason"].as_str()).unwrap_or_default();
    Refused { status, reason: reason.to_owned(), message: body["message"].as_str().unwrap_or_default().to_owned() }
}
