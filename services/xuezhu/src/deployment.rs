//! Everything in one process: enrollment, aid and gateway on SQLite files in one folder.

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use chrono::{NaiveDate, Utc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::{Channel, Endpoint};
use xuezhu_aid::{Aid, Following, reconciliation::sweep};
use xuezhu_bridge::sequencer::settled_head;
use xuezhu_enrollment::{Enrollment, directory, identity_check::registry::Registry};
use xuezhu_evidence::Vault;
use xuezhu_gateway::{Gateway, doors::Callers};
use xuezhu_listen::{Bounds, Door, Share};
use xuezhu_service::{
    Clock, Ids, Keyring,
    key_files::KeyFiles,
    keyring::Service,
    private::{private_folder, write_private},
    serve,
    settings::Settings,
    telemetry,
};
use xuezhu_store::Db;
use xuezhu_tls::peer::Peer;

use crate::{
    keys,
    wires::{Wire, Wires},
};

/// How long a drain may take before something must be wrong.
const DRAIN: Duration = Duration::from_secs(300);
/// How often a drain looks.
const DRAIN_POLL: Duration = Duration::from_millis(2);
/// Characters of the first administrator's one-time password.
const ONE_TIME_BYTES: usize = 12;

/// Bytes of the headers of an answer that a client takes: an error's details are among them.
const HEADER_BYTES: u32 = 64 * 1024;

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of databases, keyring and what else is kept.
    pub data: PathBuf,
    /// Where the gateway listens.
    pub http: String,
    /// Where enrollment listens for gRPC.
    pub enrollment_grpc: String,
    /// Where aid listens for gRPC.
    pub aid_grpc: String,
    /// A file with the first administrator's one-time password.
    pub admin_password_file: Option<PathBuf>,
    /// Databases of enrollment and aid; SQLite files in the folder where none are named.
    pub databases: Option<(String, String)>,
    /// Registry file, or `none`.
    pub registry: String,
    /// Everything else.
    pub settings: Settings,
}

/// Everything, running.
pub struct Deployment {
    /// Where the gateway listens.
    pub http: SocketAddr,
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Where enrollment listens for gRPC.
    pub enrollment_grpc: SocketAddr,
    /// Where aid listens for gRPC.
    pub aid_grpc: SocketAddr,
    /// One-time passwords that this start made for the first administrators, by their accounts: of those for whom none was given.
    pub admin_passwords: Vec<(&'static str, String)>,
    data: PathBuf,
    /// Held as long as this runs.
    _lock: File,
    clock: Clock,
    enrollment: Enrollment,
    aid: Aid,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// The system's clock: the one place that reads it.
#[expect(clippy::disallowed_methods, reason = "here the outside comes in, as a parameter for all else")]
pub fn system_clock() -> Clock {
    Clock::new(Utc::now)
}

/// Of whom a gateway believes where requests came from, and who sees its metrics.
pub fn callers(settings: &Settings) -> Callers {
    Callers { proxies: settings.trusted_proxies(), metrics: settings.metrics_from() }
}

/// A channel to a service that is reached plainly; it connects when it is first used, and again whenever that is needed.
pub fn channel(url: &str) -> anyhow::Result<Channel> {
    Ok(Peer::to(url, None)?.with(patient).connect_lazy())
}

/// How this process is connected to a service.
pub fn patient(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true)
        .http2_max_header_list_size(HEADER_BYTES)
        .tcp_nodelay(true)
}

/// Keeps a second process off the folder: each would know half of what happens.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("file {} can't be made", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("data folder {} is in use by another process: stop that first, or choose another with --data", data.display()),
        // A file system without locks, as some network ones.
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, "the data folder can't be locked; start no second process on it");
            Ok(file)
        }
    }
}

/// Where the keys of a folder are.
pub fn key_files(data: &Path) -> KeyFiles {
    KeyFiles { enrollment: data.join("enrollment-keys.json"), aid: data.join("aid-keys.json") }
}

/// Where the files of a service lie that prove something: in the folder, unless a bucket is set.
fn vault_of(data: &Path, service: &str, set: &str, settings: &Settings) -> anyhow::Result<Vault> {
    if Vault::is_bucket(set) { Ok(Vault::open(set, settings)?) } else { Ok(Vault::folder(&data.join("evidence").join(service))?) }
}

/// Gives an administrator a one-time password at the database itself: of a folder, else of the settings. Who may read the key file
/// may do this; the audit keeps it.
pub async fn recover(data: Option<&Path>, settings: &Settings, account: &str) -> anyhow::Result<String> {
    let (url, keys, held) = match data {
        Some(data) => {
            let file = data.join("enrollment.db");
            if !file.exists() {
                bail!("there is no enrollment.db in {}", data.display());
            }
            (format!("sqlite:{}", file.display()), key_files(data).enrollment, Some(lock(data)?))
        }
        None => (settings.enrollment_database_url.clone(), settings.enrollment_keys_file.clone(), None),
    };
    directory::check_account_name(account).map_err(|why| anyhow::anyhow!("account {account}: {why}"))?;
    let keyring = Keyring::load(&keys, Service::Enrollment)?;
    if let Some(file) = url.strip_prefix("sqlite:")
        && !Path::new(file.trim_start_matches("//")).exists()
    {
        bail!("there is no database {file}");
    }
    let db = Db::open(&url).await.context("enrollment's database")?;
    let mut random = [0; ONE_TIME_BYTES];
    Ids::random().fill(&mut random);
    let password = directory::one_time_password(&random);
    if !xuezhu_enrollment::before::is_used(&db).await? {
        bail!("this database holds no account: is it the right one?");
    }
    let recovered = xuezhu_enrollment::recover(db.clone(), system_clock(), Ids::random(), &keyring, account, &password).await;
    db.close().await;
    drop(held);
    recovered?;
    Ok(password)
}

/// The keys of a folder, which must be those of its databases.
async fn keys_of(data: &Path, enrollment: &Db, aid: &Db) -> anyhow::Result<(Keyring, Keyring)> {
    let used = xuezhu_enrollment::before::is_used(enrollment).await? || xuezhu_aid::before::is_used(aid).await?;
    let fit = async |pair: &(Keyring, Keyring)| {
        xuezhu_enrollment::before::prove(enrollment, &pair.0).await?;
        xuezhu_aid::before::prove(aid, &pair.1).await?;
        Ok(())
    };
    let pair = keys::of_both(&key_files(data), &data.join("keyring.json"), used, fit).await?;
    // Before either service does anything.
    fit(&pair).await?;
    Ok(pair)
}

impl Deployment {
    /// Starts everything; ready when this returns.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        telemetry::start_metrics();
        private_folder(&options.data).with_context(|| format!("data folder {} can't be made", options.data.display()))?;
        let lock = lock(&options.data)?;
        let clock = system_clock();
        if let Some(day) = remembered_day(&options.data)? {
            clock.step_to(day);
        }
        options.settings.load_tables(clock.today())?;
        options.settings.believe_gateways();
        let (tasks, stop, ids) = (TaskTracker::new(), CancellationToken::new(), Ids::random());
        let wires = Wires::of(&options.settings, &tasks, &stop)?;
        let http = wires.door(Wire::Http, "http_address", &options.http).await?;
        let enrollment_grpc = wires.door(Wire::Grpc, "enrollment_grpc_address", &options.enrollment_grpc).await?;
        let aid_grpc = wires.door(Wire::Grpc, "aid_grpc_address", &options.aid_grpc).await?;
        let file = |name: &str| format!("sqlite:{}", options.data.join(name).display());
        let (enrollment_url, aid_url) = options.databases.clone().unwrap_or_else(|| (file("enrollment.db"), file("aid.db")));
        let enrollment_db = Db::open(&enrollment_url).await.context("enrollment's database")?;
        let aid_db = Db::open(&aid_url).await.context("aid's database")?;
        let (enrollment_keys, aid_keys) = keys_of(&options.data, &enrollment_db, &aid_db).await?;
        let registry = Registry::open(&options.registry)?;
        let vault = vault_of(&options.data, "enrollment", &options.settings.enrollment_evidence, &options.settings)?;
        let enrollment = Box::pin(Enrollment::start(
            enrollment_db,
            clock.clone(),
            ids.clone(),
            enrollment_keys,
            vault,
            registry,
            options.settings.safeguards(),
            &tasks,
            &stop,
        ))
        .await?;
        let given = [options.admin_password_file.as_deref(), options.settings.second_admin_password_file.as_deref()];
        let admin_passwords = first_administrators(&enrollment, given, &options.data).await?;
        let (source, aid_service) = (wires.own(&enrollment_grpc)?, wires.own(&aid_grpc)?);
        let following = Following {
            source: source.connect_lazy(),
            name: options.settings.follower.clone(),
            scope: options.settings.scope.clone(),
            lane_records: options.settings.lane_records,
            mirror_age: std::time::Duration::from_secs(options.settings.mirror_max_age_seconds),
        };
        let vault = vault_of(&options.data, "aid", &options.settings.aid_evidence, &options.settings)?;
        let aid = Box::pin(Aid::start(
            aid_db,
            clock.clone(),
            ids.clone(),
            aid_keys,
            vault,
            options.settings.policy_file.as_deref(),
            following,
            options.settings.safeguards(),
            &tasks,
            &stop,
        ))
        .await?;
        let gateway = Gateway::new(source, aid_service, options.settings.secure_cookies, ids, clock.clone())
            .for_callers(callers(&options.settings))
            .with_safeguards(options.settings.safeguards());
        let started = Self {
            http: http.local_addr()?,
            scheme: http.scheme(),
            enrollment_grpc: enrollment_grpc.local_addr()?,
            aid_grpc: aid_grpc.local_addr()?,
            admin_passwords,
            data: options.data,
            _lock: lock,
            clock,
            enrollment,
            aid,
            tasks,
            stop,
        };
        started.serve(http, enrollment_grpc, aid_grpc, gateway);
        Ok(started)
    }

    fn serve(&self, http: Door, enrollment: Door, aid: Door, gateway: Gateway) {
        let watch = |name: &'static str, served: std::io::Result<()>| {
            if let Err(error) = served {
                tracing::error!(%error, name, "server ended");
            }
        };
        let ids = self.enrollment.parts().runner.ids().clone();
        let (routes, ready, stop) = (self.enrollment.routes(), self.enrollment.readiness(), self.stop.clone());
        self.tasks.spawn(async move { watch("enrollment", serve::serve(enrollment, routes, Enrollment::NAMES, ready, ids, Share::Quarter, stop).await) });
        let ids = self.aid.parts().runner.ids().clone();
        let (routes, ready, stop) = (self.aid.routes(), self.aid.readiness(), self.stop.clone());
        self.tasks.spawn(async move { watch("aid", serve::serve(aid, routes, Aid::NAMES, ready, ids, Share::Quarter, stop).await) });
        let stop = self.stop.clone();
        self.tasks.spawn(async move { watch("gateway", xuezhu_listen::serve("http", http, gateway.router(&stop), Bounds::of(Share::Half), stop).await) });
    }

    /// The one-time password of the first administrator, where this start made it.
    pub fn admin_password(&self) -> Option<&str> {
        self.admin_passwords.first().map(|(_, password)| password.as_str())
    }

    /// The databases of both services.
    pub fn databases(&self) -> [&Db; 2] {
        [self.enrollment.parts().runner.db(), self.aid.parts().runner.db()]
    }

    /// What enrollment's use cases need: for tests of the process that embeds it.
    pub fn enrollment_parts(&self) -> &xuezhu_enrollment::Parts {
        self.enrollment.parts()
    }

    /// What aid's use cases need: for tests of the process that embeds it.
    pub fn aid_parts(&self) -> &xuezhu_aid::Parts {
        self.aid.parts()
    }

    /// The folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The civil day.
    pub fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    /// Steps the civil clock, remembers the day beside the data, and waits until feed and re-judging are drained.
    pub async fn step_to(&self, day: NaiveDate) -> anyhow::Result<()> {
        self.drain().await?;
        self.clock.step_to(day);
        // What begins on that day has begun when this returns.
        xuezhu_enrollment::directory::schools::turn_now(self.enrollment.parts()).await?;
        std::fs::write(self.data.join(CIVIL_DAY), day.to_string())?;
        self.drain().await
    }

    /// Waits until aid has heard everything and judged whom it touches.
    pub async fn drain(&self) -> anyhow::Result<()> {
        let drained = async {
            let standing = self.aid.standing();
            loop {
                let head = settled_head(self.enrollment.parts().runner.db()).await?;
                if head.is_some_and(|head| standing.borrow().position >= head) && sweep::wake(self.aid.parts()).await? == 0 {
                    return Ok::<_, anyhow::Error>(());
                }
                tokio::time::sleep(DRAIN_POLL).await;
            }
        };
        match tokio::time::timeout(DRAIN, drained).await {
            Ok(done) => done,
            Err(_) => bail!("feed and judging did not come to rest within {} s", DRAIN.as_secs()),
        }
    }

    /// Waits until everything ends by itself: because a database file was replaced.
    pub async fn ended(&self) -> anyhow::Error {
        self.stop.cancelled().await;
        anyhow::anyhow!("a database file was replaced under the running process: start it again on the file that is there now")
    }

    /// Stops everything: what is under way is finished, what was acknowledged is kept.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.enrollment.parts().runner.db().close().await;
        self.aid.parts().runner.db().close().await;
    }
}

const CIVIL_DAY: &str = "civil_day";

fn remembered_day(data: &Path) -> anyhow::Result<Option<NaiveDate>> {
    let path = data.join(CIVIL_DAY);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path)?;
    Ok(Some(text.trim().parse().with_context(|| format!("{} does not hold a date", path.display()))?))
}

/// Opens the accounts of the first administrators, where there is none at all: one, or two where two persons open accounts. Returns the passwords
/// that were made here, by account. They are kept in the folder before the accounts are: a kill between them loses neither.
pub async fn first_administrators(enrollment: &Enrollment, given: [Option<&Path>; 2], folder: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    if xuezhu_enrollment::before::is_used(enrollment.parts().runner.db()).await? {
        return Ok(Vec::new());
    }
    let persons = if enrollment.parts().safeguards.two_persons { 2 } else { 1 };
    let (mut passwords, mut made) = (Vec::new(), Vec::new());
    for (account, file) in directory::FIRST_ADMINISTRATORS.into_iter().zip(given).take(persons) {
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).with_context(|| format!("password file of account {account}, {}", file.display()))?;
            passwords.push(text.trim().to_owned());
            continue;
        }
        let mut random = [0; ONE_TIME_BYTES];
        Ids::random().fill(&mut random);
        let password = directory::one_time_password(&random);
        keep_password(folder, account, &password)?;
        passwords.push(password.clone());
        made.push((account, password));
    }
    Ok(if enrollment.ensure_first_administrators(&passwords).await? { made } else { Vec::new() })
}

/// Where the first password of an administrator is, until somebody removes it.
pub fn password_file(data: &Path, account: &str) -> PathBuf {
    data.join(format!("{account}-password.txt"))
}

/// Keeps the first password where only the owner can read it.
fn keep_password(data: &Path, account: &str, password: &str) -> anyhow::Result<()> {
    let path = password_file(data, account);
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    write_private(&path, format!("{password}\n").as_bytes())?;
    Ok(())
}
