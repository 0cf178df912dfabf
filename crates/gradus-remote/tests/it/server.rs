//! Smart HTTP over `git http-backend`, with authentication, counters and faults.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use http_body_util::{BodyExt, Full, channel::Channel, combinators::BoxBody};
use hyper::{
    Request, Response, StatusCode, body::Bytes, body::Incoming, http::request::Parts, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::Command,
    task::JoinHandle,
};

use crate::trip::Trip;

/// What the next requests for a path with this end meet.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection ends before git sees the request.
    DropBefore,
    /// Git does what is asked, and the connection ends without an answer.
    DropAfter,
    /// The whole answer of git, cut off after that many bytes.
    Cut(usize),
    /// Another status, with a text.
    Status(u16, &'static str),
    /// Another body, as if git had answered it.
    Says(&'static str),
    /// Nothing happens to this request.
    Pass,
    /// A redirect to this address, the path and query of the request added.
    Redirect(u16, String),
}

#[derive(Default)]
pub(crate) struct Settings {
    /// Speaks only the first protocol.
    pub(crate) old: bool,
    /// The value the `Authorization` header must have.
    pub(crate) authorization: Option<String>,
    /// Serves TLS with this configuration.
    pub(crate) tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
    /// How long every request is on its way.
    pub(crate) delay: std::time::Duration,
    /// Where whoever asks may be killed.
    pub(crate) trip: Arc<Trip>,
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The headers and the body, as another client would have to send them for the same answer.
    #[allow(dead_code, reason = "only the benchmark sends them again")]
    pub(crate) headers: Vec<(String, String)>,
    #[allow(dead_code, reason = "only the benchmark sends it again")]
    pub(crate) body: Bytes,
}

struct State {
    root: PathBuf,
    settings: Settings,
    faults: Mutex<VecDeque<(&'static str, Fault)>>,
    seen: Mutex<Vec<Seen>>,
    sent: AtomicU64,
    trip: Arc<Trip>,
}

pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(root: &Path, settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let trip = settings.trip.clone();
        let state = Arc::new(State {
            root: root.to_owned(),
            settings,
            faults: Mutex::default(),
            seen: Mutex::default(),
            sent: AtomicU64::new(0),
            trip,
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { address, state, task }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.state.settings.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.address.port())
    }

    /// The next request whose path and query end so meets this fault.
    pub(crate) fn fault(&self, end: &'static str, fault: Fault) {
        self.state.faults.lock().unwrap().push_back((end, fault));
    }

    /// What was asked since the last look.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.state.seen.lock().unwrap())
    }

    /// The bytes git has answered with since the last look.
    #[allow(dead_code, reason = "only the benchmark counts them")]
    pub(crate) fn sent(&self) -> u64 {
        self.state.sent.swap(0, Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        stream.set_nodelay(true).unwrap();
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            match state.settings.tls.clone() {
                Some(tls) => {
                    if let Ok(stream) = tokio_rustls::TlsAcceptor::from(tls).accept(stream).await {
                        serve(stream, state).await;
                    }
                }
                None => serve(stream, state).await,
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<State>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
    // A dropped connection is one of the faults; the client is who looks at it.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Answer, &'static str> {
    let trip = state.trip.clone();
    trip.stop().await;
    let answer = answer_to(request, state).await;
    trip.stop().await;
    answer
}

async fn answer_to(request: Request<Incoming>, state: Arc<State>) -> Result<Answer, &'static str> {
    if !state.settings.delay.is_zero() {
        tokio::time::sleep(state.settings.delay).await;
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "the request broke")?.to_bytes();
    let target = head.uri.path_and_query().unwrap().to_string();
    let kept = ["content-type", "git-protocol"];
    state.seen.lock().unwrap().push(Seen {
        method: head.method.to_string(),
        path: target.clone(),
        headers: kept.iter().filter_map(|name| Some((name.to_string(), header(&head, name)?))).collect(),
        body: body.clone(),
    });
    let authorization = &state.settings.authorization;
    if authorization.is_some() && header(&head, "authorization") != *authorization {
        return Ok(plain(401, "who are you?"));
    }
    let fault = {
        let mut faults = state.faults.lock().unwrap();
        let at = faults.iter().position(|(end, _)| target.ends_with(end));
        at.and_then(|at| faults.remove(at)).map(|(_, fault)| fault)
    };
    match fault {
        Some(Fault::DropBefore) => return Err("dropped before"),
        Some(Fault::Status(status, text)) => return Ok(plain(status, text)),
        Some(Fault::Redirect(status, to)) => {
            let mut answer = plain(status, "");
            answer.headers_mut().insert("location", format!("{to}{target}").parse().unwrap());
            return Ok(answer);
        }
        Some(Fault::Says(text)) => {
            let mut answer = plain(200, text);
            let kind = "application/x-git-upload-pack-result".parse().unwrap();
            answer.headers_mut().insert("content-type", kind);
            return Ok(answer);
        }
        Some(Fault::DropAfter | Fault::Cut(_)) => {}
        Some(Fault::Pass) | None => return run(backend(&head, &state), body, None, &state).await,
    }
    run(backend(&head, &state), body, fault, &state).await
}

fn header(head: &Parts, name: &str) -> Option<String> {
    head.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

fn backend(head: &Parts, state: &State) -> Command {
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", &state.root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", &state.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", percent_decoded(head.uri.path()))
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", head.method.as_str())
        .env("CONTENT_TYPE", header(head, "content-type").unwrap_or_default())
        .env("REMOTE_ADDR", "127.0.0.1");
    if let Some(encoding) = header(head, "content-encoding") {
        command.env("HTTP_CONTENT_ENCODING", encoding);
    }
    if let Some(protocol) = header(head, "git-protocol").filter(|_| !state.settings.old) {
        command.env("GIT_PROTOCOL", protocol);
    }
    command
}

async fn run(
    mut command: Command,
    body: Bytes,
    fault: Option<Fault>,
    state: &Arc<State>,
) -> Result<Answer, &'static str> {
    command.env("CONTENT_LENGTH", body.len().to_string());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::spawn(async move {
        let _ = stdin.write_all(&body).await;
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut answer = Response::builder();
    loop {
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        answer = match name {
            "Status" => answer.status(value[..3].parse::<u16>().unwrap()),
            _ => answer.header(name, value),
        };
    }
    if let Some(fault) = fault {
        let mut all = Vec::new();
        stdout.read_to_end(&mut all).await.unwrap();
        child.wait().await.unwrap();
        let Fault::Cut(length) = fault else { return Err("dropped after") };
        all.truncate(length);
        return Ok(answer.body(Full::from(all).boxed()).unwrap());
    }
    let (mut sender, channel) = Channel::<Bytes, Infallible>::new(4);
    let state = Arc::clone(state);
    tokio::spawn(async move {
        let mut child = child;
        let mut part = vec![0; 128 * 1024];
        while let Ok(read @ 1..) = stdout.read(&mut part).await {
            state.sent.fetch_add(read as u64, Ordering::Relaxed);
            if sender.send_data(Bytes::copy_from_slice(&part[..read])).await.is_err() {
                break;
            }
        }
        child.wait().await.unwrap();
    });
    Ok(answer.body(channel.boxed()).unwrap())
}

fn plain(status: u16, text: &'static str) -> Answer {
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", "text/plain")
        .header("www-authenticate", "Basic realm=\"git\"")
        .body(Full::from(text).boxed())
        .unwrap()
}

pub(crate) fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&rest[..2]).unwrap(), 16).unwrap());
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
