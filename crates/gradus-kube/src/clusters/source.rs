//! From the object that describes a cluster to its kubeconfig.

use std::collections::BTreeMap;

use gradus_core::pipeline::{ClusterKind, ClusterRef};
use k8s_openapi::ByteString;
use kube::Client;
use serde::Deserialize;

use super::consent::AllowFrom;
use super::trouble::ClusterTroubleKind;
use super::wire::{Fault, FaultKind, get, is_name};

/// Where a kubeconfig is in a Secret, in the order in which the keys are tried.
const DATA_KEYS: [&str; 3] = ["kubeconfig", "value", "value.yaml"];
/// Where the Cluster API keeps it.
const CLUSTER_API_KEYS: [&str; 1] = ["value"];

/// What was read of a description.
pub(crate) struct Described {
    /// The kubeconfig.
    pub(crate) kubeconfig: Vec<u8>,
    /// The version of the Secret that it is in.
    pub(crate) version: String,
    /// Whose pipelines may refer to it.
    pub(crate) allow: AllowFrom,
}

/// Why there is no kubeconfig, and whose pipelines may know.
pub(crate) struct NotDescribed {
    pub(crate) kind: ClusterTroubleKind,
    pub(crate) message: String,
    pub(crate) allow: AllowFrom,
}

impl NotDescribed {
    fn new(kind: ClusterTroubleKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), allow: AllowFrom::Nobody }
    }

    fn told_to(mut self, allow: AllowFrom) -> Self {
        self.allow = allow;
        self
    }
}

/// Reads what a cluster's description leads to, object by object by name: gradus
/// needs the right to `get` them, and never lists Secrets.
pub(crate) async fn describe(own: &Client, at: &ClusterRef) -> Result<Described, NotDescribed> {
    if !is_name(&at.name) {
        let message = format!("{} has a name that no object can have", place(at));
        return Err(NotDescribed::new(ClusterTroubleKind::Unusable, message));
    }
    let namespace = at.namespace.as_str();
    match at.kind {
        ClusterKind::Secret => {
            let secret = read_secret(own, namespace, &at.name).await?;
            let allow = AllowFrom::read(&secret.metadata.annotations);
            kubeconfig_of(secret, namespace, &at.name, &DATA_KEYS, allow)
        }
        ClusterKind::Cluster => {
            let name = format!("{}-kubeconfig", at.name);
            let secret = read_secret(own, namespace, &name).await?;
            let allow = AllowFrom::read(&secret.metadata.annotations);
            kubeconfig_of(secret, namespace, &name, &CLUSTER_API_KEYS, allow)
        }
        ClusterKind::GitopsCluster => gitops_cluster(own, at).await,
    }
}

async fn gitops_cluster(own: &Client, at: &ClusterRef) -> Result<Described, NotDescribed> {
    let namespace = at.namespace.as_str();
    let below = format!("/apis/gitops.weave.works/v1alpha1/namespaces/{namespace}/gitopsclusters");
    let cluster: GitopsCluster =
        get(own, &below, &at.name).await.map_err(|fault| failed(&place(at), &fault))?;
    let allow = AllowFrom::read(&cluster.metadata.annotations);
    let ready = cluster.status.conditions.iter().find(|condition| condition.kind == "Ready");
    if ready.is_none_or(|ready| ready.status != "True") {
        let message = format!("Target cluster '{}/{namespace}/{}' not ready", at.kind.as_str(), at.name);
        return Err(NotDescribed::new(ClusterTroubleKind::NotReady, message).told_to(allow));
    }
    let (name, keys): (String, &[&str]) = match (cluster.spec.capi_cluster_ref, cluster.spec.secret_ref) {
        (Some(capi), _) => (format!("{}-kubeconfig", capi.name), &CLUSTER_API_KEYS),
        (None, Some(secret)) => (secret.name, &DATA_KEYS),
        (None, None) => {
            let message = format!("{} has neither spec.secretRef nor spec.capiClusterRef", place(at));
            return Err(NotDescribed::new(ClusterTroubleKind::Unusable, message).told_to(allow));
        }
    };
    let secret = read_secret(own, namespace, &name).await.map_err(|failed| failed.told_to(allow.clone()))?;
    kubeconfig_of(secret, namespace, &name, keys, allow)
}

async fn read_secret(own: &Client, namespace: &str, name: &str) -> Result<Secret, NotDescribed> {
    let what = format!("Secret {namespace}/{name}");
    if !is_name(name) {
        let message = format!("{what} has a name that no object can have");
        return Err(NotDescribed::new(ClusterTroubleKind::Unusable, message));
    }
    get(own, &format!("/api/v1/namespaces/{namespace}/secrets"), name)
        .await
        .map_err(|fault| failed(&what, &fault))
}

fn kubeconfig_of(
    mut secret: Secret,
    namespace: &str,
    name: &str,
    keys: &[&str],
    allow: AllowFrom,
) -> Result<Described, NotDescribed> {
    match keys.iter().find_map(|key| secret.data.remove(*key)) {
        Some(ByteString(kubeconfig)) => {
            Ok(Described { kubeconfig, version: secret.metadata.resource_version, allow })
        }
        None => {
            let message = format!("Secret {namespace}/{name} has no data key {}", keys.join(", "));
            Err(NotDescribed::new(ClusterTroubleKind::Unusable, message).told_to(allow))
        }
    }
}

fn place(at: &ClusterRef) -> String {
    format!("{} {}/{}", at.kind.as_str(), at.namespace, at.name)
}

fn failed(what: &str, fault: &Fault) -> NotDescribed {
    let (kind, message) = match fault.kind {
        FaultKind::NotFound => (ClusterTroubleKind::Missing, format!("{what} not found")),
        FaultKind::Forbidden => {
            (ClusterTroubleKind::Denied, format!("gradus may not get {what}: {}", fault.message))
        }
        FaultKind::Unauthorized
        | FaultKind::Unreachable
        | FaultKind::Gone
        | FaultKind::NotServed
        | FaultKind::Refused => {
            (ClusterTroubleKind::Unreachable, format!("reading {what}: {}", fault.message))
        }
        FaultKind::Broken => (ClusterTroubleKind::Unusable, format!("reading {what}: {}", fault.message)),
    };
    NotDescribed::new(kind, message)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    #[serde(deserialize_with = "or_default")]
    annotations: BTreeMap<String, String>,
    resource_version: String,
}

#[derive(Deserialize)]
struct Secret {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    data: BTreeMap<String, ByteString>,
}

#[derive(Deserialize)]
struct GitopsCluster {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    spec: GitopsClusterSpec,
    #[serde(default, deserialize_with = "or_default")]
    status: GitopsClusterStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct GitopsClusterSpec {
    capi_cluster_ref: Option<NameRef>,
    secret_ref: Option<NameRef>,
}

#[derive(Deserialize)]
struct NameRef {
    name: String,
}

#[derive(Deserialize, Default)]
struct GitopsClusterStatus {
    #[serde(default, deserialize_with = "or_default")]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

/// Reads `null` as what is absent.
fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
