//! Those who deploy are asked to look when a promotion landed.

use gradus_testbed::User;
use serde_json::{Value, json};

use super::host::Host;
use super::secrets::may;
use super::stage::{RELEASE, Stage};
use crate::collector::{Collector, Mood};
use crate::traces::variables;

const SOURCE: &str = "source.toolkit.fluxcd.io/v1/GitRepository";
const KUSTOMIZATION: &str = "kustomize.toolkit.fluxcd.io/v1/Kustomization";
const ASKED: &str = "reconcile.fluxcd.io/requestedAt";

/// Flux follows the pipeline's repository and another one, and has applied staging and prod from both.
async fn flux(stage: &Stage<'_>) -> Host {
    let host = Host::asking(&stage.world.path(""), || true);
    stage.git(&["config", "http.receivepack", "true"]);
    for (name, url) in [("fleet", host.url("fleet.git")), ("other", host.url("other.git"))] {
        let named = json!({"name": name, "namespace": stage.namespace});
        let source = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": named, "spec": {"url": url, "interval": "1h"},
        });
        let kustomization = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": named,
            "spec": {"interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": name}},
        });
        for object in [source, kustomization] {
            stage.objects.create(&object).await.unwrap();
        }
    }
    for (environment, by) in [("staging", "fleet"), ("prod", "other")] {
        let labels = json!({
            "kustomize.toolkit.fluxcd.io/name": by,
            "kustomize.toolkit.fluxcd.io/namespace": stage.namespace,
        });
        let patch = json!({"metadata": {"labels": labels}});
        stage.objects.merge(RELEASE, &stage.namespace, environment, &patch).await.unwrap();
    }
    host
}

/// The pipeline through so many environments, at the host, with more in its spec.
async fn pipeline(stage: &Stage<'_>, host: &Host, environments: usize, more: Value) {
    let mut pipeline = stage.pipeline(&stage.three()[..environments]);
    pipeline["spec"]["repository"] = json!({"url": host.url("fleet.git")});
    for (field, value) in more.as_object().unwrap() {
        pipeline["spec"][field] = value.clone();
    }
    stage.objects.put(&pipeline).await.unwrap();
}

/// When each was asked, if it was: the source and the Kustomization of the pipeline's
/// repository, and those of the other.
async fn asked(stage: &Stage<'_>) -> [Option<String>; 4] {
    let of = async |kind: &str, name: &str| {
        let object = stage.objects.get(kind, &stage.namespace, name).await.unwrap().unwrap();
        object["metadata"]["annotations"][ASKED].as_str().map(str::to_owned)
    };
    [
        of(SOURCE, "fleet").await,
        of(KUSTOMIZATION, "fleet").await,
        of(SOURCE, "other").await,
        of(KUSTOMIZATION, "other").await,
    ]
}

const NOBODY: [Option<String>; 4] = [None, None, None, None];

#[tokio::test]
async fn flux_is_asked_once_for_a_promotion() {
    let stage = Stage::new("poked").await;
    let host = flux(&stage).await;
    pipeline(&stage, &host, 3, json!({})).await;
    let controller = stage.controller();
    stage.look().await;
    assert_eq!(asked(&stage).await, NOBODY, "nothing has landed");

    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
    let once = stage
        .until("Flux to be asked", async || {
            Some(asked(&stage).await)
                .filter(|[source, kustomization, ..]| source.is_some() && kustomization.is_some())
        })
        .await;
    assert_eq!(once[2..], NOBODY[2..], "who follows another repository is not asked");

    // Another begins, and looks again and again.
    controller.kill();
    let controller = stage.replica("another", &[]);
    for _ in 0..3 {
        stage.look().await;
    }
    assert_eq!(asked(&stage).await, once);

    // To prod nothing leads that follows the repository: that is told, once, and promoted all the same.
    stage.deploy("staging").await;
    stage.until_git_has("prod", "1.1.0").await;
    stage
        .until("that to be told", async || controller.said().contains("leads to HelmRelease").then_some(()))
        .await;
    assert_eq!(asked(&stage).await, once);
}

#[tokio::test]
async fn it_is_in_the_trace_of_the_promotion() {
    let stage = Stage::new("traced").await;
    let host = flux(&stage).await;
    pipeline(&stage, &host, 2, json!({})).await;
    let collector = Collector::start(Mood::Well);
    let controller = stage.replica_with("traced", &variables(&collector.url()));
    stage.deploy("dev").await;
    stage.until("Flux to be asked", async || asked(&stage).await[1].clone()).await;
    // What is left is sent at the end.
    controller.stop().await;
    let looks = collector.trees("look");
    let acted = looks.iter().find(|tree| tree.contains("gradus.outcome=acted")).expect("a look that acted");
    let requests = |line: &&str| !line.contains("(client)");
    let names = acted.lines().filter(requests).map(|line| line.split(" gradus.").next().unwrap());
    insta::assert_snapshot!(names.collect::<Vec<_>>().join("\n"), @"
    look
      observe
        git
        ledger
        targets
      plan
      step
        edit
        commit
        poke
    ");
}

#[tokio::test]
async fn a_pipeline_may_do_without() {
    let stage = Stage::new("unpoked").await;
    let host = flux(&stage).await;
    pipeline(&stage, &host, 3, json!({"poke": false})).await;
    let controller = stage.controller();
    stage.deploy("dev").await;
    stage.until_it_is("staging", "deploying", "1.1.0").await;
    stage.look().await;
    assert_eq!(asked(&stage).await, NOBODY);
    assert!(!controller.said().contains("asked to look"), "{}", controller.said());
}

#[tokio::test]
async fn who_may_not_ask_promotes_all_the_same() {
    let stage = Stage::new("may-not-poke").await;
    let host = flux(&stage).await;
    may(&stage, "none").await;
    pipeline(&stage, &host, 2, json!({})).await;
    let controller = stage.replica_as(User::Controller, "restricted", &[]);
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
    stage.until_it_is("staging", "deploying", "1.1.0").await;
    let told = "GitRepository may not be asked (RBAC: patch)";
    stage.until("that to be told", async || controller.said().contains(told).then_some(())).await;
    assert_eq!(asked(&stage).await, NOBODY);
    for version in ["1.2.0", "1.3.0"] {
        stage.deploy("staging").await;
        stage.commit("dev", version);
        stage.deploy("dev").await;
        stage.until_git_has("staging", version).await;
    }
    stage.look().await;
    assert_eq!(controller.said().matches(told).count(), 1, "{}", controller.said());
}
