//! Whether an environment has proven a release.

use jiff::Timestamp;

use crate::brought::brought_by;
use crate::gate::{Answer, Ask};
use crate::names::EnvironmentName;
use crate::observation::{EnvironmentSeen, Proof, Seen};
use crate::pipeline::Environment;
use crate::reason::Reason;
use crate::release::{Orders, Release, Standing};
use crate::verdict::{EnvironmentVerdict, Failure, Verdict};

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

/// Whether a proof from the past counts, of a release that is not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It does: a person names the release.
    Counts,
    /// It does if something newer took its place. A release that was moved back
    /// from has lost its proof.
    WhereOvertaken,
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
    orders: &Orders,
    now: Timestamp,
) -> Proving {
    let here = declared_or_running(seen, verdict);
    let is_unknown = matches!(verdict.verdict, Verdict::Unknown { .. });
    let proving = match here {
        Some(here) if here.covers(release) => current(&environment.name, verdict),
        None if is_unknown => current(&environment.name, verdict),
        Some(_) | None => before(environment, seen, here, release, past, (orders, now)),
    };
    match proving {
        Proving::Not(_) => proving,
        Proving::Now { .. } | Proving::Before { .. } => verified(environment, seen, release, proving, now),
    }
}

/// What an environment is at: what Git declares, or, where Git names nothing, what is healthy there.
pub fn declared_or_running<'a>(
    seen: &'a EnvironmentSeen,
    verdict: &'a EnvironmentVerdict,
) -> Option<&'a Release> {
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
                Failure::Deadline(within) => Reason::DeadlineExceeded {
                    environment,
                    target,
                    release: release.clone(),
                    within: *within,
                    since: *since,
                },
            })
        }
        Verdict::Unknown { why } => {
            let target =
                verdict.first(|verdict| matches!(verdict, Verdict::Unknown { .. })).map(|t| t.name.clone());
            Proving::Not(Reason::HealthUnknown { environment, target, why: why.clone() })
        }
    }
}

fn before(
    environment: &Environment,
    seen: &EnvironmentSeen,
    here: Option<&Release>,
    release: &Release,
    past: Past,
    (orders, now): (&Orders, Timestamp),
) -> Proving {
    let counts = match past {
        Past::Counts => true,
        Past::WhereOvertaken => here.is_some_and(|here| orders.compare(here, release) == Standing::Newer),
        Past::DoesNotCount => false,
    };
    let environment = environment.name.clone();
    match &seen.proofs {
        Seen::Unknown(why) if counts => {
            Proving::Not(Reason::HealthUnknown { environment, target: None, why: why.clone() })
        }
        Seen::Known(proofs) if counts && let Some((since, until)) = longest(proofs, release, now) => {
            Proving::Before { since, until }
        }
        Seen::Known(_) | Seen::Unknown(_) => Proving::Not(Reason::WaitingForEnvironment {
            environment,
            has: here.cloned(),
            wants: release.clone(),
        }),
    }
}

/// The longest of the spans in which the release was healthy. Nothing after
/// `now` counts.
pub(crate) fn longest(proofs: &[Proof], release: &Release, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    proofs
        .iter()
        .filter(|proof| proof.release.covers(release))
        .map(|proof| (proof.since.min(now), proof.until.min(now)))
        .max_by_key(|(since, until)| (until.duration_since(*since), *until))
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
    let brought_by = brought_by(&environment.name, seen, release);
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
