//! Logs, metrics and the export of spans. None ever holds personal data: ids, codes and counts only.

use std::{io::IsTerminal, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId, TracerProvider},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SamplingResult, SdkTracerProvider, ShouldSample},
};
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::settings::{LogFormat, Settings, SettingsError};

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds of the latency histograms, in seconds.
const LATENCY_BUCKETS_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Where the spans of this process go.
static SPANS: OnceLock<SdkTracerProvider> = OnceLock::new();
/// How long a stop waits for the last spans to go out.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// Starts logging to standard error; a second call changes nothing.
pub fn start_logs(filter: &str, format: LogFormat) {
    start_both(filter, format, None);
}

/// Starts logging to standard error and, where a setting names a collector, sending spans there under the name of a service. Within a runtime.
pub fn start(settings: &Settings, service: &'static str) -> Result<(), SettingsError> {
    let spans = match settings.otlp.as_str() {
        "" => None,
        collector => Some(collected(collector, service).map_err(|error| SettingsError::Value { setting: "otlp", why: error.to_string() })?),
    };
    start_both(&settings.log, settings.log_format, spans);
    Ok(())
}

/// Sends what spans are left; for the end of a process, before its runtime ends.
pub fn stop() {
    if let Some(spans) = SPANS.get()
        && let Err(error) = spans.shutdown_with_timeout(LAST_SPANS)
    {
        tracing::debug!(%error, "the last spans could not be sent");
    }
}

/// Spans wait in a queue of a bounded length and go out together from a thread of their own: a collector that is away holds up nobody.
fn collected(collector: &str, service: &'static str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(collector).build()?;
    let named = Resource::builder().with_service_name(service).build();
    // Log lines stay in the log: what others say of a request we do not know.
    Ok(SdkTracerProvider::builder().with_resource(named).with_sampler(Ours).with_max_events_per_span(0).with_batch_exporter(exporter).build())
}

/// Takes spans of our own, as whoever began the request wants it, and none of the libraries: what stands in those we do not know.
#[derive(Debug, Clone, Copy)]
struct Ours;

impl ShouldSample for Ours {
    fn should_sample(&self, parent: Option<&Context>, trace: TraceId, name: &str, kind: &SpanKind, attributes: &[KeyValue], links: &[Link]) -> SamplingResult {
        let ours = attributes.iter().any(|attribute| attribute.key.as_str() == "target" && attribute.value.as_str().starts_with("xuezhu"));
        let sampler = if ours { Sampler::ParentBased(Box::new(Sampler::AlwaysOn)) } else { Sampler::AlwaysOff };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}

fn start_both(filter: &str, format: LogFormat, spans: Option<SdkTracerProvider>) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let exported = spans.as_ref().map(|spans| {
        let layer = tracing_opentelemetry::layer().with_tracer(spans.tracer("xuezhu"));
        layer.with_context_activation(false).with_location(false).with_threads(false).with_tracked_inactivity(false)
    });
    // One filter for all: where layers have their own, a library that asks whether anything would be logged (as sqlx does) leaves its answer behind,
    // and the next span is taken to be filtered out. A second start, as in tests, is no fault.
    if registry().with(exported).with(lines).with(filter).try_init().is_ok()
        && let Some(spans) = spans
    {
        SPANS.get_or_init(|| spans);
    }
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
    gauge!("xuezhu_open_flags", "flags that are not closed, by rule: those that wait, stand confirmed or were cleared");
    gauge!("xuezhu_waiting_flags", "flags that wait for somebody or stand confirmed, by rule");
    counter!("xuezhu_feed_records_total", "records that the follower applied, by kind");
    counter!("xuezhu_judged_persons_total", "persons judged, by driver");
}
