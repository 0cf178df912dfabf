//! `kind: Hold`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ApiVersion, Metadata, Pin};

/// A pin or a freeze that a person sets. Without `pin` nothing moves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldManifest {
    /// `gradus.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Hold`.
    pub kind: HoldKind,
    /// What the hold is called; its namespace is the pipeline's.
    pub metadata: Metadata,
    /// What is held.
    pub spec: HoldSpec,
}

/// The kind of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum HoldKind {
    /// The one there is.
    Hold,
}

/// What is held, by whom and why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldSpec {
    /// The pipeline's name, in the namespace of the hold.
    pub pipeline: String,
    /// The environment; all of them when absent.
    pub environment: Option<String>,
    /// The one version that may still come in.
    pub pin: Option<Pin>,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub owner: String,
    /// When it was set.
    pub since: Option<String>,
    /// When it ends, such as `2026-12-20T00:00:00Z` or `2026-12-20[Europe/Berlin]`;
    /// a date alone is the end of that day. Never by itself when absent.
    pub until: Option<String>,
}
