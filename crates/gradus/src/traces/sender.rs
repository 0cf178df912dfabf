//! How batches of spans are sent: by the HTTP client that everything else is sent with.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gradus_remote::Secret;
use gradus_remote::http::{Ask, HttpClient, HttpError, Tls};
use http::{Request, Response};
use tokio::runtime::Handle;

/// The largest answer that is read.
const MOST_BYTES: u64 = 64 * 1024;

/// Sends batches from a thread that is not one of the runtime's, on the runtime.
#[derive(Debug)]
pub(super) struct Sender {
    http: HttpClient,
    runtime: Handle,
    patience: Duration,
}

impl Sender {
    pub(super) fn new(runtime: Handle, tls: &Tls, patience: Duration) -> Result<Self, HttpError> {
        Ok(Self { http: HttpClient::new(tls)?, runtime, patience })
    }
}

#[async_trait]
impl opentelemetry_http::HttpClient for Sender {
    async fn send_bytes(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Box<dyn Error + Send + Sync>> {
        let (parts, body) = request.into_parts();
        let mut headers = Vec::with_capacity(parts.headers.len());
        for (name, value) in &parts.headers {
            // Which of them are secret only the one knows who has set them.
            headers.push((name.as_str().to_owned(), Secret::new(value.to_str()?)));
        }
        let ask = Ask { limit: MOST_BYTES, timeout: self.patience, ..Ask::default() };
        let (http, url) = (self.http.clone(), parts.uri.to_string());
        let sending = async move { http.post_untraced(&url, &headers, body, &ask).await };
        let answer = self.runtime.spawn(sending).await??;
        let mut response = Response::builder().status(answer.status);
        if let Some(after) = answer.header("retry-after") {
            response = response.header("retry-after", after);
        }
        Ok(response.body(answer.bytes)?)
    }
}
