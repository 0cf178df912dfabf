//! [CDEvents](https://cdevents.dev) 0.4.1, as CloudEvents in the structured mode of HTTP.

use gradus_core::news::{News, NewsKind};
use gradus_engine::short;
use serde_json::{Value, json};

use super::facts::facts;
use super::keys::Keys;
use super::outgoing::Outgoing;
use crate::forge::request::escaped;

/// The version of the specification.
const VERSION: &str = "0.4.1";

/// The event, as a request. Its id is the same however often it is sent.
pub(super) fn request(url: &str, keys: &Keys, news: &News) -> Outgoing {
    let data = event(news);
    let part = |pointer: &str| data.pointer(pointer).cloned().unwrap_or_default();
    let body = json!({
        "specversion": "1.0",
        "id": part("/context/id"),
        "source": part("/context/source"),
        "type": part("/context/type"),
        "subject": part("/subject/id"),
        "time": part("/context/timestamp"),
        "datacontenttype": "application/json",
        "data": data,
    });
    Outgoing {
        content_type: "application/cloudevents+json; charset=utf-8",
        authorization: keys.authorization(),
        ..Outgoing::to(url, body.to_string())
    }
}

fn event(news: &News) -> Value {
    let source = format!("/gradus/{}", news.pipeline);
    let environment = news.environment.as_ref().map_or("all", |name| name.as_str());
    let service = news.pipeline.to_string();
    let change = match (news.proposal, &news.commit) {
        (Some(number), _) => number.to_string(),
        (None, Some(commit)) => commit.to_string(),
        (None, None) => short(&news.thread).to_string(),
    };
    let repository = json!({"id": &*news.repository, "source": &*news.repository});
    let (of, version, subject, id, content) = match news.kind {
        NewsKind::Proposed | NewsKind::Waiting | NewsKind::HoldEnds => (
            // Nothing else says that somebody is asked, and a change is what it is about.
            if news.kind == NewsKind::Proposed { "change.created" } else { "change.updated" },
            if news.kind == NewsKind::Proposed { "0.3.0" } else { "0.2.0" },
            "change",
            change,
            match news.kind == NewsKind::Proposed {
                true => json!({"description": news.title, "repository": repository}),
                false => json!({"repository": repository}),
            },
        ),
        NewsKind::Promoted => ("change.merged", "0.2.0", "change", change, json!({"repository": repository})),
        NewsKind::Deployed => (
            "service.deployed",
            "0.2.0",
            "service",
            service,
            json!({"environment": {"id": environment}, "artifactId": artifact(news)}),
        ),
        NewsKind::RolledBack => (
            "service.rolledback",
            "0.2.0",
            "service",
            service,
            json!({"environment": {"id": environment}, "artifactId": artifact(news)}),
        ),
        NewsKind::Failed => (
            "incident.detected",
            "0.2.0",
            "incident",
            short(&news.key).to_string(),
            json!({
                "description": news.title,
                "environment": {"id": environment},
                "service": {"id": service},
                "artifactId": artifact(news),
            }),
        ),
    };
    json!({
        "context": {
            "version": VERSION,
            "id": &*short(&news.key),
            "source": source,
            "type": format!("dev.cdevents.{of}.{version}"),
            "timestamp": news.at.to_string(),
        },
        "subject": {"id": id, "source": source, "type": subject, "content": content},
        "customData": facts(news),
        "customDataContentType": "application/json",
    })
}

/// A package URL. What kind of package it is is not known here.
fn artifact(news: &News) -> String {
    let mut versions = news.release.iter().flat_map(|release| release.versions());
    match (versions.next(), versions.next()) {
        (Some((name, version)), None) => format!("pkg:generic/{name}@{}", escaped(version.as_str())),
        (_, _) => {
            let all = news.release.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("pkg:generic/{}@{}", news.pipeline.name, escaped(&all))
        }
    }
}
