//! What is known of one environment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Versions;

/// What is known of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// What it is called.
    pub name: String,
    /// Whether what Git declares works there.
    pub verdict: Health,
    /// The release that this is said of, as people read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its versions, by artifact.
    #[serde(default, skip_serializing_if = "Versions::is_empty")]
    pub versions: Versions,
    /// Since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
    /// What wants to come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStatus>,
    /// The open proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalStatus>,
    /// Why it is as it is: a code that stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why, in full, while it waits for something: what `gradus explain` tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Each target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetStatus>,
    /// The releases that it has run well, the newest span first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proven: Vec<Proven>,
    /// What gradus last wrote here, by artifact.
    #[serde(default, skip_serializing_if = "Versions::is_empty")]
    pub promoted: Versions,
    /// What automation was asked for here, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dispatched: Vec<DispatchedStatus>,
}

/// A promotion that automation was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DispatchedStatus {
    /// The id of the promotion.
    pub promotion: String,
    /// What was there, by artifact.
    #[serde(default, skip_serializing_if = "Versions::is_empty")]
    pub from: Versions,
    /// What was asked for, by artifact.
    pub versions: Versions,
    /// The Promotion that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// When it was asked.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
}

/// Whether something works, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// What wants to come into an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NextStatus {
    /// The release, as people read it.
    pub version: String,
    /// Its versions, by artifact.
    #[serde(default, skip_serializing_if = "Versions::is_empty")]
    pub versions: Versions,
    /// When the clock alone may let it go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub not_before: Option<String>,
}

/// An open proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProposalStatus {
    /// Its number.
    pub number: i64,
    /// Where people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The release that it brings, as people read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Since when it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
}

/// What is known of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// What it is called.
    pub name: String,
    /// Whether what Git declares works there.
    pub verdict: Health,
    /// The release that this is said of, as people read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its versions, by artifact.
    #[serde(default, skip_serializing_if = "Versions::is_empty")]
    pub versions: Versions,
    /// Since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
    /// Why it failed, or why nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What this rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// What one object said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Which object, such as `HelmRelease podinfo/podinfo`.
    pub object: String,
    /// What it said.
    pub message: String,
    /// Since when it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
}

/// A span of time in which the environment ran one release well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proven {
    /// The versions of the release, by artifact.
    pub versions: Versions,
    /// From when.
    #[schemars(extend("format" = "date-time"))]
    pub since: String,
    /// The last time it was seen to be so.
    #[schemars(extend("format" = "date-time"))]
    pub until: String,
}
