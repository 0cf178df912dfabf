//! The server: an address, the endpoints behind it, and how it starts and stops.

pub(crate) mod connection;
mod error;
mod hooks;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use gradus_core::names::PipelineKey;
use gradus_engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, broadcast, watch};
use tracing::Instrument as _;

use crate::api::{self, ApiError};
use crate::app::App;
use crate::auth::{Tokens, guard, identify};
use crate::feed::Feed;
use crate::hooks::HookKeySource;
use crate::hooks::flux::cluster::Named;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::port::{Holds, Problems, Proposals, Repositories};
use crate::spans::{self, JoinTrace};

pub use error::{ServerError, ServerErrorKind};
use hooks::HooksBound;
pub use hooks::HooksListener;
pub use tls::{ServerTls, TlsError, TlsErrorKind, TlsFiles};

/// What a server is made of.
pub struct ServerOptions {
    /// The address to listen on. Without tokens it must be a loopback address.
    pub listen: SocketAddr,
    /// What it serves.
    pub engine: Arc<Engine>,
    /// Who may ask.
    pub tokens: Arc<Tokens>,
    /// What webhooks are signed with.
    pub hook_keys: HookKeySource,
    /// Where else the webhooks listen, and nothing but they.
    pub hooks: Option<HooksListener>,
    /// Where holds are written.
    pub holds: Arc<dyn Holds>,
    /// Where proposals are listed.
    pub proposals: Arc<dyn Proposals>,
    /// What became of reading the manifests.
    pub problems: Arc<dyn Problems>,
    /// What hears of what forges tell.
    pub repositories: Arc<dyn Repositories>,
    /// The version of gradus.
    pub version: String,
    /// What is counted. The engine's driver counts into the same.
    pub metrics: Arc<Metrics>,
    /// How a webhook becomes part of its sender's trace, where there are traces.
    pub join_trace: Option<JoinTrace>,
    /// The bounds of what comes from outside.
    pub limits: Limits,
    /// What it proves with who it is; plain HTTP without.
    pub tls: Option<ServerTls>,
}

/// Serves the API and the webhooks.
pub struct Server;

/// A server that has its address and answers nobody yet.
pub struct Bound {
    listener: TcpListener,
    tls: Option<ServerTls>,
    app: Arc<App>,
    router: Router,
    changes: broadcast::Receiver<PipelineKey>,
    hooks: Option<HooksBound>,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Takes the address. An address that others can reach is refused as long as there is no token to ask for.
    pub async fn bind(options: ServerOptions) -> Result<Bound, ServerError> {
        let listen = options.listen;
        if !listen.ip().to_canonical().is_loopback() && options.tokens.is_empty() {
            return Err(ServerError::new(listen, ServerErrorKind::OpenToOthers));
        }
        let listener = TcpListener::bind(listen).await.map_err(|cause| ServerError::bind(listen, cause))?;
        let listens_on = listener.local_addr().map_err(|cause| ServerError::bind(listen, cause))?;
        let (stop, stopped) = watch::channel(false);
        let changes = options.engine.subscribe();
        let now = options.engine.ports().clock.now();
        let listeners = Arc::new(Semaphore::new(options.limits.listeners));
        let app = |listens_on| App {
            engine: options.engine.clone(),
            tokens: options.tokens.clone(),
            hook_keys: options.hook_keys.clone(),
            named: Named::default(),
            holds: options.holds.clone(),
            proposals: options.proposals.clone(),
            problems: options.problems.clone(),
            repositories: options.repositories.clone(),
            metrics: options.metrics.clone(),
            join_trace: options.join_trace,
            version: options.version.clone(),
            limits: options.limits,
            listens_on,
            feed: Feed::new(now),
            listeners: listeners.clone(),
            stop: stopped.clone(),
        };
        let hooks = match options.hooks {
            Some(listener) => Some(HooksBound::bind(listener, app).await?),
            None => None,
        };
        let app = Arc::new(app(listens_on));
        let router = router(app.clone());
        Ok(Bound { listener, tls: options.tls, app, router, changes, hooks, stop })
    }
}

impl Bound {
    /// The address that was taken; with its port, if any would do.
    pub fn local_addr(&self) -> SocketAddr {
        self.app.listens_on
    }

    /// The address of the webhooks alone, if they have one.
    pub fn hooks_addr(&self) -> Option<SocketAddr> {
        self.hooks.as_ref().map(HooksBound::local_addr)
    }

    /// Answers until `shutdown` is done. Then nobody new is let in, streams of
    /// events end, and requests that are under way may end in time.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        let Self { listener, tls, app, router, changes, hooks, stop } = self;
        let feed = app.clone();
        let telling = tokio::spawn(async move { feed.feed.run(&feed.engine, changes).await });
        let mut stopped = stop.subscribe();
        let hooking = async {
            if let Some(hooks) = hooks {
                hooks.serve(async move { drop(stopped.wait_for(|stop| *stop).await) }).await;
            }
        };
        let answering = connection::serve_all(
            &listener,
            tls.as_ref(),
            |_peer| router.clone(),
            &app.limits,
            stop,
            shutdown,
        );
        tokio::join!(answering, hooking);
        telling.abort();
        Ok(())
    }
}

fn router(app: Arc<App>) -> Router {
    let (asking, public, _) = api::routes();
    asking
        .layer(from_fn_with_state(app.clone(), identify))
        .merge(public)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

/// What is so for every answer: it comes in time, is counted, and is not kept by anybody on the way.
async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let span = spans::webhook(&request, app.join_trace);
    let answering = next.run(request).instrument(span.clone());
    let answer = tokio::time::timeout(app.limits.request, answering).await;
    let mut answer = answer.unwrap_or_else(|_| {
        ApiError::unavailable("took-too-long", "the answer took too long")
            .with_help("it may or may not have been done; saying the same again does no harm")
            .into_response()
    });
    app.metrics.answered(answer.status());
    spans::answered(&span, answer.status());
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

async fn no_such_path() -> ApiError {
    ApiError::not_found("unknown-path", "there is nothing at this address")
        .with_help("GET /api/v1/openapi.json lists what there is")
}

async fn no_such_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "the address does not take this method",
    )
    .with_help("GET /api/v1/openapi.json lists what there is")
}
