//! Answers that are not a success.

use axum::Json;
use axum::http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_engine::{SayError, SayErrorKind};

use super::v1::{ErrorBody, ErrorDetail};

/// An answer that is not a success: a status, a stable code, what went wrong, and what to do.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    help: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), help: None }
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    pub(crate) fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
            .with_help("send `Authorization: Bearer TOKEN`; `gradus token create` makes one")
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, code, message, help } = self;
        let detail = ErrorDetail { code: code.to_owned(), message, help };
        let mut response = (status, Json(ErrorBody { error: detail })).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if status == StatusCode::PAYLOAD_TOO_LARGE || status == StatusCode::REQUEST_TIMEOUT {
            // The rest of the body is not read, so nothing else can follow on this connection.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<SayError> for ApiError {
    fn from(error: SayError) -> Self {
        let message = error.to_string();
        match &error.kind {
            SayErrorKind::UnknownPipeline(_) => Self::not_found("unknown-pipeline", message),
            SayErrorKind::UnknownEnvironment(wanted, known) => {
                let names = known.iter().map(|name| name.as_str());
                let error = Self::not_found("unknown-environment", message);
                match crate::nearest::nearest(wanted.as_str(), names) {
                    Some(name) => error.with_help(format!("did you mean {name}?")),
                    None => error,
                }
            }
            SayErrorKind::UnknownTarget(wanted, known) => {
                let names = known.iter().map(|name| name.as_str());
                let wanted = wanted.as_ref().map_or("", |name| name.as_str());
                let error = Self::not_found("unknown-target", message);
                match crate::nearest::nearest(wanted, names) {
                    Some(name) => error.with_help(format!("did you mean {name}?")),
                    None => error,
                }
            }
            SayErrorKind::UnknownVersion(..) => Self::not_found("unknown-version", message),
            SayErrorKind::NothingToMean(_) => Self::new(StatusCode::CONFLICT, "nothing-to-mean", message),
            SayErrorKind::Malformed(_) => Self::malformed(message),
            SayErrorKind::NotRecorded => {
                // The cause may name places on this machine: it goes to the log, not to the caller.
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(cause, "something that was said could not be recorded");
                Self::unavailable("not-recorded", message).with_help("nothing was changed; try again later")
            }
        }
    }
}

impl From<PortError> for ApiError {
    fn from(error: PortError) -> Self {
        tracing::warn!(error = error.in_full(), "a port failed for a request");
        let status = match error.kind {
            PortErrorKind::Unreachable | PortErrorKind::OutcomeUnknown => StatusCode::SERVICE_UNAVAILABLE,
            PortErrorKind::Unusable => StatusCode::CONFLICT,
            PortErrorKind::Missing => StatusCode::NOT_FOUND,
            PortErrorKind::Denied | PortErrorKind::Broken => StatusCode::BAD_GATEWAY,
            PortErrorKind::Local => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = match error.kind {
            PortErrorKind::Unreachable => "unreachable",
            PortErrorKind::OutcomeUnknown => "outcome-unknown",
            PortErrorKind::Unusable => "unusable",
            PortErrorKind::Missing => "missing",
            PortErrorKind::Denied => "denied",
            PortErrorKind::Broken => "broken-answer",
            PortErrorKind::Local => "failed-here",
        };
        let mut answer = Self::new(status, code, error.to_string());
        answer.help = error.hint;
        answer
    }
}
