//! Reads objects of which nothing can be taken for granted.

use jiff::Timestamp;
use serde_json::Value;

use crate::words::{clause, tidy};

/// A piece of JSON that may or may not be what it should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doc<'a>(&'a Value);

impl<'a> Doc<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// What is at this path of keys, with `/` between them.
    pub(crate) fn at(self, path: &str) -> Option<Doc<'a>> {
        path.split('/').try_fold(self.0, |value, key| value.get(key)).map(Doc)
    }

    /// A text that is not empty.
    pub(crate) fn text(self, path: &str) -> Option<&'a str> {
        self.at(path)?.0.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn int(self, path: &str) -> Option<i64> {
        self.at(path)?.0.as_i64()
    }

    /// Whether it says `true` there.
    pub(crate) fn flag(self, path: &str) -> bool {
        self.at(path).is_some_and(|doc| doc.0.as_bool() == Some(true))
    }

    pub(crate) fn time(self, path: &str) -> Option<Timestamp> {
        self.text(path)?.parse().ok()
    }

    /// The items of a list; none where there is no list.
    pub(crate) fn items(self, path: &str) -> impl Iterator<Item = Doc<'a>> + use<'a> {
        self.at(path).and_then(|doc| doc.0.as_array()).into_iter().flatten().map(Doc)
    }

    /// The fields of an object; none where there is no object.
    pub(crate) fn fields(self, path: &str) -> impl Iterator<Item = (&'a str, Doc<'a>)> + use<'a> {
        self.at(path)
            .and_then(|doc| doc.0.as_object())
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), Doc(value)))
    }

    /// The text or number at a JSON pointer.
    pub(crate) fn scalar(self, pointer: &str) -> Option<String> {
        match self.0.pointer(pointer)? {
            Value::String(text) => Some(tidy(text)).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// What it is itself, where it is a text.
    pub(crate) fn as_text(self) -> Option<&'a str> {
        self.0.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn generation(self) -> Option<i64> {
        self.int("metadata/generation")
    }

    pub(crate) fn created(self) -> Option<Timestamp> {
        self.time("metadata/creationTimestamp")
    }

    pub(crate) fn is_deleting(self) -> bool {
        self.text("metadata/deletionTimestamp").is_some()
    }

    /// A label, whose key may have a `/` in it.
    pub(crate) fn label(self, key: &str) -> Option<&'a str> {
        self.at("metadata/labels")?.0.get(key)?.as_str()
    }

    /// An annotation, whose key may have a `/` in it.
    pub(crate) fn annotation(self, key: &str) -> Option<&'a str> {
        self.at("metadata/annotations")?.0.get(key)?.as_str()
    }

    /// One of `status.conditions`.
    pub(crate) fn condition(self, kind: &'static str) -> Option<Condition<'a>> {
        let found = self.items("status/conditions").find(|item| item.text("type") == Some(kind))?;
        let status = match found.text("status")? {
            "True" => Status::True,
            "False" => Status::False,
            _ => Status::Unknown,
        };
        Some(Condition {
            kind,
            status,
            reason: found.text("reason").unwrap_or_default(),
            message: found.text("message").unwrap_or_default(),
            since: found.time("lastTransitionTime"),
            updated: found.time("lastUpdateTime"),
            generation: found.int("observedGeneration"),
        })
    }
}

/// What a condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    True,
    False,
    /// `Unknown`, or anything else.
    Unknown,
}

/// One of an object's conditions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition<'a> {
    pub(crate) kind: &'static str,
    pub(crate) status: Status,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    pub(crate) since: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) generation: Option<i64>,
}

impl Condition<'_> {
    pub(crate) fn is_true(&self) -> bool {
        self.status == Status::True
    }

    pub(crate) fn is_false(&self) -> bool {
        self.status == Status::False
    }

    /// Whether it may speak of this generation: it says so, or says of none.
    pub(crate) fn may_be_of(&self, generation: i64) -> bool {
        self.generation.is_none_or(|of| of >= generation)
    }

    /// As in `Ready=True (UpgradeSucceeded)`.
    pub(crate) fn says(&self) -> String {
        let status = match self.status {
            Status::True => "True",
            Status::False => "False",
            Status::Unknown => "Unknown",
        };
        if self.reason.is_empty() {
            format!("{}={status}", self.kind)
        } else {
            format!("{}={status} ({})", self.kind, tidy(self.reason))
        }
    }

    /// Its message, or else its reason.
    pub(crate) fn words(&self) -> String {
        let words = clause(self.message);
        if words.is_empty() { self.says() } else { words }
    }
}
