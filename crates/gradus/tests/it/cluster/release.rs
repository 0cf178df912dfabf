//! HelmReleases, as Flux leaves them.

use gradus_testbed::each_time;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A HelmRelease that asks for a version.
pub(crate) fn declared(namespace: &str, name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "interval": "10m",
            "chart": {"spec": {
                "chart": "web",
                "version": version,
                "sourceRef": {"kind": "HelmRepository", "name": "web"},
            }},
        },
    })
}

/// What it says once the version that it asks for runs.
pub(crate) fn works(object: &Value) -> Value {
    let (generation, version, now) = (generation(object), version(object), now());
    let says = format!("Helm upgrade succeeded with chart web@{version}");
    let condition = |of: &str| {
        json!({"type": of, "status": "True", "reason": "UpgradeSucceeded", "message": says,
               "observedGeneration": generation, "lastTransitionTime": now})
    };
    json!({"status": {
        "observedGeneration": generation,
        "lastAttemptedGeneration": generation,
        "lastAttemptedRevision": version,
        "conditions": [condition("Ready"), condition("Released")],
        "history": [deployed(object, &version, "deployed", 2)],
    }})
}

/// What it says once the version that it asks for was tried, failed, and the one
/// before was put back.
pub(crate) fn fails(object: &Value, before: &str) -> Value {
    let (generation, version, now) = (generation(object), version(object), now());
    let says = format!("Helm upgrade failed for chart web@{version}: context deadline exceeded");
    let condition = |of: &str, status: &str, reason: &str| {
        json!({"type": of, "status": status, "reason": reason, "message": says,
               "observedGeneration": generation, "lastTransitionTime": now})
    };
    json!({"status": {
        "observedGeneration": generation,
        "lastAttemptedGeneration": generation,
        "lastAttemptedRevision": version,
        "conditions": [
            condition("Stalled", "True", "RetriesExceeded"),
            condition("Ready", "False", "UpgradeFailed"),
            condition("Released", "False", "UpgradeFailed"),
            condition("Remediated", "True", "RollbackSucceeded"),
        ],
        "history": [deployed(object, before, "deployed", 3), deployed(object, &version, "failed", 2)],
    }})
}

fn deployed(object: &Value, version: &str, status: &str, revision: u64) -> Value {
    complete(json!({
        "name": object.pointer("/metadata/name"),
        "namespace": object.pointer("/metadata/namespace"),
        "chartVersion": version,
        "status": status,
        "version": revision,
    }))
}

/// An entry of the history with everything that the definition asks for.
pub(crate) fn complete(mut entry: Value) -> Value {
    let filled = [
        ("chartName", "web".to_owned()),
        ("configDigest", "sha256:0".to_owned()),
        ("digest", "sha256:0".to_owned()),
        ("firstDeployed", now()),
        ("lastDeployed", now()),
    ];
    for (field, value) in filled {
        if entry.get(field).is_none() {
            entry[field] = value.into();
        }
    }
    entry
}

fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap()
}

fn version(object: &Value) -> String {
    object["spec"]["chart"]["spec"]["version"].as_str().unwrap().to_owned()
}

fn now() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap().to_string()
}

/// The same by a clock that is so many hours ahead, or behind with a minus before them.
pub(crate) fn by_a_clock_ahead(mut says: Value, hours: i64) -> Value {
    each_time(&mut says, &mut |at| at + SignedDuration::from_hours(hours));
    says
}
