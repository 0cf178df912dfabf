//! Why an environment is as it is, on the wire.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use gradus_core::names::EnvironmentName;
use gradus_core::report::Report;
use gradus_core::tell::{Clock, explain};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::ToSchema;

use super::environment::Environment;
use super::error::ErrorBody;
use crate::api::{self, ApiError, At, Params};
use crate::app::App;
use crate::auth::{Caller, Deed};

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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExplainQuery {
    /// The environment to explain.
    environment: String,
}

/// Why a release is in an environment, or is not.
#[utoipa::path(get, path = "/api/v1/pipelines/{namespace}/{name}/explain", tag = "pipelines", operation_id = "explain",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline"), ExplainQuery), security(("token" = [])),
    responses(
        (status = 200, description = "The explanation", body = Explanation),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
    Params(query): Params<ExplainQuery>,
) -> Result<Json<Explanation>, ApiError> {
    caller.may(Deed::Read)?;
    let environment = api::environment(&pipeline, &query.environment)?;
    let looked = app.looked(&pipeline)?;
    let explanation = Explanation::of(&looked.report, &environment, &app.clock());
    // The pipeline may have changed since the look.
    let explanation = explanation.ok_or_else(|| {
        ApiError::unavailable("not-looked-at-yet", format!("{environment} was not looked at yet"))
    })?;
    Ok(Json(explanation))
}
