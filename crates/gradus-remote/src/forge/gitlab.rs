//! GitLab, gitlab.com and self-hosted, by version 4 of its API. Merge requests are numbered by their `iid`.

mod facts;
mod requests;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_engine::port::dispatch::DispatchOrder;

use super::address::RepoAddress;
use super::api::ForgeApi;
use super::client::ForgeClient;
use super::error::{ForgeError, ForgeErrorKind};
use super::github_shape::no_milestone;
use super::model::{
    Account, Check, CheckState, Comment, CommentId, DeploymentId, Identity, Label, MergeMethod, MergeOrder,
    Merged, NewCheck, NewDeployment, NewPull, Pull, PullChange, RepositoryFacts, Review, Reviewers, Standing,
    Verdict,
};
use super::people;

/// How many merge requests that ended are looked through, in pages.
const ENDED: usize = 200;

/// A project in GitLab.
pub struct GitLab {
    client: Arc<ForgeClient>,
    address: RepoAddress,
}

impl GitLab {
    /// The project, through a client for [`RepoAddress::api`].
    pub fn new(client: Arc<ForgeClient>, address: RepoAddress) -> Self {
        Self { client, address }
    }

    async fn look(&self, number: ProposalNumber) -> Result<wire::MergeRequest, ForgeError> {
        self.client.ask(&requests::pull(&self.address, number)).await
    }

    /// The numbers of accounts.
    async fn ids(&self, people: &[Account]) -> Result<Vec<u64>, ForgeError> {
        let mut ids = Vec::new();
        for account in people {
            let request = requests::users(account);
            match self.client.ask::<Vec<wire::User>>(&request).await?.first() {
                Some(user) => ids.push(user.id),
                None => {
                    let why = format!("there is no account {account}");
                    return Err(ForgeError::new(&request.doing, ForgeErrorKind::Input(why)));
                }
            }
        }
        Ok(ids)
    }

    /// Why a merge was refused: its answer has a status and few words, and the merge request knows.
    async fn understood(&self, number: ProposalNumber, order: &MergeOrder, error: ForgeError) -> ForgeError {
        let status = error.status();
        if !matches!(status, Some(400 | 401 | 403 | 405 | 406 | 409 | 422)) {
            return error;
        }
        let pull = match self.look(number).await {
            Ok(pull) => pull,
            Err(worse) => return worse,
        };
        if !pull.is_open() {
            return error.turned(ForgeErrorKind::Refused("it is not open".to_owned()));
        }
        if pull.head().as_ref() != Some(&order.head) {
            return match self.branch_of(number, &pull).await {
                // It has not noticed the last push yet.
                Ok(head) if head.as_ref() == Some(&order.head) => error.turned(ForgeErrorKind::NotReady(
                    "the merge request has not seen the last push".to_owned(),
                )),
                Ok(_) => error.turned(ForgeErrorKind::HeadMoved),
                Err(worse) => worse,
            };
        }
        // Who may not merge is told so with the status of who is not known, and the merge request was answered.
        if matches!(status, Some(401 | 403)) {
            let words = "the account may not merge into this branch".to_owned();
            return error.turned(ForgeErrorKind::Forbidden { missing: None, words });
        }
        error.turned(pull.obstacle())
    }

    async fn branch_of(
        &self,
        number: ProposalNumber,
        pull: &wire::MergeRequest,
    ) -> Result<Option<CommitId>, ForgeError> {
        if !pull.is_own() {
            return Ok(None);
        }
        let Ok(branch) = BranchName::parse(pull.branch()) else { return Ok(None) };
        let request = requests::branch(&self.address, &branch);
        match self.client.ask::<wire::Branch>(&request).await {
            Ok(found) => Ok(found.head()),
            Err(error) if *error.kind() == ForgeErrorKind::NotFound => Ok(None),
            Err(error) => {
                tracing::debug!(%number, %error, "the branch of a merge request cannot be seen");
                Err(error)
            }
        }
    }

    /// Whether the project merges so. Only squashing is a choice of each merge request.
    async fn check_method(&self, method: MergeMethod) -> Result<(), ForgeError> {
        let doing = || format!("merge by {} in {}", method.word(), self.address);
        match method {
            MergeMethod::Squash => return Ok(()),
            MergeMethod::Rebase => {
                let lacks = ForgeErrorKind::Unsupported(
                    "rebase with a merge in one step: it makes another head that nobody has seen",
                );
                return Err(ForgeError::new(doing(), lacks));
            }
            MergeMethod::Merge | MergeMethod::FastForward => {}
        }
        let request = requests::project(&self.address);
        match self.client.ask::<wire::Project>(&request).await?.methods() {
            Some(methods) if !methods.contains(&method) => {
                let words: Vec<&str> = methods.iter().map(|method| method.word()).collect();
                let why = format!("the project merges by {} only", words.join(" and "));
                Err(ForgeError::new(doing(), ForgeErrorKind::Refused(why)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[async_trait]
impl ForgeApi for GitLab {
    fn address(&self) -> &RepoAddress {
        &self.address
    }

    fn refuses_duplicates(&self) -> bool {
        true
    }

    /// `merge_requests/#create-mr`: the description has at most 1,048,576 characters.
    fn longest_body(&self) -> usize {
        1_048_576
    }

    async fn find_open(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::open_pulls(&self.address, head, base);
        let is_it = |pull: &wire::MergeRequest| pull.is_own();
        let pulls =
            self.client.pages(&request, |pulls: &[wire::MergeRequest]| pulls.iter().any(is_it)).await?;
        let pulls = pulls.into_iter().filter(is_it).map(|pull| pull.read(&request));
        Ok(pulls.collect::<Result<Vec<_>, _>>()?.into_iter().min_by_key(|pull| pull.number))
    }

    async fn find_ended(&self, head: &BranchName, base: &BranchName) -> Result<Option<Pull>, ForgeError> {
        let request = requests::ended_pulls(&self.address, head, base);
        let is_it = |pull: &wire::MergeRequest| pull.is_own() && !pull.is_open();
        let enough = |pulls: &[wire::MergeRequest]| pulls.len() >= ENDED || pulls.iter().any(is_it);
        let pulls = self.client.pages(&request, enough).await?;
        pulls.into_iter().find(is_it).map(|pull| pull.read(&request)).transpose()
    }

    async fn get(&self, number: ProposalNumber) -> Result<Pull, ForgeError> {
        let request = requests::pull(&self.address, number);
        self.client.ask::<wire::MergeRequest>(&request).await?.read(&request)
    }

    async fn create(&self, new: &NewPull) -> Result<Pull, ForgeError> {
        let request = requests::create_pull(&self.address, new);
        let made = self.client.ask::<wire::MergeRequest>(&request).await.map_err(|error| {
            if error.status() == Some(409) { error.turned(ForgeErrorKind::AlreadyExists) } else { error }
        });
        made?.read(&request)
    }

    async fn update(&self, number: ProposalNumber, change: &PullChange) -> Result<Pull, ForgeError> {
        // What a person made a draft stays one.
        let draft = change.title.is_some() && self.look(number).await?.is_draft();
        let request = requests::edit_pull(&self.address, number, change, draft);
        self.client.ask::<wire::MergeRequest>(&request).await?.read(&request)
    }

    async fn close(&self, number: ProposalNumber) -> Result<(), ForgeError> {
        match self.client.send(&requests::close_pull(&self.address, number)).await {
            Ok(_) => Ok(()),
            // What is closed cannot be closed.
            Err(error) if matches!(error.status(), Some(400 | 422)) => match self.look(number).await? {
                pull if pull.is_open() || pull.is_merged() => Err(error),
                _ => Ok(()),
            },
            Err(error) => Err(error),
        }
    }

    async fn merge(&self, number: ProposalNumber, order: &MergeOrder) -> Result<Merged, ForgeError> {
        self.check_method(order.method).await?;
        let request = requests::merge_pull(&self.address, number, order);
        match self.client.ask::<wire::MergeRequest>(&request).await {
            Ok(pull) if pull.is_merged() => Ok(Merged::Done(pull.merge_commit())),
            Ok(_) => Ok(Merged::Queued),
            Err(error) => Err(self.understood(number, order, error).await),
        }
    }

    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        match self.client.send(&requests::delete_branch(&self.address, branch)).await {
            Err(error) if *error.kind() != ForgeErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn reviews(&self, number: ProposalNumber) -> Result<Vec<Review>, ForgeError> {
        let request = requests::approvals(&self.address, number);
        let approvals = self.client.ask::<wire::Approvals>(&request).await?;
        let versions = match approvals.are_dated() {
            true => self.client.pages(&requests::versions(&self.address, number), |_| false).await?,
            false => Vec::new(),
        };
        let request = requests::reviewers(&self.address, number);
        let others = self.client.ask::<Vec<wire::Reviewer>>(&request).await?;
        let others: Vec<Review> = others.into_iter().filter_map(wire::Reviewer::read).collect();
        // Of a reviewer only the last word is told, and not when it was said.
        let is_against =
            |by: &Account| others.iter().any(|review| review.by == *by && review.verdict == Verdict::Changes);
        let mut reviews: Vec<Review> =
            approvals.read(&versions).filter(|review| !is_against(&review.by)).collect();
        reviews.extend(others);
        reviews.sort_by_key(|review| review.at);
        Ok(reviews)
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<Check>, ForgeError> {
        let request = requests::statuses(&self.address, commit);
        // One name may have a status in each of several pipelines.
        let mut newest: BTreeMap<String, wire::CommitStatus> = BTreeMap::new();
        for status in self.client.pages::<wire::CommitStatus>(&request, |_| false).await? {
            if newest.get(&status.name).is_none_or(|known| known.id < status.id) {
                newest.insert(status.name.clone(), status);
            }
        }
        Ok(newest.into_values().map(wire::CommitStatus::read).collect())
    }

    async fn set_check(&self, commit: &CommitId, check: &NewCheck) -> Result<(), ForgeError> {
        match self.client.send(&requests::create_status(&self.address, commit, check)).await {
            Ok(_) => Ok(()),
            // A status cannot go from one state to the same.
            Err(error) if error.words().contains("Cannot transition status") => {
                let checks = self.checks(commit).await?;
                let is_so = |known: &Check| known.name == check.name && known.state == check.state;
                if checks.iter().any(is_so) { Ok(()) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn comments(&self, number: ProposalNumber) -> Result<Vec<Comment>, ForgeError> {
        let request = requests::comments(&self.address, number);
        let notes = self.client.pages::<wire::Note>(&request, |_| false).await?;
        Ok(notes.into_iter().filter_map(wire::Note::read).collect())
    }

    async fn comment(&self, number: ProposalNumber, body: &str) -> Result<CommentId, ForgeError> {
        let request = requests::create_comment(&self.address, number, body);
        let note = self.client.ask::<wire::Made>(&request).await?;
        Ok(CommentId(note.id.to_string()))
    }

    async fn edit_comment(
        &self,
        number: ProposalNumber,
        comment: &CommentId,
        body: &str,
    ) -> Result<(), ForgeError> {
        self.client.send(&requests::edit_comment(&self.address, number, comment, body)).await.map(drop)
    }

    async fn set_labels(&self, number: ProposalNumber, labels: &[Label]) -> Result<(), ForgeError> {
        let request = requests::replace_labels(&self.address, number, labels);
        if let Some(label) = labels.iter().find(|label| label.0.contains(',')) {
            let why = format!("{label:?} has a comma, which GitLab takes for the end of a label");
            return Err(ForgeError::new(&request.doing, ForgeErrorKind::Input(why)));
        }
        self.client.send(&request).await.map(drop)
    }

    async fn request_reviews(&self, number: ProposalNumber, reviewers: &Reviewers) -> Result<(), ForgeError> {
        if !reviewers.teams.is_empty() {
            let lacks = ForgeErrorKind::Unsupported("review that is asked of a group");
            let doing = format!("ask for reviews of merge request {number} of {}", self.address);
            return Err(ForgeError::new(doing, lacks));
        }
        // The list is replaced as a whole: those who were asked stay.
        let mut all = self.look(number).await?.reviewers();
        let before = all.len();
        for id in self.ids(&reviewers.people).await? {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        if all.len() == before {
            return Ok(());
        }
        self.client.send(&requests::request_reviews(&self.address, number, &all)).await.map(drop)
    }

    async fn set_assignees(&self, number: ProposalNumber, people: &[Account]) -> Result<(), ForgeError> {
        let ids = self.ids(people).await?;
        self.client.send(&requests::assign(&self.address, number, &ids)).await.map(drop)
    }

    async fn set_milestone(&self, number: ProposalNumber, title: &str) -> Result<(), ForgeError> {
        let request = requests::milestones(&self.address, title);
        let found = self.client.ask::<Vec<wire::Made>>(&request).await?;
        let milestone = found.first().ok_or_else(|| no_milestone(title, &request))?;
        self.client.send(&requests::set_milestone(&self.address, number, milestone.id)).await.map(drop)
    }

    async fn deployment(
        &self,
        environment: &str,
        commit: &CommitId,
    ) -> Result<Option<(DeploymentId, Option<CheckState>)>, ForgeError> {
        let request = requests::deployments(&self.address, environment);
        let all = self.client.ask::<Vec<wire::Deployment>>(&request).await?;
        Ok(all.into_iter().find(|deployment| deployment.sha == commit.as_str()).map(wire::Deployment::read))
    }

    async fn deploy(
        &self,
        new: &NewDeployment,
        known: Option<&DeploymentId>,
    ) -> Result<DeploymentId, ForgeError> {
        if let Some(id) = known {
            self.client.send(&requests::update_deployment(&self.address, id, new.state)).await?;
            return Ok(id.clone());
        }
        let made = self.client.ask::<wire::Made>(&requests::create_deployment(&self.address, new)).await?;
        Ok(DeploymentId(made.id.to_string()))
    }

    async fn dispatch(&self, order: &DispatchOrder) -> Result<Option<Arc<str>>, ForgeError> {
        let request = requests::create_pipeline(&self.address, order);
        let begun = self.client.ask::<wire::Pipeline>(&request).await.map_err(wire::dispatch_refused)?;
        Ok(begun.web_url.map(Arc::from))
    }

    async fn whoami(&self) -> Result<Identity, ForgeError> {
        let user = self.client.ask::<wire::User>(&requests::user()).await?;
        // Only tokens of people, projects and groups have an answer to this; one by OAuth has none.
        let scopes = match self.client.ask::<wire::Token>(&requests::token()).await {
            Ok(token) => Some(token.scopes),
            Err(error) if matches!(error.status(), Some(400 | 401 | 403 | 404)) => None,
            Err(error) => return Err(error),
        };
        Ok(Identity { account: Some(user.account()), scopes })
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let request = requests::project(&self.address);
        Ok(self.client.ask::<wire::Project>(&request).await?.read())
    }

    async fn standing(&self, account: &Account) -> Result<Standing, ForgeError> {
        let request = requests::users(account);
        let found = self.client.ask::<Vec<wire::Profile>>(&request).await?;
        let Some(user) = found.into_iter().next() else { return Ok(Standing::default()) };
        let member = self.client.ask::<wire::Member>(&requests::member(&self.address, user.id)).await;
        let rights = people::absent(member)?.and_then(|member| member.rights());
        Ok(Standing { rights, outside: false, bot: user.is_bot(), names: user.name.into_iter().collect() })
    }

    async fn is_member(&self, account: &Account, team: &str) -> Result<bool, ForgeError> {
        let Some(id) = self.ids(std::slice::from_ref(account)).await?.first().copied() else {
            return Ok(false);
        };
        let member = self.client.ask::<wire::Member>(&requests::group_member(team, id)).await;
        people::absent(member).map(|member| member.is_some())
    }

    async fn react(&self, number: ProposalNumber, comment: &CommentId, yes: bool) -> Result<(), ForgeError> {
        match self.client.send(&requests::award(&self.address, number, comment, yes)).await {
            // It is there already.
            Err(error) if error.status() == Some(404) => Ok(()),
            done => done.map(drop),
        }
    }
}
