//! The kind `Pipeline` of `pipelines.weave.works/v1alpha1`, as it is on the wire.
//!
//! Read leniently, as others may have added fields: unknown fields are passed
//! over, and `null` is what is not there. Written with the exact names.

mod spec;
mod status;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

pub use spec::{
    AppRef, ClusterRef, Environment, Notification, PromotionSpec, PullRequest, SecretRef, Spec, StrategySpec,
    Target,
};
pub use status::{
    ClusterAppRef, Condition, EnvironmentStatus, PromotionStatus, PullRequestState, PullRequestStatus,
    Status, TargetStatus, WaitingApproval,
};

/// The API version that the kind has.
pub const API_VERSION: &str = "pipelines.weave.works/v1alpha1";
/// The name of the kind.
pub const KIND: &str = "Pipeline";
/// The group of the kind.
pub const GROUP: &str = "pipelines.weave.works";

/// A pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pipeline {
    /// [`API_VERSION`].
    #[serde(deserialize_with = "or_default")]
    pub api_version: String,
    /// [`KIND`].
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
    /// Which one it is.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// What it should do.
    #[serde(deserialize_with = "or_default")]
    pub spec: Spec,
    /// What became of it.
    #[serde(deserialize_with = "or_default")]
    pub status: Status,
}

/// Which object it is, as far as this contract looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The namespace.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Which object of this name it is.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Which writing of it this is; a write names it, so that no other write is lost.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// How often what it should do was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// Since when it is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<String>,
    /// Its labels.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Pipeline {
    /// The first environment of this name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.spec.environments.iter().find(|environment| environment.name == name)
    }

    /// The revision that waits for an approval in an environment.
    pub fn waiting(&self, environment: &str) -> Option<&str> {
        let status = self.status.environments.get(environment)?;
        Some(status.waiting_approval.revision.as_str()).filter(|revision| !revision.is_empty())
    }
}

/// Reads `null` as what is not there.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}
