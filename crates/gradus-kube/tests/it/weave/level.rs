//! The level-triggered rule: what is promoted when.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_kube::weave::{PullRequests, Waited};
use gradus_weave::kind::{Pipeline, PullRequest};
use gradus_weave::{ObjectName, Promotion, approval, signature, webhook};
use serde_json::{Value, json};

use super::world::{Setup, World, eventually, notification};

const CHECKED: &str = "Ready=True ReconciliationSucceeded: All clusters checked";

/// A pipeline from `dev` over `staging` to `prod`, all of which run 1.0.0.
async fn three(world: &World, promotion: Value) {
    let mut environments = Vec::new();
    for name in ["dev", "staging", "prod"] {
        environments.push(world.environment(name).await);
        world.runs(name, "1.0.0", true).await;
    }
    world.pipeline("app", "Kustomization", json!(environments), promotion).await;
}

/// What was promoted, in order.
async fn promoted(world: &World) -> Vec<String> {
    let told = world.told("app").await;
    told.iter()
        .filter_map(|one| one.strip_prefix("Normal Promote Promote pipeline NS/app to "))
        .map(str::to_owned)
        .collect()
}

async fn until_promoted(world: &World, all: &[&str]) {
    eventually(&format!("{all:?} are promoted"), async || {
        let now = promoted(world).await;
        if now == all { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
}

/// What is recorded of an environment: the revision and whether it was promoted.
fn recorded(pipeline: &Pipeline, environment: &str) -> Option<(String, bool)> {
    let promotion = pipeline.status.environments.get(environment)?.promotion.as_ref()?;
    assert!(promotion.last_attempted_time.is_some(), "{promotion:?}");
    Some((promotion.revision.clone(), promotion.succeeded))
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_v7_v10_v11_b4_a_revision_goes_from_one_environment_to_the_next_once() {
    let world = World::level().await;
    three(&world, notification()).await;
    let first = world.until("app", CHECKED).await;
    assert_eq!(first.status.latest_revision.as_deref(), Some("1.0.0"));
    assert_eq!(promoted(&world).await, [""; 0]);
    let mut all: Vec<String> = Vec::new();
    for revision in ["1.0.1", "1.0.2"] {
        world.runs("dev", revision, true).await;
        for environment in ["staging", "prod"] {
            all.push(format!("{environment} with version {revision}"));
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            until_promoted(&world, &all).await;
            // The target lags, and is looked at all the time.
            let before = all.len();
            for odd in ["False", "True"] {
                let status = json!({
                    "lastAppliedRevision": "1.0.0",
                    "conditions": [super::world::condition("Ready", odd)],
                });
                world.kustomization(environment, status).await;
                let ready = odd == "True";
                world
                    .until_it("app", "a look at what lags", |pipeline| {
                        pipeline.status.environments[environment].targets[0].ready == ready
                    })
                    .await;
            }
            assert_eq!(promoted(&world).await.len(), before, "it is promoted once");
            let pipeline = world.get("app").await;
            assert_eq!(recorded(&pipeline, environment), Some((revision.to_owned(), true)));
            world.runs(environment, revision, true).await;
        }
        let done = world
            .until_it("app", "all of it", |pipeline| {
                pipeline.status.environments["prod"].targets[0].revision == revision
            })
            .await;
        assert_eq!(done.status.latest_revision.as_deref(), Some(revision));
        assert_eq!(recorded(&done, "dev"), None, "nothing is promoted to the first");
        assert_eq!(recorded(&done, "staging"), Some((revision.to_owned(), true)));
        assert_eq!(recorded(&done, "prod"), Some((revision.to_owned(), true)));
    }
    let told = world.posted();
    assert_eq!(told.len(), 4, "{told:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b4_another_replica_that_leads_does_not_promote_it_again() {
    let world = World::level().await;
    three(&world, notification()).await;
    world.runs("dev", "1.0.1", true).await;
    let once = ["staging with version 1.0.1"];
    until_promoted(&world, &once).await;
    world.until_it("app", "its record", |pipeline| recorded(pipeline, "staging").is_some()).await;
    world.leads.send(false).unwrap();
    world.leads.send(true).unwrap();
    // It is looked at by whoever leads now.
    world.runs("prod", "1.0.0", false).await;
    world.until_it("app", "a look", |pipeline| !pipeline.status.environments["prod"].targets[0].ready).await;
    assert_eq!(promoted(&world).await, once);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_b3_a_manual_promotion_waits_and_is_made_once_it_is_approved() {
    let world = World::level().await;
    let manual = json!({"manual": true, "strategy": {"notification": {}}});
    three(&world, manual).await;
    world.until("app", CHECKED).await;
    world.runs("dev", "1.0.1", true).await;
    let waits = world.until_it("app", "an approval", |pipeline| pipeline.waiting("staging").is_some()).await;
    assert_eq!(waits.waiting("staging"), Some("1.0.1"));
    // Looks go on, and leave it as it is.
    world.runs("prod", "1.0.0", false).await;
    let looked = world
        .until_it("app", "a look", |pipeline| !pipeline.status.environments["prod"].targets[0].ready)
        .await;
    assert_eq!(looked.waiting("staging"), Some("1.0.1"));
    assert_eq!(promoted(&world).await, [""; 0], "nobody said yes");
    // Somebody does, as the webhook does it: promote, then take away what waited.
    let approval::Decision::Promote(promotion) =
        approval::decide(&looked, "staging", "1.0.1", signature::Signed::NotAsked)
    else {
        panic!("it may be promoted")
    };
    assert_eq!(world.controller.promote(&promotion).await.unwrap(), None);
    let (namespace, name) = names(&world, "app");
    let write = |before: Option<&'static str>, after: Option<&'static str>| {
        world.controller.write_waiting(&namespace, &name, "staging", before, after)
    };
    assert_eq!(write(Some("1.0.1"), None).await.unwrap(), Waited::Done);
    world.runs("prod", "1.0.0", true).await;
    let after = world
        .until_it("app", "a look", |pipeline| pipeline.status.environments["prod"].targets[0].ready)
        .await;
    assert_eq!(after.waiting("staging"), None, "it does not wait once more");
    assert_eq!(recorded(&after, "staging"), Some(("1.0.1".to_owned(), true)));
    assert_eq!(promoted(&world).await, ["staging with version 1.0.1"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b3_what_the_webhook_lets_wait_is_never_taken_back() {
    let world = World::level().await;
    three(&world, notification()).await;
    world.until("app", CHECKED).await;
    let (namespace, name) = names(&world, "app");
    let write = |before: Option<String>, after: Option<String>| {
        let (world, namespace, name) = (&world, &namespace, &name);
        async move {
            let (before, after) = (before.as_deref(), after.as_deref());
            world.controller.write_waiting(namespace, name, "prod", before, after).await.unwrap()
        }
    };
    // While the status is written all the time.
    let mut before = None;
    for number in 0..10 {
        world.runs("staging", "1.0.0", number % 2 == 0).await;
        let after = Some(format!("2.0.{number}"));
        assert_eq!(write(before, after.clone()).await, Waited::Done);
        assert_eq!(world.get("app").await.waiting("prod"), after.as_deref());
        before = after;
    }
    let ready = |pipeline: &Pipeline| !pipeline.status.environments["staging"].targets[0].ready;
    let last = world.until_it("app", "the last look", ready).await;
    assert_eq!(last.waiting("prod"), Some("2.0.9"));
    // It is compared before it is set.
    assert_eq!(write(Some("2.0.8".to_owned()), None).await, Waited::Moved);
    assert_eq!(write(Some("2.0.8".to_owned()), Some("2.0.9".to_owned())).await, Waited::Done, "it is so");
    assert_eq!(write(Some("2.0.9".to_owned()), None).await, Waited::Done);
    assert_eq!(world.get("app").await.waiting("prod"), None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_b6_nothing_is_promoted_where_nothing_can_be_seen() {
    let world = World::level().await;
    world.pipeline("empty", "Kustomization", json!([]), notification()).await;
    let pending =
        format!("{CHECKED}\nPromotionPending=True EnvironmentNotReady: The pipeline has no environments");
    world.until("empty", &pending).await;
    let environments = json!([world.environment("dev").await, world.environment("prod").await]);
    world.runs("dev", "1.0.1", true).await;
    world.pipeline("app", "Kustomization", environments, notification()).await;
    let unreadable = "Ready=False TargetNotReadable: One or more targets was not reachable or not present";
    let seen = world.until("app", unreadable).await;
    assert_eq!(recorded(&seen, "prod"), None);
    assert_eq!(promoted(&world).await, [""; 0]);
    // As soon as it can be seen, it is.
    world.runs("prod", "1.0.0", true).await;
    until_promoted(&world, &["prod with version 1.0.1"]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_an_environment_promotes_as_it_says_itself() {
    let world = World::level().await;
    let mut prod = world.environment("prod").await;
    prod["promotion"] = notification();
    let environments = json!([world.environment("dev").await, prod]);
    world.runs("dev", "1.0.1", true).await;
    world.runs("prod", "1.0.0", true).await;
    // What the pipeline says for all is not there yet, and concerns nobody.
    let pull_request = json!({"strategy": {"pull-request": {
        "type": "gitlab", "url": "https://gitlab.com/acme/web", "baseBranch": "main",
        "secretRef": {"name": "git"},
    }}});
    world.pipeline("app", "Kustomization", environments, pull_request).await;
    until_promoted(&world, &["prod with version 1.0.1"]).await;
    world.until("app", CHECKED).await;
    world.end().await;
}

fn names(world: &World, name: &str) -> (ObjectName, ObjectName) {
    (ObjectName::parse(&world.namespace).unwrap(), ObjectName::parse(name).unwrap())
}

/// A host of pull requests that does not answer the first time.
#[derive(Default)]
struct Host(Mutex<Vec<String>>);

#[async_trait]
impl PullRequests for Host {
    fn refuses(&self, _: &PullRequest) -> Option<String> {
        None
    }

    async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError> {
        let mut asked = self.0.lock().unwrap();
        asked.push(format!("{} to {}", promotion.revision, promotion.environment.name));
        if asked.len() == 1 {
            return Err(PortError::new(PortErrorKind::Unreachable, "asking github.com"));
        }
        Ok(Some("https://github.com/acme/web/pull/7".to_owned()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_failed_is_made_later_and_then_recorded() {
    let host = Arc::new(Host::default());
    let pull_requests = host.clone();
    let world = World::with(Setup { level: true, pull_requests, ..Setup::default() }).await;
    let pull_request = json!({"strategy": {"pull-request": {
        "type": "github", "url": "https://github.com/acme/web", "baseBranch": "main",
        "secretRef": {"name": "git"},
    }}});
    let environments = json!([world.environment("dev").await, world.environment("prod").await]);
    world.runs("dev", "1.0.1", true).await;
    world.runs("prod", "1.0.0", true).await;
    world.pipeline("app", "Kustomization", environments, pull_request).await;
    let of_prod = |pipeline: &Pipeline| recorded(pipeline, "prod");
    let failed = Some(("1.0.1".to_owned(), false));
    world.until_it("app", "a failure", |pipeline| of_prod(pipeline) == failed).await;
    let made = Some(("1.0.1".to_owned(), true));
    let made = world.until_it("app", "the pull request", |pipeline| of_prod(pipeline) == made).await;
    let promotion = made.status.environments["prod"].promotion.clone().unwrap();
    assert_eq!(promotion.pull_request.unwrap().url, "https://github.com/acme/web/pull/7");
    let failed = "Warning PromotionFailed Failed to promote pipeline NS/app to prod with version 1.0.1: \
                  asking github.com (cannot be reached)";
    let told = world.told("app").await;
    assert!(told.iter().any(|one| one == failed), "{told:#?}");
    assert_eq!(*host.0.lock().unwrap(), ["1.0.1 to prod", "1.0.1 to prod"], "and not in between");
    world.end().await;
}

/// A promotion of a pipeline to its second environment, as the webhook decides it.
pub(crate) fn by_webhook(pipeline: &Pipeline, revision: &str) -> Promotion {
    let from = &pipeline.spec.environments[0];
    let app = &pipeline.spec.app_ref;
    let event = json!({
        "involvedObject": {
            "apiVersion": app.api_version, "kind": app.kind, "name": app.name,
            "namespace": from.targets[0].namespace,
        },
        "severity": "info", "metadata": {"revision": revision},
    });
    let signed = signature::Signed::NotAsked;
    let body = event.to_string();
    let webhook::Decision::Promote(promotion) =
        webhook::decide(pipeline, &from.name, signed, body.as_bytes())
    else {
        panic!("it may be promoted")
    };
    *promotion
}
