//! What is wrong with a template.

use std::fmt;

use minijinja::ErrorKind;

use crate::part::Part;

/// What is wrong with a template, in which of its lines, and what may be written instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// What sort of mistake it is.
    pub kind: TemplateErrorKind,
    /// The line of the template, counted from 1, where it has several.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What may be written.
    pub hint: Option<String>,
}

/// The sorts of mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateErrorKind {
    /// It is not in the language.
    Syntax,
    /// It is in the language, and none of what may be done here.
    NotAllowed,
    /// It names something that does not exist.
    Undefined,
    /// It does something with a value that cannot be done.
    Value,
    /// It asks for too much work.
    TooMuch,
    /// It, or what comes out, is too long.
    TooLong,
    /// What comes out is not what it is for.
    Outcome,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line} of the template: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for TemplateError {}

impl TemplateError {
    pub(crate) fn new(kind: TemplateErrorKind, message: impl Into<String>) -> Self {
        Self { kind, line: None, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The language's own words are made ours; a line is told where there are several.
    pub(crate) fn from_engine(part: Part, template: &str, error: &minijinja::Error) -> Self {
        let (kind, message) = words(error);
        let line = error.line().filter(|_| template.trim_end().contains('\n'));
        let hint = (error.kind() == ErrorKind::UndefinedError).then(|| may_be_used(part));
        Self { kind, line, message, hint }
    }
}

fn words(error: &minijinja::Error) -> (TemplateErrorKind, String) {
    let detail = error.detail().unwrap_or_default();
    let detail_or = |words: &str| if detail.is_empty() { words.to_owned() } else { detail.to_owned() };
    // The kinds are not all there may ever be; those that are not named here speak of values.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the language may get new kinds of errors")]
    match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::BadEscape => {
            (TemplateErrorKind::Syntax, format!("the template cannot be read: {}", detail_or("syntax error")))
        }
        ErrorKind::UndefinedError => {
            (TemplateErrorKind::Undefined, "the template uses a value that does not exist".to_owned())
        }
        ErrorKind::UnknownFilter => (
            TemplateErrorKind::Undefined,
            format!(
                "{}; there are {}",
                detail_or("there is no such filter"),
                crate::filters::NAMES.join(", ")
            ),
        ),
        ErrorKind::UnknownTest | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
            (TemplateErrorKind::NotAllowed, detail_or("there are no tests, functions and methods"))
        }
        ErrorKind::OutOfFuel => {
            (TemplateErrorKind::TooMuch, "the template asks for too much work".to_owned())
        }
        ErrorKind::WriteFailure => (TemplateErrorKind::TooLong, "what comes out is too long".to_owned()),
        other => (TemplateErrorKind::Value, detail_or(&other.to_string())),
    }
}

/// What may be used in a part, for people.
pub(crate) fn may_be_used(part: Part) -> String {
    let names: Vec<&str> = part.variables().collect();
    format!("in a {} there are {}", part.word(), names.join(", "))
}
