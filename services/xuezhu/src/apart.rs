//! The services apart: the same code as processes of their own.

use std::path::Path;

use anyhow::{Context, bail};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xuezhu_aid::{Aid, Following};
use xuezhu_enrollment::{Enrollment, identity_check::registry::Registry};
use xuezhu_evidence::{Vault, vault::VaultError};
use xuezhu_gateway::Gateway;
use xuezhu_listen::{Bounds, Share};
use xuezhu_service::{Ids, health::Readiness, key_files::KeyFiles, private::private_folder, serve, settings::Settings, telemetry};
use xuezhu_store::Db;

use crate::{
    deployment::{callers, first_administrators, password_file, system_clock},
    keys,
    wires::{Wire, Wires},
};

/// Runs the enrollment service until told to stop.
pub async fn enrollment(settings: &Settings, stop: CancellationToken) -> anyhow::Result<()> {
    telemetry::start_metrics();
    settings.load_tables(system_clock().today())?;
    settings.believe_gateways();
    let tasks = TaskTracker::new();
    let wires = Wires::of(settings, &tasks, &stop)?;
    wires.check_database("enrollment_database_url", &settings.enrollment_database_url)?;
    let db = open(&settings.enrollment_database_url).await.context("setting enrollment_database_url")?;
    let keyring = keys::of_enrollment(&key_files(settings), &settings.keyring_file, xuezhu_enrollment::before::is_used(&db).await?)?;
    let door = wires.door(Wire::Grpc, "enrollment_grpc_address", &settings.enrollment_grpc_address).await?;
    let ids = Ids::random();
    let registry = Registry::open(&settings.registry).context("setting registry")?;
    let vault = vault(&settings.enrollment_evidence, &settings.enrollment_keys_file, "enrollment", settings).context("setting enrollment_evidence")?;
    let enrollment = Enrollment::start(db.clone(), system_clock(), ids.clone(), keyring, vault, registry, settings.safeguards(), &tasks, &stop).await?;
    let folder = settings.enrollment_keys_file.parent().unwrap_or_else(|| std::path::Path::new("."));
    let given = [settings.admin_password_file.as_deref(), settings.second_admin_password_file.as_deref()];
    for (account, _) in first_administrators(&enrollment, given, folder).await? {
        println!("one-time password of account {account}: in {}", password_file(folder, account).display());
    }
    println!("enrollment: gRPC on {}", door.local_addr()?);
    metrics(&wires, settings, Some(enrollment.readiness()), &tasks, &stop).await?;
    serve::serve(door, enrollment.routes(), Enrollment::NAMES, enrollment.readiness(), ids, Share::Whole, stop.clone()).await?;
    finish(&tasks).await;
    close(&db).await
}

/// Runs the aid service until told to stop.
pub async fn aid(settings: &Settings, stop: CancellationToken) -> anyhow::Result<()> {
    telemetry::start_metrics();
    settings.load_tables(system_clock().today())?;
    settings.believe_gateways();
    let tasks = TaskTracker::new();
    let wires = Wires::of(settings, &tasks, &stop)?;
    wires.check_database("aid_database_url", &settings.aid_database_url)?;
    let keyring = keys::of_aid(&key_files(settings), &settings.keyring_file)?;
    let db = open(&settings.aid_database_url).await.context("setting aid_database_url")?;
    let following = Following {
        source: wires.peer("enrollment_url", &settings.enrollment_url)?.connect_lazy(),
        name: settings.follower.clone(),
        scope: settings.scope.clone(),
        lane_records: settings.lane_records,
        mirror_age: std::time::Duration::from_secs(settings.mirror_max_age_seconds),
    };
    let ids = Ids::random();
    let vault = vault(&settings.aid_evidence, &settings.aid_keys_file, "aid", settings).context("setting aid_evidence")?;
    let aid =
        Aid::start(db.clone(), system_clock(), ids.clone(), keyring, vault, settings.policy_file.as_deref(), following, settings.safeguards(), &tasks, &stop)
            .await?;
    let door = wires.door(Wire::Grpc, "aid_grpc_address", &settings.aid_grpc_address).await?;
    println!("aid: gRPC on {}", door.local_addr()?);
    metrics(&wires, settings, Some(aid.readiness()), &tasks, &stop).await?;
    serve::serve(door, aid.routes(), Aid::NAMES, aid.readiness(), ids, Share::Whole, stop.clone()).await?;
    finish(&tasks).await;
    close(&db).await
}

/// Runs the gateway until told to stop.
pub async fn gateway(settings: &Settings, stop: CancellationToken) -> anyhow::Result<()> {
    telemetry::start_metrics();
    settings.load_tables(system_clock().today())?;
    settings.believe_gateways();
    let tasks = TaskTracker::new();
    let wires = Wires::of(settings, &tasks, &stop)?;
    let (enrollment, aid) = (wires.peer("enrollment_url", &settings.enrollment_url)?, wires.peer("aid_url", &settings.aid_url)?);
    let gateway = Gateway::new(enrollment, aid, settings.secure_cookies, Ids::random(), system_clock());
    let gateway = gateway.for_callers(callers(settings)).with_safeguards(settings.safeguards());
    let door = wires.door(Wire::Http, "http_address", &settings.http_address).await?;
    println!("gateway: {}://{}", door.scheme(), door.local_addr()?);
    metrics(&wires, settings, Some(gateway.readiness(&stop)), &tasks, &stop).await?;
    xuezhu_listen::serve("http", door, gateway.router(&stop), Bounds::of(Share::Whole), stop.clone()).await?;
    finish(&tasks).await;
    Ok(())
}

/// Opens a database. A file whose folder is missing gets one that only its owner may enter; one that is there is somebody's choice,
/// and may hold other things.
async fn open(url: &str) -> anyhow::Result<Db> {
    if let Some(file) = url.strip_prefix("sqlite:").and_then(|rest| rest.split('?').next())
        && let Some(folder) = Path::new(file.trim_start_matches("//")).parent()
        && !folder.as_os_str().is_empty()
        && !folder.exists()
    {
        private_folder(folder).with_context(|| format!("the folder {}", folder.display()))?;
    }
    Ok(Db::open(url).await?)
}

/// Where the files of a service lie that prove something: where it is set, else beside its keys.
fn vault(set: &str, keys: &Path, service: &str, settings: &Settings) -> Result<Vault, VaultError> {
    if !set.is_empty() {
        return Vault::open(set, settings);
    }
    let folder = keys.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    Vault::folder(&folder.join("evidence").join(service))
}

fn key_files(settings: &Settings) -> KeyFiles {
    KeyFiles { enrollment: settings.enrollment_keys_file.clone(), aid: settings.aid_keys_file.clone() }
}

async fn metrics(wires: &Wires, settings: &Settings, readiness: Option<Readiness>, tasks: &TaskTracker, stop: &CancellationToken) -> anyhow::Result<()> {
    if settings.metrics_address.is_empty() {
        return Ok(());
    }
    let door = wires.metrics_door("metrics_address", &settings.metrics_address).await?;
    println!("metrics: http://{}/metrics", door.local_addr()?);
    let stop = stop.clone();
    tasks.spawn(async move {
        if let Err(error) = xuezhu_listen::serve("metrics", door, serve::metrics_router(readiness), Bounds::of(Share::Quarter), stop).await {
            tracing::error!(%error, "metrics server ended");
        }
    });
    Ok(())
}

/// Closes a database; what ended because another file is where it was is no clean end.
async fn close(db: &Db) -> anyhow::Result<()> {
    let replaced = db.is_replaced();
    db.close().await;
    if replaced {
        bail!("the database file was replaced under the running process: start it again on the file that is there now");
    }
    Ok(())
}

async fn finish(tasks: &TaskTracker) {
    tasks.close();
    tasks.wait().await;
}
