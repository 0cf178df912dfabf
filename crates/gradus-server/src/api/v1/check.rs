//! Somebody reports what came out of an outside check.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What came out of an outside check, by the word of who ran it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckReport {
    /// In which environment.
    pub environment: String,
    /// Which check.
    pub check: String,
    /// Of what: a version, or `artifact=version` pairs with commas between them.
    pub version: String,
    /// What came out.
    pub result: Outcome,
    /// More, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What came out of an outside check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is good.
    Passed,
    /// It is not.
    Failed,
    /// It still runs.
    Pending,
}
