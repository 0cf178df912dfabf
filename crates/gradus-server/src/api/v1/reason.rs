//! A reason on the wire.

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::reason::Reason as CoreReason;
use gradus_core::release::Release as CoreRelease;
use gradus_core::tell::{Clock, advice, sentence};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::Time;

/// Why something is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The stable code, such as `waiting-for-soak`.
    pub code: String,
    /// The reason in words, for people. Its text may change; its code does not.
    pub sentence: String,
    /// Since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When it may change by the clock alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What a person can do about it.
    #[serde(default)]
    pub you_can: Vec<String>,
}

/// What a reason is told of: advice names the pipeline and the environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) pipeline: &'a PipelineKey,
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) wants: Option<&'a CoreRelease>,
    pub(crate) clock: &'a Clock,
}

impl Reason {
    pub(crate) fn of(reason: &CoreReason, about: About<'_>) -> Self {
        Self {
            code: reason.code().to_owned(),
            sentence: sentence(reason, about.clock),
            since: reason.since().map(Time),
            until: reason.until().map(Time),
            you_can: advice(reason, about.pipeline, about.environment, about.wants),
        }
    }
}
