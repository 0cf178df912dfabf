//! What a request is answered: a status and the exact words.

use std::borrow::Cow;

/// The answer to a request. What has no words has an empty body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Cow<'static, str>,
    /// Where the pull request is.
    pub location: Option<String>,
}

/// The words where something failed that is not the sender's concern.
pub const FAILED: &str = "error promoting application, please consult the promotion server's logs";
/// The words where the revision that is approved is not the one that waits.
pub const NOT_WAITING: &str = "failed approving promotion";
/// The words where an event names no revision.
pub const NO_REVISION: &str = "event has no 'revision' in the metadata field.";
/// The words where there is nothing at an address.
pub const NOTHING_HERE: &str = "404 page not found\n";

impl Answer {
    /// An answer without words.
    pub fn status(status: u16) -> Self {
        Self { status, body: Cow::Borrowed(""), location: None }
    }

    /// It cannot be done as it was asked.
    pub fn unprocessable(words: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 422, body: words.into(), location: None }
    }

    /// It failed here. Why is told in the log and to nobody else.
    pub fn failed() -> Self {
        Self { status: 500, body: Cow::Borrowed(FAILED), location: None }
    }

    /// There is nothing at this address.
    pub fn nothing_here() -> Self {
        Self { status: 404, body: Cow::Borrowed(NOTHING_HERE), location: None }
    }

    /// It was done; `location` is the pull request, where there is one.
    pub fn done(location: Option<String>) -> Self {
        match location.filter(|location| !location.is_empty()) {
            Some(location) => Self { status: 201, body: Cow::Borrowed(""), location: Some(location) },
            None => Self::status(204),
        }
    }
}

/// The text as it is shown in HTML, so that a browser takes nothing in it for markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\'' => safe.push_str("&#39;"),
            '"' => safe.push_str("&#34;"),
            plain => safe.push(plain),
        }
    }
    safe
}
