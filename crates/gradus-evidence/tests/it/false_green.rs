//! Twenty ways in which an object is green that does not run what was asked for,
//! or red while it does.

use gradus_evidence::{Confidence, State, TargetSpec, VersionSource, Wanted};
use serde_json::{Value, json};

use crate::objects::{
    COMMIT, NEXT, RELEASE, WORKLOAD, condition, deployment, helm_release, kustomization, pod, revision,
    rolled_back, snapshot, source, stuck, with,
};
use crate::world::{World, reference, words};

const SET: &str = "Kustomization/flux-system/apps";
const HELM: &str = "HelmRelease/apps/podinfo";

/// A healthy set of manifests with one release and its workload.
fn fleet() -> World {
    World::of([source(COMMIT), kustomization(&[RELEASE]), helm_release(), deployment()])
}

fn why(state: &State) -> String {
    match state {
        State::Failed { why, .. } | State::Unknown { why } => why.clone(),
        State::NotDeployed | State::Deploying { .. } | State::Healthy { .. } => String::new(),
    }
}

#[test]
fn everything_is_well() {
    assert_eq!(words(&fleet().state(SET)), format!("healthy {COMMIT}"));
    assert_eq!(words(&fleet().state(HELM)), "healthy 6.5.0");
    assert_eq!(words(&fleet().state("Deployment/apps/podinfo")), "healthy 6.5.0");
}

#[test]
fn row_01_kustomization_does_not_wait_and_its_release_fails() {
    let mut world = fleet();
    world.put(rolled_back());
    let state = world.state(SET);
    assert_eq!(words(&state), format!("failed {COMMIT}"));
    assert_eq!(why(&state), "HelmRelease apps/podinfo: Released is False; rolled back");
}

#[test]
fn row_02_release_fails_after_the_kustomization_waited() {
    let mut world = fleet();
    let waits = json!({ "spec": { "wait": true }, "status": { "conditions": [
        condition("Ready", "True", "ReconciliationSucceeded", 1),
        condition("Healthy", "True", "Succeeded", 1),
    ]}});
    world.put(with(kustomization(&[RELEASE]), waits));
    assert_eq!(words(&world.state(SET)), format!("healthy {COMMIT}"));
    world.put(rolled_back());
    assert_eq!(words(&world.state(SET)), format!("failed {COMMIT}"));
}

#[test]
fn row_03_rolled_back_release_runs_the_old_version() {
    let state = World::of([rolled_back()]).state(HELM);
    assert_eq!(words(&state), "failed 6.6.0");
    assert!(matches!(state, State::Failed { running: Some(running), .. } if running == "6.5.0"));
}

#[test]
fn row_04_old_version_again_is_healthy_without_a_new_release() {
    let healed = with(
        rolled_back(),
        json!({
            "metadata": { "generation": 4 },
            "spec": { "chart": { "spec": { "version": "6.5.0" } } },
            "status": {
                "observedGeneration": 4, "lastAttemptedGeneration": 4, "lastAttemptedRevision": "6.5.0",
                "failures": null,
                "conditions": [
                    condition("Ready", "True", "UpgradeSucceeded", 4),
                    condition("Released", "True", "UpgradeSucceeded", 4),
                ],
            },
        }),
    );
    assert_eq!(words(&World::of([healed]).state(HELM)), "healthy 6.5.0");
}

#[test]
fn row_05_new_commit_is_not_applied_yet() {
    let mut world = fleet();
    world.put(source(NEXT));
    assert_eq!(words(&world.state(SET)), format!("deploying {NEXT}"));
}

#[test]
fn row_06_artifact_that_did_not_change_keeps_its_commit() {
    let artifact = "latest@sha256:4444444444444444444444444444444444444444444444444444444444444444";
    let external = with(
        source(COMMIT),
        json!({ "kind": "ExternalArtifact", "status": { "artifact": { "revision": artifact } } }),
    );
    let set = with(
        kustomization(&[RELEASE]),
        json!({
            "spec": { "sourceRef": { "kind": "ExternalArtifact" } },
            "status": {
                "lastAttemptedRevision": artifact, "lastAppliedRevision": artifact,
                "lastAppliedOriginRevision": revision(COMMIT),
            },
        }),
    );
    let world = World::of([external, source(NEXT), set, helm_release(), deployment()]);
    assert_eq!(words(&world.state(SET)), format!("healthy {COMMIT}"));
}

#[test]
fn row_07_controller_has_not_seen_the_new_generation() {
    let change = json!({
        "metadata": { "generation": 3 },
        "spec": { "chart": { "spec": { "version": "6.6.0" } } },
    });
    let lagging = with(helm_release(), change);
    assert_eq!(words(&World::of([lagging.clone()]).state(HELM)), "deploying 6.6.0");
    // Seen is not yet tried, and tried is not yet through.
    let seen = with(lagging.clone(), json!({ "status": { "observedGeneration": 3 } }));
    assert_eq!(words(&World::of([seen]).state(HELM)), "deploying 6.6.0");
    let tried = json!({ "status": { "lastAttemptedGeneration": 3, "lastAttemptedRevision": "6.6.0" } });
    let tried = with(lagging, tried);
    assert_eq!(words(&World::of([tried.clone()]).state(HELM)), "deploying 6.6.0");
    // The tick for the new generation is written before the history.
    let ticked = with(
        tried,
        json!({ "status": { "observedGeneration": 3, "conditions": [
            condition("Ready", "True", "UpgradeSucceeded", 3),
            condition("Released", "True", "UpgradeSucceeded", 3),
        ]}}),
    );
    assert_eq!(words(&World::of([ticked]).state(HELM)), "deploying 6.6.0");
}

#[test]
fn row_08_failure_that_is_tried_again_and_again() {
    let retrying = with(
        rolled_back(),
        json!({ "status": {
            "conditions": [
                condition("Reconciling", "True", "ProgressingWithRetry", 3),
                condition("Ready", "False", "UpgradeFailed", 3),
                condition("Released", "False", "UpgradeFailed", 3),
            ],
            "history": [snapshot(3, "failed", "6.6.0"), snapshot(2, "deployed", "6.5.0")],
        }}),
    );
    let state = World::of([retrying.clone()]).state(HELM);
    assert_eq!(words(&state), "failed 6.6.0");
    assert_eq!(why(&state), "Released is False; it is tried again");
    let again = with(
        retrying,
        json!({ "status": { "conditions": [
            condition("Reconciling", "True", "Progressing", 3),
            condition("Ready", "Unknown", "Progressing", 3),
            condition("Released", "False", "UpgradeFailed", 3),
        ]}}),
    );
    assert_eq!(words(&World::of([again]).state(HELM)), "failed 6.6.0");
}

#[test]
fn row_09_values_from_a_secret_changed() {
    let changed = json!({ "status": { "lastAttemptedConfigDigest": "sha256:bb" } });
    assert_eq!(words(&World::of([with(helm_release(), changed)]).state(HELM)), "deploying 6.5.0");
}

#[test]
fn row_10_the_same_version_was_pushed_again() {
    let from_oci = |tried: &str| {
        let mut entry = snapshot(2, "deployed", "6.5.0+0cc9a8446c95");
        entry["ociDigest"] = json!("sha256:0cc9a8446c95");
        with(
            helm_release(),
            json!({
                "spec": { "chart": null, "chartRef": { "kind": "OCIRepository", "name": "podinfo" } },
                "status": {
                    "lastAttemptedRevision": format!("6.5.0+{tried}"),
                    "lastAttemptedRevisionDigest": format!("sha256:{tried}"),
                    "history": [entry],
                },
            }),
        )
    };
    let repository = |digest: &str| {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
            "metadata": { "name": "podinfo", "namespace": "apps", "generation": 1 },
            "status": { "artifact": { "revision": format!("6.5.0@sha256:{digest}") } },
        })
    };
    let (old, new) = ("0cc9a8446c95", "1dd9a8446c96");
    assert_eq!(words(&World::of([from_oci(old), repository(old)]).state(HELM)), "healthy 6.5.0");
    assert_eq!(words(&World::of([from_oci(new), repository(new)]).state(HELM)), "deploying 6.5.0");
    assert_eq!(words(&World::of([from_oci(old), repository(new)]).state(HELM)), "deploying 6.5.0");
    let mut spec = TargetSpec::new(reference(HELM));
    spec.wanted = Some(Wanted { version: None, digest: Some(format!("sha256:{new}")) });
    let world = World::of([from_oci(old), repository(old)]);
    assert_eq!(words(&world.judge(&spec).state), "deploying 6.5.0");
}

#[test]
fn row_11_release_that_does_not_wait() {
    let applied = with(helm_release(), json!({ "spec": { "upgrade": { "disableWait": true } } }));
    let mut world = World::of([applied.clone(), stuck()]);
    assert_eq!(words(&world.state(HELM)), "failed 6.5.0");
    world.put(deployment());
    assert_eq!(words(&world.state(HELM)), "healthy 6.5.0");
    // Where nobody looks at workloads, it was applied, and its health is not known.
    world.blind = vec!["Deployment"];
    assert_eq!(why(&world.state(HELM)), "Deployment apps/podinfo: it was not looked at: it is not watched");
}

#[test]
fn row_12_failed_test_that_is_ignored() {
    let tested = |phase: &str| {
        let mut entry = snapshot(2, "deployed", "6.5.0");
        entry["testHooks"] = json!({ "podinfo-grpc-test": { "phase": phase } });
        let test = json!({ "enable": true, "ignoreFailures": true });
        with(helm_release(), json!({ "spec": { "test": test }, "status": { "history": [entry] } }))
    };
    let state = World::of([tested("Failed")]).state(HELM);
    assert_eq!(words(&state), "failed 6.5.0");
    assert_eq!(why(&state), "its test podinfo-grpc-test failed");
    assert_eq!(words(&World::of([tested("Succeeded")]).state(HELM)), "healthy 6.5.0");
    assert_eq!(words(&World::of([tested("Running")]).state(HELM)), "deploying 6.5.0");
    let not_yet = with(helm_release(), json!({ "spec": { "test": { "enable": true } } }));
    assert_eq!(words(&World::of([not_yet]).state(HELM)), "deploying 6.5.0");
}

#[test]
fn row_13_one_replica_that_may_be_missing() {
    let none = with(
        deployment(),
        json!({
            "spec": { "replicas": 1, "strategy": { "rollingUpdate": { "maxUnavailable": 1 } } },
            "status": {
                "replicas": 1, "updatedReplicas": 1, "readyReplicas": null, "availableReplicas": null,
            },
        }),
    );
    assert_eq!(words(&World::of([none]).state("Deployment/apps/podinfo")), "deploying 6.5.0");
}

#[test]
fn row_14_suspended() {
    let suspend = json!({ "spec": { "suspend": true } });
    let release = with(helm_release(), suspend.clone());
    assert_eq!(why(&World::of([release.clone()]).state(HELM)), "suspended");
    let mut world = fleet();
    world.put(release);
    assert_eq!(why(&world.state(SET)), "HelmRelease apps/podinfo: suspended");
    let mut world = fleet();
    world.put(with(kustomization(&[RELEASE]), suspend.clone()));
    assert_eq!(why(&world.state(SET)), "suspended");
    let mut world = fleet();
    world.put(with(source(COMMIT), suspend));
    assert_eq!(why(&world.state(SET)), "its source GitRepository flux-system/fleet is suspended");
}

#[test]
fn row_15_nobody_looks_after_the_release() {
    for status in [json!({ "observedGeneration": -1 }), Value::Null, json!({ "observedGeneration": 2 })] {
        let mut release = helm_release();
        release["status"] = status;
        assert_eq!(words(&World::of([release]).state(HELM)), "deploying 6.5.0");
    }
}

#[test]
fn row_16_what_runs_drifted_and_is_left_so() {
    let drifted = with(
        helm_release(),
        json!({ "status": { "conditions": [
            condition("Ready", "True", "UpgradeSucceeded", 2),
            condition("Released", "True", "UpgradeSucceeded", 2),
            condition("Drifted", "True", "DriftDetected", 2),
        ]}}),
    );
    assert_eq!(why(&World::of([drifted]).state(HELM)), "what runs is not what was released: Drifted is True");
}

#[test]
fn row_17_stalled_and_then_mended() {
    let mut world = World::of([rolled_back()]);
    assert_eq!(words(&world.state(HELM)), "failed 6.6.0");
    let mended = with(
        rolled_back(),
        json!({ "status": {
            "failures": null,
            "conditions": [
                condition("Ready", "True", "UpgradeSucceeded", 3),
                condition("Released", "True", "UpgradeSucceeded", 3),
            ],
            "history": [snapshot(5, "deployed", "6.6.0"), snapshot(4, "superseded", "6.5.0")],
        }}),
    );
    world.put(mended);
    assert_eq!(words(&world.state(HELM)), "healthy 6.6.0");
}

#[test]
fn row_18_right_tag_and_wrong_digest() {
    let mut world = World::of([deployment(), pod("a", "sha256:aa"), pod("b", "sha256:bb")]);
    let mut spec = TargetSpec::new(reference("Deployment/apps/podinfo"));
    spec.wanted = Some(Wanted { version: Some("6.5.0".into()), digest: Some("sha256:aa".into()) });
    assert_eq!(words(&world.judge(&spec).state), "healthy 6.5.0");
    spec.confidence = Confidence::Pods;
    let state = world.judge(&spec).state;
    assert_eq!(words(&state), "failed 6.5.0");
    assert_eq!(why(&state), "its pods run sha256:aa, sha256:bb, not sha256:aa");
    world.put(pod("b", "sha256:aa"));
    assert_eq!(words(&world.judge(&spec).state), "healthy 6.5.0");
    world.take(&reference("Pod/apps/b"));
    assert_eq!(words(&world.judge(&spec).state), "deploying 6.5.0");
    world.blind = vec!["Pod"];
    assert_eq!(why(&world.judge(&spec).state), "its pods were not looked at: it is not watched");
}

#[test]
fn row_19_two_own_the_same_object() {
    let mut world = fleet();
    world.put(with(
        helm_release(),
        json!({ "metadata": { "labels": { "kustomize.toolkit.fluxcd.io/name": "other" } } }),
    ));
    assert_eq!(
        why(&world.state(SET)),
        "HelmRelease apps/podinfo: Kustomization flux-system/other applies it too"
    );
    let how = json!({ "metadata": { "annotations": { "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent" } } });
    world.put(with(helm_release(), how));
    assert_eq!(
        why(&world.state(SET)),
        "HelmRelease apps/podinfo: it is not kept as it is in Git \
         (kustomize.toolkit.fluxcd.io/ssa: IfNotPresent)"
    );
}

#[test]
fn row_20_dependency_has_not_applied_this_revision_yet() {
    let mut world = fleet();
    let waiting = json!({ "status": {
        "lastAttemptedRevision": revision(NEXT),
        "conditions": [
            condition("Reconciling", "True", "ProgressingWithRetry", 1),
            condition("Ready", "False", "DependencyNotReady", 1),
        ],
    }});
    world.put(with(kustomization(&[RELEASE]), waiting));
    assert_eq!(words(&world.state(SET)), format!("deploying {NEXT}"));
}

#[test]
fn kustomization_that_looks_again_at_what_it_applied_stays_healthy() {
    let mut world = fleet();
    let before = world.state(SET);
    let again = json!({ "status": { "conditions": [
        condition("Reconciling", "True", "Progressing", 1),
        condition("Ready", "Unknown", "Progressing", 1),
    ]}});
    world.put(with(kustomization(&[RELEASE]), again));
    assert_eq!(world.state(SET), before);
    world.put(rolled_back());
    assert_eq!(words(&world.state(SET)), format!("failed {COMMIT}"));
}

#[test]
fn kustomization_that_applies_itself_and_one_below_it() {
    let own = "flux-system_apps_kustomize.toolkit.fluxcd.io_Kustomization";
    let below = "flux-system_inner_kustomize.toolkit.fluxcd.io_Kustomization";
    let inner = with(
        kustomization(&[WORKLOAD, own]),
        json!({ "metadata": { "name": "inner", "labels": {
            "kustomize.toolkit.fluxcd.io/name": "apps",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        }}}),
    );
    let mut world = World::of([source(COMMIT), kustomization(&[own, below]), inner, deployment()]);
    assert_eq!(words(&world.state(SET)), format!("healthy {COMMIT}"));
    world.put(stuck());
    assert_eq!(
        why(&world.state(SET)),
        "Kustomization flux-system/inner: Deployment apps/podinfo: \
         ReplicaSet \"podinfo-7\" has timed out progressing"
    );
    world.take(&reference("Deployment/apps/podinfo"));
    assert_eq!(words(&world.state(SET)), format!("deploying {COMMIT}"));
}

#[test]
fn version_of_an_image_below_what_applies_it() {
    for target in [SET, HELM] {
        let mut world = fleet();
        let mut spec = TargetSpec::new(reference(target));
        let image = |repository: &str| VersionSource::Image {
            container: None,
            repository: Some(repository.to_owned()),
        };
        spec.version = image("ghcr.io/acme/podinfo");
        assert_eq!(words(&world.judge(&spec).state), "healthy 6.5.0");
        spec.version = image("ghcr.io/acme/web");
        assert_eq!(why(&world.judge(&spec).state), "nothing below it runs the image that has the version");
        spec.version = image("ghcr.io/acme/podinfo");
        world.put(stuck());
        assert_eq!(words(&world.judge(&spec).state), "failed 6.5.0");
    }
}
