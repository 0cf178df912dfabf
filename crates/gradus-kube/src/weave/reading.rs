//! What an application says of itself, in the terms of the level-triggered rule: the
//! revision that was applied last, and whether it is ready.

use gradus_evidence::{NothingBelow, ObjectRef, Sighting, State, TargetSpec, judge};
use gradus_weave::Revision;
use jiff::Timestamp;
use serde_json::Value;

/// What was read of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// It can be relied on.
    Says {
        revision: Option<Revision>,
        ready: bool,
        /// What is odd about it.
        error: Option<&'static str>,
    },
    /// Nobody looks after it at the moment, so that what it says may be of long ago.
    Stale { revision: Option<Revision>, why: &'static str },
}

/// The words where something is ready and does not say of what.
const NO_REVISION: &str = "unable to find .status.lastAppliedRevision in ready target object";

/// Reads an application.
pub(super) fn read(object: &Value, name: &ObjectRef, now: Timestamp) -> Read {
    let of = |pointer: &str| object.pointer(pointer);
    let text = |pointer: &str| of(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_helm = (name.group.as_str(), name.kind.as_str()) == ("helm.toolkit.fluxcd.io", "HelmRelease");
    let ticked = is_ready(object);
    let attempted = text("/status/lastAttemptedRevision");
    // Newer controllers keep the releases, the newest first, and no more the revision applied last.
    let newest = text("/status/history/0/chartVersion").filter(|_| is_helm);
    let applied = match (newest, text("/status/lastAppliedRevision")) {
        (Some(newest), _) => Some(newest),
        (None, Some(applied)) => Some(applied),
        (None, None) => attempted.filter(|_| is_helm && ticked),
    };
    let revision = applied
        // What comes after the plus is how Flux marks the artifact, and no part of a version to write.
        .map(|applied| if is_helm { plain(applied) } else { applied })
        .and_then(|applied| Revision::parse(applied).ok());
    if text("/metadata/deletionTimestamp").is_some() {
        return Read::Stale { revision, why: "the target object is being deleted" };
    }
    if of("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return Read::Stale { revision, why: "the target object is suspended, nobody looks after it" };
    }
    let is_deployed = newest.is_none() || text("/status/history/0/status").is_none_or(|it| it == "deployed");
    // A tick above a revision that is not the one that was tried last is of the turn before.
    let is_last = match (applied, attempted) {
        (Some(applied), Some(attempted)) if is_helm => plain(applied) == plain(attempted),
        (Some(applied), Some(attempted)) => applied == attempted,
        (Some(_) | None, Some(_) | None) => true,
    };
    let ready = ticked && is_deployed && is_last && !has_failed(object, name, now);
    match (ready, &revision) {
        (true, None) => Read::Says { revision, ready: false, error: Some(NO_REVISION) },
        (true | false, Some(_) | None) => Read::Says { revision, ready, error: None },
    }
}

/// Whether its controller calls it ready, as it is asked for now.
fn is_ready(object: &Value) -> bool {
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    // Who does not say of which generation it speaks is believed. Flux's definitions have -1 where
    // nothing was said.
    let told = |said: Option<&Value>| said.and_then(Value::as_i64).filter(|said| *said >= 0);
    let is_of_now = |said: Option<&Value>| match (generation, told(said)) {
        (Some(generation), Some(said)) => said >= generation,
        (Some(_) | None, Some(_) | None) => true,
    };
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let is_true = |kind: &str| {
        let found = conditions?.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(kind))?;
        let so = found.get("status").and_then(Value::as_str) == Some("True");
        Some(so && is_of_now(found.get("observedGeneration")))
    };
    is_true("Ready") == Some(true)
        && is_true("Stalled") != Some(true)
        && is_of_now(object.pointer("/status/observedGeneration"))
}

/// Whether it is known not to work, though it may be called ready.
fn has_failed(object: &Value, name: &ObjectRef, now: Timestamp) -> bool {
    let sighting = Sighting { object: Some(object), below: &NothingBelow, now };
    match judge(&TargetSpec::new(name.clone()), &sighting).state {
        State::Failed { .. } => true,
        State::NotDeployed | State::Deploying { .. } | State::Healthy { .. } | State::Unknown { .. } => false,
    }
}

fn plain(version: &str) -> &str {
    version.split_once('+').map_or(version, |(plain, _)| plain)
}

#[cfg(test)]
mod tests {
    use gradus_evidence::ObjectRef;
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{NO_REVISION, Read, read};

    fn seen(group: &str, kind: &str, object: &Value) -> String {
        match read(object, &ObjectRef::new(group, kind, "apps", "web"), Timestamp::UNIX_EPOCH) {
            Read::Says { revision, ready, error } => {
                let revision = revision.map_or_else(|| "-".to_owned(), |revision| revision.to_string());
                let ready = if ready { "ready" } else { "not ready" };
                error.map_or_else(
                    || format!("{revision} {ready}"),
                    |error| format!("{revision} {ready}: {error}"),
                )
            }
            Read::Stale { why, .. } => why.to_owned(),
        }
    }

    fn helm(object: &Value) -> String {
        seen("helm.toolkit.fluxcd.io", "HelmRelease", object)
    }

    fn kustomization(object: &Value) -> String {
        seen("kustomize.toolkit.fluxcd.io", "Kustomization", object)
    }

    fn ready(status: &str) -> Value {
        json!([{"type": "Ready", "status": status}])
    }

    #[test]
    fn b7_a_release_of_a_newer_controller_has_its_version_in_its_history() {
        let release = |status: &str, version: &str, attempted: &str| {
            helm(&json!({"metadata": {"generation": 2}, "status": {
                "observedGeneration": 2, "lastAttemptedGeneration": 2, "lastAttemptedRevision": attempted,
                "conditions": [
                    {"type": "Ready", "status": "True", "reason": "UpgradeSucceeded"},
                    {"type": "Released", "status": "True", "reason": "UpgradeSucceeded"},
                ],
                "history": [
                    {"chartVersion": version, "status": status},
                    {"chartVersion": "1.0.0", "status": "superseded"},
                ],
            }}))
        };
        assert_eq!(release("deployed", "1.0.1", "1.0.1"), "1.0.1 ready");
        assert_eq!(release("deployed", "1.0.1+3f2b9ed", "1.0.1+3f2b9ed"), "1.0.1 ready");
        assert_eq!(release("failed", "1.0.1", "1.0.1"), "1.0.1 not ready");
        // The tick is written before the history.
        assert_eq!(release("deployed", "1.0.0", "1.0.1"), "1.0.0 not ready");
    }

    #[test]
    fn a_release_of_an_older_controller_has_it_as_the_one_that_was_applied() {
        let bare = json!({"status": {"conditions": ready("True"), "lastAppliedRevision": "v1.0.1"}});
        assert_eq!(helm(&bare), "v1.0.1 ready");
        let tried = json!({"status": {"conditions": ready("True"), "lastAttemptedRevision": "1.0.1"}});
        assert_eq!(helm(&tried), "1.0.1 ready");
        let trying = json!({"status": {"conditions": ready("False"), "lastAttemptedRevision": "1.0.1"}});
        assert_eq!(helm(&trying), "- not ready", "what is only tried was not applied");
    }

    #[test]
    fn a_kustomization_has_it_as_the_one_that_was_applied() {
        let status =
            |ready: Value| json!({"status": {"conditions": ready, "lastAppliedRevision": "main@sha1:abc"}});
        assert_eq!(kustomization(&status(ready("True"))), "main@sha1:abc ready");
        assert_eq!(kustomization(&status(ready("False"))), "main@sha1:abc not ready");
        assert_eq!(kustomization(&status(json!(null))), "main@sha1:abc not ready");
        let next = json!({"status": {
            "conditions": ready("True"), "lastAppliedRevision": "1.0.0", "lastAttemptedRevision": "1.0.1",
        }});
        assert_eq!(kustomization(&next), "1.0.0 not ready");
    }

    #[test]
    fn nothing_is_ready_that_says_nothing() {
        assert_eq!(helm(&json!({})), "- not ready");
        let no_revision = json!({"status": {"conditions": ready("True")}});
        assert_eq!(kustomization(&no_revision), format!("- not ready: {NO_REVISION}"));
        assert_eq!(seen("test.weave.works", "Fake", &no_revision), format!("- not ready: {NO_REVISION}"));
    }

    #[test]
    fn a_tick_for_what_was_asked_before_does_not_count() {
        let of = |observed: i64| {
            kustomization(&json!({"metadata": {"generation": 3}, "status": {
                "observedGeneration": observed, "conditions": ready("True"), "lastAppliedRevision": "1.0.0",
            }}))
        };
        assert_eq!(of(2), "1.0.0 not ready");
        assert_eq!(of(-1), "1.0.0 ready", "it does not say of which");
        assert_eq!(of(3), "1.0.0 ready");
    }

    #[test]
    fn what_nobody_looks_after_is_not_relied_on() {
        let status = json!({"conditions": ready("True"), "lastAppliedRevision": "1.0.0"});
        let suspended = json!({"spec": {"suspend": true}, "status": status});
        assert_eq!(helm(&suspended), "the target object is suspended, nobody looks after it");
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": status});
        assert_eq!(kustomization(&going), "the target object is being deleted");
    }
}
