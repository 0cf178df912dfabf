//! What a target's state means for the release that Git declares for it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::names::TargetName;
use crate::observation::{Declared, EnvironmentSeen, Evidence, Seen, TargetState, Why};
use crate::pipeline::{Environment, Target, TargetKind};
use crate::release::Release;

/// Why a target is not known of which the observation says nothing.
const UNSEEN: &str = "nobody looked at it";

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
    /// What that rests on, where it can be told.
    pub evidence: Arc<[Evidence]>,
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
            Seen::Unknown(why) => return Self::unknown(environment, seen, need, why),
        };
        let (expected, forced) = match &declared.release {
            Some(release) => (Some(release.clone()), None),
            None => match reported(environment, seen) {
                Reported::Release(release) => (Some(release), None),
                Reported::Nothing => (None, None),
                Reported::Several => {
                    (None, Some(Verdict::Deploying { release: None, since: None, deadline: None }))
                }
                Reported::Unknown(why) => (None, Some(Verdict::Unknown { why })),
            },
        };
        let place =
            Place { environment, seen, declared, arrived: arrived(declared, expected.as_ref(), seen), now };
        let targets: Vec<TargetVerdict> =
            environment.targets.iter().map(|target| place.judge(target, expected.as_ref())).collect();
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
        let verdict = forced.unwrap_or_else(|| {
            match (expected, need.checked_sub(1).and_then(|last| sinces.get(last))) {
                (Some(release), Some(since)) => Verdict::Healthy { release, since: *since },
                (_, _) => worst(&targets, need),
            }
        });
        Self { verdict, healthy, need, targets }
    }

    /// What Git declares is not known: what runs can still be told, but not
    /// whether that is what should.
    fn unknown(environment: &Environment, seen: &EnvironmentSeen, need: usize, why: &Why) -> Self {
        let verdict = Verdict::Unknown { why: why.clone() };
        let targets = environment.targets.iter().map(|target| TargetVerdict {
            name: target.name.clone(),
            verdict: verdict.clone(),
            running: seen
                .targets
                .get(&target.name)
                .and_then(Seen::known)
                .and_then(TargetState::running)
                .cloned(),
            evidence: evidence_of(seen, &target.name),
        });
        Self { targets: targets.collect(), verdict, healthy: 0, need }
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

/// What the targets report where Git names no version.
enum Reported {
    /// All that tell a release tell this one.
    Release(Release),
    /// None tells one.
    Nothing,
    /// They tell several.
    Several,
    /// One of them is not known, and it might tell another.
    Unknown(Why),
}

fn reported(environment: &Environment, seen: &EnvironmentSeen) -> Reported {
    let mut found: Option<&Release> = None;
    for target in environment.targets.iter().filter(|target| target.kind != TargetKind::Git) {
        let state = match seen.targets.get(&target.name) {
            Some(Seen::Known(state)) => state,
            Some(Seen::Unknown(why)) => return Reported::Unknown(why.clone()),
            None => return Reported::Unknown(Why::new(UNSEEN)),
        };
        match (found, state.about()) {
            (_, None) => {}
            (None, Some(release)) => found = Some(release),
            (Some(known), Some(release)) if known.same(release) => {}
            (Some(_), Some(_)) => return Reported::Several,
        }
    }
    found.map_or(Reported::Nothing, |release| Reported::Release(release.clone()))
}

/// When the release that is expected came, at the earliest. A commit tells when
/// it was made, which can be long before it was pushed; while the environment
/// was seen healthy at another release, it cannot have come yet.
fn arrived(declared: &Declared, expected: Option<&Release>, seen: &EnvironmentSeen) -> Option<Timestamp> {
    let committed = declared.origin.known().map(|origin| origin.at)?;
    let others = seen.proofs.known().into_iter().flatten();
    let other_until = others
        .filter(|proof| expected.is_some_and(|expected| !proof.release.covers(expected)))
        .map(|proof| proof.until)
        .max();
    Some(other_until.map_or(committed, |until| committed.max(until)))
}

/// What a target's state rests on.
fn evidence_of(seen: &EnvironmentSeen, target: &TargetName) -> Arc<[Evidence]> {
    seen.evidence.get(target).cloned().unwrap_or_else(|| [].into())
}

/// What a target is judged by.
struct Place<'a> {
    environment: &'a Environment,
    seen: &'a EnvironmentSeen,
    declared: &'a Declared,
    /// When the expected release came, where that is known.
    arrived: Option<Timestamp>,
    now: Timestamp,
}

impl Place<'_> {
    /// A target tells by its own clock since when it is healthy. It cannot have been before
    /// the release came. A commit from the future tells nothing: whoever made it has a wrong clock.
    fn not_before_it_came(&self, since: Timestamp) -> Timestamp {
        self.arrived.filter(|arrived| *arrived <= self.now).map_or(since, |arrived| since.max(arrived))
    }

    fn judge(&self, target: &Target, expected: Option<&Release>) -> TargetVerdict {
        let name = target.name.clone();
        let evidence = evidence_of(self.seen, &name);
        let unknown = |why: Why| TargetVerdict {
            name: name.clone(),
            verdict: Verdict::Unknown { why },
            running: None,
            evidence: evidence.clone(),
        };
        let state = match &target.kind {
            TargetKind::Git => return self.declared_is_deployed(target),
            TargetKind::Report | TargetKind::Http(_) | TargetKind::Cluster(_) => {
                match self.seen.targets.get(&target.name) {
                    Some(Seen::Known(state)) => state,
                    Some(Seen::Unknown(why)) => return unknown(why.clone()),
                    None => return unknown(Why::new(UNSEEN)),
                }
            }
        };
        // Where the targets do not agree, each is judged by its own word.
        let expected = expected.or(state.about());
        let verdict = match state {
            TargetState::NotDeployed if expected.is_none() => Verdict::NotDeployed,
            TargetState::NotDeployed => self.on_its_way(expected, None),
            TargetState::Healthy { release, since } => match expected {
                Some(expected) if release.covers(expected) => {
                    Verdict::Healthy { release: expected.clone(), since: self.not_before_it_came(*since) }
                }
                Some(_) | None => self.on_its_way(expected, None),
            },
            TargetState::Deploying { since, .. } => self.on_its_way(expected, Some(*since)),
            TargetState::Failed { release, why, since, .. } => {
                // A failure of another release says nothing of the one that is declared now,
                // nor does one that was told before that release came.
                let about = match (release, expected) {
                    (Some(release), Some(expected)) => release.covers(expected),
                    (Some(_) | None, _) => self.arrived.is_none_or(|arrived| *since >= arrived),
                };
                if about {
                    Verdict::Failed {
                        release: expected.cloned(),
                        why: Failure::Told(why.clone()),
                        since: *since,
                    }
                } else {
                    self.on_its_way(expected, None)
                }
            }
        };
        TargetVerdict { name, verdict, running: state.running().cloned(), evidence }
    }

    /// What is declared counts as deployed since it came.
    fn declared_is_deployed(&self, target: &Target) -> TargetVerdict {
        let verdict = match (&self.declared.release, &self.declared.origin, &self.seen.proofs) {
            (None, _, _) => Verdict::NotDeployed,
            (Some(release), Seen::Known(origin), Seen::Known(_)) => {
                Verdict::Healthy { release: release.clone(), since: self.arrived.unwrap_or(origin.at) }
            }
            (Some(_), Seen::Unknown(why), _) | (Some(_), _, Seen::Unknown(why)) => {
                Verdict::Unknown { why: why.clone() }
            }
        };
        let (name, running) = (target.name.clone(), self.declared.release.clone());
        TargetVerdict { name, verdict, running, evidence: [].into() }
    }

    fn on_its_way(&self, release: Option<&Release>, since: Option<Timestamp>) -> Verdict {
        let since = since.max(self.arrived);
        let within = self.environment.deploy_within;
        let deadline = since.and_then(|since| since.checked_add(within).ok());
        match deadline {
            Some(deadline) if deadline <= self.now => {
                Verdict::Failed { release: release.cloned(), why: Failure::Deadline(within), since: deadline }
            }
            Some(_) | None => Verdict::Deploying { release: release.cloned(), since, deadline },
        }
    }
}
