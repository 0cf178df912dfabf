//! Two processes that write to one branch at the same time.
//!
//! `GRADUS_TWO_SECONDS=60` lets them do so for a minute instead of a few seconds.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::{Pipeline, Queue, TargetKind};
use gradus_engine::fake::sketch::{artifact, environment, target};
use gradus_engine::fake::{Fakes, Faults};
use gradus_engine::port::Ports;
use gradus_engine::port::clock::SystemClock;
use gradus_engine::{Engine, RunOptions};
use gradus_remote::git::RemoteOptions;
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use tokio::time::{Instant, sleep, sleep_until};

use crate::place::{Place, Via};
use crate::port::repository;

/// The address, for a process that was started to promote.
const URL: &str = "GRADUS_TWO_URL";
/// How many pipelines there are.
const PIPELINES: usize = 20;
/// How far apart new versions are: five promotions a second.
const APART: Duration = Duration::from_millis(200);
/// How long the last promotions may take, on a machine that does other things.
const LATE: Duration = Duration::from_secs(240);

fn name(n: usize) -> String {
    format!("app-{n:02}")
}

fn path(n: usize, environment: &str) -> String {
    format!("apps/{}/{environment}/release.yaml", name(n))
}

fn text(n: usize, environment: &str, version: usize) -> String {
    let marker = format!("apps:{}:{environment}", name(n));
    format!("kind: Release\nspec:\n  version: 1.{version}.0 # {{\"$promotion\": \"{marker}\"}}\n")
}

fn version(text: &str) -> usize {
    let (_, rest) = text.split_once("version: 1.").unwrap();
    rest.split_once('.').unwrap().0.parse().unwrap()
}

/// From dev to prod, every version, as soon as it is in dev.
fn pipeline(url: &str, n: usize) -> Arc<Pipeline> {
    let mut environments = vec![environment("dev", &[]), environment("prod", &["dev"])];
    for environment in &mut environments {
        environment.targets = vec![target("main", TargetKind::Git)];
        environment.queue = Queue::Every;
    }
    let key = PipelineKey::parse(&format!("apps/{}", name(n))).unwrap();
    let artifacts = BTreeMap::from([(artifact(), gradus_core::version::Order::Semver)]);
    Arc::new(Pipeline::new(key, repository(url), artifacts, environments).unwrap())
}

/// Promotes without end.
async fn promote(url: &str) {
    let fakes = Fakes::default();
    let access = SecretFolder { folder: None, otherwise: RemoteOptions::default() };
    let repos = Arc::new(WireRepos::new(Arc::new(access), Committer::default()));
    let ports = Ports { repos, clock: Arc::new(SystemClock), ..fakes.ports(&Faults::none()) };
    let engine = Arc::new(Engine::new(ports));
    let pipelines = (0..PIPELINES).map(|n| pipeline(url, n)).map(|one| (one.key.clone(), one));
    engine.set_pipelines(pipelines.collect());
    let options = RunOptions { poll: Duration::from_millis(300), ..RunOptions::default() };
    engine.run(options, std::future::pending()).await;
}

struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _it_ended_already = self.0.kill();
        let _it_ended_already = self.0.wait();
    }
}

/// This test once more, as a process of its own.
fn other(url: &str) -> Other {
    let name = "two::what_two_processes_promote_lands_once_and_in_order";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(URL, url);
    Other(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Somebody sets a version in dev, while others push.
async fn release(place: &Place, n: usize, version: usize) {
    let file = path(n, "dev");
    let stream = |tip: &str| {
        let text = text(n, "dev", version);
        format!(
            "commit refs/heads/main\ncommitter Ada <ada@acme.test> 1760000000 +0000\ndata 7\nrelease\nfrom {tip}\n\
             M 100644 inline {file}\ndata {}\n{text}\n",
            text.len()
        )
    };
    for _ in 0..100 {
        let tip = place.at("main").to_string();
        let mut child = Command::new("git")
            .args(["fast-import", "--quiet"])
            .current_dir(place.repo())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stream(&tip).as_bytes()).unwrap();
        // It leaves the branch alone where somebody else has moved it.
        if child.wait().unwrap().success() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody else gets to write");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_processes_promote_lands_once_and_in_order() {
    if let Ok(url) = std::env::var(URL) {
        return promote(&url).await;
    }
    let seconds = std::env::var("GRADUS_TWO_SECONDS").map_or(4, |seconds| seconds.parse().unwrap());
    let mut files = Vec::new();
    for n in 0..PIPELINES {
        files.extend(["dev", "prod"].map(|environment| (path(n, environment), text(n, environment, 0))));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let place = Place::new(Via::Http, &files).await;
    place.config("fastimport.unpackLimit", "100");
    place.config("receive.autogc", "false");
    let url = place.url().to_string();
    let _processes = [other(&url), other(&url)];

    let begun = Instant::now();
    let mut versions = [0; PIPELINES];
    for turn in 0..seconds * 5 {
        sleep_until(begun + APART * u32::try_from(turn).unwrap()).await;
        let n = turn % PIPELINES;
        // What was not promoted yet would be overtaken, which is no fault.
        let waits = Instant::now();
        while version(&place.show("main", &path(n, "prod"))) != versions[n] {
            assert!(waits.elapsed() < LATE, "{} {} was not promoted", name(n), versions[n]);
            sleep(Duration::from_millis(20)).await;
        }
        versions[n] += 1;
        release(&place, n, versions[n]).await;
    }
    let (released, ended) = (begun.elapsed(), Instant::now());
    let lags = |n: usize| version(&place.show("main", &path(n, "prod"))) != versions[n];
    while (0..PIPELINES).any(lags) {
        assert!(ended.elapsed() < LATE, "not all was promoted");
        sleep(Duration::from_millis(300)).await;
    }
    eprintln!("{} promotions, released in {released:?}, the last {:?} later", seconds * 5, ended.elapsed());
    // What is under way may still land; nothing should.
    sleep(Duration::from_secs(1)).await;
    for (n, released) in versions.iter().enumerate() {
        let file = path(n, "prod");
        let args =
            ["-C", "repo.git", "log", "--first-parent", "--reverse", "--format=%H", "main", "--", &file];
        let commits = place.git(&args);
        let landed: Vec<usize> = commits.lines().map(|commit| version(&place.show(commit, &file))).collect();
        assert_eq!(landed, (0..=*released).collect::<Vec<_>>(), "{file}");
    }
    let commits: usize = place.git(&["-C", "repo.git", "rev-list", "--count", "main"]).parse().unwrap();
    assert_eq!(commits, 1 + 2 * seconds * 5, "and nothing else was written");
    place.done();
}
