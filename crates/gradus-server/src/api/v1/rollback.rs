//! A person asks for an older release.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use gradus_core::observation::RequestKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked;
use super::asked::Asked;
use super::error::ErrorBody;
use crate::api::{ApiError, At, JsonBody};
use crate::app::App;
use crate::auth::{Caller, Deed};

/// A way back that a person asks for by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollback {
    /// In which environment.
    pub environment: String,
    /// To what: a version, or `artifact=version` pairs with commas between them. Without it, to what was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Past the gates, where the environment allows it. Needs a `version` and a `reason`.
    #[serde(default)]
    pub emergency: bool,
    /// Says what would be done, and records nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Asks for an older release: the one that was there before, or one that is written out.
#[utoipa::path(post, path = "/api/v1/pipelines/{namespace}/{name}/rollback", tag = "people", operation_id = "rollback",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline")), request_body = Rollback, security(("token" = [])),
    responses(
        (status = 200, description = "Recorded unless it was a dry run, and what is planned with it", body = Asked),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 403, description = "The token may not do this", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 409, description = "What was there before is not known", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
    JsonBody(body): JsonBody<Rollback>,
) -> Result<Json<Asked>, ApiError> {
    caller.may(Deed::Operate)?;
    let (kind, reason) = if body.emergency {
        if body.version.is_none() {
            // An emergency goes either way: without a version it would mean the next release.
            return Err(ApiError::malformed("an emergency rollback needs a version"));
        }
        (RequestKind::Emergency, Some(asked::needed("reason", body.reason.as_deref())?))
    } else {
        (RequestKind::Rollback, asked::optional(body.reason.as_deref()))
    };
    let order = asked::Order { environment: &body.environment, version: body.version, kind, reason };
    asked::ask(&app, &pipeline, caller, order, body.dry_run).await.map(Json)
}
