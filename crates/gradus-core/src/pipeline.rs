//! What people want: a pipeline, its environments and their rules.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::gate::Gate;
use crate::names::{ArtifactName, BranchName, EnvironmentName, Person, PipelineKey, TargetName};
use crate::release::Release;
use crate::version::{Order, Version};

mod check;
mod cluster;
mod dispatch;
mod edit;
mod error;
mod pull_request;
mod repository;

pub use cluster::{AppObject, ClusterKind, ClusterRef, ClusterTarget, Confidence, VersionFrom};
pub use dispatch::DispatchPolicy;
pub use edit::{EditSpec, EditValue, ImagePart, Select, StaleDigest};
pub use error::{PipelineError, PipelineErrorKind};
pub use pull_request::{Commands, MergeMethod, PullRequestPolicy, Reviewer};
pub use repository::{Author, CommitStyle, Forge, ForgeKind, Repository};

/// The folder of the branches of proposals, unless a pipeline names others.
pub const PROPOSALS: &str = "gradus/";

/// One application's way through its environments.
///
/// Made by [`Pipeline::new`], which refuses what cannot be a pipeline, so that
/// the planner never meets a cycle or an unknown name.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Which one.
    pub key: PipelineKey,
    /// The repository that declares its environments.
    pub repository: Repository,
    /// What moves, with the order of its versions.
    pub artifacts: BTreeMap<ArtifactName, Order>,
    /// Versions that no environment gets.
    pub block: Vec<Version>,
    /// Pins and freezes that people set.
    pub holds: Vec<Hold>,
    /// Whether anything may be written.
    pub mode: Mode,
    /// What becomes of open proposals when the pipeline goes away.
    pub on_delete: OnDelete,
    /// Whether those who deploy are asked to look when a promotion landed.
    pub poke: bool,
    environments: Vec<Environment>,
    /// Places in `environments`, each after those it comes after.
    order: Vec<usize>,
}

/// Whether anything is looked at, said or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Looks, says and writes.
    Active,
    /// Looks and says; writes nothing.
    Observe,
    /// Nothing is looked at.
    Suspended,
}

/// What becomes of open proposals when their pipeline goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// They are closed.
    Close,
    /// They stay as they are.
    Leave,
}

/// A step of the way.
#[derive(Debug, Clone)]
pub struct Environment {
    /// What it is called.
    pub name: EnvironmentName,
    /// The environments it comes after; empty for the first.
    pub after: Vec<EnvironmentName>,
    /// Where it runs.
    pub targets: Vec<Target>,
    /// How many of its targets its successors ask for.
    pub healthy: Need,
    /// How long a rollout may take before it counts as failed.
    pub deploy_within: SignedDuration,
    /// How a change is written.
    pub strategy: Strategy,
    /// Who merges a proposal whose gates have passed.
    pub merge: Merge,
    /// How its proposals are named, said and merged; mostly nobody says.
    pub pull_request: Option<Box<PullRequestPolicy>>,
    /// Which of the versions that wait goes next.
    pub queue: Queue,
    /// Rules to pass before a version comes in.
    pub gates: Vec<Gate>,
    /// Rules to pass before a version that runs here counts as proven.
    pub verify: Vec<Gate>,
    /// Whether a person may skip the gates in an emergency.
    pub emergency: Emergency,
    /// Versions that this environment does not get.
    pub block: Vec<Version>,
    /// Where the values are; the markers in the repository when empty.
    pub edit: Vec<EditSpec>,
    /// The branch that declares it, where it has one of its own; the repository's when absent.
    pub branch: Option<BranchName>,
    /// What of the environment before comes in.
    pub takes: Takes,
}

/// Where an environment runs.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it is called, as people know it.
    pub name: TargetName,
    /// How its state is learned.
    pub kind: TargetKind,
}

/// How the state of a target is learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// Somebody reports it.
    Report,
    /// A URL tells the version.
    Http(HttpTarget),
    /// What Git declares counts as deployed.
    Git,
    /// An object in a cluster tells it. Shared with whoever follows the object.
    Cluster(Arc<ClusterTarget>),
}

/// A URL whose answer holds the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTarget {
    /// What to ask.
    pub url: Arc<str>,
    /// Where in a JSON answer the version is (RFC 6901); the whole body, trimmed, when absent.
    pub pointer: Option<Arc<str>>,
    /// The status that means healthy.
    pub status: u16,
    /// How long to wait.
    pub timeout: SignedDuration,
    /// The Secret that holds a token or a CA, as `namespace/name`.
    pub secret: Option<Arc<str>>,
}

/// How many targets must be healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every one.
    All,
    /// One of them.
    Any,
    /// This many.
    Count(NonZeroU32),
}

/// How a change is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// A commit on the branch itself.
    Push,
    /// A proposal that is merged.
    PullRequest,
    /// By somebody else's automation, which is asked for it.
    Dispatch(Box<DispatchPolicy>),
}

/// What of the environment before comes in with a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Its version alone, which is written into the files.
    Version,
    /// Its branch, which is merged.
    Branch,
}

/// Who merges a proposal whose gates have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// gradus does.
    Auto,
    /// A person does.
    Person,
}

/// Which of the versions that wait goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queue {
    /// The newest; what was overtaken is skipped.
    Latest,
    /// Every one, in order.
    Every,
    /// Only this one.
    Pinned(Release),
}

/// Whether a person may skip the gates in an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emergency {
    /// No.
    Forbidden,
    /// Yes, and it is recorded.
    Allowed,
}

/// A pin or a freeze that a person set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// What it is called.
    pub name: Arc<str>,
    /// The environment it holds; all of them when absent.
    pub environment: Option<EnvironmentName>,
    /// The one version that may still come in.
    pub pin: Option<Release>,
    /// Why.
    pub reason: Arc<str>,
    /// Who set it.
    pub owner: Person,
    /// When it was set.
    pub since: Option<Timestamp>,
    /// When it ends; never by itself when absent.
    pub until: Option<Timestamp>,
}

impl Pipeline {
    /// Checks the environments and makes the pipeline, with default rules.
    pub fn new(
        key: PipelineKey,
        repository: Repository,
        artifacts: BTreeMap<ArtifactName, Order>,
        environments: Vec<Environment>,
    ) -> Result<Self, PipelineError> {
        let order = check::environments(&artifacts, &environments)?;
        check::branches(&key, repository.branch.as_ref(), &environments)?;
        check::merges(repository.branch.as_ref(), &environments)?;
        Ok(Self {
            key,
            repository,
            artifacts,
            block: Vec::new(),
            holds: Vec::new(),
            mode: Mode::Active,
            on_delete: OnDelete::Close,
            poke: true,
            environments,
            order,
        })
    }

    /// The environments, in the order in which they were written.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// The environments, each after those it comes after.
    pub fn in_order(&self) -> impl Iterator<Item = &Environment> {
        self.order.iter().filter_map(|at| self.environments.get(*at))
    }

    /// Places in the environments, each after those it comes after.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The environment of this name.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments.iter().find(|environment| &environment.name == name)
    }

    /// The environments that come after this one.
    pub fn successors<'a>(&'a self, name: &'a EnvironmentName) -> impl Iterator<Item = &'a Environment> {
        self.environments.iter().filter(move |environment| environment.after.contains(name))
    }

    /// Whether the branch of an environment is merged into another one's.
    pub fn is_merged(&self, name: &EnvironmentName) -> bool {
        self.successors(name).any(|next| next.takes == Takes::Branch)
    }

    /// The same pipeline where no cluster can be looked into: the state of a target
    /// in a cluster is what is reported for it.
    #[must_use]
    pub fn without_clusters(mut self) -> Self {
        for target in self.environments.iter_mut().flat_map(|environment| &mut environment.targets) {
            if matches!(target.kind, TargetKind::Cluster(_)) {
                target.kind = TargetKind::Report;
            }
        }
        self
    }

    /// The one artifact, where there is only one.
    pub fn only_artifact(&self) -> Option<&ArtifactName> {
        if self.artifacts.len() == 1 { self.artifacts.keys().next() } else { None }
    }

    /// The holds on one environment, those of the whole pipeline included.
    pub fn holds_on<'a>(&'a self, name: &'a EnvironmentName) -> impl Iterator<Item = &'a Hold> {
        self.holds.iter().filter(move |hold| hold.environment.as_ref().is_none_or(|held| held == name))
    }

    /// Whether this version is kept out of this environment.
    pub fn blocks(&self, environment: &Environment, release: &Release) -> bool {
        self.block
            .iter()
            .chain(&environment.block)
            .any(|blocked| release.versions().any(|(_, v)| v.same(blocked)))
    }
}

impl Environment {
    /// Whether it is a first environment: nothing comes before it.
    pub fn is_first(&self) -> bool {
        self.after.is_empty()
    }

    /// How its proposals are named, said and merged.
    pub fn pull_request(&self) -> &PullRequestPolicy {
        self.pull_request.as_deref().unwrap_or(PullRequestPolicy::PLAIN)
    }

    /// The branch that its proposals are made on, in the pipeline of this key.
    pub fn proposal_branch(&self, key: &PipelineKey) -> Option<BranchName> {
        match &self.pull_request().branch {
            Some(branch) => Some(branch.clone()),
            None => {
                BranchName::parse(&format!("{PROPOSALS}{}/{}/{}", key.namespace, key.name, self.name)).ok()
            }
        }
    }

    /// Whether a person's word is needed even though no gate asks for one:
    /// a proposal that gradus is not told to merge, with no gate by which a
    /// person agrees.
    pub fn needs_a_person(&self) -> bool {
        self.strategy == Strategy::PullRequest
            && self.merge == Merge::Person
            && !self.gates.iter().any(|gate| matches!(gate, Gate::Approval(_) | Gate::Manual))
    }
}

impl Need {
    /// The number asked for, of this many targets.
    pub fn of(self, targets: usize) -> usize {
        match self {
            Self::All => targets,
            Self::Any => targets.min(1),
            Self::Count(count) => usize::try_from(count.get()).unwrap_or(usize::MAX),
        }
    }
}
