//! What Azure DevOps answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use jiff::Timestamp;
use serde::Deserialize;

use crate::forge::address::RepoAddress;
use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::{
    self, Account, Check, CheckState, CommentId, Label, Mergeable, Pull, PullState, Review, Verdict,
};
use crate::forge::request::{Request, escaped};

/// A list tells at most so many characters of a description.
const SHORTENED: usize = 400;

/// A list, or a page of one.
#[derive(Deserialize)]
pub(super) struct List<T> {
    #[serde(default = "Vec::new")]
    pub(super) value: Vec<T>,
}

impl<T> List<T> {
    /// What a page lists, and the request for the next one; `skip` is the name of where it begins.
    pub(super) fn split(
        skip: &'static str,
        request: &Request,
        page: Self,
    ) -> Result<(Vec<T>, Option<Request>), ForgeError> {
        if page.value.len() < super::requests::PAGE {
            return Ok((page.value, None));
        }
        let mut next = request.clone();
        let before = next.query.iter().find(|(name, _)| *name == skip);
        let before: usize = before.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
        next.query.retain(|(name, _)| *name != skip);
        let next = next.with(skip, (before + page.value.len()).to_string());
        Ok((page.value, Some(next)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PullRequest {
    pull_request_id: u64,
    title: String,
    #[serde(default)]
    description: Option<String>,
    status: String,
    #[serde(default)]
    is_draft: bool,
    source_ref_name: String,
    target_ref_name: String,
    merge_status: Option<String>,
    merge_failure_message: Option<String>,
    last_merge_source_commit: Option<Commit>,
    last_merge_commit: Option<Commit>,
    creation_date: Timestamp,
    closed_date: Option<Timestamp>,
    closed_by: Option<Identity>,
    #[serde(default)]
    labels: Option<Vec<Tag>>,
    /// Only there if it comes from another repository.
    fork_source: Option<serde::de::IgnoredAny>,
    repository: Repository,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit {
    commit_id: String,
}

impl PullRequest {
    pub(super) fn number(&self) -> ProposalNumber {
        ProposalNumber(self.pull_request_id)
    }

    pub(super) fn is_own(&self) -> bool {
        self.fork_source.is_none()
    }

    pub(super) fn is_open(&self) -> bool {
        self.status == "active"
    }

    pub(super) fn is_merged(&self) -> bool {
        self.status == "completed"
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.status == "abandoned"
    }

    /// Whether a list may have left out the end of its text.
    pub(super) fn is_shortened(&self) -> bool {
        self.description.as_ref().is_some_and(|text| text.chars().count() >= SHORTENED)
    }

    /// Where the branch was when the server last tried to merge it.
    pub(super) fn head(&self) -> Option<CommitId> {
        CommitId::parse(&self.last_merge_source_commit.as_ref()?.commit_id).ok()
    }

    pub(super) fn merge_commit(&self) -> Option<CommitId> {
        CommitId::parse(&self.last_merge_commit.as_ref()?.commit_id).ok()
    }

    pub(super) fn branch(&self) -> Option<BranchName> {
        BranchName::parse(short(&self.source_ref_name)).ok()
    }

    pub(super) fn project(&self) -> &str {
        &self.repository.project.id
    }

    /// What keeps it from being merged, where that is known already.
    pub(super) fn obstacle(&self) -> Option<ForgeErrorKind> {
        match self.merge_status.as_deref()? {
            "conflicts" => Some(ForgeErrorKind::Conflict("both have changed the same lines".to_owned())),
            "failure" => {
                let words = self.merge_failure_message.clone();
                Some(ForgeErrorKind::Refused(words.unwrap_or_else(|| "the merge failed".to_owned())))
            }
            _ => None,
        }
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.merge_status.as_deref() == Some("rejectedByPolicy")
    }

    pub(super) fn read(self, address: &RepoAddress, request: &Request) -> Result<Pull, ForgeError> {
        let broken = |why: String| ForgeError::new(&request.doing, ForgeErrorKind::Broken(why));
        let branch = |name: &str| {
            let name = short(name);
            BranchName::parse(name).map_err(|error| broken(format!("it names a branch {name:?}: {error}")))
        };
        let mergeable = match (self.merge_status.as_deref(), self.obstacle()) {
            (_, Some(ForgeErrorKind::Conflict(words) | ForgeErrorKind::Refused(words))) => {
                Mergeable::No(words)
            }
            (Some("succeeded"), _) => Mergeable::Yes,
            (Some(_) | None, _) => Mergeable::Unknown,
        };
        let (head, merge_commit, from_fork) = (self.head(), self.merge_commit(), !self.is_own());
        let by = self.closed_by.map(Identity::account);
        let state = match self.status.as_str() {
            "active" => PullState::Open,
            "completed" => PullState::Merged { commit: merge_commit, by },
            "abandoned" => PullState::Closed { by, at: self.closed_date },
            other => return Err(broken(format!("it has the unknown state {other:?}"))),
        };
        let mut url = address.web.clone();
        for part in address.owner.iter().map(String::as_str).chain(["_git", address.name.as_str()]) {
            url.push('/');
            url.push_str(&escaped(part));
        }
        let labels = self.labels.unwrap_or_default().into_iter();
        Ok(Pull {
            number: ProposalNumber(self.pull_request_id),
            url: Arc::from(format!("{url}/pullrequest/{}", self.pull_request_id)),
            title: self.title,
            body: self.description.unwrap_or_default(),
            head_branch: branch(&self.source_ref_name)?,
            head,
            base: branch(&self.target_ref_name)?,
            state,
            draft: self.is_draft,
            mergeable,
            labels: labels.map(|label| Label(label.name.into())).collect::<BTreeSet<_>>(),
            created: self.creation_date,
            from_fork,
        })
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    pub(super) id: String,
    #[serde(default)]
    unique_name: String,
}

impl Identity {
    pub(super) fn is(&self, account: &Account) -> bool {
        self.unique_name.eq_ignore_ascii_case(&account.0) || self.id.eq_ignore_ascii_case(&account.0)
    }

    fn account(self) -> Account {
        Account(self.unique_name.into())
    }
}

#[derive(Deserialize)]
pub(super) struct Tag {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reviewer {
    pub(super) id: String,
    #[serde(default)]
    unique_name: String,
    #[serde(default)]
    vote: i32,
    /// Whether it is a team, which votes by its people.
    #[serde(default)]
    is_container: bool,
}

impl Reviewer {
    /// What a vote says. Of which commit and when is not told.
    pub(super) fn read(self) -> Option<Review> {
        let verdict = match self.vote {
            1.. => Verdict::Approved,
            0 => return None,
            ..0 => Verdict::Changes,
        };
        let by = Account(self.unique_name.into());
        (!self.is_container).then_some(Review { by, verdict, on: None, at: Timestamp::UNIX_EPOCH })
    }
}

#[derive(Deserialize)]
pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Member {
    pub(super) identity: Identity,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    state: String,
    #[serde(default)]
    description: Option<String>,
    target_url: Option<String>,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    name: String,
    genre: Option<String>,
}

impl Status {
    pub(super) fn read(self) -> Check {
        let state = match self.state.as_str() {
            "succeeded" => CheckState::Passed,
            "failed" => CheckState::Failed,
            "error" => CheckState::Broken,
            "notApplicable" | "partiallySucceeded" => CheckState::Neutral,
            _ => CheckState::Pending,
        };
        let name = match self.context.genre.filter(|genre| !genre.is_empty()) {
            Some(genre) => format!("{genre}/{}", self.context.name),
            None => self.context.name,
        };
        Check { name, state, summary: self.description.unwrap_or_default(), url: self.target_url }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thread {
    id: u64,
    #[serde(default)]
    is_deleted: bool,
    #[serde(default)]
    comments: Vec<Comment>,
    /// Where in a file it is.
    thread_context: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    id: u64,
    author: Identity,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    comment_type: Option<String>,
    published_date: Timestamp,
    #[serde(default)]
    is_deleted: bool,
}

impl Thread {
    /// What was said of the whole, by people.
    pub(super) fn read(self) -> Vec<model::Comment> {
        if self.is_deleted || self.thread_context.is_some() {
            return Vec::new();
        }
        let said = self.comments.into_iter().filter(|comment| {
            !comment.is_deleted && comment.comment_type.as_deref().is_none_or(|kind| kind == "text")
        });
        said.map(|comment| model::Comment {
            id: CommentId(format!("{}/{}", self.id, comment.id)),
            by: comment.author.account(),
            body: comment.content.unwrap_or_default(),
            at: comment.published_date,
        })
        .collect()
    }

    /// The first comment of one that was just made.
    pub(super) fn first(&self) -> Option<CommentId> {
        self.comments.first().map(|comment| CommentId(format!("{}/{}", self.id, comment.id)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ref {
    pub(super) name: String,
    pub(super) object_id: String,
}

impl Ref {
    pub(super) fn is(&self, branch: &BranchName) -> bool {
        short(&self.name) == branch.as_str()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefUpdate {
    #[serde(default)]
    pub(super) success: bool,
    #[serde(default)]
    pub(super) update_status: String,
    pub(super) custom_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Repository {
    #[serde(default)]
    pub(super) id: String,
    pub(super) project: Project,
    default_branch: Option<String>,
    #[serde(default)]
    pub(super) is_disabled: bool,
}

#[derive(Deserialize)]
pub(super) struct Project {
    #[serde(default)]
    pub(super) id: String,
}

impl Repository {
    pub(super) fn default_branch(&self) -> Option<BranchName> {
        BranchName::parse(short(self.default_branch.as_deref()?)).ok()
    }
}

/// What a policy says of a pull request.
#[derive(Deserialize)]
pub(super) struct Evaluation {
    status: String,
    configuration: Configuration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default)]
    is_enabled: bool,
    #[serde(default)]
    is_blocking: bool,
    #[serde(rename = "type")]
    kind: PolicyKind,
    #[serde(default)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyKind {
    display_name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Settings {
    display_name: Option<String>,
    status_name: Option<String>,
    minimum_approver_count: Option<u32>,
}

impl Evaluation {
    /// What it asks for, if it keeps the pull request from being merged.
    pub(super) fn words(self) -> Option<String> {
        let Configuration { is_enabled, is_blocking, kind, settings } = self.configuration;
        let state = match self.status.as_str() {
            "approved" | "notApplicable" => return None,
            "queued" => "waits",
            "running" => "is running",
            "rejected" => "rejects it",
            _ => "is broken",
        };
        let more = settings.display_name.or(settings.status_name);
        let more = more.or_else(|| settings.minimum_approver_count.map(|count| count.to_string()));
        let more = more.map_or_else(String::new, |more| format!(" ({more})"));
        (is_enabled && is_blocking).then(|| format!("{}{more} {state}", kind.display_name))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection {
    authenticated_user: ConnectedUser,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectedUser {
    #[serde(default)]
    id: String,
    #[serde(default)]
    properties: ConnectedProperties,
}

#[derive(Deserialize, Default)]
struct ConnectedProperties {
    #[serde(rename = "Account")]
    account: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "$value")]
    value: String,
}

impl Connection {
    /// Whose credentials they are; `None` if they are nobody's, who has an identity too.
    pub(super) fn account(self) -> Option<Account> {
        if self.authenticated_user.id.starts_with("aaaaaaaa-aaaa-") {
            return None;
        }
        self.authenticated_user.properties.account.map(|account| Account(account.value.into()))
    }
}

/// What a failure means, by the name that it has in every language.
pub(super) fn understood(error: ForgeError) -> ForgeError {
    match (error.status(), error.code()) {
        (Some(409), "GitPullRequestExistsException") => error.turned(ForgeErrorKind::AlreadyExists),
        (Some(403), "GitNeedsPermissionException") => {
            let words = error.words().to_owned();
            // You need the Git 'PullRequestContribute' permission to perform this action.
            let missing = words.split_once("the Git '").and_then(|(_, rest)| rest.split_once('\''));
            let missing = missing.map(|(name, _)| format!("the permission {name}"));
            error.turned(ForgeErrorKind::Forbidden { missing, words })
        }
        (Some(409), _) => {
            let words = error.words().to_owned();
            error.turned(ForgeErrorKind::Refused(words))
        }
        (Some(_) | None, _) => error,
    }
}
