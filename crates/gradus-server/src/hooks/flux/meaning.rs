//! What an event of Flux means for a target that reports.

use std::sync::Arc;

use super::event::Event;
use crate::api::clean;

/// What an event means for a target that reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing, and why: it is only a wake.
    Wake(String),
    /// It works at this revision.
    Healthy { revision: Option<String>, words: String },
    /// A rollout of this revision is under way.
    Deploying { revision: Option<String>, words: String },
    /// This revision does not work.
    Failed { revision: Option<String>, why: Arc<str> },
    /// What failed was taken back, and this revision runs.
    RolledBack { revision: Option<String>, words: String },
}

/// So much of a message is kept, in bytes.
const LONGEST: usize = 600;
/// So many lines of it.
const LINES: usize = 3;

impl Meaning {
    /// What an event means. `only` is the HelmRelease, `namespace/name`, whose events count; with
    /// `tests` a release is healthy once its tests have passed.
    ///
    /// A rollback that succeeded is told as good news, with the revision that was
    /// rolled back to: whoever takes every good news for health promotes the old
    /// version, after a failure. It is a failure here.
    pub(super) fn of(event: &Event, only: Option<&str>, tests: bool) -> Self {
        let object = event.object();
        if !event.is_of_helm_release() {
            return Self::Wake(format!("{object} says what was applied, not what works"));
        }
        let own = format!("{}/{}", event.involved_object.namespace, event.involved_object.name);
        if only.is_some_and(|only| only != own) {
            return Self::Wake(format!("{object} is not the one that reports here"));
        }
        let words = format!("{object}: {}", first_lines(&event.message, &event.reason));
        let revision = event.revision().map(ToOwned::to_owned);
        let failed = |revision| Self::Failed { revision, why: Arc::from(words.as_str()) };
        match (event.reason.as_str(), event.severity.as_str()) {
            ("RollbackSucceeded", "info") => Self::RolledBack { revision, words },
            // The remedy for a failed installation: nothing runs any more. The revision is the one that failed.
            ("UninstallSucceeded", "info") => failed(revision),
            (reason, _) if reason.ends_with("Failed") => failed(revision),
            (_, "error") => failed(revision),
            ("InstallSucceeded" | "UpgradeSucceeded", "info") if tests => Self::Deploying { revision, words },
            ("InstallSucceeded" | "UpgradeSucceeded" | "TestSucceeded", "info") => {
                Self::Healthy { revision, words }
            }
            ("Progressing" | "ProgressingWithRetry", "info") => Self::Deploying { revision, words },
            (reason, _) => Self::Wake(format!("{object}: {reason:?} says nothing of its health")),
        }
    }
}

/// The beginning of a message, before the logs that Flux puts below it.
fn first_lines(message: &str, reason: &str) -> String {
    let lines: Vec<&str> =
        message.lines().map(str::trim).take_while(|line| !line.is_empty()).take(LINES).collect();
    clean(&lines.join("\n"), LONGEST).map_or_else(|| reason.to_owned(), |text| text.to_string())
}
