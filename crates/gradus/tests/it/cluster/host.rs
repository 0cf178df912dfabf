//! A Git host: smart HTTP over `git http-backend`, for who knows the password.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// A host of all repositories in a folder. It ends with the test program.
pub(crate) struct Host {
    address: SocketAddr,
}

impl Host {
    /// One that answers only this `Authorization`.
    pub(crate) fn start(root: &Path, authorization: &'static str) -> Self {
        Self::start_with(root, authorization, |_| true)
    }

    /// One that answers everybody, but asks before each push whether it may come about.
    /// Of one that may not nobody hears again.
    pub(crate) fn asking(root: &Path, may_push: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self::start_with(root, "", move |target| !target.ends_with("/git-receive-pack") || may_push())
    }

    fn start_with(
        root: &Path,
        authorization: &'static str,
        passes: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let passes = Arc::new(passes);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let root = root.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, passes) = (root.clone(), passes.clone());
                std::thread::spawn(move || answer(stream, root, authorization, &*passes));
            }
        });
        Self { address }
    }

    /// Where a repository is.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }
}

/// Answers one request; a client that goes away is not missed.
fn answer(
    stream: TcpStream,
    root: PathBuf,
    authorization: &str,
    passes: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut stream = reader.into_inner();
    if header("authorization") != authorization {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n\
                       Content-Length: 0\r\nConnection: close\r\n\r\n";
        return stream.write_all(refusal.as_bytes()).ok();
    }
    if !passes(&target) {
        // Until the other side goes away.
        let _ = stream.read(&mut [0]);
        return None;
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut backend = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", &root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", &root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_USER", "gradus")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = backend.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(&body));
    let said = backend.wait_with_output().unwrap().stdout;
    let _ = writing.join();
    let end = said.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (std::str::from_utf8(&said[..end]).ok()?, &said[end + 4..]);
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let rest: String =
        head.lines().filter(|line| !line.starts_with("Status: ")).map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{rest}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()
}
