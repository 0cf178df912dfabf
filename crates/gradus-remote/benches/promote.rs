//! One changed file in a repository of 100,000: this crate's way, the way through a clone, and the bare exchange of the
//! same requests, which no client can undercut. `cargo bench -p gradus-remote --bench promote [APPS [RUNS]]`.

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
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use gradus_remote::git::{
    BranchName, Change, CommitMeta, ObjectId, Preparation, Pushed, Remote, RemoteOptions, RemoteUrl,
    RepoPath, Signature,
};
use server::{Seen, Server, Settings};

const ENVIRONMENTS: [&str; 4] = ["dev", "staging", "prod", "dr"];
const FILE: &str = "apps/team-07/app-0007/overlays/prod/kustomization.yaml";

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<usize>().ok());
    let (apps, runs) = (numbers.next().unwrap_or(5000), numbers.next().unwrap_or(7));
    // Writing 100,000 files is what a clone spends its time on: memory is the place where it costs the least.
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let dir = tempfile::Builder::new().prefix("gradus-bench").tempdir_in(base).unwrap();
    println!("{} files, {runs} runs, in {}", apps * 20, dir.path().display());
    make_repository(dir.path(), apps);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(dir.path(), runs));
}

struct Row {
    times: Vec<Duration>,
    received: u64,
    requests: usize,
}

impl Row {
    fn new() -> Self {
        Self { times: Vec::new(), received: 0, requests: 0 }
    }

    fn add(&mut self, time: Duration, server: &Server) -> Vec<Seen> {
        let seen = server.seen();
        self.times.push(time);
        self.received = server.sent();
        self.requests = seen.len();
        seen
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1000.0
    }
}

async fn measure(dir: &Path, runs: usize) {
    let server = Server::start(dir, Settings::default()).await;
    let url = format!("{}/repo.git", server.url());
    let (mut ours, mut warm, mut floor, mut clone) = (Row::new(), Row::new(), Row::new(), Row::new());
    for run in 0..=runs {
        // The first run warms the caches of the system and is not counted.
        let counted = run > 0;
        let rows = [&mut ours, &mut warm, &mut floor, &mut clone];
        one_run(dir, &server, &url, run, rows).await;
        if !counted {
            (ours, warm, floor, clone) = (Row::new(), Row::new(), Row::new(), Row::new());
        }
    }
    println!("{:<46}{:>10}{:>12}{:>10}{:>12}", "way", "ms", "received", "requests", "to ours");
    for (name, row) in [
        ("this crate, nothing known", &ours),
        ("this crate, the branch moved since the last time", &warm),
        ("the same requests, bare", &floor),
        ("clone --depth 1, edit, commit, push", &clone),
    ] {
        let (ms, ratio) = (row.median(), row.median() / ours.median());
        println!("{name:<46}{ms:>10.1}{:>12}{:>10}{ratio:>12.2}", row.received, row.requests);
    }
    listing(&server, &url).await;
    let floor_ratio = ours.median() / floor.median();
    let clone_ratio = clone.median() / ours.median();
    println!("clone/ours {clone_ratio:.1} (at least 12), ours/bare {floor_ratio:.2} (at most 1.5)");
}

async fn one_run(
    dir: &Path,
    server: &Server,
    url: &str,
    run: usize,
    [ours, warm, floor, clone]: [&mut Row; 4],
) {
    let (branch, tag) = (format!("gradus/run-{run}"), format!("2.0.{run}"));
    let time = Instant::now();
    let remote = Remote::open(RemoteUrl::new(url).unwrap(), RemoteOptions::default()).unwrap();
    promote(&remote, &branch, &tag).await;
    let seen = ours.add(time.elapsed(), server);
    forget(dir, &branch);

    // The same again with what is known of the host and its objects, after somebody else's commit.
    let other = format!("apps/team-09/app-0009/base/note-{run}\n");
    let stream = format!(
        "commit refs/heads/main\ncommitter bot <bot@acme.test> 1750000000 +0000\ndata 4\nnote\n\
         from refs/heads/main^0\nM 100644 inline {other}data 1\nx\n"
    );
    git(&dir.join("repo.git"), &["fast-import", "--quiet"], stream.as_bytes());
    server.seen();
    let time = Instant::now();
    promote(&remote, &branch, &format!("2.1.{run}")).await;
    warm.add(time.elapsed(), server);
    forget(dir, &branch);

    let address = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    let took = tokio::task::spawn_blocking(move || exchange(&address, &seen)).await.unwrap();
    floor.add(took, server);
    git(&dir.join("repo.git"), &["rev-parse", &branch], b"");
    forget(dir, &branch);

    let (work, url) = (dir.join(format!("clone-{run}")), url.to_owned());
    let took =
        tokio::task::spawn_blocking(move || through_a_clone(&work, &url, &branch, &tag)).await.unwrap();
    clone.add(took, server);
    forget(dir, &format!("gradus/run-{run}"));
    std::fs::remove_dir_all(dir.join(format!("clone-{run}"))).unwrap();
}

async fn promote(remote: &Remote, branch: &str, tag: &str) -> ObjectId {
    let tip = remote.tip(&BranchName::new("main").unwrap()).await.unwrap();
    let path = RepoPath::new(FILE).unwrap();
    let read = remote.read(tip, std::slice::from_ref(&path)).await.unwrap();
    let file = read[&path].as_ref().unwrap();
    let text = edited(std::str::from_utf8(&file.bytes).unwrap(), tag);
    let changes = BTreeMap::from([(path, Change::Write { expect: Some(file.id), bytes: text.into() })]);
    let who = Signature {
        name: "gradus".to_owned(),
        email: "gradus@acme.test".to_owned(),
        seconds: 1_760_000_000,
        offset_minutes: 0,
    };
    let meta =
        CommitMeta { author: who.clone(), committer: who, message: format!("to {tag}"), parents: vec![tip] };
    let Preparation::Ready(prepared) = remote.prepare(tip, &changes, &meta).await.unwrap() else {
        panic!("nothing to do")
    };
    let pushed = remote.push(&BranchName::new(branch).unwrap(), None, &prepared).await.unwrap();
    assert_eq!(pushed, Pushed::Done);
    prepared.id()
}

fn edited(text: &str, tag: &str) -> String {
    let start = text.find("newTag: ").unwrap() + "newTag: ".len();
    let end = start + text[start..].find(' ').unwrap();
    format!("{}{tag}{}", &text[..start], &text[end..])
}

/// Sends recorded requests over one connection, reads each answer to its end, and looks at none of them.
fn exchange(address: &str, requests: &[Seen]) -> Duration {
    let time = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut part = vec![0; 64 * 1024];
    for request in requests {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {address}\r\n", request.method, request.path);
        for (name, value) in &request.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut bytes = format!("{head}Content-Length: {}\r\n\r\n", request.body.len()).into_bytes();
        bytes.extend_from_slice(&request.body);
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"0\r\n\r\n") {
            let read = stream.read(&mut part).unwrap();
            assert!(read > 0, "the server ended the connection");
            answer.extend_from_slice(&part[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
    time.elapsed()
}

fn through_a_clone(work: &Path, url: &str, branch: &str, tag: &str) -> Duration {
    let time = Instant::now();
    let parent = work.parent().unwrap();
    git(parent, &["clone", "-q", "--depth", "1", url, work.to_str().unwrap()], b"");
    let file = work.join(FILE);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, edited(&text, tag)).unwrap();
    git(work, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-a", "-m", tag], b"");
    git(work, &["push", "-q", "origin", &format!("HEAD:refs/heads/{branch}")], b"");
    time.elapsed()
}

/// Every YAML file below a folder, and their content.
async fn listing(server: &Server, url: &str) {
    let remote = Remote::open(RemoteUrl::new(url).unwrap(), RemoteOptions::default()).unwrap();
    let tip = remote.tip(&BranchName::new("main").unwrap()).await.unwrap();
    server.seen();
    server.sent();
    println!("{:<46}{:>10}{:>12}{:>10}{:>12}", "look at all YAML", "ms", "received", "requests", "files");
    for (name, folder) in [
        ("below one team, nothing known", "apps/team-07"),
        ("below the same team again", "apps/team-07"),
        ("below all teams", "apps"),
    ] {
        let below = [RepoPath::new(folder).unwrap()];
        let time = Instant::now();
        let listed = remote.list(tip, &below, |name| name.ends_with(".yaml"), 200_000).await.unwrap();
        let (ms, requests) = (time.elapsed().as_secs_f64() * 1000.0, server.seen().len());
        println!("{name:<46}{ms:>10.1}{:>12}{requests:>10}{:>12}", server.sent(), listed.len());
        if folder == "apps" {
            continue;
        }
        let ids: Vec<_> = listed.iter().map(|file| file.id).collect();
        let time = Instant::now();
        let blobs = remote.blobs(&ids).await.unwrap();
        let (ms, requests) = (time.elapsed().as_secs_f64() * 1000.0, server.seen().len());
        println!(
            "{:<46}{ms:>10.1}{:>12}{requests:>10}{:>12}",
            "  and their content",
            server.sent(),
            blobs.len()
        );
    }
}

/// Takes the branch and its loose objects away, so that the next push finds the repository as the last one did.
fn forget(dir: &Path, branch: &str) {
    let repo = dir.join("repo.git");
    git(&repo, &["update-ref", "-d", &format!("refs/heads/{branch}")], b"");
    for entry in std::fs::read_dir(repo.join("objects")).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.file_name().unwrap().len() == 2 {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
}

fn make_repository(dir: &Path, apps: usize) {
    let time = Instant::now();
    git(dir, &["init", "-q", "--bare", "-b", "main", "repo.git"], b"");
    let repo = dir.join("repo.git");
    for (key, value) in [
        ("uploadpack.allowFilter", "true"),
        ("http.receivepack", "true"),
        ("gc.auto", "0"),
        ("receive.autogc", "false"),
        ("fastimport.unpackLimit", "0"),
    ] {
        git(&repo, &["config", key, value], b"");
    }
    let mut stream =
        b"commit refs/heads/main\ncommitter bot <bot@acme.test> 1700000000 +0000\ndata 5\nfirst\n".to_vec();
    for app in 0..apps {
        write_app(&mut stream, app);
    }
    for commit in 0..apps / 3 {
        let app = commit * 7919 % apps;
        let time = 1_700_000_600 + commit * 600;
        let head =
            format!("commit refs/heads/main\ncommitter bot <bot@acme.test> {time} +0000\ndata 4\nbump\n");
        stream.extend_from_slice(head.as_bytes());
        let folder = folder(app);
        let content = kustomization(app, "staging", &format!("1.{commit}.0"));
        put(&mut stream, &format!("{folder}/overlays/staging/kustomization.yaml"), &content);
    }
    git(&repo, &["fast-import", "--quiet"], &stream);
    git(&repo, &["repack", "-q", "-a", "-d", "-b"], b"");
    println!("the repository took {:.1} s to make", time.elapsed().as_secs_f64());
}

fn folder(app: usize) -> String {
    format!("apps/team-{:02}/app-{app:04}", app % 50)
}

fn write_app(stream: &mut Vec<u8>, app: usize) {
    let folder = folder(app);
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
        put(stream, &format!("{below}/kustomization.yaml"), &kustomization(app, environment, "1.0.0"));
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

fn kustomization(app: usize, environment: &str, tag: &str) -> String {
    format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: app-{app}-{environment}\n\
         resources:\n  - ../../base\n  - config.yaml\nimages:\n  - name: ghcr.io/acme/app-{app}\n    \
         newTag: {tag} # {{\"$imagepolicy\": \"apps:app-{app}:tag\"}}\npatches:\n  - path: patch.yaml\n"
    )
}

fn put(stream: &mut Vec<u8>, path: &str, content: &str) {
    stream
        .extend_from_slice(format!("M 100644 inline {path}\ndata {}\n{content}\n", content.len()).as_bytes());
}

fn git(dir: &Path, args: &[&str], input: &[u8]) {
    let mut child = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    assert!(child.wait().unwrap().success(), "git {args:?}");
}
