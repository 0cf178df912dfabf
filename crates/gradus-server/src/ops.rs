//! Probes and figures, at addresses of their own: what a cluster asks of a
//! controller, without the API beside it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use gradus_engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::health::Readiness;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::server::{ServerError, connection};
use crate::weave::BindAddress;

/// What is missing until the controller can do its work; nothing when it is ready.
pub type Missing = Arc<dyn Fn() -> Vec<String> + Send + Sync>;
/// Whether this replica leads.
pub type Leads = Arc<dyn Fn() -> bool + Send + Sync>;
/// Figures of others, in the text format of Prometheus.
pub type Figures = Arc<dyn Fn() -> String + Send + Sync>;

/// What is answered.
pub enum Ops {
    /// `/healthz` and `/readyz`.
    Probes(Missing),
    /// `/metrics`.
    Metrics {
        /// Whose pipelines are counted.
        engine: Arc<Engine>,
        /// What is counted.
        metrics: Arc<Metrics>,
        /// The version of gradus.
        version: String,
        /// Whether this replica leads.
        leads: Leads,
        /// What others count.
        more: Figures,
    },
}

/// An address that was taken, and answers nobody yet.
pub struct OpsBound {
    listener: TcpListener,
    listens_on: SocketAddr,
    router: Router,
}

impl Ops {
    /// Takes the address.
    pub async fn bind(self, listen: BindAddress) -> Result<OpsBound, ServerError> {
        let (listener, listens_on) = crate::weave::take(listen).await?;
        Ok(OpsBound { listener, listens_on, router: self.router() })
    }

    fn router(self) -> Router {
        match self {
            Self::Probes(missing) => Router::new()
                .route("/healthz", get(|| async { "ok" }))
                .route("/readyz", get(ready))
                .with_state(missing),
            Self::Metrics { engine, metrics, version, leads, more } => {
                let text = move || {
                    let mut text = metrics.text(&engine, &version, 0);
                    text.push_str(&metrics.of_a_controller(leads()));
                    text.push_str(&more());
                    async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text) }
                };
                Router::new().route("/metrics", get(text))
            }
        }
    }
}

impl OpsBound {
    /// The address that was taken; with its port, if any would do.
    pub fn local_addr(&self) -> SocketAddr {
        self.listens_on
    }

    /// Answers until `shutdown` is done.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let (stop, _stopped) = watch::channel(false);
        let router = self.router;
        let for_peer = |_peer| router.clone();
        connection::serve_all(&self.listener, None, for_peer, &Limits::default(), stop, shutdown).await;
    }
}

async fn ready(State(missing): State<Missing>) -> impl IntoResponse {
    let missing = missing();
    let ready = missing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, missing }))
}
