//! The document that describes the API.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// The document that describes this API.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "server", operation_id = "getOpenapi",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = serde_json::Value)))]
pub(crate) async fn get() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], crate::api::openapi_json())
}
