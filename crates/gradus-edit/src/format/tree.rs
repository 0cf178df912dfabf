//! Values by key and index, with the bytes they came from.

use std::ops::Range;

use crate::nearest::nearest;
use crate::refusal::{Missing, RefusalKind};
use crate::walk::shorten;
use crate::{FieldPath, Step};

/// How many keys or values a refusal lists.
const LISTED: usize = 8;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Table(Vec<(String, Tree)>),
    List(Vec<Tree>),
    Leaf(Leaf),
}

/// A single value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    pub(super) sort: Sort,
    /// What the value means, without quotes and escapes.
    pub(super) text: String,
    /// The value as it is written.
    pub(super) span: Range<usize>,
}

/// What a value is to the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Text,
    Integer,
    Float,
    Bool,
    Date,
}

type NotThere = (RefusalKind, Option<usize>);

impl Tree {
    /// The one value at a path, and its path by keys and indices; or why there is none and where, with
    /// bytes for lines.
    pub(super) fn find(&self, path: &FieldPath) -> Result<(&Leaf, FieldPath), NotThere> {
        let mut at = self;
        let mut steps = Vec::new();
        for (index, step) in path.steps().iter().enumerate() {
            let next = at.step(path, index)?;
            steps.push(match (at, step) {
                (Self::List(elements), _) => {
                    Step::Index(elements.iter().position(|one| std::ptr::eq(one, next)).unwrap_or_default())
                }
                (Self::Table(_) | Self::Leaf(_), step) => step.clone(),
            });
            at = next;
        }
        match at {
            Self::Leaf(leaf) => Ok((leaf, FieldPath::new(steps))),
            Self::Table(_) => {
                Err((RefusalKind::NotScalar { path: path.clone(), what: "a table" }, at.start()))
            }
            Self::List(_) => Err((RefusalKind::NotScalar { path: path.clone(), what: "a list" }, at.start())),
        }
    }

    /// The value at a path, if there is one.
    pub(super) fn get(&self, path: &FieldPath) -> Option<&Leaf> {
        self.find(path).ok().map(|(leaf, _)| leaf)
    }

    fn step(&self, path: &FieldPath, index: usize) -> Result<&Self, NotThere> {
        let walked = || FieldPath::new(path.steps().iter().take(index).cloned());
        let here = || FieldPath::new(path.steps().iter().take(index + 1).cloned());
        let missing = |missing| {
            let kind =
                RefusalKind::NotFound { path: path.clone(), found: walked(), missing: Box::new(missing) };
            Err((kind, self.start()))
        };
        let Some(step) = path.steps().get(index) else { return Ok(self) };
        match (self, step) {
            (Self::Table(entries), Step::Key(key)) => {
                let found: Vec<&Self> =
                    entries.iter().filter(|(name, _)| name == key).map(|(_, tree)| tree).collect();
                match found.as_slice() {
                    [one] => Ok(one),
                    [] => missing(no_key(entries, key)),
                    several => {
                        let lines = several.iter().filter_map(|tree| tree.start()).collect();
                        let at = several.first().and_then(|tree| tree.start());
                        Err((RefusalKind::DuplicateKey { path: here(), lines }, at))
                    }
                }
            }
            (Self::List(elements), Step::Index(wanted)) => match elements.get(*wanted) {
                Some(element) => Ok(element),
                None => missing(Missing::Index { index: *wanted, length: elements.len() }),
            },
            (Self::List(elements), Step::Key(key)) => {
                match FieldPath::index(key).map(|index| (index, elements.get(index))) {
                    Some((_, Some(element))) => Ok(element),
                    Some((index, None)) => missing(Missing::Index { index, length: elements.len() }),
                    None => missing(other("a list", step)),
                }
            }
            (Self::List(elements), Step::Where { field, value }) => {
                let found: Vec<&Self> =
                    elements.iter().filter(|element| element.field(field) == Some(value)).collect();
                match found.as_slice() {
                    [one] => Ok(one),
                    [] => missing(no_element(elements, field, value)),
                    several => {
                        let lines = several.iter().filter_map(|tree| tree.start()).collect();
                        Err((RefusalKind::ManyElements { path: here(), lines }, self.start()))
                    }
                }
            }
            (Self::Table(_), step) => missing(other("a table", step)),
            (Self::Leaf(_), step) => missing(other("a single value", step)),
        }
    }

    fn field(&self, field: &str) -> Option<&String> {
        match self {
            Self::Table(entries) => match &entries.iter().find(|(name, _)| name == field)?.1 {
                Self::Leaf(leaf) => Some(&leaf.text),
                Self::Table(_) | Self::List(_) => None,
            },
            Self::List(_) | Self::Leaf(_) => None,
        }
    }

    fn first(&self) -> Option<&Leaf> {
        match self {
            Self::Table(entries) => entries.iter().find_map(|(_, tree)| tree.first()),
            Self::List(elements) => elements.iter().find_map(Self::first),
            Self::Leaf(leaf) => Some(leaf),
        }
    }

    fn start(&self) -> Option<usize> {
        self.first().map(|leaf| leaf.span.start)
    }

    /// Makes nothing of a value, named by keys and indices, so that the rest can be compared.
    pub(super) fn forget(&mut self, path: &FieldPath) {
        let mut at = self;
        for step in path.steps() {
            let next = match (at, step) {
                (Self::Table(entries), Step::Key(key)) => {
                    entries.iter_mut().find(|(name, _)| name == key).map(|(_, tree)| tree)
                }
                (Self::List(elements), Step::Index(index)) => elements.get_mut(*index),
                (Self::Table(_) | Self::List(_) | Self::Leaf(_), _) => None,
            };
            let Some(next) = next else { return };
            at = next;
        }
        if let Self::Leaf(leaf) = at {
            leaf.text = String::new();
            leaf.sort = Sort::Text;
        }
    }

    /// Whether both hold the same, wherever it is written.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Table(these), Self::Table(those)) => {
                these.len() == those.len()
                    && these.iter().zip(those).all(|(this, that)| this.0 == that.0 && this.1.same(&that.1))
            }
            (Self::List(these), Self::List(those)) => {
                these.len() == those.len() && these.iter().zip(those).all(|(this, that)| this.same(that))
            }
            (Self::Leaf(this), Self::Leaf(that)) => this.sort == that.sort && this.text == that.text,
            (Self::Table(_) | Self::List(_) | Self::Leaf(_), _) => false,
        }
    }
}

fn no_key(entries: &[(String, Tree)], key: &str) -> Missing {
    let keys = || entries.iter().map(|(name, _)| name.as_str());
    Missing::Key {
        key: key.to_owned(),
        nearest: nearest(key, keys()).map(str::to_owned),
        more: entries.len().saturating_sub(LISTED),
        keys: keys().take(LISTED).map(shorten).collect(),
    }
}

fn no_element(elements: &[Tree], field: &str, value: &str) -> Missing {
    let values = || elements.iter().filter_map(|element| element.field(field)).map(String::as_str);
    Missing::Element {
        field: field.to_owned(),
        value: value.to_owned(),
        nearest: nearest(value, values()).map(str::to_owned),
        values: values().take(LISTED).map(shorten).collect(),
    }
}

fn other(what: &'static str, step: &Step) -> Missing {
    let step = match step {
        Step::Key(key) => format!("key {key}"),
        Step::Index(_) | Step::Where { .. } => step.to_string(),
    };
    Missing::Collection { what, step }
}
