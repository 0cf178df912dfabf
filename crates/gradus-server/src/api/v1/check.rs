//! Somebody reports what came out of an outside check.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gradus_core::names::CheckName;
use gradus_core::observation::CheckResult;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ErrorBody;
use super::recorded::RecordedAnswer;
use crate::api::{self, ApiError, At, JsonBody, clean};
use crate::app::App;
use crate::auth::{Caller, Deed};

/// What came out of an outside check, by the word of who ran it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckReport {
    /// In which environment.
    pub environment: String,
    /// Which check.
    pub check: String,
    /// Of what: a version, or `artifact=version` pairs with commas between them.
    pub version: String,
    /// What came out.
    pub result: Outcome,
    /// More, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What came out of an outside check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is good.
    Passed,
    /// It is not.
    Failed,
    /// It still runs.
    Pending,
}

/// The longest detail that is kept, in bytes.
const LONGEST_DETAIL: usize = 2000;

/// Reports what came out of an outside check. It counts where the caller is the reporter that the gate names.
#[utoipa::path(post, path = "/api/v1/pipelines/{namespace}/{name}/check", tag = "machines", operation_id = "reportCheck",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline")), request_body = CheckReport, security(("token" = [])),
    responses(
        (status = 202, description = "Recorded", body = RecordedAnswer),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 403, description = "The token may not do this", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
    JsonBody(body): JsonBody<CheckReport>,
) -> Result<(StatusCode, Json<RecordedAnswer>), ApiError> {
    caller.may(Deed::Report)?;
    let environment = api::environment(&pipeline, &body.environment)?;
    let check = CheckName::parse(&body.check).map_err(|error| ApiError::malformed(error.to_string()))?;
    let detail = body.detail.as_deref().and_then(|detail| clean(detail, LONGEST_DETAIL));
    let (key, version, result) = (&pipeline.key, body.version.as_str(), body.result.into());
    app.engine.check(key, &environment, check, version, result, caller.person, detail).await?;
    Ok((StatusCode::ACCEPTED, Json(RecordedAnswer { recorded: true })))
}

impl From<Outcome> for CheckResult {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed => Self::Failed,
            Outcome::Pending => Self::Pending,
        }
    }
}
