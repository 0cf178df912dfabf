//! The webhooks at an address of their own, with keys in a folder.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use gradus_core::names::{Namespace, PipelineKey};
use gradus_core::pipeline::{AppObject, ClusterKind, ClusterRef, ClusterTarget, Confidence, TargetKind};
use gradus_engine::fake::sketch;
use gradus_server::hooks::Taken;

use crate::client::{Answer, PATIENCE, ask};
use crate::world::{Setup, World};

const KEYS: &[(&str, &str)] = &[
    ("token", "for all\n"),
    ("cluster.apps.eu", "old\r\nof eu\n"),
    ("pipeline.apps.other", "of other"),
    ("README", "x"),
];

async fn world(unread: bool) -> World {
    let world = World::new(Setup { hook_files: KEYS, unread, ..Setup::default() }).await;
    let target = |name: &str, cluster: Option<&str>| {
        let reference = |cluster: &str| ClusterRef {
            kind: ClusterKind::Secret,
            namespace: Namespace::parse("apps").unwrap(),
            name: cluster.into(),
        };
        let object = AppObject {
            api_version: "helm.toolkit.fluxcd.io/v2".into(),
            kind: "HelmRelease".into(),
            name: "shop".into(),
        };
        let target = ClusterTarget {
            cluster: cluster.map(reference),
            namespace: Namespace::parse("shop").unwrap(),
            object: Some(object),
            versions: Arc::default(),
            confidence: Confidence::Controller,
        };
        sketch::target(name, TargetKind::Cluster(Arc::new(target)))
    };
    for (name, clusters) in [("shop", &[None, Some("eu")][..]), ("more", &[Some("eu")])] {
        let mut environment = sketch::environment("dev", &[]);
        let names = ["one", "two"].into_iter().zip(clusters);
        environment.targets = names.map(|(name, cluster)| target(name, *cluster)).collect();
        let mut pipeline = sketch::pipeline(vec![environment]);
        pipeline.key = PipelineKey::parse(&format!("apps/{name}")).unwrap();
        world.engine.set_pipeline(Arc::new(pipeline));
    }
    world
}

fn event(name: &str) -> String {
    serde_json::json!({
        "involvedObject": {"kind": "HelmRelease", "namespace": "shop", "name": name},
        "severity": "info", "timestamp": "2026-01-05T09:05:00Z", "reason": "UpgradeSucceeded",
    })
    .to_string()
}

async fn send(world: &World, path: &str, key: Option<&str>, body: &str) -> Answer {
    let mut head = format!("POST {path}\nHost: gradus-hooks.gradus-system.svc");
    if let Some(key) = key {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body.as_bytes());
        let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        head.push_str(&format!("\nX-Signature: sha256={digits}"));
    }
    ask(world.hooks_at.unwrap(), &head, body.as_bytes()).await
}

/// Sends it; the answer's status, and its words or its code.
async fn check(world: &World, path: &str, key: Option<&str>, body: &str, expected: (u16, &str)) {
    let answer = send(world, path, key, body).await;
    let said = if answer.status == 202 { answer.json::<Taken>().words } else { answer.code() };
    assert_eq!((answer.status, said.as_str()), expected, "{path} {key:?}");
}

#[tokio::test]
async fn events_of_a_cluster_wake_who_names_the_object() {
    let world = world(false).await;
    let (shop, other) = (event("shop"), event("other"));
    let all = Some("for all");
    check(&world, "/hooks/flux", all, &shop, (202, "apps/shop is looked at soon")).await;
    check(&world, "/hooks/flux", all, &other, (202, "no pipeline names HelmRelease shop/other")).await;
    check(&world, "/hooks/flux/apps/eu", Some("of eu"), &shop, (202, "2 pipelines are looked at soon")).await;
    check(&world, "/hooks/flux/apps/eu", Some("old"), &shop, (202, "2 pipelines are looked at soon")).await;
    check(&world, "/hooks/flux/apps/us", all, &shop, (404, "unknown-cluster")).await;
    check(&world, "/hooks/flux", all, "{}", (400, "malformed-json")).await;
    check(&world, "/hooks/wake/apps/other", Some("of other"), "", (202, "apps/other is looked at soon"))
        .await;
    check(&world, "/hooks/wake/apps/others", all, "", (404, "unknown-pipeline")).await;
}

#[tokio::test]
async fn what_is_not_signed_with_the_right_key_learns_nothing() {
    let world = world(false).await;
    let shop = event("shop");
    for (path, wrong) in [
        ("/hooks/flux", &[None, Some("of eu"), Some("x"), Some("for all\n")][..]),
        ("/hooks/flux/apps/eu", &[None, Some("for all"), Some("of other")]),
        ("/hooks/flux/apps/us", &[None, Some("of eu")]),
        ("/hooks/flux/apps/web/staging", &[None, Some("of eu")]),
        ("/hooks/wake/apps/other", &[None, Some("for all")]),
        ("/hooks/wake/apps/none", &[None]),
    ] {
        for key in wrong {
            check(&world, path, *key, &shop, (401, "not-signed")).await;
        }
    }
    // What only this machine reaches takes the same keys.
    assert_eq!(world.ask("POST /hooks/flux", &shop).await.status, 401);
}

#[tokio::test]
async fn nothing_but_hooks_is_there() {
    let world = world(false).await;
    for path in ["/api/v1/pipelines", "/metrics", "/healthz", "/api/v1/openapi.json", "/hooks"] {
        let answer = ask(world.hooks_at.unwrap(), &format!("GET {path}"), b"").await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "unknown-path"), "{path}");
        if path != "/hooks" {
            assert_eq!(world.get(path).await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_not_known_yet_is_sent_again() {
    let world = world(true).await;
    let all = Some("for all");
    for path in ["/hooks/flux", "/hooks/flux/apps/us", "/hooks/flux/apps/new/dev", "/hooks/wake/apps/new"] {
        let answer = send(&world, path, all, &event("shop")).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "not-read-yet"), "{path}");
        assert!(answer.head.to_ascii_lowercase().contains("\r\nretry-after: 5"), "{}", answer.head);
        check(&world, path, None, "", (401, "not-signed")).await;
    }
}

#[tokio::test]
async fn keys_change_without_a_restart_and_without_any_nobody_is_believed() {
    let world = world(false).await;
    let shop = event("shop");
    assert_eq!(send(&world, "/hooks/flux", Some("for all"), &shop).await.status, 202);
    for (key, good) in [("another", true), ("", false), ("again", true)] {
        std::fs::write(world.folder().join("token"), key).unwrap();
        let begun = std::time::Instant::now();
        while (send(&world, "/hooks/flux", Some(if good { key } else { "for all" }), &shop).await.status
            == 202)
            != good
            || send(&world, "/hooks/flux", Some("for all"), &shop).await.status == 202
        {
            assert!(begun.elapsed() < PATIENCE, "{key:?} is not taken up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for (name, _) in KEYS {
        std::fs::remove_file(world.folder().join(name)).unwrap();
    }
    let begun = std::time::Instant::now();
    while send(&world, "/hooks/flux", Some("again"), &shop).await.status != 401 {
        assert!(begun.elapsed() < PATIENCE, "keys that are gone are believed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Neither is it where only this machine reaches it.
    assert_eq!(world.ask("POST /hooks/flux", &shop).await.status, 401);
}
