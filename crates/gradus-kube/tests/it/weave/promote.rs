//! What the webhook has done: promotions, keys, and what is not there.

use gradus_engine::port::PortErrorKind;
use gradus_weave::ObjectName;
use serde_json::{Value, json};

use super::level::by_webhook;
use super::world::{Listener, Setup, World, eventually, notification};

fn environments() -> Value {
    json!([
        {"name": "dev", "targets": [{"namespace": "dev"}]},
        {"name": "prod", "targets": [{"namespace": "prod"}]},
    ])
}

/// A world that does not lead: the webhook is answered by any replica.
async fn world(listener: Listener) -> World {
    let world = World::with(Setup { leads: false, listener, ..Setup::default() }).await;
    world.pipeline("app", "HelmRelease", environments(), notification()).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_a_promotion_is_told_by_the_cluster_and_at_the_address() {
    let world = world(Listener::default()).await;
    let promotion = by_webhook(&world.get("app").await, "v0.1.2");
    assert_eq!(world.controller.promote(&promotion).await.unwrap(), None);
    let words = "Normal Promote Promote pipeline NS/app to prod with version v0.1.2";
    world.until_told("app", &[words]).await;
    let event = world.events("app").await.remove(0);
    let told = json!({
        "environment": "prod", "version": "v0.1.2",
        "pipelines.weave.works/environment": "prod", "pipelines.weave.works/version": "v0.1.2",
    });
    assert_eq!(json!(event.metadata.annotations), told);
    let posted = eventually("it is posted", async || match world.posted().first() {
        Some(posted) => Ok(posted.clone()),
        None => Err("nothing is".to_owned()),
    })
    .await;
    assert_eq!(posted["metadata"], told);
    assert_eq!(posted["reportingInstance"], "replica-1");
    assert_eq!(posted["message"].as_str().unwrap().replace(&world.namespace, "NS"), &words[15..]);
    let uid = world.get("app").await.metadata.uid;
    assert_eq!(posted["involvedObject"]["uid"], json!(uid));
    assert_eq!(event.regarding.unwrap().uid, Some(uid));
    // Told twice it is one event that happened again.
    assert_eq!(world.controller.promote(&promotion).await.unwrap(), None);
    world.until_told("app", &[words]).await;
    assert_eq!(world.events("app").await[0].series.as_ref().map(|series| series.count), Some(2));
    let status = world.get("app").await.status;
    assert!(status.environments.is_empty(), "the classic rule records nothing: {status:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_a_promotion_of_a_pipeline_that_is_gone_fails() {
    let world = world(Listener::default()).await;
    let promotion = by_webhook(&world.get("app").await, "v0.1.2");
    world.delete("pipelines.weave.works/v1alpha1", "Pipeline", &world.namespace, "app").await;
    assert!(world.try_get("app").await.is_none());
    let error = world.controller.promote(&promotion).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Missing);
    let said = error.in_full().replace(&world.namespace, "NS");
    assert_eq!(said, "promoting NS/app to prod (not found)");
    assert!(world.posted().is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_nobody_at_the_address_keeps_no_promotion_from_being_made() {
    let world = world(Listener { is_down: true, ..Listener::default() }).await;
    let promotion = by_webhook(&world.get("app").await, "v0.1.2");
    let begun = std::time::Instant::now();
    assert_eq!(world.controller.promote(&promotion).await.unwrap(), None);
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "nor waiting: {:?}", begun.elapsed());
    world.until_told("app", &["Normal Promote Promote pipeline NS/app to prod with version v0.1.2"]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_by_a_pull_request_is_refused_for_good() {
    let world = world(Listener::default()).await;
    let pull_request = json!({"strategy": {"pull-request": {
        "type": "github", "url": "https://github.com/acme/web", "baseBranch": "main",
        "secretRef": {"name": "git"},
    }}});
    world.pipeline("other", "HelmRelease", environments(), pull_request).await;
    let promotion = by_webhook(&world.get("other").await, "v0.1.2");
    let error = world.controller.promote(&promotion).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unusable);
    insta::assert_snapshot!(
        error.in_full().replace(&world.namespace, "NS"),
        @"promoting NS/other to prod: pull requests on github are not there yet: use the strategy `notification`, or turn the pipeline into one of gradus.dev with `gradus migrate`"
    );
    assert_eq!(world.told("other").await, [""; 0]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_got_by_its_name() {
    let world = world(Listener::default()).await;
    let secret = |name: &str, key: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {key: "kept\n"}});
    world.apply(secret("key", "hmac-key")).await;
    world.apply(secret("other", "token")).await;
    let namespace = ObjectName::parse(&world.namespace).unwrap();
    for (name, key) in [("key", Some(b"kept\n".to_vec())), ("other", None), ("none", None)] {
        let name = ObjectName::parse(name).unwrap();
        assert_eq!(world.controller.secret_key(&namespace, &name).await.unwrap(), key, "{name}");
    }
    world.end().await;
}
