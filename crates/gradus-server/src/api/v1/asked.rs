//! The answer to what a person asked for or approved.

use gradus_core::names::EnvironmentName;
use gradus_core::tell::Clock;
use gradus_engine::Asked as EngineAsked;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::Environment;
use super::release::Release;
use super::step::Step;

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
