//! A person asks for an older release.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A way back that a person asks for by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollback {
    /// In which environment.
    pub environment: String,
    /// To what: a version, or `artifact=version` pairs with commas between them. Without it, to what was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Past the gates, where the environment allows it. Needs a `version` and a `reason`.
    #[serde(default)]
    pub emergency: bool,
    /// Says what would be done, and records nothing.
    #[serde(default)]
    pub dry_run: bool,
}
