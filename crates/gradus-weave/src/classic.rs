//! The rule of pipelines that only webhooks promote: their clusters are there.

use crate::condition::Says;
use crate::kind::{ClusterRef, Pipeline};

/// What was seen of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cluster {
    /// It can be used.
    Ready,
    /// It is there and cannot be used yet.
    NotReady,
    /// There is none.
    Missing,
    /// Nobody knows, and why.
    Unknown(String),
}

/// What follows for the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is gone, or about to be: nothing is written and nothing is told.
    Leave,
    /// This is written and told.
    Write {
        /// The condition.
        says: Says,
        /// What is told first.
        events: Vec<Event>,
        /// After so many minutes it is looked at again, if nothing happens before.
        again_in_minutes: Option<u64>,
    },
    /// Nothing is written, as nobody knows; it is tried again. This is told.
    TryAgain(Event),
}

/// Something that is told about a pipeline, as an event of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: &'static str,
    /// Why, in one word.
    pub reason: &'static str,
    /// What, in words.
    pub message: String,
}

/// What follows from how the clusters are. They are asked for in the order of the
/// targets, and nothing after the first that is not right.
pub fn judge(pipeline: &Pipeline, mut look: impl FnMut(&ClusterRef) -> Cluster) -> Outcome {
    if pipeline.metadata.deletion_timestamp.is_some() {
        return Outcome::Leave;
    }
    for cluster in clusters(pipeline) {
        let waits =
            |says: Says, events: Vec<Event>| Outcome::Write { says, events, again_in_minutes: Some(30) };
        match look(cluster) {
            Cluster::Ready => {}
            Cluster::NotReady => return waits(Says::ClusterNotReady(cluster.clone()), Vec::new()),
            Cluster::Missing => {
                let why = format!("GitopsCluster.gitops.weave.works \"{}\" not found", cluster.name);
                let told = Event::no_cluster(pipeline, cluster, &why);
                return waits(Says::ClusterNotFound(cluster.clone()), vec![told]);
            }
            Cluster::Unknown(why) => return Outcome::TryAgain(Event::no_cluster(pipeline, cluster, &why)),
        }
    }
    Outcome::Write { says: Says::Checked, events: vec![Event::updated(pipeline)], again_in_minutes: None }
}

/// The clusters that targets name, in their order.
pub fn clusters(pipeline: &Pipeline) -> impl Iterator<Item = &ClusterRef> {
    let targets = pipeline.spec.environments.iter().flat_map(|environment| &environment.targets);
    targets.filter_map(|target| target.cluster_ref.as_ref())
}

impl Event {
    /// A cluster could not be got.
    pub fn no_cluster(pipeline: &Pipeline, cluster: &ClusterRef, why: &str) -> Self {
        let namespace = cluster.namespace_or(&pipeline.metadata.namespace);
        let message = format!(
            "Failed to get cluster {namespace}/{} for pipeline {}: {why}",
            cluster.name,
            named(pipeline)
        );
        Self { kind: "Warning", reason: "GetClusterError", message }
    }

    /// An application could not be got. `cluster` is empty for the one that the pipeline is in.
    pub fn no_application(pipeline: &Pipeline, cluster: &str, application: &str, why: &str) -> Self {
        let message = format!(
            "Failed to get application object {cluster}:{application} for pipeline {}: {why}",
            named(pipeline)
        );
        Self { kind: "Warning", reason: "GetAppError", message }
    }

    /// The condition could not be written.
    pub fn no_condition(pipeline: &Pipeline, why: &str) -> Self {
        let message = format!("Failed to set the condition of pipeline {}: {why}", named(pipeline));
        Self { kind: "Warning", reason: "SetStatusConditionError", message }
    }

    /// The status could not be written.
    pub fn no_status(pipeline: &Pipeline, why: &str) -> Self {
        let message = format!("Failed to set the status of pipeline {}: {why}", named(pipeline));
        Self { kind: "Warning", reason: "SetStatus", message }
    }

    /// Everything was looked at.
    pub fn updated(pipeline: &Pipeline) -> Self {
        Self { kind: "Normal", reason: "Updated", message: format!("Updated pipeline {}", named(pipeline)) }
    }
}

fn named(pipeline: &Pipeline) -> String {
    format!("{}/{}", pipeline.metadata.namespace, pipeline.metadata.name)
}
