//! What one file holds.

use std::sync::Arc;

use gradus_core::names::RepoPath;

use crate::places::MARKER;

/// What a file holds that has something to do with markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// The markers in it.
    Markers(Box<[Arc<str>]>),
    /// Why they could not be read. Whatever it is, it must not be passed over.
    Problem {
        /// The line at which reading ended.
        line: Option<u32>,
        /// Why.
        why: Arc<str>,
        /// The markers that its text seems to have.
        seem: Box<[Arc<str>]>,
    },
}

impl Held {
    /// The problem, as it is told of a file.
    pub(super) fn told_of(&self, file: &RepoPath) -> Option<String> {
        match self {
            Self::Markers(_) => None,
            Self::Problem { line: Some(line), why, .. } => Some(format!("{file}:{line}: {why}")),
            Self::Problem { line: None, why, .. } => Some(format!("{file}: {why}")),
        }
    }
}

/// Looks into a file. Most hold nothing.
pub(super) fn look_into(bytes: &[u8]) -> Option<Held> {
    match gradus_edit::find_markers(bytes, MARKER) {
        Ok(markers) if markers.is_empty() => None,
        Ok(markers) => {
            Some(Held::Markers(markers.into_iter().map(|marker| Arc::from(marker.value)).collect()))
        }
        Err(refusal) => Some(Held::Problem {
            line: refusal.place.map(|place| u32::try_from(place.line).unwrap_or(u32::MAX)),
            why: Arc::from(refusal.kind.to_string()),
            seem: seems_to_have(bytes),
        }),
    }
}

/// The markers that a text seems to have which cannot be parsed.
fn seems_to_have(bytes: &[u8]) -> Box<[Arc<str>]> {
    let text = String::from_utf8_lossy(bytes);
    let key = format!("\"{MARKER}\"");
    let after_key = text.split(key.as_str()).skip(1);
    after_key
        .filter_map(|rest| rest.trim_start().strip_prefix(':')?.split('"').nth(1))
        .map(Arc::from)
        .collect()
}
