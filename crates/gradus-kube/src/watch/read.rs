//! Reads what an API server sends: pages of lists, events of watches, single objects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use kube::core::Request;
use kube::core::params::{GetParams, ListParams, WatchParams};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::home::Watch;
use super::packed;
use super::table::{Arrival, Version};
use super::wanted::{Keep, ObjectName};
use crate::clusters::Resource;
use crate::clusters::wire::{
    self, Fault, FaultKind, HttpRequest, OBJECT_BYTES, chain, fetch, in_time, is_name, open, parse,
};

/// How big a page of a list may be.
const PAGE_BYTES: usize = 64 << 20;

/// How much later than it should be over a watch is given up.
const LATE: Duration = Duration::from_secs(10);

/// A page of a list.
pub(super) struct Page {
    pub(super) arrivals: Vec<Arrival>,
    /// Where the list goes on.
    pub(super) next: Option<String>,
    /// What a watch goes on from.
    pub(super) position: String,
}

/// What a watch says.
pub(super) enum Event {
    /// An object is there.
    There(Arrival),
    /// An object is gone.
    Gone(ObjectName, Version),
    /// Nothing, but that everything up to a position was told.
    Mark,
}

/// Where objects are read from, and how.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) client: &'a Client,
    pub(super) resource: &'a Resource,
    pub(super) watch: &'a Watch,
}

impl Source<'_> {
    fn path(&self) -> String {
        self.resource.path(self.watch.key().namespace.as_deref())
    }

    /// Reads a page of the list of everything there is.
    pub(super) async fn page(&self, next: Option<&str>, limit: u32) -> Result<Page, Fault> {
        let mut params = ListParams::default().limit(limit);
        if let Some(next) = next {
            params = params.continue_token(next);
        }
        let request = built(Request::new(self.path()).list(&params))?;
        let bytes = fetch(self.client, request, PAGE_BYTES).await?;
        let page: WirePage = parse(&bytes)?;
        let mut arrivals = Vec::new();
        for item in page.items.unwrap_or_default() {
            let arrival = self.arrival(item.get())?;
            if arrival.bytes.is_some() {
                arrivals.push(arrival);
            }
        }
        let next = page.metadata.next.filter(|next| !next.is_empty());
        Ok(Page { arrivals, next, position: page.metadata.resource_version })
    }

    /// Reads one object; none if there is none of this name.
    pub(super) async fn one(&self, name: &ObjectName) -> Result<Option<Arrival>, Fault> {
        // No object can have such a name, and a path with it would lead elsewhere.
        let fits = |text: &Arc<str>| is_name(text);
        if !fits(&name.name) || !name.namespace.as_ref().is_none_or(fits) {
            return Ok(None);
        }
        let path = self.resource.path(name.namespace.as_deref());
        let request = built(Request::new(path).get(&name.name, &GetParams::default()))?;
        match fetch(self.client, request, OBJECT_BYTES).await {
            Ok(bytes) => {
                let text = std::str::from_utf8(&bytes).map_err(|_| not_text())?;
                Ok(Some(self.arrival(text)?))
            }
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Begins to watch from a position.
    pub(super) async fn watch(&self, position: &str, lasts: Duration) -> Result<Events, Fault> {
        let seconds = u32::try_from(lasts.as_secs()).unwrap_or(u32::MAX).max(1);
        let params = WatchParams { bookmarks: true, timeout: Some(seconds), ..WatchParams::default() };
        let request = built(Request::new(self.path()).watch(&params, position))?;
        let body = in_time(open(self.client, request)).await?;
        Ok(Events { body, buffer: BytesMut::new(), searched: 0, quiet: lasts + LATE })
    }

    /// Reads an object, and keeps of it what is kept if somebody wants it.
    fn arrival(&self, text: &str) -> Result<Arrival, Fault> {
        let head: Head = serde_json::from_str(text).map_err(|_| not_object())?;
        let Metadata { name, namespace, resource_version, labels } = head.metadata;
        let name = ObjectName { namespace: namespace.filter(|namespace| !namespace.is_empty()), name };
        let version = Version::read(&resource_version);
        let labels = labels.unwrap_or_default();
        let paths: Vec<Arc<str>> = {
            let table = self.watch.table();
            if !table.wants(&name, &labels) {
                return Ok(Arrival { name, version, labels, bytes: None });
            }
            table.paths().iter().cloned().collect()
        };
        let mut value: Value = serde_json::from_str(text).map_err(|_| not_object())?;
        if let Some(object) = value.as_object_mut() {
            // In a list the objects do not say what they are.
            object.insert("apiVersion".to_owned(), self.resource.api_version.as_str().into());
            object.insert("kind".to_owned(), self.resource.kind.as_str().into());
        }
        let bytes = shaped(value, self.watch.key().keep, &paths);
        Ok(Arrival { name, version, labels, bytes: Some(bytes) })
    }

    /// Reads an event; the position that it leads to comes with it.
    fn event(&self, line: &[u8]) -> Result<(Event, Option<String>), Fault> {
        let text = std::str::from_utf8(line).map_err(|_| not_text())?;
        let line: WireEvent<'_> = serde_json::from_str(text).map_err(|_| not_object())?;
        let object = line.object.get();
        match line.kind {
            "ADDED" | "MODIFIED" => {
                let position = position_of(object)?;
                Ok((Event::There(self.arrival(object)?), Some(position)))
            }
            "DELETED" => {
                let head: Head = serde_json::from_str(object).map_err(|_| not_object())?;
                let Metadata { name, namespace, resource_version, .. } = head.metadata;
                let name = ObjectName { namespace: namespace.filter(|text| !text.is_empty()), name };
                let version = Version::read(&resource_version);
                Ok((Event::Gone(name, version), Some(resource_version)))
            }
            "BOOKMARK" => Ok((Event::Mark, Some(position_of(object)?))),
            "ERROR" => {
                let status: WireStatus = serde_json::from_str(object).map_err(|_| not_object())?;
                Err(Fault::of_code(status.code, &status.message))
            }
            other => {
                let message = format!("the watch sent an event of the type {:?}", wire::clean(other));
                Err(Fault::new(FaultKind::Broken, message))
            }
        }
    }
}

/// The events of one watch request.
pub(super) struct Events {
    body: Body,
    buffer: BytesMut,
    searched: usize,
    /// How long nothing may come: a connection can die without a word.
    quiet: Duration,
}

impl Events {
    /// The next event, with the position that it leads to; none when the request is over.
    pub(super) async fn next(
        &mut self,
        source: &Source<'_>,
    ) -> Result<Option<(Event, Option<String>)>, Fault> {
        match self.line().await? {
            Some(line) => source.event(&line).map(Some),
            None => Ok(None),
        }
    }

    async fn line(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let end = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = self.buffer.split_to(self.searched + end).freeze();
                self.buffer.advance(1);
                self.searched = 0;
                if line.is_empty() {
                    continue;
                }
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > OBJECT_BYTES {
                let message = format!("an event is bigger than {OBJECT_BYTES} bytes");
                return Err(Fault::new(FaultKind::Broken, message));
            }
            let Ok(frame) = tokio::time::timeout(self.quiet, self.body.frame()).await else {
                let seconds = self.quiet.as_secs();
                return Err(Fault::new(FaultKind::Unreachable, format!("nothing came for {seconds} s")));
            };
            match frame {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(Fault::new(FaultKind::Unreachable, chain(&error))),
                None => return Ok(None),
            }
        }
    }
}

/// What is kept of an object.
pub(crate) fn shaped(mut object: Value, keep: Keep, paths: &[Arc<str>]) -> Arc<[u8]> {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if keep == Keep::Evidence {
            // Else whoever sees it would look again at every heartbeat of its controller.
            metadata.remove("resourceVersion");
        }
    }
    let kept = match keep {
        Keep::Whole => object,
        Keep::Evidence => {
            let paths: Vec<&str> = paths.iter().map(|path| &**path).collect();
            gradus_evidence::slim_keeping(object, &paths)
        }
    };
    packed::pack(&kept)
}

/// What is kept, read again.
pub(crate) fn value_of(bytes: &[u8]) -> Option<Value> {
    packed::unpack(bytes)
}

fn built(request: Result<http::Request<Vec<u8>>, kube::core::request::Error>) -> Result<HttpRequest, Fault> {
    request
        .map(|request| request.map(Body::from))
        .map_err(|error| Fault::new(FaultKind::Refused, chain(&error)))
}

fn position_of(object: &str) -> Result<String, Fault> {
    let mark: Mark = serde_json::from_str(object).map_err(|_| not_object())?;
    Ok(mark.metadata.resource_version)
}

fn not_text() -> Fault {
    Fault::new(FaultKind::Broken, "the answer is not UTF-8")
}

fn not_object() -> Fault {
    Fault::new(FaultKind::Broken, "the answer is no object as it should be")
}

#[derive(Deserialize)]
struct WirePage {
    metadata: PageMetadata,
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct WireEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct WireStatus {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Head {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Arc<str>,
    namespace: Option<Arc<str>>,
    #[serde(default)]
    resource_version: String,
    labels: Option<BTreeMap<Arc<str>, Arc<str>>>,
}

#[derive(Deserialize)]
struct Mark {
    metadata: MarkMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarkMetadata {
    resource_version: String,
}
