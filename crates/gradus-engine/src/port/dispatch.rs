//! What somebody else's automation is asked for.

use std::sync::Arc;

use gradus_core::names::{BranchName, EnvironmentName, EventType, Person, PipelineKey, RepoPath, TargetName};
use gradus_core::observation::RequestKind;
use gradus_core::pipeline::Repository;
use gradus_core::release::Release;

/// A change that somebody else's automation is asked to make. Asked twice, it is the same promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchOrder {
    /// The repository whose automation is asked, and in which the change would be made.
    pub repository: Repository,
    /// The event that it listens to.
    pub event: EventType,
    /// The branch or tag that it runs on, where the forge lets that be chosen.
    pub on: BranchName,
    /// The id of the promotion: always the same for the same change, and another one when a person asks again.
    pub promotion: Arc<str>,
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The environment.
    pub environment: EnvironmentName,
    /// What it has.
    pub from: Option<Release>,
    /// What it is to get.
    pub to: Release,
    /// The branch that declares it.
    pub base: BranchName,
    /// The files that name its version.
    pub files: Vec<RepoPath>,
    /// Where it runs.
    pub targets: Vec<TargetName>,
    /// Who asked for it by name, and how.
    pub asked: Option<(RequestKind, Person)>,
    /// Who approved.
    pub approved_by: Vec<Person>,
    /// Why, in words.
    pub because: String,
}

/// What the forge said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DispatchRecord {
    /// Where people see the run that it began, if the forge tells.
    pub url: Option<Arc<str>>,
}
