//! What became of a notification.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Condition;

/// The most that is remembered of a pipeline; the oldest goes first.
pub const MAX_TOLD: usize = 200;
/// The most threads that are remembered; the oldest goes first.
pub const MAX_THREADS: usize = 100;
/// The most messages that are kept that nobody took; the oldest goes first.
pub const MAX_UNDELIVERED: usize = 20;

/// What became of a notification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NotificationStatus {
    /// The generation of the spec that this was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` is false where the spec has a mistake, `Delivered` where the newest message was not taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// When something was told last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_told: Option<String>,
    /// What is not told again, by pipeline. Deleting it begins anew: nothing is told of what is so already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<ToldStatus>,
    /// Where what belongs together is shown, for receivers with threads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<ThreadStatus>,
    /// What nobody took, newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<UndeliveredStatus>,
}

/// What is not told again of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToldStatus {
    /// The pipeline.
    pub pipeline: String,
    /// A short name of each, oldest first.
    pub keys: Vec<String>,
}

/// Where what belongs together is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStatus {
    /// A short name of what belongs together.
    pub of: String,
    /// What the receiver calls the thread.
    pub thread: String,
}

/// What nobody took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndeliveredStatus {
    /// What it was, in one line.
    pub title: String,
    /// Why nobody took it.
    pub message: String,
    /// When that was clear.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
}
