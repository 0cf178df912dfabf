//! Whether an environment has proven a release.

use jiff::Timestamp;

use crate::gate::{Answer, Ask};
use crate::names::{EnvironmentName, Person};
use crate::observation::{EnvironmentSeen, Seen};
use crate::pipeline::Environment;
use crate::reason::Reason;
use crate::release::Release;
use crate::verdict::{EnvironmentVerdict, Failure, Verdict, covers};

/// Whether an environment has proven a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proving {
    /// It runs there, healthy, since then.
    Now {
        /// Since when, without interruption.
        since: Timestamp,
    },
    /// It ran there, healthy, before something else came.
    Before {
        /// From when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// It has not.
    Not(Reason),
}

impl Proving {
    /// The time from which the proof counts.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Now { since } | Self::Before { since, .. } => Some(*since),
            Self::Not(_) => None,
        }
    }
}

/// Whether a proof from the past counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It does: the release was overtaken, or a person names it.
    Counts,
    /// Only what runs now does.
    DoesNotCount,
}

/// Whether `environment` has proven `release`: healthy there, and past its own
/// verification.
pub fn proving(
    environment: &Environment,
    seen: &EnvironmentSeen,
    verdict: &EnvironmentVerdict,
    release: &Release,
    past: Past,
    now: Timestamp,
) -> Proving {
    let name = &environment.name;
    let here = declared_or_running(seen, verdict);
    let proving = match here {
        Some(here) if covers(here, release) => current(name, verdict),
        Some(here) => match before(seen, release, past) {
            Some(proving) => proving,
            None => Proving::Not(Reason::WaitingForEnvironment {
                environment: name.clone(),
                has: Some(here.clone()),
                wants: release.clone(),
            }),
        },
        None => match &verdict.verdict {
            Verdict::Unknown { .. } => current(name, verdict),
            Verdict::NotDeployed | Verdict::Deploying { .. } | Verdict::Healthy { .. } | Verdict::Failed { .. } => {
                before(seen, release, past).unwrap_or(Proving::Not(Reason::WaitingForEnvironment {
                    environment: name.clone(),
                    has: None,
                    wants: release.clone(),
                }))
            }
        },
    };
    match proving {
        Proving::Not(_) => proving,
        Proving::Now { .. } | Proving::Before { .. } => verified(environment, seen, release, proving, now),
    }
}

/// What an environment is at: what Git declares, or, where Git names nothing, what is healthy there.
pub fn declared_or_running<'a>(seen: &'a EnvironmentSeen, verdict: &'a EnvironmentVerdict) -> Option<&'a Release> {
    let declared = seen.declared.known()?;
    declared.release.as_ref().or(match &verdict.verdict {
        Verdict::Healthy { release, .. } => Some(release),
        Verdict::Deploying { release, .. } | Verdict::Failed { release, .. } => release.as_ref(),
        Verdict::NotDeployed | Verdict::Unknown { .. } => None,
    })
}

fn current(name: &EnvironmentName, verdict: &EnvironmentVerdict) -> Proving {
    let environment = name.clone();
    match &verdict.verdict {
        Verdict::Healthy { since, .. } => Proving::Now { since: *since },
        Verdict::NotDeployed => Proving::Not(Reason::NotDeployed { environment }),
        Verdict::Deploying { release, since, deadline } => Proving::Not(Reason::WaitingForHealth {
            environment,
            release: release.clone(),
            since: *since,
            deadline: *deadline,
            healthy: verdict.healthy,
            need: verdict.need,
        }),
        Verdict::Failed { release, why, since } => {
            let failed = verdict.first(|verdict| matches!(verdict, Verdict::Failed { .. }));
            let target = failed.map(|target| target.name.clone());
            let running = failed.and_then(|target| target.running.clone());
            Proving::Not(match why {
                Failure::Told(why) => Reason::TargetFailed {
                    environment,
                    target,
                    release: release.clone(),
                    why: why.clone(),
                    since: *since,
                    running,
                },
                Failure::Deadline(within) => {
                    Reason::DeadlineExceeded { environment, target, release: release.clone(), within: *within, since: *since }
                }
            })
        }
        Verdict::Unknown { why } => {
            let target = verdict.first(|verdict| matches!(verdict, Verdict::Unknown { .. })).map(|t| t.name.clone());
            Proving::Not(Reason::HealthUnknown { environment, target, why: why.clone() })
        }
    }
}

fn before(seen: &EnvironmentSeen, release: &Release, past: Past) -> Option<Proving> {
    match past {
        Past::DoesNotCount => None,
        Past::Counts => recorded(seen, release),
    }
}

/// The newest recorded span in which the release was healthy in the environment.
pub(crate) fn recorded(seen: &EnvironmentSeen, release: &Release) -> Option<Proving> {
    seen.proofs
        .known()?
        .iter()
        .filter(|proof| covers(&proof.release, release))
        .max_by_key(|proof| (proof.until, proof.since))
        .map(|proof| Proving::Before { since: proof.since, until: proof.until })
}

/// The environment's own verification, asked of the proof.
fn verified(
    environment: &Environment,
    seen: &EnvironmentSeen,
    release: &Release,
    proving: Proving,
    now: Timestamp,
) -> Proving {
    if environment.verify.is_empty() {
        return proving;
    }
    let proofs = [(environment.name.clone(), proving.clone())];
    let brought_by: Seen<Vec<Person>> = brought_by(seen);
    let ask = Ask {
        now,
        environment: &environment.name,
        release,
        proofs: &proofs,
        approvals: &seen.approvals,
        brought_by: &brought_by,
        checks: &seen.checks,
        request: None,
    };
    for gate in &environment.verify {
        match gate.answer(&ask) {
            Answer::Pass(_) => {}
            Answer::Hold(reason) | Answer::Fail(reason) => return Proving::Not(reason),
        }
    }
    proving
}

/// Who brought the release that an environment declares.
pub fn brought_by(seen: &EnvironmentSeen) -> Seen<Vec<Person>> {
    match &seen.declared {
        Seen::Unknown(why) => Seen::Unknown(why.clone()),
        Seen::Known(declared) => match &declared.origin {
            Seen::Known(origin) => Seen::Known(origin.brought_by.clone()),
            Seen::Unknown(why) => Seen::Unknown(why.clone()),
        },
    }
}
