//! What is to be thought of targets and environments, on the wire.

use gradus_core::tell::duration;
use gradus_core::verdict::{Failure, TargetVerdict, Verdict as CoreVerdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::release::Release;
use super::time::Time;

/// Whether something works, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Nothing runs there.
    NotDeployed,
    /// A rollout is under way.
    Deploying,
    /// What Git declares runs and works.
    Healthy,
    /// What Git declares does not work.
    Failed,
    /// It is not known.
    Unknown,
}

impl Health {
    /// Every one, in the order of the enum.
    pub const ALL: [Self; 5] =
        [Self::NotDeployed, Self::Deploying, Self::Healthy, Self::Failed, Self::Unknown];

    /// The word as it is written on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotDeployed => "not-deployed",
            Self::Deploying => "deploying",
            Self::Healthy => "healthy",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl From<&CoreVerdict> for Health {
    fn from(verdict: &CoreVerdict) -> Self {
        match verdict {
            CoreVerdict::NotDeployed => Self::NotDeployed,
            CoreVerdict::Deploying { .. } => Self::Deploying,
            CoreVerdict::Healthy { .. } => Self::Healthy,
            CoreVerdict::Failed { .. } => Self::Failed,
            CoreVerdict::Unknown { .. } => Self::Unknown,
        }
    }
}

/// What is to be thought of a target, or of an environment as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Whether it works.
    pub health: Health,
    /// The release that this is said of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When a rollout counts as failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// Why it failed, or why nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl From<&CoreVerdict> for Verdict {
    fn from(verdict: &CoreVerdict) -> Self {
        let (release, deadline, why) = match verdict {
            CoreVerdict::NotDeployed => (None, None, None),
            CoreVerdict::Deploying { release, deadline, .. } => (release.as_ref(), *deadline, None),
            CoreVerdict::Healthy { release, .. } => (Some(release), None, None),
            CoreVerdict::Failed { release, why, .. } => {
                let why = match why {
                    Failure::Told(why) => why.to_string(),
                    Failure::Deadline(within) => format!("not healthy within {}", duration(*within)),
                };
                (release.as_ref(), None, Some(why))
            }
            CoreVerdict::Unknown { why } => (None, None, Some(why.to_string())),
        };
        Self {
            health: verdict.into(),
            release: release.map(Release::from),
            since: verdict.since().map(Time),
            deadline: deadline.map(Time),
            why,
        }
    }
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// What it is called.
    pub name: String,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// What runs there, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Release>,
    /// What that rests on, where it can be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// Something that was seen of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// What was looked at, such as `HelmRelease apps/podinfo`.
    pub object: String,
    /// What it says, such as `Ready=True (UpgradeSucceeded)`.
    pub says: String,
    /// The revision that it says it of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Since when it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Whether it speaks for the target's health or against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<bool>,
}

impl From<&gradus_core::observation::Evidence> for Evidence {
    fn from(seen: &gradus_core::observation::Evidence) -> Self {
        Self {
            object: seen.object.to_string(),
            says: seen.says.to_string(),
            revision: seen.revision.as_deref().map(str::to_owned),
            since: seen.since.map(Time),
            good: seen.good,
        }
    }
}

impl From<&TargetVerdict> for Target {
    fn from(target: &TargetVerdict) -> Self {
        Self {
            name: target.name.to_string(),
            verdict: (&target.verdict).into(),
            running: target.running.as_ref().map(Release::from),
            evidence: target.evidence.iter().map(Evidence::from).collect(),
        }
    }
}
