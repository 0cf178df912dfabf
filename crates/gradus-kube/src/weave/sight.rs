//! What is seen of the clusters and applications of a pipeline.

use std::sync::Arc;

use gradus_core::names::Namespace;
use gradus_core::pipeline::{ClusterKind, ClusterRef as Reference};
use gradus_evidence::ObjectRef;
use gradus_weave::ObjectName as Name;
use gradus_weave::classic;
use gradus_weave::kind::{AppRef, ClusterRef, Pipeline, Target};
use serde_json::Value;

use super::session::Session;
use crate::clusters::{ClusterKey, Consent};
use crate::watch::{BlindKind, ObjectName, Sight, Wanted, Watches};

/// The group of the objects that describe clusters.
const CLUSTERS: &str = "gitops.weave.works";

/// What is seen of a cluster's object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClusterSight {
    Ready,
    NotReady,
    Missing,
    /// It is being read for the first time.
    NotYet,
    Unknown(String),
}

/// What is seen of an application.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AppSight {
    Seen(Arc<Value>),
    Missing,
    /// It is being read for the first time.
    NotYet,
    Unknown(String),
}

/// What is seen.
pub(super) trait Sights {
    fn cluster(&self, cluster: &ClusterRef) -> ClusterSight;
    fn app(&self, target: &Target, app: &ObjectRef) -> AppSight;
}

/// The group that an API version names; none where it is not one.
pub(super) fn group_of(api_version: &str) -> Option<&str> {
    let mut parts = api_version.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), None, _) => Some(""),
        (Some(group), Some(_), None) => Some(group),
        (_, _, _) => None,
    }
}

/// The application in a target. A target without a namespace is in that of the pipeline.
pub(super) fn app_of(pipeline: &Pipeline, target: &Target) -> Option<ObjectRef> {
    let AppRef { api_version, kind, name } = &pipeline.spec.app_ref;
    let namespace = Some(&target.namespace).filter(|namespace| !namespace.is_empty());
    let namespace = namespace.unwrap_or(&pipeline.metadata.namespace);
    Some(ObjectRef::new(group_of(api_version)?, kind, namespace, name))
}

/// Everything that a pipeline rests on besides its own object.
pub(super) fn wanted(pipeline: &Pipeline, with_apps: bool) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    for target in pipeline.spec.environments.iter().flat_map(|environment| &environment.targets) {
        let cluster = match &target.cluster_ref {
            None => Some(ClusterKey::own()),
            Some(cluster) => reference(pipeline, cluster).map(|cluster| {
                let object = object_of(&cluster);
                add(&mut all, Wanted::one(&ClusterKey::own(), &object).whole());
                key_of(pipeline, &cluster)
            }),
        };
        let app = app_of(pipeline, target).filter(can_be);
        if let (true, Some(cluster), Some(app)) = (with_apps, cluster, app) {
            // Kinds that only their own controllers know are kept whole anyway.
            add(&mut all, Wanted::one(&cluster, &app));
        }
    }
    all
}

fn add(all: &mut Vec<Wanted>, one: Wanted) {
    if !all.contains(&one) {
        all.push(one);
    }
}

/// A cluster as the watches name it; none for a name that no object can have.
fn reference(pipeline: &Pipeline, cluster: &ClusterRef) -> Option<Reference> {
    let namespace = Namespace::parse(cluster.namespace_or(&pipeline.metadata.namespace)).ok()?;
    Name::parse(&cluster.name).ok()?;
    Some(Reference { kind: ClusterKind::GitopsCluster, namespace, name: cluster.name.as_str().into() })
}

fn object_of(cluster: &Reference) -> ObjectRef {
    ObjectRef::new(CLUSTERS, "GitopsCluster", cluster.namespace.as_str(), &cluster.name)
}

fn key_of(pipeline: &Pipeline, cluster: &Reference) -> ClusterKey {
    match Namespace::parse(&pipeline.metadata.namespace) {
        Ok(asker) => ClusterKey::of(Some(cluster), &asker, Consent::NotNeeded),
        Err(_) => ClusterKey::of(Some(cluster), &cluster.namespace, Consent::NotNeeded),
    }
}

/// Whether an object can have this name. What cannot be is not asked for.
fn can_be(object: &ObjectRef) -> bool {
    Name::parse(&object.namespace).is_ok() && Name::parse(&object.name).is_ok()
}

/// What the watches see for a pipeline.
pub(super) struct Watched<'a> {
    pub(super) watches: &'a Watches,
    pub(super) session: &'a Session,
    pub(super) key: &'a ObjectName,
    pub(super) pipeline: &'a Pipeline,
}

impl Sights for Watched<'_> {
    fn cluster(&self, cluster: &ClusterRef) -> ClusterSight {
        let Some(cluster) = reference(self.pipeline, cluster) else { return ClusterSight::Missing };
        let object = match self.watches.see(&ClusterKey::own(), &object_of(&cluster)) {
            Sight::Seen(object) => object,
            Sight::Missing => return ClusterSight::Missing,
            Sight::Unknown(blind) => {
                return match blind.kind {
                    BlindKind::NotYet | BlindKind::NotWanted => ClusterSight::NotYet,
                    // What the cluster does not know, it has none of.
                    BlindKind::NotServed => ClusterSight::Missing,
                    BlindKind::Unreachable
                    | BlindKind::NoCluster
                    | BlindKind::ClusterNotReady
                    | BlindKind::NotAllowed => ClusterSight::Unknown(blind.to_string()),
                };
            }
        };
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
        if self.session.is_other(self.key, &cluster, version) {
            self.watches.clusters().look_again(key_of(self.pipeline, &cluster).place());
        }
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
        let is_ready = conditions.into_iter().flatten().any(|one| {
            text(one, "type").as_deref() == Some("Ready") && text(one, "status").as_deref() == Some("True")
        });
        if is_ready { ClusterSight::Ready } else { ClusterSight::NotReady }
    }

    fn app(&self, target: &Target, app: &ObjectRef) -> AppSight {
        if !can_be(app) {
            return AppSight::Missing;
        }
        let cluster = match &target.cluster_ref {
            None => ClusterKey::own(),
            Some(cluster) => match reference(self.pipeline, cluster) {
                Some(cluster) => key_of(self.pipeline, &cluster),
                None => return AppSight::Missing,
            },
        };
        match self.watches.see(&cluster, app) {
            Sight::Seen(object) => AppSight::Seen(object),
            Sight::Missing => AppSight::Missing,
            Sight::Unknown(blind) => match blind.kind {
                BlindKind::NotYet | BlindKind::NotWanted => AppSight::NotYet,
                // Its object says by now that it is ready: that was asked before this.
                BlindKind::ClusterNotReady => {
                    self.watches.clusters().look_again(cluster.place());
                    AppSight::NotYet
                }
                BlindKind::Unreachable
                | BlindKind::NotServed
                | BlindKind::NoCluster
                | BlindKind::NotAllowed => AppSight::Unknown(blind.to_string()),
            },
        }
    }
}

/// A cluster as the classic rule takes it.
pub(super) fn for_classic(sight: ClusterSight) -> classic::Cluster {
    match sight {
        ClusterSight::Ready => classic::Cluster::Ready,
        ClusterSight::NotReady => classic::Cluster::NotReady,
        ClusterSight::Missing => classic::Cluster::Missing,
        ClusterSight::NotYet => classic::Cluster::Unknown(super::judge::NOT_READ.to_owned()),
        ClusterSight::Unknown(why) => classic::Cluster::Unknown(why),
    }
}
