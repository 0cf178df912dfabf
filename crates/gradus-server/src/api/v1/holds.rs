//! Holds on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use gradus_core::names::PipelineName;
use gradus_core::pipeline::Hold as CoreHold;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa::ToSchema;

use super::error::ErrorBody;
use super::release::Release;
use super::time::Time;
use crate::api::{self, ApiError, JsonBody, Params, clean, release_of};
use crate::app::App;
use crate::auth::{Caller, Deed};
use crate::port::HoldRecord;

/// The holds there are, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldList {
    /// All of them.
    pub items: Vec<Hold>,
}

/// A pin or a freeze that a person set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// What it is called.
    pub name: String,
    /// The namespace of the pipeline that it holds.
    pub namespace: String,
    /// The pipeline that it holds.
    pub pipeline: String,
    /// The environment that it holds; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The one version that may still come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Release>,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub owner: String,
    /// When it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When it ends; never by itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Where it is written, such as a file in the configuration folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A hold to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewHold {
    /// What to call it; a name is made up when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The namespace of the pipeline.
    pub namespace: String,
    /// The pipeline to hold.
    pub pipeline: String,
    /// The environment to hold; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The one version that may still come in, in a pipeline with one artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version of each artifact that may still come in; instead of `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<BTreeMap<String, String>>,
    /// Why.
    pub reason: String,
    /// When it ends; never by itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// The longest reason that is kept, in bytes.
const LONGEST_REASON: usize = 1000;

/// All holds.
#[utoipa::path(get, path = "/api/v1/holds", tag = "people", operation_id = "listHolds", security(("token" = [])),
    responses(
        (status = 200, description = "All holds", body = HoldList),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<HoldList>, ApiError> {
    caller.may(Deed::Read)?;
    let mut items: Vec<Hold> = app.holds.list().await?.iter().map(Hold::from).collect();
    items.sort_by(|a, b| (&a.name, &a.namespace).cmp(&(&b.name, &b.namespace)));
    Ok(Json(HoldList { items }))
}

/// Sets a hold: nothing goes into the environment, or only the one version.
#[utoipa::path(post, path = "/api/v1/holds", tag = "people", operation_id = "setHold",
    request_body = NewHold, security(("token" = [])),
    responses(
        (status = 201, description = "The hold, and where it is written", body = Hold),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 403, description = "The token may not do this", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 409, description = "There is a hold of this name", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<NewHold>,
) -> Result<(StatusCode, Json<Hold>), ApiError> {
    caller.may(Deed::Operate)?;
    let pipeline = app.pipeline(&body.namespace, &body.pipeline)?;
    let environment =
        body.environment.as_deref().map(|name| api::environment(&pipeline, name)).transpose()?;
    let pin = release_of(&pipeline, body.version.as_deref(), body.versions.as_ref())?;
    let reason =
        clean(&body.reason, LONGEST_REASON).ok_or_else(|| ApiError::malformed("reason has to say why"))?;
    let now = app.now();
    if body.until.is_some_and(|until| until.0 <= now) {
        return Err(ApiError::malformed("until is in the past: the hold would never be in force"));
    }
    let holds = app.holds.list().await?;
    let taken = |name: &str| {
        holds.iter().any(|one| *one.hold.name == *name && one.pipeline.namespace == pipeline.key.namespace)
    };
    let name = match &body.name {
        // A hold is an object like a pipeline is one: the same names are good for both.
        Some(name) => PipelineName::parse(name)
            .map(|name| name.to_string())
            .map_err(|error| ApiError::malformed(format!("name: {:?} {}", error.text, error.problem)))?,
        None => made_up(&body, &taken),
    };
    if taken(&name) {
        let message = format!("there is a hold {name} in {}", pipeline.key.namespace);
        return Err(ApiError::new(StatusCode::CONFLICT, "name-taken", message)
            .with_help("lift it first, or use another name"));
    }
    let hold = CoreHold {
        name: name.into(),
        environment,
        pin,
        reason,
        owner: caller.person,
        since: Some(now),
        until: body.until.map(|until| until.0),
    };
    let record = app.holds.set(&pipeline.key, &hold).await?;
    app.engine.wake(&pipeline.key);
    Ok((StatusCode::CREATED, Json((&record).into())))
}

/// A name that says what is held, and is free.
fn made_up(body: &NewHold, taken: &dyn Fn(&str) -> bool) -> String {
    let plain = match &body.environment {
        Some(environment) => format!("{}-{environment}", body.pipeline),
        None => body.pipeline.clone(),
    };
    let mut name = plain.clone();
    let mut number = 2_u32;
    while taken(&name) {
        name = format!("{plain}-{number}");
        number += 1;
    }
    name
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HoldQuery {
    /// The namespace of the hold, where the name alone does not say which one is meant.
    namespace: Option<String>,
}

/// Lifts a hold.
#[utoipa::path(delete, path = "/api/v1/holds/{name}", tag = "people", operation_id = "liftHold",
    params(("name" = String, Path, description = "The hold"), HoldQuery), security(("token" = [])),
    responses(
        (status = 200, description = "The hold as it was", body = Hold),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 403, description = "The token may not do this", body = ErrorBody),
        (status = 404, description = "There is no such hold", body = ErrorBody),
        (status = 409, description = "There is one in more than one namespace", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Params(query): Params<HoldQuery>,
) -> Result<Json<Hold>, ApiError> {
    caller.may(Deed::Operate)?;
    let holds = app.holds.list().await?;
    let here = |one: &&HoldRecord| {
        query.namespace.as_deref().is_none_or(|namespace| one.pipeline.namespace.as_str() == namespace)
    };
    let found: Vec<&HoldRecord> = holds.iter().filter(here).filter(|one| *one.hold.name == *name).collect();
    let unknown = || {
        let error = ApiError::not_found("unknown-hold", format!("there is no hold {name:?}"));
        match crate::nearest::nearest(&name, holds.iter().filter(here).map(|one| &*one.hold.name)) {
            Some(near) => error.with_help(format!("did you mean {near}?")),
            None => error.with_help("GET /api/v1/holds lists those there are"),
        }
    };
    let record = match found.as_slice() {
        [] => return Err(unknown()),
        [one] => *one,
        several => {
            let names: Vec<&str> = several.iter().map(|one| one.pipeline.namespace.as_str()).collect();
            let message = format!("there is a hold {name} in {}", names.join(" and in "));
            return Err(ApiError::new(StatusCode::CONFLICT, "several-holds", message)
                .with_help("say which one by `namespace`"));
        }
    };
    if !app.holds.lift(&record.pipeline.namespace, &name, &caller.person).await? {
        return Err(unknown());
    }
    app.engine.wake(&record.pipeline);
    Ok(Json(record.into()))
}

impl From<&HoldRecord> for Hold {
    fn from(record: &HoldRecord) -> Self {
        let CoreHold { name, environment, pin, reason, owner, since, until } = &record.hold;
        Self {
            name: name.to_string(),
            namespace: record.pipeline.namespace.to_string(),
            pipeline: record.pipeline.name.to_string(),
            environment: environment.as_ref().map(ToString::to_string),
            pin: pin.as_ref().map(Release::from),
            reason: reason.to_string(),
            owner: owner.to_string(),
            since: since.map(Time),
            until: until.map(Time),
            place: record.place.clone(),
        }
    }
}
