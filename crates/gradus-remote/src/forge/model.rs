//! What all forges have in common.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
pub use gradus_core::pipeline::MergeMethod;
use jiff::Timestamp;

/// A proposal as a forge keeps it: a pull request, or a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number in the repository.
    pub number: ProposalNumber,
    /// Where people see it.
    pub url: Arc<str>,
    /// The title.
    pub title: String,
    /// The text, in the forge's Markdown.
    pub body: String,
    /// The branch it comes from.
    pub head_branch: BranchName,
    /// The commit that branch is at, where the forge tells: a branch that is deleted is at none.
    pub head: Option<CommitId>,
    /// The branch it is for.
    pub base: BranchName,
    /// What became of it.
    pub state: PullState,
    /// Whether its author says that it is not ready.
    pub draft: bool,
    /// Whether it could be merged, as far as Git goes.
    pub mergeable: Mergeable,
    /// The labels on it.
    pub labels: BTreeSet<Label>,
    /// When it was opened.
    pub created: Timestamp,
    /// Whether its branch is in another repository. Such a one is never ours.
    pub from_fork: bool,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullState {
    /// It can be merged or closed.
    Open,
    /// The base branch has it.
    Merged {
        /// The commit that brought it, where the forge tells.
        commit: Option<CommitId>,
        /// Who merged it, where the forge tells.
        by: Option<Account>,
    },
    /// It was closed without being merged.
    Closed {
        /// Who closed it, where the forge tells.
        by: Option<Account>,
        /// When, where the forge tells.
        at: Option<Timestamp>,
    },
}

/// Whether Git could merge a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mergeable {
    /// It could.
    Yes,
    /// The forge has not found out yet, or does not tell.
    Unknown,
    /// It could not, for this reason.
    No(String),
}

/// What a proposal is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    /// The branch it comes from, in the same repository.
    pub head: BranchName,
    /// The branch it is for.
    pub base: BranchName,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// Whether it is not ready to be merged.
    pub draft: bool,
}

/// What is changed in an open proposal. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullChange {
    /// The new title.
    pub title: Option<String>,
    /// The new text.
    pub body: Option<String>,
    /// The new branch it is for.
    pub base: Option<BranchName>,
    /// Whether it is a draft, which some forges say in the title. It is not changed.
    pub draft: bool,
}

impl PullChange {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.title.is_none() && self.body.is_none() && self.base.is_none()
    }
}

/// A merge that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeOrder {
    /// The commit that the branch must be at. No other is merged.
    pub head: CommitId,
    /// How.
    pub method: MergeMethod,
    /// The first line of the commit's message.
    pub title: String,
    /// The rest of it.
    pub message: String,
    /// Whether the forge should delete the branch itself.
    pub delete_branch: bool,
    /// Whether the forge should merge once its own rules are met, in its queue where it has one.
    pub queue: bool,
}

impl MergeOrder {
    /// The whole message of the commit.
    pub fn text(&self) -> String {
        if self.message.is_empty() {
            self.title.clone()
        } else {
            format!("{}\n\n{}", self.title, self.message)
        }
    }
}

/// What a forge says to a merge that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// It is merged, by this commit where the answer names it.
    Done(Option<CommitId>),
    /// It waits in the forge's queue, or for its checks.
    Queued,
}

/// What somebody said of a proposal in a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub by: Account,
    /// What.
    pub verdict: Verdict,
    /// The commit that they looked at, where the forge keeps it.
    pub on: Option<CommitId>,
    /// When.
    pub at: Timestamp,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may come in.
    Approved,
    /// It may not, as it is.
    Changes,
    /// Neither.
    Commented,
    /// It was taken back, or does not count any more.
    Dismissed,
}

/// A status or a check run on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is called; there is one for each name.
    pub name: String,
    /// How it stands.
    pub state: CheckState,
    /// A line about it.
    pub summary: String,
    /// Where there is more.
    pub url: Option<String>,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It runs, or waits.
    Pending,
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It did not come to an end.
    Broken,
    /// It was left out, or says neither yes nor no.
    Neutral,
}

/// A status that gradus gives to a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheck {
    /// What it is called.
    pub name: String,
    /// How it stands.
    pub state: CheckState,
    /// A line about it.
    pub summary: String,
    /// Where there is more.
    pub url: Option<String>,
}

/// Something that was said below a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Which one.
    pub id: CommentId,
    /// Who said it.
    pub by: Account,
    /// The text.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// Which comment, in the forge's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommentId(pub String);

/// The name of an account, with which it signs in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub Arc<str>);

/// The name of a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub Arc<str>);

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A commit that runs in an environment, as forges show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    /// Where.
    pub environment: String,
    /// Which.
    pub commit: CommitId,
    /// The branch that it is on.
    pub branch: BranchName,
    /// Whether it works.
    pub state: CheckState,
    /// The same in a line.
    pub summary: String,
}

/// Which deployment, in the forge's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeploymentId(pub String);

/// Who is asked to review.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewers {
    /// People.
    pub people: Vec<Account>,
    /// Teams, by the name they have in the forge.
    pub teams: Vec<String>,
}

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account; absent where the credentials are of no person, such as an app.
    pub account: Option<Account>,
    /// What the token was made for, where the forge tells.
    pub scopes: Option<BTreeSet<String>>,
}

/// What a repository is like for these credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// What may be done, where the forge tells.
    pub rights: Option<Rights>,
    /// Whether nothing can be written any more.
    pub archived: bool,
    /// Its default branch.
    pub default_branch: Option<BranchName>,
    /// How proposals may be merged, where the forge tells.
    pub methods: Option<Vec<MergeMethod>>,
}

/// What credentials allow in a repository. Each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// To see it.
    Read,
    /// To push, to open and to merge.
    Write,
    /// To change its rules.
    Admin,
}

/// Who somebody is, as the forge knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// What they may do in the repository; nothing when absent.
    pub rights: Option<Rights>,
    /// Whether the repository is an organisation's, and they are none of its members.
    pub outside: bool,
    /// Whether it is a program's account.
    pub bot: bool,
    /// What else they are called, and may have in their commits.
    pub names: Vec<String>,
}

impl Standing {
    /// Whether they may say what becomes of a proposal; else why not, in words that fit behind "who".
    pub fn may_decide(&self) -> Result<(), &'static str> {
        match self.rights {
            _ if self.bot => Err("is a program"),
            _ if self.outside => Err("is no member of the organisation"),
            Some(Rights::Write | Rights::Admin) => Ok(()),
            Some(Rights::Read) | None => Err("may not write to the repository"),
        }
    }
}
