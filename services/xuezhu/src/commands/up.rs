//! Everything in one process.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::Args;
use tokio_util::sync::CancellationToken;
use xuezhu::{
    demo::{
        accounts::{self, Accounts},
        play,
        world::World,
    },
    deployment::{Deployment, Options, password_file},
    output,
};
use xuezhu_service::settings::Settings;

use super::{OK, demo};

/// Runs enrollment, aid and gateway in one process.
#[derive(Args)]
#[command(after_help = "Examples:\n  xuezhu up --data /var/lib/xuezhu --http 127.0.0.1:8088\n  xuezhu up --demo --demo-students 500")]
pub struct Up {
    /// Folder of the data
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Address of the gateway
    #[arg(long)]
    http: Option<String>,
    /// Address of enrollment's gRPC; by default a free port, which is printed
    #[arg(long, default_value = "127.0.0.1:0")]
    enrollment_grpc: String,
    /// Address of aid's gRPC; by default a free port, which is printed
    #[arg(long, default_value = "127.0.0.1:0")]
    aid_grpc: String,
    /// File with the first administrator's one-time password
    #[arg(long)]
    admin_password_file: Option<PathBuf>,
    /// Play the demo's two school years first, then stay up to look at
    #[arg(long)]
    demo: bool,
    /// Students of the demo
    #[arg(long, default_value_t = 2000, requires = "demo")]
    demo_students: usize,
}

impl Up {
    /// Runs until told to stop.
    pub async fn run(self, settings: Settings, stop: CancellationToken) -> anyhow::Result<u8> {
        if self.demo { run_demo(self, settings, stop).await } else { run(self, settings, stop).await }
    }
}

async fn run(up: Up, settings: Settings, stop: CancellationToken) -> anyhow::Result<u8> {
    let options = Options {
        data: up.data,
        http: up.http.unwrap_or_else(|| settings.http_address.clone()),
        enrollment_grpc: up.enrollment_grpc,
        aid_grpc: up.aid_grpc,
        admin_password_file: up.admin_password_file.or_else(|| settings.admin_password_file.clone()),
        databases: None,
        registry: settings.registry.clone(),
        settings,
    };
    let deployment = Deployment::start(options).await?;
    tell(&deployment);
    until_stopped(deployment, stop).await
}

/// Stays up until told to stop, or until it ends by itself, which is a fault.
async fn until_stopped(deployment: Deployment, stop: CancellationToken) -> anyhow::Result<u8> {
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(OK),
        fault = deployment.ended() => Err(fault),
    };
    // Whoever read our output may be gone: that is no reason to stop otherwise than cleanly.
    let _ = writeln!(std::io::stdout(), "stopping");
    deployment.stop().await;
    ended
}

/// The demo's school years first, once; then everything stays up to look at.
async fn run_demo(up: Up, mut settings: Settings, stop: CancellationToken) -> anyhow::Result<u8> {
    let http = up.http.unwrap_or_else(|| settings.http_address.clone());
    let played_before = up.data.join("demo/result.json").exists();
    let deployment = if played_before {
        settings.registry = up.data.join("demo/registry.csv").display().to_string();
        let options = Options {
            data: up.data,
            http,
            enrollment_grpc: up.enrollment_grpc,
            aid_grpc: up.aid_grpc,
            admin_password_file: None,
            databases: None,
            registry: settings.registry.clone(),
            settings,
        };
        Deployment::start(options).await?
    } else {
        let world = World::make(up.demo_students, 1, 0.01);
        let deployment = demo::deployment(&world, &up.data, http, settings).await?;
        let password = deployment.admin_password().context("a new deployment has a first administrator")?.to_owned();
        println!("playing two school years with {} students…", up.demo_students);
        let played = tokio::select! {
            played = play::play(&deployment, &world, &password, output::bar(false, play::steps(), "playing")) => played,
            () = stop.cancelled() => bail!("stopped before the demo was over; start again with a new --data folder"),
        };
        println!("{}", demo::table(&played?));
        deployment
    };
    println!("pages and REST   {}://{}", deployment.scheme, deployment.http);
    println!("enrollment gRPC  {}", deployment.enrollment_grpc);
    println!("aid gRPC         {}", deployment.aid_grpc);
    if played_before {
        println!("accounts with their passwords are in {}", Accounts::file(deployment.data()).display());
    } else {
        println!("{}", accounts::table(deployment.data(), &Accounts::read(deployment.data())?));
    }
    println!("ready");
    until_stopped(deployment, stop).await
}

/// Prints the addresses, and the first password only where a person reads it.
fn tell(deployment: &Deployment) {
    println!("pages and REST   {}://{}", deployment.scheme, deployment.http);
    println!("enrollment gRPC  {}", deployment.enrollment_grpc);
    println!("aid gRPC         {}", deployment.aid_grpc);
    for (account, password) in &deployment.admin_passwords {
        let file = password_file(deployment.data(), account);
        if std::io::stdout().is_terminal() {
            println!("account {account}, one-time password {password} (kept in {} until you remove it)", file.display());
        } else {
            println!("account {account}, one-time password in {}", file.display());
        }
    }
    println!("ready");
}
