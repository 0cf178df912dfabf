//! Flux's notification-controller: an [event](https://fluxcd.io/flux/components/notification/events/) about the Pipeline
//! object, which its Alerts and Providers pass on.

use gradus_core::news::{News, NewsKind};
use serde_json::{Map, Value, json};

use super::keys::Keys;
use super::outgoing::Outgoing;

/// Keys of metadata carry the group of the object, and are shown without it.
const GROUP: &str = "gradus.dev";

/// The event, as a request.
pub(super) fn request(url: &str, keys: &Keys, news: &News) -> Outgoing {
    let mut metadata = Map::new();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            metadata.insert(format!("{GROUP}/{key}"), value.into());
        }
    };
    add("environment", news.environment.as_ref().map(ToString::to_string));
    add("version", news.release.as_ref().map(ToString::to_string));
    add("from", news.from.as_ref().map(ToString::to_string));
    add("revision", news.commit.as_ref().map(ToString::to_string));
    add("proposal", news.proposal.map(|number| number.to_string()));
    add("url", news.url.as_deref().map(str::to_owned));
    let message: Vec<&str> = std::iter::once(&news.title).chain(&news.details).map(String::as_str).collect();
    let body = json!({
        "involvedObject": {
            "apiVersion": format!("{GROUP}/v1alpha1"),
            "kind": "Pipeline",
            "namespace": news.pipeline.namespace.as_str(),
            "name": news.pipeline.name.as_str(),
        },
        "severity": if news.kind.is_bad() { "error" } else { "info" },
        "timestamp": time(news),
        "message": message.join("\n"),
        "reason": reason(news.kind),
        "metadata": Value::Object(metadata),
        "reportingController": "gradus",
    });
    Outgoing { authorization: keys.authorization(), ..Outgoing::to(url, body.to_string()) }
}

/// Times of Kubernetes have whole seconds.
fn time(news: &News) -> String {
    news.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn reason(kind: NewsKind) -> &'static str {
    match kind {
        NewsKind::Proposed => "Proposed",
        NewsKind::Waiting => "Waiting",
        NewsKind::Promoted => "Promoted",
        NewsKind::Deployed => "Deployed",
        NewsKind::Failed => "Failed",
        NewsKind::RolledBack => "RolledBack",
        NewsKind::HoldEnds => "HoldEnds",
    }
}
