//! The answer to what a person asked for or approved.

use std::sync::Arc;

use gradus_core::names::EnvironmentName;
use gradus_core::observation::RequestKind;
use gradus_core::pipeline::Pipeline;
use gradus_core::tell::Clock;
use gradus_engine::Asked as EngineAsked;
use gradus_engine::AskedFor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::Environment;
use super::release::Release;
use super::step::Step;
use crate::api::{self, ApiError, clean};
use crate::app::App;
use crate::auth::Caller;

/// What was recorded of what a person said, and what is planned with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Asked {
    /// Whether it was recorded: not when it was a dry run.
    pub recorded: bool,
    /// The release that is meant.
    pub release: Release,
    /// The environment as it stands with what was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What is to be done in the whole pipeline now.
    pub steps: Vec<Step>,
}

impl Asked {
    /// The answer for one environment.
    pub fn of(asked: &EngineAsked, environment: &EnvironmentName, recorded: bool, clock: &Clock) -> Self {
        let report = &asked.looked.report;
        Self {
            recorded,
            release: (&asked.release).into(),
            environment: report.environment(environment).map(|here| Environment::of(report, here, clock)),
            steps: asked.looked.steps.iter().map(Step::from).collect(),
        }
    }
}

/// The longest reason that is kept, in bytes.
const LONGEST_REASON: usize = 1000;

/// What a caller asks for.
pub(super) struct Order<'a> {
    pub(super) environment: &'a str,
    pub(super) version: Option<String>,
    pub(super) kind: RequestKind,
    pub(super) reason: Option<Arc<str>>,
}

/// Hands the order to the engine.
pub(super) async fn ask(
    app: &App,
    pipeline: &Pipeline,
    caller: Caller,
    order: Order<'_>,
    dry_run: bool,
) -> Result<Asked, ApiError> {
    let environment = api::environment(pipeline, order.environment)?;
    let asked_for = AskedFor {
        environment: environment.clone(),
        version: order.version,
        kind: order.kind,
        by: caller.person,
        reason: order.reason,
    };
    let asked = app.engine.ask(&pipeline.key, asked_for, dry_run).await?;
    Ok(Asked::of(&asked, &environment, !dry_run, &app.clock()))
}

/// A reason that must be given, in the field of this name.
pub(super) fn needed(field: &str, reason: Option<&str>) -> Result<Arc<str>, ApiError> {
    optional(reason).ok_or_else(|| ApiError::malformed(format!("{field} has to say why: it is recorded")))
}

/// A reason that may be given.
pub(super) fn optional(reason: Option<&str>) -> Option<Arc<str>> {
    reason.and_then(|reason| clean(reason, LONGEST_REASON))
}
