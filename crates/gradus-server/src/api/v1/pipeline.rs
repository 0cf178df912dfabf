//! A pipeline on the wire: the full report.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use gradus_core::pipeline::Mode as CoreMode;
use gradus_core::report::Report;
use gradus_core::tell::Clock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::Environment;
use super::error::ErrorBody;
use super::time::Time;
use crate::api::{ApiError, At};
use crate::app::App;
use crate::auth::{Caller, Deed};

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

/// All that the last look found of one pipeline.
#[utoipa::path(get, path = "/api/v1/pipelines/{namespace}/{name}", tag = "pipelines", operation_id = "getPipeline",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline")), security(("token" = [])),
    responses(
        (status = 200, description = "The full report", body = Pipeline),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
) -> Result<Json<Pipeline>, ApiError> {
    caller.may(Deed::Read)?;
    let looked = app.looked(&pipeline)?;
    Ok(Json(Pipeline::of(&looked.report, looked.at, &app.clock())))
}
