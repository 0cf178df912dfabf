//! Kinds and versions of the API beyond the usual ones.

use gradus_evidence::{Confidence, State, TargetSpec, VersionSource};
use serde_json::json;

use crate::objects::{COMMIT, condition, deployment, helm_release, kustomization, snapshot, source, with};
use crate::world::{World, at, reference, words};

#[test]
fn what_is_not_there_is_not_deployed() {
    for kind in ["HelmRelease", "Kustomization", "Deployment", "Application", "Canary", "Widget"] {
        assert_eq!(World::default().state(&format!("{kind}/apps/podinfo")), State::NotDeployed);
    }
}

#[test]
fn what_is_being_deleted_is_unknown() {
    let deleting = json!({ "metadata": { "deletionTimestamp": "2026-11-21T09:59:00Z" } });
    for object in [helm_release(), kustomization(&[]), deployment(), source(COMMIT)] {
        let object = with(object, deleting.clone());
        let target = crate::world::reference_of(&object);
        let state = World::of([object]).judge(&TargetSpec::new(target)).state;
        assert_eq!(state, State::Unknown { why: "it is being deleted".into() });
    }
}

#[test]
fn helm_release_of_an_older_api_has_no_history() {
    let old = |applied: &str, ready: &str| {
        let mut release = helm_release();
        release["apiVersion"] = json!("helm.toolkit.fluxcd.io/v2beta1");
        release["status"] = json!({
            "observedGeneration": 2, "lastAttemptedRevision": "6.5.0", "lastAppliedRevision": applied,
            "conditions": [
                condition("Ready", ready, "ReconciliationSucceeded", 2),
                condition("Released", "True", "UpgradeSucceeded", 2),
            ],
        });
        words(&World::of([release]).state("HelmRelease/apps/podinfo"))
    };
    assert_eq!(old("6.5.0", "True"), "healthy 6.5.0");
    assert_eq!(old("6.4.0", "True"), "deploying 6.5.0");
    assert_eq!(old("6.5.0", "Unknown"), "deploying 6.5.0");
}

#[test]
fn helm_release_without_an_inventory_is_known_by_its_labels() {
    let labels = |name: &str| {
        json!({ "metadata": { "labels": {
            "helm.toolkit.fluxcd.io/name": name, "helm.toolkit.fluxcd.io/namespace": "apps",
        }}})
    };
    let release = with(helm_release(), json!({ "status": { "inventory": null } }));
    let mine = with(deployment(), labels("podinfo"));
    let stuck = with(crate::objects::stuck(), labels("other"));
    let stuck = with(stuck, json!({ "metadata": { "name": "other" } }));
    let mut world = World::of([release, mine, stuck.clone()]);
    let mut spec = TargetSpec::new(reference("HelmRelease/apps/podinfo"));
    spec.confidence = Confidence::Workloads;
    assert_eq!(words(&world.judge(&spec).state), "healthy 6.5.0");
    world.put(with(stuck, labels("podinfo")));
    assert_eq!(words(&world.judge(&spec).state), "failed 6.5.0");
}

#[test]
fn time_of_health_is_that_of_the_youngest_part() {
    let since = |state: State| {
        let State::Healthy { since, .. } = state else { panic!("{state:?}") };
        since
    };
    let world = World::of([helm_release(), deployment(), source(COMMIT), kustomization(&[])]);
    assert_eq!(since(world.state("HelmRelease/apps/podinfo")), at("2026-11-21T09:00:10Z"));
    assert_eq!(since(world.state("Deployment/apps/podinfo")), at("2026-11-21T09:00:05Z"));
    // Not its tick, which is as old as its last turn.
    assert_eq!(since(world.state("Kustomization/flux-system/apps")), at("2026-11-21T08:30:00Z"));
    let with_release =
        World::of([kustomization(&[crate::objects::RELEASE]), helm_release(), deployment(), source(COMMIT)]);
    assert_eq!(since(with_release.state("Kustomization/flux-system/apps")), at("2026-11-21T09:00:10Z"));
}

#[test]
fn time_of_health_is_carried_over() {
    let healthy = |version: &str, since: &str| State::Healthy { version: version.into(), since: at(since) };
    let before = healthy("1", "2026-11-21T08:00:00Z");
    let later = healthy("1", "2026-11-21T09:00:00Z");
    assert_eq!(later.clone().after(&before), before);
    let other = healthy("2", "2026-11-21T09:00:00Z");
    assert_eq!(other.clone().after(&before), other);
    let on_its_way = |since: &str| State::Deploying { version: None, since: Some(at(since)) };
    let (first, second) = (on_its_way("2026-11-21T08:00:00Z"), on_its_way("2026-11-21T09:00:00Z"));
    assert_eq!(second.after(&first), first);
    let away = State::Deploying { version: None, since: None };
    assert_eq!(later.clone().after(&away), later);
}

#[test]
fn workload_with_several_containers() {
    let two = json!([
        { "name": "proxy", "image": "registry:5000/mesh/proxy:2.1" },
        { "name": "web", "image": "docker.io/acme/web:1.2@sha256:cc" },
    ]);
    let object = with(deployment(), json!({ "spec": { "template": { "spec": { "containers": two } } } }));
    let world = World::of([object]);
    let mut spec = TargetSpec::new(reference("Deployment/apps/podinfo"));
    let mut by = |container: Option<&str>, repository: Option<&str>| {
        let text = |it: Option<&str>| it.map(str::to_owned);
        spec.version = VersionSource::Image { container: text(container), repository: text(repository) };
        words(&world.judge(&spec).state)
    };
    assert_eq!(by(Some("web"), None), "healthy 1.2");
    assert_eq!(by(None, Some("acme/web")), "healthy 1.2");
    assert_eq!(by(None, Some("registry:5000/mesh/proxy")), "healthy 2.1");
    assert_eq!(by(Some("proxy"), Some("acme/web")), "unknown");
    assert_eq!(
        world.state("Deployment/apps/podinfo"),
        State::Unknown { why: "it has several containers: name the one whose image has the version".into() }
    );
}

#[test]
fn version_at_a_path() {
    let widget = |ready: &str| {
        json!({
            "apiVersion": "example.org/v1", "kind": "Widget",
            "metadata": { "name": "podinfo", "namespace": "apps", "generation": 2 },
            "spec": { "release": { "number": 7 } },
            "status": { "observedGeneration": 2, "conditions": [condition("Ready", ready, "Done", 2)] },
        })
    };
    let mut spec = TargetSpec::new(reference("Widget/apps/podinfo"));
    assert_eq!(words(&World::of([widget("True")]).judge(&spec).state), "unknown");
    spec.version = VersionSource::Path("/spec/release/number".into());
    assert_eq!(words(&World::of([widget("True")]).judge(&spec).state), "healthy 7");
    assert_eq!(words(&World::of([widget("False")]).judge(&spec).state), "deploying 7");
    spec.version = VersionSource::Path("/spec/nothing".into());
    assert_eq!(words(&World::of([widget("True")]).judge(&spec).state), "unknown");
    let mut silent = widget("True");
    silent["status"] = json!({ "phase": "Running" });
    assert_eq!(words(&World::of([silent]).judge(&spec).state), "unknown");
    let lagging = with(widget("True"), json!({ "metadata": { "generation": 3 } }));
    assert_eq!(words(&World::of([lagging]).judge(&spec).state), "deploying");
}

#[test]
fn path_of_a_known_kind_survives_slimming_when_it_is_named() {
    let release = with(helm_release(), json!({ "spec": { "values": { "image": { "tag": "6.5.0-1" } } } }));
    let pointer = "/spec/values/image/tag";
    let slim = gradus_evidence::slim_keeping(release, &[pointer]);
    assert_eq!(slim.pointer(pointer), Some(&json!("6.5.0-1")));
    let mut spec = TargetSpec::new(reference("HelmRelease/apps/podinfo"));
    spec.version = VersionSource::Path(pointer.into());
    let world = World::of([slim]);
    let seen = gradus_evidence::Sighting {
        object: world.find(&spec.object),
        below: &gradus_evidence::NothingBelow,
        now: crate::world::now(),
    };
    assert_eq!(words(&gradus_evidence::judge(&spec, &seen).state), "healthy 6.5.0-1");
}

#[test]
fn rollout_that_borrows_its_template() {
    let rollout = |observed: &str| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {
                "name": "web", "namespace": "apps", "generation": 1,
                "annotations": { "rollout.argoproj.io/workload-generation": observed },
            },
            "spec": { "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo" } },
            "status": {
                "observedGeneration": "1", "workloadObservedGeneration": observed, "phase": "Healthy",
                "stableRS": "a", "currentPodHash": "a",
            },
        })
    };
    let idle = with(deployment(), json!({ "spec": { "replicas": 0 } }));
    assert_eq!(words(&World::of([rollout("4"), idle.clone()]).state("Rollout/apps/web")), "healthy 6.5.0");
    assert_eq!(words(&World::of([rollout("3"), idle]).state("Rollout/apps/web")), "deploying 6.5.0");
    assert_eq!(words(&World::of([rollout("4")]).state("Rollout/apps/web")), "unknown");
}

#[test]
fn rollout_that_was_aborted() {
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "web", "namespace": "apps", "generation": 1 },
        "spec": { "template": deployment()["spec"]["template"] },
        "status": {
            "observedGeneration": "1", "phase": "Degraded", "abort": true,
            "message": "RolloutAborted: Rollout aborted update to revision 2", "stableRS": "a",
            "currentPodHash": "b",
        },
    });
    assert_eq!(
        World::of([rollout]).state("Rollout/apps/web"),
        State::Failed {
            version: Some("6.5.0".into()),
            why: "RolloutAborted: Rollout aborted update to revision 2".into(),
            since: None,
            running: None,
        }
    );
}

#[test]
fn canary_that_failed_tells_what_runs() {
    let state = |promoted: &str| {
        let canary = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": { "name": "podinfo", "namespace": "apps" },
            "spec": { "targetRef": { "kind": "Deployment", "name": "podinfo" }, "analysis": {} },
            "status": {
                "phase": "Failed", "lastAppliedSpec": "2", "lastPromotedSpec": promoted,
                "conditions": [condition("Promoted", "False", "Failed", 0)],
            },
        });
        let target = with(
            deployment(),
            json!({ "spec": { "replicas": 0, "template": { "spec": { "containers": [
                { "name": "podinfo", "image": "ghcr.io/acme/podinfo:6.6.0" },
            ]}}}}),
        );
        let primary = with(deployment(), json!({ "metadata": { "name": "podinfo-primary" } }));
        World::of([canary, target, primary]).state("Deployment/apps/podinfo")
    };
    let state = state("1");
    let State::Failed { version, why, running, .. } = state else { panic!("{state:?}") };
    assert_eq!(version.as_deref(), Some("6.6.0"));
    assert_eq!(why, "Promoted is False");
    assert_eq!(running.as_deref(), Some("6.5.0"));
}

#[test]
fn deployment_is_unknown_while_canaries_are_not_looked_at() {
    let mut world = World::of([deployment()]);
    world.blind = vec!["Canary"];
    assert_eq!(words(&world.state("Deployment/apps/podinfo")), "unknown");
}

#[test]
fn source_is_healthy_at_what_it_fetched() {
    assert_eq!(
        words(&World::of([source(COMMIT)]).state("GitRepository/flux-system/fleet")),
        format!("healthy {COMMIT}")
    );
    let failing = with(
        source(COMMIT),
        json!({ "status": { "conditions": [condition("Ready", "False", "GitOperationFailed", 1)] } }),
    );
    assert_eq!(words(&World::of([failing]).state("GitRepository/flux-system/fleet")), "failed");
}

#[test]
fn release_that_cannot_look_at_its_chart_is_unknown_and_not_failed() {
    let blocked = with(
        helm_release(),
        json!({ "status": { "conditions": [
            condition("Ready", "False", "SourceNotReady", 2),
            condition("Released", "True", "UpgradeSucceeded", 2),
        ]}}),
    );
    assert_eq!(words(&World::of([blocked]).state("HelmRelease/apps/podinfo")), "unknown");
    let first = with(
        helm_release(),
        json!({ "status": {
            "conditions": [condition("Ready", "False", "SourceNotReady", 2)], "history": null,
        }}),
    );
    assert_eq!(words(&World::of([first]).state("HelmRelease/apps/podinfo")), "deploying 6.5.0");
}

#[test]
fn new_values_after_a_failure_are_a_new_attempt() {
    let retried = |failures: i64| {
        with(
            helm_release(),
            json!({ "status": {
                "failures": failures,
                "lastAttemptedConfigDigest": "sha256:bb",
                "conditions": [
                    condition("Reconciling", "True", "Progressing", 2),
                    condition("Ready", "Unknown", "Progressing", 2),
                    condition("Released", "False", "UpgradeFailed", 2),
                ],
                "history": [snapshot(3, "failed", "6.5.0")],
            }}),
        )
    };
    assert_eq!(words(&World::of([retried(0)]).state("HelmRelease/apps/podinfo")), "deploying 6.5.0");
    assert_eq!(words(&World::of([retried(1)]).state("HelmRelease/apps/podinfo")), "failed 6.5.0");
}

#[test]
fn deployment_that_lost_a_pod_is_on_its_way_from_then_on() {
    let since = |available: &str| {
        let lost = with(
            deployment(),
            json!({ "status": { "availableReplicas": 1, "readyReplicas": 1, "conditions": [
                {
                    "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                    "lastUpdateTime": "2026-11-20T08:00:00Z",
                },
                { "type": "Available", "status": available, "lastTransitionTime": "2026-11-21T09:50:00Z" },
            ]}}),
        );
        let state = World::of([lost]).state("Deployment/apps/podinfo");
        let State::Deploying { since, .. } = state else { panic!("{state:?}") };
        since
    };
    assert_eq!(since("False"), Some(at("2026-11-21T09:50:00Z")));
    assert_eq!(since("True"), Some(crate::world::now()));
}

#[test]
fn idle_workload_does_not_stand_in_the_way_of_others() {
    let other = "apps_other_apps_Deployment";
    let set = kustomization(&[crate::objects::WORKLOAD, other]);
    let idle = json!({ "metadata": { "name": "other" }, "spec": { "replicas": 0 } });
    let mut world = World::of([source(COMMIT), set, deployment(), with(deployment(), idle)]);
    let target = "Kustomization/flux-system/apps";
    assert_eq!(words(&world.state(target)), format!("healthy {COMMIT}"));
    // But by itself it proves nothing.
    assert_eq!(words(&world.state("Deployment/apps/other")), "unknown");
    world.put(kustomization(&[other]));
    assert_eq!(
        world.state(target),
        State::Unknown { why: "Deployment apps/other: it should have no pods, which proves nothing".into() }
    );
}

#[test]
fn job_that_was_taken_away_after_its_end() {
    let set = kustomization(&[crate::objects::WORKLOAD, "apps_migrate_batch_Job"]);
    let world = World::of([source(COMMIT), set, deployment()]);
    assert_eq!(words(&world.state("Kustomization/flux-system/apps")), format!("healthy {COMMIT}"));
}

#[test]
fn what_is_applied_to_another_cluster_is_not_looked_for_here() {
    let remote = json!({ "spec": { "kubeConfig": { "secretRef": { "name": "edge" } } } });
    let waits = json!({ "spec": { "wait": true } });
    let set = with(kustomization(&[crate::objects::RELEASE]), remote.clone());
    let target = "Kustomization/flux-system/apps";
    let of = |set| words(&World::of([source(COMMIT), set]).state(target));
    assert_eq!(of(set.clone()), "unknown");
    assert_eq!(of(with(set, waits)), format!("healthy {COMMIT}"));
    let release = with(helm_release(), remote);
    assert_eq!(words(&World::of([release.clone()]).state("HelmRelease/apps/podinfo")), "healthy 6.5.0");
    let applied = with(release, json!({ "spec": { "upgrade": { "disableWait": true } } }));
    assert_eq!(words(&World::of([applied]).state("HelmRelease/apps/podinfo")), "unknown");
}

#[test]
fn tick_of_a_kustomization_comes_before_what_it_applied() {
    let early =
        json!({ "status": { "lastAttemptedRevision": crate::objects::revision(crate::objects::NEXT) } });
    let world = World::of([source(COMMIT), with(kustomization(&[]), early)]);
    assert_eq!(
        words(&world.state("Kustomization/flux-system/apps")),
        format!("deploying {}", crate::objects::NEXT)
    );
}

#[test]
fn worst_of_what_was_applied_counts() {
    let ids = ["apps_a_apps_Deployment", "apps_b_apps_Deployment", "apps_c_apps_Deployment"];
    let name = |name: &str| json!({ "metadata": { "name": name } });
    let lagging = with(deployment(), json!({ "metadata": { "generation": 5 } }));
    let paused = with(deployment(), json!({ "spec": { "paused": true } }));
    let mut world = World::of([source(COMMIT), kustomization(&ids)]);
    let target = "Kustomization/flux-system/apps";
    world.put(with(lagging, name("a")));
    world.put(with(deployment(), name("b")));
    world.put(with(deployment(), name("c")));
    assert_eq!(words(&world.state(target)), format!("deploying {COMMIT}"));
    world.put(with(paused, name("b")));
    assert_eq!(words(&world.state(target)), "unknown");
    world.put(with(crate::objects::stuck(), name("c")));
    assert_eq!(words(&world.state(target)), format!("failed {COMMIT}"));
}

#[test]
fn deployment_whose_old_pods_are_left() {
    let left = with(deployment(), json!({ "status": { "replicas": 3 } }));
    assert_eq!(words(&World::of([left]).state("Deployment/apps/podinfo")), "deploying 6.5.0");
}

/// A rollout of changed settings alone: the images are the same in both.
#[test]
fn canary_that_has_not_promoted_what_it_saw() {
    let state = |promoted: &str| {
        let canary = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": { "name": "podinfo", "namespace": "apps" },
            "spec": { "targetRef": { "kind": "Deployment", "name": "podinfo" }, "analysis": { "interval": "2h" } },
            "status": { "phase": "Succeeded", "lastAppliedSpec": "2", "lastPromotedSpec": promoted },
        });
        let primary = with(deployment(), json!({ "metadata": { "name": "podinfo-primary" } }));
        words(&World::of([canary, deployment(), primary]).state("Canary/apps/podinfo"))
    };
    assert_eq!(state("2"), "healthy 6.5.0");
    assert_eq!(state("1"), "deploying 6.5.0");
}

#[test]
fn kustomization_whose_health_check_failed_is_not_healthy_while_it_looks_again() {
    for (ready, healthy) in [("Unknown", "False"), ("True", "False"), ("True", "Unknown")] {
        let unwell = json!({ "status": { "conditions": [
            condition("Ready", ready, "Progressing", 1),
            condition("Healthy", healthy, "HealthCheckFailed", 1),
        ]}});
        let world = World::of([source(COMMIT), with(kustomization(&[]), unwell)]);
        assert_eq!(words(&world.state("Kustomization/flux-system/apps")), format!("deploying {COMMIT}"));
    }
}

#[test]
fn rollout_whose_stable_pods_are_others() {
    let rollout = |stable: &str, active: &str| {
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": { "name": "web", "namespace": "apps", "generation": 1 },
            "spec": { "template": deployment()["spec"]["template"], "strategy": {
                "blueGreen": { "activeService": "web" },
            }},
            "status": {
                "observedGeneration": "1", "phase": "Healthy", "currentPodHash": "b", "stableRS": stable,
                "blueGreen": { "activeSelector": active },
            },
        });
        words(&World::of([rollout]).state("Rollout/apps/web"))
    };
    assert_eq!(rollout("b", "b"), "healthy 6.5.0");
    assert_eq!(rollout("a", "b"), "deploying 6.5.0");
    assert_eq!(rollout("b", "a"), "deploying 6.5.0");
}
