//! Bitbucket Cloud, by version 2.0 of its API.
//!
//! Two things it does differently. It merges whatever a branch is at: so the head is looked at just before, and what
//! was merged is looked at in the answer. And it tells only the first digits of commits: so the rest is asked for,
//! once for each.

mod facts;
mod requests;
mod wire;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::de::DeserializeOwned;

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::ForgeClient;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{
    Account, Check, Comment, CommentId, Identity, Label, MergeOrder, Merged, NewCheck, NewPull, Pull,
    PullChange, RepositoryFacts, Review, Reviewers,
};
use super::request::Request;

/// How many pull requests of a branch that ended are looked through, in pages.
const ENDED: usize = 200;
/// So many commits are remembered by their first digits.
const MOST: usize = 4096;

/// A repository in Bitbucket Cloud.
pub struct Bitbucket {
    client: Arc<ForgeClient>,
    address: RepoAddress,
    whole: Mutex<HashMap<String, CommitId>>,
}

impl Bitbucket {
    /// The repository, through a client for [`RepoAddress::api`].
    pub fn new(client: Arc<ForgeClient>, address: RepoAddress) -> Self {
        Self { client, address, whole: Mutex::default() }
    }

    async fn list<T: DeserializeOwned>(
        &self,
        request: &Request,
        full: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, ForgeError> {
        let api = self.address.api();
        self.client.walk(request, |request, page| wire::Page::split(&api, request, page), full).await
    }

    async fn look(&self, number: ProposalNumber) -> Result<wire::PullRequest, ForgeError> {
        self.client.ask(&requests::pull(&self.address, number)).await
    }

    /// The commit that begins with these digits.
    async fn commit(&self, start: Option<&str>) -> Result<Option<CommitId>, ForgeError> {
        let Some(start) = start else { return Ok(None) };
        if let Ok(whole) = CommitId::parse(start) {
            return Ok(Some(whole));
        }
        let known = self.whole.lock().unwrap_or_else(PoisonError::into_inner).get(start).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let request = requests::commit(&self.address, start);
        let found = match self.client.ask::<wire::Commit>(&request).await {
            Ok(commit) => CommitId::parse(&commit.hash).ok(),
            Err(error) if *error.kind() == ForgeErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(found) = &found {
            let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
            if whole.len() >= MOST {
                whole.clear();
            }
            whole.insert(start.to_owned(), found.clone());
        }
        Ok(found)
    }

    async fn read(&self, pull: wire::PullRequest, request: &Request) -> Result<Pull, ForgeError> {
        // What a fork has is of no interest, and not to be found here.
        let head = if pull.is_own() { self.commit(pull.head()).await? } else { None };
        let merge_commit = self.commit(pull.merge_commit()).await?;
        pull.read(request, head, merge_commit)
    }

    /// Changes a pull request from what it is now.
    async fn edit(
        &self,
        number: ProposalNumber,
        change: &PullChange,
        more: &[String],
    ) -> Result<Pull, ForgeError> {
        let pull = self.look(number).await?;
        let mut reviewers = pull.reviewers();
        let before = reviewers.len();
        for uuid in more {
            if !reviewers.contains(uuid) {
                reviewers.push(uuid.clone());
            }
        }
        if change.is_empty() && reviewers.len() == before {
            return self.read(pull, &requests::pull(&self.address, number)).await;
        }
        let edit = requests::Edit {
            title: change.title.as_deref().unwrap_or(&pull.title),
            body: change.body.as_deref().unwrap_or(pull.body()),
            base: change.base.as_ref(),
            reviewers: &reviewers,
        };
        let request = requests::edit_pull(&self.address, number, &edit);
        let changed = self.client.ask::<wire::PullRequest>(&request).await?;
        self.read(changed, &request).await
    }
}

/// Whether these are the first digits of a commit.
fn begins(commit: &CommitId, start: Option<&str>) -> bool {
    start.is_some_and(|start| start.len() >= 7 && commit.as_str().starts_with(start))
}

#[async_trait]
impl ForgeApi for Bitbucket {
    fn address(&self) -> &RepoAddress {
        &self.address
    }

    /// Opening the same again may change the first one, so it is looked for before.
    fn refuses_duplicates(&self) -> bool {
        false
    }

    fn longest_body(&self) -> usize {
        32_768
    }

    async fn find_open(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::open_pulls(&self.address, head, base);
        let is_it = |pull: &wire::PullRequest| pull.is_own();
        let pulls = self.list(&request, |pulls: &[wire::PullRequest]| pulls.iter().any(is_it)).await?;
        match pulls.into_iter().find(is_it) {
            Some(pull) => self.read(pull, &request).await.map(Some),
            None => Ok(None),
        }
    }

    async fn find_ended(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::ended_pulls(&self.address, head, base);
        let is_it = |pull: &wire::PullRequest| pull.is_own();
        let enough = |pulls: &[wire::PullRequest]| pulls.len() >= ENDED || pulls.iter().any(is_it);
        match self.list(&request, enough).await?.into_iter().find(is_it) {
            Some(pull) => self.read(pull, &request).await.map(Some),
            None => Ok(None),
        }
    }

    async fn get(&self, number: ProposalNumber) -> Result<Pull, ForgeError> {
        let pull = self.look(number).await?;
        self.read(pull, &requests::pull(&self.address, number)).await
    }

    async fn create(&self, new: &NewPull) -> Result<Pull, ForgeError> {
        let request = requests::create_pull(&self.address, new);
        let made = self.client.ask::<wire::PullRequest>(&request).await?;
        self.read(made, &request).await
    }

    async fn update(&self, number: ProposalNumber, change: &PullChange) -> Result<Pull, ForgeError> {
        self.edit(number, change, &[]).await
    }

    async fn close(&self, number: ProposalNumber) -> Result<(), ForgeError> {
        match self.client.send(&requests::decline_pull(&self.address, number)).await {
            Ok(_) => Ok(()),
            // What is closed cannot be closed.
            Err(error) if matches!(error.status(), Some(400 | 409 | 555)) => match self.look(number).await? {
                pull if pull.is_open() || pull.is_merged() => Err(error),
                _ => Ok(()),
            },
            Err(error) => Err(error),
        }
    }

    async fn merge(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Merged, ForgeError> {
        if order.queue {
            return self.address.lacks("merge a pull request", "order to merge later that gradus could give");
        }
        let pull = self.look(number).await?;
        let request = requests::merge_pull(&self.address, number, order);
        let refuse = |kind| Err(ForgeError::new(&request.doing, kind));
        if !pull.is_open() {
            return refuse(ForgeErrorKind::Refused("it is not open".to_owned()));
        }
        if !begins(&order.head, pull.head()) {
            return refuse(ForgeErrorKind::HeadMoved);
        }
        let answer = self.client.send(&request).await.map_err(wire::merge_refused)?;
        if answer.status == 202 {
            return refuse(ForgeErrorKind::NotReady("it is still merging".to_owned()));
        }
        let merged = self.client.read::<wire::PullRequest>(&request, &answer)?;
        if !merged.is_merged() {
            return Ok(Merged::Queued);
        }
        if !begins(&order.head, merged.head()) {
            let why = "somebody pushed while it merged, and it merged that too";
            return refuse(ForgeErrorKind::Broken(why.to_owned()));
        }
        Ok(Merged::Done(self.commit(merged.merge_commit()).await?))
    }

    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        match self.client.send(&requests::delete_branch(&self.address, branch)).await {
            Err(error) if *error.kind() != ForgeErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn reviews(&self, number: ProposalNumber) -> Result<Vec<Review>, ForgeError> {
        Ok(self.look(number).await?.reviews())
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<Check>, ForgeError> {
        let request = requests::statuses(&self.address, commit);
        let statuses = self.list::<wire::CommitStatus>(&request, |_| false).await?;
        Ok(statuses.into_iter().map(wire::CommitStatus::read).collect())
    }

    async fn set_check(&self, commit: &CommitId, check: &NewCheck) -> Result<(), ForgeError> {
        self.client.send(&requests::create_status(&self.address, commit, check)).await.map(drop)
    }

    async fn comments(&self, number: ProposalNumber) -> Result<Vec<Comment>, ForgeError> {
        let request = requests::comments(&self.address, number);
        let comments = self.list::<wire::Comment>(&request, |_| false).await?;
        Ok(comments.into_iter().filter_map(wire::Comment::read).collect())
    }

    async fn comment(&self, number: ProposalNumber, body: &str) -> Result<CommentId, ForgeError> {
        let request = requests::create_comment(&self.address, number, body);
        Ok(CommentId(self.client.ask::<wire::Comment>(&request).await?.id.to_string()))
    }

    async fn edit_comment(
        &self,
        number: ProposalNumber,
        comment: &CommentId,
        body: &str,
    ) -> Result<(), ForgeError> {
        self.client.send(&requests::edit_comment(&self.address, number, comment, body)).await.map(drop)
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
        let uuids: Vec<String> = reviewers.people.iter().map(|person| format!("{{{person}}}")).collect();
        self.edit(number, &PullChange::default(), &uuids).await.map(drop)
    }

    async fn set_assignees(&self, _number: ProposalNumber, people: &[Account]) -> Result<(), ForgeError> {
        if people.is_empty() {
            return Ok(());
        }
        self.address.lacks("assign a pull request", "assignees of pull requests")
    }

    async fn whoami(&self) -> Result<Identity, ForgeError> {
        let request = requests::user();
        let answer = match self.client.send(&request).await {
            Ok(answer) => answer,
            // A token of a repository or a project is of no person.
            Err(error) if matches!(error.kind(), ForgeErrorKind::Forbidden { .. }) => {
                return Ok(Identity { account: None, scopes: None });
            }
            Err(error) => return Err(error),
        };
        let scopes = answer.header("x-oauth-scopes").map(|scopes| {
            let scopes = scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty());
            scopes.map(str::to_owned).collect::<BTreeSet<_>>()
        });
        let user = self.client.read::<wire::User>(&request, &answer)?;
        Ok(Identity { account: Some(user.account()), scopes })
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let request = requests::repository(&self.address);
        let default = self.client.ask::<wire::Repository>(&request).await?.mainbranch;
        let default_branch = default.as_ref().and_then(wire::Branch::name);
        let methods = match &default_branch {
            Some(branch) => {
                let request = requests::branch(&self.address, branch);
                self.client.ask::<wire::Branch>(&request).await?.methods()
            }
            None => None,
        };
        // Not every kind of token is told this.
        let request = requests::permissions(&self.address);
        let rights = match self.list::<wire::Permission>(&request, |_| false).await {
            Ok(permissions) => permissions.first().and_then(wire::Permission::read),
            Err(error)
                if matches!(error.kind(), ForgeErrorKind::Forbidden { .. } | ForgeErrorKind::NotFound) =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        Ok(RepositoryFacts { rights, archived: false, default_branch, methods })
    }
}
