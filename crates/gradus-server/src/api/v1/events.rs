//! Changes as they happen, on the wire.

use gradus_engine::Looked;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::verdict::Health;

/// The data of a `changed` event: a pipeline's report has changed, or the pipeline is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// The namespace of the pipeline.
    pub namespace: String,
    /// The pipeline.
    pub name: String,
    /// Whether it is no more.
    pub gone: bool,
    /// Each environment in short.
    pub environments: Vec<ChangedEnvironment>,
}

/// An environment in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedEnvironment {
    /// The environment.
    pub name: String,
    /// What it has, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it works.
    pub health: Health,
    /// The code of the reason that stands for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Changed {
    /// What a look found, in short.
    pub fn of(looked: &Looked) -> Self {
        let report = &looked.report;
        let environments = report.environments.iter().map(|here| ChangedEnvironment {
            name: here.name.to_string(),
            version: here.release().map(ToString::to_string),
            health: (&here.verdict.verdict).into(),
            reason: here.main_reason().map(|reason| reason.code().to_owned()),
        });
        Self {
            namespace: report.pipeline.namespace.to_string(),
            name: report.pipeline.name.to_string(),
            gone: false,
            environments: environments.collect(),
        }
    }
}
