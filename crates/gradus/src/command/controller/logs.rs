//! How the controller logs.

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

use crate::log::{self, Form};
use crate::traces::TraceLayer;

/// How much is logged, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LogArgs {
    /// Form of the log.
    #[arg(long, value_name = "FORM", default_value = "json")]
    log_encoding: Encoding,
    /// Least level that is logged.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: Level,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Encoding {
    /// An object a line.
    Json,
    /// For people.
    Console,
}

/// Least level that is logged.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    /// Everything.
    Trace,
    /// What helps to find a mistake.
    Debug,
    /// What happens.
    Info,
    /// Only what went wrong.
    Error,
}

/// Begins to log, to standard error, and to trace.
pub(crate) fn log(arguments: &LogArgs, traces: Option<TraceLayer>) {
    let level = match arguments.log_level {
        Level::Trace => LevelFilter::TRACE,
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Error => LevelFilter::ERROR,
    };
    let form = match arguments.log_encoding {
        Encoding::Json => Form::Json,
        Encoding::Console => Form::Console { colors: false },
    };
    log::begin(level, form, traces);
}
