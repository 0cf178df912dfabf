//! What is seen while the API server is away, and after.

use std::time::Duration;

use gradus_kube::clusters::ClusterKey;
use gradus_kube::watch::WatchState;
use gradus_testbed::{ControlPlane, User};

use super::place::{Place, eventually, quick};

/// A cluster of the test's own, whose parts it may stop.
async fn alone() -> Place {
    let plane = Box::leak(Box::new(ControlPlane::start().await.unwrap()));
    Place::of(plane, "trouble", User::Admin, quick()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_or_hangs_is_not_believed_for_long() {
    let place = alone().await;
    let own = ClusterKey::own();
    place.write("app", "1").await;
    place.want(&own, &["app"]);
    place.until(&own, "app", "1").await;

    place.plane.stop_apiserver();
    place.until(&own, "app", "Unreachable").await;
    let since = place.blind(&own, "app").since;
    assert!(since.is_some());
    eventually(|| place.stats()[0].failures > 3, || "it is tried again".to_owned()).await;
    assert_eq!(place.blind(&own, "app").since, since, "since when it is so stays");
    place.plane.start_apiserver().await.unwrap();
    place.until(&own, "app", "1").await;
    place.write("app", "2").await;
    place.until(&own, "app", "2").await;

    let paused = place.plane.pause_apiserver().unwrap();
    place.until(&own, "app", "Unreachable").await;
    drop(paused);
    place.until(&own, "app", "2").await;
    place.delete("app").await;
    place.until(&own, "app", "missing").await;
    assert_eq!(place.stats()[0].state, WatchState::Synced);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_break_is_bridged() {
    let plane = Box::leak(Box::new(ControlPlane::start().await.unwrap()));
    let (clusters, mut watches) = quick();
    watches.believed = Duration::from_secs(60);
    let place = Place::of(plane, "trouble", User::Admin, (clusters, watches)).await;
    let own = ClusterKey::own();
    place.write("app", "1").await;
    place.want(&own, &["app"]);
    place.until(&own, "app", "1").await;
    place.plane.stop_apiserver();
    let shaky = || matches!(place.stats()[0].state, WatchState::Shaky { .. });
    eventually(shaky, || format!("it is noticed: {:?}", place.stats())).await;
    assert_eq!(place.word(&own, "app"), "1", "what was known is believed for a while");
    place.plane.start_apiserver().await.unwrap();
    place.write("app", "2").await;
    place.until(&own, "app", "2").await;
    assert_eq!(place.stats()[0].state, WatchState::Synced);
}
