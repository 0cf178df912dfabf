//! Repositories behind `git http-backend`: one file an environment, found by its marker.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cluster::{ENVIRONMENTS, NAMESPACE};

pub(crate) struct Git {
    root: PathBuf,
    port: u16,
    repositories: usize,
    asked: Arc<AtomicU64>,
}

impl Git {
    /// Makes and serves them; pipeline N is in repository N modulo their number.
    pub(crate) fn make(folder: &Path, pipelines: usize, repositories: usize) -> Self {
        let root = folder.join("git");
        for repository in 0..repositories {
            let work = root.join(format!("work-{repository}"));
            for pipeline in (repository..pipelines.max(repositories)).step_by(repositories) {
                for environment in ENVIRONMENTS {
                    write(&work, pipeline, environment, "1.0.0");
                }
            }
            git(&work, &["init", "-q", "--initial-branch=main"]);
            commit(&work, "everything");
            let name = format!("fleet-{repository}.git");
            git(&root, &["clone", "-q", "--bare", &work.display().to_string(), &name]);
            git(&root.join(&name), &["config", "uploadpack.allowFilter", "true"]);
            git(&root.join(&name), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
            git(&root.join(&name), &["config", "http.receivepack", "true"]);
            // A reference stays a file of its own.
            git(&root.join(&name), &["config", "receive.autogc", "false"]);
            git(&work, &["remote", "add", "origin", &root.join(&name).display().to_string()]);
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(AtomicU64::new(0));
        let (served, counted) = (root.clone(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, asked) = (served.clone(), counted.clone());
                std::thread::spawn(move || serve(stream, &root, &asked));
            }
        });
        Self { root, port, repositories, asked }
    }

    pub(crate) fn url(&self, pipeline: usize) -> String {
        format!("http://127.0.0.1:{}/fleet-{}.git", self.port, pipeline % self.repositories)
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Where the branch of a pipeline's repository is.
    pub(crate) fn tip(&self, pipeline: usize) -> String {
        let bare = self.root.join(format!("fleet-{}.git", pipeline % self.repositories));
        std::fs::read_to_string(bare.join("refs/heads/main")).unwrap_or_default()
    }

    /// A commit in every repository that changes no pipeline.
    pub(crate) fn touch_all(&self) {
        for repository in 0..self.repositories {
            let work = self.root.join(format!("work-{repository}"));
            std::fs::write(work.join("README.md"), "What runs where.\n").expect("a file");
            commit(&work, "a description");
            git(&work, &["push", "-q", "origin", "main"]);
        }
    }

    /// Brings a version into the first environment of pipelines.
    pub(crate) fn bring(&self, pipelines: &[usize], version: &str) {
        let each: Vec<_> = pipelines.iter().map(|pipeline| (*pipeline, version.to_owned())).collect();
        self.bring_each(&each);
    }

    /// Brings each of these its version into the first environment, whoever else writes meanwhile.
    pub(crate) fn bring_each(&self, pipelines: &[(usize, String)]) {
        for repository in 0..self.repositories {
            let work = self.root.join(format!("work-{repository}"));
            let here = || pipelines.iter().filter(|(pipeline, _)| pipeline % self.repositories == repository);
            if here().next().is_none() {
                continue;
            }
            loop {
                git(&work, &["fetch", "-q", "origin", "main"]);
                git(&work, &["reset", "-q", "--hard", "FETCH_HEAD"]);
                for (pipeline, version) in here() {
                    write(&work, *pipeline, ENVIRONMENTS[0], version);
                }
                commit(&work, "a new version");
                if attempt(&work, &["push", "-q", "origin", "HEAD:main"]) {
                    break;
                }
            }
        }
    }

    /// How many repositories there are.
    pub(crate) fn repositories(&self) -> usize {
        self.repositories
    }

    /// What Git says when it is asked something about a repository.
    pub(crate) fn tell(&self, repository: usize, arguments: &[&str]) -> String {
        let bare = self.root.join(format!("fleet-{repository}.git"));
        let said = Command::new("git").args(arguments).current_dir(bare).stderr(Stdio::null()).output();
        String::from_utf8_lossy(&said.expect("git is there").stdout).into_owned()
    }
}

fn write(work: &Path, pipeline: usize, environment: &str, version: &str) {
    let folder = work.join(format!("{environment}/app-{pipeline}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: app-{pipeline}\n  \
         namespace: {environment}\nspec:\n  interval: 10m\n  chart:\n    spec:\n      chart: app-{pipeline}\n      \
         version: {version} # {{\"$promotion\": \"{NAMESPACE}:app-{pipeline}:{environment}\"}}\n      \
         sourceRef:\n        kind: HelmRepository\n        name: charts\n        namespace: flux-system\n"
    );
    std::fs::write(folder.join("release.yaml"), text).expect("a file");
}

fn commit(work: &Path, message: &str) {
    git(work, &["add", "."]);
    git(work, &["commit", "-q", "-m", message]);
}

fn git(folder: &Path, arguments: &[&str]) {
    assert!(attempt(folder, arguments), "git {arguments:?}");
}

fn attempt(folder: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder);
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "bench").env(format!("GIT_{name}_EMAIL"), "bench@localhost");
    }
    let quiet =
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").stdout(Stdio::null());
    quiet.stderr(Stdio::inherit()).status().expect("git is there").success()
}

/// Answers the requests of one connection.
fn serve(stream: TcpStream, root: &Path, asked: &AtomicU64) {
    let _slower_otherwise = stream.set_nodelay(true);
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match input.read_line(&mut line) {
                Ok(1..) if line.trim_end().is_empty() => break,
                Ok(1..) => lines.push(line.trim_end().to_owned()),
                Ok(0) | Err(_) => return,
            }
        }
        asked.fetch_add(1, Ordering::Relaxed);
        let header = |name: &str| {
            let found = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
            found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
        };
        let length = header("content-length").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        assert!(header("transfer-encoding").is_none(), "requests come in one piece");
        let mut body = Vec::new();
        if input.by_ref().take(length).read_to_end(&mut body).is_err() {
            return;
        }
        let mut words = lines.first().map(String::as_str).unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut command = Command::new("git");
        command.arg("http-backend").env_clear().env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", root);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_ADDR", "127.0.0.1");
        command.env("PATH_INFO", path).env("QUERY_STRING", query).env("REQUEST_METHOD", method);
        command.env("CONTENT_LENGTH", body.len().to_string());
        for (name, of) in [
            ("CONTENT_TYPE", "content-type"),
            ("HTTP_CONTENT_ENCODING", "content-encoding"),
            ("GIT_PROTOCOL", "git-protocol"),
        ] {
            if let Some(value) = header(of) {
                command.env(name, value);
            }
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("git http-backend starts");
        let mut to = child.stdin.take().expect("a pipe");
        let writes = std::thread::spawn(move || {
            let _it_may_read_less = to.write_all(&body);
        });
        let answer = child.wait_with_output().expect("git http-backend ends").stdout;
        let _it_does_not_panic = writes.join();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
        let (head, body) =
            (String::from_utf8_lossy(&answer[..end]), answer.get(end + 4..).unwrap_or_default());
        let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        for line in head.lines().filter(|line| !line.starts_with("Status: ")) {
            text.push_str(&format!("{line}\r\n"));
        }
        text.push_str("\r\n");
        if out.write_all(text.as_bytes()).and_then(|()| out.write_all(body)).is_err() {
            return;
        }
    }
}
