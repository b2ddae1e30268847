//! The command line. `xuezhu help` says what there is.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use xuezhu::{
    apart,
    client::{Refused, Session},
    demo::{play, world::World},
    deployment::{Deployment, Options, keep_password},
    output,
};
use xuezhu_service::{Ids, Keyring, settings::Settings, telemetry};

/// Everything went as asked.
const OK: u8 = 0;
/// Something failed.
const FAILED: u8 = 1;
/// Rows were faulty, or flags were found: worth a look, nothing broken. (2 is clap's: wrong usage.)
const FOUND: u8 = 3;
/// The service refused: role, state, digest.
const REFUSED: u8 = 4;

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
  xuezhu up --demo                            the same, with a province that lives through a school year
  xuezhu import students.xlsx --school 3643000001 --account lili --password-file p.txt --preview
  xuezhu reconcile --term 2016-AUTUMN --account officer --password-file p.txt --json
  xuezhu flags --rule NO_ENROLLMENT --account officer --password-file p.txt

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done and something was found (faulty rows, open flags), 4 refused.";

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
    /// Makes a province with planted faults, lives through a school year, and compares what is found
    Demo(Demo),
}

#[derive(Args)]
#[command(after_help = "Examples:\n  xuezhu up --data /var/lib/xuezhu --http 0.0.0.0:8080\n  xuezhu up --demo --demo-students 500")]
struct Up {
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
    /// Play the demo's school year first, then stay up to look at
    #[arg(long)]
    demo: bool,
    /// Students of the demo
    #[arg(long, default_value_t = 2000, requires = "demo")]
    demo_students: usize,
}

#[derive(Args)]
#[command(
    after_help = "Example:\n  xuezhu demo --students 20000 --seed 7 --faults 0.01 --json\n\nWrites workbooks, manifest.json and what was found below DATA/demo. Exit code 1 if anything was missed or found too much."
)]
struct Demo {
    /// Students
    #[arg(long, default_value_t = 2000)]
    students: usize,
    /// Seed: the same numbers make the same province
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Share of the students on whom each fault is planted; 0 for none
    #[arg(long, default_value_t = 0.01)]
    faults: f64,
    /// Folder of the data; must be new or empty
    #[arg(long, default_value = "data-demo")]
    data: PathBuf,
    /// Print one JSON value instead of text
    #[arg(long)]
    json: bool,
}

/// Who asks, and where.
#[derive(Args, Clone)]
struct Login {
    /// Address of the gateway
    #[arg(long, default_value = "http://127.0.0.1:8080", env = "XUEZHU_GATEWAY", global = true)]
    gateway: String,
    /// Account
    #[arg(long, default_value = "admin", global = true)]
    account: String,
    /// File with its password
    #[arg(long, global = true)]
    password_file: Option<PathBuf>,
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    json: bool,
}

impl Login {
    async fn open(&self) -> anyhow::Result<Session> {
        let file = self.password_file.as_ref().context("--password-file is needed: a password on the command line would be seen by others")?;
        let password = std::fs::read_to_string(file).with_context(|| format!("password file {}", file.display()))?;
        Session::log_in(&self.gateway, &self.account, password.trim()).await
    }
}

#[derive(Args)]
#[command(after_help = "Example:\n  xuezhu import students.xlsx --school 3643000001 --account lili --password-file p.txt --preview --marked marked.xlsx")]
struct Import {
    /// The workbook
    file: PathBuf,
    /// 10-digit code of the school
    #[arg(long)]
    school: String,
    /// Id of an award list: the file then holds awards
    #[arg(long)]
    list: Option<String>,
    /// Only tell what would happen
    #[arg(long)]
    preview: bool,
    /// Write nothing if one row is faulty
    #[arg(long)]
    all_or_nothing: bool,
    /// Where to put the workbook with its faulty cells marked
    #[arg(long)]
    marked: Option<PathBuf>,
    #[command(flatten)]
    login: Login,
}

#[derive(Args)]
#[command(after_help = "Example:\n  xuezhu reconcile --term 2016-AUTUMN --region 430100 --account officer --password-file p.txt")]
struct Reconcile {
    /// Term, such as 2016-AUTUMN; all where left out
    #[arg(long, default_value = "")]
    term: String,
    /// Region code; all that the account may see where left out
    #[arg(long, default_value = "")]
    region: String,
    #[command(flatten)]
    login: Login,
}

#[derive(Args)]
#[command(after_help = "Example:\n  xuezhu flags --state OPEN --school 3643000001 --account officer --password-file p.txt --json")]
struct Flags {
    /// Rule, such as `NO_ENROLLMENT`
    #[arg(long, default_value = "")]
    rule: String,
    /// School
    #[arg(long, default_value = "")]
    school: String,
    /// Region
    #[arg(long, default_value = "")]
    region: String,
    /// State: OPEN, EXPLAINED, CONFIRMED, CLEARED or CLOSED
    #[arg(long, default_value = "OPEN")]
    state: String,
    /// Term
    #[arg(long, default_value = "")]
    term: String,
    #[command(flatten)]
    login: Login,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  xuezhu admin keyring deploy/secrets/keyring.json\n  xuezhu admin password --account admin --password-file old.txt --new-password-file new.txt\n  xuezhu admin school 3643000001 长沙职业学校 --region 430102 --authority 430100 --major 2010-010200 --password-file p.txt\n  xuezhu admin account lili 李老师 --role SCHOOL_CLERK --organisation 3643000001 --password-file p.txt --json"
)]
struct Admin {
    #[command(subcommand)]
    command: AdminCommand,
    #[command(flatten)]
    login: Login,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Makes a keyring file, for services that run apart
    Keyring {
        /// Where
        out: PathBuf,
    },
    /// Changes the account's password
    Password {
        /// File with the new password
        #[arg(long)]
        new_password_file: PathBuf,
    },
    /// Enters a school
    School {
        /// 10-digit code
        code: String,
        /// Name
        name: String,
        /// Region code
        #[arg(long)]
        region: String,
        /// Region code of its department
        #[arg(long)]
        authority: String,
        /// PUBLIC or PRIVATE
        #[arg(long, default_value = "PUBLIC")]
        kind: String,
        /// Majors, such as 2010-010200; several times
        #[arg(long)]
        major: Vec<String>,
    },
    /// Opens an account; prints its one-time password
    Account {
        /// Name to log in with
        name: String,
        /// Name of the person
        display_name: String,
        /// `SCHOOL_CLERK`, PRINCIPAL, `DEPARTMENT_OFFICER`, ADMINISTRATOR or `MACHINE_READER`
        #[arg(long)]
        role: String,
        /// School or region code
        #[arg(long, default_value = "")]
        organisation: String,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(FAILED);
        }
    };
    // A second start finds the provider set, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match runtime.block_on(run(cli)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.downcast_ref::<Refused>().is_some() { REFUSED } else { FAILED })
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<u8> {
    let settings = Settings::load(cli.config.as_deref())?;
    telemetry::start_logs(&settings.log, settings.log_format);
    match cli.command {
        Command::Up(up) => run_up(up, settings).await,
        Command::Enrollment => apart::enrollment(&settings, stop_on_signal()).await.map(|()| OK),
        Command::Aid => apart::aid(&settings, stop_on_signal()).await.map(|()| OK),
        Command::Gateway => apart::gateway(&settings, stop_on_signal()).await.map(|()| OK),
        Command::Import(import) => run_import(import).await,
        Command::Reconcile(reconcile) => run_reconcile(reconcile).await,
        Command::Flags(flags) => run_flags(flags).await,
        Command::Admin(admin) => run_admin(admin).await,
        Command::Demo(demo) => run_demo(demo, settings).await,
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

async fn run_up(up: Up, settings: Settings) -> anyhow::Result<u8> {
    let stop = stop_on_signal();
    if up.demo {
        return run_up_demo(up, settings, stop).await;
    }
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
    tell(&deployment)?;
    stop.cancelled().await;
    // Whoever read our output may be gone: that is no reason to stop otherwise than cleanly.
    let _ = writeln!(std::io::stdout(), "stopping");
    deployment.stop().await;
    Ok(OK)
}

/// A deployment for the demo, with its registry file, in a folder that holds nothing yet.
async fn demo_deployment(world: &World, data: &std::path::Path, http: String, settings: Settings) -> anyhow::Result<Deployment> {
    if data.join("enrollment.db").exists() {
        bail!("{} holds data already; name a new folder with --data", data.display());
    }
    std::fs::create_dir_all(data.join("demo"))?;
    let registry = data.join("demo/registry.csv");
    let rows: Vec<String> = world.registry.iter().map(|(number, name)| format!("{number},{name}")).collect();
    std::fs::write(&registry, format!("number,name\n{}\n", rows.join("\n")))?;
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

async fn run_demo(demo: Demo, settings: Settings) -> anyhow::Result<u8> {
    if !(0.0..=0.05).contains(&demo.faults) {
        bail!("--faults is a share from 0 to 0.05");
    }
    if demo.students < 200 {
        bail!("--students must be at least 200");
    }
    let world = World::make(demo.students, demo.seed, demo.faults);
    let deployment = demo_deployment(&world, &demo.data, "127.0.0.1:0".into(), settings).await?;
    let password = deployment.admin_password.clone().context("a new deployment has a first administrator")?;
    let played = play::play(&deployment, &world, &password, output::bar(demo.json, 24, "playing")).await;
    deployment.stop().await;
    let outcome = played?;
    output::print(demo.json, &serde_json::to_value(&outcome)?, || table(&outcome));
    Ok(if outcome.is_exact() { OK } else { FAILED })
}

async fn run_up_demo(up: Up, mut settings: Settings, stop: CancellationToken) -> anyhow::Result<u8> {
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
        let deployment = demo_deployment(&world, &up.data, http, settings).await?;
        let password = deployment.admin_password.clone().context("a new deployment has a first administrator")?;
        println!("playing a school year with {} students…", up.demo_students);
        let played = tokio::select! {
            played = play::play(&deployment, &world, &password, output::bar(false, 24, "playing")) => played,
            () = stop.cancelled() => bail!("stopped before the demo was over; start again with a new --data folder"),
        };
        println!("{}", table(&played?));
        deployment
    };
    println!("pages and REST   http://{}", deployment.http);
    println!("enrollment gRPC  {}", deployment.enrollment_grpc);
    println!("aid gRPC         {}", deployment.aid_grpc);
    println!("accounts admin, clerk1, head1, officer… (see the page of accounts), password {}", play::PASSWORD);
    println!("ready");
    stop.cancelled().await;
    // Whoever read our output may be gone: that is no reason to stop otherwise than cleanly.
    let _ = writeln!(std::io::stdout(), "stopping");
    deployment.stop().await;
    Ok(OK)
}

/// Planted against found, by rule and checkpoint.
fn table(outcome: &play::Outcome) -> String {
    let mut text = format!("{} students, {} schools, {} lines on award lists, {:.1} s\n", outcome.students, outcome.schools, outcome.lines, outcome.seconds);
    let planted: Vec<String> = outcome.planted.iter().map(|(fault, count)| format!("{fault:?} {count}")).collect();
    text.push_str(&format!("planted: {}\n", planted.join(", ")));
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

/// Prints the addresses, and the first password only where a person reads it.
fn tell(deployment: &Deployment) -> anyhow::Result<()> {
    println!("pages and REST   http://{}", deployment.http);
    println!("enrollment gRPC  {}", deployment.enrollment_grpc);
    println!("aid gRPC         {}", deployment.aid_grpc);
    if let Some(password) = &deployment.admin_password {
        if std::io::stdout().is_terminal() {
            println!("account admin, one-time password {password}");
        } else {
            println!("account admin, one-time password in {}", keep_password(deployment.data(), password)?.display());
        }
    }
    println!("ready");
    Ok(())
}

/// An id for one request: should its answer be lost, the service knows a repetition.
fn request_id() -> String {
    let mut bytes = [0; 16];
    Ids::random().fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

async fn run_import(import: Import) -> anyhow::Result<u8> {
    let json = import.login.json;
    let bytes = std::fs::read(&import.file).with_context(|| format!("workbook {}", import.file.display()))?;
    let session = import.login.open().await?;
    let bar = output::bar(json, 1, "uploading");
    let place = match &import.list {
        Some(list) => format!("awardLists/{list}"),
        None => "enrollments".to_owned(),
    };
    let path = format!("/v1/schools/{}/{place}/import?preview={}&allOrNothing={}", import.school, import.preview, import.all_or_nothing);
    let report = session.upload(&path, bytes, &request_id()).await?;
    bar.finish_and_clear();
    let id = report["importId"].as_str().unwrap_or_default();
    if let Some(out) = &import.marked {
        if import.list.is_some() {
            bail!("--marked goes with students, not with awards");
        }
        let marked = session.download(&format!("/v1/schools/{}/imports/{id}/markedWorkbook", import.school)).await?;
        std::fs::write(out, marked).with_context(|| format!("marked workbook {}", out.display()))?;
    }
    output::print(json, &report, || {
        let mut text = format!(
            "rows {}  new {}  changed {}  unchanged {}  faulty {}{}",
            report["rowsTotal"],
            report["rowsNew"],
            report["rowsChanged"],
            report["rowsUnchanged"],
            report["rowsFaulty"],
            if import.preview { "  (preview: nothing written)" } else { "" }
        );
        for problem in report["problems"].as_array().into_iter().flatten().take(50) {
            let field = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
            text.push_str(&format!(
                "\n{} 第{}行 {} {} {}：{}",
                field("sheet"),
                problem["row"],
                field("column"),
                field("value"),
                field("code"),
                field("reason")
            ));
        }
        text
    });
    Ok(if report["rowsFaulty"].as_i64().unwrap_or(0) > 0 { FOUND } else { OK })
}

async fn run_reconcile(reconcile: Reconcile) -> anyhow::Result<u8> {
    let json = reconcile.login.json;
    let session = reconcile.login.open().await?;
    let run = session.post("/v1/reconciliations", &json!({ "term": reconcile.term, "region": reconcile.region }), &request_id()).await?;
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

async fn run_flags(flags: Flags) -> anyhow::Result<u8> {
    let json = flags.login.json;
    let session = flags.login.open().await?;
    let (mut all, mut page) = (Vec::new(), String::new());
    loop {
        let path = format!(
            "/v1/flags?rule={}&school={}&region={}&state={}&term={}&pageSize=1000&pageToken={page}",
            flags.rule, flags.school, flags.region, flags.state, flags.term
        );
        let answer = session.get(&path).await?;
        all.extend(answer["flags"].as_array().cloned().unwrap_or_default());
        answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
        if page.is_empty() {
            break;
        }
    }
    let found = !all.is_empty();
    let value = json!({ "flags": all });
    output::print(json, &value, || {
        let mut text = format!("{} flags", all.len());
        for flag in &all {
            let field = |name: &str| flag[name].as_str().unwrap_or_default().to_owned();
            text.push_str(&format!(
                "\n{}  {:<20} {} {} {} {} fen  {}",
                field("flag"),
                field("rule"),
                field("school"),
                field("term"),
                field("name"),
                field("amountFen"),
                field("state")
            ));
        }
        text
    });
    Ok(if found { FOUND } else { OK })
}

async fn run_admin(admin: Admin) -> anyhow::Result<u8> {
    let json = admin.login.json;
    match admin.command {
        AdminCommand::Keyring { out } => {
            Keyring::generate().save(&out)?;
            output::print(json, &json!({ "keyring": out }), || format!("keyring written to {}; keep it secret and backed up", out.display()));
        }
        AdminCommand::Password { new_password_file } => {
            let old = admin.login.password_file.as_ref().context("--password-file is needed")?;
            let (old, new) = (std::fs::read_to_string(old)?, std::fs::read_to_string(&new_password_file)?);
            admin.login.open().await?.change_password(old.trim(), new.trim()).await?;
            output::print(json, &json!({ "changed": true }), || "password changed".into());
        }
        AdminCommand::School { code, name, region, authority, kind, major } => {
            let majors: Vec<Value> = major
                .iter()
                .map(|major| match major.split_once('-') {
                    Some((catalogue, code)) => json!({ "catalogue": catalogue, "code": code }),
                    None => json!({ "catalogue": "2010", "code": major }),
                })
                .collect();
            let body = json!({ "code": code, "name": name, "region": region, "authority": authority, "kind": kind, "majors": majors });
            let school = admin.login.open().await?.post("/v1/schools", &body, &request_id()).await?;
            output::print(json, &school, || format!("school {code} entered"));
        }
        AdminCommand::Account { name, display_name, role, organisation } => {
            let body = json!({ "account": name, "displayName": display_name, "role": role, "organisation": organisation });
            let made = admin.login.open().await?.post("/v1/accounts", &body, &request_id()).await?;
            output::print(json, &made, || format!("account {name}, one-time password {}", made["oneTimePassword"].as_str().unwrap_or_default()));
        }
    }
    Ok(OK)
}
