//! The engine's port for those who deploy, in clusters: Flux and Argo CD are asked to
//! look when a promotion landed, as `flux reconcile kustomization --with-source` and
//! `argocd app get --refresh` would.
//!
//! Only objects to which a target leads are asked, and only where they follow the
//! pipeline's repository. Whatever fails is told once and changes nothing: they look
//! by themselves when their interval is over.

mod address;
mod goal;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::names::{CommitId, EnvironmentName};
use gradus_core::pipeline::{Pipeline, TargetKind};
use gradus_engine::port::{Clock, Nudge};
use gradus_evidence::ObjectRef;
use kube::api::{Patch, PatchParams};
use kube::client::Body;
use kube::core::Request;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::clusters::wire::{Fault, FaultKind, OBJECT_BYTES, fetch, get, is_name};
use crate::clusters::{ClusterKey, Clusters, Connection, Consent};
use crate::targets::object_of;

use goal::{Goal, Way};

/// So many promotions are told at the same time; of more nobody is told.
const AT_ONCE: usize = 16;
/// So many different troubles are remembered, so that each is told once.
const TOLD: usize = 1000;

/// Asks Flux and Argo CD to look.
#[derive(Clone)]
pub struct KubeNudge(Arc<Inner>);

struct Inner {
    clusters: Clusters,
    clock: Arc<dyn Clock>,
    places: Arc<Semaphore>,
    told: Mutex<BTreeSet<String>>,
}

impl KubeNudge {
    /// In these clusters.
    pub fn new(clusters: Clusters, clock: Arc<dyn Clock>) -> Self {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Self(Arc::new(Inner { clusters, clock, places, told: Mutex::default() }))
    }
}

impl Nudge for KubeNudge {
    fn landed(&self, pipeline: &Pipeline, environment: &EnvironmentName, commit: &CommitId) {
        let Some(here) = pipeline.environment(environment) else { return };
        let mut targets: Vec<(ClusterKey, ObjectRef)> = Vec::new();
        for target in &here.targets {
            let target = match &target.kind {
                TargetKind::Cluster(target) => target,
                TargetKind::Report | TargetKind::Http(_) | TargetKind::Git => continue,
            };
            let cluster = ClusterKey::of(target.cluster.as_ref(), &pipeline.key.namespace, Consent::Needed);
            targets.extend(object_of(target).map(|object| (cluster, object)));
        }
        let Ok(place) = self.0.places.clone().try_acquire_owned() else {
            tracing::debug!(pipeline = %pipeline.key, "nobody is asked to look: too many are being asked");
            return;
        };
        let (inner, repository) = (self.0.clone(), pipeline.repository.url.clone());
        let span =
            tracing::info_span!("poke", gradus.environment = %environment, gradus.commit = commit.as_str());
        let asking = async move {
            inner.ask_all(&targets, &repository).await;
            drop(place);
        };
        tokio::spawn(asking.instrument(span));
    }
}

impl Inner {
    /// Asks each object to which the targets lead, once, and in every cluster the sources first.
    async fn ask_all(&self, targets: &[(ClusterKey, ObjectRef)], repository: &str) {
        let mut goals: Vec<(ClusterKey, Goal)> = Vec::new();
        for (cluster, target) in targets {
            let found = match self.clusters.connection(cluster) {
                Some(connection) => self.goals(&connection, target, repository).await,
                None => Err(Fault::new(FaultKind::Unreachable, "the cluster is not seen")),
            };
            match found {
                Ok(found) if found.is_empty() => {
                    self.tell(format!("{cluster}: nothing that follows {repository} leads to {target}"));
                }
                Ok(found) => goals.extend(found.into_iter().map(|goal| (cluster.clone(), goal))),
                Err(fault) => self.tell(format!("{cluster}: {target}: {fault}")),
            }
        }
        goals.sort_by(|(_, one), (_, other)| one.cmp(other));
        goals.dedup();
        for (cluster, goal) in goals {
            let Some(connection) = self.clusters.connection(&cluster) else { continue };
            match self.ask(&connection, &goal).await {
                Ok(()) => tracing::info!(%cluster, object = %goal.object, "asked to look at the promotion"),
                // Who may not ask one of a kind may mostly ask none.
                Err(fault) if fault.kind == FaultKind::Forbidden => {
                    let kind = goal.object.kind.as_str();
                    self.tell(format!(
                        "{cluster}: objects of the kind {kind} may not be asked (RBAC: patch)"
                    ));
                }
                Err(fault) => self.tell(format!("{cluster}: {}: {fault}", goal.object)),
            }
        }
    }

    /// The objects that are to be asked so that a target gets what the repository has.
    async fn goals(
        &self,
        connection: &Connection,
        target: &ObjectRef,
        repository: &str,
    ) -> Result<BTreeSet<Goal>, Fault> {
        let mut goals = BTreeSet::new();
        let mut way = Some(Way::to(target.clone()));
        while let Some(here) = way {
            let object = read(connection, here.object()).await?;
            for source in here.sources(&object) {
                let is_ours = match read(connection, &source).await {
                    Ok(found) => goal::follows(&source, &found, repository),
                    Err(fault) if fault.kind == FaultKind::NotFound => false,
                    Err(fault) => return Err(fault),
                };
                if is_ours {
                    goals.insert(Goal::source(source));
                    goals.extend(here.itself());
                }
            }
            if here.is_an_application() && goal::follows(here.object(), &object, repository) {
                goals.extend(here.itself());
            }
            way = if goals.is_empty() { here.up(&object) } else { None };
        }
        Ok(goals)
    }

    /// Sets the annotation that asks, and nothing else.
    async fn ask(&self, connection: &Connection, goal: &Goal) -> Result<(), Fault> {
        let Connection { client, served, .. } = connection;
        let resource = served.find(client, &goal.object.group_kind()).await?;
        let (name, value) = goal.annotation(self.clock.now());
        let patch = Patch::Merge(json!({"metadata": {"annotations": {name: value}}}));
        let path = resource.path(Some(&goal.object.namespace));
        let request = Request::new(path).patch(&goal.object.name, &PatchParams::default(), &patch);
        let request = request.map_err(|error| Fault::new(FaultKind::Refused, error.to_string()))?;
        fetch(client, request.map(Body::from), OBJECT_BYTES).await.map(drop)
    }

    /// Tells of a trouble, if it was not told before.
    fn tell(&self, trouble: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= TOLD {
            told.clear();
        }
        if !told.contains(&trouble) {
            tracing::info!(
                why = trouble,
                "not asked to look at a promotion; it is seen at the next interval"
            );
            told.insert(trouble);
        }
    }
}

async fn read(connection: &Connection, object: &ObjectRef) -> Result<Value, Fault> {
    if !is_name(&object.name) || !is_name(&object.namespace) {
        return Err(Fault::new(FaultKind::NotFound, "there can be no object of this name"));
    }
    let resource = connection.served.find(&connection.client, &object.group_kind()).await?;
    get(&connection.client, &resource.path(Some(&object.namespace)), &object.name).await
}
