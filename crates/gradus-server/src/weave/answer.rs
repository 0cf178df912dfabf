//! The answer on the wire.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use gradus_weave::answer::Answer;
use gradus_weave::limiter::retry_after;
use jiff::Timestamp;

/// The answer on the wire. What has words is plain text: a browser takes nothing in it for markup.
pub(super) fn response(answer: Answer) -> Response {
    let has_words = !answer.body.is_empty();
    let mut response = Response::new(Body::from(answer.body.into_owned()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if has_words {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    if let Some(location) = answer.location {
        match HeaderValue::from_str(&location) {
            Ok(location) => drop(headers.insert(LOCATION, location)),
            Err(_) => tracing::warn!(location, "the address of a pull request cannot be told in a header"),
        }
    }
    response
}

/// Asked too often: not before that time.
pub(super) fn too_often(until: Timestamp) -> Response {
    let mut response = response(Answer::status(429));
    if let Ok(until) = HeaderValue::from_str(&retry_after(until)) {
        response.headers_mut().insert(RETRY_AFTER, until);
    }
    response
}
