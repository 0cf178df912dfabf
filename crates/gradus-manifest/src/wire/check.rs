//! `kind: Check`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ApiVersion, Metadata, Versions};

/// What came out of an outside check of one release, by the word of who ran it.
/// A later word on the same check is another object; the newest counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckManifest {
    /// `gradus.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Check`.
    pub kind: CheckKind,
    /// What the report is called; its namespace is the pipeline's.
    pub metadata: Metadata,
    /// What came out.
    pub spec: CheckSpec,
}

/// The kind of a check's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum CheckKind {
    /// The one there is.
    Check,
}

/// What came out of a check.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckSpec {
    /// The pipeline's name, in the namespace of the object.
    pub pipeline: String,
    /// In which environment.
    pub environment: String,
    /// Which check, as the environment's gate names it.
    pub check: String,
    /// Who reports, as the environment's gate names it.
    pub reporter: String,
    /// Which version of the pipeline's only artifact it is about.
    pub version: Option<String>,
    /// Which versions it is about, by artifact.
    #[serde(default)]
    pub versions: Versions,
    /// What came out.
    pub result: CheckResult,
    /// More, for people.
    pub detail: Option<String>,
    /// Where people see more: `https://` or `http://`.
    pub url: Option<String>,
    /// When it came out, such as `2026-11-20T08:00:00Z`; when the object was made, when absent.
    #[schemars(extend("format" = "date-time"))]
    pub at: Option<String>,
}

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// It is good.
    Passed,
    /// It is not.
    Failed,
    /// It still runs.
    Pending,
}
