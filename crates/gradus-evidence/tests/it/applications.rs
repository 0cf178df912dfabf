//! Argo CD's `Application`.

use gradus_evidence::{Confidence, TargetSpec, VersionSource};
use serde_json::{Value, json};

use crate::objects::{COMMIT, NEXT, deployment, stuck, with};
use crate::world::{World, at, reference, words};

const APP: &str = "Application/argocd/podinfo";

fn application(source: Value, revision: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": { "name": "podinfo", "namespace": "argocd", "generation": 99 },
        "spec": { "source": source, "project": "default" },
        "status": {
            "sync": { "status": "Synced", "revision": revision, "comparedTo": { "source": source } },
            "health": { "status": "Healthy", "lastTransitionTime": "2026-11-21T09:00:30Z" },
            "reconciledAt": "2026-11-21T09:30:00Z",
            "operationState": {
                "phase": "Succeeded", "startedAt": "2026-11-21T09:00:00Z",
                "finishedAt": "2026-11-21T09:00:10Z", "syncResult": { "revision": revision },
            },
            "resources": [{
                "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "apps",
                "name": "podinfo", "status": "Synced",
            }],
            "summary": { "images": ["ghcr.io/acme/podinfo:6.5.0", "envoyproxy/envoy:v1.30.0"] },
        },
    })
}

fn git() -> Value {
    application(json!({ "repoURL": "https://g/r", "path": "apps", "targetRevision": "main" }), COMMIT)
}

fn state(object: Value) -> String {
    words(&World::of([object]).state(APP))
}

#[test]
fn healthy_and_in_sync() {
    assert_eq!(state(git()), format!("healthy {COMMIT}"));
    let chart = json!({ "repoURL": "https://c", "chart": "podinfo", "targetRevision": "6.5.*" });
    assert_eq!(state(application(chart, "6.5.0")), "healthy 6.5.0");
    let judged = World::of([git()]).judged(APP).state;
    assert!(
        matches!(judged, gradus_evidence::State::Healthy { since, .. } if since == at("2026-11-21T09:00:30Z"))
    );
}

#[test]
fn not_what_is_asked_for() {
    let status = |status: Value| state(with(git(), json!({ "status": status })));
    assert_eq!(status(json!({ "sync": { "status": "OutOfSync" } })), format!("deploying {COMMIT}"));
    assert_eq!(status(json!({ "sync": { "status": "Unknown" } })), "unknown");
    assert_eq!(status(json!({ "health": { "status": "Progressing" } })), format!("deploying {COMMIT}"));
    assert_eq!(status(json!({ "health": { "status": "Degraded" } })), format!("failed {COMMIT}"));
    assert_eq!(status(json!({ "health": { "status": "Missing" } })), format!("deploying {COMMIT}"));
    assert_eq!(status(json!({ "health": { "status": "Suspended" } })), "unknown");
    assert_eq!(status(json!({ "health": { "status": "Unknown" } })), "unknown");
    assert_eq!(status(json!({ "health": null })), "unknown");
    assert_eq!(status(json!({ "operationState": { "phase": "Running" } })), format!("deploying {COMMIT}"));
    assert_eq!(status(json!({ "operationState": { "phase": "Failed" } })), format!("failed {COMMIT}"));
    let comparison = json!([{ "type": "ComparisonError", "message": "repository not accessible" }]);
    assert_eq!(status(json!({ "conditions": comparison })), "unknown");
    // A failed sync of an older revision says nothing of this one.
    let older = json!({ "phase": "Failed", "syncResult": { "revision": NEXT } });
    assert_eq!(status(json!({ "operationState": older })), format!("healthy {COMMIT}"));
}

#[test]
fn status_about_what_was_asked_before() {
    let moved = json!({ "spec": { "source": { "targetRevision": "release" } } });
    assert_eq!(state(with(git(), moved)), "deploying");
    let asked = json!({ "operation": { "sync": { "revision": NEXT } } });
    assert_eq!(state(with(git(), asked)), format!("deploying {COMMIT}"));
    // Its health was looked at before the last sync was over.
    let early = json!({ "status": { "reconciledAt": "2026-11-21T09:00:05Z" } });
    assert_eq!(state(with(git(), early)), format!("deploying {COMMIT}"));
    let new = json!({ "status": null });
    assert_eq!(state(with(git(), new)), "deploying");
    let first = json!({ "status": {
        "sync": { "status": "OutOfSync" }, "health": { "status": "Missing" }, "operationState": null,
    }});
    assert_eq!(state(with(git(), first)), "not deployed");
}

#[test]
fn several_sources() {
    let sources = json!([
        { "repoURL": "https://g/values", "targetRevision": "main", "ref": "values" },
        { "repoURL": "https://c", "chart": "podinfo", "targetRevision": "6.5.0" },
    ]);
    let several = with(
        git(),
        json!({
            "spec": { "source": null, "sources": sources },
            "status": { "sync": {
                "revision": null, "revisions": [COMMIT, "6.5.0"],
                "comparedTo": { "source": null, "sources": sources },
            }, "operationState": { "syncResult": { "revision": null, "revisions": [COMMIT, "6.5.0"] } } },
        }),
    );
    assert_eq!(state(several.clone()), "healthy 6.5.0");
    let mut moved = several;
    moved["spec"]["sources"][1]["targetRevision"] = json!("6.6.0");
    assert_eq!(state(moved), "deploying");
}

#[test]
fn image_and_workloads() {
    let mut world = World::of([git(), deployment()]);
    let mut spec = TargetSpec::new(reference(APP));
    spec.version = VersionSource::Image { container: None, repository: Some("ghcr.io/acme/podinfo".into()) };
    assert_eq!(words(&world.judge(&spec).state), "healthy 6.5.0");
    spec.confidence = Confidence::Workloads;
    assert_eq!(words(&world.judge(&spec).state), "healthy 6.5.0");
    world.put(stuck());
    assert_eq!(words(&world.judge(&spec).state), "failed 6.5.0");
}
