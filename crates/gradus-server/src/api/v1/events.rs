//! Changes as they happen, on the wire.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use gradus_core::names::PipelineKey;
use gradus_engine::Looked;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::ToSchema;

use super::error::ErrorBody;
use super::verdict::Health;
use crate::api::{ApiError, Params};
use crate::app::App;
use crate::auth::{Caller, Deed};
use crate::feed::Listener;

/// The data of a `changed` event: a pipeline's report has changed, or the pipeline is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// The namespace of the pipeline.
    pub namespace: String,
    /// The pipeline.
    pub name: String,
    /// Whether it is no more.
    pub gone: bool,
    /// Each environment in short.
    pub environments: Vec<ChangedEnvironment>,
}

/// An environment in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedEnvironment {
    /// The environment.
    pub name: String,
    /// What it has, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it works.
    pub health: Health,
    /// The code of the reason that stands for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Changed {
    /// What a look found, in short.
    pub fn of(looked: &Looked) -> Self {
        let report = &looked.report;
        let environments = report.environments.iter().map(|here| ChangedEnvironment {
            name: here.name.to_string(),
            version: here.release().map(ToString::to_string),
            health: (&here.verdict.verdict).into(),
            reason: here.main_reason().map(|reason| reason.code().to_owned()),
        });
        Self {
            namespace: report.pipeline.namespace.to_string(),
            name: report.pipeline.name.to_string(),
            gone: false,
            environments: environments.collect(),
        }
    }

    /// A pipeline that is no more.
    pub(crate) fn gone(key: &PipelineKey) -> Self {
        Self {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            gone: true,
            environments: Vec::new(),
        }
    }
}

/// So often something is sent when nothing happens, so that nobody takes the silence for a broken line.
const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only this pipeline, `namespace/name`.
    pipeline: Option<String>,
}

/// Changes as they happen, as server-sent events.
///
/// A `changed` event has the short report of a pipeline as its data. A `missed`
/// event, with `{}` for data, says that some were missed: read again what you show. It
/// comes first when `Last-Event-ID` does not name the newest event. Comments are
/// heartbeats. The stream ends after an hour at the latest; connect again.
#[utoipa::path(get, path = "/api/v1/events", tag = "pipelines", operation_id = "listen",
    params(EventsQuery), security(("token" = [])),
    responses(
        (status = 200, description = "A stream of events", body = Changed, content_type = "text/event-stream"),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 503, description = "Too many listen already", body = ErrorBody),
    ))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<EventsQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    caller.may(Deed::Read)?;
    let only = match &query.pipeline {
        None => None,
        Some(text) => {
            let key = PipelineKey::parse(text).map_err(|error| ApiError::malformed(error.to_string()))?;
            Some(app.pipeline(key.namespace.as_str(), key.name.as_str())?.key.clone())
        }
    };
    let place = app
        .listeners
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::unavailable("too-many-listeners", "too many listen to events already"))?;
    let last_seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let listener = Listener::new(&app, only, last_seen, place);
    Ok(Sse::new(listener.stream()).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}
