//! From the object that a pipeline names to the cluster.

use gradus_core::pipeline::ClusterKind;
use gradus_kube::clusters::{ClusterKey, ClusterState, ClusterTroubleKind};
use gradus_testbed::User;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DeleteParams;

use crate::watch::place::{Place, eventually};

const GITOPS_CLUSTERS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gitopsclusters.gitops.weave.works}
spec:
  group: gitops.weave.works
  scope: Namespaced
  names: {kind: GitopsCluster, plural: gitopsclusters}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

/// A GitopsCluster with this spec and this word on whether it is ready.
async fn gitops_cluster(place: &Place, name: &str, spec: &str, ready: &str) {
    let head = format!(
        "apiVersion: gitops.weave.works/v1alpha1\nkind: GitopsCluster\nmetadata: {{name: {name}, namespace: {}}}\n",
        place.namespace
    );
    place.plane.apply(GITOPS_CLUSTERS).await.unwrap();
    place.plane.apply(&format!("{head}spec: {spec}\n")).await.unwrap();
    let status = format!("{head}status: {{conditions: [{{type: Ready, status: '{ready}'}}]}}\n");
    place.plane.apply_status(&status).await.unwrap();
}

fn trouble(place: &Place, cluster: &ClusterKey) -> Option<(ClusterTroubleKind, String)> {
    match place.watches.clusters().state(cluster) {
        ClusterState::Trouble(trouble) => {
            Some((trouble.kind, trouble.message.replace(&place.namespace, "NAMESPACE")))
        }
        ClusterState::NotYet | ClusterState::Known => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reference_leads_to_its_secret() {
    let place = Place::new("refs").await;
    let admin = place.plane.kubeconfig(User::Admin).unwrap();
    let broken = "broken: yes".to_owned();
    place.write("app", "1").await;
    // Each Secret that is not meant holds what cannot be used.
    place.secret("plain", "kubeconfig", &admin, None).await;
    place.secret("capi-kubeconfig", "value", &admin, None).await;
    place.secret("other", "value", &broken, None).await;
    gitops_cluster(&place, "by-secret", "{secretRef: {name: plain}}", "True").await;
    gitops_cluster(&place, "by-both", "{capiClusterRef: {name: capi}, secretRef: {name: other}}", "True")
        .await;
    for cluster in [
        place.cluster(ClusterKind::Secret, "plain"),
        place.cluster(ClusterKind::Cluster, "capi"),
        place.cluster(ClusterKind::GitopsCluster, "by-secret"),
        place.cluster(ClusterKind::GitopsCluster, "by-both"),
    ] {
        place.want(&cluster, &["app"]);
        place.until(&cluster, "app", "1").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_nowhere_is_said() {
    let place = Place::new("refs").await;
    place.secret("empty", "other", "x", None).await;
    place.secret("exec", "value", "clusters: [", None).await;
    gitops_cluster(&place, "waits", "{secretRef: {name: empty}}", "False").await;
    gitops_cluster(&place, "neither", "{}", "True").await;
    gitops_cluster(&place, "no-secret", "{secretRef: {name: none}}", "True").await;
    gitops_cluster(&place, "no-key", "{secretRef: {name: empty}}", "True").await;
    gitops_cluster(&place, "path", "{secretRef: {name: ../configmaps/app}}", "True").await;
    let mut said = String::new();
    for (kind, name) in [
        (ClusterKind::GitopsCluster, "none"),
        (ClusterKind::GitopsCluster, "waits"),
        (ClusterKind::GitopsCluster, "neither"),
        (ClusterKind::GitopsCluster, "no-secret"),
        (ClusterKind::GitopsCluster, "no-key"),
        (ClusterKind::GitopsCluster, "path"),
        (ClusterKind::Cluster, "none"),
        (ClusterKind::Secret, "none"),
        (ClusterKind::Secret, "empty"),
        (ClusterKind::Secret, "exec"),
        (ClusterKind::Secret, "../configmaps/app"),
    ] {
        let cluster = place.cluster(kind, name);
        let _held = place.watches.clusters().lease(cluster.place());
        eventually(|| trouble(&place, &cluster).is_some(), || format!("{name} is in trouble")).await;
        let (kind, message) = trouble(&place, &cluster).unwrap();
        said.push_str(&format!("{kind:?}: {message}\n"));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_stops_being_ready_is_not_believed() {
    let place = Place::new("refs").await;
    place.write("app", "1").await;
    place.secret("plain", "kubeconfig", &place.plane.kubeconfig(User::Admin).unwrap(), None).await;
    gitops_cluster(&place, "far", "{secretRef: {name: plain}}", "True").await;
    let far = place.cluster(ClusterKind::GitopsCluster, "far");
    place.want(&far, &["app"]);
    place.until(&far, "app", "1").await;
    gitops_cluster(&place, "far", "{secretRef: {name: plain}}", "False").await;
    place.watches.clusters().look_again(far.place());
    place.until(&far, "app", "ClusterNotReady").await;
    gitops_cluster(&place, "far", "{secretRef: {name: plain}}", "True").await;
    place.until(&far, "app", "1").await;
    let client = place.plane.client(User::Admin).await.unwrap();
    let secrets: Api<Secret> = Api::namespaced(client, &place.namespace);
    secrets.delete("plain", &DeleteParams::default()).await.unwrap();
    place.watches.clusters().look_again(far.place());
    place.until(&far, "app", "NoCluster").await;
}
