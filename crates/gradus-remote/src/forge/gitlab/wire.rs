//! What GitLab answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use jiff::Timestamp;
use serde::Deserialize;

use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::{
    self, Account, Check, CheckState, CommentId, DeploymentId, Label, MergeMethod, Mergeable, Pull,
    PullState, RepositoryFacts, Review, Rights, Verdict,
};
use crate::forge::request::Request;

/// A run of the project's automation.
#[derive(Deserialize)]
pub(super) struct Pipeline {
    pub(super) web_url: Option<String>,
}

/// Why GitLab begins no run.
pub(super) fn dispatch_refused(error: ForgeError) -> ForgeError {
    let words = error.words().trim_start_matches("base ").to_owned();
    match error.status() {
        Some(400) if words.contains("permissions to set pipeline variables") => {
            let setting = "minimum role to use pipeline variables";
            let more = format!("{words}; lower the project's {setting}, or raise the role of the account");
            error.turned(ForgeErrorKind::Refused(more))
        }
        Some(400 | 422) => error.turned(ForgeErrorKind::Refused(words)),
        Some(_) | None => error,
    }
}

#[derive(Deserialize)]
pub(super) struct MergeRequest {
    iid: u64,
    web_url: String,
    title: String,
    #[serde(default)]
    description: Option<String>,
    state: String,
    #[serde(default)]
    draft: bool,
    source_branch: String,
    target_branch: String,
    /// Absent for a moment after it was opened, and where the source is gone.
    source_project_id: Option<i64>,
    target_project_id: i64,
    sha: Option<String>,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    merge_user: Option<User>,
    merged_by: Option<User>,
    closed_by: Option<User>,
    closed_at: Option<Timestamp>,
    created_at: Timestamp,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    has_conflicts: bool,
    merge_status: Option<String>,
    detailed_merge_status: Option<String>,
    merge_error: Option<String>,
    #[serde(default)]
    reviewers: Option<Vec<User>>,
}

impl MergeRequest {
    /// Whether it is of this repository. What GitLab lists for it may come from a fork.
    pub(super) fn is_own(&self) -> bool {
        self.source_project_id == Some(self.target_project_id)
    }

    /// `locked` is a merge that is being done.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "opened" | "locked")
    }

    pub(super) fn branch(&self) -> &str {
        &self.source_branch
    }

    pub(super) fn is_draft(&self) -> bool {
        self.draft
    }

    pub(super) fn head(&self) -> Option<CommitId> {
        CommitId::parse(self.sha.as_deref()?).ok()
    }

    /// The commit that brought it.
    pub(super) fn merge_commit(&self) -> Option<CommitId> {
        // A fast-forward makes neither of the first two.
        let ids = [&self.merge_commit_sha, &self.squash_commit_sha, &self.sha];
        CommitId::parse(ids.into_iter().flatten().next()?).ok()
    }

    pub(super) fn is_merged(&self) -> bool {
        self.state == "merged"
    }

    pub(super) fn reviewers(&self) -> Vec<u64> {
        self.reviewers.iter().flatten().map(|user| user.id).collect()
    }

    pub(super) fn read(self, request: &Request) -> Result<Pull, ForgeError> {
        let broken = |why: String| ForgeError::new(&request.doing, ForgeErrorKind::Broken(why));
        let branch = |name: &str| {
            BranchName::parse(name).map_err(|error| broken(format!("it names a branch {name:?}: {error}")))
        };
        let (head_branch, base) = (branch(&self.source_branch)?, branch(&self.target_branch)?);
        let (head, commit, from_fork) = (self.head(), self.merge_commit(), !self.is_own());
        let mergeable = self.mergeable();
        let state = match self.state.as_str() {
            "opened" | "locked" => PullState::Open,
            "merged" => {
                PullState::Merged { commit, by: self.merge_user.or(self.merged_by).map(User::account) }
            }
            "closed" => PullState::Closed { by: self.closed_by.map(User::account), at: self.closed_at },
            other => return Err(broken(format!("it has the unknown state {other:?}"))),
        };
        let title = match self.title.strip_prefix("Draft: ") {
            Some(title) if self.draft => title.to_owned(),
            Some(_) | None => self.title,
        };
        Ok(Pull {
            number: ProposalNumber(self.iid),
            url: Arc::from(self.web_url),
            title,
            body: self.description.unwrap_or_default(),
            head_branch,
            head,
            base,
            state,
            draft: self.draft,
            mergeable,
            labels: self.labels.into_iter().map(|label| Label(label.into())).collect::<BTreeSet<_>>(),
            created: self.created_at,
            from_fork,
        })
    }

    fn mergeable(&self) -> Mergeable {
        let conflict = "both have changed the same lines";
        match (self.detailed_merge_status.as_deref(), self.merge_status.as_deref()) {
            _ if self.has_conflicts => Mergeable::No(conflict.to_owned()),
            (Some("conflict"), _) => Mergeable::No(conflict.to_owned()),
            (Some("need_rebase"), _) => Mergeable::No("it must be on top of the base branch".to_owned()),
            (_, Some("can_be_merged")) => Mergeable::Yes,
            (_, Some("cannot_be_merged")) => Mergeable::No("Git cannot merge it".to_owned()),
            (_, Some(_) | None) => Mergeable::Unknown,
        }
    }

    /// Why it cannot be merged. The answer to a merge does not say; the names are on the page
    /// `merge_requests/#merge-status`.
    pub(super) fn obstacle(&self) -> ForgeErrorKind {
        use ForgeErrorKind::{Conflict, NotReady, Refused};
        let words = match self.detailed_merge_status.as_deref().unwrap_or_default() {
            "conflict" => return Conflict("both have changed the same lines".to_owned()),
            status @ ("checking" | "unchecked" | "preparing" | "approvals_syncing") => {
                return NotReady(format!("the merge request is {}", status.replace('_', " ")));
            }
            "mergeable" => match &self.merge_error {
                Some(words) => words.as_str(),
                None => return NotReady("it could be merged now".to_owned()),
            },
            "not_approved" => "it needs more approvals",
            "requested_changes" => "a reviewer asks for changes",
            "discussions_not_resolved" => "not all discussions are resolved",
            "draft_status" => "it is a draft",
            "ci_must_pass" => "its pipeline must pass first",
            "ci_still_running" => "its pipeline is running",
            "status_checks_must_pass" | "external_status_checks" => "its status checks must pass first",
            "need_rebase" => "it must be on top of the base branch",
            "not_open" => "it is not open",
            "merge_request_blocked" | "blocked_status" => "another merge request must be merged first",
            "merge_time" => "it must not be merged before its time",
            "security_policy_violations" | "policies_denied" => "a security policy is not met",
            "jira_association_missing" => "its title or text must name a Jira issue",
            "title_regex" => "its title is not as the project asks",
            "locked_paths" | "locked_lfs_files" => "somebody has locked files that it changes",
            "commits_status" => "its branch must be there and have commits",
            other => return Refused(format!("GitLab says {other:?}")),
        };
        Refused(words.to_owned())
    }
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    username: String,
}

impl User {
    pub(super) fn account(self) -> Account {
        Account(self.username.into())
    }
}

/// What is told of an account.
#[derive(Deserialize)]
pub(super) struct Profile {
    pub(super) id: u64,
    username: String,
    pub(super) name: Option<String>,
    #[serde(default)]
    bot: bool,
}

impl Profile {
    /// Tokens of projects and groups have accounts with such names; that they are programs is not told to everybody.
    pub(super) fn is_bot(&self) -> bool {
        let made = self.username.starts_with("project_") || self.username.starts_with("group_");
        self.bot || (made && self.username.contains("_bot"))
    }
}

/// Somebody who is in a project or a group.
#[derive(Deserialize)]
pub(super) struct Member {
    access_level: u32,
}

impl Member {
    pub(super) fn rights(&self) -> Option<Rights> {
        match self.access_level {
            40.. => Some(Rights::Admin),
            30.. => Some(Rights::Write),
            10.. => Some(Rights::Read),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Branch {
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

impl Branch {
    pub(super) fn head(&self) -> Option<CommitId> {
        CommitId::parse(&self.commit.id).ok()
    }
}

#[derive(Deserialize)]
pub(super) struct Approvals {
    #[serde(default)]
    approved_by: Vec<Approval>,
}

#[derive(Deserialize)]
struct Approval {
    user: User,
    approved_at: Option<Timestamp>,
}

/// What a merge request was at a time.
#[derive(Deserialize)]
pub(super) struct Version {
    head_commit_sha: String,
    created_at: Timestamp,
}

impl Approvals {
    /// Whether any of them says when it was given, so that the commit can be told.
    pub(super) fn are_dated(&self) -> bool {
        self.approved_by.iter().any(|approval| approval.approved_at.is_some())
    }

    /// GitLab does not say on which commit an approval was given, but when, and what the merge request was at which
    /// time. It learns of a push a moment later, so that who approves in between approves of what was there before.
    pub(super) fn read(self, versions: &[Version]) -> impl Iterator<Item = Review> {
        let at = |time: Timestamp| {
            let before = versions.iter().filter(move |version| version.created_at <= time);
            let newest = before.max_by_key(|version| version.created_at)?;
            CommitId::parse(&newest.head_commit_sha).ok()
        };
        self.approved_by.into_iter().map(move |approval| Review {
            by: approval.user.account(),
            verdict: Verdict::Approved,
            on: approval.approved_at.and_then(at),
            at: approval.approved_at.unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Reviewer {
    user: User,
    state: String,
    created_at: Timestamp,
}

impl Reviewer {
    /// What a reviewer said that is no approval; those have a list of their own.
    pub(super) fn read(self) -> Option<Review> {
        let verdict = match self.state.as_str() {
            "requested_changes" => Verdict::Changes,
            "reviewed" => Verdict::Commented,
            _ => return None,
        };
        Some(Review { by: self.user.account(), verdict, on: None, at: self.created_at })
    }
}

#[derive(Deserialize)]
pub(super) struct CommitStatus {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    description: Option<String>,
    target_url: Option<String>,
}

impl CommitStatus {
    pub(super) fn read(self) -> Check {
        let state = match self.status.as_str() {
            "success" => CheckState::Passed,
            "failed" => CheckState::Failed,
            "canceled" | "canceling" => CheckState::Broken,
            "skipped" | "manual" => CheckState::Neutral,
            _ => CheckState::Pending,
        };
        let url = self.target_url.filter(|url| !url.is_empty());
        Check { name: self.name, state, summary: self.description.unwrap_or_default(), url }
    }
}

#[derive(Deserialize)]
pub(super) struct Note {
    id: u64,
    author: User,
    body: String,
    created_at: Timestamp,
    #[serde(default)]
    system: bool,
}

impl Note {
    /// What somebody said; `None` for what GitLab notes by itself.
    pub(super) fn read(self) -> Option<model::Comment> {
        let id = CommentId(self.id.to_string());
        (!self.system).then(|| model::Comment {
            id,
            by: self.author.account(),
            body: self.body,
            at: self.created_at,
        })
    }
}

/// Something that was made and has a number.
#[derive(Deserialize)]
pub(super) struct Made {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct Deployment {
    id: u64,
    pub(super) sha: String,
    status: String,
}

impl Deployment {
    pub(super) fn read(self) -> (DeploymentId, Option<CheckState>) {
        let state = match self.status.as_str() {
            "success" => Some(CheckState::Passed),
            "failed" => Some(CheckState::Failed),
            "canceled" => Some(CheckState::Broken),
            "created" | "running" | "blocked" => Some(CheckState::Pending),
            _ => None,
        };
        (DeploymentId(self.id.to_string()), state)
    }
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) scopes: BTreeSet<String>,
}

#[derive(Deserialize)]
pub(super) struct Project {
    #[serde(default)]
    archived: bool,
    default_branch: Option<String>,
    permissions: Option<Permissions>,
    merge_method: Option<String>,
    squash_option: Option<String>,
}

#[derive(Deserialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Deserialize)]
struct Access {
    access_level: u32,
}

impl Project {
    /// How the project lets merge requests be merged.
    pub(super) fn methods(&self) -> Option<Vec<MergeMethod>> {
        let usual = match self.merge_method.as_deref()? {
            "ff" => MergeMethod::FastForward,
            _ => MergeMethod::Merge,
        };
        let squash = self.squash_option.as_deref().is_none_or(|option| option != "never");
        let always = self.squash_option.as_deref() == Some("always");
        let methods = [(usual, !always), (MergeMethod::Squash, squash)];
        Some(methods.into_iter().filter_map(|(method, is_on)| is_on.then_some(method)).collect())
    }

    pub(super) fn read(self) -> RepositoryFacts {
        let methods = self.methods();
        // `project_members/#roles`: a developer pushes and merges, a maintainer sets the rules.
        let rights = self.permissions.and_then(|permissions| {
            let levels = [permissions.project_access, permissions.group_access];
            match levels.into_iter().flatten().map(|access| access.access_level).max()? {
                40.. => Some(Rights::Admin),
                30..40 => Some(Rights::Write),
                _ => Some(Rights::Read),
            }
        });
        RepositoryFacts {
            rights,
            archived: self.archived,
            default_branch: self.default_branch.and_then(|branch| BranchName::parse(&branch).ok()),
            methods,
        }
    }
}
