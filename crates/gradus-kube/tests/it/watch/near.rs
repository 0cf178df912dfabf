//! What is seen of the own cluster while nothing goes wrong.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gradus_evidence::GroupKind;
use gradus_kube::clusters::ClusterKey;
use gradus_kube::watch::{Among, Changed, Keep, LabelSelector, Listing, Wanted, WatchState, Which};
use gradus_testbed::{ControlPlane, User};

use super::place::{Place, eventually, quick};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_seen_as_it_comes_changes_and_goes() {
    let place = Place::new("near").await;
    let own = ClusterKey::own();
    assert_eq!(place.word(&own, "app"), "NotWanted");
    place.want(&own, &["app"]);
    place.until(&own, "app", "missing").await;
    place.write("app", "1").await;
    place.until(&own, "app", "1").await;
    let before = place.wakes();
    place.write("app", "2").await;
    place.until(&own, "app", "2").await;
    eventually(|| place.wakes() > before, || "the pipeline hears of it".to_owned()).await;
    place.delete("app").await;
    place.until(&own, "app", "missing").await;
    assert_eq!(place.stats().len(), 1);
    assert_eq!(place.stats()[0].state, WatchState::Synced);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wants_is_not_kept_and_what_is_wanted_later_is_got_alone() {
    let place = Place::new("near").await;
    let own = ClusterKey::own();
    for name in ["one", "two", "three"] {
        place.write(name, name).await;
    }
    place.want(&own, &["one"]);
    place.until(&own, "one", "one").await;
    assert_eq!(place.stats()[0].objects, 1);
    place.want(&own, &["one", "two", "none"]);
    assert_eq!(place.word(&own, "one"), "one", "what was seen stays seen");
    place.until(&own, "two", "two").await;
    place.until(&own, "none", "missing").await;
    let stats = &place.stats()[0];
    assert_eq!((stats.objects, stats.lists, stats.gets), (2, 1, 2));
    place.write("two", "2").await;
    place.until(&own, "two", "2").await;
    place.want(&own, &["two"]);
    assert_eq!(place.stats()[0].objects, 1);
    assert_eq!(place.word(&own, "one"), "NotWanted");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_kind_are_listed_and_followed() {
    let place = Place::new("near").await;
    let own = ClusterKey::own();
    place.write("one", "1").await;
    place.write("two", "2").await;
    let kind = GroupKind::new("", "ConfigMap");
    let among = |label: Option<&str>| Among {
        namespace: Some(place.namespace.as_str().into()),
        labels: LabelSelector::parse(&label.map(|label| format!("app={label}")).unwrap_or_default()).unwrap(),
    };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = heard.clone();
    let wanted = Wanted::all(&own, &kind, Some(&place.namespace)).whole();
    let following = place.watches.follow(vec![wanted], move |changed| hear.lock().unwrap().push(changed));
    let values = |label: Option<&str>| match place.watches.list(&own, &kind, &among(label)) {
        Listing::Seen(all) => {
            all.iter().map(|one| one["data"]["value"].to_string()).collect::<Vec<_>>().join(" ")
        }
        Listing::Unknown(blind) => format!("{:?}", blind.kind),
    };
    eventually(|| values(None) == r#""1" "2""#, || values(None)).await;
    assert_eq!(values(Some("two")), r#""2""#);
    place.write("three", "3").await;
    eventually(|| values(None) == r#""1" "3" "2""#, || values(None)).await;
    let object =
        |changed: &Changed| matches!(changed, Changed::Object { name, .. } if &*name.name == "three");
    eventually(|| heard.lock().unwrap().iter().any(object), || "it is heard".to_owned()).await;
    // Somebody else who wants a part of it asks for nothing more.
    let part = Wanted {
        cluster: own.clone(),
        kind: kind.clone(),
        which: Which::All(among(Some("two"))),
        keep: Keep::Whole,
        paths: Vec::new(),
    };
    place.watches.want(&place.pipeline, vec![part]);
    assert_eq!(values(Some("two")), r#""2""#);
    assert_eq!(place.stats()[0].lists, 1);
    drop(following);
    assert_eq!(values(None), "NotWanted");
    assert_eq!(values(Some("two")), r#""2""#);
    assert_eq!(place.stats()[0].objects, 1, "what only the other one wanted is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_nobody_needs_ends() {
    let plane = ControlPlane::shared().await.unwrap();
    let (clusters, mut watches) = quick();
    watches.unused = Duration::from_millis(100);
    let place = Place::of(plane, "near", User::Admin, (clusters, watches)).await;
    place.want(&ClusterKey::own(), &["app"]);
    place.until(&ClusterKey::own(), "app", "missing").await;
    place.watches.forget(&place.pipeline);
    eventually(|| place.stats().is_empty(), || format!("it ends: {:?}", place.stats())).await;
    place.want(&ClusterKey::own(), &["app"]);
    place.until(&ClusterKey::own(), "app", "missing").await;
}
