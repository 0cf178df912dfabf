//! A person asks for a promotion by name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A promotion that a person asks for by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Promote {
    /// Into which environment.
    pub environment: String,
    /// What: a version, or `artifact=version` pairs with commas between them. Without it, what is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Though the environments before have not proven it: why. Excludes `emergency`.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_why: Option<String>,
    /// Past the gates, where the environment allows it. Needs a `reason`.
    #[serde(default)]
    pub emergency: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Says what would be done, and records nothing.
    #[serde(default)]
    pub dry_run: bool,
}
