//! What Gitea answers.

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

/// A title that begins so makes a draft.
pub(super) const DRAFT: &str = "WIP: ";

#[derive(Deserialize)]
pub(super) struct PullRequest {
    number: u64,
    html_url: String,
    title: String,
    #[serde(default)]
    body: String,
    state: String,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    merged: bool,
    merge_commit_sha: Option<String>,
    merged_by: Option<User>,
    #[serde(default)]
    mergeable: bool,
    labels: Option<Vec<Label>>,
    created_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    base: Side,
    head: Side,
}

/// One of the two branches. `ref` is `refs/pull/N/head` where a branch was deleted, and `label` still its name.
#[derive(Deserialize)]
struct Side {
    label: String,
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    sha: String,
    repo_id: i64,
}

impl PullRequest {
    /// Whether it is of these branches of one repository.
    pub(super) fn is_of(&self, head: &BranchName, base: &BranchName) -> bool {
        self.head.repo_id == self.base.repo_id
            && self.base.reference == base.as_str()
            && self.head.branch() == head.as_str()
    }

    pub(super) fn read(self, request: &Request) -> Result<Pull, ForgeError> {
        let broken = |why: String| ForgeError::new(&request.doing, ForgeErrorKind::Broken(why));
        let branch = |name: &str| {
            BranchName::parse(name).map_err(|error| broken(format!("it names a branch {name:?}: {error}")))
        };
        let commit = |id: &str| if id.is_empty() { None } else { CommitId::parse(id).ok() };
        let state = match (self.merged, self.state.as_str()) {
            (true, _) => PullState::Merged {
                commit: self.merge_commit_sha.as_deref().and_then(commit),
                by: self.merged_by.map(User::account),
            },
            (false, "open") => PullState::Open,
            (false, "closed") => PullState::Closed { by: None, at: self.closed_at },
            (false, other) => return Err(broken(format!("it has the unknown state {other:?}"))),
        };
        // A proposal that is being looked at, and one that conflicts, are told the same way.
        let mergeable = if self.mergeable { Mergeable::Yes } else { Mergeable::Unknown };
        let title = match self.title.strip_prefix(DRAFT) {
            Some(title) if self.draft => title.to_owned(),
            Some(_) | None => self.title,
        };
        Ok(Pull {
            number: ProposalNumber(self.number),
            url: Arc::from(self.html_url),
            title,
            body: self.body,
            head_branch: branch(self.head.branch())?,
            head: commit(&self.head.sha),
            base: branch(&self.base.reference)?,
            state,
            draft: self.draft,
            mergeable,
            labels: self
                .labels
                .unwrap_or_default()
                .into_iter()
                .map(|label| model::Label(label.name.into()))
                .collect(),
            created: self.created_at.unwrap_or(Timestamp::UNIX_EPOCH),
            from_fork: self.head.repo_id != self.base.repo_id,
        })
    }
}

impl Side {
    fn branch(&self) -> &str {
        if self.reference.starts_with("refs/pull/") {
            // From a fork that is gone, too; the owner is then before a colon.
            self.label.split_once(':').map_or(self.label.as_str(), |(_, branch)| branch)
        } else {
            &self.reference
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
    pub(super) fn account(self) -> Account {
        Account(self.login.into())
    }
}

/// Teams whose names have some text in them.
#[derive(Deserialize)]
pub(super) struct Teams {
    #[serde(default)]
    data: Vec<Label>,
}

impl Teams {
    /// The number of the one of this name.
    pub(super) fn id_of(&self, name: &str) -> Option<u64> {
        self.data.iter().find(|team| team.name.eq_ignore_ascii_case(name)).map(|team| team.id)
    }
}

/// What has a number and a name.
#[derive(Deserialize)]
pub(super) struct Label {
    pub(super) id: u64,
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct PullReview {
    user: Option<User>,
    state: String,
    #[serde(default)]
    commit_id: String,
    #[serde(default)]
    dismissed: bool,
    submitted_at: Option<Timestamp>,
}

impl PullReview {
    /// What was said; `None` where somebody has only been asked, or has not sent it yet.
    pub(super) fn read(self) -> Option<Review> {
        let verdict = match (self.dismissed, self.state.as_str()) {
            (_, "PENDING" | "REQUEST_REVIEW") => return None,
            (true, _) => Verdict::Dismissed,
            (false, "APPROVED") => Verdict::Approved,
            (false, "REQUEST_CHANGES") => Verdict::Changes,
            (false, _) => Verdict::Commented,
        };
        Some(Review {
            by: self.user?.account(),
            verdict,
            on: CommitId::parse(&self.commit_id).ok(),
            at: self.submitted_at.unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct CommitStatus {
    id: u64,
    status: String,
    #[serde(default)]
    target_url: String,
    #[serde(default)]
    description: String,
    context: String,
}

impl CommitStatus {
    /// The check and the number by which a newer one is told.
    pub(super) fn read(self) -> (u64, Check) {
        let state = match self.status.as_str() {
            "success" => CheckState::Passed,
            "failure" => CheckState::Failed,
            "error" => CheckState::Broken,
            "warning" | "skipped" => CheckState::Neutral,
            _ => CheckState::Pending,
        };
        let url = Some(self.target_url).filter(|url| !url.is_empty());
        (self.id, Check { name: self.context, state, summary: self.description, url })
    }
}

#[derive(Deserialize)]
pub(super) struct Comment {
    id: u64,
    user: Option<User>,
    body: String,
    created_at: Timestamp,
}

impl Comment {
    pub(super) fn read(self) -> model::Comment {
        model::Comment {
            id: CommentId(self.id.to_string()),
            by: self.user.map_or_else(|| Account("".into()), User::account),
            body: self.body,
            at: self.created_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Repository {
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    default_branch: String,
    permissions: Option<Permissions>,
    allow_merge_commits: Option<bool>,
    allow_rebase: Option<bool>,
    allow_squash_merge: Option<bool>,
    allow_fast_forward_only_merge: Option<bool>,
}

impl Repository {
    pub(super) fn read(self) -> RepositoryFacts {
        let told = [
            (self.allow_merge_commits, MergeMethod::Merge),
            (self.allow_squash_merge, MergeMethod::Squash),
            (self.allow_rebase, MergeMethod::Rebase),
            (self.allow_fast_forward_only_merge, MergeMethod::FastForward),
        ];
        RepositoryFacts {
            rights: self.permissions.and_then(Permissions::read),
            archived: self.archived,
            default_branch: BranchName::parse(&self.default_branch).ok(),
            methods: github_shape::methods(&told),
        }
    }
}

/// Whether it was told before to merge by itself.
pub(super) fn is_scheduled(error: &ForgeError) -> bool {
    error.status() == Some(409) && error.words().contains("already scheduled")
}

/// Why Gitea does not merge. The status says little; the words are from its sources.
pub(super) fn merge_refused(error: ForgeError) -> ForgeError {
    let words = error.words().to_owned();
    match error.status() {
        Some(405) if words.starts_with("Please try again later") => error
            .turned(ForgeErrorKind::NotReady("it is finding out whether the branches conflict".to_owned())),
        Some(409) if words.starts_with("head out of date") => error.turned(ForgeErrorKind::HeadMoved),
        Some(409) if words.starts_with("merge push out of date") => {
            error.turned(ForgeErrorKind::NotReady("the base branch has moved".to_owned()))
        }
        Some(409) if words.starts_with("PushRejected") => error.turned(ForgeErrorKind::Refused(words)),
        Some(409) if words.is_empty() => {
            error.turned(ForgeErrorKind::Conflict("both have changed the same lines".to_owned()))
        }
        Some(_) | None => error,
    }
}
