//! What a pipeline should do.

use serde::{Deserialize, Serialize};

use super::or_default;

/// What a pipeline should do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// The application that goes through it.
    #[serde(deserialize_with = "or_default")]
    pub app_ref: AppRef,
    /// The environments, in their order.
    #[serde(deserialize_with = "or_default")]
    pub environments: Vec<Environment>,
    /// How an environment that says nothing itself is promoted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionSpec>,
}

/// The application: the same kind and name in every target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppRef {
    /// Such as `helm.toolkit.fluxcd.io/v2`.
    #[serde(deserialize_with = "or_default")]
    pub api_version: String,
    /// Such as `HelmRelease`.
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

/// An environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Where the application runs in it.
    #[serde(deserialize_with = "or_default")]
    pub targets: Vec<Target>,
    /// How it is promoted to, in place of what the pipeline says for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionSpec>,
}

/// One place where the application runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// The namespace of the application there.
    #[serde(deserialize_with = "or_default")]
    pub namespace: String,
    /// The cluster; without it the one that the pipeline is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_ref: Option<ClusterRef>,
}

/// A cluster, as an object in this one that says how to reach it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterRef {
    /// May be left out.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// `GitopsCluster`.
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its namespace; without it that of the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl ClusterRef {
    /// The namespace that the cluster's object is in.
    pub fn namespace_or<'a>(&'a self, pipeline: &'a str) -> &'a str {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty()).unwrap_or(pipeline)
    }
}

/// How an environment is promoted to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PromotionSpec {
    /// Whether a person has to approve first.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub manual: bool,
    /// How it is written.
    #[serde(deserialize_with = "or_default")]
    pub strategy: StrategySpec,
}

/// How a promotion is written. Where there are both, it is the pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StrategySpec {
    /// By a pull request.
    #[serde(rename = "pull-request", skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequest>,
    /// By telling others, who do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification: Option<Notification>,
    /// The Secret with the key that webhooks are signed with, under `hmac-key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// Where a pull request is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PullRequest {
    /// `github`, `gitlab`, `bitbucket-server` or `gitea`.
    #[serde(rename = "type", deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The repository.
    #[serde(deserialize_with = "or_default")]
    pub url: String,
    /// The branch that it should go into.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub base_branch: String,
    /// The Secret with the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// Nothing is said about a notification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {}

/// A Secret in the namespace of the pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretRef {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
