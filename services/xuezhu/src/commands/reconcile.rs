//! Runs a full sweep and waits for it.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use xuezhu::output;

use super::{FOUND, Login, OK, request_id};

/// Runs a full sweep.
#[derive(Args)]
#[command(after_help = "Example:\n  xuezhu reconcile --term 2016-AUTUMN --region 430100 --account officer --password-file p.txt")]
pub struct Reconcile {
    /// Term, such as 2016-AUTUMN; all where left out
    #[arg(long, default_value = "")]
    term: String,
    /// Region code; all that the account may see where left out
    #[arg(long, default_value = "")]
    region: String,
    #[command(flatten)]
    login: Login,
}

impl Reconcile {
    /// Starts, waits, and tells the counts.
    pub async fn run(self) -> anyhow::Result<u8> {
        let json = self.login.json;
        let session = self.login.open().await?;
        let run = session.post("/v1/reconciliations", &json!({ "term": self.term, "region": self.region }), &request_id()).await?;
        let id = run["run"].as_str().context("the answer names no run")?.to_owned();
        let bar = output::bar(json, 100, "judging");
        let done = loop {
            let state = session.get(&format!("/v1/reconciliations/{id}")).await?;
            bar.set_position(state["progressPercent"].as_u64().unwrap_or(0));
            if state["state"] != "RUNNING" {
                break state;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        bar.finish_and_clear();
        if done["state"] == "FAILED" {
            bail!("the sweep failed; the service's log says why");
        }
        let counts: Vec<&Value> = done["counts"].as_array().into_iter().flatten().collect();
        output::print(json, &done, || {
            let mut text = format!("judged {} of {} suspects", done["judged"], done["suspects"]);
            for count in &counts {
                text.push_str(&format!("\n{:<22} {}", count["rule"].as_str().unwrap_or_default(), count["flags"]));
            }
            text
        });
        Ok(if counts.is_empty() { OK } else { FOUND })
    }
}
