//! What is declared is acted on.

use std::time::{Duration, Instant};

use gradus_testbed::{ControlPlane, User};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams};

#[tokio::test]
async fn a_deployment_gets_ready_pods_and_a_namespace_goes() {
    let plane = ControlPlane::start().await.unwrap();
    plane.with_controllers().await.unwrap();
    plane.with_controllers().await.unwrap();
    let namespace = plane.namespace("apps").await.unwrap();
    plane
        .apply(&format!(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: podinfo, namespace: {namespace}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: podinfo}}}}
  template:
    metadata: {{labels: {{app: podinfo}}}}
    spec:
      containers: [{{name: podinfo, image: 'podinfo:6.5.0'}}]
"
        ))
        .await
        .unwrap();
    let client = plane.client(User::Admin).await.unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    eventually("two Pods to be available", async || {
        let status = deployments.get("podinfo").await.unwrap().status.unwrap_or_default();
        status.available_replicas == Some(2)
    })
    .await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let images: Vec<Option<String>> = pods
        .list(&ListParams::default())
        .await
        .unwrap()
        .into_iter()
        .map(|pod| pod.spec.unwrap().containers.remove(0).image)
        .collect();
    assert_eq!(images, [Some("podinfo:6.5.0".to_owned()), Some("podinfo:6.5.0".to_owned())]);

    let namespaces: Api<Namespace> = Api::all(client);
    namespaces.delete(&namespace, &DeleteParams::default()).await.unwrap();
    eventually("the namespace to go", async || namespaces.get_opt(&namespace).await.unwrap().is_none()).await;
}

async fn eventually(what: &str, happened: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !happened().await {
        assert!(begun.elapsed() < Duration::from_secs(120), "waited for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
