//! The rule under which only webhooks promote: the clusters are looked at.

use gradus_testbed::{ControlPlane, User};
use serde_json::{Value, json};

use super::world::{KINDS, Setup, World, in_cluster, notification};

const CHECKED: &str = "Ready=True ReconciliationSucceeded: All clusters checked";
const UPDATED: &str = "Normal Updated Updated pipeline NS/app";

/// An environment whose targets are in these clusters.
fn in_clusters(clusters: &[&str]) -> Value {
    let targets: Vec<Value> =
        clusters.iter().map(|name| in_cluster(name, json!({"namespace": "apps"}))).collect();
    json!([{"name": "dev", "targets": targets}])
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_c2_c3_a_cluster_that_is_missing_then_unready_then_ready() {
    let world = World::classic().await;
    world.pipeline("app", "HelmRelease", in_clusters(&["leaf"]), Value::Null).await;
    let first = world
        .until("app", "Ready=False TargetClusterNotFound: Target cluster 'GitopsCluster/leaf' not found")
        .await;
    assert_eq!(first.status.observed_generation, 1);
    let missing = "Warning GetClusterError Failed to get cluster NS/leaf for pipeline NS/app: \
                   GitopsCluster.gitops.weave.works \"leaf\" not found";
    world.until_told("app", &[missing]).await;
    world.cluster("leaf", None).await;
    let unready = "Ready=False TargetClusterNotReady: Target cluster 'GitopsCluster/leaf' not ready";
    let second = world.until("app", unready).await;
    let since =
        |pipeline: &gradus_weave::kind::Pipeline| pipeline.status.conditions[0].last_transition_time.clone();
    assert_eq!(since(&first), since(&second), "it is not ready since then");
    world.cluster("leaf", Some("True")).await;
    world.until("app", CHECKED).await;
    world.until_told("app", &[missing, UPDATED]).await;
    world.cluster("leaf", Some("False")).await;
    world.until("app", unready).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_a_cluster_that_is_ready_from_the_start() {
    let world = World::classic().await;
    world.cluster("leaf", Some("True")).await;
    world.pipeline("app", "HelmRelease", in_clusters(&["leaf"]), Value::Null).await;
    world.until("app", CHECKED).await;
    world.until_told("app", &[UPDATED]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_without_clusters_everything_is_checked_though_no_application_is_there() {
    let world = World::classic().await;
    let environments = json!([{"name": "dev", "targets": [{"namespace": "nowhere"}]}]);
    world.pipeline("app", "HelmRelease", environments, notification()).await;
    let pipeline = world.until("app", CHECKED).await;
    assert!(pipeline.status.environments.is_empty(), "nobody looked: {:?}", pipeline.status);
    world.until_told("app", &[UPDATED]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_of_two_clusters_the_one_that_is_missing_is_named() {
    let world = World::classic().await;
    world.cluster("one", Some("True")).await;
    world.pipeline("app", "HelmRelease", in_clusters(&["one", "two", "three"]), Value::Null).await;
    world
        .until("app", "Ready=False TargetClusterNotFound: Target cluster 'GitopsCluster/two' not found")
        .await;
    let told = "Warning GetClusterError Failed to get cluster NS/two for pipeline NS/app: \
                GitopsCluster.gitops.weave.works \"two\" not found";
    world.until_told("app", &[told]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c7_a_pipeline_that_is_being_deleted_is_left_alone() {
    // Nobody leads until it is being deleted: it is seen like that for the first time.
    let world = World::with(Setup { leads: false, ..Setup::default() }).await;
    let mut pipeline = super::world::pipeline("app", "HelmRelease", in_clusters(&["leaf"]), Value::Null);
    pipeline["metadata"]["finalizers"] = json!(["test.gradus.dev/hold"]);
    world.apply(pipeline).await;
    world.delete("pipelines.weave.works/v1alpha1", "Pipeline", &world.namespace, "app").await;
    world.pipeline("other", "HelmRelease", in_clusters(&["leaf"]), Value::Null).await;
    world.leads.send(true).unwrap();
    let other = "Ready=False TargetClusterNotFound: Target cluster 'GitopsCluster/leaf' not found";
    world.until("other", other).await;
    // Both were seen in one list. A second look at the other is a look at both.
    world.cluster("leaf", Some("True")).await;
    world.until("other", CHECKED).await;
    let pipeline = world.get("app").await;
    assert!(pipeline.metadata.deletion_timestamp.is_some());
    assert_eq!(pipeline.status.observed_generation, -1);
    assert_eq!(world.told("app").await, [""; 0]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_what_did_not_change_is_not_told_again() {
    let world = World::classic().await;
    let environments = json!([{"name": "dev", "targets": [{"namespace": "apps"}]}]);
    let of = |annotation: &str, environments: &Value| {
        let mut pipeline = super::world::pipeline("app", "HelmRelease", environments.clone(), notification());
        pipeline["metadata"]["annotations"] = json!({"touched": annotation});
        pipeline
    };
    for touched in ["once", "twice", "thrice"] {
        world.apply(of(touched, &environments)).await;
        world.until("app", CHECKED).await;
    }
    let written = world.get("app").await.metadata.resource_version;
    // A change of what it should do is one.
    let more = json!([{"name": "dev", "targets": [{"namespace": "apps"}]}, {"name": "prod", "targets": []}]);
    world.apply(of("thrice", &more)).await;
    world.until_it("app", "its second generation", |pipeline| pipeline.status.observed_generation == 2).await;
    world.until_told("app", &[UPDATED, UPDATED]).await;
    assert!(world.posted().is_empty(), "only promotions are told elsewhere: {:?}", world.posted());
    assert_ne!(written, world.get("app").await.metadata.resource_version);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_kinds_that_are_not_served_yet_are_waited_for() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start().await.unwrap()));
    let namespace = plane.namespace("weave").await.unwrap();
    let world = World::of(plane, namespace, Setup::default()).await;
    super::world::eventually("the kind is known not to be served", async || {
        let stats = world.watches.stats();
        let known = stats.iter().any(|watch| format!("{:?}", watch.state).starts_with("Broken"));
        if known { Ok(()) } else { Err(format!("{stats:?}")) }
    })
    .await;
    assert_eq!(world.controller.blind(), None, "a cluster without the kind has none of them");
    let [pipelines, clusters, _] = KINDS;
    plane.apply(pipelines).await.unwrap();
    world.pipeline("app", "HelmRelease", in_clusters(&["leaf"]), Value::Null).await;
    world
        .until("app", "Ready=False TargetClusterNotFound: Target cluster 'GitopsCluster/leaf' not found")
        .await;
    plane.apply(clusters).await.unwrap();
    world.cluster("leaf", Some("True")).await;
    world.until("app", CHECKED).await;
    plane.stop_apiserver();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_it_works_with_the_rights_that_it_needs_and_no_others() {
    let world = World::with(Setup { level: true, user: User::Controller, ..Setup::default() }).await;
    let (ns, user) = (&world.namespace, User::Controller.name());
    let rules = "
- {apiGroups: [pipelines.weave.works], resources: [pipelines], verbs: [get, list, watch]}
- {apiGroups: [pipelines.weave.works], resources: [pipelines/status], verbs: [patch]}
- {apiGroups: [gitops.weave.works], resources: [gitopsclusters], verbs: [get, list, watch]}
- {apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [get, list, watch]}
- {apiGroups: [events.k8s.io], resources: [events], verbs: [create]}";
    world
        .plane
        .apply(&format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {ns}}}
rules:{rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {ns}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {ns}}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: '{user}'}}]
"
        ))
        .await
        .unwrap();
    let environments = json!([world.environment("dev").await, world.environment("prod").await]);
    world.runs("dev", "1.0.1", true).await;
    world.runs("prod", "1.0.0", true).await;
    world.pipeline("app", "Kustomization", environments, notification()).await;
    world.until("app", CHECKED).await;
    let promoted = "Normal Promote Promote pipeline NS/app to prod with version 1.0.1";
    super::world::eventually("it promotes", async || {
        let told = world.told("app").await;
        if told.iter().any(|one| one == promoted) && told.iter().any(|one| one == UPDATED) {
            Ok(())
        } else {
            Err(format!("{told:?}"))
        }
    })
    .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_by_a_pull_request_is_said_not_to_be_there_yet() {
    let world = World::classic().await;
    let environments =
        json!([{"name": "dev", "targets": []}, {"name": "prod", "targets": [{"namespace": "apps"}]}]);
    let pull_request = json!({"strategy": {"pull-request": {
        "type": "github", "url": "https://github.com/acme/web", "baseBranch": "main",
        "secretRef": {"name": "git"},
    }}});
    world.pipeline("app", "HelmRelease", environments, pull_request).await;
    let refused = "Environment 'prod' is promoted to by a pull request: pull requests on github are not there \
                   yet: use the strategy `notification`, or turn the pipeline into one of gradus.dev with \
                   `gradus migrate`";
    world.until("app", &format!("Ready=False StrategyNotSupported: {refused}")).await;
    world.until_told("app", &[&format!("Warning StrategyNotSupported {refused}")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_lead_writes_nothing() {
    let world = World::with(Setup { leads: false, ..Setup::default() }).await;
    world.pipeline("app", "HelmRelease", json!([]), Value::Null).await;
    // Another one, who leads, shows that there was time enough.
    let other = World::of(world.plane, world.plane.namespace("weave").await.unwrap(), Setup::default()).await;
    other.pipeline("app", "HelmRelease", json!([]), Value::Null).await;
    other.until("app", CHECKED).await;
    assert_eq!(world.get("app").await.status.observed_generation, -1);
    world.leads.send(true).unwrap();
    world.until("app", CHECKED).await;
    world.leads.send(false).unwrap();
    world.until_told("app", &[UPDATED]).await;
    other.end().await;
    world.end().await;
}
