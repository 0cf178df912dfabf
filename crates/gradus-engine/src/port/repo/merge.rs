//! Merging one commit into another, as far as trees tell.

use std::collections::BTreeMap;

use gradus_core::names::{BlobId, RepoPath};

use super::{EntryMode, FileChange};

/// What merging a commit into another comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeMerge {
    /// It is in there already.
    Within,
    /// There is something to merge.
    Apart {
        /// What only the one that is merged has changed, as a change of the other.
        changes: BTreeMap<RepoPath, FileChange>,
        /// What both have changed, and not to the same.
        both: Vec<BothChanged>,
    },
    /// They cannot be merged, whatever is in them; why.
    Impossible(String),
}

/// A path that both sides have changed since they parted, and not to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BothChanged {
    /// Where.
    pub path: RepoPath,
    /// What was there when they parted.
    pub base: Option<Side>,
    /// What is there now, where it is merged into.
    pub ours: Option<Side>,
    /// What is there in the commit that is merged.
    pub theirs: Option<Side>,
}

/// What one side has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// What it is.
    pub mode: EntryMode,
    /// The id of its content.
    pub blob: BlobId,
}
