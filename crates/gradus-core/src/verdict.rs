//! What a target's state means for the release that Git declares for it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::names::TargetName;
use crate::observation::{Declared, EnvironmentSeen, Seen, TargetState, Why};
use crate::pipeline::{Environment, Target, TargetKind};
use crate::release::Release;

/// What is to be thought of a target, or of an environment as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing runs there.
    NotDeployed,
    /// A rollout is under way.
    Deploying {
        /// To what, where that is known.
        release: Option<Release>,
        /// Since when, where that is known.
        since: Option<Timestamp>,
        /// When it counts as failed.
        deadline: Option<Timestamp>,
    },
    /// What Git declares runs and works.
    Healthy {
        /// What runs.
        release: Release,
        /// Since when, without interruption.
        since: Timestamp,
    },
    /// What Git declares does not work.
    Failed {
        /// What failed.
        release: Option<Release>,
        /// Why.
        why: Failure,
        /// Since when.
        since: Timestamp,
    },
    /// It is not known.
    Unknown {
        /// Why not.
        why: Why,
    },
}

/// Why a target does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It was told, in these words.
    Told(Arc<str>),
    /// The rollout took longer than this.
    Deadline(SignedDuration),
}

/// The verdict of an environment, and what it is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentVerdict {
    /// The environment as a whole.
    pub verdict: Verdict,
    /// How many targets are healthy.
    pub healthy: usize,
    /// How many must be.
    pub need: usize,
    /// Each target.
    pub targets: Vec<TargetVerdict>,
}

/// The verdict of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetVerdict {
    /// Which one.
    pub name: TargetName,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// What runs there, where that is known.
    pub running: Option<Release>,
}

impl Verdict {
    /// The one word that people read.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotDeployed => "not deployed",
            Self::Deploying { .. } => "deploying",
            Self::Healthy { .. } => "healthy",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Since when it is so, where that is known.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::NotDeployed | Self::Unknown { .. } => None,
            Self::Deploying { since, .. } => *since,
            Self::Healthy { since, .. } | Self::Failed { since, .. } => Some(*since),
        }
    }
}

impl EnvironmentVerdict {
    /// Judges an environment by its targets.
    pub fn of(environment: &Environment, seen: &EnvironmentSeen, now: Timestamp) -> Self {
        let need = environment.healthy.of(environment.targets.len());
        let declared = match &seen.declared {
            Seen::Known(declared) => declared,
            Seen::Unknown(why) => {
                let verdict = Verdict::Unknown { why: why.clone() };
                return Self { verdict, healthy: 0, need, targets: Vec::new() };
            }
        };
        let expected = declared.release.clone().or_else(|| reported(environment, seen));
        let targets: Vec<TargetVerdict> = environment
            .targets
            .iter()
            .map(|target| judge(target, environment, declared, expected.as_ref(), seen, now))
            .collect();
        let mut sinces: Vec<Timestamp> = targets
            .iter()
            .filter_map(|target| match &target.verdict {
                Verdict::Healthy { since, .. } => Some(*since),
                Verdict::NotDeployed
                | Verdict::Deploying { .. }
                | Verdict::Failed { .. }
                | Verdict::Unknown { .. } => None,
            })
            .collect();
        sinces.sort_unstable();
        let healthy = sinces.len();
        let verdict = match (expected, need.checked_sub(1).and_then(|last| sinces.get(last))) {
            (Some(release), Some(since)) => Verdict::Healthy { release, since: *since },
            (_, _) => worst(&targets, need),
        };
        Self { verdict, healthy, need, targets }
    }

    /// What runs in the environment, where all targets that tell it agree.
    pub fn running(&self) -> Option<&Release> {
        let mut running = self.targets.iter().filter_map(|target| target.running.as_ref());
        let first = running.next()?;
        running.all(|other| other.same(first)).then_some(first)
    }

    /// The first target with this kind of verdict.
    pub fn first(&self, wanted: impl Fn(&Verdict) -> bool) -> Option<&TargetVerdict> {
        self.targets.iter().find(|target| wanted(&target.verdict))
    }
}

/// Not enough targets are healthy: the verdict that says why. A failure that the
/// others cannot make up for comes first, then what is not known, then what is
/// still on its way.
fn worst(targets: &[TargetVerdict], need: usize) -> Verdict {
    let is_failed = |v: &Verdict| matches!(v, Verdict::Failed { .. });
    let failed = targets.iter().filter(|target| is_failed(&target.verdict)).count();
    let pick = |wanted: &dyn Fn(&Verdict) -> bool| {
        targets.iter().map(|target| &target.verdict).find(|verdict| wanted(verdict)).cloned()
    };
    let doomed = failed > targets.len().saturating_sub(need);
    doomed
        .then(|| pick(&is_failed))
        .flatten()
        .or_else(|| pick(&|v| matches!(v, Verdict::Unknown { .. })))
        .or_else(|| pick(&|v| matches!(v, Verdict::Deploying { .. })))
        .or_else(|| pick(&is_failed))
        .unwrap_or(Verdict::NotDeployed)
}

/// Where Git names no version, the one that the targets report.
fn reported(environment: &Environment, seen: &EnvironmentSeen) -> Option<Release> {
    environment.targets.iter().find_map(|target| match seen.targets.get(&target.name)? {
        Seen::Known(TargetState::Healthy { release, .. }) => Some(release.clone()),
        Seen::Known(TargetState::Deploying { release, .. } | TargetState::Failed { release, .. }) => release.clone(),
        Seen::Known(TargetState::NotDeployed) | Seen::Unknown(_) => None,
    })
}

fn judge(
    target: &Target,
    environment: &Environment,
    declared: &Declared,
    expected: Option<&Release>,
    seen: &EnvironmentSeen,
    now: Timestamp,
) -> TargetVerdict {
    let state = match target.kind {
        TargetKind::Git => return declared_is_deployed(target, declared),
        TargetKind::Report | TargetKind::Http(_) => match seen.targets.get(&target.name) {
            Some(Seen::Known(state)) => state,
            Some(Seen::Unknown(why)) => {
                let verdict = Verdict::Unknown { why: why.clone() };
                return TargetVerdict { name: target.name.clone(), verdict, running: None };
            }
            None => {
                let verdict = Verdict::Unknown { why: Why::new("nobody looked at it") };
                return TargetVerdict { name: target.name.clone(), verdict, running: None };
            }
        },
    };
    let same = |release: &Release| expected.is_some_and(|expected| covers(release, expected));
    let brought = declared.origin.known().map(|origin| origin.at);
    let on_its_way = |since: Option<Timestamp>| {
        let since = since.max(brought);
        let within = environment.deploy_within;
        let deadline = since.and_then(|since| since.checked_add(within).ok());
        match (since, deadline) {
            (Some(_), Some(deadline)) if deadline <= now => {
                Verdict::Failed { release: expected.cloned(), why: Failure::Deadline(within), since: deadline }
            }
            (since, deadline) => Verdict::Deploying { release: expected.cloned(), since, deadline },
        }
    };
    let (verdict, running) = match state {
        TargetState::NotDeployed if expected.is_some() => (on_its_way(None), None),
        TargetState::NotDeployed => (Verdict::NotDeployed, None),
        TargetState::Healthy { release, since } => {
            let verdict = match expected {
                Some(expected) if same(release) => Verdict::Healthy { release: expected.clone(), since: *since },
                Some(_) | None => on_its_way(None),
            };
            (verdict, Some(release.clone()))
        }
        TargetState::Deploying { since, .. } => (on_its_way(Some(*since)), None),
        TargetState::Failed { release, why, since, running } => {
            // A failure of another release says nothing of the one that is declared now,
            // but for one that was told before that release came.
            let about = match release {
                Some(release) => same(release),
                None => brought.is_none_or(|brought| *since >= brought),
            };
            let verdict = if about {
                Verdict::Failed { release: expected.cloned(), why: Failure::Told(why.clone()), since: *since }
            } else {
                on_its_way(None)
            };
            (verdict, running.clone())
        }
    };
    TargetVerdict { name: target.name.clone(), verdict, running }
}

/// Whether `running` has what `wanted` names.
pub(crate) fn covers(running: &Release, wanted: &Release) -> bool {
    running.restricted_to(wanted).is_some_and(|part| part.same(wanted))
}

fn declared_is_deployed(target: &Target, declared: &Declared) -> TargetVerdict {
    let verdict = match (&declared.release, &declared.origin) {
        (None, _) => Verdict::NotDeployed,
        (Some(release), Seen::Known(origin)) => Verdict::Healthy { release: release.clone(), since: origin.at },
        (Some(_), Seen::Unknown(why)) => Verdict::Unknown { why: why.clone() },
    };
    TargetVerdict { name: target.name.clone(), verdict, running: declared.release.clone() }
}
