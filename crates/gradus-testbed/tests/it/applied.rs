//! What is declared as YAML.

use gradus_testbed::{ControlPlane, TestbedErrorKind, User};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ListParams;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, ResourceExt as _};

use crate::why::why;

#[tokio::test]
async fn a_kind_and_its_objects_are_declared_in_one_text_and_again() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("kinds").await.unwrap();
    let text = format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: boats.testbed.gradus.dev
spec:
  group: testbed.gradus.dev
  names: {{kind: Boat, plural: boats}}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {{status: {{}}}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {{type: object, properties: {{sails: {{type: integer}}}}}}
            status: {{type: object, properties: {{afloat: {{type: boolean}}}}}}
---
apiVersion: testbed.gradus.dev/v1
kind: Boat
metadata:
  namespace: {namespace}
  name: beagle
spec: {{sails: 12}} # as written by a person
"
    );
    plane.apply(&text).await.unwrap();
    plane.apply(&text).await.unwrap();
    let status = format!(
        "{{apiVersion: testbed.gradus.dev/v1, kind: Boat}}\n---\n\
         apiVersion: testbed.gradus.dev/v1\nkind: Boat\nmetadata: {{name: beagle, namespace: {namespace}}}\n\
         status: {{afloat: true}}"
    );
    let refused = plane.apply_status(&status).await.unwrap_err();
    assert_eq!(refused.kind, TestbedErrorKind::Document, "{}", why(&refused));
    let (_, status) = status.split_once("---\n").unwrap();
    plane.apply_status(status).await.unwrap();

    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("testbed.gradus.dev", "v1", "Boat"));
    let boats: Api<DynamicObject> =
        Api::namespaced_with(plane.client(User::Admin).await.unwrap(), &namespace, &kind);
    let boat = boats.get("beagle").await.unwrap();
    assert_eq!(boat.metadata.generation, Some(1));
    assert_eq!(boat.data, serde_json::json!({"spec": {"sails": 12}, "status": {"afloat": true}}));
}

#[tokio::test]
async fn a_refusal_says_what_was_applied_and_why_not() {
    let plane = ControlPlane::shared().await.unwrap();
    let error = plane
        .apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nowhere, namespace: nowhere}\n")
        .await
        .unwrap_err();
    assert_eq!(error.kind, TestbedErrorKind::Refused);
    insta::assert_snapshot!(why(&error), @r#"could not apply ConfigMap nowhere/nowhere: namespaces "nowhere" not found"#);
    let error = plane
        .apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndatta: {}\n")
        .await
        .unwrap_err();
    insta::assert_snapshot!(why(&error), @"could not apply ConfigMap typo: failed to create typed patch object (/typo; /v1, Kind=ConfigMap): .datta: field not declared in schema");
    let error = plane.apply("apiVersion: boats.dev/v1\nkind: Boat\nmetadata: {name: x}\n").await.unwrap_err();
    insta::assert_snapshot!(why(&error), @"could not apply Boat x: could not find the kind Boat of boats.dev/v1: 404 page not found");
}

#[tokio::test]
async fn the_kinds_of_flux_are_those_of_its_types() {
    let plane = ControlPlane::start().await.unwrap();
    plane.flux_crds().await.unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(plane.client(User::Admin).await.unwrap());
    let told: Vec<String> = definitions
        .list(&ListParams::default())
        .await
        .unwrap()
        .into_iter()
        .map(|definition| {
            let served = definition.spec.versions.iter().filter(|version| version.served);
            let served: Vec<&str> = served.map(|version| version.name.as_str()).collect();
            format!("{} {}\n", definition.name_any(), served.join(" "))
        })
        .collect();
    insta::assert_snapshot!(told.concat(), @"
    buckets.source.toolkit.fluxcd.io v1
    externalartifacts.source.toolkit.fluxcd.io v1
    gitrepositories.source.toolkit.fluxcd.io v1
    helmcharts.source.toolkit.fluxcd.io v1
    helmreleases.helm.toolkit.fluxcd.io v2
    helmrepositories.source.toolkit.fluxcd.io v1
    kustomizations.kustomize.toolkit.fluxcd.io v1
    ocirepositories.source.toolkit.fluxcd.io v1
    ");
    let refused = plane
        .apply("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\nspec: {interval: often}\n")
        .await
        .unwrap_err();
    insta::assert_snapshot!(why(&refused), @r#"could not apply HelmRelease a: HelmRelease.helm.toolkit.fluxcd.io "a" is invalid: [spec.interval: Invalid value: "often": spec.interval in body should match '^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$', spec: Invalid value: either chart or chartRef must be set]"#);
}
