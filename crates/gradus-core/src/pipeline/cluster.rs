//! Targets that run in a cluster that can be looked into.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::names::{ArtifactName, Namespace};

/// An object in a cluster that carries the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTarget {
    /// Which cluster; the one that gradus runs in when absent.
    pub cluster: Option<ClusterRef>,
    /// The namespace that the application runs in.
    pub namespace: Namespace,
    /// The object; absent where neither the pipeline nor the target names one.
    pub object: Option<AppObject>,
    /// Where the version of each artifact is read. Most targets of a pipeline share it.
    pub versions: Arc<BTreeMap<ArtifactName, VersionFrom>>,
    /// What has to be seen before the target counts as healthy.
    pub confidence: Confidence,
}

/// The object that describes a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterRef {
    /// What kind of object it is.
    pub kind: ClusterKind,
    /// Where that object is.
    pub namespace: Namespace,
    /// What it is called.
    pub name: Arc<str>,
}

/// What kind of object describes a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClusterKind {
    /// `GitopsCluster` of `gitops.weave.works`.
    GitopsCluster,
    /// `Cluster` of the Cluster API.
    Cluster,
    /// A Secret with a kubeconfig.
    Secret,
}

impl ClusterKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::GitopsCluster, Self::Cluster, Self::Secret];

    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitopsCluster => "GitopsCluster",
            Self::Cluster => "Cluster",
            Self::Secret => "Secret",
        }
    }
}

/// The object that carries the application, in the target's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppObject {
    /// The group and version, such as `helm.toolkit.fluxcd.io/v2`.
    pub api_version: Arc<str>,
    /// The kind, such as `HelmRelease`.
    pub kind: Arc<str>,
    /// What it is called.
    pub name: Arc<str>,
}

/// Where the version of an artifact is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionFrom {
    /// In the object, where its kind keeps it.
    Object,
    /// In the image that runs there and comes from this repository.
    Image(Arc<str>),
    /// At this place of the object (RFC 6901).
    Path(Arc<str>),
}

/// What has to be seen before a target counts as healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// What the object's own controller says.
    Controller,
    /// Besides, that the workloads it made work.
    Workloads,
    /// Besides, that their pods run the very image.
    Pods,
}
