//! Drops what judging does not read.

use serde_json::{Map, Value};

use crate::kind::Kind;
use crate::words::tidy;

/// Of every object.
const OF_ALL: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata/name",
    "metadata/namespace",
    "metadata/resourceVersion",
    "metadata/generation",
    "metadata/creationTimestamp",
    "metadata/deletionTimestamp",
    "status/observedGeneration",
    "status/conditions/*/type",
    "status/conditions/*/status",
    "status/conditions/*/reason",
    "status/conditions/*/message",
    "status/conditions/*/observedGeneration",
    "status/conditions/*/lastTransitionTime",
    "status/conditions/*/lastUpdateTime",
];

const HELM_RELEASE: &[&str] = &[
    "spec/suspend",
    "spec/kubeConfig",
    "spec/chart/spec/version",
    "spec/chartRef",
    "spec/test/enable",
    "spec/install/disableWait",
    "spec/upgrade/disableWait",
    "spec/rollback/disableWait",
    "status/lastAttemptedGeneration",
    "status/lastAttemptedRevision",
    "status/lastAttemptedRevisionDigest",
    "status/lastAttemptedConfigDigest",
    "status/lastAppliedRevision",
    "status/failures",
    "status/inventory/entries/*/id",
    "status/history/0/namespace",
    "status/history/0/status",
    "status/history/0/action",
    "status/history/0/chartVersion",
    "status/history/0/configDigest",
    "status/history/0/ociDigest",
    "status/history/0/lastDeployed",
    "status/history/0/testHooks/*/phase",
];

const KUSTOMIZATION: &[&str] = &[
    "spec/suspend",
    "spec/kubeConfig",
    "spec/wait",
    "spec/sourceRef",
    "status/lastAttemptedRevision",
    "status/lastAppliedRevision",
    "status/lastAppliedOriginRevision",
    "status/inventory/entries/*/id",
    "status/history/*/firstReconciled",
    "status/history/*/lastReconciled",
    "status/history/*/lastReconciledStatus",
    "status/history/*/metadata/revision",
    "status/history/*/metadata/originRevision",
];

const SOURCE: &[&str] = &["spec/suspend", "status/artifact/revision", "status/artifact/lastUpdateTime"];

const APPLICATION: &[&str] = &[
    "operation/sync/revision",
    "spec/destination",
    "spec/source/repoURL",
    "spec/source/targetRevision",
    "spec/source/chart",
    "spec/source/path",
    "spec/sources/*/repoURL",
    "spec/sources/*/targetRevision",
    "spec/sources/*/chart",
    "spec/sources/*/path",
    "status/sync/status",
    "status/sync/revision",
    "status/sync/revisions",
    "status/sync/comparedTo/source/repoURL",
    "status/sync/comparedTo/source/targetRevision",
    "status/sync/comparedTo/source/chart",
    "status/sync/comparedTo/source/path",
    "status/sync/comparedTo/sources/*/repoURL",
    "status/sync/comparedTo/sources/*/targetRevision",
    "status/sync/comparedTo/sources/*/chart",
    "status/sync/comparedTo/sources/*/path",
    "status/health",
    "status/reconciledAt",
    "status/summary/images",
    "status/operationState/phase",
    "status/operationState/message",
    "status/operationState/startedAt",
    "status/operationState/finishedAt",
    "status/operationState/syncResult/revision",
    "status/operationState/syncResult/revisions",
    "status/operationState/operation/sync/revision",
    "status/resources/*/group",
    "status/resources/*/kind",
    "status/resources/*/namespace",
    "status/resources/*/name",
];

const CANARY: &[&str] = &[
    "spec/targetRef",
    "spec/suspend",
    "spec/skipAnalysis",
    "spec/analysis/interval",
    "spec/analysis/metrics/*/name",
    "spec/analysis/webhooks/*/type",
    "spec/canaryAnalysis/interval",
    "spec/canaryAnalysis/metrics/*/name",
    "spec/canaryAnalysis/webhooks/*/type",
    "status/phase",
    "status/lastAppliedSpec",
    "status/lastPromotedSpec",
];

const ROLLOUT: &[&str] = &[
    "spec/replicas",
    "spec/paused",
    "spec/workloadRef",
    "spec/strategy/blueGreen/activeService",
    "spec/template/spec/containers/*/name",
    "spec/template/spec/containers/*/image",
    "status/phase",
    "status/message",
    "status/abort",
    "status/abortedAt",
    "status/controllerPause",
    "status/pauseConditions/*/reason",
    "status/stableRS",
    "status/currentPodHash",
    "status/blueGreen/activeSelector",
    "status/workloadObservedGeneration",
];

const WORKLOAD: &[&str] = &[
    "spec/replicas",
    "spec/paused",
    "spec/suspend",
    "spec/progressDeadlineSeconds",
    "spec/selector/matchLabels",
    "spec/template/spec/containers/*/name",
    "spec/template/spec/containers/*/image",
    "spec/template/spec/initContainers/*/name",
    "spec/template/spec/initContainers/*/image",
    "status/replicas",
    "status/updatedReplicas",
    "status/readyReplicas",
    "status/availableReplicas",
    "status/currentReplicas",
    "status/currentRevision",
    "status/updateRevision",
    "status/desiredNumberScheduled",
    "status/currentNumberScheduled",
    "status/updatedNumberScheduled",
    "status/numberAvailable",
    "status/numberReady",
    "status/startTime",
    "status/completionTime",
];

const POD: &[&str] = &[
    "status/phase",
    "status/containerStatuses/*/name",
    "status/containerStatuses/*/ready",
    "status/containerStatuses/*/imageID",
];

/// The conditions whose message says nothing when they are true.
const QUIET: [&str; 9] = [
    "Ready",
    "Released",
    "TestSuccess",
    "Healthy",
    "Reconciling",
    "Available",
    "Progressing",
    "ArtifactInStorage",
    "Complete",
];

/// The labels and annotations that tell who applied an object, and how.
const MARKS: [&str; 6] = [
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
    "helm.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/namespace",
    "kustomize.toolkit.fluxcd.io/ssa",
    "rollout.argoproj.io/workload-generation",
];

/// The object without what judging does not read. What is left of a kind that is
/// not known is all but its annotations and who wrote which field.
pub fn slim(object: Value) -> Value {
    slim_keeping(object, &[])
}

/// The object without what judging does not read, but with what is at these JSON
/// pointers: a target's own version path.
pub fn slim_keeping(object: Value, pointers: &[&str]) -> Value {
    let of = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let group = of("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let kind = Kind::of(group, of("kind"));
    let own = match kind {
        Kind::HelmRelease => HELM_RELEASE,
        Kind::Kustomization => KUSTOMIZATION,
        Kind::Source => SOURCE,
        Kind::Application => APPLICATION,
        Kind::Canary => CANARY,
        Kind::Rollout => ROLLOUT,
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => WORKLOAD,
        Kind::Pod => POD,
        Kind::Other => return without_writers(object),
    };
    let mut slim = Value::Object(Map::new());
    for path in OF_ALL.iter().chain(own) {
        let keys: Vec<&str> = path.split('/').collect();
        copy(&object, &keys, &mut slim);
    }
    for pointer in pointers {
        let keys: Vec<String> =
            pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        copy(&object, &keys, &mut slim);
    }
    // The pods of a workload are found by any of their labels.
    let all_labels = kind == Kind::Pod;
    for map in ["labels", "annotations"] {
        let all = object.pointer(&format!("/metadata/{map}")).and_then(Value::as_object);
        for key in all.into_iter().flat_map(Map::keys) {
            if MARKS.contains(&key.as_str()) || (all_labels && map == "labels") {
                copy(&object, &["metadata", map, key], &mut slim);
            }
        }
    }
    tidy_up(&mut slim, kind);
    slim
}

/// Copies what is at this path, `*` being every key or item, to the same place.
fn copy(from: &Value, path: &[&str], to: &mut Value) {
    let Some((key, rest)) = path.split_first() else {
        to.clone_from(from);
        return;
    };
    match from {
        Value::Object(fields) => {
            let keys: Vec<&str> =
                if *key == "*" { fields.keys().map(String::as_str).collect() } else { vec![key] };
            for key in keys {
                let Some(value) = fields.get(key) else { continue };
                if !to.is_object() {
                    *to = Value::Object(Map::new());
                }
                if let Some(place) = to.as_object_mut() {
                    copy(value, rest, place.entry(key).or_insert(Value::Null));
                }
            }
        }
        Value::Array(items) => {
            let only = key.parse::<usize>().ok();
            if only.is_none() && *key != "*" {
                return;
            }
            // An item keeps its place: those before it are left empty.
            let upto = only.map_or(items.len(), |only| items.len().min(only + 1));
            if !to.is_array() {
                *to = Value::Array(Vec::new());
            }
            let Some(places) = to.as_array_mut() else { return };
            if places.len() < upto {
                places.resize(upto, Value::Null);
            }
            for (at, (item, place)) in items.iter().zip(places).enumerate() {
                if only.is_none_or(|only| only == at) {
                    copy(item, rest, place);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Shortens messages, and drops what was applied and is not looked at.
fn tidy_up(object: &mut Value, kind: Kind) {
    for condition in
        object.pointer_mut("/status/conditions").and_then(Value::as_array_mut).into_iter().flatten()
    {
        let is_quiet = condition.get("status").and_then(Value::as_str) == Some("True")
            && condition.get("type").and_then(Value::as_str).is_some_and(|kind| QUIET.contains(&kind));
        if is_quiet && let Some(fields) = condition.as_object_mut() {
            fields.remove("message");
        }
        if let Some(Value::String(message)) = condition.get_mut("message") {
            *message = tidy(message);
        }
    }
    if let Some(Value::Array(entries)) = object.pointer_mut("/status/inventory/entries") {
        entries.retain(|entry| {
            let id = entry.get("id").and_then(Value::as_str);
            id.and_then(crate::owned::parse_id)
                .is_some_and(|it| is_looked_at(kind, Kind::of(&it.group, &it.kind)))
        });
    }
    if let Some(Value::Array(resources)) = object.pointer_mut("/status/resources") {
        resources.retain(|it| {
            let of = |key| it.get(key).and_then(Value::as_str).unwrap_or_default();
            is_looked_at(kind, Kind::of(of("group"), of("kind")))
        });
    }
}

fn is_looked_at(owner: Kind, owned: Kind) -> bool {
    owned.is_workload() || (owned.is_applier() && owner.is_applier())
}

/// A kind that is not known: any of its fields may be where its version is.
fn without_writers(mut object: Value) -> Value {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
        metadata.remove("annotations");
    }
    object
}
