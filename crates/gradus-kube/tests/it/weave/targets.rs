//! The level-triggered rule: what runs where.

use std::time::Duration;

use gradus_testbed::User;
use serde_json::{Value, json};

use super::world::{
    Setup, World, condition, eventually, in_cluster, level_triggered, notification, pipeline,
};

const CHECKED: &str = "Ready=True ReconciliationSucceeded: All clusters checked";
const UNREADABLE: &str =
    "Ready=False TargetNotReadable: One or more targets was not reachable or not present";
/// What is pending while nothing runs in the first environment that could be promoted.
const NOT_THE_SAME: &str =
    "PromotionPending=True EnvironmentNotReady: Waiting for all targets to have the same revision";
const NOT_READY: &str = "PromotionPending=True EnvironmentNotReady: Waiting for all targets to be ready";

/// What is said of the first environment's targets, once it is that.
async fn until_dev(world: &World, targets: &str) {
    world.until_it("app", targets, |pipeline| world.targets(pipeline, "dev") == targets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_a_cluster_that_is_missing_then_unready() {
    let world = World::level().await;
    let target = in_cluster("leaf", world.target("dev").await);
    let environments = json!([{"name": "dev", "targets": [target]}]);
    world.pipeline("app", "Kustomization", environments, Value::Null).await;
    world.until("app", UNREADABLE).await;
    until_dev(&world, "not ready GitopsCluster.gitops.weave.works \"leaf\" not found").await;
    let missing = "Warning GetClusterError Failed to get cluster NS/leaf for pipeline NS/app: \
                   GitopsCluster.gitops.weave.works \"leaf\" not found";
    world.until_told("app", &[missing]).await;
    world.cluster("leaf", None).await;
    until_dev(&world, "not ready Target cluster 'GitopsCluster/leaf' not ready").await;
    world.until("app", UNREADABLE).await;
    world.end().await;
}

/// A release as helm-controller 1.x leaves it.
fn release(version: &str, status: &str, ready: &str) -> Value {
    json!({
        "observedGeneration": 1, "lastAttemptedGeneration": 1, "lastAttemptedRevision": version,
        "conditions": [condition("Ready", ready), condition("Released", ready)],
        "history": [{
            "chartName": "web", "chartVersion": version, "configDigest": "sha256:0", "digest": "sha256:0",
            "firstDeployed": "2026-01-01T00:00:00Z", "lastDeployed": "2026-01-01T00:00:00Z",
            "name": "web", "namespace": "apps", "status": status, "version": 1,
        }],
    })
}

fn helm_release(namespace: &Value) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"interval": "5m", "chartRef": {"kind": "HelmChart", "name": "web"}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn v2_b7_a_local_release_is_read_by_its_history() {
    let world = World::level().await;
    let target = world.target("dev").await;
    let environments = json!([{"name": "dev", "targets": [target]}]);
    let mut object = helm_release(&target["namespace"]);
    world.plane.apply(&object.to_string()).await.unwrap();
    world.pipeline("app", "HelmRelease", environments, Value::Null).await;
    world.until("app", &format!("{CHECKED}\n{NOT_THE_SAME}")).await;
    world.until_told("app", &["Normal Updated Updated pipeline NS/app"]).await;
    object.as_object_mut().unwrap().remove("spec");
    for (version, status, ready, told) in [
        ("1.0.1", "deployed", "True", "1.0.1 ready"),
        ("1.0.2", "failed", "False", "1.0.2 not ready"),
        ("1.0.2", "deployed", "True", "1.0.2 ready"),
    ] {
        object["status"] = release(version, status, ready);
        world.plane.apply_status(&object.to_string()).await.unwrap();
        until_dev(&world, told).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_v4_the_status_tells_what_is_there_without_anybody_touching_the_pipeline() {
    let world = World::level().await;
    let environments = json!([world.environment("dev").await]);
    world.pipeline("app", "Kustomization", environments, Value::Null).await;
    world.until("app", UNREADABLE).await;
    until_dev(&world, "not ready Kustomization.kustomize.toolkit.fluxcd.io \"web\" not found").await;
    world.kustomization("dev", Value::Null).await;
    world.until("app", &format!("{CHECKED}\n{NOT_THE_SAME}")).await;
    until_dev(&world, "not ready").await;
    world.runs("dev", "1.0.1", false).await;
    world.until("app", &format!("{CHECKED}\n{NOT_READY}")).await;
    until_dev(&world, "1.0.1 not ready").await;
    world.runs("dev", "1.0.1", true).await;
    until_dev(&world, "1.0.1 ready").await;
    world.until("app", CHECKED).await;
    world.kustomization("dev", json!({"conditions": [condition("Ready", "True")]})).await;
    until_dev(&world, "not ready unable to find .status.lastAppliedRevision in ready target object").await;
    world.delete("kustomize.toolkit.fluxcd.io/v1", "Kustomization", &world.place("dev"), "web").await;
    until_dev(&world, "not ready Kustomization.kustomize.toolkit.fluxcd.io \"web\" not found").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v5_b8_a_target_in_another_cluster_whose_kubeconfig_is_under_another_key() {
    let world = World::level().await;
    let target = in_cluster("leaf", world.target("dev").await);
    let environments = json!([{"name": "dev", "targets": [target]}]);
    world.kubeconfig("leaf", "value", &world.plane.kubeconfig(User::Admin).unwrap()).await;
    world.pipeline("app", "Kustomization", environments, Value::Null).await;
    until_dev(&world, "not ready GitopsCluster.gitops.weave.works \"leaf\" not found").await;
    world.cluster("leaf", Some("True")).await;
    until_dev(&world, "not ready Kustomization.kustomize.toolkit.fluxcd.io \"web\" not found").await;
    let missing = "Warning GetAppError Failed to get application object NS/leaf:NS-dev/web for pipeline NS/app: \
                   Kustomization.kustomize.toolkit.fluxcd.io \"web\" not found";
    eventually("it is told which application", async || {
        let told = world.told("app").await;
        if told.iter().any(|one| one == missing) { Ok(()) } else { Err(format!("{told:#?}")) }
    })
    .await;
    world.kustomization("dev", Value::Null).await;
    world.until("app", &format!("{CHECKED}\n{NOT_THE_SAME}")).await;
    world.runs("dev", "1.0.1", true).await;
    until_dev(&world, "1.0.1 ready").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v8_what_a_promotion_waits_for_is_said_as_long_as_it_does() {
    let world = World::level().await;
    let targets = json!([world.target("dev").await, world.target("dev2").await]);
    let environments = json!([{"name": "dev", "targets": targets}, world.environment("prod").await]);
    for place in ["dev", "prod"] {
        world.runs(place, "1.0.0", true).await;
    }
    world.kustomization("dev2", Value::Null).await;
    world.pipeline("app", "Kustomization", environments, notification()).await;
    let before = world.until("app", &format!("{CHECKED}\n{NOT_THE_SAME}")).await;
    assert_eq!(before.status.latest_revision, None);
    world.runs("dev2", "1.0.0", false).await;
    let after = world.until("app", &format!("{CHECKED}\n{NOT_READY}")).await;
    assert_eq!(after.status.latest_revision.as_deref(), Some("1.0.0"));
    world.runs("dev2", "1.0.0", true).await;
    world.until("app", CHECKED).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v9_a_kind_is_watched_as_long_as_a_pipeline_names_it() {
    let world = World::level().await;
    let environments = json!([{"name": "dev", "targets": [{"namespace": world.namespace}]}]);
    for name in ["one", "two"] {
        world.pipeline(name, "Fake", environments.clone(), Value::Null).await;
        world.until(name, UNREADABLE).await;
    }
    let is_watched = || world.watches.stats().iter().any(|watch| watch.kind.kind == "Fake");
    assert!(is_watched(), "though there is none");
    let fake =
        json!({"apiVersion": "test.weave.works/v1alpha1", "kind": "Fake", "metadata": {"name": "web"}});
    world.apply(fake).await;
    world.until("one", &format!("{CHECKED}\n{NOT_THE_SAME}")).await;
    let delete = async |name| {
        world.delete("pipelines.weave.works/v1alpha1", "Pipeline", &world.namespace, name).await;
    };
    delete("one").await;
    // The other one still sees it.
    world.delete("test.weave.works/v1alpha1", "Fake", &world.namespace, "web").await;
    world.until("two", UNREADABLE).await;
    assert!(is_watched());
    delete("two").await;
    let begun = std::time::Instant::now();
    eventually("nobody watches it any more", async || {
        if is_watched() { Err(format!("{:?}", world.watches.stats())) } else { Ok(()) }
    })
    .await;
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b32_a_kubeconfig_that_was_replaced_is_taken_up() {
    let refresh = Duration::from_millis(300);
    let world = World::with(Setup { level: true, refresh, ..Setup::default() }).await;
    let target = in_cluster("leaf", world.target("dev").await);
    let environments = json!([{"name": "dev", "targets": [target]}]);
    world.runs("dev", "1.0.1", true).await;
    let good = world.plane.kubeconfig(User::Admin).unwrap();
    world.kubeconfig("leaf", "kubeconfig", &good.replace(User::Admin.token(), "no-such-token")).await;
    world.cluster("leaf", Some("True")).await;
    world.pipeline("app", "Kustomization", environments, Value::Null).await;
    let refused = |pipeline: &gradus_weave::kind::Pipeline| {
        world.targets(pipeline, "dev").contains("the credentials are refused")
    };
    world.until_it("app", "refused credentials", refused).await;
    world.kubeconfig("leaf", "kubeconfig", &good).await;
    until_dev(&world, "1.0.1 ready").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b33_a_cluster_that_does_not_answer_keeps_no_other_pipeline_waiting() {
    let world = World::level().await;
    let dead =
        world.plane.kubeconfig(User::Admin).unwrap().replace(&world.plane.url(), "https://127.0.0.1:1");
    world.kubeconfig("leaf", "kubeconfig", &dead).await;
    world.cluster("leaf", Some("True")).await;
    let target = world.target("dev").await;
    world.runs("dev", "1.0.1", true).await;
    // More than are looked at at the same time.
    for number in 0..12 {
        let environments = json!([{"name": "dev", "targets": [in_cluster("leaf", target.clone())]}]);
        world.pipeline(&format!("dead-{number}"), "Kustomization", environments, Value::Null).await;
    }
    world.pipeline("app", "Kustomization", json!([{"name": "dev", "targets": [target]}]), Value::Null).await;
    until_dev(&world, "1.0.1 ready").await;
    let refused = |pipeline: &gradus_weave::kind::Pipeline| {
        world.targets(pipeline, "dev").contains("onnection refused")
    };
    world.until_it("dead-0", "a refused connection", refused).await;
    world.until("dead-0", UNREADABLE).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pipeline_may_choose_its_rule() {
    let world = World::classic().await;
    let environments = json!([world.environment("dev").await]);
    world.runs("dev", "1.0.1", true).await;
    let chosen = pipeline("app", "Kustomization", environments.clone(), Value::Null);
    world.apply(level_triggered(chosen)).await;
    world.pipeline("other", "Kustomization", environments, Value::Null).await;
    until_dev(&world, "1.0.1 ready").await;
    let other = world.until("other", CHECKED).await;
    assert!(other.status.environments.is_empty(), "{:?}", other.status);
    world.end().await;
}
