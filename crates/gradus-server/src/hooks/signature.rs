//! Signatures: an HMAC over the bytes of the body, in the header `X-Signature`; and what forges send in its place.

mod forge;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, request::Parts};
use bytes::Bytes;
use gradus_core::pipeline::ForgeKind;

use super::keys::Owner;
use crate::api::{ApiError, read_bounded};
use crate::app::App;
use crate::auth::same_machine;

/// A signature as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Sha256(Vec<u8>),
    Sha512(Vec<u8>),
    /// The key itself, which GitLab and Azure DevOps send.
    Token(Vec<u8>),
    /// As Standard Webhooks do.
    Standard {
        /// What is signed before the body.
        before: Vec<u8>,
        /// Any of these may be with a key that is known.
        tags: Vec<Vec<u8>>,
    },
}

/// The body of a wake for this pipeline, once it is clear that it may be believed. What forges
/// sign with is taken too: a wake says nothing but that something happened.
pub(super) async fn believed_of_a_forge(
    app: &Arc<App>,
    owner: Option<Owner>,
    parts: &Parts,
    body: Body,
) -> Result<Bytes, ApiError> {
    let signature = match read(&parts.headers)? {
        Some(signature) => Some(signature),
        None => read_of_a_forge(&parts.headers)?,
    };
    check(app, owner, parts, body, signature.into_iter().collect()).await
}

/// The body of an event of a forge of this kind, once it is clear that it may be believed.
pub(super) async fn believed_of_this(
    app: &Arc<App>,
    forge: ForgeKind,
    parts: &Parts,
    body: Body,
) -> Result<Bytes, ApiError> {
    let done = match forge::read(forge, &parts.headers) {
        Ok(signatures) => check(app, Some(Owner::Forge(forge)), parts, body, signatures).await,
        Err(error) => Err(error),
    };
    done.map_err(|error| {
        if error.status() != StatusCode::UNAUTHORIZED {
            return error;
        }
        error.with_help(
            "give the webhook in the forge the secret that is the key here; at Azure DevOps as the password",
        )
    })
}

/// The body of a webhook for this pipeline or cluster, once it is clear that it may be believed.
///
/// An unsigned one is believed only where no key is set and only this machine can
/// send it; it is then held to the same rules as a request without a token.
pub(super) async fn believed(
    app: &Arc<App>,
    owner: Option<Owner>,
    parts: &Parts,
    body: Body,
) -> Result<Bytes, ApiError> {
    check(app, owner, parts, body, read(&parts.headers)?.into_iter().collect()).await
}

async fn check(
    app: &Arc<App>,
    owner: Option<Owner>,
    parts: &Parts,
    body: Body,
    signatures: Vec<Signature>,
) -> Result<Bytes, ApiError> {
    let keys = app.hook_keys.now().await;
    let unsigned_is_fine = keys.is_empty() && app.hook_keys.may_be_none() && app.is_loopback();
    if unsigned_is_fine {
        same_machine(&parts.method, &parts.uri, &parts.headers, app.listens_on)?;
    } else if keys.is_empty() {
        return Err(refused("no key for webhooks is set, and without one only this machine is believed")
            .with_help("set a key here, and the same one at the sender"));
    }
    if signatures.is_empty() && !unsigned_is_fine {
        return Err(refused("the event is not signed"));
    }
    let body = read_bounded(&parts.headers, body, app.limits.hook_bytes, app.limits.body).await?;
    // Where no key is set, a signature says no more than its absence.
    let good = |signature: &Signature| keys.verify(owner.as_ref(), signature, &body);
    if unsigned_is_fine || signatures.iter().any(good) {
        Ok(body)
    } else {
        Err(refused("the signature is not of this body with the key that is set here"))
    }
}

/// Reads the header; `None` where there is none.
fn read(headers: &HeaderMap) -> Result<Option<Signature>, ApiError> {
    let Some(header) = headers.get("x-signature") else { return Ok(None) };
    signature(header.to_str().unwrap_or_default())
}

/// Reads what GitHub, Gitea and Bitbucket sign with, and what GitLab sends; `None` where there is neither.
fn read_of_a_forge(headers: &HeaderMap) -> Result<Option<Signature>, ApiError> {
    if let Some(header) = headers.get("x-hub-signature-256") {
        return signature(header.to_str().unwrap_or_default());
    }
    let token = headers.get("x-gitlab-token").map(|token| token.as_bytes().to_vec());
    Ok(token.filter(|token| !token.is_empty()).map(Signature::Token))
}

fn signature(text: &str) -> Result<Option<Signature>, ApiError> {
    let (algorithm, digits) = text.split_once('=').unwrap_or(("", text));
    let tag = unhex(digits);
    match (algorithm, tag) {
        ("sha256", Some(tag)) => Ok(Some(Signature::Sha256(tag))),
        ("sha512", Some(tag)) => Ok(Some(Signature::Sha512(tag))),
        ("sha1", _) => Err(refused("the signature is made with SHA-1, which is not believed")),
        (_, _) => Err(refused("X-Signature is not `sha256=` or `sha512=` and hex digits")),
    }
}

fn refused(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "not-signed", message)
        .with_help("sign the bytes of the body with HMAC-SHA256: `X-Signature: sha256=HEX`; in Flux a Provider of the type generic-hmac does")
}

/// The longest signature that is looked at: that of SHA-512, in hex digits.
const LONGEST: usize = 128;

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || digits.len() > LONGEST || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?)).collect()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use gradus_core::names::PipelineKey;

    use super::super::keys::{HookKey, HookKeys};
    use super::*;

    fn header(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::HeaderName::from_static("x-signature"), value.parse().unwrap())])
    }

    fn check(key: &str, body: &str, signature: &str, good: bool) {
        let keys = HookKeys::none().with_global(HookKey::new(key.as_bytes()).unwrap());
        let read = read(&header(signature)).ok().flatten();
        let verified = read.is_some_and(|signature| keys.verify(None, &signature, body.as_bytes()));
        assert_eq!(verified, good, "{signature}");
    }

    #[test]
    fn signatures_are_checked_over_the_bytes_of_the_body() {
        let sha256 = "sha256=83eee066cf716dd10bc327e341a581ae657bf26d8815c9334434f470c12d3079";
        let sha512 = "sha512=ba49015231e38c2779666c90692d82917c88a814b1c1ae23e94d9544b321011aa9c10824df4d5ac1c5bbb397d1947d4eda37014bbd33d4acb1b11a6f71039f59";
        check("token", r#"{"action":"push"}"#, sha256, true);
        check("token", r#"{"action":"push"}"#, sha512, true);
        check("token", r#"{"action": "push"}"#, sha256, false);
        check("Token", r#"{"action":"push"}"#, sha256, false);
        check("token", r#"{"action":"push"}"#, &sha256.to_uppercase().replace("SHA", "sha"), true);
        check("token", r#"{"action":"push"}"#, "sha1=0a23fffb3dd66539440cf881ae6fdfbc8ccae4a9", false);
        check("token", r#"{"action":"push"}"#, &sha256["sha256=".len()..], false);
        check("token", r#"{"action":"push"}"#, "sha256=", false);
        check("token", r#"{"action":"push"}"#, "sha256=83", false);
        check("token", r#"{"action":"push"}"#, "sha256=zz", false);
        check("token", r#"{"action":"push"}"#, &format!("sha256={}", "0".repeat(64)), false);
    }

    #[test]
    fn a_pipeline_with_a_key_of_its_own_takes_no_other() {
        let key = |text: &str| HookKey::new(text.as_bytes()).unwrap();
        let web = PipelineKey::parse("apps/web").unwrap();
        let other = PipelineKey::parse("apps/other").unwrap();
        let keys = HookKeys::none()
            .with_global(key("global"))
            .with_pipeline(web.clone(), key("old"))
            .with_pipeline(web.clone(), key("new"));
        let verify = |pipeline: &PipelineKey, with: &str| {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, with.as_bytes()), b"body");
            keys.verify(
                Some(&Owner::Pipeline(pipeline.clone())),
                &Signature::Sha256(tag.as_ref().to_vec()),
                b"body",
            )
        };
        assert_eq!(["global", "old", "new"].map(|with| verify(&web, with)), [false, true, true]);
        assert_eq!(["global", "old", "new"].map(|with| verify(&other, with)), [true, false, false]);
        assert!(HookKey::new(b"").is_none());
    }
}
