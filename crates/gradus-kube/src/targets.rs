//! The engine's port for targets, in a cluster: what the watches have seen, judged.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{ArtifactName, PipelineKey};
use gradus_core::observation::{Evidence, Seen, TargetState, Why};
use gradus_core::pipeline::{ClusterTarget, Confidence, HttpTarget, Pipeline, TargetKind, VersionFrom};
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::targets::{Answered, LookedAt, Targets};
use gradus_engine::port::{Clock, PortError};
use gradus_evidence::{Judged, ObjectRef, Sighting, State, TargetSpec, VersionSource, judge};
use jiff::Timestamp;

use crate::clusters::{ClusterKey, Consent};
use crate::watch::{Sight, Wanted, Watches};

/// Looks at targets through watches.
pub struct KubeTargets {
    watches: Watches,
    /// Asks version endpoints.
    http: Arc<dyn Targets>,
    clock: Arc<dyn Clock>,
    memory: Mutex<HashMap<PipelineKey, Vec<Followed>>>,
}

/// A target of a pipeline that is followed.
struct Followed {
    target: Arc<ClusterTarget>,
    /// What the last look needed.
    needs: Vec<Wanted>,
    /// What the last look found of each artifact: mostly one, for which a map would take ten times the room.
    before: Box<[(ArtifactName, State)]>,
    /// When that was.
    at: Timestamp,
}

impl KubeTargets {
    /// Targets that are seen through these watches.
    pub fn new(watches: Watches, http: Arc<dyn Targets>, clock: Arc<dyn Clock>) -> Self {
        Self { watches, http, clock, memory: Mutex::default() }
    }

    /// Begins to follow the targets of a pipeline, and ends with those that it had before.
    pub fn follow(&self, pipeline: &Pipeline) {
        let targets = pipeline.environments().iter().flat_map(|environment| &environment.targets);
        let targets = targets.filter_map(|target| match &target.kind {
            TargetKind::Cluster(target) => Some(target),
            TargetKind::Report | TargetKind::Http(_) | TargetKind::Git => None,
        });
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = memory.remove(&pipeline.key).unwrap_or_default();
        let mut followed: Vec<Followed> = Vec::new();
        for target in targets {
            let known = before.iter().position(|known| known.target == *target);
            followed.push(match known {
                Some(at) => Followed { target: target.clone(), ..before.swap_remove(at) },
                None => Followed {
                    target: target.clone(),
                    needs: Vec::new(),
                    before: Box::default(),
                    at: Timestamp::MIN,
                },
            });
        }
        followed.shrink_to_fit();
        let wanted = all_of(&pipeline.key, &followed);
        memory.insert(pipeline.key.clone(), followed);
        // Still locked: else what a look needs could be put back to what was wanted before it.
        self.watches.want(&pipeline.key, wanted);
        drop(memory);
    }

    /// Ends with a pipeline.
    pub fn forget(&self, pipeline: &PipelineKey) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.remove(pipeline);
        self.watches.forget(pipeline);
        drop(memory);
    }

    /// Keeps what a look needed and found. What it needs more is watched from now on.
    fn keep(
        &self,
        key: &PipelineKey,
        target: &ClusterTarget,
        needs: Vec<Wanted>,
        states: &BTreeMap<ArtifactName, State>,
        at: Timestamp,
    ) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(all) = memory.get_mut(key) else { return };
        let Some(followed) = all.iter_mut().find(|followed| *followed.target == *target) else { return };
        followed.at = at;
        if !followed.before.iter().map(|(artifact, state)| (artifact, state)).eq(states) {
            followed.before =
                states.iter().map(|(artifact, state)| (artifact.clone(), state.clone())).collect();
        }
        if followed.needs == needs {
            return;
        }
        followed.needs = needs;
        let wanted = all_of(key, all);
        self.watches.want(key, wanted);
        drop(memory);
    }

    fn before(&self, key: &PipelineKey, target: &ClusterTarget) -> (Box<[(ArtifactName, State)]>, Timestamp) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let followed =
            memory.get(key).and_then(|all| all.iter().find(|followed| *followed.target == *target));
        followed.map_or((Box::default(), Timestamp::MIN), |followed| (followed.before.clone(), followed.at))
    }
}

#[async_trait]
impl Targets for KubeTargets {
    async fn ask(&self, target: &HttpTarget) -> Result<Answered, PortError> {
        self.http.ask(target).await
    }

    async fn look(&self, pipeline: &PipelineKey, target: &ClusterTarget) -> Result<LookedAt, PortError> {
        let unknown = |why: &str| Ok(LookedAt { state: Seen::unknown(why), evidence: Vec::new() });
        let Some(object) = object_of(target) else {
            return unknown(
                "neither the pipeline's `appRef` nor the target names the object that carries it",
            );
        };
        let cluster = cluster_of(pipeline, target);
        let seen = match self.watches.see(&cluster, &object) {
            Sight::Seen(value) => Some(value),
            Sight::Missing => None,
            Sight::Unknown(blind) => return unknown(&format!("{object}: {blind}")),
        };
        let now = self.clock.now();
        let below = self.watches.seen_in(&cluster);
        let sighting = Sighting { object: seen.as_deref(), below: &below, now };
        let (before, last) = self.before(pipeline, target);
        let mut judgements: Vec<(ArtifactName, Judged)> = Vec::with_capacity(target.versions.len());
        for (artifact, from) in &*target.versions {
            let spec = TargetSpec {
                object: object.clone(),
                version: source(from),
                confidence: confidence(target.confidence),
                wanted: None,
            };
            let mut judged = judge(&spec, &sighting);
            judged.state = not_from_the_future(judged.state, now);
            if let Some((_, earlier)) = before.iter().find(|(known, _)| known == artifact) {
                judged.state = carried(judged.state, earlier, last, now);
            }
            judgements.push((artifact.clone(), judged));
        }
        let states =
            judgements.iter().map(|(artifact, judged)| (artifact.clone(), judged.state.clone())).collect();
        self.keep(pipeline, target, needs(&cluster, &judgements), &states, now);
        let evidence = evidence(&judgements);
        Ok(LookedAt { state: together(&states, now), evidence })
    }
}

/// A state with a time that has come. The clock of another machine may be ahead of this one,
/// and what it says of the future is no more than that it is so now.
fn not_from_the_future(state: State, now: Timestamp) -> State {
    match state {
        State::Healthy { version, since } => State::Healthy { version, since: since.min(now) },
        State::Deploying { version, since } => {
            State::Deploying { version, since: since.map(|since| since.min(now)) }
        }
        State::Failed { version, why, since, running } => {
            State::Failed { version, why, since: since.map(|since| since.min(now)), running }
        }
        state @ (State::NotDeployed | State::Unknown { .. }) => state,
    }
}

/// A state with the time since when it is so. Where no object tells that, the look
/// before does, or a deadline would never come and a soak never end. Where an object tells that it
/// works since before the last look, which saw that it did not, its clock is behind.
fn carried(state: State, earlier: &State, last: Timestamp, now: Timestamp) -> State {
    match (state, earlier) {
        (State::Healthy { version, since }, earlier) if since == now => {
            State::Healthy { version, since }.after(earlier)
        }
        (State::Healthy { version, since }, State::Healthy { version: before, since: from })
            if version == *before =>
        {
            State::Healthy { version, since: since.max(*from) }
        }
        // Whoever was not seen may have worked all the time.
        (state @ State::Healthy { .. }, State::Unknown { .. }) => state,
        (State::Healthy { version, since }, _) => State::Healthy { version, since: since.max(last) },
        (State::Deploying { version, since }, State::Deploying { version: before, since: Some(from) })
            if version == *before && since.is_none_or(|since| since == now) =>
        {
            State::Deploying { version, since: Some(*from) }
        }
        (State::Deploying { version, since: None }, _) => State::Deploying { version, since: Some(now) },
        (state @ State::Failed { .. }, earlier) => failed_since(state, earlier, now),
        (state, _) => state,
    }
}

/// A failure that was told for the future is as old as when it was seen first.
fn failed_since(state: State, earlier: &State, now: Timestamp) -> State {
    match &state {
        State::Failed { since: Some(since), .. } if *since == now => state.after(earlier),
        State::Failed { .. }
        | State::NotDeployed
        | State::Deploying { .. }
        | State::Healthy { .. }
        | State::Unknown { .. } => state,
    }
}

/// The object that carries the application.
pub(crate) fn object_of(target: &ClusterTarget) -> Option<ObjectRef> {
    let app = target.object.as_ref()?;
    let group = app.api_version.split_once('/').map_or("", |(group, _)| group);
    Some(ObjectRef::new(group, &app.kind, target.namespace.as_str(), &app.name))
}

fn cluster_of(pipeline: &PipelineKey, target: &ClusterTarget) -> ClusterKey {
    ClusterKey::of(target.cluster.as_ref(), &pipeline.namespace, Consent::Needed)
}

fn source(from: &VersionFrom) -> VersionSource {
    match from {
        VersionFrom::Object => VersionSource::Auto,
        VersionFrom::Image(repository) => {
            VersionSource::Image { container: None, repository: Some(repository.to_string()) }
        }
        VersionFrom::Path(pointer) => VersionSource::Path(pointer.to_string()),
    }
}

fn confidence(wanted: Confidence) -> gradus_evidence::Confidence {
    match wanted {
        Confidence::Controller => gradus_evidence::Confidence::Controller,
        Confidence::Workloads => gradus_evidence::Confidence::Workloads,
        Confidence::Pods => gradus_evidence::Confidence::Pods,
    }
}

/// Everything that the targets of a pipeline want to see.
fn all_of(key: &PipelineKey, followed: &[Followed]) -> Vec<Wanted> {
    let own = followed.iter().filter_map(|followed| {
        let object = object_of(&followed.target)?;
        let wanted = Wanted::one(&cluster_of(key, &followed.target), &object);
        let paths = followed.target.versions.values().filter_map(|from| match from {
            VersionFrom::Path(pointer) => Some(pointer),
            VersionFrom::Object | VersionFrom::Image(_) => None,
        });
        Some(paths.fold(wanted, |wanted, pointer| wanted.with_path(pointer)))
    });
    let mut all: Vec<Wanted> = Vec::new();
    for wanted in own.chain(followed.iter().flat_map(|followed| followed.needs.iter().cloned())) {
        if !all.contains(&wanted) {
            all.push(wanted);
        }
    }
    all.shrink_to_fit();
    all
}

fn needs(cluster: &ClusterKey, judgements: &[(ArtifactName, Judged)]) -> Vec<Wanted> {
    let objects =
        judgements.iter().flat_map(|(_, judged)| &judged.needs).map(|object| Wanted::one(cluster, object));
    let lists = judgements.iter().flat_map(|(_, judged)| &judged.lists).map(|scope| {
        let namespace = Some(scope.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        Wanted::all(cluster, &scope.kind, namespace)
    });
    let mut all: Vec<Wanted> = Vec::new();
    for wanted in objects.chain(lists) {
        if !all.contains(&wanted) {
            all.push(wanted);
        }
    }
    all
}

fn evidence(judgements: &[(ArtifactName, Judged)]) -> Vec<Evidence> {
    let mut told: Vec<Evidence> = Vec::new();
    for one in judgements.iter().flat_map(|(_, judged)| &judged.evidence) {
        let one = Evidence {
            object: one.object.as_str().into(),
            says: one.says.as_str().into(),
            revision: one.revision.as_deref().map(Arc::from),
            since: one.since,
            good: one.good,
        };
        if !told.contains(&one) {
            told.push(one);
        }
    }
    told
}

/// The state of a target, from those of its artifacts: it is healthy when all are.
fn together(states: &BTreeMap<ArtifactName, State>, now: Timestamp) -> Seen<TargetState> {
    let mut versions = BTreeMap::new();
    for (artifact, state) in states {
        let text = match state {
            State::Healthy { version, .. } => Some(version),
            State::Deploying { version, .. } | State::Failed { version, .. } => version.as_ref(),
            State::NotDeployed | State::Unknown { .. } => None,
        };
        if let Some(text) = text {
            match Version::parse(text) {
                Ok(version) => drop(versions.insert(artifact.clone(), version)),
                Err(error) => return Seen::Unknown(Why::new(error.to_string())),
            }
        }
    }
    let release = (versions.len() == states.len()).then(|| Release::new(versions)).flatten();
    let unknown = states.values().find_map(|state| match state {
        State::Unknown { why } => Some(why),
        State::NotDeployed | State::Deploying { .. } | State::Healthy { .. } | State::Failed { .. } => None,
    });
    if let Some(why) = unknown {
        return Seen::unknown(why);
    }
    let mut worst: Option<&State> = None;
    for state in states.values() {
        if worst.is_none_or(|known| rank(state) > rank(known)) {
            worst = Some(state);
        }
    }
    match worst {
        None | Some(State::Unknown { .. }) => Seen::unknown("no artifact has a version here"),
        Some(State::NotDeployed) => Seen::Known(TargetState::NotDeployed),
        Some(State::Deploying { since, .. }) => {
            Seen::Known(TargetState::Deploying { release, since: since.unwrap_or(now) })
        }
        Some(State::Failed { why, since, .. }) => {
            let running = running(states);
            let since = since.unwrap_or(now);
            Seen::Known(TargetState::Failed { release, why: why.as_str().into(), since, running })
        }
        Some(State::Healthy { .. }) => {
            let since = states.values().filter_map(|state| match state {
                State::Healthy { since, .. } => Some(*since),
                State::NotDeployed
                | State::Deploying { .. }
                | State::Failed { .. }
                | State::Unknown { .. } => None,
            });
            match release {
                Some(release) => {
                    Seen::Known(TargetState::Healthy { release, since: since.max().unwrap_or(now) })
                }
                None => Seen::unknown("no artifact has a version here"),
            }
        }
    }
}

/// What stands in the way most comes first.
fn rank(state: &State) -> u8 {
    match state {
        State::Healthy { .. } => 0,
        State::NotDeployed => 1,
        State::Deploying { .. } => 2,
        State::Failed { .. } => 3,
        State::Unknown { .. } => 4,
    }
}

/// What runs where something failed, if all of it is told.
fn running(states: &BTreeMap<ArtifactName, State>) -> Option<Release> {
    let versions: Option<Vec<(ArtifactName, Version)>> = states
        .iter()
        .map(|(artifact, state)| {
            let text = match state {
                State::Healthy { version, .. } => Some(version),
                State::Failed { running, .. } => running.as_ref(),
                State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
            };
            Some((artifact.clone(), Version::parse(text?).ok()?))
        })
        .collect();
    versions.and_then(Release::new)
}
