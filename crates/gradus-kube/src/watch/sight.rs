//! What is seen, and why it is not.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

/// What is seen of one object.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// It is there.
    Seen(Arc<Value>),
    /// It is not there.
    Missing,
    /// Whether it is there is not known.
    Unknown(Blind),
}

/// What is seen of several objects.
#[derive(Debug, Clone, PartialEq)]
pub enum Listing {
    /// These are all, in the order of their names.
    Seen(Vec<Arc<Value>>),
    /// They are not known.
    Unknown(Blind),
}

/// Why something cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// What kind of reason.
    pub kind: BlindKind,
    /// The reason, for people.
    pub why: Arc<str>,
    /// Since when, where it was seen before or is known to fail.
    pub since: Option<Timestamp>,
}

impl Blind {
    /// It is being read for the first time.
    pub(crate) fn not_yet() -> Self {
        Self { kind: BlindKind::NotYet, why: "it is being read for the first time".into(), since: None }
    }
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// What kind of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlindKind {
    /// It is being read for the first time.
    NotYet,
    /// The cluster does not answer, or refuses.
    Unreachable,
    /// The cluster does not know the kind.
    NotServed,
    /// Which cluster it is cannot be told: its description is missing or unusable.
    NoCluster,
    /// The cluster is described and not ready.
    ClusterNotReady,
    /// The pipeline may not refer to the cluster.
    NotAllowed,
    /// Nobody said before that it is wanted.
    NotWanted,
}
