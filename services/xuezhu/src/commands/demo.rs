//! Two school years with planted faults: what is found beside what was planted.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use xuezhu::{
    demo::{play, policy, world::World},
    deployment::{Deployment, Options},
    output,
};
use xuezhu_service::settings::Settings;

use super::{FAILED, OK};

/// Makes a province, lives through two school years, and compares.
#[derive(Args)]
#[command(
    after_help = "Example:\n  xuezhu demo --students 20000 --seed 7 --faults 0.01 --json\n\nWrites workbooks, manifest.json and what was found below DATA/demo. Exit code 1 if anything was missed or found too much."
)]
pub struct Demo {
    /// Students in all, a quarter of them new in the second year
    #[arg(long, default_value_t = 2000)]
    students: usize,
    /// Seed: the same numbers make the same province
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Share of the students on whom each fault is planted, a quarter of it for those that are recorded one by one; 0 for none
    #[arg(long, default_value_t = 0.01)]
    faults: f64,
    /// Folder of the data; must be new or empty
    #[arg(long, default_value = "data-demo")]
    data: PathBuf,
    /// Print one JSON value instead of text
    #[arg(long)]
    json: bool,
}

impl Demo {
    /// Plays and compares.
    pub async fn run(self, settings: Settings) -> anyhow::Result<u8> {
        if !(0.0..=0.05).contains(&self.faults) {
            bail!("--faults is a share from 0 to 0.05");
        }
        if self.students < 200 {
            bail!("--students must be at least 200");
        }
        let world = World::make(self.students, self.seed, self.faults);
        let deployment = self::deployment(&world, &self.data, "127.0.0.1:0".into(), settings).await?;
        let password = deployment.admin_password().context("a new deployment has a first administrator")?;
        let played = play::play(&deployment, &world, password, output::bar(self.json, play::steps(), "playing")).await;
        deployment.stop().await;
        let outcome = played?;
        output::print(self.json, &serde_json::to_value(&outcome)?, || table(&outcome));
        Ok(if outcome.is_exact() { OK } else { FAILED })
    }
}

/// A deployment for the demo, with its registry file and its policy, where the settings name none, in a folder that holds nothing yet.
pub async fn deployment(world: &World, data: &Path, http: String, mut settings: Settings) -> anyhow::Result<Deployment> {
    if data.join("enrollment.db").exists() {
        bail!("{} holds data already; name a new folder with --data", data.display());
    }
    std::fs::create_dir_all(data.join("demo"))?;
    let registry = data.join("demo/registry.csv");
    let rows: Vec<String> = world.registry.iter().map(|(number, name)| format!("{number},{name}")).collect();
    std::fs::write(&registry, format!("number,name\n{}\n", rows.join("\n")))?;
    if settings.policy_file.is_none() {
        let policy = data.join("demo/policy.toml");
        std::fs::write(&policy, policy::text())?;
        settings.policy_file = Some(policy);
    }
    let free = || "127.0.0.1:0".to_owned();
    let options = Options {
        data: data.to_owned(),
        http,
        enrollment_grpc: free(),
        aid_grpc: free(),
        admin_password_file: None,
        databases: None,
        registry: registry.display().to_string(),
        settings,
    };
    Deployment::start(options).await
}

/// Planted against found, by rule and checkpoint.
pub fn table(outcome: &play::Outcome) -> String {
    let mut text = format!("{} students, {} schools, {} lines on award lists, {:.1} s\n", outcome.students, outcome.schools, outcome.lines, outcome.seconds);
    let planted: Vec<String> = outcome.planted.iter().map(|(fault, count)| format!("{fault:?} {count}")).collect();
    text.push_str(&format!("planted: {}\n", planted.join(", ")));
    let acts: Vec<String> = outcome.acts.iter().map(|(what, count)| format!("{what} {count}")).collect();
    text.push_str(&format!("recorded one by one: {}\n", acts.join(", ")));
    text.push_str("day         rule                  expected   found  precision  recall\n");
    for checkpoint in &outcome.checkpoints {
        if checkpoint.scores.is_empty() {
            text.push_str(&format!("{}  no flag expected, none found\n", checkpoint.day));
        }
        for (rule, score) in &checkpoint.scores {
            let share = |of: usize| {
                if of == 0 { 100.0 } else { 100.0 * f64::from(u32::try_from(score.matched).unwrap_or(0)) / f64::from(u32::try_from(of).unwrap_or(1)) }
            };
            text.push_str(&format!(
                "{}  {rule:<20} {:>9} {:>7} {:>9.2}% {:>6.2}%\n",
                checkpoint.day,
                score.expected,
                score.found,
                share(score.found),
                share(score.expected)
            ));
        }
    }
    text.push_str(if outcome.is_exact() { "every planted finding was found, and nothing else" } else { "NOT EXACT: see manifest.json and found-*.json" });
    text
}
