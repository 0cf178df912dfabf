//! What is only asked to find out whether a forge can be used. None of it changes anything.

use async_trait::async_trait;
use gradus_core::names::BranchName;
use jiff::Timestamp;

use super::error::{ForgeError, ForgeErrorKind};
use super::model::Identity;

/// What one forge tells of itself and of one repository. What it does not tell is
/// [`ForgeErrorKind::Unsupported`], never a guess.
#[async_trait]
pub trait ForgeSurvey: Send + Sync {
    /// What runs there, in its own words. An answer, also one without words, says that it is a forge of this kind.
    async fn software(&self) -> Result<Option<String>, ForgeError> {
        Ok(None)
    }

    /// The rules of a branch, as far as these credentials are told.
    async fn protection(&self, _branch: &BranchName) -> Result<Protection, ForgeError> {
        Err(untold("the rules of a branch"))
    }

    /// Where the repository sends its events.
    async fn hooks(&self) -> Result<Vec<Hook>, ForgeError> {
        Err(untold("the webhooks of a repository"))
    }

    /// Repositories that these credentials see and that may be meant instead, with all that they are below.
    async fn others(&self) -> Result<Vec<String>, ForgeError> {
        Err(untold("other repositories"))
    }

    /// Whether the credentials allow something, asked with an order that is empty: who may give it is told that it
    /// is empty, and who may not is told that. Nothing comes of it either way.
    async fn may(&self, _deed: Deed) -> Result<(), ForgeError> {
        Err(untold("what credentials allow"))
    }

    /// What the credentials should allow and do not, where [`Identity::scopes`] tells what they allow.
    fn lacking(&self, _identity: &Identity) -> Vec<Lack> {
        Vec::new()
    }

    /// How much may still be asked in this hour, as the last answer said.
    fn left(&self) -> Option<Left> {
        None
    }

    /// What this forge does not have, of what gradus can do elsewhere.
    fn absent(&self) -> &'static [&'static str];
}

/// Something that needs a right of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// To open a proposal.
    Propose,
    /// To put labels on one and to comment on it.
    Discuss,
}

/// A scope or a permission that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// In the forge's word.
    pub what: &'static str,
    /// What cannot be done without it.
    pub without: &'static str,
    /// Whether no proposal can be opened without it.
    pub must: bool,
}

/// The rules of a branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    /// Whether there are any.
    pub is_protected: bool,
    /// Whether these credentials may push to it, where the forge tells.
    pub may_push: Option<bool>,
    /// Whether these credentials may merge into it, where the forge tells.
    pub may_merge: Option<bool>,
    /// How many people have to approve.
    pub approvals: u32,
    /// The checks that have to pass.
    pub checks: Vec<String>,
    /// All other rules, in words.
    pub rules: Vec<String>,
    /// What of it is told to others only, and to whom.
    pub untold: Option<&'static str>,
}

impl Protection {
    /// A check has to pass.
    pub(super) fn need(&mut self, check: String) {
        if !self.checks.contains(&check) {
            self.checks.push(check);
        }
    }

    /// There is this rule, too.
    pub(super) fn rule(&mut self, words: &str) {
        if !self.rules.iter().any(|known| known == words) {
            self.rules.push(words.to_owned());
        }
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Where it leads.
    pub url: String,
    /// Whether it is in use.
    pub active: bool,
    /// The events that it is for, in the forge's words.
    pub events: Vec<String>,
}

/// What is left of what a forge takes in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// How many requests it takes in all.
    pub limit: i64,
    /// How many are left.
    pub remaining: i64,
    /// When it begins anew.
    pub reset: Timestamp,
}

/// The answer to an empty order: one that is refused for being empty could have been given.
pub(super) fn empty_order<T>(answer: Result<T, ForgeError>) -> Result<(), ForgeError> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            ForgeErrorKind::Refused(_) | ForgeErrorKind::Conflict(_) | ForgeErrorKind::AlreadyExists => {
                Ok(())
            }
            ForgeErrorKind::Unauthorized
            | ForgeErrorKind::Forbidden { .. }
            | ForgeErrorKind::NotFound
            | ForgeErrorKind::HeadMoved
            | ForgeErrorKind::NotReady(_)
            | ForgeErrorKind::RateLimited { .. }
            | ForgeErrorKind::Unreachable
            | ForgeErrorKind::Failed(_)
            | ForgeErrorKind::OutcomeUnknown
            | ForgeErrorKind::Unsupported(_)
            | ForgeErrorKind::Broken(_)
            | ForgeErrorKind::Input(_) => Err(error),
        },
    }
}

/// What these credentials are not told is as if it were not there.
pub(super) fn if_told<T>(answer: Result<T, ForgeError>) -> Result<Option<T>, ForgeError> {
    match answer {
        Ok(told) => Ok(Some(told)),
        Err(error) if matches!(error.status(), Some(401 | 403 | 404)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn untold(what: &'static str) -> ForgeError {
    ForgeError::new(format!("ask for {what}"), ForgeErrorKind::Unsupported("way to ask for it"))
}
