//! The cluster's own troubles in the middle of a walk.

use std::time::{Duration, Instant};

use gradus_testbed::ControlPlane;
use serde_json::{Value, json};

use super::stage::{PIPELINE, RELEASE, Stage, define};

const WALKED: [&str; 2] = ["Promote web to staging: 1.0.0 → 1.1.0", "Promote web to prod: 1.0.0 → 1.1.0"];

/// For how long etcd hangs. A Lease runs out in less.
const HANGS: Duration = Duration::from_secs(20);

/// Waits until what is asked for works again, as Flux's controllers do.
async fn at_last<T, E: std::fmt::Debug>(mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(done) => return done,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_api_server_that_goes_away_and_an_etcd_that_hangs_cost_time_and_nothing_else() {
    let plane = ControlPlane::start().await.unwrap();
    define(&plane).await;
    let stage = Stage::on(&plane, "trouble").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let controller = stage.controller();
    stage.until_git_has("staging", "1.1.0").await;

    // Gone: after a while what was seen is not believed any more.
    stage.plane().stop_apiserver();
    stage.until("it to notice", async || controller.said().contains("no answer").then_some(())).await;
    let looks = controller.looks();
    stage.until("looks without a cluster", async || (controller.looks() >= looks + 2).then_some(())).await;
    assert_eq!(stage.promotions(), WALKED[..1]);
    plane.start_apiserver().await.unwrap();

    // The watches come back by themselves.
    at_last(async || stage.objects.get(PIPELINE, &stage.namespace, "web").await).await;
    stage.deploy("staging").await;
    stage.until_git_has("prod", "1.1.0").await;
    assert_eq!(stage.promotions(), WALKED);

    // It hangs: what is written is lost or late.
    let paused = plane.pause_etcd().unwrap();
    let hangs_until = Instant::now() + HANGS;
    let looks = controller.looks();
    stage.until("looks without etcd", async || (controller.looks() >= looks + 2).then_some(())).await;
    tokio::time::sleep_until(hangs_until.into()).await;
    assert_eq!(stage.promotions(), WALKED);
    drop(paused);
    at_last(async || stage.objects.get(PIPELINE, &stage.namespace, "web").await).await;
    stage.deploy("prod").await;
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    stage.look().await;
    assert_eq!(stage.promotions(), WALKED);
}

#[tokio::test]
async fn others_who_write_all_the_time_are_in_nobodys_way() {
    let stage = Stage::new("busy").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    let busy = async {
        for count in 0_u64.. {
            let count = count.to_string();
            let patch = json!({"metadata": {"labels": {"count": count}}});
            stage.objects.merge(PIPELINE, &stage.namespace, "web", &patch).await.unwrap();
            // Somebody else's words in the status, which are not theirs to write.
            let patch = json!({"status": {"summary": count}});
            stage.objects.merge_status(PIPELINE, &stage.namespace, "web", &patch).await.unwrap();
            for environment in ["dev", "staging", "prod"] {
                let patch = json!({"metadata": {"labels": {"count": count}}});
                stage.objects.merge(RELEASE, &stage.namespace, environment, &patch).await.unwrap();
            }
        }
    };
    let walk = async {
        for environment in ["staging", "prod"] {
            stage.until_git_has(environment, "1.1.0").await;
            stage.deploy(environment).await;
        }
        stage.until_it_is("prod", "healthy", "1.1.0").await;
        stage.look().await;
    };
    tokio::select! {
        () = busy => {}
        () = walk => {}
    }
    assert_eq!(stage.promotions(), WALKED);
    // Once they are silent, what is said is ours again.
    let summary = stage
        .until("the summary", async || {
            let object: Value = stage.look().await;
            let summary = object["status"]["summary"].as_str().unwrap_or_default().to_owned();
            summary.contains("prod").then_some(summary)
        })
        .await;
    assert_eq!(summary, "dev 1.1.0, staging 1.1.0, prod 1.1.0");
}
