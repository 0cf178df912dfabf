//! The calls of one forge.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_engine::port::dispatch::DispatchOrder;

use super::address::RepoAddress;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{
    Account, Check, CheckState, Comment, CommentId, DeploymentId, Identity, Label, MergeOrder, Merged,
    NewCheck, NewDeployment, NewPull, Pull, PullChange, RepositoryFacts, Review, Reviewers, Standing,
};
use super::survey::ForgeSurvey;

/// One repository in one forge. What a forge does not have is answered with
/// [`ForgeErrorKind::Unsupported`](super::ForgeErrorKind::Unsupported), never with a guess.
#[async_trait]
pub trait ForgeApi: ForgeSurvey {
    /// Which repository.
    fn address(&self) -> &RepoAddress;

    /// Whether the forge itself refuses a second open proposal of the same two branches, with
    /// [`ForgeErrorKind::AlreadyExists`](super::ForgeErrorKind::AlreadyExists). Then one may be opened without looking.
    fn refuses_duplicates(&self) -> bool;

    /// The most characters of a proposal's text that this forge keeps.
    fn longest_body(&self) -> usize {
        usize::MAX
    }

    /// The open proposal of these two branches of this repository, among all there are; the first, where there are
    /// more. None from a fork.
    async fn find_open(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError>;

    /// The newest proposal of these two branches of this repository that is closed or merged. It is looked for among
    /// those that were closed last; one from long ago may be missed.
    async fn find_ended(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError>;

    /// One proposal.
    async fn get(&self, number: ProposalNumber) -> Result<Pull, ForgeError>;

    /// Opens a proposal.
    async fn create(&self, new: &NewPull) -> Result<Pull, ForgeError>;

    /// Changes an open proposal.
    async fn update(&self, number: ProposalNumber, change: &PullChange) -> Result<Pull, ForgeError>;

    /// Closes a proposal without merging it. One that is closed stays so.
    async fn close(&self, number: ProposalNumber) -> Result<(), ForgeError>;

    /// Merges a proposal if its head is the one expected; else
    /// [`ForgeErrorKind::HeadMoved`](super::ForgeErrorKind::HeadMoved).
    async fn merge(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Merged, ForgeError>;

    /// Deletes a branch, wherever it is. One that is not there is deleted.
    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError>;

    /// What people said in reviews, oldest first.
    async fn reviews(&self, number: ProposalNumber) -> Result<Vec<Review>, ForgeError>;

    /// The newest status of each name on a commit.
    async fn checks(&self, commit: &CommitId) -> Result<Vec<Check>, ForgeError>;

    /// Gives a commit a status. One of the same name is replaced.
    async fn set_check(&self, commit: &CommitId, check: &NewCheck) -> Result<(), ForgeError>;

    /// What was said below a proposal, oldest first.
    async fn comments(&self, number: ProposalNumber) -> Result<Vec<Comment>, ForgeError>;

    /// Says something below a proposal.
    async fn comment(&self, number: ProposalNumber, body: &str) -> Result<CommentId, ForgeError>;

    /// Says something else in a comment of ours.
    async fn edit_comment(
        &self,
        number: ProposalNumber,
        comment: &CommentId,
        body: &str,
    ) -> Result<(), ForgeError>;

    /// Puts exactly these labels on a proposal. Labels that the repository does not have are made.
    async fn set_labels(&self, number: ProposalNumber, labels: &[Label]) -> Result<(), ForgeError>;

    /// Asks people and teams for a review.
    async fn request_reviews(&self, number: ProposalNumber, reviewers: &Reviewers) -> Result<(), ForgeError>;

    /// Makes exactly these people responsible.
    async fn set_assignees(&self, number: ProposalNumber, people: &[Account]) -> Result<(), ForgeError>;

    /// Puts a proposal into the milestone of this title, which has to be there.
    async fn set_milestone(&self, number: ProposalNumber, title: &str) -> Result<(), ForgeError> {
        self.address().lacks(&format!("put proposal {number} into the milestone {title:?}"), "milestones")
    }

    /// The newest deployment of a commit in an environment, and how it went, where that is told.
    async fn deployment(
        &self,
        environment: &str,
        commit: &CommitId,
    ) -> Result<Option<(DeploymentId, Option<CheckState>)>, ForgeError> {
        let _there_are_none = (environment, commit);
        Ok(None)
    }

    /// Says that a commit runs in an environment, or how it goes with one that was said to.
    async fn deploy(
        &self,
        new: &NewDeployment,
        known: Option<&DeploymentId>,
    ) -> Result<DeploymentId, ForgeError> {
        let _nobody_is_told = known;
        self.address().lacks(&format!("tell the environment {:?}", new.environment), "deployments")
    }

    /// Asks the automation of the repository for a promotion. Where people see the run that it began, if that is told.
    async fn dispatch(&self, order: &DispatchOrder) -> Result<Option<Arc<str>>, ForgeError> {
        let doing = format!("ask automation for {} in {}", order.to, order.environment);
        self.address().lacks(&doing, "automation that can be asked by an event of one's own")
    }

    /// Who the credentials belong to.
    async fn whoami(&self) -> Result<Identity, ForgeError>;

    /// What the repository is like for these credentials.
    async fn repository(&self) -> Result<RepositoryFacts, ForgeError>;

    /// Who somebody is, and what they may do in the repository.
    async fn standing(&self, account: &Account) -> Result<Standing, ForgeError> {
        Err(unknown(account, self.address(), "a way to ask what somebody may do"))
    }

    /// Whether somebody is in a team: by its name, or with that of its organisation or group before it.
    async fn is_member(&self, account: &Account, _team: &str) -> Result<bool, ForgeError> {
        Err(unknown(account, self.address(), "teams that can be asked for"))
    }

    /// Says yes or no to a comment by a sign at it, where the forge has them. What is there already stays.
    async fn react(
        &self,
        _number: ProposalNumber,
        _comment: &CommentId,
        _yes: bool,
    ) -> Result<(), ForgeError> {
        Ok(())
    }
}

fn unknown(account: &Account, address: &RepoAddress, lacks: &'static str) -> ForgeError {
    ForgeError::new(format!("ask about {account} in {address}"), ForgeErrorKind::Unsupported(lacks))
}
