//! Objects that are well, to be changed by the tests.

use serde_json::{Value, json};

/// The object with a merge patch on it.
pub(crate) fn with(mut object: Value, change: Value) -> Value {
    json_patch::merge(&mut object, &change);
    object
}

/// A condition.
pub(crate) fn condition(kind: &str, status: &str, reason: &str, generation: i64) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": format!("{kind} is {status}."),
        "observedGeneration": generation, "lastTransitionTime": "2026-11-21T09:00:10Z",
    })
}

/// `HelmRelease/apps/podinfo`, upgraded to 6.5.0.
pub(crate) fn helm_release() -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {
            "name": "podinfo", "namespace": "apps", "generation": 2,
            "creationTimestamp": "2026-11-20T08:00:00Z",
            "labels": {
                "kustomize.toolkit.fluxcd.io/name": "apps",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            },
        },
        "spec": { "chart": { "spec": { "chart": "podinfo", "version": "6.5.0" } }, "interval": "10m" },
        "status": {
            "observedGeneration": 2,
            "lastAttemptedGeneration": 2,
            "lastAttemptedRevision": "6.5.0",
            "lastAttemptedConfigDigest": "sha256:aa",
            "conditions": [
                condition("Ready", "True", "UpgradeSucceeded", 2),
                condition("Released", "True", "UpgradeSucceeded", 2),
            ],
            "history": [snapshot(2, "deployed", "6.5.0"), snapshot(1, "superseded", "6.4.0")],
            "inventory": { "entries": [{ "id": "apps_podinfo_apps_Deployment", "v": "v1" }] },
        },
    })
}

/// An entry of a release's history.
pub(crate) fn snapshot(number: i64, status: &str, version: &str) -> Value {
    json!({
        "version": number, "status": status, "action": "upgrade", "chartName": "podinfo",
        "chartVersion": version, "configDigest": "sha256:aa", "name": "podinfo", "namespace": "apps",
        "lastDeployed": "2026-11-21T09:00:02Z",
    })
}

/// `HelmRelease/apps/podinfo` after an upgrade to 6.6.0 that failed and was rolled back.
pub(crate) fn rolled_back() -> Value {
    with(
        helm_release(),
        json!({
            "metadata": { "generation": 3 },
            "spec": { "chart": { "spec": { "version": "6.6.0" } } },
            "status": {
                "observedGeneration": 3, "lastAttemptedGeneration": 3, "lastAttemptedRevision": "6.6.0",
                "failures": 1,
                "conditions": [
                    condition("Stalled", "True", "RetriesExceeded", 3),
                    condition("Ready", "False", "RollbackSucceeded", 3),
                    condition("Released", "False", "UpgradeFailed", 3),
                    condition("Remediated", "True", "RollbackSucceeded", 3),
                ],
                "history": [
                    snapshot(4, "deployed", "6.5.0"),
                    snapshot(3, "failed", "6.6.0"),
                    snapshot(2, "superseded", "6.5.0"),
                ],
            },
        }),
    )
}

pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";
pub(crate) const NEXT: &str = "2222222222222222222222222222222222222222";

pub(crate) fn revision(commit: &str) -> String {
    format!("main@sha1:{commit}")
}

/// `Kustomization/flux-system/apps`, which does not wait, at [`COMMIT`].
pub(crate) fn kustomization(inventory: &[&str]) -> Value {
    let entries: Vec<Value> = inventory.iter().map(|id| json!({ "id": id, "v": "v1" })).collect();
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {
            "name": "apps", "namespace": "flux-system", "generation": 1,
            "creationTimestamp": "2026-11-20T08:00:00Z",
        },
        "spec": {
            "interval": "10m", "path": "./apps", "prune": true,
            "sourceRef": { "kind": "GitRepository", "name": "fleet" },
        },
        "status": {
            "observedGeneration": 1,
            "lastAttemptedRevision": revision(COMMIT),
            "lastAppliedRevision": revision(COMMIT),
            "conditions": [condition("Ready", "True", "ReconciliationSucceeded", 1)],
            "history": [{
                "digest": "sha256:bb", "firstReconciled": "2026-11-21T08:30:00Z",
                "lastReconciled": "2026-11-21T09:00:10Z",
                "lastReconciledStatus": "ReconciliationSucceeded",
                "metadata": { "revision": revision(COMMIT) },
            }],
            "inventory": { "entries": entries },
        },
    })
}

/// `GitRepository/flux-system/fleet` at this commit.
pub(crate) fn source(commit: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": { "name": "fleet", "namespace": "flux-system", "generation": 1 },
        "spec": { "interval": "1m", "ref": { "branch": "main" } },
        "status": {
            "observedGeneration": 1,
            "artifact": { "revision": revision(commit), "lastUpdateTime": "2026-11-21T08:29:00Z" },
            "conditions": [condition("Ready", "True", "Succeeded", 1)],
        },
    })
}

/// `Deployment/apps/podinfo` with two replicas of podinfo 6.5.0, rolled out.
pub(crate) fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "podinfo", "namespace": "apps", "generation": 4 },
        "spec": {
            "replicas": 2, "progressDeadlineSeconds": 600,
            "selector": { "matchLabels": { "app": "podinfo" } },
            "template": {
                "metadata": { "labels": { "app": "podinfo" } },
                "spec": { "containers": [{ "name": "podinfo", "image": "ghcr.io/acme/podinfo:6.5.0" }] },
            },
        },
        "status": {
            "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
            "availableReplicas": 2,
            "conditions": [
                {
                    "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                    "lastTransitionTime": "2026-11-20T08:00:00Z",
                },
                {
                    "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                    "lastTransitionTime": "2026-11-20T08:00:00Z", "lastUpdateTime": "2026-11-21T09:00:05Z",
                },
            ],
        },
    })
}

/// The deployment after a rollout that does not come to an end.
pub(crate) fn stuck() -> Value {
    with(
        deployment(),
        json!({
            "status": {
                "replicas": 3, "updatedReplicas": 1,
                "conditions": [{
                    "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                    "message": "ReplicaSet \"podinfo-7\" has timed out progressing.",
                    "lastTransitionTime": "2026-11-21T09:10:00Z",
                }],
            },
        }),
    )
}

/// A pod of the deployment that runs an image with this digest.
pub(crate) fn pod(name: &str, digest: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "apps", "labels": { "app": "podinfo" } },
        "status": {
            "phase": "Running",
            "containerStatuses": [{
                "name": "podinfo", "ready": true, "imageID": format!("ghcr.io/acme/podinfo@{digest}"),
            }],
        },
    })
}

/// The id of the release in an inventory.
pub(crate) const RELEASE: &str = "apps_podinfo_helm.toolkit.fluxcd.io_HelmRelease";
/// The id of the deployment in an inventory.
pub(crate) const WORKLOAD: &str = "apps_podinfo_apps_Deployment";
