//! A private PostgreSQL cluster on loopback in a temporary folder, run as a non-root user, gone with the tests.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection};
use sqlx_postgres::PgConnection;

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// How long the server may take to start.
const START: Duration = Duration::from_secs(60);

/// A server of our own.
pub struct Cluster {
    port: u16,
    folder: PathBuf,
    settings: Vec<String>,
}

impl Cluster {
    /// Starts one under these settings beside the usual ones; it ends with this process.
    pub fn start(settings: &[&str]) -> Self {
        let cluster = Self::make(settings);
        cluster.serve();
        cluster
    }

    /// The same, spoken with by TLS alone, by the certificate and the key in these files.
    pub fn start_tls(certificate: &Path, key: &Path) -> Self {
        let mut cluster = Self::make(&["fsync=off", "ssl=on"]);
        for (setting, from) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
            let file = cluster.folder.join(setting);
            fs::copy(from, &file).expect("is copied");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the file is ours");
            // The server reads a key that is its own user's alone.
            drop(Command::new("chown").arg("postgres").arg(&file).status());
            cluster.settings.push(format!("{setting}={}", file.display()));
        }
        fs::write(cluster.folder.join("data/pg_hba.conf"), "hostssl all all all trust\n").expect("writes");
        cluster.serve();
        cluster
    }

    fn make(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("the folder is ours");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let made = user(&binaries().join("initdb"))
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D"])
            .arg(folder.join("data"))
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        Self { port, folder, settings: settings.iter().map(|setting| (*setting).to_owned()).collect() }
    }

    /// Ends the server as a power cut would, and starts it again.
    pub fn crash(&self) {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("the server runs");
        let process = file.lines().next().expect("a process").to_owned();
        let children = Command::new("pgrep").args(["-P", &process]).output().expect("pgrep runs").stdout;
        let children = String::from_utf8_lossy(&children).into_owned();
        assert!(Command::new("kill").args(["-KILL", &process]).status().is_ok_and(|status| status.success()), "the server is killed");
        // Those that it left behind would keep its memory; some end by themselves first.
        drop(Command::new("kill").arg("-KILL").args(children.split_whitespace()).output());
        self.serve();
    }

    /// Stops the server in its tracks, as a machine that hangs does, or lets it go on.
    pub fn hang(&self, hang: bool) {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("the server runs");
        let process = file.lines().next().expect("a process").to_owned();
        let children = Command::new("pgrep").args(["-P", &process]).output().expect("pgrep runs").stdout;
        let children = String::from_utf8_lossy(&children).into_owned();
        let signal = if hang { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, &process]).args(children.split_whitespace()).status().is_ok(), "the server is signalled");
    }

    #[expect(clippy::zombie_processes, reason = "the guard outlives the tests: it ends the server when they are gone")]
    fn serve(&self) {
        let bin = binaries();
        // A shell that ends the server when this process is gone, however it goes. It may not signal a process of root's, so
        // it looks whether there is one.
        let script = format!(
            "\"$@\" & server=$!; while [ -d /proc/{parent} ]; do sleep 1; done; kill -QUIT $server; wait $server; rm -rf {folder}",
            parent = std::process::id(),
            folder = self.folder.display()
        );
        let mut guard = user(Path::new("/bin/sh"));
        guard.args(["-c", &script, "guard"]).arg(bin.join("postgres")).arg("-D").arg(self.folder.join("data"));
        let (port, sockets) = (format!("port={}", self.port), format!("unix_socket_directories={}", self.folder.display()));
        let usual = ["listen_addresses=127.0.0.1", &port, &sockets, "max_connections=300"];
        for setting in usual.into_iter().chain(self.settings.iter().map(String::as_str)) {
            guard.args(["-c", setting]);
        }
        guard.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server starts");
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() || !ready(&bin, self.port) {
            assert!(begun.elapsed() < START, "PostgreSQL did not start within {} s", START.as_secs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// How another server reaches a database.
    pub fn connection(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port)
    }

    /// Makes a database whose tables lie in a folder that all may write to.
    pub async fn create_on(&self, database: &str, folder: &Path) -> String {
        let folder = folder.join(database);
        fs::create_dir(&folder).expect("makes a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("the folder is ours");
        // The server takes a folder only from its own user.
        drop(Command::new("chown").arg("postgres").arg(&folder).status());
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("the cluster answers");
        for statement in [format!("CREATE TABLESPACE {database} LOCATION '{}'", folder.display()), format!("CREATE DATABASE {database} TABLESPACE {database}")]
        {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("is made");
        }
        self.url(database)
    }

    /// Makes a database.
    pub async fn create(&self, database: &str) -> String {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("the cluster answers");
        // Names are ours: letters and numbers.
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&mut connection).await.expect("a database is made");
        self.url(database)
    }
}

/// Copies a database as it is now into another; services may go on working on it.
pub async fn copy(from: &str, to: &str) {
    let (from, to, bin) = (from.to_owned(), to.to_owned(), binaries());
    let done = tokio::task::spawn_blocking(move || {
        let mut dump = Command::new(bin.join("pg_dump")).args(["--no-owner", "-d", &from]).stdout(Stdio::piped()).spawn().expect("pg_dump runs");
        let out = dump.stdout.take().expect("piped");
        let load =
            Command::new(bin.join("psql")).args(["-q", "-v", "ON_ERROR_STOP=1", "-d", &to]).stdin(out).stdout(Stdio::null()).status().expect("psql runs");
        dump.wait().expect("ends").success() && load.success()
    });
    assert!(done.await.expect("ends"), "a database is copied");
}

/// A dump of a database, by which it is seen whether anything changed.
pub fn dump(database: &str) -> String {
    let dumped = Command::new(binaries().join("pg_dump")).args(["-d", database]).output().expect("pg_dump runs");
    assert!(dumped.status.success(), "{database} is dumped");
    // Some versions guard what they write by a word that is drawn anew each time.
    let text = String::from_utf8_lossy(&dumped.stdout).into_owned();
    text.lines().filter(|line| !line.contains("restrict ")).collect::<Vec<_>>().join("\n")
}

/// Loads a dump into a database.
pub fn load(dump: &Path, database: &str) {
    let mut psql = Command::new(binaries().join("psql"));
    psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"]).arg(dump);
    assert!(psql.stdout(Stdio::null()).status().is_ok_and(|status| status.success()), "{} is loaded", dump.display());
}

/// What the files of a database hold, of its tables and indexes, once all is written.
pub async fn files(database: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut connection = PgConnection::connect(database).await.expect("the cluster answers");
    sqlx::query("CHECKPOINT").execute(&mut connection).await.expect("is written");
    let (folder, oid): (String, i64) =
        sqlx::query_as("SELECT current_setting('data_directory'), oid::bigint FROM pg_database WHERE datname = current_database()")
            .fetch_one(&mut connection)
            .await
            .expect("is told");
    let named: Vec<(i64, String)> =
        sqlx::query_as("SELECT relfilenode::bigint, relname::text FROM pg_class").fetch_all(&mut connection).await.expect("relations");
    let files = read_all(&Path::new(&folder).join("base").join(oid.to_string()));
    // By the name of what they hold: a number is of no help to who reads that something is in it.
    let name = |path: PathBuf| {
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        named
            .iter()
            .find(|(node, _)| file.split(['.', '_']).next() == Some(node.to_string().as_str()))
            .map_or(path.clone(), |(_, name)| path.with_file_name(name))
    };
    files.into_iter().map(|(path, bytes)| (name(path), bytes)).collect()
}

/// What a server wrote ahead, of all its databases: their WAL.
pub async fn written_ahead(database: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut connection = PgConnection::connect(database).await.expect("the cluster answers");
    let (folder,): (String,) = sqlx::query_as("SELECT current_setting('data_directory')").fetch_one(&mut connection).await.expect("is told");
    read_all(&Path::new(&folder).join("pg_wal"))
}

fn read_all(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder).expect("the folder is ours");
    files.map(|file| file.expect("an entry").path()).map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

/// Puts another database in the place of one that is in use, as a failover or a restore does: its connections break, and who
/// connects again meets the other.
pub async fn put_in_place(database: &str, other: &str) {
    let name = |url: &str| url.rsplit('/').next().expect("a name").to_owned();
    let server = format!("{}/postgres", database.rsplit_once('/').expect("a URL").0);
    let (database, other) = (name(database), name(other));
    let mut connection = PgConnection::connect(&server).await.expect("the cluster answers");
    for statement in [
        format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"),
        format!("DROP DATABASE {database} WITH (FORCE)"),
        format!("ALTER DATABASE {other} RENAME TO {database}"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("is put in place");
    }
}

/// The URL of a fresh database. A missing PostgreSQL fails the test: it does not skip it.
pub async fn database() -> String {
    let cluster = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(|| Cluster::start(&["fsync=off"]))).await.expect("the cluster starts");
    cluster.create(&format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed))).await
}

/// Where the server's programs are.
pub fn programs() -> PathBuf {
    binaries()
}

fn ready(bin: &Path, port: u16) -> bool {
    Command::new(bin.join("pg_isready")).args(["-h", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A command as a user who is not root: PostgreSQL refuses root.
fn user(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    let mut command = if root { Command::new("runuser") } else { Command::new(program) };
    if root {
        command.args(["-u", "postgres", "--"]).arg(program);
    }
    command.current_dir("/");
    command
}

fn binaries() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path().join("bin"));
    let told = Command::new("pg_config").arg("--bindir").output().ok().map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    debian.chain(told).find(|bin| bin.join("initdb").exists()).expect("PostgreSQL's initdb is needed: run tests/run, or install the package postgresql")
}
