//! Whether an event tells of a success: only that promotes.
//!
//! What an event does not say is not held against it: a plain sender may leave
//! out everything but the object and the revision.

use crate::event::Event;
use crate::kind::Pipeline;

/// Why an event promotes nothing, though everything in it is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nothing {
    /// It tells of an error.
    Error,
    /// It tells that what failed was taken back: the revision is the one before.
    RolledBack,
    /// It tells that something began, or waits.
    UnderWay,
    /// It says that it is about another environment of the pipeline.
    Elsewhere,
    /// The pipeline is being deleted.
    Deleted,
}

impl Nothing {
    /// Why, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Error => "the event tells of an error",
            Self::RolledBack => "the event tells that a release was taken back",
            Self::UnderWay => "the event tells of something that is not done yet",
            Self::Elsewhere => "the event says that it is about another environment",
            Self::Deleted => "the pipeline is being deleted",
        }
    }
}

/// Why an event from this environment promotes nothing; `None` where it does.
///
/// Alerts are told to leave out what began and what is not ready. Where one does
/// not, its events are left out here.
pub(crate) fn nothing(pipeline: &Pipeline, source: &str, event: &Event) -> Option<Nothing> {
    if pipeline.metadata.deletion_timestamp.is_some() {
        return Some(Nothing::Deleted);
    }
    let reason = event.reason.as_str();
    if matches!(reason, "RollbackSucceeded" | "UninstallSucceeded") {
        return Some(Nothing::RolledBack);
    }
    if event.severity.eq_ignore_ascii_case("error") || reason.ends_with("Failed") {
        return Some(Nothing::Error);
    }
    if matches!(reason, "Progressing" | "ProgressingWithRetry" | "DependencyNotReady") {
        return Some(Nothing::UnderWay);
    }
    // Older controllers have no better reason than `info`; the words are all there is.
    if !reason.ends_with("Succeeded") && event.message.lines().any(tells_of_a_beginning) {
        return Some(Nothing::UnderWay);
    }
    let elsewhere = |name: &str| name != source && pipeline.environment(name).is_some();
    let summary = event.metadata.get("summary").and_then(|summary| summary.trim().strip_prefix("env="));
    let named = [summary, event.metadata.get("env").map(String::as_str)];
    named.into_iter().flatten().any(elsewhere).then_some(Nothing::Elsewhere)
}

fn tells_of_a_beginning(line: &str) -> bool {
    const BEGINNINGS: [&[&str]; 3] =
        [&["upgrade", "has", "started"], &["install", "has", "started"], &["is", "not", "ready"]];
    line.starts_with("Dependencies") || BEGINNINGS.iter().any(|words| in_order(line, words))
}

/// Whether the words are in the line one after the other, with anything between.
fn in_order(line: &str, words: &[&str]) -> bool {
    let mut rest = line;
    words.iter().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
