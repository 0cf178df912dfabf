//! A person says yes to a release.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::Asked;
use super::error::ErrorBody;
use crate::api::{self, ApiError, At, JsonBody};
use crate::app::App;
use crate::auth::{Caller, Deed};

/// A yes to a release in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approve {
    /// In which environment.
    pub environment: String,
    /// To what: a version, or `artifact=version` pairs with commas between them. Without it, to what is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Says yes to a release in an environment. The caller's name and groups are recorded with it.
#[utoipa::path(post, path = "/api/v1/pipelines/{namespace}/{name}/approve", tag = "people", operation_id = "approve",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline")), request_body = Approve, security(("token" = [])),
    responses(
        (status = 200, description = "Recorded, and what is planned with it", body = Asked),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 403, description = "The token may not do this", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 409, description = "Nothing waits to be approved", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
    JsonBody(body): JsonBody<Approve>,
) -> Result<Json<Asked>, ApiError> {
    caller.may(Deed::Approve)?;
    let environment = api::environment(&pipeline, &body.environment)?;
    let Caller { person, groups, aliases, .. } = caller;
    let version = body.version.as_deref();
    let asked = app.engine.approve(&pipeline.key, &environment, version, person, groups, aliases).await?;
    Ok(Json(Asked::of(&asked, &environment, true, &app.clock())))
}
