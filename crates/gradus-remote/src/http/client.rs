use std::{error::Error, fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, RequestBuilder, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{AGENT, Tls, answered, request_span};
use crate::Secret;

/// A client for one answer at a time: no redirect is followed, and every answer is bounded in size and time.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

/// What is sent besides the address and the body, and how much is taken for an answer.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Headers; none of them secret.
    pub headers: Vec<(String, String)>,
    /// The value of the `Authorization` header.
    pub authorization: Option<Secret>,
    /// The most bytes of an answer's body.
    pub limit: u64,
    /// The most time from the first to the last byte.
    pub timeout: Duration,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            authorization: None,
            limit: 1024 * 1024,
            timeout: Duration::from_secs(15),
        }
    }
}

/// What a host answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers that are text, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub bytes: Bytes,
}

impl Answer {
    /// The first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl HttpClient {
    /// A client that trusts these authorities besides those of the system.
    pub fn new(tls: &Tls) -> Result<Self, HttpError> {
        let client = super::client(AGENT, Duration::from_secs(10), tls)
            .map_err(|source| HttpError::new("set up the HTTP client", HttpErrorKind::Tls, source))?;
        Ok(Self(client))
    }

    /// Asks for what is at this address.
    pub async fn get(&self, url: &str, ask: &Ask) -> Result<Answer, HttpError> {
        let url = address(url)?;
        let doing = format!("get {}", shown(&url));
        traced(&Method::GET, &url, send(self.0.get(url.clone()), ask, &doing)).await
    }

    /// Sends JSON to this address.
    pub async fn post_json(&self, url: &str, json: impl Into<Bytes>, ask: &Ask) -> Result<Answer, HttpError> {
        self.post(url, "application/json", json, ask).await
    }

    /// Sends something to this address, and says what it is.
    pub async fn post(
        &self,
        url: &str,
        content_type: &'static str,
        body: impl Into<Bytes>,
        ask: &Ask,
    ) -> Result<Answer, HttpError> {
        let url = address(url)?;
        let doing = format!("post to {}", shown(&url));
        let request = self.0.post(url.clone()).header(CONTENT_TYPE, content_type).body(body.into());
        traced(&Method::POST, &url, send(request, ask, &doing)).await
    }

    /// Sends what others have written, with headers that may be secret. It leaves no span: this is how spans are sent.
    pub async fn post_untraced(
        &self,
        url: &str,
        headers: &[(String, Secret)],
        body: Bytes,
        ask: &Ask,
    ) -> Result<Answer, HttpError> {
        let url = address(url)?;
        let doing = format!("post to {}", shown(&url));
        let mut request = self.0.post(url).body(body);
        for (name, value) in headers {
            let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value.expose()).ok());
            let Some((name, mut value)) = header else {
                let why = format!("{name:?} cannot be sent as a header");
                return Err(HttpError::bare(doing, HttpErrorKind::Input(why)));
            };
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        send(request, ask, &doing).await
    }

    /// Makes a request by any method, with JSON where there is a body.
    pub(crate) async fn call(
        &self,
        method: Method,
        url: &str,
        json: Option<Bytes>,
        ask: &Ask,
    ) -> Result<Answer, HttpError> {
        let url = address(url)?;
        let doing = format!("{} {}", method.as_str().to_ascii_lowercase(), shown(&url));
        let mut request = self.0.request(method.clone(), url.clone());
        if let Some(json) = json {
            request = request.header(CONTENT_TYPE, "application/json").body(json);
        }
        traced(&method, &url, send(request, ask, &doing)).await
    }

    /// Asks for what is at this address to be taken away.
    pub async fn delete(&self, url: &str, ask: &Ask) -> Result<Answer, HttpError> {
        let url = address(url)?;
        let doing = format!("delete {}", shown(&url));
        traced(&Method::DELETE, &url, send(self.0.delete(url.clone()), ask, &doing)).await
    }
}

/// The same, in the span of a request.
async fn traced(
    method: &Method,
    url: &Url,
    sending: impl Future<Output = Result<Answer, HttpError>>,
) -> Result<Answer, HttpError> {
    let span = request_span(method, url);
    let answer = sending.instrument(span.clone()).await;
    answered(&span, answer.as_ref().ok().map(|answer| answer.status));
    answer
}

fn address(text: &str) -> Result<Url, HttpError> {
    // The text is not repeated: it may hold a password.
    let refuse = |why: &str| Err(HttpError::bare("take the address", HttpErrorKind::Input(why.to_owned())));
    match Url::parse(text) {
        Err(_) => refuse("it is not an address such as https://host/path"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => refuse("it holds credentials"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => refuse("it is neither http:// nor https://"),
        Ok(url) => Ok(url),
    }
}

/// The address without its query, which may hold a token.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

async fn send(mut request: RequestBuilder, ask: &Ask, doing: &str) -> Result<Answer, HttpError> {
    for (name, value) in &ask.headers {
        let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let Some((name, value)) = header else {
            return Err(HttpError::bare(
                doing,
                HttpErrorKind::Input(format!("{name:?} cannot be sent as a header")),
            ));
        };
        request = request.header(name, value);
    }
    if let Some(secret) = &ask.authorization {
        let Ok(mut value) = HeaderValue::try_from(secret.expose()) else {
            let why = "the credentials cannot be sent as a header".to_owned();
            return Err(HttpError::bare(doing, HttpErrorKind::Input(why)));
        };
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    match timeout(ask.timeout, receive(request, ask.limit, doing)).await {
        Ok(answer) => answer,
        Err(_) => Err(HttpError::bare(doing, HttpErrorKind::Timeout)),
    }
}

async fn receive(request: RequestBuilder, limit: u64, doing: &str) -> Result<Answer, HttpError> {
    let broken = |source: reqwest::Error| {
        let kind = if source.is_connect() { HttpErrorKind::Unreachable } else { HttpErrorKind::Interrupted };
        HttpError::new(doing, kind, source.without_url())
    };
    let too_large = || HttpError::bare(doing, HttpErrorKind::TooLarge { limit });
    let mut response = request.send().await.map_err(broken)?;
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = response.headers().iter().filter_map(text).collect();
    Ok(Answer { status: response.status().as_u16(), headers, bytes: bytes.freeze() })
}

/// Why there is no answer.
#[derive(Debug)]
pub struct HttpError {
    doing: String,
    kind: HttpErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kept an answer away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// What was to be sent cannot be.
    Input(String),
    /// The certificates given cannot be used.
    Tls,
    /// No connection to the host; nothing was sent.
    Unreachable,
    /// The connection broke; the request may have had its effect.
    Interrupted,
    /// Time ran out; the request may have had its effect.
    Timeout,
    /// The answer is larger than allowed.
    TooLarge {
        /// The most bytes that are taken.
        limit: u64,
    },
}

impl HttpError {
    fn new(
        doing: impl Into<String>,
        kind: HttpErrorKind,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self { doing: doing.into(), kind, source: Some(Box::new(source)) }
    }

    fn bare(doing: impl Into<String>, kind: HttpErrorKind) -> Self {
        Self { doing: doing.into(), kind, source: None }
    }

    /// What kept the answer away, for deciding what to do next.
    pub fn kind(&self) -> &HttpErrorKind {
        &self.kind
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: ", self.doing)?;
        match &self.kind {
            HttpErrorKind::Input(why) => f.write_str(why),
            HttpErrorKind::Tls => f.write_str("the certificates cannot be used"),
            HttpErrorKind::Unreachable => f.write_str("the host cannot be reached"),
            HttpErrorKind::Interrupted => f.write_str("the connection broke"),
            HttpErrorKind::Timeout => f.write_str("it took too long"),
            HttpErrorKind::TooLarge { limit } => write!(f, "the answer is larger than {limit} bytes"),
        }
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
