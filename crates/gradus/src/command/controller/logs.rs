//! How the controller logs.

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

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

/// Begins to log, to standard error.
pub(crate) fn log(arguments: &LogArgs) {
    let level = match arguments.log_level {
        Level::Trace => LevelFilter::TRACE,
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Error => LevelFilter::ERROR,
    };
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level).with_ansi(false);
    // A second call, as in tests, finds a log that is set up already.
    let _already = match arguments.log_encoding {
        Encoding::Json => log.json().flatten_event(true).try_init(),
        Encoding::Console => log.with_target(false).try_init(),
    };
}
