//! Whether the server is alive and ready, and what it counts.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use gradus_core::names::PipelineKey;
use gradus_engine::port::ledger::HistoryQuery;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;

/// How long the ledger may take to answer.
const LEDGER_WITHIN: Duration = Duration::from_secs(5);

/// Whether the server is ready, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether nothing is missing.
    pub ready: bool,
    /// What is missing.
    pub missing: Vec<String>,
}

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "server", operation_id = "alive",
    responses((status = 200, description = "It is alive", body = String, content_type = "text/plain")))]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether the ledger answers and the manifests were read once.
#[utoipa::path(get, path = "/readyz", tag = "server", operation_id = "ready",
    responses(
        (status = 200, description = "Nothing is missing", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness),
    ))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Readiness>) {
    let mut missing = Vec::new();
    if !app.problems.were_read() {
        missing.push("the manifests were not read yet".to_owned());
    }
    if let Err(why) = ledger_answers(&app).await {
        missing.push(why);
    }
    let ready = missing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, missing }))
}

async fn ledger_answers(app: &App) -> Result<(), String> {
    // Any pipeline will do: what is asked is whether there is an answer.
    let any = app.engine.pipelines().first().map(|pipeline| pipeline.key.clone());
    let Some(key) = any.or_else(|| PipelineKey::parse("default/none").ok()) else { return Ok(()) };
    let query = HistoryQuery { limit: 1, ..HistoryQuery::default() };
    match tokio::time::timeout(LEDGER_WITHIN, app.engine.ports().ledger.history(&key, &query)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(error = error.in_full(), "the ledger does not answer");
            Err(format!("the ledger: {error}"))
        }
        Err(_) => Err("the ledger: no answer in time".to_owned()),
    }
}

/// Counters for Prometheus. They name no pipeline, and nobody has to say who they are.
#[utoipa::path(get, path = "/metrics", tag = "server", operation_id = "metrics",
    responses((status = 200, description = "Text format 0.0.4", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let listening = app.limits.listeners.saturating_sub(app.listeners.available_permits());
    let text = app.metrics.text(&app.engine, &app.version, listening);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
