//! What was seen outside, each fact with its age, or why it is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::names::{
    ArtifactName, CheckName, CommitId, EnvironmentName, Group, Person, ProposalNumber, RepoPath, RequestId,
    TargetName,
};
use crate::release::Release;
use crate::version::Version;

/// A fact, or why it is not known. What is unknown holds; it never passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// It was seen.
    Known(T),
    /// It could not be seen.
    Unknown(Why),
}

/// Why a fact is not known: one sentence, without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Why(pub Arc<str>);

impl Why {
    /// A reason in words.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Seen<T> {
    /// An unknown fact, with the reason in words.
    pub fn unknown(why: impl AsRef<str>) -> Self {
        Self::Unknown(Why::new(why))
    }

    /// The fact, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unknown(_) => None,
        }
    }
}

/// Everything that was seen of one pipeline.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Each environment of the pipeline.
    pub environments: BTreeMap<EnvironmentName, EnvironmentSeen>,
    /// For artifacts whose versions have no order of their own: the sequence in
    /// which they were seen, oldest first.
    pub order: BTreeMap<ArtifactName, Vec<Version>>,
}

/// Everything that was seen of one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentSeen {
    /// What Git declares.
    pub declared: Seen<Declared>,
    /// What each target does.
    pub targets: BTreeMap<TargetName, Seen<TargetState>>,
    /// What that rests on, for targets that can tell.
    pub evidence: BTreeMap<TargetName, Arc<[Evidence]>>,
    /// The open proposal.
    pub proposal: Seen<Option<ProposalSeen>>,
    /// What people asked for by name, oldest first.
    pub requests: Seen<Vec<Request>>,
    /// What people approved.
    pub approvals: Seen<Vec<Approval>>,
    /// What outside checks reported.
    pub checks: Seen<Vec<CheckFact>>,
    /// The spans in which it was healthy, as recorded; the current one may be among them.
    pub proofs: Seen<Vec<Proof>>,
    /// What gradus last wrote here, as recorded.
    pub promoted: Seen<Option<Release>>,
    /// What somebody else's automation was asked for here, as recorded.
    pub dispatched: Seen<Vec<Dispatched>>,
    /// Who brought what Git declares here and declared before, newest first, as far
    /// as its history was looked at.
    pub brought: Arc<[Brought]>,
    /// What merging the branch before into this one's comes to, where that was tried.
    pub merge: Option<MergeSeen>,
}

/// A merge that was tried, without writing anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeSeen {
    /// The commit that would be merged.
    pub commit: CommitId,
    /// What comes of it.
    pub outcome: Seen<MergeOutcome>,
}

/// What comes of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeOutcome {
    /// A commit, or nothing where it was merged already.
    Clean,
    /// Both branches changed the same lines of these files.
    Conflicts(Arc<[RepoPath]>),
    /// It cannot be merged; why.
    Impossible(Why),
}

/// A release that came into an environment, and the people who brought it on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// What Git declared from then on.
    pub release: Release,
    /// Who brought it. Nobody, or [`Person::unknown`] among them, where somebody is
    /// missing: a gate that asks for them then holds.
    pub by: Arc<BTreeSet<Person>>,
    /// The commit with which it came, where its branch may be merged.
    pub commit: Option<CommitId>,
}

/// What Git declares for an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The versions in its files; absent where no place in the repository names one.
    pub release: Option<Release>,
    /// The commit that brought them. While it is not known, nothing is promoted
    /// here by itself: it may have been moved back from what would come in.
    pub origin: Seen<Origin>,
}

/// The commit that brought a release into an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its id.
    pub commit: CommitId,
    /// Its first line.
    pub title: Arc<str>,
    /// Who wrote it.
    pub author: Person,
    /// When it was committed.
    pub at: Timestamp,
    /// Whether it carries gradus's trailers. It may hold a promotion, never pass one.
    pub by_gradus: bool,
    /// The people who brought the release on its way: the author, and those that
    /// an earlier promotion's trailers name. Empty where they are not known, since
    /// a commit has an author at least; a gate that asks for them then holds.
    pub brought_by: Vec<Person>,
    /// The release it replaced; absent where it was the first, or where the history
    /// that was looked at does not go back that far.
    pub replaced: Option<Release>,
    /// The commits that came onto its branch since, newest first, with their times, where the branch may be merged.
    pub since: Arc<[(CommitId, Timestamp)]>,
}

/// Something that was seen of a target, and what it says for its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What was looked at, such as `HelmRelease apps/podinfo`.
    pub object: Arc<str>,
    /// What it says, such as `Ready=True (UpgradeSucceeded)`.
    pub says: Arc<str>,
    /// The revision that it says it of.
    pub revision: Option<Arc<str>>,
    /// Since when it says so.
    pub since: Option<Timestamp>,
    /// Whether it speaks for the target's health or against it; neither when absent.
    pub good: Option<bool>,
}

/// What a target does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetState {
    /// Nothing runs there.
    NotDeployed,
    /// A rollout is under way.
    Deploying {
        /// To what, where that is told.
        release: Option<Release>,
        /// Since when.
        since: Timestamp,
    },
    /// It runs and works.
    Healthy {
        /// What runs.
        release: Release,
        /// Since when, without interruption.
        since: Timestamp,
    },
    /// It does not work.
    Failed {
        /// What failed, where that is told.
        release: Option<Release>,
        /// Why, in the words of who reported it.
        why: Arc<str>,
        /// Since when.
        since: Timestamp,
        /// What runs in its place, after a rollback.
        running: Option<Release>,
    },
}

impl TargetState {
    /// The release that the state is about, where it tells one.
    pub fn about(&self) -> Option<&Release> {
        match self {
            Self::NotDeployed => None,
            Self::Healthy { release, .. } => Some(release),
            Self::Deploying { release, .. } | Self::Failed { release, .. } => release.as_ref(),
        }
    }

    /// What runs there, where it tells that.
    pub fn running(&self) -> Option<&Release> {
        match self {
            Self::NotDeployed | Self::Deploying { .. } => None,
            Self::Healthy { release, .. } => Some(release),
            Self::Failed { running, .. } => running.as_ref(),
        }
    }
}

/// An open proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalSeen {
    /// Its number.
    pub number: ProposalNumber,
    /// Where people see it.
    pub url: Option<Arc<str>>,
    /// The commit at the tip of its branch.
    pub head: CommitId,
    /// What the files on its branch declare for the environment.
    pub release: Seen<Release>,
    /// Whether the files it changes are what the change would make of the base branch now.
    pub fit: Fit,
    /// Since when it is open.
    pub since: Timestamp,
}

/// Whether a proposal still fits the branch it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is exactly the change that would be made now.
    Current,
    /// The base branch has moved under it.
    Behind,
    /// It has commits that gradus did not write.
    Foreign,
    /// A person closed it without merging, at this time, and its branch is still there.
    Declined(Timestamp),
    /// It is exactly the change that would be made now, and since this time the forge is to merge it once its own
    /// rules are met.
    Queued(Timestamp),
}

/// A promotion that a person asked for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which one.
    pub id: RequestId,
    /// What should come in.
    pub release: Release,
    /// Forward or back.
    pub kind: RequestKind,
    /// Who asked.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// What the environment declared when it was asked: the request is for that state only.
    pub from: Option<Release>,
    /// The commit that had brought it.
    pub from_commit: Option<CommitId>,
}

/// What kind of promotion a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// Forward.
    Promote,
    /// Forward, though the environments before have not proven it.
    Override,
    /// Back to an older version.
    Rollback,
    /// Forward or back, past the gates, where the environment allows it.
    Emergency,
}

/// A person's yes to one release in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The release it is for.
    pub release: Release,
    /// Who said it.
    pub by: Person,
    /// The groups they were in when they said it.
    pub groups: Vec<Group>,
    /// The other names they are known by, such as the address in their commits.
    pub aliases: Vec<Person>,
    /// When.
    pub at: Timestamp,
}

/// A promotion that somebody else's automation was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// The id of the promotion, by which it knows whether it was asked before.
    pub promotion: Arc<str>,
    /// What was there.
    pub from: Option<Release>,
    /// What was asked for.
    pub to: Release,
    /// The request by name that it was asked for, if there was one.
    pub request: Option<RequestId>,
    /// When.
    pub at: Timestamp,
}

/// What an outside check reported of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFact {
    /// Which check.
    pub check: CheckName,
    /// Who reported it.
    pub reporter: Person,
    /// The release it is about.
    pub release: Release,
    /// What came out.
    pub result: CheckResult,
    /// When.
    pub at: Timestamp,
    /// More, for people.
    pub detail: Option<Arc<str>>,
}

/// What came out of an outside check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckResult {
    /// It is good.
    Passed,
    /// It is not.
    Failed,
    /// It still runs.
    Pending,
}

/// A span of time in which an environment was healthy at one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The release.
    pub release: Release,
    /// From when.
    pub since: Timestamp,
    /// The last time it was seen to be so.
    pub until: Timestamp,
}
