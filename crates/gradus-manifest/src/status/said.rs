//! What became of what people and machines said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Versions;

/// What became of a promotion that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PromotionStatus {
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Why, in a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What was recorded when it was first seen. It stands for that state of the
    /// environment and for no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
}

/// How far a promotion is that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It waits for what holds it.
    Open,
    /// It is in the environment's files.
    Done,
    /// It will not be done.
    Refused,
}

/// What was recorded of a promotion when it was first seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// The id of the request.
    pub id: String,
    /// The versions that are meant, by artifact.
    pub versions: Versions,
    /// The versions that the environment declared, by artifact.
    #[serde(default, skip_serializing_if = "Versions::is_empty")]
    pub from: Versions,
    /// The commit that had brought them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_commit: Option<String>,
}

/// What became of an approval.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApprovalStatus {
    /// Whether it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Taken>,
    /// Why, in a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The versions that it is for, by artifact.
    #[serde(skip_serializing_if = "Versions::is_empty")]
    pub versions: Versions,
}

/// What became of a check's report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CheckStatus {
    /// Whether it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Taken>,
    /// Why, in a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of a hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HoldStatus {
    /// The generation of the spec that this was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Whether it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Taken>,
    /// Why, in a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Whether something that was said was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// It counts.
    Taken,
    /// It does not.
    Refused,
}
