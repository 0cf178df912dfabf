//! The status of all pipelines on the wire: one row an environment.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use gradus_core::names::PipelineKey;
use gradus_core::pipeline::Pipeline as CorePipeline;
use gradus_core::report::{EnvironmentReport, Report};
use gradus_core::tell::{Clock, status_line};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::ToSchema;

use super::environment::declared;
use super::error::ErrorBody;
use super::pipeline::Mode;
use super::release::Release;
use super::time::Time;
use super::verdict::Health;
use crate::api::{ApiError, Params};
use crate::app::App;
use crate::auth::{Caller, Deed};

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

/// So many pipelines are on a page if nothing else is asked for.
const PAGE: usize = 500;
/// So many are on a page at most.
const LONGEST_PAGE: usize = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PipelinesQuery {
    /// Only pipelines after this one, `namespace/name`: what the page before gave as `next`.
    after: Option<String>,
    /// At most this many; 500 when absent, 1000 at most.
    limit: Option<usize>,
}

/// The status of all pipelines: one row an environment.
#[utoipa::path(get, path = "/api/v1/pipelines", tag = "pipelines", operation_id = "listPipelines",
    params(PipelinesQuery), security(("token" = [])),
    responses(
        (status = 200, description = "The status of one page of pipelines", body = PipelineList),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
    ))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PipelinesQuery>,
) -> Result<Json<PipelineList>, ApiError> {
    caller.may(Deed::Read)?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let clock = app.clock();
    let mut pipelines = app.engine.pipelines();
    if let Some(after) = &query.after {
        let after =
            PipelineKey::parse(after).map_err(|error| ApiError::malformed(format!("after: {error}")))?;
        pipelines.retain(|pipeline| pipeline.key > after);
    }
    let more = pipelines.len() > limit;
    pipelines.truncate(limit);
    let next = pipelines.last().filter(|_| more).map(|last| last.key.to_string());
    let items = pipelines.iter().map(|pipeline| match app.engine.latest(&pipeline.key) {
        Some(looked) => PipelineStatus::of(&looked.report, looked.at, &clock),
        None => PipelineStatus::unseen(pipeline),
    });
    Ok(Json(PipelineList { items: items.collect(), next }))
}
