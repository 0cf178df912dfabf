//! What is wrong with one value, in words.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::Found;
use crate::error::{ManifestErrorKind, Trouble};
use crate::nearest::did_you_mean;
use crate::yaml::{Content, Document, NodeId, Path, Plain, Segment};

/// What is wrong with one value. The value is known only on the way up.
#[derive(Debug)]
pub(super) struct Fault {
    what: What,
    place: Option<Location>,
}

#[derive(Debug)]
struct Location {
    node: NodeId,
    field: String,
    /// The value as people would call it.
    subject: String,
}

#[derive(Debug)]
pub(super) enum What {
    /// It should be something else.
    Expected(String),
    /// It is not one of these.
    NotOneOf { found: String, of: &'static [&'static str] },
    /// It lacks this field.
    Missing(&'static str),
    /// It is wrong for a reason of its own.
    Other(Trouble),
    /// All of the document together is too much.
    Budget(usize),
    /// It cannot be read because of a mistake that has been told of.
    Told,
}

impl Fault {
    pub(super) fn new(what: What) -> Self {
        Self { what, place: None }
    }

    pub(super) fn node(&self) -> Option<NodeId> {
        self.place.as_ref().map(|place| place.node)
    }

    /// States the value at fault, unless one inside it has been stated.
    pub(super) fn at(mut self, document: &Document<'_>, node: NodeId, path: &Path<'_>) -> Self {
        let field = match &self.what {
            What::Missing(field) => path.field(field).to_string(),
            What::Expected(_) | What::NotOneOf { .. } | What::Other(_) | What::Budget(_) | What::Told => {
                path.to_string()
            }
        };
        self.place.get_or_insert_with(|| Location { node, field, subject: subject(document, node, path) });
        self
    }

    /// The field that is missing, when the value itself lacks it.
    pub(super) fn missing_here(&self) -> Option<&'static str> {
        match (&self.what, &self.place) {
            (What::Missing(field), None) => Some(field),
            (What::Missing(_), Some(_))
            | (
                What::Expected(_) | What::NotOneOf { .. } | What::Other(_) | What::Budget(_) | What::Told,
                None | Some(_),
            ) => None,
        }
    }

    pub(super) fn is_fatal(&self) -> bool {
        matches!(self.what, What::Budget(_))
    }

    /// The mistake in words; `None` when it has been told of.
    pub(super) fn told(self, document: &Document<'_>) -> Option<Found> {
        let Location { node, field, subject } = self.place?;
        let trouble = match self.what {
            What::Told => return None,
            What::Other(trouble) => trouble,
            What::Budget(limit) => Trouble::new(
                ManifestErrorKind::TooLarge,
                format!("with its aliases followed, the document has more than {limit} values"),
            ),
            What::Missing(missing) => {
                Trouble::new(ManifestErrorKind::MissingField, format!("{subject} needs {missing:?}"))
            }
            What::Expected(what) => Trouble::new(
                ManifestErrorKind::WrongType,
                format!("{subject} must be {what}, found {}", describe(document, node)),
            )
            .maybe_help(help(document, node, &what)),
            What::NotOneOf { found, of } => Trouble::new(
                ManifestErrorKind::Value,
                format!("{subject} must be one of {}, found {}", of.join(", "), quoted(&found)),
            )
            .maybe_help(did_you_mean(&found, of.iter().copied())),
        };
        Some(Found { at: document.at(node), field, trouble })
    }
}

/// A text from a file in quotes, cut to a readable length.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() > LONGEST {
        let short: String = text.chars().take(LONGEST).collect();
        format!("{short:?}…")
    } else {
        format!("{text:?}")
    }
}

fn subject(document: &Document<'_>, node: NodeId, path: &Path<'_>) -> String {
    match path.split() {
        None => "the document".to_owned(),
        Some((_, Segment::Field(name))) => quoted(name),
        Some((parent, Segment::Item(at))) => {
            let list = match parent.split() {
                Some((_, Segment::Field(name))) => format!(" of {}", quoted(name)),
                Some((_, Segment::Item(_))) | None => String::new(),
            };
            match document.get(node, "name").and_then(|name| document.text(name)) {
                Some(name) => format!("item {}{list}", quoted(name)),
                None => format!("item {}{list}", at + 1),
            }
        }
    }
}

fn describe(document: &Document<'_>, node: NodeId) -> String {
    match document.node(document.resolve(node)).map(|node| &node.content) {
        Some(Content::Plain(text)) => match Plain::of(text) {
            Plain::Null => "nothing".to_owned(),
            Plain::Bool(truth) => truth.to_string(),
            Plain::Unsigned(_) | Plain::Signed(_) | Plain::Float(_) => {
                format!("the number {}", text.chars().take(40).collect::<String>())
            }
            Plain::Text => format!("the text {}", quoted(text)),
        },
        Some(Content::Text(text)) => format!("the text {}", quoted(text)),
        Some(Content::List(_)) => "a list".to_owned(),
        Some(Content::Mapping(_)) => "a mapping".to_owned(),
        Some(Content::Alias(_)) | None => "nothing".to_owned(),
    }
}

/// What to write instead, where that is plain to see.
fn help(document: &Document<'_>, node: NodeId, expected: &str) -> Option<String> {
    let Some(Content::Plain(text)) = document.node(document.resolve(node)).map(|node| &node.content) else {
        return None;
    };
    match Plain::of(text) {
        Plain::Unsigned(_) if expected.starts_with("a duration") => {
            Some(format!("add a unit: {text}s, {text}m or {text}h"))
        }
        Plain::Bool(_) | Plain::Unsigned(_) | Plain::Signed(_) | Plain::Float(_)
            if expected.starts_with("a text") || expected.starts_with("a version") =>
        {
            Some(format!("quote it: {}", quoted(text)))
        }
        Plain::Null if expected == "a list" => Some("write [] for none, or leave it out".to_owned()),
        Plain::Text if expected == "true or false" => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" => Some("write true".to_owned()),
            "no" | "off" | "n" => Some("write false".to_owned()),
            _ => None,
        },
        Plain::Null
        | Plain::Bool(_)
        | Plain::Unsigned(_)
        | Plain::Signed(_)
        | Plain::Float(_)
        | Plain::Text => None,
    }
}

/// Serde's names for types, in the words of people who write YAML.
fn words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" => "a text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number, 0 or more".to_owned(),
        _ => text,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Other(Trouble::value(message.to_string())))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(What::Expected(words(expected)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(What::Expected(words(expected)))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(What::Expected(words(expected)))
    }

    fn unknown_variant(found: &str, of: &'static [&'static str]) -> Self {
        Self::new(What::NotOneOf { found: found.to_owned(), of })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing(field))
    }
}
