//! The filters of templates. None makes more than a text of bounded length.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Value};

/// The longest text that a filter gives.
const LONGEST: usize = 64 * 1024;
/// So many characters `short` leaves.
const SHORT: usize = 7;

/// What they are called.
pub(crate) const NAMES: [&str; 11] =
    ["default", "first", "join", "json", "last", "length", "lower", "replace", "short", "trim", "upper"];

/// Adds all of them.
pub(crate) fn add(to: &mut Environment<'_>) {
    to.add_filter("default", |value: Value, other: Value| if value.is_true() { value } else { other });
    to.add_filter("first", |value: Value| one(value.try_iter()?.next()));
    to.add_filter("last", |value: Value| one(value.try_iter()?.last()));
    to.add_filter("join", join);
    to.add_filter("json", json);
    to.add_filter("length", length);
    to.add_filter("lower", |text: String| bounded(text.to_lowercase()));
    to.add_filter("upper", |text: String| bounded(text.to_uppercase()));
    to.add_filter("replace", replace);
    to.add_filter("short", |text: String, most: Option<usize>| -> String {
        text.chars().take(most.unwrap_or(SHORT)).collect()
    });
    to.add_filter("trim", |text: String| text.trim().to_owned());
}

/// An empty list has nothing to give, and that is no mistake.
fn one(found: Option<Value>) -> Result<Value, Error> {
    Ok(found.unwrap_or_else(|| Value::from("")))
}

fn join(value: Value, between: Option<String>) -> Result<String, Error> {
    let between = between.unwrap_or_default();
    let mut joined = String::new();
    for (at, item) in value.try_iter()?.enumerate() {
        if at > 0 {
            joined.push_str(&between);
        }
        joined.push_str(&item.to_string());
        if joined.len() > LONGEST {
            return Err(too_long());
        }
    }
    Ok(joined)
}

/// A text or a list of texts as JSON, with its quotes.
fn json(value: Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return bounded(quoted(text));
    }
    if matches!(value.kind(), ValueKind::Bool | ValueKind::Number) {
        return Ok(value.to_string());
    }
    if value.kind() != ValueKind::Seq {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "only texts, lists of them and numbers become JSON",
        ));
    }
    let mut all = String::from("[");
    for (at, item) in value.try_iter()?.enumerate() {
        let separator = if at > 0 { ", " } else { "" };
        all.push_str(&format!("{separator}{}", quoted(&item.to_string())));
        if all.len() > LONGEST {
            return Err(too_long());
        }
    }
    all.push(']');
    Ok(all)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn length(value: Value) -> Result<usize, Error> {
    value.len().ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "only texts and lists have a length"))
}

fn replace(text: String, from: String, to: String) -> Result<String, Error> {
    // An empty text would be found between any two characters.
    let times = if from.is_empty() { return Ok(text) } else { text.matches(&from).count() };
    if text.len().saturating_add(times.saturating_mul(to.len())) > LONGEST {
        return Err(too_long());
    }
    Ok(text.replace(&from, &to))
}

fn bounded(text: String) -> Result<String, Error> {
    if text.len() > LONGEST { Err(too_long()) } else { Ok(text) }
}

fn too_long() -> Error {
    Error::new(ErrorKind::WriteFailure, "a filter makes too long a text")
}
