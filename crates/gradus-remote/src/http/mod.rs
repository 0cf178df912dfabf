//! The HTTP client everything in this crate is built on: bounded, without redirects, with rustls.

mod client;
mod spans;
mod tls;

pub use client::{Answer, Ask, HttpClient, HttpError, HttpErrorKind};
pub use tls::{Tls, TlsError};

use std::time::Duration;

pub(crate) use spans::{answered, request_span};

/// Names the project and its version to the host.
const AGENT: &str = concat!("gradus/", env!("CARGO_PKG_VERSION"));

/// A client that follows no redirect and waits at most `connect` for a connection; the caller bounds the rest.
pub(crate) fn client(agent: &str, connect: Duration, tls: &Tls) -> Result<reqwest::Client, TlsError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(connect)
        // Hosts end idle connections after a minute or so; a request that meets this moment is lost.
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true);
    let roots = tls.certificates()?;
    if !roots.is_empty() {
        builder = builder.tls_certs_merge(roots);
    }
    builder.build().map_err(|source| TlsError::new("set up TLS", source.without_url()))
}
