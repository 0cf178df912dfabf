//! `kind: Approval`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ApiVersion, Metadata, Versions};

/// A person's yes to one release in one environment. It is taken back by
/// deleting it, and never changed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalManifest {
    /// `gradus.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Approval`.
    pub kind: ApprovalKind,
    /// What the approval is called; its namespace is the pipeline's.
    pub metadata: Metadata,
    /// What is approved.
    pub spec: ApprovalSpec,
}

/// The kind of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ApprovalKind {
    /// The one there is.
    Approval,
}

/// What is approved, and by whom.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalSpec {
    /// The pipeline's name, in the namespace of the object.
    pub pipeline: String,
    /// In which environment.
    pub environment: String,
    /// Which version of the pipeline's only artifact. Without it and without
    /// `versions`: what was next when the approval was first seen.
    pub version: Option<String>,
    /// Which versions, by artifact.
    #[serde(default)]
    pub versions: Versions,
    /// Who approves: the name they are known by to the cluster.
    pub by: String,
    /// Groups they are in, of those the cluster knows them in. Where an
    /// environment asks for a group, only these count.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Other names they are known by, such as the address in their commits, so that
    /// nobody approves what they brought. They can only keep an approval from counting.
    #[serde(default)]
    pub aliases: Vec<String>,
}
