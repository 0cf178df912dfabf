//! Gitea and Forgejo, as `/swagger.v1.json` of Gitea 1.26 describes them.

mod facts;
mod requests;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::ForgeClient;
use super::error::{ForgeError, ForgeErrorKind};
use super::github_shape::Milestone;
use super::model::{
    Account, Check, Comment, CommentId, Identity, Label, MergeOrder, Merged, NewCheck, NewPull, Pull,
    PullChange, PullState, RepositoryFacts, Review, Reviewers, Rights, Standing,
};
use super::people;

/// How many proposals of a branch that ended are looked through, in pages.
const ENDED: usize = 200;
/// What a new label looks like.
const COLOUR: &str = "#3b7dd8";

/// A repository in Gitea.
pub struct Gitea {
    client: Arc<ForgeClient>,
    address: RepoAddress,
}

impl Gitea {
    /// The repository, through a client for [`RepoAddress::api`].
    pub fn new(client: Arc<ForgeClient>, address: RepoAddress) -> Self {
        Self { client, address }
    }
}

#[async_trait]
impl ForgeApi for Gitea {
    fn address(&self) -> &RepoAddress {
        &self.address
    }

    fn refuses_duplicates(&self) -> bool {
        true
    }

    async fn find_open(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        // The API filters by the base branch only.
        let request = requests::open_pulls(&self.address, base);
        let is_it = |pull: &wire::PullRequest| pull.is_of(head, base);
        let pulls =
            self.client.pages(&request, |pulls: &[wire::PullRequest]| pulls.iter().any(is_it)).await?;
        // Two may have been opened at the same moment: the first one counts.
        let pulls = pulls.into_iter().filter(is_it).map(|pull| pull.read(&request));
        Ok(pulls.collect::<Result<Vec<_>, _>>()?.into_iter().min_by_key(|pull| pull.number))
    }

    async fn find_ended(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::ended_pulls(&self.address, base);
        let is_it = |pull: &wire::PullRequest| pull.is_of(head, base);
        let enough = |pulls: &[wire::PullRequest]| pulls.len() >= ENDED || pulls.iter().any(is_it);
        let pulls = self.client.pages(&request, enough).await?;
        let Some(pull) = pulls.into_iter().find(is_it) else { return Ok(None) };
        let mut pull = pull.read(&request)?;
        if let PullState::Closed { by, .. } = &mut pull.state {
            let request = requests::issue(&self.address, pull.number);
            *by = self.client.ask::<wire::Issue>(&request).await?.closed_by.map(wire::User::account);
        }
        Ok(Some(pull))
    }

    async fn get(&self, number: ProposalNumber) -> Result<Pull, ForgeError> {
        let request = requests::pull(&self.address, number);
        self.client.ask::<wire::PullRequest>(&request).await?.read(&request)
    }

    async fn create(&self, new: &NewPull) -> Result<Pull, ForgeError> {
        let request = requests::create_pull(&self.address, new);
        let made = self.client.ask::<wire::PullRequest>(&request).await.map_err(|error| {
            if error.status() == Some(409) { error.turned(ForgeErrorKind::AlreadyExists) } else { error }
        });
        made?.read(&request)
    }

    async fn update(&self, number: ProposalNumber, change: &PullChange) -> Result<Pull, ForgeError> {
        let request = requests::edit_pull(&self.address, number, change);
        self.client.ask::<wire::PullRequest>(&request).await?.read(&request)
    }

    async fn close(&self, number: ProposalNumber) -> Result<(), ForgeError> {
        self.client.send(&requests::close_pull(&self.address, number)).await.map(drop)
    }

    async fn merge(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Merged, ForgeError> {
        let request = requests::merge_pull(&self.address, number, order);
        match self.client.send(&request).await {
            Ok(answer) if answer.status == 201 => Ok(Merged::Queued),
            Ok(_) => Ok(Merged::Done(None)),
            Err(error) if order.queue && wire::is_scheduled(&error) => Ok(Merged::Queued),
            Err(error) => Err(wire::merge_refused(error)),
        }
    }

    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        match self.client.send(&requests::delete_branch(&self.address, branch)).await {
            Err(error) if *error.kind() != ForgeErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn reviews(&self, number: ProposalNumber) -> Result<Vec<Review>, ForgeError> {
        let request = requests::reviews(&self.address, number);
        let reviews = self.client.pages::<wire::PullReview>(&request, |_| false).await?;
        Ok(reviews.into_iter().filter_map(wire::PullReview::read).collect())
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<Check>, ForgeError> {
        let request = requests::statuses(&self.address, commit);
        let mut newest: BTreeMap<String, (u64, Check)> = BTreeMap::new();
        for status in self.client.pages::<wire::CommitStatus>(&request, |_| false).await? {
            let (id, check) = status.read();
            match newest.get(&check.name) {
                Some((known, _)) if *known > id => {}
                Some(_) | None => {
                    newest.insert(check.name.clone(), (id, check));
                }
            }
        }
        Ok(newest.into_values().map(|(_, check)| check).collect())
    }

    async fn set_check(&self, commit: &CommitId, check: &NewCheck) -> Result<(), ForgeError> {
        self.client.send(&requests::create_status(&self.address, commit, check)).await.map(drop)
    }

    async fn comments(&self, number: ProposalNumber) -> Result<Vec<Comment>, ForgeError> {
        let request = requests::comments(&self.address, number);
        // This list has no pages.
        let comments = self.client.ask::<Vec<wire::Comment>>(&request).await?;
        Ok(comments.into_iter().map(wire::Comment::read).collect())
    }

    async fn comment(&self, number: ProposalNumber, body: &str) -> Result<CommentId, ForgeError> {
        let request = requests::create_comment(&self.address, number, body);
        Ok(self.client.ask::<wire::Comment>(&request).await?.read().id)
    }

    async fn edit_comment(
        &self,
        _number: ProposalNumber,
        comment: &CommentId,
        body: &str,
    ) -> Result<(), ForgeError> {
        self.client.send(&requests::edit_comment(&self.address, comment, body)).await.map(drop)
    }

    async fn set_labels(&self, number: ProposalNumber, labels: &[Label]) -> Result<(), ForgeError> {
        let request = requests::labels(&self.address);
        let known = self.client.pages::<wire::Label>(&request, |_| false).await?;
        let mut ids = Vec::new();
        for label in labels {
            let id = match known.iter().find(|known| known.name == *label.0) {
                Some(known) => known.id,
                None => {
                    let request = requests::create_label(&self.address, label, COLOUR);
                    self.client.ask::<wire::Label>(&request).await?.id
                }
            };
            ids.push(id);
        }
        self.client.send(&requests::replace_labels(&self.address, number, &ids)).await.map(drop)
    }

    async fn request_reviews(&self, number: ProposalNumber, reviewers: &Reviewers) -> Result<(), ForgeError> {
        self.client.send(&requests::request_reviews(&self.address, number, reviewers)).await.map(drop)
    }

    async fn set_assignees(&self, number: ProposalNumber, people: &[Account]) -> Result<(), ForgeError> {
        self.client.send(&requests::assign(&self.address, number, people)).await.map(drop)
    }

    async fn set_milestone(&self, number: ProposalNumber, title: &str) -> Result<(), ForgeError> {
        let request = requests::milestones(&self.address, title);
        let all = self.client.pages::<Milestone>(&request, |_| false).await?;
        let milestone = Milestone::find(&all, title, &request)?;
        let request = requests::set_milestone(&self.address, number, milestone.id);
        self.client.send(&request).await.map(drop)
    }

    async fn whoami(&self) -> Result<Identity, ForgeError> {
        let user = self.client.ask::<wire::User>(&requests::user()).await?;
        // What a token is for is only told to its account's password.
        Ok(Identity { account: Some(user.account()), scopes: None })
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let request = requests::repository(&self.address);
        Ok(self.client.ask::<wire::Repository>(&request).await?.read())
    }

    async fn standing(&self, account: &Account) -> Result<Standing, ForgeError> {
        let rights =
            match self.client.ask::<people::Permission>(&people::permission(&self.address, account)).await {
                Ok(permission) => permission.rights(),
                // Who may not ask that may ask who can be made responsible: those who may write.
                Err(error) if error.status() == Some(403) => {
                    let writers =
                        self.client.ask::<Vec<wire::User>>(&requests::assignees(&self.address)).await?;
                    let name = account.0.to_lowercase();
                    let may = writers.into_iter().any(|user| user.account().0.to_lowercase() == name);
                    Some(if may { Rights::Write } else { Rights::Read })
                }
                Err(error) if *error.kind() == ForgeErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        people::standing(&self.client, &self.address, account, rights).await
    }

    async fn is_member(&self, account: &Account, team: &str) -> Result<bool, ForgeError> {
        let (organisation, team) = people::team(&self.address, team);
        let request = requests::teams(&organisation, team);
        let Some(found) = people::absent(self.client.ask::<wire::Teams>(&request).await)? else {
            return Ok(false);
        };
        let Some(id) = found.id_of(team) else { return Ok(false) };
        let request = requests::team_member(id, account);
        people::absent(self.client.send(&request).await).map(|found| found.is_some())
    }

    async fn react(&self, number: ProposalNumber, comment: &CommentId, yes: bool) -> Result<(), ForgeError> {
        self.client.send(&people::react(&self.address, number, comment, yes)).await.map(drop)
    }
}
