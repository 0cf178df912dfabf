//! Git, as far as a promotion needs it.

mod change;
mod folder;
mod merge;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BlobId, BranchName, CommitId, RepoPath};
use gradus_core::pipeline::Repository;
use jiff::Timestamp;

use super::PortError;

pub use change::{Becomes, Entry, EntryMode, FileChange};
pub use folder::{ContentId, FolderEntry, Onlooker, Top};
pub use merge::{BothChanged, Side, TreeMerge};

/// Opens repositories. Opening the same one twice gives the same caches.
pub trait Repos: Send + Sync {
    /// The repository, with its credentials. No network is touched yet.
    fn open(&self, repository: &Repository) -> Result<Arc<dyn Repo>, PortError>;
}

/// One repository.
#[async_trait]
pub trait Repo: Send + Sync {
    /// The branch that the repository itself calls its default.
    async fn default_branch(&self) -> Result<BranchName, PortError>;

    /// The tips of these branches. A branch that does not exist is absent.
    async fn tips(&self, branches: &[BranchName]) -> Result<BTreeMap<BranchName, CommitId>, PortError>;

    /// The tips of this branch and of all whose names start so. What happened before it was asked is seen.
    async fn tips_with(
        &self,
        branch: &BranchName,
        start: &str,
    ) -> Result<BTreeMap<BranchName, CommitId>, PortError>;

    /// Files of a commit. A file that does not exist is absent.
    async fn read(
        &self,
        at: &CommitId,
        paths: &[RepoPath],
    ) -> Result<BTreeMap<RepoPath, FileSeen>, PortError>;

    /// The YAML files of a commit below these folders; of the whole tree when there are none.
    async fn list(&self, at: &CommitId, below: &[RepoPath]) -> Result<Vec<Listed>, PortError>;

    /// Everything of a commit below these folders, or at these paths, in the order of the paths; of the whole tree
    /// when there are none. What does not exist has nothing below it.
    async fn files_below(&self, at: &CommitId, below: &[RepoPath]) -> Result<Vec<Entry>, PortError>;

    /// Shows an onlooker the folders of a commit: those at these paths, or the whole tree when there are none, and
    /// everything below them, except what the onlooker knows already. Returns what is at the paths; one at which nothing
    /// is, is absent.
    ///
    /// Each folder that is not known is shown once, in any order. Files may be shown too; those that were not are asked
    /// for with [`Repo::contents`].
    async fn look_through(
        &self,
        at: &CommitId,
        below: &[RepoPath],
        onlooker: Arc<dyn Onlooker>,
    ) -> Result<Vec<Top>, PortError>;

    /// The contents of files that [`Repo::list`], [`Repo::files_below`] or a folder named.
    async fn contents(&self, files: &[BlobId]) -> Result<BTreeMap<BlobId, Arc<[u8]>>, PortError>;

    /// The commits from a tip along first parents, newest first, with what the files were in each.
    async fn history(&self, tip: &CommitId, paths: &[RepoPath], limit: usize) -> Result<History, PortError>;

    /// The same, and nothing beyond a commit that is known. Where it is not met, the limit cuts the list.
    async fn history_since(
        &self,
        tip: &CommitId,
        paths: &[RepoPath],
        limit: usize,
        known: &CommitId,
    ) -> Result<History, PortError> {
        let mut history = self.history(tip, paths, limit).await?;
        if let Some(met) = history.commits.iter().position(|commit| commit.id == *known) {
            history.complete &= met + 1 == history.commits.len();
            history.commits.truncate(met + 1);
        }
        Ok(history)
    }

    /// The parents of a commit, in their order. Where they are not told, a proposal
    /// that a person merged looks like an edit by hand, and who brought its release
    /// is lost.
    async fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, PortError> {
        let _not_told = commit;
        Ok(Vec::new())
    }

    /// What merging the commit `theirs` into `ours` comes to. Nothing is written.
    async fn merge(&self, ours: &CommitId, theirs: &CommitId) -> Result<TreeMerge, PortError>;

    /// Makes a commit and moves the branch to it, if the branch is where it is expected to be.
    async fn commit(&self, order: &CommitOrder) -> Result<Written, PortError>;

    /// Deletes a branch, if it is where it is expected to be.
    async fn delete(&self, branch: &BranchName, expect: &CommitId) -> Result<Written, PortError>;
}

/// A file as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// The id of its content.
    pub blob: BlobId,
    /// Its content.
    pub bytes: Arc<[u8]>,
}

/// A file in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub path: RepoPath,
    /// The id of its content.
    pub blob: BlobId,
}

/// Commits, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The commits that were looked at.
    pub commits: Vec<CommitSeen>,
    /// Whether the last one has no parent; else the limit cut the list.
    pub complete: bool,
}

/// A commit as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSeen {
    /// Its id.
    pub id: CommitId,
    /// Who wrote it, by name.
    pub author: String,
    /// Their address.
    pub email: String,
    /// When it was committed.
    pub at: Timestamp,
    /// Its whole message.
    pub message: String,
    /// The id of each file's content; a file that it does not have is absent.
    pub files: BTreeMap<RepoPath, BlobId>,
}

/// A commit to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitOrder {
    /// The branch to move.
    pub branch: BranchName,
    /// Where the branch must be; absent when it must not exist.
    pub expect: Option<CommitId>,
    /// The parents, three at most. The first is the old tip, where there is one.
    pub parents: Vec<CommitId>,
    /// The commit whose tree is changed.
    pub tree_of: CommitId,
    /// What changes, and where. A folder that is missing is made; one that has nothing left in it goes.
    pub files: BTreeMap<RepoPath, FileChange>,
    /// The whole message.
    pub message: String,
    /// The author's and committer's time. The same order makes the same commit.
    pub at: Timestamp,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was written; the branch is at this commit. After a deletion, the commit it was at.
    Done(CommitId),
    /// There was nothing to do: it was so already.
    AlreadyTrue(CommitId),
    /// Somebody was faster. Look again.
    Stale(String),
    /// The other side does not allow it, and says why. Trying again does not help.
    Refused(String),
}
