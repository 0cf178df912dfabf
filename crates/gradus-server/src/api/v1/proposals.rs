//! Proposals on the wire.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ErrorBody;
use super::time::Time;
use crate::api::{ApiError, At};
use crate::app::App;
use crate::auth::{Caller, Deed};

/// The proposals of one pipeline, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalList {
    /// The newest of them.
    pub items: Vec<Proposal>,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// Its number.
    pub number: u64,
    /// The environment it is for.
    pub environment: String,
    /// Where people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text, in Markdown.
    pub body: String,
    /// The branch that it comes from.
    pub branch: String,
    /// The branch that it is for.
    pub base: String,
    /// The commit that it proposes.
    pub head: String,
    /// What became of it.
    pub state: ProposalState,
    /// When it was opened.
    pub opened_at: Time,
    /// When it was last changed, merged or closed.
    pub changed_at: Time,
    /// The commit that merged it, where gradus made that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_by: Option<String>,
    /// Why it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_because: Option<String>,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalState {
    /// It is open.
    Open,
    /// It was merged.
    Merged,
    /// It was closed without merging.
    Closed,
}

/// So many of the newest proposals are listed.
const NEWEST: usize = 100;

/// The newest proposals of a pipeline, whatever became of them.
#[utoipa::path(get, path = "/api/v1/pipelines/{namespace}/{name}/proposals", tag = "pipelines", operation_id = "listProposals",
    params(("namespace" = String, Path, description = "The namespace of the pipeline"), ("name" = String, Path, description = "The pipeline")), security(("token" = [])),
    responses(
        (status = 200, description = "The newest 100 proposals", body = ProposalList),
        (status = 401, description = "No token, or one that is not good", body = ErrorBody),
        (status = 404, description = "There is no such pipeline, environment, target or version", body = ErrorBody),
        (status = 503, description = "Not now: try again", body = ErrorBody),
    ))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(pipeline): At,
) -> Result<Json<ProposalList>, ApiError> {
    caller.may(Deed::Read)?;
    Ok(Json(ProposalList { items: app.proposals.list(&pipeline.key, NEWEST).await? }))
}
