//! Microsoft Teams: a workflow that is started by a webhook takes a message with an
//! [Adaptive Card](https://adaptivecards.io/explorer/).

use gradus_core::news::News;
use gradus_core::notification::Notification;
use gradus_engine::port::PortError;
use gradus_engine::port::notify::{Again, Receipt, SendError};
use serde_json::{Value, json};

use super::facts::cut;
use super::keys::Keys;
use super::outgoing::Outgoing;
use super::{outcome as by_status, refused};
use crate::http::Answer;

/// A message has to stay below 28 KB.
const TEXT: usize = 2000;

/// The message, as a request.
pub(super) fn request(of: &Notification, keys: &Keys, news: &News) -> Result<Outgoing, PortError> {
    let body = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card(news),
        }],
    });
    Ok(Outgoing::to_secret(keys.address(of)?, body.to_string()))
}

/// Some addresses answer 200 and tell of the failure behind them in the text.
pub(super) fn outcome(request: &Outgoing, keys: &Keys, answer: &Answer) -> Result<Receipt, SendError> {
    let text = String::from_utf8_lossy(&answer.bytes);
    if answer.status == 200 && text.contains("HTTP error") {
        let failed = refused(request, keys, answer, None);
        return Err(SendError { again: Again::After(None), ..failed });
    }
    by_status(request, keys, answer)
}

fn card(news: &News) -> Value {
    let line =
        |text: &str| json!({"type": "TextBlock", "text": cut(text, TEXT), "wrap": true, "spacing": "Small"});
    let mut title = json!({
        "type": "TextBlock", "text": cut(&news.title, TEXT), "wrap": true, "weight": "Bolder", "size": "Medium",
    });
    if news.kind.is_bad() {
        title["color"] = "Attention".into();
    }
    let mut body = vec![title];
    body.extend(news.details.iter().map(|text| line(text)));
    let facts: Vec<Value> = [
        ("Pipeline", Some(news.pipeline.to_string())),
        ("Environment", news.environment.as_ref().map(ToString::to_string)),
        ("Version", news.release.as_ref().map(ToString::to_string)),
        ("Before", news.from.as_ref().map(ToString::to_string)),
    ]
    .into_iter()
    .filter_map(|(title, value)| Some(json!({"title": title, "value": cut(&value?, TEXT)})))
    .collect();
    body.push(json!({"type": "FactSet", "facts": facts}));
    for command in &news.can {
        let mut line = line(command);
        if command.starts_with("gradus ") {
            line["fontType"] = "Monospace".into();
        }
        body.push(line);
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    });
    if let Some(url) = &news.url {
        let title = news.proposal.map_or_else(|| "Open".to_owned(), |number| format!("Proposal {number}"));
        card["actions"] = json!([{"type": "Action.OpenUrl", "title": title, "url": &**url}]);
    }
    card
}
