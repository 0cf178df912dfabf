//! The engine's port for targets that can be asked, over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use gradus_core::pipeline::HttpTarget;
use gradus_core::version::Version;
use gradus_engine::port::targets::{Answered, Targets};
use gradus_engine::port::{PortError, PortErrorKind};

use crate::Secret;
use crate::cause::causes;
use crate::http::{Ask, HttpClient, HttpError, HttpErrorKind, Tls};
use crate::secret_files::SecretFiles;

/// A version endpoint answers with a few bytes; an application that sends more than this is not asked for a version.
const MOST_BYTES: u64 = 256 * 1024;

/// Where the Secrets of endpoints are.
pub trait EndpointSecrets: Send + Sync {
    /// The value of a key of a Secret, `namespace/name`, with which an endpoint is
    /// asked. Failing is for a Secret that cannot be read.
    fn value(&self, name: &str, key: &str, url: &str) -> Result<Option<String>, PortError>;

    /// Says that a Secret is there and none of its keys is of use.
    fn lacks(&self, name: &str, keys: &str, url: &str) -> PortError;
}

/// Secrets as files: `FOLDER/NAMESPACE/NAME/KEY`.
pub(crate) struct SecretsIn(pub(crate) Option<PathBuf>);

impl EndpointSecrets for SecretsIn {
    fn value(&self, name: &str, key: &str, url: &str) -> Result<Option<String>, PortError> {
        SecretFiles::find(self.0.as_deref(), name, url)?.value(key)
    }

    fn lacks(&self, name: &str, keys: &str, url: &str) -> PortError {
        let lacks = SecretFiles::find(self.0.as_deref(), name, url).map(|secret| secret.lacks(keys));
        lacks
            .unwrap_or_else(|error| error)
            .with_hint("put `token`, or `caFile`, or both into it, a file each")
    }
}

/// Asks version endpoints.
pub struct HttpTargets {
    secrets: Box<dyn EndpointSecrets>,
    client: HttpClient,
}

impl HttpTargets {
    /// Endpoints whose Secrets, if they name one, are `FOLDER/NAMESPACE/NAME/token` and `.../caFile`.
    pub fn new(secrets: Option<PathBuf>) -> Result<Self, PortError> {
        Self::with_secrets(Box::new(SecretsIn(secrets)))
    }

    /// Endpoints whose Secrets are elsewhere.
    pub fn with_secrets(secrets: Box<dyn EndpointSecrets>) -> Result<Self, PortError> {
        Ok(Self { secrets, client: HttpClient::new(&Tls::default()).map_err(from_http)? })
    }
}

#[async_trait]
impl Targets for HttpTargets {
    async fn ask(&self, target: &HttpTarget) -> Result<Answered, PortError> {
        let (token, ca) = self.secret(target)?;
        let timeout = Duration::try_from(target.timeout).unwrap_or(Duration::from_secs(10));
        let authorization = token.as_deref().map(|token| Secret::new(format!("Bearer {token}")));
        let ask = Ask { authorization, limit: MOST_BYTES, timeout, ..Ask::default() };
        let answer = match ca {
            Some(ca) => {
                let client = HttpClient::new(&Tls { ca_pem: Some(ca.into_bytes()) }).map_err(from_http)?;
                client.get(&target.url, &ask).await
            }
            None => self.client.get(&target.url, &ask).await,
        };
        let answer = answer.map_err(from_http)?;
        if answer.status != target.status {
            return Ok(Answered::Unhealthy(format!("it answered {}, not {}", answer.status, target.status)));
        }
        let told = version(&answer.bytes, target.pointer.as_deref()).map_err(|why| {
            let repeats = |token: &String| String::from_utf8_lossy(&answer.bytes).contains(token);
            let why = match &token {
                Some(token) if repeats(token) => "the answer repeats the token that was sent".to_owned(),
                Some(_) | None => why,
            };
            PortError::because(
                PortErrorKind::Broken,
                format!("reading the version at {}", plain(&target.url)),
                why,
            )
            .with_hint(match target.pointer {
                Some(_) => "point `pointer` to a string that is the version",
                None => {
                    "name an address that answers with the version alone, or say with `pointer` where it is"
                }
            })
        })?;
        Ok(Answered::Healthy(told))
    }
}

impl HttpTargets {
    /// The token and the authorities that the target's Secret holds.
    fn secret(&self, target: &HttpTarget) -> Result<(Option<String>, Option<String>), PortError> {
        let Some(name) = &target.secret else { return Ok((None, None)) };
        let url = plain(&target.url);
        let value = |key| self.secrets.value(name, key, url);
        match (value("token")?, value("caFile")?) {
            (None, None) => Err(self.secrets.lacks(name, "neither token nor caFile", url)),
            both => Ok(both),
        }
    }
}

/// The address without its query, which may hold a token.
fn plain(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The version in an answer: at a JSON pointer, or the whole text.
fn version(bytes: &[u8], pointer: Option<&str>) -> Result<Version, String> {
    let text = match pointer {
        None => {
            std::str::from_utf8(bytes).map_err(|_| "the answer is not text".to_owned())?.trim().to_owned()
        }
        Some(pointer) => {
            let json: serde_json::Value =
                serde_json::from_slice(bytes).map_err(|error| format!("the answer is not JSON: {error}"))?;
            match json.pointer(pointer) {
                Some(serde_json::Value::String(text)) => text.clone(),
                // A number would have lost digits: 1.10 and 1.1 are the same number.
                Some(_) => return Err(format!("what is at {pointer} is not a string")),
                None => return Err(format!("the answer has nothing at {pointer}")),
            }
        }
    };
    Version::parse(&text).map_err(|error| error.to_string())
}

fn from_http(error: HttpError) -> PortError {
    let (kind, hint) = match error.kind() {
        HttpErrorKind::Input(_) => (PortErrorKind::Unusable, "correct the address, or the Secret"),
        HttpErrorKind::Tls => (PortErrorKind::Unusable, "put certificates in PEM into `caFile`"),
        HttpErrorKind::Unreachable => {
            (PortErrorKind::Unreachable, "check the address, the network and the certificate")
        }
        HttpErrorKind::Interrupted => (PortErrorKind::Unreachable, "check that the application runs"),
        HttpErrorKind::Timeout => {
            (PortErrorKind::Unreachable, "check that the application answers, or allow a longer `timeout`")
        }
        HttpErrorKind::TooLarge { .. } => {
            (PortErrorKind::Broken, "name an address that answers with little more than the version")
        }
    };
    PortError::stated(kind, error.to_string(), causes(&error)).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[track_caller]
    fn check(bytes: &str, pointer: Option<&str>, expected: &str) {
        let told = version(bytes.as_bytes(), pointer).map_or_else(|why| why, |version| version.to_string());
        assert_eq!(told, expected);
    }

    #[test]
    fn the_version_is_found_where_it_is_said_to_be() {
        check("6.5.1\n", None, "6.5.1");
        check(r#"{"build": {"version": "1.10"}}"#, Some("/build/version"), "1.10");
        check(r#"{"a/b": ["x", "2.0.0"]}"#, Some("/a~1b/1"), "2.0.0");
    }

    #[test]
    fn what_is_no_version_is_not_taken_for_one() {
        check(r#"{"version": 1.10}"#, Some("/version"), "what is at /version is not a string");
        check(r#"{"version": "1"}"#, Some("/v"), "the answer has nothing at /v");
        check("<html>", Some("/v"), "the answer is not JSON: expected value at line 1 column 1");
        assert!(version(b"\xff\xfe", None).is_err());
        assert!(version(b"", None).is_err());
        assert!(version(b"two words", None).is_err());
    }
}
