//! Any address: everything that is known as JSON, or what a template makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::news::News;
use gradus_core::notification::Notification;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_engine::short;

use super::facts::facts;
use super::keys::Keys;
use super::outgoing::{JSON, Outgoing};

/// What a person wrote of it.
pub(super) struct Shape<'a> {
    pub(super) url: Option<&'a str>,
    pub(super) headers: &'a BTreeMap<Arc<str>, Arc<str>>,
    pub(super) template: Option<&'a str>,
}

/// The message, as a request. Its header `idempotency-key` is the same however often it is sent.
pub(super) fn request(
    of: &Notification,
    shape: &Shape<'_>,
    keys: &Keys,
    news: &News,
) -> Result<Outgoing, PortError> {
    let body = match shape.template {
        None => facts(news).to_string(),
        Some(template) => gradus_template::message(template, news).map_err(|error| {
            let doing = format!("making the message of notification {}", of.key);
            let failed = PortError::because(PortErrorKind::Unusable, doing, error.to_string());
            match error.hint {
                Some(hint) => failed.with_hint(hint),
                None => failed,
            }
        })?,
    };
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
    let request = match shape.url {
        Some(url) => Outgoing::to(url, body),
        None => Outgoing::to_secret(keys.address(of)?, body),
    };
    let mut headers = vec![("idempotency-key".to_owned(), short(&news.key).to_string())];
    let ours = |name: &str| {
        name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("idempotency-key")
    };
    headers.extend(
        shape
            .headers
            .iter()
            .filter(|(name, _)| !ours(name))
            .map(|(name, value)| (name.to_string(), value.to_string())),
    );
    let content_type = if is_json { JSON } else { "text/plain; charset=utf-8" };
    Ok(Outgoing { headers, content_type, authorization: keys.authorization(), ..request })
}
