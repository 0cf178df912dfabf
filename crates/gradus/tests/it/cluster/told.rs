//! Who is told of what in a cluster, and what is remembered of it in the Notification's status.

use serde_json::{Value, json};

use super::stage::{Stage, condition};
use crate::notifying::Receiver;

const NOTIFICATION: &str = "gradus.dev/v1alpha1/Notification";
const EVENT: &str = "events.k8s.io/v1/Event";

fn notification(stage: &Stage<'_>, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "gradus.dev/v1alpha1",
        "kind": "Notification",
        "metadata": {"name": name, "namespace": stage.namespace},
        "spec": spec,
    })
}

async fn object(stage: &Stage<'_>, name: &str) -> Value {
    stage.objects.get(NOTIFICATION, &stage.namespace, name).await.unwrap().unwrap_or_default()
}

/// Waits until a condition of a Notification is so; its message.
async fn until_it_is(stage: &Stage<'_>, name: &str, of: &str, status: &str) -> String {
    let found = stage
        .until(&format!("{of} of {name} to be {status}"), async || {
            let condition = condition(&object(stage, name).await, of);
            (condition["status"] == status).then_some(condition)
        })
        .await;
    found["message"].as_str().unwrap().to_owned()
}

/// How much is remembered of the pipeline.
async fn remembered(stage: &Stage<'_>, name: &str) -> usize {
    object(stage, name).await["status"]["told"][0]["keys"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn each_promotion_is_told_once_whoever_leads() {
    let stage = Stage::new("told").await;
    let receiver = Receiver::start();
    let spec = json!({"on": ["promoted"], "to": {"webhook": {"url": receiver.url}}});
    stage.objects.put(&notification(&stage, "team", spec)).await.unwrap();
    stage.set(&stage.three()).await;
    let controller = stage.controller();
    until_it_is(&stage, "team", "Ready", "True").await;
    stage
        .until("something to be remembered", async || (remembered(&stage, "team").await > 0).then_some(()))
        .await;
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
    stage.until("a message", async || (receiver.titles().len() == 1).then_some(())).await;
    until_it_is(&stage, "team", "Delivered", "True").await;
    // Killed, and another one begins.
    controller.kill();
    let controller = stage.replica("next", &[]);
    stage.deploy("staging").await;
    stage.until_git_has("prod", "1.1.0").await;
    stage.until("another message", async || (receiver.titles().len() == 2).then_some(())).await;
    stage.look().await;
    drop(controller);
    assert_eq!(
        receiver.titles(),
        ["web was promoted to staging: 1.0.0 → 1.1.0", "web was promoted to prod: 1.0.0 → 1.1.0"]
    );
    assert!(object(&stage, "team").await["status"]["lastTold"].is_string());
}

#[tokio::test]
async fn what_nobody_takes_is_said_on_the_notification() {
    let stage = Stage::new("untold").await;
    let receiver = Receiver::start();
    receiver.says("410 Gone");
    let spec = json!({"on": ["promoted"], "to": {"webhook": {"url": receiver.url}}});
    stage.objects.put(&notification(&stage, "team", spec)).await.unwrap();
    // The definition takes it, and it is a mistake all the same.
    let spec = json!({"to": {"webhook": {"url": receiver.url, "headers": {"authorization": "Bearer abc"}}}});
    stage.objects.put(&notification(&stage, "wrong", spec)).await.unwrap();
    let both = json!({"to": {"teams": {"secretRef": {"name": "a"}}, "slack": {"secretRef": {"name": "a"}}}});
    let refused = stage.objects.create(&notification(&stage, "both", both)).await;
    let refused = std::error::Error::source(&refused.unwrap_err()).unwrap().to_string();
    assert!(refused.contains("exactly one of"), "{refused}");
    stage.set(&stage.three()).await;
    let _controller = stage.controller();
    let why = until_it_is(&stage, "wrong", "Ready", "False").await;
    assert!(why.contains("this header is a secret"), "{why}");
    stage
        .until("something to be remembered", async || (remembered(&stage, "team").await > 0).then_some(()))
        .await;
    stage.deploy("dev").await;
    let why = until_it_is(&stage, "team", "Delivered", "False").await;
    assert!(why.starts_with("web was promoted to staging: 1.0.0 → 1.1.0: sending a message"), "{why}");
    let undelivered = object(&stage, "team").await["status"]["undelivered"].clone();
    assert_eq!(undelivered.as_array().map(Vec::len), Some(1), "{undelivered}");
    stage
        .until("an event", async || {
            let events = stage.objects.list(EVENT, &stage.namespace).await.unwrap();
            events.into_iter().find(|event| event["reason"] == "Undelivered" && event["type"] == "Warning")
        })
        .await;
}
