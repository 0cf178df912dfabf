//! GitHub, GitHub Enterprise Server and GitHub Enterprise Cloud, as `https://docs.github.com/rest` describes the
//! version 2022-11-28 of their API.

mod app;
mod facts;
mod later;
mod requests;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_engine::port::dispatch::DispatchOrder;
use serde::de::DeserializeOwned;

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::ForgeClient;
use super::error::{ForgeError, ForgeErrorKind};
use super::github_shape::Milestone;
use super::model::{
    Account, Check, CheckState, Comment, CommentId, DeploymentId, Identity, Label, MergeOrder, Merged,
    NewCheck, NewDeployment, NewPull, Pull, PullChange, PullState, RepositoryFacts, Review, Reviewers,
    Standing,
};
use super::people;
use super::request::Request;
use crate::http::Answer;

pub use app::Installation;

/// How many proposals of two branches that ended are looked through.
const ENDED: usize = 200;
/// How many pages of checks of one commit are read.
const PAGES: u32 = 20;
/// What a new label looks like.
const COLOUR: &str = "3b7dd8";

/// What became of an order to merge later.
enum Ordered {
    /// GitHub does it.
    Taken,
    /// It can be merged now. This is what it is called in the other API.
    Ready(String),
}

/// A repository in GitHub.
pub struct GitHub {
    client: Arc<ForgeClient>,
    address: RepoAddress,
    app: Option<Arc<Installation>>,
}

impl GitHub {
    /// What has to go with every request of the client.
    pub const HEADERS: &'static [(&'static str, &'static str)] = requests::HEADERS;

    /// The repository, through a client for [`RepoAddress::api`] that sends [the headers](Self::HEADERS).
    pub fn new(client: Arc<ForgeClient>, address: RepoAddress) -> Self {
        Self { client, address, app: None }
    }

    /// The same, as an app, whose tokens the client sends.
    pub fn as_app(self, app: Arc<Installation>) -> Self {
        Self { app: Some(app), ..self }
    }

    async fn send(&self, request: &Request) -> Result<Answer, ForgeError> {
        self.client.send(request).await.map_err(wire::understood)
    }

    async fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ForgeError> {
        self.client.read(request, &self.send(request).await?)
    }

    /// Says something to the other API.
    async fn say(&self, request: &Request) -> Result<(), ForgeError> {
        match self.ask::<later::Answered>(request).await?.read(request) {
            Err(error) if later::is_ordered(&error) => Ok(()),
            said => said,
        }
    }

    /// Orders a merge for when the rules are met. One that could be merged now is not waited for.
    async fn order(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Ordered, ForgeError> {
        let look = requests::pull(&self.address, number);
        let Some(node) = self.ask::<wire::PullRequest>(&look).await?.node_id else {
            let why = "the pull request has no node_id".to_owned();
            return Err(ForgeError::new(look.doing, ForgeErrorKind::Broken(why)));
        };
        let Some(request) = later::enable(&self.address, &node, order) else {
            return self.address.lacks("order a merge", "merges by fast-forward");
        };
        match self.say(&request).await {
            Ok(()) => Ok(Ordered::Taken),
            Err(error) if later::is_ready(&error) => Ok(Ordered::Ready(node)),
            Err(error) => Err(error),
        }
    }

    /// All pages of a list that is a member of something else.
    async fn all<T: DeserializeOwned, I>(
        &self,
        request: &Request,
        listed: fn(T) -> Vec<I>,
    ) -> Result<Vec<I>, ForgeError> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let request = request.clone().with("page", page.to_string());
            let answer = self.send(&request).await?;
            all.extend(listed(self.client.read(&request, &answer)?));
            if !answer.header("link").is_some_and(|link| link.contains("rel=\"next\"")) {
                return Ok(all);
            }
        }
        let why = format!("the list has more than {PAGES} pages");
        Err(ForgeError::new(&request.doing, ForgeErrorKind::Broken(why)))
    }
}

#[async_trait]
impl ForgeApi for GitHub {
    fn address(&self) -> &RepoAddress {
        &self.address
    }

    fn refuses_duplicates(&self) -> bool {
        true
    }

    async fn find_open(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::open_pulls(&self.address, head, base);
        let is_it = |pull: &wire::PullRequest| pull.is_of(head, base);
        let found = |pulls: &[wire::PullRequest]| pulls.iter().any(is_it);
        let pulls = self.client.pages(&request, found).await.map_err(wire::understood)?;
        pulls.into_iter().find(is_it).map(|pull| pull.read(&request)).transpose()
    }

    async fn find_ended(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::ended_pulls(&self.address, head, base);
        let is_it = |pull: &wire::PullRequest| pull.is_of(head, base);
        let enough = |pulls: &[wire::PullRequest]| pulls.len() >= ENDED || pulls.iter().any(is_it);
        let pulls = self.client.pages(&request, enough).await.map_err(wire::understood)?;
        let Some(pull) = pulls.into_iter().find(is_it) else { return Ok(None) };
        let mut pull = pull.read(&request)?;
        match &mut pull.state {
            // Lists do not say who it was.
            PullState::Merged { .. } => return self.get(pull.number).await.map(Some),
            PullState::Closed { by, .. } => {
                let request = requests::issue(&self.address, pull.number);
                let issue = self.ask::<wire::Issue>(&request).await?;
                *by = issue.closed_by.as_ref().map(wire::User::account);
            }
            PullState::Open => {}
        }
        Ok(Some(pull))
    }

    async fn get(&self, number: ProposalNumber) -> Result<Pull, ForgeError> {
        let request = requests::pull(&self.address, number);
        self.ask::<wire::PullRequest>(&request).await?.read(&request)
    }

    async fn create(&self, new: &NewPull) -> Result<Pull, ForgeError> {
        let request = requests::create_pull(&self.address, new);
        let made = self.ask::<wire::PullRequest>(&request).await;
        made.map_err(wire::create_refused)?.read(&request)
    }

    async fn update(&self, number: ProposalNumber, change: &PullChange) -> Result<Pull, ForgeError> {
        let request = requests::edit_pull(&self.address, number, change);
        self.ask::<wire::PullRequest>(&request).await?.read(&request)
    }

    async fn close(&self, number: ProposalNumber) -> Result<(), ForgeError> {
        self.send(&requests::close_pull(&self.address, number)).await.map(drop)
    }

    async fn merge(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Merged, ForgeError> {
        let Some(request) = requests::merge_pull(&self.address, number, order) else {
            let doing = format!("merge pull request {number} of {}", self.address);
            return Err(ForgeError::new(doing, ForgeErrorKind::Unsupported("merges by fast-forward")));
        };
        let node = if order.queue {
            match self.order(number, order).await? {
                Ordered::Taken => return Ok(Merged::Queued),
                Ordered::Ready(node) => Some(node),
            }
        } else {
            None
        };
        let result = match (self.ask::<wire::MergeResult>(&request).await, node) {
            (Err(error), Some(node)) if later::needs_queue(&error) => {
                self.say(&later::enqueue(&self.address, &node, order)).await?;
                return Ok(Merged::Queued);
            }
            (result, _) => result,
        };
        let result = match result {
            Ok(result) => result,
            Err(error) if wire::is_not_mergeable(&error) => {
                let look = requests::pull(&self.address, number);
                let why = self.ask::<wire::PullRequest>(&look).await?.why_not(error.words().to_owned());
                return Err(error.turned(why));
            }
            Err(error) => return Err(wire::merge_refused(error)),
        };
        if !result.merged {
            return Err(ForgeError::new(request.doing, ForgeErrorKind::Refused(result.message)));
        }
        if order.delete_branch {
            let pull = self.get(number).await?;
            self.delete_branch(&pull.head_branch).await?;
        }
        Ok(Merged::Done(CommitId::parse(&result.sha).ok()))
    }

    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        match self.send(&requests::delete_branch(&self.address, branch)).await {
            Err(error) if error.words().contains("Reference does not exist") => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    async fn reviews(&self, number: ProposalNumber) -> Result<Vec<Review>, ForgeError> {
        let request = requests::reviews(&self.address, number);
        let reviews = self.client.pages::<wire::PullReview>(&request, |_| false).await;
        let reviews = reviews.map_err(wire::understood)?;
        Ok(reviews.into_iter().filter_map(wire::PullReview::read).collect())
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<Check>, ForgeError> {
        let request = requests::statuses(&self.address, commit);
        let statuses = self.all(&request, |status: wire::CombinedStatus| status.statuses).await?;
        let request = requests::check_runs(&self.address, commit);
        let runs = self.all(&request, |runs: wire::CheckRuns| runs.check_runs).await?;
        let statuses = statuses.into_iter().map(wire::CommitStatus::read);
        Ok(wire::by_name(statuses.chain(runs.into_iter().map(wire::CheckRun::read))))
    }

    async fn set_check(&self, commit: &CommitId, check: &NewCheck) -> Result<(), ForgeError> {
        self.send(&requests::create_status(&self.address, commit, check)).await.map(drop)
    }

    async fn comments(&self, number: ProposalNumber) -> Result<Vec<Comment>, ForgeError> {
        let request = requests::comments(&self.address, number);
        let comments = self.client.pages::<wire::Comment>(&request, |_| false).await;
        Ok(comments.map_err(wire::understood)?.into_iter().map(wire::Comment::read).collect())
    }

    async fn comment(&self, number: ProposalNumber, body: &str) -> Result<CommentId, ForgeError> {
        let request = requests::create_comment(&self.address, number, body);
        Ok(self.ask::<wire::Comment>(&request).await?.read().id)
    }

    async fn edit_comment(
        &self,
        _number: ProposalNumber,
        comment: &CommentId,
        body: &str,
    ) -> Result<(), ForgeError> {
        self.send(&requests::edit_comment(&self.address, comment, body)).await.map(drop)
    }

    async fn set_labels(&self, number: ProposalNumber, labels: &[Label]) -> Result<(), ForgeError> {
        let request = requests::labels(&self.address);
        // GitHub's labels are the same in upper and lower case.
        let is_known = |known: &[wire::Label], label: &Label| {
            let name = label.0.to_lowercase();
            known.iter().any(|known| known.name.to_lowercase() == name)
        };
        let all = |known: &[wire::Label]| labels.iter().all(|label| is_known(known, label));
        let known = if labels.is_empty() { Vec::new() } else { self.client.pages(&request, all).await? };
        for label in labels.iter().filter(|label| !is_known(&known, label)) {
            match self.send(&requests::create_label(&self.address, label, COLOUR)).await {
                // Somebody else has made it at the same moment.
                Err(error) if error.status() == Some(422) && error.words().contains("already exists") => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        self.send(&requests::replace_labels(&self.address, number, labels)).await.map(drop)
    }

    async fn request_reviews(&self, number: ProposalNumber, reviewers: &Reviewers) -> Result<(), ForgeError> {
        self.send(&requests::request_reviews(&self.address, number, reviewers)).await.map(drop)
    }

    async fn set_assignees(&self, number: ProposalNumber, people: &[Account]) -> Result<(), ForgeError> {
        self.send(&requests::assign(&self.address, number, people)).await.map(drop)
    }

    async fn set_milestone(&self, number: ProposalNumber, title: &str) -> Result<(), ForgeError> {
        let request = requests::milestones(&self.address);
        let all = self.client.pages::<Milestone>(&request, |_| false).await?;
        let milestone = Milestone::find(&all, title, &request)?;
        let request =
            requests::set_milestone(&self.address, number, milestone.number.unwrap_or(milestone.id));
        self.send(&request).await.map(drop)
    }

    async fn deployment(
        &self,
        environment: &str,
        commit: &CommitId,
    ) -> Result<Option<(DeploymentId, Option<CheckState>)>, ForgeError> {
        let request = requests::deployments(&self.address, environment, commit);
        let Some(found) = self.ask::<Vec<wire::Deployment>>(&request).await?.into_iter().next() else {
            return Ok(None);
        };
        let id = DeploymentId(found.id.to_string());
        let statuses = requests::deployment_statuses(&self.address, &id);
        let newest = self.ask::<Vec<wire::DeploymentStatus>>(&statuses).await?.into_iter().next();
        Ok(Some((id, newest.map(wire::DeploymentStatus::read))))
    }

    async fn deploy(
        &self,
        new: &NewDeployment,
        known: Option<&DeploymentId>,
    ) -> Result<DeploymentId, ForgeError> {
        let id = match known {
            Some(id) => id.clone(),
            None => {
                let request = requests::create_deployment(&self.address, new);
                DeploymentId(self.ask::<wire::Deployment>(&request).await?.id.to_string())
            }
        };
        self.send(&requests::create_deployment_status(&self.address, &id, new)).await?;
        Ok(id)
    }

    async fn dispatch(&self, order: &DispatchOrder) -> Result<Option<Arc<str>>, ForgeError> {
        // It says nothing of the run that it begins, nor whether anything listens.
        self.send(&requests::dispatch(&self.address, order)).await.map(|_| None)
    }

    async fn whoami(&self) -> Result<Identity, ForgeError> {
        if let Some(app) = &self.app {
            return app.identity().await;
        }
        let request = requests::user();
        let answer = self.send(&request).await?;
        let user: wire::User = self.client.read(&request, &answer)?;
        let scopes = wire::scopes(answer.header("x-oauth-scopes"));
        Ok(Identity { account: Some(user.account()), scopes })
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let request = requests::repository(&self.address);
        let mut facts = self.ask::<wire::Repository>(&request).await?.read();
        if let Some(app) = &self.app {
            // What is told there is about people.
            facts.rights = Some(app.rights().await?);
        }
        Ok(facts)
    }

    async fn standing(&self, account: &Account) -> Result<Standing, ForgeError> {
        let permission = people::absent(self.ask(&people::permission(&self.address, account)).await)?;
        let rights = permission.and_then(|permission: people::Permission| permission.rights());
        people::standing(&self.client, &self.address, account, rights).await.map_err(wire::understood)
    }

    async fn is_member(&self, account: &Account, team: &str) -> Result<bool, ForgeError> {
        let (organisation, team) = people::team(&self.address, team);
        let request = requests::team_member(&organisation, team, account);
        let member = people::absent(self.ask::<wire::Membership>(&request).await)?;
        Ok(member.is_some_and(|member| member.state == "active"))
    }

    async fn react(&self, number: ProposalNumber, comment: &CommentId, yes: bool) -> Result<(), ForgeError> {
        self.send(&people::react(&self.address, number, comment, yes)).await.map(drop)
    }
}
