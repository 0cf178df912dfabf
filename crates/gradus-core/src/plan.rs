//! The plan: from what was seen, the steps to take next and the reasons.
//!
//! Invariant: every step says what it expects to find, so that a step that is
//! carried out late, twice or by two at once does no harm.

mod candidate;
mod change;
mod choose;
mod close;
mod decide;
mod dispatch;
mod history;
mod line;
mod merge;
mod requests;
mod scene;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::gate::{Answer, Passed};
use crate::names::{CommitId, EnvironmentName, ProposalNumber};
use crate::observation::{EnvironmentSeen, Observation, Seen};
use crate::pipeline::{Mode, Pipeline};
use crate::reason::Reason;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::Verdict;

use scene::Scene;

pub use change::{Cause, Change, Merges};

/// What to do, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a plan does nothing by itself"]
pub struct Plan {
    /// What to do, at most one step an environment.
    pub steps: Vec<Step>,
    /// Why, and why nothing more.
    pub report: Report,
}

/// One thing to do. Safe to repeat: what it expects is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write the change to the branch itself.
    Push(Change),
    /// Open a proposal of the change.
    Propose(Change),
    /// Make the open proposal one of this change.
    Update {
        /// Which proposal.
        number: ProposalNumber,
        /// Its head as it was seen.
        head: CommitId,
        /// The change it should be.
        change: Change,
    },
    /// Merge the open proposal.
    Merge {
        /// Which proposal.
        number: ProposalNumber,
        /// Its head as it was seen: nothing else is merged.
        head: CommitId,
        /// The change it is.
        change: Change,
    },
    /// Ask somebody else's automation to make the change.
    Dispatch(Change),
    /// Close the open proposal.
    Close {
        /// Which proposal.
        number: ProposalNumber,
        /// The environment it is for.
        environment: EnvironmentName,
        /// Its head as it was seen.
        head: CommitId,
        /// Why.
        because: CloseReason,
    },
}

/// Why a proposal is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The branch has what it proposes.
    Merged,
    /// The environment has moved past it.
    Overtaken,
    /// It may not come in any more.
    Refused(Reason),
}

impl Step {
    /// The environment it is for.
    pub fn environment(&self) -> &EnvironmentName {
        match self {
            Self::Push(change) | Self::Propose(change) | Self::Dispatch(change) => &change.environment,
            Self::Update { change, .. } | Self::Merge { change, .. } => &change.environment,
            Self::Close { environment, .. } => environment,
        }
    }

    /// The change it makes, if it makes one.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Push(change) | Self::Propose(change) | Self::Dispatch(change) => Some(change),
            Self::Update { change, .. } | Self::Merge { change, .. } => Some(change),
            Self::Close { .. } => None,
        }
    }

    /// The one word that names the kind of step.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Push(_) => "push",
            Self::Propose(_) => "propose",
            Self::Update { .. } => "update",
            Self::Merge { .. } => "merge",
            Self::Dispatch(_) => "dispatch",
            Self::Close { .. } => "close",
        }
    }
}

/// Says what should happen next, and why. Total and deterministic: the same
/// input gives the same plan.
pub fn plan(pipeline: &Pipeline, seen: &Observation, now: Timestamp) -> Plan {
    let blank = unseen();
    let scene = Scene::new(pipeline, seen, &blank, now);
    let mut decided: Vec<EnvironmentReport> = Vec::with_capacity(scene.places.len());
    for place in pipeline.order().iter().filter_map(|at| scene.places.get(*at)) {
        let report = decide::environment(&scene, place, &decided);
        decided.push(report);
    }
    let mut placed: Vec<(usize, EnvironmentReport)> = pipeline.order().iter().copied().zip(decided).collect();
    placed.sort_by_key(|(at, _)| *at);
    let environments: Vec<EnvironmentReport> = placed.into_iter().map(|(_, report)| report).collect();
    let steps = environments.iter().filter_map(|report| decide::step_of(pipeline.mode, report)).collect();
    let wake_at = match pipeline.mode {
        Mode::Active | Mode::Observe => wake(&environments, now),
        Mode::Suspended => None,
    };
    Plan {
        steps,
        report: Report { pipeline: pipeline.key.clone(), mode: pipeline.mode, environments, wake_at },
    }
}

/// The earliest time at which the clock alone may change something.
fn wake(environments: &[EnvironmentReport], now: Timestamp) -> Option<Timestamp> {
    let gates =
        environments.iter().filter_map(|e| e.next.as_ref()).flat_map(|next| &next.gates).filter_map(|gate| {
            match &gate.answer {
                Answer::Hold(reason) | Answer::Fail(reason) => reason.until(),
                Answer::Pass(Passed::Open(until)) => *until,
                Answer::Pass(_) => None,
            }
        });
    let reasons =
        environments.iter().flat_map(|e| e.reasons.iter().chain(&e.notes)).filter_map(Reason::until);
    let deadlines =
        environments.iter().flat_map(|e| &e.verdict.targets).filter_map(|target| match &target.verdict {
            Verdict::Deploying { deadline, .. } => *deadline,
            Verdict::NotDeployed
            | Verdict::Healthy { .. }
            | Verdict::Failed { .. }
            | Verdict::Unknown { .. } => None,
        });
    gates.chain(reasons).chain(deadlines).filter(|at| *at > now).min()
}

/// What is known of an environment that nobody looked at: nothing.
fn unseen() -> EnvironmentSeen {
    let why = "nobody looked at it";
    EnvironmentSeen {
        declared: Seen::unknown(why),
        targets: BTreeMap::new(),
        proposal: Seen::unknown(why),
        requests: Seen::unknown(why),
        approvals: Seen::unknown(why),
        checks: Seen::unknown(why),
        proofs: Seen::unknown(why),
        promoted: Seen::unknown(why),
        dispatched: Seen::unknown(why),
        evidence: BTreeMap::new(),
        brought: [].into(),
        merge: None,
    }
}
