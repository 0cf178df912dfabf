//! Takes requests for a forge that is not one.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::call::{Asked, Call, Reply};
use super::tells;
use super::world::{Review, World};
use crate::server::percent_decoded;
use crate::trip::Trip;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forge) enum Who {
    /// The account of gradus.
    Gradus,
    /// The same, with a token that may only read.
    Reader,
    /// Nobody whom the forge knows.
    Nobody,
}

/// A kind of forge.
pub(in crate::forge) struct Kind {
    pub(in crate::forge) name: &'static str,
    pub(in crate::forge) calls: &'static [Call],
    /// The value of the `Authorization` header.
    pub(in crate::forge) authorization: fn(Who) -> &'static str,
    /// What an account is called of whom this is the name.
    pub(in crate::forge) account: fn(&str) -> String,
    /// The address of the repository, at this server.
    pub(in crate::forge) repository: fn(&str) -> String,
    /// How the path ends at which proposals are listed and opened.
    pub(in crate::forge) list_end: &'static str,
    /// Members of answers that clients send back with what they change, and that the forge does not look at.
    pub(super) ignored: &'static [&'static str],
    /// Calls that gradus has no use for, and without which other programs cannot begin.
    pub(super) others: &'static [Call],
    pub(super) answer: fn(&mut World, &Asked) -> Reply,
    /// What is said to who is not known, and to who may only read.
    pub(super) unknown: fn() -> Reply,
    pub(super) denied: fn() -> Reply,
}

/// What becomes of the next request whose path ends so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forge) enum Fault {
    /// The forge never sees it.
    LoseRequest,
    /// The forge does it, and nobody is told.
    LoseAnswer,
    /// The forge has not got to it.
    Status(u16),
    /// Too much was asked.
    Limited,
}

struct Shared {
    kind: &'static Kind,
    url: String,
    world: Mutex<World>,
    faults: Mutex<Vec<(&'static str, &'static str, Fault)>>,
    seen: Mutex<Vec<(&'static str, u16)>>,
    refused: Mutex<Vec<String>>,
    trip: Arc<Trip>,
}

pub(in crate::forge) struct Double {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Double {
    pub(in crate::forge) async fn start(kind: &'static Kind) -> Self {
        Self::tripped(kind, Arc::default()).await
    }

    /// Where whoever asks may be killed.
    pub(in crate::forge) async fn tripped(kind: &'static Kind, trip: Arc<Trip>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            kind,
            url: format!("http://127.0.0.1:{}", address.port()),
            world: Mutex::new(World::new()),
            faults: Mutex::default(),
            seen: Mutex::default(),
            refused: Mutex::default(),
            trip,
        });
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
        Self { shared, task }
    }

    pub(in crate::forge) fn kind(&self) -> &'static Kind {
        self.shared.kind
    }

    pub(in crate::forge) fn url(&self) -> &str {
        &self.shared.url
    }

    /// The address of the repository, as people have it.
    pub(in crate::forge) fn repository(&self) -> String {
        (self.shared.kind.repository)(&self.shared.url)
    }

    pub(in crate::forge) fn commit(&self, branch: &str, on: &str, file: &str, text: &str) -> String {
        self.world(|world| {
            let parent = world.git.tip(on);
            world.git.write(branch, parent.as_deref(), file, text)
        })
    }

    pub(in crate::forge) fn tip_of(&self, branch: &str) -> Option<String> {
        self.world(|world| world.git.tip(branch))
    }

    pub(in crate::forge) fn file_of(&self, branch: &str, file: &str) -> Option<String> {
        self.world(|world| world.git.file(branch, file))
    }

    pub(in crate::forge) fn parents_of(&self, commit: &str) -> usize {
        self.world(|world| world.git.parents(commit))
    }

    pub(in crate::forge) fn retitled(&self, number: u64, title: &str) {
        self.world(|world| {
            world.pull(number).unwrap().title = title.to_owned();
            world.touch(number);
        });
    }

    /// Ann approves what she sees.
    pub(in crate::forge) fn approved(&self, number: u64) {
        self.reviewed(number, true);
    }

    /// Ann approves what she sees, or does not.
    pub(in crate::forge) fn reviewed(&self, number: u64, approved: bool) {
        self.world(|world| {
            world.look();
            let at = world.now();
            let pull = world.pull(number).unwrap();
            let commit = pull.head.clone();
            pull.reviews.push(Review { by: "ann", approved, commit, at });
            world.touch(number);
        });
    }

    pub(in crate::forge) fn approvals(&self, needed: usize) {
        self.world(|world| world.approvals = needed);
    }

    /// Eve opens one from a repository of her own.
    pub(in crate::forge) fn forked(&self, source: &str, target: &str) -> u64 {
        self.world(|world| {
            if world.git.tip(source).is_none() {
                let parent = world.git.tip(target);
                world.git.write(source, parent.as_deref(), "evil", "666");
            }
            let pull = world.open(source, target, "web 2 to prod", "");
            (pull.fork, pull.by) = (true, "eve");
            pull.number
        })
    }

    /// Main is for others to merge into.
    pub(in crate::forge) fn guarded(&self) {
        self.world(|world| world.guarded = true);
    }

    pub(in crate::forge) fn archived(&self) {
        self.world(|world| world.archived = true);
    }

    /// The runs of automation: on which branch, and with which variables.
    pub(in crate::forge) fn runs(&self) -> Vec<(String, Vec<(String, String)>)> {
        self.world(|world| world.runs.clone())
    }

    /// From now on nobody may set variables of a run.
    pub(in crate::forge) fn without_variables(&self) {
        self.world(|world| world.no_variables = true);
    }

    /// The folder in which `fleet.git` is.
    pub(in crate::forge) fn git_root(&self) -> PathBuf {
        self.world(|world| world.git.root().to_owned())
    }

    pub(in crate::forge) fn message_of(&self, commit: &str) -> String {
        self.world(|world| world.git.message(commit))
    }

    /// So many looks find the forge thinking about whether Git can merge.
    pub(in crate::forge) fn thinks(&self, looks: usize) {
        self.world(|world| world.thinking = looks);
    }

    /// So many lists do not show what is opened from now on.
    pub(in crate::forge) fn lists_lag(&self, lists: usize) {
        self.world(|world| world.stale_lists = lists);
    }

    fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.world.lock().unwrap())
    }

    pub(in crate::forge) fn fault(&self, method: &'static str, end: &'static str, fault: Fault) {
        self.shared.faults.lock().unwrap().push((method, end, fault));
    }

    /// The calls since the last look and what was answered, by name. Fails if one was refused that the description
    /// does not have.
    pub(in crate::forge) fn seen(&self) -> Vec<(&'static str, u16)> {
        let refused = self.shared.refused.lock().unwrap();
        assert!(refused.is_empty(), "{}: {refused:?}", self.kind().name);
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }
}

/// The calls of a kind that were made, and those that never were.
pub(in crate::forge) fn coverage(kind: &Kind, seen: &BTreeSet<&'static str>) -> (String, Vec<&'static str>) {
    let calls = || kind.calls.iter().chain(tells::calls(kind));
    let missed = calls().map(|call| call.name).filter(|name| !seen.contains(name)).collect();
    let made = calls().filter(|call| seen.contains(call.name)).count();
    let mut text = format!("{}: {made} of {} calls\n", kind.name, calls().count());
    for call in calls() {
        text.push_str(&format!("  {:<32} {:<6} {}  ({})\n", call.name, call.method, call.path, call.page));
    }
    (text, missed)
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
    let (method, path) = (head.method.as_str(), head.uri.path().to_owned());
    let header = |name: &str| {
        head.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let fault = {
        let mut faults = state.faults.lock().unwrap();
        let is_it =
            |(of, end, _): &(&str, &str, Fault)| method == *of && percent_decoded(&path).ends_with(end);
        faults.iter().position(is_it).map(|at| faults.remove(at).2)
    };
    match fault {
        Some(Fault::LoseRequest) => return Err("lost"),
        Some(Fault::Status(status)) => return Ok(response(&Reply::of(status, Value::Null), None)),
        Some(Fault::Limited) => {
            let mut reply = Reply::of(429, Value::Null);
            reply.headers.push(("retry-after", "0".to_owned()));
            return Ok(response(&reply, None));
        }
        Some(Fault::LoseAnswer) | None => {}
    }
    let mut query: Vec<(String, String)> = head.uri.query().map_or_else(Vec::new, |query| {
        let member = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (percent_decoded(name), percent_decoded(&value.replace('+', " ")))
        };
        query.split('&').filter(|part| !part.is_empty()).map(member).collect()
    });
    // Azure DevOps takes it either way.
    if let Some((_, version)) = header("accept").split_once(";api-version=") {
        query.push(("api-version".to_owned(), version.to_owned()));
    }
    let json: Value = match body.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&body).map_err(|_| "the body is no JSON")?,
    };
    let calls = state.kind.calls.iter().chain(tells::calls(state.kind)).chain(state.kind.others);
    let call = { calls }.find_map(|call| Some((call, call.matches(method, &path)?)));
    let unknown = match &call {
        Some((call, _)) => call.unknown(&query, &json, state.kind.ignored),
        None => Some(format!("there is no call {method} {path}")),
    };
    if let Some(why) = unknown {
        state.refused.lock().unwrap().push(why);
        return Ok(response(&Reply::of(400, serde_json::json!({"message": "unknown"})), None));
    }
    let (call, parts) = call.unwrap();
    let authorization = header("authorization");
    let mut who = [Who::Gradus, Who::Reader].into_iter();
    let who = who.find(|who| (state.kind.authorization)(*who) == authorization);
    let reply = match who {
        None => (state.kind.unknown)(),
        Some(Who::Reader) if !matches!(method, "GET" | "OPTIONS") => (state.kind.denied)(),
        Some(who) => {
            let mut world = state.world.lock().unwrap();
            world.look();
            let url = state.url.clone();
            let asked = Asked { name: call.name, parts, query, body: json, who, url, path };
            let told = tells::answer(state.kind, &world, &asked);
            told.unwrap_or_else(|| (state.kind.answer)(&mut world, &asked))
        }
    };
    // As before, if it is.
    let mut hasher = DefaultHasher::new();
    reply.body.to_string().hash(&mut hasher);
    let tag = format!("W/\"{:x}\"", hasher.finish());
    let is_before = method == "GET" && reply.status == 200 && header("if-none-match") == tag;
    state.seen.lock().unwrap().push((call.name, if is_before { 304 } else { reply.status }));
    if fault == Some(Fault::LoseAnswer) {
        return Err("lost");
    }
    if is_before {
        return Ok(response(&Reply { status: 304, body: Value::Null, ..reply }, Some(&tag)));
    }
    let tag = (method == "GET" && reply.status == 200).then_some(&*tag);
    Ok(response(&reply, tag))
}

fn response(reply: &Reply, tag: Option<&str>) -> Response<Full<Bytes>> {
    let (kind, text) = match &reply.body {
        Value::Null => ("application/json", String::new()),
        // A page for people.
        Value::String(page) => ("text/html", page.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            ("application/json", reply.body.to_string())
        }
    };
    let mut response = Response::builder().status(reply.status).header("content-type", kind);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if let Some(tag) = tag {
        response = response.header("etag", tag);
    }
    response.body(Full::from(text)).unwrap()
}
