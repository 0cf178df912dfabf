//! Slack: an incoming webhook, or a bot that calls
//! [chat.postMessage](https://docs.slack.dev/reference/methods/chat.postMessage), which alone has threads.

use std::time::Duration;

use gradus_core::news::News;
use gradus_core::notification::Notification;
use gradus_engine::port::notify::{Again, Receipt, SendError};
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_engine::short;
use serde_json::{Value, json};

use super::facts::{about, cut};
use super::keys::{Keys, lacks};
use super::outgoing::Outgoing;
use super::refused;
use crate::http::Answer;

const API: &str = "https://slack.com/api";
/// The longest text of a block.
const BLOCK: usize = 3000;
/// Words of the API for what may go better later.
const LATER: [&str; 7] = [
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
];

/// The message, as a request.
pub(super) fn request(
    of: &Notification,
    channel: Option<&str>,
    url: Option<&str>,
    keys: &Keys,
    news: &News,
    thread: Option<&str>,
) -> Result<Outgoing, PortError> {
    let mut body = json!({
        "text": escaped(&news.title),
        "blocks": blocks(news),
        "unfurl_links": false,
        "unfurl_media": false,
    });
    if keys.token.is_none() {
        let address = keys.address.as_ref().ok_or_else(|| lacks(of, "token` or `address"))?;
        return Ok(Outgoing::to_secret(address, body.to_string()));
    }
    let Some(channel) = channel else {
        let doing = format!("telling notification {}", of.key);
        return Err(PortError::because(PortErrorKind::Unusable, doing, "it does not say to which channel")
            .with_hint("a bot's token needs `channel`: the name of a channel, or its id"));
    };
    body["channel"] = channel.into();
    body["metadata"] = json!({
        "event_type": format!("gradus_{}", news.kind.word().replace('-', "_")),
        "event_payload": {"id": &*short(&news.key)},
    });
    if let Some(thread) = thread {
        body["thread_ts"] = thread.into();
    }
    let api = url.unwrap_or(API).trim_end_matches('/');
    let authorization = keys.authorization();
    Ok(Outgoing {
        authorization,
        content_type: "application/json; charset=utf-8",
        ..Outgoing::to(&format!("{api}/chat.postMessage"), body.to_string())
    })
}

/// The API answers 200 and says in the body how it went; a webhook answers `ok`.
pub(super) fn outcome(request: &Outgoing, keys: &Keys, answer: &Answer) -> Result<Receipt, SendError> {
    if answer.status != 200 {
        return Err(refused(request, keys, answer, None));
    }
    if keys.token.is_none() {
        return Ok(Receipt { thread: None, answer: super::said(keys, answer) });
    }
    let said: Value = serde_json::from_slice(&answer.bytes).unwrap_or(Value::Null);
    let text = |field: &str| said.get(field).and_then(Value::as_str);
    if said.get("ok").and_then(Value::as_bool) == Some(true) {
        let place = text("channel").map_or_else(String::new, |channel| format!(" in {channel}"));
        return Ok(Receipt { thread: text("ts").map(Into::into), answer: format!("ok{place}") });
    }
    let Some(error) = text("error") else {
        return Err(refused(request, keys, answer, Some("what is no answer of Slack's API")));
    };
    let error = keys.blot(error);
    let (kind, again) = if LATER.contains(&error.as_str()) {
        let wanted = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
        (PortErrorKind::Unreachable, Again::After(wanted.map(Duration::from_secs)))
    } else {
        (PortErrorKind::Denied, Again::Never)
    };
    let failed = PortError::because(kind, request.doing.clone(), format!("Slack says {error}"));
    let failed = match hint(&error) {
        Some(hint) => failed.with_hint(hint),
        None => failed,
    };
    Err(SendError { error: failed, again })
}

fn hint(error: &str) -> Option<&'static str> {
    match error {
        "channel_not_found" => Some("check `channel`; a private one has to be given by a bot that is in it"),
        "not_in_channel" => Some("invite the bot into the channel, or give it the scope chat:write.public"),
        "is_archived" => Some("the channel is archived: name another one"),
        "missing_scope" => Some("give the bot the scope chat:write"),
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            Some("put a bot's token that is valid (xoxb-...) into the Secret as `token`")
        }
        _ => None,
    }
}

fn blocks(news: &News) -> Value {
    let section =
        |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": cut(&text, BLOCK)}});
    let title = escaped(&news.title);
    let sign = if news.kind.is_bad() { ":warning: " } else { "" };
    let details: String = news.details.iter().map(|line| format!("\n{}", escaped(line))).collect();
    let mut blocks = vec![section(format!("{sign}*{title}*{details}"))];
    if !news.can.is_empty() {
        let can: String = news.can.iter().map(|line| format!("\n{}", command(line))).collect();
        blocks.push(section(format!("You can:{can}")));
    }
    let place = match (&news.url, news.proposal) {
        (Some(url), Some(number)) => format!("{} · <{url}|proposal {number}>", escaped(&about(news))),
        (_, _) => escaped(&about(news)),
    };
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": cut(&place, BLOCK)}]}));
    Value::Array(blocks)
}

/// A command stands out; other advice is words.
fn command(line: &str) -> String {
    let escaped = escaped(line);
    if line.starts_with("gradus ") { format!("`{escaped}`") } else { format!("• {escaped}") }
}

/// Three characters mean something; all others are what they are.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
