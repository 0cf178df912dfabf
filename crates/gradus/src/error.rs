//! How a command fails: what failed, then what to do; the kind decides the exit code.

use std::error::Error;
use std::fmt;

/// A command failed.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: CliErrorKind,
    message: String,
    help: Vec<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CliErrorKind {
    /// The command line is wrong.
    Usage,
    /// Something could not be done.
    Failed,
}

impl CliError {
    /// Something could not be done.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { kind: CliErrorKind::Failed, message: message.into(), help: Vec::new(), source: None }
    }

    /// The command line is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: CliErrorKind::Usage, message: message.into(), help: Vec::new(), source: None }
    }

    /// Something could not be done, and why.
    pub(crate) fn because(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: CliErrorKind::Failed,
            message: doing.into(),
            help: Vec::new(),
            source: Some(source.into()),
        }
    }

    /// The same, with what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// What to do about it.
    pub(crate) fn helps(&self) -> &[String] {
        &self.help
    }

    /// The exit code that it ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            CliErrorKind::Usage => 64,
            CliErrorKind::Failed => 1,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CliError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<gradus_engine::port::PortError> for CliError {
    fn from(error: gradus_engine::port::PortError) -> Self {
        let help = error.hint.clone();
        let message = error.to_string();
        let source = Error::source(&error).map(|source| source.to_string().into());
        Self { kind: CliErrorKind::Failed, message, help: help.into_iter().collect(), source }
    }
}

impl From<gradus_engine::SayError> for CliError {
    fn from(error: gradus_engine::SayError) -> Self {
        let source = Error::source(&error).map(|source| source.to_string().into());
        Self { kind: CliErrorKind::Failed, message: error.to_string(), help: Vec::new(), source }
    }
}
