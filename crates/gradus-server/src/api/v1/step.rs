//! A step of a plan, and what a person asked for, on the wire.

use gradus_core::observation::{Request as CoreRequest, RequestKind as CoreRequestKind};
use gradus_core::plan::{Cause, Change, CloseReason, Step as CoreStep};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::release::Release;
use super::time::Time;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What is done.
    pub kind: StepKind,
    /// In which environment.
    pub environment: String,
    /// The proposal that it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<u64>,
    /// What the environment has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Release>,
    /// What it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Release>,
    /// The environments that have proven it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proven_in: Vec<String>,
    /// The request that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// Who approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_by: Vec<String>,
    /// Why a proposal is closed: `merged`, `overtaken`, or the code of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// A commit on the branch itself.
    Push,
    /// A proposal is opened.
    Propose,
    /// A proposal is changed.
    Update,
    /// A proposal is merged.
    Merge,
    /// A proposal is closed.
    Close,
    /// Somebody else's automation is asked for it.
    Dispatch,
}

/// What a person asked for by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// Which request.
    pub id: String,
    /// How it was asked.
    pub kind: RequestKind,
    /// What was asked for.
    pub release: Release,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: Time,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a person asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestKind {
    /// Forward.
    Promote,
    /// Forward, though the environments before have not proven it.
    Override,
    /// Back to an older version.
    Rollback,
    /// Forward or back, past the gates.
    Emergency,
}

impl From<CoreRequestKind> for RequestKind {
    fn from(kind: CoreRequestKind) -> Self {
        match kind {
            CoreRequestKind::Promote => Self::Promote,
            CoreRequestKind::Override => Self::Override,
            CoreRequestKind::Rollback => Self::Rollback,
            CoreRequestKind::Emergency => Self::Emergency,
        }
    }
}

impl From<&CoreRequest> for Request {
    fn from(request: &CoreRequest) -> Self {
        Self {
            id: request.id.to_string(),
            kind: request.kind.into(),
            release: (&request.release).into(),
            by: request.by.to_string(),
            at: Time(request.at),
            reason: request.reason.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&CoreStep> for Step {
    fn from(step: &CoreStep) -> Self {
        match step {
            CoreStep::Push(change) => Self::of_change(StepKind::Push, None, change),
            CoreStep::Propose(change) => Self::of_change(StepKind::Propose, None, change),
            CoreStep::Dispatch(change) => Self::of_change(StepKind::Dispatch, None, change),
            CoreStep::Update { number, change, .. } => {
                Self::of_change(StepKind::Update, Some(number.0), change)
            }
            CoreStep::Merge { number, change, .. } => {
                Self::of_change(StepKind::Merge, Some(number.0), change)
            }
            CoreStep::Close { number, environment, because, .. } => Self {
                kind: StepKind::Close,
                environment: environment.to_string(),
                proposal: Some(number.0),
                from: None,
                to: None,
                proven_in: Vec::new(),
                request: None,
                approved_by: Vec::new(),
                because: Some(close_code(because).to_owned()),
            },
        }
    }
}

fn close_code(because: &CloseReason) -> &'static str {
    match because {
        CloseReason::Merged => "merged",
        CloseReason::Overtaken => "overtaken",
        CloseReason::Refused(reason) => reason.code(),
    }
}

impl Step {
    fn of_change(kind: StepKind, proposal: Option<u64>, change: &Change) -> Self {
        let (proven_in, request) = match &change.cause {
            Cause::ProvenIn(environments) => (environments.iter().map(ToString::to_string).collect(), None),
            Cause::Asked(request) => (Vec::new(), Some(request.into())),
        };
        Self {
            kind,
            environment: change.environment.to_string(),
            proposal,
            from: change.from.as_ref().map(Release::from),
            to: Some((&change.to).into()),
            proven_in,
            request,
            approved_by: change.approved_by.iter().map(ToString::to_string).collect(),
            because: None,
        }
    }
}
