//! How a port fails.

use std::error::Error;
use std::fmt;

/// A port could not do what it was asked. Says what was being done; the cause is
/// its source.
#[derive(Debug)]
pub struct PortError {
    /// What kind of failure.
    pub kind: PortErrorKind,
    /// What was being done, such as `reading main of https://git.example/fleet`.
    pub doing: String,
    /// What a person can do about it.
    pub hint: Option<String>,
    stated: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure, as far as the caller acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// It cannot be reached, or did not answer in time. Try again later.
    Unreachable,
    /// It refuses the credentials.
    Denied,
    /// It is not there.
    Missing,
    /// It is there and cannot be used as it is.
    Unusable,
    /// Whether a write happened is not known. Look, then decide.
    OutcomeUnknown,
    /// The other side broke its protocol or a bound.
    Broken,
    /// This side failed: disk, memory, a bug.
    Local,
}

impl PortErrorKind {
    /// The failure in two or three words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "cannot be reached",
            Self::Denied => "access denied",
            Self::Missing => "not found",
            Self::Unusable => "cannot be used",
            Self::OutcomeUnknown => "outcome unknown",
            Self::Broken => "broken answer",
            Self::Local => "failed here",
        }
    }
}

impl PortError {
    /// A failure without a deeper cause.
    pub fn new(kind: PortErrorKind, doing: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), hint: None, stated: false, source: None }
    }

    /// A failure with its cause.
    pub fn because(
        kind: PortErrorKind,
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, doing: doing.into(), hint: None, stated: true, source: Some(source.into()) }
    }

    /// A failure whose text says already what kind it is.
    pub fn stated(
        kind: PortErrorKind,
        text: impl Into<String>,
        source: Option<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, doing: text.into(), hint: None, stated: true, source }
    }

    /// The same, with what a person can do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The whole chain in one line, for where it becomes the reason of an unknown fact.
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stated {
            f.write_str(&self.doing)
        } else {
            write!(f, "{} ({})", self.doing, self.kind.words())
        }
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
