//! A person says yes to a release.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A yes to a release in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approve {
    /// In which environment.
    pub environment: String,
    /// To what: a version, or `artifact=version` pairs with commas between them. Without it, to what is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
