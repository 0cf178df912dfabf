//! Whether a request is signed as its pipeline asks for.

use axum::http::HeaderMap;
use gradus_weave::kind::Pipeline;
use gradus_weave::signature::{self, Key, Signed};

use super::app::App;
use super::port::PipelineName;

/// Whether a request that could promote to this environment is signed. What cannot be checked is not.
pub(super) async fn signed(
    app: &App,
    name: &PipelineName,
    pipeline: &Pipeline,
    to: Option<&str>,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Signed {
    let secret = match signature::key(pipeline, to) {
        Key::Open => return Signed::NotAsked,
        Key::None => return Signed::Bad,
        Key::Secret(secret) => secret,
    };
    let key = match app.weave.secret_key(&name.namespace, &secret).await {
        Ok(Some(key)) => key,
        Ok(None) => {
            tracing::warn!(namespace = %name.namespace, %secret, "there is no key for signatures in the Secret");
            return Signed::Bad;
        }
        Err(error) => {
            tracing::warn!(namespace = %name.namespace, %secret, error = error.in_full(), "could not get a key for signatures");
            return Signed::Bad;
        }
    };
    let header = headers.get(signature::HEADER).and_then(|value| value.to_str().ok());
    signature::verify(&key, header, bytes)
}
