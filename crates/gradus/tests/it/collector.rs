//! A collector of traces: takes OTLP over HTTP and keeps the spans, or does not.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

/// How a collector takes what is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It keeps it.
    Well,
    /// It says that it failed.
    Failing,
    /// It reads, and never answers.
    Silent,
}

/// A collector, which ends with the test program.
pub(crate) struct Collector {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    spans: Vec<Span>,
    resources: Vec<Vec<KeyValue>>,
    /// Every request as it came: its head, and its body as text where it is.
    raw: String,
    requests: usize,
}

impl Collector {
    pub(crate) fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let keeping = kept.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = keeping.clone();
                std::thread::spawn(move || while take(&stream, mood, &kept).is_some() {});
            }
        });
        Self { address, kept }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often something was sent to it.
    pub(crate) fn requests(&self) -> usize {
        self.kept.lock().unwrap().requests
    }

    /// Everything that was sent to it, but for what is no text.
    pub(crate) fn raw(&self) -> String {
        self.kept.lock().unwrap().raw.clone()
    }

    /// Who sent spans.
    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        attributes(self.kept.lock().unwrap().resources.first().map(Vec::as_slice).unwrap_or_default())
    }

    /// The trees of spans whose roots have this name, each as lines, in the order in which they began. A span
    /// whose parent was not sent is a root.
    pub(crate) fn trees(&self, root: &str) -> Vec<String> {
        let spans = self.kept.lock().unwrap().spans.clone();
        let is_root = |span: &&Span| !spans.iter().any(|other| other.span_id == span.parent_span_id);
        let mut roots: Vec<&Span> = spans.iter().filter(is_root).filter(|span| span.name == root).collect();
        roots.sort_by_key(|span| span.start_time_unix_nano);
        let tree = |root: &&Span| {
            let mut text = String::new();
            write(&mut text, root, &spans, 0);
            text
        };
        roots.iter().map(tree).collect()
    }

    /// The ids of the parents of the spans with this name.
    pub(crate) fn parents(&self, name: &str) -> Vec<String> {
        let spans = self.kept.lock().unwrap().spans.clone();
        let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let named = spans.iter().filter(|span| span.name == name);
        named.map(|span| format!("{} {}", hex(&span.trace_id), hex(&span.parent_span_id))).collect()
    }
}

fn write(text: &mut String, span: &Span, all: &[Span], depth: usize) {
    let kind = match span.kind() {
        SpanKind::Client => " (client)",
        SpanKind::Server => " (server)",
        SpanKind::Unspecified | SpanKind::Internal | SpanKind::Producer | SpanKind::Consumer => "",
    };
    let failed = if span.status.as_ref().is_some_and(|status| status.code == 2) { " FAILED" } else { "" };
    let attributes: String =
        attributes(&span.attributes).iter().map(|(name, value)| format!(" {name}={value}")).collect();
    text.push_str(&format!("{}{}{kind}{failed}{attributes}\n", "  ".repeat(depth), span.name));
    let mut children: Vec<&Span> = all.iter().filter(|other| other.parent_span_id == span.span_id).collect();
    children.sort_by_key(|span| span.start_time_unix_nano);
    for child in children {
        assert_eq!(child.trace_id, span.trace_id, "a child is in the trace of its parent");
        write(text, child, all, depth + 1);
    }
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    };
    all.iter().map(|pair| (pair.key.clone(), text(&pair.value))).collect()
}

/// Takes one request of a connection.
fn take(mut stream: &TcpStream, mood: Mood, kept: &Mutex<Kept>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
        let line = head[start..].trim_end().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut now = kept.lock().unwrap();
    now.requests += 1;
    now.raw.push_str(&head);
    now.raw.push_str(&String::from_utf8_lossy(&body));
    let status = match mood {
        Mood::Silent => {
            drop(now);
            // Until the other side goes away.
            let _gone = stream.read(&mut [0]);
            return None;
        }
        Mood::Failing => "500 Internal Server Error",
        Mood::Well => {
            for resource in ExportTraceServiceRequest::decode(body.as_slice()).unwrap().resource_spans {
                now.resources.extend(resource.resource.map(|resource| resource.attributes));
                now.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
            "200 OK"
        }
    };
    drop(now);
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").ok()
}
