//! A running `gradus controller`, and what the system says of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::Cluster;

pub(crate) struct Program {
    child: Child,
    begun: Instant,
    probes: SocketAddr,
    metrics: SocketAddr,
    api: SocketAddr,
    hook: SocketAddr,
}

impl Program {
    pub(crate) fn start(cluster: &Cluster, arguments: &[&str]) -> Self {
        Self::named("gradus", cluster, arguments)
    }

    /// One of several.
    pub(crate) fn named(name: &str, cluster: &Cluster, arguments: &[&str]) -> Self {
        let free = || {
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
        };
        let (probes, metrics, api, hook) = (free(), free(), free(), free());
        let log = cluster.kubeconfig().with_file_name(format!("{name}.log"));
        let log = std::fs::File::options().create(true).append(true).open(log).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_gradus"))
            .args(["controller", "--kubeconfig-context", "testbed"])
            .args(["--health-probe-bind-address", &probes.to_string()])
            .args(["--metrics-bind-address", &metrics.to_string()])
            .args(["--api-bind-address", &api.to_string()])
            .args(["--promotion-hook-bind-address", &hook.to_string(), "--identity", name])
            .args(["--leader-elect", "--lease-namespace", "default"])
            .args(arguments)
            .env("KUBECONFIG", cluster.kubeconfig())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        Self { child, begun: Instant::now(), probes, metrics, api, hook }
    }

    /// Waits until it says that it is ready; how long that was.
    pub(crate) async fn ready(&self) -> Duration {
        while !get(self.probes, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(self.age() < Duration::from_secs(600), "it does not become ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.age()
    }

    /// Where its API and the hooks of Flux are.
    pub(crate) fn api(&self) -> SocketAddr {
        self.api
    }

    /// Where the webhook of pipelines.weave.works is.
    pub(crate) fn hook(&self) -> SocketAddr {
        self.hook
    }

    /// Kills it where it is.
    pub(crate) fn kill(mut self) {
        let _already_gone = self.child.kill();
        let _already_gone = self.child.wait();
    }

    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn metrics(&self) -> String {
        get(self.metrics, "/metrics").unwrap_or_default()
    }

    /// Waits until it has done nearly nothing for some seconds.
    pub(crate) async fn rest(&self) {
        let mut last = (self.busy(), Instant::now());
        while last.1.elapsed() < Duration::from_secs(4) {
            assert!(self.age() < Duration::from_secs(3600), "it is never at rest");
            tokio::time::sleep(Duration::from_millis(500)).await;
            let busy = self.busy();
            if busy > last.0 + Duration::from_millis(30) {
                last = (busy, Instant::now());
            }
        }
    }

    /// The processor time that it has used, without that of other programs.
    pub(crate) fn busy(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS")
    }

    pub(crate) fn highest_memory(&self) -> u64 {
        self.status("VmHWM")
    }

    fn status(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of its name");
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).expect("a number") * 1024
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("a process of ours")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // It gives the Lease back, so that the next one need not wait for it to run out.
        let _already_gone = Command::new("kill").arg(self.child.id().to_string()).status();
        let _already_gone = self.child.wait();
    }
}

fn get(from: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(from).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {from}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
