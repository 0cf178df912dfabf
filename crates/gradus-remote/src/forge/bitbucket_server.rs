//! Bitbucket Data Center and Server, by version 1.0 of its API. What is changed is changed of the version that was
//! seen only.

mod facts;
mod requests;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::de::DeserializeOwned;

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::ForgeClient;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{
    Account, Check, Comment, CommentId, Identity, Label, MergeOrder, Merged, NewCheck, NewPull, Pull,
    PullChange, PullState, RepositoryFacts, Review, Reviewers, Rights,
};
use super::request::Request;

/// How many pull requests of a branch that ended are looked through, in pages.
const ENDED: usize = 200;
/// How often what somebody else changed at the same moment is changed again.
const TRIES: u32 = 3;

/// A repository in Bitbucket Data Center.
pub struct BitbucketServer {
    client: Arc<ForgeClient>,
    address: RepoAddress,
}

impl BitbucketServer {
    /// The repository, through a client for [`RepoAddress::api`].
    pub fn new(client: Arc<ForgeClient>, address: RepoAddress) -> Self {
        Self { client, address }
    }

    async fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ForgeError> {
        self.client.ask(request).await.map_err(wire::understood)
    }

    async fn send(&self, request: &Request) -> Result<(), ForgeError> {
        self.client.send(request).await.map(drop).map_err(wire::understood)
    }

    async fn list<T: DeserializeOwned>(
        &self,
        request: &Request,
        full: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, ForgeError> {
        self.client.walk(request, wire::Page::split, full).await.map_err(wire::understood)
    }

    async fn look(&self, number: ProposalNumber) -> Result<wire::PullRequest, ForgeError> {
        self.ask(&requests::pull(&self.address, number)).await
    }

    /// Changes a pull request from what it is now. `None` where there is nothing to change.
    async fn edit(
        &self,
        number: ProposalNumber,
        change: &PullChange,
        more: &[Account],
    ) -> Result<Pull, ForgeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let pull = self.look(number).await?;
            let mut reviewers = pull.reviewers();
            let before = reviewers.len();
            for account in more {
                if !reviewers.iter().any(|name| **name == *account.0) {
                    reviewers.push(account.0.to_string());
                }
            }
            if change.is_empty() && reviewers.len() == before {
                return pull.read(&requests::pull(&self.address, number));
            }
            let edit = requests::Edit {
                version: pull.version,
                title: change.title.as_deref().unwrap_or(&pull.title),
                body: change.body.as_deref().unwrap_or(&pull.description),
                base: change.base.as_ref(),
                reviewers: &reviewers,
            };
            let request = requests::edit_pull(&self.address, number, &edit);
            match self.ask::<wire::PullRequest>(&request).await {
                Err(error) if matches!(error.kind(), ForgeErrorKind::NotReady(_)) && tries < TRIES => {}
                changed => return changed?.read(&request),
            }
        }
    }

    /// Why a merge was refused: the vetoes say it better than its answer.
    async fn obstacle(&self, number: ProposalNumber, error: ForgeError) -> ForgeError {
        if error.status() != Some(409) {
            return error;
        }
        let request = requests::mergeability(&self.address, number);
        match self.ask::<wire::Mergeability>(&request).await {
            Ok(found) => match found.obstacle() {
                Some(kind) => error.turned(kind),
                // Whoever forbade it has just changed their mind.
                None if error.code().ends_with("PullRequestMergeVetoedException") => {
                    error.turned(ForgeErrorKind::NotReady("it could be merged now".to_owned()))
                }
                None => error,
            },
            Err(_) => error,
        }
    }

    /// What the account may do: the repositories are listed by that.
    async fn rights(&self, repository: &wire::Repository) -> Result<Rights, ForgeError> {
        for rights in [Rights::Admin, Rights::Write] {
            let request = requests::permitted(&self.address, &repository.name, rights);
            let is_it = |listed: &wire::Repository| listed.id == repository.id;
            let listed = self.list(&request, |all: &[wire::Repository]| all.iter().any(is_it)).await?;
            if listed.iter().any(is_it) {
                return Ok(rights);
            }
        }
        Ok(Rights::Read)
    }
}

#[async_trait]
impl ForgeApi for BitbucketServer {
    fn address(&self) -> &RepoAddress {
        &self.address
    }

    fn refuses_duplicates(&self) -> bool {
        true
    }

    /// A description and a comment have at most 32,768 characters, as the server is set up by default.
    fn longest_body(&self) -> usize {
        32_768
    }

    async fn find_open(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::open_pulls(&self.address, head);
        let is_it = |pull: &wire::PullRequest| pull.is_of(head, base);
        let pulls = self.list(&request, |pulls: &[wire::PullRequest]| pulls.iter().any(is_it)).await?;
        pulls.into_iter().find(is_it).map(|pull| pull.read(&request)).transpose()
    }

    async fn find_ended(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::ended_pulls(&self.address, head);
        let is_it = |pull: &wire::PullRequest| pull.is_of(head, base) && !pull.is_open();
        let enough = |pulls: &[wire::PullRequest]| pulls.len() >= ENDED || pulls.iter().any(is_it);
        let pulls = self.list(&request, enough).await?;
        let Some(pull) = pulls.into_iter().find(is_it) else { return Ok(None) };
        let mut pull = pull.read(&request)?;
        if let PullState::Closed { by, .. } = &mut pull.state {
            let request = requests::activities(&self.address, pull.number);
            let closed = |all: &[wire::Activity]| all.iter().any(|one| one.declined().is_some());
            *by = self.list(&request, closed).await?.iter().find_map(wire::Activity::declined);
        }
        Ok(Some(pull))
    }

    async fn get(&self, number: ProposalNumber) -> Result<Pull, ForgeError> {
        let request = requests::pull(&self.address, number);
        self.ask::<wire::PullRequest>(&request).await?.read(&request)
    }

    async fn create(&self, new: &NewPull) -> Result<Pull, ForgeError> {
        let request = requests::create_pull(&self.address, new);
        self.ask::<wire::PullRequest>(&request).await?.read(&request)
    }

    async fn update(&self, number: ProposalNumber, change: &PullChange) -> Result<Pull, ForgeError> {
        self.edit(number, change, &[]).await
    }

    async fn close(&self, number: ProposalNumber) -> Result<(), ForgeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let pull = self.look(number).await?;
            if pull.is_declined() {
                return Ok(());
            }
            match self.send(&requests::decline_pull(&self.address, number, pull.version)).await {
                Err(error) if matches!(error.kind(), ForgeErrorKind::NotReady(_)) && tries < TRIES => {}
                closed => return closed,
            }
        }
    }

    async fn merge(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Merged, ForgeError> {
        if order.queue {
            return self.address.lacks("merge a pull request", "order to merge later that gradus could give");
        }
        let pull = self.look(number).await?;
        let request = requests::merge_pull(&self.address, number, pull.version, order);
        let refuse = |kind| Err(ForgeError::new(&request.doing, kind));
        if !pull.is_open() {
            return refuse(ForgeErrorKind::Refused("it is not open".to_owned()));
        }
        if pull.head().as_ref() != Some(&order.head) {
            return refuse(ForgeErrorKind::HeadMoved);
        }
        let merged = match self.ask::<wire::PullRequest>(&request).await {
            Ok(merged) => merged,
            Err(error) => return Err(self.obstacle(number, error).await),
        };
        if !merged.is_merged() {
            return Ok(Merged::Queued);
        }
        if merged.head().is_some_and(|head| head != order.head) {
            return refuse(ForgeErrorKind::Broken("it merged another commit than was asked for".to_owned()));
        }
        let commit = merged.merge_commit();
        if order.delete_branch {
            let branch = merged.read(&request)?.head_branch;
            self.delete_branch(&branch).await?;
        }
        Ok(Merged::Done(commit))
    }

    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        self.send(&requests::delete_branch(&self.address, branch)).await
    }

    async fn reviews(&self, number: ProposalNumber) -> Result<Vec<Review>, ForgeError> {
        let mut reviews: Vec<Review> = self.look(number).await?.reviews().collect();
        if reviews.is_empty() {
            return Ok(reviews);
        }
        let request = requests::activities(&self.address, number);
        let activities = self.list::<wire::Activity>(&request, |_| false).await?;
        for review in &mut reviews {
            // The newest is first.
            if let Some(at) = activities.iter().find_map(|activity| activity.reviewed(review)) {
                review.at = at;
            }
        }
        reviews.sort_by_key(|review| review.at);
        Ok(reviews)
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<Check>, ForgeError> {
        let request = requests::statuses(&self.address, commit);
        let statuses = self.list::<wire::BuildStatus>(&request, |_| false).await?;
        Ok(statuses.into_iter().map(wire::BuildStatus::read).collect())
    }

    async fn set_check(&self, commit: &CommitId, check: &NewCheck) -> Result<(), ForgeError> {
        self.send(&requests::create_status(&self.address, commit, check)).await
    }

    async fn comments(&self, number: ProposalNumber) -> Result<Vec<Comment>, ForgeError> {
        let request = requests::activities(&self.address, number);
        let activities = self.list::<wire::Activity>(&request, |_| false).await?;
        let mut comments: Vec<Comment> = activities.into_iter().filter_map(wire::Activity::comment).collect();
        comments.reverse();
        Ok(comments)
    }

    async fn comment(&self, number: ProposalNumber, body: &str) -> Result<CommentId, ForgeError> {
        let request = requests::create_comment(&self.address, number, body);
        Ok(CommentId(self.ask::<wire::Comment>(&request).await?.id.to_string()))
    }

    async fn edit_comment(
        &self,
        number: ProposalNumber,
        comment: &CommentId,
        body: &str,
    ) -> Result<(), ForgeError> {
        let known = self.ask::<wire::Comment>(&requests::comment(&self.address, number, comment)).await?;
        if known.text == body {
            return Ok(());
        }
        self.send(&requests::edit_comment(&self.address, number, comment, known.version, body)).await
    }

    async fn set_labels(&self, _number: ProposalNumber, labels: &[Label]) -> Result<(), ForgeError> {
        if labels.is_empty() {
            return Ok(());
        }
        self.address.lacks("label a pull request", "labels on pull requests")
    }

    async fn request_reviews(&self, number: ProposalNumber, reviewers: &Reviewers) -> Result<(), ForgeError> {
        if !reviewers.teams.is_empty() {
            return self
                .address
                .lacks("ask for reviews of a pull request", "review that is asked of a group");
        }
        self.edit(number, &PullChange::default(), &reviewers.people).await.map(drop)
    }

    async fn set_assignees(&self, _number: ProposalNumber, people: &[Account]) -> Result<(), ForgeError> {
        if people.is_empty() {
            return Ok(());
        }
        self.address.lacks("assign a pull request", "assignees of pull requests")
    }

    async fn whoami(&self) -> Result<Identity, ForgeError> {
        let request = requests::properties();
        let answer = self.client.send(&request).await.map_err(wire::understood)?;
        // Who is not known may see the properties, and is not named.
        match answer.header("x-ausername") {
            Some(name) => Ok(Identity { account: Some(Account(name.into())), scopes: None }),
            None => Err(ForgeError::new(&request.doing, ForgeErrorKind::Unauthorized)),
        }
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let repository = self.ask::<wire::Repository>(&requests::repository(&self.address)).await?;
        let request = requests::default_branch(&self.address);
        let default_branch = match self.ask::<wire::DefaultBranch>(&request).await {
            Ok(branch) => branch.read(),
            // An empty repository has none.
            Err(error) if *error.kind() == ForgeErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let methods = self.ask::<wire::Settings>(&requests::settings(&self.address)).await?.methods();
        let rights = Some(self.rights(&repository).await?);
        Ok(RepositoryFacts { rights, archived: repository.archived, default_branch, methods })
    }
}
