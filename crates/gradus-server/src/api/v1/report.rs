//! Somebody reports what a target does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use gradus_core::names::TargetName;
use gradus_core::pipeline::Pipeline;
use gradus_core::release::Release;
use gradus_engine::port::ledger::Reported;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ErrorBody;
use super::recorded::RecordedAnswer;
use super::time::Time;
use crate::api::{self, ApiError, At, JsonBody, clean, release_of};
use crate::app::App;
use crate::auth::{Caller, Deed};

/// What a target does, by the word of somebody who knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetReport {
    /// In which environment.
    pub environment: String,
    /// Which target; the only one that takes reports when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The version, in a pipeline with one artifact; else `artifact=version` pairs with commas between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version of each artifact; instead of `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<BTreeMap<String, String>>,
    /// What it does.
    pub state: State,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was so; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// What a target does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It runs and works at this version.
    Healthy,
    /// A rollout is under way, to this version where that is known.
    Deploying,
    /// This version does not work, where it is known which.
    Failed,
    /// Nothing runs there.
    NotDeployed,
    /// What failed was taken back; this version runs now.
    RolledBack,
}

/// So far may a reporter's clock be ahead of ours.
pub(crate) const CLOCK_AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// The longest message that is kept, in bytes.
const LONGEST_MESSAGE: usize = 2000;

/// Reports what a target does. To say the same again changes nothing, and what is older than the
/// newest report of the target does not replace it.
#[utoipa::path(post, path = "/api/v1/pipelines/{namespace}/{name}/report", tag = "machines", operation_id = "reportTarget",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline")), request_body = TargetReport, security(("token" = [])),
    responses(
        (status = 202, description = "Recorded", body = RecordedAnswer),
        (status = 400, description = "The request is not what it should be", body = ErrorBody),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 403, description = "The token may not do this", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn post(
    Shared(app): Shared<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
    JsonBody(body): JsonBody<TargetReport>,
) -> Result<(StatusCode, Json<RecordedAnswer>), ApiError> {
    caller.may(Deed::Report)?;
    let environment = api::environment(&pipeline, &body.environment)?;
    let target = body.target.as_deref().map(TargetName::parse).transpose();
    let target = target.map_err(|error| ApiError::malformed(error.to_string()))?;
    let now = app.now();
    let at = body.at.map_or(now, |at| at.0);
    if at.duration_since(now) > CLOCK_AHEAD {
        return Err(ApiError::malformed(format!("{at} is in the future: it is {now} here"))
            .with_help("set the clocks, or leave out `at`"));
    }
    let reported = reported(&pipeline, &body)?;
    app.engine.report(&pipeline.key, &environment, target.as_ref(), reported, caller.person, at).await?;
    Ok((StatusCode::ACCEPTED, Json(RecordedAnswer { recorded: true })))
}

fn reported(pipeline: &Pipeline, body: &TargetReport) -> Result<Reported, ApiError> {
    let release = release_of(pipeline, body.version.as_deref(), body.versions.as_ref())?;
    let needed = |release: Option<Release>, state: &str| {
        release
            .ok_or_else(|| ApiError::malformed(format!("{state} at which version? give version or versions")))
    };
    Ok(match body.state {
        State::Healthy => Reported::Healthy { release: needed(release, "healthy")? },
        State::Deploying => Reported::Deploying { release },
        State::Failed => {
            let told = body.message.as_deref().and_then(|message| clean(message, LONGEST_MESSAGE));
            Reported::Failed { release, why: told.unwrap_or_else(|| "reported as failed".into()) }
        }
        State::NotDeployed => Reported::NotDeployed,
        State::RolledBack => Reported::RolledBack { to: needed(release, "rolled back, and running")? },
    })
}
