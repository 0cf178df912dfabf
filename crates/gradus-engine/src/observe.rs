//! Looking: all ports are asked, and what cannot be seen becomes an unknown fact
//! with its reason; nothing aborts the rest.

mod git;
mod proposals;
mod targets;

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, EnvironmentName};
use gradus_core::observation::{Declared, EnvironmentSeen, Observation, Seen, Why};
use gradus_core::pipeline::{Environment, Pipeline};
use gradus_core::version::Order;

use crate::places::{self, IndexCache, OriginCache, OriginFacts, Place};
use crate::port::Ports;
use crate::port::ledger::View;
use crate::port::repo::FileSeen;

/// What is kept between looks, all of it found again when it is lost.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) origins: OriginCache,
    pub(crate) indexes: IndexCache,
    pub(crate) branches: git::DefaultBranches,
}

/// What was seen, with what the steps need to know of it.
#[derive(Debug, Clone)]
pub struct Sight {
    /// What the planner is given.
    pub observation: Observation,
    /// The branch that is deployed, and where it was.
    pub base: Seen<(BranchName, CommitId)>,
    /// Where each environment's versions are.
    pub places: BTreeMap<EnvironmentName, Result<Vec<Place>, Why>>,
    /// The files that the places are in.
    pub files: BTreeMap<gradus_core::names::RepoPath, FileSeen>,
    /// What the record says.
    pub(crate) view: Option<View>,
    /// The commits that brought what is declared.
    pub(crate) origins: BTreeMap<EnvironmentName, Arc<OriginFacts>>,
}

/// The branch on which an environment's proposals are made.
pub fn proposal_branch(pipeline: &Pipeline, environment: &EnvironmentName) -> Option<BranchName> {
    let key = &pipeline.key;
    BranchName::parse(&format!("gradus/{}/{}/{environment}", key.namespace, key.name)).ok()
}

/// Asks all ports about one pipeline.
pub(crate) async fn observe(ports: &Ports, memory: &Memory, pipeline: &Pipeline) -> Sight {
    let (git, view) = futures::join!(git::look(ports, memory, pipeline), ports.ledger.view(&pipeline.key));
    let view = match view {
        Ok(view) => Seen::Known(view),
        Err(error) => Seen::Unknown(Why::new(error.in_full())),
    };
    let asked = targets::ask(ports, pipeline, view.known()).await;
    let mut environments = BTreeMap::new();
    for environment in pipeline.environments() {
        environments.insert(environment.name.clone(), seen_of(environment, &git, &view, &asked));
    }
    let order = order(pipeline, &git, view.known());
    Sight {
        observation: Observation { environments, order },
        base: git.base,
        places: git.places,
        files: git.files,
        view: match view {
            Seen::Known(view) => Some(view),
            Seen::Unknown(_) => None,
        },
        origins: git.origins,
    }
}

fn seen_of(
    environment: &Environment,
    git: &git::GitSight,
    view: &Seen<View>,
    asked: &targets::Asked,
) -> EnvironmentSeen {
    let name = &environment.name;
    EnvironmentSeen {
        declared: git.declared.get(name).cloned().unwrap_or_else(|| Seen::<Declared>::unknown("Git was not read")),
        targets: asked.of(environment),
        proposal: git.proposals.get(name).cloned().unwrap_or_else(|| Seen::unknown("Git was not read")),
        requests: from_view(view, |view| view.requests.get(name).cloned().unwrap_or_default()),
        approvals: from_view(view, |view| view.approvals.get(name).cloned().unwrap_or_default()),
        checks: from_view(view, |view| view.checks.get(name).cloned().unwrap_or_default()),
        proofs: from_view(view, |view| view.proofs.get(name).cloned().unwrap_or_default()),
        promoted: from_view(view, |view| view.promoted.get(name).cloned()),
    }
}

fn from_view<T>(view: &Seen<View>, get: impl Fn(&View) -> T) -> Seen<T> {
    match view {
        Seen::Known(view) => Seen::Known(get(view)),
        Seen::Unknown(why) => Seen::Unknown(why.clone()),
    }
}

/// The order in which versions were seen: Git's, as far as it was looked at, and
/// then the record's.
fn order(
    pipeline: &Pipeline,
    git: &git::GitSight,
    view: Option<&View>,
) -> BTreeMap<gradus_core::names::ArtifactName, Vec<gradus_core::version::Version>> {
    let first = pipeline.environments().iter().find(|environment| environment.is_first());
    let mut orders = BTreeMap::new();
    for (artifact, order) in &pipeline.artifacts {
        match order {
            Order::Semver | Order::Numeric | Order::Calendar => continue,
            Order::Auto | Order::Seen => {}
        }
        let recorded = view.and_then(|view| view.seen.get(artifact)).cloned().unwrap_or_default();
        let facts = first.and_then(|first| git.origins.get(&first.name));
        let declared = first.and_then(|first| match git.declared.get(&first.name) {
            Some(Seen::Known(declared)) => declared.release.as_ref(),
            Some(Seen::Unknown(_)) | None => None,
        });
        let in_git = places::sequence(facts.iter().flat_map(|facts| facts.before.iter()).chain(declared), artifact);
        let mut sequence: Vec<_> = in_git.iter().filter(|version| !recorded.contains(version)).cloned().collect();
        sequence.extend(recorded);
        orders.insert(artifact.clone(), sequence);
    }
    orders
}
