//! Whatever is posted to the webhook, and whatever an API server hands over as a pipeline.

use gradus_weave::approval;
use gradus_weave::classic;
use gradus_weave::effective;
use gradus_weave::kind::Pipeline;
use gradus_weave::signature::Signed;
use gradus_weave::webhook::{Decision, decide};
use serde_json::{Value, json};

use crate::damage::reads_anything;

fn pipeline() -> Value {
    json!({
        "apiVersion": "pipelines.weave.works/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": "podinfo", "namespace": "apps", "uid": "1", "resourceVersion": "7", "generation": 2,
                     "labels": {"a": "b"}, "annotations": {"gradus.dev/level-triggered": "true"}},
        "spec": {
            "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "podinfo"},
            "environments": [
                {"name": "dev", "targets": [{"namespace": "app"}]},
                {"name": "uat", "targets": [{"namespace": "app", "clusterRef": {"kind": "GitopsCluster", "name": "leaf"}}],
                 "promotion": {"manual": true, "strategy": {"notification": {}}}},
                {"name": "prod", "targets": [{"namespace": "app"}]},
            ],
            "promotion": {"strategy": {"pull-request": {
                "type": "github", "url": "https://github.com/acme/fleet", "baseBranch": "main",
                "secretRef": {"name": "git"}}}},
        },
        "status": {
            "observedGeneration": 2,
            "conditions": [{"type": "Ready", "status": "True", "reason": "Updated", "message": "Updated",
                            "lastTransitionTime": "2026-01-05T09:00:00Z"}],
            "environments": {
                "dev": {"waitingStatus": {"revision": ""}, "targets": [{"ready": true, "revision": "6.1.5",
                    "clusterRef": {"name": ""}, "namespace": "app"}]},
                "uat": {"waitingStatus": {"revision": "6.1.5"}},
            },
        },
    })
}

fn event() -> Value {
    json!({
        "involvedObject": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "podinfo",
                           "namespace": "app", "uid": "1", "resourceVersion": "2", "fieldPath": ""},
        "severity": "info", "timestamp": "2026-01-05T09:00:00Z", "reason": "UpgradeSucceeded",
        "message": "Helm upgrade succeeded for release app/podinfo.v2 with chart podinfo@6.1.5",
        "metadata": {"revision": "6.1.5", "summary": "env=dev"},
        "reportingController": "helm-controller", "reportingInstance": "helm-controller-0",
    })
}

/// Asks everything that a webhook may ask of a pipeline.
fn asked(pipeline: &Pipeline, body: &[u8]) {
    for environment in ["dev", "uat", "prod", "", "nowhere"] {
        if let Decision::Promote(promotion) = decide(pipeline, environment, Signed::NotAsked, body) {
            assert!(!promotion.environment.targets.is_empty());
            let _message = gradus_weave::notification::message(&promotion);
            let _branch = gradus_weave::proposal::branch(&promotion);
        }
        let _answer = approval::decide(pipeline, environment, "6.1.5", Signed::NotAsked);
        let _promotion = effective(pipeline, environment);
        let _key = gradus_weave::signature::key(pipeline, Some(environment));
    }
}

#[test]
fn any_body_of_a_webhook_is_answered() {
    let pipeline: Pipeline = serde_json::from_value(pipeline()).unwrap();
    let event = event().to_string();
    let dispatch = format!(r#"{{"event_type": "HelmRelease/podinfo.app", "client_payload": {event}}}"#);
    reads_anything(&[event.as_bytes(), dispatch.as_bytes()], |body| asked(&pipeline, body));
}

#[test]
fn any_pipeline_of_an_api_server_is_read_or_refused() {
    let (text, event) = (pipeline().to_string(), event().to_string());
    reads_anything(&[text.as_bytes()], |bytes| {
        let Ok(pipeline) = serde_json::from_slice::<Pipeline>(bytes) else { return };
        asked(&pipeline, event.as_bytes());
        let _clusters: Vec<_> = classic::clusters(&pipeline).collect();
        let again = serde_json::to_vec(&pipeline).unwrap();
        assert_eq!(serde_json::from_slice::<Pipeline>(&again).unwrap(), pipeline);
    });
}
