//! Several replicas, of which one leads.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::stage::{Replica, Stage};

const LEASE: &str = "coordination.k8s.io/v1/Lease";
const NAME: &str = "gradus-leader-election";
/// How long a Lease lasts, and how often those who wait look at it.
const LASTS: Duration = Duration::from_secs(15);
const LOOKS: Duration = Duration::from_secs(5);

/// A replica that leads or waits to.
fn one(stage: &Stage<'_>, name: &str) -> Replica {
    stage.replica(name, &["--leader-elect", "--lease-namespace", &stage.namespace])
}

async fn lease(stage: &Stage<'_>) -> Value {
    stage.objects.get(LEASE, &stage.namespace, NAME).await.unwrap().unwrap_or_default()
}

/// Who leads.
async fn leader(stage: &Stage<'_>) -> Option<String> {
    let lease = lease(stage).await;
    let holder = lease["spec"]["holderIdentity"].as_str()?;
    // Behind its name is which start of it that is.
    Some(holder.split('_').next()?.to_owned()).filter(|name| !name.is_empty())
}

async fn until_leads(stage: &Stage<'_>, name: &str) {
    stage
        .until(&format!("{name} to lead"), async || leader(stage).await.filter(|leader| leader == name))
        .await;
}

/// After how many commits the leader is killed, and at what it is then.
const KILLED_AT: [(usize, &str); 4] =
    [(0, "before the first step"), (1, "after the first"), (1, "once staging works"), (2, "after the last")];

#[tokio::test]
async fn whoever_leads_may_be_killed_at_any_time() {
    // All at once: most of the time is that of the Lease.
    let stages = futures_of(KILLED_AT.iter().enumerate().map(|(number, (commits, when))| async move {
        killed_once(number, *commits, when).await;
    }));
    stages.await;
}

async fn futures_of(all: impl IntoIterator<Item = impl Future<Output = ()>>) {
    let mut waiting: Vec<_> = all.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

async fn killed_once(number: usize, commits: usize, when: &str) {
    let stage = Stage::new(&format!("killed{number}")).await;
    stage.set(&stage.three()).await;
    let first = one(&stage, "first");
    until_leads(&stage, "first").await;
    let _second = one(&stage, "second");
    if commits == 0 {
        stage.until_it_is("staging", "healthy", "1.0.0").await;
        stage.deploy("dev").await;
    } else {
        stage.deploy("dev").await;
        stage.until_git_has("staging", "1.1.0").await;
        if when == "once staging works" || commits == 2 {
            stage.deploy("staging").await;
        }
        if commits == 2 {
            stage.until_git_has("prod", "1.1.0").await;
        }
    }
    let proven = proven(&stage).await;
    let killed = Instant::now();
    first.kill();
    // What happens while nobody looks.
    if commits > 0 {
        stage.deploy("staging").await;
    }
    until_leads(&stage, "second").await;
    let waited = killed.elapsed();
    assert!(waited < LASTS + 3 * LOOKS, "{when}: nobody led for {waited:?}");
    stage.until_git_has("staging", "1.1.0").await;
    stage.deploy("staging").await;
    stage.until_git_has("prod", "1.1.0").await;
    stage.deploy("prod").await;
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    stage.look().await;
    // What the first has seen to be proven is known to the second, which saw none of it.
    let kept = self::proven(&stage).await;
    assert!(proven.is_subset(&kept), "killed {when}: {proven:?} became {kept:?}");
    let walked = ["Promote web to staging: 1.0.0 → 1.1.0", "Promote web to prod: 1.0.0 → 1.1.0"];
    assert_eq!(stage.promotions(), walked, "killed {when}");
}

/// What was proven, in which environment and since when.
async fn proven(stage: &Stage<'_>) -> BTreeSet<String> {
    let object = stage.object().await;
    let mut spans = BTreeSet::new();
    for here in object["status"]["environments"].as_array().into_iter().flatten() {
        for span in here["proven"].as_array().into_iter().flatten() {
            spans.insert(format!("{} {} {}", here["name"], span["versions"], span["since"]));
        }
    }
    spans
}

/// A single one, which is killed again and again and started anew, whatever it was at.
#[tokio::test]
async fn a_single_one_may_be_killed_at_any_moment() {
    let stage = Stage::new("again").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let mut kills = 0_u64;
    for (next, to) in [("staging", "1.1.0"), ("prod", "1.1.0")] {
        while stage.version(next) != to {
            let controller = stage.controller();
            // A little later each time, so that every step is cut off somewhere.
            tokio::time::sleep(Duration::from_millis(60 + 45 * kills)).await;
            controller.kill();
            kills += 1;
            assert!(kills < 60, "it never gets there");
        }
        stage.deploy(next).await;
    }
    let _controller = stage.controller();
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    stage.look().await;
    let walked = ["Promote web to staging: 1.0.0 → 1.1.0", "Promote web to prod: 1.0.0 → 1.1.0"];
    assert_eq!(stage.promotions(), walked, "after {kills} kills");
}

#[tokio::test]
async fn whoever_loses_the_lease_writes_nothing_more() {
    let stage = Stage::new("stolen").await;
    stage.set(&stage.three()).await;
    let only = one(&stage, "only");
    stage.until_it_is("staging", "healthy", "1.0.0").await;
    let before = stage.look().await;
    let spec = json!({
        "holderIdentity": "thief", "leaseDurationSeconds": 12,
        "renewTime": lease(&stage).await["spec"]["renewTime"],
    });
    stage.objects.merge(LEASE, &stage.namespace, NAME, &json!({"spec": spec})).await.unwrap();
    let stolen = Instant::now();
    stage.until("it to notice", async || only.said().contains("leads=false").then_some(())).await;
    assert!(stolen.elapsed() < 3 * LOOKS, "noticed after {:?}", stolen.elapsed());
    // It sees this, and leaves it to who leads: no commit, no status.
    stage.deploy("dev").await;
    let looks = only.looks();
    stage
        .until("it to lead again", async || {
            let led = leader(&stage).await.as_deref() == Some("only");
            if !led {
                assert_eq!(stage.promotions(), Vec::<String>::new());
                let now = stage.object().await;
                // The Lease may have been taken since it was looked at.
                if leader(&stage).await.as_deref() == Some("thief") {
                    assert_eq!(now["status"], before["status"]);
                    assert_eq!(only.looks(), looks);
                }
            }
            led.then_some(())
        })
        .await;
    stage.until_git_has("staging", "1.1.0").await;
    assert_eq!(stage.promotions(), ["Promote web to staging: 1.0.0 → 1.1.0"]);
}

#[tokio::test]
async fn whoever_stops_gives_the_lease_back() {
    let stage = Stage::new("stops").await;
    stage.set(&stage.three()).await;
    let first = one(&stage, "first");
    until_leads(&stage, "first").await;
    stage.until_it_is("staging", "healthy", "1.0.0").await;
    first.stop().await;
    let given_back = lease(&stage).await;
    assert_eq!(given_back["spec"]["holderIdentity"].as_str().unwrap_or_default(), "", "{given_back:#}");
    // Nobody has to wait for the Lease to run out.
    let begun = Instant::now();
    let second = one(&stage, "second");
    until_leads(&stage, "second").await;
    assert!(begun.elapsed() < LOOKS, "it took {:?}", begun.elapsed());
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
    drop(second);
}
