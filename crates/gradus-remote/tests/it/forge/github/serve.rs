//! A server that answers as GitHub does.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::hub::Hub;
use crate::server::percent_decoded;
use crate::trip::Trip;

/// So few things a page has, however many are asked for.
const PAGE: usize = 2;

/// What becomes of the next request of this method whose path ends so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// GitHub never sees it.
    LoseRequest,
    /// GitHub does it, and nobody is told.
    LoseAnswer,
    /// It fails on its way.
    Status(u16),
    /// Too much in a short time; the hour has room.
    Secondary,
}

/// A request, as a call takes it.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) parts: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) token: String,
}

impl Call {
    pub(super) fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(super) fn text(&self, member: &str) -> Option<String> {
        self.body[member].as_str().map(str::to_owned)
    }

    pub(super) fn names(&self, member: &str) -> Vec<String> {
        let all = self.body[member].as_array().into_iter().flatten();
        all.map(|name| name.as_str().unwrap().to_owned()).collect()
    }
}

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn of(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(super) fn says(status: u16, message: &str) -> Self {
        Self::of(status, json!({"message": message, "documentation_url": "https://docs.github.com/rest"}))
    }

    /// A refusal of what is written, as GitHub shapes it.
    pub(super) fn invalid(error: Value) -> Self {
        Self::of(422, json!({"message": "Validation Failed", "errors": [error]}))
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

pub(in crate::forge) struct Server {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    hub: Mutex<Hub>,
    faults: Mutex<Vec<(&'static str, &'static str, Fault)>>,
    seen: Mutex<Vec<String>>,
    trip: Arc<Trip>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(repo: PathBuf) -> Self {
        Self::tripped(repo, Arc::default()).await
    }

    /// Where whoever asks may be killed.
    pub(in crate::forge) async fn tripped(repo: PathBuf, trip: Arc<Trip>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hub = Mutex::new(Hub::new(repo, format!("http://127.0.0.1:{port}")));
        let shared = Arc::new(Shared { hub, faults: Mutex::default(), seen: Mutex::default(), trip });
        let state = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    let service = service_fn(move |request| serve(request, Arc::clone(&state)));
                    // A dropped connection is what is tested.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { port, shared, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.shared.hub.lock().unwrap()
    }

    pub(super) fn fault(&self, method: &'static str, end: &'static str, fault: Fault) {
        self.shared.faults.lock().unwrap().push((method, end, fault));
    }

    /// The calls since the last look, with their status. Fails if one was made that GitHub's description does not
    /// have.
    pub(super) fn calls(&self) -> Vec<String> {
        assert!(self.hub().wrong.is_empty(), "{:?}", self.hub().wrong);
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }
}

async fn serve(
    request: Request<Incoming>,
    state: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let trip = state.trip.clone();
    trip.stop().await;
    let answer = answer_to(request, state).await;
    trip.stop().await;
    answer
}

async fn answer_to(
    request: Request<Incoming>,
    state: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "the request broke")?.to_bytes();
    let (method, path) = (head.method.as_str().to_owned(), head.uri.path().to_owned());
    let header = |name: &str| {
        head.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let name = |status: u16| {
        let path = path.strip_prefix("/api/v3/").unwrap_or(&path);
        format!("{method} {} {status}", path.strip_prefix("repos/acme/fleet/").unwrap_or(path))
    };
    let fault = {
        let mut faults = state.faults.lock().unwrap();
        let is_it = |(of, end, _): &(&str, &str, Fault)| method == *of && path.ends_with(end);
        faults.iter().position(is_it).map(|at| faults.remove(at).2)
    };
    let early = match fault {
        Some(Fault::LoseRequest) => return Err("lost"),
        Some(Fault::Status(status)) => Some(Reply::says(status, "Server Error")),
        Some(Fault::Secondary) => {
            let words =
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            Some(Reply::says(403, words).with("retry-after", "1"))
        }
        Some(Fault::LoseAnswer) | None => None,
    };
    let mut reply = match early {
        Some(reply) => reply,
        None => {
            let mut hub = state.hub.lock().unwrap();
            // Other programs still say it as it was before; both are taken.
            let media = if header("user-agent").starts_with("gradus") { "+json" } else { "." };
            for (name, expected) in [
                ("accept", &*format!("application/vnd.github{media}")),
                ("x-github-api-version", "2022-11-28"),
            ] {
                if !header(name).starts_with(expected) {
                    hub.wrong.push(format!("{method} {path}: {name} is {:?}", header(name)));
                }
            }
            if header("user-agent").is_empty() {
                hub.wrong.push(format!("{method} {path}: no user agent"));
            }
            let below = path.strip_prefix("/api/v3/").or(path.strip_prefix("/api/")).unwrap_or("not-api");
            let query = head.uri.query().unwrap_or_default();
            let pairs = query.split('&').filter_map(|part| part.split_once('='));
            let call = Call {
                method: method.clone(),
                parts: below.split('/').map(percent_decoded).collect(),
                query: pairs.map(|(name, value)| (percent_decoded(name), percent_decoded(value))).collect(),
                body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() },
                token: header("authorization").strip_prefix("Bearer ").unwrap_or_default().to_owned(),
            };
            let mut reply = hub.answer(&call);
            let number = call.query("page").parse().unwrap_or(1);
            if method == "GET"
                && reply.status == 200
                && let Some(last) = paged(&mut reply.body, &call, number)
                && last > 1
            {
                let others = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("page="));
                let others: String = others.map(|part| format!("{part}&")).collect();
                let of =
                    |rel: &str, to: usize| format!("<{}{path}?{others}page={to}>; rel=\"{rel}\"", hub.url);
                let before = (number > 1).then(|| [of("prev", number - 1), of("first", 1)]);
                let after = (number < last).then(|| [of("next", number + 1), of("last", last)]);
                let links: Vec<String> = before.into_iter().chain(after).flatten().collect();
                reply.headers.push(("link", links.join(", ")));
            }
            reply
        }
    };
    for (name, value) in [
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4900"),
        ("x-ratelimit-reset", "4000000000"),
    ] {
        reply.headers.push((name, value.to_owned()));
    }
    let mut hasher = DefaultHasher::new();
    reply.body.to_string().hash(&mut hasher);
    let tag = format!("W/\"{:x}\"", hasher.finish());
    if method == "GET" && reply.status == 200 {
        reply.headers.push(("etag", tag.clone()));
        if header("if-none-match") == tag {
            (reply.status, reply.body) = (304, Value::Null);
        }
    }
    state.seen.lock().unwrap().push(name(reply.status));
    if fault == Some(Fault::LoseAnswer) {
        return Err("lost");
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let text = if reply.body.is_null() { String::new() } else { reply.body.to_string() };
    response.body(Full::from(text)).map_err(|_| "no answer can be made")
}

/// Keeps one page of what is a list, or has one. Says how many there are.
fn paged(body: &mut Value, call: &Call, page: usize) -> Option<usize> {
    let list = match body {
        Value::Array(list) => list,
        Value::Object(members) => {
            let found =
                members.iter_mut().find(|(name, _)| ["statuses", "check_runs"].contains(&name.as_str()));
            let Some((_, Value::Array(list))) = found else { return None };
            list
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    let each = call.query("per_page").parse().unwrap_or(30).clamp(1, PAGE);
    let last = list.len().div_ceil(each);
    let (start, end) = (((page - 1) * each).min(list.len()), (page * each).min(list.len()));
    *list = list[start..end].to_vec();
    Some(last)
}
