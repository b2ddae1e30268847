//! Logs and metrics. Neither ever holds personal data: ids, codes and counts only.

use std::{io::IsTerminal, sync::OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::settings::LogFormat;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds of the latency histograms, in seconds.
const LATENCY_BUCKETS_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Starts logging to standard error; a second call changes nothing.
pub fn start_logs(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    // A second start, as in tests, is no fault.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// Starts collecting metrics; a second call changes nothing.
pub fn start_metrics() -> &'static PrometheusHandle {
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &LATENCY_BUCKETS_SECONDS);
        let recorder = builder.expect("the buckets are not empty").build_recorder();
        let handle = recorder.handle();
        // A recorder that was set elsewhere keeps collecting; ours then shows nothing.
        let _ = metrics::set_global_recorder(recorder);
        describe();
        handle
    })
}

/// The metrics in Prometheus' text format.
pub fn render() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    counter!("xuezhu_requests_total", "gRPC requests by method and code");
    histogram!("xuezhu_request_seconds", "time to the first byte of an answer, by method");
    gauge!("xuezhu_feed_head_position", "last position that the sequencer gave");
    gauge!("xuezhu_feed_sequencer_stalled_seconds", "age of the oldest change that has no position yet; 0 when none waits");
    gauge!("xuezhu_feed_lag_positions", "positions between the source's head and the mirror's cursor");
    counter!("xuezhu_feed_went_back_total", "times that the source's database was found put back to an older copy");
    gauge!("xuezhu_mirror_age_seconds", "how long ago the mirror last heard from its source, and how far that lagged then; infinite before the first word");
    gauge!("xuezhu_mirror_stale", "1 where the mirror is too old, or its age unknown, to approve awards on");
    gauge!("xuezhu_forgotten_records", "records that the source forgot and that are not settled");
    counter!("xuezhu_forgotten_records_total", "records that the source was found to have forgotten");
    gauge!("xuezhu_ready", "1 where a service can do its work");
    counter!("xuezhu_faults_total", "failed tries of work that is tried until it succeeds, by work");
    counter!("xuezhu_refusals_unrecorded_total", "refusals that no audit line tells of, because the database took none");
    gauge!("xuezhu_open_flags", "flags that are not closed, by rule");
    counter!("xuezhu_feed_records_total", "records that the follower applied, by kind");
    counter!("xuezhu_judged_persons_total", "persons judged, by driver");
}
