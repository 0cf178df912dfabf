//! What became of a pipeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ClusterRef, or_default};

/// What became of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Up to which change of what it should do this says something; -1 before the first.
    pub observed_generation: i64,
    /// Its conditions.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Its environments, by their names.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, EnvironmentStatus>,
    /// The revision of the first environment, which the others follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_revision: Option<String>,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            observed_generation: -1,
            conditions: Vec::new(),
            environments: BTreeMap::new(),
            latest_revision: None,
        }
    }
}

/// A condition of a Kubernetes object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// What it is about, such as `Ready`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Why, in one word.
    #[serde(deserialize_with = "or_default")]
    pub reason: String,
    /// Why, in words.
    #[serde(deserialize_with = "or_default")]
    pub message: String,
    /// Since when the status is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// Up to which change this says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// What became of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvironmentStatus {
    /// What waits for an approval. Always written, as readers expect it.
    #[serde(deserialize_with = "or_default")]
    pub waiting_approval: WaitingApproval,
    /// What runs where.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetStatus>,
    /// The last promotion to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionStatus>,
}

/// What waits for an approval.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaitingApproval {
    /// The revision; empty where nothing waits.
    #[serde(deserialize_with = "or_default")]
    pub revision: String,
}

/// What runs in a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TargetStatus {
    /// The application there.
    #[serde(deserialize_with = "or_default")]
    pub cluster_app_ref: ClusterAppRef,
    /// Whether it works.
    #[serde(deserialize_with = "or_default")]
    pub ready: bool,
    /// What was applied last.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Why it could not be read.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// An application in a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterAppRef {
    /// Such as `helm.toolkit.fluxcd.io/v2`.
    #[serde(deserialize_with = "or_default")]
    pub api_version: String,
    /// Such as `HelmRelease`.
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The cluster; without it the one that the pipeline is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_ref: Option<ClusterRef>,
}

/// The last promotion to an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PromotionStatus {
    /// What was promoted.
    #[serde(deserialize_with = "or_default")]
    pub revision: String,
    /// When that was tried last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempted_time: Option<String>,
    /// Whether it was written.
    #[serde(deserialize_with = "or_default")]
    pub succeeded: bool,
    /// The pull request that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequestStatus>,
}

/// A pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PullRequestStatus {
    /// Where people find it.
    #[serde(deserialize_with = "or_default")]
    pub url: String,
    /// What became of it.
    #[serde(deserialize_with = "or_default")]
    pub state: PullRequestState,
}

/// What became of a pull request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullRequestState {
    /// It is open.
    #[default]
    Open,
    /// It is open, and nothing keeps it from being merged.
    Mergeable,
    /// It was merged.
    Merged,
    /// It was closed unmerged.
    Abandoned,
}
