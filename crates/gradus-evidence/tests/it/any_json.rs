//! Whatever an object holds: nothing breaks, and nothing is healthy without proof.

use gradus_evidence::{Confidence, NothingBelow, Sighting, State, TargetSpec, VersionSource, judge, slim};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::objects::{COMMIT, RELEASE, WORKLOAD, condition, deployment, helm_release, kustomization, source};
use crate::world::{World, now, reference};

const TARGETS: [&str; 11] = [
    "HelmRelease/apps/podinfo",
    "Kustomization/apps/podinfo",
    "GitRepository/apps/podinfo",
    "Application/apps/podinfo",
    "Canary/apps/podinfo",
    "Rollout/apps/podinfo",
    "Deployment/apps/podinfo",
    "StatefulSet/apps/podinfo",
    "DaemonSet/apps/podinfo",
    "Job/apps/podinfo",
    "Widget/apps/podinfo",
];

/// The words that objects are made of, so that random ones come near real ones.
const WORDS: [&str; 44] = [
    "metadata",
    "spec",
    "status",
    "conditions",
    "type",
    "reason",
    "message",
    "Ready",
    "True",
    "False",
    "Unknown",
    "Released",
    "Available",
    "Progressing",
    "NewReplicaSetAvailable",
    "Complete",
    "Healthy",
    "Synced",
    "history",
    "generation",
    "observedGeneration",
    "lastAttemptedRevision",
    "lastAppliedRevision",
    "lastAttemptedGeneration",
    "deployed",
    "chartVersion",
    "inventory",
    "entries",
    "id",
    "apps_podinfo_apps_Deployment",
    "replicas",
    "updatedReplicas",
    "template",
    "containers",
    "image",
    "name",
    "podinfo",
    "1.2.3",
    "",
    "é\u{0}:@/_",
    "2026-11-21T09:00:00Z",
    "phase",
    "sync",
    "health",
];

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![-1_i64..4, any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 80, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn spec() -> impl Strategy<Value = TargetSpec> {
    let version = prop_oneof![
        Just(VersionSource::Auto),
        Just(VersionSource::Image { container: None, repository: Some("ghcr.io/acme/podinfo".into()) }),
        Just(VersionSource::Path("/spec/replicas".into())),
    ];
    let confidence =
        prop_oneof![Just(Confidence::Controller), Just(Confidence::Workloads), Just(Confidence::Pods)];
    (prop::sample::select(TARGETS.to_vec()), version, confidence).prop_map(|(target, version, confidence)| {
        TargetSpec { object: reference(target), version, confidence, wanted: None }
    })
}

/// Whether there is anything in the object that could be a proof for its kind.
fn has_proof(kind: &str, object: &Value) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let says = |kind: &str| {
        conditions.is_some_and(|all| all.iter().any(|it| it["type"] == kind && it["status"] == "True"))
    };
    let status = |field: &str| object.pointer(&format!("/status/{field}"));
    match kind {
        "Deployment" => says("Available") && status("availableReplicas").is_some(),
        "StatefulSet" => status("readyReplicas").is_some() && status("updateRevision").is_some(),
        "DaemonSet" => status("numberAvailable").is_some() && status("updatedNumberScheduled").is_some(),
        "Job" => says("Complete"),
        "Application" => {
            object.pointer("/status/sync/status") == Some(&json!("Synced"))
                && object.pointer("/status/health/status") == Some(&json!("Healthy"))
        }
        "Rollout" => status("phase") == Some(&json!("Healthy")) && status("stableRS").is_some(),
        "Canary" => status("phase").is_some(),
        // A set that looks again has the outcome of its last turn instead.
        "Kustomization" => says("Ready") || status("history/0/lastReconciledStatus").is_some(),
        _ => says("Ready"),
    }
}

/// Takes away or replaces what is at one place of an object.
fn mutate(object: &mut Value, mut at: usize, by: Option<&Value>) {
    fn places(value: &Value, here: &str, all: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(key, it)| (key.replace('/', "~1"), it)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        for (key, child) in children {
            let place = format!("{here}/{key}");
            all.push(place.clone());
            places(child, &place, all);
        }
    }
    let mut all = Vec::new();
    places(object, "", &mut all);
    // What it is stays what it is.
    all.retain(|place| !matches!(place.as_str(), "/kind" | "/apiVersion"));
    if all.is_empty() {
        return;
    }
    at %= all.len();
    if let Some(place) = object.pointer_mut(&all[at]) {
        *place = by.cloned().unwrap_or(Value::Null);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_object_is_judged(object in any_json(), spec in spec()) {
        let slimmed = slim(object.clone());
        for object in [&object, &slimmed] {
            let judged = judge(&spec, &Sighting { object: Some(object), below: &NothingBelow, now: now() });
            if let State::Healthy { .. } = judged.state {
                prop_assert!(has_proof(&spec.object.kind, object), "{spec:?} {object} {judged:?}");
            }
        }
    }

    #[test]
    fn any_status_is_judged(status in any_json(), object in any_json(), spec in spec()) {
        let mut whole = json!({
            "metadata": { "name": "podinfo", "namespace": "apps", "generation": 1 },
            "spec": object,
            "status": status,
        });
        if let Some(status) = whole["status"].as_object_mut() {
            status.insert("observedGeneration".into(), json!(1));
        }
        let judged = judge(&spec, &Sighting { object: Some(&whole), below: &NothingBelow, now: now() });
        if let State::Healthy { .. } = judged.state {
            prop_assert!(has_proof(&spec.object.kind, &whole), "{spec:?} {whole} {judged:?}");
        }
    }

    /// Good objects of which parts are taken away or made something else: slim
    /// ones are judged as whole ones are (`World::judge` compares).
    #[test]
    fn damaged_objects_are_judged(
        which in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any_json())), 1..4),
        confidence in prop_oneof![Just(Confidence::Controller), Just(Confidence::Pods)],
    ) {
        let mut objects = [kustomization(&[RELEASE, WORKLOAD]), helm_release(), deployment(), source(COMMIT)];
        let targets = [
            "Kustomization/flux-system/apps",
            "HelmRelease/apps/podinfo",
            "Deployment/apps/podinfo",
            "GitRepository/flux-system/fleet",
        ];
        let names: Vec<Value> = objects.iter().map(|it| it["metadata"].clone()).collect();
        for (index, by) in &damage {
            mutate(&mut objects[which], index.index(10_000), by.as_ref());
        }
        // It is still found under its name.
        if !objects[which]["metadata"].is_object() {
            objects[which]["metadata"] = json!({});
        }
        for key in ["name", "namespace"] {
            objects[which]["metadata"][key] = names[which][key].clone();
        }
        let damaged = objects[which].clone();
        let world = World::of(objects);
        for target in targets {
            let mut spec = TargetSpec::new(reference(target));
            spec.confidence = confidence;
            let judged = world.judge(&spec);
            if target == targets[which] && matches!(judged.state, State::Healthy { .. }) {
                prop_assert!(has_proof(&spec.object.kind, &damaged), "{damaged} {judged:?}");
            }
        }
    }
}

/// Each proof that is taken away takes health away.
#[test]
fn nothing_is_healthy_without_its_proof() {
    let cases = [
        (helm_release(), "HelmRelease/apps/podinfo"),
        (kustomization(&[]), "Kustomization/flux-system/apps"),
        (source(COMMIT), "GitRepository/flux-system/fleet"),
        (deployment(), "Deployment/apps/podinfo"),
    ];
    for (object, target) in cases {
        assert!(matches!(World::of([object.clone(), source(COMMIT)]).state(target), State::Healthy { .. }));
        let without = ["/status/conditions", "/status/observedGeneration", "/metadata/generation", "/status"];
        for pointer in without {
            let mut object = object.clone();
            *object.pointer_mut(pointer).unwrap() = Value::Null;
            let state = World::of([source(COMMIT), object]).state(target);
            assert!(!matches!(state, State::Healthy { .. }), "{target} without {pointer}: {state:?}");
        }
        let mut lies = object.clone();
        lies["status"]["conditions"] = json!([condition("Ready", "Unknown", "Progressing", 1)]);
        lies["status"]["history"] = Value::Null;
        let state = World::of([source(COMMIT), lies]).state(target);
        assert!(!matches!(state, State::Healthy { .. }), "{target}: {state:?}");
    }
}
