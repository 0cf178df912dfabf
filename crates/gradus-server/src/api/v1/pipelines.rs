//! The status of all pipelines on the wire: one row an environment.

use gradus_core::pipeline::Pipeline as CorePipeline;
use gradus_core::report::{EnvironmentReport, Report};
use gradus_core::tell::{Clock, status_line};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::declared;
use super::pipeline::Mode;
use super::release::Release;
use super::time::Time;
use super::verdict::Health;

/// The status of pipelines, sorted by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PipelineList {
    /// One page of them.
    pub items: Vec<PipelineStatus>,
    /// What to give as `after` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The status of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PipelineStatus {
    /// The namespace it lives in.
    pub namespace: String,
    /// What it is called there.
    pub name: String,
    /// Whether it may write.
    pub mode: Mode,
    /// When it was looked at; absent when that has not happened yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Time>,
    /// Each environment, in the order in which they were written.
    pub environments: Vec<EnvironmentStatus>,
}

/// One row of the status table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// The environment.
    pub name: String,
    /// What Git declares; absent where it names no version, or where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Release>,
    /// Why it is not known what Git declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_unknown: Option<String>,
    /// What runs there, where all its targets agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Release>,
    /// Whether it works.
    pub health: Health,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// What wants to come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Release>,
    /// What happens next, or why nothing does, in one line.
    pub words: String,
    /// The code of the reason that stands for all; absent when nobody has looked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl PipelineStatus {
    /// The status that a report of a look at `looked_at` tells.
    pub fn of(report: &Report, looked_at: Timestamp, clock: &Clock) -> Self {
        Self {
            namespace: report.pipeline.namespace.to_string(),
            name: report.pipeline.name.to_string(),
            mode: report.mode.into(),
            looked_at: Some(Time(looked_at)),
            environments: report.environments.iter().map(|here| EnvironmentStatus::of(here, clock)).collect(),
        }
    }

    /// The status of a pipeline that was not looked at yet.
    pub fn unseen(pipeline: &CorePipeline) -> Self {
        let environments = pipeline.environments().iter().map(|environment| EnvironmentStatus {
            name: environment.name.to_string(),
            declared: None,
            declared_unknown: None,
            running: None,
            health: Health::Unknown,
            since: None,
            next: None,
            words: "not looked at yet".to_owned(),
            reason: None,
        });
        Self {
            namespace: pipeline.key.namespace.to_string(),
            name: pipeline.key.name.to_string(),
            mode: pipeline.mode.into(),
            looked_at: None,
            environments: environments.collect(),
        }
    }
}

impl EnvironmentStatus {
    fn of(here: &EnvironmentReport, clock: &Clock) -> Self {
        let (declared, declared_unknown) = declared(here);
        Self {
            name: here.name.to_string(),
            declared,
            declared_unknown,
            running: here.verdict.running().map(Release::from),
            health: (&here.verdict.verdict).into(),
            since: here.verdict.verdict.since().map(Time),
            next: here.next.as_ref().map(|next| (&next.release).into()),
            words: status_line(here, clock),
            reason: here.main_reason().map(|reason| reason.code().to_owned()),
        }
    }
}
