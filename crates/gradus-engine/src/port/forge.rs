//! Where proposals live.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, EnvironmentName, PipelineKey, ProposalNumber};
use gradus_core::pipeline::Repository;
use gradus_core::plan::CloseReason;
use jiff::Timestamp;

use super::PortError;
use super::repo::{CommitOrder, Repos, Written};

/// A forge. Every call may be repeated.
#[async_trait]
pub trait Forge: Send + Sync {
    /// The proposal of this branch: the open one, or one that ended with the branch where it is. `head` is where the
    /// branch was seen.
    async fn find(&self, place: &ProposalPlace, head: &CommitId)
    -> Result<Option<ProposalRecord>, PortError>;

    /// Opens the proposal of a branch, or brings the open one's texts up to date.
    async fn ensure(&self, place: &ProposalPlace, text: &ProposalText) -> Result<ProposalRecord, PortError>;

    /// Merges: makes the merge commit if the base branch and the head are where
    /// they are expected to be, and clears up the branch.
    async fn merge(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        merge: &CommitOrder,
    ) -> Result<Written, PortError>;

    /// Closes without merging, or clears up after a merge that was seen, and
    /// deletes the branch if it is still at `head`.
    async fn close(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        because: &CloseReason,
    ) -> Result<Written, PortError>;
}

/// Deletes the branch of a merged proposal. The merge has happened and is reported as such, whatever becomes of
/// this; what is left is found and closed at the next look.
pub async fn clear_up(repos: &dyn Repos, place: &ProposalPlace, head: &CommitId) {
    let (branch, repository) = (&place.branch, &place.repository.url);
    let deleted = match repos.open(&place.repository) {
        Ok(repo) => repo.delete(branch, head).await,
        Err(error) => Err(error),
    };
    match deleted {
        Ok(Written::Done(_) | Written::AlreadyTrue(_)) => {}
        Ok(Written::Stale(why) | Written::Refused(why)) => {
            tracing::info!(%branch, %repository, why, "the branch of a merged proposal stays");
        }
        Err(error) => {
            let error = error.in_full();
            tracing::warn!(%branch, %repository, error, "the branch of a merged proposal stays for now");
        }
    }
}

/// Which proposal: there is at most one open for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProposalPlace {
    /// The repository.
    pub repository: Repository,
    /// The branch it is for.
    pub base: BranchName,
    /// The branch it comes from. Its name follows from the pipeline and the environment.
    pub branch: BranchName,
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The environment.
    pub environment: EnvironmentName,
}

/// What people read of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalText {
    /// The commit that the branch is at.
    pub head: CommitId,
    /// The title.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// When it is opened or changed.
    pub at: Timestamp,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRecord {
    /// Its number.
    pub number: ProposalNumber,
    /// Where people see it.
    pub url: Option<Arc<str>>,
    /// Since when it is open.
    pub since: Timestamp,
    /// When a person closed it without merging. It is then not open any more, and its branch is still there.
    pub declined: Option<Timestamp>,
}
