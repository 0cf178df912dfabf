//! The way from the root of a document to a field.

use std::fmt;

/// A field path, made on the way down and kept on the stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'p> {
    step: Option<(&'p Path<'p>, Segment<'p>)>,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment<'p> {
    Field(&'p str),
    Item(usize),
}

impl<'p> Path<'p> {
    pub(crate) const ROOT: Path<'static> = Path { step: None };

    pub(crate) fn field(&'p self, name: &'p str) -> Self {
        Self { step: Some((self, Segment::Field(name))) }
    }

    pub(crate) fn item(&'p self, at: usize) -> Self {
        Self { step: Some((self, Segment::Item(at))) }
    }

    pub(crate) fn split(&self) -> Option<(&'p Path<'p>, Segment<'p>)> {
        self.step
    }

    /// The path without the places in lists, such as `spec.environments[].after`.
    pub(crate) fn level(&self) -> String {
        match self.split() {
            None => String::new(),
            Some((parent, Segment::Item(_))) => format!("{}[]", parent.level()),
            Some((parent, Segment::Field(name))) => join(parent.level(), name),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.split() {
            None => Ok(()),
            Some((parent, Segment::Item(at))) => write!(f, "{parent}[{at}]"),
            Some((parent, Segment::Field(name))) => f.write_str(&join(parent.to_string(), name)),
        }
    }
}

fn join(parent: String, name: &str) -> String {
    const LONGEST: usize = 80;
    let simple = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let short: String = name.chars().take(LONGEST).collect();
    match (simple, parent.is_empty()) {
        (true, true) => short,
        (true, false) => format!("{parent}.{short}"),
        (false, true | false) => format!("{parent}[{short:?}]"),
    }
}
