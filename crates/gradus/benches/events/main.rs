//! Events against a real kube-apiserver and `gradus controller`: how soon something follows from
//! one, what a thousand a second cost, what is asked of others at rest, and whether two replicas
//! of which one is killed again and again do everything once. Prints a table.
//!
//! `cargo bench -p gradus --bench events -- --idle 300`; `-- --replicas 600` for the two replicas,
//! which ends with an error when a promise was broken. Linux only: memory is read from /proc.

#![allow(clippy::expect_used, clippy::panic, reason = "a measurement that cannot go on ends")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is the purpose of this program")]

#[path = "../controller/cluster.rs"]
mod cluster;
#[path = "../controller/figures.rs"]
#[allow(dead_code, reason = "shared with a benchmark that shows more of it")]
mod figures;
#[path = "../controller/git.rs"]
#[allow(dead_code, reason = "shared with a benchmark that asks more of it")]
mod git;
mod latency;
#[path = "../controller/program.rs"]
#[allow(dead_code, reason = "shared with a benchmark that asks more of it")]
mod program;
mod replicas;
mod sender;
mod storm;
mod told;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cluster::Cluster;
use git::Git;
use program::Program;

/// No sender is told that it asks too often.
const UNLIMITED: [&str; 2] = ["--promotion-hook-rate-limit", "1000000"];
/// How many pipelines of pipelines.weave.works there are.
const NOTED: usize = 60;

#[tokio::main]
async fn main() -> ExitCode {
    // `cargo test` runs benches to see that they build and start; the figures take longer.
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let given = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        let text = at.and_then(|at| arguments.get(at + 1));
        text.map(|text| text.parse::<u64>().expect("a number"))
    };
    let replicas = given("--replicas");
    let usual = if replicas.is_some() { 200 } else { 1_000 };
    let pipelines = given("--pipelines").unwrap_or(usual) as usize;
    let repositories = given("--repositories").unwrap_or(20) as usize;
    let folder = tempfile::tempdir().expect("a temporary folder");
    eprintln!("making {repositories} repositories in {}", folder.path().display());
    let git = Git::make(folder.path(), pipelines, repositories);
    let cluster = Cluster::start(folder.path()).await;
    eprintln!("declaring {pipelines} pipelines");
    cluster.load(0..pipelines, &git).await;
    told::declare(&cluster, NOTED).await;
    println!("{:<62} {:>16} {:>10}", "what", "measured", "goal");
    if let Some(over) = replicas {
        let kept = replicas::replicas(&cluster, &git, pipelines, Duration::from_secs(over)).await;
        return if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let program = Arc::new(Program::start(&cluster, &UNLIMITED));
    figures::seen_in_full(&program, pipelines).await;
    program.rest().await;
    if let Some(over) = given("--idle") {
        figures::idle(&cluster, &git, &program, Duration::from_secs(over)).await;
    }
    latency::told_of(&cluster, &program).await;
    latency::committed(&cluster, &git, &program, pipelines).await;
    program.rest().await;
    let rate = given("--rate").unwrap_or(1_000);
    storm::storm(&program, pipelines, rate, Duration::from_secs(given("--seconds").unwrap_or(60))).await;
    ExitCode::SUCCESS
}
