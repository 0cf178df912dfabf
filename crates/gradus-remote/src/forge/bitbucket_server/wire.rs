//! What Bitbucket Data Center answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use jiff::Timestamp;
use serde::Deserialize;

use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::{
    self, Account, Check, CheckState, CommentId, MergeMethod, Mergeable, Pull, PullState, Review, Verdict,
};
use crate::forge::request::Request;

/// One page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    values: Vec<T>,
    #[serde(default)]
    is_last_page: bool,
    next_page_start: Option<u64>,
}

impl<T> Page<T> {
    /// What it lists, and the request for the next one.
    pub(super) fn split(request: &Request, page: Self) -> Result<(Vec<T>, Option<Request>), ForgeError> {
        let next = page.next_page_start.filter(|_| !page.is_last_page).map(|start| {
            let mut next = request.clone();
            next.query.retain(|(name, _)| *name != "start");
            next.with("start", start.to_string())
        });
        Ok((page.values, next))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PullRequest {
    id: u64,
    pub(super) version: u64,
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    state: String,
    #[serde(default)]
    draft: bool,
    created_date: i64,
    closed_date: Option<i64>,
    from_ref: Ref,
    to_ref: Ref,
    #[serde(default)]
    reviewers: Vec<Participant>,
    #[serde(default)]
    participants: Vec<Participant>,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    links: Links,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ref {
    id: String,
    latest_commit: Option<String>,
    repository: RefRepository,
}

#[derive(Deserialize)]
struct RefRepository {
    id: u64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Properties {
    merge_commit: Option<Commit>,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

#[derive(Deserialize, Default)]
struct Links {
    #[serde(rename = "self", default)]
    own: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    href: String,
}

impl Ref {
    fn branch(&self) -> &str {
        self.id.strip_prefix("refs/heads/").unwrap_or(&self.id)
    }
}

impl PullRequest {
    fn is_own(&self) -> bool {
        self.from_ref.repository.id == self.to_ref.repository.id
    }

    /// Whether it is of these branches of one repository.
    pub(super) fn is_of(&self, head: &BranchName, base: &BranchName) -> bool {
        self.is_own() && self.from_ref.branch() == head.as_str() && self.to_ref.branch() == base.as_str()
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == "OPEN"
    }

    pub(super) fn is_declined(&self) -> bool {
        self.state == "DECLINED"
    }

    pub(super) fn is_merged(&self) -> bool {
        self.state == "MERGED"
    }

    pub(super) fn head(&self) -> Option<CommitId> {
        CommitId::parse(self.from_ref.latest_commit.as_deref()?).ok()
    }

    pub(super) fn merge_commit(&self) -> Option<CommitId> {
        CommitId::parse(&self.properties.merge_commit.as_ref()?.id).ok()
    }

    /// The names of those who are asked to review.
    pub(super) fn reviewers(&self) -> Vec<String> {
        self.reviewers.iter().map(|reviewer| reviewer.user.name.clone()).collect()
    }

    /// What people said; the times are told elsewhere.
    pub(super) fn reviews(self) -> impl Iterator<Item = Review> {
        self.reviewers.into_iter().chain(self.participants).filter_map(Participant::read)
    }

    pub(super) fn read(self, request: &Request) -> Result<Pull, ForgeError> {
        let broken = |why: String| ForgeError::new(&request.doing, ForgeErrorKind::Broken(why));
        let branch = |name: &str| {
            BranchName::parse(name).map_err(|error| broken(format!("it names a branch {name:?}: {error}")))
        };
        let state = match self.state.as_str() {
            "OPEN" => PullState::Open,
            "MERGED" => PullState::Merged { commit: self.merge_commit(), by: None },
            "DECLINED" => PullState::Closed { by: None, at: self.closed_date.map(time) },
            other => return Err(broken(format!("it has the unknown state {other:?}"))),
        };
        Ok(Pull {
            number: ProposalNumber(self.id),
            head_branch: branch(self.from_ref.branch())?,
            base: branch(self.to_ref.branch())?,
            head: self.head(),
            from_fork: !self.is_own(),
            url: self.links.own.into_iter().next().map_or_else(|| Arc::from(""), |link| Arc::from(link.href)),
            title: self.title,
            body: self.description,
            state,
            draft: self.draft,
            // Only asking for the merge itself would tell.
            mergeable: Mergeable::Unknown,
            labels: BTreeSet::new(),
            created: time(self.created_date),
        })
    }
}

/// Times are told in milliseconds.
fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[derive(Deserialize)]
pub(super) struct User {
    name: String,
}

impl User {
    fn account(self) -> Account {
        Account(self.name.into())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Participant {
    user: User,
    status: Option<String>,
    last_reviewed_commit: Option<String>,
}

impl Participant {
    fn read(self) -> Option<Review> {
        let verdict = match self.status.as_deref() {
            Some("APPROVED") => Verdict::Approved,
            Some("NEEDS_WORK") => Verdict::Changes,
            Some(_) | None => return None,
        };
        let on = self.last_reviewed_commit.and_then(|id| CommitId::parse(&id).ok());
        Some(Review { by: self.user.account(), verdict, on, at: Timestamp::UNIX_EPOCH })
    }
}

/// Something that happened to a pull request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Activity {
    action: String,
    created_date: i64,
    user: User,
    comment_action: Option<String>,
    comment: Option<Comment>,
    /// Where in a file it was said.
    comment_anchor: Option<serde::de::IgnoredAny>,
}

impl Activity {
    /// A comment on the whole.
    pub(super) fn comment(self) -> Option<model::Comment> {
        let is_one = self.action == "COMMENTED"
            && self.comment_anchor.is_none()
            && self.comment_action.as_deref().is_none_or(|action| action == "ADDED");
        let comment = self.comment.filter(|_| is_one)?;
        Some(model::Comment {
            id: CommentId(comment.id.to_string()),
            by: comment.author.account(),
            body: comment.text,
            at: time(comment.created_date),
        })
    }

    /// Whether it is what this account said in its review, and when.
    pub(super) fn reviewed(&self, review: &Review) -> Option<Timestamp> {
        let action = match review.verdict {
            Verdict::Approved => "APPROVED",
            Verdict::Changes | Verdict::Commented | Verdict::Dismissed => "REVIEWED",
        };
        (self.action == action && *self.user.name == *review.by.0).then(|| time(self.created_date))
    }

    /// Who closed it, if that is what happened.
    pub(super) fn declined(&self) -> Option<Account> {
        (self.action == "DECLINED").then(|| Account(self.user.name.as_str().into()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) version: u64,
    pub(super) text: String,
    author: User,
    created_date: i64,
}

#[derive(Deserialize)]
pub(super) struct BuildStatus {
    key: String,
    name: Option<String>,
    state: String,
    description: Option<String>,
    url: Option<String>,
}

impl BuildStatus {
    pub(super) fn read(self) -> Check {
        let state = match self.state.as_str() {
            "SUCCESSFUL" => CheckState::Passed,
            "FAILED" => CheckState::Failed,
            "CANCELLED" => CheckState::Broken,
            "UNKNOWN" => CheckState::Neutral,
            _ => CheckState::Pending,
        };
        let name = self.name.filter(|name| !name.is_empty()).unwrap_or(self.key);
        Check { name, state, summary: self.description.unwrap_or_default(), url: self.url }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mergeability {
    #[serde(default)]
    conflicted: bool,
    outcome: Option<String>,
    #[serde(default)]
    vetoes: Vec<Veto>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Veto {
    #[serde(default)]
    summary_message: String,
    #[serde(default)]
    detailed_message: String,
}

impl Mergeability {
    /// What keeps it from being merged, in the words of who forbids it.
    pub(super) fn obstacle(self) -> Option<ForgeErrorKind> {
        let mut words = Vec::new();
        for Veto { summary_message, detailed_message } in self.vetoes {
            let word = if detailed_message.is_empty() { summary_message } else { detailed_message };
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
        if self.conflicted || self.outcome.as_deref() == Some("CONFLICTED") {
            Some(ForgeErrorKind::Conflict("both have changed the same lines".to_owned()))
        } else if !words.is_empty() {
            Some(ForgeErrorKind::Refused(words.join("; ")))
        } else if self.outcome.as_deref() == Some("UNKNOWN") {
            let words = "it is finding out whether the branches conflict".to_owned();
            Some(ForgeErrorKind::NotReady(words))
        } else {
            None
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) name: String,
    #[serde(default)]
    pub(super) archived: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefaultBranch {
    display_id: String,
}

impl DefaultBranch {
    pub(super) fn read(self) -> Option<BranchName> {
        BranchName::parse(&self.display_id).ok()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    merge_config: Option<MergeConfig>,
}

#[derive(Deserialize)]
struct MergeConfig {
    #[serde(default)]
    strategies: Vec<Strategy>,
}

#[derive(Deserialize)]
struct Strategy {
    id: String,
    #[serde(default)]
    enabled: bool,
}

impl Settings {
    pub(super) fn methods(self) -> Option<Vec<MergeMethod>> {
        let strategies = self.merge_config?.strategies;
        let all = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase, MergeMethod::FastForward];
        let is_on = |method: &MergeMethod| {
            let id = super::requests::strategy(*method);
            strategies.iter().any(|strategy| strategy.enabled && strategy.id == id)
        };
        Some(all.into_iter().filter(is_on).collect())
    }
}

/// What a failure means. Who may not do something is told so with the status of who is not known.
pub(super) fn understood(error: ForgeError) -> ForgeError {
    let code = error.code().rsplit('.').next().unwrap_or_default().to_owned();
    match (error.status(), code.as_str()) {
        (Some(401), "AuthorisationException") => {
            error.turned(ForgeErrorKind::Forbidden { missing: None, words: String::new() })
        }
        (Some(409), "DuplicatePullRequestException") => error.turned(ForgeErrorKind::AlreadyExists),
        (Some(409), "PullRequestOutOfDateException" | "CommentOutOfDateException") => {
            error.turned(ForgeErrorKind::NotReady("somebody has changed it just now".to_owned()))
        }
        (Some(409), _) => {
            let words = error.words().to_owned();
            error.turned(ForgeErrorKind::Refused(words))
        }
        (Some(_) | None, _) => error,
    }
}
