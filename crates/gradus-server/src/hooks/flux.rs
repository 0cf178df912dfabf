//! The webhook for Flux's notification-controller, and for its controllers themselves.

#![expect(unused_qualifications, reason = "the macro that describes an endpoint writes them")]

pub(crate) mod cluster;
mod event;
mod meaning;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use gradus_core::names::{EnvironmentName, Person, TargetName};
use gradus_core::pipeline::{Pipeline, TargetKind};
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::ledger::Reported;
use serde::Deserialize;
use utoipa::IntoParams;

use super::keys::Owner;
use super::signature::believed;
use super::{Outcome, Taken, Understood};
use crate::api::v1::{ErrorBody, report::CLOCK_AHEAD};
use crate::api::{self, ApiError, Params, not_json};
use crate::app::App;
use event::Event;
use meaning::Meaning;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FluxQuery {
    /// Only events of this HelmRelease, `namespace/name`, are reports. Needed where the Alert has more than one in its sources.
    release: Option<String>,
    /// With `true` a release is healthy when its tests have passed, not before. For HelmReleases that have tests turned on.
    tests: Option<bool>,
}

/// Takes an event of Flux, about the only target of an environment that reports.
///
/// Every event is a wake. An event of a HelmRelease is also the report of a
/// target that reports: what was installed, upgraded or tested is healthy at the
/// event's revision; what failed has failed; what was rolled back is never
/// healthy. Everything else, a Kustomization's green tick among it, is only a
/// wake: what was applied may still not work.
#[utoipa::path(post, path = "/hooks/flux/{namespace}/{pipeline}/{environment}", tag = "hooks", operation_id = "fluxEvent",
    params(
        ("namespace" = String, Path, description = "The namespace of the pipeline"),
        ("pipeline" = String, Path, description = "The pipeline"),
        ("environment" = String, Path, description = "The environment"),
        ("X-Signature" = Option<String>, Header, description = "`sha256=` or `sha512=` and the HMAC of the body in hex digits"),
        FluxQuery,
    ),
    request_body(content = serde_json::Value, description = "An event of event.toolkit.fluxcd.io", content_type = "application/json"),
    responses(
        (status = 202, description = "What was understood", body = Taken),
        (status = 400, description = "Not an event, or one from the future", body = ErrorBody),
        (status = 401, description = "Not signed, or not with the right key", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment or target", body = ErrorBody),
        (status = 413, description = "The body is too long", body = ErrorBody),
        (status = 503, description = "It could not be recorded: send it again", body = ErrorBody),
    ))]
pub(crate) async fn environment(
    State(app): State<Arc<App>>,
    Path((namespace, pipeline, environment)): Path<(String, String, String)>,
    query: Result<Params<FluxQuery>, ApiError>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let place = Place { namespace, pipeline, environment, target: None };
    take(&app, place, query, request).await
}

/// Takes an event of Flux, about one target of an environment.
#[utoipa::path(post, path = "/hooks/flux/{namespace}/{pipeline}/{environment}/{target}", tag = "hooks", operation_id = "fluxTargetEvent",
    params(
        ("namespace" = String, Path, description = "The namespace of the pipeline"),
        ("pipeline" = String, Path, description = "The pipeline"),
        ("environment" = String, Path, description = "The environment"),
        ("target" = String, Path, description = "The target"),
        ("X-Signature" = Option<String>, Header, description = "`sha256=` or `sha512=` and the HMAC of the body in hex digits"),
        FluxQuery,
    ),
    request_body(content = serde_json::Value, description = "An event of event.toolkit.fluxcd.io", content_type = "application/json"),
    responses(
        (status = 202, description = "What was understood", body = Taken),
        (status = 400, description = "Not an event, or one from the future", body = ErrorBody),
        (status = 401, description = "Not signed, or not with the right key", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment or target", body = ErrorBody),
        (status = 413, description = "The body is too long", body = ErrorBody),
        (status = 503, description = "It could not be recorded: send it again", body = ErrorBody),
    ))]
pub(crate) async fn target(
    State(app): State<Arc<App>>,
    Path((namespace, pipeline, environment, target)): Path<(String, String, String, String)>,
    query: Result<Params<FluxQuery>, ApiError>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let place = Place { namespace, pipeline, environment, target: Some(target) };
    take(&app, place, query, request).await
}

/// What the address names.
struct Place {
    namespace: String,
    pipeline: String,
    environment: String,
    target: Option<String>,
}

async fn take(
    app: &Arc<App>,
    place: Place,
    query: Result<Params<FluxQuery>, ApiError>,
    request: Request,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let (parts, body) = request.into_parts();
    let taken = understand(app, place, query, &parts, body).await;
    app.metrics.hook(match &taken {
        Ok(taken) => taken.understood.into(),
        Err(error) => Outcome::from(error),
    });
    Ok((StatusCode::ACCEPTED, Json(taken?)))
}

async fn understand(
    app: &Arc<App>,
    place: Place,
    query: Result<Params<FluxQuery>, ApiError>,
    parts: &Parts,
    body: axum::body::Body,
) -> Result<Taken, ApiError> {
    // Whoever cannot sign learns nothing, not even which pipelines there are.
    let body = believed(app, Owner::pipeline(&place.namespace, &place.pipeline), parts, body).await?;
    let Params(query) = query?;
    let event: Event = serde_json::from_slice(&body).map_err(|error| not_json(&error))?;
    let pipeline = app.pipeline(&place.namespace, &place.pipeline)?;
    let environment = api::environment(&pipeline, &place.environment)?;
    let target = reporting(&pipeline, &environment, place.target.as_deref())?;
    let now = app.now();
    let at = event.timestamp.0;
    if at.duration_since(now) > CLOCK_AHEAD {
        return Err(ApiError::malformed(format!("the event is from the future: {at}, and it is {now} here"))
            .with_help("set the clocks"));
    }
    let wake = |why: String| Taken { understood: Understood::Wake, release: None, words: why };
    let taken = match (target, Meaning::of(&event, query.release.as_deref(), query.tests.unwrap_or(false))) {
        (None, _) => wake(format!("no target of {environment} takes reports")),
        (Some(_), Meaning::Wake(why)) => wake(why),
        (Some(target), meaning) => match reported(&pipeline, meaning)? {
            Err(why) => wake(why),
            Ok((taken, reported)) => {
                let by = reporter(&event);
                app.engine.report(&pipeline.key, &environment, Some(&target), reported, by, at).await?;
                taken
            }
        },
    };
    app.engine.wake(&pipeline.key);
    Ok(taken)
}

/// The target that the event is about: the one that is named, or the only one that reports; `None` where none does.
fn reporting(
    pipeline: &Pipeline,
    environment: &EnvironmentName,
    name: Option<&str>,
) -> Result<Option<TargetName>, ApiError> {
    let targets = pipeline.environment(environment).map(|here| here.targets.as_slice()).unwrap_or_default();
    let names = || targets.iter().map(|target| target.name.as_str());
    let reports = |kind: &TargetKind| match kind {
        TargetKind::Report => true,
        TargetKind::Http(_) | TargetKind::Git | TargetKind::Cluster(_) => false,
    };
    let unknown = |message: String| ApiError::not_found("unknown-target", message);
    if let Some(name) = name {
        let found = targets.iter().find(|target| target.name.as_str() == name).ok_or_else(|| {
            let error = unknown(format!("{environment} has no target {name:?}"));
            match crate::nearest::nearest(name, names()) {
                Some(near) => error.with_help(format!("did you mean {near}?")),
                None => error.with_help(format!("it has {}", names().collect::<Vec<_>>().join(", "))),
            }
        })?;
        return Ok(reports(&found.kind).then(|| found.name.clone()));
    }
    let mut found = targets.iter().filter(|target| reports(&target.kind));
    match (found.next(), found.next()) {
        (only, None) => Ok(only.map(|target| target.name.clone())),
        (_, Some(_)) => Err(unknown(format!("{environment} has more than one target that reports"))
            .with_help(format!(
                "put the target's name at the end of the address: {}",
                names().collect::<Vec<_>>().join(", ")
            ))),
    }
}

/// The report that an event makes; or why it is only a wake.
fn reported(pipeline: &Pipeline, meaning: Meaning) -> Result<Result<(Taken, Reported), String>, ApiError> {
    let release = |revision: Option<&str>| -> Result<Option<Release>, ApiError> {
        let Some((artifact, revision)) = pipeline.only_artifact().zip(revision) else { return Ok(None) };
        let version = Version::parse(revision);
        let version =
            version.map_err(|error| ApiError::malformed(format!("the event's revision: {error}")))?;
        Ok(Some(Release::single(artifact.clone(), version)))
    };
    let nothing_named = || match pipeline.only_artifact() {
        Some(_) => "the event names no revision".to_owned(),
        None => "the event names one revision, and the pipeline has several artifacts".to_owned(),
    };
    let taken = |understood, release: Option<&Release>, words: String| Taken {
        understood,
        release: release.map(api::v1::Release::from),
        words,
    };
    Ok(match meaning {
        Meaning::Wake(why) => Err(why),
        Meaning::Healthy { revision, words } => match release(revision.as_deref())? {
            None => Err(nothing_named()),
            Some(release) => {
                Ok((taken(Understood::Healthy, Some(&release), words), Reported::Healthy { release }))
            }
        },
        Meaning::Deploying { revision, words } => {
            let release = release(revision.as_deref())?;
            Ok((taken(Understood::Deploying, release.as_ref(), words), Reported::Deploying { release }))
        }
        Meaning::Failed { revision, why } => {
            let release = release(revision.as_deref())?;
            let words = why.to_string();
            Ok((taken(Understood::Failed, release.as_ref(), words), Reported::Failed { release, why }))
        }
        Meaning::RolledBack { revision, words } => match release(revision.as_deref())? {
            // What runs now is not told: what was there before has failed all the same.
            None => {
                let why = Arc::from(words.as_str());
                Ok((taken(Understood::RolledBack, None, words), Reported::Failed { release: None, why }))
            }
            Some(to) => Ok((taken(Understood::RolledBack, Some(&to), words), Reported::RolledBack { to })),
        },
    })
}

/// Who stands in the record for an event. The name cannot be taken for a person's.
fn reporter(event: &Event) -> Person {
    let controller = event.reporting_controller.as_deref().unwrap_or("flux");
    Person::parse(&format!("flux/{controller}")).unwrap_or_else(|_| Person::unknown())
}
