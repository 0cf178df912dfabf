//! Why a cluster cannot be asked.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Why a cluster cannot be asked, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTrouble {
    /// What kind of trouble.
    pub kind: ClusterTroubleKind,
    /// What was being done and what is wrong, for people. Holds no secret.
    pub message: Arc<str>,
    /// Since when.
    pub since: Timestamp,
}

impl fmt::Display for ClusterTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ClusterTrouble {}

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterTroubleKind {
    /// The object that describes it, or its Secret, does not exist.
    Missing,
    /// Its own controller does not call it ready.
    NotReady,
    /// It does not allow pipelines of that namespace.
    NotAllowed,
    /// gradus may not read the object that describes it.
    Denied,
    /// Its description or kubeconfig cannot be used as it is.
    Unusable,
    /// The own cluster did not answer when it was asked for the description.
    Unreachable,
}

/// How far a cluster can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterState {
    /// Its description was not read yet.
    NotYet,
    /// Its kubeconfig is there. Whether it answers, its watches tell.
    Known,
    /// It cannot be asked.
    Trouble(ClusterTrouble),
}
