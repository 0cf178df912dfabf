//! What was wrong with a manifest, and where.

use std::fmt;
use std::sync::Arc;

/// A place in a file, as an editor shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it is shown to people.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 in what has no lines, such as an object in a cluster.
    pub line: usize,
    /// The column in characters, counted from 1; 0 where there are no lines.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { f.write_str(&self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

/// A mistake in a manifest: where it is, what is wrong and what to do.
///
/// `Display` gives the place and the message; the help is shown apart from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// Where it is.
    pub place: Place,
    /// The field at fault, such as `spec.environments[1].after`; empty for the whole document.
    pub field: String,
    /// What sort of mistake it is.
    pub kind: ManifestErrorKind,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The sorts of mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ManifestErrorKind {
    /// The file or something in it is larger or deeper than what is read.
    TooLarge,
    /// The file is there and cannot be read.
    Unreadable,
    /// The file is not UTF-8.
    NotUtf8,
    /// The text is not YAML.
    Syntax,
    /// The same key is there twice.
    DuplicateKey,
    /// The kind or its version is not one that is read.
    UnknownKind,
    /// There is no such field.
    UnknownField,
    /// A field that must be there is not.
    MissingField,
    /// The value has the wrong type.
    WrongType,
    /// The value has the right type and cannot be right all the same.
    Value,
    /// It has a meaning, and gradus cannot do it yet.
    NotYet,
    /// The parts do not make a pipeline.
    Pipeline,
    /// It names something that is not there.
    Reference,
    /// Two manifests say what only one can.
    Conflict,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for ManifestError {}

impl ManifestError {
    /// The mistake in one line where there are no lines to point at: the field,
    /// what is wrong with it and what to do.
    pub fn in_object(&self) -> String {
        let mut told = String::new();
        if !self.field.is_empty() {
            told.push_str(&format!("{}: ", self.field));
        }
        told.push_str(&self.message);
        if let Some(help) = &self.help {
            told.push_str(&format!("; {help}"));
        }
        told
    }
}

/// Something to know about a manifest that is no mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it is.
    pub place: Place,
    /// What there is to know.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What is wrong with a value, before it is known where the value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) kind: ManifestErrorKind,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Trouble {
    pub(crate) fn new(kind: ManifestErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None }
    }

    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::new(ManifestErrorKind::Value, message)
    }

    pub(crate) fn not_yet(message: impl Into<String>) -> Self {
        Self::new(ManifestErrorKind::NotYet, message)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    pub(crate) fn at(self, place: Place, field: String) -> ManifestError {
        ManifestError { place, field, kind: self.kind, message: self.message, help: self.help }
    }
}
