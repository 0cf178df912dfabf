//! The strategy that tells others, who then promote.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::condition::time;
use crate::kind::{API_VERSION, GROUP, KIND, Pipeline};
use crate::promotion::Promotion;

/// The reason of the event.
pub const REASON: &str = "Promote";
/// Who says it. Those who listen may filter by it.
pub const CONTROLLER: &str = "pipeline-controller";

/// The words. Others read the environment and the version out of them, so they never change.
pub fn message(promotion: &Promotion) -> String {
    let Promotion { namespace, pipeline, environment, revision, spec: _, strategy: _ } = promotion;
    format!("Promote pipeline {namespace}/{pipeline} to {} with version {revision}", environment.name)
}

/// What else is told: each under the plain key, and under the one with the group
/// before it, which is the one that Flux passes on.
pub fn metadata(promotion: &Promotion) -> BTreeMap<String, String> {
    let plain =
        [("environment", promotion.environment.name.as_str()), ("version", promotion.revision.as_str())];
    let keys = |(key, value): (&str, &str)| {
        [(key.to_owned(), value.to_owned()), (format!("{GROUP}/{key}"), value.to_owned())]
    };
    plain.into_iter().flat_map(keys).collect()
}

/// The event as Flux's notification-controller takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The pipeline.
    pub involved_object: Object,
    /// `info`.
    pub severity: &'static str,
    /// When it was said.
    pub timestamp: String,
    /// What is to be done.
    pub message: String,
    /// [`REASON`].
    pub reason: &'static str,
    /// The environment and the version.
    pub metadata: BTreeMap<String, String>,
    /// [`CONTROLLER`].
    pub reporting_controller: &'static str,
    /// Which process says it.
    pub reporting_instance: String,
}

/// The pipeline that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Which object of this name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Its API version.
    pub api_version: &'static str,
    /// Which writing of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
}

/// The event that tells a promotion.
pub fn event(pipeline: &Pipeline, promotion: &Promotion, instance: &str, now: Timestamp) -> Event {
    Event {
        involved_object: Object {
            kind: KIND,
            namespace: promotion.namespace.clone(),
            name: promotion.pipeline.clone(),
            uid: pipeline.metadata.uid.clone(),
            api_version: API_VERSION,
            resource_version: pipeline.metadata.resource_version.clone(),
        },
        severity: "info",
        timestamp: time(now),
        message: message(promotion),
        reason: REASON,
        metadata: metadata(promotion),
        reporting_controller: CONTROLLER,
        reporting_instance: instance.to_owned(),
    }
}
