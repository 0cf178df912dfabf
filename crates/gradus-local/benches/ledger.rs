//! How fast the ledger is, and how large: a table on standard output.
//!
//! `cargo bench -p gradus-local` uses 10,000 pipelines of 5 environments; a
//! number after `--` says how many pipelines instead. The folder for the file is
//! the system's temporary one, so `TMPDIR` chooses the disk.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops where it fails, and prints its table"
)]

use std::time::{Duration, Instant};

use gradus_core::names::{ArtifactName, CommitId, EnvironmentName, Person, PipelineKey, TargetName};
use gradus_core::observation::{Approval, Proof};
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::Ledger;
use gradus_engine::port::ledger::{Action, Entry, HistoryQuery, Reported, Wrote};
use gradus_local::{SqliteLedger, ledger_file};
use jiff::Timestamp;

const ENVIRONMENTS: [&str; 5] = ["dev", "test", "staging", "prod-eu", "prod-us"];
const RELEASES: usize = 4;

fn main() {
    let pipelines = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(measure(pipelines));
}

async fn measure(pipelines: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = ledger_file(folder.path());
    let ledger = SqliteLedger::open(&file).unwrap();
    let keys: Vec<PipelineKey> =
        (0..pipelines).map(|n| PipelineKey::parse(&format!("team-{}/app-{n}", n % 100)).unwrap()).collect();
    println!("{pipelines} pipelines of {} environments, {RELEASES} releases each", ENVIRONMENTS.len());
    println!("{:<44} {:>10} {:>12} {:>12}", "what", "times", "each", "a second");

    let begun = Instant::now();
    let mut entries = 0;
    for chunk in keys.chunks(64) {
        entries += together(chunk.iter().map(|key| record(&ledger, key, way(0..RELEASES)))).await;
    }
    row("an entry, 64 pipelines at once", entries, begun.elapsed());

    let times = 300.min(pipelines);
    let begun = Instant::now();
    for key in &keys[..times] {
        record(&ledger, key, vec![report("eu", RELEASES, 99)]).await;
    }
    row("a report, one after the other", times, begun.elapsed());

    let begun = Instant::now();
    for chunk in keys.chunks(64) {
        together(chunk.iter().map(|key| record(&ledger, key, vec![report("eu", RELEASES + 1, 199)]))).await;
    }
    row("a report, 64 at once", pipelines, begun.elapsed());

    let begun = Instant::now();
    for chunk in keys.chunks(64) {
        let longer = ENVIRONMENTS.map(|name| healthy(name, RELEASES - 1, 500)).to_vec();
        together(chunk.iter().map(|key| record(&ledger, key, longer.clone()))).await;
    }
    row("5 healthy spans extended, 64 at once", pipelines, begun.elapsed());

    let begun = Instant::now();
    for key in &keys {
        assert_eq!(ledger.view(key).await.unwrap().proofs.len(), ENVIRONMENTS.len());
    }
    row("a view", pipelines, begun.elapsed());

    let begun = Instant::now();
    let query = HistoryQuery { limit: 20, deeds_only: true, ..HistoryQuery::default() };
    for key in &keys {
        assert_eq!(ledger.history(key, &query).await.unwrap().len(), 20);
    }
    row("a page of 20 deeds", pipelines, begun.elapsed());

    let begun = Instant::now();
    ledger.backup(&folder.path().join("backup")).await.unwrap();
    row("a backup", 1, begun.elapsed());

    drop(ledger);
    let begun = Instant::now();
    drop(SqliteLedger::open(&file).unwrap());
    row("opening, with a look at every page", 1, begun.elapsed());
    let bytes = std::fs::metadata(&file).unwrap().len();
    println!("{:<44} {:>10} {:>9} kB {:>9} B an entry", "size", 1, bytes / 1024, bytes / entries as u64);
}

/// What one pipeline says while releases go all the way.
fn way(releases: std::ops::Range<usize>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for release in releases {
        for (place, name) in ENVIRONMENTS.into_iter().enumerate() {
            let second = i64::try_from(release * 20 + place).unwrap();
            entries.push(wrote(name, release, second));
            entries.push(report(name, release, second));
            entries.push(healthy(name, release, second));
            entries.push(verdict(name, release, second));
            if place > 2 {
                entries.push(approval(name, release, second));
            }
        }
    }
    entries
}

async fn record(ledger: &SqliteLedger, pipeline: &PipelineKey, entries: Vec<Entry>) -> usize {
    ledger.record(pipeline, &entries).await.unwrap();
    entries.len()
}

async fn together(all: impl Iterator<Item = impl Future<Output = usize>>) -> usize {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = 0;
    std::future::poll_fn(|context| {
        all.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(count) => {
                done += count;
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() { std::task::Poll::Ready(done) } else { std::task::Poll::Pending }
    })
    .await
}

fn row(what: &str, times: usize, took: Duration) {
    let each = took / u32::try_from(times.max(1)).unwrap();
    #[allow(clippy::cast_precision_loss, reason = "three digits are read of it")]
    let rate = times as f64 / took.as_secs_f64();
    println!("{what:<44} {times:>10} {:>9} us {rate:>12.0}", each.as_micros());
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::parse(name).unwrap()
}

fn release(number: usize) -> Release {
    let version = Version::parse(&format!("1.{number}.0")).unwrap();
    Release::single(ArtifactName::parse("image").unwrap(), version)
}

fn person(name: &str) -> Person {
    Person::parse(name).unwrap()
}

fn report(name: &str, number: usize, second: i64) -> Entry {
    Entry::Report {
        environment: environment(name),
        target: TargetName::parse("cluster-a").unwrap(),
        reported: Reported::Healthy { release: release(number) },
        by: person("ci@example.com"),
        at: at(second),
    }
}

fn healthy(name: &str, number: usize, second: i64) -> Entry {
    let proof =
        Proof { release: release(number), since: at(i64::try_from(number).unwrap()), until: at(second) };
    Entry::Healthy { environment: environment(name), proof }
}

fn verdict(name: &str, number: usize, second: i64) -> Entry {
    Entry::Verdict {
        environment: environment(name),
        verdict: "healthy".to_owned(),
        release: Some(release(number)),
        detail: "1 of 1 targets are healthy".to_owned(),
        at: at(second),
    }
}

fn approval(name: &str, number: usize, second: i64) -> Entry {
    let (by, groups, aliases) = (person("ann@example.com"), Vec::new(), Vec::new());
    let approval = Approval { release: release(number), by, groups, aliases, at: at(second) };
    Entry::Approval { environment: environment(name), approval }
}

fn wrote(name: &str, number: usize, second: i64) -> Entry {
    Entry::Wrote(Wrote {
        environment: environment(name),
        action: Action::Pushed,
        from: number.checked_sub(1).map(release),
        to: Some(release(number)),
        commit: CommitId::parse(&format!("{:040x}", number * 1000 + second.unsigned_abs() as usize)).unwrap(),
        proposal: None,
        promotion: "0123456789abcdef0123456789abcdef".to_owned(),
        request: None,
        asked_by: None,
        approved_by: vec![person("ann@example.com")],
        detail: "proven in the environment before".to_owned(),
        at: at(second),
    })
}
