//! What a webhook promotes, and what it does not.

use gradus_weave::approval;
use gradus_weave::kind::Pipeline;
use gradus_weave::signature::Signed;
use gradus_weave::webhook::{Decision, decide};
use proptest::prelude::*;
use serde_json::{Value, json};

fn pipeline() -> Pipeline {
    serde_json::from_value(json!({
        "metadata": {"name": "podinfo", "namespace": "apps"},
        "spec": {
            "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "podinfo"},
            "environments": [
                {"name": "dev-test", "targets": [{"namespace": "app"}]},
                {"name": "uat", "targets": [{"namespace": "app"}, {"namespace": "app-2", "clusterRef": {"kind": "GitopsCluster", "name": "leaf"}}]},
                {"name": "prod", "targets": [{"namespace": "app"}]},
            ],
            "promotion": {"strategy": {"notification": {}}},
        },
    }))
    .unwrap()
}

fn event() -> Value {
    json!({
        "involvedObject": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "podinfo", "namespace": "app"},
        "severity": "info", "timestamp": "2026-01-05T09:00:00Z", "reason": "UpgradeSucceeded",
        "message": "Helm upgrade succeeded for release app/podinfo.v2 with chart podinfo@6.1.5",
        "metadata": {"revision": "6.1.5"}, "reportingController": "helm-controller",
    })
}

fn told(source: &str, body: &Value) -> String {
    told_of(&pipeline(), source, body.to_string().as_bytes())
}

fn told_of(pipeline: &Pipeline, source: &str, body: &[u8]) -> String {
    match decide(pipeline, source, Signed::NotAsked, body) {
        Decision::Answer(answer) => format!("{} {}", answer.status, answer.body).trim().to_owned(),
        Decision::Unable(why) => format!("unable: {why}"),
        Decision::Nothing(why) => format!("nothing: {}", why.words()),
        Decision::Wait { environment, revision } => format!("wait: {revision} for {environment}"),
        Decision::Promote(promotion) => {
            let to = &promotion.environment;
            format!("promote: {} to {} ({} targets)", promotion.revision, to.name, to.targets.len())
        }
    }
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut event = event();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    event
}

/// R1: who cannot sign learns no more than that; nothing is read of what they sent.
#[test]
fn r1_the_signature_is_asked_before_anything_is_read() {
    for (source, body) in [("dev-test", "oops"), ("nowhere", "{}"), ("prod", "[]")] {
        let decision = decide(&pipeline(), source, Signed::Bad, body.as_bytes());
        assert!(
            matches!(decision, Decision::Answer(answer) if answer.status == 401 && answer.body.is_empty())
        );
    }
    let approved = approval::decide(&pipeline(), "nowhere", "1", Signed::Bad);
    assert!(matches!(approved, approval::Decision::Answer(answer) if answer.status == 401));
}

/// R2: nothing but the event and the environments is asked.
#[test]
fn r2_the_event_and_the_environments_decide() {
    let mut pipeline = pipeline();
    pipeline.status.environments.clear();
    let event = event().to_string();
    assert_eq!(told_of(&pipeline, "uat", event.as_bytes()), "promote: 6.1.5 to prod (1 targets)");
}

/// R3: one promotion for all targets of an environment.
#[test]
fn r3_all_targets_of_the_next_environment_are_promoted_to() {
    assert_eq!(told("dev-test", &event()), "promote: 6.1.5 to uat (2 targets)");
}

/// R4: one target that succeeded is enough.
#[test]
fn r4_one_target_that_succeeded_is_enough() {
    let second = with(&[("/involvedObject/namespace", json!("app-2"))]);
    for one in [event(), second] {
        assert_eq!(told("uat", &one), "promote: 6.1.5 to prod (1 targets)");
    }
}

/// R5: the last one promotes nowhere.
#[test]
fn r5_the_last_environment_promotes_nowhere() {
    assert_eq!(told("prod", &event()), "422 cannot promote beyond last environment prod");
}

/// R9: targets of several clusters with one namespace; who of them sent it is not told by anybody.
#[test]
fn r9_the_cluster_of_the_sender_does_not_matter() {
    let mut pipeline = pipeline();
    for target in &mut pipeline.spec.environments[1].targets {
        target.namespace = "app".to_owned();
    }
    let event = event().to_string();
    assert_eq!(told_of(&pipeline, "uat", event.as_bytes()), "promote: 6.1.5 to prod (1 targets)");
}

/// R7: a spec of another shape promotes nothing.
#[test]
fn r7_a_promotion_of_another_shape_promotes_nothing() {
    let mut pipeline = pipeline();
    let odd = json!({"pullRequest": {"url": "https://git.example/a/b", "branch": "main"}});
    pipeline.spec.promotion = Some(serde_json::from_value(odd).unwrap());
    let event = event().to_string();
    let told = told_of(&pipeline, "uat", event.as_bytes());
    assert_eq!(told, "unable: the promotion names no strategy");
    pipeline.spec.promotion = None;
    let told = told_of(&pipeline, "uat", event.as_bytes());
    assert_eq!(told, "unable: neither the environment nor the pipeline says how to promote");
}

/// A14: what GitHub passes on of an event is taken like the event.
#[test]
fn a14_the_payload_of_a_dispatch_is_the_event() {
    let direct = with(&[("/metadata/summary", json!("env=dev-test"))]);
    let dispatch = json!({"event_type": "HelmRelease/podinfo.app", "client_payload": direct});
    let passed_on = json!({"action": "HelmRelease/podinfo.app", "branch": "main", "client_payload": direct});
    for body in [direct, dispatch, passed_on] {
        assert_eq!(told("dev-test", &body), "promote: 6.1.5 to uat (2 targets)");
    }
    assert_eq!(told("dev-test", &json!({"client_payload": []})), "400");
}

/// A15: errors and other environments promote nothing.
#[test]
fn a15_errors_and_other_environments_promote_nothing() {
    let error = with(&[("/severity", json!("error"))]);
    assert_eq!(told("dev-test", &error), "nothing: the event tells of an error");
    let elsewhere = "nothing: the event says that it is about another environment";
    for (field, value, expected) in [
        ("/metadata/summary", "env=dev-test", "promote: 6.1.5 to uat (2 targets)"),
        ("/metadata/summary", "env=uat", elsewhere),
        ("/metadata/env", "prod", elsewhere),
        // What is no environment of the pipeline says nothing about which one it is.
        ("/metadata/summary", "env=cluster-7", "promote: 6.1.5 to uat (2 targets)"),
        ("/metadata/summary", "the uat of ours", "promote: 6.1.5 to uat (2 targets)"),
    ] {
        assert_eq!(told("dev-test", &with(&[(field, json!(value))])), expected, "{field} {value}");
    }
}

/// A24: what began, or is not ready, promotes nothing.
#[test]
fn a24_what_began_or_waits_promotes_nothing() {
    let under_way = "nothing: the event tells of something that is not done yet";
    for (reason, message, expected) in [
        ("info", "Helm upgrade has started", under_way),
        ("info", "Helm install has started", under_way),
        ("info", "HelmChart 'flux-system/app-podinfo' is not ready", under_way),
        ("info", "Dependencies do not meet ready condition, retrying in 30s", under_way),
        ("", "first line\nHelm upgrade has started", under_way),
        ("Progressing", "Running 'upgrade' action with timeout of 5m0s", under_way),
        ("DependencyNotReady", "", under_way),
        ("info", "Helm upgrade succeeded", "promote: 6.1.5 to uat (2 targets)"),
        ("UpgradeSucceeded", "release this-is-not-ready upgraded", "promote: 6.1.5 to uat (2 targets)"),
        ("InstallSucceeded", "", "promote: 6.1.5 to uat (2 targets)"),
    ] {
        let event = with(&[("/reason", json!(reason)), ("/message", json!(message))]);
        assert_eq!(told("dev-test", &event), expected, "{reason} {message}");
    }
}

#[test]
fn what_was_taken_back_promotes_nothing() {
    let back = "nothing: the event tells that a release was taken back";
    let error = "nothing: the event tells of an error";
    for (reason, severity, expected) in [
        ("RollbackSucceeded", "info", back),
        ("RollbackSucceeded", "error", back),
        ("UninstallSucceeded", "info", back),
        ("UpgradeFailed", "info", error),
        ("TestFailed", "info", error),
        ("UpgradeSucceeded", "error", error),
    ] {
        let event = with(&[("/reason", json!(reason)), ("/severity", json!(severity))]);
        assert_eq!(told("dev-test", &event), expected, "{reason} {severity}");
    }
    // What is wrong with the request is said all the same.
    let wrong = with(&[("/reason", json!("RollbackSucceeded")), ("/involvedObject/name", json!("other"))]);
    assert_eq!(told("dev-test", &wrong), "422 involved object does not match Pipeline definition");
    let mut deleted = pipeline();
    deleted.metadata.deletion_timestamp = Some("2026-01-05T09:00:00Z".to_owned());
    let told = told_of(&deleted, "uat", event().to_string().as_bytes());
    assert_eq!(told, "nothing: the pipeline is being deleted");
}

#[test]
fn bodies_that_are_no_events() {
    for body in [
        "",
        "oops",
        "[]",
        "1",
        "\"x\"",
        "{",
        "{} {}",
        "[[[[",
        r#"{"involvedObject": []}"#,
        r#"{"metadata": {"revision": 5}}"#,
        r#"{"severity": 1}"#,
        r#"{"timestamp": "yesterday"}"#,
        r#"{"timestamp": 5}"#,
        r#"{"involvedObject": {"uid": {}}}"#,
        r#"{"metadata": {"revision": "1\n"}}"#,
    ] {
        assert_eq!(told_of(&pipeline(), "dev-test", body.as_bytes()), "400", "{body}");
    }
    for body in
        ["null", "{}", r#"{"metadata": null}"#, r#"{"metadata": {"revision": null}, "timestamp": null}"#]
    {
        let told = told_of(&pipeline(), "dev-test", body.as_bytes());
        assert_eq!(told, "422 event has no 'revision' in the metadata field.", "{body}");
    }
}

#[test]
fn names_in_answers_are_not_markup() {
    let told = told("<b>'&\"", &event());
    assert_eq!(told, "422 app apps/podinfo has no environment &lt;b&gt;&#39;&amp;&#34; defined");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "HelmRelease|podinfo|app|helm.toolkit.fluxcd.io/v2|error|6.1.5|.{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key =
            "involvedObject|metadata|revision|kind|name|namespace|apiVersion|severity|client_payload|.{0,4}";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Whether a body names the application, a revision, and nothing that is against it.
fn may_promote(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let event = match value.get("client_payload") {
        Some(payload) if payload.is_object() && value.get("involvedObject").is_none() => payload,
        Some(_) | None => &value,
    };
    let is = |pointer: &str, text: &str| event.pointer(pointer).and_then(Value::as_str) == Some(text);
    is("/involvedObject/name", "podinfo")
        && is("/involvedObject/kind", "HelmRelease")
        && is("/involvedObject/namespace", "app")
        && event.pointer("/metadata/revision").is_some_and(Value::is_string)
        && !is("/severity", "error")
}

proptest! {
    #[test]
    fn garbage_neither_panics_nor_promotes(body in proptest::collection::vec(any::<u8>(), 0..400), source in ".{0,8}|dev-test|uat") {
        let decision = decide(&pipeline(), &source, Signed::NotAsked, &body);
        prop_assert!(matches!(decision, Decision::Answer(_)), "{decision:?}");
    }

    #[test]
    fn json_of_any_shape_promotes_only_what_it_names(body in any_json(), source in "dev-test|uat|prod") {
        let body = body.to_string();
        let decision = decide(&pipeline(), &source, Signed::NotAsked, body.as_bytes());
        prop_assert!(!matches!(decision, Decision::Promote(_)) || may_promote(body.as_bytes()), "{body}");
    }

    #[test]
    fn an_event_with_a_byte_changed_promotes_only_what_it_names(at in 0_usize..400, to in any::<u8>()) {
        let mut body = event().to_string().into_bytes();
        let at = at % body.len();
        body[at] = to;
        let decision = decide(&pipeline(), "dev-test", Signed::NotAsked, &body);
        prop_assert!(!matches!(decision, Decision::Promote(_)) || may_promote(&body), "{}", String::from_utf8_lossy(&body));
        prop_assert!(matches!(decide(&pipeline(), "dev-test", Signed::Bad, &body), Decision::Answer(answer) if answer.status == 401));
    }
}
