//! A person asks for a promotion by name.

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

/// A promotion that a person asks for by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Promote {
    /// Into which environment.
    pub environment: String,
    /// What: a version, or `artifact=version` pairs with commas between them. Without it, what is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Though the environments before have not proven it: why. Excludes `emergency`.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_why: Option<String>,
    /// Past the gates, where the environment allows it. Needs a `reason`.
    #[serde(default)]
    pub emergency: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Says what would be done, and records nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Asks for a release by name: the next one, or one that is written out.
#[utoipa::path(post, path = "/api/v1/pipelines/{namespace}/{name}/promote", tag = "people", operation_id = "promote",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline")), request_body = Promote, security(("token" = [])),
    responses(
        (status = 200, description = "Recorded unless it was a dry run, and what is planned with it", body = Asked),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 403, description = "The token may not do this", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 409, description = "Nothing waits to come in", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
    JsonBody(body): JsonBody<Promote>,
) -> Result<Json<Asked>, ApiError> {
    caller.may(Deed::Operate)?;
    let (kind, reason) = match (&body.override_why, body.emergency) {
        (Some(_), true) => return Err(ApiError::malformed("give override or emergency, not both")),
        (Some(why), false) => (RequestKind::Override, Some(asked::needed("override", Some(why))?)),
        (None, true) => (RequestKind::Emergency, Some(asked::needed("reason", body.reason.as_deref())?)),
        (None, false) => (RequestKind::Promote, asked::optional(body.reason.as_deref())),
    };
    let order = asked::Order { environment: &body.environment, version: body.version, kind, reason };
    asked::ask(&app, &pipeline, caller, order, body.dry_run).await.map(Json)
}
