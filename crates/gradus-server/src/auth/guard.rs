//! Keeps web pages from talking to a server that asks nobody who they are.
//!
//! A page from anywhere can make its visitor's browser send requests to
//! 127.0.0.1, and by changing what its own name resolves to (DNS rebinding) even
//! read the answers. Both show: the `Host` is not this machine's, or the `Origin`
//! is not this server's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::ApiError;
use crate::app::App;

/// Refuses requests that come by way of a foreign web page, where nobody has to
/// say who they are.
pub(crate) async fn guard(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if app.is_open() {
        same_machine(request.method(), request.uri(), request.headers(), app.listens_on)?;
    }
    Ok(next.run(request).await)
}

/// Refuses a request whose `Host` is not this machine, and one that changes
/// something for a page of another origin.
pub(crate) fn same_machine(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    listens_on: SocketAddr,
) -> Result<(), ApiError> {
    let refused = |code, message: String| {
        Err(ApiError::new(StatusCode::FORBIDDEN, code, message)
            .with_help("ask for it at a loopback address, or make tokens and send one"))
    };
    let host = match (uri.authority(), headers.get(HOST)) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().unwrap_or_default(),
        (None, None) => "",
    };
    if !is_here(host, listens_on.ip()) {
        return refused("foreign-host", format!("{host:?} is not a name of this machine"));
    }
    let reads = method == Method::GET || method == Method::HEAD;
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let own = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
    if !reads && !own.is_some_and(|own| own.eq_ignore_ascii_case(host)) {
        return refused("foreign-origin", format!("a page of {origin:?} may not change anything here"));
    }
    Ok(())
}

/// Whether a `Host`, with or without a port, means this machine.
fn is_here(host: &str, listens_on: IpAddr) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _port)| name),
    };
    match name.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback() || ip == listens_on,
        Err(_) => name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, here: bool) {
        assert_eq!(is_here(host, IpAddr::from([127, 0, 0, 1])), here, "{host}");
    }

    #[test]
    fn a_host_is_this_machine_or_foreign() {
        for host in
            ["localhost", "LOCALHOST:80", "127.0.0.1:7070", "127.8.9.1", "[::1]:7070", "gradus.localhost:1"]
        {
            check(host, true);
        }
        for host in
            ["", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "[::2]"]
        {
            check(host, false);
        }
    }
}
