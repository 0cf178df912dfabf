//! Why an environment is as it is, on the wire.

use gradus_core::names::EnvironmentName;
use gradus_core::report::Report;
use gradus_core::tell::{Clock, explain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::Environment;

/// Why an environment is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The namespace of the pipeline.
    pub namespace: String,
    /// The pipeline.
    pub name: String,
    /// The explanation as people read it, in lines of at most about 80 characters.
    pub text: String,
    /// What it is told from: the reasons, the gates and all else.
    pub environment: Environment,
}

impl Explanation {
    /// Explains one environment; `None` when the pipeline has none of this name.
    pub fn of(report: &Report, environment: &EnvironmentName, clock: &Clock) -> Option<Self> {
        let here = report.environment(environment)?;
        Some(Self {
            namespace: report.pipeline.namespace.to_string(),
            name: report.pipeline.name.to_string(),
            text: explain(report, environment, clock)?,
            environment: Environment::of(report, here, clock),
        })
    }
}
