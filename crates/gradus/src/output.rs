//! The only way out to the terminal.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use crate::cli::{ColorWhen, GlobalArgs};
use crate::error::CliError;
use crate::log::{self, Form};
use crate::traces::TraceLayer;

/// After this long a person wants to know what is going on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Prints, with colour where it helps.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    color: bool,
    color_errors: bool,
    quiet: bool,
    verbose: bool,
    /// How wide the terminal is, where one reads what was asked for.
    width: Option<usize>,
}

/// What a text says beyond its words. Everything is readable without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It works.
    Good,
    /// It waits.
    Waiting,
    /// It failed.
    Bad,
    /// It is past, or beside the point.
    Dim,
    /// It names what the rest is about.
    Strong,
}

impl Printer {
    /// A printer for these arguments.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let wanted = |terminal: bool| match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => terminal && !plain,
        };
        Self {
            color: wanted(std::io::stdout().is_terminal()),
            color_errors: wanted(std::io::stderr().is_terminal()),
            quiet: global.quiet,
            verbose: global.verbose > 0,
            width: terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0)),
        }
    }

    /// A printer for a terminal of this width, without colours.
    #[cfg(test)]
    pub(crate) fn plain(width: Option<usize>) -> Self {
        Self { color: false, color_errors: false, quiet: false, verbose: false, width }
    }

    /// How wide the terminal is. What does not go to one is as wide as it is.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// A line of what was asked for.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{}", text.as_ref()).is_err() {
            // Whoever read this has gone away; there is nobody left to tell.
            std::process::exit(0);
        }
    }

    /// A text of what was asked for, as it is.
    pub(crate) fn text(&self, text: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        if write!(out, "{}", text.as_ref()).and_then(|()| out.flush()).is_err() {
            std::process::exit(0);
        }
    }

    /// A text in the place of what was shown before.
    pub(crate) fn redraw(&self, text: &str) {
        if self.width.is_some() {
            self.text(format!("\x1b[H\x1b[2J{text}"));
        } else {
            self.text(text);
        }
    }

    /// A line beside what was asked for, on standard error; not when asked to be quiet.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            let _nobody_listens = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// Waits for work. A person at a terminal is told what it is if it takes longer than a second.
    pub(crate) async fn patiently<T>(&self, doing: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        if self.quiet || !std::io::stderr().is_terminal() {
            return work.await;
        }
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
            return done;
        }
        let _nobody_listens = write!(std::io::stderr(), "{doing}");
        let done = work.await;
        // What is said next takes the place of the note.
        let _nobody_listens = write!(std::io::stderr(), "\r\x1b[K");
        done
    }

    /// What failed, and what to do.
    pub(crate) fn error(&self, error: &CliError) {
        let mut text = format!("{} {error}", self.on_stderr(Tone::Bad, "error:"));
        let mut cause = error.source();
        if self.verbose {
            while let Some(inner) = cause {
                text.push_str(&format!("\n  because: {inner}"));
                cause = inner.source();
            }
        } else if let Some(inner) = cause {
            text.push_str(&format!(": {inner}"));
        }
        for help in error.helps() {
            text.push_str(&format!("\n  {} {help}", self.on_stderr(Tone::Strong, "help:")));
        }
        let _nobody_listens = writeln!(std::io::stderr(), "{text}");
    }

    /// The text in its tone, where colours are wanted.
    pub(crate) fn toned(&self, tone: Tone, text: &str) -> String {
        if self.color { paint(tone, text) } else { text.to_owned() }
    }

    fn on_stderr(&self, tone: Tone, text: &str) -> String {
        if self.color_errors { paint(tone, text) } else { text.to_owned() }
    }
}

fn paint(tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Good => "32",
        Tone::Waiting => "33",
        Tone::Bad => "31",
        Tone::Dim => "2",
        Tone::Strong => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Sends the log to standard error, as much of it as was asked for, and traces to where they go.
pub(crate) fn log_to_stderr(global: &GlobalArgs, traces: Option<TraceLayer>) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let colors = match global.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    log::begin(level, Form::Console { colors }, traces);
}
