//! A pipeline on the wire: the full report.

use gradus_core::pipeline::Mode as CoreMode;
use gradus_core::report::Report;
use gradus_core::tell::Clock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::Environment;
use super::time::Time;

/// All that was found of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pipeline {
    /// The namespace it lives in.
    pub namespace: String,
    /// What it is called there.
    pub name: String,
    /// Whether it may write.
    pub mode: Mode,
    /// When it was looked at.
    pub looked_at: Time,
    /// When it is looked at again even if nothing is heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Time>,
    /// Each environment, in the order in which they were written.
    pub environments: Vec<Environment>,
}

/// Whether a pipeline may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Looks, says and writes.
    Active,
    /// Looks and says; writes nothing.
    Observe,
    /// Nothing is looked at.
    Suspended,
}

impl From<CoreMode> for Mode {
    fn from(mode: CoreMode) -> Self {
        match mode {
            CoreMode::Active => Self::Active,
            CoreMode::Observe => Self::Observe,
            CoreMode::Suspended => Self::Suspended,
        }
    }
}

impl Pipeline {
    /// The full report of a look at `looked_at`, in the words of `clock`.
    pub fn of(report: &Report, looked_at: Timestamp, clock: &Clock) -> Self {
        Self {
            namespace: report.pipeline.namespace.to_string(),
            name: report.pipeline.name.to_string(),
            mode: report.mode.into(),
            looked_at: Time(looked_at),
            wake_at: report.wake_at.map(Time),
            environments: report
                .environments
                .iter()
                .map(|environment| Environment::of(report, environment, clock))
                .collect(),
        }
    }
}
