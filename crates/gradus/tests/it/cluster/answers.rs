//! What pipelines say of themselves, and when: statuses, conditions, events.

use serde_json::{Value, json};

use super::stage::{PIPELINE, Stage, condition, here};

const EVENT: &str = "events.k8s.io/v1/Event";

#[tokio::test]
async fn a_mistake_is_said_and_its_end_too() {
    let stage = Stage::new("mistake").await;
    // It comes after itself by a detour, which the schema cannot see.
    let mut circle = stage.three();
    circle[0]["after"] = json!(["prod"]);
    stage.set(&circle).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    let wrong = stage
        .until("the mistake to be said", async || {
            Some(stage.condition("Stalled").await).filter(|stalled| stalled["status"] == "True")
        })
        .await;
    let message = wrong["message"].as_str().unwrap();
    assert!(message.contains("after"), "{wrong:#}");
    let ready = stage.condition("Ready").await;
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("Invalid")));
    assert_eq!(stage.promotions(), Vec::<String>::new());

    let generation = stage.set(&stage.three()).await["metadata"]["generation"].clone();
    stage.until_git_has("staging", "1.1.0").await;
    let object = stage.look().await;
    assert_eq!(condition(&object, "Stalled")["status"], "False");
    assert_eq!(object["status"]["observedGeneration"], generation);

    // A mistake in what worked: what was known stays, and nothing moves.
    stage.set(&circle).await;
    stage
        .until("the mistake to be said again", async || {
            (stage.condition("Stalled").await["status"] == "True").then_some(())
        })
        .await;
    stage.deploy("staging").await;
    assert_eq!(stage.here("dev").await["verdict"], "healthy");
    assert_eq!(stage.version("prod"), "1.0.0");
    stage.set(&stage.three()).await;
    stage.until_git_has("prod", "1.1.0").await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_read_holds_everything() {
    let stage = Stage::new("badhold").await;
    stage.set(&stage.three()).await;
    stage.say("Hold", "lost", json!({"environment": "prd", "reason": "wait", "owner": "ada"})).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    let stalled = stage
        .until("the mistake to be said", async || {
            Some(stage.condition("Stalled").await).filter(|stalled| stalled["status"] == "True")
        })
        .await;
    assert!(stalled["message"].as_str().unwrap().contains("prd"), "{stalled:#}");
    assert_eq!(stage.promotions(), Vec::<String>::new());
    stage.objects.delete("gradus.dev/v1alpha1/Hold", &stage.namespace, "lost").await.unwrap();
    stage.until_git_has("staging", "1.1.0").await;
}

#[tokio::test]
async fn who_only_observes_or_is_suspended_writes_nothing_to_git() {
    let stage = Stage::new("observe").await;
    let mut pipeline = stage.pipeline(&stage.three());
    pipeline["spec"]["mode"] = "observe".into();
    stage.objects.put(&pipeline).await.unwrap();
    stage.deploy("dev").await;
    let _controller = stage.controller();
    stage.until_it_is("dev", "healthy", "1.1.0").await;
    let object = stage.look().await;
    assert_eq!(here(&object, "staging")["next"]["version"], "1.1.0");
    assert_eq!(stage.promotions(), Vec::<String>::new());

    pipeline["spec"]["mode"] = "active".into();
    pipeline["spec"]["suspend"] = true.into();
    let generation = stage.objects.put(&pipeline).await.unwrap()["metadata"]["generation"].clone();
    let object = stage.look().await;
    assert_eq!(object["status"]["observedGeneration"], generation);
    assert_eq!(stage.promotions(), Vec::<String>::new());

    pipeline["spec"]["suspend"] = false.into();
    stage.objects.put(&pipeline).await.unwrap();
    stage.until_git_has("staging", "1.1.0").await;
}

#[tokio::test]
async fn a_status_that_was_wiped_comes_back_and_moves_nothing() {
    let stage = Stage::new("wiped").await;
    let gate = json!({"gates": [{"approval": {"min": 1}}]});
    stage.set(&stage.three_with(gate)).await;
    stage.deploy("dev").await;
    let controller = stage.controller();
    stage.until_git_has("staging", "1.1.0").await;
    stage.deploy("staging").await;
    stage.until_it_is("staging", "healthy", "1.1.0").await;
    stage
        .until("prod to wait", async || {
            (stage.here("prod").await["reason"] == "waiting-for-approval").then_some(())
        })
        .await;
    let before = stage.look().await;
    let tip = stage.git(&["rev-parse", "main"]);

    let wipe = json!({"status": null});
    stage.objects.merge_status(PIPELINE, &stage.namespace, "web", &wipe).await.unwrap();
    stage.until_it_is("staging", "healthy", "1.1.0").await;
    let after = stage.look().await;
    assert_eq!(plain(&after), plain(&before));
    assert_eq!(stage.git(&["rev-parse", "main"]), tip);

    // The same while nobody looks.
    controller.kill();
    stage.objects.merge_status(PIPELINE, &stage.namespace, "web", &wipe).await.unwrap();
    let _controller = stage.controller();
    stage.until_it_is("staging", "healthy", "1.1.0").await;
    let after = stage.look().await;
    // What ran before is remembered nowhere else, and needed by nobody now.
    assert_eq!(without_spans(&after), without_spans(&before));
    assert_eq!(stage.git(&["rev-parse", "main"]), tip);
}

/// The same without what was proven.
fn without_spans(object: &Value) -> Value {
    let mut status = plain(object);
    for here in status["environments"].as_array_mut().unwrap() {
        here["proven"] = Value::Null;
    }
    status
}

/// What a status says, without the times at which it said so.
fn plain(object: &Value) -> Value {
    let mut status = object["status"].clone();
    status["lastHandledReconcileAt"] = Value::Null;
    for condition in status["conditions"].as_array_mut().unwrap() {
        condition["lastTransitionTime"] = Value::Null;
    }
    for here in status["environments"].as_array_mut().unwrap() {
        for span in here["proven"].as_array_mut().into_iter().flatten() {
            span["until"] = Value::Null;
        }
    }
    status
}

#[tokio::test]
async fn what_did_not_change_is_not_written_again() {
    let stage = Stage::new("still").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let controller = stage.controller();
    for environment in ["staging", "prod"] {
        stage.until_git_has(environment, "1.1.0").await;
        stage.deploy(environment).await;
    }
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    // Each look that is asked for writes once, to say that it was had.
    stage.look().await;
    let quiet = stage.look().await;
    let events = events(&stage).await;
    // Meanwhile it is looked because Flux wrote something that says nothing new, and every two seconds anyway.
    let looks = controller.looks();
    stage
        .until("four more looks", async || {
            stage.touch("dev").await;
            (controller.looks() >= looks + 4).then_some(())
        })
        .await;
    assert_eq!(version(&stage.object().await), version(&quiet));
    assert_eq!(self::events(&stage).await, events);

    // One event a change: three environments got healthy, two were promoted to.
    let mut reasons: Vec<String> = events
        .iter()
        .map(|(reason, note)| format!("{reason}: {}", note.split(", ").next().unwrap()))
        .collect();
    reasons.sort();
    let told = [
        "Healthy: dev is healthy at 1.1.0",
        "Healthy: prod is healthy at 1.0.0",
        "Healthy: prod is healthy at 1.1.0",
        "Healthy: staging is healthy at 1.0.0",
        "Healthy: staging is healthy at 1.1.0",
        "Promoted: prod pushed from 1.0.0 to 1.1.0",
        "Promoted: staging pushed from 1.0.0 to 1.1.0",
    ];
    assert_eq!(reasons, told);
}

#[tokio::test]
async fn who_asks_for_a_look_gets_it_at_once() {
    let stage = Stage::new("asks").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    stage.commit("staging", "1.1.0");
    stage.deploy("staging").await;
    stage.commit("prod", "1.1.0");
    let _controller = stage.replica("slow", &["--poll", "1h", "--resync", "1h"]);
    stage.until_it_is("prod", "deploying", "1.1.0").await;
    // Nothing in the cluster tells of this.
    stage.commit("dev", "1.2.0");
    let object = stage.look().await;
    assert_eq!(here(&object, "dev")["version"], "1.2.0");
    assert_eq!(object["status"]["lastHandledReconcileAt"], "look 0");
}

/// The reasons and notes of the events; one that was told again is here twice.
async fn events(stage: &Stage<'_>) -> Vec<(String, String)> {
    let events = stage.objects.list(EVENT, &stage.namespace).await.unwrap();
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let told = events.iter().flat_map(|event| {
        let times = event["series"]["count"].as_u64().unwrap_or(1);
        (0..times).map(|_| (text(event, "reason"), text(event, "note")))
    });
    told.collect()
}

/// Whether there is no pipeline any more.
async fn is_gone(stage: &Stage<'_>) -> bool {
    stage.objects.list(PIPELINE, &stage.namespace).await.unwrap().is_empty()
}

#[tokio::test]
async fn a_deleted_pipeline_takes_its_proposal_with_it_unless_told_to_leave_it() {
    let stage = Stage::new("deleted").await;
    let gate = json!({"promote": {"strategy": "pull-request"}});
    let environments = [stage.environment("dev", json!({})), stage.environment("staging", gate)];
    stage.deploy("dev").await;
    let _controller = stage.controller();
    stage.set(&environments).await;
    stage.until("a proposal", async || (stage.branches().len() == 1).then_some(())).await;
    stage.objects.delete(PIPELINE, &stage.namespace, "web").await.unwrap();
    stage.until("the branch to be gone", async || stage.branches().is_empty().then_some(())).await;
    // Until then it is the old one that would be changed.
    stage.until("the pipeline to be gone", async || is_gone(&stage).await.then_some(())).await;

    let mut pipeline = stage.pipeline(&environments);
    pipeline["spec"]["onDelete"] = "leave".into();
    stage.objects.put(&pipeline).await.unwrap();
    stage
        .until("a proposal", async || {
            (stage.here("staging").await["proposal"]["version"] == "1.1.0").then_some(())
        })
        .await;
    stage.objects.delete(PIPELINE, &stage.namespace, "web").await.unwrap();
    stage.until("the pipeline to be gone", async || is_gone(&stage).await.then_some(())).await;
    // The next pipeline of that name finds the proposal as its own.
    let branches = stage.branches();
    assert_eq!(branches.len(), 1);
    let tip = stage.git(&["rev-parse", &branches[0]]);
    stage.objects.put(&pipeline).await.unwrap();
    stage
        .until("a proposal", async || {
            (stage.here("staging").await["proposal"]["version"] == "1.1.0").then_some(())
        })
        .await;
    assert_eq!(stage.git(&["rev-parse", &branches[0]]), tip);
}
