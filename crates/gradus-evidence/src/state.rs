//! What is to be thought of a target.

use jiff::Timestamp;

use crate::target::{ObjectRef, Scope};

/// The judgement of one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The state.
    pub state: State,
    /// What it rests on, the target's own object first.
    pub evidence: Vec<Evidence>,
    /// The other objects that were asked for, so that they can be watched.
    pub needs: Vec<ObjectRef>,
    /// The kinds that were asked for as a whole.
    pub lists: Vec<Scope>,
}

/// The state of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing runs there.
    NotDeployed,
    /// A rollout is under way, or what was applied is not seen to work yet.
    Deploying {
        /// To what, where that is told.
        version: Option<String>,
        /// Since when. Where no object tells that, the time of the look.
        since: Option<Timestamp>,
    },
    /// It runs and works.
    Healthy {
        /// What runs.
        version: String,
        /// Since when. Where no object tells that, the time of the look.
        since: Timestamp,
    },
    /// It does not work.
    Failed {
        /// What failed, where that is told.
        version: Option<String>,
        /// Why.
        why: String,
        /// Since when, where that is told.
        since: Option<Timestamp>,
        /// What runs in its place after a rollback, where that is told.
        running: Option<String>,
    },
    /// It cannot be told.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl State {
    /// This state, with the time since when it is so carried over from the look
    /// before. Right only where no change was missed between the two: objects
    /// do not tell how long they have been healthy when their controller looks
    /// at them again.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        match (self, before) {
            (Self::Healthy { version, since }, Self::Healthy { version: earlier, since: from })
                if version == *earlier =>
            {
                Self::Healthy { version, since: since.min(*from) }
            }
            (
                Self::Deploying { version, since: Some(since) },
                Self::Deploying { version: earlier, since: Some(from) },
            ) if version == *earlier => Self::Deploying { version, since: Some(since.min(*from)) },
            (
                Self::Failed { version, why, since, running },
                Self::Failed { version: earlier, since: Some(from), .. },
            ) if version == *earlier => {
                let since = Some(since.map_or(*from, |since| since.min(*from)));
                Self::Failed { version, why, since, running }
            }
            (state, _) => state,
        }
    }
}

/// Something that was seen, and what it says for the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What was looked at, such as `HelmRelease apps/podinfo`.
    pub object: String,
    /// What it says, such as `Ready=True (UpgradeSucceeded)`.
    pub says: String,
    /// The revision that it says it of.
    pub revision: Option<String>,
    /// Since when it says so.
    pub since: Option<Timestamp>,
    /// Whether it speaks for the target's health or against it; neither when absent.
    pub good: Option<bool>,
}

impl State {
    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// Failed, with nothing known of what runs in its place.
    pub(crate) fn failed(version: Option<String>, why: String, since: Option<Timestamp>) -> Self {
        Self::Failed { version, why, since, running: None }
    }
}
