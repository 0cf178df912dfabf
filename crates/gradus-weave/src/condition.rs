//! The conditions of a pipeline: their reasons, their words, and how they change.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::kind::{ClusterRef, Condition};
use crate::message::cut;

/// Whether everything that was to be looked at could be.
pub const READY: &str = "Ready";
/// There is something that a promotion waits for.
pub const PROMOTION_PENDING: &str = "PromotionPending";

/// What a condition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// There is no such cluster.
    ClusterNotFound(ClusterRef),
    /// The cluster cannot be used yet.
    ClusterNotReady(ClusterRef),
    /// Everything was looked at.
    Checked,
    /// A target could not be read.
    TargetNotReadable,
    /// A promotion waits for the first environment, with what it waits for.
    Pending(&'static str),
}

impl Says {
    /// Which condition says it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ClusterNotFound(_) | Self::ClusterNotReady(_) | Self::Checked | Self::TargetNotReadable => {
                READY
            }
            Self::Pending(_) => PROMOTION_PENDING,
        }
    }

    /// Its status.
    pub fn status(&self) -> &'static str {
        match self {
            Self::ClusterNotFound(_) | Self::ClusterNotReady(_) | Self::TargetNotReadable => "False",
            Self::Checked | Self::Pending(_) => "True",
        }
    }

    /// Its reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::ClusterNotFound(_) => "TargetClusterNotFound",
            Self::ClusterNotReady(_) => "TargetClusterNotReady",
            Self::Checked => "ReconciliationSucceeded",
            Self::TargetNotReadable => "TargetNotReadable",
            Self::Pending(_) => "EnvironmentNotReady",
        }
    }

    /// Its words.
    pub fn message(&self) -> String {
        match self {
            Self::ClusterNotFound(cluster) => format!("Target cluster '{}' not found", shown(cluster)),
            Self::ClusterNotReady(cluster) => format!("Target cluster '{}' not ready", shown(cluster)),
            Self::Checked => "All clusters checked".to_owned(),
            Self::TargetNotReadable => "One or more targets was not reachable or not present".to_owned(),
            Self::Pending(what) => (*what).to_owned(),
        }
    }
}

/// Puts a condition in. Since when it is so stays, as long as its status does.
pub fn set(conditions: &mut Vec<Condition>, says: &Says, generation: Option<i64>, now: Timestamp) {
    let at = conditions.iter().position(|one| one.kind == says.kind());
    let before = at.map(|at| conditions.remove(at));
    let since = before
        .filter(|before| before.status == says.status())
        .and_then(|before| before.last_transition_time)
        .unwrap_or_else(|| time(now));
    let condition = Condition {
        kind: says.kind().to_owned(),
        status: says.status().to_owned(),
        reason: says.reason().to_owned(),
        message: cut(&says.message()),
        last_transition_time: Some(since),
        observed_generation: generation,
    };
    conditions.insert(at.unwrap_or(conditions.len()), condition);
}

/// Takes a condition out, as `PromotionPending` is once nothing waits.
pub fn remove(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|one| one.kind != kind);
}

/// The cluster as the messages name it; its namespace only where it is written.
fn shown(cluster: &ClusterRef) -> String {
    let kind = if cluster.kind.is_empty() { "GitopsCluster" } else { &cluster.kind };
    match cluster.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        Some(namespace) => format!("{kind}/{namespace}/{}", cluster.name),
        None => format!("{kind}/{}", cluster.name),
    }
}

/// A time as Kubernetes writes it: in UTC, to the second.
pub fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
