//! What could not be read of what people wrote, on the wire.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ErrorBody;
use crate::api::ApiError;
use crate::app::App;
use crate::auth::{Caller, Deed};

/// What could not be read of what people wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemList {
    /// All of it.
    pub items: Vec<Problem>,
}

/// A mistake in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The manifests that could not be read, and why. What they say is not in force.
#[utoipa::path(get, path = "/api/v1/problems", tag = "server", operation_id = "listProblems",
    security(("token" = [])),
    responses(
        (status = 200, description = "All of them; none when all is well", body = ProblemList),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
    ))]
pub(crate) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<ProblemList>, ApiError> {
    caller.may(Deed::Read)?;
    Ok(Json(ProblemList { items: app.problems.list() }))
}
