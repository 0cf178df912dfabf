//! Proposals on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::Time;

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
