//! What Bitbucket Cloud answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use jiff::Timestamp;
use serde::Deserialize;

use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::{
    self, Account, Check, CheckState, CommentId, MergeMethod, Mergeable, Pull, PullState, Review, Rights,
    Verdict,
};
use crate::forge::request::Request;

/// One page of a list. `next` is where it goes on, to be taken as it is.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(default = "Vec::new")]
    values: Vec<T>,
    next: Option<String>,
}

impl<T> Page<T> {
    /// What it lists, and the request for the next one, which must be of the same API.
    pub(super) fn split(
        api: &str,
        request: &Request,
        page: Self,
    ) -> Result<(Vec<T>, Option<Request>), ForgeError> {
        let Some(next) = page.next else { return Ok((page.values, None)) };
        let Some(path) = next.strip_prefix(api).filter(|path| path.starts_with('/')) else {
            let why = ForgeErrorKind::Broken("its next page is at another address".to_owned());
            return Err(ForgeError::new(&request.doing, why));
        };
        let next = Request { path: path.to_owned(), query: Vec::new(), ..request.clone() };
        Ok((page.values, Some(next)))
    }
}

#[derive(Deserialize)]
pub(super) struct PullRequest {
    id: u64,
    pub(super) title: String,
    #[serde(default)]
    description: Option<String>,
    state: String,
    #[serde(default)]
    draft: bool,
    source: Side,
    destination: Side,
    merge_commit: Option<Commit>,
    closed_by: Option<User>,
    #[serde(default)]
    reviewers: Vec<User>,
    #[serde(default)]
    participants: Vec<Participant>,
    created_on: Timestamp,
    updated_on: Option<Timestamp>,
    #[serde(default)]
    links: Links,
}

#[derive(Deserialize)]
struct Side {
    branch: Branch,
    commit: Option<Commit>,
    /// Absent where a fork is gone.
    repository: Option<SideRepository>,
}

#[derive(Deserialize)]
pub(super) struct Branch {
    name: String,
    #[serde(default)]
    merge_strategies: Option<Vec<String>>,
}

impl Branch {
    pub(super) fn name(&self) -> Option<BranchName> {
        BranchName::parse(&self.name).ok()
    }

    /// How pull requests may be merged into it.
    pub(super) fn methods(&self) -> Option<Vec<MergeMethod>> {
        let strategies = self.merge_strategies.as_ref()?;
        let all = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase, MergeMethod::FastForward];
        let is_on = |method: &MergeMethod| {
            strategies.iter().any(|strategy| strategy == super::requests::strategy(*method))
        };
        Some(all.into_iter().filter(is_on).collect())
    }
}

#[derive(Deserialize)]
pub(super) struct Commit {
    pub(super) hash: String,
}

#[derive(Deserialize)]
struct SideRepository {
    uuid: String,
}

#[derive(Deserialize, Default)]
struct Links {
    html: Option<Link>,
}

#[derive(Deserialize)]
struct Link {
    href: String,
}

impl PullRequest {
    /// Whether both branches are of one repository.
    pub(super) fn is_own(&self) -> bool {
        match (&self.source.repository, &self.destination.repository) {
            (Some(source), Some(destination)) => source.uuid == destination.uuid,
            (_, _) => false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == "OPEN"
    }

    pub(super) fn is_merged(&self) -> bool {
        self.state == "MERGED"
    }

    pub(super) fn body(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }

    /// The first digits of the commit that the branch is at.
    pub(super) fn head(&self) -> Option<&str> {
        self.source.commit.as_ref().map(|commit| commit.hash.as_str())
    }

    /// The first digits of the commit that brought it.
    pub(super) fn merge_commit(&self) -> Option<&str> {
        self.merge_commit.as_ref().map(|commit| commit.hash.as_str())
    }

    /// The UUIDs of those who are asked to review.
    pub(super) fn reviewers(&self) -> Vec<String> {
        self.reviewers.iter().map(|reviewer| reviewer.uuid.clone()).collect()
    }

    /// What people said. It is not told of which commit.
    pub(super) fn reviews(self) -> Vec<Review> {
        let mut reviews: Vec<Review> = self.participants.into_iter().filter_map(Participant::read).collect();
        reviews.sort_by_key(|review| review.at);
        reviews
    }

    /// The proposal, with the whole ids of its commits.
    pub(super) fn read(
        self,
        request: &Request,
        head: Option<CommitId>,
        merge_commit: Option<CommitId>,
    ) -> Result<Pull, ForgeError> {
        let broken = |why: String| ForgeError::new(&request.doing, ForgeErrorKind::Broken(why));
        let branch = |name: &str| {
            BranchName::parse(name).map_err(|error| broken(format!("it names a branch {name:?}: {error}")))
        };
        let from_fork = !self.is_own();
        let by = self.closed_by.map(User::account);
        let state = match self.state.as_str() {
            "OPEN" => PullState::Open,
            "MERGED" => PullState::Merged { commit: merge_commit, by },
            "DECLINED" | "SUPERSEDED" => PullState::Closed { by, at: self.updated_on },
            other => return Err(broken(format!("it has the unknown state {other:?}"))),
        };
        Ok(Pull {
            number: ProposalNumber(self.id),
            url: self.links.html.map_or_else(|| Arc::from(""), |link| Arc::from(link.href)),
            title: self.title,
            body: self.description.unwrap_or_default(),
            head_branch: branch(&self.source.branch.name)?,
            head,
            base: branch(&self.destination.branch.name)?,
            state,
            draft: self.draft,
            mergeable: Mergeable::Unknown,
            labels: BTreeSet::new(),
            created: self.created_on,
            from_fork,
        })
    }
}

/// An account. Names that people see can be anything, also somebody else's; the UUID is theirs alone.
#[derive(Deserialize)]
pub(super) struct User {
    uuid: String,
}

impl User {
    pub(super) fn account(self) -> Account {
        Account(self.uuid.trim_matches(['{', '}']).into())
    }
}

#[derive(Deserialize)]
struct Participant {
    user: Option<User>,
    state: Option<String>,
    participated_on: Option<Timestamp>,
}

impl Participant {
    fn read(self) -> Option<Review> {
        let verdict = match self.state.as_deref()? {
            "approved" => Verdict::Approved,
            "changes_requested" => Verdict::Changes,
            _ => return None,
        };
        let at = self.participated_on.unwrap_or(Timestamp::UNIX_EPOCH);
        Some(Review { by: self.user?.account(), verdict, on: None, at })
    }
}

#[derive(Deserialize)]
pub(super) struct CommitStatus {
    key: String,
    name: Option<String>,
    state: String,
    description: Option<String>,
    url: Option<String>,
}

impl CommitStatus {
    pub(super) fn read(self) -> Check {
        let state = match self.state.as_str() {
            "SUCCESSFUL" => CheckState::Passed,
            "FAILED" => CheckState::Failed,
            "STOPPED" => CheckState::Broken,
            _ => CheckState::Pending,
        };
        let name = self.name.filter(|name| !name.is_empty()).unwrap_or(self.key);
        Check { name, state, summary: self.description.unwrap_or_default(), url: self.url }
    }
}

#[derive(Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    user: Option<User>,
    #[serde(default)]
    content: Content,
    created_on: Timestamp,
    #[serde(default)]
    deleted: bool,
    /// Where in a file it was said.
    inline: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct Content {
    #[serde(default)]
    raw: String,
}

impl Comment {
    /// What was said of the whole.
    pub(super) fn read(self) -> Option<model::Comment> {
        (!self.deleted && self.inline.is_none()).then(|| model::Comment {
            id: CommentId(self.id.to_string()),
            by: self.user.map_or_else(|| Account("".into()), User::account),
            body: self.content.raw,
            at: self.created_on,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) mainbranch: Option<Branch>,
}

#[derive(Deserialize)]
pub(super) struct Permission {
    permission: String,
}

impl Permission {
    pub(super) fn read(&self) -> Option<Rights> {
        match self.permission.as_str() {
            "admin" => Some(Rights::Admin),
            "write" => Some(Rights::Write),
            "read" => Some(Rights::Read),
            _ => None,
        }
    }
}

/// Why it does not merge.
pub(super) fn merge_refused(error: ForgeError) -> ForgeError {
    let words = error.words().to_owned();
    match error.status() {
        // It took too long, and is to be tried again later.
        Some(555) => error.turned(ForgeErrorKind::NotReady("merging took too long".to_owned())),
        Some(400 | 409) if words.to_ascii_lowercase().contains("conflict") => {
            error.turned(ForgeErrorKind::Conflict(words))
        }
        Some(409) => error.turned(ForgeErrorKind::Refused(words)),
        Some(_) | None => error,
    }
}
