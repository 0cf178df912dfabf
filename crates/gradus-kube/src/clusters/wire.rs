//! Requests to an API server, with a bound on what comes back.
//!
//! The client's own calls read answers of any size, and log an answer that they
//! cannot parse, which for a Secret would be its content.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::Client;
use kube::client::Body;
use kube::core::Request;
use kube::core::params::GetParams;
use serde::de::DeserializeOwned;

/// How long one request may take before its answer is there.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How big one object may be. An API server takes none over some 3 MiB.
pub(crate) const OBJECT_BYTES: usize = 8 << 20;
/// How much of a refusal is read.
const REFUSAL_BYTES: usize = 64 << 10;
/// How much of a message is told.
const MESSAGE_CHARS: usize = 300;

/// A request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What kind of failure.
    pub(crate) kind: FaultKind,
    /// What was said, or what happened.
    pub(crate) message: String,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Nobody answered in time.
    Unreachable,
    /// The credentials are not accepted (401).
    Unauthorized,
    /// The credentials do not allow it (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// What was seen last is too old to go on from (410).
    Gone,
    /// The kind is not served there.
    NotServed,
    /// Another refusal.
    Refused,
    /// The answer is not what it should be, or too big.
    Broken,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What an API server says of a status code.
    pub(crate) fn of_code(code: u16, said: &str) -> Self {
        let kind = match code {
            401 => FaultKind::Unauthorized,
            403 => FaultKind::Forbidden,
            404 => FaultKind::NotFound,
            410 => FaultKind::Gone,
            429 | 500..=599 => FaultKind::Unreachable,
            _ => FaultKind::Refused,
        };
        let said = clean(said);
        let message = if said.is_empty() { format!("answered {code}") } else { format!("{said} ({code})") };
        Self { kind, message }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Text from outside as one line of bounded length.
pub(crate) fn clean(text: &str) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    let mut clean: String = text.trim().chars().take(MESSAGE_CHARS).map(line).collect();
    if text.trim().chars().count() > MESSAGE_CHARS {
        clean.push('…');
    }
    clean
}

/// Gets one object. The name has to be one that may stand in a path: see [`is_name`].
pub(crate) async fn get<T: DeserializeOwned>(client: &Client, below: &str, name: &str) -> Result<T, Fault> {
    let request = Request::new(below)
        .get(name, &GetParams::default())
        .map_err(|error| Fault::new(FaultKind::Refused, error.to_string()))?;
    let bytes = fetch(client, request.map(Body::from), OBJECT_BYTES).await?;
    parse(&bytes)
}

/// Reads an answer. What it holds is not told when that fails.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Fault::new(FaultKind::Broken, format!("the answer is not as it should be at {place}"))
    })
}

/// Whether a name can stand in the path of a request.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    !name.is_empty() && name.len() <= 253 && name != "." && name != ".." && name.chars().all(fits)
}

/// Asks, and reads the whole answer up to a bound.
pub(crate) async fn fetch(client: &Client, request: HttpRequest, limit: usize) -> Result<Vec<u8>, Fault> {
    let answer = async {
        let body = open(client, request).await?;
        match Limited::new(body, limit).collect().await {
            Ok(all) => Ok(all.to_bytes().to_vec()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(Fault::new(FaultKind::Broken, format!("the answer is bigger than {limit} bytes")))
            }
            Err(error) => Err(Fault::new(FaultKind::Unreachable, chain(error.as_ref()))),
        }
    };
    in_time(answer).await
}

/// Asks, and gives the body of an answer that is no refusal.
pub(crate) async fn open(client: &Client, request: HttpRequest) -> Result<Body, Fault> {
    let answer = client.send(request).await.map_err(|error| of_error(&error))?;
    let (head, body) = answer.into_parts();
    if head.status.is_success() {
        return Ok(body);
    }
    let said = match Limited::new(body, REFUSAL_BYTES).collect().await {
        Ok(all) => message_of(&all.to_bytes()),
        Err(_) => String::new(),
    };
    Err(Fault::of_code(head.status.as_u16(), &said))
}

/// The same, if it does not take too long.
pub(crate) async fn in_time<T>(answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(REQUEST_TIMEOUT, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            let seconds = REQUEST_TIMEOUT.as_secs();
            Err(Fault::new(FaultKind::Unreachable, format!("no answer within {seconds} s")))
        }
    }
}

/// A request as the client takes it.
pub(crate) type HttpRequest = http::Request<Body>;

fn message_of(body: &[u8]) -> String {
    serde_json::from_slice::<kube::core::Status>(body).map(|status| status.message).unwrap_or_default()
}

fn of_error(error: &kube::Error) -> Fault {
    let kind =
        if matches!(error, kube::Error::Auth(_)) { FaultKind::Unauthorized } else { FaultKind::Unreachable };
    Fault::new(kind, chain(error))
}

/// An error with its causes in one line, each said once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        next = error.source();
        // What only wraps its cause's words adds nothing.
        if next.is_none_or(|cause| !text.contains(&cause.to_string())) && !parts.contains(&text) {
            parts.push(text);
        }
    }
    clean(&parts.join(": "))
}
