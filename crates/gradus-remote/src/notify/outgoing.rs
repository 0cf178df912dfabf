//! A request to whoever takes messages, as a value.

use std::fmt;

use crate::Secret;

/// A POST that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// What is being done, for errors. Never holds a secret.
    pub doing: String,
    pub(super) url: Url,
    /// What the body is.
    pub content_type: &'static str,
    /// Headers; none of them secret.
    pub headers: Vec<(String, String)>,
    /// The `Authorization` header.
    pub authorization: Option<Secret>,
    /// The body.
    pub body: String,
}

/// An address, which may be a secret as a whole.
#[derive(Debug, Clone)]
pub(super) enum Url {
    Plain(String),
    Secret(Secret),
}

/// What JSON is called.
pub(super) const JSON: &str = "application/json";

impl Outgoing {
    /// A request to an address that everybody may read.
    pub(super) fn to(url: &str, body: String) -> Self {
        Self::at(Url::Plain(url.to_owned()), url, body)
    }

    /// A request to an address that is a secret: only its host is told.
    pub(super) fn to_secret(url: &Secret, body: String) -> Self {
        Self::at(Url::Secret(url.clone()), url.expose(), body)
    }

    fn at(url: Url, text: &str, body: String) -> Self {
        Self {
            doing: format!("sending a message to {}", host(text)),
            url,
            content_type: JSON,
            headers: Vec::new(),
            authorization: None,
            body,
        }
    }

    /// Where it goes.
    pub(super) fn url(&self) -> &str {
        match &self.url {
            Url::Plain(url) => url,
            Url::Secret(url) => url.expose(),
        }
    }
}

/// As a person reads it, without what is secret.
impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
            Url::Plain(url) => writeln!(f, "POST {}", url.split(['?', '#']).next().unwrap_or_default())?,
            Url::Secret(url) => writeln!(f, "POST {}/***", host(url.expose()))?,
        }
        writeln!(f, "content-type: {}", self.content_type)?;
        if self.authorization.is_some() {
            writeln!(f, "authorization: ***")?;
        }
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        writeln!(f, "\n{}", self.body)
    }
}

/// The scheme and the host of an address; nothing where it is none.
fn host(url: &str) -> String {
    let whole = || {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        // A user and a password may stand before the host.
        let host = host.rsplit('@').next()?;
        Some(format!("{scheme}://{host}"))
    };
    whole().unwrap_or_else(|| "an address that is none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_address_is_not_shown() {
        let secret = Secret::new("https://hooks.slack.com/services/T0/B0/hunter2");
        let request = Outgoing::to_secret(&secret, "{}".to_owned());
        let shown = format!("{request}{request:?}{}", request.doing);
        assert!(shown.contains("https://hooks.slack.com"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("T0"), "{shown}");
        assert_eq!(host("https://user:hunter2@example.com/path"), "https://example.com");
        assert_eq!(host("hunter2"), "an address that is none");
    }
}
