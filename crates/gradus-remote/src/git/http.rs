//! Smart HTTP: two services under one base address, credentials only for its host.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{
    Credentials, Limits, RemoteOptions, SshFault,
    error::{Fault, Outcome},
    transport::Service,
};
use crate::{
    Secret,
    forge::{ForgeError, ForgeErrorKind, github::Installation, token::Tokens as _},
    git::GitErrorKind,
};

/// Hosts tell Git's own traffic by this start.
const AGENT: &str = concat!("git/gradus-", env!("CARGO_PKG_VERSION"));
/// Bytes of an error page that are read.
const ERROR_PAGE: usize = 4096;

pub(super) struct Host {
    client: Client,
    credentials: Credentials,
    /// The credentials as they are sent.
    authorization: Option<HeaderValue>,
    /// Where the credentials are of an app, whose tokens end.
    app: Option<Installation>,
    limits: Limits,
    given: Url,
    /// Where the repository turned out to be, after redirects on the same host.
    base: Mutex<Url>,
}

impl Host {
    pub(super) fn new(url: &Url, options: &RemoteOptions) -> Outcome<Self> {
        let nobody = options.credentials == Credentials::None && options.app.is_none();
        if nobody && options.ssh.is_some() {
            return Err(SshFault::OnlyKey.into());
        }
        let client = crate::http::client(AGENT, options.limits.connect, &options.tls).map_err(|source| {
            Fault::caused(GitErrorKind::Local("TLS cannot be set up".to_owned()), source)
        })?;
        let authorization = authorization(&client, url, &options.credentials)?;
        let app = options.app.as_ref();
        let app = app.map(|app| Installation::of_git(app, url.as_str(), options.tls.clone()));
        Ok(Self {
            app: app.transpose().map_err(of_app)?,
            client,
            authorization,
            credentials: options.credentials.clone(),
            limits: options.limits.clone(),
            given: url.clone(),
            base: Mutex::new(url.clone()),
        })
    }

    pub(super) async fn advertisement(&self, service: Service, v2: bool) -> Outcome<Response> {
        let mut base = self.given.clone();
        for _ in 0..=self.limits.redirects {
            let mut url = below(&base, "info/refs");
            url.set_query(Some(&format!("service={}", service.name())));
            let response = self.traced(Method::GET, &url, self.client.get(url.clone()), v2).await?;
            if !response.status().is_redirection() {
                let response = self.accept(response, service, "advertisement").await?;
                *self.base.lock().unwrap_or_else(PoisonError::into_inner) = base;
                return Ok(response);
            }
            base = self.follow(&url, &response)?;
        }
        Err(GitErrorKind::Redirected("one more place on the same host".to_owned()).into())
    }

    pub(super) async fn request(&self, service: Service, v2: bool, body: Bytes) -> Outcome<Response> {
        let base = self.base.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let url = below(&base, service.name());
        let name = service.name();
        let request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, format!("application/x-{name}-request"))
            .header(ACCEPT, format!("application/x-{name}-result"))
            .body(body);
        let response = self.traced(Method::POST, &url, request, v2).await?;
        if response.status().is_redirection() {
            let to = location(&url, &response).map_or_else(|| "nowhere".to_owned(), |to| self.place(&to));
            return Err(GitErrorKind::Redirected(to).into());
        }
        self.accept(response, service, "result").await
    }

    /// Sends it in the span of a request, which ends with the head of the answer.
    async fn traced(
        &self,
        method: Method,
        url: &Url,
        request: RequestBuilder,
        v2: bool,
    ) -> Outcome<Response> {
        let span = crate::http::request_span(&method, url);
        let response = self.send(request, v2).instrument(span.clone()).await;
        crate::http::answered(&span, response.as_ref().ok().map(|response| response.status().as_u16()));
        response
    }

    async fn send(&self, request: RequestBuilder, v2: bool) -> Outcome<Response> {
        let request = match (&self.app, &self.authorization) {
            (Some(app), _) => {
                let token = app.token().await.map_err(of_app)?;
                request.basic_auth("x-access-token", Some(token.expose()))
            }
            (None, Some(value)) => request.header(AUTHORIZATION, value.clone()),
            (None, None) => request,
        };
        let request = if v2 { request.header("Git-Protocol", "version=2") } else { request };
        let Ok(sent) = timeout(self.limits.response, request.send()).await else {
            return Err(GitErrorKind::Timeout("waiting for an answer").into());
        };
        sent.map_err(|source| {
            let kind =
                if source.is_connect() { GitErrorKind::Unreachable } else { GitErrorKind::Interrupted };
            Fault::caused(kind, source.without_url())
        })
    }

    /// The base address a redirect leads to, if it stays on the host that may have our credentials.
    fn follow(&self, from: &Url, response: &Response) -> Outcome<Url> {
        let Some(mut to) = location(from, response) else {
            return Err(Fault::protocol("a redirect that leads nowhere"));
        };
        let same_port = from.port_or_known_default() == to.port_or_known_default();
        let upgrade =
            (from.scheme(), to.scheme()) == ("http", "https") && from.port().is_none() && to.port().is_none();
        let same = from.host_str() == to.host_str() && (from.scheme() == to.scheme() && same_port || upgrade);
        let path = to.path().strip_suffix("/info/refs").map(str::to_owned);
        match path {
            Some(path) if same && to.username().is_empty() && to.password().is_none() => {
                to.set_path(&path);
                to.set_query(None);
                to.set_fragment(None);
                Ok(to)
            }
            _ => Err(GitErrorKind::Redirected(self.place(&to)).into()),
        }
    }

    async fn accept(&self, response: Response, service: Service, part: &str) -> Outcome<Response> {
        match response.status() {
            StatusCode::OK => {
                let wanted = format!("application/x-{}-{part}", service.name());
                let kind = response
                    .headers()
                    .get(CONTENT_TYPE)
                    .and_then(|kind| kind.to_str().ok())
                    .unwrap_or("nothing");
                if kind.split(';').next() == Some(&wanted) {
                    return Ok(response);
                }
                let kind: String = self.clean(kind.as_bytes()).chars().take(100).collect();
                Err(Fault::protocol(format!("it is {kind}, not {wanted}")))
            }
            StatusCode::UNAUTHORIZED => Err(GitErrorKind::Unauthorized.into()),
            StatusCode::FORBIDDEN => Err(GitErrorKind::Forbidden(self.page(response).await).into()),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(GitErrorKind::RepositoryMissing.into()),
            status => {
                let page = self.page(response).await;
                let text = if page.is_empty() { status.to_string() } else { format!("{status}: {page}") };
                let kind = if status.is_client_error() {
                    GitErrorKind::Refused(text)
                } else {
                    GitErrorKind::HostFailed(text)
                };
                Err(kind.into())
            }
        }
    }

    /// What the host says, without our secret, whether it says it as we know it or as it was sent.
    fn clean(&self, text: &[u8]) -> String {
        let sent = self.authorization.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.credentials.clean(Secret::new(sent).blot(&String::from_utf8_lossy(text)).as_bytes())
    }

    /// Where a redirect leads, without anything that could be a secret.
    fn place(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        self.clean(format!("{}://{host}{port}{}", url.scheme(), url.path()).as_bytes())
    }

    /// The start of an error page, where it is text for people.
    async fn page(&self, mut response: Response) -> String {
        let plain = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
        let mut page = Vec::new();
        let read = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                let room = ERROR_PAGE.saturating_sub(page.len()).min(chunk.len());
                page.extend_from_slice(&chunk[..room]);
                if room < chunk.len() {
                    break;
                }
            }
        };
        if plain && timeout(self.limits.stall, read).await.is_ok() {
            return self.clean(&page);
        }
        String::new()
    }
}

fn authorization(client: &Client, url: &Url, credentials: &Credentials) -> Outcome<Option<HeaderValue>> {
    let request = client.get(url.clone());
    let request = match credentials {
        Credentials::None => request,
        Credentials::Basic { user, password } => request.basic_auth(user, Some(password.expose())),
        Credentials::Bearer(token) => request.bearer_auth(token.expose()),
    };
    let built = request.build().map_err(|_| Fault::input("the credentials cannot be put into a header"))?;
    Ok(built.headers().get(AUTHORIZATION).cloned())
}

/// An app that gets no token.
fn of_app(error: ForgeError) -> Fault {
    let kind = match error.kind() {
        ForgeErrorKind::Unauthorized => GitErrorKind::Unauthorized,
        ForgeErrorKind::Unreachable | ForgeErrorKind::OutcomeUnknown => GitErrorKind::Unreachable,
        ForgeErrorKind::Input(why) => GitErrorKind::Input(why.clone()),
        ForgeErrorKind::Failed(_) | ForgeErrorKind::RateLimited { .. } | ForgeErrorKind::NotReady(_) => {
            GitErrorKind::HostFailed(error.to_string())
        }
        ForgeErrorKind::Forbidden { .. }
        | ForgeErrorKind::NotFound
        | ForgeErrorKind::AlreadyExists
        | ForgeErrorKind::HeadMoved
        | ForgeErrorKind::Conflict(_)
        | ForgeErrorKind::Refused(_)
        | ForgeErrorKind::Unsupported(_)
        | ForgeErrorKind::Broken(_) => GitErrorKind::Forbidden(error.to_string()),
    };
    Fault::caused(kind, error)
}

fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{name}", base.path()));
    url
}

fn location(from: &Url, response: &Response) -> Option<Url> {
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}
