//! Sends requests to one forge, within its limits.

mod said;

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

use self::said::{code, missing, missing_scope, words};
use super::error::{ForgeError, ForgeErrorKind};
use super::limit::{Before, Limits, is_refusal};
use super::request::{Method, Request};
use super::survey::Left;
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

    /// How much the forge still takes, as its last answer said.
    pub fn left(&self) -> Option<Left> {
        self.limits().left()
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
        let asked = request.query.iter().find(|(name, _)| ["per_page", "limit"].contains(name));
        let asked: Option<usize> = asked.and_then(|(_, number)| number.parse().ok());
        for page in 1..=PAGES {
            let request = request.clone().with("page", page.to_string());
            let answer = self.send(&request).await?;
            let listed = self.read::<Vec<T>>(&request, &answer)?;
            // Where the answer is as before, its header may be, too: a page that is full need not be the last one.
            let is_full = asked.is_some_and(|asked| listed.len() >= asked);
            all.extend(listed);
            let has_next = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
            if !(has_next || is_full) || full(&all) {
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
            // A page can be as before although there is one after it now.
            if answer.header("link").is_none() {
                answer.headers.extend(known.link.map(|link| ("link".to_owned(), link)));
            }
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
