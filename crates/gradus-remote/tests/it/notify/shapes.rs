//! Every message to every receiver, as it is sent; and the shapes of CDEvents.

use gradus_core::notification::{Mail, MailTls, Receiver};
use serde_json::Value;

use super::words::{news, notification};
use super::{messengers, secret};

/// What the schemas of CDEvents 0.4.1 ask of the types that are sent: the type, its subject, and the members of its
/// content, those that have to be there first.
const EVENTS: [(&str, &str, &[&str], &[&str]); 6] = [
    ("dev.cdevents.change.created.0.3.0", "change", &[], &["description", "repository"]),
    ("dev.cdevents.change.updated.0.2.0", "change", &[], &["repository"]),
    ("dev.cdevents.change.merged.0.2.0", "change", &[], &["repository"]),
    ("dev.cdevents.service.deployed.0.2.0", "service", &["environment", "artifactId"], &[]),
    ("dev.cdevents.service.rolledback.0.2.0", "service", &["environment", "artifactId"], &[]),
    (
        "dev.cdevents.incident.detected.0.2.0",
        "incident",
        &["environment"],
        &["description", "service", "artifactId"],
    ),
];

/// Whether something is an event as its schema says.
pub(super) fn cdevent(event: &Value) -> Result<(), String> {
    let members = |object: &Value, needed: &[&str], known: &[&str]| -> Result<(), String> {
        let all = object.as_object().ok_or_else(|| format!("no object: {object}"))?;
        for field in needed {
            all.get(*field).ok_or_else(|| format!("{field} is missing"))?;
        }
        match all.keys().find(|key| !needed.contains(&key.as_str()) && !known.contains(&key.as_str())) {
            Some(key) => Err(format!("{key} is not known")),
            None => Ok(()),
        }
    };
    members(event, &["context", "subject"], &["customData", "customDataContentType"])?;
    let (context, subject) = (&event["context"], &event["subject"]);
    members(context, &["version", "id", "source", "type", "timestamp"], &["chainId", "links", "schemaUri"])?;
    members(subject, &["id", "type", "content"], &["source"])?;
    if context["version"] != "0.4.1" {
        return Err("another version".to_owned());
    }
    let of = EVENTS.iter().find(|(of, ..)| context["type"] == *of);
    let Some((_, kind, needed, known)) = of else { return Err(format!("no type {}", context["type"])) };
    if subject["type"] != *kind {
        return Err(format!("{} is about no {}", context["type"], subject["type"]));
    }
    members(&subject["content"], needed, known)?;
    for reference in ["environment", "repository", "service"] {
        if let Some(object) = subject["content"].get(reference) {
            members(object, &["id"], &["source", "name", "url"])?;
        }
    }
    match subject["content"].get("artifactId").and_then(Value::as_str) {
        Some(purl) if !purl.starts_with("pkg:") => Err(format!("{purl} is no package URL")),
        _ => Ok(()),
    }
}

#[test]
fn every_message_is_as_it_was() {
    let url = "https://events.example.com/in";
    let receivers = [
        (
            "slack",
            Receiver::Slack { channel: Some("#releases".into()), url: None, secret: "apps/team".into() },
        ),
        ("teams", Receiver::Teams { secret: "apps/team".into() }),
        (
            "webhook",
            Receiver::Webhook {
                url: Some(url.into()),
                headers: Default::default(),
                template: None,
                secret: None,
            },
        ),
        ("cdevents", Receiver::CdEvents { url: url.into(), secret: None }),
        ("flux", Receiver::FluxEvents { url: url.into(), secret: None }),
        (
            "email",
            Receiver::Email(Box::new(Mail {
                to: vec!["Release managers <releases@example.com>".into(), "ada@example.com".into()],
                from: "gradus <gradus@example.com>".into(),
                host: "mail.example.com".into(),
                port: 587,
                tls: MailTls::StartTls,
                secret: Some("apps/team".into()),
            })),
        ),
    ];
    let secrets = secret(&[
        ("token", "xoxb-hunter2"),
        ("address", "https://workflows.example.com/hunter2"),
        ("username", "gradus"),
        ("password", "hunter2"),
    ]);
    for (name, to) in receivers {
        let (to, mut text) = (notification(to), String::new());
        for news in news() {
            let prepared = messengers(&secrets).prepare(&to, &news, None).unwrap().to_string();
            text.push_str(&format!("## {}\n{}\n", news.kind.word(), pretty(&prepared)));
        }
        assert!(!text.contains("hunter2"), "{text}");
        insta::assert_snapshot!(format!("messages_{name}"), text);
    }
}

/// A request with its JSON in lines.
fn pretty(request: &str) -> String {
    let Some((head, body)) = request.split_once("\n\n") else { return request.to_owned() };
    match serde_json::from_str::<Value>(body) {
        Ok(json) => format!("{head}\n\n{}\n", serde_json::to_string_pretty(&json).unwrap()),
        Err(_) => request.to_owned(),
    }
}
