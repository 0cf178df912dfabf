//! Events of Flux, as its controllers send them.

use aws_lc_rs::hmac;
use gradus_core::observation::TargetState;
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_server::hooks::Taken;

use crate::world::{Setup, World};

const KEY: &str = "a key for tests";

fn signature(body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), body.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An event of a HelmRelease in staging, before the notification-controller has taken the group off the metadata.
fn helm(reason: &str, severity: &str, revision: &str, at: &str, message: &str) -> String {
    let event = serde_json::json!({
        "involvedObject": {"kind": "HelmRelease", "namespace": "staging", "name": "web",
            "uid": "3d1f6b9e-6f0c-4a6e-9f57-0c4b0c1f7a11", "apiVersion": "helm.toolkit.fluxcd.io/v2", "resourceVersion": "1541"},
        "severity": severity, "timestamp": at, "message": message, "reason": reason,
        "metadata": {"helm.toolkit.fluxcd.io/app-version": revision, "helm.toolkit.fluxcd.io/revision": revision,
            "helm.toolkit.fluxcd.io/token": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        "reportingController": "helm-controller", "reportingInstance": "vm"});
    event.to_string()
}

fn kustomization(reason: &str, severity: &str, at: &str, message: &str) -> String {
    let event = serde_json::json!({
        "involvedObject": {"kind": "Kustomization", "namespace": "flux-system", "name": "staging",
            "uid": "883f1cc6-a0e3-40e9-84a0-bd34e995c382", "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "resourceVersion": "1443"},
        "severity": severity, "timestamp": at, "message": message, "reason": reason,
        "metadata": {"kustomize.toolkit.fluxcd.io/commit_status": "update",
            "kustomize.toolkit.fluxcd.io/revision": "main@sha1:cfb73eb4310b5c713b60bf9a82b486a66dc8ed25"},
        "reportingController": "kustomize-controller", "reportingInstance": "vm"});
    event.to_string()
}

async fn send(world: &World, path: &str, body: &str) -> crate::client::Answer {
    let head =
        format!("POST {path}\nContent-Type: application/json\nX-Signature: sha256={}", signature(body));
    world.ask(&head, body).await
}

async fn signed_world() -> World {
    World::new(Setup { hook_key: Some(KEY), ..Setup::default() }).await
}

fn staging(world: &World) -> TargetState {
    let view = world.fakes.ledger.view_of(&world.pipeline.key);
    view.targets.into_iter().find(|((name, _), _)| name.as_str() == "staging").expect("it has reported").1
}

/// Events one after the other, each with what it was taken for, and what the target's state is in the end.
async fn check(name: &str, events: &[String]) -> World {
    let world = signed_world().await;
    let mut text = String::new();
    for event in events {
        let answer = send(&world, "/hooks/flux/apps/web/staging", event).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        let taken: Taken = answer.json();
        let release = taken.release.map_or_else(String::new, |release| format!(" {release}"));
        text.push_str(&format!("{:?}{release}: {}\n", taken.understood, taken.words));
    }
    insta::assert_snapshot!(name, format!("{text}\n{:#?}", staging(&world)));
    world
}

#[tokio::test]
async fn an_upgrade_that_succeeds_is_healthy_and_a_green_kustomization_is_not() {
    check(
        "flux_upgrade",
        &[
            kustomization(
                "Progressing",
                "info",
                "2026-01-05T09:05:00Z",
                "HelmRelease/staging/web configured",
            ),
            kustomization(
                "ReconciliationSucceeded",
                "info",
                "2026-01-05T09:05:01Z",
                "Reconciliation finished in 648ms, next run in 1m0s",
            ),
            helm(
                "UpgradeSucceeded",
                "info",
                "1.2.0",
                "2026-01-05T09:05:06Z",
                "Helm upgrade succeeded for release staging/web.v2 with chart web@1.2.0",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_upgrade_that_was_rolled_back_has_failed_whatever_is_green() {
    let failed = "Helm upgrade failed for release staging/web with chart web@1.2.0: failed early due to stalled resources: [Deployment/staging/web status: 'Failed']\n\nLast Helm logs:\n\n2026-01-05T09:05:03Z: preparing upgrade";
    let back = "Helm rollback to previous release staging/web.v1 with chart web@1.1.0 succeeded";
    let world = check(
        "flux_rollback",
        &[
            kustomization(
                "ReconciliationSucceeded",
                "info",
                "2026-01-05T09:05:01Z",
                "Reconciliation finished in 516ms, next run in 1m0s",
            ),
            helm("UpgradeFailed", "error", "1.2.0", "2026-01-05T09:05:29Z", failed),
            helm("RollbackSucceeded", "info", "1.1.0", "2026-01-05T09:05:34Z", back),
            kustomization(
                "ReconciliationSucceeded",
                "info",
                "2026-01-05T09:06:01Z",
                "Reconciliation finished in 286ms, next run in 1m0s",
            ),
            helm("UpgradeFailed", "error", "1.2.0", "2026-01-05T09:06:10Z", failed),
            helm("RollbackSucceeded", "info", "1.1.0", "2026-01-05T09:06:15Z", back),
        ],
    )
    .await;
    let healthy_again = world.recorded().iter().any(|entry| {
        let Entry::Report { reported, by, .. } = entry else { return false };
        by.as_str() == "flux/helm-controller" && matches!(reported, Reported::Healthy { .. })
    });
    assert!(!healthy_again, "nothing that Flux told here is health");
}

#[tokio::test]
async fn a_replay_changes_nothing() {
    let world = signed_world().await;
    let good = helm("UpgradeSucceeded", "info", "1.2.0", "2026-01-05T09:05:06Z", "it works");
    let bad = helm("UpgradeFailed", "error", "1.2.0", "2026-01-05T09:05:16Z", "it does not");
    for event in [&good, &bad] {
        send(&world, "/hooks/flux/apps/web/staging", event).await;
    }
    let (recorded, state) = (world.recorded(), staging(&world));
    for event in [&good, &bad, &good] {
        assert_eq!(send(&world, "/hooks/flux/apps/web/staging", event).await.status, 202);
    }
    assert_eq!(world.recorded(), recorded);
    assert_eq!(staging(&world), state);
}

#[tokio::test]
async fn hooks_that_are_refused() {
    let world = signed_world().await;
    let before = world.recorded();
    let event = helm("UpgradeSucceeded", "info", "1.2.0", "2026-01-05T09:05:06Z", "it works");
    let place = "/hooks/flux/apps/web/staging";
    let mut text = String::new();
    let mut told = |what: &str, answer: crate::client::Answer| {
        assert!(answer.status >= 400, "{what}: {}", answer.body);
        text.push_str(&format!("{what}\n{} {}\n\n", answer.status, answer.body));
    };
    let good = signature(&event);
    told("unsigned", world.ask(&format!("POST {place}"), &event).await);
    told("wrong", world.ask(&format!("POST {place}\nX-Signature: sha256={}", "0".repeat(64)), &event).await);
    told(
        "of another body",
        world.ask(&format!("POST {place}\nX-Signature: sha256={good}"), &format!("{event} ")).await,
    );
    told("without the algorithm", world.ask(&format!("POST {place}\nX-Signature: {good}"), &event).await);
    let sha1 = format!("POST {place}\nX-Signature: sha1={}", "0".repeat(40));
    told("SHA-1", world.ask(&sha1, &event).await);
    told(
        "unsigned, to a pipeline that is not there",
        world.ask("POST /hooks/flux/apps/wev/staging", &event).await,
    );
    told("unsigned wake", world.ask("POST /hooks/wake/apps/web", "").await);
    told("unknown pipeline", send(&world, "/hooks/flux/apps/wev/staging", &event).await);
    told("unknown environment", send(&world, "/hooks/flux/apps/web/stagng", &event).await);
    told("unknown target", send(&world, "/hooks/flux/apps/web/prod/ue", &event).await);
    told("which target", send(&world, "/hooks/flux/apps/web/prod", &event).await);
    told("unknown parameter", send(&world, &format!("{place}?test=true"), &event).await);
    told("not JSON", send(&world, place, "{\n  \"involvedObject\": oops}").await);
    told("not an event", send(&world, place, r#"{"severity": "info"}"#).await);
    let future = helm("UpgradeSucceeded", "info", "1.2.0", "2026-01-05T10:00:00Z", "it works");
    told("from the future", send(&world, place, &future).await);
    let odd = helm("UpgradeSucceeded", "info", "1 2", "2026-01-05T09:05:06Z", "it works");
    told("not a version", send(&world, place, &odd).await);
    insta::assert_snapshot!("refused_hooks", text);
    assert_eq!(world.recorded(), before, "what is refused leaves nothing behind");
}

#[tokio::test]
async fn an_unsigned_event_is_taken_where_no_key_is_set_and_only_this_machine_can_send_it() {
    let world = World::plain().await;
    let event = helm("UpgradeSucceeded", "info", "1.2.0", "2026-01-05T09:05:06Z", "it works");
    assert_eq!(world.ask("POST /hooks/flux/apps/web/prod/eu", &event).await.status, 202);
    assert_eq!(world.ask("POST /hooks/wake/apps/web", "anything").await.status, 202);
}

#[tokio::test]
async fn a_wake_is_signed_likewise() {
    let world = signed_world().await;
    let answer = send(&world, "/hooks/wake/apps/web", "{}").await;
    assert_eq!((answer.status, answer.json::<Taken>().words.as_str()), (202, "apps/web is looked at soon"));
}
