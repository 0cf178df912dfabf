//! How soon something follows from one event.

use std::time::{Duration, Instant};

use crate::cluster::{Cluster, ENVIRONMENTS, Health};
use crate::figures::{figure, ms, row};
use crate::git::Git;
use crate::program::Program;
use crate::sender::Sender;
use crate::told;

/// How many events are timed.
const COUNT: usize = 60;
/// Nothing takes longer, unless it is lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// An event of a success, until the promotion is told in the cluster.
pub(crate) async fn told_of(cluster: &Cluster, program: &Program) {
    let hook = Sender::new(program.hook());
    let mut times = Vec::new();
    for number in 0..COUNT {
        let (path, body) = (told::weave_hook(number), told::event("dev", &told::noted(number), "1.1.0"));
        let wanted = told::promotion(number, "1.1.0");
        let begun = Instant::now();
        let status = hook.post(&path, &body).await;
        // It is answered once it was told, so that no watch has to be fast enough.
        let answered = begun.elapsed();
        assert!(matches!(status, Ok(200..=299)), "{path} was answered with {status:?}");
        let mut there = told::promotions(cluster, Some(number)).await.contains_key(&wanted);
        let at_once = there;
        while !there {
            assert!(begun.elapsed() < PATIENCE, "nobody is told {wanted:?}");
            there = told::promotions(cluster, Some(number)).await.contains_key(&wanted);
        }
        times.push(if at_once { answered } else { begun.elapsed() });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    rows("webhook event to Kubernetes event", times);
}

/// A HelmRelease turns healthy and Flux sends its event, until the commit is in Git.
pub(crate) async fn committed(cluster: &Cluster, git: &Git, program: &Program, pipelines: usize) {
    let api = Sender::new(program.api());
    let count = COUNT.min(pipelines);
    let chosen: Vec<usize> = (0..count).map(|at| at * pipelines / count).collect();
    git.bring(&chosen, "1.1.0");
    for &pipeline in &chosen {
        cluster.tell(pipeline, ENVIRONMENTS[0], "1.1.0", Health::Deploying).await;
    }
    let begun = Instant::now();
    while figure(&program.metrics(), "gradus_environments{health=\"deploying\"}") < count as u64 {
        assert!(begun.elapsed() < Duration::from_secs(300), "{}", program.metrics());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    program.rest().await;
    let (mut since_status, mut since_event) = (Vec::new(), Vec::new());
    for &pipeline in &chosen {
        let before = git.tip(pipeline);
        let body = told::event(ENVIRONMENTS[0], &format!("app-{pipeline}"), "1.1.0");
        let begun = Instant::now();
        cluster.tell(pipeline, ENVIRONMENTS[0], "1.1.0", Health::Healthy).await;
        let sent = Instant::now();
        let status = api.post(&told::flux_hook(pipeline, ENVIRONMENTS[0]), &body).await;
        assert_eq!(status, Ok(202), "app-{pipeline}");
        while git.tip(pipeline) == before {
            assert!(begun.elapsed() < PATIENCE, "app-{pipeline} is not promoted");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        since_status.push(begun.elapsed());
        since_event.push(sent.elapsed());
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    rows("status and event to commit in Git", since_status);
    rows("the same, from the event", since_event);
}

fn rows(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let count = times.len();
    row(&format!("{what}, p50 of {count}"), ms(share(&times, 0.5)), "< 250 ms");
    row(&format!("{what}, p99"), ms(share(&times, 0.99)), "");
}

/// Of sorted times, the one that this share of them is not above.
pub(crate) fn share(times: &[Duration], share: f64) -> Duration {
    let last = times.len().saturating_sub(1) as f64;
    times.get((last * share).round() as usize).copied().unwrap_or_default()
}
