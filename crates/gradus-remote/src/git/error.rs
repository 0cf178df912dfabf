use std::{error::Error, fmt, sync::Arc};

use super::{BranchName, ObjectId, RepoPath, SshFault};

/// Why something with a repository did not work: what was being done, what went wrong, and the cause.
#[derive(Debug)]
pub struct GitError {
    doing: String,
    fault: Fault,
}

impl GitError {
    /// What went wrong, for deciding what to do next.
    pub fn kind(&self) -> &GitErrorKind {
        &self.fault.kind
    }

    /// The same, when it is not known whether the host acted; what was seen becomes the cause.
    pub(super) fn outcome_unknown(self) -> Self {
        Self { doing: self.doing, fault: Fault::caused(GitErrorKind::OutcomeUnknown, self.fault) }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        self.fault.kind.hint()
    }
}

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.doing, self.fault.kind)
    }
}

impl Error for GitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.fault.source.as_deref().map(|source| source as _)
    }
}

/// What can go wrong with a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitErrorKind {
    /// The caller gave something that cannot be: a name, an address, a set of changes.
    Input(String),
    /// No connection to the host; nothing was sent.
    Unreachable,
    /// The connection broke.
    Interrupted,
    /// The host, or the whole operation, took longer than allowed.
    Timeout(&'static str),
    /// The host wants other credentials.
    Unauthorized,
    /// The host knows who asks and says no.
    Forbidden(String),
    /// There is no such repository, or it is not shown to these credentials.
    RepositoryMissing,
    /// There is no such branch.
    BranchMissing(BranchName),
    /// There is no such object in the repository.
    ObjectMissing(ObjectId),
    /// The path is not a plain file of the repository.
    PathRefused {
        /// The path as it was asked for.
        path: RepoPath,
        /// What is in the way.
        why: String,
    },
    /// A limit was met.
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit it met.
        limit: u64,
    },
    /// The answer is not what the protocol allows.
    Protocol(String),
    /// The host understood and said no.
    Refused(String),
    /// The host failed at its own work.
    HostFailed(String),
    /// The host sent us elsewhere, and we do not go there.
    Redirected(String),
    /// The host, or the repository, lacks or needs something this client does not speak.
    Unsupported(String),
    /// The change was sent and the answer did not arrive: it may or may not have been made.
    OutcomeUnknown,
    /// It did not come to a conversation over `ssh`.
    Ssh(SshFault),
    /// Something on this machine failed.
    Local(String),
}

impl GitErrorKind {
    fn hint(&self) -> &'static str {
        match self {
            Self::Input(_) => "correct the value",
            Self::Unreachable => "check the address, the network and the proxy settings",
            Self::Interrupted | Self::HostFailed(_) => "try again later",
            Self::Timeout(_) => "try again later, or allow more time",
            Self::Unauthorized => "check the user name and token, and that the token has not expired",
            Self::Forbidden(_) => {
                "give these credentials the right to read, and for a change to write, the repository"
            }
            Self::RepositoryMissing => {
                "check the address; a private repository is also reported as missing when the credentials may not see it"
            }
            Self::BranchMissing(_) => "create the branch, or correct its name",
            Self::ObjectMissing(_) => "look at the branch again: its history may have been rewritten",
            Self::PathRefused { .. } => "point to a regular file of this repository",
            Self::TooLarge { .. } => "narrow what is read, or raise the limit",
            Self::Protocol(_) => {
                "check that the address is a Git repository and that no proxy changes the answers"
            }
            Self::Refused(_) => "read what the host says",
            Self::Redirected(_) => "use the address the host redirects to",
            Self::Unsupported(_) => "use another host or repository format",
            Self::OutcomeUnknown => "look at the branch before trying again",
            Self::Ssh(fault) => fault.hint(),
            Self::Local(_) => "check this machine",
        }
    }
}

impl fmt::Display for GitErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(why) | Self::Unsupported(why) | Self::Local(why) => f.write_str(why),
            Self::Unreachable => f.write_str("the host cannot be reached"),
            Self::Interrupted => f.write_str("the connection broke"),
            Self::Timeout(what) => write!(f, "{what} took too long"),
            Self::Unauthorized => f.write_str("the host did not accept the credentials"),
            Self::Forbidden(text) if text.is_empty() => f.write_str("the host forbids it"),
            Self::Forbidden(text) => write!(f, "the host forbids it: {text}"),
            Self::RepositoryMissing => f.write_str("there is no such repository"),
            Self::BranchMissing(branch) => write!(f, "there is no branch {branch}"),
            Self::ObjectMissing(id) => write!(f, "the repository has no object {id}"),
            Self::PathRefused { path, why } => write!(f, "{path} {why}"),
            Self::TooLarge { what, limit } => write!(f, "{what} exceeds the limit of {limit}"),
            Self::Protocol(why) => write!(f, "the host gave an answer that cannot be: {why}"),
            Self::Refused(text) => write!(f, "the host says: {text}"),
            Self::HostFailed(text) => write!(f, "the host failed: {text}"),
            Self::Redirected(to) => write!(f, "the host redirects to {to}, which is not followed"),
            Self::Ssh(fault) => fault.fmt(f),
            Self::OutcomeUnknown => f.write_str("it was sent, but whether it was done is not known"),
        }
    }
}

/// What went wrong, before it is said what was being done. Those who asked together are told the same.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) kind: GitErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

pub(super) type Outcome<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn caused(kind: GitErrorKind, source: impl Error + Send + Sync + 'static) -> Self {
        Self { kind, source: Some(Arc::new(source)) }
    }

    pub(super) fn protocol(why: impl Into<String>) -> Self {
        GitErrorKind::Protocol(why.into()).into()
    }

    pub(super) fn input(why: impl Into<String>) -> Self {
        GitErrorKind::Input(why.into()).into()
    }

    /// A failure while `doing`, which reads well after "cannot".
    pub(super) fn doing(self, doing: impl Into<String>) -> GitError {
        GitError { doing: doing.into(), fault: self }
    }
}

impl From<GitErrorKind> for Fault {
    fn from(kind: GitErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
