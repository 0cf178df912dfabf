//! The span of one request, as traces show it: to which host, how, and what it answered. Nothing else of the address,
//! whose path and query may hold what is nobody's business, and no header.

use reqwest::{Method, Url};
use tracing::Span;
use tracing::field::Empty;

/// A request that is being made.
pub(crate) fn request_span(method: &Method, url: &Url) -> Span {
    tracing::info_span!(
        "http",
        otel.name = method.as_str(),
        otel.kind = "client",
        http.request.method = method.as_str(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        otel.status_code = Empty,
    )
}

/// Says what was answered; `None` where nothing was.
pub(crate) fn answered(span: &Span, status: Option<u16>) {
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if status.is_none_or(|status| status >= 400) {
        span.record("otel.status_code", "ERROR");
    }
}
