//! Which server this is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;

/// Which server this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerVersion {
    /// The version of gradus.
    #[schema(example = "0.1.0")]
    pub version: String,
}

/// Which server this is. Nobody has to say who they are to learn it.
#[utoipa::path(get, path = "/api/v1/version", tag = "server", operation_id = "getVersion",
    responses((status = 200, description = "The version", body = ServerVersion)))]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Json<ServerVersion> {
    Json(ServerVersion { version: app.version.clone() })
}
