//! What GitHub answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use jiff::Timestamp;
use serde::Deserialize;

use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::github_shape::{self, Permissions};
use crate::forge::model::{
    self, Account, Check, CheckState, CommentId, MergeMethod, Mergeable, Pull, PullState, RepositoryFacts,
    Review, Verdict,
};
use crate::forge::request::Request;

#[derive(Deserialize)]
pub(super) struct PullRequest {
    number: u64,
    /// What it is called in GitHub's other API.
    pub(super) node_id: Option<String>,
    html_url: String,
    title: String,
    body: Option<String>,
    state: String,
    #[serde(default)]
    draft: bool,
    merged_at: Option<Timestamp>,
    /// Of one that is open, it is a commit that was made to try the merge.
    merge_commit_sha: Option<String>,
    /// Lists do not tell this and the two that follow.
    merged_by: Option<User>,
    mergeable: Option<bool>,
    mergeable_state: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    created_at: Timestamp,
    closed_at: Option<Timestamp>,
    base: Side,
    head: Side,
}

/// One of the two branches.
#[derive(Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    reference: String,
    sha: String,
    /// Absent where the fork is gone.
    repo: Option<SideRepository>,
}

#[derive(Deserialize, PartialEq, Eq)]
struct SideRepository {
    id: u64,
}

impl PullRequest {
    /// Whether it is of these branches of one repository. The filter of the list takes any repository of the owner.
    pub(super) fn is_of(&self, head: &BranchName, base: &BranchName) -> bool {
        !self.is_from_fork() && self.base.reference == base.as_str() && self.head.reference == head.as_str()
    }

    fn is_from_fork(&self) -> bool {
        self.head.repo.is_none() || self.head.repo != self.base.repo
    }

    pub(super) fn read(self, request: &Request) -> Result<Pull, ForgeError> {
        let broken = |why: String| ForgeError::new(&request.doing, ForgeErrorKind::Broken(why));
        let branch = |name: &str| {
            BranchName::parse(name).map_err(|error| broken(format!("it names a branch {name:?}: {error}")))
        };
        let state = match (self.merged_at, self.state.as_str()) {
            (Some(_), _) => PullState::Merged {
                commit: self.merge_commit_sha.as_deref().and_then(|id| CommitId::parse(id).ok()),
                by: self.merged_by.as_ref().map(User::account),
            },
            (None, "open") => PullState::Open,
            (None, "closed") => PullState::Closed { by: None, at: self.closed_at },
            (None, other) => return Err(broken(format!("it has the unknown state {other:?}"))),
        };
        Ok(Pull {
            number: ProposalNumber(self.number),
            mergeable: self.mergeable(),
            from_fork: self.is_from_fork(),
            url: Arc::from(self.html_url),
            title: self.title,
            body: self.body.unwrap_or_default(),
            head_branch: branch(&self.head.reference)?,
            head: CommitId::parse(&self.head.sha).ok(),
            base: branch(&self.base.reference)?,
            state,
            draft: self.draft,
            labels: self.labels.into_iter().map(|label| model::Label(label.name.into())).collect(),
            created: self.created_at,
        })
    }

    /// `mergeable` is `null` until GitHub has tried it, and `mergeable_state` says more than it.
    pub(super) fn mergeable(&self) -> Mergeable {
        let because = |why: &str| Mergeable::No(why.to_owned());
        match (self.mergeable, self.mergeable_state.as_deref()) {
            (_, Some("dirty")) => because("the branches conflict"),
            (None, _) => Mergeable::Unknown,
            (_, Some("behind")) => {
                because("the rules of the base branch want the branch to have all of the base branch first")
            }
            (_, Some("blocked")) => because("the rules of the base branch are not met yet"),
            (_, Some("draft")) => because("it is a draft"),
            (Some(true), _) => Mergeable::Yes,
            (Some(false), _) => because("GitHub cannot merge it"),
        }
    }

    /// Why GitHub says no more than that it is not mergeable.
    pub(super) fn why_not(&self, words: String) -> ForgeErrorKind {
        let is_open = self.state == "open";
        match (self.mergeable_state.as_deref(), self.mergeable) {
            (_, _) if !is_open => ForgeErrorKind::Refused("it is not open any more".to_owned()),
            (Some("dirty"), _) => ForgeErrorKind::Conflict("both have changed the same lines".to_owned()),
            (_, None) => {
                ForgeErrorKind::NotReady("it is finding out whether the branches conflict".to_owned())
            }
            (_, Some(_)) => match self.mergeable() {
                Mergeable::No(why) => ForgeErrorKind::Refused(format!("{words}: {why}")),
                Mergeable::Yes | Mergeable::Unknown => ForgeErrorKind::Refused(words),
            },
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Issue {
    pub(super) closed_by: Option<User>,
}

#[derive(Deserialize)]
pub(super) struct User {
    login: String,
}

impl User {
    pub(super) fn account(&self) -> Account {
        Account(self.login.as_str().into())
    }
}

/// Whether somebody is in a team.
#[derive(Deserialize)]
pub(super) struct Membership {
    /// `pending`, as long as they were only invited.
    pub(super) state: String,
}

#[derive(Deserialize)]
pub(super) struct Label {
    pub(super) name: String,
}

/// What GitHub says to a merge that it takes.
#[derive(Deserialize)]
pub(super) struct MergeResult {
    pub(super) sha: String,
    pub(super) merged: bool,
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Deserialize)]
pub(super) struct PullReview {
    user: Option<User>,
    state: String,
    commit_id: Option<String>,
    submitted_at: Option<Timestamp>,
}

impl PullReview {
    /// What was said; `None` where it has not been sent yet, or where the account is gone.
    pub(super) fn read(self) -> Option<Review> {
        let verdict = match self.state.as_str() {
            "PENDING" => return None,
            "APPROVED" => Verdict::Approved,
            "CHANGES_REQUESTED" => Verdict::Changes,
            "DISMISSED" => Verdict::Dismissed,
            _ => Verdict::Commented,
        };
        Some(Review {
            by: self.user?.account(),
            verdict,
            on: self.commit_id.and_then(|id| CommitId::parse(&id).ok()),
            at: self.submitted_at.unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct DeploymentStatus {
    state: String,
}

impl DeploymentStatus {
    pub(super) fn read(self) -> CheckState {
        match self.state.as_str() {
            "success" => CheckState::Passed,
            "failure" => CheckState::Failed,
            "error" => CheckState::Broken,
            "inactive" => CheckState::Neutral,
            _ => CheckState::Pending,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct CombinedStatus {
    pub(super) statuses: Vec<CommitStatus>,
}

#[derive(Deserialize)]
pub(super) struct CommitStatus {
    state: String,
    target_url: Option<String>,
    description: Option<String>,
    context: String,
}

impl CommitStatus {
    pub(super) fn read(self) -> Check {
        let state = match self.state.as_str() {
            "success" => CheckState::Passed,
            "failure" => CheckState::Failed,
            "error" => CheckState::Broken,
            _ => CheckState::Pending,
        };
        let url = self.target_url.filter(|url| !url.is_empty());
        Check { name: self.context, state, summary: self.description.unwrap_or_default(), url }
    }
}

#[derive(Deserialize)]
pub(super) struct CheckRuns {
    pub(super) check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
pub(super) struct CheckRun {
    name: String,
    status: String,
    conclusion: Option<String>,
    details_url: Option<String>,
    html_url: Option<String>,
    output: Option<Output>,
}

#[derive(Deserialize)]
struct Output {
    title: Option<String>,
}

impl CheckRun {
    pub(super) fn read(self) -> Check {
        let state = match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("success")) => CheckState::Passed,
            ("completed", Some("failure")) => CheckState::Failed,
            ("completed", Some("neutral" | "skipped")) => CheckState::Neutral,
            // Somebody has to do something before it goes on.
            ("completed", Some("action_required")) => CheckState::Pending,
            ("completed", _) => CheckState::Broken,
            (_, _) => CheckState::Pending,
        };
        let url = self.html_url.or(self.details_url).filter(|url| !url.is_empty());
        let summary = self.output.and_then(|output| output.title).unwrap_or_default();
        Check { name: self.name, state, summary, url }
    }
}

/// One check for each name. Where several bear one name, as runs of two workflows may, the worst of them counts.
pub(super) fn by_name(all: impl IntoIterator<Item = Check>) -> Vec<Check> {
    let weight = |check: &Check| match check.state {
        CheckState::Passed => 0,
        CheckState::Neutral => 1,
        CheckState::Pending => 2,
        CheckState::Broken => 3,
        CheckState::Failed => 4,
    };
    let mut checks: BTreeMap<String, Check> = BTreeMap::new();
    for check in all {
        match checks.get(&check.name) {
            Some(known) if weight(known) >= weight(&check) => {}
            Some(_) | None => {
                checks.insert(check.name.clone(), check);
            }
        }
    }
    checks.into_values().collect()
}

#[derive(Deserialize)]
pub(super) struct Comment {
    id: u64,
    user: Option<User>,
    body: Option<String>,
    created_at: Timestamp,
}

impl Comment {
    pub(super) fn read(self) -> model::Comment {
        model::Comment {
            id: CommentId(self.id.to_string()),
            by: self.user.map_or_else(|| Account("".into()), |user| user.account()),
            body: self.body.unwrap_or_default(),
            at: self.created_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Repository {
    archived: bool,
    default_branch: String,
    permissions: Option<Permissions>,
    /// Only told to who may write.
    allow_merge_commit: Option<bool>,
    allow_squash_merge: Option<bool>,
    allow_rebase_merge: Option<bool>,
}

impl Repository {
    pub(super) fn read(self) -> RepositoryFacts {
        let told = [
            (self.allow_merge_commit, MergeMethod::Merge),
            (self.allow_squash_merge, MergeMethod::Squash),
            (self.allow_rebase_merge, MergeMethod::Rebase),
        ];
        RepositoryFacts {
            rights: self.permissions.and_then(Permissions::read),
            archived: self.archived,
            default_branch: BranchName::parse(&self.default_branch).ok(),
            methods: github_shape::methods(&told),
        }
    }
}

/// The scopes of a classic token, as `X-OAuth-Scopes` lists them. Other tokens have none.
pub(super) fn scopes(header: Option<&str>) -> Option<BTreeSet<String>> {
    let scopes = header?.split(',').map(str::trim).filter(|scope| !scope.is_empty());
    Some(scopes.map(str::to_owned).collect())
}

/// Refusals that GitHub tells by words only.
pub(super) fn understood(error: ForgeError) -> ForgeError {
    let words = error.words().to_owned();
    match error.status() {
        Some(403) if words.contains("was archived") => error.turned(ForgeErrorKind::Refused(words)),
        Some(301 | 307 | 308) => {
            let why = "the repository has another address now; correct the one that is written".to_owned();
            error.turned(ForgeErrorKind::Input(why))
        }
        Some(_) | None => error,
    }
}

/// Why GitHub opens none.
pub(super) fn create_refused(error: ForgeError) -> ForgeError {
    let words = error.words().to_owned();
    match error.status() {
        Some(422) if words.contains("A pull request already exists") => {
            error.turned(ForgeErrorKind::AlreadyExists)
        }
        Some(422) if words.contains("No commits between") => {
            let words = words.trim_start_matches("Validation Failed; ");
            error.turned(ForgeErrorKind::Refused(format!("the base branch has all of the branch: {words}")))
        }
        Some(_) | None => error,
    }
}

/// Why GitHub does not merge. Whoever asks has to look closer where it says that it is
/// [not mergeable](is_not_mergeable).
pub(super) fn merge_refused(error: ForgeError) -> ForgeError {
    const BUSY: [&str; 3] = ["Base branch was modified", "already in progress", "try again later"];
    let words = error.words().to_owned();
    let is_busy = BUSY.iter().any(|busy| words.contains(busy));
    match error.status() {
        Some(405 | 409) if is_busy => {
            error.turned(ForgeErrorKind::NotReady("the base branch is being changed".to_owned()))
        }
        Some(409) => error.turned(ForgeErrorKind::HeadMoved),
        Some(_) | None => error,
    }
}

/// Whether GitHub says no more than that.
pub(super) fn is_not_mergeable(error: &ForgeError) -> bool {
    error.status() == Some(405) && error.words() == "Pull Request is not mergeable"
}

#[derive(Deserialize)]
pub(super) struct Installation {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct InstallationToken {
    pub(super) token: String,
    pub(super) expires_at: Timestamp,
    /// Such as `contents` and `write`.
    #[serde(default)]
    pub(super) permissions: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests;
