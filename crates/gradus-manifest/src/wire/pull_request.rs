//! `pullRequest` of a pipeline and of its environments.

use schemars::JsonSchema;
use serde::Deserialize;

/// How proposals are named, said and merged. What an environment says counts before what its pipeline says, field
/// by field. Texts are templates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PullRequest {
    /// How a proposal becomes part of the base branch; `merge` when absent.
    pub method: Option<MergeMethod>,
    /// With `true`, the forge merges once its own rules are met, in its merge queue where it has one.
    pub queue: Option<bool>,
    /// The branch that proposals are made on; it may speak of the pipeline and the environment only.
    /// `gradus/NAMESPACE/NAME/ENVIRONMENT` when absent.
    pub branch: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The text; the report of the promotion when absent, which is `report` in a template.
    pub body: Option<String>,
    /// What commits say above their trailers.
    pub message: Option<String>,
    /// Labels. Those that people add stay; one that comes out empty is none.
    pub labels: Option<Vec<String>>,
    /// Who is asked to review: a name, or `organisation/team`.
    pub reviewers: Option<Vec<String>>,
    /// Who is responsible, by the names with which they sign in.
    pub assignees: Option<Vec<String>>,
    /// With `true`, proposals are opened as drafts, and somebody has to call them ready.
    pub draft: Option<bool>,
    /// The milestone, which has to be there.
    pub milestone: Option<String>,
    /// With `true`, one comment below the proposal says how it stands.
    pub comment: Option<bool>,
    /// With `true`, commits get a status that says how they stand.
    pub statuses: Option<bool>,
    /// With `true`, the forge is told which version is in which environment.
    pub deployments: Option<bool>,
    /// With `true`, who approves of a proposal in a review approves of its release.
    pub reviews: Option<bool>,
    /// Whose commands in comments are carried out, such as `/gradus approve`; `none` when absent.
    pub commands: Option<Commands>,
}

/// Whose commands in comments are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Commands {
    /// Nobody's.
    None,
    /// Those of people who may write to the repository and belong to it.
    Members,
}

/// How a proposal becomes part of the base branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MergeMethod {
    /// A commit with both branches as its parents.
    Merge,
    /// One commit with all changes.
    Squash,
    /// The commits anew, on top of the base branch.
    Rebase,
    /// The base branch moves to the head, which must be on top of it.
    FastForward,
}
