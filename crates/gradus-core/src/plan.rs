//! The plan: from what was seen, the steps to take next and the reasons.
//!
//! Invariant: every step says what it expects to find, so that a step that is
//! carried out late, twice or by two at once does no harm.

mod change;
mod choose;
mod decide;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::names::{CommitId, EnvironmentName, ProposalNumber};
use crate::observation::{EnvironmentSeen, Observation, Seen};
use crate::pipeline::{Mode, Pipeline};
use crate::reason::Reason;
use crate::release::Orders;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::EnvironmentVerdict;

pub use change::{Cause, Change};

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
            Self::Push(change) | Self::Propose(change) => &change.environment,
            Self::Update { change, .. } | Self::Merge { change, .. } => &change.environment,
            Self::Close { environment, .. } => environment,
        }
    }

    /// The change it makes, if it makes one.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Push(change) | Self::Propose(change) => Some(change),
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
            Self::Close { .. } => "close",
        }
    }
}

/// Everything a decision about one environment looks at.
struct Scene<'a> {
    pipeline: &'a Pipeline,
    seen: &'a Observation,
    verdicts: BTreeMap<&'a EnvironmentName, EnvironmentVerdict>,
    orders: Orders,
    now: Timestamp,
}

impl<'a> Scene<'a> {
    fn seen(&self, name: &EnvironmentName) -> Option<&'a EnvironmentSeen> {
        self.seen.environments.get(name)
    }
}

/// Says what should happen next, and why. Total and deterministic: the same
/// input gives the same plan.
pub fn plan(pipeline: &Pipeline, seen: &Observation, now: Timestamp) -> Plan {
    let mut orders = Orders::default();
    for (artifact, order) in &pipeline.artifacts {
        orders.set(artifact.clone(), *order, seen.order.get(artifact).cloned().unwrap_or_default());
    }
    let blank = unseen();
    let verdicts = pipeline
        .environments()
        .iter()
        .map(|environment| {
            let seen = seen.environments.get(&environment.name).unwrap_or(&blank);
            (&environment.name, EnvironmentVerdict::of(environment, seen, now))
        })
        .collect();
    let scene = Scene { pipeline, seen, verdicts, orders, now };
    let mut decided: BTreeMap<&EnvironmentName, EnvironmentReport> = BTreeMap::new();
    for environment in pipeline.in_order() {
        let seen = scene.seen(&environment.name).unwrap_or(&blank);
        let report = decide::environment(&scene, environment, seen, &decided);
        decided.insert(&environment.name, report);
    }
    let environments: Vec<EnvironmentReport> =
        pipeline.environments().iter().filter_map(|environment| decided.remove(&environment.name)).collect();
    let steps = match pipeline.mode {
        Mode::Active => environments.iter().filter_map(|environment| environment.step.clone()).collect(),
        Mode::Observe | Mode::Suspended => Vec::new(),
    };
    let wake_at = wake(&environments, now);
    Plan { steps, report: Report { pipeline: pipeline.key.clone(), mode: pipeline.mode, environments, wake_at } }
}

/// The earliest time at which the clock alone may change something.
fn wake(environments: &[EnvironmentReport], now: Timestamp) -> Option<Timestamp> {
    let gates = environments.iter().filter_map(|e| e.next.as_ref()).flat_map(|next| &next.gates).filter_map(|gate| {
        match &gate.answer {
            crate::gate::Answer::Hold(reason) | crate::gate::Answer::Fail(reason) => reason.until(),
            crate::gate::Answer::Pass(crate::gate::Passed::Open(until)) => *until,
            crate::gate::Answer::Pass(_) => None,
        }
    });
    let reasons = environments.iter().flat_map(|e| e.reasons.iter().chain(&e.notes)).filter_map(Reason::until);
    let deadlines = environments.iter().flat_map(|e| &e.verdict.targets).filter_map(|target| match &target.verdict {
        crate::verdict::Verdict::Deploying { deadline, .. } => *deadline,
        crate::verdict::Verdict::NotDeployed
        | crate::verdict::Verdict::Healthy { .. }
        | crate::verdict::Verdict::Failed { .. }
        | crate::verdict::Verdict::Unknown { .. } => None,
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
    }
}
