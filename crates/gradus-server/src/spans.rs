//! The span of a webhook, as traces show it: which kind of hook, about which pipeline, and what was answered.

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use tracing::Span;
use tracing::field::Empty;

/// Makes a span part of the trace that its sender says it belongs to, by the header `traceparent`.
pub type JoinTrace = fn(&Span, traceparent: &str);

/// The longest name of a kind of hook. What is longer is none.
const LONGEST_KIND: usize = 20;
/// The longest `traceparent` that is looked at: of the one version there is, 55 bytes.
const LONGEST_PARENT: usize = 128;

/// The span of a request; none if it is for no webhook.
pub(crate) fn webhook(request: &Request, join: Option<JoinTrace>) -> Span {
    let mut segments = request.uri().path().trim_start_matches('/').split('/');
    let kind = match (segments.next(), segments.next()) {
        (Some("hooks"), Some(kind)) => kind,
        (Some(kind @ ("promotion" | "approval")), Some(_)) => kind,
        (Some(_) | None, _) => return Span::none(),
    };
    let is_word =
        !kind.is_empty() && kind.len() <= LONGEST_KIND && kind.bytes().all(|b| b.is_ascii_lowercase());
    let span = tracing::info_span!(
        "webhook",
        otel.kind = "server",
        gradus.hook = if is_word { kind } else { "unknown" },
        gradus.pipeline = Empty,
        http.request.method = if request.method() == Method::POST { "POST" } else { "_OTHER" },
        http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    if let (Some(join), Some(parent)) = (join, parent.filter(|parent| parent.len() <= LONGEST_PARENT)) {
        join(&span, parent);
    }
    span
}

/// Says in the span of the request which pipeline it is about.
pub(crate) fn about(pipeline: &impl std::fmt::Display) {
    Span::current().record("gradus.pipeline", tracing::field::display(pipeline));
}

/// Says what was answered.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
