//! Looking: all ports are asked, and what cannot be seen becomes an unknown fact
//! with its reason; nothing aborts the rest.

mod at_commit;
mod git;
pub(crate) mod merges;
pub(crate) mod proposals;
pub(crate) mod reviews;
mod targets;
pub(crate) mod tips;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gradus_core::names::{ArtifactName, BranchName, CommitId, EnvironmentName, PipelineKey};
use gradus_core::observation::{Declared, EnvironmentSeen, Observation, Seen, Why};
use gradus_core::pipeline::{Environment, Pipeline};
use gradus_core::version::{Order, Version};
use tracing::Instrument;

use crate::moment::Moment;
use crate::places::{self, DeclaredCache, IndexCache, OriginCache, OriginFacts, Place};
use crate::port::ledger::View;
use crate::port::{PortError, Ports};
use crate::spans;

pub use git::Ground;
pub(crate) use tips::Branches;

/// What is kept between looks, all of it found again when it is lost.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) declared: DeclaredCache,
    pub(crate) origins: OriginCache,
    pub(crate) indexes: IndexCache,
    pub(crate) branches: git::DefaultBranches,
    pub(crate) heads: proposals::Heads,
    pub(crate) merges: merges::Tried,
    pub(crate) tips: tips::Tips,
    pub(crate) looked_at: tips::LookedAt,
}

impl Memory {
    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.origins.retain(&keep);
        self.declared.retain(&keep);
        self.heads.retain(&keep);
        self.merges.retain(&keep);
        self.looked_at.retain(&keep);
    }
}

/// Whether a port failed during a look, so that it is worth trying again soon.
#[derive(Default)]
pub(crate) struct Missed(AtomicBool);

impl Missed {
    /// Whether one did.
    pub(crate) fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes the failure and gives the reason why a fact is not known.
    pub(crate) fn why(&self, error: PortError) -> Why {
        self.0.store(true, Ordering::Relaxed);
        Why::new(error.in_full())
    }
}

/// What was seen, with what the steps need to know of it.
#[derive(Debug, Clone)]
pub struct Sight {
    /// What the planner is given.
    pub observation: Observation,
    /// The repository's branch, which declares every environment that has none of its own, and where it was.
    pub base: Seen<(BranchName, CommitId)>,
    /// The branch that declares each environment, as it was seen.
    pub grounds: BTreeMap<EnvironmentName, Result<Arc<Ground>, Why>>,
    /// Where each environment's versions are.
    pub places: BTreeMap<EnvironmentName, Result<Vec<Place>, Why>>,
    /// What the record says.
    pub(crate) view: Option<View>,
    /// Where the branches were.
    pub(crate) tips: BTreeMap<BranchName, CommitId>,
    /// When that was asked for.
    pub(crate) asked: Moment,
    /// Whether a port failed.
    pub(crate) missed: bool,
    /// The commits that brought what is declared.
    pub(crate) origins: BTreeMap<EnvironmentName, Arc<OriginFacts>>,
}

impl Sight {
    /// The branch that declares an environment, where it could be looked at.
    pub fn ground(&self, environment: &EnvironmentName) -> Option<&Ground> {
        self.grounds.get(environment)?.as_ref().ok().map(Arc::as_ref)
    }
}

/// The branch on which an environment's proposals are made.
pub fn proposal_branch(pipeline: &Pipeline, environment: &EnvironmentName) -> Option<BranchName> {
    pipeline.environment(environment)?.proposal_branch(&pipeline.key)
}

/// Asks all ports about one pipeline. What happened before `since` is seen.
pub(crate) async fn observe(ports: &Ports, memory: &Memory, pipeline: &Pipeline, since: Moment) -> Sight {
    let missed = Missed::default();
    let (git, view) = futures::join!(
        git::look(ports, memory, pipeline, since, &missed).instrument(spans::git()),
        ports.ledger.view(&pipeline.key).instrument(spans::ledger())
    );
    let view = match view {
        Ok(view) => Seen::Known(view),
        Err(error) => Seen::Unknown(missed.why(error)),
    };
    let asked = targets::ask(ports, pipeline, view.known(), &git).instrument(spans::targets()).await;
    let mut environments = BTreeMap::new();
    for environment in pipeline.environments() {
        environments.insert(environment.name.clone(), seen_of(environment, &git, &view, &asked));
    }
    let order = order(pipeline, &git, view.known());
    let missed = missed.0.into_inner();
    if !missed {
        memory.looked_at.saw(&pipeline.key, &git.tips);
    }
    Sight {
        observation: Observation { environments, order },
        base: git.base,
        grounds: git.grounds,
        places: git.places,
        view: match view {
            Seen::Known(view) => Some(view),
            Seen::Unknown(_) => None,
        },
        tips: git.tips,
        asked: git.asked,
        missed,
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
        declared: git
            .declared
            .get(name)
            .cloned()
            .unwrap_or_else(|| Seen::<Declared>::unknown("Git was not read")),
        targets: asked.of(environment),
        evidence: asked.evidence(environment),
        proposal: git.proposals.get(name).cloned().unwrap_or_else(|| Seen::unknown("Git was not read")),
        requests: from_view(view, |view| view.requests.get(name).cloned().unwrap_or_default()),
        approvals: from_view(view, |view| view.approvals.get(name).cloned().unwrap_or_default()),
        checks: from_view(view, |view| view.checks.get(name).cloned().unwrap_or_default()),
        proofs: from_view(view, |view| view.proofs.get(name).cloned().unwrap_or_default()),
        promoted: from_view(view, |view| view.promoted.get(name).cloned()),
        dispatched: from_view(view, |view| view.dispatched.get(name).cloned().unwrap_or_default()),
        brought: git.origins.get(name).map_or_else(|| [].into(), |facts| facts.brought.clone()),
        merge: None,
    }
}

fn from_view<T>(view: &Seen<View>, get: impl Fn(&View) -> T) -> Seen<T> {
    match view {
        Seen::Known(view) => Seen::Known(get(view)),
        Seen::Unknown(why) => Seen::Unknown(why.clone()),
    }
}

/// The order in which versions were seen: the record's, with those of Git that
/// it does not have yet in their places.
fn order(
    pipeline: &Pipeline,
    git: &git::GitSight,
    view: Option<&View>,
) -> BTreeMap<ArtifactName, Vec<Version>> {
    let first = pipeline.environments().iter().find(|environment| environment.is_first());
    let mut orders = BTreeMap::new();
    for (artifact, order) in &pipeline.artifacts {
        match order {
            Order::Semver | Order::Numeric | Order::Calendar => continue,
            Order::Auto | Order::Seen => {}
        }
        let recorded = view.and_then(|view| view.seen.get(artifact)).map(Vec::as_slice).unwrap_or_default();
        let facts = first.and_then(|first| git.origins.get(&first.name));
        let declared = first.and_then(|first| match git.declared.get(&first.name) {
            Some(Seen::Known(declared)) => declared.release.as_ref(),
            Some(Seen::Unknown(_)) | None => None,
        });
        let in_git =
            places::sequence(facts.iter().flat_map(|facts| facts.before.iter()).chain(declared), artifact);
        orders.insert(artifact.clone(), merged(recorded, &in_git));
    }
    orders
}

/// Both sequences as one. Where they disagree the record is right: it has seen
/// more. A version that it does not have comes right after the one that it
/// follows in Git, or before the one that follows it there.
fn merged(recorded: &[Version], in_git: &[Version]) -> Vec<Version> {
    let mut all: Vec<Version> = Vec::with_capacity(recorded.len() + in_git.len());
    for version in recorded {
        if !all.contains(version) {
            all.push(version.clone());
        }
    }
    for (at, version) in in_git.iter().enumerate() {
        if all.contains(version) {
            continue;
        }
        let place_of = |other: &Version| all.iter().position(|known| known == other);
        let before =
            at.checked_sub(1).and_then(|before| in_git.get(before)).and_then(place_of).map(|place| place + 1);
        let after = || in_git.iter().skip(at + 1).find_map(place_of);
        let place = before.or_else(after).unwrap_or(all.len());
        all.insert(place, version.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_merged() {
        let check = |recorded: &str, in_git: &str, expected: &str| {
            let read = |text: &str| -> Vec<Version> {
                text.split_whitespace().map(|text| Version::parse(text).unwrap()).collect()
            };
            let all: Vec<String> =
                merged(&read(recorded), &read(in_git)).iter().map(ToString::to_string).collect();
            assert_eq!(all.join(" "), expected, "{recorded} and {in_git}");
        };
        check("", "a b c", "a b c");
        check("a b", "a b c", "a b c");
        check("c", "a b c", "a b c");
        check("a b", "", "a b");
        check("a b c", "b a", "a b c");
        check("x a", "a b", "x a b");
        check("a c", "a b c", "a b c");
        check("x", "a", "x a");
        check("a b a", "a b a", "a b");
    }
}
