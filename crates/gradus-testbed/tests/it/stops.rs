//! Parts that stop and go on.

use std::time::Duration;

use gradus_testbed::{ControlPlane, User};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {what: everything}\n";

async fn kept(client: Client) -> Option<String> {
    let map = Api::<ConfigMap>::default_namespaced(client).get("kept").await.ok()?;
    map.data?.remove("what")
}

#[tokio::test]
async fn kube_apiserver_stops_and_comes_back_with_everything() {
    let plane = ControlPlane::start().await.unwrap();
    plane.apply(MAP).await.unwrap();
    let client = plane.client(User::Admin).await.unwrap();
    assert_eq!(kept(client.clone()).await.as_deref(), Some("everything"));

    plane.stop_apiserver();
    assert_eq!(kept(client.clone()).await, None);
    plane.stop_apiserver();

    plane.start_apiserver().await.unwrap();
    // The client from before goes on.
    assert_eq!(kept(client.clone()).await.as_deref(), Some("everything"));
    plane.start_apiserver().await.unwrap();
    assert_eq!(kept(client).await.as_deref(), Some("everything"));
}

#[tokio::test]
async fn what_is_paused_hangs_until_it_goes_on() {
    let plane = ControlPlane::start().await.unwrap();
    plane.apply(MAP).await.unwrap();
    for part in ["kube-apiserver", "etcd"] {
        let client = plane.client(User::Admin).await.unwrap();
        let paused = if part == "etcd" { plane.pause_etcd() } else { plane.pause_apiserver() }.unwrap();
        let mut asked = tokio::spawn(kept(client));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut asked).await;
        assert!(early.is_err(), "{part} is paused and there is an answer: {early:?}");
        drop(paused);
        assert_eq!(asked.await.unwrap().as_deref(), Some("everything"), "{part} goes on");
    }
}
