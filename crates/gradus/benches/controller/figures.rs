//! What programs say in figures, and rows of a table.

use std::time::{Duration, Instant};

use crate::cluster::{Cluster, ENVIRONMENTS};
use crate::git::Git;
use crate::program::Program;

/// Waits until every environment was found healthy.
pub(crate) async fn seen_in_full(program: &Program, pipelines: usize) {
    let all = (pipelines * ENVIRONMENTS.len()) as u64;
    let begun = Instant::now();
    loop {
        let text = program.metrics();
        let healthy = figure(&text, "gradus_environments{health=\"healthy\"}");
        if healthy == all {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(1800), "only {healthy} of {all} are healthy:\n{text}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

pub(crate) async fn idle(cluster: &Cluster, git: &Git, program: &Program, over: Duration) {
    let (requests, asked, busy, text) =
        (cluster.requests().await, git.asked(), program.busy(), program.metrics());
    tokio::time::sleep(over).await;
    let after = cluster.requests().await;
    let told = format!("idle {} s: ", over.as_secs());
    for (what, number) in &after {
        let before = requests.get(what).copied().unwrap_or_default();
        if *number > before {
            row(&format!("{told}{what}"), (number - before).to_string(), "");
        }
    }
    let lists =
        figure(&program.metrics(), "gradus_watch_lists_total") - figure(&text, "gradus_watch_lists_total");
    row(&format!("{told}lists"), lists.to_string(), "0");
    row(&format!("{told}requests to Git"), (git.asked() - asked).to_string(), "0");
    row(&format!("{told}processor time"), seconds(program.busy() - busy), "");
    row(&format!("{told}looks"), (looks(&program.metrics()) - looks(&text)).to_string(), "");
}

pub(crate) fn looks(text: &str) -> u64 {
    figure(text, "gradus_look_duration_seconds_count")
}

/// The figure with this name and these labels.
pub(crate) fn figure(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).unwrap_or_default()
}

pub(crate) fn row(what: &str, measured: String, goal: &str) {
    println!("{what:<62} {measured:>16} {goal:>10}");
}

pub(crate) fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

pub(crate) fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
