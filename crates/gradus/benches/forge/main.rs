//! What `gradus serve` costs on a real Gitea: how soon a pull request follows a push, beside the bare push and the
//! bare call that opens one; processor time and calls for a promotion; many that are due at once. Prints a table.
//!
//! `cargo bench -p gradus --bench forge -- --runs 200 --files 20000 --due 200`. Linux only: /proc is read.

#![allow(clippy::expect_used, clippy::panic, reason = "a measurement that cannot go on ends")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is the purpose of this program")]

mod fleet;
mod serving;

use std::time::{Duration, Instant};

use fleet::Fleet;
use gradus_testbed::Gitea;
use serving::Serving;

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
    let (runs, files, due) = (number("--runs", 200), number("--files", 20_000), number("--due", 200));
    let gitea = Gitea::shared().await.expect("Gitea");
    println!("{:<66} {:>14} {:>12}", "what", "measured", "goal");
    for filler in [0, files] {
        let size = format!("{filler} more files");
        one_after_another(gitea, &size, filler, runs).await;
    }
    merged(gitea, runs.min(50)).await;
    at_once(gitea, due).await;
}

fn row(what: &str, measured: impl ToString, goal: &str) {
    println!("{what:<66} {:>14} {goal:>12}", measured.to_string());
}

fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}

fn part(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or_default()
}

/// The median and the one that 99 of 100 are below.
fn rows(what: &str, mut times: Vec<Duration>) -> (Duration, Duration) {
    let (half, most) = (part(&mut times, 50), part(&mut times, 99));
    row(&format!("{what}, p50"), ms(half), "");
    row(&format!("{what}, p99"), ms(most), "");
    (half, most)
}

/// Releases that come one after another, each of a pipeline of its own; a person merges.
async fn one_after_another(gitea: &'static Gitea, size: &str, filler: usize, runs: usize) {
    eprintln!("making a repository with {runs} pipelines and {size}");
    let fleet = Fleet::new(gitea, runs, filler, "person").await;
    let serving = Serving::start(&fleet).await;
    serving.rest().await;
    let (mut pushes, mut creates, mut follows) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs {
        pushes.push(fleet.bring(&[run]));
        let number = fleet.next_number();
        let begun = Instant::now();
        fleet.tell(&serving).await;
        fleet.is_there(number).await;
        follows.push(begun.elapsed());
        // The bare call, of a branch that is there already; it is closed again.
        if run < runs.min(60) {
            creates.push(fleet.bare_create(run).await);
        }
    }
    let (push, push_most) = rows(&format!("{size}: bare push of one file, by the git program"), pushes);
    let (create, create_most) = rows(&format!("{size}: bare call that opens a pull request"), creates);
    let (half, most) = rows(&format!("{size}: push is told -> pull request is there"), follows);
    let times =
        |gradus: Duration, bare: Duration| format!("{:.2}x", gradus.as_secs_f64() / bare.as_secs_f64());
    row(&format!("{size}: beside a bare push and a bare call, p50"), times(half, push + create), "1.2x");
    row(
        &format!("{size}: beside a bare push and a bare call, p99"),
        times(most, push_most + create_most),
        "1.2x",
    );
}

/// In so many promotions it is looked for processes.
const SEEN: usize = 5;

/// Releases that gradus merges by itself.
async fn merged(gitea: &'static Gitea, runs: usize) {
    let fleet = Fleet::new(gitea, runs + SEEN, 0, "auto").await;
    let serving = Serving::start(&fleet).await;
    serving.rest().await;
    let busy = serving.busy();
    for run in 0..runs {
        fleet.bring(&[run]);
        let number = fleet.next_number();
        fleet.tell(&serving).await;
        fleet.is_merged(number).await;
    }
    serving.rest().await;
    let each = (serving.busy() - busy) / u32::try_from(runs).expect("few");
    row("processor time of a promotion, pull request opened and merged", ms(each), "< 50 ms");
    serving.watch_children();
    for run in runs..runs + SEEN {
        fleet.bring(&[run]);
        let number = fleet.next_number();
        fleet.tell(&serving).await;
        fleet.is_merged(number).await;
    }
    row(&format!("processes started for {SEEN} promotions"), serving.children(), "0");
}

/// One push that many pipelines wait for.
async fn at_once(gitea: &'static Gitea, due: usize) {
    let fleet = Fleet::new(gitea, due, 0, "person").await;
    let serving = Serving::start(&fleet).await;
    serving.rest().await;
    let mut bare = Duration::ZERO;
    for run in 0..10 {
        bare += fleet.bare_push(run) + fleet.bare_create(run).await;
    }
    let bare = bare / 10 * u32::try_from(due).expect("not so many");
    fleet.bring(&(0..due).collect::<Vec<_>>());
    let before = fleet.open().await;
    let begun = Instant::now();
    fleet.tell(&serving).await;
    let mut there = 0;
    while there < due {
        assert!(begun.elapsed() < Duration::from_secs(900), "{there} of {due} pull requests are there");
        tokio::time::sleep(Duration::from_millis(250)).await;
        there = fleet.open().await - before;
    }
    row(
        &format!("{due} due at once: all pull requests are there after"),
        format!("{:.1} s", begun.elapsed().as_secs_f64()),
        "",
    );
    row(&format!("{due} due at once: lost"), due - there, "0");
    let times = begun.elapsed().as_secs_f64() / bare.as_secs_f64();
    row(
        &format!("{due} due at once: beside the bare pushes and calls, one by one"),
        format!("{times:.2}x"),
        "2x",
    );
}
