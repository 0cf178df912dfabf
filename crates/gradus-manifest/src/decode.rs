//! From a document to the types that are read, with every mistake in it.
//!
//! Serde stops at the first mistake. So the value with the mistake is taken out
//! and the document is read again, until nothing new is found.

mod access;
mod fault;
mod value;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use crate::error::{ManifestErrorKind, Trouble};
use crate::levels::Levels;
pub(crate) use fault::quoted;

use crate::yaml::{At, Content, Document, NodeId, Path};
use value::Value;

/// The most mistakes told of in one document.
const MAX_FOUND: usize = 50;
/// How many values are looked at in one reading of a document, aliases followed.
const BUDGET: usize = 200_000;

/// A mistake, with its place and its field.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) at: At,
    pub(crate) field: String,
    pub(crate) trouble: Trouble,
}

/// Reads a document as a `T`, or says all that is wrong with it.
pub(crate) fn decode<T: DeserializeOwned>(
    document: &Document<'_>,
    root: NodeId,
    levels: &Levels,
) -> Result<T, Vec<Found>> {
    let run = Run {
        document,
        levels,
        out: RefCell::new(BTreeSet::new()),
        found: RefCell::new(Vec::new()),
        left: Cell::new(BUDGET),
    };
    run.check_keys(root, &Path::ROOT);
    // Each round takes one value out, so the rounds are bounded twice.
    let mut rounds = 0;
    let whole = loop {
        run.left.set(BUDGET);
        let fault = match T::deserialize(Value { run: &run, node: root, path: &Path::ROOT }) {
            Ok(whole) => break Some(whole),
            Err(fault) => fault,
        };
        rounds += 1;
        let node = fault.node().unwrap_or(root);
        let fatal = fault.is_fatal();
        if let Some(found) = fault.told(document) {
            run.found.borrow_mut().push(found);
        }
        let new = run.out.borrow_mut().insert(node);
        if node == root || !new || fatal || rounds > 4 * MAX_FOUND || run.found.borrow().len() >= MAX_FOUND {
            break None;
        }
    };
    let mut found = run.found.into_inner();
    match whole {
        Some(whole) if found.is_empty() => Ok(whole),
        Some(_) | None => {
            found.sort_by_key(|found| found.at);
            found.truncate(MAX_FOUND);
            Err(found)
        }
    }
}

/// What the readers of all values of a document share.
struct Run<'c, 't> {
    document: &'c Document<'t>,
    levels: &'c Levels,
    /// Values with a mistake that has been told of; they count as absent.
    out: RefCell<BTreeSet<NodeId>>,
    found: RefCell<Vec<Found>>,
    left: Cell<usize>,
}

impl Run<'_, '_> {
    fn is_out(&self, node: NodeId) -> bool {
        self.out.borrow().contains(&node)
    }

    /// Tells of a mistake and goes on as if the value were not there.
    fn set_aside(&self, node: NodeId, found: impl FnOnce() -> Found) {
        let is_new = self.out.borrow_mut().insert(node);
        if is_new && self.found.borrow().len() < MAX_FOUND {
            let found = found();
            self.found.borrow_mut().push(found);
        }
    }

    /// Every key is a text and is there once.
    fn check_keys(&self, node: NodeId, path: &Path<'_>) {
        // An alias is looked at where its target stands.
        match self.document.node(node).map(|node| &node.content) {
            Some(Content::List(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.check_keys(*item, &path.item(at));
                }
            }
            Some(Content::Mapping(entries)) => {
                let mut seen = BTreeMap::new();
                for (key, value) in entries {
                    let text = self.document.text(*key);
                    let path = path.field(text.unwrap_or("?"));
                    let first = text.and_then(|text| seen.insert(text, *key));
                    match self.key_trouble(text, first) {
                        None => self.check_keys(*value, &path),
                        Some(trouble) => {
                            let at = self.document.at(*key);
                            self.set_aside(*value, || Found { at, field: path.to_string(), trouble });
                        }
                    }
                }
            }
            Some(Content::Plain(_) | Content::Text(_) | Content::Alias(_)) | None => {}
        }
    }

    fn key_trouble(&self, text: Option<&str>, first: Option<NodeId>) -> Option<Trouble> {
        match (text, first) {
            (None, _) => Some(Trouble::new(ManifestErrorKind::Syntax, "a key must be a text").help(
                "if this is a template ({{ }}), render the file first; a value with braces needs quotes",
            )),
            (Some("<<"), _) => Some(
                Trouble::new(ManifestErrorKind::Syntax, "merge keys (<<) are not read")
                    .help("write the fields out, or put an alias in place of a whole value"),
            ),
            (Some(text), Some(first)) => {
                let line = self.document.at(first).line;
                let message = format!("{} is there twice; it is first at line {line}", quoted(text));
                Some(Trouble::new(ManifestErrorKind::DuplicateKey, message))
            }
            (Some(_), None) => None,
        }
    }
}
