//! Situations of rollouts, and the word that a gate would have for each.

use std::path::Path;

use gradus_evidence::{Judged, State};
use serde_json::{Value, json};

use crate::world::{World, now};

#[test]
fn canaries() {
    let all = vectors("canary");
    let mut wrong = Vec::new();
    for vector in &all {
        let judged = canary(&vector["is"]).judged("Canary/apps/app");
        check(vector, &judged, &mut wrong);
        // What the canary drives is judged by it.
        let redirected = canary(&vector["is"]).state("Deployment/apps/app");
        if redirected != judged.state {
            wrong.push(format!("{}: its Deployment is judged otherwise: {redirected:?}", vector["name"]));
        }
    }
    done("canary", &all, &wrong, 14);
}

#[test]
fn rollouts() {
    let all = vectors("rollout");
    let mut wrong = Vec::new();
    for vector in &all {
        let judged = World::of([rollout(&vector["is"])]).judged("Rollout/apps/app");
        check(vector, &judged, &mut wrong);
    }
    done("rollout", &all, &wrong, 7);
}

#[test]
fn workloads() {
    let all = vectors("workload");
    let mut wrong = Vec::new();
    for vector in &all {
        let kind = vector["kind"].as_str().unwrap();
        let state = World::of([workload(kind, &vector["is"])]).state(&format!("{kind}/apps/app"));
        let agrees = match vector["verdict"].as_str().unwrap() {
            "Current" => matches!(&state, State::Healthy { version, .. } if version == "B"),
            "InProgress" => matches!(&state, State::Deploying { .. }),
            "Failed" => matches!(&state, State::Failed { .. }),
            "Unknown" => matches!(&state, State::Unknown { .. }),
            "NotHealthy" => !matches!(&state, State::Healthy { .. }),
            other => panic!("no word for {other}"),
        };
        if !agrees {
            wrong.push(format!("{kind} {} is {}: {state:?}", vector["is"], vector["verdict"]));
        }
    }
    done("workload", &all, &wrong, 20);
}

/// Compares a gate's word with the state. A gate asks about one version, so that
/// being healthy at another is pending for it; who waits for a person is on its
/// way for us, and the evidence tells for what it waits.
fn check(vector: &Value, judged: &Judged, wrong: &mut Vec<String>) {
    let wanted = vector["is"]["want"].as_str().unwrap();
    let says = |words: &str| judged.evidence.iter().any(|piece| piece.says.contains(words));
    let phase = vector["is"]["phase"].as_str().unwrap_or_default();
    let agrees = match (vector["gate"].as_str().unwrap(), &judged.state) {
        ("Passed", State::Healthy { version, .. }) => version == wanted,
        ("Pending", State::Healthy { version, .. }) => version != wanted,
        ("Pending", State::Deploying { version, .. }) => version.as_deref() == Some(wanted),
        ("Running" | "AwaitingApproval", State::Deploying { version, .. }) => {
            version.as_deref() == Some(wanted) && says(&format!("phase={phase}"))
        }
        ("Failed" | "Stalled", State::Failed { version, .. }) => version.as_deref() == Some(wanted),
        ("Paused", State::Unknown { why }) => why == "suspended",
        ("Unknown", State::Unknown { .. }) => true,
        (_, _) => false,
    };
    if !agrees || (vector["verified"] == json!(false) && !says("not analysed")) {
        wrong.push(format!(
            "{} is {}: {:?} {:?}",
            vector["name"], vector["gate"], judged.state, judged.evidence
        ));
    }
}

fn done(what: &str, all: &[Value], wrong: &[String], count: usize) {
    println!("{what} vectors: {} of {}", all.len() - wrong.len(), all.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(all.len(), count);
}

fn vectors(name: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A canary, its target and the copy that serves.
fn canary(given: &Value) -> World {
    // Half of what is over after the time it may take besides.
    let interval = (given["pickup_s"].as_i64().unwrap_or(140) - 20) / 2;
    let changed = before(given["age_s"].as_i64().unwrap_or(30));
    let ended = before(match given["saw_progress"].as_bool() {
        Some(true) => 1,
        Some(false) | None => 3_000,
    });
    let promoted = match given["phase"].as_str().unwrap() {
        "Succeeded" | "Initialized" => "True",
        "Failed" => "False",
        _ => "Unknown",
    };
    let mut canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": { "name": "app", "namespace": "apps", "generation": 1 },
        "spec": {
            "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "app" },
            "suspend": given["suspend"] == json!(true),
            "analysis": { "interval": format!("{interval}s"), "metrics": [{ "name": "errors" }] },
        },
        "status": {
            "phase": given["phase"],
            "lastAppliedSpec": "1",
            "lastPromotedSpec": if given["applied_eq_promoted"] == json!(true) { "1" } else { "0" },
            "conditions": [{
                "type": "Promoted", "status": promoted, "reason": given["phase"],
                "lastTransitionTime": ended, "lastUpdateTime": ended,
            }],
        },
    });
    if given["deleting"] == json!(true) {
        canary["metadata"]["deletionTimestamp"] = json!("2026-11-21T09:59:00Z");
    }
    // An idle target has no replicas.
    let target = deployment("app", &given["target"], &changed, 0, true);
    let works = given["primary_ready"] != json!("Failed");
    let primary = deployment("app-primary", &given["primary"], &changed, 2, works);
    World::of([canary, target, primary])
}

fn before(seconds: i64) -> String {
    (now() - jiff::SignedDuration::from_secs(seconds)).to_string()
}

fn deployment(name: &str, version: &Value, changed: &str, replicas: i64, works: bool) -> Value {
    let (status, reason) =
        if works { ("True", "NewReplicaSetAvailable") } else { ("False", "ProgressDeadlineExceeded") };
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": "apps", "generation": 3 },
        "spec": { "replicas": replicas, "template": template(version) },
        "status": {
            "observedGeneration": 3, "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [
                { "type": "Progressing", "status": status, "reason": reason, "lastUpdateTime": changed },
                { "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable" },
            ],
        },
    })
}

fn template(version: &Value) -> Value {
    json!({ "spec": { "containers": [{ "name": "app", "image": format!("r/app:{}", version.as_str().unwrap()) }] } })
}

fn rollout(given: &Value) -> Value {
    let pauses: Vec<Value> =
        given["pause"].as_array().into_iter().flatten().map(|reason| json!({ "reason": reason })).collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "app", "namespace": "apps", "generation": given["generation"] },
        "spec": { "replicas": 2, "strategy": { "canary": {} }, "template": template(&given["template"]) },
        "status": {
            "observedGeneration": given["observedGeneration"], "phase": given["phase"],
            "stableRS": given["stableRS"], "currentPodHash": given["currentPodHash"],
            "controllerPause": given["controllerPause"] == json!(true), "pauseConditions": pauses,
        },
    })
}

fn workload(kind: &str, given: &Value) -> Value {
    let mut status = json!({});
    let names = [
        ("observedGeneration", "observedGeneration"),
        ("replicas", "replicas"),
        ("updatedReplicas", "updatedReplicas"),
        ("readyReplicas", "readyReplicas"),
        ("availableReplicas", "availableReplicas"),
        ("currentReplicas", "currentReplicas"),
        ("currentRevision", "currentRevision"),
        ("updateRevision", "updateRevision"),
        ("desired", "desiredNumberScheduled"),
        ("current", "currentNumberScheduled"),
        ("updated", "updatedNumberScheduled"),
        ("available", "numberAvailable"),
        ("ready", "numberReady"),
        ("startTime", "startTime"),
        ("active", "active"),
    ];
    for (name, field) in names {
        if let Some(value) = given.get(name) {
            status[field] = value.clone();
        }
    }
    let conditions = given["conditions"].as_object().into_iter().flatten();
    let conditions: Vec<Value> =
        conditions.map(|(kind, it)| json!({ "type": kind, "status": it[0], "reason": it[1] })).collect();
    status["conditions"] = json!(conditions);
    let (api, mut spec) = match kind {
        "Job" => ("batch/v1", json!({})),
        "Canary" => ("flagger.app/v1beta1", json!({ "targetRef": { "kind": "Deployment", "name": "x" } })),
        _ => ("apps/v1", json!({})),
    };
    spec["template"] = template(&json!("B"));
    if let Some(replicas) = given.get("spec_replicas") {
        spec["replicas"] = replicas.clone();
    }
    if let Some(partition) = given.get("partition") {
        spec["updateStrategy"] = json!({ "rollingUpdate": { "partition": partition } });
    }
    if let Some(strategy) = given.get("strategy") {
        spec["updateStrategy"] = json!({ "type": strategy });
    }
    let mut metadata = json!({ "name": "app", "namespace": "apps" });
    if let Some(generation) = given.get("generation") {
        metadata["generation"] = generation.clone();
    }
    json!({ "apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, "status": status })
}
