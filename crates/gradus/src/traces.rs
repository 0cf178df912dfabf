//! Traces: the spans of what gradus does, sent by OTLP over HTTP to where the environment says. Off if it says nothing.

mod queue;
mod sender;

use std::time::Duration;

use gradus_remote::http::Tls;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector as _, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::{Layer, Registry};

use queue::bounded;
use sender::Sender;

/// So long the last spans may take to arrive when gradus ends.
const LAST: Duration = Duration::from_secs(3);
/// So long a batch may take to arrive, unless the environment says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
/// The variables that turn traces on, the one that matters more first.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Traces that are sent as long as this lives.
pub(crate) struct Traces(Option<SdkTracerProvider>);

/// What makes spans of the program's into those that are sent.
pub(crate) type TraceLayer = Box<dyn Layer<Registry> + Send + Sync>;

impl Traces {
    /// No traces.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// What the environment asks for, and why it cannot be had: gradus goes on without.
    pub(crate) fn begin(runtime: &Handle) -> (Self, Option<TraceLayer>, Option<String>) {
        if !is_wanted() {
            return (Self::off(), None, None);
        }
        match provider(runtime) {
            Ok(provider) => {
                let layer = tracing_opentelemetry::layer()
                    .with_tracer(provider.tracer("gradus"))
                    .with_location(false)
                    .with_threads(false)
                    .with_target(false)
                    .with_level(false)
                    .with_tracked_inactivity(false)
                    .with_context_activation(false);
                // Spans of libraries are none of ours, and what is logged is in the log.
                let ours =
                    filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("gradus"))
                        .with_max_level_hint(LevelFilter::INFO);
                (Self(Some(provider)), Some(layer.with_filter(ours).boxed()), None)
            }
            Err(why) => (Self::off(), None, Some(why)),
        }
    }

    /// Sends what is left, if that is soon done.
    pub(crate) fn end(self) {
        if let Some(provider) = self.0 {
            // A collector that does not answer was told of already.
            let _told = provider.shutdown_with_timeout(LAST);
        }
    }
}

/// How many spans did not arrive since the process began.
pub(crate) fn lost() -> u64 {
    queue::lost()
}

/// Makes a span part of the trace that a `traceparent` names.
pub(crate) fn join(span: &Span, traceparent: &str) {
    let carrier = std::collections::HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&carrier);
    // Without traces there is nothing to join.
    let _without_traces = span.set_parent(context);
}

/// A variable that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn is_wanted() -> bool {
    let is = |name: &str, value: &str| variable(name).is_some_and(|is| is.eq_ignore_ascii_case(value));
    let has_address = ENDPOINTS.into_iter().any(|name| variable(name).is_some());
    has_address && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

fn provider(runtime: &Handle) -> Result<SdkTracerProvider, String> {
    for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        if let Some(protocol) = variable(name).filter(|protocol| protocol != "http/protobuf") {
            return Err(format!("{name} is {protocol}, and only http/protobuf is spoken"));
        }
    }
    let address = ENDPOINTS.into_iter().find_map(|name| Some((name, variable(name)?)));
    if let Some((name, address)) = address
        && !(address.starts_with("http://") || address.starts_with("https://"))
    {
        return Err(format!("{name} has to begin with http:// or https://"));
    }
    let patience = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let patience = patience.into_iter().find_map(|name| variable(name)?.parse().ok());
    let patience = patience.map_or(PATIENCE, Duration::from_millis);
    let authorities = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
    let ca_pem = match authorities.into_iter().find_map(variable) {
        Some(file) => Some(std::fs::read(&file).map_err(|error| format!("cannot read {file}: {error}"))?),
        None => None,
    };
    let sender =
        Sender::new(runtime.clone(), &Tls { ca_pem }, patience).map_err(|error| error.to_string())?;
    let exporter = SpanExporter::builder().with_http().with_http_client(sender).build();
    let exporter = exporter.map_err(|error| error.to_string())?;
    let provider = SdkTracerProvider::builder().with_span_processor(bounded(exporter));
    Ok(provider.with_resource(resource()).build())
}

/// Who sends the spans: what the environment says, and gradus and its version where it does not.
fn resource() -> Resource {
    let usual = [
        KeyValue::new("service.name", "gradus"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    let told = EnvResourceDetector::new().detect();
    let name = variable("OTEL_SERVICE_NAME").map(Value::from).or_else(|| told.get(&Key::new("service.name")));
    let resource = Resource::builder_empty()
        .with_attributes(usual)
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match name {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}
