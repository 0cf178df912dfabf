//! Talks to a running `gradus serve`.

use std::time::Duration;

use gradus_remote::Secret;
use gradus_remote::http::{Answer, Ask, HttpClient, Tls};
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::error::CliError;

/// The most bytes of an answer: ten thousand pipelines fit.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Client {
    http: HttpClient,
    base: String,
    token: Option<Secret>,
    user: Option<String>,
    groups: Vec<String>,
    hook_key: Option<String>,
}

/// How the server says that something is wrong.
#[derive(serde::Deserialize)]
struct Problem {
    error: ProblemBody,
}

#[derive(serde::Deserialize)]
struct ProblemBody {
    message: String,
    help: Option<String>,
}

impl Client {
    /// A client of the server at this address.
    pub(crate) fn new(base: &str, token: Option<String>) -> Result<Self, CliError> {
        let http = HttpClient::new(&Tls::default())
            .map_err(|error| CliError::because("setting up the HTTP client", error))?;
        let token = token.map(|token| Secret::new(format!("Bearer {}", token.trim())));
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            token,
            user: None,
            groups: Vec::new(),
            hook_key: None,
        })
    }

    /// The same, as this user, where the server takes everybody's word for who they are.
    pub(crate) fn for_user(mut self, user: Option<String>) -> Self {
        self.user = user;
        self
    }

    /// The same, as a member of these groups, at the same servers.
    pub(crate) fn in_groups(mut self, groups: Vec<String>) -> Self {
        self.groups = groups;
        self
    }

    /// The same, signing what it posts to webhooks.
    pub(crate) fn signing_with(mut self, key: &str) -> Self {
        self.hook_key = Some(key.to_owned());
        self
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let answer = self.http.get(&format!("{}{path}", self.base), &self.ask()).await;
        self.read(answer)
    }

    /// Sends something.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        let body =
            serde_json::to_vec(body).map_err(|error| CliError::because("writing the request", error))?;
        let answer = self.http.post_json(&format!("{}{path}", self.base), body, &self.ask()).await;
        self.read(answer)
    }

    /// Takes something away.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let answer = self.http.delete(&format!("{}{path}", self.base), &self.ask()).await;
        self.read(answer)
    }

    /// Posts an event to a webhook, signed as Flux signs it.
    pub(crate) async fn post_signed(&self, path: &str, event: &impl Serialize) -> Result<(), CliError> {
        let body =
            serde_json::to_vec(event).map_err(|error| CliError::because("writing the event", error))?;
        let mut ask = self.ask();
        if let Some(key) = &self.hook_key {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
                .map_err(|error| CliError::because("signing the event", error))?;
            mac.update(&body);
            let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            ask.headers.push(("x-signature".to_owned(), format!("sha256={hex}")));
        }
        let answer = self.http.post_json(&format!("{}{path}", self.base), body, &ask).await;
        let _understood: serde_json::Value = self.read(answer)?;
        Ok(())
    }

    fn ask(&self) -> Ask {
        let mut headers: Vec<(String, String)> =
            self.user.iter().map(|user| ("x-gradus-user".to_owned(), user.clone())).collect();
        if !self.groups.is_empty() {
            headers.push(("x-gradus-groups".to_owned(), self.groups.join(",")));
        }
        Ask {
            headers,
            authorization: self.token.clone(),
            limit: MOST_BYTES,
            timeout: Duration::from_secs(60),
        }
    }

    fn read<T: DeserializeOwned>(
        &self,
        answer: Result<Answer, gradus_remote::http::HttpError>,
    ) -> Result<T, CliError> {
        let answer = answer.map_err(|error| {
            CliError::because(format!("asking {}", self.base), error)
                .help("is `gradus serve` running there? Its address is given with --server or GRADUS_SERVER")
        })?;
        if (200..300).contains(&answer.status) {
            let body: &[u8] = if answer.bytes.is_empty() { b"null" } else { &answer.bytes };
            return serde_json::from_slice(body).map_err(|error| {
                CliError::because(format!("reading the answer of {}", self.base), error)
                    .help("is the server of the same version? See `gradus --version` and /api/v1/version")
            });
        }
        match serde_json::from_slice::<Problem>(&answer.bytes) {
            Ok(problem) => {
                let error = CliError::failed(problem.error.message);
                Err(match problem.error.help {
                    Some(help) => error.help(help),
                    None => error,
                })
            }
            Err(_) if answer.status == 401 => {
                Err(CliError::failed(format!("{} wants to know who asks", self.base))
                    .help("give a token in GRADUS_TOKEN or with --token-file"))
            }
            Err(_) => Err(CliError::failed(format!("{} answered {}", self.base, answer.status))
                .help("is it a gradus server?")),
        }
    }
}
