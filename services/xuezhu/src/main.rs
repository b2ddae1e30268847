//! The command line. `xuezhu help` says what there is.

mod commands;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use xuezhu::{apart, client::Refused};
use xuezhu_service::{
    settings::{Settings, SettingsError},
    telemetry,
};

use commands::{Admin, Demo, FAILED, Flags, Import, OK, REFUSED, Reconcile, Up, WRONG, WrongUsage};

/// Hashing a password takes 19 MiB for a moment, from whichever thread: the system's allocator keeps such pieces for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "xuezhu", version, about = "学助: student records (学籍) and student aid (资助) of secondary vocational schools", after_help = EXAMPLES)]
struct Cli {
    /// Settings file (TOML); the environment (XUEZHU_…) goes before it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  xuezhu up                                   everything in one process, data in ./data
  xuezhu up --demo                            the same, with a province that lives through two school years
  xuezhu import students.xlsx --school 3643000001 --account lili --password-file p.txt --preview
  xuezhu reconcile --term 2016-AUTUMN --account officer --password-file p.txt --json
  xuezhu flags --rule NO_ENROLLMENT --account officer --password-file p.txt

Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 done and something was found (faulty rows, open flags), 4 refused.";

#[derive(Subcommand)]
enum Command {
    /// Runs enrollment, aid and gateway in one process on SQLite files
    Up(Up),
    /// Runs the enrollment service alone
    Enrollment,
    /// Runs the aid service alone
    Aid,
    /// Runs the gateway alone
    Gateway,
    /// Uploads a workbook of students, or with --list one of awards
    Import(Import),
    /// Runs a full sweep and waits for it
    Reconcile(Reconcile),
    /// Lists flags
    Flags(Flags),
    /// Keeps schools, accounts and keys
    Admin(Admin),
    /// Reads an .xls file from standard input: how the services do it, apart
    #[command(name = READ_XLS, hide = true)]
    ReadXls,
    /// Makes a province with planted faults, lives through two school years, and compares what is found
    Demo(Demo),
}

impl Command {
    /// Under which name its spans are collected; none of what only asks.
    fn service(&self) -> Option<&'static str> {
        match self {
            Self::Up(_) | Self::Demo(_) => Some("xuezhu"),
            Self::Enrollment => Some("xuezhu-enrollment"),
            Self::Aid => Some("xuezhu-aid"),
            Self::Gateway => Some("xuezhu-gateway"),
            _ => None,
        }
    }
}

/// The word by which this program asks itself to read an `.xls` file.
const READ_XLS: &str = "read-xls";

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::ReadXls) {
        return match xuezhu_workbook::serve_xls() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(FAILED),
        };
    }
    if let Ok(program) = std::env::current_exe() {
        xuezhu_workbook::read_xls_apart(program, READ_XLS);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(FAILED);
        }
    };
    xuezhu_listen::bounds::raise_files();
    // A second start finds the provider set, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ended = runtime.block_on(run(cli));
    telemetry::stop();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(code_of(&error))
        }
    }
}

/// The exit code of an error.
fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<Refused>() {
        REFUSED
    } else if error.is::<SettingsError>() || error.is::<WrongUsage>() {
        WRONG
    } else {
        FAILED
    }
}

async fn run(cli: Cli) -> anyhow::Result<u8> {
    let settings = Settings::load(cli.config.as_deref())?;
    match cli.command.service() {
        Some(service) => telemetry::start(&settings, service)?,
        None => telemetry::start_logs(&settings.log, settings.log_format),
    }
    match cli.command {
        Command::Up(up) => Box::pin(up.run(settings, stop_on_signal())).await,
        Command::Enrollment => apart::enrollment(&settings, stop_on_signal()).await.map(|()| OK),
        Command::Aid => apart::aid(&settings, stop_on_signal()).await.map(|()| OK),
        Command::Gateway => apart::gateway(&settings, stop_on_signal()).await.map(|()| OK),
        Command::Import(import) => import.run().await,
        Command::Reconcile(reconcile) => reconcile.run().await,
        Command::Flags(flags) => flags.run().await,
        Command::Admin(admin) => admin.run(&settings).await,
        Command::Demo(demo) => demo.run(settings).await,
        Command::ReadXls => unreachable!("is done before anything is started"),
    }
}

/// A token that Ctrl-C and SIGTERM cancel.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(terminate) => terminate,
            Err(error) => {
                tracing::error!(%error, "SIGTERM can't be heard");
                return;
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        cancelled.cancel();
    });
    stop
}
