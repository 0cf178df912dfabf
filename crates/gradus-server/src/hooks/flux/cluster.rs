//! The webhook for everything that Flux tells in a cluster: one address for each cluster.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use gradus_core::names::PipelineKey;
use gradus_core::pipeline::{Pipeline, TargetKind};
use tokio::time::Instant;

use super::super::keys::Owner;
use super::super::signature::believed;
use super::super::{Outcome, Taken, Understood};
use super::event::Event;
use crate::api::v1::ErrorBody;
use crate::api::{ApiError, not_json};
use crate::app::App;

/// Takes an event of the cluster that gradus runs in, about any object.
///
/// The pipelines that name the object are looked at soon. Nothing that the event
/// says is believed beyond that.
#[utoipa::path(post, path = "/hooks/flux", tag = "hooks", operation_id = "fluxOwnClusterEvent",
    params(
        ("X-Signature" = Option<String>, Header, description = "`sha256=` or `sha512=` and the HMAC of the body in hex digits"),
    ),
    request_body(content = serde_json::Value, description = "An event of event.toolkit.fluxcd.io", content_type = "application/json"),
    responses(
        (status = 202, description = "What was understood", body = Taken),
        (status = 400, description = "Not an event", body = ErrorBody),
        (status = 401, description = "Not signed, or not with the right key", body = ErrorBody),
        (status = 413, description = "The body is too long", body = ErrorBody),
        (status = 503, description = "The pipelines were not read yet: send it again", body = ErrorBody),
    ))]
pub(crate) async fn own(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    take(&app, None, request).await
}

/// Takes an event of another cluster, about any object: as for the own cluster.
#[utoipa::path(post, path = "/hooks/flux/{namespace}/{cluster}", tag = "hooks", operation_id = "fluxClusterEvent",
    params(
        ("namespace" = String, Path, description = "The namespace of the object that describes the cluster"),
        ("cluster" = String, Path, description = "The GitopsCluster, Cluster or Secret that describes it"),
        ("X-Signature" = Option<String>, Header, description = "`sha256=` or `sha512=` and the HMAC of the body in hex digits"),
    ),
    request_body(content = serde_json::Value, description = "An event of event.toolkit.fluxcd.io", content_type = "application/json"),
    responses(
        (status = 202, description = "What was understood", body = Taken),
        (status = 400, description = "Not an event", body = ErrorBody),
        (status = 401, description = "Not signed, or not with the right key", body = ErrorBody),
        (status = 404, description = "No pipeline has a target in such a cluster", body = ErrorBody),
        (status = 413, description = "The body is too long", body = ErrorBody),
        (status = 503, description = "The pipelines were not read yet: send it again", body = ErrorBody),
    ))]
pub(crate) async fn named(
    State(app): State<Arc<App>>,
    Path((namespace, cluster)): Path<(String, String)>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    take(&app, Some((namespace, cluster)), request).await
}

async fn take(
    app: &Arc<App>,
    cluster: Cluster,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let taken = understand(app, cluster, request).await;
    app.metrics.hook(match &taken {
        Ok(taken) => taken.understood.into(),
        Err(error) => Outcome::from(error),
    });
    Ok((StatusCode::ACCEPTED, Json(taken?)))
}

async fn understand(app: &Arc<App>, cluster: Cluster, request: Request) -> Result<Taken, ApiError> {
    let (parts, body) = request.into_parts();
    let owner = cluster.as_ref().map(|(namespace, name)| Owner::cluster(namespace, name));
    let body = believed(app, owner, &parts, body).await?;
    let event: Event = serde_json::from_slice(&body).map_err(|error| not_json(&error))?;
    app.were_read()?;
    let known = app.named.now(|| app.engine.pipelines());
    let Some(here) = known.get(&cluster) else {
        let Some((namespace, name)) = cluster else {
            return Ok(wake("no pipeline has a target in this cluster".to_owned()));
        };
        let message = format!("no pipeline has a target in a cluster {namespace}/{name}");
        return Err(ApiError::not_found("unknown-cluster", message)
            .with_help("name the object that the targets' clusterRef names: /hooks/flux/NAMESPACE/NAME"));
    };
    let about = &event.involved_object;
    let about = (about.kind.clone(), about.namespace.clone(), about.name.clone());
    let keys = here.get(&about).map(Vec::as_slice).unwrap_or_default();
    for key in keys {
        app.engine.wake(key);
    }
    Ok(wake(match keys {
        [] => format!("no pipeline names {}", event.object()),
        [key] => format!("{key} is looked at soon"),
        more => format!("{} pipelines are looked at soon", more.len()),
    }))
}

fn wake(words: String) -> Taken {
    Taken { understood: Understood::Wake, release: None, words }
}

/// The object that describes a cluster, by namespace and name; none for the own one.
type Cluster = Option<(String, String)>;
/// An object by kind, namespace and name.
type Object = (String, String, String);
type Known = HashMap<Cluster, HashMap<Object, Vec<PipelineKey>>>;

/// Which pipelines name which objects. Who has a new target is looked at anyway, so
/// that this need not be of the very moment; and a thousand events a second must not
/// each go through all pipelines.
#[derive(Default)]
pub(crate) struct Named(Mutex<Option<(Instant, Arc<Known>)>>);

/// How old what is known may be.
const FRESH: Duration = Duration::from_secs(1);

impl Named {
    fn now(&self, pipelines: impl FnOnce() -> Vec<Arc<Pipeline>>) -> Arc<Known> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = &*known
            && at.elapsed() < FRESH
        {
            return known.clone();
        }
        let fresh = Arc::new(know(&pipelines()));
        *known = Some((Instant::now(), fresh.clone()));
        fresh
    }
}

fn know(pipelines: &[Arc<Pipeline>]) -> Known {
    let mut known = Known::new();
    for pipeline in pipelines {
        let targets = pipeline.environments().iter().flat_map(|environment| &environment.targets);
        for target in targets {
            let target = match &target.kind {
                TargetKind::Cluster(target) => target,
                TargetKind::Report | TargetKind::Http(_) | TargetKind::Git => continue,
            };
            let cluster = target.cluster.as_ref();
            let cluster = cluster.map(|cluster| (cluster.namespace.to_string(), cluster.name.to_string()));
            let objects = known.entry(cluster).or_default();
            let Some(object) = &target.object else { continue };
            let object = (object.kind.to_string(), target.namespace.to_string(), object.name.to_string());
            let keys = objects.entry(object).or_default();
            if keys.last() != Some(&pipeline.key) {
                keys.push(pipeline.key.clone());
            }
        }
    }
    known
}
