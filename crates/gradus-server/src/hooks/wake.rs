//! The plain webhook: something happened, look.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;

use super::keys::Owner;
use super::signature::believed_of_a_forge;
use super::{Outcome, Taken, Understood};
use crate::api::ApiError;
use crate::api::v1::ErrorBody;
use crate::app::App;

/// Wakes a pipeline: it is looked at soon. What is in the body does not matter, except that it is signed.
#[utoipa::path(post, path = "/hooks/wake/{namespace}/{pipeline}", tag = "hooks", operation_id = "wake",
    params(
        ("namespace" = String, Path, description = "The namespace of the pipeline"),
        ("pipeline" = String, Path, description = "The pipeline"),
        ("X-Signature" = Option<String>, Header, description = "`sha256=` or `sha512=` and the HMAC of the body in hex digits"),
        ("X-Hub-Signature-256" = Option<String>, Header, description = "The same, as GitHub, Gitea and Bitbucket send it"),
        ("X-Gitlab-Token" = Option<String>, Header, description = "The key itself, as GitLab sends it"),
    ),
    request_body(content = String, description = "Anything", content_type = "*/*"),
    responses(
        (status = 202, description = "It is looked at soon", body = Taken),
        (status = 401, description = "Not signed, or not with the right key", body = ErrorBody),
        (status = 404, description = "There is no such pipeline", body = ErrorBody),
        (status = 413, description = "The body is too long", body = ErrorBody),
        (status = 503, description = "The pipelines were not read yet: send it again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path((namespace, pipeline)): Path<(String, String)>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let taken = wake(&app, &namespace, &pipeline, request).await;
    app.metrics.hook(match &taken {
        Ok(taken) => taken.understood.into(),
        Err(error) => Outcome::from(error),
    });
    Ok((StatusCode::ACCEPTED, Json(taken?)))
}

async fn wake(app: &Arc<App>, namespace: &str, pipeline: &str, request: Request) -> Result<Taken, ApiError> {
    let (parts, body) = request.into_parts();
    believed_of_a_forge(app, Owner::pipeline(namespace, pipeline), &parts, body).await?;
    let pipeline = app.pipeline(namespace, pipeline)?;
    app.engine.wake(&pipeline.key);
    let words = format!("{} is looked at soon", pipeline.key);
    Ok(Taken { understood: Understood::Wake, release: None, words })
}
