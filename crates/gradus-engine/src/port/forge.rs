//! Where proposals live.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, EnvironmentName, Group, Person, PipelineKey, ProposalNumber};
use gradus_core::pipeline::{MergeMethod, Repository, Reviewer};
use gradus_core::plan::CloseReason;
use gradus_core::tell::Light;
use jiff::Timestamp;

use super::dispatch::{DispatchOrder, DispatchRecord};
use super::repo::{CommitOrder, Repos, Written};
use super::{PortError, PortErrorKind};

/// A forge. Every call may be repeated.
#[async_trait]
pub trait Forge: Send + Sync {
    /// The proposal of this branch: the open one, or one that ended with the branch where it is. `head` is where the
    /// branch was seen.
    async fn find(&self, place: &ProposalPlace, head: &CommitId)
    -> Result<Option<ProposalRecord>, PortError>;

    /// Opens the proposal of a branch, or brings the open one's texts up to date.
    async fn ensure(&self, place: &ProposalPlace, text: &ProposalText) -> Result<ProposalRecord, PortError>;

    /// Merges: makes the merge commit if the base branch and the head are where
    /// they are expected to be, and clears up the branch.
    async fn merge(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        merge: &CommitOrder,
        way: MergeWay,
    ) -> Result<Merging, PortError>;

    /// Closes without merging, or clears up after a merge that was seen, and
    /// deletes the branch if it is still at `head`.
    async fn close(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        because: &CloseReason,
    ) -> Result<Written, PortError>;

    /// Says how an environment stands, where people look. What is so already costs nothing.
    async fn tell(&self, place: &ProposalPlace, standing: &Standing) -> Result<(), PortError> {
        let _nobody_looks = (place, standing);
        Ok(())
    }

    /// What people said of a proposal in reviews, oldest first. Nothing, where there are no reviews.
    async fn reviews(
        &self,
        _place: &ProposalPlace,
        _number: ProposalNumber,
    ) -> Result<Vec<ReviewRecord>, PortError> {
        Ok(Vec::new())
    }

    /// What was said below a proposal, oldest first. Nothing, where nobody can say anything.
    async fn comments(
        &self,
        _place: &ProposalPlace,
        _number: ProposalNumber,
    ) -> Result<Vec<CommentRecord>, PortError> {
        Ok(Vec::new())
    }

    /// Something that was said below a proposal is being answered: what is heard there next is asked for anew, because
    /// another one may be answering it, too.
    fn answers(&self, _place: &ProposalPlace) {}

    /// Says something below a proposal; in answer to comments, at which it puts a sign, where the forge has signs.
    async fn say(
        &self,
        place: &ProposalPlace,
        _number: ProposalNumber,
        _words: &str,
        _to: Option<&AnswerTo>,
    ) -> Result<(), PortError> {
        let doing = format!("answering below the proposal of {}", place.branch);
        Err(PortError::because(PortErrorKind::Unusable, doing, "nobody can say anything there"))
    }

    /// Who somebody is there, what they may do, and in which of these groups they are.
    async fn who(&self, place: &ProposalPlace, person: &Person, _groups: &[Group]) -> Result<Who, PortError> {
        let doing = format!("asking who {person} is at the proposal of {}", place.branch);
        Err(PortError::because(PortErrorKind::Unusable, doing, "nobody is known there"))
    }

    /// Asks somebody else's automation to make a change. Asked twice, it may run twice: only it can tell, by the id of
    /// the promotion.
    async fn dispatch(&self, order: &DispatchOrder) -> Result<DispatchRecord, PortError> {
        let doing = format!("asking automation for {} in {}", order.to, order.environment);
        let error = PortError::because(PortErrorKind::Unusable, doing, "nobody can be asked there");
        Err(error.with_hint("write `strategy: pull-request` or `strategy: push`"))
    }

    /// Whether what happens at the proposals of a repository is heard without asking.
    fn tells(&self, _repository: &Repository) -> bool {
        false
    }
}

/// What somebody said of a proposal in a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRecord {
    /// Who, by the name that the forge knows them by.
    pub by: Person,
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
    Yes,
    /// It may not.
    No,
    /// What was said before is taken back.
    Withdrawn,
}

/// Something that was said below a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentRecord {
    /// Which one, in the forge's own words.
    pub id: Arc<str>,
    /// Who said it.
    pub by: Person,
    /// Whether that was gradus.
    pub ours: bool,
    /// The text.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// The comments that an answer is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerTo {
    /// Which ones.
    pub comments: Vec<Arc<str>>,
    /// Whether it is a yes.
    pub yes: bool,
}

/// Who somebody is in a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The other names they are known by.
    pub aliases: Vec<Person>,
    /// Those of the groups that were asked for that they are in.
    pub groups: Vec<Group>,
    /// Whether they may say what becomes of a proposal; else why not, in words that fit behind "who".
    pub may: Result<(), String>,
}

/// Deletes the branch of a merged proposal. The merge has happened and is reported as such, whatever becomes of
/// this; what is left is found and closed at the next look.
pub async fn clear_up(repos: &dyn Repos, place: &ProposalPlace, head: &CommitId) {
    let (branch, repository) = (&place.branch, &place.repository.url);
    let deleted = match repos.open(&place.repository) {
        Ok(repo) => repo.delete(branch, head).await,
        Err(error) => Err(error),
    };
    match deleted {
        Ok(Written::Done(_) | Written::AlreadyTrue(_)) => {}
        Ok(Written::Stale(why) | Written::Refused(why)) => {
            tracing::info!(%branch, %repository, why, "the branch of a merged proposal stays");
        }
        Err(error) => {
            let error = error.in_full();
            tracing::warn!(%branch, %repository, error, "the branch of a merged proposal stays for now");
        }
    }
}

/// Which proposal: there is at most one open for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProposalPlace {
    /// The repository.
    pub repository: Repository,
    /// The branch it is for.
    pub base: BranchName,
    /// The branch it comes from. Its name follows from the pipeline and the environment.
    pub branch: BranchName,
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The environment.
    pub environment: EnvironmentName,
}

/// What people read of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalText {
    /// The commit that the branch is at.
    pub head: CommitId,
    /// The title.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// When it is opened or changed.
    pub at: Timestamp,
    /// What else is wanted of it.
    pub extras: Extras,
}

/// What is wanted of a proposal beside its texts. A forge does of it what it can.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// The labels that it must have.
    pub labels: Vec<Arc<str>>,
    /// Who is asked to review.
    pub reviewers: Vec<Reviewer>,
    /// Who is responsible.
    pub assignees: Vec<Arc<str>>,
    /// Whether it is opened as a draft.
    pub draft: bool,
    /// The milestone.
    pub milestone: Option<Arc<str>>,
}

/// What became of an order to merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merging {
    /// It is decided.
    Now(Written),
    /// The forge took the order, and merges once its own rules are met.
    Later,
}

/// How a proposal is to be merged, where the forge does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MergeWay {
    /// How; as the forge does by itself when absent.
    pub method: Option<MergeMethod>,
    /// Whether the forge merges once its own rules are met.
    pub queue: bool,
}

/// How an environment stands.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// What commits are marked with.
    pub statuses: Vec<Status>,
    /// What one comment below the proposal says.
    pub comment: Option<Sticky>,
    /// What is deployed.
    pub deployed: Option<Deployed>,
}

/// What a commit is marked with. There is one for each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which commit.
    pub commit: CommitId,
    /// The name.
    pub name: String,
    /// How it stands.
    pub light: Light,
    /// The same in a line.
    pub summary: String,
    /// Where there is more.
    pub url: Option<Arc<str>>,
}

/// A comment that is edited when it says something else.
#[derive(Debug, Clone)]
pub struct Sticky {
    /// Below which proposal.
    pub number: ProposalNumber,
    /// The same as long as it says the same, whenever it is made.
    pub mark: String,
    /// What it says, in Markdown.
    pub text: String,
}

/// A commit that is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Where.
    pub environment: String,
    /// Which.
    pub commit: CommitId,
    /// Whether it works.
    pub light: Light,
    /// The same in a line.
    pub summary: String,
}

impl PartialEq for Sticky {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number && self.mark == other.mark
    }
}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        self.statuses == other.statuses && self.comment == other.comment && self.deployed == other.deployed
    }
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRecord {
    /// Its number.
    pub number: ProposalNumber,
    /// Where people see it.
    pub url: Option<Arc<str>>,
    /// Since when it is open.
    pub since: Timestamp,
    /// When a person closed it without merging. It is then not open any more, and its branch is still there.
    pub declined: Option<Timestamp>,
    /// Since when the forge is to merge it once its own rules are met, where it was told so.
    pub queued: Option<Timestamp>,
}
