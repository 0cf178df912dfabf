//! What is seen of clusters that objects describe.

use gradus_core::pipeline::ClusterKind;
use gradus_evidence::ObjectRef;
use gradus_kube::clusters::{ClusterKey, ClusterState};
use gradus_kube::watch::{BlindKind, Sight, Wanted};
use gradus_testbed::{ControlPlane, User};
use kube::Api;
use kube::api::{ApiResource, DynamicObject};

use super::place::{Place, eventually, quick};

/// The same cluster, reached by somebody's kubeconfig.
fn kubeconfig(place: &Place, user: User) -> String {
    place.plane.kubeconfig(user).unwrap()
}

fn wrong_token(place: &Place) -> String {
    kubeconfig(place, User::Admin).replace(User::Admin.token(), "no-such-token")
}

/// A kubeconfig for a port where nobody listens.
fn dead(place: &Place) -> String {
    kubeconfig(place, User::Admin).replace(&place.plane.url(), "https://127.0.0.1:1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_answer_slows_nobody() {
    let place = Place::new("far").await;
    place.secret("dead", "value", &dead(&place), None).await;
    let (own, dead) = (ClusterKey::own(), place.cluster(ClusterKind::Secret, "dead"));
    let both = |cluster: &ClusterKey| Wanted::one(cluster, &place.config_map("app")).whole();
    place.watches.want(&place.pipeline, vec![both(&dead), both(&own)]);
    place.until(&own, "app", "missing").await;
    place.until(&dead, "app", "Unreachable").await;
    let blind = place.blind(&dead, "app");
    assert!(blind.since.is_some() && blind.why.contains("onnection refused"), "{blind:?}");
    assert!(place.watches.synced(), "it is known where every watch stands");
    place.write("app", "1").await;
    place.until(&own, "app", "1").await;
    // Once it is there, it is found.
    place.secret("dead", "value", &kubeconfig(&place, User::Admin), None).await;
    place.watches.clusters().look_again(dead.place());
    place.until(&dead, "app", "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_was_replaced_is_taken_up_when_the_old_one_is_refused() {
    let place = Place::new("far").await;
    place.write("app", "1").await;
    place.secret("far", "kubeconfig", &wrong_token(&place), None).await;
    let far = place.cluster(ClusterKind::Secret, "far");
    let lease = place.watches.clusters().lease(far.place());
    place.want(&far, &["app"]);
    place.until(&far, "app", "Unreachable").await;
    let why = place.blind(&far, "app").why;
    assert!(why.contains("the credentials are refused"), "{why}");
    assert_eq!(lease.rebuilt(), 1, "the same kubeconfig makes no other client");
    place.secret("far", "kubeconfig", &kubeconfig(&place, User::Admin), None).await;
    place.until(&far, "app", "1").await;
    assert_eq!(lease.rebuilt(), 2);
    // One that is replaced while the old one still works is taken up too.
    place
        .secret("far", "kubeconfig", &place.plane.kubeconfig_with_certificate(User::Admin).unwrap(), None)
        .await;
    place.watches.clusters().look_again(far.place());
    eventually(|| lease.rebuilt() == 3, || "there is another client".to_owned()).await;
    place.write("app", "2").await;
    place.until(&far, "app", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_one_namespace_sees_it_without_listing_secrets() {
    let plane = ControlPlane::shared().await.unwrap();
    let place = Place::of(plane, "far", User::Controller, quick()).await;
    let ns = &place.namespace;
    plane
        .apply(&format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: gradus, namespace: {ns}}}
rules:
- {{apiGroups: [''], resources: [secrets], verbs: [get]}}
- {{apiGroups: [''], resources: [configmaps], verbs: [get, list, watch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: gradus, namespace: {ns}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: gradus}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: '{}'}}]
",
            User::Controller.name()
        ))
        .await
        .unwrap();
    place.secret("far", "value.yaml", &kubeconfig(&place, User::Controller), None).await;
    place.write("app", "1").await;
    let far = place.cluster(ClusterKind::Secret, "far");
    place.want(&far, &["app"]);
    place.until(&far, "app", "1").await;
    place.write("app", "2").await;
    place.until(&far, "app", "2").await;
    let narrow = place.stats().into_iter().filter(|watch| watch.namespace.is_some()).collect::<Vec<_>>();
    assert_eq!(narrow.len(), 1);
    assert_eq!(narrow[0].namespace.as_deref(), Some(ns.as_str()));
    let client = plane.client(User::Controller).await.unwrap();
    let secrets: Api<DynamicObject> =
        Api::namespaced_with(client, ns, &ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&()));
    let listed = secrets.list(&Default::default()).await;
    assert!(matches!(listed, Err(kube::Error::Api(status)) if status.code == 403), "nor could it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_found_once_it_is_served_and_in_the_version_that_is() {
    let place = Place::new("far").await;
    let group = format!("{}.test.gradus.dev", place.namespace);
    let object = ObjectRef::new(&group, "Widget", &place.namespace, "app");
    let own = ClusterKey::own();
    place.watches.want(&place.pipeline, vec![Wanted::one(&own, &object).whole()]);
    let blind = || match place.watches.see(&own, &object) {
        Sight::Unknown(blind) => Some(blind.kind),
        Sight::Seen(_) | Sight::Missing => None,
    };
    eventually(|| blind() == Some(BlindKind::NotServed), || format!("it is not served: {:?}", blind())).await;
    let version = |name: &str, storage: bool| {
        format!(
            "{{name: {name}, served: true, storage: {storage}, schema: {{openAPIV3Schema: {{type: object, \
             x-kubernetes-preserve-unknown-fields: true}}}}}}"
        )
    };
    place
        .plane
        .apply(&format!(
            "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Widget, plural: widgets}}
  versions: [{}, {}]
---
apiVersion: {group}/v2beta1
kind: Widget
metadata: {{name: app, namespace: {}}}
",
            version("v2beta1", false),
            version("v2", true),
            place.namespace
        ))
        .await
        .unwrap();
    let api_version = || match place.watches.see(&own, &object) {
        Sight::Seen(value) => value["apiVersion"].as_str().map(str::to_owned),
        Sight::Missing | Sight::Unknown(_) => None,
    };
    let wanted = format!("{group}/v2");
    eventually(|| api_version().as_deref() == Some(&*wanted), || format!("it is seen: {:?}", place.stats()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_namespace_sees_a_cluster_only_where_it_is_allowed() {
    let place = Place::new("far").await;
    let admin = kubeconfig(&place, User::Admin);
    place.write("app", "1").await;
    place.secret("far", "value", &admin, None).await;
    let mine = place.cluster(ClusterKind::Secret, "far");
    let theirs = place.cluster_from(ClusterKind::Secret, "far", "team-b");
    let missing = place.cluster_from(ClusterKind::Secret, "none", "team-b");
    let one = |cluster: &ClusterKey| Wanted::one(cluster, &place.config_map("app")).whole();
    place.watches.want(&place.pipeline, vec![one(&mine), one(&theirs), one(&missing)]);
    place.until(&mine, "app", "1").await;
    place.until(&missing, "app", "NotAllowed").await;
    assert_eq!(place.word(&theirs, "app"), "NotAllowed");
    let why = |cluster: &ClusterKey| place.blind(cluster, "app").why.replace("/none ", "/far ");
    assert_eq!(why(&theirs), why(&missing), "what is there and what is not look the same");
    for (allow, word) in
        [("team-a", "NotAllowed"), ("team-a, team-b", "1"), ("team-a", "NotAllowed"), ("*", "1")]
    {
        place.secret("far", "value", &admin, Some(allow)).await;
        place.watches.clusters().look_again(mine.place());
        place.until(&theirs, "app", word).await;
        assert_eq!(place.word(&mine, "app"), "1");
    }
    assert!(matches!(place.watches.clusters().state(&theirs), ClusterState::Known));
    let far = place.stats().into_iter().filter(|watch| watch.cluster == *mine.place()).collect::<Vec<_>>();
    assert_eq!(far.len(), 1, "both see it by one watch");
    assert_eq!(far[0].lists, 1, "which did not begin anew");
}
