//! How a forge fails.

use std::error::Error;
use std::fmt;

use gradus_engine::port::{PortError, PortErrorKind};
use jiff::Timestamp;

use crate::cause::causes;

/// A forge could not do what it was asked. Says what was being done; what broke is its source.
#[derive(Debug)]
pub struct ForgeError {
    doing: String,
    kind: ForgeErrorKind,
    status: Option<u16>,
    code: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kept a forge from doing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForgeErrorKind {
    /// It does not know the credentials.
    Unauthorized,
    /// The credentials do not allow it.
    Forbidden {
        /// The scope or permission that is missing, where the forge says so.
        missing: Option<String>,
        /// What it says.
        words: String,
    },
    /// It is not there, or may not be seen.
    NotFound,
    /// An open proposal of the same branches is there.
    AlreadyExists,
    /// The branch is not at the commit that was expected.
    HeadMoved,
    /// Git cannot merge the two branches.
    Conflict(String),
    /// It is not ready to answer; try again in a moment.
    NotReady(String),
    /// A rule does not allow it, in the forge's words.
    Refused(String),
    /// Too much was asked. Nothing is taken before this time.
    RateLimited {
        /// Until when.
        until: Timestamp,
    },
    /// No answer.
    Unreachable,
    /// It failed by itself, with this status.
    Failed(u16),
    /// It was sent, and whether it was done is not known.
    OutcomeUnknown,
    /// This forge has no such thing.
    Unsupported(&'static str),
    /// The answer is not what the forge's description says.
    Broken(String),
    /// What was given cannot be used.
    Input(String),
}

impl ForgeError {
    /// A failure without a deeper cause.
    pub fn new(doing: impl Into<String>, kind: ForgeErrorKind) -> Self {
        Self { doing: doing.into(), kind, status: None, code: None, source: None }
    }

    /// A failure with its cause.
    pub fn because(
        doing: impl Into<String>,
        kind: ForgeErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { doing: doing.into(), kind, status: None, code: None, source: Some(source.into()) }
    }

    /// The same, with the status that the forge answered with.
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The same, with the word that the forge has for it.
    pub(super) fn with_code(mut self, code: Option<String>) -> Self {
        self.code = code;
        self
    }

    /// The forge's own word for what went wrong, the same in every language: the name of an exception.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// The status that the forge answered with, if it answered.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What the forge said, as far as the kind holds it.
    pub fn words(&self) -> &str {
        match &self.kind {
            ForgeErrorKind::Forbidden { words, .. }
            | ForgeErrorKind::Conflict(words)
            | ForgeErrorKind::NotReady(words)
            | ForgeErrorKind::Refused(words) => words,
            ForgeErrorKind::Unauthorized
            | ForgeErrorKind::NotFound
            | ForgeErrorKind::AlreadyExists
            | ForgeErrorKind::HeadMoved
            | ForgeErrorKind::RateLimited { .. }
            | ForgeErrorKind::Unreachable
            | ForgeErrorKind::Failed(_)
            | ForgeErrorKind::OutcomeUnknown
            | ForgeErrorKind::Unsupported(_)
            | ForgeErrorKind::Broken(_)
            | ForgeErrorKind::Input(_) => "",
        }
    }

    /// What kept it from being done.
    pub fn kind(&self) -> &ForgeErrorKind {
        &self.kind
    }

    /// The same failure, understood better.
    pub fn turned(mut self, kind: ForgeErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match &self.kind {
            ForgeErrorKind::Unauthorized => {
                "put a token that is valid into the Secret that the repository names".to_owned()
            }
            ForgeErrorKind::Forbidden { missing: Some(missing), .. } if missing.contains("permission") => {
                format!("give the app or the token also {missing}, and accept it where the app is installed")
            }
            ForgeErrorKind::Forbidden { missing: Some(missing), .. } => {
                format!("make a token that also has {missing}")
            }
            ForgeErrorKind::Forbidden { missing: None, .. } => {
                "give the token's account the right to write in the repository, and the token the scopes for \
                 repositories and pull requests"
                    .to_owned()
            }
            ForgeErrorKind::NotFound => {
                "check the address; forges also say so where the token may not see the repository".to_owned()
            }
            ForgeErrorKind::RateLimited { .. } => "wait, or give gradus an account of its own".to_owned(),
            ForgeErrorKind::Unreachable => "check the address, the network and the certificate".to_owned(),
            ForgeErrorKind::Refused(_) => "look at the rules of the repository and the branch".to_owned(),
            ForgeErrorKind::Unsupported(_) => "do it by hand, or leave it out".to_owned(),
            ForgeErrorKind::Broken(_) => {
                "check that the address is a forge of the kind that `forge` names".to_owned()
            }
            ForgeErrorKind::Input(_) => "correct what is written".to_owned(),
            ForgeErrorKind::AlreadyExists
            | ForgeErrorKind::HeadMoved
            | ForgeErrorKind::Conflict(_)
            | ForgeErrorKind::NotReady(_)
            | ForgeErrorKind::Failed(_)
            | ForgeErrorKind::OutcomeUnknown => "it is looked at again by itself".to_owned(),
        }
    }
}

impl fmt::Display for ForgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: ", self.doing)?;
        match &self.kind {
            ForgeErrorKind::Unauthorized => f.write_str("the forge does not know the credentials"),
            ForgeErrorKind::Forbidden { missing: Some(missing), .. } => {
                write!(f, "the credentials lack {missing}")
            }
            ForgeErrorKind::Forbidden { missing: None, words } if words.is_empty() => {
                f.write_str("the credentials do not allow it")
            }
            ForgeErrorKind::Forbidden { missing: None, words } => {
                write!(f, "the credentials do not allow it: {words}")
            }
            ForgeErrorKind::NotFound => f.write_str("it is not there, or the credentials may not see it"),
            ForgeErrorKind::AlreadyExists => f.write_str("one is open already"),
            ForgeErrorKind::HeadMoved => f.write_str("its branch has moved"),
            ForgeErrorKind::Conflict(words) => write!(f, "the branches conflict: {words}"),
            ForgeErrorKind::NotReady(words) => write!(f, "the forge is not ready: {words}"),
            ForgeErrorKind::Refused(words) => write!(f, "the forge does not allow it: {words}"),
            ForgeErrorKind::RateLimited { until } => {
                write!(f, "the forge takes no more requests before {}", until.strftime("%H:%M:%SZ"))
            }
            ForgeErrorKind::Unreachable => f.write_str("the forge cannot be reached"),
            ForgeErrorKind::Failed(status) => write!(f, "the forge failed with {status}"),
            ForgeErrorKind::OutcomeUnknown => {
                f.write_str("it was sent, but whether it was done is not known")
            }
            ForgeErrorKind::Unsupported(what) => write!(f, "this forge has no {what}"),
            ForgeErrorKind::Broken(why) => write!(f, "the answer cannot be read: {why}"),
            ForgeErrorKind::Input(why) => f.write_str(why),
        }
    }
}

impl Error for ForgeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A forge's failure as the engine's.
pub fn from_forge(error: ForgeError) -> PortError {
    let kind = match error.kind() {
        ForgeErrorKind::Unauthorized | ForgeErrorKind::Forbidden { .. } => PortErrorKind::Denied,
        ForgeErrorKind::NotFound => PortErrorKind::Missing,
        ForgeErrorKind::RateLimited { .. }
        | ForgeErrorKind::Unreachable
        | ForgeErrorKind::Failed(_)
        | ForgeErrorKind::NotReady(_) => PortErrorKind::Unreachable,
        ForgeErrorKind::OutcomeUnknown => PortErrorKind::OutcomeUnknown,
        ForgeErrorKind::Broken(_) => PortErrorKind::Broken,
        ForgeErrorKind::AlreadyExists
        | ForgeErrorKind::HeadMoved
        | ForgeErrorKind::Conflict(_)
        | ForgeErrorKind::Refused(_)
        | ForgeErrorKind::Unsupported(_)
        | ForgeErrorKind::Input(_) => PortErrorKind::Unusable,
    };
    let hint = error.hint();
    PortError::stated(kind, error.to_string(), causes(&error)).with_hint(hint)
}
