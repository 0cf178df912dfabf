//! What objects in a cluster say of themselves: the `status` of each kind, from
//! plain values. The comments on the fields are the descriptions in the
//! definitions that a cluster is given.
//!
//! What is written is read back: a status holds what only its object knows,
//! such as which releases an environment has proven.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod condition;
mod environment;
mod notification;
mod said;

pub use condition::{Condition, ConditionStatus};
pub use environment::{
    DispatchedStatus, EnvironmentStatus, Evidence, Health, NextStatus, ProposalStatus, Proven, TargetStatus,
};
pub use notification::{
    MAX_THREADS, MAX_TOLD, MAX_UNDELIVERED, NotificationStatus, ThreadStatus, ToldStatus, UndeliveredStatus,
};
pub use said::{ApprovalStatus, CheckStatus, HoldStatus, PromotionStatus, Recorded, State, Taken};

/// The versions of a release, by artifact.
pub type Versions = BTreeMap<String, String>;

/// The most releases that are kept as proven for an environment; the oldest go first.
pub const MAX_PROVEN: usize = 32;
/// The most promotions that automation was asked for that are kept for an environment; the oldest go first.
pub const MAX_DISPATCHED: usize = 16;
/// The most pieces of evidence that are kept for a target.
pub const MAX_EVIDENCE: usize = 16;
/// The longest text for people, in characters; a longer one is to be cut.
pub const MAX_MESSAGE: usize = 4096;

/// What is known of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PipelineStatus {
    /// The generation of the spec that this was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of the annotation `reconcile.fluxcd.io/requestedAt` that was last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// How the pipeline is as a whole. `Ready` is true where it could be looked at
    /// in full, `Stalled` where its spec cannot be a pipeline.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// One line for people: how far the newest release has come, or what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Each environment, in the order of the spec.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<EnvironmentStatus>,
}
