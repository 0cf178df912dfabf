//! `targets` of an environment.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Duration, Empty, SecretRef};

/// Where an environment runs, and how its state is learned: one of `namespace`,
/// `report`, `http` and `git`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    {"required": ["namespace"]}, {"required": ["report"]}, {"required": ["http"]}, {"required": ["git"]},
])))]
pub struct Target {
    /// What it is called. When absent: the namespace, the host of the URL, or the environment's name.
    pub name: Option<String>,
    /// The namespace it runs in. Without a cluster its state is what is reported for it.
    pub namespace: Option<String>,
    /// The cluster it runs in, beside `namespace`.
    pub cluster_ref: Option<ClusterRef>,
    /// The kind of the object that carries the application, beside `namespace`.
    pub kind: Option<String>,
    /// Its state is what is reported for it: `{}`.
    pub report: Option<Empty>,
    /// A URL tells its version.
    pub http: Option<Http>,
    /// What Git declares counts as deployed: `{}`.
    pub git: Option<Empty>,
}

/// A cluster.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterRef {
    /// The kind of the object that describes the cluster, such as `GitopsCluster`.
    pub kind: Option<String>,
    /// The cluster's name.
    pub name: String,
    /// The namespace of the object that describes it.
    pub namespace: Option<String>,
}

/// A URL whose answer holds the version.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Http {
    /// What to ask: `https://` or `http://`. Never with a password in it.
    pub url: String,
    /// Where in a JSON answer the version is, such as `/version` (RFC 6901); the
    /// whole answer, trimmed, when absent.
    pub pointer: Option<String>,
    /// The status that means healthy; `200` when absent.
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// How long to wait; `10s` when absent.
    pub timeout: Option<Duration>,
    /// The Secret that holds a token or a CA.
    pub secret_ref: Option<SecretRef>,
}
