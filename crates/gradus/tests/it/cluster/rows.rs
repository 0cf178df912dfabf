//! Ways of working that people have today, each as its users know it.

use serde_json::{Value, json};

use super::stage::{Stage, here};

/// Changes that wait as a branch until somebody approves them.
fn proposed() -> Value {
    json!({"promote": {"strategy": "pull-request", "merge": "auto"}, "gates": [{"approval": {"min": 1}}]})
}

fn branch(stage: &Stage<'_>, environment: &str) -> String {
    format!("gradus/{}/web/{environment}", stage.namespace)
}

async fn until_proposed(stage: &Stage<'_>, environment: &str, version: &str) {
    stage
        .until(&format!("{version} to be proposed for {environment}"), async || {
            (stage.here(environment).await["proposal"]["version"] == version).then_some(())
        })
        .await;
}

async fn approve(stage: &Stage<'_>, environment: &str) {
    let name = format!("yes-to-{environment}");
    stage.say("Approval", &name, json!({"environment": environment, "by": "grace"})).await;
    stage.until_git_has(environment, "1.1.0").await;
}

/// A12: an environment that follows the latest image by an automation is no part of the
/// chain. What it gets is promoted nowhere, and nobody else writes to its files.
#[tokio::test]
async fn a12_an_environment_that_follows_the_latest_image_is_outside_the_chain() {
    let stage = Stage::new("latest").await;
    stage.set(&[stage.environment("staging", json!({})), stage.environment("prod", json!({}))]).await;
    let automated = "image: web:7 # {\"$imagepolicy\": \"flux-system:web-dev\"}\n";
    stage.world.write("checkout/apps/dev/image.yaml", automated);
    stage.commit("dev", "1.9.0");
    stage.deploy("dev").await;
    let _controller = stage.controller();
    stage.until_it_is("staging", "healthy", "1.0.0").await;
    stage.look().await;
    assert_eq!(stage.promotions(), Vec::<String>::new());
    // The chain itself goes on beside it.
    stage.commit("staging", "1.0.5");
    stage.until_it_is("staging", "deploying", "1.0.5").await;
    stage.deploy("staging").await;
    stage.until_git_has("prod", "1.0.5").await;
    assert_eq!(stage.version("dev"), "1.9.0");
    assert_eq!(stage.git(&["show", "main:apps/dev/image.yaml"]), automated);
}

/// A20: four environments, each proposed only once the one before runs the release.
#[tokio::test]
async fn a20_each_environment_is_proposed_after_the_one_before_was_deployed() {
    let stage = Stage::new("chain").await;
    stage.commit("uat", "1.0.0");
    stage.deploy("uat").await;
    let of = |name: &str| stage.environment(name, proposed());
    stage.set(&[stage.environment("dev", json!({})), of("uat"), of("staging"), of("prod")]).await;
    let _controller = stage.controller();
    stage.until_it_is("uat", "healthy", "1.0.0").await;
    assert_eq!(stage.branches(), Vec::<String>::new());
    for (before, next) in [("dev", "uat"), ("uat", "staging"), ("staging", "prod")] {
        // Git has it, and it does not run yet.
        stage.until_it_is(before, "deploying", "1.1.0").await;
        stage.look().await;
        assert_eq!(stage.branches(), Vec::<String>::new(), "before {before} runs it");
        stage.deploy(before).await;
        until_proposed(&stage, next, "1.1.0").await;
        assert_eq!(stage.branches(), [branch(&stage, next)]);
        assert_eq!(stage.version(next), "1.0.0", "nobody approved {next}");
        approve(&stage, next).await;
        stage.until("the branch to be gone", async || stage.branches().is_empty().then_some(())).await;
    }
}

/// A22 and A23: what applied the files is green although the release failed. The
/// environment is said to have failed until the release works at that version, and the next one
/// is not proposed before.
#[tokio::test]
async fn a22_a23_a_failed_upgrade_shows_as_failed_and_is_proposed_nowhere() {
    let stage = Stage::new("tick").await;
    let of = |name: &str| stage.environment(name, proposed());
    stage.set(&[stage.environment("dev", json!({})), of("staging")]).await;
    let _controller = stage.controller();
    stage.until_it_is("dev", "deploying", "1.1.0").await;
    let applied = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "fleet", "namespace": stage.namespace},
        "spec": {"interval": "1m", "path": "./apps", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
    });
    stage.objects.put(&applied).await.unwrap();
    let tip = format!("main@sha1:{}", stage.git(&["rev-parse", "main"]).trim());
    let green = json!({"status": {
        "observedGeneration": 1, "lastAppliedRevision": tip, "lastAttemptedRevision": tip,
        "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "Applied",
                        "observedGeneration": 1, "lastTransitionTime": "2026-01-05T09:00:00Z"}],
    }});
    let kind = "kustomize.toolkit.fluxcd.io/v1/Kustomization";
    stage.objects.merge_status(kind, &stage.namespace, "fleet", &green).await.unwrap();
    stage.fail("dev", "1.0.0").await;
    stage.until_it_is("dev", "failed", "1.1.0").await;
    let object = stage.look().await;
    assert_eq!(here(&object, "staging")["reason"], "target-failed", "{object:#}");
    assert_eq!(stage.branches(), Vec::<String>::new());
    // Mended at the same version.
    stage.deploy("dev").await;
    stage.until_it_is("dev", "healthy", "1.1.0").await;
    until_proposed(&stage, "staging", "1.1.0").await;
}

/// A31: two environments, of which one is deployed by a push and the other by a proposal.
#[tokio::test]
async fn a31_one_environment_at_once_and_one_by_a_proposal() {
    let stage = Stage::new("two").await;
    stage.set(&[stage.environment("dev", json!({})), stage.environment("prod", proposed())]).await;
    let _controller = stage.controller();
    stage.until_it_is("dev", "deploying", "1.1.0").await;
    stage.deploy("dev").await;
    until_proposed(&stage, "prod", "1.1.0").await;
    assert_eq!(stage.promotions(), Vec::<String>::new());
    approve(&stage, "prod").await;
    stage.deploy("prod").await;
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    assert_eq!(stage.promotions(), ["Promote web to prod: 1.0.0 → 1.1.0"]);
}

/// A18: what is deployed already is proposed no second time, however often it is told.
#[tokio::test]
async fn a18_what_is_there_already_is_not_proposed() {
    let stage = Stage::new("same").await;
    stage.commit("prod", "1.1.0");
    stage.set(&[stage.environment("dev", json!({})), stage.environment("prod", proposed())]).await;
    let _controller = stage.controller();
    for _ in 0..3 {
        stage.deploy("dev").await;
        stage.deploy("prod").await;
        stage.until_it_is("dev", "healthy", "1.1.0").await;
        stage.look().await;
        assert_eq!(stage.branches(), Vec::<String>::new());
    }
    assert_eq!(stage.promotions(), Vec::<String>::new());
}

const IMAGE: &str = "ghcr.io/acme/progressive";
const DEPLOYMENT: &str = "apps/v1/Deployment";

/// D7 and D12: an automation commits an image to staging's files and to nothing else. What
/// arrives there is that version, and once it works it is proposed for production's overlay.
#[tokio::test]
async fn d7_d12_an_image_that_an_automation_brought_to_staging_is_proposed_for_production() {
    let stage = Stage::new("image").await;
    let bring = |version: &str| {
        let patch = format!("image: {IMAGE}:{version} # {{\"$imagepolicy\": \"flux-system:progressive\"}}\n");
        stage.world.write("checkout/apps/staging/deployment-patch.yaml", &patch);
        let _ = std::fs::remove_file(stage.world.path("checkout/apps/staging/release.yaml"));
        stage.world.commit(&format!("Deploy {IMAGE}:{version}"));
    };
    bring("1.1.58");
    stage.commit("prod", "1.1.58");
    let target = |kind: &str, app: &str| json!([{"namespace": stage.namespace, "kind": kind, "app": app}]);
    let mut production = proposed();
    production["targets"] = target("HelmRelease", "prod");
    stage
        .set(&[
            stage.environment("staging", json!({"targets": target("Deployment", "web")})),
            stage.environment("prod", production),
        ])
        .await;
    stage.deploy("prod").await;
    run(&stage, "1.1.58", true).await;
    let _controller = stage.controller();
    stage.until_it_is("staging", "healthy", "1.1.58").await;
    assert_eq!(stage.branches(), Vec::<String>::new());

    bring("1.1.59");
    run(&stage, "1.1.59", false).await;
    stage
        .until("1.1.59 to arrive", async || {
            (stage.here("staging").await["targets"][0]["verdict"] == "deploying").then_some(())
        })
        .await;
    stage.look().await;
    assert_eq!(stage.branches(), Vec::<String>::new());
    run(&stage, "1.1.59", true).await;
    stage.until_it_is("staging", "healthy", "1.1.59").await;
    until_proposed(&stage, "prod", "1.1.59").await;
    assert_eq!(stage.branches(), [branch(&stage, "prod")]);
    assert_eq!(stage.version("prod"), "1.1.58");
    assert_eq!(stage.promotions(), Vec::<String>::new());
}

/// The Deployment of staging with an image that works, or does not yet.
async fn run(stage: &Stage<'_>, version: &str, works: bool) {
    let labels = json!({"app": "web"});
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": stage.namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": format!("{IMAGE}:{version}")}]}}},
    });
    let kept = stage.objects.put(&object).await.unwrap();
    let count = u8::from(works);
    let now = jiff::Timestamp::now().to_string();
    let condition = |of: &str, status: &str, reason: &str| json!({"type": of, "status": status, "reason": reason, "message": reason, "lastUpdateTime": now, "lastTransitionTime": now});
    let says = json!({"status": {
        "observedGeneration": kept["metadata"]["generation"], "replicas": 1, "updatedReplicas": 1,
        "readyReplicas": count, "availableReplicas": count, "unavailableReplicas": 1 - count,
        "conditions": [
            condition("Available", if works { "True" } else { "False" }, "MinimumReplicas"),
            condition("Progressing", "True", if works { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" }),
        ],
    }});
    stage.objects.merge_status(DEPLOYMENT, &stage.namespace, "web", &says).await.unwrap();
}

/// K18: nobody promotes from an environment that is not healthy, unless they say that it is
/// to go past that.
#[tokio::test]
async fn k18_what_is_not_healthy_is_promoted_by_an_override_alone() {
    let stage = Stage::new("override").await;
    stage.set(&stage.three()).await;
    let _controller = stage.controller();
    stage.until_it_is("dev", "deploying", "1.1.0").await;
    let ask = |way: &str| json!({"environment": "staging", "version": "1.1.0", "type": way, "by": "ada", "reason": "they wait for it"});
    stage.say("Promotion", "early", ask("promote")).await;
    stage
        .until("it to be answered", async || {
            stage.answer("Promotion", "early").await["state"].is_string().then_some(())
        })
        .await;
    stage.look().await;
    assert_eq!(stage.version("staging"), "1.0.0");
    assert_eq!(stage.promotions(), Vec::<String>::new());
    stage.say("Promotion", "past", ask("override")).await;
    stage.answered("Promotion", "past", "done").await;
    assert_eq!(stage.version("staging"), "1.1.0");
}
