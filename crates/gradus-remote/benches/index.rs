//! Promotions that are found by their markers in a repository of 100,000 files, beside those that name their file, and
//! the first look beside a clone. `cargo bench -p gradus-remote --bench index [APPS [RUNS]]`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on ends"
)]
#![allow(clippy::print_stdout, reason = "a table is the purpose of this program")]
#![allow(dead_code, reason = "the test server can do more than is measured")]

#[path = "../tests/it/server.rs"]
mod server;
#[path = "../tests/it/trip.rs"]
mod trip;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use gradus_core::{
    names::{PipelineKey, RepoPath},
    pipeline::{EditSpec, Pipeline, Repository, Select, TargetKind},
    version::Order,
};
use gradus_engine::{
    Engine, Outcome, RunOptions,
    fake::{
        Fakes, Faults,
        sketch::{artifact, environment, target},
    },
    port::{Ports, Shelf},
};
use gradus_remote::{
    git::RemoteOptions,
    repos::{Committer, SecretFolder, WireRepos},
};
use server::{Seen, Server, Settings};

const ENVIRONMENTS: [&str; 4] = ["dev", "staging", "prod", "dr"];
/// Every so many apps have pipelines.
const PIPELINES: usize = 50;
/// One way of a request and its answer.
const TRIP: Duration = Duration::from_millis(40);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let [word, url, kept] = &arguments[..]
        && word == "cold"
    {
        return runtime.block_on(cold(url, Path::new(kept)));
    }
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<usize>().ok());
    let (apps, runs) = (numbers.next().unwrap_or(5000), numbers.next().unwrap_or(9));
    // Writing 100,000 files is what a clone spends its time on: memory is the place where it costs the least.
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let dir = tempfile::Builder::new().prefix("gradus-bench").tempdir_in(base).unwrap();
    println!("{} files, {runs} runs, in {}", apps * 20, dir.path().display());
    let town = Town { dir: dir.path().to_owned(), apps };
    town.make();
    runtime.block_on(async {
        town.first_looks(runs).await;
        town.promotions(runs).await;
        town.trips().await;
        town.batches(runs.min(5)).await;
    });
}

/// Keeps one file.
struct OneFile(PathBuf);

#[async_trait]
impl Shelf for OneFile {
    async fn get(&self, _name: &str) -> Option<Vec<u8>> {
        std::fs::read(&self.0).ok()
    }

    async fn put(&self, _name: &str, bytes: Vec<u8>) {
        std::fs::write(&self.0, bytes).unwrap();
    }
}

fn engine(pipelines: &[Arc<Pipeline>]) -> Engine {
    let fakes = Fakes::default();
    let access = SecretFolder { folder: None, otherwise: RemoteOptions::default() };
    let repos = Arc::new(WireRepos::new(Arc::new(access), Committer::default()));
    let engine = Engine::new(Ports { repos, ..fakes.ports(&Faults::none()) });
    engine.set_pipelines(pipelines.iter().map(|one| (one.key.clone(), one.clone())).collect());
    engine
}

fn name(app: usize) -> String {
    format!("app-{app:04}")
}

/// From dev to prod; found by markers, or by the names of the files.
fn pipeline(url: &str, app: usize, by_marker: bool) -> Arc<Pipeline> {
    let mut environments = vec![environment("dev", &[]), environment("prod", &["dev"])];
    for environment in &mut environments {
        environment.targets = vec![target("main", TargetKind::Git)];
        if !by_marker {
            let file = file(app, environment.name.as_str());
            let path = "images[name=web].newTag".to_owned();
            let select = Select { path, ..Select::default() };
            environment.edit = vec![EditSpec::field(RepoPath::parse(&file).unwrap(), select, artifact())];
        }
    }
    let repository = Repository {
        url: url.into(),
        branch: None,
        paths: Vec::new(),
        secret: None,
        forge: None,
        commit: Default::default(),
    };
    let key = PipelineKey::parse(&format!("apps/{}", name(app))).unwrap();
    Arc::new(
        Pipeline::new(key, repository, BTreeMap::from([(artifact(), Order::Semver)]), environments).unwrap(),
    )
}

fn file(app: usize, environment: &str) -> String {
    format!("apps/team-{:02}/{}/overlays/{environment}/kustomization.yaml", app % 50, name(app))
}

/// What one process does that knows nothing; says how much memory it took.
async fn cold(url: &str, kept: &Path) {
    let pipeline = pipeline(url, 0, true);
    let engine = engine(std::slice::from_ref(&pipeline)).keeping_on(Arc::new(OneFile(kept.to_owned())));
    let (_, sight) = engine.look(&pipeline).await;
    let found = sight.places.values().all(|places| places.as_ref().is_ok_and(|places| places.len() == 1));
    assert!(found, "{:?}", sight.places);
    println!("{}", peak("self"));
}

/// The most memory that a process had, in KiB.
fn peak(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn disk(path: &Path) -> u64 {
    let said = Command::new("du").args(["-sk", path.to_str().unwrap()]).output().unwrap().stdout;
    String::from_utf8(said).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

/// The files that requests asked for by their ids, those in `known` excepted; and whether one was asked for twice.
fn wanted(seen: &[Seen]) -> Vec<String> {
    let text = |seen: &Seen| String::from_utf8_lossy(&seen.body).into_owned();
    let wants = seen.iter().flat_map(|seen| {
        let text = text(seen);
        text.lines()
            .filter_map(|line| line.split_once("want "))
            .map(|(_, id)| id[..40].to_owned())
            .collect::<Vec<_>>()
    });
    wants.collect()
}

struct Town {
    dir: PathBuf,
    apps: usize,
}

impl Town {
    async fn server(&self, delay: Duration) -> Server {
        Server::start(&self.dir, Settings { delay, ..Settings::default() }).await
    }

    /// The apps that have pipelines.
    fn marked(&self) -> impl Iterator<Item = usize> {
        let step = (self.apps / PIPELINES).max(1);
        (0..self.apps).step_by(step).take(PIPELINES)
    }

    fn git(&self, args: &[&str], input: &[u8]) -> String {
        git(&self.dir.join("repo.git"), args, input)
    }

    /// Somebody sets the version of these apps in dev, with one commit.
    fn release(&self, apps: impl Iterator<Item = usize>, version: usize) {
        let mut stream =
            b"commit refs/heads/main\ncommitter bot <bot@acme.test> 1760000000 +0000\ndata 7\nrelease\n\
            from refs/heads/main^0\n"
                .to_vec();
        for app in apps {
            put(&mut stream, &file(app, "dev"), &kustomization(app, "dev", version, true));
        }
        self.git(&["fast-import", "--quiet"], &stream);
    }

    async fn first_looks(&self, runs: usize) {
        let server = self.server(Duration::ZERO).await;
        let url = format!("{}/repo.git", server.url());
        let (mut ours, mut memory, mut again) = (Vec::new(), 0, Vec::new());
        let (mut clones, mut greps, mut clone_disk) = (Vec::new(), Vec::new(), 0);
        let (mut requests, mut received) = (0, 0);
        let kept = self.dir.join("kept");
        for run in 0..=runs.min(5) {
            let one = |url: String, kept: PathBuf| {
                move || {
                    let time = Instant::now();
                    let output = Command::new(std::env::current_exe().unwrap())
                        .args(["cold", &url, kept.to_str().unwrap()])
                        .output()
                        .unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                    let said = String::from_utf8(output.stdout).unwrap();
                    (time.elapsed(), said.trim().parse::<u64>().unwrap())
                }
            };
            let _nothing_kept = std::fs::remove_file(&kept);
            server.seen();
            server.sent();
            let (time, peak) = tokio::task::spawn_blocking(one(url.clone(), kept.clone())).await.unwrap();
            (requests, received) = (server.seen().len(), server.sent());
            let (restarted, _) = tokio::task::spawn_blocking(one(url.clone(), kept.clone())).await.unwrap();
            let work = self.dir.join("clone");
            let (clone_url, to) = (url.clone(), work.clone());
            let (cloned, searched) = tokio::task::spawn_blocking(move || {
                let time = Instant::now();
                git(
                    to.parent().unwrap(),
                    &["clone", "-q", "--depth", "1", &clone_url, to.to_str().unwrap()],
                    b"",
                );
                let cloned = time.elapsed();
                let time = Instant::now();
                let found = Command::new("grep")
                    .args(["-rlF", "--include=*.yaml", "--include=*.yml", "$promotion", "."])
                    .current_dir(&to)
                    .output()
                    .unwrap();
                assert!(!found.stdout.is_empty());
                (cloned, time.elapsed())
            })
            .await
            .unwrap();
            clone_disk = disk(&work);
            std::fs::remove_dir_all(&work).unwrap();
            // The first run warms the caches of the system and is not counted.
            if run > 0 {
                ours.push(time);
                again.push(restarted);
                clones.push(cloned + searched);
                greps.push(searched);
                memory = memory.max(peak);
            }
        }
        let (ours, clone) = (median(ours), median(clones));
        let kept_size = std::fs::metadata(&kept).unwrap().len() / 1024;
        println!(
            "\n{:<58}{:>10}{:>12}{:>12}",
            "the first look, as a process", "ms", "disk KiB", "memory KiB"
        );
        println!("{:<58}{ours:>10.0}{kept_size:>12}{memory:>12}", "all markers found: nothing known");
        println!("{:<58}{:>10.0}", "the same, with what an earlier process kept", median(again));
        println!("{:<58}{clone:>10.0}{clone_disk:>12}", "git clone --depth 1, then grep -rF");
        println!("{:<58}{:>10.0}", "  of this grep", median(greps));
        println!(
            "ours/clone {:.2} (at most 1), disk 1/{:.0} (at most 1/4), memory {:.0} MB (under 300); {requests} requests, {received} B",
            ours / clone,
            clone_disk as f64 / kept_size as f64,
            memory as f64 * 1024.0 / 1e6,
        );
    }

    async fn promotions(&self, runs: usize) {
        let server = self.server(Duration::ZERO).await;
        let url = format!("{}/repo.git", server.url());
        println!("\n{:<58}{:>10}{:>12}{:>12}", "a warm promotion", "ms", "requests", "read twice");
        let mut medians = Vec::new();
        for by_marker in [false, true] {
            let app = self.marked().nth(1 + usize::from(by_marker)).unwrap();
            let pipeline = pipeline(&url, app, by_marker);
            let engine = engine(std::slice::from_ref(&pipeline));
            engine.look(&pipeline).await;
            let (mut times, mut requests, mut twice, mut all) = (Vec::new(), 0, 0, BTreeSet::new());
            for run in 0..=runs {
                self.release(std::iter::once(app), run + 1);
                server.seen();
                let time = Instant::now();
                let done = engine.reconcile(&pipeline).await;
                let took = time.elapsed();
                assert!(matches!(done.outcomes[..], [(_, Ok(Outcome::Done(_)))]), "{:?}", done.outcomes);
                let seen = server.seen();
                // What the engine would do next: look at its own push.
                engine.look(&pipeline).await;
                for id in wanted(&seen).into_iter().chain(wanted(&server.seen())) {
                    twice += usize::from(!all.insert(id));
                }
                if run > 0 {
                    times.push(took);
                    requests = requests.max(seen.len());
                }
            }
            let ms = median(times);
            medians.push(ms);
            let what = if by_marker { "by marker, file not known" } else { "its file is named" };
            println!("{what:<58}{ms:>10.1}{requests:>12}{twice:>12}");
        }
        println!("by marker/named {:.2} (at most 2)", medians[1] / medians[0]);
    }

    async fn trips(&self) {
        let server = self.server(TRIP).await;
        let url = format!("{}/repo.git", server.url());
        println!("\n{:<58}{:>10}{:>12}", "over a round trip of 40 ms", "ms", "requests");
        for (at, by_marker) in [(3, false), (4, true)] {
            let app = self.marked().nth(at).unwrap();
            let pipeline = pipeline(&url, app, by_marker);
            let what = if by_marker { "by marker" } else { "its file is named" };
            let engine = engine(std::slice::from_ref(&pipeline));
            for (run, known) in
                ["nothing known", "the host and the last commit known", "and once more"].iter().enumerate()
            {
                self.release(std::iter::once(app), run + 1);
                server.seen();
                let time = Instant::now();
                let done = engine.reconcile(&pipeline).await;
                let ms = time.elapsed().as_secs_f64() * 1000.0;
                assert!(matches!(done.outcomes[..], [(_, Ok(Outcome::Done(_)))]), "{:?}", done.outcomes);
                println!("{:<58}{ms:>10.0}{:>12}", format!("{what}, {known}"), server.seen().len());
                // It is looked at again after a push.
                engine.look(&pipeline).await;
            }
        }
        println!("goals: at most depth + 6 = 12 requests where nothing is known, 5 where all is");
    }

    async fn batches(&self, runs: usize) {
        println!("\n{:<58}{:>10}{:>12}", "many that are due at once", "ms", "requests");
        let mut version = 100;
        for delay in [Duration::ZERO, TRIP] {
            let server = self.server(delay).await;
            let url = format!("{}/repo.git", server.url());
            let pipelines: Vec<_> = self.marked().map(|app| pipeline(&url, app, true)).collect();
            let engine = engine(&pipelines);
            for pipeline in &pipelines {
                engine.look(pipeline).await;
            }
            let mut medians = Vec::new();
            for count in [1, PIPELINES] {
                let (mut times, mut requests) = (Vec::new(), 0);
                for run in 0..=runs {
                    version += 1;
                    self.release(self.marked().take(count), version);
                    server.seen();
                    let time = Instant::now();
                    let looks = pipelines.iter().take(count).map(|pipeline| engine.look(pipeline));
                    let looks = futures_of(looks).await;
                    let took = time.elapsed();
                    assert!(looks.iter().all(|steps| *steps == 1), "{looks:?}");
                    if run > 0 {
                        times.push(took);
                        requests = server.seen().len();
                    }
                }
                let ms = median(times);
                medians.push(ms);
                let what = format!("{count} looked at and planned, {} ms a round trip", delay.as_millis());
                println!("{what:<58}{ms:>10.1}{requests:>12}");
            }
            println!("{PIPELINES}/1 {:.2} (at most 3)", medians[1] / medians[0]);
            self.all_of_them(&server, &url, &mut version, delay).await;
        }
    }

    /// All pipelines are due, and are promoted to the last push.
    async fn all_of_them(&self, server: &Server, url: &str, version: &mut usize, delay: Duration) {
        for count in [1, PIPELINES] {
            let pipelines: Vec<_> = self.marked().take(count).map(|app| pipeline(url, app, true)).collect();
            let engine = Arc::new(engine(&pipelines));
            let run = tokio::spawn({
                let engine = engine.clone();
                let options = RunOptions { poll: Duration::from_secs(3600), ..RunOptions::default() };
                async move { engine.run(options, std::future::pending()).await }
            });
            let promoted = |version: usize| {
                let lines = self.git(&["log", "-1000", "--format=%s", "main"], b"");
                lines.lines().filter(|line| line.contains(&format!("1.{version}.0"))).count()
            };
            let mut took = Duration::ZERO;
            let mut requests = 0;
            for _ in 0..2 {
                *version += 1;
                self.release(self.marked().take(count), *version);
                server.seen();
                let time = Instant::now();
                pipelines.iter().for_each(|pipeline| engine.wake(&pipeline.key));
                while promoted(*version) < count {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    assert!(time.elapsed() < Duration::from_secs(120), "{} of {count}", promoted(*version));
                }
                took = time.elapsed();
                requests = server.seen().len();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            run.abort();
            let what = format!("{count} promoted and pushed, {} ms a round trip", delay.as_millis());
            println!("{what:<58}{:>10.0}{requests:>12}", took.as_secs_f64() * 1000.0);
        }
    }

    fn make(&self) {
        let time = Instant::now();
        git(&self.dir, &["init", "-q", "--bare", "-b", "main", "repo.git"], b"");
        for (key, value) in [
            ("uploadpack.allowFilter", "true"),
            ("http.receivepack", "true"),
            ("gc.auto", "0"),
            ("receive.autogc", "false"),
            ("fastimport.unpackLimit", "0"),
        ] {
            self.git(&["config", key, value], b"");
        }
        let head = "commit refs/heads/main\ncommitter bot <bot@acme.test> 1700000000 +0000\ndata 5\nfirst\n";
        let mut stream = head.as_bytes().to_vec();
        let marked: BTreeSet<usize> = self.marked().collect();
        for app in 0..self.apps {
            write_app(&mut stream, app, marked.contains(&app));
        }
        for commit in 0..self.apps / 3 {
            let app = commit * 7919 % self.apps;
            let time = 1_700_000_600 + commit * 600;
            let head =
                format!("commit refs/heads/main\ncommitter bot <bot@acme.test> {time} +0000\ndata 4\nbump\n");
            stream.extend_from_slice(head.as_bytes());
            put(&mut stream, &file(app, "staging"), &kustomization(app, "staging", commit + 1, false));
        }
        self.git(&["fast-import", "--quiet"], &stream);
        self.git(&["repack", "-q", "-a", "-d", "-b"], b"");
        println!("the repository took {:.1} s to make", time.elapsed().as_secs_f64());
    }
}

async fn futures_of<'a>(
    looks: impl Iterator<Item = impl Future<Output = (gradus_engine::Looked, gradus_engine::observe::Sight)> + 'a>,
) -> Vec<usize> {
    // All of them are under way at the same time, on one task.
    let mut looks: Vec<_> = looks.map(|look| Box::pin(async move { look.await.0.steps.len() })).collect();
    let mut done: Vec<Option<usize>> = vec![None; looks.len()];
    std::future::poll_fn(move |context| {
        for (look, done) in looks.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(steps) = look.as_mut().poll(context)
            {
                *done = Some(steps);
            }
        }
        match done.iter().copied().collect::<Option<Vec<usize>>>() {
            Some(all) => std::task::Poll::Ready(all),
            None => std::task::Poll::Pending,
        }
    })
    .await
}

fn write_app(stream: &mut Vec<u8>, app: usize, marked: bool) {
    let folder = format!("apps/team-{:02}/{}", app % 50, name(app));
    for kind in ["deployment", "service", "networkpolicy", "kustomization"] {
        let seed = app * 31 + kind.len();
        let content = format!(
            "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: app-{app}\n  labels:\n    app: app-{app}\n    seed: \"{}\"\n\
             spec:\n  replicas: {}\n  selector:\n    app: app-{app}\n  ports:\n    - name: http\n      port: 8080\n",
            seed.wrapping_mul(2_654_435_761),
            seed % 7
        );
        put(stream, &format!("{folder}/base/{kind}.yaml"), &content);
    }
    for environment in ENVIRONMENTS {
        let below = format!("{folder}/overlays/{environment}");
        put(stream, &file(app, environment), &kustomization(app, environment, 0, marked));
        for kind in ["patch", "config", "helmrelease"] {
            let seed = (app * 131 + environment.len() * 17 + kind.len()).wrapping_mul(2_654_435_761);
            let content = format!(
                "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: app-{app}\n  namespace: {environment}\n\
                 data:\n  key: \"{seed}\"\n  log: info\n  environment: {environment}\n"
            );
            put(stream, &format!("{below}/{kind}.yaml"), &content);
        }
    }
}

fn kustomization(app: usize, environment: &str, version: usize, marked: bool) -> String {
    let marker = if marked {
        format!("{{\"$promotion\": \"apps:{}:{environment}\"}}", name(app))
    } else {
        format!("{{\"$imagepolicy\": \"apps:app-{app}:tag\"}}")
    };
    format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: app-{app}-{environment}\n\
         resources:\n  - ../../base\n  - config.yaml\nimages:\n  - name: web\n    newTag: 1.{version}.0 # {marker}\n\
         patches:\n  - path: patch.yaml\n"
    )
}

fn put(stream: &mut Vec<u8>, path: &str, content: &str) {
    stream
        .extend_from_slice(format!("M 100644 inline {path}\ndata {}\n{content}\n", content.len()).as_bytes());
}

fn git(dir: &Path, args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap()
}
