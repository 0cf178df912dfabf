//! Clocks of others that are an hour ahead or behind.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::release;
use super::stage::{RELEASE, Stage};

const SOAK: Duration = Duration::from_secs(4);

/// Flux on a machine whose clock is off: a soak is as long as it is by ours.
#[tokio::test]
async fn a_release_whose_times_are_an_hour_off_soaks_as_long_as_any_other() {
    futures::future::join(soaked(-1), soaked(1)).await;
}

async fn soaked(hours: i64) {
    let stage = Stage::new("skew").await;
    let soak = json!({"gates": [{"soak": format!("{}s", SOAK.as_secs())}]});
    let environments = [
        stage.environment("dev", json!({})),
        stage.environment("staging", soak.clone()),
        stage.environment("prod", soak),
    ];
    stage.set(&environments).await;
    let _controller = stage.controller();
    stage.until_it_is("dev", "deploying", "1.1.0").await;
    for (environment, next) in [("dev", "staging"), ("staging", "prod")] {
        stage.until_it_is(environment, "deploying", "1.1.0").await;
        let object = stage.apply(environment).await;
        stage.look().await;
        let begun = Instant::now();
        let says = release::by_a_clock_ahead(release::works(&object), hours);
        stage.objects.merge_status(RELEASE, &stage.namespace, environment, &says).await.unwrap();
        stage.until_it_is(environment, "healthy", "1.1.0").await;
        stage.until_git_has(next, "1.1.0").await;
        let took = begun.elapsed();
        // The look before it worked is the last that is known by our own clock.
        assert!(took + Duration::from_secs(1) >= SOAK, "{next} after {took:?} with a clock {hours} h ahead");
        assert!(took < 3 * SOAK, "{next} after {took:?} with a clock {hours} h ahead");
    }
    stage.deploy("prod").await;
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    let walked = ["Promote web to staging: 1.0.0 → 1.1.0", "Promote web to prod: 1.0.0 → 1.1.0"];
    assert_eq!(stage.promotions(), walked);
}

/// Another replica on a machine whose clock is off leads as long as it renews, and no longer.
#[tokio::test]
async fn a_lease_is_believed_by_its_renewals_and_not_by_its_times() {
    futures::future::join(led(-1), led(1)).await;
}

async fn led(hours: i64) {
    const LEASE: &str = "coordination.k8s.io/v1/Lease";
    const NAME: &str = "gradus-leader-election";
    let stage = Stage::new("lease").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let renew = async |stage: &Stage<'_>| {
        let at = Timestamp::now() + SignedDuration::from_hours(hours);
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": NAME, "namespace": stage.namespace},
            "spec": {
                "holderIdentity": "another", "leaseDurationSeconds": 3, "leaseTransitions": 1,
                "acquireTime": format!("{at:.6}"), "renewTime": format!("{at:.6}"),
            },
        });
        stage.objects.put(&lease).await.unwrap();
    };
    renew(&stage).await;
    let _waiting = stage.replica("waiting", &["--leader-elect", "--lease-namespace", &stage.namespace]);
    let begun = Instant::now();
    // Longer than the Lease lasts, and than it takes to look at it twice.
    while begun.elapsed() < Duration::from_secs(12) {
        renew(&stage).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let lease = stage.objects.get(LEASE, &stage.namespace, NAME).await.unwrap().unwrap();
        assert_eq!(lease["spec"]["holderIdentity"], "another", "with a clock {hours} h ahead");
        assert!(stage.promotions().is_empty(), "with a clock {hours} h ahead");
    }
    stage.until_git_has("staging", "1.1.0").await;
    let lease = stage.objects.get(LEASE, &stage.namespace, NAME).await.unwrap().unwrap();
    assert!(lease["spec"]["holderIdentity"].as_str().unwrap().starts_with("waiting"), "{lease:#}");
}
