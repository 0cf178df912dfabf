//! Servers that take messages: they hold what they took, and refuse what the real ones would.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A message as it came.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) json: Value,
}

impl Taken {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let mut all = self.headers.iter().filter(|(known, _)| known == name);
        let first = all.next().map(|(_, value)| value.clone());
        assert!(all.next().is_none(), "{name} is there twice");
        first
    }

    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        self.json.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    }
}

/// What a server says.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Json(u16, String),
    /// A status, and how long to wait.
    Later(u16, u64),
    Hangup,
}

type Rule = fn(&Taken, usize) -> Said;

struct State {
    rule: Rule,
    taken: Mutex<Vec<Taken>>,
    next: Mutex<VecDeque<Said>>,
}

/// A server that takes messages.
pub(super) struct Double {
    url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Double {
    pub(super) async fn start(rule: Rule) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State { rule, taken: Mutex::default(), next: Mutex::default() });
        let task = tokio::spawn(accept(listener, state.clone()));
        Self { url, state, task }
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// What it says to the next message, which it does not take.
    pub(super) fn next(&self, said: Said) {
        self.state.next.lock().unwrap().push_back(said);
    }

    /// What it took.
    pub(super) fn taken(&self) -> Vec<Taken> {
        self.state.taken.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, state.clone()));
            // A connection that is hung up is one of the answers.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let headers = parts.headers.iter();
    let taken = Taken {
        path: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        json: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let next = state.next.lock().unwrap().pop_front();
    let said = match next {
        Some(said) => said,
        None => {
            let mut all = state.taken.lock().unwrap();
            let said = (state.rule)(&taken, all.len());
            if matches!(&said, Said::Json(200..=299, text) if !text.contains("\"ok\":false")) {
                all.push(taken);
            }
            said
        }
    };
    let builder = Response::builder();
    let response = match said {
        Said::Json(status, text) => builder.status(status).body(Full::from(text)),
        Said::Later(status, seconds) => {
            builder.status(status).header("Retry-After", seconds).body(Full::from("slow down"))
        }
        Said::Hangup => return Err(std::io::Error::other("hung up")),
    };
    Ok(response.unwrap())
}

/// Every field of an object that is there must be known, and those that must be there are.
fn fields(object: &Value, known: &[&str], needed: &[&str]) -> Result<(), String> {
    let all = object.as_object().ok_or_else(|| format!("no object: {object}"))?;
    if let Some(field) = all.keys().find(|field| !known.contains(&field.as_str())) {
        return Err(format!("{field} is not known"));
    }
    match needed.iter().find(|field| !all.contains_key(**field)) {
        Some(field) => Err(format!("{field} is missing")),
        None => Ok(()),
    }
}

fn refuse(why: String) -> Said {
    Said::Json(400, why)
}

/// Blocks as the reference of Block Kit describes them.
fn blocks(json: &Value) -> Result<(), String> {
    let blocks = json["blocks"].as_array().ok_or("no blocks")?;
    if blocks.is_empty() || blocks.len() > 50 {
        return Err("invalid_blocks".to_owned());
    }
    let text = |text: &Value| {
        fields(text, &["type", "text", "verbatim"], &["type", "text"])?;
        let length = text["text"].as_str().ok_or("no text")?.chars().count();
        if text["type"] != "mrkdwn" || length == 0 || length > 3000 {
            Err("invalid_blocks".to_owned())
        } else {
            Ok(())
        }
    };
    for block in blocks {
        match block["type"].as_str() {
            Some("section") => {
                fields(block, &["type", "text", "fields", "accessory", "block_id"], &["type"])?;
                text(&block["text"])?;
            }
            Some("context") => {
                fields(block, &["type", "elements", "block_id"], &["type", "elements"])?;
                block["elements"].as_array().ok_or("no elements")?.iter().try_for_each(text)?;
            }
            other => return Err(format!("invalid_blocks: {other:?}")),
        }
    }
    Ok(())
}

/// `chat.postMessage`: answers 200 and says in the body how it went.
pub(super) fn slack_api(taken: &Taken, count: usize) -> Said {
    let fails = |error: &str| Said::Json(200, json!({"ok": false, "error": error}).to_string());
    if taken.path != "/api/chat.postMessage" {
        return fails("unknown_method");
    }
    if taken.header("authorization").as_deref() != Some("Bearer xoxb-hunter2") {
        return fails("invalid_auth");
    }
    if taken.header("content-type").as_deref() != Some("application/json; charset=utf-8") {
        return fails("invalid_post_type");
    }
    const KNOWN: [&str; 7] =
        ["channel", "text", "blocks", "thread_ts", "unfurl_links", "unfurl_media", "metadata"];
    if let Err(why) = fields(&taken.json, &KNOWN, &["channel", "text"]).and_then(|()| blocks(&taken.json)) {
        return fails(&why);
    }
    let metadata = &taken.json["metadata"];
    if fields(metadata, &["event_type", "event_payload"], &["event_type", "event_payload"]).is_err() {
        return fails("metadata_must_be_valid");
    }
    if taken.json["channel"] != "#releases" {
        return fails("channel_not_found");
    }
    let ts = format!("1700000000.{count:06}");
    Said::Json(200, json!({"ok": true, "channel": "C0RELEASES", "ts": ts, "message": {}}).to_string())
}

/// An incoming webhook knows no threads.
pub(super) fn slack_webhook(taken: &Taken, _: usize) -> Said {
    if !taken.path.starts_with("/services/T0/B0/") {
        return Said::Json(404, "no_service".to_owned());
    }
    match fields(&taken.json, &["text", "blocks", "unfurl_links", "unfurl_media"], &["text"])
        .and_then(|()| blocks(&taken.json))
    {
        Ok(()) => Said::Json(200, "ok".to_owned()),
        Err(_) => Said::Json(400, "invalid_payload".to_owned()),
    }
}

/// A workflow of Teams takes what it does later.
pub(super) fn teams(taken: &Taken, _: usize) -> Said {
    let check = || -> Result<(), String> {
        fields(&taken.json, &["type", "attachments"], &["type", "attachments"])?;
        let [attachment] = taken.json["attachments"].as_array().ok_or("no attachments")?.as_slice() else {
            return Err("one attachment".to_owned());
        };
        fields(attachment, &["contentType", "contentUrl", "content"], &["contentType", "content"])?;
        if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" {
            return Err("no card".to_owned());
        }
        card(&attachment["content"])
    };
    match check() {
        Ok(()) if taken.json.to_string().len() < 28 * 1024 => Said::Json(202, String::new()),
        Ok(()) => Said::Json(413, String::new()),
        Err(why) => refuse(why),
    }
}

/// A card as the schema of Adaptive Cards 1.4 describes it, as far as it is used.
fn card(card: &Value) -> Result<(), String> {
    fields(
        card,
        &["$schema", "type", "version", "body", "actions", "msteams"],
        &["type", "version", "body"],
    )?;
    if card["type"] != "AdaptiveCard" || card["version"] != "1.4" {
        return Err("no card of 1.4".to_owned());
    }
    for element in card["body"].as_array().ok_or("no body")? {
        match element["type"].as_str() {
            Some("TextBlock") => fields(
                element,
                &["type", "text", "wrap", "weight", "size", "color", "spacing", "fontType"],
                &["text"],
            )?,
            Some("FactSet") => {
                for fact in element["facts"].as_array().ok_or("no facts")? {
                    fields(fact, &["title", "value"], &["title", "value"])?;
                }
            }
            other => return Err(format!("no element: {other:?}")),
        }
    }
    for action in card["actions"].as_array().into_iter().flatten() {
        fields(action, &["type", "title", "url"], &["type", "url"])?;
        if action["type"] != "Action.OpenUrl" {
            return Err("no action".to_owned());
        }
    }
    Ok(())
}

/// CDEvents 0.4.1 in CloudEvents 1.0, structured.
pub(super) fn cdevents(taken: &Taken, _: usize) -> Said {
    let check = || -> Result<(), String> {
        if taken.header("content-type").as_deref() != Some("application/cloudevents+json; charset=utf-8") {
            return Err("no CloudEvent".to_owned());
        }
        if taken.header("authorization").as_deref() != Some("Bearer hunter2") {
            return Err("who are you?".to_owned());
        }
        const OUTER: [&str; 8] =
            ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"];
        fields(&taken.json, &OUTER, &OUTER)?;
        super::shapes::cdevent(&taken.json["data"])?;
        // The CloudEvent around it says the same.
        for (outer, inner) in [
            ("id", "/context/id"),
            ("source", "/context/source"),
            ("type", "/context/type"),
            ("subject", "/subject/id"),
            ("time", "/context/timestamp"),
        ] {
            if Some(&taken.json[outer]) != taken.json["data"].pointer(inner) {
                return Err(format!("{outer} is not {inner}"));
            }
        }
        Ok(())
    };
    match check() {
        Ok(()) => Said::Json(202, String::new()),
        Err(why) => refuse(why),
    }
}

/// notification-controller, by its Event (event.toolkit.fluxcd.io/v1beta1).
pub(super) fn flux(taken: &Taken, _: usize) -> Said {
    const KNOWN: [&str; 8] = [
        "involvedObject",
        "severity",
        "timestamp",
        "message",
        "reason",
        "metadata",
        "reportingController",
        "reportingInstance",
    ];
    const NEEDED: [&str; 6] =
        ["involvedObject", "severity", "timestamp", "message", "reason", "reportingController"];
    let check = || -> Result<(), String> {
        fields(&taken.json, &KNOWN, &NEEDED)?;
        const OBJECT: [&str; 4] = ["apiVersion", "kind", "namespace", "name"];
        fields(&taken.json["involvedObject"], &OBJECT, &OBJECT)?;
        if !["info", "error"].contains(&taken.json["severity"].as_str().unwrap_or_default()) {
            return Err("severity".to_owned());
        }
        let time = taken.text("/timestamp").unwrap_or_default();
        if time.len() != "2026-11-16T14:10:30Z".len() {
            return Err(format!("{time} is no time"));
        }
        for (key, value) in taken.json["metadata"].as_object().ok_or("no metadata")? {
            if !key.starts_with("gradus.dev/") || !value.is_string() {
                return Err(format!("{key} is not kept"));
            }
        }
        Ok(())
    };
    match check() {
        Ok(()) => Said::Json(200, String::new()),
        Err(why) => refuse(why),
    }
}

/// Takes any JSON.
pub(super) fn anything(taken: &Taken, _: usize) -> Said {
    if taken.json.is_null() { refuse("no JSON".to_owned()) } else { Said::Json(200, "thanks".to_owned()) }
}
