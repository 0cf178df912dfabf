//! Pipelines that are deleted, and what is left of their proposals.

use std::fs;

use serde_json::{Value, json};

use super::stage::{PIPELINE, Replica, Stage};

/// A stage on which there is a proposal for `prod`, and who made it.
async fn proposed(hint: &str, arguments: &[&str]) -> (Stage<'static>, Replica) {
    let stage = Stage::new(hint).await;
    stage.set(&stage.three_with(json!({"promote": {"strategy": "pull-request"}}))).await;
    let controller = stage.replica("gradus", arguments);
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
    stage.deploy("staging").await;
    stage.until("a proposal", async || (!stage.branches().is_empty()).then_some(())).await;
    stage
        .until("its status", async || {
            let here = stage.here("prod").await;
            (here["proposal"]["number"] == 1).then_some(())
        })
        .await;
    assert_eq!(stage.object().await["metadata"]["finalizers"], json!(["gradus.dev/proposals"]));
    (stage, controller)
}

async fn until_gone(stage: &Stage<'_>) {
    stage.until("the pipeline to be gone", async || stage.object().await.is_null().then_some(())).await;
}

#[tokio::test]
async fn one_that_is_deleted_while_nobody_leads_leaves_no_proposal() {
    let (stage, controller) = proposed("deleted", &[]).await;
    controller.kill();
    stage.objects.delete(PIPELINE, &stage.namespace, "web").await.unwrap();
    assert!(stage.object().await["metadata"]["deletionTimestamp"].is_string());
    let before = stage.log();
    let _controller = stage.replica("another", &[]);
    until_gone(&stage).await;
    assert_eq!(stage.branches(), Vec::<String>::new());
    assert_eq!(stage.log(), before);
    // One of the same name begins anew, and finds nothing of the one before.
    stage.set(&stage.three()).await;
    stage.until_git_has("prod", "1.1.0").await;
    assert_eq!(stage.object().await["metadata"]["finalizers"], Value::Null, "it proposes nothing");
}

#[tokio::test]
async fn one_with_mistakes_that_is_deleted_leaves_no_proposal() {
    let (stage, controller) = proposed("broken", &[]).await;
    let mut three = stage.three_with(json!({"promote": {"strategy": "pull-request"}}));
    three[1]["after"] = json!(["nowhere"]);
    stage.set(&three).await;
    stage
        .until("it to be stalled", async || {
            (stage.condition("Stalled").await["status"] == "True").then_some(())
        })
        .await;
    controller.kill();
    stage.objects.delete(PIPELINE, &stage.namespace, "web").await.unwrap();
    let _controller = stage.replica("another", &[]);
    until_gone(&stage).await;
    assert_eq!(stage.branches(), Vec::<String>::new());
}

#[tokio::test]
async fn one_whose_repository_is_gone_does_not_stay_for_ever() {
    let (stage, _controller) = proposed("unreachable", &["--clearing-up", "3s"]).await;
    fs::rename(stage.world.path("fleet.git"), stage.world.path("away.git")).unwrap();
    stage.objects.delete(PIPELINE, &stage.namespace, "web").await.unwrap();
    stage
        .until("the pipeline to be gone", async || {
            let object = stage.objects.get(PIPELINE, &stage.namespace, "web").await.unwrap();
            object.is_none().then_some(())
        })
        .await;
    let told = stage
        .until("an event", async || {
            let events = stage.objects.list("events.k8s.io/v1/Event", &stage.namespace).await.unwrap();
            events.into_iter().find(|event| event["reason"] == "ProposalsLeft")
        })
        .await;
    assert_eq!(told["type"], "Warning");
    assert!(told["note"].as_str().unwrap().contains("its open proposals are left: "), "{told:#}");
    fs::rename(stage.world.path("away.git"), stage.world.path("fleet.git")).unwrap();
    assert_eq!(stage.branches().len(), 1);
}
