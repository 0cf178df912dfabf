//! What `gradus controller` costs against a real kube-apiserver: time, memory, processor,
//! requests, and how soon a release moves on. Prints a table.
//!
//! `cargo bench -p gradus --bench controller -- --pipelines 10000`; without a number a thousand.
//! Loading takes longer than measuring. Linux only: memory is read from /proc.

#![allow(clippy::expect_used, clippy::panic, reason = "a measurement that cannot go on ends")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is the purpose of this program")]

#[allow(dead_code, reason = "shared with a benchmark that asks more of it")]
mod cluster;
mod figures;
#[allow(dead_code, reason = "shared with a benchmark that asks more of it")]
mod git;
#[allow(dead_code, reason = "shared with a benchmark that asks more of it")]
mod program;

use std::time::{Duration, Instant};

use cluster::{Cluster, ENVIRONMENTS, Health};
use figures::{figure, idle, looks, mb, ms, row, seconds, seen_in_full};
use git::Git;
use program::Program;

/// How many promotions are timed.
const PROMOTIONS: usize = 60;

struct Sizes {
    pipelines: usize,
    repositories: usize,
    idle: Duration,
    /// Loads the objects, and waits for somebody who wants to look at them.
    stay: bool,
}

#[tokio::main]
async fn main() {
    // `cargo test` runs benches to see that they build and start; the figures take longer.
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let number = |name: &str, otherwise: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        let text = at.and_then(|at| arguments.get(at + 1));
        text.map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let sizes = Sizes {
        pipelines: number("--pipelines", 1_000),
        repositories: number("--repositories", 20),
        idle: Duration::from_secs(number("--idle", 120) as u64),
        stay: arguments.iter().any(|argument| argument == "--stay"),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    eprintln!("making {} repositories", sizes.repositories);
    let git = Git::make(folder.path(), sizes.pipelines, sizes.repositories);
    let cluster = Cluster::start(folder.path()).await;
    println!("{:<62} {:>16} {:>10}", "what", "measured", "goal");
    one_pipeline(&cluster, &git).await;
    eprintln!("declaring {} pipelines and {} HelmReleases", sizes.pipelines, 5 * sizes.pipelines);
    let begun = Instant::now();
    cluster.load(1..sizes.pipelines, &git).await;
    eprintln!("they are there after {:.0} s", begun.elapsed().as_secs_f64());
    if sizes.stay {
        println!("KUBECONFIG={} {}", cluster.kubeconfig().display(), folder.path().display());
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            eprintln!("{} requests to Git", git.asked());
        }
    }
    let program = first_plan(&cluster, &git, sizes.pipelines).await;
    idle(&cluster, &git, &program, sizes.idle).await;
    drop(program);
    let program = Program::start(&cluster, &["--poll", "10s"]);
    seen_in_full(&program, sizes.pipelines).await;
    replan(&program, &git, sizes.pipelines).await;
    promotions(&cluster, &git, &program, sizes.pipelines).await;
}

async fn one_pipeline(cluster: &Cluster, git: &Git) {
    cluster.load(0..1, git).await;
    let mut times = Vec::new();
    for _ in 0..5 {
        let program = Program::start(cluster, &[]);
        times.push(program.ready().await);
    }
    times.sort();
    row("start to ready, 1 pipeline, median of 5", ms(times[2]), "< 1 s");
    let program = Program::start(cluster, &[]);
    seen_in_full(&program, 1).await;
    program.rest().await;
    row("resident memory, idle, 1 pipeline", mb(program.memory()), "< 50 MB");
}

async fn first_plan(cluster: &Cluster, git: &Git, pipelines: usize) -> Program {
    let asked = git.asked();
    let program = Program::start(cluster, &[]);
    let ready = program.ready().await;
    row(&format!("start to ready, {pipelines} pipelines"), seconds(ready), "");
    seen_in_full(&program, pipelines).await;
    row("start to first full plan", seconds(program.age()), "< 60 s");
    row("processor time until then", seconds(program.busy()), "");
    row("requests to Git until then", (git.asked() - asked).to_string(), "");
    program.rest().await;
    row("start to rest, all statuses written", seconds(program.age()), "");
    row("resident memory after that", mb(program.memory()), "< 400 MB");
    row("highest resident memory", mb(program.highest_memory()), "");
    let text = program.metrics();
    for name in
        ["gradus_watches", "gradus_watched_objects", "gradus_watch_lists_total", "gradus_watch_gets_total"]
    {
        row(&format!("  {name}"), figure(&text, name).to_string(), "");
    }
    program
}

/// Every branch moves, by a commit that changes nothing of any pipeline.
async fn replan(program: &Program, git: &Git, pipelines: usize) {
    program.rest().await;
    let (busy, before, asked) = (program.busy(), looks(&program.metrics()), git.asked());
    git.touch_all();
    let begun = Instant::now();
    while looks(&program.metrics()) < before + pipelines as u64 {
        assert!(begun.elapsed() < Duration::from_secs(600), "not all pipelines are looked at again");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    program.rest().await;
    let looked = looks(&program.metrics()) - before;
    row(
        &format!("all branches moved: processor time of {looked} looks"),
        seconds(program.busy() - busy),
        "< 2 s",
    );
    row("all branches moved: requests to Git", (git.asked() - asked).to_string(), "");
}

/// A release is brought into the first environment of some pipelines, and becomes healthy there.
async fn promotions(cluster: &Cluster, git: &Git, program: &Program, pipelines: usize) {
    let count = PROMOTIONS.min(pipelines);
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
    let mut times = Vec::new();
    for &pipeline in &chosen {
        let before = git.tip(pipeline);
        let begun = Instant::now();
        cluster.tell(pipeline, ENVIRONMENTS[0], "1.1.0", Health::Healthy).await;
        while git.tip(pipeline) == before {
            assert!(begun.elapsed() < Duration::from_secs(60), "app-{pipeline} is not promoted");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    row(&format!("healthy to commit in Git, p50 of {count}"), ms(at(0.5)), "< 300 ms");
    row("healthy to commit in Git, p90", ms(at(0.9)), "");
    row("healthy to commit in Git, p99", ms(at(0.99)), "< 1 s");
    row("healthy to commit in Git, slowest", ms(at(1.0)), "");
}
