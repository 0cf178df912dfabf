#[path = "../../../../gradus-testbed/shared/damage.rs"]
mod damage;

use super::event::Event;
use super::meaning::Meaning;

/// An event on the wire, as helm-controller sends it.
fn event(kind: &str, reason: &str, severity: &str, metadata: &str, message: &str) -> Event {
    let group = if kind == "HelmRelease" { "helm" } else { "kustomize" };
    let object = serde_json::json!({"kind": kind, "namespace": "staging", "name": "podinfo", "uid": "1",
        "apiVersion": format!("{group}.toolkit.fluxcd.io/v2"), "resourceVersion": "2"});
    let metadata: serde_json::Value = serde_json::from_str(metadata).expect("the metadata reads");
    let event = serde_json::json!({"involvedObject": object, "severity": severity, "message": message,
        "timestamp": "2026-11-21T08:29:29Z", "reason": reason, "metadata": metadata,
        "reportingController": format!("{group}-controller"), "reportingInstance": "vm"});
    serde_json::from_value(event).expect("the event reads")
}

fn check(reason: &str, severity: &str, metadata: &str, expected: &str) {
    let event = event("HelmRelease", reason, severity, metadata, "it happened");
    let meaning = match Meaning::of(&event, None, false) {
        Meaning::Wake(_) => "wake".to_owned(),
        Meaning::Healthy { revision, .. } => format!("healthy {}", revision.unwrap_or_default()),
        Meaning::Deploying { revision, .. } => format!("deploying {}", revision.unwrap_or_default()),
        Meaning::Failed { revision, .. } => format!("failed {}", revision.unwrap_or_default()),
        Meaning::RolledBack { revision, .. } => format!("rolled back to {}", revision.unwrap_or_default()),
    };
    assert_eq!(meaning, expected, "{reason} {severity} {metadata}");
}

#[test]
fn reasons_of_a_helm_release_mean_what_happened() {
    let plain = r#"{"revision": "6.6.0", "app-version": "6.6.0"}"#;
    for (reason, severity, expected) in [
        ("InstallSucceeded", "info", "healthy 6.6.0"),
        ("UpgradeSucceeded", "info", "healthy 6.6.0"),
        ("TestSucceeded", "info", "healthy 6.6.0"),
        ("InstallFailed", "error", "failed 6.6.0"),
        ("UpgradeFailed", "error", "failed 6.6.0"),
        ("TestFailed", "error", "failed 6.6.0"),
        ("TestFailed", "info", "failed 6.6.0"),
        ("RollbackSucceeded", "info", "rolled back to 6.6.0"),
        ("RollbackFailed", "error", "failed 6.6.0"),
        ("UninstallSucceeded", "info", "failed 6.6.0"),
        ("UninstallFailed", "error", "failed 6.6.0"),
        ("ArtifactFailed", "error", "failed 6.6.0"),
        ("SomethingNew", "error", "failed 6.6.0"),
        ("RollbackSucceeded", "error", "failed 6.6.0"),
        ("UpgradeSucceeded", "error", "failed 6.6.0"),
        ("UpgradeSucceeded", "trace", "wake"),
        ("Progressing", "info", "deploying 6.6.0"),
        ("DependencyNotReady", "info", "wake"),
        ("DriftDetected", "info", "wake"),
        ("SomethingNew", "info", "wake"),
    ] {
        check(reason, severity, plain, expected);
    }
}

#[test]
fn the_revision_is_read_with_and_without_the_group_and_without_the_digest() {
    for (metadata, expected) in [
        (r#"{"helm.toolkit.fluxcd.io/revision": "6.6.0"}"#, "healthy 6.6.0"),
        (r#"{"revision": "6.6.0+9fc6b6e3f1d2"}"#, "healthy 6.6.0"),
        (r#"{"revision": "6.6.0+9fc6b6e3f1d2", "oci-digest": "sha256:9fc6b6e3f1d2aa"}"#, "healthy 6.6.0"),
        (r#"{"revision": "6.6.0+9fc6b6e3f1d2", "oci-digest": "sha256:00"}"#, "healthy 6.6.0+9fc6b6e3f1d2"),
        (r#"{"revision": "6.6.0+build.7"}"#, "healthy 6.6.0+build.7"),
        (r#"{"revision": "6.6.0+9FC6B6E3F1D2"}"#, "healthy 6.6.0+9FC6B6E3F1D2"),
        (r#"{"kustomize.toolkit.fluxcd.io/revision": "6.6.0"}"#, "healthy "),
        (r#"{"revision": ""}"#, "healthy "),
        ("null", "healthy "),
    ] {
        check("UpgradeSucceeded", "info", metadata, expected);
    }
}

#[test]
fn what_was_applied_does_not_count_as_working() {
    let event = event("Kustomization", "ReconciliationSucceeded", "info", r#"{"revision": "6.6.0"}"#, "done");
    let meaning = Meaning::of(&event, None, false);
    assert_eq!(
        meaning,
        Meaning::Wake("Kustomization staging/podinfo says what was applied, not what works".to_owned())
    );
}

#[test]
fn only_the_release_that_is_named_reports() {
    let event = event("HelmRelease", "UpgradeSucceeded", "info", r#"{"revision": "6.6.0"}"#, "done");
    let counts = |only| !matches!(Meaning::of(&event, Some(only), false), Meaning::Wake(_));
    assert!(counts("staging/podinfo"));
    assert!(!counts("staging/redis"));
    assert!(!counts("podinfo"));
}

#[test]
fn with_tests_an_upgrade_is_under_way_until_they_pass() {
    let metadata = r#"{"revision": "6.6.0"}"#;
    let upgraded = event("HelmRelease", "UpgradeSucceeded", "info", metadata, "done");
    assert!(matches!(Meaning::of(&upgraded, None, true), Meaning::Deploying { .. }));
    let tested = event("HelmRelease", "TestSucceeded", "info", metadata, "done");
    assert!(matches!(Meaning::of(&tested, None, true), Meaning::Healthy { .. }));
}

#[test]
fn the_message_is_told_without_the_logs_below_it() {
    let message = "Helm upgrade failed for release staging/podinfo with chart podinfo@6.6.0: context deadline exceeded\n\nLast Helm logs:\n\n\u{1b}[31msecret";
    let event = event("HelmRelease", "UpgradeFailed", "error", "{}", message);
    let why = "HelmRelease staging/podinfo: Helm upgrade failed for release staging/podinfo with chart podinfo@6.6.0: context deadline exceeded";
    assert_eq!(Meaning::of(&event, None, false), Meaning::Failed { revision: None, why: why.into() });
}

proptest::proptest! {
    #[test]
    fn nothing_but_a_success_is_healthy(
        reason in "(Install|Upgrade|Test|Rollback|Uninstall|Drift|.{0,8})(Succeeded|Failed|Corrected|.{0,8})",
        severity in "info|error|trace|.{0,5}",
        message in ".{0,80}",
        kind in "HelmRelease|Kustomization|HelmChart",
    ) {
        let event = event(&kind, &reason, &severity, r#"{"revision": "1.0.0"}"#, &message);
        let success = matches!(reason.as_str(), "InstallSucceeded" | "UpgradeSucceeded" | "TestSucceeded");
        let healthy = matches!(Meaning::of(&event, None, false), Meaning::Healthy { .. });
        assert_eq!(healthy, success && severity == "info" && kind == "HelmRelease");
    }
}

#[test]
fn any_body_is_an_event_or_none() {
    let body = |payload: &str| {
        format!(
            r#"{{"involvedObject": {{"kind": "HelmRelease", "namespace": "staging", "name": "podinfo", "uid": "1",
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "resourceVersion": "2"}}, "severity": "info",
            "timestamp": "2026-11-21T08:29:29Z", "message": "Helm upgrade succeeded", "reason": "UpgradeSucceeded",
            "metadata": {payload}, "reportingController": "helm-controller", "reportingInstance": "vm"}}"#
        )
    };
    let bodies =
        [body(r#"{"helm.toolkit.fluxcd.io/revision": "6.6.0", "app-version": "6.6.0"}"#), body("null")];
    let bodies: Vec<&[u8]> = bodies.iter().map(String::as_bytes).collect();
    damage::reads_anything(&bodies, |bytes| {
        let Ok(event) = serde_json::from_slice::<Event>(bytes) else { return };
        for release in [None, Some("podinfo")] {
            let _meaning = Meaning::of(&event, release, release.is_some());
        }
    });
}
