//! What `gradus serve` costs: time to the first answer, memory, size. Prints a table.
//!
//! `cargo bench -p gradus --bench serve`. Linux only: memory is read from /proc.

#![allow(clippy::expect_used, clippy::panic, reason = "a measurement that cannot go on ends")]
#![allow(clippy::print_stdout, reason = "a table is the purpose of this program")]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How many pipelines are in one manifest file, and how many share a file of versions.
const TOGETHER: usize = 100;
const ENVIRONMENTS: [&str; 5] = ["dev", "test", "staging", "prod-eu", "prod-us"];

fn main() {
    // `cargo test` runs benches to see that they build and start; the figures take longer.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let program = env!("CARGO_BIN_EXE_gradus");
    let size = std::fs::metadata(program).expect("the program is built").len();
    println!("{:<58} {:>12} {:>10}", "what", "measured", "goal");
    row("size of the stripped program", format!("{:.1} MB", mb(size)), "< 50 MB");
    let ready: Vec<Duration> = (0..7).map(|_| Served::start(program, 1).ready).collect();
    row("start to first answer on /readyz, 1 pipeline, median of 7", ms(median(ready)), "< 150 ms");
    let one = Served::start(program, 1);
    one.wait_until_idle(1);
    row("resident memory, idle, 1 pipeline", format!("{:.1} MB", mb(one.memory())), "< 30 MB");
    drop(one);
    let many = Served::start(program, 10_000);
    row("start to first answer on /readyz, 10,000 pipelines", ms(many.ready), "");
    let begun = Instant::now();
    many.wait_until_idle(10_000);
    row("10,000 pipelines x 5 environments looked at", format!("{:.1} s", begun.elapsed().as_secs_f64()), "");
    row("resident memory, idle, 10,000 pipelines", format!("{:.1} MB", mb(many.memory())), "< 150 MB");
}

fn row(what: &str, measured: String, goal: &str) {
    println!("{what:<58} {measured:>12} {goal:>10}");
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

struct Served {
    child: Child,
    listen: SocketAddr,
    ready: Duration,
    _folder: tempfile::TempDir,
}

impl Served {
    fn start(program: &str, pipelines: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = repository(folder.path(), pipelines);
        manifests(&folder.path().join("config"), &url, pipelines);
        let listen = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let begun = Instant::now();
        let child = Command::new(program)
            .args(["serve", "--quiet", "--poll", "1h", "--listen", &listen.to_string()])
            .arg("--config")
            .arg(folder.path().join("config"))
            .arg("--data")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut served = Self { child, listen, ready: Duration::ZERO, _folder: folder };
        while !served.get("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(begun.elapsed() < Duration::from_secs(60), "serve does not become ready");
            std::thread::sleep(Duration::from_millis(2));
        }
        served.ready = begun.elapsed();
        served
    }

    /// Waits until every pipeline was looked at and the process has been at rest for some seconds.
    fn wait_until_idle(&self, pipelines: usize) {
        let begun = Instant::now();
        let mut last = (self.busy(), Instant::now());
        loop {
            assert!(
                begun.elapsed() < Duration::from_secs(1800),
                "{pipelines} pipelines are never all looked at"
            );
            std::thread::sleep(Duration::from_millis(500));
            let busy = self.busy();
            if busy > last.0 + 2 {
                last = (busy, Instant::now());
            } else if last.1.elapsed() > Duration::from_secs(4) {
                return;
            }
        }
    }

    /// The processor time that was used, in clock ticks.
    fn busy(&self) -> u64 {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a process of ours");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        [11, 12, 13, 14].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
    }

    fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process of ours");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).expect("a number") * 1024
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.listen).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.listen).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_gone = self.child.wait();
    }
}

/// A repository whose files hold the versions of a hundred pipelines each.
fn repository(folder: &Path, pipelines: usize) -> String {
    let (bare, work) = (folder.join("fleet.git"), folder.join("work"));
    std::fs::create_dir_all(&work).expect("a folder");
    for (at, first) in (0..pipelines).step_by(TOGETHER).enumerate() {
        let mut text = String::new();
        for pipeline in first..(first + TOGETHER).min(pipelines) {
            let _ = writeln!(text, "app-{pipeline}:");
            for environment in ENVIRONMENTS {
                let _ = writeln!(text, "  {environment}: 1.0.0");
            }
        }
        std::fs::write(work.join(format!("{at}.yaml")), text).expect("a file");
    }
    let git = |folder: &Path, arguments: &[&str]| {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "bench")
            .env("GIT_AUTHOR_EMAIL", "bench@localhost")
            .env("GIT_COMMITTER_NAME", "bench")
            .env("GIT_COMMITTER_EMAIL", "bench@localhost")
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("git is there").success(), "git {arguments:?}");
    };
    git(&work, &["init", "-q", "--initial-branch=main"]);
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "everything"]);
    git(folder, &["clone", "-q", "--bare", "work", "fleet.git"]);
    git(&bare, &["config", "uploadpack.allowFilter", "true"]);
    format!("file://{}", bare.display())
}

fn manifests(folder: &Path, url: &str, pipelines: usize) {
    std::fs::create_dir_all(folder).expect("a folder");
    for (at, first) in (0..pipelines).step_by(TOGETHER).enumerate() {
        let mut text = String::new();
        for pipeline in first..(first + TOGETHER).min(pipelines) {
            let _ = write!(
                text,
                "---\napiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: app-{pipeline}, namespace: apps}}\nspec:\n  \
                 repository: {{url: \"{url}\", branch: main}}\n  environments:\n"
            );
            for environment in ENVIRONMENTS {
                let _ = write!(
                    text,
                    "    - name: {environment}\n      targets: [{{namespace: app-{pipeline}-{environment}}}]\n      promote: {{strategy: push}}\n      \
                     edit: [{{file: {at}.yaml, select: {{path: app-{pipeline}.{environment}}}}}]\n"
                );
            }
        }
        std::fs::write(folder.join(format!("{at}.yaml")), text).expect("a file");
    }
}
