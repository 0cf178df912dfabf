//! What is told: events as Flux sends them, and pipelines of pipelines.weave.works that others are told of.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cluster::{Cluster, NAMESPACE};

/// An event of helm-controller, as notification-controller posts it.
pub(crate) fn event(environment: &str, name: &str, version: &str) -> String {
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    json!({
        "involvedObject": {
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": name,
            "namespace": environment, "uid": "b7a3a2a5-8f0e-4c2a-9b0e-3f1a5d7c9e11", "resourceVersion": "4711",
        },
        "severity": "info", "reason": "UpgradeSucceeded",
        "timestamp": jiff::Timestamp::now().to_string(),
        "message": format!("Helm upgrade succeeded for release {environment}/{name}.v2 with chart {name}@{version}"),
        "reportingController": "helm-controller", "reportingInstance": "helm-controller-5d8d5fc6fd-abcde",
        "metadata": {"revision": version, "app-version": version, "oci-digest": digest},
    })
    .to_string()
}

/// Where an event is posted that is about an environment of one of the pipelines.
pub(crate) fn flux_hook(pipeline: usize, environment: &str) -> String {
    format!("/hooks/flux/{NAMESPACE}/app-{pipeline}/{environment}")
}

/// The pipeline of pipelines.weave.works with this number.
pub(crate) fn noted(number: usize) -> String {
    format!("note-{number}")
}

/// Where an event is posted that something works in its first environment.
pub(crate) fn weave_hook(number: usize) -> String {
    format!("/promotion/{NAMESPACE}/{}/dev", noted(number))
}

/// Declares pipelines of two environments whose promotions are told to others.
pub(crate) async fn declare(cluster: &Cluster, count: usize) {
    for number in 0..count {
        let app = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": noted(number),
        });
        let pipeline = json!({
            "apiVersion": "pipelines.weave.works/v1alpha1", "kind": "Pipeline",
            "metadata": {"name": noted(number), "namespace": NAMESPACE},
            "spec": {
                "appRef": app,
                "environments": [
                    {"name": "dev", "targets": [{"namespace": "dev"}]},
                    {"name": "prod", "targets": [{"namespace": "prod-eu"}]},
                ],
                "promotion": {"strategy": {"notification": {}}},
            },
        });
        let path = format!("/apis/pipelines.weave.works/v1alpha1/namespaces/{NAMESPACE}/pipelines");
        cluster.ask("POST", &path, Some(&pipeline)).await.expect("a pipeline of pipelines.weave.works");
    }
}

/// The words of a promotion that others are told of.
pub(crate) fn promotion(number: usize, version: &str) -> String {
    format!("Promote pipeline {NAMESPACE}/{} to prod with version {version}", noted(number))
}

/// The promotions that were told of one pipeline, or of all: how many events have these words.
pub(crate) async fn promotions(cluster: &Cluster, of: Option<usize>) -> BTreeMap<String, usize> {
    let name = of.map(|number| format!(",involvedObject.name={}", noted(number))).unwrap_or_default();
    let path = format!("/api/v1/namespaces/{NAMESPACE}/events?fieldSelector=reason=Promote{name}");
    let text = cluster.ask("GET", &path, None).await.expect("events");
    let list: Value = serde_json::from_str(&text).expect("a list");
    let mut told = BTreeMap::new();
    for event in list["items"].as_array().into_iter().flatten() {
        *told.entry(event["message"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    told
}
