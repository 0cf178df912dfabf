//! Sends requests to one forge, within its limits.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gradus_engine::port::Clock;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::error::{ForgeError, ForgeErrorKind};
use super::limit::{Before, Limits, is_refusal};
use super::request::{Method, Request};
use super::token::Tokens;
use crate::Secret;
use crate::cause::causes;
use crate::http::{Answer, Ask, HttpClient, HttpError, HttpErrorKind, Tls};

pub use super::limit::Budget;

/// The largest answer that is read.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// So long a request waits for a limit to pass; what has to wait longer fails.
const WAITS: Duration = Duration::from_secs(5);
/// How often what had no effect is tried.
const TRIES: u32 = 4;
/// The most pages that are read of one list.
const PAGES: u32 = 100;
/// The most of what a forge says that is repeated.
const MOST_WORDS: usize = 500;

/// How a forge is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeAccess {
    /// The value of the `Authorization` header.
    pub authorization: Option<Secret>,
    /// Which authorities are trusted.
    pub tls: Tls,
}

/// One forge, for one set of credentials. Everybody who uses them shares it, and with it the limits.
pub struct ForgeClient {
    http: HttpClient,
    api: String,
    access: ForgeAccess,
    tokens: Option<Arc<dyn Tokens>>,
    headers: Vec<(String, String)>,
    budget: Budget,
    clock: Arc<dyn Clock>,
    limits: Mutex<Limits>,
    before: Mutex<Before>,
    places: Semaphore,
}

impl ForgeClient {
    /// A client for the API at this address. `headers` go with every request; none of them is secret.
    pub fn new(
        api: impl Into<String>,
        access: ForgeAccess,
        headers: &[(&str, &str)],
        budget: Budget,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ForgeError> {
        let http = HttpClient::new(&access.tls).map_err(|error| {
            ForgeError::because(
                "reach the forge",
                ForgeErrorKind::Input("its certificates cannot be used".to_owned()),
                error,
            )
        })?;
        Ok(Self {
            http,
            api: api.into(),
            access,
            tokens: None,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            places: Semaphore::new(budget.at_once.max(1)),
            budget,
            clock,
            limits: Mutex::default(),
            before: Mutex::default(),
        })
    }

    /// The same, with tokens that are made anew instead of one that stays.
    pub fn with_tokens(mut self, tokens: Arc<dyn Tokens>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// How it is reached.
    pub fn access(&self) -> &ForgeAccess {
        &self.access
    }

    /// Sends a request and reads the answer. Reading is tried again where it fails, writing only where it surely had
    /// no effect.
    pub async fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ForgeError> {
        self.read(request, &self.send(request).await?)
    }

    /// Reads an answer.
    pub fn read<T: DeserializeOwned>(&self, request: &Request, answer: &Answer) -> Result<T, ForgeError> {
        serde_json::from_slice(&answer.bytes).map_err(|error| {
            let why = match answer.bytes.first() {
                Some(b'<') => "it is a page for people".to_owned(),
                // The cause repeats names of members at most, no values.
                Some(_) | None => error.to_string(),
            };
            ForgeError::new(&request.doing, ForgeErrorKind::Broken(why)).with_status(answer.status)
        })
    }

    /// All pages of a list, as long as the answers name a next one. `full` says when enough was read.
    pub async fn pages<T: DeserializeOwned>(
        &self,
        request: &Request,
        mut full: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let request = request.clone().with("page", page.to_string());
            let answer = self.send(&request).await?;
            all.extend(self.read::<Vec<T>>(&request, &answer)?);
            let has_next = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
            if !has_next || full(&all) {
                return Ok(all);
            }
        }
        let why = format!("the list has more than {PAGES} pages");
        Err(ForgeError::new(&request.doing, ForgeErrorKind::Broken(why)))
    }

    /// All pages of a list whose answers say in their own way where it goes on. `page` takes one apart: what it lists,
    /// and the request for the next one. `full` says when enough was read.
    pub async fn walk<P: DeserializeOwned, T>(
        &self,
        request: &Request,
        page: impl Fn(&Request, P) -> Result<(Vec<T>, Option<Request>), ForgeError> + Send + Sync,
        mut full: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        let mut request = request.clone();
        for _ in 0..PAGES {
            let (listed, next) = page(&request, self.ask(&request).await?)?;
            all.extend(listed);
            match next {
                Some(next) if !full(&all) => request = next,
                Some(_) | None => return Ok(all),
            }
        }
        let why = format!("the list has more than {PAGES} pages");
        Err(ForgeError::new(&request.doing, ForgeErrorKind::Broken(why)))
    }

    /// Sends a request. An answer that is no success is an error.
    pub async fn send(&self, request: &Request) -> Result<Answer, ForgeError> {
        let Ok(_place) = self.places.acquire().await else {
            return Err(ForgeError::new(&request.doing, ForgeErrorKind::Unreachable));
        };
        let mut tried = 0;
        loop {
            tried += 1;
            self.wait(request).await?;
            let error = match self.once(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = match error.kind() {
                // It has not arrived, or was turned away at the door.
                ForgeErrorKind::Unreachable | ForgeErrorKind::RateLimited { .. } => true,
                ForgeErrorKind::Failed(503) => true,
                ForgeErrorKind::Failed(_) | ForgeErrorKind::OutcomeUnknown => request.method.is_read(),
                // It was taken back before it ended.
                ForgeErrorKind::Unauthorized => self.tokens.is_some() && tried == 1,
                ForgeErrorKind::Forbidden { .. }
                | ForgeErrorKind::NotFound
                | ForgeErrorKind::AlreadyExists
                | ForgeErrorKind::HeadMoved
                | ForgeErrorKind::Conflict(_)
                | ForgeErrorKind::NotReady(_)
                | ForgeErrorKind::Refused(_)
                | ForgeErrorKind::Unsupported(_)
                | ForgeErrorKind::Broken(_)
                | ForgeErrorKind::Input(_) => false,
            };
            if !again || tried == TRIES {
                return Err(error);
            }
            tracing::debug!(%error, tried, "a forge is asked again");
            sleep(pause(tried)).await;
        }
    }

    /// Waits until the limits allow a request, if that is soon.
    async fn wait(&self, request: &Request) -> Result<(), ForgeError> {
        let now = self.clock.now();
        let Some(until) = self.limits().wait(&self.budget, request.method.is_read(), now) else {
            return Ok(());
        };
        let limited = || ForgeError::new(&request.doing, ForgeErrorKind::RateLimited { until });
        let wait = Duration::try_from(until.duration_since(now)).map_err(|_| limited())?;
        if wait > WAITS {
            return Err(limited());
        }
        sleep(wait).await;
        Ok(())
    }

    async fn once(&self, request: &Request) -> Result<Answer, ForgeError> {
        let target = request.target();
        let known = if request.method.is_read() { self.before().get(&target) } else { None };
        let mut headers = self.headers.clone();
        headers.extend(request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        if let Some(known) = &known {
            headers.push(("If-None-Match".to_owned(), known.tag.clone()));
        }
        let token = match &self.tokens {
            Some(tokens) => Some(tokens.token().await?),
            None => None,
        };
        let authorization = match &token {
            Some(token) => Some(Secret::new(format!("Bearer {}", token.expose()))),
            None => self.access.authorization.clone(),
        };
        let ask = Ask { headers, authorization: authorization.clone(), limit: MOST_BYTES, timeout: PATIENCE };
        let url = format!("{}{target}", self.api);
        let body = request.body.clone().map(Bytes::from);
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let sent = self.http.call(method, &url, body, &ask).await;
        let mut answer = sent.map_err(|error| unanswered(request, &error))?;
        let now = self.clock.now();
        self.limits().learn(&self.budget, &answer, now);
        if let (304, Some(known)) = (answer.status, known) {
            answer.status = 200;
            answer.bytes = known.bytes;
            answer.headers.retain(|(name, _)| name != "link");
            answer.headers.extend(known.link.map(|link| ("link".to_owned(), link)));
            return Ok(answer);
        }
        // Azure DevOps answers 203 with a page to sign in at.
        if (200..300).contains(&answer.status) && answer.status != 203 {
            if let Some(tag) = answer.header("etag").filter(|_| request.method.is_read()) {
                self.before().put(&target, tag, &answer.bytes, answer.header("link"));
            }
            return Ok(answer);
        }
        if let (401, Some(tokens), Some(token)) = (answer.status, &self.tokens, &token) {
            tokens.refused(token);
        }
        Err(self.failure(request, &answer, authorization.as_ref(), now))
    }

    fn failure(
        &self,
        request: &Request,
        answer: &Answer,
        authorization: Option<&Secret>,
        now: Timestamp,
    ) -> ForgeError {
        let said = words(&answer.bytes);
        let said = match authorization {
            Some(secret) => blotted(secret, &said),
            None => said,
        };
        let kind = match answer.status {
            _ if is_refusal(answer, &said) => {
                ForgeErrorKind::RateLimited { until: self.limits().refused(answer, now) }
            }
            203 | 401 => ForgeErrorKind::Unauthorized,
            403 => ForgeErrorKind::Forbidden { missing: missing(answer, &said), words: said },
            // GitHub hides a repository from a classic token that may not write in it.
            404 if !request.method.is_read() && missing_scope(answer).is_some() => {
                ForgeErrorKind::Forbidden { missing: missing_scope(answer), words: said }
            }
            404 | 410 => ForgeErrorKind::NotFound,
            409 => ForgeErrorKind::Conflict(said),
            300..=399 => ForgeErrorKind::Broken("it points to another address".to_owned()),
            // Whoever stands before the forge gave up waiting, or the forge failed on its way.
            500 | 502 | 504 if !request.method.is_read() => ForgeErrorKind::OutcomeUnknown,
            status @ 500.. => ForgeErrorKind::Failed(status),
            status if said.is_empty() => ForgeErrorKind::Refused(format!("it answers {status}")),
            _ => ForgeErrorKind::Refused(said),
        };
        ForgeError::new(&request.doing, kind).with_status(answer.status).with_code(code(&answer.bytes))
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before(&self) -> MutexGuard<'_, Before> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unanswered(request: &Request, error: &HttpError) -> ForgeError {
    let kind = match error.kind() {
        HttpErrorKind::Input(why) => ForgeErrorKind::Input(why.clone()),
        HttpErrorKind::Tls => ForgeErrorKind::Input("the certificates cannot be used".to_owned()),
        HttpErrorKind::Unreachable => ForgeErrorKind::Unreachable,
        HttpErrorKind::Interrupted | HttpErrorKind::Timeout if request.method.is_read() => {
            ForgeErrorKind::Unreachable
        }
        HttpErrorKind::Interrupted | HttpErrorKind::Timeout => ForgeErrorKind::OutcomeUnknown,
        HttpErrorKind::TooLarge { limit } => {
            ForgeErrorKind::Broken(format!("it is larger than {limit} bytes"))
        }
    };
    match causes(error) {
        Some(cause) => ForgeError::because(&request.doing, kind, cause),
        None => ForgeError::new(&request.doing, kind),
    }
}

/// What a forge says about a failure, in one line, from any of the shapes they use.
fn words(bytes: &[u8]) -> String {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { return String::new() };
    let mut said: Vec<String> = Vec::new();
    gather(&json, &mut said, 0);
    let mut text = String::new();
    for part in said {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        if part.is_empty() || text.contains(&part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&part);
    }
    if text.len() > MOST_WORDS {
        let end = (0..=MOST_WORDS).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn gather(json: &serde_json::Value, said: &mut Vec<String>, depth: usize) {
    const MEMBERS: [&str; 6] = ["message", "error_description", "error", "errors", "detail", "reason"];
    match json {
        serde_json::Value::String(text) => said.push(text.clone()),
        serde_json::Value::Array(parts) if depth < 4 => {
            parts.iter().take(8).for_each(|part| gather(part, said, depth + 1));
        }
        serde_json::Value::Object(members) if depth < 4 => {
            let known: Vec<_> = MEMBERS.iter().filter_map(|name| members.get(*name)).collect();
            let text = |name: &str| members.get(name).and_then(serde_json::Value::as_str);
            if let (true, Some(field), Some(code)) = (depth > 0, text("field"), text("code")) {
                // GitHub: `{"resource": "PullRequest", "field": "head", "code": "invalid"}`.
                said.push(format!("{field}: {}", code.replace('_', " ")));
            }
            if known.is_empty() && depth > 0 {
                // Such as `{"title": ["is too long"]}`.
                for (name, value) in members.iter().take(8) {
                    if let serde_json::Value::Array(parts) = value {
                        let parts = parts.iter().filter_map(serde_json::Value::as_str);
                        said.extend(parts.map(|part| format!("{name} {part}")));
                    }
                }
            }
            known.into_iter().for_each(|part| gather(part, said, depth + 1));
        }
        serde_json::Value::Array(_)
        | serde_json::Value::Object(_)
        | serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_) => {}
    }
}

/// The name of the exception, where the forge tells one.
fn code(bytes: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    // Azure DevOps: `typeKey`. Bitbucket Data Center: `errors[0].exceptionName`.
    let code = json.get("typeKey").or_else(|| json.pointer("/errors/0/exceptionName"))?;
    Some(code.as_str()?.chars().take(200).collect())
}

/// What the credentials lack, where the forge says it.
fn missing(answer: &Answer, words: &str) -> Option<String> {
    // GitHub, of apps and fine-grained tokens: `pull_requests=write`.
    if let Some(wanted) = answer.header("x-accepted-github-permissions") {
        return Some(format!("the permission {wanted}"));
    }
    if let Some(scope) = missing_scope(answer) {
        return Some(scope);
    }
    // Gitea: `required=[write:repository]`.
    if let Some((_, rest)) = words.split_once("required=[")
        && let Some((scopes, _)) = rest.split_once(']')
    {
        return Some(format!("the scope {scopes}"));
    }
    let json: serde_json::Value = serde_json::from_slice(&answer.bytes).ok()?;
    // Bitbucket Cloud: `{"error": {"detail": {"granted": ["account"], "required": ["pullrequest:write"]}}}`.
    if let Some(required) = json.pointer("/error/detail/required").and_then(serde_json::Value::as_array) {
        let scopes: Vec<&str> = required.iter().filter_map(serde_json::Value::as_str).collect();
        return Some(format!("the scope {}", scopes.join(" or ")));
    }
    // GitLab: `{"error": "insufficient_scope", "scope": "api"}`.
    match (json.get("error")?.as_str()?, json.get("scope")?.as_str()?) {
        ("insufficient_scope", scope) => Some(format!("the scope {scope}")),
        (_, _) => None,
    }
}

/// GitHub, of classic tokens: which scope would do, where the token has none of those.
fn missing_scope(answer: &Answer) -> Option<String> {
    let accepted = answer.header("x-accepted-oauth-scopes")?;
    let has: Vec<&str> = answer.header("x-oauth-scopes")?.split(',').map(str::trim).collect();
    let accepted: Vec<&str> = accepted.split(',').map(str::trim).filter(|scope| !scope.is_empty()).collect();
    let is_missing = !accepted.is_empty() && !accepted.iter().any(|scope| has.contains(scope));
    is_missing.then(|| format!("the scope {}", accepted.join(" or ")))
}

/// What a forge repeats of the credentials must not reach a log.
fn blotted(authorization: &Secret, text: &str) -> String {
    let whole = authorization.blot(text);
    match authorization.expose().split_once(' ') {
        Some((_, secret)) => Secret::new(secret).blot(&whole),
        None => whole,
    }
}

/// Longer after each try, and never the same for two.
fn pause(tried: u32) -> Duration {
    let usual = 200_u64 << tried.min(6);
    let more = RandomState::new().hash_one(0_u8) % usual;
    Duration::from_millis(usual / 2 + more / 2)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{missing, words};
    use crate::http::Answer;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(words(body.as_bytes()), expected);
    }

    #[test]
    fn the_words_are_found_in_every_shape() {
        check(r#"{"message": "head out of date", "url": "https://x/api/swagger"}"#, "head out of date");
        let github = r#"{"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for a:b."}]}"#;
        check(github, "Validation Failed; A pull request already exists for a:b.");
        check(
            r#"{"message": ["Another open merge request already exists: !3"]}"#,
            "Another open merge request already exists: !3",
        );
        check(r#"{"message": {"title": ["is too long"]}}"#, "title is too long");
        check(
            r#"{"error": {"message": "There are no changes to be pulled"}}"#,
            "There are no changes to be pulled",
        );
        let server = r#"{"errors": [{"context": null, "message": "Only one pull request may be open"}]}"#;
        check(server, "Only one pull request may be open");
        let field = r#"{"message": "Validation Failed", "errors": [{"resource": "Label", "code": "already_exists", "field": "name"}]}"#;
        check(field, "Validation Failed; name: already exists");
        check("<html>", "");
        assert!(words(format!("{{\"message\": \"{}\"}}", "é".repeat(900)).as_bytes()).len() < 510);
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = |headers: &[(&str, &str)], body: &'static str| {
            let headers =
                headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let answer = Answer { status: 403, headers, bytes: Bytes::from_static(body.as_bytes()) };
            missing(&answer, &words(body.as_bytes())).unwrap_or_default()
        };
        assert_eq!(
            told(&[("x-accepted-github-permissions", "pull_requests=write")], "{}"),
            "the permission pull_requests=write"
        );
        assert_eq!(
            told(&[("x-accepted-oauth-scopes", "repo"), ("x-oauth-scopes", "gist, user")], "{}"),
            "the scope repo"
        );
        assert_eq!(told(&[("x-accepted-oauth-scopes", "repo"), ("x-oauth-scopes", "repo")], "{}"), "");
        let gitea = r#"{"message": "token does not have at least one of required scope(s), required=[write:repository], token scope=read:repository"}"#;
        assert_eq!(told(&[], gitea), "the scope write:repository");
        assert_eq!(told(&[], r#"{"error": "insufficient_scope", "scope": "api"}"#), "the scope api");
    }
}
