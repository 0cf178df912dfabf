//! `kind: Promotion`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ApiVersion, Metadata, Versions};

/// A promotion that a person asks for by name. What was asked for stays as it
/// was asked: to ask for something else is another object.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromotionManifest {
    /// `gradus.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Promotion`.
    pub kind: PromotionKind,
    /// What the request is called; its namespace is the pipeline's.
    pub metadata: Metadata,
    /// What is asked for.
    pub spec: PromotionSpec,
}

/// The kind of a promotion that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PromotionKind {
    /// The one there is.
    Promotion,
}

/// What a person asks for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromotionSpec {
    /// The pipeline's name, in the namespace of the object.
    pub pipeline: String,
    /// Into which environment.
    pub environment: String,
    /// Which version of the pipeline's only artifact. Without it and without
    /// `versions`: what is next, or what was there before where it is a rollback.
    pub version: Option<String>,
    /// Which versions, by artifact.
    #[serde(default)]
    pub versions: Versions,
    /// Forward, back, or past what holds it; `promote` when absent.
    #[serde(rename = "type")]
    pub way: Option<Way>,
    /// Why. An override and an emergency need it.
    pub reason: Option<String>,
    /// Who asks: the name they are known by to the cluster.
    pub by: String,
}

/// Forward, back, or past what holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Forward.
    Promote,
    /// Forward, though the environments before have not proven it.
    Override,
    /// Back to an older version.
    Rollback,
    /// Forward or back, past the gates, where the environment allows it.
    Emergency,
}
