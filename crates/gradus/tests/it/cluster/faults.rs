//! A walk in which something goes wrong at every step of it: it ends as one that nothing
//! went wrong in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gradus_testbed::{Asked, Fault, User};
use serde_json::{Value, json};

use super::host::Host;
use super::stage::Stage;

const WALKED: [&str; 2] = ["Promote web to staging: 1.0.0 → 1.1.0", "Promote web to prod: 1.0.0 → 1.1.0"];

/// How a walk ended, as far as it is the same for each.
async fn end(stage: &Stage<'_>) -> Value {
    let object = stage.look().await;
    let environments = object["status"]["environments"].as_array().unwrap();
    let environments: Vec<Value> = environments
        .iter()
        .map(|here| {
            json!([
                here["name"],
                here["version"],
                here["verdict"],
                here["reason"],
                here["targets"][0]["verdict"]
            ])
        })
        .collect();
    let conditions = object["status"]["conditions"].as_array().unwrap();
    let conditions: Vec<Value> =
        conditions.iter().map(|one| json!([one["type"], one["status"], one["reason"]])).collect();
    let git = ["dev", "staging", "prod"].map(|environment| stage.version(environment));
    json!({
        "promotions": stage.promotions(), "branches": stage.branches(), "git": git,
        "environments": environments, "conditions": conditions, "summary": object["status"]["summary"],
    })
}

/// Plays Flux until the walk is at its end.
async fn walk(stage: &Stage<'_>) {
    for environment in ["staging", "prod"] {
        stage.until_git_has(environment, "1.1.0").await;
        stage.deploy(environment).await;
    }
    stage.until_it_is("prod", "healthy", "1.1.0").await;
}

/// The end of a walk that nothing goes wrong in.
async fn undisturbed() -> Value {
    let stage = Stage::new("smooth").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    walk(&stage).await;
    let end = end(&stage).await;
    assert_eq!(end["promotions"], json!(WALKED));
    end
}

/// Walks through a proxy that does this.
async fn walk_through(hint: &str, script: impl Fn(&Asked) -> Fault + Send + Sync + 'static) -> Value {
    let stage = Stage::new(hint).await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let proxy = stage.plane().proxy(User::Admin, script).unwrap();
    let _controller = stage.replica_through(&proxy, "gradus", &[]);
    walk(&stage).await;
    end(&stage).await
}

#[tokio::test]
async fn every_second_write_may_be_refused_as_a_conflict() {
    let (writes, refused) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let count = refused.clone();
    let end = walk_through("conflict", move |asked| {
        if asked.is_write() && writes.fetch_add(1, Ordering::SeqCst) % 2 == 0 {
            count.fetch_add(1, Ordering::SeqCst);
            return Fault::Conflict;
        }
        Fault::None
    })
    .await;
    assert_eq!(end, undisturbed().await);
    let refused = refused.load(Ordering::SeqCst);
    assert!(refused > 2, "only {refused} writes were refused");
    println!("{refused} writes were refused as conflicts");
}

#[tokio::test]
async fn every_watch_may_be_cut_again_and_again() {
    let cut = Arc::new(AtomicUsize::new(0));
    let count = cut.clone();
    let end = walk_through("cut", move |asked| {
        if !asked.is_watch() {
            return Fault::None;
        }
        // Not all at the same time.
        let number = count.fetch_add(1, Ordering::SeqCst);
        Fault::Cut(Duration::from_millis(200 + 70 * u64::try_from(number % 5).unwrap()))
    })
    .await;
    assert_eq!(end, undisturbed().await);
    let cut = cut.load(Ordering::SeqCst);
    assert!(cut > 10, "only {cut} watches were cut");
    println!("{cut} watches were cut");
}

/// How many walks go on at the same time.
const AT_ONCE: usize = 4;

/// It is killed where it wants to write for the first time, for the second and so on, to
/// Git or to the cluster, until there is no write left to be killed at.
#[tokio::test]
async fn it_may_be_killed_between_any_two_writes() {
    let smooth = undisturbed().await;
    let mut at = 0;
    loop {
        let walks = (at + 1..=at + AT_ONCE).map(killed_at);
        let ends = futures::future::join_all(walks).await;
        for (number, (end, _)) in (at + 1..).zip(&ends) {
            assert_eq!(*end, smooth, "killed at write {number}");
        }
        let killed = ends.iter().filter(|(_, killed)| *killed).count();
        at += killed;
        if killed < AT_ONCE {
            break;
        }
    }
    assert!(at > 4, "there were only {at} writes");
    println!("killed at each of {at} writes");
}

/// The end of a walk in which it is killed before this write comes about, and whether
/// there was such a write.
async fn killed_at(number: usize) -> (Value, bool) {
    let stage = Stage::new(&format!("write{number}")).await;
    let left = Arc::new(AtomicUsize::new(number));
    let is_there = Arc::new(AtomicBool::new(false));
    // Whoever comes after the one that was killed is let be.
    let over = Arc::new(AtomicBool::new(false));
    let is_that = {
        let (is_there, over) = (is_there.clone(), over.clone());
        move || {
            if over.load(Ordering::SeqCst) {
                return false;
            }
            // From then on it is as good as dead: nothing more that it does comes about.
            if is_there.load(Ordering::SeqCst) {
                return true;
            }
            let hit = left.fetch_sub(1, Ordering::SeqCst) == 1;
            is_there.fetch_or(hit, Ordering::SeqCst);
            hit
        }
    };
    let host = {
        let is_that = is_that.clone();
        Host::asking(&stage.world.path(""), move || !is_that())
    };
    stage.git(&["config", "http.receivepack", "true"]);
    let mut pipeline = stage.pipeline(&stage.three());
    pipeline["spec"]["repository"] = json!({"url": host.url("fleet.git")});
    stage.objects.put(&pipeline).await.unwrap();
    stage.deploy("dev").await;
    let proxy = stage
        .plane()
        .proxy(
            User::Admin,
            move |asked| if asked.is_write() && is_that() { Fault::Hang } else { Fault::None },
        )
        .unwrap();
    let first = stage.replica_through(&proxy, "first", &[]);
    let killed = {
        let walked = async {
            walk(&stage).await;
            stage.look().await;
        };
        let hit = async {
            while !is_there.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = walked => is_there.load(Ordering::SeqCst),
            () = hit => true,
        }
    };
    if !killed {
        over.store(true, Ordering::SeqCst);
        return (end(&stage).await, false);
    }
    first.kill();
    over.store(true, Ordering::SeqCst);
    let _second = stage.replica("second", &[]);
    walk(&stage).await;
    (end(&stage).await, true)
}
