//! A request as a value: made without sending it, so that it can be looked at.

use std::fmt;

use serde::Serialize;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Takes away.
    Delete,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it changes nothing.
    pub fn is_read(self) -> bool {
        match self {
            Self::Get => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }
}

/// A request below the address of a forge's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is being done, in words that fit behind "cannot".
    pub doing: String,
    /// The method.
    pub method: Method,
    /// The path, with its slash and what must be escaped escaped.
    pub path: String,
    /// The query, not escaped yet.
    pub query: Vec<(&'static str, String)>,
    /// Headers besides those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// The body: JSON, with its members in their order.
    pub body: Option<String>,
}

impl Request {
    /// A request for what is at a path made of these parts. Each part is escaped, also its slashes.
    pub fn new(method: Method, doing: impl Into<String>, parts: &[&str]) -> Self {
        let mut path = String::new();
        for part in parts {
            path.push('/');
            path.push_str(&escaped(part));
        }
        Self { doing: doing.into(), method, path, query: Vec::new(), headers: Vec::new(), body: None }
    }

    /// With a member of the query.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        // The bodies are structs of text, numbers and lists, which are always JSON.
        self.body = serde_json::to_string(body).ok();
        self
    }

    /// The path and the query, as they are sent.
    pub fn target(&self) -> String {
        let mut target = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.push_str(&escaped(name));
            target.push('=');
            target.push_str(&escaped(value));
        }
        target
    }
}

/// As a person reads it.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method.as_str(), self.target())?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        match &self.body {
            Some(body) => writeln!(f, "{body}"),
            None => Ok(()),
        }
    }
}

/// Text as a part of a path or a query: everything but letters, digits and `-._~` is escaped.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
