//! Where what is logged goes, and the spans of traces beside it.

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::traces::TraceLayer;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// An object a line.
    Json,
    /// For people, in colours or not.
    Console {
        /// Whether in colours.
        colors: bool,
    },
}

/// Begins to log, to standard error; and to trace, where there is a layer for it.
pub(crate) fn begin(level: LevelFilter, form: Form, traces: Option<TraceLayer>) {
    // A second call, as in tests, finds a log that is set up already. Without
    // traces nobody wants spans, and none are made.
    let _already = match traces {
        Some(traces) => tracing_subscriber::registry().with(traces).with(lines(level, form)).try_init(),
        None => tracing_subscriber::registry().with(lines(level, form)).try_init(),
    };
}

fn lines<S>(level: LevelFilter, form: Form) -> impl Layer<S> + Send + Sync
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    // The log is the same with traces and without: lines, and no spans.
    let wanted = filter_fn(move |metadata| metadata.is_event() && *metadata.level() <= level);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer: Box<dyn Layer<S> + Send + Sync> = match form {
        Form::Json => layer.with_ansi(false).json().flatten_event(true).boxed(),
        Form::Console { colors } => layer.with_ansi(colors).with_target(false).boxed(),
    };
    layer.with_filter(wanted.with_max_level_hint(level))
}
