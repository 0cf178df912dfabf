//! Looking at the targets: those that report are in the record, those that
//! answer are asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use gradus_core::names::{EnvironmentName, Person, TargetName};
use gradus_core::observation::{Evidence, Seen, TargetState, Why};
use gradus_core::pipeline::{ClusterTarget, Environment, HttpTarget, Pipeline, TargetKind};
use gradus_core::release::Release;

use super::at_commit;
use crate::port::ledger::{Entry, Reported, View, after_report};
use crate::port::targets::Answered;
use crate::port::{PortError, Ports};

/// How many targets of one pipeline are asked at the same time.
const AT_ONCE: usize = 8;

/// What was seen of all targets of a pipeline.
pub(crate) struct Asked {
    states: BTreeMap<(EnvironmentName, TargetName), Seen<TargetState>>,
    evidence: BTreeMap<(EnvironmentName, TargetName), Arc<[Evidence]>>,
}

impl Asked {
    /// What the states of an environment's targets rest on, where that was told.
    pub(crate) fn evidence(&self, environment: &Environment) -> BTreeMap<TargetName, Arc<[Evidence]>> {
        let of =
            |target: &TargetName| self.evidence.get(&(environment.name.clone(), target.clone())).cloned();
        let targets = environment.targets.iter().map(|target| &target.name);
        targets.filter_map(|name| Some((name.clone(), of(name)?))).collect()
    }

    /// The targets of one environment.
    pub(crate) fn of(&self, environment: &Environment) -> BTreeMap<TargetName, Seen<TargetState>> {
        environment
            .targets
            .iter()
            .filter_map(|target| {
                let state = self.states.get(&(environment.name.clone(), target.name.clone()))?;
                Some((target.name.clone(), state.clone()))
            })
            .collect()
    }
}

/// Looks at every target. What an endpoint answers is recorded like a report, so
/// that the time since when it is so survives.
pub(crate) async fn ask(
    ports: &Ports,
    pipeline: &Pipeline,
    view: Option<&View>,
    git: &super::git::GitSight,
) -> Asked {
    let mut states = BTreeMap::new();
    let mut to_ask: Vec<(EnvironmentName, TargetName, &HttpTarget)> = Vec::new();
    let mut to_look_at: Vec<((EnvironmentName, TargetName), &ClusterTarget)> = Vec::new();
    for environment in pipeline.environments() {
        for target in &environment.targets {
            let key = (environment.name.clone(), target.name.clone());
            let recorded = view.map(|view| view.targets.get(&key).cloned());
            match &target.kind {
                TargetKind::Git => {}
                TargetKind::Report => {
                    let state = match recorded {
                        Some(Some(state)) => Seen::Known(state),
                        Some(None) => Seen::unknown("it has not reported yet"),
                        None => Seen::unknown("the record of reports cannot be read"),
                    };
                    states.insert(key, state);
                }
                TargetKind::Http(http) => to_ask.push((key.0, key.1, http)),
                TargetKind::Cluster(cluster) => to_look_at.push((key, cluster)),
            }
        }
    }
    let mut answers = Vec::with_capacity(to_ask.len());
    for some in to_ask.chunks(AT_ONCE) {
        let asked: Vec<_> = some.iter().map(|(_, _, http)| ports.targets.ask(http)).collect();
        let names = some.iter().map(|(environment, target, _)| (environment.clone(), target.clone()));
        answers.extend(names.zip(join_all(asked).await));
    }
    let looks = to_look_at.iter().map(|(_, target)| ports.targets.look(&pipeline.key, target));
    let looked = join_all(looks).await;
    let mut evidence = BTreeMap::new();
    for ((key, _), found) in to_look_at.into_iter().zip(looked) {
        let state = match found {
            Ok(found) => {
                evidence.insert(key.clone(), found.evidence.into());
                match (found.state, pipeline.environment(&key.0)) {
                    (Seen::Known(state), Some(environment)) => {
                        at_commit::in_releases(ports, pipeline, environment, git, state).await
                    }
                    (state, _) => state,
                }
            }
            Err(error) => Seen::Unknown(Why::new(error.in_full())),
        };
        states.insert(key, state);
    }
    let mut entries = Vec::new();
    for ((environment, target), answer) in answers {
        let state = match answer.map(|answer| told(pipeline, answer)) {
            Ok(Ok(reported)) => {
                let before = view.and_then(|view| view.targets.get(&(environment.clone(), target.clone())));
                let at = ports.clock.now();
                let after = after_report(before, &reported, at);
                if before != Some(&after) {
                    let (environment, target) = (environment.clone(), target.clone());
                    entries.push(Entry::Report { environment, target, reported, by: Person::gradus(), at });
                }
                Seen::Known(after)
            }
            Ok(Err(why)) => Seen::Unknown(why),
            Err(error) => Seen::Unknown(Why::new(error.in_full())),
        };
        states.insert((environment, target), state);
    }
    if !entries.is_empty()
        && let Err(error) = ports.ledger.record(&pipeline.key, &entries).await
    {
        warn(&error);
    }
    Asked { states, evidence }
}

fn told(pipeline: &Pipeline, answer: Answered) -> Result<Reported, Why> {
    match answer {
        Answered::Healthy(version) => match pipeline.only_artifact() {
            Some(artifact) => Ok(Reported::Healthy { release: Release::single(artifact.clone(), version) }),
            None => Err(Why::new("an endpoint tells one version, and the pipeline has several artifacts")),
        },
        Answered::Unhealthy(why) => Ok(Reported::Failed { release: None, why: why.into() }),
    }
}

fn warn(error: &PortError) {
    tracing::warn!(error = error.in_full(), "could not record what the targets answered");
}
