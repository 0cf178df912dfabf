//! A running `gradus serve`, and what the system says of it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fleet::Fleet;

pub(crate) struct Serving {
    child: Child,
    address: SocketAddr,
    over: Arc<AtomicBool>,
    children: Arc<Mutex<BTreeSet<String>>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Serving {
    pub(crate) async fn start(fleet: &Fleet) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gradus"))
            .args(["serve", "--data", "data", "--listen", "127.0.0.1:0", "--secrets", "secrets"])
            .args(["--config", "pipelines", "--poll", "1h", "--hook-key-file", "hook-key"])
            .current_dir(fleet.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let address = lines.find_map(|line| {
            let address = line.split_once("gradus answers on http://").map(|(_, address)| address.parse());
            said.push(line);
            address
        });
        let address = address.unwrap_or_else(|| panic!("it does not answer: {said:?}")).expect("an address");
        std::thread::spawn(move || lines.for_each(drop));
        let (over, children) = (Arc::<AtomicBool>::default(), Arc::<Mutex<BTreeSet<String>>>::default());
        Self { child, address, over, children }
    }

    /// Whom it starts is asked again and again: none is too short to be seen that a `git` would be. It costs much of a
    /// core, so that nothing is timed beside it.
    pub(crate) fn watch_children(&self) {
        let (over, found, id) = (self.over.clone(), self.children.clone(), self.child.id());
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                for task in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
                    let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.extend(text.split_whitespace().map(str::to_owned));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
    }

    pub(crate) fn children(&self) -> usize {
        self.children.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// A signed webhook of Gitea.
    pub(crate) async fn post(&self, body: &str, signature: &str) {
        let mut stream = TcpStream::connect(self.address).await.expect("it answers");
        let text = format!(
            "POST /hooks/forge/gitea HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nX-Gitea-Event: push\r\n\
             X-Gitea-Signature: {signature}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(text.as_bytes()).await.expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    }

    /// The processor time that it has used.
    pub(crate) fn busy(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Waits until it has done nearly nothing for some seconds.
    pub(crate) async fn rest(&self) {
        let mut last = (self.busy(), Instant::now());
        while last.1.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let busy = self.busy();
            if busy > last.0 + Duration::from_millis(20) {
                last = (busy, Instant::now());
            }
        }
    }
}
