//! What the system does in a second, beside what people would use instead: each command prints its figure and its
//! baseline from one run. `docs/benchmarks.md` keeps them, with the commands.

mod calls;
mod feed;
mod import;
mod latency;
mod load;
mod pages;
mod sweep;

use std::time::Duration;

use xuezhu_service::{settings::LogFormat, telemetry};

/// Settings of the servers: as durable as in production, with memory for what is measured, on a disk without a head.
pub const SERVER: [&str; 7] = [
    "wal_level=logical",
    "shared_buffers=1GB",
    "work_mem=64MB",
    "max_wal_size=8GB",
    "checkpoint_timeout=30min",
    "random_page_cost=1.1",
    "max_parallel_workers_per_gather=0",
];

#[tokio::main]
async fn main() {
    xuezhu_tests::prepare();
    telemetry::start_logs(&log_filter(), LogFormat::Text);
    // `cargo bench` adds a word of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |place: usize, default: i64| words.get(place).and_then(|word| word.parse().ok()).unwrap_or(default);
    match words.first().map(String::as_str) {
        Some("feed") => feed::measure(number(1, 100_000)).await,
        Some("latency") => latency::measure(number(1, 2_000), number(2, 100_000)).await,
        Some("sweep") => sweep::measure(number(1, 160_000)).await,
        Some("calls") => calls::measure(number(1, 2_000)).await,
        Some("import") => Box::pin(import::measure(number(1, 10_000))).await,
        Some("load") => load::measure(number(1, 400)).await,
        Some("pages") => pages::measure(number(1, 20_000), number(2, 500)).await,
        _ => println!(
            "cargo bench --profile dist -p xuezhu-tests --bench measure -- feed [changes] | latency [samples students] | sweep [enrollments] | import [students] | calls [of each] | load [of each] | pages [students of each]"
        ),
    }
}

/// What is logged: `XUEZHU_LOG=sqlx=debug` tells each statement and how long it took.
pub fn log_filter() -> String {
    std::env::var("XUEZHU_LOG").unwrap_or_else(|_| "error".into())
}

/// Seconds of a duration.
pub fn seconds(of: Duration) -> f64 {
    of.as_secs_f64()
}

/// Things a second.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn rate(count: i64, of: Duration) -> f64 {
    count as f64 / of.as_secs_f64()
}

/// The most memory that a process ever held, in megabytes.
pub fn peak_megabytes(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
