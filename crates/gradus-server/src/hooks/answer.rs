//! The answer to a webhook.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::v1::Release;

/// What a webhook was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Taken {
    /// What was understood.
    pub understood: Understood,
    /// The release that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// The same in words, with the reason where it was only a wake.
    pub words: String,
}

/// What a webhook was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Understood {
    /// Something happened: the pipeline is looked at.
    Wake,
    /// Nothing follows from it.
    Nothing,
    /// The target runs this release and works.
    Healthy,
    /// A rollout of this release is under way.
    Deploying,
    /// This release does not work.
    Failed,
    /// What failed was taken back; this release runs now.
    RolledBack,
}
