//! Holds on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::release::Release;
use super::time::Time;

/// The holds there are, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldList {
    /// All of them.
    pub items: Vec<Hold>,
}

/// A pin or a freeze that a person set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// What it is called.
    pub name: String,
    /// The namespace of the pipeline that it holds.
    pub namespace: String,
    /// The pipeline that it holds.
    pub pipeline: String,
    /// The environment that it holds; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The one version that may still come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Release>,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub owner: String,
    /// When it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When it ends; never by itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Where it is written, such as a file in the configuration folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A hold to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewHold {
    /// What to call it; a name is made up when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The namespace of the pipeline.
    pub namespace: String,
    /// The pipeline to hold.
    pub pipeline: String,
    /// The environment to hold; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The one version that may still come in, in a pipeline with one artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version of each artifact that may still come in; instead of `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<BTreeMap<String, String>>,
    /// Why.
    pub reason: String,
    /// When it ends; never by itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}
