//! Azure DevOps, the service and the servers since 2022, by version 7.0 of its API.
//!
//! A merge is asked for and then happens by itself; so it is looked at until it has.

mod facts;
mod requests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::ForgeClient;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{
    Account, Check, Comment, CommentId, Identity, Label, MergeOrder, Merged, NewCheck, NewPull, Pull,
    PullChange, RepositoryFacts, Review, Reviewers, Rights,
};
use super::request::Request;

/// How many pull requests of a branch that ended are looked through, in pages.
const ENDED: usize = 200;
/// The waits for a merge that was asked for.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
];
/// The right to push, and the one to open and merge pull requests.
const WRITE: u32 = 4 | 16_384;
/// The right to change what others may do.
const ADMIN: u32 = 8192;

/// A repository in Azure DevOps.
pub struct AzureDevOps {
    client: Arc<ForgeClient>,
    address: RepoAddress,
}

impl AzureDevOps {
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
        skip: &'static str,
        full: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, ForgeError> {
        let split = |request: &Request, page| wire::List::split(skip, request, page);
        self.client.walk(request, split, full).await.map_err(wire::understood)
    }

    async fn look(&self, number: ProposalNumber) -> Result<wire::PullRequest, ForgeError> {
        self.ask(&requests::pull(&self.address, number)).await
    }

    /// One that was listed, with its whole text.
    async fn in_full(&self, pull: wire::PullRequest, request: &Request) -> Result<Pull, ForgeError> {
        if pull.is_shortened() { self.get(pull.number()).await } else { pull.read(&self.address, request) }
    }

    async fn branch(&self, branch: &BranchName) -> Result<Option<wire::Ref>, ForgeError> {
        let request = requests::branches(&self.address, branch);
        let found = self.ask::<wire::List<wire::Ref>>(&request).await?.value;
        Ok(found.into_iter().find(|found| found.is(branch)))
    }

    /// Why a merge was refused.
    async fn understood(&self, number: ProposalNumber, order: &MergeOrder, error: ForgeError) -> ForgeError {
        let status = error.status();
        if !matches!(status, Some(400 | 403 | 409)) {
            return error;
        }
        let pull = match self.look(number).await {
            Ok(pull) => pull,
            Err(worse) => return worse,
        };
        if !pull.is_open() {
            return error.turned(ForgeErrorKind::Refused("it is not open".to_owned()));
        }
        match error.code() {
            "GitPullRequestUpdateRejectedByPolicyException" => self.rejected(&pull, error).await,
            "GitPullRequestStaleException" => self.moved(&pull, order, error).await,
            _ => match pull.obstacle() {
                Some(kind) => error.turned(kind),
                None => error,
            },
        }
    }

    /// Whether the branch has moved, or the server has not noticed yet where it is.
    async fn moved(&self, pull: &wire::PullRequest, order: &MergeOrder, error: ForgeError) -> ForgeError {
        let head = match pull.branch() {
            Some(branch) => match self.branch(&branch).await {
                Ok(found) => found.map(|found| found.object_id),
                Err(worse) => return worse,
            },
            None => None,
        };
        if head.as_deref() == Some(order.head.as_str()) {
            let words = "the pull request has not seen the last push".to_owned();
            return error.turned(ForgeErrorKind::NotReady(words));
        }
        error.turned(ForgeErrorKind::HeadMoved)
    }

    /// Which policies do not allow it.
    async fn rejected(&self, pull: &wire::PullRequest, error: ForgeError) -> ForgeError {
        let request = requests::policies(&self.address, pull.number(), pull.project());
        let words: Vec<String> = match self.ask::<wire::List<wire::Evaluation>>(&request).await {
            Ok(found) => found.value.into_iter().filter_map(wire::Evaluation::words).collect(),
            Err(_) => Vec::new(),
        };
        let words = if words.is_empty() { error.words().to_owned() } else { words.join("; ") };
        error.turned(ForgeErrorKind::Refused(words))
    }

    /// What became of a merge that was asked for.
    async fn outcome(
        &self,
        mut pull: wire::PullRequest,
        order: &MergeOrder,
        request: &Request,
    ) -> Result<Merged, ForgeError> {
        let refuse = |kind| ForgeError::new(&request.doing, kind);
        for pause in PAUSES {
            if pull.is_merged() {
                if pull.head().is_some_and(|head| head != order.head) {
                    let why = "it merged another commit than was asked for".to_owned();
                    return Err(refuse(ForgeErrorKind::Broken(why)));
                }
                return Ok(Merged::Done(pull.merge_commit()));
            }
            if let Some(kind) = pull.obstacle() {
                return Err(refuse(kind));
            }
            if pull.is_rejected() {
                let words = "a policy of the branch does not allow it".to_owned();
                let error = refuse(ForgeErrorKind::Refused(words));
                return Err(self.rejected(&pull, error).await);
            }
            sleep(pause).await;
            pull = self.look(pull.number()).await?;
        }
        Ok(Merged::Queued)
    }

    /// The identities of people and teams, who are found in the teams of the project.
    async fn identities(&self, reviewers: &Reviewers) -> Result<Vec<String>, ForgeError> {
        let request = requests::teams(&self.address);
        let teams = self.list::<wire::Team>(&request, "$skip", |_| false).await?;
        let unknown = |who: &str| {
            let why = format!("{who} is in no team of the project");
            Err(ForgeError::new(&request.doing, ForgeErrorKind::Input(why)))
        };
        let mut ids = Vec::new();
        for name in &reviewers.teams {
            match teams.iter().find(|team| team.name == *name) {
                Some(team) => ids.push(team.id.clone()),
                None => return unknown(name),
            }
        }
        let mut wanted: Vec<&Account> = reviewers.people.iter().collect();
        for team in &teams {
            if wanted.is_empty() {
                break;
            }
            let request = requests::members(&self.address, &team.id);
            for member in self.list::<wire::Member>(&request, "$skip", |_| false).await? {
                wanted.retain(|account| {
                    let is_it = member.identity.is(account);
                    if is_it {
                        ids.push(member.identity.id.clone());
                    }
                    !is_it
                });
            }
        }
        match wanted.first() {
            Some(account) => unknown(&account.0),
            None => Ok(ids),
        }
    }

    async fn may(&self, repository: &wire::Repository, rights: u32) -> Result<bool, ForgeError> {
        let request = requests::permitted(&self.address, &repository.project.id, &repository.id, rights);
        Ok(self.ask::<wire::List<bool>>(&request).await?.value.first().copied().unwrap_or(false))
    }
}

#[async_trait]
impl ForgeApi for AzureDevOps {
    fn address(&self) -> &RepoAddress {
        &self.address
    }

    fn refuses_duplicates(&self) -> bool {
        true
    }

    /// `git/pull-requests/update`: the description has up to 4,000 characters.
    fn longest_body(&self) -> usize {
        4000
    }

    async fn find_open(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::open_pulls(&self.address, head, base);
        let pulls = self.list::<wire::PullRequest>(&request, "$skip", |_| false).await?;
        let own = pulls.into_iter().filter(wire::PullRequest::is_own);
        match own.min_by_key(wire::PullRequest::number) {
            Some(pull) => self.in_full(pull, &request).await.map(Some),
            None => Ok(None),
        }
    }

    async fn find_ended(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::ended_pulls(&self.address, head, base);
        let is_it = |pull: &wire::PullRequest| pull.is_own() && !pull.is_open();
        let enough = |pulls: &[wire::PullRequest]| pulls.len() >= ENDED || pulls.iter().any(is_it);
        match self.list(&request, "$skip", enough).await?.into_iter().find(is_it) {
            Some(pull) => self.in_full(pull, &request).await.map(Some),
            None => Ok(None),
        }
    }

    async fn get(&self, number: ProposalNumber) -> Result<Pull, ForgeError> {
        let request = requests::pull(&self.address, number);
        self.ask::<wire::PullRequest>(&request).await?.read(&self.address, &request)
    }

    async fn create(&self, new: &NewPull) -> Result<Pull, ForgeError> {
        let request = requests::create_pull(&self.address, new);
        self.ask::<wire::PullRequest>(&request).await?.read(&self.address, &request)
    }

    async fn update(&self, number: ProposalNumber, change: &PullChange) -> Result<Pull, ForgeError> {
        let request = requests::edit_pull(&self.address, number, change);
        self.ask::<wire::PullRequest>(&request).await?.read(&self.address, &request)
    }

    async fn close(&self, number: ProposalNumber) -> Result<(), ForgeError> {
        match self.send(&requests::abandon_pull(&self.address, number)).await {
            Ok(()) => Ok(()),
            // What is closed cannot be closed.
            Err(error) if matches!(error.status(), Some(400 | 403 | 409)) => {
                if self.look(number).await?.is_abandoned() { Ok(()) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn merge(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Merged, ForgeError> {
        if order.queue {
            return self.address.lacks("merge a pull request", "order to merge later that gradus could give");
        }
        let Some(strategy) = requests::strategy(order.method) else {
            return self.address.lacks("merge a pull request", "merge by fast-forward");
        };
        let request = requests::complete_pull(&self.address, number, order, strategy);
        match self.ask::<wire::PullRequest>(&request).await {
            Ok(pull) => self.outcome(pull, order, &request).await,
            Err(error) => Err(self.understood(number, order, error).await),
        }
    }

    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        let Some(found) = self.branch(branch).await? else { return Ok(()) };
        let request = requests::delete_branch(&self.address, branch, &found.object_id);
        let done = self.ask::<wire::List<wire::RefUpdate>>(&request).await?.value;
        match done.into_iter().next() {
            Some(update) if update.success => Ok(()),
            Some(update) => {
                let words = update.custom_message.unwrap_or(update.update_status);
                Err(ForgeError::new(&request.doing, ForgeErrorKind::Refused(words)))
            }
            None => {
                let why = "it says nothing of the branch".to_owned();
                Err(ForgeError::new(&request.doing, ForgeErrorKind::Broken(why)))
            }
        }
    }

    async fn reviews(&self, number: ProposalNumber) -> Result<Vec<Review>, ForgeError> {
        let request = requests::reviewers(&self.address, number);
        let reviewers = self.ask::<wire::List<wire::Reviewer>>(&request).await?.value;
        Ok(reviewers.into_iter().filter_map(wire::Reviewer::read).collect())
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<Check>, ForgeError> {
        let request = requests::statuses(&self.address, commit);
        let statuses = self.list::<wire::Status>(&request, "skip", |_| false).await?;
        Ok(statuses.into_iter().map(wire::Status::read).collect())
    }

    async fn set_check(&self, commit: &CommitId, check: &NewCheck) -> Result<(), ForgeError> {
        self.send(&requests::create_status(&self.address, commit, check)).await
    }

    async fn comments(&self, number: ProposalNumber) -> Result<Vec<Comment>, ForgeError> {
        let request = requests::threads(&self.address, number);
        let threads = self.ask::<wire::List<wire::Thread>>(&request).await?.value;
        let mut comments: Vec<Comment> = threads.into_iter().flat_map(wire::Thread::read).collect();
        comments.sort_by_key(|comment| comment.at);
        Ok(comments)
    }

    async fn comment(&self, number: ProposalNumber, body: &str) -> Result<CommentId, ForgeError> {
        let request = requests::create_thread(&self.address, number, body);
        self.ask::<wire::Thread>(&request).await?.first().ok_or_else(|| {
            let why = "it has no comment".to_owned();
            ForgeError::new(&request.doing, ForgeErrorKind::Broken(why))
        })
    }

    async fn edit_comment(
        &self,
        number: ProposalNumber,
        comment: &CommentId,
        body: &str,
    ) -> Result<(), ForgeError> {
        let (thread, comment) = comment.0.split_once('/').unwrap_or((&comment.0, "1"));
        self.send(&requests::edit_comment(&self.address, number, thread, comment, body)).await
    }

    async fn set_labels(&self, number: ProposalNumber, labels: &[Label]) -> Result<(), ForgeError> {
        let request = requests::labels(&self.address, number);
        let known = self.ask::<wire::List<wire::Tag>>(&request).await?.value;
        for label in labels.iter().filter(|label| !known.iter().any(|known| known.name == *label.0)) {
            self.send(&requests::add_label(&self.address, number, label)).await?;
        }
        for tag in known.iter().filter(|known| !labels.iter().any(|label| known.name == *label.0)) {
            self.send(&requests::remove_label(&self.address, number, &tag.id)).await?;
        }
        Ok(())
    }

    async fn request_reviews(&self, number: ProposalNumber, reviewers: &Reviewers) -> Result<(), ForgeError> {
        let request = requests::reviewers(&self.address, number);
        // Who was asked may have voted, and asking again would take that back.
        let asked = self.ask::<wire::List<wire::Reviewer>>(&request).await?.value;
        for id in self.identities(reviewers).await? {
            if !asked.iter().any(|known| known.id == id) {
                self.send(&requests::add_reviewer(&self.address, number, &id)).await?;
            }
        }
        Ok(())
    }

    async fn set_assignees(&self, _number: ProposalNumber, people: &[Account]) -> Result<(), ForgeError> {
        if people.is_empty() {
            return Ok(());
        }
        self.address.lacks("assign a pull request", "assignees of pull requests")
    }

    async fn whoami(&self) -> Result<Identity, ForgeError> {
        let request = requests::connection(&self.address);
        match self.ask::<wire::Connection>(&request).await?.account() {
            // What a token was made for is told to nobody.
            Some(account) => Ok(Identity { account: Some(account), scopes: None }),
            None => Err(ForgeError::new(&request.doing, ForgeErrorKind::Unauthorized)),
        }
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let repository = self.ask::<wire::Repository>(&requests::repository(&self.address)).await?;
        let rights = if self.may(&repository, ADMIN).await? {
            Rights::Admin
        } else if self.may(&repository, WRITE).await? {
            Rights::Write
        } else {
            Rights::Read
        };
        let default_branch = repository.default_branch();
        // The ways to merge are a policy of each branch.
        Ok(RepositoryFacts {
            rights: Some(rights),
            archived: repository.is_disabled,
            default_branch,
            methods: None,
        })
    }
}
