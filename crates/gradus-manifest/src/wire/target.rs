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
    /// The kind of the object that carries the application here, beside
    /// `namespace`; that of the pipeline's `appRef` when absent.
    pub kind: Option<String>,
    /// The group and version of that kind, beside `kind`; may be left out for kinds
    /// of Flux, Flagger, Argo and of Kubernetes itself.
    pub api_version: Option<String>,
    /// The object's name, beside `namespace`; that of the pipeline's `appRef` when absent.
    pub app: Option<String>,
    /// Where in the object the version is, beside `namespace`, such as
    /// `/status/version` (RFC 6901); where its kind keeps it when absent.
    pub version_path: Option<String>,
    /// What has to be seen before the target counts as healthy, beside
    /// `namespace`; `controller` when absent.
    pub confidence: Option<Confidence>,
    /// Its state is what is reported for it: `{}`.
    pub report: Option<Empty>,
    /// A URL tells its version.
    pub http: Option<Http>,
    /// What Git declares counts as deployed: `{}`.
    pub git: Option<Empty>,
}

/// What has to be seen before a target counts as healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// What the object's own controller says.
    Controller,
    /// Besides, that the workloads it made work.
    Workloads,
    /// Besides, that their pods run the very image.
    Pods,
}

/// A cluster.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterRef {
    /// The kind of the object that describes the cluster: `GitopsCluster`, which it
    /// is when absent, `Cluster` of the Cluster API, or `Secret`.
    pub kind: Option<String>,
    /// The group and version of that kind. Read and not needed.
    pub api_version: Option<String>,
    /// The cluster's name.
    pub name: String,
    /// The namespace of the object that describes it; the pipeline's when absent.
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
