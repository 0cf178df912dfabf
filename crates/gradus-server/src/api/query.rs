//! What stands in the address of a request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use gradus_core::names::EnvironmentName;
use gradus_core::pipeline::Pipeline;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ApiError;
use crate::app::App;

/// The pipeline that the address names.
pub(crate) struct At(pub(crate) Arc<Pipeline>);

#[derive(Deserialize)]
struct Names {
    namespace: String,
    name: String,
}

impl FromRequestParts<Arc<App>> for At {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let names = Path::<Names>::from_request_parts(parts, app).await;
        let Path(names) = names.map_err(|error| ApiError::malformed(error.body_text()))?;
        app.pipeline(&names.namespace, &names.name).map(Self)
    }
}

/// What stands behind the `?`.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri).map(|Query(value)| Self(value)).map_err(|error| {
            let text = error.body_text();
            let what = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            ApiError::malformed(format!("the query cannot be read: {what}"))
        })
    }
}

/// The environment of this name, or the answer that there is none.
pub(crate) fn environment(pipeline: &Pipeline, name: &str) -> Result<EnvironmentName, ApiError> {
    let names = || pipeline.environments().iter().map(|environment| environment.name.as_str());
    if let Some(found) = pipeline.environments().iter().find(|environment| environment.name.as_str() == name)
    {
        return Ok(found.name.clone());
    }
    let known = names().collect::<Vec<_>>().join(", ");
    let message = format!("{} has no environment {name:?}; it has {known}", pipeline.key);
    let error = ApiError::not_found("unknown-environment", message);
    Err(match crate::nearest::nearest(name, names()) {
        Some(name) => error.with_help(format!("did you mean {name}?")),
        None => error,
    })
}
