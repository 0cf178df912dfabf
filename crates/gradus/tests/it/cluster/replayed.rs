//! What a real Flux wrote, step by step, written again into a real API server, and
//! what a pipeline says of it.

use std::fs;
use std::path::Path;

use gradus_testbed::each_time;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::release::complete;
use super::stage::{RELEASE, Stage, here};

/// A recording with what has to be thought of it.
struct Played {
    file: &'static str,
    /// What Git has before the first change, and after it.
    from: &'static str,
    to: &'static str,
    /// What is said at the end, of what Git has then.
    end: &'static str,
    /// After every so many steps the controller is killed and started again.
    restart: Option<usize>,
}

#[tokio::test]
async fn an_upgrade_that_works() {
    let end = "healthy";
    play(&Played { file: "01-upgrade-ok", from: "6.5.0", to: "6.5.1", end, restart: Some(1) }).await;
}

#[tokio::test]
async fn an_upgrade_that_fails_and_is_rolled_back() {
    let file = "02-upgrade-fails-rolls-back-kustomization-green";
    play(&Played { file, from: "6.5.0", to: "6.6.0", end: "failed", restart: Some(6) }).await;
}

#[tokio::test]
async fn a_release_that_somebody_suspended_and_git_resumed() {
    let file = "16-kubectl-suspend-is-undone";
    play(&Played { file, from: "6.6.1", to: "6.5.1", end: "healthy", restart: None }).await;
}

async fn play(played: &Played) {
    let stage = Stage::new("replay").await;
    stage.commit("dev", played.from);
    stage.set(&[stage.environment("dev", json!({}))]).await;
    let mut controller = stage.controller();
    let mut recording = steps(played.file, &stage.namespace);
    let first = recording.remove(0);
    begin(&stage, &first).await;
    stage.look().await;
    stage.commit("dev", played.to);
    stage
        .until("the commit to be seen", async || {
            (stage.here("dev").await["version"] == played.to).then_some(())
        })
        .await;
    check(&stage, played).await;
    for (number, step) in recording.iter().enumerate() {
        write(&stage, step).await;
        if played.restart.is_some_and(|every| number % every == 0) {
            controller.kill();
            controller = stage.controller();
        }
        check(&stage, played).await;
    }
    stage.until_it_is("dev", played.end, played.to).await;
    assert_eq!(stage.promotions(), Vec::<String>::new());
    drop(controller);
}

/// Nothing is said to work that does not, and nothing that is not what Git has.
async fn check(stage: &Stage<'_>, played: &Played) {
    let object = stage.objects.get(RELEASE, &stage.namespace, "dev").await.unwrap().unwrap();
    let dev = here(&stage.look().await, "dev");
    assert_eq!(dev["version"], played.to);
    let ready = object["status"]["conditions"].as_array().unwrap().iter().any(|condition| {
        condition["type"] == "Ready"
            && condition["status"] == "True"
            && condition["observedGeneration"] == object["metadata"]["generation"]
    });
    let tried = &object["status"]["lastAttemptedRevision"];
    let works = ready && tried == played.to && object["spec"]["chart"]["spec"]["version"] == played.to;
    for verdict in [&dev["verdict"], &dev["targets"][0]["verdict"]] {
        assert!(works || verdict != "healthy", "{dev:#}\n{object:#}");
    }
    assert!(played.end == "healthy" || dev["verdict"] != "healthy", "{dev:#}");
}

/// The steps of the HelmRelease, in this namespace and by now.
fn steps(file: &str, namespace: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus-evidence/tests/recordings");
    let text = fs::read_to_string(folder.join(format!("{file}.jsonl"))).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut steps: Vec<Value> = lines
        .filter(|line| line["object"].as_str().unwrap().starts_with("HelmRelease/"))
        .map(|mut line| if line["is"].is_null() { line["patch"].take() } else { line["is"].take() })
        .filter(|step| step != &json!({}))
        .collect();
    let mut last = Timestamp::UNIX_EPOCH;
    for step in &mut steps {
        each_time(step, &mut |at| {
            last = last.max(at);
            at
        });
    }
    let passed = Timestamp::now().duration_since(last);
    let passed = SignedDuration::from_secs(passed.as_secs());
    for step in &mut steps {
        each_time(step, &mut |at| at + passed);
        for entry in step["status"]["history"].as_array_mut().into_iter().flatten() {
            entry["namespace"] = namespace.into();
            entry["name"] = "dev".into();
            *entry = complete(entry.take());
        }
    }
    steps
}

/// Makes the HelmRelease as the recording has it first, with as many changes before
/// as make its generation the recorded one.
async fn begin(stage: &Stage<'_>, first: &Value) {
    let generation = first["metadata"]["generation"].as_i64().unwrap();
    let mut object = json!({
        "apiVersion": first["apiVersion"], "kind": first["kind"],
        "metadata": {"name": "dev", "namespace": stage.namespace},
        "spec": first["spec"],
    });
    for number in 1..=generation {
        let interval = if number == generation {
            first["spec"]["interval"].clone()
        } else {
            format!("{number}m").into()
        };
        object["spec"]["interval"] = interval;
        let made = stage.objects.put(&object).await.unwrap();
        assert_eq!(made["metadata"]["generation"], number);
    }
    write(stage, &json!({"status": first["status"]})).await;
}

/// Writes what changed in a step, the status as its subresource.
async fn write(stage: &Stage<'_>, step: &Value) {
    if !step["spec"].is_null() {
        let patch = json!({"spec": step["spec"]});
        let merged = stage.objects.merge(RELEASE, &stage.namespace, "dev", &patch).await.unwrap();
        assert_eq!(merged["metadata"]["generation"], step["metadata"]["generation"]);
    }
    if !step["status"].is_null() {
        let patch = json!({"status": step["status"]});
        stage.objects.merge_status(RELEASE, &stage.namespace, "dev", &patch).await.unwrap();
    }
}
