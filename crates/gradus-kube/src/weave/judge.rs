//! What follows for a pipeline from what is seen: its status, what is told, and what
//! is to be done.

use std::collections::BTreeMap;

use gradus_evidence::ObjectRef;
use gradus_weave::classic::{self, Event};
use gradus_weave::condition::{self, PROMOTION_PENDING, READY, Says};
use gradus_weave::kind::{ClusterAppRef, EnvironmentStatus, Pipeline, Status, Target, TargetStatus};
use gradus_weave::level::{self, Decision};
use gradus_weave::message::cut;
use gradus_weave::{Promotion, Revision};
use jiff::Timestamp;

use super::reading::{Read, read};
use super::sight::{AppSight, ClusterSight, Sights, app_of, for_classic};
use super::status;
use crate::watch::kind_words;

/// The words for what takes long to be read for the first time.
pub(super) const NOT_READ: &str = "it is still being read for the first time";
const NOT_SYNCED: &str = "Target cluster client is not synced";

/// What follows for a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is being deleted: nothing is written and nothing is told.
    Leave,
    /// Something is being read for the first time. Who waits for it is woken.
    NotYet,
    /// Nobody knows. This is told, and nothing written.
    TryAgain(Event),
    /// This is the status.
    Write(Box<Written>),
}

/// What is written, told and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) status: Status,
    pub(super) events: Vec<Event>,
    pub(super) next: Next,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Promote(Box<Promotion>),
    /// The revision is to wait for an approval.
    Wait {
        environment: String,
        revision: Revision,
    },
}

impl Next {
    /// Which environment it is done to.
    pub(super) fn environment(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Promote(promotion) => Some(&promotion.environment.name),
            Self::Wait { environment, .. } => Some(environment),
        }
    }
}

/// What is asked besides what is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Why it cannot be promoted as the pipeline says.
    pub(super) refused: Option<&'a str>,
    /// Whether what is not read yet is waited for.
    pub(super) patient: bool,
    pub(super) now: Timestamp,
}

/// What follows under the classic rule.
pub(super) fn classic(pipeline: &Pipeline, sights: &dyn Sights, asked: Asked<'_>) -> Outcome {
    let mut not_yet = false;
    let outcome = classic::judge(pipeline, |cluster| {
        let sight = sights.cluster(cluster);
        not_yet |= sight == ClusterSight::NotYet;
        for_classic(sight)
    });
    match outcome {
        classic::Outcome::Leave => Outcome::Leave,
        classic::Outcome::TryAgain(_) if not_yet && asked.patient => Outcome::NotYet,
        classic::Outcome::TryAgain(event) => Outcome::TryAgain(event),
        classic::Outcome::Write { says, events, again_in_minutes: _ } => {
            let mut status = pipeline.status.clone();
            condition::remove(&mut status.conditions, PROMOTION_PENDING);
            let events = verdict(pipeline, &mut status, says, events, asked);
            Outcome::Write(Box::new(Written { status, events, next: Next::Nothing }))
        }
    }
}

/// What follows under the level-triggered rule.
pub(super) fn level(pipeline: &Pipeline, sights: &dyn Sights, asked: Asked<'_>) -> Outcome {
    if pipeline.metadata.deletion_timestamp.is_some() {
        return Outcome::Leave;
    }
    let mut readings: Vec<Vec<Reading>> = Vec::new();
    for environment in &pipeline.spec.environments {
        let mut here = Vec::new();
        for target in &environment.targets {
            match look(pipeline, target, sights, asked) {
                Ok(reading) => here.push(reading),
                Err(outcome) => return outcome,
            }
        }
        readings.push(here);
    }
    let mut status = pipeline.status.clone();
    status.environments = environments(pipeline, &readings);
    if let Some(revision) = readings.first().and_then(|first| common(first)) {
        status.latest_revision = Some(revision.as_str().to_owned());
    }
    let mut events: Vec<Event> = readings.iter().flatten().filter_map(|one| one.event.clone()).collect();
    let all_read = readings.iter().flatten().all(|one| one.seen != level::Target::Unreadable);
    if all_read {
        events.push(Event::updated(pipeline));
    }
    let says = if all_read { Says::Checked } else { Says::TargetNotReadable };
    let seen: Vec<Vec<level::Target>> =
        readings.iter().map(|here| here.iter().map(|one| one.seen.clone()).collect()).collect();
    let (next, pending) = match level::decide(pipeline, &seen) {
        Decision::Pending(pending) => (Next::Nothing, Some(pending)),
        Decision::Promote(promotion) => (Next::Promote(promotion), None),
        // Somebody else may have let it wait already.
        Decision::AwaitApproval { environment, revision }
            if pipeline.waiting(&environment) == Some(revision.as_str()) =>
        {
            (Next::Nothing, None)
        }
        Decision::AwaitApproval { environment, revision } => (Next::Wait { environment, revision }, None),
        Decision::Done { .. }
        | Decision::Wait { .. }
        | Decision::LookAgain { .. }
        | Decision::Stop { .. } => (Next::Nothing, None),
    };
    let events = verdict(pipeline, &mut status, says, events, asked);
    match pending {
        Some(pending) => {
            let says = Says::Pending(pending.message());
            condition::set(&mut status.conditions, &says, pipeline.metadata.generation, asked.now);
        }
        None => condition::remove(&mut status.conditions, PROMOTION_PENDING),
    }
    Outcome::Write(Box::new(Written { status, events, next }))
}

/// Sets the condition `Ready`. What could be looked at and cannot be promoted is not
/// in order: that is said before anybody waits for it in vain.
fn verdict(
    pipeline: &Pipeline,
    status: &mut Status,
    says: Says,
    events: Vec<Event>,
    asked: Asked<'_>,
) -> Vec<Event> {
    let generation = pipeline.metadata.generation;
    status.observed_generation = generation.unwrap_or(status.observed_generation);
    match asked.refused.filter(|_| says == Says::Checked) {
        Some(why) => {
            let condition =
                status::Said { kind: READY, status: "False", reason: "StrategyNotSupported", message: why };
            status::set(&mut status.conditions, &condition, generation, asked.now);
            vec![Event { kind: "Warning", reason: "StrategyNotSupported", message: why.to_owned() }]
        }
        None => {
            condition::set(&mut status.conditions, &says, generation, asked.now);
            events
        }
    }
}

/// What was read of a target.
struct Reading {
    seen: level::Target,
    status: TargetStatus,
    event: Option<Event>,
}

fn look(
    pipeline: &Pipeline,
    target: &Target,
    sights: &dyn Sights,
    asked: Asked<'_>,
) -> Result<Reading, Outcome> {
    let app = &pipeline.spec.app_ref;
    let about = ClusterAppRef {
        api_version: app.api_version.clone(),
        kind: app.kind.clone(),
        name: app.name.clone(),
        cluster_ref: target.cluster_ref.clone(),
    };
    let unreadable = |error: &str, event: Option<Event>| {
        let status =
            TargetStatus { cluster_app_ref: about.clone(), error: cut(error), ..TargetStatus::default() };
        Ok(Reading { seen: level::Target::Unreadable, status, event })
    };
    if let Some(cluster) = &target.cluster_ref {
        match sights.cluster(cluster) {
            ClusterSight::Ready => {}
            ClusterSight::NotReady => {
                return unreadable(&Says::ClusterNotReady(cluster.clone()).message(), None);
            }
            ClusterSight::Missing => {
                let why = format!("GitopsCluster.gitops.weave.works \"{}\" not found", cluster.name);
                let event = Event::no_cluster(pipeline, cluster, &why);
                return unreadable(&why, Some(event));
            }
            ClusterSight::NotYet if asked.patient => return Err(Outcome::NotYet),
            ClusterSight::NotYet => {
                return Err(Outcome::TryAgain(Event::no_cluster(pipeline, cluster, NOT_READ)));
            }
            ClusterSight::Unknown(why) => {
                return Err(Outcome::TryAgain(Event::no_cluster(pipeline, cluster, &why)));
            }
        }
    }
    let Some(object) = app_of(pipeline, target) else {
        let why = format!(
            "target spec could not be interpreted as an object: unexpected GroupVersion string: {}",
            app.api_version
        );
        return unreadable(&why, None);
    };
    let not_got = |why: &str| unreadable(why, Some(no_application(pipeline, target, &object, why)));
    let seen = match sights.app(target, &object) {
        AppSight::Seen(seen) => seen,
        AppSight::Missing => {
            return not_got(&format!("{} \"{}\" not found", kind_words(&object.group_kind()), object.name));
        }
        AppSight::NotYet if asked.patient => return Err(Outcome::NotYet),
        AppSight::NotYet => return unreadable(NOT_SYNCED, None),
        AppSight::Unknown(why) => return not_got(&why),
    };
    let text = |revision: &Option<Revision>| {
        revision.as_ref().map(|one| one.as_str().to_owned()).unwrap_or_default()
    };
    Ok(match read(&seen, &object, asked.now) {
        Read::Says { revision, ready, error } => Reading {
            status: TargetStatus {
                cluster_app_ref: about,
                ready,
                revision: text(&revision),
                error: error.unwrap_or_default().to_owned(),
            },
            seen: level::Target::Seen { revision, ready },
            event: None,
        },
        Read::Stale { revision, why } => Reading {
            status: TargetStatus {
                cluster_app_ref: about,
                ready: false,
                revision: text(&revision),
                error: why.to_owned(),
            },
            seen: level::Target::Unreadable,
            event: Some(no_application(pipeline, target, &object, why)),
        },
    })
}

fn no_application(pipeline: &Pipeline, target: &Target, object: &ObjectRef, why: &str) -> Event {
    let own = &pipeline.metadata.namespace;
    let cluster = target.cluster_ref.as_ref();
    let cluster =
        cluster.map(|cluster| format!("{}/{}", cluster.namespace_or(own), cluster.name)).unwrap_or_default();
    Event::no_application(pipeline, &cluster, &format!("{}/{}", object.namespace, object.name), why)
}

/// The environments as they are, with what others and earlier looks wrote down of them.
fn environments(pipeline: &Pipeline, readings: &[Vec<Reading>]) -> BTreeMap<String, EnvironmentStatus> {
    let mut environments: BTreeMap<String, EnvironmentStatus> = BTreeMap::new();
    for (environment, here) in pipeline.spec.environments.iter().zip(readings) {
        let before = pipeline.status.environments.get(&environment.name).cloned().unwrap_or_default();
        let before = EnvironmentStatus { targets: Vec::new(), ..before };
        let status = environments.entry(environment.name.clone()).or_insert(before);
        status.targets.extend(here.iter().map(|one| one.status.clone()));
    }
    environments
}

/// The revision that all targets of an environment run.
fn common(readings: &[Reading]) -> Option<&Revision> {
    let mut common = None;
    for reading in readings {
        let level::Target::Seen { revision: Some(revision), .. } = &reading.seen else { return None };
        if common.is_some_and(|common| common != revision) {
            return None;
        }
        common = Some(revision);
    }
    common
}

#[cfg(test)]
mod tests;
