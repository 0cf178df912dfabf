//! Targets in a cluster: the object that carries the application, and the cluster
//! that it is in.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{ArtifactName, Namespace};
use gradus_core::pipeline::{AppObject, ClusterKind, ClusterRef, ClusterTarget, Confidence, VersionFrom};

use super::{Reader, location, object_name};
use crate::error::Trouble;
use crate::wire;
use crate::yaml::Path;

/// What a target has of its pipeline.
pub(super) struct Home<'a> {
    /// The pipeline's namespace, where it is right.
    pub(super) namespace: Option<&'a Namespace>,
    /// The object that carries the application.
    pub(super) app: Option<&'a wire::AppRef>,
    /// Where the versions of its artifacts are read.
    pub(super) versions: &'a Arc<BTreeMap<ArtifactName, VersionFrom>>,
}

/// The groups and versions of kinds that need not be told them.
const KNOWN: [(&str, &str); 8] = [
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2"),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1"),
    ("Deployment", "apps/v1"),
    ("StatefulSet", "apps/v1"),
    ("DaemonSet", "apps/v1"),
    ("Canary", "flagger.app/v1beta1"),
    ("Application", "argoproj.io/v1alpha1"),
    ("Rollout", "argoproj.io/v1alpha1"),
];

/// Reads a target with a namespace, and what it is called when it does not say:
/// the namespace, after the cluster's name.
pub(super) fn target(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    namespace: &str,
    target: &wire::Target,
    home: &Home<'_>,
) -> Option<(ClusterTarget, String)> {
    let namespace = reader.take(&path.field("namespace"), Namespace::parse(namespace));
    let cluster = match &target.cluster_ref {
        None => Some(None),
        Some(cluster) => self::cluster(reader, &path.field("clusterRef"), cluster, home).map(Some),
    };
    let object = object(reader, path, target, home.app);
    let pointer = target.version_path.as_deref().map(location::pointer);
    let pointer = reader.take_some(&path.field("versionPath"), pointer);
    let versions = match pointer? {
        Some(pointer) => only_at(reader, path, pointer, home),
        None => Some(home.versions.clone()),
    };
    let confidence = match target.confidence {
        None | Some(wire::Confidence::Controller) => Confidence::Controller,
        Some(wire::Confidence::Workloads) => Confidence::Workloads,
        Some(wire::Confidence::Pods) => Confidence::Pods,
    };
    let (namespace, cluster, object, versions) = (namespace?, cluster?, object?, versions?);
    let name = match &cluster {
        Some(cluster) => format!("{}.{namespace}", cluster.name),
        None => namespace.to_string(),
    };
    Some((ClusterTarget { cluster, namespace, object, versions, confidence }, name))
}

/// A path names one version, so that it can be that of one artifact only.
fn only_at(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    pointer: Arc<str>,
    home: &Home<'_>,
) -> Option<Arc<BTreeMap<ArtifactName, VersionFrom>>> {
    let mut artifacts = home.versions.keys();
    match (artifacts.next(), artifacts.next()) {
        (Some(only), None) => Some(BTreeMap::from([(only.clone(), VersionFrom::Path(pointer))]).into()),
        _ => {
            let trouble =
                Trouble::value("`versionPath` names one version, and the pipeline has several artifacts")
                    .help("leave `versionPath` out, or make a pipeline of each artifact");
            reader.fail(&path.field("versionPath"), trouble);
            None
        }
    }
}

/// The object, put together from what the target says and what the pipeline's
/// `appRef` says.
fn object(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    target: &wire::Target,
    app: Option<&wire::AppRef>,
) -> Option<Option<AppObject>> {
    let name = target.app.as_deref().or(app.map(|app| app.name.as_str()));
    let kind = target.kind.as_deref().or(app.map(|app| app.kind.as_str()));
    let (Some(name), Some(kind)) = (name, kind) else {
        let half = [("app", target.app.is_some()), ("kind", target.kind.is_some())];
        let Some((field, _)) = half.into_iter().find(|(_, is_there)| *is_there) else {
            return Some(None);
        };
        let trouble =
            Trouble::value("a target names its object by `kind` and `app`, and the pipeline has no `appRef`")
                .help("write `appRef: {apiVersion: ..., kind: ..., name: ...}` under `spec`, or both here");
        reader.fail(&path.field(field), trouble);
        return None;
    };
    let of_app = app.filter(|app| app.kind == kind).map(|app| app.api_version.as_str());
    let known = KNOWN.iter().find(|(known, _)| *known == kind).map(|(_, version)| *version);
    let Some(api_version) = target.api_version.as_deref().or(of_app).or(known) else {
        let trouble = Trouble::value(format!("the group and version of kind {kind:?} are not known"))
            .help("write them as `apiVersion`, such as `example.org/v1`");
        reader.fail(&path.field("kind"), trouble);
        return None;
    };
    let right = |text: &str| {
        let mut parts = text.split('/');
        parts.all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
        }) && text.matches('/').count() <= 1
    };
    if !right(api_version) {
        let at = if target.api_version.is_some() { "apiVersion" } else { "kind" };
        let trouble = Trouble::value(format!("{api_version:?} is not an apiVersion"))
            .help("write a group and a version, such as `apps/v1`");
        reader.fail(&path.field(at), trouble);
        return None;
    }
    let at = if target.app.is_some() { "app" } else { "namespace" };
    let name = reader.take(&path.field(at), object_name("name of the object", name));
    Some(Some(AppObject { api_version: api_version.into(), kind: kind.into(), name: name? }))
}

fn cluster(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    cluster: &wire::ClusterRef,
    home: &Home<'_>,
) -> Option<ClusterRef> {
    let kind = match cluster.kind.as_deref() {
        None => Some(ClusterKind::GitopsCluster),
        Some(kind) => ClusterKind::ALL.into_iter().find(|known| known.as_str() == kind),
    };
    if kind.is_none() {
        let given = cluster.kind.as_deref().unwrap_or_default();
        let trouble = Trouble::value(format!("a cluster is not described by a {given:?}"))
            .help("write GitopsCluster, Cluster (of the Cluster API) or Secret");
        reader.fail(&path.field("kind"), trouble);
    }
    let name = reader.take(&path.field("name"), object_name("cluster name", &cluster.name));
    let namespace = match cluster.namespace.as_deref() {
        Some(namespace) => reader.take(&path.field("namespace"), Namespace::parse(namespace)),
        // A namespace of the pipeline that is wrong has been told of where it stands.
        None => home.namespace.cloned(),
    };
    Some(ClusterRef { kind: kind?, namespace: namespace?, name: name? })
}
