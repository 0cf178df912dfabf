//! Ways of deploying that people have today, from the first moment to the last.

use gradus_evidence::{Confidence, State, TargetSpec};
use serde_json::{Value, json};

use crate::objects::{condition, deployment, helm_release, snapshot, with};
use crate::world::{World, reference, words};

const HELM: &str = "HelmRelease/apps/podinfo";
const OLD: &str = "6.5.0";
const NEW: &str = "6.6.0";

fn image(version: &str) -> Value {
    json!({ "spec": { "template": { "spec": { "containers": [
        { "name": "podinfo", "image": format!("ghcr.io/acme/podinfo:{version}") },
    ]}}}})
}

/// The canary of podinfo on its way, the copy that serves, and the one that is tried.
fn canary(phase: &str, promoted: bool, serves: &str) -> World {
    let ready = match phase {
        "Succeeded" => "True",
        "Failed" => "False",
        _ => "Unknown",
    };
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": { "name": "podinfo", "namespace": "apps", "generation": 1 },
        "spec": {
            "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo" },
            "analysis": { "interval": "1h", "threshold": 5, "stepWeight": 10, "maxWeight": 50 },
        },
        "status": {
            "phase": phase, "lastAppliedSpec": "2", "lastPromotedSpec": if promoted { "2" } else { "1" },
            "conditions": [condition("Promoted", ready, phase, 0)],
        },
    });
    let replicas = if matches!(phase, "Succeeded" | "Failed") { 0 } else { 2 };
    let tried = with(with(deployment(), image(NEW)), json!({ "spec": { "replicas": replicas } }));
    let serving =
        with(with(deployment(), image(serves)), json!({ "metadata": { "name": "podinfo-primary" } }));
    World::of([canary, tried, serving])
}

/// D8, D10 and D11: a version is there once its canary succeeded and the copy that serves has
/// it. One whose canary failed is not, and the old one stays.
#[test]
fn d8_d10_d11_a_version_is_healthy_only_when_its_canary_succeeded() {
    for target in ["Canary/apps/podinfo", "Deployment/apps/podinfo"] {
        for phase in ["Progressing", "WaitingPromotion", "Promoting", "Finalising"] {
            let state = canary(phase, false, OLD).state(target);
            assert_eq!(words(&state), format!("deploying {NEW}"), "{target} {phase}");
        }
        // It says that it succeeded, and the copy that serves has the old version still.
        let early = canary("Succeeded", true, OLD).state(target);
        assert!(!matches!(&early, State::Healthy { version, .. } if version == NEW), "{target}: {early:?}");
        let done = canary("Succeeded", true, NEW).state(target);
        assert_eq!(words(&done), format!("healthy {NEW}"), "{target}");

        let failed = canary("Failed", false, OLD).state(target);
        let State::Failed { version, running, .. } = &failed else { panic!("{target}: {failed:?}") };
        assert_eq!((version.as_deref(), running.as_deref()), (Some(NEW), Some(OLD)), "{target}");
    }
}

/// A30: a release with tests, and with a canary below it, waits for both.
#[test]
fn a30_a_release_waits_for_its_tests_and_its_canary() {
    let release = |tests: &str, ready: &str, reason: &str| {
        let mut entry = snapshot(2, "deployed", NEW);
        if !tests.is_empty() {
            entry["testHooks"] = json!({ "podinfo-grpc-test": { "phase": tests } });
        }
        let mut conditions =
            vec![condition("Ready", ready, reason, 2), condition("Released", "True", "UpgradeSucceeded", 2)];
        if tests == "Failed" {
            conditions.push(condition("TestSuccess", "False", "TestFailed", 2));
        }
        with(
            helm_release(),
            json!({
                "spec": { "chart": { "spec": { "version": NEW } }, "test": { "enable": true } },
                "status": {
                    "lastAttemptedRevision": NEW, "history": [entry],
                    "conditions": conditions,
                    "inventory": { "entries": [
                        { "id": "apps_podinfo_apps_Deployment", "v": "v1" },
                        { "id": "apps_podinfo_flagger.app_Canary", "v": "v1beta1" },
                    ]},
                },
            }),
        )
    };
    let word = |release: Value, below: World| {
        let mut world = below;
        world.put(release);
        let mut spec = TargetSpec::new(reference(HELM));
        spec.confidence = Confidence::Workloads;
        words(&world.judge(&spec).state)
    };
    let done = || canary("Succeeded", true, NEW);
    // Released, and its tests have not ended.
    assert_eq!(word(release("", "Unknown", "Progressing"), done()), format!("deploying {NEW}"));
    assert_eq!(word(release("Running", "True", "UpgradeSucceeded"), done()), format!("deploying {NEW}"));
    assert_eq!(word(release("Failed", "False", "TestFailed"), done()), format!("failed {NEW}"));
    // Its tests are through, and its canary is not.
    let tested = || release("Succeeded", "True", "TestSucceeded");
    assert_eq!(word(tested(), canary("Progressing", false, OLD)), format!("deploying {NEW}"));
    assert_eq!(word(tested(), canary("Failed", false, OLD)), format!("failed {NEW}"));
    assert_eq!(word(tested(), done()), format!("healthy {NEW}"));
}
